"""Somebody is hurt: what happened to which part of the body: shot in the arm, gamba rotta, сломал руку."""

from aquila.features.log.line.sheet import Sheet
from aquila.features.log.line.words import Tag

APART_MAX = 2
"""Words that may stand between: cut his left hand, jambe bien ouverte."""


def read_hurts(sheet: Sheet) -> None:
    """Let a word for harm and a part of the body beside it mean somebody injured; burst tyres alarm nobody."""
    for index in range(len(sheet.tokens)):
        harmless = sheet.word(index, "harmless")
        if harmless is not None and not harmless.typo:
            sheet.set_aside(index, harmless.stop)
    if not sheet.anywhere("body_part") or not sheet.anywhere("harm"):
        return
    parts = [at for at in range(len(sheet.tokens)) if sheet.tagged(at, "body_part")]
    for part in parts:
        near = [at for at in range(part - APART_MAX - 2, part + APART_MAX + 2) if _hurts(sheet, at, part)]
        for harm in near[:1]:
            first, last = min(harm, part), max(harm, part)
            sheet.mean(first, last + 1, Tag("casualty", "injured", "en"))


def _hurts(sheet: Sheet, harm: int, part: int) -> bool:
    """Is this a word for harm in one phrase with the part of the body, and not denied?"""
    if harm == part or not sheet.tagged(harm, "harm") or sheet.tagged(harm - 1, "zero", "negated"):
        return False
    between = range(min(harm, part) + 1, max(harm, part))
    return len(between) <= APART_MAX and all(sheet.tokens[at].sort == "word" for at in between)
