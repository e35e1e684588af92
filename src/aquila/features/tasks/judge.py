"""Judge: are the conditions of tasks met, late or broken? Pure, and in one numpy pass over all areas and distances.

What has been noticed before stands in the task's steps, so that a restart or a second node judges the same.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec
import numpy as np
import shapely

from aquila.core.exercise_clock import WALL, ExerciseClock
from aquila.core.geo import are_inside, distances_m
from aquila.core.grid import grid_said
from aquila.features.tasks.task import TaskCondition

MINUTE_MS = 60_000
FRESH_MS = 10 * MINUTE_MS
"""A position older than this proves nothing."""
DONE = ("on_time", "late", "violated")


class Fix(msgspec.Struct, frozen=True):
    """A position and when it was true."""

    lat_deg: float
    lon_deg: float
    at_ms: int


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One condition of one task, with all that is known for it.

    Attributes:
        polygon: of the condition's area; None = it has none. fix: of the addressee; escorted: of the other entity.
        heard_ms: when the addressee was last heard. verdict, inside_since_ms, noticed_ms: what was noticed before.
            start_ms, end_ms: of the task; start None = when it was issued, which the caller puts in. They and the
            condition's by_ms are on the wall, put off by the pauses of an exercise.
        clock: counts minutes; where it is real, those on the wall.
    """

    task: str
    place: int
    condition: TaskCondition
    start_ms: int
    end_ms: int | None
    polygon: shapely.Polygon | None
    fix: Fix | None
    escorted: Fix | None = None
    heard_ms: int | None = None
    verdict: str = "open"
    inside_since_ms: int | None = None
    clock: ExerciseClock = WALL


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be said about a condition, once. since: tells one occasion from the next."""

    task: str
    place: int
    action: str
    reason: str
    since: int = 0


def judge(cases: Sequence[Case], now_ms: int) -> Iterator[Finding]:
    """What is to be said now about these conditions. Nothing is said before a task starts."""
    begun = [case for case in cases if case.start_ms <= now_ms]
    inside = dict(zip(map(id, _placed(begun)), _insides(_placed(begun)), strict=True))
    pairs = [case for case in begun if case.fix is not None and case.escorted is not None]
    apart = dict(zip(map(id, pairs), _distances(pairs), strict=True))
    for case in begun:
        yield from _findings(case, inside.get(id(case)), apart.get(id(case)), now_ms)


def _placed(cases: Iterable[Case]) -> list[Case]:
    return [case for case in cases if case.polygon is not None and case.fix is not None]


def _insides(cases: list[Case]) -> list[bool]:
    if not cases:
        return []
    fixes = [case.fix for case in cases if case.fix is not None]
    lats, lons = np.array([fix.lat_deg for fix in fixes]), np.array([fix.lon_deg for fix in fixes])
    found: list[bool] = are_inside([case.polygon for case in cases if case.polygon is not None], lats, lons).tolist()
    return found


def _distances(cases: list[Case]) -> list[float]:
    if not cases:
        return []
    ones = np.array([(c.fix.lat_deg, c.fix.lon_deg) for c in cases if c.fix is not None])
    others = np.array([(c.escorted.lat_deg, c.escorted.lon_deg) for c in cases if c.escorted is not None])
    found: list[float] = distances_m(ones[:, 0], ones[:, 1], others[:, 0], others[:, 1]).tolist()
    return found


def _findings(case: Case, inside: bool | None, apart_m: float | None, now_ms: int) -> Iterator[Finding]:
    kind = case.condition.kind
    if kind == "report":
        yield from _report(case, now_ms)
    elif case.verdict in DONE:
        return
    elif kind == "reach":
        yield from _reach(case, inside, now_ms)
    elif kind == "stay_out":
        if inside and _is_during(case):
            yield _said(case, "violated", f"inside {_area(case)} at {_clock(case.fix)}")
    elif kind == "observe":
        yield from _observe(case, inside, now_ms)
    elif apart_m is not None and apart_m > (case.condition.within_m or 0) and _is_during(case) and _is_fresh(case):
        text = f"{apart_m:.0f} m from {case.condition.entity}, {case.condition.within_m:.0f} m allowed"
        yield _said(case, "violated", text)


def _reach(case: Case, inside: bool | None, now_ms: int) -> Iterator[Finding]:
    by_ms = case.condition.by_ms or 0
    fix = case.fix
    if inside and fix is not None and case.start_ms <= fix.at_ms <= by_ms:
        yield _said(case, "on_time", f"in {_area(case)} at {_clock(fix)}")
    elif now_ms > by_ms:
        where = "its position is not known" if fix is None else _seen(fix)
        yield _said(case, "late", f"not in {_area(case)} by {_time(by_ms)}: {where}")


def _seen(fix: Fix) -> str:
    return f"last seen at {_clock(fix)}, {grid_said(fix.lat_deg, fix.lon_deg)}"


def _observe(case: Case, inside: bool | None, now_ms: int) -> Iterator[Finding]:
    fix, since_ms = case.fix, case.inside_since_ms
    if inside and since_ms is None and fix is not None and _is_during(case):
        yield _said(case, "enter", f"in {_area(case)} at {_clock(fix)}", fix.at_ms)
    elif inside is False and since_ms is not None and fix is not None and fix.at_ms >= since_ms:
        yield _said(case, "leave", f"left {_area(case)} at {_clock(fix)}", since_ms)
    elif (
        inside and since_ms is not None and fix is not None and _is_during(case) and _lasted(case, since_ms, fix.at_ms)
    ):
        yield _said(case, "on_time", f"{case.condition.minutes} min in {_area(case)} since {_time(since_ms)}")
        return
    if case.end_ms is not None and now_ms > case.end_ms:
        yield _said(case, "late", f"not {case.condition.minutes} min in {_area(case)} by {_time(case.end_ms)}")


def _report(case: Case, now_ms: int) -> Iterator[Finding]:
    """A gap is said once; `since` is the report that it follows."""
    since_ms = max(case.heard_ms or 0, case.start_ms)
    due_ms = case.clock.put_off_ms(since_ms + (case.condition.minutes or 0) * MINUTE_MS, since_ms)
    if now_ms > due_ms and (case.end_ms is None or due_ms <= case.end_ms):
        yield _said(case, "late", f"no report since {_time(since_ms)}, due {_time(due_ms)}", since_ms)


def _lasted(case: Case, from_ms: int, until_ms: int) -> bool:
    """Did it go on for the condition's minutes?"""
    return case.clock.between_ms(from_ms, until_ms) >= (case.condition.minutes or 0) * MINUTE_MS


def _is_during(case: Case) -> bool:
    """Was the position true while the task ran?"""
    at_ms = -1 if case.fix is None else case.fix.at_ms
    return case.start_ms <= at_ms and (case.end_ms is None or at_ms <= case.end_ms)


def _is_fresh(case: Case) -> bool:
    """Were both positions true at about the same time?"""
    fix, other = case.fix, case.escorted
    return fix is not None and other is not None and abs(fix.at_ms - other.at_ms) <= FRESH_MS


def _said(case: Case, action: str, reason: str, since: int = 0) -> Finding:
    return Finding(task=case.task, place=case.place, action=action, reason=reason, since=since)


def _area(case: Case) -> str:
    area = case.condition.area
    return (area.name if area is not None else "") or "its area"


def _clock(fix: Fix | None) -> str:
    return "an unknown time" if fix is None else _time(fix.at_ms)


def _time(at_ms: int) -> str:
    minutes = at_ms // MINUTE_MS % 1440
    return f"{minutes // 60:02d}{minutes % 60:02d}Z"
