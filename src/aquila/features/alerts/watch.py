"""Watches and alerts: what somebody wants to be told of, and what the node then says. State tables of both."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from aquila.core.paper_work import Time
from aquila.core.papers import Thing
from aquila.core.states import ANY, Move, States

WATCH, ALERT = "alerts.watch", "alerts.alert"
Trigger = Literal["enter", "leave", "dwell", "silence", "emergency"]
Level = Literal["advisory", "caution", "warning"]
CORNERS_MAX = 2_000
CLOSES_ALERTS = "close_alerts"
"""A field of the step that removes a watch: True = its alerts are closed with it."""
WITH_WATCH = "with_watch"
"""A field of the step that closes an alert: True = the node closed it since its watch was removed."""

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Lon = Annotated[float, msgspec.Meta(ge=-180, le=180)]
Lat = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Minutes = Annotated[float, msgspec.Meta(ge=0, le=43_200)]
Height = Annotated[float, msgspec.Meta(ge=-1000, le=100_000)]
Words = Annotated[tuple[Name, ...], msgspec.Meta(max_length=50)]


class AreaWatch(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="area", forbid_unknown_fields=True):
    """Who may not enter, leave or stay in an area.

    Attributes:
        corners: (lon, lat) in degrees, WGS 84; the last joins the first. Over 180 degrees wide = across lon 180.
        triggers: which of the three; dwell_min: how long somebody must be inside for "dwell".
        affiliations, categories, entities: of whom; empty = of all.
        min_hae_m, max_hae_m: only at these heights above the ellipsoid; who says no height is meant too.
        from_ms, until_ms: only then, UTC; None = always.
    """

    name: Name
    corners: Annotated[tuple[tuple[Lon, Lat], ...], msgspec.Meta(min_length=3, max_length=CORNERS_MAX)]
    triggers: Annotated[tuple[Literal["enter", "leave", "dwell"], ...], msgspec.Meta(min_length=1, max_length=3)]
    dwell_min: Minutes = 10
    affiliations: Words = ()
    categories: Words = ()
    entities: Words = ()
    min_hae_m: Height | None = None
    max_hae_m: Height | None = None
    from_ms: Time | None = None
    until_ms: Time | None = None
    level: Level = "caution"


class SilenceWatch(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="silence", forbid_unknown_fields=True
):
    """No report from somebody for longer than expected.

    Attributes:
        entity: id of whose reports are expected. every_min: how often. grace_min: how late is not late yet.
    """

    name: Name
    entity: Name
    every_min: Annotated[float, msgspec.Meta(gt=0, le=43_200)]
    grace_min: Minutes = 0
    from_ms: Time | None = None
    until_ms: Time | None = None
    level: Level = "caution"


Watch = AreaWatch | SilenceWatch

WATCH_STATES = States(
    "watch",
    "none",
    (
        Move("create", ("none",), "active", "operator"),
        Move("edit", ("active", "paused"), None, "operator who may write to all who see it"),
        Move("pause", ("active",), "paused", "the same"),
        Move("resume", ("paused",), "active", "the same"),
        Move("remove", ("active", "paused"), "removed", "the same"),
    ),
    ("removed",),
)
ALERT_STATES = States(
    "alert",
    "none",
    (
        Move("raise", ("none",), "raised", "the node"),
        Move("over", (ANY, "closed"), None, "the node: its reason is gone"),
        Move("acknowledge", ("raised",), "acknowledged", "operator who may write to all who see it"),
        Move("close", ("raised", "acknowledged"), "closed", "the same; the node, with the watch that is removed"),
    ),
    ("closed",),
)


def read_watch(thing: Thing) -> Watch | None:
    """The watch that a thing is; None = two writers have made it unreadable together."""
    try:
        fields = {name: value for name, value in thing.fields().items() if name != CLOSES_ALERTS}
        watch: Watch = msgspec.convert(fields, AreaWatch | SilenceWatch)
    except ValueError:
        return None
    return watch


def wrong_area(corners: Sequence[tuple[float, float]]) -> str | None:
    """Why these corners are no area; None = they are one."""
    from aquila.fusion.geofence import wrong_corners  # only those who draw an area wait for it

    return wrong_corners(corners)
