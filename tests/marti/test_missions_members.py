"""Who follows a mission, as what, and who was invited: as node-tak asks."""

from typing import Any

import httpx
import pytest

from aquila.testing.served import ServedNode
from aquila.testing.tak_client import fresh

from .conftest import Enrolled
from .test_missions import MISSIONS, bearer, created, read, said

OWNER, SUBSCRIBER, READONLY = "MISSION_OWNER", "MISSION_SUBSCRIBER", "MISSION_READONLY_SUBSCRIBER"


def joined(phone: httpx.Client, path: str, uid: str = "", **params: str) -> dict[str, Any]:
    answer = phone.put(f"{path}/subscription", params={"uid": uid or fresh("UID-"), **params})
    row = said(answer, "MissionSubscription", 201)
    assert set(row) == {"token", "clientUid", "username", "createTime", "role"}
    assert len(row["createTime"]) == 22
    assert isinstance(row, dict)
    return row


def role(phone: httpx.Client, path: str, **headers: str) -> str:
    return str(said(phone.get(f"{path}/role", headers=headers), "MissionRole")["type"])


@pytest.mark.row("PUT /Marti/api/missions/{name}/subscription", client="node-tak")
@pytest.mark.row("GET /Marti/api/missions/{name}/subscription", client="node-tak")
@pytest.mark.row("DELETE /Marti/api/missions/{name}/subscription", client="node-tak")
@pytest.mark.row("GET /Marti/api/missions/{name}/subscriptions", client="node-tak")
@pytest.mark.row("GET /Marti/api/missions/{name}/subscriptions/roles", client="node-tak")
def test_a_client_follows_and_leaves(device: Enrolled) -> None:
    owner, phone = device(), device()
    path = f"{MISSIONS}/{created(owner)['name']}"
    row = joined(phone, path, "UID-A")
    assert row["role"] == {"type": SUBSCRIBER, "permissions": ["MISSION_READ", "MISSION_WRITE"]}
    again = joined(phone, path, "UID-A")
    assert again["createTime"] == row["createTime"]
    assert said(owner.get(f"{path}/subscriptions"), "MissionSubscription") == ["CREATOR", "UID-A"]
    roles = said(owner.get(f"{path}/subscriptions/roles"), "MissionSubscription")
    assert [(each["clientUid"], each["role"]["type"]) for each in roles] == [("CREATOR", OWNER), ("UID-A", SUBSCRIBER)]
    assert all("token" not in each for each in roles)
    found = said(phone.get(f"{path}/subscription", params={"uid": "UID-A"}), "MissionSubscription")
    assert found == {key: value for key, value in row.items() if key != "token"}
    assert phone.get(f"{path}/subscription", params={"uid": "nobody"}).status_code == 404
    assert phone.put(f"{path}/subscription").status_code == 400
    assert phone.delete(f"{path}/subscription", params={"uid": "UID-A", "disconnectOnly": "true"}).status_code == 200
    assert phone.delete(f"{path}/subscription", params={"uid": "CREATOR"}).status_code == 404
    assert phone.delete(f"{path}/subscription", params={"uid": "UID-A"}).status_code == 200
    assert phone.delete(f"{path}/subscription", params={"uid": "UID-A"}).status_code == 404
    assert said(owner.get(f"{path}/subscriptions"), "MissionSubscription") == ["CREATOR"]


@pytest.mark.row("GET /Marti/api/missions/{name}/role", client="node-tak")
@pytest.mark.row("PUT /Marti/api/missions/{name}/role", client="node-tak")
def test_roles_say_what_each_may(device: Enrolled) -> None:
    owner, phone = device(), device()
    path = f"{MISSIONS}/{created(owner)['name']}"
    token = {"MissionAuthorization": f"Bearer {joined(phone, path, 'UID-R')['token']}"}
    assert (role(owner, path), role(phone, path)) == (OWNER, SUBSCRIBER)
    assert phone.put(f"{path}/contents", json={"uids": ["a"]}).status_code == 200
    assert phone.put(f"{path}/role", params={"clientUid": "UID-R", "role": OWNER}).status_code == 403
    assert owner.put(f"{path}/role", params={"clientUid": "UID-R", "role": READONLY}).status_code == 200
    # What a token is good for is looked up when it is shown.
    assert (role(phone, path), role(phone, path, **token)) == (READONLY, READONLY)
    for answer in (
        phone.put(f"{path}/contents", json={"uids": ["b"]}, headers=token),
        phone.delete(f"{path}/contents", params={"uid": "a"}),
        phone.put(f"{path}/keywords", json=["x"]),
        phone.put(f"{path}/layers", params={"name": "x", "type": "GROUP"}),
        phone.put(f"{path}/expiration", params={"expiration": "1"}),
        phone.put(f"{path}/password", params={"password": "1"}),
        phone.put(f"{path}/invite/userName/x"),
        phone.delete(path),
    ):
        assert answer.status_code == 403
    assert [each["data"] for each in read(phone, path.rpartition("/")[2])["uids"]] == ["a"]
    assert owner.put(f"{path}/role", params={"clientUid": "UID-R", "role": "KING"}).status_code == 400
    assert owner.put(f"{path}/role", params={"clientUid": "nobody", "role": OWNER}).status_code == 404
    assert owner.put(f"{path}/role", params={"role": OWNER}).status_code == 400
    assert owner.put(f"{path}/role", params={"clientUid": "UID-R", "role": OWNER}).status_code == 200
    assert phone.delete(path).status_code == 200


def test_a_role_is_not_had_by_naming_another_s_client(device: Enrolled) -> None:
    owner, thief = device(), device()
    row = created(owner, defaultRole=READONLY)
    path = f"{MISSIONS}/{row['name']}"
    taken = joined(thief, path, "CREATOR")
    assert taken["role"]["type"] == READONLY
    headers = {"MissionAuthorization": f"Bearer {taken['token']}"}
    assert thief.put(f"{path}/contents", json={"uids": ["b"]}, headers=headers).status_code == 403
    assert role(owner, path) == OWNER


def test_a_subscriber_makes_nobody_an_owner(device: Enrolled) -> None:
    owner, member = device(), device()
    name = created(owner)["name"]
    joined(member, f"{MISSIONS}/{name}", "MEMBER")
    for fields in ({"defaultRole": OWNER}, {"inviteOnly": "true"}):
        refused = member.put(f"{MISSIONS}/{name}", params={"creatorUid": "MEMBER", **fields})
        assert refused.status_code == 403, refused.text
    changed = owner.put(f"{MISSIONS}/{name}", params={"creatorUid": "CREATOR", "inviteOnly": "true"})
    assert changed.status_code == 200, changed.text


@pytest.mark.row("GET /Marti/api/missions", client="TAKAware")
def test_readonly_missions_are_listed_only_when_both_are_asked_for(device: Enrolled) -> None:
    phone = device()
    name = created(phone, defaultRole=READONLY)["name"]
    for params, is_there in (
        ({}, False),
        ({"passwordProtected": "true"}, False),
        ({"defaultRole": "true"}, False),
        ({"passwordProtected": "true", "defaultRole": "true"}, True),
        ({"passwordProtected": "true", "defaultRole": "true", "tool": "public"}, True),
        ({"passwordProtected": "true", "defaultRole": "true", "tool": "ExCheck"}, False),
    ):
        names = {each["name"] for each in said(phone.get(MISSIONS, params=params), "Mission")}
        assert (name in names) is is_there, params


@pytest.mark.row("PUT /Marti/api/missions/{name}/invite/{type}/{invitee}", client="node-tak")
@pytest.mark.row("DELETE /Marti/api/missions/{name}/invite/{type}/{invitee}", client="node-tak")
@pytest.mark.row("GET /Marti/api/missions/{name}/invitations", client="node-tak")
@pytest.mark.row("GET /Marti/api/missions/invitations", client="node-tak")
@pytest.mark.row("GET /Marti/api/missions/all/invitations", client="node-tak")
@pytest.mark.row("POST /Marti/api/missions/{name}/invite", client="node-tak")
def test_a_mission_for_those_invited_is_no_business_of_others(device: Enrolled) -> None:
    owner = device()
    guest_name = fresh("GUEST")
    guest, stranger = device(guest_name), device()
    row = created(owner, inviteOnly="true")
    path = f"{MISSIONS}/{row['name']}"
    for phone in (guest, stranger):
        assert phone.get(path).status_code == 404
        assert phone.put(f"{path}/subscription", params={"uid": "U"}).status_code == 404
        assert row["guid"] not in phone.get(MISSIONS).text
    for _ in range(2):
        answer = owner.put(f"{path}/invite/userName/{guest_name}", params={"creatorUid": "CREATOR", "role": READONLY})
        assert answer.status_code == 200
    many = [{"type": "callsign", "invitee": "NOBODY", "role": {"type": SUBSCRIBER}}]
    assert owner.post(f"{path}/invite", json=many).status_code == 200
    assert owner.put(f"{path}/invite/planet/x").status_code == 400
    told = said(owner.get(f"{path}/invitations"), "MissionInvitation")
    assert [(each["type"], each["invitee"], each["role"]["type"]) for each in told] == [
        ("userName", guest_name, READONLY),
        ("callsign", "NOBODY", SUBSCRIBER),
    ]
    assert all("token" not in each for each in told)
    (mine,) = [
        each
        for each in said(guest.get(f"{MISSIONS}/all/invitations", params={"clientUid": "U"}), "MissionInvitation")
        if each["missionGuid"] == row["guid"]
    ]
    assert set(mine) == {
        "missionName", "missionGuid", "invitee", "type", "creatorUid", "createTime", "role", "token",
    }  # fmt: skip
    assert row["name"] in said(guest.get(f"{MISSIONS}/invitations", params={"clientUid": "U"}), "MissionInvitation")
    assert row["guid"] not in stranger.get(f"{MISSIONS}/all/invitations").text
    assert said(guest.get(path, headers=bearer(mine)), "Mission")
    assert joined(guest, path)["role"]["type"] == READONLY
    assert guest.put(f"{path}/contents", json={"uids": ["x"]}).status_code == 403
    assert owner.delete(f"{path}/invite/userName/{guest_name}").status_code == 200
    assert stranger.get(path, headers=bearer(mine)).status_code == 404


@pytest.mark.row("GET /Marti/api/missions/{name}/token", client="node-tak")
def test_a_password_gives_a_token(device: Enrolled) -> None:
    owner, phone = device(), device()
    path = f"{MISSIONS}/{created(owner, password='three words here')['name']}"
    assert phone.get(f"{path}/token").status_code == 403
    token = said(phone.get(f"{path}/token", params={"password": "three words here"}), "java.lang.String")
    headers = {"MissionAuthorization": f"Bearer {token}"}
    assert role(phone, path, **headers) == SUBSCRIBER
    assert phone.put(f"{path}/subscription", params={"uid": "U"}).status_code == 403
    assert joined(phone, path, "U", password="three words here")["role"]["type"] == SUBSCRIBER
    assert role(phone, path) == SUBSCRIBER


def test_a_person_who_may_only_look_stays_so(node: ServedNode, device: Enrolled) -> None:
    path = f"{MISSIONS}/{created(device())['name']}"
    token = node.command("token", fresh("looker"), "--role", "viewer").strip()
    with httpx.Client(
        base_url=f"https://localhost:{node.ports['enrol']}", verify=False, headers={"Authorization": f"Bearer {token}"}
    ) as person:
        assert person.get(path).status_code == 200
        assert person.put(f"{path}/contents", json={"uids": ["x"]}).status_code == 403
