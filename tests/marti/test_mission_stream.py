"""Missions over the stream: notices to who follows one (5.1), and statements said to a mission (S9)."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from aquila.testing.served import ServedNode
from aquila.testing.tak_client import Event, TakClient, device_context, event, fresh, text_of

from .conftest import door

MISSIONS = "/Marti/api/missions"


class Phone:
    """A device with both its connections: the stream, where it has said who it is, and the API."""

    def __init__(self, node: ServedNode, name: str, stack: ExitStack) -> None:
        files = node.enrolled(name)
        self.tak: TakClient = stack.enter_context(node.device_client(name, files))
        self.api: httpx.Client = stack.enter_context(door(node, "api_tls", device_context(files, name)))
        self.uid = self.tak.uid
        self.tak.report()

    def follow(self, mission: str) -> None:
        answer = self.api.put(f"{MISSIONS}/{mission}/subscription", params={"uid": self.uid})
        assert answer.status_code == 201, answer.text

    def notice(self, type_: str) -> Event:
        return self.tak.hear(lambda each: each.get("type") == type_)


@pytest.fixture
def phone(node: ServedNode) -> Iterator[Callable[[], Phone]]:
    with ExitStack() as stack:
        yield lambda: Phone(node, fresh("PHONE"), stack)


def created(owner: Phone) -> str:
    name = fresh("OPS-")
    answer = owner.api.post(f"{MISSIONS}/{name}", params={"creatorUid": owner.uid})
    assert answer.status_code == 201, answer.text
    return name


def marker_to(mission: str, uid: str, name: str) -> bytes:
    detail = f"<contact callsign='{name}'/><marti><dest mission='{mission}'/></marti>"
    return event(uid, "b-m-p-s-m", detail, how="h-g-i-g-o")


def test_who_is_there_hears_of_a_new_mission_and_its_end(phone: Callable[[], Phone]) -> None:
    owner, other = phone(), phone()
    other.tak.hear_uid(owner.uid)
    name = created(owner)
    told = other.notice("t-x-m-n").find("detail/mission")
    assert told is not None
    assert (told.get("type"), told.get("name"), told.get("authorUid")) == ("CREATE", name, owner.uid)
    owner.api.delete(f"{MISSIONS}/{name}", params={"creatorUid": owner.uid})
    gone = other.notice("t-x-m-d").find("detail/mission")
    assert gone is not None
    assert gone.get("name") == name


def test_a_mission_for_invited_people_begins_and_ends_without_telling_others(phone: Callable[[], Phone]) -> None:
    owner, member, stranger = phone(), phone(), phone()
    name = fresh("OPS-")
    made = owner.api.post(f"{MISSIONS}/{name}", params={"creatorUid": owner.uid, "inviteOnly": "true"})
    assert made.status_code == 201, made.text
    owner.notice("t-x-m-n")
    invited = owner.api.put(f"{MISSIONS}/{name}/invite/clientUid/{member.uid}", params={"creatorUid": owner.uid})
    assert invited.status_code == 200, invited.text
    member.notice("t-x-m-i")
    member.follow(name)
    owner.api.delete(f"{MISSIONS}/{name}", params={"creatorUid": owner.uid})
    for each in (owner, member):
        assert each.notice("t-x-m-d").find("detail/mission").get("name") == name  # type: ignore[union-attr]
    owner.tak.chat("<<fence>>")
    stranger.tak.hear_text("<<fence>>")
    told = [each.find("detail/mission") for each in stranger.tak.heard]
    assert name not in [each.get("name") for each in told if each is not None]


def test_followers_hear_of_changes_and_others_do_not(phone: Callable[[], Phone]) -> None:
    owner, follower, stranger = phone(), phone(), phone()
    name = created(owner)
    follower.follow(name)
    mark = fresh("mark-")
    answer = owner.api.put(f"{MISSIONS}/{name}/contents", params={"creatorUid": owner.uid}, json={"uids": [mark]})
    assert answer.status_code == 200, answer.text
    change = follower.notice("t-x-m-c").find("detail/mission/MissionChanges/MissionChange")
    assert change is not None
    assert (change.findtext("type"), change.findtext("contentUid")) == ("ADD_CONTENT", mark)
    assert change.findtext("creatorUid") == owner.uid
    owner.tak.chat("<<fence>>")
    stranger.tak.hear_text("<<fence>>")
    assert "t-x-m-c" not in [each.get("type") for each in stranger.tak.heard]


def test_a_marker_said_to_a_mission_reaches_its_followers_only_and_becomes_content(phone: Callable[[], Phone]) -> None:
    owner, follower, stranger = phone(), phone(), phone()
    name = created(owner)
    for each in (owner, follower):
        each.follow(name)
    uid = fresh("bridge-")
    owner.tak.say(marker_to(name, uid, "BRIDGE"))
    follower.tak.hear_uid(uid)
    change = follower.notice("t-x-m-c").find("detail/mission/MissionChanges/MissionChange")
    assert change is not None
    assert change.findtext("contentUid") == uid
    details = change.find("details")
    assert details is not None
    assert details.get("callsign") == "BRIDGE"
    assert uid in owner.api.get(f"{MISSIONS}/{name}").text
    owner.tak.chat("<<fence>>")
    stranger.tak.hear_text("<<fence>>")
    assert uid not in [each.get("uid") for each in stranger.tak.heard]


def test_chat_to_a_mission_is_heard_by_the_others_once(phone: Callable[[], Phone]) -> None:
    owner, follower = phone(), phone()
    name = created(owner)
    for each in (owner, follower):
        each.follow(name)
    text = fresh("mission chat ")
    detail = (
        f"<__chat id='{name}' chatroom='{name}' senderCallsign='{owner.tak.callsign}' messageId='{fresh('m')}'>"
        f"<chatgrp uid0='{owner.uid}' uid1='{name}' id='{name}'/></__chat>"
        f"<link uid='{owner.uid}' type='a-f-G-U-C' relation='p-p'/><remarks source='BAO.F.ATAK.{owner.uid}'>{text}"
        f"</remarks><marti><dest mission='{name}'/></marti>"
    )
    owner.tak.say(event(f"GeoChat.{owner.uid}.{name}.{fresh('m')}", "b-t-f", detail, how="h-g-i-g-o"))
    follower.tak.hear_text(text)
    assert [text_of(each) for each in follower.tak.heard].count(text) == 1


def test_who_may_only_read_says_nothing_to_a_mission(node: ServedNode, phone: Callable[[], Phone]) -> None:
    owner, reader = phone(), phone()
    name = fresh("READONLY-")
    params = {"creatorUid": owner.uid, "defaultRole": "MISSION_READONLY_SUBSCRIBER"}
    assert owner.api.post(f"{MISSIONS}/{name}", params=params).status_code == 201
    owner.follow(name)
    reader.follow(name)
    uid = fresh("forbidden-")
    reader.tak.say(marker_to(name, uid, "NO"))
    reader.tak.chat("<<fence>>")
    owner.tak.hear_text("<<fence>>")
    assert uid not in [each.get("uid") for each in owner.tak.heard]
    assert uid not in owner.api.get(f"{MISSIONS}/{name}").text
    assert node.counted()["aquila_node_refused_mission_role"] >= 1
