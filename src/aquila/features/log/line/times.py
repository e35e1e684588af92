"""Times in a line without a date: clock times with and without marks, periods, "5 min ago", "since"."""
# ruff: noqa: RUF001, RUF002  # Cyrillic letters and dashes are what people type

from typing import Any

import msgspec

from aquila.features.log.line.clock import AHEAD_MS, DAY_MS, Moment, on_a_day, value_of
from aquila.features.log.line.clocks import Clock, clock_at, digits_at, has_date
from aquila.features.log.line.dated import CLOCK, with_at
from aquila.features.log.line.draft import LineChoice
from aquila.features.log.line.grids import is_clock
from aquila.features.log.line.numbers import NOUNS
from aquila.features.log.line.sheet import Sheet
from aquila.features.log.line.spans import read_ago, read_ahead, read_lasting


def read_times(sheet: Sheet) -> None:
    """Claim what says by a word or mark that it is a time."""
    index = 0
    while index < len(sheet.tokens):
        if sheet.free(index, index + 1):
            _read_one(sheet, index)
        index += 1


TIME_WORDS = (
    "about", "ago_before", "lasting", "ahead", "between", "deadline", "since", "until", "at_time", "half", "minute",
    "number", "hour_mark", "clock_past", "clock_to", "clock_hour", "clock_said", "day",
)  # fmt: skip
"""Categories of words that a time may begin with; any other word begins none."""


def _read_one(sheet: Sheet, index: int) -> None:
    if sheet.tokens[index].sort == "word" and not sheet.tagged(index, *TIME_WORDS):
        return
    for reader in (read_ago, read_lasting, read_ahead, _between, _cases, _deadline, _since, _worded, _roughly, _marked):
        if reader(sheet, index):
            return


LEAD_MAX = 4
LETTERS = frozenset("sсavвkкvt")
"""Words of one letter before a time; glued to digits they are part of a callsign or of nothing."""
CONJUNCTIONS = frozenset({"and", "e", "et", "и"})


def _lead(sheet: Sheet, at: int) -> int:
    """Where the clock begins behind what may stand before it: at, about, tomorrow, a colon."""
    for _ in range(LEAD_MAX):
        found = sheet.word(at, "at_time", "about", "day")
        if sheet.is_mark(at, ":=.~"):
            at += 1
        elif found is not None and not found.typo and found.value != "now":
            at = found.stop
        else:
            break
    return at


def _no_word_of_time(sheet: Sheet, index: int) -> bool:
    """S3, A21: the letter is part of a name; moving s 0545, heading S: it is a direction."""
    token = sheet.tokens[index]
    if token.norm not in LETTERS:
        return False
    if index > 0 and not token.gap and sheet.tokens[index - 1].sort == "digits":
        # Vis 2k 0300: the letter belongs to the digits before it.
        return True
    after = sheet.tokens[index + 1] if index + 1 < len(sheet.tokens) else None
    glued = after is not None and not after.gap and after.sort == "digits"
    if token.norm == "t" and after is not None and len(after.text) == FOUR:
        # T0430, and not the T1 of a triage.
        return False
    colon = after is not None and after.sort == "digits" and sheet.is_mark(index + 2, ":")
    south = token.norm in ("s", "с") and (
        token.text == "S" or (sheet.tagged(index - 1, "moving", "distance") and not colon)
    )
    return glued or south


def _between(sheet: Sheet, index: int) -> bool:
    """0800-0930; 0945 to 0958; from 0800 to 0930; dalle 0800 alle 0930; с 08:00 до 09:30."""
    word = sheet.word(index, "between")
    at = index if word is None or word.typo or _no_word_of_time(sheet, index) else word.stop
    first = clock_at(sheet, at, hour_alone=at > index)
    if first is None:
        return False
    joint = sheet.word(first.stop, "and")
    if joint is None or joint.typo:
        return False
    dash = sheet.tokens[first.stop].sort == "mark"
    bare = at == index and not dash
    if bare and sheet.tokens[first.stop].norm in CONJUNCTIONS:
        return False
    last = clock_at(sheet, joint.stop, hour_alone=not dash and not bare)
    if last is None or (dash and not (first.marked or at > index) and not _both_four(sheet, first, last)):
        return False
    if bare and not (first.marked and last.marked) and not _both_four(sheet, first, last):
        return False
    return _claim_both(sheet, index, first, last, last.stop)


def _claim_both(sheet: Sheet, index: int, first: Clock, last: Clock, stop: int) -> bool:
    for clock in (first, last):
        if not clock.right:
            claim_wrong(sheet, index, stop, clock)
            return True
    _claim_period(sheet, index, first, msgspec.structs.replace(last, stop=stop))
    return True


def _cases(sheet: Sheet, index: int) -> bool:
    """09:00-ден 10:30-ға дейін: the endings say from and to."""
    first = clock_at(sheet, index)
    if first is None or not sheet.tagged(first.stop - 1, "case_ending"):
        return False
    last = clock_at(sheet, first.stop)
    until = None if last is None else sheet.word(last.stop, "until_after")
    if last is None or until is None or until.typo:
        return False
    return _claim_both(sheet, index, first, last, until.stop)


def _deadline(sheet: Sheet, index: int) -> bool:
    """By 1600, NLT 1600, entro le 18, avant 14h, к 16.00: what is due until then."""
    word = sheet.word(index, "deadline")
    if word is None or word.typo or _no_word_of_time(sheet, index):
        return False
    clock = clock_at(sheet, _lead(sheet, word.stop), hour_alone=True)
    if clock is None or not is_time(sheet, clock):
        return False
    if not clock.right and not (clock.marked or sheet.tokens[clock.start].text[0] in "012"):
        return False
    if sheet.tagged(index - 1, "zero", "negated"):
        # Not before 0430: nothing is due then.
        claim_clock(sheet, index, clock, "at", future=True, doubt="not before that time")
        return True
    claim_clock(sheet, index, clock, "until", future=True)
    return True


def _both_four(sheet: Sheet, first: Clock, last: Clock) -> bool:
    texts = (sheet.tokens[first.start].text, sheet.tokens[last.start].text)
    return all(len(text) == 4 and int(text[:2]) < 24 and int(text[2:]) < 60 for text in texts)


def _claim_period(sheet: Sheet, start: int, first: Clock, last: Clock) -> None:
    context = sheet.context
    zone = first.zone if first.zone != "L" else last.zone
    day, start, stop = _day(sheet, start, last.stop, first.start)
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
        # S is south; s is "since" in Latin letters.
        if word is None or word.typo or _no_word_of_time(sheet, index):
            continue
        clock = clock_at(sheet, _lead(sheet, word.stop), hour_alone=True)
        if clock is None or (not clock.right and not clock.marked):
            continue
        if not is_time(sheet, clock):
            continue
        hours = sheet.tokens[clock.stop - 1].norm in ("h", "ч") and sheet.tagged(index, "lasting")
        doubt = "a time of day, or for so many hours" if hours and clock.hour <= 12 else ""
        if word.value in ("as_of", "as_at"):
            sort, other = ("at", "") if word.value == "as_at" else _as_of(sheet)
            claim_clock(sheet, index, clock, sort, other=other)
        else:
            claim_clock(sheet, index, clock, category, future=category == "until", doubt=doubt)
        return True
    return False


def _as_of(sheet: Sheet) -> tuple[str, str]:
    """What `as of` says, and what else it may (empty = nothing): figures stood so then, a state holds since then."""
    if sheet.anywhere("quantity") or sheet.anywhere("stock"):
        return "at", ""
    if any(sheet.means(index, "kind_weak", "sitrep") for index in range(len(sheet.tokens))):
        return "since", ""
    return "since", "at"


def _worded(sheet: Sheet, index: int) -> bool:
    """At 0915; ore 9.15; h 0915; à 9h15; в 09-15; ETA 1500."""
    word = sheet.word(index, "at_time")
    if word is None or word.typo or _no_word_of_time(sheet, index) or _is_east(sheet, index):
        return False
    second = sheet.word(word.stop, "at_time")
    if word.value == "hour" and (sheet.tagged(index - 1, "number") or sheet.tokens[index - 1].sort == "digits"):
        # 1 hour 20 min: how long.
        return False
    future = word.value == "future" or (second is not None and not second.typo and second.value == "future")
    clock = clock_at(sheet, _lead(sheet, word.stop), hour_alone=True)
    if clock is None or not is_time(sheet, clock):
        return False
    if word.value == "hour" and clock.stop == clock.start + 1 and len(sheet.tokens[clock.start].text) < FOUR:
        # Hour 3.40 is a time, hour 3 may be anything.
        return False
    if not clock.right and not (clock.marked or sheet.tokens[clock.start].text[0] in "012"):
        return False
    doubt = ""
    if clock.stop > clock.start + 1 and sheet.tokens[clock.start + 1].text == "-":
        doubt = "two numbers with a dash are read as a time"
    elif future and clock.stop == clock.start + 1 and len(sheet.tokens[clock.start].text) <= 2:
        doubt = "an hour, or so many minutes from now"
    sort = "until" if _due(sheet, index, clock.start) else "at"
    claim_clock(sheet, index, clock, sort, future=future, doubt=doubt)
    return True


FOUR = 4


def _due(sheet: Sheet, index: int, start: int) -> bool:
    """Tomorrow before 0900, domani prima delle 9, завтра до 0900: behind the day a word says that it is due."""
    words = [sheet.word(at, category) for at in range(index + 1, start) for category in ("deadline", "until")]
    return any(word is not None and not word.typo for word in words)


def _is_east(sheet: Sheet, index: int) -> bool:
    """Verso est ore 11, vers l'est 11h: east, and no estimate."""
    before = index - 2 if sheet.is_mark(index - 1, "'’") else index - 1
    return sheet.tagged(index, "direction") and (
        before < index - 1 or sheet.tagged(before, "towards", "direction", "distance", "moving")
    )


def _roughly(sheet: Sheet, index: int) -> bool:
    """Около 9 взрыв, таңғы 9-да: an hour alone behind about or morning, never surely a time."""
    word = sheet.word(index, "about", "hour_mark")
    clock = None if word is None or word.typo else clock_at(sheet, word.stop, hour_alone=True)
    if clock is None or not clock.right or clock.stop > clock.start + 3 or len(sheet.tokens[clock.start].text) > 2:
        return False
    if not (sheet.tagged(clock.stop, "activity") or sheet.tagged(clock.stop - 1, "case_ending")):
        return False
    claim_clock(sheet, index, clock, "at", doubt="a number is read as an hour")
    return True


def is_time(sheet: Sheet, clock: Clock) -> bool:
    """No distance, height or count: `at 3000 ft`, `at 1500 m`, `from 100 m`."""
    after = clock.stop
    if is_pair(sheet, clock.start):
        return False
    if after < len(sheet.tokens) and sheet.tokens[after].norm == "w" and sheet.tagged(after, "beside"):
        # 0725 w 3 vehs: with, and no watts.
        return True
    if sheet.is_mark(clock.start + 1, ":") and not sheet.tagged(after, "distance", "speed", "degree"):
        return True
    return not sheet.tagged(after, "distance", "speed", "degree", "quantity") or not sheet.free(after, after + 1)


def is_pair(sheet: Sheet, index: int) -> bool:
    """At 231 664, 2145 6640: two runs of digits of one length, and the second is no time: the halves of a grid."""
    if not sheet.free(index, index + 2):
        return False
    first, second = sheet.tokens[index : index + 2]
    after = sheet.tokens[index + 2] if index + 2 < len(sheet.tokens) else None
    ends = after is None or after.gap or after.text in ",;)" or (after.text == "." and index + 3 == len(sheet.tokens))
    return (
        len(first.text) == len(second.text) in (3, 4)
        and second.sort == first.sort == "digits"
        and ends
        and not (len(second.text) == 4 and is_clock(second.text))
        and not sheet.tagged(index + 2, *NOUNS, "distance", "speed", "degree", "quantity", "minute")
    )


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
    """10.55 or 11-05 without a word: a time only when the line has none, and never surely.

    A dash must stand at the end of a phrase: 10-15 pax are a count.
    """
    pair = any(digits_at(sheet, index, length, glued=False) for length in (1, 2))
    if not pair or not sheet.is_mark(index + 1, ".-") or sheet.has("time"):
        return False
    clock = clock_at(sheet, index, hour_alone=True)
    if clock is None or not clock.right or clock.stop < index + 3:
        return False
    if is_number_before(sheet, index) or glued_to_word(sheet, index) or not is_time(sheet, clock):
        return False
    after = sheet.tokens[clock.stop] if clock.stop < len(sheet.tokens) else None
    if sheet.tokens[index + 1].text == "." and (after is None or after.gap or clock.stop + 1 == len(sheet.tokens)):
        if sheet.tagged(index - 1, "height", "speed_word", "course", "azimuth", "at_least", "wind"):
            return False
    elif not _is_padded(sheet, index) and not _ends_phrase(sheet, index, clock):
        return False
    claim_clock(sheet, index, clock, "at", doubt="a number with a point or dash is read as a time")
    return True


def _is_padded(sheet: Sheet, index: int) -> bool:
    """03-05: who writes the nought counts nothing."""
    return sheet.tokens[index].text[0] == "0" and digits_at(sheet, index + 2, 2, glued=True)


def _ends_phrase(sheet: Sheet, index: int, clock: Clock) -> bool:
    dated = sheet.ends(index, "day") is not None
    mark = sheet.tokens[index + 1].text
    alone = len(sheet.tokens[index].text) == 1
    apart = index > 0 and sheet.tokens[index - 1].text in ",;:"
    if alone and not apart and (mark != "." or index > 0):
        return False
    if mark == "-" and sheet.tagged(index - 1, "post", "unit", "unit_form"):
        return False
    if clock.stop == len(sheet.tokens) or dated:
        return True
    # A mark ends the phrase when a space or nothing follows: 11-20, no casualties.
    return sheet.tokens[clock.stop].text in ",;:." and (
        clock.stop + 1 == len(sheet.tokens) or sheet.tokens[clock.stop + 1].gap
    )


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


def claim_clock(
    sheet: Sheet, start: int, clock: Clock, sort: str, *, future: bool = False, doubt: str = "", other: str = ""
) -> None:
    """Claim a clock time: `sort` at, since or until, or perhaps `other`; `doubt` says why it may be something else."""
    if not clock.right:
        claim_wrong(sheet, start, clock.stop, clock)
        return
    context = sheet.context
    day, start, stop = _day(sheet, start, clock.stop, clock.start)
    if sort == "at":
        for category in ("since", "until"):
            after = sheet.word(stop, f"{category}_after")
            if after is not None and not after.typo:
                sort, stop = category, after.stop
                break
    last = sheet.tokens[clock.stop - 1]
    if sort == "at" and not last.gap and last.norm in sheet.endings("from"):
        # 0130-дан
        sort = "since"
    if start == clock.start:
        start = with_at(sheet, start)
    if day == "yesterday" and clock.hour < EARLY_HOUR and _late(sheet, start, stop):
        # Last night at 0200 was this morning.
        day = "today"
    clock, half = _half_day(sheet, clock, start, stop, day=day, future=future)
    moment = on_a_day(context.now_ms, context.offset_min, clock.zone, clock.hour, clock.minute, day=day, future=future)
    beside = _beside(sheet, start, clock)
    choices, notes = [], [each for each in (doubt, clock.doubt, half, beside) if each]
    if other:
        choices.append(LineChoice(label="as it stood then", value=value_of(moment, other)))
        notes.append("since then, or as it stood then")
    if half:
        turned = on_a_day(
            context.now_ms, context.offset_min, clock.zone, (clock.hour + 12) % 24, clock.minute, day=day, future=future
        )
        choices.append(LineChoice(label=turned.clock, value=value_of(turned, sort)))
    if moment.other_ms is not None:
        choices.append(LineChoice(label="the day before", value={**value_of(moment, sort), "at_ms": moment.other_ms}))
        notes.append("still to come, or of the day before")
    elif sort == "at" and not future and moment.at_ms > context.now_ms + AHEAD_MS and day == "today":
        future = True
    if clock.zone not in "ZLJ":
        local = on_a_day(context.now_ms, context.offset_min, "L", clock.hour, clock.minute, day=day, future=future)
        choices.append(LineChoice(label="local time", value=value_of(local, sort)))
        notes.append(f"{clock.zone} is read as a time zone")
    if not day and has_date(sheet):
        notes.append("a date in the line may belong to it")
    text = sheet.line[sheet.tokens[clock.start].start : sheet.tokens[clock.stop - 1].end]
    if start == clock.start and len(text) <= 3 and text[-1].casefold() in "hч":
        notes.append(f"{text} is read as a time of day")
    value = value_of(moment, sort) | ({"planned": True} if future and sort != "since" else {})
    sheet.claim(
        start, stop, "time", value,
        confidence="unsure" if notes else "sure", alternatives=choices, note="; ".join(notes) or None,
    )  # fmt: skip


def _beside(sheet: Sheet, start: int, clock: Clock) -> str:
    """Why the words before a clock or its length put it in doubt: 3-4 am, after 0430, at 126; empty = they do not."""
    before = sheet.tokens[start - 1] if start > 0 else None
    text = sheet.tokens[clock.start].text
    if before is not None and before.text in "-–" and start > 1 and sheet.tokens[start - 2].sort == "digits":
        return "a number with a dash stands before it"
    if sheet.tagged(start - 1, "later"):
        return "after that time, and not at it"
    alone = clock.stop == clock.start + 1 and len(text) == SHORT_DIGITS and text[0] != "0"
    return "three digits are read as a time" if alone and text.isdigit() else ""


SHORT_DIGITS = 3
EARLY_HOUR = 6
"""Before it a time of `last night` is of the day that follows."""


def _late(sheet: Sheet, start: int, stop: int) -> bool:
    return any(sheet.means(at, "evening", "pm") for at in range(start, stop))


def _half_day(sheet: Sheet, clock: Clock, start: int, stop: int, *, day: str, future: bool) -> tuple[Clock, str]:
    """The half of the day that is meant, and why it is in doubt: that of an evening, else the last such time."""
    late = _late(sheet, start, stop)
    if late and 0 < clock.hour < 12:
        digits = sheet.tokens[clock.start].text
        if clock.hour < EARLY_HOUR or digits[0] == "0":
            return clock, "the night may be meant that began the day before"
        return msgspec.structs.replace(clock, hour=clock.hour + 12), "read as a time of the evening"
    early = any(sheet.means(at, "evening", "am") for at in range(start, stop))
    if not clock.half_day or (early and clock.hour < 12):
        return clock, ""
    note = "the morning or the evening may be meant"
    if day:
        return clock, note
    context = sheet.context
    best, nearest = clock, None
    future = future or sheet.anywhere("to_come")
    for hour in (clock.hour % 24, (clock.hour + 12) % 24):
        moment = on_a_day(context.now_ms, context.offset_min, clock.zone, hour, clock.minute, future=future)
        at_ms = moment.at_ms if moment.other_ms is None else moment.other_ms
        apart = abs(at_ms - context.now_ms)
        if nearest is None or apart < nearest:
            best, nearest = msgspec.structs.replace(clock, hour=hour), apart
    return best, note


def _day(sheet: Sheet, start: int, stop: int, at: int) -> tuple[str, int, int]:
    """A word for the day before or after the time that begins at `at`, or within, and the words with it."""
    for inner in range(start, at):
        found = sheet.word(inner, "day")
        if found is not None and not found.typo and found.value != "now":
            return found.value, start, stop
    before = sheet.ends(start, "day")
    if before is not None and before.value != "now":
        return before.value, before.start, stop
    after = sheet.word(stop, "day")
    if after is not None and not after.typo and after.value != "now":
        return after.value, start, after.stop
    return "", start, stop
