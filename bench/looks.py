"""Coverage: what looks cost at 5,000 movers that report once a second, and what the two questions cost.

Run: .venv/bin/python bench/looks.py [--movers 5000] [--seconds 120]

Counted is the CPU time of folding positions into the view, as a node does it; then that of one answer each, over the
shipped terrain. There is no peer: no open TAK server keeps where was looked.
"""

import time
from pathlib import Path

import numpy as np
from _crowd import Crowd, Spent, numbers

from aquila.core.model import Principal
from aquila.features import coverage
from aquila.features.coverage.queries import AskCoverage, coverage_queries
from aquila.features.coverage.shadow import ShadowOf, Shadows
from aquila.features.coverage.view import Coverage
from aquila.fusion.looks import LOOKS_MAX, QUARTER_MS, QUARTERS_MAX, cells_of
from aquila.stores.terrain import Terrain
from aquila.testing.memory_node import MemoryPort
from aquila.web_api.port import Asked

DEM = Path(__file__).parents[1] / "web/public/maps/dem.pmtiles"


def main() -> None:
    args = numbers(movers=5_000, seconds=120)
    port = MemoryPort((coverage.feature,))
    view = port.views["coverage"]
    assert isinstance(view, Coverage)
    crowd, spent = Crowd(args.movers, (42, 44), (75, 78), 30), Spent()
    for second in range(args.seconds):
        samples = crowd.samples(port.now_ms + 1000 * second)
        spent.run(lambda samples=samples: [view.fold(each) for each in samples])
    print(f"{args.movers} movers, {args.seconds} s: {spent}")
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
    fill = crowd.dice.uniform((42, 75), (44, 78), (2 * LOOKS_MAX, 2))
    slots = np.zeros(len(fill), np.int64)
    quarters = port.now_ms - crowd.dice.integers(0, QUARTERS_MAX, len(fill)) * QUARTER_MS
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


if __name__ == "__main__":
    main()
