"""One event as a tree: the limits that every XML document keeps, and one lxml parse.

At most 60,000 bytes, counted in the ASCII form that leaves again; depth 32, 2,000 elements, 64
attributes an element, 8 KiB an attribute. Nothing that begins with `<!` or `<?` is let near the
parser.
"""

import re
from typing import Final, cast

from lxml import etree

from aquila.codecs.cot.event import Element
from aquila.codecs.cot.xml.possessive import possessive
from aquila.core.errors import CodecError

EVENT_BYTES_MAX: Final = 60_000
DEPTH_MAX: Final = 32
ELEMENTS_MAX: Final = 2_000
ATTRIBUTES_MAX: Final = 64
ATTRIBUTE_BYTES_MAX: Final = 8_192

ATTRIBUTE = rb"""\s+[^\s=<>/"']+\s*=\s*(?:"[^"]*"|'[^']*')"""
_ONE_ATTRIBUTE = re.compile(ATTRIBUTE)
_ATTRIBUTES_OF_TAG = possessive(rb"[^\s/>]+((?:" + ATTRIBUTE + rb")*+)")
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


EVENT_NAMES: Final = ("uid", "type", "time", "start", "stale", "how")
POINT_NAMES: Final = ("lat", "lon", "hae", "ce", "le")
MARK_NAMES: Final = ("access", "caveat", "releasableTo", "releaseableTo")
Head = tuple[str | None, ...]
"""The EVENT_NAMES of an event, the POINT_NAMES of its point, its MARK_NAMES; None = absent."""
MARKS: Final = slice(len(EVENT_NAMES) + len(POINT_NAMES), None)
"""The marks in a head."""


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


def head_of(root: Element, point: Element) -> Head:
    """The head of an event with this point."""
    get = root.get
    return (*map(get, EVENT_NAMES), *map(point.get, POINT_NAMES), *map(get, MARK_NAMES))


def point_and_children(root: Element) -> tuple[Element, tuple[Element, ...]]:
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
