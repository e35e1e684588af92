"""Distances, bearings and ends of lines on the sphere agree with each other, and with the ellipsoid to 0.6 %."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila.core import geo, sphere

LATS = st.floats(-85, 85)
LONS = st.floats(-180, 180, exclude_max=True)


@given(LATS, LONS, st.floats(1, 5_000_000), st.floats(0, 359.99))
def test_a_line_ends_at_its_range_and_bearing(lat_deg: float, lon_deg: float, range_m: float, bearing: float) -> None:
    end = sphere.destination(lat_deg, lon_deg, range_m, bearing)
    assert sphere.distance_m(lat_deg, lon_deg, *end) == pytest.approx(range_m, rel=1e-6, abs=1e-3)
    turned = (sphere.bearing_deg(lat_deg, lon_deg, *end) - bearing + 180) % 360 - 180
    assert abs(turned) < 1e-3


@given(LATS, LONS, LATS, LONS)
def test_it_is_within_six_thousandths_of_the_ellipsoid(a: float, b: float, c: float, d: float) -> None:
    assert sphere.distance_m(a, b, c, d) == pytest.approx(geo.distance_m(a, b, c, d), rel=6e-3, abs=1e-3)


def test_the_other_side_of_the_world_is_half_way_round() -> None:
    assert sphere.distance_m(0, 0, 0, 180) == pytest.approx(20_015_115, abs=1)
    assert sphere.distance_m(90, 0, -90, 0) == pytest.approx(20_015_115, abs=1)
