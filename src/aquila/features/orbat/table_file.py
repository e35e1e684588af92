"""The order of battle as a table (CSV) that any spreadsheet opens: one row a unit, columns found by their names.

Cells with several entries part them with `;`, and the fields of one entry with `/`: `Truck 4x4/12/10/9; Radio/30/28`.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from aquila.features.orbat.file_unit import (
    ROWS_MAX,
    Fault,
    FileParent,
    FileRead,
    FileUnit,
    FileWritten,
    escaped,
    number_of,
    number_text,
    plain,
    split,
    time_of,
    time_text,
)
from aquila.features.orbat.unit import Branch, Caveat, Holding, Parent, Unit

PLAIN_COLUMNS = ("short", "nation", "echelon", "sidc", "branch", "remarks")
LIST_COLUMNS = ("callsigns", "trackers")
HOLDING_COLUMNS = ("equipment", "supplies")
STRENGTH = ("authorised", "assigned", "present")
COLUMNS = (
    *("id", "name", "parent", "relation", "from", "until", "more_parents"),
    *("short", "nation", "echelon", "sidc", "branch", "callsigns", "trackers", *STRENGTH),
    *("readiness", "reason", "notice_min", "assessed", "equipment", "supplies", "caveats", "remarks"),
)
NUMBERS = frozenset({*STRENGTH, "notice_min"})
"""Columns that hold a number; those of all others hold text."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
"""A cell that begins so would be worked out by a spreadsheet: it gets a quote before it."""
MARKS = ";/"
Row = tuple[int, Sequence[str]]
"""A line (from 1) and its cells."""


def read_table(content: str) -> FileRead:
    """The units of a table. The first line names the columns; of all columns only `name` must be there."""
    text = content.removeprefix("\ufeff")
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        names = next(rows, [])
    except csv.Error as wrong:
        return FileRead(faults=(Fault(line=1, text=f"this is no table: {wrong}"),))
    return read_rows(names, _lines(rows))


def _lines(rows: Any) -> Iterator[Row | Fault]:
    try:
        for cells in rows:
            yield rows.line_num, [_unquoted(cell) for cell in cells]
    except csv.Error as wrong:
        yield Fault(line=rows.line_num, text=f"the line cannot be read as a table: {wrong}")


def read_rows(head: Sequence[str], rows: Iterable[Row | Fault]) -> FileRead:
    """The units of rows. head: names of the columns; of all columns only `name` must be there."""
    names = [name.strip().lower().replace(" ", "_") for name in head]
    unknown = [name for name in names if name and name not in COLUMNS]
    if "name" not in names or unknown or len(set(names)) < len(names):
        what = (
            f"the columns {', '.join(unknown)[:200]} are unknown"
            if unknown
            else "each column once, and `name`, must be"
        )
        return FileRead(faults=(Fault(line=1, text=f"{what}: the first line names some of {', '.join(COLUMNS)}"),))
    units: list[FileUnit] = []
    faults: list[Fault] = []
    for row in rows:
        if isinstance(row, Fault):
            faults.append(row)
            continue
        line, cells = row
        if not any(cell.strip() for cell in cells):
            continue
        try:
            units.append(_unit(line, dict(zip(names, (cell.strip(" ") for cell in cells), strict=False))))
        except ValueError as wrong:
            faults.append(Fault(line=line, text=str(wrong)))
        if len(units) > ROWS_MAX:
            return FileRead(faults=(Fault(line=line, text=f"more than {ROWS_MAX} units in one file"),))
    return FileRead(units=tuple(units), faults=tuple(faults))


def _unquoted(cell: str) -> str:
    text = cell.strip(" ")
    return text[1:] if text.startswith("'") else text


def _unit(line: int, row: Mapping[str, str]) -> FileUnit:
    if not row.get("name"):
        raise ValueError("the row has no name: every unit has one")
    fields: dict[str, Any] = {name: plain(row[name]) or None for name in PLAIN_COLUMNS if name in row}
    if fields.get("remarks", "") is None:
        fields["remarks"] = ""
    for name in LIST_COLUMNS:
        if name in row:
            fields[name] = [plain(each) for each in split(row[name], ";") if each]
    if any(name in row for name in STRENGTH):
        counts = {name: number_of(row.get(name, ""), name) for name in STRENGTH}
        fields["strength"] = counts if any(row.get(name) for name in STRENGTH) else None
    if "readiness" in row:
        fields["readiness"] = _readiness(row)
    for name in HOLDING_COLUMNS:
        if name in row:
            fields[name] = [_holding(each) for each in split(row[name], ";") if each]
    if "caveats" in row:
        fields["caveats"] = [_caveat(each) for each in split(row["caveats"], ";") if each]
    id = row.get("id") or None
    return FileUnit(
        line=line, key=id or f"line {line}", id=id, name=plain(row["name"]), fields=fields, parents=_parents(row)
    )


def _parents(row: Mapping[str, str]) -> tuple[FileParent, ...] | None:
    if "parent" not in row and "more_parents" not in row:
        return None
    found = []
    if row.get("parent"):
        first = (row.get("relation", ""), row["parent"], row.get("from", ""), row.get("until", ""))
        found.append(_parent(first))
    for each in split(row.get("more_parents", ""), ";"):
        if each:
            found.append(_parent(tuple(split(each, "/"))))
    return tuple(found)


def _parent(said: tuple[str, ...]) -> FileParent:
    relation, ref, begin, end = (*said, "", "", "")[:4]
    if not ref or len(said) > 4:
        raise ValueError(f"a parent is RELATION/unit/from/until, not {'/'.join(said)[:60]!r}")
    return FileParent(
        ref=plain(ref), relation=relation.upper() or "ORGANIC", from_ms=time_of(begin), until_ms=time_of(end)
    )


def _readiness(row: Mapping[str, str]) -> dict[str, Any] | None:
    if not row["readiness"]:
        return None
    found: dict[str, Any] = {"status": row["readiness"].upper(), "reason": plain(row.get("reason", ""))}
    if row.get("notice_min"):
        found["notice_to_move_min"] = number_of(row["notice_min"], "notice_min")
    if row.get("assessed"):
        found["assessed_at_ms"] = time_of(row["assessed"])
    return found


def _holding(cell: str) -> dict[str, Any]:
    name, *said = split(cell, "/")
    if len(said) > 5:
        raise ValueError(f"{cell[:60]!r}: name/authorised/on hand/serviceable/class/a day")
    authorised, on_hand, serviceable, supply_class, per_day = (*said, "", "", "", "", "")[:5]
    return {
        "name": plain(name),
        "authorised": number_of(authorised, name),
        "on_hand": number_of(on_hand, name),
        "serviceable": number_of(serviceable, name) if serviceable else None,
        "supply_class": plain(supply_class) or None,
        "per_day": number_of(per_day, name) if per_day else None,
    }


def _caveat(cell: str) -> dict[str, Any]:
    text, verbs, until = (*split(cell, "/"), "", "")[:3]
    return {"text": plain(text), "verbs": [plain(each) for each in verbs.split() if each], "until_ms": time_of(until)}


def write_table(tree: Sequence[tuple[Branch, Unit]]) -> FileWritten:
    """The tree as a table with all that is known of each unit; a parent is named by its id."""
    written = io.StringIO(newline="")
    rows = csv.writer(written, lineterminator="\r\n")
    rows.writerow(COLUMNS)
    for branch, unit in tree:
        rows.writerow([_quoted(cell) for cell in cells_of(branch, unit)])
    return FileWritten(text=written.getvalue())


def cells_of(branch: Branch, unit: Unit) -> list[str]:
    """A unit's cells in the order of COLUMNS."""
    return [_CELLS[name](branch, unit) for name in COLUMNS]


def _quoted(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _first(unit: Unit) -> Parent | None:
    return unit.parents[0] if unit.parents else None


def _parent_cell(parent: Parent) -> str:
    said = (parent.relation, escaped(parent.unit, MARKS), time_text(parent.from_ms), time_text(parent.until_ms))
    return "/".join(said)


def _holding_cell(each: Holding) -> str:
    counts = (each.authorised, each.on_hand, each.serviceable)
    said = (escaped(each.name, MARKS), *map(number_text, counts), escaped(each.supply_class or "", MARKS))
    return _joined(*said, number_text(each.per_day))


def _caveat_cell(each: Caveat) -> str:
    said = (escaped(each.text, MARKS), " ".join(escaped(verb, MARKS) for verb in each.verbs), time_text(each.until_ms))
    return _joined(*said)


def _joined(*said: str) -> str:
    """One part of a cell; what is unsaid at its end is left out. A slash of somebody's own words stays."""
    count = next((n for n in range(len(said), 0, -1) if said[n - 1]), 0)
    return "/".join(said[:count])


def _of(name: str) -> Callable[[Branch, Unit], str]:
    return lambda branch, unit: escaped(getattr(unit, name) or "", "")


def _listed(name: str, cell: Callable[[Any], str]) -> Callable[[Branch, Unit], str]:
    return lambda branch, unit: "; ".join(map(cell, getattr(unit, name)))


def _inside(struct: str, name: str, form: Callable[[Any], str]) -> Callable[[Branch, Unit], str]:
    return lambda branch, unit: "" if getattr(unit, struct) is None else form(getattr(getattr(unit, struct), name))


def _cells() -> Iterator[tuple[str, Callable[[Branch, Unit], str]]]:
    yield "id", lambda branch, unit: branch.id
    yield "name", lambda branch, unit: escaped(unit.name, "")
    yield "parent", lambda branch, unit: "" if (first := _first(unit)) is None else first.unit
    yield "relation", lambda branch, unit: "" if (first := _first(unit)) is None else first.relation
    yield "from", lambda branch, unit: "" if (first := _first(unit)) is None else time_text(first.from_ms)
    yield "until", lambda branch, unit: "" if (first := _first(unit)) is None else time_text(first.until_ms)
    yield "more_parents", lambda branch, unit: "; ".join(map(_parent_cell, unit.parents[1:]))
    for name in PLAIN_COLUMNS:
        yield name, _of(name)
    for name in LIST_COLUMNS:
        yield name, _listed(name, lambda each: escaped(each, MARKS))
    for name in HOLDING_COLUMNS:
        yield name, _listed(name, _holding_cell)
    yield "caveats", _listed("caveats", _caveat_cell)
    for name in STRENGTH:
        yield name, _inside("strength", name, number_text)
    yield "readiness", _inside("readiness", "status", str)
    yield "reason", _inside("readiness", "reason", lambda text: escaped(text, ""))
    yield "notice_min", _inside("readiness", "notice_to_move_min", number_text)
    yield "assessed", _inside("readiness", "assessed_at_ms", time_text)


_CELLS = dict(_cells())
