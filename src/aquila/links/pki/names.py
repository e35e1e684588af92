"""What a certificate may be called: names of devices, and the names and addresses of a server."""

import re
import unicodedata
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

from aquila.core.errors import UsageError
from aquila.core.unseen import unseen

NAME_BYTES_MAX = 64
"""RFC 5280, appendix A.1: ub-common-name."""
ALLOWED_SIGNS = " -_.()#+@"
RESERVED_NAMES = frozenset({"ca", "truststore"})
"""Their files would overwrite ca.pem and truststore.p12, which every device's folder holds."""
ALWAYS_SERVED = ("localhost", "127.0.0.1", "::1")
_HOST_PART = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


def device_name(name: str) -> str:
    """The name as it stands in the certificate and in the names of files, in Unicode form NFC.

    Raises UsageError: says what is wrong and what is allowed.
    """
    canonical = unicodedata.normalize("NFC", name)
    wrong = _wrong(canonical)
    if wrong:
        raise UsageError(
            f"name {name[:80]!a} {wrong}: allowed are 1 to {NAME_BYTES_MAX} bytes of letters,"
            f" digits, spaces and {ALLOWED_SIGNS.strip()}, beginning with a letter or digit, not"
            " ending with a dot or space"
        )
    return canonical


def _wrong(name: str) -> str | None:
    if not name:
        return "is empty"
    if any("\ud800" <= char <= "\udfff" for char in name):
        return "holds half a character"
    if len(name.encode()) > NAME_BYTES_MAX:
        return f"is {len(name.encode())} bytes long"
    if unicodedata.category(name[0])[0] not in "LN":
        return f"begins with {name[0]!a}"
    # Marks belong to letters of many scripts. Everything else that is no letter or digit may be
    # a path separator, a wildcard, a control character or turn the direction of writing.
    for char in name:
        known = unicodedata.category(char)[0] in "LNM" and unseen(char) is None
        if not known and char not in ALLOWED_SIGNS:
            return f"holds {char!a}"
    if name[-1] in " .":
        return f"ends with {name[-1]!r}"
    if name.casefold() in RESERVED_NAMES:
        return "is the name of another file in a device's folder"
    return None


def server_names(names: Iterable[str]) -> tuple[str, ...]:
    """Host names (lower case) and addresses for a server certificate: the loopback's, then `names`.

    Raises UsageError for what is neither a host name nor an address.
    """
    found = [str(server_name(name)) for name in (*ALWAYS_SERVED, *names)]
    return tuple(dict.fromkeys(found))


def server_name(name: str) -> str | IPv4Address | IPv6Address:
    """One host name in lower case, or one address without its zone. Raises UsageError."""
    plain = name.strip().rstrip(".").lower()
    try:
        return ip_address(plain.strip("[]").partition("%")[0])
    except ValueError:
        pass
    parts = plain.split(".")
    # All digits would be read as a mistyped IPv4 address by some clients and as a name by others.
    if len(plain) > 253 or not all(map(_HOST_PART.fullmatch, parts)) or parts[-1].isdigit():
        raise UsageError(
            f"server name {name[:80]!a} is neither a host name nor an address: allowed are"
            " letters a-z, digits, - and _ in parts of at most 63, joined by dots (other scripts in"
            " their xn-- form), or an IPv4 or IPv6 address"
        )
    return plain
