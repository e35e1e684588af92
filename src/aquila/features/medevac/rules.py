"""A request that a phone sends becomes a request of the desk, within one commit."""

from collections.abc import Iterator, Mapping
from typing import Any

from aquila.core.model import Arrival, Entry, Paper, Report
from aquila.core.paper_work import WatchedPapers, state_of
from aquila.core.papers import Thing
from aquila.core.rule import Proposal, Rule
from aquila.core.view import View, view_of
from aquila.features.medevac.request import CASUALTIES_MAX, COT_TYPE, LINE_NAMES, OPEN, REQUEST, STATES, headline

TEXT_MAX = 200


def take_in(arrival: Arrival, views: Mapping[str, View]) -> Iterator[Proposal]:
    """The request, or what the phone says anew about it; the same said again says nothing."""
    if not isinstance(arrival, Entry) or not isinstance(arrival.body, Report):
        return
    report, envelope = arrival.body, arrival.envelope
    if not report.type.startswith(COT_TYPE):
        return
    known = view_of(views, "medevac", WatchedPapers)
    found = next((each for each in known.all(envelope.context, REQUEST) if each.id == report.entity), None)
    fields = {
        "title": (report.fields.get("title") or report.name or report.alias.value)[:TEXT_MAX],
        "lines": {name: value[:TEXT_MAX] for name, value in report.fields.items() if name in LINE_NAMES},
        "mists": _mists(report.fields),
        "asked_by": "" if report.parent is None else report.parent.value,
    }
    if found is not None:
        fields = _news(found, fields)
        if state_of(STATES, found) not in OPEN or (not fields and found.position() == report.position):
            return
    paper = Paper(
        type=REQUEST,
        target=report.entity,
        action="request" if found is None else "update",
        happened_at_ms=report.observed_at_ms,
        fields=fields,
        seen=() if found is None else found.heads(),
        summary=headline(report.fields.get("title") or report.name or "")[:TEXT_MAX],
        position=report.position,
    )
    yield Proposal(paper, envelope.label)


def _news(found: Thing, fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if found.get(name) != value}


def _mists(fields: Mapping[str, str]) -> list[dict[str, str]]:
    mists: list[dict[str, str]] = []
    while len(mists) < CASUALTIES_MAX:
        head = f"zMist{len(mists) + 1}."
        mist = {letter: fields[head + letter][:TEXT_MAX] for letter in "zmist" if head + letter in fields}
        if not mist:
            break
        mists.append(mist)
    return mists


take_in_rule = Rule("medevac.take_in", 1, take_in)
