"""Patterns of movement, judged on generated scenes whose labels come from the story that was played."""

import numpy as np
import pytest

from aquila.fusion.pattern_kinds import AIR, KINDS, LAND, OTHER, SEA, Pattern, Table, Thresholds, apart_m
from aquila.fusion.pattern_routes import Route, beside_m
from aquila.fusion.patterns import Watcher, rows_of
from aquila.testing.movers import play
from aquila.testing.pattern_judge import START_MS, f1, found, judge

JUDGED_SEEDS = range(31_401, 31_404)
"""Thresholds were chosen on seeds 1 to 3 only."""
F1_MIN = 0.95


def test_each_pattern_is_found_in_scenes_that_nobody_tuned_on() -> None:
    counts = judge(JUDGED_SEEDS)
    figures = {kind: (round(f1(counts[kind]), 3), dict(counts[kind])) for kind in KINDS}
    assert all(figure >= F1_MIN for figure, _ in figures.values()), figures


def test_the_same_scene_gives_the_same_findings() -> None:
    scene = play(1, each=1)
    assert found(scene) == found(scene)


def test_who_is_begun_anew_brings_nothing_of_what_was_known_before() -> None:
    watcher, want = Watcher(), Table(Thresholds())
    watcher.begin(rows_of([0]))
    for n in range(200):
        now_ms = START_MS + n * 10_000
        if n == 100:
            watcher.begin(rows_of([0]))
        # It moves for five minutes, then stands; begun anew in its stand it has never moved.
        lat = 45 + 1e-3 * min(n, 30)
        heard = list(watcher.hear(rows_of([0]), np.array([lat]), np.array([9.0]), rows_of([now_ms]), now_ms, want))
        kinds = [each.kind for each in [*heard, *watcher.look(now_ms, want)]]
        assert kinds == (["stop"] if n == 90 else []), n


def test_distances_hold_across_the_antimeridian() -> None:
    lat, lon, to_lon = np.array([0.0]), np.array([179.999]), np.array([-179.999])
    assert apart_m(lat, lon, lat, to_lon)[0] == pytest.approx(222.4, abs=0.1)


def told(steps: list[tuple[float, float, int]], every_s: int = 10, **own: float) -> list[Pattern]:
    """What is told of one mover that is at lat, lon in a domain, every few seconds."""
    watcher, limits = Watcher(), Table(Thresholds(**own))
    watcher.begin(rows_of([0]))
    found = []
    for n, (lat, lon, domain) in enumerate(steps):
        now_ms = START_MS + n * every_s * 1000
        place, at_ms = (np.array([lat]), np.array([lon])), rows_of([now_ms])
        found += watcher.hear(rows_of([0]), *place, at_ms, now_ms, limits, rows_of([domain]))
        found += watcher.look(now_ms, limits)
    return found


def north(speed_mps: float, count: int, domain: int) -> list[tuple[float, float, int]]:
    return [(45 + n * 10 * speed_mps / 111_195, 9.0, domain) for n in range(count)]


@pytest.mark.parametrize(
    ("speed_mps", "domain", "kinds"),
    [(60, LAND, ["too_fast"]), (60, AIR, []), (60, OTHER, []), (45, LAND, []), (36, SEA, ["too_fast"])],
)
def test_too_fast_is_judged_by_what_it_is(speed_mps: float, domain: int, kinds: list[str]) -> None:
    found = told(north(speed_mps, 40, domain))
    assert [each.kind for each in found] == kinds
    for each in found:
        assert each.measured["speed_mps"] == pytest.approx(speed_mps, rel=0.01)
        assert len(each.judged_by) == 1


def test_two_who_use_one_identity_are_told_once_and_not_by_every_jump() -> None:
    found = told([(45.0 + 0.2 * (n % 2), 9.0, SEA) for n in range(60)])
    assert [each.kind for each in found] == ["jump", "jump", "two_places"]
    assert found[-1].measured["jumps"] == 3
    quiet = told([(45.0 + 0.2 * (n % 2) * (n < 20), 9.0, SEA) for n in range(100)])
    assert [each.is_over for each in quiet if each.kind == "two_places"] == [False, True]


def test_a_long_way_made_at_a_speed_of_jumps_is_told_as_too_fast_and_not_as_jumps() -> None:
    kinds = [each.kind for each in told(north(100, 40, LAND))]
    assert kinds == ["jump", "too_fast"]


def test_becoming_known_is_no_change_of_kind_and_flapping_is_told_once() -> None:
    known = [(45.0, 9.0, OTHER), (45.0, 9.0, LAND), (45.0, 9.0, OTHER), (45.0, 9.0, LAND)]
    assert told(known) == []
    (found,) = told([(45.0, 9.0, LAND if n % 2 else AIR) for n in range(20)])
    assert (found.kind, found.measured) == ("kind_change", {"was_domain": AIR, "is_domain": LAND})


def test_a_zone_has_thresholds_of_its_own() -> None:
    watcher, limits = Watcher(), Table(Thresholds(), [Thresholds(stop_min=3)])
    watcher.begin(rows_of([0, 1]))
    found = []
    for n in range(60):
        now_ms, lat = START_MS + n * 10_000, 45 + 1e-3 * min(n, 20)
        at_ms, zones = rows_of([now_ms] * 2), rows_of([0, 1])
        found += watcher.hear(
            rows_of([0, 1]), np.array([lat, lat]), np.array([9.0, 11.0]), at_ms, now_ms, limits, None, zones
        )
        found += watcher.look(now_ms, limits)
    assert [(each.kind, each.rows, each.zone) for each in found] == [("stop", (1,), 1)]


@pytest.mark.parametrize(
    ("heights", "own", "goes"),
    [
        ((3000.0, 6000.0), {}, False),
        ((3000.0, 3100.0), {}, True),
        ((3000.0, np.nan), {}, True),
        ((3000.0, 6000.0), {"travel_height_m": 4000}, True),
    ],
    ids=["one above the other", "side by side", "one height unknown", "a wider bound"],
)
def test_two_at_different_heights_do_not_travel_together(heights, own, goes) -> None:
    watcher, limits = Watcher(), Table(Thresholds(**own))
    watcher.begin(rows_of([0, 1]))
    found = []
    for n in range(120):
        now_ms, at_ms = START_MS + n * 10_000, rows_of([START_MS + n * 10_000] * 2)
        lat, lon = np.full(2, 45 + n * 1.8e-3), np.array([9.0, 9.003])
        places = rows_of([0, 1]), lat, lon, at_ms, now_ms, limits, rows_of([AIR, AIR])
        found += watcher.hear(*places, height_m=np.array(heights))
        found += watcher.look(now_ms, limits)
    assert [each.kind for each in found] == ["co_travel"] * goes


def test_who_never_was_on_its_route_has_not_left_it_and_a_route_taken_back_ends_the_finding() -> None:
    watcher, limits = Watcher(), Table(Thresholds())
    watcher.begin(rows_of([0, 1]))
    watcher.set_routes([Route(rows_of([0, 1]), np.array([45.0, 46.0]), np.array([9.0, 9.0]), 200)])
    found = []
    for n in range(80):
        if n == 60:
            assert [(each.kind, each.rows) for each in found] == [("deviation", (0,))]
            watcher.set_routes([])
        now_ms = START_MS + n * 10_000
        lat, lon = np.full(2, 45.1 + n * 1e-3), np.array([9.0 + max(0, n - 20) * 1e-3, 9.2])
        found += watcher.hear(rows_of([0, 1]), lat, lon, rows_of([now_ms] * 2), now_ms, limits)
        found += watcher.look(now_ms, limits)
    assert [(each.kind, each.is_over) for each in found] == [("deviation", False), ("deviation", True)]


def test_how_far_beside_a_way_holds_at_its_ends_and_across_the_antimeridian() -> None:
    way_lat, way_lon = np.array([0.0, 0.0]), np.array([179.9, -179.9])
    lat, lon = np.array([0.01, 0.0]), np.array([180.0, -179.8])
    assert beside_m(lat, lon, way_lat, way_lon) == pytest.approx([1112, 11_119], rel=0.001)
