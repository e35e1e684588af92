"""The data folder: what lies where, who holds it, and whether it is still the one that it was."""

import contextlib
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from aquila.core.errors import UsageError
from aquila.stores.sqlite.files import FileStore, sync_folder, write_whole
from aquila.stores.sqlite.schema import open_writer

MACHINE_ID_PATH = Path("/etc/machine-id")


def machine_id(path: Path = MACHINE_ID_PATH) -> str:
    """What names this machine; `unknown` where the system has no name for itself."""
    try:
        return path.read_text(encoding="ascii").strip() or "unknown"
    except OSError:
        return "unknown"


class DataFolder:
    """A data folder that this program holds alone, until `close`.

    Attributes:
        was_made: it is new.
        mark: machine, place and number of the database's file. A copy, a restored backup or a
            folder on another machine has another mark, and then the node begins a new epoch.
    """

    def __init__(self, path: Path, *, machine: str, make: bool = True) -> None:
        """Take the folder, and make it when it is absent or empty.

        Raises UsageError, in one sentence: held by another process (whose number it says), not a
        data folder, read-only, full.
        """
        self.path = path.absolute()
        self.was_made = False
        try:
            if not self.journal_path.exists():
                self._make(make)
            self._lock = self._take_lock()
        except OSError as error:
            raise UsageError(_sentence(self.path, error)) from error
        try:
            for folder, mode in ((self.files_path, 0o700), (self.secrets_path, 0o700)):
                folder.mkdir(mode=mode, exist_ok=True)
                folder.chmod(mode)
            FileStore(self.files_path).sweep()
            self.mark = self._mark(machine)
        except OSError as error:
            self.close()
            raise UsageError(_sentence(self.path, error)) from error

    @property
    def journal_path(self) -> Path:
        """The database."""
        return self.path / "journal.db"

    @property
    def files_path(self) -> Path:
        """Files by their content."""
        return self.path / "files"

    @property
    def secrets_path(self) -> Path:
        """Keys and hashes; for the owner only."""
        return self.path / "secrets"

    @property
    def ports_path(self) -> Path:
        """Where the ports stand that a running node listens on."""
        return self.path / "ports.json"

    @property
    def hosts_path(self) -> Path:
        """Where the addresses stand at which these ports are open."""
        return self.path / "hosts.json"

    @property
    def control_path(self) -> Path:
        """The socket by which commands talk to a running node."""
        return self.path / "control.sock"

    @property
    def lock_path(self) -> Path:
        """Locked while a process holds the folder; holds its number."""
        return self.path / "lock"

    def write_ports(self, ports: Mapping[str, int], hosts: Mapping[str, str]) -> None:
        """Say which ports are open, all at once, and at which address each."""
        # First, for who waits for the ports reads on at once.
        write_whole(self.hosts_path, msgspec.json.encode(dict(hosts)) + b"\n", 0o644)
        write_whole(self.ports_path, msgspec.json.encode(dict(ports)) + b"\n", 0o644)

    def close(self) -> None:
        """Let the folder go."""
        self.ports_path.unlink(missing_ok=True)
        self.hosts_path.unlink(missing_ok=True)
        os.close(self._lock)

    def __enter__(self) -> "DataFolder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _make(self, may_make: bool) -> None:
        path = self.path
        there = path.exists()
        if there and (not path.is_dir() or any(path.iterdir())):
            raise UsageError(f"{path} is no data folder of Aquila (there is no journal.db) and not empty: name another")
        if not may_make:
            raise UsageError(f"{path} is no data folder: name one with --data, or make one with `aquila serve`")
        path.parent.mkdir(parents=True, exist_ok=True)
        # Made beside and moved into place, so that a crash never leaves half a folder behind.
        building = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        try:
            (building / "files").mkdir(mode=0o700)
            (building / "secrets").mkdir(mode=0o700)
            open_writer(building / "journal.db").close()
            self.was_made = move_into_place(building, path)
        finally:
            shutil.rmtree(building, ignore_errors=True)

    def _take_lock(self) -> int:
        lock = os.open(self.lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(lock)
            raise UsageError(
                f"data folder {self.path} is held by process {holder}: one node writes a folder;"
                f" stop that one, or name"
                " another folder with --data"
            ) from None
        try:
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        except OSError:
            os.close(lock)
            raise
        return lock

    def _mark(self, machine: str) -> str:
        return f"{machine}:{self.journal_path.stat().st_ino}:{self.path.resolve()}"


def holder_of(path: Path) -> int | None:
    """The number of the process that holds this data folder; None = nobody does."""
    try:
        lock = os.open(path / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        with contextlib.suppress(ValueError):
            return int(os.pread(lock, 32, 0))
        return 0
    finally:
        os.close(lock)
    return None


def move_into_place(building: Path, path: Path) -> bool:
    """Give a folder that was made beside its name.

    False = meanwhile somebody else's stands there.
    """
    sync_folder(building)
    try:
        building.rename(path)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    sync_folder(path.parent)
    return True


def _sentence(path: Path, error: OSError) -> str:
    match error.errno:
        case errno.EROFS:
            return (
                f"data folder {path} is on a read-only file system: mount it for writing, or name another with --data"
            )
        case errno.EACCES | errno.EPERM:
            return f"data folder {path} may not be written by this user: change its owner, or name another with --data"
        case errno.ENOSPC | errno.EDQUOT:
            return f"data folder {path} is on a full disk: free some space, or name another with --data"
        case errno.ENOTDIR | errno.EEXIST:
            return f"data folder {path}: a part of this path is a file: name another with --data"
        case _:
            return f"data folder {path} cannot be used ({error.strerror or error}): name another with --data"
