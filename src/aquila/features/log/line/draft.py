"""What the typed line gives: a draft of fields, each with its place in the line and how sure it is."""

from typing import Any, Final, Literal

import msgspec

Field = Literal[
    "unit",
    "kind",
    "size",
    "casualty",
    "activity",
    "place",
    "time",
    "direction",
    "speed",
    "altitude",
    "precedence",
    "to",
    "info",
    "reference",
    "remainder",
]
Confidence = Literal["sure", "unsure"]


class LineChoice(msgspec.Struct, frozen=True, omit_defaults=True):
    """Another reading of the same words: a value of the same shape, and a label for people.

    Attributes:
        field: when the words would belong to another field; None = the same one.
    """

    label: str
    value: dict[str, Any]
    field: Field | None = None


class LinePart(msgspec.Struct, frozen=True, kw_only=True):
    """Some words of the line, understood.

    Attributes:
        start, end: characters [start, end) of the line; equal = inferred, not typed.
        value: by field, see docs/formats/typed_line.md; None = the words cannot be right (`problem` says why) or are
            plain text (remainder).
        note: why it is unsure. problem: what is wrong, and what is allowed.
    """

    field: Field
    start: int
    end: int
    text: str
    value: dict[str, Any] | None
    confidence: Confidence = "sure"
    alternatives: tuple[LineChoice, ...] = ()
    note: str | None = None
    problem: str | None = None


class LineDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A line, understood. The typed parts cover it: each character stands in exactly one of them.

    Attributes:
        parts: in the order of the line; the inferred ones (empty span) first.
        remainder: the words that no field took, with single spaces.
    """

    line: str
    parts: tuple[LinePart, ...]
    remainder: str

    def all(self, field: Field) -> tuple[LinePart, ...]:
        """The parts of one field, in the order of the line."""
        return tuple(part for part in self.parts if part.field == field)

    def first(self, field: Field) -> LinePart | None:
        """The first part of a field; None = there is none."""
        return next((part for part in self.parts if part.field == field), None)


REACH_SURE_M: Final = 250.0
"""A phase line or an area that extends further from its middle says less of where something was than a grid does."""


class KnownName(msgspec.Struct, frozen=True, kw_only=True):
    """A name that may be typed: somebody who reports, or a place.

    Attributes:
        sort: unit = reports and moves; place = stays where it is.
        lat_deg, lon_deg: where it was last, of a line or an area its middle; None = unknown.
        reach_m: how far it extends from there.
        id: entity in the picture; None = none.
    """

    name: str
    sort: Literal["unit", "place"]
    lat_deg: float | None = None
    lon_deg: float | None = None
    reach_m: float = 0.0
    id: str | None = None

    @property
    def spread(self) -> str | None:
        """Why its place is no answer to where something was; None = it is one."""
        if self.reach_m <= REACH_SURE_M:
            return None
        return f"the middle of {self.name}, which reaches {self.reach_m / 1000:.1f} km from there"


class LineContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a line is read against.

    Attributes:
        now_ms: UTC ms. offset_min: minutes that local time is ahead of UTC.
        names: callsigns, units, places and named areas that the writer may know of.
        zone: MGRS zone and band of partial grids, such as 36S. square: its 100 km square, such as YB. None = unknown.
        square_is_guess: the square was derived from what lies around, so partial grids stay unsure.
    """

    now_ms: int
    offset_min: int = 0
    names: tuple[KnownName, ...] = ()
    zone: str | None = None
    square: str | None = None
    square_is_guess: bool = False
