"""Density, hour by weekday and trend: of who may be seen, counted by who was there and not by how often it was said."""

import base64
from typing import Any

import numpy as np
import pytest

from aquila.features.patterns import activity
from aquila.features.patterns.activity import DAY_MS, HOUR_MS, compare
from aquila.features.picture import TrackFix

BOX = "77,42,78,43"
AREA = "77,42 78,42 78,43 77,43"


def fix(port: Any, who: str, at_ms: int, lat: float = 42.5, lon: float = 77.5, label: Any = None) -> None:
    port.parts["tracks"].fixes.append(
        TrackFix(
            entity=who,
            at_ms=at_ms,
            lat_deg=lat,
            lon_deg=lon,
            hae_m=None,
            course_deg=None,
            speed_mps=None,
            label=label or port.open,
            context=port.context,
        )
    )


def cells(grid: Any) -> Any:
    return np.frombuffer(base64.b64decode(grid["counts"]), np.uint8).reshape(grid["rows"], grid["cols"])


def test_a_cell_counts_who_was_there_in_a_quarter_of_an_hour_however_often_it_was_said(desk: Any, port: Any) -> None:
    quarter_ms = port.now_ms // 900_000 * 900_000 - 3_600_000
    for n in range(50):
        fix(port, "FOX", quarter_ms + n)
    fix(port, "WOLF", quarter_ms + 1)
    fix(port, "WOLF", quarter_ms + 900_000)
    fix(port, "BEAR", quarter_ms, lat=42.9)
    grid = desk.get("/pattern-heat", bbox=BOX)
    assert (grid["most"], grid["movers"], grid["is_cut"]) == (3, 3, False)
    shades = cells(grid)
    assert sorted(shades[shades > 0]) == [148, 255], "the root of a third, and the fullest"
    assert np.argwhere(shades == 148)[0][0] < np.argwhere(shades == 255)[0][0], "the north is above"


def test_what_the_asker_may_not_see_is_in_no_count(desk: Any, partner: Any, port: Any) -> None:
    fix(port, "SECRET", port.now_ms - 60_000, label=port.national)
    assert desk.get("/pattern-heat", bbox=BOX)["most"] == 0
    assert partner.get("/pattern-heat", bbox=BOX)["most"] == 1


def test_of_more_than_may_be_read_the_newest_count_and_the_answer_says_from_when(
    desk: Any, port: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity, "FIXES_MAX", 3)
    table = port.parts["tracks"]
    for n in range(5):
        fix(port, f"M{n}", port.now_ms - n * 6 * HOUR_MS)
    inside = table.inside

    def within(box: Any, from_ms: int, until_ms: int, *more: Any) -> Any:
        return [each for each in inside(box, from_ms, until_ms, *more[:-1], 99) if from_ms <= each.at_ms <= until_ms]

    monkeypatch.setattr(table, "inside", within)
    grid = desk.get("/pattern-heat", bbox=BOX)
    assert (grid["is_cut"], grid["movers"]) == (True, 2)
    assert port.now_ms - 12 * HOUR_MS < grid["from_ms"] <= port.now_ms - 6 * HOUR_MS


def test_the_week_is_a_mean_over_its_hours_and_hours_that_never_were_are_unknown(desk: Any, port: Any) -> None:
    monday_ms = (port.now_ms // (7 * DAY_MS)) * 7 * DAY_MS - 3 * DAY_MS  # 1970-01-01 was a Thursday
    until_ms = monday_ms + 2 * HOUR_MS
    for week in range(2):
        fix(port, "FOX", until_ms - HOUR_MS - week * 7 * DAY_MS)
    fix(port, "WOLF", until_ms - HOUR_MS)
    fix(port, "FAR", until_ms - HOUR_MS, lat=50.0)
    row = desk.get("/pattern-rhythm", corners=AREA, until_ms=until_ms)
    assert row["hours"][1] == 1.5
    assert row["hours"][0] == 0
    assert row["hours"].count(-1) == 0
    day = desk.get("/pattern-rhythm", corners=AREA, from_ms=until_ms - 3 * HOUR_MS, until_ms=until_ms)
    assert day["hours"].count(-1) == 167, "whole hours since the first that was kept"
    assert day["change"] == "unknown"


def test_days_are_compared_by_halves_and_chance_is_no_change(desk: Any, port: Any) -> None:
    today_ms = port.now_ms // DAY_MS * DAY_MS
    for day, count in enumerate((2, 2, 9, 9)):
        for n in range(count):
            fix(port, f"M{n}", today_ms - (4 - day) * DAY_MS)
    row = desk.get("/pattern-rhythm", corners=AREA)
    assert [day["movers"] for day in row["days"]] == [2, 2, 9, 9]
    assert (row["before"], row["after"], row["change"]) == (2, 9, "more")
    assert compare([5, 6, 7, 6]) == (5.5, 6.5, "steady")
    assert compare([20, 22, 3, 2])[2] == "less"
    assert compare([9, 9, 9]) == (None, None, "unknown")


@pytest.mark.parametrize("bbox", ["1,2,3", "10,0,5,1", "0,-89,1,0", "a,b,c,d"])
def test_a_box_that_is_none_is_refused_with_what_is_allowed(desk: Any, bbox: str) -> None:
    assert "west" in desk.fails("/pattern-heat", 400, bbox=bbox)


def test_corners_and_spans_that_are_none_are_refused(desk: Any) -> None:
    assert "pairs" in desk.fails("/pattern-rhythm", 400, corners="1,2 3,4")
    assert "at most 92 days" in desk.fails("/pattern-heat", 400, bbox=BOX, from_ms=0, until_ms=93 * DAY_MS)
