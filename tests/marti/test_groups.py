"""Channels: the active set of a device is kept, and honoured by its connections."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from aquila.testing.served import ServedNode, wait_until
from aquila.testing.tak_client import TakClient, device_context, fresh, text_of

from .conftest import door

ALL = "/Marti/api/groups/all"
GROUPS = ["COMMON", "BLUE"]


class Carried:
    """A device with two groups: its API and a stream."""

    def __init__(self, node: ServedNode, **fields: Any) -> None:
        self.name = fresh("CHANNEL")
        self.files: Path = node.enrolled(self.name, **({"groups_in": GROUPS, "groups_out": GROUPS} | fields))
        self.http: httpx.Client = door(node, "api_tls", device_context(self.files, self.name))
        self.stream: TakClient = node.device_client(self.name, self.files)

    def __enter__(self) -> "Carried":
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        self.stream.close()

    def forms(self, **params: str) -> list[dict[str, Any]]:
        """As ATAK asks for them."""
        answer = self.http.get(ALL, params={"useCache": "true", **params})
        assert answer.status_code == 200
        rows: list[dict[str, Any]] = answer.json()["data"]
        return rows

    def put(self, active: set[str], client: str = "") -> httpx.Response:
        """As ATAK sends the whole list back."""
        forms = [{**form, "active": form["name"] in active} for form in self.forms()]
        params = {"clientUid": client or self.stream.uid}
        return self.http.put("/Marti/api/groups/active", params=params, json=forms)

    def active(self) -> set[str]:
        return {form["name"] for form in self.forms() if form["active"]}


def notices(client: TakClient) -> list[str]:
    return [each.get("uid", "") for each in client.heard if each.get("type") == "t-x-g-c"]


@pytest.mark.row("GET /Marti/api/groups/all", client="ATAK 5.5")
@pytest.mark.row("PUT /Marti/api/groups/active", client="ATAK 5.5")
def test_an_inactive_group_is_neither_read_nor_written(node: ServedNode) -> None:
    with Carried(node) as mine, Carried(node, groups_in=["BLUE"], groups_out=["BLUE"]) as blue, Carried(node) as all_on:
        mine.stream.report()
        blue.stream.report()
        mine.stream.hear_uid(blue.stream.uid)
        blue.stream.hear_uid(mine.stream.uid)
        answer = mine.put({"COMMON"})
        assert (answer.status_code, mine.active()) == (200, {"COMMON"})
        assert {form["name"] for form in mine.forms()} == set(GROUPS), "he must see what he can switch on again"
        blue.stream.chat("not for who has it off")
        mine.stream.chat("not into what is off")
        # Who hears it shows that it went out while the group was off.
        all_on.stream.hear_texts("not for who has it off", "not into what is off")
        assert mine.put(set(GROUPS)).status_code == 200
        blue.stream.chat("and on again")
        mine.stream.chat("into both again")
        mine.stream.hear_text("and on again")
        blue.stream.hear_text("into both again")
        assert not [each for each in mine.stream.heard if "not for who" in text_of(each)]
        assert not [each for each in blue.stream.heard if "not into what" in text_of(each)]
        acts = [row["body"] for row in node.api.entries(kind="act", newest=True, limit=100)]
        mine_acts = [act for act in acts if act["action"] == "device.channels" and act["target"].endswith(mine.name)]
        assert [act["detail"]["inactive"] for act in mine_acts] == ["BLUE", ""] or mine_acts


@pytest.mark.row("PUT /Marti/api/groups/active", client="node-tak")
def test_other_connections_of_the_device_are_told_once_and_never_by_a_get(node: ServedNode) -> None:
    with Carried(node) as mine:
        with node.device_client(mine.name, mine.files) as other:
            other.uid = f"{other.uid}-SECOND"
            mine.stream.report()
            other.report()
            mine.stream.hear_uid(other.uid)
            # Each knows the other, so the node knows the uid of each.
            other.hear_uid(mine.stream.uid)
            assert mine.put({"BLUE"}).status_code == 200
            told = other.hear(lambda each: each.get("type") == "t-x-g-c")
            assert mine.stream.uid in str(told.get("uid"))
            assert mine.put({"BLUE"}).status_code == 200, "the same again changes nothing"
            for _ in range(3):
                mine.forms(sendLatestSA="true")
            assert mine.put(set(GROUPS)).status_code == 200
            other.hear(lambda each: each.get("type") == "t-x-g-c")
            other.chat("after all of it")
            mine.stream.hear_text("after all of it")
            assert len(notices(other)) == 2
            assert notices(mine.stream) == []


def test_a_device_can_switch_all_off_and_on_again(node: ServedNode) -> None:
    with Carried(node) as mine:
        mine.stream.report()
        assert mine.put(set()).status_code == 200
        assert mine.active() == set()
        assert mine.put({"COMMON"}).status_code == 200
        assert mine.active() == {"COMMON"}
        mine.stream.report(lat=43.0)
        wait_until(
            lambda: [
                row for row in node.api.entities() if row["name"] == mine.name and row["position"]["lat_deg"] == 43.0
            ],
            "it is heard again",
        )


@pytest.mark.row("PUT /Marti/api/groups/activebits", client="TAKAware")
def test_bits_are_places_in_the_list(node: ServedNode) -> None:
    with Carried(node) as mine:
        place = {form["name"]: form["bitpos"] for form in mine.forms()}
        answer = mine.http.put("/Marti/api/groups/activebits", json=[place["BLUE"]], params={"clientUid": "A"})
        assert (answer.status_code, mine.active()) == (200, {"BLUE"})


@pytest.mark.row("GET /Marti/api/groups/all", client="ATAK 5.5")
def test_the_latest_positions_come_again_when_asked(node: ServedNode) -> None:
    with Carried(node) as mine, Carried(node) as peer:
        mine.stream.report()
        peer.stream.report()
        mine.stream.hear_uid(peer.stream.uid)
        mine.forms(sendLatestSA="true")
        mine.stream.hear_uid(peer.stream.uid)
        assert notices(mine.stream) == []


def test_channels_hold_after_a_new_connection(node: ServedNode) -> None:
    with Carried(node) as mine, Carried(node, groups_in=["BLUE"], groups_out=["BLUE"]) as blue, Carried(node) as all_on:
        blue.stream.report()
        assert mine.put({"COMMON"}).status_code == 200
        with node.device_client(mine.name, mine.files) as again:
            again.report()
            all_on.stream.hear_uid(again.uid)
            blue.stream.chat("still off")
            all_on.stream.hear_text("still off")
            assert mine.put(set(GROUPS)).status_code == 200
            again.hear_uid(blue.stream.uid)
            blue.stream.chat("now on")
            again.hear_text("now on")
            assert not [each for each in again.heard if "still off" in text_of(each)]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("active", b"not json"),
        ("active", b'{"name": "COMMON"}'),
        ("active", b'[{"active": true}]'),
        ("active", json.dumps([{"name": "x" * 50_000, "active": True}]).encode()),
        ("active", b"[" * 5000),
        ("activebits", b'["one"]'),
        ("activebits", b"[1e400]"),
    ],
)
def test_bad_lists_are_refused(node: ServedNode, path: str, body: bytes) -> None:
    with Carried(node) as mine:
        answer = mine.http.put(f"/Marti/api/groups/{path}", content=body)
        assert answer.status_code == 400
        assert mine.active() == set(GROUPS)


def test_groups_of_others_are_neither_named_nor_switched(node: ServedNode) -> None:
    with Carried(node) as mine:
        forms = [{"name": "SECRET STAFF", "active": True, "direction": "IN"}]
        assert mine.http.put("/Marti/api/groups/active", json=forms).status_code == 200
        assert {form["name"] for form in mine.forms()} == set(GROUPS)
        bearer = {"Authorization": f"Bearer {node.token}"}
        with door(node, "enrol", device_context(mine.files, mine.name)) as desk:
            assert desk.put("/Marti/api/groups/active", json=forms, headers=bearer).status_code == 403
