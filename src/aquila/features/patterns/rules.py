"""What the node says by itself: a finding when a pattern begins, and that it is over."""

from collections.abc import Iterator, Mapping

import msgspec

from aquila.core.ids import derived_id
from aquila.core.model import Arrival, Paper, Tick
from aquila.core.moves import Move, Moves
from aquila.core.rule import Proposal, Rule
from aquila.core.view import View, view_of
from aquila.features.patterns.finding import FINDING, SAYS
from aquila.features.patterns.view import Patterns, Told
from aquila.fusion.pattern_kinds import INSTANT, JUDGED_BY, Pattern, Table


def watch_patterns(arrival: Arrival, views: Mapping[str, View]) -> Iterator[Proposal]:
    """Tell what the tick has found, once while it stands; say of a standing finding that it is over."""
    if not isinstance(arrival, Tick):
        return
    view = view_of(views, "patterns", Patterns)
    for told in view.look(arrival.at_ms, view_of(views, "moves", Moves)):
        if told.known is not None:
            yield from _over(told, view, arrival.at_ms)
        elif told.pattern is not None:
            yield _find(told.pattern, told.moves, view, view.limits, arrival.at_ms)


def _find(pattern: Pattern, moves: tuple[Move, ...], view: Patterns, limits: Table, now_ms: int) -> Proposal:
    entities = [move.report.entity for move in moves]
    names = [move.name for move in moves]
    key = f"find {pattern.kind} {' '.join(entities)} {pattern.since_ms}"
    finding = derived_id("patterns.finding", 1, key)
    view.opened(pattern, moves, finding)
    text = SAYS[pattern.kind].format(*names)
    values = msgspec.structs.asdict(limits[pattern.zone])
    fields = {
        "kind": pattern.kind,
        "entities": entities,
        "names": names,
        "text": text,
        "since_ms": pattern.since_ms,
        "over_at_ms": now_ms if pattern.kind in INSTANT else None,
        "measured": {name: round(value, 1) for name, value in pattern.measured.items()},
        "thresholds": {name: values[name] for name in (*JUDGED_BY[pattern.kind], *pattern.judged_by)},
        "places": [list(place) for place in pattern.places],
        "others": [list(place) for place in pattern.others],
    }
    paper = Paper(
        type=FINDING,
        target=finding,
        action="find",
        happened_at_ms=now_ms,
        fields=fields,
        summary=f"pattern: {text}",
        position=moves[0].position,
    )
    # Who may know where they are may know of the finding; the markings of two are equal (see Patterns).
    return Proposal(paper, moves[0].label, key=key)


def _over(told: Told, view: Patterns, now_ms: int) -> Iterator[Proposal]:
    thing = view.thing_of(*told.known) if told.known is not None else None
    if thing is None:
        return
    why = "unwatched" if told.pattern is None else "ended"
    paper = Paper(
        type=FINDING,
        target=thing.id,
        action="over",
        happened_at_ms=now_ms,
        fields={"over_at_ms": now_ms, "over_why": why},
        seen=thing.heads(),
        summary=f"pattern is over: {thing.get('text', '')}",
    )
    yield Proposal(paper, thing.first.label, key=f"over {thing.id}")


pattern_rule = Rule("patterns.watch", 1, watch_patterns, hears=frozenset({"tick"}))
