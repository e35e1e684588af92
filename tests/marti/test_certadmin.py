"""Administration of certificates and security, as node-tak (lib/api/certificate, security) asks and parses."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from aquila.testing.served import ServedNode
from aquila.testing.tak_client import device_context, fresh

from .conftest import Enrolled, door

BASE = "/Marti/api/certadmin/cert"
FIELDS = {
    "id",
    "creatorDn",
    "subjectDn",
    "userDn",
    "certificate",
    "hash",
    "clientUid",
    "issuanceDate",
    "expirationDate",
    "effectiveDate",
    "token",
    "serialNumber",
}


@pytest.fixture(scope="module")
def admin(node: ServedNode) -> Iterator[httpx.Client]:
    """An administrator at port 8446."""
    name = fresh("DESK")
    context = device_context(node.enrolled(name), name)
    with door(node, "enrol", context, headers={"Authorization": f"Bearer {node.token}"}) as client:
        yield client


def listed(admin: httpx.Client, which: str = "", **params: str) -> list[dict[str, Any]]:
    answer = admin.get(BASE + which, params=params)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    said = answer.json()
    assert said["version"] == "3"
    rows: list[dict[str, Any]] = said["data"]
    for row in rows:
        assert set(row) >= FIELDS
        assert isinstance(row["id"], int)
        assert None not in row.values()
    return rows


def shown(node: ServedNode, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((node.data.parent / f"{name}-files" / f"{name}.pem").read_bytes())


@pytest.mark.row("GET /Marti/api/certadmin/cert", client="node-tak")
@pytest.mark.row("GET /Marti/api/certadmin/cert/active", client="node-tak")
@pytest.mark.row("GET /Marti/api/certadmin/cert/expired", client="node-tak")
@pytest.mark.row("GET /Marti/api/certadmin/cert/replaced", client="node-tak")
@pytest.mark.row("GET /Marti/api/certadmin/cert/{hash}", client="node-tak")
@pytest.mark.row("GET /Marti/api/certadmin/cert/{hash}/download", client="node-tak")
@pytest.mark.row("GET /Marti/api/certadmin/cert/download/{ids}", client="node-tak")
def test_certificates_are_listed_found_and_given(node: ServedNode, admin: httpx.Client) -> None:
    name = fresh("LISTED")
    node.enrolled(name)
    leaf = shown(node, name)
    fingerprint = leaf.fingerprint(hashes.SHA256()).hex(":").upper()
    (row,) = listed(admin, username=name.lower())
    assert (row["hash"], row["userDn"]) == (fingerprint, name)
    assert row in listed(admin, "/active")
    assert listed(admin, "/expired") == []
    assert listed(admin, "/replaced") == []
    for form in (fingerprint, fingerprint.replace(":", "").lower()):
        assert admin.get(f"{BASE}/{form}").json()["data"] == row
    download = admin.get(f"{BASE}/{fingerprint}/download")
    assert x509.load_pem_x509_certificate(download.content) == leaf
    with zipfile.ZipFile(io.BytesIO(admin.get(f"{BASE}/download/{row['id']}").content)) as package:
        assert package.namelist() == [f"1_{name}_ClientCert.pem"]
    unknown = admin.get(f"{BASE}/{'00:' * 31}00")
    # node-tak's validate() reads `.data` of a success, and looks into the list of the user only after a 5xx.
    assert (unknown.status_code, set(unknown.json())) == (200, {"version", "type", "nodeId"})
    assert admin.get(f"{BASE}/{'00:' * 31}00/download").status_code == 404
    assert admin.get(f"{BASE}/download/1;2").status_code == 400


@pytest.mark.row("DELETE /Marti/api/certadmin/cert/revoke/{ids}", client="node-tak")
@pytest.mark.row("DELETE /Marti/api/certadmin/cert/delete/{ids}", client="node-tak")
@pytest.mark.row("DELETE /Marti/api/certadmin/cert/{hash}", client="node-tak")
@pytest.mark.row("GET /Marti/api/certadmin/cert/revoked", client="node-tak")
@pytest.mark.parametrize("way", ["hash", "revoke", "delete"])
def test_a_certificate_that_is_taken_back_opens_nothing(node: ServedNode, admin: httpx.Client, way: str) -> None:
    name = fresh("TAKEN")
    files = node.enrolled(name)
    (row,) = listed(admin, username=name)
    with node.device_client(name, files) as phone:
        phone.report()
        path = row["hash"] if way == "hash" else f"{way}/{row['id']}"
        answer = admin.delete(f"{BASE}/{path}")
        assert answer.status_code == 200
        phone.wait_closed(10)
    with door(node, "api_tls", device_context(files, name)) as client:
        try:
            assert client.get("/Marti/api/groups/all").status_code == 403
        except httpx.TransportError:
            pass  # the revocation list was loaded already
    assert name not in [each["name"] for each in node.api.devices()]
    found = [each for each in listed(admin, "/revoked") if each["userDn"] == name]
    assert [each["id"] for each in found] == ([] if way == "delete" else [row["id"]])
    assert all("revocationDate" in each for each in found)
    again = admin.delete(f"{BASE}/{path}")
    assert again.status_code == (404 if way == "delete" else 200)


@pytest.mark.row("GET /Marti/api/security/config", client="node-tak")
@pytest.mark.row("GET /Marti/api/security/isSecure", client="node-tak")
@pytest.mark.row("GET /Marti/api/security/verifyConfig", client="node-tak")
def test_security_is_told_without_its_secrets(admin: httpx.Client) -> None:
    config = admin.get("/Marti/api/security/config").json()["data"]
    assert config["enableEnrollment"] is True
    assert isinstance(config["validityDays"], int)
    assert {config[key] for key in config if "Pass" in key or "File" in key} <= {"", None}
    for word in ("isSecure", "verifyConfig"):
        assert isinstance(admin.get(f"/Marti/api/security/{word}").json()["data"], str)


@pytest.mark.parametrize("path", ["", "/active", "/AA:BB", "/download/1"])
def test_nobody_else_is_told(device: Enrolled, path: str) -> None:
    phone = device()
    assert phone.get(BASE + path).status_code == 403
    assert phone.delete(f"{BASE}/revoke/1").status_code == 403
    assert phone.get("/Marti/api/security/config").status_code == 403
