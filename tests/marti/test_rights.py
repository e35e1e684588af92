"""Nobody gives more than he has, and what was given ends with what it was given for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from aquila.app.asking import ask
from aquila.client import NodeError
from aquila.core.errors import UsageError
from aquila.testing.served import ServedNode, wait_until
from aquila.testing.tak_client import device_context, fresh, marker, position

from .conftest import Enrolled, door
from .test_enrolment import Phone, sign_as_atak, take
from .test_missions import MISSIONS, created, said
from .test_missions_whole import fill, package

PASSWORD = "long enough for all"
GROUPS = "/Marti/api/groups/all"


@pytest.fixture(scope="module")
def enrol(node: ServedNode) -> Iterator[httpx.Client]:
    name = fresh("ANY")
    with door(node, "enrol", device_context(node.enrolled(name), name)) as client:
        yield client


def person(node: ServedNode, **fields: Any) -> str:
    """A user made by the owner of the node; gives his name."""
    name = fresh("anna")
    ask(node.data, "access.make_user", {"name": name, "password": PASSWORD, **fields})
    return name


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"groups_in": ["SECRETS"]}, "groups to write into SECRETS"),
        ({"groups_in": ["COMMON"], "groups_out": ["COMMON", "SECRETS"]}, "groups to read SECRETS"),
        ({"clearance": "SECRET"}, "clearance SECRET"),
        ({"nation": "KAZ"}, "nation KAZ"),
    ],
)
def test_an_administrator_gives_a_device_only_what_he_has_himself(
    node: ServedNode, more: dict[str, Any], word: str
) -> None:
    name = fresh("GREEDY")
    for give in (node.api.add_device, node.api.invite_device):
        with pytest.raises(NodeError, match=word) as refused:
            give(name=name, **more)
        assert refused.value.status == 403
    assert node.api.add_device(name=fresh("MODEST"), nation="ITA", groups_in=["COMMON"])["serial"]
    # Who runs the node gives what he likes: else a group that nobody is in yet could never be given.
    assert ask(node.data, "devices.add_device", {"name": name, **more})["serial"]


def test_an_administrator_gives_himself_no_groups_and_never_takes_the_owner_over(node: ServedNode) -> None:
    with pytest.raises(NodeError, match="SECRETS"):
        node.api.make_user(name=fresh("me"), password=PASSWORD, role="admin", groups_in=["SECRETS"])
    with pytest.raises(NodeError, match="owns this node"):
        node.api.make_user(name="operator", password=PASSWORD, role="admin")
    with pytest.raises(NodeError, match="owns this node"):
        node.api.drop_user("operator")
    with pytest.raises(UsageError, match="stays an admin"):
        ask(node.data, "access.make_user", {"name": "operator", "password": PASSWORD, "role": "viewer"})
    held = {"groups_in": ["COMMON", "SECRETS"], "groups_out": ["COMMON", "SECRETS"]}
    assert ask(node.data, "access.make_user", {"name": fresh("bob"), "password": PASSWORD, **held})


def test_the_phone_of_a_person_may_at_every_moment_what_he_may(
    node: ServedNode, enrol: httpx.Client, tmp_path: Path
) -> None:
    both = {"groups_in": ["COMMON", "RED"], "groups_out": ["COMMON", "RED"]}
    name = person(node, **both)
    phone = take(own := Phone(name, tmp_path), sign_as_atak(enrol, own, (name, PASSWORD)))
    speaker = fresh("REDMAN")
    files = node.enrolled(speaker, groups_in=["RED"], groups_out=["RED"])

    def groups() -> set[str]:
        with door(node, "api_tls", phone.tls) as client:
            return {row["name"] for row in said(client.get(GROUPS), "com.bbn.marti.remote.groups.Group")}

    assert groups() == {"COMMON", "RED"}
    with phone.connect(node) as stream, node.device_client(speaker, files) as red, node.client(fresh("TCP")) as common:
        stream.report()
        red.report()
        common.report()
        stream.hear_uid(red.uid)
        # Demoted: his phone hears the group no more, on the stream that is open.
        less = {"groups_in": ["COMMON"], "groups_out": ["COMMON"]}
        ask(node.data, "access.make_user", {"name": name, "password": PASSWORD, **less})
        assert groups() == {"COMMON"}
        uids = fresh("hidden"), fresh("shown")
        red.say(marker(uids[0], "RED ONLY"))
        with door(node, "api_tls", device_context(files, speaker)) as asks:
            wait_until(lambda: uids[0] in asks.get(f"/Marti/api/cot/xml/{uids[0]}").text, "the red marker is known")
        common.say(marker(uids[1], "FOR ALL"))
        stream.hear_uid(uids[1])
        assert uids[0] not in {each.get("uid") for each in stream.heard}
        (row,) = [each for each in node.api.devices(limit=5000) if each["name"] == name]
        assert row["groups_out"] == ["COMMON"]


def test_a_login_ends_with_the_password_that_it_was_given_for(node: ServedNode, enrol: httpx.Client) -> None:
    name = person(node)

    def token() -> dict[str, str]:
        fields = {"grant_type": "password", "username": name, "password": PASSWORD}
        answer = enrol.post("/oauth/token", data=fields)
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    # Nothing but what the token says counts on this door: no certificate is asked for.
    first = token()
    with httpx.Client(base_url=f"http://127.0.0.1:{node.ports['http']}") as page:
        login = page.post("/login", data={"user": name, "password": PASSWORD})
        assert login.status_code in (200, 302, 303), login.text
        assert page.get("/api/v1/me").status_code == 200
        assert enrol.get(GROUPS, headers=first).status_code == 200
        ask(node.data, "access.make_user", {"name": name, "password": PASSWORD})
        assert enrol.get(GROUPS, headers=first).status_code == 401
        assert page.get("/api/v1/me").status_code == 401
    second = token()
    assert enrol.get(GROUPS, headers=second).status_code == 200
    ask(node.data, "access.drop_user", {"name": name})
    assert enrol.get(GROUPS, headers=second).status_code == 401
    ask(node.data, "access.make_user", {"name": name, "password": PASSWORD})
    assert enrol.get(GROUPS, headers=second).status_code == 401


def test_a_refused_event_of_a_data_package_is_told_and_nothing_of_it_is_added(
    node: ServedNode, device: Enrolled
) -> None:
    victim, phone = fresh("VICTIM"), device()
    name, good, plan = created(phone)["name"], fresh("good"), fresh("plan").encode()
    files = node.enrolled(victim)
    with node.device_client(victim, files) as stream:
        stream.report()
        with door(node, "api_tls", device_context(files, victim)) as asks:
            wait_until(lambda: stream.uid in asks.get(f"/Marti/api/cot/xml/{stream.uid}").text, "it is known")
        forged = package(
            {"a/a.cot": marker(good, "Cache"), "b/b.cot": position(stream.uid, "FORGED"), "plan.txt": plan}
        )
        answer = fill(phone, name, forged)
    assert answer.status_code == 403
    assert stream.uid in answer.text
    (row,) = said(phone.get(f"{MISSIONS}/{name}"), "Mission")
    assert (row["uids"], row["contents"]) == ([], [])
    assert "<event" not in phone.get(f"/Marti/api/cot/xml/{good}").text, "its first event is in no picture either"


def test_who_may_only_look_writes_nowhere_neither_by_password_nor_with_a_phone_of_his_own(
    node: ServedNode, enrol: httpx.Client, device: Enrolled, tmp_path: Path
) -> None:
    name, mission = person(node, role="viewer"), created(device())["name"]
    looks = (name, PASSWORD)
    video = {"videoConnections": [{"uuid": fresh("v"), "alias": "a", "feeds": []}]}
    for answer in (
        enrol.post(f"{MISSIONS}/{fresh('V')}", params={"creatorUid": "X"}, auth=looks),
        enrol.put(f"{MISSIONS}/{mission}/keywords", json=["a"], auth=looks),
        enrol.post("/Marti/api/video", json=video, auth=looks),
    ):
        assert (answer.status_code, "role operator" in answer.text) == (403, True)
    # He may follow, which says nothing but that he does.
    assert enrol.put(f"{MISSIONS}/{mission}/subscription", params={"uid": "U"}, auth=looks).status_code == 201
    phone = take(own := Phone(name, tmp_path), sign_as_atak(enrol, own, looks))
    with door(node, "api_tls", phone.tls) as client:
        assert client.post("/Marti/sync/upload", params={"name": "a.txt"}, content=b"x").status_code == 403
        assert client.post(f"{MISSIONS}/{fresh('V')}", params={"creatorUid": "X"}).status_code == 403
        assert [row["name"] for row in said(client.get(MISSIONS), "Mission") if row["name"] == mission]


def test_a_profile_gives_nobody_a_file_that_its_maker_may_not_see_and_lives_on_without_one(
    node: ServedNode, device: Enrolled
) -> None:
    red, common = device(groups_in=["RED"], groups_out=["RED"]), device()
    secret, plain = fresh("secret").encode(), fresh("plain").encode()
    digests = []
    for phone, data in ((red, secret), (common, plain)):
        answer = phone.post("/Marti/sync/upload", params={"name": "s.txt"}, content=data)
        assert answer.status_code == 200, answer.text
        digests.append(answer.json()["Hash"])
    name, tool = fresh("profile"), fresh("tool")
    path = f"/Marti/api/device/profile/tool/{tool}"
    fields: dict[str, Any] = {"name": name, "occasions": ["tool"], "tool": tool}
    with pytest.raises(NodeError, match="is kept here"):
        node.api.add_profile(**fields, files=[{"path": "s.txt", "sha256": digests[0]}])
    node.api.add_profile(**fields, files=[{"path": "s.txt", "sha256": digests[1]}])
    assert common.get(path).status_code == 200
    assert common.delete(f"/Marti/api/files/{digests[1]}").status_code == 200
    assert common.get(path).status_code == 204
    node.api.drop_profile(name)


def test_the_token_of_a_mission_ends_with_the_password_that_it_was_given_for(device: Enrolled) -> None:
    owner, guest = device(), device()
    path = f"{MISSIONS}/{created(owner, password='the first word')['name']}"
    token = said(guest.get(f"{path}/token", params={"password": "the first word"}), "java.lang.String")
    bearer = {"MissionAuthorization": f"Bearer {token}"}
    assert guest.get(path, headers=bearer).status_code == 200
    assert owner.put(f"{path}/password", params={"password": "the second word"}).status_code == 200
    assert guest.get(path, headers=bearer).status_code == 403
