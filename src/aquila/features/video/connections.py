"""Video connections as TAK clients describe them: one place to watch, with one or more feeds."""

import re
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from aquila.core.feature import check_text

Scalar = str | int | float | bool | None
"""Numbers are written as text by some clients and as numbers by others: they are kept as they came."""

SCHEMES = frozenset(
    "raw udp rtp srtp rtsp rtsps rtmp rtmps http https tcp srt hls mms mpegts rover ts".split()  # as ATAK has them
)
CONNECTION_BYTES_MAX = 32_000
_PLACE = re.compile(r"(?:localhost|[\w-]+(?:\.[\w-]+)+):\d{1,5}(?:[/?#]|$)")
"""`host.local:554/path` has no scheme. A name without a dot is none: `javascript:1/x` must not pass for a host."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")

Uid = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Text = Annotated[str, msgspec.Meta(max_length=4000)]


class Feed(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One stream. Fields that a client did not say are None, and are not said to others."""

    uuid: Text | None = None
    active: Scalar = None
    alias: Text | None = None
    url: Text | None = None
    order: Scalar = None
    mac_address: Scalar = None
    rover_port: Scalar = None
    ignore_embedded_klv: Scalar = msgspec.field(default=None, name="ignoreEmbeddedKLV")
    source: Scalar = None
    network_timeout: Scalar = None
    buffer_time: Scalar = None
    rtsp_reliable: Scalar = None
    thumbnail: Scalar = None
    classification: Scalar = None
    latitude: Scalar = None
    longitude: Scalar = None
    fov: Scalar = None
    heading: Scalar = None
    range: Scalar = None
    width: Scalar = None
    height: Scalar = None
    bitrate: Scalar = None

    def __post_init__(self) -> None:
        check_text("alias", self.alias)
        check_url(self.url)


class Connection(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A place to watch."""

    uuid: Uid
    active: bool | None = True
    alias: Text | None = ""
    thumbnail: Text | None = None
    classification: Text | None = None
    feeds: Annotated[tuple[Feed, ...], msgspec.Meta(max_length=50)] | None = ()

    def __post_init__(self) -> None:
        check_text("uuid", self.uuid)
        check_text("alias", self.alias)


class Connections(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is posted."""

    video_connections: Annotated[tuple[Connection, ...], msgspec.Meta(min_length=1, max_length=100)]


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A URL in the parts that old clients want; port None = not said."""

    protocol: str
    host: str
    port: int | None
    path: str


def check_url(url: str | None) -> None:
    """Refuse what no player opens and a browser might run. Raises ValueError."""
    check_text("url", url)
    found = _SCHEME.match((url or "").strip())
    if found and found[1].lower() not in SCHEMES and not _PLACE.match((url or "").strip()):
        raise ValueError(f"url scheme {found[1][:40]!r}: one of {', '.join(sorted(SCHEMES))}")


def written(connection: Connection) -> str:
    """The connection as JSON text. Raises ValueError when it is too large."""
    text = msgspec.json.encode(connection, order="deterministic").decode()
    if len(text) > CONNECTION_BYTES_MAX:
        raise ValueError(f"the video connection has {len(text)} bytes: at most {CONNECTION_BYTES_MAX}")
    return text


def read(text: str) -> Connection | None:
    """What `written` wrote; None = it is none (another node may say anything)."""
    try:
        return msgspec.json.decode(text, type=Connection)
    except (ValueError, RecursionError):
        return None


def address_of(url: str) -> Address:
    """The parts of a URL; what does not parse is a path of the protocol raw."""
    try:
        parts = urlsplit(url)
        host, _, _ = parts.netloc.rpartition(":") if parts.port is not None else (parts.netloc, "", "")
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        if parts.scheme and parts.netloc:
            return Address(protocol=parts.scheme.lower(), host=host, port=parts.port, path=path)
    except ValueError:
        pass
    return Address(protocol="raw", host=url, port=None, path="")


def url_of(address: Address) -> str:
    """The URL of these parts."""
    if address.protocol == "raw":
        return address.host + address.path
    port = "" if address.port is None or address.port < 0 else f":{address.port}"
    path = address.path if not address.path or address.path.startswith(("/", "?")) else f"/{address.path}"
    return f"{address.protocol}://{address.host}{port}{path}"
