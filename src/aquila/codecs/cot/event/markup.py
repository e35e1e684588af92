"""CoT as ASCII XML: text, elements, whole events."""

import re
from collections.abc import Mapping

from aquila.codecs.cot.event.values import iso_time
from aquila.core.model import TIME_MAX_MS

_PLAIN = re.compile(r"[ !#-%(-;=?-~]*")
_SPECIAL = re.compile(r"[^ !#-%(-;=?-~]")
_ILLEGAL = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escape(text: str) -> str:
    """Text as ASCII XML for attribute or element, without what XML cannot carry."""
    if _PLAIN.fullmatch(text):
        return text
    return _SPECIAL.sub(_reference, _ILLEGAL.sub("", text))


def carries(text: str) -> bool:
    """Whether XML can carry every character of text."""
    return _ILLEGAL.search(text) is None


def _reference(match: "re.Match[str]") -> str:
    return f"&#{ord(match[0])};"


def element(tag: str, attributes: Mapping[str, str | None], inner: str = "") -> str:
    """An element; attributes that are None are left out; inner is XML already."""
    head = tag + "".join(f' {key}="{escape(value)}"' for key, value in attributes.items() if value is not None)
    return f"<{head}>{inner}</{tag}>" if inner else f"<{head}/>"


def event_xml(
    *,
    uid: str,
    cot_type: str,
    at_ms: int,
    stale_ms: int,
    how: str,
    detail: str,
    point: str = '<point lat="0.0" lon="0.0" hae="9999999.0" ce="9999999.0" le="9999999.0"/>',
) -> bytes:
    """An event as ASCII XML without header; detail is the inside of <detail>."""
    at = iso_time(at_ms)
    head = (
        f'<event version="2.0" uid="{escape(uid)}" type="{escape(cot_type)}"'
        f' time="{at}" start="{at}" stale="{iso_time(min(stale_ms, TIME_MAX_MS - 1))}"'
        f' how="{escape(how)}">'
    )
    return f"{head}{point}<detail>{detail}</detail></event>".encode("ascii")
