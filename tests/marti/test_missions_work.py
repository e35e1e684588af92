"""Layers, logs, parents and the entities of missions, as node-tak asks for them."""

from typing import Any
from uuid import uuid4
from xml.etree import ElementTree as ET

import pytest

from aquila.testing.served import ServedNode, wait_until
from aquila.testing.tak_client import fresh, marker

from .conftest import Enrolled
from .test_missions import MISSIONS, created, read, said

LOG = "com.bbn.marti.sync.model.LogEntry"
LOGS = f"{MISSIONS}/logs/entries"


def names(layers: list[dict[str, Any]]) -> list[Any]:
    """Names of a tree."""
    return [[each["name"], *names(each["mission_layers"])] for each in layers]


@pytest.mark.row("GET /Marti/api/missions/{name}/layers", client="node-tak")
@pytest.mark.row("PUT /Marti/api/missions/{name}/layers", client="node-tak")
@pytest.mark.row("DELETE /Marti/api/missions/{name}/layers", client="node-tak")
@pytest.mark.row("PUT /Marti/api/missions/{name}/layers/parent", client="node-tak")
@pytest.mark.row("PUT /Marti/api/missions/{name}/layers/{uid}/name", client="node-tak")
@pytest.mark.row("PUT /Marti/api/missions/{name}/layers/{uid}/position", client="node-tak")
def test_layers_are_a_tree_in_order(device: Enrolled) -> None:
    phone = device()
    path = f"{MISSIONS}/{created(phone)['name']}"

    def put(name: str, **params: str) -> Any:
        answer = phone.put(f"{path}/layers", params={"name": name, "type": "GROUP", "creatorUid": "ME", **params})
        return said(answer, "MissionLayer")

    for _ in range(2):
        put("A", uid="a")
    put("B", uid="b")
    put("C", uid="c", afterUid="a")
    put("D", uid="d", parentUid="a")
    layers = said(phone.get(f"{path}/layers"), "MissionLayer")
    assert names(layers) == [["A", ["D"]], ["C"], ["B"]]
    for layer in layers:
        assert {"name", "type", "uid", "mission_layers", "uids", "contents", "maplayers"} <= set(layer)
    assert layers[0]["mission_layers"][0]["parentUid"] == "a"
    assert said(phone.get(f"{path}/layers/d"), "MissionLayer")["name"] == "D"
    assert phone.get(f"{path}/layers/none").status_code == 404
    answer = phone.put(
        f"{path}/contents", json={"hashes": [], "uids": [], "paths": {"d": [{"uids": ["x"]}]}, "after": ""}
    )
    assert [each["data"] for each in said(answer, "Mission")[0]["uids"]] == ["x"]
    tree = said(phone.get(f"{path}/layers"), "MissionLayer")
    assert [each["data"] for each in tree[0]["mission_layers"][0]["uids"]] == ["x"]
    assert phone.put(f"{path}/layers/parent", params={"layerUid": "a", "parentUid": "d"}).status_code == 422
    moved = said(phone.put(f"{path}/layers/parent", params={"layerUid": "d", "parentUid": "b"}), "MissionLayer")
    assert names(moved) == [["A"], ["C"], ["B", ["D"]]]
    renamed = said(phone.put(f"{path}/layers/b/name", params={"name": "E"}), "MissionLayer")
    assert names(renamed) == [["A"], ["C"], ["E", ["D"]]]
    placed = said(phone.put(f"{path}/layers/b/position", params={"afterUid": "a"}), "MissionLayer")
    assert names(placed) == [["A"], ["E", ["D"]], ["C"]]
    for _ in range(2):
        left = said(phone.delete(f"{path}/layers", params={"uid": "b", "creatorUid": "ME"}), "MissionLayer")
        assert names(left) == [["A"], ["C"]]
    assert phone.put(f"{path}/layers", params={"name": "x", "type": "CAKE"}).status_code == 400
    assert phone.put(f"{path}/layers/none/name", params={"name": "x"}).status_code == 404
    assert phone.put(f"{path}/contents", json={"paths": {"none": [{"uids": ["x"]}]}}).status_code == 404


def test_layers_are_at_most_twenty_deep_however_they_come_there(device: Enrolled) -> None:
    """Deeper ones broke every reading of the mission."""
    phone = device()
    path = f"{MISSIONS}/{created(phone)['name']}"

    def put(uid: str, parent: str) -> Any:
        words = {"name": uid, "type": "GROUP", "creatorUid": "ME", "uid": uid}
        return phone.put(f"{path}/layers", params=words | ({"parentUid": parent} if parent else {}))

    for depth in range(20):
        assert put(f"l{depth}", f"l{depth - 1}" if depth else "").status_code in (200, 201)
    assert put("l20", "l19").status_code == 422
    assert put("top", "").status_code in (200, 201)
    assert put("below", "top").status_code in (200, 201)
    moved = phone.put(f"{path}/layers/parent", params={"layerUid": "top", "parentUid": "l18"})
    assert moved.status_code == 422
    assert phone.put(f"{path}/layers/parent", params={"layerUid": "top", "parentUid": "l17"}).status_code == 200
    assert phone.get(f"{path}/layers").status_code == 200


def test_one_password_opens_one_log(device: Enrolled) -> None:
    """Each password costs a slow hash; one request with many stopped the node for everybody."""
    owner, other = device(), device()
    first, second = (created(owner, password="long enough") for _ in range(2))
    entry = {"content": "seen", "creatorUid": "OTHER", "missionNames": [first["name"], second["name"]]}
    refused = other.post(LOGS, params={"password": "long enough"}, json=entry)
    assert refused.status_code == 400
    assert "name one mission" in refused.text
    one = other.post(LOGS, params={"password": "long enough"}, json=entry | {"missionNames": [first["name"]]})
    assert one.status_code in (200, 201)


@pytest.mark.row("POST /Marti/api/missions/logs/entries", client="node-tak")
@pytest.mark.row("PUT /Marti/api/missions/logs/entries", client="node-tak")
@pytest.mark.row("GET /Marti/api/missions/logs/entries/{uid}", client="node-tak")
@pytest.mark.row("DELETE /Marti/api/missions/logs/entries/{uid}", client="node-tak")
@pytest.mark.row("GET /Marti/api/missions/{name}/log", client="node-tak")
@pytest.mark.row("GET /Marti/api/missions/all/logs", client="node-tak")
def test_a_log_entry_is_written_changed_and_removed(device: Enrolled) -> None:
    phone = device(groups_in=["RED", "COMMON"], groups_out=["RED", "COMMON"])
    reader = device(groups_in=["COMMON"], groups_out=["COMMON"])
    one, red = created(phone, group="COMMON"), created(phone, group="RED")
    sent = {
        "content": "Bridge\nis down",
        "creatorUid": "ME",
        "missionNames": [one["name"], red["name"]],
        "dtg": "2026-03-01T10:11:12.345Z",
        "keywords": ["bridge"],
        "contentHashes": [],
    }
    (row,) = said(phone.post(LOGS, json=sent), LOG, 201)
    assert row.items() >= sent.items()
    assert {"id", "entryUid", "servertime", "created"} <= set(row)
    # Sent again, it is the same entry.
    assert said(phone.post(LOGS, json=sent), LOG, 201)[0]["id"] == row["id"]
    assert said(phone.get(f"{LOGS}/{row['id']}"), LOG) == [row]
    (seen,) = said(reader.get(f"{LOGS}/{row['id']}"), LOG)
    assert seen["missionNames"] == [one["name"]]
    assert [each["id"] for each in said(reader.get(f"{MISSIONS}/{one['name']}/log"), LOG)] == [row["id"]]
    assert reader.get(f"{MISSIONS}/{red['name']}/log").status_code == 404
    assert row["id"] in {each["id"] for each in said(reader.get(f"{MISSIONS}/all/logs"), LOG)}
    (edited,) = said(phone.put(LOGS, json=sent | {"id": row["id"], "content": "Bridge stands"}), LOG)
    assert (edited["content"], edited["created"]) == ("Bridge stands", row["created"])
    assert phone.put(LOGS, json=sent).status_code == 400
    assert phone.put(LOGS, json=sent | {"id": "none"}).status_code == 404
    assert reader.post(LOGS, json=sent).status_code == 404
    assert len(read(phone, one["name"], logs="true")["logs"]) == 1
    assert phone.delete(f"{LOGS}/{row['id']}").status_code == 200
    assert phone.delete(f"{LOGS}/{row['id']}").status_code == 404
    assert said(phone.get(f"{MISSIONS}/{one['name']}/log"), LOG) == []


@pytest.mark.row("PUT /Marti/api/missions/{name}/parent/{parent}", client="node-tak")
@pytest.mark.row("DELETE /Marti/api/missions/{name}/parent", client="node-tak")
@pytest.mark.row("GET /Marti/api/missions/{name}/children", client="node-tak")
@pytest.mark.row("GET /Marti/api/missions/{name}/parent", client="node-tak")
def test_missions_stand_below_each_other_but_never_in_a_ring(device: Enrolled) -> None:
    phone = device()
    one, two, three = (f"{MISSIONS}/{created(phone)['name']}" for _ in range(3))
    for child, parent in ((two, one), (three, two)):
        assert phone.put(f"{child}/parent/{parent.rpartition('/')[2]}").status_code == 200
    for parent in (one, two, three):
        assert phone.put(f"{one}/parent/{parent.rpartition('/')[2]}").status_code == 409
    (child,) = said(phone.get(f"{one}/children"), "Mission")
    assert child["name"] == two.rpartition("/")[2]
    assert said(phone.get(f"{two}/parent"), "Mission")[0]["name"] == one.rpartition("/")[2]
    assert phone.get(f"{one}/parent").status_code == 404
    for _ in range(2):
        assert phone.delete(f"{two}/parent").status_code == 200
    assert said(phone.get(f"{one}/children"), "Mission") == []


@pytest.mark.row("PUT /Marti/api/missions/{name}/expiration", client="node-tak")
def test_an_expiration_is_kept(device: Enrolled) -> None:
    phone = device()
    name = created(phone)["name"]
    assert phone.put(f"{MISSIONS}/{name}/expiration", params={"expiration": "4000000000"}).status_code == 200
    assert read(phone, name)["expiration"] == 4_000_000_000
    assert phone.put(f"{MISSIONS}/{name}/expiration", params={"expiration": "-1"}).status_code == 200
    assert read(phone, name)["expiration"] == -1
    assert phone.put(f"{MISSIONS}/{name}/expiration", params={"expiration": "soon"}).status_code == 400


@pytest.mark.row("GET /Marti/api/missions/{name}/cot", client="node-tak")
@pytest.mark.row("GET /Marti/api/missions/{name}/contacts", client="node-tak")
def test_entities_are_told_as_events_and_with_details(node: ServedNode, device: Enrolled) -> None:
    name = fresh("WALKER")
    phone = device(name)
    uid = str(uuid4())
    row = created(phone)
    path = f"{MISSIONS}/{row['name']}"
    with node.device_client(name, node.data.parent / f"{name}-files") as client:
        client.report()
        client.say(marker(uid, "Cache 1"))
        wait_until(lambda: "<event" in phone.get(f"/Marti/api/cot/xml/{uid}").text, "the marker is known")
        assert phone.put(f"{path}/subscription", params={"uid": client.uid}).status_code == 201
        assert phone.put(f"{path}/contents", json={"uids": [uid, "unknown"]}).status_code == 200
        answer = phone.get(f"{path}/cot")
        assert answer.headers["content-type"] == "application/xml"
        root = ET.fromstring(answer.content)
        assert root.tag == "events"
        assert [each.get("uid") for each in root] == [uid]
        details = {each["data"]: each.get("details") for each in read(phone, row["name"])["uids"]}
        assert details["unknown"] is None
        assert details[uid]["callsign"] == "Cache 1"
        assert details[uid]["type"] == "b-m-p-s-m"
        assert details[uid]["location"]["lat"] == pytest.approx(42.9)
        contacts = phone.get(f"{path}/contacts").json()
        found = {each["uid"]: each for each in contacts}
        assert found[client.uid]["callsign"] == name
        assert set(found[client.uid]) == {"filterGroups", "notes", "callsign", "team", "role", "takv", "uid"}


@pytest.mark.row("PUT /Marti/api/missions/{name}/uid/{uid}/keywords", client="TAK Server 5.7")
@pytest.mark.row("POST /Marti/api/missions/{name}/maplayers", client="TAK Server 5.7")
@pytest.mark.row("DELETE /Marti/api/missions/{name}/maplayers/{uid}", client="TAK Server 5.7")
@pytest.mark.row("POST /Marti/api/missions/{name}/feed", client="TAK Server 5.7")
@pytest.mark.row("POST /Marti/api/missions/{name}/externaldata", client="TAK Server 5.7")
def test_other_things_hang_on_a_mission(device: Enrolled) -> None:
    phone, other = device(), device()
    path = f"{MISSIONS}/{created(phone)['name']}"
    phone.put(f"{path}/contents", json={"uids": ["u"]})
    (row,) = said(phone.put(f"{path}/uid/u/keywords", json=["k"]), "Mission")
    assert row["uids"][0]["keywords"] == ["k"]
    assert phone.put(f"{path}/uid/none/keywords", json=["k"]).status_code == 404
    layer = {"uid": "m", "name": "Map", "url": "https://maps.invalid/{z}", "opacity": None}
    (row,) = said(phone.post(f"{path}/maplayers", json=layer), "Mission")
    assert row["mapLayers"] == [{"uid": "m", "name": "Map", "url": "https://maps.invalid/{z}"}]
    assert other.post(f"{path}/maplayers", json=layer).status_code == 403
    (row,) = said(phone.delete(f"{path}/maplayers/m"), "Mission")
    assert row["mapLayers"] == []
    (row,) = said(phone.post(f"{path}/feed", params={"dataFeedUid": "f"}), "Mission")
    assert row["feeds"] == [{"dataFeedUid": "f"}]
    (row,) = said(phone.post(f"{path}/externaldata", json={"uid": "x", "name": "Sheet"}), "Mission")
    assert row["externalData"] == [{"uid": "x", "name": "Sheet"}]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"content":"x"}',
        b'{"content":"x","missionNames":[]}',
        b'{"content":"x","missionNames":["a/b"]}',
        b'{"content":"\\u0000","missionNames":["a"]}',
        b'{"content":"x","missionNames":["a"],"dtg":"yesterday"}',
    ],
)
def test_bad_log_entries_are_refused(device: Enrolled, body: bytes) -> None:
    assert device().post(LOGS, content=body).status_code == 400
