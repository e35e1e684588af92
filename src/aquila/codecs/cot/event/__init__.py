"""The one mapping between a CoT event and the bodies of Aquila, for XML and protobuf alike.

`body_of` reads, `write_event` writes the XML of an event that was born here or redacted. What
neither can say is kept in the original bytes, which the codecs re-send untouched (see README.md,
losses).
"""

from aquila.codecs.cot.event.markup import carries, element, escape, event_xml
from aquila.codecs.cot.event.parts import (
    ADDRESSEES_MAX,
    FLOW_PREFIX,
    UID_LENGTH_MAX,
    Element,
    Event,
    Part,
    Parts,
    flow_of,
)
from aquila.codecs.cot.event.reading import body_of
from aquila.codecs.cot.event.values import iso_time, marking_of, metres, number, radius, time_ms
from aquila.codecs.cot.event.writing import write_event

__all__ = [
    "ADDRESSEES_MAX",
    "FLOW_PREFIX",
    "UID_LENGTH_MAX",
    "Element",
    "Event",
    "Part",
    "Parts",
    "body_of",
    "carries",
    "element",
    "escape",
    "event_xml",
    "flow_of",
    "iso_time",
    "marking_of",
    "metres",
    "number",
    "radius",
    "time_ms",
    "write_event",
]
