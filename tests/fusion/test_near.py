"""Near pairs are those that a search of every pair finds."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from aquila.fusion import near as module
from aquila.fusion.near import near_pairs

EARTH_M = 6_371_000.0


def on_earth(count: int, wide_deg: float, seed: int) -> np.ndarray:
    dice = np.random.default_rng(seed)
    lat, lon = (
        np.radians(dice.uniform(-wide_deg, wide_deg, count)),
        np.radians(dice.uniform(-wide_deg, wide_deg, count)),
    )
    return EARTH_M * np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def of_tree(points: np.ndarray, reach_m: float) -> list[list[int]]:
    return sorted(cKDTree(points).query_pairs(reach_m, output_type="ndarray").tolist())


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("count", "wide_deg", "reach_m"), [(400, 0.05, 300.0), (900, 0.4, 2_000.0), (200, 80.0, 1e6),
                                                           (300, 0.002, 20.0), (150, 0.001, 500.0)])  # fmt: skip
def test_pairs_are_those_of_a_tree(count: int, wide_deg: float, reach_m: float, seed: int) -> None:
    points = on_earth(count, wide_deg, seed)
    wanted = of_tree(points, reach_m)
    assert wanted
    assert near_pairs(points, reach_m, 1_000_000).tolist() == wanted


def test_small_portions_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 7)
    points = on_earth(300, 0.02, 1)
    assert near_pairs(points, 400.0, 1_000_000).tolist() == of_tree(points, 400.0)


def test_nobody_and_one_have_no_pair() -> None:
    for count in (0, 1):
        assert near_pairs(on_earth(count, 1.0, 1), 300.0, 10).shape == (0, 2)


def test_points_at_one_place_and_at_exactly_the_reach_are_near() -> None:
    points = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [300.0, 0.0, 0.0], [-300.0, 0.0, 0.0]])
    assert near_pairs(points, 300.0, 10).tolist() == [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3]]


def test_a_crowd_gives_as_many_pairs_as_are_wanted() -> None:
    pairs = near_pairs(np.zeros((3_000, 3)), 300.0, 5_000)
    assert len(np.unique(pairs, axis=0)) == 5_000
    assert (pairs[:, 0] < pairs[:, 1]).all()
