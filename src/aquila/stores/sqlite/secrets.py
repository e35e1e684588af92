"""What must be in no entry.

Hashes of passwords and tokens, one-time keys, and the keys of persons' sealed bodies.
"""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aquila.core.errors import DiskError, UsageError
from aquila.stores.sqlite.schema import DamagedError, transaction

KEY_BYTES = 32


def _open(path: Path, table: str) -> sqlite3.Connection:
    """A small database for the owner only.

    It uses a rollback journal and overwrites what is deleted.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in (
            "PRAGMA journal_mode=DELETE",
            "PRAGMA synchronous=EXTRA",
            "PRAGMA secure_delete=ON",
            "PRAGMA busy_timeout=5000",
        ):
            connection.execute(pragma).fetchall()
        connection.execute(table)
    except (OSError, sqlite3.OperationalError) as error:
        raise UsageError(f"{path} cannot be opened ({error}): check its owner, the free space and the disk") from error
    except sqlite3.DatabaseError as error:
        raise DamagedError(path, str(error)) from error
    return connection


@contextmanager
def _kept(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction. Raises DiskError when the disk does not take it: then nothing is changed."""
    try:
        with transaction(connection):
            yield
    except sqlite3.OperationalError as error:
        raise DiskError(f"what must be kept secret cannot be written ({error}): free some space on the disk") from error


class SecretStore:
    """Names and JSON values in DATA/secrets/secrets.db.

    Any thread may call; a change is on the disk on return. What changes something raises DiskError when it cannot be.
    """

    def __init__(self, path: Path) -> None:
        self._connection = _open(
            path,
            "CREATE TABLE IF NOT EXISTS secret(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID",
        )
        self._lock = Lock()

    def get(self, name: str) -> Any:  # JSON
        """The value; None = there is none."""
        with self._lock:
            return self._get(name)

    def put(self, name: str, value: Any) -> None:  # JSON
        """Keep a value, instead of any before it."""
        with self._lock, _kept(self._connection):
            self._put(name, value)

    def add(self, name: str, value: Any) -> bool:  # JSON
        """Keep a value if the name is free; False = it is taken, nothing changed."""
        with self._lock, _kept(self._connection):
            cursor = self._connection.execute(
                "INSERT OR IGNORE INTO secret VALUES(?,?) RETURNING name",
                (name, msgspec.json.encode(value)),
            )
            return bool(cursor.fetchall())

    def take(self, name: str) -> Any:  # JSON
        """The value, and it is gone: of two who ask, one gets it. None = there is none."""
        with self._lock, _kept(self._connection):
            rows = self._connection.execute("DELETE FROM secret WHERE name=? RETURNING value", (name,)).fetchall()
            return msgspec.json.decode(rows[0][0]) if rows else None

    def change(self, name: str, change: Callable[[Any], Any]) -> Any:  # JSON
        """Put what `change` makes of the value (None = none yet), as one step.

        Gives the new value.
        """
        with self._lock, _kept(self._connection):
            value = change(self._get(name))
            self._put(name, value)
            return value

    def remove(self, name: str) -> bool:
        """Drop a value; False = there was none."""
        with self._lock, _kept(self._connection):
            return bool(self._connection.execute("DELETE FROM secret WHERE name=? RETURNING name", (name,)).fetchall())

    def named(self, prefix: str) -> dict[str, Any]:
        """All values whose names begin with `prefix`, by name."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT name, value FROM secret WHERE substr(name, 1, length(?1))=?1 ORDER BY name",
                (prefix,),
            ).fetchall()
        return {name: msgspec.json.decode(value) for name, value in rows}

    def copy(self) -> bytes:
        """The whole database at one moment, for a backup."""
        with self._lock:
            return self._connection.serialize()

    def close(self) -> None:
        """Close it."""
        self._connection.close()

    def _get(self, name: str) -> Any:  # JSON
        row = self._connection.execute("SELECT value FROM secret WHERE name=?", (name,)).fetchone()
        return None if row is None else msgspec.json.decode(row[0])

    def _put(self, name: str, value: Any) -> None:  # JSON
        self._connection.execute("INSERT OR REPLACE INTO secret VALUES(?,?)", (name, msgspec.json.encode(value)))


class SubjectKeys:
    """One key for every person that a body names, in DATA/secrets/subjects.db.

    In no journal and in no backup.

    It is the Sealer of core.journal. A body that names several persons is sealed with all their
    keys at once, so dropping any one of them closes it for good. On flash memory the controller may
    keep an overwritten copy of a key: who needs more than this encrypts the disk.
    """

    def __init__(self, path: Path, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self._connection = _open(
            path,
            "CREATE TABLE IF NOT EXISTS subject(id TEXT PRIMARY KEY, key BLOB) STRICT, WITHOUT ROWID",
        )
        self._random_bytes = random_bytes
        self._lock = Lock()

    def seal(self, subjects: Sequence[str], body: bytes, nonce: bytes) -> bytes:
        """The sealed form; deterministic for a given nonce, which must never come twice.

        Raises ValueError when a subject was erased: nothing new is to be written about them.
        """
        key = self._joint_key(subjects, make=True)
        if key is None:
            raise ValueError(f"subjects {', '.join(subjects)}: one of them was erased; write without naming them")
        return nonce + AESGCM(key).encrypt(nonce, body, b"")

    def open(self, subjects: Sequence[str], sealed: bytes) -> bytes | None:
        """The body again; None when a key is gone, or the bytes are not what was sealed."""
        key = self._joint_key(subjects, make=False)
        if key is None or len(sealed) <= 32:
            return None
        try:
            return AESGCM(key).decrypt(sealed[:16], sealed[16:], b"")
        except InvalidTag:
            return None

    def knows(self, subject: str) -> bool:
        """Whether there is a key for this person, or was one before it was dropped."""
        with self._lock:
            found = self._connection.execute("SELECT 1 FROM subject WHERE id=?", (subject,)).fetchone()
        return found is not None

    def erase(self, subject: str) -> bool:
        """Drop a person's key for good; False = it was gone already.

        All that was sealed with it stays closed.
        """
        with self._lock, _kept(self._connection):
            had = self._connection.execute("SELECT key FROM subject WHERE id=?", (subject,)).fetchone()
            # The name stays, without a key, so that nobody makes a new one for somebody erased.
            self._connection.execute("INSERT OR REPLACE INTO subject VALUES(?, NULL)", (subject,))
        return had is not None and had[0] is not None

    def close(self) -> None:
        """Close it."""
        self._connection.close()

    def _joint_key(self, subjects: Sequence[str], *, make: bool) -> bytes | None:
        joint = hashlib.sha256(b"aquila subjects\0")
        for subject in sorted(set(subjects)):
            key = self._key(subject, make=make)
            if key is None:
                return None
            joint.update(hashlib.sha256(subject.encode()).digest() + key)
        return joint.digest()

    def _key(self, subject: str, *, make: bool) -> bytes | None:
        with self._lock:
            row = self._connection.execute("SELECT key FROM subject WHERE id=?", (subject,)).fetchone()
            if row is None and make:
                key = self._random_bytes(KEY_BYTES)
                with transaction(self._connection):
                    self._connection.execute("INSERT INTO subject VALUES(?,?)", (subject, key))
                return key
        return None if row is None else row[0]
