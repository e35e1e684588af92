"""Four bare digits in a line: a time when they can be one and nothing else has taken them."""

from aquila.features.log.line.clocks import clock_at
from aquila.features.log.line.numbers import NOUNS
from aquila.features.log.line.sheet import Sheet
from aquila.features.log.line.times import claim_clock, claim_wrong, glued_to_word, is_number_before, is_time


def read_bare(sheet: Sheet) -> None:
    """Claim four bare digits that can be a time and nothing else."""
    for index, token in enumerate(sheet.tokens):
        if token.sort != "digits" or len(token.text) != 4 or not sheet.free(index, index + 1):
            continue
        if is_number_before(sheet, index) or sheet.is_mark(index - 1, "#") or glued_to_word(sheet, index):
            continue
        clock = clock_at(sheet, index)
        if clock is None or not is_time(sheet, clock):
            continue
        if not clock.right:
            if token.text[0] in "012" and not sheet.has("time") and index in (0, len(sheet.tokens) - 1):
                claim_wrong(sheet, index, clock.stop, clock)
            continue
        if sheet.tagged(clock.stop, "other_number"):
            continue
        doubt = "the digits may be part of a name or number" if _may_be_other(sheet, index) else ""
        if sheet.tagged(clock.stop, *NOUNS, "adjective") and token.text[0] != "0":
            doubt = "the digits may be a count"
        claim_clock(sheet, index, clock, "at", doubt=doubt)


def _may_be_other(sheet: Sheet, index: int) -> bool:
    """AB 1234; plate number was 1234."""
    before = sheet.tokens[index - 1] if sheet.free(index - 1, index) else None
    coded = before is not None and before.sort == "word" and before.text.isupper() and len(before.text) <= 3
    if coded and not sheet.known_word(index - 1):
        return True
    return any(sheet.free(at, at + 1) and sheet.tagged(at, "other_number") for at in range(index - 4, index))
