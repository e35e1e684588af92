"""A layer of drawings as a file: GeoJSON, KML, KMZ, GPX or GeoPackage; only what the asker may see."""

import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Protocol
from xml.sax.saxutils import escape, quoteattr

import msgspec

from aquila.codecs.geojson.wire import encode_feature
from aquila.codecs.kml import document, kmz, placemark, ring_of
from aquila.core.codec import Outgoing
from aquila.core.feature import Labelled, Query, Reading
from aquila.core.model import Label, Principal, Report, Verdict
from aquila.core.policy import derive
from aquila.features.picture.drawings import LAYER_FIELD, drawn_as
from aquila.features.picture.layers import layer_called
from aquila.features.picture.overlay_files import LAYER_LETTERS_MAX
from aquila.features.picture.queries import picture_of
from aquila.features.picture.view import Sight

KML_TAIL = "</Document></kml>\n"
GPX_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<gpx version="1.1" creator="Aquila" xmlns="http://www.topografix.com/GPX/1/1">'
)
MIMES = {"kmz": "application/vnd.google-earth.kmz", "gpkg": "application/geopackage+sqlite3"}


class AskOverlay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which layer; empty = the drawings that lie on none."""

    layer: Annotated[str, msgspec.Meta(max_length=LAYER_LETTERS_MAX)] = ""
    format: Literal["geojson", "kml", "gpx"] = "geojson"


class AskOverlayFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which layer, as a file that is no text; empty = the drawings that lie on none."""

    layer: Annotated[str, msgspec.Meta(max_length=LAYER_LETTERS_MAX)] = ""
    format: Literal["kmz", "gpkg"] = "gpkg"


class OverlayFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file.

    Attributes:
        base64: its bytes. drawings: how many are in it.
        marking: the strictest of what is inside, in words; it stands in the file, too. Empty = nothing is inside.
    """

    name: str
    mime: str
    base64: str
    drawings: int
    marking: str


class Packer(Protocol):
    """The part `geopackages` of a node."""

    def write(self, title: str, marking: str, features: Sequence[dict[str, Any]], at_ms: int) -> bytes:
        """A GeoPackage of GeoJSON features."""
        ...

    def read(self, data: bytes) -> tuple[list[dict[str, Any]], int]:
        """The features of one, and how many rows are no shape. Raises UsageError."""
        ...


class OverlayPiece(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the file: its head, one drawing, or its tail. A GeoJSON file has a comma between drawings.

    `left_out` is no part of it: the name of a drawing that the format has no word for.
    """

    part: Literal["head", "drawing", "left_out", "tail"]
    text: str


def _overlay(principal: Principal, ask: AskOverlay, reading: Reading) -> Iterator[Labelled]:
    head, tail = _frame(ask)
    yield Labelled(OverlayPiece(part="head", text=head), None, reading.context)
    for sight in _drawings(ask.layer, reading):
        report = sight.report
        text = piece(report, sight.label, ask.format, reading.now_ms())
        part = OverlayPiece(part="drawing", text=text) if text else _left_out(report)
        yield Labelled(part, sight.label, sight.context)
    yield Labelled(OverlayPiece(part="tail", text=tail), None, reading.context)


def _left_out(report: Report) -> OverlayPiece:
    return OverlayPiece(part="left_out", text=report.name or report.alias.value)


def _drawings(layer: str, reading: Reading) -> Iterator[Sight]:
    """What lies on the layer and the asker may have in full. layer: its name now or at first; empty = on none."""
    called = layer_called(reading, layer) if layer else None
    id = layer if called is None else called.id
    picture = picture_of(reading)
    for entity in picture.entities():
        sight = picture.sight(entity, reading.release, reading.policy)
        if sight is not None and sight.verdict is Verdict.FULL and _is_on(sight.report, id):
            yield sight


def _is_on(report: Report, layer: str) -> bool:
    if LAYER_FIELD in report.fields:
        return report.fields[LAYER_FIELD] == layer
    return not layer and report.category == "drawing"


def _frame(ask: AskOverlay) -> tuple[str, str]:
    """Head and tail of the file."""
    if ask.format == "geojson":
        name = json.dumps(ask.layer)
        return f'{{"type":"FeatureCollection","name":{name},"features":[', "]}\n"
    if ask.format == "kml":
        return b"".join(document(ask.layer, ())).decode().removesuffix(KML_TAIL), KML_TAIL
    return GPX_HEAD, "</gpx>\n"


def piece(report: Report, label: Label, format: Literal["geojson", "kml", "gpx"], now_ms: int) -> str:
    """A drawing as a part of a file; empty = the format has no word for it."""
    if format == "geojson":
        feature = msgspec.json.decode(encode_feature(Outgoing(body=report, label=label, now_ms=now_ms)))
        # Its uid makes a file that comes back the same drawing again.
        feature["properties"] |= {"uid": report.alias.value} | drawn_as(report)
        return msgspec.json.encode(feature).decode()
    if format == "kml":
        return _kml_piece(report, label)
    return _gpx_piece(report)


def _kml_piece(report: Report, label: Label) -> str:
    """A Placemark with what KML has no word for: the centre of a circle, and our colours."""
    mark = placemark(report, label)
    geometry = report.geometry
    more = drawn_as(report)
    if geometry is not None:
        colors = {"stroke": geometry.stroke, "fill": geometry.fill}
        more |= {name: color for name, color in colors.items() if color is not None}
        if geometry.shape == "circle" and geometry.radius_m is not None and geometry.points:
            lat_deg, lon_deg = geometry.points[0]
            more |= {"radius_m": repr(geometry.radius_m), "centre": f"{lat_deg!r},{lon_deg!r}"}
    rows = "".join(
        f"<Data name={quoteattr(name)}><value>{escape(value)}</value></Data>" for name, value in more.items()
    )
    return mark.replace("</ExtendedData>", f"{rows}</ExtendedData>", 1)


def _gpx_piece(report: Report) -> str:
    """GPX knows points and lines: of an area or a circle there is nothing, since an outline is another thing."""
    geometry = report.geometry
    if geometry is not None and geometry.shape in ("circle", "polygon"):
        return ""
    said = f"<name>{_gpx_text(report.name or report.alias.value)}</name>"
    if report.remarks:
        said += f"<desc>{_gpx_text(report.remarks)}</desc>"
    if drawn := drawn_as(report).get("drawn"):
        said += f"<type>{drawn}</type>"
    if geometry is None or len(geometry.points) < 2:
        at = geometry.points[0] if geometry is not None and geometry.points else None
        if at is None and report.position is not None:
            at = (report.position.lat_deg, report.position.lon_deg)
        return "" if at is None else f'<wpt lat="{at[0]!r}" lon="{at[1]!r}">{said}</wpt>'
    tag = "rtept" if geometry.shape == "route" else "trkpt"
    places = "".join(f'<{tag} lat="{lat_deg!r}" lon="{lon_deg!r}"/>' for lat_deg, lon_deg in geometry.points)
    if geometry.shape == "route":
        return f"<rte>{said}{places}</rte>"
    return f"<trk>{said}<trkseg>{places}</trkseg></trk>"


def _gpx_text(text: str) -> str:
    """Without what XML cannot carry."""
    return escape("".join(letter for letter in text if letter.isprintable() or letter == "\n"))


def _file(principal: Principal, ask: AskOverlayFile, reading: Reading) -> Iterator[Labelled]:
    # Each drawing is released before it comes here.
    sights = list(_drawings(ask.layer, reading))
    marking = _marking(derive(reading.policy, dict.fromkeys(sight.label for sight in sights))) if sights else ""
    now_ms = reading.now_ms()
    if ask.format == "kmz":
        data = kmz(document(ask.layer, (_kml_piece(sight.report, sight.label) for sight in sights), marking))
    else:
        packer: Packer = reading.part("geopackages")
        data = packer.write(ask.layer, marking, [packed(sight, ask.layer, now_ms) for sight in sights], now_ms)
    file = OverlayFile(
        name=f"{ask.layer or 'drawings'}.{ask.format}",
        mime=MIMES[ask.format],
        base64=b64encode(data).decode(),
        drawings=len(sights),
        marking=marking,
    )
    yield Labelled(file, None, reading.context)


def _marking(label: Label) -> str:
    """A label as one line; one that nobody may have says so."""
    words = " ".join((label.classification, *label.caveats))
    return f"{words} REL TO {', '.join(label.releasable_to) or 'nobody'}; groups {', '.join(label.groups) or 'none'}"


def packed(sight: Sight, layer: str, now_ms: int) -> dict[str, Any]:
    """A feature for a table: a circle as its ring, whose centre is told beside it; lists as words."""
    report, label = sight.report, sight.label
    feature: dict[str, Any] = msgspec.json.decode(encode_feature(Outgoing(body=report, label=label, now_ms=now_ms)))
    properties, geometry = feature["properties"], report.geometry
    properties |= {
        "uid": report.alias.value,
        "layer": layer,
        "label": label.classification,
        "releasable_to": " ".join(label.releasable_to),
        "caveats": " ".join(label.caveats),
        "shape": "point" if geometry is None else geometry.shape,
        **drawn_as(report),
    }
    if geometry is not None and geometry.shape == "circle" and geometry.radius_m:
        lat_deg, lon_deg = geometry.points[0]
        ring = [[lon, lat] for lat, lon in ring_of((lat_deg, lon_deg), geometry.radius_m)]
        properties["centre"] = f"{lat_deg!r},{lon_deg!r}"
        feature["geometry"] = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    return feature


overlay = Query(
    name="overlay",
    path="/overlays",
    request=AskOverlay,
    row=OverlayPiece,
    role="viewer",
    answer=_overlay,
    blocking=True,
    summary="A layer of drawings as the pieces of a GeoJSON, KML or GPX file",
)
overlay_file = Query(
    name="overlay_file",
    path="/overlays/file",
    request=AskOverlayFile,
    row=OverlayFile,
    role="viewer",
    answer=_file,
    one=True,
    blocking=True,
    summary="A layer of drawings as a KMZ or GeoPackage file",
)
