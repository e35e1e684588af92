"""Viewshed: from how low up things are seen from a place, over terrain and a bent earth.

A sweep of rays runs out from the place. Along each the steepest angle so far says how high something must stand behind
it to be seen, so one sweep answers for every height. Rays are bent by the air: the earth is taken 4/3 as large as it
is, the standard for radio (Recommendation ITU-R P.310), and a little kind to the eye, whose 7/6 would see less far.
"""

import math
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from aquila.core.errors import UsageError
from aquila.core.sphere import MEAN_RADIUS_M

Floats = NDArray[np.float64]

BENT_M = MEAN_RADIUS_M * 4 / 3
RAYS = 1024
STEPS_MAX = 600
STEP_MIN_M = 50.0
CELLS = 256
"""Of either side of the answer."""


class Heights(Protocol):
    """Terrain."""

    def heights(self, lat_deg: Floats, lon_deg: Floats) -> Floats:
        """Metres above the sea at each place, shapes alike; NaN where nothing is known."""
        ...


class Polar(msgspec.Struct, frozen=True):
    """What the rays found, shape (rays, steps); ray k looks to k / rays of a full turn, step n lies n + 1 steps out.

    Attributes:
        ground_m: of the terrain above the sea. least_m: from how high above the sea something is seen.
            Both NaN from where the terrain is not known.
    """

    step_m: float
    ground_m: Floats
    least_m: Floats


class Viewshed(msgspec.Struct, frozen=True):
    """The same on a map: rows from north to south and columns from west to east, evenly spaced in Mercator.

    Attributes:
        box: west, south, east, north of the outer edges in degrees.
        ground_m, least_m: as in Polar; NaN also beyond the range. is_near: within the range of a place, same shape.
    """

    box: tuple[float, float, float, float]
    ground_m: Floats
    least_m: Floats
    is_near: NDArray[np.bool_]


def sweep(terrain: Heights, lat_deg: float, lon_deg: float, eye_m: float, range_m: float) -> Polar:
    """Look round from a place.

    Args:
        terrain: the heights.
        lat_deg: of the place.
        lon_deg: of the place.
        eye_m: above the sea.
        range_m: how far.
    """
    step_m = max(STEP_MIN_M, range_m / STEPS_MAX)
    far_m = np.arange(1, int(np.ceil(range_m / step_m)) + 1) * np.float64(step_m)
    azimuth = 2 * np.pi * np.arange(RAYS) / RAYS
    ground = terrain.heights(*_places(lat_deg, lon_deg, azimuth[:, None], far_m[None, :]))
    drop = far_m**2 / (2 * BENT_M)
    slope = (ground - drop - eye_m) / far_m
    # NaN goes on along the ray: behind terrain that nobody knows nothing is known.
    steepest = np.maximum.accumulate(slope, axis=1)
    before = np.concatenate([np.full((RAYS, 1), -np.inf), steepest[:, :-1]], axis=1)
    least = np.maximum(ground, eye_m + before * far_m + drop)
    return Polar(step_m, np.where(np.isnan(steepest), np.nan, ground), least)


def viewshed(terrain: Heights, places: Sequence[tuple[float, float, float]], range_m: float) -> Viewshed:
    """What is seen from any of some places, laid on a map of CELLS x CELLS.

    Args:
        terrain: the heights.
        places: latitude and longitude in degrees, and height of the eye above the sea in m; at least one.
        range_m: how far each looks.

    Raises:
        UsageError: within the range of a pole.
    """
    box = _box_of(places, range_m)
    lat, lon = cell_places(box, CELLS, CELLS)
    ground, least = np.full((CELLS, CELLS), np.nan), np.full((CELLS, CELLS), np.nan)
    is_near = np.zeros((CELLS, CELLS), np.bool_)
    for lat_deg, lon_deg, eye_m in places:
        far_m, azimuth = _polar(lat_deg, lon_deg, lat[:, None], lon[None, :])
        polar = sweep(terrain, lat_deg, lon_deg, eye_m, range_m)
        step = np.rint(far_m / polar.step_m).astype(np.int64) - 1
        ray = np.rint(azimuth * (RAYS / (2 * np.pi))).astype(np.int64) % RAYS
        near = far_m <= range_m
        at = ray[near], np.clip(step[near], 0, polar.ground_m.shape[1] - 1)
        # Whoever sees lower counts; what one does not know another may.
        ground[near] = np.fmin(ground[near], polar.ground_m[at])
        least[near] = np.fmin(least[near], polar.least_m[at])
        is_near |= near
    return Viewshed(box, ground, least, is_near)


def _box_of(places: Sequence[tuple[float, float, float]], range_m: float) -> tuple[float, float, float, float]:
    """West, south, east, north of all that lies within the range of a place."""
    reach = range_m / MEAN_RADIUS_M
    edges = []
    for lat_deg, lon_deg, _ in places:
        if abs(lat_deg) + math.degrees(reach) > 85:
            raise UsageError(f"latitude {lat_deg} with {range_m:.0f} m: the map ends at 85 degrees; look less far")
        high, wide = math.degrees(reach), math.degrees(math.asin(math.sin(reach) / math.cos(math.radians(lat_deg))))
        edges.append((lon_deg - wide, lat_deg - high, lon_deg + wide, lat_deg + high))
    west, south, east, north = zip(*edges, strict=True)
    return min(west), min(south), max(east), max(north)


def cell_places(box: tuple[float, float, float, float], rows: int, cols: int) -> tuple[Floats, Floats]:
    """Latitudes of the rows' middles from the north, longitudes of the columns' from the west; even in Mercator."""
    west, south, east, north = box
    top, bottom = mercator(np.array([north, south]))
    y = top + (bottom - top) * (np.arange(rows) + 0.5) / rows
    lat = np.degrees(2 * np.arctan(np.exp(y)) - np.pi / 2)
    return lat, west + (east - west) * (np.arange(cols) + 0.5) / cols


def mercator(lat_deg: Floats) -> Floats:
    """The ordinate of a latitude, in radians at the equator."""
    y: Floats = np.log(np.tan(np.pi / 4 + np.radians(lat_deg) / 2))
    return y


def _places(lat_deg: float, lon_deg: float, azimuth: NDArray[Any], far_m: NDArray[Any]) -> tuple[Floats, Floats]:
    """Where rays are, on the sphere."""
    lat, arc = np.radians(lat_deg), far_m / MEAN_RADIUS_M
    there = np.arcsin(np.sin(lat) * np.cos(arc) + np.cos(lat) * np.sin(arc) * np.cos(azimuth))
    turn = np.arctan2(np.sin(azimuth) * np.sin(arc) * np.cos(lat), np.cos(arc) - np.sin(lat) * np.sin(there))
    return np.degrees(there), lon_deg + np.degrees(turn)


def _polar(lat_deg: float, lon_deg: float, lat: Floats, lon: Floats) -> tuple[Floats, Floats]:
    """Distance in m and azimuth in rad (0..2 pi) of places on the sphere."""
    here, there, turn = np.radians(lat_deg), np.radians(lat), np.radians(lon - lon_deg)
    east = np.cos(there) * np.sin(turn)
    north = np.cos(here) * np.sin(there) - np.sin(here) * np.cos(there) * np.cos(turn)
    up = np.sin(here) * np.sin(there) + np.cos(here) * np.cos(there) * np.cos(turn)
    far: Floats = MEAN_RADIUS_M * np.arctan2(np.hypot(east, north), up)
    return far, np.arctan2(east, north) % (2 * np.pi)
