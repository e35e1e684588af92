"""Proofs: what shows who somebody is, as the secret store keeps it: hashes of tokens, links and passwords."""

import hashlib
from typing import Any, Protocol

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError


class KnowsAddress(Protocol):
    """The part `address`: where other desks reach this node."""

    @property
    def host(self) -> str:
        """Its name."""
        ...

    @property
    def enrol(self) -> int:
        """The port of the page for other desks."""
        ...


class Secrets(Protocol):
    """The part `secrets` of a node: names and JSON values that are in no entry."""

    def get(self, name: str) -> Any:  # JSON
        """The value; None = there is none."""
        ...

    def put(self, name: str, value: Any) -> None:  # JSON
        """Keep a value, instead of any before it."""
        ...

    def remove(self, name: str) -> bool:
        """Forget it; False = there was none."""
        ...

    def named(self, prefix: str) -> dict[str, Any]:
        """All whose name begins so."""
        ...


def hash_of(secret: str) -> str:
    """What is kept of a token or session. They are 256 random bits, so one SHA-256 without salt is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def token_secret(value: str) -> str:
    """Name under which the secret store knows a token."""
    return f"token/{hash_of(value)}"


def invite_secret(key: str) -> str:
    """Name under which the secret store knows the link of an invitation: who is meant, and when it ends."""
    return f"invite/{hash_of(key)}"


def password_hash(password: str) -> str:
    """The argon2id hash; takes some 50 ms and 64 MiB, so call it off the loop."""
    return PasswordHasher().hash(password)


def is_password(kept: str, password: str) -> bool:
    """Does the password match the hash? As dear as making one."""
    try:
        return PasswordHasher().verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
