"""How many pixels a picture unpacks to, read from its head: a file of 500 kB may say four thousand million of them."""

import struct

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_MAGIC = b"\xff\xd8\xff"
FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Markers of JPEG that say the size (ISO/IEC 10918-1, table B.1: SOF0 to SOF15)."""
SCAN = 0xDA


def pixels_of(data: bytes) -> int | None:
    """Width times height of a PNG (ISO 15948, 11.2.2) or JPEG; None = it is neither, or says no size."""
    if data.startswith(PNG_MAGIC):
        return _product(data, 16, ">II") if data[12:16] == b"IHDR" else None
    return _pixels_of_jpeg(data) if data.startswith(JPEG_MAGIC) else None


def _pixels_of_jpeg(data: bytes) -> int | None:
    """The largest size that is said before the first scan: whoever draws it may take any of them."""
    found: int | None = None
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == SCAN:
            break
        if marker in FRAMES and (said := _product(data, at + 5, ">HH")) is not None:
            # A height of 0 is said later, in the scans (DNL): any may follow.
            found = max(found or 0, said or 1 << 32)
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return found


def _product(data: bytes, at: int, form: str) -> int | None:
    try:
        first, second = struct.unpack_from(form, data, at)
    except struct.error:
        return None
    return int(first) * int(second)
