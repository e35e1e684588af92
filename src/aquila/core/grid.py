"""Grid: a place in MGRS, for records and for people."""

import functools

import mgrs

_SQUARE_LENGTH, _DIGITS = 2, 5


@functools.cache
def converter() -> mgrs.MGRS:
    """The library's converter; it loads a shared object, so that it is made at the first use and once."""
    return mgrs.MGRS()


def mgrs_of(lat_deg: float, lon_deg: float) -> str | None:
    """The grid of a place to one metre, without blanks; None at the poles, which MGRS leaves to UPS."""
    if not -80 <= lat_deg <= 84:
        return None
    text: str = converter().toMGRS(lat_deg, lon_deg, MGRSPrecision=_DIGITS)
    return text


def grid_said(lat_deg: float, lon_deg: float) -> str:
    """The same as people read it: 42T WQ 12345 67890; at the poles latitude and longitude in degrees."""
    text = mgrs_of(lat_deg, lon_deg)
    if text is None:
        return f"{lat_deg:.5f}° {lon_deg:.5f}°"
    zone = text[: -_SQUARE_LENGTH - 2 * _DIGITS]
    return f"{zone} {text[len(zone) : -2 * _DIGITS]} {text[-2 * _DIGITS : -_DIGITS]} {text[-_DIGITS:]}"
