"""What a link may take its time for: silence, half an event, a flood; on real sockets of this machine."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from aquila.codecs.cot import TakSession
from aquila.core.codec import Control, Decoded
from aquila.core.contacts import Contacts
from aquila.core.errors import CodecError
from aquila.core.fanout import Fanout, Outbound
from aquila.core.model import Principal
from aquila.core.policy import Policy, release
from aquila.links import why
from aquila.links.hub import Hub
from aquila.links.limits import Limits
from aquila.links.stream import StreamLink, StreamListener

PLAIN = Principal(
    id="listener:tcp",
    kind="listener",
    name="TCP",
    context="REAL",
    nation="ITA",
    groups_in=frozenset({"COMMON"}),
    groups_out=frozenset({"COMMON"}),
)
EVENT = (
    b'<event version="2.0" uid="U1" type="a-f-G" how="m-g" time="2026-01-01T00:00:00Z" start="2026-01-01T00:00:00Z"'
    b' stale="2026-01-01T00:01:00Z"><point lat="1" lon="2" hae="0" ce="1" le="1"/><detail/></event>'
)


class Ears:
    """An edge that remembers."""

    def __init__(self) -> None:
        self.links: list[StreamLink] = []
        self.said: list[Decoded] = []
        self.gone: list[str] = []
        self.errors: list[str] = []
        self.has_room = True

    def up(self, link: StreamLink) -> None:
        self.links.append(link)

    def heard(self, link: StreamLink, decoded: Decoded) -> bool:
        if self.has_room:
            self.said.append(decoded)
        return self.has_room

    def control(self, link: StreamLink, control: Control) -> None:
        pass

    def error(self, link: StreamLink, error: CodecError) -> None:
        self.errors.append(error.reason)

    def down(self, link: StreamLink, reason: str, undelivered: tuple[Outbound, ...]) -> None:
        self.gone.append(reason)


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110  # what is waited for happens in the loop, not in a task of ours
            await asyncio.sleep(0)


def with_listener(test: Callable[[StreamListener, Ears, int], Awaitable[None]], limits: Limits | None = None) -> None:
    async def run() -> None:
        policy = Policy()
        fanout = Fanout(lambda *asked: release(policy, *asked), lambda outbound, *_: b"", Contacts())
        hub = Hub(fanout, clock_ms=lambda: 1_767_225_600_000)
        ears = Ears()
        listener = StreamListener(
            "tcp",
            hub,
            ears,
            session=lambda _: TakSession("test", "node-1", lambda: "id"),
            recognise=lambda certificate, address: PLAIN,
            clock_ms=lambda: 1_767_225_600_000,
            limits=limits or Limits(),
        )
        hub.start()
        port = listener.start("127.0.0.1", 0)
        try:
            await test(listener, ears, port)
        finally:
            listener.stop()
            hub.stop()

    asyncio.run(run())


async def dial(port: int, ears: Ears) -> tuple[socket.socket, StreamLink]:
    before = len(ears.links)
    peer = socket.create_connection(("127.0.0.1", port))
    await until(lambda: len(ears.links) > before)
    return peer, ears.links[-1]


def test_who_only_listens_is_never_closed_for_its_silence() -> None:
    async def check(listener: StreamListener, ears: Ears, port: int) -> None:
        peer, link = await dial(port, ears)
        with peer:
            assert link.overdue(link.opened_s + 86_400) is None

    with_listener(check)


def test_half_an_event_that_stays_half_closes_the_link_also_late_in_its_life() -> None:
    async def check(listener: StreamListener, ears: Ears, port: int) -> None:
        peer, link = await dial(port, ears)
        with peer:
            peer.sendall(EVENT)
            await until(lambda: ears.said)
            assert link.unfinished_s is None
            for byte in (b"<", b"e", b"v"):
                at = link.in_bytes
                peer.sendall(byte)
                await until(lambda at=at: link.in_bytes > at)
            assert link.unfinished_s is not None
            assert link.overdue(link.unfinished_s + 14) is None
            assert link.overdue(link.unfinished_s + 16) == why.UNFINISHED

    with_listener(check)


def test_white_space_after_an_event_owes_nothing() -> None:
    async def check(listener: StreamListener, ears: Ears, port: int) -> None:
        peer, link = await dial(port, ears)
        with peer:
            peer.sendall(EVENT)
            await until(lambda: ears.said)
            peer.sendall(b"\n")
            await until(lambda: link.in_bytes > len(EVENT))
            assert link.unfinished_s is None

    with_listener(check)


def test_who_has_spoken_and_falls_silent_is_closed_unless_bytes_leave_to_it() -> None:
    async def check(listener: StreamListener, ears: Ears, port: int) -> None:
        peer, link = await dial(port, ears)
        with peer:
            peer.sendall(EVENT)
            await until(lambda: ears.said)
            link.overdue(link.moved_s)
            spoke_s = link.moved_s
            assert link.overdue(spoke_s + 91) == why.SILENT
            link.out_bytes += 100
            assert link.overdue(spoke_s + 91) is None
            assert link.overdue(spoke_s + 91 + 89) is None

    with_listener(check)


def test_a_writer_without_room_stops_the_reading_and_nothing_is_lost() -> None:
    async def check(listener: StreamListener, ears: Ears, port: int) -> None:
        peer, link = await dial(port, ears)
        with peer:
            ears.has_room = False
            peer.sendall(EVENT * 3)
            await until(lambda: link.in_count == 3)
            assert ears.said == []
            ears.has_room = True
            link.resume()
            assert len(ears.said) == 3
            peer.sendall(EVENT)
            await until(lambda: len(ears.said) == 4)

    with_listener(check)


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\n\r\n" * 3, b"\x16\x03\x01" * 40, b"<!DOCTYPE x>" * 4])
def test_garbage_is_counted_and_three_strikes_close(garbage: bytes) -> None:
    async def check(listener: StreamListener, ears: Ears, port: int) -> None:
        peer, link = await dial(port, ears)
        with peer:
            for _ in range(3):
                if link.is_down:
                    break
                peer.sendall(garbage + b"<event bad></event>")
                await until(lambda: link.is_down or ears.errors)
            await until(lambda: link.is_down)
        assert ears.gone == [why.UNREADABLE]
        assert link.errors

    with_listener(check)


def test_too_many_from_one_address_are_turned_away() -> None:
    async def check(listener: StreamListener, ears: Ears, port: int) -> None:
        peers: list[Any] = [(await dial(port, ears))[0] for _ in range(3)]
        peers.append(socket.create_connection(("127.0.0.1", port)))
        await until(lambda: listener.closed["too many from one address"] == 1)
        for peer in peers:
            peer.close()

    with_listener(check, Limits(per_address=3, limits_loopback=True))
