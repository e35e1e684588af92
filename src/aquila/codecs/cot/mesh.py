"""Mesh: CoT in datagrams, as TAK devices without a server send it to each other.

In: XML, or TAK protocol version 1 behind a mesh header (0xBF, version, 0xBF). Out: XML, which every peer reads: one
XML-only peer on a mesh forces XML on all (protocol.txt, section on mesh negotiation), and we cannot know them all.
"""

import re
from collections.abc import Iterator
from typing import Final, Literal

from aquila.codecs.cot.proto import MAGIC, ProtoDecoder, framed
from aquila.codecs.cot.xml import HEADER, XmlDecoder
from aquila.core.codec import Control, Decoded
from aquila.core.errors import CodecError

DATAGRAM_BYTES_MAX: Final = 65_507
PROTO_VERSION: Final = 1
Channel = Literal["situation", "chat"]
"""Positions and all else, or chat: they have groups of their own."""

_EVENT = re.compile(rb"<event[\s>].*?</event>", re.DOTALL)
_CHAT = re.compile(rb"""<event[^>]*\stype=["']b-t-f""")


def read_datagram(data: bytes) -> Iterator[Decoded | Control | CodecError]:
    """What one datagram says; a broken or half event is an error, and nothing of it waits for the next one."""
    if data[:1] != bytes((MAGIC,)):
        decoder = XmlDecoder()
        found = decoder.read(data)
        if not found:
            found = [CodecError("syntax", "a datagram holds no whole event")]
        return iter(found)
    if len(data) < 4 or data[2] != MAGIC:
        return iter((CodecError("syntax", "a mesh frame begins with 0xbf, its version, 0xbf"),))
    if data[1] != PROTO_VERSION:
        return iter((CodecError("unsupported", f"mesh protocol version {data[1]}: 1 is read here"),))
    try:
        frames = ProtoDecoder().read(framed(data[3:]))
    except CodecError as error:
        return iter((error,))
    return iter(frames or [CodecError("syntax", "a mesh frame holds no whole event")])


def datagrams(stream: bytes) -> Iterator[tuple[Channel, bytes]]:
    """The events of a stream of XML as datagrams, each with the channel that it belongs to.

    One that is larger than a datagram is left out: the caller compares counts if it wants to know.
    """
    for found in _EVENT.finditer(stream):
        event = found.group()
        if len(HEADER) + len(event) <= DATAGRAM_BYTES_MAX:
            yield "chat" if _CHAT.match(event) else "situation", HEADER + event
