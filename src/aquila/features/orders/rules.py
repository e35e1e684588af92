"""Rules of orders: an extract goes to each addressee as chat, receipts come back as answers, silence is noticed."""

import re
from collections.abc import Iterator, Mapping

import msgspec

from aquila.core.exercise_clock import exercise_clock
from aquila.core.model import Address, Alias, Arrival, Entry, Note, Paper, Receipt, Tick
from aquila.core.paper_work import state_of
from aquila.core.papers import Thing
from aquila.core.rule import Proposal, Rule
from aquila.core.speakers import TASK_CODE, callsigns_of, unit_in, why_not
from aquila.core.view import View
from aquila.features.orders.order import Order
from aquila.features.orders.overlay import overlay_of
from aquila.features.orders.text import extract_of, named
from aquila.features.orders.view import (
    ANSWER,
    ANSWERED,
    ANSWERS,
    ISSUED,
    ORDER,
    STATES,
    OrderAnswer,
    answers_of,
    effective_at,
    is_pending,
    is_unanswered,
    issued_at,
    order_in,
    orders_in,
)

MINUTE_MS = 60_000
REFERENCE = "aquila-order"
"""First word of the chat reference of an extract: aquila-order.<order>.<place of the addressee>."""

WORDS = {
    "ack": "acknowledge",
    "acknowledge": "acknowledge",
    "acknowledged": "acknowledge",
    "roger": "acknowledge",
    "wilco": "wilco",
    "cannot": "cannot_comply",
    "cantco": "cannot_comply",
    "unable": "cannot_comply",
}
"""First word of a chat line that answers an order."""
REPLY = re.compile(
    r"\s*(?P<word>acknowledged?|ack|roger|wilco|cannot comply|cantco|unable)\b[ :,.-]*(?P<rest>.{0,300})", re.I | re.S
)
ONCE = ("deliver", "read")
"""Steps that count once for an addressee; whoever answers may change its answer."""


def extract(arrival: Arrival, views: Mapping[str, View]) -> Iterator[Proposal]:
    """What concerns each addressee, as chat to its callsign: when the order is issued, and when it is silent."""
    body = arrival.body if isinstance(arrival, Entry) else None
    if not isinstance(arrival, Entry) or not isinstance(body, Paper) or body.type != ORDER:
        return
    if body.action not in ("issue", "remind"):
        return
    thing = _thing(views, arrival, body.target)
    order = None if thing is None else order_in(thing)
    if thing is None or order is None:
        return
    # The node notices the silence, but a phone shows who is to be answered.
    by = next((each.by for each in reversed(thing.steps) if each.action == "issue"), arrival.envelope.author)
    for place, addressee in enumerate(order.distribution):
        if body.action == "remind" and ANSWER + addressee not in body.fields:
            continue
        unit = unit_in(views, arrival.envelope.context, addressee)
        for callsign in callsigns_of(unit, addressee):
            text = extract_of(named(order, {addressee: callsign}), {callsign})
            note = Note(
                room=callsign,
                text=text if body.action == "issue" else f"REMINDER, please answer: {text}",
                happened_at_ms=body.happened_at_ms,
                author_name=by.partition(":")[2] or by,
                author_alias=Alias("aquila", by),
                reference=f"{REFERENCE}.{thing.id}.{place}",
                room_name=callsign,
                to=(Address("callsign", callsign),),
            )
            yield Proposal(note, arrival.envelope.label, key=f"{body.action} {arrival.envelope.id} {callsign}")


def hear_receipt(arrival: Arrival, views: Mapping[str, View]) -> Iterator[Proposal]:
    """A phone's receipt for an extract becomes the addressee's `deliver` or `read`."""
    body = arrival.body if isinstance(arrival, Entry) else None
    if not isinstance(arrival, Entry) or not isinstance(body, Receipt) or body.state == "pending":
        return
    first, _, rest = body.reference.partition(".")
    id, _, place = rest.rpartition(".")
    thing = _thing(views, arrival, id) if first == REFERENCE else None
    answers = () if thing is None else answers_of(thing)
    if thing is None or not place.isdecimal() or int(place) >= len(answers):
        return
    answer = answers[int(place)]
    action = "deliver" if body.state == "delivered" else "read"
    if ANSWERS.after(answer.state, action) is None:
        return
    why = _why_not(views, arrival, answer.addressee, body.by)
    if why:
        yield _doubt(arrival, thing, answer.addressee, body.by, why)
        return
    text = f"{answer.addressee}: {body.state} on its phone"
    yield _answer_paper(arrival, thing, answer.addressee, action, "", text)


def notice_silence(arrival: Arrival, views: Mapping[str, View]) -> Iterator[Proposal]:
    """Remind who has not answered, then tell the post above; each once."""
    if not isinstance(arrival, Tick):
        return
    for thing in orders_in(views).watched():
        order = order_in(thing)
        if order is None or not is_unanswered(thing):
            continue
        issued_ms = min((each.at_ms for each in thing.steps if each.action == "issue"), default=arrival.at_ms)
        clock = exercise_clock(views, thing.first.context, arrival.at_ms)
        for answer in answers_of(thing):
            step = _due_step(order, answer, clock.between_ms(issued_ms, arrival.at_ms))
            if step is not None:
                yield _noticed(thing, order, answer, step, arrival.at_ms)


def _due_step(order: Order, answer: OrderAnswer, silent_ms: int) -> str | None:
    if answer.state in ANSWERED:
        return None
    if answer.reminded_at_ms is None and silent_ms >= order.remind_after_min * MINUTE_MS:
        return "remind"
    if answer.escalated_at_ms is None and silent_ms >= order.escalate_after_min * MINUTE_MS:
        return "escalate"
    return None


def _noticed(thing: Thing, order: Order, answer: OrderAnswer, step: str, at_ms: int) -> Proposal:
    text = f"{answer.addressee} has not answered {order.kind} {order.number} {order.title}"
    if step == "escalate":
        text = f"{text}: {order.escalate_to.replace('_', ' ')} must be told"
    paper = Paper(
        type=ORDER,
        target=thing.id,
        action=step,
        happened_at_ms=at_ms,
        fields={ANSWER + answer.addressee: {"said": step, "reason": ""}},
        seen=thing.heads(),
        summary=text,
    )
    return Proposal(paper, thing.first.label, key=f"{step} {thing.id} {answer.addressee}", cause=thing.newest.entry)


def take_effect(arrival: Arrival, views: Mapping[str, View]) -> Iterator[Proposal]:
    """Say of a FRAGO that was issued ahead that its time has come; whatever follows from it follows from this line.

    The line says the time from which it holds, also when the node was down then. Of one order one at a time, the
    earliest first: what follows from the next has then seen what followed from this.
    """
    if not isinstance(arrival, Tick):
        return
    due = [
        (since_ms, thing.id, thing)
        for thing in orders_in(views).watched()
        if is_pending(thing) and (since_ms := effective_at(thing)) is not None and since_ms <= arrival.at_ms
    ]
    told: set[tuple[str, str]] = set()
    for since_ms, _, thing in sorted(due, key=lambda each: each[:2]):
        changes = (thing.first.context, str(thing.get("order_ref")))
        if changes not in told and _is_in_force(views, *changes):
            told.add(changes)
            yield _takes_effect(thing, since_ms)


def _is_in_force(views: Mapping[str, View], context: str, id: str) -> bool:
    things = orders_in(views).all(context, ORDER)
    return any(thing.id == id and state_of(STATES, thing) in ISSUED for thing in things)


def _takes_effect(thing: Thing, since_ms: int) -> Proposal:
    named = " ".join(str(each) for each in (thing.get("kind"), thing.get("number"), thing.get("title")) if each)
    paper = Paper(
        type=ORDER,
        target=thing.id,
        action="take_effect",
        happened_at_ms=since_ms,
        seen=thing.heads(),
        summary=f"{named} holds from now on",
    )
    return Proposal(paper, thing.first.label, key=f"take_effect {thing.id}", cause=thing.newest.entry)


def _thing(views: Mapping[str, View], arrival: Entry, id: str) -> Thing | None:
    things = orders_in(views).all(arrival.envelope.context, ORDER)
    return next((thing for thing in things if thing.id == id), None)


def draw_overlay(arrival: Arrival, views: Mapping[str, View]) -> Iterator[Proposal]:
    """The overlay goes to the addressees' phones when the order is issued, and off them when it no longer holds."""
    body = arrival.body if isinstance(arrival, Entry) else None
    if not isinstance(arrival, Entry) or not isinstance(body, Paper) or body.type != ORDER:
        return
    if body.action not in ("issue", "supersede", "cancel"):
        return
    thing = _thing(views, arrival, body.target)
    order = None if thing is None else order_in(thing)
    # What was never issued is on no phone.
    if thing is not None and order is not None and issued_at(thing) is not None:
        yield from overlay_of(arrival, thing, order, views, gone=body.action != "issue")


def hear_reply(arrival: Arrival, views: Mapping[str, View]) -> Iterator[Proposal]:
    """A chat line that answers an order ("WILCO", "cannot comply, bridge out") becomes the addressee's answer.

    Who may not answer, or says it without a reason, is told so on its phone.
    """
    body = arrival.body if isinstance(arrival, Entry) else None
    if not isinstance(arrival, Entry) or not isinstance(body, Note) or arrival.envelope.via.startswith("rule:"):
        return
    said = REPLY.match(body.text)
    if said is None or body.author_alias is None or body.author_name is None or TASK_CODE.match(said["rest"]):
        return
    action, rest = WORDS[said["word"].lower().split()[0]], said["rest"].strip()
    found = _answered(views, arrival, body, rest)
    if found is None:
        return
    thing, order, addressee, why_not_believed = found
    reason = rest.removeprefix(order.number).strip(" :,-") if order.number else rest
    if why_not_believed:
        yield _doubt(arrival, thing, addressee, body.author_alias, why_not_believed)
        yield _told(arrival, body, thing, f"Your {said['word'].upper()} does not count: {why_not_believed}.")
    elif action == "cannot_comply" and not reason:
        yield _told(arrival, body, thing, "Who cannot comply says why: answer CANNOT COMPLY and the reason.")
    else:
        reason = reason if action == "cannot_comply" else ""
        text = f"{addressee}: {action} by chat{' because ' + reason if reason else ''}"[:300]
        yield _answer_paper(arrival, thing, addressee, action, reason, text)


def _answered(views: Mapping[str, View], arrival: Entry, note: Note, rest: str) -> tuple[Thing, Order, str, str] | None:
    """The order that a reply is about, for which addressee, and why it is not believed ("" = it is). None = none.

    An order that the reply names by its number; else, in a line to somebody, the newest that the speaker has to answer.
    """
    watched = (thing for thing in orders_in(views).watched() if is_unanswered(thing))
    waiting = sorted(watched, key=lambda each: issued_at(each) or 0, reverse=True)
    known = [(thing, order) for thing in waiting if (order := order_in(thing)) is not None]
    named = [(thing, order) for thing, order in known if order.number and rest.split()[:1] == [order.number]]
    doubted: tuple[Thing, Order, str, str] | None = None
    for thing, order in named or (known if note.to else []):
        if thing.first.context != arrival.envelope.context:
            continue
        for answer in answers_of(thing):
            why = _why_not(views, arrival, answer.addressee, note.author_alias)
            if not why and answer.state != "wilco":
                return thing, order, answer.addressee, ""
            if why and named and doubted is None:
                doubted = (thing, order, answer.addressee, why)
    return doubted


def _why_not(views: Mapping[str, View], arrival: Entry, addressee: str, by: Alias | None) -> str:
    return why_not(views, arrival.envelope.context, addressee, by, arrival.envelope.received_at_ms)


def _answer_paper(arrival: Entry, thing: Thing, addressee: str, action: str, reason: str, summary: str) -> Proposal:
    paper = Paper(
        type=ORDER,
        target=thing.id,
        action=action,
        happened_at_ms=arrival.envelope.received_at_ms,
        fields={ANSWER + addressee: {"said": action, "reason": reason}},
        seen=thing.heads(),
        summary=summary,
    )
    key = f"{action} {thing.id} {addressee}"
    return Proposal(paper, thing.first.label, key=key if action in ONCE else f"{key} {arrival.envelope.id}")


def _doubt(arrival: Entry, thing: Thing, addressee: str, by: Alias | None, why: str) -> Proposal:
    """Each stranger is noticed once for each addressee."""
    proposal = _answer_paper(arrival, thing, addressee, "doubt", why, f"{addressee}: an answer is not believed, {why}")
    stranger = "" if by is None else by.value
    return msgspec.structs.replace(proposal, key=f"doubt {thing.id} {addressee} {stranger}")


def _told(arrival: Entry, heard: Note, thing: Thing, text: str) -> Proposal:
    """A sentence back to who spoke."""
    callsign = heard.author_name or ""
    note = Note(
        room=callsign,
        text=text,
        happened_at_ms=arrival.envelope.received_at_ms,
        author_name=thing.first.by.partition(":")[2] or thing.first.by,
        author_alias=Alias("aquila", thing.first.by),
        reference=f"aquila-told.{arrival.envelope.id}",
        room_name=callsign,
        to=(Address("callsign", callsign),),
    )
    return Proposal(note, arrival.envelope.label, key=f"told {arrival.envelope.id}")


extract_rule = Rule("orders.extract", 1, extract)
receipt_rule = Rule("orders.receipt", 1, hear_receipt)
reply_rule = Rule("orders.reply", 1, hear_reply)
overlay_rule = Rule("orders.overlay", 1, draw_overlay)
silence_rule = Rule("orders.silence", 1, notice_silence, hears=frozenset({"tick"}))
effect_rule = Rule("orders.effect", 1, take_effect, hears=frozenset({"tick"}))
