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
from aquila.core.phrases import phrase_in
from aquila.core.plot import Plot
from aquila.core.sensing import new_decoder
from aquila.core.view import view_of
from aquila.features.feeds import FEED, PASSWORDS, Feed, FeedLive, of_node, password_name, state_of
from aquila.links.feeds.address import read_address
from aquila.links.feeds.wires import inside

log = logging.getLogger(__name__)

DRAIN_S: Final = 0.1
WHOLE: Final = ("udp", "mqtt", "mqtts")
"""Wires that keep payloads apart."""
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
        if codec.framing == "datagram" and address.scheme not in WHOLE:
            return f"{feed.format} comes in whole payloads: only udp://, mqtt:// and mqtts:// keep them apart"
        if feed.password_at_ms is not None and not address.name:
            return "a password needs a name, and both are for brokers only: mqtt://NAME@HOST/TOPIC"
        folder = self._engine.folder.path
        for path in address.files:
            if inside(path, folder) and not inside(path, folder / CAPTURES):
                return f"{path} lies among the node's own files: of these only {CAPTURES}/ may be read"
        return None

    async def keep_password(self, id: str, at_ms: int, password: str | None) -> None:
        """See Feeds."""
        secrets, name = self._engine.secrets, password_name(id, at_ms)
        if password is None:
            await asyncio.to_thread(secrets.remove, name)
        else:
            await asyncio.to_thread(secrets.put, name, password)

    def live(self, id: str) -> FeedLive | None:
        """See Feeds. Made once in a while on the loop's thread, so that any thread may look."""
        return self._shown.get(id)

    # -- life -------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the feeds of this node, and follow what the journal says of them."""
        for id in {name.split("/")[1] for name in self._engine.secrets.named(PASSWORDS)}:
            self._forget_passwords(id)
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

    def _forget_passwords(self, id: str) -> None:
        """Those that this feed says no more, because it is removed or was told another one."""
        found = self._feeds().get(id)
        at_ms = None if found is None else found[1].password_at_ms
        kept = None if at_ms is None else password_name(id, at_ms)
        for name in self._engine.secrets.named(f"{PASSWORDS}{id}/"):
            if name != kept:
                self._engine.secrets.remove(name)

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
            why = ENDED if step.action == "end" else ""
            act = phrase_in("feeds.why", why).act
            self._shown[step.target] = msgspec.structs.replace(
                runs.live(), condition="stopped", why=why, act=act, words={}, retry_at_ms=None
            )
        if found is None:
            self._shown.pop(step.target, None)
        if found is None or "password_at_ms" in step.fields:
            self._forget_passwords(step.target)
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
