"""What sort of line it is, how urgent, what happens, and to which earlier entry it belongs."""
# ruff: noqa: RUF001  # Cyrillic letters and dashes are what people type

from typing import Any

from aquila.features.log.line.draft import LineChoice
from aquila.features.log.line.numbers import NOUNS
from aquila.features.log.line.sheet import Found, Sheet

ACTIVITY_WORDS_MAX = 8
STOPS = ",;.:()[]!?|"
REFERENCE_MAX = 10_000_000
COUNTABLE = (*NOUNS, "distance", "month")


COUNT_DIGITS = 4
"""Digits from which a number before a noun is that of an entry, and no count."""


def read_references(sheet: Sheet) -> None:
    """Claim #123, ref 123, rif. n. 123, № 123."""
    for index in range(len(sheet.tokens)):
        if not sheet.free(index, index + 1):
            continue
        word = sheet.word(index, "reference")
        at = index if word is None or word.typo else word.stop
        alone = word is not None and word.stop == index + 1
        marked = word is not None and not word.typo and not (alone and sheet.tokens[index].norm in ("к", "по", "на"))
        while sheet.is_mark(at, ".:"):
            at += 1
        sharp = sheet.is_mark(at, "#№") and not sheet.tagged(at - 1, "unit_form")
        number = sheet.word(at, "number_mark")
        if sharp:
            at += 1
        elif number is not None and marked:
            at = number.stop
            while sheet.is_mark(at, ".°"):
                at += 1
        if not (sharp or marked) or not sheet.free(at, at + 1) or sheet.tokens[at].sort != "digits":
            continue
        digits = sheet.tokens[at].text
        after = sheet.tokens[at + 1] if at + 1 < len(sheet.tokens) else None
        if not sharp and (len(digits) > 5 or (after is not None and not after.gap and after.text not in ",;:)")):
            continue
        if int(digits[:12]) > REFERENCE_MAX:
            continue
        sees = alone and sheet.tokens[index].norm == "see"
        if sees and len(digits) < COUNT_DIGITS and sheet.tagged(at + 1, *NOUNS):
            # We have see 3 person: they are counted.
            continue
        if not sharp and sheet.means(at - 1, "other_number", "other"):
            if len(digits) > 4 or (index == at - 1 and index > 0 and not sheet.is_mark(index - 1, "-:,")):
                continue
            note = "a serial number is read as that of an entry"
            sheet.claim(index, at + 1, "reference", {"number": int(digits)}, confidence="unsure", note=note)
            continue
        sheet.claim(index, at + 1, "reference", {"number": int(digits)})


SIGNAL_JOINTS = frozenset({"/", "x", "х", "by", "su", "sur", "на", "из", "na", "and"})
SPOKEN_JOINTS = frozenset({"by", "su", "sur", "на"})
"""You are 5 by 5: nobody says a date or a size like that; 5/5 may be one."""
READABILITY = frozenset("12345")


def read_signal(sheet: Sheet) -> None:
    """Claim a signal report, 5/5, 4 by 4, 3 на 3: strength and readability of a link, and neither date nor count."""
    checks = [
        at
        for at in range(len(sheet.tokens))
        if sheet.means(at, "kind", "comms_check") or sheet.means(at, "kind_weak", "comms_check")
    ]
    spoken = bool(checks) or sheet.anywhere("comms")
    for index in range(len(sheet.tokens) - 2):
        first, joint, last = sheet.tokens[index : index + 3]
        if not sheet.free(index, index + 3) or joint.norm not in SIGNAL_JOINTS:
            continue
        if not spoken and (joint.norm not in SPOKEN_JOINTS or sheet.anywhere("distance")):
            continue
        if first.text not in READABILITY or last.text not in READABILITY or sheet.tagged(index + 3, *COUNTABLE):
            continue
        if any(not index <= at < index + 3 for at in checks):
            sheet.set_aside(index, index + 3)
        else:
            sheet.claim(index, index + 3, "kind", {"kind": "comms_check"})
        return


def read_kinds(sheet: Sheet) -> None:
    """Claim the words that name the kind of line; the first one counts."""
    for index in range(len(sheet.tokens)):
        found = sheet.word(index, "kind")
        if found is None:
            continue
        if sheet.has("kind"):
            return
        if _weak_word(sheet, found) or (found.value == "weather" and _is_reason(sheet, index)):
            continue
        _claim_kind(sheet, found)


def _is_reason(sheet: Sheet, index: int) -> bool:
    """Paused due to wx: the weather is why, and not what is told."""
    before = [token.norm for token in sheet.tokens[max(0, index - 2) : index]]
    return (
        before in (["due", "to"], ["because", "of"])
        or before[-1:] == ["due"]
        or before[-1:]
        in (
            ["per"],
            ["causa"],
            ["cause"],
            ["de"],
            ["за"],
        )
    )


GIVES_WAY = frozenset({"request", "note", "spot"})
"""Kinds that give way to another one in the same line: `request medevac` is a medevac."""


def _weak_word(sheet: Sheet, found: Found) -> bool:
    tokens = range(len(sheet.tokens))
    if found.value == "request" and any(sheet.tagged(at, "medic") for at in tokens):
        if any(sheet.tagged(at, "casualty", "stretcher") for at in tokens):
            return True
    if found.value not in GIVES_WAY:
        return False
    if found.value == "spot" and _tells_incident(sheet, found):
        # Обнаружен подозрительный предмет: what was found is told for itself.
        return True
    if found.value == "spot" and found.typo and any(sheet.means(at, "casualty", "missing") for at in tokens):
        # Two hikers missing, last sighting at 3100 m: the sighting is told of them.
        return True
    others = (sheet.word(index, "kind") for index in range(len(sheet.tokens)) if index != found.start)
    strong = [other for other in others if other is not None and not other.typo]
    return any(other.value not in GIVES_WAY and other.value != "checkpoint" for other in strong)


def _tells_incident(sheet: Sheet, found: Found) -> bool:
    form = sheet.tokens[found.start].norm.startswith(("spot", "sp", "obsrep"))
    return not form and any(
        sheet.means(at, "kind_weak", "incident") and not sheet.tagged(at - 1, "zero", "negated")
        for at in range(len(sheet.tokens))
        if sheet.known_word(at)
    )


def _claim_kind(sheet: Sheet, found: Found) -> None:
    stop = found.stop
    if stop - found.start > 1 and sheet.tagged(stop - 1, "post") and sheet.free(stop, stop + 1):
        # "passed CP 4": the post keeps its name.
        if sheet.tokens[stop].sort == "digits" or sheet.tokens[stop].text == "-":
            stop -= 1
    kinds = list(dict.fromkeys(tag.value for tag in found.tags if tag.category == "kind"))
    choices = [LineChoice(label=kind, value={"kind": kind}) for kind in kinds[1:]]
    confidence: Any = "unsure" if found.typo and (choices or found.ambiguous) else "sure"
    note = f"read as {kinds[0]}" if confidence == "unsure" else None
    sheet.claim(found.start, stop, "kind", {"kind": kinds[0]}, confidence=confidence, alternatives=choices, note=note)


def read_precedence(sheet: Sheet) -> None:
    """Claim FLASH, IMMEDIATE ...: at an end of the line, in capitals, or behind PREC."""
    for index in range(len(sheet.tokens)):
        found = sheet.word(index, "precedence")
        if found is None or (found.typo and found.ambiguous) or sheet.has("precedence"):
            continue
        before, after = index - 1, found.stop
        if after < len(sheet.tokens) and sheet.tokens[after].norm in PLAIN_AFTER:
            continue
        loud = sheet.tokens[index].text.isupper() and sheet.line.upper() != sheet.line
        edge = _only_fields(sheet, 0, index) or _only_fields(sheet, found.stop, len(sheet.tokens))
        if not (loud or edge or found.stop - index > 1):
            continue
        if sheet.free(before, index) and sheet.tokens[before].sort == "digits":
            continue
        if sheet.is_mark(after, ":"):
            after += 1
        if found.value == "urgent":
            # No precedence has this name; staff use it for either of two.
            other = LineChoice(label="priority", value={"precedence": "priority"})
            value, note = {"precedence": "immediate"}, "urgent is read as immediate"
            sheet.claim(index, found.stop, "precedence", value, confidence="unsure", alternatives=[other], note=note)
            continue
        sheet.claim(index, found.stop, "precedence", {"precedence": found.value})


PLAIN_AFTER = frozenset(
    "flood floods flooding light lights night patrol patrols check checks maintenance visit".split()
)
"""Behind them flash and routine are plain words: flash flood, routine patrol."""


def _only_fields(sheet: Sheet, start: int, stop: int) -> bool:
    return not any(sheet.free(index, index + 1) and sheet.tokens[index].sort != "mark" for index in range(start, stop))


def read_activity(sheet: Sheet) -> None:
    """Claim what happens: a word of the vocabulary with the plain words behind it."""
    index = 0
    while index < len(sheet.tokens):
        found = sheet.word(index, "activity")
        if found is None or (found.typo and found.ambiguous) or sheet.tagged(index - 1, "zero"):
            index += 1
            continue
        stop = _phrase_end(sheet, found.stop)
        text = sheet.line[sheet.tokens[index].start : sheet.tokens[stop - 1].end]
        sheet.claim(index, stop, "activity", {"activity": found.value, "text": " ".join(text.split())})
        index = stop


def _phrase_end(sheet: Sheet, at: int) -> int:
    end, words = at, 0
    while sheet.free(at, at + 1) and words < ACTIVITY_WORDS_MAX:
        token = sheet.tokens[at]
        other = sheet.word(at, "activity")
        if other is not None and not other.typo:
            break
        if token.text in STOPS or (sheet.word(at, "precedence", "to") is not None and token.text.isupper()):
            break
        at += 1
        if token.sort != "mark":
            end, words = at, words + 1
    # A last word that only joins (and, near, with) belongs to what follows.
    while end > 0 and sheet.free(end - 1, end) and end - 1 >= 0 and _joins(sheet, end - 1):
        end -= 1
    return end


def _joins(sheet: Sheet, index: int) -> bool:
    return sheet.tokens[index].norm in JOINING and not sheet.tagged(index, "activity")


JOINING = frozenset(
    "and e et и with con avec at a in on to from of di de da the il la le y с в на у за for by per".split()
)


def infer_activity(sheet: Sheet) -> None:
    """What the words of another field say of what happens: drone over OP 5, northbound, passed CP 4, ETA."""
    acts = {part.value["activity"] for part in sheet.parts if part.field == "activity" and part.value}
    for part in [each for each in sheet.parts if each.field in ("kind", "time", "place") and each.end > each.start]:
        start, stop = sheet.token_range(part.start, part.end)
        for act in ("passing", "arriving"):
            if not acts and any(sheet.means(index, "activity", act) for index in range(start, stop)):
                sheet.infer("activity", {"activity": act, "text": part.text}, "from the words of another field")
                acts.add(act)
    aircraft = any(part.field == "size" and part.value and part.value["what"] == "aircraft" for part in sheet.parts)
    above = any(sheet.tagged(index, "above") for index in range(len(sheet.tokens))) or sheet.has("altitude")
    if aircraft and "flying" not in acts and (above or acts <= {"moving"}):
        sheet.infer("activity", {"activity": "flying", "text": ""}, "from the aircraft")
    elif not acts and any(part.field == "direction" for part in sheet.parts):
        sheet.infer("activity", {"activity": "moving", "text": ""}, "from the direction")
