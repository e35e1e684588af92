"""Chat: a view of the rooms, their newest lines, and how far each line was delivered and read."""

from collections.abc import Callable, Iterable

import msgspec

from aquila.core.model import (
    LOG_ROOM,
    Address,
    Arrival,
    Context,
    Entry,
    Label,
    Note,
    Receipt,
    Stamp,
    Verdict,
)
from aquila.core.policy import Decision

LINES_MAX = 200
"""Lines kept per room."""
ALL_LINES_MAX = 20_000
"""Lines kept over all rooms: a peer can open as many rooms as it likes."""
RECEIPTS_MAX = 20_000
SLACK = 1_000
"""Trimmed in batches; the snapshot holds exactly the maximum."""
RANK = {"pending": 0, "delivered": 1, "read": 2}

RoomKey = tuple[Context, str]


class ChatLine(msgspec.Struct, frozen=True, array_like=True):
    """One line in a room."""

    stamp: Stamp
    id: str
    author: str
    author_name: str | None
    label: Label
    context: Context
    happened_at_ms: int
    room: str
    room_name: str | None
    text: str
    reference: str | None
    to: tuple[Address, ...]


class Said(msgspec.Struct, frozen=True, array_like=True):
    """When a receipt was given, and under which marking."""

    stamp: Stamp
    label: Label
    context: Context


class _State(msgspec.Struct, array_like=True):
    lines: list[ChatLine]
    receipts: list[tuple[str, str, str, Said]]


May = Callable[[Label, Context], Decision]


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(_State)


class Chat:
    """Rooms with their newest lines. The newest by stamp stay, so any order of arrival gives the same state."""

    name = "chat"
    version = 1
    hears_positions = False

    def __init__(self) -> None:
        self._rooms: dict[RoomKey, dict[str, ChatLine]] = {}
        self._line_count = 0
        # (reference, who, state) -> newest stamp. States are kept apart: merging them before trimming would make the
        # result depend on the order of arrival.
        self._receipts: dict[tuple[str, str, str], Said] = {}

    def fold(self, arrival: Arrival) -> None:
        """See View."""
        if not isinstance(arrival, Entry):
            return
        body, envelope = arrival.body, arrival.envelope
        if isinstance(body, Note) and body.room != LOG_ROOM:
            line = ChatLine(
                envelope.stamp,
                envelope.id,
                envelope.author,
                body.author_name,
                envelope.label,
                envelope.context,
                body.happened_at_ms,
                body.room,
                body.room_name,
                body.text,
                body.reference,
                body.to,
            )
            self._keep_line(line)
        elif isinstance(body, Receipt):
            who = body.by.value if body.by is not None else envelope.author
            said = Said(envelope.stamp, envelope.label, envelope.context)
            self._keep_receipt((body.reference, who, body.state), said)

    def _keep_line(self, line: ChatLine) -> None:
        room = self._rooms.setdefault((line.context, line.room), {})
        self._line_count += line.id not in room
        room[line.id] = line
        if len(room) > LINES_MAX:
            del room[min(room, key=lambda each: room[each].stamp)]
            self._line_count -= 1
        if self._line_count > ALL_LINES_MAX + SLACK:
            self._trim()

    def _keep_receipt(self, key: tuple[str, str, str], said: Said) -> None:
        known = self._receipts.get(key)
        if known is None or said.stamp > known.stamp:
            self._receipts[key] = said
        if len(self._receipts) > RECEIPTS_MAX + SLACK:
            self._trim()

    def _trim(self) -> None:
        """Keep the newest lines over all rooms and the newest receipts."""
        lines = [line for room in self._rooms.values() for line in room.values()]
        if len(lines) > ALL_LINES_MAX:
            lines.sort(key=lambda line: line.stamp)
            for line in lines[:-ALL_LINES_MAX]:
                key = (line.context, line.room)
                del self._rooms[key][line.id]
                if not self._rooms[key]:
                    del self._rooms[key]
            self._line_count = ALL_LINES_MAX
        if len(self._receipts) > RECEIPTS_MAX:
            newest = sorted(self._receipts, key=lambda each: self._receipts[each].stamp)
            newest = newest[-RECEIPTS_MAX:]
            self._receipts = {key: self._receipts[key] for key in newest}

    def snapshot(self) -> bytes:
        """See View."""
        self._trim()
        lines = [line for key in sorted(self._rooms) for line in self.lines(*key)]
        receipts = [(*key, self._receipts[key]) for key in sorted(self._receipts)]
        return _encoder.encode(_State(lines, receipts))

    def restore(self, data: bytes) -> None:
        """See View."""
        state = _decoder.decode(data)
        self._rooms, self._line_count = {}, len(state.lines)
        for line in state.lines:
            self._rooms.setdefault((line.context, line.room), {})[line.id] = line
        self._receipts = {(reference, who, word): said for reference, who, word, said in state.receipts}

    def rooms(self) -> list[RoomKey]:
        """(context, room) of all, the one with the newest line first."""
        return sorted(self._rooms, key=lambda each: _last(self._rooms[each]), reverse=True)

    def lines(self, context: Context, room: str) -> list[ChatLine]:
        """The lines of a room, the oldest first; empty when there is none."""
        return sorted(self._rooms.get((context, room), {}).values(), key=lambda line: line.stamp)

    def receipts(self, references: Iterable[str | None], may: May) -> dict[str | None, dict[str, str]]:
        """Who got the lines with these references, as far as a reader may know: name -> delivered, read or pending.

        One pass for all of them: one pass for each of 200 lines over 20,000 receipts held the loop for 2.5 s.
        """
        found: dict[str | None, dict[str, str]] = {reference: {} for reference in references}
        for (of, who, state), said in self._receipts.copy().items():
            states = found.get(of)
            if states is None or RANK[state] < RANK.get(states.get(who, ""), 0):
                continue
            if may(said.label, said.context).verdict is Verdict.FULL:
                states[who] = state
        return found


def _last(room: dict[str, ChatLine]) -> Stamp:
    return max(line.stamp for line in room.values())
