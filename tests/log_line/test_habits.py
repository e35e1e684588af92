"""Habits of strangers, one row each: what a blind set taught, so that it stays read."""

import pytest
from reading import WIDER, read, unsure

from aquila.features.log.line import parse_line


@pytest.mark.parametrize(
    ("line", "field", "values"),
    [
        ("bridge work at CP 3 to be done tomorrow before 0900", "time", ["until 0900L+1d"]),
        ("завтра до 0700 привезти воду на CP 4", "time", ["until 0700L+1d"]),
        ("we have see 3 persons near CP 4 at 0415", "size", ["people:3"]),
        ("CP 3 жанында 2 көлиг 0440", "size", ["vehicle:2"]),
        ("PTL3 байланыс жок 0310 бери", "kind", ["contact_lost"]),
        ("ref log 118 truck was a civ water tanker", "reference", ["118"]),
        ("6 ind. inconnus vus au CP 5 à 0345", "size", ["people:6"]),
    ],
)
def test_is_read_as_it_was_meant(line: str, field: str, values: list[str]) -> None:
    assert read(parse_line(line, WIDER))[field] == values


@pytest.mark.parametrize("line", ["OP 5 all quiet 0230", "RAS OP 3, 0400"])
def test_a_post_that_tells_of_itself_is_the_place_and_that_is_marked(line: str) -> None:
    draft = parse_line(line, WIDER)
    assert "place" in read(draft)
    assert "place" in unsure(draft)


def test_how_long_is_no_time_of_day() -> None:
    assert "time" not in read(parse_line("PTL1 walked 1 hour 20 min to CP 3", WIDER))
