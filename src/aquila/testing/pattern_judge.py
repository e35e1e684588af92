"""How good detectors of patterns are on generated scenes: true, false and missed findings of each kind.

True has the right kind and actors and at least half of its time in common with a story; an instant one is within a
minute. Two places begin with jumps, of which nobody can know yet what they are: these count as neither true nor false.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np

from aquila.fusion.pattern_kinds import INSTANT, Table, Thresholds
from aquila.fusion.pattern_routes import Route
from aquila.fusion.patterns import Watcher, rows_of
from aquila.testing.movers import SPAN_S, Scene, Story, play

START_MS = 1_795_000_000_000
Counts = dict[str, Counter[str]]


def found(scene: Scene) -> list[Story]:
    """What the watcher finds: from its beginning until it said that it is over, else until the end."""
    watcher, limits = Watcher(), Table(Thresholds())
    open_: dict[tuple[str, tuple[int, ...]], float] = {}
    watcher.begin(rows_of(range(len(scene.places))))
    watcher.set_routes(
        [Route(rows_of([each.mover]), each.corners[:, 0], each.corners[:, 1], each.half_m) for each in scene.courses]
    )
    done: list[Story] = []
    for step, (at_s, places) in enumerate(scene.steps()):
        now_ms = START_MS + at_s * 1000
        rows = np.flatnonzero(np.isfinite(places[:, 0]))
        at_ms = np.full(len(rows), now_ms)
        heard = watcher.hear(rows, places[rows, 0], places[rows, 1], at_ms, now_ms, limits, scene.domains[rows, step])
        for each in [*heard, *watcher.look(now_ms, limits)]:
            since_s = (each.since_ms - START_MS) / 1000
            if each.kind in INSTANT:
                done.append(Story(each.kind, each.rows, since_s, since_s))
            elif each.is_over:
                done.append(Story(each.kind, each.rows, open_.pop((each.kind, each.rows)), at_s))
            else:
                open_[each.kind, each.rows] = since_s
            if not each.is_over and not (each.places and each.measured):
                raise AssertionError(f"{each.kind} of {each.rows} brings no evidence")
    return done + [Story(kind, rows, since_s, SPAN_S) for (kind, rows), since_s in open_.items()]


def judge(seeds: Iterable[int]) -> Counts:
    """True, false and missed findings by kind, over the scenes of these seeds."""
    counts: Counts = defaultdict(Counter)
    for seed in seeds:
        scene = play(seed)
        left = list(scene.stories)
        doubled = [story for story in scene.stories if story.kind == "two_places"]
        for each in found(scene):
            if each.kind == "jump" and any(_is_within(each, story) for story in doubled):
                continue
            fits = [s for s in left if s.kind == each.kind and s.movers == each.movers and overlap(s, each) >= 0.5]
            counts[each.kind]["true" if fits else "false"] += 1
            if fits:
                left.remove(fits[0])
        for story in left:
            counts[story.kind]["missed"] += 1
    return counts


def f1(count: Counter[str]) -> float:
    """Harmonic mean of precision and recall; 0 when there is nothing."""
    all_ = 2 * count["true"] + count["false"] + count["missed"]
    return 2 * count["true"] / all_ if all_ else 0.0


def overlap(a: Story, b: Story) -> float:
    """The time in common over the time of both; of instant ones 1 within a minute, else 0."""
    if a.kind in INSTANT:
        return float(abs(a.from_s - b.from_s) <= 60)
    common = min(a.until_s, b.until_s) - max(a.from_s, b.from_s)
    return common / (max(a.until_s, b.until_s) - min(a.from_s, b.from_s))


def _is_within(each: Story, story: Story) -> bool:
    return each.movers == story.movers and story.from_s <= each.from_s <= story.until_s
