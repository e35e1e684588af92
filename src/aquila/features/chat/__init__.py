"""Chat: rooms and their lines, from phones and screens alike."""

from collections.abc import Iterator
from typing import Annotated

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, Feature, Labelled, Query, Reading, check_text
from aquila.core.model import ALL_ROOM, LOG_ROOM, Address, Alias, Context, Note, Principal, Verdict
from aquila.core.view import view_of
from aquila.features.chat.view import Chat, ChatLine

TEXT_MAX = 4000
Room = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class AskRooms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All rooms that hold a line the asker may have."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 200


class AskLines(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The newest lines of a room."""

    room: Room = ALL_ROOM
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 200


class RoomRow(msgspec.Struct, frozen=True, kw_only=True):
    """A room and the newest line in it that the asker may have."""

    room: str
    room_name: str | None
    context: Context
    last_text: str
    last_author_name: str | None
    last_happened_at_ms: int


class LineRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line. `receipts`: who got it -> delivered, read or pending."""

    id: str
    room: str
    text: str
    author: str
    author_name: str | None
    happened_at_ms: int
    reference: str | None
    to: tuple[Address, ...]
    receipts: dict[str, str]


class NewLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line to be said. `to`: callsigns; none = everyone in the room."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_MAX)]
    room: Room = ALL_ROOM
    to: Annotated[
        tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=200)], ...], msgspec.Meta(max_length=100)
    ] = ()

    def __post_init__(self) -> None:
        check_text("text", self.text)
        check_text("room", self.room)
        for name in self.to:
            check_text("to", name)


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """The journal entry, and the reference that receipts will name."""

    entry: str
    reference: str


def _chat_of(reading: Reading) -> Chat:
    return view_of(reading.views, "chat", Chat)


def _rooms(principal: Principal, ask: AskRooms, reading: Reading) -> Iterator[Labelled]:
    chat = _chat_of(reading)
    for context, room in chat.rooms():
        for line in reversed(chat.lines(context, room)):
            # The newest line that the asker may have speaks for the room: others do not even show that it exists.
            if reading.release(line.label, line.context).verdict is Verdict.FULL:
                yield Labelled(_room_row(line), line.label, line.context)
                break


def _room_row(line: ChatLine) -> RoomRow:
    return RoomRow(
        room=line.room,
        room_name=line.room_name,
        context=line.context,
        last_text=line.text,
        last_author_name=line.author_name,
        last_happened_at_ms=line.happened_at_ms,
    )


def _lines(principal: Principal, ask: AskLines, reading: Reading) -> Iterator[Labelled]:
    chat = _chat_of(reading)
    rows = [
        line
        for line in chat.lines(principal.context, ask.room)
        if reading.release(line.label, line.context).verdict is Verdict.FULL
    ]
    rows = rows[-ask.limit :]
    receipts = chat.receipts((line.reference for line in rows), reading.release)
    for line in rows:
        row = LineRow(
            id=line.id,
            room=line.room,
            text=line.text,
            author=line.author,
            author_name=line.author_name,
            happened_at_ms=line.happened_at_ms,
            reference=line.reference,
            to=line.to,
            receipts=receipts[line.reference],
        )
        yield Labelled(row, line.label, line.context)


async def say(principal: Principal, ask: NewLine, desk: Desk) -> Said | Refused:
    """Write a chat line, as the asker. Addressees are callsigns, because phones know people by nothing else."""
    if ask.room == LOG_ROOM:
        return Refused("room", f"room {LOG_ROOM!r} is the staff log: write a note instead, or name another room")
    reference = desk.new_id()
    note = Note(
        room=ask.room,
        text=ask.text,
        happened_at_ms=desk.now_ms(),
        author_name=principal.name,
        author_alias=Alias("aquila", principal.id),
        reference=reference,
        room_name=ask.room,
        to=tuple(Address("callsign", name) for name in ask.to),
    )
    written = await desk.write(note)
    if isinstance(written, Refused):
        return written
    return Said(entry=written.envelope.id, reference=reference)


feature = Feature(
    name="chat",
    views=(Chat,),
    queries=(
        Query(
            name="rooms",
            path="/chat/rooms",
            request=AskRooms,
            row=RoomRow,
            role="viewer",
            answer=_rooms,
            summary="Chat rooms, the one with the newest line first",
        ),
        Query(
            name="lines",
            path="/chat/lines",
            request=AskLines,
            row=LineRow,
            role="viewer",
            answer=_lines,
            summary="The newest lines of a room, with receipts",
        ),
    ),
    commands=(
        Command(
            name="say",
            method="POST",
            path="/chat",
            request=NewLine,
            answer=Said,
            role="operator",
            act=say,
            summary="Say a line in a room or to callsigns",
        ),
    ),
)

__all__ = ["Chat", "ChatLine", "LineRow", "NewLine", "RoomRow", "Said", "feature", "say"]
