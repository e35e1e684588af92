"""Tasks on the air: a task that is no order's goes to its addressee as chat, and the addressee answers by chat.

Each task has a short code there ("T-7F3A"), so that an answer is about one task and never about an order. Tasks of an
order travel in its extract and are answered with it; that they begin and end is said with the order's own number of
the task ("EXECUTING T1").
"""

import re
from collections.abc import Iterator, Mapping

from aquila.core.dtg import dtg
from aquila.core.model import Address, Alias, Arrival, Context, Entry, Note, Paper, Receipt
from aquila.core.paper_work import state_of
from aquila.core.papers import Thing
from aquila.core.rule import Proposal, Rule
from aquila.core.speakers import TASK_CODE, callsigns_of, task_code, unit_in, why_not
from aquila.core.task_verbs import GUARDED, GUARDED_VERBS, VERBS, purpose_said
from aquila.core.view import View
from aquila.features.tasks.task import Task, TaskCondition
from aquila.features.tasks.view import OPEN, STATES, STEP_SAID, TASK, task_in, tasks_in

REFERENCE = "aquila-task."
"""The chat reference of a task begins so; its id follows."""
TEXT_MAX = 1800
"""Characters of a chat line that phones take whole."""
WORDS = {
    "acknowledge": "acknowledge",
    "acknowledged": "acknowledge",
    "ack": "acknowledge",
    "roger": "acknowledge",
    "wilco": "wilco",
    "cannot comply": "cannot_comply",
    "cantco": "cannot_comply",
    "unable": "cannot_comply",
    "executing": "execute",
    "under way": "execute",
    "done": "done_ok",
    "not done": "done_not_ok",
}
REPLY = re.compile(
    rf"\s*(?P<word>{'|'.join(sorted(WORDS, key=len, reverse=True))})[ :,.-]+"
    rf"(?P<code>{TASK_CODE.pattern}|[A-Z]{{1,3}}[0-9]{{1,3}}\b)[ :,.-]*(?P<why>.{{0,300}})",
    re.I | re.S,
)
PROGRESS = ("execute", "done_ok", "done_not_ok")
"""All that is said of a task of an order: its answer is the answer to the order."""
REASONED = ("cannot_comply", "done_not_ok")


def tell(arrival: Arrival, views: Mapping[str, View]) -> Iterator[Proposal]:
    """A task of no order that is issued, or given to another unit, goes to whoever has it; who had it is told so.

    Under the label of the task.
    """
    body = arrival.body if isinstance(arrival, Entry) else None
    if not isinstance(arrival, Entry) or not isinstance(body, Paper) or body.type != TASK:
        return
    if body.action not in ("issue", "reassign"):
        return
    thing = _thing(views, arrival.envelope.context, body.target)
    task = None if thing is None else task_in(thing)
    if thing is None or task is None or task.order is not None:
        return
    unit = unit_in(views, arrival.envelope.context, task.unit)
    for callsign in callsigns_of(unit, task.unit):
        note = _line(arrival, callsign, text_of(thing.id, task), f"{REFERENCE}{thing.id}")
        again = f" {arrival.envelope.id}" if body.action == "reassign" else ""
        yield Proposal(note, thing.first.label, key=f"tell {thing.id} {callsign}{again}")
    if body.action == "reassign":
        yield from _taken_from(arrival, thing, task, views)


def _taken_from(arrival: Entry, thing: Thing, task: Task, views: Mapping[str, View]) -> Iterator[Proposal]:
    """A line to those who had the task until now and have it no more."""
    steps = [step for step in thing.steps if step.entry != arrival.envelope.id]
    before = str(Thing(thing.id, steps).get("unit", "")) if steps else ""
    context = arrival.envelope.context
    have = set(callsigns_of(unit_in(views, context, task.unit), task.unit))
    for callsign in callsigns_of(unit_in(views, context, before), before) if before else ():
        if callsign not in have:
            text = f"TASK {task_code(thing.id)} is no longer yours: it was given to another unit."
            note = _line(arrival, callsign, text, f"aquila-told.{arrival.envelope.id}")
            yield Proposal(note, thing.first.label, key=f"taken {thing.id} {callsign} {arrival.envelope.id}")


def text_of(id: str, task: Task) -> str:
    """The task as its addressee reads it, with what to answer; at most TEXT_MAX."""
    code, span = task_code(id), [dtg(at_ms) for at_ms in (task.start_ms, task.end_ms) if at_ms is not None]
    lines = [f"TASK {code} {task.title or VERBS.get(task.verb, task.verb)}"]
    lines += [f"Note: {GUARDED}."] if task.verb in GUARDED_VERBS else []
    lines += [each for each in (task.text, task.purpose and f"In order to {purpose_said(task.purpose)}.") if each]
    lines += [" to ".join(span)] if span else []
    lines += [_watched(each) for each in task.conditions]
    text = "\n".join(lines)
    end = f"\nAnswer: WILCO {code}, or CANNOT COMPLY {code} and why; later EXECUTING {code}, DONE {code}."
    return text[: TEXT_MAX - len(end)] + end


def _watched(condition: TaskCondition) -> str:
    area = condition.area.name if condition.area is not None else ""
    by = dtg(condition.by_ms) if condition.by_ms is not None else ""
    return {
        "reach": f"Reach {area} by {by}.",
        "stay_out": f"Stay out of {area}.",
        "observe": f"Observe {area} for {condition.minutes} min.",
        "report": f"Report every {condition.minutes} min.",
        "keep_within": f"Keep within {condition.within_m or 0:.0f} m of {condition.entity}.",
    }[condition.kind]


def hear_receipt(arrival: Arrival, views: Mapping[str, View]) -> Iterator[Proposal]:
    """A phone's receipt for a task becomes `deliver` or `read`."""
    body = arrival.body if isinstance(arrival, Entry) else None
    if not isinstance(arrival, Entry) or not isinstance(body, Receipt) or not body.reference.startswith(REFERENCE):
        return
    thing = _thing(views, arrival.envelope.context, body.reference.removeprefix(REFERENCE))
    action = {"delivered": "deliver", "read": "read"}.get(body.state)
    if thing is not None and action is not None and not _why_not(views, arrival, thing, body.by):
        yield from _step(arrival, thing, action, "")


def hear_reply(arrival: Arrival, views: Mapping[str, View]) -> Iterator[Proposal]:
    """A chat line of the addressee that names its task becomes a step; what does not count is told to the speaker."""
    body = arrival.body if isinstance(arrival, Entry) else None
    if not isinstance(arrival, Entry) or not isinstance(body, Note) or arrival.envelope.via.startswith("rule:"):
        return
    said = REPLY.match(body.text)
    if said is None or body.author_alias is None or body.author_name is None:
        return
    action, code, why = WORDS[said["word"].lower()], said["code"].upper(), said["why"].strip()
    called = [each for each in _open(views, arrival.envelope.context) if _is_meant(each, action, code)]
    mine = [each for each in called if not _why_not(views, arrival, each, body.author_alias)]
    if not called:
        return
    if not mine:
        text = f"Your {said['word'].upper()} does not count: {_why_not(views, arrival, called[0], body.author_alias)}."
    elif action in REASONED and not why:
        text = f"{said['word'].upper()} {code} needs a reason: say it again and why."
    else:
        yield from _step(arrival, mine[-1], action, why if action in REASONED else "")
        return
    note = _line(arrival, body.author_name, text, f"aquila-told.{arrival.envelope.id}")
    yield Proposal(note, arrival.envelope.label, key=f"told {arrival.envelope.id}")


def _is_meant(thing: Thing, action: str, code: str) -> bool:
    """By its code, or a task of an order by the order's number for it: that one only for how it goes."""
    if thing.get("order") is None:
        return task_code(thing.id) == code
    return action in PROGRESS and str(thing.get("order_task", "")).upper() == code


def _open(views: Mapping[str, View], context: Context) -> list[Thing]:
    return [each for each in tasks_in(views).all(context, TASK) if state_of(STATES, each) in OPEN]


def _thing(views: Mapping[str, View], context: Context, id: str) -> Thing | None:
    return next((thing for thing in tasks_in(views).all(context, TASK) if thing.id == id), None)


def _why_not(views: Mapping[str, View], arrival: Entry, thing: Thing, by: Alias | None) -> str:
    envelope = arrival.envelope
    return why_not(views, envelope.context, str(thing.get("unit")), by, envelope.received_at_ms)


def _step(arrival: Entry, thing: Thing, action: str, reason: str) -> Iterator[Proposal]:
    """What the table does not allow now (a second receipt, an answer to a closed task) is passed over."""
    if STATES.after(state_of(STATES, thing), action) is None:
        return
    why = f" because {reason}" if reason else ""
    name = thing.get("title") or thing.get("verb")
    paper = Paper(
        type=TASK,
        target=thing.id,
        action=action,
        happened_at_ms=arrival.envelope.received_at_ms,
        fields={"reason": reason} if reason else {},
        seen=thing.heads(),
        summary=f"task {name}: {STEP_SAID[action]}{why}, says its addressee's device"[:300],
    )
    yield Proposal(paper, thing.first.label, key=f"{action} {thing.id} {arrival.envelope.id}")


def _line(arrival: Entry, callsign: str, text: str, reference: str) -> Note:
    return Note(
        room=callsign,
        text=text,
        happened_at_ms=arrival.envelope.received_at_ms,
        author_name=arrival.envelope.author.partition(":")[2] or arrival.envelope.author,
        author_alias=Alias("aquila", arrival.envelope.author),
        reference=reference,
        room_name=callsign,
        to=(Address("callsign", callsign),),
    )


tell_rule = Rule("tasks.tell", 1, tell)
receipt_rule = Rule("tasks.receipt", 1, hear_receipt)
reply_rule = Rule("tasks.reply", 1, hear_reply)
RULES = (tell_rule, receipt_rule, reply_rule)
