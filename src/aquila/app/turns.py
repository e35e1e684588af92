"""Brings calls of other threads home to a loop, one a turn, so that everybody else has a turn between two of them."""

import asyncio
from collections import deque
from collections.abc import Callable


class Turns:
    """Calls come home in the order in which they were given."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[Callable[[], None]] = deque()
        self._is_on = False

    def deliver(self, call: Callable[[], None]) -> None:
        """From any thread. Raises RuntimeError when the loop is closed."""
        self._waiting.append(call)
        self._loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        # Calls that were given while one ran are in the loop's same round: without this they would all run in it.
        if self._waiting and not self._is_on:
            self._turn()

    def _turn(self) -> None:
        call = self._waiting.popleft()
        # Before the call, which may fail: the next one has its turn all the same.
        self._is_on = bool(self._waiting)
        if self._is_on:
            self._loop.call_soon(self._turn)
        call()


def deliver_to(loop: asyncio.AbstractEventLoop) -> Callable[[Callable[[], None]], None]:
    """Brings the journal writer's calls home to a loop's thread."""
    return Turns(loop).deliver
