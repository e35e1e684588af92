"""Drawings made here: lines, areas, corridors, circles, routes, bearing lines, points; phones get them as CoT."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Literal

import msgspec

from aquila.core.colours import argb_of_css, css_of_argb
from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, check_text
from aquila.core.ids import entity_id
from aquila.core.model import Alias, Geometry, Position, Principal, Report, Verdict
from aquila.core.symbol import sidc_of_cot
from aquila.features.picture.changes import CHANGE, change_of
from aquila.features.picture.commands import PLACED_BY_HAND, VALID_H_MAX
from aquila.features.picture.corridor import corridor_corners
from aquila.features.picture.layers import label_on, layer_called
from aquila.features.picture.queries import picture_of
from aquila.features.picture.view import CORRIDOR, LAYER, ORDER

POINTS_MAX = 500
LAYER_FIELD, ORDER_FIELD, ICON_FIELD = LAYER, ORDER, "iconsetpath"
"""Where a report keeps the named layer of a drawing, its place in it, and the icon that phones show."""
SPOT = "COT_MAPPING_SPOTMAP/b-m-p-s-m/"
SPOTS: Mapping[str, str] = {"point": f"{SPOT}-1", "text": f"{SPOT}LABEL"}
"""Icon of ATAK's spot map for a bare point, and for a point of which only the name is shown."""
Mark = Literal["dot", "flag", "caution", "circle"]
ICONS: Mapping[str, str] = {
    "flag": "f7f71666-8b28-4b57-9fbb-e38e61d33b79/Google/flag.png",
    "caution": "f7f71666-8b28-4b57-9fbb-e38e61d33b79/Google/caution.png",
    "circle": "f7f71666-8b28-4b57-9fbb-e38e61d33b79/Google/placemark_circle.png",
}
"""Mark of a point -> its picture in the icon set that ATAK brings along, where the colour tints it."""
ICON_TYPE = "a-u-G"
"""What ATAK calls a point with a picture of an icon set."""

Shape = Literal["line", "polygon", "corridor", "circle", "bullseye", "route", "bearing", "point", "text"]
TYPES: Mapping[str, tuple[str, Literal["line", "polygon", "circle", "route"] | None]] = {
    "line": ("u-d-f", "line"),
    "polygon": ("u-d-f", "polygon"),
    "corridor": ("u-d-f", "polygon"),
    "circle": ("u-d-c-c", "circle"),
    "bullseye": ("u-r-b-bullseye", "circle"),
    "route": ("b-m-r", "route"),
    "bearing": ("u-rb-a", "line"),
    "point": ("b-m-p-s-m", None),
    "text": ("b-m-p-s-m", None),
}
"""Shape -> CoT type that ATAK draws it from, and the shape of the model; None = a place is enough."""
ROUND = ("circle", "bullseye")
RINGS = 3
POINTS: Mapping[str, tuple[int, int]] = {
    "line": (2, POINTS_MAX),
    "polygon": (3, POINTS_MAX),
    "corridor": (2, POINTS_MAX // 4),
    "circle": (1, 1),
    "bullseye": (1, 1),
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
        points: (lat_deg, lon_deg); a circle or bullseye has one and `radius_m`, a bearing line two, an area its
            corners once, a corridor the places of its centre line.
        corridor_m: the whole width of a corridor.
        rings, ring_m: of a bullseye: how many rings and how far apart; None = 3, evenly up to `radius_m`.
        bearing_ref: of a bullseye: what phones count bearings from: true, magnetic or grid north.
        inward: bearings of a bullseye are those to its centre.
        mark: picture of a point; its colour is `stroke`.
        uid: of the drawing that this replaces, as it stands in its alias; None = a new one.
        stroke, fill: #rrggbb or #rrggbbaa.
        sidc: 20 digits of the tactical graphic that the points control; None = a plain shape.
        layer, order: the layer that it lies on, by its name now or at first, and its place in it.
        takes_back: this writes it as it was, since somebody takes a change or its removal back; the journal says so.
    """

    shape: Shape
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    points: Annotated[tuple[Pair, ...], msgspec.Meta(min_length=1, max_length=POINTS_MAX)]
    radius_m: Annotated[float, msgspec.Meta(gt=0, le=2_000_000)] | None = None
    corridor_m: Annotated[float, msgspec.Meta(gt=0, le=200_000)] | None = None
    rings: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    ring_m: Annotated[float, msgspec.Meta(gt=0, le=2_000_000)] | None = None
    bearing_ref: Literal["T", "M", "G"] | None = None
    inward: bool = False
    mark: Mark | None = None
    uid: Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,128}$")] | None = None
    stroke: Color | None = None
    fill: Color | None = None
    sidc: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{20}$")] | None = None
    remarks: Annotated[str, msgspec.Meta(max_length=4000)] | None = None
    layer: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None
    order: Annotated[int, msgspec.Meta(ge=0, le=9999)] | None = None
    takes_back: bool = False
    valid_h: Annotated[float, msgspec.Meta(gt=0, le=VALID_H_MAX)] = 24 * 365

    def __post_init__(self) -> None:
        check_text("name", self.name)
        check_text("remarks", self.remarks)
        check_text("layer", self.layer)
        for lat_deg, lon_deg in self.points:
            if not (-90 <= lat_deg <= 90 and -180 <= lon_deg <= 180):
                raise ValueError(f"point {lat_deg}, {lon_deg}: latitude -90..90 and longitude -180..180 degrees")
        if (self.shape in ROUND) != (self.radius_m is not None):
            raise ValueError("radius_m belongs to a circle or bullseye, which need it: give both or neither")
        if (self.shape == "corridor") != (self.corridor_m is not None):
            raise ValueError("corridor_m belongs to a corridor, and a corridor needs it: give both or neither")
        if self.shape == "corridor" and any(a == b for a, b in pairwise(self.points)):
            raise ValueError("two places of the centre line that follow each other lie on each other: leave one out")
        if self.mark is not None and self.shape != "point":
            raise ValueError(f"mark {self.mark!r} of a {self.shape}: only a point has one")


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """The entity of the drawing, its CoT uid, and the journal entry that says so."""

    entity: str
    uid: str
    entry: str


async def place_drawing(principal: Principal, ask: NewDrawing, desk: Desk) -> Drawn | Refused:
    """Write a report with a shape. The same uid again is the same drawing, changed: here, elsewhere and on phones.

    Field `CHANGE` of the report says how it was changed; without it, it is new to whoever writes.
    """
    kind, shape = TYPES[ask.shape]
    least, most = POINTS[ask.shape]
    if not least <= len(ask.points) <= most:
        return Refused("field", f"points of this shape: {len(ask.points)}, where {least} to {most} are needed")
    if ask.mark in ICONS:
        kind = ICON_TYPE
    uid, now_ms = ask.uid or desk.new_id(), desk.now_ms()
    named = None if ask.layer is None else layer_called(desk, ask.layer)
    label = label_on(principal, named, desk)
    if isinstance(label, Refused):
        return label
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
        fields=_fields(ask, ask.layer if named is None else named.id),
    )
    if ask.uid is not None:
        report = _with_change(report, ask, desk)
    written = await desk.write(report, label=label)
    if isinstance(written, Refused):
        return written
    return Drawn(entity=report.entity, uid=uid, entry=written.envelope.id)


def _with_change(report: Report, ask: NewDrawing, desk: Desk) -> Report:
    """Beside what the writer sees of it now: what is not to be seen is not to be told either."""
    sight = picture_of(desk).sight(report.entity, desk.release, desk.policy)
    known = sight is not None and sight.verdict is Verdict.FULL
    change = "restored" if ask.takes_back else change_of(sight.report, report) if sight and known else None
    return report if change is None else msgspec.structs.replace(report, fields={**report.fields, CHANGE: change})


def _fields(ask: NewDrawing, layer: str | None) -> dict[str, str]:
    """What no shape says: how a point looks, how wide a corridor is, the rings of a bullseye. layer: its id."""
    said: dict[str, str | None] = {
        LAYER_FIELD: layer,
        ORDER_FIELD: None if ask.order is None else str(ask.order),
        CORRIDOR: None if ask.corridor_m is None else repr(ask.corridor_m),
    }
    if ask.shape in SPOTS:
        said |= _look_of_point(ask)
    if ask.shape == "bullseye" and ask.radius_m is not None:
        rings = RINGS if ask.rings is None else ask.rings
        said["rings"] = str(rings)
        said["ring_m"] = repr(ask.ring_m or ask.radius_m / max(rings, 1))
        said["bearing_ref"] = ask.bearing_ref or "T"
        said["inward"] = "true" if ask.inward else None
    return {name: value for name, value in said.items() if value is not None}


def drawn_as(report: Report) -> dict[str, str]:
    """What its geometry does not say of a drawing, for a file: everybody reads points and lines, we what they were.

    `drawn` is text, bearing or the mark of a point, `stroke` the colour of a point (#rrggbb); empty = nothing to add.
    """
    if report.type == TYPES["bearing"][0] and report.geometry is not None:
        return {"drawn": "bearing"}
    icon = report.fields.get(ICON_FIELD, "")
    if report.geometry is not None or not icon:
        return {}
    marks = {SPOTS["text"]: "text", **{picture: mark for mark, picture in ICONS.items()}}
    mark = marks.get(icon, "dot" if icon.startswith(SPOT) else None)
    if mark is None:
        return {}
    stroke = css_of_argb(report.fields.get("color"))
    return {"drawn": mark} | ({} if stroke is None else {"stroke": stroke})


def _look_of_point(ask: NewDrawing) -> dict[str, str | None]:
    argb = None if ask.stroke is None else argb_of_css(ask.stroke)
    icon = ICONS.get(ask.mark or "", SPOTS[ask.shape])
    if argb is not None and icon == SPOTS["point"]:
        icon = f"{SPOT}{argb}"
    return {ICON_FIELD: icon, "color": None if argb is None else str(argb)}


def _places(ask: NewDrawing) -> tuple[tuple[float, float], ...]:
    places = tuple((lat_deg, lon_deg) for lat_deg, lon_deg in ask.points)
    return places if ask.corridor_m is None else corridor_corners(places, ask.corridor_m)


def _anchor(ask: NewDrawing) -> tuple[float, float]:
    """Where its label stands: the middle of an area's corners, else its first point; of a corridor that of its line."""
    lat_deg, lon_deg = ask.points[len(ask.points) // 2 if ask.shape == "corridor" else 0]
    if ask.shape != "polygon":
        return lat_deg, lon_deg
    lats, lons = zip(*_places(ask), strict=True)
    return (min(lats) + max(lats)) / 2, (min(lons) + max(lons)) / 2


drawing = Command(
    name="place_drawing",
    method="POST",
    path="/drawings",
    request=NewDrawing,
    answer=Drawn,
    role="operator",
    act=place_drawing,
    summary="Draw or change a line, area, corridor, circle, bullseye, route, bearing line or point",
)
