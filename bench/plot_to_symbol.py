"""From a plot to the symbol that the node shows: how long, at so many tracks. One process, no network and no page.

python bench/plot_to_symbol.py --tracks 5000 --seconds 20

An engine with its journal on disk and the fusion beside it, as in a node. Ships in a grid, half of them with AIS, all
plotted by one radar with a turn of 4 s; plots are handed over at the moment at which they were measured, as a feed
does. Measured is the time from handing over a plot of a track that is shown until its next report has been folded
into the picture.
"""

import argparse
import asyncio
import json
import math
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from aquila.app.clockwork import real_clockwork
from aquila.app.engine import Engine, open_engine
from aquila.app.feeds import FeedBoard
from aquila.app.fusion import FusionEdge
from aquila.app.interpreter import suit_interpreter
from aquila.app.listening import principal_of
from aquila.app.parts import load_features
from aquila.app.turns import deliver_to
from aquila.core.codec import Decoded
from aquila.core.ids import entity_id
from aquila.core.model import Alias, Motion, Position, Principal, Report, Sample
from aquila.core.plot import Plot
from aquila.core.policy import Policy
from aquila.features.feeds import Feed
from aquila.fusion.compiled import has_compiler

TURN_S = 4.0
AIS_S = 10.0
HAND_S = 0.05
M_PER_DEG = 111_195.0
CENTRE = (43.0, 16.0)
COS_LAT = math.cos(math.radians(CENTRE[0]))


def cell_of(x: float, y: float) -> tuple[int, int]:
    """A place's square of 2 km; every ship begins in the middle of one of its own."""
    return math.floor(x / 2_000), math.floor(y / 2_000)


class Run:
    """The scene, and what was measured.

    Attributes:
        xy: east and north of the centre at the start, m. v: m/s.
        handed_s: of each ship the plot that waits for its symbol. shown: ships that have a symbol.
    """

    def __init__(self, count: int, seed: int = 1) -> None:
        self.dice = np.random.default_rng(seed)
        side = int(np.ceil(np.sqrt(count)))
        grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).reshape(-1, 2)[:count]
        self.xy = (grid - side // 2) * 2_000.0 + 1_000.0
        course = self.dice.uniform(0, 2 * np.pi, count)
        self.v = 8.0 * np.column_stack([np.sin(course), np.cos(course)])
        self.handed_s: dict[int, float] = {}
        self.shown: set[int] = set()
        self.latency_s: list[float] = []
        self.loop_late_s: list[float] = []

    def place(self, n: int, t_s: float, sigma_m: float) -> Position:
        """Where a ship is, with an error."""
        x, y = self.xy[n] + self.v[n] * t_s + self.dice.normal(0, sigma_m, 2)
        x, y = float(x), float(y)
        lat = CENTRE[0] + y / M_PER_DEG
        return Position(lat, CENTRE[1] + x / (M_PER_DEG * COS_LAT), None, 1.51 * sigma_m)


async def measure(count: int, seconds: float, folder: Path) -> Run:
    """Let it run so long."""
    run, policy = Run(count), Policy()
    engine = open_engine(
        folder, name="BENCH", context=None, policy=policy, features=load_features(), clockwork=real_clockwork(),
        deliver=deliver_to(asyncio.get_running_loop()),
    )  # fmt: skip
    feeds = FeedBoard(engine)
    edge = FusionEdge(engine, feeds)
    radar = Feed(name="radar", format="asterix", url="udp://127.0.0.1:1", label=policy.default_label)
    ais = principal_of(Feed(name="ais", format="ais", url="udp://127.0.0.1:2", label=policy.default_label), "REAL")
    settled_s = seconds / 2
    grid: dict[tuple[int, int], int] = {cell_of(x, y): n for n, (x, y) in enumerate(run.xy.tolist())}

    def folded(sample: Sample, link: int | None) -> None:
        if sample.author == "fusion" and sample.report.position is not None:
            at = sample.report.position
            x = (at.lon_deg - CENTRE[1]) * M_PER_DEG * COS_LAT
            y = (at.lat_deg - CENTRE[0]) * M_PER_DEG
            n = grid.get(cell_of(x, y))
            if n is not None:
                run.shown.add(n)
            handed = None if n is None else run.handed_s.pop(n, None)
            if handed is not None and time.perf_counter() - began > settled_s:
                run.latency_s.append(time.perf_counter() - handed)

    began = time.perf_counter()
    engine.on_samples.append(folded)
    async with edge.running():
        done = 0.0
        engine.hear(Decoded(_site(engine.clockwork.clock_ms()), b"site"), ais, "feed:radar", "", storage="track")
        while done < seconds:
            await asyncio.sleep(HAND_S)
            now = time.perf_counter() - began
            run.loop_late_s.append(max(now - done - HAND_S, 0.0))
            _hand(run, edge, engine, radar, ais, (done, now))
            done = now
    engine.close()
    return run


def _site(at_ms: int) -> Report:
    return Report(
        entity=entity_id("asterix", "1/1"), alias=Alias("asterix", "1/1"), type="a-u-G-E-S",
        sidc="10011500002200000000", category="platform", observed_at_ms=at_ms, position=Position(*CENTRE), own=True,
        fields={"rotation_s": str(TURN_S)},
    )  # fmt: skip


def _hand(run: Run, edge: FusionEdge, engine: Engine, radar: Feed, ais: Principal, span_s: tuple[float, float]) -> None:
    count = len(run.xy)
    phase = np.arange(count) / count
    at_ms = engine.clockwork.clock_ms()
    for n in due(phase, TURN_S, span_s):
        plot = Plot(sensor="asterix:1/1", observed_at_ms=at_ms, position=run.place(n, span_s[1], 40.0),
                    covariance_m2=(1600.0, 1600.0, 0.0))  # fmt: skip
        if n in run.shown:
            run.handed_s.setdefault(n, time.perf_counter())
        edge.take_plot("radar", radar, plot)
    for n in due(phase, AIS_S, span_s):
        if n % 2 == 0:
            mmsi = str(238_000_000 + n)
            speed = float(np.hypot(*run.v[n]))
            course = float(np.degrees(np.arctan2(run.v[n, 0], run.v[n, 1])) % 360)
            report = Report(
                entity=entity_id("mmsi", mmsi), alias=Alias("mmsi", mmsi), type="a-u-S", sidc="10013000000000000000",
                category="platform", observed_at_ms=at_ms, position=run.place(n, span_s[1], 8.0),
                motion=Motion(course, speed), own=True,
            )  # fmt: skip
            engine.hear(Decoded(report, f"{n}/{at_ms}".encode()), ais, "feed:ais", "", storage="track")


def due(phase: np.ndarray, period_s: float, span_s: tuple[float, float]) -> Sequence[int]:
    """Who is seen in a span (s) by what comes round in so many seconds; phase: of each, 0 to 1."""
    before, after = (np.floor(at / period_s + phase) for at in span_s)
    found: list[int] = np.flatnonzero(after > before).tolist()
    return found


def main() -> int:
    """Run it and print one line."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--tracks", type=int, default=5_000)
    words.add_argument("--seconds", type=float, default=40.0)
    chosen = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        suit_interpreter()
        cpu_s = time.process_time()
        run = asyncio.run(measure(chosen.tracks, chosen.seconds, Path(folder) / "data"))
        cpu_s = time.process_time() - cpu_s
    p50, p99 = (float(np.quantile(run.latency_s, q)) * 1000 for q in (0.5, 0.99)) if run.latency_s else (-1.0, -1.0)
    print(
        json.dumps({
            "tracks": chosen.tracks, "measured": len(run.latency_s), 
            "p50_ms": round(p50), "p99_ms": round(p99), "cpu_share": round(cpu_s / chosen.seconds, 2),
            "loop_late_p99_ms": round(float(np.quantile(run.loop_late_s, 0.99)) * 1000),
            "compiled": has_compiler(), "load": os.getloadavg()[0],
        })
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    main()
