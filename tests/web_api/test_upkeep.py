"""What who runs the node does on the page: a self-test, backups on its shelf, and users by link."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aquila.app.backups import SHELF_MAX, BackupShelf
from aquila.app.clockwork import real_clockwork
from aquila.app.control import DeviceAddress
from aquila.app.engine import open_engine
from aquila.app.finding import found
from aquila.core.model import Act
from aquila.core.policy import Policy
from aquila.features.access import feature as access
from aquila.features.upkeep import feature as upkeep
from aquila.stores.sqlite.backup import restore_backup
from aquila.testing.memory_node import MemoryPort

PAGE = {"X-Aquila": "page"}
LONG = "three quiet words 77"


@pytest.fixture
def port() -> MemoryPort:
    return MemoryPort((access, upkeep))


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[BackupShelf]:
    """Of a node that has begun, and has said nothing yet."""
    engine = open_engine(
        tmp_path / "node",
        name="TEST",
        context=None,
        policy=Policy(),
        features=[],
        clockwork=real_clockwork(),
        deliver=lambda call: call(),
    )
    try:
        yield BackupShelf(engine.folder, engine.secrets)
    finally:
        engine.close()


@pytest.fixture
def admin(port: MemoryPort, shelf: BackupShelf) -> dict[str, str]:
    """Headers of an administrator who does not own the node."""
    port.parts["backups"] = shelf
    port.parts["self_test"] = lambda: [found("disk", "good", "disk_good", free=9000), shelf.finding(port.now_ms)]
    port.parts["address"] = DeviceAddress("node.local", enrol=8446)
    return port.token("admin", "admin")


def acts(port: MemoryPort) -> list[str]:
    bodies = [entry.body for entry in port.journal.read(0, 10_000)]
    return [body.action for body in bodies if isinstance(body, Act)]


def test_a_backup_is_made_proven_listed_and_removed_and_the_journal_says_so(
    port: MemoryPort, client: Any, admin: dict[str, str], shelf: BackupShelf, tmp_path: Path
) -> None:
    before = client.get("/api/v1/upkeep/checks", headers=admin).json()
    assert [(row["what"], row["grade"]) for row in before] == [("disk", "good"), ("backup", "warn")]
    assert [(row["code"], row["values"]) for row in before] == [("disk_good", {"free": "9000"}), ("backup_none", {})]
    made = client.post("/api/v1/upkeep/backups", json={"passphrase": LONG}, headers=admin)
    assert made.status_code == 201, made.text
    (row,) = client.get("/api/v1/upkeep/backups", headers=admin).json()
    assert row == made.json()
    assert row["has_keys"]
    assert row["made_at_ms"] == port.now_ms
    assert row["name"] in row["restore"]
    assert client.get("/api/v1/upkeep/checks", headers=admin).json()[1]["grade"] == "good"
    name = row["name"]
    assert client.post(f"/api/v1/upkeep/backups/{name}/proof", json={}, headers=admin).status_code == 201
    restore_backup(shelf.place(name), tmp_path / "again", passphrase=LONG)
    assert (tmp_path / "again" / "journal.db").exists()
    assert client.delete(f"/api/v1/upkeep/backups/{name}", headers=admin).status_code == 200
    assert client.get("/api/v1/upkeep/backups", headers=admin).json() == []
    assert [action for action in acts(port) if action.startswith("backup")] == [
        "backup",
        "backup.prove",
        "backup.remove",
    ]


def test_a_damaged_backup_is_told_and_is_not_the_last_good_one(
    port: MemoryPort, client: Any, admin: dict[str, str], shelf: BackupShelf
) -> None:
    name = client.post("/api/v1/upkeep/backups", json={}, headers=admin).json()["name"]
    place = shelf.place(name)
    content = bytearray(place.read_bytes())
    content[-2000] ^= 1
    content[len(content) // 2] ^= 1
    place.write_bytes(bytes(content))
    answer = client.post(f"/api/v1/upkeep/backups/{name}/proof", json={}, headers=admin)
    assert answer.status_code == 422
    assert "damaged" in answer.json()["error"]["reason"]
    place.write_bytes(b"no backup at all")
    (row,) = client.get("/api/v1/upkeep/backups", headers=admin).json()
    assert "damaged" in row["fault"]
    assert shelf.finding(port.now_ms).grade == "warn"


def test_what_the_shelf_cannot_do_is_refused_with_what_is_allowed(
    port: MemoryPort, client: Any, admin: dict[str, str], shelf: BackupShelf
) -> None:
    short = client.post("/api/v1/upkeep/backups", json={"passphrase": "short"}, headers=admin)
    assert short.status_code == 422
    assert "at least 8" in short.json()["error"]["reason"]
    for name in ("../journal.db", "20260101T000000000Z.aquila-backup", "x"):
        gone = client.post(f"/api/v1/upkeep/backups/{name.replace('/', '%2F')}/proof", json={}, headers=admin)
        assert gone.status_code in (404, 422), name
    first = client.post("/api/v1/upkeep/backups", json={}, headers=admin).json()["name"]
    for number in range(1, SHELF_MAX):
        copy = shelf.place(first).with_name(f"20260101T0000000{number:02d}Z.aquila-backup")
        copy.write_bytes(b"")
    full = client.post("/api/v1/upkeep/backups", json={}, headers=admin)
    assert f"{SHELF_MAX} backups" in full.json()["error"]["reason"]


def test_only_an_administrator_sees_any_of_it(port: MemoryPort, client: Any, admin: dict[str, str]) -> None:
    other = port.token("watch", "operator")
    for query in upkeep.queries:
        assert client.get(f"/api/v1{query.path}", headers=other).status_code == 403
    assert client.post("/api/v1/upkeep/backups", json={}, headers=other).status_code == 403
    assert client.post("/api/v1/users/invitations", json={"name": "x"}, headers=other).status_code == 403


def test_only_the_owner_takes_a_backup_away_and_the_journal_names_him(
    port: MemoryPort, client: Any, web: Any, admin: dict[str, str], shelf: BackupShelf
) -> None:
    name = client.post("/api/v1/upkeep/backups", json={}, headers=admin).json()["name"]
    path = f"/api/v1/upkeep/backups/{name}/file"
    assert client.get(path).status_code == 401
    refused = client.get(path, headers=admin)
    assert refused.status_code == 403
    assert "owns the node" in refused.json()["error"]["reason"]
    port.admit_person("user", "operator", "admin")
    client.get(f"/login?key={web.gate.issue_key('operator')}")
    answer = client.get(path)
    assert answer.content == shelf.place(name).read_bytes()
    assert name in answer.headers["content-disposition"]
    assert acts(port)[-1] == "backup.take"


def test_who_is_invited_comes_in_once_and_chooses_a_password(
    port: MemoryPort, client: Any, admin: dict[str, str]
) -> None:
    made = client.post("/api/v1/users/invitations", json={"name": "rossi", "role": "operator"}, headers=admin).json()
    assert made["url"] == f"https://node.local:8446{made['path']}"
    key = made["path"].partition("=")[2]
    assert key not in str(port.parts["secrets"].kept)
    assert client.get(made["path"], follow_redirects=False).status_code == 303
    assert client.get("/api/v1/me").json()["principal"]["id"] == "person:rossi"
    session = dict(client.cookies)
    client.cookies.clear()
    assert client.get(made["path"], follow_redirects=False).status_code == 401
    client.cookies.update(session)
    assert client.post("/api/v1/password", json={"password": "short"}, headers=PAGE).status_code == 400
    assert client.post("/api/v1/password", json={"password": LONG}, headers=PAGE).status_code == 201
    # Whatever was open under the old way is closed, and the new way works.
    assert client.get("/api/v1/me").status_code == 401
    client.cookies.clear()
    login = client.post("/login", data={"user": "rossi", "password": LONG}, follow_redirects=False)
    assert login.status_code == 303
    assert client.get("/api/v1/me").json()["principal"]["roles"] == ["operator"]
    # From now on an open desk is not enough: whoever changes the password knows it.
    for old in ({}, {"old": "not " + LONG}):
        refused = client.post("/api/v1/password", json={"password": "another long one", **old}, headers=PAGE)
        assert "the present password" in refused.json()["error"]["reason"]
        assert client.get("/api/v1/me").status_code == 200
    new = client.post("/api/v1/password", json={"password": "another long one", "old": LONG}, headers=PAGE)
    assert new.status_code == 201


def test_an_invitation_ends_with_its_time_and_with_the_user(
    port: MemoryPort, client: Any, admin: dict[str, str]
) -> None:
    late = client.post("/api/v1/users/invitations", json={"name": "late", "hours": 1}, headers=admin).json()
    gone = client.post("/api/v1/users/invitations", json={"name": "gone"}, headers=admin).json()
    old = client.post("/api/v1/users/invitations", json={"name": "twice"}, headers=admin).json()
    new = client.post("/api/v1/users/invitations", json={"name": "twice"}, headers=admin).json()
    assert client.delete("/api/v1/users/gone", headers=admin).status_code == 200
    port.now_ms += 3_600_000
    for link in (late, gone, old):
        assert client.get(link["path"], follow_redirects=False).status_code == 401
    assert client.get(new["path"], follow_redirects=False).status_code == 303


def test_a_role_is_changed_without_a_new_password_and_nobody_gives_more_than_he_has(
    port: MemoryPort, client: Any, admin: dict[str, str]
) -> None:
    client.post("/api/v1/users", json={"name": "rossi", "password": LONG, "role": "viewer"}, headers=admin)
    before = next(row for row in client.get("/api/v1/users", headers=admin).json() if row["name"] == "rossi")
    assert client.post("/api/v1/users/rossi/role", json={"role": "admin"}, headers=admin).status_code == 201
    after = next(row for row in client.get("/api/v1/users", headers=admin).json() if row["name"] == "rossi")
    assert after == {**before, "role": "admin"}
    client.post("/login", data={"user": "rossi", "password": LONG})
    assert client.get("/api/v1/me").json()["principal"]["roles"] == ["admin"]
    port.admit_person("user", "operator", "admin")
    owner = client.post("/api/v1/users/operator/role", json={"role": "viewer"}, headers=admin)
    assert owner.status_code == 403
    assert "owns this node" in owner.json()["error"]["reason"]
    invited = client.post("/api/v1/users/invitations", json={"name": "operator", "role": "admin"}, headers=admin)
    assert invited.status_code == 403
    assert client.post("/api/v1/users/nobody/role", json={"role": "viewer"}, headers=admin).status_code == 404
    token = client.post("/api/v1/password", json={"password": LONG}, headers=admin)
    assert "only users do" in token.json()["error"]["reason"]
