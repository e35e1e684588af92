"""The plots of all radars of a node as one source of tracks. Pure: the same batches give the same tracks.

A radar is known by its name in the plots; where it stands, it says itself (ASTERIX 034), else its polar plots wait in
vain and are counted.
"""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
import numpy as np

from aquila.core.model import Label, Position, Report
from aquila.core.plot import Plot
from aquila.fusion.bias import BiasEstimator
from aquila.fusion.compiled import has_compiler
from aquila.fusion.correlate import SourceTracks
from aquila.fusion.naming import Numbers
from aquila.fusion.rows import Floats, Ints
from aquila.fusion.sensor_file import Plane
from aquila.fusion.sensors import Learned, Scan, Sensor
from aquila.fusion.timeline import Taken, Timeline
from aquila.fusion.tracker import Picture, Tracker

RADAR: Final = "radar"
SENSORS_MAX: Final = 16
PERIOD_S: Final = 5.0
RANGE_SIGMA_M: Final = 60.0
AZIMUTH_SIGMA_DEG: Final = 0.1
"""Of radars that do not say."""
REACH_M: Final = 1_000_000.0
COMPILE_FROM: Final = 500
"""Tracks, young ones too. Below, numpy does: the compiler costs 70 to 400 MB."""
NAMED_WITHIN: Final = 16.0
"""An address in a plot names the track that lies within this squared distance of it ..."""
NAMED_PLOTS: Final = 2
"""... once so many plots said the same."""

References = Callable[[float], tuple[Floats, float]]
"""Places, shape (n, 2), at a time in s of those that report themselves, and their variance per axis in m2."""


class Site(msgspec.Struct):
    """A radar: where it stands in the plane and how it turns."""

    slot: int
    xy: tuple[float, float] | None = None
    period_s: float = PERIOD_S
    turn: int | None = None
    labels: list[Label] = []


class KnownRadar(msgspec.Struct, frozen=True):
    """What is known of a radar by now.

    Attributes:
        pd: how often it plots a target in view. bias: what is taken off, range m and azimuth rad.
        consistency: mean NIS per axis of its plots, 1 = as sure as it should be; None = no plot to judge by.
    """

    name: str
    pd: float
    bias: tuple[float, float]
    consistency: float | None


class RadarShot(msgspec.Struct, frozen=True):
    """The radar tracks of one moment, for those who ask later; row k of everything is the same track.

    Attributes:
        place: row by name. r: probability to exist. seen_s: of the last plot. plots: shape (n, radars).
    """

    place: Mapping[str, int] = {}
    r: Floats = np.zeros(0)
    seen_s: Floats = np.zeros(0)
    cov: Floats = np.zeros((0, 4, 4))
    plots: Ints = np.zeros((0, 0), np.int64)
    keys: list[frozenset[str]] = []
    sensors: tuple[KnownRadar, ...] = ()

    def exists(self, name: str) -> float:
        """Probability that a track is a target."""
        return float(self.r[self.place[name]])


class Radars:
    """All radars, one tracker.

    Args:
        compiled: see Tracker; None = once there are so many tracks that the compiler is worth its memory.
    """

    def __init__(self, *, compiled: bool | None = None) -> None:
        self.sites: dict[str, Site] = {}
        self.counts: Counter[str] = Counter()
        # A slot for every radar that may come: the tracker's rows have a column for each from the beginning.
        blank = [Sensor(name=f"slot {slot}", period_s=PERIOD_S) for slot in range(SENSORS_MAX)]
        self.sensors = list(blank)
        self.tracker = Tracker(blank, compiled=bool(compiled))
        self._compiles = compiled is None and has_compiler()
        self._is_prepared = False
        self.timeline = Timeline(self.tracker)
        self.numbers = Numbers()
        self.biases = [BiasEstimator(sensor) for sensor in blank]
        self._said: dict[tuple[float, int], Counter[str]] = {}
        self._names: dict[tuple[float, int], str] = {}
        self._born: dict[str, tuple[float, int]] = {}
        self._called: dict[str, str] = {}
        self._tally = itertools.count(1)

    def name(self, slot: int) -> str:
        """The radar in a slot."""
        return self.sensors[slot].name

    def place(self, report: Report, plane: Plane) -> None:
        """A radar has said where it stands."""
        position = report.position
        site = self._site(f"{report.alias.scheme}:{report.alias.value}")
        if site is None or position is None:
            return
        period_s = _number(report.fields.get("rotation_s"), 0.5, 120.0)
        site.xy, site.period_s = plane.to_xy(position.lat_deg, position.lon_deg), period_s or site.period_s
        self._describe(site)

    def _describe(self, site: Site) -> None:
        name = self.name(site.slot)
        sensor = Sensor(name=name, period_s=site.period_s, position=site.xy)
        self.sensors[site.slot] = self.tracker.learned[site.slot].sensor = sensor
        if self.biases[site.slot].sensor.position != site.xy:
            self.biases[site.slot] = BiasEstimator(sensor)

    def _site(self, name: str) -> Site | None:
        site = self.sites.get(name)
        if site is None:
            if len(self.sites) >= SENSORS_MAX:
                self.counts["plots of too many radars"] += 1
                return None
            site = self.sites[name] = Site(len(self.sites))
            sensor = self.sensors[site.slot] = Sensor(name=name, period_s=site.period_s)
            self.tracker.learned[site.slot] = Learned(sensor)
            self.biases[site.slot] = BiasEstimator(sensor)
        return site

    def take(self, plots: list[tuple[Plot, Label, float]], plane: Plane, references: References) -> None:
        """Take what came since the last call: plots with their label and time in s, in any order."""
        by_sensor: dict[str, list[tuple[float, Plot, tuple[float, float], tuple[float, float, float]]]] = {}
        for plot, label, at_s in plots:
            site = self._site(plot.sensor)
            if site is None:
                continue
            placed = _placed(plot, site, plane)
            if placed is None:
                self.counts["plots of a radar without a place"] += 1
            elif not math.hypot(*placed[0]) <= REACH_M:
                self.counts["plots beyond the plane"] += 1
            else:
                if label not in site.labels:
                    site.labels.append(label)
                by_sensor.setdefault(plot.sensor, []).append((at_s, plot, *placed))
        scans = [scan for name in sorted(by_sensor) for scan in self._scans(self.sites[name], by_sensor[name])]
        for scan, said in sorted(scans, key=lambda one: (one[0].t_s, one[0].sensor)):
            self._offer(scan, said, references)

    def _scans(
        self, site: Site, rows: list[tuple[float, Plot, tuple[float, float], tuple[float, float, float]]]
    ) -> "list[tuple[Scan, list[str | None]]]":
        """Slices of a turn, none longer than its sixteenth part; where a turn is over, an empty slice says so."""
        rows.sort(key=lambda row: (row[0], row[2]))
        width_s = site.period_s / 16
        found: list[tuple[Scan, list[str | None]]] = []
        start = 0
        while start < len(rows):
            turn = math.floor(rows[start][0] / site.period_s)
            stop = start + 1
            while (
                stop < len(rows)
                and rows[stop][0] <= rows[start][0] + width_s
                and math.floor(rows[stop][0] / site.period_s) == turn
            ):
                stop += 1
            if site.turn is not None and turn > site.turn:
                empty = np.zeros((0, 2)), np.zeros((0, 3))
                over_s = (site.turn + 1) * site.period_s
                found.append((Scan(over_s - 1e-3, site.slot, *empty, site.turn * site.period_s, True), []))
            if site.turn is None or turn > site.turn:
                site.turn = turn
            part = rows[start:stop]
            z, noise = np.array([row[2] for row in part]), np.array([row[3] for row in part])
            scan = Scan(part[-1][0], site.slot, z, noise, turn * site.period_s, False)
            found.append((scan, [row[1].mode_s for row in part]))
            start = stop
        return found

    def _offer(self, scan: Scan, said: list[str | None], references: References) -> None:
        estimator = self.biases[scan.sensor]
        if len(scan.z):
            reference, variance_m2 = references(scan.t_s)
            estimator.learn(scan, reference, variance_m2)
            scan = estimator.correct(scan)
        taken = self.timeline.offer(scan)
        # A replay went back to what was learned before a radar had said where it stands.
        for learned, sensor in zip(self.tracker.learned, self.sensors, strict=True):
            learned.sensor = sensor
        self.counts[f"scans {taken}"] += 1
        if taken is Taken.TOO_LATE or taken is Taken.TWICE:
            return
        self.numbers.forget(self.tracker, self.timeline.oldest_s)
        self._name(scan, said)

    def _name(self, scan: Scan, said: list[str | None]) -> None:
        """Note which track lies where an address was plotted."""
        rows = [row for row, address in enumerate(said) if address]
        picture = self.tracker.picture()
        if not rows or len(picture.row) == 0:
            return
        for row in rows:
            d = picture.x[:, :2] - scan.z[row]
            near = np.flatnonzero(np.hypot(d[:, 0], d[:, 1]) < 3_000.0)
            if len(near) == 0:
                continue
            xx, yy, xy = scan.noise[row]
            spread = picture.cov[near, :2, :2] + np.array([[xx, xy], [xy, yy]])
            far = (np.linalg.solve(spread, d[near][..., None])[..., 0] * d[near]).sum(axis=1)
            best = int(far.argmin())
            if far[best] <= NAMED_WITHIN:
                born = (float(picture.born_t[near[best]]), int(picture.born_n[near[best]]))
                self._said.setdefault(born, Counter())[f"icao24:{said[row]}"] += 1

    def picture(self, now_s: float) -> Picture:
        """The confirmed tracks at a time, in the order of their birth."""
        return self.tracker.picture(max(now_s, self.tracker.t_s) if math.isfinite(self.tracker.t_s) else None)

    def names(self, picture: Picture, rows: Ints | None = None) -> list[str]:
        """Name of each track of a picture, or of some: unique, also after a restart."""
        which = slice(None) if rows is None else rows
        born = zip(picture.born_t[which].tolist(), picture.born_n[which].tolist(), strict=True)
        return [self._names.get(one) or self._baptise(one) for one in born]

    def _baptise(self, born: tuple[float, int]) -> str:
        name = self._names[born] = name_of(born)
        self._born[name] = born
        self._called[name] = f"T{next(self._tally)}"
        return name

    def called(self, name: str) -> str:
        """A track's name for people: its own for as long as it lives, whatever it is taken to be one with."""
        return self._called[name]

    def row(self, picture: Picture, name: str) -> int | None:
        """Where a track stands in a picture; None = it is no more."""
        born = self._born.get(name)
        if born is None:
            return None
        first = int(np.searchsorted(picture.born_t, born[0], "left"))
        stop = int(np.searchsorted(picture.born_t, born[0], "right"))
        found: list[int] = np.flatnonzero(picture.born_n[first:stop] == born[1]).tolist()
        return first + found[0] if found else None

    @property
    def wants_compiler(self) -> bool:
        """Whether the load asks for the compiled kernels, which have not been loaded yet."""
        return self._compiles and not self._is_prepared and self.tracker.n > COMPILE_FROM

    def prepare(self) -> None:
        """Load and, the first time on a machine, compile them on a scene of two plots: takes seconds, beside `take`."""
        trial = Tracker([Sensor(name="trial", period_s=1.0)], compiled=True)
        for turn in range(4):
            z = np.array([[10.0 * turn, 0.0], [900.0, 900.0]])
            trial.scan(Scan(float(turn), 0, z, np.tile([100.0, 100.0, 0.0], (2, 1))))
        trial.picture(4.0)
        self._is_prepared = True

    def forget(self) -> None:
        """Drop what was noted of tracks that are no more."""
        rows = slice(0, self.tracker.n)
        alive = set(zip(self.tracker.born_t[rows].tolist(), self.tracker.born_n[rows].tolist(), strict=True))
        self._said = {born: said for born, said in self._said.items() if born in alive}
        self._names = {born: name for born, name in self._names.items() if born in alive}
        self._born = {name: born for born, name in self._names.items()}
        self._called = {name: self._called[name] for name in self._born}
        if self._is_prepared and not self.tracker.compiled:
            self.tracker.compile()

    def source(self, names: list[str], picture: Picture) -> SourceTracks:
        """The same for the correlator."""
        born = zip(picture.born_t.tolist(), picture.born_n.tolist(), strict=True)
        keys = [self._keys(one) for one in born]
        return SourceTracks(source=RADAR, names=names, x=picture.x, cov=picture.cov, keys=keys)

    def _keys(self, born: tuple[float, int]) -> frozenset[str]:
        said = self._said.get(born)
        if not said:
            return frozenset()
        (key, count), *others = said.most_common(2)
        # A track that two addresses claim alike has none.
        sure = count >= NAMED_PLOTS and (not others or count >= 3 * others[0][1])
        return frozenset((key,)) if sure else frozenset()

    def labels(self, picture: Picture) -> list[list[Label]]:
        """Of the feeds that have plotted each track of a picture."""
        sites = sorted(self.sites.values(), key=lambda site: site.slot)
        seen = self.tracker.seen_n[picture.row, : len(sites)] > 0
        codes = (seen @ (1 << np.arange(len(sites)))).tolist() if sites else [0] * len(picture.row)
        of_code = {code: [label for site in sites if code >> site.slot & 1 for label in site.labels]
                   for code in set(codes)}  # fmt: skip
        return [of_code[code] for code in codes]

    def shot(self, names: list[str], picture: Picture) -> RadarShot:
        """What can be asked of the tracks of a picture later."""
        born = zip(picture.born_t.tolist(), picture.born_n.tolist(), strict=True)
        return RadarShot(
            place={name: at for at, name in enumerate(names)},
            r=picture.r,
            seen_s=self.tracker.t_hit[picture.row],
            cov=picture.cov,
            plots=self.tracker.seen_n[picture.row, : len(self.sites)],
            keys=[self._keys(one) for one in born],
            sensors=tuple(self._known(slot) for slot in range(len(self.sites))),
        )

    def _known(self, slot: int) -> KnownRadar:
        learned, bias = self.tracker.learned[slot], self.biases[slot].bias
        return KnownRadar(self.name(slot), round(learned.pd, 3), (bias.first, bias.second), learned.consistency)


def name_of(born: tuple[float, int]) -> str:
    """A track's own name among all radars: the time in ms, the slot and the number of its first plot."""
    return f"{round(born[0] * 1000)}-{born[1] >> 32}-{born[1] & 0xFFFFFFFF}"


def _number(text: str | None, low: float, high: float) -> float | None:
    try:
        value = float(text) if text else None
    except ValueError:
        return None
    return value if value is not None and low <= value <= high else None


def _placed(plot: Plot, site: Site, plane: Plane) -> tuple[tuple[float, float], tuple[float, float, float]] | None:
    """East, north in the plane and covariance xx, yy, xy in m2; None = the radar's own place is not known."""
    if plot.position is not None:
        return plane.to_xy(plot.position.lat_deg, plot.position.lon_deg), plot.covariance_m2 or _usual(plot.position)
    if site.xy is None:
        return None
    if plot.polar is not None:
        polar = plot.polar
        ground_m = polar.range_m
        if polar.elevation_deg is not None:
            ground_m *= math.cos(math.radians(polar.elevation_deg))
        elif plot.pressure_altitude_m is not None:
            ground_m = math.sqrt(max(ground_m**2 - plot.pressure_altitude_m**2, 0.0))
        azimuth = math.radians(polar.azimuth_deg)
        along = (polar.range_sigma_m or RANGE_SIGMA_M) ** 2
        across = (math.radians(polar.azimuth_sigma_deg or AZIMUTH_SIGMA_DEG) * max(ground_m, 1.0)) ** 2 + 1.0
        sin, cos = math.sin(azimuth), math.cos(azimuth)
        noise = along * sin**2 + across * cos**2, along * cos**2 + across * sin**2, (along - across) * sin * cos
        return (site.xy[0] + ground_m * sin, site.xy[1] + ground_m * cos), noise
    assert plot.xy_m is not None
    usual = RANGE_SIGMA_M**2
    return (site.xy[0] + plot.xy_m[0], site.xy[1] + plot.xy_m[1]), plot.covariance_m2 or (usual, usual, 0.0)


def _usual(position: Position) -> tuple[float, float, float]:
    sigma_m = RANGE_SIGMA_M if position.ce_m is None else max(position.ce_m / 1.51, 1.0)
    return sigma_m**2, sigma_m**2, 0.0
