"""What can be done to tasks: draft, edit or move in time, issue, answer, close. The rest is refused, with why."""

from typing import Any, Literal

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk
from aquila.core.model import Principal
from aquila.core.paper_work import Id, Line, NextStep, Seen, StepTaken, check_texts, edited, say_step, state_of
from aquila.core.papers import Thing
from aquila.core.phrases import Told, told_in
from aquila.features.tasks.task import Task, wrong_in
from aquila.features.tasks.view import STATES, STEP_SAID, TASK, names_of, task_of, units_known

NO_TASK = Refused("absent", "there is no such task, or you may not see it: look at the task board")
STAFF_STEPS = ("issue", "supersede", "cancel")
REASONED = ("cannot_comply", "done_not_ok")
"""Steps that need a reason."""


class NewTask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A task to be drafted."""

    task: Task


class EditTask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields of a task to be changed, as `Task` has them; null empties one. Moving a cell changes times, or the unit.

    Attributes:
        seen: `heads` as the editor had them on screen; empty = as they are now.
    """

    id: Id
    fields: dict[str, Any]
    seen: Seen = ()


class StepTask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step in the life of a task. on_behalf: an operator writes down what the addressee said."""

    id: Id
    action: Literal[
        "issue",
        "deliver",
        "read",
        "acknowledge",
        "wilco",
        "cannot_comply",
        "execute",
        "done_ok",
        "done_not_ok",
        "supersede",
        "cancel",
    ]
    reason: Line = ""
    on_behalf: bool = False
    seen: Seen = ()


class TaskChanged(msgspec.Struct, frozen=True, kw_only=True):
    """The task, the entry that says so, the state after it. warnings: national caveats that speak against it."""

    id: str
    entry: str
    state: str
    warnings: tuple[Told, ...] = ()


async def create_task(principal: Principal, ask: NewTask, desk: Desk) -> TaskChanged | Refused:
    """Draft a task."""
    refused = _wrong(desk, ask.task)
    if refused is not None:
        return refused
    text = f"task {ask.task.title or ask.task.verb} for {ask.task.unit} drafted"
    fields = msgspec.to_builtins(ask.task)
    return _changed(
        await say_step(principal, desk, NextStep(STATES, TASK, None, "create", fields, summary=text)), desk, ask.task
    )


async def edit_task(principal: Principal, ask: EditTask, desk: Desk) -> TaskChanged | Refused:
    """Change fields of a task that is not closed. Another unit answers anew, and is judged anew."""
    found = task_of(desk, ask.id)
    if found is None:
        return NO_TASK
    thing, task = found
    changed = edited(Task, thing, ask.fields)
    if isinstance(changed, Refused):
        return changed
    refused = _wrong(desk, changed)
    if refused is not None:
        return refused
    text = f"task {changed.title or changed.verb}: {', '.join(sorted(ask.fields))} changed"
    action = "edit" if changed.unit == task.unit or state_of(STATES, thing) == "draft" else "reassign"
    taken = await say_step(
        principal, desk, NextStep(STATES, TASK, thing, action, ask.fields, summary=text, seen=ask.seen)
    )
    return _changed(taken, desk, changed)


async def step_task(principal: Principal, ask: StepTask, desk: Desk) -> TaskChanged | Refused:
    """Issue, answer or close a task."""
    found = task_of(desk, ask.id)
    if found is None:
        return NO_TASK
    thing, task = found
    refused = _wrong_speaker(principal, ask, task, desk)
    if refused is None and ask.action in REASONED and not ask.reason.strip():
        refused = Refused("reason", f"{ask.action} needs a reason: give one")
    if refused is not None:
        return refused
    fields = {"reason": ask.reason} if ask.reason else {}
    text = f"task {task.title or task.verb}, {task.unit}: {STEP_SAID.get(ask.action, ask.action)}"
    behalf = task.unit if ask.on_behalf and ask.action not in STAFF_STEPS else None
    step = NextStep(STATES, TASK, thing, ask.action, fields, summary=text, seen=ask.seen, on_behalf_of=behalf)
    taken = await say_step(principal, desk, step)
    return _changed(taken, desk, task if ask.action == "issue" else None)


def caveats_against(unit: Thing | None, task: Task, now_ms: int) -> tuple[str, ...]:
    """National caveats of the unit that forbid the verb, or that people have to read."""
    found = []
    for each in () if unit is None else unit.get("caveats", ()):
        until_ms = each.get("until_ms")
        verbs = each.get("verbs", ())
        if (until_ms is None or until_ms > now_ms) and (not verbs or task.verb in verbs):
            found.append(f"national caveat of {unit.get('name') if unit else task.unit}: {each.get('text', '')}")
    return tuple(found)


def _wrong_speaker(principal: Principal, ask: StepTask, task: Task, desk: Desk) -> Refused | None:
    is_staff = bool({"operator", "admin"} & set(principal.roles))
    if ask.action in STAFF_STEPS or ask.on_behalf:
        return None if is_staff else Refused("role", f"only an operator may {ask.action} here: ask the watch")
    named = {each.rpartition(":")[2] for each in names_of(units_known(desk).get(task.unit), task.unit)}
    if {principal.name, principal.id, principal.id.partition(":")[2]} & (named | {task.unit}):
        return None
    return Refused("person", f"{principal.name} is not {task.unit}: answer for yourself, or as an operator on_behalf")


def _wrong(desk: Desk, task: Task) -> Refused | None:
    try:
        check_texts("task", msgspec.to_builtins(task))
    except ValueError as wrong:
        return Refused("text", str(wrong)[:300])
    if len(task.unit) == 36 and task.unit.count("-") == 4 and task.unit not in units_known(desk):
        return Refused("unit", f"there is no unit {task.unit}: take one of the order of battle")
    return wrong_in(task)


def _changed(taken: StepTaken | Refused, desk: Desk, task: Task | None) -> TaskChanged | Refused:
    if isinstance(taken, Refused):
        return taken
    warnings = () if task is None else caveats_against(units_known(desk).get(task.unit), task, desk.now_ms())
    told = told_in("tasks.caveat", warnings)
    return TaskChanged(id=taken.id, entry=taken.entry, state=taken.state, warnings=told)


def _row(name: str, path: str, request: type[Any], role: Any, act: Any, summary: str) -> Command:
    return Command(
        name=name, method="POST", path=path, request=request, answer=TaskChanged, role=role, act=act, summary=summary
    )


COMMANDS = (
    _row("create_task", "/tasks", NewTask, "operator", create_task, "Draft a task"),
    _row(
        "edit_task", "/tasks/{id}", EditTask, "operator", edit_task, "Change a task, move it in time or to another unit"
    ),
    _row("step_task", "/tasks/{id}/step", StepTask, "viewer", step_task, "Issue, answer or close a task"),
)
