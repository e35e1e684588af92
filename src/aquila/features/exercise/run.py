"""Run: the exercise's own clock, started, paused, resumed and set to a pace by steps in the journal.

Exercise time is the clock on the wall until somebody pauses or sets a pace: from then on it stands still, or goes
faster, and is behind or ahead. It is folded from the steps, so a replay shows the same.
"""

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec

from aquila.core.paper_work import Line
from aquila.core.papers import Step
from aquila.core.states import Move, States

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


class Pause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, in words for everybody; "NO DUFF" says that something real has happened."""

    reason: Line = ""


class Pace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Minutes of the exercise for each minute on the wall."""

    pace: Annotated[float, msgspec.Meta(ge=0.1, le=PACE_MAX)]


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


def run_at(steps: Iterable[Step], now_ms: int) -> RunNow:
    """Fold the steps of the run that had happened by now; what the table does not allow at its place is passed over."""
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
            exercise_ms=_time_at(run, at_ms),
            since_ms=at_ms,
            by=step.by,
            reason=str(step.fields.get("reason") or ""),
        )
    return msgspec.structs.replace(run, exercise_ms=_time_at(run, now_ms))


def _time_at(run: RunNow, at_ms: int) -> int:
    """The exercise's time at a moment after the last step."""
    if run.since_ms is None:
        return at_ms
    return run.exercise_ms + (round((at_ms - run.since_ms) * run.pace) if run.state == "running" else 0)
