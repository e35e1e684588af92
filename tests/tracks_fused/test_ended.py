"""A fused track that has ended: peers drop it at once, the journal has no line of it, and no restart brings it back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aquila.app.clockwork import real_clockwork
from aquila.app.engine import Engine, open_engine
from aquila.app.parts import load_features
from aquila.app.relay import Relay
from aquila.app.turns import deliver_to
from aquila.core.codec import Decoded
from aquila.core.fanout import EVERYONE, Outbound, Reach
from aquila.core.model import Alias, Position, Principal, Removal, Report, Verdict
from aquila.core.policy import Decision, Policy, redact
from aquila.core.view import view_of
from aquila.features.picture import Picture

FUSION = Principal(
    id="fusion",
    kind="listener",
    name="fusion",
    context="REAL",
    groups_in=frozenset(Policy().default_label.groups),
    default_label=Policy().default_label,
)


class Phones:
    """What would go out, and of which keys the states were let go."""

    def __init__(self) -> None:
        self.fanout = self
        self.out: list[Outbound] = []
        self.forgotten: list[Any] = []

    def forget(self, key: Any, whose: Any) -> None:
        """See Fanout."""
        assert whose(FUSION.default_label)
        self.forgotten.append(key)

    def publish(self, outbound: Outbound) -> Reach:
        """See Hub."""
        self.out.append(outbound)
        return EVERYONE


@asynccontextmanager
async def node(data: Path) -> AsyncIterator[Engine]:
    """A node without doors."""
    engine = open_engine(
        data,
        name="TEST",
        context=None,
        policy=Policy(),
        features=load_features(),
        clockwork=real_clockwork(),
        deliver=deliver_to(asyncio.get_running_loop()),
    )
    try:
        yield engine
    finally:
        engine.close()


def say(engine: Engine, number: int, *, ended: bool = False) -> int:
    """Where track T1 is, or that it has ended there; gives when."""
    at_ms = engine.node.clock_ms()
    report = Report(
        entity="e1",
        alias=Alias("fused", "e1"),
        type="a-u-X",
        sidc="10010000000000000000",
        category="track",
        observed_at_ms=at_ms,
        stale_at_ms=at_ms + 20_000,
        name="T1",
        position=Position(42.4, 77.3),
        ended=ended,
    )
    assert engine.hear(Decoded(report, b"%d" % number), FUSION, "fusion", "", storage="track") is None
    return at_ms


def is_shown(engine: Engine) -> bool:
    """Does anybody see it who may have all that is said here?"""
    node = engine.node
    picture = view_of(node.views, "picture", Picture)
    return picture.sight("e1", lambda label, context: Decision(Verdict.FULL, ""), node.policy) is not None


def entries(engine: Engine) -> int:
    """Lines of the journal."""
    with engine.store.reader() as reading:
        return reading.journal.last_arrival()


def test_its_end_reaches_phones_the_table_and_the_next_start_but_not_the_journal(tmp_path: Path) -> None:
    phones = Phones()

    async def live() -> tuple[int, int]:
        async with node(tmp_path / "data") as engine:
            Relay(engine, phones, {}, lambda link, body: False)  # type: ignore[arg-type]  # all it needs of a hub
            began_ms = say(engine, 1)
            assert is_shown(engine)
            ended_ms = say(engine, 2, ended=True)
            assert not is_shown(engine)
            return began_ms, ended_ms

    async def again() -> None:
        async with node(tmp_path / "data") as engine:
            assert not is_shown(engine), "a restart does not bring it back"
            assert entries(engine) == 0
            with engine.store.reader() as reading:
                points = reading.tracks.of_entity("e1", began_ms, ended_ms).points
            assert [(one.at_ms, one.ended) for one in points] in (
                [(began_ms, False), (ended_ms, True)],
                [(ended_ms, True)],  # within one millisecond
            )
            say(engine, 3)
            assert is_shown(engine), "it may be found again"

    began_ms, ended_ms = asyncio.run(live())
    asyncio.run(again())
    there, end = phones.out
    assert isinstance(there.body, Report)
    assert isinstance(end.body, Removal)
    assert (end.key, end.statement, phones.forgotten) == ("e1", False, ["e1"]), "a slow phone gets the newest: its end"


def test_who_may_have_the_redacted_form_is_told_of_the_end_too() -> None:
    report = Report(
        entity="e1",
        alias=Alias("fused", "e1"),
        type="a-u-X",
        sidc="10010000000000000000",
        category="track",
        observed_at_ms=1,
        position=Position(42.4, 77.3),
        ended=True,
    )
    less = redact(Policy(), report)
    assert isinstance(less, Report)
    assert less.ended
