"""Intake: between a wire and who takes what it brings. What a wire may say. Turns: no feed has the loop alone."""

import asyncio
from collections.abc import Callable
from time import thread_time
from typing import Final, Protocol

import msgspec

from aquila.core.errors import AquilaError, CodecError

CONNECT_S: Final = 10.0
READ_BYTES: Final = 65_536
SLICE_S: Final = 0.005
"""So long a feed works before it rests.

What it does at once (one datagram, one read) is not cut.
"""
REST_FROM_S: Final = 0.002
REST: Final = (1.0, 3.0)
"""A feed rests so many times longer than it has worked: where nobody else wants the loop, and where others do.

So it has at most half of a loop that is idle but for it, and a quarter of one that is not; the threads beside the loop
live on what is left.
"""
OTHERS_S: Final = 0.001
"""Who lets others go first and waits longer than this is not alone."""


class FeedLostError(AquilaError):
    """The source is not there, or is gone; it is tried again later."""


class Spoken(msgspec.Struct, frozen=True):
    """What a wire may say to its source.

    Attributes:
        password: of the name in the address; None = there is none.
        hello: bytes that open the connection. alive: bytes that keep it. Empty = nothing is said.
    """

    password: str | None = None
    hello: bytes = b""
    alive: bytes = b""


class Intake(Protocol):
    """Who takes what a wire brings."""

    def up(self) -> None:
        """The source is there."""
        ...

    def take(self, data: bytes, whole: bool, topic: str = "") -> None:
        """Bytes as they came. Raises FeedLostError for another format.

        Args:
            data: the bytes.
            whole: a datagram, a message or a file ends here.
            topic: under which a broker has passed the message on; empty = there is no such thing on this wire.
        """
        ...

    def unread(self, error: CodecError) -> None:
        """Something came that the wire does not hand over; it is counted by its reason."""
        ...

    def dropped(self, count: int) -> None:
        """So many datagrams had no room in the kernel since the source was up."""
        ...

    def recorded_s(self) -> float:
        """So much time has passed in the recording, as far as it says so."""
        ...

    def read_count(self) -> int:
        """Readings so far."""
        ...


class Turns:
    """Sees to it that one feed does not take the loop from all others."""

    def __init__(self) -> None:
        self._clock: Callable[[], float] = asyncio.get_running_loop().time
        self._spent_s = 0.0

    @property
    def is_over(self) -> bool:
        """Has the feed worked so long that others are to have their turn?"""
        return self._spent_s >= SLICE_S

    def work(self, intake: Intake, data: bytes, whole: bool, topic: str = "") -> None:
        """Hand bytes over and note how much of the processor that took.

        Not how long: a node whose machine is full waits in the middle of it, and would then rest for that, too, while
        what has come meanwhile piles up.
        """
        began_s = thread_time()
        intake.take(data, whole, topic)
        self._spent_s += thread_time() - began_s

    async def rest(self) -> None:
        """Let others work."""
        if self._spent_s < REST_FROM_S:
            return
        began_s = self._clock()
        await asyncio.sleep(0)
        others_s = self._clock() - began_s
        await asyncio.sleep(max(self._spent_s * REST[others_s > OTHERS_S] - others_s, 0.0))
        self._spent_s = 0.0
