"""Zones: in which area with thresholds of its own a place is, as the Watcher counts them: 0 = in none."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from aquila.features.patterns.finding import AreaThresholds, PatternSettings
from aquila.fusion.pattern_kinds import Table
from aquila.fusion.rows import Floats, Ints

if TYPE_CHECKING:
    from aquila.fusion.geofence import Geofences


class Zones:
    """The areas of some settings, and the thresholds in them."""

    def __init__(self, settings: PatternSettings) -> None:
        self.limits = Table(settings.thresholds, [area.over(settings.thresholds) for area in settings.areas])
        self._fences: Geofences | None = None
        if settings.areas:
            from aquila.fusion.geofence import fences_of  # a node without areas does not load it

            self._fences = fences_of([area.corners for area in settings.areas])

    def of(self, lat_deg: Floats, lon_deg: Floats) -> Ints:
        """The zone of each place: 1 = the first area, and so on; the first that holds it counts."""
        zones = np.zeros(len(lat_deg), np.int64)
        if self._fences is not None:
            rows, areas = self._fences.inside(np.column_stack([lon_deg, lat_deg]))
            # Of two places in an array the last that is written stays: that of the first area.
            zones[rows[::-1]] = areas[::-1] + 1
        return zones


def wrong_areas(areas: Sequence[AreaThresholds]) -> str | None:
    """Why one of these is no area; None = all are."""
    from aquila.fusion.geofence import wrong_corners

    wrong = ((area.name, wrong_corners(area.corners)) for area in areas)
    return next((f"{name!r}: {sentence}" for name, sentence in wrong if sentence is not None), None)
