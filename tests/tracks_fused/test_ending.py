"""The fusion ends when it is told to, whatever comes in the same turn of the loop."""

import asyncio
from pathlib import Path

from aquila.app.clockwork import real_clockwork
from aquila.app.engine import open_engine
from aquila.app.feeds import FeedBoard
from aquila.app.fusion import FusionEdge
from aquila.app.parts import load_features
from aquila.app.turns import deliver_to
from aquila.core.model import Position
from aquila.core.plot import Plot
from aquila.core.policy import Policy
from aquila.features.feeds import Feed
from aquila.testing.served import PATIENCE_S


async def last_plot_and_stop(folder: Path) -> None:
    policy = Policy()
    engine = open_engine(
        folder, name="A", context=None, policy=policy, features=load_features(), clockwork=real_clockwork(),
        deliver=deliver_to(asyncio.get_running_loop()),
    )  # fmt: skip
    edge = FusionEdge(engine, FeedBoard(engine))
    feed = Feed(name="radar", format="asterix", url="udp://127.0.0.1:1", label=policy.default_label)

    def hand() -> None:
        at_ms = engine.clockwork.clock_ms()
        plot = Plot(sensor="asterix:1/1", observed_at_ms=at_ms, position=Position(43.0, 16.0), covariance_m2=(9, 9, 0))
        edge.take_plot("radar", feed, plot)

    async with edge.running():
        hand()
        while edge.fusing is None or edge.fusing.plane is None:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        while not edge._some._waiters:  # noqa: ASYNC110 - until it waits for more, which nobody tells
            await asyncio.sleep(0.01)
        hand()
    engine.close()


def test_a_plot_in_the_turn_of_the_end_does_not_keep_it_from_ending(tmp_path: Path) -> None:
    async def guarded() -> None:
        ending = asyncio.create_task(last_plot_and_stop(tmp_path / "data"))
        done, _ = await asyncio.wait({ending}, timeout=PATIENCE_S)
        assert done
        await ending

    asyncio.run(guarded())
