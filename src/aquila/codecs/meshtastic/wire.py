"""Meshtastic packets: places, names, batteries and texts of the nodes of a mesh.

On a serial line or TCP: 0x94 0xC3, length, FromRadio. By MQTT: one ServiceEnvelope a payload, or the JSON that a radio
makes of it. What is encrypted for a channel that the radio does not know stays unread.
"""

import re
from collections import OrderedDict
from typing import Final, TypeVar

import msgspec
from google.protobuf.message import DecodeError, Message

from aquila.codecs.meshtastic.json_packet import BROADCAST, NODE_INFO, POSITION, TELEMETRY, TEXT, packet_of_json
from aquila.codecs.meshtastic.mesh_pb2 import FromRadio, Packet, Payload, Place, ServiceEnvelope, Telemetry, User
from aquila.core.errors import CodecError
from aquila.core.ids import entity_id
from aquila.core.model import Alias, Motion, Note, Position, Report
from aquila.core.sensing import (
    MINUTE_MS,
    FramedDecoder,
    Frames,
    Measured,
    NoOptions,
    Reading,
    Sensed,
    plausible_ms,
    printable,
)

FRAME_BYTES_MAX: Final = 512
HEAD_BYTES: Final = 4
NODES_MAX: Final = 10_000
TEXTS_MAX: Final = 10_000
"""Texts of which it is known that they were heard: each of the gateways of a mesh passes on the same."""
HELLO: Final = bytes([0xC3] * 32) + bytes.fromhex("94c3 0004 18ad9e04")
"""Wakes a radio that sleeps, then ToRadio.want_config_id (field 3): before it a radio says nothing but its own log."""
ALIVE: Final = bytes.fromhex("94c3 0002 3a00")
"""ToRadio.heartbeat (field 7): a radio that hears nothing for 15 minutes takes the line for unplugged."""
STALE_MS: Final = 60 * MINUTE_MS
"""Nodes at rest say their place every 15 minutes to every few hours, and packets are lost."""
SKEW_MS_MAX: Final = 24 * 60 * MINUTE_MS
_START: Final = re.compile(rb"\x94(?:\Z|\xc3)")

ROOM: Final = "meshtastic"


class Known(msgspec.Struct):
    """What one node said of itself; None = not yet."""

    name: str | None = None
    battery_pct: int | None = None


class Mesh:
    """The nodes of one mesh; the longest silent one is put out at the bound."""

    def __init__(self) -> None:
        self._nodes: OrderedDict[int, Known] = OrderedDict()

    def known(self, number: int) -> Known:
        """What is known of a node."""
        known = self._nodes.setdefault(number, Known())
        self._nodes.move_to_end(number)
        if len(self._nodes) > NODES_MAX:
            self._nodes.popitem(last=False)
        return known

    def read(self, packet: Packet, received_at_ms: int) -> Report | Note | None:
        """One packet; None = it only adds to what is known.

        Raises:
            CodecError: encrypted or another port (unsupported), syntax, range, missing.
        """
        if not packet.from_node:
            raise CodecError("missing", "a packet without a sender")
        if not packet.HasField("decoded"):
            raise CodecError("unsupported", "an encrypted packet")
        told: Payload = packet.decoded
        known = self.known(packet.from_node)
        # What the radio noted as the time of reception; a mesh delivers late.
        at_ms = _claimed_ms(packet.rx_time, received_at_ms)
        if told.portnum == POSITION:
            return place_report(packet.from_node, known, _parsed(Place(), told.payload), at_ms)
        if told.portnum == TEXT:
            return _note(packet, known, told.payload, at_ms)
        if told.portnum == NODE_INFO:
            learn(known, _parsed(User(), told.payload))
        elif told.portnum == TELEMETRY:
            metrics = _parsed(Telemetry(), told.payload).device_metrics
            if metrics.HasField("battery_level"):
                known.battery_pct = battery_pct(metrics.battery_level)
        else:
            raise CodecError("unsupported", f"port {told.portnum}")
        return None


M = TypeVar("M", bound=Message)


def _parsed(message: M, data: bytes) -> M:
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise CodecError("syntax", str(error)) from error
    return message


def _claimed_ms(at_s: int, received_at_ms: int) -> int:
    """A time that a node or radio says, unless it is missing or of a clock that was never set."""
    at_ms = at_s * 1_000
    return at_ms if plausible_ms(at_ms) and abs(at_ms - received_at_ms) <= SKEW_MS_MAX else received_at_ms


def battery_pct(level: int) -> int | None:
    """Above 100 = it runs on mains."""
    return level if level <= 100 else None


def learn(known: Known, user: User) -> None:
    """Take over a name."""
    known.name = printable(user.long_name or user.short_name, 40) or known.name


def node_id(number: int) -> str:
    """As people write it: an exclamation mark and eight hex digits."""
    return f"!{number:08x}"


def place_report(number: int, known: Known, place: Place, received_at_ms: int) -> Report:
    """Where a node is.

    Raises:
        CodecError: missing (no place), range.
    """
    if not (place.HasField("latitude_i") and place.HasField("longitude_i")):
        raise CodecError("missing", "a position without latitude and longitude")
    fields = {}
    if place.HasField("altitude"):
        fields["altitude_msl_m"] = str(place.altitude)
    if place.precision_bits and place.precision_bits < 32:
        fields["precision_bits"] = str(place.precision_bits)
    alias = Alias("meshtastic", node_id(number))
    at_ms = _claimed_ms(place.timestamp or place.time, received_at_ms)
    try:
        position = Position(
            place.latitude_i / 1e7,
            place.longitude_i / 1e7,
            float(place.altitude_hae) if place.HasField("altitude_hae") else None,
            _ce_m(place),
        )
        motion = None
        if place.HasField("ground_speed") or place.HasField("ground_track"):
            motion = Motion(
                place.ground_track / 100.0 if place.HasField("ground_track") else None,
                float(place.ground_speed) if place.HasField("ground_speed") else None,
            )
    except ValueError as error:
        raise CodecError("range", str(error)) from error
    return Report(
        entity=entity_id(alias.scheme, alias.value),
        alias=alias,
        type="a-f-G-U-C",
        sidc="10031000001209000000",
        category="unit",
        observed_at_ms=at_ms,
        stale_at_ms=at_ms + STALE_MS,
        name=known.name or alias.value,
        how="m-g",
        own=True,
        position=position,
        motion=motion,
        battery_pct=known.battery_pct,
        fields=fields,
    )


def _ce_m(place: Place) -> float | None:
    """Radius of 68 %: of the cell that a coarse channel rounds to, else accuracy times dilution; None = not said."""
    if 0 < place.precision_bits < 32:
        # So many bits of 360 degrees remain: half a step is the largest error.
        return float(round(40_075_000.0 / (1 << place.precision_bits) / 2.0))
    if not place.gps_accuracy:
        return None
    dilution = (place.hdop or place.pdop or 100) / 100.0
    return round(place.gps_accuracy / 1_000.0 * dilution, 1)


def _note(packet: Packet, known: Known, data: bytes, at_ms: int) -> Note:
    text = data.decode("utf-8", "replace")
    # A text to one node is for its carrier only; it is kept apart from what was said to all.
    room = ROOM if packet.to_node == BROADCAST else f"{ROOM} {node_id(packet.to_node)}"
    return Note(
        room=room,
        text="".join(c for c in text if c.isprintable() or c == "\n")[:1_000],
        happened_at_ms=at_ms,
        author_name=known.name or node_id(packet.from_node),
        author_alias=Alias("meshtastic", node_id(packet.from_node)),
        reference=f"{packet.id:08x}" if packet.id else None,
    )


class SerialDecoder(FramedDecoder):
    """One radio. Its own words between the frames are passed over as noise."""

    def __init__(self, options: NoOptions) -> None:
        super().__init__(Frames(_START, _measure))
        self._mesh = Mesh()

    def frame(self, frame: bytes, received_at_ms: int, found: list[Reading]) -> None:
        """One FromRadio: a packet, or what the radio knows of a node."""
        told = _parsed(FromRadio(), frame[HEAD_BYTES:])
        if told.HasField("packet"):
            said = self._mesh.read(told.packet, received_at_ms)
            if said is not None:
                found.append(Sensed(said, frame))
        elif told.HasField("node_info") and told.node_info.num:
            node = told.node_info
            known = self._mesh.known(node.num)
            learn(known, node.user)
            if node.device_metrics.HasField("battery_level"):
                known.battery_pct = battery_pct(node.device_metrics.battery_level)
            if node.position.HasField("latitude_i"):
                at_ms = _claimed_ms(node.last_heard, received_at_ms)
                found.append(Sensed(place_report(node.num, known, node.position, at_ms), frame))


def _measure(buffer: bytes, at: int) -> Measured:
    if len(buffer) < at + HEAD_BYTES:
        return None
    length = buffer[at + 2] << 8 | buffer[at + 3]
    if length > FRAME_BYTES_MAX:
        return CodecError("oversize", f"a frame of {length} bytes: at most {FRAME_BYTES_MAX}")
    return HEAD_BYTES + length


class MqttDecoder:
    """Payloads of `msh/REGION/2/e/CHANNEL/GATEWAY`, each one envelope, and of `.../2/json/...`."""

    broken = False

    def __init__(self, options: NoOptions) -> None:
        self._mesh = Mesh()
        self._texts: OrderedDict[tuple[str, str | None, str], None] = OrderedDict()

    def feed(self, data: bytes, received_at_ms: int) -> list[Reading]:
        """One payload."""
        try:
            # No envelope begins so: as a tag it is a group, which proto3 does not have.
            packet = packet_of_json(data) if data[:1] == b"{" else _packet_of_envelope(data)
            said = self._mesh.read(packet, received_at_ms)
        except CodecError as error:
            return [error]
        if said is None or (isinstance(said, Note) and self._was_heard(said)):
            return []
        # Without what each gateway adds of its own: so the node sees that two pass on the same place.
        bare = Packet(from_node=packet.from_node, to_node=packet.to_node, id=packet.id, decoded=packet.decoded)
        return [Sensed(said, bare.SerializeToString(deterministic=True))]

    def end(self, received_at_ms: int) -> list[Reading]:
        """Each payload is whole."""
        return []

    def _was_heard(self, note: Note) -> bool:
        """A sender numbers its packets; without a number the same text may well be said twice."""
        if note.reference is None or note.author_alias is None:
            return False
        # With the text, so that nobody puts out what will be said by saying its number first.
        key = (note.author_alias.value, note.reference, note.text)
        if key in self._texts:
            return True
        self._texts[key] = None
        if len(self._texts) > TEXTS_MAX:
            self._texts.popitem(last=False)
        return False


def _packet_of_envelope(data: bytes) -> Packet:
    envelope = _parsed(ServiceEnvelope(), data)
    if not envelope.HasField("packet"):
        raise CodecError("missing", "an envelope without a packet")
    return envelope.packet
