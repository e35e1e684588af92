"""Data packages and Enterprise Sync, each request as its client sends it."""

import hashlib
import io
import re
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from aquila.client import NodeError
from aquila.testing.served import Serve, ServedNode, wait_until
from aquila.testing.tak_client import device_context, event, fresh, position

from .conftest import Enrolled, door

ZIP = "application/x-zip-compressed"
BOUNDARY = "===AQUILA==="
MANIFEST = (
    '<MissionPackageManifest version="2"><Configuration><Parameter name="uid" value="{0}"/>'
    '<Parameter name="name" value="{0}"/></Configuration><Contents/></MissionPackageManifest>'
)


def package(name: str = "", filler: int = 0) -> bytes:
    """A data package that no other test sends."""
    name = name or fresh("DP-")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("MANIFEST/manifest.xml", MANIFEST.format(name))
        archive.writestr(zipfile.ZipInfo(f"{name}/map.bin"), bytes(n * 37 % 251 for n in range(filler)))
    return packed.getvalue()


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def file_place(node: ServedNode, data: bytes) -> Path:
    return node.data / "files" / digest(data)[:2] / digest(data)[2:]


def send(
    phone: httpx.Client, data: bytes, filename: str = "DP.zip", *, kind: str = ZIP, **query: Any
) -> httpx.Response:
    """As ATAK sends a package: one part, `assetfile`."""
    asked = {"hash": digest(data), "filename": filename, "creatorUid": "ANDROID-1", **query}
    files = {"assetfile": (filename, data, kind)}
    return phone.post("/Marti/sync/missionupload", params=asked, files=files)


def search(phone: httpx.Client, **query: str) -> list[dict[str, Any]]:
    answer = phone.get("/Marti/sync/search", params={"keywords": "missionpackage", **query})
    assert answer.status_code == 200
    said = answer.json()
    assert said["resultCount"] == len(said["results"])
    rows: list[dict[str, Any]] = said["results"]
    return rows


def row(phone: httpx.Client, data: bytes, **query: str) -> dict[str, Any] | None:
    return next((each for each in search(phone, **query) if each["Hash"] == digest(data)), None)


@pytest.mark.row("GET /Marti/sync/missionquery", client="ATAK 5.5")
@pytest.mark.row("POST /Marti/sync/missionupload", client="ATAK 5.5")
@pytest.mark.row("PUT /Marti/api/sync/metadata/{hash}/tool", client="ATAK 5.5")
def test_atak_sends_a_package(device: Enrolled) -> None:
    phone = device()
    data = package()
    asked = {"hash": digest(data)}
    assert phone.get("/Marti/sync/missionquery", params=asked).status_code == 404
    url = ""
    for _ in range(2):
        answer = send(phone, data)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain")
        assert re.fullmatch(rf"https://[^/]+:\d+/Marti/sync/content\?hash={digest(data)}", answer.text)
        url = answer.text
    found = phone.get("/Marti/sync/missionquery", params=asked)
    assert (found.status_code, found.headers["content-type"], found.text) == (200, "text/plain", url)
    assert len([each for each in search(phone) if each["Hash"] == digest(data)]) == 1
    plain = {"Content-Type": "text/plain"}
    path = f"/Marti/api/sync/metadata/{digest(data)}/tool"
    assert phone.put(path, content="private", headers=plain).status_code == 200
    assert row(phone, data) is None
    assert row(phone, data, tool="private") is not None
    # Whoever knows its digest gets it.
    other = device()
    assert row(other, data, tool="private") is None
    assert other.get("/Marti/sync/content", params=asked).content == data
    assert other.put(path, content="public", headers=plain).status_code == 403
    assert phone.put(path, content="secret", headers=plain).status_code == 400
    assert phone.put(path, content="public", headers=plain).status_code == 200
    assert row(phone, data) is not None


@pytest.mark.parametrize("said", ["", "x", "0" * 63, "0" * 64, "../../etc/passwd", "é" * 64, "A" * 50_000])
def test_a_query_is_answered_by_200_or_404_and_nothing_else(device: Enrolled, said: str) -> None:
    phone = device()
    assert phone.get("/Marti/sync/missionquery", params={"hash": said}).status_code == 404
    assert phone.get("/Marti/sync/missionquery").status_code == 404


@pytest.mark.row("GET /Marti/sync/search", client="ATAK 5.5")
@pytest.mark.row("GET /Marti/sync/search", client="node-tak")
def test_every_row_of_a_search_has_what_atak_needs(device: Enrolled) -> None:
    phone = device()
    data = package()
    send(phone, data, "Ridge ночь.zip")
    for query in ({}, {"tool": "public"}, {"name": "ridge"}):
        for each in search(phone, **query):
            assert all(each[name] for name in ("UID", "Name", "Hash", "PrimaryKey", "SubmissionDateTime"))
            assert 0 < int(each["PrimaryKey"]) < 2**31
            assert int(each["Size"]) > 0
            datetime.strptime(each["SubmissionDateTime"], "%Y-%m-%dT%H:%M:%S.%fZ")
    found = row(phone, data)
    assert found is not None
    assert all(isinstance(found[name], str) for name in found if name != "Keywords")
    assert found["Name"] == "Ridge ночь.zip"
    assert (found["Size"], found["EXPIRATION"], found["Tool"]) == (str(len(data)), "-1", "public")
    assert (found["Keywords"], found["MIMEType"], found["CreatorUid"]) == (["missionpackage"], ZIP, "ANDROID-1")
    assert row(phone, data, uid=found["UID"]) == found
    assert search(phone, uid="none") == []


@pytest.mark.row("GET /Marti/api/sync/search", client="node-tak")
def test_the_newer_search_says_the_same_in_both_forms(device: Enrolled) -> None:
    phone = device()
    data = package()
    send(phone, data)
    said = phone.get("/Marti/api/sync/search", params={"hash": digest(data)}).json()
    assert (said["version"], said["type"], said["resultCount"]) == ("3", "Resource", 1)
    (resource,), (legacy,) = said["data"], said["results"]
    assert resource["hash"] == legacy["Hash"] == digest(data)
    assert (resource["size"], resource["expiration"]) == (len(data), -1)


@pytest.mark.row("POST /Marti/sync/upload", client="node-tak")
def test_a_raw_file_is_uploaded(device: Enrolled) -> None:
    phone = device()
    data = fresh("plan ").encode()
    asked = {"name": "plan.txt", "keywords": "plan,night", "creatorUid": "CloudTAK", "latitude": "42"}
    answer = phone.post("/Marti/sync/upload", params=asked, content=data, headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    said = answer.json()
    assert set(said) == {
        "UID",
        "SubmissionDateTime",
        "Keywords",
        "MIMEType",
        "SubmissionUser",
        "PrimaryKey",
        "Hash",
        "CreatorUid",
        "Name",
    }
    assert (said["Hash"], said["Name"], said["Keywords"]) == (digest(data), "plan.txt", ["plan", "night"])
    again = phone.post("/Marti/sync/upload", params=asked, content=data, headers={"Content-Type": "text/plain"})
    assert again.json() == said
    for query in ({"hash": digest(data)}, {"uid": said["UID"]}):
        assert phone.get("/Marti/sync/content", params=query).content == data
    assert row(phone, data) is None
    assert row(phone, data, keywords="night") is not None


@pytest.mark.row("POST /Marti/sync/missionupload", client="node-tak")
@pytest.mark.row("GET /Marti/api/files/metadata", client="node-tak")
@pytest.mark.row("GET /Marti/api/files/metadata/count", client="node-tak")
def test_groups_decide_who_has_a_package(device: Enrolled) -> None:
    owner = device(groups_in=["RED", "COMMON"], groups_out=["RED", "COMMON"])
    reader = device(groups_in=["COMMON"], groups_out=["RED", "COMMON"])
    stranger = device(groups_in=["COMMON"], groups_out=["COMMON"])
    data = package()
    assert send(stranger, data, Groups="RED").status_code == 403
    assert send(owner, data, Groups="RED", keyword=["missionpackage", "ridge"]).status_code == 200
    asked = {"hash": digest(data)}
    assert reader.get("/Marti/sync/content", params=asked).content == data
    assert row(reader, data) is not None
    listed = reader.get("/Marti/api/files/metadata", params={"missionPackage": "true"}).json()
    assert listed["type"] == "Files"
    (mine,) = (each for each in listed["data"] if each["Hash"] == digest(data))
    assert (mine["Groups"], mine["Keywords"], mine["Expiration"]) == ("RED", "missionpackage,ridge", "none")
    assert re.fullmatch(r"\w{3} \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4}", mine["Time"])
    count = reader.get("/Marti/api/files/metadata/count", params={"missionPackage": "true"}).json()
    assert (count["type"], count["data"]) == ("Count", len(listed["data"]))
    # Who may not see it is told the same as of what is not there.
    nothing = stranger.get("/Marti/sync/content", params={"hash": "0" * 64})
    assert nothing.status_code == 404
    for method, path in (
        ("GET", "/Marti/sync/content"),
        ("GET", "/Marti/sync/missionquery"),
        ("DELETE", "/Marti/sync/delete"),
    ):
        answer = stranger.request(method, path, params=asked)
        assert (answer.status_code, answer.content) == (404, nothing.content)
    assert row(stranger, data) is None
    assert stranger.get(f"/Marti/sync/{digest(data)}/metadata").status_code == 404
    assert reader.delete("/Marti/sync/delete", params=asked).status_code == 403
    # The same bytes sent by the stranger are a package of his own, and the owner's stays where it is.
    assert send(stranger, data).status_code == 200
    assert row(stranger, data) is not None
    assert stranger.delete("/Marti/sync/delete", params=asked).status_code == 200
    assert row(stranger, data) is None
    assert reader.get("/Marti/sync/content", params=asked).content == data


@pytest.mark.row("GET /Marti/sync/content", client="ATAK 5.5")
@pytest.mark.row("GET /Marti/sync/content", client="node-tak")
@pytest.mark.row("GET /Marti/api/files/{hash}", client="node-tak")
def test_a_download_is_resumed(device: Enrolled) -> None:
    phone = device()
    data = package(filler=700_000)
    assert send(phone, data).status_code == 200
    path, tag = "/Marti/sync/content", f'"{digest(data)}"'
    asked = {"hash": digest(data).upper()}

    def get(more: dict[str, str] | None = None, **headers: str) -> httpx.Response:
        names = {key.replace("_", "-"): value for key, value in headers.items()}
        return phone.get(path, params={**asked, **(more or {})}, headers=names)

    whole = get()
    assert (whole.status_code, whole.content, whole.headers["etag"]) == (200, data, tag)
    assert whole.headers["content-disposition"].startswith("attachment;")
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert get({"offset": "1000"}).content == data[1000:]
    assert get({"offset": str(len(data))}).content == b""
    part = get(Range="bytes=1000-1999")
    assert (part.status_code, part.content) == (206, data[1000:2000])
    assert part.headers["content-range"] == f"bytes 1000-1999/{len(data)}"
    assert get(Range="bytes=-5").content == data[-5:]
    assert get(Range="bytes=7-", If_Range=tag).content == data[7:]
    assert (get(Range="bytes=7-", If_Range='"other"').status_code) == 200
    late = get(Range=f"bytes={len(data)}-")
    assert (late.status_code, late.headers["content-range"]) == (416, f"bytes */{len(data)}")
    assert get(If_None_Match=tag).status_code == 304
    for bad in ("-1", "x", "9" * 40):
        assert get({"offset": bad}).status_code == 400
    for url in (path, f"/Marti/api/files/{digest(data)}"):
        head = phone.head(url, params=asked)
        assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(data)), b"")
    assert phone.get(f"/Marti/api/files/{digest(data)}").content == data
    assert phone.get(path).status_code == 400


@pytest.mark.row("DELETE /Marti/sync/delete", client="node-tak")
@pytest.mark.row("DELETE /Marti/api/files/{hash}", client="node-tak")
def test_what_is_withdrawn_is_gone_with_its_bytes(node: ServedNode, device: Enrolled) -> None:
    phone, other = device(), device()
    data = package()
    place = file_place(node, data)
    for path, query in (("/Marti/sync/delete", {"hash": digest(data)}), (f"/Marti/api/files/{digest(data)}", {})):
        send(phone, data)
        send(other, data)
        assert phone.delete(path, params=query).status_code == 200
        # The other one's package still needs them.
        assert place.exists()
        assert phone.get("/Marti/sync/content", params={"hash": digest(data)}).content == data
        assert other.delete(path, params=query).status_code == 200
        assert not place.exists()
        for gone in (phone, other):
            assert gone.get("/Marti/sync/content", params={"hash": digest(data)}).status_code == 404
            assert gone.delete(path, params=query).status_code == 404


@pytest.mark.row("GET /Marti/sync/{hash}/metadata", client="node-tak")
@pytest.mark.row("PUT /Marti/api/sync/metadata/{hash}/keywords", client="node-tak")
@pytest.mark.row("PUT /Marti/api/sync/metadata/{hash}/expiration", client="node-tak")
@pytest.mark.row("PUT /Marti/api/sync/metadata/{hash}/mimetype", client="official server")
@pytest.mark.row("PUT /Marti/api/sync/metadata/{hash}/name", client="official server")
@pytest.mark.row("PUT /Marti/api/files/{hash}/metadata", client="official server")
def test_metadata_is_told_and_changed(device: Enrolled) -> None:
    phone = device()
    data = package()
    send(phone, data)
    path = f"/Marti/api/sync/metadata/{digest(data)}"

    def told() -> dict[str, Any]:
        said: dict[str, Any] = phone.get(f"/Marti/sync/{digest(data)}/metadata").json()
        return said

    assert phone.put(f"{path}/keywords", json=["missionpackage", "a,b"]).status_code == 200
    assert phone.put(f"{path}/name", content="Ridge.zip").status_code == 200
    assert phone.put(f"{path}/mimetype", content="application/zip").status_code == 200
    assert phone.put(f"{path}/expiration", params={"expiration": "4000000000"}).status_code == 200
    said = told()
    assert (said["Keywords"], said["Name"]) == (["missionpackage", "a,b"], "Ridge.zip")
    assert (said["MIMEType"], said["EXPIRATION"]) == ("application/zip", "4000000000000")
    assert phone.put(f"{path}/expiration", params={"expiration": "-1"}).status_code == 200
    assert told()["EXPIRATION"] == "-1"
    both = {"keywords": "x,y", "expiration": "4000000000000"}
    assert phone.put(f"/Marti/api/files/{digest(data)}/metadata", params=both).status_code == 200
    assert (told()["Keywords"], told()["EXPIRATION"]) == (["x", "y"], "4000000000000")
    for bad in ({"expiration": "soon"}, {"expiration": "0"}, {}, {"expiration": "9" * 30}):
        assert phone.put(f"{path}/expiration", params=bad).status_code == 400
    for words in (b"{}", b'["' + b"x" * 50_000 + b'"]', b'["a\\u0000"]', b"[" * 20_000):
        assert phone.put(f"{path}/keywords", content=words).status_code == 400
    assert phone.put(f"{path}/name", content="../x").status_code == 400
    # The time is over: it is gone at once, and its bytes when the next file comes.
    assert phone.put(f"{path}/expiration", params={"expiration": "1000"}).status_code == 200
    assert phone.get("/Marti/sync/content", params={"hash": digest(data)}).status_code == 404
    assert row(phone, data) is None


def test_bytes_of_expired_packages_go_when_the_next_file_comes(node: ServedNode, device: Enrolled) -> None:
    phone = device()
    data = package()
    send(phone, data)
    place = file_place(node, data)
    phone.put(f"/Marti/api/sync/metadata/{digest(data)}/expiration", params={"expiration": "1000"})
    assert place.exists()
    assert send(phone, package()).status_code == 200
    assert not place.exists()


def test_the_page_searches_opens_renames_marks_and_withdraws(node: ServedNode, device: Enrolled) -> None:
    phone = device(nation="KGZ")
    data = package()
    send(phone, data, "Bridge.zip")
    api = node.api
    (found,) = (each for each in api.packages(text="BRIDGE") if each["hash"] == digest(data))
    assert api.packages(text="no such thing") == []
    assert digest(data) in {each["hash"] for each in api.packages(text=digest(data)[:8])}
    # A few digits of a digest are an accident that nobody could explain.
    assert api.packages(text=digest(data)[:7]) == []
    assert digest(data) in {each["hash"] for each in api.packages(keyword="missionpackage")}
    uid = found["uid"]
    assert found["may_change"] is True
    assert api.rename_package(uid, name="Bridge 2.zip")["changed_count"] == 1
    assert api.rename_package(uid, name="Bridge 2.zip")["changed_count"] == 0
    assert api.package(uid)["name"] == "Bridge 2.zip"
    with pytest.raises(NodeError, match="could not see it"):
        api.label_package(uid, releasable_to=["TUR"])
    with pytest.raises(NodeError, match="may not write into"):
        api.label_package(uid, groups=["NOT-MINE"])
    assert api.label_package(uid, releasable_to=["ITA"])["changed_count"] == 1
    assert phone.get("/Marti/sync/content", params={"hash": digest(data)}).status_code == 404
    assert api.label_package(uid)["changed_count"] == 1
    assert phone.get("/Marti/sync/content", params={"hash": digest(data)}).content == data
    assert api.withdraw_package(uid)["uids"] == [uid]
    assert phone.get("/Marti/sync/content", params={"hash": digest(data)}).status_code == 404


def test_the_page_opens_a_package_with_its_cookie(node: ServedNode, device: Enrolled) -> None:
    phone = device(groups_in=["COMMON"], groups_out=["COMMON"])
    data = package()
    send(phone, data)
    with httpx.Client(follow_redirects=False) as page:
        assert page.get(node.link()).status_code == 303
        content = f"{node.url}Marti/sync/content"
        assert page.get(content, params={"hash": digest(data)}).content == data
        # What changes something needs the header that no foreign page can set.
        gone = f"{node.url}Marti/api/files/{digest(data)}"
        assert page.delete(gone).status_code == 401
        assert page.delete(gone, headers={"X-Aquila": "1"}).status_code == 200


@contextmanager
def desk(node: ServedNode, role: str) -> Iterator[httpx.Client]:
    """The page of somebody who has logged in with a name and a password of his own."""
    name, password = fresh("clerk"), "long enough 1"
    made = {"name": name, "password": password, "role": role}
    people = f"{node.url}api/v1/users"
    assert httpx.post(people, json=made, headers={"Authorization": f"Bearer {node.token}"}).status_code == 201
    with httpx.Client(base_url=node.url, headers={"X-Aquila": "1"}, timeout=60) as page:
        assert page.post("/login", data={"user": name, "password": password}).status_code == 303
        yield page


def test_a_package_that_one_desk_sends_another_takes_byte_for_byte(node: ServedNode) -> None:
    data, name = package(filler=300_000), f"{fresh('plan')}.zip"
    with desk(node, "operator") as sends, desk(node, "viewer") as takes:
        asked = {"name": name, "keywords": "missionpackage"}
        kind = {"Content-Type": "application/zip"}
        sent = sends.post("/Marti/sync/upload", params=asked, content=data, headers=kind)
        assert sent.status_code == 200, sent.text
        (found,) = (each for each in takes.get("/api/v1/packages").json() if each["name"] == name)
        assert (found["hash"], found["size_bytes"]) == (digest(data), len(data))
        got = takes.get("/Marti/sync/content", params={"uid": found["uid"]})
        assert (got.status_code, got.content) == (200, data)
        # Who only reads takes, and sends nothing.
        assert takes.post("/Marti/sync/upload", params=asked, content=data, headers=kind).status_code == 403


def test_two_send_the_same_bytes_at_once(node: ServedNode, device: Enrolled) -> None:
    phones = [device() for _ in range(4)]
    data = package(filler=300_000)
    start = threading.Barrier(len(phones))
    answers: list[int] = []

    def work(phone: httpx.Client, wrong: bool) -> None:
        start.wait()
        answers.append(send(phone, data, **({"hash": "0" * 64} if wrong else {})).status_code)

    threads = [threading.Thread(target=work, args=(phone, n % 2 == 1)) for n, phone in enumerate(phones)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 200, 400, 400]
    assert phones[1].get("/Marti/sync/content", params={"hash": digest(data)}).content == data
    assert list((node.data / "files" / "incoming").iterdir()) == []


def test_a_quota_bounds_one_sender_and_all_together(serve: Serve) -> None:
    node = serve("data", AQUILA_UPLOAD_MAX_MIB="1", AQUILA_UPLOAD_QUOTA_MIB="2", AQUILA_UPLOAD_TOTAL_MIB="3")
    names = [fresh("FULL") for _ in range(3)]
    phones = [door(node, "api_tls", device_context(node.enrolled(name), name)) for name in names]

    def upload(phone: httpx.Client, size: int) -> httpx.Response:
        data = fresh("bytes ").encode().ljust(size, b".")
        return phone.post("/Marti/sync/upload", params={"name": "x.bin"}, content=data)

    one, two, three = phones
    try:
        assert one.get("/files/api/config").json() == {"uploadSizeLimit": 1}
        assert upload(one, (1 << 20) + 1).status_code == 413
        kept = [upload(one, 1 << 20).json()["Hash"] for _ in range(2)]
        assert upload(one, 10).status_code == 507
        assert upload(two, 1 << 20).status_code == 200
        assert upload(three, 10).status_code == 507
        assert one.delete("/Marti/sync/delete", params={"hash": kept[0]}).status_code == 200
        assert upload(three, 10).status_code == 200
    finally:
        for phone in phones:
            phone.close()
    held = [place for place in (node.data / "files").rglob("*") if place.is_file()]
    assert len(held) == 3


# -- to a contact by callsign (S14) -----------------------------------------------------------------------------------


def transfer(sender: str, callsign: str, url: str, data: bytes, to: str) -> bytes:
    detail = (
        f"<fileshare filename='DP.zip' senderUrl='{url}' sizeInBytes='{len(data)}' sha256='{digest(data)}'"
        f" senderUid='{sender}' senderCallsign='{callsign}' name='DP'/>"
        f"<ackrequest uid='ack-{sender}' ackrequested='true' tag='DP'/><marti><dest callsign='{to}'/></marti>"
    )
    return event(fresh("transfer-"), "b-f-t-r", detail, how="h-e")


def acknowledgement(receiver: str, sender: str, data: bytes, to: str) -> bytes:
    detail = (
        f"<ackresponse uid='ack-{sender}' senderUid='{receiver}' sha256='{digest(data)}' sizeInBytes='{len(data)}'"
        f" success='true' reason='' tag='DP'/><marti><dest callsign='{to}'/></marti>"
    )
    return event(fresh("ack-"), "b-f-t-a", detail, how="m-g")


def test_a_package_is_sent_to_a_contact_fetched_with_a_resume_and_acknowledged(
    node: ServedNode, device: Enrolled
) -> None:
    names = [fresh("FROM"), fresh("TO"), fresh("OTHER")]
    http = {name: device(name) for name in names}
    sender, receiver, other = (node.device_client(name, node.data.parent / f"{name}-files") for name in names)
    data = package(filler=400_000)
    with sender, receiver, other:
        for phone in (sender, receiver, other):
            phone.report()
        for phone in (sender, receiver, other):
            others = {each.uid for each in (sender, receiver, other)} - {phone.uid}
            phone.hear(lambda _, heard=phone.heard, others=others: others <= {each.get("uid") for each in heard})
        url = send(http[names[0]], data).text
        sender.say(transfer(sender.uid, sender.callsign, url, data, receiver.callsign))
        heard = receiver.hear(lambda each: each.get("type") == "b-f-t-r").find("detail/fileshare")
        assert heard is not None
        assert (heard.get("senderUrl"), heard.get("sha256")) == (url, digest(data))
        path = "/Marti" + url.partition("/Marti")[2]
        phone = http[names[1]]
        with phone.stream("GET", path) as broken:
            first = next(broken.iter_raw(100_000))
        rest = phone.get(path + f"&offset={len(first)}")
        assert digest(first + rest.content) == heard.get("sha256")
        receiver.say(acknowledgement(receiver.uid, sender.uid, data, sender.callsign))
        answer = sender.hear(lambda each: each.get("type") == "b-f-t-a").find("detail/ackresponse")
        assert answer is not None
        assert (answer.get("success"), answer.get("sha256")) == ("true", digest(data))
        # A line to all comes after it, and the other one heard nothing of the transfer before.
        sender.chat("done")
        other.hear_text("done")
        assert not [each for each in other.heard if (each.get("type") or "").startswith("b-f-t")]


def test_a_package_is_sent_from_the_page_to_who_is_here_and_to_who_is_away(node: ServedNode, device: Enrolled) -> None:
    names = [fresh("HERE"), fresh("AWAY"), fresh("OUTSIDE")]
    groups = {names[2]: {"groups_in": ["NIGHT"], "groups_out": ["NIGHT"]}}
    http = {name: device(name, **groups.get(name, {})) for name in names}
    files = {name: node.data.parent / f"{name}-files" for name in names}
    here, away, outside = (node.device_client(name, files[name]) for name in names)
    data = package()
    with here, outside:
        with away:
            for phone in (here, away, outside):
                phone.report()
            here.hear_uid(away.uid)
            wait_until(lambda: away.uid in {row["uid"] for row in node.api.contacts()}, "the node knows who is away")
        wait_until(lambda: not _row_of(node, away.uid)["connected"], "one is away")
        send(http[names[0]], data)
        (row,) = (each for each in node.api.packages() if each["hash"] == digest(data))
        sent = node.api.send_package(row["uid"], to=[here.uid, away.uid, outside.uid])
        share = here.hear(lambda each: each.get("type") == "b-f-t-r").find("detail/fileshare")
        assert share is not None
        assert share.get("sha256") == digest(data)
        got = http[names[0]].get("/Marti" + (share.get("senderUrl") or "").partition("/Marti")[2])
        assert digest(got.content) == digest(data)
        wait_until(lambda: away.uid in {mail["to"] for mail in node.api.mail()}, "the offer waits")
        outside.read(1.0)
        assert not [each for each in outside.heard if each.get("type") == "b-f-t-r"]
    with node.device_client(names[1], files[names[1]]) as back:
        back.say(position(away.uid, names[1]))
        offer = back.hear(lambda each: each.get("type") == "b-f-t-r").find("detail/ackrequest")
        assert offer is not None
        assert offer.get("uid") == sent["offer"]
    for uid, to, status in (("none", [here.uid], 404), (row["uid"], [], 400), (row["uid"], ["bell \x07"], 400)):
        with pytest.raises(NodeError) as refused:
            node.api.send_package(uid, to=to)
        assert refused.value.status == status


def _row_of(node: ServedNode, uid: str) -> Any:
    return next(row for row in node.api.contacts() if row["uid"] == uid)


def test_the_head_of_a_file_is_told_without_its_bytes(device: Enrolled) -> None:
    phone, data = device(), package()
    send(phone, data)
    answer = phone.head(f"/Marti/api/files/{digest(data)}")
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", str(len(data)))
    assert phone.head(f"/Marti/api/files/{'0' * 64}").status_code == 404


def test_packages_outlive_a_restart(serve: Serve) -> None:
    node = serve()
    name = fresh("STAYS")
    files = node.enrolled(name)
    data = package()
    with door(node, "api_tls", device_context(files, name)) as phone:
        assert send(phone, data).status_code == 200
    node.stop()
    node.start()
    with door(node, "api_tls", device_context(files, name)) as phone:
        wait_until(lambda: row(phone, data), "the package is listed")
        assert phone.get("/Marti/sync/content", params={"hash": digest(data)}).content == data
