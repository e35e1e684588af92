"""Clock times as they are spoken: half past nine, quarter to ten, nove e mezza, neuf heures et quart, полдевятого."""
# Cyrillic letters are what people type

import msgspec

from aquila.features.log.line.numbers import NOUNS
from aquila.features.log.line.sheet import Sheet

STEP_MIN = 5
"""Minutes from which `ten past` and `ten to` are said; two to three is a range."""
FRACTION = frozenset({15, 30, 45, -15})
DURING = frozenset({"for", "per", "pendant", "durante", "during", "течение", "durant"})


class Spoken(msgspec.Struct, frozen=True):
    """Hour and minute up to word `stop`; `certain`: noon and midnight have no other half of the day."""

    stop: int
    hour: int
    minute: int
    certain: bool = False


def spoken_at(sheet: Sheet, index: int, *, alone: bool) -> Spoken | None:
    """A spoken time that begins at this word. `alone`: a word before says that a time follows."""
    if index > 0 and sheet.tokens[index - 1].norm in DURING:
        return None
    said = sheet.word(index, "clock_said")
    if said is not None and not said.typo:
        hour, minute = divmod(int(said.value), 100)
        more = sheet.word(said.stop, "clock_and")
        if more is not None and not more.typo and not sheet.tagged(more.stop, *NOUNS):
            # minuit moins dix
            whole = (hour * 60 + minute + int(more.value)) % 1440
            return Spoken(more.stop, whole // 60, whole % 60, certain=True)
        return Spoken(said.stop, hour, minute, certain=(hour == 12 and minute == 0) or (hour == 0 and minute == 0))
    found = _minutes_first(sheet, index) or _hour_first(sheet, index, alone=alone)
    return found if found is not None and _stands(sheet, found.stop) else None


def _stands(sheet: Sheet, stop: int) -> bool:
    """Is it no count, distance or span: ten to twelve men, due e mezza km?"""
    if sheet.tagged(stop, "beside"):
        # At 5 past 4 w/ 8 pax: with, and no watts.
        return True
    return not sheet.tagged(stop, *NOUNS, "distance", "minute", "quantity", "speed", "degree") or sheet.tagged(
        stop, "hour_mark"
    )


def _minutes_first(sheet: Sheet, index: int) -> Spoken | None:
    """Half past nine; половина десятого; quarter to ten; без четверти десять; ten past eleven."""
    for category, sign in (("clock_past", 1), ("clock_to", -1)):
        word = sheet.word(index, category)
        if word is not None and not word.typo:
            minutes = int(word.value) * sign
            named = sheet.word(word.stop, "clock_hour")
            if named is not None and minutes < 0 and sign > 0:
                # половина десятого: half of the tenth hour.
                return _spoken(named.stop, int(named.value), minutes + 0 if minutes == -30 else minutes)
            hour = _hour(sheet, word.stop)
            if hour is None or (sign > 0 and minutes < 0):
                return None
            if sheet.tokens[index].norm == "half" and word.stop == index + 1 and sheet.tokens[word.stop].sort != "word":
                return None
            return _spoken(hour[1], hour[0], minutes)
    token = sheet.tokens[index]
    if token.sort == "digits" and token.text in ("5", "10", "20", "25", "05") and sheet.free(index, index + 2):
        past = sheet.word(index + 1, "clock_step")
        hour = None if past is None or past.typo or past.value != "past" else _hour(sheet, past.stop)
        return None if hour is None or hour[0] > 12 else _spoken(hour[1], hour[0], int(token.text))
    number = sheet.word(index, "number")
    step = None if number is None or number.typo else sheet.word(number.stop, "clock_step")
    if number is None or step is None or step.typo or not STEP_MIN <= int(number.value) < 30:
        return None
    hour = _hour(sheet, step.stop)
    if hour is None:
        return None
    return _spoken(hour[1], hour[0], int(number.value) * (1 if step.value == "past" else -1))


def _hour_first(sheet: Sheet, index: int, *, alone: bool) -> Spoken | None:
    """Nove e mezza; 8 h et demie; dieci meno un quarto; at nine; neuf heures."""
    hour = _hour(sheet, index)
    if hour is None:
        return None
    amount, stop, marked = hour[0], hour[1], hour[2]
    more = sheet.word(stop, "clock_and")
    if more is not None and not more.typo and (marked or alone or int(more.value) in FRACTION):
        plain = more.stop - more.start == 1 and sheet.tagged(more.start, "number")
        if not plain or marked or (alone and more.tags[0].language == "ru"):
            return _spoken(more.stop, amount, int(more.value))
    minutes = _minutes_behind(sheet, stop, marked=marked, alone=alone)
    if minutes is not None:
        return _spoken(minutes[1], amount, minutes[0])
    if sheet.tokens[index].sort == "digits" or not alone or (amount < 2 and not marked):
        return None
    after = sheet.tokens[stop] if stop < len(sheet.tokens) else None
    if after is not None and after.sort == "word" and after.text.islower() and not sheet.known_word(stop):
        return None
    return Spoken(stop, amount, 0)


def _minutes_behind(sheet: Sheet, at: int, *, marked: bool, alone: bool) -> tuple[int, int] | None:
    """10 часов 15 минут; à 9 heures 20; alle 10 meno 10."""
    less = sheet.free(at, at + 2) and sheet.tokens[at].norm in ("meno", "moins")
    first = at + 1 if less else at
    if not (less or (marked and alone)) or not sheet.free(first, first + 1):
        return None
    token = sheet.tokens[first]
    if token.sort != "digits" or len(token.text) > 2 or int(token.text) > 59:
        return None
    unit = sheet.word(first + 1, "minute")
    minute = unit is not None and not unit.typo and unit.value == "minute"
    if not less and not minute and len(token.text) != 2:
        return None
    stop = unit.stop if unit is not None and minute else first + 1
    return (-int(token.text) if less else int(token.text)), stop


def _hour(sheet: Sheet, index: int) -> tuple[int, int, bool] | None:
    """The hour 0 to 24 in words or digits, where it ends, and whether a word for hours stands behind it."""
    if not sheet.free(index, index + 1):
        return None
    token = sheet.tokens[index]
    if token.sort == "digits":
        amount, stop = (int(token.text), index + 1) if len(token.text) <= 2 else (99, index)
    else:
        number = sheet.word(index, "number")
        if number is None or number.typo or not number.value.isdigit() or number.tags[0].value == "":
            return None
        amount, stop = int(number.value), number.stop
    if amount > 24:
        return None
    mark = sheet.word(stop, "hour_mark")
    # due ore e mezza is a span; ore due e mezza is a time.
    if mark is not None and not mark.typo and mark.value == "hour" and sheet.tokens[stop].norm != "ore":
        return amount, mark.stop, True
    return amount, stop, False


def _spoken(stop: int, hour: int, minutes: int) -> Spoken:
    whole = (hour * 60 + minutes) % 1440
    if minutes < 0 and hour == 1:
        whole = 720 + 60 + minutes
    return Spoken(stop, whole // 60, whole % 60)
