"""Presence: a view of who has spoken of itself: name, team, how and when it was last heard, and under which marking.

Who is connected at this moment is asked of the live links; the journal only says when somebody left.
"""

from typing import Any

import msgspec

from aquila.codecs.cot import convert
from aquila.codecs.cot.xml import read_event
from aquila.core.errors import CodecError
from aquila.core.model import Act, Arrival, Context, Entry, Label, Original, Report, Sample, Stamp

UIDS_MAX = 20_000
"""Newest uids that are remembered, over all contexts."""
ORIGINAL_BYTES_MAX = 4_096
"""A device's own report is a quarter of this; a larger one is not kept in memory."""
LEFT_MAX = 20_000
SLACK = 1_000
"""Trimmed in batches; the snapshot holds exactly the maximum."""
LINK_DOWN = "link.down"

Via = tuple[str, str, str]
"""Node, link there, and who was at its other end: link numbers begin anew when a node restarts."""


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """What a device said last of itself.

    Attributes:
        author: principal that said it. via: link it came by. at_ms: when it was heard, UTC.
    """

    stamp: Stamp
    uid: str
    callsign: str | None
    author: str
    via: str
    label: Label
    context: Context
    at_ms: int
    team: str | None
    role: str | None
    battery_pct: int | None
    type: str

    @property
    def link(self) -> Via:
        """The link it came by, as other nodes and other days can tell it apart."""
        return (self.stamp.node, self.via, self.author)


class Left(msgspec.Struct, frozen=True, array_like=True):
    """When and why a link ended."""

    stamp: Stamp
    at_ms: int
    reason: str


class Software(msgspec.Struct, frozen=True, kw_only=True):
    """What a client says it is (`takv`); empty = not said."""

    platform: str = ""
    version: str = ""
    device: str = ""
    os: str = ""


class _State(msgspec.Struct, array_like=True):
    seen: list[Seen]
    left: list[tuple[Via, Left]]


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(_State)


class Presence:
    """The view. The newest by stamp stay, so any order of arrival gives the same state."""

    name = "presence"
    version = 2

    def __init__(self) -> None:
        self._seen: dict[tuple[Context, str], Seen] = {}
        self._left: dict[Via, Left] = {}
        # No part of the state: read on demand, since nearly nobody asks and everybody reports once a second.
        self._originals: dict[tuple[Context, str], Original] = {}

    def fold(self, arrival: Arrival) -> None:
        """See View."""
        if isinstance(arrival, Sample):
            if arrival.report.own:
                self._hear(arrival.report, arrival, arrival.stamp)
        elif isinstance(arrival, Entry):
            body = arrival.body
            if isinstance(body, Report):
                if body.own:
                    self._hear(body, arrival.envelope, arrival.envelope.stamp, arrival.original)
            elif isinstance(body, Act) and body.action == LINK_DOWN:
                stamp, detail = arrival.envelope.stamp, body.detail
                left = Left(stamp, body.happened_at_ms, detail.get("reason", ""))
                self._leave((stamp.node, detail.get("link", ""), body.target), left)

    def _hear(self, report: Report, said: Any, stamp: Stamp, original: Original | None = None) -> None:
        """Take a report that is newer than what is known. `said`: a Sample or an Envelope; they name the rest alike."""
        key = (said.context, report.alias.value)
        known = self._seen.get(key)
        if known is not None and stamp <= known.stamp:
            return
        self._seen[key] = Seen(
            stamp,
            report.alias.value,
            report.name,
            said.author,
            said.via,
            said.label,
            said.context,
            said.received_at_ms,
            report.team,
            report.role,
            report.battery_pct,
            report.type,
        )
        original = original or getattr(said, "original", None)
        if original is not None and len(original.data) <= ORIGINAL_BYTES_MAX:
            self._originals[key] = original
        if len(self._seen) > UIDS_MAX + SLACK:
            self._trim()

    def _leave(self, link: Via, left: Left) -> None:
        known = self._left.get(link)
        if known is None or left.stamp > known.stamp:
            self._left[link] = left
        if len(self._left) > LEFT_MAX + SLACK:
            self._trim()

    def _trim(self) -> None:
        if len(self._seen) > UIDS_MAX:
            newest = sorted(self._seen, key=lambda key: self._seen[key].stamp)[-UIDS_MAX:]
            self._seen = {key: self._seen[key] for key in newest}
            self._originals = {key: self._originals[key] for key in newest if key in self._originals}
        if len(self._left) > LEFT_MAX:
            latest = sorted(self._left, key=lambda link: self._left[link].stamp)[-LEFT_MAX:]
            self._left = {link: self._left[link] for link in latest}

    def snapshot(self) -> bytes:
        """See View."""
        self._trim()
        seen = [self._seen[key] for key in sorted(self._seen)]
        return _encoder.encode(_State(seen, sorted(self._left.items())))

    def restore(self, data: bytes) -> None:
        """See View."""
        state = _decoder.decode(data)
        self._seen = {(seen.context, seen.uid): seen for seen in state.seen}
        self._left = dict(state.left)
        self._originals = {}

    # -- reading ----------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._seen)

    def seen(self) -> list[Seen]:
        """Everybody, the one heard last first. A copy: it may be walked in another thread."""
        seen = list(self._seen.values())
        seen.sort(key=lambda each: each.stamp, reverse=True)
        return seen

    def named(self, context: Context, callsign: str) -> list[Seen]:
        """The devices that called themselves so when they were heard last."""
        return [seen for seen in self._seen.values() if seen.callsign == callsign and seen.context == context]

    def uid_of(self, context: Context, callsign: str) -> str | None:
        """The device that was heard last under this callsign; None = nobody was."""
        named = self.named(context, callsign)
        return max(named, key=lambda seen: seen.stamp).uid if named else None

    def last_ms(self, seen: Seen) -> int:
        """When this device was last heard, or left after that."""
        left = self._left_after(seen)
        return seen.at_ms if left is None else max(seen.at_ms, left.at_ms)

    def reason(self, seen: Seen) -> str:
        """Why the link ended by which this device was last heard; empty = no end of it is known."""
        left = self._left_after(seen)
        return "" if left is None else left.reason

    def _left_after(self, seen: Seen) -> Left | None:
        left = self._left.get(seen.link)
        return left if left is not None and left.stamp > seen.stamp else None

    def software(self, seen: Seen) -> Software:
        """What the device last said it runs; all empty after a restart of the node, until it speaks again."""
        original = self._originals.get((seen.context, seen.uid))
        return Software() if original is None else software_of(original)


def software_of(original: Original) -> Software:
    """What stands in the `takv` of an event; all empty when there is none."""
    try:
        event, _ = read_event(convert(original, "cot-xml"))
    except CodecError:
        return Software()
    said = next((child for child in event.children if child.tag == "takv"), None)
    if said is None:
        return Software()
    return Software(**{name: (said.get(name) or "")[:200] for name in ("platform", "version", "device", "os")})
