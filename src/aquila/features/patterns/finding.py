"""Findings and thresholds: what the node says of movements, what people say of that, and when a pattern is one."""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from aquila.core.papers import Thing
from aquila.core.states import ANY, Move, States
from aquila.fusion.pattern_kinds import KINDS, Kind, Metres, Thresholds

FINDING, THRESHOLDS = "patterns.finding", "patterns.thresholds"

FINDING_STATES = States(
    "finding",
    "none",
    (
        Move("find", ("none",), "found", "the node"),
        Move("over", (ANY,), None, "the node: it is no longer so"),
        Move("useful", ("found", "noise"), "useful", "operator who may write to all who see it"),
        Move("noise", ("found", "useful"), "noise", "the same"),
    ),
)
THRESHOLD_STATES = States(
    "set of thresholds", "none", (Move("set", ("none", "set"), "set", "operator who may write to all who see it"),)
)

SAYS: dict[Kind, str] = {
    "stop": "{0} has stopped",
    "loiter": "{0} loiters",
    "meeting": "{0} and {1} meet",
    "co_travel": "{0} and {1} go together",
    "gap": "{0} has gone silent",
    "jump": "{0} has jumped: nothing moves so fast",
    "too_fast": "{0} is too fast for its kind",
    "two_places": "{0} is in two places: two use one identity",
    "kind_change": "{0} has become another kind",
    "deviation": "{0} has left its route",
}
AREAS_MAX = 20
ROUTES_MAX = 50
CORNERS_MAX = 200
ROUTE_ENTITIES_MAX = 20

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Place = tuple[Annotated[float, msgspec.Meta(ge=-180, le=180)], Annotated[float, msgspec.Meta(ge=-90, le=90)]]
"""(lon, lat) in degrees, WGS 84."""


class AreaThresholds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Other thresholds in an area.

    Attributes:
        corners: the last joins the first. Over 180 degrees wide = across lon 180.
        own: thresholds by name that differ from those of everywhere. Raises ValueError for what is none.
    """

    name: Name
    corners: Annotated[tuple[Place, ...], msgspec.Meta(min_length=3, max_length=CORNERS_MAX)]
    own: dict[str, float]

    def __post_init__(self) -> None:
        self.over(Thresholds())

    def over(self, thresholds: Thresholds) -> Thresholds:
        """The thresholds here, where these hold elsewhere."""
        return msgspec.convert({**msgspec.structs.asdict(thresholds), **self.own}, Thresholds)


class DrawnRoute(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A way that somebody is to keep to.

    Attributes:
        entities: ids of whom. places: its corners. half_m: so far beside it is still on it.
    """

    name: Name
    entities: Annotated[
        tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=200)], ...],
        msgspec.Meta(min_length=1, max_length=ROUTE_ENTITIES_MAX),
    ]
    places: Annotated[tuple[Place, ...], msgspec.Meta(min_length=2, max_length=CORNERS_MAX)]
    half_m: Metres = 500


class PatternSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a pattern is one. off: kinds that are not told. areas: the first that holds a place counts there."""

    thresholds: Thresholds = Thresholds()
    off: Annotated[tuple[Kind, ...], msgspec.Meta(max_length=len(KINDS))] = ()
    areas: Annotated[tuple[AreaThresholds, ...], msgspec.Meta(max_length=AREAS_MAX)] = ()
    routes: Annotated[tuple[DrawnRoute, ...], msgspec.Meta(max_length=ROUTES_MAX)] = ()


def settings_of(things: Sequence[Thing]) -> PatternSettings:
    """The settings that were set last; the defaults when none were, or two writers have made them unreadable."""
    if not things:
        return PatternSettings()
    newest = max(things, key=lambda thing: thing.newest.stamp)
    try:
        return msgspec.convert(newest.fields(), PatternSettings)
    except ValueError:
        return PatternSettings()
