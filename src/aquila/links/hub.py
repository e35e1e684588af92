"""Hub: the async edge of the fan-out. It decides when to tick, writes what comes out, and minds links that do not read.

After a flush that took d, the next one waits min(max_tick, d x duty), so an idle node answers at once and under load
the batches grow by themselves. Everything runs on the loop's thread.
"""

import asyncio
import logging
from collections.abc import Callable, Hashable, Sequence
from typing import Protocol

from aquila.core.contacts import LinkId
from aquila.core.fanout import Batch, Fanout, Outbound, Reach, Release
from aquila.core.model import Audience
from aquila.links import why
from aquila.links.poller import Poller

log = logging.getLogger(__name__)

SWEEP_S = 1.0
LAG_S = 0.25


class Port(Protocol):
    """One connection as the hub sees it."""

    id: LinkId
    out_count: int

    def send(self, data: bytes | memoryview) -> int:
        """Write without waiting; gives how many bytes were taken. A dead connection takes 0 and closes itself."""
        ...

    def watch_room(self, watch: bool) -> None:
        """Call `Hub.has_room` whenever the connection takes bytes, from now on or no more."""
        ...

    def close(self, reason: str) -> None:
        """End the connection."""
        ...


class Hub:
    """One node's links and the fan-out between them.

    Args:
        fanout: the pure part.
        clock_ms: the wall clock.
        max_tick_ms: longest pause between two flushes.
        duty: share of a flush's own duration to pause after it; None = always pause max_tick_ms.
    """

    def __init__(
        self, fanout: Fanout, *, clock_ms: Callable[[], int], max_tick_ms: float = 20.0, duty: float | None = 1.0
    ) -> None:
        self.fanout = fanout
        self.loop_lag_ms = 0.0
        self.loop_lag_max_ms = 0.0
        self.flush_count = 0
        self.poller = Poller()
        self._clock_ms = clock_ms
        self._max_tick_s = max_tick_ms / 1000
        self._duty = duty
        self._ports: dict[LinkId, Port] = {}
        self._last_id = 0
        self._loop: asyncio.AbstractEventLoop
        self._running = False
        self._timer: asyncio.Handle | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._lagger: asyncio.TimerHandle | None = None
        self._in_round = False
        self._gap_s = 0.0

    # -- life -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to sweep and to measure the loop's lag; call it on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._running = True
        self.poller.start(self._loop, self._round)
        self._sweeper = self._loop.call_later(SWEEP_S, self._sweep)
        self._lagger = self._loop.call_later(LAG_S, self._measure_lag, self._loop.time() + LAG_S)
        self._schedule()

    def stop(self) -> None:
        """Flush what waits and end the timers; links are closed by those who opened them."""
        for timer in (self._timer, self._sweeper, self._lagger):
            if timer is not None:
                timer.cancel()
        self._timer = self._sweeper = self._lagger = None
        if self._running and self.fanout.has_work:
            self._running = False
            self._flush()
        self._running = False
        self.poller.stop()

    def new_id(self) -> LinkId:
        """A name for one more connection."""
        self._last_id += 1
        return self._last_id

    # -- links ------------------------------------------------------------------------------------------------------

    def join(
        self,
        port: Port,
        audience: Audience,
        format: str,
        *,
        greeting: bytes = b"",
        own: Hashable | None = None,
        committed_bytes: int = 0,
    ) -> None:
        """Let a connection in: it is sent the picture so far, then the greeting, then whatever comes."""
        self._ports[port.id] = port
        batch = self.fanout.join(port.id, audience, format, greeting=greeting, own=own, committed_bytes=committed_bytes)
        self._give(batch)

    def leave(self, link: LinkId) -> tuple[Outbound, ...]:
        """Let a connection go; gives the statements that it should have had and that did not leave wholly."""
        self._ports.pop(link, None)
        return self.fanout.leave(link)

    def regroup(self, link: LinkId, audience: Audience) -> None:
        """Give a link other rights; it gets its picture again."""
        self._give(self.fanout.regroup(link, audience))

    def switch(self, link: LinkId, format: str, reply: bytes = b"") -> None:
        """Change the format of a link right after `reply`."""
        self._give(self.fanout.switch(link, format, reply))
        self._schedule()

    def reply(self, link: LinkId, data: bytes) -> None:
        """Send something to one link before everything that waits for it."""
        self._give(self.fanout.reply(link, data))
        self._schedule()

    def new_epoch(self, release: Release) -> None:
        """Other rules from now on; nothing that waits leaves without being judged by them."""
        self.fanout.new_epoch(release)
        self._schedule()

    # -- out --------------------------------------------------------------------------------------------------------

    def publish(self, outbound: Outbound) -> Reach:
        """Take something that may leave; says who of its named addressees gets it."""
        reach = self.fanout.publish(outbound)
        self._schedule()
        return reach

    def has_room(self, port: Port) -> None:
        """A connection takes bytes again: give it what waits, then what it missed, then let it be ready."""
        fanout = self.fanout
        while (rest := fanout.pending(port.id)) is not None:
            taken = port.send(rest)
            fanout.sent(port.id, taken)
            if taken < len(rest):
                return
        if port.id in self._ports:
            port.watch_room(False)

    def _schedule(self) -> None:
        """See to it that there will be a round, unless one is on its way or going on."""
        if self._timer is None and self._running and not self._in_round and self.fanout.has_work:
            # call_soon, not at once: whatever else this turn of the loop brings goes into the same batch.
            self._timer = self._loop.call_soon(self._round)

    def _round(self) -> None:
        """Read whatever came, write whatever is to leave, then rest."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._in_round = True
        try:
            more = self.poller.serve()
            flushed = self.fanout.has_work
            if flushed:
                self._flush()
        finally:
            self._in_round = False
        if more or self.fanout.has_work:
            self._timer = self._loop.call_soon(self._round)
        elif flushed and self._gap_s > 0:
            self._timer = self._loop.call_later(self._gap_s, self._round)
        self.poller.rest(self._timer is not None)

    def _flush(self) -> None:
        began_s = self._loop.time()
        for batch in self.fanout.tick(self._clock_ms()):
            self._write(batch)
        self.flush_count += 1
        took_s = self._loop.time() - began_s
        self._gap_s = self._max_tick_s if self._duty is None else min(self._max_tick_s, took_s * self._duty)

    def _give(self, batch: Batch | None) -> None:
        if batch is not None:
            self._write(batch)

    def _write(self, batch: Batch) -> None:
        parts, size, count = batch.parts, batch.size, batch.count
        ports, is_whole, first = self._ports, len(parts) == 1, parts[0]
        for link in batch.links:
            port = ports.get(link)
            if port is None:
                continue
            taken = port.send(first) if is_whole else _send(port, parts)
            port.out_count += count
            if taken != size:
                self.fanout.blocked(link, batch, taken)
                port.watch_room(True)

    # -- upkeep -----------------------------------------------------------------------------------------------------

    def _sweep(self) -> None:
        for link in self.fanout.sweep(self._clock_ms()):
            port = self._ports.get(link)
            if port is not None:
                port.close(why.READ_TOO_SLOWLY)
        self._sweeper = self._loop.call_later(SWEEP_S, self._sweep)

    def _measure_lag(self, due_s: float) -> None:
        self.loop_lag_ms = max(0.0, (self._loop.time() - due_s) * 1000)
        self.loop_lag_max_ms = max(self.loop_lag_max_ms, self.loop_lag_ms)
        self._lagger = self._loop.call_later(LAG_S, self._measure_lag, self._loop.time() + LAG_S)


def _send(port: Port, parts: Sequence[bytes | memoryview]) -> int:
    """Write parts one behind the other until the connection takes no more; gives how many bytes were taken."""
    taken = 0
    for part in parts:
        count = port.send(part)
        taken += count
        if count != len(part):
            break
    return taken


__all__ = ["Hub", "Port"]
