"""Uploads in bad faith: refused with a sentence, and nothing of them is kept."""

import hashlib
import http.client
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from aquila.testing.hostile_zip import HOSTILE_ZIPS, archive
from aquila.testing.served import ServedNode, wait_until
from aquila.testing.tak_client import device_context, fresh

from .conftest import Enrolled, door

UPLOAD = "/Marti/sync/missionupload"
ZIP = "application/x-zip-compressed"


@pytest.fixture(scope="module")
def tls(node: ServedNode) -> ssl.SSLContext:
    name = fresh("HOSTILE")
    return device_context(node.enrolled(name), name)


@pytest.fixture
def phone(node: ServedNode, tls: ssl.SSLContext) -> Iterator[httpx.Client]:
    with door(node, "api_tls", tls) as client:
        yield client


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def kept(node: ServedNode) -> set[Path]:
    """Every file of the store, also half-written ones."""
    return {place for place in (node.data / "files").rglob("*") if place.is_file()}


def send(phone: httpx.Client, data: bytes, filename: str = "DP.zip", **query: str) -> httpx.Response:
    asked = {"hash": digest(data), "filename": filename, "creatorUid": "A", **query}
    return phone.post(UPLOAD, params=asked, files={"assetfile": ("DP.zip", data, ZIP)})


@pytest.mark.parametrize("name", HOSTILE_ZIPS)
def test_a_hostile_zip_is_refused_and_not_kept(node: ServedNode, phone: httpx.Client, name: str) -> None:
    data, before = HOSTILE_ZIPS[name][0](), kept(node)
    answer = send(phone, data)
    assert answer.status_code == 400
    assert answer.json()["message"]
    assert kept(node) == before
    assert phone.get("/Marti/sync/missionquery", params={"hash": digest(data)}).status_code == 404
    raw = phone.post("/Marti/sync/upload", params={"name": "x.zip"}, content=data)
    assert (raw.status_code, kept(node)) == (400, before)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"hash": "0" * 64}, 400),
        ({"hash": ""}, 400),
        ({"hash": "x" * 50_000}, 400),
        ({"filename": "../../etc/passwd"}, 400),
        ({"filename": "a\\b.zip"}, 400),
        ({"filename": "a\x00.zip"}, 400),
        ({"filename": "x" * 5_000}, 400),
        ({"creatorUid": "x" * 5_000}, 400),
        ({"creatorUid": "a\x1b[2J"}, 400),
        ({"keyword": "x" * 5_000}, 400),
        ({"tool": "admin"}, 400),
        ({"Groups": "NOT-MINE"}, 403),
    ],
)
def test_wrong_words_about_a_good_file(
    node: ServedNode, phone: httpx.Client, query: dict[str, str], status: int
) -> None:
    data, before = archive((fresh("a") + ".txt", b"x")), kept(node)
    answer = send(phone, data, **query)
    assert answer.status_code == status
    assert len(answer.json()["message"]) < 1000
    assert kept(node) == before


def test_a_name_of_50_000_characters_is_refused(node: ServedNode, phone: httpx.Client) -> None:
    """In the form: no request line is so long."""
    before = kept(node)
    data = archive(("a.txt", b"long"))
    for part in (("x" * 50_000, data, ZIP), ("../x.zip", data, ZIP)):
        answer = phone.post(UPLOAD, params={"hash": digest(data)}, files={"assetfile": part})
        assert answer.status_code == 400
    answer = phone.post(
        UPLOAD, params={"hash": digest(data)}, data={"filename": "y" * 50_000}, files={"assetfile": ("a", data, ZIP)}
    )
    assert (answer.status_code, kept(node)) == (400, before)


def form(data: bytes, *, end: bool = True) -> bytes:
    head = b'--B\r\nContent-Disposition: form-data; name="assetfile"; filename="a.zip"\r\n\r\n'
    return head + data + (b"\r\n--B--\r\n" if end else b"")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data; boundary=B", form(b"PK", end=False)),
        ("multipart/form-data; boundary=B", form(b"PK") + b""[:0] + b"--B"),
        ("multipart/form-data; boundary=OTHER", form(b"PK")),
        ("multipart/form-data", form(b"PK")),
        ("multipart/form-data; boundary=B", b""),
        ("multipart/form-data; boundary=B", b"\x00" * 5000),
        ("multipart/form-data; boundary=B", b'--B\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n--B--\r\n'),
        ("multipart/form-data; boundary=B", b"--B\r\n" + b"X: y\r\n" * 20_000 + b"\r\n"),
        ("multipart/form-data; boundary=B", form(b"PK")[:-9] + form(b"KP")),
        (ZIP, b""),
    ],
)
def test_a_form_that_does_not_parse(node: ServedNode, phone: httpx.Client, kind: str, body: bytes) -> None:
    before = kept(node)
    asked = {"hash": digest(b"PK"), "filename": "a.zip"}
    answer = phone.post(UPLOAD, params=asked, content=body, headers={"Content-Type": kind})
    assert answer.status_code == 400
    assert kept(node) == before


@pytest.mark.parametrize("announced", ["500000000", "99999999999999999999"])
def test_a_huge_announced_length_is_refused_before_the_body(
    node: ServedNode, tls: ssl.SSLContext, announced: str
) -> None:
    before = kept(node)
    wire = http.client.HTTPSConnection("localhost", node.ports["api_tls"], context=tls, timeout=60)
    wire.putrequest("POST", f"{UPLOAD}?hash={'0' * 64}&filename=a.zip")
    wire.putheader("Content-Length", announced)
    wire.putheader("Content-Type", ZIP)
    wire.endheaders()
    assert wire.getresponse().status in (400, 413)
    wire.close()
    assert kept(node) == before


def test_a_sender_that_hangs_up_leaves_nothing(node: ServedNode, tls: ssl.SSLContext, phone: httpx.Client) -> None:
    before = kept(node)
    plain = socket.create_connection(("localhost", node.ports["api_tls"]), timeout=60)
    with tls.wrap_socket(plain, server_hostname="localhost") as wire:
        head = f"POST {UPLOAD}?hash={'0' * 64}&filename=a.zip HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000"
        wire.sendall(f"{head}\r\n\r\n".encode() + bytes(3_000_000))
        wait_until(lambda: kept(node) != before, "the file begins")
    wait_until(lambda: kept(node) == before, "what was half sent is gone")
    assert send(phone, archive((fresh("ok"), b"x"))).status_code == 200


def test_what_a_browser_would_run_leaves_as_bytes(phone: httpx.Client) -> None:
    for name, kind in (
        ("x.html", "text/html"),
        ("x.svg", "image/svg+xml"),
        ("x.js", "text/javascript"),
        ("x.xml", "application/xml"),
        ("x.xhtml", "application/xhtml+xml"),
        ("x.kml", "application/vnd.google-earth.kml+xml"),
        ("x", "text/html; charset=utf-8"),
        ("x.pdf", "multipart/x-mixed-replace"),
    ):
        data = f"<script>alert('{name}')</script>".encode()
        sent = phone.post("/Marti/sync/upload", params={"name": name}, content=data, headers={"Content-Type": kind})
        assert sent.status_code == 200
        for path in ("/Marti/sync/content", f"/Marti/api/files/{digest(data)}"):
            answer = phone.get(path, params={"hash": digest(data)})
            assert answer.content == data
            assert answer.headers["content-type"] == "application/octet-stream"
            assert answer.headers["content-disposition"].startswith("attachment;")
            assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_file_name_breaks_no_header(phone: httpx.Client) -> None:
    data = archive((fresh("quote"), b"x"))
    name = 'a"; filename="evil.html.zip'
    assert send(phone, data, name).status_code == 200
    said = phone.get("/Marti/sync/content", params={"hash": digest(data)}).headers["content-disposition"]
    assert said.count('"') == 2
    assert said.startswith("attachment; filename=")


@pytest.mark.parametrize("path", ["/Marti/sync/content", "/Marti/sync/delete", "/Marti/api/files/{}"])
@pytest.mark.parametrize("said", ["..%2f..%2fetc%2fpasswd", "%00", "x" * 200, "incoming", "a" * 63])
def test_what_is_no_digest_reaches_no_file(phone: httpx.Client, path: str, said: str) -> None:
    method = "DELETE" if path.endswith("delete") else "GET"
    url = path.format(said) if "{}" in path else f"{path}?hash={said}"
    assert phone.request(method, url).status_code == 400


def test_nobody_sends_without_a_name(node: ServedNode, device: Enrolled) -> None:
    name = fresh("NOBODY")
    before = kept(node)
    with door(node, "enrol", device_context(node.enrolled(name), name)) as stranger:
        assert send(stranger, archive(("a", b"x"))).status_code == 401
        assert stranger.get("/Marti/sync/search").status_code == 401
    token = node.command("token", fresh("viewer"), "--role", "viewer").strip()
    headers = {"Authorization": f"Bearer {token}"}
    with door(node, "enrol", device_context(node.enrolled(fresh_name := fresh("SEES")), fresh_name)) as viewer:
        viewer.headers.update(headers)
        assert viewer.get("/Marti/sync/search").status_code == 200
        assert send(viewer, archive(("a", b"x"))).status_code == 403
    assert kept(node) == before
