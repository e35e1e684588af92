"""Which points are in which areas: exact, with holes, multipolygons, antimeridian. Whoever watches areas asks this.

A grid of cells knows which areas hold a cell whole and which have their border in it, so that only points near a border
are tested, all of them at once. An area that crosses the antimeridian is cut there. Where numba is installed a compiled
even-odd ray makes that test.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from aquila.fusion.compiled import has_compiler
from aquila.fusion.rows import Bools, Floats, Ints

CELLS_MAX = 512
"""Of the grid, along each axis."""
CELLS_ACROSS = 7.0
"""So many cells lie across a usual area."""
CELLS_PER_AREA = 128
"""On average over all areas: above, cells are made wider, so that a few huge areas do not eat the memory."""


def unwrap(area: shapely.Geometry) -> shapely.Geometry:
    """An area in degrees (x longitude, y latitude) in one piece: one that spans over 180 degrees goes the short way."""
    if not np.ptp(shapely.get_coordinates(area)[:, 0]) > 180:
        return area
    return shapely.transform(area, lambda xy: np.column_stack([xy[:, 0] % 360, xy[:, 1]]))


def cut_at_antimeridian(area: shapely.Geometry) -> shapely.Geometry:
    """An area that crosses the antimeridian as the two that lie between -180 and 180 degrees; others as they are."""
    whole = unwrap(area)
    if whole is area:
        return area
    beyond = shapely.intersection(whole, shapely.box(180, -90, 540, 90))
    return shapely.union_all(
        [
            shapely.intersection(whole, shapely.box(-180, -90, 180, 90)),
            shapely.transform(beyond, lambda xy: xy - [360.0, 0.0]),
        ]
    )


def wrong_corners(corners: Sequence[tuple[float, float]]) -> str | None:
    """Why these corners (longitude, latitude; degrees) are no area; None = they are one."""
    area = unwrap(shapely.Polygon(corners))
    if shapely.area(shapely.convex_hull(area)) == 0:
        return "the area has no inside: draw at least three corners that are not in line"
    if not shapely.is_valid(area):
        return f"the area crosses itself ({shapely.is_valid_reason(area)}): draw its corners in order"
    return None


def fences_of(areas: Sequence[Sequence[tuple[float, float]]]) -> "Geofences":
    """Areas by their corners (longitude, latitude; degrees), each one that `wrong_corners` finds nothing wrong with.

    Without the compiler: a node asks of thousands of places a second, which is no reason to load it.

    Raises:
        ValueError: see Geofences.
    """
    return Geofences([shapely.Polygon(corners) for corners in areas], compiled=False)


class Geofences:
    """Areas, and which points lie in them."""

    def __init__(self, areas: list[shapely.Geometry], *, degrees: bool = True, compiled: bool | None = None) -> None:
        """Take the areas.

        Args:
            areas: Polygons or multipolygons; the number of an area is its place in the list.
            degrees: x is longitude, y latitude; areas and points may cross the antimeridian.
            compiled: Use the compiled kernel; None: when numba is installed.

        Raises:
            ValueError: An area is empty, not polygonal or invalid.
        """
        for number, area in enumerate(areas):
            if shapely.get_type_id(area) not in (3, 6) or shapely.is_empty(area):
                raise ValueError(f"area {number} is a {area.geom_type}: only polygons that are not empty can be fences")
            whole = unwrap(area) if degrees else area
            if not shapely.is_valid(whole):
                raise ValueError(f"area {number} is no valid polygon: {shapely.is_valid_reason(whole)}")
        self.degrees = degrees
        self.areas = [cut_at_antimeridian(area) for area in areas] if degrees else list(areas)
        self.compiled = has_compiler() if compiled is None else compiled
        kind = _CompiledGrid if self.compiled else _Grid
        self._grid = kind(np.array(self.areas, dtype=object)) if self.areas else None

    def inside(self, xy: Floats) -> tuple[Ints, Ints]:
        """Row of the point, number of the area, for every point in an area, sorted. NaN points are nowhere."""
        xy = np.asarray(xy, np.float64).reshape(-1, 2)
        if self._grid is None or len(xy) == 0:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        if self.degrees and not ((xy[:, 0] >= -180) & (xy[:, 0] < 180)).all():
            with np.errstate(invalid="ignore"):  # an infinite longitude becomes none at all
                xy = np.column_stack([(xy[:, 0] + 180) % 360 - 180, xy[:, 1]])
        return self._grid.inside(xy)


class _Grid:
    """Cells that name the areas which touch them, and which of those hold the whole cell."""

    def __init__(self, areas: NDArray[np.object_]) -> None:
        self.areas = areas
        shapely.prepare(areas)
        boxes = shapely.bounds(areas).reshape(-1, 4)
        self.low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
        size = boxes[:, 2:] - boxes[:, :2]
        self.cell = np.maximum(np.median(size, axis=0) / CELLS_ACROSS, (high - self.low) / (CELLS_MAX - 1))
        while (size / self.cell + 1).prod(axis=1).sum() > CELLS_PER_AREA * (len(areas) + 8):
            self.cell = self.cell * 1.25
        self.shape = ((high - self.low) / self.cell).astype(np.int64) + 1
        area, at = self._boxed(boxes)
        # A little wider than the cell: no rounding may put a point into a cell that does not hold it.
        edge = 1e-9 * self.cell + 4 * np.spacing(np.abs([self.low, high]).max(axis=0))
        corner = self.low + at * self.cell
        squares = shapely.box(*(corner - edge).T, *(corner + self.cell + edge).T)
        touched = np.flatnonzero(shapely.intersects(areas[area], squares))
        area, cell = area[touched], at[touched] @ [self.shape[1], 1]
        order = np.lexsort((area, cell))
        self.cell_areas = area[order]
        self.whole: Bools = shapely.contains_properly(areas[area], squares[touched])[order]
        self.cell_starts = np.searchsorted(cell[order], np.arange(self.shape.prod() + 1))

    def _boxed(self, boxes: Floats) -> tuple[Ints, Ints]:
        """Area, and column and row of the cell, for every cell that the box of an area touches."""
        first, last = (((corner - self.low) / self.cell).astype(np.int64) for corner in np.split(boxes, 2, axis=1))
        wide, high = (last - first + 1).T
        count = wide * high
        area = np.repeat(np.arange(len(boxes)), count)
        nth = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        return area, first[area] + np.column_stack([nth // high[area], nth % high[area]])

    def inside(self, xy: Floats) -> tuple[Ints, Ints]:
        """Row of the point and number of the area, sorted."""
        column, line = np.floor((xy - self.low) / self.cell).T
        columns, lines = self.shape
        on = np.flatnonzero((column >= 0) & (column < columns) & (line >= 0) & (line < lines))  # NaN is on no cell
        cell = (column[on] * lines + line[on]).astype(np.int64)
        start = self.cell_starts[cell]
        count = self.cell_starts[cell + 1] - start
        row = np.repeat(on, count)
        entry = np.arange(len(row)) + np.repeat(start - (np.cumsum(count) - count), count)
        area, keep = self.cell_areas[entry], self.whole[entry]
        border = np.flatnonzero(~keep)
        border = border[np.argsort(area[border])]  # one area after the other: twice as fast
        keep[border] = shapely.contains_xy(self.areas[area[border]], xy[row[border]])
        return row[keep], area[keep]


class _CompiledGrid(_Grid):
    """The same cells, and all edges of all areas in one array for the compiled test."""

    def __init__(self, areas: NDArray[np.object_]) -> None:
        super().__init__(areas)
        parts, owner = shapely.get_parts(areas, return_index=True)
        rings, part = shapely.get_rings(parts, return_index=True)
        corners, ring = shapely.get_coordinates(rings, return_index=True)
        along = np.flatnonzero(np.diff(ring) == 0)  # each corner of a ring but its last
        self.edges = np.column_stack([corners[along], corners[along + 1]])
        self.starts = np.searchsorted(owner[part[ring[along]]], np.arange(len(areas) + 1))
        # The compiler is loaded for those who fence, not for those who only read an area.
        self._find_inside: Any = import_module("aquila.fusion.geofence_loops").find_inside

    def inside(self, xy: Floats) -> tuple[Ints, Ints]:
        """Row of the point and number of the area, sorted."""
        room = max(4 * len(xy), 64)
        while True:
            row, area = np.empty(room, np.int64), np.empty(room, np.int64)
            count = self._find_inside(
                xy, self.low, self.cell, self.shape, self.cell_starts, self.cell_areas, self.whole, self.starts,
                self.edges, row, area,
            )  # fmt: skip
            if count >= 0:
                return row[:count], area[:count]
            room *= 4
