"""The view of orders, their state table, and what each addressee has answered."""

from collections.abc import Iterable, Mapping

import msgspec

from aquila.core.feature import Reading
from aquila.core.model import Principal
from aquila.core.paper_work import WatchedPapers, state_of
from aquila.core.papers import Papers, Step, Thing
from aquila.core.speakers import callsigns_of
from aquila.core.states import Move, States
from aquila.core.view import View, view_of
from aquila.features.orders.order import Order, read_order

ORDER = "orders.order"
ANSWER = "to/"
"""Fields of a step about one addressee begin so: two addressees that answer at once do not speak about one field."""
ISSUED = ("issued",)
ENDS = ("supersede", "cancel")
STATES = States(
    "order",
    "none",
    (
        Move("create", ("none",), "draft", "operator"),
        Move("edit", ("draft",), None, "operator who may write to all who see it"),
        Move("approve", ("draft",), "approved", "operator"),
        Move("reopen", ("approved",), "draft", "operator"),
        Move("issue", ("approved",), "issued", "operator"),
        Move("deliver", ISSUED, None, "the addressee's phone, by its receipt"),
        Move("read", ISSUED, None, "the addressee or its phone"),
        Move("acknowledge", ISSUED, None, "the addressee, or an operator on its behalf"),
        Move("wilco", ISSUED, None, "the addressee, or an operator on its behalf"),
        Move("cannot_comply", ISSUED, None, "the addressee with a reason, or an operator on its behalf"),
        Move("remind", ISSUED, None, "the node, when an addressee is silent"),
        Move("escalate", ISSUED, None, "the node, when an addressee stays silent"),
        Move("doubt", ISSUED, None, "the node, when somebody else answers for an addressee"),
        Move("take_effect", ISSUED, None, "the node, when the time comes from which a FRAGO holds"),
        Move("supersede", ISSUED, "superseded", "operator"),
        Move("cancel", ("draft", "approved", "issued"), "cancelled", "operator"),
    ),
    ("superseded", "cancelled"),
)
ANSWERED = ("acknowledged", "wilco", "cannot_comply")
ANSWERS = States(
    "answer",
    "issued",
    (
        Move("deliver", ("issued",), "delivered", "phone receipt"),
        Move("read", ("issued", "delivered"), "read", "phone receipt, or the addressee"),
        Move("acknowledge", ("issued", "delivered", "read"), "acknowledged", "addressee"),
        Move("wilco", ("issued", "delivered", "read", "acknowledged", "cannot_comply"), "wilco", "addressee"),
        Move(
            "cannot_comply",
            ("issued", "delivered", "read", "acknowledged", "wilco"),
            "cannot_comply",
            "addressee, with a reason",
        ),
        Move("remind", ("issued", "delivered", "read"), None, "node"),
        Move("escalate", ("issued", "delivered", "read"), None, "node"),
        Move("doubt", ("issued", "delivered", "read", "acknowledged", "wilco", "cannot_comply"), None, "node"),
    ),
)


class OrderAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What one addressee has said. since_ms: of the state. reason: why it cannot comply.

    Attributes:
        doubt: what somebody else said for it, and was not believed; "" = nobody did.
    """

    addressee: str
    state: str
    since_ms: int
    by: str
    on_behalf_of: str | None
    reason: str
    reminded_at_ms: int | None
    escalated_at_ms: int | None
    doubt: str = ""


def is_unanswered(thing: Thing) -> bool:
    """Is it issued, and some addressee silent?"""
    return state_of(STATES, thing) == "issued" and any(each.state not in ANSWERED for each in answers_of(thing))


def is_pending(thing: Thing) -> bool:
    """Is it a FRAGO that was issued to hold from a later time on, and not said yet to hold?"""
    issued_ms, since_ms = issued_at(thing), effective_at(thing)
    if issued_ms is None or since_ms is None or since_ms <= issued_ms or thing.get("order_ref") is None:
        return False
    return state_of(STATES, thing) == "issued" and all(step.action != "take_effect" for step in thing.steps)


def is_watched(thing: Thing) -> bool:
    """Does it wait for an answer, or for its time?"""
    return is_unanswered(thing) or is_pending(thing)


def orders_view() -> WatchedPapers:
    """A fresh view."""
    return WatchedPapers("orders", 1, ("orders.",), is_watched)


def orders_in(views: Mapping[str, View]) -> WatchedPapers:
    """The view of this node."""
    return view_of(views, "orders", WatchedPapers)


def order_of(reading: Reading, id: str) -> tuple[Thing, Order] | None:
    """One order; None = there is none, or not for this asker, or it cannot be read."""
    thing = orders_in(reading.views).thing(reading, id, ORDER)
    order = None if thing is None else order_in(thing)
    return None if thing is None or order is None else (thing, order)


def order_in(thing: Thing) -> Order | None:
    """What the order says; None = two writers have made it unreadable together."""
    try:
        return read_order(thing.fields())
    except ValueError:
        return None


def issued_at(thing: Thing) -> int | None:
    """When it was issued; None = it was not."""
    return next((step.at_ms for step in thing.steps if step.action == "issue"), None)


def effective_at(thing: Thing) -> int | None:
    """From when it holds, not before it is issued; None = it was not issued."""
    issued_ms = issued_at(thing)
    return None if issued_ms is None else max(issued_ms, thing.get("effective_ms") or issued_ms)


def ended_at(thing: Thing) -> int | None:
    """When it was superseded or cancelled; None = it was not."""
    return next((step.at_ms for step in thing.steps if step.action in ENDS), None)


def answers_of(thing: Thing) -> tuple[OrderAnswer, ...]:
    """What each addressee has said, in order of the distribution; nothing before the order is issued."""
    start_ms = issued_at(thing)
    if start_ms is None:
        return ()
    issue = next(step for step in thing.steps if step.action == "issue")
    told = [step for step in thing.steps if any(name.startswith(ANSWER) for name in step.fields)]
    return tuple(
        _answer(name, start_ms, issue.by, [step for step in told if ANSWER + name in step.fields])
        for name in dict.fromkeys(thing.get("distribution", ()))
    )


def _answer(addressee: str, start_ms: int, by: str, steps: Iterable[Step]) -> OrderAnswer:
    found = OrderAnswer(
        addressee=addressee,
        state=ANSWERS.first,
        since_ms=start_ms,
        by=by,
        on_behalf_of=None,
        reason="",
        reminded_at_ms=None,
        escalated_at_ms=None,
    )
    for step in steps:
        goes = ANSWERS.after(found.state, step.action)
        if goes is None:
            continue
        if step.action == "remind":
            found = msgspec.structs.replace(found, reminded_at_ms=step.at_ms)
        elif step.action == "escalate":
            found = msgspec.structs.replace(found, escalated_at_ms=step.at_ms)
        elif step.action == "doubt":
            found = msgspec.structs.replace(found, doubt=_reason(step.fields[ANSWER + addressee]))
        else:
            reason = _reason(step.fields[ANSWER + addressee])
            found = msgspec.structs.replace(
                found, state=goes, since_ms=step.at_ms, by=step.by, on_behalf_of=step.on_behalf_of, reason=reason
            )
    return found


def _reason(said: object) -> str:
    return str(said.get("reason", "")) if isinstance(said, Mapping) else ""


def units_known(reading: Reading) -> dict[str, Thing]:
    """Units of the order of battle that the asker may see; none when the node has no order of battle."""
    view = reading.views.get("orbat")
    if not isinstance(view, Papers):
        return {}
    things = view.things(reading, "orbat.unit")
    return {thing.id: thing for thing in things if all(step.action != "remove" for step in thing.steps)}


def speaks_for(principal: Principal, unit: Thing | None, addressee: str) -> bool:
    """Is this person or device the addressee: by its name, a callsign of its unit, or a tracker that it carries?"""
    trackers = () if unit is None else unit.get("trackers", ())
    names = {addressee, *callsigns_of(unit, addressee), *(str(each).rpartition(":")[2] for each in trackers)}
    return bool({principal.name, principal.id, principal.id.partition(":")[2]} & names)
