"""One journal.db: its writing connection, a few reading ones, and who this node writes as."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock

import msgspec

from aquila.core.errors import UsageError
from aquila.core.journal import Sealer
from aquila.core.policy import Retention
from aquila.stores.sqlite.journal import SqliteJournal
from aquila.stores.sqlite.latest import Latest
from aquila.stores.sqlite.marking import LabelClass, classes
from aquila.stores.sqlite.schema import (
    WAL_PAGES,
    DamagedError,
    Opener,
    connect,
    open_writer,
    transaction,
)
from aquila.stores.sqlite.snapshots import Snapshots
from aquila.stores.sqlite.tracks import Tracks

READERS_MAX = 4
READER_WAIT_S = 10.0


class Origin(msgspec.Struct, frozen=True):
    """Who this node writes as.

    `is_new` = a new epoch began: first start, copied or restored folder.
    """

    node: str
    epoch: int
    is_new: bool


class Reading:
    """What can be read over one connection.

    Leave it before the loop goes on: it holds back the write-ahead log.
    """

    def __init__(self, connection: sqlite3.Connection, sealer: Sealer | None) -> None:
        self.connection = connection
        self.journal = SqliteJournal(connection, sealer)
        self.tracks = Tracks(connection)
        self.latest = Latest(connection)
        self.snapshots = Snapshots(connection)

    def label_classes(self) -> dict[int, LabelClass]:
        """All label classes by number."""
        return classes(self.connection)


class SqliteStore:
    """The journal's database, open.

    Everything that writes goes through `writing`, in one thread at a time.

    Args:
        path: of journal.db; made when absent.
        sealer: opens bodies that name persons; None = they stay closed.
        opener: makes a connection; tests put faults in here.

    Raises:
        UsageError: not a journal, of a later version, or not writable.
        DamagedError: not to be trusted; left as it is.
    """

    def __init__(
        self,
        path: Path,
        *,
        sealer: Sealer | None = None,
        opener: Opener = connect,
        wal_pages: int = WAL_PAGES,
        readers_max: int = READERS_MAX,
    ) -> None:
        self.path = path
        self.sealer = sealer
        self.writing = open_writer(path, opener, wal_pages=wal_pages)
        self.journal = SqliteJournal(self.writing, sealer)
        self._opener = opener
        self._idle: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        self._readers_left = readers_max
        self._lock = Lock()
        self._all: list[sqlite3.Connection] = []

    @contextmanager
    def reader(self, wait_s: float = READER_WAIT_S) -> Iterator[Reading]:
        """A connection that can only read, out of a small pool; call it off the loop.

        Raises UsageError when all are taken for `wait_s` seconds.
        """
        connection = self._take(wait_s)
        try:
            # One transaction, so that everything read inside belongs to one moment.
            connection.execute("BEGIN")
            yield Reading(connection, self.sealer)
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._idle.put(connection)

    def _take(self, wait_s: float) -> sqlite3.Connection:
        try:
            return self._idle.get_nowait()
        except Empty:
            pass
        with self._lock:
            may_open = self._readers_left > 0
            self._readers_left -= may_open
        if may_open:
            connection = self._opener(self.path)
            connection.execute("PRAGMA busy_timeout=5000").fetchall()
            connection.execute("PRAGMA query_only=1").fetchall()
            connection.execute("PRAGMA temp_store=MEMORY").fetchall()
            self._all.append(connection)
            return connection
        try:
            return self._idle.get(timeout=wait_s)
        except Empty:
            raise UsageError(
                f"all readers of {self.path} were busy for {wait_s} s: ask for less at a time, or later"
            ) from None

    def claim(self, mark: str, *, new_node: Callable[[], str], now_ms: int) -> Origin:
        """Who this node writes as.

        A folder whose mark is another than it wrote last begins a new epoch.

        An epoch is the time at which it began, in UTC ms, and above every earlier one: two copies
        of one folder, started on two machines, must not both count to the same next number.

        Raises DamagedError when the end of this origin's own chain does not verify.
        """
        with transaction(self.writing):
            meta = dict(
                self.writing.execute("SELECT key, value FROM meta WHERE key IN ('node','epoch','mark')").fetchall()
            )
            node = meta.get("node") or new_node()
            epoch = meta.get("epoch") or 0
            is_new = meta.get("mark") != mark
            if is_new:
                epoch = max(epoch + 1, now_ms)
                self.writing.executemany(
                    "INSERT OR REPLACE INTO meta(key, value) VALUES(?,?)",
                    [("node", node), ("epoch", epoch), ("mark", mark)],
                )
        faults = self.journal.tail_faults(node, epoch)
        if faults:
            raise DamagedError(self.path, f"line {faults[0].seq} of {node}: {faults[0].what}")
        return Origin(node, epoch, is_new)

    def prune_step(self, retention: Retention, now_ms: int) -> bool:
        """Drop a little of what is too old, in the caller's transaction.

        True = there is more to drop.
        """
        if retention.track_ms is not None and Tracks(self.writing).prune(now_ms - retention.track_ms):
            return True
        if retention.latest_ms is not None:
            Latest(self.writing).prune(now_ms - retention.latest_ms)
        Snapshots(self.writing).prune(retention.snapshot_count)
        return False

    def close(self) -> None:
        """Close every connection; the writer must have stopped and no reader be in use."""
        for connection in (*self._all, self.writing):
            connection.close()
        self._all.clear()
