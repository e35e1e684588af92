"""What can be asked: watches, alerts, and alerts as needs of whoever has the watch."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec

from aquila.core.feature import Labelled, Query, Reading
from aquila.core.model import Label, Principal, Verdict
from aquila.core.moves import Moves
from aquila.core.paper_rows import AskNeeds, NeedRow, StepRow, steps_of
from aquila.core.paper_work import Time, state_of
from aquila.core.papers import Thing
from aquila.core.phrases import phrase_in
from aquila.core.view import view_of
from aquila.features.alerts.view import Alerts
from aquila.features.alerts.watch import (
    ALERT,
    ALERT_STATES,
    WATCH,
    WATCH_STATES,
    AreaWatch,
    Level,
    SilenceWatch,
    Trigger,
    read_watch,
)

PRECEDENCE: dict[Level, str] = {"warning": "Z", "caution": "O", "advisory": "R"}
"""Flash, immediate, routine: so that an alert stands at its place among other needs."""


class AskWatches(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which watches: all that were not removed. at_ms: as they were then; None = now."""

    at_ms: Time | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000


class AskAlerts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which alerts. state: None = all that are not closed. trigger: None = any. at_ms: when; None = now."""

    state: Literal["raised", "acknowledged", "closed"] | None = None
    trigger: Trigger | None = None
    at_ms: Time | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000


class WatchRow(msgspec.Struct, frozen=True, kw_only=True):
    """One watch.

    Attributes:
        inside: how many of those it is about were in its area at the last look, without those whom the asker may not
            see; None = it watches no area, rests, was not looked at yet, or is shown as it was.
        actions: none for what is shown as it was.
    """

    id: str
    watch: AreaWatch | SilenceWatch
    state: str
    by: str
    inside: int | None
    actions: tuple[str, ...]
    heads: tuple[str, ...]
    label: Label


class AlertRow(msgspec.Struct, frozen=True, kw_only=True):
    """One alert. watch_name: None = it is of no watch, or of one that the asker may not see.

    Attributes:
        over_at_ms: since when its reason is gone; None = it stands.
        actions: none for what is shown as it was. steps: newest first: who acknowledged and closed it, and when.
        act, words: of the sentence that `text` is, see `Phrase`; "" = of none.
    """

    id: str
    text: str
    trigger: Trigger
    level: Level
    entity: str
    watch: str
    watch_name: str | None
    since_ms: int
    over_at_ms: int | None
    lat_deg: float | None
    lon_deg: float | None
    state: str
    actions: tuple[str, ...]
    heads: tuple[str, ...]
    steps: tuple[StepRow, ...]
    label: Label
    act: str = ""
    words: dict[str, Any] = {}


def _watches(principal: Principal, ask: AskWatches, reading: Reading) -> Iterator[Labelled]:
    for thing in _things(reading, WATCH, ask.at_ms):
        watch, state = read_watch(thing), state_of(WATCH_STATES, thing)
        if watch is None or state == "removed":
            continue
        row = WatchRow(
            id=thing.id,
            watch=watch,
            state=state,
            by=thing.first.by,
            inside=_inside(reading, thing) if ask.at_ms is None else None,
            actions=WATCH_STATES.allowed(state) if ask.at_ms is None else (),
            heads=thing.heads(),
            label=thing.first.label,
        )
        yield Labelled(row, thing.first.label, thing.first.context)


def _alerts(principal: Principal, ask: AskAlerts, reading: Reading) -> Iterator[Labelled]:
    for thing, state in _found(reading, ask.at_ms):
        if state != ask.state if ask.state else state == "closed":
            continue
        if ask.trigger is not None and thing.get("trigger", "enter") != ask.trigger:
            continue
        watch, place = thing.get("watch", ""), thing.position()
        named = _view(reading).thing(reading, watch, WATCH) if watch else None
        if named is not None and ask.at_ms is not None:
            named = named.at(ask.at_ms)
        text = thing.get("text", "")
        phrase = phrase_in("alerts.text", text)
        row = AlertRow(
            id=thing.id,
            text=text,
            trigger=thing.get("trigger", "enter"),
            level=thing.get("level", "caution"),
            entity=thing.get("entity", ""),
            watch=watch,
            watch_name=None if named is None else named.get("name"),
            since_ms=thing.get("since_ms", thing.first.at_ms),
            over_at_ms=thing.get("over_at_ms"),
            lat_deg=None if place is None else place.lat_deg,
            lon_deg=None if place is None else place.lon_deg,
            state=state,
            actions=_settling(state) if ask.at_ms is None else (),
            heads=thing.heads(),
            steps=steps_of(thing),
            label=thing.first.label,
            act=phrase.act,
            words=phrase.words,
        )
        yield Labelled(row, thing.first.label, thing.first.context)


def _needs(principal: Principal, ask: AskNeeds, reading: Reading) -> Iterator[Labelled]:
    for thing, state in _found(reading):
        if state == "raised":
            phrase = phrase_in("alerts.text", thing.get("text", ""))
            row = NeedRow(
                feature="alerts",
                kind="acknowledge",
                id=thing.id,
                title=thing.get("text", ""),
                since_ms=thing.first.at_ms,
                due_ms=None,
                is_overdue=False,
                roles=(),
                waits_for="watch",
                actions=_settling(state),
                heads=thing.heads(),
                precedence=PRECEDENCE.get(thing.get("level", "caution"), "R"),
                act=phrase.act,
                words=phrase.words,
            )
            yield Labelled(row, thing.first.label, thing.first.context)


def _found(reading: Reading, at_ms: int | None = None) -> Iterator[tuple[Thing, str]]:
    """Alerts that the asker may have, newest first, with their states."""
    for thing in reversed(list(_things(reading, ALERT, at_ms))):
        yield thing, state_of(ALERT_STATES, thing)


def _things(reading: Reading, type: str, at_ms: int | None) -> Iterator[Thing]:
    """As they are, or as they were."""
    for thing in _view(reading).things(reading, type):
        was = thing if at_ms is None else thing.at(at_ms)
        if was is not None:
            yield was


def _inside(reading: Reading, thing: Thing) -> int | None:
    inside = _view(reading).inside(thing.id)
    if inside is None:
        return None
    moves = view_of(reading.views, "moves", Moves)
    found = (moves.of(thing.first.context, entity) for entity in inside)
    kept = (move for move in found if move is not None)
    return sum(reading.release(move.label, move.context).verdict is Verdict.FULL for move in kept)


def _settling(state: str) -> tuple[str, ...]:
    return tuple(action for action in ALERT_STATES.allowed(state) if action in ("acknowledge", "close"))


def _view(reading: Reading) -> Alerts:
    return view_of(reading.views, "alerts", Alerts)


alert_queries = (
    Query(
        name="watches",
        path="/watches",
        request=AskWatches,
        row=WatchRow,
        role="viewer",
        answer=_watches,
        summary="What somebody wants to be told of",
    ),
    Query(
        name="alerts",
        path="/alerts",
        request=AskAlerts,
        row=AlertRow,
        role="viewer",
        answer=_alerts,
        summary="Alerts, newest first",
    ),
    Query(
        name="alert_needs",
        path="/needs/alerts",
        request=AskNeeds,
        row=NeedRow,
        role="viewer",
        answer=_needs,
        summary="Alerts that nobody has acknowledged",
    ),
)
