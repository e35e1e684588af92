"""Other ways to say a place that is known: a part of its name, its number, another language, a case, a slip of the key.

Whoever finds one of these offers it as close, never as the name itself, so that the place stays unsure.
"""
# ruff: noqa: RUF001, RUF002  # Cyrillic letters are what people type

import msgspec

from aquila.features.log.line.draft import KnownName
from aquila.features.log.line.sheet import Sheet
from aquila.features.log.line.spelling import digits_of, key_of
from aquila.features.log.line.words import PIECES, Vocabulary, normalise

PIECE_MIN, STEM_MIN, PREFIX_MIN = 4, 3, 3
CLOSE_MAX = 5
JOINS = frozenset({"of", "de", "di", "du", "del", "della", "d", "'", "’", "the", "la", "le", "il"})
Found = tuple[int, tuple[KnownName, ...]]
"""Where the words end, and the places that may be meant."""


class Aliases(msgspec.Struct):
    """Places of the context by what people say instead of their whole name.

    Attributes:
        tails: by the number, 1-31. pieces: by one distinctive word, torino. stems: one-word names without their last
            vowel. forms: by the noun and the word beside it, bridge and rosh. rests: by what stands beside the
            noun, km 12. whole: by the key of the name.
    """

    tails: dict[str, list[KnownName]] = {}
    pieces: dict[str, list[KnownName]] = {}
    stems: dict[str, list[KnownName]] = {}
    forms: dict[tuple[str, str], list[KnownName]] = {}
    rests: dict[str, list[KnownName]] = {}
    whole: dict[str, list[KnownName]] = {}


def aliases_of(known: tuple[KnownName, ...], words: Vocabulary) -> Aliases:
    """The aliases of all places."""
    aliases = Aliases({}, {}, {}, {}, {}, {})
    for name in known:
        if name.sort != "place":
            continue
        aliases.whole.setdefault(key_of(name.name), []).append(name)
        pieces = [piece for piece in PIECES.findall(name.name) if piece.isalnum()]
        letters = [piece for piece in pieces if piece.isalpha()]
        tail = "-".join(piece for piece in pieces if piece.isdigit())
        if "-" in tail:
            aliases.tails.setdefault(tail, []).append(name)
        if len(pieces) > 2:
            _add_numbered(aliases, name, pieces, words)
        if len(pieces) != len(letters):
            continue
        if len(letters) == 1:
            aliases.stems.setdefault(stem_of(key_of(name.name)), []).append(name)
        elif len(letters) == 2:
            _add_pair(aliases, name, letters, words)
    return aliases


def _add_pair(aliases: Aliases, name: KnownName, letters: list[str], words: Vocabulary) -> None:
    for at, piece in enumerate(letters):
        if len(piece) >= PIECE_MIN and not words.matches([normalise(piece)], 0):
            aliases.pieces.setdefault(key_of(piece), []).append(name)
        form = _form_of(words, piece)
        if form is not None:
            aliases.forms.setdefault((form, key_of(letters[1 - at])), []).append(name)


def _add_numbered(aliases: Aliases, name: KnownName, pieces: list[str], words: Vocabulary) -> None:
    """Bridge KM 12: the noun, and the words and the number beside it."""
    for noun, rest in ((pieces[0], pieces[1:]), (pieces[-1], pieces[:-1])):
        form = _form_of(words, noun) if len(rest) <= REST_MAX else None
        if form is not None:
            aliases.forms.setdefault((form, key_of(" ".join(rest))), []).append(name)
            if rest[0].isalpha() and rest[-1].isdigit():
                aliases.rests.setdefault(key_of(" ".join(rest)), []).append(name)


REST_MAX = 3
"""Words of a name beside its noun."""


def _form_of(words: Vocabulary, piece: str) -> str | None:
    tags = [tag for match in words.matches([normalise(piece)], 0) for tag in match.tags]
    return next((tag.value for tag in tags if tag.category == "place_form"), None)


def stem_of(key: str) -> str:
    """A key without its last vowel: накура and накуры are one name."""
    return key.rstrip("aeiouy") if len(key.rstrip("aeiouy")) >= STEM_MIN else key


def alias_at(sheet: Sheet, aliases: Aliases, index: int, *, behind_word: bool) -> Found | None:
    """A place that is meant by these words; `behind_word`: a word such as near stands before."""
    if not sheet.free(index, index + 1):
        return None
    token = sheet.tokens[index]
    if token.sort == "digits":
        return tail_at(sheet, aliases, index)
    if token.sort != "word":
        return None
    found = _translated(sheet, aliases, index) or _formed(sheet, aliases, index) or _rest(sheet, aliases, index)
    if found is not None or sheet.known_word(index):
        return found
    key = key_of(token.text)
    named = aliases.pieces.get(key) or _inflected(aliases, token.text, sheet.endings("case"))
    if not named and behind_word and len(key) >= PREFIX_MIN:
        # Smoke nr naq: a name cut short.
        named = [name for whole, names in aliases.whole.items() if whole.startswith(key) for name in names]
    return (index + 1, tuple(named[:CLOSE_MAX])) if named else None


def tail_at(sheet: Sheet, aliases: Aliases, index: int) -> Found | None:
    """1-31 for UNP 1-31, with nothing glued to it."""
    if not sheet.free(index, index + 3) or sheet.tokens[index + 1].text != "-":
        return None
    first, last = sheet.tokens[index], sheet.tokens[index + 2]
    text = sheet.line[first.start : last.end]
    glued = index > 0 and not first.gap and sheet.tokens[index - 1].text not in "(,;:"
    after = sheet.tokens[index + 3] if index + 3 < len(sheet.tokens) else None
    if glued or (after is not None and not after.gap and after.text not in ".,;:)!?"):
        return None
    names = aliases.tails.get(text, [])
    return (index + 3, tuple(names[:CLOSE_MAX])) if names and digits_of(text) else None


def _translated(sheet: Sheet, aliases: Aliases, index: int) -> Found | None:
    """Ligne bleue for Blue Line."""
    phrase = sheet.word(index, "known_as")
    names = [] if phrase is None or phrase.typo else aliases.whole.get(key_of(phrase.value), [])
    return (phrase.stop, tuple(names[:CLOSE_MAX])) if phrase is not None and names else None


def _formed(sheet: Sheet, aliases: Aliases, index: int) -> Found | None:
    """Pont de Rosh, мост Рош, rosh brdg: the noun in any language, before or after the word that names."""
    form = sheet.word(index, "place_form")
    if form is not None and not form.typo:
        at = form.stop
        while sheet.is_mark(at, ".") or (sheet.free(at, at + 1) and sheet.tokens[at].norm in JOINS):
            at += 1
        return _of_form(sheet, aliases, form.value, at, REST_MAX)
    for far in range(REST_MAX, 0, -1):
        form = sheet.word(index + far, "place_form")
        found = None if form is None or form.typo else _of_form(sheet, aliases, form.value, index, far)
        if form is not None and found is not None and found[0] == form.start:
            return form.stop, found[1]
    return None


def _rest(sheet: Sheet, aliases: Aliases, index: int) -> Found | None:
    """KM 12 for Bridge KM 12: a word and a number, and nothing else that it may be."""
    if not sheet.free(index, index + 2) or sheet.tokens[index + 1].sort != "digits":
        return None
    names = aliases.rests.get(key_of(sheet.line[sheet.tokens[index].start : sheet.tokens[index + 1].end]))
    return (index + 2, tuple(names[:CLOSE_MAX])) if names else None


def _of_form(sheet: Sheet, aliases: Aliases, form: str, index: int, most: int) -> Found | None:
    """The places of this noun that are named by the words from here, `most` of them at most, the longest first."""
    for stop in range(index + most, index, -1):
        if not sheet.free(index, stop) or any(token.sort == "mark" for token in sheet.tokens[index:stop]):
            continue
        key = key_of(sheet.line[sheet.tokens[index].start : sheet.tokens[stop - 1].end])
        names = aliases.forms.get((form, key)) or aliases.forms.get((form, stem_of(key)))
        if names:
            return stop, tuple(names[:CLOSE_MAX])
    return None


def _inflected(aliases: Aliases, text: str, endings: tuple[str, ...]) -> list[KnownName]:
    """В тибнине, тибнинде, у алмы: a name in a case of the language that is written in Cyrillic."""
    plain = normalise(text)
    if plain.isascii() or len(plain) <= STEM_MIN:
        return []
    whole = aliases.stems.get(stem_of(key_of(plain)))
    if whole:
        return whole
    for ending in endings:
        if plain.endswith(ending) and len(plain) - len(ending) >= STEM_MIN:
            names = aliases.stems.get(stem_of(key_of(plain[: -len(ending)])))
            if names:
                return names
    return []
