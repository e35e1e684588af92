"""Who reads: the rights of an audience, the links that share them, and where one link stands."""

from collections.abc import Hashable

import msgspec

from aquila.core.contacts import LinkId
from aquila.core.fanout.run import Batch, Piece, Sent
from aquila.core.model import Audience


class Rights:
    """What one audience may have of each label class, decided once per class and policy epoch."""

    __slots__ = ("audience", "full", "known", "reasons", "redacted", "uses")

    def __init__(self, audience: Audience) -> None:
        self.audience = audience
        self.uses = 0
        self.forget()

    def forget(self) -> None:
        """Other rules are in force: nothing is decided any more."""
        self.known = self.full = self.redacted = 0
        self.reasons: dict[int, str] = {}


class Group:
    """Links with the same audience and the same format."""

    __slots__ = ("behind", "code", "format", "ready", "rights")

    def __init__(self, rights: Rights, format: str, code: int) -> None:
        self.rights = rights
        self.format = format
        self.code = code
        self.ready: dict[LinkId, Reader] = {}
        self.behind: dict[LinkId, Reader] = {}


class Reader:
    """Where one link stands. `since` and everything below it has a meaning only while it is behind."""

    __slots__ = (
        "behind_since_ms",
        "committed_bytes",
        "group",
        "id",
        "missed",
        "own",
        "progress_ms",
        "reply_bytes",
        "rest",
        "sent",
        "since",
        "waiting",
        "waiting_bytes",
        "waiting_since_ms",
        "whole",
    )

    def __init__(self, id: LinkId, group: Group, own: Hashable | None, committed_bytes: int) -> None:
        self.id = id
        self.group = group
        self.own = own
        self.committed_bytes = committed_bytes
        self.rest: Batch | None = None
        self.sent = 0
        self.since = 0
        self.whole = False
        self.waiting: list[Sent] = []
        self.waiting_bytes = 0
        self.waiting_since_ms = 0
        self.progress_ms = 0
        self.behind_since_ms = 0
        self.reply_bytes = 0
        self.missed = 0

    @property
    def is_behind(self) -> bool:
        """Did it not take its last bytes?"""
        return self.id in self.group.behind

    def rejoin(self) -> None:
        """It took everything it was given: it is ready again."""
        self.group.behind.pop(self.id, None)
        self.group.ready[self.id] = self

    def batch(self, pieces: list[Piece], since: int) -> Batch | None:
        """Some pieces as what this link gets next; None = there are none."""
        if not pieces:
            return None
        forms = [form for form, _ in pieces]
        items = [item for _, item in pieces]
        return Batch((self.id,), (b"".join(forms),), forms, items, since)

    def split(self) -> tuple[bytes, list[Piece]]:
        """The unsent rest as what must go out as it stands, and the whole pieces behind it."""
        if self.rest is None:
            return b"", []
        sent = self.sent
        beyond = sent + self.committed_bytes
        head: list[bytes] = []
        pieces: list[Piece] = []
        start = 0
        for form, item in self.rest.pieces():
            end = start + len(form)
            if end > sent:
                if start < beyond:
                    head.append(form[max(0, sent - start) :])
                else:
                    pieces.append((form, item))
            start = end
        return b"".join(head), pieces

    def put_rest(self, head: bytes, pieces: list[Piece]) -> None:
        """Have these wait for it in place of what waited."""
        since = self.since if self.rest is None else self.rest.since
        whole: list[Piece] = [(head, None), *pieces] if head else pieces
        self.rest = self.batch(whole, since)
        self.sent = 0


class Standing(msgspec.Struct, frozen=True):
    """What waits for one link: bytes not taken yet, and statements behind them.

    since_ms: since when it is behind, UTC; without meaning when it is not.
    """

    behind: bool
    since_ms: int
    unsent_bytes: int
    statements: int
    statement_bytes: int
