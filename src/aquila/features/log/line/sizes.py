"""How many of what: people, vehicles, animals, aircraft, vessels, boats; killed, injured, missing."""
# ruff: noqa: RUF001, RUF002  # Cyrillic letters and dashes are what people type

from typing import Any

import msgspec

from aquila.features.log.line.grids import is_clock
from aquila.features.log.line.numbers import NOUNS, Number, number_at
from aquila.features.log.line.sheet import Found, Sheet
from aquila.features.log.line.words import Tag

BETWEEN_MAX = 2
"""Words that may stand between the number and the noun: 3 white Toyota pickups."""
WANTED_WITHIN = 3
COUNT_DIGITS = 2
"""Digits up to which a count may begin with a nought: 02 trucks; a longer run that does is a time."""
COUNT_MAX = 1_000_000


def read_sizes(sheet: Sheet) -> None:
    """Claim counts, each with the noun that it counts."""
    for index in range(len(sheet.tokens)):
        losses = sheet.word(index, "no_losses")
        if losses is not None and not losses.typo:
            # No casualties at all: no field of a casualty, and no state that was counted.
            sheet.set_aside(index, losses.stop)
        elif sheet.free(index, index + 1):
            _none(sheet, index) or _counted(sheet, index) or _noun_first(sheet, index) or _collective(
                sheet, index
            ) or _persons(sheet, index)


SHORT_PEOPLE, SHORT_VEHICLES = frozenset({"p", "u", "ч", "а"}), frozenset({"v", "m", "т", "м", "к"})


def read_short_pairs(sheet: Sheet) -> None:
    """Claim 9p 2v, 7ч 2м before any of them is read as an hour or as metres."""
    for index in range(len(sheet.tokens)):
        _short_pair(sheet, index)


def _short_pair(sheet: Sheet, index: int) -> bool:
    """9p 2v; 7 p. 2 m.: people and vehicles by their first letters, and only both together."""
    found = []
    at = index
    for what, letters in (("people", SHORT_PEOPLE), ("vehicle", SHORT_VEHICLES)):
        token = sheet.tokens[at + 1] if sheet.free(at, at + 2) else None
        if token is None or sheet.tokens[at].sort != "digits" or len(sheet.tokens[at].text) > COUNT_DIGITS:
            return False
        pointed = sheet.is_mark(at + 2, ".")
        if token.norm not in letters or (token.gap and not pointed):
            return False
        stop = at + 3 if pointed else at + 2
        found.append((at, stop, {"what": what, "sort": None, "count": int(sheet.tokens[at].text)}))
        at = stop + 1 if sheet.is_mark(stop, ",/+&") else stop
    for start, stop, value in found:
        sheet.claim(start, stop, "size", value)
    return True


def _none(sheet: Sheet, index: int) -> bool:
    """No casualties; nessun ferito; нет пострадавших."""
    zero = sheet.word(index, "zero")
    if zero is None or zero.typo:
        return False
    noun = noun_at(sheet, zero.stop)
    if noun is None or noun.typo or not is_of(noun, "casualty"):
        return False
    _claim(sheet, index, noun, Number(index, zero.stop, 0), "")
    return True


def _counted(sheet: Sheet, index: int) -> bool:
    number = number_at(sheet, index)
    if number is None or number.amount != int(number.amount) or number.amount > COUNT_MAX:
        return False
    if index in sheet.numbered and number.top is None:
        # OP 3 soldier fainted: the number of the post.
        return False
    if index in sheet.reserved and (number.top is not None or index - 1 in sheet.reserved):
        # UNP 1-31 человек: the numbers of the name.
        return False
    if sheet.ends(index, "other_number") is not None or _is_time(sheet, number):
        return False
    if not number.digits and number.amount == 1 and _is_teller(sheet, index):
        # Selon un berger: he tells, and was not seen.
        return False
    if not number.digits and number.amount == 1 and sheet.anywhere("complaint"):
        # Plainte d'un habitant: he speaks, and was not seen.
        return False
    if index > 0 and sheet.tokens[index - 1].text in "#№" and not sheet.tokens[index].gap:
        return False
    if _is_age(sheet, number):
        return False
    at = _past_partitive(sheet, _past_restated(sheet, number))
    about = number.about
    if _is_wanted(sheet, index, at):
        return False
    if sheet.free(at, at + 1) and sheet.tokens[at].norm == "ish" and not sheet.tokens[at].gap:
        # 200ish protesters
        at, about = at + 1, True
    if sheet.free(at, at + 1) and sheet.tokens[at].norm in ("x", "х", "×", "*", "ea"):
        at += 1
    elif sheet.is_mark(at, "-") and not sheet.tokens[at].gap:
        at += 1
    begin, apart = at, at in sheet.aside
    while at in sheet.aside:
        begin = at = at + 1
    noun, at = _noun_after(sheet, at)
    if noun is None:
        return False
    herd = sheet.ends(index, "animal")
    if herd is not None and noun.tags[0].category == "animal" and not noun.tags[0].value:
        # Стадо коз 40 голов: the sort stands before the number.
        noun = Found(noun.start, noun.stop, herd.tags, noun.typo)
    if number.amount == 1 and number.top is None and (about or sheet.ends(index, "maybe") is not None):
        # Forse un drone: whether there was one is what is not certain.
        about = False
        sheet.doubt(index, index + 1, "whether there was one is not certain")
    if any(sheet.tokens[between].sort == "word" and not sheet.known_word(between) for between in range(begin, at)):
        sheet.doubt(at, at + 1, "a word that is not known stands between the number and what it counts")
    if apart:
        # "5 not 7 veh": the part is the noun, and the number stays beside what was denied.
        sheet.set_aside(index, number.stop)
        _claim(sheet, noun.start, noun, number, "")
        return True
    detail = sheet.line[sheet.tokens[begin].start : sheet.tokens[noun.start].start].strip(" x×хХX*-.")
    _claim(sheet, index, noun, msgspec.structs.replace(number, about=about), detail)
    return True


def _is_teller(sheet: Sheet, index: int) -> bool:
    return any(
        start + match.length > index
        and any(tag.category == "kind_weak" and tag.value == "intrep" for tag in match.tags)
        for start in range(max(0, index - WANTED_WITHIN), index + 1)
        for match in sheet.matches(start)
    )


PARTITIVE = frozenset({"of", "dei", "delle", "degli", "des", "из"})
PARTITIVE_WORDS = frozenset({"the", "our", "my", "nostri", "nostre", "nos", "наших", "них"})


def _past_partitive(sheet: Sheet, at: int) -> int:
    """Two of the locals, due dei nostri militari: where what is counted begins."""
    if not sheet.free(at, at + 1) or sheet.tokens[at].norm not in PARTITIVE:
        return at
    after = at + 1
    while sheet.free(after, after + 1) and sheet.tokens[after].norm in PARTITIVE_WORDS:
        after += 1
    return after if _noun_follows(sheet, after) else at


def _is_age(sheet: Sheet, number: Number) -> bool:
    """Boy about 10 yrs, aged 10: how old somebody is counts nobody."""
    at = number.stop + 1 if sheet.is_mark(number.stop, "-") else number.stop
    return sheet.tagged(at, "years") or sheet.ends(number.start, "aged") is not None


def past_age(sheet: Sheet, at: int) -> int:
    """Where the words for how old somebody is end; `at` itself = none are there."""
    aged = sheet.word(at, "aged")
    number = number_at(sheet, at + 1 if sheet.is_mark(at, ",(") else at if aged is None or aged.typo else aged.stop)
    if number is None or not _is_age(sheet, number):
        return at
    years = sheet.word(number.stop + 1 if sheet.is_mark(number.stop, "-") else number.stop, "years")
    stop = number.stop if years is None else years.stop
    return stop + 1 if sheet.is_mark(stop, "),") else stop


def _past_restated(sheet: Sheet, number: Number) -> int:
    """05 (five) persons: the number once more in brackets; another number in them is none."""
    inside = number_at(sheet, number.stop + 1) if sheet.is_mark(number.stop, "(") else None
    if inside is None or inside.amount != number.amount or not sheet.is_mark(inside.stop, ")"):
        return number.stop
    return inside.stop + 1


def _is_time(sheet: Sheet, number: Number) -> bool:
    """0915 veh moving: the digits are the time, unless the line has one."""
    digits = number.digits
    if len(digits) > COUNT_DIGITS and digits[0] == "0":
        return True
    return is_clock(digits) and not sheet.has("time")


def _is_wanted(sheet: Sheet, index: int, at: int) -> bool:
    """Besoin d'un hélico: what a hurt person needs is asked for, and was not seen."""
    before = range(index - WANTED_WITHIN, index)
    return sheet.tagged(at, "medic") and any(
        sheet.means(word, category, "request") for word in before for category in ("kind", "kind_weak")
    )


def _noun_after(sheet: Sheet, at: int) -> tuple[Found | None, int]:
    """The noun within a few words, past adjectives, and past a state (`3 wounded civilians`)."""
    for _ in range(BETWEEN_MAX + 1):
        adjective = sheet.word(at, "adjective")
        noun = noun_at(sheet, at)
        if noun is not None and (
            adjective is None or noun.stop > adjective.stop or not _noun_follows(sheet, adjective.stop)
        ):
            return specific(sheet, noun), at
        if adjective is not None and not adjective.typo:
            at = adjective.stop
            if sheet.is_mark(at, "."):
                at += 1
            continue
        if not _plain_word(sheet, at):
            return None, at
        at += 1
    return None, at


def specific(sheet: Sheet, noun: Found) -> Found:
    """2 toyota hilux, 1 fishing vessel boat: two nouns of one sort, and the second one says more."""
    after = noun_at(sheet, noun.stop)
    if after is None or after.typo or after.tags[0].category != noun.tags[0].category or is_of(noun, "casualty"):
        return noun
    tags = after.tags if after.tags[0].value else noun.tags
    return Found(noun.start, after.stop, tags, noun.typo)


def _noun_follows(sheet: Sheet, at: int) -> bool:
    noun = noun_at(sheet, at)
    return noun is not None and not noun.typo


def _plain_word(sheet: Sheet, at: int) -> bool:
    """A word that means nothing to the vocabulary: a make, a colour nobody listed."""
    return (
        sheet.free(at, at + 1)
        and sheet.tokens[at].sort == "word"
        and not sheet.known_word(at)
        and sheet.tokens[at].norm not in sheet.name_words
        and (len(sheet.tokens[at].text) > 2)
    )


def noun_at(sheet: Sheet, index: int) -> Found | None:
    """A noun that can be counted, at this word."""
    found = sheet.word(index, *NOUNS)
    if found is not None and sheet.tokens[index].sort == "digits" and _is_amount(sheet, index, found.stop):
        return None
    return found if found is not None and found.tags else None


def _is_amount(sheet: Sheet, index: int, stop: int) -> bool:
    """UNP 1-26 300 л: litres; the code 300 for the wounded stands behind one number and before no unit."""
    return sheet.tagged(stop, "quantity", "liquid", "distance", "minute") or sheet.is_mark(index - 2, "-")


def is_of(noun: Found, category: str) -> bool:
    """Can the noun mean something of this category?"""
    return any(tag.category == category for tag in noun.tags)


def _noun_first(sheet: Sheet, index: int) -> bool:
    """pax: 4; WIA 2; veh x 3. Only when no noun follows the number."""
    noun = noun_at(sheet, index)
    if noun is None or noun.typo:
        return False
    at = noun.stop
    linked = False
    while sheet.free(at, at + 1) and (sheet.tokens[at].text in ":=" or sheet.tokens[at].norm in ("x", "х", "×")):
        at, linked = at + 1, True
    copula = sheet.word(at, "copula")
    if copula is not None and not copula.typo and copula.stop + 1 in sheet.aside:
        # I camion erano 4 non 3: the noun stands before, and the wrong number behind is denied.
        at, linked = copula.stop, True
    number = number_at(sheet, at)
    if number is None or number.amount != int(number.amount) or number.amount > 9999 or _is_age(sheet, number):
        return False
    follows, _ = _noun_after(sheet, number.stop)
    if follows is not None and is_of(noun, "casualty") and is_of(follows, "people") and not _is_time(sheet, number):
        # "missing 1 pax", "dispersi due sciatori": the state stands before the people.
        _claim(sheet, index, Found(index, follows.stop, noun.tags, noun.typo), number, "")
        return True
    if noun.tags[0].language == "ru" and sheet.tokens[index].norm == "человек" and not linked and follows is None:
        # Человек пять, человек 20: the order says about.
        whole = Found(index, number.stop, noun.tags, noun.typo)
        _claim(sheet, index, whole, msgspec.structs.replace(number, about=True), "")
        return True
    if not number.digits and number.amount > 1 and is_of(noun, "casualty") and follows is None:
        # Ранены двое
        _claim(sheet, index, Found(index, number.stop, noun.tags, noun.typo), number, "")
        return True
    if not number.digits:
        return False
    if not linked and (sheet.tokens[at].sort != "digits" or len(number.digits) > 2 or not sheet.tokens[at].gap):
        return False
    if _is_time(sheet, number) or (follows is not None and not linked):
        return False
    if not linked and sheet.tagged(number.stop, "distance", "speed", "minute", "degree", "number", "hour_mark"):
        return False
    if not linked and sheet.free(number.stop, number.stop + 1) and sheet.tokens[number.stop].text in "-/:.":
        return False
    if not linked and not is_of(noun, "casualty") and not is_of(noun, "people"):
        return False
    whole = Found(index, number.stop, noun.tags, noun.typo)
    _claim(sheet, index, whole, number, "")
    return True


def _collective(sheet: Sheet, index: int) -> bool:
    """Crowd of 60, groupe de 6, crowd now 80: so many people when nothing else is counted."""
    word = sheet.word(index, "collective")
    if word is None or word.typo:
        return False
    at = word.stop
    while at - word.stop < BETWEEN_MAX and sheet.free(at, at + 1) and sheet.tokens[at].norm in COLLECTS:
        at += 1
    number = number_at(sheet, at)
    if number is None or not number.digits or number.amount != int(number.amount) or _is_time(sheet, number):
        return False
    if sheet.tagged(number.stop, *NOUNS, "adjective", "distance", "minute", "quantity", "speed", "hour_mark"):
        return False
    if (
        number.stop < len(sheet.tokens)
        and not sheet.tokens[number.stop].gap
        and sheet.tokens[number.stop].text in ":.-h"
    ):
        return False
    if at == word.stop and sheet.tokens[word.stop - 1].norm not in COLLECTS:
        return False
    _claim(sheet, at, Found(at, number.stop, (Tag("people", "", word.tags[0].language),), 0), number, "")
    return True


def _persons(sheet: Sheet, index: int) -> bool:
    """Трое с рюкзаками, екеу: a number that counts people only, and no noun behind it."""
    word = sheet.word(index, "persons")
    if word is None or word.typo or _noun_after(sheet, word.stop)[0] is not None:
        return False
    value = {"what": "people", "sort": None, "count": int(word.value)}
    sheet.claim(index, word.stop, "size", value)
    return True


COLLECTS = frozenset({"of", "de", "di", "из", "now", "about", "ora", "maintenant", "сейчас", "до"})


def _claim(sheet: Sheet, start: int, noun: Found, number: Number, detail: str) -> None:
    stop = noun.stop
    if sheet.is_mark(stop, ".") and sheet.line[noun_end(sheet, noun)] == "." and sheet.tokens[noun.start].norm in (
        "чел", "ед", "pers", "veic", "indiv",
    ):  # fmt: skip
        stop += 1
    state = _state_after(sheet, stop) if not is_of(noun, "casualty") else None
    value: dict[str, Any] = {"count": int(number.amount)}
    if number.top is not None:
        value["count_max"] = int(number.top)
    if number.about:
        value["about"] = True
    tag = noun.tags[0]
    confidence: Any = "unsure" if noun.typo and noun.ambiguous else "sure"
    note = f"read as {tag.category} {tag.value}".rstrip() if confidence == "unsure" else None
    if state is not None and not sheet.free(start, state.stop):
        # One soldier of BRAVO 1 is missing: the unit between them keeps its words.
        state = Found(noun.start, noun.stop, state.tags, 0)
    if is_of(noun, "casualty") or state is not None:
        casualty = state if state is not None else noun
        tags = [tag for tag in casualty.tags if tag.category in ("casualty", "astray")]
        value["state"] = tags[0].value
        who = noun if state is not None else _who_after(sheet, casualty.stop)
        stop = max(stop, casualty.stop, who.stop if who is not None else 0)
        if who is not None and who.tags[0].category == "people" and who.tags[0].value:
            value["who"] = who.tags[0].value
        field: Any = "casualty"
    else:
        value = {"what": tag.category, "sort": tag.value or None} | value
        field = "size"
        detail = f"{detail} {take_trade(sheet, noun, value)}".strip()
    stop, trailing = adjectives_after(sheet, stop)
    if _about_behind(sheet, stop) and "count_max" not in value:
        value["about"] = True
        stop += 1
    if detail or trailing:
        value["detail"] = f"{detail} {trailing}".strip()
    sheet.claim(start, stop, field, value, confidence=confidence, note=note)


def take_trade(sheet: Sheet, noun: Found, value: dict[str, Any]) -> str:
    """2 shepherds, 3 hikers: what people do is no sort of them; the word, which goes with the details."""
    trade = any(sheet.tagged(at, "trade") for at in range(noun.start, noun.stop))
    if value["what"] != "people" or not trade:
        return ""
    value["sort"] = None
    return sheet.line[sheet.tokens[noun.start].start : sheet.tokens[noun.stop - 1].end]


def _about_behind(sheet: Sheet, stop: int) -> bool:
    """60 persone circa, 40 pers environ, человек 20 примерно: unless it belongs to a number that follows."""
    if not sheet.free(stop, stop + 1) or sheet.tokens[stop].norm not in ABOUT_BEHIND:
        return False
    return stop + 1 >= len(sheet.tokens) or (
        sheet.tokens[stop + 1].sort != "digits" and not sheet.tagged(stop + 1, "number", "hour_mark", "at_time")
    )


ABOUT_BEHIND = frozenset({"circa", "environ", "env", "approx", "approximately", "примерно", "шамамен", "roughly"})


def noun_end(sheet: Sheet, noun: Found) -> int:
    """The character behind the noun; the last one when the line ends there."""
    return min(sheet.tokens[noun.stop - 1].end, len(sheet.line) - 1)


def _state_after(sheet: Sheet, at: int) -> Found | None:
    """2 pax injured; 3 soldiers lightly wounded: the state follows the people."""
    adjective = sheet.word(at, "adjective")
    if adjective is not None and not adjective.typo:
        at = adjective.stop
    if sheet.is_mark(at, ",") and sheet.means(at + 1, "casualty", "missing"):
        # Lost 1 pax, missing since 0830.
        at += 1
    at = _past_whose(sheet, at)
    found = sheet.word(at, "casualty", "astray")
    if found is None or found.typo or sheet.tokens[at].sort == "digits":
        return None
    after = number_at(sheet, found.stop)
    # "4 pax, WIA 2": then the state has a number of its own.
    counted = after is not None and sheet.tagged(after.stop, *NOUNS, "adjective")
    return None if after is not None and len(after.digits) < 3 and not counted else found


def _past_whose(sheet: Sheet, at: int) -> int:
    """One soldier of BRAVO 1 is missing; 2 men are hurt: where the state stands behind the unit and the verb."""
    after = at
    for part in sheet.parts:
        start, stop = sheet.token_range(part.start, part.end) if part.field in ("unit", "place") else (-1, -1)
        if start == at or (start == at + 1 and sheet.tagged(at, "of")):
            after = stop
    verb = sheet.word(after, "copula")
    if verb is not None and not verb.typo:
        after = verb.stop
    return after if after > at and sheet.tagged(after, "casualty") else at


def adjectives_after(sheet: Sheet, at: int) -> tuple[int, str]:
    """1 pick-up blanc; 2 mezzi bianchi: where adjectives follow the noun."""
    end = at
    while end - at < BETWEEN_MAX + 1:
        found = sheet.word(end, "adjective")
        if found is None or found.typo or sheet.tagged(end, "activity", "casualty", "precedence", *NOUNS):
            break
        if len(sheet.tokens[end].norm) < 3 or _noun_follows(sheet, found.stop) or _is_named(sheet, end, found.stop):
            break
        end = found.stop
    return end, "" if end == at else sheet.line[sheet.tokens[at].start : sheet.tokens[end - 1].end]


def _is_named(sheet: Sheet, start: int, stop: int) -> bool:
    """3 men Blue Line: two words with capitals are a name, and no colour of the men."""
    pair = [sheet.tokens[at].text for at in (start, stop) if at < len(sheet.tokens)]
    return len(pair) == 2 and all(text[0].isupper() and not text.isupper() for text in pair)


def _who_after(sheet: Sheet, at: int) -> Found | None:
    """2 wounded civilians; 1 KIA soldier."""
    found = sheet.word(at, "people")
    return None if found is None or found.typo else found
