"""The client's half of LDAP and HTTP: what a person types, and what a hostile server answers."""

import asyncio
import base64
import json
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder
from pyasn1_ldap.rfc4511 import Filter as AsnFilter

from aquila.config import PersonRule
from aquila.links.directory import ANSWER_BYTES_MAX, DirectoryError, NotProven, Person, ber, oidc
from aquila.links.directory.filters import dn_value, read_filter
from aquila.links.directory.https import Answer, ask, checked_url
from aquila.links.directory.ldap import LdapDirectory, LdapSettings, same_dn
from aquila.links.directory.oidc import KEYS_MAX, OidcProvider, OidcSettings, key_name, keys_of
from aquila.web_api.foreign import rule_for

Say = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
TEXT = st.text(st.characters(codec="utf-8"), max_size=300)


def decoded(encoded: bytes) -> Any:
    """A filter as another implementation reads it."""
    found, rest = decoder.decode(encoded, asn1Spec=AsnFilter())
    assert not rest
    return found


@given(TEXT)
def test_what_a_person_types_is_one_value_of_the_filter_and_nothing_else(typed: str) -> None:
    template = read_filter("(&(objectClass=person)(|(uid={name})(mail={name}@x.example)))")
    found = decoded(template.encode({"name": typed, "dn": ""}))["and"]
    either = found[1]["or"]
    assert [each.getName() for each in found] == ["equalityMatch", "or"]
    assert bytes(either[0]["equalityMatch"]["assertionValue"]).decode() == typed
    assert bytes(either[1]["equalityMatch"]["assertionValue"]).decode() == f"{typed}@x.example"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("(uid=*)", "present"),
        ("(uid=a*b*{name})", "substrings"),
        ("(!(uid=x))", "not"),
        ("(age>=5)", "greaterOrEqual"),
        ("(age<=5)", "lessOrEqual"),
        ("(cn~=x)", "approxMatch"),
        ("(member:1.2.840.113556.1.4.1941:={dn})", "extensibleMatch"),
        (r"(cn=\28\2a\29)", "equalityMatch"),
    ],
)
def test_every_form_of_a_filter_is_read_by_others_as_it_was_meant(text: str, kind: str) -> None:
    found = decoded(read_filter(text).encode({"name": "ann", "dn": "cn=x"}))
    assert found.getName() == kind
    if kind == "substrings":
        pieces = [(each.getName(), str(each.getComponent())) for each in found[kind]["substrings"]]
        assert pieces == [("initial", "a"), ("any", "b"), ("final", "ann")]
    if kind == "equalityMatch":
        assert str(found[kind]["assertionValue"]) == "(*)"
    if kind == "extensibleMatch":
        rule = found[kind]
        assert (str(rule["matchingRule"]), str(rule["matchValue"])) == ("1.2.840.113556.1.4.1941", "cn=x")


@pytest.mark.parametrize(
    "text",
    ["", "uid=x", "(uid=x", "(uid=x))", "(&)", "(!(a=1)(b=2))", "(uid={nmae})", "(uid=a\\z)", "(=x)", "(a=b(c)"],
)
def test_a_filter_that_is_none_is_refused_with_itself_in_the_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="filter"):
        read_filter(text)


@given(TEXT)
def test_a_name_inside_a_distinguished_name_stays_one_value(typed: str) -> None:
    escaped = dn_value(typed)
    plain = escaped.replace("\\\\", "")
    for special in ',+"<>;=':
        assert plain.count(special) == plain.count("\\" + special)
    assert not escaped.startswith((" ", "#"))


@given(st.binary(max_size=400))
def test_bytes_that_are_no_values_raise_and_nothing_else(data: bytes) -> None:
    try:
        found = ber.values(data)
    except ValueError:
        return
    assert sum(len(content) for _, content in found) <= len(data)


@pytest.mark.parametrize("number", [0, 1, 127, 128, 255, 256, 65_535, 1 << 31])
def test_numbers_come_back(number: int) -> None:
    ((tag, content),) = ber.values(ber.integer(number))
    assert (tag, ber.number_of(content)) == (ber.INTEGER, number)


def test_the_first_rule_with_one_of_a_persons_groups_counts() -> None:
    rules = [PersonRule(group=f"cn=g{number},dc=x", role="viewer") for number in range(50)]
    long = tuple("a," * 400 + str(number) for number in range(1_000))
    for group, found in (("CN=G7, dc = X", rules[7]), ("cn=g7 dc=x", None)):
        assert rule_for(Person(by="ldap", name="ann", groups=(*long, group)), rules) == found
    assert rule_for(Person(by="oidc", name="ann", groups=("CN=G7,DC=X",)), rules) is None


def test_distinguished_names_are_the_same_but_for_capitals_and_spaces() -> None:
    assert same_dn("CN=Watch Officers, OU = groups,DC=x", "cn=watch officers,ou=groups,dc=x")
    assert not same_dn("cn=a,ou=b", "cn=a\\,ou=b")
    assert not same_dn("cn=a,ou=b", "cn=a")


async def answered(answer: Say, work: Callable[[int], Awaitable[Any]]) -> Any:
    """Ask a server on this machine that answers so."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        return await work(server.sockets[0].getsockname()[1])


def telling(data: bytes, times: int = 1) -> Say:
    """Hear something, then say this again and again."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        for _ in range(times):
            writer.write(data)
            await writer.drain()
        # An end with something unheard would be a reset, and the other side would lose what it has not read.
        writer.write_eof()
        await reader.read()

    return answer


def bound(number: int, code: int = 0) -> bytes:
    """The answer to a bind."""
    result = ber.tlv(0x61, ber.integer(code, ber.ENUMERATED), ber.octets(""), ber.octets(""))
    return ber.tlv(ber.SEQUENCE, ber.integer(number), result)


def log_in(port: int) -> Awaitable[Any]:
    settings = LdapSettings(
        host="127.0.0.1", port=port, tls="none", context=None, person_dn="uid={name},dc=x", timeout_s=3.0
    )
    return LdapDirectory(settings).person("ann", "secret")


def look_up(port: int, name: str = "ann", password: str = "secret") -> Awaitable[Any]:
    """As log_in, but an account looks the person up first."""
    settings = LdapSettings(host="127.0.0.1", port=port, tls="none", context=None, base="dc=x", timeout_s=3.0)
    return LdapDirectory(settings).person(name, password)


def message(number: int, tag: int, *parts: bytes) -> bytes:
    return ber.tlv(ber.SEQUENCE, ber.integer(number), ber.tlv(tag, *parts))


def entry(number: int, dn: str, *groups: str) -> bytes:
    values = ber.tlv(ber.SET, *(ber.octets(group) for group in groups))
    described = ber.tlv(ber.SEQUENCE, ber.octets("memberOf"), values)
    return message(number, 0x64, ber.octets(dn), ber.tlv(ber.SEQUENCE, described))


def done(number: int, code: int = 0) -> bytes:
    return message(number, 0x65, ber.integer(code, ber.ENUMERATED), ber.octets(""), ber.octets(""))


REFERRAL = message(3, 0x73, ber.octets("ldap://127.0.0.1:389/dc=elsewhere"))
ENTRY = ber.tlv(ber.SEQUENCE, ber.integer(3), ber.tlv(0x64, ber.octets("x" * 60_000), ber.tlv(ber.SEQUENCE)))


@pytest.mark.parametrize(
    ("said", "times", "sentence"),
    [
        (b"", 1, "bytes read"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", 1, "begins with"),
        (b"\x30\x84\x7f\xff\xff\xff", 1, "more than"),
        (b"\x30\x80\x00\x00", 1, "length"),
        (b"\x30\x03\x02\x01\x02", 1, "another question"),
        (bound(7), 1, "another question"),
        (bound(2, 52), 1, "result 52"),
        (bound(2) + bound(3), 1, "tag 0x61 to a search"),
        (bound(2) + ENTRY * 20, 1, "more than the 1 entries"),
        (bound(2) + REFERRAL * 200, 1, "more than 100 referrals"),
        (bound(2) + entry(3, "uid=ann", *[""] * 6_000), 1, "more than 5000 values"),
        (bound(2) + entry(3, "uid=ann", "g" * ANSWER_BYTES_MAX), 1, "more than 1048576 bytes"),
        (bound(2, 10), 1, "result 10"),
        (bound(2) + done(3, 10), 1, "result 10"),
    ],
)
def test_a_directory_that_answers_nonsense_is_a_directory_in_trouble(said: bytes, times: int, sentence: str) -> None:
    with pytest.raises(DirectoryError, match=sentence):
        asyncio.run(answered(telling(said, times), log_in))


def test_groups_with_endless_names_are_left_out() -> None:
    said = bound(2) + entry(3, "uid=ann", "cn=staff", "g" * 1_001) + done(3)
    person = asyncio.run(answered(telling(said), log_in))
    assert person.groups == ("cn=staff",)


def test_an_entry_without_a_name_proves_nobody() -> None:
    """A directory may say yes to a bind without a name, whatever the password."""
    said = entry(2, "", "cn=staff") + done(2) + bound(3)
    with pytest.raises(DirectoryError, match="has no name"):
        asyncio.run(answered(telling(said), look_up))


def test_without_a_password_nobody_is_asked() -> None:
    async def heard(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pytest.fail("a bind without a password would succeed")

    assert asyncio.run(answered(heard, lambda port: look_up(port, password=""))) is None
    assert asyncio.run(answered(heard, lambda port: look_up(port, name=""))) is None


def test_a_referral_is_not_followed() -> None:
    """It would carry a password to whoever the directory names."""
    contacted = 0

    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal contacted
        contacted += 1
        writer.close()

    async def both() -> Any:
        async with await asyncio.start_server(elsewhere, "127.0.0.1", 0) as other:
            url = f"ldap://127.0.0.1:{other.sockets[0].getsockname()[1]}/uid=ann"
            said = bound(2) + message(3, 0x73, ber.octets(url)) + entry(3, "uid=ann", "cn=staff") + done(3)
            return await answered(telling(said), log_in)

    assert asyncio.run(both()).groups == ("cn=staff",)
    assert contacted == 0


async def trickling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One byte after another, each in time."""
    await reader.read(1)
    for byte in b"\x30\x83\x0f\xff\xff" + bytes(10_000):
        writer.write(bytes((byte,)))
        await writer.drain()
        await asyncio.sleep(0.02)


def test_a_directory_that_says_one_byte_at_a_time_is_given_up() -> None:
    settings = LdapSettings(
        host="127.0.0.1", port=0, tls="none", context=None, person_dn="uid={name},dc=x", timeout_s=0.3
    )

    def work(port: int) -> Awaitable[Any]:
        return LdapDirectory(msgspec.structs.replace(settings, port=port)).person("ann", "secret")

    with pytest.raises(DirectoryError, match="no answer in"):
        asyncio.run(answered(trickling, work))


def test_a_locked_account_is_a_wrong_password() -> None:
    assert asyncio.run(answered(telling(bound(2, 53)), log_in)) is None


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (b"", "ConnectionClosed"),
        (b"no http at all\r\n\r\n", "."),
        (HEAD % 5 + b"[1", "."),
        (HEAD % 3 + b"[1,", "truncated|malformed"),
        (HEAD % 100_000 + b"[" * 100_000, "."),
        (HEAD % (ANSWER_BYTES_MAX + 1) + b" " * (ANSWER_BYTES_MAX + 1), "more than"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 180_000, "more than"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 40_000, "more than"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, "."),
    ],
)
def test_a_provider_that_answers_nonsense_is_a_provider_in_trouble(said: bytes, sentence: str) -> None:
    with pytest.raises(DirectoryError, match=sentence):
        asyncio.run(answered(telling(said), asked))


def asked(port: int, timeout_s: float = 30.0) -> Awaitable[Any]:
    return ask(f"http://127.0.0.1:{port}/x", context=ssl.create_default_context(), timeout_s=timeout_s)


def test_a_provider_that_says_one_byte_at_a_time_is_given_up() -> None:
    with pytest.raises(DirectoryError, match="no answer in"):
        asyncio.run(answered(trickling, lambda port: asked(port, 0.3)))


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    said = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    answer = asyncio.run(answered(telling(said), asked))
    assert (answer.status, answer.body) == (302, None)


def test_others_are_heard_while_a_provider_floods_the_node() -> None:
    """Chunks of one byte: a great deal of work for few bytes."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def work(port: int) -> Any:
        task = asyncio.create_task(others())
        try:
            return await asked(port)
        finally:
            task.cancel()

    said = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 180_000
    with pytest.raises(DirectoryError, match="more than"):
        asyncio.run(answered(telling(said), work))
    # At least once for every 4 KiB of it.
    assert turns >= ANSWER_BYTES_MAX // 4096


@pytest.mark.parametrize(
    "text",
    [
        "http://login.example",
        "ftp://x",
        "https://",
        "https://user:secret@x",
        "https://x/#y",
        "https://x:99999",
        "x",
        "https://x/a b",
        "https://x/a\r\nSet-Cookie: y",
        "https://x/\x00",
        "https://x/é",
    ],
)
def test_only_encrypted_addresses_of_others_are_asked(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        checked_url(text)


def base64url(data: bytes | str) -> str:
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else data.encode()).rstrip(b"=").decode()


N = rsa.generate_private_key(65537, 2048).public_key().public_numbers().n.to_bytes(256, "big")
GOOD = {"kty": "RSA", "kid": "one", "n": base64url(N), "e": "AQAB"}


@pytest.mark.parametrize(
    ("told", "names"),
    [
        ([GOOD], ["one"]),
        ([GOOD, {**GOOD, "kid": ["one"]}], ["one", None]),
        ([GOOD, 5, None, "x", [], {}], ["one"]),
        ([{**GOOD, "n": base64url(N[:128])}], []),
        ([{**GOOD, "n": base64url(b"\xff" * 2048)}], []),
        ([{**GOOD, "n": base64url(b"\xff" * 500_000)}], []),
        ([{**GOOD, "n": 5, "e": 5}], []),
        ([{**GOOD, "n": ""}], []),
        ([{**GOOD, "e": "AA"}], []),
        ([{**GOOD, "alg": "RS512"}], []),
        ([{**GOOD, "alg": "HS256"}], []),
        ([{**GOOD, "use": "enc"}], []),
        ([{**GOOD, "use": []}], []),
        ([{"kty": "oct", "kid": "one", "k": "c2VjcmV0"}], []),
        ([{"kty": "EC", "kid": "one", "crv": "P-256", "x": "AA", "y": "AA"}], []),
        ([{"kty": "EC", "kid": "one", "crv": [], "x": "AA", "y": "AA"}], []),
    ],
)
def test_only_proper_keys_of_a_provider_are_taken(told: list[Any], names: list[str | None]) -> None:
    assert list(keys_of({"keys": told})) == names


def test_of_a_key_only_its_public_half_is_read() -> None:
    """The primes of a private one would be looked for: of one with 16,384 bits that took the node 25 s."""
    (key,) = keys_of({"keys": [{**GOOD, "d": base64url(b"\xfe" * 2048), "p": "AA", "q": "AA"}]}).values()
    assert isinstance(key.key, rsa.RSAPublicKey)


@pytest.mark.parametrize("told", [5, None, "abc", {"one": GOOD}, [GOOD] * (KEYS_MAX + 1)])
def test_what_is_no_list_of_keys_is_a_provider_in_trouble(told: Any) -> None:
    with pytest.raises(DirectoryError, match="at most 100"):
        keys_of({"keys": told})


@pytest.mark.parametrize(
    "header",
    [
        *(
            {"alg": alg}
            for alg in (None, "none", "None", "HS256", "RS512", "", ["RS256"], {"RS256": 1}, 5, "x" * 9_000)
        ),
        {"alg": "RS256", "kid": ["one"]},
        {"alg": "RS256", "crit": ["exp"]},
        [],
        "RS256",
    ],
)
def test_a_token_whose_head_is_odd_proves_nothing(header: Any) -> None:
    token = ".".join((base64url(json.dumps(header)), base64url("{}"), base64url("x")))
    with pytest.raises(NotProven) as refused:
        key_name(token)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "x" * 100_000, base64url("[" * 100_000) + ".e30.eA"])
def test_what_is_no_token_proves_nothing(token: str) -> None:
    with pytest.raises(NotProven):
        key_name(token)


def provider_at(issuer: str) -> OidcProvider:
    settings = OidcSettings(issuer=issuer, client="aquila", context=ssl.create_default_context())
    return OidcProvider(settings, lambda: 0)


@pytest.mark.parametrize("which", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/x", "http://localhost/x", "http://[::1]/x", "https://x/a b"])
def test_a_provider_elsewhere_cannot_send_the_node_to_its_own_ports(
    monkeypatch: pytest.MonkeyPatch, which: str, url: str
) -> None:
    issuer = "https://login.example"
    said = {name: f"{issuer}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}

    async def told(*_: Any, **__: Any) -> Answer:
        return Answer(200, {"issuer": issuer, **said, which: url})

    monkeypatch.setattr(oidc, "ask", told)
    with pytest.raises(DirectoryError, match=r"is not encrypted|is no address"):
        asyncio.run(provider_at(issuer).begin("https://node/login/oidc/callback"))
