"""WebSocket link: TAK frames in binary messages, for clients that come by HTTPS (/takproto/1). Protobuf from the start.

One event is one message. The web server carries the bytes: this link hands it whole messages, and takes no more than
`WAITING_BYTES`, so that what waits stays with the hub, where policy and newer positions can still take it back.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from aquila.core.codec import Session
from aquila.core.model import Principal, audience_of
from aquila.links.hub import Hub
from aquila.links.limits import Bucket, Limits
from aquila.links.peer import Clock, Edge, Peer

WAITING_BYTES = 65_536
Cut = Callable[[bytes | memoryview, int], tuple[list[bytes], int]]
"""Whole messages at the beginning of a stream, of at most so many bytes in all but at least one; and their bytes."""


class WebSocketLink(Peer):
    """One connection.

    Args:
        say: sends one binary message. hang_up: ends the connection.
        cut: finds the messages in a stream of the session's format.
        joined, left: told when the link is up and down, for who keeps count.
    """

    def __init__(
        self,
        hub: Hub,
        edge: Edge,
        limits: Limits,
        clock: Clock,
        address: str,
        *,
        say: Callable[[bytes], Awaitable[None]],
        hang_up: Callable[[str], Awaitable[None]],
        cut: Cut,
    ) -> None:
        super().__init__("websocket", hub, edge, limits, clock, address)
        self._say = say
        self._hang_up = hang_up
        self._cut = cut
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._news = asyncio.Event()
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._watches_room = False
        self._reason = ""

    def start(self, principal: Principal, session: Session) -> None:
        """A peer is known: let it in."""
        self.principal, self.session = principal, session
        rate = self.limits.rate_per_s
        if rate is not None:
            self._bucket = Bucket(rate, self.limits.burst, self._clock.loop.time())
        self.is_up = True
        self.edge.up(self)
        self.hub.join(self, audience_of(principal), session.format)

    async def write(self) -> None:
        """Send what waits, until the link is down."""
        while not self.is_down:
            while self._waiting and not self.is_down:
                message = self._waiting.popleft()
                await self._say(message)
                self._waiting_bytes -= len(message)
                self.out_bytes += len(message)
                self.moved_s = self._clock.loop.time()
                if self._watches_room and self._waiting_bytes < WAITING_BYTES // 2:
                    self.hub.has_room(self)
            self._news.clear()
            if not self._waiting and not self.is_down:
                await self._news.wait()
        await self._hang_up(self._reason)

    async def room(self) -> None:
        """Wait until more may be read from the peer."""
        await self._may_read.wait()

    # -- see Peer and hub.Port --------------------------------------------------------------------------------------

    def send(self, data: bytes | memoryview) -> int:
        """Take whole messages, as many as there is room for."""
        room = WAITING_BYTES - self._waiting_bytes
        if self.is_down or room <= 0:
            return 0
        messages, taken = self._cut(data, room)
        self._waiting.extend(messages)
        self._waiting_bytes += taken
        self._news.set()
        return taken

    def watch_room(self, watch: bool) -> None:
        """Call the hub when there is room again, from now on or no more."""
        self._watches_room = watch

    def watch_reading(self) -> None:
        """See Peer."""
        if self.wants_more or self.is_down:
            self._may_read.set()
        else:
            self._may_read.clear()

    def close(self, reason: str) -> None:
        """End the connection; what was not sent is told to the edge."""
        if self.is_down:
            return
        self.is_down = True
        self._reason = reason
        if self._wait is not None:
            self._wait.cancel()
        undelivered = self.hub.leave(self.id)
        self.watch_reading()
        self._news.set()
        if self.is_up:
            self.edge.down(self, reason, undelivered)
