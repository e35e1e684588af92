"""Looking back beside the loop: a thread walks the journal for what features seek, the loop writes what was found."""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from time import monotonic
from typing import Final

from aquila.app.engine import Engine
from aquila.core.errors import Refused
from aquila.core.journal import JournalStore
from aquila.core.looking_back import LookBack, look_through
from aquila.core.model import Entry

log = logging.getLogger(__name__)

LOOK_S: Final = 10.0
"""A walk that takes longer ends there, and says how far it came."""
REST: Final = 4.0
"""Rests that many times as long as it walked: who changes a question without end has a fifth of a core, not all."""
AGAIN_S: Final = 10.0
"""Until the next try when the journal's writer could not take what was found."""


class LookingBack:
    """Has due searches made, one at a time.

    Args:
        engine: whose entries wake it. journal: for readers in any thread. look_backs: of all features.
    """

    def __init__(self, engine: Engine, journal: JournalStore, look_backs: Sequence[LookBack]) -> None:
        self._engine = engine
        self._journal = journal
        self._look_backs = look_backs
        self._wake = asyncio.Event()
        engine.on_entries.append(self._hear)

    def _hear(self, entries: Sequence[Entry]) -> None:
        if any(each.wakes(entry) for entry in entries for each in self._look_backs):
            self._wake.set()

    async def follow(self) -> None:
        """At the start, for what a stop cut off, and whenever something may be due; until cancelled."""
        while True:
            self._wake.clear()
            for look_back in self._look_backs:
                await self._look(look_back)
            await self._wake.wait()

    async def _look(self, look_back: LookBack) -> None:
        node = self._engine.node
        while (search := node.search(look_back)) is not None:
            began_s = monotonic()
            looked = await asyncio.to_thread(look_through, self._journal, search, partial(_is_over, began_s + LOOK_S))
            took_s = monotonic() - began_s
            log.info("%s: looked at %d entries in %.2f s", look_back.name, looked.entries, took_s)
            staged = node.looked(look_back, search, looked)
            outcome = await self._engine.commit(staged) if staged else None
            await asyncio.sleep(AGAIN_S if isinstance(outcome, Refused) else REST * took_s)


def _is_over(at_s: float) -> bool:
    return monotonic() > at_s
