"""Limits: what one peer may ask of the node, and for how long it may keep it waiting."""

import resource

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one listener; None = no bound.

    Attributes:
        connections: open at once on this listener.
        per_address: not yet authenticated connections from one address (a field router hides many phones, so an
            authenticated one counts no more). On plain TCP nobody ever is.
        limits_loopback: does per_address hold for this machine itself?
        handshakes: TLS handshakes at once; one that lasts longer than a second gives way to a newcomer.
        handshake_s: a TLS handshake may take this long.
        unfinished_s: what a peer began to say must be whole by then.
        idle_s: a peer that has spoken, and no byte went either way for this long: closed.
        rate_per_s, burst: statements and positions a principal may say; beyond that its links are read more slowly.
        strikes: this many pieces in a row that cannot be read, and the link is closed.
    """

    connections: int = 10_000
    per_address: int | None = 20
    limits_loopback: bool = False
    handshakes: int = 16
    handshake_s: float = 5.0
    unfinished_s: float | None = 15.0
    idle_s: float | None = 90.0
    rate_per_s: float | None = 2_000.0
    burst: float = 10_000.0
    strikes: int = 3


class Bucket:
    """Tokens that come back at a steady rate. It may run into debt; then it says how long to wait."""

    __slots__ = ("_at_s", "_burst", "_rate_per_s", "_tokens", "uses")

    def __init__(self, rate_per_s: float, burst: float, now_s: float) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._tokens = burst
        self._at_s = now_s
        self.uses = 0

    def take(self, count: int, now_s: float) -> float:
        """Take `count` tokens; gives the seconds until the debt is paid, 0 = go on."""
        filled = self._tokens + (now_s - self._at_s) * self._rate_per_s
        self._tokens = min(self._burst, filled) - count
        self._at_s = now_s
        return max(0.0, -self._tokens / self._rate_per_s)


def raise_file_limit() -> int:
    """Let this process open as many files as the system allows it; gives that number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
