"""Looking back: what a rule would have proposed, had it stood when the journal was written. Rules hear what comes only.

The edge reads the journal beside the loop and hands each entry to a search; what is sought, what fits and what is
written of it is pure. As with rules, what is written has an id derived from its key, so that it counts once.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

import msgspec

from aquila.core.journal import JournalStore
from aquila.core.model import Entry
from aquila.core.rule import Proposal
from aquila.core.view import View

ENTRIES_MAX: Final = 100_000
"""Statements that one look goes back over, the newest first."""
KINDS: Final = frozenset({"note", "report", "paper"})
"""Of the entries that are looked at: those that tell something."""
PAGE: Final = 500


class Looked(msgspec.Struct, frozen=True):
    """How far a look went.

    Attributes:
        entries: how many were looked at. received_from_ms: when the last of them, the oldest here, was received; None =
            none was.
        is_whole: the journal has none that is older.
    """

    entries: int
    received_from_ms: int | None
    is_whole: bool


class Search(Protocol):
    """Everything that is sought in one walk back through the journal. One thread has it at a time."""

    def take(self, entry: Entry) -> None:
        """Look at one entry; they come newest first."""
        ...

    def told(self, views: Mapping[str, View], looked: Looked) -> Iterable[Proposal]:
        """What is to be written of it, each with a key; on the loop's thread, after the last `take`."""
        ...


class LookBack(msgspec.Struct, frozen=True):
    """A named, versioned way to look back.

    Attributes:
        wakes: can a search be due because of this entry?
        due: of (views, id of this node, UTC ms): all that is to be sought now; None = nothing. What `Search.told`
            proposes, once it is folded, makes it due no more.
    """

    name: str
    version: int
    wakes: Callable[[Entry], bool]
    due: Callable[[Mapping[str, View], str, int], Search | None]


def look_through(journal: JournalStore, search: Search, is_over: Callable[[], bool] = lambda: False) -> Looked:
    """Hand the newest `ENTRIES_MAX` entries to a search. is_over: asked between pages whether the time is up."""
    before, count, received_ms = journal.last_arrival() + 1, 0, None
    while count < ENTRIES_MAX and not is_over():
        page = journal.newest(before, min(PAGE, ENTRIES_MAX - count), KINDS)
        if not page:
            return Looked(count, received_ms, True)
        for entry in page:
            search.take(entry)
        before, count, received_ms = page[-1].arrival, count + len(page), page[-1].envelope.received_at_ms
    return Looked(count, received_ms, not journal.newest(before, 1, KINDS))
