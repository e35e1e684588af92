"""Every row of the contract in bad faith: cases made from the features' own tables, so that a new row is covered.

Whatever comes: no answer says that the node failed, each refusal gives its reason in the row's own words, and nothing
of a group that the asker is not in leaves.
"""

import http.client
import json
import random
import ssl
import time
import zlib
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import jwt
import msgspec
import pytest

from aquila.app.parts import load_features
from aquila.app.serve import SIGNING_KEY
from aquila.core.contract import Call
from aquila.core.feature import Endpoint
from aquila.features.access.marti import LOGIN_AUDIENCE
from aquila.links.pki.tokens import TokenSigner, new_key
from aquila.stores.sqlite.secrets import SecretStore
from aquila.testing.served import ServedNode, wait_until
from aquila.testing.tak_client import device_context, fresh, marker, position

ROWS: tuple[Endpoint, ...] = tuple(row for feature in load_features() for row in feature.endpoints)
NAMES = [f"{row.method} {row.path}" for row in ROWS]
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW")
CANARY = "QUETZAL"
"""Stands in everything that the hidden group said, and in nothing that a stranger sends."""
ANSWER_BYTES_MAX = 1 << 20
HOSTILE_TEXTS: tuple[bytes, ...] = (
    b"x" * 50_000,
    b"\x00",
    b"a\x1b[2J\r\nSet-Cookie: a=b",
    b"\xff\xfe",
    "\u202eevil\u2066".encode(),
    b"../../../../etc/passwd",
    b"..\\..\\secrets",
    b"' OR 1=1; DROP TABLE entries; --",
    b'"><script>alert(1)</script>',
    b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>&b;",
    b"%s%n{0}${jndi:ldap://x}",
    b"NaN",
    b"-1",
    b"9" * 400,
    b"1e400",
    b"0x7fffffff",
    b"null",
    b"[]",
    b"-Infinity",
    "\u0661\u0662\u0663".encode(),
    b" ",
)
DEEP = b"[" * 100_000
HOSTILE_BODIES: tuple[tuple[str, bytes], ...] = (
    ("application/json", b""),
    ("application/json", b"null"),
    ("application/json", b'"text"'),
    ("application/json", b"[[],{},null,1e999]"),
    ("application/json", b'{"a":' * 5_000),
    ("application/json", DEEP),
    ("application/json", b"\xff\xfe{}"),
    ("application/json", b'[{"name":"\\ud800","uid":NaN}]'),
    ("application/json", b'{"hashes":[""],"uids":["\\u0000"],"latitude":1e999,"id":-1,"name":null,"content":{}}'),
    ("application/xml", b'<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;&b;&b;">]><event>&d;</event>'),
    ("application/xml", b"<event uid='x' type='a-f-G'><point lat='NaN' lon='1e999'/></event>"),
    ("application/x-www-form-urlencoded", b"&".join(b"a%d=%%ff" % number for number in range(2_000))),
    ("application/x-www-form-urlencoded", b"interval=NaN&startTime=x&uid=%00&latitude=1e999"),
    ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="assetfile"\r\n\r\nx'),
    ("multipart/form-data", b"--\r\n"),
    ("text/plain; charset=\x80utf-7", b"+ADw-script+AD4-"),
    ("application/octet-stream", bytes(range(256))),
    ("application/json", b" " * (256 * 1024 + 1)),
)


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Stranger:
    """One connection that is kept open, of somebody with or without a certificate.

    Args:
        door: port of HTTPS. tls: with his certificate, if he has one. headers: sent with everything.
    """

    def __init__(self, door: int, tls: ssl.SSLContext, headers: Mapping[str, str] | None = None) -> None:
        self._line = http.client.HTTPSConnection("localhost", door, timeout=60, context=tls)
        self._headers = dict(headers or {})

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        kind: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request; a line that the node has closed is opened anew."""
        sent = {**self._headers, **(headers or {})}
        if kind:
            sent["content-type"] = kind
        for attempt in (1, 2):
            try:
                self._line.request(method, path, body, sent)
                got = self._line.getresponse()
                found = {name.lower(): value for name, value in got.getheaders()}
                return Answer(got.status, found, got.read())
            except (http.client.HTTPException, OSError):
                self._line.close()
                if attempt == 2:
                    raise
        raise AssertionError

    def close(self) -> None:
        """Hang up."""
        self._line.close()


class Heard(dict[str, list[str]]):
    """Parameters that notes which names a row asks for. value: what it gives; None = nothing."""

    def __init__(self, value: str | None) -> None:
        super().__init__()
        self.names: dict[str, None] = {}
        self._value = value

    def get(self, name: str, default: Any = None) -> Any:
        """See dict."""
        self.names[name] = None
        return default if self._value is None else [self._value]


@cache
def parameters_of(index: int) -> tuple[str, ...]:
    """The names of the parameters that a row looks at, found by letting it look."""
    names: dict[str, None] = {}
    for value in (None, "1", "true", "2026-03-01T10:11:12.345Z", "a" * 64):
        heard = Heard(value)
        call = call_of(ROWS[index], heard)
        try:
            ROWS[index].ask(call)
        except ValueError:
            pass
        names |= heard.names
    return tuple(names)


def call_of(row: Endpoint, query: dict[str, list[str]]) -> Call:
    """A call of a row, as if it had come."""
    parts = {part[1:-1]: "1" for part in row.path.split("/") if part.startswith("{")}
    return Call(
        method=row.method,
        path=row.path,
        parts=parts,
        query=query,
        headers={},
        body=b"[]",
        files=(),
        base="https://localhost:8443",
        node="n",
        server="s",
        now_ms=1_795_000_000_000,
    )


def path_of(row: Endpoint, parts: Mapping[str, bytes] | None = None) -> str:
    """The path with values in its braces."""
    words = [
        quote((parts or {}).get(word[1:-1], b"x1"), safe="") if word.startswith("{") else word
        for word in row.path.split("/")
    ]
    return "/".join(words)


def judge(row: Endpoint, answer: Answer, case: object) -> None:
    """No fault of the node, a reason in the row's own words, nothing of the hidden group."""
    told = f"{row.method} {row.path} {str(case)[:200]}: {answer.status} {answer.body[:300]!r}"
    assert answer.status < 500, told
    assert len(answer.body) <= ANSWER_BYTES_MAX, told
    assert CANARY.encode() not in answer.body, told
    assert CANARY not in str(answer.headers), told
    assert "x-content-type-options" in answer.headers, told
    assert "set-cookie" not in answer.headers, told
    if answer.status >= 400 and answer.body:
        judge_reason(row, answer, told)


def judge_reason(row: Endpoint, answer: Answer, told: str) -> None:
    """It is JSON with a sentence, exactly as clients compare the type, and tells nothing of the inside."""
    assert answer.headers["content-type"] == "application/json", told
    said = json.loads(answer.body)
    sentence = said["error_description"] if row.fail is not None else said["message"]
    assert isinstance(sentence, str), told
    assert 0 < len(sentence) <= 1_000, told
    if row.fail is None:
        assert said["code"] == answer.status, told
    for inside in ("Traceback", "sqlite", "/src/", "aquila."):
        assert inside not in answer.body.decode(), told


def some(index: int, cases: Sequence[Any], count: int, long: bool) -> list[Any]:
    """A few of the cases, other ones for each row but always the same; all of them when there is time."""
    dice = random.Random(zlib.crc32(NAMES[index].encode()))
    return list(cases) if long else dice.sample(list(cases), min(count, len(cases)))


# -- who asks ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hidden(node: ServedNode) -> dict[str, bytes]:
    """What another group has: a mission, a package, a track, a video. Gives their ids by the names of path parts."""
    name = f"{CANARY}dev"
    tls = device_context(node.enrolled(name, groups_in=[f"{CANARY}GRP"], callsign=f"{CANARY}call"), name)
    with node.device_client(name, node.data.parent / f"{name}-files") as stream:
        stream.say(position("hidden-uid", f"{CANARY}call"), marker("hidden-mark", f"{CANARY} mark"))
        stream.chat(f"{CANARY} text")
        stream.uid = "hidden-uid"
        owner = Stranger(node.ports["api_tls"], tls)
        words = urlencode({"creatorUid": "hidden-uid", "description": f"{CANARY} plan", "password": f"{CANARY}pass"})
        made = owner.ask("POST", f"/Marti/api/missions/hidden-mission?{words}")
        assert made.status == 201, made.body
        mission = json.loads(made.body)["data"][0]
        sent = owner.ask(
            "POST",
            f"/Marti/sync/upload?name={CANARY}.txt&creatorUid=hidden-uid&keywords={CANARY}",
            b"plan",
            "text/plain",
        )
        assert sent.status == 200, sent.body
        digest = json.loads(sent.body)["Hash"]
        for way, body in (
            ("contents", {"hashes": [digest], "uids": ["hidden-mark"]}),
            ("keywords", [f"{CANARY}word"]),
        ):
            done = owner.ask(
                "PUT",
                f"/Marti/api/missions/hidden-mission/{way}?creatorUid=hidden-uid",
                json.dumps(body).encode(),
                "application/json",
                {"MissionAuthorization": f"Bearer {mission['token']}"},
            )
            assert done.status == 200, done.body
        feeds = {"videoConnections": [{"uuid": "hidden-video", "alias": f"{CANARY}cam", "active": True, "feeds": []}]}
        owner.ask("POST", "/Marti/api/video", json.dumps(feeds).encode(), "application/json")
        seen = owner.ask("GET", "/Marti/api/missions?passwordProtected=true&defaultRole=true")
        assert CANARY.encode() in seen.body, "the canary is there for who may see it"
        owner.close()
    return {
        "name": b"hidden-mission",
        "guid": str(mission["guid"]).encode(),
        "hash": str(digest).encode(),
        "uid": b"hidden-mark",
        "parent": b"hidden-mission",
        "parent_guid": str(mission["guid"]).encode(),
        "type": b"clientUid",
        "invitee": b"hidden-uid",
    }


@pytest.fixture(scope="module")
def stranger(node: ServedNode, hidden: dict[str, bytes]) -> Iterator[Stranger]:
    """A device of another group."""
    name = fresh("STRANGER")
    who = Stranger(node.ports["api_tls"], device_context(node.enrolled(name), name))
    yield who
    who.close()


@pytest.fixture(scope="module")
def trusting(node: ServedNode) -> ssl.SSLContext:
    """TLS without a certificate."""
    return ssl.create_default_context(cafile=str(node.data / "secrets" / "ca.pem"))


@pytest.fixture(scope="module")
def nobody(node: ServedNode, trusting: ssl.SSLContext) -> Iterator[Stranger]:
    """Somebody without a certificate, on 8446."""
    who = Stranger(node.ports["enrol"], trusting)
    yield who
    who.close()


@pytest.fixture(scope="module")
def admin(node: ServedNode, trusting: ssl.SSLContext) -> Iterator[Stranger]:
    """An administrator: his rows are tried, too."""
    who = Stranger(node.ports["enrol"], trusting, {"authorization": f"Bearer {node.token}"})
    yield who
    who.close()


def asker(row: Endpoint, stranger: Stranger, admin: Stranger) -> Stranger:
    """Who may reach the row."""
    return admin if row.role in ("admin", "operator") else stranger


def hostile_cases(index: int, long: bool) -> Iterator[tuple[str, bytes | None, str]]:
    """Paths, bodies and content types for one row: one thing wrong at a time."""
    row = ROWS[index]
    has_body = row.method in ("POST", "PUT")
    usual = (b"[]", "application/json") if has_body else (None, "")
    parts = [word[1:-1] for word in row.path.split("/") if word.startswith("{")]
    for part in parts:
        for text in some(index, HOSTILE_TEXTS, 8, long):
            yield path_of(row, {part: text}), *usual
    names = parameters_of(index)
    pairs = [(name, text) for name in names for text in HOSTILE_TEXTS]
    for name, text in some(index, pairs, 14, long):
        yield f"{path_of(row)}?{urlencode({name: text})}", *usual
    dice = random.Random(index)
    for _ in range(60 if long else 2):
        every = [(name, dice.choice(HOSTILE_TEXTS[1:])) for name in names]
        yield f"{path_of(row)}?{urlencode(every + every)}", *usual
    yield f"{path_of(row)}?{'&'.join(f'a{number}=1' for number in range(1_001))}", *usual
    yield f"{path_of(row)}?%ff=%ff&=&&;", *usual
    for kind, body in some(index, HOSTILE_BODIES, 8, long) if has_body else ():
        yield path_of(row), body, kind


@pytest.mark.parametrize("index", range(len(ROWS)), ids=NAMES)
def test_hostile_words_are_answered_with_a_reason(index: int, stranger: Stranger, admin: Stranger) -> None:
    row = ROWS[index]
    who = asker(row, stranger, admin)
    for path, body, kind in hostile_cases(index, long=False):
        judge(row, who.ask(row.method, path, body, kind), (path, body, kind))


@pytest.mark.long
@pytest.mark.parametrize("index", range(len(ROWS)), ids=NAMES)
def test_all_hostile_words_are_answered_with_a_reason(index: int, stranger: Stranger, admin: Stranger) -> None:
    row = ROWS[index]
    who = asker(row, stranger, admin)
    for path, body, kind in hostile_cases(index, long=True):
        judge(row, who.ask(row.method, path, body, kind), (path, body, kind))


# -- other methods, other people's things -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted({row.path for row in ROWS}))
def test_another_method_is_answered_with_a_reason(path: str, stranger: Stranger) -> None:
    rows = [row for row in ROWS if row.path == path]
    for method in sorted(set(METHODS) - {row.method for row in rows}):
        answer = stranger.ask(method, path_of(rows[0]))
        told = f"{method} {path}: {answer.status} {answer.body[:200]!r}"
        if method == "HEAD":
            assert answer.body == b"", told
            assert answer.status < 500 or answer.status == 501, told
            continue
        # The path may be another row's, whose braces it fits.
        assert answer.status in (400, 403, 404, 405, 501, 200), told
        if answer.status >= 400:
            judge_reason(msgspec.structs.replace(rows[0], fail=None), answer, told)
        if answer.status == 405:
            assert answer.headers["allow"], told


@pytest.mark.parametrize("index", range(len(ROWS)), ids=NAMES)
def test_of_another_group_nothing_is_told(index: int, hidden: dict[str, bytes], stranger: Stranger) -> None:
    row = ROWS[index]
    ids = {name: value.decode() for name, value in hidden.items()}
    words = {name: ids.get(name, "") for name in parameters_of(index)}
    # What a stranger may have overheard: names, guids and digests, but none of the words behind them.
    words |= {name: ids["hash"] for name in words if "hash" in name.lower()}
    words |= {name: ids["uid"] for name in words if name.lower().endswith("uid")}
    words |= {"clientUid": ids["invitee"], "creatorUid": ids["invitee"], "keywords": ""}
    for query in ("", f"?{urlencode(words)}", f"?{urlencode({**words, 'password': 'guess'})}"):
        for body in (b"[]", b"{}", json.dumps({"hashes": [ids["hash"]], "uids": [ids["uid"]]}).encode()):
            if row.method in ("POST", "PUT") or body == b"[]":
                sent = (body, "application/json") if row.method in ("POST", "PUT") else (None, "")
                judge(row, stranger.ask(row.method, path_of(row, hidden) + query, *sent), (query, body))


@pytest.mark.parametrize(
    "index", [index for index, row in enumerate(ROWS) if "missions/{name}" in row.path], ids=lambda index: NAMES[index]
)
def test_a_hidden_mission_is_answered_as_one_that_is_not(
    index: int, hidden: dict[str, bytes], stranger: Stranger
) -> None:
    row = ROWS[index]
    if row.work is not None and row.work.name == "mission_save":
        pytest.skip("a name can be taken once; that is all its refusal says")
    sent = (b"[]", "application/json") if row.method in ("POST", "PUT") else (None, "")
    answers = []
    for name in (b"hidden-mission", b"absent-mission"):
        answer = stranger.ask(row.method, path_of(row, {**hidden, "name": name}), *sent)
        answers.append((answer.status, answer.body.replace(name, b"NAME")))
    assert answers[0] == answers[1]


# -- wrong credentials ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def credentials(node: ServedNode, hidden: dict[str, bytes]) -> dict[str, str]:
    """Authorization headers that open nothing: made with the node's own key where a thief could have one."""
    key, node_id = own_key(node), node.api.me()["node"]["id"]
    own = TokenSigner(key, node_id)
    now_ms, hour_ms = int(time.time() * 1000), 3_600_000
    name = fresh("gone")
    node.api.make_user(name=name, password="long enough for all", role="admin")
    node.api.drop_user(name)
    dropped = node.api.make_token(name=fresh("token"))
    node.api.drop_token(dropped["name"])
    claims = {"sub": "operator", "aud": LOGIN_AUDIENCE, "iss": node_id, "nbf": 0, "exp": 1 << 40}
    basic = {
        "no password": b"operator:",
        "a guess": b"operator:password1",
        "nobody": b":",
        "no colon": b"operator",
        "a colon more": b"operator:a:b",
        "long": b"x" * 20_000 + b":" + b"y" * 20_000,
        "controls": b"a\x00b:\x1b[2J",
        "no UTF-8": b"\xff:\xff",
    }
    bearer = {
        "expired": own.sign(LOGIN_AUDIENCE, "operator", now_ms - 2 * hour_ms, hour_ms),
        "too early": own.sign(LOGIN_AUDIENCE, "operator", now_ms + hour_ms, hour_ms),
        "of a mission": own.sign("mission", "operator", now_ms, hour_ms),
        "of nobody": own.sign(LOGIN_AUDIENCE, name, now_ms, hour_ms),
        "foreign": TokenSigner(new_key(), node_id).sign(LOGIN_AUDIENCE, "operator", now_ms, hour_ms),
        "of another node": TokenSigner(key, "another").sign(LOGIN_AUDIENCE, "operator", now_ms, hour_ms),
        "unsigned": jwt.encode(claims, None, "none"),
        "HS256": jwt.encode(claims, "k" * 32, "HS256"),
        "taken back": dropped["token"],
        "half": node.token[:-1],
        "long": "x" * 50_000,
        "empty": "",
    }
    plain = {
        "digest": 'Digest username="operator"',
        "nonsense": "\x80\xff",
        "scheme alone": "Basic",
        "bad": "Basic !!",
        "no ASCII": "Basic \xe9\xe9",
    }
    return (
        {f"basic, {key}": f"Basic {b64encode(value).decode()}" for key, value in basic.items()}
        | {f"bearer, {key}": f"Bearer {value}" for key, value in bearer.items()}
        | plain
        | {"none": ""}
    )


def own_key(node: ServedNode) -> str:
    """With which the node signs."""
    shelf = SecretStore(node.data / "secrets" / "secrets.db")
    key = str(shelf.get(SIGNING_KEY))
    shelf.close()
    return key


def test_each_wrong_credential_is_refused(nobody: Stranger, credentials: dict[str, str]) -> None:
    row = next(row for row in ROWS if row.path == "/Marti/api/clientEndPoints")
    for name, value in credentials.items():
        answer = nobody.ask("GET", row.path, headers={"authorization": value} if value else {})
        judge(row, answer, name)
        assert answer.status in (401, 429), name
        assert ("retry-after" if answer.status == 429 else "www-authenticate") in answer.headers, name


@pytest.mark.parametrize("index", range(len(ROWS)), ids=NAMES)
def test_no_row_opens_to_a_wrong_credential(index: int, nobody: Stranger, credentials: dict[str, str]) -> None:
    row = ROWS[index]
    sent = (b"[]", "application/json") if row.method in ("POST", "PUT") else (None, "")
    for name in some(index, list(credentials), 4, long=False):
        header = {"authorization": credentials[name]} if credentials[name] else {}
        answer = nobody.ask(row.method, path_of(row), *sent, headers=header)
        judge(row, answer, name)
        assert answer.status in ((400, 401, 429) if row.role == "login" else (401, 429)), (name, answer)


@pytest.mark.parametrize("index", range(len(ROWS)), ids=NAMES)
def test_an_invitation_and_a_device_reach_their_own_rows_only(
    index: int, node: ServedNode, nobody: Stranger, stranger: Stranger, invitation: str
) -> None:
    row = ROWS[index]
    sent = (b"[]", "application/json") if row.method in ("POST", "PUT") else (None, "")
    invited = nobody.ask(row.method, path_of(row), *sent, headers={"authorization": invitation})
    judge(row, invited, "an invitation")
    assert row.role in ("enrolling", "login") or invited.status == 403
    if row.role in ("operator", "admin"):
        refused = stranger.ask(row.method, path_of(row), *sent)
        judge(row, refused, "a device")
        assert refused.status == 403


@pytest.fixture(scope="module")
def invitation(node: ServedNode) -> str:
    """A header that may enrol and do nothing else."""
    name = fresh("INVITED")
    made = node.api.invite_device(name=name)
    return "Basic " + b64encode(f"{name}:{made['token']}".encode()).decode()


def test_who_is_refused_stands_in_the_journal_but_does_not_fill_it(
    node: ServedNode, nobody: Stranger, stranger: Stranger, invitation: str
) -> None:
    def refusals() -> list[dict[str, Any]]:
        rows = node.api.entries(kind="act", newest=True, limit=1_000)
        return [row["body"] for row in rows if row["body"]["action"] == "device.refuse"]

    for _ in range(50):
        stranger.ask("GET", "/Marti/api/certadmin/cert")
        nobody.ask("GET", "/Marti/api/clientEndPoints", headers={"authorization": invitation})
        nobody.ask("GET", "/Marti/api/clientEndPoints", headers={"authorization": "Bearer guess"})

    def has(reason: str) -> bool:
        return any(each["detail"]["reason"] == reason for each in refusals())

    wait_until(lambda: has("role") and has("invitation") and has("login"), "all kinds of refusals are journalled")
    # Thirty a minute; the tests of this file may have run in several minutes.
    assert len(refusals()) <= 30 * 10
    said = json.dumps(refusals())
    assert "guess" not in said
    assert b64encode(b"x" * 300).decode() not in said
