"""KML keeps the order of elements that the schema of KML 2.2 has, and every text is only text."""

import zipfile
from io import BytesIO

import msgspec
import pytest
from lxml import etree

from aquila.codecs.kml import TrackPoint, codec, document, kmz, placemark, track
from aquila.core.errors import CodecError
from aquila.core.model import Report
from aquila.testing.codecs import LABEL, Vector, outgoing, vectors_beside

KML = "{http://www.opengis.net/kml/2.2}"
GOLDEN = vectors_beside("aquila.codecs.kml", "kml")
COT = {vector.name: body for vector in vectors_beside("aquila.codecs.cot", "cot-xml") for body in vector.bodies}
ORDER = ["name", "description", "TimeStamp", "TimeSpan", "styleUrl", "ExtendedData", "Point", "LineString", "Polygon"]


def parsed(*pieces: str) -> etree._Element:
    return etree.fromstring(b"".join(document("A & B", pieces)))


@pytest.mark.parametrize("vector", GOLDEN, ids=[vector.name for vector in GOLDEN])
def test_each_vector_is_written_as_it_stands(vector: Vector) -> None:
    assert codec.encode is not None
    (body,) = vector.bodies
    assert codec.encode(outgoing(body)) == vector.wire


def test_every_report_is_a_placemark_in_the_order_of_the_schema() -> None:
    reports = [body for body in COT.values() if isinstance(body, Report)]
    root = parsed(*(placemark(report, LABEL) for report in reports))
    marks = root.findall(f".//{KML}Placemark")
    assert len(marks) == len(reports)
    styles = {f"#{style.get('id')}" for style in root.iter(f"{KML}Style")}
    for mark in marks:
        places = [ORDER.index(etree.QName(child).localname) for child in mark]
        assert places == sorted(places)
        assert mark.findtext(f"{KML}styleUrl") in styles


def test_hostile_names_stay_text() -> None:
    report = GOLDEN[0].bodies[0]
    assert isinstance(report, Report)
    bad = "<![CDATA[<script>alert(1)</script>]]>&\"'\x00\x0b\ud800"
    root = parsed(placemark(msgspec.structs.replace(report, name=bad, remarks=bad, team=bad), LABEL))
    assert root.findtext(f".//{KML}Placemark/{KML}name") == "<![CDATA[<script>alert(1)</script>]]>&\"'"
    assert not list(root.iter("{*}script"))


def test_a_circle_is_a_closed_ring_around_its_middle() -> None:
    circle = COT["drawing_circle"]
    assert isinstance(circle, Report)
    text = parsed(placemark(circle, LABEL)).findtext(f".//{KML}LinearRing/{KML}coordinates")
    assert text is not None
    ring = text.split()
    assert ring[0] == ring[-1]
    assert len(ring) == 37


def test_a_track_is_cut_where_nothing_was_heard() -> None:
    points = [TrackPoint(minute * 60_000, 42.0 + minute / 1000, 74.0) for minute in (0, 1, 2, 60, 61, 200)]
    whole, parts = parsed(track("P", points)), parsed(track("P", points, gap_ms=600_000))
    assert len(whole.findall(f".//{KML}LineString")) == 1
    assert len(parts.findall(f".//{KML}LineString")) == 2
    assert len(parts.findall(f".//{KML}Point")) == 1
    assert whole.findtext(f".//{KML}TimeSpan/{KML}end") == "1970-01-01T03:20:00.000Z"
    assert track("P", []) == ""


def test_kmz_holds_one_document_and_is_the_same_every_time() -> None:
    pieces = list(document("X", []))
    packed = kmz(pieces)
    assert packed == kmz(pieces)
    with zipfile.ZipFile(BytesIO(packed)) as archive:
        assert archive.read("doc.kml") == b"".join(pieces)


def test_what_is_no_report_cannot_be_carried() -> None:
    assert codec.encode is not None
    with pytest.raises(CodecError, match="unsupported"):
        codec.encode(outgoing(COT["chat_all"]))
