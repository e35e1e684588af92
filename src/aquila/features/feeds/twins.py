"""Twins: two stations that go by one identity. Their reports alternate between places that nobody travels between."""

from collections import OrderedDict
from typing import Final

import msgspec

from aquila.core.model import Position, Report
from aquila.core.sphere import distance_m

WATCHED_MAX: Final = 20_000
"""Identities of one feed; one more puts out the one not heard for longest."""
RETURNS_MIN: Final = 3
"""So often must the identity come back to a place that it had left by a jump: one wrong fix is no twin."""
KEPT_MS: Final = 600_000
TWINS_SHOWN: Final = 50
SLACK_M: Final = 2_000.0
"""Errors of both fixes, and of times that are rounded to a second."""
FASTEST_MPS: Final = {"S": 60.0, "U": 40.0, "G": 90.0, "A": 1_000.0}
"""By the dimension of the CoT type: a fast ferry makes 30 m/s, a fighter 700."""
FASTEST_OTHER_MPS: Final = 1_000.0


class Twin(msgspec.Struct, frozen=True):
    """A finding: one identity at two places, `here` being the last one. returns: how often it came back to one."""

    entity: str
    alias: str
    name: str
    here: Position
    there: Position
    apart_m: float
    returns: int
    seen_at_ms: int


class _Track(msgspec.Struct):
    here: Position
    here_ms: int
    there: Position | None = None
    there_ms: int = 0
    returns: int = 0


class Twins:
    """Watches the reports of one feed.

    Attributes:
        jump_count: fixes that could not be reached from the one before.
    """

    def __init__(self) -> None:
        self.jump_count = 0
        self._tracks: OrderedDict[str, _Track] = OrderedDict()
        self._found: dict[str, Twin] = {}

    def hear(self, report: Report, at_ms: int) -> None:
        """Take a report; `at_ms` is when its position was true."""
        position = report.position
        if position is None or report.geometry is not None:
            return
        track = self._tracks.get(report.entity)
        if track is None:
            self._tracks[report.entity] = _Track(position, at_ms)
            if len(self._tracks) > WATCHED_MAX:
                gone, _ = self._tracks.popitem(last=False)
                self._found.pop(gone, None)
            return
        self._tracks.move_to_end(report.entity)
        fastest_mps = FASTEST_MPS.get(report.type[4:5], FASTEST_OTHER_MPS)
        if _reached(track.here, position, at_ms - track.here_ms, fastest_mps):
            track.here, track.here_ms = position, at_ms
            return
        self.jump_count += 1
        is_back = track.there is not None and _reached(track.there, position, at_ms - track.there_ms, fastest_mps)
        track.returns = track.returns + 1 if is_back else 0
        track.there, track.there_ms = track.here, track.here_ms
        track.here, track.here_ms = position, at_ms
        if track.returns >= RETURNS_MIN:
            self._find(report, track, at_ms)

    def found(self, now_ms: int) -> tuple[Twin, ...]:
        """The findings that were seen lately, newest first."""
        lately = [twin for twin in self._found.values() if now_ms - twin.seen_at_ms <= KEPT_MS]
        return tuple(sorted(lately, key=lambda twin: -twin.seen_at_ms)[:TWINS_SHOWN])

    def _find(self, report: Report, track: _Track, at_ms: int) -> None:
        assert track.there is not None
        here, there = track.here, track.there
        self._found[report.entity] = Twin(
            entity=report.entity,
            alias=f"{report.alias.scheme} {report.alias.value}",
            name=report.name or "",
            here=here,
            there=there,
            apart_m=round(_apart_m(here, there)),
            returns=track.returns,
            seen_at_ms=at_ms,
        )


def _reached(was: Position, now: Position, after_ms: int, fastest_mps: float) -> bool:
    return _apart_m(was, now) <= SLACK_M + fastest_mps * abs(after_ms) / 1_000.0


def _apart_m(a: Position, b: Position) -> float:
    return distance_m(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg)
