"""What can be done with questions and requests for information."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, readable_entry
from aquila.core.model import Principal
from aquila.core.paper_work import (
    Id,
    NextStep,
    NoFields,
    Said,
    StepTaken,
    TakeStep,
    WatchedPapers,
    check_texts,
    edited,
    read_step,
    say_step,
    too_many,
    unknown_posts,
)
from aquila.core.papers import Thing
from aquila.core.states import States
from aquila.core.view import view_of
from aquila.features.questions.question import QUESTION, RFI, RFI_STATES, STATES, Question, RfiAsked, hits_of

Sources = Annotated[tuple[Id, ...], msgspec.Meta(min_length=1, max_length=100)]


class NewQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question for the board."""

    question: Question

    def __post_init__(self) -> None:
        check_texts("question", msgspec.to_builtins(self.question))


class NewRfi(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request for information."""

    request: RfiAsked

    def __post_init__(self) -> None:
        check_texts("request", msgspec.to_builtins(self.request))


class AckHit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which hit, by the id of its entry."""

    entry: Id


class AckFound(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All hits that were found looking back and wait."""


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answer. sources: ids of entries that it stands on."""

    answer: Said
    sources: Sources
    confidence: Literal["low", "moderate", "high"] = "moderate"


class TaskRfi(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who finds it out."""

    tasked_to: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]


class QuestionReason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


OPEN_OF_ONE, OPEN_MAX = 50, 500
"""Questions that may be open at a time: of one person, and on one node."""
FORMS: Mapping[str, type[msgspec.Struct]] = {
    "edit": Question,
    "ack": AckHit,
    "ack_found": AckFound,
    "answer_partly": Answer,
    "answer": Answer,
    "reopen": QuestionReason,
    "close": NoFields,
}
RFI_FORMS: Mapping[str, type[msgspec.Struct]] = {
    "accept": NoFields,
    "task": TaskRfi,
    "answer": Answer,
    "refuse": QuestionReason,
    "ask_again": QuestionReason,
    "close": NoFields,
}


def papers_of(reading: Any) -> WatchedPapers:
    """The view of this node."""
    return view_of(reading.views, "questions", WatchedPapers)


async def ask_question(principal: Principal, ask: NewQuestion, desk: Desk) -> StepTaken | Refused:
    """Put a question on the board."""
    refused = _full(principal, desk) or _wrong(desk, ask.question, ask.question)
    if refused is not None:
        return refused
    fields, text = msgspec.to_builtins(ask.question), ask.question.text
    return await say_step(principal, desk, NextStep(STATES, QUESTION, None, "ask", fields, summary=text[:200]))


async def ask_rfi(principal: Principal, ask: NewRfi, desk: Desk) -> StepTaken | Refused:
    """Ask somebody for information."""
    if ask.request.needed_by_ms is not None and ask.request.needed_by_ms <= desk.now_ms():
        return Refused("time", "the answer would be needed before now: name a later time, or none")
    fields, text = msgspec.to_builtins(ask.request), ask.request.question
    return await say_step(principal, desk, NextStep(RFI_STATES, RFI, None, "ask", fields, summary=text[:200]))


async def step_question(principal: Principal, ask: TakeStep, desk: Desk) -> StepTaken | Refused:
    """Acknowledge a hit, answer, edit, close or reopen a question."""
    thing = papers_of(desk).thing(desk, ask.id, QUESTION)
    if thing is None:
        return Refused("absent", "there is no such question, or you may not see it: look at the board")
    full = _full(principal, desk) if ask.action == "reopen" else None
    return full or await _step(principal, desk, STATES, FORMS, thing, ask)


def _full(principal: Principal, desk: Desk) -> Refused | None:
    """Every entry is tested by every open question, and each that it fits is one entry more."""
    kept = (thing for thing in papers_of(desk).watched() if thing.first.context == desk.context)
    full = too_many(principal, kept, "open questions", OPEN_OF_ONE, OPEN_MAX)
    return None if full is None else Refused("full", f"{full}: answer or close some")


async def step_rfi(principal: Principal, ask: TakeStep, desk: Desk) -> StepTaken | Refused:
    """Accept, task, answer, refuse or close a request for information."""
    thing = papers_of(desk).thing(desk, ask.id, RFI)
    if thing is None:
        return Refused("absent", "there is no such request for information, or you may not see it: look at the list")
    return await _step(principal, desk, RFI_STATES, RFI_FORMS, thing, ask)


async def _step(
    principal: Principal,
    desk: Desk,
    states: States,
    forms: Mapping[str, type[msgspec.Struct]],
    thing: Thing,
    ask: TakeStep,
) -> StepTaken | Refused:
    read = read_step(states, forms, thing, ask)
    if isinstance(read, Refused):
        return read
    fields = _said(desk, thing, read)
    if isinstance(fields, Refused):
        return fields
    return await say_step(principal, desk, NextStep.asked(states, thing, ask, fields))


def _said(desk: Desk, thing: Thing, read: Any) -> dict[str, Any] | Refused:
    if isinstance(read, AckHit):
        if not any(hit.entry == read.entry for hit in hits_of(thing)):
            return Refused("hit", f"{read.entry} is no hit of this question: take one of its hits")
        return {f"ack.{read.entry}": desk.now_ms()}
    if isinstance(read, AckFound):
        waiting = {f"ack.{hit.entry}": desk.now_ms() for hit in hits_of(thing) if hit.found and hit.ack_at_ms is None}
        return waiting or Refused("hit", "nothing that was found looking back waits: acknowledge other hits one by one")
    if isinstance(read, Answer):
        missing = [source for source in read.sources if readable_entry(desk, source) is None]
        if missing:
            return Refused("source", f"there is no entry {', '.join(missing)[:200]}: name entries that you may read")
    if isinstance(read, Question):
        refused = _wrong(desk, read, edited(Question, thing, msgspec.to_builtins(read)))
        if refused is not None:
            return refused
    fields: dict[str, Any] = msgspec.to_builtins(read)
    return fields


def _wrong(desk: Desk, said: Question, becomes: Question | Refused) -> Refused | None:
    """Why it may not be asked so. said: what is asked or changed now; becomes: the question with it."""
    if isinstance(becomes, Refused):
        return becomes
    if said.ltiov_ms is not None and said.ltiov_ms <= desk.now_ms():
        return Refused("time", f"LTIOV {said.ltiov_ms} ms is over: name a later one, or none")
    from_ms, ltiov_ms = becomes.from_ms, becomes.ltiov_ms
    if from_ms is not None and ltiov_ms is not None and ltiov_ms <= from_ms:
        return Refused("time", f"LTIOV {ltiov_ms} is not after {from_ms}: name a later one, or none")
    unknown = unknown_posts(said.notify or ())
    return None if unknown is None else Refused("post", unknown)


COMMANDS = (
    Command(
        name="ask_question",
        method="POST",
        path="/questions",
        request=NewQuestion,
        answer=StepTaken,
        role="operator",
        act=ask_question,
        summary="Put a question on the board",
    ),
    Command(
        name="step_question",
        method="POST",
        path="/questions/{id}/steps",
        request=TakeStep,
        answer=StepTaken,
        role="operator",
        act=step_question,
        summary="Acknowledge a hit, answer, edit, close or reopen a question",
    ),
    Command(
        name="ask_rfi",
        method="POST",
        path="/rfis",
        request=NewRfi,
        answer=StepTaken,
        role="operator",
        act=ask_rfi,
        summary="Ask somebody for information",
    ),
    Command(
        name="step_rfi",
        method="POST",
        path="/rfis/{id}/steps",
        request=TakeStep,
        answer=StepTaken,
        role="operator",
        act=step_rfi,
        summary="Accept, task, answer, refuse or close a request for information",
    ),
)
