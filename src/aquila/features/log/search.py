"""The query log.search: lines of the journal by their words, who said them, their kind and their time; newest first.

Only what the asker may have in full is searched: the redacted form of an entry has no words, and nobody learns by a
question that something is there.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Protocol

import msgspec

from aquila.core.feature import Labelled, Query, Reading
from aquila.core.model import KINDS, Act, Body, Entry, Note, Paper, Principal, Report
from aquila.features.log.entries import EntryRow, arrival_of, labelled_entry, summary_of

HITS_MAX = 5_000
"""Hits that one question judges; `before` goes on behind them."""
WORDS_MAX = 200
_TEXT_MAX = 20_000
_DEEP = 4
_HIDDEN = re.compile(r"\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32,})\b", re.IGNORECASE)
"""Ids and digests inside a statement: nobody reads them, so a line found by a piece of one could not be explained."""

Said = tuple[int, str, str, int, str]
Time = Annotated[int, msgspec.Meta(ge=0, le=4_102_444_800_000)]


class Words(Protocol):
    """The part `words`: an index of what entries say. See stores.sqlite.words."""

    def find(
        self,
        read: Callable[[int, int], Sequence[Said]],
        words: str,
        *,
        author: str,
        kinds: Iterable[str],
        from_ms: int,
        until_ms: int,
        before: int,
    ) -> Iterator[int]:
        """Arrival numbers of what holds all the words, the newest first."""
        ...


class AskSearch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is looked for.

    Attributes:
        q: words; each begins a word of the text, in any order; in quotes a phrase. Capitals and accents do not count.
        author: the same for who said it. kind: one or several, separated by commas.
        from_ms, until_ms: when it happened, UTC ms, from <= t < until. before: cursor of the last line that is known.
    """

    q: Annotated[str, msgspec.Meta(max_length=WORDS_MAX)] = ""
    author: Annotated[str, msgspec.Meta(max_length=WORDS_MAX)] = ""
    kind: Annotated[str, msgspec.Meta(max_length=WORDS_MAX)] = ""
    from_ms: Time = 0
    until_ms: Time = 4_102_444_800_000
    before: Annotated[str, msgspec.Meta(max_length=40)] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 50

    def __post_init__(self) -> None:
        arrival_of(self.before)
        for kind in self.kind.split(","):
            if kind and kind not in KINDS:
                raise ValueError(f"kind {kind[:40]!r}: one of {', '.join(KINDS)}")
        if not any(map(str.isalnum, self.q + self.author + self.kind)):
            raise ValueError("nothing is looked for: say a word in q, an author or a kind")


def text_of(body: Body | None, kind: str) -> str:
    """All that an entry says in words; empty = nothing that is looked for."""
    match body:
        case Note():
            said = [body.text, body.room_name or "", *(address.value for address in body.to)]
        case Report():
            said = [body.name or "", body.alias.value, body.remarks or "", *map(str, body.fields.values())]
        case Paper():
            said = [body.summary, *_strings(body.fields, _DEEP)]
        case Act():
            said = [summary_of(body, kind)]
        case _:
            said = []
    return _HIDDEN.sub(" ", " ".join(filter(None, said)))[:_TEXT_MAX]


def _strings(value: Any, deep: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif deep and isinstance(value, Mapping):
        for inner in value.values():
            yield from _strings(inner, deep - 1)
    elif deep and isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner, deep - 1)


def _said(entry: Entry) -> Said:
    envelope, body = entry.envelope, None if entry.envelope.subjects else entry.body
    name = body.author_name or "" if isinstance(body, Note) else ""
    own = body.name or "" if isinstance(body, Report) and body.own else ""
    author = f"{envelope.author} {name} {own}"
    return (entry.arrival, envelope.kind, author, envelope.happened_at_ms, text_of(body, envelope.kind))


def _search(principal: Principal, ask: AskSearch, reading: Reading) -> Iterator[Labelled]:
    journal, words = reading.journal, reading.part("words")
    index: Words = words
    hits = index.find(
        lambda after, limit: [_said(entry) for entry in journal.read(after, limit)],
        ask.q,
        author=ask.author,
        kinds=[kind for kind in ask.kind.split(",") if kind],
        from_ms=ask.from_ms,
        until_ms=ask.until_ms,
        before=arrival_of(ask.before) or 1 << 62,
    )
    for _, arrival in zip(range(HITS_MAX), hits, strict=False):
        # Read anew: what was erased since it was indexed has no words any more.
        for entry in journal.read(arrival - 1, 1):
            if entry.body is not None and not entry.envelope.subjects:
                row = labelled_entry(entry, reading.policy)
                yield msgspec.structs.replace(row, redacted=None)


SEARCH = Query(
    name="search_entries",
    path="/log/search",
    request=AskSearch,
    row=EntryRow,
    role="viewer",
    answer=_search,
    blocking=True,
    summary="Lines of the journal by their words, the newest first",
)
