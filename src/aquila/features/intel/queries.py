"""What can be asked: subjects with their claims, and what came in that can be graded. Persons are opened by command."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from aquila.core.feature import Labelled, Query, Reading
from aquila.core.model import LOG_ROOM, Entry, Label, Note, Paper, Principal
from aquila.core.phrases import phrase_of
from aquila.features.intel.commands import has_words
from aquila.features.intel.grade import GradeRow, grades_of, words_of
from aquila.features.intel.subject import SUBJECT, Kind, SubjectRow, row_of, standing

INBOX_MAX = 200
LOOKED_AT = 3_000
"""Newest entries among which the inbox is sought."""
GRADABLE = {"reports.report": ("file",), "incidents.line": ("log",), "patterns.finding": ("useful",)}
"""Types of papers that say something of the world, and the steps that say it; of a finding, that somebody thinks so."""


class AskSubjects(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which: by kind, None = all; by words in name, aliases, text and claims."""

    kind: Kind | None = None
    q: Annotated[str, msgspec.Meta(max_length=200)] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 500


class AskInbox(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The newest. ungraded_only: those that nobody has graded."""

    ungraded_only: bool = False
    limit: Annotated[int, msgspec.Meta(ge=1, le=INBOX_MAX)] = 100


class InboxRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the journal that says something of the world. grades: the newest first; empty = nobody has yet.

    act, words: of the sentence that `text` is, see `Phrase`; "" = somebody wrote it.
    """

    entry: str
    text: str
    by: str
    at_ms: int
    grades: tuple[GradeRow, ...]
    lat_deg: float | None
    lon_deg: float | None
    label: Label
    act: str = ""
    words: dict[str, Any] = {}


def _subjects(principal: Principal, ask: AskSubjects, reading: Reading) -> Iterator[Labelled]:
    for thing in standing(reading, SUBJECT):
        row = row_of(reading, thing)
        if (ask.kind is None or row.kind == ask.kind) and has_words(row, ask.q):
            yield Labelled(row, thing.first.label, thing.first.context)


def _inbox(principal: Principal, ask: AskInbox, reading: Reading) -> Iterator[Labelled]:
    last = reading.journal.last_arrival()
    kinds = frozenset({"note", "paper"})
    for entry in reversed(reading.journal.read(max(0, last - LOOKED_AT), LOOKED_AT, kinds)):
        if not _is_gradable(entry):
            continue
        grades, envelope = grades_of(reading, entry.envelope.id), entry.envelope
        if ask.ungraded_only and grades:
            continue
        place = entry.body.position if isinstance(entry.body, Paper) else None
        phrase = phrase_of(entry.body, envelope.kind)
        row = InboxRow(
            entry=envelope.id,
            text=words_of(entry),
            by=envelope.author.partition(":")[2],
            at_ms=envelope.happened_at_ms,
            grades=grades,
            lat_deg=None if place is None else place.lat_deg,
            lon_deg=None if place is None else place.lon_deg,
            label=envelope.label,
            act=phrase.act,
            words=phrase.words,
        )
        yield Labelled(row, envelope.label, envelope.context)


def _is_gradable(entry: Entry) -> bool:
    body = entry.body
    if entry.envelope.subjects:
        return False
    if isinstance(body, Note):
        return body.room == LOG_ROOM
    return isinstance(body, Paper) and body.action in GRADABLE.get(body.type, ())


subject_queries = (
    Query(
        name="subjects",
        path="/intel/subjects",
        request=AskSubjects,
        row=SubjectRow,
        role="viewer",
        answer=_subjects,
        blocking=True,
        summary="Groups, places, vehicles and events with what is said of them and by which entries",
    ),
    Query(
        name="intel_inbox",
        path="/intel/inbox",
        request=AskInbox,
        row=InboxRow,
        role="viewer",
        answer=_inbox,
        blocking=True,
        summary="What came in that can be graded, the newest first",
    ),
)
