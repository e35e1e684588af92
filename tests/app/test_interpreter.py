"""A node does not stop for the collector again and again."""

import asyncio
import gc
import subprocess
import sys
import weakref

import pytest

from aquila.app import interpreter

COUNT = """
import gc
from aquila.app.interpreter import suit_interpreter

suit_interpreter()
walks = []
gc.callbacks.append(lambda phase, told: walks.append(told["generation"]) if phase == "start" else None)
kept = []
for turn in range(400):
    # As many things that stay as fused tracks leave in a minute, each in three collections of the young.
    kept.append([[turn] for _ in range(7_100)])
print(walks.count(1), walks.count(2))
"""


def test_the_collector_walks_over_all_once_in_many_minutes() -> None:
    told = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, text=True, check=True).stdout
    middle, full = map(int, told.split())
    assert middle > 200, "the trial must give the collector reason to walk"
    assert full == 0, "each walk over 5,000 fused tracks stops everything for 0.3 s"


class Link:
    """Something that knows itself, as a link and its session know each other."""

    def __init__(self) -> None:
        self.session = self


def test_cycles_of_what_lived_long_are_freed_even_where_little_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> None:
        link = Link()
        gc.collect()  # It is old now: no walk over the young sees it.
        freed = asyncio.Event()
        weakref.finalize(link, freed.set)
        del link
        collecting = asyncio.create_task(interpreter.collect_hourly())
        await freed.wait()
        collecting.cancel()

    monkeypatch.setattr(interpreter, "COLLECT_EVERY_S", 0.02)
    gc.disable()
    try:
        asyncio.run(asyncio.wait_for(play(), 30))
    finally:
        gc.enable()
