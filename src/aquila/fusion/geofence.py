"""Which points are in which areas, and what they entered and left: exact, with holes, multipolygons, antimeridian.

Boxes by a tree, then the points that share a box with an area are tested all at once. An area that crosses the
antimeridian is cut there. Where numba is installed a compiled even-odd ray does the same over a grid of boxes.
"""

from importlib import import_module
from typing import Any

import msgspec
import numpy as np
import shapely
from numpy.typing import NDArray

from aquila.fusion.compiled import has_compiler
from aquila.fusion.rows import Floats, Ints

PACK = 1 << 32
CELLS_MAX = 512


class Crossings(msgspec.Struct, frozen=True):
    """What changed between two updates, in sorted order. Each row is (point id, area number)."""

    entered: Ints
    left: Ints
    inside: Ints


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


class Geofences:
    """Areas, and which points were in them at the last update."""

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
        self._inside = np.zeros(0, np.int64)
        self._since_s = np.zeros(0)
        self._prepared = np.array(self.areas, dtype=object)
        shapely.prepare(self._prepared)
        self._tree = shapely.STRtree(self.areas)
        self._grid = _Grid(self.areas) if self.compiled and self.areas else None

    def inside(self, xy: Floats) -> tuple[Ints, Ints]:
        """Row of the point, number of the area, for every point in an area, sorted. NaN points are nowhere."""
        xy = np.asarray(xy, np.float64).reshape(-1, 2)
        if self.degrees:
            xy = np.column_stack([(xy[:, 0] + 180) % 360 - 180, xy[:, 1]])
        if self._grid is not None:
            return self._grid.inside(xy)
        fine = np.flatnonzero(np.isfinite(xy).all(axis=1))
        boxed, area = self._tree.query(shapely.points(xy[fine]))
        row = fine[boxed]
        keep = shapely.contains_xy(self._prepared[area], xy[row, 0], xy[row, 1])
        row, area = row[keep], area[keep]
        sort = np.lexsort((area, row))
        return row[sort].astype(np.int64), area[sort].astype(np.int64)

    def update(self, ids: Ints, xy: Floats, now_s: float) -> Crossings:
        """Where the points are now; what they entered and left since the last update.

        Args:
            ids: Whole numbers below 2^31, each once. A point that is not named any more has left its areas.
            xy: x, y (or longitude, latitude), shape (n, 2).
            now_s: Time of the update, for `dwell_s`.
        """
        row, area = self.inside(xy)
        keys = np.asarray(ids, np.int64)[row] * PACK + area
        keys.sort()
        entered = np.setdiff1d(keys, self._inside, assume_unique=True)
        left = np.setdiff1d(self._inside, keys, assume_unique=True)
        since = np.full(len(keys), now_s)
        stayed = np.isin(keys, self._inside, assume_unique=True)
        since[stayed] = self._since_s[np.searchsorted(self._inside, keys[stayed])]
        self._inside, self._since_s = keys, since
        return Crossings(_unpack(entered), _unpack(left), _unpack(keys))

    def dwell_s(self, now_s: float) -> Floats:
        """How long each row of the last `Crossings.inside` has been there."""
        return now_s - self._since_s


def _unpack(keys: Ints) -> NDArray[np.int64]:
    return np.column_stack([keys // PACK, keys % PACK])


class _Grid:
    """All edges of all areas in one array, and a grid of cells that name the areas whose box touches them."""

    def __init__(self, areas: list[shapely.Geometry]) -> None:
        starts, edges = [0], []
        for area in areas:
            for polygon in shapely.get_parts(area):
                for ring in (polygon.exterior, *polygon.interiors):
                    xy = shapely.get_coordinates(ring)
                    edges.append(np.column_stack([xy[:-1], xy[1:]]))
            starts.append(sum(len(part) for part in edges))
        self.edges = np.concatenate(edges)
        self.starts = np.array(starts, np.int64)
        self.boxes = shapely.bounds(np.array(areas, dtype=object)).reshape(-1, 4)
        low, high = self.boxes[:, :2].min(axis=0), self.boxes[:, 2:].max(axis=0)
        usual = np.maximum(np.median(self.boxes[:, 2:] - self.boxes[:, :2], axis=0), (high - low) / CELLS_MAX)
        self.low, self.cell = low, np.maximum(usual, 1e-12)
        self.shape = np.minimum(((high - low) / self.cell).astype(np.int64) + 1, CELLS_MAX)
        self.cell_starts, self.cell_areas = self._fill()
        # The compiler is loaded for those who fence, not for those who only read an area.
        self._find_inside: Any = import_module("aquila.fusion.geofence_loops").find_inside

    def _fill(self) -> tuple[Ints, Ints]:
        first = np.clip(((self.boxes[:, :2] - self.low) / self.cell).astype(np.int64), 0, self.shape - 1)
        last = np.clip(((self.boxes[:, 2:] - self.low) / self.cell).astype(np.int64), 0, self.shape - 1)
        cells, owners = [], []
        for area, (a, b) in enumerate(zip(first, last, strict=True)):
            covered = np.arange(a[0], b[0] + 1)[:, None] * self.shape[1] + np.arange(a[1], b[1] + 1)
            cells.append(covered.ravel())
            owners.append(np.full(covered.size, area))
        cell, owner = np.concatenate(cells), np.concatenate(owners)
        order = np.argsort(cell, kind="stable")
        return np.searchsorted(cell[order], np.arange(self.shape.prod() + 1)), owner[order]

    def inside(self, xy: Floats) -> tuple[Ints, Ints]:
        room = max(4 * len(xy), 64)
        while True:
            row, area = np.empty(room, np.int64), np.empty(room, np.int64)
            count = self._find_inside(
                xy, self.low, self.cell, self.shape, self.cell_starts, self.cell_areas, self.boxes, self.starts,
                self.edges, row, area,
            )  # fmt: skip
            if count >= 0:
                return row[:count], area[:count]
            room *= 4
