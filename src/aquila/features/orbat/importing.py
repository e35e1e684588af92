"""From a file to the order of battle: what would be made or changed, shown before it is written, and then written."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, Saying
from aquila.core.model import Principal
from aquila.core.paper_work import Id, Line, NextStep, Time, check_texts, step_saying
from aquila.core.papers import Thing
from aquila.core.phrases import Told, phrase_in, told_in
from aquila.features.orbat.commands import UNITS_MAX
from aquila.features.orbat.file_unit import CONTENT_MAX, Fault, FileParent, FileRead, FileUnit
from aquila.features.orbat.msdl_file import read_msdl
from aquila.features.orbat.sheet_file import read_spreadsheet
from aquila.features.orbat.table_file import read_table
from aquila.features.orbat.text_file import read_text
from aquila.features.orbat.unit import Parent, Relation, Unit, ended, loops_in, parent_of, read_unit
from aquila.features.orbat.view import STATES, UNIT, units_of

Format = Literal["text", "csv", "xlsx", "msdl"]
TABLES = ("csv", "xlsx")
FAULTS_SHOWN = 100
TIMES_MAX = 200
"""Different times in one file: at each of them the whole tree is checked for loops."""


class ImportOrbat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file, as text; an XLSX file as base64.

    Attributes:
        under: id of the unit that the top of the file is put under; None = the top of the tree.
        side: of an MSDL scenario; empty = the first.
        at_ms: from when on units stand elsewhere; None = now.
    """

    format: Format
    content: Annotated[str, msgspec.Meta(min_length=1, max_length=CONTENT_MAX)]
    under: Id | None = None
    side: Line = ""
    at_ms: Time | None = None


class PlanRow(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one line. does: make, change or keep. changes: as people read them."""

    line: int
    does: Literal["make", "change", "keep"]
    name: str
    under: str
    changes: tuple[Told, ...]


class FaultRow(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong in a line (from 1; 0 = in the file). act, words: of the sentence that `text` is, see `Phrase`."""

    line: int
    text: str
    act: str = ""
    words: dict[str, Any] = {}


class OrbatPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What an import would do; with a fault in it, nothing is written."""

    rows: tuple[PlanRow, ...]
    faults: tuple[FaultRow, ...]
    notes: tuple[Told, ...]
    made: int
    changed: int
    kept: int


class OrbatImported(msgspec.Struct, frozen=True, kw_only=True):
    """What was written."""

    made: int
    changed: int
    kept: int


class Change(msgspec.Struct, frozen=True):
    """One row with the unit that it becomes. thing: None = the unit is new."""

    row: FileUnit
    id: str
    thing: Thing | None
    before: Unit | None
    after: Unit


class Planned(msgspec.Struct, frozen=True):
    """Changes in the order in which they are written, and why they are not."""

    changes: list[Change]
    faults: list[Fault]
    notes: tuple[str, ...]


Known = Mapping[str, tuple[Thing, Unit]]


async def plan_import(principal: Principal, ask: ImportOrbat, desk: Desk) -> OrbatPlan | Refused:
    """Say what an import would do. Nothing is written."""
    return await asyncio.to_thread(_shown, ask, desk)


def _shown(ask: ImportOrbat, desk: Desk) -> OrbatPlan:
    planned = _plan(ask, desk)
    names = {change.id: change.after.name for change in planned.changes}
    names |= {id: unit.name for id, (_, unit) in units_of(desk).items() if id not in names}
    at_ms = _at_ms(ask, desk)
    rows = tuple(_plan_row(change, names, at_ms) for change in planned.changes)
    count = {does: sum(1 for row in rows if row.does == does) for does in ("make", "change", "keep")}
    return OrbatPlan(
        rows=rows,
        faults=tuple(map(_fault_row, planned.faults[:FAULTS_SHOWN])),
        notes=told_in("orbat.note", planned.notes),
        made=count["make"],
        changed=count["change"],
        kept=count["keep"],
    )


async def import_orbat(principal: Principal, ask: ImportOrbat, desk: Desk) -> OrbatImported | Refused:
    """Write what the file says, parents first and all of it in one commit; a file with a fault is refused whole."""
    # All that can be done beside the loop is done there: a file may hold thousands of units.
    prepared = await asyncio.to_thread(_prepare, principal, ask, desk)
    if isinstance(prepared, Refused):
        return prepared
    written = await desk.write_all(prepared.sayings)
    return written if isinstance(written, Refused) else prepared.outcome


class Prepared(msgspec.Struct, frozen=True):
    """What is to be said, and what is answered once it is."""

    sayings: list[Saying]
    outcome: OrbatImported


def _prepare(principal: Principal, ask: ImportOrbat, desk: Desk) -> Prepared | Refused:
    planned = _plan(ask, desk)
    if planned.faults:
        first = planned.faults[0]
        where = f"line {first.line}: " if first.line else ""
        more = f" ({len(planned.faults) - 1} further lines are wrong as well)" if len(planned.faults) > 1 else ""
        return Refused("file", f"{where}{first.text}{more}")
    changes = [change for change in planned.changes if change.before != change.after]
    sayings: list[Saying] = []
    for change in changes:
        said = _saying(principal, desk, change)
        if isinstance(said, Refused):
            return Refused(said.reason, f"line {change.row.line}: {said.detail}; nothing was written")
        sayings.append(said)
    made = sum(1 for change in changes if change.thing is None)
    changed = len(changes) - made
    return Prepared(sayings, OrbatImported(made=made, changed=changed, kept=len(planned.changes) - len(changes)))


def _saying(principal: Principal, desk: Desk, change: Change) -> Saying | Refused:
    after = msgspec.to_builtins(change.after)
    if change.thing is None or change.before is None:
        text = f"unit {change.after.name} made from a file"
        step = NextStep(STATES, UNIT, None, "create", after, id=change.id, summary=text)
    else:
        names = _differing(change.before, change.after)
        fields = {name: after.get(name, getattr(EMPTY, name)) for name in names}
        text = f"unit {change.after.name}: {', '.join(names)} changed by a file"
        step = NextStep(STATES, UNIT, change.thing, "edit", fields, summary=text)
    return step_saying(principal, desk, step)


EMPTY = Unit(name="x")


def _differing(before: Unit, after: Unit) -> list[str]:
    return [name for name in Unit.__struct_fields__ if getattr(before, name) != getattr(after, name)]


def _at_ms(ask: ImportOrbat, desk: Desk) -> int:
    return desk.now_ms() if ask.at_ms is None else ask.at_ms


def _read(ask: ImportOrbat) -> FileRead:
    if ask.format == "text":
        return read_text(ask.content)
    if ask.format == "xlsx":
        return read_spreadsheet(ask.content)
    return read_table(ask.content) if ask.format == "csv" else read_msdl(ask.content, ask.side)


def _plan(ask: ImportOrbat, desk: Desk) -> Planned:
    """What the file would do to the order of battle as the asker sees it now."""
    read, known = _read(ask), units_of(desk)
    faults = list(read.faults)
    if ask.under is not None and ask.under not in known:
        faults.append(Fault(line=0, text=f"there is no unit {ask.under} to put it under: choose another"))
    if not read.units and not faults:
        faults.append(Fault(line=0, text="there is no unit in it: write one unit a line"))
    if len(known) + len(read.units) > UNITS_MAX:
        faults.append(Fault(line=0, text=f"the order of battle holds at most {UNITS_MAX} units: import fewer"))
    if faults:
        return Planned([], faults, read.notes)
    return planned_of(read, ask, known, _at_ms(ask, desk), desk.new_id)


def planned_of(read: FileRead, ask: ImportOrbat, known: Known, at_ms: int, new_id: Callable[[], str]) -> Planned:
    """What the rows of a file do to these units; with a fault, nothing is to be done."""
    matcher = _Matcher(ask, known, read.units, at_ms, new_id)
    changes = [change for row in matcher.parents_first() for change in matcher.change(row)]
    faults = matcher.faults or _loops(changes, known)
    return Planned(changes, sorted(faults, key=lambda fault: fault.line), read.notes)


class _Matcher:
    """Finds for each row of a file the unit that it speaks of.

    By its id; else by name under the same parent; else by name, when only one unit is called so; else it is a new one.
    """

    def __init__(
        self, ask: ImportOrbat, known: Known, rows: Sequence[FileUnit], at_ms: int, new_id: Callable[[], str]
    ) -> None:
        self._ask, self._known, self._at_ms, self._new_id = ask, known, at_ms, new_id
        self._rows = {row.key: row for row in rows}
        self._named: dict[str, list[str]] = {}
        for id, (_, unit) in known.items():
            self._named.setdefault(unit.name.casefold(), []).append(id)
        self._in_file: dict[str, list[str]] = {}
        for row in rows:
            self._in_file.setdefault(row.name.casefold(), []).append(row.key)
        self._ids: dict[str, str] = {}
        self._taken: dict[str, int] = {}
        self.faults: list[Fault] = []
        if len(self._rows) < len(rows):
            self.faults.append(Fault(line=0, text="one id stands in several rows: each unit has its own"))

    def parents_first(self) -> Iterator[FileUnit]:
        """All rows, each after those that it stands under; a loop is broken somewhere and found later."""
        done: set[str] = set()
        for start in self._rows:
            path, on_path = [start], {start}
            while path:
                row = self._rows[path[-1]]
                above = (key for key in self._keys_above(row) if key not in done and key not in on_path)
                waits = next(above, None)
                if waits is not None:
                    path.append(waits)
                    on_path.add(waits)
                    continue
                on_path.remove(path.pop())
                if row.key not in done:
                    done.add(row.key)
                    yield row

    def change(self, row: FileUnit) -> Iterator[Change]:
        """The row with the unit that it becomes; none and a fault when it cannot be."""
        try:
            yield self._change(row)
        except ValueError as wrong:
            self.faults.append(Fault(line=row.line, text=str(wrong)[:400]))

    def _keys_above(self, row: FileUnit) -> list[str]:
        return [key for parent in row.parents or () if (key := self._key_of(parent.ref, row)) is not None]

    def _key_of(self, ref: str, row: FileUnit) -> str | None:
        """The row that a parent is named by: its key, or a name that only one row has."""
        if ref in self._rows:
            return ref if ref != row.key else None
        keys = self._in_file.get(ref.casefold(), [])
        return keys[0] if len(keys) == 1 and keys[0] != row.key else None

    def _change(self, row: FileUnit) -> Change:
        parents = None if row.parents is None else [self._parent(each, row) for each in row.parents]
        top = self._ask.under if parents in (None, []) else None
        if top is not None:
            parents = [Parent(unit=top)]
        id = self._match(row, parents[0].unit if parents else None)
        thing, before = self._known.get(id, (None, None)) if id is not None else (None, None)
        kept = {} if before is None else {name: getattr(before, name) for name in Unit.__struct_fields__}
        fields = {**msgspec.to_builtins(kept), **row.fields, "name": row.name}
        fields["parents"] = msgspec.to_builtins(self._parents(before, parents))
        check_texts("unit", fields, may_be_blank=True)
        after = read_unit({name: value for name, value in fields.items() if value is not None})
        id = self._new_id() if id is None else id
        self._ids[row.key] = id
        return Change(row, id, thing, before, after)

    def _match(self, row: FileUnit, parent: str | None) -> str | None:
        found = self._found(row, parent)
        if found is not None and found in self._taken:
            raise ValueError(
                f"line {self._taken[found]} speaks of the same unit {row.name[:60]}: keep one of the lines"
            )
        if found is not None:
            self._taken[found] = row.line
        return found

    def _found(self, row: FileUnit, parent: str | None) -> str | None:
        if row.id is not None and row.id in self._known:
            return row.id
        called = self._named.get(row.name.casefold(), [])
        under = [id for id in called if self._above(id) == parent and id not in self._taken]
        if len(under) == 1:
            return under[0]
        if row.id is not None or not called or len(self._in_file[row.name.casefold()]) > 1:
            return None
        if len(called) > 1:
            raise ValueError(
                f"{len(called)} units are called {row.name[:60]}: say which with the column id of a CSV file"
            )
        return called[0]

    def _above(self, id: str) -> str | None:
        parent = parent_of(self._known[id][1], self._at_ms)
        return None if parent is None else parent.unit

    def _parent(self, said: FileParent, row: FileUnit) -> Parent:
        key = self._key_of(said.ref, row)
        if key is not None and key in self._ids:
            unit = self._ids[key]
        elif said.ref == row.key or said.ref.casefold() == row.name.casefold():
            raise ValueError(f"{row.name[:60]} would stand under itself: name another parent")
        elif key is not None:
            raise ValueError(f"{row.name[:60]} would stand under itself through {said.ref[:60]}: name another parent")
        else:
            unit = self._known_parent(said.ref)
        fields = {"unit": unit, "relation": said.relation, "from_ms": said.from_ms, "until_ms": said.until_ms}
        return msgspec.convert({name: value for name, value in fields.items() if value is not None}, Parent)

    def _known_parent(self, ref: str) -> str:
        if ref in self._known:
            return ref
        called = self._named.get(ref.casefold(), [])
        if len(called) != 1 or len(self._in_file.get(ref.casefold(), ())) > 1:
            many = (
                "several units are" if called or ref.casefold() in self._in_file else "no unit, here or in the file, is"
            )
            raise ValueError(f"{many} called {ref[:60]}: add a line for it, or correct the name")
        return called[0]

    def _parents(self, before: Unit | None, said: list[Parent] | None) -> Sequence[Parent]:
        """A table says all relations; text and MSDL say the one that holds: what was before stays true for before."""
        if said is None or (before is not None and self._ask.format in TABLES):
            return (before.parents if before is not None else ()) if said is None else said
        if before is None:
            return said
        holding = parent_of(before, self._at_ms)
        new = said[0] if said else None
        if (None, None) == (holding, new) or (
            holding is not None and new is not None and (holding.unit, holding.relation) == (new.unit, new.relation)
        ):
            return before.parents
        relation: Relation = new.relation if new is not None else "ORGANIC"
        left = ended(before.parents, relation, self._at_ms)
        if holding is not None and holding in left and holding.relation != "ORGANIC":
            left = ended(left, holding.relation, self._at_ms)
        return left if new is None else (*left, msgspec.structs.replace(new, from_ms=self._at_ms))


def _loops(changes: Sequence[Change], known: Known) -> list[Fault]:
    after = {**{id: unit for id, (_, unit) in known.items()}, **{change.id: change.after for change in changes}}
    times = {time for change in changes for each in change.after.parents for time in (each.from_ms, each.until_ms)}
    if len(times) > TIMES_MAX:
        return [
            Fault(line=0, text=f"{len(times)} different times in one file: at most {TIMES_MAX}, import it in parts")
        ]
    looped = set(loops_in(after))
    faults = [
        Fault(line=change.row.line, text=f"{change.after.name[:60]} would stand under itself: name another parent")
        for change in changes
        if change.id in looped
    ]
    return faults or ([Fault(line=0, text="a unit would stand under itself through this file")] if looped else [])


def _fault_row(fault: Fault) -> FaultRow:
    said = phrase_in("refused", fault.text)
    return FaultRow(line=fault.line, text=fault.text, act=said.act, words=said.words)


def _plan_row(change: Change, names: Mapping[str, str], at_ms: int) -> PlanRow:
    parent = parent_of(change.after, at_ms)
    under = "" if parent is None else names.get(parent.unit, parent.unit)
    name, line = change.after.name, change.row.line
    if change.before is None:
        return PlanRow(line=line, does="make", name=name, under=under, changes=())
    changed = _differing(change.before, change.after)
    return PlanRow(
        line=line,
        does="change" if changed else "keep",
        name=name,
        under=under,
        changes=told_in("orbat.change", (_said(name, change.before, change.after, names, at_ms) for name in changed)),
    )


def _said(field: str, before: Unit, after: Unit, names: Mapping[str, str], at_ms: int) -> str:
    if field == "parents":
        old, new = parent_of(before, at_ms), parent_of(after, at_ms)
        return f"under: {_parent_said(old, names)} → {_parent_said(new, names)}"
    return f"{field}: {_short(getattr(before, field))} → {_short(getattr(after, field))}"


def _parent_said(parent: Parent | None, names: Mapping[str, str]) -> str:
    return "top" if parent is None else f"{names.get(parent.unit, parent.unit)} ({parent.relation})"


def _short(value: Any) -> str:
    if value in (None, "", ()):
        return "-"
    if isinstance(value, str):
        return value[:80]
    text = msgspec.json.encode(value).decode()
    return "".join(char for char in text if char not in '"{}[]')[:80].replace(",", ", ")


COMMANDS = (
    Command(
        name="plan_orbat_import",
        method="POST",
        path="/orbat/import/plan",
        request=ImportOrbat,
        answer=OrbatPlan,
        role="operator",
        act=plan_import,
        slow=True,
        summary="Say what importing a file would make and change, without doing it",
    ),
    Command(
        name="import_orbat",
        method="POST",
        path="/orbat/import",
        request=ImportOrbat,
        answer=OrbatImported,
        role="operator",
        act=import_orbat,
        slow=True,
        summary="Import an order of battle from indented text, CSV, XLSX or MSDL",
    ),
)
