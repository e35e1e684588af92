"""What a whole line puts in doubt: two times, two places, a day that stands apart from its time."""
# ruff: noqa: RUF001  # Cyrillic letters are what people type

from aquila.features.log.line.clock import DAY_MS
from aquila.features.log.line.draft import LineChoice, LinePart
from aquila.features.log.line.sheet import Sheet

COMPARING = frozenset({"as", "than", "since", "from", "come", "di", "comme", "que", "d", "de", "как", "чем", "со"})


def read_doubts(sheet: Sheet) -> None:
    """Make unsure what has a second reading because of another part of the line."""
    _apart_day(sheet)
    _asked_back(sheet)
    _either(sheet)
    for field, plain in (("time", "times"), ("place", "places")):
        parts = [part for part in sheet.parts if part.field == field and part.value is not None]
        if len(parts) > 1:
            for part in parts:
                sheet.question(part, f"the line has {len(parts)} {plain}")


EITHER = ("place", "time", "unit", "size")


def _either(sheet: Sheet) -> None:
    """At CP 4 or CP 6; 0910 или 0920: the writer left it open."""
    for part in [each for each in sheet.parts if each.field in EITHER and each.end > each.start and each.value]:
        _, stop = sheet.token_range(part.start, part.end)
        word = sheet.word(stop, "or")
        if word is None or word.typo:
            continue
        sheet.question(part, "another one stands behind `or`")
        start = sheet.tokens[word.stop].start if word.stop < len(sheet.tokens) else -1
        for other in [each for each in sheet.parts if each.start == start and each.field == part.field and each.value]:
            sheet.question(other, "another one stands before `or`")


def _asked_back(sheet: Sheet) -> None:
    """YB 25 61? The writer was not sure."""
    for part in [each for each in sheet.parts if each.end > each.start and each.value is not None]:
        if sheet.line[part.end : part.end + 2].lstrip(" )").startswith("?"):
            sheet.question(part, "a question mark stands behind it")


def _apart_day(sheet: Sheet) -> None:
    """Yesterday PTL3 halted 0930: the day belongs to the time, unless it only compares (same as yesterday)."""
    times = [part for part in sheet.parts if part.field == "time" and part.value and part.value["sort"] != "period"]
    if len(times) != 1:
        return
    if any(sheet.means(index, "day", "today") for index in range(len(sheet.tokens))):
        return
    for index in range(len(sheet.tokens)):
        word = sheet.word(index, "day")
        if word is None or word.typo or word.value not in ("yesterday", "tomorrow"):
            continue
        if sheet.tagged(index, "evening") and times[0].value and times[0].value.get("clock", "9")[:2] < "06":
            sheet.question(times[0], "the night before or the one after may be meant")
            return
        compares = index > 0 and sheet.tokens[index - 1].norm in COMPARING
        _move(sheet, times[0], word.value, compares=compares)
        return


def _move(sheet: Sheet, part: LinePart, day: str, *, compares: bool) -> None:
    value = part.value
    if value is None or len(value["clock"]) > len("0915L"):
        return
    context = sheet.context
    shift_ms = context.offset_min * 60_000
    days = (value["at_ms"] + shift_ms) // DAY_MS - (context.now_ms + shift_ms) // DAY_MS
    wanted = -1 if day == "yesterday" else 1
    other = value | {"at_ms": value["at_ms"] + (wanted - days) * DAY_MS}
    if other["at_ms"] == value["at_ms"]:
        return
    note = f"{day} stands apart from it"
    if compares:
        sheet.replace(part, value, (LineChoice(label=day, value=other),), note)
    else:
        sheet.replace(part, other, (LineChoice(label="the nearest such time", value=value),), note)
