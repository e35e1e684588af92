"""Handover: what a shift leaves to the next, printed and signed by both."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from aquila.core.document import Document, Paragraph, name_of, to_pdf, to_text
from aquila.core.dtg import dtg
from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, Feature, Labelled, Query, Reading, check_text
from aquila.core.model import Entry, Label, Paper, Principal
from aquila.core.paper_rows import AskNeeds, NeedRow
from aquila.core.paper_work import Id, NextStep, StepTaken, Text, Time, say_step, state_of
from aquila.core.papers import Papers, Thing
from aquila.core.phrases import Phrase, phrase_of_line
from aquila.core.policy import derive, label_for
from aquila.core.tongue import InLanguage, Tongue
from aquila.core.view import view_of
from aquila.features.handover.lines import HANDOVER, SECTIONS, STATES, HandoverLine, Promise, first_ms, lines_of

LINES_MAX = 2_000
"""Lines that one signed handover keeps; what is beyond is counted in it."""
NO_HANDOVER = Refused("absent", "there is no such handover, or you may not see it: look into the list of handovers")


class AskHandover(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Since when. None = since the last handover that was taken; when there was none, everything."""

    since_ms: Time | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=20_000)] = 20_000


class AskShifts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All handovers."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 100


class AskShift(InLanguage, frozen=True, kw_only=True):
    """Which handover, and in which language it is printed."""

    id: Id


class OfferHandover(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sign what is handed over. remarks: own words. since_ms: None = since the last handover."""

    remarks: Text = ""
    since_ms: Time | None = None

    def __post_init__(self) -> None:
        check_text("remarks", self.remarks)


class SignHandover(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take over, or withdraw what was offered."""

    id: Id
    remarks: Text = ""

    def __post_init__(self) -> None:
        check_text("remarks", self.remarks)


class ShiftRow(msgspec.Struct, frozen=True, kw_only=True):
    """A handover. gone: who offered it. came: who took it; None = nobody yet. lines: as many as it tells things.

    since_ms: 0 = everything, no handover was taken before. remarks, remarks_of_who_came: the words of who goes and of
    who comes; empty = none.
    """

    id: str
    state: str
    at_ms: int
    since_ms: int
    gone: str
    came: str | None
    lines: int
    remarks: str
    remarks_of_who_came: str
    actions: tuple[str, ...]
    heads: tuple[str, ...]
    label: Label


class ShiftDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A handover to be read or printed. pdf: base64 of the file."""

    text: str
    pdf: bytes
    label: Label


def handover_view() -> Papers:
    """A fresh view."""
    return Papers("handover", 1, ("handover.",))


def _papers(reading: Reading) -> Papers:
    return view_of(reading.views, "handover", Papers)


def _since_ms(reading: Reading, asked_ms: int | None) -> int:
    if asked_ms is not None:
        return asked_ms
    taken = [each for each in _papers(reading).things(reading, HANDOVER) if state_of(STATES, each) == "taken"]
    return max((thing.first.at_ms for thing in taken), default=0)


def _handover(principal: Principal, ask: AskHandover, reading: Reading) -> Iterator[Labelled]:
    for line in lines_of(reading, _since_ms(reading, ask.since_ms), reading.now_ms()):
        yield Labelled(line, line.label, reading.context)


def _row(thing: Thing) -> ShiftRow:
    state = state_of(STATES, thing)
    return ShiftRow(
        id=thing.id,
        state=state,
        at_ms=thing.first.at_ms,
        since_ms=int(thing.get("since_ms", 0)),
        gone=thing.first.by,
        came=next((step.by for step in thing.steps if step.action == "take"), None),
        lines=len(thing.get("lines", ())) + int(thing.get("left_out", 0)),
        remarks=str(thing.get("remarks", "")),
        remarks_of_who_came=str(thing.get("remarks_of_who_came", "")),
        actions=STATES.allowed(state),
        heads=thing.heads(),
        label=thing.first.label,
    )


def _shifts(principal: Principal, ask: AskShifts, reading: Reading) -> Iterator[Labelled]:
    for thing in reversed(list(_papers(reading).things(reading, HANDOVER))):
        yield Labelled(_row(thing), thing.first.label, thing.first.context)


def _since_said(reading: Reading, row: ShiftRow, tongue: Tongue) -> str:
    if row.since_ms > 0:
        return tongue.say("handover.print.since", time=dtg(row.since_ms), n=row.lines)
    began_ms = first_ms(reading)
    if began_ms is None:
        return tongue.say("handover.print.since_ever", n=row.lines)
    return tongue.say("handover.print.since_began", time=dtg(began_ms), n=row.lines)


def _printed(thing: Thing, tongue: Tongue) -> Iterator[Paragraph]:
    """The lines under the heading of their section."""
    for section in SECTIONS:
        lines = [line for line in thing.get("lines", ()) if line["section"] == section]
        if lines:
            named = {"act": f"handover.section.{section}"}
            yield Paragraph(tongue.say("handover.print.section", section=named, n=len(lines)), (), True)
        for line in lines:
            yield from _line_printed(line, tongue)
    left_out = int(thing.get("left_out", 0))
    if left_out:
        yield Paragraph(tongue.say("handover.print.left_out", n=left_out))


def _line_printed(line: dict[str, Any], tongue: Tongue) -> Iterator[Paragraph]:
    """A line and below it what was promised. Those of earlier versions are one text, or have nothing below them."""
    told, *details = (
        tongue.said(Phrase(each.get("act", ""), each.get("words", {})), each.get("text", ""))
        for each in (line, *line.get("details", ()))
    )
    also = ", ".join(tongue.say(f"handover.also.{each}") for each in line.get("also", ()))
    text = ": ".join(filter(None, (told, "; ".join(details))))
    yield Paragraph(f"{text} [{also}]" if also else text, tuple(line.get("notes", ())))
    for each in line.get("promises", ()):
        said = each if isinstance(each, str) else _promise_said(msgspec.convert(each, Promise), tongue)
        yield Paragraph(f"- {said}")


def _promise_said(promise: Promise, tongue: Tongue) -> str:
    what = tongue.read("handover.promise", promise.what) if promise.what else tongue.say("handover.print.due")
    due = "" if promise.due_ms is None else tongue.say("handover.print.by", time=dtg(promise.due_ms))
    whom = " ".join(filter(None, (tongue.read("post", promise.to_whom), due)))
    late = tongue.say("handover.print.late") if promise.is_overdue else ""
    return " ".join(filter(None, (what, f"({whom})" if whom else "", late)))


def _remarks(heading: str, words: str) -> tuple[Paragraph, ...]:
    return (Paragraph(heading, (), True), Paragraph(words)) if words else ()


def _document(principal: Principal, ask: AskShift, reading: Reading) -> Iterator[Labelled]:
    thing = _papers(reading).thing(reading, ask.id, HANDOVER)
    if thing is None:
        return
    row, tongue = _row(thing), Tongue(ask.language)
    document = _document_of(thing, row, reading, tongue)
    answer = ShiftDocument(text=to_text(document, tongue), pdf=to_pdf(document, tongue), label=row.label)
    yield Labelled(answer, thing.first.label, thing.first.context)


def _document_of(thing: Thing, row: ShiftRow, reading: Reading, tongue: Tongue) -> Document:
    gone, came = name_of(row.gone), None if row.came is None else name_of(row.came)
    comes = () if came is None else (tongue.say("handover.print.comes", who=came),)
    return Document(
        title=tongue.say("handover.print.title", time=dtg(row.at_ms)),
        marking=f"{row.label.classification} REL TO {' '.join(row.label.releasable_to)}",
        paragraphs=(
            Paragraph(_since_said(reading, row, tongue)),
            *_printed(thing, tongue),
            *_remarks(tongue.say("handover.print.gone", who=gone), row.remarks),
            *_remarks(tongue.say("handover.print.came", who=came), row.remarks_of_who_came),
        ),
        signed=(tongue.say("handover.print.goes", who=gone), *comes),
    )


def _needs(principal: Principal, ask: AskNeeds, reading: Reading) -> Iterator[Labelled]:
    roles = ("watch_officer", "duty_officer")
    for thing in _papers(reading).things(reading, HANDOVER):
        row = _row(thing)
        if row.state == "offered" and ask.wants(roles):
            phrase = phrase_of_line(HANDOVER, "offer", thing.first.summary)
            need = NeedRow(
                feature="handover",
                kind="take",
                id=row.id,
                title=thing.first.summary,
                since_ms=row.at_ms,
                due_ms=None,
                is_overdue=False,
                roles=roles,
                actions=row.actions,
                heads=row.heads,
                act=phrase.act,
                words=phrase.words,
            )
            yield Labelled(need, thing.first.label, thing.first.context)


async def offer_handover(principal: Principal, ask: OfferHandover, desk: Desk) -> StepTaken | Refused:
    """Sign what is handed over, as it stands now, under the most restrictive label of what it says."""
    since_ms, now_ms = _since_ms(desk, ask.since_ms), desk.now_ms()
    if since_ms > now_ms:
        return Refused("time", f"since {since_ms} lies in the future: name a time that has passed, or none")
    lines = lines_of(desk, since_ms, now_ms)
    own = label_for(desk.policy, principal, None)
    if isinstance(own, Refused):
        return own
    label = derive(desk.policy, [own, *(line.label for line in lines)])
    if not label.groups or not label.releasable_to:
        return Refused("label", "what you hand over has no reader in common: hand over each group for itself")
    fields: dict[str, Any] = {
        "since_ms": since_ms,
        "remarks": ask.remarks,
        "lines": [_kept(line) for line in lines[:LINES_MAX]],
        "left_out": max(0, len(lines) - LINES_MAX),
    }
    id = desk.new_id()
    text = f"handover offered by {principal.name}"
    paper = Paper(type=HANDOVER, target=id, action="offer", happened_at_ms=now_ms, fields=fields, summary=text)
    entry = await desk.write(paper, id=None, label=label)
    return StepTaken(id=id, entry=entry.envelope.id, state="offered") if isinstance(entry, Entry) else entry


async def take_handover(principal: Principal, ask: SignHandover, desk: Desk) -> StepTaken | Refused:
    """Sign that the shift was taken over."""
    thing = _papers(desk).thing(desk, ask.id, HANDOVER)
    if thing is None:
        return NO_HANDOVER
    if thing.first.by == principal.id:
        return Refused("signature", "who hands over cannot take over as well: somebody else has to sign")
    fields = {"remarks_of_who_came": ask.remarks}
    return await say_step(principal, desk, NextStep(STATES, HANDOVER, thing, "take", fields, summary="handover taken"))


async def withdraw_handover(principal: Principal, ask: SignHandover, desk: Desk) -> StepTaken | Refused:
    """Take back what was offered and not yet taken."""
    thing = _papers(desk).thing(desk, ask.id, HANDOVER)
    if thing is None:
        return NO_HANDOVER
    if thing.first.by != principal.id:
        return Refused("signature", f"{thing.first.by} offered this handover: only they can withdraw it")
    return await say_step(
        principal, desk, NextStep(STATES, HANDOVER, thing, "withdraw", {}, summary="handover withdrawn")
    )


def _kept(line: HandoverLine) -> dict[str, Any]:
    """A line as it is signed: what it says by its sentence, so that it prints in every language."""
    names = ("section", "id", "text", "act", "words", "details", "also", "promises", "notes")
    kept: dict[str, Any] = msgspec.to_builtins(line)
    return {name: kept[name] for name in names if kept[name]}


def _query(name: str, path: str, request: type, row: type, answer: Any, summary: str, *, one: bool = False) -> Query:
    return Query(
        name=name,
        path=path,
        request=request,
        row=row,
        role="viewer",
        answer=answer,
        one=one,
        blocking=True,
        summary=summary,
    )


def _command(name: str, path: str, request: type, act: Any, summary: str) -> Command:
    return Command(
        name=name,
        method="POST",
        path=path,
        request=request,
        answer=StepTaken,
        role="operator",
        act=act,
        summary=summary,
    )


feature = Feature(
    name="handover",
    views=(handover_view,),
    queries=(
        _query("handover", "/handover", AskHandover, HandoverLine, _handover, "What a shift leaves to the next, now"),
        _query("handovers", "/handovers", AskShifts, ShiftRow, _shifts, "Handovers, newest first"),
        _query(
            "handover_document",
            "/handovers/{id}/document",
            AskShift,
            ShiftDocument,
            _document,
            "A handover as text and PDF",
            one=True,
        ),
        _query("needs_handover", "/needs/handover", AskNeeds, NeedRow, _needs, "Handovers that wait to be taken"),
    ),
    commands=(
        _command("offer_handover", "/handovers", OfferHandover, offer_handover, "Sign what is handed over"),
        _command("take_handover", "/handovers/{id}/take", SignHandover, take_handover, "Sign that it was taken over"),
        _command(
            "withdraw_handover",
            "/handovers/{id}/withdraw",
            SignHandover,
            withdraw_handover,
            "Take back what was offered",
        ),
    ),
)

__all__ = ["feature"]
