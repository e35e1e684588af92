"""Overlays as files: what another program drew becomes drawings on a layer, and a layer becomes a file."""

import asyncio
import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal
from xml.sax.saxutils import escape, quoteattr

import msgspec

from aquila.codecs.geojson.wire import encode_feature
from aquila.codecs.kml import document, placemark
from aquila.core.codec import Outgoing
from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, Labelled, Query, Reading, check_text
from aquila.core.ids import statement_id
from aquila.core.model import Label, Principal, Report, Verdict
from aquila.features.picture.drawings import LAYER_FIELD, NewDrawing, place_drawing
from aquila.features.picture.overlay_files import SHAPES_MAX, Format, Shape, shapes_of
from aquila.features.picture.queries import picture_of

REASONS_SHOWN = 5
LAYER_LETTERS_MAX = 100
KML_TAIL = "</Document></kml>\n"
GPX_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<gpx version="1.1" creator="Aquila" xmlns="http://www.topografix.com/GPX/1/1">'
)


class ImportOverlay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of shapes.

    Attributes:
        content: its bytes, in base 64 on the wire.
        layer: the named layer that its shapes will lie on.
    """

    format: Format
    layer: Annotated[str, msgspec.Meta(min_length=1, max_length=LAYER_LETTERS_MAX)]
    content: Annotated[bytes, msgspec.Meta(min_length=1)]

    def __post_init__(self) -> None:
        check_text("layer", self.layer)


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """How many shapes of the file became drawings, how many were refused, and why the first of those were."""

    layer: str
    drawn: int
    refused: int
    reasons: tuple[str, ...] = ()
    uids: tuple[str, ...] = ()


async def import_overlay(principal: Principal, ask: ImportOverlay, desk: Desk) -> Imported | Refused:
    """Draw every shape of the file. The same file again changes the same drawings: their uids come from the shapes."""
    try:
        found = await asyncio.to_thread(lambda: list(shapes_of(ask.format, ask.content)))
    except ValueError as wrong:
        return Refused("invalid", str(wrong))
    uids: dict[str, None] = {}
    reasons: list[str] = []
    for number, one in enumerate(found):
        made = f"only the first {SHAPES_MAX} shapes are taken" if number >= SHAPES_MAX else _drawing_of(one, ask.layer)
        if isinstance(made, str):
            reasons.append(made)
            continue
        written = await place_drawing(principal, made, desk)
        if isinstance(written, Refused):
            reasons.append(written.reason)
        else:
            uids[written.uid] = None
    return Imported(
        layer=ask.layer,
        drawn=len(uids),
        refused=len(reasons),
        reasons=tuple(dict.fromkeys(reasons))[:REASONS_SHOWN],
        uids=tuple(uids),
    )


def _drawing_of(one: Shape | str, layer: str) -> NewDrawing | str:
    """The request that draws a shape, or a sentence why it cannot be drawn."""
    if isinstance(one, str):
        return one
    asked: dict[str, Any] = {
        "shape": one.shape,
        "name": one.name[:100],
        "points": one.points,
        "radius_m": one.radius_m,
        "uid": one.uid or derived_uid(one, layer),
        "stroke": one.stroke,
        "fill": one.fill,
        "sidc": one.sidc,
        "remarks": None if one.remarks is None else one.remarks[:4000],
        "layer": layer,
    }
    try:
        return msgspec.convert(asked, NewDrawing)
    except msgspec.ValidationError as wrong:
        return f"{one.name[:60]}: {wrong}"


def derived_uid(one: Shape, layer: str) -> str:
    """The uid of a shape that came without one: the same shape with the same name on the same layer has the same."""
    said = msgspec.json.encode((one.shape, one.points, one.radius_m))
    return statement_id("overlay", f"{layer}\0{one.name}", 0, said)


# -- Export -----------------------------------------------------------------------------------------------------------


class AskOverlay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which layer; empty = the drawings that lie on none."""

    layer: Annotated[str, msgspec.Meta(max_length=LAYER_LETTERS_MAX)] = ""
    format: Literal["geojson", "kml", "gpx"] = "geojson"


class OverlayPiece(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the file: its head, one drawing, or its tail. A GeoJSON file has a comma between drawings."""

    part: Literal["head", "drawing", "tail"]
    text: str


def _overlay(principal: Principal, ask: AskOverlay, reading: Reading) -> Iterator[Labelled]:
    head, tail = _frame(ask)
    yield Labelled(OverlayPiece(part="head", text=head), None, reading.context)
    picture = picture_of(reading)
    for entity in picture.entities():
        sight = picture.sight(entity, reading.release, reading.policy)
        if sight is None or sight.verdict is not Verdict.FULL or not _is_on(sight.report, ask.layer):
            continue
        piece = OverlayPiece(part="drawing", text=_piece(sight.report, sight.label, ask.format, reading.now_ms()))
        yield Labelled(piece, sight.label, sight.context)
    yield Labelled(OverlayPiece(part="tail", text=tail), None, reading.context)


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


def _piece(report: Report, label: Label, format: str, now_ms: int) -> str:
    if format == "geojson":
        feature = msgspec.json.decode(encode_feature(Outgoing(body=report, label=label, now_ms=now_ms)))
        # Its uid makes a file that comes back the same drawing again.
        feature["properties"]["uid"] = report.alias.value
        return msgspec.json.encode(feature).decode()
    if format == "kml":
        return _kml_piece(report, label)
    return _gpx_piece(report)


def _kml_piece(report: Report, label: Label) -> str:
    """A Placemark with what KML has no word for: the centre of a circle, and our colours."""
    mark = placemark(report, label)
    geometry = report.geometry
    more: dict[str, str] = {}
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
    """GPX knows points and lines: an area becomes its closed outline, a circle its centre."""
    name = f"<name>{escape(_printable(report.name or report.alias.value))}</name>"
    geometry = report.geometry
    if geometry is None or geometry.shape == "circle" or len(geometry.points) < 2:
        at = geometry.points[0] if geometry is not None and geometry.points else None
        if at is None and report.position is not None:
            at = (report.position.lat_deg, report.position.lon_deg)
        return "" if at is None else f'<wpt lat="{at[0]!r}" lon="{at[1]!r}">{name}</wpt>'
    tag, points = ("rtept", geometry.points) if geometry.shape == "route" else ("trkpt", geometry.points)
    if geometry.shape == "polygon":
        points = (*points, points[0])
    places = "".join(f'<{tag} lat="{lat_deg!r}" lon="{lon_deg!r}"/>' for lat_deg, lon_deg in points)
    if geometry.shape == "route":
        return f"<rte>{name}{places}</rte>"
    return f"<trk>{name}<trkseg>{places}</trkseg></trk>"


def _printable(text: str) -> str:
    """Without what XML cannot carry."""
    return "".join(letter for letter in text if letter.isprintable())


imports = Command(
    name="import_overlay",
    method="POST",
    path="/overlays",
    request=ImportOverlay,
    answer=Imported,
    role="operator",
    act=import_overlay,
    slow=True,
    summary="Draw the shapes of a GeoJSON, KML, KMZ or GPX file on a layer",
)
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
