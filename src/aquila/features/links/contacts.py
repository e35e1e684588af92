"""Contacts: who has spoken of itself, and who of them is connected now; and the links as their peers see them."""

from collections.abc import Iterator, Mapping
from typing import Annotated

import msgspec

from aquila.core.feature import Labelled, Query, Reading
from aquila.core.model import Principal
from aquila.core.view import view_of
from aquila.features.links.live import LinkRow, Links
from aquila.features.links.presence import Presence, Seen, Software


class AskContacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which contacts.

    Attributes:
        connected: only who is connected now. max_age_s: heard, or left, within these seconds.
        group: only of these groups (comma separated), as far as the asker reads them; empty = of all.
    """

    connected: bool = False
    max_age_s: Annotated[float, msgspec.Meta(ge=0, le=1e9)] | None = None
    group: Annotated[str, msgspec.Meta(max_length=4000)] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=20_000)] = 20_000


class ContactRow(msgspec.Struct, frozen=True, kw_only=True):
    """One device that has spoken of itself.

    Attributes:
        principal: who it logged in as. last_ms: when it was last heard, or left; UTC.
        platform, version, device, os: what it says it runs; empty = not said, or not since the node started.
        groups: those it speaks in that the asker reads.
    """

    uid: str
    callsign: str
    principal: str
    connected: bool
    last_ms: int
    team: str = ""
    role: str = ""
    battery_pct: int | None = None
    platform: str = ""
    version: str = ""
    device: str = ""
    os: str = ""
    groups: tuple[str, ...] = ()


class AskSubscriptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All links, with what their peers said of themselves."""


class SubscriptionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A link, and its peer as it last spoke of itself; seen None = it has not."""

    link: LinkRow
    seen: Seen | None
    software: Software
    groups: tuple[str, ...]


def presence_of(reading: Reading) -> Presence:
    """The view of this node."""
    return view_of(reading.views, "presence", Presence)


def _live(reading: Reading) -> Mapping[tuple[str, str | None], int]:
    """(via, principal) -> since when, of the links that are up."""
    links: Links = reading.part("links")
    rows = (state.row for state in links.states() if state.is_there)
    return {(f"{row.transport}:{row.id}", row.principal): row.since_ms for row in rows}


def _is_connected(seen: Seen, live: Mapping[tuple[str, str | None], int], node: str) -> bool:
    """Did it speak by a link that is up? After a restart links are numbered anew, so the time is compared too."""
    since_ms = live.get((seen.via, seen.author))
    return since_ms is not None and seen.stamp.node == node and seen.at_ms >= since_ms


def _contacts(principal: Principal, ask: AskContacts, reading: Reading) -> Iterator[Labelled]:
    presence, live = presence_of(reading), _live(reading)
    now_ms = reading.now_ms()
    wanted = {name for name in ask.group.split(",") if name}
    for seen in presence.seen():
        connected = _is_connected(seen, live, reading.node)
        last_ms = presence.last_ms(seen)
        if ask.connected and not connected:
            continue
        if ask.max_age_s is not None and now_ms - last_ms > ask.max_age_s * 1000:
            continue
        # A group that the asker does not read finds nothing, or it could be guessed.
        groups = groups_shown(seen.label.groups, principal)
        if wanted and not wanted & set(groups):
            continue
        software = presence.software(seen)
        row = ContactRow(
            uid=seen.uid,
            # TAK clients drop the whole list for one line without a name.
            callsign=seen.callsign or seen.uid,
            principal=seen.author.partition(":")[2],
            connected=connected,
            last_ms=last_ms,
            team=seen.team or "",
            role=seen.role or "",
            battery_pct=seen.battery_pct,
            platform=software.platform,
            version=software.version,
            device=software.device,
            os=software.os,
            groups=groups,
        )
        yield Labelled(row, seen.label, seen.context)


def _subscriptions(principal: Principal, ask: AskSubscriptions, reading: Reading) -> Iterator[Labelled]:
    presence = presence_of(reading)
    links: Links = reading.part("links")
    by_link = {seen.link: seen for seen in reversed(presence.seen())}
    for state in links.states():
        row = state.row
        if not state.is_there:
            continue
        seen = by_link.get((reading.node, f"{row.transport}:{row.id}", row.principal or ""))
        if seen is not None and seen.at_ms < row.since_ms:
            seen = None
        software = Software() if seen is None else presence.software(seen)
        groups = groups_shown(() if state.label is None else state.label.groups, principal)
        full = SubscriptionRow(link=row, seen=seen, software=software, groups=groups)
        yield Labelled(full, state.label, state.context)


def groups_shown(groups: tuple[str, ...], principal: Principal) -> tuple[str, ...]:
    """Those of these groups that the asker belongs to: of the others not even the names are told."""
    return tuple(sorted(set(groups) & (principal.groups_in | principal.groups_out)))


contacts = Query(
    name="contacts",
    path="/contacts",
    request=AskContacts,
    row=ContactRow,
    role="viewer",
    answer=_contacts,
    blocking=True,
    summary="Who has spoken of itself, the one heard last first",
)

subscriptions = Query(
    name="subscriptions",
    path="/subscriptions",
    request=AskSubscriptions,
    row=SubscriptionRow,
    role="viewer",
    answer=_subscriptions,
    blocking=True,
    summary="Links with what their peers said of themselves",
)
