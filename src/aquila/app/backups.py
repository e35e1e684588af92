"""Backups on the node's own shelf: made while it runs, proven whole before they stand there, handed out as they are.

The shelf is a folder inside the data folder: it saves from a mistake, not from a broken disk. So the page says that a
backup belongs on another machine, and offers it for download.
"""

import re
import shlex
import shutil
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path

from aquila.app.finding import Finding, found
from aquila.core.errors import UsageError
from aquila.features.upkeep import BackupRow
from aquila.stores.sqlite.backup import read_manifest, restore_backup, write_backup
from aquila.stores.sqlite.folder import DataFolder
from aquila.stores.sqlite.secrets import SecretStore

SHELF_MAX = 20
OLD_MS = 86_400_000
PASSPHRASE_MIN = 8
"""Characters: a backup travels, and whoever finds it may try for as long as they like."""
SUFFIX = ".aquila-backup"
_NAME = re.compile(r"[0-9]{8}T[0-9]{9}Z\.aquila-backup")


class BackupShelf:
    """Implements features.upkeep.Backups over a data folder that this process holds.

    Args:
        folder: of the node. secrets: its open store.
    """

    def __init__(self, folder: DataFolder, secrets: SecretStore) -> None:
        self._folder = folder
        self._secrets = secrets
        self._shelf = folder.path / "backups"
        self._one_at_a_time = threading.Lock()

    def rows(self) -> list[BackupRow]:
        """What stands on the shelf, the newest first. One that cannot be read says so in `fault`."""
        if not self._shelf.exists():
            return []
        names = sorted((path.name for path in self._shelf.iterdir() if _NAME.fullmatch(path.name)), reverse=True)
        return [self._row(name) for name in names]

    def make(self, now_ms: int, passphrase: str) -> BackupRow:
        """Write one, prove it by restoring it into a folder that is thrown away, and put it on the shelf.

        passphrase: seals keys and secrets; empty = they are left out. Call it off the loop.
        Raises UsageError: another is being made, the shelf is full, a short passphrase, no space, a fault in it.
        """
        check_passphrase(passphrase)
        with self._held():
            if len(self.rows()) >= SHELF_MAX:
                raise UsageError(f"{SHELF_MAX} backups are on the shelf already: download and remove the oldest first")
            self._shelf.mkdir(mode=0o700, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".making-", dir=self._shelf) as work:
                made = Path(work) / "backup"
                write_backup(self._folder, made, now_ms=now_ms, secrets=self._secrets, passphrase=passphrase or None)
                _prove(made, Path(work), passphrase)
                made.chmod(0o600)
                name = f"{_stamp(now_ms)}{SUFFIX}"
                made.rename(self._shelf / name)
        return self._row(name)

    def prove(self, name: str) -> BackupRow:
        """The drill: restore it, without its keys, into a folder that is thrown away. Raises UsageError as `make`."""
        place = self.place(name)
        with self._held(), tempfile.TemporaryDirectory(prefix=".proving-", dir=self._shelf) as work:
            _prove(place, Path(work), "")
        return self._row(name)

    def drop(self, name: str) -> None:
        """Remove one. Raises UsageError when there is none of this name."""
        self.place(name).unlink()

    def place(self, name: str) -> Path:
        """Where it lies. Raises UsageError when there is none of this name."""
        place = self._shelf / name
        if _NAME.fullmatch(name) is None or not place.is_file():
            raise UsageError(f"there is no backup {name[:100]}: look into the list of backups")
        return place

    def finding(self, now_ms: int) -> Finding:
        """For the self-test: how old the newest good one is."""
        newest = next((row for row in self.rows() if not row.fault), None)
        if newest is None:
            return found("backup", "warn", "backup_none")
        hours = (now_ms - newest.made_at_ms) // 3_600_000
        if now_ms - newest.made_at_ms > OLD_MS:
            return found("backup", "warn", "backup_old", hours=hours)
        return found("backup", "good", "backup_good", hours=hours)

    def _row(self, name: str) -> BackupRow:
        place = self.place(name)
        size_bytes = place.stat().st_size
        command = f"aquila restore {shlex.quote(str(place))} --data NEW_FOLDER"
        try:
            manifest = read_manifest(place)
        except UsageError as wrong:
            return BackupRow(name=name, made_at_ms=0, bytes=size_bytes, entries=0, restore=command, fault=str(wrong))
        return BackupRow(
            name=name,
            made_at_ms=manifest.made_at_ms,
            bytes=size_bytes,
            entries=manifest.arrival,
            has_keys=manifest.sealing is not None,
            restore=command,
        )

    def _held(self) -> "_Held":
        return _Held(self._one_at_a_time)


class _Held:
    """A lock that is not waited for: two backups at once would only take the disk from each other."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise UsageError("a backup is being made or proven: wait until it is done")

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def check_passphrase(phrase: str) -> None:
    """Raises UsageError for one that is there and too short."""
    if 0 < len(phrase) < PASSPHRASE_MIN:
        raise UsageError(
            f"the passphrase has {len(phrase)} characters: it needs at least {PASSPHRASE_MIN}, better some words"
        )


def _prove(backup: Path, work: Path, passphrase: str) -> None:
    target = work / "restored"
    restore_backup(backup, target, passphrase=passphrase or None, without_keys=not passphrase)
    shutil.rmtree(target)


def _stamp(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y%m%dT%H%M%S}{at_ms % 1000:03d}Z"


__all__ = ["PASSPHRASE_MIN", "SHELF_MAX", "BackupShelf", "check_passphrase"]
