"""Grades: how far a source is trusted, and how far one believes what it says, each on a scale of its own.

The scales are those of NATO (AJP-2.1, evaluation of information; STANAG 2511): A to F, 1 to 6.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, Reading, readable_entry
from aquila.core.ids import derived_id
from aquila.core.model import Entry, Note, Paper, Principal, Report
from aquila.core.paper_work import Id, Line, StepTaken, check_texts
from aquila.core.papers import Thing
from aquila.core.states import Move, States
from aquila.features.intel.view import intel_of

Reliability = Literal["A", "B", "C", "D", "E", "F"]
Credibility = Literal["1", "2", "3", "4", "5", "6"]
RELIABILITY: Mapping[Reliability, str] = {
    "A": "completely reliable",
    "B": "usually reliable",
    "C": "fairly reliable",
    "D": "not usually reliable",
    "E": "unreliable",
    "F": "reliability cannot be judged",
}
CREDIBILITY: Mapping[Credibility, str] = {
    "1": "confirmed by other sources",
    "2": "probably true",
    "3": "possibly true",
    "4": "doubtful",
    "5": "improbable",
    "6": "truth cannot be judged",
}
GRADE = "intel.grade"
GRADE_STATES = States(
    "grade",
    "none",
    (
        Move(
            "grade", ("none", "graded"), "graded", "operator who may write to all who see the entry; again at any time"
        ),
    ),
)
NO_ENTRY = Refused("absent", "there is no such entry, or you may not see it: name a line of the journal")


class GradeEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody thinks of a line of the journal."""

    entry: Id
    reliability: Reliability
    credibility: Credibility
    reason: Line = ""


class GradeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One judgement. grade: both letters, "B2"."""

    grade: str
    reason: str
    by: str
    at_ms: int


def seen_entry(reading: Reading, id: str) -> Entry | None:
    """A line of the journal that the asker may read; None = there is none, or not for him, or it is of a person."""
    entry = readable_entry(reading, id)
    return None if entry is None or entry.body is None or entry.envelope.subjects else entry


def words_of(entry: Entry) -> str:
    """What an entry says, in one line for people."""
    body = entry.body
    if isinstance(body, Note):
        return " ".join(body.text.split())[:300]
    if isinstance(body, Paper):
        return (body.summary or body.type)[:300]
    return (body.name or body.alias.value)[:300] if isinstance(body, Report) else entry.envelope.kind


def grades_of(reading: Reading, entry: str) -> tuple[GradeRow, ...]:
    """All judgements of an entry that the asker may have, the newest first."""
    thing = intel_of(reading).thing(reading, _target(entry), GRADE)
    return () if thing is None else tuple(_row(step.fields, step.by, step.at_ms) for step in reversed(thing.steps))


def _row(fields: Mapping[str, Any], by: str, at_ms: int) -> GradeRow:
    grade = f"{fields.get('reliability', 'F')}{fields.get('credibility', '6')}"
    return GradeRow(grade=grade, reason=str(fields.get("reason", "")), by=by, at_ms=at_ms)


def _target(entry: str) -> str:
    return derived_id(GRADE, 1, entry)


async def grade_entry(principal: Principal, ask: GradeEntry, desk: Desk) -> StepTaken | Refused:
    """Grade a line of the journal; what was thought before stays in its history."""
    entry = seen_entry(desk, ask.entry)
    if entry is None:
        return NO_ENTRY
    try:
        check_texts("reason", ask.reason)
    except ValueError as wrong:
        return Refused("field", str(wrong))
    thing: Thing | None = intel_of(desk).thing(desk, _target(ask.entry), GRADE)
    label = entry.envelope.label
    if principal.kind != "node" and not set(label.groups) <= principal.groups_in:
        return Refused("group", "it is marked for groups that you may not write into: ask one of them")
    grade = f"{ask.reliability}{ask.credibility}"
    paper = Paper(
        type=GRADE,
        target=_target(ask.entry),
        action="grade",
        happened_at_ms=desk.now_ms(),
        fields=msgspec.to_builtins(ask),
        seen=() if thing is None else thing.heads(),
        summary=f"graded {grade}: {words_of(entry)}"[:200],
    )
    written = await desk.write(paper, label=label)
    if isinstance(written, Refused):
        return written
    return StepTaken(id=paper.target, entry=written.envelope.id, state="graded")


grade_row = Command(
    name="grade_entry",
    method="POST",
    path="/intel/grades",
    request=GradeEntry,
    answer=StepTaken,
    role="operator",
    act=grade_entry,
    summary="Grade a line of the journal: A to F the source, 1 to 6 what it says",
)
