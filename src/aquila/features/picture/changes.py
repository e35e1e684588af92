"""How a drawing differs from what it was, in one word: the journal says that instead of telling of a new one again."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from msgspec.structs import replace

from aquila.core.colours import argb_of_css
from aquila.core.model import Geometry, Position, Report

Change = Literal["moved", "reshaped", "restyled", "renamed", "changed", "restored"]
CHANGE = "change"
"""Field of a report: the `Change` by which a drawing became what it says. Absent: it is new, or the same again."""
SAME = "same"
"""What stands there when a phone says a drawing again as it is: nothing is to be told."""
_SIZES = ("corridor_m", "rings", "ring_m")
_LOOKS = ("iconsetpath", "color")
_HEARD = ("rings", "ring_m", "bearing_ref", "inward", *_LOOKS)
"""Fields for which CoT has words."""
_NEAR_DEG = 1e-6
"""A tenth of a metre: further than figures of a phone are rounded, nearer than anybody draws."""
NEAR_M = 0.1
"""The same, of a radius."""


def change_of(before: Report, now: Report) -> Change | None:
    """What became of a drawing: "changed" for several things at once, None where both say the same.

    What has one place (a point, a circle) can be moved; everything else gets another shape.
    """
    differing: list[Change] = [change for change, part in _PARTS.items() if part(before) != part(now)]
    if len(differing) > 1:
        return "changed"
    return differing[0] if differing else None


def _place(report: Report) -> Any:
    """Where it is, of what has one place."""
    return report.position if report.geometry is None or len(report.geometry.points) == 1 else None


def _shape(report: Report) -> Any:
    geometry = report.geometry
    if geometry is None:
        return None
    points = geometry.points if len(geometry.points) > 1 else None
    return geometry.shape, points, geometry.radius_m, [report.fields.get(name) for name in _SIZES]


def _look(report: Report) -> Any:
    geometry = report.geometry
    colours = None if geometry is None else (geometry.stroke, geometry.fill)
    return report.type, report.sidc, colours, [report.fields.get(name) for name in _LOOKS]


def _else(report: Report) -> Any:
    told = {CHANGE, *_SIZES, *_LOOKS}
    return report.remarks, {name: value for name, value in report.fields.items() if name not in told}


_PARTS: Mapping[Change, Callable[[Report], Any]] = {
    "moved": _place,
    "reshaped": _shape,
    "restyled": _look,
    "renamed": lambda report: report.name,
    "changed": _else,
}


# -- what a phone says ---------------------------------------------------------------------------------------------


def change_heard(before: Report, now: Report) -> Change | None:
    """What became of a drawing by what a phone says of it; None where it says what is known.

    CoT has no word for layers and widths of corridors, figures are rounded on their way, and phones add the height of
    the ground: none of that is a change.
    """
    return change_of(_as_heard(before, now), _as_heard(now, now))


def _as_heard(report: Report, now: Report) -> Report:
    """A report as far as CoT says it; places as `now` has them where they are nearly the same."""
    shape = report.geometry
    fields = {name: report.fields[name] for name in _HEARD if report.fields.get(name)}
    if fields.get("rings", "0") == "0":
        fields = {name: value for name, value in fields.items() if name not in _SIZES}
    return replace(
        report,
        # The side of a symbol is that of the type.
        sidc=now.sidc[:4] + report.sidc[4:],
        name=report.name if now.name else None,
        position=_nearest_position(report.position, now.position),
        geometry=None if shape is None else _geometry_heard(shape, now.geometry or shape),
        remarks=report.remarks or None,
        fields=fields,
    )


def _geometry_heard(shape: Geometry, now: Geometry) -> Geometry:
    same = len(shape.points) == len(now.points) and all(map(is_near, shape.points, now.points))
    radii = shape.radius_m, now.radius_m
    near = radii[0] is not None and radii[1] is not None and abs(radii[0] - radii[1]) < NEAR_M
    stroke, fill = (None if css is None else str(argb_of_css(css)) for css in (shape.stroke, shape.fill))
    return Geometry(
        shape.shape, now.points if same else shape.points, now.radius_m if near else shape.radius_m, stroke, fill
    )


def _nearest_position(position: Position | None, now: Position | None) -> Position | None:
    if position is None or now is None:
        return None
    near = is_near((position.lat_deg, position.lon_deg), (now.lat_deg, now.lon_deg))
    return Position(now.lat_deg, now.lon_deg) if near else Position(position.lat_deg, position.lon_deg)


def is_near(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    """Are two places, (lat_deg, lon_deg), the same but for figures that were rounded?"""
    return abs(a[0] - b[0]) < _NEAR_DEG and abs(a[1] - b[1]) < _NEAR_DEG
