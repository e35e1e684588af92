"""The event that says what a body says, for one that was born here or redacted."""

import re
from typing import Final

from aquila.codecs.cot.event.drawing import BULLSEYE, range_and_bearing
from aquila.codecs.cot.event.markup import element, escape, event_xml
from aquila.codecs.cot.event.parts import SCHEME, UID_LENGTH_MAX
from aquila.codecs.cot.event.talk import RECEIPT_STATES
from aquila.codecs.cot.event.values import iso_time
from aquila.core.colours import argb_of_css
from aquila.core.errors import CodecError
from aquila.core.ids import statement_id
from aquila.core.model import Address, Alias, Body, Geometry, Note, Position, Receipt, Removal, Report
from aquila.core.symbol import sidc_of_cot

STALE_DEFAULT_MS: Final = 24 * 3600 * 1000
_CHAT_STALE_MS: Final = 24 * 3600 * 1000
_NOTICE_STALE_MS: Final = 20_000
_HOW_DEFAULT: Final = "h-g-i-g-o"


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_MIST = re.compile(r"zMist([0-9]{1,3})\.([A-Za-z_][A-Za-z0-9_-]*)")


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
        argb = None if css is None else argb_of_css(css)
        if argb is not None:
            colors += element(tag, {"value": str(argb)})
    if report.type == BULLSEYE and geometry.shape == "circle":
        return _write_bullseye(geometry, report) + colors
    if geometry.shape == "circle":
        radius_text = repr(float(geometry.radius_m or 0.0))
        ellipse = element("ellipse", {"major": radius_text, "minor": radius_text, "angle": "360"})
        return element("shape", {}, ellipse) + colors
    if report.type.startswith("u-rb") and len(geometry.points) == 2:
        range_m, bearing_deg = range_and_bearing(*geometry.points)
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


def _write_bullseye(geometry: Geometry, report: Report) -> str:
    """As ATAK writes it; clients of before the compass had an item of its own want a second uid."""
    fields = report.fields
    rings = fields.get("rings", "0")
    shown = "false" if rings == "0" else "true"
    radius_text = repr(float(geometry.radius_m or 0.0))
    said: dict[str, str | None] = {
        "bullseyeUID": f"{uid_of(report.alias)}.COMPAT",
        "title": report.name or "",
        "distance": radius_text,
        "distanceUnits": "m",
        "bearingRef": fields.get("bearing_ref", "T"),
        "mils": "false",
        "edgeToCenter": fields.get("inward", "false"),
        "hasRangeRings": shown,
        "rangeRingVisible": shown,
        "ringDist": fields.get("ring_m", radius_text) if shown == "true" else "0.0",
        "ringNum": rings,
    }
    return element("bullseye", said)


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
    types = {state: cot_type for cot_type, state in RECEIPT_STATES.items()}
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
