"""Reading overlays that other programs wrote: GeoJSON, KML, KMZ and GPX to shapes. Bad shapes are counted values."""

import io
import json
import math
import posixpath
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec
from lxml import etree

from aquila.codecs.gpx.wire import Carrier, GpxDecoder
from aquila.core.errors import CodecError
from aquila.core.model import Report
from aquila.features.picture.drawings import POINTS_MAX

Format = Literal["geojson", "kml", "kmz", "gpx", "gpkg"]
SHAPES_MAX = 2_000
LAYER_LETTERS_MAX = 100
KML_BYTES_MAX = 4 << 20
"""A packed file may not grow beyond this, with all that it links to."""
KMLS_MAX = 100
"""Files in a KMZ that are read."""

Pairs = tuple[tuple[float, float], ...]


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """One shape of a file, not yet checked.

    Attributes:
        points: (lat_deg, lon_deg); of an area its corners once.
        radius_m: only of a circle.
        uid: of the drawing that a node wrote into its export; None = another program's file.
        stroke, fill: #rrggbb or #rrggbbaa; None = not said.
        drawn: what our own export says that it was drawn as (`drawings.drawn_as`); None = another program's file.
    """

    shape: Literal["line", "polygon", "circle", "route", "point"]
    name: str
    points: Pairs
    radius_m: float | None = None
    uid: str | None = None
    stroke: str | None = None
    fill: str | None = None
    sidc: str | None = None
    remarks: str | None = None
    drawn: str | None = None


Found = Shape | str
"""A shape, or a sentence why there is none."""


def shapes_of(format: Literal["geojson", "kml", "kmz", "gpx"], data: bytes) -> Iterator[Found]:
    """Every shape of a file in its order. Raises ValueError for what is no such file."""
    if format == "geojson":
        return _geojson(data)
    if format == "gpx":
        return _gpx(data)
    return _kmz(data) if format == "kmz" else _marks(kml_root(data, "the file"))


# -- GeoJSON (RFC 7946) -----------------------------------------------------------------------------------------------


class NotDrawnError(ValueError):
    """Why something of a file cannot be drawn, in words for whoever has the file."""


NO_PLACE = "a coordinate is not longitude and latitude in degrees"


def _why(wrong: Exception) -> str:
    """A sentence of ours, or ours in place of a library's."""
    return str(wrong) if isinstance(wrong, NotDrawnError) else NO_PLACE


def _geojson(data: bytes) -> Iterator[Found]:
    try:
        whole = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError(
            f"the file is no JSON: {_broken_json(data)}; export it again from where it was drawn"
        ) from None
    kind = whole.get("type") if isinstance(whole, dict) else None
    if kind == "FeatureCollection" and isinstance(whole.get("features"), list):
        return shapes_of_features(whole["features"])
    if kind == "Feature":
        return _feature(whole, 1)
    raise ValueError("the file is no GeoJSON: a Feature or a FeatureCollection is needed")


def _broken_json(data: bytes) -> str:
    """What is wrong with a text that is no JSON, and where. The library that reads it tells the place as a byte."""
    try:
        text = data.decode()
        json.loads(text)
    except UnicodeDecodeError as wrong:
        line = data[: wrong.start].count(b"\n") + 1
        return f"it is not in UTF-8 (line {line})"
    except json.JSONDecodeError as wrong:
        if not text.strip():
            return "it is empty"
        if wrong.pos >= len(text.rstrip()):
            return f"it ends before its brackets are closed (line {wrong.lineno})"
        if wrong.msg == "Extra data":
            return f"something stands behind its end (line {wrong.lineno})"
        return f"it is not written as JSON wants it (line {wrong.lineno}, character {wrong.colno})"
    except RecursionError:
        return "its brackets lie in each other too deep"
    return "it is not written as JSON wants it"


def shapes_of_features(features: Iterable[object]) -> Iterator[Found]:
    """Every shape of these GeoJSON features."""
    return (found for place, feature in enumerate(features, start=1) for found in _feature(feature, place))


def _feature(feature: object, place: int) -> Iterator[Found]:
    """place: of the feature in its file, from 1."""
    if not isinstance(feature, dict) or not isinstance(feature.get("geometry"), dict):
        yield f"feature {place}: it has no geometry"
        return
    said = feature.get("properties")
    properties: Mapping[str, Any] = said if isinstance(said, dict) else {}
    geometry = feature["geometry"]
    for number, (kind, coordinates) in enumerate(_simple(geometry)):
        try:
            yield _shape_of(kind, coordinates, properties, number)
        # OverflowError: JSON has whole numbers that no float can hold.
        except (TypeError, ValueError, IndexError, KeyError, OverflowError) as wrong:
            name = _text(properties.get("name")) or kind
            yield f"feature {place} ({name[:60]}): {_why(wrong)}"


def _simple(geometry: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The parts of a geometry of many."""
    kind, coordinates = str(geometry.get("type")), geometry.get("coordinates")
    if kind.startswith("Multi") and isinstance(coordinates, list):
        yield from ((kind.removeprefix("Multi"), part) for part in coordinates)
    elif kind == "GeometryCollection" and isinstance(geometry.get("geometries"), list):
        parts = (part for part in geometry["geometries"] if isinstance(part, dict))
        yield from ((str(part.get("type")), part.get("coordinates")) for part in parts)
    else:
        yield kind, coordinates


def _shape_of(kind: str, coordinates: Any, said: Mapping[str, Any], number: int) -> Shape:
    uid = _text(said.get("uid"))
    common: dict[str, Any] = {
        "name": _text(said.get("name")) or _text(said.get("title")) or kind,
        "uid": None if uid is None or number else uid,
        "stroke": _color(said.get("stroke")),
        "fill": _color(said.get("fill")),
        "sidc": _sidc(said.get("sidc"), said.get("category")),
        "remarks": _text(said.get("remarks")) or _text(said.get("description")),
        "drawn": _text(said.get("drawn")),
    }
    radius_m = said.get("radius_m")
    centre = _text(said.get("centre"))
    if isinstance(radius_m, int | float) and (kind == "Point" or (kind == "Polygon" and centre is not None)):
        lat, _, lon = (centre or "").partition(",")
        at = _pair(coordinates) if kind == "Point" else _degrees(lat, lon)
        return Shape(shape="circle", points=(at,), radius_m=float(radius_m), **common)
    if kind == "Point":
        return Shape(shape="point", points=(_pair(coordinates),), **common)
    if kind == "LineString":
        is_route = said.get("cot_type") == "b-m-r"
        return Shape(shape="route" if is_route else "line", points=tuple(map(_pair, coordinates)), **common)
    if kind == "Polygon":
        return Shape(shape="polygon", points=_open(tuple(map(_pair, coordinates[0]))), **common)
    raise NotDrawnError("it is none of point, line and area, which can be drawn")


def _pair(at: Any) -> tuple[float, float]:
    return _degrees(at[1], at[0])


def _degrees(lat: Any, lon: Any) -> tuple[float, float]:
    lat_deg, lon_deg = float(lat), float(lon)
    if not (math.isfinite(lat_deg) and math.isfinite(lon_deg)):
        raise NotDrawnError(NO_PLACE)
    return lat_deg, lon_deg


def _open(ring: Pairs) -> Pairs:
    return ring[:-1] if len(ring) > 1 and ring[0] == ring[-1] else ring


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _color(value: object) -> str | None:
    """A colour of the simplestyle kind; others are left to the page."""
    text = _text(value)
    if text is None or len(text) not in (7, 9) or text[0] != "#":
        return None
    return text if all(letter in "0123456789abcdefABCDEF" for letter in text[1:]) else None


def _sidc(value: object, category: object) -> str | None:
    text = _text(value)
    is_graphic = text is not None and len(text) == 20 and text.isascii() and text.isdecimal() and category == "drawing"
    return text if is_graphic else None


# -- KML 2.2 ----------------------------------------------------------------------------------------------------------


def _kmz(data: bytes) -> Iterator[Found]:
    """Shapes of the first KML in a KMZ, and of those inside that it links to. Raises ValueError."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            roots = _roots_in(archive)
    # What zipfile raises for a file that is cut, broken, locked or of a later format: it has no one error.
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as wrong:
        raise ValueError(f"the file is no KMZ: {_broken_kmz(wrong)}; export it again from where it was drawn") from None
    return (found for root in roots for found in _marks(root))


def _roots_in(archive: zipfile.ZipFile) -> list[etree._Element]:
    """GDAL, for one, writes each layer into a file of its own, and a first one that links to them."""
    files = {each.filename: each for each in archive.infolist() if each.filename.lower().endswith(".kml")}
    if not files:
        raise ValueError("the KMZ has no .kml inside")
    roots: list[etree._Element] = []
    names = [next(iter(files))]
    left = KML_BYTES_MAX
    for name in names:
        text = _unpacked(archive, files[name], left)
        left -= len(text)
        roots.append(kml_root(text, "the file"))
        for link in roots[-1].iterfind(".//{*}NetworkLink/{*}Link/{*}href"):
            linked = posixpath.normpath(posixpath.join(posixpath.dirname(name), (link.text or "").strip()))
            if linked in files and linked not in names and len(names) < KMLS_MAX:
                names.append(linked)
    return roots


def _unpacked(archive: zipfile.ZipFile, file: zipfile.ZipInfo, bytes_max: int) -> bytes:
    # Of the other ways LZMA lets a file say how much memory it wants.
    if file.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("the KML inside is packed in another way than KMZ has it: deflate")
    with archive.open(file) as packed:
        text = packed.read(bytes_max + 1)
    if len(text) > bytes_max:
        raise ValueError(f"the KML inside is larger than {KML_BYTES_MAX} bytes: split it")
    return text


def _broken_kmz(wrong: Exception) -> str:
    # How zipfile says that it lacks a way of packing; a kind of RuntimeError, so it is asked for first.
    if isinstance(wrong, NotImplementedError):
        return "it is packed in a way that KMZ does not have"
    if isinstance(wrong, RuntimeError):
        return "it is locked with a password"
    if isinstance(wrong, zipfile.BadZipFile):
        return "it is not packed as a ZIP, or what is packed inside is broken"
    return "what is packed inside is broken"


def _marks(root: etree._Element) -> Iterator[Found]:
    return (found for mark in _outermost(root, "{*}Placemark") for found in _placemark(mark))


def kml_root(data: bytes, what: str) -> etree._Element:
    """The root of a KML. Raises ValueError for what is none, with the line. what: names it: "the file"."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as wrong:
        raise ValueError(f"{what} is no KML: {_broken(wrong)}; export it again from where it was drawn") from None
    dtd: object | None = root.getroottree().docinfo.internalDTD
    if dtd is not None or etree.QName(root).localname != "kml":
        raise ValueError(f"{what} is no KML: a root <kml> without a document type is needed")
    return root


_BROKEN: Mapping[int, str] = {
    etree.ErrorTypes.ERR_DOCUMENT_EMPTY: "it holds no XML",
    etree.ErrorTypes.ERR_DOCUMENT_END: "something stands behind its end",
    etree.ErrorTypes.ERR_TAG_NAME_MISMATCH: "a tag is closed that was not the last one opened",
    etree.ErrorTypes.ERR_TAG_NOT_FINISHED: "it ends before its tags are closed",
    etree.ErrorTypes.ERR_GT_REQUIRED: "a tag has no > at its end",
    etree.ErrorTypes.ERR_UNDECLARED_ENTITY: "a name between & and ; is none that XML knows",
}
"""What libxml2 found -> the same for whoever has the file."""


def _broken(wrong: etree.XMLSyntaxError | ValueError) -> str:
    """What is wrong with a text that is no XML, and in which line where the parser knows it."""
    if not isinstance(wrong, etree.XMLSyntaxError):
        return "it holds no XML that can be read"
    # The stubs of lxml do not know that a syntax error has a code.
    code: int = vars(wrong)["code"]
    said = _BROKEN.get(code, "it is not written as XML wants it")
    return f"{said} (line {wrong.lineno})" if wrong.lineno else said


def _outermost(element: etree._Element, *tags: str) -> Iterator[etree._Element]:
    """The elements of these tags that lie in no other of them: those in each other would be read again and again."""
    return (each for each in element.iter(*tags) if next(each.iterancestors(*tags), None) is None)


def _placemark(mark: etree._Element) -> Iterator[Found]:
    said = {each.get("name", ""): (each.findtext("{*}value") or "").strip() for each in mark.iter("{*}Data")}
    name = (mark.findtext("{*}name") or "").strip()
    remarks = (mark.findtext("{*}description") or "").strip() or None
    seen = False
    tags = {"Point": "point", "LineString": "line", "Polygon": "polygon"}
    for each in _outermost(mark, "{*}Point", "{*}LineString", "{*}Polygon"):
        kind = etree.QName(each).localname
        try:
            points = _open(_coordinates(each)) if kind == "Polygon" else _coordinates(each)
            shape: Any = "route" if kind == "LineString" and said.get("cot_type") == "b-m-r" else tags[kind]
            radius_m = float(said["radius_m"]) if said.get("radius_m") and points else None
            if radius_m is not None and "centre" in said:
                lat, _, lon = said["centre"].partition(",")
                shape, points = "circle", (_degrees(lat, lon),)
            yield Shape(
                shape=shape,
                name=name or kind,
                points=points,
                radius_m=radius_m if shape == "circle" else None,
                uid=None if seen else said.get("uid") or None,
                stroke=_color(said.get("stroke")),
                fill=_color(said.get("fill")),
                sidc=_sidc(said.get("sidc"), said.get("category")),
                remarks=remarks,
                drawn=said.get("drawn") or None,
            )
            seen = True
        except (ValueError, IndexError) as wrong:
            seen = True
            yield f"{kind} {name[:60]!r} (line {each.sourceline}): {_why(wrong)}"
    if not seen:
        yield f"placemark {name[:60]!r} (line {mark.sourceline}) has no point, line or area"


def _coordinates(element: etree._Element) -> Pairs:
    """Of a point or a line, or of the outer ring of an area."""
    first = next(element.iter("{*}coordinates"), None)
    # One more than a drawing has, for the corner that closes an area; the rest is not even split.
    tokens = ("" if first is None else first.text or "").split(None, POINTS_MAX + 1)
    if not tokens:
        raise NotDrawnError("it has no coordinates")
    if len(tokens) > POINTS_MAX + 1:
        raise NotDrawnError(f"more than {POINTS_MAX} points: simplify it")
    parts = [token.split(",") for token in tokens]
    return tuple(_degrees(part[1], part[0]) for part in parts)


# -- GPX --------------------------------------------------------------------------------------------------------------


def _gpx(data: bytes) -> Iterator[Found]:
    """Waypoints, routes and tracks; the points of a track with times become one line."""
    decoder = GpxDecoder(Carrier())
    readings = [*decoder.feed(data, 0), *decoder.end(0)]
    first = readings[0] if len(readings) == 1 else None
    if not readings or (isinstance(first, CodecError) and first.reason in ("syntax", "dtd", "type", "truncated")):
        raise ValueError(f"the file is no GPX{f': {first}'[:200] if first else ''}")
    tracks: dict[str, list[tuple[float, float]]] = {}
    for reading in readings:
        if isinstance(reading, CodecError):
            yield str(reading)[:160]
            continue
        report = reading.body
        if not isinstance(report, Report) or report.position is None:
            continue
        place = (report.position.lat_deg, report.position.lon_deg)
        name = report.name or "GPX"
        if report.geometry is not None:
            shape: Any = report.geometry.shape
            yield Shape(shape=shape, name=name, points=report.geometry.points, **_said_of(report))
        elif report.category == "marker":
            yield Shape(shape="point", name=name, points=(place,), **_said_of(report))
        else:
            tracks.setdefault(name, []).append(place)
    for name, points in tracks.items():
        yield Shape(shape="line", name=name, points=tuple(points))


def _said_of(report: Report) -> dict[str, Any]:
    """`type` is GPX's own word for what a point or line is; ours is that of `drawn`."""
    return {"remarks": report.fields.get("desc"), "drawn": report.fields.get("type")}
