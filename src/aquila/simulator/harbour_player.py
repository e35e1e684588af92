"""The asynchronous edge of the harbour: plays it into a node's feeds, in real time, byte by byte as a sensor would.

AIS, ADS-B and the radars go as UDP datagrams to loopback ports, phones as one TAK client each connection.
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from aquila.simulator.harbour import Floats, Harbour, Said, scene

STEP_S: Final = 0.2
GAP_S: Final = 5.0
"""After a longer pause (a sleeping laptop) the play goes on from now."""
FORMATS: Final = {"ais": "ais", "adsb": "sbs", "radar-1": "asterix", "radar-2": "asterix"}
"""The scene's feeds, and the format of each."""
DATAGRAM_MAX: Final = 60_000
RETRY_S: Final = 5.0


class HarbourTruth:
    """Where everything in the harbour really is. See app.fused_quality.Truth."""

    def __init__(self, harbour: Harbour) -> None:
        self._harbour = harbour

    def places(self) -> tuple[Sequence[str], Floats]:
        """Names, and latitude and longitude in degrees."""
        return self._harbour.ids, self._harbour.lat_lon(self._harbour.xy)


async def play_harbour(
    harbour: Harbour,
    ports: Mapping[str, int],
    tak_port: int,
    clock_ms: Callable[[], int],
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Play until cancelled.

    Args:
        harbour: what to play.
        ports: UDP port on loopback of each feed.
        tak_port: TCP port on loopback where phones connect.
        clock_ms: the wall clock, UTC in milliseconds.
        sleep: waits for so many seconds of that clock.
    """
    phones = _Phones(tak_port, clock_ms)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        try:
            before_ms = clock_ms()
            while True:
                await sleep(STEP_S)
                now_ms = clock_ms()
                passed_s = (now_ms - before_ms) / 1_000
                before_ms = now_ms
                if 0 < passed_s <= GAP_S:
                    await _hand(harbour.step(passed_s, now_ms), sock, ports, phones)
        finally:
            phones.hang_up()


async def _hand(said: Sequence[Said], sock: socket.socket, ports: Mapping[str, int], phones: "_Phones") -> None:
    for one in said:
        if one.feed == "phone":
            await phones.say(one.data)
        elif one.feed in ports and len(one.data) <= DATAGRAM_MAX:
            # A node that does not listen any more, or has no room: so it is with datagrams.
            with contextlib.suppress(OSError):
                sock.sendto(one.data, ("127.0.0.1", ports[one.feed]))


class _Phones:
    """The crews' phones, behind one gateway's connection; it connects again when it is lost."""

    def __init__(self, port: int, clock_ms: Callable[[], int]) -> None:
        self._port = port
        self._clock_ms = clock_ms
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._again_ms = 0

    async def say(self, data: bytes) -> None:
        """Send it, or drop it when there is no connection."""
        if self._writer is None or self._writer.is_closing():
            if self._clock_ms() < self._again_ms:
                return
            self._again_ms = self._clock_ms() + round(RETRY_S * 1_000)
            try:
                reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                return
            self._reading = asyncio.create_task(_throw_away(reader))
        self._writer.write(data)

    def hang_up(self) -> None:
        """Close the connection."""
        if self._reading is not None:
            self._reading.cancel()
        if self._writer is not None:
            self._writer.close()


async def _throw_away(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(OSError):
        while await reader.read(65_536):
            pass


__all__ = ["FORMATS", "Harbour", "HarbourTruth", "play_harbour", "scene"]
