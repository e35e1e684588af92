"""Zones: in which area with thresholds of its own a place is, as the Watcher counts them: 0 = in none."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from aquila.features.patterns.finding import AreaThresholds, PatternSettings
from aquila.fusion.pattern_kinds import Table
from aquila.fusion.rows import Floats, Ints


class Zones:
    """The areas of some settings, and the thresholds in them."""

    def __init__(self, settings: PatternSettings) -> None:
        self.limits = Table(settings.thresholds, [area.over(settings.thresholds) for area in settings.areas])
        self._shapes = _shapes(settings.areas) if settings.areas else []

    def of(self, lat_deg: Floats, lon_deg: Floats) -> Ints:
        """The zone of each place: 1 = the first area, and so on; the first that holds it counts."""
        zones = np.zeros(len(lat_deg), np.int64)
        if not self._shapes:
            return zones
        import shapely

        for number, shape in reversed(list(enumerate(self._shapes, 1))):
            zones[shapely.intersects_xy(shape, lon_deg, lat_deg)] = number
        return zones


def wrong_areas(areas: Sequence[AreaThresholds]) -> str | None:
    """Why one of these is no area; None = all are."""
    import shapely

    from aquila.fusion.geofence import unwrap

    for area in areas:
        polygon = unwrap(shapely.Polygon(area.corners))
        if not shapely.is_valid(polygon) or polygon.area == 0:
            return f"the area {area.name!r} crosses itself or has no inside: draw at least three corners in order"
    return None


def _shapes(areas: Sequence[AreaThresholds]) -> list[Any]:
    import shapely  # a node without areas does not load it

    from aquila.fusion.geofence import cut_at_antimeridian

    return [cut_at_antimeridian(shapely.Polygon(area.corners)) for area in areas]
