"""The default store.

SQLite with group commit, files by content, secrets apart, backup in one file.
"""

from aquila.stores.sqlite.backup import Manifest, read_manifest, restore_backup, write_backup
from aquila.stores.sqlite.files import FileStore, StoredFile, write_whole
from aquila.stores.sqlite.folder import DataFolder, holder_of, machine_id
from aquila.stores.sqlite.journal import SqliteJournal
from aquila.stores.sqlite.latest import Latest
from aquila.stores.sqlite.marking import LabelClass
from aquila.stores.sqlite.positions import Positions
from aquila.stores.sqlite.schema import DamagedError
from aquila.stores.sqlite.secrets import SecretStore, SubjectKeys
from aquila.stores.sqlite.snapshots import Snapshot, Snapshots
from aquila.stores.sqlite.store import Origin, Reading, SqliteStore
from aquila.stores.sqlite.tracks import (
    TrackAnswer,
    TrackPoint,
    TrackRow,
    Tracks,
    is_worth_keeping,
)
from aquila.stores.sqlite.writer import (
    GroupWriter,
    Limits,
    Outcome,
    RefusedError,
    Settled,
    WriterState,
)

__all__ = [
    "DamagedError",
    "DataFolder",
    "FileStore",
    "GroupWriter",
    "LabelClass",
    "Latest",
    "Limits",
    "Manifest",
    "Origin",
    "Outcome",
    "Positions",
    "Reading",
    "RefusedError",
    "SecretStore",
    "Settled",
    "Snapshot",
    "Snapshots",
    "SqliteJournal",
    "SqliteStore",
    "StoredFile",
    "SubjectKeys",
    "TrackAnswer",
    "TrackPoint",
    "TrackRow",
    "Tracks",
    "WriterState",
    "holder_of",
    "is_worth_keeping",
    "machine_id",
    "read_manifest",
    "restore_backup",
    "write_backup",
    "write_whole",
]
