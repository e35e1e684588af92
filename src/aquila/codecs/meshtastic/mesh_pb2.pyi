from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Place(_message.Message):
    __slots__ = ("latitude_i", "longitude_i", "altitude", "time", "timestamp", "altitude_hae", "pdop", "hdop", "gps_accuracy", "ground_speed", "ground_track", "precision_bits")
    LATITUDE_I_FIELD_NUMBER: _ClassVar[int]
    LONGITUDE_I_FIELD_NUMBER: _ClassVar[int]
    ALTITUDE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    ALTITUDE_HAE_FIELD_NUMBER: _ClassVar[int]
    PDOP_FIELD_NUMBER: _ClassVar[int]
    HDOP_FIELD_NUMBER: _ClassVar[int]
    GPS_ACCURACY_FIELD_NUMBER: _ClassVar[int]
    GROUND_SPEED_FIELD_NUMBER: _ClassVar[int]
    GROUND_TRACK_FIELD_NUMBER: _ClassVar[int]
    PRECISION_BITS_FIELD_NUMBER: _ClassVar[int]
    latitude_i: int
    longitude_i: int
    altitude: int
    time: int
    timestamp: int
    altitude_hae: int
    pdop: int
    hdop: int
    gps_accuracy: int
    ground_speed: int
    ground_track: int
    precision_bits: int
    def __init__(self, latitude_i: _Optional[int] = ..., longitude_i: _Optional[int] = ..., altitude: _Optional[int] = ..., time: _Optional[int] = ..., timestamp: _Optional[int] = ..., altitude_hae: _Optional[int] = ..., pdop: _Optional[int] = ..., hdop: _Optional[int] = ..., gps_accuracy: _Optional[int] = ..., ground_speed: _Optional[int] = ..., ground_track: _Optional[int] = ..., precision_bits: _Optional[int] = ...) -> None: ...

class User(_message.Message):
    __slots__ = ("id", "long_name", "short_name")
    ID_FIELD_NUMBER: _ClassVar[int]
    LONG_NAME_FIELD_NUMBER: _ClassVar[int]
    SHORT_NAME_FIELD_NUMBER: _ClassVar[int]
    id: str
    long_name: str
    short_name: str
    def __init__(self, id: _Optional[str] = ..., long_name: _Optional[str] = ..., short_name: _Optional[str] = ...) -> None: ...

class DeviceMetrics(_message.Message):
    __slots__ = ("battery_level",)
    BATTERY_LEVEL_FIELD_NUMBER: _ClassVar[int]
    battery_level: int
    def __init__(self, battery_level: _Optional[int] = ...) -> None: ...

class Telemetry(_message.Message):
    __slots__ = ("time", "device_metrics")
    TIME_FIELD_NUMBER: _ClassVar[int]
    DEVICE_METRICS_FIELD_NUMBER: _ClassVar[int]
    time: int
    device_metrics: DeviceMetrics
    def __init__(self, time: _Optional[int] = ..., device_metrics: _Optional[_Union[DeviceMetrics, _Mapping[str, object]]] = ...) -> None: ...

class Payload(_message.Message):
    __slots__ = ("portnum", "payload")
    PORTNUM_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    portnum: int
    payload: bytes
    def __init__(self, portnum: _Optional[int] = ..., payload: _Optional[bytes] = ...) -> None: ...

class Packet(_message.Message):
    __slots__ = ("from_node", "to_node", "channel", "decoded", "encrypted", "id", "rx_time")
    FROM_NODE_FIELD_NUMBER: _ClassVar[int]
    TO_NODE_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    DECODED_FIELD_NUMBER: _ClassVar[int]
    ENCRYPTED_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    RX_TIME_FIELD_NUMBER: _ClassVar[int]
    from_node: int
    to_node: int
    channel: int
    decoded: Payload
    encrypted: bytes
    id: int
    rx_time: int
    def __init__(self, from_node: _Optional[int] = ..., to_node: _Optional[int] = ..., channel: _Optional[int] = ..., decoded: _Optional[_Union[Payload, _Mapping[str, object]]] = ..., encrypted: _Optional[bytes] = ..., id: _Optional[int] = ..., rx_time: _Optional[int] = ...) -> None: ...

class NodeInfo(_message.Message):
    __slots__ = ("num", "user", "position", "last_heard", "device_metrics")
    NUM_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    LAST_HEARD_FIELD_NUMBER: _ClassVar[int]
    DEVICE_METRICS_FIELD_NUMBER: _ClassVar[int]
    num: int
    user: User
    position: Place
    last_heard: int
    device_metrics: DeviceMetrics
    def __init__(self, num: _Optional[int] = ..., user: _Optional[_Union[User, _Mapping[str, object]]] = ..., position: _Optional[_Union[Place, _Mapping[str, object]]] = ..., last_heard: _Optional[int] = ..., device_metrics: _Optional[_Union[DeviceMetrics, _Mapping[str, object]]] = ...) -> None: ...

class FromRadio(_message.Message):
    __slots__ = ("packet", "node_info")
    PACKET_FIELD_NUMBER: _ClassVar[int]
    NODE_INFO_FIELD_NUMBER: _ClassVar[int]
    packet: Packet
    node_info: NodeInfo
    def __init__(self, packet: _Optional[_Union[Packet, _Mapping[str, object]]] = ..., node_info: _Optional[_Union[NodeInfo, _Mapping[str, object]]] = ...) -> None: ...

class ServiceEnvelope(_message.Message):
    __slots__ = ("packet", "channel_id", "gateway_id")
    PACKET_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_ID_FIELD_NUMBER: _ClassVar[int]
    GATEWAY_ID_FIELD_NUMBER: _ClassVar[int]
    packet: Packet
    channel_id: str
    gateway_id: str
    def __init__(self, packet: _Optional[_Union[Packet, _Mapping[str, object]]] = ..., channel_id: _Optional[str] = ..., gateway_id: _Optional[str] = ...) -> None: ...
