"""How much goes on where and when: density per cell, hour by weekday, and the trend of a place, from kept positions.

Kept positions are thinned by how far somebody moved, so they are not counted: counted is who was there, once for each
quarter of an hour and cell, each hour, or each day. Of more positions than may be read the newest count, and the answer
says from when on it is whole. Read are only positions under markings that the asker may have.
"""

import base64
import math
from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
import numpy as np

from aquila.core.box import Box, map_box_of
from aquila.core.feature import Labelled, Query, Reading
from aquila.core.model import Context, Label, Principal, Verdict
from aquila.fusion.rows import Floats, Ints

FIXES_MAX = 200_000
SECONDS_MAX = 5
PIECES = 24
"""Parts of the time that are read one after another, the newest first."""
CELLS_ACROSS = 80
DAY_MS, HOUR_MS, QUARTER_MS = 86_400_000, 3_600_000, 900_000
DAYS_MAX = 92
CORNERS_MAX = 200
MONDAY_MS = 4 * DAY_MS
"""1970-01-05 was the first Monday."""

Time = Annotated[int, msgspec.Meta(ge=0, le=4_102_444_800_000)]
Corners = tuple[tuple[float, float], ...]


class AskHeat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where and when: west,south,east,north in degrees; UTC ms, None = a day until now. At most 92 days."""

    bbox: Annotated[str, msgspec.Meta(max_length=200)]
    from_ms: Time | None = None
    until_ms: Time | None = None

    def __post_init__(self) -> None:
        check_box(map_box_of(self.bbox))
        check_span(self.from_ms, self.until_ms)


class AskRhythm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where and when. corners: of an area, "lon,lat lon,lat lon,lat"; None of the times = four weeks until now."""

    corners: Annotated[str, msgspec.Meta(max_length=10_000)]
    from_ms: Time | None = None
    until_ms: Time | None = None

    def __post_init__(self) -> None:
        corners_of(self.corners)
        check_span(self.from_ms, self.until_ms)


class HeatGrid(msgspec.Struct, frozen=True, kw_only=True):
    """Density.

    Attributes:
        west, south, east, north: of the outer edges, degrees; rows from the north, evenly spaced in Mercator.
        from_ms, until_ms: the time that is whole in it. is_cut: it was asked for from earlier on.
        most: quarters of an hour that somebody spent in the fullest cell, of all who were there. movers: how many.
        counts: base64 of one byte a cell: 0 = nobody; else 1 to 255 by the root of the count over that of `most`.
    """

    west: float
    south: float
    east: float
    north: float
    rows: int
    cols: int
    from_ms: int
    until_ms: int
    is_cut: bool
    most: int
    movers: int
    counts: str


class DayCount(msgspec.Struct, frozen=True):
    """How many were there on a day. day_ms: its beginning, UTC."""

    day_ms: int
    movers: int


class RhythmRow(msgspec.Struct, frozen=True, kw_only=True):
    """When there is how much going on in an area.

    Attributes:
        from_ms, until_ms, is_cut: as in HeatGrid.
        hours: 168 means: how many were there in that hour of the week, Monday 00 UTC first; -1 = that hour never was.
        days: whole days in UTC, oldest first.
        before, after: mean of the first and of the second half of the days. None = fewer than four days are known.
        change: what can be said: no more than chance would give is "steady", too few days is "unknown".
    """

    from_ms: int
    until_ms: int
    is_cut: bool
    hours: tuple[float, ...]
    days: tuple[DayCount, ...]
    before: float | None
    after: float | None
    change: Literal["more", "less", "steady", "unknown"]


class Fixes(msgspec.Struct, frozen=True):
    """Kept positions: numbers for who, times, places; whole from from_ms on."""

    who: Ints
    at_ms: Ints
    lat: Floats
    lon: Floats
    from_ms: int
    is_cut: bool


def check_box(box: Box) -> None:
    """Raises ValueError for a box that crosses 180 degrees: kept positions are read without a turn round the globe."""
    if box.east > 180:
        raise ValueError(f"bbox west {box.west}, east {box.east}: at most 180, so ask for the sides of it one by one")


def corners_of(text: str) -> Corners:
    """Corners as (lon, lat). Raises ValueError with what is allowed."""
    try:
        pairs = [tuple(float(part) for part in pair.split(",")) for pair in text.split()]
        corners = tuple((lon, lat) for lon, lat in pairs)
    except ValueError:
        corners = ()
    fits = all(-180 <= lon <= 180 and -90 <= lat <= 90 for lon, lat in corners)
    if not (3 <= len(corners) <= CORNERS_MAX and fits):
        raise ValueError(f"corners {text[:80]!r}: 3 to {CORNERS_MAX} pairs lon,lat in degrees with blanks between them")
    from aquila.fusion.geofence import wrong_corners  # only those who ask for an area wait for it

    wrong = wrong_corners(corners)
    if wrong is not None:
        raise ValueError(f"corners {text[:80]!r}: {wrong}")
    return corners


def check_span(from_ms: int | None, until_ms: int | None) -> None:
    """Raises ValueError when both are named and are no span of at most 92 days."""
    if from_ms is not None and until_ms is not None and not 0 < until_ms - from_ms <= DAYS_MAX * DAY_MS:
        raise ValueError(f"from_ms {from_ms}, until_ms {until_ms}: until after from, at most {DAYS_MAX} days later")


def _span(ask: AskHeat | AskRhythm, days: int, now_ms: int) -> tuple[int, int]:
    until_ms = min(now_ms, now_ms if ask.until_ms is None else ask.until_ms)
    from_ms = until_ms - days * DAY_MS if ask.from_ms is None else ask.from_ms
    return max(0, from_ms, until_ms - DAYS_MAX * DAY_MS), until_ms


def _fixes(reading: Reading, box: Box, from_ms: int, until_ms: int) -> Fixes:
    def may(label: Label, context: Context) -> bool:
        return reading.release(label, context).verdict is Verdict.FULL

    table, began_ms = reading.part("tracks"), reading.now_ms()
    numbers: dict[str, int] = {}
    rows: list[tuple[int, int, float, float]] = []
    piece_ms = max(1, math.ceil((until_ms - from_ms) / PIECES))
    whole_ms, last_ms = until_ms, until_ms
    while last_ms >= from_ms:
        first_ms = max(from_ms, last_ms - piece_ms + 1)
        found = table.inside(box, first_ms, last_ms, may, None, FIXES_MAX - len(rows))
        is_late = reading.now_ms() - began_ms > SECONDS_MAX * 1000
        if len(rows) + len(found) >= FIXES_MAX:
            # Of this part some are missing, nobody knows which: it is left out.
            break
        rows += [
            (numbers.setdefault(fix.entity, len(numbers)), fix.at_ms, fix.lat_deg, fix.lon_deg)
            for fix in found
            if first_ms <= fix.at_ms <= last_ms
        ]
        whole_ms, last_ms = first_ms, first_ms - 1
        if is_late:
            break
    who, at_ms, lat, lon = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Fixes(
        np.array(who, np.int64),
        np.array(at_ms, np.int64),
        np.array(lat, np.float64),
        np.array(lon, np.float64),
        whole_ms,
        whole_ms > from_ms,
    )


def _heat(principal: Principal, ask: AskHeat, reading: Reading) -> Iterator[Labelled]:
    box = west, south, east, north = map_box_of(ask.bbox)
    from_ms, until_ms = _span(ask, 1, reading.now_ms())
    fixes = _fixes(reading, box, from_ms, until_ms)
    top, bottom = _mercator(np.array([north, south]))
    edge = max((east - west), (top - bottom)) / CELLS_ACROSS
    rows, cols = max(1, math.ceil((top - bottom) / edge)), max(1, math.ceil((east - west) / edge))
    row = np.floor((top - _mercator(fixes.lat)) / (top - bottom) * rows).astype(np.int64)
    col = np.floor((fixes.lon - west) / (east - west) * cols).astype(np.int64)
    inside = (row >= 0) & (row < rows) & (col >= 0) & (col < cols)
    keys = np.stack([fixes.who, fixes.at_ms // QUARTER_MS, row * cols + col], axis=1)[inside]
    stays = np.unique(keys, axis=0)
    counts = np.bincount(stays[:, 2], minlength=rows * cols)
    most = int(counts.max(initial=0))
    # The root keeps the roads visible beside the camp; the legend says so.
    bytes_ = np.ceil(255 * np.sqrt(counts / max(most, 1))).astype(np.uint8)
    grid = HeatGrid(
        west=west,
        south=south,
        east=east,
        north=north,
        rows=rows,
        cols=cols,
        from_ms=fixes.from_ms,
        until_ms=until_ms,
        is_cut=fixes.is_cut,
        most=most,
        movers=len(np.unique(stays[:, 0])),
        counts=base64.b64encode(bytes_.tobytes()).decode(),
    )
    # Made of positions that the asker may have only, so nothing is left to be released.
    yield Labelled(grid, None, reading.context)


def _mercator(lat_deg: Floats) -> Floats:
    """Northing in degrees of longitude."""
    lat = np.radians(np.clip(lat_deg, -89.9, 89.9))
    return np.asarray(np.degrees(np.log(np.tan(np.pi / 4 + lat / 2))))


def _rhythm(principal: Principal, ask: AskRhythm, reading: Reading) -> Iterator[Labelled]:
    from aquila.fusion.geofence import fences_of

    fences = fences_of([corners_of(ask.corners)])
    from_ms, until_ms = _span(ask, 28, reading.now_ms())
    fixes = _fixes(reading, Box(*fences.areas[0].bounds), from_ms, until_ms)
    inside, _ = fences.inside(np.column_stack([fixes.lon, fixes.lat]))
    who, at_ms = fixes.who[inside], fixes.at_ms[inside]
    # Days before anything was kept of anybody are not days without anybody: nobody knows.
    since_ms = max(fixes.from_ms, int(fixes.at_ms.min(initial=until_ms)))
    days = _days(who, at_ms, since_ms, until_ms)
    before, after, change = compare([day.movers for day in days])
    row = RhythmRow(
        from_ms=since_ms,
        until_ms=until_ms,
        is_cut=fixes.is_cut,
        hours=_week(who, at_ms, since_ms, until_ms),
        days=days,
        before=before,
        after=after,
        change=change,
    )
    yield Labelled(row, None, reading.context)


def _days(who: Ints, at_ms: Ints, since_ms: int, until_ms: int) -> tuple[DayCount, ...]:
    """Each whole day, with how many different movers there were."""
    first, last = math.ceil(since_ms / DAY_MS), until_ms // DAY_MS
    pairs = np.unique(np.stack([at_ms // DAY_MS, who], axis=1), axis=0)
    return tuple(DayCount(day * DAY_MS, int((pairs[:, 0] == day).sum())) for day in range(first, last))


def _week(who: Ints, at_ms: Ints, since_ms: int, until_ms: int) -> tuple[float, ...]:
    """For each hour of the week the mean number of movers; -1 = that hour never was whole."""
    hours = np.arange(math.ceil(since_ms / HOUR_MS), until_ms // HOUR_MS)
    times = np.bincount(_hour_of_week(hours), minlength=168)
    pairs = np.unique(np.stack([at_ms // HOUR_MS, who], axis=1), axis=0)
    pairs = pairs[np.isin(pairs[:, 0], hours)]
    counts = np.bincount(_hour_of_week(pairs[:, 0]), minlength=168)
    means = np.where(times > 0, counts / np.maximum(times, 1), -1)
    return tuple(round(float(each), 2) for each in means)


def _hour_of_week(hours: Ints) -> Ints:
    return np.asarray((hours - MONDAY_MS // HOUR_MS) % 168)


def compare(counts: list[int]) -> tuple[float | None, float | None, Literal["more", "less", "steady", "unknown"]]:
    """Mean of the first half, of the second half, and whether they differ by more than chance.

    Counts of independent comings vary by the root of their sum (Poisson); beyond twice that it is said. Of an odd
    number of days the first is left out.
    """
    half = len(counts) // 2
    if half < 2:
        return None, None, "unknown"
    first, second = sum(counts[-2 * half : -half]), sum(counts[-half:])
    differs = abs(second - first) > 2 * math.sqrt(first + second)
    change: Literal["more", "less", "steady"] = "steady" if not differs else "more" if second > first else "less"
    return round(first / half, 1), round(second / half, 1), change


activity_queries = (
    Query(
        name="pattern_heat",
        path="/pattern-heat",
        request=AskHeat,
        row=HeatGrid,
        role="viewer",
        answer=_heat,
        one=True,
        blocking=True,
        summary="How much time was spent where, in a box and a span of time",
    ),
    Query(
        name="pattern_rhythm",
        path="/pattern-rhythm",
        request=AskRhythm,
        row=RhythmRow,
        role="viewer",
        answer=_rhythm,
        one=True,
        blocking=True,
        summary="Hour by weekday and the trend of an area",
    ),
)
