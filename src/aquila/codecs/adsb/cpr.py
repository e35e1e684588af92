"""Compact position reporting: two 17-bit fractions to a place (RTCA DO-260B, 2.2.3.2.3 and A.1.7).

Functions give None where the fractions lead to no place: the two frames lie in different latitude zones.
"""

import math
from functools import lru_cache
from typing import Final

ZONES: Final = 15
"""Latitude zones between equator and pole."""
FULL: Final = 131_072.0
Place = tuple[float, float]


@lru_cache(maxsize=65_536)
def _zones_at(lat_hundredth_deg: int) -> int:
    return _longitude_zones(lat_hundredth_deg / 100.0)


def _longitude_zones(lat_deg: float) -> int:
    """NL: how many longitude zones there are at a latitude, 1..59."""
    lat_deg = abs(lat_deg)
    if lat_deg < 1e-9:
        return 59
    if lat_deg > 87.0:
        return 1
    if lat_deg == 87.0:
        return 2
    share = 1.0 - math.cos(math.pi / (2.0 * ZONES))
    return math.floor(2.0 * math.pi / math.acos(1.0 - share / math.cos(math.radians(lat_deg)) ** 2))


def longitude_zones(lat_deg: float) -> int:
    """NL of a latitude; a border between two zones is looked at closely, the rest comes from a table."""
    low = math.floor(lat_deg * 100.0)
    zones = _zones_at(low)
    return zones if zones == _zones_at(low + 1) else _longitude_zones(lat_deg)


def from_pair(even: Place, odd: Place, newest_is_odd: bool) -> Place | None:
    """An airborne place from an even and an odd frame (fractions of 131,072), as of the newer of them."""
    lat_even, lon_even = even[0] / FULL, even[1] / FULL
    lat_odd, lon_odd = odd[0] / FULL, odd[1] / FULL
    index = math.floor(59.0 * lat_even - 60.0 * lat_odd + 0.5)
    lat_even_deg = _around_zero(6.0 * (index % 60 + lat_even))
    lat_odd_deg = _around_zero(360.0 / 59.0 * (index % 59 + lat_odd))
    zones = longitude_zones(lat_even_deg)
    if zones != longitude_zones(lat_odd_deg):
        return None
    lat_deg = lat_odd_deg if newest_is_odd else lat_even_deg
    if not -90.0 <= lat_deg <= 90.0:
        return None
    count = max(zones - newest_is_odd, 1)
    step = math.floor(lon_even * (zones - 1) - lon_odd * zones + 0.5)
    lon_deg = 360.0 / count * (step % count + (lon_odd if newest_is_odd else lon_even))
    return lat_deg, _around_zero(lon_deg)


def from_reference(fraction: Place, is_odd: bool, near: Place, circle_deg: float = 360.0) -> Place | None:
    """A place from one frame, near a place that is known to be within half a zone.

    Args:
        fraction: latitude and longitude in parts of 131,072.
        is_odd: which of the two formats it is.
        near: (lat_deg, lon_deg).
        circle_deg: 360 in the air, 90 on the surface (zones a quarter as large).
    """
    lat_part, lon_part = fraction[0] / FULL, fraction[1] / FULL
    zone_deg = circle_deg / (59.0 if is_odd else 60.0)
    near_lat, near_lon = near
    lat_deg = zone_deg * (math.floor(0.5 + near_lat / zone_deg - lat_part) + lat_part)
    if not -90.0 <= lat_deg <= 90.0:
        return None
    wide_deg = circle_deg / max(longitude_zones(lat_deg) - is_odd, 1)
    lon_deg = wide_deg * (math.floor(0.5 + near_lon / wide_deg - lon_part) + lon_part)
    return lat_deg, _around_zero(lon_deg)


def _around_zero(angle_deg: float) -> float:
    """-180..180."""
    return (angle_deg + 180.0) % 360.0 - 180.0
