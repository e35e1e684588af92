"""CAP documents: one report for each area of the first information block; a cancellation takes them away."""

import re
from datetime import UTC, datetime
from typing import Any, Final

from lxml import etree

from aquila.core.errors import CodecError
from aquila.core.ids import entity_id
from aquila.core.model import Alias, Geometry, Position, Removal, Report
from aquila.core.sensing import (
    HOUR_MS,
    Documents,
    FramedDecoder,
    NoOptions,
    Reading,
    Sensed,
    finite,
    plausible_ms,
    printable,
)
from aquila.core.symbol import GENERIC_POINT

DOCUMENT_BYTES_MAX: Final = 1 << 20
AREAS_MAX: Final = 256
POINTS_MAX: Final = 20_000
RADIUS_M_MAX: Final = 20_000_000.0
STALE_MS: Final = 24 * HOUR_MS
_END: Final = re.compile(rb"</(?:[\w.-]{1,40}:)?alert\s{0,64}>")
_NAMESPACES: Final = tuple(f"urn:oasis:names:tc:emergency:cap:1.{minor}" for minor in (1, 2))
WORDS: Final = ("event", "urgency", "severity", "certainty", "responseType", "senderName", "instruction", "web")


class CapDecoder(FramedDecoder):
    """One stream of alerts."""

    def __init__(self, options: NoOptions) -> None:
        super().__init__(Documents(_END, DOCUMENT_BYTES_MAX))

    def frame(self, frame: bytes, received_at_ms: int, found: list[Reading]) -> None:
        """One alert."""
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        try:
            root = etree.fromstring(frame, parser)
        except etree.XMLSyntaxError as error:
            raise CodecError("syntax", str(error)) from error
        if _has_doctype(root):
            raise CodecError("dtd", "a document type is not allowed")
        name = etree.QName(root)
        if name.localname != "alert" or name.namespace not in _NAMESPACES:
            raise CodecError("type", f"{root.tag}: alert of CAP 1.1 or 1.2 is expected")
        try:
            _alert(root, frame, found)
        except ValueError as error:
            raise CodecError("number", str(error)) from error


def _has_doctype(root: etree._Element) -> bool:
    """Does the document bring a type of its own, be it without entities?"""
    docinfo: Any = root.getroottree().docinfo
    return bool(docinfo.doctype)


def _local(element: etree._Element) -> str:
    """Name without namespace; empty for a comment or processing instruction."""
    tag: Any = element.tag
    return etree.QName(tag).localname if isinstance(tag, str) else ""


def _all(element: etree._Element, name: str) -> list[etree._Element]:
    return [each for each in element if _local(each) == name]


def _text(element: etree._Element, name: str) -> str | None:
    for each in _all(element, name):
        return (each.text or "").strip() or None
    return None


def _time_ms(text: str | None) -> int:
    """A time with its zone. Raises CodecError("time")."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError as error:
        raise CodecError("time", f"{text!r}: a date and time with zone is needed") from error
    at_ms = round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1_000)
    if not plausible_ms(at_ms):
        raise CodecError("time", f"{text!r}: 1970..2100")
    return at_ms


def _alert(root: etree._Element, frame: bytes, found: list[Reading]) -> None:
    identifier, sender, kind = _text(root, "identifier"), _text(root, "sender"), _text(root, "msgType")
    if not identifier or not sender:
        raise CodecError("missing", "identifier and sender are needed")
    sent_ms = _time_ms(_text(root, "sent"))
    if kind in ("Ack", "Error"):
        raise CodecError("unsupported", f"message type {kind}")
    if kind in ("Cancel", "Update"):
        # References: sender,identifier,sent, divided by blanks.
        for reference in (_text(root, "references") or "").split():
            told = reference.split(",")
            if len(told) >= 2:
                alias = _alias(told[0], told[1], 0)
                gone = Removal(entity=entity_id(alias.scheme, alias.value), alias=alias, happened_at_ms=sent_ms)
                found.append(Sensed(gone, frame))
    if kind == "Cancel":
        return
    infos = _all(root, "info")
    if not infos:
        raise CodecError("missing", "an alert without an info block")
    for report in _reports(root, infos[0], sender, identifier, sent_ms):
        found.append(Sensed(report, frame))


def _alias(sender: str, identifier: str, number: int) -> Alias:
    """Of the area with this number; the first one has the name of the alert."""
    name = printable(f"{sender},{identifier}", 200)
    return Alias("cap", name if number == 0 else f"{name}#{number}")


def _reports(root: etree._Element, info: etree._Element, sender: str, identifier: str, sent_ms: int) -> list[Report]:
    expires = _text(info, "expires")
    stale_at_ms = sent_ms + STALE_MS if expires is None else _time_ms(expires)
    fields = {name: printable(text, 1_000) for name in WORDS if (text := _text(info, name)) is not None}
    fields["status"] = printable(_text(root, "status") or "")
    places: list[tuple[Geometry | None, Position | None, str]] = []
    for area in _all(info, "area"):
        places += _shapes(area)
    if len(places) > AREAS_MAX:
        raise CodecError("elements", f"{len(places)} areas: at most {AREAS_MAX} are allowed")
    reports = []
    for number, (geometry, position, where) in enumerate(places or [(None, None, "")]):
        alias = _alias(sender, identifier, number)
        reports.append(
            Report(
                entity=entity_id(alias.scheme, alias.value),
                alias=alias,
                type="u-d-f" if geometry is not None else "b-m-p-s-m",
                sidc="1001" + GENERIC_POINT,
                category="alert",
                observed_at_ms=sent_ms,
                stale_at_ms=max(stale_at_ms, sent_ms),
                name=printable(_text(info, "headline") or _text(info, "event") or identifier, 120),
                how="h-e",
                position=position,
                geometry=geometry,
                remarks=printable(_text(info, "description") or "", 4_000) or None,
                fields=fields | ({"area": where} if where else {}),
            )
        )
    return reports


def _shapes(area: etree._Element) -> list[tuple[Geometry | None, Position | None, str]]:
    """Polygons and circles of one area; an area in words only is one without a shape."""
    where = printable(_text(area, "areaDesc") or "", 400)
    found: list[tuple[Geometry | None, Position | None, str]] = []
    for each in _all(area, "polygon"):
        pairs = (each.text or "").split()
        if len(pairs) > POINTS_MAX:
            raise CodecError("elements", f"a polygon of {len(pairs)} points: at most {POINTS_MAX}")
        points = tuple(_point(pair) for pair in pairs)
        if len(points) < 4:
            raise ValueError(f"a polygon of {len(points)} points: at least 4 are needed, the first again at the end")
        ring = points[:-1] if points[0] == points[-1] else points
        found.append((Geometry("polygon", ring), Position(*ring[0]), where))
    for each in _all(area, "circle"):
        centre, _, radius_km = (each.text or "").strip().partition(" ")
        point, radius_m = _point(centre), finite(radius_km) * 1_000.0
        if not 0.0 <= radius_m <= RADIUS_M_MAX:
            raise ValueError(f"a circle of {radius_km} km: 0..20,000")
        found.append((Geometry("circle", (point,), radius_m=radius_m), Position(*point), where))
    return found or [(None, None, where)]


def _point(pair: str) -> tuple[float, float]:
    lat, comma, lon = pair.partition(",")
    if not comma:
        raise ValueError(f"{pair!r}: lat,lon is expected")
    place = Position(finite(lat), finite(lon))
    return place.lat_deg, place.lon_deg
