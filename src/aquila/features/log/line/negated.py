"""What a line says is not so: 0745 not 0845; 6 pax, non 4; а не в 08:45. It stays in the remainder and is no field."""
# ruff: noqa: RUF002  # Cyrillic letters are what people type

from aquila.features.log.line.names import Names, name_at
from aquila.features.log.line.numbers import NOUNS
from aquila.features.log.line.sheet import Sheet

INNER = ":.,-/"
RUN_MAX = 8


def read_negated(sheet: Sheet, names: Names) -> None:
    """Set aside the numbers, times, grids and names that a word denies."""
    for index in range(len(sheet.tokens)):
        word = sheet.word(index, "negated")
        if word is not None and not word.typo:
            start = word.stop
            before = sheet.word(start, "at_time", "near")
            if before is not None and not before.typo and before.value in ("at", "near"):
                start = before.stop
            stop = _denied(sheet, names, start)
            if stop is not None:
                sheet.set_aside(index, stop)
        after = sheet.word(index, "negated_after")
        if after is not None and not after.typo:
            start = _before(sheet, index)
            if start < index:
                sheet.set_aside(start, after.stop)


def _denied(sheet: Sheet, names: Names, start: int) -> int | None:
    if sheet.free(start, start + 1) and sheet.tokens[start].text == "#":
        start += 1
    name = name_at(sheet, names, start)
    if name is not None and name.known is not None:
        due = sheet.word(name.stop, "deadline", "until")
        # Not at CP 6 before 4: the place is meant, and only later.
        return None if due is not None and not due.typo else name.stop
    stop, digits = start, False
    while sheet.free(stop, stop + 1) and stop - start < RUN_MAX:
        token = sheet.tokens[stop]
        letters = 1 if digits else 5
        square = (sheet.context.square or "").casefold()
        loud = token.text.isupper() or (square != "" and token.norm == square)
        coded = token.sort == "word" and loud and len(token.text) <= letters
        joining = token.sort == "mark" and token.text in INNER and not token.gap and _glued_digits(sheet, stop + 1)
        if token.sort != "digits" and not coded and not joining:
            break
        if digits and token.sort == "digits" and token.gap and len(token.text) != len(sheet.tokens[stop - 1].text):
            # "not YB 123 456 2 pax": the grid is denied, the count is not.
            break
        digits = digits or token.sort == "digits"
        stop += 1
    if not digits:
        number = sheet.word(start, "number")
        if number is None or number.typo or not sheet.tagged(number.stop, *NOUNS):
            return None
        stop = number.stop
    counted = start >= 2 and any(sheet.free(at, at + 1) and sheet.tokens[at].sort == "digits"
                                 for at in range(max(0, start - 3), start - 1))  # fmt: skip
    if counted and sheet.tagged(stop, *NOUNS):
        # "5 not 7 veh": what is counted belongs to the five.
        return stop
    behind = sheet.word(stop, *NOUNS, "hour_mark", "distance", "zone")
    return stop if behind is None or behind.typo else behind.stop


def _glued_digits(sheet: Sheet, index: int) -> bool:
    return sheet.free(index, index + 1) and sheet.tokens[index].sort == "digits" and not sheet.tokens[index].gap


def _before(sheet: Sheet, index: int) -> int:
    """Where the number that ends here began."""
    start = index
    while sheet.free(start - 1, start) and index - start < RUN_MAX:
        token = sheet.tokens[start - 1]
        if token.sort != "digits" and not (token.sort == "mark" and token.text in INNER and start < index):
            break
        start -= 1
        if token.sort == "digits" and token.gap:
            break
    return start
