"""The kinds of line: what the guide promises, and the other kind that is offered where two are near."""
# ruff: noqa: RUF001  # Cyrillic letters are what people type

import re
from pathlib import Path

import pytest
from reading import CONTEXT, part

from aquila.features.log.line import parse_line

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "staff" / "the_line.md"
ROWS = re.findall(r"^\| `(\w+)` \| [^|]+ \| `([^`]+)` \|$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_guide_tells_each_kind_once() -> None:
    kinds = [kind for kind, _ in ROWS]
    assert len(set(kinds)) == len(kinds) == 15


@pytest.mark.parametrize(("kind", "line"), ROWS)
def test_the_examples_of_the_guide_are_read_as_it_says(kind: str, line: str) -> None:
    found = part(parse_line(line, CONTEXT), "kind")
    assert found.value == {"kind": kind}


@pytest.mark.parametrize(
    ("line", "kind", "other"),
    [
        ("PTL3 arrived Alma 0950, talking to the mukhtar", "patrol", "note"),
        ("crowd of 60 in front of the town hall at Tibnin, peaceful", "spot", "note"),
        ("accident near Alma, 2 injured, taken to hospital", "medevac", "incident"),
        ("fonte locale: 2 furgoni verso Alma stanotte", "intrep", "spot"),
        ("колонна 12 прошла Тибнин 10:12", "checkpoint", "patrol"),
        ("OP 5 stock eau, reste 3 jours", "note", "logsitrep"),
    ],
)
def test_a_kind_that_no_word_names_is_unsure_and_the_next_one_is_offered(line: str, kind: str, other: str) -> None:
    found = part(parse_line(line, CONTEXT), "kind")
    assert (found.value, found.confidence) == ({"kind": kind}, "unsure")
    assert other in [choice.label for choice in found.alternatives]
    assert all(choice.value == {"kind": choice.label} for choice in found.alternatives)


@pytest.mark.parametrize("line", ["SALUTE 4 pax at CP 4", "the cook is back from leave", "S: 5 A: digging L: CP 4"])
def test_a_kind_that_is_named_and_a_plain_note_are_sure(line: str) -> None:
    found = part(parse_line(line, CONTEXT), "kind")
    assert (found.confidence, found.alternatives) == ("sure", ())


@pytest.mark.parametrize(
    ("line", "field", "short"),
    [
        ("2 camion attraversano ponte Rosh verso est ore 11", "direction", {"course_deg": 90, "point": "E"}),
        ("2 дрона над КПП 4 курс 90", "direction", {"course_deg": 90.0, "point": None}),
    ],
)
def test_a_direction_is_no_estimate_and_a_course_may_have_two_digits(line: str, field: str, short: object) -> None:
    assert part(parse_line(line, CONTEXT), "direction").value == short


def test_what_stands_behind_the_distance_with_the_ending_for_from_is_where_it_is_measured_from() -> None:
    value = part(parse_line("ақ фургон тұр, 400 м шығысқа қарай КПП 4-тен", CONTEXT), "place").value
    assert value is not None
    assert (value["name"], value["range_m"], value["bearing_deg"]) == ("КПП 4", 400, 90)


@pytest.mark.parametrize(
    ("line", "range_m", "bearing_deg"),
    [
        ("4 катера в 3 км от Alma", 3000, None),
        ("В 3 км от Alma 4 катера", 3000, None),
        ("4 boats heading S 3 nm off Naqoura", 5556, None),
        ("4 катера идут на юг в 3 милях от Naqoura", 5556, None),
        ("shots 3 km S of Alma", 3000, 180),
    ],
)
def test_a_small_letter_and_where_somebody_goes_are_no_bearing(
    line: str, range_m: float, bearing_deg: float | None
) -> None:
    found = part(parse_line(line, CONTEXT), "place")
    assert found.value is not None
    assert (found.value["range_m"], found.value["bearing_deg"]) == (range_m, bearing_deg)
    assert found.confidence == ("unsure" if bearing_deg is None else "sure")


@pytest.mark.parametrize("line", ["напротив UNP 1-31 человек с биноклем", "à Tibnin chauffeur blessé"])
def test_the_words_and_numbers_of_a_name_count_nothing(line: str) -> None:
    draft = parse_line(line, CONTEXT)
    assert part(draft, "place").value is not None
    assert all(each.value is not None and each.value["count"] == 1 for each in draft.all("size"))


@pytest.mark.parametrize(
    "line", ["кілт кімде?", "у кого ключи от склада?", "who has the keys", "confirm receipt of order 12"]
)
def test_a_question_and_a_bidding_are_requests(line: str) -> None:
    assert part(parse_line(line, CONTEXT), "kind").value == {"kind": "request"}


def test_litres_are_no_wounded() -> None:
    draft = parse_line("остаток дизтоплива на UNP 1-26 300 л", CONTEXT)
    assert draft.first("casualty") is None
    assert parse_line("PTL3 2 300", CONTEXT).first("casualty") is not None
