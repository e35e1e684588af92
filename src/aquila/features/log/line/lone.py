"""A noun without a number, which stands for one: heli over CP 4, white hilux 2 pax, shepherd with 60 goats."""
# Cyrillic letters are what people type

from typing import Any

from aquila.features.log.line.sheet import Found, Sheet
from aquila.features.log.line.sizes import BETWEEN_MAX, adjectives_after, is_of, noun_at, past_age, specific, take_trade


def read_lone(sheet: Sheet) -> None:
    """Claim a noun without a number as one and unsure, in a line that counts nothing else and tells no accident.

    Beside a count it stands for one when a word joins them: shepherd with 60 goats.
    """
    if sheet.anywhere("complaint"):
        # A shepherd complains: he was not seen, he speaks.
        return
    kinds = {part.value["kind"] for part in sheet.parts if part.field == "kind" and part.value}
    if "comms_check" in kinds or ("request" in kinds and sheet.has("to")):
        # Task for PTL3: escort fuel truck: it is part of what is asked.
        return
    _claim_versus(sheet)
    _claim_harm(sheet)
    counted = [part for part in sheet.parts if part.field in ("size", "casualty") and part.value]
    only_people = all(part.field == "size" and part.value and part.value["what"] == "people" for part in counted)
    harm = any(sheet.means(at, "activity", each) for at in range(len(sheet.tokens)) for each in LONE_NOT)
    people_alone = not counted
    for index in range(len(sheet.tokens)):
        noun = _lone_noun(sheet, index)
        if noun is None:
            continue
        tag = noun.tags[0]
        if not counted and _claim_hurt(sheet, index, noun):
            return
        joined = _joined(sheet, noun.stop, tag.category)
        if not joined and (harm or not only_people or (tag.category == "people" and not people_alone)):
            continue
        _claim_lone(sheet, index, noun)
        return


def _claim_harm(sheet: Sheet) -> None:
    """Fell in the via ferrata, leg broken: one person, though nobody is named beside it."""
    for index in range(len(sheet.tokens)):
        state = sheet.word(index, "casualty") if sheet.tagged(index, "harm", "body_part") else None
        if state is None or state.typo or state.stop - state.start < 2 or sheet.has("casualty"):
            continue
        if sheet.ends(index, "lone", "people") is None and not sheet.tagged(state.stop, "people"):
            value = {"count": 1, "state": state.tags[0].value}
            note = "no number is said: read as one"
            sheet.claim(index, state.stop, "casualty", value, confidence="unsure", note=note)


def _claim_versus(sheet: Sheet) -> None:
    """Our truck vs civ car, camion contre voiture: one of each, and an accident."""
    for index in range(1, len(sheet.tokens) - 1):
        joint = sheet.word(index, "versus")
        if joint is None or joint.typo:
            continue
        before = sheet.ends(index, "lone")
        at = joint.stop
        while (adjective := sheet.word(at, "adjective")) is not None and not adjective.typo:
            at = adjective.stop
        first = None if before is None else noun_at(sheet, before.start)
        second = noun_at(sheet, at)
        if first is None or second is None or first.stop != index or not (_drives(first) and _drives(second)):
            continue
        _claim_lone(sheet, before.start if before is not None else index, first)
        _claim_lone(sheet, at, second)
        sheet.infer("activity", {"activity": "accident", "text": ""}, "one against the other")
        return


def _drives(noun: Found) -> bool:
    return any(is_of(noun, each) for each in ("vehicle", "vessel", "boat", "aircraft"))


def _lone_noun(sheet: Sheet, index: int) -> Found | None:
    word = sheet.word(index, "lone") or _ridden(sheet, index)
    noun = None if word is None or word.typo else noun_at(sheet, index)
    if word is None or noun is None or noun.typo or is_of(noun, "casualty"):
        return None
    before, after = index - 1, sheet.tokens[noun.stop] if noun.stop < len(sheet.tokens) else None
    if sheet.tagged(before, "zero", "negated", "unit_form", "other_number") or sheet.means(before, "to", "to"):
        return None
    if after is not None and (
        (after.sort == "digits" and _is_numbered(sheet, noun.stop)) or after.norm in LONE_BEFORE_NOT
    ):
        return None
    if before >= 0 and sheet.tokens[before].norm in DEFINITE:
        return None
    if any(
        sheet.means(at, "kind_weak", "request") or sheet.means(at, "kind", "request")
        for at in range(index - ASKED_WITHIN, index)
    ):
        # Need tow truck: it is asked for, and was not seen.
        return None
    stated = sheet.ends(index, "casualty") is not None
    if (
        after is not None
        and not stated
        and any(part.field == "unit" and part.start == after.start for part in sheet.parts)
    ):
        return None
    return (
        None
        if sheet.tagged(noun.stop, "post", "kind")
        or (sheet.tagged(noun.stop, "people") and not sheet.tagged(noun.stop, "adjective"))
        or _is_denied(sheet, noun.stop)
        else specific(sheet, noun)
    )


def _ridden(sheet: Sheet, index: int) -> Found | None:
    """Двое на мотоцикле: what people ride, in a case that no list of nouns has."""
    token = sheet.tokens[index]
    if (
        token.text.isascii()
        or not token.norm.endswith(sheet.endings("singular"))
        or not sheet.tagged(index - 1, "riding")
    ):
        return None
    return sheet.word(index, "vehicle", "boat")


def _is_numbered(sheet: Sheet, at: int) -> bool:
    """Truck 4 has a number, and so has truck 0915 in a line with a time; digits that another field took are none."""
    return sheet.free(at, at + 1) and (len(sheet.tokens[at].text) <= 2 or not sheet.has("time"))


def _is_denied(sheet: Sheet, at: int) -> bool:
    """БПЛА нет; but a boat without flag is there."""
    return sheet.tagged(at, "zero") and not sheet.free(at + 1, at + 2)


def _joined(sheet: Sheet, at: int, what: str) -> bool:
    """Does a count of something else follow, behind a word such as `with`?"""
    for _ in range(BETWEEN_MAX):
        adjective = sheet.word(at, "adjective")
        if adjective is not None and not adjective.typo and adjective.stop > at:
            at = adjective.stop
    joint = sheet.word(at, "beside")
    if joint is None or joint.typo or joint.stop >= len(sheet.tokens):
        return False
    start = sheet.tokens[joint.stop].start
    return any(part.field == "size" and part.start == start and part.value and part.value["what"] != what
               for part in sheet.parts)  # fmt: skip


def _claim_hurt(sheet: Sheet, index: int, noun: Found) -> bool:
    """Hiker missing, randonneur disparu, пропал турист: one person, and the state beside the noun."""
    if not is_of(noun, "people"):
        return False
    behind = past_age(sheet, noun.stop)
    verb = sheet.word(behind, "beside", "copula")
    state = sheet.word(behind if verb is None or verb.typo else verb.stop, "casualty", "astray")
    start, stop = index, noun.stop if state is None else state.stop
    if state is None:
        state = sheet.ends(index, "casualty")
        start = index if state is None else state.start
    if state is None or state.typo:
        return False
    value: dict[str, Any] = {"count": 1, "state": state.tags[0].value}
    if noun.tags[0].value:
        value["who"] = noun.tags[0].value
    sheet.claim(start, stop, "casualty", value, confidence="unsure", note="no number is said: read as one")
    return True


def _claim_lone(sheet: Sheet, index: int, noun: Found) -> None:
    start = index
    while start > 0 and sheet.word(start - 1, "adjective") is not None and sheet.free(start - 1, start):
        start -= 1
    tag = noun.tags[0]
    value: dict[str, Any] = {"what": tag.category, "sort": tag.value or None, "count": 1}
    stop, trailing = adjectives_after(sheet, noun.stop)
    before = sheet.line[sheet.tokens[start].start : sheet.tokens[index].start].strip()
    detail = " ".join(f"{before} {take_trade(sheet, noun, value)} {trailing}".split())
    if detail:
        value["detail"] = detail
    sheet.claim(start, stop, "size", value, confidence="unsure", note="no number is said: read as one")


ASKED_WITHIN = 3
LONE_NOT = ("accident", "explosion")
"""What is told with nouns that are not counted: bus rollover."""
DEFINITE = frozenset("the our own my il lo la al del della nel le du au notre nostro нашу нашей".split())
"""Before a vehicle that is known: it was not seen, it is there."""
LONE_BEFORE_NOT = frozenset(
    "patrol patrols breakdown broken maintenance recovery fuel checkpoint radio crew ops feed pad support".split()
)
