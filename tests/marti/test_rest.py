"""The small rows: emergencies, a place by form, error reports, time; and what only the official server has."""

from collections.abc import Iterator
from xml.etree import ElementTree as ET

import httpx
import pytest

from aquila.features.tak.official import OfficialPaths, load_official
from aquila.testing.served import ServedNode, wait_until
from aquila.testing.tak_client import TakClient, device_context, emergency, fresh, position

from .conftest import Enrolled, door

REPEATER = "/Marti/api/repeater"
Phone = tuple[TakClient, httpx.Client]


@pytest.fixture
def phone(node: ServedNode) -> Iterator[Phone]:
    """A device that streams and asks."""
    name = fresh("REST")
    files = node.enrolled(name)
    with (
        node.device_client(name, files) as stream,
        door(node, "api_tls", device_context(files, name)) as asking,
    ):
        stream.say(position(stream.uid, name))
        yield stream, asking


@pytest.fixture
def admin(node: ServedNode, phone: Phone) -> Iterator[httpx.Client]:
    """An administrator at another desk."""
    files = node.enrolled(fresh("DESK"))
    tls = device_context(files, files.name.removesuffix("-files"))
    with door(node, "enrol", tls, headers={"Authorization": f"Bearer {node.token}"}) as client:
        yield client


@pytest.mark.row("GET /Marti/api/repeater/list", client="node-tak")
@pytest.mark.row("GET /Marti/api/repeater/remove/{uid}", client="node-tak")
def test_an_emergency_is_listed_until_it_is_removed(phone: Phone, admin: httpx.Client) -> None:
    stream, asking = phone
    uid = f"{stream.uid}-9-1-1"

    def listed() -> dict[str, str]:
        said = asking.get(f"{REPEATER}/list").json()
        return next((row for row in said["data"] if row["uid"] == uid), {})

    stream.say(emergency(stream.uid, stream.callsign, on=True))
    wait_until(listed, "the node lists the emergency")
    row = listed()
    assert set(row) == {"uid", "repeatType", "cotType", "dateTimeActivated", "xml", "callsign"}
    assert (row["repeatType"], row["cotType"]) == ("911 Alert", "b-a-o-tbl")
    assert ET.fromstring(row["xml"]).get("uid") == uid
    # A device removes nothing, and neither does a page elsewhere in the name of who is logged in.
    assert asking.get(f"{REPEATER}/remove/{uid}").status_code == 403
    foreign = admin.get(f"{REPEATER}/remove/{uid}", headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 400
    assert listed()
    said = admin.get(f"{REPEATER}/remove/{uid}").json()
    assert said["data"] is True
    wait_until(lambda: not listed(), "the emergency is gone")


def test_an_emergency_that_is_cancelled_is_listed_no_more(phone: Phone) -> None:
    stream, asking = phone
    uid = f"{stream.uid}-9-1-1"

    def is_listed() -> bool:
        return uid in asking.get(f"{REPEATER}/list").text

    stream.say(emergency(stream.uid, stream.callsign, on=True))
    wait_until(is_listed, "the node lists the emergency")
    stream.say(emergency(stream.uid, stream.callsign, on=False))
    wait_until(lambda: not is_listed(), "it is cancelled")


@pytest.mark.row("GET /Marti/api/repeater/period", client="node-tak")
def test_nothing_is_repeated_by_the_clock(device: Enrolled) -> None:
    assert device().get(f"{REPEATER}/period").json()["data"] == 0


@pytest.mark.row("POST /locate/api", client="node-tak")
def test_a_place_told_by_a_form_is_a_marker_that_moves(phone: Phone) -> None:
    stream, asking = phone
    name = fresh("Lost walker ")
    for latitude in ("10.5", "10.6"):
        params = {"latitude": latitude, "longitude": "20.25", "name": name, "remarks": "red <coat>"}
        assert asking.post("/locate/api", params=params).status_code == 200

    def found() -> list[ET.Element]:
        box = {"left": "20", "bottom": "10", "right": "21", "top": "11"}
        events = ET.fromstring(asking.get("/Marti/api/cot/sa", params=box).content)
        return [each for each in events if each.find("detail/contact").get("callsign") == name]  # type: ignore[union-attr]

    (event,) = found()
    assert event.find("point").get("lat") == "10.6"  # type: ignore[union-attr]
    assert event.findtext("detail/remarks") == "red <coat>"
    heard = stream.hear(lambda each: name in ET.tostring(each, encoding="unicode"))
    assert heard.get("type") == "a-u-G"


@pytest.mark.parametrize(
    "query",
    [
        "name=x",
        "name=x&latitude=91&longitude=0",
        "name=x&latitude=nan&longitude=0",
        "name=x&latitude=1&longitude=two",
        "name=&latitude=1&longitude=2",
        "name=%07&latitude=1&longitude=2",
        "name=" + "x" * 5000 + "&latitude=1&longitude=2",
    ],
)
def test_a_place_that_is_none_is_refused(device: Enrolled, query: str) -> None:
    answer = device().post(f"/locate/api?{query}")
    assert answer.status_code == 400
    assert answer.json()["message"]


@pytest.mark.row("POST /Marti/ErrorLog", client="ATAK 5.5")
def test_an_error_report_is_counted_and_not_kept(node: ServedNode, device: Enrolled) -> None:
    phone = device()
    before = node.counted().get("aquila_node_client_error_reports", 0.0)
    secret = "the crash log with names and places"
    answer = phone.post("/Marti/ErrorLog", params={"platform": "ANDROID\nforged line"}, content=secret * 100)
    assert answer.status_code == 200
    counted = {name: value for name, value in node.counted().items() if "client_error_reports" in name}
    assert sum(counted.values()) == before + 1
    log = node.log.read_text()
    assert secret not in log
    assert "forged line" not in log
    assert phone.post("/Marti/ErrorLog", content=b"x" * 300_000).status_code == 413


@pytest.mark.row("GET /Marti/GetTime", client="official server")
def test_the_time(device: Enrolled) -> None:
    assert int(device().get("/Marti/GetTime").json()["time"]) > 1_700_000_000_000


@pytest.mark.row("GET /files/api/config", client="node-tak")
def test_how_large_a_file_may_be(device: Enrolled) -> None:
    answer = device().get("/files/api/config")
    assert answer.headers["content-type"] == "application/json"
    assert isinstance(answer.json()["uploadSizeLimit"], int)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/Marti/api/plugins/info/all", 501),
        ("POST", "/Marti/api/repeater/period", 501),
        ("PUT", "/Marti/api/plugins/any/submit", 501),
        ("POST", "/Marti/vcu/below/this", 501),
        ("GET", "/Marti/api/plugins/info/none", 404),
        ("DELETE", "/Marti/GetTime", 501),
        ("DELETE", "/locate/api", 405),
    ],
)
def test_not_here_is_not_the_same_as_no_such_path(device: Enrolled, method: str, path: str, status: int) -> None:
    answer = device().request(method, path)
    assert answer.status_code == status
    said = answer.json()
    assert said["code"] == status
    assert said["message"]


def test_the_table_of_the_official_server() -> None:
    table = load_official()
    assert len(table.rows) > 380
    for method, path in table.rows:
        asked = "GET" if method in ("SERVLET", "ANY") else method
        assert table.has(asked, path.replace("{", "").replace("}", "").replace("/*", "")), path
    small = OfficialPaths(["# remark", "GET /a/{b}/c", "SERVLET /s/*"])
    assert small.rows == (("GET", "/a/{b}/c"), ("SERVLET", "/s/*"))
    assert small.has("HEAD", "/a/x/c")
    assert small.has("POST", "/s")
    assert small.has("POST", "/s/x/y")
    assert not small.has("POST", "/a/x/c")
    assert not small.has("GET", "/a//c")
    assert not small.has("GET", "/a/x")
