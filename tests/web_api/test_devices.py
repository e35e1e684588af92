import base64
import io
import zipfile
from types import SimpleNamespace
from typing import Any

import pytest

DEVICE = {"name": "PATROL1", "nation": "ITA", "groups_in": ["COMMON"], "callsign": "FALCO 1"}


@pytest.fixture
def admin(port: Any, authority: Any) -> dict[str, str]:
    """Headers of an administrator of a node with an authority."""
    port.parts["authority"] = authority
    port.parts["address"] = SimpleNamespace(host="node.local", tak_tls=8089, api_tls=8443, enrol=8446)
    headers: dict[str, str] = port.token("boss", "admin")
    return headers


def test_a_device_is_added_with_all_its_files(port: Any, client: Any, admin: Any) -> None:
    made = client.post("/api/v1/devices", json=DEVICE, headers=admin)
    assert made.status_code == 201
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(made.json()["package"]))) as archive:
        names = set(archive.namelist())
        assert archive.getinfo("PATROL1.key").external_attr >> 16 == 0o600
    assert {"PATROL1.p12", "PATROL1.pem", "PATROL1.key", "ca.pem", "PATROL1-atak.zip"} <= names
    principal = port.views["devices"].principal("n1", "PATROL1", port.context, made.json()["serial"])
    assert (principal.name, principal.nation, principal.groups_out) == ("FALCO 1", "ITA", frozenset({"COMMON"}))
    (row,) = client.get("/api/v1/devices", headers=admin).json()
    assert row["serial"] == made.json()["serial"]
    (group,) = client.get("/api/v1/groups", headers=admin).json()
    assert group == {"name": "COMMON", "may_read": True, "may_write": True, "device_count": 1, "active": True}
    entries = client.get("/api/v1/entries", headers=admin).text
    assert made.json()["password"] not in entries


def test_a_name_is_taken_until_its_device_is_revoked(port: Any, client: Any, admin: Any, authority: Any) -> None:
    made = client.post("/api/v1/devices", json=DEVICE, headers=admin).json()
    assert client.post("/api/v1/devices", json=DEVICE, headers=admin).status_code == 409
    assert client.delete("/api/v1/devices/PATROL1", headers=admin).status_code == 200
    assert authority.is_revoked(made["serial"])
    assert port.views["devices"].principal("n1", "PATROL1", port.context) is None
    assert client.delete("/api/v1/devices/PATROL1", headers=admin).status_code == 404
    assert client.post("/api/v1/devices", json=DEVICE, headers=admin).status_code == 201


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": "../etc"}, "allowed are"),
        ({"clearance": "COSMIC"}, "UNCLASSIFIED"),
        ({"host": "not a host"}, "host"),
    ],
)
def test_a_wrong_device_is_refused_with_a_sentence(client: Any, admin: Any, wrong: dict[str, str], says: str) -> None:
    answer = client.post("/api/v1/devices", json=DEVICE | wrong, headers=admin)
    assert answer.status_code == 422
    assert says in answer.json()["error"]["reason"]
