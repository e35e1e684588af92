"""A report as a GeoJSON Feature, in the field names of Aquila's own API."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from aquila.core.codec import Outgoing
from aquila.core.errors import CodecError
from aquila.core.model import Geometry, Label, Position, Report

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def encode_feature(outgoing: Outgoing) -> bytes:
    """One Feature as JSON. Raises CodecError("unsupported") for any body but a report."""
    report = outgoing.body
    if not isinstance(report, Report):
        raise CodecError("unsupported", f"GeoJSON cannot carry a {type(report).__name__}")
    feature = {
        "type": "Feature",
        "id": report.entity,
        "geometry": _geometry(report.geometry, report.position),
        "properties": _properties(report, outgoing.label),
    }
    return msgspec.json.encode(feature)


def _geometry(geometry: Geometry | None, position: Position | None) -> dict[str, Any] | None:
    """The shape if there is one, else the place; null (RFC 7946, 3.2) when neither is known."""
    if geometry is None or not geometry.points:
        if position is None:
            return None
        at = [position.lon_deg, position.lat_deg]
        if position.hae_m is not None:
            at.append(position.hae_m)
        return {"type": "Point", "coordinates": at}
    points = [[lon_deg, lat_deg] for lat_deg, lon_deg in geometry.points]
    if geometry.shape == "circle" or len(points) == 1:
        return {"type": "Point", "coordinates": points[0]}
    if geometry.shape == "polygon" and len(points) > 2:
        return {"type": "Polygon", "coordinates": [_ring(points)]}
    return {"type": "LineString", "coordinates": points}


def _ring(points: list[list[float]]) -> list[list[float]]:
    """A closed ring, counter-clockwise (RFC 7946, 3.1.6)."""
    twice_area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, points[1:] + points[:1], strict=True))
    ring = points if twice_area >= 0 else points[::-1]
    return [*ring, ring[0]]


def _properties(report: Report, label: Label) -> dict[str, Any]:
    """Everything else that is known; what is unknown is left out."""
    position, motion, geometry = report.position, report.motion, report.geometry
    known: dict[str, Any] = {
        "name": report.name,
        "sidc": report.sidc,
        "cot_type": report.type,
        "category": report.category,
        "observed_at": _iso(report.observed_at_ms),
        "stale_at": None if report.stale_at_ms is None else _iso(report.stale_at_ms),
        "ce_m": None if position is None else position.ce_m,
        "course_deg": None if motion is None else motion.course_deg,
        "speed_mps": None if motion is None else motion.speed_mps,
        "radius_m": None if geometry is None else geometry.radius_m,
        "stroke": None if geometry is None else geometry.stroke,
        "fill": None if geometry is None else geometry.fill,
        "team": report.team,
        "role": report.role,
        "battery_pct": report.battery_pct,
        "remarks": report.remarks,
        "emergency": None if report.emergency is None else report.emergency.type,
        "emergency_active": None if report.emergency is None else report.emergency.active,
        "fields": dict(report.fields) or None,
        "classification": label.classification,
        "releasable_to": list(label.releasable_to) or None,
        "caveats": list(label.caveats) or None,
    }
    return {name: value for name, value in known.items() if value is not None}


def _iso(at_ms: int) -> str:
    at = _EPOCH + timedelta(milliseconds=at_ms)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"
