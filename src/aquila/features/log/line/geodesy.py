"""Places as numbers: MGRS and UTM to degrees and back, and a step along a bearing."""

import functools
from typing import Any

import mgrs
from pyproj import Geod

from aquila.core.grid import converter, mgrs_of

DIGITS = 6
"""Decimals of a degree that are kept: a tenth of a metre."""
POINTS = {
    name: 22.5 * number
    for number, name in enumerate(
        ["N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW"]
    )
}
"""Degrees true of the sixteen compass points."""
BANDS = "CDEFGHJKLMNPQRSTUVWX"


@functools.cache
def _geod() -> Geod:
    return Geod(ellps="WGS84")


def grid_place(zone: str, square: str, easting: str, northing: str) -> dict[str, Any]:
    """The value of a grid: the middle of its cell. Raises ValueError with a sentence when there is no such square.

    Args:
        zone: number and band, 36S.
        square: two letters.
        easting: 0 to 5 digits.
        northing: as many digits.
    """
    number, band = int(zone[:-1]), zone[-1].upper()
    square = square.upper()
    if not 1 <= number <= 60:
        raise ValueError(f"grid zone {number}: zones run from 1 to 60")
    if band not in BANDS:
        raise ValueError(f"grid band {band}: bands are the letters C to X without I and O")
    cell_m = 10 ** (5 - len(easting))
    text = f"{number:02d}{band}{square}{easting}{northing}"
    try:
        _, hemisphere, east_m, north_m = converter().MGRSToUTM(text)
        corner = converter().UTMToMGRS(number, hemisphere, east_m, north_m, 0)
        middle = converter().UTMToMGRS(number, hemisphere, east_m + cell_m / 2, north_m + cell_m / 2, 5)
        lat_deg, lon_deg = converter().toLatLon(middle)
    except (mgrs.core.MGRSError, RuntimeWarning):
        # The library warns of a place outside its band; where warnings are errors, that is one too.
        raise ValueError(f"grid {text}: there is no square {square} in zone {number}{band}") from None
    if corner[-2:] != square or not _in_band(band, lat_deg):
        raise ValueError(f"grid {text}: there is no such place in zone {number}{band}; check the letters")
    return _place("grid", lat_deg, lon_deg) | {"mgrs": text, "cell_m": cell_m}


def _in_band(band: str, lat_deg: float) -> bool:
    low = -80 + 8 * BANDS.index(band)
    # Squares on the edge of a band belong to both; half a degree is more than any cell sticks out.
    return low - 0.95 <= lat_deg <= (84 if band == "X" else low + 8) + 0.95


def utm_place(zone: int, hemisphere: str, east_m: float, north_m: float) -> dict[str, Any]:
    """The value of UTM co-ordinates; hemisphere N or S. Raises ValueError with a sentence."""
    if not 1 <= zone <= 60:
        raise ValueError(f"UTM zone {zone}: zones run from 1 to 60")
    if not 100_000 <= east_m < 1_000_000:
        raise ValueError(f"UTM easting {east_m:.0f}: 100000 to 999999 m")
    if not 0 <= north_m <= 10_000_000:
        raise ValueError(f"UTM northing {north_m:.0f}: 0 to 10000000 m")
    try:
        text = converter().UTMToMGRS(zone, hemisphere, east_m, north_m, 5)
        lat_deg, lon_deg = converter().toLatLon(text)
    except mgrs.core.MGRSError:
        raise ValueError(f"UTM {zone}{hemisphere} {east_m:.0f} {north_m:.0f}: there is no such place") from None
    return _place("utm", lat_deg, lon_deg) | {"mgrs": text, "cell_m": 1}


def degrees_place(lat_deg: float, lon_deg: float) -> dict[str, Any]:
    """The value of a latitude and a longitude."""
    return _place("degrees", lat_deg, lon_deg) | {"mgrs": mgrs_of(lat_deg, lon_deg)}


def moved(lat_deg: float, lon_deg: float, bearing_deg: float, range_m: float) -> tuple[float, float]:
    """Where one comes from a place by a bearing (true) and a distance."""
    lon, lat, _ = _geod().fwd(lon_deg, lat_deg, bearing_deg, range_m)
    return round(float(lat), DIGITS), round(float(lon), DIGITS)


def _place(sort: str, lat_deg: float, lon_deg: float) -> dict[str, Any]:
    return {"sort": sort, "lat_deg": round(lat_deg, DIGITS), "lon_deg": round(lon_deg, DIGITS)}
