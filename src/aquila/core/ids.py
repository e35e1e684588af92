"""Identities: derived from a foreign identity wherever there is one, so that two nodes and every replay agree."""

import hashlib
import uuid
from collections.abc import Callable
from functools import lru_cache

NAMESPACE = uuid.UUID("6f1d3b5e-5a0e-5c1e-9a51-4c5a71a0c41a")
"""Namespace of every derived Aquila id. Never change it: all ids would change."""

_ENTITY = NAMESPACE.bytes + b"entity\0"
_STATEMENT = NAMESPACE.bytes + b"statement\0"


def _uuid5(seed: bytes) -> str:
    """UUID version 5 (RFC 9562, 5.5) of seed; spelled out, because uuid.uuid5 takes only text."""
    digest = bytearray(hashlib.sha1(seed, usedforsecurity=False).digest()[:16])
    digest[6] = (digest[6] & 0x0F) | 0x50
    digest[8] = (digest[8] & 0x3F) | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


@lru_cache(maxsize=65_536)
def entity_id(scheme: str, value: str) -> str:
    """The id of the entity that a foreign system calls `value` in `scheme`."""
    return _uuid5(_ENTITY + scheme.encode() + b"\0" + value.encode())


def statement_id(scheme: str, uid: str, at_ms: int, data: bytes) -> str:
    """The id of a foreign statement: the same uid, time and bytes are the same statement (a replay)."""
    head = f"{scheme}\0{uid}\0{at_ms}\0".encode()
    return _uuid5(_STATEMENT + head + hashlib.sha256(data).digest())


def derived_id(rule: str, version: int, cause: str) -> str:
    """The id of what a rule writes: a second run or a second node writes the same entry, and it counts once."""
    return _uuid5(_STATEMENT + f"rule\0{rule}\0{version}\0{cause}".encode())


IdSource = Callable[[], str]
"""Gives a new id for something born here; injected, so that replay is exact."""


def uuid7_source(clock_ms: Callable[[], int], random_bytes: Callable[[int], bytes]) -> IdSource:
    """UUID version 7 (RFC 9562, 5.7) from an injected clock and injected dice."""

    def new_id() -> str:
        raw = bytearray(clock_ms().to_bytes(6, "big") + random_bytes(10))
        raw[6] = (raw[6] & 0x0F) | 0x70
        raw[8] = (raw[8] & 0x3F) | 0x80
        return str(uuid.UUID(bytes=bytes(raw)))

    return new_id
