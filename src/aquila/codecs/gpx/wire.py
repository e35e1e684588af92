"""GPX documents: a report for each waypoint, each route and each timed track point; an untimed track is a line."""

import re
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from lxml import etree

from aquila.core.errors import CodecError
from aquila.core.ids import entity_id
from aquila.core.model import Alias, Geometry, Position, Report
from aquila.core.sensing import HOUR_MS, Documents, FramedDecoder, Reading, Sensed, finite, plausible_ms, printable
from aquila.core.symbol import GENERIC_POINT

DOCUMENT_BYTES_MAX: Final = 16 << 20
POINTS_MAX: Final = 200_000
STALE_MS: Final = HOUR_MS
SIDC: Final = "1001" + GENERIC_POINT
_END: Final = re.compile(rb"</(?:[\w.-]{1,40}:)?gpx\s{0,64}>")


class Carrier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose tracks these are.

    Attributes:
        name: identity of tracks without a name, and prefix of routes and waypoints.
        type, sidc: what the carrier of a track is.
    """

    name: str = "gpx"
    type: str = "a-u-G"
    sidc: str = "10011000000000000000"


class GpxDecoder(FramedDecoder):
    """One stream of documents (a file is one)."""

    def __init__(self, options: Carrier) -> None:
        super().__init__(Documents(_END, DOCUMENT_BYTES_MAX))
        self._carrier = options

    def frame(self, frame: bytes, received_at_ms: int, found: list[Reading]) -> None:
        """One document."""
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        try:
            root = etree.fromstring(frame, parser)
        except etree.XMLSyntaxError as error:
            raise CodecError("syntax", str(error)) from error
        if _has_doctype(root):
            raise CodecError("dtd", "a document type is not allowed")
        if _local(root) != "gpx":
            raise CodecError("type", f"<{_local(root)}>: gpx is expected")
        budget = POINTS_MAX
        for element in root:
            reader = {"wpt": _waypoint, "rte": _route, "trk": _track}.get(_local(element))
            if reader is None:
                continue
            try:
                said = reader(element, self._carrier, received_at_ms)
            except ValueError as error:
                found.append(CodecError("number", f"{_local(element)}: {error}"))
                continue
            bytes_of = etree.tostring(element) if len(said) == 1 else frame
            budget -= len(said)
            if budget < 0:
                raise CodecError("elements", f"more than {POINTS_MAX} points")
            # A point of a track is not cut out: its original is the document, one object that all points share.
            found.extend(Sensed(one, bytes_of) for one in said)


def _has_doctype(root: etree._Element) -> bool:
    """Does the document bring a type of its own, be it without entities?"""
    docinfo: Any = root.getroottree().docinfo
    return bool(docinfo.doctype)


def _local(element: etree._Element) -> str:
    """Name without namespace; empty for a comment or processing instruction."""
    tag: Any = element.tag
    return etree.QName(tag).localname if isinstance(tag, str) else ""


def _text(element: etree._Element, name: str) -> str | None:
    for child in element:
        if _local(child) == name:
            return (child.text or "").strip() or None
    return None


def _points(element: etree._Element, name: str) -> list[etree._Element]:
    return [each for each in element.iter() if _local(each) == name]


def _place(point: etree._Element) -> Position:
    lat, lon = point.get("lat"), point.get("lon")
    if lat is None or lon is None:
        raise ValueError("lat and lon are needed")
    return Position(finite(lat), finite(lon))


def _at_ms(point: etree._Element) -> int | None:
    """The time of a point; None = not said. Without a zone it is UTC, as GPX 1.1 asks for."""
    text = _text(point, "time")
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    at_ms = round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1_000)
    if not plausible_ms(at_ms):
        raise ValueError(f"time {text!r}: 1970..2100")
    return at_ms


def _fields(point: etree._Element) -> dict[str, str]:
    """Elevation is above the geoid, never a height above the ellipsoid."""
    fields = {}
    elevation = _text(point, "ele")
    if elevation is not None:
        fields["altitude_msl_m"] = f"{finite(elevation):.1f}"
    for name in ("desc", "cmt", "sym", "type"):
        text = _text(point, name)
        if text:
            fields[name] = printable(text)
    return fields


def _waypoint(point: etree._Element, carrier: Carrier, received_at_ms: int) -> list[Report]:
    position = _place(point)
    name = printable(_text(point, "name") or f"{position.lat_deg:.6f} {position.lon_deg:.6f}", 80)
    alias = Alias("gpx", f"{carrier.name}/wpt/{name}")
    at_ms = _at_ms(point)
    return [
        Report(
            entity=entity_id(alias.scheme, alias.value),
            alias=alias,
            type="b-m-p-w",
            sidc="1001" + "2500000013180000",
            category="marker",
            observed_at_ms=received_at_ms if at_ms is None else at_ms,
            name=name,
            how="h-e",
            position=position,
            fields=_fields(point),
        )
    ]


def _shape(
    element: etree._Element, points: list[etree._Element], shape: str, carrier: Carrier, at_ms: int
) -> list[Report]:
    places = [_place(point) for point in points]
    if len(places) < 2:
        raise ValueError(f"{len(places)} points: at least 2 are needed")
    name = printable(_text(element, "name") or shape, 80)
    alias = Alias("gpx", f"{carrier.name}/{shape}/{name}")
    is_route = shape == "route"
    return [
        Report(
            entity=entity_id(alias.scheme, alias.value),
            alias=alias,
            type="b-m-r" if is_route else "u-d-f",
            sidc=SIDC,
            category="drawing",
            observed_at_ms=at_ms,
            name=name,
            how="h-e",
            position=places[0],
            geometry=Geometry("route" if is_route else "line", tuple((p.lat_deg, p.lon_deg) for p in places)),
            fields=_fields(element),
        )
    ]


def _route(element: etree._Element, carrier: Carrier, received_at_ms: int) -> list[Report]:
    return _shape(element, _points(element, "rtept"), "route", carrier, received_at_ms)


def _track(element: etree._Element, carrier: Carrier, received_at_ms: int) -> list[Report]:
    """Points with a time are reports of the carrier at that time; a track without any is a line."""
    points = _points(element, "trkpt")
    timed = [(at_ms, point) for point in points if (at_ms := _at_ms(point)) is not None]
    if not timed:
        return _shape(element, points, "line", carrier, received_at_ms)
    name = printable(_text(element, "name") or carrier.name, 80)
    alias = Alias("gpx", f"{carrier.name}/trk/{name}")
    entity = entity_id(alias.scheme, alias.value)
    return [
        Report(
            entity=entity,
            alias=alias,
            type=carrier.type,
            sidc=carrier.sidc,
            category="unit",
            observed_at_ms=at_ms,
            stale_at_ms=at_ms + STALE_MS,
            name=name,
            how="m-g",
            own=True,
            position=_place(point),
            fields=_fields(point),
        )
        for at_ms, point in timed
    ]
