"""From raw scans to pictures: bias taken off, late scans put where they belong, public numbers given."""

import msgspec
import numpy as np

from aquila.fusion.bias import NO_BIAS, Bias, BiasEstimator, bias_of_reference, choose_references
from aquila.fusion.naming import Numbers
from aquila.fusion.sensors import Scan, Sensor
from aquila.fusion.settings import Settings
from aquila.fusion.timeline import Taken, Timeline
from aquila.fusion.tracker import Picture, Tracker

REFERENCE_FRESH_S = 6.0


class Fusion:
    """One region's fusion: scans in, numbered pictures out."""

    def __init__(
        self,
        sensors: list[Sensor],
        sigmas_m: list[float],
        settings: Settings | None = None,
        *,
        late: bool = False,
        compiled: bool | None = None,
    ) -> None:
        """Start empty.

        Args:
            sensors: All that will ever plot here; a scan names one by its place in this list.
            sigmas_m: Typical standard deviation of each sensor's plots.
            settings: None for the defaults.
            late: Whether scans may come late; costs a copy of all tracks per scan.
            compiled: Use the compiled kernels; None: when they can be.
        """
        self.sensors = sensors
        self.tracker = Tracker(sensors, settings, compiled=compiled)
        self.timeline = Timeline(self.tracker) if late else None
        self.numbers = Numbers()
        self.biases = [BiasEstimator(sensor) for sensor in sensors]
        self.references = choose_references(sensors, sigmas_m)
        others = [n for n, sensor in enumerate(sensors) if n not in self.references and sensor.bias != "none"]
        # The main tracks follow the plots that are to be judged: the reference is a tracker of its own.
        self._reference = Tracker(sensors, settings, compiled=compiled) if others else None
        self._late_reference = Timeline(self._reference) if late and self._reference else None
        self._fresh_s = max([REFERENCE_FRESH_S] + [2 * (sensors[number].period_s or 0.0) for number in self.references])

    def take(self, scan: Scan) -> Taken:
        """Take one scan as the sensor gave it."""
        estimator = self.biases[scan.sensor]
        if self._reference is not None:
            if scan.sensor not in self.references:
                self._compare(scan, estimator)
            elif self._late_reference is not None:
                self._late_reference.offer(scan)
            else:
                self._reference.scan(scan)
            scan = estimator.correct(scan, self.common_bias)
        if self.timeline is not None:
            taken = self.timeline.offer(scan)
            self.numbers.forget(self.tracker, self.timeline.oldest_s)
            return taken
        self.tracker.scan(scan)
        self.numbers.forget(self.tracker, scan.t_s)
        return Taken.IN_ORDER

    def _compare(self, scan: Scan, estimator: BiasEstimator) -> None:
        reference = self._reference
        assert reference is not None
        age_s = scan.t_s - reference.t_s
        if self.sensors[scan.sensor].bias == "none" or not -self._fresh_s < age_s < self._fresh_s:
            return
        picture = reference.picture(scan.t_s)
        fresh = reference.t_hit[picture.row] > scan.t_s - self._fresh_s
        if fresh.any():
            variance = float(np.median(picture.cov[fresh][:, [0, 1], [0, 1]]))
            estimator.learn(scan, picture.x[fresh, :2], variance)

    @property
    def common_bias(self) -> Bias:
        """What the reference itself is off by, negative, when it was only chosen for being the finest."""
        chosen = all(self.sensors[number].bias is None for number in self.references)
        return bias_of_reference(self.biases) if chosen else NO_BIAS

    def picture(self) -> tuple[list[int], Picture]:
        """The shown tracks at the newest scan, and their public numbers."""
        picture = self.tracker.picture()
        return self.numbers.of(picture), picture


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """Why a track is what it is."""

    number: int
    exists: float
    """Probability that it is a target at all."""
    confirmed: bool
    plots: int
    """How many plots it was made of, near enough."""
    since_s: float
    """Time of its first plot."""
    sources: tuple["Source", ...]
    turning: float
    """Probability that it manoeuvres now."""
    sigma_m: float
    """Standard deviation of its position, the larger axis."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What one sensor gave to a track."""

    sensor: str
    plots: int
    last_s: float
    pd: float
    """How often this sensor plots a target in view, as learned."""
    clutter_density: float
    """Its false plots per m^2 and scan, as learned."""
    bias: tuple[float, float]
    """What is taken off its plots: range m and azimuth rad of a radar, else x and y in m."""


def explain(fusion: Fusion, number: int) -> Why | None:
    """The evidence of a track that is shown, or None when no such track is shown now."""
    numbers, picture = fusion.picture()
    if number not in numbers:
        return None
    at = numbers.index(number)
    tracker, row = fusion.tracker, int(picture.row[at])
    sources = tuple(
        Source(
            sensor=sensor.name,
            plots=int(tracker.seen_n[row, k]),
            last_s=float(tracker.seen_t[row, k]),
            pd=tracker.learned[k].pd,
            clutter_density=tracker.learned[k].clutter_density,
            bias=(fusion.biases[k].bias.first, fusion.biases[k].bias.second),
        )
        for k, sensor in enumerate(fusion.sensors)
        if tracker.seen_n[row, k]
    )
    return Why(
        number=number,
        exists=float(picture.r[at]),
        confirmed=bool(tracker.confirmed[row]),
        plots=int(tracker.hits[row]),
        since_s=float(tracker.born_t[row]),
        sources=sources,
        turning=float(tracker.mu[row, 1]),
        sigma_m=float(np.sqrt(np.linalg.eigvalsh(picture.cov[at, :2, :2])[-1])),
    )
