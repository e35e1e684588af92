"""The player against a tiny server on the loopback, with a clock of its own: no waiting."""

import asyncio
import re
from collections.abc import Awaitable, Callable

import pytest
from lxml import etree

from aquila.simulator import cot
from aquila.simulator.player import play
from aquila.simulator.scenario import shipped

SCENARIO = shipped("snow-leopard")
LoopFactory = Callable[[], asyncio.AbstractEventLoop]
EVENT = re.compile(rb"<event .*?</event>", re.DOTALL)
LIMIT_S = 60.0
"""A test that gets stuck fails after this; none needs it."""


class Clock:
    """A wall clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now_ms = 1_800_000_000_000

    def read_ms(self) -> int:
        return self.now_ms

    async def sleep(self, span_s: float) -> None:
        """Let a little of the time pass, whoever sleeps, and let the sockets work."""
        self.now_ms += round(min(span_s, 0.01) * 1000)
        await asyncio.sleep(0)


class Server:
    """Hears every client and answers with noise; says when it has heard what a test waits for."""

    def __init__(self, enough: Callable[["Server"], bool]) -> None:
        self.types: set[str] = set()
        self.uids: set[str] = set()
        self.connections = 0
        self.done = asyncio.Event()
        self.drop_first = False
        self.says = b""
        self.readers: set[str] = set()
        self._enough = enough

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, until it hangs up."""
        self.connections += 1
        if self.drop_first and self.connections == 1:
            writer.close()
            return
        heard = b""
        while chunk := await reader.read(65_536):
            writer.write(self.says or b"<event uid='noise'/>" * 50)
            heard += chunk
            for event in EVENT.findall(heard):
                root = etree.fromstring(event)
                self.types.add(str(root.get("type")))
                self.uids.add(str(root.get("uid")))
                if root.get("type") == "b-t-f-r":
                    self.readers.add(str(root.find("detail/link").get("uid")))
            heard = heard[heard.rfind(b"</event>") + len(b"</event>") :]
            if self._enough(self):
                self.done.set()
        writer.close()


def _everyone(server: Server) -> bool:
    return {mover.uid for mover in SCENARIO.clients()} <= server.uids


async def _played(server: Server, speed: float = 1.0) -> None:
    clock = Clock()
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    player = asyncio.create_task(play(SCENARIO, "127.0.0.1", port, clock.read_ms, clock.sleep, speed))
    try:
        async with asyncio.timeout(LIMIT_S):
            await server.done.wait()
    finally:
        player.cancel()
        with pytest.raises(asyncio.CancelledError):
            await player
        listener.close()
        await listener.wait_closed()


def _run(make: Callable[[], Awaitable[None]], loop_factory: LoopFactory | None = None) -> None:
    async def main() -> None:
        await make()
        # Every task of the player and of the server ends with it.
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            _, stuck = await asyncio.wait(others, timeout=LIMIT_S)
            assert not stuck

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(main())


def test_every_client_introduces_itself_on_a_connection_of_its_own() -> None:
    async def scene() -> None:
        server = Server(_everyone)
        await _played(server)
        assert server.connections == len(SCENARIO.clients())
        assert 25 <= server.connections <= 40
        assert {"u-d-f", "b-m-r", "a-n-X-i-g-a"} <= server.types

    _run(scene)


def test_the_faster_event_loop_plays_the_same() -> None:
    uvloop = pytest.importorskip("uvloop", reason="there is no uvloop on this platform")

    async def scene() -> None:
        server = Server(_everyone)
        await _played(server)
        assert "u-d-f" in server.types

    _run(scene, uvloop.new_event_loop)


def test_pings_and_chat_follow() -> None:
    async def scene() -> None:
        server = Server(lambda server: {"t-x-c-t", "b-t-f"} <= server.types)
        await _played(server, speed=20.0)

    _run(scene)


def test_the_clients_that_a_line_is_for_answer_it_themselves() -> None:
    async def scene() -> None:
        room = cot.Room("CAMOSCIO 11", "CAMOSCIO 11", "RootContactGroup", (), ())
        hq = cot.Client("HQ", "LEOPARD HQ", "a-f-G-U-C", "Green", "HQ", "desk")
        tasked = {reply.by for reply in SCENARIO.replies if re.search(reply.hears, "TASK T-0001 Patrol")}
        expected = {SCENARIO.mover(callsign).uid for callsign in tasked}
        server = Server(lambda server: expected <= server.readers and "b-t-f-d" in server.types)
        server.says = cot.chat(hq, cot.NOWHERE, 0, "task-1", "TASK T-0001 Patrol", room)
        await _played(server, speed=20.0)
        assert server.readers == expected

    _run(scene)


def test_a_lost_connection_is_made_again() -> None:
    async def scene() -> None:
        server = Server(_everyone)
        server.drop_first = True
        await _played(server)
        assert server.connections == len(SCENARIO.clients()) + 1

    _run(scene)


def test_a_port_that_nobody_listens_on_is_tried_again_and_can_be_cancelled() -> None:
    async def scene() -> None:
        clock = Clock()
        listener = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        listener.close()
        await listener.wait_closed()
        player = asyncio.create_task(play(SCENARIO, "127.0.0.1", port, clock.read_ms, clock.sleep))
        for _ in range(50):
            await asyncio.sleep(0)
        assert not player.done()
        player.cancel()
        with pytest.raises(asyncio.CancelledError):
            await player

    _run(scene)


def test_a_speed_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        asyncio.run(play(SCENARIO, "127.0.0.1", 1, Clock().read_ms, speed=0.0))
