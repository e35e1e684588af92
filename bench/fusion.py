"""The tracker beside Stone Soup and beside what it should reach, one thread, CPU time, both sides in one run.

    python bench/fusion.py [--json FILE] [--only sa,capacity,bias,late,ships,fences,wrong,numpy] [--quick]

Settings were tuned on the seeds 101 to 103 only; what is reported here are the seeds 1 to 5. Both sides are judged by
the same functions (`aquila.fusion.quality`), with the tracks each shows after every scan. Stone Soup's GNN uses neither
the true Pd nor the clutter density; ours is told both, and the rows `wrong` show what it does when they are wrong.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import shapely
from _fusion_peer import run_stone_soup

from aquila.fusion.correlate import Correlator
from aquila.fusion.geofence import Geofences
from aquila.fusion.pipeline import Fusion
from aquila.fusion.quality import Quality, Sample, anees, judge
from aquila.fusion.scenes import Scene, SceneSettings, make_bias_scene, make_scene
from aquila.fusion.sensors import Sensor
from aquila.fusion.settings import Settings
from aquila.fusion.ship_scenes import Ships, pair_f1
from aquila.fusion.timeline import Timeline
from aquila.fusion.tracker import Tracker

CUTOFF_M = 500.0
HARD = Settings(hard=True, births_per_clutter=0.05)
rows: list[dict[str, Any]] = []


def say(what: str, **figures: Any) -> None:
    """One row of the result, printed as it is found."""
    rows.append({"what": what} | figures)
    print(
        f"{what:44s}", *(f"{k}={v:.4g}" if isinstance(v, float) else f"{k}={v}" for k, v in figures.items()), flush=True
    )


def judged(scene: Scene, pictures: list[tuple[float, list[Any], np.ndarray]], from_s: float | None = None) -> Quality:
    from_s = min(20.0, 0.6 * scene.settings.seconds) if from_s is None else from_s
    samples = []
    for t_s, ids, xy in pictures:
        if t_s >= from_s:
            who, truth = scene.truth(t_s)
            samples.append(Sample(t_s, who.tolist(), truth, ids, xy))
    found = judge(samples, CUTOFF_M)
    assert found is not None
    return found


def run_ours(
    scene: Scene, settings: Settings | None = None, sensors: list[Sensor] | None = None, compiled: bool | None = None
) -> tuple[list[tuple[float, list[Any], np.ndarray]], float, list[float]]:
    tracker = Tracker(sensors or scene.sensors, settings, compiled=compiled)
    pictures, cpu_s, walls = [], 0.0, []
    for scan in scene.scans:
        start, wall = time.process_time(), time.perf_counter()
        tracker.scan(scan)
        picture = tracker.picture()
        cpu_s += time.process_time() - start
        walls.append(time.perf_counter() - wall)
        ids = list(zip(picture.born_t.tolist(), picture.born_n.tolist(), strict=True))
        pictures.append((scan.t_s, ids, picture.x[:, :2]))
    return pictures, cpu_s, walls


def spread(values: list[float]) -> str:
    return f"{np.mean(values):.4g}±{np.std(values):.2g}"


def compare(label: str, scenes: list[Scene], peer: bool = True) -> None:
    """Stone Soup and both our modes on the same scenes."""
    sides: dict[str, Callable[[Scene], tuple[Any, ...]]] = {
        "LBP": lambda scene: run_ours(scene),
        "GNN": lambda scene: run_ours(scene, HARD),
    }
    if peer:
        sides = {"Stone Soup": run_stone_soup} | sides
    base: tuple[float, float] | None = None
    for name, run in sides.items():
        found, speeds = [], []
        for scene in scenes:
            pictures, cpu_s, *_ = run(scene)
            found.append(judged(scene, pictures))
            speeds.append(scene.plots / cpu_s)
        gospa = float(np.mean([one.gospa_n_m for one in found]))
        base = base or (float(np.mean(speeds)), gospa)
        say(
            f"{label}: {name}",
            plots_per_cpu_s=spread(speeds),
            gospa_n=spread([one.gospa_n_m for one in found]),
            rms=float(np.mean([one.rms_m or 0.0 for one in found])),
            C=float(np.mean([one.completeness or 0.0 for one in found])),
            S=float(np.mean([one.spurious or 0.0 for one in found])),
            switches=float(np.mean([one.switches_per_target_min for one in found])),
            times=float(np.mean(speeds)) / base[0],
            gospa_ratio=gospa / base[1],
        )


def bench_sa(quick: bool) -> None:
    seeds = (1, 2) if quick else (1, 2, 3, 4, 5)
    compare("S-A 100", [make_scene(SceneSettings(), seed) for seed in seeds])
    few = SceneSettings(spacing_m=1200.0)
    compare("S-A dense 100", [make_scene(few, seed) for seed in seeds[:3]])
    compare("S-A weak 100", [make_scene(SceneSettings(pds=(0.7, 0.7, 0.7)), seed) for seed in seeds[:3]])
    many = SceneSettings(targets=1000, seconds=16.0 if quick else 32.0)
    compare(
        "S-A 1000", [make_scene(many, seed) for seed in seeds[:1] if quick] or [make_scene(many, s) for s in (1, 2)]
    )


def bench_capacity(quick: bool) -> None:
    for targets, seconds in ((10_000, 40.0), (100_000, 10.0 if quick else 20.0)):
        scene = make_scene(SceneSettings(targets=targets, seconds=seconds), 1)
        for name, settings in (("LBP", Settings()), ("GNN", HARD)):
            pictures, cpu_s, walls = run_ours(scene, settings)
            found = judged(scene, pictures)
            say(
                f"capacity {targets}: {name}",
                plots_per_cpu_s=scene.plots / cpu_s,
                real_time=seconds / cpu_s,
                ms_median=1e3 * float(np.median(walls)),
                ms_p99=1e3 * float(np.quantile(walls, 0.99)),
                gospa_n=found.gospa_n_m,
                C=found.completeness or 0.0,
            )


def bench_wrong(quick: bool) -> None:
    """What the sensors file says is off: clutter by a factor, Pd, or nothing is said at all."""
    scenes = [make_scene(SceneSettings(), seed) for seed in ((1, 2) if quick else (1, 2, 3, 4, 5))]
    changes: dict[str, Callable[[Sensor], Sensor]] = {"right": lambda sensor: sensor}
    for factor in (0.1, 10.0):
        changes[f"clutter x {factor:g}"] = lambda sensor, f=factor: msgspec.structs.replace(
            sensor, clutter_density=sensor.clutter_density * f
        )
    changes["Pd .6"] = lambda sensor: msgspec.structs.replace(sensor, pd=0.6)
    changes["nothing said"] = lambda sensor: msgspec.structs.replace(sensor, pd=None, clutter_density=None)
    for name, change in changes.items():
        found = [judged(s, run_ours(s, sensors=[change(one) for one in s.sensors])[0]) for s in scenes]
        say(f"wrong: {name}", gospa_n=spread([one.gospa_n_m for one in found]))


def bench_bias(quick: bool) -> None:
    for targets in (200,) if quick else (200, 1000):
        for mode in ("none", "online", "oracle"):
            found, off = [], []
            for seed in (1, 2, 3):
                scene = make_bias_scene(targets, seed, biased=mode != "oracle")
                sensors = scene.sensors
                if mode != "online":
                    sensors = [msgspec.structs.replace(one, bias="none") for one in sensors]
                fusion = Fusion(sensors, [20.0, 80.0, 80.0])
                pictures = []
                for scan in scene.scans:
                    fusion.take(scan)
                    numbers, picture = fusion.picture()
                    pictures.append((scan.t_s, numbers, picture.x[:, :2]))
                found.append(judged(scene, pictures, 60.0))
                first, second = fusion.biases[1].bias, fusion.biases[2].bias
                off.append((abs(first.first - 120) + abs(second.first + 80)) / 2)
            extra = {"bias_off_m": float(np.mean(off))} if mode == "online" else {}
            say(
                f"bias {targets}: {mode}",
                gospa_n=float(np.mean([one.gospa_n_m for one in found])),
                rms=float(np.mean([one.rms_m or 0.0 for one in found])),
                C=float(np.mean([one.completeness or 0.0 for one in found])),
                **extra,
            )


def bench_late(quick: bool) -> None:
    for targets in (200,) if quick else (200, 2000):
        figures: dict[str, list[float]] = {}
        longest, same = 0.0, True
        for seed in (1, 2, 3):
            scene = make_scene(SceneSettings(targets=targets, seconds=100.0), seed)
            rng = np.random.default_rng(seed)
            late = [scan.t_s + (rng.uniform(3, 8) if rng.random() < 0.3 else 0.0) for scan in scene.scans]
            straight = Tracker(scene.sensors)
            for scan in scene.scans:
                straight.scan(scan)
            for mode in ("no delay", "dropped", "replayed"):
                timeline = Timeline(Tracker(scene.sensors))
                newest, pictures = -1.0, []
                arrivals = [scan.t_s for scan in scene.scans] if mode == "no delay" else late
                for k in np.argsort(arrivals, kind="stable"):
                    start = time.perf_counter()
                    if mode != "dropped" or scene.scans[k].t_s >= newest:
                        timeline.offer(scene.scans[k])
                    longest = max(longest, time.perf_counter() - start)
                    newest = max(newest, scene.scans[k].t_s)
                    if arrivals[k] < 99.0:
                        picture = timeline.tracker.picture(arrivals[k])
                        ids = list(zip(picture.born_t.tolist(), picture.born_n.tolist(), strict=True))
                        pictures.append((arrivals[k], ids, picture.x[:, :2]))
                figures.setdefault(mode, []).append(judged(scene, pictures).gospa_n_m)
                if mode == "replayed":
                    one, other = straight.picture(), timeline.tracker.picture()
                    same &= one.x.tobytes() == other.x.tobytes() and (one.born_n == other.born_n).all()
        for mode, values in figures.items():
            say(f"late {targets}: {mode}", gospa_n=float(np.mean(values)))
        say(f"late {targets}: replay", bit_exact=bool(same), longest_ms=1e3 * longest)


def bench_ships(quick: bool) -> None:
    cases = ((500, 0.16, (60.0, -40.0)), (500, 0.16, (200.0, -120.0)), (500, 0.0625, (60.0, -40.0)))
    for ships, area, offset in cases:
        for phones in (0.0, 0.5):
            scores, spent, fused = [], [], []
            for seed in (1,) if quick else (1, 2, 3):
                scene, correlator = Ships(seed, ships, area, offset, phones), Correlator()
                for epoch in range(60):
                    sources = scene.step()
                    start = time.process_time()
                    groups = correlator.update(sources)
                    spent.append(time.process_time() - start)
                    if epoch >= 30:
                        scores.append(pair_f1(groups, sources))
                        truth = scene.truth()
                        right = [g for g in groups if len({name for _, name in g.members}) == 1]
                        error = np.array([g.x - truth[int(g.members[0][1])] for g in right])
                        fused.append(anees(error[:, :2], np.array([g.cov for g in right])[:, :2, :2]))
            say(
                f"ships {ships}, {area:g} km2 each, offset {offset[0]:g}, phones {phones:g}",
                f1=float(np.mean(scores)),
                anees=float(np.mean([one for one in fused if one is not None])),
                ms_per_epoch=1e3 * float(np.mean(spent)),
            )


def bench_fences(quick: bool) -> None:
    rng = np.random.default_rng(1)
    areas = []
    for _ in range(1000):
        angle = np.sort(rng.uniform(0, 2 * np.pi, 33))
        radius = rng.uniform(0.1, 0.4) * rng.uniform(0.5, 1, 33)
        x, y = rng.uniform(-10, 10, 2)
        areas.append(
            shapely.make_valid(
                shapely.Polygon(np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)]))
            )
        )
    xy = rng.uniform(-10.5, 10.5, (10_000, 2))
    for compiled in (True, False):
        fences = Geofences(areas, degrees=True, compiled=compiled)
        fences.inside(xy)
        moving, ticks, found, walk = xy.copy(), 60, 0, np.random.default_rng(2)
        start = time.process_time()
        for _ in range(ticks):
            moving += walk.normal(0, 0.01, moving.shape)
            found += len(fences.inside(moving)[0])
        spent = time.process_time() - start
        say(
            f"fences 10000 x 1000: {'compiled' if compiled else 'without a compiler'}",
            updates_per_cpu_s=ticks * len(xy) / spent,
            inside=found,
        )


def bench_numpy(quick: bool) -> None:
    """The same tracker without a compiler."""
    for targets in (100, 1000):
        scene = make_scene(SceneSettings(targets=targets, seconds=32.0), 1)
        for compiled in (True, False):
            _, cpu_s, _ = run_ours(scene, compiled=compiled)
            say(f"{targets} targets, {'compiled' if compiled else 'numpy'}", plots_per_cpu_s=scene.plots / cpu_s)


PARTS = {
    "sa": bench_sa,
    "capacity": bench_capacity,
    "wrong": bench_wrong,
    "bias": bench_bias,
    "late": bench_late,
    "ships": bench_ships,
    "fences": bench_fences,
    "numpy": bench_numpy,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", default=",".join(PARTS), help="comma-separated: " + ", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="fewer seeds, shorter scenes")
    options = parser.parse_args()
    warm = make_scene(SceneSettings(targets=20, seconds=20.0), 9)
    for settings in (Settings(), HARD):
        run_ours(warm, settings)  # compile before the clock starts
    for name in options.only.split(","):
        PARTS[name](options.quick)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
