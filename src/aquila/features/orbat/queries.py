"""What can be asked of the order of battle: the tree at a time, one unit with its history and conflicts."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from aquila.core.feature import Labelled, Query, Reading
from aquila.core.model import Label, Principal
from aquila.core.paper_rows import ConflictRow, StepRow, conflict_rows, steps_of
from aquila.core.paper_work import Id, Time
from aquila.core.phrases import phrase_in
from aquila.features.orbat.unit import Parent, Unit, tree_of
from aquila.features.orbat.view import unit_of, units_of


class AskTree(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which tree. at_ms: relations in force then; None = now. at_home: organic ones only."""

    at_ms: Time | None = None
    at_home: bool = False
    limit: Annotated[int, msgspec.Meta(ge=1, le=20_000)] = 20_000


class AskUnit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which unit."""

    id: Id


class UnitRow(msgspec.Struct, frozen=True, kw_only=True):
    """A unit at its place in the tree; rows come parents first.

    Attributes:
        parent: the relation that puts it there; None = at the top. problem: why it is there though it should not be.
        act, words: of the sentence that `problem` is, see `Phrase`; "" = of none.
        conflicts: how many fields two people changed without knowing of each other.
        heads: to be sent as `seen` by who edits it.
    """

    id: str
    depth: int
    parent: Parent | None
    unit: Unit
    problem: str
    act: str = ""
    words: dict[str, Any] = {}
    conflicts: int
    heads: tuple[str, ...]
    changed_at_ms: int
    changed_by: str
    label: Label


class UnitDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One unit with its life. Newest step first."""

    id: str
    unit: Unit
    heads: tuple[str, ...]
    label: Label
    conflicts: tuple[ConflictRow, ...]
    steps: tuple[StepRow, ...]


def _tree(principal: Principal, ask: AskTree, reading: Reading) -> Iterator[Labelled]:
    at_ms = reading.now_ms() if ask.at_ms is None else ask.at_ms
    found = units_of(reading)
    for branch in tree_of({id: unit for id, (_, unit) in found.items()}, at_ms, at_home=ask.at_home):
        thing, unit = found[branch.id]
        said = phrase_in("orbat.problem", branch.problem)
        row = UnitRow(
            id=branch.id,
            depth=branch.depth,
            parent=branch.parent,
            unit=unit,
            problem=branch.problem,
            act=said.act,
            words=said.words,
            conflicts=len(thing.conflicts()),
            heads=thing.heads(),
            changed_at_ms=thing.newest.at_ms,
            changed_by=thing.newest.by,
            label=thing.first.label,
        )
        yield Labelled(row, thing.first.label, thing.first.context)


def _unit(principal: Principal, ask: AskUnit, reading: Reading) -> Iterator[Labelled]:
    found = unit_of(reading, ask.id)
    if found is None:
        return
    thing, unit = found
    row = UnitDetail(
        id=thing.id,
        unit=unit,
        heads=thing.heads(),
        label=thing.first.label,
        conflicts=conflict_rows(thing),
        steps=steps_of(thing),
    )
    yield Labelled(row, thing.first.label, thing.first.context)


orbat = Query(
    name="orbat",
    path="/orbat",
    request=AskTree,
    row=UnitRow,
    role="viewer",
    answer=_tree,
    blocking=True,
    summary="The order of battle as a tree, at any time",
)
unit = Query(
    name="orbat_unit",
    path="/orbat/units/{id}",
    request=AskUnit,
    row=UnitDetail,
    role="viewer",
    answer=_unit,
    one=True,
    summary="One unit, its history and its conflicts",
)
