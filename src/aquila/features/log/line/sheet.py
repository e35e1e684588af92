"""The sheet on which a line is worked out: its words, what they may mean, and which field took them."""

from collections.abc import Collection, Iterable
from typing import Any

import msgspec

from aquila.features.log.line.draft import Confidence, Field, LineChoice, LineContext, LineDraft, LinePart
from aquila.features.log.line.words import LATIN_MIN, PIECES, Match, Tag, Vocabulary, latin, normalise

NUMBER_CATEGORIES = frozenset({"number", "half"})


CODE_MAX = 4
"""Capitals up to which an unknown word is an abbreviation of its own, and no word cut short: JOC, CIMIC."""
PAIR_MIN = 6
"""Letters of two words that are both cut short: rad chk."""


class Token(msgspec.Struct, frozen=True):
    """A run of letters, a run of digits, or one other mark. `gap`: white space stands before it."""

    start: int
    end: int
    text: str
    norm: str
    sort: str
    gap: bool


class Found(msgspec.Struct, frozen=True):
    """A phrase in the line: words [start, stop), with the tags of the categories that were asked for."""

    start: int
    stop: int
    tags: tuple[Tag, ...]
    typo: int

    @property
    def value(self) -> str:
        """Of the first tag."""
        return self.tags[0].value

    @property
    def ambiguous(self) -> bool:
        """A corrected word that could be two things."""
        return self.typo > 0 and len({(tag.category, tag.value) for tag in self.tags}) > 1


class Sheet:
    """One line in work. Words are claimed once; what is left at the end is the remainder."""

    def __init__(self, line: str, context: LineContext, words: Vocabulary) -> None:
        self.line = line
        self.context = context
        self.tokens = _tokens(line)
        self.parts: list[LinePart] = []
        self._taken = bytearray(len(self.tokens))
        norms = [token.norm for token in self.tokens]
        self._matches: list[list[Match]] = [words.matches(norms, index) for index in range(len(norms))]
        self._words = words
        self.aside: set[int] = set()
        self.reserved: set[int] = set()
        self.numbered: set[int] = set()
        self.called: set[int] = set()
        self.name_words = frozenset(normalise(piece) for name in context.names for piece in PIECES.findall(name.name))
        self._anywhere: dict[str, bool] = {}
        self._doubts: dict[int, str] = {}
        self._transliterate(norms)
        self._forgive()
        # What a word may begin, once for all: most questions are answered with no.
        self._categories = [frozenset(tag.category for match in each for tag in match.tags) for each in self._matches]

    def _transliterate(self, norms: list[str]) -> None:
        """Know the words that stand in no vocabulary by their Cyrillic spelling: PTL4 CP 6-dan otti."""
        known: set[int] = set()
        for index, matches in enumerate(self._matches):
            for match in matches:
                known.update(range(index, index + match.length))
        spelled = [
            latin(norm)
            if index not in known and norm.isascii() and norm.isalpha() and norm not in self.name_words
            else norm
            if len(norm) == 1
            else ""
            for index, norm in enumerate(norms)
        ]
        for index, word in enumerate(spelled):
            if len(word) > 1 and not self._matches[index]:
                # What may be a slip of a word in Latin letters is another word only as it is spelled.
                slip = self._words.near(norms[index]) is not None
                self._matches[index] = [
                    match
                    for match in self._words.latin_matches(spelled, index, whole=slip)
                    if len(norms[index]) >= LATIN_MIN or match.length > 1
                ]

    def _forgive(self) -> None:
        """Look up the words that stand in no vocabulary among those that differ by a typing error."""
        known: set[int] = set()
        for index, matches in enumerate(self._matches):
            for match in matches:
                known.update(range(index, index + match.length))
        names = self.name_words
        options: dict[int, tuple[str, ...]] = {}
        shouted = self.line.upper() == self.line
        for index, token in enumerate(self.tokens):
            if token.sort == "word" and index not in known and token.norm not in names:
                near = self._words.near(token.norm)
                if near is not None:
                    self._matches[index] = [near]
                if len(token.text) <= CODE_MAX and token.text.isupper() and not shouted:
                    continue
                meant = self._words.meant(token.norm)
                if meant:
                    options[index] = (token.norm, *meant)
        if options:
            self._widen([options.get(index, (token.norm,)) for index, token in enumerate(self.tokens)], options.keys())

    def _widen(self, words: list[tuple[str, ...]], changed: Collection[int]) -> None:
        """Add the phrases that a line has when words that are not known are what they may be short for."""
        for index in range(len(words)):
            for match in self._words.loose(words, index):
                inside = [at for at in range(index, index + match.length) if at in changed]
                letters = sum(len(words[at][0]) for at in inside)
                if inside and (len(inside) < match.length or match.length > 2 or letters >= PAIR_MIN):
                    self._matches[index] = sorted([*self._matches[index], match], key=lambda each: -each.length)

    def free(self, start: int, stop: int) -> bool:
        """Are there such words, and did no field take any?"""
        if stop == start + 1:
            return 0 <= start < len(self._taken) and not self._taken[start]
        return 0 <= start < stop <= len(self._taken) and self._taken.find(1, start, stop) < 0

    def find(self, index: int, *categories: str) -> Found | None:
        """The longest free phrase of these categories that begins at this word."""
        if not 0 <= index < len(self._taken) or self._taken[index]:
            return None
        if self._categories[index].isdisjoint(categories):
            return None
        for match in self._matches[index]:
            tags = tuple(tag for tag in match.tags if tag.category in categories)
            if tags and self.free(index, index + match.length):
                # A correction that is also a word of something else is shown as ambiguous by its other tags.
                return Found(index, index + match.length, match.tags if match.typo else tags, match.typo)
        return None

    def endings(self, value: str) -> tuple[str, ...]:
        """The endings of words with this meaning, as normalised, the longest first."""
        return self._words.endings(value)

    def word(self, index: int, *categories: str) -> Found | None:
        """As `find`, for a correction only when its best meaning is of these categories."""
        found = self.find(index, *categories)
        if found is None or not found.typo:
            return found
        own = tuple(tag for tag in found.tags if tag.category in categories)
        return Found(found.start, found.stop, own, found.typo)

    def ends(self, stop: int, *categories: str) -> Found | None:
        """The longest free phrase of these categories that ends before this word."""
        for start in range(max(0, stop - 5), stop):
            if stop > len(self.tokens) or self._categories[start].isdisjoint(categories):
                continue
            for match in self._matches[start] if self.free(start, stop) else ():
                tags = tuple(tag for tag in match.tags if tag.category in categories)
                if tags and start + match.length == stop:
                    return Found(start, stop, tags, match.typo)
        return None

    def meaning(self, text: str, category: str) -> str | None:
        """What a text of one word means in this category; None = nothing."""
        for match in self._words.matches([normalise(text)], 0):
            for tag in match.tags:
                if tag.category == category:
                    return tag.value
        return None

    def tagged(self, index: int, *categories: str) -> bool:
        """May this word begin a phrase of these categories, taken or not?"""
        return 0 <= index < len(self.tokens) and not self._categories[index].isdisjoint(categories)

    def anywhere(self, category: str) -> bool:
        """Has the line a word of this category, taken or not? Looked up once for each category."""
        if category not in self._anywhere:
            self._anywhere[category] = any(self.tagged(index, category) for index in range(len(self.tokens)))
        return self._anywhere[category]

    def means(self, index: int, category: str, value: str) -> bool:
        """May this word begin a phrase with this value of this category, taken or not?"""
        return (
            0 <= index < len(self.tokens)
            and category in self._categories[index]
            and any(
                tag.category == category and tag.value == value for match in self._matches[index] for tag in match.tags
            )
        )

    def known_word(self, index: int) -> bool:
        """Does the vocabulary know this word, as it is written?"""
        return any(not match.typo for match in self._matches[index])

    def is_mark(self, index: int, marks: str) -> bool:
        """Is this a free token made of one of these marks?"""
        return self.free(index, index + 1) and self.tokens[index].text in marks

    def token_range(self, start: int, end: int) -> tuple[int, int]:
        """The words that touch the characters [start, end)."""
        inside = [index for index, token in enumerate(self.tokens) if token.start < end and token.end > start]
        return (inside[0], inside[-1] + 1) if inside else (0, 0)

    def claim(
        self,
        start: int,
        stop: int,
        field: Field,
        value: dict[str, Any] | None,
        *,
        confidence: Confidence = "sure",
        alternatives: Iterable[LineChoice] = (),
        note: str | None = None,
        problem: str | None = None,
    ) -> None:
        """Give the words [start, stop) to a field. They must be free."""
        assert self.free(start, stop)
        doubts = [self._doubts[index] for index in range(start, stop) if index in self._doubts]
        if doubts:
            confidence, note = "unsure", "; ".join(dict.fromkeys([note, *doubts] if note else doubts))
        self._taken[start:stop] = b"\1" * (stop - start)
        first, last = self.tokens[start].start, self.tokens[stop - 1].end
        self.parts.append(
            LinePart(
                field=field,
                start=first,
                end=last,
                text=self.line[first:last],
                value=value,
                confidence="unsure" if problem is not None else confidence,
                alternatives=tuple(alternatives),
                note=note,
                problem=problem,
            )
        )

    def doubt(self, start: int, stop: int, note: str) -> None:
        """Whoever takes one of these words is unsure, for this reason."""
        self._doubts.update(dict.fromkeys(range(start, stop), note))

    def set_aside(self, start: int, stop: int) -> None:
        """Keep these words from all fields: they stay in the remainder."""
        self.aside.update(range(start, stop))
        self._taken[start:stop] = b"\1" * (stop - start)

    def replace(self, part: LinePart, value: dict[str, Any], choices: tuple[LineChoice, ...], note: str) -> None:
        """Give a part that was claimed before another value; it is unsure."""
        at = self.parts.index(part)
        other = msgspec.structs.replace(part, value=value, alternatives=(*part.alternatives, *choices))
        self.parts[at] = other
        self.question(other, note)

    def question(self, part: LinePart, note: str) -> None:
        """Make a part unsure that was claimed before, for one more reason."""
        notes = note if part.note is None else f"{part.note}; {note}"
        at = self.parts.index(part)
        self.parts[at] = msgspec.structs.replace(part, confidence="unsure", note=notes)

    def give_back(self, part: LinePart) -> None:
        """Free the words of a part again: a wider one takes them."""
        self.parts.remove(part)
        start, stop = self.token_range(part.start, part.end)
        self._taken[start:stop] = bytes(stop - start)

    def mean(self, start: int, stop: int, tag: Tag) -> None:
        """Let the words [start, stop) be a phrase with this meaning, as if the vocabulary had it."""
        self._matches[start] = sorted(
            [*self._matches[start], Match(stop - start, (tag,))], key=lambda match: -match.length
        )
        self._categories[start] |= {tag.category}
        self._anywhere.pop(tag.category, None)

    def matches(self, index: int) -> list[Match]:
        """All that this word may begin, taken or not."""
        return self._matches[index]

    def infer(
        self,
        field: Field,
        value: dict[str, Any],
        note: str,
        confidence: Confidence = "unsure",
        alternatives: tuple[LineChoice, ...] = (),
    ) -> None:
        """Add a field that follows from the others and was not typed."""
        self.parts.append(
            LinePart(
                field=field, start=0, end=0, text="", value=value, confidence=confidence, alternatives=alternatives,
                note=note,
            )
        )  # fmt: skip

    def has(self, field: Field) -> bool:
        """Did this field take any words?"""
        return any(part.field == field for part in self.parts)

    def draft(self) -> LineDraft:
        """All parts in order; what nobody took is the remainder, white space and all."""
        typed = sorted((part for part in self.parts if part.end > part.start), key=lambda part: part.start)
        covered: list[LinePart] = []
        at = 0
        for part in [*typed, None]:
            until = len(self.line) if part is None else part.start
            if until > at:
                text = self.line[at:until]
                covered.append(LinePart(field="remainder", start=at, end=until, text=text, value=None))
            if part is not None:
                covered.append(part)
                at = part.end
        rest = [" ".join(part.text.split()) for part in covered if part.field == "remainder"]
        inferred = [part for part in self.parts if part.end == part.start]
        return LineDraft(
            line=self.line,
            parts=(*inferred, *covered),
            remainder=" ".join(text for text in rest if any(char.isalnum() for char in text)),
        )


def _tokens(line: str) -> list[Token]:
    tokens = []
    end = 0
    for piece in PIECES.finditer(line):
        text = piece[0]
        sort = "digits" if text.isascii() and text.isdigit() else "word" if text[0].isalpha() else "mark"
        tokens.append(Token(piece.start(), piece.end(), text, normalise(text), sort, piece.start() > end))
        end = piece.end()
    return tokens
