"""Every entry is tested by every open question; a hit that nobody acknowledges climbs."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache, partial

from aquila.core.exercise_clock import exercise_clock
from aquila.core.model import Arrival, Entry, Paper, Tick
from aquila.core.paper_work import WatchedPapers
from aquila.core.papers import Step, Thing
from aquila.core.rule import Proposal, Rule
from aquila.core.view import View, view_of
from aquila.features.questions.evidence import evidence_of
from aquila.features.questions.fits import Sought, told_lines
from aquila.features.questions.question import QUESTION, Hit, hits_of, ladder_of


def take_hits(arrival: Arrival, views: Mapping[str, View]) -> Iterator[Proposal]:
    """One hit for each open question of which the entry passes a test.

    Steps about one thing are one hit, that of the first that fits; one more under another marking, which may have other
    readers.
    """
    if not isinstance(arrival, Entry):
        return
    evidence = evidence_of(arrival)
    if evidence is None:
        return
    envelope = arrival.envelope
    clock = exercise_clock(views, envelope.context, envelope.received_at_ms)
    for thing in view_of(views, "questions", WatchedPapers).watched():
        fit = Sought(thing, clock).fit(arrival, evidence)
        if fit is None or (fit.line, fit.label) in told_lines(thing):
            continue
        paper = Paper(
            type=QUESTION,
            target=thing.id,
            action="hit",
            happened_at_ms=fit.at_ms,
            fields=fit.field(),
            seen=thing.heads(),
            # Says nothing of the question: who may have the entry need not be one who may have the question.
            summary="an entry fits a question",
            position=evidence.position,
        )
        # Under the marking of the evidence. To see the hit on the board a reader needs that of the question too.
        yield Proposal(paper, fit.label, key=f"hit {thing.id} {fit.entry}")


def climb(arrival: Arrival, views: Mapping[str, View]) -> Iterator[Proposal]:
    """One post further for what was not acknowledged in time, by the exercise's minutes.

    Hits that one step told of, because looking back found them, climb together by one step.
    """
    if not isinstance(arrival, Tick):
        return
    clock_of = cache(partial(exercise_clock, views, now_ms=arrival.at_ms))
    for thing in view_of(views, "questions", WatchedPapers).watched():
        ladder = ladder_of(thing)
        for (told_by, level), hits in _late(
            thing, hits_of(thing, clock_of(thing.first.context)), arrival.at_ms
        ).items():
            if level >= len(ladder):
                continue
            step = thing.writers()[f"hit.{hits[0].entry}"]
            paper = Paper(
                type=QUESTION,
                target=thing.id,
                action="climb",
                happened_at_ms=arrival.at_ms,
                fields={f"climb.{level}.{hit.entry}": ladder[level] for hit in hits},
                seen=thing.heads(),
                summary=f"a hit was not acknowledged: {ladder[level].replace('_', ' ')} must look",
            )
            yield Proposal(paper, step.label, key=f"climb {thing.id} {told_by} {level}", cause=told_by)


def _late(thing: Thing, hits: tuple[Hit, ...], now_ms: int) -> dict[tuple[str, int], list[Hit]]:
    """Hits that must climb, by the entry of the step that told of them and the posts that they have gone to."""
    writers: Mapping[str, Step] = thing.writers()
    late = defaultdict(list)
    for hit in hits:
        if hit.ack_at_ms is None and hit.due_ms <= now_ms:
            late[writers[f"hit.{hit.entry}"].entry, len(hit.posts)].append(hit)
    return late


hit_rule = Rule("questions.hit", 4, take_hits)
climb_rule = Rule("questions.climb", 3, climb, hears=frozenset({"tick"}))
