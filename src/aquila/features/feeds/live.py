"""Live feeds: the part `feeds` of a node. What runs, how fast, what was wrong."""

from collections.abc import Mapping
from typing import Any, Literal, Protocol

import msgspec

from aquila.features.feeds.feed import Feed
from aquila.features.feeds.twins import Twin

Condition = Literal["starting", "up", "silent", "lost", "stopped"]


class LastSample(msgspec.Struct, frozen=True):
    """What was heard last. what: name or identity. entity: None = a plot."""

    at_ms: int
    what: str
    entity: str | None = None


class FeedLive(msgspec.Struct, frozen=True, kw_only=True):
    """How a feed does now.

    Attributes:
        condition: starting; up; silent = up, and nothing for a minute; lost = tried again at retry_at_ms; stopped.
        why: a sentence; empty = nothing to say. act, words: of that sentence, see `Phrase`.
        since_ms: of this condition. tries: since it was up last.
        rate_per_s, errors_per_s: over the last 10 s. in_bytes: since it was started here, as all counts.
        errors: unreadable, by reason. refused: not admitted, by reason. last_error: of the last unreadable bytes.
        superseded: by newer ones, because of the rate cap. waiting: held back by it now.
        dropped: datagrams that the kernel had no room for since it was up; known once the next one comes.
        skewed: claimed times that differ too much from the reception to be believed; skew_s: of the last one.
        jumps: fixes that could not be reached from the one before. twins: identities at two places.
    """

    condition: Condition
    why: str
    since_ms: int
    retry_at_ms: int | None = None
    tries: int = 0
    in_bytes: int = 0
    rate_per_s: float = 0.0
    errors_per_s: float = 0.0
    reports: int = 0
    plots: int = 0
    errors: Mapping[str, int] = {}
    refused: Mapping[str, int] = {}
    last_error: str = ""
    last_sample: LastSample | None = None
    superseded: int = 0
    waiting: int = 0
    dropped: int = 0
    skewed: int = 0
    skew_s: float | None = None
    jumps: int = 0
    twins: tuple[Twin, ...] = ()
    act: str = ""
    words: dict[str, Any] = {}


class Feeds(Protocol):
    """The part `feeds` of a node. Asked from any thread."""

    async def wrong_with(self, feed: Feed) -> str | None:
        """A sentence that says why this feed cannot be; None = it can."""
        ...

    async def keep_password(self, id: str, at_ms: int, password: str | None) -> None:
        """Keep what is said to the source, outside of the journal; None = forget it again."""
        ...

    def live(self, id: str) -> FeedLive | None:
        """How it does; None = it does not run."""
        ...
