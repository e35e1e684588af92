"""What others have tracked: system tracks (062), and aircraft that report themselves through a ground station (021)."""

import math
from typing import Final

from aquila.codecs.asterix.records import Record
from aquila.codecs.asterix.values import LEVEL_FT, NM_M, address, mode3a, quantity, source, time_ms, whole, words
from aquila.core.errors import CodecError
from aquila.core.ids import entity_id
from aquila.core.model import PRESSURE_ALTITUDE, Alias, Emergency, Motion, Position, Removal, Report
from aquila.core.plot import Plot
from aquila.core.sensing import FOOT_M

STALE_MS: Final = 60_000
AIR: Final = ("a-u-A", "10010100000000000000")
METRES_PER_DEG: Final = 111_320.0
CE_OF_SIGMA: Final = 1.07
"""Radius of 68 % as a multiple of the mean of two standard deviations (round normal error: 1.51 / sqrt 2)."""
SQUAWKS: Final = {"7500": "Unlawful interference", "7600": "Radio failure", "7700": "Emergency"}
# Priority status of 021 I200 -> words.
PRIORITIES: Final = {
    1: "Emergency", 2: "Medical emergency", 3: "Minimum fuel", 4: "Radio failure", 5: "Unlawful interference",
    6: "Downed aircraft",
}  # fmt: skip


def track_of(record: Record, received_at_ms: int) -> Report | Removal | Plot:
    """One system track; its last record takes it away. One that is placed only in the system's plane is a plot.

    Raises:
        CodecError: missing (no source, number or place), time.
        ValueError: a place or motion that cannot be.
    """
    number = whole(record, "040")
    if number is None:
        raise CodecError("missing", "a track without a number (item 040)")
    name = f"{source(record)}/{number}"
    alias, entity = Alias("asterix", name), entity_id("asterix", name)
    at_ms = time_ms(record, received_at_ms, "070")
    if whole(record, "080", "TSE"):
        return Removal(entity=entity, alias=alias, happened_at_ms=at_ms)
    lat_deg, lon_deg = quantity(record, "°", "105", "LAT"), quantity(record, "°", "105", "LON")
    if lat_deg is None or lon_deg is None:
        return _in_plane(record, at_ms, str(number))
    squawk = mode3a(record, "060")
    return Report(
        entity=entity,
        alias=alias,
        type=AIR[0],
        sidc=AIR[1],
        category="track",
        observed_at_ms=at_ms,
        stale_at_ms=at_ms + STALE_MS,
        name=words(record, "245", "CHR") or words(record, "380", "ID"),
        how="m-f",
        position=Position(lat_deg, lon_deg, None, _ce_m(record, lat_deg)),
        motion=_track_motion(record),
        emergency=_emergency(squawk, None),
        fields=_track_fields(record, squawk),
    )


def _in_plane(record: Record, at_ms: int, number: str) -> Plot:
    """A track of which only the place in the system's own plane is said: where that lies, the settings must say."""
    east_m, north_m = quantity(record, "m", "100", "X"), quantity(record, "m", "100", "Y")
    if east_m is None or north_m is None:
        raise CodecError("missing", f"track {number} without a place (items 100, 105)")
    level = quantity(record, "FL", "136")
    return Plot(
        sensor="asterix:" + source(record),
        observed_at_ms=at_ms,
        xy_m=(east_m, north_m),
        mode3a=mode3a(record, "060"),
        mode_s=address(whole(record, "380", "ADR")),
        callsign=words(record, "245", "CHR") or words(record, "380", "ID"),
        pressure_altitude_m=None if level is None else round(level * LEVEL_FT * FOOT_M, 2),
        track=number,
    )


def _ce_m(record: Record, lat_deg: float) -> float | None:
    """Item 500 says standard deviations: in the plane, or in degrees."""
    east_m, north_m = quantity(record, "m", "500", "APC", "X"), quantity(record, "m", "500", "APC", "Y")
    if east_m is None or north_m is None:
        north_deg, east_deg = quantity(record, "°", "500", "APW", "LAT"), quantity(record, "°", "500", "APW", "LON")
        if north_deg is None or east_deg is None:
            return None
        north_m = north_deg * METRES_PER_DEG
        east_m = east_deg * METRES_PER_DEG * math.cos(math.radians(lat_deg))
    return round(CE_OF_SIGMA * math.hypot(east_m, north_m), 1)


def _track_motion(record: Record) -> Motion | None:
    east_mps, north_mps = quantity(record, "m/s", "185", "VX"), quantity(record, "m/s", "185", "VY")
    climb_fpm = quantity(record, "ft/min", "220")
    climb_mps = None if climb_fpm is None else climb_fpm * FOOT_M / 60.0
    if east_mps is None or north_mps is None:
        return None if climb_mps is None else Motion(None, None, climb_mps)
    course_deg = math.degrees(math.atan2(east_mps, north_mps)) % 360.0
    return Motion(round(course_deg, 3), round(math.hypot(east_mps, north_mps), 3), climb_mps)


def _track_fields(record: Record, squawk: str | None) -> dict[str, str]:
    fields = {}
    icao24 = address(whole(record, "380", "ADR"))
    if icao24:
        fields["icao24"] = icao24
    if squawk:
        fields["squawk"] = squawk
    level = quantity(record, "FL", "136")
    if level is not None:
        fields[PRESSURE_ALTITUDE] = f"{level * LEVEL_FT:.0f}"
    # Item 130: "calculated vertical distance above mean sea level", so that it is no height above the ellipsoid.
    msl_ft = quantity(record, "ft", "130")
    if msl_ft is not None:
        fields["altitude_msl_ft"] = f"{msl_ft:.0f}"
    if whole(record, "080", "SIM"):
        fields["simulated"] = "true"
    if whole(record, "080", "CNF"):
        fields["tentative"] = "true"
    return fields


def aircraft_of(record: Record, received_at_ms: int) -> Report:
    """One ADS-B report of category 021.

    Raises:
        CodecError: missing (no address or place), time.
        ValueError: a place or motion that cannot be.
    """
    source(record)
    icao24 = address(whole(record, "080"))
    if icao24 is None:
        raise CodecError("missing", "an ADS-B report without an address (item 080)")
    lat_deg, lon_deg = quantity(record, "°", "131", "LAT"), quantity(record, "°", "131", "LON")
    if lat_deg is None or lon_deg is None:
        lat_deg, lon_deg = quantity(record, "°", "130", "LAT"), quantity(record, "°", "130", "LON")
    if lat_deg is None or lon_deg is None:
        raise CodecError("missing", f"{icao24} without a place (items 130, 131)")
    # Item 140 is the height above the ellipsoid; 6.25 ft x 32,767 = "greater than".
    geometric_ft = quantity(record, "ft", "140")
    squawk = words(record, "070", "MODE3A")
    at_ms = time_ms(record, received_at_ms, "071", "073", "075")
    return Report(
        entity=entity_id("icao24", icao24),
        alias=Alias("icao24", icao24),
        type=AIR[0],
        sidc=AIR[1],
        category="platform",
        observed_at_ms=at_ms,
        stale_at_ms=at_ms + STALE_MS,
        name=words(record, "170"),
        how="m-g",
        own=True,
        position=Position(lat_deg, lon_deg, None if geometric_ft is None else geometric_ft * FOOT_M),
        motion=_aircraft_motion(record),
        emergency=_emergency(squawk, whole(record, "200", "PS")),
        fields=_aircraft_fields(record, squawk),
    )


def _aircraft_motion(record: Record) -> Motion | None:
    speed_nmps, course_deg = quantity(record, "NM/s", "160", "GS"), quantity(record, "°", "160", "TA")
    climb_fpm = quantity(record, "ft/min", "157", "GVR")
    if climb_fpm is None:
        climb_fpm = quantity(record, "ft/min", "155", "BVR")
    if speed_nmps is None and climb_fpm is None:
        return None
    return Motion(
        course_deg,
        None if speed_nmps is None else round(speed_nmps * NM_M, 3),
        None if climb_fpm is None else climb_fpm * FOOT_M / 60.0,
    )


def _aircraft_fields(record: Record, squawk: str | None) -> dict[str, str]:
    fields = {}
    level = quantity(record, "FL", "145")
    if level is not None:
        fields[PRESSURE_ALTITUDE] = f"{level * LEVEL_FT:.0f}"
    if squawk:
        fields["squawk"] = squawk
    return fields


def _emergency(squawk: str | None, priority: int | None) -> Emergency | None:
    told = PRIORITIES.get(priority or 0) or SQUAWKS.get(squawk or "")
    return None if told is None else Emergency(told, True)
