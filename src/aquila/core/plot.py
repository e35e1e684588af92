"""Plot: what one look of a sensor measured, before anybody says what it belongs to.

A plot is no statement about an entity. The tracker makes tracks of plots; only a track becomes a Report.
"""

import math
from collections.abc import Mapping
from typing import ClassVar

import msgspec

from aquila.core.model import Position


class Polar(msgspec.Struct, frozen=True):
    """A place as seen from the sensor. Raises ValueError when a number is not finite or out of range.

    Attributes:
        range_m: slant range. azimuth_deg: 0..360 from true north. elevation_deg: above the horizon.
        range_sigma_m, azimuth_sigma_deg, elevation_sigma_deg: one standard deviation; None = the sensor does not say.
    """

    range_m: float
    azimuth_deg: float
    elevation_deg: float | None = None
    range_sigma_m: float | None = None
    azimuth_sigma_deg: float | None = None
    elevation_sigma_deg: float | None = None

    def __post_init__(self) -> None:
        if not (0.0 <= self.range_m < 1e8 and 0.0 <= self.azimuth_deg <= 360.0):
            raise ValueError(
                f"plot at {self.range_m} m, {self.azimuth_deg} degrees: 0..100,000 km and 0..360 are allowed"
            )


class Plot(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="plot"):
    """One detection. At least one of `polar`, `xy_m` and `position` is given, else ValueError.

    Attributes:
        sensor: stable name of the sensor, scheme first: `asterix:25/2`, `gmti:PLATFORM`, `misb:MISSION`.
        observed_at_ms: when it was measured.
        polar: seen from the sensor. xy_m: east and north of the sensor, metres, in its own plane.
        position: on WGS 84.
        covariance_m2: (east, north, east x north) of `position` or `xy_m`, m2; None = the sensor does not say.
        radial_mps: speed along the line of sight, positive = going away.
        mode3a: four octal digits. mode_s: 24-bit address as six lower-case hex digits. callsign: by Mode S.
        pressure_altitude_m: Mode C or flight level, metres above 1013.25 hPa; never a height above the ellipsoid.
        track: the sensor's own number of the track that it belongs to; unique for this sensor only.
        fields: what else the sensor said, with its unit in the name.
    """

    VERSION: ClassVar[int] = 1

    sensor: str
    observed_at_ms: int
    polar: Polar | None = None
    xy_m: tuple[float, float] | None = None
    position: Position | None = None
    covariance_m2: tuple[float, float, float] | None = None
    radial_mps: float | None = None
    mode3a: str | None = None
    mode_s: str | None = None
    callsign: str | None = None
    pressure_altitude_m: float | None = None
    track: str | None = None
    fields: Mapping[str, str] = {}

    def __post_init__(self) -> None:
        if self.polar is None and self.xy_m is None and self.position is None:
            raise ValueError("plot without a place: polar, xy_m or position is needed")
        numbers = (*(self.xy_m or ()), *(self.covariance_m2 or ()), self.radial_mps, self.pressure_altitude_m)
        for value in numbers:
            if value is not None and not math.isfinite(value):
                raise ValueError(f"plot with {value}: finite numbers are needed")
