"""Who is there: end points, contacts and subscriptions as ATAK and node-tak ask and check them."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from aquila.testing.served import ServedNode, wait_until
from aquila.testing.tak_client import TakClient, device_context, event, fresh

from .conftest import Enrolled, door

SHORT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\dZ")
END_POINTS, CONTACTS, SUBSCRIPTIONS = (
    "/Marti/api/clientEndPoints",
    "/Marti/api/contacts/all",
    "/Marti/api/subscriptions/all",
)
SUBSCRIPTION_FIELDS = (
    "dn callsign clientUid lastReportMilliseconds takClient takVersion username groups role team ipAddress port"
    " pendingWrites numProcessed protocol xpath subscriptionUid appFramerate battery batteryStatus batteryTemp"
    " deviceDataRx deviceDataTx heapCurrentSize heapFreeSize heapMaxSize deviceIPAddress storageAvailable storageTotal"
    " incognito handlerType lastReportDiffMilliseconds"
).split()

Phone = tuple[TakClient, httpx.Client]
Phones = Callable[..., Phone]


def spoken(uid: str, callsign: str) -> bytes:
    """What ATAK says of itself."""
    return event(
        uid,
        "a-f-G-U-C",
        "<takv platform='ATAK-CIV' version='5.5.0' device='PHONE' os='34'/>"
        f"<contact callsign='{callsign}' endpoint='*:-1:stcp'/><__group name='Cyan' role='Medic'/>"
        "<status battery='71'/>",
    )


@pytest.fixture
def phones(node: ServedNode) -> Iterator[Phones]:
    """Devices that stream and ask: gives both clients, after the node knows the position."""
    opened: list[Any] = []

    def add(**fields: object) -> Phone:
        name = fresh("CALL")
        files = node.enrolled(name, **fields)
        stream = node.device_client(name, files)
        asking = door(node, "api_tls", device_context(files, name))
        opened.extend((stream, asking))
        stream.say(spoken(stream.uid, name))
        wait_until(lambda: named(asking.get(END_POINTS).json()["data"], stream.uid), "the node hears the phone")
        return stream, asking

    yield add
    for each in opened:
        each.close()


def named(rows: list[dict[str, Any]], uid: str, key: str = "uid") -> dict[str, Any] | None:
    return next((row for row in rows if row[key] == uid), None)


@pytest.mark.row("GET /Marti/api/clientEndPoints", client="ATAK 5.5")
def test_end_points_are_told_so_that_atak_shows_them(phones: Phones) -> None:
    stream, asking = phones()
    answer = asking.get(END_POINTS)
    assert answer.headers["content-type"] == "application/json"
    said = answer.json()
    assert (said["version"], said["type"]) == ("3", "com.bbn.marti.remote.ClientEndpoint")
    for row in said["data"]:
        # One bad line and ATAK drops all of them (T6).
        assert row["uid"]
        assert row["callsign"]
        assert row["lastStatus"] in ("Connected", "Disconnected")
        assert SHORT.fullmatch(row["lastEventTime"])
        assert datetime.strptime(row["lastEventTime"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC).timestamp() > 0
    row = named(said["data"], stream.uid)
    assert row is not None
    assert (row["lastStatus"], row["username"], row["team"], row["role"]) == (
        "Connected",
        stream.callsign,
        "Cyan",
        "Medic",
    )


@pytest.mark.row("GET /Marti/api/clientEndPoints", client="ATAK 5.5")
@pytest.mark.parametrize("contact", ["", "<contact endpoint='*:-1:stcp'/>", "<contact callsign=''/>"])
def test_who_gives_no_name_spoils_nobody_s_list(phones: Phones, contact: str) -> None:
    stream, asking = phones()
    uid = fresh("NAMELESS")
    stream.say(event(uid, "a-f-G-U-C", f"<takv platform='X'/>{contact}"))
    wait_until(lambda: named(asking.get(END_POINTS).json()["data"], uid), "the node hears the nameless")
    row = named(asking.get(END_POINTS).json()["data"], uid)
    assert row is not None
    assert row["callsign"] == uid
    assert named(asking.get(CONTACTS).json(), uid) is not None


@pytest.mark.row("GET /Marti/api/clientEndPoints", client="node-tak")
def test_who_left_is_disconnected_and_can_be_left_out(phones: Phones) -> None:
    gone, _ = phones()
    _, asking = phones()
    gone.close()

    def status() -> str:
        row = named(asking.get(END_POINTS).json()["data"], gone.uid)
        return "" if row is None else str(row["lastStatus"])

    wait_until(lambda: status() == "Disconnected", "the node sees that it left")
    only = asking.get(END_POINTS, params={"showCurrentlyConnectedClients": "true", "secAgo": "3600"}).json()["data"]
    assert named(only, gone.uid) is None
    assert named(asking.get(END_POINTS, params={"secAgo": "3600"}).json()["data"], gone.uid) is not None


@pytest.mark.row("GET /Marti/api/clientEndPoints", client="node-tak")
def test_only_the_newest_of_each_name_when_asked(node: ServedNode, phones: Phones) -> None:
    stream, asking = phones()
    stream.say(spoken(f"{stream.uid}-NEW", stream.callsign))
    wait_until(
        lambda: named(asking.get(END_POINTS).json()["data"], f"{stream.uid}-NEW"), "the node hears the second device"
    )
    rows = asking.get(END_POINTS, params={"showMostRecentOnly": "true"}).json()["data"]
    assert [row["uid"] for row in rows if row["callsign"] == stream.callsign] == [f"{stream.uid}-NEW"]


@pytest.mark.parametrize("path", [END_POINTS, CONTACTS, SUBSCRIPTIONS])
def test_nobody_is_told_who_is_in_groups_that_he_does_not_read(device: Enrolled, phones: Phones, path: str) -> None:
    stream, own = phones(groups_in=["HIDDEN"], groups_out=["HIDDEN"])
    stranger = device(groups_in=["COMMON"], groups_out=["COMMON"])
    assert stream.callsign in own.get(path).text
    for params in ({}, {"group": "HIDDEN"}):
        answer = stranger.get(path, params=params)
        assert answer.status_code == 200
        assert stream.callsign not in answer.text
        assert "HIDDEN" not in answer.text


def test_end_points_of_one_group(phones: Phones) -> None:
    stream, asking = phones(groups_in=["RED", "COMMON"], groups_out=["RED", "COMMON"])
    phones(groups_in=["COMMON"], groups_out=["COMMON"])
    rows = asking.get(END_POINTS, params={"group": "RED"}).json()["data"]
    assert [row["uid"] for row in rows] == [stream.uid]


@pytest.mark.row("GET /Marti/api/contacts/all", client="node-tak")
def test_contacts_are_a_bare_array(phones: Phones) -> None:
    stream, asking = phones()
    other, _ = phones()
    params = {"sortBy": "CALLSIGN", "direction": "DESCENDING", "noFederates": "false"}
    answer = asking.get(CONTACTS, params=params)
    assert answer.headers["content-type"] == "application/json"
    rows = answer.json()
    assert isinstance(rows, list)
    for row in rows:
        assert set(row) == {"filterGroups", "notes", "callsign", "team", "role", "takv", "uid"}
    assert [row["callsign"] for row in rows] == sorted((row["callsign"] for row in rows), reverse=True)
    row = named(rows, stream.uid)
    assert row is not None
    assert (row["takv"], row["notes"], row["team"]) == ("ATAK-CIV:5.5.0", stream.callsign, "Cyan")
    assert named(rows, other.uid) is not None


@pytest.mark.row("GET /Marti/api/subscriptions/all", client="node-tak")
def test_subscriptions_have_every_field_and_pages(node: ServedNode, phones: Phones) -> None:
    stream, asking = phones()
    other, _ = phones()
    with closing(other):
        answer = asking.get(
            SUBSCRIPTIONS, params={"sortBy": "CALLSIGN", "direction": "ASCENDING", "page": "-1", "limit": "-1"}
        )
        said = answer.json()
        assert said["type"] == "SubscriptionInfo"
        for row in said["data"]:
            assert set(SUBSCRIPTION_FIELDS) <= set(row)
            assert None not in row.values()
        row = named(said["data"], stream.uid, "clientUid")
        assert row is not None
        assert (row["takClient"], row["takVersion"], row["battery"]) == ("ATAK-CIV", "5.5.0", "71")
        assert row["numProcessed"] >= 1
        assert 0 <= row["lastReportDiffMilliseconds"] < 600_000
        pages = [
            asking.get(SUBSCRIPTIONS, params={"sortBy": "UID", "page": page, "limit": 1}).json()["data"]
            for page in range(2)
        ]
        assert [len(page) for page in pages] == [1, 1]
        assert pages[0][0]["clientUid"] < pages[1][0]["clientUid"]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (END_POINTS, "secAgo=soon"),
        (END_POINTS, "secAgo=99999999999999999999"),
        (END_POINTS, "group=" + "x" * 5000),
        (CONTACTS, "direction=sideways"),
        (SUBSCRIPTIONS, "limit=%00"),
        (SUBSCRIPTIONS, "page=1e9"),
    ],
)
def test_bad_parameters_are_refused_with_a_sentence(device: Enrolled, path: str, query: str) -> None:
    answer = device().get(f"{path}?{query}")
    assert answer.status_code == 400
    assert answer.json()["message"]
