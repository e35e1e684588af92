"""Times in a line without a date: clock times with and without marks, periods, "5 min ago", "since"."""
# ruff: noqa: RUF002  # Cyrillic letters and dashes are what people type

from typing import Any

import msgspec

from aquila.features.log.line.clock import AHEAD_MS, DAY_MS, Moment, ago, on_a_day, value_of
from aquila.features.log.line.dated import CLOCK, with_at
from aquila.features.log.line.draft import LineChoice
from aquila.features.log.line.numbers import RANGE_MARKS, number_at
from aquila.features.log.line.sheet import Sheet

UNITS_MS = {"minute": 60_000, "hour": 3_600_000, "second": 1000, "day": DAY_MS}
SPANS_MS = {"half_hour": 1_800_000, "quarter_hour": 900_000, "hour": 3_600_000}
AGO_MAX_MS = 366 * DAY_MS


class Clock(msgspec.Struct, frozen=True):
    """Hours and minutes in words [start, stop).

    Attributes:
        zone: letter; L when none is typed. marked: something besides four bare digits says that it is a time.
    """

    start: int
    stop: int
    hour: int
    minute: int
    zone: str
    marked: bool

    @property
    def right(self) -> bool:
        """Does the clock have such a time?"""
        return self.hour < 24 and self.minute < 60


def clock_at(sheet: Sheet, index: int, *, hour_alone: bool = False) -> Clock | None:
    """A clock time that begins at this word. `hour_alone`: a word before says that it is one, so 9 is nine o'clock."""
    if not sheet.free(index, index + 1) or sheet.tokens[index].sort != "digits":
        return None
    text = sheet.tokens[index].text
    if len(text) <= 2:
        pair = _parted(sheet, index, hour_alone=hour_alone)
        if pair is not None:
            hour, minute, stop = pair
            if sheet.is_mark(stop, ":") and _digits(sheet, stop + 1, 2, glued=True):
                stop += 2
            return _with_zone(sheet, index, stop, hour, minute, marked=True)
        if not hour_alone or not _hour_ends(sheet, index + 1):
            return None
        return _with_zone(sheet, index, index + 1, int(text), 0, marked=True)
    if len(text) == 4 or (len(text) == 3 and hour_alone):
        return _with_zone(sheet, index, index + 1, int(text[:-2]), int(text[-2:]), marked=False)
    return None


def _hour_ends(sheet: Sheet, index: int) -> bool:
    """Is a lone number an hour here, and no count, distance or part of a number?"""
    if index >= len(sheet.tokens):
        return True
    if sheet.tagged(index, "hour_mark", "zone", "and"):
        return True
    nouns = ("people", "vehicle", "animal", "aircraft", "vessel", "boat", "casualty", "distance", "adjective", "minute")
    return (
        not sheet.tagged(index, *nouns)
        and sheet.tokens[index].sort != "digits"
        and sheet.tokens[index].text not in ".,-/"
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
        spaced = joined and _digits(sheet, index + 2, 2, glued=False)
        if spaced and not sheet.tagged(index + 3, "minute", "people", "vehicle", "distance"):
            return hour, int(sheet.tokens[index + 2].text), index + 3
        return None
    if mark.text == ":" and _digits(sheet, index + 2, 2, glued=True):
        return hour, int(sheet.tokens[index + 2].text), index + 3
    if mark.text in (".", "-", ",") and hour_alone and _digits(sheet, index + 2, 2, glued=True):
        # 09.15 and 09-15 are times only behind a word that says so.
        return hour, int(sheet.tokens[index + 2].text), index + 3
    if mark.norm in ("h", "ч", "h."):
        if _digits(sheet, index + 2, 2, glued=True):
            return hour, int(sheet.tokens[index + 2].text), index + 3
        if not sheet.tagged(index - 1, "about", "at_least") and not sheet.tagged(index + 2, "ago"):
            return hour, 0, index + 2
    return None


def _digits(sheet: Sheet, index: int, length: int, *, glued: bool) -> bool:
    if not sheet.free(index, index + 1):
        return False
    token = sheet.tokens[index]
    return token.sort == "digits" and len(token.text) == length and not (glued and token.gap)


def _has_date(sheet: Sheet) -> bool:
    """25 Nov, not read as a date with its time."""
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
    return Clock(start, stop, hour, minute, zone or "L", marked)


def _hour_ends_line(sheet: Sheet, index: int) -> bool:
    return index >= len(sheet.tokens) or sheet.tokens[index].sort != "digits"


def read_times(sheet: Sheet) -> None:
    """Claim what says by a word or mark that it is a time."""
    index = 0
    while index < len(sheet.tokens):
        if sheet.free(index, index + 1):
            _read_one(sheet, index)
        index += 1


def _read_one(sheet: Sheet, index: int) -> None:
    for reader in (_ago, _between, _since, _worded, _now, _marked):
        if reader(sheet, index):
            return


def _ago(sheet: Sheet, index: int) -> bool:
    """5 min ago; il y a 5 minutes; half an hour ago; час назад."""
    first = sheet.word(index, "ago_before")
    at = index if first is None else first.stop
    whole = sheet.word(at, "half")
    if whole is not None and not whole.typo:
        back_ms, stop = SPANS_MS[whole.value], whole.stop
    else:
        length = _span(sheet, at)
        if length is None:
            return False
        back_ms, stop = length
    last = sheet.word(stop, "ago")
    if first is None and last is None:
        return False
    stop = stop if last is None else last.stop
    if back_ms > AGO_MAX_MS:
        sheet.claim(index, stop, "time", None, problem="so long ago: at most a year; type the date instead")
        return True
    context = sheet.context
    start = index
    before = sheet.ends(index, "about")
    if before is not None:
        start = before.start
    text = sheet.line[sheet.tokens[start].start : sheet.tokens[stop - 1].end]
    note = "a span is read as one moment" if any(mark in text for mark in RANGE_MARKS) else None
    value = value_of(ago(context.now_ms, context.offset_min, back_ms), "at")
    sheet.claim(start, stop, "time", value, confidence="sure" if note is None else "unsure", note=note)
    return True


def _span(sheet: Sheet, index: int) -> tuple[int, int] | None:
    """A number and a unit of time; a unit alone is one (час назад)."""
    number = number_at(sheet, index)
    at = index if number is None else number.stop
    unit = sheet.word(at, "minute")
    if unit is None or (number is None and unit.value != "hour"):
        return None
    amount = 1.0 if number is None else number.amount
    if number is not None and number.top is not None:
        # 1/2 hour; a range (5-10 min) is read as its middle.
        whole = sheet.line[sheet.tokens[number.start].start : sheet.tokens[number.stop - 1].end]
        amount = amount / number.top if "/" in whole else (amount + number.top) / 2
    stop = unit.stop + 1 if sheet.is_mark(unit.stop, ".") else unit.stop
    return int(amount * UNITS_MS[unit.value]), stop


def _between(sheet: Sheet, index: int) -> bool:
    """0800-0930; from 0800 to 0930; dalle 0800 alle 0930; с 08:00 до 09:30."""
    word = sheet.word(index, "between")
    at = index if word is None or word.typo else word.stop
    first = clock_at(sheet, at, hour_alone=at > index)
    if first is None:
        return False
    joint = sheet.word(first.stop, "and")
    if joint is None or joint.typo:
        return False
    dash = sheet.tokens[first.stop].sort == "mark"
    if at == index and not dash:
        return False
    last = clock_at(sheet, joint.stop, hour_alone=not dash)
    if last is None or (dash and not (first.marked or at > index) and not _both_four(sheet, first, last)):
        return False
    for clock in (first, last):
        if not clock.right:
            claim_wrong(sheet, index, last.stop, clock)
            return True
    _claim_period(sheet, index, first, last)
    return True


def _both_four(sheet: Sheet, first: Clock, last: Clock) -> bool:
    texts = (sheet.tokens[first.start].text, sheet.tokens[last.start].text)
    return all(len(text) == 4 and int(text[:2]) < 24 and int(text[2:]) < 60 for text in texts)


def _claim_period(sheet: Sheet, start: int, first: Clock, last: Clock) -> None:
    context = sheet.context
    zone = first.zone if first.zone != "L" else last.zone
    day, start, stop = _day(sheet, start, last.stop)
    begin = on_a_day(context.now_ms, context.offset_min, zone, first.hour, first.minute, day=day)
    end_ms = begin.at_ms + ((last.hour - first.hour) * 60 + last.minute - first.minute) % 1440 * 60_000
    value = _period(begin, end_ms, last, zone)
    choices, note = [], None
    if begin.other_ms is not None:
        choices = [LineChoice(label="the day before", value=_period(begin, end_ms, last, zone, back_ms=DAY_MS))]
        note = "still to come, or of the day before"
    confidence: Any = "sure" if note is None else "unsure"
    sheet.claim(start, stop, "time", value, confidence=confidence, alternatives=choices, note=note)


def _period(begin: Moment, end_ms: int, last: Clock, zone: str, back_ms: int = 0) -> dict[str, Any]:
    return {
        "sort": "period",
        "from_ms": begin.at_ms - back_ms,
        "until_ms": end_ms - back_ms,
        "clock": f"{begin.clock[:-1]}-{last.hour:02d}{last.minute:02d}{zone}",
    }


def _since(sheet: Sheet, index: int) -> bool:
    """Since 0800; depuis 8h; с 08:00; until 0930."""
    for category in ("since", "until"):
        word = sheet.word(index, category)
        if word is None or word.typo:
            continue
        at = word.stop
        inner = sheet.word(at, "at_time")
        if inner is not None and not inner.typo and inner.value == "at":
            at = inner.stop
        clock = clock_at(sheet, at, hour_alone=True)
        if clock is None or (not clock.right and not clock.marked):
            continue
        if not is_time(sheet, clock):
            continue
        claim_clock(sheet, index, clock, category, future=category == "until")
        return True
    return False


def _worded(sheet: Sheet, index: int) -> bool:
    """At 0915; ore 9.15; h 0915; à 9h15; в 09-15; ETA 1500."""
    word = sheet.word(index, "at_time")
    if word is None or word.typo:
        return False
    at = word.stop
    second = sheet.word(at, "at_time")
    future = word.value == "future"
    if second is not None and not second.typo:
        at, future = second.stop, future or second.value == "future"
    while sheet.is_mark(at, ":=.~"):
        at += 1
    clock = clock_at(sheet, at, hour_alone=True)
    if clock is None or not is_time(sheet, clock):
        return False
    if not clock.right and not (clock.marked or sheet.tokens[clock.start].text[0] in "012"):
        return False
    claim_clock(sheet, index, clock, "at", future=future)
    return True


def is_time(sheet: Sheet, clock: Clock) -> bool:
    """No distance, height or count: `at 3000 ft`, `at 1500 m`, `from 100 m`."""
    after = clock.stop
    return not sheet.tagged(after, "distance", "speed", "degree") or not sheet.free(after, after + 1)


def _now(sheet: Sheet, index: int) -> bool:
    word = sheet.word(index, "day")
    if word is None or word.typo or word.value != "now":
        return False
    token = sheet.tokens[index]
    if token.norm == "ora" and clock_at(sheet, word.stop, hour_alone=True) is not None:
        return False
    context = sheet.context
    sheet.claim(index, word.stop, "time", value_of(ago(context.now_ms, context.offset_min, 0), "at"))
    return True


def _marked(sheet: Sheet, index: int) -> bool:
    """0915Z, 09:15, 15h30, 0915 hrs: the time marks itself."""
    clock = clock_at(sheet, index)
    if clock is None:
        return _dotted(sheet, index)
    if not clock.marked or is_number_before(sheet, index) or not is_time(sheet, clock):
        return False
    claim_clock(sheet, index, clock, "at")
    return True


def _dotted(sheet: Sheet, index: int) -> bool:
    """10.55 without a word: a time only when it ends a phrase and the line has none, and never surely."""
    if not _digits(sheet, index, 2, glued=False) or not sheet.is_mark(index + 1, ".") or sheet.has("time"):
        return False
    clock = clock_at(sheet, index, hour_alone=True)
    if clock is None or not clock.right or is_number_before(sheet, index) or glued_to_word(sheet, index):
        return False
    if clock.stop < len(sheet.tokens) and sheet.tokens[clock.stop].text not in ",;:.":
        return False
    if clock.stop < len(sheet.tokens) and not sheet.tokens[clock.stop].gap and clock.stop + 1 < len(sheet.tokens):
        return False
    claim_clock(sheet, index, clock, "at", doubt="a number with a point is read as a time")
    return True


def is_number_before(sheet: Sheet, index: int) -> bool:
    """Does a word such as phone or plate stand before the digits?"""
    return sheet.ends(index, "other_number") is not None


def glued_to_word(sheet: Sheet, index: int) -> bool:
    """Do letters or a joining mark touch the digits?"""
    token = sheet.tokens[index]
    if (
        index > 0
        and not token.gap
        and (sheet.tokens[index - 1].sort == "word" or sheet.tokens[index - 1].text in "-/.")
    ):
        return True
    after = sheet.tokens[index + 1] if index + 1 < len(sheet.tokens) else None
    return after is not None and not after.gap and after.sort == "word"


def claim_wrong(sheet: Sheet, start: int, stop: int, clock: Clock) -> None:
    """Claim a time that the clock does not have."""
    text = sheet.line[sheet.tokens[clock.start].start : sheet.tokens[clock.stop - 1].end]
    sheet.claim(start, stop, "time", None, problem=f"time {text}: {CLOCK}")


def claim_clock(sheet: Sheet, start: int, clock: Clock, sort: str, *, future: bool = False, doubt: str = "") -> None:
    """Claim a clock time: `sort` at, since or until; `doubt` says why it may be something else."""
    if not clock.right:
        claim_wrong(sheet, start, clock.stop, clock)
        return
    context = sheet.context
    day, start, stop = _day(sheet, start, clock.stop)
    if start == clock.start:
        start = with_at(sheet, start)
    moment = on_a_day(context.now_ms, context.offset_min, clock.zone, clock.hour, clock.minute, day=day, future=future)
    choices, notes = [], [doubt] if doubt else []
    if moment.other_ms is not None:
        choices.append(LineChoice(label="the day before", value={**value_of(moment, sort), "at_ms": moment.other_ms}))
        notes.append("still to come, or of the day before")
    elif sort == "at" and not future and moment.at_ms > context.now_ms + AHEAD_MS and day == "today":
        future = True
    if clock.zone not in "ZLJ":
        local = on_a_day(context.now_ms, context.offset_min, "L", clock.hour, clock.minute, day=day, future=future)
        choices.append(LineChoice(label="local time", value=value_of(local, sort)))
        notes.append(f"{clock.zone} is read as a time zone")
    if not day and _has_date(sheet):
        notes.append("a date in the line may belong to it")
    text = sheet.line[sheet.tokens[clock.start].start : sheet.tokens[clock.stop - 1].end]
    if start == clock.start and len(text) <= 3 and text[-1].casefold() in "hч":
        notes.append(f"{text} is read as a time of day")
    value = value_of(moment, sort) | ({"planned": True} if future and sort == "at" else {})
    sheet.claim(
        start, stop, "time", value,
        confidence="unsure" if notes else "sure", alternatives=choices, note="; ".join(notes) or None,
    )  # fmt: skip


def _day(sheet: Sheet, start: int, stop: int) -> tuple[str, int, int]:
    """A word for the day before or after the time, and the words with it."""
    before = sheet.ends(start, "day")
    if before is not None and before.value != "now":
        return before.value, before.start, stop
    after = sheet.word(stop, "day")
    if after is not None and not after.typo and after.value != "now":
        return after.value, start, after.stop
    return "", start, stop
