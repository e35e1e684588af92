"""What can be done with lines: log one, take a step. No closing before somebody was told and has acknowledged."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk
from aquila.core.model import Principal
from aquila.core.paper_work import Line as Name
from aquila.core.paper_work import (
    NextStep,
    StepTaken,
    TakeStep,
    Time,
    WatchedPapers,
    check_texts,
    read_step,
    say_step,
    state_of,
    unknown_posts,
)
from aquila.core.papers import Thing
from aquila.core.view import view_of
from aquila.features.incidents.line import (
    LINE,
    STATES,
    Amend,
    Close,
    Decide,
    Done,
    DoThis,
    ForPost,
    IncidentLine,
    Other,
    Reason,
    Triage,
    deeds_of,
    post_rules,
    tellings_of,
)

NO_LINE = Refused("absent", "there is no such line, or you may not see it: look into the list of lines")
FORMS: Mapping[str, type[msgspec.Struct]] = {
    "triage": Triage,
    "decide": Decide,
    "act": DoThis,
    "done": Done,
    "amend": Amend,
    "tell": ForPost,
    "told": ForPost,
    "ack": ForPost,
    "link": Other,
    "merge": Other,
    "close": Close,
    "reopen": Reason,
}


class NewIncident(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line to be logged. happened_at_ms: None = now. on_behalf_of: id of the principal for whom it is said."""

    line: IncidentLine
    happened_at_ms: Time | None = None
    on_behalf_of: Annotated[Name, msgspec.Meta(min_length=1)] | None = None

    def __post_init__(self) -> None:
        for field in ("text", "sender", "cell"):
            check_texts(field, getattr(self.line, field))


async def log_line(principal: Principal, ask: NewIncident, desk: Desk) -> StepTaken | Refused:
    """Log a line; whom a key line goes to is told in the same entry."""
    line, rules, now_ms = ask.line, post_rules(), desk.now_ms()
    unknown = unknown_posts(line.tell)
    if unknown is not None:
        return Refused("post", unknown)
    fields = {**msgspec.to_builtins(line), "precedence": line.precedence, "via": line.via}
    fields["verification"] = line.verification
    fields.pop("tell", None)
    for role in dict.fromkeys((*(rules.key_tell if line.key else ()), *line.tell)):
        fields[f"tell.{role}"] = now_ms + rules.tell_within_ms[line.precedence]
    step = NextStep(
        STATES,
        LINE,
        None,
        "log",
        fields,
        summary=line.text.splitlines()[0][:200],
        at_ms=ask.happened_at_ms,
        on_behalf_of=ask.on_behalf_of,
        position=None if line.place is None else line.place.to_position(),
    )
    return await say_step(principal, desk, step)


async def step_line(principal: Principal, ask: TakeStep, desk: Desk) -> StepTaken | Refused:
    """Take a step about a line."""
    thing = line_of(desk, ask.id)
    if thing is None:
        return NO_LINE
    read = read_step(STATES, FORMS, thing, ask)
    if isinstance(read, Refused):
        return read
    if ask.action == "merge" and isinstance(read, Other):
        return await _merge(principal, desk, thing, read, ask)
    said = _SAY.get(ask.action, _plain)(desk, thing, read)
    if isinstance(said, Refused):
        return said
    place = getattr(read, "place", None)
    step = NextStep.asked(STATES, thing, ask, said)
    return await say_step(principal, desk, step if place is None else step._replace(position=place.to_position()))


def line_of(desk: Any, id: str) -> Thing | None:
    """One line as the asker may have it."""
    return view_of(desk.views, "incidents", WatchedPapers).thing(desk, id, LINE)


async def _merge(principal: Principal, desk: Desk, thing: Thing, read: Other, ask: TakeStep) -> StepTaken | Refused:
    """The thing goes into the other line. Both stay readable; the other says what it took in."""
    other = line_of(desk, read.other)
    if other is None or other.id == thing.id:
        return Refused("absent", "merge into another line that you may see: name its id as `other`")
    refused = STATES.check(state_of(STATES, other), "absorb")
    if refused is not None:
        return refused
    text = f"took in: {thing.first.summary}"[:200]
    fields: dict[str, Any] = {f"absorbed.{thing.id}": True}
    # Whoever has to be told of the one has to be told of both.
    known = {each.role for each in tellings_of(other)}
    for each in tellings_of(thing):
        if each.role not in known and each.ack_at_ms is None:
            fields[f"tell.{each.role}"] = each.due_ms
    taken = await say_step(principal, desk, NextStep(STATES, LINE, other, "absorb", fields, summary=text))
    if isinstance(taken, Refused):
        return taken
    step = NextStep(STATES, LINE, thing, "merge", {"merged_into": other.id}, summary="merged", seen=ask.seen)
    return await say_step(principal, desk, step)


Said = dict[str, Any] | Refused


def _plain(desk: Desk, thing: Thing, read: Any) -> Said:
    """The fields that were said."""
    values = {name: value for name, value in msgspec.structs.asdict(read).items() if value is not None}
    return {str(name): msgspec.to_builtins(value) for name, value in values.items()}


def _act(desk: Desk, thing: Thing, read: DoThis) -> Said:
    deed = desk.new_id()
    return {f"deed.{deed}": {"id": deed, **msgspec.to_builtins(read)}}


def _done(desk: Desk, thing: Thing, read: Done) -> Said:
    open_deeds = [deed.id for deed in deeds_of(thing) if deed.done_at_ms is None]
    if read.deed not in open_deeds:
        return Refused("deed", f"{read.deed} is no open action of this line: {', '.join(open_deeds)[:200] or 'none'}")
    return {f"done.{read.deed}": desk.now_ms()}


def _tell(desk: Desk, thing: Thing, read: ForPost) -> Said:
    unknown = unknown_posts((read.role,))
    if unknown is not None:
        return Refused("post", unknown)
    if any(each.role == read.role for each in tellings_of(thing)):
        return Refused("post", f"{read.role} is to be told already: say that it was told, or acknowledge")
    within_ms = post_rules().tell_within_ms[str(thing.get("precedence", "R"))]
    return {f"tell.{read.role}": desk.now_ms() + within_ms}


def _told(desk: Desk, thing: Thing, read: ForPost) -> Said:
    return {f"told.{read.role}": desk.now_ms(), **_asked(desk, thing, read)}


def _ack(desk: Desk, thing: Thing, read: ForPost) -> Said:
    if not any(each.role == read.role for each in tellings_of(thing)):
        roles = ", ".join(each.role for each in tellings_of(thing)) or "nobody yet"
        return Refused("post", f"{read.role} was not to be told of this line, but {roles}: tell it first")
    now_ms = desk.now_ms()
    told_ms = thing.get(f"told.{read.role}", now_ms)
    return {f"told.{read.role}": told_ms, f"ack.{read.role}": now_ms}


def _asked(desk: Desk, thing: Thing, read: ForPost) -> dict[str, Any]:
    """Somebody told a post that nobody had named: it is named now."""
    known = any(each.role == read.role for each in tellings_of(thing))
    return {} if known else {f"tell.{read.role}": desk.now_ms()}


def _link(desk: Desk, thing: Thing, read: Other) -> Said:
    return {"linked": [*dict.fromkeys((*thing.get("linked", ()), read.other))]}


def _close(desk: Desk, thing: Thing, read: Close) -> Said:
    tellings = tellings_of(thing)
    if not tellings:
        return Refused("told", "nobody was told of this line: tell a post and have it acknowledge, then close")
    waiting = [each.role for each in tellings if each.ack_at_ms is None]
    # A post that climbing asked stands in for those below it: one acknowledgement at the top answers for all.
    ladder = post_rules().ladder
    acked = [ladder.index(each.role) for each in tellings if each.ack_at_ms is not None and each.role in ladder]
    waiting = [role for role in waiting if role not in ladder or ladder.index(role) > max(acked, default=-1)]
    if waiting:
        return Refused("told", f"{', '.join(waiting)[:200]} did not acknowledge: have it do so, then close")
    open_deeds = [deed.what for deed in deeds_of(thing) if deed.done_at_ms is None]
    if open_deeds:
        return Refused("deed", f"still to be done: {'; '.join(open_deeds)[:200]}: say done first")
    return {"outcome": read.outcome}


_SAY: Mapping[str, Callable[[Desk, Thing, Any], Said]] = {
    "act": _act,
    "done": _done,
    "tell": _tell,
    "told": _told,
    "ack": _ack,
    "link": _link,
    "close": _close,
}

log_line_row = Command(
    name="log_line",
    method="POST",
    path="/incidents",
    request=NewIncident,
    answer=StepTaken,
    role="operator",
    act=log_line,
    summary="Log a line, with who must be told",
)
step_line_row = Command(
    name="step_line",
    method="POST",
    path="/incidents/{id}/steps",
    request=TakeStep,
    answer=StepTaken,
    role="operator",
    act=step_line,
    summary="Take a step about a line: triage, decide, act, tell, acknowledge, amend, merge, close",
)
