"""What is known of each aircraft of a receiver: frames as rs1090 reads them in, reports out.

Barometric altitude is pressure, geometric altitude is a height above the ellipsoid: the first stays in `fields` with
its unit, only the second becomes `hae_m`.
"""

import math
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from aquila.codecs.adsb.cpr import Place, from_pair, from_reference
from aquila.core.errors import CodecError
from aquila.core.ids import entity_id
from aquila.core.model import PRESSURE_ALTITUDE, Alias, Emergency, Motion, Position, Report
from aquila.core.sensing import FOOT_M, KNOT_MPS, printable

AIRCRAFT_MAX: Final = 20_000
PAIR_MS_MAX: Final = 10_000
"""DO-260B, A.1.7.7: an even and an odd frame within ten seconds make a place."""
PLACE_MS_MAX: Final = 60_000
STALE_MS: Final = 60_000
SPEED_MPS_MAX: Final = 1_000.0
SLACK_M: Final = 3_000.0
METRES_PER_DEG: Final = 111_320.0
CE_OF_95: Final = 0.617
"""Radius of 68 % as a share of that of 95 %, for a round normal error."""

# Radius of 95 %, metres: NACp of DO-260B (table 2-70) and NUCp of DO-260 (table 2-11), which is 18 less the type code.
_NACP_M: Final = {1: 18_520.0, 2: 7_408.0, 3: 3_704.0, 4: 1_852.0, 5: 926.0, 6: 555.6, 7: 185.2, 8: 92.6,
                  9: 30.0, 10: 10.0, 11: 3.0}  # fmt: skip
_NUCP_M: Final = {1: 18_520.0, 2: 9_260.0, 3: 1_852.0, 4: 926.0, 5: 463.0, 6: 185.2, 7: 92.6, 8: 10.0, 9: 3.0}

EMERGENCIES: Final = {"7500": "Unlawful interference", "7600": "Radio failure", "7700": "Emergency"}
_STATES: Final = {
    "general": "Emergency",
    "medical": "Medical emergency",
    "minimum_fuel": "Minimum fuel",
    "no_communication": "Radio failure",
    "unlawful_interference": "Unlawful interference",
    "downed_aircraft": "Downed aircraft",
}
# rs1090's words for the emitter category -> rest of the CoT atom, set and entity of 2525D.
_LOOKS: Final = {
    "Rotorcraft": ("A-C-H", "10010100001202000000"),
    "Lighter than air": ("A-C-L", "10010100001204000000"),
    "Surface emergency vehicle": ("G", "10011100000000000000"),
    "Surface service vehicle": ("G", "10011100000000000000"),
    "Obstruction": ("G", "10011100000000000000"),
}
_FIXED_WING: Final = ("A-C-F", "10010100001201000000")
_AIR: Final = ("A", "10010100000000000000")


class Receiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the receiver stands, (lat_deg, lon_deg); None = unknown, then nothing on the ground can be placed."""

    receiver: tuple[float, float] | None = None


class Aircraft:
    """One aircraft, as far as it has been heard."""

    __slots__ = (
        "alias", "category", "emergency", "entity", "even", "fields", "geometric_m", "gnss_minus_baro_m", "heard_ms",
        "motion", "nacp", "name", "odd", "place", "placed_ms", "squawk",
    )  # fmt: skip

    def __init__(self, icao24: str) -> None:
        self.alias = Alias("icao24", icao24)
        self.entity = entity_id("icao24", icao24)
        self.name: str | None = None
        self.category: str | None = None
        self.squawk: str | None = None
        self.emergency: Emergency | None = None
        self.motion: Motion | None = None
        self.nacp: int | None = None
        self.fields: dict[str, str] = {}
        self.even: tuple[Place, int] | None = None
        self.odd: tuple[Place, int] | None = None
        self.place: Place | None = None
        self.placed_ms = 0
        self.heard_ms = 0
        self.geometric_m: float | None = None
        self.gnss_minus_baro_m: float | None = None


class Sky:
    """The aircraft of one receiver; the longest silent one is put out at the bound."""

    def __init__(self, receiver: Receiver) -> None:
        self._reference = receiver.receiver
        self._aircraft: OrderedDict[str, Aircraft] = OrderedDict()

    def read(self, told: Mapping[str, Any], at_ms: int) -> Report | None:
        """The report of one frame; None = it said nothing new about the picture.

        Raises:
            CodecError: range: a place that this aircraft cannot have reached.
        """
        icao24 = told.get("icao24")
        if icao24 is None:
            return None
        df = told["df"]
        aircraft = self._aircraft.get(icao24)
        if aircraft is None:
            # The address of these replies is mixed into the parity: any noise makes one. Only a squitter introduces.
            if df not in ("11", "17", "18") or icao24 == "000000":
                return None
            aircraft = self._aircraft[icao24] = Aircraft(icao24)
            if len(self._aircraft) > AIRCRAFT_MAX:
                self._aircraft.popitem(last=False)
        else:
            self._aircraft.move_to_end(icao24)
        aircraft.heard_ms = at_ms
        bds = told.get("bds")
        if bds == "05" or bds == "06":
            return self._placed(aircraft, told, at_ms, bds == "06")
        if bds == "09":
            _moved(aircraft, told)
            return None
        changed = _said(aircraft, told, df, bds)
        return report(aircraft, at_ms) if changed else None

    def _placed(self, aircraft: Aircraft, told: Mapping[str, Any], at_ms: int, on_ground: bool) -> Report | None:
        is_odd = told["parity"] == "odd"
        fraction = (told["lat_cpr"], told["lon_cpr"])
        if on_ground:
            _on_ground(aircraft, told)
            near = self._near(aircraft, at_ms) or self._reference
            place = from_reference(fraction, is_odd, near, 90.0) if near else None
        else:
            _in_the_air(aircraft, told)
            place = self._in_the_air(aircraft, fraction, is_odd, at_ms)
        if place is None:
            return None
        if aircraft.place is not None and _too_far(aircraft, place, at_ms):
            # A jump: either place may be the wrong one, so that both are forgotten and the next pair decides.
            aircraft.place = aircraft.even = aircraft.odd = None
            raise CodecError("range", f"{aircraft.alias.value} jumped to {place[0]:.4f}, {place[1]:.4f}")
        aircraft.place, aircraft.placed_ms = place, at_ms
        return report(aircraft, at_ms, _ce_m(aircraft, told))

    def _in_the_air(self, aircraft: Aircraft, fraction: Place, is_odd: bool, at_ms: int) -> Place | None:
        if is_odd:
            aircraft.odd = (fraction, at_ms)
        else:
            aircraft.even = (fraction, at_ms)
        near = self._near(aircraft, at_ms)
        if near is not None:
            return from_reference(fraction, is_odd, near)
        even, odd = aircraft.even, aircraft.odd
        if even is not None and odd is not None and abs(even[1] - odd[1]) <= PAIR_MS_MAX:
            return from_pair(even[0], odd[0], is_odd)
        # 180 NM is half a zone; no receiver on the ground hears further than about 250 NM, but most less than this.
        return from_reference(fraction, is_odd, self._reference) if self._reference is not None else None

    def _near(self, aircraft: Aircraft, at_ms: int) -> Place | None:
        fresh = aircraft.place is not None and 0 <= at_ms - aircraft.placed_ms <= PLACE_MS_MAX
        return aircraft.place if fresh else None


def _too_far(aircraft: Aircraft, place: Place, at_ms: int) -> bool:
    assert aircraft.place is not None
    north_m = (place[0] - aircraft.place[0]) * METRES_PER_DEG
    turn_deg = (place[1] - aircraft.place[1] + 180.0) % 360.0 - 180.0
    east_m = turn_deg * METRES_PER_DEG * math.cos(math.radians(place[0]))
    return math.hypot(north_m, east_m) > SLACK_M + SPEED_MPS_MAX * abs(at_ms - aircraft.placed_ms) / 1_000.0


def _in_the_air(aircraft: Aircraft, told: Mapping[str, Any]) -> None:
    altitude_ft = told["altitude"]
    fields = aircraft.fields
    fields.pop("on_ground", None)
    if altitude_ft is None:
        fields.pop(PRESSURE_ALTITUDE, None)
        aircraft.geometric_m = None
    elif told["source"] == "GNSS":
        aircraft.geometric_m = altitude_ft * FOOT_M
    else:
        fields[PRESSURE_ALTITUDE] = str(altitude_ft)
        difference_m = aircraft.gnss_minus_baro_m
        aircraft.geometric_m = altitude_ft * FOOT_M + difference_m if difference_m is not None else None


def _on_ground(aircraft: Aircraft, told: Mapping[str, Any]) -> None:
    aircraft.fields["on_ground"] = "true"
    aircraft.fields.pop(PRESSURE_ALTITUDE, None)
    aircraft.geometric_m = None
    speed_kn, track_deg = told["groundspeed"], told["track"]
    known = speed_kn is not None or track_deg is not None
    aircraft.motion = Motion(track_deg, speed_kn * KNOT_MPS if speed_kn is not None else None) if known else None


def _moved(aircraft: Aircraft, told: Mapping[str, Any]) -> None:
    """Velocity (BDS 0,9): over ground, or through the air, which is no motion but kept in words."""
    rate_fpm = told.get("vertical_rate")
    speed_kn = told.get("groundspeed")
    aircraft.motion = Motion(
        told.get("track"),
        None if speed_kn is None else speed_kn * KNOT_MPS,
        None if rate_fpm is None else rate_fpm * FOOT_M / 60.0,
    )
    for name, key in (("TAS", "true_airspeed_kn"), ("IAS", "indicated_airspeed_kn"), ("heading", "heading_deg")):
        value = told.get(name)
        if value is None:
            aircraft.fields.pop(key, None)
        else:
            aircraft.fields[key] = f"{value:.1f}"
    difference_ft = told.get("geo_minus_baro")
    aircraft.gnss_minus_baro_m = None if difference_ft is None else difference_ft * FOOT_M


def _said(aircraft: Aircraft, told: Mapping[str, Any], df: str, bds: str | None) -> bool:
    """Name, code and state. True = something is new that somebody should see at once."""
    if bds == "08":
        # '#' stands for the characters that the six-bit alphabet does not have.
        name = printable(told["callsign"].replace("#", ""), 8) or None
        changed = name != aircraft.name
        aircraft.name, aircraft.category = name, told["wake_vortex"]
        return changed
    if bds == "61" and told.get("subtype") == "emergency_priority":
        return _alarmed(aircraft, told["squawk"], _STATES.get(told["emergency_state"]))
    if bds == "65" and "NACp" in told:
        aircraft.nacp = told["NACp"]
    elif df in ("5", "21"):
        squawk = told["squawk"]
        return _alarmed(aircraft, squawk, EMERGENCIES.get(squawk))
    elif df in ("4", "20") and told.get("altitude") is not None:
        aircraft.fields[PRESSURE_ALTITUDE] = str(told["altitude"])
    return False


def _alarmed(aircraft: Aircraft, squawk: str, words: str | None) -> bool:
    aircraft.squawk = squawk
    aircraft.fields["squawk"] = squawk
    words = words or EMERGENCIES.get(squawk)
    before = aircraft.emergency
    if words is not None:
        aircraft.emergency = Emergency(words, True)
    elif before is not None and before.active:
        aircraft.emergency = Emergency(before.type, False)
    return aircraft.emergency != before


def _ce_m(aircraft: Aircraft, told: Mapping[str, Any]) -> float | None:
    """Radius of 68 %: by NACp where the aircraft says it, else by the type of the frame; None = unknown."""
    radius_m = _NACP_M.get(aircraft.nacp) if aircraft.nacp is not None else _NUCP_M.get(told["NUCp"])
    return None if radius_m is None else round(radius_m * CE_OF_95, 1)


def report(aircraft: Aircraft, at_ms: int, ce_m: float | None = None) -> Report:
    """What is known of an aircraft now; the place of a frame that has none is the last one, if it is not stale."""
    fields = dict(aircraft.fields)
    if aircraft.category not in (None, "n/a"):
        fields["emitter"] = str(aircraft.category)
        letters, sidc = _LOOKS.get(str(aircraft.category), _FIXED_WING)
    else:
        letters, sidc = _AIR
    place = aircraft.place
    position = None
    if place is not None and at_ms - aircraft.placed_ms <= PLACE_MS_MAX:
        position = Position(round(place[0], 6), round(place[1], 6), aircraft.geometric_m, ce_m)
    return Report(
        entity=aircraft.entity,
        alias=aircraft.alias,
        type="a-u-" + letters,
        sidc=sidc,
        category="platform",
        observed_at_ms=at_ms,
        stale_at_ms=at_ms + STALE_MS,
        name=aircraft.name,
        how="m-g",
        own=True,
        position=position,
        motion=aircraft.motion,
        emergency=aircraft.emergency,
        fields=fields,
    )
