"""Track-to-track correlation: F1 on generated ships, keys, operators, honest fused covariances."""

import msgspec
import numpy as np
import pytest

from aquila.fusion.correlate import Correlator, SourceTracks, intersect_many
from aquila.fusion.quality import anees
from aquila.fusion.ship_scenes import Ships, pair_f1


def run(ships, epochs=45, correlator=None, judge_from=15):
    correlator = correlator or Correlator()
    scores = []
    for epoch in range(epochs):
        sources = ships.step()
        groups = correlator.update(sources)
        if epoch >= judge_from:
            scores.append(pair_f1(groups, sources))
    return float(np.mean(scores)), groups, correlator


@pytest.mark.parametrize("offset", [(60, -40), (200, -120)])
def test_ships_of_two_sources_are_paired_in_spite_of_an_offset(offset):
    assert run(Ships(1, 150, 0.16, offset))[0] > 0.985


def test_three_sources_make_one_group():
    score, groups, _ = run(Ships(2, 120, 0.25, phones=0.5))
    assert score > 0.98
    assert max(len(group.members) for group in groups) == 3
    assert all(len({source for source, _ in group.members}) == len(group.members) for group in groups)


def test_two_runs_agree_and_numbers_stay():
    runs = [run(Ships(3, 60, 0.25), epochs=30) for _ in range(2)]
    assert [g.number for g in runs[0][1]] == [g.number for g in runs[1][1]]
    assert all(a.x.tobytes() == b.x.tobytes() for a, b in zip(runs[0][1], runs[1][1], strict=True))
    numbers = [group.number for group in runs[0][1]]
    assert len(set(numbers)) == len(numbers)


def still(*places, source, keys=None, sigma=20.0):
    n = len(places)
    x = np.array([[*place, 0, 0] for place in places], float).reshape(-1, 4)
    return SourceTracks(
        source=source, names=[f"{source}{k}" for k in range(n)], x=x,
        cov=np.tile(np.diag([sigma**2, sigma**2, 1, 1]), (n, 1, 1)).reshape(-1, 4, 4), keys=keys or [frozenset()] * n,
    )  # fmt: skip


def members(groups):
    return sorted(sorted(name for _, name in group.members) for group in groups)


def test_an_operators_split_and_merge_are_never_undone():
    correlator = Correlator()
    a, b = still((0, 0), (5000, 0), source="a"), still((3, 0), (9000, 0), source="b")
    for _ in range(6):
        groups = correlator.update([a, b])
    assert ["a0", "b0"] in members(groups)
    correlator.split(("a", "a0"), ("b", "b0"))
    correlator.merge(("a", "a1"), ("b", "b1"))
    for _ in range(200):
        groups = correlator.update([a, b])
        assert ["a0", "b0"] not in members(groups)
        assert ["a1", "b1"] in members(groups)
    correlator.merge(("a", "a0"), ("b", "b0"))
    assert ["a0", "b0"] in members(correlator.update([a, b]))


def test_a_split_holds_through_a_third_source():
    """a and c may both be b: but whoever said that a is not c must not find them in one group."""
    correlator = Correlator()
    sources = [still((0, 0), source="a"), still((2, 0), source="b"), still((4, 0), source="c")]
    correlator.split(("a", "a0"), ("c", "c0"))
    for _ in range(20):
        groups = correlator.update(sources)
    assert all(not {"a0", "c0"} <= {name for _, name in group.members} for group in groups)


def moving(*states, source, sigmas=(30.0, 30.0, 2.0, 2.0)):
    x = np.array(states, float)
    cov = np.tile(np.diag(np.square(sigmas)), (len(x), 1, 1))
    names = [f"{source}{k}" for k in range(len(x))]
    return SourceTracks(source=source, names=names, x=x, cov=cov, keys=[frozenset()] * len(x))


def test_a_young_radar_track_between_a_ship_and_an_aircraft_does_not_make_them_one():
    """It fits both while it knows nothing of its motion: seen on a slow machine, as one symbol with two callsigns."""
    correlator = Correlator()
    for second in range(12):
        ship = moving((3 * second, 0, 3, 0), source="mmsi")
        aircraft = moving((100 * second, 30, 100, 0), source="icao24")
        young = moving((60 * second, 15, 60, 0), source="radar", sigmas=(150, 150, 60, 60))
        groups = members(correlator.update([ship, aircraft, young]))
        assert not any({"mmsi0", "icao240"} <= set(names) for names in groups), (second, groups)
    assert any(len(names) == 2 for names in groups)


def test_tracks_of_one_source_cannot_be_merged():
    with pytest.raises(ValueError, match="only two sources"):
        Correlator().merge(("a", "1"), ("a", "2"))


def test_a_hard_key_pairs_at_once_and_another_key_never():
    mmsi = [frozenset({"mmsi:244630001"}), frozenset({"mmsi:244630002"})]
    a = still((0, 0), (100, 0), source="a", keys=mmsi)
    b = still((90, 0), (10, 0), source="b", keys=mmsi)  # nearer to the wrong one
    groups = Correlator().update([a, b])
    assert members(groups) == [["a0", "b0"], ["a1", "b1"]]


def test_a_key_that_is_far_away_is_a_conflict_and_no_pair():
    key = [frozenset({"mmsi:244630001"})]
    correlator = Correlator()
    groups = correlator.update([still((0, 0), source="a", keys=key), still((50_000, 0), source="b", keys=key)])
    assert len(groups) == 2
    assert correlator.conflicts == [(("a", "a0"), ("b", "b0"))]


def test_the_evidence_of_a_pair_can_be_read():
    correlator = Correlator()
    a, b = still((0, 0), source="a"), still((3, 0), source="b")
    for _ in range(5):
        correlator.update([a, b])
    evidence = correlator.pairs[("a", "a0"), ("b", "b0")].evidence
    assert evidence.reason == "window"
    assert evidence.distance < evidence.threshold
    assert evidence.votes == evidence.epochs == 5
    assert msgspec.json.encode(evidence)


def test_a_fused_state_is_not_surer_than_it_is():
    """Errors of the sources are alike or not: covariance intersection stays consistent in both cases."""
    rng = np.random.default_rng(5)
    cov = np.diag([400.0, 900.0, 4.0, 4.0])
    other = np.diag([2500.0, 100.0, 9.0, 1.0])
    for alike in (0.0, 1.0):
        errors, covs = [], []
        for _ in range(800):
            common = rng.normal(0, 1, 4)
            e1 = np.sqrt(np.diag(cov)) * common
            e2 = np.sqrt(np.diag(other)) * (common if alike else rng.normal(0, 1, 4))
            (x,), (p,) = intersect_many(np.array([e1, e2]), np.array([cov, other]), np.array([0, 2]))
            errors.append(x)
            covs.append(p)
        assert anees(np.array(errors), np.array(covs)) < 1.15


def test_no_source_and_empty_sources_are_fine():
    assert Correlator().update([]) == []
    assert Correlator().update([still(source="a"), still((1, 1), source="b")])[0].members == (("b", "b0"),)
