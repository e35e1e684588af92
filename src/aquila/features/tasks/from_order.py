"""Tasks of an order: made when it is issued, changed when a FRAGO to it is issued, answered as the order is answered.

Read from the papers of orders, as these write them; a task of an order has an id made of both, so a second node makes
the same one.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from aquila.core.feature import Reading
from aquila.core.ids import derived_id
from aquila.core.model import Arrival, Entry, Paper
from aquila.core.paper_work import state_of
from aquila.core.papers import Papers, Thing
from aquila.core.rule import Proposal, Rule
from aquila.core.task_verbs import VERBS
from aquila.core.view import View
from aquila.features.tasks.task import TaskArea, TaskCondition, read_task, wrong_in
from aquila.features.tasks.view import STATES, TASK, tasks_in

ORDER = "orders.order"
ADDRESSEE = "to/"
"""Fields of an order's step about one addressee begin so."""
ANSWERS = ("deliver", "read", "acknowledge", "wilco", "cannot_comply")
ENDS = ("supersede", "cancel")
IN_AREA = ("reach", "stay_out", "observe")
RULE, VERSION = "tasks.from_order", 1
COPIED = ("unit", "verb", "text", "purpose", "priority", "start_ms", "end_ms", "phase")


def task_id(order: str, task: str) -> str:
    """The id of a task of an order."""
    return derived_id(RULE, VERSION, f"task {order} {task}")


def follow_order(arrival: Arrival, views: Mapping[str, View]) -> Iterator[Proposal]:
    """Steps about tasks that follow from a step about an order."""
    body = arrival.body if isinstance(arrival, Entry) else None
    orders = views.get("orders")
    if not isinstance(arrival, Entry) or not isinstance(body, Paper) or body.type != ORDER:
        return
    if not isinstance(orders, Papers) or body.action not in ("issue", *ENDS, *ANSWERS):
        return
    things = {thing.id: thing for thing in orders.all(arrival.envelope.context, ORDER)}
    order = things.get(body.target)
    if order is None:
        return
    base = order.get("order_ref") or order.id
    if body.action == "issue" and base == order.id:
        for said in order.get("tasks", ()):
            yield from _issued(arrival, base, said, order.get("graphics", ()))
    elif body.action == "issue" and base in things:
        fragos = [each for each in things.values() if each.get("order_ref") == base and _issued_stamp(each) is not None]
        yield from _changed(arrival, views, things[base], sorted(fragos, key=_issued_stamp))
    elif body.action in ENDS and base == order.id:
        for thing in _tasks(views, arrival, base):
            yield from _step(arrival, thing, body.action, {})
    elif body.action in ANSWERS:
        named = [name.removeprefix(ADDRESSEE) for name in body.fields if name.startswith(ADDRESSEE)]
        yield from _answered(arrival, views, base, body, named)


def _issued_stamp(order: Thing) -> Any:
    return next((step.stamp for step in order.steps if step.action == "issue"), None)


def _tasks(views: Mapping[str, View], arrival: Entry, order: str) -> list[Thing]:
    return [thing for thing in tasks_in(views).all(arrival.envelope.context, TASK) if thing.get("order") == order]


def _issued(arrival: Entry, order: str, said: Mapping[str, Any], graphics: Iterable[Any]) -> Iterator[Proposal]:
    fields = fields_of(order, said, graphics)
    id = task_id(order, str(said.get("id", "")))
    title = str(fields["title"])
    key = f"create {id} {arrival.envelope.id}"
    for action, brings, seen in (
        ("create", fields, ()),
        ("issue", {}, (derived_id(RULE, VERSION, key),)),
    ):
        paper = Paper(
            type=TASK,
            target=id,
            action=action,
            happened_at_ms=arrival.envelope.received_at_ms,
            fields=brings,
            seen=seen,
            summary=f"task {title} for {fields['unit']}: {action}",
        )
        yield Proposal(paper, arrival.envelope.label, key=f"{action} {id} {arrival.envelope.id}")


def fields_of(order: str, said: Mapping[str, Any], graphics: Iterable[Any]) -> dict[str, Any]:
    """The fields of a task as the order says it. What cannot be watched is left out; the order's own check says why."""
    fields: dict[str, Any] = {name: said[name] for name in COPIED if said.get(name) is not None}
    verb = str(said.get("verb", ""))
    fields |= {
        "order": order,
        "order_task": said.get("id", ""),
        "title": f"{said.get('id', '')} {VERBS.get(verb, verb)}"[:200],
    }
    area = next((each for each in graphics if each.get("id") == said.get("area")), None)
    conditions = [_condition(watch, said, area) for watch in said.get("watch", ())]
    fields["conditions"] = msgspec.to_builtins(conditions)
    try:
        is_whole = wrong_in(read_task(fields)) is None
    except ValueError:
        is_whole = False
    return fields if is_whole else {**fields, "conditions": []}


def _condition(watch: Mapping[str, Any], said: Mapping[str, Any], area: Mapping[str, Any] | None) -> TaskCondition:
    kind = watch["kind"]
    is_placed = area is not None and kind in IN_AREA
    return TaskCondition(
        kind=kind,
        area=None
        if not is_placed or area is None
        else TaskArea(
            name=str(area.get("name", "")),
            points=tuple((lat, lon) for lat, lon in area["points"]),
            radius_m=area.get("radius_m"),
        ),
        by_ms=said.get("end_ms") if kind == "reach" else None,
        minutes=watch.get("minutes"),
        within_m=watch.get("within_m"),
        entity=str(watch.get("entity", "")),
    )


def _changed(arrival: Entry, views: Mapping[str, View], base: Thing, fragos: list[Thing]) -> Iterator[Proposal]:
    """Tasks that the newest of these FRAGOs adds, changes or takes away; what it does not speak of stays as it is."""
    tasks, areas = _parts("tasks", base, fragos), list(_parts("graphics", base, fragos).values())
    before, areas_before = _parts("tasks", base, fragos[:-1]), list(_parts("graphics", base, fragos[:-1]).values())
    known = {str(thing.get("order_task")): thing for thing in _tasks(views, arrival, base.id)}
    for name, said in tasks.items():
        if name not in known:
            yield from _issued(arrival, base.id, said, areas)
            continue
        now, was = fields_of(base.id, said, areas), fields_of(base.id, before.get(name, {}), areas_before)
        fields = {field: now.get(field) for field in (*now, *was) if now.get(field) != was.get(field)}
        yield from _step(arrival, known[name], "edit", fields)
    for name in known.keys() - tasks.keys():
        yield from _step(arrival, known[name], "cancel", {})


def _parts(part: str, base: Thing, fragos: Iterable[Thing]) -> dict[str, dict[str, Any]]:
    """Tasks or graphics of the order by their ids, with what these FRAGOs say of them, the oldest first."""
    found: dict[str, dict[str, Any]] = {str(each["id"]): dict(each) for each in base.get(part, ())}
    for change in (change for frago in fragos for change in frago.get("changes", ())):
        first, *rest = str(change.get("path", "")).split(".")
        if first != part or not rest:
            continue
        new = change.get("new")
        if len(rest) == 1 and new is None:
            found.pop(rest[0], None)
        elif len(rest) == 1:
            found[rest[0]] = dict(new)
        elif rest[0] in found:
            _put(found[rest[0]], rest[1:], new)
    return found


def _put(fields: dict[str, Any], path: list[str], new: Any) -> None:
    *way, last = path
    for name in way:
        inner = fields.get(name)
        fields[name] = dict(inner) if isinstance(inner, Mapping) else {}
        fields = fields[name]
    fields[last] = new


def _answered(
    arrival: Entry, views: Mapping[str, View], order: str, body: Paper, named: list[str]
) -> Iterator[Proposal]:
    for thing in _tasks(views, arrival, order):
        if thing.get("unit") in named:
            said = body.fields.get(f"{ADDRESSEE}{thing.get('unit')}")
            reason = said.get("reason", "") if isinstance(said, Mapping) else ""
            yield from _step(arrival, thing, body.action, {"reason": reason} if reason else {})


def _step(arrival: Entry, thing: Thing, action: str, fields: Mapping[str, Any]) -> Iterator[Proposal]:
    if STATES.after(state_of(STATES, thing), action) is None or (action == "edit" and not fields):
        return
    paper = Paper(
        type=TASK,
        target=thing.id,
        action=action,
        happened_at_ms=arrival.envelope.received_at_ms,
        fields=fields,
        seen=thing.heads(),
        summary=f"task {thing.get('title') or thing.get('verb')}: {action}, as its order says",
    )
    yield Proposal(paper, arrival.envelope.label, key=f"{action} {thing.id} {arrival.envelope.id}")


class TaskProposal(msgspec.Struct, frozen=True):
    """Times that a FRAGO that is a draft still would give a task; None = as it is."""

    frago: str
    times: dict[str, int | None]


def proposals_of(reading: Reading) -> dict[tuple[str, str], TaskProposal]:
    """By (order, task of the order): what drafts would move, the newest draft last."""
    orders = reading.views.get("orders")
    found: dict[tuple[str, str], TaskProposal] = {}
    for thing in orders.things(reading, ORDER) if isinstance(orders, Papers) else ():
        if thing.get("kind") != "FRAGO" or any(step.action in ("issue", *ENDS) for step in thing.steps):
            continue
        for change in thing.get("changes", ()):
            parts = str(change.get("path", "")).split(".")
            if len(parts) == 3 and parts[0] == "tasks" and parts[2] in ("start_ms", "end_ms"):
                key = (str(thing.get("order_ref")), parts[1])
                times = found[key].times if key in found and found[key].frago == thing.id else {}
                found[key] = TaskProposal(thing.id, {**times, parts[2]: change.get("new")})
    return found


order_rule = Rule(RULE, VERSION, follow_order)
