"""Certificates of devices: what the acts say of them, and where the certificates themselves are kept.

A certificate is no secret, but 1 kB of base64 in a line of the journal helps nobody: it lies in the secret store, under
its serial, beside the act that says that it was given.
"""

from collections.abc import Iterable
from typing import Any, Protocol

from aquila.links.pki.authority import Authority, Issued
from aquila.links.pki.certificates import fingerprint_of

PREFIX = "certificate/"


class Shelf(Protocol):
    """What is asked of the part `secrets` of a node."""

    def get(self, name: str) -> Any:  # JSON
        """The value; None = there is none."""
        ...

    def put(self, name: str, value: Any) -> None:  # JSON
        """Keep a value, instead of any before it."""
        ...


def keep_certificate(shelf: Shelf, issued: Issued) -> None:
    """Keep it for whoever asks for it by its serial. Before the act: who reads of it can have it."""
    shelf.put(PREFIX + issued.serial, {"pem": issued.certificate_pem.decode()})


def kept_certificate(shelf: Shelf, serial: str) -> bytes | None:
    """The certificate of a serial, PEM; None = not kept."""
    kept = shelf.get(PREFIX + serial.upper())
    return str(kept["pem"]).encode() if isinstance(kept, dict) and "pem" in kept else None


def certificate_detail(issued: Issued) -> dict[str, str]:
    """What the act that gives a certificate says of it."""
    return {
        "serial": issued.serial,
        "not_after_ms": str(issued.not_after_ms),
        "fingerprint": fingerprint_of(issued.certificate_pem),
    }


def revoke_all(authority: Authority, serials: Iterable[str], now_ms: int, reason: str = "unspecified") -> None:
    """Put them on the revocation list. Waits for the disk."""
    authority.revoke_all(serials, now_ms, reason)
