"""Bias, late scans, public numbers and explanations, through the whole pipeline."""

import msgspec
import numpy as np
import pytest

from aquila.fusion.pipeline import Fusion, explain
from aquila.fusion.quality import Sample, judge
from aquila.fusion.scenes import SceneSettings, make_bias_scene, make_scene

SIGMAS = [30.0, 50.0, 80.0]


def run(scene, sigmas, from_s, **how):
    fusion = Fusion(scene.sensors, sigmas, **how)
    samples = []
    for scan in scene.scans:
        fusion.take(scan)
        numbers, picture = fusion.picture()
        ids, xy = scene.truth(scan.t_s)
        samples.append(Sample(scan.t_s, ids.tolist(), xy, numbers, picture.x[:, :2]))
    return judge([sample for sample in samples if sample.t_s >= from_s], 500.0), fusion


def test_radars_that_are_off_are_no_worse_than_radars_that_are_not():
    found, fusion = run(make_bias_scene(100, 21), [20.0, 80.0, 80.0], 60.0)
    known, _ = run(make_bias_scene(100, 21, biased=False), [20.0, 80.0, 80.0], 60.0)
    assert found.gospa_n_m < 1.05 * known.gospa_n_m
    for estimator, metres, degrees in zip(fusion.biases[1:], (120, -80), (0.5, -0.4), strict=True):
        assert estimator.bias.first == pytest.approx(metres, abs=10)
        assert np.rad2deg(estimator.bias.second) == pytest.approx(degrees, abs=0.03)


@pytest.fixture(scope="module")
def scene():
    return make_scene(SceneSettings(targets=50, seconds=60.0), 22)


def shifted(scene, sensor):
    return msgspec.structs.replace(
        scene,
        scans=[
            msgspec.structs.replace(scan, z=scan.z + np.array([90.0, -60.0])) if scan.sensor == sensor else scan
            for scan in scene.scans
        ],
    )


@pytest.mark.parametrize("sensor", [0, 1, 2])
def test_one_of_three_that_is_off_is_found_whichever_it_is(scene, sensor):
    right, untouched = run(scene, SIGMAS, 20.0)
    found, fusion = run(shifted(scene, sensor), SIGMAS, 20.0)
    assert all(one.bias.first == one.bias.second == 0 for one in untouched.biases)
    # Judged from 20 s, while it is still being learned; the finest sensor's only shows against two others.
    assert found.gospa_n_m < (1.2 if sensor == 0 else 1.06) * right.gospa_n_m
    off = fusion.biases[sensor].bias.first - fusion.common_bias.first
    assert off == pytest.approx(90, abs=20)


def test_numbers_are_stable_and_unique(scene):
    fusion = Fusion(scene.sensors, SIGMAS)
    born = {}
    for scan in scene.scans:
        fusion.take(scan)
        numbers, picture = fusion.picture()
        assert len(set(numbers)) == len(numbers)
        for number, key in zip(numbers, zip(picture.born_t, picture.born_n, strict=True), strict=True):
            assert born.setdefault(number, key) == key


def test_late_scans_are_better_replayed_than_dropped(scene):
    rng = np.random.default_rng(23)
    late = [scan.t_s + (rng.uniform(3, 8) if rng.random() < 0.3 else 0.0) for scan in scene.scans]
    order = np.argsort(late, kind="stable")
    figures = []
    for replay in (True, False):
        fusion = Fusion(scene.sensors, SIGMAS, late=replay)
        newest = -1.0
        samples = []
        for k in order:
            scan = scene.scans[k]
            if replay or scan.t_s >= newest:
                fusion.take(scan)
            newest = max(newest, scan.t_s)
            picture = fusion.tracker.picture(late[k])
            ids, xy = scene.truth(late[k])
            samples.append(Sample(late[k], ids.tolist(), xy, fusion.numbers.of(picture), picture.x[:, :2]))
        figures.append(judge([one for one in samples if 20 <= one.t_s < 60], 500.0).gospa_n_m)
    assert figures[0] < figures[1]


def test_a_track_says_why_it_is_what_it_is(scene):
    fusion = Fusion(scene.sensors, SIGMAS)
    for scan in scene.scans[:20]:
        fusion.take(scan)
    numbers, _ = fusion.picture()
    why = explain(fusion, numbers[0])
    assert why.number == numbers[0]
    assert why.confirmed
    assert 0.5 < why.exists <= 1
    assert why.plots == sum(source.plots for source in why.sources)
    assert {source.sensor for source in why.sources} <= {"radar-1", "radar-2", "radar-3"}
    assert msgspec.json.encode(why)
    assert explain(fusion, 999_999) is None
