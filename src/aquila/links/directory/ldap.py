"""LDAP: asks a directory whether a password is a person's own, and in which groups he is (RFC 4511).

The few requests that a login needs, and no more: bind, search, StartTLS. Each login has a connection of its own, so
that one person's bind never stands for another's. Referrals are not followed: they would carry a password elsewhere.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from typing import Literal

import msgspec

from aquila.links.directory import ANSWER_BYTES_MAX, DirectoryError, Person, ber
from aquila.links.directory.filters import Filter, dn_value, read_filter

LOGINS_AT_ONCE = 8
GROUPS_MAX = 1_000
GROUP_LENGTH_MAX = 1_000
"""Of a name of a group; a longer one is left out: no rule names it."""
REFERRALS_MAX = 100
START_TLS = "1.3.6.1.4.1.1466.20037"
SUCCESS, SIZE_LIMIT, NO_SUCH_OBJECT = 0, 4, 32
WRONG_PASSWORD = frozenset({19, 32, 34, 48, 49, 50, 53})
"""Result codes of a bind that mean: not with this password, or not any more (locked, expired, unknown)."""
BASE, SUBTREE = 0, 2
ANYTHING = read_filter("(objectClass=*)")


class LdapSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How to ask a directory.

    Attributes:
        tls: from the first byte, after StartTLS, or not at all. context: says whom to trust; None = no TLS.
        person_dn: whom to bind as, with `{name}`; None = the account looks the person up.
        account_dn: empty = the look-up is anonymous.
        base: where persons are looked for, by `person_filter`.
        group_attribute: of a person's entry; its values are his groups.
        group_base: where entries that `group_filter` finds are his groups too; None = nowhere.
        timeout_s: for one whole login.
    """

    host: str
    port: int
    tls: Literal["first", "start", "none"]
    context: ssl.SSLContext | None
    person_dn: str | None = None
    account_dn: str = ""
    account_password: str = ""
    base: str = ""
    person_filter: Filter = read_filter("(uid={name})")
    group_attribute: str = "memberOf"
    group_base: str | None = None
    group_filter: Filter = read_filter("(member={dn})")
    timeout_s: float = 5.0


class Found(msgspec.Struct, frozen=True):
    """An entry of the directory. values: of the one attribute that was asked for."""

    dn: str
    values: tuple[str, ...]


class LdapDirectory:
    """A directory that knows persons by name and password."""

    def __init__(self, settings: LdapSettings) -> None:
        self._settings = settings
        self._logins = asyncio.Semaphore(LOGINS_AT_ONCE)

    async def person(self, name: str, password: str) -> Person | None:
        """The person of this name, if the password is his; None = it is not, or there is no such person.

        Raises DirectoryError when the directory cannot be asked or answers what cannot be used.
        """
        if not name or not password:
            # RFC 4513, 5.1.2: a bind without a password succeeds, and proves nothing.
            return None
        settings = self._settings
        where = f"{settings.host}:{settings.port}"
        try:
            async with asyncio.timeout(settings.timeout_s), self._logins, _connected(settings) as talk:
                return await self._proven(talk, name, password)
        except TimeoutError as late:
            raise DirectoryError(f"{where} gave no answer in {settings.timeout_s} s") from late
        except (OSError, EOFError) as down:
            raise DirectoryError(f"{where}: {down}") from down
        except ValueError as wrong:
            raise DirectoryError(f"{where} does not speak LDAP as it should: {wrong}") from wrong

    async def _proven(self, talk: "_Talk", name: str, password: str) -> Person | None:
        settings, typed = self._settings, {"name": name, "dn": ""}
        if settings.person_dn is not None:
            dn = settings.person_dn.replace("{name}", dn_value(name))
            if not await talk.bind(dn, password):
                return None
            entries = await talk.search(dn, BASE, ANYTHING.encode(typed), settings.group_attribute, 1)
        else:
            if settings.account_dn and not await talk.bind(settings.account_dn, settings.account_password):
                raise DirectoryError(f"the directory refuses the account {settings.account_dn}: see its password")
            wanted = settings.person_filter.encode(typed)
            entries = await talk.search(settings.base, SUBTREE, wanted, settings.group_attribute, 2)
            if not entries:
                return None
            if len(entries) > 1:
                raise DirectoryError("more than one entry has the name: make ldap_filter narrower")
            dn = entries[0].dn
            if not dn:
                # RFC 4513, 5.1.1: a bind without a name may succeed whatever the password, and proves nothing.
                raise DirectoryError("the entry that the directory gives has no name")
        groups = [group for entry in entries for group in entry.values]
        if settings.group_base is not None:
            wanted = settings.group_filter.encode({"name": name, "dn": dn})
            # 1.1 = no attributes at all (RFC 4511, 4.5.1.8): the name of a group is what counts.
            rows = await talk.search(settings.group_base, SUBTREE, wanted, "1.1", GROUPS_MAX)
            groups += [row.dn for row in rows]
        if settings.person_dn is None and not await talk.bind(dn, password):
            return None
        groups = [group for group in groups[:GROUPS_MAX] if len(group) <= GROUP_LENGTH_MAX]
        return Person(by="ldap", name=name, groups=tuple(groups))


class _Talk:
    """One conversation. Every answer is read before the next question, so the numbers only count up."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._number = 1
        self._bytes_left = ANSWER_BYTES_MAX

    async def bind(self, dn: str, password: str) -> bool:
        """May this name in with this password? Raises DirectoryError for any other trouble."""
        request = ber.tlv(0x60, ber.integer(3), ber.octets(dn), ber.octets(password, 0x80))
        await self._say(request)
        code = _result(await self._hear(0x61))
        if code != SUCCESS and code not in WRONG_PASSWORD:
            raise DirectoryError(f"the directory answers a bind with result {code}")
        return code == SUCCESS

    async def search(self, base: str, scope: int, wanted: bytes, attribute: str, limit: int) -> list[Found]:
        """At most `limit` entries. wanted: an encoded filter."""
        request = ber.tlv(
            0x63,
            ber.octets(base),
            ber.integer(scope, ber.ENUMERATED),
            ber.integer(0, ber.ENUMERATED),
            ber.integer(limit),
            ber.integer(0),
            ber.tlv(ber.BOOLEAN, b"\0"),
            wanted,
            ber.tlv(ber.SEQUENCE, ber.octets(attribute)),
        )
        await self._say(request)
        found: list[Found] = []
        referrals = 0
        while True:
            tag, content = await self._message()
            if tag == 0x64:
                found.append(_entry(content, attribute))
                if len(found) > limit:
                    raise ValueError(f"more than the {limit} entries that were asked for")
            elif tag == 0x65:
                code = _result(content)
                # A person may have no right to read his own entry; a base that is not there is a wrong setting.
                if code not in {SUCCESS, SIZE_LIMIT} and not (code == NO_SUCH_OBJECT and scope == BASE):
                    raise DirectoryError(f"the directory answers a search under {base!r} with result {code}")
                return found
            elif tag != 0x73:
                raise ValueError(f"an answer with the tag {tag:#x} to a search")
            elif (referrals := referrals + 1) > REFERRALS_MAX:
                raise ValueError(f"more than {REFERRALS_MAX} referrals to a search")

    async def _say(self, request: bytes) -> None:
        self._number += 1
        self._writer.write(ber.tlv(ber.SEQUENCE, ber.integer(self._number), request))
        await self._writer.drain()

    async def _hear(self, wanted: int) -> bytes:
        tag, content = await self._message()
        if tag != wanted:
            raise ValueError(f"an answer with the tag {tag:#x}, not {wanted:#x}")
        return content

    async def _message(self) -> tuple[int, bytes]:
        head = await self._reader.readexactly(2)
        if head[0] != ber.SEQUENCE:
            raise ValueError(f"a message begins with {head[0]:#x}")
        more = ber.length_bytes(head[1])
        size = int.from_bytes(await self._reader.readexactly(more), "big") if more else head[1]
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise ValueError(f"more than {ANSWER_BYTES_MAX} bytes in one login")
        return _operation(await self._reader.readexactly(size), self._number)


def _operation(message: bytes, number: int) -> tuple[int, bytes]:
    """Tag and content of what a message says."""
    parts = ber.values(message)
    if len(parts) < 2 or parts[0][0] != ber.INTEGER or ber.number_of(parts[0][1]) != number:
        raise ValueError("an answer to another question, or the end of the connection")
    return parts[1]


def _result(content: bytes) -> int:
    parts = ber.values(content)
    if not parts or parts[0][0] != ber.ENUMERATED:
        raise ValueError("a result without a code")
    return ber.number_of(parts[0][1])


def _entry(content: bytes, attribute: str) -> Found:
    parts = ber.values(content)
    if len(parts) != 2:
        raise ValueError(f"an entry of {len(parts)} parts")
    found: list[str] = []
    for _, described in ber.values(parts[1][1]):
        told = ber.values(described)
        if len(told) == 2 and told[0][1].decode().lower() == attribute.lower():
            found += [value.decode() for _, value in ber.values(told[1][1])]
    return Found(parts[0][1].decode(), tuple(found))


@asynccontextmanager
async def _connected(settings: LdapSettings) -> AsyncIterator[_Talk]:
    connection = await _socket(settings.host, settings.port)
    with ExitStack() as opened:
        opened.callback(connection.close)
        if settings.tls == "start":
            await _start_tls(connection)
        name = settings.host if settings.context is not None else None
        reader, writer = await asyncio.open_connection(sock=connection, ssl=settings.context, server_hostname=name)
        opened.pop_all()
    try:
        yield _Talk(reader, writer)
    finally:
        # No farewell is waited for: whoever was asked may be stuck.
        writer.transport.abort()


async def _socket(host: str, port: int) -> socket.socket:
    loop = asyncio.get_running_loop()
    trouble: OSError | None = None
    for family, kind, protocol, _, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        connection = socket.socket(family, kind, protocol)
        connection.setblocking(False)
        with ExitStack() as opened:
            opened.callback(connection.close)
            try:
                await loop.sock_connect(connection, address)
            except OSError as refused:
                trouble = refused
                continue
            opened.pop_all()
            return connection
    raise trouble or OSError(f"{host} has no address")


async def _start_tls(connection: socket.socket) -> None:
    """Ask for TLS. Not a byte more than the answer is read: what came unprotected must not be heard behind it."""
    loop = asyncio.get_running_loop()
    request = ber.tlv(0x77, ber.octets(START_TLS, 0x80))
    await loop.sock_sendall(connection, ber.tlv(ber.SEQUENCE, ber.integer(1), request))
    head = await _exactly(connection, 2)
    more = ber.length_bytes(head[1])
    size = int.from_bytes(await _exactly(connection, more), "big") if more else head[1]
    if head[0] != ber.SEQUENCE or size > 4096:
        raise ValueError("no answer to StartTLS")
    tag, content = _operation(await _exactly(connection, size), 1)
    if tag != 0x78 or (code := _result(content)) != SUCCESS:
        raise DirectoryError(f"the directory does not take StartTLS ({code if tag == 0x78 else hex(tag)})")


async def _exactly(connection: socket.socket, size: int) -> bytes:
    loop, got = asyncio.get_running_loop(), b""
    while len(got) < size:
        more = await loop.sock_recv(connection, size - len(got))
        if not more:
            raise EOFError("it closed the connection")
        got += more
    return got


def same_dn(one: str, other: str) -> bool:
    """Are two distinguished names the same, but for capitals and spaces around commas and equal signs?"""
    # Quickly first: a hostile directory may give a thousand long ones, each to be held against each rule.
    return squeezed(one) == squeezed(other) and _plain_dn(one) == _plain_dn(other)


def squeezed(dn: str) -> str:
    """A distinguished name without capitals and spaces: what is not the same so far is not the same name."""
    return "".join(dn.casefold().split())


def _plain_dn(text: str) -> Sequence[tuple[str, ...]]:
    parts, current, is_escaped = [], "", False
    for char in text:
        if char == "," and not is_escaped:
            parts.append(current)
            current = ""
        else:
            current += char
        is_escaped = char == "\\" and not is_escaped
    parts.append(current)
    return [tuple(piece.strip().casefold() for piece in part.partition("=")) for part in parts]
