"""How a drawing differs from what it was, in one word: the journal says that instead of telling of a new one again."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from aquila.core.model import Report

Change = Literal["moved", "reshaped", "restyled", "renamed", "changed", "restored"]
CHANGE = "change"
"""Field of a report: the `Change` by which a drawing became what it says. Absent: it is new, or the same again."""
_SIZES = ("corridor_m", "rings", "ring_m")
_LOOKS = ("iconsetpath", "color")


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
