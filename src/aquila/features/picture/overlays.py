"""Overlays as files: what another program drew becomes drawings on a layer."""

import asyncio
from typing import Annotated, Any

import msgspec
from msgspec.structs import replace

from aquila.core.errors import Refused, UsageError
from aquila.core.feature import Command, Desk, check_text
from aquila.core.ids import statement_id
from aquila.core.model import Principal, Report
from aquila.features.picture.drawings import LAYER_FIELD, ORDER_FIELD, POINTS_MAX, NewDrawing, place_drawing
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
from aquila.features.picture.overlay_known import NAME_LETTERS, REMARKS_LETTERS, KnownDrawings, asked_look
from aquila.features.picture.view import Sight

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
    """What became of the shapes of the file.

    Attributes:
        drawn: how many are new drawings, on `layer`.
        changed: how many were there and say something else now; they keep their layer.
        same: how many were there as the file says them: nothing was written of these.
        refused: how many were left out. reasons: why the first of those were.
        uids: of what was drawn or changed.
    """

    layer: str
    drawn: int
    changed: int = 0
    same: int = 0
    refused: int
    reasons: tuple[str, ...] = ()
    uids: tuple[str, ...] = ()


class _Plan(msgspec.Struct):
    """What is to be done with a file: drawings to write, each with whether it was there, and what is left."""

    written: list[tuple[NewDrawing, bool]] = []
    same: int = 0
    reasons: list[str] = []


async def import_overlay(principal: Principal, ask: ImportOverlay, desk: Desk) -> Imported | Refused:
    """Draw the shapes of the file that are not there yet; change those that are the importer's or on a named layer.

    A drawing that says what the file says stays as it is, its author and layer, too. A shape is a drawing by the uid
    that our own export wrote, else by what it says: the same file again finds the same drawings.
    """
    try:
        plan = await asyncio.to_thread(_planned, principal, ask, desk)
    except (ValueError, UsageError) as wrong:
        return Refused("invalid", str(wrong))
    uids: dict[str, bool] = {}
    reasons = plan.reasons
    for made, was_there in plan.written:
        written = await place_drawing(principal, made, desk)
        if isinstance(written, Refused):
            reasons.append(f"{made.name[:60]}: {written.detail}" if written.detail else written.reason)
        else:
            uids[written.uid] = was_there
    changed = sum(uids.values())
    return Imported(
        layer=ask.layer,
        drawn=len(uids) - changed,
        changed=changed,
        same=plan.same,
        refused=len(reasons),
        reasons=tuple(dict.fromkeys(reasons))[:REASONS_SHOWN],
        uids=tuple(uids),
    )


def _planned(principal: Principal, ask: ImportOverlay, desk: Desk) -> _Plan:
    """Raises ValueError or UsageError for a file of another kind."""
    found = _found(ask, desk)
    known, plan = KnownDrawings(ask.format, found, desk), _Plan()
    for number, one in enumerate(found):
        sight = None if isinstance(one, str) else known.of(one.uid or derived_uid(one, ask.layer))
        if number >= SHAPES_MAX:
            plan.reasons.append(f"only the first {SHAPES_MAX} shapes are taken")
        elif isinstance(one, Shape) and known.has(one, sight):
            plan.same += 1
        elif isinstance(made := _drawing_of(one, ask.layer), str):
            plan.reasons.append(made)
        elif sight is None:
            plan.written.append((made, False))
        elif may_change(principal, sight):
            plan.written.append((_where_it_lies(made, sight.report), True))
        else:
            plan.reasons.append(f"{made.name[:60]}: {sight.source or 'somebody else'} drew it otherwise; it stays so")
    return plan


def may_change(principal: Principal, sight: Sight) -> bool:
    """Is it a drawing of the importer's own, or one on a named layer, which a phone does not draw on?"""
    own = sight.source == principal.id or LAYER_FIELD in sight.report.fields
    return own and sight.report.category == "drawing"


def _where_it_lies(made: NewDrawing, report: Report) -> NewDrawing:
    """Changed on the layer that it lies on, at its place there."""
    order = report.fields.get(ORDER_FIELD, "")
    return replace(made, layer=report.fields.get(LAYER_FIELD), order=int(order) if order.isdecimal() else None)


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
        "name": one.name[:NAME_LETTERS],
        "points": one.points,
        "radius_m": one.radius_m,
        "uid": one.uid or derived_uid(one, layer),
        "stroke": one.stroke,
        "fill": one.fill,
        "sidc": one.sidc,
        "remarks": None if one.remarks is None else one.remarks[:REMARKS_LETTERS],
        "layer": layer,
        **asked_look(one),
    }
    try:
        return msgspec.convert(asked, NewDrawing)
    except msgspec.ValidationError as wrong:
        return f"{one.name[:60]}: {_why_not(wrong)}"


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
