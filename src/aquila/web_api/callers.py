"""Callers: who asks by a foreign contract: a device by its certificate, a person by password or token."""

import asyncio
import base64
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from aquila.core.contract import Reply
from aquila.core.errors import Refused
from aquila.core.model import Principal
from aquila.features.access import Secrets, hash_of, password_mark, password_secret
from aquila.features.access.marti import LOGIN_AUDIENCE, MARK
from aquila.features.devices.invitations import Invitation, invitation_of, invited
from aquila.features.devices.view import target_of
from aquila.links.pki.tokens import TokenSigner
from aquila.web_api.auth import Gate
from aquila.web_api.errors import WebError
from aquila.web_api.port import NodePort

PASSWORDS_KNOWN = 1_000
PASSWORD_KNOWN_MS = 300_000
TARGET_MAX = 64
UNKNOWN = "unknown"
"""Target of the refusal of whoever shows a certificate of nobody in force."""
Recognise = Callable[[bytes | None, str], Principal | Refused]
"""Says who a peer is from its certificate (DER) and its address."""


class Caller(msgspec.Struct, frozen=True):
    """Who asks. invitation: it may enrol one device with it and do nothing else; None = it is known."""

    principal: Principal
    invitation: Invitation | None = None


class Callers:
    """Finds out who asks.

    Args:
        port: the node; its parts `secrets`, `tokens` and `refusals` are used. gate: knows passwords and bearer tokens.
        recognise: knows certificates.
    """

    def __init__(self, port: NodePort, gate: Gate, recognise: Recognise) -> None:
        self._port = port
        self._gate = gate
        self._recognise = recognise
        self._right: OrderedDict[str, tuple[str, int]] = OrderedDict()

    async def caller(
        self, state: Mapping[str, Any], headers: Mapping[str, str], address: str, *, is_safe: bool = False
    ) -> Caller | None:
        """Who sent a request.

        Args:
            state: of the connection: its `certificate`, if one was shown.
            headers: names in lower case.
            address: of the peer; before anybody is known, only it can be limited.
            is_safe: it changes nothing: then the cookie of the page is enough; else it needs the header X-Aquila, as
                for our own API.

        Returns: None = nobody says who it is. Raises WebError 401 for a wrong password or token, 403 for a certificate
        that is not in force, 429 for too many tries.
        """
        certificate = state.get("certificate")
        if certificate is not None:
            found = self._recognise(certificate, address)
            if isinstance(found, Refused):
                self._gate.note(UNKNOWN, "certificate", found.detail, address)
                raise WebError(403, "certificate", found.detail, do="enrol the device anew")
            return Caller(found)
        scheme, _, value = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            return await self._by_password(*_user_and_password(value), address)
        if scheme.lower() == "bearer":
            return await self._by_bearer(value.strip(), address)
        asker = await self._gate.asker(headers) if is_safe or "x-aquila" in headers else None
        return None if asker is None else Caller(asker.principal)

    async def _by_password(self, user: str, password: str, address: str) -> Caller:
        invitation = await invited(self._secrets, password, self._port.clock_ms())
        if invitation is not None and invitation.fits(user):
            return self._invited(invitation)
        return Caller(await self.person(user, password, address))

    async def person(self, user: str, password: str, address: str) -> Principal:
        """Who has this name and password. Raises WebError 401 when they do not match, 429 for too many tries."""
        # With what is kept of the password now: one that was changed, or whose user is gone, is known no more.
        kept = await asyncio.to_thread(self._secrets.get, password_secret(user))
        known = hash_of(f"{user}\0{password}\0{kept}")
        name, until_ms = self._right.get(known, ("", 0))
        if until_ms <= self._port.clock_ms():
            if not await self._gate.is_password(user, password, address):
                raise wrong_password()
            name = user
            self._right[known] = (user, self._port.clock_ms() + PASSWORD_KNOWN_MS)
            if len(self._right) > PASSWORDS_KNOWN:
                self._right.popitem(last=False)
        person = self._gate.person(name)
        if person is None:
            raise self._wrong(user, address)
        return person

    def _wrong(self, user: str, address: str) -> WebError:
        """Noted in the journal, so that who runs the node sees that somebody tries."""
        self._gate.note(target_of(user), "login", "name and password, or token, do not match", address)
        return wrong_password()

    def refused(self, caller: Caller | None, wrong: WebError, address: str) -> None:
        """A row did not open to somebody who is known: what was tried above one's role stands in the journal."""
        if caller is not None:
            self._gate.note(caller.principal.id, wrong.body.code, wrong.body.reason, address)

    async def guessed(
        self, principal: Principal, target: str, address: str, answer: Callable[[], Awaitable[Reply]]
    ) -> Reply:
        """The answer to a request that brings the password of a thing, say a mission; wrong ones are journalled.

        Args:
            principal: who asks.
            target: what the password is to open.
            address: of the peer.
            answer: makes the answer.

        Raises WebError 429 when this principal has tried too often within the minute, and what `answer` raises.
        """
        target = target.casefold()[:TARGET_MAX]
        try:
            self._gate.guesses.count(principal.id, target)
            reply = await answer()
        except WebError as wrong:
            self._after_guess(principal, target, address, wrong.status)
            raise
        self._after_guess(principal, target, address, reply.status)
        return reply

    def _after_guess(self, principal: Principal, target: str, address: str, status: int) -> None:
        if status not in (401, 403, 429):
            self._gate.guesses.forgive(principal.id, target)
            return
        sentence = f"the password of {target} was wrong" if status != 429 else f"the password of {target} is guessed"
        self._gate.note(principal.id, "password", sentence, address)

    async def _by_bearer(self, token: str, address: str) -> Caller:
        tokens: TokenSigner = self._port.part("tokens")
        said = tokens.read(token, LOGIN_AUDIENCE, self._port.clock_ms())
        if said is not None and await self._is_of_now(said):
            person = self._gate.person(str(said["sub"]))
            if person is not None:
                return Caller(person)
        asker = await self._gate.asker({"authorization": f"Bearer {token}"})
        if asker is not None:
            return Caller(asker.principal)
        invitation = await invited(self._secrets, token, self._port.clock_ms())
        if invitation is None:
            self._gate.guesses.count(address)
            raise self._wrong("", address)
        return self._invited(invitation)

    async def _is_of_now(self, said: Mapping[str, Any]) -> bool:
        """Was a token given for the password that its user has now?"""
        mark = await asyncio.to_thread(password_mark, self._secrets, str(said["sub"]))
        return bool(said.get(MARK) == mark)

    def _invited(self, invitation: Invitation) -> Caller:
        return Caller(invitation_of(invitation, self._port.context), invitation)

    @property
    def _secrets(self) -> Secrets:
        found: Secrets = self._port.part("secrets")
        return found


def nobody(certificate: bytes | None, address: str) -> Principal | Refused:
    """Recognises no certificate: for a node without an authority."""
    return Refused("certificate", "this node knows no device certificates")


def wrong_password() -> WebError:
    """The one answer for a name that is unknown, a password or token that is wrong, used or too old."""
    return WebError(
        401, "login", "name and password, or token, do not match", do="ask who runs this node for a new one"
    )


def _user_and_password(value: str) -> tuple[str, str]:
    try:
        user, found, password = base64.b64decode(value, validate=True).decode().partition(":")
    # ValueError itself where the text is not even ASCII.
    except ValueError as wrong:
        raise WebError(401, "login", "the Authorization header does not parse") from wrong
    if not found:
        raise WebError(401, "login", "the Authorization header does not parse")
    return user[:200], password[:4000]
