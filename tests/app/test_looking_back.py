"""A node looks back beside its loop; what a stop cut off is looked at when it starts again."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from aquila.app import looking_back
from aquila.app.clockwork import real_clockwork
from aquila.app.engine import Engine, open_engine
from aquila.app.looking_back import LookingBack
from aquila.app.port import PooledJournal
from aquila.app.turns import deliver_to
from aquila.core.journal import Staged
from aquila.core.model import REAL, Entry, Note, Paper
from aquila.core.paper_work import WatchedPapers
from aquila.core.policy import Policy
from aquila.core.view import view_of
from aquila.features import log, questions
from aquila.features.questions.question import QUESTION, hits_of
from aquila.stores.sqlite.writer import Done, GroupWriter
from aquila.testing.served import wait_until

HOUR_MS = 3_600_000


def with_node(folder: Path, work: Callable[[Engine, LookingBack], Awaitable[None]]) -> None:
    """Open a node, let `work` be done on its loop, close it."""

    async def run() -> None:
        engine = open_engine(
            folder,
            name="HOUSE",
            context=REAL,
            policy=Policy(),
            features=[log.feature, questions.feature],
            clockwork=real_clockwork(),
            deliver=deliver_to(asyncio.get_running_loop()),
        )
        try:
            await work(engine, LookingBack(engine, PooledJournal(engine.store), questions.feature.look_backs))
        finally:
            await asyncio.to_thread(engine.close)

    asyncio.run(run())


async def say(engine: Engine, body: Note | Paper) -> None:
    said = await engine.write(body, engine.node.principal, "test")
    assert isinstance(said, Entry)


async def ask(engine: Engine, id: str) -> None:
    now_ms = engine.clockwork.clock_ms()
    await say(engine, Note(room="log", text=f"bridge {id}", happened_at_ms=now_ms))
    fields = {"text": "?", "tests": [{"words": ["bridge", id]}], "from_ms": now_ms - HOUR_MS}
    await say(engine, Paper(type=QUESTION, target=id, action="ask", happened_at_ms=now_ms, fields=fields))


def found(engine: Engine) -> dict[str, list[str]]:
    watched = view_of(engine.node.views, "questions", WatchedPapers).watched()
    return {thing.id: [hit.text for hit in hits_of(thing) if hit.found] for thing in watched}


async def until(engine: Engine, wanted: dict[str, list[str]]) -> None:
    await asyncio.to_thread(wait_until, lambda: found(engine) == wanted, f"hits {wanted}")


def test_what_a_stop_cut_off_is_looked_at_when_it_starts_again(tmp_path: Path) -> None:
    async def stopped(engine: Engine, _: LookingBack) -> None:
        await ask(engine, "q1")

    async def started(engine: Engine, looks: LookingBack) -> None:
        assert found(engine) == {"q1": []}
        follows = asyncio.create_task(looks.follow())
        await until(engine, {"q1": ["bridge q1"]})
        await ask(engine, "q2")
        await until(engine, {"q1": ["bridge q1"], "q2": ["bridge q2"]})
        follows.cancel()

    with_node(tmp_path / "data", stopped)
    with_node(tmp_path / "data", started)


def test_it_tries_again_when_the_journal_had_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full_once(engine: Engine, looks: LookingBack) -> None:
        await ask(engine, "q1")
        submit, refusals = engine.writer.submit, []

        def refuse_first(_: GroupWriter, staged: Sequence[Staged], done: Done | None = None) -> bool:
            refusals.append(staged)
            return len(refusals) > 1 and submit(staged, done)

        monkeypatch.setattr(GroupWriter, "submit", refuse_first)
        monkeypatch.setattr(looking_back, "AGAIN_S", 0.01)
        follows = asyncio.create_task(looks.follow())
        await until(engine, {"q1": ["bridge q1"]})
        follows.cancel()
        assert len(refusals) > 1

    with_node(tmp_path / "data", full_once)


def test_a_walk_ends_when_its_time_is_up_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def late(engine: Engine, looks: LookingBack) -> None:
        await ask(engine, "q1")
        monkeypatch.setattr(looking_back, "LOOK_S", 0.0)
        follows = asyncio.create_task(looks.follow())
        await asyncio.to_thread(wait_until, lambda: how_far(engine), "it says how far it came")
        follows.cancel()
        assert how_far(engine) == [{"entries": 0, "received_from_ms": None, "is_whole": False}]

    with_node(tmp_path / "data", late)


def how_far(engine: Engine) -> list[object]:
    (thing,) = view_of(engine.node.views, "questions", WatchedPapers).watched()
    return [value for name, value in thing.fields().items() if name.startswith("looked.")]
