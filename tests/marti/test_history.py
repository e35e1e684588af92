"""History of any entity, as ATAK and node-tak ask for it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import httpx
import pytest

from aquila.testing.served import ServedNode, wait_until
from aquila.testing.tak_client import TakClient, device_context, event, fresh, marker, position

from .conftest import Enrolled, door

Phone = tuple[TakClient, httpx.Client]


@pytest.fixture
def phone(node: ServedNode) -> Iterator[Phone]:
    """A device that streams and asks."""
    name = fresh("HIST")
    files = node.enrolled(name, groups_in=["BLUE"], groups_out=["BLUE"])
    with (
        node.device_client(name, files) as stream,
        door(node, "api_tls", device_context(files, name)) as asking,
    ):
        yield stream, asking


def newest(asking: httpx.Client, uid: str) -> bytes:
    answer = asking.get(f"/Marti/api/cot/xml/{uid}", headers={"Accept": "application/xml"})
    assert answer.status_code == 200
    return answer.content


def told(asking: httpx.Client, uid: str) -> None:
    wait_until(lambda: newest(asking, uid), f"the node knows {uid}")


def iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")[:23] + "Z"


@pytest.mark.row("GET /Marti/api/cot/xml/{uid}", client="ATAK 5.5")
def test_the_newest_event_comes_as_it_was_sent(phone: Phone) -> None:
    stream, asking = phone
    uid = fresh("MARK")
    detail = "<contact callsign='Cache &amp; co'/><vendor private='kept'><deep/></vendor>"
    stream.say(event(uid, "b-m-p-s-m", detail, how="h-g-i-g-o"))
    told(asking, uid)
    answer = asking.get(f"/Marti/api/cot/xml/{uid}", headers={"Accept": "application/xml"})
    assert answer.headers["content-type"] == "application/xml"
    assert "<event" in answer.text
    found = ET.fromstring(answer.content)
    assert (found.tag, found.get("uid"), found.get("type")) == ("event", uid, "b-m-p-s-m")
    vendor = found.find("detail/vendor")
    assert vendor is not None
    assert vendor.get("private") == "kept"
    assert found.find("detail/contact").get("callsign") == "Cache & co"  # type: ignore[union-attr]


@pytest.mark.row("GET /Marti/api/cot/xml/{uid}", client="node-tak")
def test_what_is_not_there_is_an_empty_body(device: Enrolled, phone: Phone) -> None:
    stream, asking = phone
    assert newest(asking, "nobody") == b""
    uid = fresh("HIDDEN")
    stream.say(marker(uid, "Hidden"))
    told(asking, uid)
    stranger = device(groups_in=["COMMON"], groups_out=["COMMON"])
    assert newest(stranger, uid) == b""
    assert uid not in stranger.get(f"/Marti/api/cot/xml/{uid}/all").text
    assert uid not in stranger.post("/Marti/api/cot", json=[uid]).text
    assert uid not in stranger.get("/Marti/api/cot/sa").text


@pytest.mark.row("GET /Marti/api/cot/xml/{uid}/all", client="ATAK 5.5")
def test_all_events_of_a_time_in_order(phone: Phone) -> None:
    stream, asking = phone
    uid = fresh("EDITED")
    for name in ("first", "second", "third"):
        stream.say(marker(uid, name))
        wait_until(lambda name=name: name.encode() in newest(asking, uid), f"the node knows the {name}")
    now = datetime.now(UTC)
    span = {"start": iso(now - timedelta(hours=1)), "end": iso(now + timedelta(hours=1))}
    answer = asking.get(f"/Marti/api/cot/xml/{uid}/all", params=span)
    assert answer.headers["content-type"] == "application/xml"
    events = ET.fromstring(answer.content)
    assert events.tag == "events"
    names = [each.find("detail/contact").get("callsign") for each in events]  # type: ignore[union-attr]
    assert names == ["first", "second", "third"]
    before = {"start": "2020-01-01T00:00:00.000Z", "end": "2020-01-02T00:00:00.000Z"}
    assert len(ET.fromstring(asking.get(f"/Marti/api/cot/xml/{uid}/all", params=before).content)) == 0
    assert len(ET.fromstring(asking.get("/Marti/api/cot/xml/nobody/all").content)) == 0


@pytest.mark.row("GET /Marti/api/cot/xml/{uid}/all", client="node-tak")
def test_positions_are_told_from_the_track(phone: Phone) -> None:
    stream, asking = phone
    lats = [42.0, 42.1, 42.2]
    for lat in lats:
        stream.say(position(stream.uid, stream.callsign, lat=lat))
        wait_until(lambda lat=lat: str(lat).encode() in newest(asking, stream.uid), "the node knows the position")

    def track() -> list[float]:
        text = asking.get(f"/Marti/api/cot/xml/{stream.uid}/all", params={"secago": "600"}).content
        return [float(each.find("point").get("lat", "")) for each in ET.fromstring(text)]  # type: ignore[union-attr]

    wait_until(lambda: track() == lats, "the track holds every place once")
    found = ET.fromstring(asking.get(f"/Marti/api/cot/xml/{stream.uid}/all").content)
    assert {each.get("uid") for each in found} == {stream.uid}
    assert all(each.get("type") == "a-f-G-U-C" for each in found)


@pytest.mark.row("POST /Marti/api/cot", client="official server")
@pytest.mark.row("GET /Marti/api/cot/sa", client="official server")
def test_many_at_once_and_all_in_a_box(phone: Phone) -> None:
    stream, asking = phone
    inside, outside = fresh("IN"), fresh("OUT")
    stream.say(marker(inside, "In", lat=10.5), marker(outside, "Out", lat=-10.5))
    told(asking, inside)
    told(asking, outside)
    found = ET.fromstring(asking.post("/Marti/api/cot", json=[inside, "nobody", outside, inside]).content)
    assert [each.get("uid") for each in found] == [inside, outside]
    box = {"left": "70", "bottom": "10", "right": "80", "top": "11"}
    found = ET.fromstring(asking.get("/Marti/api/cot/sa", params=box | {"start": "2026-01-01T00:00:00Z"}).content)
    assert [each.get("uid") for each in found] == [inside]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/Marti/api/cot/xml/" + "x" * 50_000),
        ("GET", "/Marti/api/cot/xml/x/all?start=yesterday"),
        ("GET", "/Marti/api/cot/xml/x/all?secago=-1"),
        ("GET", "/Marti/api/cot/sa?left=1"),
        ("GET", "/Marti/api/cot/sa?left=nan&bottom=0&right=1&top=1"),
        ("POST", "/Marti/api/cot"),
    ],
)
def test_bad_requests_are_refused_with_a_sentence(device: Enrolled, method: str, path: str) -> None:
    answer = device().request(method, path, content=b"{" if method == "POST" else None)
    assert answer.status_code == 400
    assert answer.json()["message"]


@pytest.mark.parametrize(
    "query",
    ["start=0001-01-01T00:00:00Z&end=9999-12-31T23:59:59Z", "secago=999999999999", "end=0001-01-01T00:00:00%2B14:00"],
)
def test_odd_times_find_what_there_is(device: Enrolled, query: str) -> None:
    assert device().get(f"/Marti/api/cot/xml/x/all?{query}").status_code == 200
