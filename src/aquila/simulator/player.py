"""The asynchronous edge: plays a scenario into a TAK port, one connection for each client."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from ssl import SSLContext
from typing import Final, cast

import msgspec

from aquila.simulator import cot
from aquila.simulator.clock import PlayClock
from aquila.simulator.control import Control
from aquila.simulator.replies import Planned, document_of, heard_in, planned
from aquila.simulator.scenario import Mover, Scenario
from aquila.simulator.script import (
    Document,
    documents,
    inject_documents,
    is_silent,
    opening,
    presence,
    script,
    wall_ms,
)

log = logging.getLogger(__name__)

Sleep = Callable[[float], Awaitable[object]]

TICK_S: Final = 0.5
"""How often due documents are sent and received bytes are thrown away."""

PING_S: Final = 15.0
"""A client asks this often whether the server is there, as ATAK does."""

GAP_S: Final = 30.0
"""After a longer pause (a sleeping laptop, a corrected clock) the play goes on from now."""

RETRY_S: Final = (1.0, 2.0, 5.0, 10.0, 15.0)
"""Waits between attempts to connect; the last one repeats."""

PAUSED_S: Final = 15.0
"""In a pause every client says this often where it stands: the exercise stops, the phones do not."""

STEADY_S: Final = 30.0
"""A connection that lasted longer begins the waits anew."""

CONNECT_S_MAX: Final = 20.0
WAITING_MAX: Final = 64
"""Statements kept for a client without a connection; the oldest goes first."""

REST_BYTES_MAX: Final = 262_144
"""A document that a listening client hears is whole within so many bytes, or is not heard."""

ANSWERED_MAX: Final = 256
"""Lines that a client remembers to have answered; one that comes again is not answered again."""

UNSENT_BYTES_MAX: Final = 262_144
"""A server that has not taken this much gets no more positions from the client."""


async def play(
    scenario: Scenario,
    host: str,
    port: int,
    clock_ms: Callable[[], int],
    sleep: Sleep = asyncio.sleep,
    speed: float = 1.0,
    ssl: SSLContext | None = None,
    control: Control | None = None,
) -> None:
    """Play the scenario until cancelled.

    Args:
        scenario: what to play, see `shipped`.
        host: address of the node.
        port: its TAK port: plain TCP, or TLS when `ssl` is given.
        clock_ms: the wall clock, UTC in milliseconds.
        sleep: waits for so many seconds of that clock.
        speed: exercise seconds for each second of the wall clock.
        ssl: context with the certificate that every client of the scenario presents.
        control: whom it obeys; None = nobody, and it runs at `speed`.

    Raises:
        ScenarioError: the scenario cannot be played (told before the first connection).
        ValueError: the speed is not positive.
    """
    if speed <= 0.0:
        raise ValueError(f"speed is {speed}; it must be above 0, 1 is real time")
    running = _Play(scenario, control or Control(PlayClock(clock_ms(), scenario.start_s, speed)), clock_ms)
    dial = _Dial(host, port, ssl, sleep)
    stage = {mover.callsign: _Station(running, mover, dial) for mover in scenario.clients()}
    log.info("demo starts scenario=%s clients=%s speed=%s", scenario.name, len(stage), speed)
    try:
        async with asyncio.TaskGroup() as group:
            for station in stage.values():
                group.create_task(station.stay_connected(running.now_s))
            await _run(running, stage, sleep)
    finally:
        for station in stage.values():
            station.hang_up()


class _Play:
    """The script as the clock makes it now: whatever is said carries the time on the wall."""

    def __init__(self, scenario: Scenario, control: Control, clock_ms: Callable[[], int]) -> None:
        self.control = control
        self.clock_ms = clock_ms
        clock = control.clock
        self.ready = script(scenario, clock.epoch_ms(clock_ms()), clock.speed)

    def now_s(self) -> float:
        """What the exercise clock says."""
        return self.control.clock.now_s(self.clock_ms())

    def keep_time(self) -> None:
        """Follow a pause, and another pace."""
        clock = self.control.clock
        epoch_ms = clock.epoch_ms(self.clock_ms())
        if (epoch_ms, clock.speed) != (self.ready.epoch_ms, self.ready.speed):
            self.ready = msgspec.structs.replace(self.ready, epoch_ms=epoch_ms, speed=clock.speed)


async def _run(play: _Play, stage: dict[str, "_Station"], sleep: Sleep) -> None:
    """Hand every document to its client when it is due."""
    last_s = play.now_s()
    _deliver(stage, opening(play.ready, last_s))
    said_ms = play.clock_ms()
    while True:
        await sleep(TICK_S)
        play.keep_time()
        now_s = play.now_s()
        if 0.0 <= now_s - last_s <= GAP_S * play.ready.speed:
            _deliver(stage, documents(play.ready, last_s, now_s))
        else:
            _deliver(stage, opening(play.ready, now_s))
        last_s = now_s
        while play.control.fired:
            _deliver(stage, inject_documents(play.ready, play.control.fired.popleft(), now_s))
        if play.control.clock.is_paused and play.clock_ms() - said_ms >= PAUSED_S * 1000.0:
            said_ms = play.clock_ms()
            for callsign in stage:
                _deliver(stage, presence(play.ready, callsign, now_s))
        for station in stage.values():
            station.tick(now_s)


def _deliver(stage: dict[str, "_Station"], due: Iterable[Document]) -> None:
    for document in due:
        stage[document.client].send(document)


class _Dial:
    """How to reach the node."""

    def __init__(self, host: str, port: int, ssl: SSLContext | None, sleep: Sleep) -> None:
        self.sleep = sleep
        self._host = host
        self._port = port
        self._ssl = ssl

    async def wire(self, hear: Callable[[bytes], None] | None) -> "_Wire":
        """A new connection.

        Raises:
            OSError: refused, unreachable, a TLS error or no answer in time.
        """
        async with asyncio.timeout(CONNECT_S_MAX):
            loop = asyncio.get_running_loop()
            _, wire = await loop.create_connection(lambda: _Wire(hear), self._host, self._port, ssl=self._ssl)
        return wire


class _Wire(asyncio.Protocol):
    """One connection. What it receives is handed to `hear`; None = thrown away.

    It reads at most once a tick, so that a server that relays everything to everyone does not
    wake each client for every document; the socket's buffer holds the rest.
    """

    def __init__(self, hear: Callable[[bytes], None] | None) -> None:
        self._hear = hear
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (not every event loop's is a subclass of asyncio.Transport)."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Take the bytes and read no more in this tick."""
        if self._hear is not None:
            self._hear(data)
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits for it."""
        self._transport = None
        if not self.gone.done():
            self.gone.set_result(None)

    def resume(self) -> None:
        """Read again (and notice a closed connection)."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def write(self, body: bytes) -> None:
        """Hand bytes to the socket."""
        if self._transport is not None:
            self._transport.write(body)

    def unsent_bytes(self) -> int:
        """How much the server has not taken yet."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def close(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()


class _Station:
    """One client of the exercise: its connection and what waits for it."""

    def __init__(self, play: _Play, mover: Mover, dial: _Dial) -> None:
        self._play = play
        self._mover = mover
        self._dial = dial
        self._wire: _Wire | None = None
        self._waiting: deque[bytes] = deque(maxlen=WAITING_MAX)
        self._pinged_s = 0.0
        self._listens = any(reply.by == mover.callsign for reply in play.ready.scenario.replies)
        self._rest = b""
        self._heard: list[bytes] = []
        self._planned: list[Planned] = []
        self._answered: deque[str] = deque(maxlen=ANSWERED_MAX)

    async def stay_connected(self, now_s: Callable[[], float]) -> None:
        """Connect, and connect again when the connection is lost, until cancelled."""
        failures = 0
        while True:
            if is_silent(self._play.ready.scenario, self._mover, now_s()):
                await self._dial.sleep(TICK_S)
                continue
            began_s = now_s()
            try:
                wire = await self._dial.wire(self._hear if self._listens else None)
            except OSError as why:
                log.debug("demo client has no link callsign=%s why=%s", self._mover.callsign, why)
            else:
                self._begin(wire, now_s())
                await wire.gone
                self._wire = None
            # A node that takes a connection and drops it at once is not asked every second.
            lasted = now_s() - began_s > STEADY_S * self._play.ready.speed
            failures = 0 if lasted else failures + 1
            await self._dial.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])

    def send(self, document: Document) -> None:
        """Send it now; a statement waits for a connection, a position is dropped without one."""
        if self._wire is None:
            if document.lasting:
                self._waiting.append(document.body)
        elif document.lasting or self._wire.unsent_bytes() < UNSENT_BYTES_MAX:
            self._wire.write(document.body)

    def tick(self, now_s: float) -> None:
        """Read again, answer what was heard, and ping when it is time."""
        if self._wire is None:
            return
        self._wire.resume()
        if is_silent(self._play.ready.scenario, self._mover, now_s):
            return
        self._answer(now_s)
        if now_s - self._pinged_s >= PING_S * self._play.ready.speed:
            self._pinged_s = now_s
            self._wire.write(cot.ping(self._mover.uid, wall_ms(self._play.ready, now_s)))

    def hang_up(self) -> None:
        """Close the connection."""
        if self._wire is not None:
            self._wire.close()

    def _hear(self, data: bytes) -> None:
        """Keep the chat lines among whole documents until the next tick."""
        *whole, self._rest = (self._rest + data).split(b"</event>")
        if len(self._rest) > REST_BYTES_MAX:
            self._rest = b""
        self._heard += [event + b"</event>" for event in whole if b"<__chat " in event]
        del self._heard[:-WAITING_MAX]

    def _answer(self, now_s: float) -> None:
        """Plan the answers to new lines, and send those that are due."""
        for heard in filter(None, map(heard_in, self._heard)):
            if heard.reference not in self._answered:
                self._answered.append(heard.reference)
                self._planned += planned(self._play.ready, self._mover.callsign, heard, now_s)
        self._heard.clear()
        del self._planned[WAITING_MAX:]
        due = sorted((each for each in self._planned if each.at_s <= now_s), key=lambda each: each.at_s)
        self._planned = [each for each in self._planned if each.at_s > now_s]
        for each in due:
            self.send(document_of(self._play.ready, each, now_s))

    def _begin(self, wire: _Wire, now_s: float) -> None:
        """Say who we are, then what could not be said before."""
        self._wire = wire
        self._rest = b""
        self._pinged_s = now_s
        for document in presence(self._play.ready, self._mover.callsign, now_s):
            wire.write(document.body)
        while self._waiting and not wire.gone.done():
            wire.write(self._waiting.popleft())
