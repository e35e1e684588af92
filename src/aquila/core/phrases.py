"""Which sentence of the node a line is, and what stands in its gaps: so that a page says it in its own language.

A paper carries one line of English, made when it was written, here or on another node. That line is read back by the
table of all sentences (see `phrase_table`). What is no sentence of it, people wrote: it stays as it is.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

import msgspec

from aquila.core.dtg import dtg
from aquila.core.model import Act, Body, Foreign, Paper, Receipt, Removal
from aquila.core.phrase_table import DEEDS, DETAILS, NAMED, PHRASES, SEALED, WRITTEN

TEXT_MAX = 500
"""Characters of a line that is read."""
TRIES_MAX = 6
"""Places that are tried for the end of one gap: a line of nothing but commas costs no more than another."""
DETAIL_MAX = 100
NUMBER_LENGTH = 8
_ID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|[0-9a-fA-F]{24,}")
"""An id that was made by a machine for machines: a UUID, a digest, a serial number."""
LISTENER = "listener:"
"""How ids of doors begin where nobody logs in."""
GUESTS = frozenset({"link.up", "link.down"})
GUEST_SAYS = frozenset({"address", "callsign"})
"""What of such acts tells who it was."""
_GAP = re.compile(r"\{(\w+)(?:([:?*])([\w.]+))?\}")


class Phrase(msgspec.Struct, frozen=True):
    """A sentence of the node.

    Attributes:
        act: its key, "tasks.task.drafted".
        words: what stands in its gaps: text, or `{"act": ..., "words": ...}` of a phrase in the sentence, or several.
    """

    act: str
    words: dict[str, Any] = {}

    def or_text(self, text: str) -> str | dict[str, Any]:
        """As it stands in a gap of another sentence; the text where it is no sentence."""
        if not self.act:
            return text
        return {"act": self.act, "words": self.words} if self.words else {"act": self.act}


NONE = Phrase("")
"""Of what somebody wrote, or a newer node said."""


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of English with the sentence that it is. act, words: see `Phrase`; "" = of none."""

    text: str
    act: str = ""
    words: dict[str, Any] = {}


class _Gap(NamedTuple):
    """A gap: its name, the group that it takes ("" = any text), whether it takes nothing else, or several of these."""

    name: str
    group: str
    is_strict: bool
    is_list: bool


class _Template(NamedTuple):
    """One sentence: what stands before the first gap, then each gap with what follows it."""

    act: str
    start: str
    gaps: tuple[tuple[_Gap, str], ...]


def phrase_of(body: Body | None, kind: str, *, is_sealed: bool = False) -> Phrase:
    """The sentence that an entry's line is. kind: of the envelope, for what cannot be read here."""
    if is_sealed:
        return Phrase("entry.sealed")
    match body:
        case Paper():
            return phrase_of_line(body.type, body.action, body.summary)
        case Act():
            return _phrase_of_act(body)
        case Removal():
            return Phrase("entry.removal", {"name": body.alias.value})
        case Receipt():
            reference = number(body.reference) if _ID.fullmatch(body.reference) else body.reference
            return Phrase(f"entry.{body.state}", {"reference": reference})
        case Foreign():
            return Phrase("entry.foreign", {"type": body.type, "name": body.alias.value})
        case None:
            return Phrase("entry.unreadable", {"kind": kind})
        case _:
            return NONE


def phrase_of_line(type: str, action: str, line: str) -> Phrase:
    """The sentence that the line of a paper is. Nothing where people wrote it."""
    if type in SEALED:
        return Phrase("entry.sealed")
    return NONE if (type, action) in WRITTEN else phrase_in(type, line)


def phrase_in(group: str, text: str) -> Phrase:
    """The first phrase of a group that this text is; `NONE` where it is none."""
    if len(text) <= TEXT_MAX:
        for template in _templates(group):
            words = _read(template, text)
            if words is not None:
                return Phrase(template.act, words)
    return NONE


def told_in(group: str, lines: Iterable[str]) -> tuple[Told, ...]:
    """Lines of one group, each with its sentence."""
    return tuple(Told(line, said.act, said.words) for line in lines for said in (phrase_in(group, line),))


def _phrase_of_act(act: Act) -> Phrase:
    if act.action not in DEEDS:
        return NONE
    is_guest = act.action in GUESTS and act.target.startswith(LISTENER)
    target = _guest(act) if is_guest else _target(act)
    detail = _details(act, GUEST_SAYS if is_guest else frozenset())
    return Phrase(f"did.{act.action.replace('.', '_')}", {"target": target, "detail": detail})


def _details(act: Act, without: frozenset[str]) -> dict[str, Any] | str:
    """What else an act tells; "" = nothing."""
    keys = [key for key in DETAILS if key not in without]
    told = [each for key in keys if (each := _told(key, act.detail.get(key, ""))) is not None]
    return {"act": "told.with", "words": {"parts": told}} if told else ""


def _guest(act: Act) -> str | dict[str, Any]:
    """Who came in by a door where nobody logs in: by its callsign, else by its address."""
    via = act.target.removeprefix(LISTENER).upper()
    address, callsign = (act.detail.get(key, "")[:DETAIL_MAX] for key in ("address", "callsign"))
    if callsign:
        return f"{callsign} ({via}, {address})" if address else callsign
    if address:
        return {"act": "told.guest", "words": {"via": via, "address": address}}
    return {"act": "told.guest_nowhere", "words": {"via": via}}


def _told(key: str, value: str) -> dict[str, Any] | None:
    """One thing that an act tells, as a phrase; None = it does not."""
    name = key.removesuffix("_ms")
    if name != key:
        value = dtg(int(value)) if value.isdecimal() else ""
    group = DETAILS[key]
    said = phrase_in(group, value).or_text(value[:DETAIL_MAX]) if group else value[:DETAIL_MAX].replace(",", ", ")
    return {"act": f"detail.{name}", "words": {"value": said}} if value else None


def _target(act: Act) -> str | dict[str, Any]:
    """Whom or what an act is about: by its name where it has one, never by an id that nobody can read."""
    is_bare = _ID.fullmatch(act.target) is not None
    name = act.detail.get("name", "") if is_bare or act.action in NAMED else ""
    if name:
        return name[:DETAIL_MAX]
    return number(act.target) if is_bare else act.target


def number(id: str) -> dict[str, Any]:
    """The beginning of an id that nobody can read whole, as a phrase."""
    return {"act": "told.number", "words": {"id": id[:NUMBER_LENGTH]}}


@cache
def _templates(group: str) -> tuple[_Template, ...]:
    return tuple(_template(f"{group}.{name}", english) for name, english in PHRASES.get(group, ()))


def _template(act: str, english: str) -> _Template:
    found = list(_GAP.finditer(english))
    ends = [*(each.start() for each in found), len(english)]
    gaps = tuple(
        (_Gap(each[1], each[3] or "", each[2] == ":", each[2] == "*"), english[each.end() : ends[place + 1]])
        for place, each in enumerate(found)
    )
    return _Template(act, english[: ends[0]], gaps)


def _read(template: _Template, text: str) -> dict[str, Any] | None:
    if not text.startswith(template.start):
        return None
    rest = text[len(template.start) :]
    if not template.gaps:
        return None if rest else {}
    return _fill(template.gaps, rest)


def _fill(gaps: tuple[tuple[_Gap, str], ...], text: str) -> dict[str, Any] | None:
    """What stands in these gaps if they make up this text."""
    (gap, after), *others = gaps
    if not others:
        value = _value(gap, text[: len(text) - len(after)]) if text.endswith(after) else None
        return None if value is None else {gap.name: value}
    for at in _ends(text, after):
        value = _value(gap, text[:at])
        rest = None if value is None else _fill(tuple(others), text[at + len(after) :])
        if rest is not None:
            return {gap.name: value, **rest}
    return None


def _ends(text: str, after: str) -> Iterator[int]:
    """Where a gap may end, the likeliest first: titles have commas and "for", names of units have none."""
    is_of_title = after in (", ", " for ")
    at = len(text) if is_of_title else 0
    for _ in range(TRIES_MAX):
        at = text.rfind(after, 1, at) if is_of_title else text.find(after, at + 1)
        if at < 0:
            return
        yield at


def _value(gap: _Gap, text: str) -> str | dict[str, Any] | list[str | dict[str, Any]] | None:
    """What stands in a gap: a phrase of its group, or the text, or several of these; None = it cannot be.

    Titles have commas, names of units have none.
    """
    if not text:
        return None
    if gap.is_list:
        return [_field(gap.group, each) for each in text.split(", ")]
    if gap.name == "unit" and ", " in text:
        return None
    found = phrase_in(gap.group, text) if gap.group else NONE
    return None if gap.is_strict and not found.act else found.or_text(text)


def _field(group: str, name: str) -> str | dict[str, Any]:
    """A field as papers name it: `start_ms`, of a document with blanks."""
    return phrase_in(group, name.removesuffix("_ms").replace("_", " ")).or_text(name)


__all__ = ["NONE", "Phrase", "Told", "phrase_in", "phrase_of", "phrase_of_line", "told_in"]
