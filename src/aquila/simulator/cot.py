"""Cursor on Target as ATAK 5 writes it: one function for each kind of document.

Facts about the format only; every document is opex="e", an exercise.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import Final

from msgspec import Struct

from aquila.simulator.scenario import ALL_CHAT_ROOMS, Colour, MedevacAsked

HEADER: Final = "<?xml version='1.0' encoding='UTF-8' standalone='yes'?>\n"

UNKNOWN_M: Final = "9999999.0"
"""What ATAK writes for an error or a height that it does not know."""

DAY_MS: Final = 86_400_000
PING_STALE_MS: Final = 10_000
STALE_MS_MIN: Final = 75_000
"""Shortest validity of a position; three report intervals when that is longer."""

ARGB: Final[dict[Colour, int]] = {
    "red": -65_536,
    "orange": -35_072,
    "yellow": -256,
    "green": -16_711_936,
    "cyan": -16_711_681,
    "blue": -16_776_961,
    "white": -1,
}
"""Colours as TAK writes them: a signed 32-bit number, alpha first."""

TAKV: Final[dict[str, str]] = {
    "phone": "<takv device='SAMSUNG SM-G736B' os='34' platform='ATAK-CIV' version='5.5.1.8'/>",
    "tablet": "<takv device='SAMSUNG SM-T636B' os='34' platform='ATAK-CIV' version='5.5.1.8'/>",
    "desk": "<takv device='Laptop' os='Windows 11' platform='WinTAK-CIV' version='5.4.0.150'/>",
}


class Client(Struct, frozen=True):
    """Who sends: what every document of a client repeats."""

    uid: str
    callsign: str
    cot_type: str
    team: str
    role: str
    device: str
    sidc: str | None = None


class Spot(Struct, frozen=True):
    """Where a document is anchored."""

    lat_deg: float
    lon_deg: float
    hae_m: float | None
    """None = unknown."""
    course_deg: float = 0.0
    speed_mps: float = 0.0


class Patient(Struct, frozen=True):
    """The request for medical evacuation with its texts filled in."""

    uid: str
    title: str
    lines: MedevacAsked


def position(client: Client, spot: Spot, at_ms: int, report_s: float, battery: int) -> bytes:
    """A client's own position report."""
    return _event(
        client.uid,
        client.cot_type,
        "m-g",
        spot,
        at_ms,
        max(STALE_MS_MIN, int(3_000 * report_s)),
        f"{TAKV[client.device]}"
        f"<contact callsign='{_q(client.callsign)}' endpoint='*:-1:stcp'/>"
        f"<uid Droid='{_q(client.callsign)}'/>"
        "<precisionlocation altsrc='GPS' geopointsrc='GPS'/>"
        f"<__group name='{_q(client.team)}' role='{_q(client.role)}'/>"
        f"<status battery='{battery}'/>{_milsym(client.sidc)}"
        f"<track course='{spot.course_deg:.1f}' speed='{spot.speed_mps:.2f}'/>",
        ce_m=GPS_CE_M,
        le_m=GPS_LE_M,
    )


def sighting(seen: Client, by: Client, spot: Spot, at_ms: int, report_s: float, remarks: str) -> bytes:
    """The position of something that carries no TAK client, reported by one that does."""
    return _event(
        seen.uid,
        seen.cot_type,
        "m-r",
        spot,
        at_ms,
        max(STALE_MS_MIN, int(3_000 * report_s)),
        f"<contact callsign='{_q(seen.callsign)}'/>{_parent(by)}{_milsym(seen.sidc)}"
        f"<remarks>{_t(remarks)}</remarks>"
        f"<track course='{spot.course_deg:.1f}' speed='{spot.speed_mps:.2f}'/>",
        ce_m=GPS_CE_M,
        le_m=GPS_LE_M,
    )


def ping(uid: str, at_ms: int) -> bytes:
    """The question of a client whether the server is there."""
    return _event(f"{uid}-ping", "t-x-c-t", "m-g", NOWHERE, at_ms, PING_STALE_MS, "")


def chat(sender: Client, spot: Spot, at_ms: int, chat_id: str, text: str, to: "Room") -> bytes:
    """A GeoChat line."""
    members = "".join(f" uid{i}='{_q(uid)}'" for i, uid in enumerate(to.member_uids, start=1))
    dests = "".join(f"<dest callsign='{_q(name)}'/>" for name in to.callsigns)
    return _event(
        f"GeoChat.{sender.uid}.{to.key}.{chat_id}",
        "b-t-f",
        "h-g-i-g-o",
        spot,
        at_ms,
        DAY_MS,
        f"<__chat parent='{to.parent}' groupOwner='false' messageId='{chat_id}' "
        f"chatroom='{_q(to.name)}' id='{_q(to.key)}' senderCallsign='{_q(sender.callsign)}'>"
        f"<chatgrp uid0='{_q(sender.uid)}'{members} id='{_q(to.key)}'/></__chat>"
        f"<link uid='{_q(sender.uid)}' type='{sender.cot_type}' relation='p-p'/>"
        f"<remarks source='BAO.F.ATAK.{_q(sender.uid)}' to='{_q(to.key)}' time='{_time(at_ms)}'>"
        f"{_t(text)}</remarks>" + (f"<marti>{dests}</marti>" if dests else ""),
    )


def receipt(by: Client, spot: Spot, at_ms: int, cot_type: str, reference: str, room: str) -> bytes:
    """A chat line has come to this device (`b-t-f-d`), or was opened on it (`b-t-f-r`)."""
    return _event(
        reference,
        cot_type,
        "h-g-i-g-o",
        spot,
        at_ms,
        DAY_MS,
        f"<__chatreceipt parent='RootContactGroup' groupOwner='false' messageId='{_q(reference)}' "
        f"chatroom='{_q(room)}' id='{_q(room)}' senderCallsign='{_q(by.callsign)}'>"
        f"<chatgrp uid0='{_q(by.uid)}' uid1='{_q(room)}' id='{_q(room)}'/></__chatreceipt>"
        f"<link uid='{_q(by.uid)}' type='{by.cot_type}' relation='p-p'/>",
    )


class Room(Struct, frozen=True):
    """Where a chat line goes: everyone, a team, or one client."""

    key: str
    name: str
    parent: str
    member_uids: tuple[str, ...]
    callsigns: tuple[str, ...]
    """Addressees for the server; empty = everyone."""


EVERYONE: Final = Room(ALL_CHAT_ROOMS, ALL_CHAT_ROOMS, "RootContactGroup", (ALL_CHAT_ROOMS,), ())


def team_room(team: str, members: Sequence[Client]) -> Room:
    """The chat room of a team colour."""
    return Room(
        key=team,
        name=team,
        parent="TeamGroups",
        member_uids=tuple(member.uid for member in members),
        callsigns=tuple(member.callsign for member in members),
    )


def direct(to: Client) -> Room:
    """A line to one client only."""
    return Room(to.uid, to.callsign, "RootContactGroup", (to.uid,), (to.callsign,))


def marker(uid: str, name: str, cot_type: str, by: Client, spot: Spot, at_ms: int, look: "Look") -> bytes:
    """A point marker; with remarks it is a note on the map."""
    argb = ARGB[look.colour]
    return _event(
        uid,
        cot_type,
        "h-g-i-g-o",
        spot,
        at_ms,
        DAY_MS,
        f"<status readiness='true'/><archive/>{_parent(by)}<contact callsign='{_q(name)}'/>"
        f"<remarks>{_t(look.remarks)}</remarks><color argb='{argb}'/>"
        "<precisionlocation altsrc='DTED0'/>"
        + (f"<usericon iconsetpath='COT_MAPPING_SPOTMAP/b-m-p-s-m/{argb}'/>" if cot_type == "b-m-p-s-m" else ""),
    )


class Look(Struct, frozen=True):
    """Colour and words of a marker or drawing."""

    colour: Colour
    remarks: str = ""


def line(uid: str, name: str, points: Sequence[tuple[float, float]], by: Client, at_ms: int, look: Look) -> bytes:
    """A free-form line; it is an area when the first point comes again at the end."""
    return _shape(uid, "u-d-f", name, points, by, at_ms, look)


def box(uid: str, name: str, points: Sequence[tuple[float, float]], by: Client, at_ms: int, look: Look) -> bytes:
    """A rectangle, given by its four corners in order."""
    return _shape(uid, "u-d-r", name, points, by, at_ms, look)


def route(uid: str, name: str, places: Sequence[Spot], by: Client, at_ms: int, method: str, colour: Colour) -> bytes:
    """A planned route; its checkpoints carry the height."""
    last = len(places) - 1
    links = "".join(
        f"<link uid='{_q(uid)}-{i}' callsign='{_checkpoint(name, i, last)}' type='b-m-p-w' "
        f"point='{_point(place)}' remarks='' "
        "relation='c'/>"
        for i, place in enumerate(places)
    )
    return _event(
        uid,
        "b-m-r",
        "h-e",
        places[0],
        at_ms,
        DAY_MS,
        f"{links}<link_attr planningmethod='Infil' color='{ARGB[colour]}' method='{method}' "
        "prefix='CP' type='On Foot' stroke='3' direction='Infil' routetype='Primary' "
        "order='Ascending Check Points'/>"
        f"<contact callsign='{_q(name)}'/>{_parent(by)}<remarks/><archive/>"
        f"<strokeColor value='{ARGB[colour]}'/><strokeWeight value='3.0'/>"
        "<__routeinfo><__navcues/></__routeinfo><labels_on value='false'/>",
    )


def alert(client: Client, spot: Spot, at_ms: int) -> bytes:
    """The emergency beacon of a client is on."""
    return _event(
        f"{client.uid}-9-1-1",
        "b-a-o-tbl",
        "m-g",
        spot,
        at_ms,
        DAY_MS,
        f"<link uid='{_q(client.uid)}' type='{client.cot_type}' relation='p-p'/>"
        f"<contact callsign='{_q(client.callsign)}-Alert'/>"
        f"<emergency type='911 Alert'>{_t(client.callsign)}</emergency>",
        ce_m=GPS_CE_M,
        le_m=GPS_LE_M,
    )


def alert_over(client: Client, spot: Spot, at_ms: int) -> bytes:
    """The emergency beacon of a client is off."""
    return _event(
        f"{client.uid}-9-1-1",
        "b-a-o-can",
        "m-g",
        spot,
        at_ms,
        PING_STALE_MS,
        f"<link uid='{_q(client.uid)}' type='{client.cot_type}' relation='p-p'/>"
        f"<contact callsign='{_q(client.callsign)}-Alert'/>"
        f"<emergency cancel='true'>{_t(client.callsign)}</emergency>",
        ce_m=GPS_CE_M,
        le_m=GPS_LE_M,
    )


def medevac(patient: Patient, by: Client, spot: Spot, at_ms: int) -> bytes:
    """A nine-line request, whole: a receiver clears what an update leaves out."""
    return _event(
        patient.uid,
        "b-r-f-h-c",
        "h-g-i-g-o",
        spot,
        at_ms,
        DAY_MS,
        f"{_parent(by)}<contact callsign='{_q(patient.title)}'/>{_nine_lines(patient)}"
        f"<remarks>{_t(patient.lines.remarks)}</remarks><archive/>"
        "<precisionlocation altsrc='GPS' geopointsrc='GPS'/>",
        ce_m=GPS_CE_M,
        le_m=GPS_LE_M,
    )


def removal(uid: str, gone_uid: str, gone_type: str, at_ms: int) -> bytes:
    """Take something off every map."""
    return _event(
        uid,
        "t-x-d-d",
        "h-g-i-g-o",
        NOWHERE,
        at_ms,
        20_000,
        f"<link uid='{_q(gone_uid)}' type='{gone_type}' relation='p-p'/><__forcedelete/>",
    )


GPS_CE_M: Final = "5.0"
GPS_LE_M: Final = "9.0"
NOWHERE: Final = Spot(0.0, 0.0, 0.0)
"""Anchor of documents that are about no place."""


def _event(
    uid: str,
    cot_type: str,
    how: str,
    spot: Spot,
    at_ms: int,
    stale_ms: int,
    detail: str,
    *,
    ce_m: str = UNKNOWN_M,
    le_m: str = UNKNOWN_M,
) -> bytes:
    at = _time(at_ms)
    hae = UNKNOWN_M if spot.hae_m is None else f"{spot.hae_m:.1f}"
    return (
        f"{HEADER}<event version='2.0' uid='{_q(uid)}' type='{cot_type}' time='{at}' "
        f"start='{at}' stale='{_time(at_ms + stale_ms)}' how='{how}' access='Undefined' opex='e'>"
        f"<point lat='{spot.lat_deg:.7f}' lon='{spot.lon_deg:.7f}' hae='{hae}' "
        f"ce='{ce_m}' le='{le_m}'/><detail>{detail}</detail></event>"
    ).encode()


def _shape(
    uid: str,
    cot_type: str,
    name: str,
    points: Sequence[tuple[float, float]],
    by: Client,
    at_ms: int,
    look: Look,
) -> bytes:
    corners = points[:-1] if points[0] == points[-1] else points
    middle = Spot(
        sum(lat for lat, _ in corners) / len(corners),
        sum(lon for _, lon in corners) / len(corners),
        None,
    )
    links = "".join(f"<link point='{lat:.7f},{lon:.7f}'/>" for lat, lon in points)
    argb = ARGB[look.colour]
    fill = argb & 0x00FF_FFFF | 0x2600_0000  # The same colour at 15 % opacity.
    filled = cot_type == "u-d-r" or points[0] == points[-1]
    return _event(
        uid,
        cot_type,
        "h-e",
        middle,
        at_ms,
        DAY_MS,
        f"{links}<contact callsign='{_q(name)}'/>{_parent(by)}"
        f"<strokeColor value='{argb}'/><strokeWeight value='3.0'/><strokeStyle value='solid'/>"
        + (f"<fillColor value='{fill}'/>" if filled else "")
        + f"<remarks>{_t(look.remarks)}</remarks><archive/><labels_on value='true'/>",
    )


def _nine_lines(patient: Patient) -> str:
    lines = patient.lines
    texts = {
        "title": patient.title,
        "casevac": "false",
        "freq": lines.frequency,
        "urgent": str(lines.urgent),
        "priority": str(lines.priority),
        "routine": str(lines.routine),
        "hoist" if lines.hoist else "equipment_none": "true",
        "litter": str(lines.litter),
        "ambulatory": str(lines.ambulatory),
        "security": str(lines.security),
        "hlz_marking": str(lines.marking),
        "us_military": "0",
        "us_civilian": "0",
        "nonus_military": str(lines.coalition_patients),
        "nonus_civilian": "0",
        "epw": "0",
        "child": "0",
        "terrain_rough" if lines.rough_terrain else "terrain_none": "true",
        "hlz_remarks": lines.landing_zone,
        "obstacles": lines.obstacles,
        "winds_are_from": lines.wind_from,
        "medline_remarks": lines.remarks,
    }
    attributes = " ".join(f"{name}='{_q(text)}'" for name, text in texts.items())
    return (
        f"<_medevac_ {attributes}><zMistsMap><zMist title='ZMIST1' z='{_q(patient.title)}' "
        f"m='{_q(lines.mechanism)}' i='{_q(lines.injuries)}' s='{_q(lines.signs)}' "
        f"t='{_q(lines.treatment)}'/></zMistsMap></_medevac_>"
    )


def _parent(by: Client) -> str:
    """Who made it, the link that ATAK adds to markers and drawings."""
    return f"<link uid='{_q(by.uid)}' parent_callsign='{_q(by.callsign)}' type='{by.cot_type}' relation='p-p'/>"


def _milsym(sidc: str | None) -> str:
    return f"<__milsym id='{sidc}'/>" if sidc else ""


def _checkpoint(name: str, i: int, last: int) -> str:
    """Only the ends and every inner checkpoint with a number have a name."""
    if i == 0:
        return f"{_q(name)} SP"
    return "VDO" if i == last else f"CP{i}"


def _point(spot: Spot) -> str:
    """Latitude, longitude and height where known, as in a link of a route."""
    height = "" if spot.hae_m is None else f",{spot.hae_m:.1f}"
    return f"{spot.lat_deg:.7f},{spot.lon_deg:.7f}{height}"


def _time(at_ms: int) -> str:
    whole = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


def _q(text: str) -> str:
    """Text for an attribute in single quotes."""
    return escape(text, quote=True)


def _t(text: str) -> str:
    """Text for an element."""
    return escape(text, quote=False)
