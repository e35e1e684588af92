"""Turns of one asker: a few large answers at once, and none for who is gone."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from aquila.web_api.contract import ANSWERS_OF_ONE, Held, Turns
from aquila.web_api.errors import WebError

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
