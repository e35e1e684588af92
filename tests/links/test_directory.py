"""The client's half of LDAP and HTTP: what a person types, and what a hostile server answers."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder
from pyasn1_ldap.rfc4511 import Filter as AsnFilter

from aquila.links.directory import ANSWER_BYTES_MAX, DirectoryError, ber
from aquila.links.directory.filters import dn_value, read_filter
from aquila.links.directory.https import ask, checked_url
from aquila.links.directory.ldap import LdapDirectory, LdapSettings, same_dn

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
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


def test_distinguished_names_are_the_same_but_for_capitals_and_spaces() -> None:
    assert same_dn("CN=Watch Officers, OU = groups,DC=x", "cn=watch officers,ou=groups,dc=x")
    assert not same_dn("cn=a,ou=b", "cn=a\\,ou=b")
    assert not same_dn("cn=a,ou=b", "cn=a")


async def answered(answer: Answer, work: Callable[[int], Awaitable[Any]]) -> Any:
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


def telling(data: bytes, times: int = 1) -> Answer:
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
        (bound(2) + ENTRY * 20, 1, "more than"),
    ],
)
def test_a_directory_that_answers_nonsense_is_a_directory_in_trouble(said: bytes, times: int, sentence: str) -> None:
    with pytest.raises(DirectoryError, match=sentence):
        asyncio.run(answered(telling(said, times), log_in))


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
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, "."),
    ],
)
def test_a_provider_that_answers_nonsense_is_a_provider_in_trouble(said: bytes, sentence: str) -> None:
    def work(port: int) -> Awaitable[Any]:
        return ask(f"http://127.0.0.1:{port}/x", context=ssl.create_default_context(), timeout_s=3.0)

    with pytest.raises(DirectoryError, match=sentence):
        asyncio.run(answered(telling(said), work))


@pytest.mark.parametrize(
    "text",
    ["http://login.example", "ftp://x", "https://", "https://user:secret@x", "https://x/#y", "https://x:99999", "x"],
)
def test_only_encrypted_addresses_of_others_are_asked(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        checked_url(text)
