"""Patterns: 10,000 movers that report once a second, as the share of one core; and how good each kind is, as F1.

Run: .venv/bin/python bench/patterns.py [--movers 10000] [--seconds 60] [--seed 51001] [--seeds 10]

Counted is the CPU time of the rule on each tick over the newest places, as a node runs it, and of folding positions.
F1 is over scenes of which the story is known, of seeds on which nothing was tuned: development is on seeds 1 to 3.
"""

from _crowd import Crowd, Spent, numbers, tick_of

from aquila.core.model import Sample
from aquila.features import patterns, picture
from aquila.fusion.pattern_kinds import KINDS
from aquila.testing.memory_node import MemoryPort
from aquila.testing.pattern_judge import f1, judge


def main() -> None:
    args = numbers(movers=10_000, seconds=60, seed=51_001, seeds=10)
    counts = judge(range(args.seed, args.seed + args.seeds))
    for kind in KINDS:
        of = counts[kind]
        print(f"F1 {kind:12} {f1(of):.3f}  {of['true']} true, {of['false']} false, {of['missed']} missed")
    port = MemoryPort((picture.feature, patterns.feature))
    crowd, spent, found = Crowd(args.movers, (44, 46), (8, 11), 12), Spent(), list[object]()
    (rule,) = patterns.feature.rules
    for second in range(1, args.seconds + 1):
        now_ms = port.now_ms + 1000 * second
        samples = crowd.samples(now_ms)

        def look(samples: list[Sample] = samples, now_ms: int = now_ms) -> None:
            for each in samples:
                port.views["moves"].fold(each)
            found.extend(rule.propose(tick_of(now_ms), port.views))

        spent.run(look)
    print(f"{args.movers} movers, {args.seconds} s: {len(found)} findings")
    print(spent)


if __name__ == "__main__":
    main()
