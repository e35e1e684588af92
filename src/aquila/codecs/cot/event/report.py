"""Reports: positions, markers, alerts, requests for evacuation."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from aquila.codecs.cot.event.parts import SCHEME, Element, Event, addressees_of, child_of, parent_of, text_of
from aquila.codecs.cot.event.values import number
from aquila.core.ids import entity_id
from aquila.core.model import Alias, Category, Emergency, Motion, Position, Report
from aquila.core.symbol import sidc_of_letters
from aquila.core.unseen import seen


def read_report(event: Event, category: Category, sidc: str) -> Report:
    """An atom, and what every other report is made from."""
    parts = event.parts
    names = parts.keys()
    name = motion = team = role = battery_pct = remarks = emergency = parent = None
    own = "takv" in names
    fields: Mapping[str, str] = {}
    contact = parts.get("contact")
    if contact is not None:
        name = seen(contact.get("callsign") or "") or None
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
    if "remarks" in names:
        remarks = text_of(event, "remarks") or None
    if "emergency" in names:
        emergency = _emergency(event)
    if "link" in names:
        parent = parent_of(event)
    if "__milsym" in names:
        sidc = _milsym(parts["__milsym"].get("id"), sidc)
    if "usericon" in names or "_medevac_" in names:
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
        position=position_of(event),
        motion=motion,
        team=team,
        role=role,
        battery_pct=battery_pct,
        remarks=remarks,
        emergency=emergency,
        fields=fields,
        parent=parent,
        to=addressees_of(event) if "marti" in names else (),
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


def position_of(event: Event) -> Position | None:
    """The place; None = the event says that it has none. Raises ValueError for numbers out of range."""
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
    medevac = child_of(event, "_medevac_")
    if medevac is not None:
        fields.update(medevac.items())
        for place, child in enumerate(_mists(medevac), start=1):
            fields.update((f"zMist{place}.{name}", value) for name, value in child.items())
        return "alert", fields
    icon = child_of(event, "usericon")
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


def read_marker(event: Event, category: Category, sidc: str) -> Report:
    """A mark on the map, with its icon and colour."""
    report = read_report(event, category, sidc)
    _, fields = _fields(event, category)
    return msgspec.structs.replace(report, fields=fields, own=False)


def read_alert(event: Event, category: Category, sidc: str) -> Report:
    """A call for help, or its end."""
    report = read_report(event, category, sidc)
    return msgspec.structs.replace(report, emergency=_emergency(event), own=False)


def read_medevac(event: Event, category: Category, sidc: str) -> Report:
    """A request for medical evacuation, with its lines."""
    return msgspec.structs.replace(read_report(event, category, sidc), own=False)
