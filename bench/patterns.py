"""Patterns: 10,000 movers that report once a second, as the share of one core; and how good each kind is, as F1.

Run: .venv/bin/python bench/patterns.py [--movers 10000] [--seconds 60] [--seeds 51001 10]

Counted is the CPU time of the rule on each tick over the newest places, as a node runs it, and of folding positions.
F1 is over scenes of which the story is known, of seeds on which nothing was tuned: development is on seeds 1 to 3.
"""

import argparse
import time

import numpy as np

from aquila.core.model import Motion, Position, Sample, Stamp, Tick
from aquila.features import patterns, picture
from aquila.fusion.pattern_kinds import KINDS
from aquila.testing.memory_node import OPEN, MemoryPort, report_of
from aquila.testing.pattern_judge import f1, judge


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--movers", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seeds", type=int, nargs=2, default=(51_001, 10), metavar=("FIRST", "COUNT"))
    args = parser.parse_args()
    first, count = args.seeds
    counts = judge(range(first, first + count))
    for kind in KINDS:
        of = counts[kind]
        print(f"F1 {kind:12} {f1(of):.3f}  {of['true']} true, {of['false']} false, {of['missed']} missed")
    port = MemoryPort((picture.feature, patterns.feature))
    dice = np.random.default_rng(1)
    lat, lon = dice.uniform(44, 46, args.movers), dice.uniform(8, 11, args.movers)
    course, speed = dice.uniform(0, 2 * np.pi, args.movers), dice.uniform(0, 12, args.movers)
    (rule,) = patterns.feature.rules
    spent, findings, worst = 0.0, 0, 0.0
    for second in range(args.seconds):
        now_ms = port.now_ms + 1000 * (second + 1)
        lat += speed * np.cos(course) / 111_195
        lon += speed * np.sin(course) / 78_000
        samples = [sample(n, float(lat[n]), float(lon[n]), now_ms) for n in range(args.movers)]
        before = time.process_time()
        for each in samples:
            port.views["moves"].fold(each)
        findings += len(list(rule.propose(Tick(now_ms, Stamp(now_ms * 65536, "n1", 1, 0)), port.views)))
        took = time.process_time() - before
        spent, worst = spent + took, max(worst, took)
    print(f"{args.movers} movers, {args.seconds} s: {findings} findings, slowest tick {1000 * worst:.0f} ms of CPU")
    print(f"{100 * spent / args.seconds:.1f} % of one core ({1000 * spent / args.seconds:.0f} ms of CPU a second)")


def sample(n: int, lat_deg: float, lon_deg: float, now_ms: int) -> Sample:
    return Sample(
        report=report_of(f"M{n}", lat_deg, lon_deg, now_ms, position=Position(lat_deg, lon_deg), motion=Motion()),
        stamp=Stamp(now_ms * 65536 + n, "n1", 1, 0),
        author="device:FOX",
        via="tak",
        label=OPEN,
        context="EXERCISE:TEST",
        received_at_ms=now_ms,
    )


if __name__ == "__main__":
    main()
