"""When a typed time was: hours and minutes without a date, and date-time groups, against the clock of the node."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
AHEAD_MS = 5 * MINUTE_MS
"""A time so little ahead is a clock that differs, not a plan."""
ZONES = {
    **{letter: number for number, letter in enumerate("ABCDEFGHIKLM", 1)},
    **{letter: -number for number, letter in enumerate("NOPQRSTUVWXY", 1)},
    "Z": 0,
}
"""Hours ahead of UTC of the zone letters; J is local time and so, on a line, is L when the line says it by a word."""


class Moment(msgspec.Struct, frozen=True):
    """One time, understood.

    Attributes:
        at_ms: UTC. clock: hours and minutes as people write them, with the zone letter.
        other_ms: another day that it may have been; None = there is no doubt.
    """

    at_ms: int
    clock: str
    zone: str
    other_ms: int | None = None


def shift_ms(zone: str, offset_min: int) -> int:
    """How far a zone is ahead of UTC. `zone` L or J is local time."""
    return offset_min * MINUTE_MS if zone in ("L", "J") else ZONES[zone] * HOUR_MS


def on_a_day(
    now_ms: int, offset_min: int, zone: str, hour: int, minute: int, *, day: str = "", future: bool = False
) -> Moment:
    """The occurrence of a clock time that is meant: the nearest, or by a word for the day.

    Args:
        now_ms: UTC ms.
        offset_min: of local time.
        zone: zone letter; L = local.
        hour: already checked.
        minute: already checked.
        day: yesterday, today, tomorrow; empty = not said.
        future: a word said that it is still to come.
    """
    shift = shift_ms(zone, offset_min)
    midnight_ms = (now_ms + shift) // DAY_MS * DAY_MS - shift
    today_ms = midnight_ms + hour * HOUR_MS + minute * MINUTE_MS
    clock = f"{hour:02d}{minute:02d}{zone}"
    if day == "yesterday":
        return Moment(today_ms - DAY_MS, clock, zone)
    if day == "tomorrow":
        return Moment(today_ms + DAY_MS, clock, zone)
    if day == "today":
        return Moment(today_ms, clock, zone)
    if future:
        at_ms = today_ms if today_ms > now_ms - HOUR_MS else today_ms + DAY_MS
        return Moment(at_ms, clock, zone)
    at_ms = min((today_ms - DAY_MS, today_ms, today_ms + DAY_MS), key=lambda each: abs(each - now_ms))
    if at_ms > now_ms + AHEAD_MS:
        return Moment(at_ms, clock, zone, at_ms - DAY_MS)
    return Moment(at_ms, clock, zone)


def on_a_date(
    now_ms: int, offset_min: int, zone: str, day: int, month: int | None, year: int | None, hour: int, minute: int
) -> Moment:
    """A date-time group; without month the nearest such day, without year the nearest such date.

    Raises ValueError with a sentence when there is no such date.
    """
    shift = shift_ms(zone, offset_min)
    local = datetime.fromtimestamp((now_ms + shift) // 1000, UTC)
    if year is not None and year < 100:
        year += 2000
    found = []
    for back in range(-1, 2):
        if month is not None:
            dated = (local.year + back if year is None else year, month)
        else:
            months = local.year * 12 + local.month - 1 + back
            dated = (months // 12, months % 12 + 1)
        try:
            found.append(datetime(dated[0], dated[1], day, hour, minute, tzinfo=UTC))
        except ValueError:
            continue
    if not found:
        shown = f"{day:02d}" if month is None else f"{day:02d}.{month:02d}" + ("" if year is None else f".{year}")
        raise ValueError(f"date {shown}: there is no such day; days 01 to 28, 29, 30 or 31 by the month")
    base = datetime(1970, 1, 1, tzinfo=UTC)
    stamps = [(each - base) // timedelta(milliseconds=1) - shift for each in found]
    at_ms = min(stamps, key=lambda each: abs(each - now_ms))
    if not 0 <= at_ms <= 4_102_444_800_000:
        raise ValueError(f"year {year}: 1970 to 2099")
    when = datetime.fromtimestamp((at_ms + shift) // 1000, UTC)
    return Moment(at_ms, f"{when:%d%H%M}{zone}{when:%b%y}".upper(), zone)


def ago(now_ms: int, offset_min: int, back_ms: int) -> Moment:
    """A time that is so long before now, to the minute."""
    at_ms = (now_ms - back_ms) // MINUTE_MS * MINUTE_MS
    return Moment(at_ms, clock_of(at_ms, offset_min), "L")


def clock_of(at_ms: int, offset_min: int) -> str:
    """Local hours and minutes."""
    minutes = (at_ms // MINUTE_MS + offset_min) % 1440
    return f"{minutes // 60:02d}{minutes % 60:02d}L"


def value_of(moment: Moment, sort: str) -> dict[str, Any]:
    """The value of a field time that holds one moment."""
    return {"sort": sort, "at_ms": moment.at_ms, "clock": moment.clock}
