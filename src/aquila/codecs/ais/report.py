"""AIS transmissions to reports: position and motion, joined with what the same MMSI said of itself before."""

from collections import OrderedDict
from functools import lru_cache
from typing import Any, Final

import msgspec

from aquila.codecs.ais.ships import AIDS, EMERGENCIES, STATUS, Look, kind_of, look_of
from aquila.core.errors import CodecError
from aquila.core.ids import entity_id
from aquila.core.model import Alias, Emergency, Motion, Position, Report
from aquila.core.sensing import KNOT_MPS, MINUTE_MS, nearest_ms, printable

STATIONS_MAX: Final = 100_000
STALE_MS: Final = 9 * MINUTE_MS
"""Three times the longest interval of a station that is well received (3 min: at anchor, class B at rest, aids)."""
CE_HIGH_M: Final = 10.0
CE_LOW_M: Final = 30.0
CE_LONG_RANGE_M: Final = 130.0
"""Type 27 counts tenths of a minute: 185 m a step."""


class Static(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a station said of itself; None = not yet."""

    name: str | None = None
    callsign: str | None = None
    ship_type: int | None = None
    fields: tuple[tuple[str, str], ...] = ()


class Stations:
    """The stations of one stream: static data and last report by MMSI, the longest silent one put out at the bound."""

    def __init__(self) -> None:
        self._static: OrderedDict[int, Static] = OrderedDict()
        self._last: OrderedDict[int, Report] = OrderedDict()

    def read(self, told: Any, received_at_ms: int) -> Report | None:
        """The report of one transmission; None for one that only repeats itself as static data without news.

        Raises:
            CodecError: range or number: the transmission holds a value that cannot be.
        """
        mmsi = int(told.mmsi)
        if not 0 < mmsi <= 999_999_999:
            raise CodecError("range", f"MMSI {mmsi}: 9 digits")
        number = told.msg_type
        if number in (5, 24):
            return self._named(mmsi, told, received_at_ms)
        if number in (19, 21):
            self._remember(mmsi, _static_of(told, self._static.get(mmsi)))
        report = _report(mmsi, told, received_at_ms, self._static.get(mmsi))
        self._last[mmsi] = report
        self._last.move_to_end(mmsi)
        if len(self._last) > STATIONS_MAX:
            self._last.popitem(last=False)
        return report

    def _named(self, mmsi: int, told: Any, received_at_ms: int) -> Report | None:
        """Static data alone: said with the last position of the station, if that is not stale; None = nothing new."""
        before = self._static.get(mmsi)
        static = _static_of(told, before)
        self._remember(mmsi, static)
        if static == before:
            return None
        last = self._last.get(mmsi)
        if last is None or last.stale_at_ms is None or last.stale_at_ms < received_at_ms:
            return _bare(mmsi, received_at_ms, static)
        look = look_of(kind_of(mmsi), static.ship_type)
        kept = {name: value for name, value in last.fields.items() if name in ("status", "heading_deg", "turn_deg_min")}
        report = msgspec.structs.replace(
            last,
            name=static.name or last.name,
            type=look.type,
            sidc=look.sidc,
            fields=_fields(look, static) | kept,
        )
        self._last[mmsi] = report
        return report

    def _remember(self, mmsi: int, static: Static) -> None:
        self._static[mmsi] = static
        self._static.move_to_end(mmsi)
        if len(self._static) > STATIONS_MAX:
            self._static.popitem(last=False)


def _static_of(told: Any, before: Static | None) -> Static:
    """What is known after this transmission: part A of type 24 has the name, part B the rest."""
    before = before or Static()
    fields = dict(before.fields)
    imo = getattr(told, "imo", 0)
    if imo:
        fields["imo"] = str(imo)
    destination = _text(getattr(told, "destination", None))
    if destination:
        fields["destination"] = destination
    draught_m = getattr(told, "draught", 0)
    if draught_m:
        fields["draught_m"] = f"{draught_m:.1f}"
    bow, stern, port, starboard = (
        getattr(told, side, 0) or 0 for side in ("to_bow", "to_stern", "to_port", "to_starboard")
    )
    if bow + stern:
        fields["length_m"] = str(bow + stern)
    if port + starboard:
        fields["beam_m"] = str(port + starboard)
    name = _text(getattr(told, "shipname", None)) or before.name
    if told.msg_type == 21:
        name = _text((told.name or "") + (told.name_ext or "")) or before.name
        fields["aid"] = AIDS[int(told.aid_type)]
        if told.virtual_aid:
            fields["virtual"] = "true"
        fields["off_position"] = "true" if told.off_position else "false"
    ship_type = getattr(told, "ship_type", None)
    return Static(
        name,
        _text(getattr(told, "callsign", None)) or before.callsign,
        int(ship_type) if ship_type else before.ship_type,
        tuple(sorted(fields.items())),
    )


def _text(text: str | None) -> str | None:
    return (printable(text.partition("@")[0], 60) or None) if text else None


@lru_cache(maxsize=65_536)
def _alias(mmsi: int) -> Alias:
    return Alias("mmsi", f"{mmsi:09d}")


def _fields(look: Look, static: Static | None) -> dict[str, str]:
    fields = dict(static.fields) if static is not None else {}
    if static is not None and static.callsign:
        fields["callsign"] = static.callsign
    if look.words:
        fields["ship_type"] = look.words
    return fields


def _bare(mmsi: int, at_ms: int, static: Static) -> Report:
    """Somebody who said a name, and no place yet."""
    alias = _alias(mmsi)
    look = look_of(kind_of(mmsi), static.ship_type)
    return Report(
        entity=entity_id(alias.scheme, alias.value),
        alias=alias,
        type=look.type,
        sidc=look.sidc,
        category=look.category,
        observed_at_ms=at_ms,
        stale_at_ms=at_ms + STALE_MS,
        name=static.name,
        how="m-g",
        own=True,
        fields=_fields(look, static),
    )


def _report(mmsi: int, told: Any, received_at_ms: int, static: Static | None) -> Report:
    number = told.msg_type
    kind = kind_of(mmsi)
    look = look_of(kind, static.ship_type if static is not None else None)
    fields = _fields(look, static)
    position = _position(told, number)
    second = getattr(told, "second", 60)
    # 60 = no time, 61..63 = manual input, dead reckoning, inoperative (M.1371-5, table 48).
    at_ms = nearest_ms(received_at_ms, second * 1_000, MINUTE_MS) if second < 60 else received_at_ms
    emergency = None
    if number < 4 or number == 27:
        status = int(told.status)
        if status < len(STATUS):
            fields["status"] = STATUS[status]
        if kind == "device":
            emergency = Emergency(EMERGENCIES[mmsi // 1_000_000], status == 14)
        heading_deg = getattr(told, "heading", 511)
        if heading_deg < 360:
            fields["heading_deg"] = str(heading_deg)
    elif number == 18 or number == 19:
        if told.heading < 360:
            fields["heading_deg"] = str(told.heading)
    elif number == 9 and told.alt < 4_095:
        # Height by the position sensor, "derived from GNSS or barometric": which of them it does not have to say.
        fields["altitude_msl_m"] = str(told.alt)
    alias = _alias(mmsi)
    tested = emergency is not None and not emergency.active
    return Report(
        entity=entity_id("mmsi", alias.value),
        alias=alias,
        type="b-a-o-can" if tested else look.type,
        sidc=look.sidc,
        category=look.category,
        observed_at_ms=at_ms,
        stale_at_ms=at_ms + STALE_MS,
        name=static.name if static is not None else None,
        how="m-g",
        own=True,
        position=position,
        motion=_motion(told, number),
        emergency=emergency,
        fields=fields,
    )


def _position(told: Any, number: int) -> Position | None:
    """None = the station does not know (latitude 91, longitude 181). Raises CodecError("range") for anything else."""
    lat_deg, lon_deg = told.lat, told.lon
    if lat_deg == 91.0 or lon_deg == 181.0:
        return None
    if number == 27:
        ce_m = CE_LONG_RANGE_M
    else:
        ce_m = CE_HIGH_M if told.accuracy else CE_LOW_M
    try:
        return Position(lat_deg, lon_deg, None, ce_m)
    except ValueError as error:
        raise CodecError("range", str(error)) from error


def _motion(told: Any, number: int) -> Motion | None:
    """None = neither course nor speed is known. Unit: knots, an aircraft's and a long-range one's whole knots."""
    if number in (4, 11, 21):
        return None
    speed_kn, course_deg = told.speed, told.course
    unknown_kn = {9: 1_023.0, 27: 63.0}.get(number, 102.3)
    speed_mps = speed_kn * KNOT_MPS if speed_kn < unknown_kn else None
    course = course_deg if course_deg < 360.0 else None
    if speed_mps is None and course is None:
        return None
    return Motion(course, speed_mps)
