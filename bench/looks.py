"""Coverage: what looks cost at 5,000 movers that report once a second, and what the two questions cost.

Run: .venv/bin/python bench/looks.py [--movers 5000] [--seconds 120]

Counted is the CPU time of folding positions into the view, as a node does it; then that of one answer each, over the
shipped terrain. There is no peer: no open TAK server keeps where was looked.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from aquila.core.model import Position, Principal, Sample, Stamp
from aquila.features import coverage
from aquila.features.coverage.queries import AskCoverage, coverage_queries
from aquila.features.coverage.shadow import ShadowOf, Shadows
from aquila.features.coverage.view import Coverage
from aquila.fusion.looks import LOOKS_MAX, QUARTER_MS, QUARTERS_MAX, cells_of
from aquila.stores.terrain import Terrain
from aquila.testing.memory_node import OPEN, MemoryPort, report_of
from aquila.web_api.port import Asked

DEM = Path(__file__).parents[1] / "web/public/maps/dem.pmtiles"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--movers", type=int, default=5_000)
    parser.add_argument("--seconds", type=int, default=120)
    args = parser.parse_args()
    port = MemoryPort((coverage.feature,))
    view = port.views["coverage"]
    assert isinstance(view, Coverage)
    dice = np.random.default_rng(1)
    lat, lon = dice.uniform(42, 44, args.movers), dice.uniform(75, 78, args.movers)
    course, speed = dice.uniform(0, 2 * np.pi, args.movers), dice.uniform(0, 30, args.movers)
    spent = worst = 0.0
    for second in range(args.seconds):
        now_ms = port.now_ms + 1000 * second
        lat += speed * np.cos(course) / 111_195
        lon += speed * np.sin(course) / 81_000
        samples = [sample(n, float(lat[n]), float(lon[n]), now_ms) for n in range(args.movers)]
        before = time.process_time()
        for each in samples:
            view.fold(each)
        took = time.process_time() - before
        spent, worst = spent + took, max(worst, took)
    share = 100 * spent / args.seconds
    print(f"{args.movers} movers, {args.seconds} s: {share:.1f} % of one core, slowest second {1000 * worst:.0f} ms")
    print(f"kept {len(view.looks())} cells and quarters; snapshot {len(view.snapshot()) / 1e6:.1f} MB")
    groups = frozenset({"COMMON"})
    who = Principal(
        id="token:bench", kind="person", name="bench", context=port.context, nation="ITA", groups_out=groups
    )
    asked = Asked(port, who, "bench")
    port.now_ms += 1000 * args.seconds
    (query,) = [each for each in coverage_queries if each.name == "coverage"]
    wishes = (
        ("300 km", AskCoverage(bbox="75,42,78,44")),
        ("30 km", AskCoverage(bbox="76,43,76.3,43.2")),
        ("30 km, the furthest reach", AskCoverage(bbox="76,43,76.3,43.2", ground_m=100_000)),
    )

    def ask(when: str) -> None:
        for name, wish in wishes:
            before = time.process_time()
            (row,) = query.answer(asked.principal, wish, asked)
            assert row.full.since_ms is not None, "the asker may have the looks"
            print(f"one answer over {name}, {when}: {1000 * (time.process_time() - before):.0f} ms of CPU")

    ask("as it is")
    # Where as much is kept as may be.
    fill = dice.uniform((42, 75), (44, 78), (2 * LOOKS_MAX, 2))
    slots = np.zeros(len(fill), np.int64)
    quarters = port.now_ms - dice.integers(0, QUARTERS_MAX, len(fill)) * QUARTER_MS
    view.looks().put(slots, cells_of(fill[:, 0], fill[:, 1]), quarters)
    print(f"kept {len(view.looks())} cells and quarters; snapshot {len(view.snapshot()) / 1e6:.1f} MB")
    ask("full")
    before = time.process_time()
    view.snapshot()
    print(f"one snapshot, full: {1000 * (time.process_time() - before):.0f} ms of CPU")
    shadows = Shadows(Terrain(DEM))
    for times in ("first, tiles unread", "another place beside it"):
        before = time.process_time()
        shadows.of(ShadowOf(((43.1, 76.9 + 0.01 * len(times)),), 20.0, 100_000.0, (50.0, 500.0, 3000.0), "ground"))
        print(f"shadow of 100 km, {times}: {1000 * (time.process_time() - before):.0f} ms of CPU")


def sample(n: int, lat_deg: float, lon_deg: float, now_ms: int) -> Sample:
    return Sample(
        report=report_of(f"M{n}", lat_deg, lon_deg, now_ms, position=Position(lat_deg, lon_deg)),
        stamp=Stamp(now_ms * 65536 + n, "n1", 1, 0),
        author="device:FOX",
        via="tak",
        label=OPEN,
        context="EXERCISE:TEST",
        received_at_ms=now_ms,
    )


if __name__ == "__main__":
    main()
