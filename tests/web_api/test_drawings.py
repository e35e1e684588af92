"""Drawings made here: an entity with a shape, changed under the same uid, and a sentence for what is no shape."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from aquila.codecs.cot import cot_xml
from aquila.core.codec import Outgoing
from aquila.core.model import Report
from aquila.features.picture.changes import change_heard
from aquila.features.picture.corridor import corridor_corners
from aquila.testing.codecs import bodies, decoded

CORRIDORS = json.loads((Path(__file__).parents[2] / "web" / "test" / "corridors.json").read_text("utf-8"))

AREA = {"shape": "polygon", "name": "NAI 3", "points": [[42.0, 77.0], [42.0, 77.2], [42.2, 77.2]], "layer": "INTEL"}

POINT = {"shape": "point", "points": [[42.0, 77.0]]}
CIRCLE = {"shape": "circle", "points": [[42.0, 77.0]], "radius_m": 500}
CORRIDOR = {"shape": "corridor", "corridor_m": 200}


def draw(port: Any, client: Any, **words: Any) -> Any:
    return client.post("/api/v1/drawings", headers=port.token("op", "operator"), json=AREA | words)


def test_a_drawing_is_an_entity_with_a_shape_on_a_layer(port: Any, client: Any) -> None:
    made = draw(port, client, stroke="#ffb020")
    assert made.status_code in (200, 201), made.text
    row = client.get(f"/api/v1/entities/{made.json()['entity']}", headers=port.token("op")).json()
    assert (row["category"], row["type"], row["geometry"]["type"]) == ("drawing", "u-d-f", "Polygon")
    assert row["geometry"]["coordinates"][0] == [[77.0, 42.0], [77.2, 42.0], [77.2, 42.2], [77.0, 42.0]]
    assert (row["fields"]["layer"], row["geometry"]["stroke"]) == ("INTEL", "#ffb020")


def test_the_same_uid_is_the_same_drawing_changed(port: Any, client: Any) -> None:
    first = draw(port, client).json()
    port.now_ms += 1000
    second = draw(port, client, uid=first["uid"], name="NAI 4").json()
    assert second["entity"] == first["entity"]
    rows = client.get("/api/v1/entities?kind=drawing", headers=port.token("op")).json()
    assert [row["name"] for row in rows] == ["NAI 4"]


@pytest.mark.parametrize(
    ("first", "then", "change"),
    [
        ({}, {}, None),
        ({}, {"points": [[42.0, 77.0], [42.0, 77.2], [42.2, 77.3]]}, "reshaped"),
        ({}, {"stroke": "#ffb020"}, "restyled"),
        ({}, {"name": "NAI 4"}, "renamed"),
        ({}, {"layer": "OTHER"}, "changed"),
        ({}, {"name": "NAI 4", "stroke": "#ffb020"}, "changed"),
        (POINT, {"points": [[42.1, 77.0]]}, "moved"),
        (POINT, {"mark": "flag"}, "restyled"),
        (CIRCLE, {"points": [[42.1, 77.0]]}, "moved"),
        (CIRCLE, {"radius_m": 600}, "reshaped"),
        (CORRIDOR, {"corridor_m": 300}, "reshaped"),
    ],
)
def test_a_change_is_told_as_what_it_is(
    port: Any, client: Any, first: dict[str, Any], then: dict[str, Any], change: str | None
) -> None:
    made = draw(port, client, **first).json()
    assert "change" not in port.journal.entry(made["entry"]).body.fields
    again = draw(port, client, **first | then, uid=made["uid"]).json()
    assert port.journal.entry(again["entry"]).body.fields.get("change") == change
    back = draw(port, client, **first, uid=made["uid"], takes_back=True).json()
    assert port.journal.entry(back["entry"]).body.fields["change"] == "restored"


@pytest.mark.parametrize(
    ("words", "type"),
    [
        ({}, "u-d-f"),
        ({"shape": "line"}, "u-d-f"),
        ({"shape": "route"}, "b-m-r"),
        ({"shape": "circle", "points": [[42.0, 77.0]], "radius_m": 500}, "u-d-c-c"),
        ({"shape": "bearing", "points": [[42.0, 77.0], [42.1, 77.1]]}, "u-rb-a"),
        ({"shape": "corridor", "corridor_m": 200}, "u-d-f"),
        ({"shape": "bullseye", "points": [[42.0, 77.0]], "radius_m": 5000}, "u-r-b-bullseye"),
        ({"shape": "point", "points": [[42.0, 77.0]], "stroke": "#ff0000"}, "b-m-p-s-m"),
        ({"shape": "point", "points": [[42.0, 77.0]], "mark": "flag"}, "a-u-G"),
    ],
)
def test_a_phone_gets_every_shape_under_the_uid_of_the_drawing(
    port: Any, client: Any, words: dict[str, Any], type: str
) -> None:
    made = draw(port, client, **words).json()
    entry = port.journal.entry(made["entry"])
    document = cot_xml.encode(Outgoing(body=entry.body, label=entry.envelope.label, now_ms=port.now_ms))
    assert f'type="{type}"'.encode() in document
    assert made["uid"].encode() in document


@pytest.mark.parametrize(
    "words",
    [
        {"shape": "circle"},
        {"radius_m": 5},
        {"points": [[99.0, 77.0], [42.0, 77.2], [42.2, 77.2]]},
        {"stroke": "red; url(x)"},
        {"name": ""},
        {"shape": "corridor"},
        {"corridor_m": 200},
        {"shape": "corridor", "corridor_m": 200, "points": [[42.0, 77.0], [42.0, 77.0], [42.1, 77.0]]},
        {"mark": "flag"},
    ],
)
def test_what_is_no_shape_gets_a_sentence(port: Any, client: Any, words: dict[str, Any]) -> None:
    answer = draw(port, client, **words)
    assert answer.status_code == 400
    assert answer.json()["error"]["reason"]


@pytest.mark.parametrize(
    ("shape", "count", "need"),
    [
        ("polygon", 2, (3, 500)),
        ("line", 1, (2, 500)),
        ("route", 1, (2, 500)),
        ("bearing", 3, (2, 2)),
        ("point", 2, (1, 1)),
    ],
)
def test_how_many_points_a_shape_needs_is_said_in_words(
    port: Any, client: Any, shape: str, count: int, need: tuple[int, int]
) -> None:
    answer = draw(port, client, shape=shape, points=[[42.0, 77.0 + n] for n in range(count)])
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["act"] == "refused.points"
    assert error["words"] == {"n": str(count), "least": str(need[0]), "most": str(need[1])}


def test_a_viewer_draws_nothing(port: Any, client: Any) -> None:
    assert client.post("/api/v1/drawings", headers=port.token("op", "viewer"), json=AREA).status_code == 403


def on_phone(port: Any, made: Any) -> tuple[bytes, Report]:
    """What a phone is sent of a drawing, and what it says of it when it sends it back unchanged."""
    entry = port.journal.entry(made.json()["entry"])
    document = cot_xml.encode(Outgoing(body=entry.body, label=entry.envelope.label, now_ms=port.now_ms))
    (back,) = bodies(decoded(cot_xml, [document]))
    assert isinstance(back, Report)
    return document, back


@pytest.mark.parametrize(
    "words",
    [
        {"layer": "OPS", "order": 3, "fill": "#33AAFF40"},
        {"shape": "line", "sidc": "10032500001403000000", "stroke": "#3d9bff"},
        {"shape": "corridor", "corridor_m": 300},
        {"shape": "route", "remarks": "by night"},
        {"shape": "circle", "points": [[42.0, 77.0]], "radius_m": 1500.25},
        {"shape": "bullseye", "points": [[42.0, 77.0]], "radius_m": 6000, "rings": 0},
        {"shape": "bullseye", "points": [[42.0, 77.0]], "radius_m": 6000, "inward": True},
        {"shape": "bearing", "points": [[42.0, 77.0], [42.31, 77.77]]},
        {"shape": "point", "points": [[42.0, 77.0]], "mark": "flag", "stroke": "#ffff00"},
        {"shape": "point", "points": [[42.0, 77.0]]},
        {"shape": "text", "points": [[42.0, 77.0]]},
    ],
)
def test_what_a_phone_sends_back_as_it_came_is_no_change(port: Any, client: Any, words: dict[str, Any]) -> None:
    made = draw(port, client, **words)
    _, back = on_phone(port, made)
    drawn = port.journal.entry(made.json()["entry"]).body
    assert change_heard(drawn, back) is None
    assert change_heard(drawn, msgspec.structs.replace(back, name="ELSE")) == "renamed"


@pytest.mark.parametrize("case", CORRIDORS, ids=lambda case: case["name"])
def test_a_corridor_has_a_corner_on_each_side_of_every_place(case: dict[str, Any]) -> None:
    corners = corridor_corners([(lat, lon) for lat, lon in case["centre"]], case["corridor_m"])
    assert [list(corner) for corner in corners] == case["corners"]


def test_a_corridor_is_a_closed_shape_to_phones_and_keeps_its_width_here(port: Any, client: Any) -> None:
    straight = CORRIDORS[0]
    made = draw(port, client, shape="corridor", points=straight["centre"], corridor_m=200)
    row = client.get(f"/api/v1/entities/{made.json()['entity']}", headers=port.token("op")).json()
    ring = row["geometry"]["coordinates"][0]
    assert [[lat, lon] for lon, lat in ring] == [*straight["corners"], straight["corners"][0]]
    assert row["fields"]["corridor_m"] == "200.0"
    document, back = on_phone(port, made)
    assert document.count(b"<link point=") == 5
    assert back.geometry is not None
    assert [list(corner) for corner in back.geometry.points] == straight["corners"]


def test_a_point_has_its_mark_and_colour_on_phones(port: Any, client: Any) -> None:
    words = {"shape": "point", "points": [[42.0, 77.0]], "stroke": "#ffff00"}
    document, dot = on_phone(port, draw(port, client, **words))
    assert b'iconsetpath="COT_MAPPING_SPOTMAP/b-m-p-s-m/-256"' in document
    assert b'<color argb="-256"/>' in document
    assert dot.fields["color"] == "-256"
    document, flag = on_phone(port, draw(port, client, **words, mark="flag"))
    assert b'iconsetpath="f7f71666-8b28-4b57-9fbb-e38e61d33b79/Google/flag.png"' in document
    assert (flag.fields["color"], flag.category) == ("-256", "marker")


def test_a_bullseye_is_one_thing_that_comes_back_from_a_phone(port: Any, client: Any) -> None:
    made = draw(
        port, client, shape="bullseye", points=[[42.0, 77.0]], radius_m=6000, bearing_ref="M", inward=True, rings=4
    )
    document, back = on_phone(port, made)
    assert b'distance="6000.0"' in document
    assert b'ringNum="4"' in document
    assert b'ringDist="1500.0"' in document
    said = {name: back.fields[name] for name in ("rings", "ring_m", "bearing_ref", "inward")}
    assert said == {"rings": "4", "ring_m": "1500.0", "bearing_ref": "M", "inward": "true"}
    assert back.geometry is not None
    assert (back.geometry.shape, back.geometry.radius_m) == ("circle", 6000.0)
