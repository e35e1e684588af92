"""MQTT 3.1.1 (OASIS Standard, 2014) as far as a subscriber needs it: what it sends, how it reads what comes. Pure."""

from collections.abc import Iterator
from typing import Final

import msgspec

from aquila.links.feeds.intake import FeedLostError

MESSAGE_BYTES_MAX: Final = 1 << 20
"""A longer message is passed over as it comes in, without being kept. The protocol would allow 256 MiB."""

CONNACK, PUBLISH, PUBREL, SUBACK, PINGRESP = 2, 3, 6, 9, 13
PINGREQ: Final = b"\xc0\x00"
DISCONNECT: Final = b"\xe0\x00"
SUBSCRIPTION: Final = 1
"""Identifier of the one packet of ours that has one."""
NO_MQTT: Final = "says something that is not MQTT 3.1.1: is this the port of a broker?"
REFUSALS: Final = {
    1: "does not speak MQTT 3.1.1",
    2: "does not take the client's name: give it one with ?client=NAME",
    3: "takes nobody at the moment",
    4: "refuses the name or the password",
    5: "refuses the name or the password (not authorised)",
}
"""3.2.2.3: what the broker answers to CONNECT."""


class Packet(msgspec.Struct, frozen=True):
    """One packet. kind: the number of its type. flags: the lower half of its first byte. body: what follows."""

    kind: int
    flags: int
    body: bytes


class Oversize(msgspec.Struct, frozen=True):
    """A packet that is too long to be kept; its bytes are passed over."""

    size: int


class Message(msgspec.Struct, frozen=True):
    """What somebody published.

    Attributes:
        is_retained: it is older than the subscription (3.3.1.3).
        answer: what the broker waits for; empty = nothing, as at QoS 0.
    """

    topic: str
    payload: bytes
    is_retained: bool
    answer: bytes


def connect(client: str, name: str, password: str | None, keep_alive_s: int) -> bytes:
    """3.1: the first packet, with a clean session. Empty client: the broker makes a name. Empty name: none is said."""
    flags = 0x02 | (0x80 if name else 0) | (0x40 if name and password is not None else 0)
    body = _text("MQTT") + bytes([4, flags]) + keep_alive_s.to_bytes(2, "big") + _text(client)
    if name:
        body += _text(name) + (b"" if password is None else _text(password))
    return _packet(0x10, body)


def subscribe(topic: str) -> bytes:
    """3.8: to one filter, at most once (QoS 0)."""
    return _packet(0x82, SUBSCRIPTION.to_bytes(2, "big") + _text(topic) + b"\x00")


def read_connack(packet: Packet) -> None:
    """3.2. Raises FeedLostError when the broker refuses."""
    if len(packet.body) != 2:
        raise FeedLostError(NO_MQTT)
    code = packet.body[1]
    if code:
        raise FeedLostError(REFUSALS.get(code, f"refuses the connection (code {code})"))


def read_suback(packet: Packet, topic: str) -> None:
    """3.9. Raises FeedLostError when the broker refuses the filter."""
    if len(packet.body) != 3 or int.from_bytes(packet.body[:2], "big") != SUBSCRIPTION:
        raise FeedLostError(NO_MQTT)
    if packet.body[2] > 2:
        raise FeedLostError(f"refuses the topic {topic}: it may need a name with more rights")


def read_publish(packet: Packet) -> Message:
    """3.3. Raises FeedLostError for what is none.

    A broker may send no higher QoS than was asked for (3.8.4), and some do all the same with what they have retained:
    that is acknowledged at once and taken at once, so that nothing is kept. At QoS 2 it could then come twice.
    """
    body, qos = packet.body, packet.flags >> 1 & 0x03
    end = 2 + int.from_bytes(body[:2], "big")
    start = end + (2 if qos else 0)
    if qos == 3 or len(body) < start:
        raise FeedLostError(NO_MQTT)
    try:
        topic = body[2:end].decode("utf-8")
    except UnicodeDecodeError as wrong:
        raise FeedLostError(NO_MQTT) from wrong
    # 3.4 PUBACK for QoS 1, 3.5 PUBREC for QoS 2.
    answer = b"" if not qos else bytes([0x40 if qos == 1 else 0x50, 2]) + body[end:start]
    return Message(topic, body[start:], bool(packet.flags & 0x01), answer)


def pubcomp(packet: Packet) -> bytes:
    """3.7: the end of a message of QoS 2, after PUBREL (3.6). Raises FeedLostError for what is none."""
    if len(packet.body) != 2:
        raise FeedLostError(NO_MQTT)
    return b"\x70\x02" + packet.body


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2, "big") + data


def _packet(first: int, body: bytes) -> bytes:
    """2.2: type and flags, the length in groups of seven bits, the rest."""
    left, length = len(body), bytearray()
    while left > 0x7F:
        length.append(left & 0x7F | 0x80)
        left >>= 7
    length.append(left)
    return bytes([first]) + length + body


class Packets:
    """Bytes to packets, however the network has cut them."""

    def __init__(self, bytes_max: int = MESSAGE_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._rest = bytearray()
        self._needed = 2
        self._passing = 0

    def feed(self, data: bytes) -> Iterator[Packet | Oversize]:
        """The packets that are complete; to be read to the end before more is fed.

        Raises:
            FeedLostError: a length that is none.
        """
        passed = min(self._passing, len(data))
        self._passing -= passed
        rest = self._rest
        rest += data[passed:]
        # A long message that drips in is not looked at before it can be whole.
        if len(rest) < self._needed:
            return
        at = 0
        while (head := _head(rest, at)) is not None:
            start, end = head
            if end - start > self._bytes_max:
                yield Oversize(end - start)
                self._passing = max(0, end - len(rest))
                at = min(end, len(rest))
            elif end > len(rest):
                break
            else:
                yield Packet(rest[at] >> 4, rest[at] & 0x0F, bytes(rest[start:end]))
                at = end
        del rest[:at]
        head = _head(rest, 0)
        self._needed = len(rest) + 1 if head is None else head[1]


def _head(rest: bytearray, at: int) -> tuple[int, int] | None:
    """Where the body of the packet that begins here starts and ends; None = more bytes are needed to say."""
    length = 0
    for place in range(4):
        where = at + 1 + place
        if where >= len(rest):
            return None
        length |= (rest[where] & 0x7F) << (7 * place)
        if rest[where] < 0x80:
            return where + 1, where + 1 + length
    raise FeedLostError(NO_MQTT)
