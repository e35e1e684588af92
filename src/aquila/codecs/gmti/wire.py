"""STANAG 4607 packets: targets of a dwell to plots, the place of the sensor to a report. stanag4607 reads the bits."""

import math
import re
from calendar import timegm
from typing import Final

from stanag4607 import (
    BinaryAngle,
    DecodeError,
    DecodeLimits,
    DwellSegment,
    MissionSegment,
    PacketHeader,
    PlatformLocationSegment,
    SignedBinaryAngle,
    TargetReport,
    decode_packet,
    decode_typed_segment,
)

from aquila.core.errors import CodecError
from aquila.core.ids import entity_id
from aquila.core.model import Alias, Motion, Position, Report
from aquila.core.plot import Plot
from aquila.core.sensing import (
    DAY_MS,
    MINUTE_MS,
    FramedDecoder,
    Frames,
    Measured,
    NoOptions,
    Reading,
    Sensed,
    nearest_ms,
    plausible_ms,
    printable,
)

PACKET_BYTES_MAX: Final = 1 << 18
HEAD_BYTES: Final = 32
MISSIONS_MAX: Final = 256
STALE_MS: Final = 5 * MINUTE_MS
METRES_PER_DEG: Final = 111_320.0
LIMITS: Final = DecodeLimits(max_packet_size=PACKET_BYTES_MAX, max_segments=1_024)
# Version: edition and amendment as two digits.
_START: Final = re.compile(rb"[1-9](?:[0-9]|\Z)")
CLASSES: Final = {
    0: "no information", 1: "tracked vehicle", 2: "wheeled vehicle", 3: "rotary wing", 4: "fixed wing",
    5: "stationary rotator", 6: "maritime", 7: "beacon", 8: "amphibious", 9: "person", 10: "vehicle", 11: "animal",
    12: "large multiple-return", 13: "large single-return",
}  # fmt: skip
"""Target classification (table of field D32.10), live; 128 more = simulated."""


class GmtiDecoder(FramedDecoder):
    """One stream of packets. The mission segment says the day that times count from; it is kept by platform."""

    def __init__(self, options: NoOptions) -> None:
        super().__init__(Frames(_START, _measure))
        self._day_ms: dict[tuple[bytes, int], int] = {}

    def frame(self, frame: bytes, received_at_ms: int, found: list[Reading]) -> None:
        """One packet: a plot for each target that has a place, a report of the platform for each dwell."""
        try:
            packet = decode_packet(frame, limits=LIMITS)
        except (DecodeError, ValueError) as error:
            raise CodecError("syntax", str(error)) from error
        for segment in packet.segments:
            try:
                self._segment(packet.header, decode_typed_segment(segment), received_at_ms, frame, found)
            except CodecError as error:
                found.append(error)
            except ValueError as error:
                found.append(CodecError("range", f"segment type {segment.segment_type}: {error}"))

    def _segment(
        self, header: PacketHeader, told: object, received_at_ms: int, frame: bytes, found: list[Reading]
    ) -> None:
        key = (header.platform_id, header.mission_id)
        if isinstance(told, MissionSegment):
            if len(self._day_ms) >= MISSIONS_MAX:
                self._day_ms.pop(next(iter(self._day_ms)))
            self._day_ms[key] = _day_ms(told)
        elif isinstance(told, DwellSegment):
            at_ms = self._at_ms(key, told.dwell_time_milliseconds, received_at_ms)
            found.append(Sensed(_platform_of_dwell(header, told, at_ms), frame))
            for index, target in enumerate(told.targets):
                plot = _plot(header, told, index, target, at_ms)
                found.append(CodecError("missing", "a target without a place") if plot is None else Sensed(plot, frame))
        elif isinstance(told, PlatformLocationSegment):
            at_ms = self._at_ms(key, told.location_time_milliseconds, received_at_ms)
            found.append(Sensed(_platform(header, told, at_ms), frame))

    def _at_ms(self, key: tuple[bytes, int], offset_ms: int, received_at_ms: int) -> int:
        """Times count from midnight of the mission's reference day; without a mission, from the nearest midnight."""
        day_ms = self._day_ms.get(key)
        if day_ms is not None:
            return day_ms + offset_ms
        return nearest_ms(received_at_ms, offset_ms % DAY_MS, DAY_MS)


def _measure(buffer: bytes, at: int) -> Measured:
    if len(buffer) < at + 6:
        return None
    length = int.from_bytes(buffer[at + 2 : at + 6], "big")
    if not HEAD_BYTES <= length <= PACKET_BYTES_MAX:
        return CodecError("oversize", f"a packet of {length} bytes: {HEAD_BYTES}..{PACKET_BYTES_MAX} are allowed")
    return length


def _signed_deg(angle: SignedBinaryAngle) -> float:
    """-90..90. The library's exact fractions cost ten times as much."""
    return angle.raw * 180.0 / (1 << angle.bits)


def _circle_deg(angle: BinaryAngle) -> float:
    """0..360."""
    return angle.raw * 360.0 / (1 << angle.bits)


def _day_ms(mission: MissionSegment) -> int:
    date = (mission.reference_year, mission.reference_month, mission.reference_day, 0, 0, 0)
    day_ms = timegm(date) * 1_000 if 1970 <= date[0] < 2100 else -1
    if not plausible_ms(day_ms):
        raise CodecError("time", f"reference day {date[0]}-{date[1]}-{date[2]}: 1970..2099")
    return day_ms


def _name(header: PacketHeader) -> str:
    return printable(header.platform_id.decode("latin-1")) or f"mission {header.mission_id}"


def _exercise(header: PacketHeader) -> dict[str, str]:
    """Exercise indicator (P7): below 128 an operation, above an exercise; real, simulated or synthesized."""
    word = {1: "simulated", 2: "synthesized"}.get(header.exercise_indicator % 128)
    fields = {} if word is None else {word: "true"}
    return fields | ({"exercise": "true"} if header.exercise_indicator >= 128 else {})


def _place(lat_deg: float, lon_deg: float, hae_m: float | None) -> Position:
    """Longitude is 0..360 on the wire."""
    return Position(round(lat_deg, 7), round(lon_deg - 360.0 if lon_deg > 180.0 else lon_deg, 7), hae_m)


def _report(header: PacketHeader, position: Position, motion: Motion | None, at_ms: int) -> Report:
    name = _name(header)
    return Report(
        entity=entity_id("gmti", name),
        alias=Alias("gmti", name),
        type="a-u-A",
        sidc="10010100000000000000",
        category="platform",
        observed_at_ms=at_ms,
        stale_at_ms=at_ms + STALE_MS,
        name=name,
        how="m-g",
        own=True,
        position=position,
        motion=motion,
        fields=_exercise(header),
    )


def _platform(header: PacketHeader, told: PlatformLocationSegment, at_ms: int) -> Report:
    place = _place(_signed_deg(told.latitude), _circle_deg(told.longitude), told.altitude_centimeters / 100.0)
    motion = Motion(
        _circle_deg(told.track),
        told.speed_millimeters_per_second / 1_000.0,
        told.vertical_velocity_decimeters_per_second / 10.0,
    )
    return _report(header, place, motion, at_ms)


def _platform_of_dwell(header: PacketHeader, dwell: DwellSegment, at_ms: int) -> Report:
    lat_deg, lon_deg = _signed_deg(dwell.sensor_latitude), _circle_deg(dwell.sensor_longitude)
    place = _place(lat_deg, lon_deg, dwell.sensor_altitude_centimeters / 100.0)
    track, speed_mmps = dwell.sensor_track, dwell.sensor_speed_millimeters_per_second
    climb_dmps = dwell.sensor_vertical_velocity_decimeters_per_second
    motion = None
    if track is not None or speed_mmps is not None:
        motion = Motion(
            None if track is None else _circle_deg(track),
            None if speed_mmps is None else speed_mmps / 1_000.0,
            None if climb_dmps is None else climb_dmps / 10.0,
        )
    return _report(header, place, motion, at_ms)


def _plot(header: PacketHeader, dwell: DwellSegment, index: int, target: TargetReport, at_ms: int) -> Plot | None:
    """One target; None = it says no place. Radial speed is positive away from the sensor (D32.7), as ours is."""
    location = dwell.target_location(index)
    if location is None:
        return None
    height_m = target.geodetic_height_meters
    position = _place(
        _signed_deg(location.latitude),
        _circle_deg(location.longitude),
        None if height_m is None else float(height_m),
    )
    radial_cmps = target.radial_velocity_centimeters_per_second
    return Plot(
        sensor="gmti:" + _name(header),
        observed_at_ms=at_ms,
        position=position,
        covariance_m2=_covariance_m2(dwell, target, position),
        radial_mps=None if radial_cmps is None else radial_cmps / 100.0,
        fields=_target_fields(header, dwell, target),
    )


def _covariance_m2(dwell: DwellSegment, target: TargetReport, position: Position) -> tuple[float, float, float] | None:
    """Errors along and across the line of sight, turned into east and north; slant range is taken as ground range."""
    along_cm, across_dm = target.slant_range_uncertainty_centimeters, target.cross_range_uncertainty_decimeters
    if along_cm is None or across_dm is None:
        return None
    north_deg = position.lat_deg - _signed_deg(dwell.sensor_latitude)
    east_deg = (position.lon_deg - _circle_deg(dwell.sensor_longitude) + 180.0) % 360.0 - 180.0
    sight = math.atan2(east_deg * math.cos(math.radians(position.lat_deg)), north_deg)
    along_m2, across_m2 = (along_cm / 100.0) ** 2, (across_dm / 10.0) ** 2
    sine, cosine = math.sin(sight), math.cos(sight)
    return (
        along_m2 * sine * sine + across_m2 * cosine * cosine,
        along_m2 * cosine * cosine + across_m2 * sine * sine,
        (along_m2 - across_m2) * sine * cosine,
    )


def _target_fields(header: PacketHeader, dwell: DwellSegment, target: TargetReport) -> dict[str, str]:
    fields = _exercise(header)
    fields["dwell"] = f"{header.job_id}/{dwell.revisit_index}/{dwell.dwell_index}"
    if target.report_index is not None:
        fields["report"] = str(target.report_index)
    number = target.classification
    if number is not None:
        fields["class"] = CLASSES.get(number % 128, f"class {number}")
        if 128 <= number < 255:
            fields["simulated"] = "true"
    if target.classification_probability_percent is not None:
        fields["class_probability_pct"] = str(target.classification_probability_percent)
    if target.signal_to_noise_ratio_decibels is not None:
        fields["snr_db"] = str(target.signal_to_noise_ratio_decibels)
    minimum_dmps = dwell.minimum_detectable_velocity_decimeters_per_second
    if minimum_dmps is not None:
        fields["minimum_detectable_mps"] = f"{minimum_dmps / 10.0:.1f}"
    return fields
