"""Trees without the parser: most events are written by the same program and differ in their attribute values only.

An event is split at its double quotes. The pieces before, between and behind the values are its *skeleton*. What lxml
makes of a skeleton is learned once, from the document that has the number of each value in its place; the tree of
every further event with that skeleton is the learned one with its own values.

Why this is what lxml would have said. The skeleton holds no single quote, and the learned tree has every number exactly
once and in order, so each double quote of it begins or ends an attribute value and none stands in a text. A value of
printable ASCII without `<`, `&` and `"` is taken as it stands and moves the parser nowhere else, whichever it is. So
names, texts and places are those of the skeleton, and so are depth, elements and attributes, which `parse` has checked;
a short event holds no value that is too long. Everything else is left to lxml: other characters (entities, references,
line ends and tabs, which a parser changes; all that is not ASCII), single quotes, prefixes and namespaces, quotes
in texts, long events, and whatever `parse` refuses.

A skeleton that comes often is made a pattern, with what a plain value may hold in the place of each value. Where that
pattern matches, the event ends where the match does, and its groups are the values: cutting the stream and splitting
the event are one search. Where it does not match, nothing was said, and the general way finds out why.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Final

from aquila.codecs.cot.event import Element
from aquila.codecs.cot.xml.tree import ATTRIBUTE_BYTES_MAX, Head, head_of, parse, point_and_children
from aquila.core.errors import CodecError

SKELETONS_MAX: Final = 512
"""Kept in mind; beyond this the one that was not seen for longest is learned anew when it comes again."""
SKELETON_BYTES_MAX: Final = 2_048
"""A longer one is left to lxml: it would be a text, which does not come twice."""
KNOWN_MAX: Final = 16
"""Skeletons of one stream."""
LEARNING_COST: Final = 16
"""Events by lxml for each skeleton that a stream has learned: whoever invents a new one each time gains nothing."""
PATTERN_AFTER: Final = 256
"""Events of a skeleton until it is made a pattern: compiling one takes as long as reading a hundred events."""
_PLAIN_VALUE: Final = r'"([ !#-%\'-;=-~]*+)"'
"""A value that stands as it is: printable ASCII without `"`, `&` and `<`."""


class Learned:
    """An element of a skeleton: its names, and which of the event's values belong to it."""

    __slots__ = ("children", "names", "tag", "tail", "text")

    def __init__(self, one: Element) -> None:
        self.tag = one.tag
        self.text = one.text
        self.tail = one.tail
        self.names = {name: int(number) for name, number in one.items()}
        self.children = tuple(Learned(child) for child in one)

    def numbers(self) -> Iterator[int]:
        """The numbers of its values and of all below it, in the order written."""
        yield from self.names.values()
        for child in self.children:
            yield from child.numbers()


class Grown:
    """An element with the values of one event. See event.Element."""

    __slots__ = ("_learned", "_values")

    def __init__(self, learned: Learned, values: Sequence[str]) -> None:
        self._learned = learned
        self._values = values

    @property
    def tag(self) -> str:
        """Its name."""
        return self._learned.tag

    @property
    def text(self) -> str | None:
        """The text before its first child."""
        return self._learned.text

    @property
    def tail(self) -> str | None:
        """The text behind its end."""
        return self._learned.tail

    def get(self, key: str, /) -> str | None:
        """The attribute, or None."""
        number = self._learned.names.get(key)
        return None if number is None else self._values[number]

    def items(self) -> list[tuple[str, str]]:
        """Its attributes in the order written."""
        return [(name, self._values[number]) for name, number in self._learned.names.items()]

    def __iter__(self) -> Iterator[Element]:
        return iter([Grown(child, self._values) for child in self._learned.children])


class Children:
    """The children of a detail, made when they are looked at."""

    __slots__ = ("_learned", "_values")

    def __init__(self, learned: tuple[Learned, ...], values: Sequence[str]) -> None:
        self._learned = learned
        self._values = values

    def __iter__(self) -> Iterator[Element]:
        return iter([Grown(child, self._values) for child in self._learned])


class Parts:
    """The children of a detail by name, made when they are looked at. See event.Parts."""

    __slots__ = ("_learned", "_values")

    def __init__(self, learned: Mapping[str, Learned], values: Sequence[str]) -> None:
        self._learned = learned
        self._values = values

    def get(self, name: str, /) -> Element | None:
        """The first of this name, or None."""
        learned = self._learned.get(name)
        return None if learned is None else Grown(learned, self._values)

    def __getitem__(self, name: str, /) -> Element:
        return Grown(self._learned[name], self._values)

    def __contains__(self, name: object, /) -> bool:
        return name in self._learned

    def keys(self) -> Collection[str]:
        """The names that there are."""
        return self._learned.keys()


class Skeleton:
    """What all events of one skeleton have in common."""

    __slots__ = ("_children", "_head", "_parts", "_pieces", "_uses", "pattern")

    def __init__(self, pieces: Sequence[str], head: Head, children: tuple[Learned, ...]) -> None:
        # What is absent is taken from behind the last value, where None is put.
        self._head = itemgetter(*(-1 if number is None else int(number) for number in head))
        self._children = children
        self._parts = {child.tag: child for child in reversed(children)}
        self._pieces = pieces
        self._uses = 0
        self.pattern: re.Pattern[str] | None = None
        """Matches exactly its events, each value a group; None = it has not come often enough."""

    def with_values(self, values: Sequence[str]) -> "Tree":
        """The tree of the event that has these values."""
        return self._head((*values, None)), Parts(self._parts, values), Children(self._children, values)

    def used(self) -> None:
        """It came once more: what comes often is worth a pattern."""
        self._uses += 1
        if self._uses == PATTERN_AFTER:
            self.pattern = re.compile(_PLAIN_VALUE.join(map(re.escape, self._pieces)))


Tree = tuple[Head, Parts, Children]
"""The head of an event, and the children of its detail by name and in order."""


class Skeletons:
    """The skeletons that one stream has used. What it may have learned is limited by how much it has said.

    Args:
        credit: events that it is taken to have said already.
    """

    __slots__ = ("_credit", "_known", "_last")

    def __init__(self, credit: int = LEARNING_COST) -> None:
        self._credit = credit
        self._known: dict[str, Skeleton | None] = {}
        self._last: Skeleton | None = None

    def next(self, text: str, at: int) -> tuple[int, Tree] | None:
        """Where the event ends that begins at `at`, and its tree; None = it is not written as the one before was.

        Args:
            text: the stream, one character a byte.
            at: where in it.
        """
        last = self._last
        if last is None or last.pattern is None:
            return None
        match = last.pattern.match(text, at)
        if match is None or (end := match.end()) - at > ATTRIBUTE_BYTES_MAX:
            return None
        return end, last.with_values(match.groups())

    def grow(self, data: bytes) -> Tree | None:
        """The tree of an event whose skeleton is known or may be learned; None = it is for lxml."""
        if len(data) > ATTRIBUTE_BYTES_MAX or not data.isascii():
            return None
        pieces = data.decode("ascii").split('"')
        values = pieces[1::2]
        said = "".join(values)
        # An even number of pieces: the last one is inside quotes.
        if len(pieces) % 2 == 0 or "<" in said or "&" in said or not said.isprintable():
            return None
        skeleton = '"'.join(pieces[::2])
        known = self._known.get(skeleton) or self._learn(skeleton)
        if known is None:
            return None
        known.used()
        self._last = known
        return known.with_values(values)

    def _learn(self, skeleton: str) -> Skeleton | None:
        """What is learned of a skeleton that is new on this stream; None = it is for lxml, this time or always."""
        if skeleton in self._known or self._credit < LEARNING_COST or len(skeleton) > SKELETON_BYTES_MAX:
            self._credit = min(self._credit + 1, 2 * LEARNING_COST)
            return None
        self._credit -= LEARNING_COST
        if len(self._known) >= KNOWN_MAX:
            del self._known[next(iter(self._known))]
        found = self._known[skeleton] = learned(skeleton)
        return found


@lru_cache(maxsize=SKELETONS_MAX)
def learned(skeleton: str) -> Skeleton | None:
    """What lxml makes of a skeleton (its pieces with one quote between each two); None = it is for lxml, always."""
    # Prefixes have rules of their own (xml:id, xml:space), and a reference is no plain text.
    if "'" in skeleton or ":" in skeleton or "&" in skeleton:
        return None
    first, *others = skeleton.split('"')
    numbered = first + "".join(f'"{number}"{piece}' for number, piece in enumerate(others))
    try:
        tree = parse(numbered.encode("ascii"))
        point, children = point_and_children(tree)
        numbers = list(Learned(tree).numbers())
    except (CodecError, ValueError):
        return None  # A value that is no number of ours: a quote stands in a text.
    if numbers != list(range(len(others))):
        return None
    return Skeleton((first, *others), head_of(tree, point), tuple(Learned(child) for child in children))
