import asyncio
from typing import Any

import pytest

from aquila.features.access import password_hash, password_secret
from aquila.web_api.auth import Gate
from aquila.web_api.guesses import TRIES_PER_MIN

PASSWORD = "correct horse battery"
PAGE = {"X-Aquila": "page"}


def logged_in(port: Any, client: Any, web: Any, role: str = "operator") -> Any:
    port.admit_person("user", "op", role)
    return client.get(f"/login?key={web.gate.issue_key('op')}", follow_redirects=False)


def test_a_link_logs_in_once_with_a_careful_cookie(port: Any, client: Any, web: Any) -> None:
    port.admit_person("user", "op", "operator")
    key = web.gate.issue_key("op")
    answer = client.get(f"/login?key={key}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert client.get("/api/v1/me").json()["principal"]["name"] == "op"
    assert client.get(f"/login?key={key}", follow_redirects=False).status_code == 401


def test_a_link_is_good_for_ten_minutes(port: Any, client: Any, web: Any) -> None:
    port.admit_person("user", "op", "operator")
    key = web.gate.issue_key("op")
    port.now_ms += 600_000
    assert client.get(f"/login?key={key}", follow_redirects=False).status_code == 401


def test_the_cookie_is_secure_under_https(port: Any, client: Any, web: Any) -> None:
    port.admit_person("user", "op", "operator")
    url = f"https://node.local/login?key={web.gate.issue_key('op')}"
    assert "; Secure" in client.get(url, follow_redirects=False).headers["set-cookie"]


def test_with_a_cookie_what_changes_something_needs_the_header(port: Any, client: Any, web: Any) -> None:
    logged_in(port, client, web)
    assert client.post("/api/v1/notes", json={"text": "x"}).status_code == 403
    assert client.post("/api/v1/notes", json={"text": "x"}, headers=PAGE).status_code == 201
    foreign = {**PAGE, "Origin": "http://evil.example"}
    assert client.post("/api/v1/notes", json={"text": "x"}, headers=foreign).status_code == 403
    own = {**PAGE, "Origin": "http://node.local"}
    assert client.post("/api/v1/notes", json={"text": "x"}, headers=own).status_code == 201


def test_logging_out_ends_the_session_everywhere(port: Any, client: Any, web: Any) -> None:
    logged_in(port, client, web)
    cookies = dict(client.cookies)
    assert client.post("/logout", headers=PAGE).status_code == 204
    client.cookies.update(cookies)
    assert client.get("/api/v1/me").status_code == 401
    assert not port.parts["secrets"].named("session/")


def test_a_session_outlives_a_restart_and_only_its_hash_is_kept(port: Any, client: Any, web: Any) -> None:
    logged_in(port, client, web)
    (value,) = client.cookies.values()
    assert value not in str(port.parts["secrets"].kept)
    cookie = {"cookie": f"{web.gate.cookie}={value}"}

    async def after_a_restart() -> tuple[Any, Any]:
        gate = Gate(port)
        before = await gate.asker(cookie)
        await gate.open()
        return before, await gate.asker(cookie)

    before, after = asyncio.run(after_a_restart())
    assert before is None
    assert after.principal.id == "person:op"


def test_a_password_logs_in_and_a_wrong_one_does_not(port: Any, client: Any) -> None:
    port.admit_person("user", "op", "operator")
    port.parts["secrets"].put(password_secret("op"), password_hash(PASSWORD))
    form = {"user": "op", "password": "wrong"}
    assert client.post("/login", data=form, follow_redirects=False).status_code == 401
    assert client.post("/login", data={**form, "user": "nobody"}, follow_redirects=False).status_code == 401
    form["password"] = PASSWORD
    assert client.post("/login", data=form, follow_redirects=False).status_code == 303
    assert client.get("/api/v1/me").status_code == 200


def test_guessing_is_slowed_down_by_address(port: Any, client: Any) -> None:
    codes = [client.get("/login?key=guess").status_code for _ in range(TRIES_PER_MIN + 1)]
    assert codes == [401] * TRIES_PER_MIN + [429]
    port.now_ms += 60_000
    assert client.get("/login?key=guess").status_code == 401


def test_a_token_is_shown_once_and_kept_as_a_hash(port: Any, client: Any) -> None:
    admin = port.token("boss", "admin")
    made = client.post("/api/v1/tokens", json={"name": "script", "role": "viewer", "days": 1}, headers=admin).json()
    bearer = {"Authorization": f"Bearer {made['token']}"}
    assert client.get("/api/v1/me", headers=bearer).json()["principal"]["id"] == "token:script"
    everything = str(port.parts["secrets"].kept) + client.get("/api/v1/entries", headers=admin).text
    assert made["token"] not in everything
    assert made["token"] not in client.get("/api/v1/tokens", headers=admin).text
    port.now_ms = made["expires_at_ms"]
    assert client.get("/api/v1/me", headers=bearer).status_code == 401


def test_a_token_taken_back_is_nobody_and_one_made_anew_replaces_the_old(port: Any, client: Any) -> None:
    admin = port.token("boss", "admin")

    def make() -> dict[str, str]:
        made = client.post("/api/v1/tokens", json={"name": "script"}, headers=admin).json()
        return {"Authorization": f"Bearer {made['token']}"}

    first = make()
    port.now_ms += 1
    second = make()
    assert client.get("/api/v1/me", headers=first).status_code == 401
    assert client.get("/api/v1/me", headers=second).status_code == 200
    assert client.delete("/api/v1/tokens/script", headers=admin).status_code == 200
    assert client.get("/api/v1/me", headers=second).status_code == 401
    assert client.delete("/api/v1/tokens/script", headers=admin).status_code == 404


@pytest.mark.parametrize("more", [{"role": "admin"}, {"groups_out": ["STAFF"]}])
def test_nobody_gives_more_than_they_have(port: Any, client: Any, more: dict[str, Any]) -> None:
    admin = port.token("boss", "admin")
    if "role" in more:
        assert client.post("/api/v1/tokens", json={"name": "x", **more}, headers=admin).status_code == 201
    else:
        assert client.post("/api/v1/tokens", json={"name": "x", **more}, headers=admin).status_code == 403


def test_a_user_is_made_and_taken_back(port: Any, client: Any) -> None:
    admin = port.token("boss", "admin")
    user = {"name": "ann", "password": PASSWORD, "role": "viewer"}
    assert client.post("/api/v1/users", json=user, headers=admin).status_code == 201
    assert PASSWORD not in client.get("/api/v1/entries", headers=admin).text
    form = {"user": "ann", "password": PASSWORD}
    assert client.post("/login", data=form, follow_redirects=False).status_code == 303
    assert client.get("/api/v1/me").status_code == 200
    assert client.delete("/api/v1/users/ann", headers=admin).status_code == 200
    assert client.get("/api/v1/me").status_code == 401


def test_a_node_answers_only_to_its_names(client: Any) -> None:
    for host in ("evil.example", "", "node.local.evil.example", "127.0.0.1:80@evil"):
        answer = client.get("/healthz", headers={"Host": host})
        assert (answer.status_code, answer.json()["error"]["code"]) == (421, "host")
    for host in ("node.local:8080", "NODE.LOCAL"):
        assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/nothing", "/healthz", "/api/v1/me", "/api/v1/nothing", "/login"])
def test_every_answer_carries_the_headers(client: Any, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"] == (
        "default-src 'self'; worker-src 'self' blob:; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
        "connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
