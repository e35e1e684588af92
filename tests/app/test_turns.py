"""Calls of the journal's writer come home in order, and leave everybody else a turn between two of them."""

import asyncio

from aquila.app.turns import deliver_to


def run(*deliveries: str, failing: str = "") -> list[str]:
    """Deliver these at once; each asks for a turn of its own for somebody else."""

    async def body() -> list[str]:
        loop = asyncio.get_running_loop()
        heard: list[str] = []
        done = asyncio.Event()
        loop.set_exception_handler(lambda _, context: heard.append(f"fault {context['exception']}"))

        def call(name: str) -> None:
            heard.append(name)
            loop.call_soon(heard.append, f"other {name}")
            if name == deliveries[-1]:
                loop.call_soon(done.set)
            if name == failing:
                raise ValueError(name)

        deliver = deliver_to(loop)
        for name in deliveries:
            deliver(lambda name=name: call(name))
        await done.wait()
        return heard

    return asyncio.run(body())


def test_between_two_calls_that_came_together_others_have_a_turn() -> None:
    heard = run("a", "b", "c")
    assert [name for name in heard if len(name) == 1] == ["a", "b", "c"]
    assert heard.index("other a") < heard.index("c")
    assert heard.index("other b") < heard.index("other c")


def test_a_call_that_fails_keeps_no_other_from_coming_home() -> None:
    heard = run("a", "b", failing="a")
    assert "fault a" in heard
    assert heard.index("a") < heard.index("b")
