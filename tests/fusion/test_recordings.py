"""The loader of `bench/recordings.py`: what is real stays as it was recorded, what is impossible is left out."""

import gzip
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

PATH = Path(__file__).parents[2] / "bench" / "_recordings.py"
spec = importlib.util.spec_from_file_location("bench_recordings", PATH)
recordings = importlib.util.module_from_spec(spec)
spec.loader.exec_module(recordings)

METRES = 111_195.0
"""Of a degree of latitude, near enough."""


@pytest.fixture
def harbour(tmp_path):
    """Three ships for ten minutes, one report a minute, and what receivers make of them."""
    rows = ["BaseDateTime,LON,LAT,MMSI"]
    for minute in range(11):
        at = f"2020-06-30T00:{minute:02d}:00"
        rows.append(f"{at},10.0,{50 + 0.002 * minute},111")
        if not 3 <= minute <= 7:
            rows.append(f"{at},10.01,50.01,222")
        rows.append(f"{at},10.02,{50.0 if minute != 5 else 50.08},333")
    rows += ["2020-06-30T00:04:30,12.0,50.0,111", "2020-06-30T00:04:40,ten,50.0,222"]
    path = tmp_path / "ships.csv"
    path.write_text("\n".join(rows))
    return recordings.read(path, "ship")


def test_a_ship_is_between_its_reports(harbour):
    who, xy = harbour.truth(90.0)
    assert who.tolist() == [0, 1, 2]
    start = harbour.xy[harbour.who == 0][0]
    np.testing.assert_allclose(xy[0] - start, [0, 0.003 * METRES], atol=2.0)


def test_a_ship_that_was_silent_too_long_is_nowhere(harbour):
    assert harbour.truth(290.0)[0].tolist() == [0, 2]
    assert harbour.truth(530.0)[0].tolist() == [0, 1, 2]


def test_what_cannot_be_is_left_out_and_counted(harbour):
    assert harbour.left_out == 3  # a leap of 9 km and back, a place 140 km off, a longitude in words
    assert np.ptp(harbour.xy[harbour.who == 2], axis=0).max() < 1.0


def test_a_seed_is_a_scene_and_plots_scatter_about_the_truth(harbour):
    one, other, third = (recordings.make_real_scene(harbour, 0.0, 300.0, seed, 0.0) for seed in (1, 1, 2))
    assert all(a.z.tobytes() == b.z.tobytes() for a, b in zip(one.scans, other.scans, strict=True))
    assert any(a.z.tobytes() != b.z.tobytes() for a, b in zip(one.scans, third.scans, strict=True))
    off = []
    for scan in one.scans:
        _, truth = one.truth(scan.t_s)
        off += [np.hypot(*(truth - z).T).min() for z in scan.z]
    assert 20 < np.mean(off) < 60
    assert one.plots < sum(len(one.truth(scan.t_s)[0]) for scan in one.scans)


def test_aircraft_are_plotted_when_they_reported_only(tmp_path):
    rows = [
        {"timestamp": 1e12 + 1e3 * t, "icao24": "abc", "latitude": 50 + 0.002 * t, "longitude": 10.0, "onground": False}
        for t in range(20)
        if not 8 <= t <= 12
    ]
    rows.insert(4, rows[3] | {"timestamp": rows[3]["timestamp"] + 500})  # the same place once more is no news
    rows.append(rows[0] | {"icao24": "def", "onground": True})
    path = tmp_path / "air.json.gz"
    path.write_bytes(gzip.compress(json.dumps(rows).encode()))
    recording = recordings.read(path, "aircraft")
    assert recording.targets == 1
    assert recording.own_times
    assert len(recording.t_s) == 15
    assert len(recording.reported(5.0)) == 1
    assert len(recording.reported(10.0)) == 0
    assert len(recording.truth(10.0)[0]) == 1


@pytest.mark.parametrize(("text", "seconds"), [("1.5", 1.5), ("1600000000000", 1.6e9), ("1970-01-02T00:00:00Z", 86400),
                                               ("02/01/1970 00:00:10", 86410)])  # fmt: skip
def test_times_are_read_as_the_world_writes_them(text, seconds):
    assert recordings._seconds(text) == seconds


def test_a_file_without_a_time_is_refused_by_name(tmp_path):
    path = tmp_path / "odd.csv"
    path.write_text("mmsi,lat,lon\n1,2,3\n")
    with pytest.raises(ValueError, match=r"no column for time .*it has mmsi, lat, lon"):
        recordings.read(path, "ship")


def test_another_file_than_the_measured_one_is_refused(tmp_path, monkeypatch):
    source = recordings.SOURCES["ships"]

    def unpack(wanted, folder):
        path = Path(folder) / source.path
        path.parent.mkdir(parents=True)
        path.write_text(wanted)

    monkeypatch.setattr(recordings, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(recordings, "_install", unpack)
    with pytest.raises(ValueError, match="SHA-256"):
        recordings.fetch(source)
