"""Times told by how long before or after now: 5 min ago, da mezz'ora, for the last 2 h, in 20 min, dans 15 min."""
# Cyrillic letters are what people type

from aquila.features.log.line.clock import DAY_MS, HOUR_MS, ago, value_of
from aquila.features.log.line.numbers import NOUNS, RANGE_MARKS, number_at
from aquila.features.log.line.sheet import Sheet

UNITS_MS = {"minute": 60_000, "hour": HOUR_MS, "second": 1000, "day": DAY_MS}
SPANS_MS = {"half_hour": 1_800_000, "quarter_hour": 900_000, "hour": HOUR_MS, "one_and_half_hours": 5_400_000}
SPAN_MAX_MS = 366 * DAY_MS
HOURS_MAX = 3
"""Depuis 2 h is a span, depuis 9 h a time of day; both stay unsure."""
TOO_LONG = "a span of at most a year; type the date instead"


def read_ago(sheet: Sheet, index: int) -> bool:
    """5 min ago; il y a 5 minutes; half an hour ago; 2 h 30 ago; час назад."""
    first = sheet.word(index, "ago_before")
    at = index if first is None else first.stop
    length = span_at(sheet, at)
    if length is None:
        return False
    span_ms, stop = length
    last = sheet.word(stop, "ago")
    if first is None and last is None:
        return False
    before = sheet.ends(index, "about")
    start = index if before is None else before.start
    days = any(sheet.means(each, "minute", "day") for each in range(at, stop))
    doubt = "the time of day is not said" if days else ""
    if last is not None and sheet.means(last.start, "sooner", "than"):
        doubt = "earlier than now, or than something else"
    _claim(sheet, start, stop if last is None else last.stop, "at", span_ms, doubt)
    return True


def read_lasting(sheet: Sheet, index: int) -> bool:
    """For the last 2 h; da mezz'ora; depuis une heure; уже 20 минут: since so long."""
    first = sheet.word(index, "lasting")
    if first is None or first.typo:
        return _behind(sheet, index, "lasting_after", "since", 1)
    length = span_at(sheet, first.stop)
    if length is None or _short_unit(sheet, length[1]):
        return False
    span_ms, stop = length
    hours = any(token.norm in ("h", "ч") for token in sheet.tokens[first.stop : stop])
    glued = any(token.norm in ("h", "ч") and not token.gap for token in sheet.tokens[first.stop : stop])
    if sheet.tagged(index, "since") and hours and (glued or span_ms > HOURS_MAX * HOUR_MS):
        # depuis 10h: a time of day.
        return False
    last = sheet.word(stop, "ago")
    doubt = "for so many hours, or since that hour" if sheet.tagged(index, "since") and hours else ""
    _claim(sheet, index, stop if last is None else last.stop, "since", span_ms, doubt)
    return True


def read_ahead(sheet: Sheet, index: int) -> bool:
    """In 20 min; eta 15 mikes; tra mezz'ora; через час: a time to come."""
    first = sheet.word(index, "ahead")
    if first is None or first.typo:
        return _behind(sheet, index, "ahead_after", "at", -1)
    at = first.stop
    while sheet.is_mark(at, ":="):
        at += 1
    length = span_at(sheet, at)
    if length is None or _short_unit(sheet, length[1]):
        return False
    _claim(sheet, index, length[1], "at", -length[0])
    return True


def _behind(sheet: Sheet, index: int, category: str, sort: str, sign: int) -> bool:
    """20 минуттан кейін; 10 min out: the word stands behind the span."""
    length = span_at(sheet, index) if sheet.tokens[index].sort == "digits" else None
    last = None if length is None else sheet.word(length[1], category)
    if length is None or last is None or last.typo:
        return False
    _claim(sheet, index, last.stop, sort, sign * length[0])
    return True


def _short_unit(sheet: Sheet, stop: int) -> bool:
    """In 20 m: metres as well as minutes."""
    return sheet.tokens[stop - 1].norm in ("m", "s", "м", "с")  # noqa: RUF001  # both alphabets


def span_at(sheet: Sheet, index: int) -> tuple[int, int] | None:
    """A span in ms and where it ends: half an hour, 20 min, 2 h 30, 1 h 20 min; a unit alone is one (час назад)."""
    whole = sheet.word(index, "half")
    if whole is not None and not whole.typo:
        return SPANS_MS[whole.value], whole.stop
    number = number_at(sheet, index)
    at = index if number is None else number.stop
    unit = sheet.word(at, "minute")
    if unit is None or (number is None and unit.value != "hour"):
        return None
    amount = 1.0 if number is None else number.amount
    if number is not None and number.top is not None:
        # 1/2 hour; a range (5-10 min) is read as its middle.
        text = sheet.line[sheet.tokens[number.start].start : sheet.tokens[number.stop - 1].end]
        amount = amount / number.top if "/" in text else (amount + number.top) / 2
    stop = unit.stop + 1 if sheet.is_mark(unit.stop, ".") else unit.stop
    span_ms = int(amount * UNITS_MS[unit.value])
    if unit.value == "hour" and number is not None:
        more_ms, stop = _minutes_after(sheet, stop)
        span_ms += more_ms
    return span_ms, stop


def _minutes_after(sheet: Sheet, at: int) -> tuple[int, int]:
    """2 h 30, 2 h 30 min, 2 ore e mezza: the minutes behind the hours."""
    part = sheet.word(at, "clock_and")
    if part is not None and not part.typo and int(part.value) > 0:
        return int(part.value) * 60_000, part.stop
    joint = at + 1 if sheet.free(at, at + 1) and sheet.tokens[at].norm in ("and", "e", "et", "и") else at
    if not sheet.free(joint, joint + 1) or sheet.tokens[joint].sort != "digits":
        return 0, at
    minutes, after = int(sheet.tokens[joint].text[:3]), joint + 1
    unit = sheet.word(after, "minute")
    if minutes > 59 or (unit is not None and unit.value != "minute"):
        return 0, at
    if unit is not None:
        return minutes * 60_000, unit.stop
    if joint > at or len(sheet.tokens[joint].text) != 2 or _counted(sheet, at, after):
        return 0, at
    return minutes * 60_000, after


def _counted(sheet: Sheet, at: int, after: int) -> bool:
    """Does the number count what follows? In 1 h 30 camion it does not: the noun stands for one."""
    plural = sheet.tagged(after, *_COUNTED) and not sheet.tagged(after, "lone")
    return plural or (sheet.tagged(after, "lone") and sheet.tokens[at].text[0] not in "034")


_COUNTED = (*NOUNS, "distance", "adjective", "quantity")


def _claim(sheet: Sheet, start: int, stop: int, sort: str, back_ms: int, doubt: str = "") -> None:
    if abs(back_ms) > SPAN_MAX_MS:
        sheet.claim(start, stop, "time", None, problem=TOO_LONG)
        return
    context = sheet.context
    text = sheet.line[sheet.tokens[start].start : sheet.tokens[stop - 1].end]
    note = doubt or ("a span is read as one moment" if any(mark in text for mark in RANGE_MARKS) else None)
    value = value_of(ago(context.now_ms, context.offset_min, back_ms), sort)
    if back_ms < 0:
        value["planned"] = True
    sheet.claim(start, stop, "time", value, confidence="sure" if note is None else "unsure", note=note)
