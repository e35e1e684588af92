"""Files of plots and sensors: what is read, what is left out and named, what scans they make."""

import csv
import json
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from aquila.cli import app
from aquila.core.errors import UsageError
from aquila.fusion.pipeline import Fusion
from aquila.fusion.plots import into_scans, read_plots
from aquila.fusion.quality import Sample, judge
from aquila.fusion.scenes import SceneSettings, make_scene
from aquila.fusion.sensor_file import read_sensors
from aquila.fusion.settings import KINDS, UNKNOWN

NOTHING = read_sensors("[]")
HEADER = "time,sensor,x,y,sigma"


def test_bad_rows_are_named_by_line_and_left_out():
    lines = [
        HEADER, "1,a,0,0,10", "x,a,0,0,10", "2,a,,0,10", "3,a,0,0,-5", "4,,0,0,10", "5,a,nan,0,10", "6,a,1e30,0,10",
        "", "7,a,0,0,", "8", "9,a,inf,1,10", "1,a,0,0,10", "10,a,5,5,10",
    ]  # fmt: skip
    found = read_plots(lines, NOTHING)
    assert found.t_s.tolist() == [1, 10]
    assert [row.line for row in found.bad] == [3, 4, 5, 6, 7, 8, 10, 11, 12, 13]
    assert "time is 'x', no number" in found.bad[0].why
    assert found.bad[-1].why == "it stands there twice"


@pytest.mark.parametrize(
    ("header", "row", "xy", "noise"),
    [
        ("t;sensor_id;x_m;y_m;sigma_m", "1;a;5;6;10", (5, 6), (100, 100, 0)),
        ("\ufefftime,sensor,x,y,xx,yy,xy", "1,a,5,6,100,400,-50", (5, 6), (100, 400, -50)),
        ('time,"sensor",x,y,sigma', '1,"a, b",5,6,10', (5, 6), (100, 100, 0)),
        ("utc,sensor,x,y,sigma", "1970-01-01T00:00:01Z,a,5,6,10", (5, 6), (100, 100, 0)),
    ],
)
def test_columns_may_be_spelt_in_several_ways(header, row, xy, noise):
    found = read_plots([header, row], NOTHING)
    assert found.bad == []
    assert (found.t_s.tolist(), tuple(found.z[0]), tuple(found.noise[0])) == ([1.0], xy, noise)


def test_a_covariance_must_be_one():
    found = read_plots(["time,sensor,x,y,xx,yy,xy", "1,a,0,0,4,4,5"], NOTHING)
    assert "no covariance" in found.bad[0].why


def test_degrees_become_metres_and_come_back():
    found = read_plots(["time,sensor,lat,lon,sigma", "1,a,43.0,77.0,10", "1,a,43.01,77.02,10"], NOTHING)
    assert found.z[0] == pytest.approx([0, 0], abs=1e-6)
    assert found.z[1] == pytest.approx([1630.6, 1111.0], abs=2)
    assert found.plane.to_lat_lon(found.z) == pytest.approx(np.array([[43.0, 77.0], [43.01, 77.02]]), abs=1e-9)


def test_with_both_the_files_own_metres_count():
    lines = ["time,sensor,x,y,lat,lon,sigma", "1,a,1000,2000,43,77,10", "2,a,,,43.001,77,10", "3,a,1000,2500,,,10"]
    found = read_plots(lines, NOTHING)
    assert found.z[1] == pytest.approx([1000, 2111.1], abs=0.5)
    assert found.plane.to_lat_lon(found.z[:1])[0] == pytest.approx([43, 77])


def test_sensors_are_a_list_or_an_object_and_may_say_little():
    a = read_sensors('[{"name": "a", "pd": 0.9, "clutter_per_scan": 5, "area": [0, 0, 1000, 2000], "period": 4}]')
    assert a.sensors["a"].clutter_density == pytest.approx(2.5e-6)
    assert a.sensors["a"].period_s == 4
    b = read_sensors('{"sensors": {"a": {}, "b": {"pd": 0.5, "colour": 3}}, "origin": {"lat": 43, "lon": 77}}')
    assert b.sensors["b"].pd == 0.5
    assert b.unknown == ["b.colour"]
    assert b.plane is not None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no JSON"),
        ("3", "must hold a list"),
        ('[{"pd": 0.9}]', 'needs a "name"'),
        ('[{"name": "a", "pd": 9}]', "pd of sensor a is 9; allowed is a number from 0 to 1"),
        ('[{"name": "a"}, {"name": "a"}]', "stands twice"),
        ('[{"name": "a", "bias": "much"}]', 'allowed are "none" and "unknown"'),
        ('[{"name": "a", "position": "here"}]', r"write \[x, y\] in metres"),
    ],
)
def test_a_sensors_file_that_is_wrong_says_where(text, says):
    with pytest.raises(UsageError, match=says):
        read_sensors(text)


@pytest.mark.parametrize("lines", [[], ["", ""], ["a,b,c"], ["time,x,y,sigma"], ["time,sensor,x,sigma"]])
def test_without_the_needed_columns_nothing_is_read(lines):
    with pytest.raises(UsageError):
        read_plots(lines, NOTHING)


hostile = st.lists(
    st.lists(st.one_of(st.text(max_size=8), st.sampled_from(["1", "2.5", "-3e4", "nan", "inf", "a", "1e308", '"'])),
             max_size=7).map(",".join), max_size=30)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(hostile)
def test_whatever_the_rows_hold_the_run_ends(rows):
    found = read_plots([HEADER, *rows], NOTHING)
    assert len(found.t_s) + len(found.bad) == found.rows
    fusion = Fusion(found.sensors, [10.0] * len(found.sensors), compiled=False)
    for scan in into_scans(found):
        fusion.take(scan)
        assert np.isfinite(fusion.picture()[1].x).all()


def test_plots_of_one_time_are_a_scan_and_a_turn_is_cut_into_slices():
    together = read_plots([HEADER, *(f"{t},a,{x},0,10" for t in (0, 4, 8) for x in range(5))], NOTHING)
    assert [len(scan.z) for scan in into_scans(together)] == [5, 5, 5]
    said = read_sensors('[{"name": "a", "period_s": 4}]')
    turning = read_plots([HEADER, *(f"{t / 10},a,{t},0,10" for t in range(80))], said)
    scans = into_scans(turning)
    assert sum(len(scan.z) for scan in scans) == 80
    assert [scan.turn_s for scan in scans if scan.ends_turn] == pytest.approx([0.0, 4.0], abs=1e-3)
    assert len(scans) == 32


def test_whole_scans_that_come_more_often_than_said_stay_scans():
    said = read_sensors('[{"name": "a", "period_s": 12}]')
    found = read_plots([HEADER, *(f"{t},a,{x},0,10" for t in range(0, 40, 4) for x in range(5))], said)
    assert all(scan.turn_s is None for scan in into_scans(found))


def score(scene, path):
    shown = defaultdict(list)
    with path.open() as lines:
        for row in csv.DictReader(lines):
            shown[float(row["time"])].append((int(row["track_id"]), float(row["x"]), float(row["y"])))
    samples = []
    for scan in scene.scans:
        rows = shown[round(scan.t_s, 3)]
        ids, xy = scene.truth(scan.t_s)
        if scan.t_s >= 20:
            where = np.array([row[1:] for row in rows]).reshape(-1, 2)
            samples.append(Sample(scan.t_s, ids.tolist(), xy, [row[0] for row in rows], where))
    return judge(samples, 500.0)


def dump(scene, folder, sensors):
    lines = [HEADER] + [
        f"{scan.t_s:.3f},{scene.sensors[scan.sensor].name},{x:.2f},{y:.2f},{scene.sensors[scan.sensor].sigma_m}"
        for scan in scene.scans
        for x, y in scan.z
    ]
    (folder / "plots.csv").write_text("\n".join([*lines, "broken,row"]) + "\n")
    (folder / "sensors.json").write_text(json.dumps(sensors))


def run_command(folder):
    words = ["fuse", str(folder / "plots.csv"), "--sensors", str(folder / "sensors.json"), "--out"]
    return CliRunner().invoke(app, [*words, str(folder / "tracks.csv")])


@pytest.fixture(scope="module")
def scene():
    return make_scene(SceneSettings(targets=30, seconds=50.0), 31)


def test_the_command_writes_good_tracks_and_names_what_it_left_out(scene, tmp_path):
    said = [{"name": s.name, "pd": s.pd, "clutter_density": s.clutter_density} for s in scene.sensors]
    dump(scene, tmp_path, said)
    result = run_command(tmp_path)
    assert result.exit_code == 0, result.output
    assert f"line {scene.plots + 2} left out" in result.output
    found = score(scene, tmp_path / "tracks.csv")
    assert found.completeness > 0.92
    assert found.spurious < 0.08
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plots.csv", "sensors.json", "tracks.csv"]


def test_the_command_needs_no_word_about_the_sensors(scene, tmp_path):
    dump(scene, tmp_path, [])
    assert run_command(tmp_path).exit_code == 0
    assert score(scene, tmp_path / "tracks.csv").completeness > 0.92


def test_two_runs_write_the_same_bytes(scene, tmp_path):
    dump(scene, tmp_path, [])
    run_command(tmp_path)
    first = (tmp_path / "tracks.csv").read_bytes()
    run_command(tmp_path)
    assert (tmp_path / "tracks.csv").read_bytes() == first


def test_a_file_that_is_not_there_is_one_sentence(tmp_path):
    (tmp_path / "sensors.json").write_text("[]")
    result = run_command(tmp_path)
    assert result.exit_code != 0
    assert isinstance(result.exception, UsageError)
    assert "cannot be read" in str(result.exception)


def test_a_kind_is_where_learning_starts():
    assert read_sensors('{"kind": "ship", "sensors": []}').kind is KINDS["ship"]
    assert read_sensors('{"kind": "ship", "radar-1": {"pd": 0.9}}').sensors.keys() == {"radar-1"}
    assert read_sensors('{"kind": {"pd": 0.9}}').sensors.keys() == {"kind"}
    assert read_sensors("[]").kind is UNKNOWN


@pytest.mark.parametrize("kind", ['"boat"', "3", '["ship"]'])
def test_a_kind_that_nobody_knows_is_refused_with_those_that_are(kind):
    with pytest.raises(UsageError, match=r'"kind" is .*; allowed are "unknown", "aircraft", "ship", "vehicle"'):
        read_sensors(f'{{"sensors": [], "kind": {kind}}}')
