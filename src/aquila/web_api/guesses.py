"""Guesses: how often a password or token may be tried: by one caller at one target, and by one caller at all."""

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv4Address, ip_address, ip_network

from aquila.web_api.errors import WebError

TRIES_PER_MIN = 10
"""Of one caller at one target."""
CALLER_TRIES_PER_MIN = 60
"""Of one caller at all targets: whoever tries one password at many names is stopped, too."""
GUESSES_KNOWN = 10_000
MINUTE_MS = 60_000


class Guesses:
    """Counts tries within the minutes of the node's clock; those whose last try is longest ago are forgotten.

    A caller is an address before anybody is known, afterwards a principal. Another caller is never shut out by it, so
    nobody can lock out a person whose name he knows.

    Args:
        clock_ms: UTC milliseconds.
    """

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms
        self._tries: OrderedDict[tuple[str, str | None], tuple[int, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tries)

    def count(self, caller: str, target: str = "") -> None:
        """Before a try: count it. Raises WebError 429 when this caller has none left in this minute."""
        caller = _one_of(caller)
        self._count((caller, None), CALLER_TRIES_PER_MIN)
        self._count((caller, target), TRIES_PER_MIN)

    def forgive(self, caller: str, target: str = "") -> None:
        """The try was right: it does not count."""
        caller = _one_of(caller)
        for key in ((caller, None), (caller, target)):
            if key in self._tries:
                minute, count = self._tries[key]
                self._tries[key] = (minute, max(0, count - 1))

    def _count(self, key: tuple[str, str | None], limit: int) -> None:
        now_ms = self._clock_ms()
        minute = now_ms // MINUTE_MS
        at, count = self._tries.pop(key, (minute, 0))
        count = count + 1 if at == minute else 1
        self._tries[key] = (minute, count)
        if len(self._tries) > GUESSES_KNOWN:
            self._tries.popitem(last=False)
        if count > limit:
            left_s = (MINUTE_MS - now_ms % MINUTE_MS + 999) // 1000
            raise WebError(429, "rate", f"more than {limit} tries a minute", do="wait a minute", retry_s=left_s)


def _one_of(caller: str) -> str:
    """The same for all addresses of one IPv6 network of 64 bits: each of its machines has as many as it likes."""
    said, blank, text = caller.rpartition(" ")
    try:
        address = ip_address(text)
    except ValueError:
        return caller
    if isinstance(address, IPv4Address):
        return caller
    network = address.ipv4_mapped or ip_network((address, 64), strict=False)
    return f"{said}{blank}{network}"
