"""Missions in our own API: their log and their open invitations, as phones wrote them and the other way round."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from aquila.client import NodeError
from aquila.testing.served import ServedNode
from aquila.testing.tak_client import fresh

from .conftest import Enrolled
from .test_missions import MISSIONS, created, said

LOG = "com.bbn.marti.sync.model.LogEntry"


def test_the_log_is_one_for_page_and_phones(node: ServedNode, device: Enrolled) -> None:
    phone, api = device(), node.api
    row = created(phone)
    guid, path = row["guid"], f"{MISSIONS}/{row['name']}/log"
    dtg = "2026-03-01T10:11:12.345Z"
    body = {"content": "Bridge\nis down", "creatorUid": "ME", "missionNames": [row["name"]], "dtg": dtg}
    said(phone.post(f"{MISSIONS}/logs/entries", json=body), LOG, 201)
    (line,) = api.mission_log(guid)
    assert (line["text"], line["creator"], line["happened_at_ms"]) == ("Bridge\nis down", "ME", 1_772_359_872_345)
    new = api.write_mission_log(guid, text="Bridge stands", keywords=["bridge"])["id"]
    assert [each["text"] for each in api.mission_log(guid)] == ["Bridge stands", "Bridge\nis down"]
    (entry,) = (each for each in said(phone.get(path), LOG) if each["id"] == new)
    assert (entry["content"], entry["keywords"], entry["missionNames"]) == ("Bridge stands", ["bridge"], [row["name"]])
    assert api.write_mission_log(guid, text="Bridge closed", id=new)["id"] == new
    assert api.mission_log(guid)[0]["text"] == "Bridge closed"
    assert api.drop_mission_log(guid, id=new)["is_new"]
    assert [each["content"] for each in said(phone.get(path), LOG)] == ["Bridge\nis down"]
    for call in (
        lambda: api.drop_mission_log(guid, id=new),
        lambda: api.write_mission_log(guid, text="x", id=str(uuid4())),
        lambda: api.write_mission_log("none", text="x"),
    ):
        with pytest.raises(NodeError) as refused:
            call()
        assert refused.value.status == 404
    with pytest.raises(NodeError):
        api.write_mission_log(guid, text="bell \x07")
    assert api.mission_log("none") == []


def test_open_invitations_are_listed_and_taken_back(node: ServedNode, device: Enrolled) -> None:
    phone, api = device(), node.api
    row = created(phone, inviteOnly="true")
    path = f"{MISSIONS}/{row['name']}/invite/userName/GUEST"
    assert phone.put(path, params={"creatorUid": "ME", "role": "MISSION_SUBSCRIBER"}).status_code == 200
    (found,) = api.mission_invitations(row["guid"])
    assert (found["type"], found["invitee"], found["role"]) == ("userName", "GUEST", "MISSION_SUBSCRIBER")
    assert api.cancel_mission_invitation(row["guid"], type="userName", invitee="GUEST")["is_new"]
    assert api.mission_invitations(row["guid"]) == []
    with pytest.raises(NodeError) as refused:
        api.cancel_mission_invitation(row["guid"], type="userName", invitee="GUEST")
    assert refused.value.status == 404
    assert said(phone.get(f"{MISSIONS}/{row['name']}/invitations"), "MissionInvitation") == []


def test_a_member_is_invited_follows_and_gets_another_role(node: ServedNode, device: Enrolled) -> None:
    api, name = node.api, fresh("GUEST")
    guest = device(name)
    mission = f"page {uuid4()}"
    guid = api.create_mission(name=mission, invite_only=True)["guid"]
    path = f"{MISSIONS}/{mission}"
    assert guest.get(path).status_code == 404
    assert api.invite_to_mission(guid, type="userName", invitee=name, role="MISSION_READONLY_SUBSCRIBER")["is_new"]
    assert guest.put(f"{path}/subscription", params={"uid": name}).status_code == 201
    assert _role(api.mission_members(guid), name) == "MISSION_READONLY_SUBSCRIBER"
    added = {"uids": ["page-members-uid"]}
    assert guest.put(f"{path}/contents", json=added).status_code == 403
    assert api.give_mission_role(guid, uid=name, role="MISSION_SUBSCRIBER")["is_new"]
    assert _role(api.mission_members(guid), name) == "MISSION_SUBSCRIBER"
    assert guest.put(f"{path}/contents", json=added).status_code == 200
    for call, status in (
        (lambda: api.give_mission_role(guid, uid="nobody", role="MISSION_OWNER"), 404),
        (lambda: api.give_mission_role("none", uid=name), 404),
        (lambda: api.invite_to_mission(guid, type="userName", invitee="bell \x07"), 400),
    ):
        with pytest.raises(NodeError) as refused:
            call()
        assert refused.value.status == status
    assert api.mission_members("none") == []


def _role(members: list[Any], username: str) -> str:
    return next(str(row["role"]) for row in members if row["username"] == username)


def test_a_mission_of_the_page_has_a_password(node: ServedNode, device: Enrolled) -> None:
    phone, mission = device(), f"page {uuid4()}"
    node.api.create_mission(name=mission, password="long and secret")
    assert phone.get(f"{MISSIONS}/{mission}").status_code == 403
    assert phone.get(f"{MISSIONS}/{mission}", params={"password": "long and secret"}).status_code == 200


def test_who_is_outside_is_told_nothing(node: ServedNode, device: Enrolled) -> None:
    phone: httpx.Client = device()
    row = created(phone, password="secret")
    assert phone.put(f"{MISSIONS}/{row['name']}/invite/userName/GUEST").status_code == 200
    other = device()
    for tail in ("log", "invitations"):
        assert other.get(f"{MISSIONS}/{row['name']}/{tail}").status_code == 403
