"""What can be asked of videos."""

from collections.abc import Iterator
from typing import Annotated

import msgspec

from aquila.core.feature import Labelled, Query, Reading
from aquila.core.model import Principal, Verdict
from aquila.core.view import view_of
from aquila.features.video.connections import Connection, address_of
from aquila.features.video.view import Video, Videos


class AskVideos(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which videos. protocol: only those with a feed of it, for instance rtsp; None = all."""

    protocol: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 10_000


class AskVideo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which video."""

    uid: Annotated[str, msgspec.Meta(max_length=200)]


class VideoRow(msgspec.Struct, frozen=True, kw_only=True):
    """One video: its name and the addresses of its feeds."""

    uid: str
    name: str
    active: bool
    urls: tuple[str, ...]


def videos_of(reading: Reading) -> Videos:
    """The view of this node."""
    return view_of(reading.views, "video", Videos)


def _is_visible(video: Video, reading: Reading) -> bool:
    return reading.release(video.label, video.context).verdict is Verdict.FULL


def video_of(uid: str, reading: Reading) -> Video | None:
    """The oldest of this uid that the asker may see; None = none: it is free for him."""
    found = videos_of(reading).of_uid(reading.context, uid)
    return next((video for video in found if _is_visible(video, reading)), None)


def _found(ask: AskVideos, reading: Reading) -> Iterator[tuple[Video, Connection]]:
    seen: set[str] = set()
    for video in videos_of(reading).videos():
        connection = video.read()
        if connection is None or video.uid in seen or not _is_visible(video, reading):
            continue
        seen.add(video.uid)
        protocols = {address_of(feed.url or "").protocol for feed in connection.feeds or ()}
        if ask.protocol is None or ask.protocol.lower() in protocols:
            yield video, connection


def _rows(principal: Principal, ask: AskVideos, reading: Reading) -> Iterator[Labelled]:
    for video, connection in _found(ask, reading):
        row = VideoRow(
            uid=video.uid,
            name=connection.alias or video.uid,
            active=connection.active is not False,
            urls=tuple(feed.url for feed in connection.feeds or () if feed.url),
        )
        yield Labelled(row, video.label, video.context)


def _connections(principal: Principal, ask: AskVideos, reading: Reading) -> Iterator[Labelled]:
    for video, connection in _found(ask, reading):
        yield Labelled(connection, video.label, video.context)


def _connection(principal: Principal, ask: AskVideo, reading: Reading) -> Iterator[Labelled]:
    video = video_of(ask.uid, reading)
    connection = None if video is None else video.read()
    if video is not None and connection is not None:
        yield Labelled(connection, video.label, video.context)


videos = Query(
    name="videos",
    path="/videos",
    request=AskVideos,
    row=VideoRow,
    role="viewer",
    answer=_rows,
    blocking=True,
    summary="Where streams can be watched",
)
connections = Query(
    name="video_connections",
    path="/video_connections",
    request=AskVideos,
    row=Connection,
    role="viewer",
    answer=_connections,
    blocking=True,
    summary="Videos as TAK clients describe them",
)
connection = Query(
    name="video_connection",
    path="/video_connections/{uid}",
    request=AskVideo,
    row=Connection,
    role="viewer",
    answer=_connection,
    one=True,
    summary="One video as TAK clients describe it",
)
