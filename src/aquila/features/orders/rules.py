"""Rules of orders: an extract goes to each addressee as chat, receipts come back as answers, silence is noticed."""

from collections.abc import Iterator, Mapping

from aquila.core.model import Address, Alias, Arrival, Entry, Note, Paper, Receipt, Tick
from aquila.core.papers import Papers, Thing
from aquila.core.rule import Proposal, Rule
from aquila.core.view import View
from aquila.features.orders.order import Order
from aquila.features.orders.text import extract_of
from aquila.features.orders.view import (
    ANSWER,
    ANSWERED,
    ANSWERS,
    ORDER,
    OrderAnswer,
    answers_of,
    callsigns_of,
    order_in,
    orders_in,
)

MINUTE_MS = 60_000
REFERENCE = "aquila-order"
"""First word of the chat reference of an extract: aquila-order.<order>.<place of the addressee>."""


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
    for place, addressee in enumerate(order.distribution):
        if body.action == "remind" and ANSWER + addressee not in body.fields:
            continue
        unit = _unit(views, arrival, addressee)
        for callsign in callsigns_of(unit, addressee):
            text = extract_of(order, {addressee, callsign})
            note = Note(
                room=callsign,
                text=text if body.action == "issue" else f"REMINDER, please answer: {text}",
                happened_at_ms=body.happened_at_ms,
                author_name=arrival.envelope.author.partition(":")[2] or arrival.envelope.author,
                author_alias=Alias("aquila", arrival.envelope.author),
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
    if ANSWERS.after(answer.state, action) is None or not _is_phone_of(views, arrival, answer.addressee, body):
        return
    paper = Paper(
        type=ORDER,
        target=thing.id,
        action=action,
        happened_at_ms=body.happened_at_ms,
        fields={ANSWER + answer.addressee: {"said": action, "reason": ""}},
        seen=thing.heads(),
        summary=f"{answer.addressee}: {body.state} on its phone",
    )
    yield Proposal(paper, thing.first.label, key=f"{action} {thing.id} {answer.addressee}")


def notice_silence(arrival: Arrival, views: Mapping[str, View]) -> Iterator[Proposal]:
    """Remind who has not answered, then tell the post above; each once."""
    if not isinstance(arrival, Tick):
        return
    for thing in orders_in(views).watched():
        order = order_in(thing)
        if order is None:
            continue
        issued_ms = min((each.at_ms for each in thing.steps if each.action == "issue"), default=arrival.at_ms)
        for answer in answers_of(thing):
            step = _due_step(order, answer, arrival.at_ms - issued_ms)
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
        text = f"{text}: {order.escalate_to} must be told"
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


def _thing(views: Mapping[str, View], arrival: Entry, id: str) -> Thing | None:
    things = orders_in(views).all(arrival.envelope.context, ORDER)
    return next((thing for thing in things if thing.id == id), None)


def _unit(views: Mapping[str, View], arrival: Entry, id: str) -> Thing | None:
    view = views.get("orbat")
    if not isinstance(view, Papers):
        return None
    return next((thing for thing in view.all(arrival.envelope.context, "orbat.unit") if thing.id == id), None)


def _is_phone_of(views: Mapping[str, View], arrival: Entry, addressee: str, body: Receipt) -> bool:
    """Does the receipt come from the addressee? With no tracker bound, whoever was sent the extract may say so."""
    unit = _unit(views, arrival, addressee)
    trackers = () if unit is None else unit.get("trackers", ())
    uids = {str(each).partition(":")[2] for each in trackers}
    return not uids or body.by is None or body.by.value in uids


extract_rule = Rule("orders.extract", 1, extract)
receipt_rule = Rule("orders.receipt", 1, hear_receipt)
silence_rule = Rule("orders.silence", 1, notice_silence, hears=frozenset({"tick"}))
