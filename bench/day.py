"""A day of a thousand reports: how long roll-up, handover and the board take. `python bench/day.py`; no test."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from aquila.core.feature import Feature, Query
from aquila.core.model import Paper, Principal, audience_of
from aquila.core.policy import release
from aquila.features import handover, incidents, questions, reports
from aquila.features.handover import OfferHandover, offer_handover
from aquila.testing.memory_node import OPEN, MemoryPort

FEATURES: tuple[Feature, ...] = (incidents.feature, questions.feature, reports.feature, handover.feature)
REPORTS = 1000
DAY_MS = 86_400_000
READER = Principal(
    id="person:bench",
    kind="person",
    name="bench",
    context="EXERCISE:TEST",
    nation="ITA",
    groups_in=frozenset({"COMMON"}),
    groups_out=frozenset({"COMMON"}),
)


class Desk:
    """What commands and queries look at, over a node in memory."""

    def __init__(self, port: MemoryPort) -> None:
        self._port = port
        self.views, self.journal, self.policy = port.views, port.journal, port.policy
        self.context, self.node = port.context, port.node

    def now_ms(self) -> int:
        return self._port.now_ms

    def new_id(self) -> str:
        return self._port.new_id()

    def part(self, name: str) -> Any:
        return self._port.part(name)

    def release(self, label: Any, context: str) -> Any:
        return release(self.policy, label, context, audience_of(READER))

    async def write(self, body: Any, **more: Any) -> Any:
        more.pop("subjects", None)
        return self._port.write_now(READER, body, "bench", **more)


def say(port: MemoryPort, number: int) -> None:
    """One report of the day."""
    form = ("sitrep", "logsitrep", "intrep", "salute")[number % 4]
    values = {
        "sitrep": {"present": 90, "strength": 100, "assessment": f"calm {number}"},
        "logsitrep": {"class_i": 3, "water": 1000, "narrative": f"fuel low {number}"},
        "intrep": {"what": f"vehicles counted {number}", "so_what": "none"},
        "salute": {"size": "4", "activity": f"digging {number}"},
    }[form]
    fields = {
        "form": form,
        "unit": f"Unit {number}",
        "to": "Bde",
        **{f"v.{name}": each for name, each in values.items()},
    }
    port.now_ms += DAY_MS // REPORTS
    port.say(
        Paper(type="reports.report", target=f"r{number}", action="file", happened_at_ms=port.now_ms, fields=fields),
        OPEN,
    )


def timed(title: str, work: Callable[[], Any]) -> Any:
    """Print how long it took."""
    begin = time.perf_counter()
    answer = work()
    print(f"{title}: {time.perf_counter() - begin:.3f} s")
    return answer


def answer(desk: Any, name: str, **ask: Any) -> list[Any]:
    """The rows of a query."""
    row: Query = next(each for feature in FEATURES for each in feature.queries if each.name == name)
    return list(row.answer(READER, row.request(**ask), desk))


def main() -> None:
    """Write the day, then draft everything."""
    port = MemoryPort(FEATURES)
    desk: Any = Desk(port)
    begin_ms = port.now_ms
    port.say(
        Paper(
            type="questions.question",
            target="q1",
            action="ask",
            happened_at_ms=begin_ms,
            fields={"text": "who digs?", "tests": [{"words": ["digging"]}]},
        ),
        OPEN,
    )
    timed(f"{REPORTS} reports heard, tested by the board", lambda: [say(port, number) for number in range(REPORTS)])
    for form in ("sitrep", "logsitrep", "intsum"):
        span = {"unit": "Bde", "from_ms": begin_ms, "until_ms": port.now_ms}
        rows = timed(f"{form} assembled", lambda form=form, span=span: answer(desk, "rollup", form=form, **span))
        print("  reports taken in:", len(rows[0].full.reports))
    hits = timed("board", lambda: answer(desk, "questions"))[0].full.hits
    print("  hits:", len(hits))
    lines = timed("handover listed", lambda: answer(desk, "handover"))
    print("  lines:", len(lines))
    taken = timed("handover signed", lambda: asyncio.run(offer_handover(READER, OfferHandover(), desk)))
    document = timed("handover as text and PDF", lambda: answer(desk, "handover_document", id=taken.id))
    print("  bytes of PDF:", len(document[0].full.pdf))
    timed("one second passes", port.tick)


if __name__ == "__main__":
    main()
