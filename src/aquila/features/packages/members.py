"""Members: what is in a data package, taken out of it: files that are kept, and CoT events.

Only a zip that `check_archive` has passed is opened: its names are harmless, its sizes true.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

import msgspec
from lxml import etree

from aquila.features.packages.archive import PIECE_BYTES, check_archive

MANIFEST_BYTES_MAX = 4 << 20
EVENT_BYTES_MAX = 60_000
EVENTS_MAX = 1_000
FOLDER = "MANIFEST/"
MANIFEST = "manifest.xml"


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a package. name: the last part of its path."""

    path: str
    name: str
    size_bytes: int


class Unpacked(msgspec.Struct, frozen=True, kw_only=True):
    """What a package holds. events: CoT as it stands there."""

    files: tuple[Member, ...]
    events: tuple[bytes, ...]


def look_into(path: Path) -> Unpacked:
    """What a package holds; what its manifest says to ignore is left out.

    Raises ValueError with a sentence: no zip that may be opened, too many or too large events, a manifest that does not
    parse. OSError when it cannot be read.
    """
    check_archive(path)
    files: list[Member] = []
    events: list[bytes] = []
    with zipfile.ZipFile(path) as archive:
        ignored = _ignored(archive)
        for each in archive.infolist():
            name = PurePosixPath(each.filename.replace("\\", "/")).name
            if each.is_dir() or each.filename in ignored or each.filename.startswith(FOLDER) or name == MANIFEST:
                continue
            if name.lower().endswith(".cot"):
                events.append(_event(archive, each))
            elif each.file_size:
                files.append(Member(path=each.filename, name=name, size_bytes=each.file_size))
    if len(events) > EVENTS_MAX:
        raise ValueError(f"the package holds {len(events)} CoT events: at most {EVENTS_MAX}")
    return Unpacked(files=tuple(files), events=tuple(events))


def pieces_of(path: Path, member: Member) -> Iterator[bytes]:
    """The bytes of one file of a package, in pieces. Raises OSError."""
    with zipfile.ZipFile(path) as archive, archive.open(member.path) as file:
        yield from _pieces(file)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(PIECE_BYTES):
        yield piece


def _event(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    if member.file_size > EVENT_BYTES_MAX:
        raise ValueError(f"the event {member.filename[:80]!r} is longer than {EVENT_BYTES_MAX} bytes")
    return archive.read(member)


def _ignored(archive: zipfile.ZipFile) -> frozenset[str]:
    """Paths that the manifest says to ignore. Raises ValueError when it does not parse."""
    found = next((each for each in archive.infolist() if each.filename.lower() == f"{FOLDER}{MANIFEST}".lower()), None)
    if found is None:
        return frozenset()
    if found.file_size > MANIFEST_BYTES_MAX:
        raise ValueError(f"the manifest is longer than {MANIFEST_BYTES_MAX} bytes")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root: Any = etree.fromstring(archive.read(found), parser)
    except (etree.XMLSyntaxError, ValueError) as wrong:
        raise ValueError(f"the manifest of the package is no XML: {str(wrong)[:200]}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise ValueError("the manifest of the package has a document type: write it without one")
    contents = root.iter("{*}Content")
    return frozenset(each.get("zipEntry", "") for each in contents if each.get("ignore") == "true")
