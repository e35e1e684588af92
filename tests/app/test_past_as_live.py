"""The picture at a time says what the screen said then: the same entities, stale times and sources."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from aquila.app.clockwork import real_clockwork
from aquila.app.engine import Engine, open_engine
from aquila.app.parts import load_features
from aquila.app.port import Port
from aquila.app.turns import deliver_to
from aquila.core.codec import Decoded
from aquila.core.feature import Query
from aquila.core.model import Alias, Position, Principal, Report
from aquila.core.policy import Policy
from aquila.features.picture.past import AskPast, picture_at
from aquila.features.picture.queries import QUERIES, AskEntities, EntityRow, iso
from aquila.web_api.port import Asked

START_MS = 1_700_000_000_000
AGEING_AFTER_MS = 120_000
PHONES = ("listener:tcp", "device:FOX")


class Shown(NamedTuple):
    """What the words of a symbol come from."""

    state: str
    source: str | None


class Walk(NamedTuple):
    """Who reports how: valid_s None = he does not say for how long; silent: seconds from the start."""

    source: str
    every_s: int
    valid_s: int | None
    moves: bool
    silent: range


WALKS: Mapping[str, Walk] = {
    "mover": Walk("listener:tcp", 5, 75, True, range(150, 400)),
    "stander": Walk("listener:tcp", 5, 75, False, range(170, 400)),
    "slow": Walk("device:FOX", 30, 75, False, range(400, 401)),
    "plot": Walk("device:FOX", 2, 10, False, range(100, 130)),
    "undated": Walk("device:FOX", 5, None, False, range(200, 401)),
}


def shown(row: EntityRow, at_ms: int) -> Shown:
    """By the rule of web/src/time/age.ts."""
    if row.stale_at is not None and iso(at_ms) > row.stale_at:
        return Shown("stale", row.source)
    return Shown("ageing" if iso(at_ms - AGEING_AFTER_MS) > row.observed_at else "fresh", row.source)


def report(name: str, walk: Walk, second: int, at_ms: int) -> Report:
    return Report(
        entity=name,
        alias=Alias("cot", name),
        type="a-f-G-U-C",
        sidc="10031000001211000000",
        category="unit",
        observed_at_ms=at_ms,
        stale_at_ms=None if walk.valid_s is None else at_ms + walk.valid_s * 1000,
        name=name,
        position=Position(42.4 + (second * 1e-4 if walk.moves else 0.0), 77.3),
    )


def speaker(id: str) -> Principal:
    label = Policy().default_label
    groups = frozenset(label.groups)
    return Principal(
        id=id,
        kind="listener",
        name=id,
        context="REAL",
        nation="ITA",
        groups_in=groups,
        groups_out=groups,
        default_label=label,
    )


class Day:
    """A node whose clock is stepped, and who reports to it."""

    def __init__(self, folder: Path) -> None:
        self.now_ms = START_MS
        self.engine: Engine = open_engine(
            folder,
            name="TEST",
            context=None,
            policy=Policy(),
            features=load_features(),
            clockwork=msgspec.structs.replace(real_clockwork(), clock_ms=lambda: self.now_ms),
            deliver=deliver_to(asyncio.get_running_loop()),
        )
        self.reader = Asked(Port(self.engine, None, {}), speaker("person:reader"), "test")

    def rows(self, query: Query, ask: object) -> dict[str, Shown]:
        found = (labelled.full for labelled in query.answer(self.reader.principal, ask, self.reader))
        return {row.id: shown(row, getattr(ask, "at_ms", self.now_ms)) for row in found}

    def live_through(self, seconds: int, look_every_s: int) -> dict[int, dict[str, Shown]]:
        """What was on the screen, by the time of each look."""
        entities = next(query for query in QUERIES if query.name == "entities")
        looks = {}
        for second in range(seconds):
            self.now_ms = START_MS + second * 1000
            for name, walk in WALKS.items():
                if second % walk.every_s == 0 and second not in walk.silent:
                    said = Decoded(report(name, walk, second, self.now_ms), b"%s %d" % (name.encode(), second))
                    assert self.engine.hear(said, speaker(walk.source), "test", "", storage="track") is None
            self.engine.tick()
            if second % look_every_s == look_every_s - 1:
                looks[self.now_ms] = self.rows(entities, AskEntities())
        return looks


def test_a_look_back_says_what_was_shown_then(tmp_path: Path) -> None:
    async def run() -> None:
        day = Day(tmp_path / "data")
        try:
            looks = day.live_through(400, 7)
            flushed = asyncio.Event()
            day.engine.positions.settle()
            assert day.engine.positions.flush(lambda _: flushed.set())
            await flushed.wait()
            assert {one.state for look in looks.values() for one in look.values()} == {"fresh", "ageing", "stale"}
            assert {one.source for look in looks.values() for one in look.values()} == set(PHONES)
            for at_ms, look in looks.items():
                past = day.rows(picture_at, AskPast(at_ms=at_ms))
                assert past == look, f"{(at_ms - START_MS) // 1000} s after the start"
        finally:
            await asyncio.to_thread(day.engine.close)

    asyncio.run(run())
