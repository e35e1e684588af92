"""GeoJSON keeps RFC 7946."""

import json
from itertools import pairwise
from typing import Any

import pytest

from aquila.codecs.geojson import codec
from aquila.core.errors import CodecError
from aquila.core.model import Report
from aquila.testing.codecs import Vector, outgoing, vectors_beside

REPORTS = {vector.name: body for vector in vectors_beside("aquila.codecs.cot", "cot-xml") for body in vector.bodies}

GOLDEN = vectors_beside("aquila.codecs.geojson", "geojson")


def feature(name: str) -> dict[str, Any]:
    assert codec.encode is not None
    written: dict[str, Any] = json.loads(codec.encode(outgoing(REPORTS[name])))
    return written


@pytest.mark.parametrize("vector", GOLDEN, ids=[vector.name for vector in GOLDEN])
def test_each_vector_is_written_as_it_stands(vector: Vector) -> None:
    assert codec.encode is not None
    (body,) = vector.bodies
    assert json.loads(codec.encode(outgoing(body))) == json.loads(vector.wire)


def test_every_report_is_a_feature() -> None:
    for name, body in REPORTS.items():
        if isinstance(body, Report):
            written = feature(name)
            assert written["type"] == "Feature"
            assert written["id"] == body.entity
            assert written["properties"]["sidc"] == body.sidc


def test_a_place_is_longitude_latitude_height() -> None:
    assert feature("atak_position")["geometry"] == {
        "type": "Point",
        "coordinates": [74.5698, 42.8746, 812.3],
    }
    assert feature("atak_position_without_fix")["geometry"] is None


def test_a_ring_is_closed_and_counter_clockwise() -> None:
    (ring,) = feature("drawing_polygon")["geometry"]["coordinates"]
    assert ring[0] == ring[-1]
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring))
    assert area > 0


def test_a_circle_is_a_point_with_a_radius() -> None:
    circle = feature("drawing_circle")
    assert circle["geometry"]["type"] == "Point"
    assert circle["properties"]["radius_m"] == 500.0


def test_the_marking_goes_with_it() -> None:
    properties = feature("atak_position")["properties"]
    assert properties["classification"] == "UNCLASSIFIED"
    assert properties["releasable_to"] == ["ITA", "KAZ"]


def test_what_is_no_report_cannot_be_carried() -> None:
    assert codec.encode is not None
    with pytest.raises(CodecError, match="unsupported"):
        codec.encode(outgoing(REPORTS["chat_all"]))
