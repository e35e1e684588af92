"""Drawings: shapes, their colours, and the arithmetic of a line of range and bearing."""

from collections.abc import Mapping
from typing import Final

import msgspec

from aquila.codecs.cot.event.parts import Event, Part, child_of
from aquila.codecs.cot.event.report import read_report
from aquila.codecs.cot.event.values import number
from aquila.core import sphere
from aquila.core.colours import css_of_argb
from aquila.core.errors import CodecError
from aquila.core.model import Category, Geometry, Report


def read_drawing(event: Event, category: Category, sidc: str) -> Report:
    """A drawn shape."""
    report = read_report(event, category, sidc)
    bullseye = event.parts.get("bullseye")
    if bullseye is not None and event.type == BULLSEYE and bullseye.get("distance"):
        geometry, fields = _bullseye(bullseye, event)
        return msgspec.structs.replace(report, geometry=geometry, fields={**report.fields, **fields}, own=False)
    return msgspec.structs.replace(report, geometry=_geometry(event), own=False)


BULLSEYE: Final = "u-r-b-bullseye"


def _bullseye(part: Part, event: Event) -> tuple[Geometry, Mapping[str, str]]:
    """ATAK's bullseye: a compass of a radius, with rings of their own distance when they are shown."""
    radius_m = _radius(part.get("distance"), "distance")
    fields = {}
    if part.get("hasRangeRings") == "true" and part.get("rangeRingVisible") != "false":
        count = part.get("ringNum") or "1"
        if not (count.isascii() and count.isdigit()) or not 1 <= int(count[:4]) <= RINGS_MAX:
            raise CodecError("range", f"ringNum {count[:10]!r}: 1..{RINGS_MAX}")
        ring_m = _radius(part.get("ringDist"), "ringDist") if part.get("ringDist") else radius_m
        fields = {"rings": count, "ring_m": repr(ring_m)}
    if part.get("bearingRef") in ("T", "M", "G"):
        fields["bearing_ref"] = part.get("bearingRef") or "T"
    if part.get("edgeToCenter") == "true":
        fields["inward"] = "true"
    centre = _checked((event.lat_deg, event.lon_deg))
    return Geometry("circle", (centre,), radius_m, _stroke(event), None), fields


def _radius(text: str | None, name: str) -> float:
    radius_m = number(text, name)
    if not 0.0 <= radius_m <= RADIUS_M_MAX:
        raise CodecError("range", f"a circle of {radius_m} m: 0..{RADIUS_M_MAX:.0f}")
    return radius_m


def _stroke(event: Event) -> str | None:
    return _css(event.parts.get("strokeColor" if "strokeColor" in event.parts else "color"))


def _css(color: Part | None) -> str | None:
    return None if color is None else css_of_argb(color.get("value") or color.get("argb"))


def _geometry(event: Event) -> Geometry | None:
    """The shape of a drawing; None when it has none that is understood (the original keeps it)."""
    parts = event.parts
    stroke = _stroke(event)
    fill = _css(parts.get("fillColor"))
    centre = (event.lat_deg, event.lon_deg)
    if event.type.startswith("u-rb") and "range" in parts and "bearing" in parts:
        range_m = number(parts["range"].get("value"), "range")
        bearing_deg = number(parts["bearing"].get("value"), "bearing")
        return Geometry("line", (centre, _destination(centre, range_m, bearing_deg)), None, stroke, fill)
    shape = child_of(event, "shape")
    if shape is not None:
        for child in shape:
            if child.tag == "ellipse":
                return Geometry("circle", (_checked(centre),), _radius(child.get("major"), "major"), stroke, fill)
            if child.tag == "polyline":
                points = tuple(
                    _checked((number(at.get("lat"), "lat"), number(at.get("lon"), "lon")))
                    for at in child
                    if at.tag == "vertex"
                )
                closed = child.get("closed") == "true"
                return _closed(points, closed, stroke, fill) if points else None
    points = tuple(_point(text) for child in event.children if child.tag == "link" and (text := child.get("point")))
    if not points:
        return None
    if event.type == "b-m-r":
        return Geometry("route", points, None, stroke, fill)
    return _closed(points, event.type in ("u-d-r", "u-d-p"), stroke, fill)


def _closed(points: tuple[tuple[float, float], ...], closed: bool, stroke: str | None, fill: str | None) -> Geometry:
    """A polygon (its first point stands once) when it is said to be one or ends where it began."""
    if len(points) > 3 and points[0] == points[-1]:
        return Geometry("polygon", points[:-1], None, stroke, fill)
    return Geometry("polygon" if closed else "line", points, None, stroke, fill)


def _point(text: str) -> tuple[float, float]:
    """`lat,lon[,hae]` of a link."""
    lat, _, rest = text.partition(",")
    return _checked((number(lat, "point"), number(rest.partition(",")[0], "point")))


def _checked(point: tuple[float, float]) -> tuple[float, float]:
    if not (-90.0 <= point[0] <= 90.0 and -180.0 <= point[1] <= 180.0):
        raise CodecError("range", f"point {point[0]}, {point[1]}: lat -90..90 and lon -180..180 degrees")
    return point


RADIUS_M_MAX: Final = 20_100_000.0
"""Half the way round the world."""
RINGS_MAX: Final = 100


def _destination(start: tuple[float, float], range_m: float, bearing_deg: float) -> tuple[float, float]:
    """Where a line of range and bearing ends, on a sphere (within 0.6 % of the range)."""
    lat_deg, lon_deg = sphere.destination(*_checked(start), range_m, bearing_deg)
    return round(lat_deg, 7), round(lon_deg, 7)


def range_and_bearing(start: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    """Range in metres and true bearing in degrees between two points, on the same sphere."""
    return sphere.distance_m(*start, *end), sphere.bearing_deg(*start, *end)
