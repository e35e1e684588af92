"""What can be asked of the desk: requests with casualties, clocks and script; assets; facilities; needs."""

from collections.abc import Iterator
from typing import Annotated

import msgspec

from aquila.core.exercise_clock import ExerciseClock, exercise_clock
from aquila.core.feature import Labelled, Query, Reading
from aquila.core.model import Label, Position, Principal
from aquila.core.paper_rows import AskNeeds, ConflictRow, NeedRow, StepRow, conflict_rows, steps_of
from aquila.core.paper_work import Id, state_of
from aquila.core.papers import Thing
from aquila.features.medevac.commands import FORMS, papers_of
from aquila.features.medevac.request import (
    ASSET,
    FACILITY,
    OPEN,
    REQUEST,
    STATES,
    Asset,
    CasualtyRow,
    Facility,
    casualties_of,
    clock_of,
    windows,
)
from aquila.features.medevac.script import read_out

ROLES = ("medical_officer", "watch_officer")


class AskRequests(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which requests. open_only: those that wait for something."""

    open_only: bool = False
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000


class AskRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which request."""

    id: Id


class AskKept(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that there are."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000


class RequestRow(msgspec.Struct, frozen=True, kw_only=True):
    """A request as the desk shows it.

    Attributes:
        lines: the nine lines, names as ATAK has them. script: sentences to be read out. asset, facility: ids; None =
            not yet. late: how many clocks have run out.
    """

    id: str
    title: str
    state: str
    asked_at_ms: int
    by: str
    lines: dict[str, str]
    position: Position | None
    casualties: tuple[CasualtyRow, ...]
    late: int
    next_due_ms: int | None
    asset: str | None
    facility: str | None
    script: tuple[str, ...]
    actions: tuple[str, ...]
    heads: tuple[str, ...]
    label: Label


class RequestDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One request with its life, newest step first."""

    row: RequestRow
    conflicts: tuple[ConflictRow, ...]
    steps: tuple[StepRow, ...]


class AssetRow(msgspec.Struct, frozen=True, kw_only=True):
    """An asset as it was last said to be."""

    id: str
    asset: Asset
    said_at_ms: int
    heads: tuple[str, ...]
    label: Label


class FacilityRow(msgspec.Struct, frozen=True, kw_only=True):
    """A facility as it was last said to be."""

    id: str
    facility: Facility
    said_at_ms: int
    heads: tuple[str, ...]
    label: Label


def row_of(thing: Thing, now_ms: int, clock: ExerciseClock) -> RequestRow:
    """The row of a request. clock: see `clock_of`."""
    state, casualties = state_of(STATES, thing), casualties_of(thing, now_ms, clock)
    clocks = [clock for each in casualties for clock in each.clocks]
    running = [clock.due_ms for clock in clocks if clock.done_at_ms is None]
    lines = thing.get("lines", {})
    return RequestRow(
        id=thing.id,
        title=str(thing.get("title", thing.first.summary)),
        state=state,
        asked_at_ms=thing.first.at_ms,
        by=thing.first.by,
        lines=lines,
        position=thing.position(),
        casualties=casualties,
        late=sum(clock.is_late for clock in clocks),
        next_due_ms=min(running, default=None) if state in OPEN else None,
        asset=thing.get("asset"),
        facility=thing.get("facility"),
        script=read_out(lines, thing.position(), casualties),
        actions=tuple(action for action in STATES.allowed(state) if action in FORMS),
        heads=thing.heads(),
        label=thing.first.label,
    )


def _row(thing: Thing, reading: Reading) -> RequestRow:
    now_ms = reading.now_ms()
    return row_of(thing, now_ms, clock_of(thing, exercise_clock(reading.views, reading.context, now_ms)))


def _requests(principal: Principal, ask: AskRequests, reading: Reading) -> Iterator[Labelled]:
    for thing in reversed(list(papers_of(reading).things(reading, REQUEST))):
        state = state_of(STATES, thing)
        if state != "none" and (state in OPEN or not ask.open_only):
            yield Labelled(_row(thing, reading), thing.first.label, thing.first.context)


def _request(principal: Principal, ask: AskRequest, reading: Reading) -> Iterator[Labelled]:
    thing = papers_of(reading).thing(reading, ask.id, REQUEST)
    if thing is not None:
        row = RequestDetail(row=_row(thing, reading), conflicts=conflict_rows(thing), steps=steps_of(thing))
        yield Labelled(row, thing.first.label, thing.first.context)


def _assets(principal: Principal, ask: AskKept, reading: Reading) -> Iterator[Labelled]:
    for thing in papers_of(reading).things(reading, ASSET):
        asset = msgspec.convert(thing.fields(), Asset)
        row = AssetRow(
            id=thing.id, asset=asset, said_at_ms=thing.newest.at_ms, heads=thing.heads(), label=thing.first.label
        )
        yield Labelled(row, thing.first.label, thing.first.context)


def _facilities(principal: Principal, ask: AskKept, reading: Reading) -> Iterator[Labelled]:
    for thing in papers_of(reading).things(reading, FACILITY):
        facility = msgspec.convert(thing.fields(), Facility)
        row = FacilityRow(
            id=thing.id, facility=facility, said_at_ms=thing.newest.at_ms, heads=thing.heads(), label=thing.first.label
        )
        yield Labelled(row, thing.first.label, thing.first.context)


def _needs(principal: Principal, ask: AskNeeds, reading: Reading) -> Iterator[Labelled]:
    if not ask.wants(ROLES):
        return
    now_ms = reading.now_ms()
    for thing in papers_of(reading).things(reading, REQUEST):
        clock = clock_of(thing, exercise_clock(reading.views, reading.context, now_ms))
        row = row_of(thing, now_ms, clock)
        if row.state not in OPEN:
            continue
        due_ms = row.next_due_ms
        if row.state == "requested" and row.casualties:
            within_ms = windows().approve_within_ms[row.casualties[0].precedence]
            due_ms = clock.put_off_ms(row.asked_at_ms + within_ms, row.asked_at_ms)
        need = NeedRow(
            feature="medevac",
            kind=row.state,
            id=row.id,
            title=row.title,
            since_ms=thing.newest.at_ms,
            due_ms=due_ms,
            is_overdue=due_ms is not None and due_ms <= now_ms,
            roles=ROLES,
            actions=row.actions,
            heads=row.heads,
            precedence="Z",
        )
        yield Labelled(need, thing.first.label, thing.first.context)


QUERIES = (
    Query(
        name="medevac_requests",
        path="/medevac/requests",
        request=AskRequests,
        row=RequestRow,
        role="viewer",
        answer=_requests,
        blocking=True,
        summary="Requests for evacuation with casualties and clocks, newest first",
    ),
    Query(
        name="medevac_request",
        path="/medevac/requests/{id}",
        request=AskRequest,
        row=RequestDetail,
        role="viewer",
        answer=_request,
        one=True,
        summary="One request with its life",
    ),
    Query(
        name="medevac_assets",
        path="/medevac/assets",
        request=AskKept,
        row=AssetRow,
        role="viewer",
        answer=_assets,
        summary="Evacuation assets",
    ),
    Query(
        name="medevac_facilities",
        path="/medevac/facilities",
        request=AskKept,
        row=FacilityRow,
        role="viewer",
        answer=_facilities,
        summary="Treatment facilities",
    ),
    Query(
        name="needs_medevac",
        path="/needs/medevac",
        request=AskNeeds,
        row=NeedRow,
        role="viewer",
        answer=_needs,
        summary="Requests that need somebody now",
    ),
)
