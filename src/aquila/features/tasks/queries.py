"""What can be asked of tasks: the board, one task, the synchronisation matrix, what a FRAGO would have to change."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from aquila.core.exercise_clock import ExerciseClock, exercise_clock
from aquila.core.feature import Labelled, Query, Reading
from aquila.core.model import Label, Principal
from aquila.core.paper_rows import AskNeeds, ConflictRow, NeedRow, StepRow, conflict_rows, steps_of
from aquila.core.paper_work import Id, Time, state_of
from aquila.core.papers import Thing
from aquila.core.phrases import phrase_in
from aquila.core.task_verbs import VERBS
from aquila.features.tasks.from_order import proposals_of
from aquila.features.tasks.task import Task
from aquila.features.tasks.view import (
    STATES,
    TASK,
    TaskJudgement,
    judgements_of,
    task_in,
    task_of,
    tasks_in,
    units_known,
)

WORST = ("open", "on_time", "late", "violated")
"""From the best to the worst: a task shows the worst of its conditions."""
UNNAMED_STEPS = ("create", "enter", "leave", "on_time", "late", "violated", "reassign")
"""Steps that nobody takes by name."""


class AskTasks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which tasks. unit, order: None = all. is_open: only those that are not closed."""

    unit: Id | None = None
    order: Id | None = None
    is_open: bool = False
    limit: Annotated[int, msgspec.Meta(ge=1, le=20_000)] = 5000


class AskTask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which task."""

    id: Id


class AskMatrix(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which part of the matrix: tasks that touch this time. None = without an end."""

    from_ms: Time | None = None
    until_ms: Time | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=5000)] = 1000


class AskDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For which order."""

    order: Id


class TaskRow(msgspec.Struct, frozen=True, kw_only=True):
    """One card of the task board. verdict: the worst of its conditions; reason: why. heads: to be sent as `seen`.

    start_ms, end_ms: of the task on the wall, put off by the pauses of an exercise since they were set; None = no time.
    """

    id: str
    unit: str
    unit_name: str
    task: Task
    start_ms: int | None
    end_ms: int | None
    state: str
    verdict: str
    reason: str
    judgements: tuple[TaskJudgement, ...]
    conflicts: int
    changed_at_ms: int
    changed_by: str
    age_ms: int
    actions: tuple[str, ...]
    heads: tuple[str, ...]
    label: Label


class TaskDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One task with its life. Newest step first."""

    row: TaskRow
    conflicts: tuple[ConflictRow, ...]
    steps: tuple[StepRow, ...]


class MatrixCell(msgspec.Struct, frozen=True, kw_only=True):
    """One task in the matrix: row `unit`, columns from start to end; moving it edits both times, or the unit.

    Times None = on order. A task of an order in force is moved by a FRAGO: order and order_task say which to change.

    Attributes:
        proposal: a FRAGO that does not hold yet and moves it to proposed_start_ms and proposed_end_ms, and to
            proposed_unit; None = to no other unit.
        proposal_from_ms: from when that FRAGO holds; None = it is a draft still.
    """

    id: str
    unit: str
    unit_name: str
    title: str
    verb: str
    phase: str
    start_ms: int | None
    end_ms: int | None
    state: str
    verdict: str
    reason: str
    is_movable: bool
    heads: tuple[str, ...]
    order: str | None = None
    order_task: str = ""
    proposal: str | None = None
    proposal_from_ms: int | None = None
    proposed_start_ms: int | None = None
    proposed_end_ms: int | None = None
    proposed_unit: str | None = None
    proposed_unit_name: str | None = None


class DraftChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change that a FRAGO may have to make, in the form in which orders take changes. reason: what was noticed."""

    task: str
    reason: str
    path: str
    old: Any
    new: Any


def _row(thing: Thing, task: Task, name: str, clock: ExerciseClock, now_ms: int) -> TaskRow:
    state, judged = state_of(STATES, thing), judgements_of(thing, task)
    worst = max(judged, key=lambda each: WORST.index(each.verdict), default=None)
    return TaskRow(
        id=thing.id,
        unit=task.unit,
        unit_name=name,
        task=task,
        start_ms=clock.of_field(thing, "start_ms", task.start_ms),
        end_ms=clock.of_field(thing, "end_ms", task.end_ms),
        state=state,
        verdict="open" if worst is None else worst.verdict,
        reason="" if worst is None else worst.reason,
        judgements=judged,
        conflicts=len(thing.conflicts()),
        changed_at_ms=thing.newest.at_ms,
        changed_by=thing.newest.by,
        age_ms=max(0, now_ms - thing.newest.at_ms),
        actions=tuple(action for action in STATES.allowed(state) if action not in UNNAMED_STEPS),
        heads=thing.heads(),
        label=thing.first.label,
    )


def _rows(reading: Reading) -> Iterator[tuple[Thing, TaskRow]]:
    units, now_ms = units_known(reading), reading.now_ms()
    clock = exercise_clock(reading.views, reading.context, now_ms)
    for thing in tasks_in(reading.views).things(reading, TASK):
        task = task_in(thing)
        if task is not None:
            unit = units.get(task.unit)
            yield thing, _row(thing, task, task.unit if unit is None else str(unit.get("name")), clock, now_ms)


def _tasks(principal: Principal, ask: AskTasks, reading: Reading) -> Iterator[Labelled]:
    for thing, row in _rows(reading):
        if ask.unit not in (None, row.unit) or ask.order not in (None, row.task.order):
            continue
        if not (ask.is_open and row.state in STATES.last):
            yield Labelled(row, thing.first.label, thing.first.context)


def _task(principal: Principal, ask: AskTask, reading: Reading) -> Iterator[Labelled]:
    found = task_of(reading, ask.id)
    if found is None:
        return
    thing, task = found
    unit = units_known(reading).get(task.unit)
    now_ms = reading.now_ms()
    clock = exercise_clock(reading.views, reading.context, now_ms)
    row = _row(thing, task, task.unit if unit is None else str(unit.get("name")), clock, now_ms)
    detail = TaskDetail(row=row, conflicts=conflict_rows(thing), steps=steps_of(thing))
    yield Labelled(detail, thing.first.label, thing.first.context)


def _matrix(principal: Principal, ask: AskMatrix, reading: Reading) -> Iterator[Labelled]:
    proposals, units = proposals_of(reading), units_known(reading)
    for thing, row in sorted(_rows(reading), key=lambda each: (each[1].unit_name, each[1].task.start_ms or 0)):
        start_ms, end_ms = row.start_ms, row.end_ms
        if ask.until_ms is not None and start_ms is not None and start_ms > ask.until_ms:
            continue
        if ask.from_ms is not None and end_ms is not None and end_ms < ask.from_ms:
            continue
        moved = proposals.get((str(row.task.order), row.task.order_task))
        other = None if moved is None or moved.unit == row.unit else moved.unit
        named = None if other is None else str(units[other].get("name")) if other in units else other
        cell = MatrixCell(
            proposed_unit=other,
            proposed_unit_name=named,
            order=row.task.order,
            order_task=row.task.order_task,
            proposal=None if moved is None else moved.frago,
            proposal_from_ms=None if moved is None else moved.from_ms,
            proposed_start_ms=start_ms if moved is None else moved.times.get("start_ms", start_ms),
            proposed_end_ms=end_ms if moved is None else moved.times.get("end_ms", end_ms),
            id=row.id,
            unit=row.unit,
            unit_name=row.unit_name,
            title=row.task.title,
            verb=row.task.verb,
            phase=row.task.phase,
            start_ms=start_ms,
            end_ms=end_ms,
            state=row.state,
            verdict=row.verdict,
            reason=row.reason,
            is_movable="edit" in row.actions,
            heads=row.heads,
        )
        yield Labelled(cell, thing.first.label, thing.first.context)


def _draft(principal: Principal, ask: AskDraft, reading: Reading) -> Iterator[Labelled]:
    """A late or violated task asks for a new end: the same length again from now."""
    for thing, row in _rows(reading):
        task = row.task
        if task.order != ask.order or not task.order_task or row.verdict not in ("late", "violated"):
            continue
        start_ms, end_ms = task.start_ms or thing.first.at_ms, task.end_ms
        length_ms = 3_600_000 if end_ms is None else end_ms - start_ms
        change = DraftChange(
            task=thing.id,
            reason=f"{row.verdict.replace('_', ' ')}: {row.reason}",
            path=f"tasks.{task.order_task}.end_ms",
            old=end_ms,
            new=reading.now_ms() + length_ms,
        )
        yield Labelled(change, thing.first.label, thing.first.context)


def _query(name: str, path: str, request: type[Any], row: type[Any], answer: Any, one: bool, summary: str) -> Query:
    return Query(
        name=name,
        path=path,
        request=request,
        row=row,
        role="viewer",
        answer=answer,
        one=one,
        blocking=True,
        summary=summary,
    )


def _needs(principal: Principal, ask: AskNeeds, reading: Reading) -> Iterator[Labelled]:
    for thing, row in _rows(reading):
        kind = row.verdict if row.verdict in ("late", "violated") else row.state
        roles = ("watch_officer",)
        if kind not in ("late", "violated", "cannot_comply") or row.state in STATES.last or not ask.wants(roles):
            continue
        noticed = [each.at_ms for each in row.judgements if each.verdict == row.verdict and each.at_ms is not None]
        named = f"{row.unit_name}: {row.task.title or VERBS.get(row.task.verb, row.task.verb)}"
        title = (f"{named}: {row.reason}" if row.reason else named)[:300]
        phrase = phrase_in("tasks.need", title)
        need = NeedRow(
            feature="tasks",
            kind=kind,
            id=row.id,
            title=title,
            since_ms=max(noticed, default=row.changed_at_ms),
            # What is late is late since it was noticed, whenever the task itself ends.
            due_ms=row.task.end_ms if kind == "cannot_comply" else None,
            is_overdue=kind in ("late", "violated"),
            roles=roles,
            actions=row.actions,
            heads=row.heads,
            precedence="P",
            act=phrase.act,
            words=phrase.words,
        )
        yield Labelled(need, thing.first.label, thing.first.context)


QUERIES = (
    _query("needs_tasks", "/needs/tasks", AskNeeds, NeedRow, _needs, False, "Tasks that are late, violated or refused"),
    _query("tasks", "/tasks", AskTasks, TaskRow, _tasks, False, "The task board: states and verdicts"),
    _query("task", "/tasks/{id}", AskTask, TaskDetail, _task, True, "One task and its life"),
    _query("task_matrix", "/task-matrix", AskMatrix, MatrixCell, _matrix, False, "Units by time: cells are tasks"),
    _query("task_changes", "/orders/{order}/task-changes", AskDraft, DraftChange, _draft, False, "Changes for a FRAGO"),
)
