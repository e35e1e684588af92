"""Backup: one file that is consistent while the node runs, proven whole before it is restored.

A plain tar, in this order: manifest.json (what is inside, sizes and digests), manifest.sha256,
journal.db, files/<sha256>..., and secrets.sealed when a passphrase was given (scrypt, AES-256-GCM).
The keys of sealed bodies (secrets/subjects.db) never go in: an erased person stays erased when a
backup comes back.
"""

import hashlib
import io
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final, Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from aquila.core.errors import UsageError
from aquila.stores.sqlite.files import CHUNK_BYTES, FileStore, sync_folder
from aquila.stores.sqlite.folder import DataFolder, move_into_place
from aquila.stores.sqlite.journal import SqliteJournal
from aquila.stores.sqlite.schema import VERSION, open_writer, transaction
from aquila.stores.sqlite.secrets import SecretStore

FORMAT: Final = "aquila-backup"
FORMAT_VERSION = 1
SCRYPT_N = 1 << 17
SCRYPT_N_MAX = 1 << 20
MANIFEST_MAX_BYTES = 64 << 20
SECRETS_MAX_BYTES = 64 << 20

Told = Callable[[str, int, int], None]
"""Progress: what is being done, bytes done, bytes in all."""


class Sealing(msgspec.Struct, frozen=True):
    """How secrets.sealed was made from the passphrase."""

    kdf: Literal["scrypt"]
    n: int
    r: int
    p: int
    salt: bytes
    nonce: bytes


class Part(msgspec.Struct, frozen=True):
    """One member of the file."""

    name: str
    size_bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds."""

    format: Literal["aquila-backup"] = FORMAT
    version: int = FORMAT_VERSION
    schema: int = VERSION
    made_at_ms: int
    node: str
    epoch: int
    arrival: int
    parts: tuple[Part, ...]
    sealing: Sealing | None = None


def write_backup(
    folder: DataFolder,
    out: Path,
    *,
    now_ms: int,
    secrets: SecretStore | None = None,
    passphrase: str | None = None,
    told: Told | None = None,
) -> Manifest:
    """Write a backup of a folder that this process holds, also while its node writes on.

    Call it off the loop.

    Args:
        folder: held by this process.
        out: the file to be made; never overwritten.
        now_ms: time of the backup, UTC ms.
        told: hears of the progress.
        secrets: the open secret store; its values go in, sealed, together with all files of
            DATA/secrets.
        passphrase: seals keys and hashes; None = they are left out.

    Raises UsageError: `out` exists, its disk is full, an empty passphrase.
    """
    if out.exists():
        raise UsageError(f"{out} exists: a backup never overwrites anything; name another file")
    if passphrase is not None and not passphrase:
        raise UsageError("the passphrase is empty: give one, or leave the keys out")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        try:
            manifest = _write(folder, work, now_ms, secrets, passphrase, told or _quiet)
            (work / "backup").rename(out)
            sync_folder(out.parent)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except (OSError, sqlite3.OperationalError) as error:
        raise UsageError(
            f"the backup cannot be written to {out} ({error}): free some space, or name another place"
        ) from error
    return manifest


def _write(
    folder: DataFolder,
    work: Path,
    now_ms: int,
    secrets: SecretStore | None,
    passphrase: str | None,
    told: Told,
) -> Manifest:
    copy = work / "journal.db"
    _copy_database(folder.journal_path, copy)
    # After the journal: a file that an entry names is kept before the entry is written, so it
    # cannot be missing.
    files = FileStore(folder.files_path)
    stored = [(f"files/{one.sha256}", files.path_of(one.sha256)) for one in files.all()]
    sealing, sealed = None, None
    if passphrase is not None:
        sealing, sealed_bytes = _seal(_pack_secrets(folder.secrets_path, secrets), passphrase)
        sealed = work / "secrets.sealed"
        sealed.write_bytes(sealed_bytes)
    members = [("journal.db", copy), *stored, *([("secrets.sealed", sealed)] if sealed else [])]
    total = sum(place.stat().st_size for _, place in members)
    parts = tuple(Part(name, place.stat().st_size, _digest(place)) for name, place in members)
    node, epoch, arrival = _identity(copy)
    manifest = Manifest(made_at_ms=now_ms, node=node, epoch=epoch, arrival=arrival, parts=parts, sealing=sealing)
    with (work / "backup").open("wb") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            head = msgspec.json.encode(manifest)
            _add_bytes(tar, "manifest.json", head)
            _add_bytes(tar, "manifest.sha256", hashlib.sha256(head).hexdigest().encode())
            done = 0
            for name, place in members:
                told(name, done, total)
                with place.open("rb") as source:
                    member = tarfile.TarInfo(name)
                    member.size = place.stat().st_size
                    member.mode = 0o600
                    tar.addfile(member, source)
                done += member.size
            told("done", total, total)
        file.flush()
        os.fsync(file.fileno())
        os.fchmod(file.fileno(), 0o600)
    return manifest


def _copy_database(source: Path, target: Path) -> None:
    # VACUUM INTO reads one moment of the database, leaves out what was deleted, and does not hold
    # up the writer.
    connection = sqlite3.connect(source, isolation_level=None)
    try:
        connection.execute("PRAGMA busy_timeout=5000").fetchall()
        connection.execute("VACUUM INTO ?", (str(target),))
    finally:
        connection.close()
    connection = sqlite3.connect(target, isolation_level=None)
    try:
        connection.execute("DELETE FROM meta WHERE key IN ('mark', 'probe')")
    finally:
        connection.close()


def _identity(copy: Path) -> tuple[str, int, int]:
    connection = sqlite3.connect(copy, isolation_level=None)
    try:
        meta = dict(connection.execute("SELECT key, value FROM meta WHERE key IN ('node','epoch')").fetchall())
        return meta.get("node", ""), meta.get("epoch", 0), SqliteJournal(connection).last_arrival()
    finally:
        connection.close()


def _pack_secrets(path: Path, secrets: SecretStore | None) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for place in sorted(path.rglob("*")):
            name = place.relative_to(path).as_posix()
            # Databases are copied through their own connection, or not at all.
            if place.is_file() and not place.is_symlink() and not re.fullmatch(r"(secrets|subjects)\.db.*", name):
                _add_bytes(tar, name, place.read_bytes())
        if secrets is not None:
            _add_bytes(tar, "secrets.db", secrets.copy())
    return packed.getvalue()


def _seal(data: bytes, passphrase: str) -> tuple[Sealing, bytes]:
    sealing = Sealing("scrypt", SCRYPT_N, 8, 1, os.urandom(16), os.urandom(12))
    return sealing, AESGCM(_key(passphrase, sealing)).encrypt(sealing.nonce, data, FORMAT.encode())


def _key(passphrase: str, sealing: Sealing) -> bytes:
    # The figures come from the file: a damaged or hostile one must not take all memory.
    if not (2 <= sealing.n <= SCRYPT_N_MAX and sealing.r == 8 and sealing.p == 1):
        raise UsageError(
            f"the backup asks for scrypt n={sealing.n}, r={sealing.r}, p={sealing.p}: not what Aquila writes"
        )
    return Scrypt(salt=sealing.salt, length=32, n=sealing.n, r=sealing.r, p=sealing.p).derive(passphrase.encode())


def _add_bytes(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    member.mode = 0o600
    tar.addfile(member, io.BytesIO(data))


def _digest(place: Path) -> str:
    with place.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def restore_backup(
    backup: Path,
    target: Path,
    *,
    passphrase: str | None = None,
    without_keys: bool = False,
    told: Told | None = None,
) -> Manifest:
    """Make a data folder of a backup, after every digest and the whole chain were proven.

    Its node begins a new epoch.

    Args:
        backup: the file.
        target: a folder that is absent or empty.
        passphrase: needed when the backup holds keys.
        told: hears of the progress.
        without_keys: restore a backup that holds keys without them; the node then makes new ones.

    Raises UsageError: the target is there already, a damaged or foreign file, a wrong or missing
    passphrase.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} is there already: a backup is only restored into a new or empty folder")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            with backup.open("rb") as file:
                manifest = _read(file, backup, building, passphrase, without_keys, told or _quiet)
            _prove(building / "journal.db", backup)
            if not move_into_place(building, target):
                raise UsageError(f"{target} is there already: a backup is only restored into a new or empty folder")
        finally:
            shutil.rmtree(building, ignore_errors=True)
    except tarfile.TarError as error:
        raise _damaged(backup, str(error)) from error
    except OSError as error:
        raise UsageError(f"{backup} cannot be restored into {target}: {error}") from error
    return manifest


def read_manifest(backup: Path) -> Manifest:
    """What a backup says that it holds. Raises UsageError for a damaged or foreign file."""
    try:
        with backup.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
            return _manifest(_members(tar), backup)
    except (tarfile.TarError, OSError) as error:
        raise _damaged(backup, str(error)) from error


Members = Iterator[tuple[tarfile.TarInfo, IO[bytes]]]


def _members(tar: tarfile.TarFile) -> Members:
    while (member := tar.next()) is not None:
        source = tar.extractfile(member) if member.isreg() else None
        if source is None:
            raise tarfile.TarError(f"{member.name!r} is no plain file")
        yield member, source


def _manifest(members: Members, backup: Path) -> Manifest:
    head = _small(next(members, None), "manifest.json", MANIFEST_MAX_BYTES, backup)
    digest = _small(next(members, None), "manifest.sha256", 64, backup)
    if hashlib.sha256(head).hexdigest().encode() != digest:
        raise _damaged(backup, "its manifest does not match its digest")
    try:
        manifest = msgspec.json.decode(head, type=Manifest)
    except msgspec.ValidationError as error:
        raise _damaged(backup, str(error)) from error
    if manifest.version > FORMAT_VERSION or manifest.schema > VERSION:
        raise UsageError(
            f"{backup} was written by a later Aquila (format {manifest.version}, journal {manifest.schema})"
        )
    return manifest


def _small(found: tuple[tarfile.TarInfo, IO[bytes]] | None, name: str, limit: int, backup: Path) -> bytes:
    if found is None or found[0].name != name or found[0].size > limit:
        raise _damaged(backup, f"{name} is missing, so it is no backup of Aquila")
    return found[1].read()


def _read(
    file: IO[bytes],
    backup: Path,
    building: Path,
    passphrase: str | None,
    without_keys: bool,
    told: Told,
) -> Manifest:
    (building / "secrets").mkdir(mode=0o700)
    files = FileStore(building / "files")
    with tarfile.open(fileobj=file, mode="r:") as tar:
        members = _members(tar)
        manifest = _manifest(members, backup)
        if manifest.sealing is not None and passphrase is None and not without_keys:
            raise UsageError(f"{backup} holds keys: give its passphrase, or say that it is to be restored without keys")
        total, done = sum(part.size_bytes for part in manifest.parts), 0
        for part in manifest.parts:
            told(part.name, done, total)
            member, source = next(members, (None, None))
            if member is None or source is None or member.name != part.name or member.size != part.size_bytes:
                raise _damaged(backup, f"{part.name} is missing or cut")
            _place(part, source, backup, building, files, manifest, passphrase)
            done += part.size_bytes
        told("done", total, total)
    return manifest


def _place(
    part: Part,
    source: IO[bytes],
    backup: Path,
    building: Path,
    files: FileStore,
    manifest: Manifest,
    passphrase: str | None,
) -> None:
    """Put one part where it belongs.

    Only the names that Aquila writes exist, so none can lead out of the folder.
    """
    digest = hashlib.sha256()

    def chunks() -> Iterator[bytes]:
        while chunk := source.read(CHUNK_BYTES):
            digest.update(chunk)
            yield chunk

    sealed = b""
    if part.name == "journal.db":
        with (building / "journal.db").open("wb") as file:
            file.writelines(chunks())
            file.flush()
            os.fsync(file.fileno())
    elif re.fullmatch(r"files/[0-9a-f]{64}", part.name):
        kept = files.put(chunks(), limit_bytes=max(1, part.size_bytes))
        if f"files/{kept.sha256}" != part.name:
            raise _damaged(backup, f"{part.name} is not the file of that digest")
    elif part.name == "secrets.sealed" and part.size_bytes <= SECRETS_MAX_BYTES:
        sealed = b"".join(chunks())
    else:
        raise _damaged(backup, f"{part.name!r} has no place in a backup")
    if digest.hexdigest() != part.sha256:
        raise _damaged(backup, f"{part.name} does not match its digest")
    if sealed and passphrase is not None and manifest.sealing is not None:
        _unseal(sealed, manifest.sealing, passphrase, building / "secrets", backup)


def _unseal(sealed: bytes, sealing: Sealing, passphrase: str, folder: Path, backup: Path) -> None:
    try:
        packed = AESGCM(_key(passphrase, sealing)).decrypt(sealing.nonce, sealed, FORMAT.encode())
    except InvalidTag:
        raise UsageError(f"wrong passphrase for {backup}: nothing was restored") from None
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:") as tar:
        for member, source in _members(tar):
            place = folder / member.name
            if not place.resolve().is_relative_to(folder.resolve()):
                raise _damaged(backup, f"{member.name!r} leads out of the folder of secrets")
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            place.touch(mode=0o600)
            place.write_bytes(source.read())


def _prove(path: Path, backup: Path) -> None:
    """The whole database and every chain in it, or nothing is restored."""
    connection = open_writer(path)
    try:
        answer = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if answer != "ok":
            raise _damaged(backup, f"its journal.db: {answer}")
        fault = next(SqliteJournal(connection).faults(), None)
        if fault is not None:
            raise _damaged(backup, f"line {fault.seq} of {fault.node}: {fault.what}")
        with transaction(connection):
            connection.execute("DELETE FROM meta WHERE key='mark'")
    finally:
        connection.close()


def _damaged(backup: Path, what: str) -> UsageError:
    return UsageError(f"{backup} is damaged or no backup: {what}. Nothing was restored; try another copy of it")


def _quiet(_what: str, _done: int, _total: int) -> None:
    pass
