"""Feed: what a node is told of a source of sensor data, and the view of all of them."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal

import msgspec

from aquila.core.feature import Reading
from aquila.core.model import Label
from aquila.core.papers import Papers, Step, Thing
from aquila.core.states import Move, States
from aquila.core.view import view_of

FEED: Final = "feeds.feed"
FEEDS_MAX: Final = 100
RATE_CAP_PER_S: Final = 2_000.0

Storage = Literal["journal", "track", "latest"]
"""What is kept of a feed's reports, emergencies excepted, which are always journalled.

journal: what the lane table makes of them, as with any link. track: positions, thinned into the track table. latest:
the newest of each entity only.
"""
STORAGE_OF: Final[Mapping[str, Storage]] = {"gpx": "journal", "cap": "journal"}
"""Where nobody says otherwise: files that people write and warnings are statements, what sensors say are positions."""

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$")]
Url = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
RateCap = Annotated[float, msgspec.Meta(ge=1, le=100_000)]

STATES: Final = States(
    "feed",
    "none",
    (
        Move("add", ("none",), "running", "administrator"),
        Move("change", ("running", "paused", "ended"), None, "administrator"),
        Move("pause", ("running", "ended"), "paused", "operator"),
        Move("resume", ("running", "paused", "ended"), "running", "operator"),
        Move("end", ("running",), "ended", "the node, when a file has ended"),
        Move("remove", ("running", "paused", "ended"), "removed", "administrator"),
    ),
    ("removed",),
)


class Feed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One source of sensor data.

    Attributes:
        name: for people; what it says stands under `feed:NAME`. format: of the sensor codec. url: where it comes from.
        options: settings of the format. storage: what is kept. rate_cap_per_s: readings a second that go on.
        label: of everything it says.
        password_at_ms: when the password of the address was given; None = there is none. It stands in no entry.
    """

    name: Name
    format: str
    url: Url
    label: Label
    options: dict[str, Any] = {}
    storage: Storage = "track"
    rate_cap_per_s: RateCap = RATE_CAP_PER_S
    password_at_ms: int | None = None


PASSWORDS: Final = "feed/"  # where they are kept, none of them


def password_name(id: str, at_ms: int) -> str:
    """Under which the store of secrets keeps the password that was given then."""
    return f"{PASSWORDS}{id}/{at_ms}"


def feeds_view() -> Papers:
    """A fresh view."""
    return Papers("feeds", 1, ("feeds.",))


def papers_of(reading: Reading) -> Papers:
    """The view of this node."""
    return view_of(reading.views, "feeds", Papers)


def state_of(thing: Thing) -> str:
    """running, paused, ended or removed."""
    return STATES.run(step.action for step in thing.steps)[0]


def read_feed(thing: Thing) -> Feed | None:
    """What the steps say; None = they say nothing that can be used."""
    try:
        return msgspec.convert(thing.fields(), Feed)
    except msgspec.ValidationError:
        return None


def of_node(things: Iterable[Thing], node: str) -> dict[str, tuple[Thing, Feed]]:
    """The feeds of this node that are not removed. Steps that other nodes took open nothing here."""
    found: dict[str, tuple[Thing, Feed]] = {}
    for thing in things:
        steps: list[Step] = [step for step in thing.steps if step.stamp.node == node]
        own = Thing(thing.id, steps) if steps else None
        feed = None if own is None or state_of(own) in ("none", "removed") else read_feed(own)
        if own is not None and feed is not None:
            found[own.id] = (own, feed)
    return found


def feeds_of(reading: Reading) -> dict[str, tuple[Thing, Feed]]:
    """The feeds that the asker may see, in order of their making."""
    return of_node(papers_of(reading).things(reading, FEED), reading.node)
