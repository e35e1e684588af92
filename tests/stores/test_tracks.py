"""Where was who: the table gives exactly what a plain scan gives, thinning loses no movement."""

import math
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aquila.core.box import EVERYWHERE, Box
from aquila.core.model import Alias, Label, Motion, Position, Report, Sample, Stamp
from aquila.core.policy import Retention, Thinning
from aquila.stores.sqlite import (
    Latest,
    Snapshot,
    Snapshots,
    SqliteStore,
    TrackPoint,
    Tracks,
    is_worth_keeping,
)
from aquila.stores.sqlite import tracks as tracks_module
from aquila.stores.sqlite.schema import transaction
from aquila.stores.sqlite.tracks import BUCKET_MS, Kept, cell_of

LABEL = Label("NATO", "UNCLASSIFIED", ("ITA",), ("blue",))
OTHER = Label("NATO", "SECRET", ("ITA",), ("blue",))
T0 = 1_700_000_000_000


@pytest.fixture
def store(tmp_path: Path):
    store = SqliteStore(tmp_path / "journal.db")
    yield store
    store.close()


def point(entity: str, at_ms: int, lat: float, lon: float, **more) -> TrackPoint:
    more.setdefault("label", LABEL)
    return TrackPoint(entity=entity, at_ms=at_ms, lat_deg=lat, lon_deg=lon, context="REAL", **more)


def insert(store: SqliteStore, points: list[TrackPoint]) -> None:
    with transaction(store.writing):
        Tracks(store.writing).insert(points)


def scatter(seed: int, count: int = 400) -> list[TrackPoint]:
    dice = Random(seed)
    edges = [-180.0, 180.0, -179.99, 179.99, 0.0, -0.01, 0.05]
    return [
        point(
            f"e{dice.randrange(9)}",
            T0 + dice.randrange(4 * BUCKET_MS) * (1 if dice.random() < 0.9 else -1),
            dice.choice([-90.0, 90.0, 0.0, dice.uniform(-90, 90), dice.uniform(-1, 1)]),
            dice.choice([*edges, dice.uniform(-180, 180), dice.uniform(-1, 1)]),
            label=dice.choice([LABEL, OTHER]),
        )
        for _ in range(count)
    ]


def is_inside(box: Box, one: TrackPoint) -> bool:
    lon, west, east = one.lon_deg, box.west, box.east
    between = west <= lon <= east if west <= east else lon >= west or lon <= east
    return between and box.south <= one.lat_deg <= box.north


@pytest.mark.parametrize("whole_buckets", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_a_box_and_a_time_give_what_a_plain_scan_gives(
    store: SqliteStore, seed: int, whole_buckets: bool, monkeypatch: pytest.MonkeyPatch
):
    if whole_buckets:
        monkeypatch.setattr(tracks_module, "RANGES_MAX", 0)
    points = list({(p.entity, p.at_ms, p.label): p for p in scatter(seed)}.values())
    insert(store, points)
    dice = Random(seed + 100)
    for _ in range(12):
        south, north = sorted(dice.choice([dice.uniform(-90, 90), -1.0, 1.0]) for _ in range(2))
        box = Box(dice.choice([dice.uniform(-180, 180), 179.0]), south, dice.uniform(-180, 180), north)
        start, end = sorted(T0 + dice.randrange(-4 * BUCKET_MS, 4 * BUCKET_MS) for _ in range(2))
        answer = Tracks(store.writing).inside(box, start, end)
        expected = {
            (p.entity, p.at_ms, p.lat_deg, p.lon_deg) for p in points if start <= p.at_ms <= end and is_inside(box, p)
        }
        assert not answer.cut
        found = [(p.entity, p.at_ms, p.lat_deg, p.lon_deg) for p in answer.points]
        assert found == sorted(found, key=lambda place: place[:2])
        assert set(found) == expected


def test_only_points_of_released_label_classes_are_given_and_counted(store: SqliteStore):
    insert(store, [point("a", T0 + n, 1, 1, label=OTHER if n % 2 else LABEL) for n in range(10)])
    with store.reader() as reading:
        numbers = {n for n, marking in reading.label_classes().items() if marking.label == LABEL}
        box = Box(0, 0, 2, 2)
        answer = reading.tracks.inside(box, T0, T0 + 99, label_classes=numbers, limit=5)
        assert [p.at_ms - T0 for p in answer.points] == [0, 2, 4, 6, 8]
        assert not answer.cut
        assert reading.tracks.inside(box, T0, T0 + 99, label_classes=(), limit=5).points == []
        cut = reading.tracks.inside(box, T0, T0 + 99, limit=4)
        assert (len(cut.points), cut.cut) == (4, True)


def test_the_last_positions_of_one_entity_come_in_order_of_time(store: SqliteStore):
    insert(store, [point("a", T0 + n * BUCKET_MS, n, n, course_deg=n, speed_mps=1.0) for n in range(6)])
    insert(store, [point("b", T0, 0, 0)])
    answer = Tracks(store.writing).of_entity("a", T0, T0 + 99 * BUCKET_MS, limit=3)
    assert [p.lat_deg for p in answer.points] == [3, 4, 5]
    assert answer.cut
    assert answer.points[0].course_deg == 3
    assert Tracks(store.writing).of_entity("nobody", 0, T0).points == []


def test_boxes_that_make_no_sense_are_refused(store: SqliteStore):
    for box in ((0, 1, 0, 0), (-181, 0, 0, 1), (0, float("nan"), 1, 1), (0, 0, 1, 91)):
        with pytest.raises(ValueError, match="box"):
            Tracks(store.writing).inside(Box(*box), T0, T0)


def test_cells_are_equal_around_zero():
    assert len({cell_of(0.01, 0.01), cell_of(-0.01, 0.01), cell_of(-0.01, -0.01), cell_of(0.01, -0.01)}) == 4


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.tuples(st.floats(-30, 30), st.floats(-30, 30), st.integers(1, 9)), max_size=60))
def test_thinning_never_leaves_a_place_further_than_its_distance(
    steps: list[tuple[float, float, int]],
):
    rule = Thinning(moved_m=20.0, silent_ms=10_000)
    last, at_ms, lat, lon = None, T0, 42.0, 179.9999
    for north_m, east_m, seconds in [(0, 0, 1), *steps]:
        at_ms += seconds * 1000
        lat += north_m / 111_320.0
        lon = (lon + east_m / (111_320.0 * math.cos(math.radians(lat))) + 180) % 360 - 180
        now = point("a", at_ms, lat, lon)
        if is_worth_keeping(rule, last, now):
            last = Kept(at_ms, lat, lon, None)
        assert last is not None
        turn = (lon - last.lon_deg + 180) % 360 - 180
        away = math.hypot((lat - last.lat_deg), turn * math.cos(math.radians(lat))) * 111_320.0
        assert away < rule.moved_m
        assert at_ms - last.at_ms < rule.silent_ms


def test_a_turn_is_kept_only_from_who_moves():
    last = Kept(T0, 1.0, 1.0, 350.0)
    rule = Thinning(turned_deg=20.0)
    assert not is_worth_keeping(rule, last, point("a", T0 + 1, 1, 1, course_deg=5, speed_mps=9))
    assert is_worth_keeping(rule, last, point("a", T0 + 1, 1, 1, course_deg=15, speed_mps=9))
    assert not is_worth_keeping(rule, last, point("a", T0 + 1, 1, 1, course_deg=90, speed_mps=0))
    assert not is_worth_keeping(rule, last, point("a", T0 + 1, 1, 1))


def test_retention_drops_whole_buckets_in_small_steps_and_nothing_younger(store: SqliteStore):
    insert(store, [point(f"e{n % 50}", T0 + n * 1000, n % 7, n % 5) for n in range(3000)])
    Latest(store.writing).put([sample("old", T0), sample("new", T0 + 3_000_000)])
    retention = Retention(track_ms=1_000_000, latest_ms=1_000_000, snapshot_count=1)
    now = T0 + 3_000_000
    steps = 0
    more = True
    while more:
        with transaction(store.writing):
            more = store.prune_step(retention, now)
        steps += 1
    assert steps > 3
    left = Tracks(store.writing).inside(EVERYWHERE, 0, now).points
    oldest = min(p.at_ms for p in left)
    assert now - 1_000_000 - BUCKET_MS < oldest <= now - 1_000_000
    assert max(p.at_ms for p in left) == T0 + 2_999_000
    assert [one.report.entity for one in Latest(store.writing).load()] == ["new"]


def sample(entity: str, at_ms: int, label: Label = LABEL, lat: float = 1.0) -> Sample:
    report = Report(
        entity=entity,
        alias=Alias("cot", entity),
        type="a-f-G",
        sidc="10031000000000000000",
        category="unit",
        observed_at_ms=at_ms,
        position=Position(lat, 2.0, 30.0),
        motion=Motion(90.0, 1.5),
    )
    return Sample(
        report=report,
        stamp=Stamp(at_ms << 16, "a", 1, 0),
        author="device:X",
        via="tcp",
        label=label,
        context="REAL",
        received_at_ms=at_ms,
    )


def test_the_latest_sample_of_each_entity_and_marking_comes_back_as_it_was(store: SqliteStore):
    latest = Latest(store.writing)
    latest.put([sample("a", T0), sample("b", T0), sample("a", T0, OTHER)])
    latest.put([sample("a", T0 + 5)])
    loaded = sorted(latest.load(), key=lambda one: (one.report.entity, one.label.classification))
    assert loaded == [sample("a", T0, OTHER), sample("a", T0 + 5), sample("b", T0)]
    latest.forget("a")
    assert latest.load() == [sample("b", T0)]
    assert latest.last_hlc() == T0 << 16


def test_a_sample_of_another_version_is_left_out(store: SqliteStore):
    latest = Latest(store.writing)
    latest.put([sample("a", T0), sample("b", T0)])
    store.writing.execute("UPDATE latest SET sample=x'90' WHERE entity='b'")
    assert latest.load() == [sample("a", T0)]


def test_the_newest_whole_snapshot_is_found(store: SqliteStore):
    from aquila.testing.stores import make_chain

    store.journal.append(make_chain("a", 6))
    snapshots = Snapshots(store.writing)
    for arrival in (2, 4, 6, 9):
        snapshots.put(Snapshot("log", 1, arrival, b"h", b"state %d" % arrival))
    snapshots.put(Snapshot("log", 2, 1, b"h", b"newer version"))
    snapshots.put(Snapshot("chat", 1, 1, b"h", b"chat"))
    found = snapshots.newest("log", 1)
    assert found is not None
    assert (found.arrival, found.data) == (6, b"state 6")
    store.writing.execute("UPDATE snapshot SET data=x'00' WHERE arrival=6")
    found = snapshots.newest("log", 1)
    assert found is not None
    assert found.arrival == 4
    assert snapshots.newest("tasks", 1) is None
    snapshots.prune(1)
    assert snapshots.newest("log", 2) is None
    assert snapshots.newest("chat", 1) is not None


def test_the_end_of_a_track_is_kept_whatever_was_kept_of_that_moment(store: SqliteStore):
    insert(store, [point("T1", T0, 42.0, 77.0), point("T2", T0, 42.0, 77.0)])
    insert(store, [point("T1", T0, 42.0, 77.0, ended=True), point("T2", T0 + 1, 42.0, 77.0, ended=True)])
    insert(store, [point("T1", T0, 42.0, 77.0)])
    tracks = Tracks(store.writing)
    found = [(one.entity, one.at_ms, one.ended) for one in tracks.inside(EVERYWHERE, T0, T0 + 1).points]
    assert found == [("T1", T0, True), ("T2", T0, False), ("T2", T0 + 1, True)]
    assert [one.ended for one in tracks.of_entity("T1", T0, T0).points] == [True]
    still = Kept(T0, 42.0, 77.0, None)
    assert not is_worth_keeping(Thinning(), still, point("T1", T0 + 1, 42.0, 77.0))
    assert is_worth_keeping(Thinning(), still, point("T1", T0 + 1, 42.0, 77.0, ended=True))


def test_a_point_says_who_said_it_and_for_how_long_and_an_old_one_does_not(tmp_path: Path):
    path = tmp_path / "journal.db"
    store = SqliteStore(path)
    insert(store, [point("OLD", T0, 42.0, 77.0)])
    # As a node of format 3 left it.
    for statement in (
        "ALTER TABLE track DROP COLUMN source",
        "ALTER TABLE track DROP COLUMN valid",
        "DROP TABLE track_source",
        "PRAGMA user_version=3",
    ):
        store.writing.execute(statement)
    store.close()
    store = SqliteStore(path)
    insert(store, [point("NEW", T0, 42.0, 77.0, source="listener:tcp", valid_ms=75_000)])
    insert(store, [point("NEVER", T0, 42.0, 77.0, source="device:FOX")])
    found = {one.entity: (one.source, one.valid_ms) for one in Tracks(store.writing).inside(EVERYWHERE, T0, T0).points}
    store.close()
    assert found == {"OLD": (None, None), "NEW": ("listener:tcp", 75_000), "NEVER": ("device:FOX", None)}
