"""What can be asked of fused tracks: all of them, and why one is what it is."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated

import msgspec

from aquila.core.feature import Labelled, Query, Reading
from aquila.core.model import Position, Principal, Verdict
from aquila.core.papers import Papers
from aquila.core.view import view_of
from aquila.features.tracks.board import Because, Fused, Fusions, TrackMember, called_of
from aquila.features.tracks.pairs import SaidOf, said_of
from aquila.features.tracks.quality import QUALITY

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
REASONS = {
    "operator": "a person has said so",
    "key": "they bear the same key",
    "window": "they lie as close together as their errors allow",
}


class AskFused(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All fused tracks."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=50_000)] = 10_000


class FusedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A fused track: its symbol's id, its number, and its members as (source, entity)."""

    id: str
    number: int
    name: str
    observed_at_ms: int
    position: Position
    exists: float
    members: tuple[tuple[str, str], ...]


class AskWhy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which track: the id of its symbol, or of one of its members."""

    id: Id


class OtherMember(msgspec.Struct, frozen=True, kw_only=True):
    """A member of another track. track: id of the symbol that stands for it; its own where it stands alone."""

    entity: str
    source: str
    name: str
    track: str


class WhyTrack(msgspec.Struct, frozen=True, kw_only=True):
    """Why a track is one, in words and in figures.

    Of what is not fused, or not for the asker, there is nothing to say, which is no error: the two are not told apart,
    and the answer has no members.

    Attributes:
        sentences: for people. because: the same in figures, for each pair of members that is held together.
        conflicts: a member of this track and one of another that bear one key and lie too far apart to be one thing.
        said: what persons have said of its members, and stands: also that one of them is apart from another track's.
        others: who is named in `conflicts` and `said` and is no member; of whom the asker may not have, nothing.
    """

    id: str
    number: int
    name: str
    exists: float
    sentences: tuple[str, ...]
    members: tuple[TrackMember, ...]
    because: tuple[Because, ...]
    conflicts: tuple[tuple[str, str], ...]
    said: tuple[SaidOf, ...]
    others: tuple[OtherMember, ...]


def _fused(principal: Principal, ask: AskFused, reading: Reading) -> Iterator[Labelled]:
    board: Fusions = reading.part("fusion")
    for one in board.fused():
        row = FusedRow(
            id=one.entity,
            number=one.number,
            name=one.name,
            observed_at_ms=one.observed_at_ms,
            position=one.position,
            exists=one.exists,
            members=tuple((member.source, member.entity) for member in one.members),
        )
        yield Labelled(row, one.label, one.context)


def _why(principal: Principal, ask: AskWhy, reading: Reading) -> Iterator[Labelled]:
    board: Fusions = reading.part("fusion")
    one = board.of(ask.id)
    if one is None or reading.release(one.label, one.context).verdict is not Verdict.FULL:
        yield Labelled(nothing_of(ask.id), None, reading.context)
        return
    ids = {member.entity for member in one.members}
    said = tuple(said_of(view_of(reading.views, "pairs", Papers), reading, ids))
    touching = [pair for pair in board.conflicts() if ids & set(pair)]
    named = {id for pair in touching for id in pair} | {id for word in said for id in (word.one, word.other)}
    others = {id: found for id in sorted(named - ids) if (found := _other(id, reading)) is not None}
    conflicts = tuple((a, b) if a in ids else (b, a) for a, b in touching if {a, b} <= ids | others.keys())
    row = WhyTrack(
        id=one.entity,
        number=one.number,
        name=one.name,
        exists=one.exists,
        sentences=(*sentences(one), *_warnings(one, conflicts, said, others)),
        members=one.members,
        because=one.because,
        conflicts=conflicts,
        said=said,
        others=tuple(others.values()),
    )
    yield Labelled(row, one.label, one.context)


def nothing_of(id: str) -> WhyTrack:
    """The answer of which there is nothing to say."""
    return WhyTrack(
        id=id, number=0, name="", exists=0.0, sentences=(), members=(), because=(), conflicts=(), said=(), others=()
    )


def _other(id: str, reading: Reading) -> OtherMember | None:
    """A member of another track; None = it is no more heard, or not for this asker."""
    board: Fusions = reading.part("fusion")
    track = board.of(id)
    if track is None or reading.release(track.label, track.context).verdict is not Verdict.FULL:
        return None
    member = next((member for member in track.members if member.entity == id), None)
    if member is None:
        return None
    alone = len(track.members) == 1 and not member.sensors
    return OtherMember(entity=id, source=member.source, name=member.name, track=id if alone else track.entity)


def sentences(one: Fused) -> Iterator[str]:
    """Why a track is what it is, a sentence for each source and each pair."""
    names = _names(one.members)
    for member in one.members:
        if member.sensors:
            radars = ", ".join(f"{by.sensor} ({by.plots} plots)" for by in member.sensors)
            yield f"{names[member.entity]} is plotted by {radars}; it exists with {member.exists:.0%}."
        else:
            keys = ", ".join(member.keys) or "no key"
            yield f"{names[member.entity]} reports itself ({keys}), good to {member.sigma_m:.0f} m."
    for pair in one.because:
        reason = REASONS.get(pair.reason, pair.reason)
        text = f"{names.get(pair.one, pair.one)} and {names.get(pair.other, pair.other)} are one: {reason}"
        if pair.reason == "window":
            text += f" ({pair.distance:.1f} of at most {pair.threshold:.1f} over {pair.epochs} epochs)"
        yield text + "."


def _warnings(
    one: Fused, conflicts: Iterable[tuple[str, str]], said: Iterable[SaidOf], others: Mapping[str, OtherMember]
) -> Iterator[str]:
    """Who bears a key of this track elsewhere, and what persons keep apart from it."""
    names = _names(one.members) | _names(others.values())
    for a, b in conflicts:
        yield f"{names[a]} and {names[b]} bear one key and lie too far apart to be one thing."
    for word in said:
        if word.word == "apart":
            a, b = (names.get(id, "a track that is not shown") for id in (word.one, word.other))
            yield f"{a} and {b} are kept apart: {word.by} has said so."


def _names(members: Iterable[TrackMember | OtherMember]) -> dict[str, str]:
    return {member.entity: called_of(member.source, member.name) for member in members}


QUERIES = (
    QUALITY,
    Query(
        name="fused_tracks",
        path="/tracks/fused",
        request=AskFused,
        row=FusedRow,
        role="viewer",
        answer=_fused,
        blocking=True,
        summary="Tracks that several sources have, or that only radars have, with their members",
    ),
    Query(
        name="why_track",
        path="/tracks/{id}/why",
        request=AskWhy,
        row=WhyTrack,
        role="viewer",
        answer=_why,
        one=True,
        blocking=True,
        summary="Why a track is one: its sources, the evidence for each pair, and who has said so",
    ),
)
