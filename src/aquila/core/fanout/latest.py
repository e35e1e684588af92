"""The newest state of everything, for newcomers and for links that missed some."""

from collections.abc import Hashable, Iterable, Iterator

from aquila.core.fanout.run import LabelClass, Sent, is_stale

LATEST_MAX = 100_000
"""States kept for newcomers and slow links; beyond this the ones that changed longest ago go first."""
LATEST_BYTES_MAX = 128 << 20
"""What their originals may hold together, for the same rule; the forms they are sent in come on top."""


class LatestStates:
    """The newest state per (key, label class), in order of last change."""

    def __init__(self) -> None:
        self._states: dict[tuple[Hashable, LabelClass], Sent] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._states)

    def __iter__(self) -> Iterator[Sent]:
        return iter(self._states.values())

    @property
    def are_too_many(self) -> bool:
        """Is a bound reached?"""
        return len(self._states) > LATEST_MAX or self._bytes > LATEST_BYTES_MAX

    def put(self, key: Hashable, item: Sent) -> None:
        """A new state: it stands last, for it changed last."""
        # Popped first: a dict would keep the first place of a key.
        place = (key, item.marking)
        self._states.pop(place, None)
        self._states[place] = item
        self._bytes += original_bytes(item)

    def forget(self, key: Hashable, markings: Iterable[LabelClass]) -> None:
        """Let go of the states of an entity under these label classes."""
        for marking in markings:
            self._states.pop((key, marking), None)

    def changed_since(self, number: int) -> Iterator[Sent]:
        """Those published after this running number, newest first."""
        for item in reversed(self._states.values()):
            if item.number <= number:
                return
            yield item

    def drop_stale(self, now_ms: int) -> int:
        """Let stale states go, then the oldest beyond the bounds; gives how many of these."""
        for place in [place for place, item in self._states.items() if is_stale(item, now_ms)]:
            del self._states[place]
        # Those that were replaced meanwhile were counted too: here it is made exact again.
        self._bytes = sum(map(original_bytes, self._states.values()))
        forgotten = 0
        for place in list(self._states):
            if not self.are_too_many:
                break
            self._bytes -= original_bytes(self._states.pop(place))
            forgotten += 1
        return forgotten


def original_bytes(item: Sent) -> int:
    """What it weighs."""
    original = item.outbound.original
    return 0 if original is None else len(original.data)
