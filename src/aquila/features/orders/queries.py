"""What can be asked of orders: the list, one with its answers, the order in force at a time, the diff, a file."""

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec

from aquila.core.exercise_clock import exercise_clock
from aquila.core.feature import Labelled, Query, Reading
from aquila.core.model import Label, Principal
from aquila.core.paper_rows import AskNeeds, ConflictRow, NeedRow, StepRow, conflict_rows, steps_of
from aquila.core.paper_work import Id, Time, state_of
from aquila.core.papers import Thing
from aquila.core.tongue import InLanguage, Tongue
from aquila.features.orders.files import OrderFile, file_of
from aquila.features.orders.frago import fragos_of, in_force_at, would_read
from aquila.features.orders.in_force import AppliedChange, DiffPart, changes_between, parts_of, readable
from aquila.features.orders.order import Order
from aquila.features.orders.text import named, with_base_named
from aquila.features.orders.view import (
    ANSWERED,
    ISSUED,
    ORDER,
    STATES,
    OrderAnswer,
    answers_of,
    issued_at,
    order_in,
    order_of,
    orders_in,
    speaks_for,
    units_known,
)

MINUTE_MS = 60_000
MANUAL = ("edit", "approve", "reopen", "issue", "supersede", "cancel", "acknowledge", "wilco", "cannot_comply")
"""Steps that a person takes; the others are the node's."""


class AskOrders(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which orders. state: None = all."""

    state: Literal["draft", "approved", "issued", "superseded", "cancelled"] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000


class AskOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which order."""

    id: Id


class AskInForce(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which order, and when. at_ms: None = now. since_ms: for the diff, None = as it was issued."""

    id: Id
    at_ms: Time | None = None
    since_ms: Time | None = None


class AskFile(InLanguage, frozen=True, kw_only=True):
    """Which order, in which format. in_force: with the changes that hold at at_ms; None = now."""

    id: Id
    format: Literal["text", "pdf", "docx", "c2sim"] = "text"
    in_force: bool = False
    at_ms: Time | None = None


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list of orders, newest last.

    Attributes:
        version: how often the text was said: 1 = as drafted. silent: addressees that have not answered.
        actions: steps a person may take now. heads: to be sent as `seen`.
    """

    id: str
    kind: str
    number: str
    title: str
    state: str
    version: int
    order_ref: str | None
    issued_at_ms: int | None
    effective_ms: int | None
    addressees: int
    silent: int
    cannot_comply: int
    conflicts: int
    changed_at_ms: int
    changed_by: str
    age_ms: int
    actions: tuple[str, ...]
    heads: tuple[str, ...]
    label: Label


class DiffLine(msgspec.Struct, frozen=True, kw_only=True):
    """One difference. text: as people read it; parts: word by word. fragos: which speak about the path."""

    path: str
    text: str
    parts: tuple[DiffPart, ...]
    fragos: tuple[str, ...]


class OrderDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One order with its addressees and its life. Newest step first.

    Attributes:
        diff: of a FRAGO what it changes; of any other order what FRAGOs in force have changed until now.
        would_read: of a FRAGO that is no longer to be changed None, else the order as it would read with it.
        mine: addressees that the asker is itself. unit_names: of all units that the order names by id.
    """

    id: str
    state: str
    version: int
    order: Order
    answers: tuple[OrderAnswer, ...]
    mine: tuple[str, ...]
    unit_names: dict[str, str]
    diff: tuple[DiffLine, ...]
    would_read: Order | None
    fragos: tuple[str, ...]
    superseded_by: str | None
    actions: tuple[str, ...]
    heads: tuple[str, ...]
    label: Label
    conflicts: tuple[ConflictRow, ...]
    steps: tuple[StepRow, ...]


class InForceRow(msgspec.Struct, frozen=True, kw_only=True):
    """The order as it holds at a time. is_in_force: False = not issued yet, or no longer in force by then."""

    id: str
    at_ms: int
    is_in_force: bool
    order: Order
    applied: tuple[AppliedChange, ...]


class DiffRow(msgspec.Struct, frozen=True, kw_only=True):
    """What has changed in an order between two times."""

    id: str
    lines: tuple[DiffLine, ...]
    problems: tuple[AppliedChange, ...]


def version_of(thing: Thing) -> int:
    """How often its text was said."""
    return sum(step.action in ("create", "edit") for step in thing.steps)


def _orders(principal: Principal, ask: AskOrders, reading: Reading) -> Iterator[Labelled]:
    for thing in orders_in(reading.views).things(reading, ORDER):
        order, state = order_in(thing), state_of(STATES, thing)
        if order is None or ask.state not in (None, state):
            continue
        answers = answers_of(thing)
        row = OrderRow(
            id=thing.id,
            kind=order.kind,
            number=order.number,
            title=order.title,
            state=state,
            version=version_of(thing),
            order_ref=order.order_ref,
            issued_at_ms=issued_at(thing),
            effective_ms=order.effective_ms,
            addressees=len(order.distribution),
            silent=sum(each.state not in ANSWERED for each in answers),
            cannot_comply=sum(each.state == "cannot_comply" for each in answers),
            conflicts=len(thing.conflicts()),
            changed_at_ms=thing.newest.at_ms,
            changed_by=thing.newest.by,
            age_ms=max(0, reading.now_ms() - thing.newest.at_ms),
            actions=_actions(state),
            heads=thing.heads(),
            label=thing.first.label,
        )
        yield Labelled(row, thing.first.label, thing.first.context)


def _actions(state: str) -> tuple[str, ...]:
    return tuple(action for action in STATES.allowed(state) if action in MANUAL)


def _order(principal: Principal, ask: AskOrder, reading: Reading) -> Iterator[Labelled]:
    found = order_of(reading, ask.id)
    if found is None:
        return
    thing, order = found
    state = state_of(STATES, thing)
    row = OrderDetail(
        id=thing.id,
        state=state,
        version=version_of(thing),
        order=order,
        answers=answers_of(thing),
        mine=_mine(principal, reading, order),
        unit_names={id: str(unit.get("short") or unit.get("name")) for id, unit in units_known(reading).items()},
        diff=_frago_lines(thing, order) if order.kind == "FRAGO" else _lines(reading, thing, order, reading.now_ms()),
        would_read=would_read(reading, order) if state == "draft" else None,
        fragos=tuple(each.id for each in fragos_of(reading, thing.id)),
        superseded_by=thing.get("superseded_by"),
        actions=_actions(state),
        heads=thing.heads(),
        label=thing.first.label,
        conflicts=conflict_rows(thing),
        steps=steps_of(thing),
    )
    yield Labelled(row, thing.first.label, thing.first.context)


def _mine(principal: Principal, reading: Reading, order: Order) -> tuple[str, ...]:
    units = units_known(reading)
    return tuple(name for name in order.distribution if speaks_for(principal, units.get(name), name))


def _frago_lines(thing: Thing, order: Order) -> tuple[DiffLine, ...]:
    tongue = Tongue("en")
    return tuple(
        DiffLine(path=change.path, text=readable(change, tongue), parts=parts_of(change, tongue), fragos=(thing.id,))
        for change in order.changes
    )


def _in_force(principal: Principal, ask: AskInForce, reading: Reading) -> Iterator[Labelled]:
    found = order_of(reading, ask.id)
    if found is None:
        return
    thing, order = found
    at_ms = reading.now_ms() if ask.at_ms is None else ask.at_ms
    then = thing.at(at_ms)
    stands = in_force_at(reading, thing.id, order, at_ms)
    row = InForceRow(
        id=thing.id,
        at_ms=at_ms,
        is_in_force=then is not None and state_of(STATES, then) in ISSUED,
        order=stands.order,
        applied=stands.applied,
    )
    yield Labelled(row, thing.first.label, thing.first.context)


def _diff(principal: Principal, ask: AskInForce, reading: Reading) -> Iterator[Labelled]:
    found = order_of(reading, ask.id)
    if found is None:
        return
    thing, order = found
    at_ms = reading.now_ms() if ask.at_ms is None else ask.at_ms
    applied = in_force_at(reading, thing.id, order, at_ms).applied
    lines = _lines(reading, thing, order, at_ms, ask.since_ms)
    row = DiffRow(id=thing.id, lines=lines, problems=tuple(each for each in applied if each.problem))
    yield Labelled(row, thing.first.label, thing.first.context)


def _lines(
    reading: Reading, thing: Thing, order: Order, at_ms: int, since_ms: int | None = None
) -> tuple[DiffLine, ...]:
    """What is different at a time, from how it was at another; since None = as it was issued."""
    after = in_force_at(reading, thing.id, order, at_ms)
    before = order if since_ms is None else in_force_at(reading, thing.id, order, since_ms).order
    tongue = Tongue("en")
    return tuple(
        DiffLine(
            path=change.path,
            text=readable(change, tongue),
            parts=parts_of(change, tongue),
            fragos=tuple(
                dict.fromkeys(
                    each.frago
                    for each in after.applied
                    if each.path.startswith(change.path) or change.path.startswith(each.path)
                )
            ),
        )
        for change in changes_between(before, after.order)
    )


def _file(principal: Principal, ask: AskFile, reading: Reading) -> Iterator[Labelled]:
    found = order_of(reading, ask.id)
    if found is None:
        return
    thing, order = found
    then_ms = reading.now_ms() if ask.at_ms is None else ask.at_ms
    said = in_force_at(reading, thing.id, order, then_ms).order if ask.in_force else order
    at_ms = issued_at(thing) or reading.now_ms()
    tongue = Tongue(ask.language)
    if ask.format != "c2sim":
        # People read names; another program finds the unit by its id.
        called = {id: str(unit.get("short") or unit.get("name")) for id, unit in units_known(reading).items()}
        base = order_of(reading, said.order_ref or "")
        told, version = (None, 0) if base is None else (base[1], version_of(base[0]))
        said = with_base_named(named(said, called), told, version, tongue)
    yield Labelled(file_of(thing.id, said, ask.format, at_ms, tongue), thing.first.label, thing.first.context)


def _needs(principal: Principal, ask: AskNeeds, reading: Reading) -> Iterator[Labelled]:
    for thing in orders_in(reading.views).things(reading, ORDER):
        order = order_in(thing)
        for need in () if order is None else _needs_of(principal, thing, order, reading):
            if ask.wants(need.roles):
                yield Labelled(need, thing.first.label, thing.first.context)


def _needs_of(principal: Principal, thing: Thing, order: Order, reading: Reading) -> Iterator[NeedRow]:
    state, now_ms = state_of(STATES, thing), reading.now_ms()
    named = f"{order.kind} {order.number} {order.title}".replace("  ", " ")
    units = units_known(reading)

    def need(kind: str, title: str, since_ms: int, due_ms: int | None, roles: tuple[str, ...]) -> NeedRow:
        """roles: empty = it waits for the asker, who speaks for the addressee."""
        return NeedRow(
            feature="orders",
            kind=kind,
            id=thing.id,
            title=title[:300],
            since_ms=since_ms,
            due_ms=due_ms,
            is_overdue=due_ms is not None and due_ms <= now_ms,
            roles=roles,
            waits_for="posts" if roles else "you",
            actions=_actions(state),
            heads=thing.heads(),
            precedence="P",
        )

    if state == "draft":
        yield need("approve", named, thing.newest.at_ms, None, ("chief_of_operations",))
    elif state == "approved":
        yield need("issue", named, thing.newest.at_ms, None, ("watch_officer",))
    issued_ms = issued_at(thing)
    for answer in answers_of(thing) if state == "issued" and issued_ms is not None else ():
        unit = units.get(answer.addressee)
        called = answer.addressee if unit is None else str(unit.get("short") or unit.get("name"))
        if answer.state not in ANSWERED:
            clock = exercise_clock(reading.views, reading.context, now_ms)
            due_ms = clock.put_off_ms((issued_ms or 0) + order.escalate_after_min * MINUTE_MS, issued_ms or 0)
            if speaks_for(principal, unit, answer.addressee):
                yield need("answer", named, answer.since_ms, due_ms, ())
            elif answer.reminded_at_ms is not None:
                escalated = answer.escalated_at_ms is not None
                roles = ("watch_officer", order.escalate_to) if escalated else ("watch_officer",)
                yield need("silent", f"{called}: {named}", issued_ms or 0, due_ms, roles)
        elif answer.state == "cannot_comply" and not _is_answered_by_frago(reading, thing.id, answer):
            title = f"{called}: {named}: {answer.reason}"
            yield need("cannot_comply", title, answer.since_ms, None, ("chief_of_operations",))


def _is_answered_by_frago(reading: Reading, id: str, answer: OrderAnswer) -> bool:
    """Has the order been changed for the addressee since it said that it cannot comply?"""
    return any(
        each.effective_ms >= answer.since_ms and answer.addressee in each.order.distribution
        for each in fragos_of(reading, id)
    )


orders = Query(
    name="orders",
    path="/orders",
    request=AskOrders,
    row=OrderRow,
    role="viewer",
    answer=_orders,
    blocking=True,
    summary="Orders with their states and who has not answered",
)
order = Query(
    name="order",
    path="/orders/{id}",
    request=AskOrder,
    row=OrderDetail,
    role="viewer",
    answer=_order,
    one=True,
    summary="One order, its addressees and its life",
)
order_in_force = Query(
    name="order_in_force",
    path="/orders/{id}/in-force",
    request=AskInForce,
    row=InForceRow,
    role="viewer",
    answer=_in_force,
    one=True,
    summary="The order as it holds at a time, fragmentary orders applied",
)
order_diff = Query(
    name="order_diff",
    path="/orders/{id}/diff",
    request=AskInForce,
    row=DiffRow,
    role="viewer",
    answer=_diff,
    one=True,
    summary="What fragmentary orders have changed, as people read it",
)
order_file = Query(
    name="order_file",
    path="/orders/{id}/file",
    request=AskFile,
    row=OrderFile,
    role="viewer",
    answer=_file,
    one=True,
    blocking=True,
    slow=True,
    summary="The order as text, PDF, DOCX or C2SIM, its fixed words in the language that is asked for",
)
needs_orders = Query(
    name="needs_orders",
    path="/needs/orders",
    request=AskNeeds,
    row=NeedRow,
    role="viewer",
    answer=_needs,
    blocking=True,
    summary="Orders that wait for approval, issue, an answer or a decision",
)
QUERIES = (orders, order, order_in_force, order_diff, order_file, needs_orders)
