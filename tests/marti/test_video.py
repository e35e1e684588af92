"""Video connections as node-tak (JSON) and ATAK (XML) keep them."""

from typing import Any
from uuid import uuid4
from xml.etree import ElementTree as ET

import httpx
import pytest

from aquila.testing.served import ServedNode

from .conftest import Enrolled

PATH = "/Marti/api/video"


def connection(url: str = "rtsp://camera.invalid:8554/live", **fields: Any) -> dict[str, Any]:
    """As CloudTAK posts it."""
    uuid = str(uuid4())
    feed = {
        "uuid": str(uuid4()),
        "active": True,
        "alias": "North gate",
        "url": url,
        "order": None,
        "macAddress": None,
        "roverPort": "-1",
        "ignoreEmbeddedKLV": "false",
        "source": None,
        "networkTimeout": "12000",
        "bufferTime": "",
        "rtspReliable": "1",
        "latitude": "42.87",
        "longitude": "74.57",
        "fov": None,
        "heading": None,
        "range": None,
        "width": None,
        "height": None,
        "bitrate": None,
    }
    return {"uuid": uuid, "active": True, "alias": "Gates", "thumbnail": None, "feeds": [feed], **fields}


def listed(phone: httpx.Client, uuid: str) -> dict[str, Any] | None:
    answer = phone.get(PATH)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["videoConnections"]
    return next((row for row in answer.json()["videoConnections"] if row["uuid"] == uuid), None)


@pytest.mark.row("GET /Marti/api/video", client="node-tak")
@pytest.mark.row("POST /Marti/api/video", client="node-tak")
@pytest.mark.row("GET /Marti/api/video/{uid}", client="node-tak")
def test_a_video_is_added_listed_and_fetched(device: Enrolled) -> None:
    phone = device()
    sent = connection()
    for _ in range(2):
        assert phone.post(PATH, json={"videoConnections": [sent]}).status_code == 200
    row = listed(phone, sent["uuid"])
    assert row is not None
    (feed,) = row["feeds"]
    assert feed == {key: value for key, value in sent["feeds"][0].items() if value is not None}
    assert phone.get(f"{PATH}/{sent['uuid']}").json() == row
    assert [each["uuid"] for each in phone.get(PATH, params={"protocol": "rtmp"}).json()["videoConnections"]] == []
    assert phone.get(f"{PATH}/none").status_code == 404


@pytest.mark.row("PUT /Marti/api/video/{uid}", client="node-tak")
@pytest.mark.row("DELETE /Marti/api/video/{uid}", client="node-tak")
def test_a_video_is_changed_and_removed(device: Enrolled) -> None:
    phone = device()
    sent = connection()
    path = f"{PATH}/{sent['uuid']}"
    assert phone.put(path, json=sent).status_code == 404
    phone.post(PATH, json={"videoConnections": [sent]})
    assert phone.put(path, json=sent | {"alias": "South"}).status_code == 200
    assert phone.get(path).json()["alias"] == "South"
    assert phone.delete(path).status_code == 200
    assert phone.delete(path).status_code == 404
    assert listed(phone, sent["uuid"]) is None


def test_groups_decide_who_sees_and_who_changes(device: Enrolled) -> None:
    owner = device(groups_in=["RED", "COMMON"], groups_out=["RED", "COMMON"])
    reader = device(groups_in=["COMMON"], groups_out=["RED", "COMMON"])
    stranger = device(groups_in=["COMMON"], groups_out=["COMMON"])
    sent = connection()
    path = f"{PATH}/{sent['uuid']}"
    body = {"videoConnections": [sent]}
    assert stranger.post(PATH, params={"group": "RED"}, json=body).status_code == 403
    assert owner.post(PATH, params={"group": "RED"}, json=body).status_code == 200
    assert listed(reader, sent["uuid"]) is not None
    assert reader.put(path, json=sent | {"alias": "x"}).status_code == 403
    assert reader.delete(path).status_code == 403
    assert listed(stranger, sent["uuid"]) is None
    # What he may not see is told in the same bytes as what is not there.
    nothing = stranger.get(f"{PATH}/{uuid4()}")
    for answer in (stranger.get(path), stranger.delete(path), stranger.put(path, json=sent)):
        assert (answer.status_code, answer.content) == (404, nothing.content)
    # Its uid is as free to him as any other: what he puts there is his, and neither sees that of the other.
    free = str(uuid4())
    answers = [
        stranger.post(PATH, json={"videoConnections": [sent | {"uuid": uid, "alias": "mine"}]})
        for uid in (free, sent["uuid"])
    ]
    assert (answers[0].status_code, answers[0].content) == (answers[1].status_code, answers[1].content)
    assert answers[0].status_code == 200
    assert (stranger.get(path).json()["alias"], owner.get(path).json()["alias"]) == ("mine", "Gates")
    for uid in (free, sent["uuid"]):
        assert stranger.put(f"{PATH}/{uid}", json=sent | {"uuid": uid, "alias": "his"}).status_code == 200
    assert stranger.delete(path).status_code == 200
    assert (stranger.get(path).content, owner.get(path).json()["alias"]) == (nothing.content, "Gates")


@pytest.mark.row("POST /Marti/vcm", client="ATAK 5.5")
@pytest.mark.row("GET /Marti/vcm", client="ATAK 5.5")
def test_old_clients_say_it_in_xml(device: Enrolled) -> None:
    phone = device()
    uid = str(uuid4())
    body = (
        "<?xml version='1.0' encoding='UTF-8' standalone='yes'?><videoConnections><feed><protocol>rtsp</protocol>"
        f"<alias>Tower &lt;1&gt;</alias><uid>{uid}</uid><address>cam.invalid</address><port>8554</port>"
        "<roverPort>-1</roverPort><ignoreEmbeddedKLV>false</ignoreEmbeddedKLV><preferredMacAddress></preferredMacAddress>"
        "<path>/live</path><buffer>-1</buffer><timeout>5000</timeout><rtspReliable>0</rtspReliable></feed></videoConnections>"
    )
    for _ in range(2):
        assert phone.post("/Marti/vcm", content=body, headers={"Content-Type": "application/xml"}).status_code == 200
    answer = phone.get("/Marti/vcm")
    assert answer.headers["content-type"] == "application/xml"
    root = ET.fromstring(answer.content)
    assert root.tag == "videoConnections"
    (feed,) = (each for each in root if each.findtext("uid") == uid)
    assert {child.tag: child.text for child in feed} == {child.tag: child.text for child in ET.fromstring(body)[0]}
    row = listed(phone, uid)
    assert row is not None
    assert row["feeds"][0]["url"] == "rtsp://cam.invalid:8554/live"


def test_the_page_adds_and_removes_one(node: ServedNode) -> None:
    api = node.api
    (uid,) = api.put_video(name="Gate", url="rtsp://cam.invalid/1")["uids"]
    assert [row["urls"] for row in api.videos() if row["uid"] == uid] == [["rtsp://cam.invalid/1"]]
    assert api.drop_video(uid)["uid"] == uid
    assert uid not in {row["uid"] for row in api.videos()}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"videoConnections":[]}',
        b'{"videoConnections":[{"alias":"no uuid"}]}',
        b'{"videoConnections":[{"uuid":"%s"}]}' % (b"x" * 50_000),
        b'{"videoConnections":[{"uuid":"a\\u0000b"}]}',
        b'{"videoConnections":[{"uuid":"a","feeds":[{"url":"javascript:alert(1)"}]}]}',
        b'{"videoConnections":[{"uuid":"a","feeds":[%s]}]}' % b",".join([b'{"url":"rtsp://a"}'] * 51),
        b'{"videoConnections":[{"uuid":"a","feeds":[%s]}]}' % b",".join([b'{"alias":"%s"}' % (b"y" * 3000)] * 20),
        b'{"videoConnections":' + b"[" * 20_000,
    ],
)
def test_bad_json_is_refused(device: Enrolled, body: bytes) -> None:
    answer = device().post(PATH, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["message"]


BOMB = b"<!DOCTYPE x [<!ENTITY a 'aaaa'>]><videoConnections><feed><uid>&a;</uid></feed></videoConnections>"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<feed/>",
        b"<videoConnections/>",
        BOMB,
        b"<videoConnections><feed><uid></uid></feed></videoConnections>",
        b"<videoConnections><feed><uid>a</uid><port>many</port></feed></videoConnections>",
        b"<videoConnections><feed><uid>a</uid><protocol>javascript</protocol><address>x</address></feed></videoConnections>",
    ],
)
def test_bad_xml_is_refused(device: Enrolled, body: bytes) -> None:
    assert device().post("/Marti/vcm", content=body).status_code == 400
