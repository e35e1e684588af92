"""Log: a view of the newest lines of the staff log (room LOG_ROOM), in the order of their stamps."""

import msgspec

from aquila.core.model import LOG_ROOM, Arrival, Context, Entry, Label, Note, Stamp

LINES_MAX = 500


class LogLine(msgspec.Struct, frozen=True, array_like=True):
    """One line that somebody wrote into the staff log."""

    stamp: Stamp
    id: str
    author: str
    label: Label
    context: Context
    happened_at_ms: int
    text: str


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(list[LogLine])


class Log:
    """The newest LINES_MAX log lines. What was written is in the journal for good; this is what a desk opens with."""

    name = "log"
    version = 1
    hears_positions = False

    def __init__(self) -> None:
        self._lines: dict[str, LogLine] = {}

    def fold(self, arrival: Arrival) -> None:
        """See View."""
        if not isinstance(arrival, Entry):
            return
        body, envelope = arrival.body, arrival.envelope
        if not isinstance(body, Note) or body.room != LOG_ROOM or envelope.id in self._lines:
            return
        self._lines[envelope.id] = LogLine(
            envelope.stamp,
            envelope.id,
            envelope.author,
            envelope.label,
            envelope.context,
            body.happened_at_ms,
            body.text,
        )
        if len(self._lines) > LINES_MAX:
            del self._lines[min(self._lines, key=lambda each: self._lines[each].stamp)]

    def snapshot(self) -> bytes:
        """See View."""
        return _encoder.encode(self.lines())

    def restore(self, data: bytes) -> None:
        """See View."""
        self._lines = {line.id: line for line in _decoder.decode(data)}

    def lines(self) -> list[LogLine]:
        """All lines, the oldest first."""
        return sorted(self._lines.values(), key=lambda line: line.stamp)
