"""Overlays in another program: GDAL finds in our files the drawings that they are, and what it writes is drawn here."""

import json
from pathlib import Path
from typing import Any

import pyogrio
import pyogrio.raw
import pytest

from aquila.core.geo import distance_m

from .test_overlays import LAYER, SHAPES, ask, bring, drawn, export, saved

Place = tuple[float, float]
NEAR_DEG = 1e-6
"""A tenth of a metre."""
KINDS = {
    "line": "LineString",
    "route": "LineString",
    "bearing": "LineString",
    "polygon": "Polygon",
    "circle": "Polygon",
}
"""Shape -> what it is elsewhere; every other is a point."""
PARTS_OF_GPX = {"route_points", "track_points"}
"""Layers that GDAL makes of a GPX file beside the lines that they are the points of."""
OTHERS: dict[str, Any] = {
    "Point": [77.123456, 42.654321],
    "LineString": [[77.0, 42.0], [77.25, 42.125], [77.5, 42.0]],
    "Polygon": [[[77.0, 43.0], [77.25, 43.0], [77.25, 43.25], [77.0, 43.0]]],
}
NAME = "Қордай <1> & ёж"
DRIVERS = {"geojson": "GeoJSON", "kml": "LIBKML", "kmz": "LIBKML", "gpx": "GPX", "gpkg": "GPKG"}


def read(file: Path) -> dict[str, tuple[str, list[Place]]]:
    """What GDAL finds in a file, said in its own GeoJSON: name -> kind, and places of the line or the edge."""
    found = {}
    for layer in set(pyogrio.list_layers(file)[:, 0]) - PARTS_OF_GPX:
        meta, _, shapes, columns = pyogrio.raw.read(file, layer=layer)
        text = file.with_suffix(f".{layer}.json")
        pyogrio.raw.write(
            text, shapes, columns, meta["fields"], crs="EPSG:4326", geometry_type="Unknown", driver="GeoJSON"
        )
        for one in json.loads(text.read_text("utf-8"))["features"]:
            words = one["properties"]
            found[words.get("name") or words["Name"]] = places_of(**one["geometry"])
    return found


def places_of(type: str, coordinates: Any) -> tuple[str, list[Place]]:
    if type.startswith("Multi"):
        (coordinates,), type = coordinates, type.removeprefix("Multi")
    line = {"Point": [coordinates], "LineString": coordinates}.get(type) or coordinates[0]
    return type, [(at[0], at[1]) for at in line]


@pytest.mark.parametrize("format", DRIVERS)
def test_gdal_finds_each_drawing_with_its_name_and_its_places(
    port: Any, client: Any, tmp_path: Path, format: str
) -> None:
    for shape in SHAPES:
        assert ask(port, client, "/drawings", shape | {"layer": LAYER}).status_code in (200, 201)
    file = tmp_path / f"ops.{format}"
    packed = format in ("kmz", "gpkg")
    file.write_bytes(saved(port, client, format)[1] if packed else export(port, client, format))
    found = read(file)
    # GPX knows neither areas nor circles.
    told = [shape for shape in SHAPES if format != "gpx" or shape["shape"] not in ("polygon", "circle")]
    assert set(found) == {shape["name"] for shape in told}
    for shape in told:
        kind, places = found[shape["name"]]
        drawn_places = [(lon, lat) for lat, lon in shape["points"]]
        if shape["shape"] == "circle" and kind == "Polygon":
            (lat, lon), radius_m = shape["points"][0], shape["radius_m"]
            assert all(distance_m(lat, lon, at[1], at[0]) == pytest.approx(radius_m, rel=0.01) for at in places)
            continue
        if shape["shape"] == "polygon":
            drawn_places.append(drawn_places[0])
        # GeoJSON knows no circles.
        assert kind == KINDS.get(shape["shape"], "Point") or (format == "geojson" and kind != "Polygon")
        assert places == [pytest.approx(at, abs=NEAR_DEG) for at in drawn_places], shape["name"]


@pytest.mark.parametrize("format", DRIVERS)
def test_what_gdal_writes_is_drawn_here(port: Any, client: Any, tmp_path: Path, format: str) -> None:
    for kind, coordinates in OTHERS.items():
        if (format, kind) == ("gpx", "Polygon"):
            continue
        feature = {
            "type": "Feature",
            "properties": {"name": NAME},
            "geometry": {"type": kind, "coordinates": coordinates},
        }
        source, file = tmp_path / f"{kind}.geojson", tmp_path / f"{kind} of gdal.{format}"
        source.write_text(json.dumps(feature), "utf-8")
        meta, _, shapes, columns = pyogrio.raw.read(source)
        pyogrio.raw.write(
            file, shapes, columns, meta["fields"], crs="EPSG:4326", geometry_type=kind, driver=DRIVERS[format]
        )
        answer = bring(port, client, format, file.read_bytes(), f"OF {kind}").json()
        assert (answer["drawn"], answer["refused"]) == (1, 0), answer
        (row,) = (row for row in drawn(port, client).values() if row["fields"]["layer"] == f"OF {kind}")
        assert row["name"] == NAME
        place = row["position"]
        geometry = row.get("geometry") or {"type": "Point", "coordinates": [place["lon_deg"], place["lat_deg"]]}
        assert places_of(geometry["type"], geometry["coordinates"])[1] == [
            pytest.approx(at, abs=NEAR_DEG) for at in places_of(kind, coordinates)[1]
        ]
