"""The query log.search: words, phrases, authors, kinds and times; and nothing of what the asker may not have."""

from typing import Any

import pytest

from aquila.core.model import LOG_ROOM, Note
from aquila.testing.memory_node import START_MS

URL = "/api/v1/log/search"


def note(text: str, number: int, **more: Any) -> Note:
    return Note(room=LOG_ROOM, text=text, happened_at_ms=START_MS + number, reference=f"r{number}", **more)


def found(client: Any, headers: dict[str, str], **asked: Any) -> list[str]:
    answer = client.get(URL, params=asked, headers=headers)
    assert answer.status_code == 200, answer.text
    return [row["body"].get("text") or row["summary"] for row in answer.json()]


@pytest.fixture
def told(port: Any) -> dict[str, str]:
    """A viewer's headers, over a journal of a few lines."""
    lines = (
        "Avalanche above the north road",
        "Road to the north is open",
        "Лавина над дорогой",
        "Ünit crossed the Ford",
    )
    for number, text in enumerate(lines):
        port.say(note(text, number, author_name=("CAMOSCIO", "ORSO")[number % 2]), port.open)
    headers: dict[str, str] = port.token("ops", "viewer")
    return headers


def test_each_word_begins_a_word_and_the_newest_line_comes_first(client: Any, told: dict[str, str]) -> None:
    assert found(client, told, q="north road") == ["Road to the north is open", "Avalanche above the north road"]
    assert found(client, told, q="aval") == ["Avalanche above the north road"]
    assert found(client, told, q="valanche") == []
    assert found(client, told, q='"north road"') == ["Avalanche above the north road"]
    assert found(client, told, q="ЛАВИ дорог") == ["Лавина над дорогой"]
    assert found(client, told, q="unit FORD") == ["Ünit crossed the Ford"]


def test_no_line_is_found_by_a_piece_of_an_id_that_nobody_reads(port: Any, client: Any, told: dict[str, str]) -> None:
    fields = {"tracker": "fe61a2c0-0d11-5c2e-9f00-00ab12cd34ef", "sha256": "feedc0de" * 8, "crew": "Fedor"}
    port.say(port.report("quad", 42.0, 77.0, name="QUAD", category="marker", fields=fields), port.open)
    (line,) = found(client, told, q="fedor")
    assert found(client, told, q="fe") == [line]
    for piece in ("fe61", "0d11", "00ab12cd34ef", "feedc0de"):
        assert found(client, told, q=piece) == [], piece


def test_author_kind_and_time_narrow_what_is_found(port: Any, client: Any, told: dict[str, str]) -> None:
    assert found(client, told, author="orso") == ["Ünit crossed the Ford", "Road to the north is open"]
    assert found(client, told, q="north", author="camos") == ["Avalanche above the north road"]
    port.say(port.report("road", 42.0, 77.0, name="ROAD BLOCK", category="marker"), port.open)
    assert found(client, told, q="road", kind="report") == ["marker ROAD BLOCK at 42.00000, 77.00000"]
    assert len(found(client, told, q="road", kind="report,note")) == 3
    assert found(client, told, q="road", from_ms=START_MS + 1, until_ms=START_MS + 2) == ["Road to the north is open"]


def test_what_was_written_since_the_last_question_is_found_and_pages_go_on(
    port: Any, client: Any, told: dict[str, str]
) -> None:
    assert found(client, told, q="bridge") == []
    for number in range(5):
        port.say(note(f"Bridge {number}", 10 + number), port.open)
    first = client.get(URL, params={"q": "bridge", "limit": 2}, headers=told).json()
    assert [row["body"]["text"] for row in first] == ["Bridge 4", "Bridge 3"]
    assert found(client, told, q="bridge", before=first[-1]["cursor"]) == ["Bridge 2", "Bridge 1", "Bridge 0"]


def test_nobody_finds_by_a_question_what_is_withheld(port: Any, client: Any, told: dict[str, str]) -> None:
    port.say(note("Source HERON speaks", 20), port.national)
    port.say(port.report("ghost", 42.1, 77.1, name="HERON TWO"), port.coarse)
    assert len(found(client, port.token("fra", "viewer", "FRA"), q="heron")) == 2
    assert found(client, port.token("ita", "viewer", "ITA"), q="heron") == []


@pytest.mark.parametrize(
    "typed", ['"', "a AND OR NOT", "text:x", "(", "x*", "^x", "NEAR(a b)", 'a"b', "-x", "{text} : x"]
)
def test_what_people_type_is_never_an_operator(client: Any, told: dict[str, str], typed: str) -> None:
    assert client.get(URL, params={"q": typed, "kind": "note"}, headers=told).status_code == 200


@pytest.mark.parametrize("typed", ["a\0b", '"a\0b"', "\0", '"\0"'])
def test_a_null_in_a_question_parts_words_and_ends_nothing(client: Any, told: dict[str, str], typed: str) -> None:
    for field in ("q", "author"):
        assert client.get(URL, params={field: typed, "kind": "note"}, headers=told).status_code == 200
    assert found(client, told, q="north\0road") == found(client, told, q="north road")


def test_a_question_without_words_says_what_is_missing(client: Any, told: dict[str, str]) -> None:
    for asked in ({}, {"q": " … "}, {"kind": "gossip"}):
        answer = client.get(URL, params=asked, headers=told)
        assert answer.status_code == 400, answer.text
