"""Latitude and longitude that the typed line reads as the page's place box does: one table for both."""

import json
from pathlib import Path
from typing import Any

import pytest

from aquila.features.log.line import LineContext, LinePart, parse_line

ANGLES = json.loads((Path(__file__).parents[2] / "web" / "test" / "angles.json").read_text(encoding="utf-8"))
CONTEXT = LineContext(now_ms=1_795_600_800_000)


def places(text: str) -> list[LinePart]:
    return [part for part in parse_line(text, CONTEXT).parts if part.field == "place"]


@pytest.mark.parametrize("row", ANGLES["read"], ids=lambda row: row["text"])
def test_angles_are_read_as_the_page_reads_them(row: dict[str, Any]) -> None:
    (place,) = places(row["text"])
    assert isinstance(place.value, dict)
    assert (place.text, place.problem, place.value["sort"]) == (row["text"], None, "degrees")
    assert place.value["lat_deg"] == pytest.approx(row["lat_deg"], abs=1e-5)
    assert place.value["lon_deg"] == pytest.approx(row["lon_deg"], abs=1e-5)


@pytest.mark.parametrize("row", ANGLES["refused"], ids=lambda row: f"{row['text']}: {row['why']}")
def test_what_is_no_pair_of_angles_is_not_read_as_one(row: dict[str, Any]) -> None:
    # 424800 alone may be the digits of a grid, and is unsure; that is not a latitude.
    assert all(place.value is None or place.value["sort"] == "grid" for place in places(row["text"]))
