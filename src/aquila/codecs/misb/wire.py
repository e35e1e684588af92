"""KLV packets of a camera: platform to a report, footprint to a polygon, targets to plots. stanag4609 reads the bits.

The bare KLV stream is read, as it comes out of a demultiplexer (`data` stream of an MPEG transport stream).
"""

import math
import re
from typing import Any, Final

import msgspec
from stanag4609.errors import ChecksumError, Stanag4609Error
from stanag4609.st0601 import ST0601_KEY, FieldDecodingMode, UASLocalSet, decode_uas_local_set
from stanag4609.st0903 import VMTILocalSet
from stanag4609.st0903_geo import resolve_vtarget_location

from aquila.core.errors import CodecError
from aquila.core.ids import entity_id
from aquila.core.model import Alias, Geometry, Motion, Position, Report
from aquila.core.plot import Plot
from aquila.core.sensing import (
    FramedDecoder,
    Frames,
    Measured,
    Reading,
    Sensed,
    plausible_ms,
    printable,
)
from aquila.core.symbol import GENERIC_POINT

PACKET_BYTES_MAX: Final = 1 << 18
KEY_BYTES: Final = 16
STALE_MS: Final = 30_000
_START: Final = re.compile(rb"\x06(?:\Z|\x0e(?:\Z|\x2b(?:\Z|\x34)))")

# Tags of ST 0601.19.
TIME, MISSION, TAIL, HEADING, SENSOR, DESIGNATION, LAT, LON, MSL = 2, 3, 4, 5, 11, 10, 13, 14, 15
CENTRE_LAT, CENTRE_LON, SPEED, CALLSIGN, VMTI, HAE, HAE_LONG, COURSE = 23, 24, 56, 59, 74, 75, 104, 112
OFFSET_CORNERS: Final = ((26, 27), (28, 29), (30, 31), (32, 33))
FULL_CORNERS: Final = ((82, 83), (84, 85), (86, 87), (88, 89))


class Sensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the platform is called when its metadata do not say; None = it must."""

    name: str | None = None


class MisbDecoder(FramedDecoder):
    """One stream of KLV."""

    def __init__(self, options: Sensor) -> None:
        super().__init__(Frames(_START, _measure))
        self._name = options.name

    def frame(self, frame: bytes, received_at_ms: int, found: list[Reading]) -> None:
        """One packet of ST 0601; others are counted as unsupported."""
        if frame[:KEY_BYTES] != ST0601_KEY:
            raise CodecError("unsupported", f"KLV key {frame[:KEY_BYTES].hex()}")
        try:
            told = decode_uas_local_set(
                frame, require_timestamp=False, require_version=False, field_decoding=FieldDecodingMode.PRESERVE
            )
        except ChecksumError as error:
            raise CodecError("checksum", str(error)) from error
        except (Stanag4609Error, ValueError, OverflowError) as error:
            raise CodecError("syntax", str(error)) from error
        try:
            _say(told, self._name, received_at_ms, frame, found)
        except (Stanag4609Error, ValueError) as error:
            raise CodecError("range", str(error)) from error


def _measure(buffer: bytes, at: int) -> Measured:
    """Key, BER length, value: short form, or up to four bytes of length."""
    if len(buffer) < at + KEY_BYTES + 1:
        return None
    first = buffer[at + KEY_BYTES]
    if first < 0x80:
        return KEY_BYTES + 1 + first
    count = first & 0x7F
    if not 1 <= count <= 4:
        return CodecError("syntax", f"BER length of {count} bytes: 1..4 are allowed")
    if len(buffer) < at + KEY_BYTES + 1 + count:
        return None
    length = int.from_bytes(buffer[at + KEY_BYTES + 1 : at + KEY_BYTES + 1 + count], "big")
    if length > PACKET_BYTES_MAX:
        return CodecError("oversize", f"a packet of {length} bytes: at most {PACKET_BYTES_MAX} are allowed")
    return KEY_BYTES + 1 + count + length


def _number(told: UASLocalSet, tag: int) -> float | None:
    """None = not said, or one of the special values (out of range, reserved)."""
    value = told.value(tag)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _words(told: UASLocalSet, tag: int) -> str | None:
    value = told.value(tag)
    return (printable(value, 80) or None) if isinstance(value, str) else None


def _at_ms(told: UASLocalSet, received_at_ms: int) -> int:
    """The time stamp read as UTC, which is what cameras write; the few leap seconds of MISP time are not told apart."""
    micros = told.misp_timestamp_microseconds
    at_ms = received_at_ms if micros is None else micros // 1_000
    if not plausible_ms(at_ms):
        raise CodecError("time", f"time stamp {micros} us: 1970..2100")
    return at_ms


def _say(told: UASLocalSet, named: str | None, received_at_ms: int, frame: bytes, found: list[Reading]) -> None:
    name = _words(told, TAIL) or _words(told, CALLSIGN) or _words(told, DESIGNATION) or _words(told, MISSION) or named
    if name is None:
        raise CodecError("missing", "no name of the platform (tags 3, 4, 10, 59), and none in the settings of the feed")
    at_ms = _at_ms(told, received_at_ms)
    platform = _platform(told, name, at_ms)
    if platform is not None:
        found.append(Sensed(platform, frame))
    footprint = _footprint(told, name, at_ms)
    if footprint is not None:
        found.append(Sensed(footprint, frame))
    vmti = told.value(VMTI)
    if isinstance(vmti, VMTILocalSet):
        centre = _number(told, CENTRE_LAT), _number(told, CENTRE_LON)
        for target in vmti.targets:
            plot = _plot(target, name, centre, at_ms)
            found.append(CodecError("missing", "a target without a place") if plot is None else Sensed(plot, frame))
    if platform is None and footprint is None and vmti is None:
        raise CodecError("missing", "neither platform, footprint nor targets have a place")


def _platform(told: UASLocalSet, name: str, at_ms: int) -> Report | None:
    lat_deg, lon_deg = _number(told, LAT), _number(told, LON)
    if lat_deg is None or lon_deg is None:
        return None
    height_m = _number(told, HAE_LONG)
    if height_m is None:
        height_m = _number(told, HAE)
    fields = {}
    for tag, key in ((MSL, "altitude_msl_m"), (HEADING, "heading_deg")):
        value = _number(told, tag)
        if value is not None:
            fields[key] = f"{value:.1f}"
    for tag, key in ((MISSION, "mission"), (DESIGNATION, "designation"), (SENSOR, "sensor")):
        word = _words(told, tag)
        if word is not None:
            fields[key] = word
    course_deg, speed_mps = _number(told, COURSE), _number(told, SPEED)
    return Report(
        entity=entity_id("misb", name),
        alias=Alias("misb", name),
        type="a-u-A-M-F-Q",
        sidc="10010100001103000000",
        category="platform",
        observed_at_ms=at_ms,
        stale_at_ms=at_ms + STALE_MS,
        name=name,
        how="m-g",
        own=True,
        position=Position(round(lat_deg, 7), round(lon_deg, 7), height_m),
        motion=None if course_deg is None and speed_mps is None else Motion(course_deg, speed_mps),
        fields=fields,
    )


def _footprint(told: UASLocalSet, name: str, at_ms: int) -> Report | None:
    """The four corners of the picture: full coordinates where they are said, else offsets from the centre."""
    centre_lat, centre_lon = _number(told, CENTRE_LAT), _number(told, CENTRE_LON)
    corners = [(_number(told, lat), _number(told, lon)) for lat, lon in FULL_CORNERS]
    if any(lat is None or lon is None for lat, lon in corners) and centre_lat is not None and centre_lon is not None:
        offsets = [(_number(told, lat), _number(told, lon)) for lat, lon in OFFSET_CORNERS]
        corners = [
            (None, None) if lat is None or lon is None else (centre_lat + lat, centre_lon + lon) for lat, lon in offsets
        ]
    points = tuple(
        (round(lat, 7), round((lon + 180.0) % 360.0 - 180.0, 7))
        for lat, lon in corners
        if lat is not None and lon is not None and -90.0 <= lat <= 90.0
    )
    if len(points) != len(FULL_CORNERS):
        return None
    alias = Alias("misb-footprint", name)
    has_centre = centre_lat is not None and centre_lon is not None
    return Report(
        entity=entity_id(alias.scheme, alias.value),
        alias=alias,
        type="u-d-f",
        sidc="1001" + GENERIC_POINT,
        category="drawing",
        observed_at_ms=at_ms,
        stale_at_ms=at_ms + STALE_MS,
        name=f"{name} footprint",
        how="m-g",
        position=Position(round(centre_lat or 0.0, 7), round(centre_lon or 0.0, 7)) if has_centre else None,
        geometry=Geometry("polygon", points),
        parent=Alias("misb", name),
    )


def _plot(target: Any, name: str, centre: tuple[float | None, float | None], at_ms: int) -> Plot | None:
    """One target of ST 0903; None = it has a place in the picture only."""
    place = resolve_vtarget_location(target, frame_center_latitude=centre[0], frame_center_longitude=centre[1])
    if place is None:
        return None
    fields = {}
    confidence = target.value(5)
    if isinstance(confidence, int):
        fields["confidence_pct"] = str(confidence)
    return Plot(
        sensor="misb:" + name,
        observed_at_ms=at_ms,
        position=Position(round(place.latitude, 7), round(place.longitude, 7), place.hae),
        track=str(target.target_id),
        fields=fields,
    )
