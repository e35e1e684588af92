"""What persons have said of pairs: the same, or not the same. The newest word about a pair is in force.

A pair is a thing of papers; its id is made of its members, so that two desks that speak of one pair speak of one thing.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from aquila.core.ids import derived_id
from aquila.core.model import Context
from aquila.core.papers import Papers

PAIR: Final = "tracks.pair"
Word = Literal["same", "apart", "free"]
"""same: one thing, whatever the correlator finds. apart: never. free: as the correlator finds."""
Pair = tuple[str, str]
"""Entity ids of two members, in alphabetical order."""


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
        members, word = thing.get("members"), thing.get("word")
        if word in ("same", "apart") and isinstance(members, list) and len(members) == 2:
            found[pair_of(str(members[0]), str(members[1]))] = word
    return found


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
                return f"{pair[0]} and {pair[1]} would be the same and not the same: take one of the two back first"
        for group in {groups[member] for member in members if member in groups}:
            twice = _twice(group, sources)
            if twice is not None:
                return twice
    return None


def _pairs(members: Iterable[str]) -> Iterable[Pair]:
    ordered = sorted(members)
    return ((one, other) for k, one in enumerate(ordered) for other in ordered[k + 1 :])


def _twice(group: Iterable[str], sources: Mapping[str, str]) -> str | None:
    first: dict[str, str] = {}
    for member in sorted(group):
        source = sources.get(member)
        if source is not None and first.setdefault(source, member) != member:
            return f"{first[source]} and {member} are both of {source}: one source tells its own apart"
    return None
