"""BER: the part of ASN.1's basic encoding that LDAP uses (RFC 4511, 5.1): definite lengths, tags of one byte."""

BOOLEAN, INTEGER, OCTETS, ENUMERATED, SEQUENCE, SET = 0x01, 0x02, 0x04, 0x0A, 0x30, 0x31
LENGTH_BYTES_MAX = 4
VALUES_MAX = 5_000
"""Inside one value: a hostile directory could say hundreds of thousands of empty ones, and each is work."""


def tlv(tag: int, *contents: bytes) -> bytes:
    """One value with its tag and length."""
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def integer(value: int, tag: int = INTEGER) -> bytes:
    """A whole number of at least 0."""
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def octets(text: str | bytes, tag: int = OCTETS) -> bytes:
    """A string."""
    return tlv(tag, text.encode() if isinstance(text, str) else text)


def number_of(content: bytes) -> int:
    """The number that these bytes are. Raises ValueError for none or more than eight of them."""
    if not 1 <= len(content) <= 8:
        raise ValueError(f"a number of {len(content)} bytes: 1 to 8 are allowed")
    return int.from_bytes(content, "big", signed=True)


def length_bytes(first: int) -> int:
    """How many more bytes hold the length, given its first byte. Raises ValueError for what LDAP does not allow."""
    if first < 0x80:
        return 0
    more = first & 0x7F
    if not 1 <= more <= LENGTH_BYTES_MAX:
        raise ValueError(f"a length of {more} bytes: 1 to {LENGTH_BYTES_MAX} are allowed")
    return more


def values(content: bytes) -> list[tuple[int, bytes]]:
    """The values inside a value: tag and content of each. Raises ValueError when they do not fill it exactly.

    Also for more than VALUES_MAX of them.
    """
    found, at = [], 0
    while at < len(content):
        if at + 2 > len(content):
            raise ValueError("a value is cut off")
        tag, first = content[at], content[at + 1]
        start = at + 2 + length_bytes(first)
        size = first if first < 0x80 else int.from_bytes(content[at + 2 : start], "big")
        at = start + size
        if at > len(content):
            raise ValueError("a value is longer than what holds it")
        found.append((tag, content[start:at]))
        if len(found) > VALUES_MAX:
            raise ValueError(f"more than {VALUES_MAX} values inside one")
    return found
