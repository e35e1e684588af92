"""Geofences against brute force: holes, multipolygons, the antimeridian, corners that are no area."""

import numpy as np
import pytest
import shapely

from aquila.fusion.geofence import Geofences, cut_at_antimeridian, fences_of, wrong_corners

BOTH = pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "plain"])


def star(rng, x, y, size):
    angle = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(5, 40)))
    radius = size * rng.uniform(0.4, 1, len(angle))
    return shapely.make_valid(
        shapely.Polygon(np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)]))
    )


def areas(rng, count):
    found = []
    while len(found) < count:
        outer = star(rng, *rng.uniform(-20, 20, 2), rng.uniform(0.5, 3))
        kind = rng.integers(3)
        if kind == 1:
            outer = shapely.difference(outer, shapely.buffer(outer.representative_point(), 0.3))
        elif kind == 2:
            outer = shapely.union(outer, star(rng, *rng.uniform(-20, 20, 2), 1.0))
        if shapely.get_type_id(outer) in (3, 6) and outer.is_valid and not outer.is_empty:
            found.append(outer)
    return found


def brute(fences, xy):
    return sorted((i, k) for k, area in enumerate(fences) for i in np.flatnonzero(shapely.contains_xy(area, xy)))


@BOTH
@pytest.mark.parametrize("seed", range(6))
def test_every_point_in_every_area_is_found(compiled, seed):
    rng = np.random.default_rng(seed)
    fences = areas(rng, 60)
    xy = rng.uniform(-24, 24, (3000, 2))
    xy[:3] = [[np.nan, 1], [np.inf, 1], [1, -np.inf]]
    row, area = Geofences(fences, degrees=False, compiled=compiled).inside(xy)
    assert list(zip(row.tolist(), area.tolist(), strict=True)) == brute(fences, xy) or sorted(
        zip(row.tolist(), area.tolist(), strict=True)
    ) == brute(fences, xy)


@BOTH
@pytest.mark.parametrize("seed", range(4))
def test_points_on_the_lines_between_cells_and_far_from_zero_are_found(compiled, seed):
    """Cells of some micrometres ten thousand kilometres from zero, where a coordinate itself is rounded to 2 nm."""
    rng = np.random.default_rng(seed)
    offset, size = 1e7 * rng.uniform(-1, 1, 2), 10.0 ** -(seed + 1)
    fences = [shapely.transform(area, lambda xy: offset + size * xy) for area in areas(rng, 30)]
    fences = [area for area in fences if area.is_valid]
    geofences = Geofences(fences, degrees=False, compiled=compiled)
    grid = geofences._grid
    lines = grid.low + grid.cell * rng.integers(0, grid.shape, (2000, 2))
    xy = np.nextafter(lines, lines + rng.choice([-np.inf, 0, np.inf], lines.shape))
    # A compiled ray may differ from the oracle where a point lies on a border, but for rounding.
    borders = shapely.STRtree([area.boundary for area in fences])
    far = np.ones(len(xy), np.bool_)
    far[borders.query(shapely.points(xy), "dwithin", 1e-8)[0]] = not compiled
    row, area = geofences.inside(xy)
    got = {(i, k) for i, k in zip(row.tolist(), area.tolist(), strict=True) if far[i]}
    assert got == {(i, k) for i, k in brute(fences, xy) if far[i]}
    assert len(got) > 100


@BOTH
def test_a_few_huge_areas_among_small_ones_stay_cheap(compiled):
    rng = np.random.default_rng(5)
    huge = [shapely.box(-80, -80 - k / 10, 80, 80) for k in range(20)]
    small = [shapely.box(x, y, x + 1e-3, y + 1e-3) for x, y in rng.uniform(-60, 60, (300, 2))]
    geofences = Geofences(huge + small, compiled=compiled)
    assert len(geofences._grid.cell_areas) < 128 * 330
    xy = np.concatenate([rng.uniform(-60, 60, (200, 2)), [area.centroid.coords[0] for area in small]])
    row, area = geofences.inside(xy)
    assert sorted(zip(row.tolist(), area.tolist(), strict=True)) == brute(huge + small, xy)


@BOTH
def test_an_area_over_the_antimeridian_is_one_area(compiled):
    fiji = shapely.Polygon([(177, -20), (-178, -20), (-178, -15), (177, -15)])
    lake = shapely.Polygon(fiji.exterior, [[(179, -18), (-179.5, -18), (-179.5, -17), (179, -17)]])
    xy = np.array([[178, -16], [-179, -16], [0, -16], [179.5, -17.5], [-179.8, -17.5], [538, -16], [-176, -16]])
    row, area = Geofences([fiji, lake], compiled=compiled).inside(xy)
    got = sorted(zip(area.tolist(), row.tolist(), strict=True))
    assert got == [(0, 0), (0, 1), (0, 3), (0, 4), (0, 5), (1, 0), (1, 1), (1, 5)]
    assert shapely.area(cut_at_antimeridian(fiji)) == pytest.approx(25)


def test_what_is_no_area_is_refused_by_its_number():
    good = shapely.box(0, 0, 1, 1)
    with pytest.raises(ValueError, match="area 1 is a Point"):
        Geofences([good, shapely.Point(0, 0)])
    with pytest.raises(ValueError, match="no valid polygon"):
        Geofences([shapely.Polygon([(0, 0), (1, 1), (0, 1), (1, 0)])])


@BOTH
def test_no_areas_and_no_points_are_fine(compiled):
    assert len(Geofences([], compiled=compiled).inside(np.zeros((3, 2)))[0]) == 0
    assert len(Geofences([shapely.box(0, 0, 1, 1)], compiled=compiled).inside(np.zeros((0, 2)))[0]) == 0


def test_corners_that_are_no_area_are_named_and_those_across_the_antimeridian_are_one():
    assert "crosses itself" in str(wrong_corners([(0, 0), (1, 1), (0, 1), (1, 0)]))
    assert "no inside" in str(wrong_corners([(0, 0), (1, 1), (2, 2)]))
    fiji = [(177, -20), (-178, -20), (-178, -15), (177, -15)]
    assert wrong_corners(fiji) is None
    row, area = fences_of([fiji]).inside(np.array([[-179, -16], [0, -16], [178, -16]]))
    assert (row.tolist(), area.tolist()) == ([0, 2], [0, 0])
