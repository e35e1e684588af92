"""Heights out of the shipped archive, and pictures read as their standard says."""

import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from aquila.core.errors import UsageError
from aquila.stores.terrain import Terrain, read_png, tile_id

SHIPPED = Path(__file__).parents[2] / "web/public/maps/dem.pmtiles"


def test_heights_of_known_places_are_right_within_the_grid_of_the_data() -> None:
    terrain = Terrain(SHIPPED)
    # Almaty, the level of Issyk-Kul (1607 m), the top of Pobeda (7439 m), which the grid blunts.
    almaty, lake, peak = terrain.heights(np.array([43.25, 42.5, 42.035]), np.array([76.9, 77.2, 80.129]))
    assert 700 < almaty < 950
    assert lake == pytest.approx(1607, abs=12)
    assert 6_500 < peak < 7_439


def test_beyond_the_box_nothing_is_known_and_within_it_everything() -> None:
    terrain = Terrain(SHIPPED)
    west, south, east, north = terrain.box
    lat, lon = np.meshgrid(np.linspace(south + 0.05, north - 0.05, 9), np.linspace(west + 0.05, east - 0.05, 9))
    assert np.isfinite(terrain.heights(lat[:3], lon[:3])).all()
    assert np.isnan(terrain.heights(np.array([46.0, 0.0]), np.array([8.0, 77.0]))).all()


def test_an_archive_that_is_missing_or_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"away\.pmtiles cannot be read"):
        Terrain(tmp_path / "away.pmtiles").heights(np.array([42.0]), np.array([77.0]))
    (tmp_path / "text.pmtiles").write_bytes(b"no archive" * 20)
    with pytest.raises(UsageError, match="holds no terrain"):
        _ = Terrain(tmp_path / "text.pmtiles").box


NUMBERS = {
    (0, 0, 0): 0,
    (1, 0, 0): 1,
    (1, 0, 1): 2,
    (1, 1, 1): 3,
    (1, 1, 0): 4,
    (2, 0, 0): 5,
    (12, 3423, 1763): 19078479,
}
"""Of the specification and its own test."""


@pytest.mark.parametrize(("tile", "number"), NUMBERS.items())
def test_tiles_have_the_numbers_of_the_specification(tile: tuple[int, int, int], number: int) -> None:
    assert tile_id(*tile) == number


def paeth(a: int, b: int, c: int) -> int:
    return min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]


@pytest.mark.parametrize("channels", [3, 4])
def test_every_filter_of_a_picture_is_undone(channels: int) -> None:
    picture = np.random.default_rng(channels).integers(0, 256, (9, 7, channels)).astype(int)
    padded = np.zeros((10, 8, channels), int)
    padded[1:, 1:] = picture
    lines = b""
    for y in range(9):
        kind = y % 5
        lines += bytes([kind])
        for x in range(7):
            for value, a, b, c in zip(picture[y, x], padded[y + 1, x], padded[y, x + 1], padded[y, x], strict=True):
                guess = (0, a, b, (a + b) // 2, paeth(a, b, c))[kind]
                lines += bytes([(int(value) - int(guess)) & 0xFF])

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 7, 9, 8, {3: 2, 4: 6}[channels], 0, 0, 0)
    packed = zlib.compress(lines)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed[:40]) + chunk(b"IDAT", packed[40:])
    assert (read_png(png + chunk(b"IEND", b"")) == picture).all()


def test_a_picture_of_another_kind_is_refused() -> None:
    with pytest.raises(UsageError, match="8 bits"):
        read_png(b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 7, 9, 16, 2, 0, 0, 0))


def test_the_relief_that_is_drawn_ends_before_the_pixels_that_repeat_the_last_one() -> None:
    style = (Path(__file__).parents[2] / "web/src/map/style.ts").read_text("utf-8")
    found = re.search(r"const RELIEF = \{ west: ([\d.]+), south: ([\d.]+), east: ([\d.]+), north: ([\d.]+) \}", style)
    assert found
    west, south, east, north = map(float, found.groups())
    terrain = Terrain(SHIPPED)
    # Eight pixels inward from the edge; where all have one height, the map would show a streak.
    inward = np.arange(8)[:, None] * 360 / (256 << 8)
    lat, lon = np.linspace(south + 0.5, north - 0.5, 200), np.linspace(west + 0.5, east - 0.5, 200)
    edges = {
        "west": (lat[None], west + inward),
        "east": (lat[None], east - inward),
        "south": (south + inward, lon[None]),
        "north": (north - inward, lon[None]),
    }
    streaks = {edge: (np.ptp(terrain.heights(*at), axis=0) == 0).mean() for edge, at in edges.items()}
    # Lakes are level; unknown heights (NaN) would make the comparison false, so they are asked for, too.
    assert max(streaks.values()) < 0.05, streaks
    assert all(np.isfinite(terrain.heights(*at)).all() for at in edges.values())
