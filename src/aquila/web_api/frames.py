"""Frames: the binary messages of the live stream, AQC1: flat little-endian columns behind a header of 24 bytes.

Offset 0 the bytes `AQC1`, 4 version, 5 kind, 6 column mask (u16), 8 sequence (u32), 12 count (u32), 16 base time (u64,
UTC ms), 24 columns. Wide columns come first, so every typed view of a browser is aligned for any count.
"""

import struct
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

MAGIC = b"AQC1"
VERSION = 1
POSITIONS, META, REMOVE, SNAPSHOT, HEARTBEAT = 1, 2, 3, 4, 5
ALL_COLUMNS = 0x7F
NO_ALTITUDE = -32768
NO_VALUE = 65535
"""Speed or course unknown; age older than the column can say."""

_HEADER = struct.Struct("<4sBBHIIQ")
HEADER_BYTES = _HEADER.size

Columns = dict[str, npt.NDArray[Any]]


def header(kind: int, sequence: int, count: int, base_ms: int, mask: int = 0) -> bytes:
    """The 24 bytes in front of every frame."""
    return _HEADER.pack(MAGIC, VERSION, kind, mask, sequence & 0xFFFFFFFF, count, base_ms)


def positions(columns: Columns, chosen: npt.NDArray[np.intp], sequence: int, base_ms: int) -> bytes:
    """Kind 1: where the tracks with the chosen handles are.

    Args:
        columns: lat_e7, lon_e7, alt_m, speed, course as they go out, and observed_ms (UTC), indexed by handle.
        chosen: handles, ascending.
        sequence: of this connection.
        base_ms: time from which ages count back.
    """
    age = (base_ms - columns["observed_ms"][chosen]) // 100
    return b"".join(
        (
            header(POSITIONS, sequence, len(chosen), base_ms, ALL_COLUMNS),
            chosen.astype("<u4").tobytes(),
            columns["lat_e7"][chosen].tobytes(),
            columns["lon_e7"][chosen].tobytes(),
            columns["alt_m"][chosen].tobytes(),
            columns["speed"][chosen].tobytes(),
            columns["course"][chosen].tobytes(),
            np.clip(age, 0, NO_VALUE).astype("<u2").tobytes(),
        )
    )


def meta(rows: list[bytes], sequence: int, base_ms: int) -> bytes:
    """Kind 2: what the tracks are; `rows` are JSON objects already encoded."""
    return header(META, sequence, len(rows), base_ms) + b"[" + b",".join(rows) + b"]"


def remove(chosen: npt.NDArray[np.intp], sequence: int, base_ms: int) -> bytes:
    """Kind 3: handles that are no longer to be shown."""
    return header(REMOVE, sequence, len(chosen), base_ms) + chosen.astype("<u4").tobytes()


def snapshot(sequence: int, base_ms: int) -> bytes:
    """Kind 4: forget everything, what follows is all there is."""
    return header(SNAPSHOT, sequence, 0, base_ms)


def heartbeat(sequence: int, base_ms: int) -> bytes:
    """Kind 5: the connection lives."""
    return header(HEARTBEAT, sequence, 0, base_ms)


class TrackMeta(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One object of a kind 2 frame; `h` is the handle in the other frames.

    Attributes:
        caller: id of the entity that calls for help, on the entity of its alert.
        members: of a fused track: ids of the entities that it stands for.
        drawn: of what people draw: the fields of its report that say how it looks.
        level: flight level of what flies: hundreds of feet of pressure altitude; None = not told.
    """

    h: int
    id: str
    name: str
    sidc: str
    type: str
    source: str
    observed_at_ms: int
    stale_at_ms: int
    affiliation: str
    category: str
    emergency: str | None = None
    caller: str | None = None
    geometry: dict[str, Any] | None = None
    members: tuple[str, ...] = ()
    drawn: dict[str, str] = {}
    level: int | None = None
