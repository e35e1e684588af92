"""The board of feeds in this process: plots for a tracker, a codec that fails, other nodes, a restart."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from aquila.app import listening
from aquila.app.clockwork import real_clockwork
from aquila.app.engine import Engine, open_engine
from aquila.app.feeds import FeedBoard
from aquila.app.parts import load_features
from aquila.app.turns import deliver_to
from aquila.core.codec import Marking
from aquila.core.errors import Refused
from aquila.core.model import Entry, Label, Paper, Stamp
from aquila.core.papers import Step, Thing
from aquila.core.plot import Plot
from aquila.core.policy import EXAMPLE_POLICY, Policy, label_for
from aquila.core.sensing import NoOptions, Reading, SensorCodec
from aquila.features.feeds import FEED, Feed, of_node

LABEL = Label(EXAMPLE_POLICY, "UNCLASSIFIED", ("MISSION",), ("COMMON",))
GMTI = files("aquila.codecs.gmti") / "vectors" / "full_mask_every_optional_group.gmti.wire"


@asynccontextmanager
async def board_over(data: Path) -> AsyncIterator[tuple[Engine, FeedBoard]]:
    """A node without doors, with its feeds running."""
    engine = open_engine(
        data,
        name="TEST",
        context=None,
        policy=Policy(),
        features=load_features(),
        clockwork=real_clockwork(),
        deliver=deliver_to(asyncio.get_running_loop()),
    )
    board = FeedBoard(engine)
    try:
        async with board.running():
            yield engine, board
    finally:
        engine.close()


async def say(engine: Engine, id: str, action: str, **fields: Any) -> None:
    """A step in the life of a feed."""
    paper = Paper(type=FEED, target=id, action=action, happened_at_ms=engine.node.clock_ms(), fields=fields)
    written = await engine.write(paper, engine.node.principal, "test", label=LABEL)
    assert isinstance(written, Entry), written


async def until(holds: Callable[[], Any], what: str) -> None:
    """Look again and again, for a while."""
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110  # a test looks from outside
            await asyncio.sleep(0.02)
    assert holds(), what


def fields_of(format: str, url: str, name: str = "one") -> dict[str, Any]:
    label = {"policy": LABEL.policy, "classification": "UNCLASSIFIED", "releasable_to": ["MISSION"]}
    return {"name": name, "format": format, "url": url, "label": {**label, "groups": ["COMMON"]}}


def test_plots_reach_who_makes_tracks_and_the_node_remembers_its_feeds(tmp_path: Path) -> None:
    async def play() -> None:
        heard: list[tuple[str, Feed, Plot]] = []
        captures = tmp_path / "radar.gmti"
        captures.write_bytes(GMTI.read_bytes())
        async with board_over(tmp_path / "data") as (engine, board):
            board.on_plots.append(lambda id, feed, plot: heard.append((id, feed, plot)))
            await say(engine, "f1", "add", **fields_of("gmti", f"{captures.as_uri()}?speed=0"))
            await until(lambda: len(heard) == 2, "both targets of the vector")
            assert (heard[0][0], heard[0][1].name) == ("f1", "one")
            await until(lambda: (live := board.live("f1")) is not None and live.condition == "stopped", "it ends")
            await say(engine, "f2", "add", **fields_of("ais", "tcp://127.0.0.1:1", "two"))
            await until(lambda: (live := board.live("f2")) is not None and live.condition == "lost", "nobody is there")
        async with board_over(tmp_path / "data") as (engine, board):
            assert board.live("f1") is None, "a recording that has ended is not played at every start"
            assert board.live("f2") is not None
            assert len(heard) == 2

    asyncio.run(play())


def test_passwords_outlive_a_restart_and_those_that_no_feed_says_do_not(tmp_path: Path) -> None:
    url = "mqtt://guard@127.0.0.1:1/a"

    async def play() -> None:
        async with board_over(tmp_path / "data") as (engine, board):
            for id, at_ms in (("kept", 5), ("kept", 4), ("never", 5)):
                await board.keep_password(id, at_ms, f"{id} {at_ms}")
            await say(engine, "kept", "add", **fields_of("meshtastic-mqtt", url), password_at_ms=5)
            await say(engine, "bare", "add", **fields_of("meshtastic-mqtt", url, "two"), password_at_ms=7)
            await until(lambda: (live := board.live("bare")) is not None and "not kept" in live.why, "it is said")
            await until(lambda: (live := board.live("kept")) is not None and "refused" in live.why, "it is tried")
        async with board_over(tmp_path / "data") as (engine, _):
            assert engine.secrets.named("feed/") == {"feed/kept/5": "kept 5"}
            await say(engine, "kept", "change", password_at_ms=None)
            await until(lambda: not engine.secrets.named("feed/"), "an empty one is forgotten as well")

    asyncio.run(play())


class Failing:
    """A decoder with a fault of ours."""

    broken = False

    def feed(self, data: bytes, received_at_ms: int) -> list[Reading]:
        raise ZeroDivisionError

    def end(self, received_at_ms: int) -> list[Reading]:
        return []


def test_a_codec_that_fails_stops_its_own_feed_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = SensorCodec("failing", lambda options: Failing(), options=NoOptions)
    load = listening.load_sensor
    monkeypatch.setattr(listening, "load_sensor", lambda name: failing if name == "failing" else load(name))

    async def play() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.1", 0))
            port = sock.getsockname()[1]
        async with board_over(tmp_path / "data") as (engine, board):
            await say(engine, "bad", "add", **fields_of("failing", f"udp://127.0.0.1:{port}"))
            await say(engine, "good", "add", **fields_of("ais", f"udp://127.0.0.1:{port + 1}", "two"))
            for id in ("bad", "good"):
                await until(lambda id=id: (live := board.live(id)) is not None and live.condition == "up", id)  # type: ignore[misc]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.sendto(b"x", ("127.0.0.1", port))
            await until(lambda: (live := board.live("bad")) is not None and live.condition == "lost", "it is shown")
            bad, good = board.live("bad"), board.live("good")
            assert bad is not None
            assert bad.errors == {"internal": 1}
            assert "a fault of ours" in bad.why
            assert good is not None
            assert good.condition == "up"

    asyncio.run(play())


def test_what_another_node_says_opens_nothing_here() -> None:
    def step(node: str, number: int, action: str, **fields: Any) -> Step:
        return Step(
            *(Stamp(number, node, 1, number), f"e{number}", FEED, action, fields, (), 0, 0, "x", None, "x"),
            *(LABEL, "REAL", "", None, ()),
        )

    ours = step("n1", 1, "add", **fields_of("ais", "udp://127.0.0.1:1"))
    foreign = step("n2", 2, "change", url="tcp://192.0.2.1:1")
    theirs = step("n2", 3, "add", **fields_of("ais", "udp://127.0.0.1:2"))
    found = of_node([Thing("a", [ours, foreign]), Thing("b", [theirs])], "n1")
    assert {id: feed.url for id, (_, feed) in found.items()} == {"a": "udp://127.0.0.1:1"}


def test_a_feed_says_nothing_above_its_label() -> None:
    feed = Feed(name="x", format="ais", url="udp://127.0.0.1:1", label=LABEL)
    principal = listening.principal_of(feed, "REAL")
    assert (principal.id, principal.clearance, principal.default_label) == ("feed:x", "UNCLASSIFIED", LABEL)
    assert label_for(Policy(), principal, Marking(classification="SECRET")) == Refused(
        "ceiling", "SECRET is above UNCLASSIFIED, the ceiling of feed:x"
    )
