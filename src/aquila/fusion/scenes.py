"""Seeded scenes with known truth: manoeuvring targets, asynchronous sensors, clutter. For tests, bench and the demo."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from aquila.fusion.sensors import Scan, Sensor

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEP_S = 0.5


class SceneSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The scene "S-A" of the bench; every figure may be changed."""

    targets: int = 100
    seconds: float = 80.0
    spacing_m: float = 3000.0
    """The square has a side of this times the root of `targets`."""
    speed_m_s: tuple[float, float] = (40.0, 250.0)
    turn_deg_s: float = 3.0
    leg_s: tuple[float, float] = (30.0, 90.0)
    turning_s: tuple[float, float] = (15.0, 40.0)
    periods_s: tuple[float, ...] = (4.0, 5.0, 6.0)
    sigmas_m: tuple[float, ...] = (30.0, 50.0, 80.0)
    pds: tuple[float, ...] = (0.9, 0.9, 0.9)
    clutter_per_target: tuple[float, ...] = (0.5, 0.5, 0.5)


class Scene(msgspec.Struct, frozen=True):
    """What really happened and what the sensors plotted."""

    settings: SceneSettings
    path: Floats
    """x, y of every target at every step, shape (steps, targets, 2)."""
    born_s: Floats
    gone_s: Floats
    sensors: list[Sensor]
    scans: list[Scan]

    @property
    def plots(self) -> int:
        """Number of all plots."""
        return sum(len(scan.z) for scan in self.scans)

    def truth(self, t_s: float) -> tuple[Ints, Floats]:
        """Who is there at `t_s`, and where: numbers, and x, y of shape (n, 2)."""
        step = min(int(t_s / STEP_S), len(self.path) - 2)
        share = t_s / STEP_S - step
        there = np.flatnonzero((self.born_s <= t_s) & (self.gone_s > t_s))
        return there, (self.path[step] * (1 - share) + self.path[step + 1] * share)[there]


def make_scene(settings: SceneSettings, seed: int) -> Scene:
    """A scene from its seed."""
    rng = np.random.default_rng(seed)
    side = settings.spacing_m * np.sqrt(settings.targets)
    path = _drive(settings, side, rng)
    n, end = settings.targets, settings.seconds
    born = np.where(rng.random(n) < 0.7, 0, rng.uniform(0, end * 0.6, n))
    gone = np.where(rng.random(n) < 0.8, end + 1, rng.uniform(end * 0.5, end, n))
    gone = np.maximum(gone, born + 20)
    scene = Scene(settings, path, born, gone, [], [])
    rows = zip(settings.periods_s, settings.sigmas_m, settings.pds, settings.clutter_per_target, strict=True)
    for number, (period, sigma, pd, clutter) in enumerate(rows):
        scene.sensors.append(
            Sensor(
                name=f"radar-{number + 1}",
                pd=pd,
                clutter_density=clutter * n / side**2,
                period_s=period,
                sigma_m=sigma,
            )
        )
        for t in np.arange(0.3 + 0.7 * number, end, period):
            if int(t / STEP_S) + 1 >= len(path):
                continue
            _, xy = scene.truth(float(t))
            xy = xy[rng.random(len(xy)) < pd]
            xy = xy + rng.normal(0, sigma, xy.shape)
            z = np.r_[xy, rng.uniform(0, side, (rng.poisson(clutter * n), 2))]
            z = z[rng.permutation(len(z))]
            scene.scans.append(Scan(float(t), number, z, np.tile([sigma**2, sigma**2, 0.0], (len(z), 1))))
    scene.scans.sort(key=lambda scan: scan.t_s)
    return scene


def _drive(settings: SceneSettings, side: float, rng: np.random.Generator) -> Floats:
    n = settings.targets
    steps = int(settings.seconds / STEP_S) + 1
    path = np.empty((steps, n, 2))
    xy = rng.uniform(0, side, (n, 2))
    speed = rng.uniform(*settings.speed_m_s, n)
    heading = rng.uniform(0, 2 * np.pi, n)
    rate = np.zeros(n)
    left = rng.uniform(0, 60, n)
    turning = np.zeros(n, bool)
    for step in range(steps):
        path[step] = xy
        left -= STEP_S
        over = left <= 0
        if over.any():
            k = int(over.sum())
            turning[over] = ~turning[over]
            limit = np.deg2rad(settings.turn_deg_s)
            rate[over] = np.where(turning[over], rng.uniform(-limit, limit, k), 0)
            left[over] = np.where(turning[over], rng.uniform(*settings.turning_s, k), rng.uniform(*settings.leg_s, k))
        heading = heading + rate * STEP_S
        xy = xy + np.column_stack([np.cos(heading), np.sin(heading)]) * speed[:, None] * STEP_S
        out = (xy < 0) | (xy > side)
        heading = np.where(out[:, 0], np.pi - heading, heading)
        heading = np.where(out[:, 1], -heading, heading)
        xy = np.clip(xy, 0, side)
    return path


class Radar(msgspec.Struct, frozen=True, kw_only=True):
    """A biased radar of the bias scene."""

    at: tuple[float, float]
    """Share of the side."""
    period_s: float
    bias_m: float
    bias_deg: float


RADARS = (
    Radar(at=(0.3, 0.4), period_s=4.0, bias_m=120.0, bias_deg=0.5),
    Radar(at=(0.7, 0.65), period_s=6.0, bias_m=-80.0, bias_deg=-0.4),
)


def make_bias_scene(targets: int, seed: int, seconds: float = 160.0, *, biased: bool = True) -> Scene:
    """The scene "S-B": reports of satellite navigation from 60 % of the targets, and two radars that are off."""
    settings = SceneSettings(targets=targets, seconds=seconds, periods_s=(), sigmas_m=(), pds=(), clutter_per_target=())
    scene = make_scene(settings, seed)
    rng = np.random.default_rng(seed + 10_000)
    side = settings.spacing_m * np.sqrt(targets)
    equipped = rng.random(targets) < 0.6
    scene.sensors.append(Sensor(name="gnss", pd=0.6, clutter_density=0.0, period_s=5.0, bias="none"))
    for t in np.arange(0.5, seconds - STEP_S, 5.0):
        who, xy = scene.truth(float(t))
        xy = xy[equipped[who] & (rng.random(len(who)) < 0.95)]
        z = xy + rng.normal(0, 20, xy.shape)
        scene.scans.append(Scan(float(t), 0, z, np.tile([400.0, 400.0, 0.0], (len(z), 1))))
    for number, radar in enumerate(RADARS, 1):
        site = np.array(radar.at) * side
        density = 0.3 * targets / side**2
        position = float(site[0]), float(site[1])
        scene.sensors.append(
            Sensor(name=f"radar-{number}", pd=0.9, clutter_density=density, period_s=radar.period_s, position=position)
        )
        for t in np.arange(0.3 + number, seconds - STEP_S, radar.period_s):
            _, xy = scene.truth(float(t))
            xy = xy[rng.random(len(xy)) < 0.9]
            false = rng.uniform(0, side, (rng.poisson(0.3 * targets), 2))
            scene.scans.append(_radar_scan(float(t), number, np.r_[xy, false] - site, site, radar, rng, biased))
    scene.scans.sort(key=lambda scan: scan.t_s)
    return scene


def _radar_scan(
    t_s: float, number: int, offset: Floats, site: Floats, radar: Radar, rng: np.random.Generator, biased: bool
) -> Scan:
    sigma_m, sigma_rad = 50.0, np.deg2rad(0.1)
    off_m, off_rad = (radar.bias_m, np.deg2rad(radar.bias_deg)) if biased else (0.0, 0.0)
    range_m = np.hypot(*offset.T) + off_m + rng.normal(0, sigma_m, len(offset))
    azimuth = np.arctan2(offset[:, 0], offset[:, 1]) + off_rad + rng.normal(0, sigma_rad, len(offset))
    along, across = sigma_m**2, (range_m * sigma_rad) ** 2
    sin, cos = np.sin(azimuth), np.cos(azimuth)
    noise = np.column_stack(
        [along * sin**2 + across * cos**2, along * cos**2 + across * sin**2, (along - across) * sin * cos]
    )
    return Scan(t_s, number, site + range_m[:, None] * np.column_stack([sin, cos]), noise)
