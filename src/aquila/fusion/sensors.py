"""What is said of a sensor, and what its plots teach: footprint, clutter density, detection probability."""

from math import cos, pi, sin
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DIRECTIONS = 16
_ANGLES = np.arange(DIRECTIONS) * 2 * pi / DIRECTIONS
NORMALS = np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)])
_STEP, _OWN = 2 * pi / DIRECTIONS, np.eye(DIRECTIONS)
# Each side lies as far off as its support, and its neighbours cut it: the area is a quadratic form of the supports.
_SIDES = (np.roll(_OWN, 1, axis=0) + np.roll(_OWN, -1, axis=0) - 2 * cos(_STEP) * _OWN) / (2 * sin(_STEP))
OPPOSITE = np.roll(np.arange(DIRECTIONS), DIRECTIONS // 2)

PD_UNSAID = 0.8
PD_MIN, PD_MAX = 0.1, 0.99
LOOKS_OF_A_SAID_PD = 20.0
LOOKS_KEPT = 3000.0
COUNTS_OF_A_SAID_CLUTTER = 3.0
SCANS_KEPT = 60.0
CLUTTER_PER_SCAN_MIN = 0.02
SURPRISES_KEPT = 2000.0
FORGOTTEN_PER_SCAN = 0.002
"""Share of its width by which a footprint shrinks where nobody is plotted any more."""


class Sensor(msgspec.Struct, frozen=True, kw_only=True):
    """A source of plots as its owner describes it. `None` means not said: it is estimated."""

    name: str
    pd: float | None = None
    """Probability that a target in view is plotted in one scan."""
    clutter_density: float | None = None
    """False plots per m^2 and scan."""
    period_s: float | None = None
    position: tuple[float, float] | None = None
    """x, y in metres of a radar that measures range and azimuth; its biases are then of range and azimuth."""
    bias: Literal["none", "unknown"] | None = None
    """"none": a reference for the others. `None`: a reference when no sensor is called one and this is the finest."""
    sigma_m: float | None = None
    """Standard deviation per axis of plots that say none themselves."""


class Scan(msgspec.Struct, frozen=True):
    """The plots of one sensor at one time; or a part of a turn, where an antenna plots one target after the other."""

    t_s: float
    sensor: int
    z: Floats
    """x, y in metres, shape (m, 2)."""
    noise: Floats
    """Covariance of each plot, m^2, shape (m, 3): xx, yy, xy."""
    turn_s: float | None = None
    """When the turn began of which this is a part; None: the plots are all of this turn."""
    ends_turn: bool = True
    """Whether what has not been plotted since `turn_s` has been missed."""


class Learned:
    """What is known of one sensor by now. Copied with the tracks, so that a replay learns the same again."""

    def __init__(self, sensor: Sensor) -> None:
        self.sensor = sensor
        self.support = np.full(DIRECTIONS, -np.inf)
        self.area_m2 = 0.0
        self.scans = 0
        self.seen = self.looks = 0.0
        self.clutter = self.exposure = self.turn_clutter = 0.0
        self.first_density = sensor.clutter_density
        self.surprise = self.surprise_plots = 0.0
        self.before: Scan | None = None  # kept while speeds are guessed from scan to scan

    def copy(self) -> "Learned":
        """An independent copy."""
        other = object.__new__(Learned)
        other.__dict__.update(self.__dict__)
        other.support = self.support.copy()
        return other

    def look(self, z: Floats, margin_m: float) -> None:
        """Take the plots of a scan into the footprint: their convex hull in 16 directions, and a margin."""
        if len(z) == 0:
            return
        reach = (z @ NORMALS.T).max(axis=0) + margin_m
        if np.isfinite(self.support[0]):
            wide = self.support + self.support[OPPOSITE]
            # Forget where nobody has been plotted for long.
            self.support = np.maximum(self.support - FORGOTTEN_PER_SCAN / 2 * wide, reach)
            self.area_m2 = polygon_area(self.support)
            return
        self.support = reach
        # Nobody plots more clutter than plots: a density said in another unit must not blind the sensor.
        self.area_m2 = polygon_area(self.support)
        most = len(z) / self.area_m2
        self.first_density = 0.5 * most if self.first_density is None else min(self.first_density, most)

    @property
    def pd(self) -> float:
        """Probability to be plotted, as far as known."""
        said = self.sensor.pd
        weight = LOOKS_OF_A_SAID_PD if said is not None else LOOKS_OF_A_SAID_PD / 2
        prior = PD_UNSAID if said is None else said
        return float(min(max((weight * prior + self.seen) / (weight + self.looks), PD_MIN), PD_MAX))

    @property
    def clutter_density(self) -> float:
        """False plots per m^2 and scan, as far as known; 0 before the first plot."""
        prior = self.first_density
        if prior is None:
            return 0.0
        least = CLUTTER_PER_SCAN_MIN / max(self.area_m2, 1.0)
        prior = max(prior, least)
        weight = COUNTS_OF_A_SAID_CLUTTER
        return float(max((weight + self.clutter) / (weight / prior + self.exposure), least))

    def learn_clutter(self, false_plots: float) -> None:
        """Take the number of plots that belong to no target, of one scan of the whole footprint."""
        keep = 1 - 1 / SCANS_KEPT
        self.clutter = self.clutter * keep + false_plots
        self.exposure = self.exposure * keep + self.area_m2

    def learn_pd(self, seen: float, looks: float) -> None:
        """Take how many of the sure targets in view (`looks`) were plotted (`seen`)."""
        keep = min(1.0, LOOKS_KEPT / max(self.looks + looks, 1e-9))
        self.seen = (self.seen + seen) * keep
        self.looks = (self.looks + looks) * keep

    def learn_surprise(self, squared: float, plots: float) -> None:
        """Take squared distances of plots from where their tracks were expected, each in its own covariance (NIS)."""
        keep = min(1.0, SURPRISES_KEPT / max(self.surprise_plots + plots, 1e-9))
        self.surprise = (self.surprise + squared) * keep
        self.surprise_plots = (self.surprise_plots + plots) * keep

    @property
    def consistency(self) -> float | None:
        """Mean NIS per axis: 1 when covariances are honest, above when errors are larger than said; None = no plot."""
        return self.surprise / (2 * self.surprise_plots) if self.surprise_plots else None


def polygon_area(support: Floats) -> float:
    """Area in m^2 of the polygon that the half planes `NORMALS[k] . x <= support[k]` bound (the hull is tight)."""
    return max(abs(float(support @ (_SIDES @ support))), 1.0)
