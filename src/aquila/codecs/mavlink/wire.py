"""MAVLink frames: checksum, and the five messages of telemetry that say where a vehicle is and how it is.

Facts: the MAVLink guide (serialization) and the `common` dialect: field order and CRC_EXTRA of each message.
"""

import math
import re
import struct
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec

from aquila.core.errors import CodecError
from aquila.core.ids import entity_id
from aquila.core.model import Alias, Emergency, Motion, Position, Report
from aquila.core.sensing import FramedDecoder, Frames, Measured, NoOptions, Reading, Sensed

V1, V2 = 0xFE, 0xFD
SIGNED: Final = 0x01
SIGNATURE_BYTES: Final = 13
VEHICLES_MAX: Final = 1_000
STALE_MS: Final = 30_000
JOINED_MS: Final = 10_000
CE_OF_HDOP_M: Final = 5.0
"""As for any GNSS receiver without correction: radius of 68 % for HDOP 1."""
_START: Final = re.compile(rb"[\xfd\xfe]")

HEARTBEAT, SYS_STATUS, GPS_RAW_INT, ATTITUDE, GLOBAL_POSITION_INT = 0, 1, 24, 30, 33
GROUND_STATION: Final = 6
# Number -> CRC_EXTRA and layout; a payload may be shorter (MAVLink 2 cuts zeros) or longer (extensions).
LAYOUTS: Final = {
    HEARTBEAT: (50, struct.Struct("<IBBBBB")),
    SYS_STATUS: (124, struct.Struct("<IIIHHhHHHHHHb")),
    GPS_RAW_INT: (24, struct.Struct("<QiiiHHHHBBiIIII")),
    ATTITUDE: (39, struct.Struct("<Iffffff")),
    GLOBAL_POSITION_INT: (104, struct.Struct("<IiiiihhhH")),
}
# MAV_TYPE -> CoT type and symbol; everything else flies.
_LOOKS: Final = {
    10: ("a-u-G-E-V", "10011500001200000000"),
    11: ("a-u-S", "10013000000000000000"),
    12: ("a-u-U", "10013500000000000000"),
}
_UAV: Final = ("a-u-A-M-F-Q", "10010100001103000000")
_EMERGENCIES: Final = {5: "Vehicle critical", 6: "Vehicle emergency"}


class Vehicle(msgspec.Struct):
    """What one vehicle has said so far; None = nothing yet."""

    type: int | None = None
    battery_pct: int | None = None
    heading_deg: float | None = None
    ellipsoid_m: float | None = None
    ce_m: float | None = None
    gps_ms: int = 0
    emergency: Emergency | None = None
    armed: bool | None = None


class MavlinkDecoder(FramedDecoder):
    """One stream of frames of several vehicles."""

    def __init__(self, options: NoOptions) -> None:
        super().__init__(Frames(_START, _measure))
        self._vehicles: OrderedDict[tuple[int, int], Vehicle] = OrderedDict()

    def frame(self, frame: bytes, received_at_ms: int, found: list[Reading]) -> None:
        """One frame; a report for each position, and at once when a vehicle is in distress."""
        number, sender, payload = _opened(frame)
        layout = LAYOUTS.get(number)
        if layout is None:
            raise CodecError("unsupported", f"message {number}")
        fields = layout[1].unpack(payload[: layout[1].size].ljust(layout[1].size, b"\0"))
        vehicle = self._vehicles.setdefault(sender, Vehicle())
        self._vehicles.move_to_end(sender)
        if len(self._vehicles) > VEHICLES_MAX:
            self._vehicles.popitem(last=False)
        try:
            report = _READERS[number](vehicle, fields, sender, received_at_ms)
        except ValueError as error:
            raise CodecError("range", str(error)) from error
        if report is not None:
            found.append(Sensed(report, frame))


def crc(data: bytes, extra: int) -> int:
    """CRC-16/MCRF4XX of the frame after its first byte, and of the CRC_EXTRA of the message."""
    value = 0xFFFF
    for byte in (*data, extra):
        byte ^= value & 0xFF
        byte ^= (byte << 4) & 0xFF
        value = (value >> 8) ^ (byte << 8) ^ (byte << 3) ^ (byte >> 4)
    return value


def _measure(buffer: bytes, at: int) -> Measured:
    """Length of the frame; the checksum is proven here, so that a start byte in a payload is passed over."""
    is_v2 = buffer[at] == V2
    head_bytes = 10 if is_v2 else 6
    if len(buffer) < at + head_bytes:
        return None
    length = head_bytes + buffer[at + 1] + 2
    if is_v2 and buffer[at + 2] & ~SIGNED:
        return CodecError("unsupported", f"incompatibility flags {buffer[at + 2]:#04x}: 0x01 is known")
    if is_v2 and buffer[at + 2] & SIGNED:
        length += SIGNATURE_BYTES
    if len(buffer) < at + length:
        return length
    number, _, _ = _opened(buffer[at : at + length])
    layout = LAYOUTS.get(number)
    if layout is None:
        return length
    end = at + head_bytes + buffer[at + 1]
    if crc(buffer[at + 1 : end], layout[0]) != buffer[end] | buffer[end + 1] << 8:
        return CodecError("checksum", f"message {number}")
    return length


def _opened(frame: bytes) -> tuple[int, tuple[int, int], bytes]:
    """Number of the message, (system, component), payload."""
    if frame[0] == V1:
        return frame[5], (frame[3], frame[4]), frame[6 : 6 + frame[1]]
    return int.from_bytes(frame[7:10], "little"), (frame[5], frame[6]), frame[10 : 10 + frame[1]]


Fields = tuple[int, ...]
Sender = tuple[int, int]


def _heartbeat(vehicle: Vehicle, fields: Fields, sender: Sender, at_ms: int) -> Report | None:
    _, kind, _, base_mode, status, _ = fields
    vehicle.type = kind
    vehicle.armed = bool(base_mode & 0x80)
    words, before = _EMERGENCIES.get(status), vehicle.emergency
    if words is not None:
        vehicle.emergency = Emergency(words, True)
    elif before is not None and before.active:
        vehicle.emergency = Emergency(before.type, False)
    return _report(vehicle, sender, at_ms, None, None, {}) if vehicle.emergency != before else None


def _sys_status(vehicle: Vehicle, fields: Fields, sender: Sender, at_ms: int) -> None:
    battery_pct = fields[12]
    vehicle.battery_pct = battery_pct if 0 <= battery_pct <= 100 else None


def _gps_raw(vehicle: Vehicle, fields: Fields, sender: Sender, at_ms: int) -> None:
    """Only what the fused position does not say: height above the ellipsoid and error."""
    _, _, _, _, eph, _, _, _, fix, _, ellipsoid_mm, accuracy_mm, _, _, _ = fields
    vehicle.gps_ms = at_ms
    vehicle.ellipsoid_m = ellipsoid_mm / 1_000.0 if fix >= 3 and ellipsoid_mm else None
    if accuracy_mm:
        vehicle.ce_m = accuracy_mm / 1_000.0
    else:
        vehicle.ce_m = round(eph / 100.0 * CE_OF_HDOP_M, 1) if eph != 0xFFFF else None


def _attitude(vehicle: Vehicle, fields: tuple[float, ...], sender: Sender, at_ms: int) -> None:
    yaw_rad = fields[3]
    vehicle.heading_deg = math.degrees(yaw_rad) % 360.0 if math.isfinite(yaw_rad) else None


def _position(vehicle: Vehicle, fields: Fields, sender: Sender, at_ms: int) -> Report | None:
    _, lat_e7, lon_e7, msl_mm, above_home_mm, north_cmps, east_cmps, down_cmps, heading_cdeg = fields
    if vehicle.type == GROUND_STATION or (lat_e7 == 0 and lon_e7 == 0):
        # A vehicle without a fix says 0, 0.
        return None
    fresh = at_ms - vehicle.gps_ms <= JOINED_MS
    position = Position(
        lat_e7 / 1e7,
        lon_e7 / 1e7,
        vehicle.ellipsoid_m if fresh else None,
        vehicle.ce_m if fresh else None,
    )
    speed_mps = math.hypot(north_cmps, east_cmps) / 100.0
    course_deg = math.degrees(math.atan2(east_cmps, north_cmps)) % 360.0 if speed_mps else None
    said = {"altitude_msl_m": f"{msl_mm / 1_000.0:.1f}", "altitude_above_home_m": f"{above_home_mm / 1_000.0:.1f}"}
    if heading_cdeg < 36_000:
        said["heading_deg"] = f"{heading_cdeg / 100.0:.1f}"
    elif vehicle.heading_deg is not None:
        said["heading_deg"] = f"{vehicle.heading_deg:.1f}"
    return _report(vehicle, sender, at_ms, position, Motion(course_deg, speed_mps, -down_cmps / 100.0), said)


def _report(
    vehicle: Vehicle,
    sender: Sender,
    at_ms: int,
    position: Position | None,
    motion: Motion | None,
    fields: dict[str, str],
) -> Report:
    value = f"{sender[0]}/{sender[1]}"
    look = _LOOKS.get(vehicle.type or 0, _UAV)
    if vehicle.armed is not None:
        fields["armed"] = "true" if vehicle.armed else "false"
    return Report(
        entity=entity_id("mavlink", value),
        alias=Alias("mavlink", value),
        type=look[0],
        sidc=look[1],
        category="platform",
        observed_at_ms=at_ms,
        stale_at_ms=at_ms + STALE_MS,
        name=f"UAV {value}" if look is _UAV else f"Vehicle {value}",
        how="m-g",
        own=True,
        position=position,
        motion=motion,
        battery_pct=vehicle.battery_pct,
        emergency=vehicle.emergency,
        fields=fields,
    )


_READERS: Final[dict[int, Callable[..., Report | None]]] = {
    HEARTBEAT: _heartbeat,
    SYS_STATUS: _sys_status,
    GPS_RAW_INT: _gps_raw,
    ATTITUDE: _attitude,
    GLOBAL_POSITION_INT: _position,
}
