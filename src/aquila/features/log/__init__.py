"""Log: the staff log and the whole journal, read and written."""

from collections.abc import Iterator
from typing import Annotated

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, Feature, Labelled, Query, Reading
from aquila.core.hlc import hlc_ms
from aquila.core.journal import SLACK_MS, arrival_near
from aquila.core.model import KINDS, LOG_ROOM, Entry, Note, Principal
from aquila.core.paper_work import check_texts, wrong_time
from aquila.features.log.entries import (
    EntryRow,
    arrival_of,
    cursor_of,
    labelled_entry,
    summary_of,
)
from aquila.features.log.parse import PARSE
from aquila.features.log.search import SEARCH
from aquila.features.log.view import Log, LogLine

CHUNK = 500
ENTRIES_MAX = 10_000
TEXT_MAX = 8000


class AskEntries(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which lines of the journal.

    Attributes:
        since: cursor of the last line that is known; without it from the beginning.
        kind: one or several kinds, separated by commas.
        newest: the last `limit` lines instead of the first ones; the order stays from old to new.
        from_ms, until_ms: only those stamped from then on, and by then, UTC ms, as the picture of that time has them;
            None = all.
    """

    since: Annotated[str, msgspec.Meta(max_length=40)] = ""
    kind: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=ENTRIES_MAX)] = 1000
    newest: bool = False
    from_ms: Annotated[int, msgspec.Meta(ge=0, le=4_102_444_800_000)] | None = None
    until_ms: Annotated[int, msgspec.Meta(ge=0, le=4_102_444_800_000)] | None = None

    def __post_init__(self) -> None:
        arrival_of(self.since)
        for kind in (self.kind or "").split(","):
            if kind and kind not in KINDS:
                raise ValueError(f"kind {kind[:40]!r}: one of {', '.join(KINDS)}")


class AskEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which line."""

    id: Annotated[str, msgspec.Meta(max_length=100)]


class NewNote(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line for the staff log; `happened_at_ms` None = now."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_MAX)]
    happened_at_ms: Annotated[int, msgspec.Meta(ge=0, le=4_102_444_800_000)] | None = None

    def __post_init__(self) -> None:
        check_texts("text", self.text)


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """The journal entry that was written, durable when this answer comes."""

    entry: str
    cursor: str


def _entries(principal: Principal, ask: AskEntries, reading: Reading) -> Iterator[Labelled]:
    kinds = frozenset(ask.kind.split(",")) - {""} if ask.kind else None
    after = arrival_of(ask.since)
    if ask.from_ms is not None:
        after = max(after, arrival_near(reading.journal, ask.from_ms - SLACK_MS) - CHUNK)
    if ask.newest:
        yield from _newest(ask, kinds, after, reading)
        return
    while True:
        chunk = reading.journal.read(after, CHUNK, kinds)
        for entry in chunk:
            if _is_between(entry, ask):
                yield labelled_entry(entry, reading.policy)
        if len(chunk) < CHUNK:
            return
        after = chunk[-1].arrival


def _newest(ask: AskEntries, kinds: frozenset[str] | None, after: int, reading: Reading) -> Iterator[Labelled]:
    """The last `limit` released lines: the journal reads forward only, so whole windows are taken from its end."""
    found: list[Labelled] = []
    until = reading.journal.last_arrival()
    if ask.until_ms is not None:
        until = min(until, arrival_near(reading.journal, ask.until_ms + SLACK_MS) + CHUNK)
    width = max(CHUNK, ask.limit)
    while until > after and len(found) < ask.limit:
        start = max(after, until - width)
        window = [
            labelled_entry(entry, reading.policy)
            for entry in reading.journal.read(start, until - start, kinds)
            if entry.arrival <= until
            and _is_between(entry, ask)
            and reading.release(entry.envelope.label, entry.envelope.context).verdict
        ]
        found = window + found
        until = start
    yield from [row for row in found if row.full is not None][-ask.limit :]


def _is_between(entry: Entry, ask: AskEntries) -> bool:
    at_ms = hlc_ms(entry.envelope.hlc)
    return (ask.from_ms is None or at_ms >= ask.from_ms) and (ask.until_ms is None or at_ms <= ask.until_ms)


def _entry(principal: Principal, ask: AskEntry, reading: Reading) -> Iterator[Labelled]:
    entry = reading.journal.entry(ask.id)
    if entry is not None:
        yield labelled_entry(entry, reading.policy)


async def write_note(principal: Principal, ask: NewNote, desk: Desk) -> Written | Refused:
    """Write a line into the staff log, as the asker."""
    # A line of next year would be the newest of every list until then.
    wrong = wrong_time(desk, ask.happened_at_ms)
    if wrong is not None:
        return wrong
    now_ms = desk.now_ms()
    note = Note(
        room=LOG_ROOM,
        text=ask.text,
        happened_at_ms=now_ms if ask.happened_at_ms is None else ask.happened_at_ms,
        author_name=principal.name,
        reference=desk.new_id(),
    )
    written = await desk.write(note)
    if isinstance(written, Refused):
        return written
    return Written(entry=written.envelope.id, cursor=cursor_of(written.arrival))


feature = Feature(
    name="log",
    views=(Log,),
    queries=(
        Query(
            name="entries",
            path="/entries",
            request=AskEntries,
            row=EntryRow,
            role="viewer",
            answer=_entries,
            blocking=True,
            summary="Lines of the journal in order of arrival, after a cursor",
        ),
        Query(
            name="entry",
            path="/entries/{id}",
            request=AskEntry,
            row=EntryRow,
            role="viewer",
            answer=_entry,
            one=True,
            blocking=True,
            summary="One line of the journal",
        ),
        PARSE,
        SEARCH,
    ),
    commands=(
        Command(
            name="write_note",
            method="POST",
            path="/notes",
            request=NewNote,
            answer=Written,
            role="operator",
            act=write_note,
            summary="Write a line into the staff log",
        ),
    ),
)

__all__ = [
    "EntryRow",
    "Log",
    "LogLine",
    "Written",
    "arrival_of",
    "cursor_of",
    "feature",
    "labelled_entry",
    "summary_of",
]
