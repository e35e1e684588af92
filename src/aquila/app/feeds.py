"""Feeds: those of the journal run here. Each is on its own: what one brings, and how it dies, hurts no other."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from aquila.app.engine import Engine
from aquila.app.listening import ENDED, Listening
from aquila.app.parts import load_sensor
from aquila.core.errors import UsageError
from aquila.core.model import Entry, Paper
from aquila.core.papers import Papers, Thing
from aquila.core.plot import Plot
from aquila.core.sensing import new_decoder
from aquila.core.view import view_of
from aquila.features.feeds import FEED, Feed, FeedLive, of_node, state_of
from aquila.links.feeds.address import read_address
from aquila.links.feeds.wires import inside

log = logging.getLogger(__name__)

DRAIN_S: Final = 0.1
CAPTURES: Final = "captures"
"""The one folder of a node's data that a feed may play files of."""

HearPlot = Callable[[str, Feed, Plot], None]
"""Told the id of a feed, the feed, and a plot of it."""


class FeedBoard:
    """The part `feeds` of a node. See features.feeds.Feeds.

    Args:
        engine: the node.

    Attributes:
        on_plots: who makes entities of plots; told in order.
    """

    def __init__(self, engine: Engine) -> None:
        self.on_plots: list[HearPlot] = []
        self._engine = engine
        self._running: dict[str, Listening] = {}
        self._shown: dict[str, FeedLive] = {}

    # -- see features.feeds.Feeds -----------------------------------------------------------------------------------

    async def wrong_with(self, feed: Feed) -> str | None:
        """See Feeds."""
        try:
            address = read_address(feed.url)
            codec = await asyncio.to_thread(load_sensor, feed.format)
            new_decoder(codec, feed.options)
        except UsageError as wrong:
            return str(wrong)
        if codec.framing == "datagram" and address.scheme != "udp":
            return f"{feed.format} comes in whole payloads: only udp:// keeps them apart"
        folder = self._engine.folder.path
        if address.path and inside(address.path, folder) and not inside(address.path, folder / CAPTURES):
            return f"{address.path} lies among the node's own files: of these only {CAPTURES}/ may be played"
        return None

    def live(self, id: str) -> FeedLive | None:
        """See Feeds. Made once in a while on the loop's thread, so that any thread may look."""
        return self._shown.get(id)

    # -- life -------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the feeds of this node, and follow what the journal says of them."""
        self._engine.on_entries.append(self._hear)
        for id, (thing, feed) in self._feeds().items():
            if state_of(thing) == "running":
                self._start(id, feed)
        turning = asyncio.create_task(self._turn())
        try:
            yield
        finally:
            self._engine.on_entries.remove(self._hear)
            turning.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await turning
            await asyncio.gather(*(self._running.pop(id).stop() for id in list(self._running)))

    async def _turn(self) -> None:
        while True:
            for id, listening in list(self._running.items()):
                try:
                    listening.drain()
                except Exception:  # the boundary: one feed must not end the others
                    log.exception("fault of ours in feed=%s", listening.feed.name)
                self._shown[id] = listening.live()
            await asyncio.sleep(DRAIN_S)

    def _feeds(self) -> dict[str, tuple[Thing, Feed]]:
        node = self._engine.node
        papers = view_of(node.views, "feeds", Papers)
        return of_node(papers.all(node.context, FEED), node.identity.node)

    def _hear(self, entries: Sequence[Entry]) -> None:
        node = self._engine.node.identity.node
        for entry in entries:
            body = entry.body
            if isinstance(body, Paper) and body.type == FEED and entry.envelope.node == node:
                self._settle(body)

    def _settle(self, step: Paper) -> None:
        found = self._feeds().get(step.target)
        runs = self._running.get(step.target)
        wanted = found[1] if found is not None and state_of(found[0]) == "running" else None
        if runs is not None and (wanted != runs.feed or step.action == "resume"):
            self._running.pop(step.target).end()
            # What it had counted stays to be seen.
            self._shown[step.target] = msgspec.structs.replace(
                runs.live(), condition="stopped", why=ENDED if step.action == "end" else "", retry_at_ms=None
            )
        if found is None:
            self._shown.pop(step.target, None)
        if wanted is not None and step.target not in self._running:
            self._start(step.target, wanted)

    def _start(self, id: str, feed: Feed) -> None:
        listening = Listening(self._engine, id, feed, self._plot, self._ended)
        self._running[id] = listening
        listening.start()
        self._shown[id] = listening.live()

    def _plot(self, id: str, feed: Feed, plot: Plot) -> None:
        for hear in self.on_plots:
            hear(id, feed, plot)

    def _ended(self, id: str) -> None:
        """A file has ended: that is noted, so that the next start of the node does not play it again."""
        found = self._feeds().get(id)
        if found is None:
            return
        thing, feed = found
        node = self._engine.node
        text = f"feed {feed.name}: {ENDED}"
        paper = Paper(
            type=FEED, target=id, action="end", happened_at_ms=node.clock_ms(), seen=thing.heads(), summary=text
        )
        self._engine.say(paper, feed.label)


__all__ = ["FeedBoard", "HearPlot"]
