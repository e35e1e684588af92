"""The query log.parse: a typed line against what the asker may see."""

from typing import Any

from aquila.core.model import Geometry

URL = "/api/v1/log/parse"


def parsed(client: Any, headers: dict[str, str], line: str, **more: str) -> dict[str, Any]:
    answer = client.get(URL, params={"line": line, **more}, headers=headers)
    assert answer.status_code == 200, answer.text
    draft = answer.json()
    assert "".join(part["text"] for part in draft["parts"]) == line
    return {part["field"]: part for part in draft["parts"] if part["field"] != "remainder"}


def test_a_typed_line_becomes_a_draft_with_places_of_the_picture(port: Any, client: Any) -> None:
    port.place("PTL3", 33.11, 35.21)
    port.say(port.report("post", 33.12, 35.31, name="UNP 1-31", category="place"), port.open)
    area = Geometry("polygon", ((33.0, 35.0), (33.0, 35.2), (33.2, 35.2), (33.2, 35.0)))
    port.say(port.report("area", 0, 0, name="Area Blue", category="drawing", position=None, geometry=area), port.open)
    headers = port.token("ops", "viewer")
    draft = parsed(client, headers, "PTL3 SALUTE 4 pax 300 m N of UNP 1-31 0915 +1", tz="+02:00")
    assert draft["unit"]["value"]["name"] == "PTL3"
    assert draft["kind"]["value"] == {"kind": "salute"}
    assert (draft["place"]["value"]["name"], draft["place"]["confidence"]) == ("UNP 1-31", "sure")
    assert round(draft["place"]["value"]["lat_deg"], 4) == 33.1227
    assert draft["time"]["value"]["clock"] == "0915L"
    inside = parsed(client, headers, "2 veh in Area Blue")["place"]
    assert (round(inside["value"]["lat_deg"], 3), round(inside["value"]["lon_deg"], 3)) == (33.1, 35.1)
    assert inside["confidence"] == "unsure", "the middle of 20 km of ground is no grid of two vehicles"


def test_the_middle_of_a_long_line_is_never_a_sure_place(port: Any, client: Any) -> None:
    line = Geometry("line", ((33.0, 35.0), (33.0, 35.3)))
    port.say(port.report("pl", 0, 0, name="PL ARES", category="drawing", position=None, geometry=line), port.open)
    spot = Geometry("circle", ((33.1, 35.1),), 100.0)
    port.say(port.report("lz", 0, 0, name="LZ OWL", category="drawing", position=None, geometry=spot), port.open)
    headers = port.token("ops", "viewer")
    for said in ("3 men near PL ARES", "3 men 300 m N of PL ARES"):
        place = parsed(client, headers, said)["place"]
        assert place["confidence"] == "unsure", said
        assert "the middle of PL ARES, which reaches 14.0 km" in place["note"]
    assert parsed(client, headers, "3 men near LZ OWL")["place"]["confidence"] == "sure"


def test_partial_grids_are_sure_only_in_the_square_that_was_given(port: Any, client: Any) -> None:
    port.place("PTL3", 33.11, 35.21)
    headers = port.token("ops", "viewer")
    guessed = parsed(client, headers, "grid 123456")["place"]
    assert (guessed["value"]["mgrs"], guessed["confidence"]) == ("36SYB123456", "unsure")
    given = parsed(client, headers, "grid 123456", square="36syb")["place"]
    assert (given["value"]["mgrs"], given["confidence"]) == ("36SYB123456", "sure")


def test_names_that_the_asker_may_not_see_do_not_help_to_read_its_line(port: Any, client: Any) -> None:
    port.place("FANTOM7", 33.11, 35.21, port.national)
    port.place("GHOST8", 33.512, 35.21, port.coarse)
    line = "FANTOM7 2 veh near GHOST8"
    italian = parsed(client, port.token("ita", "viewer", "ITA"), line)
    assert italian["unit"]["value"] == {"name": "FANTOM7", "id": None}
    assert italian["place"]["value"]["lat_deg"] is None
    french = parsed(client, port.token("fra", "viewer", "FRA"), line)
    assert french["unit"]["value"]["id"] is not None
    assert french["place"]["value"]["lat_deg"] == 33.512


def test_what_cannot_be_asked_is_refused_with_a_sentence(port: Any, client: Any) -> None:
    headers = port.token("ops", "viewer")
    for ask, says in (
        ({"line": "x" * 2001}, "2000"),
        ({"line": "x", "tz": "+25:00"}, "14 hours"),
        ({"line": "x", "tz": "Rome"}, "+02:00"),
        ({"line": "x", "square": "36XX"}, "36SYB"),
    ):
        answer = client.get(URL, params=ask, headers=headers)
        assert answer.status_code == 400, ask
        assert says in answer.text
    assert client.get(URL, params={"line": "x"}).status_code == 401
