"""Files by their content: DATA/files/ab/cdef..., written once, never changed."""

import asyncio
import contextlib
import hashlib
import os
import re
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec

from aquila.core.errors import UsageError

FILE_MAX_BYTES = 400 << 20
CHUNK_BYTES = 1 << 20
WORKERS = 2
LOW_PRIORITY = 5
Answer = TypeVar("Answer")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class StoredFile(msgspec.Struct, frozen=True):
    """A file that is kept: SHA-256 of its content in hex, and its size."""

    sha256: str
    size_bytes: int


class FileStore:
    """The folder of files. Nothing half-written ever has a name in it. Its calls may come from any thread.

    Args:
        path: the folder. reserve_bytes: so much of the disk is left free, whatever comes.
    """

    def __init__(self, path: Path, reserve_bytes: int = 0) -> None:
        self._path = path
        self._reserve_bytes = reserve_bytes
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="files", initializer=_give_way)
        self._lock = threading.Lock()
        self._holds: Counter[str] = Counter()
        """Digest -> requests at work that brought this file."""
        self._unwanted: set[str] = set()
        """Held files that go with the last holder, unless one of them wants them."""
        self._incoming = path / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """Work on files beside the loop: by few threads of low priority, so that positions and chat go first."""
        return await asyncio.get_running_loop().run_in_executor(self._workers, work)

    def sweep(self) -> None:
        """Drop what a crash left half-written: it was never acknowledged.

        Only while nobody writes.
        """
        for left in self._incoming.iterdir():
            left.unlink()

    def put(self, chunks: Iterable[bytes], limit_bytes: int = FILE_MAX_BYTES, *, held: bool = False) -> StoredFile:
        """Keep a file as it streams in; on the disk when this returns.

        The same content twice is one file. held: nobody can remove it until the caller says `let_go`.

        Raises UsageError when it is larger than the limit, or cannot be written.
        """
        with self.receive(limit_bytes) as incoming:
            for chunk in chunks:
                incoming.write(chunk)
            return incoming.keep(held=held)

    def receive(self, limit_bytes: int = FILE_MAX_BYTES) -> "Incoming":
        """A file that comes piece by piece; nothing is left of it unless it is kept.

        Raises UsageError when it cannot be written.
        """
        return Incoming(self._incoming, self._name, limit_bytes, self._reserve_bytes)

    def _name(self, incoming: Path, kept: StoredFile, held: bool) -> None:
        place = self.path_of(kept.sha256)
        incoming.chmod(0o600)
        with self._lock:
            is_new = not place.exists()
            if is_new:
                place.parent.mkdir(exist_ok=True)
                incoming.rename(place)
            if held:
                self._holds[kept.sha256] += 1
                if is_new:
                    self._unwanted.add(kept.sha256)
        # Also for a file that was there: who put it there may not have come so far yet.
        sync_folder(self._path)
        sync_folder(place.parent)

    def let_go(self, sha256: str, *, wanted: bool) -> None:
        """One request that held a file is over; a file that nobody wanted, and that came with it, goes."""
        with self._lock:
            self._holds[sha256] -= 1
            if wanted:
                self._unwanted.discard(sha256)
            if self._holds[sha256] > 0:
                return
            del self._holds[sha256]
            if sha256 in self._unwanted:
                self._unwanted.discard(sha256)
                self.path_of(sha256).unlink(missing_ok=True)

    def path_of(self, sha256: str) -> Path:
        """Where a file lies, or would lie.

        Raises UsageError for what is no SHA-256 in lower-case hex.
        """
        if not _DIGEST.fullmatch(sha256):
            raise UsageError(f"{sha256[:80]!r} is no file digest: 64 digits 0-9a-f")
        return self._path / sha256[:2] / sha256[2:]

    def find(self, sha256: str) -> StoredFile | None:
        """The file with this digest; None = not here."""
        place = self.path_of(sha256)
        try:
            return StoredFile(sha256, place.stat().st_size)
        except FileNotFoundError:
            return None

    def remove(self, sha256: str, unless: Callable[[], bool] | None = None) -> bool:
        """Drop a file, as soon as no request holds it; False = not here, or still needed.

        Args:
            sha256: its digest.
            unless: says that it is needed; asked while no other request can come or go.
        """
        with self._lock:
            if unless is not None and unless():
                return False
            if self._holds[sha256] > 0:
                self._unwanted.add(sha256)
                return True
            del self._holds[sha256]
            try:
                self.path_of(sha256).unlink()
            except FileNotFoundError:
                return False
        return True

    def all(self) -> Iterator[StoredFile]:
        """Every file, in order of digest."""
        for folder in sorted(self._path.iterdir()):
            if len(folder.name) != 2:
                continue
            for place in sorted(folder.iterdir()):
                with contextlib.suppress(FileNotFoundError):
                    yield StoredFile(folder.name + place.name, place.stat().st_size)


class Incoming:
    """A file on its way in. Its calls wait for the disk: make them off the loop."""

    def __init__(
        self, folder: Path, name: Callable[[Path, StoredFile, bool], None], limit_bytes: int, reserve_bytes: int
    ) -> None:
        self._name = name
        self._limit_bytes = limit_bytes
        self._reserve_bytes = reserve_bytes
        self._digest = hashlib.sha256()
        self._size_bytes = 0
        with _in_one_sentence(folder):
            descriptor, path = tempfile.mkstemp(dir=folder)
        self._path = Path(path)
        self._file = os.fdopen(descriptor, "wb")

    def __enter__(self) -> "Incoming":
        return self

    def __exit__(self, *_: object) -> None:
        self.drop()

    def write(self, piece: bytes) -> None:
        """Take the next piece. Raises UsageError when it is too large now, or cannot be written."""
        self._size_bytes += len(piece)
        if self._size_bytes > self._limit_bytes:
            raise UsageError(f"the file is larger than {self._limit_bytes} bytes: send a smaller one")
        self._digest.update(piece)
        with _in_one_sentence(self._path.parent):
            if self._reserve_bytes and self._free_bytes() < self._reserve_bytes + len(piece):
                raise UsageError("the disk is almost full: no more files are taken; free some space")
            self._file.write(piece)

    def _free_bytes(self) -> int:
        disk = os.fstatvfs(self._file.fileno())
        return disk.f_bavail * disk.f_frsize

    def keep(self, *, held: bool = False) -> StoredFile:
        """That was all of it: on the disk and under its name when this returns. Raises UsageError if it cannot be.

        Args:
            held: the caller says later, with FileStore.let_go, whether it was wanted.
        """
        with _in_one_sentence(self._path.parent):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            kept = StoredFile(self._digest.hexdigest(), self._size_bytes)
            self._name(self._path, kept, held)
        # The same content was there before: this copy is one too many.
        self._path.unlink(missing_ok=True)
        return kept

    def drop(self) -> None:
        """Forget what was not kept."""
        with contextlib.suppress(OSError):
            self._file.close()
        self._path.unlink(missing_ok=True)


def _give_way() -> None:
    """Every other thread of the node goes before this one, where the system can tell them apart."""
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOW_PRIORITY)


@contextlib.contextmanager
def _in_one_sentence(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(f"the file cannot be kept in {folder} ({error.strerror}): free some space") from error


def sync_folder(path: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Put a small file in place all at once.

    Either the old or the new one is there, also after a power cut.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix="." + path.name + ".")
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).rename(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
