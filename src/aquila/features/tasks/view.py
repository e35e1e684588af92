"""The view of tasks and their state table."""

from collections.abc import Mapping
from typing import Any

import msgspec

from aquila.core.feature import Reading
from aquila.core.paper_work import WatchedPapers, state_of
from aquila.core.papers import Papers, Thing
from aquila.core.phrases import phrase_in
from aquila.core.states import Move, States
from aquila.core.view import View, view_of
from aquila.features.tasks.task import Task, read_task

TASK = "tasks.task"
JUDGED = "judged/"
"""Fields of the node's steps about one condition begin so."""
OPEN = ("issued", "delivered", "read", "acknowledged", "wilco", "cannot_comply", "executing")
WATCHED = ("issued", "delivered", "read", "acknowledged", "wilco", "executing")
STATES = States(
    "task",
    "none",
    (
        Move("create", ("none",), "draft", "operator"),
        Move("edit", ("draft", *OPEN), None, "operator who may write to all who see it"),
        Move("issue", ("draft",), "issued", "operator"),
        Move("reassign", OPEN, "issued", "operator: another unit has it from now on, and answers anew"),
        Move("deliver", ("issued",), "delivered", "the addressee, or an operator on its behalf"),
        Move("read", ("issued", "delivered"), "read", "the addressee, or an operator on its behalf"),
        Move("acknowledge", ("issued", "delivered", "read"), "acknowledged", "the addressee, or for it an operator"),
        Move("wilco", ("issued", "delivered", "read", "acknowledged", "cannot_comply"), "wilco", "the addressee"),
        Move("cannot_comply", (*WATCHED,), "cannot_comply", "the addressee, with a reason"),
        Move("execute", ("acknowledged", "wilco"), "executing", "the addressee, or an operator on its behalf"),
        Move("done_ok", ("executing", "wilco"), "done_ok", "the addressee, or an operator on its behalf"),
        Move("done_not_ok", ("executing", "wilco"), "done_not_ok", "the addressee, with a reason"),
        Move("enter", WATCHED, None, "the node, from positions"),
        Move("leave", WATCHED, None, "the node, from positions"),
        Move("on_time", WATCHED, None, "the node, when a condition is met"),
        Move("late", WATCHED, None, "the node, when a time has passed"),
        Move("violated", WATCHED, None, "the node, when a condition is broken"),
        Move("supersede", ("draft", *OPEN), "superseded", "operator"),
        Move("cancel", ("draft", *OPEN), "cancelled", "operator"),
    ),
    ("done_ok", "done_not_ok", "cancelled", "superseded"),
)
STEP_SAID = {
    "create": "drafted",
    "edit": "changed",
    "issue": "issued",
    "reassign": "given to another unit",
    "deliver": "delivered",
    "read": "read",
    "acknowledge": "acknowledged",
    "wilco": "will comply",
    "cannot_comply": "cannot comply",
    "execute": "under way",
    "done_ok": "done",
    "done_not_ok": "not done",
    "supersede": "superseded",
    "cancel": "cancelled",
}
"""How the journal says a step; what the node notices has sentences of its own."""
VERDICTS = ("on_time", "late", "violated")


class TaskJudgement(msgspec.Struct, frozen=True, kw_only=True):
    """What the node last noticed about one condition.

    Attributes:
        verdict: open = nothing yet. inside_since_ms: None = outside. entry: the journal's line of it.
        act, words: of the sentence that `reason` is, see `Phrase`.
    """

    condition: int
    kind: str
    verdict: str
    reason: str
    at_ms: int | None
    inside_since_ms: int | None
    entry: str | None = None
    act: str = ""
    words: dict[str, Any] = {}


def is_watched(thing: Thing) -> bool:
    """May its conditions be judged now?"""
    return bool(thing.get("conditions")) and state_of(STATES, thing) in WATCHED


def tasks_view() -> WatchedPapers:
    """A fresh view."""
    return WatchedPapers("tasks", 1, ("tasks.",), is_watched)


def tasks_in(views: Mapping[str, View]) -> WatchedPapers:
    """The view of this node."""
    return view_of(views, "tasks", WatchedPapers)


def times_reassigned(thing: Thing) -> int:
    """How often it was given to another unit."""
    return sum(step.action == "reassign" for step in thing.steps)


def task_in(thing: Thing) -> Task | None:
    """What the task says; None = two writers have made it unreadable together."""
    try:
        return read_task(thing.fields())
    except ValueError:
        return None


def task_of(reading: Reading, id: str) -> tuple[Thing, Task] | None:
    """One task; None = there is none, or not for this asker."""
    thing = tasks_in(reading.views).thing(reading, id, TASK)
    task = None if thing is None else task_in(thing)
    return None if thing is None or task is None else (thing, task)


def judgements_of(thing: Thing, task: Task) -> tuple[TaskJudgement, ...]:
    """What the node has noticed about each condition since its addressee has it, from the steps."""
    fresh = [
        TaskJudgement(condition=place, kind=each.kind, verdict="open", reason="", at_ms=None, inside_since_ms=None)
        for place, each in enumerate(task.conditions)
    ]
    found = list(fresh)
    for step in thing.steps:
        if step.action == "reassign":
            found = list(fresh)
        for name in step.fields:
            place = name.removeprefix(JUDGED)
            if name == place or not place.isdecimal() or int(place) >= len(found):
                continue
            found[int(place)] = _after(found[int(place)], step.action, step.fields[name], step.at_ms, step.entry)
    return tuple(_spoken(each) for each in found)


def _spoken(judgement: TaskJudgement) -> TaskJudgement:
    phrase = phrase_in("tasks.why", judgement.reason)
    return msgspec.structs.replace(judgement, act=phrase.act, words=phrase.words) if phrase.act else judgement


def _after(judgement: TaskJudgement, action: str, said: Any, at_ms: int, entry: str) -> TaskJudgement:
    if action in ("enter", "leave"):
        return msgspec.structs.replace(judgement, inside_since_ms=at_ms if action == "enter" else None)
    reason = str(said.get("reason", "")) if isinstance(said, Mapping) else ""
    return msgspec.structs.replace(judgement, verdict=action, reason=reason, at_ms=at_ms, entry=entry)


def units_known(reading: Reading) -> dict[str, Thing]:
    """Units of the order of battle that the asker may see; none when the node has no order of battle."""
    view = reading.views.get("orbat")
    if not isinstance(view, Papers):
        return {}
    things = view.things(reading, "orbat.unit")
    return {thing.id: thing for thing in things if all(step.action != "remove" for step in thing.steps)}


def names_of(unit: Thing | None, addressee: str) -> tuple[str, ...]:
    """What an addressee is called: itself, the callsigns of its unit, and the trackers that it carries."""
    if unit is None:
        return (addressee,)
    callsigns, trackers = (tuple(str(each) for each in unit.get(name, ())) for name in ("callsigns", "trackers"))
    return (addressee, *callsigns, *trackers)
