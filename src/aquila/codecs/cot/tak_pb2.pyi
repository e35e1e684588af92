from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TakMessage(_message.Message):
    __slots__ = ("tak_control", "cot_event", "submission_time", "creation_time")
    TAK_CONTROL_FIELD_NUMBER: _ClassVar[int]
    COT_EVENT_FIELD_NUMBER: _ClassVar[int]
    SUBMISSION_TIME_FIELD_NUMBER: _ClassVar[int]
    CREATION_TIME_FIELD_NUMBER: _ClassVar[int]
    tak_control: TakControl
    cot_event: CotEvent
    submission_time: int
    creation_time: int
    def __init__(self, tak_control: _Optional[_Union[TakControl, _Mapping[str, object]]] = ..., cot_event: _Optional[_Union[CotEvent, _Mapping[str, object]]] = ..., submission_time: _Optional[int] = ..., creation_time: _Optional[int] = ...) -> None: ...

class TakControl(_message.Message):
    __slots__ = ("min_proto_version", "max_proto_version", "contact_uid", "extension_ids")
    MIN_PROTO_VERSION_FIELD_NUMBER: _ClassVar[int]
    MAX_PROTO_VERSION_FIELD_NUMBER: _ClassVar[int]
    CONTACT_UID_FIELD_NUMBER: _ClassVar[int]
    EXTENSION_IDS_FIELD_NUMBER: _ClassVar[int]
    min_proto_version: int
    max_proto_version: int
    contact_uid: str
    extension_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, min_proto_version: _Optional[int] = ..., max_proto_version: _Optional[int] = ..., contact_uid: _Optional[str] = ..., extension_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class CotEvent(_message.Message):
    __slots__ = ("type", "access", "qos", "opex", "uid", "send_time", "start_time", "stale_time", "how", "lat", "lon", "hae", "ce", "le", "detail", "caveat", "releasable_to")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    QOS_FIELD_NUMBER: _ClassVar[int]
    OPEX_FIELD_NUMBER: _ClassVar[int]
    UID_FIELD_NUMBER: _ClassVar[int]
    SEND_TIME_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    STALE_TIME_FIELD_NUMBER: _ClassVar[int]
    HOW_FIELD_NUMBER: _ClassVar[int]
    LAT_FIELD_NUMBER: _ClassVar[int]
    LON_FIELD_NUMBER: _ClassVar[int]
    HAE_FIELD_NUMBER: _ClassVar[int]
    CE_FIELD_NUMBER: _ClassVar[int]
    LE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    CAVEAT_FIELD_NUMBER: _ClassVar[int]
    RELEASABLE_TO_FIELD_NUMBER: _ClassVar[int]
    type: str
    access: str
    qos: str
    opex: str
    uid: str
    send_time: int
    start_time: int
    stale_time: int
    how: str
    lat: float
    lon: float
    hae: float
    ce: float
    le: float
    detail: Detail
    caveat: str
    releasable_to: str
    def __init__(self, type: _Optional[str] = ..., access: _Optional[str] = ..., qos: _Optional[str] = ..., opex: _Optional[str] = ..., uid: _Optional[str] = ..., send_time: _Optional[int] = ..., start_time: _Optional[int] = ..., stale_time: _Optional[int] = ..., how: _Optional[str] = ..., lat: _Optional[float] = ..., lon: _Optional[float] = ..., hae: _Optional[float] = ..., ce: _Optional[float] = ..., le: _Optional[float] = ..., detail: _Optional[_Union[Detail, _Mapping[str, object]]] = ..., caveat: _Optional[str] = ..., releasable_to: _Optional[str] = ...) -> None: ...

class Detail(_message.Message):
    __slots__ = ("xml_detail", "contact", "group", "precision_location", "status", "takv", "track", "extension_details")
    XML_DETAIL_FIELD_NUMBER: _ClassVar[int]
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    PRECISION_LOCATION_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TAKV_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    EXTENSION_DETAILS_FIELD_NUMBER: _ClassVar[int]
    xml_detail: str
    contact: Contact
    group: Group
    precision_location: PrecisionLocation
    status: Status
    takv: Takv
    track: Track
    extension_details: _containers.RepeatedCompositeFieldContainer[ExtensionDetail]
    def __init__(self, xml_detail: _Optional[str] = ..., contact: _Optional[_Union[Contact, _Mapping[str, object]]] = ..., group: _Optional[_Union[Group, _Mapping[str, object]]] = ..., precision_location: _Optional[_Union[PrecisionLocation, _Mapping[str, object]]] = ..., status: _Optional[_Union[Status, _Mapping[str, object]]] = ..., takv: _Optional[_Union[Takv, _Mapping[str, object]]] = ..., track: _Optional[_Union[Track, _Mapping[str, object]]] = ..., extension_details: _Optional[_Iterable[_Union[ExtensionDetail, _Mapping[str, object]]]] = ...) -> None: ...

class Contact(_message.Message):
    __slots__ = ("endpoint", "callsign")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    CALLSIGN_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    callsign: str
    def __init__(self, endpoint: _Optional[str] = ..., callsign: _Optional[str] = ...) -> None: ...

class Group(_message.Message):
    __slots__ = ("name", "role")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    name: str
    role: str
    def __init__(self, name: _Optional[str] = ..., role: _Optional[str] = ...) -> None: ...

class PrecisionLocation(_message.Message):
    __slots__ = ("geopointsrc", "altsrc")
    GEOPOINTSRC_FIELD_NUMBER: _ClassVar[int]
    ALTSRC_FIELD_NUMBER: _ClassVar[int]
    geopointsrc: str
    altsrc: str
    def __init__(self, geopointsrc: _Optional[str] = ..., altsrc: _Optional[str] = ...) -> None: ...

class Status(_message.Message):
    __slots__ = ("battery",)
    BATTERY_FIELD_NUMBER: _ClassVar[int]
    battery: int
    def __init__(self, battery: _Optional[int] = ...) -> None: ...

class Takv(_message.Message):
    __slots__ = ("device", "platform", "os", "version")
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    OS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    device: str
    platform: str
    os: str
    version: str
    def __init__(self, device: _Optional[str] = ..., platform: _Optional[str] = ..., os: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class Track(_message.Message):
    __slots__ = ("speed", "course")
    SPEED_FIELD_NUMBER: _ClassVar[int]
    COURSE_FIELD_NUMBER: _ClassVar[int]
    speed: float
    course: float
    def __init__(self, speed: _Optional[float] = ..., course: _Optional[float] = ...) -> None: ...

class ExtensionDetail(_message.Message):
    __slots__ = ("extension_id", "data")
    EXTENSION_ID_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    extension_id: int
    data: bytes
    def __init__(self, extension_id: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...
