"""Files by their content: DATA/files/ab/cdef..., written once, never changed."""

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from aquila.core.errors import UsageError

FILE_MAX_BYTES = 400 << 20
CHUNK_BYTES = 1 << 20
_DIGEST = re.compile(r"[0-9a-f]{64}")


class StoredFile(msgspec.Struct, frozen=True):
    """A file that is kept: SHA-256 of its content in hex, and its size."""

    sha256: str
    size_bytes: int


class FileStore:
    """The folder of files. Nothing half-written ever has a name in it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._incoming = path / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)

    def sweep(self) -> None:
        """Drop what a crash left half-written: it was never acknowledged.

        Only while nobody writes.
        """
        for left in self._incoming.iterdir():
            left.unlink()

    def put(self, chunks: Iterable[bytes], limit_bytes: int = FILE_MAX_BYTES) -> StoredFile:
        """Keep a file as it streams in; on the disk when this returns.

        The same content twice is one file.

        Raises UsageError when it is larger than the limit, or cannot be written.
        """
        with self.receive(limit_bytes) as incoming:
            for chunk in chunks:
                incoming.write(chunk)
            return incoming.keep()

    def receive(self, limit_bytes: int = FILE_MAX_BYTES) -> "Incoming":
        """A file that comes piece by piece; nothing is left of it unless it is kept.

        Raises UsageError when it cannot be written.
        """
        return Incoming(self._incoming, self._name, limit_bytes)

    def _name(self, incoming: Path, kept: StoredFile) -> None:
        place = self.path_of(kept.sha256)
        if place.exists():
            return
        if not place.parent.exists():
            place.parent.mkdir(exist_ok=True)
            sync_folder(self._path)
        incoming.chmod(0o600)
        incoming.rename(place)
        sync_folder(place.parent)

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

    def remove(self, sha256: str) -> bool:
        """Drop a file; False = not here."""
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

    def __init__(self, folder: Path, name: Callable[[Path, StoredFile], None], limit_bytes: int) -> None:
        self._name = name
        self._limit_bytes = limit_bytes
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
            self._file.write(piece)

    def keep(self) -> StoredFile:
        """That was all of it: on the disk and under its name when this returns. Raises UsageError if it cannot be."""
        with _in_one_sentence(self._path.parent):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            kept = StoredFile(self._digest.hexdigest(), self._size_bytes)
            self._name(self._path, kept)
        return kept

    def drop(self) -> None:
        """Forget what was not kept."""
        with contextlib.suppress(OSError):
            self._file.close()
        self._path.unlink(missing_ok=True)


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
