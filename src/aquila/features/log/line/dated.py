"""Times with a date in a line: date-time groups, ISO 8601, day and month with a clock time."""
# Cyrillic letters and dashes are what people type

import re

from aquila.features.log.line.clock import DAY_MS, on_a_date, value_of
from aquila.features.log.line.sheet import Sheet

DTG = re.compile(
    r"(?<![^\W_])(\d{2})(\d{2})(\d{2}) ?([A-Z])? ?([^\W\d_]{3,4})\.? ?(\d{4}|\d{2})?(?![^\W_])", re.IGNORECASE
)
SHORT_DTG = re.compile(r"(?<![^\W_])(\d{2})(\d{2})(\d{2}) ?([A-Z])(?![^\W_])")
ISO = re.compile(
    r"(?<![^\W_])(\d{4})-(\d{1,2})-(\d{1,2})[T ](\d{1,2}):?(\d{2})(?::\d{2}(?:\.\d{1,6})?)? ?([ZzLl])?(?![^\W_])"
)
DATE = re.compile(
    r"(?<![\w.])(\d{1,2})[./](\d{1,2})(?:[./](\d{4}|\d{2}))?\.?,? (?:[^\W\d_]{1,4}\.? )?"
    r"(\d{1,2})[:.h]?(\d{2}) ?([ZzLl])?(?![^\W_])"
)
DAY_MONTH = re.compile(
    r"(?<![^\W_])(\d{1,2}) ?([^\W\d_]{3,9})\.? ?(?:(\d{4}|\d{2})(?!\d))?,? (?:[^\W\d_]{1,4}\.? )?"
    r"(\d{1,2})[:.h]?(\d{2}) ?([ZzLl])?(?![^\W_])"
)
CLOCK = "a time is 0000 to 2359, hours up to 23 and minutes up to 59"


def read_dated(sheet: Sheet) -> None:
    """Claim date-time groups, ISO times and dates with a time."""
    for found in ISO.finditer(sheet.line):
        _claim_dated(sheet, found, int(found[3]), int(found[2]), int(found[1]), found[4], found[5], found[6])
    for found in DTG.finditer(sheet.line):
        month = _month(sheet, found[5])
        if month is not None:
            year = int(found[6]) if found[6] else None
            _claim_dated(sheet, found, int(found[1]), month, year, found[2], found[3], found[4])
    for found in DAY_MONTH.finditer(sheet.line):
        month = _month(sheet, found[2])
        if month is not None and 0 < int(found[1]) <= 31:
            year = int(found[3]) if found[3] else None
            _claim_dated(sheet, found, int(found[1]), month, year, found[4], found[5], found[6])
    for found in SHORT_DTG.finditer(sheet.line):
        if found[4] in "ZLJ" or not (int(found[1]) > 31 or int(found[2]) > 23):
            _claim_dated(sheet, found, int(found[1]), None, None, found[2], found[3], found[4])
    for found in DATE.finditer(sheet.line):
        if (0 < int(found[2]) <= 12 and 0 < int(found[1]) <= 31) or found[3]:
            year = int(found[3]) if found[3] else None
            if year is None and _is_far(sheet, int(found[1]), int(found[2])):
                if found[1] in READABILITY and found[2] in READABILITY:
                    # OP 3 reads us 4/5 at 0400: how a link is heard.
                    continue
                doubt = "a date without a year, and far from today"
            else:
                doubt = ""
            _claim_dated(sheet, found, int(found[1]), int(found[2]), year, found[4], found[5], found[6], doubt)


FAR_MS = 45 * DAY_MS
"""From today, within which a date without a year is most likely meant."""
READABILITY = frozenset("12345")


def _is_far(sheet: Sheet, day: int, month: int) -> bool:
    context = sheet.context
    try:
        moment = on_a_date(context.now_ms, context.offset_min, "L", day, month, None, 12, 0)
    except ValueError:
        return False
    return abs(moment.at_ms - context.now_ms) > FAR_MS


def _month(sheet: Sheet, text: str) -> int | None:
    value = sheet.meaning(text, "month")
    return None if value is None else int(value)


def _claim_dated(
    sheet: Sheet,
    found: re.Match[str],
    day: int,
    month: int | None,
    year: int | None,
    hours: str,
    minutes: str,
    letter: str | None,
    doubt: str = "",
) -> None:
    start, stop = sheet.token_range(found.start(), found.end())
    if not sheet.free(start, stop):
        return
    while sheet.tokens[stop - 1].sort == "mark" and stop - 1 > start:
        stop -= 1
    start = with_at(sheet, start)
    zone = (letter or "L").upper()
    hour, minute = int(hours), int(minutes)
    if hour > 23 or minute > 59:
        sheet.claim(start, stop, "time", None, problem=f"time {hours}{minutes}: {CLOCK}")
        return
    context = sheet.context
    try:
        moment = on_a_date(context.now_ms, context.offset_min, zone, day, month, year, hour, minute)
    except ValueError as error:
        sheet.claim(start, stop, "time", None, problem=str(error))
        return
    if month is None and zone != "Z" and zone not in "LJ":
        note = f"{zone} is read as a time zone"
        sheet.claim(start, stop, "time", value_of(moment, "at"), confidence="unsure", note=note)
        return
    if doubt:
        sheet.claim(start, stop, "time", value_of(moment, "at"), confidence="unsure", note=doubt)
        return
    sheet.claim(start, stop, "time", value_of(moment, "at"))


def with_at(sheet: Sheet, start: int) -> int:
    """Where the time begins with the word before it: at, ore, в."""
    found = sheet.ends(start, "at_time")
    return start if found is None else found.start
