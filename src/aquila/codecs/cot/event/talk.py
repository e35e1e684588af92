"""What people say to each other: GeoChat lines and their receipts."""

from typing import Final, Literal

from aquila.codecs.cot.event.parts import SCHEME, Element, Event, addressees_of, child_of, parent_of, text_of
from aquila.codecs.cot.event.report import position_of
from aquila.core.model import ALL_ROOM, Alias, Category, Note, Receipt

RECEIPT_STATES: Final[dict[str, Literal["delivered", "read", "pending"]]] = {
    "b-t-f-d": "delivered",
    "b-t-f-r": "read",
    "b-t-f-p": "pending",
}


def _author_uid(event: Event, chat: Element | None) -> str | None:
    """Who writes: the p-p link, else first of the chat group, else named in the GeoChat uid."""
    parent = parent_of(event)
    if parent is not None:
        return parent.value
    for child in chat if chat is not None else ():
        if child.tag == "chatgrp" and child.get("uid0"):
            return child.get("uid0")
    words = event.uid.split(".")
    return words[1] if words[0] == "GeoChat" and len(words) > 3 else None


def read_note(event: Event, category: Category, sidc: str) -> Note:
    """A GeoChat line."""
    chat = child_of(event, "__chat")
    author = _author_uid(event, chat)
    room = room_name = author_name = reference = None
    if chat is not None:
        room = chat.get("id")
        room_name = chat.get("chatroom")
        author_name = chat.get("senderCallsign")
        reference = chat.get("messageId")
    return Note(
        room=room or room_name or ALL_ROOM,
        text=text_of(event, "remarks"),
        happened_at_ms=event.at_ms,
        author_name=author_name or None,
        author_alias=Alias(SCHEME, author) if author else None,
        reference=reference or event.uid,
        room_name=room_name or None,
        position=position_of(event),
        to=addressees_of(event) if "marti" in event.parts else (),
    )


def read_receipt(event: Event, category: Category, sidc: str) -> Receipt:
    """A GeoChat receipt."""
    chat = child_of(event, "__chatreceipt")
    if chat is None:
        chat = child_of(event, "__chat")
    by = _author_uid(event, chat)
    return Receipt(
        reference=(chat.get("messageId") if chat is not None else None) or event.uid,
        state=RECEIPT_STATES[event.type],
        happened_at_ms=event.at_ms,
        by=Alias(SCHEME, by) if by else None,
        to=addressees_of(event) if "marti" in event.parts else (),
    )
