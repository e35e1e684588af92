"""Links: who is connected, how it goes, and what was counted."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Protocol

import msgspec

from aquila.core.feature import Feature, Labelled, Query, Reading
from aquila.core.model import Context, Label, Principal


class LinkRow(msgspec.Struct, frozen=True, kw_only=True):
    """One live channel.

    Attributes:
        transport: tcp, tls, websocket ... peer: address. principal: who is at the other end.
        state: up, slow or down. since_ms: of this state, UTC.
        in_rate: arrivals per second over the last seconds. backlog_bytes: waiting to be sent.
        uid, callsign: what the peer calls itself.
    """

    id: str
    name: str
    transport: str
    state: str
    since_ms: int
    peer: str | None = None
    principal: str | None = None
    in_count: int = 0
    out_count: int = 0
    in_rate: float | None = None
    refused_count: int = 0
    error_count: int = 0
    backlog_bytes: int = 0
    uid: str | None = None
    callsign: str | None = None
    format: str | None = None


class LinkState(msgspec.Struct, frozen=True, kw_only=True):
    """A link and the marking under which its peer may be named; None = everybody with the role may see it."""

    row: LinkRow
    label: Label | None
    context: Context


class Links(Protocol):
    """The part `links` of a node."""

    def states(self) -> Sequence[LinkState]:
        """All links, and those that were lost lately."""
        ...


class AskLinks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All links."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000


def _links(principal: Principal, ask: AskLinks, reading: Reading) -> Iterator[Labelled]:
    links: Links = reading.part("links")
    for state in links.states():
        # Who may not see what the peer says is not told its name either, only that a link is there.
        bare = msgspec.structs.replace(state.row, name="", peer=None, principal=None, uid=None, callsign=None)
        yield Labelled(state.row, state.label, state.context, bare)


feature = Feature(
    name="links",
    queries=(
        Query(
            name="links",
            path="/links",
            request=AskLinks,
            row=LinkRow,
            role="viewer",
            answer=_links,
            summary="Links with their state and counters",
        ),
    ),
)

__all__ = ["LinkRow", "LinkState", "Links", "feature"]
