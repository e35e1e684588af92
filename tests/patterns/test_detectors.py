"""Patterns of movement, judged on generated scenes whose labels come from the story that was played."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from aquila.fusion.patterns import KINDS, Thresholds, Watcher, apart_m, rows_of
from aquila.testing.movers import SPAN_S, Scene, Story, play

JUDGED_SEEDS = range(9201, 9204)
"""Thresholds were chosen on seeds 1 to 3 only."""
START_MS = 1_795_000_000_000
F1_MIN = 0.95


def found(scene: Scene) -> list[Story]:
    """What the watcher finds: from its beginning until it said that it is over, else until the end."""
    watcher, want, open_ = Watcher(), Thresholds(), {}
    watcher.begin(rows_of(range(len(scene.places))), np.zeros(len(scene.places), np.bool_))
    done: list[Story] = []
    for at_s, places in scene.steps():
        now_ms = START_MS + at_s * 1000
        rows = np.flatnonzero(np.isfinite(places[:, 0]))
        heard = watcher.hear(rows, places[rows, 0], places[rows, 1], np.full(len(rows), now_ms), now_ms, want)
        for each in [*heard, *watcher.look(now_ms, want)]:
            since_s = (each.since_ms - START_MS) / 1000
            if each.kind == "jump":
                done.append(Story("jump", each.rows, since_s, since_s))
            elif each.is_over:
                done.append(Story(each.kind, each.rows, open_.pop((each.kind, each.rows)), at_s))
            else:
                open_[each.kind, each.rows] = since_s
                assert each.places, "every finding brings its evidence"
                assert each.measured
    return done + [Story(kind, rows, since_s, SPAN_S) for (kind, rows), since_s in open_.items()]


def overlap(a: Story, b: Story) -> float:
    if a.kind == "jump":
        return float(abs(a.from_s - b.from_s) <= 60)
    common = min(a.until_s, b.until_s) - max(a.from_s, b.from_s)
    return common / (max(a.until_s, b.until_s) - min(a.from_s, b.from_s))


def judge(seeds: range) -> dict[str, Counter[str]]:
    """True, false and missed findings by kind: right actors, and at least half of the time in common."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for seed in seeds:
        scene = play(seed)
        left = list(scene.stories)
        for each in found(scene):
            fits = [s for s in left if s.kind == each.kind and s.movers == each.movers and overlap(s, each) >= 0.5]
            counts[each.kind]["true" if fits else "false"] += 1
            if fits:
                left.remove(fits[0])
        for story in left:
            counts[story.kind]["missed"] += 1
    return counts


def f1(count: Counter[str]) -> float:
    return 2 * count["true"] / (2 * count["true"] + count["false"] + count["missed"])


def test_each_pattern_is_found_in_scenes_that_nobody_tuned_on() -> None:
    counts = judge(JUDGED_SEEDS)
    figures = {kind: (round(f1(counts[kind]), 3), dict(counts[kind])) for kind in KINDS}
    assert all(figure >= F1_MIN for figure, _ in figures.values()), figures


def test_the_same_scene_gives_the_same_findings() -> None:
    scene = play(1, each=1)
    assert found(scene) == found(scene)


def test_who_is_begun_anew_brings_nothing_of_what_was_known_before() -> None:
    watcher, want = Watcher(), Thresholds()
    watcher.begin(rows_of([0]), np.array([False]))
    for n in range(200):
        now_ms = START_MS + n * 10_000
        if n == 100:
            watcher.begin(rows_of([0]), np.array([False]))
        # It moves for five minutes, then stands; begun anew in its stand it has never moved.
        lat = 45 + 1e-3 * min(n, 30)
        heard = list(watcher.hear(rows_of([0]), np.array([lat]), np.array([9.0]), rows_of([now_ms]), now_ms, want))
        kinds = [each.kind for each in [*heard, *watcher.look(now_ms, want)]]
        assert kinds == (["stop"] if n == 90 else []), n


def test_distances_hold_across_the_antimeridian() -> None:
    lat, lon, to_lon = np.array([0.0]), np.array([179.999]), np.array([-179.999])
    assert apart_m(lat, lon, lat, to_lon)[0] == pytest.approx(222.4, abs=0.1)
