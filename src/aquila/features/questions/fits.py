"""Which entries fit a question, and how each reads on the board: the same for what comes and for what was there."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from aquila.core.exercise_clock import ExerciseClock
from aquila.core.geo import distance_m
from aquila.core.model import Context, Entry, Label, Paper, Position
from aquila.core.paper_work import Place
from aquila.core.papers import Thing
from aquila.features.questions.evidence import Evidence, begins, read_out
from aquila.features.questions.question import EntryTest, counts_from_ms


class Fit(NamedTuple):
    """An entry that fits a question.

    Attributes:
        line: id of what it is about: its steps (a line and its triage, a report and its amendment) are one hit of the
            readers of one marking. text: how it reads on the board.
    """

    entry: str
    line: str
    label: Label
    text: str
    at_ms: int

    def field(self) -> dict[str, Any]:
        """As a step about the question says it."""
        return {f"hit.{self.entry}": {"text": self.text, "line": self.line, "at_ms": self.at_ms}}


class Sought:
    """A question as entries are tested by it.

    Args:
        question: as it stands now. clock: whose minutes its start is put off by.
    """

    def __init__(self, question: Thing, clock: ExerciseClock) -> None:
        self.tests = tests_of(question)
        self.from_ms = counts_from_ms(question, clock)
        self._context: Context = question.first.context
        self._words = [word for test in self.tests for word in test.words]

    def fit(self, entry: Entry, evidence: Evidence) -> Fit | None:
        """What the entry is to this question; None = it does not fit."""
        envelope, body = entry.envelope, entry.body
        if envelope.context != self._context or (self.from_ms is not None and envelope.happened_at_ms < self.from_ms):
            return None
        if not any(passes(test, evidence) for test in self.tests):
            return None
        line = body.target if isinstance(body, Paper) else envelope.id
        return Fit(envelope.id, line, envelope.label, read_out(evidence, self._words), envelope.happened_at_ms)


def passes(test: EntryTest, evidence: Evidence) -> bool:
    """Has the entry all that the test names, and does the test look at such entries?"""
    kind, type = evidence.kinds
    return (
        (evidence.tells or bool(test.links) or any(type.startswith(each) for each in test.kinds))
        and all(begins(word, evidence.words) for word in test.words)
        and (not test.kinds or any(kind == each or type.startswith(each) for each in test.kinds))
        and (not test.links or not evidence.about.isdisjoint(test.links))
        and (test.area is None or _is_near(test.area.place, evidence.position, test.area.radius_m))
    )


def tests_of(thing: Thing) -> tuple[EntryTest, ...]:
    """The tests of a question; what cannot be read as tests tests nothing."""
    try:
        return msgspec.convert(thing.get("tests", ()), tuple[EntryTest, ...])
    except ValueError:
        return ()


def told_lines(thing: Thing) -> frozenset[tuple[str, Label]]:
    """What a question has a hit about already, and under which marking."""
    return frozenset(
        (_line_of(name.removeprefix("hit."), step.fields[name]), step.label)
        for name, step in thing.writers().items()
        if name.startswith("hit.")
    )


def _line_of(entry: str, value: Any) -> str:
    return str(value.get("line", entry)) if isinstance(value, Mapping) else entry


def _is_near(place: Place, position: Position | None, radius_m: float) -> bool:
    if position is None:
        return False
    return distance_m(place.lat_deg, place.lon_deg, position.lat_deg, position.lon_deg) <= radius_m
