"""Tasks of an order: made when it is issued, changed when a FRAGO to it takes effect, answered as the order is.

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
from aquila.features.tasks.view import STATES, STEP_SAID, TASK, tasks_in

ORDER = "orders.order"
ADDRESSEE = "to/"
"""Fields of an order's step about one addressee begin so."""
ANSWERS = ("deliver", "read", "acknowledge", "wilco", "cannot_comply")
BEGINS = ("issue", "take_effect")
ENDS = ("supersede", "cancel")
GONE = ("superseded", "cancelled")
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
    if not isinstance(orders, Papers) or body.action not in (*BEGINS, *ENDS, *ANSWERS):
        return
    things = {thing.id: thing for thing in orders.all(arrival.envelope.context, ORDER)}
    order = things.get(body.target)
    if order is None:
        return
    base = order.get("order_ref") or order.id
    if body.action in ANSWERS:
        named = [name.removeprefix(ADDRESSEE) for name in body.fields if name.startswith(ADDRESSEE)]
        yield from _answered(arrival, views, base, body, named)
    elif base != order.id:
        if base in things and _stands(things[base]):
            fragos = [each for each in things.values() if each.get("order_ref") == base]
            before = [_before(arrival, each) if each.id == order.id else each for each in fragos]
            yield from _changed(arrival, views, things[base], before, fragos)
    elif body.action == "issue":
        for said in order.get("tasks", ()):
            yield from _issued(arrival, base, said, order.get("graphics", ()))
    elif body.action in ENDS:
        for thing in _tasks(views, arrival, base):
            yield from _step(arrival, thing, body.action, {})


def _issued_ms(order: Thing) -> int | None:
    return next((step.at_ms for step in order.steps if step.action == "issue"), None)


def _stands(order: Thing) -> bool:
    """Was it issued, and not taken back?"""
    return _issued_ms(order) is not None and all(step.action not in ENDS for step in order.steps)


def _holds_from_ms(frago: Thing) -> int | None:
    """From when a FRAGO holds; None = not yet, or no more.

    One that was issued to hold later holds when its order says so (`take_effect`), whatever the clock shows here: then
    each change of it is followed once and in its place, and the clock is asked nowhere.
    """
    issued_ms = _issued_ms(frago)
    if issued_ms is None or not _stands(frago):
        return None
    from_ms = max(issued_ms, frago.get("effective_ms") or issued_ms)
    is_ahead = from_ms > issued_ms and all(step.action != "take_effect" for step in frago.steps)
    return None if is_ahead else from_ms


def _holding(fragos: Iterable[Thing | None]) -> list[Thing]:
    """Those that hold, in the order in which they are applied."""
    found = ((from_ms, each) for each in fragos if each is not None and (from_ms := _holds_from_ms(each)) is not None)
    return [each for _, each in sorted(found, key=lambda one: (one[0], one[1].id))]


def _is_out(task: Thing) -> bool:
    """Does its addressee have it, so that another would have to answer anew?"""
    return STATES.after(state_of(STATES, task), "reassign") is not None


def _before(arrival: Entry, thing: Thing) -> Thing | None:
    """The thing as it was before a step; None = that was its first."""
    steps = [step for step in thing.steps if step.entry != arrival.envelope.id]
    return Thing(thing.id, steps) if steps else None


def _tasks(views: Mapping[str, View], arrival: Entry, order: str) -> list[Thing]:
    return [thing for thing in tasks_in(views).all(arrival.envelope.context, TASK) if thing.get("order") == order]


def _issued(
    arrival: Entry, order: str, said: Mapping[str, Any], graphics: Iterable[Any], *, is_again: bool = False
) -> Iterator[Proposal]:
    """A task of an order, made and issued. is_again: it was taken away before, and a closed task is not opened."""
    fields = fields_of(order, said, graphics)
    name = str(said.get("id", ""))
    id = task_id(order, f"{name} again {arrival.envelope.id}" if is_again else name)
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
            happened_at_ms=arrival.envelope.happened_at_ms,
            fields=brings,
            seen=seen,
            summary=f"task {title} for {fields['unit']}: {STEP_SAID[action]}",
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


def _changed(
    arrival: Entry, views: Mapping[str, View], base: Thing, before: Iterable[Thing | None], after: Iterable[Thing]
) -> Iterator[Proposal]:
    """Tasks added, changed or taken away by FRAGOs that hold now and did not, or did and no longer do.

    What they do not speak of stays as it is, also where somebody has changed it on the board.
    """
    was, now = _holding(before), _holding(after)
    tasks, areas = _parts("tasks", base, now), list(_parts("graphics", base, now).values())
    tasks_before, areas_before = _parts("tasks", base, was), list(_parts("graphics", base, was).values())
    made = [(str(thing.get("order_task")), thing) for thing in _tasks(views, arrival, base.id)]
    open_now = {name: thing for name, thing in made if state_of(STATES, thing) not in GONE}
    names = {name for name, _ in made}
    for name, said in tasks.items():
        thing = open_now.get(name)
        if thing is None:
            if name not in tasks_before or name not in names:
                given = _issued(arrival, base.id, said, areas, is_again=name in names)
                yield from _with_answer(arrival, now, str(said.get("unit", "")), given)
            continue
        new = fields_of(base.id, said, areas)
        old = fields_of(base.id, tasks_before.get(name, {}), areas_before)
        fields = {field: new.get(field) for field in (*new, *old) if new.get(field) != old.get(field)}
        wanted = {field: value for field, value in fields.items() if thing.get(field) != value}
        if "unit" in wanted and _is_out(thing):
            given = _step(arrival, thing, "reassign", wanted)
            yield from _with_answer(arrival, now, str(wanted["unit"]), given)
        else:
            yield from _step(arrival, thing, "edit", wanted)
    for name in tasks_before:
        if name not in tasks and name in open_now:
            yield from _step(arrival, open_now[name], "cancel", {})


def _with_answer(arrival: Entry, fragos: Iterable[Thing], unit: str, given: Iterable[Proposal]) -> Iterator[Proposal]:
    """What gives a unit a task, then what the unit has answered the FRAGO already, before that took effect."""
    last: Proposal | None = None
    for last in given:
        yield last
    body = arrival.body
    steps = (step for each in fragos if isinstance(body, Paper) and each.id == body.target for step in each.steps)
    said = [step for step in steps if step.action in ANSWERS and ADDRESSEE + unit in step.fields]
    if last is None or not said or not isinstance(last.body, Paper):
        return
    answer = said[-1].fields[ADDRESSEE + unit]
    reason = answer.get("reason", "") if isinstance(answer, Mapping) else ""
    paper = Paper(
        type=TASK,
        target=last.body.target,
        action=said[-1].action,
        happened_at_ms=arrival.envelope.happened_at_ms,
        fields={"reason": reason} if reason else {},
        seen=(derived_id(RULE, VERSION, last.key),),
        summary=f"{unit} has answered its FRAGO: {said[-1].action}",
    )
    yield Proposal(paper, arrival.envelope.label, key=f"{paper.action} {paper.target} {arrival.envelope.id}")


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
        happened_at_ms=arrival.envelope.happened_at_ms,
        fields=fields,
        seen=thing.heads(),
        summary=f"task {thing.get('title') or thing.get('verb')}: {STEP_SAID[action]}, as its order says",
    )
    yield Proposal(paper, arrival.envelope.label, key=f"{action} {thing.id} {arrival.envelope.id}")


class TaskProposal(msgspec.Struct, frozen=True):
    """What a FRAGO that does not hold yet would give a task.

    Attributes:
        times: only those that change; None = on order. unit: None = as it is.
        from_ms: from when, for one that is issued; None = it is a draft still.
    """

    frago: str
    from_ms: int | None
    times: dict[str, int | None] = {}
    unit: str | None = None


def proposals_of(reading: Reading) -> dict[tuple[str, str], TaskProposal]:
    """By (order, task of the order): what FRAGOs that do not hold yet would move; of several the newest."""
    orders = reading.views.get("orders")
    found: dict[tuple[str, str], TaskProposal] = {}
    for thing in orders.things(reading, ORDER) if isinstance(orders, Papers) else ():
        is_over = _holds_from_ms(thing) is not None or any(step.action in ENDS for step in thing.steps)
        if thing.get("kind") != "FRAGO" or is_over:
            continue
        from_ms = None if _issued_ms(thing) is None else thing.get("effective_ms")
        for change in thing.get("changes", ()):
            parts = str(change.get("path", "")).split(".")
            if len(parts) != 3 or parts[0] != "tasks" or parts[2] not in ("start_ms", "end_ms", "unit"):
                continue
            key, new = (str(thing.get("order_ref")), parts[1]), change.get("new")
            known = found.get(key)
            said = TaskProposal(thing.id, from_ms) if known is None or known.frago != thing.id else known
            if parts[2] == "unit":
                found[key] = msgspec.structs.replace(said, unit=new)
            else:
                found[key] = msgspec.structs.replace(said, times={**said.times, parts[2]: new})
    return found


order_rule = Rule(RULE, VERSION, follow_order)
