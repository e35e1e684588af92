"""Codec: pure translation between the bytes of one wire format and bodies. Never touches a socket, a clock or a file.

A decoder keeps the state of one stream. It yields bodies *or CodecError values*: one bad event never ends a good
stream, the link logs, counts and goes on. When the stream cannot be followed any further (framing lost, limit
exceeded), the decoder says `broken = True` and the link closes.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

import msgspec

from aquila.core.errors import CodecError
from aquila.core.model import Body, Label


class Decoded(msgspec.Struct, frozen=True):
    """One body read from a stream, and the bytes it was read from.

    Attributes:
        body: what was said.
        original: the bytes of exactly this statement, fit to be re-sent in this format.
        label: the marking that travelled with it, if any, as the codec's own words; None = unmarked.
        flow: identities of nodes that have relayed it already (loop guard).
    """

    body: Body
    original: bytes
    label: "Marking | None" = None
    flow: tuple[str, ...] = ()


class Marking(msgspec.Struct, frozen=True):
    """A marking as a wire format carries it, before policy has read it: free words, None = not said."""

    classification: str | None = None
    caveats: tuple[str, ...] = ()
    releasable_to: tuple[str, ...] = ()


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """What an encoder gets: the body, its marking, and the original bytes when the reader may have all of it.

    Attributes:
        body: already redacted when the reader may have only that.
        label: what the reader is told of its marking.
        now_ms: time of sending, for formats that need one.
        original: bytes of the same format, to be re-sent with every unknown element; None = write anew from the body.
        flow: our node's identity, added as the flow tag.
    """

    body: Body
    label: Label
    now_ms: int
    original: bytes | None = None
    flow: str | None = None


class Decoder(Protocol):
    """The state of one incoming stream."""

    broken: bool

    def feed(self, data: bytes) -> Iterator["Decoded | CodecError"]:
        """Take bytes as they came, cut anywhere; give what is complete."""
        ...


class Codec(msgspec.Struct, frozen=True):
    """One wire format.

    Attributes:
        name: the word in settings and counters, for instance `cot-xml`.
        decoder: makes the state of one stream.
        encode: bytes of one statement, or raises CodecError for a body that the format cannot carry.
    """

    name: str
    decoder: Callable[[], Decoder] | None
    encode: Callable[[Outgoing], bytes] | None


class Control(msgspec.Struct, frozen=True):
    """Something a peer said to this connection only; never journalled, never relayed.

    Attributes:
        kind: short stable word (ping, protocol, subscribe, metrics ...), for counters.
        reply: bytes to send back on this connection, before anything else that waits.
        switched_to: name of the outgoing format from right after `reply` on; None = unchanged.
        fields: what the peer said, as far as anybody needs it.
    """

    kind: str
    reply: bytes = b""
    switched_to: str | None = None
    fields: tuple[tuple[str, str], ...] = ()


class Session(Protocol):
    """One conversation with a peer, without I/O: framing, format switch and pings in, immediate replies out.

    A transport feeds it and writes what it answers; it knows neither sockets nor time (now_ms is passed in).
    """

    format: str
    """Name of the outgoing format at this moment."""

    @property
    def broken(self) -> bool:
        """Can the incoming bytes be followed no further? Then the link closes."""
        ...

    def greeting(self, now_ms: int) -> bytes:
        """Bytes to offer at connect, after the latest positions (the offer to switch the format)."""
        ...

    def receive(self, data: bytes, now_ms: int) -> Iterator["Decoded | Control | CodecError"]:
        """Take bytes as they came; give what is complete."""
        ...
