"""Who follows a mission, as what, and who was invited: as node-tak asks."""

import contextlib
import hashlib
import io
import socket
import zipfile
from time import sleep
from typing import Any

import httpx
import pytest

from aquila.features.missions.members import SUBSCRIPTIONS_OF_ONE
from aquila.testing.served import ServedNode, wait_until
from aquila.testing.tak_client import TakClient, device_context, fresh
from aquila.web_api.routes import QUERIES_OF_ONE

from .conftest import Enrolled
from .test_missions import MISSIONS, bearer, created, read, said

OWNER, SUBSCRIBER, READONLY = "MISSION_OWNER", "MISSION_SUBSCRIBER", "MISSION_READONLY_SUBSCRIBER"


def _package() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("MANIFEST/manifest.xml", "<MissionPackageManifest version='2'/>")
    return packed.getvalue()


PACKAGE = _package()


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


def test_a_role_for_a_client_s_uid_is_for_its_owner_alone(node: ServedNode, device: Enrolled) -> None:
    owner, thief = device(), device()
    path = f"{MISSIONS}/{created(owner, defaultRole=READONLY)['name']}"
    name, shared, own = fresh("MEMBER"), fresh("UID-"), fresh("UID-")
    member = device(name)
    for phone in (member, thief):
        joined(phone, path, shared)
        joined(phone, path, own)
    # Nobody speaks with it, so nobody can tell whose it is.
    refused = owner.put(f"{path}/role", params={"clientUid": shared, "role": SUBSCRIBER})
    assert refused.status_code == 422, refused.text
    assert "2 members follow as" in refused.text
    with node.device_client(name, node.data.parent / f"{name}-files") as stream:
        stream.uid = own
        stream.report()
        wait_until(lambda: own in str(node.api.contacts()), "the uid is bound to its device")
        assert owner.put(f"{path}/role", params={"clientUid": own, "role": SUBSCRIBER}).status_code == 200
    assert (role(member, path), role(thief, path)) == (SUBSCRIBER, READONLY)


def test_nobody_writes_under_the_uid_of_somebody_else_s_client(node: ServedNode, device: Enrolled) -> None:
    name, thief = fresh("OWNER"), device()
    owner = device(name)
    with node.device_client(name, node.data.parent / f"{name}-files") as stream:
        stream.report()
        uid = stream.uid
        wait_until(lambda: uid in str(node.api.contacts()), "the uid is bound to its device")
    row = created(owner, creatorUid=uid)
    path = f"{MISSIONS}/{row['name']}"
    log = {"content": "as if he had said so", "creatorUid": uid, "missionNames": [row["name"]]}
    for refused in (
        thief.put(f"{path}/contents", params={"creatorUid": uid}, json={"uids": ["a"]}),
        thief.put(f"{path}/keywords", params={"creatorUid": uid}, json=["x"]),
        thief.post(f"{MISSIONS}/logs/entries", json=log),
        thief.put(f"{path}/subscription", params={"uid": uid}),
        thief.post(f"{MISSIONS}/{fresh('OPS-')}", params={"creatorUid": uid}),
        thief.put(f"{path}/contents/missionpackage", params={"creatorUid": uid}, content=b"PK"),
        thief.post(
            "/Marti/sync/missionupload",
            params={"filename": "a.zip", "hash": hashlib.sha256(PACKAGE).hexdigest(), "creatorUid": uid},
            files={"assetfile": ("a.zip", PACKAGE)},
        ),
    ):
        assert refused.status_code == 403, (refused.request.url, refused.text)
        assert "belongs to somebody else" in refused.text
    assert said(owner.get(f"{path}/changes"), "MissionChange")[-1]["type"] == "CREATE_MISSION"
    assert owner.put(f"{path}/contents", params={"creatorUid": uid}, json={"uids": ["a"]}).status_code == 200
    assert owner.post(f"{MISSIONS}/logs/entries", json=log).status_code in (200, 201)


def test_the_token_of_a_device_that_was_revoked_opens_nothing(node: ServedNode, device: Enrolled) -> None:
    owner, holder = device(), device()
    name = fresh("LOST")
    lost = device(name)
    path = f"{MISSIONS}/{created(owner, password='three words here')['name']}"
    tokens = [
        joined(lost, path, password="three words here")["token"],
        said(lost.get(f"{path}/token", params={"password": "three words here"}), "java.lang.String"),
    ]
    heads = [{"MissionAuthorization": f"Bearer {token}"} for token in tokens]
    assert [holder.get(path, headers=head).status_code for head in heads] == [200, 200]
    node.command("device", "revoke", name)
    assert [holder.get(path, headers=head).status_code for head in heads] == [403, 403]


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


def test_a_name_with_a_blank_is_no_door_into_the_subscription_of_another(device: Enrolled) -> None:
    """ALPHA with the client "2 X" is not ALPHA 2 with the client X."""
    short = fresh("ALPHA")
    victim, thief = device(f"{short} 2"), device(short)
    row = created(device())
    path = f"{MISSIONS}/{row['name']}/subscription"
    assert victim.put(path, params={"uid": "X"}).status_code == 201
    assert thief.delete(path, params={"uid": "2 X"}).status_code == 404
    assert thief.put(path, params={"uid": "2 X"}).status_code == 201
    assert thief.delete(path, params={"uid": "2 X"}).status_code == 200
    rows = said(victim.get(f"{MISSIONS}/{row['name']}/subscriptions"), "MissionSubscription")
    assert "X" in rows


def test_open_invitations_which_every_request_walks_over_are_bounded(device: Enrolled) -> None:
    phone = device()
    row = created(phone)
    path = f"{MISSIONS}/{row['name']}"
    rows = [{"type": "userName", "invitee": f"u{number}"} for number in range(2_500)]
    sent = [phone.post(f"{path}/invite", json=rows[at : at + 500]) for at in range(0, 2_500, 500)]
    assert [each.status_code for each in sent] == [200, 200, 200, 200, 507], sent[0].text
    # What is full can be emptied, and then it takes again.
    assert phone.delete(f"{path}/invite/userName/u0").status_code == 200
    assert phone.post(f"{path}/invite", json=[{"type": "userName", "invitee": "late"}]).status_code == 200


def test_an_invitation_by_callsign_is_not_told_to_who_takes_the_callsign(node: ServedNode, device: Enrolled) -> None:
    """A callsign is whatever a client says; the name of a mission for invited people is no business of others."""
    name, thief = fresh("VIPER"), fresh("THIEF")
    owner, clients = device(), {each: (device(each), node.data.parent / f"{each}-files") for each in (name, thief)}
    row = created(owner, inviteOnly="true")
    with (
        node.device_client(name, clients[name][1]) as invited,
        TakClient(node.ports["tak_tls"], name, tls=device_context(clients[thief][1], thief)) as taker,
    ):
        taker.uid = fresh("ANDROID-")
        invited.report()
        taker.report()
        invited.hear_uid(taker.uid)
        taker.hear_uid(invited.uid)
        answer = owner.post(f"{MISSIONS}/{row['name']}/invite", json=[{"type": "callsign", "invitee": name}])
        assert answer.status_code == 200
        invited.hear(lambda each: each.get("type") == "t-x-m-i")
        word = fresh("fence ")
        invited.chat(word)
        taker.hear_text(word)
        assert not [each for each in taker.heard if each.get("type", "").startswith("t-x-m")]


def test_a_client_follows_a_mission_with_so_many_uids(device: Enrolled) -> None:
    phone = device()
    row = created(phone)
    path = f"{MISSIONS}/{row['name']}/subscription"
    sent = [phone.put(path, params={"uid": f"U{number}"}).status_code for number in range(SUBSCRIPTIONS_OF_ONE + 1)]
    # Its creator follows it from the beginning.
    assert sent == [201] * (SUBSCRIPTIONS_OF_ONE - 1) + [507] * 2
    assert phone.delete(path, params={"uid": "U0"}).status_code == 200
    assert phone.put(path, params={"uid": "late"}).status_code == 201


@pytest.mark.timeout(400)
def test_who_reads_slowly_waits_for_himself_alone(node: ServedNode, device: Enrolled) -> None:
    """The rows of a large answer are in memory until its last byte is read."""
    name = fresh("SLOW")
    slow, other = device(name), device()
    row = created(other)
    path = f"{MISSIONS}/{row['name']}"

    def asked() -> int | None:
        """None = it waits: a question that came before all the others were counted took the last place. Ask again."""
        try:
            return slow.get(f"{path}/role", timeout=10).status_code
        except httpx.ReadTimeout:
            return None

    for at in range(0, 48_000, 6_000):
        uids = [f"{number:06} of a long list of things" for number in range(at, at + 6_000)]
        assert other.put(f"{path}/contents", json={"uids": uids}).status_code == 200
    context = device_context(node.data.parent / f"{name}-files", name)
    with contextlib.ExitStack() as opened:

        def read_slowly() -> None:
            plain = socket.create_connection(("localhost", node.ports["api_tls"]), timeout=60)
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            wire = opened.enter_context(context.wrap_socket(plain, server_hostname="localhost"))
            wire.sendall(f"GET {path.replace(' ', '%20')} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

        def are_taken() -> bool:
            if asked() == 429:
                return True
            sleep(1)  # Our own question hung up: until the node has seen it, it has the place that is to be taken.
            read_slowly()  # In place of one that was refused while a question of ours had the last turn.
            return False

        for _ in range(QUERIES_OF_ONE):
            read_slowly()
        wait_until(are_taken, "his turns are taken", 180)
        assert other.get(f"{path}/role").status_code == 200
    wait_until(lambda: asked() == 200, "his turns are free again", 180)
