import base64
import io
import sys
import zipfile
from types import SimpleNamespace
from typing import Any

import pytest

from aquila.features.devices import InviteDevice
from aquila.features.devices.invitations import invitation_key
from aquila.features.links import LinkRow, LinkState

DEVICE = {"name": "PATROL1", "nation": "ITA", "groups_in": ["COMMON"], "callsign": "FALCO 1"}


@pytest.fixture
def admin(port: Any, authority: Any) -> dict[str, str]:
    """Headers of an administrator of a node with an authority."""
    port.parts["authority"] = authority
    port.parts["address"] = SimpleNamespace(
        host="node.local", tak_tls=8089, api_tls=8443, enrol=8446, others=("10.1.2.3",)
    )
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


# -- invitations ------------------------------------------------------------------------------------------------------


def test_a_pending_invitation_is_listed_without_its_token_and_can_be_cancelled(
    port: Any, client: Any, admin: Any
) -> None:
    made = client.post("/api/v1/devices/invitations", json={"name": "PATROL2", "minutes": 60}, headers=admin).json()
    assert (made["host"], made["others"]) == ("node.local", ["10.1.2.3"])
    listed = client.get("/api/v1/devices/invitations?state=pending", headers=admin)
    (row,) = listed.json()
    assert (row["name"], row["state"], row["ends_ms"]) == ("PATROL2", "pending", made["ends_ms"])
    assert made["token"] not in listed.text
    assert client.get("/api/v1/devices/invitations", headers=port.token("op", "operator")).status_code == 403
    gone = client.delete(f"/api/v1/devices/invitations/{row['id']}", headers=admin)
    assert gone.status_code == 200
    assert client.delete(f"/api/v1/devices/invitations/{row['id']}", headers=admin).status_code == 404
    assert client.get("/api/v1/devices/invitations", headers=admin).json() == []
    assert not port.parts["secrets"].named("invitation/")
    assert "device.uninvite" in client.get("/api/v1/entries", headers=admin).text


def test_inviting_again_takes_the_first_invitation_back_and_the_journal_says_so(
    port: Any, client: Any, admin: Any
) -> None:
    invited = {"name": "PATROL2", "minutes": 60}
    other = client.post("/api/v1/devices/invitations", json=invited | {"name": "PATROL3"}, headers=admin).json()
    first = client.post("/api/v1/devices/invitations", json=invited, headers=admin).json()
    second = client.post("/api/v1/devices/invitations", json=invited, headers=admin).json()
    kept = port.parts["secrets"].named("invitation/")
    assert set(kept) == {invitation_key(one["token"]) for one in (other, second)}
    assert invitation_key(first["token"]) not in kept
    entries = client.get("/api/v1/entries", headers=admin).json()
    (said,) = [one for one in entries if "device.uninvite" in str(one)]
    assert "invited again" in str(said)


def test_what_became_of_an_invitation_is_listed_for_a_week(port: Any, client: Any, admin: Any) -> None:
    client.post("/api/v1/devices/invitations", json={"name": "LATE", "minutes": 60}, headers=admin)
    port.now_ms += 3_600_000
    (row,) = client.get("/api/v1/devices/invitations", headers=admin).json()
    assert row["state"] == "expired"
    assert client.delete(f"/api/v1/devices/invitations/{row['id']}", headers=admin).status_code == 404
    port.now_ms += 7 * 86_400_000
    client.post("/api/v1/devices/invitations", json={"name": "NEXT"}, headers=admin)
    (row,) = client.get("/api/v1/devices/invitations", headers=admin).json()
    assert row["name"] == "NEXT"


def test_invitations_are_bounded(port: Any, client: Any, admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[InviteDevice.__module__], "INVITATIONS_MAX", 2)
    for name in ("ONE", "TWO"):
        asked = client.post("/api/v1/devices/invitations", json={"name": name, "minutes": 60}, headers=admin)
        assert asked.status_code == 201
    refused = client.post("/api/v1/devices/invitations", json={"name": "THREE"}, headers=admin)
    assert refused.status_code == 507
    assert "cancel some" in refused.json()["error"]["reason"]
    port.now_ms += 3_600_000
    assert client.post("/api/v1/devices/invitations", json={"name": "THREE"}, headers=admin).status_code == 201


# -- who is here ------------------------------------------------------------------------------------------------------


def test_a_device_says_whether_it_is_connected_and_since_when(port: Any, client: Any, admin: Any) -> None:
    client.post("/api/v1/devices", json=DEVICE, headers=admin)
    (row,) = client.get("/api/v1/devices", headers=admin).json()
    assert (row["connected"], row["connected_since_ms"]) == (False, None)
    for since_ms in (port.now_ms + 5, port.now_ms):
        up = LinkRow(id="1", name="PATROL1", transport="tls", state="up", since_ms=since_ms, principal="device:PATROL1")
        port.parts["links"].rows.append(LinkState(row=up, label=None, context=port.context))
    (row,) = client.get("/api/v1/devices", headers=admin).json()
    assert (row["connected"], row["connected_since_ms"]) == (True, port.now_ms)
