"""A splice that re-sends: the original with header, marking and flow tag, every other byte as it came.

At most 65,535 bytes with header, pure ASCII, nothing after `</event>` (ATAK's buffer, and clients
that decode each chunk alone).
"""

import re
from functools import lru_cache
from typing import Final

from aquila.codecs.cot.event import FLOW_PREFIX, escape, iso_time, write_event
from aquila.codecs.cot.xml.possessive import possessive
from aquila.codecs.cot.xml.tree import ATTRIBUTE
from aquila.core.codec import Outgoing
from aquila.core.errors import CodecError, UsageError
from aquila.core.model import Label

OUT_BYTES_MAX: Final = 65_535
HEADER: Final = b'<?xml version="1.0" encoding="UTF-8"?>\n'

_MARK_NAME = rb"""(?:access|caveat|releas(?:e)?ableTo)\s*="""
_UNMARKING = possessive(
    rb"(?:\s++(?!" + _MARK_NAME + rb""")[^\s=<>/"']++\s*=\s*(?:"[^"]*"|'[^']*'))*+""",
)
_MARKING = re.compile(rb"\s+" + _MARK_NAME + rb"""\s*(?:"[^"]*"|'[^']*')""")
# Flow tags as the last child of the detail that is the last child of the event: proves where they
# stand.
_LAST_FLOW = possessive(rb"<_flow-tags_((?:" + ATTRIBUTE + rb")*+)\s*/>\s*</detail\s*>\s*</event\s*>\Z")
_LAST_DETAIL = re.compile(rb"</detail\s*>\s*</event\s*>\Z")
_TAG = possessive(rb"<(/?)([^\s/>]+)((?:" + ATTRIBUTE + rb")*+)\s*(/?)>")
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
    """The event without the attributes that mark it.

    Phones mark with `access` alone and write double quotes: then a `>` behind whole values ends the start tag, and so
    does ` access="` behind whole values begin an attribute of it.
    """
    end = original.find(b">")
    at = original.find(b' access="', 0, end)
    if (
        at < 0
        or original.find(b"'", 0, end) >= 0
        or original.count(b'"', 0, at) & 1
        or original.count(b'"', at, end) & 1
        or original.find(b"caveat", 0, end) >= 0
        or original.find(b"ableTo", 0, end) >= 0
    ):
        return _unmarked_one_by_one(original)
    return original[:at] + original[original.index(b'"', at + 9) + 1 :]


def _unmarked_one_by_one(original: bytes) -> bytes:
    """The same however it is written; one pass over its start tag, attribute by attribute."""
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
