"""Condition watching: 1,000 tasks over 5,000 moving entities at 1 Hz, as the share of one core that it takes.

Run: .venv/bin/python bench/conditions.py [--tasks 1000] [--movers 5000] [--seconds 20]

Counted is the CPU time of what the tasks feature does in a second of a node: fold every position into its view, and
judge every condition on the tick. Storage, codecs and the picture are measured elsewhere.
"""

from _crowd import Spent, numbers, sample_of, tick_of

from aquila.core.model import Paper, Sample
from aquila.features import picture, tasks
from aquila.features.tasks.rules import judge_tasks
from aquila.features.tasks.view import tasks_in
from aquila.testing.memory_node import OPEN, MemoryPort

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
    args = numbers(tasks=1000, movers=5000, seconds=20)
    port = MemoryPort((picture.feature, tasks.feature))
    until_ms = port.now_ms + 86_400_000
    for n in range(args.tasks):
        fields = {"unit": f"M{n}", "verb": "OBSRV", "conditions": [condition(n, until_ms)]}
        for action, said in (("create", fields), ("issue", {})):
            port.say(
                Paper(type="tasks.task", target=f"t{n}", action=action, happened_at_ms=port.now_ms, fields=said), OPEN
            )
    moves, spent, found = port.views["moves"], Spent(), list[object]()
    for second in range(1, args.seconds + 1):
        now_ms = port.now_ms + 1000 * second
        samples = [sample_of(n, 45 + (n + second) * 1e-5, 7.0, now_ms) for n in range(args.movers)]

        def look(samples: list[Sample] = samples, now_ms: int = now_ms) -> None:
            for each in samples:
                moves.fold(each)
            found.extend(judge_tasks(tick_of(now_ms), port.views))

        spent.run(look)
    watched = len(tasks_in(port.views).watched())
    print(f"{watched} tasks watched, {args.movers} movers, {args.seconds} s: {len(found)} findings")
    print(spent)


if __name__ == "__main__":
    main()
