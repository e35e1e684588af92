"""What sort of line it is, how urgent, what happens, and to which earlier entry it belongs."""
# ruff: noqa: RUF001  # Cyrillic letters and dashes are what people type

from typing import Any

from aquila.features.log.line.draft import LineChoice
from aquila.features.log.line.sheet import Found, Sheet

ACTIVITY_WORDS_MAX = 8
STOPS = ",;.:()[]!?|"
REFERENCE_MAX = 10_000_000


def read_references(sheet: Sheet) -> None:
    """Claim #123, ref 123, rif. n. 123, № 123."""
    for index in range(len(sheet.tokens)):
        if not sheet.free(index, index + 1):
            continue
        word = sheet.word(index, "reference")
        at = index if word is None or word.typo else word.stop
        marked = word is not None and not word.typo and sheet.tokens[index].norm not in ("к", "по", "на", "к")
        while sheet.is_mark(at, ".:"):
            at += 1
        sharp = sheet.is_mark(at, "#№")
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
        sheet.claim(index, at + 1, "reference", {"number": int(digits)})


def read_kinds(sheet: Sheet) -> None:
    """Claim the words that name the kind of line; the first one counts."""
    for index in range(len(sheet.tokens)):
        found = sheet.word(index, "kind")
        if found is None:
            continue
        if sheet.has("kind"):
            return
        if _weak_word(sheet, found):
            continue
        _claim_kind(sheet, found)


GIVES_WAY = frozenset({"request", "note", "spot"})
"""Kinds that give way to another one in the same line: `request medevac` is a medevac."""


def _weak_word(sheet: Sheet, found: Found) -> bool:
    if found.value not in GIVES_WAY:
        return False
    others = (sheet.word(index, "kind") for index in range(len(sheet.tokens)) if index != found.start)
    strong = [other for other in others if other is not None and not other.typo]
    return any(other.value not in GIVES_WAY and other.value != "checkpoint" for other in strong)


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
        loud = sheet.tokens[index].text.isupper() and sheet.line.upper() != sheet.line
        edge = _only_fields(sheet, 0, index) or _only_fields(sheet, found.stop, len(sheet.tokens))
        if not (loud or edge or found.stop - index > 1):
            continue
        if sheet.free(before, index) and sheet.tokens[before].sort == "digits":
            continue
        if sheet.is_mark(after, ":"):
            after += 1
        sheet.claim(index, found.stop, "precedence", {"precedence": found.value})


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


def infer_kind(sheet: Sheet) -> None:
    """When no word named it: by a weaker word, by casualties, by what was counted; else a note."""
    if sheet.has("kind"):
        return
    weak = _weak_kind(sheet)
    acts = {part.value["activity"] for part in sheet.parts if part.field == "activity" and part.value}
    if acts & HARMFUL and weak != "request":
        weak = "incident"
    if weak is not None:
        sheet.infer("kind", {"kind": weak}, "from the words of the line")
    elif any(part.field == "casualty" and part.value and part.value["count"] > 0 for part in sheet.parts):
        sheet.infer("kind", {"kind": "incident"}, "from the casualties")
    elif _passes_post(sheet):
        sheet.infer("kind", {"kind": "checkpoint"}, "from the checkpoint")
    elif sheet.has("size"):
        sheet.infer("kind", {"kind": "spot"}, "from what was counted")
    else:
        sheet.infer("kind", {"kind": "note"}, "no word names a kind", "sure")


HARMFUL = frozenset({"firing", "explosion", "accident", "fire", "throwing"})
"""Activities that make an incident of a line."""


def _weak_kind(sheet: Sheet) -> str | None:
    found: list[str] = []
    for index in range(len(sheet.tokens)):
        for match in () if sheet.tagged(index - 1, "zero") else sheet.matches(index):
            found += [tag.value for tag in match.tags if tag.category == "kind_weak"]
    order = ("incident", "request", "patrol", "weather", "spot")
    return next((kind for kind in order if kind in found), None)


def _passes_post(sheet: Sheet) -> bool:
    acts = {part.value["activity"] for part in sheet.parts if part.field == "activity" and part.value}
    posts = [part for part in sheet.parts if part.field == "place" and part.value and part.value.get("name")]
    return bool(acts & {"passing", "arriving"}) and any(
        str(part.value["name"]).casefold().startswith(("cp", "checkpoint", "кт", "кпп", "wp", "rp", "kt"))
        for part in posts
        if part.value is not None
    )
