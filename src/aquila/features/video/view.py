"""Videos: a view of the acts video.add, video.change and video.remove: the newest by stamp counts.

One uid may be several videos, each under its own marking: who may not see one of them finds its uid free, and learns
nothing of it by trying. Who may see several gets the oldest, so that nobody puts another in the place of one.
"""

import msgspec

from aquila.core.model import Act, Arrival, Context, Entry, Label, Stamp
from aquila.features.video.connections import Connection, read

VIDEO_ADD, VIDEO_CHANGE, VIDEO_REMOVE = "video.add", "video.change", "video.remove"
VIDEOS_MAX = 5_000
"""Newest videos that are known, those that were removed among them."""
VIDEOS_OF_ONE = 200
"""That are there, of one sender: nobody pushes those of others out."""
SLACK = 500
"""Trimmed in batches; the snapshot holds exactly the maximum."""


class Video(msgspec.Struct, frozen=True, array_like=True):
    """What was said last about one video; connection None = it was removed. first: when it was said first."""

    first: Stamp
    stamp: Stamp
    uid: str
    author: str
    label: Label
    context: Context
    connection: str | None

    def read(self) -> Connection | None:
        """The connection; None = removed, or not to be read."""
        return None if self.connection is None else read(self.connection)


Key = tuple[Context, str, Label]
_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(list[Video])


class Videos:
    """The view."""

    name = "video"
    version = 2
    hears_positions = False

    def __init__(self) -> None:
        self._videos: dict[Key, Video] = {}
        self._by_uid: dict[tuple[Context, str], tuple[Label, ...]] = {}

    def fold(self, arrival: Arrival) -> None:
        """See View."""
        if not isinstance(arrival, Entry) or not isinstance(arrival.body, Act):
            return
        act, envelope = arrival.body, arrival.envelope
        if act.action not in (VIDEO_ADD, VIDEO_CHANGE, VIDEO_REMOVE):
            return
        key = (envelope.context, act.target, envelope.label)
        known = self._videos.get(key)
        first = envelope.stamp if known is None else min(known.first, envelope.stamp)
        if known is not None and envelope.stamp <= known.stamp:
            self._put(msgspec.structs.replace(known, first=first))
            return
        said = None if act.action == VIDEO_REMOVE else act.detail.get("connection")
        label, context = envelope.label, envelope.context
        self._put(Video(first, envelope.stamp, act.target, envelope.author, label, context, said))
        if len(self._videos) > VIDEOS_MAX + SLACK:
            self._trim()

    def _put(self, video: Video) -> None:
        self._videos[video.context, video.uid, video.label] = video
        labels = self._by_uid.get((video.context, video.uid), ())
        if video.label not in labels:
            # A new one: whoever reads it meanwhile, off the loop, keeps the old.
            self._by_uid[video.context, video.uid] = (*labels, video.label)

    def _trim(self) -> None:
        if len(self._videos) > VIDEOS_MAX:
            newest = sorted(self._videos.values(), key=lambda video: (video.stamp, _order(video)))[-VIDEOS_MAX:]
            self._keep(newest)

    def _keep(self, videos: list[Video]) -> None:
        by_uid: dict[tuple[Context, str], tuple[Label, ...]] = {}
        for video in videos:
            by_uid[video.context, video.uid] = (*by_uid.get((video.context, video.uid), ()), video.label)
        self._videos = {(video.context, video.uid, video.label): video for video in videos}
        self._by_uid = by_uid

    def snapshot(self) -> bytes:
        """See View."""
        self._trim()
        return _encoder.encode(sorted(self._videos.values(), key=_order))

    def restore(self, data: bytes) -> None:
        """See View."""
        self._keep(_decoder.decode(data))

    def of_uid(self, context: Context, uid: str) -> list[Video]:
        """All of this uid that were not removed, the one that was there first is the first."""
        known = (self._videos.get((context, uid, label)) for label in self._by_uid.get((context, uid), ()))
        there = [video for video in known if video is not None and video.connection is not None]
        return sorted(there, key=lambda video: (video.first, _order(video)))

    def videos(self) -> list[Video]:
        """All that were not removed, by uid, the oldest of a uid first."""
        return [video for context, uid in sorted(self._by_uid) for video in self.of_uid(context, uid)]

    def count_of(self, author: str) -> int:
        """How many are there that this principal said last."""
        return sum(each.author == author and each.connection is not None for each in list(self._videos.values()))


def _order(video: Video) -> tuple[Context, str, bytes]:
    return video.context, video.uid, msgspec.msgpack.encode(video.label)
