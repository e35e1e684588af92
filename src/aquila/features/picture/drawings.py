"""Drawings made here: lines, areas, circles, routes, range and bearing lines; phones get them as CoT shapes."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, check_text
from aquila.core.ids import entity_id
from aquila.core.model import Alias, Geometry, Position, Principal, Report
from aquila.core.symbol import sidc_of_cot
from aquila.features.picture.commands import PLACED_BY_HAND, VALID_H_MAX
from aquila.features.picture.view import LAYER, ORDER

POINTS_MAX = 500
LAYER_FIELD, ORDER_FIELD, ICON_FIELD = LAYER, ORDER, "iconsetpath"
"""Where a report keeps the named layer of a drawing, its place in it, and the icon that phones show."""
ICONS: Mapping[str, str] = {
    "point": "COT_MAPPING_SPOTMAP/b-m-p-s-m/-1",
    "text": "COT_MAPPING_SPOTMAP/b-m-p-s-m/LABEL",
}
"""Icon of ATAK's spot map for a bare point, and for a point of which only the name is shown."""

Shape = Literal["line", "polygon", "circle", "route", "bearing", "point", "text"]
TYPES: Mapping[str, tuple[str, Literal["line", "polygon", "circle", "route"] | None]] = {
    "line": ("u-d-f", "line"),
    "polygon": ("u-d-f", "polygon"),
    "circle": ("u-d-c-c", "circle"),
    "route": ("b-m-r", "route"),
    "bearing": ("u-rb-a", "line"),
    "point": ("b-m-p-s-m", None),
    "text": ("b-m-p-s-m", None),
}
"""Shape -> CoT type that ATAK draws it from, and the shape of the model; None = a place is enough."""
POINTS: Mapping[str, tuple[int, int]] = {
    "line": (2, POINTS_MAX),
    "polygon": (3, POINTS_MAX),
    "circle": (1, 1),
    "route": (2, POINTS_MAX),
    "bearing": (2, 2),
    "point": (1, 1),
    "text": (1, 1),
}

Pair = Annotated[tuple[float, ...], msgspec.Meta(min_length=2, max_length=2)]
Color = Annotated[str, msgspec.Meta(pattern=r"^#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?$")]


class NewDrawing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A drawing to be made, or to be changed.

    Attributes:
        points: (lat_deg, lon_deg); a circle has one and `radius_m`, a bearing line two, an area its corners once.
        uid: of the drawing that this replaces, as it stands in its alias; None = a new one.
        stroke, fill: #rrggbb or #rrggbbaa.
        sidc: 20 digits of the tactical graphic that the points control; None = a plain shape.
        layer, order: the named layer that it lies on and its place in it.
    """

    shape: Shape
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    points: Annotated[tuple[Pair, ...], msgspec.Meta(min_length=1, max_length=POINTS_MAX)]
    radius_m: Annotated[float, msgspec.Meta(gt=0, le=2_000_000)] | None = None
    uid: Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,128}$")] | None = None
    stroke: Color | None = None
    fill: Color | None = None
    sidc: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{20}$")] | None = None
    remarks: Annotated[str, msgspec.Meta(max_length=4000)] | None = None
    layer: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None
    order: Annotated[int, msgspec.Meta(ge=0, le=9999)] | None = None
    valid_h: Annotated[float, msgspec.Meta(gt=0, le=VALID_H_MAX)] = 24 * 365

    def __post_init__(self) -> None:
        check_text("name", self.name)
        check_text("remarks", self.remarks)
        check_text("layer", self.layer)
        least, most = POINTS[self.shape]
        if not least <= len(self.points) <= most:
            raise ValueError(f"a {self.shape} of {len(self.points)} points: {least} to {most} are needed")
        for lat_deg, lon_deg in self.points:
            if not (-90 <= lat_deg <= 90 and -180 <= lon_deg <= 180):
                raise ValueError(f"point {lat_deg}, {lon_deg}: latitude -90..90 and longitude -180..180 degrees")
        if (self.shape == "circle") != (self.radius_m is not None):
            raise ValueError("radius_m belongs to a circle, and a circle needs it: give both or neither")


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """The entity of the drawing, its CoT uid, and the journal entry that says so."""

    entity: str
    uid: str
    entry: str


async def place_drawing(principal: Principal, ask: NewDrawing, desk: Desk) -> Drawn | Refused:
    """Write a report with a shape. The same uid again is the same drawing, changed: here, elsewhere and on phones."""
    kind, shape = TYPES[ask.shape]
    uid, now_ms = ask.uid or desk.new_id(), desk.now_ms()
    layer = {} if ask.layer is None else {LAYER_FIELD: ask.layer}
    order = {} if ask.order is None else {ORDER_FIELD: str(ask.order)}
    icon = {ICON_FIELD: ICONS[ask.shape]} if ask.shape in ICONS else {}
    report = Report(
        entity=entity_id("cot", uid),
        alias=Alias("cot", uid),
        type=kind,
        sidc=ask.sidc or sidc_of_cot(kind)[0],
        category="drawing",
        observed_at_ms=now_ms,
        stale_at_ms=now_ms + int(ask.valid_h * 3_600_000),
        name=ask.name,
        how=PLACED_BY_HAND,
        position=Position(*_anchor(ask)),
        geometry=None if shape is None else Geometry(shape, _places(ask), ask.radius_m, ask.stroke, ask.fill),
        remarks=ask.remarks,
        fields=layer | order | icon,
    )
    written = await desk.write(report)
    if isinstance(written, Refused):
        return written
    return Drawn(entity=report.entity, uid=uid, entry=written.envelope.id)


def _places(ask: NewDrawing) -> tuple[tuple[float, float], ...]:
    return tuple((lat_deg, lon_deg) for lat_deg, lon_deg in ask.points)


def _anchor(ask: NewDrawing) -> tuple[float, float]:
    """Where its label stands: the middle of an area's corners, else its first point."""
    places = _places(ask)
    if ask.shape != "polygon":
        return places[0]
    lats, lons = zip(*places, strict=True)
    return (min(lats) + max(lats)) / 2, (min(lons) + max(lons)) / 2


drawing = Command(
    name="place_drawing",
    method="POST",
    path="/drawings",
    request=NewDrawing,
    answer=Drawn,
    role="operator",
    act=place_drawing,
    summary="Draw or change a line, area, circle, route or bearing line that phones and screens receive",
)
