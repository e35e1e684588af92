"""Live links: the part `links` of a node, and its rows."""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from aquila.core.model import Context, Label


class LinkRow(msgspec.Struct, frozen=True, kw_only=True):
    """One channel, live or lost lately.

    Attributes:
        transport: tcp, tls, websocket ... peer: address. principal: who is at the other end.
        state: up, slow, down, or refused: nobody was let in from this address. since_ms: when it connected, began not
        to take what it is sent, was lost, or was refused first; UTC. last_ms: when it was refused last; None = never.
        why: it is slow or down, or what it said last was not taken: a sentence; empty = nothing to say.
        refused_count: what of its words policy did not admit, or how often it was refused.
        act, words: of that sentence, see `Phrase`.
        backlog_bytes: waiting to be sent. is_counted: False = it was lost before the node started, and its counts are
        not known.
        uid, callsign: what the peer calls itself. incognito: other clients are not shown it.
    """

    id: str
    name: str
    transport: str
    state: str
    since_ms: int
    last_ms: int | None = None
    why: str = ""
    act: str = ""
    words: dict[str, Any] = {}
    peer: str | None = None
    principal: str | None = None
    in_count: int = 0
    out_count: int = 0
    refused_count: int = 0
    error_count: int = 0
    backlog_bytes: int = 0
    is_counted: bool = True
    uid: str | None = None
    callsign: str | None = None
    format: str | None = None
    incognito: bool = False


class LinkState(msgspec.Struct, frozen=True, kw_only=True):
    """A link and the marking under which its peer may be named; None = everybody with the role may see it."""

    row: LinkRow
    label: Label | None
    context: Context

    @property
    def is_there(self) -> bool:
        """Is somebody at the other end, neither lost nor refused?"""
        return self.row.state not in ("down", "refused")


class Links(Protocol):
    """The part `links` of a node."""

    def states(self) -> Sequence[LinkState]:
        """All links, those that were lost lately, and who was refused lately."""
        ...
