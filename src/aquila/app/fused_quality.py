"""How good the fused picture of a node is, from what its keeper has kept."""

from collections import Counter
from typing import Final

import numpy as np

from aquila.app.fused_keeper import QualityKeeper
from aquila.app.fused_shot import Shot
from aquila.core.model import Label
from aquila.core.policy import Policy, derive
from aquila.features.tracks.quality import FeedLatency, RadarQuality, TrackQuality, TruthQuality
from aquila.fusion.quality import Floats, Sample, judge
from aquila.fusion.sensor_file import Plane

CUTOFF_M: Final = 500.0
"""A track further from a target than this is not its track."""


def quality_of(
    keeper: QualityKeeper, shot: Shot, plane: Plane, policy: Policy, now_ms: int
) -> tuple[TrackQuality, Label]:
    """The quality, and the label that joins all it is made of."""
    labels = {group.label for group in shot.groups} or {policy.default_label}
    sources = Counter(len(group.members) > 1 for group in shot.groups)
    found = TrackQuality(
        at_ms=now_ms,
        tracks=len(keeper.places),
        fused=sources[True],
        radars=tuple(
            RadarQuality(
                name=one.name,
                pd=one.pd,
                consistency=None if one.consistency is None else round(one.consistency, 2),
                bias=one.bias,
            )
            for one in shot.radar.sensors
        ),
        feeds=tuple(_latency(feed, list(late)) for feed, late in sorted(keeper.late.items())),
        truth=_against_truth(keeper, plane),
    )
    return found, derive(policy, sorted(labels, key=repr))


def _against_truth(keeper: QualityKeeper, plane: Plane) -> TruthQuality | None:
    moments = list(keeper.moments)
    if keeper.truth is None or len(moments) < 2:
        return None
    samples = [
        Sample(at_ms / 1000, ids, _xy(truth, plane), tracks, _xy(places, plane))
        for at_ms, ids, truth, tracks, places in moments
    ]
    found = judge(samples, CUTOFF_M)
    if found is None:
        return None
    return TruthQuality(
        targets=len(moments[-1][1]),
        seconds=round((moments[-1][0] - moments[0][0]) / 1000),
        cutoff_m=CUTOFF_M,
        gospa_m=round(found.gospa_m, 1),
        rms_m=None if found.rms_m is None else round(found.rms_m, 1),
        completeness=round(found.completeness or 0.0, 4),
        spurious=round(found.spurious or 0.0, 4),
        switches_per_target_min=round(found.switches_per_target_min, 3),
    )


def _latency(feed: str, late: list[tuple[int | None, int]]) -> FeedLatency:
    heard = [delay_ms for delay_ms, _ in late if delay_ms is not None]
    p50_ms, p99_ms = np.quantile([shown_ms for _, shown_ms in late], [0.5, 0.99]).tolist()
    return FeedLatency(
        feed=feed,
        readings=len(late),
        heard_ms=round(float(np.median(heard))) if heard else None,
        shown_p50_ms=round(p50_ms),
        shown_p99_ms=round(p99_ms),
    )


def _xy(places: Floats, plane: Plane) -> Floats:
    return np.array([plane.to_xy(lat, lon) for lat, lon in places.tolist()]).reshape(-1, 2)
