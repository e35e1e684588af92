"""Archive: is a zip fit to be given to others? Looked through once, its headers never believed, nothing unpacked.

Names are refused, never made right. Zips inside are not opened: nobody unpacks them by unpacking this one.
"""

import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

MEMBERS_MAX = 2_000
NAME_MAX = 1_024
RATIO_MAX = 100
UNPACKED_MAX_BYTES = 2 << 30
DIRECTORY_MAX_BYTES = 4 << 20
PIECE_BYTES = 1 << 20
ENCRYPTED, DESCRIBED_LATER, UTF8 = 0x2041, 0x8, 0x800
"""Flags. Encrypted: the file, the file in another way, the list itself."""
DESCRIPTOR_BYTES = (12, 16, 20, 24)
"""What may stand behind a file that is described later: with or without a sign, sizes of four or eight bytes."""
ZIP64, UNICODE_NAME, IN_ZIP64 = 0x1, 0x7075, 0xFFFFFFFF
_LOCAL = struct.Struct("<4s2xHH4x4xLLHH")
_LARGE = struct.Struct("<QQ")
_DRIVE = re.compile(r"[A-Za-z]:")
_LINKS = frozenset({0, stat.S_IFREG, stat.S_IFDIR})


class _Bounded(io.BufferedReader):
    """A file that nobody reads at once into memory, whatever sizes stand in it."""

    def read(self, size: int | None = -1, /) -> bytes:
        """At most DIRECTORY_MAX_BYTES. Raises BadZipFile when more is asked for."""
        if size is not None and size > DIRECTORY_MAX_BYTES:
            raise zipfile.BadZipFile("its list of files is too long")
        return super().read(DIRECTORY_MAX_BYTES if size is None or size < 0 else size)


def check_archive(path: Path) -> None:
    """Look through a zip. Raises ValueError with a sentence; OSError when it cannot be read."""
    size_bytes = path.stat().st_size
    with io.FileIO(path) as raw, _Bounded(raw) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                _check_ends(file, size_bytes, archive.comment)
                _check_members(file, archive, min(size_bytes * RATIO_MAX, UNPACKED_MAX_BYTES))
        # All that zipfile, struct and zlib raise at broken bytes; a method we do not unpack is NotImplementedError.
        except (zipfile.BadZipFile, struct.error, zlib.error, EOFError, OverflowError, NotImplementedError) as wrong:
            raise ValueError(f"the zip is broken ({wrong}): pack it anew") from wrong


def _check_ends(file: _Bounded, size_bytes: int, comment: bytes) -> None:
    """Nothing before the first member and nothing behind the end: else it may be something else besides."""
    file.seek(0)
    if file.read(4) != b"PK\x03\x04":
        raise ValueError("the zip does not begin with a file: pack it anew, with at least one file")
    file.seek(max(0, size_bytes - 22 - len(comment)))
    if file.read(4) != b"PK\x05\x06":
        raise ValueError("something stands behind the end of the zip: pack it anew")


def _check_members(file: _Bounded, archive: zipfile.ZipFile, most_bytes: int) -> None:
    members = archive.infolist()
    if not 0 < len(members) <= MEMBERS_MAX:
        raise ValueError(f"the zip holds {len(members)} files: 1 to {MEMBERS_MAX} are allowed")
    names: set[str] = set()
    for member in members:
        _check_name(member.orig_filename)
        if member.orig_filename in names:
            raise ValueError(f"two files of the zip are called {member.orig_filename[:80]!r}")
        names.add(member.orig_filename)
        _check_form(member)
    end, left, later = 0, most_bytes, 0
    for member in sorted(members, key=lambda each: each.header_offset):
        _check_gap(member.header_offset - end, later)
        start = _start_of(file, member) if member.header_offset >= end else -1
        if start < 0 or start + member.compress_size > archive.start_dir:
            raise ValueError(f"{member.orig_filename[:80]!r} lies over another file of the zip, or outside it")
        end, later = start + member.compress_size, member.flag_bits & DESCRIBED_LATER
        left -= _real_bytes(file, start, member, left)
    _check_gap(archive.start_dir - end, later)


def _check_gap(gap_bytes: int, later: int) -> None:
    """Readers that go from file to file, without the list, would find there what was never looked at."""
    if gap_bytes > 0 and not (later and gap_bytes in DESCRIPTOR_BYTES):
        raise ValueError(f"the zip holds {gap_bytes} bytes between its files that its list does not name: pack it anew")


def _check_name(name: str) -> None:
    parts = re.split(r"[/\\]", name)
    # Judged as both systems read it: a backslash separates on one of them.
    if not name or len(name) > NAME_MAX or not parts[0] or _DRIVE.match(name) or ".." in parts:
        raise ValueError(
            f"the zip holds a file called {name[:80]!r}: names inside the package only, no .. and no drive"
        )
    if any(char < " " or char == "\x7f" for char in name):
        raise ValueError(f"the zip holds a file called {name[:80]!r}, with control characters")


def _check_form(member: zipfile.ZipInfo) -> None:
    name = member.orig_filename[:80]
    if stat.S_IFMT(member.external_attr >> 16) not in _LINKS:
        raise ValueError(f"{name!r} in the zip is a link or a device: plain files and folders are allowed")
    if member.flag_bits & ENCRYPTED:
        raise ValueError(f"{name!r} in the zip is encrypted: nobody could look into it; pack it without a password")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name!r} in the zip is packed by method {member.compress_type}: store or deflate is allowed")


def _start_of(file: _Bounded, member: zipfile.ZipInfo) -> int:
    """Where its data begins. Its own header must say what the list says: readers believe the one or the other."""
    file.seek(member.header_offset)
    sign, flags, method, packed, real, name_bytes, extra_bytes = _LOCAL.unpack(file.read(_LOCAL.size))
    name = file.read(name_bytes).decode("utf-8" if flags & UTF8 else "cp437", errors="replace")
    extra = _fields(file.read(extra_bytes))
    if IN_ZIP64 in (packed, real) and len(extra.get(ZIP64, b"")) == _LARGE.size:
        real, packed = _LARGE.unpack(extra[ZIP64])
    told = [(member.compress_size, member.file_size)]
    if flags & DESCRIBED_LATER:
        told.append((0, 0))
    is_same = (
        (sign, method, name) == (b"PK\x03\x04", member.compress_type, member.orig_filename)
        and (packed, real) in told
        and not (flags ^ member.flag_bits) & (ENCRYPTED | DESCRIBED_LATER)
    )
    if not is_same:
        raise ValueError(f"{member.orig_filename[:80]!r} has two descriptions in the zip that differ: pack it anew")
    for field in (extra, _fields(member.extra)):
        if UNICODE_NAME in field:
            # Another name, which some readers prefer (APPNOTE 4.6.9): behind its version and a checksum.
            _check_name(field[UNICODE_NAME][5:].decode(errors="replace"))
    return int(member.header_offset + _LOCAL.size + name_bytes + extra_bytes)


def _fields(extra: bytes) -> dict[int, bytes]:
    """The extra fields of a file by their kind (APPNOTE 4.5.1); a cut end is left out."""
    found: dict[int, bytes] = {}
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        found.setdefault(kind, extra[4 : 4 + size])
        extra = extra[4 + size :]
    return found


def _real_bytes(file: _Bounded, start: int, member: zipfile.ZipInfo, most_bytes: int) -> int:
    """How long it is in truth. Raises ValueError when it is too long, or not what its description says."""
    count = crc = 0
    for piece in _unpacked(file, start, member):
        count += len(piece)
        crc = zlib.crc32(piece, crc)
        if count > most_bytes:
            raise ValueError(
                f"the zip unpacks to more than {RATIO_MAX} times its size, or {UNPACKED_MAX_BYTES >> 30} GiB: refused"
            )
    if (count, crc) != (member.file_size, member.CRC):
        raise ValueError(f"{member.orig_filename[:80]!r} in the zip is not what its description says: pack it anew")
    return count


def _unpacked(file: _Bounded, start: int, member: zipfile.ZipInfo) -> Iterator[bytes]:
    file.seek(start)
    left = member.compress_size
    unpack = zlib.decompressobj(-zlib.MAX_WBITS) if member.compress_type == zipfile.ZIP_DEFLATED else None
    while left and not (unpack is not None and unpack.eof):
        packed = file.read(min(PIECE_BYTES, left))
        if not packed:
            raise zipfile.BadZipFile("it ends too early")
        left -= len(packed)
        if unpack is None:
            yield packed
            continue
        piece = unpack.decompress(packed, PIECE_BYTES)
        while piece:
            yield piece
            piece = b"" if unpack.eof else unpack.decompress(unpack.unconsumed_tail, PIECE_BYTES)
    if unpack is not None and (left or not unpack.eof or unpack.unused_data):
        raise zipfile.BadZipFile("a file in it has no proper end")
