"""Fusion inside a node: what feeds and phones bring goes to a worker thread, what is one thing comes back as reports.

Everything enters the engine like what any link says, under the principal `fusion`. A queue that is full drops the
oldest, and counts it. A node without feeds has nothing to fuse: the tracker is loaded when the first of them speaks.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from aquila.app.engine import Engine
from aquila.app.feeds import FeedBoard
from aquila.app.fused_heard import Heard, HeardPlot, HeardRemoval, HeardReport
from aquila.core.codec import Decoded
from aquila.core.model import Entry, Label, Paper, Principal, Removal, Report, Sample
from aquila.core.papers import Papers
from aquila.core.plot import Plot
from aquila.core.policy import Policy
from aquila.core.view import view_of
from aquila.features.feeds import Feed
from aquila.features.tracks import PAIR, Fused, words_of

if TYPE_CHECKING:
    from aquila.app.fusing import Fusing, Shot, Symbol

log = logging.getLogger(__name__)

PRINCIPAL: Final = "fusion"
FEED: Final = "feed:"
"""How the names of those begin who make the fusion worth its while."""
BATCH_S: Final = 0.25
WAITING_MAX: Final = 50_000
"""Reports and plots that wait for the worker; beyond, the oldest go."""


class FusionEdge:
    """The part `fusion` of a node. See features.tracks.Fusions.

    Args:
        engine: the node. feeds: who tells of plots.
    """

    def __init__(self, engine: Engine, feeds: FeedBoard) -> None:
        self.fusing: Fusing | None = None
        """None = no feed has spoken yet."""
        self._wanted = asyncio.Event()
        self._engine = engine
        self._feeds = feeds
        self._waiting: deque[Heard] = deque(maxlen=WAITING_MAX)
        self._principals: dict[Label, Principal] = {}
        self._serial = 0

    # -- see features.tracks.Fusions --------------------------------------------------------------------------------

    def fused(self) -> tuple[Fused, ...]:
        """See Fusions."""
        if self.fusing is None:
            return ()
        shot = self.fusing.shot
        shown = (at for at, group in enumerate(shot.groups) if len(group.members) > 1 or group.members[0] in shot.radar)
        return tuple(self._row(shot, at) for at in shown)

    def of(self, entity: str) -> Fused | None:
        """See Fusions."""
        if self.fusing is None:
            return None
        # One look: the worker puts a new shot in its place at any moment.
        shot = self.fusing.shot
        at = shot.by_entity.get(entity)
        return None if at is None else self._row(shot, at)

    def source_of(self, entity: str) -> str | None:
        """See Fusions."""
        found = self.of(entity)
        members = () if found is None else found.members
        return next((member.source for member in members if member.entity == entity), None)

    def conflicts(self) -> tuple[tuple[str, str], ...]:
        """See Fusions."""
        return () if self.fusing is None else self.fusing.shot.conflicts

    def _row(self, shot: "Shot", at: int) -> Fused:
        from aquila.app.fusing import fused_of

        assert self.fusing is not None
        plane = self.fusing.plane
        assert plane is not None
        return fused_of(shot, at, plane, self._engine.node.context)

    # -- in ---------------------------------------------------------------------------------------------------------

    def _put(self, heard: Heard) -> None:
        if len(self._waiting) == WAITING_MAX:
            self._engine.counts["fusion dropped, queue full"] += 1
        self._waiting.append(heard)

    def take_plot(self, id: str, feed: Feed, plot: Plot) -> None:
        """See app.feeds.HearPlot."""
        self._wanted.set()
        self._put(HeardPlot(plot, feed.label, self._engine.clockwork.clock_ms()))

    def _sample(self, sample: Sample, link: int | None) -> None:
        if sample.author.startswith(FEED):
            self._wanted.set()
        if sample.author != PRINCIPAL and self._wanted.is_set():
            self._put(HeardReport(sample.report, sample.label, sample.received_at_ms))

    def _entries(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            body, envelope = entry.body, entry.envelope
            if envelope.author.startswith(FEED):
                self._wanted.set()
            if envelope.author == PRINCIPAL or not self._wanted.is_set():
                continue
            if isinstance(body, Report) and body.emergency is None:
                self._put(HeardReport(body, envelope.label, envelope.received_at_ms))
            elif isinstance(body, Removal):
                self._put(HeardRemoval(body.entity))
            elif isinstance(body, Paper) and body.type == PAIR:
                self._obey()

    def _obey(self) -> None:
        node = self._engine.node
        if self.fusing is None:
            return
        self.fusing.words = words_of(view_of(node.views, "pairs", Papers), node.context)

    # -- life -------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Fuse what comes, until the way out."""
        engine = self._engine
        engine.on_samples.append(self._sample)
        engine.on_entries.append(self._entries)
        self._feeds.on_plots.append(self.take_plot)
        working = asyncio.create_task(self._work())
        try:
            yield
        finally:
            self._feeds.on_plots.remove(self.take_plot)
            engine.on_entries.remove(self._entries)
            engine.on_samples.remove(self._sample)
            working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working

    async def _work(self) -> None:
        await self._wanted.wait()
        self.fusing = fusing = await asyncio.to_thread(_new_fusing, self._engine.node.policy)
        self._obey()
        while True:
            await asyncio.sleep(BATCH_S)
            batch, now_ms = list(self._waiting), self._engine.clockwork.clock_ms()
            self._waiting.clear()
            fusing.policy = self._engine.node.policy
            try:
                said = await asyncio.to_thread(fusing.step, batch, now_ms)
            except Exception:  # the boundary: one bad batch must not end the fusion
                log.exception("fault of ours in a batch of %d for the fusion", len(batch))
                self._engine.counts["fusion faults"] += 1
                continue
            for symbol in said:
                self._say(symbol)

    def _say(self, symbol: "Symbol") -> None:
        label = symbol.label
        if not label.groups:
            # Its sources have no reader in common.
            self._engine.counts["fused tracks that nobody may have"] += 1
            return
        self._serial += 1
        original = f"{self._serial}".encode()
        decoded = Decoded(symbol.body, original)
        self._engine.hear(decoded, self._principal(label), PRINCIPAL, "", storage="track")

    def _principal(self, label: Label) -> Principal:
        known = self._principals.get(label)
        if known is None:
            known = self._principals[label] = Principal(
                id=PRINCIPAL,
                kind="listener",
                name=PRINCIPAL,
                context=self._engine.node.context,
                clearance=label.classification,
                caveats=label.caveats,
                groups_in=frozenset(label.groups),
                default_label=label,
            )
        return known


def _new_fusing(policy: Policy) -> "Fusing":
    """Loads scipy, which takes a second and 50 MB."""
    from aquila.app.fusing import Fusing

    return Fusing(policy)
