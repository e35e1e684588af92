"""Videos by the TAK server's contract: JSON without an envelope, and the XML of older clients."""

from collections.abc import Sequence
from typing import Any

import msgspec
from lxml import etree

from aquila.codecs.cot.event import escape
from aquila.codecs.cot.marti import as_json, as_text
from aquila.core.contract import Call, Reply
from aquila.core.feature import Endpoint
from aquila.features.video.commands import DropVideo, PutVideos, drop_video_row, put_all
from aquila.features.video.connections import (
    Address,
    Connection,
    Connections,
    Feed,
    address_of,
    url_of,
    written,
)
from aquila.features.video.queries import AskVideo, AskVideos, connection, connections

XML = "application/xml"
FEEDS_MAX = 100


def _ask_all(call: Call) -> AskVideos:
    return msgspec.convert({"protocol": call.one("protocol") or None}, AskVideos)


def _all(rows: Sequence[Connection], call: Call) -> Reply:
    return as_json({"videoConnections": [msgspec.to_builtins(row) for row in rows]})


def _one(row: Connection, call: Call) -> Reply:
    return as_json(msgspec.to_builtins(row))


def _ask_put_all(call: Call) -> PutVideos:
    body: Connections = call.json(Connections)
    return _put(body.video_connections, call, must_exist=False)


def _ask_put_one(call: Call) -> PutVideos:
    body: Connection = call.json(Connection)
    if body.uuid != call.parts["uid"]:
        raise ValueError("the uuid of the video is not the one in the path")
    return _put((body,), call, must_exist=True)


def _put(found: Sequence[Connection], call: Call, *, must_exist: bool) -> PutVideos:
    groups = tuple(dict.fromkeys(name for name in call.many("group") if name))
    texts = {each.uuid: written(each) for each in found}
    return PutVideos(connections=tuple(texts.items()), groups=groups, must_exist=must_exist)


def _done(_: Any, call: Call) -> Reply:
    return Reply()


def _ask_one(call: Call) -> AskVideo:
    return msgspec.convert({"uid": call.parts["uid"]}, AskVideo)


def _ask_drop(call: Call) -> DropVideo:
    return msgspec.convert({"uid": call.parts["uid"]}, DropVideo)


# -- XML of older clients ---------------------------------------------------------------------------------------------


def _xml(rows: Sequence[Connection], call: Call) -> Reply:
    feeds = "".join(_feed(row, feed) for row in rows for feed in row.feeds or ())
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    return as_text(f"{head}<videoConnections>{feeds}</videoConnections>", kind=XML)


def _feed(row: Connection, feed: Feed) -> str:
    address = address_of(feed.url or "")
    values = {
        "protocol": address.protocol,
        "alias": feed.alias or row.alias or "",
        "uid": feed.uuid or row.uuid,
        "address": address.host,
        "port": "-1" if address.port is None else str(address.port),
        "roverPort": _or(feed.rover_port, "-1"),
        "ignoreEmbeddedKLV": _or(feed.ignore_embedded_klv, "false").lower(),
        "preferredMacAddress": _or(feed.mac_address, ""),
        "path": address.path,
        "buffer": _or(feed.buffer_time, "-1"),
        "timeout": _or(feed.network_timeout, "5000"),
        "rtspReliable": _or(feed.rtsp_reliable, "0"),
    }
    return "<feed>" + "".join(f"<{name}>{escape(text)}</{name}>" for name, text in values.items()) + "</feed>"


def _or(value: object, default: str) -> str:
    return default if value in (None, "") else str(value)


def _ask_xml(call: Call) -> PutVideos:
    """Every feed is a video of its own: that is how older clients and the official server name them."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(call.body, parser)
    except (etree.XMLSyntaxError, ValueError) as wrong:
        raise ValueError(f"the body is no XML: {str(wrong)[:200]}") from None
    dtd: object | None = root.getroottree().docinfo.internalDTD
    if root.tag != "videoConnections" or dtd is not None:
        raise ValueError("the body is not <videoConnections> without a document type")
    feeds = root.findall("feed")
    if not 0 < len(feeds) <= FEEDS_MAX:
        raise ValueError(f"{len(feeds)} feeds: 1 to {FEEDS_MAX}")
    return _put([_of_feed(feed) for feed in feeds], call, must_exist=False)


def _of_feed(feed: "etree._Element") -> Connection:
    def text(name: str) -> str:
        return (feed.findtext(name) or "").strip()

    port = text("port")
    if port and not port.removeprefix("-").isdecimal():
        raise ValueError(f"port {port[:40]!r}: a number")
    host = text("address")
    address = Address(
        protocol=text("protocol").lower() or "raw", host=host, port=int(port[:10]) if port else None, path=text("path")
    )
    alias = text("alias")
    fields = {
        "uuid": text("uid"),
        "alias": alias,
        "feeds": [
            {
                "uuid": text("uid"),
                "alias": alias,
                "active": True,
                "url": url_of(address),
                "roverPort": text("roverPort") or None,
                "ignoreEmbeddedKLV": text("ignoreEmbeddedKLV") or None,
                "macAddress": text("preferredMacAddress") or None,
                "bufferTime": text("buffer") or None,
                "networkTimeout": text("timeout") or None,
                "rtspReliable": text("rtspReliable") or None,
            }
        ],
    }
    return msgspec.convert(fields, Connection)


_JSON = "tak.md 6.3"
_LEGACY = "tak.md 6.2 other"

endpoints = (
    Endpoint(method="GET", path="/Marti/api/video", work=connections, ask=_ask_all, render=_all, source=_JSON),
    Endpoint(method="POST", path="/Marti/api/video", work=put_all, ask=_ask_put_all, render=_done, source=_JSON),
    Endpoint(method="GET", path="/Marti/api/video/{uid}", work=connection, ask=_ask_one, render=_one, source=_JSON),
    Endpoint(method="PUT", path="/Marti/api/video/{uid}", work=put_all, ask=_ask_put_one, render=_done, source=_JSON),
    Endpoint(
        method="DELETE",
        path="/Marti/api/video/{uid}",
        work=drop_video_row,
        ask=_ask_drop,
        render=_done,
        source=_JSON,
    ),
    Endpoint(method="GET", path="/Marti/vcm", work=connections, ask=_ask_all, render=_xml, source=_LEGACY),
    Endpoint(method="POST", path="/Marti/vcm", work=put_all, ask=_ask_xml, render=_done, source=_LEGACY),
)
