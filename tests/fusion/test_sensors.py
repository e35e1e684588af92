"""What the plots of a sensor teach of it: the area that it looks over."""

import numpy as np
import pytest
import shapely

from aquila.fusion.kernels_numpy import covered
from aquila.fusion.sensors import DIRECTIONS, NORMALS, Learned, Sensor, polygon_area


@pytest.mark.parametrize("middle", [(0.0, 0.0), (3e6, -7e6)])
@pytest.mark.parametrize("count", [1, 2, 5, 500])
def test_the_area_of_a_footprint_is_that_of_the_polygon_round_its_plots(middle, count):
    rng = np.random.default_rng(count)
    z = np.array(middle) + rng.normal(0, 20_000, (count, 2))
    learned = Learned(Sensor(name="radar"))
    learned.look(z, 1_000.0)
    around = shapely.box(-1e8, -1e8, 1e8, 1e8)
    for normal, reach in zip(NORMALS, learned.support, strict=True):
        along, far = np.array([-normal[1], normal[0]]) * 4e8, normal * reach
        half = shapely.Polygon([far - along, far + along, far + along - normal * 4e8, far - along - normal * 4e8])
        around = shapely.intersection(around, half)
    assert learned.area_m2 == pytest.approx(around.area, rel=1e-4)
    nowhere = np.full(DIRECTIONS, np.inf)
    assert covered(z, NORMALS, np.array([learned.support, nowhere]), 0).all()


def test_the_area_of_a_circle_of_supports_is_that_of_its_polygon():
    assert polygon_area(np.full(DIRECTIONS, 10.0)) == pytest.approx(DIRECTIONS * 100 * np.tan(np.pi / DIRECTIONS))
