"""Icon sets: sent as a zip, listed, and handed out one picture at a time; and nothing but pictures."""

import io
import zipfile
from uuid import uuid4

import httpx
import pytest

from aquila.client import NodeError
from aquila.testing.served import ServedNode

from .conftest import Enrolled
from .test_missions import said

API = "/Marti/api"
TEXT = "java.lang.String"
PNG = b"\x89PNG\r\n\x1a\n" + b"picture"


def iconset(uid: str, icons: dict[str, bytes], xml: str = "") -> bytes:
    """As ATAK exports one."""
    packed = io.BytesIO()
    rows = "".join(f'<icon name="{name.rpartition("/")[2]}" type2525b="a-u-G"/>' for name in icons)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("iconset.xml", xml or f'<iconset name="Fire" uid="{uid}" version="1">{rows}</iconset>')
        for name, data in icons.items():
            archive.writestr(name, data)
    return packed.getvalue()


def send(phone: httpx.Client, data: bytes) -> httpx.Response:
    return phone.post(f"{API}/iconset", files={"file": ("fire.zip", data, "application/zip")})


@pytest.mark.row("POST /Marti/api/iconset", client="TAK Server 5.7")
@pytest.mark.row("GET /Marti/api/iconset/all/uid", client="node-tak")
@pytest.mark.row("GET /Marti/api/iconseturl/{uid}", client="TAK Server 5.7")
@pytest.mark.row("GET /Marti/api/icon/{uid}/{group}/{name}", client="TAK Server 5.7")
@pytest.mark.row("GET /Marti/api/iconurl", client="TAK Server 5.7")
@pytest.mark.row("GET /Marti/api/iconimage", client="TAK Server 5.7")
def test_an_icon_set_is_sent_listed_and_shown(node: ServedNode, device: Enrolled) -> None:
    phone, other = device(), device()
    uid, other_picture = str(uuid4()), PNG + b"2"
    data = iconset(uid, {"Units/truck 1.png": PNG, "Places/well.png": other_picture, "readme.txt": b"hello"})
    for _ in range(2):
        assert said(send(phone, data), TEXT) == uid
    assert said(other.get(f"{API}/iconset/all/uid"), TEXT).count(uid) == 1
    url = f"{API}/icon/{uid}/Units/truck%201.png"
    assert said(other.get(f"{API}/iconseturl/{uid}"), TEXT) == [url, f"{API}/icon/{uid}/Places/well.png"]
    answer = other.get(url)
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "image/png", PNG)
    path = {"iconsetpath": f"{uid}/Places/well.png", "cotType": "a-f-G", "color": "-1"}
    assert other.get(f"{API}/iconimage", params=path).content == other_picture
    answer = other.get(f"{API}/iconurl", params=path)
    assert (answer.headers["content-type"], answer.text) == ("text/plain", f"{API}/icon/{uid}/Places/well.png")
    for absent in (f"icon/{uid}/Units/none.png", f"icon/{uid}/..%2F../iconset.xml", f"icon/{uuid4()}/Units/a.png"):
        assert other.get(f"{API}/{absent}").status_code == 404
    assert other.get(f"{API}/icon/{uid}/readme.txt/x").status_code == 404
    assert other.get(f"{API}/iconimage", params={"cotType": "a-f-G"}).status_code == 404
    # Sent anew, it has other pictures; removed, it is gone.
    assert said(send(phone, iconset(uid, {"Units/truck 1.png": other_picture})), TEXT) == uid
    assert other.get(url).content == other_picture
    assert uid in {row["uid"] for row in node.api.iconsets()}
    assert node.api.drop_iconset(uid)["uid"] == uid
    assert other.get(url).status_code == 404
    with pytest.raises(NodeError) as refused:
        node.api.drop_iconset(uid)
    assert refused.value.status == 404


def test_nobody_takes_the_place_of_a_set_that_is_there_and_none_is_told_of_others(device: Enrolled) -> None:
    first, second = device(), device()
    red = device(groups_in=["RED"], groups_out=["RED"])
    uid, hidden = str(uuid4()), str(uuid4())
    assert said(send(first, iconset(uid, {"A/a.png": PNG})), TEXT) == uid
    assert said(send(second, iconset(uid, {"A/a.png": PNG + b"other"})), TEXT) == uid
    assert second.get(f"{API}/icon/{uid}/A/a.png").content == PNG
    assert said(send(red, iconset(hidden, {"A/a.png": PNG})), TEXT) == hidden
    nothing = first.get(f"{API}/icon/{uuid4()}/A/a.png")
    answer = first.get(f"{API}/icon/{hidden}/A/a.png")
    assert (answer.status_code, answer.content) == (404, nothing.content)
    assert hidden not in said(first.get(f"{API}/iconset/all/uid"), TEXT)
    assert said(send(first, iconset(hidden, {"A/a.png": PNG})), TEXT) == hidden


BOMB = '<!DOCTYPE iconset [<!ENTITY a "b">]><iconset uid="&a;" name="x"/>'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no zip",
        iconset("u", {}),
        iconset("u", {"a.png": PNG}),
        iconset("u", {"A/a.png": b"<svg onload='x'/>"}),
        iconset("u", {"A/a.png": PNG + bytes(range(256)) * 1100}),
        iconset("u", {"../a.png": PNG}),
        iconset("", {"A/a.png": PNG}),
        iconset("a/b", {"A/a.png": PNG}),
        iconset("x" * 50_000, {"A/a.png": PNG}),
        iconset("u", {"A/a.png": PNG}, xml="<icons/>"),
        iconset("u", {"A/a.png": PNG}, xml="<"),
        iconset("u", {"A/a.png": PNG}, xml=BOMB),
    ],
)
def test_what_is_no_icon_set_is_refused(device: Enrolled, data: bytes) -> None:
    answer = send(device(), data)
    assert answer.status_code == 400, answer.text
    assert answer.json()["message"]


def test_an_icon_set_that_is_too_large_is_refused(device: Enrolled) -> None:
    data = iconset("u", {"A/a.png": PNG}) + bytes(17 << 20)
    assert send(device(), data).status_code == 413
