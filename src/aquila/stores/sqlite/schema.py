"""The tables of journal.db, and what is looked at before a database is trusted."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aquila.core.errors import UsageError

APPLICATION_ID = 0x4151_4C41
"""`AQLA` in the file's header, so that a stranger's database is never taken for a journal."""

VERSION = 4

QUICK_CHECK_MAX_BYTES = 64 << 20
"""Above this size only header, schema and the journal's end are looked at when the node starts."""

WAL_PAGES = 4000

TABLES = (
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID",
    # One origin is one chain: a node in one epoch.
    "CREATE TABLE origin(id INTEGER PRIMARY KEY, node TEXT NOT NULL, epoch INTEGER NOT NULL,"
    " UNIQUE(node, epoch)) STRICT",
    # body and salt: NULL and empty once erased or when withheld; the chain runs over `envelope`
    # alone.
    """CREATE TABLE entry(
        arrival INTEGER PRIMARY KEY, origin INTEGER NOT NULL, seq INTEGER NOT NULL,
        id TEXT NOT NULL, hlc INTEGER NOT NULL, kind TEXT NOT NULL,
        received_at_ms INTEGER NOT NULL, envelope BLOB NOT NULL, salt BLOB NOT NULL, body BLOB,
        original_format TEXT, original BLOB) STRICT""",
    "CREATE UNIQUE INDEX entry_id ON entry(id)",
    "CREATE UNIQUE INDEX entry_place ON entry(origin, seq)",
    "CREATE INDEX entry_kind ON entry(kind)",
    "CREATE INDEX entry_hlc ON entry(hlc)",
    "CREATE INDEX entry_received ON entry(received_at_ms)",
    "CREATE TABLE label_class(id INTEGER PRIMARY KEY, context TEXT NOT NULL, label BLOB NOT"
    " NULL, UNIQUE(context, label)) STRICT",
    "CREATE TABLE track_entity(uid INTEGER PRIMARY KEY, entity TEXT NOT NULL UNIQUE) STRICT",
    # Clustered by ten minutes and by cells of 0.05 degrees: where-was-who reads few pages and needs
    # no R*Tree.
    """CREATE TABLE track(
        bucket INTEGER NOT NULL, cell INTEGER NOT NULL, t INTEGER NOT NULL,
        uid INTEGER NOT NULL, class INTEGER NOT NULL,
        lat REAL NOT NULL, lon REAL NOT NULL, hae REAL, course REAL, speed REAL,
        PRIMARY KEY(bucket, cell, t, uid, class)) STRICT, WITHOUT ROWID""",
    "CREATE INDEX track_uid ON track(uid, t)",
    """CREATE TABLE latest(
        entity TEXT NOT NULL, class INTEGER NOT NULL, received_at_ms INTEGER NOT NULL,
        sample BLOB NOT NULL,
        PRIMARY KEY(entity, class)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE snapshot(
        view TEXT NOT NULL, version INTEGER NOT NULL, arrival INTEGER NOT NULL,
        state_hash BLOB NOT NULL, digest BLOB NOT NULL, data BLOB NOT NULL,
        PRIMARY KEY(view, version, arrival)) STRICT""",
)

STEPS = {
    # A line whose id stands in `entry` under another place: two nodes heard the same statement.
    1: (
        """CREATE TABLE twin(
            origin INTEGER NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL,
            envelope BLOB NOT NULL, salt BLOB NOT NULL, body BLOB, original_format TEXT, original BLOB,
            PRIMARY KEY(origin, seq)) STRICT""",
        "CREATE INDEX twin_id ON twin(id)",
    ),
    # 1 = the last point of what has ended; NULL = it goes on.
    2: ("ALTER TABLE track ADD COLUMN ended INTEGER",),
    # Who said it, and for how long he asked to be believed, ms (NULL = he did not say). A row without a source is older
    # than these columns: what its reporter asked for is not known.
    3: (
        "CREATE TABLE track_source(id INTEGER PRIMARY KEY, source TEXT NOT NULL UNIQUE) STRICT",
        "ALTER TABLE track ADD COLUMN source INTEGER",
        "ALTER TABLE track ADD COLUMN valid INTEGER",
    ),
}
"""What lifts a database of format N to N + 1. A new one is made in format 1 and lifted: there is one way only."""

Opener = Callable[[Path], sqlite3.Connection]


class DamagedError(UsageError):
    """A database that cannot be trusted. It is never repaired or replaced silently."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(
            f"{path} is damaged: {what}. It was left as it is. Copy the whole folder away for"
            f" safety, then bring a"
            " backup into a new folder with `aquila restore`"
        )


def connect(path: Path) -> sqlite3.Connection:
    """A connection without automatic transactions, usable from any one thread at a time."""
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)


def open_writer(path: Path, opener: Opener = connect, *, wal_pages: int = WAL_PAGES) -> sqlite3.Connection:
    """The one connection that writes; makes the tables in a new database.

    Raises:
        UsageError: no journal of Aquila, one of a later version, or a folder that cannot be
            written.
        DamagedError: a database that SQLite or its header calls damaged.
    """
    _check_header(path)
    connection: sqlite3.Connection | None = None
    opened = False
    try:
        connection = opener(path)
        _set_up(connection, wal_pages)
        _make_tables(connection, path)
        _quick_check(connection, path)
        opened = True
    except sqlite3.OperationalError as error:
        raise UsageError(f"{path} cannot be opened: {error}. Check its owner, the free space and the disk") from error
    except sqlite3.DatabaseError as error:
        raise DamagedError(path, str(error)) from error
    finally:
        if connection is not None and not opened:
            connection.close()
    return connection


def _check_header(path: Path) -> None:
    if path.exists() and path.stat().st_size > 0:
        with path.open("rb") as file:
            head = file.read(16)
        if head != b"SQLite format 3\0":
            raise DamagedError(path, "its first 16 bytes are not those of an SQLite database")


def _set_up(connection: sqlite3.Connection, wal_pages: int) -> None:
    mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    if mode != "wal":
        raise sqlite3.OperationalError(f"write-ahead log refused (journal mode {mode}): a local disk is needed")
    for pragma in (
        # Acknowledged means on the disk: only FULL survived every simulated power cut.
        "PRAGMA synchronous=FULL",
        "PRAGMA fullfsync=1",
        "PRAGMA busy_timeout=5000",
        "PRAGMA cache_size=-65536",
        "PRAGMA temp_store=MEMORY",
        "PRAGMA secure_delete=FAST",
        "PRAGMA journal_size_limit=67108864",
        "PRAGMA trusted_schema=OFF",
    ):
        connection.execute(pragma).fetchall()
    connection.execute("PRAGMA wal_autocheckpoint=" + str(int(wal_pages))).fetchall()


def _make_tables(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application == APPLICATION_ID:
        if version > VERSION:
            raise UsageError(
                f"{path} has format {version}; this Aquila knows formats up to {VERSION}: use the"
                f" later Aquila that wrote it"
            )
        if version < VERSION:
            with transaction(connection):
                _lift(connection, version)
        return
    if application != 0 or connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        raise UsageError(f"{path} is a database, but not a journal of Aquila: name another data folder")
    with transaction(connection):
        for statement in TABLES:
            connection.execute(statement)
        connection.execute("PRAGMA application_id=" + str(APPLICATION_ID))
        _lift(connection, 1)


def _lift(connection: sqlite3.Connection, version: int) -> None:
    for step in range(version, VERSION):
        for statement in STEPS[step]:
            connection.execute(statement)
    connection.execute("PRAGMA user_version=" + str(VERSION))


def _quick_check(connection: sqlite3.Connection, path: Path) -> None:
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    page_bytes = connection.execute("PRAGMA page_size").fetchone()[0]
    if pages * page_bytes > QUICK_CHECK_MAX_BYTES:
        return
    answer = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if answer != "ok":
        raise DamagedError(path, str(answer).replace("\n", " "))


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing: commits at the end, rolls back when anything fails, the commit too."""
    connection.execute("BEGIN IMMEDIATE")
    committed = False
    try:
        yield
        connection.execute("COMMIT")
        committed = True
    finally:
        # A full disk makes SQLite roll back by itself; then there is nothing left to roll back.
        if not committed and connection.in_transaction:
            connection.execute("ROLLBACK")
