"""Every entry is tested by every open question; a hit that nobody acknowledges climbs."""

from collections.abc import Iterator, Mapping
from functools import cache, partial
from math import asin, cos, radians, sin, sqrt

import msgspec

from aquila.core.exercise_clock import exercise_clock
from aquila.core.model import Arrival, Entry, Paper, Position, Tick
from aquila.core.paper_work import Place, WatchedPapers
from aquila.core.papers import Thing
from aquila.core.rule import Proposal, Rule
from aquila.core.view import View, view_of
from aquila.features.questions.evidence import Evidence, begins, evidence_of, read_out
from aquila.features.questions.question import QUESTION, EntryTest, counts_from_ms, hits_of, ladder_of

EARTH_RADIUS_M = 6_371_008.8


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


def take_hits(arrival: Arrival, views: Mapping[str, View]) -> Iterator[Proposal]:
    """One hit for each open question of which the entry passes a test.

    Steps about one thing (a line and its triage, a report and its amendment) are one hit, that of the first that fits;
    one more under another marking, which may have other readers.
    """
    if not isinstance(arrival, Entry):
        return
    evidence = evidence_of(arrival)
    if evidence is None:
        return
    envelope = arrival.envelope
    line = arrival.body.target if isinstance(arrival.body, Paper) else envelope.id
    about = f"{line} {msgspec.json.encode(envelope.label).decode()}"
    clock = exercise_clock(views, envelope.context, envelope.received_at_ms)
    for thing in view_of(views, "questions", WatchedPapers).watched():
        if thing.first.context != envelope.context:
            continue
        from_ms = counts_from_ms(thing, clock)
        if from_ms is not None and envelope.happened_at_ms < from_ms:
            continue
        tests = tests_of(thing)
        if any(passes(test, evidence) for test in tests):
            text = read_out(evidence, (word for test in tests for word in test.words))
            paper = Paper(
                type=QUESTION,
                target=thing.id,
                action="hit",
                happened_at_ms=envelope.happened_at_ms,
                fields={f"hit.{envelope.id}": text},
                seen=thing.heads(),
                # Says nothing of the question: who may have the entry need not be one who may have the question.
                summary="an entry fits a question",
                position=evidence.position,
            )
            # Under the marking of the evidence. To see the hit on the board a reader needs that of the question too.
            yield Proposal(paper, envelope.label, key=f"hit {thing.id} {about}")


def climb(arrival: Arrival, views: Mapping[str, View]) -> Iterator[Proposal]:
    """One post further for each hit that was not acknowledged in time, by the exercise's minutes."""
    if not isinstance(arrival, Tick):
        return
    clock_of = cache(partial(exercise_clock, views, now_ms=arrival.at_ms))
    for thing in view_of(views, "questions", WatchedPapers).watched():
        ladder = ladder_of(thing)
        for hit in hits_of(thing, clock_of(thing.first.context)):
            level = len(hit.posts)
            if hit.ack_at_ms is not None or hit.due_ms > arrival.at_ms or level >= len(ladder):
                continue
            step = thing.writers()[f"hit.{hit.entry}"]
            paper = Paper(
                type=QUESTION,
                target=thing.id,
                action="climb",
                happened_at_ms=arrival.at_ms,
                fields={f"climb.{level}.{hit.entry}": ladder[level]},
                seen=thing.heads(),
                summary=f"a hit was not acknowledged: {ladder[level].replace('_', ' ')} must look",
            )
            yield Proposal(paper, step.label, key=f"climb {thing.id} {hit.entry} {level}", cause=step.entry)


def tests_of(thing: Thing) -> tuple[EntryTest, ...]:
    """The tests of a question; what cannot be read as tests tests nothing."""
    try:
        return msgspec.convert(thing.get("tests", ()), tuple[EntryTest, ...])
    except ValueError:
        return ()


def _is_near(place: Place, position: Position | None, radius_m: float) -> bool:
    if position is None:
        return False
    lat, lon = radians(position.lat_deg - place.lat_deg) / 2, radians(position.lon_deg - place.lon_deg) / 2
    half = sin(lat) ** 2 + cos(radians(place.lat_deg)) * cos(radians(position.lat_deg)) * sin(lon) ** 2
    return 2 * EARTH_RADIUS_M * asin(sqrt(min(half, 1.0))) <= radius_m


hit_rule = Rule("questions.hit", 3, take_hits)
climb_rule = Rule("questions.climb", 2, climb, hears=frozenset({"tick"}))
