"""Words cut short, without their vowels or with a slip; who is hurt; digits that are halves of a grid."""
# ruff: noqa: RUF001  # Cyrillic letters are what people type

import pytest
from reading import WIDER, part, read

from aquila.features.log.line import parse_line
from aquila.features.log.line.words import cuts_short, squeezed, vocabulary


@pytest.mark.parametrize(
    ("short", "whole", "is_short"),
    [
        ("chk", "check", True),
        ("hrd", "heard", True),
        ("resp", "response", True),
        ("ans", "answer", True),
        ("answe", "answer", False),
        ("chk", "shock", False),
        ("hd", "heard", False),
        ("crd", "coordinated", False),
    ],
)
def test_a_word_is_cut_short_by_its_first_letters_or_most_of_its_consonants(
    short: str, whole: str, is_short: bool
) -> None:
    assert cuts_short(short, whole) == is_short


def test_a_word_without_its_vowels_is_found_and_one_that_lacks_a_single_letter_is_not() -> None:
    assert squeezed("trucks") == "trks"
    found = vocabulary().near("trks")
    assert found is not None
    assert ("vehicle", "truck") in {(tag.category, tag.value) for tag in found.tags}
    # An observation is no shell: obs is not read as obus.
    assert all(tag.category not in ("activity", "kind_weak") for tag in getattr(vocabulary().near("obs"), "tags", ()))


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("nothng hrd frm ALPHA 12 since 0930", "contact_lost"),
        ("no cntact with PTL5", "contact_lost"),
        ("rad chk OP 4 5x5 0600", "comms_check"),
        ("PTL2 CP 3 0741", "checkpoint"),
        ("PTL2 CP 3 0741, 3 men digging", "spot"),
        ("need ambo at CP 4", "medevac"),
        ("no ambulance needed at CP 4", "note"),
        ("MEDIC 1 needs fuel", "request"),
        ("l'informatore dice che domani c'è una manifestazione", "intrep"),
        ("source says shots were fired at Alma", "incident"),
        ("от PTL2 ничего с 8:30", "contact_lost"),
        ("PTL2 ничего подозрительного", "sitrep"),
        ("resupply was due at ten", "note"),
    ],
)
def test_the_kind_is_read_from_the_habit_and_not_from_its_opposite(line: str, kind: str) -> None:
    assert part(parse_line(line, WIDER), "kind").value == {"kind": kind}


@pytest.mark.parametrize(
    ("line", "casualty"),
    [
        ("soldier shot in the arm at CP 4", ["injured:1"]),
        ("due militari, uno con la gamba rotta", ["injured:1"]),
        ("two of the locals cut up a bit, 1305", ["injured:2"]),
        ("сломал руку на тренировке", ["injured:1"]),
        ("no broken legs, all fine", []),
        ("cut the wire by hand", []),
    ],
)
def test_harm_beside_a_part_of_the_body_is_somebody_injured(line: str, casualty: list[str]) -> None:
    assert read(parse_line(line, WIDER)).get("casualty", []) == casualty


@pytest.mark.parametrize(
    "line", ["need ambo at 231 664", "EVASAN 2 blessés 2145 6640, 15h05", "2 men at 214 667, 1105"]
)
def test_two_runs_of_digits_of_which_the_second_is_no_time_are_a_grid(line: str) -> None:
    draft = parse_line(line, WIDER)
    place = part(draft, "place").value
    assert place is not None
    assert place["sort"] == "grid"
    assert len(draft.all("time")) == line.count(",")


@pytest.mark.parametrize(
    ("line", "name", "confidence"),
    [("UNP 1-31 маңында 4 адам тұр", "UNP 1-31", "sure"), ("OP 5 жақтан атыс дауысы естілді", "OP 5", "unsure")],
)
def test_a_post_with_a_word_for_near_behind_it_is_the_place_and_not_who_reports(
    line: str, name: str, confidence: str
) -> None:
    draft = parse_line(line, WIDER)
    place = part(draft, "place")
    assert place.value is not None
    assert (place.value["name"], place.confidence) == (name, confidence)
    assert draft.first("unit") is None


@pytest.mark.parametrize(
    ("line", "heights"),
    [
        ("group 2 at 2450 m going up to Rifugio Torino", ["2450"]),
        ("drone 100m up over UNP 1-31", ["100"]),
        ("2 men 100 m up the road from Alma", []),
        ("2 men at 300 m from CP 4", []),
    ],
)
def test_metres_are_a_height_where_somebody_stands_or_flies_so_high(line: str, heights: list[str]) -> None:
    assert read(parse_line(line, WIDER)).get("altitude", []) == heights
