"""Invitations: a one-time token with which one device may enrol. Kept as a hash, used once, over after a while."""

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from aquila.core.model import Context, Principal

PREFIX = "invitation/"


class Secrets(Protocol):
    """What is asked of the part `secrets` of a node."""

    def get(self, name: str) -> Any:  # JSON
        """The value; None = there is none."""
        ...


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """What a token stands for.

    Attributes:
        key: name under which the secret store knows it.
        name: of the device that may enrol. detail: nation, clearance, groups as in the act that adds a device.
        ends_ms: it is over then. serial: of the certificate that was given for it; None = not used yet.
    """

    key: str
    name: str
    detail: Mapping[str, str]
    ends_ms: int
    serial: str | None = None

    def fits(self, user: str) -> bool:
        """Is this the name it was made for? Compared as TAK servers do, without case."""
        return user.casefold() == self.name.casefold()


def invitation_key(token: str) -> str:
    """Name under which the secret store knows a token."""
    return PREFIX + hashlib.sha256(token.encode()).hexdigest()


async def invited(secrets: Secrets, token: str, now_ms: int) -> Invitation | None:
    """What a token stands for; None = unknown or over."""
    kept = await asyncio.to_thread(secrets.get, invitation_key(token))
    if kept is None:
        return None
    invitation = msgspec.convert(kept, Invitation)
    return invitation if now_ms < invitation.ends_ms else None


def invitation_of(invitation: Invitation, context: Context) -> Principal:
    """Who comes with an invitation: it may read and write nothing but its enrolment."""
    return Principal(
        id=f"invitation:{invitation.name}",
        kind="device",
        name=invitation.name,
        context=context,
        nation=invitation.detail.get("nation") or None,
        clearance=invitation.detail.get("clearance", "UNCLASSIFIED"),
    )
