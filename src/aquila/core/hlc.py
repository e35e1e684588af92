"""Hybrid logical clock: 48 bits of milliseconds and 16 bits of counter in one integer, never going back."""

from collections.abc import Callable

MAX_AHEAD_MS = 600_000
"""A remote clock further ahead than this is clamped and counted."""


class HybridClock:
    """Gives strictly increasing readings from a wall clock that may stand still or jump back.

    Args:
        clock_ms: the wall clock, UTC milliseconds.
        last: the last reading before a restart, so that readings go on increasing.
    """

    def __init__(self, clock_ms: Callable[[], int], last: int = 0) -> None:
        self._clock_ms = clock_ms
        self.last = last
        self.clamped_count = 0

    def tick(self) -> int:
        """A new reading, greater than every earlier one."""
        wall = self._clock_ms() << 16
        self.last = wall if wall > self.last else self.last + 1
        return self.last

    def hear(self, remote: int) -> int:
        """Take note of a peer's reading; gives it back, clamped when it lies more than MAX_AHEAD_MS ahead."""
        limit = (self._clock_ms() + MAX_AHEAD_MS) << 16
        if remote > limit:
            self.clamped_count += 1
            remote = limit
        self.last = max(self.last, remote)
        return remote


def hlc_ms(reading: int) -> int:
    """The milliseconds part of a reading."""
    return reading >> 16
