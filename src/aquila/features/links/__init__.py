"""Links: who is connected, how it goes, what was counted, and who has spoken of itself."""

from collections.abc import Iterator
from typing import Annotated

import msgspec

from aquila.core.feature import Feature, Labelled, Query, Reading
from aquila.core.model import Principal
from aquila.features.links.contacts import contacts
from aquila.features.links.live import LinkRow, Links, LinkState
from aquila.features.links.marti import endpoints
from aquila.features.links.presence import Presence


class AskLinks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All links."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000


def _links(principal: Principal, ask: AskLinks, reading: Reading) -> Iterator[Labelled]:
    links: Links = reading.part("links")
    for state in links.states():
        # Who may not see what the peer says is not told its name either, only that a link is there.
        bare = msgspec.structs.replace(
            state.row,
            name="",
            last_ms=None,
            why="",
            act="",
            words={},
            peer=None,
            principal=None,
            uid=None,
            callsign=None,
        )
        yield Labelled(state.row, state.label, state.context, bare)


feature = Feature(
    name="links",
    views=(Presence,),
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
        contacts,
    ),
    endpoints=endpoints,
)

__all__ = ["LinkRow", "LinkState", "Links", "Presence", "feature"]
