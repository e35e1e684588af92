"""DIS protocol data units: entity states (type 1) to reports. Layout: IEEE 1278.1-2012, 7.2.2."""

import math
import re
import struct
from typing import Final

import msgspec

from aquila.core.errors import CodecError
from aquila.core.ids import entity_id
from aquila.core.model import Alias, Motion, Position, Removal, Report
from aquila.core.sensing import HOUR_MS, FramedDecoder, Frames, Measured, Reading, Sensed, nearest_ms, printable

PDU_BYTES_MAX: Final = 8_192
HEAD: Final = struct.Struct(">BBBBIH2x")
STATE: Final = struct.Struct(">3H2B8B8x3f3d3fI40xB11s4x")
ENTITY_STATE: Final = 1
STALE_MS: Final = 15_000
"""Three heartbeats of 5 s (HBT_PDU_ENTITY_STATE)."""
# Versions 4 (1993) to 7 (2012).
_START: Final = re.compile(rb"[\x04-\x07]")
_FORCES: Final = {1: ("f", "3"), 2: ("h", "6"), 3: ("n", "4")}
# Domain -> rest of the CoT atom, set, entity (2525D).
_DOMAINS: Final = {
    1: ("G-E-V", "15", "120000"),
    2: ("A", "01", "000000"),
    3: ("S", "30", "000000"),
    4: ("U", "35", "000000"),
    5: ("P", "05", "000000"),
}
_LIFE_FORM: Final = ("G-U-C", "10", "120900")
_OTHER: Final = ("G", "10", "000000")
_DEACTIVATED: Final = 1 << 23

# WGS 84.
_A_M: Final = 6_378_137.0
_F: Final = 1.0 / 298.257223563
_E2: Final = _F * (2.0 - _F)
_EARTH_M: Final = (6_000_000.0, 50_000_000.0)


class Exercise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which exercise of the network to read; None = all of them."""

    exercise: int | None = None


class DisDecoder(FramedDecoder):
    """One stream of PDUs, or datagrams of one or more."""

    def __init__(self, options: Exercise) -> None:
        super().__init__(Frames(_START, _measure))
        self._exercise = options.exercise

    def frame(self, frame: bytes, received_at_ms: int, found: list[Reading]) -> None:
        """One PDU."""
        _, exercise, kind, _, stamp, _ = HEAD.unpack_from(frame)
        if self._exercise is not None and exercise != self._exercise:
            return
        if kind != ENTITY_STATE:
            raise CodecError("unsupported", f"PDU type {kind}")
        if len(frame) < HEAD.size + STATE.size:
            raise CodecError("truncated", f"an entity state of {len(frame)} bytes: {HEAD.size + STATE.size} are needed")
        try:
            body = _state(frame, exercise, _at_ms(stamp, received_at_ms))
        except ValueError as error:
            raise CodecError("range", str(error)) from error
        found.append(Sensed(body, frame))


def _measure(buffer: bytes, at: int) -> Measured:
    if len(buffer) < at + HEAD.size:
        return None
    length = buffer[at + 8] << 8 | buffer[at + 9]
    if not HEAD.size <= length <= PDU_BYTES_MAX:
        return CodecError("oversize", f"a PDU of {length} bytes: {HEAD.size}..{PDU_BYTES_MAX} are allowed")
    return length


def _at_ms(stamp: int, received_at_ms: int) -> int:
    """Parts of an hour; only an absolute stamp (lowest bit) is on anybody's clock but the sender's."""
    if not stamp & 1:
        return received_at_ms
    return nearest_ms(received_at_ms, round((stamp >> 1) * HOUR_MS / (1 << 31)), HOUR_MS)


def _state(frame: bytes, exercise: int, at_ms: int) -> Report | Removal:
    told = STATE.unpack_from(frame, HEAD.size)
    site, application, number, force, _ = told[:5]
    entity_type = told[5:13]
    velocity, place = told[13:16], told[16:19]
    appearance, charset, marking = told[22], told[23], told[24]
    value = f"{exercise}/{site}:{application}:{number}"
    alias, entity = Alias("dis", value), entity_id("dis", value)
    if appearance & _DEACTIVATED:
        return Removal(entity=entity, alias=alias, happened_at_ms=at_ms)
    position = _geodetic(*place)
    letter, digit = _FORCES.get(force, ("u", "1"))
    atom, symbol_set, symbol = _look(entity_type)
    name = printable(marking.split(b"\0")[0].decode("latin-1"), 11) if charset == 1 else ""
    return Report(
        entity=entity,
        alias=alias,
        type=f"a-{letter}-{atom}",
        sidc=f"102{digit}{symbol_set}0000{symbol}0000",
        category="platform",
        observed_at_ms=at_ms,
        stale_at_ms=at_ms + STALE_MS,
        name=name or value,
        how="m-s",
        own=True,
        position=position,
        motion=_motion(position, velocity),
        fields={"dis_type": ".".join(str(part) for part in _numbers(entity_type))},
    )


def _numbers(entity_type: tuple[int, ...]) -> tuple[int, ...]:
    """Kind, domain, country, category, subcategory, specific, extra."""
    kind, domain, high, low, *rest = entity_type
    return (kind, domain, high << 8 | low, *rest)


def _look(entity_type: tuple[int, ...]) -> tuple[str, str, str]:
    if entity_type[0] == 3:
        return _LIFE_FORM
    return _DOMAINS.get(entity_type[1], _OTHER) if entity_type[0] == 1 else _OTHER


def _geodetic(x_m: float, y_m: float, z_m: float) -> Position:
    """Earth-centred coordinates to latitude, longitude and height (Bowring 1976; below 1 mm near the ground).

    Raises:
        ValueError: not finite, or nowhere near the earth.
    """
    if not _EARTH_M[0] <= math.sqrt(x_m * x_m + y_m * y_m + z_m * z_m) <= _EARTH_M[1]:
        raise ValueError(f"place {x_m}, {y_m}, {z_m} m: within {_EARTH_M} m of the centre of the earth")
    b_m = _A_M * (1.0 - _F)
    p_m = math.hypot(x_m, y_m)
    theta = math.atan2(z_m * _A_M, p_m * b_m)
    lat = math.atan2(
        z_m + _E2 / (1.0 - _E2) * b_m * math.sin(theta) ** 3,
        p_m - _E2 * _A_M * math.cos(theta) ** 3,
    )
    sine = math.sin(lat)
    normal_m = _A_M / math.sqrt(1.0 - _E2 * sine * sine)
    height_m = p_m * math.cos(lat) + z_m * sine - _A_M * _A_M / normal_m
    return Position(round(math.degrees(lat), 8), round(math.degrees(math.atan2(y_m, x_m)), 8), round(height_m, 3))


def _motion(position: Position, velocity: tuple[float, float, float]) -> Motion:
    """Velocity in earth-centred axes to course, speed and climb at the place."""
    vx, vy, vz = velocity
    lat, lon = math.radians(position.lat_deg), math.radians(position.lon_deg)
    east = -math.sin(lon) * vx + math.cos(lon) * vy
    inward = math.cos(lon) * vx + math.sin(lon) * vy
    north = -math.sin(lat) * inward + math.cos(lat) * vz
    up = math.cos(lat) * inward + math.sin(lat) * vz
    speed_mps = math.hypot(east, north)
    course_deg = math.degrees(math.atan2(east, north)) % 360.0 if speed_mps > 0.0 else None
    return Motion(course_deg, speed_mps, up)
