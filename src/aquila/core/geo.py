"""Distances, bearings and areas on WGS 84, for one point and for arrays. Angles in degrees, lengths in metres."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyproj
import shapely

GEOD = pyproj.Geod(ellps="WGS84")
Floats = npt.NDArray[np.float64]
CIRCLE_SIDES = 64


def distance_m(lat_deg: float, lon_deg: float, to_lat_deg: float, to_lon_deg: float) -> float:
    """Along the ellipsoid."""
    return float(GEOD.inv(lon_deg, lat_deg, to_lon_deg, to_lat_deg)[2])


def bearing_deg(lat_deg: float, lon_deg: float, to_lat_deg: float, to_lon_deg: float) -> float:
    """From the first place to the second, true, 0 to 360."""
    return float(GEOD.inv(lon_deg, lat_deg, to_lon_deg, to_lat_deg)[0]) % 360.0


def distances_m(lats_deg: Floats, lons_deg: Floats, to_lats_deg: Floats, to_lons_deg: Floats) -> Floats:
    """The same for pairs of places."""
    return np.asarray(GEOD.inv(lons_deg, lats_deg, to_lons_deg, to_lats_deg)[2], dtype=np.float64)


def polygon_of(points: Sequence[tuple[float, float]]) -> shapely.Polygon:
    """An area from its corners (lat_deg, lon_deg). Raises ValueError for fewer than three, or sides that cross."""
    if len(points) < 3:
        raise ValueError(f"{len(points)} corners: an area has at least three")
    polygon = shapely.Polygon([(lon, lat) for lat, lon in points])
    if not polygon.is_valid or polygon.area == 0:
        raise ValueError("the sides of the area cross each other: give its corners in order")
    return polygon


def circle_of(lat_deg: float, lon_deg: float, radius_m: float) -> shapely.Polygon:
    """An area around a place. Raises ValueError when the radius is not more than 0."""
    if radius_m <= 0:
        raise ValueError(f"radius {radius_m} m: more than 0 is needed")
    turns = np.linspace(0.0, 360.0, CIRCLE_SIDES, endpoint=False)
    ones = np.ones(CIRCLE_SIDES)
    lons, lats, _ = GEOD.fwd(ones * lon_deg, ones * lat_deg, turns, ones * radius_m)
    return shapely.Polygon(np.column_stack([lons, lats]))


def are_inside(areas: Sequence[shapely.Polygon], lats_deg: Floats, lons_deg: Floats) -> npt.NDArray[np.bool_]:
    """For each pair of area and place: does it lie inside, or on the edge?"""
    return np.asarray(shapely.intersects_xy(np.array(areas, dtype=object), lons_deg, lats_deg), dtype=np.bool_)
