"""What can be asked of feeds: all of them with their live state."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from aquila.core.feature import Labelled, Query, Reading
from aquila.core.model import Label, Principal
from aquila.features.feeds.feed import Storage, feeds_of, state_of
from aquila.features.feeds.live import FeedLive, Feeds

NOT_RUNNING = FeedLive(condition="stopped", why="", since_ms=0)


class AskFeeds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All feeds."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1000


class FeedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A feed and how it does.

    Attributes:
        state: running, paused or ended. has_password: one is said to the source; it is shown to nobody.
        live: its last_error, which quotes foreign bytes, is for administrators only.
    """

    id: str
    name: str
    format: str
    url: str
    options: dict[str, Any]
    state: str
    storage: Storage
    rate_cap_per_s: float
    has_password: bool
    label: Label
    changed_at_ms: int
    changed_by: str
    live: FeedLive


def _feeds(principal: Principal, ask: AskFeeds, reading: Reading) -> Iterator[Labelled]:
    board: Feeds = reading.part("feeds")
    for thing, feed in feeds_of(reading).values():
        live = board.live(thing.id) or NOT_RUNNING
        if "admin" not in principal.roles:
            live = msgspec.structs.replace(live, last_error="")
        row = FeedRow(
            id=thing.id,
            name=feed.name,
            format=feed.format,
            url=feed.url,
            options=feed.options,
            state=state_of(thing),
            storage=feed.storage,
            rate_cap_per_s=feed.rate_cap_per_s,
            has_password=feed.password_at_ms is not None,
            label=feed.label,
            changed_at_ms=thing.newest.at_ms,
            changed_by=thing.newest.by,
            live=live,
        )
        yield Labelled(row, feed.label, thing.first.context)


feeds = Query(
    name="feeds",
    path="/feeds",
    request=AskFeeds,
    row=FeedRow,
    role="viewer",
    answer=_feeds,
    summary="Feeds of sensor data with their rate, errors, last sample and findings",
)
