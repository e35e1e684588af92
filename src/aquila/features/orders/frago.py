"""Fragmentary orders: those that change an order, the order with them, and a draft made of what is to be different."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Reading
from aquila.core.paper_work import Id, Line, Seen, Time, state_of
from aquila.core.papers import Thing
from aquila.features.orders.in_force import Frago, InForce, apply_change, changes_between, in_force
from aquila.features.orders.order import ADDRESSEES_MAX, Order, OrderChange, read_order
from aquila.features.orders.view import ORDER, STATES, effective_at, ended_at, order_in, order_of, orders_in


class DraftFrago(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be different in an order in force; the changes are worked out from the order as it stands now.

    Attributes:
        id: of the order. fields: as `Order` has them, as they should read; null empties one.
        changes: single values, by path; `old` is filled in. frago: a draft to add them to; None = a new one.
        title: None = that of the order. effective_ms: from when it holds; None = when issued.
    """

    id: Id
    fields: dict[str, Any] = {}
    changes: Annotated[tuple[OrderChange, ...], msgspec.Meta(max_length=200)] = ()
    frago: Id | None = None
    title: Line | None = None
    number: Line | None = None
    effective_ms: Time | None = None
    seen: Seen = ()


def fragos_of(reading: Reading, id: str) -> Iterator[Frago]:
    """Fragmentary orders to this one that were issued and not taken back."""
    return (frago for frago in _ever_issued(reading, id) if frago.until_ms is None)


def _ever_issued(reading: Reading, id: str) -> Iterator[Frago]:
    for thing in orders_in(reading.views).things(reading, ORDER):
        order, since_ms = order_in(thing), effective_at(thing)
        if order is not None and order.order_ref == id and since_ms is not None:
            yield Frago(id=thing.id, effective_ms=since_ms, order=order, until_ms=ended_at(thing))


def in_force_at(reading: Reading, id: str, order: Order, at_ms: int) -> InForce:
    """The order with all changes that hold at this time; one that was taken back since is among them."""
    return in_force(order, _ever_issued(reading, id), at_ms)


def wanted_order(stands: Order, before: tuple[OrderChange, ...], ask: DraftFrago) -> Order | Refused:
    """The order as it should read: as it stands, with what the draft says already and what is asked now."""
    wanted = stands
    for change in (*before, *ask.changes):
        wanted, _, problem = apply_change(wanted, msgspec.structs.replace(change, old=None))
        if problem:
            return Refused("change", f"change {change.path}: {problem}")
    whole = {**msgspec.to_builtins(wanted), **ask.fields}
    try:
        return read_order({name: value for name, value in whole.items() if value is not None})
    except ValueError as wrong:
        return Refused("field", str(wrong)[:300])


def frago_of(reading: Reading, ask: DraftFrago) -> tuple[Thing | None, Order] | Refused:
    """The draft that is to be changed (None = a new one), and the fragmentary order that it becomes."""
    found = order_of(reading, ask.id)
    if found is None or found[1].kind == "FRAGO":
        return Refused("order", "a FRAGO changes an OPORD or WARNO: name that, not another FRAGO")
    base, order = found
    if state_of(STATES, base) != "issued":
        return Refused("order", "the order is not in force: edit the draft itself, or issue it first")
    draft = None if ask.frago is None else order_of(reading, ask.frago)
    if ask.frago is not None and (draft is None or draft[1].order_ref != ask.id):
        return Refused("order", f"{ask.frago} is no FRAGO to this order: leave it out to draft a new one")
    stands = in_force_at(reading, ask.id, order, reading.now_ms()).order
    wanted = wanted_order(stands, () if draft is None else draft[1].changes, ask)
    if isinstance(wanted, Refused):
        return wanted
    wanted = _told(stands, wanted)
    if len(wanted.distribution) > ADDRESSEES_MAX:
        return Refused("addressee", f"an order goes to at most {ADDRESSEES_MAX}: write a second order to the others")
    changes = changes_between(stands, wanted)
    if not changes:
        return Refused("change", "nothing would be different: change the order, then draft the FRAGO")
    if draft is not None:
        said = {"title": ask.title, "number": ask.number, "effective_ms": ask.effective_ms}
        told = {name: value for name, value in said.items() if value is not None}
        return draft[0], msgspec.structs.replace(draft[1], changes=changes, distribution=wanted.distribution, **told)
    number = (
        ask.number if ask.number is not None else f"{order.number}.{1 + sum(1 for _ in fragos_of(reading, ask.id))}"
    )
    return None, Order(
        kind="FRAGO",
        title=ask.title or order.title,
        number=number.strip("."),
        issuing_hq=order.issuing_hq,
        time_zone=order.time_zone,
        distribution=wanted.distribution,
        references=(f"{order.kind} {order.number} {order.title}".replace("  ", " "),),
        order_ref=ask.id,
        changes=changes,
        effective_ms=ask.effective_ms,
        remind_after_min=order.remind_after_min,
        escalate_after_min=order.escalate_after_min,
        escalate_to=order.escalate_to,
    )


def _told(stands: Order, wanted: Order) -> Order:
    """The order to those as well to whom it gives a task for the first time: else they would not hear of it."""
    had = {task.unit for task in stands.tasks} | set(wanted.distribution)
    newcomers = dict.fromkeys(task.unit for task in wanted.tasks if task.unit not in had)
    return msgspec.structs.replace(wanted, distribution=(*wanted.distribution, *newcomers))


def would_read(reading: Reading, frago: Order) -> Order | None:
    """The order that a FRAGO changes, as it would read with it now; None = it is no FRAGO, or its order is not seen."""
    found = order_of(reading, frago.order_ref or "")
    if frago.kind != "FRAGO" or found is None:
        return None
    stands = in_force_at(reading, found[0].id, found[1], reading.now_ms()).order
    for change in frago.changes:
        stands, _, _ = apply_change(stands, change)
    return stands
