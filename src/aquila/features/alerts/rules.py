"""What the node says by itself: alerts of watches on ticks, and of emergencies as soon as they are heard."""

from collections.abc import Iterator, Mapping
from functools import partial

from aquila.core.exercise_clock import exercise_clock
from aquila.core.ids import derived_id
from aquila.core.model import Arrival, Paper, Tick
from aquila.core.moves import Moves
from aquila.core.papers import Thing
from aquila.core.rule import Proposal, Rule
from aquila.core.view import View, view_of
from aquila.features.alerts.view import Alerts, Finding, entry_report
from aquila.features.alerts.watch import ALERT, WITH_WATCH, read_watch

CLOSED_MAX = 500
"""Alerts of removed watches that one tick closes."""
DOES = {
    "enter": "is in an area that is watched",
    "leave": "has left an area that is watched",
    "dwell": "stays in an area that is watched",
    "silence": "has not reported for {span}",
}
"""The name of the watch is not among it: who sees the entity need not see the watch."""


def watch_over(arrival: Arrival, views: Mapping[str, View]) -> Iterator[Proposal]:
    """Raise what the tick has found, once while it stands; say of an open alert that its reason is gone."""
    if not isinstance(arrival, Tick):
        return
    view = view_of(views, "alerts", Alerts)
    clock_of = partial(exercise_clock, views, now_ms=arrival.at_ms)
    findings = list(view.look(arrival.at_ms, view_of(views, "moves", Moves), clock_of))
    if not findings:
        return
    standing = view.standing()
    watches = {thing.id: thing for thing, _ in view.active()}
    for finding in findings:
        thing = watches.get(finding.watch)
        known = standing.get((finding.watch, finding.entity, finding.trigger))
        if thing is not None and known is None and not finding.is_over:
            yield _raise(finding, thing, arrival.at_ms)
        elif known is not None and known.get("over_at_ms") is None and finding.is_over:
            yield _over(finding, known, arrival.at_ms)


def _span(minutes: int) -> str:
    """As the phrases "alerts.text" have it: no hours that somebody has to work out."""
    hours, rest = divmod(minutes, 60)
    return f"{rest} min" if not hours else f"{hours} h {rest} min" if rest else f"{hours} h"


def _raise(finding: Finding, thing: Thing, now_ms: int) -> Proposal:
    watch = read_watch(thing)
    does = DOES[finding.trigger].format(span=_span((now_ms - finding.since_ms) // 60_000))
    key = f"raise {finding.watch} {finding.entity} {finding.trigger} {finding.since_ms}"
    fields = {
        "watch": finding.watch,
        "entity": finding.entity,
        "trigger": finding.trigger,
        "level": watch.level if watch else "caution",
        "text": f"{finding.name} {does}",
        "since_ms": finding.since_ms,
    }
    paper = Paper(
        type=ALERT,
        target=derived_id("alerts.alert", 1, key),
        action="raise",
        happened_at_ms=now_ms,
        fields=fields,
        summary=f"alert: {fields['text']}",
        position=finding.position,
    )
    # Who may know where it is may know of the alert.
    return Proposal(paper, finding.label, key=key, cause=thing.newest.entry)


def _over(finding: Finding, known: Thing, now_ms: int) -> Proposal:
    text = known.get("text", "")
    fields: dict[str, object] = {"over_at_ms": now_ms}
    if finding.trigger == "silence":
        # Who speaks again is silent no more, and the alert may stay open for long: it says how long that was.
        text = f"{finding.name} had not reported for {_span((now_ms - known.get('since_ms', now_ms)) // 60_000)}"
        fields["text"] = text
    paper = Paper(
        type=ALERT,
        target=known.id,
        action="over",
        happened_at_ms=now_ms,
        fields=fields,
        seen=known.heads(),
        summary=f"alert is over: {text}",
    )
    return Proposal(paper, known.first.label, key=f"over {known.id}")


def close_orphans(arrival: Arrival, views: Mapping[str, View]) -> Iterator[Proposal]:
    """Close the alerts of a watch that was removed with them, some with each tick.

    The node does it and not who removes the watch: it has raised them, also those that he may not see. A tick finds
    what the same second has still raised, and what a node that died had left.
    """
    if not isinstance(arrival, Tick):
        return
    for thing in view_of(views, "alerts", Alerts).orphans()[:CLOSED_MAX]:
        # Nobody looks any more, so its reason is gone as well.
        over = {} if thing.get("over_at_ms") is not None else {"over_at_ms": arrival.at_ms}
        paper = Paper(
            type=ALERT,
            target=thing.id,
            action="close",
            happened_at_ms=arrival.at_ms,
            fields={WITH_WATCH: True, **over},
            seen=thing.heads(),
            summary=f"alert closed with its watch: {thing.get('text', '')}",
        )
        yield Proposal(paper, thing.first.label, key=f"close {thing.id}")


def emergencies(arrival: Arrival, views: Mapping[str, View]) -> Iterator[Proposal]:
    """An emergency beacon becomes an alert; its end is said of the alert."""
    heard = entry_report(arrival)
    if heard is None or heard[0].emergency is None:
        return
    report, entry = heard
    emergency = report.emergency
    known = view_of(views, "alerts", Alerts).standing().get(("", report.entity, "emergency"))
    if emergency is None or (known is None) != emergency.active:
        return
    if known is not None and known.get("over_at_ms") is not None:
        return
    text = f"{report.name or report.alias.value}: emergency {emergency.type}"
    fields: dict[str, object] = {"over_at_ms": report.observed_at_ms}
    if known is None:
        fields = {
            "watch": "",
            "entity": report.entity,
            "trigger": "emergency",
            "level": "warning",
            "text": text,
            "since_ms": report.observed_at_ms,
        }
    paper = Paper(
        type=ALERT,
        target=derived_id("alerts.alert", 1, entry.envelope.id) if known is None else known.id,
        action="raise" if known is None else "over",
        happened_at_ms=report.observed_at_ms,
        fields=fields,
        seen=() if known is None else known.heads(),
        summary=f"alert: {text}" if known is None else f"alert is over: {text}",
        position=report.position,
    )
    yield Proposal(paper, entry.envelope.label)


watch_rule = Rule("alerts.watch", 1, watch_over, hears=frozenset({"tick"}))
removed_rule = Rule("alerts.removed", 1, close_orphans, hears=frozenset({"tick"}))
emergency_rule = Rule("alerts.emergency", 1, emergencies)
