"""A disk that fills in the middle of a mission's change or a file's upload: nothing half done, and it goes on later."""

import contextlib
import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from aquila.testing.hostile_zip import archive
from aquila.testing.served import ServedNode, wait_until
from aquila.testing.tak_client import device_context, fresh

from .test_machine import fill, note_until_refused, small_disk

__all__ = ["small_disk"]
MISSIONS = "/Marti/api/missions"
UPLOAD = "/Marti/sync/missionupload"
UIDS = [f"{number:06}" + "u" * 80 for number in range(2_400)]
"""More than one act holds."""


@pytest.fixture
def node(small_disk: Path) -> Iterator[ServedNode]:
    made = ServedNode(small_disk / "data")
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture
def phone(node: ServedNode, tmp_path: Path) -> Iterator[httpx.Client]:
    name = fresh("PHONE")
    with client_of(node, name, node.enrolled(name)) as client:
        yield client


def client_of(node: ServedNode, name: str, files: Path) -> httpx.Client:
    url = f"https://localhost:{node.ports['api_tls']}"
    return httpx.Client(base_url=url, verify=device_context(files, name), timeout=60)


def uids_of(phone: httpx.Client, name: str) -> list[str]:
    (row,) = phone.get(f"{MISSIONS}/{name}").json()["data"]
    return [each["data"] for each in row["uids"]]


def refused_whole(answer: httpx.Response) -> None:
    assert answer.status_code == 507, answer.text
    assert "full" in answer.text or "disk" in answer.text


def room(node: ServedNode, ballast: Path) -> None:
    ballast.unlink()

    def is_ready() -> bool:
        return httpx.get(f"http://127.0.0.1:{node.ports['http']}/healthz").status_code == 200

    wait_until(is_ready, "the node is ready again")


def test_a_mission_is_changed_whole_or_not_at_all(node: ServedNode, phone: httpx.Client, small_disk: Path) -> None:
    first, other = fresh("FIRST"), fresh("OTHER")
    for name in (first, other):
        assert phone.post(f"{MISSIONS}/{name}").status_code == 201
    assert phone.put(f"{MISSIONS}/{first}/contents", json={"uids": UIDS}).status_code == 200
    ballast = fill(small_disk)
    note_until_refused(node)
    entry: dict[str, Any] = {"content": "x" * 90_000, "missionNames": [first, other], "creatorUid": "C"}
    asked: dict[str, tuple[str, str, Any]] = {
        "contents": ("PUT", f"{MISSIONS}/{other}/contents", {"uids": UIDS}),
        "copy": ("PUT", f"{MISSIONS}/{first}/copy?copyName=COPY", None),
        "log": ("POST", f"{MISSIONS}/logs/entries", entry),
        "new": ("POST", f"{MISSIONS}/NEW?password=secret", None),
        "password": ("POST", f"{MISSIONS}/{first}?password=secret&description=new", None),
    }
    for method, path, body in asked.values():
        refused_whole(phone.request(method, path, json=body))
    for name in ("COPY", "NEW"):
        assert phone.get(f"{MISSIONS}/{name}").status_code == 404
    assert uids_of(phone, other) == []
    room(node, ballast)
    node.kill()
    node.start()
    phone.base_url = f"https://localhost:{node.ports['api_tls']}"
    (row,) = phone.get(f"{MISSIONS}/{first}").json()["data"]
    assert (row["passwordProtected"], row["description"]) == (False, "")
    assert phone.get(f"{MISSIONS}/{first}/log").json()["data"] == []
    for method, path, body in asked.values():
        answer = phone.request(method, path, json=body)
        assert answer.status_code in (200, 201), answer.text
    assert sorted(uids_of(phone, other)) == sorted(uids_of(phone, "COPY")) == sorted(UIDS)
    (row,) = phone.get(f"{MISSIONS}/NEW").json()["data"]
    assert row["passwordProtected"]


@pytest.mark.parametrize("small_disk", [224], indirect=True)
def test_a_file_that_fills_the_disk_is_refused_and_nothing_of_it_stays(
    node: ServedNode, phone: httpx.Client, small_disk: Path
) -> None:
    files = node.data / "files"
    kept = {place for place in files.rglob("*") if place.is_file()}
    data = archive((fresh("big") + ".bin", fresh("x").encode() * 10))
    body = b"PK\x03\x04" + bytes(9_000_000)
    name = fresh("SLOW")
    context = device_context(node.enrolled(name), name)
    plain = socket.create_connection(("localhost", node.ports["api_tls"]), timeout=60)
    with context.wrap_socket(plain, server_hostname="localhost") as wire:
        head = f"POST {UPLOAD}?filename=a.zip HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        wire.sendall(head.encode() + body[:3_000_000])
        wait_until(lambda: {place for place in files.rglob("*") if place.is_file()} != kept, "the file begins")
        # What came so far is still being written: some room is left for it.
        ballast = fill(small_disk, 8 << 10)
        # The node may have answered and closed before all of it is sent.
        with contextlib.suppress(OSError):
            wire.sendall(body[3_000_000:])
        assert b" 507 " in wire.recv(4096).partition(b"\r\n")[0]
    wait_until(lambda: {place for place in files.rglob("*") if place.is_file()} == kept, "what came of it is gone")

    def upload() -> httpx.Response:
        sent = {"assetfile": ("a.zip", data, "application/zip")}
        said = {"filename": "a.zip", "hash": hashlib.sha256(data).hexdigest(), "creatorUid": "A"}
        return phone.post(UPLOAD, params=said, files=sent)

    refused_whole(upload())
    assert {place for place in files.rglob("*") if place.is_file()} == kept
    room(node, ballast)
    assert upload().status_code == 200


def test_nobody_is_let_in_or_invited_by_halves(node: ServedNode, small_disk: Path) -> None:
    url = f"http://127.0.0.1:{node.ports['http']}"
    admin = {"Authorization": f"Bearer {node.token}"}
    user = {"name": "ann", "password": "a long password", "role": "viewer"}
    ballast = fill(small_disk)
    note_until_refused(node)
    refused_whole(httpx.post(f"{url}/api/v1/users", json=user, headers=admin, timeout=60))
    answer = httpx.post(f"{url}/api/v1/devices/invitations", json={"name": "NEW"}, headers=admin, timeout=60)
    refused_whole(answer)
    assert httpx.get(f"{url}/api/v1/devices/invitations", headers=admin, timeout=60).json() == []
    room(node, ballast)
    assert httpx.post(f"{url}/api/v1/users", json=user, headers=admin, timeout=60).status_code == 201
    login = {"user": "ann", "password": "a long password"}
    assert httpx.post(f"{url}/login", data=login, timeout=60).status_code == 303
