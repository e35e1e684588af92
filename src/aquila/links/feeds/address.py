"""The address of a feed: a URL that is read once, before anything is opened."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from aquila.core.errors import UsageError

SCHEMES: Final = ("udp", "tcp", "file", "serial")
URL_MAX: Final = 500
SPEED_MAX: Final = 1_000.0
BAUDS: Final = (4_800, 9_600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 921_600)
_HOST: Final = re.compile(r"[A-Za-z0-9.:_-]{1,253}")
_ALLOWED: Final = {"udp": (), "tcp": (), "file": ("speed",), "serial": ("baud",)}


class FeedAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a feed comes from.

    Attributes:
        scheme: udp (this node listens), tcp (this node connects), file, serial.
        host, port: of udp and tcp. path: of file and serial, absolute.
        speed: a file plays so many times faster than it was recorded; 0 = as fast as the rate cap lets it.
        baud: of a serial line.
    """

    scheme: str
    host: str = ""
    port: int = 0
    path: str = ""
    speed: float = 1.0
    baud: int = 38_400


def read_address(url: str) -> FeedAddress:
    """The address that a URL names.

    Raises:
        UsageError: what is wrong with it, and what a right one looks like.
    """
    if len(url) > URL_MAX or not url.isprintable():
        raise UsageError(f"the address of a feed has at most {URL_MAX} printable characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as wrong:
        raise UsageError(f"{url}: {wrong}; for instance udp://127.0.0.1:10110") from wrong
    if parts.scheme not in SCHEMES:
        raise UsageError(
            f"{url}: udp://ADDRESS:PORT, tcp://HOST:PORT, file:///PATH?speed=N and serial:///DEVICE?baud=N are allowed"
        )
    settings = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(set(settings) - set(_ALLOWED[parts.scheme]))
    if unknown or parts.fragment or parts.username is not None:
        allowed = ", ".join(_ALLOWED[parts.scheme]) or "nothing"
        raise UsageError(f"{url}: after the ? of {parts.scheme}:// {allowed} is allowed, and no name or # anywhere")
    if parts.scheme in ("udp", "tcp"):
        host = parts.hostname or ""
        if not _HOST.fullmatch(host) or not port or parts.path not in ("", "/"):
            raise UsageError(f"{url}: {parts.scheme}://HOST:PORT with a port of 1..65535 and nothing after it")
        return FeedAddress(scheme=parts.scheme, host=host, port=port)
    path = unquote(parts.path)
    if parts.netloc or not path.startswith("/") or not path.isprintable():
        raise UsageError(
            f"{url}: {parts.scheme}:/// with three strokes and a whole path, for instance file:///tmp/a.nmea"
        )
    return FeedAddress(scheme=parts.scheme, path=path, speed=_speed(settings, url), baud=_baud(settings, url))


def _speed(settings: Mapping[str, str], url: str) -> float:
    text = settings.get("speed", "1")
    speed = float(text) if re.fullmatch(r"\d{1,4}(\.\d{1,3})?", text) else -1.0
    if not 0.0 <= speed <= SPEED_MAX:
        raise UsageError(f"{url}: speed is 0 (as fast as can be) to {SPEED_MAX:g}")
    return speed


def _baud(settings: Mapping[str, str], url: str) -> int:
    text = settings.get("baud", "38400")
    if text not in {str(baud) for baud in BAUDS}:
        raise UsageError(f"{url}: baud is one of {', '.join(map(str, BAUDS))}")
    return int(text)
