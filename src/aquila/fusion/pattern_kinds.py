"""Kinds of patterns, the thresholds of each, and a pattern as it is told: words that detectors and their callers share.

Thresholds are one set for everywhere, and sets of their own for zones: a `Table` gives each mover the value that holds
where it is. What may move how fast is a table by domain (air, land, sea, other).
"""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
import numpy as np

from aquila.core.sphere import MEAN_RADIUS_M
from aquila.fusion.rows import Floats, Ints

Kind = Literal[
    "stop", "loiter", "meeting", "co_travel", "gap", "jump", "too_fast", "two_places", "kind_change", "deviation"
]
KINDS: tuple[Kind, ...] = (
    "stop",
    "loiter",
    "meeting",
    "co_travel",
    "gap",
    "jump",
    "too_fast",
    "two_places",
    "kind_change",
    "deviation",
)
INSTANT: frozenset[Kind] = frozenset({"jump", "kind_change"})
"""Over as soon as they are seen."""
OF_REPORTS: frozenset[Kind] = frozenset({"gap", "jump", "two_places"})
"""They say how an identity reports, the others where it goes."""
JUDGED_BY: dict[Kind, tuple[str, ...]] = {
    "stop": ("stop_radius_m", "stop_min"),
    "loiter": ("loiter_radius_m", "loiter_min", "loiter_turns", "loiter_span_m"),
    "meeting": ("meeting_m", "meeting_mps", "meeting_min"),
    "co_travel": ("travel_m", "travel_height_m", "travel_mps", "travel_deg", "travel_min"),
    "gap": ("gap_min", "gap_intervals"),
    "jump": (),
    "too_fast": ("fast_min",),
    "two_places": ("twice_jumps", "twice_min"),
    "kind_change": (),
    "deviation": ("off_route_min",),
}
"""The thresholds that each kind is judged by; a jump and too fast are judged by one of SPEEDS besides."""
OTHER, AIR, LAND, SEA = range(4)
"""Domains."""
SPEEDS: tuple[tuple[str, str], ...] = (
    ("other_mps", "fast_other_mps"),
    ("air_mps", "fast_air_mps"),
    ("land_mps", "fast_land_mps"),
    ("sea_mps", "fast_sea_mps"),
)
"""By domain: nothing moves faster from one report to the next; nobody of this kind keeps up more."""
DOMAIN_OF_SET: dict[str, int] = {
    "01": AIR,
    "02": AIR,
    "10": LAND,
    "11": LAND,
    "15": LAND,
    "27": LAND,
    "30": SEA,
    "35": SEA,
}
"""By the symbol set (APP-6(D), digits 5 and 6); all others are OTHER. What is built or drawn does not move."""

Minutes = Annotated[float, msgspec.Meta(ge=1, le=55)]
Metres = Annotated[float, msgspec.Meta(gt=0, le=100_000)]
Speed = Annotated[float, msgspec.Meta(ge=0, le=10_000)]


class Thresholds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What makes a pattern, in metres, minutes, m/s and degrees.

    Attributes:
        stop_radius_m, stop_min: who had moved stays within the radius of where it halted for so long.
        loiter_radius_m, loiter_min: all of this time within a box whose half diagonal is at most the radius.
        loiter_turns: the way made is at least so many times the diagonal. loiter_span_m: less is lying still.
        meeting_m, meeting_mps, meeting_min: two that came from apart, both no faster than this, for so long.
        travel_m, travel_mps, travel_deg, travel_min: two in motion side by side, their courses that close, for so long.
        travel_height_m: nor is one higher than the other by more, where the heights of both are known. Below the
            300 m by which aircraft that have nothing to do with each other are kept apart.
        gap_min, gap_intervals: silent for so long, and for so many times its usual interval.
        air_mps, land_mps, sea_mps, other_mps: nothing of that domain moves faster from one report to the next.
        fast_air_mps, fast_land_mps, fast_sea_mps, fast_other_mps, fast_min: no kind keeps up more for so long. Of whom
            the domain is not known, it may fly.
        twice_jumps, twice_min: so many jumps to and fro, none later than so long after the one before.
        off_route_min: beside all routes that were drawn for it for so long, having been on one.
    """

    stop_radius_m: Metres = 120
    stop_min: Minutes = 10
    loiter_radius_m: Metres = 1500
    loiter_min: Minutes = 20
    loiter_turns: Annotated[float, msgspec.Meta(ge=1.5, le=100)] = 3
    loiter_span_m: Metres = 300
    meeting_m: Metres = 250
    meeting_mps: Speed = 1.2
    meeting_min: Minutes = 8
    travel_m: Metres = 500
    travel_height_m: Metres = 250
    travel_mps: Speed = 2
    travel_deg: Annotated[float, msgspec.Meta(gt=0, le=90)] = 20
    travel_min: Minutes = 15
    gap_min: Minutes = 10
    gap_intervals: Annotated[float, msgspec.Meta(ge=2, le=1000)] = 10
    air_mps: Speed = 700
    land_mps: Speed = 70
    sea_mps: Speed = 70
    other_mps: Speed = 70
    fast_air_mps: Speed = 350
    fast_land_mps: Speed = 50
    fast_sea_mps: Speed = 30
    fast_other_mps: Speed = 350
    fast_min: Minutes = 2
    twice_jumps: Annotated[float, msgspec.Meta(ge=3, le=100)] = 3
    twice_min: Minutes = 10
    off_route_min: Minutes = 3


class Pattern(msgspec.Struct, frozen=True):
    """A pattern that has begun, or is over.

    Attributes:
        rows: of the movers, the lower first; one or two.
        since_ms: when it began, which tells it from an earlier one.
        measured: what was measured, by the words of the thresholds or close to them.
        places: (at_ms, lat_deg, lon_deg) of the first mover that make it, oldest first; empty when it is over.
        others: the same of the second mover.
        zone: by whose thresholds it was judged, see Table.
        judged_by: names of thresholds besides those of JUDGED_BY.
    """

    kind: Kind
    rows: tuple[int, ...]
    since_ms: int
    is_over: bool = False
    measured: dict[str, float] = {}
    places: tuple[tuple[int, float, float], ...] = ()
    others: tuple[tuple[int, float, float], ...] = ()
    zone: int = 0
    judged_by: tuple[str, ...] = ()


class Table:
    """Thresholds by zone.

    Args:
        everywhere: where no zone is, zone 0.
        zones: of zones 1, 2, ...
    """

    def __init__(self, everywhere: Thresholds, zones: Sequence[Thresholds] = ()) -> None:
        self.sets = (everywhere, *zones)
        self._columns: dict[str, Floats] = {}

    def __getitem__(self, zone: int) -> Thresholds:
        return self.sets[zone]

    def column(self, name: str) -> Floats:
        """One threshold of every zone."""
        if name not in self._columns:
            self._columns[name] = np.array([getattr(each, name) for each in self.sets], np.float64)
        return self._columns[name]

    def of(self, name: str, zones: Ints) -> Floats:
        """One threshold, for movers in these zones."""
        return np.asarray(self.column(name)[zones])

    def speed(self, which: Literal[0, 1], domains: Ints, zones: Ints) -> Floats:
        """The limit in m/s of each mover: 0 = from one report to the next, 1 = kept up."""
        columns = np.stack([self.column(names[which]) for names in SPEEDS])
        return np.asarray(columns[domains, zones])


def apart_m(lat: Floats, lon: Floats, to_lat: Floats, to_lon: Floats) -> Floats:
    """Distances on the sphere (haversine), in metres, of places in degrees. Within 0.6 % of the ellipsoid."""
    a, b = np.radians(lat), np.radians(to_lat)
    half = np.sin((b - a) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(np.radians(to_lon - lon) / 2) ** 2
    return np.asarray(2 * MEAN_RADIUS_M * np.arcsin(np.sqrt(np.minimum(half, 1))))
