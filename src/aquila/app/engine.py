"""Engine: the async edge of one node. It opens the folder, feeds the pure Node, commits, and tells those who listen.

Everything here runs on the loop's thread; the disk is the writer's thread. Whoever listens hears statements only after
their commit, and positions at once.
"""

import asyncio
import contextlib
import logging
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from aquila.app.clockwork import Clockwork
from aquila.app.heard_again import with_change
from aquila.core.codec import Decoded
from aquila.core.errors import Refused, UsageError
from aquila.core.feature import Feature, Saying
from aquila.core.journal import Staged
from aquila.core.model import REAL, Body, Entry, Label, Principal, Sample, Tick
from aquila.core.node import Identity, Node
from aquila.core.policy import Policy
from aquila.core.recording import encode_arrival
from aquila.core.view import View
from aquila.features.feeds.feed import Storage
from aquila.stores.sqlite.folder import DataFolder, machine_id
from aquila.stores.sqlite.latest import Latest
from aquila.stores.sqlite.positions import Positions
from aquila.stores.sqlite.secrets import SecretStore, SubjectKeys
from aquila.stores.sqlite.snapshots import Snapshot, Snapshots
from aquila.stores.sqlite.store import Reading, SqliteStore
from aquila.stores.sqlite.writer import Deliver, GroupWriter, Outcome

log = logging.getLogger(__name__)

TICK_S = 1.0
SNAPSHOT_EVERY = 20_000
"""Entries between two snapshots; one more is made at a clean stop."""
PRUNE_EVERY_MS = 600_000
READ_AT_ONCE = 5_000

LinkId = int
HearEntries = Callable[[list[Entry]], None]
HearSample = Callable[[Sample, LinkId | None], None]


class Engine:
    """One open data folder and the node over it. Made by `open_engine`.

    Attributes:
        node: the pure middle. on_entries, on_samples: who listens, in order.
        sources: id of a staged statement -> the link it came by, until it is settled (no echo to the sender).
    """

    def __init__(
        self,
        folder: DataFolder,
        store: SqliteStore,
        writer: GroupWriter,
        node: Node,
        clockwork: Clockwork,
        secrets: SecretStore,
        subject_keys: SubjectKeys,
    ) -> None:
        self.folder = folder
        self.store = store
        self.writer = writer
        self.node = node
        self.clockwork = clockwork
        self.secrets = secrets
        self.subject_keys = subject_keys
        self.positions = Positions(writer, node.policy.thinning)
        self.on_entries: list[HearEntries] = []
        self.on_samples: list[HearSample] = []
        self.on_room: list[Callable[[], None]] = []
        self.sources: dict[str, LinkId] = {}
        self.arrival = 0
        self.counts: Counter[str] = node.counts
        self._recording: Any = None
        self._since_snapshot = 0
        self._prune_at_ms = 0

    # -- in ---------------------------------------------------------------------------------------------------------

    def hear(
        self,
        decoded: Decoded,
        principal: Principal,
        via: str,
        scheme: str,
        link: LinkId | None = None,
        *,
        storage: Storage = "journal",
    ) -> Refused | None:
        """Take what a peer said. Gives a Refused, whose reason `busy` means: stop reading and say it again later.

        storage: what is kept of a report, see features.feeds.
        """
        if storage == "journal":
            decoded = with_change(decoded, principal, self.node)
        heard = self.node.hear(decoded, principal, via, scheme, as_position=storage != "journal")
        if heard.sample is not None:
            self._submit(heard.staged, None)
            self.take_sample(heard.sample, link, track=storage != "latest")
            return None
        if heard.refused is not None:
            return heard.refused
        if not self._submit(heard.staged, link):
            for staged in heard.staged:
                self.node.forget(staged.id)
            return Refused("busy", "the journal's writer has no room: say it again in a moment")
        return None

    def take_sample(self, sample: Sample, link: LinkId | None, *, track: bool = True) -> None:
        """Fold a position and tell it to those who listen. track: does it belong into the track table?"""
        self._record(sample)
        proposals = self.node.sampled(sample)
        self.positions.hear(sample, self._good_at_ms(sample), track=track)
        for hear in self.on_samples:
            hear(sample, link)
        self._submit(proposals, None)

    async def write(
        self,
        body: Body,
        principal: Principal,
        via: str,
        *,
        id: str | None = None,
        subjects: tuple[str, ...] = (),
        label: Label | None = None,
        on_behalf_of: str | None = None,
    ) -> Entry | Refused:
        """Say something born here; gives its entry after the commit, or why not."""
        said = Saying(body=body, id=id, subjects=subjects, label=label, on_behalf_of=on_behalf_of)
        written = await self.write_all((said,), principal, via)
        return written if isinstance(written, Refused) else written[0]

    async def write_all(self, sayings: Sequence[Saying], principal: Principal, via: str) -> tuple[Entry, ...] | Refused:
        """Say all of this or nothing; gives the entries in the same order after their one commit, or why not."""
        staged: list[Staged] = []
        for said in sayings:
            one = self.node.write(
                said.body,
                principal,
                via,
                id=said.id,
                subjects=said.subjects,
                label=said.label,
                on_behalf_of=said.on_behalf_of,
            )
            if isinstance(one, Refused):
                return one
            staged.append(one)
        if not staged:
            return ()
        outcome = await self.commit(staged)
        if isinstance(outcome, Refused):
            return outcome
        found = {entry.envelope.id: entry for entry in outcome.entries}
        for id in outcome.known:
            # The same id was written before: the answer is the entry that stands.
            known = await asyncio.to_thread(self._entry, id)
            if known is None:
                return Refused("unknown", f"entry {id} is neither new nor known")
            found[id] = known
        return tuple(found[one.id] for one in staged)

    async def commit(self, staged: Sequence[Staged]) -> Outcome:
        """Commit what the node has staged, all or nothing; gives what became of it."""
        settled: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def settle(outcome: Outcome) -> None:
            if not settled.done():
                settled.set_result(outcome)

        if not self.writer.submit(staged, settle):
            return Refused("busy", "the journal's writer has no room: try again in a moment")
        return await settled

    def say(self, body: Body, label: Label | None = None) -> None:
        """Say something as the node itself; nobody waits for it. label: None = what policy gives the node."""
        staged = self.node.write(body, self.node.principal, "node", label=label)
        if not isinstance(staged, Refused) and not self._submit([staged], None):
            self.counts["act dropped, writer full"] += 1

    def _entry(self, entry_id: str) -> Entry | None:
        with self.store.reader() as reading:
            return reading.journal.entry(entry_id)

    def _submit(self, staged: Sequence[Staged], link: LinkId | None) -> bool:
        if not staged:
            return True
        if link is not None:
            self.sources[staged[-1].id] = link
        taken = self.writer.submit(staged, lambda outcome: self._settled(staged, outcome))
        if not taken:
            self.sources.pop(staged[-1].id, None)
        return taken

    def _settled(self, staged: Sequence[Staged], outcome: Outcome) -> None:
        for each in staged:
            self.sources.pop(each.id, None)
        if isinstance(outcome, Refused):
            self.counts[f"refused {outcome.reason}"] += len(staged)
            for each in staged:
                self.node.forget(each.id)
        else:
            self.counts["replay known to the journal"] += len(outcome.known)

    # -- after the commit -------------------------------------------------------------------------------------------

    def take_entries(self, entries: list[Entry]) -> None:
        """Durable entries, in order of arrival: fold, tell, and write what rules propose."""
        for entry in entries:
            self._record(entry)
        proposals = self.node.committed(entries)
        self.arrival = entries[-1].arrival
        for hear in self.on_entries:
            hear(entries)
        self._submit(proposals, None)
        self._since_snapshot += len(entries)

    def take_room(self) -> None:
        """The writer has room again."""
        for call in self.on_room:
            call()

    def tick(self) -> None:
        """Once a second: time passes for the views."""
        tick = self.node.tick()
        self._record(tick)
        self._submit(self.node.ticked(tick), None)
        if self._recording is not None:
            self._recording.flush()
        now_ms = self.clockwork.clock_ms()
        self.positions.settle(now_ms)
        if now_ms >= self._prune_at_ms:
            self._prune_at_ms = now_ms + PRUNE_EVERY_MS
            self.writer.later(lambda _: self.store.prune_step(self.node.policy.retention, now_ms))
        if self._since_snapshot >= SNAPSHOT_EVERY:
            self._since_snapshot = 0
            self.keep_snapshots()

    async def run_ticks(self) -> None:
        """Tick until cancelled.

        Positions go to the disk twice as often: with the time of a write, kill -9 costs none older than a second.
        """
        while True:
            await asyncio.sleep(TICK_S / 2)
            self.positions.flush()
            await asyncio.sleep(TICK_S / 2)
            self.tick()
            self.positions.flush()

    def keep_snapshots(self) -> None:
        """Have the state of every view written, so that the next start need not fold from the beginning."""
        arrival = self.arrival
        shots = [Snapshot(view.name, view.version, arrival, b"", view.snapshot()) for view in self.node.views.values()]

        def step(connection: Any) -> bool:
            table = Snapshots(connection)
            for shot in shots:
                table.put(shot)
            table.prune(2)
            return False

        self.writer.later(step)

    async def erase_subject(self, subject: str) -> bool:
        """Destroy the key of a person: what is sealed with it can be read nowhere any more. Was there one?"""
        erased = await asyncio.to_thread(self.subject_keys.erase, subject)
        self.drop_snapshots()
        return erased

    def drop_snapshots(self) -> None:
        """After an erasure: a kept state may still hold what was erased."""

        def step(connection: Any) -> bool:
            Snapshots(connection).clear()
            return False

        self.writer.later(step)

    # -- life -------------------------------------------------------------------------------------------------------

    def record_to(self, path: Path) -> None:
        """Keep a recording of everything heard from now on."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._recording = path.open("ab")

    def _record(self, arrival: Entry | Sample | Tick) -> None:
        if self._recording is not None:
            self._recording.write(encode_arrival(arrival))

    def _good_at_ms(self, sample: Sample) -> int:
        """The time a position holds good at: its own, or the received one when they differ too much."""
        claimed = sample.report.observed_at_ms
        if abs(claimed - sample.received_at_ms) > self.node.policy.skew_ms:
            self.counts["skewed clock"] += 1
            return sample.received_at_ms
        return claimed

    def close(self) -> None:
        """Write what waits, keep snapshots, let the folder go."""
        self.positions.settle()
        self.positions.flush()
        self.keep_snapshots()
        if not self.writer.stop():
            log.error("the journal's writer did not end in time")
        if self._recording is not None:
            self._recording.close()
        self.store.close()
        self.secrets.close()
        self.subject_keys.close()
        self.folder.close()


def _context_of(secrets: SecretStore, wanted: str | None, path: Path) -> str:
    """A folder belongs to one context for good: nothing of an exercise ever lies among what is real."""
    secrets.add("context", wanted or REAL)
    made_for = str(secrets.get("context"))
    if wanted is not None and wanted != made_for:
        raise UsageError(f"data folder {path} holds {made_for}, not {wanted}: name another folder with --data")
    return made_for


class _Home:
    """Calls of the writer before the engine stands have nobody to go to."""

    engine: Engine | None = None

    def entries(self, entries: list[Entry]) -> None:
        if self.engine is not None:
            self.engine.take_entries(entries)

    def room(self) -> None:
        if self.engine is not None:
            self.engine.take_room()


def open_engine(
    data: Path,
    *,
    name: str,
    context: str | None,
    policy: Policy,
    features: Sequence[Feature],
    clockwork: Clockwork,
    deliver: Deliver,
    make: bool = True,
) -> Engine:
    """Open (or make) a data folder and bring its node to the state it had.

    Args:
        data: the folder.
        name: of the node, for people.
        context: of everything in this folder; None = what it was made for.
        policy: the rules in force.
        features: whose views and rules the node has.
        clockwork: its clock and dice.
        deliver: brings the writer's calls home, see app.turns.
        make: may the folder be made when it is absent?

    Raises:
        UsageError: held, read-only, full, not a data folder, made for another context.
        Damaged: not to be trusted; left as it is.
    """
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(DataFolder(data, machine=machine_id(), make=make))
        subject_keys = SubjectKeys(folder.secrets_path / "subjects.db", os.urandom)
        stack.callback(subject_keys.close)
        secrets = SecretStore(folder.secrets_path / "secrets.db")
        stack.callback(secrets.close)
        store = SqliteStore(folder.journal_path, sealer=subject_keys)
        stack.callback(store.close)
        origin = store.claim(folder.mark, new_node=clockwork.new_id, now_ms=clockwork.clock_ms())
        node = Node(
            Identity(origin.node, origin.epoch, name),
            _context_of(secrets, context, folder.path),
            policy,
            clock_ms=clockwork.clock_ms,
            new_id=clockwork.new_id,
            salt=clockwork.random_bytes,
            views={view.name: view for feature in features for view in (make_view() for make_view in feature.views)},
            rules=[rule for feature in features for rule in feature.rules],
            last_hlc=max(store.journal.last_hlc(), Latest(store.writing).last_hlc()),
        )
        home = _Home()
        writer = GroupWriter(store, origin, deliver=deliver, on_new=home.entries, on_room=home.room)
        engine = home.engine = Engine(folder, store, writer, node, clockwork, secrets, subject_keys)
        with store.reader() as reading:
            engine.arrival = rebuild(node.views, reading)
        # From here on the engine's own close lets everything go.
        stack.pop_all()
    writer.start()
    return engine


def rebuild(views: Mapping[str, View], reading: Reading) -> int:
    """Bring views to the journal's end: newest snapshot, then the entries after it, then the latest positions.

    Rules do not run: nothing here is new. Gives the arrival number of the last entry.
    """
    since: dict[str, int] = {}
    for view in views.values():
        shot = reading.snapshots.newest(view.name, view.version)
        if shot is not None:
            view.restore(shot.data)
        since[view.name] = 0 if shot is None else shot.arrival
    at = min(since.values(), default=0)
    while True:
        entries = reading.journal.read(at, READ_AT_ONCE)
        if not entries:
            break
        for view in views.values():
            fresh = [entry for entry in entries if entry.arrival > since[view.name]]
            for entry in fresh:
                view.fold(entry)
        at = entries[-1].arrival
    for sample in reading.latest.load():
        for view in views.values():
            view.fold(sample)
    return at
