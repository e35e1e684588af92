"""Fusion inside a node: what feeds and phones bring goes to a worker thread, what is one thing comes back as reports.

Everything enters the engine like what any link says, under the principal `fusion`. A queue that is full drops the
oldest, and counts it. A node without feeds has nothing to fuse: the tracker is loaded when the first of them speaks.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from aquila.app.engine import Engine
from aquila.app.feeds import FeedBoard
from aquila.app.fused_heard import Heard, HeardPlot, HeardRemoval, HeardReport
from aquila.app.fused_keeper import QualityKeeper
from aquila.core.codec import Decoded
from aquila.core.model import Context, Entry, Label, Paper, Principal, Removal, Report, Sample
from aquila.core.papers import Papers
from aquila.core.plot import Plot
from aquila.core.policy import Policy
from aquila.core.view import view_of
from aquila.features.feeds import Feed
from aquila.features.tracks import PAIR, Fused, words_of
from aquila.features.tracks.quality import TrackQuality

if TYPE_CHECKING:
    from aquila.app.fusing import Fusing, Shot, Symbol

log = logging.getLogger(__name__)
T = TypeVar("T")

PRINCIPAL: Final = "fusion"
FEED: Final = "feed:"
"""How the names of those begin who make the fusion worth its while."""
PAUSE_S: Final = (0.02, 0.2)
"""Between two batches: at least, at most ..."""
DUTY: Final = 2.0
"""... and so many times what the last one took of the processor: the fusion has no more than a third of a core. How
long it took is not asked: where others use the machine that is mostly waiting, and plots would wait for it twice."""
LOOK_S: Final = 1.0
"""How often the worker looks round when nothing comes."""
SAID_AT_ONCE: Final = 100
"""Symbols that enter the engine before the loop gets a turn."""
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
        self.keeper = QualityKeeper()
        self._wanted = asyncio.Event()
        self._some = asyncio.Event()
        self._turn = asyncio.Lock()
        self._threads: ThreadPoolExecutor
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
        shown = (at for at, group in enumerate(shot.groups) if len(group.members) > 1 or group.members[0][0] == "radar")
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

    def quality(self) -> tuple[TrackQuality, Label, Context] | None:
        """See features.tracks.quality.Judged."""
        from aquila.app.fused_quality import quality_of

        if self.fusing is None or self.fusing.plane is None:
            return None
        node = self._engine.node
        found, label = quality_of(self.keeper, self.fusing.shot, self.fusing.plane, node.policy, node.clock_ms())
        return found, label, node.context

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
        self._some.set()

    def take_plot(self, id: str, feed: Feed, plot: Plot) -> None:
        """See app.feeds.HearPlot."""
        self._wanted.set()
        self._put(HeardPlot(plot, feed.label, self._engine.clockwork.clock_ms(), feed.name))

    def _sample(self, sample: Sample, link: int | None) -> None:
        if sample.author.startswith(FEED):
            self._wanted.set()
        if sample.author != PRINCIPAL and self._wanted.is_set():
            feed = sample.author.removeprefix(FEED) if sample.author.startswith(FEED) else ""
            self._put(HeardReport(sample.report, sample.label, sample.received_at_ms, feed))

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
        # Threads of its own, and few: each that ever held these arrays keeps up to 64 MB of the allocator for good.
        with ThreadPoolExecutor(2, thread_name_prefix="fusion") as self._threads:
            self.fusing = fusing = await self._beside(_new_fusing, self._engine.node.policy)
            self._obey()
            await self._go_on(fusing)

    async def _beside(self, work: Callable[..., T], *args: Any) -> T:
        """Run something in a thread of the fusion."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)

    async def _go_on(self, fusing: "Fusing") -> None:
        looking: asyncio.Task[None] | None = None
        try:
            while True:
                # When nothing comes, time goes on all the same: what is not heard of any more is taken away.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await self._some.wait()
                self._some.clear()
                fusing.policy = self._engine.node.policy
                spent_s = await self._guarded("a batch", self._take(fusing)) or 0.0
                if (looking is None or looking.done()) and fusing.is_due(self._engine.clockwork.clock_ms()):
                    looking = asyncio.create_task(self._guarded("a look", self._look(fusing)))
                await asyncio.sleep(min(max(PAUSE_S[0], DUTY * spent_s), PAUSE_S[1]))
        finally:
            if looking is not None:
                looking.cancel()

    async def _take(self, fusing: "Fusing") -> float:
        """Fuse what waits; gives what that took of the processor, s."""
        async with self._turn:
            # Taken when it is this one's turn: what came while a look had it need not wait for the next.
            batch, now_ms = list(self._waiting), self._engine.clockwork.clock_ms()
            self._waiting.clear()
            said, spent_s = await self._beside(timed, fusing.take, batch, now_ms)
        await self._say_all(said)
        self.keeper.shown(batch, self._engine.clockwork.clock_ms())
        self.keeper.look(self._engine.clockwork.clock_ms())
        return spent_s

    async def _look(self, fusing: "Fusing") -> None:
        """One look of the correlator. While it finds, plots go on moving tracks."""
        clock_ms = self._engine.clockwork.clock_ms
        async with self._turn:
            sources = await self._beside(fusing.look, clock_ms())
        groups = await self._beside(fusing.find, sources)
        async with self._turn:
            said = await self._beside(fusing.settle, groups, clock_ms())
        await self._say_all(said)

    async def _guarded(self, what: str, work: Awaitable[T]) -> T | None:
        """Do one piece of work; None = it failed by a fault of ours, which is logged and counted."""
        try:
            return await work
        except Exception:  # boundary: nobody starts the fusion anew, so one bad batch or look must not end it
            log.exception("fault of ours in %s of the fusion", what)
            self._engine.counts["fusion faults"] += 1
            return None

    async def _say_all(self, said: "Sequence[Symbol]") -> None:
        for number, symbol in enumerate(said, 1):
            self._say(symbol)
            if number % SAID_AT_ONCE == 0:
                await asyncio.sleep(0)

    def _say(self, symbol: "Symbol") -> None:
        body = symbol.body
        if body.ended:
            self.keeper.places.pop(body.entity, None)
        elif body.position is not None:
            self.keeper.places[body.entity] = body.position
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


def timed(work: Callable[..., T], *args: Any) -> tuple[T, float]:
    """What a piece of work gives, and the processor's time for it in s."""
    began_s = time.thread_time()
    return work(*args), time.thread_time() - began_s


def _new_fusing(policy: Policy) -> "Fusing":
    """Loads scipy, which takes a second and 50 MB."""
    from aquila.app.fusing import Fusing

    return Fusing(policy)
