"""Overlays as files: what another program drew becomes drawings on a layer."""

import asyncio
from typing import Annotated, Any, get_args

import msgspec

from aquila.core.errors import Refused, UsageError
from aquila.core.feature import Command, Desk, check_text
from aquila.core.ids import statement_id
from aquila.core.model import Principal
from aquila.features.picture.drawings import POINTS_MAX, Mark, NewDrawing, place_drawing
from aquila.features.picture.overlay_export import Packer
from aquila.features.picture.overlay_files import (
    LAYER_LETTERS_MAX,
    SHAPES_MAX,
    Format,
    Found,
    Shape,
    shapes_of,
    shapes_of_features,
)

REASONS_SHOWN = 5


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
        found = await asyncio.to_thread(_found, ask, desk)
    except (ValueError, UsageError) as wrong:
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
            reasons.append(f"{made.name[:60]}: {written.detail}" if written.detail else written.reason)
        else:
            uids[written.uid] = None
    return Imported(
        layer=ask.layer,
        drawn=len(uids),
        refused=len(reasons),
        reasons=tuple(dict.fromkeys(reasons))[:REASONS_SHOWN],
        uids=tuple(uids),
    )


def _found(ask: ImportOverlay, desk: Desk) -> list[Found]:
    """The shapes of the file, and sentences for what is none. Raises ValueError or UsageError for another file."""
    if ask.format != "gpkg":
        return list(shapes_of(ask.format, ask.content))
    packer: Packer = desk.part("geopackages")
    features, left_out = packer.read(ask.content)
    return [*shapes_of_features(features), *(["a row without a shape that can be drawn"] * left_out)]


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
        **_drawn_as(one),
    }
    try:
        return msgspec.convert(asked, NewDrawing)
    except msgspec.ValidationError as wrong:
        return f"{one.name[:60]}: {_why_not(wrong)}"


def _drawn_as(one: Shape) -> dict[str, str]:
    """Shape and mark by what our own export said; a word that does not fit the shape is passed over."""
    if one.shape == "point" and one.drawn == "text":
        return {"shape": "text"}
    if one.shape == "point" and one.drawn is not None and one.drawn in get_args(Mark):
        return {"mark": one.drawn}
    if one.shape == "line" and one.drawn == "bearing" and len(one.points) == 2:
        return {"shape": "bearing"}
    return {}


_FIELDS = {
    "points": f"it has no points, or more than {POINTS_MAX}: simplify it",
    "radius_m": "its radius is not between 0 and 2,000 km",
    "uid": "its identity is not 1 to 128 plain letters, digits and signs",
}


def _why_not(wrong: msgspec.ValidationError) -> str:
    """Our own sentence about a shape; in place of a library's, one about the field."""
    if wrong.__cause__ is not None:
        return str(wrong.__cause__)
    field = str(wrong).rpartition("`$.")[2].partition("`")[0].partition("[")[0]
    return _FIELDS.get(field, f"its {field} cannot be kept" if field else "it cannot be kept")


def derived_uid(one: Shape, layer: str) -> str:
    """The uid of a shape that came without one: the same shape with the same name on the same layer has the same."""
    said = msgspec.json.encode((one.shape, one.points, one.radius_m))
    return statement_id("overlay", f"{layer}\0{one.name}", 0, said)


imports = Command(
    name="import_overlay",
    method="POST",
    path="/overlays",
    request=ImportOverlay,
    answer=Imported,
    role="operator",
    act=import_overlay,
    slow=True,
    summary="Draw the shapes of a GeoJSON, KML, KMZ, GPX or GeoPackage file on a layer",
)
