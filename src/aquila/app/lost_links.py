"""Links that were lost lately: what the board still says of them, until their peer is back."""

from collections import OrderedDict
from collections.abc import Collection

import msgspec

from aquila.links.peer import LinkState

LOST_MAX = 200
LOST_MS = 12 * 3_600_000
"""As long as a watch: who takes over learns from the handover what was lost before."""


class LostLink(msgspec.Struct, frozen=True):
    """A link as it went.

    Attributes:
        state: with what had been counted. tag: what the edge knew of its peer. uid: what the peer called itself; None =
        it has not spoken, and is known by its certificate. at_ms: when it went, UTC.
    """

    state: LinkState
    tag: object
    uid: str | None
    at_ms: int


class LostLinks:
    """The newest of them, one for each peer, so many and so long."""

    def __init__(self) -> None:
        self._lost: OrderedDict[str, LostLink] = OrderedDict()

    def add(self, lost: LostLink, *, has_name: bool) -> None:
        """Note a loss. `has_name`: its principal is one peer; of a listener's nameless guest nothing can be said."""
        key = lost.uid or (lost.state.principal if has_name else None)
        if key is None:
            return
        if has_name and lost.uid is not None:
            self._lost.pop(lost.state.principal or "", None)  # It has said by now what it calls itself.
        self._lost[key] = lost
        self._lost.move_to_end(key)
        if len(self._lost) > LOST_MAX:
            self._lost.popitem(last=False)

    def still(self, now_ms: int, uids: Collection[str], principals: Collection[str]) -> list[LostLink]:
        """Those of the last LOST_MS who are not back: neither by their uid nor, where they have none, as themselves."""
        return [
            lost
            for lost in self._lost.values()
            if now_ms - lost.at_ms <= LOST_MS
            and (lost.uid not in uids if lost.uid is not None else lost.state.principal not in principals)
        ]


__all__ = ["LOST_MAX", "LOST_MS", "LostLink", "LostLinks"]
