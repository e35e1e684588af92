"""The shared run: what was published in one tick, joined once for every view of it, and the batches cut from it."""

from collections.abc import Iterator, Sequence

from aquila.core.contacts import LinkId
from aquila.core.fanout.outbound import Outbound
from aquila.core.model import Context, Label

JOINED_BYTES_MAX = 32 << 10
"""What a sender gets without its own runs is copied into one piece while the pieces are no longer than this."""


class LabelClass:
    """A label in a context, known by one bit, so that what an audience may see of a tick is two integers."""

    __slots__ = ("bit", "context", "label")

    def __init__(self, bit: int, label: Label, context: Context) -> None:
        self.bit = bit
        self.label = label
        self.context = context


class Sent:
    """An outbound with its running number and the forms it was encoded in, each made once."""

    __slots__ = ("forms", "links", "marking", "number", "outbound", "source", "statement")

    def __init__(self, number: int, marking: LabelClass, outbound: Outbound, links: tuple[LinkId, ...] | None) -> None:
        self.number = number
        self.marking = marking
        self.outbound = outbound
        self.source = outbound.source
        self.statement = outbound.statement or links is not None
        self.links = links
        self.forms: dict[int, bytes] = {}


def number(item: Sent) -> int:
    """In which order it was published."""
    return item.number


def is_stale(item: Sent, now_ms: int) -> bool:
    """Is nobody to be told any more?"""
    stale_at_ms = item.outbound.stale_at_ms
    return stale_at_ms is not None and stale_at_ms <= now_ms


Piece = tuple[bytes, Sent | None]
"""One whole statement as bytes; None in place of the statement = a reply of the protocol, which is never taken back."""
Span = tuple[int, int, int, int]
"""Where a sender's own run stands in a shared buffer: first and last byte, first and last piece."""


def number_of(piece: Piece) -> int:
    """In which order the statement of a piece was published; 0 for a reply."""
    return 0 if piece[1] is None else piece[1].number


class Batch:
    """Bytes to be written to some links at once, always ending at a boundary between statements.

    Attributes:
        links: who gets it. parts: the bytes, in order. size: how many. count: statements and states in it.
    """

    __slots__ = ("_forms", "_items", "_spans", "count", "links", "parts", "since", "size")

    def __init__(
        self,
        links: Sequence[LinkId],
        parts: Sequence[bytes | memoryview],
        forms: Sequence[bytes],
        items: Sequence[Sent | None],
        since: int,
        spans: Sequence[Span] = (),
    ) -> None:
        self.links = links
        self.parts = parts
        self.size = sum(map(len, parts))
        self.since = since
        self._forms = forms
        self._items = items
        self._spans = spans
        self.count = len(forms) - sum(stop - start for _, _, start, stop in spans)

    @property
    def data(self) -> bytes:
        """The bytes in one piece."""
        whole = b"".join(self.parts)
        self.parts = (whole,)
        return whole

    def pieces(self) -> Iterator[Piece]:
        """The statements that the data is made of, in order."""
        at = 0
        for _, _, start, stop in self._spans:
            yield from zip(self._forms[at:start], self._items[at:start], strict=True)
            at = stop
        yield from zip(self._forms[at:], self._items[at:], strict=True)


class Shared:
    """The buffer that every audience with the same view of this tick gets."""

    __slots__ = ("data", "forms", "items", "redacted_count", "spans", "statements", "states")

    def __init__(self) -> None:
        self.data = b""
        self.forms: list[bytes] = []
        self.items: list[Sent] = []
        self.spans: dict[LinkId, list[Span]] = {}
        self.statements: list[Sent] = []
        self.states = 0
        self.redacted_count = 0


def part_for(link: LinkId, shared: Shared, since: int) -> Batch | None:
    """The shared buffer as one link gets it; None = there is nothing in it for this link."""
    if link in shared.spans:
        return without(link, shared, since)
    return Batch((link,), (shared.data,), shared.forms, shared.items, since) if shared.data else None


def without(link: LinkId, shared: Shared, since: int) -> Batch | None:
    """The shared buffer without the runs that this link sent itself; None = nothing is left."""
    spans = shared.spans[link]
    whole = memoryview(shared.data)
    parts: list[bytes | memoryview] = []
    at = 0
    for start, stop, _, _ in spans:
        if start > at:
            parts.append(whole[at:start])
        at = stop
    if at < len(whole):
        parts.append(whole[at:])
    if not parts:
        return None
    if len(parts) > 1 and len(whole) <= JOINED_BYTES_MAX * len(parts):
        # One write of a copy costs less than several writes.
        parts = [b"".join(parts)]
    return Batch((link,), parts, shared.forms, shared.items, since, spans)
