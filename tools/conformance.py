"""Writes docs/formats/tak-conformance.md: every row of the TAK contract, with what the tests of each client showed.

    python tools/conformance.py             # runs tests/marti, then writes the page
    python tools/conformance.py --no-run    # the rows as they are now, with the results that the page has already
    python tools/conformance.py --check     # says whether rows are missing on the page, writes nothing

A test says by @pytest.mark.row("GET /Marti/...", client="node-tak") which row it shows, and as which client.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from aquila.app.parts import load_features
from aquila.core.feature import Command, Endpoint
from aquila.features.tak.official import SERVLET, OfficialPaths, load_official

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "formats" / "tak-conformance.md"
TESTS = ROOT / "tests" / "marti"
NO_TEST = "no test yet"

Results = Mapping[str, Mapping[str, str]]
"""Row (method and path) -> client -> what its tests showed."""

HEAD = """# Conformance with the TAK server's HTTP contract

Made by `tools/conformance.py` from the rows of the features and their tests; do not edit. Each test sends the request
exactly as the client does, to a started node, and checks the answer as strictly as the client reads it. "Official
server" stands for rows that no client we know asks for: the shape is that of the official server's own interface.

## What this node answers
| Row | Who may ask | Rule | Shown as |
|---|---|---|---|
"""

OFFICIAL_HEAD = """
## What only the official server answers
These paths give 501 with a sentence, in the contract's own form of an error. No client of the tables in the sources
calls them; who does is told plainly.

"""

_LINE = re.compile(r"^\| `([A-Z]+ /\S*)` \| [^|]* \| [^|]* \| ([^|]*) \|$", re.MULTILINE)
_SHOWN = re.compile(r"([^,:]+): ([^,]+)")


def key_of(endpoint: Endpoint) -> str:
    """The words that name a row, in marks of tests and on the page."""
    return f"{endpoint.method} {endpoint.path}"


def rows() -> list[Endpoint]:
    """All rows of the shipped features, by path and method."""
    found = [endpoint for feature in load_features() for endpoint in feature.endpoints]
    return sorted(found, key=lambda endpoint: (endpoint.path, endpoint.method))


def not_ours(official: OfficialPaths, ours: Sequence[Endpoint]) -> list[str]:
    """What the official server answers and no row of ours does; parts in braces may have other names."""
    known = {(endpoint.method, _bare(endpoint.path)) for endpoint in ours}
    paths = {path for _, path in known}
    return [
        f"{'any' if method == SERVLET else method} {path}"
        for method, path in official.rows
        if (method, _bare(path)) not in known
        and not (method == SERVLET and _bare(path) in paths)
        # A row that answers GET answers HEAD.
        and not (method == "HEAD" and ("GET", _bare(path)) in known)
    ]


def _bare(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path.removesuffix("/*"))


def run_tests() -> Results:
    """What the tests show now. The conftest of tests/marti writes it down when it is told where."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "conformance.json"
        # Not AQUILA_...: the node takes such names for its settings.
        environ = {**os.environ, "CONFORMANCE_RESULTS": str(told)}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(TESTS)]
        subprocess.run(command, cwd=ROOT, env=environ, check=False)
        if not told.exists():
            sys.exit("the tests wrote no results: run pytest on tests/marti and mend what it says")
        results: Results = json.loads(told.read_text(encoding="utf-8"))
    return results


def read_results(page: str) -> Results:
    """The results that a page shows."""
    found: dict[str, dict[str, str]] = {}
    for row, shown in _LINE.findall(page):
        found[row] = {client.strip(): result.strip() for client, result in _SHOWN.findall(shown)}
    return found


def render(results: Results) -> str:
    """The page."""
    ours = rows()
    lines = [_line(endpoint, results.get(key_of(endpoint), {})) for endpoint in ours]
    official = load_official()
    missing = [f"- `{row}`" for row in not_ours(official, ours)]
    shown = sum(": passed" in line and "FAILED" not in line for line in lines)
    figures = f"\n{len(ours)} rows, {shown} of them shown by tests.\n"
    return HEAD + "\n".join(lines) + "\n" + figures + OFFICIAL_HEAD + "\n".join(missing) + "\n"


def _who(endpoint: Endpoint) -> str:
    """A device may what its groups may; a person needs the role of what is done besides."""
    work = endpoint.work
    return f"device, {work.role}" if isinstance(work, Command) and work.role != "viewer" else "device or person"


def _line(endpoint: Endpoint, results: Mapping[str, str]) -> str:
    shown = ", ".join(f"{client}: {result}" for client, result in sorted(results.items())) or NO_TEST
    role = endpoint.role or _who(endpoint)
    return f"| `{key_of(endpoint)}` | {role} | {endpoint.source or 'not said'} | {shown} |"


def faults(page: str) -> list[str]:
    """What a page says wrong: rows that are missing on it, and rows that are no more."""
    ours = {key_of(endpoint) for endpoint in rows()}
    there = {row for row, _ in _LINE.findall(page)}
    listed = set(re.findall(r"^- `(.+)`$", page, re.MULTILINE))
    wanted = set(not_ours(load_official(), rows()))
    return [
        *(f"{row} is missing" for row in sorted(ours - there)),
        *(f"{row} is no row" for row in sorted(there - ours)),
        *(f"{row} is answered, or unknown to the official server" for row in sorted(listed - wanted)),
        *(f"{row} is not listed under 501" for row in sorted(wanted - listed)),
    ]


def main() -> None:
    """See the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-run", action="store_true", help="keep the results that the page has")
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args()
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    if options.check:
        wrong = faults(page)
        print("\n".join(wrong) or "the page names every row")
        sys.exit(1 if wrong else 0)
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(render(read_results(page) if options.no_run else run_tests()), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} written")


if __name__ == "__main__":
    main()
