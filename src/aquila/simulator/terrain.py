"""How the ground sets the pace: walking, driving and flying over routes with real heights."""

from collections.abc import Sequence
from itertools import pairwise
from math import exp

from aquila.core.sphere import distance_m
from aquila.simulator.scenario import Kind, Place

OFF_TRACK_FACTOR = 0.6
"""Share of the speed on a path that is left off the path (Tobler 1993)."""

ROAD_SPEED_MPS = 13.9
"""Vehicles on a level valley road: 50 km/h, a convoy's pace."""

CRUISE_MPS = 64.0
"""Helicopters in level flight: 230 km/h."""

CLIMB_RATE_MPS = 8.0
"""Helicopters up and down, also in the spiral above a landing zone."""

FLIGHT_CLEARANCE_M = 150.0
"""Least height of a helicopter above the ground between two landings."""

FLIGHT_SLOPE_MAX = 0.2
"""Climb angle that a helicopter plans for, so that it is high before the ridge comes."""

APPROACH_MPS = (22.0, 42.0)
"""Speed on the last leg before (first after) a landing, and on the one beside it."""

SPEED_MAX_MPS: dict[Kind, float] = {
    "static": 0.0,
    "foot": 1.7,
    "vehicle": ROAD_SPEED_MPS,
    "helicopter": CRUISE_MPS,
}
"""No one moves faster than this over the ground, whatever the slope."""


def walking_speed_mps(slope: float, *, off_track: bool = False) -> float:
    """Walking speed for a slope (dh/dx, positive uphill).

    Tobler's hiking function, W = 6 exp(-3.5 |S + 0.05|) km/h, fastest at a gentle descent.
    W. Tobler, Three Presentations on Geographical Analysis and Modeling, NCGIA TR 93-1, 1993.
    """
    on_path_mps = 6.0 * exp(-3.5 * abs(slope + 0.05)) / 3.6
    return on_path_mps * (OFF_TRACK_FACTOR if off_track else 1.0)


def driving_speed_mps(slope: float) -> float:
    """Driving speed for a slope: half the level speed at 10 % up or at 17 % down."""
    return ROAD_SPEED_MPS / (1.0 + (10.0 * slope if slope > 0.0 else -6.0 * slope))


def flight_heights_m(places: Sequence[Place]) -> list[float]:
    """Height above sea level at each place: on the ground at both ends, clear of ridges between."""
    ground = [place.ground_m for place in places]
    heights = [max(ground[max(i - 1, 0) : i + 2]) + FLIGHT_CLEARANCE_M for i in range(len(places))]
    steps = [_span_m(a, b) * FLIGHT_SLOPE_MAX for a, b in pairwise(places)]
    for i, step in enumerate(steps, start=1):
        heights[i] = max(heights[i], heights[i - 1] - step)
    for i, step in reversed(list(enumerate(steps))):
        heights[i] = max(heights[i], heights[i + 1] - step)
    heights[0], heights[-1] = ground[0], ground[-1]
    return heights


def heights_m(kind: Kind, places: Sequence[Place]) -> list[float]:
    """Height above sea level of a mover at each place of its route."""
    if kind == "helicopter":
        return flight_heights_m(places)
    return [place.ground_m for place in places]


def travel_s(kind: Kind, places: Sequence[Place], heights: Sequence[float], *, off_track: bool = False) -> list[float]:
    """Seconds that each stretch between two neighbouring places takes."""
    last = len(places) - 2
    return [
        _stretch_s(kind, _span_m(a, b), heights[i + 1] - heights[i], min(i, last - i), off_track)
        for i, (a, b) in enumerate(pairwise(places))
    ]


def _stretch_s(kind: Kind, span_m: float, climb_m: float, from_landing: int, off_track: bool) -> float:
    """Seconds for one stretch; `from_landing` counts the stretches to the nearer end."""
    if kind == "helicopter":
        near = from_landing < len(APPROACH_MPS)
        speed_mps = APPROACH_MPS[from_landing] if near else CRUISE_MPS
        return max(span_m / speed_mps, abs(climb_m) / CLIMB_RATE_MPS)
    slope = climb_m / span_m
    if kind == "foot":
        return span_m / walking_speed_mps(slope, off_track=off_track)
    return span_m / driving_speed_mps(slope)


def _span_m(a: Place, b: Place) -> float:
    return distance_m(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg)
