"""Lines of askers: so many of one asker at work, so many in his line, so that nobody takes the room of the others."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from aquila.web_api.errors import WebError


class Lines:
    """A line for each asker, there while somebody stands in it.

    Args:
        at_work: of one asker at once.
        length: of one asker, at work or waiting.
        what: they are, said after their number when a line is full.
        do: what the asker can do about it.
    """

    def __init__(self, at_work: int, length: int, what: str, do: str) -> None:
        self._at_work = at_work
        self._length = length
        self._what = what
        self._do = do
        self._counts: Counter[str] = Counter()
        self._turns: dict[str, asyncio.Semaphore] = {}

    @contextmanager
    def stand(self, who: str) -> Iterator[asyncio.Semaphore]:
        """Have a place in this asker's line; gives what is to be acquired for a turn.

        Raises WebError 429 when his line is full.
        """
        if self._counts[who] >= self._length:
            raise WebError(429, "rate", f"{self._counts[who]} of {self._what} are at work", do=self._do)
        self._counts[who] += 1
        try:
            yield self._turns.setdefault(who, asyncio.Semaphore(self._at_work))
        finally:
            self._counts[who] -= 1
            if not self._counts[who]:
                del self._counts[who], self._turns[who]
