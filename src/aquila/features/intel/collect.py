"""The collection plan: who looks for which indicator of which question, when, and who is silent.

A line of the plan is a question of the board, an indicator that would answer it, and a source: a unit, a sensor or a
person by the callsign or identity under which it is heard. (AJP-2.1: intelligence requirements and collection plan.)
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec

from aquila.core.errors import Refused
from aquila.core.exercise_clock import WALL, ExerciseClock, exercise_clock
from aquila.core.feature import Command, Desk, Labelled, Query, Reading
from aquila.core.model import Label, Principal, Verdict
from aquila.core.moves import Moves
from aquila.core.paper_rows import AskNeeds, NeedRow
from aquila.core.paper_work import (
    Id,
    Line,
    NextStep,
    Said,
    StepTaken,
    TakeStep,
    Text,
    Time,
    check_texts,
    read_step,
    say_step,
    state_of,
)
from aquila.core.papers import Papers, Thing
from aquila.core.states import Move, States
from aquila.core.view import view_of
from aquila.features.intel.grade import seen_entry
from aquila.features.intel.subject import Because
from aquila.features.intel.view import intel_of

COLLECT = "intel.collect"
COLLECT_STATES = States(
    "line of the plan",
    "none",
    (
        Move("plan", ("none",), "open", "operator"),
        Move("edit", ("open",), None, "operator who may write to all who see it"),
        Move("answer", ("open",), "answered", "the same, with sources"),
        Move("drop", ("open",), "dropped", "the same"),
        Move("reopen", ("answered", "dropped"), "open", "the same"),
    ),
)
Standing = Literal["waiting", "collecting", "silent", "over", "answered", "dropped"]


class Collection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line. question: id on the board. every_min: the source is silent when it is not heard for so long."""

    question: Id
    indicator: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    source: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    from_ms: Time
    until_ms: Time
    every_min: Annotated[int, msgspec.Meta(ge=1, le=10_080)] = 60
    remarks: Text = ""

    def __post_init__(self) -> None:
        check_texts("collection", [self.indicator, self.source, self.remarks])
        if self.until_ms <= self.from_ms:
            raise ValueError(f"until {self.until_ms} is not after {self.from_ms}: name a later end")


class PlanCollection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new line of the plan."""

    collection: Collection


class Found(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was found; by these entries."""

    answer: Said
    sources: Annotated[tuple[Id, ...], msgspec.Meta(min_length=1, max_length=50)]


class AskPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All lines. open_only: those that are neither answered nor dropped."""

    open_only: bool = False
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000


class CollectionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the plan as it stands now.

    Attributes:
        question_text: "" = the asker may not see the question.
        heard_at_ms: when its source was heard last; None = never.
        from_ms, until_ms: on the wall, put off by the pauses of an exercise since they were planned.
    """

    id: str
    question: str
    question_text: str
    indicator: str
    source: Line
    from_ms: int
    until_ms: int
    every_min: int
    remarks: str
    standing: Standing
    heard_at_ms: int | None
    answer: str
    sources: tuple[str, ...]
    actions: tuple[str, ...]
    heads: tuple[str, ...]
    label: Label


def standing_of(
    state: str,
    from_ms: int,
    until_ms: int,
    every_min: int,
    heard_at_ms: int | None,
    now_ms: int,
    clock: ExerciseClock = WALL,
) -> Standing:
    """How a line of the plan stands: the source has as long from the beginning as between two of its reports."""
    if state == "answered":
        return "answered"
    if state != "open":
        return "dropped"
    if now_ms < from_ms:
        return "waiting"
    if now_ms >= until_ms:
        return "over"
    since_ms = max(from_ms, heard_at_ms or 0)
    return "silent" if clock.between_ms(since_ms, now_ms) > every_min * 60_000 else "collecting"


def _plan(principal: Principal, ask: AskPlan, reading: Reading) -> Iterator[Labelled]:
    for thing in intel_of(reading).things(reading, COLLECT):
        row = _line(reading, thing)
        if not ask.open_only or row.standing not in ("answered", "dropped"):
            yield Labelled(row, thing.first.label, thing.first.context)


def _line(reading: Reading, thing: Thing) -> CollectionRow:
    state, source = state_of(COLLECT_STATES, thing), str(thing.get("source", ""))
    question = view_of(reading.views, "questions", Papers).thing(reading, str(thing.get("question", "")))
    move = view_of(reading.views, "moves", Moves).called(reading.context, (source,))
    # In full: who may have the coarse form only must not find out callsigns by asking when they were heard.
    heard = move is not None and reading.release(move.label, move.context).verdict is Verdict.FULL
    heard_at_ms = move.received_at_ms if move is not None and heard else None
    clock = exercise_clock(reading.views, reading.context, reading.now_ms())
    from_ms, until_ms = (clock.of_field(thing, name, int(thing.get(name, 0))) or 0 for name in ("from_ms", "until_ms"))
    every_min = int(thing.get("every_min", 60))
    return CollectionRow(
        id=thing.id,
        question=str(thing.get("question", "")),
        question_text="" if question is None else str(question.get("text", "")),
        indicator=str(thing.get("indicator", "")),
        source=source,
        from_ms=from_ms,
        until_ms=until_ms,
        every_min=every_min,
        remarks=str(thing.get("remarks", "")),
        standing=standing_of(state, from_ms, until_ms, every_min, heard_at_ms, reading.now_ms(), clock),
        heard_at_ms=heard_at_ms,
        answer=str(thing.get("answer", "")),
        sources=tuple(thing.get("sources", ())),
        actions=tuple(each for each in COLLECT_STATES.allowed(state) if each != "plan"),
        heads=thing.heads(),
        label=thing.first.label,
    )


def _needs(principal: Principal, ask: AskNeeds, reading: Reading) -> Iterator[Labelled]:
    now_ms = reading.now_ms()
    for thing in intel_of(reading).things(reading, COLLECT):
        row = _line(reading, thing)
        if row.standing not in ("silent", "over") or not ask.wants(("intelligence_officer",)):
            continue
        due_ms = (
            row.until_ms if row.standing == "over" else max(row.from_ms, row.heard_at_ms or 0) + row.every_min * 60_000
        )
        need = NeedRow(
            feature="intel",
            kind=row.standing,
            id=row.id,
            title=f"{row.source}: {row.indicator}"[:300],
            since_ms=due_ms,
            due_ms=due_ms,
            is_overdue=due_ms <= now_ms,
            roles=("intelligence_officer",),
            actions=("answer", "drop"),
            heads=row.heads,
        )
        yield Labelled(need, thing.first.label, thing.first.context)


async def plan_collection(principal: Principal, ask: PlanCollection, desk: Desk) -> StepTaken | Refused:
    """Put a line into the plan."""
    row = ask.collection
    if view_of(desk.views, "questions", Papers).thing(desk, row.question) is None:
        return Refused("question", "there is no such question on the board: ask it first")
    fields = msgspec.to_builtins(row)
    text = f"{row.source} looks for: {row.indicator}"
    return await say_step(principal, desk, NextStep(COLLECT_STATES, COLLECT, None, "plan", fields, summary=text[:200]))


async def step_collection(principal: Principal, ask: TakeStep, desk: Desk) -> StepTaken | Refused:
    """Change a line of the plan, answer it, or drop it."""
    thing = intel_of(desk).thing(desk, ask.id, COLLECT)
    if thing is None:
        return Refused("absent", "there is no such line of the plan, or you may not see it")
    forms: dict[str, type[Any]] = {"edit": Collection, "answer": Found, "drop": Because, "reopen": Because}
    read = read_step(COLLECT_STATES, forms, thing, ask)
    if isinstance(read, Refused):
        return read
    if isinstance(read, Found):
        missing = [source for source in read.sources if seen_entry(desk, source) is None]
        if missing:
            return Refused("source", f"there is no entry {', '.join(missing)[:200]}: name entries that you may read")
    fields = msgspec.to_builtins(read)
    return await say_step(principal, desk, NextStep.asked(COLLECT_STATES, thing, ask, fields))


plan_queries = (
    Query(
        name="collection_plan",
        path="/intel/collection",
        request=AskPlan,
        row=CollectionRow,
        role="viewer",
        answer=_plan,
        summary="The collection plan: who looks for what, and who is silent",
    ),
    Query(
        name="needs_intel",
        path="/needs/intel",
        request=AskNeeds,
        row=NeedRow,
        role="viewer",
        answer=_needs,
        summary="Lines of the collection plan whose source is silent, or whose time is over",
    ),
)
plan_rows = (
    Command(
        name="plan_collection",
        method="POST",
        path="/intel/collection",
        request=PlanCollection,
        answer=StepTaken,
        role="operator",
        act=plan_collection,
        summary="Put a line into the collection plan",
    ),
    Command(
        name="step_collection",
        method="POST",
        path="/intel/collection/{id}/steps",
        request=TakeStep,
        answer=StepTaken,
        role="operator",
        act=step_collection,
        summary="Change a line of the collection plan, answer it, or drop it",
    ),
)
