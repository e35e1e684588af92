"""From an event to the body that it says, by its type."""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from aquila.codecs.cot.event.drawing import read_drawing
from aquila.codecs.cot.event.parts import SCHEME, TYPE_LENGTH_MAX, UID_LENGTH_MAX, Event, addressees_of
from aquila.codecs.cot.event.report import position_of, read_alert, read_marker, read_medevac, read_report
from aquila.codecs.cot.event.talk import RECEIPT_STATES, read_note, read_receipt
from aquila.core.codec import Control
from aquila.core.errors import CodecError
from aquila.core.ids import entity_id
from aquila.core.model import Alias, Body, Category, Foreign, Removal
from aquila.core.symbol import affiliation, sidc_of_cot

CONTROLS: Final[dict[str, str]] = {
    "t-x-c-t": "ping",
    "t-x-c-t-r": "pong",
    "t-b": "subscribe",
    "t-b-a": "subscribe",
    "t-b-c": "unsubscribe",
    "t-b-q": "subscriptions",
    "t-x-c-f": "geo-filter",
    "t-x-c-m": "metrics",
    "t-x-c-i-e": "incognito-on",
    "t-x-c-i-d": "incognito-off",
    "t-x-takp-q": "protocol-request",
    "t-x-takp-v": "protocol-offer",
    "t-x-takp-r": "protocol-answer",
    "t-x-g-c": "group-change",
}
"""Types that concern one connection only; they never become a body and are never relayed."""


def body_of(event: Event) -> Body | Control:
    """What an event says. Raises CodecError, and ValueError for a number out of range."""
    if not event.uid or len(event.uid) > UID_LENGTH_MAX:
        raise CodecError("missing" if not event.uid else "range", f"uid: 1 to {UID_LENGTH_MAX} characters")
    if not event.type or len(event.type) > TYPE_LENGTH_MAX:
        raise CodecError("type", f"type {event.type[:40]!r}: 1 to {TYPE_LENGTH_MAX} characters")
    read, category, sidc = _plan(event.type)
    return read(event, category, sidc)


Reader = Callable[[Event, Category, str], Body | Control]


@lru_cache(maxsize=4096)
def _plan(cot_type: str) -> tuple[Reader, Category, str]:
    """How a type is read, the category it has and its symbol."""
    if cot_type in CONTROLS:
        return _control, "marker", ""
    if cot_type == "b-t-f":
        return read_note, "marker", ""
    if cot_type in RECEIPT_STATES:
        return read_receipt, "marker", ""
    if cot_type == "t-x-d-d":
        return read_removal, "marker", ""
    sidc, _ = sidc_of_cot(cot_type)
    if cot_type.startswith("a-"):
        return read_report, _category_of_atom(cot_type, sidc), sidc
    for prefix, read, category in _PREFIXES:
        if cot_type == prefix or cot_type.startswith(prefix + "-"):
            return read, category, sidc
    return _foreign, "marker", ""


def _category_of_atom(cot_type: str, sidc: str) -> Category:
    """Unit, platform, place, track or marker, by dimension; a stranger in the air or at sea is a track."""
    parts = cot_type.split("-")
    dimension = parts[2] if len(parts) > 2 else "G"
    function = parts[3] if len(parts) > 3 else ""
    if dimension == "G":
        if function == "E":
            return "platform"
        return "place" if function == "I" else "unit"
    if dimension in ("A", "P", "S", "U"):
        return "platform" if affiliation(sidc) in ("friend", "assumed_friend") else "track"
    if dimension == "X":
        return "marker"  # CoT's "other": incidents such as an avalanche, never a unit.
    return "unit"


def read_removal(event: Event, category: Category, sidc: str) -> Removal:
    """A deletion of what `detail/link@uid` names."""
    link = event.parts.get("link")
    uid = link.get("uid") if link is not None else None
    if not uid or len(uid) > UID_LENGTH_MAX:
        raise CodecError("missing", "t-x-d-d: detail/link@uid says what is gone")
    return Removal(
        entity=entity_id(SCHEME, uid),
        alias=Alias(SCHEME, uid),
        happened_at_ms=event.at_ms,
        to=addressees_of(event) if "marti" in event.parts else (),
    )


def _foreign(event: Event, category: Category, sidc: str) -> Foreign:
    position_of(event)  # Refuses what is out of range, so that nobody is sent it.
    return Foreign(
        alias=Alias(SCHEME, event.uid),
        type=event.type,
        happened_at_ms=event.at_ms,
        to=addressees_of(event) if "marti" in event.parts else (),
    )


def _control(event: Event, category: Category, sidc: str) -> Control:
    kind = CONTROLS[event.type]
    fields = [("uid", event.uid)]
    if kind == "protocol-request":
        for child in event.children:
            if child.tag == "TakControl":
                fields += [
                    ("version", request.get("version") or "") for request in child if request.tag == "TakRequest"
                ]
    elif kind == "geo-filter":
        for child in event.children:
            if child.tag == "subscription":
                fields += [
                    pair for filter_ in child for box in filter_ if box.tag == "boundingBox" for pair in box.items()
                ]
    return Control(kind, fields=tuple(fields))


_PREFIXES: Final[tuple[tuple[str, Reader, Category], ...]] = (
    ("b-m-r", read_drawing, "drawing"),
    ("u-d", read_drawing, "drawing"),
    ("u-rb", read_drawing, "drawing"),
    ("u-r-b", read_drawing, "drawing"),
    ("b-a", read_alert, "alert"),
    ("b-r-f-h-c", read_medevac, "alert"),
    ("b-m-p", read_marker, "marker"),
    ("b-i-x", read_marker, "marker"),
    ("b-i-v", read_marker, "marker"),
    ("b-l", read_marker, "marker"),
    ("b-d", read_marker, "marker"),
    ("b-w", read_marker, "marker"),
)
"""What is no atom, by the beginning of its type; alarms, detections and weather are hazards."""
