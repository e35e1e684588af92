"""The JSON that a radio publishes of its packets, made packets again; so both are read by the same rules."""

from typing import Annotated, Any, Final

import msgspec

from aquila.codecs.meshtastic.mesh_pb2 import DeviceMetrics, Packet, Payload, Place, Telemetry, User
from aquila.core.errors import CodecError

JSON_BYTES_MAX: Final = 8_192
TEXT, POSITION, NODE_INFO, TELEMETRY = 1, 3, 4, 67
BROADCAST: Final = 0xFFFFFFFF

U32 = Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFFF)]
I32 = Annotated[int, msgspec.Meta(ge=-(1 << 31), lt=1 << 31)]
"""As the fields of the protocol are; other numbers are refused when they are read."""


class JsonPlace(msgspec.Struct, frozen=True):
    """type `position`; degrees times 1e7, metres above the sea, m/s, degrees times 100."""

    latitude_i: I32 | None = None
    longitude_i: I32 | None = None
    altitude: I32 | None = None
    time: U32 = 0
    ground_speed: U32 | None = None
    ground_track: U32 | None = None
    precision_bits: U32 = 0


class JsonUser(msgspec.Struct, frozen=True):
    """type `nodeinfo`."""

    longname: str = ""
    shortname: str = ""


class JsonText(msgspec.Struct, frozen=True):
    """type `text`."""

    text: str


class JsonMetrics(msgspec.Struct, frozen=True):
    """type `telemetry`; None = it is not about the device's own power."""

    battery_level: U32 | None = None


class JsonPacket(msgspec.Struct, frozen=True):
    """What all have. timestamp: when the gateway heard it, in seconds."""

    sender: U32 = msgspec.field(name="from", default=0)
    to: U32 = BROADCAST
    id: U32 = 0
    timestamp: U32 = 0
    type: str = ""
    payload: Any = None  # JSON: what `type` says


def packet_of_json(data: bytes) -> Packet:
    """The packet of which a radio has made this JSON.

    Raises:
        CodecError: oversize, syntax (no such JSON), unsupported (another type).
    """
    if len(data) > JSON_BYTES_MAX:
        raise CodecError("oversize", f"{len(data)} bytes: at most {JSON_BYTES_MAX} are allowed")
    try:
        said = msgspec.json.decode(data, type=JsonPacket)
        port, payload = _payload_of(said)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise CodecError("syntax", str(error)) from error
    return Packet(
        from_node=said.sender,
        to_node=said.to,
        id=said.id,
        rx_time=said.timestamp,
        decoded=Payload(portnum=port, payload=payload),
    )


def _payload_of(said: JsonPacket) -> tuple[int, bytes]:
    if said.type == "position":
        place = msgspec.convert(said.payload, JsonPlace)
        return POSITION, Place(**msgspec.structs.asdict(place)).SerializeToString()
    if said.type == "text":
        return TEXT, msgspec.convert(said.payload, JsonText).text.encode()
    if said.type == "nodeinfo":
        user = msgspec.convert(said.payload, JsonUser)
        return NODE_INFO, User(long_name=user.longname, short_name=user.shortname).SerializeToString()
    if said.type == "telemetry":
        level = msgspec.convert(said.payload, JsonMetrics).battery_level
        return TELEMETRY, Telemetry(device_metrics=DeviceMetrics(battery_level=level)).SerializeToString()
    raise CodecError("unsupported", f"type {said.type[:40]!r}")
