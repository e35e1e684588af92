"""Filters: a search filter of LDAP (RFC 4515) with places for what a person typed.

The filter is taken apart once, when the node starts. What a person types is put into values that stand already: it can
never become a part of the filter's own form, whatever characters it holds.
"""

import re
from collections.abc import Mapping

import msgspec

from aquila.links.directory import ber

PLACES = ("name", "dn")
DEPTH_MAX = 16
_SETS = {"&": 0xA0, "|": 0xA1, "!": 0xA2}
_COMPARISONS = {"=": 0xA3, ">=": 0xA5, "<=": 0xA6, "~=": 0xA8}
_SUBSTRINGS, _PRESENT, _RULE = 0xA4, 0x87, 0xA9
_ITEM = re.compile(r"([A-Za-z][A-Za-z0-9.;-]*|[0-9.]+)(:[A-Za-z0-9.-]+(?=:=))?(=|>=|<=|~=|:=)([^()]*)")
_PIECE = re.compile(r"\{(\w+)\}|\\([0-9A-Fa-f]{2})|([^{}\\]+)")
_DN_SPECIAL = re.compile(r'([,+"\\<>;=])')


class Filter(msgspec.Struct, frozen=True):
    """A filter, or a part of one. `texts` are still as they were written, with their places."""

    tag: int
    attribute: str = ""
    texts: tuple[str, ...] = ()
    inner: tuple["Filter", ...] = ()
    rule: str = ""

    def encode(self, typed: Mapping[str, str]) -> bytes:
        """The filter as it goes over the wire. typed: what stands in each place."""
        if self.inner:
            return ber.tlv(self.tag, *(each.encode(typed) for each in self.inner))
        if self.tag == _PRESENT:
            return ber.octets(self.attribute, _PRESENT)
        texts = [_filled(text, typed) for text in self.texts]
        if self.tag == _RULE:
            rule = ber.octets(self.rule, 0x81) if self.rule else b""
            return ber.tlv(_RULE, rule, ber.octets(self.attribute, 0x82), ber.octets(texts[0], 0x83))
        if self.tag == _SUBSTRINGS:
            last = len(texts) - 1
            kinds = [0x80 if at == 0 else 0x82 if at == last else 0x81 for at in range(len(texts))]
            pieces = [ber.octets(text, kind) for text, kind in zip(texts, kinds, strict=True) if text]
            return ber.tlv(_SUBSTRINGS, ber.octets(self.attribute), ber.tlv(ber.SEQUENCE, *pieces))
        return ber.tlv(self.tag, ber.octets(self.attribute), ber.octets(texts[0]))


def read_filter(text: str) -> Filter:
    """Take a filter apart. Raises ValueError with a sentence."""
    found, rest = _read(text.strip(), text, 0)
    if rest:
        raise ValueError(f"filter {text!r}: {rest!r} stands behind its end")
    return found


def dn_value(text: str) -> str:
    """What a person typed, as a value inside a distinguished name (RFC 4514, 2.4)."""
    escaped = _DN_SPECIAL.sub(r"\\\1", text).replace("\0", "\\00")
    if escaped[:1] in {" ", "#"}:
        escaped = "\\" + escaped
    return escaped[:-1] + "\\ " if escaped.endswith(" ") and len(escaped) > 1 else escaped


def _read(text: str, whole: str, depth: int) -> tuple[Filter, str]:
    if not text.startswith("(") or depth > DEPTH_MAX:
        raise ValueError(f"filter {whole!r}: every part stands in round brackets, at most {DEPTH_MAX} deep")
    tag = _SETS.get(text[1:2])
    if tag is None:
        item, found, rest = text[1:].partition(")")
        if not found:
            raise ValueError(f"filter {whole!r}: a closing bracket is missing")
        return _item(item, whole), rest
    inner, rest = [], text[2:]
    while rest.startswith("("):
        part, rest = _read(rest, whole, depth + 1)
        inner.append(part)
    if not inner or not rest.startswith(")") or (text[1] == "!" and len(inner) != 1):
        raise ValueError(f"filter {whole!r}: {text[1]} is followed by parts in brackets, ! by one")
    return Filter(tag, inner=tuple(inner)), rest[1:]


def _item(text: str, whole: str) -> Filter:
    matched = _ITEM.fullmatch(text)
    if matched is None:
        raise ValueError(f"filter {whole!r}: {text!r} is not ATTRIBUTE=VALUE; brackets in it are written \\28, \\29")
    attribute, rule, sign, value = matched.groups()
    for piece in value.split("*"):
        _check(piece, whole)
    if sign == ":=":
        return Filter(_RULE, attribute, (value,), rule=(rule or "")[1:])
    if sign == "=" and value == "*":
        return Filter(_PRESENT, attribute)
    if sign == "=" and "*" in value:
        return Filter(_SUBSTRINGS, attribute, tuple(value.split("*")))
    return Filter(_COMPARISONS[sign], attribute, (value,))


def _check(text: str, whole: str) -> None:
    pieces = list(_PIECE.finditer(text))
    if "".join(piece[0] for piece in pieces) != text:
        raise ValueError(f"filter {whole!r}: in {text!r} a {{ }} or \\ stands alone; write it as \\7b, \\7d or \\5c")
    for piece in pieces:
        if piece[1] and piece[1] not in PLACES:
            raise ValueError(f"filter {whole!r}: {piece[0]} is no place; allowed: {{name}}, {{dn}}")


def _filled(text: str, typed: Mapping[str, str]) -> bytes:
    return b"".join(
        typed[place].encode() if place else bytes.fromhex(code) if code else plain.encode()
        for place, code, plain in (piece.groups() for piece in _PIECE.finditer(text))
    )
