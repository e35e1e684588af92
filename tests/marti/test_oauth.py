"""Login for a token on 8446, as node-tak asks for it and reads it."""

import base64
import json
from collections.abc import Iterator

import httpx
import pytest

from aquila.testing.served import Serve, ServedNode
from aquila.testing.tak_client import device_context, fresh

from .conftest import door

PASSWORD = "long enough for all"
ROW = pytest.mark.row("POST /oauth/token", client="node-tak")


def open_door(node: ServedNode) -> httpx.Client:
    name = fresh("ANY")
    return door(node, "enrol", device_context(node.enrolled(name), name))


@pytest.fixture(scope="module")
def enrol(node: ServedNode) -> Iterator[httpx.Client]:
    with open_door(node) as client:
        yield client


@pytest.fixture(scope="module")
def person(node: ServedNode) -> str:
    name = fresh("anna")
    node.api.make_user(name=name, password=PASSWORD, role="operator")
    return name


def asked(name: str, password: str, grant_type: str = "password") -> dict[str, str]:
    return {"grant_type": grant_type, "username": name, "password": password}


def read_as_node_tak(token: str) -> dict[str, object]:
    """It decodes the whole token as one base64 string and splits it at each `}`."""
    whole = token.replace(".", "").replace("-", "+").replace("_", "/")
    decoded = base64.b64decode(whole[: len(whole) // 4 * 4]).decode("utf-8", "replace")
    parts = [part + "}" for part in decoded.split("}")]
    claims: dict[str, object] = json.loads(parts[1])
    return claims


@ROW
@pytest.mark.parametrize("way", ["parameters", "form"])
def test_a_person_gets_a_token_that_clients_can_read(enrol: httpx.Client, person: str, way: str) -> None:
    fields = asked(person, PASSWORD)
    answer = enrol.post("/oauth/token", **({"params": fields} if way == "parameters" else {"data": fields}))  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    token = answer.json()["access_token"]
    header = base64.urlsafe_b64decode(token.partition(".")[0] + "==")
    assert len(header) % 3 == 0
    claims = read_as_node_tak(token)
    assert claims["sub"] == person
    assert {"sub", "aud", "nbf", "exp", "iat"} <= set(claims)
    assert not any(isinstance(value, dict) for value in claims.values())
    bearer = {"Authorization": f"Bearer {token}"}
    assert enrol.get("/Marti/api/groups/all", headers=bearer).status_code == 200


@ROW
def test_wrong_words_are_told_in_the_words_that_clients_look_for(enrol: httpx.Client, person: str) -> None:
    for name, password in ((person, "wrong"), ("nobody", PASSWORD), ("x" * 50_000, PASSWORD), ("", "")):
        answer = enrol.post("/oauth/token", data=asked(name, password))
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/json"
        said = answer.json()
        assert said["error"] == "invalid_grant"
        assert said["error_description"].startswith("Bad credentials")


def test_another_grant_is_refused(enrol: httpx.Client, person: str) -> None:
    answer = enrol.post("/oauth/token", data=asked(person, PASSWORD, "client_credentials"))
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


def test_the_token_of_who_is_removed_opens_nothing(node: ServedNode, enrol: httpx.Client) -> None:
    name = fresh("bela")
    node.api.make_user(name=name, password=PASSWORD, role="operator")
    token = enrol.post("/oauth/token", data=asked(name, PASSWORD)).json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert enrol.get("/Marti/api/groups/all", headers=bearer).status_code == 200
    node.api.drop_user(name)
    assert enrol.get("/Marti/api/groups/all", headers=bearer).status_code == 401
    assert enrol.post("/oauth/token", data=asked(name, PASSWORD)).status_code == 401


def test_who_guesses_is_stopped_by_his_address_and_stands_in_the_journal(serve: Serve) -> None:
    node = serve("guessed")
    with open_door(node) as client:
        answers = [client.post("/oauth/token", data=asked("carol", f"guess {n}")) for n in range(25)]
    statuses = {answer.status_code for answer in answers}
    assert statuses == {401, 429}
    assert answers[-1].json()["error"] == "slow_down"
    acts = [row["body"] for row in node.api.entries(kind="act", newest=True, limit=200)]
    refused = [act for act in acts if act["action"] == "device.refuse"]
    assert 1 <= len(refused) <= 2, "the same once a minute"
    assert refused[0]["target"] == "device:carol"
    assert refused[0]["detail"]["address"] == "127.0.0.1"
    assert "guess" not in json.dumps(acts)
