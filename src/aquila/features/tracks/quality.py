"""How good the fused picture is: against the truth where it is known, by its own consistency elsewhere."""

from collections.abc import Iterator
from typing import Protocol

import msgspec

from aquila.core.feature import Labelled, Query, Reading
from aquila.core.model import Context, Label, Principal


class RadarQuality(msgspec.Struct, frozen=True, kw_only=True):
    """A radar as its plots show it.

    Attributes:
        pd: how often it plots a target in view. consistency: mean squared distance of plots from where their tracks
            were expected, in units of what was expected (NIS per axis): 1 = as sure as it should be; None = no plot.
        bias: what is taken off, range m and azimuth rad.
    """

    name: str
    pd: float
    consistency: float | None
    bias: tuple[float, float]


class FeedLatency(msgspec.Struct, frozen=True, kw_only=True):
    """How late what a source says is on the screen, over its last readings.

    Attributes:
        heard_ms: median from when it was true until it was heard; None = its clock is not believed.
        shown_p50_ms, shown_p99_ms: from hearing it until its fused symbol was said.
    """

    feed: str
    readings: int
    heard_ms: int | None
    shown_p50_ms: int
    shown_p99_ms: int


class TruthQuality(msgspec.Struct, frozen=True, kw_only=True):
    """Against a known truth, over the last seconds. See fusion.quality.Quality.

    Attributes:
        completeness: share of the truth that has a track. spurious: share of tracks that have no truth.
        switches_per_target_min: how often a target's track changed its name. rms_m: of what is paired; None = nothing.
    """

    targets: int
    seconds: int
    cutoff_m: float
    gospa_m: float
    rms_m: float | None
    completeness: float
    spurious: float
    switches_per_target_min: float


class TrackQuality(msgspec.Struct, frozen=True, kw_only=True):
    """The picture's quality now. truth: None = nobody knows it here (any real place), or you are not to (no admin)."""

    at_ms: int
    tracks: int
    fused: int
    radars: tuple[RadarQuality, ...]
    feeds: tuple[FeedLatency, ...]
    truth: TruthQuality | None


class Judged(Protocol):
    """The part `fusion`, as far as its quality is concerned."""

    def quality(self) -> tuple[TrackQuality, Label, Context] | None:
        """The quality, and who may know it; None = nothing is fused yet."""
        ...


class AskQuality(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The quality of the fused picture."""


def _quality(principal: Principal, ask: AskQuality, reading: Reading) -> Iterator[Labelled]:
    board: Judged = reading.part("fusion")
    found = board.quality()
    if found is None:
        return
    quality, label, context = found
    if "admin" not in principal.roles:
        # An exercise is no exercise for who knows the truth: it is for those who direct it.
        quality = msgspec.structs.replace(quality, truth=None)
    yield Labelled(quality, label, context)


QUALITY = Query(
    name="track_quality",
    path="/tracks/quality",
    request=AskQuality,
    row=TrackQuality,
    role="viewer",
    answer=_quality,
    blocking=True,
    summary="How good the fused picture is: against a known truth, by its consistency, and how late each feed is shown",
)
