"""A clock time at a word of a line: digits with and without marks, or spoken, with its zone and its half of the day."""
# ruff: noqa: RUF003  # Cyrillic letters and dashes are what people type

import msgspec

from aquila.features.log.line.numbers import NOUNS
from aquila.features.log.line.sheet import Sheet
from aquila.features.log.line.spoken import DURING, Spoken, spoken_at


class Clock(msgspec.Struct, frozen=True):
    """Hours and minutes in words [start, stop).

    Attributes:
        zone: letter; L when none is typed. marked: something besides four bare digits says that it is a time.
        half_day: the other half of the day may be meant: half past nine, alle 8.
        doubt: why it may be no time; empty = there is no doubt.
    """

    start: int
    stop: int
    hour: int
    minute: int
    zone: str
    marked: bool
    half_day: bool = False
    doubt: str = ""

    @property
    def right(self) -> bool:
        """Does the clock have such a time?"""
        return self.hour < 24 and self.minute < 60


def clock_at(sheet: Sheet, index: int, *, hour_alone: bool = False) -> Clock | None:
    """A clock time that begins at this word. `hour_alone`: a word before says that it is one, so 9 is nine o'clock."""
    if not sheet.free(index, index + 1) or index in sheet.reserved or index in sheet.called:
        return None
    spoken = spoken_at(sheet, index, alone=hour_alone)
    if spoken is not None:
        return _of_words(sheet, index, spoken)
    if sheet.tokens[index].sort != "digits":
        return None
    text = sheet.tokens[index].text
    if len(text) <= 2:
        hour_alone = hour_alone or _half_said(sheet, index + 1)
        pair = _parted(sheet, index, hour_alone=hour_alone)
        if pair is not None:
            hour, minute, stop = pair
            if sheet.is_mark(stop, ":") and digits_at(sheet, stop + 1, 2, glued=True):
                stop += 2
            return _with_zone(sheet, index, stop, hour, minute, marked=True)
        if not hour_alone or not _hour_ends(sheet, index + 1):
            return None
        clock = _with_zone(sheet, index, index + 1, int(text), 0, marked=True)
        return _halved(sheet, clock)
    if len(text) == 4 or (len(text) == 3 and hour_alone):
        return _with_zone(sheet, index, index + 1, int(text[:-2]), int(text[-2:]), marked=False)
    return None


def _half_said(sheet: Sheet, index: int) -> bool:
    """9 am, 9 утра; but 3 дня are days and 2 ночи are nights."""
    said = any(sheet.means(index, "hour_mark", half) for half in ("am", "pm"))
    return said and sheet.tokens[index].norm not in ("дня", "ночи")


def _of_words(sheet: Sheet, index: int, spoken: Spoken) -> Clock:
    clock = _with_zone(sheet, index, spoken.stop, spoken.hour, spoken.minute, marked=True)
    return _halved(sheet, clock) if spoken.hour <= 12 and not spoken.certain else clock


def _halved(sheet: Sheet, clock: Clock) -> Clock:
    """The same, and the other half of the day unless a word (утра, pm) said which."""
    said = any(sheet.means(at, "hour_mark", half) for at in range(clock.start, clock.stop) for half in ("am", "pm"))
    oclock = "oclock" in "".join(token.norm for token in sheet.tokens[clock.start : clock.stop]).replace("'", "")
    doubt = "o'clock may be a direction" if oclock else clock.doubt
    return msgspec.structs.replace(clock, half_day=not said and clock.hour <= 12, doubt=doubt)


def _hour_ends(sheet: Sheet, index: int) -> bool:
    """Is a lone number an hour here, and no count, distance or part of a number?"""
    if index >= len(sheet.tokens):
        return True
    if sheet.tagged(index, "hour_mark", "zone", "and"):
        return True
    if sheet.tokens[index].sort == "word" and not sheet.tokens[index].gap:
        # "at 1st light"
        return False
    numbered = index + 1 < len(sheet.tokens) and sheet.tokens[index + 1].sort == "digits"
    if sheet.tagged(index, "unit", "place_form") and not sheet.tagged(index, "near") and not numbered:
        # "à 2 COY"
        return False
    nouns = ("people", "vehicle", "animal", "aircraft", "vessel", "boat", "casualty", "distance", "adjective", "minute")
    if sheet.tokens[index].text in ".,":
        # "at 4, usual place": the mark ends the phrase, and no decimal part follows.
        return index + 1 == len(sheet.tokens) or sheet.tokens[index + 1].gap
    return (
        not sheet.tagged(index, *nouns)
        and sheet.tokens[index].sort != "digits"
        and sheet.tokens[index].text not in "-/"
    )


def _parted(sheet: Sheet, index: int, *, hour_alone: bool) -> tuple[int, int, int] | None:
    """09:15, 09.15, 9h15, 15h: hour, minute and where it ends."""
    hour = int(sheet.tokens[index].text)
    if not sheet.free(index, index + 2):
        return None
    mark = sheet.tokens[index + 1]
    if mark.gap:
        # 11 h 25; alle 10 e 40
        joined = mark.norm in ("h", "ч") or (mark.norm == "e" and hour_alone)
        spaced = joined and digits_at(sheet, index + 2, 2, glued=False)
        if spaced and hour_alone and sheet.tagged(index + 3, "minute"):
            # 11 ч 40 мин
            stop = index + 5 if sheet.is_mark(index + 4, ".") else index + 4
            return hour, int(sheet.tokens[index + 2].text), stop
        if spaced and not sheet.tagged(index + 3, "minute", "ago", *NOUNS, "distance", "quantity"):
            return hour, int(sheet.tokens[index + 2].text), index + 3
        return None
    if mark.text == ":" and digits_at(sheet, index + 2, 2, glued=True):
        return hour, int(sheet.tokens[index + 2].text), index + 3
    if mark.text in (".", "-", ",") and hour_alone and digits_at(sheet, index + 2, 2, glued=True):
        # 09.15 and 09-15 are times only behind a word that says so.
        return hour, int(sheet.tokens[index + 2].text), index + 3
    if mark.norm in ("h", "ч", "h."):
        if digits_at(sheet, index + 2, 2, glued=True):
            return hour, int(sheet.tokens[index + 2].text), index + 3
        spans = (index > 0 and sheet.tokens[index - 1].norm in DURING) or sheet.tagged(index + 2, "endurance")
        if (
            not spans
            and not sheet.tagged(index - 1, "about", "at_least", "lasting")
            and not sheet.tagged(index + 2, "ago")
        ):
            return hour, 0, index + 2
    return None


def digits_at(sheet: Sheet, index: int, length: int, *, glued: bool) -> bool:
    """Does a free run of so many digits stand here? `glued`: without white space before it."""
    if not sheet.free(index, index + 1):
        return False
    token = sheet.tokens[index]
    return token.sort == "digits" and len(token.text) == length and not (glued and token.gap)


def has_date(sheet: Sheet) -> bool:
    """25 Nov, not read as a date with its time."""
    if not sheet.anywhere("month"):
        return False
    return any(
        sheet.free(index, index + 1)
        and token.sort == "digits"
        and len(token.text) <= 2
        and sheet.free(index + 1, index + 2)
        and sheet.tagged(index + 1, "month")
        for index, token in enumerate(sheet.tokens)
    ) or any(
        sheet.free(index, index + 1) and token.text.isupper() and len(token.text) == 3 and sheet.tagged(index, "month")
        for index, token in enumerate(sheet.tokens)
    )


def _with_zone(sheet: Sheet, start: int, stop: int, hour: int, minute: int, *, marked: bool) -> Clock:
    zone = ""
    while sheet.free(stop, stop + 1):
        token = sheet.tokens[stop]
        found = sheet.word(stop, "hour_mark", "zone")
        if not token.gap and token.text.upper() in ("Z", "L", "J") and len(token.text) == 1 and not zone:
            zone, stop = token.text.upper(), stop + 1
        elif (
            not token.gap
            and len(token.text) == 1
            and token.text in "ABCDEFGIKMNOPQRSTUVWXY"
            and not marked
            and not zone
        ):
            zone, stop = token.text, stop + 1
        elif token.gap and token.text == "L" and not zone and _liquid(sheet):
            break
        elif token.gap and token.text in ("Z", "L") and not zone:
            zone, stop = token.text, stop + 1
        elif found is not None and not found.typo and not (zone and found.tags[0].category == "zone"):
            value = found.value
            if value in ("am", "pm"):
                hour = hour % 12 + (12 if value == "pm" else 0) if hour <= 12 else hour
            elif found.tags[0].category == "zone":
                zone = "Z" if value == "z" else "L"
            elif len(token.norm) == 1 and token.gap and not _hour_ends_line(sheet, stop + 1):
                break
            stop = found.stop
        else:
            break
        marked = True
    end, doubt = _behind(sheet, stop)
    # 1500ге дейін: the ending of a case and the word that it belongs to say that it is a time.
    cased = end > stop and sheet.tagged(end, "until_after", "since_after")
    return Clock(start, end, hour, minute, zone or "L", marked or doubt != "" or cased, doubt=doubt)


def _behind(sheet: Sheet, stop: int) -> tuple[int, str]:
    """0940ish is about then; 10:20-дан has the ending of a case."""
    if sheet.free(stop, stop + 1) and sheet.tokens[stop].norm == "ish" and not sheet.tokens[stop].gap:
        return stop + 1, "about that time"
    ending = sheet.word(stop + 1 if sheet.is_mark(stop, "-") else stop, "case_ending")
    return (stop, "") if ending is None or ending.typo else (ending.stop, "")


def _liquid(sheet: Sheet) -> bool:
    """Diesel 1400 L: a quantity."""
    return sheet.anywhere("liquid")


def _hour_ends_line(sheet: Sheet, index: int) -> bool:
    return index >= len(sheet.tokens) or sheet.tokens[index].sort != "digits"
