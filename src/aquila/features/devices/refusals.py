"""Refusals: whoever tried to come in and might not stands in the journal, but nobody can fill it by trying."""

from collections.abc import Callable
from typing import Protocol

from aquila.core.model import Act, Body

PER_MINUTE_MAX = 30
REPEATED_MS = 60_000
WORDS_MAX = 64
DEVICE_REFUSED = "device.refuse"


class Noter(Protocol):
    """The part `refusals` of a node."""

    def note(self, target: str, reason: str, sentence: str = "", address: str = "") -> None:
        """Somebody was refused."""
        ...

    def let_in(self, address: str) -> None:
        """Somebody proved from there who he is, by name and password."""
        ...


class Refusals:
    """Writes the act `device.refuse`: the same of the same once a minute, and 30 a minute in all; others are counted.

    Args:
        say: writes an act as the node. count: counts what is not written, by a word. clock_ms: UTC milliseconds.
    """

    def __init__(self, say: Callable[[Body], None], count: Callable[[str], None], clock_ms: Callable[[], int]) -> None:
        self._say = say
        self._count = count
        self._clock_ms = clock_ms
        self._minute = 0
        self._said: set[tuple[str, str]] = set()

    def note(self, target: str, reason: str, sentence: str = "", address: str = "") -> None:
        """Somebody was refused.

        Args:
            target: principal id of whom he says to be.
            reason: a short stable word.
            sentence: for people, never with a password or token in it.
            address: of the peer, if known.
        """
        now_ms = self._clock_ms()
        if now_ms // REPEATED_MS != self._minute:
            self._minute = now_ms // REPEATED_MS
            self._said.clear()
        target = plain(target, WORDS_MAX)
        if (target, reason) in self._said or len(self._said) >= PER_MINUTE_MAX:
            self._count("refusal not journalled")
            return
        self._said.add((target, reason))
        detail = {"reason": reason, "sentence": plain(sentence, 4 * WORDS_MAX), "address": plain(address, WORDS_MAX)}
        said = {key: value for key, value in detail.items() if value}
        self._say(Act(action=DEVICE_REFUSED, target=target, happened_at_ms=now_ms, detail=said))


def plain(text: str, limit: int) -> str:
    """A stranger's text as it may stand in the journal: short, and nothing in it that changes how a line looks."""
    return "".join(char if char.isprintable() else "?" for char in text[:limit])
