"""Files for the owner only, written whole or not at all."""

import os
from pathlib import Path

from aquila.core.errors import UsageError


def make_private_folder(folder: Path) -> None:
    """Make a folder (and those above it) that only its owner may enter; one that exists keeps its mode."""
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_whole(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Put `content` under `path`: after a crash there is the old file or the new one. On disk on return.

    Raises UsageError when the folder cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, flags, mode), "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written ({error.strerror}): check the folder's owner and free space"
        ) from error


def read_secret(path: Path) -> bytes:
    """The bytes of a file. Raises UsageError when it is not there or may not be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror}): restore it from a backup, or check its owner"
        ) from error


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
