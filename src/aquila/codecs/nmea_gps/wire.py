"""NMEA 0183 sentences of one receiver to reports of the one who carries it."""

import re
from calendar import timegm
from typing import Final

import msgspec

from aquila.core.errors import CodecError
from aquila.core.ids import entity_id
from aquila.core.model import Alias, Motion, Position, Report
from aquila.core.sensing import (
    DAY_MS,
    KNOT_MPS,
    MINUTE_MS,
    FramedDecoder,
    Lines,
    Reading,
    Sensed,
    finite,
    nearest_ms,
    nmea_body,
)

LINE_BYTES_MAX: Final = 256
STALE_MS: Final = MINUTE_MS
JOINED_MS: Final = 5_000
"""Height and precision of GGA, course and speed of RMC or VTG are joined no longer than this."""
CE_OF_HDOP_M: Final = 5.0
"""Radius of 68 % for HDOP 1 without correction: user range error of about 5 m (GPS SPS performance standard)."""
_TIME: Final = re.compile(r"(\d{2})(\d{2})(\d{2}(?:\.\d{1,4})?)")
_DATE: Final = re.compile(r"(\d{2})(\d{2})(\d{2})")
_ANGLE: Final = re.compile(r"(\d{1,3})(\d{2}(?:\.\d{1,9})?)")


class Receiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who carries the receiver: the sentences do not say it.

    Attributes:
        name: what to call it; also its identity.
        type: its CoT type. sidc: its symbol.
    """

    name: str = "gps"
    type: str = "a-f-G"
    sidc: str = "10031000000000000000"


class GpsDecoder(FramedDecoder):
    """One stream of one receiver. Sentences of other kinds and other talkers are passed over."""

    def __init__(self, options: Receiver) -> None:
        super().__init__(Lines(LINE_BYTES_MAX))
        self._receiver = options
        self._height: tuple[int, float | None, float | None] | None = None
        self._motion: tuple[int, Motion] | None = None

    def frame(self, frame: bytes, received_at_ms: int, found: list[Reading]) -> None:
        """One sentence; a report for each that says a place."""
        if frame[:1] == b"!":
            return
        if frame[:1] != b"$":
            raise CodecError("syntax", f"{frame[:40]!r}: $ is expected")
        fields = nmea_body(frame).decode("ascii", "replace").split(",")
        reader = {"GGA": self._gga, "RMC": self._rmc, "GLL": self._gll, "VTG": self._vtg}.get(fields[0][2:])
        if reader is None or len(fields[0]) != 5:
            return
        try:
            report = reader(fields + [""] * 16, received_at_ms)
        except ValueError as error:
            raise CodecError("number", f"{fields[0]}: {error}") from error
        if report is not None:
            found.append(Sensed(report, frame))

    def _gga(self, fields: list[str], at_ms: int) -> Report | None:
        # Quality: 0 = no fix, 6 = estimated, 7 = manual, 8 = simulator.
        if fields[6] in ("", "0", "7", "8"):
            return None
        hdop = finite(fields[8]) if fields[8] else None
        ce_m = None if hdop is None else round(hdop * CE_OF_HDOP_M, 1)
        # Height above the ellipsoid = height above the geoid + undulation; without the second it is not known.
        hae_m = finite(fields[9]) + finite(fields[11]) if fields[9] and fields[11] else None
        self._height = (at_ms, hae_m, ce_m)
        return self._report(_place(fields[2:6], hae_m, ce_m), fields[1], "", at_ms)

    def _rmc(self, fields: list[str], at_ms: int) -> Report | None:
        if fields[2] != "A":
            return None
        self._moved(fields[7], fields[8], at_ms)
        return self._report(self._placed(fields[3:7], at_ms), fields[1], fields[9], at_ms)

    def _gll(self, fields: list[str], at_ms: int) -> Report | None:
        if fields[6] != "A":
            return None
        return self._report(self._placed(fields[1:5], at_ms), fields[5], "", at_ms)

    def _vtg(self, fields: list[str], at_ms: int) -> None:
        # Before 2.3 the letters T, M, N, K were missing, and the places of the numbers with them.
        if fields[2] == "T" and fields[6] == "N":
            self._moved(fields[5], fields[1], at_ms)

    def _moved(self, speed_kn: str, course_deg: str, at_ms: int) -> None:
        if speed_kn or course_deg:
            motion = Motion(
                finite(course_deg) if course_deg else None, finite(speed_kn) * KNOT_MPS if speed_kn else None
            )
            self._motion = (at_ms, motion)

    def _placed(self, fields: list[str], at_ms: int) -> Position:
        height = self._height
        if height is not None and 0 <= at_ms - height[0] <= JOINED_MS:
            return _place(fields, height[1], height[2])
        return _place(fields, None, None)

    def _report(self, position: Position, time: str, date: str, received_at_ms: int) -> Report:
        at_ms = _at_ms(time, date, received_at_ms)
        motion = self._motion
        receiver = self._receiver
        return Report(
            entity=entity_id("gps", receiver.name),
            alias=Alias("gps", receiver.name),
            type=receiver.type,
            sidc=receiver.sidc,
            category="unit",
            observed_at_ms=at_ms,
            stale_at_ms=at_ms + STALE_MS,
            name=receiver.name,
            how="m-g",
            own=True,
            position=position,
            motion=motion[1] if motion is not None and 0 <= received_at_ms - motion[0] <= JOINED_MS else None,
        )


def _place(fields: list[str], hae_m: float | None, ce_m: float | None) -> Position:
    """Latitude, N or S, longitude, E or W. Raises ValueError for anything else."""
    lat_text, north, lon_text, east = fields
    if north not in ("N", "S") or east not in ("E", "W"):
        raise ValueError(f"hemispheres {north!r} and {east!r}: N or S, E or W")
    lat_deg, lon_deg = _degrees(lat_text), _degrees(lon_text)
    return Position(
        lat_deg if north == "N" else -lat_deg,
        lon_deg if east == "E" else -lon_deg,
        None if hae_m is None else round(hae_m, 3),
        ce_m,
    )


def _degrees(text: str) -> float:
    """From degrees and minutes, ddmm.mmmm."""
    match = _ANGLE.fullmatch(text)
    if match is None or float(match[2]) >= 60.0:
        raise ValueError(f"angle {text!r}: degrees and minutes, ddmm.mmmm")
    return round(int(match[1]) + float(match[2]) / 60.0, 8)


def _at_ms(time: str, date: str, received_at_ms: int) -> int:
    """Of the day that RMC says, else of the day nearest to the reception; without a time, the reception."""
    match = _TIME.fullmatch(time)
    if match is None:
        return received_at_ms
    offset_ms = int(match[1]) * 3_600_000 + int(match[2]) * 60_000 + round(float(match[3]) * 1_000)
    if offset_ms > DAY_MS:
        raise ValueError(f"time {time!r}: hhmmss.ss")
    day = _DATE.fullmatch(date)
    if day is None:
        return nearest_ms(received_at_ms, offset_ms % DAY_MS, DAY_MS)
    # Two digits of the year; GPS began in 1980.
    year = int(day[3]) + (1900 if int(day[3]) >= 80 else 2000)
    if not (1 <= int(day[2]) <= 12 and 1 <= int(day[1]) <= 31):
        raise ValueError(f"date {date!r}: ddmmyy")
    return timegm((year, int(day[2]), int(day[1]), 0, 0, 0)) * 1_000 + offset_ms
