"""What exercise control does and sees: the run of the exercise, and its list of injects."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import msgspec

from aquila.core.errors import Refused
from aquila.core.exercise_clock import RUN, RUN_ID, STATES, RunNow, run_at, steps_of_run
from aquila.core.feature import Command, Desk, Labelled, Query, Reading, Saying
from aquila.core.model import LOG_ROOM, REAL, Label, Note, Paper, Principal, Verdict
from aquila.core.paper_rows import AskNeeds, NeedRow
from aquila.core.paper_work import (
    NextStep,
    NoFields,
    StepTaken,
    TakeStep,
    check_texts,
    edited,
    read_form,
    say_step,
    state_of,
    step_saying,
)
from aquila.core.papers import Papers, Thing
from aquila.core.policy import control_label, derive, label_for
from aquila.core.view import view_of
from aquila.features.exercise.inject import INJECT, Inject, Means
from aquila.features.exercise.inject import STATES as INJECT_STATES
from aquila.features.exercise.run import Pace, Pause

CONTROL = ("exercise_control",)
INJECTS_MAX = 2000
WRITTEN = ("chat", "mail", "paper")
"""Means by which the node itself brings an inject: a line of the journal. By the others people say or show it."""
NO_EXERCISE = Refused("context", "this node is real, no exercise: start one with an exercise's name (setting context)")
RUN_FORMS: Mapping[str, type[msgspec.Struct]] = {"pause": Pause, "resume": NoFields, "pace": Pace}


class AskRun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How it runs now."""


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """How the exercise runs. See RunNow; is_exercise: false = this is real, and nothing can be paused."""

    is_exercise: bool
    state: Literal["running", "paused"]
    pace: float
    exercise_ms: int
    since_ms: int | None
    by: str
    reason: str


class StepRun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pause, resume, or set the pace. fields: `reason` of a pause, `pace` of a pace."""

    action: Literal["pause", "resume", "pace"]
    fields: dict[str, Any] = {}


class AskInjects(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which. open_only: those that are not fired and not skipped."""

    open_only: bool = False
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 2000


class InjectRow(msgspec.Struct, frozen=True, kw_only=True):
    """An inject of the list.

    Attributes:
        fields: as `Inject`. wall_ms: when it is due on the wall, at the pace of now; None = no time, or the exercise
            stands still. left_ms: of the exercise's time, below 0 = its time is over; None = no time, or done.
        done_at_ms, done_by: of the firing or skipping; None and empty = not yet.
    """

    id: str
    state: str
    title: str
    text: str
    due_ms: int | None
    wall_ms: int | None
    left_ms: int | None
    by: str
    to: tuple[str, ...]
    means: Means
    expects: str
    plays: str
    players: tuple[str, ...]
    done_at_ms: int | None
    done_by: str
    actions: tuple[str, ...]
    heads: tuple[str, ...]
    label: Label


class NewInject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An inject for the list. groups: who may see it; empty = exercise control alone, in the policy's group for it."""

    inject: Inject
    groups: Annotated[tuple[Annotated[str, msgspec.Meta(max_length=100)], ...], msgspec.Meta(max_length=16)] = ()


def exercise_view() -> Papers:
    """A fresh view."""
    return Papers("exercise", 1, ("exercise.",))


def papers_of(reading: Reading) -> Papers:
    """The view of this node."""
    return view_of(reading.views, "exercise", Papers)


def run_of(reading: Reading) -> RunNow:
    """How the exercise runs now. Everybody may know that; who said so and why, only who may have the step."""
    steps = steps_of_run(reading.views, reading.context)
    run = run_at(steps, reading.now_ms())
    told = (step for step in steps if (step.by, str(step.fields.get("reason") or "")) == (run.by, run.reason))
    if any(reading.release(step.label, step.context).verdict is Verdict.FULL for step in told):
        return run
    return msgspec.structs.replace(run, by="", reason="")


async def step_run(principal: Principal, ask: StepRun, desk: Desk) -> StepTaken | Refused:
    """Pause, resume, or set the pace."""
    if desk.context == REAL:
        return NO_EXERCISE
    read = read_form(RUN_FORMS[ask.action], ask.fields, ask.action)
    if isinstance(read, Refused):
        return read
    # By the run as it is, also where the asker may not have the step that made it so: else whoever paused the exercise
    # in a group of his own would be the only one who could let it go on.
    refused = STATES.check(run_of(desk).state, ask.action)
    if refused is not None:
        return refused
    thing, fields = papers_of(desk).thing(desk, RUN_ID, RUN), msgspec.to_builtins(read)
    said = {"pause": "Exercise paused", "resume": "Exercise goes on", "pace": f"Exercise at pace {fields.get('pace')}"}
    reason = f": {fields['reason']}" if fields.get("reason") else ""
    text = f"{said[ask.action]}{reason}"[:200]
    seen = () if thing is None else thing.heads()
    paper = Paper(
        type=RUN,
        target=RUN_ID,
        action=ask.action,
        happened_at_ms=desk.now_ms(),
        fields=fields,
        seen=seen,
        summary=text,
    )
    entry = await desk.write(paper)
    if isinstance(entry, Refused):
        return entry
    return StepTaken(id=RUN_ID, entry=entry.envelope.id, state=run_of(desk).state)


async def plan_inject(principal: Principal, ask: NewInject, desk: Desk) -> StepTaken | Refused:
    """Put an inject on the list."""
    if desk.context == REAL:
        return NO_EXERCISE
    fields = msgspec.to_builtins(ask.inject)
    try:
        check_texts("inject", fields)
    except ValueError as wrong:
        return Refused("field", str(wrong))
    if sum(1 for _ in papers_of(desk).all(desk.context, INJECT)) >= INJECTS_MAX:
        return Refused("full", f"{INJECTS_MAX} injects are all that one exercise keeps: plan fewer")
    policy = desk.policy
    label = label_for(policy, principal, None, ask.groups) if ask.groups else control_label(policy, principal)
    if isinstance(label, Refused):
        return label
    summary = f"inject: {ask.inject.title}"[:200]
    said = step_saying(principal, desk, NextStep(INJECT_STATES, INJECT, None, "plan", fields, summary=summary))
    if isinstance(said, Refused):
        return said
    entry = await desk.write(said.body, label=label)
    if isinstance(entry, Refused):
        return entry
    assert isinstance(said.body, Paper)
    return StepTaken(id=said.body.target, entry=entry.envelope.id, state="planned")


async def step_inject(principal: Principal, ask: TakeStep, desk: Desk) -> StepTaken | Refused:
    """Fire, hold, release, change or skip an inject."""
    thing = papers_of(desk).thing(desk, ask.id, INJECT)
    if thing is None:
        return Refused("absent", "there is no such inject, or you may not see it: look into the list")
    if ask.action == "fire" and run_of(desk).state == "paused":
        return Refused("state", "the exercise is paused: resume it first, then fire")
    read: Any = (
        edited(Inject, thing, ask.fields) if ask.action == "edit" else read_form(NoFields, ask.fields, ask.action)
    )
    if isinstance(read, Refused):
        return read
    fields = ask.fields if ask.action == "edit" else {}
    text = f"inject {ask.action}: {thing.get('title', '')}"[:200]
    step = NextStep(
        INJECT_STATES,
        INJECT,
        thing,
        ask.action,
        fields,
        summary=text,
        seen=ask.seen,
        on_behalf_of=ask.on_behalf_of,
    )
    line = _played(principal, thing, desk) if ask.action == "fire" else None
    if isinstance(line, Refused):
        return line
    if line is None:
        return await say_step(principal, desk, step)
    said = step_saying(principal, desk, step)
    written = said if isinstance(said, Refused) else await desk.write_all((said, line))
    if isinstance(written, Refused):
        return written
    return StepTaken(id=thing.id, entry=written[0].envelope.id, state="fired")


def _played(principal: Principal, thing: Thing, desk: Desk) -> Saying | Refused | None:
    """The line in which the players read a fired inject that comes in writing; None = people or a simulator play it.

    It goes where whoever fires it may write, and nowhere else; where that is exercise control alone, it is refused. It
    is marked as the inject is, not as what whoever fires it says by default: but for its group, who may have the
    inject may have its line, and nobody else.
    """
    inject = inject_of(thing)
    if inject is None or inject.plays or inject.means not in WRITTEN:
        return None
    control = desk.policy.control_group
    planned = {*inject.players} or {*thing.first.label.groups} - {control} or principal.groups_in - {control}
    if not planned:
        players = ", ".join(desk.policy.default_label.groups)
        return Refused(
            "group",
            f"no player would read it, since you may write into {control} alone: have the owner of the node give you"
            f" the players' group, for instance {players}, or have somebody fire who has it",
        )
    into = ", ".join(sorted(planned))[:200]
    own = label_for(desk.policy, principal, None, planned)
    if isinstance(own, Refused):
        return Refused("group", f"the players of this inject are {into}: {own.detail}; name others, or let others fire")
    planned_as = derive(desk.policy, [step.label for step in thing.steps])
    label = msgspec.structs.replace(planned_as, groups=own.groups)
    who = " → ".join(filter(None, (inject.by, ", ".join(inject.to))))
    text = ": ".join(filter(None, (who, inject.text or inject.title)))
    return Saying(body=Note(room=LOG_ROOM, text=text, happened_at_ms=desk.now_ms()), label=label)


def _run(principal: Principal, ask: AskRun, reading: Reading) -> Iterator[Labelled]:
    run = run_of(reading)
    row = RunRow(
        is_exercise=reading.context != REAL,
        state=run.state,
        pace=run.pace,
        exercise_ms=run.exercise_ms,
        since_ms=run.since_ms,
        by=run.by,
        reason=run.reason,
    )
    yield Labelled(row, None, reading.context)


def _injects(principal: Principal, ask: AskInjects, reading: Reading) -> Iterator[Labelled]:
    run, now_ms = run_of(reading), reading.now_ms()
    for thing in papers_of(reading).things(reading, INJECT):
        row = inject_row(thing, run, now_ms)
        if row is not None and not (ask.open_only and row.done_at_ms is not None):
            yield Labelled(row, thing.first.label, thing.first.context)


def inject_of(thing: Thing) -> Inject | None:
    """What an inject says; None = this program cannot read it."""
    known = {name: value for name, value in thing.fields().items() if name in Inject.__struct_fields__}
    try:
        return msgspec.convert(known, Inject)
    except msgspec.ValidationError:
        return None


def inject_row(thing: Thing, run: RunNow, now_ms: int) -> InjectRow | None:
    """The row of an inject; None = this program cannot read it."""
    inject = inject_of(thing)
    if inject is None:
        return None
    state = state_of(INJECT_STATES, thing)
    done = next((step for step in thing.steps if step.action in ("fire", "skip")), None) if state in DONE else None
    is_timed = inject.due_ms is not None and done is None
    return InjectRow(
        id=thing.id,
        state=state,
        title=inject.title,
        text=inject.text,
        due_ms=inject.due_ms,
        wall_ms=run.wall_ms(inject.due_ms or 0, now_ms) if is_timed else None,
        left_ms=(inject.due_ms or 0) - run.exercise_ms if is_timed else None,
        by=inject.by,
        to=inject.to,
        means=inject.means,
        expects=inject.expects,
        plays=inject.plays,
        players=inject.players,
        done_at_ms=None if done is None else done.at_ms,
        done_by="" if done is None else done.by,
        actions=INJECT_STATES.allowed(state),
        heads=thing.heads(),
        label=thing.first.label,
    )


DONE = INJECT_STATES.last


def _needs(principal: Principal, ask: AskNeeds, reading: Reading) -> Iterator[Labelled]:
    """Injects whose time has come and which nobody has fired or held."""
    if not ask.wants(CONTROL):
        return
    run, now_ms = run_of(reading), reading.now_ms()
    for thing in papers_of(reading).things(reading, INJECT):
        row = inject_row(thing, run, now_ms)
        if row is None or row.state != "planned" or row.left_ms is None or row.left_ms > 0:
            continue
        need = NeedRow(
            feature="exercise",
            kind="inject",
            id=row.id,
            title=row.title,
            since_ms=row.wall_ms or now_ms,
            due_ms=row.wall_ms,
            is_overdue=True,
            roles=CONTROL,
            actions=("fire", "hold", "skip"),
            heads=row.heads,
        )
        yield Labelled(need, thing.first.label, thing.first.context)


QUERIES = (
    Query(
        name="exercise",
        path="/exercise",
        request=AskRun,
        row=RunRow,
        role="viewer",
        answer=_run,
        one=True,
        summary="How the exercise runs: its time, its pace, paused or not",
    ),
    Query(
        name="injects",
        path="/exercise/injects",
        request=AskInjects,
        row=InjectRow,
        role="viewer",
        answer=_injects,
        blocking=True,
        summary="The injects that the asker may see, with their times",
    ),
    Query(
        name="needs_exercise",
        path="/needs/exercise",
        request=AskNeeds,
        row=NeedRow,
        role="viewer",
        answer=_needs,
        blocking=True,
        summary="Injects whose time has come",
    ),
)
COMMANDS = (
    Command(
        name="step_exercise",
        method="POST",
        path="/exercise/steps",
        request=StepRun,
        answer=StepTaken,
        role="operator",
        act=step_run,
        summary="Pause or resume the exercise, or set its pace",
    ),
    Command(
        name="plan_inject",
        method="POST",
        path="/exercise/injects",
        request=NewInject,
        answer=StepTaken,
        role="operator",
        act=plan_inject,
        summary="Put an inject on the list",
    ),
    Command(
        name="step_inject",
        method="POST",
        path="/exercise/injects/{id}/steps",
        request=TakeStep,
        answer=StepTaken,
        role="operator",
        act=step_inject,
        summary="Fire, hold, release, change or skip an inject",
    ),
)

__all__ = ["COMMANDS", "QUERIES", "exercise_view"]
