"""Shapes: the vector layers of a GeoPackage 1.3 as GeoJSON in degrees, for a screen to draw whole.

Bounded in features, corners and bytes; what lies beyond is counted, and the page says so.
"""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyproj
from numpy.typing import NDArray

from aquila.core.errors import UsageError
from aquila.stores.sqlite.tiles import has_shapes, opened
from aquila.stores.sqlite.wkb import Shape, read_shape

SHAPES_MAX = 20_000
CORNERS_MAX = 500_000
LAYERS_MAX = 40
NAME_LETTERS = 80
NAME_COLUMNS = ("name", "label", "title", "nom", "nome", "bezeichnung")
"""Columns whose text stands beside a shape; the first that there is."""


class ShapeFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file as GeoJSON.

    Attributes:
        content: a FeatureCollection with its `bbox`; features have `layer` and, where the file has one, `name`.
        bounds: west, south, east, north in degrees; None = nothing is in it.
        left_out: features that were refused or lie beyond the bounds of what is drawn.
    """

    content: bytes
    bounds: tuple[float, float, float, float] | None
    left_out: int


Row = tuple[Shape | None, dict[str, Any]]
"""A shape (None = it cannot be drawn) and what its columns tell, by the words of GeoJSON properties."""


class VectorLayer(msgspec.Struct, frozen=True):
    """One table of shapes: its name, its column of geometries, and the EPSG code of its system."""

    table: str
    column: str
    code: int


def read_shapes(path: Path) -> ShapeFile:
    """Everything that can be drawn of a file.

    Raises:
        UsageError: it has no vector layers, or one in a system that has no EPSG code.
    """
    with opened(path) as base:
        drawn, left_out = read_layers(base, _shapes)
    bounds = None
    if drawn:
        every = np.array([box for _, box in drawn])
        low, high = every[:, :2].min(axis=0), every[:, 2:].max(axis=0)
        bounds = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    whole: dict[str, Any] = {"type": "FeatureCollection", "features": [feature for feature, _ in drawn]}
    if bounds is not None:
        whole["bbox"] = bounds
    content = msgspec.json.encode(whole)
    return ShapeFile(content=content, bounds=bounds, left_out=left_out)


def read_layers(
    base: sqlite3.Connection, rows_of: Callable[[sqlite3.Connection, VectorLayer], Iterator[Row]]
) -> tuple[list[tuple[Any, NDArray[np.float64]]], int]:
    """What can be drawn of an open GeoPackage, within the bounds of a file.

    Args:
        base: the file.
        rows_of: the rows of one layer.

    Returns:
        GeoJSON features in degrees, each with its west, south, east and north; and how many rows were left out, being
        no shape that can be drawn or beyond the bounds.

    Raises:
        UsageError: it has no vector layers, or one in a system that has no EPSG code or is not known here.
    """
    if not has_shapes(base):
        raise UsageError("the file holds no vector layers: a GeoPackage with gpkg_geometry_columns is wanted")
    found: list[tuple[Any, NDArray[np.float64]]] = []
    left_out = corners = 0
    for layer in vector_layers(base):
        shapes: list[tuple[Shape, dict[str, Any]]] = []
        for shape, said in rows_of(base, layer):
            # A part counts as one more: parts without a corner take memory, too.
            count = sum(map(len, shape.parts)) + len(shape.parts) if shape is not None else 0
            if shape is None or len(found) + len(shapes) >= SHAPES_MAX or corners + count > CORNERS_MAX:
                left_out += 1
                continue
            corners += count
            shapes.append((shape, said))
        drawn = in_degrees(layer, shapes)
        left_out += len(shapes) - len(drawn)
        found += drawn
    return found, left_out


def vector_layers(base: sqlite3.Connection) -> list[VectorLayer]:
    """The tables of shapes in an open GeoPackage. Raises UsageError for one whose system has no EPSG code."""
    rows = base.execute(
        "SELECT g.table_name, g.column_name, s.organization, s.organization_coordsys_id FROM gpkg_geometry_columns g "
        "JOIN gpkg_spatial_ref_sys s ON s.srs_id = g.srs_id LIMIT ?",
        (LAYERS_MAX,),
    ).fetchall()
    found = []
    for table, column, organization, code in rows:
        if str(organization).upper() != "EPSG" or not isinstance(code, int):
            system = f"{organization}:{code}"[:60]
            raise UsageError(f"layer {str(table)[:60]!r} is in system {system!r}: only those of EPSG are drawn")
        found.append(VectorLayer(str(table), str(column), code))
    return found


def _shapes(base: sqlite3.Connection, layer: VectorLayer) -> Iterator[Row]:
    """The rows of a map: of what is told of a shape, only its name is shown."""
    # A name of a table or column cannot be a parameter; quoted as SQL wants it.
    table, column = quoted(layer.table), quoted(layer.column)
    columns = [str(told[0]) for told in base.execute(f"SELECT * FROM {table} LIMIT 0").description]  # noqa: S608
    known = {name.lower(): name for name in columns}
    named = next((known[name] for name in NAME_COLUMNS if name in known), None)
    label = "NULL" if named is None else f"substr({quoted(named)}, 1, {NAME_LETTERS})"
    for blob, name in base.execute(f"SELECT {column}, {label} FROM {table}"):  # noqa: S608
        try:
            shape = read_shape(blob) if isinstance(blob, bytes) else None
        except UsageError:
            shape = None
        yield shape, {"name": name} if isinstance(name, str) and name else {}


def quoted(name: str) -> str:
    """The name of a table or column as SQL wants it."""
    return '"' + name.replace('"', '""') + '"'


def in_degrees(layer: VectorLayer, shapes: list[tuple[Shape, dict[str, Any]]]) -> list[tuple[Any, NDArray[np.float64]]]:
    """Features with what is told of each, and its west, south, east and north; without those outside the world."""
    if not shapes:
        return []
    runs = [part for shape, _ in shapes for part in shape.parts]
    flat = np.concatenate(runs)
    try:
        system = pyproj.Transformer.from_crs(layer.code, 4326, always_xy=True)
    except pyproj.exceptions.CRSError as wrong:
        raise UsageError(f"layer {layer.table[:60]!r} is in EPSG:{layer.code}, which nobody knows here") from wrong
    lon, lat = system.transform(flat[:, 0], flat[:, 1])
    degrees = np.round(np.column_stack((lon, lat)), 7)
    found, at = [], 0
    for shape, said in shapes:
        total = sum(map(len, shape.parts))
        own = degrees[at : at + total]
        at += total
        if not total or not (np.isfinite(own).all() and (np.abs(own) <= (360, 90)).all()):
            continue
        ends = np.cumsum([len(part) for part in shape.parts])[:-1]
        parts = [part.tolist() for part in np.split(own, ends)]
        told = {"layer": layer.table[:NAME_LETTERS]} | said
        geometry = {"type": shape.kind, "coordinates": _nested(shape, parts)}
        box = np.concatenate((own.min(axis=0), own.max(axis=0)))
        found.append(({"type": "Feature", "properties": told, "geometry": geometry}, box))
    return found


def _nested(shape: Shape, parts: list[Any]) -> Any:
    """Coordinates as GeoJSON nests them (RFC 7946, 3.1)."""
    is_point = shape.kind.endswith("Point")

    def fill(nest: Any) -> Any:
        if isinstance(nest, list):
            return [fill(each) for each in nest]
        return parts[nest][0] if is_point else parts[nest]

    return fill(shape.nest)
