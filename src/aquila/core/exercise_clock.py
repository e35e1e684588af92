"""The exercise's clock: started, paused, resumed and set to a pace by steps in the journal.

Exercise time is the clock on the wall until somebody pauses or sets a pace: from then on it stands still, or goes
faster, and is behind or ahead. It is folded from the steps, so a replay shows the same. Whatever counts minutes in an
exercise (tasks, watches, collection) counts those of this clock; where it is real there are no steps, and it is the
wall's.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from aquila.core.model import Context
from aquila.core.papers import Papers, Step, Thing
from aquila.core.states import Move, States
from aquila.core.view import View

RUN = "exercise.run"
RUN_ID = "exercise-run"
"""Of the one run that a context has."""
PACE_MAX = 20.0
STATES = States(
    "exercise",
    "running",
    (
        Move("pause", ("running",), "paused", "exercise control"),
        Move("resume", ("paused",), "running", "exercise control"),
        Move("pace", ("running", "paused"), None, "exercise control"),
    ),
)


class RunNow(msgspec.Struct, frozen=True, kw_only=True):
    """How the exercise runs at a time.

    Attributes:
        exercise_ms: its own time. pace: minutes of it for each minute on the wall, when it runs.
        since_ms, by, reason: of the last step; None and empty = nobody has taken one.
    """

    state: Literal["running", "paused"]
    pace: float
    exercise_ms: int
    since_ms: int | None = None
    by: str = ""
    reason: str = ""

    def wall_ms(self, exercise_ms: int, now_ms: int) -> int | None:
        """When it will be that time, at this pace; None = the exercise stands still."""
        if self.state == "paused" and exercise_ms > self.exercise_ms:
            return None
        return now_ms + round((exercise_ms - self.exercise_ms) / self.pace)

    def at(self, at_ms: int) -> int:
        """The exercise's time at a moment after the last step."""
        if self.since_ms is None:
            return at_ms
        return self.exercise_ms + (round((at_ms - self.since_ms) * self.pace) if self.state == "running" else 0)


def _runs(steps: Iterable[Step], now_ms: int) -> Iterator[RunNow]:
    """The run as each step left it; what the table does not allow at its place is passed over."""
    run = RunNow(state="running", pace=1.0, exercise_ms=now_ms)
    for step in steps:
        goes = STATES.after(run.state, step.action)
        if goes is None or step.at_ms > now_ms:
            continue
        at_ms = step.at_ms if run.since_ms is None else max(step.at_ms, run.since_ms)
        pace = step.fields.get("pace")
        run = RunNow(
            state="paused" if goes == "paused" else "running",
            pace=float(pace) if isinstance(pace, int | float) and 0 < pace <= PACE_MAX else run.pace,
            exercise_ms=run.at(at_ms),
            since_ms=at_ms,
            by=step.by,
            reason=str(step.fields.get("reason") or ""),
        )
        yield run


def run_at(steps: Iterable[Step], now_ms: int) -> RunNow:
    """The run as the steps that had happened by now have left it."""
    *_, run = RunNow(state="running", pace=1.0, exercise_ms=now_ms), *_runs(steps, now_ms)
    return msgspec.structs.replace(run, exercise_ms=run.at(now_ms))


class ExerciseClock:
    """Minutes of the exercise between moments on the wall, and the other way round.

    Args:
        steps: of the run, oldest first; none = the clock on the wall.
        now_ms: UTC milliseconds on the wall. What lies ahead is reckoned as if the exercise ran on from now.
    """

    def __init__(self, steps: Iterable[Step] = (), now_ms: int = 0) -> None:
        self._runs = tuple(_runs(steps, now_ms))
        self._now_ms = now_ms

    def exercise_ms(self, at_ms: int) -> int:
        """The exercise's time at a moment on the wall that is not ahead of now."""
        for run in reversed(self._runs):
            if run.since_ms is not None and run.since_ms <= at_ms:
                return run.at(at_ms)
        return at_ms

    def stands_at(self, at_ms: int) -> bool:
        """Does the exercise stand still at a moment on the wall that is not ahead of now?"""
        run = next(
            (each for each in reversed(self._runs) if each.since_ms is not None and each.since_ms <= at_ms), None
        )
        return run is not None and run.state == "paused"

    def between_ms(self, from_ms: int, until_ms: int) -> int:
        """How much of the exercise lies between two moments on the wall."""
        return self.exercise_ms(until_ms) - self.exercise_ms(from_ms) if self._runs else until_ms - from_ms

    def put_off_ms(self, due_ms: int, set_at_ms: int) -> int:
        """When a time is due on the wall, as far as it was ahead when it was set: a pause since then puts it off.

        Args:
            due_ms: as it was set, on the wall.
            set_at_ms: when it was set; a time that was over then stays.
        """
        if not self._runs or due_ms <= set_at_ms:
            return due_ms
        wanted_ms = self.exercise_ms(set_at_ms) + due_ms - set_at_ms
        last = RunNow(state="running", pace=1.0, exercise_ms=0)
        for run in self._runs:
            # The time may have come before this step, in what ran until then.
            if run.exercise_ms >= wanted_ms and run.since_ms is not None and run.since_ms >= set_at_ms:
                return _when(last, wanted_ms)
            last = run
        reached_ms = last.at(self._now_ms)
        if last.state == "running" and wanted_ms <= reached_ms:
            return _when(last, wanted_ms)
        return self._now_ms + round((wanted_ms - reached_ms) / last.pace)

    def of_field(self, thing: Thing, name: str, at_ms: int | None) -> int | None:
        """A time that a field of a thing says, put off by what stood still since the field was set; None stays None."""
        return None if at_ms is None else self.put_off_ms(at_ms, thing.writers().get(name, thing.first).at_ms)


WALL = ExerciseClock()
"""The clock where it is real, or nobody has touched the exercise's."""


def _when(run: RunNow, exercise_ms: int) -> int:
    """When a run that goes on came to that time."""
    if run.since_ms is None:
        return exercise_ms
    return run.since_ms + round((exercise_ms - run.exercise_ms) / run.pace)


def exercise_clock(views: Mapping[str, View], context: Context, now_ms: int) -> ExerciseClock:
    """The clock of a context, whoever may see its steps: that it stands still is for everybody."""
    return ExerciseClock(steps_of_run(views, context), now_ms)


def steps_of_run(views: Mapping[str, View], context: Context) -> Sequence[Step]:
    """All steps of a context's run; none = nobody has taken one, or this node has no exercise control."""
    view = views.get("exercise")
    runs = view.all(context, RUN) if isinstance(view, Papers) else ()
    return next((thing.steps for thing in runs if thing.id == RUN_ID), ())


__all__ = [
    "PACE_MAX",
    "RUN",
    "RUN_ID",
    "STATES",
    "WALL",
    "ExerciseClock",
    "RunNow",
    "exercise_clock",
    "run_at",
    "steps_of_run",
]
