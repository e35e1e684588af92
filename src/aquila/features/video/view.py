"""Videos: a view of the acts video.add, video.change and video.remove: the newest by stamp counts."""

import msgspec

from aquila.core.model import Act, Arrival, Context, Entry, Label, Stamp
from aquila.features.video.connections import Connection, read

VIDEO_ADD, VIDEO_CHANGE, VIDEO_REMOVE = "video.add", "video.change", "video.remove"
VIDEOS_MAX = 5_000
"""Newest videos that are known, those that were removed among them."""
SLACK = 500
"""Trimmed in batches; the snapshot holds exactly the maximum."""


class Video(msgspec.Struct, frozen=True, array_like=True):
    """What was said last about one video; connection None = it was removed."""

    stamp: Stamp
    uid: str
    author: str
    label: Label
    context: Context
    connection: str | None

    def read(self) -> Connection | None:
        """The connection; None = removed, or not to be read."""
        return None if self.connection is None else read(self.connection)


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(list[Video])


class Videos:
    """The view."""

    name = "video"
    version = 1

    def __init__(self) -> None:
        self._videos: dict[tuple[Context, str], Video] = {}

    def fold(self, arrival: Arrival) -> None:
        """See View."""
        if not isinstance(arrival, Entry) or not isinstance(arrival.body, Act):
            return
        act, envelope = arrival.body, arrival.envelope
        if act.action not in (VIDEO_ADD, VIDEO_CHANGE, VIDEO_REMOVE):
            return
        key = (envelope.context, act.target)
        known = self._videos.get(key)
        if known is not None and envelope.stamp <= known.stamp:
            return
        said = None if act.action == VIDEO_REMOVE else act.detail.get("connection")
        self._videos[key] = Video(envelope.stamp, act.target, envelope.author, envelope.label, envelope.context, said)
        if len(self._videos) > VIDEOS_MAX + SLACK:
            self._trim()

    def _trim(self) -> None:
        if len(self._videos) > VIDEOS_MAX:
            newest = sorted(self._videos, key=lambda key: self._videos[key].stamp)[-VIDEOS_MAX:]
            self._videos = {key: self._videos[key] for key in newest}

    def snapshot(self) -> bytes:
        """See View."""
        self._trim()
        return _encoder.encode([self._videos[key] for key in sorted(self._videos)])

    def restore(self, data: bytes) -> None:
        """See View."""
        self._videos = {(video.context, video.uid): video for video in _decoder.decode(data)}

    def video(self, context: Context, uid: str) -> Video | None:
        """What was said last about this one; None = nothing, or it was removed."""
        found = self._videos.get((context, uid))
        return None if found is None or found.connection is None else found

    def videos(self) -> list[Video]:
        """All that were not removed, by uid."""
        return [self._videos[key] for key in sorted(self._videos) if self._videos[key].connection is not None]
