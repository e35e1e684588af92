"""BaseStation lines: 22 fields with commas, of which each transmission type fills a few."""

from collections import OrderedDict
from typing import Final

import msgspec

from aquila.core.errors import CodecError
from aquila.core.ids import entity_id
from aquila.core.model import PRESSURE_ALTITUDE, Alias, Emergency, Motion, Position, Report
from aquila.core.sensing import FOOT_M, KNOT_MPS, FramedDecoder, Lines, NoOptions, Reading, Sensed, finite, printable

LINE_BYTES_MAX: Final = 512
AIRCRAFT_MAX: Final = 20_000
STALE_MS: Final = 60_000
KNOWN_MS: Final = 60_000
"""Altitude, motion and place of other lines are joined no longer than this."""
EMERGENCIES: Final = {"7500": "Unlawful interference", "7600": "Radio failure", "7700": "Emergency"}
# Fields of a MSG line, counted from 0.
KIND, SENT, ICAO24, CALLSIGN, ALTITUDE, SPEED, TRACK, LAT, LON, CLIMB, SQUAWK = 0, 1, 4, 10, 11, 12, 13, 14, 15, 16, 17
EMERGENCY, GROUND = 19, 21
FIELDS: Final = 22
FIELDS_MIN: Final = 18
"""Some writers leave out what follows the squawk."""


class Known(msgspec.Struct):
    """What the lines have said of one aircraft so far; None = nothing yet."""

    name: str | None = None
    altitude_ft: str | None = None
    motion: Motion | None = None
    squawk: str | None = None
    position: Position | None = None
    placed_ms: int = 0
    moved_ms: int = 0
    emergency: Emergency | None = None
    on_ground: bool = False


class SbsDecoder(FramedDecoder):
    """One stream of lines; what they say is joined by address."""

    def __init__(self, options: NoOptions) -> None:
        super().__init__(Lines(LINE_BYTES_MAX))
        self._known: OrderedDict[str, Known] = OrderedDict()

    def frame(self, frame: bytes, received_at_ms: int, found: list[Reading]) -> None:
        """One line; a report for each place, name or alarm that is new."""
        try:
            report = self._line(frame, received_at_ms)
        except ValueError as error:
            raise CodecError("number", str(error)) from error
        if report is not None:
            found.append(Sensed(report, frame))

    def _line(self, line: bytes, at_ms: int) -> Report | None:
        fields = [field.strip() for field in line.decode("ascii", "replace").split(",")]
        if fields[KIND] in ("SEL", "ID", "AIR", "STA", "CLK"):
            return None
        if fields[KIND] != "MSG" or not FIELDS_MIN <= len(fields) <= FIELDS:
            raise CodecError("syntax", f"{line[:40]!r}: MSG with {FIELDS_MIN}..{FIELDS} fields is expected")
        fields += [""] * (FIELDS - len(fields))
        if fields[SENT] not in ("1", "2", "3", "4", "5", "6", "7", "8"):
            raise CodecError("type", f"transmission type {fields[SENT]!r}: 1..8 are known")
        icao24 = fields[ICAO24].lower()
        if len(icao24) != 6 or int(icao24, 16) == 0:
            raise CodecError("number", f"address {icao24!r}: six hex digits, not 000000")
        known = self._known.setdefault(icao24, Known())
        self._known.move_to_end(icao24)
        if len(self._known) > AIRCRAFT_MAX:
            self._known.popitem(last=False)
        return _report(icao24, known, at_ms) if _join(known, fields, at_ms) else None


def _join(known: Known, fields: list[str], at_ms: int) -> bool:
    """Take over what a line says; True = there is something to be shown."""
    new = False
    if fields[CALLSIGN]:
        name = printable(fields[CALLSIGN], 8)
        new = name != known.name
        known.name = name
    if fields[ALTITUDE]:
        known.altitude_ft = f"{finite(fields[ALTITUDE]):.0f}"
    if fields[SPEED] or fields[TRACK]:
        climb_fpm = fields[CLIMB]
        known.motion = Motion(
            finite(fields[TRACK]) if fields[TRACK] else None,
            finite(fields[SPEED]) * KNOT_MPS if fields[SPEED] else None,
            finite(climb_fpm) * FOOT_M / 60.0 if climb_fpm else None,
        )
        known.moved_ms = at_ms
    if fields[GROUND]:
        known.on_ground = fields[GROUND] not in ("0", "")
    if fields[SQUAWK] or fields[EMERGENCY]:
        new = _alarmed(known, fields) or new
    if fields[LAT] and fields[LON]:
        known.position = Position(finite(fields[LAT]), finite(fields[LON]))
        known.placed_ms = at_ms
        new = True
    return new


def _alarmed(known: Known, fields: list[str]) -> bool:
    known.squawk = printable(fields[SQUAWK], 4) or known.squawk
    words = EMERGENCIES.get(known.squawk or "")
    if words is None and fields[EMERGENCY] not in ("", "0"):
        words = "Emergency"
    before = known.emergency
    if words is not None:
        known.emergency = Emergency(words, True)
    elif before is not None and before.active:
        known.emergency = Emergency(before.type, False)
    return known.emergency != before


def _report(icao24: str, known: Known, at_ms: int) -> Report:
    fields = {}
    # BaseStation altitude is Mode C: pressure, never a height above the ellipsoid.
    if known.altitude_ft is not None and not known.on_ground:
        fields[PRESSURE_ALTITUDE] = known.altitude_ft
    if known.squawk:
        fields["squawk"] = known.squawk
    if known.on_ground:
        fields["on_ground"] = "true"
    return Report(
        entity=entity_id("icao24", icao24),
        alias=Alias("icao24", icao24),
        type="a-u-A",
        sidc="10010100000000000000",
        category="platform",
        observed_at_ms=at_ms,
        stale_at_ms=at_ms + STALE_MS,
        name=known.name,
        how="m-g",
        own=True,
        position=known.position if at_ms - known.placed_ms <= KNOWN_MS else None,
        motion=known.motion if at_ms - known.moved_ms <= KNOWN_MS else None,
        emergency=known.emergency,
        fields=fields,
    )
