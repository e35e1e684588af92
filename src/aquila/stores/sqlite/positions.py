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
        self._busy = False
        self.dropped_count = 0

    def hear(self, sample: Sample, at_ms: int, *, track: bool = True) -> None:
        """Take note of a sample that holds good at `at_ms` (UTC ms.

        The received time when its own is wrong). track: False = only the newest is kept.
        """
        report = sample.report
        key = (report.entity, sample.context, sample.label)
        self._newest[key] = sample
        position, motion = report.position, report.motion
        if position is None or not track:
            return
        point = TrackPoint(
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
        )
        if not is_worth_keeping(self._thinning, self._last.get(key), point):
            return
        if len(self._last) >= REMEMBERED_MAX:
            # Forgetting costs one point too many per entity, never one too few.
            self._last.clear()
        self._last[key] = Kept(at_ms, point.lat_deg, point.lon_deg, point.course_deg)
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
