"""Access by the TAK server's contract: a login that gives a token (OAuth 2, the form with a password)."""

import asyncio
import hashlib
from typing import Any, Protocol

import msgspec

from aquila.codecs.cot.marti import as_json
from aquila.core.contract import Call, Reply
from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, Endpoint
from aquila.core.model import Principal
from aquila.links.pki.tokens import TokenSigner

LOGIN_AUDIENCE = "login"
LOGIN_LIFE_MS = 12 * 3_600_000
"""A watch. Name and password behind the token are looked up at every use: who is removed is out at once all the same,
and a changed password ends what was given for the one before it."""
ERRORS = {400: "invalid_request", 401: "invalid_grant", 403: "invalid_grant", 429: "slow_down"}


MARK = "pwd"


class Kept(Protocol):
    """What is asked of the part `secrets` of a node."""

    def get(self, name: str) -> Any:  # JSON
        """The value; None = there is none."""
        ...


def password_secret(name: str) -> str:
    """Name under which the secret store knows a user's password hash."""
    return f"password/{name}"


def password_mark(secrets: Kept, name: str) -> str:
    """Tells one password of a user from the next and says nothing of it: a digest of the salted hash that is kept.

    Somebody whose password is kept elsewhere (a directory) always has the same.
    """
    return hashlib.sha256(f"{MARK}\0{name}\0{secrets.get(password_secret(name))}".encode()).hexdigest()[:32]


class LogIn(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing but who asks matters."""


class LoggedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A token (RFC 7519) that says who somebody is."""

    token: str
    life_s: int


async def log_in(principal: Principal, ask: LogIn, desk: Desk) -> LoggedIn | Refused:
    """Sign a token for a person."""
    kind, _, name = principal.id.partition(":")
    if kind != "person":
        return Refused("person", "only persons log in")
    signer: TokenSigner = desk.part("tokens")
    mark = await asyncio.to_thread(password_mark, desk.part("secrets"), name)
    token = signer.sign(LOGIN_AUDIENCE, name, desk.now_ms(), LOGIN_LIFE_MS, {MARK: mark})
    return LoggedIn(token=token, life_s=LOGIN_LIFE_MS // 1000)


def _ask(call: Call) -> LogIn:
    if call.one("grant_type") != "password":
        raise ValueError("grant_type: password is the only one here")
    return LogIn()


def _render(answer: LoggedIn, call: Call) -> Reply:
    return as_json({"access_token": answer.token, "token_type": "bearer", "expires_in": answer.life_s})


def _fail(status: int, code: str, sentence: str) -> Reply:
    # Clients look for these very words.
    said = "Bad credentials" if status in (401, 403) else sentence
    return as_json({"error": ERRORS.get(status, "server_error"), "error_description": said}, status=status)


log_in_command = Command(
    name="log_in",
    method="POST",
    path="/logins",
    request=LogIn,
    answer=LoggedIn,
    role="viewer",
    act=log_in,
)

endpoints = (
    Endpoint(
        method="POST",
        path="/oauth/token",
        work=log_in_command,
        ask=_ask,
        render=_render,
        role="login",
        fail=_fail,
        source="tak.md 6.3",
    ),
)
