"""Makes src/aquila/codecs/NAME and its entry point: `python3 dev.py new codec NAME` calls it."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GROUP = '[project.entry-points."aquila.codecs"]\n'

INIT = '''\
"""NAME: say in one line which wire format this is, with its edition."""

from aquila.codecs.FOLDER.wire import LineDecoder, encode
from aquila.core.codec import Codec

__all__ = ["codec"]

codec = Codec(name="NAME", decoder=LineDecoder, encode=encode)
'''

WIRE = '''\
"""NAME on the wire: lines to bodies and back."""

from collections.abc import Iterator

from aquila.core.codec import Decoded, Outgoing
from aquila.core.errors import CodecError

LINE_LIMIT_B = 8_192
"""Longest line that is waited for; a longer one breaks the stream."""


class LineDecoder:
    """The state of one stream: what has come of a line that is not complete yet."""

    def __init__(self) -> None:
        self.broken = False
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Decoded | CodecError]:
        """Take bytes as they came, cut anywhere; give what is complete."""
        *lines, self._rest = (self._rest + data).split(b"\\n")
        for line in lines:
            yield _decode(line)
        if len(self._rest) > LINE_LIMIT_B:
            self.broken, self._rest = True, b""
            yield CodecError("oversize", f"a line is longer than {LINE_LIMIT_B} B")


def encode(outgoing: Outgoing) -> bytes:
    """The bytes of one body.

    Raises:
        CodecError: the format cannot carry this kind of body.
    """
    raise CodecError("unsupported", f"NAME cannot carry {type(outgoing.body).__name__} yet")


def _decode(line: bytes) -> Decoded | CodecError:
    # Bad bytes are a value, never an exception: the link counts them and goes on.
    return CodecError("unsupported", f"a line of {len(line)} B is not understood yet")
'''

README = """\
# NAME

**Edition.** Which document, edition and paragraph this follows.

## Fields
| on the wire | in Aquila | remark |
|---|---|---|

## What is lost
Say what this format cannot carry, in both directions.

## Peers tried
Which programs, in which version, were talked to, and how.

## Vectors
`vectors/` holds bytes as a peer sends them (`case.NAME.wire`), and beside each the list of bodies
that they say (`case.NAME.json`). The contract suite in `aquila.testing` runs them; no test code is needed.
"""


def new_codec(root: Path, name: str) -> str:
    """Write the folder and the entry point; the sentence to show.

    Raises:
        ValueError: the name is not allowed or is taken.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise ValueError(f"{name!r} is no name for a codec: small letters, digits and hyphens.")
    folder_name = name.replace("-", "_")
    folder = root / "src/aquila/codecs" / folder_name
    if folder.exists():
        raise ValueError(f"src/aquila/codecs/{folder_name} exists already.")
    pyproject = root / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8")
    if GROUP not in text:
        raise ValueError(f"pyproject.toml has no line {GROUP.strip()}.")

    (folder / "vectors").mkdir(parents=True)
    (folder / "vectors" / ".gitkeep").touch()
    for file, template in {"__init__.py": INIT, "wire.py": WIRE, "README.md": README}.items():
        filled = template.replace("NAME", name).replace("FOLDER", folder_name)
        (folder / file).write_text(filled, encoding="utf-8")
    line = f'{name} = "aquila.codecs.{folder_name}:codec"\n'
    pyproject.write_text(text.replace(GROUP, GROUP + line), encoding="utf-8")
    return (
        f"Made src/aquila/codecs/{folder_name} and its line in pyproject.toml. Next: put a first "
        "vector into vectors/, then make wire.py decode it; `python3 dev.py test` checks it."
    )


def main() -> int:
    """Make the codec named on the command line."""
    try:
        print(new_codec(ROOT, *sys.argv[1:]))
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
