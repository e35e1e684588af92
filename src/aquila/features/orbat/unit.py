"""Unit: what the order of battle knows of one unit, and the tree that the units make at a time.

Fields after facts of public ORBAT tools and of C2SIM's ActorEntity (SISO-STD-020-2020); command relations are those of
AAP-06: organic, OPCOM, OPCON, TACOM, TACON, administrative control, support, liaison.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal

import msgspec

from aquila.core.model import TIME_MIN_MS
from aquila.core.paper_work import Id, Line, Text, Time

Relation = Literal["ORGANIC", "OPCOM", "OPCON", "TACOM", "TACON", "ADCON", "SUPPORT", "LIAISON"]
COMMANDS: tuple[Relation, ...] = ("OPCOM", "OPCON", "TACOM", "TACON")
"""Relations that move a unit under somebody else for a time; the others leave it where it is at home."""
ECHELONS = (
    *("TEAM", "SQUAD", "SECTION", "PLATOON", "COMPANY", "BATTALION", "REGIMENT", "BRIGADE", "DIVISION"),
    *("CORPS", "ARMY", "ARMY_GROUP", "THEATRE", "COMMAND"),
)
"""From the smallest; digits 9 and 10 of a symbol code count them from 11 (APP-6(D), table of echelons)."""

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
Count = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]


class Parent(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Under whom a unit stands. from_ms: None = always has. until_ms: None = until further notice."""

    unit: Id
    relation: Relation = "ORGANIC"
    from_ms: Time | None = None
    until_ms: Time | None = None

    def holds(self, at_ms: int) -> bool:
        """Is it in force at this time?"""
        return (self.from_ms is None or self.from_ms <= at_ms) and (self.until_ms is None or at_ms < self.until_ms)


class Holding(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How much there is of something: equipment, or supplies of a class (NATO classes I to V, water, transport)."""

    name: Name
    authorised: Count = 0
    on_hand: Count = 0
    serviceable: Count | None = None
    supply_class: Line | None = None
    per_day: Count | None = None
    """Consumption; None = not known."""


class Strength(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Persons: what is authorised, what the unit has, who is there."""

    authorised: Count = 0
    assigned: Count = 0
    present: Count = 0


class Readiness(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How fit the unit is, who says so and when."""

    status: Literal["FULL", "MOSTLY", "PARTLY", "NOT"] = "FULL"
    reason: Line = ""
    notice_to_move_min: Count | None = None
    assessed_at_ms: Time | None = None


class Caveat(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What its nation does not let it do. verbs: tasks that it forbids; empty = to be read by people."""

    text: Line
    verbs: tuple[Line, ...] = ()
    until_ms: Time | None = None


Echelon = Annotated[str, msgspec.Meta(pattern=f"^({'|'.join(ECHELONS)})$")]
Nation = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
Sidc = Annotated[str, msgspec.Meta(pattern="^([0-9]{20}|[0-9]{30})$")]


class Unit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One unit. None and () = not known.

    Attributes:
        trackers: foreign identities of what it carries, "cot:ANDROID-1".
    """

    name: Name
    short: Line | None = None
    nation: Nation | None = None
    sidc: Sidc | None = None
    echelon: Echelon | None = None
    branch: Line | None = None
    callsigns: Annotated[tuple[Name, ...], msgspec.Meta(max_length=20)] = ()
    parents: Annotated[tuple[Parent, ...], msgspec.Meta(max_length=50)] = ()
    strength: Strength | None = None
    equipment: Annotated[tuple[Holding, ...], msgspec.Meta(max_length=200)] = ()
    supplies: Annotated[tuple[Holding, ...], msgspec.Meta(max_length=200)] = ()
    readiness: Readiness | None = None
    caveats: Annotated[tuple[Caveat, ...], msgspec.Meta(max_length=50)] = ()
    trackers: Annotated[tuple[Name, ...], msgspec.Meta(max_length=50)] = ()
    remarks: Text = ""


def read_unit(fields: Mapping[str, Any]) -> Unit:
    """The unit that these fields make; those of a newer program are passed over. Raises ValueError for what is none."""
    known = {name: value for name, value in fields.items() if name in Unit.__struct_fields__}
    return msgspec.convert(known, Unit)


def parent_of(unit: Unit, at_ms: int, *, at_home: bool = False) -> Parent | None:
    """Under whom it stands at a time; None = at the top.

    The command relation that began last counts before the organic one; at_home: the organic one only.
    """
    holding = [parent for parent in unit.parents if parent.holds(at_ms)]
    commands = [] if at_home else [parent for parent in holding if parent.relation in COMMANDS]
    if commands:
        return max(commands, key=lambda parent: (parent.from_ms or 0, parent.unit))
    return next((parent for parent in holding if parent.relation == "ORGANIC"), None)


def ended(parents: tuple[Parent, ...], relation: Relation, at_ms: int) -> tuple[Parent, ...]:
    """The parents that stay when a new one of this relation begins."""
    if relation in ("SUPPORT", "LIAISON"):
        return parents
    ends: tuple[Relation, ...] = COMMANDS if relation in COMMANDS else (relation,)
    kept = []
    for parent in parents:
        if parent.relation not in ends or not parent.holds(at_ms):
            kept.append(parent)
        elif parent.from_ms is None or parent.from_ms < at_ms:
            kept.append(msgspec.structs.replace(parent, until_ms=at_ms))
    return tuple(kept)


class Branch(msgspec.Struct, frozen=True, kw_only=True):
    """A unit at its place in the tree. depth: 0 = at the top. problem: why it stands at the top; empty = nothing."""

    id: str
    depth: int
    parent: Parent | None
    problem: str = ""


def tree_of(units: Mapping[str, Unit], at_ms: int, *, at_home: bool = False) -> list[Branch]:
    """All units, each after its parent, siblings from the greatest echelon and then by name.

    What cannot be placed (its parent is not here, or two people made a loop) stands at the top and says why.
    """
    parents = {id: parent_of(unit, at_ms, at_home=at_home) for id, unit in units.items()}
    problems: dict[str, str] = {}
    for id, parent in parents.items():
        if parent is not None and parent.unit not in units:
            problems[id] = f"its parent {parent.unit} is not here"
    for id in _cut(parents, problems):
        problems[id] = "it stands under itself: move one of the loop elsewhere"
    below: dict[str | None, list[str]] = {}
    for id, parent in parents.items():
        below.setdefault(None if parent is None or id in problems else parent.unit, []).append(id)
    for siblings in below.values():
        siblings.sort(key=lambda id: (-rank(units[id]), units[id].name.casefold(), id))
    return list(_walk(below, parents, problems))


def rank(unit: Unit) -> int:
    """Size of a unit for sorting: 0 = not known."""
    return 0 if unit.echelon is None else ECHELONS.index(unit.echelon) + 1


def _cut(parents: Mapping[str, Parent | None], problems: Mapping[str, str]) -> Iterator[str]:
    """One unit of each loop, the one with the smallest id, so that every node cuts at the same place."""
    settled: set[str] = set()
    for start in sorted(parents):
        path: list[str] = []
        id: str | None = start
        while id is not None and id not in settled and id not in path:
            path.append(id)
            parent = None if id in problems else parents[id]
            id = None if parent is None or parent.unit not in parents else parent.unit
        if id is not None and id in path:
            yield min(path[path.index(id) :])
        settled.update(path)


def _walk(
    below: Mapping[str | None, list[str]], parents: Mapping[str, Parent | None], problems: Mapping[str, str]
) -> Iterator[Branch]:
    waiting = [(id, 0) for id in reversed(below.get(None, []))]
    while waiting:
        id, depth = waiting.pop()
        yield Branch(id=id, depth=depth, parent=parents[id], problem=problems.get(id, ""))
        waiting += [(child, depth + 1) for child in reversed(below.get(id, []))]


def loop_with(units: Mapping[str, Unit], id: str, changed: Unit) -> str | None:
    """The unit through which `id`, when it becomes this, would stand under itself at some time; None = through none."""
    after = {**units, id: changed}
    for at_ms in _turns(after.values()):
        for at_home in (False, True):
            above = parent_of(changed, at_ms, at_home=at_home)
            seen: set[str] = set()
            while above is not None and above.unit in after and above.unit not in seen:
                if above.unit == id:
                    parent = parent_of(changed, at_ms, at_home=at_home)
                    return None if parent is None else parent.unit
                seen.add(above.unit)
                above = parent_of(after[above.unit], at_ms, at_home=at_home)
    return None


def loops_in(units: Mapping[str, Unit]) -> Iterator[str]:
    """One unit of each loop that there is at some time."""
    for at_ms in _turns(units.values()):
        for at_home in (False, True):
            yield from _cut({id: parent_of(unit, at_ms, at_home=at_home) for id, unit in units.items()}, {})


def _turns(units: Iterable[Unit]) -> list[int]:
    """Times at which the tree may change, and one before all of them."""
    parents = [parent for unit in units for parent in unit.parents]
    named = (time for parent in parents for time in (parent.from_ms, parent.until_ms))
    return sorted({TIME_MIN_MS, *(time for time in named if time is not None)})
