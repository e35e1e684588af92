"""A day of a thousand reports: how long roll-up, handover and the board take. `python bench/day.py`; no test."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from aquila.core.exercise_clock import WALL
from aquila.core.feature import Feature, Query
from aquila.core.looking_back import ENTRIES_MAX, look_through
from aquila.core.model import Entry, Paper, Principal, audience_of
from aquila.core.paper_work import WatchedPapers
from aquila.core.policy import release
from aquila.core.view import view_of
from aquila.features import handover, incidents, questions, reports
from aquila.features.handover import OfferHandover, offer_handover
from aquila.features.questions.fits import Sought
from aquila.features.questions.looking_back import PastSearch, Seeker
from aquila.stores.sqlite.store import SqliteStore
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


def ask(port: MemoryPort, id: str, **fields: Any) -> None:
    """Put a question on the board: who digs?"""
    fields = {"text": "who digs?", "tests": [{"words": ["digging"]}], **fields}
    paper = Paper(type="questions.question", target=id, action="ask", happened_at_ms=port.now_ms, fields=fields)
    port.say(paper, OPEN)


def look_back(port: MemoryPort) -> None:
    """A question that looks back over as much as it ever does, in SQLite."""
    ask(port, "q3", from_ms=port.now_ms - 100 * DAY_MS)
    thing = next(each for each in view_of(port.views, "questions", WatchedPapers).watched() if each.id == "q3")
    search = PastSearch([Seeker(thing, Sought(thing, WALL), thing.first)])
    lines = [entry for entry in port.journal.read(0, 100_000) if entry.envelope.kind == "paper"]
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "journal.db")
        for number in range(ENTRIES_MAX // len(lines) + 1):
            store.journal.append([again(entry, number) for entry in lines])
        begin = time.thread_time()
        looked = timed("the longest look back", lambda: look_through(store.journal, search))
        print(f"  entries: {looked.entries}, on a core: {time.thread_time() - begin:.3f} s")
        store.close()


def again(entry: Entry, number: int) -> Entry:
    """The same line from another node."""
    envelope = msgspec.structs.replace(entry.envelope, node=f"n{number}", id=f"{number} {entry.envelope.id}")
    return msgspec.structs.replace(entry, envelope=envelope, envelope_bytes=msgspec.msgpack.encode(envelope))


def main() -> None:
    """Write the day, then draft everything."""
    port = MemoryPort(FEATURES)
    desk: Any = Desk(port)
    begin_ms = port.now_ms
    ask(port, "q1")
    timed(f"{REPORTS} reports heard, tested by the board", lambda: [say(port, number) for number in range(REPORTS)])
    for form in ("sitrep", "logsitrep", "intsum"):
        span = {"unit": "Bde", "from_ms": begin_ms, "until_ms": port.now_ms}
        rows = timed(f"{form} assembled", lambda form=form, span=span: answer(desk, "rollup", form=form, **span))
        print("  reports taken in:", len(rows[0].full.reports))
    hits = timed("board", lambda: answer(desk, "questions"))[0].full.hits
    print("  hits:", len(hits))
    timed("a question asked that looks back over the day", partial(ask, port, "q2", from_ms=begin_ms))
    print("  hits:", len(answer(desk, "questions")[1].full.hits))
    lines = timed("handover listed", lambda: answer(desk, "handover"))
    print("  lines:", len(lines))
    taken = timed("handover signed", lambda: asyncio.run(offer_handover(READER, OfferHandover(), desk)))
    document = timed("handover as text and PDF", lambda: answer(desk, "handover_document", id=taken.id))
    print("  bytes of PDF:", len(document[0].full.pdf))
    timed("one second passes", port.tick)
    look_back(port)


if __name__ == "__main__":
    main()
