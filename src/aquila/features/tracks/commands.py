"""What a person can say of tracks: they are the same, they are not, this one stays as it is, find it yourself."""

from collections.abc import Iterable, Mapping
from typing import Annotated

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk
from aquila.core.model import Entry, Label, Paper, Principal, Verdict
from aquila.core.papers import Papers, write_paper
from aquila.core.view import view_of
from aquila.features.tracks.board import Fused, Fusions, TrackMember
from aquila.features.tracks.pairs import PAIR, Pair, Word, id_of, pair_of, words_of, wrong_with

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
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


class PairsSaid(msgspec.Struct, frozen=True, kw_only=True):
    """The entries that were written, one for each pair."""

    entries: tuple[str, ...]


async def merge_tracks(principal: Principal, ask: TwoTracks, desk: Desk) -> PairsSaid | Refused:
    """Say that two tracks are the same. The correlator never undoes it."""
    one, other = _members(ask.one, desk), _members(ask.other, desk)
    if isinstance(one, Refused) or isinstance(other, Refused):
        return NO_TRACK
    mine = {member.entity for member in one}
    if mine & {member.entity for member in other}:
        return Refused("same", "they are one track already: lock it, if it shall stay so")
    # One pair that two sources can make is enough: the rest follows.
    pairs = [pair_of(a.entity, b.entity) for a in one for b in other if a.source != b.source]
    if not pairs:
        return Refused("source", f"both are of {one[0].source} only: one source tells its own apart")
    return await _say(principal, desk, dict.fromkeys(pairs[:1], "same"))


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


def _words(desk: Desk) -> dict[Pair, Word]:
    return words_of(view_of(desk.views, "pairs", Papers), desk.context)


def _members(id: str, desk: Desk) -> tuple[TrackMember, ...] | Refused:
    board: Fusions = desk.part("fusion")
    found = board.of(id)
    return found.members if found is not None and _may(found, desk) else NO_TRACK


def _may(found: Fused, desk: Desk) -> bool:
    return desk.release(found.label, found.context).verdict is Verdict.FULL


async def _say(principal: Principal, desk: Desk, said: Mapping[Pair, Word]) -> PairsSaid | Refused:
    words, board = _words(desk), desk.part("fusion")
    sources = _sources(board, {member for pair in (*words, *said) for member in pair})
    wrong = wrong_with(words, said, sources)
    if wrong is not None:
        return Refused("contradiction", wrong)
    entries = []
    for pair, word in said.items():
        entry = await _say_one(principal, desk, pair, word)
        if isinstance(entry, Refused):
            return entry
        entries.append(entry.envelope.id)
    return PairsSaid(entries=tuple(entries))


def _sources(board: Fusions, members: Iterable[str]) -> dict[str, str]:
    return {member: source for member in members if (source := board.source_of(member)) is not None}


async def _say_one(principal: Principal, desk: Desk, pair: Pair, word: Word) -> Entry | Refused:
    view = view_of(desk.views, "pairs", Papers)
    thing = view.thing(desk, id_of(pair))
    paper = Paper(
        type=PAIR,
        target=id_of(pair),
        action=word,
        happened_at_ms=desk.now_ms(),
        fields={"members": list(pair), "word": word},
        seen=() if thing is None else thing.heads(),
        summary={"same": "one track", "apart": "two tracks", "free": "as the correlator finds"}[word],
    )
    if thing is not None:
        return await write_paper(principal, desk, paper, thing)
    found = desk.part("fusion").of(pair[0])
    label: Label | None = None if found is None else found.label
    # What is said of a track reaches those who have the track, and nobody else.
    if label is not None and principal.kind != "node" and not set(label.groups) <= principal.groups_in:
        return Refused("group", "the track is marked for groups that you may not write into: ask one of them")
    return await desk.write(paper, label=label)


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
)
