"""Who is given a task, who was informed, and which body outside the force is only spoken of."""
# ruff: noqa: RUF001, RUF002  # Cyrillic letters are what people type

from aquila.features.log.line.names import NAME_TOKENS_MAX, Name, Names, name_at
from aquila.features.log.line.sheet import Sheet
from aquila.features.log.line.spelling import digits_of
from aquila.features.log.line.who import begins, claim_name

FILLERS = frozenset({"a", "al", "alla", "à", "au", "the", "la", "il", "le", "for", "to", "per", "pour", "для", "у"})
ENDED = frozenset(
    "complete completed over done cancelled terminée finie accomplie annulée terminata conclusa finita annullata "
    "выполнена завершена отменена окончена орындалды аяқталды".split()
)
"""Mission PTL5 terminée: nobody is told anything."""
TELLS = frozenset({"by", "that", "from", "da", "dal", "dalla", "che", "par", "que", "что", "us", "me", "him", "them"})
"""PTL5 informed by LAF that: who was told is the one who reports."""


def read_tasks(sheet: Sheet, names: Names) -> None:
    """Claim task PTL5: check ...; ptl5 to check ...; PTL3 doit contrôler ...: a request to that unit.

    Told BRAVO 2 to divert, приказал Альфа 12 вернуться, all patrols hold: the same.
    """
    for index in range(len(sheet.tokens)):
        if _ordered(sheet, names, index) or _all_told(sheet, index):
            return
        word = sheet.word(index, "task")
        if word is not None and not word.typo and begins(sheet, index):
            at = word.stop
            while sheet.is_mark(at, ":-") or (sheet.free(at, at + 1) and sheet.tokens[at].norm in FILLERS):
                at += 1
            if _all_told(sheet, at, begun=True):
                return
            name = _unit_at(sheet, names, at)
            if name is not None and not _is(sheet, name.stop, ENDED):
                sheet.claim(index, word.stop, "kind", {"kind": "request"})
                claim_name(sheet, name.start, "to", name, names)
                return
        name = _unit_at(sheet, names, index)
        behind = index if name is None else name.stop + (1 if sheet.is_mark(name.stop, ",:-") else 0)
        must = None if name is None else sheet.word(behind, "must")
        if name is not None and must is not None and not must.typo and begins(sheet, index):
            claim_name(sheet, index, "to", name, names)
            sheet.infer("kind", {"kind": "request"}, "a unit is told what to do")
            return


def _ordered(sheet: Sheet, names: Names, index: int) -> bool:
    """A word for ordering, the unit, and what it is to do; in Kazakh the word stands at the end."""
    word = sheet.word(index, "orders")
    if word is None or word.typo:
        return _ordered_before(sheet, names, index)
    at = word.stop
    while sheet.is_mark(at, ":-") or (sheet.free(at, at + 1) and sheet.tokens[at].norm in FILLERS):
        at += 1
    if _all_told(sheet, at, begun=True):
        return True
    name = _unit_at(sheet, names, at)
    if name is None or not bids(sheet, name.stop):
        return False
    sheet.claim(index, word.stop, "kind", {"kind": "request"})
    claim_name(sheet, name.start, "to", name, names)
    return True


def _ordered_before(sheet: Sheet, names: Names, index: int) -> bool:
    """Альфа 12-ге оралу бұйырылды: the case of the name says to whom."""
    name = _unit_at(sheet, names, index) if sheet.anywhere("orders_after") else None
    if name is None or not (sheet.is_mark(name.stop, "-") and sheet.tagged(name.stop + 1, "case_ending")):
        return False
    if not any(sheet.word(at, "orders_after") for at in range(name.stop, len(sheet.tokens))):
        return False
    claim_name(sheet, index, "to", name, names, stop=name.stop + 2)
    sheet.infer("kind", {"kind": "request"}, "a unit is told what to do")
    return True


def bids(sheet: Sheet, index: int) -> bool:
    """Does what is to be done begin here: to divert, di rientrare, вернуться, hold?"""
    if sheet.is_mark(index, ":,-"):
        index += 1
    if not sheet.free(index, index + 1):
        return False
    token = sheet.tokens[index]
    if sheet.tagged(index, "infinitive"):
        # Told PTL3 to JOC: a name follows.
        after = sheet.tokens[index + 1] if index + 1 < len(sheet.tokens) else None
        return after is not None and (after.text in "'’" or (after.sort == "word" and after.text.islower()))
    return sheet.tagged(index, "must", "bidden") or (
        not token.text.isascii() and token.norm.endswith(sheet.endings("infinitive"))
    )


def _all_told(sheet: Sheet, index: int, *, begun: bool = False) -> bool:
    """All patrols hold; всем постам усилить наблюдение; ordre à toutes les patrouilles: rentrer."""
    word = sheet.word(index, "everyone")
    if word is None or word.typo or not (begun or begins(sheet, index)):
        return False
    at = word.stop
    while sheet.is_mark(at, ":,.-"):
        at += 1
    if not bids(sheet, at):
        return False
    text = sheet.line[sheet.tokens[index].start : sheet.tokens[word.stop - 1].end]
    sheet.claim(index, word.stop, "to", {"name": text, "id": None})
    sheet.infer("kind", {"kind": "request"}, "all are told what to do")
    return True


def _is(sheet: Sheet, index: int, words: frozenset[str]) -> bool:
    return index < len(sheet.tokens) and sheet.tokens[index].text.casefold() in words


def _unit_at(sheet: Sheet, names: Names, index: int) -> Name | None:
    name = name_at(sheet, names, index)
    known = None if name is None else name.known or (name.close[0] if name.close else None)
    return name if known is not None and known.sort == "unit" else None


def _post_at(sheet: Sheet, names: Names, index: int) -> bool:
    name = names.at(sheet, index)
    return name is not None and bool(digits_of(name.text))


def read_informed(sheet: Sheet, names: Names) -> None:
    """Claim EOD informed, vigili del fuoco avvisati, полицияға хабарланды: who was told stands before the word."""
    for index in range(len(sheet.tokens)):
        told = sheet.word(index, "told")
        if told is None or told.typo or _unit_at(sheet, names, told.stop) or _post_at(sheet, names, told.stop):
            # JOC informed UNP 1-26: who told whom.
            continue
        if _is(sheet, told.stop, TELLS):
            continue
        for start in range(max(0, index - NAME_TOKENS_MAX), index):
            body = sheet.word(start, "partner")
            if body is not None and not body.typo and body.stop == index:
                text = sheet.line[sheet.tokens[start].start : sheet.tokens[index - 1].end]
                sheet.claim(start, told.stop, "info", {"name": text, "id": None})
                break
            name = _unit_at(sheet, names, start)
            if name is not None and name.stop == index and not sheet.tagged(start - 1, "to"):
                claim_name(sheet, start, "info", name, names, stop=told.stop)
                break
