"""Plots from a file, and the scans they make. The format stands in docs/formats/plots.md."""

import csv
import math
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise

import msgspec
import numpy as np

from aquila.core.errors import UsageError
from aquila.fusion.rows import Floats, Ints
from aquila.fusion.sensor_file import FARTHEST_M, SIGMA_M, Plane, SensorFile
from aquila.fusion.sensors import Scan, Sensor

SLICES_OF_A_TURN = 16
PERIOD_UNSAID_S = 5.0
FASTER_THAN_SAID = 0.15
"""Regular scans at shorter parts of the said period are sectors of one turn."""
COLUMNS = {
    "time": ("time", "t", "time_s"),
    "utc": ("utc", "timestamp"),
    "arrival": ("arrival", "arrival_s"),
    "sensor": ("sensor", "sensor_id"),
    "x": ("x", "x_m"),
    "y": ("y", "y_m"),
    "lat": ("lat", "latitude"),
    "lon": ("lon", "lng", "longitude"),
    "sigma": ("sigma", "sigma_m"),
    "xx": ("xx", "cov_xx"),
    "yy": ("yy", "cov_yy"),
    "xy": ("xy", "cov_xy"),
}


class BadRow(msgspec.Struct, frozen=True):
    """A row that was left out."""

    line: int
    why: str


class PlotFile(msgspec.Struct, frozen=True, kw_only=True):
    """All usable rows of a file, sorted by time."""

    t_s: Floats
    sensor: Ints
    z: Floats
    noise: Floats
    arrival_s: Floats | None
    """When each plot came, if the file says so."""
    sensors: list[Sensor]
    plane: Plane | None
    """None: the file knows no place on Earth."""
    utc: bool
    """Whether times are seconds since 1970."""
    bad: list[BadRow]
    rows: int


class _Reader:
    """Reads rows; the plane may come to be known on the way."""

    def __init__(self, header: list[str], known: SensorFile) -> None:
        names = [name.strip().lower() for name in header]
        self.at = {
            name: names.index(spelling)
            for name, spellings in COLUMNS.items()
            for spelling in spellings[::-1]
            if spelling in names
        }
        has = self.at.keys()
        if "sensor" not in has or not ({"time"} <= has or {"utc"} <= has):
            raise UsageError(
                f"the plots file has the columns {', '.join(names)[:200]}; it needs sensor, and time or utc"
            )
        self.has_xy, self.has_lat_lon = {"x", "y"} <= has, {"lat", "lon"} <= has
        if not self.has_xy and not self.has_lat_lon:
            raise UsageError(f"the plots file has the columns {', '.join(names)[:200]}; it needs x,y or lat,lon")
        self.sensors = list(known.sensors.values())
        self.number = {sensor.name: k for k, sensor in enumerate(self.sensors)}
        self.plane = known.plane

    def field(self, row: list[str], name: str) -> str:
        at = self.at.get(name)
        return row[at].strip() if at is not None and at < len(row) else ""

    def figure(self, row: list[str], name: str, low: float, high: float) -> float | None:
        text = self.field(row, name)
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            raise ValueError(f"{name} is {text[:40]!r}, no number") from None
        if not low <= value <= high:
            raise ValueError(f"{name} is {text[:40]}, allowed is {low:g} to {high:g}")
        return value

    def time_s(self, row: list[str]) -> float:
        t_s = self.figure(row, "time", -1e12, 1e12)
        if t_s is not None:
            return t_s
        text = self.field(row, "utc")
        if not text:
            raise ValueError("it has no time")
        try:
            moment = datetime.fromisoformat(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            raise ValueError(f"utc is {text[:40]!r}, write 2026-11-25T12:00:00Z") from None

    def place(self, row: list[str]) -> tuple[float, float]:
        x, y = (self.figure(row, axis, -FARTHEST_M, FARTHEST_M) for axis in ("x", "y"))
        lat, lon = self.figure(row, "lat", -90, 90), self.figure(row, "lon", -180, 180)
        if lat is not None and lon is not None and self.plane is None and (x is not None or not self.has_xy):
            self.plane = Plane(lat, lon, (x or 0.0, y or 0.0))
        if x is not None and y is not None:
            return x, y
        if lat is None or lon is None:
            raise ValueError("it has no place")
        if self.plane is None:
            raise ValueError('it has lat, lon only, and nothing says where x, y begin: give "origin" with the sensors')
        return self.plane.to_xy(lat, lon)

    def sensor(self, row: list[str]) -> int:
        name = self.field(row, "sensor")
        if not name:
            raise ValueError("it names no sensor")
        if name not in self.number:
            if len(self.number) >= 256:
                raise ValueError(f"sensor {name[:40]!r} would be the 257th")
            self.number[name] = len(self.sensors)
            self.sensors.append(Sensor(name=name))
        return self.number[name]

    def covariance(self, row: list[str], sensor: int) -> tuple[float, float, float]:
        xx, yy = (self.figure(row, name, SIGMA_M[0] ** 2, SIGMA_M[1] ** 2) for name in ("xx", "yy"))
        if xx is not None and yy is not None:
            xy = self.figure(row, "xy", -(SIGMA_M[1] ** 2), SIGMA_M[1] ** 2) or 0.0
            if xy * xy >= xx * yy:
                raise ValueError(f"xx, yy, xy = {xx:g}, {yy:g}, {xy:g} is no covariance")
            return xx, yy, xy
        sigma = self.figure(row, "sigma", *SIGMA_M)
        if sigma is None:
            sigma = self.sensors[sensor].sigma_m
        if sigma is None:
            raise ValueError("it has no sigma, and neither has its sensor")
        return sigma**2, sigma**2, 0.0


def read_plots(lines: Iterable[str], known: SensorFile) -> PlotFile:
    """All usable rows of a CSV with a header; the others are named by line.

    Raises:
        UsageError: There is no header, or columns that nothing can be done without are missing.
    """
    numbered = enumerate(lines, 1)
    header = next((line for _, line in numbered if line.strip()), None)
    if header is None:
        raise UsageError("the plots file is empty: its first line must name the columns, time,sensor,x,y,sigma")
    delimiter = max(",;\t", key=header.count)
    reader = _Reader(_split(header.lstrip("\ufeff"), delimiter), known)
    kept: list[tuple[float, int, float, float, float, float, float, float]] = []
    bad: list[BadRow] = []
    seen: set[tuple[float, int, float, float]] = set()
    rows = 0
    for number, line in numbered:
        if not line.strip():
            continue
        rows += 1
        try:
            row = _split(line, delimiter)
            t_s, place = reader.time_s(row), reader.place(row)
            sensor = reader.sensor(row)
            arrival = reader.figure(row, "arrival", -1e12, 1e12)
            covariance = reader.covariance(row, sensor)
            if (t_s, sensor, *place) in seen:
                raise ValueError("it stands there twice")
        except ValueError as wrong:
            bad.append(BadRow(number, str(wrong)))
            continue
        seen.add((t_s, sensor, *place))
        kept.append((t_s, sensor, *place, *covariance, math.nan if arrival is None else arrival))
    table = np.array(kept, np.float64).reshape(-1, 8)
    table = table[np.argsort(table[:, 0], kind="stable")]
    return PlotFile(
        t_s=table[:, 0],
        sensor=table[:, 1].astype(np.int64),
        z=table[:, 2:4],
        noise=table[:, 4:7],
        arrival_s=np.where(np.isnan(table[:, 7]), table[:, 0], table[:, 7]) if "arrival" in reader.at else None,
        sensors=reader.sensors,
        plane=reader.plane,
        utc="time" not in reader.at,
        bad=bad,
        rows=rows,
    )


def _split(line: str, delimiter: str) -> list[str]:
    line = line.rstrip("\r\n")
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error as wrong:
        raise ValueError(f"it is no CSV: {wrong}") from None


# --- scans -------------------------------------------------------------------------------------


def into_scans(plots: PlotFile) -> list[Scan]:
    """The scans of all sensors, in the order in which they are to be fed.

    Plots of one sensor with one time are a scan. Where an antenna plots one target after the other, a turn is cut
    into slices, so that no plot is moved by more than a fraction of a period.
    """
    fed: list[tuple[float, float, Scan]] = []
    for sensor in range(len(plots.sensors)):
        rows = np.flatnonzero(plots.sensor == sensor)
        if len(rows) == 0:
            continue
        t_s = plots.t_s[rows]
        period_s, sweeps = _period(plots.sensors[sensor].period_s, t_s)
        width_s = period_s / SLICES_OF_A_TURN if sweeps else 0.02 * period_s
        # A hair more, so that a turn that begins where the clock's rounding puts it is not cut in front of it.
        slice_ = np.floor((t_s - t_s[0]) / width_s + 1e-6).astype(np.int64) if sweeps else _groups(t_s, width_s)
        turn = slice_ // SLICES_OF_A_TURN
        bounds = np.r_[0, np.flatnonzero(np.diff(slice_)) + 1, len(rows)].tolist()
        for start, stop in pairwise(bounds):
            at_s, part = float(t_s[start:stop].mean() if sweeps else t_s[stop - 1]), rows[start:stop]
            ends = not sweeps or stop == len(rows) or bool(turn[stop] != turn[start])
            turn_s = float(t_s[0] + turn[start] * period_s - 1e-6 * width_s) if sweeps else None
            scan = Scan(at_s, sensor, plots.z[part], plots.noise[part], turn_s, ends)
            arrival = at_s if plots.arrival_s is None else float(plots.arrival_s[part].max())
            fed.append((arrival, at_s, scan))
    fed.sort(key=lambda one: (one[0], one[1], one[2].sensor))
    return [scan for _, _, scan in fed]


def _period(said_s: float | None, t_s: Floats) -> tuple[float, bool]:
    """A sensor's period, and whether its plots come one after the other within it."""
    times = np.unique(t_s)
    if len(times) < 2:
        return said_s or PERIOD_UNSAID_S, False
    gaps = np.diff(times)
    usual = float(np.median(gaps))
    together = len(t_s) / len(times) >= 1.5
    regular = float(np.quantile(gaps, 0.1)) > 0.5 * usual
    if said_s is not None and together and regular and usual > FASTER_THAN_SAID * said_s:
        return usual, False  # whole scans, only more often than was said
    if said_s is not None:
        return said_s, usual < 0.5 * said_s
    return (usual, False) if together or regular else (PERIOD_UNSAID_S, True)


def _groups(t_s: Floats, width_s: float) -> Ints:
    """Which plots are of one scan: sorted times, numbered by groups none of which is longer than the width."""
    group = np.zeros(len(t_s), np.int64)
    start = number = 0
    while start < len(t_s):
        stop = int(np.searchsorted(t_s, t_s[start] + width_s, side="right"))
        group[start:stop] = number
        start, number = stop, number + 1
    return group
