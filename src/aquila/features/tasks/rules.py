"""The rule of tasks: once a second their conditions are judged, and what is new is said once."""

from collections.abc import Iterator, Mapping

import msgspec
from shapely import Polygon

from aquila.core.exercise_clock import ExerciseClock, exercise_clock
from aquila.core.model import Arrival, Context, Paper, Tick
from aquila.core.moves import Move, Moves
from aquila.core.papers import Papers, Thing
from aquila.core.rule import Proposal, Rule
from aquila.core.view import View, view_of
from aquila.features.tasks.heard import TaskHeard, may_use
from aquila.features.tasks.judge import Case, Fix, judge
from aquila.features.tasks.task import Task, TaskCondition
from aquila.features.tasks.view import JUDGED, TASK, judgements_of, names_of, task_in, tasks_in, times_reassigned


def judge_tasks(arrival: Arrival, views: Mapping[str, View]) -> Iterator[Proposal]:
    """Steps of the node about conditions."""
    if not isinstance(arrival, Tick):
        return
    moves, heard = view_of(views, "moves", Moves), view_of(views, "task_heard", TaskHeard)
    units: dict[str, Thing] | None = None
    things: dict[str, Thing] = {}
    cases: list[Case] = []
    clocks: dict[Context, ExerciseClock] = {}
    for thing in tasks_in(views).watched():
        task = task_in(thing)
        if task is None:
            continue
        units = _units(views, thing.first.context) if units is None else units
        things[thing.id] = thing
        context = thing.first.context
        if context not in clocks:
            clocks[context] = exercise_clock(views, context, arrival.at_ms)
        cases += cases_of(thing, task, names_of(units.get(task.unit), task.unit), moves, heard, clocks[context])
    for found in judge(cases, arrival.at_ms):
        thing = things[found.task]
        paper = Paper(
            type=TASK,
            target=thing.id,
            action=found.action,
            happened_at_ms=arrival.at_ms,
            fields={f"{JUDGED}{found.place}": {"reason": found.reason}},
            seen=thing.heads(),
            summary=f"{thing.get('title') or thing.get('verb')}: {found.action.replace('_', ' ')}, {found.reason}",
        )
        key = f"{found.action} {thing.id} {found.place} {found.since}"
        again = times_reassigned(thing)
        # What was said of the unit before is not said yet of this one.
        key = f"{key} {again}" if again else key
        yield Proposal(paper, thing.first.label, key=key, cause=thing.newest.entry)


def cases_of(
    thing: Thing, task: Task, names: tuple[str, ...], moves: Moves, heard: TaskHeard, clock: ExerciseClock
) -> Iterator[Case]:
    """The conditions of a task with what is known for each, in what its readers may have."""
    label, context = thing.first.label, thing.first.context
    fix = _fix(moves.called(context, names), thing)
    issued_ms = next((each.at_ms for each in thing.steps if each.action == "issue"), 0)
    start_ms, end_ms = (
        clock.of_field(thing, f"{name}_ms", at) for name, at in (("start", task.start_ms), ("end", task.end_ms))
    )
    for judged, condition in zip(judgements_of(thing, task), task.conditions, strict=True):
        escorted = moves.called(context, (condition.entity,)) if condition.entity else None
        yield Case(
            task=thing.id,
            place=judged.condition,
            condition=_put_off(thing, clock, condition),
            start_ms=start_ms or issued_ms,
            end_ms=end_ms,
            polygon=_polygon(condition),
            fix=fix,
            escorted=_fix(escorted, thing),
            heard_ms=heard.heard(context, names, label) if condition.kind == "report" else None,
            verdict=judged.verdict,
            inside_since_ms=judged.inside_since_ms,
            clock=clock,
        )


def _put_off(thing: Thing, clock: ExerciseClock, condition: TaskCondition) -> TaskCondition:
    by_ms = clock.of_field(thing, "conditions", condition.by_ms)
    return condition if by_ms == condition.by_ms else msgspec.structs.replace(condition, by_ms=by_ms)


def _polygon(condition: TaskCondition) -> Polygon | None:
    return None if condition.area is None else condition.area.to_polygon()


def _fix(move: Move | None, thing: Thing) -> Fix | None:
    if move is None or not may_use(move.label, thing.first.label):
        return None
    at_ms = min(move.report.observed_at_ms, move.received_at_ms)
    return Fix(move.position.lat_deg, move.position.lon_deg, at_ms)


def _units(views: Mapping[str, View], context: str) -> dict[str, Thing]:
    view = views.get("orbat")
    return {thing.id: thing for thing in view.all(context, "orbat.unit")} if isinstance(view, Papers) else {}


judge_rule = Rule("tasks.judge", 1, judge_tasks, hears=frozenset({"tick"}))
