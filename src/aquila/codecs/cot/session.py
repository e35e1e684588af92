"""The conversation on a TAK stream, without I/O: greeting, the switch from XML to protobuf, pings.

S and T numbers in the comments are the rules of README.md, section "The stream".
"""

from collections.abc import Callable, Iterator
from typing import Final

from aquila.codecs.cot.event import element, event_xml
from aquila.codecs.cot.notices import pong
from aquila.codecs.cot.proto import MAGIC, ProtoDecoder, convert
from aquila.codecs.cot.xml import HEADER, Read, XmlDecoder
from aquila.core.codec import Control, Decoded
from aquila.core.errors import CodecError
from aquila.core.model import Original

XML: Final = "cot-xml"
PROTO: Final = "tak-v1"
PROTO_VERSION: Final = "1"

_CONTROL_POINT: Final = "<point lat='0.0' lon='0.0' hae='0.0' ce='999999' le='999999'/>"
_OFFER_MS: Final = 60_000
_MAGIC: Final = bytes((MAGIC,))


class TakSession:
    """One connection of a TAK client: XML both ways, then protobuf when the client asks.

    Attributes:
        format: name of the outgoing format at this moment, cot-xml or tak-v1.
        broken: the incoming bytes cannot be followed any further; the link closes.
        node_id: our identity in flow tags.
    """

    def __init__(self, server_version: str, node_id: str, ids: Callable[[], str]) -> None:
        self.format = XML
        self.node_id = node_id
        self._server_version = server_version
        self._ids = ids
        self._offer_uid = ""
        self._decoder: XmlDecoder | ProtoDecoder = XmlDecoder()

    @property
    def broken(self) -> bool:
        """Whether the incoming bytes cannot be followed any further."""
        return self._decoder.broken

    def greeting(self, now_ms: int) -> bytes:
        """The offer to speak protobuf, after the latest positions (S2); once, then empty."""
        if self._offer_uid:
            return b""
        self._offer_uid = self._ids()
        versions = element("TakProtocolSupport", {"version": PROTO_VERSION}) + element(
            "TakServerVersionInfo", {"serverVersion": self._server_version, "apiVersion": "3"}
        )
        return HEADER + event_xml(
            uid=self._offer_uid,
            cot_type="t-x-takp-v",
            at_ms=now_ms,
            stale_ms=now_ms + _OFFER_MS,
            how="m-g",
            point=_CONTROL_POINT,
            detail=element("TakControl", {}, versions),
        )

    def receive(self, data: bytes, now_ms: int) -> Iterator[Decoded | Control | CodecError]:
        """Take bytes as they came; give what is complete. Replies go out before anything else."""
        found: list[Read] = []
        while True:
            read = self._decoder.read(data)
            for one in read:
                found.append(self._answered(one, now_ms) if type(one) is Control else one)
            last = found[-1] if read else None
            if not isinstance(last, Control) or last.kind != "protocol-request":
                return iter(found)
            # The decoder stopped behind the request: what follows is protobuf, or XML again when we
            # refused.
            data = b""
            if last.switched_to is not None and isinstance(self._decoder, XmlDecoder):
                data = self._decoder.rest()
                self._decoder = ProtoDecoder()
            elif isinstance(self._decoder, ProtoDecoder):
                return iter(found)

    def write(self, original: Original) -> bytes:
        """A statement or notice as it goes out here at this moment, unchanged, or CodecError."""
        data = convert(original, self.format)
        if self.format != XML:
            return data
        return HEADER + (data if data.isascii() else data.decode().encode("ascii", "xmlcharrefreplace"))

    def _answered(self, control: Control, now_ms: int) -> Control:
        """The control with our reply, and the switch that it brings."""
        if control.kind == "ping":
            return Control("ping", self.write(pong(now_ms)), None, control.fields)
        if control.kind != "protocol-request" or self.format != XML:
            return control
        agreed = dict(control.fields).get("version") == PROTO_VERSION
        status = element("TakResponse", {"status": "true" if agreed else "false"})
        reply = HEADER + event_xml(
            uid=self._offer_uid or dict(control.fields)["uid"],
            cot_type="t-x-takp-r",
            at_ms=now_ms,
            stale_ms=now_ms + _OFFER_MS,
            how="m-g",
            point=_CONTROL_POINT,
            detail=element("TakControl", {}, status),
        )
        if agreed:
            self.format = PROTO
        return Control(control.kind, reply, PROTO if agreed else None, control.fields)


class TakMessages:
    """One connection whose transport keeps messages apart (/takproto/1): one event each, protobuf from the start.

    XML is read too: it is what a client sends that has no protobuf at hand. Nothing waits for the next message, so a
    broken one costs itself only.

    Attributes:
        format: always tak-v1. broken: never.
    """

    format = PROTO
    broken = False

    def __init__(self, node_id: str) -> None:
        self.node_id = node_id

    def greeting(self, now_ms: int) -> bytes:
        """Nothing: what is spoken is agreed by the path."""
        return b""

    def receive(self, data: bytes, now_ms: int) -> Iterator[Decoded | Control | CodecError]:
        """What one message says."""
        found = (ProtoDecoder() if data[:1] == _MAGIC else XmlDecoder(0)).read(data)
        if not found:
            found = [CodecError("syntax", "a message holds no whole event")]
        return (_ponged(one, now_ms) if type(one) is Control else one for one in found)

    def write(self, original: Original) -> bytes:
        """A statement or notice as it goes out here, unchanged, or CodecError."""
        return convert(original, PROTO)


def _ponged(control: Control, now_ms: int) -> Control:
    if control.kind != "ping":
        return control
    return Control("ping", convert(pong(now_ms), PROTO), None, control.fields)
