"""What can be asked: the board with hits and time left, requests for information, needs."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from aquila.core.exercise_clock import ExerciseClock, exercise_clock
from aquila.core.feature import Labelled, Query, Reading
from aquila.core.model import Label, Principal
from aquila.core.paper_rows import AskNeeds, ConflictRow, NeedRow, StepRow, conflict_rows, steps_of
from aquila.core.paper_work import Id, state_of
from aquila.core.papers import Thing
from aquila.core.phrases import Phrase, phrase_in
from aquila.features.questions.commands import FORMS, RFI_FORMS, papers_of
from aquila.features.questions.looking_back import asking_step
from aquila.features.questions.question import (
    OPEN,
    QUESTION,
    RFI,
    RFI_OPEN,
    RFI_STATES,
    STATES,
    Hit,
    counts_from_ms,
    hits_of,
    looked_field,
)


class AskBoard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which rows. open_only: those that wait for an answer."""

    open_only: bool = False
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000


class AskQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which question."""

    id: Id


class LookedBack(msgspec.Struct, frozen=True, kw_only=True):
    """How far a question has looked back since it was asked or changed, and what it found.

    Attributes:
        entries: how many were looked at. received_from_ms: when the last of them, the oldest here, was received; None =
            none was. is_whole: it came as far as the question counts, and all that fits is told.
        found: hits that the asker may have. waiting: those of them that nobody acknowledged.
    """

    entries: int
    received_from_ms: int | None
    is_whole: bool
    found: int
    waiting: int


class QuestionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A question on the board.

    Attributes:
        fields: as `Question`, and what answers said. left_ms: until LTIOV, below 0 = past; None = it has none.
        waiting: hits that nobody acknowledged. from_ms: from when on entries count, as it stands on the wall after the
            exercise's pauses; None = whenever they happened. looked_back: None = it has no past to look at, or has not
            looked yet.
    """

    id: str
    state: str
    text: str
    kind: str
    priority: int
    fields: dict[str, Any]
    hits: tuple[Hit, ...]
    waiting: int
    from_ms: int | None
    left_ms: int | None
    is_overdue: bool
    asked_at_ms: int
    by: str
    actions: tuple[str, ...]
    heads: tuple[str, ...]
    label: Label
    looked_back: LookedBack | None = None


class QuestionDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One question with its life, newest step first."""

    row: QuestionRow
    conflicts: tuple[ConflictRow, ...]
    steps: tuple[StepRow, ...]


class RfiRow(msgspec.Struct, frozen=True, kw_only=True):
    """A request for information. left_ms: until it is needed, below 0 = past; None = no time was set."""

    id: str
    state: str
    question: str
    to: str
    fields: dict[str, Any]
    left_ms: int | None
    is_overdue: bool
    asked_at_ms: int
    by: str
    actions: tuple[str, ...]
    heads: tuple[str, ...]
    label: Label


def _clock(reading: Reading) -> ExerciseClock:
    return exercise_clock(reading.views, reading.context, reading.now_ms())


def row_of(thing: Thing, now_ms: int, clock: ExerciseClock) -> QuestionRow:
    """The row of a question. clock: whose minutes are left."""
    state, hits = state_of(STATES, thing), hits_of(thing, clock)
    ltiov_ms = clock.of_field(thing, "ltiov_ms", thing.get("ltiov_ms"))
    left_ms = None if ltiov_ms is None else ltiov_ms - now_ms
    return QuestionRow(
        id=thing.id,
        state=state,
        text=str(thing.get("text", thing.first.summary)),
        kind=str(thing.get("kind", "PIR")),
        priority=int(thing.get("priority", 2)),
        fields={name: value for name, value in thing.fields().items() if "." not in name},
        hits=hits,
        waiting=sum(hit.ack_at_ms is None for hit in hits),
        from_ms=counts_from_ms(thing, clock),
        left_ms=left_ms,
        is_overdue=left_ms is not None and left_ms <= 0 and state in OPEN,
        asked_at_ms=thing.first.at_ms,
        by=thing.first.by,
        actions=tuple(action for action in STATES.allowed(state) if action in FORMS),
        heads=thing.heads(),
        label=thing.first.label,
        looked_back=_looked_back(thing, hits),
    )


def _looked_back(thing: Thing, hits: tuple[Hit, ...]) -> LookedBack | None:
    how_far = thing.get(looked_field(asking_step(thing)))
    if not isinstance(how_far, dict):
        return None
    found = [hit for hit in hits if hit.found]
    waiting = sum(hit.ack_at_ms is None for hit in found)
    return msgspec.convert({**how_far, "found": len(found), "waiting": waiting}, LookedBack)


def _rfi_row(thing: Thing, now_ms: int, clock: ExerciseClock) -> RfiRow:
    state, needed_ms = state_of(RFI_STATES, thing), clock.of_field(thing, "needed_by_ms", thing.get("needed_by_ms"))
    left_ms = None if needed_ms is None else needed_ms - now_ms
    return RfiRow(
        id=thing.id,
        state=state,
        question=str(thing.get("question", thing.first.summary)),
        to=str(thing.get("tasked_to", thing.get("to", ""))),
        fields=thing.fields(),
        left_ms=left_ms,
        is_overdue=left_ms is not None and left_ms <= 0 and state in RFI_OPEN,
        asked_at_ms=thing.first.at_ms,
        by=thing.first.by,
        actions=tuple(action for action in RFI_STATES.allowed(state) if action in RFI_FORMS),
        heads=thing.heads(),
        label=thing.first.label,
    )


def _board(principal: Principal, ask: AskBoard, reading: Reading) -> Iterator[Labelled]:
    for thing in papers_of(reading).things(reading, QUESTION):
        row = row_of(thing, reading.now_ms(), _clock(reading))
        if row.state in OPEN or (row.state != "none" and not ask.open_only):
            yield Labelled(row, thing.first.label, thing.first.context)


def _question(principal: Principal, ask: AskQuestion, reading: Reading) -> Iterator[Labelled]:
    thing = papers_of(reading).thing(reading, ask.id, QUESTION)
    if thing is not None:
        row = QuestionDetail(
            row=row_of(thing, reading.now_ms(), _clock(reading)), conflicts=conflict_rows(thing), steps=steps_of(thing)
        )
        yield Labelled(row, thing.first.label, thing.first.context)


def _rfis(principal: Principal, ask: AskBoard, reading: Reading) -> Iterator[Labelled]:
    for thing in papers_of(reading).things(reading, RFI):
        row = _rfi_row(thing, reading.now_ms(), _clock(reading))
        if row.state in RFI_OPEN or (row.state != "none" and not ask.open_only):
            yield Labelled(row, thing.first.label, thing.first.context)


def _needs(principal: Principal, ask: AskNeeds, reading: Reading) -> Iterator[Labelled]:
    now_ms, clock = reading.now_ms(), _clock(reading)
    for thing in papers_of(reading).things(reading):
        for need in _rfi_needs(thing, now_ms, clock) if thing.type == RFI else _hit_needs(thing, now_ms, clock):
            if ask.wants(need.roles):
                yield Labelled(need, thing.first.label, thing.first.context)


def _hit_needs(thing: Thing, now_ms: int, clock: ExerciseClock) -> Iterator[NeedRow]:
    row = row_of(thing, now_ms, clock)
    waiting = [hit for hit in row.hits if hit.ack_at_ms is None] if row.state in OPEN else []
    for hit in waiting:
        if not hit.found:
            yield _hit_need(row, hit, "hit", f"{row.text}: {hit.text.partition(chr(10))[0]}"[:300], now_ms)
    found = [hit for hit in waiting if hit.found]
    if found:
        first = min(found, key=lambda hit: hit.due_ms)
        yield _hit_need(row, first, "found", f"{row.text[:250]}: {len(found)} found looking back", now_ms)


def _hit_said(row: QuestionRow, hit: Hit) -> Phrase:
    what = Phrase(hit.act, hit.words).or_text(hit.text.partition("\n")[0])
    return Phrase("questions.need.hit", {"question": row.text, "what": what})


def _hit_need(row: QuestionRow, hit: Hit, kind: str, title: str, now_ms: int) -> NeedRow:
    phrase = phrase_in("questions.need", title) if kind == "found" else _hit_said(row, hit)
    return NeedRow(
        feature="questions",
        kind=kind,
        id=row.id,
        title=title,
        since_ms=hit.at_ms,
        due_ms=hit.due_ms,
        is_overdue=hit.due_ms <= now_ms,
        roles=hit.posts,
        actions=("ack" if kind == "hit" else "ack_found", "answer", "answer_partly"),
        heads=row.heads,
        precedence="O" if row.priority == 1 else "P",
        act=phrase.act,
        words=phrase.words,
    )


def _rfi_needs(thing: Thing, now_ms: int, clock: ExerciseClock) -> Iterator[NeedRow]:
    row = _rfi_row(thing, now_ms, clock)
    if row.state in RFI_OPEN:
        yield NeedRow(
            feature="questions",
            kind="rfi",
            id=row.id,
            title=row.question[:300],
            since_ms=row.asked_at_ms,
            due_ms=None if row.left_ms is None else now_ms + row.left_ms,
            is_overdue=row.is_overdue,
            roles=("intelligence_officer",),
            actions=row.actions,
            heads=row.heads,
            precedence=str(thing.get("precedence", "R")),
        )


QUERIES = (
    Query(
        name="questions",
        path="/questions",
        request=AskBoard,
        row=QuestionRow,
        role="viewer",
        answer=_board,
        blocking=True,
        summary="The board of questions with hits and time left",
    ),
    Query(
        name="question",
        path="/questions/{id}",
        request=AskQuestion,
        row=QuestionDetail,
        role="viewer",
        answer=_question,
        one=True,
        summary="One question with its life",
    ),
    Query(
        name="rfis",
        path="/rfis",
        request=AskBoard,
        row=RfiRow,
        role="viewer",
        answer=_rfis,
        blocking=True,
        summary="Requests for information",
    ),
    Query(
        name="needs_questions",
        path="/needs/questions",
        request=AskNeeds,
        row=NeedRow,
        role="viewer",
        answer=_needs,
        blocking=True,
        summary="Hits and requests for information that need somebody now",
    ),
)
