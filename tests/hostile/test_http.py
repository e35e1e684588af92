"""Hostile requests: foreign pages, huge and broken bodies, guessed files and guessed passwords."""

import http.client
import json
import re
import socket
from urllib.parse import quote

import pytest

from aquila.testing.served import Serve, ServedNode
from aquila.testing.tak_client import chat, fresh, marker

Answer = tuple[int, dict[str, str], bytes]
JSON = {"Content-Type": "application/json"}
UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
DEEP = b"[" * 100_000
BROKEN = (
    b"",
    b"{",
    b"\xff\xfe",
    b"null",
    b"[]",
    b'{"text": 5}',
    b'{"text": "a", "text": ["b"]}',
    b'{"text": NaN}',
    b'{"text": "\\ud800"}',
    b'{"text": "a", "happened_at_ms": 1e400}',
    b'{"text": "a", "happened_at_ms": 99999999999999999999}',
    b'{"text": {"a": ' + DEEP + b"}}",
    DEEP,
)
TRAVERSALS = (
    "/../../../../etc/passwd",
    "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/assets/../../../../../../etc/passwd",
    "/assets/%2e%2e/%2e%2e/%2e%2e/__init__.py",
    "//etc/passwd",
    "/%2fetc%2fpasswd",
    "/..%5c..%5cetc%5cpasswd",
    "/index.html%00.png",
    "/%c0%ae%c0%ae/etc/passwd",
    "/" + "a" * 5_000,
    "/" + "a/" * 3_000,
    "/api/v1/entries/..%2f..%2fhealthz",
    "/api/v1/../../etc/passwd",
)
RANGES = (
    "bytes=0-0",
    "bytes=-1",
    "bytes=-0",
    "bytes=5-2",
    "bytes=99999999999999999999999-",
    "bytes=18446744073709551615-18446744073709551616",
    "bytes=" + ",".join("0-" for _ in range(1_000)),
    "bytes=" + ",".join(f"{at}-{at}" for at in range(1_000)),
    "bytes=a-b",
    "items=0-1",
    "bytes=--1",
    "bytes=0-0-0",
)


def ask(node: ServedNode, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
    """One request as it stands; names of headers with _ for -. Checks what every answer must bear."""
    connection = http.client.HTTPConnection("127.0.0.1", node.ports["http"], timeout=60)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        found = (answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    except (BrokenPipeError, ConnectionResetError):
        pytest.fail(f"{method} {path[:80]}: hung up without an answer")
    finally:
        connection.close()
    status, heads, _ = found
    if status != 400 or "text/plain" not in heads.get("content-type", ""):  # else the HTTP parser gave up before us
        assert "default-src 'self'" in heads["content-security-policy"], (method, path[:80], status)
        assert heads["x-content-type-options"] == "nosniff"
        assert heads["referrer-policy"] == "no-referrer"
    assert status < 500 or status == 503, (method, path[:80], status)
    return found


@pytest.fixture
def bearer(node: ServedNode) -> str:
    """The header of an administrator."""
    return f"Bearer {node.token}"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost@evil.example", "[::1"])
def test_a_foreign_host_name_is_refused(node: ServedNode, host: str) -> None:
    status, _, body = ask(node, "GET", "/api/v1/entities", Host=host)
    assert status == 421
    assert json.loads(body)["error"]["code"] == "host"


@pytest.mark.parametrize(
    ("origin", "host", "word"),
    [
        ("http://evil.example", "localhost", "403"),
        ("null", "localhost", "403"),
        ("http://localhost:1", "localhost", "403"),
        ("http://evil.example", "evil.example", "403"),
        ("http://localhost", "localhost", "101"),
    ],
)
def test_a_stream_is_opened_by_our_own_page_only(node: ServedNode, origin: str, host: str, word: str) -> None:
    with socket.create_connection(("127.0.0.1", node.ports["http"]), timeout=60) as peer:
        said = f"GET /api/v1/stream HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n{UPGRADE}\r\n"
        peer.sendall(said.encode())
        assert peer.recv(4096).split()[1].decode() == word


def test_a_foreign_page_cannot_write(node: ServedNode, bearer: str) -> None:
    body = b'{"text": "forged"}'
    status, _, said = ask(node, "POST", "/api/v1/notes", body, Authorization=bearer, Origin="http://evil.example")
    assert status == 403
    assert json.loads(said)["error"]["code"] == "origin"


@pytest.mark.parametrize("number", range(len(BROKEN)))
def test_a_broken_body_is_refused_with_a_reason(node: ServedNode, bearer: str, number: int) -> None:
    status, _, body = ask(node, "POST", "/api/v1/notes", BROKEN[number], Authorization=bearer, **JSON)
    assert status in (400, 422), (BROKEN[number][:60], body)
    assert json.loads(body)["error"]["reason"]


def test_an_oversize_body_is_refused(node: ServedNode, bearer: str) -> None:
    body = json.dumps({"text": "x" * 300_000}).encode()
    status, _, said = ask(node, "POST", "/api/v1/notes", body, Authorization=bearer, **JSON)
    assert status == 413
    assert json.loads(said)["error"]["code"] == "oversize"


def test_a_body_that_announces_gigabytes_is_not_waited_for(node: ServedNode, bearer: str) -> None:
    with socket.create_connection(("127.0.0.1", node.ports["http"]), timeout=60) as peer:
        peer.sendall(
            f"POST /api/v1/notes HTTP/1.1\r\nHost: localhost\r\nAuthorization: {bearer}\r\n"
            "Content-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{".encode()
        )
        assert peer.recv(4096).split()[1] == b"413"


def test_no_path_leads_out_of_the_page(node: ServedNode, bearer: str) -> None:
    for path in TRAVERSALS:
        status, _, body = ask(node, "GET", path, Authorization=bearer)
        assert status in (400, 404, 414), (path[:60], status)
        assert b"root:" not in body
        assert b"aquila.app" not in body


def test_ranges_never_cost_more_than_the_file(node: ServedNode) -> None:
    whole = ask(node, "GET", "/")
    assert whole[0] == 200
    for span in RANGES:
        status, heads, body = ask(node, "GET", "/", Range=span)
        assert status in (200, 206, 416), span[:60]
        assert len(body) <= len(whole[2]) or status == 416
        assert "multipart" not in heads.get("content-type", "")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/entities", 401),
        ("GET", "/api/v1/entries?limit=5", 401),
        ("POST", "/api/v1/notes", 401),
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/nothing", 404),
        ("DELETE", "/login", 405),
        ("PUT", "/", 405),
        ("GET", "/login?key=guessed", 401),
        ("GET", "/healthz", 200),
        ("GET", "/metrics", 200),
        ("GET", "/login", 200),
        ("GET", "/api/v1/openapi.json", 200),
    ],
)
def test_every_answer_bears_the_headers(node: ServedNode, method: str, path: str, status: int) -> None:
    assert ask(node, method, path)[0] == status


@pytest.mark.parametrize("token", ["x", "aq_" + "a" * 40, "é" * 20, "a" * 20_000, "' OR 1=1 --", ""])
def test_a_guessed_token_is_refused(node: ServedNode, token: str) -> None:
    status, _, _ = ask(node, "GET", "/api/v1/entities", Authorization=f"Bearer {token}".encode().decode("latin-1"))
    assert status == 401


@pytest.mark.parametrize(
    "query",
    [
        "limit=-1",
        "limit=99999999999999999999",
        "limit=a",
        "bbox=nan,0,1,1",
        "bbox=1",
        "bbox=" + quote("' OR 1=1"),
        "nothing=1",
        "limit=1&limit=2",
        "text=%ff%fe",
        "text=" + "a" * 8_000,
    ],
)
def test_broken_parameters_are_no_fault_of_ours(node: ServedNode, bearer: str, query: str) -> None:
    status, heads, _ = ask(node, "GET", f"/api/v1/entities?{query}", Authorization=bearer)
    assert status in (200, 400, 414, 422)
    assert heads["content-type"].startswith("application/json")


def test_script_in_texts_stays_text(node: ServedNode, bearer: str) -> None:
    name = fresh("<script>alert(1)</script>\"'&")
    text = f"<img src=x onerror=alert(1)>{name}</script>"
    with node.client(name) as client, node.client(fresh("READS")) as other:
        client.report()
        client.say(marker(fresh("scripted-"), name), chat(client.uid, name, text))
        other.hear_text(text)
    status, heads, body = ask(node, "GET", "/api/v1/entries?limit=100&newest=true", Authorization=bearer)
    assert status == 200
    assert heads["content-type"].startswith("application/json")
    assert text in [row["body"].get("text") for row in json.loads(body)]
    _, heads, body = ask(node, "GET", "/api/v1/entities", Authorization=bearer)
    assert heads["content-type"].startswith("application/json")
    assert name in [row["name"] for row in json.loads(body)]
    _, heads, body = ask(node, "GET", f"/api/v1/{quote(text)}", Authorization=bearer)
    assert heads["content-type"].startswith("application/json")


def test_a_login_link_is_good_once_and_guessing_is_limited(serve: Serve) -> None:
    node = serve("doors")
    found = re.search(r"/login\?key=(\S+)", node.command("login"))
    assert found is not None
    status, heads, _ = ask(node, "GET", f"/login?key={found[1]}")
    assert status == 303
    assert {"HttpOnly", "SameSite=Strict"} <= set(heads["set-cookie"].split("; "))
    cookie = heads["set-cookie"].partition(";")[0]
    assert ask(node, "GET", "/api/v1/me", Cookie=cookie)[0] == 200
    assert ask(node, "GET", f"/login?key={found[1]}")[0] == 401
    status, _, body = ask(node, "POST", "/api/v1/notes", b'{"text": "forged by a form"}', Cookie=cookie)
    assert (status, json.loads(body)["error"]["code"]) == (403, "origin")
    tried = [ask(node, "GET", f"/login?key=guess{number}")[0] for number in range(25)]
    assert set(tried) == {401, 429}  # ten a minute, and a minute may end in between
    assert tried[-1] == 429
    tried = [ask(node, "POST", "/login", b"user=operator&password=guess")[0] for _ in range(25)]
    assert set(tried) == {401, 429}
    assert tried[-1] == 429
    assert ask(node, "GET", "/api/v1/me", Cookie=cookie)[0] == 200
