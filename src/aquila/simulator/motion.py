"""Where a mover is at a moment: a pure function of the scenario and of the exercise time."""

from bisect import bisect_right
from hashlib import blake2b

from msgspec import Struct

from aquila.core.sphere import bearing_deg, distance_m, shifted
from aquila.simulator import terrain
from aquila.simulator.scenario import Leg, Mover, Place, Scenario, ScenarioError

GPS_NOISE_M = 4.0
"""Largest error of a simulated receiver north and east, and twice that in height."""

GPS_NOISE_STEP_S = 40.0
"""The error wanders from one random value to the next in this time, so no report jumps."""


class Fix(Struct, frozen=True):
    """A position and how it changes."""

    lat_deg: float
    lon_deg: float
    hae_m: float
    """Height above the WGS 84 ellipsoid."""
    course_deg: float
    """True course of travel; the last one while halted."""
    speed_mps: float
    """Speed over ground."""


class Knot(Struct, frozen=True):
    """The start of a stretch of steady motion (or of a halt) within a cycle."""

    at_s: float
    lat_deg: float
    lon_deg: float
    msl_m: float
    course_deg: float
    speed_mps: float


class Timeline(Struct, frozen=True):
    """One cycle of a mover: it ends where it began, so it can run for ever."""

    mover: Mover
    knots: tuple[Knot, ...]
    starts_s: tuple[float, ...]
    """The `at_s` of the knots, for the search."""
    cycle_s: float
    noise_key: bytes
    geoid_m: float
    """Height of the geoid above the ellipsoid, added to heights above sea level."""


def timelines(scenario: Scenario) -> dict[str, Timeline]:
    """The timeline of every mover by callsign.

    Raises:
        ScenarioError: legs that do not join, or a cycle that is too short for its legs.
    """
    return {mover.callsign: timeline(scenario, mover) for mover in scenario.movers}


def timeline(scenario: Scenario, mover: Mover) -> Timeline:
    """One cycle of this mover, with a speed for every slope.

    Raises:
        ScenarioError: legs that do not join, or a cycle that is too short for its legs.
    """
    knots = [_standing(mover.place)] if mover.place else _knots(scenario, mover)
    end_s = knots[-1].at_s
    cycle_s = mover.cycle_s or max(end_s, 1.0)
    if end_s > cycle_s:
        raise ScenarioError(
            f"{mover.callsign}: the legs take {end_s:.0f} s, cycle_s is {cycle_s:.0f}; make cycle_s longer or halt less"
        )
    return Timeline(
        mover=mover,
        knots=tuple(knots),
        starts_s=tuple(knot.at_s for knot in knots),
        cycle_s=cycle_s,
        noise_key=f"{scenario.seed}/{mover.uid}".encode(),
        geoid_m=scenario.geoid_m,
    )


def fix_at(line: Timeline, t_s: float) -> Fix:
    """Position and motion at exercise time t_s, as a receiver with a small error reports them."""
    in_cycle_s = (t_s + line.mover.phase_s) % line.cycle_s
    i = bisect_right(line.starts_s, in_cycle_s) - 1
    knot = line.knots[i]
    lat_deg, lon_deg, msl_m = knot.lat_deg, knot.lon_deg, knot.msl_m
    if i + 1 < len(line.knots):
        after = line.knots[i + 1]
        share = (in_cycle_s - knot.at_s) / (after.at_s - knot.at_s)
        lat_deg += share * (after.lat_deg - lat_deg)
        lon_deg += share * (after.lon_deg - lon_deg)
        msl_m += share * (after.msl_m - msl_m)
    if line.mover.kind != "static":
        north_m, east_m, up_m = (_noise(line.noise_key, axis, t_s) for axis in (b"n", b"e", b"u"))
        lat_deg, lon_deg = shifted(lat_deg, lon_deg, north_m * GPS_NOISE_M, east_m * GPS_NOISE_M)
        msl_m += 2.0 * up_m * GPS_NOISE_M
    return Fix(lat_deg, lon_deg, msl_m + line.geoid_m, knot.course_deg, knot.speed_mps)


def _standing(place: Place) -> Knot:
    return Knot(0.0, place.lat_deg, place.lon_deg, place.ground_m, 0.0, 0.0)


def _knots(scenario: Scenario, mover: Mover) -> list[Knot]:
    """The knots of all legs in order, the wait before the first one and the halts included."""
    home = _leg_places(scenario, mover.legs[0])[0]
    knots = [_standing(home)]
    at_s = mover.starts_s
    here = home
    for leg in mover.legs:
        places = _leg_places(scenario, leg)
        if (places[0].lat_deg, places[0].lon_deg) != (here.lat_deg, here.lon_deg):
            raise ScenarioError(
                f"{mover.callsign}: the leg over {leg.route!r} does not begin where the one "
                "before it ends; a leg may be reversed with reverse = true"
            )
        at_s = _run_leg(mover, leg, places, at_s, knots)
        here = places[-1]
    if (here.lat_deg, here.lon_deg) != (home.lat_deg, home.lon_deg):
        raise ScenarioError(
            f"{mover.callsign}: the last leg does not end where the first one begins; "
            "add a leg that leads back, or the mover would jump at the end of its cycle"
        )
    knots.append(Knot(at_s, here.lat_deg, here.lon_deg, here.ground_m, knots[-1].course_deg, 0.0))
    return knots


def _run_leg(mover: Mover, leg: Leg, places: tuple[Place, ...], at_s: float, knots: list[Knot]) -> float:
    """Add the knots of one leg and of the halt after it; gives the time when the halt is over."""
    heights = terrain.heights_m(mover.kind, places)
    spans_s = terrain.travel_s(mover.kind, places, heights, off_track=mover.off_track)
    for i, span_s in enumerate(spans_s):
        a, b = places[i], places[i + 1]
        course_deg = bearing_deg(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg)
        speed_mps = distance_m(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg) / span_s
        knot = Knot(at_s, a.lat_deg, a.lon_deg, heights[i], course_deg, speed_mps)
        if at_s > knots[-1].at_s:
            knots.append(knot)
        else:  # A cycle that begins with a leg: no wait before it.
            knots[-1] = knot
        at_s += span_s
    over_s = at_s + leg.halt_s if leg.until_s is None else leg.until_s
    if over_s < at_s:
        raise ScenarioError(
            f"{mover.callsign}: arrives at the end of {leg.route!r} at {at_s:.0f} s of its cycle, "
            f"until_s is {leg.until_s:g}; start earlier or make until_s later"
        )
    if over_s > at_s:
        end = places[-1]
        course_deg = knots[-1].course_deg
        knots.append(Knot(at_s, end.lat_deg, end.lon_deg, heights[-1], course_deg, 0.0))
    return over_s


def _leg_places(scenario: Scenario, leg: Leg) -> tuple[Place, ...]:
    places = scenario.routes[leg.route]
    return places[::-1] if leg.reverse else places


def _noise(key: bytes, axis: bytes, t_s: float) -> float:
    """Value noise in -1 .. 1: the same seed and time give the same error, and it never jumps."""
    step, share = divmod(t_s / GPS_NOISE_STEP_S, 1.0)
    before, after = _dice(key, axis, int(step)), _dice(key, axis, int(step) + 1)
    ease = share * share * (3.0 - 2.0 * share)
    return before + ease * (after - before)


def _dice(key: bytes, axis: bytes, step: int) -> float:
    """A number in -1 .. 1 that depends on nothing but its arguments."""
    digest = blake2b(b"%b/%b/%d" % (key, axis, step), digest_size=4).digest()
    return int.from_bytes(digest) / 0x8000_0000 - 1.0
