"""Missions as CloudTAK (node-tak) and TAKAware work on them: created, read, filled, changed, deleted."""

import hashlib
from typing import Any
from uuid import uuid4

import httpx
import pytest

from aquila.testing.served import Serve, ServedNode
from aquila.testing.tak_client import device_context, fresh

from .conftest import Enrolled, door

MISSIONS = "/Marti/api/missions"


def no_null(value: Any) -> None:
    """T5: `null` crashes ATAK."""
    assert value is not None
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        no_null(each)


def said(answer: httpx.Response, kind: str, status: int = 200) -> Any:
    """The data of an answer in the envelope, as node-tak reads it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert (body["version"], body["type"]) == ("3", kind)
    no_null(body)
    return body["data"]


def created(phone: httpx.Client, name: str = "", **params: Any) -> dict[str, Any]:
    name = name or fresh("OPS ")
    (row,) = said(phone.post(f"{MISSIONS}/{name}", params={"creatorUid": "CREATOR", **params}), "Mission", 201)
    assert isinstance(row, dict)
    assert row["name"] == name
    return row


def bearer(row: dict[str, Any]) -> dict[str, str]:
    return {"MissionAuthorization": f"Bearer {row['token']}"}


def read(phone: httpx.Client, name: str, **params: Any) -> dict[str, Any]:
    (row,) = said(phone.get(f"{MISSIONS}/{name}", params=params), "Mission")
    assert isinstance(row, dict)
    return row


FIELDS = {
    "name": str,
    "description": str,
    "chatRoom": str,
    "baseLayer": str,
    "bbox": str,
    "path": str,
    "classification": str,
    "tool": str,
    "keywords": list,
    "creatorUid": str,
    "createTime": str,
    "lastEdited": str,
    "groups": list,
    "externalData": list,
    "feeds": list,
    "mapLayers": list,
    "ownerRole": dict,
    "defaultRole": dict,
    "inviteOnly": bool,
    "expiration": int,
    "guid": str,
    "uids": list,
    "contents": list,
    "passwordProtected": bool,
}


@pytest.mark.row("POST /Marti/api/missions/{name}", client="node-tak")
@pytest.mark.row("PUT /Marti/api/missions/{name}", client="node-tak")
@pytest.mark.row("GET /Marti/api/missions/{name}", client="node-tak")
@pytest.mark.row("GET /Marti/api/missions/guid/{guid}", client="node-tak")
@pytest.mark.row("GET /Marti/api/missions", client="node-tak")
def test_a_mission_is_created_once_and_read_by_name_and_guid(device: Enrolled) -> None:
    phone = device()
    row = created(phone, group="COMMON", description="Flood", tool="public", chatRoom="room")
    name = row["name"]
    assert row.pop("token").count(".") == 2
    assert {key: type(value) for key, value in row.items()} == FIELDS
    assert len(row["createTime"]) == 24
    assert (row["groups"], row["description"], row["creatorUid"]) == (["COMMON"], "Flood", "CREATOR")
    assert row["ownerRole"]["type"] == "MISSION_OWNER"
    assert row["defaultRole"] == {"type": "MISSION_SUBSCRIBER", "permissions": ["MISSION_READ", "MISSION_WRITE"]}
    assert read(phone, name) == row
    assert said(phone.get(f"{MISSIONS}/guid/{row['guid']}"), "Mission") == [row]
    assert [each for each in said(phone.get(MISSIONS), "Mission") if each["name"] == name] == [row]
    # The same again changes nothing; an update changes what it says.
    again = said(phone.post(f"{MISSIONS}/{name}", params={"creatorUid": "CREATOR", "description": "Flood"}), "Mission")
    assert again[0].pop("token")
    assert again == [row]
    assert len(said(phone.get(f"{MISSIONS}/{name}/changes"), "MissionChange")) == 1
    (other,) = said(phone.put(f"{MISSIONS}/{name}", params={"description": "Fire"}), "Mission")
    assert (other["description"], other["chatRoom"], other["guid"]) == ("Fire", "room", row["guid"])
    assert phone.get(f"{MISSIONS}/{uuid4()}").status_code == 404


def test_another_may_not_take_a_name_that_he_sees(device: Enrolled) -> None:
    row = created(device(), description="mine")
    other = device()
    for method in ("POST", "PUT"):
        assert other.request(method, f"{MISSIONS}/{row['name']}", params={"description": "his"}).status_code == 409
    assert read(other, row["name"])["description"] == "mine"
    # Who holds the owner's token may.
    answer = other.put(f"{MISSIONS}/{row['name']}", params={"description": "ours"}, headers=bearer(row))
    assert said(answer, "Mission")[0]["description"] == "ours"
    twin = created(other, row["name"], allowDupe="true")
    assert twin["guid"] != row["guid"]


@pytest.mark.row("DELETE /Marti/api/missions/{name}", client="node-tak")
@pytest.mark.row("DELETE /Marti/api/missions", client="node-tak")
def test_a_deleted_mission_is_gone_until_it_is_created_anew(device: Enrolled) -> None:
    phone, other = device(), device()
    row = created(phone)
    path = f"{MISSIONS}/{row['name']}"
    assert other.delete(path).status_code == 403
    assert said(phone.delete(path, params={"creatorUid": "CREATOR", "deepDelete": "true"}), "Mission")[0]["guid"]
    assert phone.get(path).status_code == 410
    assert phone.get(path).json()["code"] == 410
    assert phone.delete(path).status_code == 410
    assert phone.put(f"{path}/contents", json={"uids": ["a"]}).status_code == 410
    assert phone.get(f"{path}/changes").status_code == 410
    assert row["name"] not in {each["name"] for each in said(phone.get(MISSIONS), "Mission")}
    new = created(phone, row["name"])
    assert new["guid"] != row["guid"]
    assert said(phone.delete(MISSIONS, params={"guid": new["guid"]}), "Mission")
    assert phone.get(f"{MISSIONS}/guid/{row['guid']}").status_code == 410


@pytest.mark.row("PUT /Marti/api/missions/{name}/contents", client="node-tak")
@pytest.mark.row("DELETE /Marti/api/missions/{name}/contents", client="node-tak")
@pytest.mark.row("GET /Marti/api/missions/{name}/changes", client="node-tak")
def test_entities_come_and_go_and_every_change_is_told_once(device: Enrolled) -> None:
    phone = device()
    row = created(phone)
    path = f"{MISSIONS}/{row['name']}"
    uid = str(uuid4())
    for _ in range(2):
        (filled,) = said(phone.put(f"{path}/contents", json={"uids": [uid]}, headers=bearer(row)), "Mission")
        (item,) = filled["uids"]
        assert (item["data"], item["keywords"]) == (uid, [])
    answer = phone.get(f"{path}/changes")
    changes = said(answer, "MissionChange")
    assert [(each["type"], each.get("contentUid")) for each in changes] == [
        ("ADD_CONTENT", uid),
        ("CREATE_MISSION", None),
    ]
    for each in changes:
        assert (each["missionName"], each["missionGuid"]) == (row["name"], row["guid"])
        assert each["isFederatedChange"] is False
        assert len(each["timestamp"]) == len(each["serverTime"]) == 24
    seq = answer.headers["x-aquila-seq"]
    assert said(phone.get(f"{path}/changes", params={"since": seq}), "MissionChange") == []
    for _ in range(2):
        (emptied,) = said(phone.delete(f"{path}/contents", params={"uid": uid, "creatorUid": "ME"}), "Mission")
        assert emptied["uids"] == []
    answer = phone.get(f"{path}/changes", params={"since": seq})
    (gone,) = said(answer, "MissionChange")
    assert (gone["type"], gone["contentUid"], gone["creatorUid"]) == ("REMOVE_CONTENT", uid, "ME")
    assert int(answer.headers["x-aquila-seq"]) > int(seq)
    squashed = said(phone.get(f"{path}/changes", params={"squashed": "true"}), "MissionChange")
    assert [each["type"] for each in squashed] == ["REMOVE_CONTENT", "CREATE_MISSION"]
    whole = said(phone.get(f"{path}/changes", params={"squashed": "false"}), "MissionChange")
    assert [each["type"] for each in whole] == ["REMOVE_CONTENT", "ADD_CONTENT", "CREATE_MISSION"]
    assert said(phone.get(f"{path}/changes", params={"end": "2001-01-01T00:00:00Z"}), "MissionChange") == []
    missing = hashlib.sha256(b"nowhere").hexdigest()
    assert phone.put(f"{path}/contents", json={"hashes": [missing]}).status_code == 404


@pytest.mark.row("PUT /Marti/api/missions/{name}/keywords", client="node-tak")
@pytest.mark.row("DELETE /Marti/api/missions/{name}/keywords/{word}", client="node-tak")
@pytest.mark.row("DELETE /Marti/api/missions/{name}/keywords", client="node-tak")
def test_keywords_are_set_and_taken_away(device: Enrolled) -> None:
    phone = device()
    path = f"{MISSIONS}/{created(phone)['name']}"
    assert said(phone.put(f"{path}/keywords", json=["a", "b"]), "Mission")[0]["keywords"] == ["a", "b"]
    assert said(phone.delete(f"{path}/keywords/a"), "Mission")[0]["keywords"] == ["b"]
    assert said(phone.delete(f"{path}/keywords"), "Mission")[0]["keywords"] == []
    assert phone.put(f"{path}/keywords", json={"a": 1}).status_code == 400


def test_groups_decide_who_knows_of_a_mission(device: Enrolled) -> None:
    owner = device(groups_in=["RED"], groups_out=["RED"])
    stranger = device(groups_in=["COMMON"], groups_out=["COMMON"])
    row = created(owner, group="RED")
    path = f"{MISSIONS}/{row['name']}"
    nothing = stranger.get(f"{MISSIONS}/{uuid4()}")
    for answer in (
        stranger.get(path),
        stranger.get(f"{path}/changes", headers=bearer(row)),
        stranger.put(f"{path}/contents", json={"uids": ["x"]}, headers=bearer(row)),
        stranger.delete(path, headers=bearer(row)),
        stranger.get(f"{MISSIONS}/guid/{row['guid']}"),
    ):
        assert (answer.status_code, answer.content) == (404, nothing.content)
    assert row["guid"] not in stranger.get(MISSIONS).text
    assert stranger.post(f"{MISSIONS}/X", params={"group": "RED"}).status_code == 403
    owner.delete(path)
    assert stranger.get(path).status_code == 404


@pytest.mark.row("PUT /Marti/api/missions/{name}/password", client="node-tak")
@pytest.mark.row("DELETE /Marti/api/missions/{name}/password", client="node-tak")
def test_a_password_shuts_a_mission(device: Enrolled) -> None:
    owner, other = device(), device()
    row = created(owner, password="three words here")
    path = f"{MISSIONS}/{row['name']}"
    assert row["passwordProtected"] is True
    assert other.get(path).status_code == 403
    assert other.get(path, params={"password": "wrong"}).status_code == 403
    assert read(other, row["name"], password="three words here")["guid"] == row["guid"]
    assert read(owner, row["name"])["guid"] == row["guid"]
    assert said(other.get(path, headers=bearer(row)), "Mission")
    assert row["name"] not in {each["name"] for each in said(other.get(MISSIONS), "Mission")}
    listed = said(other.get(MISSIONS, params={"passwordProtected": "true"}), "Mission")
    assert row["name"] in {each["name"] for each in listed}
    assert other.put(f"{path}/password", params={"password": "mine"}).status_code == 403
    for _ in range(2):
        assert owner.put(f"{path}/password", params={"password": "other words"}).status_code == 200
    assert other.get(path, params={"password": "three words here"}).status_code == 403
    assert other.get(path, params={"password": "other words"}).status_code == 200
    assert owner.delete(f"{path}/password").status_code == 200
    assert read(other, row["name"])["passwordProtected"] is False


def test_a_password_stands_in_no_file_of_the_node(node: ServedNode, device: Enrolled) -> None:
    owner = device()
    row = created(owner, password="first words here")
    owner.put(f"{MISSIONS}/{row['name']}/password", params={"password": "second words here"})
    assert device().get(f"{MISSIONS}/{row['name']}", params={"password": "second words here"}).status_code == 200
    for path in node.data.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert b"first words here" not in data
            assert b"second words here" not in data


def test_groups_change_only_when_it_is_asked_for(device: Enrolled) -> None:
    owner = device(groups_in=["RED", "COMMON"], groups_out=["RED", "COMMON"])
    reader = device(groups_in=["COMMON"], groups_out=["COMMON"])
    row = created(owner, group="RED")
    path = f"{MISSIONS}/{row['name']}"
    owner.put(f"{path}/contents", json={"uids": ["early"]})
    for _ in range(2):
        said(owner.put(path, params={"group": "COMMON"}), "Mission")
        assert reader.get(path).status_code == 404
    for _ in range(2):
        (new,) = said(owner.put(path, params={"group": ["COMMON", "RED"], "allowGroupChange": "true"}), "Mission")
        assert new["groups"] == ["COMMON", "RED"]
    # What was said in the mission before goes with it.
    assert [each["data"] for each in read(reader, row["name"], changes="true")["uids"]] == ["early"]
    assert len(read(reader, row["name"], changes="true")["missionChanges"]) == 2
    refused = reader.put(path, params={"group": "COMMON", "allowGroupChange": "true"})
    assert refused.status_code == 409
    assert owner.put(path, params={"group": "BLUE", "allowGroupChange": "true"}).status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        {"since": "-1"},
        {"since": "1e9"},
        {"since": "9" * 30},
        {"secago": "soon"},
        {"start": "yesterday"},
        {"end": "2026-99-01"},
        {"uid": "\x00"},
        {"uid": "x" * 5000},
    ],
)
def test_bad_questions_are_refused(device: Enrolled, query: dict[str, str]) -> None:
    phone = device()
    assert phone.get(f"{MISSIONS}/{created(phone)['name']}/changes", params=query).status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        {"defaultRole": "KING"},
        {"expiration": "soon"},
        {"group": "x" * 101},
        {"group": ",".join(f"g{number}" for number in range(101))},
        {"description": "x" * 5000},
        {"description": "\x07"},
        {"creatorUid": "\x00"},
    ],
)
def test_bad_missions_are_not_created(device: Enrolled, query: dict[str, str]) -> None:
    phone, name = device(), fresh("BAD")
    assert phone.post(f"{MISSIONS}/{name}", params=query).status_code == 400
    assert phone.get(f"{MISSIONS}/{name}").status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        "%2F",
        "a%2Fb",
        "%00",
        "a%0Ab",
        "x" * 1025,
        "guid",
        "%3Cscript%3E",
        "%22",
        "all",
        "%20",
        "a%F0%9F%92%A9",
        "%20a",
        "a%20",
        "a%20%20b",
        "a%E3%85%A4",
        "a%E2%80%8Bb",
    ],
)
def test_odd_names_are_refused(device: Enrolled, name: str) -> None:
    assert device().post(f"{MISSIONS}/{name}").status_code in (400, 405)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"uids":"a"}',
        b'{"uids":[1]}',
        b'{"uids":["a\\u0000"]}',
        b'{"hashes":["../../etc/passwd"]}',
        b'{"uids":[%s]}' % b",".join([b'"%s"' % (b"y" * 400)] * 700),
        b'{"paths":{"x":' + b"[" * 50_000 + b"]" * 50_000 + b"}}",
    ],
)
def test_bad_contents_are_refused_and_change_nothing(device: Enrolled, body: bytes) -> None:
    phone = device()
    row = created(phone)
    answer = phone.put(f"{MISSIONS}/{row['name']}/contents", content=body)
    assert answer.status_code in (400, 413)
    assert read(phone, row["name"])["lastEdited"] == row["lastEdited"]


def test_a_forged_token_opens_nothing(device: Enrolled) -> None:
    owner, other = device(), device()
    row = created(owner, password="three words here")
    second = created(owner)
    head, claims, signature = row["token"].split(".")
    path = f"{MISSIONS}/{row['name']}"
    for token in ("x", "a.b.c", f"{head}.{claims}.{signature[:-4]}AAAA", f"{head}.{claims}.", second["token"]):
        assert other.get(path, headers={"MissionAuthorization": f"Bearer {token}"}).status_code == 403
        assert other.delete(path, headers={"MissionAuthorization": f"Bearer {token}"}).status_code == 403
    assert other.get(path, headers={"Authorization": f"Bearer {row['token']}"}).status_code == 200


def test_the_page_creates_fills_and_follows_a_mission(node: ServedNode, device: Enrolled) -> None:
    api, phone = node.api, device()
    name = fresh("STAFF ")
    made = api.create_mission(name=name, description="Night")
    assert api.create_mission(name=name, description="Night") == made | {"is_created": False}
    guid = made["guid"]
    assert api.add_mission_content(guid, uids=["A", "B"])["is_new"] is True
    assert api.add_mission_content(guid, uids=["A"])["is_new"] is False
    assert {each["data"] for each in read(phone, name)["uids"]} == {"A", "B"}
    changes = api.mission_changes(guid)
    assert [each["type"] for each in changes] == ["CREATE_MISSION", "ADD_CONTENT", "ADD_CONTENT"]
    last = changes[-1]["seq"]
    assert api.mission_changes(guid, since=last) == []
    phone.put(f"{MISSIONS}/{name}/contents", json={"uids": ["C"]})
    assert [each["uid"] for each in api.mission_changes(guid, since=last)] == ["C"]
    assert api.remove_mission_content(guid, uid="C")["is_new"] is True
    detail = api.mission(guid)
    assert [each["uid"] for each in detail["entities"]] == ["A", "B"]
    assert detail["mission"]["role"] == "MISSION_OWNER"
    assert guid in {each["guid"] for each in api.missions()}
    assert api.delete_mission(guid)["is_new"] is True
    assert guid not in {each["guid"] for each in api.missions()}


def test_a_mission_and_the_numbers_of_its_changes_outlive_a_restart(serve: Serve) -> None:
    node = serve()
    name = fresh("PHONE")
    files = node.enrolled(name)
    with door(node, "api_tls", device_context(files, name)) as phone:
        row = created(phone, "LASTING", password="three words here")
        path = f"{MISSIONS}/LASTING"
        phone.put(f"{path}/contents", json={"uids": ["a"]})
        seq = phone.get(f"{path}/changes").headers["x-aquila-seq"]
        phone.put(f"{path}/contents", json={"uids": ["b"]})
        before = said(phone.get(path), "Mission")
        later = phone.get(f"{path}/changes", params={"since": seq})
    node.stop()
    node.start()
    with door(node, "api_tls", device_context(files, name)) as phone:
        assert said(phone.get(path), "Mission") == before
        again = phone.get(f"{path}/changes", params={"since": seq})
        assert (again.json(), again.headers["x-aquila-seq"]) == (later.json(), later.headers["x-aquila-seq"])
        assert [each["contentUid"] for each in said(again, "MissionChange")] == ["b"]
        assert said(phone.get(path, headers=bearer(row)), "Mission") == before
