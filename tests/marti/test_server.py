"""What every client asks first: version, groups; and how the contract answers what it does not know or allow."""

import httpx
import pytest

from aquila.testing.served import ServedNode
from aquila.testing.tak_client import device_context, fresh

from .conftest import Enrolled, door


@pytest.mark.row("GET /Marti/api/version", client="ATAK 5.5")
@pytest.mark.row("GET /Marti/api/version/config", client="ATAK 5.5")
def test_the_version_is_told_as_clients_check_it(device: Enrolled) -> None:
    phone = device()
    config = phone.get("/Marti/api/version/config")
    assert config.status_code == 200
    assert config.headers["content-type"] == "application/json"
    said = config.json()
    assert (said["version"], said["type"]) == ("3", "ServerConfig")
    assert set(said["data"]) == {"version", "api", "hostname"}
    assert "TAK Server" in phone.get("/Marti/api/version").text


@pytest.mark.row("GET /Marti/api/groups/all", client="ATAK 5.5")
def test_groups_are_listed_once_for_each_direction(device: Enrolled) -> None:
    phone = device(groups_in=["COMMON"], groups_out=["COMMON", "BLUE"])
    said = phone.get("/Marti/api/groups/all", params={"useCache": "true"}).json()
    assert said["type"] == "com.bbn.marti.remote.groups.Group"
    assert {(row["name"], row["direction"]) for row in said["data"]} == {
        ("COMMON", "IN"),
        ("COMMON", "OUT"),
        ("BLUE", "OUT"),
    }
    for row in said["data"]:
        assert row["bitpos"] >= 0
        assert row["active"] is True
        assert len(row["created"]) == 10


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/Marti/api/nothing", 404),
        ("GET", "/Marti", 404),
        ("DELETE", "/Marti/api/version", 405),
        ("GET", "/Marti/api/%ff", 400),
        ("GET", "/Marti/" + "a/" * 3000, 404),
    ],
)
def test_what_is_not_there_is_said_in_the_contract_s_words(
    device: Enrolled, method: str, path: str, status: int
) -> None:
    answer = device().request(method, path)
    assert answer.status_code == status
    said = answer.json()
    assert said["code"] == status
    assert said["message"]


def test_nobody_is_told_anything_without_a_name(node: ServedNode, device: Enrolled) -> None:
    name = fresh("KNOWN")
    files = node.enrolled(name)
    tls = device_context(files, name)
    with door(node, "enrol", tls) as stranger:
        answer = stranger.get("/Marti/api/groups/all")
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic")
        assert stranger.get("/Marti/api/groups/all", auth=("nobody", "wrong")).status_code == 401
        bearer = {"Authorization": f"Bearer {node.token}"}
        assert stranger.get("/Marti/api/groups/all", headers=bearer).status_code == 200


def test_a_revoked_device_is_known_no_more(node: ServedNode) -> None:
    name = fresh("LOST")
    files = node.enrolled(name)
    with door(node, "api_tls", device_context(files, name)) as phone:
        assert phone.get("/Marti/api/groups/all").status_code == 200
        node.command("device", "revoke", name)
        try:
            assert phone.get("/Marti/api/groups/all").status_code == 403
        except httpx.TransportError:
            pass  # a new connection, which the revocation list refuses already
