"""What terrain hides: against hand-made terrain, and against a slow walk along each line of sight."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aquila.core.errors import UsageError
from aquila.core.sphere import MEAN_RADIUS_M
from aquila.fusion.viewshed import BENT_M, RAYS, Floats, sweep, viewshed

LAT, LON = 43.0, 77.0
Ground = Callable[[Floats, Floats], Floats]


class Plane:
    """Terrain as a function of metres east and north of the place."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def heights(self, lat_deg: Floats, lon_deg: Floats) -> Floats:
        north = np.radians(lat_deg - LAT) * MEAN_RADIUS_M
        east = np.radians(lon_deg - LON) * MEAN_RADIUS_M * np.cos(np.radians(LAT))
        return self.ground(*np.broadcast_arrays(east, north))


def least_over_ground(ground: Ground, eye_m: float, range_m: float) -> tuple[Floats, float]:
    polar = sweep(Plane(ground), LAT, LON, eye_m, range_m)
    return polar.least_m - polar.ground_m, polar.step_m


def flat(east: Floats, north: Floats) -> Floats:
    return np.zeros(east.shape)


def test_over_a_flat_earth_the_horizon_is_where_the_formula_says() -> None:
    least, step_m = least_over_ground(flat, 10.0, 60_000.0)
    horizon_m = (2 * BENT_M * 10.0) ** 0.5  # 13 km for ten metres
    far_m = step_m * np.arange(1, least.shape[1] + 1)
    assert (least[:, far_m < horizon_m - step_m] <= 1e-6).all()
    beyond = far_m > horizon_m + 2 * step_m
    expected = (far_m[beyond] - horizon_m) ** 2 / (2 * BENT_M)
    assert np.allclose(least[:, beyond], expected, atol=0.05)


def test_a_ridge_throws_a_shadow_behind_it_and_nowhere_else() -> None:
    least, step_m = least_over_ground(lambda east, north: np.where(abs(north - 5_000) < 150, 400.0, 0.0), 10.0, 20_000)
    north, south = least[0], least[RAYS // 2]
    at = lambda metres: round(metres / step_m) - 1  # noqa: E731
    assert north[at(4_000)] == 0
    assert north[at(4_870)] == pytest.approx(0, abs=1e-6), "the crest itself is seen"
    # Twice as far as the ridge one looks over it at about twice its height, less the eye.
    assert north[at(10_000)] == pytest.approx(2 * 400 - 10, rel=0.05)
    assert south[at(10_000)] == pytest.approx(0, abs=1e-6)


def test_from_the_bottom_of_a_bowl_nothing_is_seen_beyond_its_rim() -> None:
    bowl = lambda east, north: np.minimum(np.hypot(east, north) / 10, 800.0)  # noqa: E731
    least, step_m = least_over_ground(bowl, 5.0, 20_000.0)
    inside, outside = least[:, : int(7_500 / step_m)], least[:, int(9_000 / step_m) :]
    assert (inside < 1.0).all()
    assert (outside > 50.0).all()


def test_behind_unknown_terrain_nothing_is_known() -> None:
    half = lambda east, north: np.where(east > 8_000, np.nan, 0.0)  # noqa: E731
    seen = viewshed(Plane(half), [(LAT, LON, 10.0)], 20_000.0)
    middle = seen.least_m.shape[0] // 2
    assert np.isnan(seen.least_m[middle, -5])
    assert seen.is_near[middle, -5]
    assert seen.least_m[middle, 5] >= 0


def test_a_pole_within_reach_is_refused() -> None:
    with pytest.raises(UsageError, match="85 degrees"):
        viewshed(Plane(flat), [(84.9, LON, 10.0)], 50_000.0)


def test_two_places_see_what_either_of_them_sees() -> None:
    wall = lambda east, north: np.where(abs(east) < 300, 500.0, 0.0)  # noqa: E731
    west, east = (LAT, LON - 0.08, 10.0), (LAT, LON + 0.08, 10.0)
    alone, both = viewshed(Plane(wall), [west], 12_000.0), viewshed(Plane(wall), [west, east], 12_000.0)
    row = both.least_m[both.least_m.shape[0] // 2]
    low = row < 1
    assert low[np.isfinite(row)].mean() > 0.9, "only the wall itself and what lies beyond the ranges is high"
    assert (alone.least_m[128, -20:] > 100).all()
    assert both.box == (*alone.box[:2], pytest.approx(2 * LON - alone.box[0]), alone.box[3])


def is_seen(ground: Ground, eye_m: float, far_m: float, azimuth: float, top_m: float) -> bool:
    """Walk the straight line between the two over a round earth of 4/3 size, in steps of 25 m."""
    steps = int(far_m / 25)
    angle = far_m / BENT_M
    start = np.array([0.0, BENT_M + eye_m])
    end = (BENT_M + top_m) * np.array([np.sin(angle), np.cos(angle)])
    for n in range(1, steps):
        x, y = start + (end - start) * n / steps
        along_m = np.arctan2(x, y) * BENT_M
        east, north = np.array(along_m * np.sin(azimuth)), np.array(along_m * np.cos(azimuth))
        if np.hypot(x, y) - BENT_M < ground(east, north):
            return False
    return True


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000))
def test_a_slow_walk_along_the_line_of_sight_says_the_same(seed: int) -> None:
    dice = np.random.default_rng(seed)
    waves = dice.uniform(-1, 1, (5, 2)) / dice.uniform(1_500, 6_000, (5, 1))
    phase, size = dice.uniform(0, 6, 5), dice.uniform(20, 250, 5)

    def hills(east: Floats, north: Floats) -> Floats:
        along = waves[:, 0] * np.asarray(east)[..., None] + waves[:, 1] * np.asarray(north)[..., None]
        height: Floats = (size * np.sin(along + phase)).sum(axis=-1)
        return height

    eye_m = float(hills(np.array(0.0), np.array(0.0))) + 30
    polar = sweep(Plane(hills), LAT, LON, eye_m, 15_000.0)
    judged = 0
    for _ in range(12):
        ray, step = int(dice.integers(RAYS)), int(dice.integers(20, polar.ground_m.shape[1]))
        top_m = float(polar.ground_m[ray, step] + dice.choice([20.0, 100.0, 400.0]))
        line = (step + 1) * polar.step_m, 2 * np.pi * ray / RAYS
        lower, higher = (is_seen(hills, eye_m + by, *line, top_m + 3 * by) for by in (-4.0, 4.0))
        if lower == higher:  # no matter of a few metres, which both may cut differently
            judged += 1
            assert (polar.least_m[ray, step] <= top_m) == lower
    assert judged >= 6
