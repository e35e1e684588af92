"""Overlays as files: what goes out comes back as the same drawings, and what is no shape is counted."""

import base64
import contextlib
import io
import json
import sqlite3
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from aquila.core.ids import entity_id
from aquila.core.model import Alias, Geometry, Label, Position, Report
from aquila.core.policy import derive
from aquila.features.picture.overlay_files import Shape, shapes_of

LAYER = "OPS"
SECRET = Label("AQUILA-EXAMPLE", "SECRET", ("MISSION",), ("COMMON",))
SHAPES: list[dict[str, Any]] = [
    {"shape": "line", "name": "PL BLUE", "points": [[42.0, 77.0], [42.1, 77.2]], "sidc": "10032500001403000000"},
    {"shape": "polygon", "name": "AA EAGLE", "points": [[42.0, 77.0], [42.0, 77.2], [42.2, 77.2]], "fill": "#33aaff40"},
    {"shape": "circle", "name": "RING", "points": [[42.0, 77.0]], "radius_m": 1500, "stroke": "#ffb020"},
    {"shape": "route", "name": "MSR", "points": [[42.0, 77.0], [42.1, 77.2], [42.3, 77.1]]},
    {"shape": "point", "name": "CP 1", "points": [[42.5, 77.5]]},
    {"shape": "text", "name": "GATE", "points": [[42.6, 77.5]]},
    {"shape": "bearing", "name": "TO CP 1", "points": [[42.0, 77.0], [42.5, 77.5]], "stroke": "#a76bff"},
    {"shape": "point", "name": "BOAT", "points": [[42.7, 77.5]], "mark": "flag", "stroke": "#e5484d"},
    {"shape": "point", "name": "WELL", "points": [[42.8, 77.5]], "stroke": "#35b56a"},
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


def file_of(port: Any, client: Any, format: str, layer: str = LAYER) -> bytes:
    return saved(port, client, format, layer)[1] if format in ("kmz", "gpkg") else export(port, client, format, layer)


def counts(answer: Any) -> tuple[int, int, int, int]:
    """New, changed, already there, left out."""
    told = answer.json()
    return told["drawn"], told["changed"], told["same"], told["refused"]


@pytest.mark.parametrize("format", ["geojson", "kml", "kmz", "gpkg"])
def test_the_nodes_own_export_brings_back_what_was_taken_away(
    port: Any, client: Any, layer: dict[str, Any], format: str
) -> None:
    content = file_of(port, client, format)
    for row in layer.values():
        port.now_ms += 1000
        assert client.delete(f"/api/v1/entities/{row['id']}", headers=port.token("op", "operator")).is_success
    assert not drawn(port, client)
    port.now_ms += 1000
    answer = bring(port, client, format, content)
    assert counts(answer) == (len(SHAPES), 0, 0, 0), answer.text
    after = drawn(port, client)
    assert set(after) == set(layer)
    for uid, row in after.items():
        assert row.get("geometry") == layer[uid].get("geometry"), row["name"]
        for field in ("name", "sidc", "type", "fields"):
            assert row.get(field) == layer[uid].get(field), row["name"]


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
    assert bring(port, client, "kmz", packed).json()["same"] == len(SHAPES)
    assert set(drawn(port, client)) == set(layer)


def test_a_kmz_is_read_with_what_it_links_to_inside_and_no_more() -> None:
    def mark(name: str) -> str:
        return f"<Placemark><name>{name}</name><Point><coordinates>77,42</coordinates></Point></Placemark>"

    def links(*names: str) -> str:
        return "".join(f"<NetworkLink><Link><href>{name}</href></Link></NetworkLink>" for name in names)

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("doc.kml", f"<kml>{mark('A')}{links('in/b.kml', 'none.kml', 'http://x.invalid/c.kml')}</kml>")
        # Round and round, and up.
        archive.writestr("in/b.kml", f"<kml>{mark('B')}{links('b.kml', '../doc.kml', 'd.kml')}</kml>")
        archive.writestr("in/d.kml", f"<kml>{mark('D')}</kml>")
        archive.writestr("apart.kml", f"<kml>{mark('APART')}</kml>")
    assert [one.name for one in shapes_of("kmz", packed.getvalue()) if isinstance(one, Shape)] == ["A", "B", "D"]


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


TURNED = ((42.0, 77.0), (42.2, 77.0), (42.2, 77.123456789))
"""Clockwise, which KML and GeoJSON turn; a figure longer than KML has them."""
OF_PHONES: dict[str, Report] = {
    name: Report(
        entity=entity_id("cot", name), alias=Alias("cot", name), type=type, sidc="10032500000000000000",
        category="drawing", observed_at_ms=0, name=name, geometry=geometry, fields=fields, remarks="by hand",
        position=Position(42.0, 77.0),
    )
    for name, type, geometry, fields in (
        ("AO BLEU", "u-d-f", Geometry("polygon", TURNED, None, "#0077ff", "#0077ff40"), {}),
        ("KORIDOR", "u-d-f", Geometry("polygon", ((42.0, 77.0), (42.1, 77.0), (42.1, 77.1))), {"corridor_m": "50.0"}),
        ("PL ARES", "u-d-f", Geometry("line", ((42.0, 77.0), (42.1, 77.2)), None, "#ffffffff"), {}),
        ("BULL", "u-r-b-bullseye", Geometry("circle", ((42.0, 77.0),), 1234.5678), {"rings": "3", "ring_m": "411.5"}),
        ("SPOT", "b-m-p-s-m", None, {"iconsetpath": "COT_MAPPING_SPOTMAP/b-m-p-s-m/-1", "color": "-1"}),
    )
}  # fmt: skip
"""Drawings that lie on no layer, as phones have them, with what no file has a word for."""


@pytest.fixture
def of_phones(port: Any, client: Any) -> dict[str, Any]:
    for report in OF_PHONES.values():
        port.say(replace(report, observed_at_ms=port.now_ms), port.open)
    return drawn(port, client)


@pytest.mark.parametrize("format", ["geojson", "kml", "kmz", "gpx", "gpkg"])
def test_drawings_of_others_that_a_file_has_as_they_are_are_left_as_they_are(
    port: Any, client: Any, of_phones: dict[str, Any], layer: dict[str, Any], format: str
) -> None:
    before = drawn(port, client)
    for of in ("", LAYER):
        content = file_of(port, client, format, of)
        port.now_ms += 1000
        answer = bring(port, client, format, content, "drawings")
        there = [row for row in before.values() if row["fields"].get("layer", "") == of]
        in_file = [row for row in there if format != "gpx" or (row.get("geometry") or {}).get("shape") not in ROUND]
        assert counts(answer) == (0, 0, len(in_file), 0), answer.text
    assert drawn(port, client) == before


ROUND = ("polygon", "circle")
"""What GPX has no word for."""


def test_a_file_changes_what_lies_on_a_layer_and_leaves_what_another_drew(
    port: Any, client: Any, of_phones: dict[str, Any], layer: dict[str, Any]
) -> None:
    files = [export(port, client, "geojson", of) for of in ("", LAYER)]
    for name, content in zip(("BULL", "PL BLUE"), files, strict=True):
        other = content.replace(f'"name":"{name}"'.encode(), f'"name":"{name} NEW"'.encode())
        port.now_ms += 1000
        told = bring(port, client, "geojson", other, "ANOTHER").json()
        rows = {row["name"]: row for row in drawn(port, client).values()}
        if name == "BULL":
            assert (told["changed"], told["refused"]) == (0, 1)
            assert told["reasons"] == ["BULL NEW: device:FOX drew it otherwise; it stays so"]
            assert "BULL NEW" not in rows
        else:
            assert (told["changed"], told["refused"], told["same"]) == (1, 0, len(SHAPES) - 1)
            assert rows["PL BLUE NEW"]["fields"]["layer"] == LAYER
            assert rows["PL BLUE NEW"]["aliases"] == next(r["aliases"] for r in layer.values() if r["name"] == name)


def test_a_file_makes_no_drawing_of_what_is_none(port: Any, client: Any) -> None:
    port.place("FOX-1", 42.0, 77.0)
    feature = {
        "type": "Feature",
        "properties": {"name": "FOX", "uid": "FOX-1"},
        "geometry": {"type": "Point", "coordinates": [78.0, 43.0]},
    }
    answer = bring(port, client, "geojson", json.dumps(feature).encode())
    assert counts(answer) == (0, 0, 0, 1), answer.text


def test_gpx_has_no_areas_and_says_which_it_leaves_out(port: Any, client: Any, layer: dict[str, Any]) -> None:
    asked = client.get(f"/api/v1/overlays?layer={LAYER}&format=gpx", headers=port.token("op")).json()
    assert {piece["text"] for piece in asked if piece["part"] == "left_out"} == {"AA EAGLE", "RING"}
    assert b"EAGLE" not in export(port, client, "gpx")


def test_gpx_keeps_lines_and_points_and_the_same_file_twice_is_drawn_once(
    port: Any, client: Any, layer: dict[str, Any]
) -> None:
    # Of other places, so that none of it is there.
    content = export(port, client, "gpx").replace(b'lon="77', b'lon="78')
    first = bring(port, client, "gpx", content, "GPS")
    port.now_ms += 1000
    assert counts(bring(port, client, "gpx", content, "GPS")) == (0, 0, len(SHAPES) - 2, 0)
    assert counts(first) == (len(SHAPES) - 2, 0, 0, 0)
    rows = drawn(port, client)
    assert len(rows) == len(layer) + len(SHAPES) - 2
    # GPX has a word for what something is, and none for its colour.
    types = {
        row["name"]: (row["type"], row["fields"].get("iconsetpath"))
        for row in map(rows.get, first.json()["uids"])
        if row
    }
    before = {row["name"]: (row["type"], row["fields"].get("iconsetpath")) for row in layer.values()}
    for name in ("GATE", "TO CP 1", "BOAT", "MSR"):
        assert types[name] == before[name]


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


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"type": "FeatureCollection",\n"features": [', "it ends before its brackets are closed (line 2)"),
        (b'{"type":\n Feature}', "it is not written as JSON wants it (line 2, character 2)"),
        (b"{}\n{}", "something stands behind its end (line 2)"),
        (b'{"name":\n"\xff"}', "it is not in UTF-8 (line 2)"),
        (b" ", "it is empty"),
        (b'{"a":' + b"[" * 100_000, "its brackets lie in each other too deep"),
    ],
)
def test_a_broken_geojson_is_told_in_plain_words_with_the_line(
    port: Any, client: Any, content: bytes, said: str
) -> None:
    reason = bring(port, client, "geojson", content).json()["error"]["reason"]
    assert said in reason, reason


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04 no", "it is not packed as a ZIP"),
        (kmz(b"<kml/>", zipfile.ZIP_LZMA), "packed in another way"),
        (torn(kmz(b"<kml>" + bytes(range(32, 60)) * 100 + b"</kml>")), "what is packed inside is broken"),
    ],
)
def test_a_broken_kmz_is_told_in_plain_words(port: Any, client: Any, content: bytes, said: str) -> None:
    reason = bring(port, client, "kmz", content).json()["error"]["reason"]
    assert said in reason, reason


def test_a_shape_that_cannot_be_drawn_is_told_with_its_place_and_no_library_words(port: Any, client: Any) -> None:
    def line(*places: Any, **said: Any) -> dict[str, Any]:
        return {"type": "Feature", "properties": said, "geometry": {"type": "LineString", "coordinates": places}}

    features = [
        line(["x", 1], [2, 3], name="PL RED"),
        line(None),
        {"type": "Feature", "properties": {}, "geometry": {"type": "Torus", "coordinates": []}},
        line([77, 42], [78, 42], name="U", uid="\u00fc" * 5),
        line(*[[77, 42]] * 501, name="LONG"),
    ]
    reasons = bring(
        port, client, "geojson", json.dumps({"type": "FeatureCollection", "features": features}).encode()
    ).json()["reasons"]
    assert reasons == [
        "feature 1 (PL RED): a coordinate is not longitude and latitude in degrees",
        "feature 2 (LineString): a coordinate is not longitude and latitude in degrees",
        "feature 3 (Torus): it is none of point, line and area, which can be drawn",
        "U: its identity is not 1 to 128 plain letters, digits and signs",
        "LONG: it has no points, or more than 500: simplify it",
    ]
    mark = "<Placemark>\n<name>A</name><Point><coordinates>x,y</coordinates></Point></Placemark>"
    (reason,) = bring(port, client, "kml", f"<kml>\n{mark}</kml>".encode()).json()["reasons"]
    assert reason == "Point 'A' (line 3): a coordinate is not longitude and latitude in degrees"


def saved(port: Any, client: Any, format: str, layer: str = LAYER) -> tuple[dict[str, Any], bytes]:
    """The answer, and the bytes of the file."""
    asked = client.get(f"/api/v1/overlays/file?layer={layer}&format={format}", headers=port.token("op"))
    assert asked.status_code == 200, asked.text
    return asked.json(), base64.b64decode(asked.json()["base64"])


@pytest.mark.parametrize("format", ["kmz", "gpkg"])
def test_a_file_that_is_no_text_says_what_is_in_it(port: Any, client: Any, layer: dict[str, Any], format: str) -> None:
    told, _ = saved(port, client, format)
    assert (told["name"], told["drawings"]) == (f"OPS.{format}", len(SHAPES))
    assert told["marking"] == "UNCLASSIFIED REL TO MISSION; groups COMMON"


def test_a_kmz_says_its_marking(port: Any, client: Any, layer: dict[str, Any]) -> None:
    _, content = saved(port, client, "kmz")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["doc.kml"]
        assert b"<description>UNCLASSIFIED REL TO MISSION" in archive.read("doc.kml")


def test_a_geopackage_is_as_the_standard_has_it(port: Any, client: Any, layer: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "ops.gpkg").write_bytes(saved(port, client, "gpkg")[1])
    with contextlib.closing(sqlite3.connect(tmp_path / "ops.gpkg")) as base:
        ask = base.execute
        # Clauses 1.1.1.1.1 (application id), 1.1.2 (systems), 1.1.3 (contents), 2.1.5 (columns), 2.1.3 (geometries).
        assert ask("PRAGMA application_id").fetchone()[0].to_bytes(4, "big") == b"GPKG"
        assert ask("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert ask("PRAGMA foreign_key_check").fetchall() == []
        assert {row[0] for row in ask("SELECT srs_id FROM gpkg_spatial_ref_sys")} == {-1, 0, 4326}
        contents = ask("SELECT table_name, data_type, description, min_x, max_y, srs_id FROM gpkg_contents").fetchall()
        assert [row[:3] for row in contents] == [
            (table, "features", "UNCLASSIFIED REL TO MISSION; groups COMMON") for table in ("points", "lines", "areas")
        ]
        assert contents[1][3:] == (77.0, 42.5, 4326)
        kinds = ask("SELECT table_name, column_name, geometry_type_name, z, m FROM gpkg_geometry_columns").fetchall()
        assert kinds == [
            ("points", "geom", "POINT", 0, 0), ("lines", "geom", "LINESTRING", 0, 0), ("areas", "geom", "POLYGON", 0, 0)
        ]  # fmt: skip
        found = "SELECT geom, layer, label, releasable_to, sidc FROM lines WHERE name = 'PL BLUE'"
        (blob, *said) = ask(found).fetchone()
        assert said == ["OPS", "UNCLASSIFIED", "MISSION", "10032500001403000000"]
        assert (blob[:4], blob[8:40]) == (b"GP\0\3", struct.pack("<4d", 77.0, 77.2, 42.0, 42.1))


def test_what_the_asker_may_not_have_is_in_no_file_and_the_strictest_marking_stands(port: Any, client: Any) -> None:
    for name, label in (("OPEN", port.open), ("SECRET LINE", SECRET)):
        drawing = Report(
            entity=entity_id("cot", name), alias=Alias("cot", name), type="u-d-f", sidc="10032500000000000000",
            category="drawing", observed_at_ms=port.now_ms, name=name, fields={"layer": LAYER},
            geometry=Geometry("line", ((42.0, 77.0), (42.1, 77.1))),
        )  # fmt: skip
        port.say(drawing, label)
    told, content = saved(port, client, "gpkg")
    assert (told["drawings"], told["marking"]) == (1, "UNCLASSIFIED REL TO MISSION; groups COMMON")
    assert b"SECRET LINE" not in content
    # Whoever has both files both under the stricter.
    ours = Label(port.open.policy, "RESTRICTED", ("MISSION",), ("COMMON",))
    assert derive(port.policy, [port.open, ours]).classification == "RESTRICTED"


def cyclic() -> bytes:
    """A GeoPackage whose table of shapes is a view of itself, and one whose rows multiply without end."""
    with contextlib.closing(sqlite3.connect(":memory:")) as base:
        base.executescript(
            "CREATE TABLE gpkg_geometry_columns (table_name, column_name, srs_id);"
            "CREATE TABLE gpkg_spatial_ref_sys (srs_id, organization, organization_coordsys_id);"
            "INSERT INTO gpkg_geometry_columns VALUES ('v', 'geom', 4326);"
            "INSERT INTO gpkg_spatial_ref_sys VALUES (4326, 'EPSG', 4326);"
            "CREATE VIEW v AS WITH RECURSIVE r(geom) AS (SELECT 1 UNION ALL SELECT geom + 1 FROM r) SELECT geom FROM r"
        )
        return bytes(base.serialize())


def huge() -> bytes:
    """A GeoPackage whose one shape says that it has four thousand million corners, beside one that is right."""
    with contextlib.closing(sqlite3.connect(":memory:")) as base:
        base.executescript(
            "CREATE TABLE gpkg_geometry_columns (table_name, column_name, srs_id);"
            "CREATE TABLE gpkg_spatial_ref_sys (srs_id, organization, organization_coordsys_id);"
            "INSERT INTO gpkg_geometry_columns VALUES ('t', 'geom', 4326);"
            "INSERT INTO gpkg_spatial_ref_sys VALUES (4326, 'EPSG', 4326);"
            "CREATE TABLE t (geom BLOB, name TEXT)"
        )
        lying = b"GP\0\1" + struct.pack("<iBII", 4326, 1, 2, 0xFFFFFFFF)
        right = b"GP\0\1" + struct.pack("<iBIdd", 4326, 1, 1, 77.5, 42.5)
        base.executemany("INSERT INTO t VALUES (?, ?)", [(lying, "LIE"), (right, "RIGHT"), ("text", "NO")])
        base.commit()
        return bytes(base.serialize())


@pytest.mark.parametrize("content", [b"no", b"SQLite format 3\0" + bytes(4096), cyclic(), b""])
def test_a_geopackage_that_is_none_or_runs_without_end_gets_a_sentence(port: Any, client: Any, content: bytes) -> None:
    answer = bring(port, client, "gpkg", content or b"\0")
    assert answer.status_code == 422, answer.text
    assert "GeoPackage" in answer.json()["error"]["reason"]


def test_a_lying_geometry_is_counted_and_the_rest_is_drawn(port: Any, client: Any) -> None:
    answer = bring(port, client, "gpkg", huge()).json()
    assert (answer["drawn"], answer["refused"]) == (1, 2)
    assert answer["reasons"] == ["a row without a shape that can be drawn"]
    assert [row["name"] for row in drawn(port, client).values()] == ["RIGHT"]


def test_a_viewer_brings_nothing_in(port: Any, client: Any) -> None:
    body = {"format": "gpx", "layer": LAYER, "content": base64.b64encode(b"<gpx></gpx>").decode()}
    assert client.post("/api/v1/overlays", headers=port.token("op", "viewer"), json=body).status_code == 403
