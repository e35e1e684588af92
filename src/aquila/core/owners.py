"""Owners: a view of which principal each foreign uid belongs to, folded from the acts device.bind and device.revoke."""

from collections.abc import Mapping

import msgspec

from aquila.core.errors import Refused
from aquila.core.model import Act, Arrival, Entry, Principal, Stamp
from aquila.core.view import View, view_of

SPOOFED = Refused("spoof", "this client uid belongs to somebody else: say the uid of your own client, or none")


class _State(msgspec.Struct, array_like=True):
    binds: dict[str, dict[str, list[Stamp]]]
    revokes: dict[str, Stamp]


class Owners:
    """First to use a uid owns it, until its certificate is revoked; then the uid is free again.

    So a person who gets a new certificate keeps the phone, and nobody else can speak for it meanwhile.
    """

    name = "owners"
    version = 1
    hears_positions = False

    def __init__(self) -> None:
        self._state = _State({}, {})

    def fold(self, arrival: Arrival) -> None:
        """Take a binding or a revocation into account."""
        if not isinstance(arrival, Entry) or not isinstance(arrival.body, Act):
            return
        act, stamp = arrival.body, arrival.envelope.stamp
        if act.action == "device.bind":
            stamps = self._state.binds.setdefault(act.detail.get("uid", ""), {}).setdefault(act.target, [])
            if stamp not in stamps:
                stamps.append(stamp)
                stamps.sort()
        elif act.action == "device.revoke":
            known = self._state.revokes.get(act.target)
            if known is None or stamp > known:
                self._state.revokes[act.target] = stamp

    def owner(self, uid: str) -> str | None:
        """The principal that this uid belongs to; None = nobody's."""
        claims = self._state.binds.get(uid)
        if not claims:
            return None
        standing = [
            (stamp, principal)
            for principal, stamps in claims.items()
            for stamp in stamps
            if principal not in self._state.revokes or stamp > self._state.revokes[principal]
        ]
        return min(standing)[1] if standing else None

    def uids(self, principal: str) -> list[str]:
        """The uids that belong to a principal, the one that was bound last is the last."""
        claimed = [(claims[principal][-1], uid) for uid, claims in self._state.binds.items() if principal in claims]
        return [uid for _, uid in sorted(claimed) if self.owner(uid) == principal]

    def snapshot(self) -> bytes:
        """See core.view.View."""
        return msgspec.msgpack.encode(self._state, order="deterministic")

    def restore(self, data: bytes) -> None:
        """See core.view.View."""
        self._state = msgspec.msgpack.decode(data, type=_State)


def is_of_another(uid: str, principal: Principal, views: Mapping[str, View]) -> bool:
    """Would this principal speak for a client that is not its own? A uid that nobody speaks with is free for all."""
    return bool(uid) and view_of(views, Owners.name, Owners).owner(uid) not in (None, principal.id)
