"""What can be done to orders: draft, edit, approve, issue, answer, supersede, import. The rest is refused, with why."""

from typing import Annotated, Any, Literal

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, Saying
from aquila.core.model import Address, Paper, Principal
from aquila.core.paper_work import (
    Id,
    Line,
    NextStep,
    Seen,
    StepTaken,
    check_texts,
    edited,
    say_step,
    state_of,
    step_saying,
)
from aquila.core.papers import Thing, saying_of
from aquila.core.policy import derive
from aquila.core.speakers import callsigns_of
from aquila.features.orders.c2sim import BYTES_MAX, from_c2sim
from aquila.features.orders.frago import DraftFrago, frago_of
from aquila.features.orders.order import Name, Order, wrong_in
from aquila.features.orders.view import (
    ANSWER,
    ANSWERS,
    ORDER,
    STATES,
    answers_of,
    order_of,
    speaks_for,
    units_known,
)

NO_ORDER = Refused("absent", "there is no such order, or you may not see it: look into the list of orders")


class NewOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order to be drafted."""

    order: Order


class EditOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields of a draft to be changed, as `Order` has them; null empties one.

    Attributes:
        seen: `heads` as the editor had them on screen; empty = as they are now.
    """

    id: Id
    fields: dict[str, Any]
    seen: Seen = ()


class StepOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step in the life of an order. by: for `supersede` the order that takes its place."""

    id: Id
    action: Literal["approve", "reopen", "issue", "supersede", "cancel"]
    by: Id | None = None
    reason: Line = ""
    seen: Seen = ()


class AnswerOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an addressee says to an order.

    Attributes:
        reason: why it cannot comply; must be given then.
        on_behalf: an operator writes down what the addressee said by radio or in person.
    """

    id: Id
    addressee: Name
    action: Literal["read", "acknowledge", "wilco", "cannot_comply"]
    reason: Line = ""
    on_behalf: bool = False


async def create_order(principal: Principal, ask: NewOrder, desk: Desk) -> StepTaken | Refused:
    """Draft an order."""
    refused = _wrong(desk, ask.order)
    if refused is not None:
        return refused
    fields = msgspec.to_builtins(ask.order)
    text = f"{ask.order.kind} {ask.order.number} {ask.order.title} drafted"
    said = step_saying(principal, desk, NextStep(STATES, ORDER, None, "create", fields, summary=text))
    base = _base_of(desk, ask.order)
    if base is not None and isinstance(said, Saying) and isinstance(said.body, Paper):
        # What changes an order repeats its words: under its marking, and by who may write to all who read it.
        said = saying_of(principal, desk, said.body, base)
    entry = said if isinstance(said, Refused) else await desk.write(said.body, label=said.label)
    if isinstance(entry, Refused):
        return entry
    assert isinstance(entry.body, Paper)
    return StepTaken(id=entry.body.target, entry=entry.envelope.id, state="draft")


def _base_of(desk: Desk, order: Order) -> Thing | None:
    """The order that this one changes; None = it changes none, or the asker may not see it."""
    found = None if order.order_ref is None else order_of(desk, order.order_ref)
    return None if found is None else found[0]


def _wrong_base(principal: Principal, desk: Desk, thing: Thing, order: Order) -> Refused | None:
    """Why a draft that is there may not change that order. Which order it changes can be set on the draft, too."""
    base = _base_of(desk, order)
    if base is None:
        return None
    label, own = base.first.label, thing.first.label
    if principal.kind != "node" and not set(label.groups) <= principal.groups_in:
        return Refused("group", "the order that it changes is marked for groups that you may not write into")
    # With itself, so that both say their readers nation by nation.
    if derive(desk.policy, [own, label]) != derive(desk.policy, [own, own]):
        return Refused("label", "the draft is marked for more readers than the order that it changes: change it there")
    return None


class ImportOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A C2SIM document, as text, to become a draft."""

    c2sim: Annotated[str, msgspec.Meta(min_length=1, max_length=BYTES_MAX)]


async def import_order(principal: Principal, ask: ImportOrder, desk: Desk) -> StepTaken | Refused:
    """Draft an order from C2SIM; one that carries anything out of scope is refused whole."""
    order = from_c2sim(ask.c2sim.encode())
    if isinstance(order, Refused):
        return order
    return await create_order(principal, NewOrder(order=order), desk)


async def edit_order(principal: Principal, ask: EditOrder, desk: Desk) -> StepTaken | Refused:
    """Change fields of a draft."""
    found = order_of(desk, ask.id)
    if found is None:
        return NO_ORDER
    thing, _ = found
    changed = edited(Order, thing, ask.fields)
    if isinstance(changed, Refused):
        return changed
    refused = _wrong(desk, changed) or _wrong_base(principal, desk, thing, changed)
    if refused is not None:
        return refused
    text = f"{changed.kind} {changed.number} {changed.title}: {', '.join(sorted(ask.fields))} changed"
    return await say_step(
        principal, desk, NextStep(STATES, ORDER, thing, "edit", ask.fields, summary=text, seen=ask.seen)
    )


async def draft_frago(principal: Principal, ask: DraftFrago, desk: Desk) -> StepTaken | Refused:
    """Draft a FRAGO, or add to one that is a draft still."""
    made = frago_of(desk, ask)
    if isinstance(made, Refused):
        return made
    thing, order = made
    if thing is None:
        return await create_order(principal, NewOrder(order=order), desk)
    whole = msgspec.to_builtins(order)
    fields = {name: whole.get(name) for name in ("changes", "title", "number", "effective_ms", "distribution")}
    return await edit_order(principal, EditOrder(id=thing.id, fields=fields, seen=ask.seen), desk)


async def step_order(principal: Principal, ask: StepOrder, desk: Desk) -> StepTaken | Refused:
    """Approve, issue, supersede or cancel."""
    found = order_of(desk, ask.id)
    if found is None:
        return NO_ORDER
    thing, order = found
    refused = None
    if ask.action in ("approve", "issue"):
        refused = _wrong(desk, order) or _wrong_base(principal, desk, thing, order)
    if refused is None and ask.action == "issue":
        refused = _wrong_issue(desk, order)
    if refused is None and ask.action == "supersede":
        refused = _wrong_successor(desk, thing, ask.by)
    if refused is not None:
        return refused
    fields: dict[str, Any] = {"superseded_by": ask.by} if ask.action == "supersede" else {}
    if ask.reason:
        fields["reason"] = ask.reason
    to = _addresses(desk, order) if ask.action == "issue" else ()
    text = f"{order.kind} {order.number} {order.title}: {ask.action}"
    return await say_step(
        principal, desk, NextStep(STATES, ORDER, thing, ask.action, fields, summary=text, seen=ask.seen, to=to)
    )


async def answer_order(principal: Principal, ask: AnswerOrder, desk: Desk) -> StepTaken | Refused:
    """Say for an addressee that it has read, understood, will or cannot comply."""
    found = order_of(desk, ask.id)
    if found is None:
        return NO_ORDER
    thing, order = found
    refused = STATES.check(state_of(STATES, thing), ask.action)
    if refused is not None:
        return refused
    answer = next((each for each in answers_of(thing) if each.addressee == ask.addressee), None)
    if answer is None:
        names = ", ".join(order.distribution)[:300]
        return Refused("addressee", f"{ask.addressee} is no addressee of this order: take one of {names}")
    refused = ANSWERS.check(answer.state, ask.action) or _wrong_speaker(principal, ask, desk)
    if refused is not None:
        return refused
    if ask.action == "cannot_comply" and not ask.reason.strip():
        return Refused("reason", "who cannot comply says why: give a reason")
    fields = {ANSWER + ask.addressee: {"said": ask.action, "reason": ask.reason}}
    text = f"{ask.addressee}: {ask.action}{' because ' + ask.reason if ask.reason else ''}"
    behalf = ask.addressee if ask.on_behalf else None
    return await say_step(
        principal, desk, NextStep(STATES, ORDER, thing, ask.action, fields, summary=text, on_behalf_of=behalf)
    )


def _wrong_speaker(principal: Principal, ask: AnswerOrder, desk: Desk) -> Refused | None:
    if ask.on_behalf:
        if {"operator", "admin"} & set(principal.roles):
            return None
        return Refused("role", "only an operator writes down what somebody else said: ask the watch")
    unit = units_known(desk).get(ask.addressee)
    if speaks_for(principal, unit, ask.addressee):
        return None
    return Refused(
        "person", f"{principal.name} is not {ask.addressee}: answer for yourself, or as an operator on_behalf of it"
    )


def _wrong(desk: Desk, order: Order) -> Refused | None:
    try:
        check_texts("order", msgspec.to_builtins(order))
    except ValueError as wrong:
        return Refused("text", str(wrong)[:300])
    refused = wrong_in(order)
    if refused is None and order.order_ref is not None:
        found = order_of(desk, order.order_ref)
        if found is None or found[1].kind == "FRAGO":
            return Refused("order", f"order_ref {order.order_ref} is no order that you may see: name the OPORD itself")
    return refused


def _wrong_issue(desk: Desk, order: Order) -> Refused | None:
    if not order.distribution:
        return Refused("addressee", "the order is to nobody: name units or callsigns in distribution")
    units = units_known(desk)
    unknown = [name for name in order.distribution if name not in units and _looks_like_id(name)]
    if unknown:
        return Refused("unit", f"there is no unit {', '.join(unknown)[:200]}: take one of the order of battle")
    if order.kind == "FRAGO":
        found = order_of(desk, order.order_ref or "")
        if found is None or state_of(STATES, found[0]) != "issued":
            return Refused("order", "the order that it changes is not in force: issue that first, or name another")
        if not order.changes:
            return Refused("order", "the FRAGO changes nothing: add changes, or cancel it")
    return None


def _looks_like_id(name: str) -> bool:
    """Ids are UUIDs; whatever else is a callsign."""
    return len(name) == 36 and name.count("-") == 4


def _wrong_successor(desk: Desk, thing: Thing, by: str | None) -> Refused | None:
    found = None if by is None or by == thing.id else order_of(desk, by)
    if found is None:
        return Refused("order", "say by which other order it is superseded: name it in `by`")
    return None


def _addresses(desk: Desk, order: Order) -> tuple[Address, ...]:
    units = units_known(desk)
    names = (callsign for name in order.distribution for callsign in callsigns_of(units.get(name), name))
    return tuple(Address("callsign", name) for name in dict.fromkeys(names))


def _row(name: str, path: str, request: type[Any], role: Any, act: Any, summary: str) -> Command:
    return Command(
        name=name, method="POST", path=path, request=request, answer=StepTaken, role=role, act=act, summary=summary
    )


COMMANDS = (
    _row("create_order", "/orders", NewOrder, "operator", create_order, "Draft an order"),
    _row("import_order", "/orders/import", ImportOrder, "operator", import_order, "Draft an order from C2SIM"),
    _row("edit_order", "/orders/{id}", EditOrder, "operator", edit_order, "Change fields of a draft order"),
    _row("draft_frago", "/orders/{id}/frago", DraftFrago, "operator", draft_frago, "Draft a FRAGO from what changes"),
    _row("step_order", "/orders/{id}/step", StepOrder, "operator", step_order, "Approve, issue, supersede or cancel"),
    _row("answer_order", "/orders/{id}/answer", AnswerOrder, "viewer", answer_order, "Answer as an addressee"),
)
