"""What can be asked of lines: the list, one with its life, what may be the same, what needs somebody."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from rapidfuzz import fuzz

from aquila.core import geo
from aquila.core.feature import Labelled, Query, Reading
from aquila.core.model import Label, Position, Principal
from aquila.core.paper_rows import AskNeeds, ConflictRow, NeedRow, StepRow, conflict_rows, steps_of
from aquila.core.paper_work import Id, WatchedPapers, Word, state_of
from aquila.core.papers import Thing
from aquila.core.view import view_of
from aquila.features.incidents.commands import line_of
from aquila.features.incidents.line import (
    LINE,
    OPEN,
    STATES,
    Deed,
    Duplicate,
    Telling,
    deeds_of,
    post_rules,
    tellings_of,
)


class AskIncidents(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which lines. state, category: only these; significant: only those with a category."""

    state: Word | None = None
    category: Word | None = None
    significant: bool = False
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000


class AskIncident(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which line."""

    id: Id


class IncidentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line as lists show it.

    Attributes:
        happened_at_ms, received_at_ms, by: of its first step. fields: newest values, as `Log` and later steps said.
        actions: steps that may be taken now. heads: to be sent as `seen` with the next one.
    """

    id: str
    state: str
    text: str
    precedence: str
    key: bool
    happened_at_ms: int
    received_at_ms: int
    by: str
    fields: dict[str, Any]
    position: Position | None
    tellings: tuple[Telling, ...]
    deeds: tuple[Deed, ...]
    actions: tuple[str, ...]
    heads: tuple[str, ...]
    conflicts: int
    label: Label


class IncidentDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One line with its life, newest step first."""

    row: IncidentRow
    conflicts: tuple[ConflictRow, ...]
    steps: tuple[StepRow, ...]


class AlikeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line that may be about the same. text_pct: how alike the texts are. distance_m: None = one has no place."""

    id: str
    text: str
    state: str
    text_pct: float
    apart_ms: int
    distance_m: float | None


def row_of(thing: Thing) -> IncidentRow:
    """The row of a line."""
    state, first = state_of(STATES, thing), thing.first
    fields = {name: value for name, value in thing.fields().items() if "." not in name}
    return IncidentRow(
        id=thing.id,
        state=state,
        text=str(thing.get("text", first.summary)),
        precedence=str(thing.get("precedence", "R")),
        key=bool(thing.get("key", False)),
        happened_at_ms=first.at_ms,
        received_at_ms=first.received_at_ms,
        by=first.by,
        fields=fields,
        position=thing.position(),
        tellings=tellings_of(thing),
        deeds=deeds_of(thing),
        actions=tuple(action for action in STATES.allowed(state) if action not in ("climb", "absorb")),
        heads=thing.heads(),
        conflicts=len(thing.conflicts()),
        label=first.label,
    )


def _lines(principal: Principal, ask: AskIncidents, reading: Reading) -> Iterator[Labelled]:
    things = list(view_of(reading.views, "incidents", WatchedPapers).things(reading, LINE))
    for thing in reversed(things):
        state = state_of(STATES, thing)
        category = thing.get("category")
        is_wanted = (ask.state in (None, state)) and (ask.category in (None, category))
        if is_wanted and state != "none" and (category is not None or not ask.significant):
            yield Labelled(row_of(thing), thing.first.label, thing.first.context)


def _line(principal: Principal, ask: AskIncident, reading: Reading) -> Iterator[Labelled]:
    thing = line_of(reading, ask.id)
    if thing is not None:
        row = IncidentDetail(row=row_of(thing), conflicts=conflict_rows(thing), steps=steps_of(thing))
        yield Labelled(row, thing.first.label, thing.first.context)


def _duplicates(principal: Principal, ask: AskIncident, reading: Reading) -> Iterator[Labelled]:
    thing = line_of(reading, ask.id)
    if thing is None:
        return
    limits = post_rules().duplicate
    others = view_of(reading.views, "incidents", WatchedPapers).things(reading, LINE)
    rows = [(row, other) for other in others for row in _alike(thing, other, limits)]
    for row, other in sorted(rows, key=lambda each: -each[0].text_pct):
        yield Labelled(row, other.first.label, other.first.context)


def _alike(thing: Thing, other: Thing, limits: Duplicate) -> Iterator[AlikeRow]:
    apart_ms = abs(thing.first.at_ms - other.first.at_ms)
    state = state_of(STATES, other)
    if other.id == thing.id or apart_ms > limits.within_ms or state in ("none", "merged"):
        return
    distance_m = _distance_m(thing.position(), other.position())
    if distance_m is not None and distance_m > limits.within_m:
        return
    text_pct = fuzz.token_set_ratio(str(thing.get("text", "")).casefold(), str(other.get("text", "")).casefold())
    if text_pct >= limits.text_min:
        yield AlikeRow(
            id=other.id,
            text=str(other.get("text", "")),
            state=state,
            text_pct=round(text_pct, 1),
            apart_ms=apart_ms,
            distance_m=distance_m,
        )


def _distance_m(a: Position | None, b: Position | None) -> float | None:
    if a is None or b is None:
        return None
    return round(geo.distance_m(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg), 1)


def _needs(principal: Principal, ask: AskNeeds, reading: Reading) -> Iterator[Labelled]:
    now_ms = reading.now_ms()
    for thing in view_of(reading.views, "incidents", WatchedPapers).things(reading, LINE):
        state = state_of(STATES, thing)
        if state in OPEN:
            for need in _needs_of(thing, state, now_ms):
                if ask.wants(need.roles):
                    yield Labelled(need, thing.first.label, thing.first.context)


def _needs_of(thing: Thing, state: str, now_ms: int) -> Iterator[NeedRow]:
    """A post to be told, a deed that is due, a new line that nobody looked at."""
    watch = post_rules().ladder[0]
    for each in tellings_of(thing):
        if each.ack_at_ms is None:
            # The watch sees it as well: it is the one that has to do the telling.
            yield _need(thing, "tell", each.since_ms, each.due_ms, now_ms, (watch, each.role), ("ack", "told"))
    for deed in deeds_of(thing):
        if deed.done_at_ms is None and deed.due_ms is not None and deed.due_ms <= now_ms:
            yield _need(thing, "deed", deed.due_ms, deed.due_ms, now_ms, (watch,), ("done",))
    if state == "received":
        yield _need(thing, "triage", thing.first.received_at_ms, None, now_ms, (watch,), ("triage", "decide", "act"))


def _need(
    thing: Thing,
    kind: str,
    since_ms: int,
    due_ms: int | None,
    now_ms: int,
    roles: tuple[str, ...],
    acts: tuple[str, ...],
) -> NeedRow:
    return NeedRow(
        feature="incidents",
        kind=kind,
        id=thing.id,
        title=thing.first.summary,
        since_ms=since_ms,
        due_ms=due_ms,
        is_overdue=due_ms is not None and due_ms <= now_ms,
        roles=tuple(dict.fromkeys(roles)),
        actions=acts,
        heads=thing.heads(),
        precedence=str(thing.get("precedence", "R")),
    )


QUERIES = (
    Query(
        name="incidents",
        path="/incidents",
        request=AskIncidents,
        row=IncidentRow,
        role="viewer",
        answer=_lines,
        blocking=True,
        summary="Lines of the journal's workflow, newest first",
    ),
    Query(
        name="incident",
        path="/incidents/{id}",
        request=AskIncident,
        row=IncidentDetail,
        role="viewer",
        answer=_line,
        one=True,
        summary="One line with its life",
    ),
    Query(
        name="incident_duplicates",
        path="/incidents/{id}/duplicates",
        request=AskIncident,
        row=AlikeRow,
        role="viewer",
        answer=_duplicates,
        blocking=True,
        summary="Lines that may be about the same occurrence, the likeliest first",
    ),
    Query(
        name="needs_incidents",
        path="/needs/incidents",
        request=AskNeeds,
        row=NeedRow,
        role="viewer",
        answer=_needs,
        blocking=True,
        summary="Lines that need somebody now",
    ),
)
