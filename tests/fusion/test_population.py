"""What is learned of all targets at once: their speeds before there are tracks, their lives, how often they come."""

import numpy as np
import pytest

from aquila.fusion.population import (
    LOOKS_OF_A_MODE,
    TURNS_OF_SAID_BIRTHS,
    USUAL_STAY_SCANS,
    Population,
    exchange_prior,
)
from aquila.fusion.scenes import SceneSettings, make_scene
from aquila.fusion.sensors import Scan, Sensor
from aquila.fusion.settings import Settings
from aquila.fusion.tracker import Tracker


def scan(t_s, z, sigma_m=20.0):
    return Scan(t_s, 0, z, np.tile([sigma_m**2, sigma_m**2, 0.0], (len(z), 1)))


@pytest.mark.parametrize("sigma_m_s", [4.0, 16.0, 60.0, 120.0])
def test_two_scans_tell_how_fast_targets_are_whoever_is_who(sigma_m_s):
    rng = np.random.default_rng(3)
    side, population = 30_000.0, Population(Settings())
    z = rng.uniform(0, side, (200, 2))
    after = z + rng.normal(0, sigma_m_s, z.shape) * 10.0
    turns = []
    for t_s, there in ((0.0, z), (10.0, after)):
        seen = there[rng.random(200) < 0.9]
        clutter = rng.uniform(0, side, (100, 2))
        turns.append(scan(t_s, rng.permutation(np.concatenate([seen + rng.normal(0, 20, seen.shape), clutter]))))
    population.guess_speed(*turns, side**2)
    slow, fast = population.start_m_s
    assert slow == pytest.approx(min(sigma_m_s, 20.0), rel=0.35)
    assert fast == pytest.approx(min(2 * sigma_m_s, 80.0), rel=0.35)


def test_nothing_is_guessed_from_empty_scans_or_one_time():
    population, z = Population(Settings()), np.zeros((3, 2))
    for before, now in (
        (scan(0.0, z[:0]), scan(5.0, z)),
        (scan(0.0, z), scan(5.0, z[:0])),
        (scan(5.0, z), scan(5.0, z)),
    ):
        population.guess_speed(before, now, 1e6)
    assert population.pairs == 0
    assert population.start_m_s == (20.0, 80.0)


def test_exchanging_the_prior_is_what_the_narrower_prior_had_given():
    """A position, a velocity prior, a plot: done with 80 m/s and exchanged, or with 5 m/s at once."""
    rng = np.random.default_rng(4)
    row, column = np.triu_indices(4)
    move = np.eye(4)
    move[0, 2] = move[1, 3] = 6.0
    seen = np.eye(4)[:2]

    def after(sigma_m_s, z):
        cov = move @ np.diag([400.0, 400.0, sigma_m_s**2, sigma_m_s**2]) @ move.T
        gain = cov @ seen.T @ np.linalg.inv(seen @ cov @ seen.T + 900 * np.eye(2))
        return gain @ z, cov - gain @ seen @ cov

    plots = rng.normal(0, 40, (5, 2))
    x, cov = np.empty((5, 2, 4)), np.empty((5, 2, 10))
    for k, z in enumerate(plots):
        for mode, sigma_m_s in enumerate((20.0, 80.0)):
            x[k, mode], full = after(sigma_m_s, z)
            cov[k, mode] = full[row, column]
    wide = x[:, 0].copy(), cov[:, 0].copy()
    exchange_prior(x, cov, (20.0, 80.0), (20.0, 5.0))
    assert (x[:, 0] == wide[0]).all()
    assert (cov[:, 0] == wide[1]).all()
    for k, z in enumerate(plots):
        mean, full = after(5.0, z)
        np.testing.assert_allclose(x[k, 1], mean, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(cov[k, 1], full[row, column], rtol=1e-9, atol=1e-9)


def test_lives_are_as_said_then_as_seen():
    population = Population(Settings())
    said = Settings().kind.life_s
    assert population.life_s == said
    for _ in range(300):
        population.learn_life(1.0, 20.0, 0.02)  # one of twenty ends in 50 s: a life is 1,000 s
    assert said * 2 < population.life_s < 1000
    for _ in range(3000):
        population.learn_life(1.0, 20.0, 0.02)
    assert population.life_s == pytest.approx(1000, rel=0.1)


def test_a_start_must_be_the_surer_the_longer_targets_stay():
    population, unlearned = Population(Settings()), Population(Settings(learn=False))
    assert population.sure_r == 0, "before a second turn nobody knows how long a scan is"
    for turn in range(20):
        for each in (population, unlearned):
            each.end_turn(5.0 * turn)
            each.learn_life(5.0, 20.0, 0.0)
    stay_scans = 20 * 20.0 * 5.0 / 0.5 / 5.0  # nobody has come yet: as if it were half a one
    odds = (stay_scans / USUAL_STAY_SCANS) ** 2
    assert population.sure_r == pytest.approx(odds / (1 + odds))
    assert population.sure_r > 0.99
    assert unlearned.sure_r == 0
    population.learn_births(13.0, 50.0)
    assert population.sure_r == pytest.approx(0.5, abs=0.05), "400 scans of targets for 13 that came: 30 each"


def test_new_targets_are_as_many_as_said_then_as_seen():
    population = Population(Settings())
    said = Settings().births_per_clutter
    assert population.births_per_clutter == said
    for turn in range(10 * int(TURNS_OF_SAID_BIRTHS)):
        population.end_turn(float(turn))
        population.learn_births(0.1 if turn % 2 else 0.0, 50.0)
    assert population.births_per_clutter == pytest.approx((10 * said + 50 * 0.1 / 50) / 110)
    for _ in range(100):
        population.learn_births(5.0, 0.0)  # a sensor without clutter, whose every plot is a target
    assert population.births_per_clutter == said
    unlearned = Population(Settings(learn=False))
    unlearned.end_turn(1.0)
    assert unlearned.births_per_clutter == said


def test_a_slow_radar_sees_no_turn_in_every_plot():
    population = Population(Settings())
    for turn in range(10):
        population.end_turn(10.0 * turn)
    assert (1 / population.switching == 10 * LOOKS_OF_A_MODE).all()
    quick = Population(Settings())
    for turn in range(10):
        quick.end_turn(0.5 * turn)
    assert (quick.switching == quick.rate).all()


def test_a_copy_learns_for_itself():
    scene = make_scene(SceneSettings(targets=20, seconds=20.0), 1)
    tracker = Tracker(scene.sensors)
    for one in scene.scans[:8]:
        tracker.scan(one)
    kept = tracker.state()
    before = kept["population"].copy()
    for one in scene.scans[8:]:
        tracker.scan(one)
    assert tracker.population.turns > before.turns
    tracker.restore(kept)
    for name, value in vars(before).items():
        assert np.array_equal(getattr(tracker.population, name), value), name


def test_a_crowded_harbour_is_known_as_slow_from_the_second_turn():
    """Neighbours 60 m apart, one radar, plots of 30 m: at 80 m/s each would be any of a hundred."""
    rng = np.random.default_rng(8)
    berths = 60.0 * np.stack(np.meshgrid(np.arange(12), np.arange(10)), axis=-1).reshape(-1, 2)
    tracker = Tracker([Sensor(name="radar", period_s=10.0, sigma_m=15.0)])
    for turn in range(6):
        there = berths[rng.random(len(berths)) < 0.95]
        tracker.scan(scan(10.0 * turn, there + rng.normal(0, 15, there.shape), 15.0))
        if turn:
            assert tracker.population.v_sigma_m_s < 10
    picture = tracker.picture()
    off = np.hypot(*(picture.x[:, None, :2] - berths).transpose(2, 0, 1)).min(axis=1)
    assert len(picture.x) == pytest.approx(len(berths), abs=8)
    assert (off < 40).all()
    assert np.median(np.hypot(*picture.x[:, 2:].T)) < 2
