"""Sensors from a JSON file, and the local plane. The format stands in docs/formats/plots.md."""

from typing import Any

import msgspec
import numpy as np
from pyproj import Proj

from aquila.core.errors import UsageError
from aquila.fusion.rows import Floats
from aquila.fusion.sensors import Sensor
from aquila.fusion.settings import KINDS, UNKNOWN, Kind

FARTHEST_M = 2e7
SIGMA_M = (1e-3, 1e6)


class Plane:
    """The local plane: azimuthal equidistant about a place, its x east and y north in metres."""

    def __init__(self, lat: float, lon: float, xy_m: tuple[float, float] = (0.0, 0.0)) -> None:
        """`xy_m`: where that place lies in the file's own plane."""
        self._about = Proj(proj="aeqd", lat_0=lat, lon_0=lon, ellps="WGS84")
        self._shift = np.array(xy_m)

    def to_xy(self, lat: float, lon: float) -> tuple[float, float]:
        """Metres in the plane."""
        x, y = self._about(lon, lat)
        return float(x + self._shift[0]), float(y + self._shift[1])

    def to_lat_lon(self, xy: Floats) -> Floats:
        """Degrees, shape (n, 2): latitude, longitude."""
        east, north = (xy - self._shift).T
        lon, lat = self._about(east, north, inverse=True)
        return np.column_stack([lat, lon])


class SensorFile(msgspec.Struct, frozen=True):
    """Sensors by name, the origin of the plane if said, and what was not understood."""

    sensors: dict[str, Sensor]
    plane: Plane | None
    unknown: list[str]
    kind: Kind = UNKNOWN
    """How what they watch moves."""


_SENSOR_KEYS = {
    "name": ("name", "sensor", "id"),
    "pd": ("pd", "p_d", "Pd", "detection_probability"),
    "clutter_density": ("clutter_density", "clutter_density_per_m2", "clutter"),
    "clutter_per_scan": ("clutter_per_scan", "false_alarms_per_scan"),
    "area_m2": ("area_m2", "area"),
    "period_s": ("period_s", "period"),
    "sigma_m": ("sigma_m", "sigma"),
    "position": ("position",),
    "bias": ("bias",),
}


def read_sensors(text: str) -> SensorFile:
    """Sensors from JSON: a list, an object of name -> sensor, or either under the key "sensors".

    Raises:
        UsageError: It is no such JSON, or a value is out of its range.
    """
    try:
        found = msgspec.json.decode(text.encode())
    except (msgspec.DecodeError, UnicodeEncodeError) as wrong:
        raise UsageError(f"the sensors file is no JSON: {wrong}") from None
    origin = found.get("origin") if isinstance(found, dict) else None
    said_kind = found.get("kind") if isinstance(found, dict) else None
    # A sensor may be called "kind": then an object stands there.
    kind = UNKNOWN if said_kind is None or isinstance(said_kind, dict) else _kind(said_kind)
    if isinstance(found, dict) and "sensors" in found:
        found = found["sensors"]
    elif isinstance(found, dict):
        no_sensors = {"origin"} if isinstance(said_kind, dict) else {"origin", "kind"}
        found = {name: one for name, one in found.items() if name not in no_sensors}
    if isinstance(found, dict):
        found = [{"name": name, **one} if isinstance(one, dict) else one for name, one in found.items()]
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise UsageError(
            'the sensors file must hold a list like [{"name": "radar-1", "pd": 0.9, "period_s": 4}] or'
            ' an object like {"radar-1": {"pd": 0.9}}'
        )
    plane = None
    if origin is not None:
        if not isinstance(origin, dict):
            raise UsageError(f'"origin" is {origin!r}; write {{"lat": 43.1, "lon": 76.9}}')
        lat, lon = _within(origin, "lat", "the origin", -90, 90), _within(origin, "lon", "the origin", -180, 180)
        if lat is None or lon is None:
            raise UsageError('"origin" needs "lat" and "lon" in degrees')
        plane = Plane(lat, lon)
    unknown: list[str] = []
    sensors: dict[str, Sensor] = {}
    for one in found:
        sensor = _sensor(one, plane, unknown)
        if sensor.name in sensors:
            raise UsageError(f"sensor {sensor.name!r} stands twice in the sensors file: give each its own name")
        sensors[sensor.name] = sensor
    return SensorFile(sensors, plane, unknown, kind)


def _kind(said: Any) -> Kind:
    if not isinstance(said, str) or said not in KINDS:
        allowed = ", ".join(f'"{name}"' for name in KINDS)
        raise UsageError(f'"kind" is {said!r}; allowed are {allowed}, or leave it out')
    return KINDS[said]


def _within(one: dict[str, Any], key: str, whose: str, low: float, high: float) -> float | None:
    value = one.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise UsageError(f"{key} of {whose} is {value!r}; allowed is a number from {low:g} to {high:g}")
    return float(value)


def _sensor(raw: dict[str, Any], plane: Plane | None, unknown: list[str]) -> Sensor:
    one: dict[str, Any] = {}
    for key, value in raw.items():
        name = next((name for name, spellings in _SENSOR_KEYS.items() if key in spellings), None)
        if name is None:
            unknown.append(f"{raw.get('name', '?')}.{key}")
        else:
            one[name] = value
    name = one.get("name")
    if not isinstance(name, str | int) or str(name) == "":
        raise UsageError(f'a sensor has the name {name!r}; every sensor needs a "name", as in the column sensor')
    whose = f"sensor {name}"
    density = _within(one, "clutter_density", whose, 0, 1e6)
    per_scan, area = _within(one, "clutter_per_scan", whose, 0, 1e9), _area(one.get("area_m2"), whose)
    if density is None and per_scan is not None and area is not None:
        density = per_scan / area
    bias = one.get("bias")
    if bias not in (None, "none", "unknown"):
        raise UsageError(f'bias of {whose} is {bias!r}; allowed are "none" and "unknown", or leave it out')
    return Sensor(
        name=str(name),
        pd=_within(one, "pd", whose, 0, 1),
        clutter_density=density,
        period_s=_within(one, "period_s", whose, 1e-3, 1e6),
        sigma_m=_within(one, "sigma_m", whose, *SIGMA_M),
        position=_position(one.get("position"), plane, whose),
        bias=bias,
    )


def _area(value: Any, whose: str) -> float | None:
    if isinstance(value, list) and len(value) == 4 and all(isinstance(edge, int | float) for edge in value):
        value = abs((value[2] - value[0]) * (value[3] - value[1]))
    return _within({"area_m2": value}, "area_m2", whose, 1e-3, 1e16)


def _position(value: Any, plane: Plane | None, whose: str) -> tuple[float, float] | None:
    if value is None:
        return None
    if isinstance(value, dict) and {"lat", "lon"} <= value.keys():
        lat, lon = _within(value, "lat", whose, -90, 90), _within(value, "lon", whose, -180, 180)
        if plane is None or lat is None or lon is None:
            raise UsageError(
                f'position of {whose} is in degrees: then the file needs "origin": {{"lat": .., "lon": ..}}'
            )
        return plane.to_xy(lat, lon)
    if isinstance(value, dict):
        value = [value.get("x"), value.get("y")]
    if not isinstance(value, list) or len(value) != 2:
        raise UsageError(f"position of {whose} is {value!r}; write [x, y] in metres")
    pair = {"x": value[0], "y": value[1]}
    x, y = (_within(pair, axis, f"the position of {whose}", -FARTHEST_M, FARTHEST_M) for axis in ("x", "y"))
    if x is None or y is None:
        raise UsageError(f"position of {whose} is {value!r}; write [x, y] in metres")
    return x, y
