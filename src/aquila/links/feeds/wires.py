"""Wires: the transports of feeds. Each runs until it is cancelled, its source is lost, or its file has ended."""

import asyncio
import contextlib
import ipaddress
import os
import socket
import stat
import struct
import sys
import termios
import tty
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

from aquila.links.feeds.address import FeedAddress
from aquila.links.feeds.intake import CONNECT_S, READ_BYTES, FeedLostError, Intake, Spoken, Turns
from aquila.links.feeds.mqtt import run_mqtt

DATAGRAMS_PER_ROUND: Final = 64
KERNEL_BYTES: Final = 1 << 20
SO_RXQ_OVFL: Final = 40
"""Linux, socket(7): a datagram tells how many the kernel had no room for. Python has no name for it."""
REPLAY_BYTES: Final = 256
UNTIMED_PER_S: Final = 100.0
"""Readings a second of a recording that holds no times, at speed 1."""
ALIVE_S: Final = 240.0
"""So often a source is told that somebody listens, where its format asks for it; a radio forgets us after 900 s."""


async def run_wire(address: FeedAddress, intake: Intake, spoken: Spoken) -> None:
    """Bring everything that comes from there; ends when a file has ended.

    Raises:
        FeedLostError: with a sentence for people.
    """
    try:
        if address.scheme in ("mqtt", "mqtts"):
            await run_mqtt(address, intake, spoken)
        elif address.scheme == "tcp":
            await _run_tcp(address, intake, spoken)
        elif address.scheme == "serial":
            await _run_serial(address, intake, spoken)
        else:
            await {"udp": _run_udp, "file": _run_file}[address.scheme](address, intake)
    except (OSError, termios.error, OverflowError) as wrong:
        number = wrong.errno if isinstance(wrong, OSError) else None
        # What asyncio says of a refused connection is made of its own words.
        why = os.strerror(number) if number is not None and number > 0 else str(wrong)
        raise FeedLostError(f"{_name(address)}: {why}") from wrong


def _name(address: FeedAddress) -> str:
    return address.path or f"{address.host} port {address.port}"


# -- udp ---------------------------------------------------------------------------------------------------------------


async def _run_udp(address: FeedAddress, intake: Intake) -> None:
    turns = Turns()
    with _udp_socket(address) as sock:
        intake.up()
        async with _readable(sock.fileno()) as wait:
            while True:
                await wait()
                with contextlib.suppress(BlockingIOError):
                    for _ in range(DATAGRAMS_PER_ROUND):
                        data, told, _, _ = sock.recvmsg(READ_BYTES, socket.CMSG_SPACE(4))
                        for level, kind, value in told:
                            if (level, kind) == (socket.SOL_SOCKET, SO_RXQ_OVFL):
                                intake.dropped(int.from_bytes(value[:4], sys.byteorder))
                        turns.work(intake, data, True)
                        if turns.is_over:
                            break
                await turns.rest()


def _udp_socket(address: FeedAddress) -> socket.socket:
    """Bound to the address; for a multicast group joined to it. Raises OSError, FeedLostError."""
    try:
        host = ipaddress.ip_address(address.host)
    except ValueError as wrong:
        if address.host != "localhost":
            raise FeedLostError(f"udp://{address.host}: an address of this machine in figures is needed") from wrong
        host = ipaddress.ip_address("127.0.0.1")
    sock = socket.socket(socket.AF_INET6 if host.version == 6 else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL_BYTES)
        sock.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)
        if host.is_multicast and host.version == 4:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((str(host), address.port))
        if host.is_multicast and host.version == 4:
            everywhere = struct.pack("4s4s", host.packed, bytes(4))
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, everywhere)
    except OSError:
        sock.close()
        raise
    return sock


# -- tcp ---------------------------------------------------------------------------------------------------------------


async def _run_tcp(address: FeedAddress, intake: Intake, spoken: Spoken) -> None:
    turns = Turns()
    try:
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(address.host, address.port)
    except TimeoutError as wrong:
        raise FeedLostError(f"{_name(address)} does not answer within {CONNECT_S:g} s") from wrong
    try:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        intake.up()
        async with _speaking(spoken, writer.write):
            while data := await reader.read(READ_BYTES):
                turns.work(intake, data, False)
                await turns.rest()
        intake.take(b"", True)
        raise FeedLostError(f"{_name(address)} has closed the connection")
    finally:
        writer.close()


# -- file --------------------------------------------------------------------------------------------------------------


async def _run_file(address: FeedAddress, intake: Intake) -> None:
    turns, loop = Turns(), asyncio.get_running_loop()
    handle = await asyncio.to_thread(_open_file, address.path)
    try:
        intake.up()
        began_s, size = loop.time(), READ_BYTES if address.speed == 0.0 else REPLAY_BYTES
        while data := await asyncio.to_thread(os.read, handle, READ_BYTES):
            for at in range(0, len(data), size):
                turns.work(intake, data[at : at + size], False)
                await turns.rest()
                if address.speed:
                    due_s = began_s + _played_s(intake) / address.speed
                    await asyncio.sleep(max(0.0, due_s - loop.time()))
        intake.take(b"", True)
    finally:
        os.close(handle)


def _open_file(path: str) -> int:
    """Raises OSError, FeedLostError. A pipe or a device would hold the thread for good."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise FeedLostError(f"{path} is not a file")
    return handle


def _played_s(intake: Intake) -> float:
    """How far the recording is: by its own times, and where it holds none by the number of readings."""
    return intake.recorded_s() or intake.read_count() / UNTIMED_PER_S


# -- serial ------------------------------------------------------------------------------------------------------------


async def _run_serial(address: FeedAddress, intake: Intake, spoken: Spoken) -> None:
    turns = Turns()
    handle = await asyncio.to_thread(_open_line, address, bool(spoken.hello))
    try:
        intake.up()
        async with _readable(handle) as wait, _speaking(spoken, partial(os.write, handle)):
            while True:
                await wait()
                data = os.read(handle, READ_BYTES)
                if not data:
                    raise FeedLostError(f"{address.path} is gone")
                turns.work(intake, data, False)
                await turns.rest()
    finally:
        os.close(handle)


def _open_line(address: FeedAddress, to_write: bool) -> int:
    """The device, set to eight bits without echo at its speed. Raises OSError, termios.error, FeedLostError."""
    way = os.O_RDWR if to_write else os.O_RDONLY
    handle = os.open(address.path, way | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not os.isatty(handle):
            raise FeedLostError(f"{address.path} is no serial line")
        tty.setraw(handle)
        modes = termios.tcgetattr(handle)
        modes[2] |= termios.CLOCAL | termios.CREAD
        modes[4] = modes[5] = getattr(termios, f"B{address.baud}")
        termios.tcsetattr(handle, termios.TCSANOW, modes)
    except (OSError, termios.error, FeedLostError):
        os.close(handle)
        raise
    return handle


# -- shared ------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _speaking(spoken: Spoken, write: Callable[[bytes], object]) -> AsyncIterator[None]:
    """Says what opens the connection and, from time to time, what keeps it; for most formats nothing at all."""
    if spoken.hello:
        write(spoken.hello)
    keeping = asyncio.create_task(_keep(spoken.alive, write)) if spoken.alive else None
    try:
        yield
    finally:
        if keeping is not None:
            keeping.cancel()


async def _keep(alive: bytes, write: Callable[[bytes], object]) -> None:
    # Whoever reads will notice that the source is gone.
    with contextlib.suppress(OSError):
        while True:
            await asyncio.sleep(ALIVE_S)
            write(alive)


@asynccontextmanager
async def _readable(handle: int) -> AsyncIterator[Callable[[], "asyncio.Future[None]"]]:
    """Waits until there is something to read."""
    loop = asyncio.get_running_loop()

    def wait() -> "asyncio.Future[None]":
        ready: asyncio.Future[None] = loop.create_future()

        def tell() -> None:
            loop.remove_reader(handle)
            if not ready.done():
                ready.set_result(None)

        loop.add_reader(handle, tell)
        return ready

    try:
        yield wait
    finally:
        loop.remove_reader(handle)


def inside(path: str, folder: Path) -> bool:
    """Does this file lie in this folder, links followed?"""
    return Path(path).resolve().is_relative_to(folder.resolve())


__all__ = ["inside", "run_wire"]
