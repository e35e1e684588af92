"""Poller: one epoll of our own for all links, so that they are read in rounds and not one by one.

The loop watches this epoll as if it were a single socket. Between two flushes the hub takes it off the loop: what comes
meanwhile waits in the kernel and is read in one go, which costs a fifth of waking up for every report.
"""

import asyncio
import select
from collections.abc import Callable
from typing import Protocol

READ = select.EPOLLIN
WRITE = select.EPOLLOUT
ROUND_S = 0.02
"""A round stops reading after this long and lets the loop do other work; the next one goes on where it stopped."""
READY_MAX = 4_096


class Watched(Protocol):
    """Something with a descriptor that becomes readable or writable."""

    def readable(self) -> None:
        """There are bytes, or the peer is gone."""
        ...

    def writable(self) -> None:
        """It takes bytes again."""
        ...


class Poller:
    """Descriptors of links, and the rounds in which they are served."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._watched: dict[int, Watched] = {}
        self._left: list[tuple[int, int]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._on_ready: Callable[[], None] | None = None
        self._resting = True

    def start(self, loop: asyncio.AbstractEventLoop, on_ready: Callable[[], None]) -> None:
        """Call `on_ready` whenever a descriptor is ready; it is to call `serve`."""
        self._loop = loop
        self._on_ready = on_ready
        self.rest(False)

    def stop(self) -> None:
        """Watch nothing any more."""
        self.rest(True)
        self._loop = None

    def rest(self, rest: bool) -> None:
        """Leave everything in the kernel for a while, or be told again."""
        if self._loop is None or rest == self._resting:
            return
        self._resting = rest
        if rest:
            self._loop.remove_reader(self._epoll.fileno())
        elif self._on_ready is not None:
            self._loop.add_reader(self._epoll.fileno(), self._on_ready)

    def watch(self, descriptor: int, watched: Watched, events: int) -> None:
        """Serve this descriptor when it is ready for `events`; 0 = only when the peer is gone."""
        if descriptor in self._watched:
            self._epoll.modify(descriptor, events)
        else:
            self._epoll.register(descriptor, events)
        self._watched[descriptor] = watched

    def unwatch(self, descriptor: int) -> None:
        """Serve this descriptor no more; call it before the descriptor is closed."""
        if self._watched.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def serve(self) -> bool:
        """Serve whatever is ready; True = time was up and some are left for the next round."""
        loop, watched = self._loop, self._watched
        if loop is None:
            return False
        ready = self._left or self._epoll.poll(0, READY_MAX)
        self._left = []
        until_s = loop.time() + ROUND_S
        for place, (descriptor, events) in enumerate(ready):
            link = watched.get(descriptor)
            if link is None:
                continue
            if events & WRITE:
                link.writable()
            if events & ~WRITE and watched.get(descriptor) is link:
                link.readable()
            if loop.time() > until_s and place + 1 < len(ready):
                self._left = ready[place + 1 :]
                return True
        return False
