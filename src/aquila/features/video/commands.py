"""What can be done to videos: add, change, remove. Nobody changes one that he may not see, or not write to."""

from typing import Annotated

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, Saying
from aquila.core.model import Act, Label, Principal
from aquila.core.policy import label_for
from aquila.features.video.connections import Connection, Feed, Text, Uid, written
from aquila.features.video.queries import video_of, videos_of
from aquila.features.video.view import VIDEO_ADD, VIDEO_CHANGE, VIDEO_REMOVE, VIDEOS_OF_ONE, Video

NO_VIDEO = Refused("absent", "there is no such video, or you may not see it")


class PutVideos(msgspec.Struct, frozen=True, kw_only=True):
    """Videos to be added or changed.

    Attributes:
        connections: JSON of each, as `connections.written` gives it, by uid.
        groups: where they are to be seen; empty = where the asker writes. One that is there stays where it is.
        must_exist: refuse what is not there yet.
    """

    connections: tuple[tuple[str, str], ...]
    groups: tuple[str, ...] = ()
    must_exist: bool = False


class VideosPut(msgspec.Struct, frozen=True, kw_only=True):
    """Uids of the videos, and how many of them were new or changed."""

    uids: tuple[str, ...]
    changed_count: int


class PutVideo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One video to be added or changed. uid: None = a new one."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    url: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    uid: Uid | None = None


class DropVideo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which video."""

    uid: Text


class VideoDropped(msgspec.Struct, frozen=True, kw_only=True):
    """The video that is no more."""

    uid: str


async def put_videos(principal: Principal, ask: PutVideos, desk: Desk) -> VideosPut | Refused:
    """Write what is new. All are judged before the first is written; the same again changes nothing."""
    planned: list[tuple[str, str, str, Label]] = []
    for uid, text in ask.connections:
        known = video_of(uid, desk)
        if known is None and ask.must_exist:
            return NO_VIDEO
        label = _label_new(principal, ask.groups, desk) if known is None else _label_known(principal, known)
        if isinstance(label, Refused):
            return label
        if known is None or known.connection != text:
            planned.append((VIDEO_ADD if known is None else VIDEO_CHANGE, uid, text, label))
    new_count = sum(action == VIDEO_ADD for action, *_ in planned)
    if new_count and videos_of(desk).count_of(principal.id) + new_count > VIDEOS_OF_ONE:
        return Refused("full", f"you have {VIDEOS_OF_ONE} videos on this node: remove some first")
    now_ms = desk.now_ms()
    entries = await desk.write_all(
        [
            Saying(body=Act(action=action, target=uid, happened_at_ms=now_ms, detail={"connection": text}), label=label)
            for action, uid, text, label in planned
        ]
    )
    if isinstance(entries, Refused):
        return entries
    return VideosPut(uids=tuple(uid for uid, _ in ask.connections), changed_count=len(planned))


async def drop_video(principal: Principal, ask: DropVideo, desk: Desk) -> VideoDropped | Refused:
    """Write that it is gone, under its own marking."""
    known = video_of(ask.uid, desk)
    if known is None:
        return NO_VIDEO
    label = _label_known(principal, known)
    if isinstance(label, Refused):
        return label
    act = Act(action=VIDEO_REMOVE, target=ask.uid, happened_at_ms=desk.now_ms())
    entry = await desk.write(act, label=label)
    return entry if isinstance(entry, Refused) else VideoDropped(uid=ask.uid)


async def put_video(principal: Principal, ask: PutVideo, desk: Desk) -> VideosPut | Refused:
    """The same for one video with one address."""
    uid = ask.uid or desk.new_id()
    try:
        feed = Feed(uuid=uid, alias=ask.name, url=ask.url, active=True)
        text = written(Connection(uuid=uid, alias=ask.name, feeds=(feed,)))
    except ValueError as wrong:
        return Refused("video", str(wrong))
    return await put_videos(principal, PutVideos(connections=((uid, text),)), desk)


def _label_new(principal: Principal, groups: tuple[str, ...], desk: Desk) -> Label | Refused:
    return label_for(desk.policy, principal, None, set(groups))


def _label_known(principal: Principal, known: Video) -> Label | Refused:
    """Its label, for who may write everywhere where it is seen."""
    if not set(known.label.groups) <= principal.groups_in:
        return Refused("group", "it is marked for groups that you may not write into: ask one of them")
    return known.label


put_all = Command(
    name="put_videos",
    method="POST",
    path="/video_connections",
    request=PutVideos,
    answer=VideosPut,
    role="operator",
    act=put_videos,
    summary="Add or change videos as TAK clients describe them",
)
put_video_row = Command(
    name="put_video",
    method="POST",
    path="/videos",
    request=PutVideo,
    answer=VideosPut,
    role="operator",
    act=put_video,
    summary="Add or change the address of a stream",
)
drop_video_row = Command(
    name="drop_video",
    method="DELETE",
    path="/videos/{uid}",
    request=DropVideo,
    answer=VideoDropped,
    role="operator",
    act=drop_video,
    summary="Remove a video",
)
