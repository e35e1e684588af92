"""Words of the journal, for finding: an FTS5 index in memory, made from the journal when somebody first asks.

It is not kept on disk: bodies may be sealed with their subjects' keys, and an index beside them would outlive their
erasure. What it finds is looked up in the journal again before anybody sees it.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence

TEXTS_MAX = 300_000
"""Texts kept; beyond it the oldest go. About 100 bytes of index for a line of the log."""
_PAGE = 500
_ANY = "aquilaanytext"
"""Stands in every text: a question without words finds all of them."""


Said = tuple[int, str, str, int, str]
"""What one entry says: arrival, kind, author, happened_at_ms, text in full; an empty text = it says nothing."""

ReadSaid = Callable[[int, int], Sequence[Said]]
"""(after arrival, limit) -> what the next entries say, in order of arrival; shorter than the limit = these are all."""


class JournalWords:
    """One index of one node. May be asked from any thread; one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        self._connection: sqlite3.Connection | None = None

    def find(
        self,
        read: ReadSaid,
        words: str,
        *,
        author: str = "",
        kinds: Iterable[str] = (),
        from_ms: int = 0,
        until_ms: int = 1 << 62,
        before: int = 1 << 62,
    ) -> Iterator[int]:
        """Arrival numbers of what holds all the words, the newest first.

        Args:
            read: gives what is new since the last question.
            words: each begins a word of the text; in quotes, a phrase as it stands.
            author: the same for who said it.
            kinds: empty = all.
            from_ms: when it happened, from <= t < until.
            until_ms: see from_ms.
            before: only below this arrival number.
        """
        match = match_of(words, author)
        with self._lock:
            self._catch_up(read)
        while True:
            with self._lock:
                page = self._page(match, ",".join(kinds), from_ms, until_ms, before)
            yield from page
            if len(page) < _PAGE:
                return
            before = page[-1]

    def _page(self, match: str, kinds: str, from_ms: int, until_ms: int, before: int) -> list[int]:
        rows = self._open().execute(
            "SELECT words.rowid FROM words CROSS JOIN said ON said.arrival = words.rowid"
            " WHERE words MATCH ? AND words.rowid < ? AND said.happened_at_ms >= ? AND said.happened_at_ms < ?"
            " AND (? = '' OR instr(?, ',' || said.kind || ',')) ORDER BY words.rowid DESC LIMIT ?",
            (match, before, from_ms, until_ms, kinds, f",{kinds},", _PAGE),
        )
        return [row[0] for row in rows]

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
            # Without the texts themselves: they are in the journal.
            connection.execute(
                "CREATE VIRTUAL TABLE words USING fts5(text, author, content='', detail=full, prefix='2 3',"
                " tokenize='unicode61 remove_diacritics 2')"
            )
            connection.execute(
                "CREATE TABLE said(arrival INTEGER PRIMARY KEY, kind TEXT, happened_at_ms INTEGER) STRICT"
            )
            self._connection = connection
        return self._connection

    def _catch_up(self, read: ReadSaid) -> None:
        while True:
            page = read(self._last, _PAGE)
            if page:
                self._take(page)
            if len(page) < _PAGE:
                return

    def _take(self, page: Sequence[Said]) -> None:
        connection = self._open()
        told = [each for each in page if each[4]]
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO words(rowid, text, author) VALUES(?,?,?)",
            ((arrival, f"{_ANY} {text}", author) for arrival, _, author, _, text in told),
        )
        connection.executemany(
            "INSERT INTO said VALUES(?,?,?)", ((arrival, kind, at_ms) for arrival, kind, _, at_ms, _ in told)
        )
        # A text that is no longer in `said` is found by nobody; its words stay in the index until the node stops.
        connection.execute(
            "DELETE FROM said WHERE arrival <= (SELECT arrival FROM said ORDER BY arrival DESC LIMIT 1 OFFSET ?)",
            (TEXTS_MAX,),
        )
        connection.execute("COMMIT")
        self._last = page[-1][0]


def match_of(words: str, author: str) -> str:
    """The question in FTS5's own language; what people type is never read as its operators."""
    text = [*_parts(words), f'"{_ANY}"']
    return " AND ".join([f"text : {each}" for each in text] + [f"author : {each}" for each in _parts(author)])


def _parts(typed: str) -> list[str]:
    parts = []
    # FTS5 reads its question as C does a text: a NUL would end it within the quotes.
    for number, piece in enumerate(typed.replace("\0", " ").split('"')):
        if number % 2:
            parts += [f'"{piece}"'] if any(map(str.isalnum, piece)) else []
        else:
            parts += [f'"{word}"*' for word in piece.split() if any(map(str.isalnum, word))]
    return parts
