"""Hostile zips: archives that a node must not take, each with the reason that must be said.

All are made here, none is stored: they are small on the disk and harmful to whoever unpacks them in good faith.
"""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import Final

Maker = Callable[[], bytes]
_MIB: Final = 1 << 20
_OPEN: Final = 0xFFFFFFFF
"""A figure that stands in the large form's own field."""


def archive(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED, mode: int = 0) -> bytes:
    """A zip of these names and contents. mode: of each, as Unix has it; 0 = not said."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as out:
        for name, content in members:
            member = zipfile.ZipInfo(name)
            member.compress_type = method
            member.external_attr = mode << 16
            out.writestr(member, content)
    return packed.getvalue()


def _renamed(old: bytes, new: bytes, count: int = -1) -> bytes:
    """A zip of which a name was changed afterwards: zipfile itself would make it right."""
    return archive((old.decode(), b"harm")).replace(old, new, count)


def _patched(field: int, size: int, value: int, data: bytes) -> bytes:
    """The first record of the list at the end, with one of its fields changed."""
    at = data.rindex(b"PK\x01\x02") + field
    return data[:at] + value.to_bytes(size, "little") + data[at + size :]


def _lie_about_size() -> bytes:
    """Said to hold 10 bytes, checksum and all; in truth 60 MB."""
    zeros = bytes(60 * _MIB)
    data = archive(("a.txt", zeros))
    data = _patched(16, 4, zlib.crc32(bytes(10)), data)
    lying = bytearray(_patched(24, 4, 10, data))
    # In its own header too, as it would be done in earnest.
    lying[14:18], lying[22:26] = zlib.crc32(bytes(10)).to_bytes(4, "little"), (10).to_bytes(4, "little")
    return bytes(lying)


def _overlapping() -> bytes:
    """Two names for the same bytes: a few kB that unpack to many times that."""
    data = archive(("a", bytes(1000)), ("b", bytes(1000)))
    return _patched(42, 4, 0, data)


def _huge_list() -> bytes:
    """An end that announces a list of 16 MiB."""
    filler = bytes(17 * _MIB)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, 16 * _MIB, 0, 0)
    return b"PK\x03\x04" + filler + end


def _encrypted() -> bytes:
    data = archive(("a.txt", b"secret"), method=zipfile.ZIP_STORED)
    return _patched(8, 2, 1, data)


def _cut() -> bytes:
    data = archive(("a.txt", bytes(range(256)) * 500))
    return data[: len(data) // 2]


def _flipped() -> bytes:
    data = bytearray(archive(("a.txt", b"all is well" * 100), method=zipfile.ZIP_STORED))
    data[60] ^= 0xFF
    return bytes(data)


def _hidden(place: str) -> bytes:
    """A file that only those find who go through the zip from the front: the list does not name it."""
    hidden = archive(("../../evil.sh", b"harm"), method=zipfile.ZIP_STORED)
    hidden = hidden[: hidden.rindex(b"PK\x01\x02")]
    good = archive(("good.txt", b"fine"), method=zipfile.ZIP_STORED)
    if place == "before":
        # Readers of the list take what stands before the first file as no part of the zip.
        return hidden + good
    at = good.rindex(b"PK\x01\x02")
    end = bytearray(good[at:])
    start = len(end) - 22 + 16
    end[start : start + 4] = (at + len(hidden)).to_bytes(4, "little")
    return good[:at] + hidden + bytes(end)


def _hidden_inside() -> bytes:
    """Its own header says that the file is shorter: the rest of its bytes reads as another file."""
    hidden = archive(("../../evil.sh", b"harm"), method=zipfile.ZIP_STORED)
    hidden = hidden[: hidden.rindex(b"PK\x01\x02")]
    data = bytearray(archive(("good.txt", b"fine" + hidden), method=zipfile.ZIP_STORED))
    data[18:22] = data[22:26] = (4).to_bytes(4, "little")
    return bytes(data)


def zip64(packed: int | None = None, real: int | None = None, offset: int = 0, total: int | None = None) -> bytes:
    """A zip as programs write it that always use the large form; each figure of it may be a lie."""
    name, data = b"a.txt", b"all is well"
    sizes = struct.pack("<HHQQ", 1, 16, len(data), len(data))
    head = struct.pack("<4s5H3L2H", b"PK\x03\x04", 45, 0, 0, 0, 33, zlib.crc32(data), _OPEN, _OPEN, len(name), 20)
    said = (len(data) if real is None else real, len(data) if packed is None else packed, offset)
    extra = struct.pack("<HH3Q", 1, 24, *said)
    row = struct.pack(
        "<4s6H3L5H2L",
        b"PK\x01\x02",
        45,
        45,
        0,
        0,
        0,
        33,
        zlib.crc32(data),
        _OPEN,
        _OPEN,
        len(name),
        28,
        0,
        0,
        0,
        0,
        _OPEN,
    )
    members = head + name + sizes + data
    listed = row + name + extra
    count = 1 if total is None else total
    large = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, len(listed), len(members))
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(members) + len(listed), 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, _OPEN, _OPEN, 0)
    return members + listed + large + locator + end


def _other_name() -> bytes:
    """A second name in another field, which some programs prefer."""
    member = zipfile.ZipInfo("good.txt")
    named = struct.pack("<BL", 1, zlib.crc32(b"good.txt")) + b"../../evil.sh"
    member.extra = struct.pack("<HH", 0x7075, len(named)) + named
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as out:
        out.writestr(member, b"harm")
    return packed.getvalue()


def _flagged_in_its_header() -> bytes:
    data = bytearray(archive(("a.txt", b"secret"), method=zipfile.ZIP_STORED))
    data[6] |= 1
    return bytes(data)


HOSTILE_ZIPS: Final[Mapping[str, tuple[Maker, str]]] = {
    "bomb of zeros": (lambda: archive(("zeros.bin", bytes(50 * _MIB))), "times its size"),
    "bomb in many files": (lambda: archive(*((f"{n}.bin", bytes(_MIB)) for n in range(50))), "times its size"),
    "bomb that lies about its size": (_lie_about_size, "times its size|not what its description says"),
    "files that lie over each other": (_overlapping, "differ|lies over"),
    "too many files": (lambda: archive(*((f"{n}", b"") for n in range(2001))), "holds 2001 files"),
    "parent": (lambda: archive(("../../etc/cron.d/x", b"harm")), "names inside the package only"),
    "parent in the middle": (lambda: archive(("a/../../x", b"harm")), "names inside the package only"),
    "parent with backslashes": (lambda: archive(("..\\..\\x.exe", b"harm")), "names inside the package only"),
    "absolute": (lambda: archive(("/etc/passwd", b"harm")), "names inside the package only"),
    "absolute with a backslash": (lambda: archive(("\\windows\\x", b"harm")), "names inside the package only"),
    "drive": (lambda: archive(("C:/windows/x", b"harm")), "names inside the package only"),
    "zero in a name": (lambda: _renamed(b"abcd.txt.sh", b"abcd.txt\x00sh"), "control characters|differ"),
    "control in a name": (lambda: archive(("a\x1b[2Jb", b"harm")), "control characters"),
    "long name": (lambda: archive(("x" * 50_000, b"harm")), "names inside the package only"),
    "symbolic link": (lambda: archive(("link", b"/etc/passwd"), mode=stat.S_IFLNK | 0o777), "link or a device"),
    "device": (lambda: archive(("null", b""), mode=stat.S_IFCHR | 0o666), "link or a device"),
    "two names for one file": (lambda: _renamed(b"good.txt", b"evil.txt", 1), "differ"),
    "one name for two files": (lambda: archive(("a", b"1"), ("b", b"2")).replace(b"b", b"a"), "are called|broken"),
    "something before it": (lambda: b"<script>alert(1)</script>" + archive(("a", b"1")), "does not begin"),
    "something behind it": (lambda: archive(("a", b"1")) + b"<script>alert(1)</script>", "behind the end|broken"),
    "encrypted": (_encrypted, "encrypted"),
    "other packing": (lambda: archive(("a", bytes(9000)), method=zipfile.ZIP_BZIP2), "method 12"),
    "cut off": (_cut, "broken"),
    "changed on the way": (_flipped, "not what its description says"),
    "huge list of files": (_huge_list, "broken"),
    "70,000 files": (lambda: archive(*((f"{n}", b"") for n in range(70_000))), "holds 70000 files|too long|broken"),
    "hidden before the first file": (lambda: _hidden("before"), "its list does not name"),
    "hidden behind the last file": (lambda: _hidden("behind"), "its list does not name"),
    "hidden inside a file": (_hidden_inside, "differ"),
    "another name beside the name": (_other_name, "names inside the package only"),
    "encrypted, as its own header says": (_flagged_in_its_header, "differ"),
    "encrypted in the strong way": (
        lambda: _patched(8, 2, 0x40, archive(("a", b"1"), method=zipfile.ZIP_STORED)),
        "encrypted",
    ),
    "large form, too long": (lambda: zip64(real=1 << 62), "differ|is not what"),
    "large form, packed too long": (lambda: zip64(packed=1 << 62), "differ|outside"),
    "large form, far away": (lambda: zip64(offset=1 << 62), "its list does not name|broken|outside"),
    "large form, at no place": (lambda: zip64(offset=(1 << 64) - 1), "its list does not name|broken|outside"),
    "no files": (lambda: archive(), "does not begin"),
    "no zip": (lambda: b"PK is all there is to it", "broken"),
    "a page": (lambda: b"<html><script>alert(1)</script></html>", "broken"),
}
"""Name -> how it is made, and a pattern of the sentence that refuses it."""
