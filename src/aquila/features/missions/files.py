"""Files of a mission: what the node's packages say of them, and the mission as one archive."""

import hashlib
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

import msgspec

from aquila.codecs.cot.event import element
from aquila.codecs.cot.marti import instant
from aquila.core.errors import UsageError
from aquila.core.feature import Reading
from aquila.core.model import Verdict

PIECE_BYTES = 1 << 18
_DATE = (1980, 1, 1, 0, 0, 0)
"""Of every file in an archive, so that equal content is equal bytes."""


class KeptFiles(Protocol):
    """The part `files` of a node."""

    def find(self, sha256: str) -> Any:
        """A kept file; None = not here."""
        ...

    def path_of(self, sha256: str) -> Path:
        """Where it lies."""
        ...


class KnownFiles(Protocol):
    """The view `packages`."""

    def of_digest(self, sha256: str, now_ms: int) -> Sequence[Any]:
        """All packages with these bytes, the newest first: label, context, uid, facts."""
        ...


class Archive(msgspec.Struct, frozen=True, kw_only=True):
    """What goes into the archive of a mission.

    Attributes:
        files: (digest, name, where it lies). events: (uid, XML) of entities.
    """

    name: str
    guid: str
    files: tuple[tuple[str, str, Path], ...]
    events: tuple[tuple[str, str], ...]


def package_of(sha256: str, reading: Reading) -> Any:
    """The newest package with these bytes that the asker may see; None = none."""
    # Another feature's view, by no more than what is asked of it.
    known = cast("KnownFiles | None", reading.views.get("packages"))
    if known is None:
        return None
    return next(
        (
            package
            for package in known.of_digest(sha256, reading.now_ms())
            if reading.release(package.label, package.context).verdict is Verdict.FULL
        ),
        None,
    )


def is_there(sha256: str, reading: Reading) -> bool:
    """May the asker see this file, and is it here? Looks at the disk."""
    if package_of(sha256, reading) is None:
        return False
    try:
        files: KeptFiles = reading.part("files")
        return files.find(sha256) is not None
    except UsageError:
        return False


def resource_of(sha256: str, reading: Reading) -> dict[str, Any]:
    """What the asker may know of a file besides its digest; empty = nothing.

    A mission keeps nothing of it: a file may be marked more strictly than the mission that it was put into.
    """
    package = package_of(sha256, reading)
    if package is None:
        return {}
    facts = package.facts
    return {
        "name": facts.name,
        "mimeType": facts.mime,
        "size": facts.size_bytes,
        "submitter": facts.submitter_name,
        "submissionTime": instant(facts.added_at_ms),
        "creatorUid": facts.creator_uid,
        "keywords": list(facts.keywords),
        "uid": package.uid,
    }


def zipped(archive: Archive) -> Iterator[bytes]:
    """A data package with all of it, in pieces."""
    pipe = _Pipe()
    # zipfile writes to whatever has write and flush when it cannot seek; its stub wants all of a file.
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as packed:  # type: ignore[call-overload]
        _write(packed, "MANIFEST/manifest.xml", _manifest(archive).encode())
        for uid, xml in archive.events:
            _write(packed, _event_name(uid), xml.encode())
            yield pipe.taken()
        for digest, name, path in archive.files:
            yield from _file(packed, pipe, _file_name(digest, name), path)
    yield pipe.taken()


class _Pipe:
    """Takes what a zip writes, for who reads it piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Take it."""
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def taken(self) -> bytes:
        """What came since the last time."""
        found, self._pieces = b"".join(self._pieces), []
        return found


def _write(packed: zipfile.ZipFile, name: str, data: bytes) -> None:
    packed.writestr(zipfile.ZipInfo(name, _DATE), data)


def _file(packed: zipfile.ZipFile, pipe: _Pipe, name: str, path: Path) -> Iterator[bytes]:
    with path.open("rb") as file, packed.open(zipfile.ZipInfo(name, _DATE), "w", force_zip64=True) as member:
        while piece := file.read(PIECE_BYTES):
            member.write(piece)
            yield pipe.taken()


def _manifest(archive: Archive) -> str:
    parameters = element("Parameter", {"name": "uid", "value": archive.guid})
    parameters += element("Parameter", {"name": "name", "value": archive.name})
    contents = ""
    for uid, _ in archive.events:
        inner = element("Parameter", {"name": "uid", "value": uid})
        contents += element("Content", {"ignore": "false", "zipEntry": _event_name(uid)}, inner)
    for digest, name, _ in archive.files:
        contents += element("Content", {"ignore": "false", "zipEntry": _file_name(digest, name)})
    return (
        '<MissionPackageManifest version="2">'
        f"<Configuration>{parameters}</Configuration><Contents>{contents}</Contents></MissionPackageManifest>"
    )


def _event_name(uid: str) -> str:
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "-_") else "_" for char in uid)[:200]
    if plain != uid:
        # Two uids of another script would become one name, and the archive is refused when it comes back.
        plain = f"{plain[:100]}-{hashlib.sha256(uid.encode()).hexdigest()[:16]}"
    return f"{plain}/{plain}.cot"


def _file_name(digest: str, name: str) -> str:
    plain = "".join(char if char.isalnum() or char in "-_ .()" else "_" for char in name).strip(". ")[:200]
    return f"{digest}/{plain or 'file'}"
