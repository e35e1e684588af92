"""Who was refused at a door lately: what the board of links says of it, one line for each address."""

from collections import OrderedDict

import msgspec

REFUSED_MAX = 100
REFUSED_MS = 12 * 3_600_000
"""As long as a watch, like a lost link."""


class RefusedLink(msgspec.Struct, frozen=True):
    """All refusals of one address.

    Attributes:
        number: in the order of the first refusals. transport: tls, websocket ... address: "" = not known here.
        name: whom the certificate or login names that was shown last; "" = nobody, or none was read.
        sentence: why it was refused last, of the group "refused". since_ms, last_ms: the first and the last time, UTC.
    """

    number: int
    transport: str
    address: str
    name: str
    sentence: str
    since_ms: int
    last_ms: int
    count: int


class RefusedLinks:
    """So many addresses and so long; beyond, the one that was refused longest ago goes."""

    def __init__(self) -> None:
        self._refused: OrderedDict[str, RefusedLink] = OrderedDict()
        self._last_number = 0

    def note(self, transport: str, address: str, sentence: str, now_ms: int, name: str = "") -> None:
        """Somebody was refused at a door, for this reason."""
        known = self._refused.pop(address, None)
        if known is None or now_ms - known.last_ms > REFUSED_MS:
            self._last_number += 1
            known = RefusedLink(self._last_number, transport, address, name, sentence, now_ms, now_ms, 0)
        self._refused[address] = msgspec.structs.replace(
            known, transport=transport, name=name, sentence=sentence, last_ms=now_ms, count=known.count + 1
        )
        if len(self._refused) > REFUSED_MAX:
            self._refused.popitem(last=False)

    def let_in(self, address: str, transport: str | None = None) -> None:
        """Somebody who is known came in from there: what was wrong is mended. The journal keeps that it was.

        transport: by which; who was refused by another is none the better for it. None = whichever it was.
        """
        known = self._refused.get(address)
        if known is not None and transport in (None, known.transport):
            del self._refused[address]

    def still(self, now_ms: int) -> list[RefusedLink]:
        """Those of the last REFUSED_MS."""
        return [each for each in self._refused.values() if now_ms - each.last_ms <= REFUSED_MS]


__all__ = ["REFUSED_MAX", "REFUSED_MS", "RefusedLink", "RefusedLinks"]
