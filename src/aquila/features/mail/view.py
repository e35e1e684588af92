"""Mail: what is addressed to somebody who is away, and waits for him. A view of the acts mail.wait and mail.deliver."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from aquila.core.model import Act, Address, Arrival, Context, Entry, Label, Stamp

MAIL_WAIT = "mail.wait"
MAIL_DELIVER = "mail.deliver"
MAIL_MAX = 20_000
"""Rows kept, the newest; those that were delivered count, until newer ones push them out."""
SLACK = 1_000
SCHEMES = ("callsign", "uid")
"""People are away; groups and missions never are."""


class Mail(msgspec.Struct, frozen=True, array_like=True):
    """One statement for one addressee.

    Attributes:
        entry: id of the statement's journal entry.
        state: waits, or was handed over. until_ms: it waits no longer than this.
        label, context, author: of the statement; author "" = not said.
    """

    stamp: Stamp
    to: Address
    entry: str
    state: Literal["waiting", "delivered"]
    until_ms: int
    label: Label
    context: Context
    author: str = ""


class _State(msgspec.Struct, array_like=True):
    rows: list[Mail]


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(_State)


class Mailbox:
    """Statements by addressee. For each pair the newest act counts, so any order of arrival gives the same state."""

    name = "mail"
    version = 1
    hears_positions = False

    def __init__(self) -> None:
        self._boxes: dict[Address, dict[str, Mail]] = {}
        self._count = 0
        self._waiting: dict[str, dict[tuple[Address, str], Mail]] = {}
        """Author -> what of his waits, also what is over by now until somebody counts: see count_by."""

    def fold(self, arrival: Arrival) -> None:
        """See View."""
        if not isinstance(arrival, Entry) or not isinstance(arrival.body, Act):
            return
        act = arrival.body
        if act.action not in (MAIL_WAIT, MAIL_DELIVER):
            return
        to = address_in(act.target)
        until = act.detail.get("until_ms", "")
        entry = act.detail.get("entry", "")
        if to is None or not entry:
            return
        envelope = arrival.envelope
        self._keep(
            Mail(
                envelope.stamp,
                to,
                entry,
                "waiting" if act.action == MAIL_WAIT else "delivered",
                int(until) if until.isdecimal() else 0,
                envelope.label,
                envelope.context,
                act.detail.get("author", ""),
            )
        )

    def _keep(self, mail: Mail) -> None:
        box = self._boxes.setdefault(mail.to, {})
        known = box.get(mail.entry)
        if known is not None and known.stamp >= mail.stamp:
            return
        box[mail.entry] = mail
        self._count += known is None
        if known is not None:
            self._wait_no_more(known)
        if mail.state == "waiting":
            self._waiting.setdefault(mail.author, {})[mail.to, mail.entry] = mail
        if self._count > MAIL_MAX + SLACK:
            self._trim()

    def _trim(self) -> None:
        # What still waits stays before what was delivered; who writes sees to it that it is never too much.
        rows = sorted(self._rows(), key=lambda mail: (mail.state == "waiting", mail.stamp))[-MAIL_MAX:]
        self._boxes, self._count, self._waiting = {}, 0, {}
        for mail in rows:
            self._keep(mail)

    def _wait_no_more(self, mail: Mail) -> None:
        own = self._waiting.get(mail.author, {})
        own.pop((mail.to, mail.entry), None)
        if not own:
            self._waiting.pop(mail.author, None)

    def _rows(self) -> Iterator[Mail]:
        return (mail for box in self._boxes.values() for mail in box.values())

    def snapshot(self) -> bytes:
        """See View."""
        self._trim()
        return _encoder.encode(_State(sorted(self._rows(), key=lambda mail: mail.stamp)))

    def restore(self, data: bytes) -> None:
        """See View."""
        self._boxes, self._count, self._waiting = {}, 0, {}
        for mail in _decoder.decode(data).rows:
            self._keep(mail)

    def waiting(self, to: Address, now_ms: int) -> list[Mail]:
        """What waits for an addressee, the oldest first."""
        box = self._boxes.get(to, {})
        return sorted(
            (mail for mail in box.values() if mail.state == "waiting" and now_ms < mail.until_ms),
            key=lambda mail: mail.stamp,
        )

    def waiting_count(self, now_ms: int) -> int:
        """How many wait for anybody."""
        return sum(self.count_by(author, now_ms) for author in list(self._waiting))

    def count_by(self, author: str, now_ms: int) -> int:
        """How many of this author's wait. Looks at his alone: it is asked for every addressee of every statement."""
        return sum(now_ms < mail.until_ms for mail in list(self._waiting.get(author, {}).values()))

    def all_waiting(self, now_ms: int) -> list[Mail]:
        """What waits for anybody, the oldest first."""
        found = (mail for mail in self._rows() if mail.state == "waiting" and now_ms < mail.until_ms)
        return sorted(found, key=lambda mail: mail.stamp)


def target_of(to: Address) -> str:
    """The addressee as an act names it."""
    return f"{to.scheme}:{to.value}"


def address_in(target: str) -> Address | None:
    """The addressee that an act names; None = nobody who could be away."""
    scheme, found, value = target.partition(":")
    if not found or not value:
        return None
    if scheme == "callsign":
        return Address("callsign", value)
    return Address("uid", value) if scheme == "uid" else None
