"""Turns of one asker: a few large answers at once, and none for who is gone."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from aquila.app.parts import load_features
from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, Feature, Labelled, Query, Reading
from aquila.core.model import Principal
from aquila.testing.memory_node import MemoryPort
from aquila.testing.served import PATIENCE_S
from aquila.web_api import WebSettings, make_app
from aquila.web_api.contract import ANSWERS_OF_ONE, Held, Turns
from aquila.web_api.errors import WebError
from aquila.web_api.routes import SLOW_AT_ONCE, SLOW_OF_ONE, Slow


class Nothing(msgspec.Struct):
    """A request of nothing."""


class OfThing(msgspec.Struct):
    """A request about a thing."""

    id: str


Gone = Callable[[], Awaitable[None]]


async def stays() -> None:
    """Somebody who never hangs up."""
    await asyncio.Event().wait()


async def all_taken(turns: Turns, held: AsyncExitStack) -> None:
    for _ in range(ANSWERS_OF_ONE):
        await held.enter_async_context(turns.of("a", stays))


async def asked(turns: Turns, gone: Gone, had: list[str], name: str) -> None:
    async with turns.of("a", gone):
        had.append(name)


async def waiting(task: asyncio.Task[None]) -> None:
    """Let it come as far as it comes."""
    for _ in range(10):
        await asyncio.sleep(0)
    assert not task.done()


def test_who_hangs_up_while_he_waits_loses_his_turn_and_the_next_has_it() -> None:
    async def whole() -> None:
        turns, had, hung_up = Turns(), list[str](), asyncio.Event()

        async def gone() -> None:
            await hung_up.wait()

        async with AsyncExitStack() as held:
            await all_taken(turns, held)
            first = asyncio.ensure_future(asked(turns, gone, had, "gone"))
            second = asyncio.ensure_future(asked(turns, stays, had, "stays"))
            await waiting(first)
            await waiting(second)
            hung_up.set()
            with pytest.raises(WebError, match="hung up"):
                await first
            await waiting(second)
        await second
        assert had == ["stays"]
        # Nothing is left of him: as many as before have a turn at once.
        async with AsyncExitStack() as held:
            await all_taken(turns, held)

    asyncio.run(whole())


@pytest.mark.parametrize("order", ["turn first", "gone first"])
def test_a_turn_that_comes_as_he_hangs_up_is_lost_by_nobody(order: str) -> None:
    async def whole() -> None:
        turns, had, hung_up = Turns(), list[str](), asyncio.Event()

        async def gone() -> None:
            await hung_up.wait()

        async with AsyncExitStack() as held:
            await all_taken(turns, held)
            task = asyncio.ensure_future(asked(turns, gone, had, "he"))
            await waiting(task)
            if order == "gone first":
                hung_up.set()
            await held.aclose()
            hung_up.set()
            await asyncio.gather(task, return_exceptions=True)
        async with AsyncExitStack() as held:
            await all_taken(turns, held)

    asyncio.run(whole())


def test_who_is_cancelled_while_he_waits_takes_no_turn_along() -> None:
    async def whole() -> None:
        turns, had = Turns(), list[str]()
        async with AsyncExitStack() as held:
            await all_taken(turns, held)
            task = asyncio.ensure_future(asked(turns, stays, had, "he"))
            await waiting(task)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        async with AsyncExitStack() as held:
            await all_taken(turns, held)
        assert had == []

    asyncio.run(whole())


def test_who_need_not_wait_is_not_looked_after() -> None:
    async def never() -> None:
        raise AssertionError("the connection was read")

    async def whole() -> None:
        async with Turns().of("a", never):
            pass

    asyncio.run(whole())


def test_a_connection_is_gone_when_it_says_so_and_not_with_its_body() -> None:
    async def whole() -> None:
        said: list[Any] = [{"type": "http.disconnect"}, {"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Any:
            return said.pop()

        await Held(receive).gone()
        assert said == []

    asyncio.run(whole())


def test_slow_commands_of_one_asker_wait_for_each_other_and_leave_a_turn_to_others() -> None:
    async def whole() -> None:
        slow, had, done = Slow(), list[str](), asyncio.Event()

        async def asks(who: str) -> None:
            async with slow.turn(who):
                had.append(who)
                await done.wait()

        many = [asyncio.ensure_future(asks("greedy")) for _ in range(SLOW_OF_ONE)]
        await waiting(many[-1])
        with pytest.raises(WebError, match="8 of your slow questions and files are at work") as refused:
            await asks("greedy")
        assert refused.value.status == 429
        others = [asyncio.ensure_future(asks(name)) for name in ("ann", "ben")]
        await waiting(others[0])
        # One turn is his whatever he sends, the next is another's; who comes third waits for one of them.
        assert had == ["greedy", "ann"]
        assert len(had) == SLOW_AT_ONCE
        done.set()
        await asyncio.gather(*many, *others)
        assert had.count("greedy") == SLOW_OF_ONE
        # Nothing is left of him.
        await asks("greedy")

    asyncio.run(whole())


class Crowd:
    """Two more than may wait: nobody is done with before both were turned away, however late they come."""

    def __init__(self) -> None:
        self.is_turned_away = threading.Event()
        self._refused = 0

    def told(self, status: int) -> None:
        self._refused += status == 429
        if self._refused == 2:
            self.is_turned_away.set()


def pressed(
    port: MemoryPort,
    tmp_path: Path,
    feature: Feature,
    paths: list[str],
    method: str = "POST",
    told: Callable[[int], None] = lambda status: None,
) -> list[int]:
    """The statuses when these paths of a feature are asked for, all at the same moment. told: each when it comes."""
    app = make_app(port, [feature], WebSettings(static_folder=tmp_path))
    headers, body = port.token("op"), b"{}" if method == "POST" else None

    async def whole() -> list[int]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:

            async def press(path: str) -> int:
                status = (await client.request(method, f"/api/v1{path}", content=body)).status_code
                told(status)
                return status

            return await asyncio.gather(*map(press, paths))

    return asyncio.run(whole())


def test_of_two_who_press_at_the_same_moment_one_is_told_that_he_was_too_late(port: MemoryPort, tmp_path: Path) -> None:
    taken = set[str]()

    async def take(principal: Principal, ask: OfThing, desk: Desk) -> OfThing | Refused:
        if ask.id in taken:
            return Refused("state", "it is taken")
        # As the journal does: what is written can be seen after the commit only.
        await asyncio.sleep(0)
        taken.add(ask.id)
        return ask

    command = Command(
        name="take", method="POST", path="/things/{id}/take", request=OfThing, answer=OfThing, role="viewer", act=take
    )
    statuses = pressed(
        port, tmp_path, Feature(name="stub", commands=(command,)), ["/things/a/take", "/things/b/take"] * 3
    )
    assert sorted(statuses) == [201, 201, 422, 422, 422, 422]


def test_a_slow_command_waits_for_its_turn(port: MemoryPort, tmp_path: Path) -> None:
    at_work, most = 0, 0
    crowd = Crowd()

    async def dawdle(principal: Principal, ask: Nothing, desk: Desk) -> Nothing:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.to_thread(crowd.is_turned_away.wait, PATIENCE_S)
        at_work -= 1
        return ask

    command = Command(
        name="dawdle",
        method="POST",
        path="/dawdle",
        request=Nothing,
        answer=Nothing,
        role="viewer",
        act=dawdle,
        slow=True,
    )
    feature = Feature(name="stub", commands=(command,))
    statuses = pressed(port, tmp_path, feature, ["/dawdle"] * (SLOW_OF_ONE + 2), told=crowd.told)
    assert sorted(statuses) == [201] * SLOW_OF_ONE + [429] * 2
    assert most == 1


def test_of_slow_questions_of_one_asker_one_is_answered_at_a_time(port: MemoryPort, tmp_path: Path) -> None:
    at_work, most = 0, 0
    entered, crowd = threading.Lock(), Crowd()

    def ponder(principal: Principal, ask: Nothing, reading: Reading) -> Iterator[Labelled]:
        nonlocal at_work, most
        with entered:
            at_work += 1
            most = max(most, at_work)
        crowd.is_turned_away.wait(PATIENCE_S)
        yield Labelled(ask, None, reading.context)
        with entered:
            at_work -= 1

    query = Query(
        name="ponder",
        path="/ponder",
        request=Nothing,
        row=Nothing,
        role="viewer",
        answer=ponder,
        blocking=True,
        slow=True,
    )
    feature = Feature(name="stub", queries=(query,))
    statuses = pressed(port, tmp_path, feature, ["/ponder"] * (SLOW_OF_ONE + 2), "GET", crowd.told)
    assert sorted(statuses) == [200] * SLOW_OF_ONE + [429] * 2
    assert most == 1


def test_commands_that_read_files_of_people_and_dear_questions_are_slow_ones() -> None:
    slow = {command.name for feature in load_features() for command in feature.commands if command.slow}
    dear = {query.name for feature in load_features() for query in feature.queries if query.slow}
    assert dear == {"shadow", "radar_shadow", "report_document", "order_file"}
    assert slow == {"plan_orbat_import", "import_orbat", "import_overlay", "make_extract"}
