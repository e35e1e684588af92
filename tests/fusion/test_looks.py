"""Looks: the last one of each cell and quarter of an hour stays, in whatever order they are heard."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from aquila.fusion import looks as module
from aquila.fusion.looks import QUARTER_MS, QUARTERS_MAX, Looks, cell_of, cells_of, spread

START_MS = 1_795_000_500_000
SLOTS = np.arange(4)
HEARD = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6), st.integers(0, 4 * QUARTER_MS)), max_size=40)


def told(looks: Looks) -> list[list[int]]:
    return [part.tolist() for quarter in looks.rows() for part in quarter[1:]]


@given(HEARD, st.randoms())
@settings(max_examples=40, deadline=None)
def test_any_order_gives_the_same(heard: list[tuple[int, int, int]], dice: object) -> None:
    one, other = Looks(), Looks()
    for slot, cell, at_ms in heard:
        one.hear(slot, [cell], START_MS + at_ms)
    shuffled = list(heard)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' own dice
    for n, (slot, cell, at_ms) in enumerate(shuffled):
        other.hear(slot, [cell], START_MS + at_ms)
        if n % 7 == 0:
            len(other)  # sorts in what waits
    assert told(one) == told(other)
    seen = [set(zip(*each.seen(SLOTS, START_MS * 2), strict=True)) for each in (one, other)]
    assert seen[0] == seen[1]


def test_what_was_later_and_slots_not_asked_for_are_not_given() -> None:
    looks = Looks()
    for slot, minutes in ((0, 1), (0, 40), (1, 1)):
        looks.hear(slot, [cell_of(42.0, 77.0)], START_MS + minutes * 60_000)
    slot, lat, lon, at_ms = looks.seen(np.array([0]), START_MS + 20 * 60_000)
    assert (slot.tolist(), at_ms.tolist()) == ([0], [START_MS + 60_000])
    assert (lat[0], lon[0]) == pytest.approx((42.0025, 77.0025))


def test_the_oldest_quarters_go_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOKS_MAX", 30)
    looks = Looks()
    for quarter in range(5):
        looks.hear(0, range(10), START_MS + quarter * QUARTER_MS)
        len(looks)
    assert len(looks) == 30
    assert min(looks.seen(SLOTS, START_MS * 2)[3]) == START_MS + 2 * QUARTER_MS
    looks.hear(0, [1], START_MS + (4 + QUARTERS_MAX) * QUARTER_MS)
    assert len(looks) == 1, "two days are kept"


def test_cells_of_many_places_are_those_of_each() -> None:
    dice = np.random.default_rng(1)
    lat, lon = dice.uniform(-90, 90, 500), dice.uniform(-180, 180, 500)
    assert cells_of(lat, lon).tolist() == [cell_of(*each) for each in zip(lat, lon, strict=True)]
    assert cell_of(90, 180) == cell_of(89.999, -180)


@pytest.mark.parametrize("radius", [0.5, 1.0, 2.3, 5.0])
def test_spreading_is_the_greatest_within_a_circle(radius: float) -> None:
    grid = np.random.default_rng(2).integers(0, 50, (23, 31)) * np.random.default_rng(3).integers(0, 2, (23, 31))
    reach = int(radius)
    down, across = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    slow = ndimage.grey_dilation(grid, footprint=np.hypot(down, across) <= radius, mode="constant", cval=0)
    assert (spread(grid, radius) == slow).all()
