"""Port: the engine as the web and the commands see it. Disk reads go through the store's small pool of readers."""

import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

import aquila
from aquila.app.engine import Engine
from aquila.app.refused_links import RefusedLink
from aquila.app.tak import Speaker, TakEdge
from aquila.core.box import Box
from aquila.core.errors import Refused
from aquila.core.feature import Saying
from aquila.core.journal import Head
from aquila.core.model import Body, Context, Entry, Label, Principal
from aquila.core.phrases import phrase_in
from aquila.core.policy import Policy
from aquila.core.view import View
from aquila.features.coverage.shadow import Shadows
from aquila.features.links import LinkRow, LinkState
from aquila.features.picture.queries import TrackFix
from aquila.links import peer, why
from aquila.links.hub import Hub
from aquila.links.stream import StreamListener
from aquila.stores.sqlite.geopackage import Geopackages
from aquila.stores.sqlite.store import SqliteStore
from aquila.stores.sqlite.words import JournalWords
from aquila.stores.terrain import Terrain

FREE_BYTES_MIN = 64 << 20
TERRAIN = Path(aquila.__file__).parent / "static" / "maps" / "dem.pmtiles"
"""Comes with the built page, whose relief is drawn from it."""
_NO_WORD = re.compile(r"[^a-z0-9]+")


class PooledJournal:
    """The journal for readers in any thread. Writing is the engine's alone."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def append(self, entries: Sequence[Entry]) -> list[Entry]:
        """Never: statements enter through the engine. Raises TypeError."""
        raise TypeError(f"{len(entries)} entries: write them through the node's port, not into its journal")

    def head(self, node: str, epoch: int) -> Head:
        """See JournalStore."""
        with self._store.reader() as reading:
            return reading.journal.head(node, epoch)

    def origins(self) -> list[tuple[str, int]]:
        """See JournalStore."""
        with self._store.reader() as reading:
            return reading.journal.origins()

    def chain(self, node: str, epoch: int, after_seq: int, limit: int) -> list[Entry]:
        """See JournalStore."""
        with self._store.reader() as reading:
            return reading.journal.chain(node, epoch, after_seq, limit)

    def read(self, after_arrival: int, limit: int, kinds: frozenset[str] | None = None) -> list[Entry]:
        """See JournalStore."""
        with self._store.reader() as reading:
            return reading.journal.read(after_arrival, limit, kinds)

    def newest(self, before_arrival: int, limit: int, kinds: frozenset[str] | None = None) -> list[Entry]:
        """See JournalStore."""
        with self._store.reader() as reading:
            return reading.journal.newest(before_arrival, limit, kinds)

    def entry(self, entry_id: str) -> Entry | None:
        """See JournalStore."""
        with self._store.reader() as reading:
            return reading.journal.entry(entry_id)

    def last_arrival(self) -> int:
        """See JournalStore."""
        with self._store.reader() as reading:
            return reading.journal.last_arrival()

    def last_hlc(self) -> int:
        """See JournalStore."""
        with self._store.reader() as reading:
            return reading.journal.last_hlc()


class PooledTracks:
    """The track table for the picture's queries. See features.picture.queries.TrackTable."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def inside(
        self,
        box: Box,
        from_ms: int,
        until_ms: int,
        may: Callable[[Label, Context], bool],
        entity: str | None,
        limit: int,
    ) -> list[TrackFix]:
        """Points in the box and the time, of the labels that `may` lets through."""
        with self._store.reader() as reading:
            classes = reading.label_classes()
            allowed = {number for number, each in classes.items() if may(each.label, each.context)}
            if entity is None:
                found = reading.tracks.inside(box, from_ms, until_ms, label_classes=allowed, limit=limit)
            else:
                found = reading.tracks.of_entity(entity, from_ms, until_ms, label_classes=allowed, limit=limit)
        return [
            TrackFix(
                entity=row.entity,
                at_ms=row.at_ms,
                lat_deg=row.lat_deg,
                lon_deg=row.lon_deg,
                hae_m=row.hae_m,
                course_deg=row.course_deg,
                speed_mps=row.speed_mps,
                label=classes[row.label_class].label,
                context=classes[row.label_class].context,
                ended=row.ended,
                source=row.source,
                valid_ms=row.valid_ms,
            )
            for row in found.points
        ]


class LinkBoard:
    """The live links as rows. See features.links.Links."""

    def __init__(self, edge: TakEdge, context: Context) -> None:
        self._edge = edge
        self._context = context

    def states(self) -> list[LinkState]:
        """All links; those that were lost lately: down since then; and who was refused at a door lately."""
        up = [self._state(link.state(), link.tag) for link in self._edge.links.values()]
        lost = self._edge.lost_links()
        gone = [self._state(msgspec.structs.replace(one.state, since_ms=one.at_ms), one.tag) for one in lost]
        return [*up, *gone, *map(self._refused, self._edge.refused_links())]

    def _refused(self, refused: RefusedLink) -> LinkState:
        sentence = why.of_door(refused.sentence)
        said = phrase_in("links.why", sentence)
        row = LinkRow(
            id=f"refused-{refused.number}",
            name=refused.name,
            transport=refused.transport,
            state="refused",
            since_ms=refused.since_ms,
            last_ms=refused.last_ms,
            why=sentence,
            act=said.act,
            words=said.words,
            peer=refused.address or None,
            refused_count=refused.count,
        )
        return LinkState(row=row, label=self._edge.default_label, context=self._context)

    def _state(self, state: peer.LinkState, speaker: object) -> LinkState:
        assert isinstance(speaker, Speaker)
        said = phrase_in("links.why", state.why)
        # By the door where nobody logs in all have one name: until one says its own, it goes by its address.
        is_guest = (state.principal or "").startswith("listener:")
        row = LinkRow(
            id=str(state.id),
            name=speaker.callsign or (state.address if is_guest else state.name) or state.address,
            transport=state.listener,
            state=state.state,
            since_ms=state.since_ms,
            why=state.why,
            act=said.act,
            words=said.words,
            peer=state.address or None,
            principal=state.principal,
            in_count=state.in_count,
            out_count=state.out_count,
            refused_count=sum(state.refused.values()),
            error_count=sum(state.errors.values()),
            backlog_bytes=state.backlog_bytes,
            is_counted=state.id > 0,
            uid=speaker.uid,
            callsign=speaker.callsign,
            format=state.format,
            incognito=speaker.incognito,
        )
        return LinkState(row=row, label=speaker.label, context=self._context)


class Port:
    """Implements web_api.NodePort over an engine.

    Args:
        engine: the node's async edge. hub: None = no links are open (a command with no node running).
        parts: what features may ask for by name. listeners: the doors whose refusals are counted, by name.
    """

    def __init__(
        self,
        engine: Engine,
        hub: Hub | None,
        parts: Mapping[str, Any],
        listeners: Mapping[str, StreamListener] = MappingProxyType({}),
    ) -> None:
        self._engine = engine
        self._listeners = listeners
        self._hub = hub
        self._parts = {
            "tracks": PooledTracks(engine.store),
            "secrets": engine.secrets,
            "counts": engine.counts,
            "words": JournalWords(),
            "geopackages": Geopackages(),
            "health": self.health,
            "shadows": Shadows(Terrain(TERRAIN)),
            **parts,
        }
        self.journal = PooledJournal(engine.store)
        self._subscribers: list[Callable[[Entry], None]] = []
        engine.on_entries.append(self._tell)

    @property
    def views(self) -> Mapping[str, View]:
        """By name."""
        return self._engine.node.views

    @property
    def policy(self) -> Policy:
        """The one in force."""
        return self._engine.node.policy

    @property
    def context(self) -> Context:
        """Of this node."""
        return self._engine.node.context

    @property
    def node(self) -> str:
        """Its id."""
        return self._engine.node.identity.node

    @property
    def name(self) -> str:
        """Its name for people."""
        return self._engine.node.identity.name

    def clock_ms(self) -> int:
        """UTC milliseconds."""
        return self._engine.clockwork.clock_ms()

    def new_id(self) -> str:
        """A new UUIDv7."""
        return self._engine.clockwork.new_id()

    def part(self, name: str) -> Any:
        """A part by name; raises KeyError for one that this node has not."""
        return self._parts[name]

    async def write(
        self,
        principal: Principal,
        body: Body,
        via: str,
        *,
        id: str | None = None,
        subjects: tuple[str, ...] = (),
        label: Label | None = None,
        on_behalf_of: str | None = None,
    ) -> Entry | Refused:
        """Admit, commit and fold; gives the entry after its commit."""
        return await self._engine.write(
            body, principal, via, id=id, subjects=subjects, label=label, on_behalf_of=on_behalf_of
        )

    async def write_all(self, principal: Principal, sayings: Sequence[Saying], via: str) -> tuple[Entry, ...] | Refused:
        """The same for all of these or none, in one commit."""
        return await self._engine.write_all(sayings, principal, via)

    def subscribe(self, callback: Callable[[Entry], None]) -> Callable[[], None]:
        """Hear every entry after its commit and fold; gives the way to stop."""
        self._subscribers.append(callback)

        def stop() -> None:
            if callback in self._subscribers:
                self._subscribers.remove(callback)

        return stop

    def _tell(self, entries: list[Entry]) -> None:
        for callback in list(self._subscribers):
            for entry in entries:
                callback(entry)

    def counters(self) -> Mapping[str, float]:
        """Counts and gauges. The names are words of this program, never of a peer."""
        engine = self._engine
        counts: dict[str, float] = {f"node {name}": float(count) for name, count in engine.counts.items()}
        state = engine.writer.state
        for field in msgspec.structs.fields(state):
            value = getattr(state, field.name)
            if isinstance(value, int):
                counts[f"journal {field.name.replace('_', ' ')}"] = float(value)
        counts["positions dropped"] = float(engine.positions.dropped_count)
        counts["clock clamped"] = float(engine.node.hlc.clamped_count)
        if self._hub is not None:
            counts |= _hub_counts(self._hub)
        for name, listener in self._listeners.items():
            counts[f"links {name}"] = float(len(listener.links))
            for reason, count in listener.closed.items():
                key = f"closed {name} {_NO_WORD.sub(' ', reason.lower()).strip()}"
                counts[key] = counts.get(key, 0.0) + count
        return counts

    def health(self) -> Iterable[str]:
        """Why the node is not ready: one sentence each."""
        state = self._engine.writer.state
        if state.trouble is not None:
            yield state.trouble.detail
        elif not state.running:
            yield "the journal's writer is stopped: start the node again"
        free = shutil.disk_usage(self._engine.folder.path).free
        if free < FREE_BYTES_MIN:
            yield f"the disk of {self._engine.folder.path} has {free >> 20} MiB free: make at least 64 MiB free"


def _hub_counts(hub: Hub) -> dict[str, float]:
    counts = hub.fanout.counts
    figures: dict[str, float] = {
        "hub audiences": float(hub.fanout.audience_count),
        "hub latest states": float(hub.fanout.latest_count),
        "hub flushes": float(hub.flush_count),
        "loop lag ms": hub.loop_lag_ms,
        "loop lag max ms": hub.loop_lag_max_ms,
        "hub delivered": float(counts.delivered),
        "hub redacted": float(counts.redacted),
        "hub superseded": float(counts.superseded),
    }
    for reason, count in counts.denied.items():
        figures[f"hub denied {reason}"] = float(count)
    for reason, count in counts.unencodable.items():
        figures[f"hub unencodable {reason}"] = float(count)
    return figures
