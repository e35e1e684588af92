"""The vocabulary of the typed line: phrases of five languages in four TOML files, Kazakh beside Russian."""
# ruff: noqa: RUF002  # Cyrillic letters and dashes are what people type

import functools
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from importlib import resources

import msgspec
from rapidfuzz import process
from rapidfuzz.distance import OSA

LANGUAGES = ("en", "it", "fr", "ru")
PIECES = re.compile(r"[^\W\d_]+|[0-9]+|\S")
STEM_MIN = 2
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


class Vocabulary:
    """Phrases in a tree of words.

    Args:
        tables: (language, {category: {value: [phrase ...]}}); a word that ends in `*` stands for all its endings.
    """

    def __init__(self, tables: Sequence[tuple[str, dict[str, dict[str, list[str]]]]]) -> None:
        self._root = _Node()
        self._single: dict[str, set[Tag]] = {}
        for language, table in tables:
            for category, values in table.items():
                for value, phrases in values.items():
                    for phrase in phrases:
                        self._add(phrase, Tag(category, value, language))
        self._words = [word for word in self._single if len(word) >= FUZZY_MIN]
        self._corrected = functools.lru_cache(4096)(self._correct)

    def _add(self, phrase: str, tag: Tag) -> None:
        words = re.findall(r"[^\W\d_]+\*?|[0-9]+|\S", phrase)
        node = self._root
        for word in words:
            stem = word.endswith("*") and len(word) > 1
            branch = node.stems if stem else node.children
            node = branch.setdefault(normalise(word.rstrip("*") if stem else word), _Node())
        if tag not in node.tags:
            node.tags.append(tag)
        if len(words) == 1 and tag.category in FORGIVEN:
            self._single.setdefault(normalise(words[0].rstrip("*")), set()).add(tag)

    def matches(self, words: Sequence[str], start: int) -> list[Match]:
        """All phrases that begin at this word, the longest first."""
        found: dict[int, list[Tag]] = {}
        nodes, length = [self._root], 0
        while nodes and start + length < len(words):
            word = words[start + length]
            nodes = [after for node in nodes for after in _step(node, word)]
            length += 1
            tags = [tag for node in nodes for tag in node.tags]
            if tags:
                found[length] = tags
        return [Match(size, tuple(dict.fromkeys(tags))) for size, tags in sorted(found.items(), reverse=True)]

    def near(self, word: str) -> Match | None:
        """The phrase that an unknown word was meant to be; several tags = nobody can tell which. None = none."""
        return None if len(word) < FUZZY_MIN else self._corrected(word)

    def _correct(self, word: str) -> Match | None:
        allowed = 2 if len(word) >= FUZZY_TWO_MIN else 1
        found = process.extract(word, self._words, scorer=OSA.distance, score_cutoff=allowed, limit=5)
        # The first letter is seldom wrong: a word that differs there is another word.
        close = [(each, by) for each, by, _ in found if each[0] == word[0] or sorted(each) == sorted(word)]
        if not close:
            return None
        best = min(by for _, by in close)
        tags = {tag for each, by in close if by == best for tag in self._single[each]}
        return Match(1, tuple(sorted(tags, key=lambda tag: (tag.category, tag.value, tag.language))), int(best))


def _step(node: _Node, word: str) -> Iterator[_Node]:
    exact = node.children.get(word)
    if exact is not None:
        yield exact
    if node.stems:
        for size in range(len(word), STEM_MIN - 1, -1):
            stem = node.stems.get(word[:size])
            if stem is not None:
                yield stem
                return


@functools.cache
def vocabulary() -> Vocabulary:
    """The words of all languages, read from the package once."""
    folder = resources.files(__package__) / "words"
    return Vocabulary(
        [(name, tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))) for name in LANGUAGES]
    )
