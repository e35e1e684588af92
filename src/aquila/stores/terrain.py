"""Terrain: heights out of a PMTiles archive of terrarium pictures, as the page's relief is drawn from.

Of the archive the finest zoom is read, tile by tile as it is asked for. Formats: PMTiles 3 with one directory, PNG (ISO
15948) of 8 bits a colour without interlace; metres = red * 256 + green + blue / 256 - 32768 (terrarium).
"""

import gzip
import struct
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aquila.core.errors import UsageError

Floats = NDArray[np.float64]
Bytes = NDArray[np.int16]

HEADER_BYTES = 127
TILE_PX = 256
TILES_KEPT = 64
"""A tile takes 256 KiB."""
GZIP, PNG = 2, 2
MAGIC = b"\x89PNG\r\n\x1a\n"


class Terrain:
    """Heights of one archive. Threads may ask at the same time.

    Args:
        path: of the archive. It is opened when it is first asked.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tile = lru_cache(maxsize=TILES_KEPT)(self._read_tile)
        self._archive = lru_cache(maxsize=1)(lambda: _Archive(path))

    @property
    def box(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees: beyond it nothing is known. Raises UsageError without an archive."""
        return self._archive().box

    def heights(self, lat_deg: Floats, lon_deg: Floats) -> Floats:
        """Metres above the sea, between four pixels in proportion; NaN beyond the box. Raises UsageError."""
        archive = self._archive()
        west, south, east, north = archive.box
        known = (lat_deg >= south) & (lat_deg <= north) & (lon_deg >= west) & (lon_deg <= east)
        found = np.full(np.broadcast(lat_deg, lon_deg).shape, np.nan)
        lat, lon = np.broadcast_to(lat_deg, found.shape)[known], np.broadcast_to(lon_deg, found.shape)[known]
        if not len(lat):
            return found
        world = TILE_PX << archive.zoom
        # Heights stand in the middle of their pixels.
        x = (lon + 180) / 360 * world - 0.5
        y = (1 - np.log(np.tan(np.pi / 4 + np.radians(lat) / 2)) / np.pi) / 2 * world - 0.5
        left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
        window = self._window(int(left.min()), int(top.min()), int(left.max()) + 2, int(top.max()) + 2)
        across, down = x - left, y - top
        col, row = left - left.min(), top - top.min()
        upper = window[row, col] * (1 - across) + window[row, col + 1] * across
        lower = window[row + 1, col] * (1 - across) + window[row + 1, col + 1] * across
        found[known] = upper * (1 - down) + lower * down
        return found

    def _window(self, west: int, north: int, east: int, south: int) -> NDArray[np.float32]:
        """The pixels of a part of the world, NaN where there is no tile."""
        window = np.full((south - north, east - west), np.nan, np.float32)
        for row in range(north // TILE_PX, (south - 1) // TILE_PX + 1):
            for col in range(west // TILE_PX, (east - 1) // TILE_PX + 1):
                tile = self._tile(col, row)
                if tile is None:
                    continue
                x, y = col * TILE_PX, row * TILE_PX
                into = window[max(0, y - north) : y + TILE_PX - north, max(0, x - west) : x + TILE_PX - west]
                from_y, from_x = max(0, north - y), max(0, west - x)
                into[:] = tile[from_y : from_y + into.shape[0], from_x : from_x + into.shape[1]]
        return window

    def _read_tile(self, col: int, row: int) -> NDArray[np.float32] | None:
        data = self._archive().tile(col, row)
        if data is None:
            return None
        red, green, blue = np.moveaxis(read_png(data).astype(np.float32), 2, 0)[:3]
        height: NDArray[np.float32] = red * 256 + green + blue / 256 - 32768
        return height


class _Archive:
    """The directory of a PMTiles 3 archive that needs one only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with path.open("rb") as file:
                header = file.read(HEADER_BYTES)
                if header[:8] != b"PMTiles\x03" or header[97] != GZIP or header[99] != PNG:
                    raise UsageError(f"{path.name} holds no terrain: PMTiles 3 of PNG tiles is read")
                root, size, *_, self._data = struct.unpack("<7Q", header[8:64])
                file.seek(root)
                directory = gzip.decompress(file.read(size))
        except OSError as wrong:
            raise UsageError(f"{path.name} cannot be read ({wrong.strerror}): the built page has terrain") from wrong
        self.zoom = header[101]
        west, south, east, north = (value / 1e7 for value in struct.unpack("<4i", header[102:118]))
        self.box = (west, south, east, north)
        self._entries = _entries(directory)

    def tile(self, col: int, row: int) -> bytes | None:
        """The bytes of a tile of the finest zoom; None = there is none."""
        place = self._entries.get(tile_id(self.zoom, col, row))
        if place is None:
            return None
        with self._path.open("rb") as file:
            file.seek(self._data + place[0])
            return file.read(place[1])


def _entries(directory: bytes) -> dict[int, tuple[int, int]]:
    """Tile id -> offset and length (PMTiles 3, 4.2: columns of varints; an offset of 0 follows the one before)."""
    values, at = [], 0
    while at < len(directory):
        value = shift = 0
        while True:
            byte = directory[at]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                break
        values.append(value)
    count = values[0]
    ids, runs, lengths, offsets = (values[1 + count * n : 1 + count * (n + 1)] for n in range(4))
    found: dict[int, tuple[int, int]] = {}
    tile = offset = 0
    for n in range(count):
        tile += ids[n]
        offset = offset + lengths[n - 1] if n and not offsets[n] else offsets[n] - 1
        for each in range(runs[n]):
            found[tile + each] = (offset, lengths[n])
    return found


def tile_id(zoom: int, col: int, row: int) -> int:
    """The number of a tile: those of coarser zooms come first, then along a Hilbert curve (PMTiles 3, 4.1)."""
    number, side = ((1 << 2 * zoom) - 1) // 3, 1 << zoom
    half = side // 2
    while half:
        right, lower = int(bool(col & half)), int(bool(row & half))
        number += half * half * ((3 * right) ^ lower)
        if not lower:
            if right:
                col, row = half - 1 - col & (half - 1), half - 1 - row & (half - 1)
            col, row = row, col
        col, row = col & (half - 1), row & (half - 1)
        half //= 2
    return number


def read_png(data: bytes) -> NDArray[np.uint8]:
    """Shape (height, width, 3 or 4). Raises UsageError for a picture of another kind."""
    kinds = {2: 3, 6: 4}
    width, height, depth, colours, _, _, interlace = struct.unpack(">IIBBBBB", data[16:29])
    if data[:8] != MAGIC or depth != 8 or colours not in kinds or interlace or max(width, height) > 4096:
        raise UsageError("a terrain tile is no PNG of 8 bits in red, green and blue")
    packed, at = bytearray(), 8
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        if kind == b"IDAT":
            packed += data[at + 8 : at + 8 + size]
        at += size + 12
    channels = kinds[colours]
    lines = np.frombuffer(zlib.decompress(bytes(packed)), np.uint8).reshape(height, 1 + width * channels)
    return _unfiltered(lines[:, 0], lines[:, 1:].reshape(height, width, channels))


def _unfiltered(filters: NDArray[np.uint8], lines: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Undo the filters (ISO 15948, 9.2) along diagonals: left, above and above left lie on the two before."""
    height, width, channels = lines.shape
    out = np.zeros((height + 1, width + 1, channels), np.int16)
    for diagonal in range(height + width - 1):
        row = np.arange(max(0, diagonal - width + 1), min(height, diagonal + 1))
        col = diagonal - row
        left, above, corner = out[row + 1, col], out[row, col + 1], out[row, col]
        guess = np.select(
            [(filters[row] == kind)[:, None] for kind in (1, 2, 3, 4)],
            [left, above, (left + above) >> 1, _paeth(left, above, corner)],
            np.int16(0),
        )
        out[row + 1, col + 1] = (lines[row, col] + guess) & 0xFF
    return out[1:, 1:].astype(np.uint8)


def _paeth(left: Bytes, above: Bytes, corner: Bytes) -> Bytes:
    guess = left + above - corner
    by_left, by_above, by_corner = abs(guess - left), abs(guess - above), abs(guess - corner)
    other = np.where(by_above <= by_corner, above, corner)
    best: Bytes = np.where((by_left <= by_above) & (by_left <= by_corner), left, other)
    return best
