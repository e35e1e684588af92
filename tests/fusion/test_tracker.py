"""Whole runs of the tracker on seeded scenes."""

import msgspec
import numpy as np
import pytest

from aquila.fusion.quality import Sample, judge
from aquila.fusion.scenes import SceneSettings, make_scene
from aquila.fusion.sensors import Scan, Sensor
from aquila.fusion.settings import KINDS, Settings
from aquila.fusion.timeline import Taken, Timeline
from aquila.fusion.tracker import Tracker

SMALL = SceneSettings(targets=40, seconds=60.0)


@pytest.fixture(scope="module")
def scene():
    return make_scene(SMALL, 7)


def pictures(scene, settings=None, compiled=None, sensors=None):
    tracker = Tracker(sensors or scene.sensors, settings, compiled=compiled)
    for scan in scene.scans:
        tracker.scan(scan)
        yield scan.t_s, tracker.picture(), tracker


def quality(scene, cutoff_m=500.0, **how):
    samples = []
    for t_s, picture, _ in pictures(scene, **how):
        ids, xy = scene.truth(t_s)
        born = list(zip(picture.born_t.tolist(), picture.born_n.tolist(), strict=True))
        samples.append(Sample(t_s, ids.tolist(), xy, born, picture.x[:, :2]))
    return judge([sample for sample in samples if sample.t_s >= 20], cutoff_m)


@pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])
def test_compiled_or_not_the_tracks_are_the_same(scene, hard):
    settings = Settings(hard=hard)
    for (_, one, _), (_, other, _) in zip(
        pictures(scene, settings, compiled=True), pictures(scene, settings, compiled=False), strict=True
    ):
        assert one.born_t.tolist() == other.born_t.tolist()
        assert one.born_n.tolist() == other.born_n.tolist()
        np.testing.assert_allclose(one.x, other.x, rtol=1e-6, atol=1e-3)
        np.testing.assert_allclose(one.r, other.r, rtol=1e-6, atol=1e-9)


def test_two_runs_give_the_same_bits(scene):
    for (_, one, _), (_, other, _) in zip(pictures(scene), pictures(scene), strict=True):
        assert one.x.tobytes() == other.x.tobytes()
        assert one.cov.tobytes() == other.cov.tobytes()
        assert one.r.tobytes() == other.r.tobytes()


def test_existence_and_covariance_stay_what_they_are(scene):
    for _, picture, tracker in pictures(scene):
        assert (tracker.r[: tracker.n] >= 0).all()
        assert (tracker.r[: tracker.n] <= 1 + 1e-9).all()
        assert (np.linalg.eigvalsh(picture.cov) > 0).all() if len(picture.x) else True
        born = list(zip(tracker.born_t[: tracker.n], tracker.born_n[: tracker.n], strict=True))
        assert len(set(born)) == len(born)


def test_targets_are_found_and_clutter_is_not_shown(scene):
    found = quality(scene)
    assert found.completeness > 0.93
    assert found.spurious < 0.08
    assert found.rms_m < 75


@pytest.mark.parametrize(
    ("pd", "clutter_factor"), [(0.9, 0.1), (0.9, 10.0), (0.6, 1.0), (None, None)], ids=["low", "high", "pd", "unsaid"]
)
def test_what_is_said_wrongly_of_a_sensor_is_learned(scene, pd, clutter_factor):
    right = quality(scene)
    sensors = [
        msgspec.structs.replace(
            sensor,
            pd=pd,
            clutter_density=None if clutter_factor is None else sensor.clutter_density * clutter_factor,
        )
        for sensor in scene.sensors
    ]
    wrong = quality(scene, sensors=sensors)
    assert wrong.gospa_n_m < 1.25 * right.gospa_n_m
    *_, (_, _, tracker) = pictures(scene, sensors=sensors)
    for learned, sensor in zip(tracker.learned, scene.sensors, strict=True):
        assert learned.pd == pytest.approx(sensor.pd, abs=0.08)
        assert sensor.clutter_density / 2 < learned.clutter_density < sensor.clutter_density * 2


def test_a_clutter_density_in_the_wrong_unit_does_not_blind_a_sensor(scene):
    """30 where 30 per scan were meant: that would be 30 false plots on every square metre."""
    sensors = [msgspec.structs.replace(sensor, clutter_density=30.0) for sensor in scene.sensors]
    assert quality(scene, sensors=sensors).gospa_n_m < 1.15 * quality(scene).gospa_n_m


def test_ships_and_aircraft_are_tracked_by_the_same_settings():
    ships = SceneSettings(
        targets=30, seconds=240.0, spacing_m=600.0, speed_m_s=(1, 12), turn_deg_s=1.0,
        periods_s=(3.0, 8.0, 12.0), sigmas_m=(8.0, 15.0, 25.0),
    )  # fmt: skip
    found = quality(make_scene(ships, 3), cutoff_m=100.0)
    assert found.completeness > 0.93
    assert found.spurious < 0.08
    assert found.rms_m < 18


def test_a_late_scan_is_put_where_it_belongs_bit_for_bit(scene):
    rng = np.random.default_rng(8)
    arrivals = [scan.t_s + (rng.uniform(3, 8) if rng.random() < 0.3 else 0.0) for scan in scene.scans]
    straight = Tracker(scene.sensors)
    for scan in scene.scans:
        straight.scan(scan)
    timeline = Timeline(Tracker(scene.sensors))
    for k in np.argsort(arrivals, kind="stable"):
        assert timeline.offer(scene.scans[k]) in (Taken.IN_ORDER, Taken.REPLAYED)
    assert timeline.counts[Taken.REPLAYED] > 5
    one, other = straight.picture(), timeline.tracker.picture()
    for name in ("born_t", "born_n", "x", "cov", "r"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes()


def test_a_scan_that_comes_twice_or_too_late_is_counted_and_not_taken(scene):
    timeline = Timeline(Tracker(scene.sensors), depth=5)
    for scan in scene.scans[:12]:
        timeline.offer(scan)
    before = timeline.tracker.picture()
    assert timeline.offer(scene.scans[11]) is Taken.TWICE
    assert timeline.offer(msgspec.structs.replace(scene.scans[0], t_s=0.1)) is Taken.TOO_LATE
    assert timeline.tracker.picture().x.tobytes() == before.x.tobytes()


def test_an_old_scan_is_refused_by_the_tracker_itself(scene):
    tracker = Tracker(scene.sensors)
    tracker.scan(scene.scans[3])
    with pytest.raises(ValueError, match="use a Timeline"):
        tracker.scan(scene.scans[0])


def test_empty_scans_and_far_plots_do_no_harm():
    tracker = Tracker([Sensor(name="a", pd=0.9)])
    nothing = np.zeros((0, 2)), np.zeros((0, 3))
    tracker.scan(Scan(0.0, 0, *nothing))
    for t in range(1, 12):
        z = np.array([[10.0 * t, 0.0], [2e7, -2e7]])
        tracker.scan(Scan(float(t), 0, z if t % 4 else z[:1], np.tile([25.0, 25.0, 0.0], (2 if t % 4 else 1, 1))))
    tracker.scan(Scan(12.0, 0, *nothing))
    picture = tracker.picture()
    assert np.isfinite(picture.x).all()
    assert np.hypot(*(picture.x[:, :2] - [120.0, 0.0]).T).min() < 15


def test_an_antenna_that_plots_one_after_the_other_is_no_worse_off():
    """The same targets, every plot at its own time within the turn: no miss is counted before the turn is over."""
    rng = np.random.default_rng(9)
    start, v = rng.uniform(-2e4, 2e4, (20, 2)), rng.uniform(-150, 150, (20, 2))
    tracker = Tracker([Sensor(name="a", pd=0.9, period_s=4.0)])
    for turn in range(15):
        for part in range(4):
            t_s = 4.0 * turn + part
            seen = np.arange(part * 5, part * 5 + 5)[rng.random(5) < 0.9]
            z = start[seen] + v[seen] * t_s + rng.normal(0, 30, (len(seen), 2))
            tracker.scan(Scan(t_s, 0, z, np.tile([900.0, 900.0, 0.0], (len(z), 1)), 4.0 * turn, part == 3))
    picture = tracker.picture()
    far = np.linalg.norm(picture.x[:, None, :2] - (start + v * tracker.t_s)[None], axis=2)
    assert (far.min(axis=0) < 150).sum() >= 19
    assert len(picture.x) <= 21
    assert tracker.learned[0].pd == pytest.approx(0.9, abs=0.06)


def test_kinds_are_told_apart_by_their_speeds():
    assert set(KINDS) == {"ship", "aircraft", "vehicle", "unknown"}
    assert KINDS["ship"].v_sigma_m_s < KINDS["vehicle"].v_sigma_m_s < KINDS["aircraft"].v_sigma_m_s


SLOW = SceneSettings(
    targets=40, seconds=240.0, spacing_m=1500.0, speed_m_s=(0.0, 8.0), turn_deg_s=1.0, periods_s=(10.0, 12.0),
    sigmas_m=(20.0, 40.0), pds=(0.9, 0.9), clutter_per_target=(1.0, 1.0),
)  # fmt: skip


def test_who_stays_is_not_hidden_for_one_miss_of_a_slow_radar(monkeypatch):
    scene = make_scene(SLOW, 5)
    *_, (_, _, tracker) = pictures(scene)
    assert tracker.population.life_s > 2 * tracker.settings.kind.life_s
    learned = quality(scene, cutoff_m=150.0)
    monkeypatch.setattr("aquila.fusion.population.LOOKS_OF_A_LIFE", 0.0)
    monkeypatch.setattr("aquila.fusion.population.LIVES_OF_A_SAID_LIFE", 1e9)
    assert learned.completeness > quality(scene, cutoff_m=150.0).completeness + 0.005


def test_where_targets_stay_long_a_new_track_must_be_surer(monkeypatch):
    scenes = [make_scene(SLOW, seed) for seed in (5, 6, 7)]

    def shown():
        """How many tracks that never were near a target began to be shown, and the completeness."""
        false, complete = 0, []
        for scene in scenes:
            near = {}
            for t_s, picture, _ in pictures(scene):
                truth = scene.truth(t_s)[1]
                for *born, x in zip(picture.born_t.tolist(), picture.born_n.tolist(), picture.x, strict=True):
                    near.setdefault(tuple(born), set()).add(np.hypot(*(truth - x[:2]).T).min(initial=np.inf) < 300)
            false += sum(True not in each for each in near.values())
            complete.append(quality(scene, cutoff_m=150.0).completeness)
        return false, np.mean(complete)

    false, complete = shown()
    monkeypatch.setattr("aquila.fusion.population.USUAL_STAY_SCANS", np.inf)
    before_false, before_complete = shown()
    assert false < before_false
    assert complete > before_complete - 0.005


def test_where_nobody_comes_and_goes_two_plots_are_no_track_yet():
    """Twenty targets fly straight, one plot each a turn; then a twenty-first is there."""
    rng = np.random.default_rng(3)
    start, velocity = rng.uniform(0, 60_000, (21, 2)), rng.uniform(-80, 80, (21, 2))
    tracker = Tracker([Sensor(name="radar", period_s=5.0, sigma_m=40.0)])
    shown = []
    for turn in range(34):
        there = 21 if turn >= 30 else 20
        clutter = rng.uniform(0, 60_000, (2, 2))
        z = np.concatenate([start[:there] + velocity[:there] * 5.0 * turn + rng.normal(0, 40, (there, 2)), clutter])
        tracker.scan(Scan(5.0 * turn, 0, z, np.tile([1600.0, 1600.0, 0.0], (len(z), 1))))
        place = start[20] + velocity[20] * 5.0 * turn
        shown.append(bool((np.hypot(*(tracker.picture().x[:, :2] - place).T) < 300).any()))
    assert shown == [False] * 32 + [True] * 2


def test_ships_are_known_as_slow_within_a_few_turns():
    scene = make_scene(SLOW, 5)
    speeds = {t_s: tracker.population.v_sigma_m_s for t_s, _, tracker in pictures(scene)}
    assert max(speed for t_s, speed in speeds.items() if t_s > 60) < 10
    assert min(speeds.values()) >= 1


def test_speeds_are_believed_where_nothing_is_to_be_learned(scene):
    *_, (_, _, tracker) = pictures(scene, Settings(learn=False))
    assert tracker.population.v_sigma_m_s == pytest.approx(tracker.settings.kind.v_sigma_m_s)
