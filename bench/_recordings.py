"""Public recordings of real traffic: where they come from, how they are read, and how radars are laid over them.

Real: every position, its time, the manoeuvres, the gaps, who is near whom. Added by seed: noise of the plots, misses,
clutter. The identity in the recording (ICAO address, MMSI) is the truth and is hidden from every tracker.
"""

import csv
import gzip
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from pyproj import Proj

from aquila.fusion.sensors import Scan, Sensor

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROOT = Path(__file__).parents[1]
KEPT = ROOT / ".dev" / "recordings"
CLOSE_S = 2.0
"""A recording this dense (median) gives plots at its own times only; a thinner one between its reports."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A recording inside a package of the Python package index."""

    package: str
    version: str
    path: str
    """Inside the package."""
    sha256: str
    kind: str
    licence: str
    """Of the package, and what is known of the data themselves."""


SOURCES = {
    "aircraft": Source(
        package="traffic",
        version="2.13",
        path="traffic/data/samples/collections/quickstart.json.gz",
        sha256="0ef1a97f6b96c31a58e2d9cf58af01a90016eb97472f37718dcba3913c682403",
        kind="aircraft",
        licence="MIT (package `traffic`); state vectors of the OpenSky Network, whose own terms allow research:"
        " fetched, never redistributed here",
    ),
    "ships": Source(
        package="tracktable-data",
        version="1.7.3.1",
        path="tracktable_data/python_example_data/NYHarbor_2020_06_30_first_hour.csv",
        sha256="5b81f49dae4063dca6170a9b96dfcf5d10d680edc1529bbe68170180b23a8329",
        kind="ship",
        licence="BSD-2-Clause (package `tracktable-data`); AIS of the U.S. Coast Guard as MarineCadastre.gov publishes"
        " it, without constraints on access or use",
    ),
}


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """How a kind of traffic is watched and judged. The figures of aircraft are those of R-1 in the notes on fusion."""

    periods_s: tuple[float, float]
    sigmas_m: tuple[float, float]
    cutoff_m: float
    truth_gap_s: float
    """Between two reports at most this far apart a target was there, on the straight line between them."""
    reach_m: float
    """Reports farther from the middle of all are left out: a harbour, not its coast, and no broken receiver."""
    v_max_m_s: float
    """A report that asks for more from both its neighbours is an error."""


MANNERS = {
    "aircraft": Manner(
        periods_s=(5.0, 8.0), sigmas_m=(80.0, 150.0), cutoff_m=1000.0, truth_gap_s=30.0, reach_m=400e3, v_max_m_s=400.0
    ),
    "ship": Manner(
        periods_s=(10.0, 12.0), sigmas_m=(20.0, 40.0), cutoff_m=150.0, truth_gap_s=200.0, reach_m=10e3, v_max_m_s=40.0
    ),
}
PD = 0.9
COLUMNS = {
    "who": ("icao24", "hex", "mmsi", "id"),
    "time": ("timestamp", "# timestamp", "basedatetime", "time"),
    "lat": ("lat", "latitude", "latitude_degrees"),
    "lon": ("lon", "longitude", "longitude_degrees"),
}


class Recording(msgspec.Struct, frozen=True):
    """Reports in a local plane, by target and time. Row k of every array is the same report."""

    manner: Manner
    who: Ints
    """Number of the target, ascending."""
    t_s: Floats
    """Seconds since the first report of all, ascending within a target."""
    xy: Floats
    """East, north in metres, shape (n, 2)."""
    left_out: int
    """Reports that could not be read, lie too far off or are impossible."""

    @property
    def targets(self) -> int:
        """How many targets there are."""
        return int(self.who[-1]) + 1

    @property
    def own_times(self) -> bool:
        """Whether plots are made at the recording's own times only."""
        steps = np.diff(self.t_s)[np.diff(self.who) == 0]
        return bool(np.median(steps) <= CLOSE_S)

    def _around(self, t_s: float) -> tuple[Ints, Ints]:
        """Rows of each target's last report up to `t_s` and of the one after it; only targets that have both."""
        span = float(self.t_s.max()) + 1
        before = np.searchsorted(self.who * span + self.t_s, np.arange(self.targets) * span + t_s, "right") - 1
        after = np.minimum(before + 1, len(self.who) - 1)
        own = np.arange(self.targets)
        both = (before >= 0) & (self.who[before] == own) & (self.who[after] == own) & (after > before)
        return before[both], after[both]

    def truth(self, t_s: float) -> tuple[Ints, Floats]:
        """Who is there at `t_s`, and where: numbers, and x, y of shape (n, 2)."""
        before, after = self._around(t_s)
        gap = self.t_s[after] - self.t_s[before]
        known = gap <= self.manner.truth_gap_s
        before, after, gap = before[known], after[known], gap[known]
        share = ((t_s - self.t_s[before]) / gap)[:, None]
        return self.who[before], self.xy[before] * (1 - share) + self.xy[after] * share

    def reported(self, t_s: float) -> Floats:
        """Positions that the recording itself has within half a second of `t_s`, shape (n, 2)."""
        before, after = self._around(t_s)
        nearer = np.where(self.t_s[after] - t_s < t_s - self.t_s[before], after, before)
        return self.xy[nearer[np.abs(self.t_s[nearer] - t_s) <= 0.5]]


class RealScene(msgspec.Struct, frozen=True):
    """A window of a recording as two radars plot it."""

    recording: Recording
    start_s: float
    sensors: list[Sensor]
    scans: list[Scan]

    @property
    def plots(self) -> int:
        """Number of all plots."""
        return sum(len(scan.z) for scan in self.scans)

    def truth(self, t_s: float) -> tuple[Ints, Floats]:
        """Who is there, `t_s` after the window's start, and where."""
        return self.recording.truth(self.start_s + t_s)


def make_real_scene(recording: Recording, start_s: float, seconds: float, seed: int, clutter: float) -> RealScene:
    """Two radars over a window: plots with noise, misses and `clutter` false plots per target and scan, by seed."""
    rng = np.random.default_rng(seed)
    manner = recording.manner
    times = np.arange(start_s, start_s + seconds, 10.0)
    there = [recording.truth(float(t))[1] for t in times]
    every = np.concatenate(there)
    low, high = every.min(axis=0), every.max(axis=0)
    scene = RealScene(recording, start_s, [], [])
    for number, (period_s, sigma_m) in enumerate(zip(manner.periods_s, manner.sigmas_m, strict=True)):
        # Nothing is said of detection and clutter: neither side knows them.
        scene.sensors.append(Sensor(name=f"radar-{number + 1}", period_s=period_s, sigma_m=sigma_m))
        for t in np.arange(1.0 + 2 * number, seconds, period_s):
            at_s = start_s + float(t)
            xy = recording.reported(at_s) if recording.own_times else recording.truth(at_s)[1]
            xy = xy[rng.random(len(xy)) < PD]
            xy = xy + rng.normal(0, sigma_m, xy.shape)
            z = np.r_[xy, rng.uniform(low, high, (rng.poisson(clutter * len(every) / len(times)), 2))]
            z = z[rng.permutation(len(z))]
            scene.scans.append(Scan(float(t), number, z, np.tile([sigma_m**2, sigma_m**2, 0.0], (len(z), 1))))
    scene.scans.sort(key=lambda scan: scan.t_s)
    return scene


# --- getting and reading -----------------------------------------------------------------------------------------


def fetch(source: Source) -> Path:
    """The recording's file, taken out of its package once and proved by its checksum.

    Raises:
        ValueError: The package could not be had, or its file is another than the one measured.
    """
    kept = KEPT / Path(source.path).name
    if not kept.exists():
        with tempfile.TemporaryDirectory() as folder:
            _install(f"{source.package}=={source.version}", folder)
            KEPT.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path(folder) / source.path, kept)
    found = hashlib.sha256(kept.read_bytes()).hexdigest()
    if found != source.sha256:
        raise ValueError(f"{kept} has SHA-256 {found}, measured was {source.sha256}: delete it and run again")
    return kept


def _install(wanted: str, folder: str) -> None:
    """Unpack a package into a folder without its dependencies; nothing of it is ever imported."""
    uv = ROOT / ".dev" / "uv" / "bin" / "uv"
    tool = [str(uv), "pip"] if uv.exists() else [sys.executable, "-m", "pip"]
    words = [*tool, "install", "--quiet", "--no-deps", "--target", folder, wanted]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(f"{wanted} could not be had; take its file elsewhere and give it by --file:\n{done.stderr}")


def read(path: Path, kind: str) -> Recording:
    """A recording from CSV with a heading, or from a JSON list of objects; either may be gzipped.

    Raises:
        ValueError: The file has no column for who, when or where, or no report that can be read.
    """
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else path.open(encoding="utf-8-sig", newline="")
    with opened as text:
        rows: Iterable[dict[str, Any]] = json.load(text) if ".json" in path.suffixes else csv.DictReader(text)
        reports, bad = _reports(rows, path)
    if not reports:
        raise ValueError(f"{path} has no report that can be read ({bad} rows)")
    return _recording(reports, bad, MANNERS[kind], stale=kind == "aircraft")


def _reports(rows: Iterable[dict[str, Any]], path: Path) -> tuple[list[tuple[str, float, float, float]], int]:
    found, bad, names = [], 0, None
    for row in rows:
        names = names or _names(list(row), path)
        if row.get("onground") in (True, "True", "true"):
            continue  # No radar of these follows what taxies.
        try:
            who, lat, lon = str(row[names["who"]]).strip(), float(row[names["lat"]]), float(row[names["lon"]])
            found.append((who, _seconds(row[names["time"]]), lat, lon))
        except (TypeError, ValueError):
            bad += 1
    return found, bad


def _names(columns: list[str], path: Path) -> dict[str, str]:
    """Which column says who, when and where."""
    lower = {name.strip().lower(): name for name in columns}
    found = {what: next((lower[one] for one in known if one in lower), "") for what, known in COLUMNS.items()}
    missing = [f"{what} (one of {', '.join(COLUMNS[what])})" for what, name in found.items() if not name]
    if missing:
        raise ValueError(f"{path} has no column for {'; '.join(missing)}; it has {', '.join(columns)}")
    return found


def _seconds(value: Any) -> float:
    """A time as seconds since 1970: a number of seconds or milliseconds, ISO 8601, or 31/12/2026 23:59:59."""
    try:
        number = float(value)
    except ValueError:
        when = (
            datetime.strptime(value, "%d/%m/%Y %H:%M:%S").replace(tzinfo=UTC)
            if value[2:3] == "/"
            else datetime.fromisoformat(value)
        )
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    return number / 1e3 if number > 1e11 else number


def _recording(reports: list[tuple[str, float, float, float]], bad: int, manner: Manner, *, stale: bool) -> Recording:
    """Reports into the plane. `stale`: a position that repeats is the last one once more, not a new one."""
    _, who = np.unique([one[0] for one in reports], return_inverse=True)
    t, lat, lon = np.array([one[1:] for one in reports]).T
    x, y = Proj(proj="aeqd", lat_0=float(np.median(lat)), lon_0=float(np.median(lon)), ellps="WGS84")(lon, lat)
    xy = np.column_stack([x, y])
    fine = np.isfinite(xy).all(axis=1) & (np.hypot(*xy.T) < manner.reach_m)
    order = np.lexsort((t, who))
    order = order[fine[order]]
    kept = np.concatenate(list(_kept(who[order], t[order], xy[order], manner.v_max_m_s, stale)))
    rows = order[kept]
    _, number = np.unique(who[rows], return_inverse=True)
    repeated = len(order) - len(kept)
    return Recording(
        manner,
        number.astype(np.int64),
        t[rows] - t[rows].min(),
        xy[rows],
        bad + int((~fine).sum()) + repeated * (not stale),
    )


def _kept(who: NDArray[Any], t: Floats, xy: Floats, v_max_m_s: float, stale: bool) -> Iterator[Ints]:
    """Rows of each target that are new and possible."""
    for rows in np.split(np.arange(len(who)), np.flatnonzero(np.diff(who)) + 1):
        later = np.r_[True, np.diff(t[rows]) > 0]
        if stale:
            later &= np.r_[True, (np.diff(xy[rows], axis=0) != 0).any(axis=1)]
        rows = rows[later]
        step = np.hypot(*np.diff(xy[rows], axis=0).T) > v_max_m_s * np.diff(t[rows]) + v_max_m_s
        yield rows[~(np.r_[step, step[-1:]] & np.r_[step[:1], step])] if len(rows) > 1 else rows
