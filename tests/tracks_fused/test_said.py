"""What is said of two tracks reaches those who may have both: so it may name both."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from aquila.core.errors import Refused
from aquila.core.model import Context, Label, Paper, Position, Principal, Verdict
from aquila.core.policy import Decision, Policy
from aquila.features.tracks.board import Fused, TrackMember
from aquila.features.tracks.commands import PairsSaid, TwoTracks, merge_tracks
from aquila.features.tracks.pairs import pairs_view

POLICY = Policy()
OPEN = msgspec.structs.replace(POLICY.default_label, groups=("AIR", "SEA"))
REAL: Context = "REAL"
WATCH = Principal(id="user:ANNA", kind="person", name="ANNA", context=REAL, groups_in=frozenset(("AIR", "SEA")))


def track(entity: str, source: str, name: str, label: Label) -> Fused:
    member = TrackMember(entity=entity, source=source, name=name, keys=(), seen_at_ms=0, sigma_m=10.0, exists=1.0)
    return Fused(
        entity=f"{entity}-track",
        number=1,
        name=name,
        observed_at_ms=0,
        position=Position(43.0, 16.0, None, 10.0),
        exists=1.0,
        members=(member,),
        because=(),
        label=label,
        context=REAL,
    )


class Board:
    """The part `fusion` of these tracks."""

    def __init__(self, *tracks: Fused) -> None:
        self._tracks = {id: one for one in tracks for id in (one.entity, one.members[0].entity)}

    def of(self, entity: str) -> Fused | None:
        return self._tracks.get(entity)

    def source_of(self, entity: str) -> str | None:
        found = self.of(entity)
        return None if found is None else found.members[0].source


class DeskOfBoth:
    """A desk whose asker may have every track; it keeps what is said instead of writing it."""

    policy = POLICY
    context = REAL

    def __init__(self, board: Board) -> None:
        self.views: Mapping[str, Any] = {"pairs": pairs_view()}
        self.said: list[tuple[Paper, Label | None]] = []
        self._board = board

    def now_ms(self) -> int:
        return 1_795_000_000_000

    def part(self, name: str) -> Board:
        return self._board

    def release(self, label: Label, context: Context) -> Decision:
        return Decision(Verdict.FULL, "")

    async def write_all(self, sayings: Any) -> tuple[Any, ...]:
        self.said = [(saying.body, saying.label) for saying in sayings]
        return ()


def merged(one: Label, other: Label) -> tuple[PairsSaid | Refused, list[tuple[Paper, Label | None]]]:
    desk: Any = DeskOfBoth(Board(track("a", "mmsi", "KARINA", one), track("b", "cot", "CREW 3", other)))
    answer = asyncio.run(merge_tracks(WATCH, TwoTracks(one="a", other="b"), desk))
    return answer, desk.said


def test_the_line_names_both_under_the_marking_of_both() -> None:
    secret = msgspec.structs.replace(OPEN, classification="SECRET", groups=("SEA",))
    # Whichever of the two is the stricter, and whichever comes first in the pair.
    for one, other in ((OPEN, secret), (secret, OPEN)):
        _, ((paper, label),) = merged(one, other)
        assert paper.summary == "AIS KARINA and TAK device CREW 3 are one track"
        assert label is not None
        assert (label.classification, label.groups) == ("SECRET", ("SEA",))


def test_two_that_have_no_reader_in_common_cannot_be_called_one() -> None:
    sea, air = (msgspec.structs.replace(OPEN, groups=(group,)) for group in ("SEA", "AIR"))
    answer, said = merged(sea, air)
    assert isinstance(answer, Refused)
    assert "no reader in common" in answer.detail
    assert said == []
