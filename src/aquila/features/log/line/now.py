"""The word now: a time when the line has no other and something happens."""

from aquila.features.log.line.clock import ago, value_of
from aquila.features.log.line.numbers import NOUNS, number_at
from aquila.features.log.line.sheet import Sheet


def read_now(sheet: Sheet) -> None:
    """Claim `now` when the line has no other time; beside one, and before a count, it only fills."""
    if not sheet.anywhere("day") or sheet.has("time"):
        return
    happens = any(_is_event(sheet, index) for index in range(len(sheet.tokens)))
    if not happens and not (sheet.has("unit") and sheet.anywhere("near") and sheet.anywhere("post")):
        # Spare keys now with the night shift: an adverb, and no time of anything.
        return
    for index in range(len(sheet.tokens)):
        word = sheet.word(index, "day")
        if word is None or word.typo or word.value != "now":
            continue
        if number_at(sheet, word.stop) is not None or any(sheet.tagged(at, "number") for at in (index - 1, index - 2)):
            continue
        context = sheet.context
        value = value_of(ago(context.now_ms, context.offset_min, 0), "at")
        note = None if happens else "now is read as a time, though nothing is said to happen"
        sheet.claim(index, word.stop, "time", value, confidence="sure" if happens else "unsure", note=note)
        return


EVENTS = ("activity", "moving", "own_move", "own_pass", "casualty", "kind", "kind_weak", "aircraft", "vessel")
"""Words of which one must be in a line so that its `now` is the time of something."""


def _is_event(sheet: Sheet, index: int) -> bool:
    """Does this word tell what can be seen or done? People and vehicles must be counted."""
    if sheet.tokens[index].sort != "word" or not sheet.known_word(index) or sheet.tagged(index, "day"):
        return False
    return sheet.tagged(index, *EVENTS) or (sheet.tagged(index, *NOUNS) and _has_number(sheet, index))


def _has_number(sheet: Sheet, index: int) -> bool:
    before = range(max(0, index - NUMBER_WITHIN), index)
    return any(sheet.tokens[at].sort == "digits" or sheet.tagged(at, "number") for at in before)


NUMBER_WITHIN = 3
