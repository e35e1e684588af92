"""What files of an order of battle share: a unit as a file says it, what is wrong in a line, cells and times."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from aquila.features.orbat.unit import Unit

CONTENT_MAX = 240_000
"""Characters of one file: the web takes no larger request. Import a larger order of battle in parts."""
ROWS_MAX = 5_000
DEPTH_MAX = 60


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Something that keeps a file from being imported. line: counts from 1; 0 = the file as a whole."""

    line: int
    text: str


class FileParent(msgspec.Struct, frozen=True, kw_only=True):
    """Under whom, as the file says it: `ref` is the key of a row of the file, else a name or an id."""

    ref: str
    relation: str = "ORGANIC"
    from_ms: int | None = None
    until_ms: int | None = None


class FileUnit(msgspec.Struct, frozen=True, kw_only=True):
    """A unit as a row of a file says it.

    Attributes:
        key: of the row within the file. id: of a unit that is there; None = found by its name.
        fields: of `Unit` without parents; what is not named stays as it is.
        parents: None = the file does not say; () = it stands at the top.
    """

    line: int
    key: str
    name: str
    id: str | None = None
    fields: Mapping[str, Any] = {}
    parents: tuple[FileParent, ...] | None = None


class FileRead(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says. notes: what was left out or taken otherwise, as sentences."""

    units: tuple[FileUnit, ...] = ()
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()


class FileWritten(msgspec.Struct, frozen=True, kw_only=True):
    """A file's text (data for one that is no text), and what its format cannot say of these units."""

    text: str = ""
    data: bytes = b""
    losses: tuple[str, ...] = ()


_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "|": "\\|", ";": "\\;", "/": "\\/"}
_PLAIN = {value[1]: key for key, value in _ESCAPES.items()} | {"s": " ", "#": "#"}


def escaped(text: str, marks: str) -> str:
    """The text with the marks of a format written so that they are read as text. Blanks at either end stay."""
    kept = "".join(_escape(char, marks) for char in text)
    inner = kept.strip(" ")
    ahead = len(kept) - len(kept.lstrip(" "))
    return "\\s" * ahead + inner + "\\s" * (len(kept) - len(inner) - ahead)


def _escape(char: str, marks: str) -> str:
    if char in marks or char in "\\\n\t":
        return _ESCAPES[char]
    # A line of nothing but blanks of any script is an empty line; behind a backslash they are a text.
    return f"\\{char}" if char != " " and char.isspace() else char


def split(text: str, mark: str) -> list[str]:
    """The parts between marks, each still escaped and without spaces around it."""
    parts, part, is_escaped = [], "", False
    for char in text:
        if char == mark and not is_escaped:
            parts.append(part.strip(" \t"))
            part = ""
        else:
            part += char
        is_escaped = char == "\\" and not is_escaped
    return [*parts, part.strip(" \t")]


def plain(text: str) -> str:
    """The text that `escaped` was given."""
    return re.sub(r"\\(.)", lambda found: _PLAIN.get(found[1], found[1]), text, flags=re.DOTALL)


def time_of(text: str) -> int | None:
    """Milliseconds of "2026-11-25T14:00Z"; empty = None. Raises ValueError with a sentence."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"the time {text[:40]!r} cannot be read: write it like 2026-11-25T14:00Z") from None
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)


def time_text(at_ms: int | None) -> str:
    """The same, written; None = empty."""
    if at_ms is None:
        return ""
    found = datetime.fromtimestamp(at_ms // 1000, UTC).replace(microsecond=at_ms % 1000 * 1000)
    form = "%Y-%m-%dT%H:%MZ" if at_ms % 60_000 == 0 else "%Y-%m-%dT%H:%M:%S.%fZ"
    return found.strftime(form)


def number_of(text: str, what: str) -> float:
    """A count. Raises ValueError with a sentence."""
    try:
        found = float(text.replace(" ", "").replace(",", ".") or 0)
    except ValueError:
        raise ValueError(f"{what} {text[:40]!r} is no number: write digits, or leave it empty") from None
    if not 0 <= found <= 1e9:
        raise ValueError(f"{what} {text[:40]} is not between 0 and 1000000000")
    return found


def number_text(value: float | None) -> str:
    """The shortest way to write it; None = empty."""
    if value is None:
        return ""
    return str(int(value)) if value == int(value) else repr(value)


def losses_of(units: Iterable[Unit], carried: frozenset[str]) -> tuple[str, ...]:
    """Which fields some of the units have that a format does not carry."""
    empty = Unit(name="x")
    names = [name for name in Unit.__struct_fields__ if name not in carried]
    listed = list(units)
    lost = [name for name in names if any(getattr(unit, name) != getattr(empty, name) for unit in listed)]
    return (f"not in this format: {', '.join(lost)}",) if lost else ()
