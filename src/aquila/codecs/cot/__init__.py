"""Cursor on Target: CoT XML (`cot-xml`), TAK protobuf (`tak-v1`) and the talk on a TAK stream."""

from aquila.codecs.cot.notices import (
    delivery_failure,
    disconnect_notice,
    group_change_notice,
    pong,
)
from aquila.codecs.cot.proto import ProtoDecoder, convert, encode_proto
from aquila.codecs.cot.session import TakMessages, TakSession
from aquila.codecs.cot.xml import XmlDecoder, encode_xml
from aquila.core.codec import Codec

cot_xml = Codec("cot-xml", XmlDecoder, encode_xml)
tak_v1 = Codec("tak-v1", ProtoDecoder, encode_proto)

__all__ = [
    "TakMessages",
    "TakSession",
    "convert",
    "cot_xml",
    "delivery_failure",
    "disconnect_notice",
    "group_change_notice",
    "pong",
    "tak_v1",
]
