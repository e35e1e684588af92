"""Task: what one addressee is to do, when, and the conditions by which it can be seen whether it is done.

States after SISO-STD-020-2020 and public task interfaces, kept per addressee: a task has one. Conditions are data.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
import shapely

from aquila.core.errors import Refused
from aquila.core.geo import circle_of, polygon_of
from aquila.core.paper_work import Id, Line, Text, Time
from aquila.core.task_verbs import refuse_verb

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
Minutes = Annotated[int, msgspec.Meta(ge=1, le=10_080)]
Lat = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Lon = Annotated[float, msgspec.Meta(ge=-180, le=180)]


class TaskArea(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Corners (lat_deg, lon_deg) of a polygon, or one point and radius_m of a circle."""

    name: Line = ""
    points: Annotated[tuple[tuple[Lat, Lon], ...], msgspec.Meta(min_length=1, max_length=200)]
    radius_m: Annotated[float, msgspec.Meta(gt=0, le=1e6)] | None = None

    def to_polygon(self) -> shapely.Polygon:
        """The shape. Raises ValueError for what is none."""
        return polygon_of(self.points) if self.radius_m is None else circle_of(*self.points[0], self.radius_m)


class TaskCondition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One thing that can be checked.

    Attributes:
        kind: reach the area by `by_ms`; stay out of the area; observe the area for `minutes` without a break, by the
            end of the task; report every `minutes`; keep within `within_m` of `entity`.
        entity: callsign, or foreign identity "cot:UID", of what is escorted.
    """

    kind: Literal["reach", "stay_out", "observe", "report", "keep_within"]
    area: TaskArea | None = None
    by_ms: Time | None = None
    minutes: Minutes | None = None
    within_m: Annotated[float, msgspec.Meta(gt=0, le=1e6)] | None = None
    entity: Line = ""


NEEDS: dict[str, tuple[str, ...]] = {
    "reach": ("area", "by_ms"),
    "stay_out": ("area",),
    "observe": ("area", "minutes"),
    "report": ("minutes",),
    "keep_within": ("within_m", "entity"),
}
"""Fields that a condition of this kind must have."""


class Task(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One task of one addressee. unit: id of the order of battle, or a callsign. Times None = on order."""

    unit: Name
    verb: Name
    title: Line = ""
    text: Text = ""
    purpose: Text = ""
    priority: Annotated[int, msgspec.Meta(ge=1, le=9)] = 5
    start_ms: Time | None = None
    end_ms: Time | None = None
    order: Id | None = None
    order_task: Line = ""
    phase: Line = ""
    conditions: Annotated[tuple[TaskCondition, ...], msgspec.Meta(max_length=20)] = ()


def read_task(fields: Mapping[str, Any]) -> Task:
    """The task that these fields make; others are passed over. Raises ValueError for what is none."""
    return msgspec.convert({name: value for name, value in fields.items() if name in Task.__struct_fields__}, Task)


def wrong_in(task: Task) -> Refused | None:
    """What makes the task impossible, as a sentence; None = nothing."""
    refused = refuse_verb(task.verb)
    if refused is not None:
        return refused
    if task.start_ms is not None and task.end_ms is not None and task.end_ms <= task.start_ms:
        return Refused("time", f"the task ends at {task.end_ms} ms, not after its start: name a later end")
    for place, each in enumerate(task.conditions):
        missing = [name for name in NEEDS[each.kind] if not getattr(each, name)]
        if missing:
            return Refused("condition", f"condition {place} ({each.kind}) needs {', '.join(missing)}: add it")
        if each.by_ms is not None and task.start_ms is not None and each.by_ms < task.start_ms:
            return Refused("time", f"condition {place} is due before the task starts: name a later time")
        try:
            if each.area is not None:
                each.area.to_polygon()
        except ValueError as wrong:
            return Refused("area", f"condition {place}: {wrong}")
    return None
