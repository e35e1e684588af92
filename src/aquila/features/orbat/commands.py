"""What can be done to units: make, edit, move, remove. A loop or an unknown parent is refused with a sentence."""

from typing import Any

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk
from aquila.core.model import Principal
from aquila.core.paper_work import Id, NextStep, Seen, StepTaken, Time, check_texts, edited, say_step
from aquila.features.orbat.unit import Parent, Relation, Unit, ended, loop_with
from aquila.features.orbat.view import STATES, UNIT, unit_of, units_of

NO_UNIT = Refused("absent", "there is no such unit, or you may not see it: look into the order of battle")
UNITS_MAX = 20_000


class NewUnit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A unit to be made."""

    unit: Unit


class EditUnit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields of a unit to be changed, as `Unit` has them; null empties one.

    Attributes:
        seen: `heads` of the unit as the editor had it on screen, so that what somebody else did meanwhile is shown as a
            conflict; empty = as it is now.
    """

    id: Id
    fields: dict[str, Any]
    seen: Seen = ()


class MoveUnit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Under whom a unit is to stand from a time on. parent: None = at the top. at_ms: None = now.

    ORGANIC replaces the home of the unit; a command relation ends the one before it; SUPPORT and LIAISON add one.
    """

    id: Id
    parent: Id | None = None
    relation: Relation = "ORGANIC"
    at_ms: Time | None = None
    until_ms: Time | None = None
    seen: Seen = ()


class RemoveUnit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A unit to be taken out; those below it must have another parent first."""

    id: Id


async def create_unit(principal: Principal, ask: NewUnit, desk: Desk) -> StepTaken | Refused:
    """Make a unit."""
    id, known = desk.new_id(), units_of(desk)
    if len(known) >= UNITS_MAX:
        return Refused("full", f"{UNITS_MAX} units are all that one order of battle holds: remove some")
    wrong = _wrong_parents(id, ask.unit, {each: unit for each, (_, unit) in known.items()})
    if wrong is not None:
        return wrong
    fields = msgspec.to_builtins(ask.unit)
    try:
        check_texts("unit", fields)
    except ValueError as wrong_text:
        return Refused("field", str(wrong_text))
    text = f"unit {ask.unit.name} made"
    return await say_step(principal, desk, NextStep(STATES, UNIT, None, "create", fields, id=id, summary=text))


async def edit_unit(principal: Principal, ask: EditUnit, desk: Desk) -> StepTaken | Refused:
    """Change fields of a unit."""
    found = unit_of(desk, ask.id)
    if found is None:
        return NO_UNIT
    thing, unit = found
    changed = edited(Unit, thing, ask.fields)
    if isinstance(changed, Refused):
        return changed
    if changed.parents != unit.parents:
        refused = _wrong_parents(ask.id, changed, {id: each for id, (_, each) in units_of(desk).items()})
        if refused is not None:
            return refused
    text = f"unit {changed.name}: {', '.join(sorted(ask.fields))} changed"
    return await say_step(
        principal, desk, NextStep(STATES, UNIT, thing, "edit", ask.fields, summary=text, seen=ask.seen)
    )


async def move_unit(principal: Principal, ask: MoveUnit, desk: Desk) -> StepTaken | Refused:
    """Put a unit under another from a time on; what was before stays true for before."""
    found = unit_of(desk, ask.id)
    if found is None:
        return NO_UNIT
    _, unit = found
    at_ms = desk.now_ms() if ask.at_ms is None else ask.at_ms
    if ask.until_ms is not None and ask.until_ms <= at_ms:
        return Refused("time", f"until {ask.until_ms} is not after {at_ms}: name a later end, or none")
    parents = ended(unit.parents, ask.relation, at_ms)
    if ask.parent is not None:
        parents = (*parents, Parent(unit=ask.parent, relation=ask.relation, from_ms=at_ms, until_ms=ask.until_ms))
    fields = {"parents": msgspec.to_builtins(parents)}
    return await edit_unit(principal, EditUnit(id=ask.id, fields=fields, seen=ask.seen), desk)


async def remove_unit(principal: Principal, ask: RemoveUnit, desk: Desk) -> StepTaken | Refused:
    """Take a unit out of the order of battle. Its history stays."""
    found = unit_of(desk, ask.id)
    if found is None:
        return NO_UNIT
    thing, unit = found
    now_ms = desk.now_ms()
    below = [
        each.name
        for _, each in units_of(desk).values()
        if any(
            parent.unit == ask.id and (parent.until_ms is None or parent.until_ms > now_ms) for parent in each.parents
        )
    ]
    if below:
        return Refused("parent", f"{', '.join(below)[:200]} stand under {unit.name}: move them first")
    return await say_step(
        principal, desk, NextStep(STATES, UNIT, thing, "remove", {}, summary=f"unit {unit.name} removed")
    )


def _wrong_parents(id: str, unit: Unit, units: dict[str, Unit]) -> Refused | None:
    unknown = sorted({parent.unit for parent in unit.parents} - set(units) - {id})
    if unknown:
        return Refused("parent", f"there is no unit {', '.join(unknown)[:200]}: make it first, or take another parent")
    through = id if any(parent.unit == id for parent in unit.parents) else loop_with(units, id, unit)
    if through is not None:
        name = unit.name if through == id else units[through].name
        return Refused("loop", f"{unit.name} would stand under itself through {name}: take another parent")
    return None


create_unit_row = Command(
    name="create_unit",
    method="POST",
    path="/orbat/units",
    request=NewUnit,
    answer=StepTaken,
    role="operator",
    act=create_unit,
    summary="Add a unit to the order of battle",
)
edit_unit_row = Command(
    name="edit_unit",
    method="POST",
    path="/orbat/units/{id}",
    request=EditUnit,
    answer=StepTaken,
    role="operator",
    act=edit_unit,
    summary="Change fields of a unit",
)
move_unit_row = Command(
    name="move_unit",
    method="POST",
    path="/orbat/units/{id}/parent",
    request=MoveUnit,
    answer=StepTaken,
    role="operator",
    act=move_unit,
    summary="Put a unit under another from a time on",
)
remove_unit_row = Command(
    name="remove_unit",
    method="DELETE",
    path="/orbat/units/{id}",
    request=RemoveUnit,
    answer=StepTaken,
    role="operator",
    act=remove_unit,
    summary="Take a unit out of the order of battle",
)
