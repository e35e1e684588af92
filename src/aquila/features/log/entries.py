"""Entries of the journal as a reader may have them: one row each, with a line of text that people can read."""

from typing import Any

import msgspec

from aquila.core.feature import Labelled
from aquila.core.model import (
    LOG_ROOM,
    Act,
    Body,
    Context,
    Entry,
    Foreign,
    Label,
    Note,
    Paper,
    Receipt,
    Removal,
    Report,
)
from aquila.core.phrases import phrase_of
from aquila.core.policy import Policy, redact

SUMMARY_MAX = 160
OF_A_PERSON = "sealed: it is about a person"


class EntryRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the journal.

    Attributes:
        cursor: opaque; `since=` it gives what follows.
        body: None = sealed, erased, withheld or of an unknown kind.
        summary: one short line for people.
        redacted: true when the body is coarse and the author withheld.
        act: key of the sentence that `summary` is, to say it in another language; empty = somebody wrote it.
        words: what stands in its gaps: text, or `{"act": ..., "words": ...}`.
    """

    id: str
    cursor: str
    kind: str
    body: dict[str, Any] | None
    author: str
    author_name: str | None
    happened_at_ms: int
    received_at_ms: int
    label: Label
    context: Context
    node: str
    seq: int
    summary: str
    redacted: bool = False
    act: str = ""
    words: dict[str, Any] = {}


def cursor_of(arrival: int) -> str:
    """The opaque form of an arrival number."""
    return f"c{arrival:x}"


def arrival_of(cursor: str) -> int:
    """The arrival number in a cursor; the empty one is before everything. Raises ValueError for what is no cursor."""
    if cursor in ("", "0"):
        return 0
    digits = cursor.removeprefix("c")
    if not (cursor.startswith("c") and digits.isascii() and digits.isalnum() and len(digits) < 16):
        raise ValueError(f"cursor {cursor[:40]!r}: one that an earlier answer gave, or none")
    try:
        return int(digits, 16)
    except ValueError:
        raise ValueError(f"cursor {cursor[:40]!r}: one that an earlier answer gave, or none") from None


def labelled_entry(entry: Entry, policy: Policy) -> Labelled:
    """The row of an entry in full, and in the form that a reader of the redacted one gets.

    What is said of persons is read where their records are kept, where every reading is journalled: not here.
    """
    envelope = entry.envelope
    body = None if envelope.subjects else entry.body
    phrase = phrase_of(body, envelope.kind, is_sealed=bool(envelope.subjects))
    row = EntryRow(
        id=envelope.id,
        cursor=cursor_of(entry.arrival),
        kind=envelope.kind,
        body=_builtins(body),
        author=envelope.author,
        author_name=_author_name(body, envelope.author),
        happened_at_ms=envelope.happened_at_ms,
        received_at_ms=envelope.received_at_ms,
        label=envelope.label,
        context=envelope.context,
        node=envelope.node,
        seq=envelope.seq,
        summary=OF_A_PERSON if envelope.subjects else summary_of(body, envelope.kind),
        act=phrase.act,
        words=phrase.words,
    )
    return Labelled(row, envelope.label, envelope.context, _redacted(row, body, policy))


def _redacted(row: EntryRow, whole: Body | None, policy: Policy) -> EntryRow | None:
    body = None if whole is None else redact(policy, whole)
    if body is None:
        return None
    label, phrase = row.label, phrase_of(body, row.kind)
    return msgspec.structs.replace(
        row,
        body=_builtins(body),
        author="",
        author_name=None,
        happened_at_ms=row.happened_at_ms // 60_000 * 60_000,
        received_at_ms=row.received_at_ms // 60_000 * 60_000,
        label=Label(label.policy, label.classification, (), ()),
        summary=summary_of(body, row.kind),
        act=phrase.act,
        words=phrase.words,
        redacted=True,
    )


def _builtins(body: Body | None) -> dict[str, Any] | None:
    built: dict[str, Any] | None = None if body is None else msgspec.to_builtins(body)
    return built


def _author_name(body: Body | None, author: str) -> str | None:
    if isinstance(body, Note) and body.author_name:
        return body.author_name
    _, _, name = author.partition(":")
    return name or None


def summary_of(body: Body | None, kind: str) -> str:
    """One short line of text for people; plain text, whatever stands in the body."""
    text = _summary(body, kind)
    flat = " ".join(text.split())
    return flat if len(flat) <= SUMMARY_MAX else flat[: SUMMARY_MAX - 1] + "…"


def _summary(body: Body | None, kind: str) -> str:
    match body:
        case Note():
            return body.text if body.room == LOG_ROOM else f"{_room(body)}: {body.text}"
        case Report():
            return _report_summary(body)
        case Removal():
            return f"{body.alias.value} removed"
        case Receipt():
            return f"{body.state}: {body.reference}"
        case Act():
            return _act_summary(body)
        case Paper():
            return body.summary or f"{body.action} {body.type} {body.target}"
        case Foreign():
            return f"{body.type} from {body.alias.value}"
        case _:
            return f"{kind} that cannot be read here"


def _room(body: Note) -> str:
    if body.to:
        return ", ".join(address.value for address in body.to)
    return body.room_name or body.room


def _report_summary(body: Report) -> str:
    name = body.name or body.alias.value
    if body.emergency is not None:
        return f"{name}: emergency {body.emergency.type} {'on' if body.emergency.active else 'off'}"
    place = ""
    if body.position is not None:
        place = f" at {body.position.lat_deg:.5f}, {body.position.lon_deg:.5f}"
    remarks = f": {body.remarks}" if body.remarks else ""
    return f"{body.category} {name}{place}{remarks}"


def _act_summary(body: Act) -> str:
    detail = ", ".join(f"{key} {value}" for key, value in sorted(body.detail.items()))
    return f"{body.action} {body.target}" + (f" ({detail})" if detail else "")
