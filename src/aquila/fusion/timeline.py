"""Scans in any order: a ring of snapshots, and a replay that ends in the same bits as the run in order."""

from collections import deque
from enum import StrEnum
from typing import Any

from aquila.fusion.sensors import Scan
from aquila.fusion.tracker import Tracker

DEPTH = 40


class Taken(StrEnum):
    """What became of a scan."""

    IN_ORDER = "in order"
    REPLAYED = "replayed"
    TOO_LATE = "too late"
    TWICE = "twice"


class Timeline:
    """Feeds a tracker. A late scan goes back to the snapshot before its time and replays all that came after."""

    def __init__(self, tracker: Tracker, depth: int = DEPTH) -> None:
        self.tracker = tracker
        self._ring: deque[tuple[Scan, dict[str, Any]]] = deque(maxlen=depth)
        self.counts = dict.fromkeys(Taken, 0)

    @property
    def oldest_s(self) -> float:
        """A scan before this time is too late; minus infinity while the ring holds all there was."""
        maxlen = self._ring.maxlen or 0
        return self._ring[0][0].t_s if len(self._ring) == maxlen else float("-inf")

    def offer(self, scan: Scan) -> Taken:
        """Take one scan, whenever it comes. Too late and sent twice are counted, not taken."""
        taken = self._place(scan)
        self.counts[taken] += 1
        return taken

    def _place(self, scan: Scan) -> Taken:
        key = (scan.t_s, scan.sensor)
        later: list[Scan] = []
        if any((old.t_s, old.sensor) == key for old, _ in self._ring):
            return Taken.TWICE
        if self._ring and key < (self._ring[-1][0].t_s, self._ring[-1][0].sensor):
            if scan.t_s < self.oldest_s:
                return Taken.TOO_LATE
            state: dict[str, Any] | None = None
            while self._ring and key < (self._ring[-1][0].t_s, self._ring[-1][0].sensor):
                old, state = self._ring.pop()
                later.append(old)
            assert state is not None
            self.tracker.restore(state)
        for one in (scan, *reversed(later)):
            self._ring.append((one, self.tracker.state()))
            self.tracker.scan(one)
        return Taken.REPLAYED if later else Taken.IN_ORDER
