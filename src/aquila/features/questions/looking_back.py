"""A question that counts from a time that is past is tested by what the journal has; a changed one anew.

It looks back on the node where it was asked or changed, once for each such step, and says how far it went. What it
finds is one line for all, is acknowledged by one act and climbs as one.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from aquila.core.exercise_clock import exercise_clock
from aquila.core.looking_back import LookBack, Looked
from aquila.core.model import Entry, Label, Paper
from aquila.core.paper_work import WatchedPapers
from aquila.core.papers import Step, Thing
from aquila.core.rule import Proposal
from aquila.core.view import View, view_of
from aquila.features.questions.evidence import evidence_of
from aquila.features.questions.fits import Fit, Sought, told_lines
from aquila.features.questions.question import QUESTION, looked_field

FOUND_MAX: Final = 200
"""Hits that one look finds for one question: the newest. Who gets so many asked for too much."""
ASKING: Final = frozenset({"ask", "edit", "reopen"})
"""Steps after which a question looks back."""


class Seeker:
    """One question that looks back, and what it has found: of each line the oldest step that fits."""

    def __init__(self, thing: Thing, sought: Sought, asked: Step) -> None:
        self.id, self.sought, self.asked = thing.id, sought, asked
        self.found: dict[tuple[str, Label], Fit] = {}
        self.left_out = False

    def keep(self, fit: Fit) -> None:
        """They come newest first."""
        about = (fit.line, fit.label)
        if about in self.found or len(self.found) < FOUND_MAX:
            self.found[about] = fit
        else:
            self.left_out = True

    def told(self, thing: Thing, looked: Looked) -> Iterator[Proposal]:
        """One step under the question's marking, which says how far the look went; one for each other with finds."""
        known = told_lines(thing)
        by_label: dict[Label, dict[str, Any]] = defaultdict(dict)
        counts: dict[Label, int] = defaultdict(int)
        for about, fit in reversed(self.found.items()):
            if about not in known:
                by_label[fit.label] |= fit.field()
                counts[fit.label] += 1
        own = thing.first.label
        how_far = {
            "entries": looked.entries,
            "received_from_ms": looked.received_from_ms,
            "is_whole": not self.left_out and (looked.is_whole or self._reached(looked)),
        }
        by_label[own] |= {looked_field(self.asked): how_far}
        for label, fields in by_label.items():
            said = f"looked back over {looked.entries} entries: {counts[own]} fit"
            paper = Paper(
                type=QUESTION,
                target=thing.id,
                action="look",
                happened_at_ms=max(self.asked.at_ms, self.asked.received_at_ms),
                fields=fields,
                seen=thing.heads(),
                summary=said if label == own else f"looking back found {counts[label]} entries that fit",
            )
            yield Proposal(
                paper, label, key=f"look {thing.id} {self.asked.entry} {_marking(label)}", cause=self.asked.entry
            )

    def _reached(self, looked: Looked) -> bool:
        """What is older than this question's start was received before it, but for merged lines and late reports."""
        from_ms, reached_ms = self.sought.from_ms, looked.received_from_ms
        return from_ms is not None and reached_ms is not None and reached_ms < from_ms


class PastSearch:
    """One walk back for all questions that are due."""

    def __init__(self, seekers: Sequence[Seeker]) -> None:
        self._seekers = seekers
        self._from_ms = min((seeker.sought.from_ms or 0 for seeker in seekers), default=0)

    def take(self, entry: Entry) -> None:
        """See Search."""
        if entry.envelope.happened_at_ms < self._from_ms:
            return
        evidence = evidence_of(entry)
        if evidence is None:
            return
        for seeker in self._seekers:
            fit = seeker.sought.fit(entry, evidence)
            if fit is not None:
                seeker.keep(fit)

    def told(self, views: Mapping[str, View], looked: Looked) -> Iterator[Proposal]:
        """See Search. Of what was changed or closed meanwhile nothing is told: changed, it is due again."""
        questions = {thing.id: thing for thing in view_of(views, "questions", WatchedPapers).watched()}
        for seeker in self._seekers:
            thing = questions.get(seeker.id)
            if thing is not None and asking_step(thing) == seeker.asked:
                yield from seeker.told(thing, looked)


def is_asking(entry: Entry) -> bool:
    """Is it a step after which a question looks back?"""
    body = entry.body
    return isinstance(body, Paper) and body.type == QUESTION and body.action in ASKING


def asking_step(thing: Thing) -> Step:
    """The newest step that says what is sought."""
    return next((step for step in reversed(thing.steps) if step.action in ASKING), thing.first)


def due_search(views: Mapping[str, View], node: str, now_ms: int) -> PastSearch | None:
    """All open questions that were asked or changed here, count from a past time and have not looked back since."""
    seekers = []
    for thing in view_of(views, "questions", WatchedPapers).watched():
        if thing.get("from_ms") is None:
            continue
        asked = asking_step(thing)
        if asked.stamp.node != node or looked_field(asked) in thing.writers():
            continue
        sought = Sought(thing, exercise_clock(views, thing.first.context, now_ms))
        if sought.tests and sought.from_ms is not None and sought.from_ms < asked.received_at_ms:
            seekers.append(Seeker(thing, sought, asked))
    return PastSearch(seekers) if seekers else None


def _marking(label: Label) -> str:
    return msgspec.json.encode(label).decode()


look_back = LookBack("questions.look", 1, is_asking, due_search)
