"""Vector layers of a GeoPackage that people bring: drawn in degrees, and hostile bytes are counted, not followed."""

import json
import sqlite3
import struct
from pathlib import Path

import pytest

from aquila.core.errors import UsageError
from aquila.stores.sqlite import shapes
from aquila.stores.sqlite.shapes import read_shapes
from aquila.stores.sqlite.tiles import read_facts
from aquila.stores.sqlite.wkb import read_shape

HEAD = b"GP\0\1" + struct.pack("<i", 4326)
POINT = struct.pack("<BIdd", 1, 1, 77.5, 42.5)
ZONE = struct.pack(">BII", 0, 3, 1) + struct.pack(">I8d", 4, 77, 42, 78, 42, 78, 43, 77, 42)
LINES = struct.pack("<BII", 1, 1005, 1) + struct.pack("<BII6d", 1, 1002, 2, 77, 42, 900, 78, 43, 950)
POINTS = struct.pack("<BII", 1, 4, 1) + POINT


def package(path: Path, rows: list[tuple[bytes, str]], code: int = 4326, table: str = "my zones") -> Path:
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE gpkg_geometry_columns (table_name, column_name, srs_id)")
        base.execute("CREATE TABLE gpkg_spatial_ref_sys (srs_id, organization, organization_coordsys_id)")
        base.execute("INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 7)", (table,))
        base.execute("INSERT INTO gpkg_spatial_ref_sys VALUES (7, 'EPSG', ?)", (code,))
        base.execute(f'CREATE TABLE "{table}" (fid, geom BLOB, "Name" TEXT)')
        base.executemany(f'INSERT INTO "{table}" VALUES (1, ?, ?)', rows)
    base.close()
    return path


def test_points_lines_and_areas_come_as_geojson_with_their_names(tmp_path: Path) -> None:
    rows = [
        (HEAD + POINT, "<script>alert(1)</script>"),
        (HEAD + ZONE, ""),
        (HEAD + LINES, "Road"),
        (HEAD + POINTS, "P"),
    ]
    found = read_shapes(package(tmp_path / "g", rows))
    told = json.loads(found.content)
    features = told["features"]
    assert told["bbox"] == [77, 42, 78, 43]
    assert [each["geometry"]["type"] for each in features] == ["Point", "Polygon", "MultiLineString", "MultiPoint"]
    assert features[0]["geometry"]["coordinates"] == [77.5, 42.5]
    assert features[0]["properties"] == {"layer": "my zones", "name": "<script>alert(1)</script>"}
    assert features[1]["geometry"]["coordinates"] == [[[77, 42], [78, 42], [78, 43], [77, 42]]]
    assert "name" not in features[1]["properties"]
    assert features[2]["geometry"]["coordinates"] == [[[77, 42], [78, 43]]]
    assert features[3]["geometry"]["coordinates"] == [[77.5, 42.5]]
    assert (found.bounds, found.left_out) == ((77, 42, 78, 43), 0)


def test_a_layer_in_utm_lies_where_its_metres_say(tmp_path: Path) -> None:
    point = struct.pack("<BIdd", 1, 1, 500_000, 4_649_776.22)
    found = read_shapes(package(tmp_path / "g", [(HEAD + point, "x")], code=32643))
    lon, lat = json.loads(found.content)["features"][0]["geometry"]["coordinates"]
    assert (lon, lat) == (pytest.approx(75, abs=1e-6), pytest.approx(42, abs=1e-5))


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"GP\0\1",
        HEAD,
        HEAD + POINT[:-1],
        b"XX\0\1" + HEAD[4:] + POINT,
        b"GP\0\x0b" + HEAD[4:] + POINT,
        HEAD + struct.pack("<BII", 1, 2, 0xFFFFFFFF),
        HEAD + struct.pack("<BII", 1, 3, 0xFFFFFFFF) + struct.pack("<I", 0xFFFFFFFF),
        HEAD + struct.pack("<BII", 1, 7, 1) * 100_000,
        HEAD + struct.pack("<BII", 1, 6, 1) * 100_000,
        HEAD + struct.pack("<BII", 1, 17, 1),
    ],
)
def test_a_cut_off_lying_or_nested_geometry_is_refused(blob: bytes) -> None:
    with pytest.raises(UsageError):
        read_shape(blob)


def test_a_file_says_whether_it_has_shapes_beside_tiles(tmp_path: Path) -> None:
    facts = read_facts(package(tmp_path / "g", [(HEAD + POINT, "a")]))
    assert (facts.kind, facts.shapes) == ("none", True)
    with sqlite3.connect(tmp_path / "g") as base:
        base.execute("DELETE FROM gpkg_geometry_columns")
    base.close()
    with pytest.raises(UsageError, match="nothing that can be shown"):
        read_facts(tmp_path / "g")


def test_what_cannot_be_drawn_is_counted_and_the_rest_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    far = struct.pack("<BIdd", 1, 1, 77.5, 95)
    nowhere = struct.pack("<BIdd", 1, 1, float("nan"), float("nan"))
    rows = [(HEAD + POINT, "a"), (HEAD + far, "b"), (HEAD + nowhere, "c"), (b"junk", "d"), (HEAD + ZONE, "e")]
    path = package(tmp_path / "g", rows)
    found = read_shapes(path)
    assert (len(json.loads(found.content)["features"]), found.left_out) == (2, 3)
    monkeypatch.setattr(shapes, "CORNERS_MAX", 3)
    found = read_shapes(path)
    assert (len(json.loads(found.content)["features"]), found.left_out) == (1, 4)


def test_rings_without_a_corner_do_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A blob of 4 MiB holds a million of them, a file as many blobs as it likes.
    hollow = struct.pack("<BIdd", 1, 1, 77.5, 42.5), struct.pack("<BII", 1, 3, 400) + bytes(4 * 400)
    monkeypatch.setattr(shapes, "CORNERS_MAX", 300)
    found = read_shapes(package(tmp_path / "g", [(HEAD + each, "x") for each in hollow]))
    assert (len(json.loads(found.content)["features"]), found.left_out) == (1, 1)


def test_a_file_without_layers_or_in_an_unknown_system_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="EPSG:999999"):
        read_shapes(package(tmp_path / "g", [(HEAD + POINT, "a")], code=999_999))
    (tmp_path / "h").write_bytes(b"SQLite format 3\0" + bytes(500))
    with pytest.raises(UsageError):
        read_shapes(tmp_path / "h")
    hostile = package(tmp_path / "i", [(HEAD + POINT, "a")], table='x" UNION SELECT 1; --'.replace('"', "'"))
    assert read_shapes(hostile).left_out == 0
    with sqlite3.connect(tmp_path / "i") as base:
        base.execute("UPDATE gpkg_geometry_columns SET table_name = 'away'")
    base.close()
    with pytest.raises(UsageError):
        read_shapes(tmp_path / "i")
