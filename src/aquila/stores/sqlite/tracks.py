"""Where was who: thinned track points, clustered by ten minutes and by cells of 0.05 degrees."""

import math
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec

from aquila.core.box import Box
from aquila.core.model import Context, Label
from aquila.core.policy import Thinning
from aquila.stores.sqlite.marking import class_id

BUCKET_MS = 600_000
CELL_DEG = 0.05
RANGES_MAX = 20_000
"""More (bucket, row of cells) ranges than this and whole buckets are read instead."""
POINTS_MAX = 200_000
PRUNE_ROWS = 5_000

_SELECT = "SELECT uid, t, lat, lon, hae, course, speed, class, ended IS NOT NULL, valid, source FROM track"
_METRES_PER_DEG = 111_320.0


class TrackPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One kept position of one entity.

    Time in UTC ms, degrees, metres above the ellipsoid, degrees true, m/s. ended: there is no more of it since then.
    source: who said it. valid_ms: for how long he asked to be believed; None = he did not say.
    """

    entity: str
    at_ms: int
    lat_deg: float
    lon_deg: float
    label: Label
    context: Context
    hae_m: float | None = None
    course_deg: float | None = None
    speed_mps: float | None = None
    ended: bool = False
    source: str | None = None
    valid_ms: int | None = None


class TrackRow(msgspec.Struct, frozen=True):
    """A track point as it lies in the table; `label_class` is a number of `marking.classes`.

    source None = kept by an Aquila that kept neither source nor validity.
    """

    entity: str
    at_ms: int
    lat_deg: float
    lon_deg: float
    hae_m: float | None
    course_deg: float | None
    speed_mps: float | None
    label_class: int
    ended: bool
    valid_ms: int | None
    source: str | None


class TrackAnswer(msgspec.Struct, frozen=True):
    """Points in order of entity and time; `cut` = there are more than the limit allowed."""

    points: list[TrackRow]
    cut: bool


class Kept(msgspec.Struct, frozen=True):
    """What thinning remembers of the last point that was kept.

    stale_at_ms: until when it is believed; None = its reporter did not say.
    """

    at_ms: int
    lat_deg: float
    lon_deg: float
    course_deg: float | None
    stale_at_ms: int | None = None


def is_worth_keeping(rule: Thinning, last: Kept | None, point: TrackPoint, gap_ms: int = 0) -> bool:
    """Should this point go into the track table, given the last that did?

    gap_ms: since what was heard before it, kept or not: the next is expected as long after it. A look back knows kept
    points only, so one is kept before the last goes stale, else who reports and stands would look stale there.
    """
    if point.ended or last is None or abs(point.at_ms - last.at_ms) >= rule.silent_ms:
        return True
    if last.stale_at_ms is not None and point.at_ms + gap_ms > last.stale_at_ms:
        return True
    north_m = (point.lat_deg - last.lat_deg) * _METRES_PER_DEG
    turn = (point.lon_deg - last.lon_deg + 180.0) % 360.0 - 180.0
    east_m = turn * _METRES_PER_DEG * math.cos(math.radians(point.lat_deg))
    if math.hypot(north_m, east_m) >= rule.moved_m:
        return True
    # A compass at rest wanders; only who moves, turns.
    if point.course_deg is None or last.course_deg is None or (point.speed_mps or 0.0) < rule.turning_speed_mps:
        return False
    turned_deg = abs((point.course_deg - last.course_deg + 180.0) % 360.0 - 180.0)
    return turned_deg >= rule.turned_deg


def cell_of(lat_deg: float, lon_deg: float) -> int:
    """The number of the cell that holds a place.

    Floor, not truncation, so that cells are equal around zero.
    """
    return math.floor(lat_deg / CELL_DEG) * 10_000 + math.floor(lon_deg / CELL_DEG)


class Tracks:
    """The track table over one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def insert(self, points: Sequence[TrackPoint]) -> None:
        """Keep points, in the caller's transaction.

        The same entity, time and marking twice counts once; that it has ended then is not lost.
        """
        uids: dict[str, int] = {}
        numbers: dict[tuple[Context, Label], int] = {}
        sources: dict[str | None, int | None] = {None: None}
        rows = []
        for point in points:
            uid = uids.get(point.entity)
            if uid is None:
                uid = uids[point.entity] = self._uid(point.entity, make=True) or 0
            marking = (point.context, point.label)
            number = numbers.get(marking)
            if number is None:
                number = numbers[marking] = class_id(self._connection, *marking)
            if point.source is not None and point.source not in sources:
                sources[point.source] = self._source(point.source)
            rows.append(
                (
                    point.at_ms // BUCKET_MS,
                    cell_of(point.lat_deg, point.lon_deg),
                    point.at_ms,
                    uid,
                    number,
                    point.lat_deg,
                    point.lon_deg,
                    point.hae_m,
                    point.course_deg,
                    point.speed_mps,
                    1 if point.ended else None,
                    sources[point.source],
                    point.valid_ms,
                )
            )
        self._connection.executemany(
            "INSERT INTO track VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)"
            " ON CONFLICT DO UPDATE SET ended=1 WHERE excluded.ended",
            rows,
        )

    def _uid(self, entity: str, *, make: bool = False) -> int | None:
        found = self._connection.execute("SELECT uid FROM track_entity WHERE entity=?", (entity,)).fetchone()
        if found is None and make:
            found = self._connection.execute(
                "INSERT INTO track_entity(entity) VALUES(?) RETURNING uid", (entity,)
            ).fetchone()
        return None if found is None else int(found[0])

    def _source(self, source: str) -> int:
        found = self._connection.execute("SELECT id FROM track_source WHERE source=?", (source,)).fetchone()
        if found is None:
            found = self._connection.execute(
                "INSERT INTO track_source(source) VALUES(?) RETURNING id", (source,)
            ).fetchone()
        return int(found[0])

    def inside(
        self,
        box: Box,
        from_ms: int,
        until_ms: int,
        *,
        label_classes: Collection[int] | None = None,
        limit: int = POINTS_MAX,
    ) -> TrackAnswer:
        """Points in the box with from_ms <= t <= until_ms.

        `label_classes` None = all, else only of these. Raises ValueError for a box that is none.
        """
        buckets = self._buckets(from_ms // BUCKET_MS, until_ms // BUCKET_MS)
        rows: list[tuple[Any, ...]] = []
        cut = False
        for half in box.checked().halves():
            for row in self._scan(half, buckets, from_ms, until_ms):
                if label_classes is not None and row[7] not in label_classes:
                    continue
                if len(rows) == limit:
                    cut = True
                    break
                rows.append(row)
        return TrackAnswer(self._named(rows), cut)

    def _scan(self, box: Box, buckets: list[int], from_ms: int, until_ms: int) -> Iterator[tuple[Any, ...]]:
        bounds = (from_ms, until_ms, box.south, box.north, box.west, box.east)
        first_row, last_row = (
            math.floor(box.south / CELL_DEG),
            math.floor(box.north / CELL_DEG),
        )
        first_cell, last_cell = (
            math.floor(box.west / CELL_DEG),
            math.floor(box.east / CELL_DEG),
        )
        if len(buckets) * (last_row - first_row + 1) > RANGES_MAX:
            # A large box over a long time: seeking each row of cells costs more than reading the
            # buckets whole.
            ranges = [(bucket, first_row * 10_000 - 5_000, last_row * 10_000 + 5_000) for bucket in buckets]
        else:
            ranges = [
                (bucket, row * 10_000 + first_cell, row * 10_000 + last_cell)
                for bucket in buckets
                for row in range(first_row, last_row + 1)
            ]
        for span in ranges:
            yield from self._connection.execute(
                f"{_SELECT} WHERE bucket=?"
                " AND cell BETWEEN ? AND ?"
                " AND t BETWEEN ? AND ? AND lat BETWEEN ? AND ? AND lon BETWEEN ? AND ?",
                span + bounds,
            )

    def _buckets(self, first: int, last: int) -> list[int]:
        """The buckets that hold anything, found by skipping from one to the next."""
        rows = self._connection.execute(
            "WITH RECURSIVE step(b) AS (SELECT min(bucket) FROM track WHERE bucket>=?1"
            " UNION ALL SELECT (SELECT min(bucket) FROM track WHERE bucket>b) FROM step WHERE b<?2)"
            " SELECT b FROM step WHERE b<=?2",
            (first, last),
        )
        return [row[0] for row in rows]

    def of_entity(
        self,
        entity: str,
        from_ms: int,
        until_ms: int,
        *,
        label_classes: Collection[int] | None = None,
        limit: int = POINTS_MAX,
    ) -> TrackAnswer:
        """The newest points of one entity with from_ms <= t <= until_ms, in order of time."""
        cursor = self._connection.execute(
            f"{_SELECT} INDEXED BY track_uid WHERE uid=? AND t BETWEEN ? AND ? ORDER BY t DESC",
            (self._uid(entity), from_ms, until_ms),
        )
        rows: list[tuple[Any, ...]] = []
        cut = False
        for row in cursor:
            if label_classes is not None and row[7] not in label_classes:
                continue
            if len(rows) == limit:
                cut = True
                break
            rows.append(row)
        return TrackAnswer(self._named(rows), cut)

    def _named(self, rows: list[tuple[Any, ...]]) -> list[TrackRow]:
        """Rows of `_SELECT`. The table is STRICT, so its columns have the types that the struct wants."""
        uids = sorted({row[0] for row in rows if row[0] is not None})
        named = self._connection.execute(
            "SELECT uid, entity FROM track_entity WHERE uid IN (SELECT value FROM json_each(?))",
            (msgspec.json.encode(uids).decode(),),
        )
        names = dict(named.fetchall())
        sources = dict(self._connection.execute("SELECT id, source FROM track_source").fetchall())
        points = [
            TrackRow(names[uid], at_ms, lat, lon, hae, course, speed, marking, bool(ended), valid, sources.get(source))
            for uid, at_ms, lat, lon, hae, course, speed, marking, ended, valid, source in rows
        ]
        points.sort(key=lambda point: (point.entity, point.at_ms))
        return points

    def prune(self, before_ms: int, limit: int = PRUNE_ROWS) -> bool:
        """Drop about `limit` points of buckets wholly before this time; True = more are left.

        In the caller's transaction.
        """
        last = before_ms // BUCKET_MS - 1
        found = self._connection.execute("SELECT min(bucket) FROM track WHERE bucket<=?", (last,)).fetchone()
        if found[0] is None:
            self._connection.execute(
                "DELETE FROM track_entity WHERE NOT EXISTS (SELECT 1 FROM track WHERE track.uid=track_entity.uid)"
            )
            return False
        edge = self._connection.execute(
            "SELECT cell FROM track WHERE bucket=? ORDER BY cell LIMIT 1 OFFSET ?",
            (found[0], limit),
        ).fetchone()
        if edge is None:
            self._connection.execute("DELETE FROM track WHERE bucket=?", found)
        else:
            self._connection.execute("DELETE FROM track WHERE bucket=? AND cell<=?", (found[0], edge[0]))
        return True
