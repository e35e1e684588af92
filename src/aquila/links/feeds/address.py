"""The address of a feed: a URL that is read once, before anything is opened."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import msgspec

from aquila.core.errors import UsageError

SCHEMES: Final = ("udp", "tcp", "file", "serial", "mqtt", "mqtts")
URL_MAX: Final = 500
SPEED_MAX: Final = 1_000.0
BAUDS: Final = (4_800, 9_600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 921_600)
_HOST: Final = re.compile(r"[A-Za-z0-9.:_-]{1,253}")
_ALLOWED: Final = {
    "udp": (),
    "tcp": (),
    "file": ("speed",),
    "serial": ("baud",),
    "mqtt": ("retained", "client"),
    "mqtts": ("retained", "client", "ca", "cert", "key"),
}
BROKER_PORTS: Final = {"mqtt": 1_883, "mqtts": 8_883}
TOPIC_MAX: Final = 300
_PASSWORD: Final = re.compile(r"(?<=://)[^@]*:[^@]*@")
_ACCOUNT: Final = re.compile(r"([a-z]+://)([^/?#]*)@", re.IGNORECASE)
_BROKER: Final = "{scheme}://[NAME@]HOST[:PORT]/TOPIC with + for one level and # for all that follow"


class FeedAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a feed comes from.

    Attributes:
        scheme: udp (this node listens), tcp (this node connects), file, serial, mqtt and mqtts (a broker; with TLS).
        host, port: of udp, tcp and a broker. path: of file and serial, absolute.
        speed: a file plays so many times faster than it was recorded; 0 = as fast as the rate cap lets it.
        baud: of a serial line.
        topic: filter of what a broker passes on. name: of our account there; empty = none. client: who we say we are;
            empty = the broker makes a name. retained: take also what the broker has kept from before.
        ca, cert, key: PEM files for TLS: whom to trust (empty = as this machine does), what to show (empty = nothing).
    """

    scheme: str
    host: str = ""
    port: int = 0
    path: str = ""
    speed: float = 1.0
    baud: int = 38_400
    topic: str = ""
    name: str = ""
    client: str = ""
    retained: bool = False
    ca: str = ""
    cert: str = ""
    key: str = ""

    @property
    def files(self) -> tuple[str, ...]:
        """What of this machine is read for it."""
        return tuple(path for path in (self.path, self.ca, self.cert, self.key) if path)


def split_password(url: str) -> tuple[str, str | None]:
    """A URL without its password, and the password; None = it holds none. What is no URL is given back as it is."""
    match = _ACCOUNT.match(url)
    if match is None or ":" not in match[2]:
        return url, None
    name, _, password = match[2].partition(":")
    return f"{match[1]}{name}@{url[match.end() :]}", unquote(password)


def same_account(url: str, other: str) -> bool:
    """Do both name the same account of the same broker, reached alike? Only then a password goes on to be said there.

    Raises:
        UsageError: as read_address.
    """
    one, two = read_address(url), read_address(other)
    return (one.scheme, one.host, one.port, one.name) == (two.scheme, two.host, two.port, two.name)


def read_address(url: str) -> FeedAddress:
    """The address that a URL names.

    Raises:
        UsageError: what is wrong with it, and what a right one looks like.
    """
    if len(url) > URL_MAX or not url.isprintable():
        raise UsageError(f"the address of a feed has at most {URL_MAX} printable characters")
    # An address goes into sentences: a password in it, however it was meant, does not.
    shown = _PASSWORD.sub("...@", url)
    is_broker = url.lower().startswith(("mqtt://", "mqtts://"))
    try:
        # In a topic # is the sign for all levels that follow, and no fragment.
        parts = urlsplit(url.replace("#", "%23") if is_broker else url)
        port = parts.port
    except ValueError as wrong:
        raise UsageError(f"{shown}: {wrong}; for instance udp://127.0.0.1:10110") from wrong
    if parts.scheme not in SCHEMES:
        raise UsageError(
            f"{shown}: udp://ADDRESS:PORT, tcp://HOST:PORT, file:///PATH?speed=N, serial:///DEVICE?baud=N, "
            "mqtt://HOST:PORT/TOPIC and mqtts://HOST:PORT/TOPIC are allowed"
        )
    settings = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(set(settings) - set(_ALLOWED[parts.scheme]))
    allowed = ", ".join(_ALLOWED[parts.scheme]) or "nothing"
    if is_broker:
        if unknown:
            raise UsageError(f"{shown}: after the ? of {parts.scheme}:// {allowed} is allowed")
        return _broker(parts, port, settings, shown)
    if unknown or parts.fragment or parts.username is not None:
        raise UsageError(f"{shown}: after the ? of {parts.scheme}:// {allowed} is allowed, and no name or # anywhere")
    if parts.scheme in ("udp", "tcp"):
        host = parts.hostname or ""
        if not _HOST.fullmatch(host) or not port or parts.path not in ("", "/"):
            raise UsageError(f"{shown}: {parts.scheme}://HOST:PORT with a port of 1..65535 and nothing after it")
        return FeedAddress(scheme=parts.scheme, host=host, port=port)
    path = unquote(parts.path)
    if parts.netloc or not path.startswith("/") or not path.isprintable():
        raise UsageError(
            f"{shown}: {parts.scheme}:/// with three strokes and a whole path, for instance file:///tmp/a.nmea"
        )
    return FeedAddress(scheme=parts.scheme, path=path, speed=_speed(settings, shown), baud=_baud(settings, shown))


def _broker(parts: SplitResult, port: int | None, settings: Mapping[str, str], url: str) -> FeedAddress:
    host, topic, name = parts.hostname or "", unquote(parts.path[1:]), unquote(parts.username or "")
    wanted = _BROKER.format(scheme=parts.scheme)
    if not _HOST.fullmatch(host) or port == 0 or not _is_filter(topic) or not name.isprintable():
        raise UsageError(f"{url}: {wanted}, for instance {parts.scheme}://127.0.0.1/msh/EU_868/2/e/#")
    if parts.password is not None:
        raise UsageError(f"{parts.scheme}://{host}: the password stands apart from the address")
    retained = settings.get("retained", "no")
    if retained not in ("yes", "no"):
        raise UsageError(f"{url}: retained is yes (take what the broker has kept from before) or no")
    files = {word: settings.get(word, "") for word in ("ca", "cert", "key")}
    bent = [path for path in files.values() if path and not (path.startswith("/") and path.isprintable())]
    if bent or (files["key"] and not files["cert"]) or not settings.get("client", "").isprintable():
        raise UsageError(f"{url}: ca, cert and key are whole paths of PEM files, key only beside cert")
    return FeedAddress(
        scheme=parts.scheme,
        host=host,
        port=port or BROKER_PORTS[parts.scheme],
        topic=topic,
        name=name,
        client=settings.get("client", ""),
        retained=retained == "yes",
        ca=files["ca"],
        cert=files["cert"],
        key=files["key"],
    )


def _is_filter(topic: str) -> bool:
    """MQTT 3.1.1, 4.7.1: + is a whole level, # a whole level and the last one."""
    *levels, last = topic.split("/")
    return (
        0 < len(topic) <= TOPIC_MAX
        and topic.isprintable()
        and all(level == "+" or not set(level) & set("+#") for level in levels)
        and (last in ("+", "#") or not set(last) & set("+#"))
    )


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
