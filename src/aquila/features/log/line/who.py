"""Who says the line and who is to be told: units and addressees."""
# ruff: noqa: RUF001, RUF002  # Cyrillic letters and dashes are what people type

from collections.abc import Iterator
from typing import Any

from aquila.features.log.line.draft import LineChoice
from aquila.features.log.line.grids import is_clock
from aquila.features.log.line.kinds import READABILITY, SIGNAL_JOINTS
from aquila.features.log.line.names import NAME_TOKENS_MAX, Name, Names, name_at
from aquila.features.log.line.numbers import NOUNS
from aquila.features.log.line.sheet import Sheet
from aquila.features.log.line.spelling import digits_of

ADDRESSEES_MAX = 12


def value_of(name: Name) -> dict[str, Any]:
    """The value of a field that holds a name."""
    known = name.known
    return {"name": name.text if known is None else known.name, "id": None if known is None else known.id}


def claim_name(sheet: Sheet, start: int, field: Any, name: Name, names: Names, stop: int | None = None) -> None:
    """Give a name to a field; a name that is close to others is unsure, with them as choices."""
    stop = name.stop if stop is None else stop
    if name.known is not None:
        sheet.claim(start, stop, field, value_of(name))
        return
    if name.close:
        best = name.close[0]
        value: dict[str, Any] = {"name": best.name, "id": best.id}
        others = [LineChoice(label=known.name, value={"name": known.name, "id": known.id}) for known in name.close[1:]]
        others.append(LineChoice(label=f"{name.text}, as typed", value=value_of(name)))
        note = f"{name.text} is not known here; read as {best.name}"
        sheet.claim(start, stop, field, value, confidence="unsure", alternatives=others, note=note)
        return
    doubt = field == "unit" and names.any_units
    unknown = f"{name.text} is not among the callsigns known here" if doubt else None
    sheet.claim(start, stop, field, value_of(name), confidence="unsure" if doubt else "sure", note=unknown)


def read_addressees(sheet: Sheet, names: Names) -> None:
    """Claim TELL X, Y; INFO Z; X DE Y."""
    for index in range(len(sheet.tokens)):
        word = sheet.word(index, "to")
        if word is None or (word.typo and word.ambiguous) or _in_phrase(sheet, index):
            continue
        field: Any = word.value
        weak = sheet.tokens[index].norm in ("to", "for", "per", "pour", "для", "copy", "report")
        at = word.stop
        if sheet.is_mark(at, ":."):
            at += 1
        start = index
        weak = weak and not _colon_follows(sheet, at)
        for name, end in _listed(sheet, names, at, loose=not weak):
            if weak and name.known is None and name.close and all(each.sort == "place" for each in name.close):
                break
            if name.known is not None and name.known.sort == "place" and (weak or not digits_of(name.text)):
                break
            claim_name(sheet, start, field, name, names, stop=end)
            start = end


def _in_phrase(sheet: Sheet, index: int) -> bool:
    """Nulla da segnalare a CP 6: the word for telling is part of another phrase."""
    return any(
        start + match.length > index and any(tag.category in ("kind", "kind_weak") for tag in match.tags)
        for start in range(max(0, index - PHRASE_WITHIN), index)
        for match in sheet.matches(start)
    )


PHRASE_WITHIN = 3


def _colon_follows(sheet: Sheet, at: int) -> bool:
    """For s3: the colon says that somebody is spoken to."""
    return any(sheet.is_mark(stop, ":") for stop in range(at + 1, at + NAME_TOKENS_MAX)) and at <= COLON_WITHIN


COLON_WITHIN = 4


def read_called(sheet: Sheet, names: Names) -> None:
    """Claim who is called without a word for it: all stations; штабу: ...; JOC asks PTL5 for its position."""
    for index in range(len(sheet.tokens)):
        called = sheet.word(index, "called")
        if called is not None and not called.typo and (index == 0 or called.stop - index > 1):
            if called.stop - index > 1 or sheet.is_mark(called.stop, ":,"):
                text = sheet.line[sheet.tokens[index].start : sheet.tokens[called.stop - 1].end]
                sheet.claim(index, called.stop, "to", {"name": text, "id": None})
        asks = sheet.word(index, "asks")
        if asks is not None and not asks.typo:
            _asked(sheet, names, index, asks.stop)


def _asked(sheet: Sheet, names: Names, index: int, stop: int) -> None:
    """G3 asks 2 COY for: who asks stands before the word, who is asked behind it."""
    for start in range(max(0, index - NAME_TOKENS_MAX), index):
        name = name_at(sheet, names, start, loose=True)
        if name is not None and name.stop == index and begins(sheet, start) and name.known is None and not name.close:
            if sheet.means(start, "unit", "alone"):
                claim_name(sheet, start, "unit", name, names)
            break
    at = stop
    while sheet.free(at, at + 1) and sheet.tokens[at].norm in ("a", "au", "у", "to", "al", "alla"):
        at += 1
    name = name_at(sheet, names, at, loose=True)
    if name is None or (name.known is not None and name.known.sort == "place"):
        return
    if name.known is not None or any(each.sort == "unit" for each in name.close) or sheet.means(at, "unit", "alone"):
        claim_name(sheet, stop, "to", name, names)


def _listed(sheet: Sheet, names: Names, at: int, *, loose: bool) -> Iterator[tuple[Name, int]]:
    for _ in range(ADDRESSEES_MAX):
        while sheet.free(at, at + 1) and sheet.tokens[at].norm in (
            "the",
            "il",
            "la",
            "le",
            "al",
            "alla",
            "l",
            "'",
            "a",
        ):
            if not sheet.free(at + 1, at + 2):
                return
            at += 1
        name = name_at(sheet, names, at, loose=loose)
        if name is None:
            return
        end = name.stop
        yield name, end
        if sheet.free(end, end + 2) and sheet.tokens[end].text in (
            ",",
            "+",
            "&",
            "/",
            "and",
            "e",
            "et",
            "и",
            "AND",
            "E",
        ):
            if name_at(sheet, names, end + 1, loose=loose) is None:
                return
            at = end + 1
        else:
            return


def read_unit(sheet: Sheet, names: Names) -> None:
    """Claim who reports: behind `from`, else the first unit of the line."""
    for index in range(len(sheet.tokens)):
        word = sheet.word(index, "from")
        if word is None or word.typo:
            continue
        at = word.stop + 1 if sheet.is_mark(word.stop, ":") else word.stop
        name = name_at(sheet, names, at)
        if name is None or (name.close and all(each.sort == "place" for each in name.close)):
            continue
        if name.known is None and sheet.tagged(name.start, "partner") and not begins(sheet, index):
            continue
        if name.known is not None and name.known.sort == "place":
            # "from Alma to Tibnin": a town does not report.
            said = word.stop - index > 1 or sheet.tokens[index].norm == "by"
            if not (said or begins(sheet, index)) or not digits_of(name.text):
                continue
        if _is_offset(sheet, index) or (index > 0 and sheet.tagged(index - 1, "moving", "activity", "azimuth")):
            continue
        _called(sheet, names, index)
        claim_name(sheet, index, "unit", name, names)
        _to_whom(sheet, names, name.stop)
        return
    _first_unit(sheet, names)


def read_roll_call(sheet: Sheet, names: Names) -> None:
    """Claim ptl2 weak, op5 no answer: further stations of a radio check, each with how it is heard."""
    checks = any(part.field == "kind" and part.value and part.value["kind"] == "comms_check" for part in sheet.parts)
    if not checks or not sheet.has("unit"):
        return
    for index in range(1, len(sheet.tokens)):
        name = names.at(sheet, index)
        if name is None or name.known is None or not _is_heard(sheet, name.stop):
            continue
        if name.known.sort == "unit":
            claim_name(sheet, index, "unit", name, names)
        elif digits_of(name.text):
            _claim_actor(sheet, name)


def _is_heard(sheet: Sheet, at: int) -> bool:
    """Weak, no answer, 3/5: how a station is heard."""
    if sheet.tagged(at, "heard"):
        return True
    report = sheet.tokens[at : at + 3]
    return (
        len(report) == 3
        and report[1].norm in SIGNAL_JOINTS
        and report[0].text in READABILITY
        and report[2].text in READABILITY
    )


def _to_whom(sheet: Sheet, names: Names, at: int) -> None:
    """From PTL3 to JOC; da PTL3 a JOC; de PTL3 à JOC."""
    if not sheet.free(at, at + 1) or sheet.tokens[at].norm not in ("a", "al", "alla", "to", "k", "к", "для", ">"):
        return
    name = name_at(sheet, names, at + 1)
    if name is not None and (name.known is None or name.known.sort == "unit"):
        claim_name(sheet, at, "to", name, names)


def begins(sheet: Sheet, index: int) -> bool:
    """Did nothing but fields, marks and a clock time come before this word?"""
    return not any(
        sheet.free(before, before + 1) and sheet.tokens[before].sort != "mark" and not is_clock_text(sheet, before)
        for before in range(index)
    )


def is_clock_text(sheet: Sheet, index: int) -> bool:
    """Four digits that can be a time."""
    token = sheet.tokens[index]
    return token.sort == "digits" and is_clock(token.text)


def _opens(sheet: Sheet, name: Name) -> bool:
    """Does the line begin with this post (`UNP 1-31: 2 veh ...`), so that it speaks of itself?"""
    if not begins(sheet, name.start) or not digits_of(name.text):
        return False
    if sheet.is_mark(name.stop, "-") and sheet.tagged(name.stop + 1, "case_ending"):
        # ОП 5-ке: something comes to it.
        return False
    if sheet.tagged(name.stop, "near_after", "bearing_after"):
        # UNP 1-31 маңында: something is near it.
        return False
    start = sheet.tokens[name.start].start
    early = {part.field for part in sheet.parts if part.start < start and part.end > part.start}
    if early - {"time", "precedence", "reference", "to", "info"}:
        return False
    return not sheet.means(name.start, "unit_form", "checkpoint")


def _is_offset(sheet: Sheet, index: int) -> bool:
    """`300 m from`, `NW of`: what follows is a place."""
    return sheet.tagged(index - 1, "direction", "distance", "degree")


def _called(sheet: Sheet, names: Names, index: int) -> None:
    """JOC DE PTL3; JOC, this is PTL3: the name before is called."""
    end = index - 1 if sheet.is_mark(index - 1, ",:") else index
    for start in range(max(0, end - NAME_TOKENS_MAX), end):
        name = name_at(sheet, names, start)
        if name is not None and name.stop == end:
            claim_name(sheet, start, "to", name, names)
            return


def _first_unit(sheet: Sheet, names: Names) -> None:
    if sheet.has("unit"):
        return
    candidates = []
    index = 0
    while index < len(sheet.tokens):
        name = name_at(sheet, names, index)
        if name is None:
            index += 1
            continue
        candidates.append(name)
        index = name.stop
    units = [name for name in candidates if _can_report(sheet, name)]
    if units:
        first = min(units, key=lambda name: (name.known is None, name.start))
        opening = next((name for name in units if begins(sheet, name.start)), None)
        chosen = opening if opening is not None and (first.known is None or opening.close) else first
        claim_name(sheet, chosen.start, "unit", chosen, names)
        _second_unit(sheet, names, chosen)
        return
    for name in candidates:
        before = name.start - 1
        apart = sheet.means(before, "near", "near") and not sheet.means(before, "near", "at")
        # The Russian preposition for near also says who has something: u Bravo 2 zakonchilas voda.
        apart = apart and not (sheet.tokens[before].norm == "у" and begins(sheet, before))
        spoken = name.known is not None and name.known.sort == "unit" and not apart
        post = any(sheet.means(name.start, "unit_form", form) for form in ("post", "observation_post"))
        if any(_in_a_row(sheet, name, other) or _in_a_row(sheet, other, name) for other in candidates):
            continue
        placed = name.known is not None and name.known.sort == "place"
        if placed and (_speaks(sheet, name) or _signs(sheet, name)):
            _claim_actor(sheet, name)
            return
        if spoken or ((name.known is not None or post) and _opens(sheet, name)):
            claim_name(sheet, name.start, "unit", name, names)
            return


def read_further_units(sheet: Sheet, names: Names) -> None:
    """Claim further callsigns that are known and that no field took: one soldier of ALPHA 12 cut, MEDIC 1 sent."""
    if not sheet.has("unit"):
        return
    for index in range(len(sheet.tokens)):
        name = names.at(sheet, index)
        if name is None or name.known is None or name.known.sort != "unit" or not digits_of(name.text):
            continue
        before = index - 1
        if sheet.tagged(before, "of", "people") and not sheet.tagged(before, "towards"):
            claim_name(sheet, index, "unit", name, names)


def _in_a_row(sheet: Sheet, first: Name, second: Name) -> bool:
    """Nil activity OP2 OP3 OP6: posts in a row are where it is quiet, and none of them is who reports."""
    at = first.stop
    if sheet.free(at, at + 1) and sheet.tokens[at].norm in ("&", "+", "and", "e", "et", "и", "/", ","):
        at += 1
    return at == second.start and all(name.known is not None and name.known.sort == "place" for name in (first, second))


def _second_unit(sheet: Sheet, names: Names, first: Name) -> None:
    """PTL3 PTL5 linked up; PTL3 & PTL4: two units of one sort side by side."""
    at = first.stop
    if sheet.free(at, at + 1) and sheet.tokens[at].norm in ("&", "+", "and", "e", "et", "и", "/", ","):
        at += 1
    name = names.at(sheet, at)
    if name is None or name.known is None or first.known is None or name.known.sort != "unit":
        return
    if names.form_of(name.known.name) is not None and names.form_of(name.known.name) == names.form_of(first.known.name):
        claim_name(sheet, name.start, "unit", name, names)


def _speaks(sheet: Sheet, name: Name) -> bool:
    """Link to UNP 1-31 down, NTR - UNP 1-31: a post that is spoken of as somebody who reports."""
    tokens = range(len(sheet.tokens))
    link = any(sheet.tagged(at, "comms") for at in tokens) and any(sheet.tagged(at, "comms_down") for at in tokens)
    calm = any(sheet.means(at, "kind_weak", "sitrep") for at in tokens)
    lost = any(sheet.means(at, "kind", kind) for at in tokens for kind in ("contact_lost", "comms_check"))
    if not digits_of(name.text) or not (link or calm or lost):
        return False
    before = name.start - 1
    return not sheet.tagged(before, "near", "beyond") or (
        not calm and sheet.tokens[before].norm in ("with", "to", "con", "avec", "с", "de", "da", "di", "к", "from")
    )


def _signs(sheet: Sheet, name: Name) -> bool:
    """36SYB... 3 pickups moving S OP 2: a post at the end of a line that has a grid already is who saw it."""
    if name.stop < len(sheet.tokens) or not digits_of(name.text) or sheet.means(name.start, "unit_form", "checkpoint"):
        return False
    grids = [part for part in sheet.parts if part.field == "place" and part.value and part.value["sort"] == "grid"]
    before = name.start - 1
    return bool(grids) and not sheet.tagged(before, "near", "of", "towards", "beyond", "and", "or")


def _claim_actor(sheet: Sheet, name: Name) -> None:
    known = name.known
    assert known is not None
    place = {"sort": "name", "name": known.name, "lat_deg": known.lat_deg, "lon_deg": known.lon_deg, "relation": "at"}
    sheet.claim(
        name.start, name.stop, "unit", value_of(name), confidence="unsure",
        alternatives=[LineChoice(label=f"place {known.name}", value=place, field="place")],
        note=f"{known.name} is read as the one who reports; it is a place as well",
    )  # fmt: skip


HAS = frozenset({"у", "u"})
"""The Russian preposition for near says as well who has something."""


def _counts_own(sheet: Sheet, at: int) -> bool:
    """У ALPHA 33 2 трехсотых: a count right behind the unit is of what it has."""
    counted = at < len(sheet.tokens) and (sheet.tokens[at].sort == "digits" or sheet.tagged(at, "number"))
    return counted and sheet.tagged(at + 1, *NOUNS)


def _can_report(sheet: Sheet, name: Name) -> bool:
    before = name.start - 1
    if name.known is None and sheet.tagged(name.start, "partner") and not begins(sheet, name.start):
        # Mine strike reported by LAF, police on the way: they are spoken of.
        return False
    placed = not sheet.free(before, before + 1) or not sheet.tagged(before, "near", "of", "towards")
    placed = placed or (sheet.tokens[before].norm in HAS and _counts_own(sheet, name.stop))
    if name.known is not None:
        return name.known.sort == "unit" and placed
    if name.close and all(known.sort == "place" for known in name.close):
        return False
    if sheet.tagged(name.start, "post") and not sheet.tagged(name.start, "unit"):
        return False
    return placed
