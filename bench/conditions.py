"""Condition watching: 1,000 tasks over 5,000 moving entities at 1 Hz, as the share of one core that it takes.

Run: .venv/bin/python bench/conditions.py [--tasks 1000] [--movers 5000] [--seconds 20]

Counted is the CPU time of what the tasks feature does in a second of a node: fold every position into its view, and
judge every condition on the tick. Storage, codecs and the picture are measured elsewhere.
"""

import argparse
import time

from aquila.core.model import Paper, Sample, Stamp, Tick
from aquila.features import picture, tasks
from aquila.features.tasks.rules import judge_tasks
from aquila.features.tasks.view import tasks_in
from aquila.testing.memory_node import OPEN, MemoryPort, report_of

KINDS = ("reach", "stay_out", "observe", "report", "keep_within")


def condition(n: int, until_ms: int) -> dict[str, object]:
    area = {"points": [[46, 8], [46, 8.1], [46.1, 8.1], [46.1, 8]]}
    fields: dict[str, dict[str, object]] = {
        "reach": {"area": area, "by_ms": until_ms},
        "stay_out": {"area": area},
        "observe": {"area": area, "minutes": 60},
        "report": {"minutes": 600},
        "keep_within": {"within_m": 900_000, "entity": f"M{n + 1}"},
    }
    kind = KINDS[n % len(KINDS)]
    return {"kind": kind, **fields[kind]}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--movers", type=int, default=5000)
    parser.add_argument("--seconds", type=int, default=20)
    args = parser.parse_args()
    port = MemoryPort((picture.feature, tasks.feature))
    until_ms = port.now_ms + 86_400_000
    for n in range(args.tasks):
        fields = {"unit": f"M{n}", "verb": "OBSRV", "conditions": [condition(n, until_ms)]}
        for action, said in (("create", fields), ("issue", {})):
            port.say(
                Paper(type="tasks.task", target=f"t{n}", action=action, happened_at_ms=port.now_ms, fields=said), OPEN
            )
    moves, spent, findings = port.views["moves"], 0.0, 0
    for second in range(args.seconds):
        now_ms = port.now_ms + 1000 * (second + 1)
        samples = [sample(n, second, now_ms) for n in range(args.movers)]
        before = time.process_time()
        for each in samples:
            moves.fold(each)
        findings += len(list(judge_tasks(Tick(stamp=Stamp(now_ms * 65536, "n1", 1, 0), at_ms=now_ms), port.views)))
        spent += time.process_time() - before
    watched = len(tasks_in(port.views).watched())
    print(f"{watched} tasks watched, {args.movers} movers, {args.seconds} s: {findings} findings")
    print(f"{100 * spent / args.seconds:.1f} % of one core ({1000 * spent / args.seconds:.0f} ms of CPU a second)")


def sample(n: int, second: int, now_ms: int) -> Sample:
    return Sample(
        report=report_of(f"M{n}", 45 + n * 1e-5 + second * 1e-5, 7.0, now_ms),
        stamp=Stamp(now_ms * 65536 + n, "n1", 1, 0),
        author="device:FOX",
        via="tak",
        label=OPEN,
        context="EXERCISE:TEST",
        received_at_ms=now_ms,
    )


if __name__ == "__main__":
    main()
