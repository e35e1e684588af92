"""Login by LDAP, against a server in a process of its own that shares no line with the client."""

import itertools
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from aquila.links.pki.authority import Authority
from aquila.testing.served import Serve, ServedNode

HERE = Path(__file__).parent
WAIT_S = 60
"""For whatever does come: a busy machine is no finding."""
BASE = "dc=brigade,dc=example"
ACCOUNT = f"cn=aquila,{BASE}"
WATCH, CLERKS = f"cn=Watch Officers,ou=groups,{BASE}", f"cn=clerks,ou=groups,{BASE}"
LOCAL_PASSWORD = "a local password"
ADDRESSES = (f"127.0.1.{number}" for number in itertools.count(1))
"""Each login comes from an address of its own: a node hears ten tries a minute from one."""
RULES = f"""
[[people]]
group = "CN=watch officers, OU=groups, {BASE}"
role = "operator"
groups = ["COMMON", "S3"]
nation = "ITA"
clearance = "RESTRICTED"

[[people]]
group = "{CLERKS}"
"""


def person(uid: str, password: str, *groups: str) -> dict[str, Any]:
    return {"uid": [uid], "userPassword": [password], "memberOf": list(groups)}


ENTRIES = {
    BASE: {},
    ACCOUNT: {"userPassword": ["account secret"]},
    f"uid=ann,ou=people,{BASE}": person("ann", "ann secret", WATCH),
    f"uid=ben,ou=people,{BASE}": person("ben", "ben secret", CLERKS),
    f"uid=eve,ou=people,{BASE}": person("eve", "eve secret", f"cn=guests,ou=groups,{BASE}"),
    f"uid=gus,ou=people,{BASE}": person("gus", "gus secret", WATCH),
    f"uid=hal,ou=people,{BASE}": person("hal", "hal secret", WATCH),
    f"uid=ida,ou=people,{BASE}": person("ida", "ida secret", WATCH),
    f"uid=jan,ou=people,{BASE}": person("jan", "jan secret", WATCH),
    f"uid=operator,ou=people,{BASE}": person("operator", "operator secret", WATCH),
    f"uid=fay,ou=people,{BASE}": person("fay", "fay secret"),
    f"cn=Watch Officers,ou=groups,{BASE}": {"member": [f"uid=fay,ou=people,{BASE}"]},
}


class Directory:
    """The test server, with its entries in a file that may be changed while it runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries = json.loads(json.dumps(ENTRIES))
        self.path, self.log = folder / "entries.json", folder / "ldap.log"
        self.secret = folder / "account-password"
        self.secret.write_text("account secret\n")
        self.log.touch()
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    def start(self, *tls: str) -> "Directory":
        self.write()
        command = [sys.executable, str(HERE / "ldap_server.py"), str(self.path), str(self.log), *tls]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def write(self) -> None:
        changed = self.path.with_suffix(".new")
        changed.write_text(json.dumps(self.entries))
        changed.rename(self.path)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            assert self._process.stdout is not None
            self._process.stdout.close()

    def heard(self) -> str:
        return self.log.read_text()

    def settings(self, **more: Any) -> str:
        """A settings file for a node that asks this directory; None leaves a key out."""
        plain = {
            "ldap_url": f"ldap://127.0.0.1:{self.port}",
            "ldap_start_tls": False,
            "ldap_account": ACCOUNT,
            "ldap_password_file": str(self.secret),
            "ldap_base": f"ou=people,{BASE}",
            "login_timeout_s": WAIT_S,
        }
        said = {key: value for key, value in (plain | more).items() if value is not None}
        # A JSON string, number or bool is one of TOML too.
        text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in said.items())
        path = self.folder / "aquila.toml"
        path.write_text(text + RULES)
        return str(path)


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Directory]:
    made = Directory(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def ask(serve: Serve, directory: Directory) -> Callable[..., ServedNode]:
    """A node and a directory of one test's own."""

    def start(**more: Any) -> ServedNode:
        directory.start()
        return serve("data", "--config", directory.settings(**more))

    return start


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServedNode, Directory]]:
    folder = tmp_path_factory.mktemp("asking")
    made = Directory(folder).start()
    node = ServedNode(folder / "data", "--config", made.settings())
    try:
        yield node.start(), made
    finally:
        node.stop()
        made.stop()


def log_in(node: ServedNode, user: str, password: str) -> httpx.Response:
    url = f"http://127.0.0.1:{node.ports['http']}"
    transport = httpx.HTTPTransport(local_address=next(ADDRESSES))
    with httpx.Client(base_url=url, transport=transport, timeout=WAIT_S) as browser:
        answer = browser.post("/login", data={"user": user, "password": password})
        if answer.status_code != 303:
            return answer
        return browser.get("/api/v1/me")


def users(node: ServedNode) -> dict[str, Any]:
    url = f"http://127.0.0.1:{node.ports['http']}/api/v1/users"
    rows = httpx.get(url, headers={"Authorization": f"Bearer {node.token}"}, timeout=WAIT_S).json()
    return {row["name"]: row for row in rows}


def make_local(node: ServedNode, name: str) -> None:
    url = f"http://127.0.0.1:{node.ports['http']}/api/v1/users"
    body = {"name": name, "password": LOCAL_PASSWORD, "role": "viewer"}
    assert (
        httpx.post(url, json=body, headers={"Authorization": f"Bearer {node.token}"}, timeout=WAIT_S).status_code == 201
    )


def test_a_person_logs_in_and_the_first_rule_that_fits_says_what_he_may(asking: tuple[ServedNode, Directory]) -> None:
    node, _ = asking
    me = log_in(node, "ann", "ann secret").json()["principal"]
    assert (me["id"], me["roles"], me["nation"]) == ("person:ann", ["operator"], "ITA")
    assert me["groups_in"] == me["groups_out"] == ["COMMON", "S3"]
    assert log_in(node, "ben", "ben secret").json()["principal"]["roles"] == ["viewer"]
    assert users(node)["ann"]["clearance"] == "RESTRICTED"


def test_the_journal_says_who_came_by_which_way_and_holds_no_password(asking: tuple[ServedNode, Directory]) -> None:
    node, _ = asking
    for _ in range(2):
        assert log_in(node, "ann", "ann secret").status_code == 200
    url = f"http://127.0.0.1:{node.ports['http']}/api/v1/entries"
    told = httpx.get(url, headers={"Authorization": f"Bearer {node.token}"}, timeout=WAIT_S)
    added = [row["body"] for row in told.json() if row["body"].get("action") == "user.add"]
    assert [each["detail"].get("login") for each in added if each["target"] == "ann"] == ["ldap"]
    assert "ann secret" not in told.text + node.log.read_text()


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("ann", "wrong"),
        ("ann", ""),
        ("nobody", "ann secret"),
        ("*)(uid=*", "ann secret"),
        ("a*", "ann secret"),
        ("ann)(|(uid=*", "ann secret"),
        ("ann\x00", "ann secret"),
    ],
)
def test_whatever_is_not_a_name_and_its_password_is_refused_alike(
    asking: tuple[ServedNode, Directory], user: str, password: str
) -> None:
    node, directory = asking
    before = directory.heard()
    answer = log_in(node, user, password)
    assert answer.status_code == 401
    assert "Name and password do not match." in answer.text
    # An empty password, above all, never reaches the directory: it would say yes.
    is_worth_asking = bool(password) and user.isalpha()
    assert (directory.heard() != before) == is_worth_asking


def test_capitals_in_a_name_do_not_make_another_person(asking: tuple[ServedNode, Directory]) -> None:
    node, _ = asking
    assert log_in(node, "Ida", "ida secret").json()["principal"]["id"] == "person:ida"
    assert "Ida" not in users(node)


def test_who_is_in_no_mapped_group_is_told_so_and_gets_no_grant(asking: tuple[ServedNode, Directory]) -> None:
    node, _ = asking
    answer = log_in(node, "eve", "eve secret")
    assert answer.status_code == 403
    assert "none of your groups may log in here" in answer.text
    assert "eve" not in users(node)


def test_users_of_the_node_stay_its_own(asking: tuple[ServedNode, Directory]) -> None:
    node, directory = asking
    make_local(node, "jan")
    before = directory.heard()
    assert log_in(node, "operator", "operator secret").status_code == 401
    assert log_in(node, "jan", "jan secret").status_code == 401
    assert log_in(node, "jan", LOCAL_PASSWORD).status_code == 200
    assert users(node)["operator"]["role"] == "admin"
    assert directory.heard() == before, "their passwords are none of the directory's business"


def test_a_change_in_the_directory_counts_at_the_next_login(asking: tuple[ServedNode, Directory]) -> None:
    node, directory = asking
    entry = directory.entries[f"uid=gus,ou=people,{BASE}"]
    assert log_in(node, "gus", "gus secret").json()["principal"]["roles"] == ["operator"]
    entry["memberOf"] = [CLERKS]
    directory.write()
    assert log_in(node, "gus", "gus secret").json()["principal"]["roles"] == ["viewer"]
    entry["memberOf"] = []
    directory.write()
    assert log_in(node, "gus", "gus secret").status_code == 403
    del directory.entries[f"uid=gus,ou=people,{BASE}"]
    directory.write()
    assert log_in(node, "gus", "gus secret").status_code == 401


def test_who_was_taken_back_here_stays_out(asking: tuple[ServedNode, Directory]) -> None:
    node, _ = asking
    assert log_in(node, "hal", "hal secret").status_code == 200
    url = f"http://127.0.0.1:{node.ports['http']}/api/v1/users/hal"
    assert httpx.delete(url, headers={"Authorization": f"Bearer {node.token}"}, timeout=WAIT_S).status_code == 200
    answer = log_in(node, "hal", "hal secret")
    assert answer.status_code == 403
    assert "was taken back" in answer.text


def test_without_the_directory_the_node_says_so_and_its_own_users_log_in(
    ask: Callable[..., ServedNode], directory: Directory
) -> None:
    node = ask()
    make_local(node, "cora")
    directory.stop()
    answer = log_in(node, "ann", "ann secret")
    assert answer.status_code == 503
    assert "The directory gives no answer" in answer.text
    assert log_in(node, "cora", LOCAL_PASSWORD).status_code == 200
    assert f"127.0.0.1:{directory.port}" in node.log.read_text()


def test_a_directory_that_never_answers_is_given_up(serve: Serve, directory: Directory) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        directory.port = mute.getsockname()[1]
        node = serve("data", "--config", directory.settings(login_timeout_s=0.5))
        assert log_in(node, "ann", "ann secret").status_code == 503


def test_persons_are_asked_for_directly_and_groups_by_their_members(ask: Callable[..., ServedNode]) -> None:
    node = ask(
        ldap_account=None,
        ldap_password_file=None,
        ldap_base=None,
        ldap_person=f"uid={{name}},ou=people,{BASE}",
        ldap_group_base=f"ou=groups,{BASE}",
    )
    assert log_in(node, "fay", "fay secret").json()["principal"]["roles"] == ["operator"]
    assert log_in(node, "fay", "wrong").status_code == 401
    assert log_in(node, "nobody", "wrong").status_code == 401


def test_basic_on_the_tls_door_asks_the_directory_too(asking: tuple[ServedNode, Directory]) -> None:
    node, _ = asking
    url = f"https://127.0.0.1:{node.ports['enrol']}/Marti/api/version"
    with httpx.Client(verify=False, timeout=WAIT_S) as client:
        assert client.get(url, auth=("ann", "ann secret")).status_code == 200
        assert client.get(url, auth=("Ann", "ann secret")).status_code == 200
        assert client.get(url, auth=("ann", "wrong")).status_code == 401


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> tuple[Authority, Authority]:
    """The one that the server's certificate is from, and another."""
    folder, now_ms = tmp_path_factory.mktemp("authorities"), int(time.time() * 1000)
    right, other = (Authority.create(folder / name, name, now_ms) for name in ("right", "other"))
    right.ensure_server({"127.0.0.1"}, now_ms)
    return right, other


@pytest.mark.parametrize("when", ["start", "first"])
def test_the_certificate_of_the_directory_is_checked(
    serve: Serve, directory: Directory, authorities: tuple[Authority, Authority], when: str
) -> None:
    right, other = authorities
    directory.start(str(right.server_path), str(right.server_path), when)
    scheme = "ldaps" if when == "first" else "ldap"
    secure = {"ldap_url": f"{scheme}://127.0.0.1:{directory.port}", "ldap_start_tls": True}
    node = serve("right", "--config", directory.settings(**secure, ldap_ca=str(right.chain_path)))
    assert log_in(node, "ann", "ann secret").status_code == 200
    before = directory.heard()
    assert "bind" in before
    node = serve("wrong", "--config", directory.settings(**secure, ldap_ca=str(other.chain_path)))
    assert log_in(node, "ann", "ann secret").status_code == 503
    assert "certificate verify failed" in node.log.read_text()
    assert "bind" not in directory.heard().removeprefix(before), "nothing was said to a stranger"


def test_a_directory_without_tls_is_told_nothing_when_tls_is_wanted(serve: Serve, directory: Directory) -> None:
    directory.start()
    node = serve("data", "--config", directory.settings(ldap_start_tls=True))
    assert log_in(node, "ann", "ann secret").status_code == 503
    assert "does not take StartTLS" in node.log.read_text()
    assert "bind" not in directory.heard()
