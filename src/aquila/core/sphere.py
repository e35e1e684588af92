"""Distances and bearings on a sphere of the mean radius, good to 0.6 %: for what need not be surer.

`geo` measures along the ellipsoid, and pulls in the libraries that can. This asks for nothing.
"""

from math import asin, atan2, cos, degrees, radians, sin, sqrt

MEAN_RADIUS_M = 6_371_008.8
"""Mean radius R1 of the WGS 84 ellipsoid (Moritz, Geodetic Reference System 1980)."""

METRES_PER_DEGREE = MEAN_RADIUS_M * radians(1.0)
"""Length of one degree of latitude in metres."""


def distance_m(lat_a_deg: float, lon_a_deg: float, lat_b_deg: float, lon_b_deg: float) -> float:
    """Great-circle distance in metres (haversine: exact also for points metres apart)."""
    lat_a, lat_b = radians(lat_a_deg), radians(lat_b_deg)
    half_lat = sin((lat_b - lat_a) / 2.0)
    half_lon = sin(radians(lon_b_deg - lon_a_deg) / 2.0)
    return 2.0 * MEAN_RADIUS_M * asin(min(1.0, sqrt(half_lat**2 + cos(lat_a) * cos(lat_b) * half_lon**2)))


def bearing_deg(lat_a_deg: float, lon_a_deg: float, lat_b_deg: float, lon_b_deg: float) -> float:
    """Initial true bearing from a to b, 0 <= bearing < 360; 0 when both are the same point."""
    lat_a, lat_b = radians(lat_a_deg), radians(lat_b_deg)
    turn = radians(lon_b_deg - lon_a_deg)
    east = sin(turn) * cos(lat_b)
    north = cos(lat_a) * sin(lat_b) - sin(lat_a) * cos(lat_b) * cos(turn)
    return degrees(atan2(east, north)) % 360.0


def shifted(lat_deg: float, lon_deg: float, north_m: float, east_m: float) -> tuple[float, float]:
    """Latitude and longitude moved by a few metres; not for use near the poles."""
    return (
        lat_deg + north_m / METRES_PER_DEGREE,
        lon_deg + east_m / (METRES_PER_DEGREE * cos(radians(lat_deg))),
    )


def destination(lat_deg: float, lon_deg: float, range_m: float, bearing_deg: float) -> tuple[float, float]:
    """Latitude and longitude (-180 up to 180) where a line of range and true bearing ends."""
    lat, bearing, arc = radians(lat_deg), radians(bearing_deg), range_m / MEAN_RADIUS_M
    sine = sin(lat) * cos(arc) + cos(lat) * sin(arc) * cos(bearing)
    turn = atan2(sin(bearing) * sin(arc) * cos(lat), cos(arc) - sin(lat) * sine)
    return degrees(asin(max(-1.0, min(1.0, sine)))), (lon_deg + degrees(turn) + 540.0) % 360.0 - 180.0
