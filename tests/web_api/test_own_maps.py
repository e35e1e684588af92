"""Map files that people bring: tiles come out of MBTiles and GeoPackage, and nothing else does."""

import gzip
import sqlite3
from pathlib import Path

import pytest

from aquila.core.errors import UsageError
from aquila.stores.sqlite.tiles import WORLD_M, read_facts, read_tile

PNG = b"\x89PNG\r\n\x1a\n...."


def mbtiles(path: Path, kind: str, content: bytes) -> Path:
    """One tile: zoom 2, column 1, row 1 from the north."""
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE metadata (name, value)")
        base.execute("CREATE TABLE tiles (zoom_level, tile_column, tile_row, tile_data)")
        said = {"format": kind, "minzoom": "2", "maxzoom": "2", "bounds": "70,40,80,45"}
        said["json"] = '{"vector_layers": [{"id": "roads"}]}'
        base.executemany("INSERT INTO metadata VALUES (?, ?)", said.items())
        base.execute("INSERT INTO tiles VALUES (2, 1, 2, ?)", (content,))
    base.close()
    return path


def geopackage(path: Path) -> Path:
    """One tile of zoom 3 that lies in the world's grid at column 5, row 2."""
    span = WORLD_M / 8
    west, north = -WORLD_M / 2 + 5 * span, WORLD_M / 2 - 2 * span
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE gpkg_tile_matrix_set (table_name, srs_id, min_x, min_y, max_x, max_y)")
        base.execute("CREATE TABLE gpkg_tile_matrix (table_name, zoom_level, tile_width, pixel_x_size)")
        base.execute('CREATE TABLE "my map" (zoom_level, tile_column, tile_row, tile_data)')
        edges = (west, north - span, west + span, north)
        base.execute("INSERT INTO gpkg_tile_matrix_set VALUES ('my map', 3857, ?, ?, ?, ?)", edges)
        base.execute("INSERT INTO gpkg_tile_matrix VALUES ('my map', 0, 256, ?)", (span / 256,))
        base.execute('INSERT INTO "my map" VALUES (0, 0, 0, ?)', (PNG,))
    base.close()
    return path


def test_a_picture_of_mbtiles_is_found_from_the_north(tmp_path: Path) -> None:
    path = mbtiles(tmp_path / "m", "png", PNG)
    facts = read_facts(path)
    assert (facts.kind, facts.min_zoom, facts.max_zoom, facts.bounds) == ("raster", 2, 2, (70, 40, 80, 45))
    tile = read_tile(path, 2, 1, 1)
    assert tile is not None
    assert (tile.content, tile.kind) == (PNG, "image/png")
    assert read_tile(path, 2, 1, 2) is None
    assert read_tile(path, 30, 0, 0) is None


def test_vector_tiles_come_unpacked_and_a_bomb_does_not_come_at_all(tmp_path: Path) -> None:
    path = mbtiles(tmp_path / "m", "pbf", gzip.compress(b"\x1a\x02vt"))
    assert read_facts(path).layers == ("roads",)
    tile = read_tile(path, 2, 1, 1)
    assert tile is not None
    assert tile.content == b"\x1a\x02vt"
    bomb = mbtiles(tmp_path / "b", "pbf", gzip.compress(bytes(5 << 20)))
    assert read_tile(bomb, 2, 1, 1) is None
    for number, torn in enumerate((b"\x1f\x8b", b"\x1f\x8bnonsense", gzip.compress(b"vt" * 99)[:-9])):
        assert read_tile(mbtiles(tmp_path / f"t{number}", "pbf", torn), 2, 1, 1) is None


def test_a_map_that_nests_its_layers_without_end_has_none(tmp_path: Path) -> None:
    path = mbtiles(tmp_path / "m", "pbf", b"\x1a\x02vt")
    with sqlite3.connect(path) as base:
        base.execute("UPDATE metadata SET value = ? WHERE name = 'json'", ('{"a":' + "[" * 100_000,))
    base.close()
    assert read_facts(path).layers == ()


def test_a_geopackage_lies_in_the_grid_of_the_world(tmp_path: Path) -> None:
    path = geopackage(tmp_path / "g")
    assert read_facts(path).max_zoom == 3
    tile = read_tile(path, 3, 5, 2)
    assert tile is not None
    assert tile.kind == "image/png"
    assert read_tile(path, 3, 4, 2) is None


NONSENSE = [None, "wide", b"\0", 1e308, -1e308, 9e999, (1 << 63) - 1]


@pytest.mark.parametrize("column", ["pixel_x_size", "tile_width", "min_x", "max_y"])
@pytest.mark.parametrize("said", NONSENSE)
def test_a_grid_that_says_nonsense_is_no_grid(tmp_path: Path, column: str, said: object) -> None:
    path = geopackage(tmp_path / "g")
    table = "gpkg_tile_matrix_set" if column in ("min_x", "max_y") else "gpkg_tile_matrix"
    with sqlite3.connect(path) as base:
        base.execute(f"UPDATE {table} SET {column} = ?", (said,))
    base.close()
    with pytest.raises(UsageError, match="nothing that can be shown"):
        read_facts(path)
    assert read_tile(path, 3, 5, 2) is None


@pytest.mark.parametrize("said", [*NONSENSE, -(1 << 63)])
def test_a_zoom_by_a_nonsensical_name_has_no_tile(tmp_path: Path, said: object) -> None:
    path = geopackage(tmp_path / "g")
    with sqlite3.connect(path) as base:
        base.execute("UPDATE gpkg_tile_matrix SET zoom_level = ?", (said,))
    base.close()
    assert read_tile(path, 3, 5, 2) is None


@pytest.mark.parametrize(
    "dear",
    [
        f"hex(zeroblob(999999)) LIKE '{'%0_' * 9_000}1'",
        "length(randomblob(4000000)) = 1",
        "1 IN (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 9) SELECT i FROM n)",
    ],
)
def test_a_view_of_the_file_calls_nothing(tmp_path: Path, dear: str) -> None:
    # The first would run for years in one step, which no count of steps can end.
    with sqlite3.connect(tmp_path / "v") as base:
        base.execute("CREATE TABLE metadata (name, value)")
        base.execute(
            f"CREATE VIEW tiles AS SELECT 0 zoom_level, 0 tile_column, 0 tile_row, x'1a' tile_data WHERE {dear}"
        )
    base.close()
    with pytest.raises(UsageError, match="nothing that can be shown"):
        read_tile(tmp_path / "v", 0, 0, 0)


def test_a_view_that_joins_tables_is_read_as_many_map_files_have_it(tmp_path: Path) -> None:
    path = mbtiles(tmp_path / "m", "png", PNG)
    with sqlite3.connect(path) as base:
        base.execute("ALTER TABLE tiles RENAME TO images")
        base.execute("CREATE TABLE map AS SELECT rowid AS image, zoom_level, tile_column, tile_row FROM images")
        columns = "map.zoom_level AS zoom_level, map.tile_column AS tile_column, map.tile_row AS tile_row, tile_data"
        base.execute(f"CREATE VIEW tiles AS SELECT {columns} FROM map JOIN images ON images.rowid = map.image")
    base.close()
    assert read_tile(path, 2, 1, 1) is not None


@pytest.mark.parametrize(
    ("kind", "content"),
    [("png", b"no picture"), ("png", b"\x1a\x02vt"), ("pbf", PNG), ("pbf", b"\x1f\x8btorn"), ("png", None)],
)
def test_tiles_that_nobody_can_draw_are_refused(tmp_path: Path, kind: str, content: bytes | None) -> None:
    with pytest.raises(UsageError, match="its tiles are not"):
        read_facts(mbtiles(tmp_path / "m", kind, content or b""))
    base = sqlite3.connect(geopackage(tmp_path / "g"))
    with base:
        base.execute('UPDATE "my map" SET tile_data = ?', (content,))
    base.close()
    if content != PNG:
        with pytest.raises(UsageError, match="its tiles are not"):
            read_facts(tmp_path / "g")


def test_a_file_that_names_tiles_and_holds_none_is_refused(tmp_path: Path) -> None:
    for path, table in ((mbtiles(tmp_path / "m", "png", PNG), "tiles"), (geopackage(tmp_path / "g"), '"my map"')):
        base = sqlite3.connect(path)
        with base:
            base.execute(f"DELETE FROM {table}")
        base.close()
        with pytest.raises(UsageError, match="holds no tile"):
            read_facts(path)


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0" + bytes(200), b"<html>"])
def test_what_is_no_map_is_refused_with_what_is_allowed(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="MBTiles, or a GeoPackage"):
        read_facts(path)


def test_a_view_that_never_ends_is_cut_off(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "v") as base:
        base.execute("CREATE TABLE metadata (name, value)")
        endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT 2 AS zoom_level, "
        base.execute(f"CREATE VIEW tiles AS {endless} 0 AS tile_column, -i AS tile_row, x'00' AS tile_data FROM n")
    base.close()
    with pytest.raises(UsageError):
        read_tile(tmp_path / "v", 2, 0, 1)
