"""A report as a KML Placemark, tracks as lines, and the document around them. Every text is escaped."""

import io
import math
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from xml.sax.saxutils import escape

import msgspec

from aquila.core.codec import Outgoing
from aquila.core.errors import CodecError
from aquila.core.model import Geometry, Label, Position, Report
from aquila.core.sphere import MEAN_RADIUS_M
from aquila.core.symbol import affiliation

KIND: Final = "application/vnd.google-earth.kml+xml"
NAMESPACE: Final = "http://www.opengis.net/kml/2.2"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ILLEGAL: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_COLORS: Final = {
    "friend": "ffff8000",
    "assumed_friend": "ffff8000",
    "hostile": "ff2020ff",
    "suspect": "ff2020ff",
    "joker": "ff2020ff",
    "faker": "ff2020ff",
    "neutral": "ff20c020",
    "unknown": "ff20e0ff",
}
"""aabbggrr, as KML has it: the colours of APP-6 frames."""
_CIRCLE_POINTS: Final = 36


class TrackPoint(msgspec.Struct, frozen=True):
    """One place of a track: UTC ms, degrees."""

    at_ms: int
    lat_deg: float
    lon_deg: float


def encode_placemark(outgoing: Outgoing) -> bytes:
    """One Placemark. Raises CodecError("unsupported") for any body but a report."""
    report = outgoing.body
    if not isinstance(report, Report):
        raise CodecError("unsupported", f"KML cannot carry a {type(report).__name__}")
    return placemark(report, outgoing.label).encode()


def placemark(report: Report, label: Label) -> str:
    """The Placemark of a report; one whose place is not known has no geometry."""
    known: dict[str, str | None] = {
        "uid": report.alias.value,
        "cot_type": report.type,
        "sidc": report.sidc,
        "category": report.category,
        "stale_at": None if report.stale_at_ms is None else _iso(report.stale_at_ms),
        "hae_m": None if report.position is None else _number(report.position.hae_m),
        "ce_m": None if report.position is None else _number(report.position.ce_m),
        "course_deg": None if report.motion is None else _number(report.motion.course_deg),
        "speed_mps": None if report.motion is None else _number(report.motion.speed_mps),
        "team": report.team,
        "role": report.role,
        "classification": label.classification,
        "releasable_to": " ".join(label.releasable_to) or None,
        "caveats": " ".join(label.caveats) or None,
    }
    rows = "".join(
        f'<Data name="{name}"><value>{_text(value)}</value></Data>'
        for name, value in known.items()
        if value is not None
    )
    remarks = f"<description>{_text(report.remarks)}</description>" if report.remarks else ""
    return (
        f"<Placemark><name>{_text(report.name or report.alias.value)}</name>{remarks}"
        f"<TimeStamp><when>{_iso(report.observed_at_ms)}</when></TimeStamp>"
        f"<styleUrl>#{_style(report)}</styleUrl><ExtendedData>{rows}</ExtendedData>"
        f"{_shape(report.geometry, report.position)}</Placemark>"
    )


def track(name: str, points: Sequence[TrackPoint], gap_ms: int | None = None, style: str = "friend") -> str:
    """A track as one line, or as several where nothing was heard for longer than `gap_ms` (None = never cut)."""
    marks = []
    for part in _cut(points, gap_ms):
        line = " ".join(f"{point.lon_deg:.7f},{point.lat_deg:.7f}" for point in part)
        shape = (
            f"<LineString><tessellate>1</tessellate><coordinates>{line}</coordinates></LineString>"
            if len(part) > 1
            else f"<Point><coordinates>{line}</coordinates></Point>"
        )
        marks.append(
            f"<Placemark><name>{_text(name)}</name><TimeSpan><begin>{_iso(part[0].at_ms)}</begin>"
            f"<end>{_iso(part[-1].at_ms)}</end></TimeSpan><styleUrl>#{style}</styleUrl>{shape}</Placemark>"
        )
    return "".join(marks)


def document(name: str, pieces: Iterable[str], description: str = "") -> Iterator[bytes]:
    """The whole file, piece by piece. description: of all of it, say its marking; empty = none."""
    styles = "".join(
        f'<Style id="{word}"><IconStyle><color>{color}</color></IconStyle>'
        f"<LineStyle><color>{color}</color><width>3</width></LineStyle>"
        f"<PolyStyle><color>40{color[2:]}</color></PolyStyle></Style>"
        for word, color in _COLORS.items()
    )
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="{NAMESPACE}"><Document>'
    about = f"<description>{_text(description)}</description>" if description else ""
    yield f"{head}<name>{_text(name)}</name>{about}{styles}".encode()
    for piece in pieces:
        yield piece.encode()
    yield b"</Document></kml>\n"


def kmz(pieces: Iterable[bytes]) -> bytes:
    """The same file zipped, as KMZ: `doc.kml` inside. Its time is fixed, so that equal content is equal bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("doc.kml"), b"".join(pieces), compress_type=zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _cut(points: Sequence[TrackPoint], gap_ms: int | None) -> Iterator[Sequence[TrackPoint]]:
    start = 0
    for place in range(1, len(points)):
        if gap_ms is not None and points[place].at_ms - points[place - 1].at_ms > gap_ms:
            yield points[start:place]
            start = place
    if points:
        yield points[start:]


def _style(report: Report) -> str:
    try:
        return affiliation(report.sidc)
    except ValueError:
        return "unknown"


def _shape(geometry: Geometry | None, position: Position | None) -> str:
    """The shape if there is one, else the place.

    Without heights: KML's are above the sea, ours above the ellipsoid; ours stand in the extended data.
    """
    if geometry is None or not geometry.points:
        if position is None:
            return ""
        return f"<Point><coordinates>{position.lon_deg!r},{position.lat_deg!r}</coordinates></Point>"
    points = list(geometry.points)
    if geometry.shape == "circle" and geometry.radius_m:
        points = ring_of(points[0], geometry.radius_m)
    if geometry.shape in ("circle", "polygon") and len(points) > 2:
        ring = points if points[0] == points[-1] else [*points, points[0]]
        inner = f"<LinearRing><coordinates>{_line(ring)}</coordinates></LinearRing>"
        return f"<Polygon><outerBoundaryIs>{inner}</outerBoundaryIs></Polygon>"
    if len(points) == 1:
        return f"<Point><coordinates>{_line(points)}</coordinates></Point>"
    return f"<LineString><tessellate>1</tessellate><coordinates>{_line(points)}</coordinates></LineString>"


def ring_of(centre: tuple[float, float], radius_m: float) -> list[tuple[float, float]]:
    """The corners of a circle around (lat_deg, lon_deg), for formats that have no circle; the first is not repeated."""
    lat_deg, lon_deg = centre
    north_deg = math.degrees(radius_m / MEAN_RADIUS_M)
    east_deg = north_deg / max(0.01, math.cos(math.radians(lat_deg)))
    turns = (2 * math.pi * step / _CIRCLE_POINTS for step in range(_CIRCLE_POINTS))
    return [
        (
            round(max(-90.0, min(90.0, lat_deg + north_deg * math.cos(turn))), 7),
            round((lon_deg + east_deg * math.sin(turn) + 180.0) % 360.0 - 180.0, 7),
        )
        for turn in turns
    ]


def _line(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{lon_deg!r},{lat_deg!r}" for lat_deg, lon_deg in points)


def _number(value: float | None) -> str | None:
    return None if value is None else repr(value)


def _text(text: str) -> str:
    """Escaped, without what XML cannot carry."""
    return escape(_ILLEGAL.sub("", text))


def _iso(at_ms: int) -> str:
    at = _EPOCH + timedelta(milliseconds=at_ms)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"
