"""Host: a node of the product on a simulated machine: a disk that forgets, a wrong clock, a process that dies.

It does what the engine and the writer of the product do around the pure Node, one event at a time.
"""

from collections.abc import Callable, Sequence
from random import Random

import msgspec

from aquila.core.codec import Decoded
from aquila.core.errors import Refused
from aquila.core.ids import uuid7_source
from aquila.core.journal import MemoryJournal, Staged, make_entry, open_entry
from aquila.core.model import Arrival, Audience, Body, Entry, Label, Principal
from aquila.core.node import Identity, Node
from aquila.core.policy import Policy
from aquila.core.recording import encode_arrival
from aquila.core.rule import Rule
from aquila.core.sync import Answer, Ask, Line, Place, Replica, line_of
from aquila.core.view import View
from aquila.testing.simulation.broken import BrokenPromiseError

_encode = msgspec.msgpack.encode
_line_of = msgspec.msgpack.Decoder(Line)
_ask_of = msgspec.msgpack.Decoder(Ask)
_answer_of = msgspec.msgpack.Decoder(Answer)


class Disk:
    """Lines written are durable after the next sync; a crash takes what waits, but for a prefix that got through."""

    def __init__(self) -> None:
        self.synced: list[bytes] = []
        self.waiting: list[bytes] = []
        self.is_full = False

    def sync(self) -> None:
        """What waits is durable from now on."""
        self.synced += self.waiting
        self.waiting = []

    def crash(self, dice: Random) -> None:
        """The power goes: of what waits, some first lines may have reached the platter."""
        self.synced += self.waiting[: dice.randint(0, len(self.waiting))]
        self.waiting = []


class Hearing:
    """A view that watches the node: nothing durable is told twice in one life of the process."""

    name = "hearing"
    version = 1

    def __init__(self) -> None:
        self._places: set[Place] = set()

    def fold(self, arrival: Arrival) -> None:
        """See View."""
        if isinstance(arrival, Entry):
            envelope = arrival.envelope
            place = (envelope.node, envelope.epoch, envelope.seq)
            if place in self._places:
                raise BrokenPromiseError("told once", f"{place} was folded twice")
            self._places.add(place)

    def snapshot(self) -> bytes:
        """See View: no state of its own."""
        return b""

    def restore(self, data: bytes) -> None:
        """See View."""


class Outside(msgspec.Struct, frozen=True):
    """What a host needs of its world.

    Attributes:
        now_ms: the time without skew. later: calls something after so many seconds.
        made: told of every line made here, before it is durable. acked: told the id of what may be relied upon.
        sent: told of every answer as it leaves, with its asker.
    """

    now_ms: Callable[[], int]
    later: Callable[[float, Callable[[], None]], None]
    made: Callable[[Entry], None]
    acked: Callable[["Host", str], None]
    sent: Callable[["Host", bytes, Audience], None]


class Host:
    """A machine with a disk, and at times a process on it.

    Args:
        name: id of the node. nation, clearance: what it may have of its peers.
        policy: at the beginning. skew_ms: how wrong its clock is. rules: of its node. views: makes fresh ones.
        dice: its own. outside: the world. parts: the classes that run on it.
    """

    def __init__(
        self,
        name: str,
        nation: str,
        clearance: str,
        policy: Policy,
        *,
        skew_ms: int,
        rules: Sequence[Rule],
        views: Callable[[], list[View]],
        dice: Random,
        outside: Outside,
        parts: "Parts",
    ) -> None:
        self.name = name
        self.epoch = 1
        self.audience = Audience("REAL", nation, clearance, (), frozenset(policy.default_label.groups))
        self.policy = policy
        self.disk = Disk()
        self.stub_disk = Disk()
        self.skew_ms = skew_ms
        self.is_up = False
        self.broken_count = 0
        self.dice = dice
        self._rules = rules
        self._views = views
        self._outside = outside
        self._parts = parts
        self.boot()

    # -- life -------------------------------------------------------------------------------------------------------

    def boot(self) -> None:
        """Start a process on what the disk holds."""
        lines = [_line_of.decode(data) for data in (*self.disk.synced, *self.stub_disk.synced)]
        self.journal = MemoryJournal()
        entries = self.journal.append(
            [
                open_entry(line.envelope_bytes, line.salt, line.body_bytes, line.original)
                for line in lines
                if line.envelope_bytes is not None
            ]
        )
        self.head = self.journal.head(self.name, self.epoch)
        self.recording = bytearray()
        self.node = self._parts.node(
            Identity(self.name, self.epoch, self.name.upper()),
            "REAL",
            self.policy,
            clock_ms=self.clock_ms,
            new_id=uuid7_source(self.clock_ms, self.dice.randbytes),
            salt=self.dice.randbytes,
            views={view.name: view for view in [*self._views(), Hearing()]},
            rules=self._rules,
            last_hlc=self._parts.last_hlc(self.journal),
        )
        self.replica = self._parts.replica(self.name, self.epoch, lambda: self.node.policy, lines)
        self._stubs = {line.place for line in lines if line.envelope_bytes is None}
        self._own: list[Entry] = []
        self._merged: list[Entry] = []
        self._ids: set[str] = set()
        self._is_syncing = False
        self.is_up = True
        self.tell(entries, live=False)

    def crash(self) -> None:
        """The process and all that it knew are gone."""
        self.is_up = False
        self.broken_count += self.replica.broken_count
        self.disk.crash(self.dice)
        self.stub_disk.crash(self.dice)

    def clock_ms(self) -> int:
        """What this machine takes for the time."""
        return self._outside.now_ms() + self.skew_ms

    def fresh_views(self) -> list[View]:
        """Views of the node in the state before anything was heard, its owners among them."""
        fresh = {view.name: view for view in [*self._views(), Hearing()]}
        return [fresh.get(name) or type(view)() for name, view in self.node.views.items()]

    def change_policy(self, policy: Policy) -> None:
        """A new epoch, kept for the next life as well."""
        self.policy = policy
        if self.is_up:
            self.node.change_policy(policy)

    # -- what people and devices say --------------------------------------------------------------------------------

    def hear(self, decoded: Decoded, principal: Principal) -> Refused | None:
        """A device says something."""
        heard = self.node.hear(decoded, principal, "sim")
        if heard.refused is not None:
            return heard.refused
        if self.disk.is_full and heard.staged:
            for staged in heard.staged:
                self.node.forget(staged.id)
            return Refused("full", "the disk is full")
        self._write(heard.staged)
        if heard.sample is not None:
            self.record(heard.sample)
            self._write(self.node.sampled(heard.sample))
        return None

    def write(self, body: Body, principal: Principal, label: Label) -> None:
        """A person writes something on the page."""
        staged = self.node.write(body, principal, "web", label=label)
        if not isinstance(staged, Refused) and not self.disk.is_full:
            self._write([staged])

    def tick(self) -> None:
        """Time passes."""
        tick = self.node.tick()
        self.record(tick)
        self._write(self.node.ticked(tick))

    def record(self, arrival: Arrival) -> None:
        """Keep what was heard, in order of arrival."""
        self.recording += encode_arrival(arrival)

    # -- sync -------------------------------------------------------------------------------------------------------

    def ask(self) -> bytes:
        """What to send to a peer."""
        return _encode(self.replica.ask())

    def answer(self, ask: bytes, peer: Audience) -> bytes:
        """What that peer gets."""
        answer = _encode(self.replica.answer(_ask_of.decode(ask), peer))
        self._outside.sent(self, answer, peer)
        return answer

    def take(self, answer: bytes, peer: str) -> None:
        """An answer came; what is new is written down."""
        fresh = self.node.merge(self.replica.take(_answer_of.decode(answer), peer))
        if self.disk.is_full:
            self.replica.lost(fresh)
            return
        self.keep_stubs([stub for stub in self.replica.stubs() if stub.place not in self._stubs])
        for entry in fresh:
            self.disk.waiting.append(_encode(line_of(entry)))
        self._merged += fresh
        self._sync_soon()

    def keep_stubs(self, stubs: Sequence[Line]) -> None:
        """Write down new stubs, beside the journal."""
        self._stubs.update(stub.place for stub in stubs)
        self.stub_disk.waiting += map(_encode, stubs)

    # -- the writer -------------------------------------------------------------------------------------------------

    def _write(self, staged: Sequence[Staged]) -> None:
        made: list[Entry] = []
        for each in staged:
            if each.id in self._ids or self.journal.entry(each.id) is not None:
                continue
            entry, self.head = make_entry(each, node=self.name, epoch=self.epoch, head=self.head)
            self._ids.add(each.id)
            self._outside.made(entry)
            self.disk.waiting.append(_encode(line_of(entry)))
            made.append(entry)
        self._own += made
        self.written(made)
        self._sync_soon()

    def written(self, entries: Sequence[Entry]) -> None:
        """Own lines are on their way to the disk: nothing may be said of them yet."""

    def durable(self, entries: Sequence[Entry]) -> None:
        """Own lines are durable: now they may be acknowledged, and peers may have them."""
        for entry in entries:
            self.replica.own(entry)
            self._outside.acked(self, entry.envelope.id)

    def _sync_soon(self) -> None:
        if self._is_syncing or not (self.disk.waiting or self.stub_disk.waiting):
            return
        self._is_syncing = True
        node = self.node

        def sync() -> None:
            if self.is_up and self.node is node:
                self._sync()

        self._outside.later(self.dice.uniform(0.005, 0.8), sync)

    def _sync(self) -> None:
        self._is_syncing = False
        self.disk.sync()
        self.stub_disk.sync()
        own, self._own = self._own, []
        merged, self._merged = self._merged, []
        new_own, new_merged = self.journal.append(own), self.journal.append(merged)
        self.durable(own)
        self.tell(new_merged, live=False)
        self.tell(new_own, live=True)

    def tell(self, entries: Sequence[Entry], *, live: bool) -> None:
        """Durable entries are folded; rules run on those that are new and live."""
        for entry in entries:
            self.record(entry)
        self._write(self.node.committed(entries, live=live))


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """The classes that a world runs. A planted fault is another class in the place of one of them.

    Attributes:
        last_hlc: the clock reading that a process starts from.
        views: in the place of those of the same name among the features.
    """

    node: type[Node] = Node
    replica: type[Replica] = Replica
    host: type[Host] = Host
    last_hlc: Callable[[MemoryJournal], int] = MemoryJournal.last_hlc
    views: tuple[type[View], ...] = ()
