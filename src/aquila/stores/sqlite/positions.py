"""Positions between two flushes: the newest of every entity, and the track points worth keeping."""

import sqlite3
from collections.abc import Callable

from aquila.core.errors import Refused
from aquila.core.model import Context, Label, Sample
from aquila.core.policy import Thinning
from aquila.stores.sqlite.latest import Latest
from aquila.stores.sqlite.tracks import Kept, TrackPoint, Tracks, is_worth_keeping
from aquila.stores.sqlite.writer import GroupWriter

POINTS_MAX = 100_000
"""Track points that wait while the disk does not take them.

Beyond, the oldest are dropped and counted.
"""
ROWS_PER_STEP = 500
REMEMBERED_MAX = 100_000


class Positions:
    """Hears samples in the caller's thread and has them written once a second.

    Kill -9 costs the last second.

    Args:
        writer: whose `later` does the writing, between the statements.
        thinning: which positions go into the track table.
    """

    def __init__(self, writer: GroupWriter, thinning: Thinning | None = None) -> None:
        self._writer = writer
        self._thinning = thinning or Thinning()
        self._newest: dict[tuple[str, Context, Label], Sample] = {}
        self._points: list[TrackPoint] = []
        self._last: dict[tuple[str, Context, Label], Kept] = {}
        # What thinning left out since the last kept point, the one heard longest ago first.
        self._left_out: dict[tuple[str, Context, Label], TrackPoint] = {}
        self._busy = False
        self.dropped_count = 0

    def hear(self, sample: Sample, at_ms: int, *, track: bool = True) -> None:
        """Take note of a sample that holds good at `at_ms` (UTC ms.

        The received time when its own is wrong). track: False = only the newest is kept.
        """
        report = sample.report
        key = (report.entity, sample.context, sample.label)
        self._newest[key] = sample
        if report.position is None or not track:
            return
        point = _point_of(sample, at_ms)
        last, before = self._last.get(key), self._left_out.pop(key, None)
        heard = before or last
        gap_ms = 0 if heard is None else max(0, at_ms - heard.at_ms)
        if before is not None and _went_stale(before, at_ms):
            self._keep(key, before)
            last = self._last[key]
        if is_worth_keeping(self._thinning, last, point, gap_ms):
            self._keep(key, point)
        else:
            self._left_out[key] = point

    def settle(self, now_ms: int | None = None) -> None:
        """Keep the last word of those who fell silent: call it once a second. None = of all, since the node stops.

        Else a look back would have them silent since the last point that thinning let through, up to a minute earlier.
        """
        silent = []
        for key, point in self._left_out.items():
            if now_ms is not None and now_ms - point.at_ms < self._thinning.silent_ms:
                break
            silent.append((key, point))
        for key, point in silent:
            del self._left_out[key]
            self._keep(key, point)

    def _keep(self, key: tuple[str, Context, Label], point: TrackPoint) -> None:
        if len(self._last) >= REMEMBERED_MAX:
            # Forgetting costs one point too many per entity, never one too few.
            self._last.clear()
        stale_at_ms = None if point.valid_ms is None else point.at_ms + point.valid_ms
        self._last[key] = Kept(point.at_ms, point.lat_deg, point.lon_deg, point.course_deg, stale_at_ms)
        if len(self._points) >= POINTS_MAX:
            self.dropped_count += len(self._points) - POINTS_MAX // 2
            del self._points[: len(self._points) - POINTS_MAX // 2]
        self._points.append(point)

    def flush(self, done: Callable[[Refused | None], None] | None = None) -> bool:
        """Have all that was heard written; call it twice a second.

        False = the last flush is not through: kept for later.
        """
        if self._busy or not (self._newest or self._points):
            return not self._busy
        newest, points = self._newest, self._points
        samples = list(newest.values())
        samples_at = points_at = 0

        def step(connection: sqlite3.Connection) -> bool:
            nonlocal samples_at, points_at
            if samples_at < len(samples):
                Latest(connection).put(samples[samples_at : samples_at + ROWS_PER_STEP])
                samples_at += ROWS_PER_STEP
            else:
                Tracks(connection).insert(points[points_at : points_at + ROWS_PER_STEP])
                points_at += ROWS_PER_STEP
            return samples_at < len(samples) or points_at < len(points)

        def over(refused: Refused | None) -> None:
            self._busy = False
            if refused is not None:
                # The disk refuses: newer ones win, the rest waits for the next flush.
                self._newest = {**newest, **self._newest}
                self._points = (points + self._points)[-POINTS_MAX:]
            if done is not None:
                done(refused)

        if not self._writer.later(step, over):
            return False
        self._busy = True
        self._newest, self._points = {}, []
        return True


def _point_of(sample: Sample, at_ms: int) -> TrackPoint:
    """Of a sample with a position that holds good at `at_ms`."""
    report = sample.report
    position, motion = report.position, report.motion
    assert position is not None
    return TrackPoint(
        entity=report.entity,
        at_ms=at_ms,
        lat_deg=position.lat_deg,
        lon_deg=position.lon_deg,
        label=sample.label,
        context=sample.context,
        hae_m=position.hae_m,
        course_deg=None if motion is None else motion.course_deg,
        speed_mps=None if motion is None else motion.speed_mps,
        ended=report.ended,
        source=sample.author,
        valid_ms=None if report.stale_at_ms is None else max(0, report.stale_at_ms - report.observed_at_ms),
    )


def _went_stale(point: TrackPoint, at_ms: int) -> bool:
    return point.valid_ms is not None and at_ms - point.at_ms > point.valid_ms
