"""WKB: geometry bytes of a GeoPackage as rings and lines of coordinates. The bytes came from outside.

Written by hand because collections may hold collections without end, and a reader in C would follow them until its
stack is full; here a multi-geometry holds plain ones only.
"""

import struct
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from aquila.core.errors import UsageError

_KINDS = {1: "Point", 2: "LineString", 3: "Polygon", 4: "MultiPoint", 5: "MultiLineString", 6: "MultiPolygon"}
_WGS84 = 4326
_ENVELOPE_BYTES = (0, 32, 48, 48, 64)
"""By the indicator in the flags (GeoPackage 1.3, table 5)."""


class Shape(msgspec.Struct, frozen=True):
    """One geometry.

    Attributes:
        kind: the name in GeoJSON. parts: its runs of coordinates, each (n, 2) as x and y of the file's system.
        nest: how the runs lie in each other, as GeoJSON nests them, with numbers of runs as leaves.
    """

    kind: str
    parts: list[NDArray[np.float64]]
    nest: Any


def read_shape(blob: bytes) -> Shape | None:
    """A geometry of a GeoPackage (1.3, clause 2.1.3); None = it is empty.

    Raises:
        UsageError: it is cut off, of a kind that is not drawn, or no geometry at all.
    """
    if len(blob) < 8 or blob[:2] != b"GP" or blob[3] & 0x20 or (blob[3] >> 1 & 7) > 4:
        raise UsageError(f"{blob[:4].hex()} begins no geometry of a GeoPackage: GP, version, flags are wanted")
    if blob[3] & 0x10:
        return None
    reader = _Reader(blob, 8 + _ENVELOPE_BYTES[blob[3] >> 1 & 7])
    try:
        kind, nest = reader.geometry(within=None)
    except (struct.error, ValueError) as wrong:
        raise UsageError(f"a geometry of {len(blob)} bytes ends too early or is no geometry") from wrong
    if not reader.parts or not all(np.isfinite(part).all() for part in reader.parts):
        return None
    return Shape(kind, reader.parts, nest)


def write_shape(kind: str, places: Sequence[tuple[float, float]]) -> bytes:
    """A geometry of a GeoPackage in WGS 84 (EPSG:4326).

    Args:
        kind: `Point`, `LineString` or `Polygon`.
        places: x and y, which are longitude and latitude in degrees; of a polygon its closed outer ring.
    """
    run = struct.pack(f"<{2 * len(places)}d", *(value for place in places for value in place))
    counts = {"Point": b"", "LineString": struct.pack("<I", len(places)), "Polygon": struct.pack("<II", 1, len(places))}
    code = next(code for code, name in _KINDS.items() if name == kind)
    geometry = struct.pack("<BI", 1, code) + counts[kind] + run
    if kind == "Point":
        return b"GP\0\1" + struct.pack("<i", _WGS84) + geometry
    # With its envelope, so that readers may pass over what lies elsewhere.
    x, y = [place[0] for place in places], [place[1] for place in places]
    return b"GP\0\3" + struct.pack("<i4d", _WGS84, min(x), max(x), min(y), max(y)) + geometry


class _Reader:
    """Walks the bytes; keeps the runs of coordinates in `parts`."""

    def __init__(self, blob: bytes, at: int) -> None:
        self._blob = blob
        self._at = at
        self.parts: list[NDArray[np.float64]] = []

    def _count(self, order: str) -> int:
        (count,) = struct.unpack_from(f"{order}I", self._blob, self._at)
        self._at += 4
        return int(count)

    def geometry(self, within: int | None) -> tuple[str, Any]:
        """Name and nesting. within: the multi-geometry that this is a member of; None = of none."""
        order = "<" if self._blob[self._at : self._at + 1] == b"\1" else ">"
        self._at += 1
        said = self._count(order)
        # ISO 13249-3 adds 1000 for Z, 2000 for M, 3000 for both.
        kind, extra = said % 1000, said // 1000
        if kind not in _KINDS or extra > 3 or (within is not None and kind != within - 3):
            raise UsageError(f"a geometry of kind {said}: points, lines, polygons and their multiples are drawn")
        dimensions = 2 + (0, 1, 1, 2)[extra]
        if kind == 1:
            return _KINDS[kind], self._run(order, dimensions, 1)
        count = self._count(order)
        if kind == 2:
            return _KINDS[kind], self._run(order, dimensions, count)
        # Every ring or member takes bytes, so a lie about their number ends with the bytes.
        if kind == 3:
            return _KINDS[kind], [self._run(order, dimensions, self._count(order)) for _ in range(count)]
        return _KINDS[kind], [self.geometry(within=kind)[1] for _ in range(count)]

    def _run(self, order: str, dimensions: int, count: int) -> int:
        # frombuffer raises ValueError when the bytes do not suffice.
        found = np.frombuffer(self._blob, np.dtype(f"{order}f8"), count * dimensions, self._at)
        self._at += found.nbytes
        self.parts.append(found.reshape(count, dimensions)[:, :2].astype(np.float64))
        return len(self.parts) - 1
