"""Offer of a file that lies on the node (`b-f-t-r`), as ATAK makes it when a data package is sent to a contact."""

from collections.abc import Iterable
from typing import Final

import msgspec

from aquila.codecs.cot.event import element, event_xml

_TYPE: Final = "b-f-t-r"
_STALE_MS: Final = 600_000
_NAME_LENGTH_MAX: Final = 200


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What is offered.

    Attributes:
        uid: of the offer; the receiver's answer (`b-f-t-a`) names it.
        name: as people call it. filename: as it is stored; see `plain_name`.
        sha256, size_bytes: of its bytes. url: where a device fetches them.
        sender_uid, callsign: whom the answer goes to.
    """

    uid: str
    name: str
    filename: str
    sha256: str
    size_bytes: int
    url: str
    sender_uid: str
    callsign: str


def plain_name(name: str, otherwise: str) -> str:
    """A file name that every file system takes, made of any name; `otherwise` when nothing of it is left."""
    plain = "".join(char if char.isalnum() or char in "-_ .()" else "_" for char in name).strip(". ")
    return plain[:_NAME_LENGTH_MAX] or otherwise


def offer_event(offer: Offer, to_uids: Iterable[str], now_ms: int) -> bytes:
    """The event as XML, addressed to these clients."""
    share = element(
        "fileshare",
        {
            "filename": offer.filename,
            "name": offer.name,
            "senderCallsign": offer.callsign,
            "senderUid": offer.sender_uid,
            "senderUrl": offer.url,
            "sha256": offer.sha256,
            "sizeInBytes": str(offer.size_bytes),
            "peerHosted": "false",
        },
    )
    receipt = element("ackrequest", {"uid": offer.uid, "ackrequested": "true", "tag": offer.name})
    to = element("marti", {}, "".join(element("dest", {"uid": uid}) for uid in to_uids))
    detail = share + receipt + to
    return event_xml(uid=offer.uid, cot_type=_TYPE, at_ms=now_ms, stale_ms=now_ms + _STALE_MS, how="h-e", detail=detail)
