"""CoT as TAK protobuf version 1: stream frames, and conversion from and to XML.

A frame is 0xBF, a varint length and a TakMessage.

A child of <detail> is typed only when every attribute maps and nothing else is in it; all others
travel in xmlDetail as they are, and win where both are there. An original of this format is the
whole frame.
"""

import math
from collections.abc import Iterator
from typing import Final, cast

from google.protobuf.message import DecodeError

from aquila.codecs.cot.event import (
    Element,
    Event,
    Part,
    body_of,
    carries,
    element,
    escape,
    flow_of,
    iso_time,
    marking_of,
    number,
    time_ms,
    write_event,
)
from aquila.codecs.cot.tak_pb2 import CotEvent, Detail, TakMessage
from aquila.codecs.cot.xml import (
    EVENT_BYTES_MAX,
    OUT_BYTES_MAX,
    Read,
    flow_spliced,
    outer_xml,
    parse,
    read_event,
)
from aquila.core.codec import Control, Decoded, Outgoing
from aquila.core.errors import CodecError, UsageError
from aquila.core.model import TIME_MAX_MS, Original

MAGIC: Final = 0xBF
FRAME_BYTES_MAX: Final = 60_000
VARINT_BYTES_MAX: Final = 3

_WHITE: Final = b" \t\r\n"
_UNKNOWN_M: Final = 999_999.0
_UNKNOWNS_M: Final = frozenset({999_999.0, 9_999_999.0})
_SHORT_BYTES: Final = 8_000
"""A frame up to this size is below every limit of the XML that it becomes, whatever is in it."""

_WORDS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "contact": ("contact", ("callsign", "endpoint")),
    "__group": ("group", ("name", "role")),
    "precisionlocation": ("precision_location", ("geopointsrc", "altsrc")),
    "takv": ("takv", ("device", "platform", "os", "version")),
}
"""Elements whose attributes are all text: their name -> field of Detail, attributes."""


class ProtoDecoder:
    """One incoming stream of frames. A bad frame breaks it, a bad event in a frame does not."""

    broken: bool = False

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._begun = False  # White space may come between the last XML event and the first frame, not later.

    def feed(self, data: bytes) -> Iterator[Decoded | CodecError]:
        """Bodies and errors of what is complete; what concerns the connection only is left out."""
        return (one for one in self.read(data) if not isinstance(one, Control))

    def read(self, data: bytes) -> list[Read]:
        """Like feed, with controls."""
        found: list[Read] = []
        if self.broken:
            return found
        buffer = self._buffer
        buffer += data
        at = 0
        try:
            while True:
                if not self._begun:
                    at = self._first_frame(at)
                head = self._head(at)
                if head is None or at + sum(head) > len(buffer):
                    break
                end = at + sum(head)
                found.append(self._event(bytes(memoryview(buffer)[at:end]), head[0]))
                at = end
        except CodecError as error:
            self.broken = True
            found.append(error)
        del buffer[:at]
        return found

    def _first_frame(self, at: int) -> int:
        while at < len(self._buffer) and self._buffer[at] in _WHITE:
            at += 1
        self._begun = at < len(self._buffer)
        return at

    def _head(self, at: int) -> tuple[int, int] | None:
        """Size of magic and length, and the length they announce; None = not yet there."""
        buffer = self._buffer
        if at >= len(buffer):
            return None
        if buffer[at] != MAGIC:
            raise CodecError("syntax", f"byte {buffer[at]:#04x}: a frame begins with 0xbf")
        length = 0
        for place in range(VARINT_BYTES_MAX):
            here = at + 1 + place
            if here >= len(buffer):
                return None
            length |= (buffer[here] & 0x7F) << (7 * place)
            if buffer[here] < 0x80:
                if not 0 < length <= FRAME_BYTES_MAX:
                    raise CodecError("oversize", f"frame of {length} bytes: 1 to {FRAME_BYTES_MAX} are allowed")
                return place + 2, length
        raise CodecError("oversize", f"the length of a frame has at most {VARINT_BYTES_MAX} bytes")

    def _event(self, frame: bytes, head_bytes: int) -> Read:
        try:
            return decode_frame(frame, head_bytes)
        except CodecError as error:
            return error


def decode_frame(frame: bytes, head_bytes: int) -> Decoded | Control:
    """What one frame says; head_bytes = size of magic and length. Raises CodecError."""
    message = _message(frame[head_bytes:])
    if not message.HasField("cot_event"):
        if message.HasField("tak_control"):
            return Control("protocol")
        raise CodecError("missing", "a TakMessage needs cotEvent or takControl")
    cot = message.cot_event
    event = _read_event(cot, len(frame))
    try:
        body = body_of(event)
    except ValueError as error:
        raise CodecError("range", str(error)) from error
    if isinstance(body, Control):
        return body
    label = marking_of(cot.access, cot.caveat, cot.releasable_to)
    return Decoded(body, frame, label, flow_of(event.parts, event.children))


def _message(payload: bytes) -> TakMessage:
    try:
        return TakMessage.FromString(payload)
    except DecodeError as error:
        raise CodecError("syntax", f"no TakMessage: {error}") from error


def _read_event(cot: CotEvent, frame_bytes: int) -> Event:
    detail = cot.detail
    children = _xml_children(detail.xml_detail, frame_bytes)
    parts = cast(dict[str, Part], _typed_parts(detail))
    texts = [
        cot.uid,
        cot.type,
        cot.how,
        cot.access,
        cot.caveat,
        cot.releasable_to,
        cot.qos,
        cot.opex,
    ]
    for typed in parts.values():
        texts += cast(dict[str, str], typed).values()
    if not carries("".join(texts)):
        raise CodecError("encoding", "a text holds a character that XML cannot carry")
    for child in reversed(children):
        parts[child.tag] = child
    if cot.start_time != cot.send_time:
        _checked_ms(cot.start_time)
    return Event(
        cot.uid,
        cot.type,
        _checked_ms(cot.send_time),
        _checked_ms(cot.stale_time),
        cot.how or None,
        _finite(cot.lat, "lat"),
        _finite(cot.lon, "lon"),
        _metres(cot.hae, "hae"),
        _radius(cot.ce, "ce"),
        _radius(cot.le, "le"),
        parts,
        children,
    )


def _xml_children(xml_detail: str, frame_bytes: int) -> tuple[Element, ...]:
    """The elements of xmlDetail, which must be what could stand in a <detail>."""
    if not xml_detail:
        return ()
    if frame_bytes > _SHORT_BYTES:
        text = xml_detail.encode("ascii", "xmlcharrefreplace")
        others = frame_bytes - len(xml_detail.encode())
        if len(text) + 6 * others + 1_000 > EVENT_BYTES_MAX:
            raise CodecError("oversize", f"an event may have {EVENT_BYTES_MAX} bytes as XML")
    root = parse(b"<event><detail>%b</detail></event>" % xml_detail.encode())
    details = tuple(root)
    if len(details) != 1:
        # `</detail><x/><detail>` is well-formed in between, and would stand beside <detail> in XML.
        raise CodecError("syntax", "xmlDetail must be the inside of one <detail>")
    return tuple(details[0])


def _typed_parts(detail: Detail) -> dict[str, dict[str, str]]:
    """The typed fields as attributes; an empty text is an absent attribute."""
    parts: dict[str, dict[str, str]] = {}
    for tag, (field, names) in _WORDS.items():
        if detail.HasField(field):
            typed = getattr(detail, field)
            parts[tag] = {name: value for name in names if (value := getattr(typed, name))}
    if detail.HasField("status"):
        parts["status"] = {"battery": str(detail.status.battery)}
    if detail.HasField("track"):
        parts["track"] = {"course": repr(detail.track.course), "speed": repr(detail.track.speed)}
    return parts


def _checked_ms(at_ms: int) -> int:
    if not 0 < at_ms < TIME_MAX_MS:
        reason = "time" if at_ms else "missing"
        raise CodecError(reason, f"{at_ms} ms: sendTime, startTime and staleTime from 1970 to 2100 are needed")
    return at_ms


def _finite(value: float, name: str) -> float:
    if not math.isfinite(value):
        raise CodecError("number", f"{name}={value}: a finite number is needed")
    return value


def _metres(value: float, name: str) -> float | None:
    return None if value in _UNKNOWNS_M else _finite(value, name)


def _radius(value: float, name: str) -> float | None:
    radius_m = _metres(value, name)
    return None if radius_m is None or radius_m < 0.0 else radius_m


# --- writing --------------------------------------------------------------------------------------


def encode_proto(outgoing: Outgoing) -> bytes:
    """One frame. Raises CodecError: unsupported body, or larger than a TAK client can take."""
    frame = outgoing.original
    if frame is None:
        frame = proto_of_xml(write_event(outgoing.body))
    message = TakMessage.FromString(payload_of(frame))
    cot = message.cot_event
    label = outgoing.label
    cot.access = label.classification
    cot.caveat = ",".join(label.caveats)
    cot.releasable_to = ",".join(label.releasable_to)
    if outgoing.flow is not None:
        cot.detail.xml_detail = flow_spliced(cot.detail.xml_detail, outgoing.flow, outgoing.now_ms)
    return frame_of(message)


def frame_of(message: TakMessage) -> bytes:
    """The stream frame of a message, or CodecError when a TAK client cannot take it."""
    return framed(message.SerializeToString())


def cut_frames(stream: bytes | memoryview, limit_bytes: int) -> tuple[list[bytes], int]:
    """Whole frames at the beginning of a stream of ours, `limit_bytes` of them but at least one; and how many bytes.

    For transports that carry one frame in a message. The stream is well-formed: it is what `framed` gave.
    """
    frames: list[bytes] = []
    at = 0
    while at < len(stream):
        length, place = 0, 1
        while True:
            byte = stream[at + place]
            length |= (byte & 0x7F) << (7 * (place - 1))
            place += 1
            if byte < 0x80:
                break
        end = at + place + length
        if frames and end > limit_bytes:
            break
        frames.append(bytes(stream[at:end]))
        at = end
    return frames, at


def framed(payload: bytes) -> bytes:
    """A stream frame: magic byte, length, message. Raises CodecError("oversize") when no TAK client could take it."""
    head, length = bytearray((MAGIC,)), len(payload)
    while length > 0x7F:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    head.append(length)
    if len(head) + len(payload) > OUT_BYTES_MAX:
        raise CodecError("oversize", f"{len(payload)} bytes: a TAK client takes {OUT_BYTES_MAX} with the frame")
    return bytes(head) + payload


def payload_of(frame: bytes) -> bytes:
    """The TakMessage in a frame of ours."""
    at = 1
    while frame[at] & 0x80:
        at += 1
    return frame[at + 1 :]


def convert(original: Original, to_format: str) -> bytes:
    """The original of a statement in the other format, for Outgoing.original of that codec.

    Every element stays; what is lost is listed in README.md. Made once per statement and format,
    not per reader.

    Raises:
        CodecError: the statement does not fit into the other format.
        UsageError: a format that is not one of these two.
    """
    if original.format == to_format:
        return original.data
    if (original.format, to_format) == ("cot-xml", "tak-v1"):
        return proto_of_xml(original.data)
    if (original.format, to_format) == ("tak-v1", "cot-xml"):
        return xml_of_proto(original.data)
    raise UsageError(f"convert {original.format} to {to_format}: cot-xml and tak-v1 are allowed")


def proto_of_xml(data: bytes) -> bytes:
    """The frame of an XML event without header."""
    event, root = read_event(data)
    get = root.get
    point = next(child for child in root if child.tag == "point")
    message = TakMessage()
    cot = message.cot_event
    cot.type = event.type
    cot.uid = event.uid
    cot.access = get("access") or ""
    cot.qos = get("qos") or ""
    cot.opex = get("opex") or ""
    cot.caveat = get("caveat") or ""
    cot.releasable_to = get("releasableTo") or get("releaseableTo") or ""
    cot.send_time = event.at_ms
    cot.start_time = time_ms(get("start"))
    cot.stale_time = event.stale_ms
    cot.how = event.how or ""
    cot.lat = event.lat_deg
    cot.lon = event.lon_deg
    for name in ("hae", "ce", "le"):
        text = point.get(name)
        setattr(cot, name, number(text, name) if text else _UNKNOWN_M)
    for child in root:
        if child.tag == "detail":
            _write_detail(child, cot.detail)
    return frame_of(message)


def _write_detail(source: Element, detail: Detail) -> None:
    """Every child of source, typed where all of it maps, else as it is."""
    detail.SetInParent()
    children = tuple(source)
    tags = [child.tag for child in children]
    kept = [_stray_text(source.text)]
    for child in children:
        # Two of a name: protobuf has room for one, and xmlDetail would win over it.
        if not (tags.count(child.tag) == 1 and _write_typed(child, detail)):
            kept.append(outer_xml(child))
        kept.append(_stray_text(child.tail))
    detail.xml_detail = "".join(kept)


def _stray_text(text: str | None) -> str:
    """Text between the children of <detail>, which nobody should write; not white space."""
    return "" if text is None or text.isspace() else escape(text)


def _write_typed(child: Element, detail: Detail) -> bool:
    """Write child as a typed field, if every attribute maps; False = it must stay XML."""
    attributes = dict(child.items())
    if len(tuple(child)) or (child.text or "").strip():
        return False
    if child.tag in _WORDS:
        field, names = _WORDS[child.tag]
        if not attributes.keys() <= set(names) or not all(attributes.values()):
            return False
        typed = getattr(detail, field)
        typed.SetInParent()
        for name, value in attributes.items():
            setattr(typed, name, value)
        return True
    if child.tag == "status":
        battery = attributes.get("battery", "")
        if attributes.keys() != {"battery"} or not battery.isascii() or not battery.isdigit():
            return False
        if len(battery) > 9 or str(int(battery)) != battery:
            return False
        detail.status.SetInParent()
        detail.status.battery = int(battery)
        return True
    if child.tag == "track":
        if attributes.keys() != {"course", "speed"} or not all(attributes.values()):
            return False
        detail.track.SetInParent()
        detail.track.course = number(attributes["course"], "course")
        detail.track.speed = number(attributes["speed"], "speed")
        return True
    return False


def xml_of_proto(frame: bytes) -> bytes:
    """The XML event, in ASCII and without header, of a frame."""
    cot = _message(payload_of(frame)).cot_event
    attributes: dict[str, str | None] = {
        "version": "2.0",
        "uid": cot.uid,
        "type": cot.type,
        "time": iso_time(cot.send_time),
        "start": iso_time(cot.start_time),
        "stale": iso_time(cot.stale_time),
        "how": cot.how or None,
        "qos": cot.qos or None,
        "opex": cot.opex or None,
        "access": cot.access or None,
        "caveat": cot.caveat or None,
        "releasableTo": cot.releasable_to or None,
    }
    point = {name: repr(cast(float, getattr(cot, name))) for name in ("lat", "lon", "hae", "ce", "le")}
    inner = element("point", point)
    if cot.HasField("detail"):
        inner += f"<detail>{_detail_xml(cot.detail)}</detail>"
    data = element("event", attributes, inner).encode("ascii", "xmlcharrefreplace")
    if len(data) > OUT_BYTES_MAX:
        raise CodecError("oversize", f"{len(data)} bytes as XML: a TAK client takes {OUT_BYTES_MAX}")
    return data


def _detail_xml(detail: Detail) -> str:
    xml = detail.xml_detail
    wins = {child.tag for child in _xml_children(xml, 0)} if xml else set()
    typed = "".join(element(tag, attributes) for tag, attributes in _typed_parts(detail).items() if tag not in wins)
    return typed + xml
