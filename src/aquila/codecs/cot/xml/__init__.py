"""CoT as XML: a byte framer with limits, a tree for every event, a splice that re-sends."""

from aquila.codecs.cot.xml.framing import Read, XmlDecoder
from aquila.codecs.cot.xml.reading import decode_event, read_event
from aquila.codecs.cot.xml.splice import HEADER, OUT_BYTES_MAX, encode_xml, flow_spliced
from aquila.codecs.cot.xml.tree import (
    ATTRIBUTE_BYTES_MAX,
    ATTRIBUTES_MAX,
    DEPTH_MAX,
    ELEMENTS_MAX,
    EVENT_BYTES_MAX,
    outer_xml,
    parse,
)

__all__ = [
    "ATTRIBUTES_MAX",
    "ATTRIBUTE_BYTES_MAX",
    "DEPTH_MAX",
    "ELEMENTS_MAX",
    "EVENT_BYTES_MAX",
    "HEADER",
    "OUT_BYTES_MAX",
    "Read",
    "XmlDecoder",
    "decode_event",
    "encode_xml",
    "flow_spliced",
    "outer_xml",
    "parse",
    "read_event",
]
