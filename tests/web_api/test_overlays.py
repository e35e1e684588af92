"""Overlays as files: what goes out comes back as the same drawings, and what is no shape is counted."""

import base64
import io
import json
import zipfile
from typing import Any

import pytest

from aquila.features.picture.overlay_files import Shape, shapes_of

LAYER = "OPS"
SHAPES: list[dict[str, Any]] = [
    {"shape": "line", "name": "PL BLUE", "points": [[42.0, 77.0], [42.1, 77.2]], "sidc": "10032500001403000000"},
    {"shape": "polygon", "name": "AA EAGLE", "points": [[42.0, 77.0], [42.0, 77.2], [42.2, 77.2]], "fill": "#33aaff40"},
    {"shape": "circle", "name": "RING", "points": [[42.0, 77.0]], "radius_m": 1500, "stroke": "#ffb020"},
    {"shape": "route", "name": "MSR", "points": [[42.0, 77.0], [42.1, 77.2], [42.3, 77.1]]},
    {"shape": "point", "name": "CP 1", "points": [[42.5, 77.5]]},
    {"shape": "text", "name": "GATE", "points": [[42.6, 77.5]]},
]


def ask(port: Any, client: Any, path: str, body: dict[str, Any]) -> Any:
    return client.post(f"/api/v1{path}", headers=port.token("op", "operator"), json=body)


def bring(port: Any, client: Any, format: str, content: bytes, layer: str = LAYER) -> Any:
    packed = base64.b64encode(content).decode()
    return ask(port, client, "/overlays", {"format": format, "layer": layer, "content": packed})


def drawn(port: Any, client: Any) -> dict[str, Any]:
    rows = client.get("/api/v1/entities?kind=drawing", headers=port.token("op")).json()
    return {row["aliases"][0]["value"]: row for row in rows}


def export(port: Any, client: Any, format: str, layer: str = LAYER) -> bytes:
    asked = client.get(f"/api/v1/overlays?layer={layer}&format={format}", headers=port.token("op"))
    assert asked.status_code == 200, asked.text
    pieces = asked.json()
    join = "," if format == "geojson" else ""
    middle = join.join(piece["text"] for piece in pieces if piece["part"] == "drawing")
    return f"{pieces[0]['text']}{middle}{pieces[-1]['text']}".encode()


@pytest.fixture
def layer(port: Any, client: Any) -> dict[str, Any]:
    for shape in SHAPES:
        answer = ask(port, client, "/drawings", shape | {"layer": LAYER})
        assert answer.status_code in (200, 201), answer.text
    return drawn(port, client)


@pytest.mark.parametrize("format", ["geojson", "kml"])
def test_the_nodes_own_export_comes_back_as_the_same_drawings(
    port: Any, client: Any, layer: dict[str, Any], format: str
) -> None:
    port.now_ms += 1000
    answer = bring(port, client, format, export(port, client, format))
    assert (answer.json()["drawn"], answer.json()["refused"]) == (len(SHAPES), 0), answer.text
    after = drawn(port, client)
    assert set(after) == set(layer)
    for uid, row in after.items():
        assert row.get("geometry") == layer[uid].get("geometry"), row["name"]
        assert (row["name"], row["sidc"]) == (layer[uid]["name"], layer[uid]["sidc"])


def kmz(text: bytes, way: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", way) as archive:
        archive.writestr("doc.kml", text)
    return packed.getvalue()


def torn(packed: bytes) -> bytes:
    """The same with nonsense where what is packed stands."""
    return packed[:60] + b"\xff" * 10 + packed[70:]


def test_a_kmz_is_a_packed_kml(port: Any, client: Any, layer: dict[str, Any]) -> None:
    packed = kmz(export(port, client, "kml"))
    port.now_ms += 1000
    assert bring(port, client, "kmz", packed).json()["drawn"] == len(SHAPES)
    assert set(drawn(port, client)) == set(layer)


@pytest.mark.parametrize("tag", ["Placemark", "LineString"])
def test_what_lies_in_each_other_in_a_kml_is_read_once(tag: str) -> None:
    # A KMZ of 4 kB that was read 250 times, a million points each time.
    line = b"<LineString><coordinates>" + b"0,0 " * 20 + b"</coordinates></LineString>"
    begin, end = f"<{tag}>".encode() * 200, f"</{tag}>".encode() * 200
    text = b"<kml><Placemark>" + begin + line + end + b"</Placemark></kml>"
    (one,) = shapes_of("kmz", kmz(text))
    assert isinstance(one, Shape)
    assert len(one.points) == 20


def test_a_line_too_long_to_be_drawn_is_counted_and_the_rest_is_taken(port: Any, client: Any) -> None:
    marks = (
        "<Placemark><name>{}</name><LineString><coordinates>{}</coordinates></LineString></Placemark>".format(
            name, "77,42 78,43 " * turns
        )
        for name, turns in (("LONG", 100_000), ("SHORT", 250))
    )
    answer = bring(port, client, "kmz", kmz(f"<kml>{''.join(marks)}</kml>".encode())).json()
    assert (answer["drawn"], answer["refused"]) == (1, 1)
    assert "LONG" in answer["reasons"][0]
    assert "500 points" in answer["reasons"][0]


def test_gpx_keeps_lines_and_points_and_the_same_file_twice_is_drawn_once(
    port: Any, client: Any, layer: dict[str, Any]
) -> None:
    content = export(port, client, "gpx")
    first = bring(port, client, "gpx", content, "GPS").json()
    port.now_ms += 1000
    second = bring(port, client, "gpx", content, "GPS").json()
    assert first["drawn"] == second["drawn"] == len(SHAPES)
    assert first["uids"] == second["uids"]
    assert len(drawn(port, client)) == len(layer) + len(SHAPES)


def test_another_programs_shapes_are_taken_and_what_is_none_is_counted(port: Any, client: Any) -> None:
    features = [
        {"type": "Feature", "properties": {"name": "A"}, "geometry": {"type": "Point", "coordinates": [77.0, 42.0]}},
        {
            "type": "Feature",
            "properties": None,
            "geometry": {"type": "MultiLineString", "coordinates": [[[77, 42], [77.1, 42]], [[78, 42], [78.1, 42]]]},
        },
        {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [77.0, 142.0]}},
        {"type": "Feature", "properties": {}, "geometry": {"type": "LineString", "coordinates": [["x", 1]]}},
        {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [10**400, 1]}},
        {"type": "Feature", "geometry": None},
        7,
    ]
    content = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    answer = bring(port, client, "geojson", content).json()
    assert (answer["drawn"], answer["refused"]) == (3, 5)
    assert answer["reasons"]


@pytest.mark.parametrize(
    ("format", "content"),
    [
        ("geojson", b"{"),
        ("geojson", b'{"type":"Topology"}'),
        ("kml", b"<gpx/>"),
        ("kml", b'<!DOCTYPE kml [<!ENTITY a "b">]><kml>&a;</kml>'),
        ("geojson", b'{"a":' + b"[" * 100_000),
        ("kmz", b"PK\x03\x04 no"),
        ("kmz", torn(kmz(b"<kml>" + bytes(range(32, 60)) * 100 + b"</kml>"))),
        ("kmz", kmz(b"<kml/>", zipfile.ZIP_LZMA)),
        ("gpx", b"no"),
        ("gpx", b"<kml></kml>"),
    ],
)
def test_what_is_no_such_file_gets_a_sentence(port: Any, client: Any, format: str, content: bytes) -> None:
    answer = bring(port, client, format, content)
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]["reason"]
    assert not drawn(port, client)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<kml>\n<Placemark>\n</Document></kml>", "a tag is closed that was not the last one opened (line 3)"),
        (b"<kml>\n<Placemark>", "it ends before its tags are closed (line 2)"),
        (b"<kml>\n<name>A & B</name></kml>", "it is not written as XML wants it (line 2)"),
        (b"<kml>&nbsp;</kml>", "a name between & and ; is none that XML knows (line 1)"),
        (b" ", "it holds no XML"),
    ],
)
def test_a_broken_kml_is_told_in_plain_words_with_the_line(port: Any, client: Any, content: bytes, said: str) -> None:
    reason = bring(port, client, "kml", content).json()["error"]["reason"]
    assert said in reason, reason


def test_a_viewer_brings_nothing_in(port: Any, client: Any) -> None:
    body = {"format": "gpx", "layer": LAYER, "content": base64.b64encode(b"<gpx></gpx>").decode()}
    assert client.post("/api/v1/overlays", headers=port.token("op", "viewer"), json=body).status_code == 403
