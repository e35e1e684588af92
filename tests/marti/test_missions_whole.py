"""Missions as a whole: filled from a data package, copied, sent, drawn, ended; and who says what in them."""

import hashlib
import io
import re
import zipfile
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree as ET

import httpx
import pytest

from aquila.testing.served import ServedNode, wait_until
from aquila.testing.tak_client import fresh, marker

from .conftest import Enrolled
from .test_missions import MISSIONS, bearer, created, read, said

KML = "{http://www.opengis.net/kml/2.2}"
ZIP = {"Content-Type": "application/x-zip-compressed"}


def package(files: dict[str, bytes], ignored: tuple[str, ...] = (), manifest: str = "") -> bytes:
    """A data package as ATAK packs it."""
    rows = "".join(f'<Content ignore="{"true" if name in ignored else "false"}" zipEntry="{name}"/>' for name in files)
    manifest = manifest or (
        '<MissionPackageManifest version="2"><Configuration><Parameter name="uid" value="p"/>'
        f'<Parameter name="name" value="p"/></Configuration><Contents>{rows}</Contents></MissionPackageManifest>'
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("MANIFEST/manifest.xml", manifest)
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


def fill(phone: httpx.Client, name: str, data: bytes, **params: str) -> httpx.Response:
    """As node-tak sends it: the bare zip."""
    return phone.put(
        f"{MISSIONS}/{name}/contents/missionpackage",
        params={"creatorUid": "PACKER", **params},
        content=data,
        headers=ZIP,
    )


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def upload(phone: httpx.Client, data: bytes, name: str = "plan.txt") -> str:
    answer = phone.post("/Marti/sync/upload", params={"name": name}, content=data)
    assert answer.status_code == 200, answer.text
    return digest(data)


# -- a package becomes contents ---------------------------------------------------------------------------------------


@pytest.mark.row("PUT /Marti/api/missions/{name}/contents/missionpackage", client="node-tak")
def test_what_is_in_a_data_package_becomes_contents(device: Enrolled) -> None:
    phone = device()
    name = created(phone)["name"]
    uid, plan, skipped = str(uuid4()), f"plan {uuid4()}".encode(), f"old {uuid4()}".encode()
    files = {f"{uid}/{uid}.cot": marker(uid, "Cache 7"), "maps/plan.txt": plan, "old.txt": skipped}
    data = package(files, ignored=("old.txt",))
    changes = said(fill(phone, name, data), "MissionChange")
    assert {each["type"] for each in changes} == {"ADD_CONTENT"}
    assert {each["creatorUid"] for each in changes} == {"PACKER"}
    assert {each.get("contentUid") or each["contentResource"]["hash"] for each in changes} == {uid, digest(plan)}
    row = read(phone, name)
    (file,) = (each["data"] for each in row["contents"])
    assert (file["name"], file["hash"], file["size"]) == ("plan.txt", digest(plan), len(plan))
    assert phone.get("/Marti/sync/content", params={"hash": digest(plan)}).content == plan
    wait_until(lambda: read(phone, name)["uids"][0].get("details"), "the event of the package is heard")
    assert read(phone, name)["uids"][0]["details"]["callsign"] == "Cache 7"
    # The same again changes nothing, and the package itself is no file of the node.
    before = said(phone.get(f"{MISSIONS}/{name}/changes", params={"squashed": "false"}), "MissionChange")
    assert said(fill(phone, name, data), "MissionChange") == changes_now(phone, name)
    assert said(phone.get(f"{MISSIONS}/{name}/changes", params={"squashed": "false"}), "MissionChange") == before
    for absent in (digest(data), digest(skipped)):
        assert phone.get("/Marti/sync/content", params={"hash": absent}).status_code == 404


def changes_now(phone: httpx.Client, name: str) -> list[dict[str, Any]]:
    rows = said(phone.get(f"{MISSIONS}/{name}/changes"), "MissionChange")
    return [each for each in rows if each["type"] == "ADD_CONTENT"]


def test_a_package_that_is_older_than_the_mission_conflicts_and_does_nothing(device: Enrolled) -> None:
    phone = device()
    name = created(phone)["name"]
    uid = str(uuid4())
    older = re.sub(rb"(time|start)='[^']*'", rb"\1='2026-01-01T00:00:00.000Z'", marker(uid, "Before"))
    assert fill(phone, name, package({"m.cot": marker(uid, "Now")})).status_code == 200
    wait_until(lambda: read(phone, name)["uids"][0].get("details"), "the event of the package is heard")
    late = f"late {uuid4()}".encode()
    (change,) = said(fill(phone, name, package({"m.cot": older, "late.txt": late})), "MissionChange", 409)
    assert change["contentUid"] == uid
    assert read(phone, name)["contents"] == []
    assert phone.get("/Marti/sync/content", params={"hash": digest(late)}).status_code == 404
    assert read(phone, name)["uids"][0]["details"]["callsign"] == "Now"


def test_a_package_says_nothing_outside_the_mission_and_nothing_for_who_may_not_write(device: Enrolled) -> None:
    both = device(groups_in=["RED", "COMMON"], groups_out=["RED", "COMMON"])
    outside, reader = (
        device(groups_in=["COMMON"], groups_out=["COMMON"]),
        device(groups_in=["BLUE"], groups_out=["RED"]),
    )
    name = created(both, group="RED")["name"]
    uid, plan = str(uuid4()), f"plan {uuid4()}".encode()
    data = package({"m.cot": marker(uid, "Hidden"), "plan.txt": plan})
    assert fill(both, name, data).status_code == 200
    wait_until(lambda: "<event" in both.get(f"/Marti/api/cot/xml/{uid}").text, "the event of the package is heard")
    assert outside.get(f"/Marti/api/cot/xml/{uid}").content == b""
    assert outside.get("/Marti/sync/content", params={"hash": digest(plan)}).status_code == 404
    nothing = fill(outside, fresh("NONE"), data)
    refused = fill(outside, name, data)
    assert (refused.status_code, refused.content) == (404, nothing.content)
    assert fill(reader, name, data).status_code == 403
    both.delete(f"{MISSIONS}/{name}")
    assert fill(both, name, data).status_code == 410


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no zip",
        package({"m.cot": b"<event"}),
        package({"m.cot": b"<!DOCTYPE x [<!ENTITY a 'b'>]><event/>"}),
        package({"../up.txt": b"x"}),
        package({"zeros.bin": bytes(20_000_000)}),
        package({"m.cot": b"x" * 70_000}),
        package({"a": b"x"}, manifest="<<"),
        package({"a": b"x"}, manifest="<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"),
    ],
)
def test_hostile_packages_are_refused_and_leave_nothing(device: Enrolled, data: bytes) -> None:
    phone = device()
    name = created(phone)["name"]
    answer = fill(phone, name, data)
    assert answer.status_code == 400, answer.text
    assert answer.json()["message"]
    row = read(phone, name)
    assert (row["contents"], row["uids"]) == ([], [])


# -- copies -----------------------------------------------------------------------------------------------------------


@pytest.mark.row("PUT /Marti/api/missions/{name}/copy", client="TAK Server 5.7")
def test_a_copy_has_the_contents_and_not_the_members(device: Enrolled) -> None:
    owner, other = device(), device()
    row = created(owner, description="Flood")
    path = f"{MISSIONS}/{row['name']}"
    plan = upload(owner, f"plan {uuid4()}".encode())
    owner.put(f"{path}/layers", params={"name": "A", "uid": "a", "creatorUid": "ME"})
    owner.put(f"{path}/contents", json={"hashes": [plan], "paths": {"a": [{"uids": ["u"]}]}})
    owner.put(f"{path}/keywords", json=["river"])
    wanted = {"creatorUid": "COPIER", "copyName": fresh("COPY "), "copyPath": "/north", "password": "secret"}
    (copy,) = said(other.put(f"{path}/copy", params=wanted), "Mission", 201)
    assert copy["token"]
    assert (copy["name"], copy["description"], copy["path"]) == (wanted["copyName"], "Flood", "/north")
    assert (copy["creatorUid"], copy["keywords"], copy["passwordProtected"]) == ("COPIER", ["river"], True)
    assert [each["data"] for each in copy["uids"]] == ["u"]
    assert [each["data"]["hash"] for each in copy["contents"]] == [plan]
    (layer,) = said(other.get(f"{MISSIONS}/{copy['name']}/layers"), "MissionLayer")
    assert [each["data"] for each in layer["uids"]] == ["u"]
    assert owner.get(f"{MISSIONS}/{copy['name']}").status_code == 403
    assert said(owner.get(f"{MISSIONS}/{copy['name']}", params={"password": "secret"}), "Mission")
    assert other.put(f"{path}/copy", params=wanted).status_code == 409
    assert other.put(f"{path}/copy", params={"creatorUid": "X"}).status_code == 400
    assert other.put(f"{path}/copy", params={"copyName": "x" * 50_000}).status_code == 400


def test_a_copy_has_nothing_that_its_maker_may_not_see(device: Enrolled) -> None:
    both = device(groups_in=["RED", "COMMON"], groups_out=["RED", "COMMON"])
    red = device(groups_in=["RED"], groups_out=["RED"])
    reader = device()
    name, hidden = created(both, group="COMMON")["name"], created(both, group="RED")["name"]
    secret = upload(red, f"secret {uuid4()}".encode())
    both.put(f"{MISSIONS}/{name}/contents", json={"hashes": [secret]})
    (copy,) = said(reader.put(f"{MISSIONS}/{name}/copy", params={"copyName": fresh("C")}), "Mission", 201)
    assert copy["contents"] == []
    assert reader.put(f"{MISSIONS}/{hidden}/copy", params={"copyName": fresh("C")}).status_code == 404


# -- sent, drawn, followed by many ------------------------------------------------------------------------------------


@pytest.mark.row("POST /Marti/api/missions/{name}/send", client="TAK Server 5.7")
def test_a_mission_is_sent_to_contacts_as_a_data_package(node: ServedNode, device: Enrolled) -> None:
    names = [fresh("FROM"), fresh("TO"), fresh("OTHER")]
    http = {name: device(name) for name in names}
    plan = f"plan {uuid4()}".encode()
    sender, receiver, other = (node.device_client(name, node.data.parent / f"{name}-files") for name in names)
    with sender, receiver, other:
        for each in (sender, receiver, other):
            each.report()
            sender.hear_uid(each.uid) if each is not sender else None
        name = created(http[names[0]])["name"]
        http[names[0]].put(f"{MISSIONS}/{name}/contents", json={"hashes": [upload(http[names[0]], plan)]})
        answer = http[names[0]].post(f"{MISSIONS}/{name}/send", data={"contacts": [receiver.uid]})
        assert (answer.status_code, answer.content) == (200, b"")
        share = receiver.hear(lambda each: each.get("type") == "b-f-t-r").find("detail/fileshare")
        assert share is not None
        assert (share.get("name"), share.get("senderCallsign"), share.get("senderUid")) == (
            name,
            sender.callsign,
            sender.uid,
        )
        url = "/Marti" + (share.get("senderUrl") or "").partition("/Marti")[2]
        data = http[names[1]].get(url).content
        assert (digest(data), str(len(data))) == (share.get("sha256"), share.get("sizeInBytes"))
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            assert plan in [packed.read(each) for each in packed.namelist()]
        sender.chat("done")
        other.hear_text("done")
        assert not [each for each in other.heard if each.get("type") == "b-f-t-r"]
    assert http[names[0]].post(f"{MISSIONS}/{name}/send").status_code == 400
    assert http[names[0]].post(f"{MISSIONS}/{fresh('NONE')}/send", data={"contacts": ["x"]}).status_code == 404


@pytest.mark.row("GET /Marti/api/missions/{name}/kml", client="TAK Server 5.7")
def test_a_mission_is_drawn_as_kml(device: Enrolled) -> None:
    phone = device()
    name = created(phone)["name"]
    uid = str(uuid4())
    assert fill(phone, name, package({"m.cot": marker(uid, "Höhe <1>")})).status_code == 200
    wait_until(lambda: read(phone, name)["uids"][0].get("details"), "the event of the package is heard")
    phone.put(f"{MISSIONS}/{name}/contents", json={"uids": ["unknown"]})
    answer = phone.get(f"{MISSIONS}/{name}/kml", params={"download": "true"})
    assert answer.headers["content-type"] == "application/vnd.google-earth.kml+xml"
    assert answer.headers["content-disposition"].startswith("attachment")
    root = ET.fromstring(answer.content)
    assert root.tag == f"{KML}kml"
    assert root.findtext(f"{KML}Document/{KML}name") == name
    assert [each.findtext(f"{KML}name") for each in root.iter(f"{KML}Placemark")] == ["Höhe <1>"]


@pytest.mark.row("POST /Marti/api/missions/{name}/subscription", client="TAK Server 5.7")
def test_an_owner_subscribes_several_clients_at_once(node: ServedNode, device: Enrolled) -> None:
    owner_name, names = fresh("OWNER"), [fresh("ONE"), fresh("TWO")]
    owner, *phones = [device(name) for name in (owner_name, *names)]
    clients = [node.device_client(name, node.data.parent / f"{name}-files") for name in names]
    with clients[0], clients[1]:
        for client in clients:
            client.report()
        wait_until(
            lambda: (
                {each.uid for each in clients} <= {each["uid"] for each in owner.get("/Marti/api/contacts/all").json()}
            ),
            "the clients are known",
        )
        name = created(owner)["name"]
        body = [
            {"clientUid": clients[0].uid, "username": names[0], "role": {"type": "MISSION_READONLY_SUBSCRIBER"}},
            {"clientUid": clients[1].uid, "role": {"type": "MISSION_OWNER"}},
        ]
        for _ in range(2):
            answer = owner.post(f"{MISSIONS}/{name}/subscription", params={"creatorUid": "ME"}, json=body)
            rows = {each["clientUid"]: each for each in said(answer, "MissionSubscription", 201)}
        assert rows[clients[0].uid]["username"] == names[0]
        assert [rows[each.uid]["role"]["type"] for each in clients] == [each["role"]["type"] for each in body]
        assert phones[0].put(f"{MISSIONS}/{name}/contents", json={"uids": ["u"]}).status_code == 403
        assert phones[1].put(f"{MISSIONS}/{name}/contents", json={"uids": ["u"]}).status_code == 200
        assert phones[0].post(f"{MISSIONS}/{name}/subscription", json=body).status_code == 403
        assert owner.post(f"{MISSIONS}/{name}/subscription", json=[{"clientUid": "nobody"}]).status_code == 404
        for bad in ([], {}, [{}], [{"clientUid": 1}], [{"clientUid": "a", "role": {"type": "KING"}}]):
            assert owner.post(f"{MISSIONS}/{name}/subscription", json=bad).status_code == 400


@pytest.mark.row("POST /Marti/api/missions/{name}/externaldata/{uid}/change", client="TAK Server 5.7")
@pytest.mark.row("POST /Marti/api/missions/{name}/externaldata", client="TAK Server 5.7")
@pytest.mark.row("DELETE /Marti/api/missions/{name}/externaldata/{uid}", client="TAK Server 5.7")
def test_external_data_come_change_and_go(device: Enrolled) -> None:
    phone, member = device(), device()
    name = created(phone)["name"]
    path = f"{MISSIONS}/{name}/externaldata"
    sheet = {
        "uid": "x",
        "name": "Sheet",
        "tool": "forms",
        "urlData": "https://d.invalid",
        "urlView": "https://v.invalid",
    }
    (row,) = said(member.post(path, params={"creatorUid": "ME"}, json=sheet | {"notes": "first"}), "Mission")
    assert row["externalData"] == [sheet | {"notes": "first"}]
    for _ in range(2):
        answer = phone.post(f"{path}/x/change", params={"creatorUid": "ME", "notes": "second"}, content=b"token-2")
        assert (answer.status_code, answer.content) == (200, b"")
    (row,) = said(phone.get(f"{MISSIONS}/{name}"), "Mission")
    assert row["externalData"] == [sheet | {"notes": "second", "token": "token-2"}]
    assert phone.post(f"{path}/none/change", params={"notes": "n"}, content=b"t").status_code == 404
    for _ in range(2):
        (row,) = said(phone.delete(f"{path}/x", params={"notes": "over", "creatorUid": "ME"}), "Mission")
        assert row["externalData"] == []
    told = said(phone.get(f"{MISSIONS}/{name}/changes", params={"squashed": "false"}), "MissionChange")
    assert [(each["type"], each.get("externalData", {}).get("notes")) for each in told[:3]] == [
        ("REMOVE_CONTENT", None),
        ("ADD_CONTENT", "second"),
        ("ADD_CONTENT", "first"),
    ]
    assert told[0]["externalData"] == {"uid": "x"}


# -- the end ----------------------------------------------------------------------------------------------------------


def test_a_deep_deletion_takes_the_files_that_nobody_else_has(device: Enrolled) -> None:
    phone, other = device(), device()
    alone, shared, his = (f"{word} {uuid4()}".encode() for word in ("alone", "shared", "his"))
    one, two = created(phone)["name"], created(phone)["name"]
    hashes = [upload(phone, alone), upload(phone, shared), upload(other, his)]
    phone.put(f"{MISSIONS}/{one}/contents", json={"hashes": hashes})
    phone.put(f"{MISSIONS}/{two}/contents", json={"hashes": hashes[1:2]})

    def there() -> list[bool]:
        return [phone.get("/Marti/sync/content", params={"hash": each}).status_code == 200 for each in hashes]

    assert there() == [True, True, True]
    said(phone.delete(f"{MISSIONS}/{one}", params={"creatorUid": "ME", "deepDelete": "true"}), "Mission")
    # What another mission has stays, and what another sent is his.
    assert there() == [False, True, True]
    said(phone.delete(f"{MISSIONS}/{two}", params={"creatorUid": "ME"}), "Mission")
    assert there() == [False, True, True]


@pytest.mark.row("PUT /Marti/api/missions/{name}/expiration", client="node-tak")
def test_a_mission_that_has_expired_is_deleted_by_the_node(node: ServedNode, device: Enrolled) -> None:
    phone, member = device(), device()
    row = created(phone)
    path = f"{MISSIONS}/{row['name']}"
    assert member.put(f"{path}/subscription", params={"uid": "MEMBER"}).status_code == 201
    assert member.put(f"{path}/expiration", params={"expiration": "1000000000"}).status_code == 403
    assert member.put(path, params={"expiration": "1000000000"}).status_code == 403
    assert phone.get(path).status_code == 200
    assert phone.put(f"{path}/expiration", params={"expiration": "1000000000"}).status_code == 200
    wait_until(lambda: phone.get(path).status_code == 410, "the mission has ended")
    assert phone.put(f"{path}/contents", json={"uids": ["u"]}).status_code == 410
    assert phone.put(f"{path}/expiration", params={"expiration": "-1"}).status_code == 410
    born_late = created(phone, expiration="1000000000000")["name"]
    wait_until(lambda: phone.get(f"{MISSIONS}/{born_late}").status_code == 410, "it ends though said in milliseconds")
    acts = [each["body"] for each in node.api.entries(kind="act") if each["body"] is not None]
    (end,) = (act for act in acts if (act["action"], act["target"]) == ("mission.delete", row["guid"]))
    assert end["detail"] == {"why": "expired"}


# -- who says what ----------------------------------------------------------------------------------------------------


def test_a_change_has_its_author_though_the_client_did_not_say_it(node: ServedNode, device: Enrolled) -> None:
    name = fresh("QUIET")
    phone = device(name)
    (row,) = said(phone.post(f"{MISSIONS}/{fresh('OPS ')}"), "Mission", 201)
    assert row["creatorUid"] == name, "as long as nothing but its name is known"
    path = f"{MISSIONS}/{row['name']}"

    def author(uid: str) -> str:
        (mission,) = said(phone.put(f"{path}/contents", json={"uids": [uid]}), "Mission")
        return {each["data"]: str(each["creatorUid"]) for each in mission["uids"]}[uid]

    with node.device_client(name, node.data.parent / f"{name}-files") as client:
        client.report()
        wait_until(lambda: author(str(uuid4())) == client.uid, "the client is known by its uid")
        assert said(phone.get(f"{path}/changes"), "MissionChange")[0]["creatorUid"] == client.uid
        body = {"content": "seen", "missionNames": [row["name"]]}
        (entry,) = said(
            phone.post("/Marti/api/missions/logs/entries", json=body), "com.bbn.marti.sync.model.LogEntry", 201
        )
        assert entry["creatorUid"] == client.uid
        # What is said is left as it is.
        said(phone.put(f"{path}/contents", json={"uids": ["v"]}, params={"creatorUid": "ANOTHER"}), "Mission")
        assert {each["data"]: each["creatorUid"] for each in read(phone, row["name"])["uids"]}["v"] == "ANOTHER"
    assert bearer(row)
