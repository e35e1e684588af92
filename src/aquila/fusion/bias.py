"""Sensor bias, estimated while the sensors run: of range and azimuth for a radar, of x and y for anything else.

The differences between a sensor's plots and where the reference tracks are pile up at its bias; wrong pairs spread
evenly. So the estimate is the median around the peak of all differences, and no pairing has to be right before.
Without a reference only differences between sensors can be seen.
"""

from collections import deque

import msgspec
import numpy as np
from scipy.spatial import cKDTree

from aquila.fusion.rows import Floats
from aquila.fusion.sensors import Scan, Sensor

PAIRS_MIN = 12
PAIRS_KEPT = 3000
TURNS_KEPT = 25
NEIGHBOURS = 6
SURE = 4.0
"""A bias is believed once it is so many times its standard error ..."""
WORTH = 0.15
"""... and at least this share of a plot's standard deviation."""
PEAK_OVER_BACKGROUND = 3.0


class Bias(msgspec.Struct, frozen=True):
    """What is taken off a sensor's plots: range in m and azimuth in rad of a radar, else x and y in m."""

    first: float = 0.0
    second: float = 0.0


NO_BIAS = Bias()


class BiasEstimator:
    """The bias of one sensor."""

    def __init__(self, sensor: Sensor) -> None:
        self.sensor = sensor
        self.bias = NO_BIAS
        self.error = (np.inf, np.inf)
        """Standard errors, in the units of the bias."""
        self._turns: deque[list[Floats]] = deque(maxlen=TURNS_KEPT)
        self._turn_s: float | None = None

    @property
    def polar(self) -> bool:
        """Whether the bias is of range and azimuth."""
        return self.sensor.position is not None

    def correct(self, scan: Scan, common: Bias = NO_BIAS) -> Scan:
        """The scan without the bias, as far as it is known. `common`: the bias of the reference, where it has one."""
        if self.sensor.position is None:
            off = self.bias.first - common.first, self.bias.second - common.second
            return scan if off == (0.0, 0.0) else msgspec.structs.replace(scan, z=scan.z - off)
        if self.bias == NO_BIAS:
            return scan
        site = np.array(self.sensor.position)
        range_m, azimuth = _polar(scan.z - site)
        range_m, azimuth = range_m - self.bias.first, azimuth - self.bias.second
        z = site + range_m[:, None] * np.column_stack([np.sin(azimuth), np.cos(azimuth)])
        return msgspec.structs.replace(scan, z=z)

    def learn(self, raw: Scan, reference: Floats, variance_m2: float) -> None:
        """Compare uncorrected plots with where the reference tracks are at that time.

        Args:
            raw: The scan as it came.
            reference: x, y of the reference tracks at the time of the scan, shape (n, 2).
            variance_m2: Of the reference positions, per axis.
        """
        if len(raw.z) == 0 or len(reference) == 0:
            return
        sigma = float(np.sqrt(np.median(raw.noise[:, :2]) + variance_m2))
        reach = min(1500.0, 20 * sigma + 100)
        distance, plot = cKDTree(raw.z).query(reference, k=min(NEIGHBOURS, len(raw.z)), distance_upper_bound=reach)
        distance, plot = distance.reshape(len(reference), -1), plot.reshape(len(reference), -1)
        track, column = np.nonzero(np.isfinite(distance))
        if len(track) == 0:
            return
        found = self._differences(raw.z[plot[track, column]], reference[track])
        if raw.turn_s is not None and raw.turn_s == self._turn_s and self._turns:
            # A part of a turn: the turn is judged as a whole, once.
            self._turns[-1].append(found)
            return
        if raw.turn_s is None:
            self._turns.append([found])
        pairs = [part for turn in self._turns for part in turn]
        if pairs:
            self._estimate(np.concatenate(pairs)[-PAIRS_KEPT:], sigma, reach)
        if raw.turn_s is not None:
            self._turns.append([found])
            self._turn_s = raw.turn_s

    def _differences(self, plots: Floats, tracks: Floats) -> Floats:
        """Plot minus track in the frame of the bias, and the range in m that turns azimuth into metres."""
        if self.sensor.position is None:
            return np.column_stack([plots - tracks, np.ones(len(plots))])
        site = np.array(self.sensor.position)
        plot_range, plot_azimuth = _polar(plots - site)
        track_range, track_azimuth = _polar(tracks - site)
        turn = (plot_azimuth - track_azimuth + np.pi) % (2 * np.pi) - np.pi
        return np.column_stack([plot_range - track_range, turn, np.maximum(track_range, 1.0)])

    def _estimate(self, pairs: Floats, sigma: float, reach: float) -> None:
        if len(pairs) < PAIRS_MIN:
            return
        lever = float(np.median(pairs[:, 2]))  # 1 for x, y
        scaled = pairs[:, :2] * [1.0, lever]
        centre = _peak(scaled, 1.5 * sigma, reach)
        if centre is None:
            return
        near = scaled
        for _ in range(4):
            near = scaled[np.hypot(*(scaled - centre).T) <= 3.5 * sigma]
            if len(near) < PAIRS_MIN / 2:
                return
            centre = np.median(near, axis=0)
        # Errors of one track in successive turns are alike: every second pair counts.
        error = 1.2533 * 1.4826 * np.median(np.abs(near - centre), axis=0) / np.sqrt(len(near) / 2)
        self.error = (float(error[0]), float(error[1]) / lever)
        if (np.abs(centre) > np.maximum(SURE * error, WORTH * sigma)).any() or self.bias != NO_BIAS:
            self.bias = Bias(float(centre[0]), float(centre[1] / lever))


def _peak(points: Floats, cell: float, reach: float) -> Floats | None:
    """Where the points crowd: the middle of the fullest three by three cells; None when no place stands out."""
    index = np.floor(points / cell).astype(np.int64)
    low = index.min(axis=0) - 1
    shape = index.max(axis=0) - low + 2
    counts = np.zeros(tuple(shape), np.int64)
    np.add.at(counts, tuple((index - low).T), 1)
    padded = np.pad(counts, 1)
    block = sum(padded[1 + a : 1 + a + shape[0], 1 + b : 1 + b + shape[1]] for a in (-1, 0, 1) for b in (-1, 0, 1))
    assert not isinstance(block, int)
    best = np.unravel_index(int(block.argmax()), block.shape)
    expected = len(points) * min(9 * cell**2 / (np.pi * reach**2), 1.0)
    if block[best] < PAIRS_MIN / 2 or (9 * cell**2 < reach**2 and block[best] < PEAK_OVER_BACKGROUND * expected):
        return None
    centre: Floats = (np.array(best) + low + 0.5) * cell
    return centre


def _polar(offset: Floats) -> tuple[Floats, Floats]:
    return np.hypot(offset[:, 0], offset[:, 1]), np.arctan2(offset[:, 0], offset[:, 1])


def bias_of_reference(estimators: list[BiasEstimator]) -> Bias:
    """What most sensors agree that a reference nobody called unbiased is off by, negative; none below three sensors.

    One of three that is off is seen as such, whichever it is: the median stays with the other two.
    """
    if len(estimators) < 3 or any(one.polar for one in estimators):
        return NO_BIAS
    table = np.array([[one.bias.first, one.bias.second] for one in estimators])
    first, second = np.median(table, axis=0)
    return Bias(float(first), float(second))


def choose_references(sensors: list[Sensor], sigmas_m: list[float]) -> set[int]:
    """Which sensors the others are compared with.

    Those called unbiased; else those that are no radar, if the others are radars; else the finest one.
    """
    called = {number for number, sensor in enumerate(sensors) if sensor.bias == "none"}
    if called:
        return called
    placed = {number for number, sensor in enumerate(sensors) if sensor.position is not None}
    trusted = {number for number in range(len(sensors)) if sensors[number].bias is None}
    if placed and trusted - placed:
        return trusted - placed
    return {min(trusted or range(len(sensors)), key=lambda number: sigmas_m[number])} if sensors else set()
