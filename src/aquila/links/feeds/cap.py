"""Cap: how much of a feed may go on in a second. Beyond it only the newest of each entity waits its turn. Pure."""

from collections import OrderedDict
from typing import Final

from aquila.core.sensing import Sensed

WAITING_MAX: Final = 10_000
"""Entities of one feed that wait; one more puts out the one that has waited longest."""


class Allowance:
    """So many a second, and as many at once after a quiet second.

    Args:
        rate_per_s: how many. now_s: a clock that only goes forward.
    """

    def __init__(self, rate_per_s: float, now_s: float) -> None:
        self._rate_per_s = rate_per_s
        self._left = self._most = max(1.0, rate_per_s)
        self._at_s = now_s

    def take(self, now_s: float) -> bool:
        """May one more go on?"""
        self._left = min(self._most, self._left + (now_s - self._at_s) * self._rate_per_s)
        self._at_s = now_s
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


class Waiting:
    """The newest of each entity that the cap holds back, in order of their coming.

    Attributes:
        superseded_count: those that a newer one of the same entity has replaced, or that had no room.
    """

    def __init__(self) -> None:
        self.superseded_count = 0
        self._newest: OrderedDict[str, Sensed] = OrderedDict()

    def __len__(self) -> int:
        return len(self._newest)

    def put(self, key: str, sensed: Sensed) -> None:
        """Keep this one; it takes the place of an older one."""
        if key in self._newest:
            self.superseded_count += 1
        elif len(self._newest) >= WAITING_MAX:
            self._newest.popitem(last=False)
            self.superseded_count += 1
        self._newest[key] = sensed

    def put_back(self, key: str, sensed: Sensed) -> None:
        """This one was taken and could not go on: it is the first again, unless a newer one came meanwhile."""
        if key not in self._newest:
            self._newest[key] = sensed
            self._newest.move_to_end(key, last=False)

    def pop(self) -> tuple[str, Sensed]:
        """The one that has waited longest. Raises KeyError when none waits."""
        return self._newest.popitem(last=False)


class Rate:
    """How many a second, over the last whole seconds.

    Args:
        span_s: over so many of them.
    """

    def __init__(self, span_s: int = 10) -> None:
        self._span_s = span_s
        self._counts: OrderedDict[int, int] = OrderedDict()

    def count(self, now_s: float, many: int = 1) -> None:
        """So many more."""
        second = int(now_s)
        self._counts[second] = self._counts.get(second, 0) + many
        while len(self._counts) > self._span_s + 1:
            self._counts.popitem(last=False)

    def per_s(self, now_s: float) -> float:
        """The mean over the span, without the second that still runs."""
        now = int(now_s)
        return sum(many for second, many in self._counts.items() if now - self._span_s <= second < now) / self._span_s
