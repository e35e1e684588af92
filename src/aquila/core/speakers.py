"""Who may speak for a unit on the air. An answer from somebody else is kept as a doubt at most, and never counts.

A unit with trackers bound is heard from those only. One without is heard from the device that goes by its callsign,
as long as exactly one does: two that call themselves alike prove nothing.
"""

import re
from collections.abc import Mapping

from aquila.core.ids import entity_id
from aquila.core.model import Alias, Context
from aquila.core.moves import Move, Moves
from aquila.core.papers import Papers, Thing
from aquila.core.view import View

CONTESTED_MS = 30 * 60_000
"""A device that went by the callsign so recently still counts as one that has it."""
TASK_CODE = re.compile(r"T-[0-9A-F]{4}\b", re.I)
"""How a task that is no order's is called on the air: an answer that names one is about that task alone."""

BARE_ANSWER = re.compile(
    rf"\s*(?:(?:acknowledged?|ack|roger|wilco|cannot comply|cantco|unable)(?:[ :,.-]+\S*\d\S*)?"
    rf"|(?:executing|under way|done|not done)[ :,.-]+(?:{TASK_CODE.pattern}|[A-Z]{{1,3}}[0-9]{{1,3}}\b))[\s:,.!-]*",
    re.I,
)
"""An answer to an order or a task that says nothing else, with or without the number of what it answers."""


def is_bare_answer(text: str) -> bool:
    """Does a chat line answer an order or a task and tell nothing besides? With a reason it tells something."""
    return BARE_ANSWER.fullmatch(text) is not None


def task_code(id: str) -> str:
    """The short code of a task on the air."""
    return f"T-{id[-4:].upper()}"


def unit_in(views: Mapping[str, View], context: Context, id: str) -> Thing | None:
    """The unit of the order of battle as the node knows it; None = the addressee is a callsign."""
    view = views.get("orbat")
    if not isinstance(view, Papers):
        return None
    return next((thing for thing in view.all(context, "orbat.unit") if thing.id == id), None)


def callsigns_of(unit: Thing | None, addressee: str) -> tuple[str, ...]:
    """How an addressee is called on the air: the callsigns of its unit, else the addressee itself."""
    if unit is None:
        return (addressee,)
    return tuple(str(each) for each in unit.get("callsigns", ())) or (str(unit.get("short") or unit.get("name")),)


def why_not(views: Mapping[str, View], context: Context, addressee: str, by: Alias | None, now_ms: int) -> str:
    """Why this device does not speak for the addressee, as a sentence; "" = it does."""
    unit = unit_in(views, context, addressee)
    called = addressee if unit is None else str(unit.get("short") or unit.get("name"))
    if by is None:
        return f"not said by whom: {called} has to answer from its own device"
    trackers = tuple(str(each) for each in (() if unit is None else unit.get("trackers", ())))
    if trackers:
        if by.value in {each.rpartition(":")[2] for each in trackers}:
            return ""
        return f"{by.value} is no tracker of {called}: answer from one of {', '.join(trackers)[:200]}"
    moves = views.get("moves")
    if not isinstance(moves, Moves):
        return f"nobody is known to be {called}: bind its tracker in the order of battle"
    callsigns = callsigns_of(unit, addressee)
    speaker = moves.of(context, entity_id(by.scheme, by.value))
    if speaker is None or not _is_called(speaker, callsigns):
        now_called = by.value if speaker is None else speaker.name
        return f"{now_called} is not {called}: answer as {callsigns[0]}, or bind the tracker to the unit"
    rivals = {
        move.report.alias.value
        for move in moves.all(context)
        if _is_called(move, callsigns) and now_ms - move.received_at_ms <= CONTESTED_MS
    } - {by.value}
    if rivals:
        return f"{1 + len(rivals)} devices go by {callsigns[0]}: bind the right tracker to the unit {called}"
    return ""


def _is_called(move: Move, callsigns: tuple[str, ...]) -> bool:
    return move.report.own and move.report.name in callsigns
