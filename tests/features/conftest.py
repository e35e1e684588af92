"""What tests of views need: entries and samples with stamps, and arrivals in any order."""

from collections.abc import Callable
from typing import Any

import pytest

from aquila.core.ids import entity_id
from aquila.core.journal import Head, Staged, make_entry
from aquila.core.model import Alias, Body, Draft, Entry, Label, Position, Report, Sample, Stamp
from aquila.core.policy import EXAMPLE_POLICY

START_MS = 1_795_000_000_000
CONTEXT = "EXERCISE:TEST"
LABELS = (
    Label(EXAMPLE_POLICY, "UNCLASSIFIED", ("MISSION",), ("COMMON",)),
    Label(EXAMPLE_POLICY, "UNCLASSIFIED", ("FRA",), ("COMMON",)),
    Label(EXAMPLE_POLICY, "RESTRICTED", ("MISSION",), ("COMMON", "STAFF")),
)


class Make:
    """Makes arrivals whose stamps are their number."""

    start_ms = START_MS
    context = CONTEXT
    labels = LABELS

    def stamp(self, number: int) -> Stamp:
        return Stamp((START_MS + number * 1000) << 16, "n1", 1, 0)

    def report(self, uid: str, number: int, **more: Any) -> Report:
        plain: dict[str, Any] = {
            "entity": entity_id("cot", uid),
            "alias": Alias("cot", uid),
            "type": "a-f-G-U-C",
            "sidc": "10031000001211000000",
            "category": "unit",
            "observed_at_ms": START_MS + number * 1000,
            "stale_at_ms": START_MS + number * 1000 + 60_000,
            "name": f"{uid} at {number}",
            "position": Position(42.0 + number % 1000 / 1000, 77.0),
        }
        return Report(**(plain | more))

    def sample(self, uid: str, number: int, author: str = "device:A", label: Label = LABELS[0], **more: Any) -> Sample:
        return Sample(
            report=self.report(uid, number, **more),
            stamp=self.stamp(number),
            author=author,
            via="tak",
            label=label,
            context=CONTEXT,
            received_at_ms=START_MS + number * 1000,
        )

    def entry(
        self, body: Body, number: int, author: str = "device:A", label: Label = LABELS[0], node: str = "n1"
    ) -> Entry:
        at_ms = START_MS + number * 1000
        draft = Draft(
            body=body,
            author=author,
            via="tak",
            label=label,
            context=CONTEXT,
            happened_at_ms=at_ms,
            received_at_ms=at_ms,
        )
        staged = Staged(draft=draft, id=f"{node}-{number}", hlc=at_ms << 16, salt=bytes(16))
        made, _ = make_entry(staged, node=node, epoch=1, head=Head(number))
        return made


@pytest.fixture
def make() -> Make:
    return Make()


@pytest.fixture
def folded() -> Callable[[Any, list[Any]], Any]:
    """Fold arrivals into a fresh view."""

    def fold(view: Any, arrivals: list[Any]) -> Any:
        for arrival in arrivals:
            view.fold(arrival)
        return view

    return fold
