"""What a person can say of tracks: they are the same, they are not, this one stays as it is, find it yourself."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Final

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, Saying
from aquila.core.model import Label, Paper, Principal, Verdict
from aquila.core.papers import Papers, Thing, saying_of
from aquila.core.policy import derive
from aquila.core.view import view_of
from aquila.features.tracks.board import Fused, Fusions, TrackMember, called_of
from aquila.features.tracks.pairs import PAIR, Pair, Word, id_of, pair_of, word_in, words_of, wrong_with

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
LINES: Final[Mapping[Word, str]] = {"same": "one track", "apart": "two tracks", "free": "as the correlator finds"}
NAMED_LINES: Final[Mapping[Word, str]] = {
    "same": "{one} and {other} are one track",
    "apart": "{one} and {other} are two tracks",
    "free": "{one} and {other}: as the correlator finds",
}
"""Lines of the journal, see core.phrase_table."""
NO_TRACK = Refused("absent", "there is no such track, or you may not see it: look into the list of fused tracks")


class TwoTracks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two tracks, each by the id of its symbol or of a member."""

    one: Id
    other: Id


class OneMember(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A member that does not belong to the track it is in."""

    member: Id


class OneTrack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A track, by the id of its symbol or of a member."""

    id: Id


class SaidBefore(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The entries that one of these commands has written."""

    entries: Annotated[tuple[Id, ...], msgspec.Meta(min_length=1, max_length=200)]


class PairsSaid(msgspec.Struct, frozen=True, kw_only=True):
    """The entries that were written, one for each pair."""

    entries: tuple[str, ...]


async def merge_tracks(principal: Principal, ask: TwoTracks, desk: Desk) -> PairsSaid | Refused:
    """Say that two tracks are the same. The correlator never undoes it; that members of them are apart ends with it."""
    one, other = _members(ask.one, desk), _members(ask.other, desk)
    if isinstance(one, Refused) or isinstance(other, Refused):
        return NO_TRACK
    mine = {member.entity for member in one}
    if mine & {member.entity for member in other}:
        return Refused("same", "they are one track already: lock it, if it shall stay so")
    # All radars are one source, too: of two tracks of theirs one would be left over as a symbol of its own.
    twice = [(a, b) for a in one for b in other if a.source == b.source]
    if twice:
        a, b = twice[0]
        return Refused(
            "source",
            f"{a.name} and {b.name} are of one source, which tells its own apart: "
            "split off the one that does not belong",
        )
    # One pair is enough: the rest follows.
    pairs = [pair_of(a.entity, b.entity) for a in one for b in other]
    apart = [pair for pair in pairs[1:] if _words(desk).get(pair) == "apart"]
    return await _say(principal, desk, {pairs[0]: "same", **dict.fromkeys(apart, "free")})


async def split_track(principal: Principal, ask: OneMember, desk: Desk) -> PairsSaid | Refused:
    """Say that a member is not the same as the others of its track. The correlator never undoes it."""
    members = _members(ask.member, desk)
    if isinstance(members, Refused):
        return members
    others = [member for member in members if member.entity != ask.member]
    if len(others) == len(members):
        return Refused("member", "that is the track itself: name the member that does not belong to it")
    if not others:
        return Refused("member", "it is the only member of its track: there is nothing to split")
    return await _say(principal, desk, {pair_of(ask.member, other.entity): "apart" for other in others})


async def lock_track(principal: Principal, ask: OneTrack, desk: Desk) -> PairsSaid | Refused:
    """Say that a track is right as it is: all its members are the same."""
    members = _members(ask.id, desk)
    if isinstance(members, Refused):
        return members
    pairs = [pair_of(members[0].entity, other.entity) for other in members[1:]]
    if not pairs:
        return Refused("member", "it has one member only: there is nothing to lock")
    return await _say(principal, desk, dict.fromkeys(pairs, "same"))


async def free_track(principal: Principal, ask: OneTrack, desk: Desk) -> PairsSaid | Refused:
    """Take back all that was said of a track's members: the correlator finds it itself again."""
    members = _members(ask.id, desk)
    if isinstance(members, Refused):
        return members
    ids = {member.entity for member in members}
    pairs = [pair for pair in _words(desk) if ids & set(pair)]
    if not pairs:
        return Refused("absent", "nobody has said anything of it")
    return await _say(principal, desk, dict.fromkeys(pairs, "free"))


async def take_back(principal: Principal, ask: SaidBefore, desk: Desk) -> PairsSaid | Refused:
    """Undo what one of these commands has said: what stood before stands again. Undone, it is said again."""
    view = view_of(desk.views, "pairs", Papers)
    things = {thing.newest.entry: thing for thing in view.things(desk, PAIR)}
    said: dict[Pair, Word] = {}
    for entry in ask.entries:
        thing = things.get(entry)
        pair, _ = (None, None) if thing is None else word_in(thing.fields())
        if thing is None or pair is None:
            return Refused("later", "somebody has said otherwise since, or you may not see it: look at the track first")
        said[pair] = word_in(thing.steps[-2].fields)[1] if len(thing.steps) > 1 else "free"
    return await _say(principal, desk, said)


def _words(desk: Desk) -> dict[Pair, Word]:
    return words_of(view_of(desk.views, "pairs", Papers), desk.context)


def _members(id: str, desk: Desk) -> tuple[TrackMember, ...] | Refused:
    board: Fusions = desk.part("fusion")
    found = board.of(id)
    return found.members if found is not None and _may(found, desk) else NO_TRACK


def _may(found: Fused, desk: Desk) -> bool:
    return desk.release(found.label, found.context).verdict is Verdict.FULL


async def _say(principal: Principal, desk: Desk, said: Mapping[Pair, Word]) -> PairsSaid | Refused:
    """Say all of it, or nothing."""
    words, board = _words(desk), desk.part("fusion")
    sources = _sources(board, {member for pair in (*words, *said) for member in pair})
    wrong = wrong_with(words, said, sources)
    if wrong is not None:
        return Refused("contradiction", wrong)
    sayings = []
    for pair, word in said.items():
        saying = _saying(principal, desk, pair, word)
        if isinstance(saying, Refused):
            return saying
        sayings.append(saying)
    written = await desk.write_all(sayings)
    if isinstance(written, Refused):
        return written
    return PairsSaid(entries=tuple(entry.envelope.id for entry in written))


def _sources(board: Fusions, members: Iterable[str]) -> dict[str, str]:
    return {member: source for member in members if (source := board.source_of(member)) is not None}


def _saying(principal: Principal, desk: Desk, pair: Pair, word: Word) -> Saying | Refused:
    board: Fusions = desk.part("fusion")
    tracks = [track for member in pair if (track := board.of(member)) is not None]
    labels = [track.label for track in tracks]
    names = _names(tracks, pair)
    thing = view_of(desk.views, "pairs", Papers).thing(desk, id_of(pair))
    if thing is not None:
        # The marking was made when the pair was first spoken of: what has become stricter since is not named under it.
        first = thing.first.label
        is_covered = derive(desk.policy, (first, *labels)) == derive(desk.policy, (first, first))
        return saying_of(principal, desk, _paper(desk, pair, word, thing, names if is_covered else None), thing)
    # What is said of tracks reaches those who have both, and nobody else.
    label: Label | None = derive(desk.policy, labels) if labels else None
    if label is not None and not label.groups:
        return Refused("reader", "the two tracks have no reader in common: one of both would be seen by nobody")
    if label is not None and principal.kind != "node" and not set(label.groups) <= principal.groups_in:
        return Refused("group", "the track is marked for groups that you may not write into: ask one of them")
    return Saying(body=_paper(desk, pair, word, None, names), label=label)


def _names(tracks: Iterable[Fused], pair: Pair) -> tuple[str, str] | None:
    """Both members as people call them; None = one of them is no more heard."""
    called = {member.entity: called_of(member.source, member.name) for track in tracks for member in track.members}
    one, other = (called.get(member) for member in pair)
    return None if one is None or other is None else (one, other)


def _paper(desk: Desk, pair: Pair, word: Word, thing: Thing | None, names: tuple[str, str] | None) -> Paper:
    """What is said of a pair. names: of both; None = the line names nobody."""
    return Paper(
        type=PAIR,
        target=id_of(pair),
        action=word,
        happened_at_ms=desk.now_ms(),
        fields={"members": list(pair), "word": word},
        seen=() if thing is None else thing.heads(),
        summary=LINES[word] if names is None else NAMED_LINES[word].format(one=names[0], other=names[1]),
    )


COMMANDS = (
    Command(
        name="merge_tracks",
        method="POST",
        path="/tracks/merge",
        request=TwoTracks,
        answer=PairsSaid,
        role="operator",
        act=merge_tracks,
        summary="Say that two tracks are the same; the correlator never undoes it",
    ),
    Command(
        name="split_track",
        method="POST",
        path="/tracks/split",
        request=OneMember,
        answer=PairsSaid,
        role="operator",
        act=split_track,
        summary="Say that a member is not the same as the others of its track; the correlator never undoes it",
    ),
    Command(
        name="lock_track",
        method="POST",
        path="/tracks/lock",
        request=OneTrack,
        answer=PairsSaid,
        role="operator",
        act=lock_track,
        summary="Say that a track is right as it is",
    ),
    Command(
        name="free_track",
        method="POST",
        path="/tracks/free",
        request=OneTrack,
        answer=PairsSaid,
        role="operator",
        act=free_track,
        summary="Take back what was said of a track's members",
    ),
    Command(
        name="take_back_tracks",
        method="POST",
        path="/tracks/take-back",
        request=SaidBefore,
        answer=PairsSaid,
        role="operator",
        act=take_back,
        summary="Undo what was said of tracks: what stood before stands again",
    ),
)
