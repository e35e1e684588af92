"""What can be done: make and change watches, acknowledge and close alerts."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, Saying
from aquila.core.model import Paper, Principal
from aquila.core.paper_work import (
    Id,
    Line,
    NextStep,
    Seen,
    StepTaken,
    check_texts,
    say_step,
    state_of,
    step_saying,
    too_many,
)
from aquila.core.papers import Thing
from aquila.core.view import view_of
from aquila.features.alerts.view import Alerts
from aquila.features.alerts.watch import (
    ALERT,
    ALERT_STATES,
    WATCH,
    WATCH_STATES,
    AreaWatch,
    SilenceWatch,
    wrong_area,
)

NO_WATCH = Refused("absent", "there is no such watch, or you may not see it")
NO_ALERT = Refused("absent", "there is no such alert, or you may not see it")
WATCHES_MAX = 1_000
"""Of one node, without those that were removed."""
WATCHES_OF_ONE = 200
"""Of one person: nobody fills the node for all others."""
SETTLED_MAX = 500
"""Alerts that one act acknowledges or closes: they are one commit."""
SETTLED = {"acknowledge": "acknowledged", "close": "closed"}
DWELL_MIN = 1.0
"""Minutes. A stay of none is everybody who comes in: "enter" says that, and only of who comes."""


Remarks = Annotated[str, msgspec.Meta(max_length=2000)]


class NewWatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A watch to be kept."""

    watch: AreaWatch | SilenceWatch


class EditWatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The watch as it is to be from now on."""

    id: Id
    watch: AreaWatch | SilenceWatch
    seen: Seen = ()


class TurnWatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A watch that is to rest or to go on."""

    id: Id
    action: Literal["pause", "resume"]


class RemoveWatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A watch that is no longer wanted. close_alerts: the alerts that it raised are closed with it."""

    id: Id
    close_alerts: bool = True


class SettleAlert(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An alert that somebody has seen, or that is done with. remarks: what was done."""

    id: Id
    action: Literal["acknowledge", "close"]
    remarks: Remarks = ""
    seen: Seen = ()
    on_behalf_of: Line | None = None


class SettleAlerts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Alerts that somebody has seen together, or that are done with together. remarks: what was done, for each."""

    ids: Annotated[tuple[Id, ...], msgspec.Meta(min_length=1, max_length=SETTLED_MAX)]
    action: Literal["acknowledge", "close"]
    remarks: Remarks = ""
    on_behalf_of: Line | None = None


class AlertLeft(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that stays as it is, and why: a short word and a sentence."""

    id: str
    reason: str
    sentence: str


class AlertsSettled(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each: those that took the step, in the order asked, and those that stay as they are."""

    settled: tuple[StepTaken, ...]
    left: tuple[AlertLeft, ...]


async def create_watch(principal: Principal, ask: NewWatch, desk: Desk) -> StepTaken | Refused:
    """Keep a watch."""
    wrong = _wrong(ask.watch)
    if wrong is not None:
        return wrong
    # Whoever may see them: a node looks at all of them.
    kept = [thing for thing in _view(desk).all(desk.context, WATCH) if state_of(WATCH_STATES, thing) != "removed"]
    full = too_many(principal, kept, "watches", WATCHES_OF_ONE, WATCHES_MAX)
    if full is not None:
        return Refused("full", f"{full}: remove some")
    return await _say(principal, desk, None, "create", ask.watch)


async def edit_watch(principal: Principal, ask: EditWatch, desk: Desk) -> StepTaken | Refused:
    """Change a watch."""
    thing = _view(desk).thing(desk, ask.id, WATCH)
    if thing is None:
        return NO_WATCH
    return _wrong(ask.watch) or await _say(principal, desk, thing, "edit", ask.watch, ask.seen)


async def turn_watch(principal: Principal, ask: TurnWatch, desk: Desk) -> StepTaken | Refused:
    """Let a watch rest or go on."""
    return await _turn(principal, desk, ask.id, ask.action)


async def remove_watch(principal: Principal, ask: RemoveWatch, desk: Desk) -> StepTaken | Refused:
    """End a watch. The node closes the alerts that it raised, unless it is told to let them stand."""
    return await _turn(principal, desk, ask.id, "remove", {"close_alerts": True} if ask.close_alerts else {})


async def settle_alert(principal: Principal, ask: SettleAlert, desk: Desk) -> StepTaken | Refused:
    """Acknowledge or close an alert: who and when stands in the journal."""
    thing = _view(desk).thing(desk, ask.id, ALERT)
    if thing is None:
        return NO_ALERT
    return _wrong_remarks(ask) or await say_step(principal, desk, _settling(thing, ask, ask.seen))


async def settle_alerts(principal: Principal, ask: SettleAlerts, desk: Desk) -> AlertsSettled | Refused:
    """Acknowledge or close many at once: a line of the journal for each, all in one commit.

    One line each, since each alert has its own marking and its own readers. What somebody else has settled meanwhile,
    or this one may not settle, stays as it is and is named; the others are settled all the same.
    """
    wrong = _wrong_remarks(ask)
    if wrong is not None:
        return wrong
    sayings: list[Saying] = []
    left: list[AlertLeft] = []
    for id in dict.fromkeys(ask.ids):
        thing = _view(desk).thing(desk, id, ALERT)
        said = NO_ALERT if thing is None else step_saying(principal, desk, _settling(thing, ask))
        if isinstance(said, Refused):
            left.append(AlertLeft(id=id, reason=said.reason, sentence=said.detail))
        else:
            sayings.append(said)
    entries = await desk.write_all(sayings)
    if isinstance(entries, Refused):
        return entries
    state = SETTLED[ask.action]
    settled = (
        StepTaken(id=entry.body.target, entry=entry.envelope.id, state=state)
        for entry in entries
        if isinstance(entry.body, Paper)
    )
    return AlertsSettled(settled=tuple(settled), left=tuple(left))


def _settling(thing: Thing, ask: SettleAlert | SettleAlerts, seen: tuple[str, ...] = ()) -> NextStep:
    return NextStep(
        ALERT_STATES,
        ALERT,
        thing,
        ask.action,
        {f"{ask.action}_remarks": ask.remarks} if ask.remarks else {},
        seen=seen,
        summary=f"alert {ask.action}d: {thing.get('text', '')}",
        on_behalf_of=ask.on_behalf_of,
    )


def _wrong_remarks(ask: SettleAlert | SettleAlerts) -> Refused | None:
    try:
        check_texts("remarks", ask.remarks)
    except ValueError as wrong:
        return Refused("field", str(wrong))
    return None


def _view(desk: Desk) -> Alerts:
    return view_of(desk.views, "alerts", Alerts)


def _wrong(watch: AreaWatch | SilenceWatch) -> Refused | None:
    if watch.from_ms is not None and watch.until_ms is not None and watch.until_ms <= watch.from_ms:
        return Refused("time", f"until {watch.until_ms} is not after {watch.from_ms}: name a later end, or none")
    try:
        check_texts("watch", msgspec.to_builtins(watch))
    except ValueError as wrong:
        return Refused("field", str(wrong))
    if isinstance(watch, SilenceWatch):
        return None
    if watch.min_hae_m is not None and watch.max_hae_m is not None and watch.min_hae_m > watch.max_hae_m:
        return Refused("height", f"{watch.min_hae_m} m is above {watch.max_hae_m} m: name the lower one first")
    if "dwell" in watch.triggers and watch.dwell_min < DWELL_MIN:
        return Refused(
            "dwell",
            f"stays {watch.dwell_min:g} min would tell of everybody inside at once: name {DWELL_MIN:g} min or more, "
            'or "enter" to be told of who comes in',
        )
    sentence = wrong_area(watch.corners)
    return None if sentence is None else Refused("area", sentence)


async def _say(
    principal: Principal,
    desk: Desk,
    thing: Thing | None,
    action: str,
    watch: AreaWatch | SilenceWatch,
    seen: tuple[str, ...] = (),
) -> StepTaken | Refused:
    fields: dict[str, Any] = msgspec.to_builtins(watch)
    if thing is not None:
        fields |= {name: None for name in thing.fields() if name not in fields}
    text = f"watch {watch.name}: {action}"
    return await say_step(
        principal, desk, NextStep(WATCH_STATES, WATCH, thing, action, fields, seen=seen, summary=text)
    )


async def _turn(
    principal: Principal, desk: Desk, id: str, action: str, fields: Mapping[str, Any] | None = None
) -> StepTaken | Refused:
    thing = _view(desk).thing(desk, id, WATCH)
    if thing is None:
        return NO_WATCH
    text = f"watch {thing.get('name', id)}: {action}"
    return await say_step(principal, desk, NextStep(WATCH_STATES, WATCH, thing, action, fields or {}, summary=text))


alert_commands = (
    Command(
        name="create_watch",
        method="POST",
        path="/watches",
        request=NewWatch,
        answer=StepTaken,
        role="operator",
        act=create_watch,
        summary="Be told when somebody enters, leaves, stays in an area, or falls silent",
    ),
    Command(
        name="edit_watch",
        method="POST",
        path="/watches/{id}",
        request=EditWatch,
        answer=StepTaken,
        role="operator",
        act=edit_watch,
        summary="Change a watch",
    ),
    Command(
        name="turn_watch",
        method="POST",
        path="/watches/{id}/state",
        request=TurnWatch,
        answer=StepTaken,
        role="operator",
        act=turn_watch,
        summary="Let a watch rest or go on",
    ),
    Command(
        name="remove_watch",
        method="DELETE",
        path="/watches/{id}",
        request=RemoveWatch,
        answer=StepTaken,
        role="operator",
        act=remove_watch,
        summary="End a watch, and close its alerts unless close_alerts says no",
    ),
    Command(
        name="settle_alerts",
        method="POST",
        path="/alerts",
        request=SettleAlerts,
        answer=AlertsSettled,
        role="operator",
        act=settle_alerts,
        summary="Acknowledge or close many alerts at once",
    ),
    Command(
        name="settle_alert",
        method="POST",
        path="/alerts/{id}",
        request=SettleAlert,
        answer=StepTaken,
        role="operator",
        act=settle_alert,
        summary="Acknowledge or close an alert",
    ),
)
