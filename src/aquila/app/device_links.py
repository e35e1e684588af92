"""Device links: the live connections of devices and persons follow what the journal says of their rights."""

import asyncio
from collections.abc import Mapping, Sequence

from aquila.app.engine import Engine
from aquila.app.tak import Speaker, TakEdge
from aquila.codecs.cot import TakMessages, TakSession, group_change_notice
from aquila.core.errors import Refused
from aquila.core.model import Act, Context, Entry, Principal, audience_of
from aquila.core.policy import label_for
from aquila.core.view import view_of
from aquila.features.devices import DEVICE_SWITCHED, Devices
from aquila.features.devices.view import (
    CERTIFICATE_REVOKED,
    DEVICE_ADDED,
    DEVICE_CHANNELS,
    DEVICE_REVOKED,
    USER_ADDED,
    USER_REMOVED,
)
from aquila.links import why
from aquila.links.hub import Hub
from aquila.links.peer import Peer
from aquila.links.stream import StreamListener

TOKEN_REVOKED = "token.revoke"  # noqa: S105  # the word of an act, no secret
FOLLOWED = (DEVICE_ADDED, DEVICE_REVOKED, DEVICE_CHANNELS, CERTIFICATE_REVOKED, USER_ADDED, USER_REMOVED)


LOOK_S = 5.0
"""A certificate that ends closes its links within this."""


class DeviceLinks:
    """The part `streams` of a node.

    Args:
        engine: whose entries are followed. edge: knows the links. hub: gives them other rights.
        listeners: know which certificate a link came with.
    """

    def __init__(self, engine: Engine, edge: TakEdge, hub: Hub, listeners: Mapping[str, StreamListener]) -> None:
        self._engine = engine
        self._edge = edge
        self._hub = hub
        self._listeners = listeners
        engine.on_entries.append(self.hear)

    def hear(self, entries: Sequence[Entry]) -> None:
        """Whoever is revoked is gone at once; whoever may read or write elsewhere does so from now on."""
        for entry in entries:
            act = entry.body
            if not isinstance(act, Act):
                continue
            if act.action in FOLLOWED:
                self._follow(act)
            if act.action == CERTIFICATE_REVOKED:
                for listener in self._listeners.values():
                    listener.close_serials({act.detail.get("serial", "")}, why.REVOKED)
            elif act.action == DEVICE_SWITCHED:
                self._close_replaced(act)
            elif act.action == USER_ADDED:
                # Of one who was there: what he may do has changed, and he comes back with that.
                self._close({f"person:{act.target}"}, why.RIGHTS_CHANGED)
            elif act.action in (USER_REMOVED, TOKEN_REVOKED):
                gone = f"person:{act.target}" if act.action == USER_REMOVED else f"token:{act.target}"
                self._close({gone}, why.REVOKED)

    async def follow(self) -> None:
        """Close the links whose certificate has ended; until cancelled. The handshake looks at it only once."""
        while True:
            await asyncio.sleep(LOOK_S)
            self.close_ended(self._engine.node.clock_ms())

    def close_ended(self, now_ms: int) -> None:
        """Close the links whose certificate ended before this moment (UTC)."""
        for link in list(self._edge.links.values()):
            if link.good_until_ms is not None and link.good_until_ms <= now_ms:
                link.close(why.EXPIRED)

    def _close_replaced(self, act: Act) -> None:
        """The new certificate was used: streams that came with the one before it end."""
        node = self._engine.node
        devices = view_of(node.views, "devices", Devices)
        name = act.target.partition(":")[2]
        certificates = (each for each in devices.certificates(node.identity.node) if each.device == name)
        replaced = {each.serial for each in certificates if each.state == "replaced"}
        for listener in self._listeners.values():
            listener.close_serials(replaced, why.REPLACED)

    def resend(self, principal: str) -> None:
        """Have all connections of this principal get the picture again."""
        for link in self._links(principal):
            if link.principal is not None:
                self._hub.regroup(link.id, audience_of(link.principal))

    def _links(self, principal: str) -> list[Peer]:
        links = self._edge.links.values()
        return [link for link in links if link.principal is not None and link.principal.id == principal]

    def _close(self, principals: set[str], reason: str) -> None:
        for principal in principals:
            for link in self._links(principal):
                link.close(reason)

    def _follow(self, act: Act) -> None:
        # The device of a person has his name: it goes with him, and may what he may.
        target = f"device:{act.target}" if act.action in (USER_ADDED, USER_REMOVED) else act.target
        links = self._links(target)
        if not links:
            return
        node, name = self._engine.node, target.partition(":")[2]
        devices = view_of(node.views, "devices", Devices)
        principal = devices.principal(node.identity.node, name, node.context)
        if principal is None:
            self._close({target}, why.REVOKED)
            return
        for link in links:
            self._regroup(link, principal, act)

    def _regroup(self, link: Peer, principal: Principal, act: Act) -> None:
        before, link.principal = link.principal, principal
        if before is not None and _rights(before) == _rights(principal):
            return
        speaker = link.tag
        assert isinstance(speaker, Speaker)
        label = label_for(self._engine.node.policy, principal, None)
        if not isinstance(label, Refused):
            speaker.label = label
        client = act.detail.get("client", "")
        # S11, and before the picture: a client that hears it drops what it has of this node.
        if client not in (speaker.uid, "") and isinstance(link.session, TakSession | TakMessages):
            clockwork = self._engine.clockwork
            notice = group_change_notice(client, clockwork.clock_ms(), clockwork.new_id())
            self._hub.reply(link.id, link.session.write(notice))
        self._hub.regroup(link.id, audience_of(principal))


def _rights(principal: Principal) -> tuple[Context, object, object]:
    return principal.context, principal.groups_in, audience_of(principal)


__all__ = ["DeviceLinks"]
