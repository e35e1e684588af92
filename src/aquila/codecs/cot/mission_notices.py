"""Notices about missions: what a TAK server tells those who follow one, as CoT events t-x-m-*."""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from aquila.codecs.cot.event import element, escape, event_xml, iso_time

NoticeKind = Literal[
    "CREATE",
    "DELETE",
    "CHANGE",
    "LOG",
    "KEYWORD",
    "UID_KEYWORD",
    "RESOURCE_KEYWORD",
    "METADATA",
    "EXTERNAL_DATA",
    "MISSION_LAYER",
    "INVITE",
    "ROLE",
]
TYPES: Final[Mapping[NoticeKind, str]] = {
    "CREATE": "t-x-m-n",
    "DELETE": "t-x-m-d",
    "CHANGE": "t-x-m-c",
    "LOG": "t-x-m-c-l",
    "KEYWORD": "t-x-m-c-k",
    "UID_KEYWORD": "t-x-m-c-k-u",
    "RESOURCE_KEYWORD": "t-x-m-c-k-c",
    "METADATA": "t-x-m-c-m",
    "EXTERNAL_DATA": "t-x-m-c-e",
    "MISSION_LAYER": "t-x-m-c-h",
    "INVITE": "t-x-m-i",
    "ROLE": "t-x-m-r",
}
"""What is told -> type of the event."""
_HOW: Final = "h-g-i-g-o"
_NO_POINT: Final = '<point ce="9999999" le="9999999" hae="0" lat="0" lon="0"/>'
_STALE_MS: Final = 20_000


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """A file that came or went. submitted_at_ms: UTC."""

    hash: str
    name: str
    mime_type: str
    size_bytes: int
    submitter: str
    submitted_at_ms: int
    uid: str
    creator_uid: str


class NoticeChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change.

    Attributes:
        type: ADD_CONTENT, REMOVE_CONTENT, CREATE_MISSION ...
        content_uid: the entity that came or went; resource: the file; at most one of them.
        cot_type, callsign, lat_deg, lon_deg: of the entity; None = not known, or not for this reader.
        is_federated: it came from another node.
    """

    type: str
    at_ms: int
    creator_uid: str
    content_uid: str | None = None
    resource: Resource | None = None
    cot_type: str | None = None
    callsign: str | None = None
    lat_deg: float | None = None
    lon_deg: float | None = None
    is_federated: bool = False


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a mission.

    Attributes:
        author_uid: the client that did it.
        token, role, permissions: of an invitation or a role.
    """

    kind: NoticeKind
    name: str
    guid: str
    author_uid: str
    tool: str = "public"
    changes: tuple[NoticeChange, ...] = ()
    token: str | None = None
    role: str | None = None
    permissions: tuple[str, ...] = ()


def notice(told: Notice, now_ms: int, notice_uid: str) -> bytes:
    """The event, ASCII XML without a header; notice_uid is fresh.

    Receivers of ATAK hold 65,535 bytes of one event: whoever tells of many changes makes several notices.
    """
    attributes = {
        # Clients know no ROLE: the official server says INVITE as well.
        "type": "INVITE" if told.kind == "ROLE" else told.kind,
        "tool": told.tool,
        "name": told.name,
        "guid": told.guid,
        "authorUid": told.author_uid,
        "token": told.token,
    }
    inner = _role(told) if told.role is not None else ""
    if told.changes:
        inner += "<MissionChanges>" + "".join(_change(told, each) for each in told.changes) + "</MissionChanges>"
    return event_xml(
        uid=notice_uid,
        cot_type=TYPES[told.kind],
        at_ms=now_ms,
        stale_ms=now_ms + _STALE_MS,
        how=_HOW,
        point=_NO_POINT,
        detail=element("mission", attributes, inner),
    )


def _role(told: Notice) -> str:
    permissions = "".join(element("permissions", {"type": each}) for each in told.permissions)
    return element("role", {"type": told.role}, permissions)


def _change(told: Notice, change: NoticeChange) -> str:
    """Everything is an element but details and location."""
    parts = [] if change.content_uid is None else [_text("contentUid", change.content_uid)]
    if change.resource is not None:
        parts.append(_resource(change.resource))
    parts += [
        _text("creatorUid", change.creator_uid),
        _text("isFederatedChange", "true" if change.is_federated else "false"),
        _text("missionName", told.name),
        _text("missionGuid", told.guid),
        _text("timestamp", iso_time(change.at_ms)),
        _text("type", change.type),
    ]
    if change.cot_type is not None:
        place = ""
        if change.lat_deg is not None and change.lon_deg is not None:
            place = element("location", {"lat": repr(change.lat_deg), "lon": repr(change.lon_deg)})
        parts.append(element("details", {"type": change.cot_type, "callsign": change.callsign}, place))
    return "<MissionChange>" + "".join(parts) + "</MissionChange>"


def _resource(resource: Resource) -> str:
    parts = {
        "creatorUid": resource.creator_uid,
        "expiration": "-1",
        "groupVector": "",
        "hash": resource.hash,
        "mimeType": resource.mime_type,
        "name": resource.name,
        "size": str(resource.size_bytes),
        "submissionTime": iso_time(resource.submitted_at_ms),
        "submitter": resource.submitter,
        "uid": resource.uid,
    }
    inside = "".join(_text(tag, text) for tag, text in parts.items() if text)
    return f"<contentResource>{inside}</contentResource>"


def _text(tag: str, text: str) -> str:
    return f"<{tag}>{escape(text)}</{tag}>"
