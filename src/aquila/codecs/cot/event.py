"""The one mapping between a CoT event and the bodies of Aquila, for XML and protobuf alike.

`body_of` reads, `write_event` writes the XML of an event that was born here or redacted. What
neither can say is kept in the original bytes, which the codecs re-send untouched (see README.md,
losses).
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal, Protocol

import msgspec

from aquila.core.codec import Control, Marking
from aquila.core.errors import CodecError
from aquila.core.ids import entity_id, statement_id
from aquila.core.model import (
    ALL_ROOM,
    TIME_MAX_MS,
    TIME_MIN_MS,
    Address,
    Alias,
    Body,
    Category,
    Emergency,
    Foreign,
    Geometry,
    Motion,
    Note,
    Position,
    Receipt,
    Removal,
    Report,
)
from aquila.core.symbol import affiliation, sidc_of_cot, sidc_of_letters

UID_LENGTH_MAX: Final = 512
TYPE_LENGTH_MAX: Final = 128
SCHEME: Final = "cot"
FLOW_PREFIX: Final = "TAK-Server-"

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


class Part(Protocol):
    """Attributes of one child of <detail>: an XML element, or a dict when typed in protobuf."""

    def get(self, key: str, /) -> str | None:
        """The attribute, or None."""
        ...


class Element(Part, Protocol):
    """As much of an XML element as the mapping reads."""

    @property
    def tag(self) -> str:
        """Its name."""
        ...

    @property
    def text(self) -> str | None:
        """The text before its first child."""
        ...

    @property
    def tail(self) -> str | None:
        """The text behind its end."""
        ...

    def __iter__(self) -> "Iterator[Element]":
        """Its children."""
        ...

    def items(self) -> Sequence[tuple[str, str]]:
        """Its attributes in the order written."""
        ...


class Event(msgspec.Struct):
    """One CoT event as read from a wire, before it means anything.

    Attributes:
        lat_deg, lon_deg: as written, not yet checked for range. hae_m, ce_m, le_m: None = unknown.
        parts: the children of <detail> by name, the first of each name.
        children: the children of <detail> that came as XML, in their order.
    """

    uid: str
    type: str
    at_ms: int
    stale_ms: int
    how: str | None
    lat_deg: float
    lon_deg: float
    hae_m: float | None
    ce_m: float | None
    le_m: float | None
    parts: Mapping[str, Part]
    children: Sequence[Element]


# --- numbers, times, words ------------------------------------------------------------------------

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_UNKNOWN_TEXTS = frozenset({None, "", "9999999.0", "9999999", "999999.0", "999999"})
_UNKNOWN_M = frozenset({999_999.0, 9_999_999.0})


def time_ms(text: str | None) -> int:
    """Milliseconds since 1970 of an ISO 8601 date and time with zone, else CodecError("time")."""
    if text is None:
        raise CodecError("missing", "an event needs time, start and stale")
    try:
        # fromisoformat also takes a date alone, week dates and hours alone: the separators say that
        # it is none of these.
        if text[10] != "T" or text[7] != "-" or text[16] != ":":
            raise CodecError("time", f"{text[:40]!r}: YYYY-MM-DDThh:mm:ss[.fraction]Z is needed")
        at_ms = (datetime.fromisoformat(text) - _EPOCH) // _MILLISECOND
    except (ValueError, IndexError, TypeError, OverflowError) as error:
        # TypeError: a time without zone cannot be subtracted from one with zone.
        raise CodecError("time", f"{text[:40]!r}: a date and time with zone is needed") from error
    if not TIME_MIN_MS <= at_ms < TIME_MAX_MS:
        raise CodecError("time", f"{text[:40]!r}: 1970 to 2100 is allowed")
    return at_ms


def number(text: str | None, name: str) -> float:
    """A finite number; raises CodecError("missing") or CodecError("number")."""
    if text is None:
        raise CodecError("missing", f"the attribute {name} is needed")
    try:
        value = float(text)
    except ValueError as error:
        raise CodecError("number", f"{name}={text[:40]!r}: a decimal number is needed") from error
    # float() also takes 1_0 and other scripts' digits, which no other reader of this event would.
    if not math.isfinite(value) or "_" in text or not text.isascii():
        raise CodecError("number", f"{name}={text[:40]!r}: a finite decimal number is needed")
    return value


def metres(text: str | None, name: str) -> float | None:
    """A number of metres; None for absent and for CoT's two ways to say unknown."""
    if text in _UNKNOWN_TEXTS:
        return None
    value = number(text, name)
    return None if value in _UNKNOWN_M else value


def radius(text: str | None, name: str) -> float | None:
    """An error radius in metres; negative counts as unknown (some sensors write -1)."""
    value = metres(text, name)
    return None if value is None or value < 0.0 else value


@lru_cache(maxsize=256)
def iso_time(at_ms: int) -> str:
    """ISO 8601 with milliseconds and Z."""
    at = _EPOCH + at_ms * _MILLISECOND
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


_COMMAS = re.compile(r"[,;]+")
_COMMAS_AND_SPACES = re.compile(r"[,;\s]+")


def marking_of(access: str | None, caveat: str | None, releasable_to: str | None) -> Marking | None:
    """The marking of an event's three attributes; None = unmarked."""
    if access is not None and access.strip() in ("", "Undefined"):
        access = None
    if not (access or caveat or releasable_to):
        return None
    return Marking(
        access,
        tuple(word for part in _COMMAS.split(caveat or "") if (word := part.strip())),
        tuple(word for word in _COMMAS_AND_SPACES.split(releasable_to or "") if word),
    )


def flow_of(parts: Mapping[str, Part], children: Sequence[Element]) -> tuple[str, ...]:
    """Identities of the servers whose flow tags the event carries."""
    if "_flow-tags_" not in parts:
        return ()
    length = len(FLOW_PREFIX)
    return tuple(
        name[length:]
        for child in children
        if child.tag == "_flow-tags_"
        for name, _ in child.items()
        if name.startswith(FLOW_PREFIX)
    )


# --- reading --------------------------------------------------------------------------------------


def body_of(event: Event) -> Body | Control:
    """What an event says. Raises CodecError, and ValueError for a number out of range."""
    if not event.uid or len(event.uid) > UID_LENGTH_MAX:
        raise CodecError("missing" if not event.uid else "range", f"uid: 1 to {UID_LENGTH_MAX} characters")
    if not event.type or len(event.type) > TYPE_LENGTH_MAX:
        raise CodecError("type", f"type {event.type[:40]!r}: 1 to {TYPE_LENGTH_MAX} characters")
    read, category, sidc = _plan(event.type)
    return read(event, category, sidc)


_Reader = Callable[[Event, Category, str], Body | Control]


@lru_cache(maxsize=4096)
def _plan(cot_type: str) -> tuple[_Reader, Category, str]:
    """How a type is read, the category it has and its symbol."""
    if cot_type in CONTROLS:
        return _control, "marker", ""
    if cot_type == "b-t-f":
        return _note, "marker", ""
    if cot_type in _RECEIPT_STATES:
        return _receipt, "marker", ""
    if cot_type == "t-x-d-d":
        return _removal, "marker", ""
    sidc, _ = sidc_of_cot(cot_type)
    if cot_type.startswith("a-"):
        return _report, _category_of_atom(cot_type, sidc), sidc
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


def _report(event: Event, category: Category, sidc: str) -> Report:
    parts = event.parts
    name = motion = team = role = battery_pct = remarks = emergency = parent = None
    own = "takv" in parts
    fields: Mapping[str, str] = {}
    contact = parts.get("contact")
    if contact is not None:
        name = contact.get("callsign") or None
        own = own or contact.get("endpoint") is not None
    group = parts.get("__group")
    if group is not None:
        team = group.get("name") or None
        role = group.get("role") or None
    status = parts.get("status")
    if status is not None:
        battery_pct = _battery_pct(status.get("battery"))
    track = parts.get("track")
    if track is not None:
        motion = _motion(track.get("course"), track.get("speed"))
    if "remarks" in parts:
        remarks = _text(event, "remarks") or None
    if "emergency" in parts:
        emergency = _emergency(event)
    if "link" in parts:
        parent = _parent(event)
    if "__milsym" in parts:
        sidc = _milsym(parts["__milsym"].get("id"), sidc)
    if "usericon" in parts or "_medevac_" in parts:
        category, fields = _fields(event, category)
    return Report(
        entity=entity_id(SCHEME, event.uid),
        alias=Alias(SCHEME, event.uid),
        type=event.type,
        sidc=sidc,
        category=category,
        observed_at_ms=event.at_ms,
        stale_at_ms=event.stale_ms,
        name=name,
        how=event.how,
        own=own,
        position=_position(event),
        motion=motion,
        team=team,
        role=role,
        battery_pct=battery_pct,
        remarks=remarks,
        emergency=emergency,
        fields=fields,
        parent=parent,
        to=_to(event) if "marti" in parts else (),
    )


def _milsym(code: str | None, sidc: str) -> str:
    """The symbol that ATAK 5 names beside the type; the identity stays that of the type."""
    if code is None or not code.isascii():
        return sidc
    if code.isdigit() and len(code) in (20, 30):
        return sidc[:4] + code[4:20]
    if len(code) == 15 and code[0] == "S":
        return sidc[:4] + sidc_of_letters(code)[0][4:]
    return sidc


def _position(event: Event) -> Position | None:
    if event.lat_deg == 0.0 == event.lon_deg and event.ce_m is None:
        # TAK's way to say that there is no position; nobody shall be shown in the Gulf of Guinea
        # for it.
        return None
    return Position(event.lat_deg, event.lon_deg, event.hae_m, event.ce_m, event.le_m)


def _motion(course: str | None, speed: str | None) -> Motion | None:
    # A negative number is how phones (iOS) say unknown.
    course_deg = number(course, "course") if course else None
    speed_mps = number(speed, "speed") if speed else None
    if course_deg is not None and course_deg < 0.0:
        course_deg = None
    if speed_mps is not None and speed_mps < 0.0:
        speed_mps = None
    if course_deg is None and speed_mps is None:
        return None
    return Motion(course_deg, speed_mps)


def _battery_pct(text: str | None) -> int | None:
    """Per cent, or None: an odd battery is no reason to lose a position."""
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 3:
        return None
    value = int(text)
    return value if value <= 100 else None


def _child(event: Event, tag: str) -> Element | None:
    for child in event.children:
        if child.tag == tag:
            return child
    return None


def _text(event: Event, tag: str) -> str:
    child = _child(event, tag)
    return "" if child is None else child.text or ""


def _parent(event: Event) -> Alias | None:
    for child in event.children:
        if child.tag == "link" and child.get("relation") == "p-p":
            uid = child.get("uid")
            if uid and len(uid) <= UID_LENGTH_MAX:
                return Alias(SCHEME, uid)
    return None


ADDRESSEES_MAX: Final = 256
"""Of one statement."""


def _to(event: Event) -> tuple[Address, ...]:
    """The addressees of every marti/dest; one not understood is no reason to tell everybody."""
    to: list[Address] = []
    for child in event.children:
        if child.tag != "marti":
            continue
        for dest in child:
            if dest.tag != "dest":
                continue
            before = len(to)
            for name, value in dest.items():
                scheme = _ADDRESSES.get(name)
                if scheme is not None and value:
                    to.append(Address(scheme, value))
            if len(to) == before:
                raise CodecError("unsupported", "marti/dest: callsign, uid, group or mission is needed")
    if len(to) > ADDRESSEES_MAX:
        raise CodecError("elements", f"{len(to)} addressees: {ADDRESSEES_MAX} are allowed")
    return tuple(to)


_ADDRESSES: Final[dict[str, Literal["callsign", "uid", "group", "mission"]]] = {
    "callsign": "callsign",
    "uid": "uid",
    "group": "group",
    "mission": "mission",
    "mission-guid": "mission",
}

_EMERGENCIES: Final = {
    "b-a-o-tbl": "911 Alert",
    "b-a-o-pan": "Ring The Bell",
    "b-a-o-opn": "In Contact",
    "b-a-o-can": "Cancel Alert",
    "b-a-g": "Geo-fence Breached",
}


def _emergency(event: Event) -> Emergency | None:
    element = event.parts.get("emergency")
    if element is None and not event.type.startswith("b-a-"):
        return None
    kind = element.get("type") if element is not None else None
    cancelled = element is not None and element.get("cancel") == "true"
    return Emergency(
        kind or _EMERGENCIES.get(event.type, event.type),
        not (cancelled or event.type == "b-a-o-can" or kind == "Cancel Alert"),
    )


def _fields(event: Event, category: Category) -> tuple[Category, Mapping[str, str]]:
    """Structured detail: the icon of a marker, the lines of a MEDEVAC request."""
    fields: dict[str, str] = {}
    medevac = _child(event, "_medevac_")
    if medevac is not None:
        fields.update(medevac.items())
        for place, child in enumerate(_mists(medevac), start=1):
            fields.update((f"zMist{place}.{name}", value) for name, value in child.items())
        return "alert", fields
    icon = _child(event, "usericon")
    if icon is not None:
        path = fields["iconsetpath"] = icon.get("iconsetpath") or ""
        if category == "unit" and path and not path.startswith("COT_MAPPING_"):
            category = "marker"  # An icon of the user's own set says more than the a-u-G it stands on.
    color = event.parts.get("color")
    if color is not None:
        fields["color"] = color.get("argb") or color.get("value") or ""
    return category, fields


def _mists(medevac: Element) -> Iterator[Element]:
    for child in medevac:
        if child.tag == "zMistsMap":
            yield from child


def _marker(event: Event, category: Category, sidc: str) -> Report:
    report = _report(event, category, sidc)
    _, fields = _fields(event, category)
    return msgspec.structs.replace(report, fields=fields, own=False)


def _alert(event: Event, category: Category, sidc: str) -> Report:
    report = _report(event, category, sidc)
    return msgspec.structs.replace(report, emergency=_emergency(event), own=False)


def _medevac(event: Event, category: Category, sidc: str) -> Report:
    return msgspec.structs.replace(_report(event, category, sidc), own=False)


# --- drawings -------------------------------------------------------------------------------------


def _drawing(event: Event, category: Category, sidc: str) -> Report:
    report = _report(event, category, sidc)
    return msgspec.structs.replace(report, geometry=_geometry(event), own=False)


def _geometry(event: Event) -> Geometry | None:
    """The shape of a drawing; None when it has none that is understood (the original keeps it)."""
    parts = event.parts
    stroke = _css(parts.get("strokeColor", parts.get("color")))
    fill = _css(parts.get("fillColor"))
    centre = (event.lat_deg, event.lon_deg)
    if event.type.startswith("u-rb") and "range" in parts and "bearing" in parts:
        range_m = number(parts["range"].get("value"), "range")
        bearing_deg = number(parts["bearing"].get("value"), "bearing")
        return Geometry("line", (centre, _destination(centre, range_m, bearing_deg)), None, stroke, fill)
    shape = _child(event, "shape")
    if shape is not None:
        for child in shape:
            if child.tag == "ellipse":
                radius_m = number(child.get("major"), "major")
                return Geometry("circle", (_checked(centre),), radius_m, stroke, fill)
            if child.tag == "polyline":
                points = tuple(
                    _checked((number(at.get("lat"), "lat"), number(at.get("lon"), "lon")))
                    for at in child
                    if at.tag == "vertex"
                )
                closed = child.get("closed") == "true"
                return _closed(points, closed, stroke, fill) if points else None
    points = tuple(_point(text) for child in event.children if child.tag == "link" and (text := child.get("point")))
    if not points:
        return None
    if event.type == "b-m-r":
        return Geometry("route", points, None, stroke, fill)
    return _closed(points, event.type in ("u-d-r", "u-d-p"), stroke, fill)


def _closed(points: tuple[tuple[float, float], ...], closed: bool, stroke: str | None, fill: str | None) -> Geometry:
    """A polygon (its first point stands once) when it is said to be one or ends where it began."""
    if len(points) > 3 and points[0] == points[-1]:
        return Geometry("polygon", points[:-1], None, stroke, fill)
    return Geometry("polygon" if closed else "line", points, None, stroke, fill)


def _point(text: str) -> tuple[float, float]:
    """`lat,lon[,hae]` of a link."""
    lat, _, rest = text.partition(",")
    return _checked((number(lat, "point"), number(rest.partition(",")[0], "point")))


def _checked(point: tuple[float, float]) -> tuple[float, float]:
    if not (-90.0 <= point[0] <= 90.0 and -180.0 <= point[1] <= 180.0):
        raise CodecError("range", f"point {point[0]}, {point[1]}: lat -90..90 and lon -180..180 degrees")
    return point


_EARTH_RADIUS_M: Final = 6_371_008.8


def _destination(start: tuple[float, float], range_m: float, bearing_deg: float) -> tuple[float, float]:
    """Where a line of range and bearing ends, on a sphere (within 0.6 % of the range)."""
    lat, lon = (math.radians(angle) for angle in _checked(start))
    arc = range_m / _EARTH_RADIUS_M
    bearing = math.radians(bearing_deg)
    sine = math.sin(lat) * math.cos(arc) + math.cos(lat) * math.sin(arc) * math.cos(bearing)
    end_lat = math.asin(max(-1.0, min(1.0, sine)))
    turn = math.atan2(math.sin(bearing) * math.sin(arc) * math.cos(lat), math.cos(arc) - math.sin(lat) * sine)
    end_lon_deg = (math.degrees(lon + turn) + 540.0) % 360.0 - 180.0
    return round(math.degrees(end_lat), 7), round(end_lon_deg, 7)


def _range_and_bearing(start: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    """Range in metres and true bearing in degrees between two points, on the same sphere."""
    lat_a, lon_a, lat_b, lon_b = (math.radians(angle) for angle in (*start, *end))
    turn = lon_b - lon_a
    half = math.sin((lat_b - lat_a) / 2) ** 2
    half += math.cos(lat_a) * math.cos(lat_b) * math.sin(turn / 2) ** 2
    east = math.sin(turn) * math.cos(lat_b)
    north = math.cos(lat_a) * math.sin(lat_b) - math.sin(lat_a) * math.cos(lat_b) * math.cos(turn)
    range_m = 2 * _EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(half)))
    return range_m, math.degrees(math.atan2(east, north)) % 360.0


def _css(color: Part | None) -> str | None:
    """#rrggbb or #rrggbbaa of Android's signed ARGB number; None when there is none."""
    text = None if color is None else color.get("value") or color.get("argb")
    if text is None or not re.fullmatch(r"-?[0-9]{1,10}", text):
        return None
    argb = int(text) & 0xFFFFFFFF
    alpha = argb >> 24
    return f"#{argb & 0xFFFFFF:06x}" + ("" if alpha == 0xFF else f"{alpha:02x}")


def _argb(css: str) -> int | None:
    """Android's signed ARGB number of #rrggbb or #rrggbbaa; None for any other text."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?", css):
        return None
    value = (int(css[7:] or "ff", 16) << 24) | int(css[1:7], 16)
    return value - (1 << 32) if value & 0x80000000 else value


# --- words between people -------------------------------------------------------------------------

_RECEIPT_STATES: Final[dict[str, Literal["delivered", "read", "pending"]]] = {
    "b-t-f-d": "delivered",
    "b-t-f-r": "read",
    "b-t-f-p": "pending",
}


def _author_uid(event: Event, chat: Element | None) -> str | None:
    """Who writes: the p-p link, else first of the chat group, else named in the GeoChat uid."""
    parent = _parent(event)
    if parent is not None:
        return parent.value
    for child in chat if chat is not None else ():
        if child.tag == "chatgrp" and child.get("uid0"):
            return child.get("uid0")
    words = event.uid.split(".")
    return words[1] if words[0] == "GeoChat" and len(words) > 3 else None


def _note(event: Event, category: Category, sidc: str) -> Note:
    chat = _child(event, "__chat")
    author = _author_uid(event, chat)
    room = room_name = author_name = reference = None
    if chat is not None:
        room = chat.get("id")
        room_name = chat.get("chatroom")
        author_name = chat.get("senderCallsign")
        reference = chat.get("messageId")
    return Note(
        room=room or room_name or ALL_ROOM,
        text=_text(event, "remarks"),
        happened_at_ms=event.at_ms,
        author_name=author_name or None,
        author_alias=Alias(SCHEME, author) if author else None,
        reference=reference or event.uid,
        room_name=room_name or None,
        position=_position(event),
        to=_to(event) if "marti" in event.parts else (),
    )


def _receipt(event: Event, category: Category, sidc: str) -> Receipt:
    chat = _child(event, "__chatreceipt")
    if chat is None:
        chat = _child(event, "__chat")
    by = _author_uid(event, chat)
    return Receipt(
        reference=(chat.get("messageId") if chat is not None else None) or event.uid,
        state=_RECEIPT_STATES[event.type],
        happened_at_ms=event.at_ms,
        by=Alias(SCHEME, by) if by else None,
        to=_to(event) if "marti" in event.parts else (),
    )


def _removal(event: Event, category: Category, sidc: str) -> Removal:
    link = event.parts.get("link")
    uid = link.get("uid") if link is not None else None
    if not uid or len(uid) > UID_LENGTH_MAX:
        raise CodecError("missing", "t-x-d-d: detail/link@uid says what is gone")
    return Removal(
        entity=entity_id(SCHEME, uid),
        alias=Alias(SCHEME, uid),
        happened_at_ms=event.at_ms,
        to=_to(event) if "marti" in event.parts else (),
    )


def _foreign(event: Event, category: Category, sidc: str) -> Foreign:
    _position(event)  # Refuses what is out of range, so that nobody is sent it.
    return Foreign(
        alias=Alias(SCHEME, event.uid),
        type=event.type,
        happened_at_ms=event.at_ms,
        to=_to(event) if "marti" in event.parts else (),
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


_PREFIXES: Final[tuple[tuple[str, _Reader, Category], ...]] = (
    ("b-m-r", _drawing, "drawing"),
    ("u-d", _drawing, "drawing"),
    ("u-rb", _drawing, "drawing"),
    ("u-r-b", _drawing, "drawing"),
    ("b-a", _alert, "alert"),
    ("b-r-f-h-c", _medevac, "alert"),
    ("b-m-p", _marker, "marker"),
    ("b-i-x", _marker, "marker"),
    ("b-i-v", _marker, "marker"),
    ("b-l", _marker, "marker"),
    ("b-d", _marker, "marker"),
    ("b-w", _marker, "marker"),
)
"""What is no atom, by the beginning of its type; alarms, detections and weather are hazards."""


# --- writing --------------------------------------------------------------------------------------

STALE_DEFAULT_MS: Final = 24 * 3600 * 1000
_CHAT_STALE_MS: Final = 24 * 3600 * 1000
_NOTICE_STALE_MS: Final = 20_000
_HOW_DEFAULT: Final = "h-g-i-g-o"

_PLAIN = re.compile(r"[ !#-%(-;=?-~]*")
_SPECIAL = re.compile(r"[^ !#-%(-;=?-~]")
_ILLEGAL = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_MIST = re.compile(r"zMist([0-9]{1,3})\.([A-Za-z_][A-Za-z0-9_-]*)")


def escape(text: str) -> str:
    """Text as ASCII XML for attribute or element, without what XML cannot carry."""
    if _PLAIN.fullmatch(text):
        return text
    return _SPECIAL.sub(_reference, _ILLEGAL.sub("", text))


def carries(text: str) -> bool:
    """Whether XML can carry every character of text."""
    return _ILLEGAL.search(text) is None


def _reference(match: "re.Match[str]") -> str:
    return f"&#{ord(match[0])};"


def element(tag: str, attributes: Mapping[str, str | None], inner: str = "") -> str:
    """An element; attributes that are None are left out; inner is XML already."""
    head = tag + "".join(f' {key}="{escape(value)}"' for key, value in attributes.items() if value is not None)
    return f"<{head}>{inner}</{tag}>" if inner else f"<{head}/>"


def event_xml(
    *,
    uid: str,
    cot_type: str,
    at_ms: int,
    stale_ms: int,
    how: str,
    detail: str,
    point: str = '<point lat="0.0" lon="0.0" hae="9999999.0" ce="9999999.0" le="9999999.0"/>',
) -> bytes:
    """An event as ASCII XML without header; detail is the inside of <detail>."""
    at = iso_time(at_ms)
    head = (
        f'<event version="2.0" uid="{escape(uid)}" type="{escape(cot_type)}"'
        f' time="{at}" start="{at}" stale="{iso_time(min(stale_ms, TIME_MAX_MS - 1))}"'
        f' how="{escape(how)}">'
    )
    return f"{head}{point}<detail>{detail}</detail></event>".encode("ascii")


def write_event(body: Body) -> bytes:
    """The event that says what body says, without header and marking, or CodecError."""
    match body:
        case Report():
            return _write_report(body)
        case Note():
            return _write_note(body)
        case Removal():
            return _write_removal(body)
        case Receipt():
            return _write_receipt(body)
        case _:
            raise CodecError("unsupported", f"CoT cannot carry a {type(body).__name__}")


def uid_of(alias: Alias) -> str:
    """The CoT uid of an alias; a scheme other than cot and aquila stands in front (MMSI-247...)."""
    return alias.value if alias.scheme in (SCHEME, "aquila") else f"{alias.scheme.upper()}-{alias.value}"


def _write_report(report: Report) -> bytes:
    drawn = _write_geometry(report.geometry, report) if report.geometry is not None else ""
    position = report.position
    geometry = report.geometry
    if position is None and geometry is not None and geometry.shape != "route":
        # Clients anchor a shape at the event's point; ATAK itself writes none for a route.
        position = Position(*geometry.points[0]) if geometry.points else None
    stale_ms = report.stale_at_ms
    return event_xml(
        uid=uid_of(report.alias),
        cot_type=report.type,
        at_ms=report.observed_at_ms,
        stale_ms=report.observed_at_ms + STALE_DEFAULT_MS if stale_ms is None else stale_ms,
        how=report.how or _HOW_DEFAULT,
        point=_write_point(position),
        detail=_write_detail(report) + drawn + _write_marti(report.to),
    )


def _write_point(position: Position | None) -> str:
    if position is None:
        return '<point lat="0.0" lon="0.0" hae="9999999.0" ce="9999999.0" le="9999999.0"/>'
    hae, ce, le = (9999999.0 if value is None else value for value in (position.hae_m, position.ce_m, position.le_m))
    place = f'lat="{position.lat_deg!r}" lon="{position.lon_deg!r}"'
    return f'<point {place} hae="{hae!r}" ce="{ce!r}" le="{le!r}"/>'


def _write_detail(report: Report) -> str:
    """Everything but the shape and the addressees."""
    xml = ""
    if report.name is not None or report.own:
        # The endpoint is what makes a phone show the sender as a contact; "stcp" means: through
        # this server.
        endpoint = "*:-1:stcp" if report.own else None
        xml += element("contact", {"callsign": report.name, "endpoint": endpoint})
    if report.team is not None or report.role is not None:
        xml += element("__group", {"name": report.team, "role": report.role})
    if report.battery_pct is not None:
        xml += element("status", {"battery": str(report.battery_pct)})
    if report.motion is not None:
        course, speed = report.motion.course_deg, report.motion.speed_mps
        xml += element(
            "track",
            {
                "course": None if course is None else repr(course),
                "speed": None if speed is None else repr(speed),
            },
        )
    if report.sidc[4:] != sidc_of_cot(report.type)[0][4:]:
        xml += element("__milsym", {"id": report.sidc})
    if report.parent is not None:
        xml += element("link", {"uid": uid_of(report.parent), "type": "a-f-G", "relation": "p-p"})
    if report.emergency is not None:
        active = report.emergency.active
        named = {"type": report.emergency.type, "cancel": None if active else "true"}
        xml += element("emergency", named, escape(report.name or ""))
    if report.fields:
        xml += _write_fields(report)
    if report.category in ("marker", "drawing", "place"):
        xml += "<archive/>"
    if report.remarks is not None:
        xml += element("remarks", {}, escape(report.remarks))
    return xml


def _write_fields(report: Report) -> str:
    if report.type.startswith("b-r-f-h-c"):
        mists: dict[int, dict[str, str | None]] = {}
        lines: dict[str, str | None] = {}
        for key, value in report.fields.items():
            mist = _MIST.fullmatch(key)
            if mist is not None:
                mists.setdefault(int(mist[1]), {})[mist[2]] = value
            elif _NAME.fullmatch(key):
                lines[key] = value
        inner = "".join(element("zMist", mists[place]) for place in sorted(mists))
        return element("_medevac_", lines, element("zMistsMap", {}, inner) if inner else "")
    xml = ""
    if "iconsetpath" in report.fields:
        xml += element("usericon", {"iconsetpath": report.fields["iconsetpath"]})
    if "color" in report.fields:
        xml += element("color", {"argb": report.fields["color"]})
    return xml


def _write_geometry(geometry: Geometry, report: Report) -> str:
    colors = ""
    for tag, css in (("strokeColor", geometry.stroke), ("fillColor", geometry.fill)):
        argb = None if css is None else _argb(css)
        if argb is not None:
            colors += element(tag, {"value": str(argb)})
    if geometry.shape == "circle":
        radius_text = repr(float(geometry.radius_m or 0.0))
        ellipse = element("ellipse", {"major": radius_text, "minor": radius_text, "angle": "360"})
        return element("shape", {}, ellipse) + colors
    if report.type.startswith("u-rb") and len(geometry.points) == 2:
        range_m, bearing_deg = _range_and_bearing(*geometry.points)
        line = element("range", {"value": repr(range_m)})
        return line + element("bearing", {"value": repr(bearing_deg)}) + colors
    points = [f"{lat!r},{lon!r}" for lat, lon in geometry.points]
    if geometry.shape == "route":
        uid = uid_of(report.alias)
        links = "".join(
            element(
                "link",
                {
                    "uid": f"{uid}-{place}",
                    "callsign": f"CP{place}",
                    "type": "b-m-p-w",
                    "point": point,
                    "relation": "c",
                },
            )
            for place, point in enumerate(points, start=1)
        )
        way = {"method": "Walking", "routetype": "Primary", "order": "Ascending Check Points"}
        return links + element("link_attr", {"color": "-1", "prefix": "CP", **way}) + colors
    if geometry.shape == "polygon" and report.type not in ("u-d-r", "u-d-p"):
        points += points[:1]
    return "".join(element("link", {"point": point}) for point in points) + colors


def _write_marti(to: tuple[Address, ...]) -> str:
    if not to:
        return ""
    return element("marti", {}, "".join(element("dest", {address.scheme: address.value}) for address in to))


_TEAMS: Final = frozenset(
    {
        "White", "Yellow", "Orange", "Magenta", "Red", "Maroon", "Purple",
        "Dark Blue", "Blue", "Cyan", "Teal", "Green", "Dark Green", "Brown",
    }
)  # fmt: skip


def _write_note(note: Note) -> bytes:
    """GeoChat. ATAK files a line by `id`, shows `chatroom`, and answers receipts to `messageId`."""
    sender = uid_of(note.author_alias) if note.author_alias is not None else "Aquila"
    name = note.author_name or sender
    reference = note.reference or statement_id(
        "note", f"{note.room}\0{sender}", note.happened_at_ms, note.text.encode("utf-8", "replace")
    )
    at = iso_time(note.happened_at_ms)
    group = {"id": note.room, "uid0": sender, "uid1": note.room}
    chat = element(
        "__chat",
        {
            "parent": "TeamGroups" if note.room in _TEAMS else "RootContactGroup",
            "groupOwner": "false",
            "chatroom": note.room_name or note.room,
            "id": note.room,
            "senderCallsign": name,
            "messageId": reference,
        },
        element("chatgrp", group),
    )
    remarks = {"source": f"BAO.F.ATAK.{sender}", "to": note.room, "time": at}
    return event_xml(
        uid=f"GeoChat.{sender}.{note.room}.{reference}"[:UID_LENGTH_MAX],
        cot_type="b-t-f",
        at_ms=note.happened_at_ms,
        stale_ms=note.happened_at_ms + _CHAT_STALE_MS,
        how=_HOW_DEFAULT,
        point=_write_point(note.position),
        detail=chat
        + element("link", {"uid": sender, "type": "a-f-G-U-C", "relation": "p-p"})
        + element("remarks", remarks, escape(note.text))
        + _write_marti(note.to),
    )


def _write_removal(removal: Removal) -> bytes:
    gone = uid_of(removal.alias)
    return event_xml(
        uid=statement_id("removal", gone, removal.happened_at_ms, b""),
        cot_type="t-x-d-d",
        at_ms=removal.happened_at_ms,
        stale_ms=removal.happened_at_ms + _NOTICE_STALE_MS,
        how=_HOW_DEFAULT,
        point='<point lat="0" lon="0" hae="0" ce="9999999" le="9999999"/>',
        detail=element("link", {"uid": gone, "relation": "none", "type": "none"})
        + "<__forcedelete/>"
        + _write_marti(removal.to),
    )


def _write_receipt(receipt: Receipt) -> bytes:
    by = uid_of(receipt.by) if receipt.by is not None else None
    types = {state: cot_type for cot_type, state in _RECEIPT_STATES.items()}
    link = "" if by is None else element("link", {"uid": by, "type": "a-f-G-U-C", "relation": "p-p"})
    return event_xml(
        uid=receipt.reference[:UID_LENGTH_MAX],
        cot_type=types[receipt.state],
        at_ms=receipt.happened_at_ms,
        stale_ms=receipt.happened_at_ms + _CHAT_STALE_MS,
        how=_HOW_DEFAULT,
        detail=element("__chatreceipt", {"messageId": receipt.reference, "senderCallsign": by})
        + link
        + _write_marti(receipt.to),
    )
