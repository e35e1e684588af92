"""Numbers as people type them: 4, four, 2.5, 2,5, 3-4, ~10, x2."""
# ruff: noqa: RUF001  # Cyrillic letters and dashes are what people type

import msgspec

from aquila.features.log.line.sheet import Sheet

ABOUT_MARKS = "~≈±"
RANGE_MARKS = "-–—/"
RANGE_WORDS = frozenset({"to", "or", "a", "o", "ou", "до", "или"})


class Number(msgspec.Struct, frozen=True):
    """A number in words [start, stop).

    Attributes:
        top: upper end of a range. about: the writer did not count.
        thousands: the other reading of a mark before three digits ("3,000" is 3 or 3000); None = there is one only.
    """

    start: int
    stop: int
    amount: float
    top: float | None = None
    about: bool = False
    thousands: float | None = None
    digits: str = ""


def decimal_at(sheet: Sheet, index: int) -> Number | None:
    """Digits with an optional decimal part, point or comma."""
    if not sheet.free(index, index + 1) or sheet.tokens[index].sort != "digits":
        return None
    whole = sheet.tokens[index].text
    if len(whole) > 12:
        return None
    if sheet.is_mark(index + 1, ".,") and sheet.free(index + 2, index + 3):
        mark, part = sheet.tokens[index + 1], sheet.tokens[index + 2]
        if part.sort == "digits" and not mark.gap and not part.gap and len(part.text) <= 6:
            both = None
            if len(part.text) == 3 and whole != "0" and len(whole) <= 3:
                both = float(whole + part.text)
            return Number(index, index + 3, float(f"{whole}.{part.text}"), thousands=both, digits=whole)
    return Number(index, index + 1, float(whole), digits=whole)


def spaced_at(sheet: Sheet, index: int) -> Number | None:
    """3 200: thousands apart, in two runs of digits."""
    if not sheet.free(index, index + 2) or [token.sort for token in sheet.tokens[index : index + 2]] != ["digits"] * 2:
        return None
    first, second = sheet.tokens[index : index + 2]
    glued = index > 0 and not first.gap and sheet.tokens[index - 1].sort == "word"
    if glued or len(first.text) > 2 or first.text[0] == "0" or len(second.text) != 3 or second.start - first.end != 1:
        return None
    return Number(index, index + 2, float(first.text + second.text), digits=first.text + second.text)


def number_at(sheet: Sheet, index: int) -> Number | None:
    """A number in digits or words, with what stands around it: about, a range, a multiplication sign."""
    start, about = index, False
    if sheet.is_mark(index, ABOUT_MARKS):
        about, index = True, index + 1
    elif (found := sheet.word(index, "about")) is not None and not found.typo and not _is_verb(sheet, index):
        about = True
        # Of a round number the word is both: une dizaine de, десяток.
        if not _both(sheet, index, found.stop):
            index = found.stop
            if sheet.is_mark(index, "."):
                index += 1
    elif (
        sheet.free(index, index + 2)
        and sheet.tokens[index].norm in ("x", "х", "×")
        and sheet.tokens[index + 1].sort == "digits"
    ):
        index += 1
    number = decimal_at(sheet, index) or _worded(sheet, index)
    if number is None:
        return None
    stop, top = number.stop, None
    if sheet.is_mark(stop, RANGE_MARKS) and number.digits:
        upper = decimal_at(sheet, stop + 1)
        if upper is not None and upper.amount > number.amount:
            top, stop = upper.amount, upper.stop
    elif number.digits and sheet.free(stop, stop + 1) and sheet.tokens[stop].norm in RANGE_WORDS:
        # 6 à 8 individus; only what is counted has a range in words.
        upper = decimal_at(sheet, stop + 1)
        if upper is not None and upper.amount > number.amount and sheet.tagged(upper.stop, *NOUNS):
            top, stop = upper.amount, upper.stop
    if (
        sheet.is_mark(stop, "-")
        and sheet.free(stop + 1, stop + 2)
        and sheet.tokens[stop + 1].norm in sheet.endings("about")
    ):
        # 30-дай адам
        about, stop = True, stop + 2
    cased = sheet.word(stop + 1 if sheet.is_mark(stop, "-") else stop, "case_ending")
    behind = sheet.word(stop if cased is None or cased.typo else cased.stop, "about_after")
    if behind is not None and not behind.typo and _counts_after(sheet, behind.stop):
        # 20 шақты ешкі, 50 odd sheep, 30 environ personnes
        about, stop = True, behind.stop
    if sheet.is_mark(stop, "+") and not sheet.tokens[stop].gap:
        about, stop = True, stop + 1
    return Number(start, stop, number.amount, top, about or top is not None, number.thousands, number.digits)


def _counts_after(sheet: Sheet, at: int) -> bool:
    return sheet.tagged(at, *NOUNS) or (sheet.tagged(at, "adjective") and sheet.tagged(at + 1, *NOUNS))


def _is_verb(sheet: Sheet, index: int) -> bool:
    """C'est 4 véh: no estimate."""
    return sheet.tokens[index].norm == "est" and index > 0 and sheet.tokens[index - 1].text in "'’"


def _both(sheet: Sheet, index: int, stop: int) -> bool:
    number = sheet.word(index, "number")
    return number is not None and not number.typo and number.stop >= stop and decimal_at(sheet, stop) is None


def _worded(sheet: Sheet, index: int) -> Number | None:
    found = sheet.word(index, "number")
    if found is None or found.typo or not found.value.isdigit():
        return None
    token = sheet.tokens[index]
    if token.text == "UN" and found.stop == index + 1 and not sheet.tagged(index + 1, *NOUNS):
        return None
    return Number(index, found.stop, float(found.value))


NOUNS = ("people", "vehicle", "animal", "aircraft", "vessel", "boat", "casualty")
"""Categories that can be counted."""
