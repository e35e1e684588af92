"""Overlays as GeoPackage 1.3 (OGC 12-128r18): drawings become tables of points, lines and areas, and come back.

What is read came from outside: it is opened as bounded as a map file is (`tiles.py`), and what is no shape is counted.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aquila.core.errors import UsageError
from aquila.stores.sqlite.shapes import NAME_COLUMNS, Row, VectorLayer, quoted, read_layers
from aquila.stores.sqlite.tiles import opened_bytes
from aquila.stores.sqlite.wkb import read_shape, write_shape

APPLICATION_ID = 0x47504B47
"""`GPKG` (clause 1.1.1.1.1)."""
VERSION = 10300
TEXT_LETTERS = 4000
TABLES: Mapping[str, tuple[str, str]] = {
    "Point": ("points", "POINT"),
    "LineString": ("lines", "LINESTRING"),
    "Polygon": ("areas", "POLYGON"),
}
"""Kind in GeoJSON -> table and geometry type (annex G.1)."""
TEXTS = (
    "name", "layer", "label", "releasable_to", "caveats", "stroke", "fill", "uid", "shape", "cot_type", "sidc",
    "category", "remarks", "centre", "drawn",
)  # fmt: skip
NUMBERS = ("radius_m",)
COLUMNS = (*TEXTS, *NUMBERS)
READ = {name: name for name in COLUMNS if name not in ("label", "layer", "shape", "releasable_to", "caveats")} | {
    "description": "remarks"
}
"""Column of a file -> what it tells of a drawing. No marking is taken from a file: who imports marks what he says."""
_SYSTEM = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],'
    'AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,'
    'AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4326"]]'
)
_SCHEMA = """
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY,
  organization TEXT NOT NULL, organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
  description TEXT DEFAULT '', last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL,
  geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name), CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
"""
"""Annex C: the tables as the standard has them."""

Feature = dict[str, Any]


class Geopackages:
    """The part `geopackages` of a node."""

    def write(self, title: str, marking: str, features: Sequence[Feature], at_ms: int) -> bytes:
        """A file of GeoJSON features (points, lines, areas of one ring), their properties as columns `COLUMNS`.

        Args:
            title: of the layer.
            marking: of the whole file, in words; stands as the description of each table.
            features: as RFC 7946 has them, in degrees.
            at_ms: UTC, told as the last change.
        """
        base = sqlite3.connect(":memory:", isolation_level=None)
        try:
            # Small pages: an overlay has few rows in many tables.
            for pragma in ("page_size=1024", f"application_id={APPLICATION_ID}", f"user_version={VERSION}"):
                base.execute(f"PRAGMA {pragma}")
            base.executescript(_SCHEMA)
            base.executemany(
                "INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)",
                [
                    ("Undefined cartesian SRS", -1, "NONE", -1, "undefined", "undefined cartesian"),
                    ("Undefined geographic SRS", 0, "NONE", 0, "undefined", "undefined geographic"),
                    ("WGS 84 geodetic", 4326, "EPSG", 4326, _SYSTEM, "longitude and latitude in degrees"),
                ],
            )
            for kind in TABLES:
                own = [each for each in features if each["geometry"]["type"] == kind]
                _write_table(base, kind, own, (title, marking), at_ms)
            return bytes(base.serialize())
        finally:
            base.close()

    def read(self, data: bytes) -> tuple[list[Feature], int]:
        """GeoJSON features in degrees with what their columns tell (`READ`), and how many rows are no such shape.

        Raises UsageError for what is no GeoPackage with vector layers, or one that would keep the node busy.
        """
        with opened_bytes(data) as base:
            drawn, left_out = read_layers(base, _rows)
        return [feature for feature, _ in drawn], left_out


def _write_table(
    base: sqlite3.Connection, kind: str, features: Sequence[Feature], about: tuple[str, str], at_ms: int
) -> None:
    """One table with its lines in the tables about tables; none when there is nothing of the kind."""
    if not features:
        return
    table, type = TABLES[kind]
    columns = ", ".join([*(f"{name} TEXT" for name in TEXTS), *(f"{name} DOUBLE" for name in NUMBERS)])
    base.execute(f"CREATE TABLE {table} (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom {type}, {columns})")
    marks = ", ".join("?" * (1 + len(COLUMNS)))
    runs = [_run(each["geometry"]) for each in features]
    title, marking = about
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    xs, ys = [place[0] for run in runs for place in run], [place[1] for run in runs for place in run]
    base.execute(
        "INSERT INTO gpkg_contents VALUES (?, 'features', ?, ?, ?, ?, ?, ?, ?, 4326)",
        (
            table, f"{title} {table}".strip(), marking, f"{at:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z",
            min(xs), min(ys), max(xs), max(ys),
        ),
    )  # fmt: skip
    base.execute("INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', ?, 4326, 0, 0)", (table, type))
    base.executemany(
        f"INSERT INTO {table} (geom, {', '.join(COLUMNS)}) VALUES ({marks})",  # noqa: S608
        [
            (write_shape(kind, run), *(each["properties"].get(name) for name in COLUMNS))
            for run, each in zip(runs, features, strict=True)
        ],
    )


def _run(geometry: Mapping[str, Any]) -> list[tuple[float, float]]:
    coordinates = geometry["coordinates"]
    if geometry["type"] == "Point":
        coordinates = [coordinates]
    elif geometry["type"] == "Polygon":
        coordinates = coordinates[0]
    return [(place[0], place[1]) for place in coordinates]


def _rows(base: sqlite3.Connection, layer: VectorLayer) -> Iterator[Row]:
    """Each row's shape (None = it cannot be drawn) and what its columns tell."""
    table, column = quoted(layer.table), quoted(layer.column)
    columns = [str(told[0]) for told in base.execute(f"SELECT * FROM {table} LIMIT 0").description]  # noqa: S608
    known = {name.lower(): name for name in reversed(columns)}
    wanted = [(known[name], tells) for name, tells in READ.items() if name in known and name != "name"]
    named = next((known[name] for name in NAME_COLUMNS if name in known), None)
    wanted += [] if named is None else [(named, "name")]
    told = "".join(f", substr({quoted(name)}, 1, {TEXT_LETTERS})" for name, _ in wanted)
    for blob, *values in base.execute(f"SELECT {column}{told} FROM {table}"):  # noqa: S608
        try:
            shape = read_shape(blob) if isinstance(blob, bytes) else None
        except UsageError:
            shape = None
        said = {
            tells: value for (_, tells), value in zip(wanted, values, strict=True) if isinstance(value, str) and value
        }
        yield shape, said | _numbers(said)


def _numbers(said: Mapping[str, Any]) -> dict[str, float | None]:
    """What must be a number as one; None = it is none."""
    found: dict[str, float | None] = {}
    for name in NUMBERS:
        if name in said:
            try:
                found[name] = float(said[name])
            except ValueError:
                found[name] = None
    return found
