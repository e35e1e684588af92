"""Who: the unit that reports, and who is to be told. Names of the picture first, then names of the usual shape."""
# ruff: noqa: RUF001  # Cyrillic letters and dashes are what people type

import re

import msgspec
from rapidfuzz import process
from rapidfuzz.distance import OSA

from aquila.features.log.line.aliases import alias_at, aliases_of, tail_at
from aquila.features.log.line.draft import KnownName
from aquila.features.log.line.numbers import NOUNS
from aquila.features.log.line.sheet import Sheet
from aquila.features.log.line.spelling import digits_of, key_of
from aquila.features.log.line.words import PIECES, Vocabulary, normalise

NAME_TOKENS_MAX = 8
HEAD = 2
"""Letters of a name that are looked at before the whole of it."""
TYPO_LETTERS_MIN = 3
LOOKUPS_MAX = 60
CLOSE_MAX = 5
WINDOW_MAX = 3
WINDOW_LETTERS_MIN = 6
ABBREVIATION_MIN = 2
MISSPELLED_MIN = 5
SPOKEN_DIGITS_MAX = 3
GRADED = frozenset({"src", "source", "grade", "graded", "eval", "rel", "fonte", "источник", "cote"})
"""Before B2 they say how good a source is."""
ORDINAL_MARKS = frozenset(
    {"n", "no", "nr", "e", "a", "eme", "nd", "st", "rd", "th", "ere", "er", "й", "я", "и", "шы", "ші"}
)
PHONETIC = frozenset(
    "alfa bravo charlie delta echo foxtrot golf hotel india juliet juliett kilo lima mike november oscar papa "
    "quebec romeo sierra tango uniform victor whiskey xray yankee zulu".split()
)


class Name(msgspec.Struct, frozen=True):
    """A name in words [start, stop).

    Attributes:
        known: the name of the picture that it is; None = it only looks like a name.
        close: names that it may have been meant to be; then it is not certain.
    """

    start: int
    stop: int
    text: str
    known: KnownName | None = None
    close: tuple[KnownName, ...] = ()


class Names:
    """The names of the context, to be looked up by what is typed."""

    def __init__(self, known: tuple[KnownName, ...], words: Vocabulary) -> None:
        self._known: dict[str, KnownName] = {}
        for name in known:
            key = key_of(name.name)
            if key:
                self._known.setdefault(key, name)
        self._heads = {key[:size] for key in self._known for size in range(HEAD + 1)}
        self._by_digits: dict[tuple[str, ...], list[tuple[str, KnownName]]] = {}
        for key, name in self._known.items():
            self._by_digits.setdefault(digits_of(key), []).append((_letters(key), name))
        self._by_form: dict[tuple[str, tuple[str, ...]], list[KnownName]] = {}
        for name in known:
            form = _form(name.name, words)
            if form is not None and digits_of(name.name):
                self._by_form.setdefault((form, digits_of(name.name)), []).append(name)
        self._by_rest: dict[tuple[str, ...], list[tuple[str, int, KnownName]]] = {}
        self._by_letter: dict[tuple[str, tuple[str, ...]], list[KnownName]] = {}
        for name in known:
            pieces = tuple(key_of(piece) for piece in PIECES.findall(name.name) if piece.isalnum())
            for at in range(len(pieces)) if 2 <= len(pieces) <= WINDOW_MAX else ():
                rest = (*pieces[:at], str(at), *pieces[at + 1 :])
                self._by_rest.setdefault(rest, []).append((pieces[at], at, name))
            if len(pieces) == 2 and pieces[0] in PHONETIC and pieces[1].isdigit():
                self._by_letter.setdefault((pieces[0][0], (pieces[1],)), []).append(name)
        self.aliases = aliases_of(known, words)
        self._words = words
        self._lookups = 0
        self.any_units = any(name.sort == "unit" for name in known)

    def at(self, sheet: Sheet, index: int) -> Name | None:
        """The longest name of the context that begins at this word, spelled right."""
        if not sheet.free(index, index + 1) or sheet.tokens[index].sort == "mark":
            return None
        if key_of(sheet.tokens[index].text)[:HEAD] not in self._heads:
            return None
        for stop in range(min(index + NAME_TOKENS_MAX, len(sheet.tokens)), index, -1):
            if not sheet.free(index, stop) or sheet.tokens[stop - 1].sort == "mark":
                continue
            text = _text(sheet, index, stop)
            known = self._known.get(key_of(text)) if "," not in text else None
            if known is not None and _digits_kept(text, known.name):
                return Name(index, stop, text, known)
        return None

    def short(self, sheet: Sheet, index: int) -> Name | None:
        """A name of which one word is cut short: rif. Torino, Rosh Br."""
        pieces: list[str] = []
        cut: list[int] = []
        at = index
        if not sheet.free(at, at + 1) or key_of(sheet.tokens[at].text)[:1] not in self._heads:
            return None
        while len(pieces) < WINDOW_MAX and sheet.free(at, at + 1) and sheet.tokens[at].sort != "mark":
            pieces.append(key_of(sheet.tokens[at].text))
            if sheet.tokens[at].sort == "word":
                cut.append(len(pieces) - 1)
            at += 1
            if sheet.is_mark(at, ".") and not sheet.tokens[at].gap and cut and cut[-1] == len(pieces) - 1:
                at += 1
            for short in cut if len(pieces) >= 2 else ():
                rest = (*pieces[:short], str(short), *pieces[short + 1 :])
                found = [
                    name for whole, where, name in self._by_rest.get(rest, [])
                    if where == short and len(pieces[short]) < len(whole) and _abbreviates(pieces[short], whole)
                ]  # fmt: skip
                if found:
                    return Name(index, at, _text(sheet, index, at), None, tuple(found[:CLOSE_MAX]))
        return None

    def reserve(self, sheet: Sheet) -> None:
        """Keep the numbers of posts (1-31) from being read as a time."""
        for index, token in enumerate(sheet.tokens):
            found = tail_at(sheet, self.aliases, index) if token.sort == "digits" else None
            if found is not None:
                sheet.reserved.update(range(index, found[0]))
        for index in range(len(sheet.tokens)):
            name = self.at(sheet, index)
            if name is None or name.known is None or sheet.tokens[name.stop - 1].sort != "digits":
                continue
            if name.stop - index > 1:
                sheet.called.add(name.stop - 1)
                if name.known.sort == "place":
                    sheet.numbered.add(name.stop - 1)

    def spelled(self, text: str) -> KnownName | None:
        """The name with this key; None = there is none."""
        return self._known.get(key_of(text))

    def form_of(self, text: str) -> str | None:
        """The noun of a callsign, patrol for PTL3; None = it has none."""
        return _form(text, self._words)

    def lettered(self, text: str) -> tuple[KnownName, ...]:
        """B2 for BRAVO 2: callsigns whose phonetic word begins with this letter and that have this number."""
        letters = _letters(key_of(text))
        if len(letters) != 1:
            return ()
        return tuple(self._by_letter.get((letters, digits_of(text)), [])[:CLOSE_MAX])

    def same(self, text: str) -> tuple[KnownName | None, bool]:
        """The only name with the same number and the same noun in another language: pattuglia 3 is PTL3.

        The second value says whether the noun was spelled right.
        """
        form = _form(text, self._words)
        typed = form is not None
        if form is None:
            form = _form(text, self._words, typo=True)
        found = [] if form is None else self._by_form.get((form, digits_of(text)), [])
        if len(found) > 1:
            # Checkpt 4 beside CP 4 and КПП 4: the one in the same alphabet, and not for sure.
            found, typed = [name for name in found if name.name.isascii() == text.isascii()], False
        return (found[0] if len(found) == 1 else None), typed

    def near(self, text: str) -> tuple[KnownName, ...]:
        """Names whose letters differ by a typing error. Digits never differ: PTL4 is another patrol than PTL3.

        A line asks LOOKUPS_MAX times at most; what is typed after that is not corrected.
        """
        key = key_of(text)
        letters = _letters(key)
        among = self._by_digits.get(digits_of(key), [])
        if len(letters) < 2 or not among or self._lookups >= LOOKUPS_MAX:
            return ()
        self._lookups += 1
        allowed = 1 if len(letters) < 6 else 2
        close = process.extract(
            letters, [other for other, _ in among], scorer=OSA.distance, score_cutoff=allowed, limit=CLOSE_MAX
        )
        found = [
            (by, among[at][1])
            for other, by, at in close
            if len(other) >= TYPO_LETTERS_MIN and (other[0] == letters[0] or sorted(other) == sorted(letters))
        ]
        best = min((by for by, _ in found), default=0)
        return tuple(known for by, known in found if by == best)


def _form(text: str, words: Vocabulary, *, typo: bool = False) -> str | None:
    """The noun of a name: patrol for PTL3, pattuglia 3 and патруль 3. `typo`: also when it is misspelled."""
    pieces = [normalise(piece) for piece in PIECES.findall(text) if piece.isalpha()]
    if len(pieces) > 1:
        # 2nd coy, patrouille n° 4
        pieces = [piece for piece in pieces if piece not in ORDINAL_MARKS]
    found = words.matches(pieces, 0)
    close = words.near(pieces[0]) if typo and len(pieces) == 1 else None
    for match in [*found, close]:
        if match is not None and match.length == len(pieces):
            for tag in match.tags:
                if tag.category == "unit_form":
                    return tag.value
    return None


def _abbreviates(short: str, whole: str) -> bool:
    """Rif for rifugio, brg for bridge: the same first letter, and the others in their order."""
    rest = iter(whole)
    return len(short) >= ABBREVIATION_MIN and short[0] == whole[0] and all(letter in rest for letter in short)


def _letters(key: str) -> str:
    return re.sub(r"[0-9]+", "", key)


def _digits_kept(typed: str, name: str) -> bool:
    """1-31 and 13-1 have the same digits and are two places."""
    return digits_of(typed) == digits_of(name)


def _text(sheet: Sheet, start: int, stop: int) -> str:
    return sheet.line[sheet.tokens[start].start : sheet.tokens[stop - 1].end]


def name_at(sheet: Sheet, names: Names, index: int, *, loose: bool = False) -> Name | None:
    """A name at this word: of the context, or of the usual shape (PTL3, ALPHA 21, 2 COY, JOC).

    `loose`: a word before says that a name follows, so one capitalised word is enough.
    """
    exact = names.at(sheet, index)
    if exact is not None:
        return exact
    short = names.short(sheet, index)
    if short is not None:
        return short
    single = _single_letter(sheet, names, index) or _spoken(sheet, names, index)
    if single is not None:
        return single
    alias = alias_at(sheet, names.aliases, index, behind_word=loose)
    if alias is not None:
        return Name(index, alias[0], _text(sheet, index, alias[0]), None, alias[1])
    shaped = _shaped(sheet, index, loose=loose) or (_capital(sheet, index) if loose else None)
    if shaped is None or (shaped[1] == index + 1 and loose):
        meant = _window(sheet, names, index)
        if meant is not None:
            return meant
    if shaped is None:
        return _misspelled(sheet, names, index)
    start, stop = shaped
    text = _text(sheet, start, stop)
    inner = names.at(sheet, index + 1) if sheet.tagged(index, "unit") else None
    if inner is not None and inner.stop == stop and inner.known is not None:
        # Ptl Alpha 33: the noun stands before a callsign that is known.
        return Name(start, stop, text, inner.known)
    same, typed = names.same(text)
    if same is None and not sheet.tagged(index, "unit", "post") and sheet.tagged(index, *NOUNS):
        # Helicopter 31 is a callsign when it is known, and else no name.
        return None
    if same is not None:
        return Name(start, stop, text, same) if typed else Name(start, stop, text, None, (same,))
    return Name(start, stop, text, None, names.near(text))


def _spoken(sheet: Sheet, names: Names, index: int) -> Name | None:
    """Alpha two one, pattuglia tre, третий патруль: a callsign with its number in words."""
    first = sheet.word(index, "ordinal")
    at = index if first is None or first.typo else first.stop
    noun = sheet.tokens[at] if sheet.free(at, at + 1) and sheet.tokens[at].sort == "word" else None
    if noun is None or not (key_of(noun.text) in PHONETIC or sheet.tagged(at, "unit_form")):
        return None
    digits, stop = "", at + 1
    if at > index and first is not None:
        digits = first.value
    while at == index and len(digits) < SPOKEN_DIGITS_MAX:
        number = sheet.word(stop, "number")
        if number is None or number.typo or number.stop != stop + 1 or len(number.value) > 2 or number.value == "":
            break
        if stop == at + 1 and sheet.tokens[stop].norm in ("a", "an", "un", "una", "une", "uno"):
            break
        digits, stop = digits + number.value, stop + 1
    if not digits:
        return None
    text = f"{noun.text} {digits}"
    known = names.spelled(text) or names.same(text)[0]
    return None if known is None else Name(index, stop, _text(sheet, index, stop), known)


def _misspelled(sheet: Sheet, names: Names, index: int) -> Name | None:
    """2 helos over naqora: an unknown word that is a place of one word but for a typing error."""
    token = sheet.tokens[index] if sheet.free(index, index + 1) else None
    if token is None or token.sort != "word" or len(token.text) < MISSPELLED_MIN or sheet.known_word(index):
        return None
    close = tuple(name for name in names.near(token.text) if name.sort == "place" and not digits_of(name.name))
    return Name(index, index + 1, token.text, None, close) if close else None


def _single_letter(sheet: Sheet, names: Names, index: int) -> Name | None:
    token = sheet.tokens[index] if sheet.free(index, index + 2) else None
    before = index - 2 if index > 1 and sheet.tokens[index - 1].text == "(" else index - 1
    if before >= 0 and sheet.tokens[before].norm in GRADED:
        return None
    if token is None or len(token.text) != 1 or not token.text.isalpha() or sheet.tokens[index + 1].sort != "digits":
        return None
    if sheet.tokens[index + 1].gap and not token.text.isupper():
        return None
    after = sheet.tokens[index + 2] if sheet.free(index + 2, index + 3) else None
    if after is not None and not after.gap and after.sort != "mark":
        return None
    text = _text(sheet, index, index + 2)
    close = names.lettered(text)
    return Name(index, index + 2, text, None, close) if close else None


def _window(sheet: Sheet, names: Names, index: int) -> Name | None:
    """A name of several words with a typing error: Rosh Brigde. It begins with a capital and is no known word."""
    token = sheet.tokens[index] if sheet.free(index, index + 1) else None
    if token is None or token.sort != "word" or not token.text[0].isupper() or sheet.known_word(index):
        return None
    for stop in range(min(index + WINDOW_MAX, len(sheet.tokens)), index + 1, -1):
        if not sheet.free(index, stop) or any(each.sort != "word" for each in sheet.tokens[index:stop]):
            continue
        text = _text(sheet, index, stop)
        close = names.near(text) if len(key_of(text)) >= WINDOW_LETTERS_MIN else ()
        if close:
            return Name(index, stop, text, None, close)
    return None


def _shaped(sheet: Sheet, index: int, *, loose: bool = False) -> tuple[int, int] | None:
    if not sheet.free(index, index + 1):
        return None
    alone = sheet.word(index, "unit")
    stands_alone = alone is not None and any(tag.value == "alone" for tag in alone.tags)
    if alone is not None and stands_alone and not alone.typo and not _number_follows(sheet, alone.stop):
        lower = sheet.tokens[index].text.islower() and sheet.tokens[index].text.isascii()
        return None if lower and not loose else (index, alone.stop)
    token = sheet.tokens[index]
    if token.sort == "digits":
        return _number_first(sheet, index)
    if token.sort != "word":
        return None
    unit = sheet.word(index, "unit")
    stop = index + 1 if unit is None or unit.typo else unit.stop
    noun = sheet.word(index, "unit_form")
    if unit is None and noun is not None and not noun.typo:
        # Check point 7
        stop = noun.stop
    sign = token.text.isupper() and len(token.text) >= 2
    phonetic = key_of(token.text) in PHONETIC
    post = sheet.tagged(index, "unit_form")
    if unit is None and not (phonetic or sign or post) and not (index == 0 and token.text[0].isupper()):
        return None
    if unit is None and sheet.known_word(index) and not phonetic and not post and not sheet.tagged(index, "post"):
        return None
    if sheet.is_mark(stop, ".") and unit is not None:
        stop += 1
    tail = _tail(sheet, stop)
    if tail is None:
        return _worded_tail(sheet, index, stop) if unit is not None and not unit.typo else None
    return index, tail


def _number_follows(sheet: Sheet, at: int) -> bool:
    return sheet.free(at, at + 1) and sheet.tokens[at].sort == "digits" and _tail(sheet, at) is not None


def _tail(sheet: Sheet, stop: int) -> int | None:
    """The number of a callsign: 3, 2-1, 1/3, 21A. Not the count of what follows."""
    at = stop + 1 if sheet.is_mark(stop, "-") and not sheet.tokens[stop].gap else stop
    mark = sheet.word(at, "number_mark") if sheet.tagged(stop - 1, "unit_form") else None
    if mark is not None and not mark.typo:
        # Convoglio n. 12
        at = mark.stop + 1 if sheet.is_mark(mark.stop, ".°") else mark.stop
    if not sheet.free(at, at + 1) or sheet.tokens[at].sort != "digits" or len(sheet.tokens[at].text) > 3:
        return None
    after = at + 1
    glued = not sheet.tokens[at].gap
    if not glued and _counts(sheet, after):
        return None
    while (
        sheet.free(after, after + 2)
        and sheet.tokens[after].text in "-/"
        and not sheet.tokens[after].gap
        and not sheet.tokens[after + 1].gap
        and len(sheet.tokens[after + 1].text) <= 3
        and (sheet.tokens[after + 1].sort == "digits" or len(sheet.tokens[after + 1].text) == 1)
    ):
        after += 2
    if after > at + 1 and sheet.means(stop - 1, "unit_form", "group") and sheet.tagged(after, *NOUNS):
        # "group 8-10 people" is a count.
        return None
    if sheet.free(after, after + 1) and not sheet.tokens[after].gap and len(sheet.tokens[after].text) == 1:
        if sheet.tokens[after].text.isalpha() and sheet.tokens[after].text.isupper():
            after += 1
    return after


def _counts(sheet: Sheet, after: int) -> bool:
    """Does a noun, a unit of measure or a decimal part stand behind the number?"""
    if (sheet.tagged(after, "at_time") and sheet.tagged(after + 1, "number")) or _digits_follow(sheet, after):
        # "ptg 3 ore 9.40": the word belongs to the time.
        return False
    if after + 1 < len(sheet.tokens) and sheet.tokens[after].norm == "s" and sheet.tokens[after + 1].text in "'’":
        # Convoi 12 s'arrête: no seconds.
        return False
    if sheet.tagged(after, *NOUNS, "distance", "speed", "minute", "degree", "number_mark"):
        return not (sheet.tagged(after, "unit") and not sheet.tagged(after, *NOUNS))
    if after < len(sheet.tokens) and sheet.tokens[after].text in ".," and not sheet.tokens[after].gap:
        return after + 1 < len(sheet.tokens) and not sheet.tokens[after + 1].gap
    return sheet.tagged(after, "adjective") and sheet.tagged(after + 1, *NOUNS)


def _digits_follow(sheet: Sheet, after: int) -> bool:
    timed = sheet.tagged(after, "at_time") and not sheet.tagged(after, *NOUNS)
    return timed and after + 1 < len(sheet.tokens) and sheet.tokens[after + 1].sort == "digits"


def _worded_tail(sheet: Sheet, index: int, stop: int) -> tuple[int, int] | None:
    """TEAM BLUE, Patrol Alpha, Cordata B: a unit word and a capitalised word, a letter or a phonetic one."""
    if not sheet.free(stop, stop + 1) or sheet.tokens[stop].sort != "word":
        return None
    token = sheet.tokens[stop]
    if key_of(token.text) in PHONETIC:
        tail = _tail(sheet, stop + 1)
        return index, stop + 1 if tail is None else tail
    if not token.text[0].isupper():
        return None
    if sheet.known_word(stop) and len(token.text) > 1 and not sheet.tagged(stop, "adjective"):
        return None
    if sheet.line.upper() == sheet.line and len(token.text) > 1:
        return None
    return index, stop + 1


def _number_first(sheet: Sheet, index: int) -> tuple[int, int] | None:
    """2 COY, 1/3 PLT, 3a squadra, 1° plotone, 1ère section, 2-й взвод."""
    at = index + 1
    if len(sheet.tokens[index].text) > 2:
        return None
    while sheet.free(at, at + 1) and (
        sheet.tokens[at].text in "/-°^.ªº"
        or sheet.tokens[at].norm in ("a", "o", "er", "ere", "e", "eme", "st", "nd", "rd", "th", "и", "я", "го", "му")
        or (sheet.tokens[at].sort == "digits" and sheet.tokens[at - 1].text in "/-" and len(sheet.tokens[at].text) < 3)
    ):
        if at - index > 4:
            return None
        at += 1
    unit = sheet.word(at, "unit")
    if unit is None or unit.value != "unit" or unit.typo or sheet.tagged(at, "people", "vehicle", "aircraft", "minute"):
        return None
    if (
        sheet.free(unit.stop, unit.stop + 1)
        and sheet.tokens[unit.stop].sort == "digits"
        and not sheet.tokens[unit.stop].gap
    ):
        # "H+2 PTL3": the number belongs to something else.
        return None
    if sheet.tokens[at].norm in ("sec", "s", "grp", "group", "м", "team", "teams", "un", "det"):
        return None
    return index, unit.stop


def _capital(sheet: Sheet, index: int) -> tuple[int, int] | None:
    token = sheet.tokens[index] if sheet.free(index, index + 1) else None
    if token is None or token.sort != "word" or not token.text[0].isupper() or len(token.text) < 2:
        return None
    if sheet.known_word(index) and not sheet.tagged(index, "unit"):
        return None
    if sheet.line.upper() == sheet.line and len(token.text) > 5:
        return None
    tail = _tail(sheet, index + 1)
    return index, index + 1 if tail is None else tail
