"""What goes on beside each other in the fusion: plots move tracks while a look goes on; nothing is kept for ever."""

import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from aquila.app.fused_heard import HeardReport
from aquila.app.fused_keeper import MOMENTS_KEPT, READINGS_KEPT, QualityKeeper
from aquila.app.fused_quality import quality_of
from aquila.app.fusing import Fusing
from aquila.app.fusion import DUTY, PAUSE_S, timed
from aquila.core.ids import entity_id
from aquila.core.model import Alias, Motion, Position, Principal, Report
from aquila.core.policy import Policy
from aquila.features.tracks.quality import QUALITY, AskQuality
from aquila.fusion import correlate
from aquila.fusion.correlate import Correlator, SourceTracks
from aquila.fusion.sensor_file import Plane

POLICY = Policy()
PLANE = Plane(42.4, 77.3)
START_MS = 1_795_000_000_000


def heard(scheme: str, at_ms: int, north_m: float, feed: str = "") -> HeardReport:
    """A ship that sails north, as one source has it."""
    body = Report(
        entity=entity_id(scheme, "1"),
        alias=Alias(scheme, "1"),
        type="a-u-S",
        sidc="10013000000000000000",
        category="platform",
        observed_at_ms=at_ms,
        position=Position(42.4 + north_m / 111_195, 77.3, None, 15.0),
        motion=Motion(0.0, 5.0),
        own=True,
        fields={"mmsi": "451000001"},
    )
    return HeardReport(body, POLICY.default_label, at_ms, feed)


def fused_at(fusing: Fusing, now_ms: int) -> None:
    fusing.step([heard("mmsi", now_ms, 0.0), heard("cot", now_ms, 0.0)], now_ms)


def test_a_symbol_moves_with_the_next_report_and_waits_for_no_look() -> None:
    fusing = Fusing(POLICY, compiled=False)
    fused_at(fusing, START_MS)
    said = fusing.take([heard("mmsi", START_MS + 100, 400.0), heard("cot", START_MS + 100, 400.0)], START_MS + 100)
    assert not fusing.is_due(START_MS + 100)
    (symbol,) = said
    assert isinstance(symbol.body, Report)
    assert symbol.body.position is not None
    assert symbol.body.position.lat_deg > 42.4 + 300 / 111_195


def test_a_source_that_goes_while_a_look_goes_on_is_in_no_group_after_it() -> None:
    fusing = Fusing(POLICY, compiled=False)
    fused_at(fusing, START_MS)
    found = fusing.find(fusing.look(START_MS + 2_000))
    fusing.reports.drop(entity_id("cot", "1"))
    (end,) = fusing.settle(found, START_MS + 2_100)
    assert [group.members for group in fusing.shot.groups] == [(("mmsi", entity_id("mmsi", "1")),)]
    assert end.body.ended, "one source alone needs no symbol beside its own"
    assert (end.body.observed_at_ms, end.body.stale_at_ms) == (START_MS + 2_100, START_MS + 2_100)
    assert end.body.position is not None
    assert end.body.position.lat_deg == pytest.approx(42.4, abs=1e-3), "it ended where it was"


def test_a_symbol_that_stands_still_is_not_said_with_every_look() -> None:
    fusing = Fusing(POLICY, compiled=False)
    fused_at(fusing, START_MS)
    assert fusing.settle(fusing.find(fusing.look(START_MS + 2_000)), START_MS + 2_000) == []
    assert fusing.settle(fusing.find(fusing.look(START_MS + 10_000)), START_MS + 10_000), "it stays fresh"


def test_numbers_of_tracks_that_are_gone_are_forgotten_and_those_of_the_living_stay() -> None:
    spare, correlate.NUMBERS_SPARE = correlate.NUMBERS_SPARE, 50
    try:
        correlator, stays = Correlator(), []
        for epoch in range(100):
            names = ["stays", *(f"{epoch}-{n}" for n in range(10))]
            x = np.zeros((11, 4))
            x[:, 0] = np.arange(11) * 5_000.0
            one = SourceTracks(
                source="a", names=names, x=x, cov=np.tile(np.eye(4), (11, 1, 1)), keys=[frozenset()] * 11
            )
            stays.append(next(group.number for group in correlator.update([one]) if group.members == (("a", "stays"),)))
        assert set(stays) == {1}
        assert len(correlator._number) <= 50 + 2 * 11 + 11
    finally:
        correlate.NUMBERS_SPARE = spare


def test_a_batch_that_waits_for_the_processor_makes_no_plot_wait_after_it() -> None:
    given, spent_s = timed(lambda wait_s: time.sleep(wait_s) or "said", 0.2)
    assert given == "said"
    assert DUTY * spent_s < PAUSE_S[0], "the pause after a batch is of what it worked, not of how long it lasted"


class Standing:
    """A truth of two targets that stand still."""

    def places(self) -> tuple[list[str], np.ndarray]:
        """See Truth."""
        return ["one", "two"], np.array([[42.4, 77.3], [42.5, 77.3]])


def test_the_quality_is_what_it_is_against_the_truth_and_late_as_it_was_late() -> None:
    keeper, fusing = QualityKeeper(), Fusing(POLICY, compiled=False)
    fused_at(fusing, START_MS)
    keeper.truth, keeper.places = Standing(), {"T1": Position(42.4, 77.3, None, 10.0)}
    for second in range(2 * MOMENTS_KEPT):
        keeper.look(START_MS + second * 1_000)
    keeper.shown([heard("mmsi", START_MS, 0.0, "ais")] * (2 * READINGS_KEPT), START_MS + 80)
    assert (len(keeper.moments), len(keeper.late["ais"])) == (MOMENTS_KEPT, READINGS_KEPT)
    found, label = quality_of(keeper, fusing.shot, PLANE, POLICY, START_MS)
    assert found.truth is not None
    assert (found.truth.completeness, found.truth.spurious, found.truth.targets) == (0.5, 0.0, 2)
    # One of two is missed: sqrt(c^2 / 2), c 500 m.
    assert abs(found.truth.gospa_m - 353.6) < 0.1
    assert found.feeds[0].shown_p99_ms == 80
    assert label.classification == POLICY.default_label.classification


@pytest.mark.parametrize(("role", "knows"), [("viewer", False), ("operator", False), ("admin", True)])
def test_the_truth_is_told_to_who_directs_the_exercise_and_to_nobody_else(role: str, knows: bool) -> None:
    keeper, fusing = QualityKeeper(), Fusing(POLICY, compiled=False)
    fused_at(fusing, START_MS)
    keeper.truth, keeper.places = Standing(), {"T1": Position(42.4, 77.3, None, 10.0)}
    for second in range(5):
        keeper.look(START_MS + second * 1_000)
    board = SimpleNamespace(quality=lambda: (*quality_of(keeper, fusing.shot, PLANE, POLICY, START_MS), "REAL"))
    asker = Principal(id="person:x", kind="person", name="x", context="REAL", roles=(role,))
    reading: Any = SimpleNamespace(part=lambda _: board)
    (row,) = QUALITY.answer(asker, AskQuality(), reading)
    assert (row.full.truth is not None) is knows
    assert row.full.tracks == board.quality()[0].tracks


def test_without_a_truth_nothing_is_said_of_it() -> None:
    keeper, fusing = QualityKeeper(), Fusing(POLICY, compiled=False)
    fused_at(fusing, START_MS)
    keeper.look(START_MS)
    found, _ = quality_of(keeper, fusing.shot, PLANE, POLICY, START_MS)
    assert found.truth is None
    assert found.feeds == ()
