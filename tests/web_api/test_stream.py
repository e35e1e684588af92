import asyncio
import json
import struct
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest
from litestar.exceptions import WebSocketDisconnect

from aquila.core.model import LOG_ROOM, Act, Alias, Note, Removal
from aquila.web_api import frames, stream
from aquila.web_api.auth import Asker, Gate
from aquila.web_api.stream import Screens


class Browser:
    """The far end of a socket, without a network. `reads` false = it takes nothing any more."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.frames: list[tuple[int, int, int, bytes]] = []
        self.closed: int | None = None
        self.reads = asyncio.Event()
        self.reads.set()
        self.news = asyncio.Event()
        self.said: asyncio.Queue[str] = asyncio.Queue()

    async def accept(self) -> None: ...

    async def send_text(self, text: str) -> None:
        await self.reads.wait()
        self.got.append(json.loads(text))
        self.news.set()

    async def send_bytes(self, data: bytes) -> None:
        await self.reads.wait()
        kind, sequence, count = data[5], *struct.unpack_from("<II", data, 8)
        self.frames.append((kind, sequence, count, data[24:]))
        self.news.set()

    async def receive_text(self) -> str:
        text = await self.said.get()
        if not text:
            raise WebSocketDisconnect(code=1000, detail="gone")
        return text

    async def close(self, code: int, reason: str) -> None:
        self.closed = code
        self.news.set()

    def say(self, **word: Any) -> None:
        self.said.put_nowait(json.dumps(word))

    async def until(self, done: Callable[[], Any]) -> None:
        """Wait for news until this holds."""
        async with asyncio.timeout(60):
            while not done():
                self.news.clear()
                await self.news.wait()

    def names(self) -> list[str]:
        """Of all metas, in order."""
        return [row["name"] for kind, _, _, body in self.frames if kind == frames.META for row in json.loads(body)]

    def handles(self, kind: int) -> list[list[int]]:
        """Of all frames of a kind."""
        return [list(struct.unpack_from(f"<{count}I", body)) for each, _, count, body in self.frames if each == kind]

    def summaries(self) -> list[str]:
        entries = [text["entry"] for text in self.got if text["t"] == "entry"]
        return [entry["summary"] for entry in entries if entry["kind"] == "note"]


class Scene:
    """Screens over a node; browsers come in with `enter`."""

    def __init__(self, port: Any) -> None:
        self.port = port
        self.gate = Gate(port)
        self.screens = Screens(port, self.gate)
        self.screens.start()
        self.tasks: list[asyncio.Task[None]] = []

    async def enter(self, since: str | None = None, name: str = "op", nation: str = "ITA") -> Browser:
        headers = self.port.token(name, "viewer", nation)
        asker = await self.gate.asker({"authorization": headers["Authorization"]})
        assert isinstance(asker, Asker)
        browser = Browser()
        self.tasks.append(asyncio.ensure_future(self.screens.serve(browser, asker, since)))  # type: ignore[arg-type]
        await browser.until(lambda: any(kind == frames.SNAPSHOT for kind, *_ in browser.frames))
        return browser

    def note(self, text: str, label: Any = None) -> None:
        self.port.say(Note(room=LOG_ROOM, text=text, happened_at_ms=self.port.now_ms), label or self.port.open)


@pytest.fixture
def play(port: Any) -> Callable[[Callable[[Scene], Coroutine[Any, Any, None]]], None]:
    """Run a scene to its end."""

    def run(act: Callable[[Scene], Coroutine[Any, Any, None]]) -> None:
        async def whole() -> None:
            scene = Scene(port)
            try:
                await act(scene)
            finally:
                scene.screens.stop()
                await asyncio.gather(*scene.tasks)
                assert len(scene.screens) == 0
                assert not scene.screens._tables

        asyncio.run(whole())

    return run


def test_an_aircraft_tells_its_flight_level_as_it_climbs(play: Any, port: Any) -> None:
    async def act(scene: Scene) -> None:
        port.place("A", 42, 77, fields={"pressure_altitude_ft": "10449"})
        port.place("B", 42, 77, fields={"pressure_altitude_ft": "inf"})
        browser = await scene.enter()

        def levels() -> list[int | None]:
            bodies = [body for kind, _, _, body in browser.frames if kind == frames.META]
            return [row.get("level") for body in bodies for row in json.loads(body)]

        await browser.until(lambda: levels() == [104, None])
        port.now_ms += 1000
        port.place("A", 42, 77, fields={"pressure_altitude_ft": "10451"})
        await browser.until(lambda: levels() == [104, None, 105])

    play(act)


def test_a_screen_gets_hello_then_a_snapshot_then_what_moves(play: Any, port: Any) -> None:
    async def act(scene: Scene) -> None:
        port.place("A", 42, 77)
        browser = await scene.enter()
        hello = browser.got[0]
        assert (hello["t"], hello["context"], hello["banner"]["exercise"]) == ("hello", "EXERCISE:TEST", True)
        await browser.until(lambda: browser.handles(frames.POSITIONS))
        assert browser.names() == ["A"]
        port.now_ms += 1000
        port.place("B", 43, 77)
        port.place("A", 42.1, 77)
        await browser.until(lambda: browser.handles(frames.POSITIONS)[-1] == [0, 1])
        assert browser.names() == ["A", "B"]
        assert [sequence for _, sequence, _, _ in browser.frames] == list(range(len(browser.frames)))

    play(act)


def test_a_screen_gets_what_is_in_its_box_and_what_comes_into_it(play: Any, port: Any) -> None:
    async def act(scene: Scene) -> None:
        browser = await scene.enter()
        browser.say(t="view", bbox=[76, 41, 78, 43], interval_ms=200)
        port.place("IN", 42, 77)
        port.place("OUT", 10, 10)
        port.now_ms += 1000
        await browser.until(lambda: browser.names() == ["IN"])
        browser.say(t="view", bbox=[9, 9, 11, 11], interval_ms=200)
        await browser.until(lambda: browser.names() == ["IN", "OUT"])
        browser.say(t="view", bbox=[-200, -95, 500, 95], interval_ms=1)
        port.now_ms += 1000
        port.place("DATELINE", 0, -179)
        await browser.until(lambda: browser.names()[-1] == "DATELINE")

    play(act)


def test_what_is_taken_off_is_removed_and_what_comes_back_is_described_anew(play: Any, port: Any) -> None:
    async def act(scene: Scene) -> None:
        entity = port.place("A", 42, 77)
        browser = await scene.enter()
        await browser.until(lambda: browser.names() == ["A"])
        removal = Removal(entity=entity, alias=Alias("cot", "A"), happened_at_ms=port.now_ms)
        port.say(removal, port.open)
        port.now_ms += 1000
        await browser.until(lambda: browser.handles(frames.REMOVE) == [[0]])
        port.place("A", 42, 77)
        port.now_ms += 1000
        await browser.until(lambda: browser.names() == ["A", "A"])

    play(act)


def test_resync_brings_everything_again(play: Any, port: Any) -> None:
    async def act(scene: Scene) -> None:
        port.place("A", 42, 77)
        browser = await scene.enter()
        await browser.until(lambda: browser.names() == ["A"])
        browser.say(t="resync")
        await browser.until(lambda: browser.names() == ["A", "A"])
        assert [kind for kind, *_ in browser.frames].count(frames.SNAPSHOT) == 2

    play(act)


def test_entries_come_live_and_each_once_after_a_cursor(play: Any, port: Any) -> None:
    async def act(scene: Scene) -> None:
        for number in range(5):
            scene.note(f"old {number}")
        first = await scene.enter()
        assert first.summaries() == []
        scene.note("new 1")
        scene.note("hidden", port.national)
        scene.note("new 2")
        await first.until(lambda: first.summaries() == ["new 1", "new 2"])
        cursor = first.got[0]["cursor"]
        again = await scene.enter(cursor)
        scene.note("new 3")
        await again.until(lambda: again.summaries() == ["new 1", "new 2", "new 3"])
        everything = await scene.enter("")
        await everything.until(lambda: len(everything.summaries()) == 8)

    play(act)


def test_a_cursor_from_beyond_the_end_starts_from_now(play: Any) -> None:
    async def act(scene: Scene) -> None:
        scene.note("old")
        browser = await scene.enter("cffff")
        scene.note("new")
        await browser.until(lambda: browser.summaries() == ["new"])

    play(act)


def test_a_screen_that_does_not_read_loses_positions_never_entries_and_is_cut_off(
    play: Any, port: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BACKLOG_BYTES", 20_000)

    async def act(scene: Scene) -> None:
        slow, quick = await scene.enter(name="slow"), await scene.enter(name="quick")
        slow.reads.clear()
        for number in range(100):
            scene.note(f"line {number}")
            port.place("A", 42 + number / 1000, 77)
            await quick.until(lambda said=number + 1: len(quick.summaries()) == said)
        await slow.until(lambda: slow.closed)
        assert slow.closed == stream.TOO_SLOW
        assert scene.screens.cut_off == 1
        back = await scene.enter(slow.got[0]["cursor"], name="slow")
        await back.until(lambda: len(back.summaries()) == 100)

    play(act)


def test_a_screen_closes_when_its_token_is_taken_back(play: Any, port: Any) -> None:
    async def act(scene: Scene) -> None:
        browser = await scene.enter(name="op")
        port.say(Act(action="token.revoke", target="op", happened_at_ms=port.now_ms), port.open, "node:n1")
        await browser.until(lambda: browser.closed)
        assert browser.closed == stream.LOGGED_OUT

    play(act)


def test_a_screen_that_does_not_read_closes_too_when_the_policy_changes(play: Any, port: Any) -> None:
    async def act(scene: Scene) -> None:
        browser = await scene.enter()
        browser.reads.clear()
        port.core.change_policy(msgspec.structs.replace(port.policy, epoch=2))
        await browser.until(lambda: browser.closed)
        assert browser.closed == stream.POLICY_CHANGED

    play(act)


def test_a_word_that_is_not_in_the_contract_ends_the_connection(play: Any) -> None:
    async def act(scene: Scene) -> None:
        words = ({"t": "shout"}, {"t": "view", "bbox": [1, 2]}, {"t": "view", "bbox": [0, 50, 1, 40]})
        for word in (*map(json.dumps, words), '{"t":"view","x":' + "[" * 10_000):
            browser = await scene.enter()
            browser.said.put_nowait(word)
            await browser.until(lambda browser=browser: browser.closed)
            assert browser.closed == stream.BAD_WORD

    play(act)


def test_screens_of_one_audience_share_a_table_and_others_do_not(play: Any, port: Any) -> None:
    async def act(scene: Scene) -> None:
        port.place("FRENCH", 42, 77, port.national)
        port.place("ALL", 42, 77)
        italians = [await scene.enter(name=f"i{number}") for number in range(3)]
        french = await scene.enter(name="f", nation="FRA")
        assert len(scene.screens._tables) == 2
        await french.until(lambda: french.names() == ["FRENCH", "ALL"])
        for browser in italians:
            await browser.until(lambda browser=browser: browser.names() == ["ALL"])

    play(act)


def test_a_screen_that_leaves_takes_its_table_along(play: Any) -> None:
    async def act(scene: Scene) -> None:
        browser = await scene.enter()
        browser.said.put_nowait("")
        await asyncio.wait_for(scene.tasks[0], 60)
        assert len(scene.screens) == 0

    play(act)


def test_a_screen_that_goes_away_in_the_middle_of_a_frame_is_no_fault(
    play: Any, port: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(scene: Scene) -> None:
        browser = await scene.enter()

        async def gone(_: str) -> None:
            raise OSError  # as uvicorn's ClientDisconnected is

        monkeypatch.setattr(browser, "send_text", gone)
        scene.note("too late")
        await asyncio.wait_for(scene.tasks[0], 60)
        assert browser.closed is None

    play(act)
    assert not caplog.records


def test_nobody_is_let_in_without_a_login_and_pages_of_other_sites_neither(port: Any, client: Any) -> None:
    with client.websocket_connect("/api/v1/stream") as socket, pytest.raises(WebSocketDisconnect) as closed:
        socket.receive(timeout=60)
    assert closed.value.code == stream.LOGGED_OUT
    headers = {**port.token("op"), "Origin": "http://evil.example"}
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/api/v1/stream", headers=headers):
        pass


def test_one_asker_opens_so_many_screens_and_no_more(play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "SCREENS_OF_ONE", 2)

    async def act(scene: Scene) -> None:
        first, _ = await scene.enter(), await scene.enter()
        headers = scene.port.token("op", "viewer", "ITA")
        asker = await scene.gate.asker({"authorization": headers["Authorization"]})
        assert asker is not None
        third = Browser()
        await scene.screens.serve(third, asker, None)  # type: ignore[arg-type]
        assert third.closed == stream.TOO_MANY
        assert await scene.enter(name="other"), "nobody else is shut out"
        first.said.put_nowait("")
        await asyncio.wait_for(scene.tasks[0], 60)
        assert await scene.enter(), "a place is free again"

    play(act)
