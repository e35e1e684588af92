"""The vocabulary of the typed line: phrases of five languages in four TOML files, Kazakh beside Russian."""
# ruff: noqa: RUF001, RUF002  # Cyrillic letters and dashes are what people type

import functools
import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import resources

import msgspec
from rapidfuzz import process
from rapidfuzz.distance import OSA

LANGUAGES = ("en", "it", "fr", "ru")
PIECES = re.compile(r"[^\W\d_]+|[0-9]+|\S")
STEM_MIN = 2
FOLDED_STEM_MIN = 4
"""Letters of a Kazakh stem from which it is known as well without its own letters; shorter ones are Russian words."""
FUZZY_MIN, FUZZY_TWO_MIN = 5, 8
"""Letters from which one typing error is forgiven, and from which two are."""
FORGIVEN = frozenset(
    {
        "kind", "kind_weak", "precedence", "people", "vehicle", "animal", "aircraft", "vessel", "boat", "casualty",
        "activity", "moving", "towards", "direction", "azimuth", "height", "speed_word", "grid", "unit", "to", "ago",
        "minute", "near", "number", "post", "since", "day", "bound", "speed", "unit_form",
    }
)  # fmt: skip
"""Categories whose words are looked for when a word is unknown."""


SHORTENED = (FORGIVEN - {"activity", "kind", "kind_weak"}) | {"adjective", "comms", "comms_down", "since", "medic"}
"""Categories whose words are known as well without their vowels: trks, wht, mvng; none that would make an alarm."""
PHRASED = frozenset({"kind", "kind_weak", "carried"})
"""Categories whose phrases are found although words of them are cut short or misspelled: nothng hrd from, no cntct."""
DROPPED_MIN = 2
"""Letters that are left out of a single word: obs is no obus."""
SHORT_MIN, WHOLE_MIN = 3, 4
"""Letters of a word that is cut short, and of the word that it stands for."""


ENDING = "ending"
"""The table whose entries are endings of words, and no phrases."""


class Tag(msgspec.Struct, frozen=True):
    """What a phrase means: the table of the vocabulary, its key, and the language."""

    category: str
    value: str
    language: str


class Match(msgspec.Struct, frozen=True):
    """A phrase found: so many words long. `typo`: 0 = as written in the vocabulary, else the edit distance."""

    length: int
    tags: tuple[Tag, ...]
    typo: int = 0


class _Node:
    __slots__ = ("children", "stems", "tags")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.stems: dict[str, _Node] = {}
        self.tags: list[Tag] = []


def normalise(word: str) -> str:
    """Case and accents do not count; й is и and ё is е on both sides."""
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char))


RUSSIAN_KEYS = str.maketrans("әғқңөұүһі", "агкноуухи")
"""Kazakh letters as they are typed on a Russian keyboard."""


def folded(word: str) -> str:
    """A normalised Kazakh word as it is typed on a Russian keyboard: жоқ is жок, бері is бери."""
    return word.translate(RUSSIAN_KEYS)


LATIN = str.maketrans(
    {
        **dict(zip("абвгдезийклмнопрстуфхцыіэә", "abvgdeziiklmnoprstufhciiea", strict=True)),
        **dict(zip("ғқңөұүһюя", "gknouuhua", strict=True)),
        **{"ж": "j", "ч": "ch", "ш": "sh", "щ": "sh", "ь": None, "ъ": None},
    }
)
"""How Cyrillic words are typed in Latin letters, brought to one spelling."""
LATIN_VARIANTS = (
    ("shch", "sh"), ("sch", "sh"), ("kh", "h"), ("gh", "g"), ("zh", "j"), ("ts", "c"), ("ya", "a"), ("yu", "u"),
    ("ye", "e"), ("yo", "e"), ("q", "k"), ("y", "i"), ("w", "u"), ("x", "h"),
)  # fmt: skip
"""Spellings of the same Cyrillic letters: shygys, shyghys; svyaz, svjaz."""
LATIN_MIN = 4
"""Letters of a word that is known in Latin letters as well; shorter ones are words of too many languages."""


def latin(word: str) -> str:
    """One spelling of a normalised word in Latin letters, whatever alphabet and usage it is typed in."""
    plain = word.translate(LATIN)
    for typed, sound in LATIN_VARIANTS if word.isascii() else ():
        plain = plain.replace(typed, sound)
    return "".join(letter for at, letter in enumerate(plain) if at == 0 or letter != plain[at - 1])


class Vocabulary:
    """Phrases in a tree of words.

    Args:
        tables: (language, {category: {value: [phrase ...]}}); a word that ends in `*` stands for all its endings.
    """

    def __init__(self, tables: Sequence[tuple[str, dict[str, dict[str, list[str]]]]]) -> None:
        self._root, self._latin_root = _Node(), _Node()
        self._single: dict[str, set[Tag]] = {}
        self._squeezed: dict[str, set[Tag]] = {}
        self._pieces: dict[str, set[str]] = {}
        self._endings: dict[str, tuple[str, ...]] = {}
        for language, table in tables:
            for value, endings in table.pop(ENDING, {}).items():
                longest = sorted((*self._endings.get(value, ()), *map(normalise, endings)), key=len, reverse=True)
                self._endings[value] = tuple(longest)
            for category, values in table.items():
                for value, phrases in values.items():
                    for phrase in phrases:
                        self._add(phrase, Tag(category, value, language))
        self._add_folded(tables)
        self._add_latin(tables)
        self._words = [word for word in self._single if len(word) >= FUZZY_MIN]
        self._meant = functools.lru_cache(4096)(self._look_up)
        self._corrected = functools.lru_cache(4096)(self._correct)

    def endings(self, value: str) -> tuple[str, ...]:
        """The endings of words with this meaning, as normalised, the longest first; none = an empty tuple."""
        return self._endings.get(value, ())

    def _add(self, phrase: str, tag: Tag) -> None:
        words = re.findall(r"[^\W\d_]+\*?|[0-9]+|\S", phrase)
        node = self._root
        for word in words:
            stem = word.endswith("*") and len(word) > 1
            branch = node.stems if stem else node.children
            node = branch.setdefault(normalise(word.rstrip("*") if stem else word), _Node())
        if tag not in node.tags:
            node.tags.append(tag)
        whole = [normalise(word.rstrip("*")) for word in words]
        if len(words) == 1 and tag.category in FORGIVEN:
            self._single.setdefault(whole[0], set()).add(tag)
        if len(words) == 1 and tag.category in SHORTENED and len(whole[0]) - len(squeezed(whole[0])) >= DROPPED_MIN:
            self._squeezed.setdefault(squeezed(whole[0]), set()).add(tag)
        for word in whole if len(words) > 1 and tag.category in PHRASED else ():
            if len(word) >= WHOLE_MIN:
                self._pieces.setdefault(word[0], set()).add(word)

    def _add_folded(self, tables: Sequence[tuple[str, dict[str, dict[str, list[str]]]]]) -> None:
        """Know each Kazakh phrase without its own letters too, unless that is a phrase of another meaning already."""
        typed: list[tuple[str, Tag]] = []
        for language, table in tables:
            for category, values in table.items():
                for value, phrases in values.items():
                    for phrase in phrases:
                        plain = folded(phrase.casefold())
                        short = any(len(word) < FOLDED_STEM_MIN for word in re.findall(r"([^\W\d_]+)\*", plain))
                        if plain != phrase.casefold() and not short and not self._stands(plain):
                            typed.append((plain, Tag(category, value, language)))
        for phrase, tag in typed:
            self._add(phrase, tag)

    def _add_latin(self, tables: Sequence[tuple[str, dict[str, dict[str, list[str]]]]]) -> None:
        """Know each Cyrillic phrase of long words in Latin letters: oqiga joq, soltustikke."""
        for language, table in tables:
            for category, values in table.items():
                for value, phrases in values.items():
                    for phrase in phrases:
                        words = re.findall(r"[^\W\d_]+\*?|[0-9]+|\S", phrase)
                        letters = [word.rstrip("*") for word in words]
                        if phrase.isascii() or sum(map(len, letters)) < LATIN_MIN or len(letters[0]) < STEM_MIN:
                            continue
                        if len(words) == 1 and len(letters[0]) < LATIN_MIN:
                            continue
                        node = self._latin_root
                        for word, plain in zip(words, letters, strict=True):
                            branch = node.stems if word.endswith("*") and len(word) > 1 else node.children
                            node = branch.setdefault(latin(normalise(plain)), _Node())
                        node.tags.append(Tag(category, value, language))

    def latin_matches(self, words: Sequence[str], start: int, *, whole: bool) -> list[Match]:
        """All Cyrillic phrases that begin at this word when it is typed in Latin letters, the longest first.

        Args:
            words: the words of the line as `latin` spells them; those that are no such words are empty.
            start: index of the first word.
            whole: only phrases whose words are typed without an ending.
        """
        return _walk(self._latin_root, words, start, _whole if whole else _behind)

    def _stands(self, phrase: str) -> bool:
        """Is this phrase in the tree as it is written?"""
        words = [normalise(word) for word in PIECES.findall(phrase.replace("*", ""))]
        return any(match.length == len(words) for match in self.matches(words, 0))

    def matches(self, words: Sequence[str], start: int) -> list[Match]:
        """All phrases that begin at this word, the longest first."""
        return _walk(self._root, words, start, _step)

    def near(self, word: str) -> Match | None:
        """The phrase that an unknown word was meant to be; several tags = nobody can tell which. None = none."""
        found = None if len(word) < FUZZY_MIN else self._corrected(word)
        if found is None and len(word) >= SHORT_MIN and squeezed(word) == word:
            tags = self._squeezed.get(word, ())
            found = Match(1, _ordered(tags), 1) if tags else None
        return found

    def meant(self, word: str) -> tuple[str, ...]:
        """Words of phrases that an unknown word may stand for, cut short or misspelled."""
        return self._meant(word)

    def _look_up(self, word: str) -> tuple[str, ...]:
        among = self._pieces.get(word[0], ())
        return tuple(
            each
            for each in sorted(among)
            if cuts_short(word, each)
            or (max(len(word), len(each)) >= FUZZY_MIN and OSA.distance(word, each, score_cutoff=1) <= 1)
        )

    def loose(self, words: Sequence[tuple[str, ...]], start: int) -> list[Match]:
        """Phrases of several words that begin at this word, each of which may be one of several."""
        found: list[Match] = []
        nodes, length = [self._root], 0
        while nodes and start + length < len(words):
            nodes = [after for node in nodes for word in words[start + length] for after in _step(node, word)]
            length += 1
            tags = tuple(dict.fromkeys(tag for node in nodes for tag in node.tags if tag.category in PHRASED))
            if tags and length > 1:
                found.append(Match(length, tags, 1))
        return found[::-1]

    def _correct(self, word: str) -> Match | None:
        allowed = 2 if len(word) >= FUZZY_TWO_MIN else 1
        found = process.extract(word, self._words, scorer=OSA.distance, score_cutoff=allowed, limit=5)
        # The first letter is seldom wrong: a word that differs there is another word.
        close = [(each, by) for each, by, _ in found if each[0] == word[0] or sorted(each) == sorted(word)]
        if not close:
            return None
        best = min(by for _, by in close)
        tags = {tag for each, by in close if by == best for tag in self._single[each]}
        return Match(1, _ordered(tags), int(best))


def _ordered(tags: Iterable[Tag]) -> tuple[Tag, ...]:
    return tuple(sorted(tags, key=lambda tag: (tag.category, tag.value, tag.language)))


VOWELS = frozenset("aeiouyаеиоуыэюяьъәіөұү")


def squeezed(word: str) -> str:
    """A word as hurried people type it: without the vowels behind its first letter, ck as k, no letter twice."""
    bare = word[:1] + "".join(letter for letter in word[1:] if letter not in VOWELS)
    bare = bare.replace("ck", "k")
    return "".join(letter for at, letter in enumerate(bare) if at == 0 or letter != bare[at - 1])


def cuts_short(short: str, whole: str) -> bool:
    """Resp for response, hrd for heard, chk for check: the first letters, or most of the consonants in their order."""
    if len(short) < SHORT_MIN or short[0] != whole[0] or len(whole) - len(short) < 1:
        return False
    if whole.startswith(short):
        return len(whole) - len(short) > 1
    rest = iter(whole)
    sounds = squeezed(short)
    in_order = all(letter in rest for letter in short)
    return in_order and len(short) - len(sounds) <= 1 and len(sounds) > len(squeezed(whole)) / 2


def _walk(root: _Node, words: Sequence[str], start: int, step: Callable[[_Node, str], Iterator[_Node]]) -> list[Match]:
    """All phrases below a root that begin at this word, the longest first."""
    found: dict[int, list[Tag]] = {}
    nodes, length = [root], 0
    while nodes and start + length < len(words):
        word = words[start + length]
        nodes = [after for node in nodes for after in step(node, word)]
        length += 1
        tags = [tag for node in nodes for tag in node.tags]
        if tags:
            found[length] = tags
    return [Match(size, tuple(dict.fromkeys(tags))) for size, tags in sorted(found.items(), reverse=True)]


def _step(node: _Node, word: str) -> Iterator[_Node]:
    """The nodes behind a word: as typed, and with those of its Kazakh letters folded that were typed (көлик)."""
    yield from _behind(node, word)
    plain = folded(word)
    if plain != word:
        yield from _behind(node, plain)


def _whole(node: _Node, word: str) -> Iterator[_Node]:
    return (after for after in (node.children.get(word), node.stems.get(word)) if after is not None)


def _behind(node: _Node, word: str) -> Iterator[_Node]:
    exact = node.children.get(word)
    if exact is not None:
        yield exact
    if node.stems:
        for size in range(len(word), STEM_MIN - 1, -1):
            stem = node.stems.get(word[:size])
            if stem is not None:
                yield stem


@functools.cache
def vocabulary() -> Vocabulary:
    """The words of all languages, read from the package once."""
    folder = resources.files(__package__) / "words"
    return Vocabulary(
        [(name, tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))) for name in LANGUAGES]
    )
