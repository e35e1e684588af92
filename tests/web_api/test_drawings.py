"""Drawings made here: an entity with a shape, changed under the same uid, and a sentence for what is no shape."""

from typing import Any

import pytest

from aquila.codecs.cot import cot_xml
from aquila.core.codec import Outgoing

AREA = {"shape": "polygon", "name": "NAI 3", "points": [[42.0, 77.0], [42.0, 77.2], [42.2, 77.2]], "layer": "INTEL"}


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
    ("words", "type"),
    [
        ({}, "u-d-f"),
        ({"shape": "line"}, "u-d-f"),
        ({"shape": "route"}, "b-m-r"),
        ({"shape": "circle", "points": [[42.0, 77.0]], "radius_m": 500}, "u-d-c-c"),
        ({"shape": "bearing", "points": [[42.0, 77.0], [42.1, 77.1]]}, "u-rb-a"),
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
        {"points": [[42.0, 77.0]]},
        {"points": [[99.0, 77.0], [42.0, 77.2], [42.2, 77.2]]},
        {"stroke": "red; url(x)"},
        {"name": ""},
    ],
)
def test_what_is_no_shape_gets_a_sentence(port: Any, client: Any, words: dict[str, Any]) -> None:
    answer = draw(port, client, **words)
    assert answer.status_code == 400
    assert answer.json()["error"]["reason"]


def test_a_viewer_draws_nothing(port: Any, client: Any) -> None:
    assert client.post("/api/v1/drawings", headers=port.token("op", "viewer"), json=AREA).status_code == 403
