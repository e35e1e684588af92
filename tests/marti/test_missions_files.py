"""Files of missions: added by digest, told with what is known of them, taken home as one archive."""

import hashlib
import io
import zipfile
from uuid import uuid4
from xml.etree import ElementTree as ET

import httpx
import pytest

from aquila.features.missions.files import Archive, zipped
from aquila.testing.served import ServedNode, wait_until
from aquila.testing.tak_client import fresh, marker

from .conftest import Enrolled
from .test_missions import MISSIONS, created, read, said


def uploaded(phone: httpx.Client, name: str, data: bytes) -> str:
    answer = phone.post(
        "/Marti/sync/upload",
        params={"name": name, "keywords": "map,north", "creatorUid": "SENDER"},
        content=data,
        headers={"Content-Type": "text/plain"},
    )
    assert answer.status_code == 200, answer.text
    return hashlib.sha256(data).hexdigest()


@pytest.mark.row("PUT /Marti/api/missions/{name}/content/{hash}/keywords", client="TAK Server 5.7")
def test_a_file_is_added_by_its_digest(device: Enrolled) -> None:
    phone = device()
    data = f"plan {uuid4()}".encode()
    digest = uploaded(phone, "plan.txt", data)
    row = created(phone)
    path = f"{MISSIONS}/{row['name']}"
    for _ in range(2):
        answer = phone.put(f"{path}/contents", json={"hashes": [digest.upper()]}, params={"creatorUid": "ADDER"})
        (mission,) = said(answer, "Mission")
    (item,) = mission["contents"]
    assert set(item) == {"data", "timestamp", "creatorUid"}
    assert item["creatorUid"] == "ADDER"
    file = item["data"]
    words = "keywords mimeType name hash submissionTime submitter uid creatorUid size expiration"
    assert set(file) == set(words.split())
    assert (file["hash"], file["name"], file["size"]) == (digest, "plan.txt", len(data))
    assert (file["creatorUid"], file["keywords"], file["expiration"]) == ("SENDER", ["map", "north"], -1)
    (change, _) = said(phone.get(f"{path}/changes"), "MissionChange")
    assert (change["type"], change["contentResource"]) == ("ADD_CONTENT", file)
    assert "contentUid" not in change
    (mission,) = said(phone.put(f"{path}/content/{digest}/keywords", json=["south"]), "Mission")
    assert mission["contents"][0]["data"]["keywords"] == ["south"]
    for _ in range(2):
        (mission,) = said(phone.delete(f"{path}/contents", params={"hash": digest}), "Mission")
        assert mission["contents"] == []
    assert said(phone.get(f"{path}/changes"), "MissionChange")[0]["type"] == "REMOVE_CONTENT"


def test_a_file_that_he_may_not_see_cannot_be_added(device: Enrolled) -> None:
    owner = device(groups_in=["RED"], groups_out=["RED"])
    thief = device()
    digest = uploaded(owner, "secret.txt", f"secret {uuid4()}".encode())
    row = created(thief)
    refused = thief.put(f"{MISSIONS}/{row['name']}/contents", json={"hashes": [digest], "uids": ["x"]})
    nothing = thief.put(f"{MISSIONS}/{row['name']}/contents", json={"hashes": ["0" * 64], "uids": ["x"]})
    assert (refused.status_code, refused.content) == (404, nothing.content)
    assert read(thief, row["name"])["uids"] == []


def test_a_mission_tells_no_more_of_a_file_than_its_own_marking_allows(device: Enrolled) -> None:
    both = device(groups_in=["RED"], groups_out=["RED", "COMMON"])
    digest = uploaded(both, "secret name.txt", f"secret {uuid4()}".encode())
    reader = device()
    row = created(reader)
    path = f"{MISSIONS}/{row['name']}"
    opener = device(groups_in=["RED", "COMMON"], groups_out=["RED", "COMMON"])
    (mission,) = said(opener.put(f"{path}/contents", json={"hashes": [digest]}), "Mission")
    assert mission["contents"][0]["data"]["name"] == "secret name.txt"
    (item,) = read(reader, row["name"])["contents"]
    assert (item["data"]["hash"], item["data"]["name"], item["data"]["size"]) == (digest, digest, 0)
    for answer in (reader.get(f"{path}/changes"), reader.get(f"{path}/archive"), reader.get(MISSIONS)):
        assert b"secret name" not in answer.content


@pytest.mark.row("GET /Marti/api/missions/{name}/archive", client="node-tak")
def test_a_mission_is_taken_home_as_a_data_package(node: ServedNode, device: Enrolled) -> None:
    name = fresh("PACKER")
    phone = device(name)
    data = f"plan {uuid4()}".encode() * 100_000
    digest = uploaded(phone, "plan.txt", data)
    uid = str(uuid4())
    row = created(phone)
    path = f"{MISSIONS}/{row['name']}"
    with node.device_client(name, node.data.parent / f"{name}-files") as client:
        client.say(marker(uid, "Cache 2"))
        wait_until(lambda: "<event" in phone.get(f"/Marti/api/cot/xml/{uid}").text, "the marker is known")
    phone.put(f"{path}/contents", json={"hashes": [digest], "uids": [uid]})
    answer = phone.get(f"{path}/archive")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"].startswith("attachment")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert packed.testzip() is None
        manifest = ET.fromstring(packed.read("MANIFEST/manifest.xml"))
        entries = [str(each.get("zipEntry")) for each in manifest.iter("Content")]
        assert sorted([*entries, "MANIFEST/manifest.xml"]) == sorted(packed.namelist())
        assert entries == [f"{uid}/{uid}.cot", f"{digest}/plan.txt"]
        assert packed.read(entries[1]) == data
        assert ET.fromstring(packed.read(entries[0])).get("uid") == uid
    assert phone.get(f"{path}/archive").content == answer.content


@pytest.mark.row("GET /Marti/api/missioncount", client="TAK Server 5.7")
@pytest.mark.row("GET /Marti/api/pagedmissions", client="TAK Server 5.7")
def test_missions_are_counted_and_paged(device: Enrolled) -> None:
    phone = device()
    word = fresh("PAGED")
    for number in range(5):
        created(phone, f"{word} {number}")

    def page(**params: str) -> list[str]:
        rows = said(phone.get("/Marti/api/pagedmissions", params={"nameFilter": word, **params}), "Mission")
        return [row["name"][-1] for row in rows]

    assert page() == ["0", "1", "2", "3", "4"]
    assert page(page="1", pagesize="2") == ["2", "3"]
    assert page(page="9", pagesize="2") == []
    assert page(ascending="false", pagesize="1") == ["4"]
    assert phone.get("/Marti/api/pagedmissions", params={"page": "-1"}).status_code == 400
    assert phone.get("/Marti/api/pagedmissions", params={"pagesize": "many"}).status_code == 400
    count = said(phone.get("/Marti/api/missioncount"), "java.lang.Long")
    assert count == len(said(phone.get(MISSIONS), "Mission"))


def test_uids_of_another_script_have_names_of_their_own_in_the_archive() -> None:
    uids = ("Пост 1", "Пост 2", "哨所", "a/b", "a_b", "plain-1")
    data = b"".join(zipped(Archive(name="n", guid="g", files=(), events=tuple((uid, "<event/>") for uid in uids))))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()[1:]
        manifest = archive.read("MANIFEST/manifest.xml").decode()
    assert len(set(names)) == len(uids)
    assert names[-1] == "plain-1/plain-1.cot"
    assert all(f'zipEntry="{name}"' in manifest and name.isascii() for name in names)
