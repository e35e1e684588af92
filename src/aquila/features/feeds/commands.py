"""What can be done to feeds: add, change, pause, resume, remove."""

from typing import Annotated, Any

import msgspec

from aquila.core.codec import Marking
from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk
from aquila.core.model import Entry, Label, Paper, Principal
from aquila.core.papers import Thing, write_paper
from aquila.core.policy import label_for
from aquila.features.feeds.feed import (
    FEED,
    FEEDS_MAX,
    STATES,
    STORAGE_OF,
    Feed,
    Id,
    Name,
    RateCap,
    Storage,
    Url,
    feeds_of,
    state_of,
)
from aquila.features.feeds.live import Feeds
from aquila.links.feeds.address import same_account, split_password

MOVED = Refused(
    "field", "the password is for another name or broker: give it again, or an empty one if there is none any more"
)
NO_FEED = Refused("absent", "there is no such feed, or you may not see it: look into the list of feeds")
Password = Annotated[str, msgspec.Meta(max_length=1_000)]
Group = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class NewFeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A feed to be added.

    Attributes:
        format: of docs/formats/sensors.md. url: udp://, tcp://, file:///, serial:///, mqtt:// or mqtts://.
        password: of the name in a mqtt:// address, also when it stands in there; it is kept in no entry and never told.
        name: None = made of the format. options: settings of the format.
        storage: None = as the format's nature is. rate_cap_per_s: readings a second.
        classification: of what it says; None = the policy's default. groups: empty = all that you write into.
    """

    format: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    url: Url
    password: Password | None = None
    name: Name | None = None
    options: dict[str, Any] = {}
    storage: Storage | None = None
    rate_cap_per_s: RateCap | None = None
    classification: Annotated[str, msgspec.Meta(max_length=60)] | None = None
    groups: Annotated[tuple[Group, ...], msgspec.Meta(max_length=100)] = ()


class ChangeFeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be another; None = stays. The label stays: for another one the feed is removed and added anew.

    Attributes:
        password: stays only with the same name at the same broker; empty = there is none any more.
    """

    id: Id
    url: Url | None = None
    password: Password | None = None
    options: dict[str, Any] | None = None
    storage: Storage | None = None
    rate_cap_per_s: RateCap | None = None


class OneFeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which feed: its id."""

    id: Id


class FeedChanged(msgspec.Struct, frozen=True, kw_only=True):
    """The feed, and the entry that says so."""

    id: str
    name: str
    entry: str


async def add_feed(principal: Principal, ask: NewFeed, desk: Desk) -> FeedChanged | Refused:
    """Add a feed; it starts at once."""
    known = feeds_of(desk)
    if len(known) >= FEEDS_MAX:
        return Refused("full", f"{FEEDS_MAX} feeds are all that one node has: remove some")
    names = {feed.name for _, feed in known.values()}
    name = ask.name or _free_name(ask.format, names)
    if name in names:
        return Refused("name", f"there is a feed {name}: take another name, or change that one")
    label = label_for(desk.policy, principal, Marking(classification=ask.classification), ask.groups)
    if isinstance(label, Refused):
        return label
    url, password = _apart(ask.url, ask.password)
    fields: dict[str, Any] = {"name": name, "format": ask.format, "url": url, "options": ask.options, "label": label}
    if password:
        fields["password_at_ms"] = desk.now_ms()
    fields["storage"] = ask.storage or STORAGE_OF.get(ask.format, "track")
    if ask.rate_cap_per_s is not None:
        fields["rate_cap_per_s"] = ask.rate_cap_per_s
    feed = await _feed_of(fields, desk)
    if isinstance(feed, Refused):
        return feed
    text = f"feed {name} added: {feed.format} from {feed.url}"
    change = Change("add", msgspec.to_builtins(fields), text, password)
    return await _say(principal, desk, (None, feed), desk.new_id(), change)


async def change_feed(principal: Principal, ask: ChangeFeed, desk: Desk) -> FeedChanged | Refused:
    """Change a feed; it starts anew if it runs."""
    found = feeds_of(desk).get(ask.id)
    if found is None:
        return NO_FEED
    thing, feed = found
    fields: dict[str, Any] = {
        name: value for name in ("options", "storage", "rate_cap_per_s") if (value := getattr(ask, name)) is not None
    }
    password = ask.password
    if ask.url is not None:
        fields["url"], password = _apart(ask.url, password)
    if password is not None:
        fields["password_at_ms"] = desk.now_ms() if password else None
    if not fields:
        return Refused("field", "nothing to be changed: name url, password, options, storage or rate_cap_per_s")
    changed = await _feed_of({**msgspec.structs.asdict(feed), **fields}, desk)
    if isinstance(changed, Refused):
        return changed
    if password is None and changed.password_at_ms is not None and not same_account(feed.url, changed.url):
        return MOVED
    words = sorted("password" if name == "password_at_ms" else name for name in fields)
    change = Change("change", fields, f"feed {feed.name}: {', '.join(words)} changed", password)
    return await _say(principal, desk, (thing, feed), thing.id, change)


async def pause_feed(principal: Principal, ask: OneFeed, desk: Desk) -> FeedChanged | Refused:
    """Stop a feed for the time being."""
    return await _step(principal, ask.id, desk, "pause", "paused")


async def resume_feed(principal: Principal, ask: OneFeed, desk: Desk) -> FeedChanged | Refused:
    """Start a feed again: at once if it waits for its next try, a file from its beginning."""
    return await _step(principal, ask.id, desk, "resume", "resumed")


async def remove_feed(principal: Principal, ask: OneFeed, desk: Desk) -> FeedChanged | Refused:
    """Remove a feed. What it has said stays."""
    return await _step(principal, ask.id, desk, "remove", "removed")


async def _step(principal: Principal, id: str, desk: Desk, action: str, done: str) -> FeedChanged | Refused:
    found = feeds_of(desk).get(id)
    if found is None:
        return NO_FEED
    thing, feed = found
    wrong = STATES.check(state_of(thing), action)
    if wrong is not None:
        return wrong
    return await _say(principal, desk, found, id, Change(action, {}, f"feed {feed.name} {done}"))


async def _feed_of(fields: dict[str, Any], desk: Desk) -> Feed | Refused:
    try:
        feed = msgspec.convert(fields, Feed, from_attributes=True)
    except msgspec.ValidationError as wrong:
        return Refused("field", str(wrong)[:300])
    board: Feeds = desk.part("feeds")
    why = await board.wrong_with(feed)
    return feed if why is None else Refused("feed", why)


def _free_name(format: str, names: set[str]) -> str:
    number = 1
    while f"{format}-{number}" in names:
        number += 1
    return f"{format}-{number}"


def _apart(url: str, password: str | None) -> tuple[str, str | None]:
    """The address without a password, and the password: the one that was given beside it goes first."""
    bare, told = split_password(url)
    return bare, told if password is None else password


class Change(msgspec.Struct, frozen=True):
    """A step in the life of a feed: what the entry says, and a password that it does not say."""

    action: str
    fields: dict[str, Any]
    text: str
    password: str | None = None


async def _say(
    principal: Principal, desk: Desk, about: tuple[Thing | None, Feed], id: str, change: Change
) -> FeedChanged | Refused:
    thing, feed = about
    board: Feeds = desk.part("feeds")
    at_ms = change.fields.get("password_at_ms")
    if at_ms is not None:
        # Before the entry: the feed starts as soon as that is written.
        await board.keep_password(id, at_ms, change.password)
    paper = Paper(
        type=FEED,
        target=id,
        action=change.action,
        happened_at_ms=desk.now_ms(),
        fields=change.fields,
        seen=() if thing is None else thing.heads(),
        summary=change.text,
    )
    label: Label = feed.label
    # A new feed is marked as what it will say: who may not have that need not know of it.
    entry = await desk.write(paper, label=label) if thing is None else await write_paper(principal, desk, paper, thing)
    if isinstance(entry, Entry):
        return FeedChanged(id=id, name=feed.name, entry=entry.envelope.id)
    if at_ms is not None:
        await board.keep_password(id, at_ms, None)
    return entry


commands = (
    Command(
        name="add_feed",
        method="POST",
        path="/feeds",
        request=NewFeed,
        answer=FeedChanged,
        role="admin",
        act=add_feed,
        summary="Add a feed of sensor data; it starts at once",
    ),
    Command(
        name="change_feed",
        method="POST",
        path="/feeds/{id}",
        request=ChangeFeed,
        answer=FeedChanged,
        role="admin",
        act=change_feed,
        summary="Change where a feed comes from or how much of it is taken and kept",
    ),
    Command(
        name="pause_feed",
        method="POST",
        path="/feeds/{id}/pause",
        request=OneFeed,
        answer=FeedChanged,
        role="operator",
        act=pause_feed,
        summary="Stop a feed for the time being",
    ),
    Command(
        name="resume_feed",
        method="POST",
        path="/feeds/{id}/resume",
        request=OneFeed,
        answer=FeedChanged,
        role="operator",
        act=resume_feed,
        summary="Start a feed again",
    ),
    Command(
        name="remove_feed",
        method="DELETE",
        path="/feeds/{id}",
        request=OneFeed,
        answer=FeedChanged,
        role="admin",
        act=remove_feed,
        summary="Remove a feed; what it has said stays",
    ),
)
