"""What can be asked of fused tracks: all of them, and why one is what it is."""

from collections.abc import Iterator
from typing import Annotated

import msgspec

from aquila.core.feature import Labelled, Query, Reading
from aquila.core.model import Position, Principal
from aquila.features.tracks.board import Because, Fused, Fusions, TrackMember
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


class WhyTrack(msgspec.Struct, frozen=True, kw_only=True):
    """Why a track is one, in words and in figures.

    Attributes:
        sentences: for people. because: the same in figures, for each pair of members that is held together.
        conflicts: pairs of members with one key that lie too far apart, this track's only.
    """

    id: str
    number: int
    name: str
    exists: float
    sentences: tuple[str, ...]
    members: tuple[TrackMember, ...]
    because: tuple[Because, ...]
    conflicts: tuple[tuple[str, str], ...]


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
    if one is not None:
        ids = {member.entity for member in one.members}
        row = WhyTrack(
            id=one.entity,
            number=one.number,
            name=one.name,
            exists=one.exists,
            sentences=tuple(sentences(one)),
            members=one.members,
            because=one.because,
            conflicts=tuple(pair for pair in board.conflicts() if set(pair) <= ids),
        )
        yield Labelled(row, one.label, one.context)


def sentences(one: Fused) -> Iterator[str]:
    """Why a track is what it is, a sentence for each source and each pair."""
    names = {member.entity: f"{member.source} {member.name}" for member in one.members}
    for member in one.members:
        if member.sensors:
            radars = ", ".join(f"{by.sensor} ({by.plots} plots)" for by in member.sensors)
            yield f"{names[member.entity]} is plotted by {radars}; it exists with {one.exists:.0%}."
        else:
            keys = ", ".join(member.keys) or "no key"
            yield f"{names[member.entity]} reports itself ({keys}), good to {member.sigma_m:.0f} m."
    for pair in one.because:
        reason = REASONS.get(pair.reason, pair.reason)
        text = f"{names.get(pair.one, pair.one)} and {names.get(pair.other, pair.other)} are one: {reason}"
        if pair.reason == "window":
            text += f" ({pair.distance:.1f} of at most {pair.threshold:.1f} over {pair.epochs} epochs)"
        yield text + "."


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
        summary="Why a track is one: its sources, the evidence for each pair, and who has said so",
    ),
)
