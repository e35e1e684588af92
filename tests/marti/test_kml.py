"""KML: what is exported, and a track that a phone publishes."""

import zipfile
from collections.abc import Iterator
from io import BytesIO

import httpx
import pytest
from lxml import etree

from aquila.testing.served import ServedNode, wait_until
from aquila.testing.tak_client import TakClient, device_context, event, fresh, position

from .conftest import Enrolled, door

KML = "{http://www.opengis.net/kml/2.2}"
KIND = "application/vnd.google-earth.kml+xml"
Phone = tuple[TakClient, httpx.Client]


@pytest.fixture
def phone(node: ServedNode) -> Iterator[Phone]:
    """A device that streams and asks, whose position is known."""
    name = fresh("KML")
    files = node.enrolled(name, groups_in=["BLUE"], groups_out=["BLUE"])
    with (
        node.device_client(name, files) as stream,
        door(node, "api_tls", device_context(files, name)) as asking,
    ):
        stream.say(position(stream.uid, name))
        wait_until(lambda: asking.get(f"/Marti/api/cot/xml/{stream.uid}").content, "the node knows the phone")
        yield stream, asking


def marks(answer: httpx.Response) -> dict[str, etree._Element]:
    assert answer.status_code == 200
    root = etree.fromstring(answer.content)
    assert root.tag == f"{KML}kml"
    return {mark.findtext(f"{KML}name") or "": mark for mark in root.iter(f"{KML}Placemark")}


@pytest.mark.row("GET /Marti/LatestKML", client="official server")
def test_the_newest_state_is_a_file_to_save(device: Enrolled, phone: Phone) -> None:
    stream, asking = phone
    uid = fresh("EVIL")
    stream.say(event(uid, "b-m-p-s-m", f"<contact callsign='{uid} &lt;b&gt;&amp;'/>"))
    wait_until(lambda: asking.get(f"/Marti/api/cot/xml/{uid}").content, "the node knows the marker")
    answer = asking.get("/Marti/LatestKML")
    assert answer.headers["content-type"] == KIND
    assert answer.headers["content-disposition"].startswith("attachment")
    found = marks(answer)
    assert f"{uid} <b>&" in found
    assert found[stream.callsign].find(f"{KML}Point") is not None
    stranger = device(groups_in=["COMMON"], groups_out=["COMMON"])
    assert stream.callsign not in stranger.get("/Marti/LatestKML").text


@pytest.mark.row("GET /Marti/ExportMissionKML", client="ATAK 5.5")
def test_atak_fetches_the_track_of_a_uid(device: Enrolled, phone: Phone) -> None:
    stream, asking = phone
    for lat in (42.1, 42.2):
        stream.say(position(stream.uid, stream.callsign, lat=lat))
        wait_until(
            lambda lat=lat: str(lat) in asking.get(f"/Marti/api/cot/xml/{stream.uid}").text, "the node hears the move"
        )
    params = {
        "startTime": "2021-02-12T00:00:00.0Z",
        "endTime": "2099-02-19T23:59:59.9Z",
        "uid": stream.uid,
        "multiTrackThreshold": "10",
        "extendedData": "true",
        "format": "kmz",
        "optimizeExport": "true",
    }

    def track() -> str:
        packed = asking.get("/Marti/ExportMissionKML", params=params)
        assert packed.headers["content-type"] == "application/vnd.google-earth.kmz"
        with zipfile.ZipFile(BytesIO(packed.content)) as archive:
            return archive.read("doc.kml").decode()

    wait_until(lambda: "42.2000000" in track(), "the track is kept")
    root = etree.fromstring(track().encode())
    line = root.findtext(f".//{KML}LineString/{KML}coordinates")
    assert line is not None
    assert [place.split(",")[1] for place in line.split()] == ["42.8700000", "42.1000000", "42.2000000"]
    stranger = device(groups_in=["COMMON"], groups_out=["COMMON"])
    assert stream.callsign not in stranger.get("/Marti/ExportMissionKML", params=params | {"format": "kml"}).text


@pytest.mark.row("POST /Marti/ExportMissionKML", client="node-tak")
def test_cloudtak_exports_by_a_form(phone: Phone) -> None:
    stream, asking = phone
    form = {"startTime": "2021-02-12T00:00:00.000Z", "endTime": "2099-01-01T00:00:00.000Z", "format": "kml"}
    answer = asking.post("/Marti/ExportMissionKML", data=form)
    assert answer.headers["content-type"] == KIND
    assert stream.callsign in marks(answer)
    assert stream.callsign in marks(asking.post("/Marti/ExportMissionKML", data=form | {"groups": "BLUE"}))
    assert stream.callsign not in marks(asking.post("/Marti/ExportMissionKML", data=form | {"groups[]": "RED"}))


def test_the_command_writes_the_same_file(node: ServedNode) -> None:
    root = etree.fromstring(node.command("export", "--format", "kml").encode())
    assert root.tag == f"{KML}kml"


TRACK = """<?xml version='1.0' encoding='UTF-8'?>
<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2"><Document><Placemark><gx:Track>
<when>2026-03-01T10:00:00Z</when><when>2026-03-01T10:01:00Z</when>
<gx:coord>74.5 42.8 800</gx:coord><gx:coord>74.6 42.9 800</gx:coord></gx:Track></Placemark></Document></kml>"""


@pytest.mark.row("POST /Marti/TracksKML", client="ATAK 5.5")
def test_a_published_track_is_drawn_once(node: ServedNode, phone: Phone) -> None:
    stream, asking = phone
    params = {"uid": stream.uid, "callsign": stream.callsign, "cotType": "a-f-G-U-C"}
    for _ in range(2):
        answer = asking.post("/Marti/TracksKML", params=params, content=TRACK)
        assert answer.status_code == 200
    name = f"{stream.callsign} track"
    drawn = marks(asking.get("/Marti/LatestKML"))[name]
    assert drawn.findtext(f"{KML}LineString/{KML}coordinates") == "74.5,42.8 74.6,42.9"
    uid = drawn.findtext(f".//{KML}Data[@name='uid']/{KML}value")
    events = etree.fromstring(asking.get(f"/Marti/api/cot/xml/{uid}/all").content)
    assert len(events) == 1
    # The phone itself stays where it is: the points of a track are old.
    assert "42.87" in asking.get(f"/Marti/api/cot/xml/{stream.uid}").text


BOMB = "<!DOCTYPE kml [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;'>]><kml><coordinates>&b;</coordinates></kml>"
FILE = "<!DOCTYPE kml [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><kml><coordinates>1,2 &x;</coordinates></kml>"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no XML",
        "<html/>",
        BOMB,
        FILE,
        "<kml/>",
        "<kml><coordinates>1,2</coordinates></kml>",
        "<kml><coordinates>200,95 1,2</coordinates></kml>",
        "<kml><coordinates>nan,nan 1,2</coordinates></kml>",
        "<kml><coordinates>1 2</coordinates></kml>",
        "<kml><coordinates>" + "1,2 " * 6000 + "</coordinates></kml>",
        "PK\x03\x04",
    ],
)
def test_what_is_no_track_is_refused(device: Enrolled, body: str) -> None:
    answer = device().post("/Marti/TracksKML", params={"uid": "X", "callsign": "X"}, content=body)
    assert answer.status_code == 400
    assert answer.json()["message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/Marti/TracksKML?callsign=X"),
        ("POST", "/Marti/TracksKML?uid=X&callsign=%00"),
        ("GET", "/Marti/ExportMissionKML?format=exe"),
        ("GET", "/Marti/ExportMissionKML?startTime=never"),
        ("GET", "/Marti/ExportMissionKML?multiTrackThreshold=-5"),
        ("GET", "/Marti/ExportMissionKML?uid=" + "x" * 5000),
    ],
)
def test_bad_parameters_are_refused(device: Enrolled, method: str, path: str) -> None:
    assert device().request(method, path, content=TRACK if method == "POST" else None).status_code == 400
