"""What persons have said of pairs: the same, or not the same. The newest word about a pair is in force.

A pair is a thing of papers; its id is made of its members, so that two desks that speak of one pair speak of one thing.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any, Final, Literal

import msgspec

from aquila.core.feature import Reading
from aquila.core.ids import derived_id
from aquila.core.model import Context
from aquila.core.papers import Papers

PAIR: Final = "tracks.pair"
Word = Literal["same", "apart", "free"]
"""same: one thing, whatever the correlator finds. apart: never. free: as the correlator finds."""
Pair = tuple[str, str]
"""Entity ids of two members, in alphabetical order."""


class SaidOf(msgspec.Struct, frozen=True, kw_only=True):
    """What a person has said of a pair, and stands.

    Attributes:
        one, other: ids of the members. word: same, or apart.
        by: id of the principal who said so, or for whom it was said. at_ms: when, UTC.
    """

    one: str
    other: str
    word: Literal["same", "apart"]
    by: str
    at_ms: int


def pairs_view() -> Papers:
    """A fresh view."""
    return Papers("pairs", 1, (PAIR,))


def pair_of(one: str, other: str) -> Pair:
    """The pair of two members. Raises ValueError when they are one."""
    if one == other:
        raise ValueError(f"{one} and itself are no pair: name two")
    return (one, other) if one < other else (other, one)


def id_of(pair: Pair) -> str:
    """The id of the thing that papers about this pair are about."""
    return derived_id(PAIR, 1, "\0".join(pair))


def words_of(papers: Papers, context: Context) -> dict[Pair, Word]:
    """All pairs of which somebody has said something that stands, as the node itself knows them."""
    found: dict[Pair, Word] = {}
    for thing in papers.all(context, PAIR):
        pair, word = word_in(thing.fields())
        if pair is not None and word != "free":
            found[pair] = word
    return found


def said_of(papers: Papers, reading: Reading, members: Container[str]) -> Iterator[SaidOf]:
    """What stands of pairs with one of these members, as the asker may have it; the member of these first."""
    for thing in papers.things(reading, PAIR):
        pair, word = word_in(thing.fields())
        if pair is None or word == "free" or not (pair[0] in members or pair[1] in members):
            continue
        one, other = pair if pair[0] in members else (pair[1], pair[0])
        step = thing.writers()["word"]
        yield SaidOf(one=one, other=other, word=word, by=step.on_behalf_of or step.by, at_ms=step.at_ms)


def word_in(fields: Mapping[str, Any]) -> tuple[Pair | None, Word]:
    """The pair that the fields of a paper name, and the word about it; a peer's fields that are neither name none."""
    members, word = fields.get("members"), fields.get("word")
    if word not in ("same", "apart", "free") or not isinstance(members, list | tuple) or len(members) != 2:
        return None, "free"
    one, other = (str(member) for member in members)
    return (None, "free") if one == other else (pair_of(one, other), word)


def groups_of(words: Mapping[Pair, Word]) -> dict[str, frozenset[str]]:
    """For each member that was called the same as another: all that are the same by what was said."""
    group: dict[str, set[str]] = {}
    for pair, word in words.items():
        if word == "same":
            joined = group.get(pair[0], {pair[0]}) | group.get(pair[1], {pair[1]})
            for member in joined:
                group[member] = joined
    return {member: frozenset(joined) for member, joined in group.items()}


def wrong_with(words: Mapping[Pair, Word], said: Mapping[Pair, Word], sources: Mapping[str, str]) -> str | None:
    """Why these words cannot be added to what stands; None = they can.

    Args:
        words: what stands.
        said: what is to be said.
        sources: of the members, as far as they are known.
    """
    after = {**words, **said}
    groups = groups_of(after)
    for one, other in said:
        members = groups.get(one, frozenset((one,))) | groups.get(other, frozenset((other,)))
        for pair in _pairs(members):
            if after.get(pair) == "apart" and pair[1] in groups.get(pair[0], ()):
                return "they would be the same and not the same: take back first what was said of them"
        for group in {groups[member] for member in members if member in groups}:
            known = [sources[member] for member in group if member in sources]
            if len(set(known)) < len(known):
                return "two of its members would be of one source, which tells its own apart"
    return None


def _pairs(members: Iterable[str]) -> Iterable[Pair]:
    ordered = sorted(members)
    return ((one, other) for k, one in enumerate(ordered) for other in ordered[k + 1 :])
