"""Tiles: map files that are SQLite databases, read only: MBTiles 1.3 and the raster tiles of GeoPackage 1.3.

Vector layers of a GeoPackage are read by `shapes.py`.

The file came from outside, so it is trusted in nothing: it is opened read only, its triggers cannot act, only SELECT is
let through, its views may neither call functions (one LIKE can run for years in a single step) nor themselves, and a
query ends after a bounded number of steps and time of the processor.
"""

import gzip
import io
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import thread_time
from typing import Any

import msgspec

from aquila.core.errors import UsageError

TILE_MAX_BYTES = 4 << 20
STEPS_MAX = 2_000_000
"""Steps of SQLite's machine that one request may take."""
CPU_S_MAX = 10.0
"""Time of the processor for one request: a step on values of `TILE_MAX_BYTES` is no small one."""
ZOOM_MAX = 24
WORLD_M = 40_075_016.685578488
"""Edge of the square of web mercator (EPSG:3857)."""
_ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ})
_OUR_FUNCTION = "substr"
_VECTOR = "application/vnd.mapbox-vector-tile"
_ABSENT = (
    "the file holds nothing that can be shown: "
    f"MBTiles, or a GeoPackage with vector layers or with raster tiles in EPSG:3857, zoom 0 to {ZOOM_MAX}"
)


class TileFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a file of tiles says of itself.

    Attributes:
        kind: `raster` or `vector`; `none` = it has no tiles, only shapes.
        bounds: west, south, east, north in degrees; None = not said.
        layers: names of its layers of vector tiles; empty for pictures.
        shapes: it has vector layers as a GeoPackage keeps them, for `shapes.py`.
    """

    kind: str
    min_zoom: int
    max_zoom: int
    bounds: tuple[float, float, float, float] | None
    layers: tuple[str, ...] = ()
    attribution: str = ""
    shapes: bool = False


class Tile(msgspec.Struct, frozen=True):
    """One tile; kind is its content type. Vector tiles come unpacked."""

    content: bytes
    kind: str


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A file for reading, bounded in what it may do. Raises UsageError for whatever SQLite finds wrong with it."""
    try:
        base = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True, timeout=1)
    except sqlite3.Error as wrong:
        raise UsageError(_ABSENT) from wrong
    with _bounded(base):
        yield base


@contextmanager
def opened_bytes(data: bytes) -> Iterator[sqlite3.Connection]:
    """The same for a file that is in memory."""
    base = sqlite3.connect(":memory:")
    try:
        # A file in memory has no second one for what is not yet written back (SQLite file format, 1.3.3).
        base.deserialize(data[:18] + b"\1\1" + data[20:])
    except sqlite3.Error as wrong:
        base.close()
        raise UsageError(_ABSENT) from wrong
    with _bounded(base):
        yield base


@contextmanager
def _bounded(base: sqlite3.Connection) -> Iterator[None]:
    try:
        base.execute("PRAGMA trusted_schema=OFF")
        base.execute("PRAGMA cell_size_check=ON")
        base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, TILE_MAX_BYTES)
        base.set_authorizer(_judge)
        base.set_progress_handler(_counter(), 1000)
        yield
    except sqlite3.DataError as wrong:
        raise UsageError(
            f"a value in the file is longer than the {TILE_MAX_BYTES} bytes allowed: simplify it"
        ) from wrong
    except sqlite3.Error as wrong:
        raise UsageError(_ABSENT) from wrong
    finally:
        base.close()


def _judge(act: int, _: str | None, name: str | None, *__: object) -> int:
    """What a statement, ours or of a view in the file, may do. name: of a function."""
    is_ours = act == sqlite3.SQLITE_FUNCTION and name == _OUR_FUNCTION
    return sqlite3.SQLITE_OK if is_ours or act in _ALLOWED else sqlite3.SQLITE_DENY


def _counter() -> Callable[[], bool]:
    """True when a connection has had its share."""
    asked, began_s = 0, thread_time()

    def enough() -> bool:
        nonlocal asked
        asked += 1
        return asked * 1000 > STEPS_MAX or thread_time() - began_s > CPU_S_MAX

    return enough


def read_facts(path: Path) -> TileFile:
    """What is in a file. Raises UsageError for one that cannot be shown."""
    with opened(path) as base:
        tables = {str(name) for (name,) in base.execute("SELECT name FROM sqlite_master LIMIT 1000")}
        if tables & {"gpkg_tile_matrix", "gpkg_geometry_columns"}:
            return _package_facts(base, tables)
        if {"tiles", "metadata"} <= tables:
            return _mbtiles_facts(base)
    raise UsageError(_ABSENT)


def read_tile(path: Path, zoom: int, x: int, y: int) -> Tile | None:
    """The tile at zoom, column from the west, row from the north; None = there is none there. Raises UsageError."""
    if not (0 <= zoom <= ZOOM_MAX and 0 <= x < 1 << zoom and 0 <= y < 1 << zoom):
        return None
    with opened(path) as base:
        tables = {str(name) for (name,) in base.execute("SELECT name FROM sqlite_master LIMIT 1000")}
        found = _package_tile(base, zoom, x, y) if "gpkg_tile_matrix" in tables else _mbtiles_tile(base, zoom, x, y)
    return None if found is None else _tile_of(found)


def _tile_of(content: bytes) -> Tile | None:
    for magic, kind in ((b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"RIFF", "image/webp")):
        if content.startswith(magic):
            return Tile(content, kind)
    if content.startswith(b"\x1f\x8b"):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
                content = packed.read(TILE_MAX_BYTES + 1)
        except (OSError, EOFError, zlib.error):
            return None
        if len(content) > TILE_MAX_BYTES:
            return None
    return Tile(content, _VECTOR)


def _mbtiles_tile(base: sqlite3.Connection, zoom: int, x: int, y: int) -> bytes | None:
    # Rows of MBTiles count from the south (MBTiles 1.3, tiles).
    row = base.execute(
        "SELECT tile_data FROM tiles WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?",
        (zoom, x, (1 << zoom) - 1 - y),
    ).fetchone()
    return row[0] if row is not None and isinstance(row[0], bytes) else None


def _mbtiles_facts(base: sqlite3.Connection) -> TileFile:
    said = {str(name): str(value) for name, value in base.execute("SELECT name, value FROM metadata LIMIT 100")}
    is_vector = said.get("format") == "pbf"
    _check_sample(base.execute("SELECT tile_data FROM tiles LIMIT 1").fetchone(), is_vector=is_vector)
    return TileFile(
        kind="vector" if is_vector else "raster",
        min_zoom=_zoom(said.get("minzoom"), 0),
        max_zoom=_zoom(said.get("maxzoom"), 14),
        bounds=_bounds(said.get("bounds", "")),
        layers=_layers(said.get("json", "")) if is_vector else (),
        attribution=said.get("attribution", "")[:200],
    )


def _check_sample(row: tuple[Any] | None, *, is_vector: bool) -> None:
    """Can a page draw this tile? Raises UsageError where it cannot, or where there is none."""
    if row is None:
        raise UsageError("the file holds no tile")
    # What is named vector tiles but holds pictures is drawn by nobody either.
    tile = _tile_of(row[0]) if isinstance(row[0], bytes) else None
    if tile is None or (tile.kind == _VECTOR) is not is_vector:
        kind = "vector tiles (format pbf)" if is_vector else "pictures"
        raise UsageError(f"its tiles are not the {kind} it says: PNG, JPEG, WebP or Mapbox vector tiles are drawn")


def _zoom(text: str | None, default: int) -> int:
    return min(ZOOM_MAX, int(text)) if text is not None and text.isdecimal() and len(text) < 4 else default


def _bounds(text: str) -> tuple[float, float, float, float] | None:
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        return None
    return (west, south, east, north) if -180 <= west < east <= 180 and -90 <= south < north <= 90 else None


def _layers(text: str) -> tuple[str, ...]:
    try:
        said: Any = msgspec.json.decode(text)
        return tuple(str(layer["id"])[:200] for layer in said["vector_layers"][:100])
    except (msgspec.DecodeError, KeyError, TypeError, RecursionError):
        return ()


class _Matrix(msgspec.Struct, frozen=True):
    """One zoom of a GeoPackage; column and row of its first tile in the grid of the whole world."""

    table: str
    level: int
    zoom: int
    column: int
    row: int


def _matrices(base: sqlite3.Connection) -> list[_Matrix]:
    """Zooms whose tiles lie on the grid of web mercator."""
    rows = base.execute(
        "SELECT s.table_name, m.zoom_level, s.min_x, s.max_y, m.pixel_x_size, m.tile_width FROM gpkg_tile_matrix_set s "
        "JOIN gpkg_tile_matrix m ON m.table_name = s.table_name WHERE s.srs_id = 3857 LIMIT 200"
    ).fetchall()
    return [one for row in rows if (one := _matrix(*row)) is not None]


def _matrix(table: Any, level: Any, min_x: Any, max_y: Any, pixel_m: Any, width: Any) -> _Matrix | None:
    """One zoom from what the file says of it; None = its tiles lie elsewhere, or it says nonsense."""
    try:
        span_m = float(pixel_m) * int(width)
        if not 0 < span_m <= WORLD_M * 1.001:
            return None
        tiles = WORLD_M / span_m
        zoom = round(tiles).bit_length() - 1
        column, row = (float(min_x) + WORLD_M / 2) / span_m, (WORLD_M / 2 - float(max_y)) / span_m
        on_grid = abs(column - round(column)) < 0.01 and abs(row - round(row)) < 0.01
        is_drawn = zoom <= ZOOM_MAX and abs(tiles / (1 << zoom) - 1) < 1e-4
        is_level = abs(int(level)) < 1 << 32
        if not (on_grid and is_drawn and is_level and max(abs(column), abs(row)) <= 1 << zoom):
            return None
        return _Matrix(str(table), int(level), zoom, round(column), round(row))
    # SQLite keeps anything in any column: text, nothing, the infinite.
    except (TypeError, ValueError, OverflowError):
        return None


def has_shapes(base: sqlite3.Connection) -> bool:
    """Does an open GeoPackage name vector layers? Many with tiles alone bring the table, but no row of it."""
    named = base.execute("SELECT 1 FROM sqlite_master WHERE name = 'gpkg_geometry_columns'").fetchone()
    return named is not None and base.execute("SELECT 1 FROM gpkg_geometry_columns LIMIT 1").fetchone() is not None


def _package_facts(base: sqlite3.Connection, tables: set[str]) -> TileFile:
    shapes = has_shapes(base)
    matrices = _matrices(base) if "gpkg_tile_matrix" in tables else []
    found = (base.execute(f"SELECT tile_data FROM {_quoted(one.table)} LIMIT 1").fetchone() for one in matrices)  # noqa: S608
    sample = next((row for row in found if row is not None), None)
    if sample is None and shapes:
        return TileFile(kind="none", min_zoom=0, max_zoom=ZOOM_MAX, bounds=None, shapes=True)
    if matrices:
        _check_sample(sample, is_vector=False)
        zooms = [one.zoom for one in matrices]
        return TileFile(kind="raster", min_zoom=min(zooms), max_zoom=max(zooms), bounds=None, shapes=shapes)
    raise UsageError(_ABSENT)


def _quoted(table: str) -> str:
    """A name of a table as SQL wants it: it cannot be a parameter."""
    return '"' + table.replace('"', '""') + '"'


def _package_tile(base: sqlite3.Connection, zoom: int, x: int, y: int) -> bytes | None:
    for one in _matrices(base):
        if one.zoom != zoom:
            continue
        name = _quoted(one.table)
        row = base.execute(
            f"SELECT tile_data FROM {name} WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?",  # noqa: S608
            (one.level, x - one.column, y - one.row),
        ).fetchone()
        if row is not None and isinstance(row[0], bytes):
            return row[0]
    return None
