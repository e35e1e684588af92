"""Auth: who asks. One-time links, passwords, sessions in a cookie, bearer tokens; what they may is in Access."""

import asyncio
import re
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

import msgspec

from aquila.core.feature import ROLES, Role
from aquila.core.model import Principal
from aquila.core.view import view_of
from aquila.features.access import (
    Access,
    Secrets,
    hash_of,
    invite_secret,
    is_password,
    password_hash,
    password_secret,
    token_secret,
)
from aquila.features.access.view import Grant, GrantKind, principal_of
from aquila.features.devices.refusals import Noter
from aquila.features.devices.view import target_of
from aquila.web_api.errors import WebError
from aquila.web_api.foreign import ForeignLogins
from aquila.web_api.guesses import Guesses
from aquila.web_api.port import NodePort

KEY_LIFE_MS = 600_000
SESSION_LIFE_MS = 7 * 86_400_000
SESSIONS_MAX = 10_000
KEYS_MAX = 1_000
PASSWORDS_AT_ONCE = 2
"""Each check of a password takes 64 MiB."""


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and what proves it.

    Attributes:
        session: hash of its session; None = it came with a token.
        grant: as it was when it came; a connection ends when it is no longer the same.
    """

    principal: Principal
    grant: Grant
    session: str | None = None


class _Session(msgspec.Struct, frozen=True):
    name: str
    ends_ms: int


class Gate:
    """Keys, sessions and tokens of one node.

    Args:
        port: its part `secrets` keeps hashes; its view `access` says who is who.
        foreign: lets in whom others know; None = nobody.
    """

    def __init__(self, port: NodePort, foreign: ForeignLogins | None = None) -> None:
        self._port = port
        self._foreign = foreign
        self._keys: OrderedDict[str, tuple[str, int]] = OrderedDict()
        self._sessions: OrderedDict[str, _Session] = OrderedDict()
        self._turn = -1
        self.guesses = Guesses(port.clock_ms)
        self._checks = asyncio.Semaphore(PASSWORDS_AT_ONCE)
        self._decoy: str | None = None
        self.cookie = "aquila_" + re.sub(r"[^A-Za-z0-9]", "", port.node)[:16]
        """Named after the node: browsers share cookies between the ports of one address."""

    @property
    def _secrets(self) -> Secrets:
        found: Secrets = self._port.part("secrets")
        return found

    @property
    def _access(self) -> Access:
        return view_of(self._port.views, "access", Access)

    async def open(self) -> None:
        """Take up the sessions of before a restart."""
        kept = await asyncio.to_thread(self._secrets.named, "session/")
        now_ms = self._port.clock_ms()
        for name, value in kept.items():
            session = msgspec.convert(value, _Session)
            if session.ends_ms > now_ms:
                self._sessions[name.removeprefix("session/")] = session
            else:
                await asyncio.to_thread(self._secrets.remove, name)
        for name, value in (await asyncio.to_thread(self._secrets.named, "invite/")).items():
            if value["ends_ms"] <= now_ms:
                await asyncio.to_thread(self._secrets.remove, name)

    # -- coming in --------------------------------------------------------------------------------------------------

    def issue_key(self, user: str) -> str:
        """A key for GET /login?key=: good once, for ten minutes."""
        key = secrets.token_urlsafe(24)
        self._keys[hash_of(key)] = (user, self._port.clock_ms() + KEY_LIFE_MS)
        if len(self._keys) > KEYS_MAX:
            self._keys.popitem(last=False)
        return key

    async def redeem(self, key: str, address: str) -> str | None:
        """The value of a new session cookie for a one-time key; None = unknown, used or too old."""
        # A counter of its own: whoever guesses passwords at this address must not shut out who holds a link.
        self.guesses.count(f"link {address}")
        user, ends_ms = self._keys.pop(hash_of(key), ("", 0))
        if self._port.clock_ms() < ends_ms:
            return await self._new_session(user)
        return await self._accept(key)

    async def _accept(self, key: str) -> str | None:
        """The same for the link of an invitation, which the store keeps over a restart."""
        kept: Any = await asyncio.to_thread(self._secrets.get, invite_secret(key))
        # Whoever removes it comes in; a second press on the same link finds nothing.
        if not isinstance(kept, dict) or not await asyncio.to_thread(self._secrets.remove, invite_secret(key)):
            return None
        if self._port.clock_ms() >= kept["ends_ms"]:
            return None
        return await self._new_session(kept["name"])

    async def log_in(self, user: str, password: str, address: str) -> str | None:
        """The value of a new session cookie for a name and password; None = they do not match."""
        if not await self.is_password(user, password, address):
            return None
        return await self._new_session(self._spelled(user))

    async def log_in_foreign(self, user: str) -> str | None:
        """The value of a new session cookie for a user who has proved elsewhere who he is; None = no user any more."""
        return await self._new_session(user)

    async def is_password(self, user: str, password: str, address: str) -> bool:
        """Do name and password match? Dear, and counted against address and name: raises WebError 429.

        Who has no password here is asked for in the directory; then also WebError 403 and 503. What fails stands in the
        journal, so that who runs the node sees that somebody tries.
        """
        try:
            self.guesses.count(address, user.casefold())
            is_right = await self._is_password(self._spelled(user), password)
        except WebError as wrong:
            self.note(target_of(user), wrong.body.code, wrong.body.reason, address)
            raise
        if not is_right:
            self.note(target_of(user), "login", "name and password do not match", address)
        else:
            self._refusals().let_in(address)
        return is_right

    def note(self, target: str, reason: str, sentence: str, address: str) -> None:
        """Somebody was refused."""
        self._refusals().note(target, reason, sentence, address)

    def _refusals(self) -> Noter:
        noter: Noter = self._port.part("refusals")
        return noter

    async def _is_password(self, user: str, password: str) -> bool:
        async with self._checks:
            kept = await asyncio.to_thread(self._secrets.get, password_secret(user))
            if self._decoy is None:
                self._decoy = await asyncio.to_thread(password_hash, secrets.token_urlsafe(24))
            # An unknown name takes as long as a wrong password, so that names cannot be guessed by the clock.
            right = await asyncio.to_thread(is_password, kept or self._decoy, password)
        if kept is None and self._foreign is not None:
            return await self._foreign.is_password(user, password)
        return bool(right and kept)

    def _spelled(self, user: str) -> str:
        """A directory tells Ann from ann no more than people do; the users of this node are told apart."""
        if self._foreign is None or self._access.grant(self._port.node, "user", user) is not None:
            return user
        return user.lower()

    def person(self, user: str) -> Principal | None:
        """Who a user is that has proven its name; None = no user of this node any more."""
        asker = self._asker("user", self._spelled(user), None)
        return None if asker is None else asker.principal

    async def _new_session(self, user: str) -> str | None:
        if self._access.grant(self._port.node, "user", user) is None:
            return None
        value = secrets.token_urlsafe(32)
        session = _Session(user, self._port.clock_ms() + SESSION_LIFE_MS)
        # The store first: what is not in it is ended.
        await asyncio.to_thread(self._secrets.put, f"session/{hash_of(value)}", msgspec.to_builtins(session))
        self._sessions[hash_of(value)] = session
        if len(self._sessions) > SESSIONS_MAX:
            await self._end(next(iter(self._sessions)))
        return value

    async def log_out(self, asker: Asker) -> None:
        """End the session; its connections close within two seconds."""
        if asker.session is not None:
            await self._end(asker.session)

    async def _end(self, session: str) -> None:
        self._sessions.pop(session, None)
        await asyncio.to_thread(self._secrets.remove, f"session/{session}")

    # -- who asks ---------------------------------------------------------------------------------------------------

    async def asker(self, headers: Mapping[str, str]) -> Asker | None:
        """Who sent a request with these headers (names in lower case); None = nobody we know."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return await self._by_token(token.strip())
        value = _cookie_of(headers.get("cookie", ""), self.cookie)
        return None if value is None else self._by_session(hash_of(value))

    async def _by_token(self, token: str) -> Asker | None:
        kept: Any = await asyncio.to_thread(self._secrets.get, token_secret(token))
        if not isinstance(kept, dict):
            return None
        return self._asker("token", str(kept.get("name", "")), None)

    def _session(self, session: str) -> _Session | None:
        """None = unknown or ended. A new password or a removed user takes sessions out of the store: seen here then."""
        if self._turn != self._access.turn:
            self._turn = self._access.turn
            kept = self._secrets.named("session/")
            left = ((key, each) for key, each in self._sessions.items() if f"session/{key}" in kept)
            self._sessions = OrderedDict(left)
        return self._sessions.get(session)

    def _by_session(self, session: str) -> Asker | None:
        kept = self._session(session)
        if kept is None or self._port.clock_ms() >= kept.ends_ms:
            return None
        return self._asker("user", kept.name, session)

    def _asker(self, kind: GrantKind, name: str, session: str | None) -> Asker | None:
        grant = self._access.grant(self._port.node, kind, name)
        if grant is None or self._is_over(grant):
            return None
        return Asker(principal=principal_of(grant, self._port.context), grant=grant, session=session)

    def _is_over(self, grant: Grant) -> bool:
        return grant.expires_at_ms is not None and self._port.clock_ms() >= grant.expires_at_ms

    def is_still(self, asker: Asker) -> bool:
        """Does what an asker came with still hold? Cheap: for connections that stay open."""
        if asker.session is not None:
            kept = self._session(asker.session)
            if kept is None or self._port.clock_ms() >= kept.ends_ms:
                return False
        grant = asker.grant
        return self._access.grant(self._port.node, grant.kind, grant.name) == grant and not self._is_over(grant)


def has_role(principal: Principal, role: Role) -> bool:
    """May the principal do what needs this role?"""
    return any(each in principal.roles for each in ROLES[ROLES.index(role) :])


def need_role(asker: Asker | None, role: Role) -> Asker:
    """The asker, if it is known and has the role; raises WebError 401 or 403."""
    if asker is None:
        raise WebError(
            401,
            "login",
            "nobody is logged in",
            do="open the link that the node printed, log in at /login, or send Authorization: Bearer TOKEN",
        )
    if not has_role(asker.principal, role):
        own = ", ".join(asker.principal.roles) or "none"
        raise WebError(403, "role", f"this needs the role {role}; yours: {own}", do="ask an administrator of this node")
    return asker


def _cookie_of(header: str, name: str) -> str | None:
    try:
        morsel = SimpleCookie(header).get(name)
    except CookieError:
        return None
    return None if morsel is None else morsel.value
