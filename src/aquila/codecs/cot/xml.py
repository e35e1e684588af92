"""CoT as XML: a byte framer with limits, one lxml parse an event, a splice that re-sends.

In: at most 60,000 bytes, counted in the ASCII form that leaves again; depth 32, 2,000 elements, 64
attributes an element, 8 KiB an attribute. Nothing that begins with `<!` or `<?` is let near the
parser. Out: at most 65,535 bytes with header, pure ASCII, nothing after `</event>` (ATAK's buffer,
and clients that decode each chunk alone).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, cast

from lxml import etree

from aquila.codecs.cot.event import (
    FLOW_PREFIX,
    Element,
    Event,
    Part,
    body_of,
    escape,
    flow_of,
    iso_time,
    marking_of,
    metres,
    number,
    radius,
    time_ms,
    write_event,
)
from aquila.core.codec import Control, Decoded, Outgoing
from aquila.core.errors import CodecError, UsageError
from aquila.core.model import Label

EVENT_BYTES_MAX: Final = 60_000
OUT_BYTES_MAX: Final = 65_535
LOST_BYTES_MAX: Final = 1 << 20
HEADER_BYTES_MAX: Final = 1024
DEPTH_MAX: Final = 32
ELEMENTS_MAX: Final = 2_000
ATTRIBUTES_MAX: Final = 64
ATTRIBUTE_BYTES_MAX: Final = 8_192
HEADER: Final = b'<?xml version="1.0" encoding="UTF-8"?>\n'

_WHITE: Final = b" \t\r\n\xef\xbb\xbf"
"""White space between documents, and the byte order mark that some writers put first."""

# --- framing --------------------------------------------------------------------------------------

# A start tag whole. `<` is legal in no attribute value, so that a lost end can never swallow the
# next event.
_START_TAG = re.compile(rb"""<event(?=[\s/>])[^"'<>]*+(?:"[^"<]*+"[^"'<>]*+|'[^'<]*+'[^"'<>]*+)*+>""")
_OUTSIDE_QUOTES = re.compile(rb"""["'<>]""")
_INSIDE_QUOTES = {0x22: re.compile(rb'["<]'), 0x27: re.compile(rb"['<]")}
_START = re.compile(rb"<event[\s/>]")
_END_OR_START = re.compile(rb"</event\s{0,64}>|<event[\s/>]")
_CUT_SHORT = re.compile(rb"<(?:/?e?|/?ev|/?eve|/?even|event|/event\s{0,64})\Z")
_CUT_SHORT_BYTES: Final = 72
_ENCODING = re.compile(rb"""encoding\s*=\s*["']([^"']*)["']""", re.IGNORECASE)
_ENCODINGS: Final = frozenset({b"utf-8", b"us-ascii", b"ascii"})
_OPENINGS: Final = (b"<event ", b"<?xml ", b"<auth>")

Read = Decoded | Control | CodecError


class XmlDecoder:
    """One incoming stream of CoT XML. What it answers does not depend on where the network cuts.

    A small machine of four states, each a method that gives whether it got any further. `_start` is
    where the event at hand begins in `_buffer`, `_at` is where its search goes on, so that no byte
    is searched twice.
    """

    broken: bool = False

    def __init__(self) -> None:
        self._buffer: bytes | bytearray = b""
        self._start = 0
        self._at = 0
        self._step = self._between
        self._quote = 0  # In a start tag that the network cut: the quote that is open, 0 = none.
        self._lost_bytes = 0  # Bytes since the last end of an event that led to none.
        self._refusal: CodecError | None = None  # What stood before the next event forbids it.
        self._auth_may_come = True
        self._found: list[Read] = []

    def feed(self, data: bytes) -> Iterator[Decoded | CodecError]:
        """Bodies and errors of what is complete; what concerns the connection only is left out."""
        return (one for one in self.read(data) if not isinstance(one, Control))

    def read(self, data: bytes) -> list[Read]:
        """Like feed, with controls. It stops behind a protocol request: see rest()."""
        if self.broken:
            return []
        if self._buffer:
            self._buffer += data
        else:
            self._buffer = data
        while self._step():
            pass
        self._forget()
        found, self._found = self._found, []
        return found

    def rest(self) -> bytes:
        """Takes out the bytes that were not read yet, for a decoder of another format."""
        rest = bytes(self._buffer)
        self._buffer = b""
        self._start = self._at = 0
        return rest

    def _forget(self) -> None:
        """Drop what is done with from the buffer."""
        done = self._start
        if done == len(self._buffer):
            self._buffer = b""
        elif isinstance(self._buffer, bytearray):
            del self._buffer[:done]
        else:
            self._buffer = bytearray(memoryview(self._buffer)[done:])
        self._start = 0
        self._at -= done

    def _between(self) -> bool:
        """Between events: white space, an XML header, once an <auth> document, or an event."""
        buffer, at = self._buffer, self._start
        size = len(buffer)
        while at < size and buffer[at] in _WHITE:
            at += 1
        self._start = self._at = at
        head = bytes(buffer[at : at + 7])
        if len(head) == 7 and head[:6] == b"<event" and head[6] in b" \t\r\n/>":
            self._step = self._in_tag
            return True
        if len(head) < 7 and any(opening.startswith(head[:6]) for opening in _OPENINGS):
            return False
        if head[:5] == b"<?xml":
            return self._skip(b"?>", HEADER_BYTES_MAX)
        if head[:6] == b"<auth>" and self._auth_may_come:
            return self._skip(b"</auth>", 4 * HEADER_BYTES_MAX)
        if head[:2] == b"<!":
            self._lose(CodecError("dtd", "<! is not allowed: no DTD, entity, comment or CDATA"))
            self._refusal = CodecError("dtd", "an event behind a DTD")
            return True
        return self._lose(CodecError("syntax", f"{head!r}: an event is expected"))

    def _skip(self, end: bytes, bytes_max: int) -> bool:
        """Pass over a header or an <auth> document."""
        buffer, start = self._buffer, self._start
        at = buffer.find(end, start, start + bytes_max)
        if at < 0:
            if len(buffer) - start < bytes_max:
                return False
            return self._lose(CodecError("oversize", f"{end!r} is expected within {bytes_max} bytes"))
        if end == b"?>":
            encoding = _ENCODING.search(bytes(buffer[start:at]))
            if encoding is not None and encoding[1].lower() not in _ENCODINGS:
                self._refusal = CodecError("encoding", "the XML header does not say UTF-8")
        else:
            self._auth_may_come = False
            self._found.append(Control("auth"))
        self._start = self._at = at + len(end)
        return True

    def _in_tag(self) -> bool:
        """In the start tag: find its end outside quotes; one that closes itself is an event."""
        buffer, start = self._buffer, self._start
        if self._at == start:
            match = _START_TAG.match(buffer, start)
            if match is not None and match.end() - start <= EVENT_BYTES_MAX:
                return self._tag_ends(match.end())
            self._at = start + 6
        while True:
            pattern = _INSIDE_QUOTES.get(self._quote, _OUTSIDE_QUOTES)
            match = pattern.search(buffer, self._at)
            self._at = at = len(buffer) if match is None else match.start()
            if at - start >= EVENT_BYTES_MAX:
                return self._lose_oversize()
            if match is None:
                return False
            byte = buffer[at]
            if byte == 0x3C:
                return self._lose(CodecError("syntax", "< in a start tag"))
            self._at = at + 1
            if self._quote:
                self._quote = 0
            elif byte == 0x3E:
                return self._tag_ends(at + 1)
            else:
                self._quote = byte

    def _tag_ends(self, at: int) -> bool:
        self._at = at
        if self._buffer[at - 2] == 0x2F:
            return self._finish(at)
        self._step = self._in_event
        return True

    def _in_event(self) -> bool:
        """Behind the start tag: find the end, or the next event where the end got lost."""
        buffer = self._buffer
        limit = self._start + EVENT_BYTES_MAX
        match = _END_OR_START.search(buffer, self._at, limit)
        if match is not None:
            at, end = match.span()
            if buffer[at + 1] == 0x2F:
                return self._finish(end)
            self._at = at
            return self._lose(CodecError("syntax", "a new event begins before </event>"))
        size = len(buffer)
        if size >= limit:
            return self._lose_oversize()
        tail_at = max(self._at, size - _CUT_SHORT_BYTES)
        cut = _CUT_SHORT.search(bytes(buffer[tail_at:size]))
        self._at = size if cut is None else tail_at + cut.start()
        return False

    def _finish(self, end: int) -> bool:
        """The event at hand ends at end: read it. False behind a protocol request."""
        buffer = self._buffer
        data = buffer[self._start : end] if type(buffer) is bytes else bytes(memoryview(buffer)[self._start : end])
        self._start = self._at = end
        self._step = self._between
        self._lost_bytes = 0
        self._auth_may_come = False
        one: Read
        try:
            if self._refusal is not None:
                raise self._refusal
            one = decode_event(data)
        except CodecError as error:
            one = error
            self._refusal = None
        self._found.append(one)
        return not (type(one) is Control and one.kind == "protocol-request")

    def _lose_oversize(self) -> bool:
        # Six bytes may be the beginning of the next event, cut by the limit.
        self._at = self._start + EVENT_BYTES_MAX - 6
        return self._lose(CodecError("oversize", f"an event may have {EVENT_BYTES_MAX} bytes"))

    def _lose(self, error: CodecError) -> bool:
        """Give up the event at hand; look for the next from `_at` on."""
        self._found.append(error)
        self._lost_bytes += self._at - self._start
        self._start = self._at
        self._quote = 0
        self._refusal = None
        self._step = self._lost
        return True

    def _lost(self) -> bool:
        """After an error: find the next event; 1 MiB without any breaks the stream."""
        match = _START.search(self._buffer, self._start)
        at = max(self._start, len(self._buffer) - 6) if match is None else match.start()
        self._lost_bytes += at - self._start
        self._start = self._at = at
        if self._lost_bytes > LOST_BYTES_MAX:
            self.broken = True
            self._found.append(CodecError("oversize", f"no event ended in {LOST_BYTES_MAX} bytes"))
            return False
        if match is not None:
            self._step = self._in_tag
        return match is not None


# --- reading --------------------------------------------------------------------------------------

_ATTRIBUTE = rb"""\s+[^\s=<>/"']+\s*=\s*(?:"[^"]*"|'[^']*')"""
_ONE_ATTRIBUTE = re.compile(_ATTRIBUTE)
_ATTRIBUTES_OF_TAG = re.compile(rb"[^\s/>]+((?:" + _ATTRIBUTE + rb")*+)")
_FORBIDDEN = re.compile(rb"<[!?]")
# Nobody asks for an element by its xml:id: the parser need not collect them.
_PARSER: Final = etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    huge_tree=False,
    remove_comments=False,
    collect_ids=False,
)


def parse(data: bytes) -> Element:
    """The root element of an XML document that keeps every limit; raises CodecError."""
    if _FORBIDDEN.search(data) is not None:
        if b"<!" in data:
            raise CodecError("dtd", "<! is not allowed: no DTD, entity, comment or CDATA")
        raise CodecError("syntax", "<? is not allowed inside an event")
    is_ascii = data.isascii()
    if not is_ascii:
        _check_encoding(data)
    # Every element needs a `<`, every attribute a `=`: few of them in a short event break no limit.
    is_small = data.count(b"<") <= DEPTH_MAX and data.count(b"=") <= ATTRIBUTES_MAX and len(data) <= ATTRIBUTE_BYTES_MAX
    if not is_small:
        _check_counts(data)
    try:
        root = cast(Element, etree.fromstring(data, _PARSER))
    except etree.XMLSyntaxError as error:
        raise CodecError("syntax", str(error)) from error
    if not is_small:
        _check_limits(root)
    if not is_ascii:
        _check_names(root)
    return root


def outer_xml(one: Element) -> str:
    """The element as text, with the namespaces it needs."""
    return etree.tostring(cast(etree._Element, one), encoding="unicode", with_tail=False)  # noqa: SLF001


def _check_encoding(data: bytes) -> None:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise CodecError("encoding", f"not UTF-8: {error.reason} at byte {error.start}") from error
    if len(text.encode("ascii", "xmlcharrefreplace")) > EVENT_BYTES_MAX:
        raise CodecError("oversize", f"an event may have {EVENT_BYTES_MAX} bytes with character references")


def _check_counts(data: bytes) -> None:
    """Elements and attributes, before the parser spends milliseconds on thousands of them."""
    if data.count(b"<") - data.count(b"</") > ELEMENTS_MAX:
        raise CodecError("elements", f"an event may have {ELEMENTS_MAX} elements")
    for tag in data.split(b"<"):
        if tag.count(b"=") > ATTRIBUTES_MAX:
            found = _ATTRIBUTES_OF_TAG.match(tag)
            if found is not None and len(_ONE_ATTRIBUTE.findall(found[1])) > ATTRIBUTES_MAX:
                raise CodecError("attributes", f"an element may have {ATTRIBUTES_MAX} attributes")


def _check_limits(root: Element) -> None:
    """Depth, elements, attributes; without recursion, for the depth is what is to be limited."""
    elements = 0
    level = [root]
    for _ in range(DEPTH_MAX):
        elements += len(level)
        if elements > ELEMENTS_MAX:
            raise CodecError("elements", f"an event may have {ELEMENTS_MAX} elements")
        for one in level:
            attributes = one.items()
            if len(attributes) > ATTRIBUTES_MAX:
                raise CodecError("attributes", f"an element may have {ATTRIBUTES_MAX} attributes")
            for _, value in attributes:
                if len(value) > ATTRIBUTE_BYTES_MAX or len(value.encode()) > ATTRIBUTE_BYTES_MAX:
                    raise CodecError("attributes", f"an attribute may have {ATTRIBUTE_BYTES_MAX} bytes")
        level = [child for one in level for child in one]
        if not level:
            return
    raise CodecError("depth", f"elements may be {DEPTH_MAX} deep")


def _check_names(root: Element) -> None:
    """Names must be ASCII: there is no character reference for a name, and what leaves is ASCII."""
    level = [root]
    while level:
        for one in level:
            if not (one.tag.isascii() and all(name.isascii() for name, _ in one.items())):
                raise CodecError("encoding", "names of elements and attributes must be ASCII")
        level = [child for one in level for child in one]


def read_event(data: bytes) -> tuple[Event, Element]:
    """The event in data as it stands, and its root element; raises CodecError."""
    root = parse(data)
    point, children = _point_and_children(root)
    return _event(dict(root.items()), point, children), root


def _point_and_children(root: Element) -> tuple[Element, tuple[Element, ...]]:
    """The point of an event and the children of its detail."""
    if root.tag != "event":
        raise CodecError("type", f"<{root.tag[:40]}>: <event> without a namespace is needed")
    point = detail = None
    for child in root:
        tag = child.tag
        if tag == "point":
            if point is not None:
                raise CodecError("elements", "an event has one <point>")
            point = child
        elif tag == "detail":
            if detail is not None:
                raise CodecError("elements", "an event has one <detail>")
            detail = child
    if point is None:
        raise CodecError("missing", "an event needs a <point>")
    return point, () if detail is None else tuple(detail)


def _event(said: Mapping[str, str], point: Part, children: Sequence[Element]) -> Event:
    """The event with these attributes, this point and these children of its detail."""
    time, start = said.get("time"), said.get("start")
    at_ms = time_ms(time)
    if start != time:
        time_ms(start)
    get = point.get
    return Event(
        said.get("uid", ""),
        said.get("type", ""),
        at_ms,
        time_ms(said.get("stale")),
        said.get("how"),
        number(get("lat"), "lat"),
        number(get("lon"), "lon"),
        metres(get("hae"), "hae"),
        radius(get("ce"), "ce"),
        radius(get("le"), "le"),
        {child.tag: child for child in reversed(children)},
        children,
    )


def decode_event(data: bytes) -> Decoded | Control:
    """What one event says; data is exactly `<event ...>...</event>`. Raises CodecError."""
    root = parse(data)
    said = dict(root.items())
    event = _event(said, *_point_and_children(root))
    try:
        body = body_of(event)
    except ValueError as error:
        raise CodecError("range", str(error)) from error
    if isinstance(body, Control):
        return body
    get = said.get
    label = marking_of(get("access"), get("caveat"), get("releasableTo") or get("releaseableTo"))
    return Decoded(body, data, label, flow_of(event.parts, event.children))


# --- writing --------------------------------------------------------------------------------------

_MARK_NAME = rb"""(?:access|caveat|releas(?:e)?ableTo)\s*="""
_UNMARKING = re.compile(
    rb"(?:\s++(?!" + _MARK_NAME + rb""")[^\s=<>/"']++\s*=\s*(?:"[^"]*"|'[^']*'))*+""",
)
_MARKING = re.compile(rb"\s+" + _MARK_NAME + rb"""\s*(?:"[^"]*"|'[^']*')""")
# Flow tags as the last child of the detail that is the last child of the event: proves where they
# stand.
_LAST_FLOW = re.compile(rb"<_flow-tags_((?:" + _ATTRIBUTE + rb")*+)\s*/>\s*</detail\s*>\s*</event\s*>\Z")
_LAST_DETAIL = re.compile(rb"</detail\s*>\s*</event\s*>\Z")
_TAG = re.compile(rb"<(/?)([^\s/>]+)((?:" + _ATTRIBUTE + rb")*+)\s*(/?)>")
_FLOW_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}")


def encode_xml(outgoing: Outgoing) -> bytes:
    """One event with header, or CodecError: unsupported body, larger than a TAK client takes."""
    original = outgoing.original
    if original is None:
        original = write_event(outgoing.body)
    data = splice(original, outgoing.label, outgoing.flow, outgoing.now_ms)
    if len(data) > OUT_BYTES_MAX:
        raise CodecError("oversize", f"{len(data)} bytes: a TAK client takes {OUT_BYTES_MAX}")
    return data


def splice(original: bytes, label: Label, flow: str | None, now_ms: int) -> bytes:
    """The original with header, marking and flow tag, in ASCII; every other byte stays."""
    if not original.isascii():
        original = original.decode().encode("ascii", "xmlcharrefreplace")
    if b"access" in original or b"caveat" in original or b"ableTo" in original:
        original = _unmarked(original)
    begin = _beginning(label)
    if flow is None:
        return begin + original[6:]
    tag = _flow_tag(flow, now_ms)
    if b"<_flow-tags_" not in original and original.endswith(b"</detail></event>"):
        return b"%b%b<_flow-tags_%b/></detail></event>" % (begin, original[6:-17], tag)
    return begin + _with_flow(original, flow, tag)[6:]


def _unmarked(original: bytes) -> bytes:
    """The event without the attributes that mark it; one pass over its start tag, attribute by attribute."""
    kept: list[bytes] = []
    at, until = 0, 6
    while True:
        others = _UNMARKING.match(original, until)
        until = until if others is None else others.end()
        marking = _MARKING.match(original, until)
        if marking is None:
            kept.append(original[at:])
            return b"".join(kept)
        kept.append(original[at:until])
        at = until = marking.end()


def flow_spliced(xml_detail: str, flow: str, now_ms: int) -> str:
    """The inside of a <detail> with our flow tag."""
    tag = _flow_tag(flow, now_ms)
    if "<_flow-tags_" not in xml_detail:
        return f"{xml_detail}<_flow-tags_{tag.decode()}/>"
    whole = b"<event><detail>%b</detail></event>" % xml_detail.encode()
    return _with_flow(whole, flow, tag)[15:-17].decode()


def _with_flow(original: bytes, flow: str, tag: bytes) -> bytes:
    """The event with our attribute among its flow tags; one that is ours already is replaced."""
    before, inside, after = _flow_place(original)
    return before + _flow_attribute(flow).sub(b"", inside) + tag + after


@lru_cache(maxsize=256)
def _flow_attribute(flow: str) -> "re.Pattern[bytes]":
    name = re.escape((FLOW_PREFIX + flow).encode())
    return re.compile(rb"\s+" + name + rb"""\s*=\s*(?:"[^"]*"|'[^']*')""")


@lru_cache(maxsize=1024)
def _beginning(label: Label) -> bytes:
    """Header, `<event` and the marking."""
    marks = [("access", label.classification)]
    if label.caveats:
        marks.append(("caveat", ",".join(label.caveats)))
    if label.releasable_to:
        marks.append(("releasableTo", ",".join(label.releasable_to)))
    text = "".join(f' {name}="{escape(value)}"' for name, value in marks)
    return HEADER + b"<event" + text.encode("ascii")


@lru_cache(maxsize=256)
def _flow_tag(flow: str, now_ms: int) -> bytes:
    """Our attribute of `_flow-tags_`."""
    if not _FLOW_NAME.fullmatch(flow):
        raise UsageError(f"flow identity {flow!r}: 1 to 128 of A-Z a-z 0-9 . _ - are allowed")
    return f' {FLOW_PREFIX}{flow}="{iso_time(now_ms)}"'.encode("ascii")


def _flow_place(original: bytes) -> tuple[bytes, bytes, bytes]:
    """Where our flow tag goes: what stands before, the flow tags there are, what comes after."""
    at = original.find(b"<_flow-tags_")
    if at >= 0:
        flow = _LAST_FLOW.match(original, at)
        if flow is not None:
            return original[: flow.start(1)], flow[1], original[flow.end(1) :]
    else:
        detail = _LAST_DETAIL.search(original)
        if detail is not None:
            at = detail.start()
            return original[:at] + b"<_flow-tags_", b"", b"/>" + original[at:]
    return _flow_place_by_depth(original)


def _flow_place_by_depth(original: bytes) -> tuple[bytes, bytes, bytes]:
    """The same for an event that is written unusually: walks its tags and counts the depth."""
    depth = 0
    in_detail = False
    for tag in _TAG.finditer(original):
        closing, name, closed = tag[1] == b"/", tag[2], tag[4] == b"/"
        depth -= closing
        if depth == 1 and name == b"detail":
            in_detail = not closing
            if closed:
                head = original[: tag.end(3)] + b"><_flow-tags_"
                return head, b"", b"/></detail>" + original[tag.end() :]
            if closing:
                return (
                    original[: tag.start()] + b"<_flow-tags_",
                    b"",
                    b"/>" + original[tag.start() :],
                )
        elif depth == 2 and in_detail and name == b"_flow-tags_" and not closing:
            return original[: tag.start(3)], tag[3], original[tag.end(3) :]
        elif depth == 0 and closing:
            flow = b"/></detail>"
            return (
                original[: tag.start()] + b"<detail><_flow-tags_",
                b"",
                flow + original[tag.start() :],
            )
        depth += not closing and not closed
    raise CodecError("syntax", "the original is no whole event")
