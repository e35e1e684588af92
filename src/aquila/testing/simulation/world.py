"""World: three hosts, the network between them, the people who write, and the weather, all from one seed."""

import hashlib
import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from random import Random

import msgspec

from aquila.app.parts import load_features
from aquila.core.codec import Decoded, Marking
from aquila.core.ids import entity_id
from aquila.core.model import (
    LOG_ROOM,
    Alias,
    Arrival,
    Audience,
    Body,
    Entry,
    Label,
    Note,
    Position,
    Principal,
    Receipt,
    Removal,
    Report,
)
from aquila.core.policy import DEFAULT_GROUP, MISSION, Policy
from aquila.core.rule import Proposal, Rule
from aquila.core.view import View
from aquila.testing.simulation.host import Host, Outside, Parts
from aquila.testing.simulation.promises import RANKS, Oracle, Secret, check_honest, check_states, check_world

START_MS = 1_790_000_000_000
ALLIES = "ALLIES"
EVERYBODY = frozenset({"ITA", "FRA", "KAZ"})


class Weather(msgspec.Struct, frozen=True, kw_only=True):
    """How bad it is.

    Attributes:
        storm_s, calm_s: how long things go wrong, and how long they go well before the promises are checked.
        says: things said in the storm. loss: of what is sent, 0..1; None = the dice take 0, 20 or 50 %.
        delay_s, doubled, late: one way, the share that comes twice, and the share that takes four times as long.
        crashes, partitions, full_disks: how many.
        skew_ms: how far a clock may be off, each way. clock_step_ms: clocks stand still for so long, then jump.
        twins: some statements are heard by two nodes at once.
    """

    storm_s: float = 120.0
    calm_s: float = 60.0
    says: int = 80
    loss: float | None = None
    delay_s: tuple[float, float] = (0.05, 3.0)
    doubled: float = 0.05
    late: float = 0.1
    crashes: int = 8
    partitions: int = 3
    full_disks: int = 1
    skew_ms: int = 300_000
    clock_step_ms: int = 1
    twins: bool = False


STORM = Weather()
STILL_CLOCKS = Weather(skew_ms=0, clock_step_ms=10_000)
"""Equal clock readings at all nodes, all the time: only the tie-break is left."""


def _policies(opens: bool) -> tuple[Policy, Policy]:
    """The policy of before and after: in the second one ALLIES takes KAZ in, or loses FRA."""
    before = ("ITA", "FRA")
    after = ("ITA", "FRA", "KAZ") if opens else ("ITA",)
    first = Policy(communities={MISSION: tuple(sorted(EVERYBODY)), ALLIES: before})
    return first, msgspec.structs.replace(first, epoch=2, communities={**first.communities, ALLIES: after})


def _noted(arrival: Arrival, views: Mapping[str, View]) -> Iterable[Proposal]:
    """A rule for the simulation: what is urgent is noted in the log, under the label of its cause."""
    if isinstance(arrival, Entry) and isinstance(arrival.body, Note) and arrival.body.text.startswith("urgent"):
        text = f"noted: {arrival.body.text}"
        yield Proposal(Note(room=LOG_ROOM, text=text, happened_at_ms=0), arrival.envelope.label)


RULES = (Rule("noted", 1, _noted),)


class World:
    """One run. Everything happens in the order of simulated time.

    Args:
        seed: of all dice.
        weather: how bad it is.
        parts: the classes that run; other than the product's own = a planted fault.

    Attributes:
        hosts: the machines. acked: id of what was acknowledged -> its host. storms: what went wrong, and how often.
    """

    def __init__(self, seed: int, weather: Weather = STORM, parts: Parts | None = None) -> None:
        self.dice = Random(seed)
        self.weather = weather
        self.oracle = Oracle()
        self.acked: dict[str, str] = {}
        self.storms: Counter[str] = Counter()
        self.now_s = 0.0
        self._parts = parts or Parts()
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._doomed = ""
        self._said: list[tuple[Host, Decoded, Principal]] = []
        self._cut: set[frozenset[str]] = set()
        self.loss = self.dice.choice((0.0, 0.2, 0.5)) if weather.loss is None else weather.loss
        self.policies = _policies(opens=self.dice.random() < 0.7)
        self._view_makers = self._makers()
        nations = self.dice.choice((("ITA", "FRA", "ITA"), ("ITA", "FRA", "KAZ")))
        clearance = "SECRET" if nations[2] == "ITA" else self.dice.choice(("SECRET", "RESTRICTED"))
        self.hosts = [
            self._host(name, nation, rank)
            for name, nation, rank in zip(("a", "b", "c"), nations, ("SECRET", "SECRET", clearance), strict=True)
        ]

    def _makers(self) -> list[Callable[[], View]]:
        planted = {view.name: view for view in self._parts.views}
        makers = [make for feature in load_features() for make in feature.views]
        return [planted.get(make().name, make) for make in makers]

    def _host(self, name: str, nation: str, clearance: str) -> Host:
        outside = Outside(self.now_ms, self.later, self._made, self._acked, self._sent)
        return self._parts.host(
            name,
            nation,
            clearance,
            self.policies[0],
            skew_ms=self.dice.randint(-self.weather.skew_ms, self.weather.skew_ms),
            rules=RULES,
            views=lambda: [make() for make in self._view_makers],
            dice=Random(self.dice.randbytes(8)),
            outside=outside,
            parts=self._parts,
        )

    # -- time -------------------------------------------------------------------------------------------------------

    def now_ms(self) -> int:
        """The time as a clock without skew shows it."""
        step_ms = self.weather.clock_step_ms
        return START_MS + int(self.now_s * 1000) // step_ms * step_ms

    def later(self, delay_s: float, call: Callable[[], None]) -> None:
        """Call this when so much time has passed."""
        heapq.heappush(self._queue, (self.now_s + delay_s, next(self._numbers), call))

    def run(self) -> "World":
        """Storm, calm, and what must hold. Raises BrokenPromiseError."""
        self.play()
        self.check()
        check_honest(self.hosts)
        return self

    def play(self) -> None:
        """Storm and calm."""
        self._plan()
        self._until(self.weather.storm_s)
        self._make_calm()
        self._until(self.weather.storm_s + self.weather.calm_s)

    def check(self) -> None:
        """What must hold whether or not everybody was honest. Raises BrokenPromiseError."""
        check_world(self.hosts, self.oracle, self.acked, self._policy_epoch())
        check_states(self.hosts, self.dice)

    def digest(self) -> str:
        """One hash over what lies on every disk: equal for equal runs."""
        whole = hashlib.sha256()
        for host in self.hosts:
            for data in (*host.disk.synced, *host.stub_disk.synced):
                whole.update(data)
        return whole.hexdigest()

    def _until(self, end_s: float) -> None:
        while self._queue and self._queue[0][0] <= end_s:
            self.now_s, _, call = heapq.heappop(self._queue)
            call()
        self.now_s = end_s

    def _policy_epoch(self) -> int:
        return self.hosts[0].node.policy.epoch

    # -- weather ----------------------------------------------------------------------------------------------------

    def _plan(self) -> None:
        weather, dice = self.weather, self.dice
        for _ in range(weather.says):
            self.later(dice.uniform(0, weather.storm_s), self._say)
        for _ in range(weather.crashes):
            self.later(dice.uniform(0, weather.storm_s), self._doom)
        for _ in range(weather.partitions):
            self.later(dice.uniform(0, weather.storm_s), self._part)
        for _ in range(weather.full_disks):
            self.later(dice.uniform(0, weather.storm_s), self._fill_disk)
        changes = dice.random() < 0.5
        for host in self.hosts:
            self.later(dice.uniform(0, 2), self._asks(host))
            self.later(dice.uniform(0, 5), self._ticks(host))
            if changes:
                self.later(dice.uniform(30, weather.storm_s), self._changes(host))

    def _changes(self, host: Host) -> Callable[[], None]:
        return lambda: host.change_policy(self.policies[1])

    def _doom(self) -> None:
        """The next machine that hears or takes something crashes right after: then there is something to lose."""
        self._doomed = self.dice.choice(("hears", "takes"))

    def _strike(self, doing: str, host: Host) -> None:
        if self._doomed == doing:
            self._doomed = ""
            self.later(self.dice.uniform(0, 0.6), lambda: self._crash(host))

    def _crash(self, host: Host) -> None:
        if host.is_up:
            host.crash()
            self.storms["crash"] += 1
            self.later(self.dice.uniform(0.2, 8), lambda: self._restart(host))

    def _restart(self, host: Host) -> None:
        if not host.is_up:
            # The battery of the machine's clock is old: it may come back with an earlier time.
            jump_ms = min(20_000, self.weather.skew_ms)
            host.skew_ms += self.dice.randint(-jump_ms, jump_ms)
            host.boot()

    def _part(self) -> None:
        one, other = self.dice.sample(self.hosts, 2)
        pair = frozenset((one.name, other.name))
        self._cut.add(pair)
        self.later(self.dice.uniform(5, 30), lambda: self._cut.discard(pair))

    def _fill_disk(self) -> None:
        disk = self.dice.choice(self.hosts).disk

        def empty() -> None:
            disk.is_full = False

        disk.is_full = True
        self.later(self.dice.uniform(2, 15), empty)

    def _make_calm(self) -> None:
        self.loss, self._doomed = 0.0, ""
        self._cut.clear()
        for host in self.hosts:
            host.disk.is_full = False
            self._restart(host)

    # -- network ----------------------------------------------------------------------------------------------------

    def _asks(self, host: Host) -> Callable[[], None]:
        def ask() -> None:
            if host.is_up:
                peer = self.dice.choice([each for each in self.hosts if each is not host])
                data = host.ask()
                self._send(host, peer, lambda: self._answer(host, peer, data))
            self.later(self.dice.uniform(1, 3), ask)

        return ask

    def _answer(self, asker: Host, peer: Host, ask: bytes) -> None:
        data = peer.answer(ask, asker.audience)

        def take() -> None:
            asker.take(data, peer.name)
            self._strike("takes", asker)

        self._send(peer, asker, take)

    def _send(self, sender: Host, receiver: Host, arrive: Callable[[], None]) -> None:
        pair = frozenset((sender.name, receiver.name))

        def deliver() -> None:
            if receiver.is_up and pair not in self._cut:
                arrive()

        for _ in range(1 + (self.dice.random() < self.weather.doubled)):
            if self.dice.random() >= self.loss:
                late = self.dice.random() < self.weather.late
                self.later(self.dice.uniform(*self.weather.delay_s) * (4 if late else 1), deliver)
            else:
                self.storms["lost"] += 1

    def _ticks(self, host: Host) -> Callable[[], None]:
        def tick() -> None:
            if host.is_up:
                host.tick()
            self.later(5.0, tick)

        return tick

    # -- what is noted down for the promises ------------------------------------------------------------------------

    def _made(self, entry: Entry) -> None:
        """An entry exists: its id is as secret as its text."""
        self.oracle.note(entry.envelope.id, self._secret(entry.envelope.label.releasable_to, entry.envelope.label))

    def _acked(self, host: Host, entry_id: str) -> None:
        self.acked[entry_id] = host.name

    def _sent(self, host: Host, answer: bytes, peer: Audience) -> None:
        self.oracle.check(answer, peer, (host.node.policy.epoch,), f"an answer of {host.name}")

    def _secret(self, words: Iterable[str], label: Label | None = None, classification: str = RANKS[0]) -> Secret:
        nations: dict[int, frozenset[str]] = {}
        for policy in self.policies:
            nations[policy.epoch] = frozenset(
                nation for word in words for nation in policy.communities.get(word, (word,))
            )
        return Secret(nations, RANKS.index(label.classification if label is not None else classification))

    # -- people -----------------------------------------------------------------------------------------------------

    def _say(self) -> None:
        dice = self.dice
        host = dice.choice(self.hosts)
        if not host.is_up:
            return
        self._strike("hears", host)
        if self._said and dice.random() < 0.1:
            # Said again: by a sender that heard no acknowledgement, or by a network that repeats.
            host, decoded, principal = dice.choice(self._said)
            if host.is_up:
                host.hear(decoded, principal)
            return
        number = next(self._numbers)
        canary = f"canary-{number}"
        releasable, classification = self._dice_label(host)
        self.oracle.note(canary, self._secret(releasable, None, classification))
        if dice.random() < 0.3:
            label = Label(self.policies[0].name, classification, releasable, (DEFAULT_GROUP,))
            host.write(self._page_note(canary), _person(host), label)
            return
        device = _device(host, dice.randint(1, 2))
        decoded = Decoded(self._body(canary, device), f"<{canary}/>".encode(), Marking(classification, (), releasable))
        self._said.append((host, decoded, device))
        host.hear(decoded, device)
        if self.weather.twins and dice.random() < 0.3:
            other = dice.choice([each for each in self.hosts if each is not host])
            secret = self.oracle.of(canary)
            if other.is_up and all(secret.allows(other.audience, policy.epoch) for policy in self.policies):
                other.hear(decoded, _device(other, 1))

    def _dice_label(self, host: Host) -> tuple[tuple[str, ...], str]:
        """Releasable to whom, and how high: always to the nation of the node itself, in three of ten not to all."""
        own = str(host.audience.nation)
        words = {own}
        for nation in sorted(EVERYBODY - {own}):
            if self.dice.random() < 0.7:
                words.add(nation)
        if own == "ITA" and self.dice.random() < 0.3:
            words = {ALLIES}
        classification = self.dice.choices(RANKS, (80, 10, 5, 5))[0]
        if RANKS.index(classification) > RANKS.index(host.audience.clearance):
            classification = RANKS[0]
        return tuple(sorted(words)), classification

    def _claimed_ms(self) -> int:
        return self.now_ms() + self.dice.randint(-400_000, 400_000)

    def _page_note(self, canary: str) -> Body:
        word = self.dice.choice(("urgent", "line"))
        return Note(room=LOG_ROOM, text=f"{word} {canary}", happened_at_ms=self._claimed_ms(), reference=canary)

    def _body(self, canary: str, device: Principal) -> Body:
        dice, at_ms = self.dice, self._claimed_ms()
        kind = dice.choice(("chat", "chat", "marker", "marker", "position", "removal", "receipt"))
        if kind == "chat":
            text = f"{dice.choice(('urgent', 'chat'))} {canary}"
            return Note(room=dice.choice(("red", "blue")), text=text, happened_at_ms=at_ms, reference=canary)
        if kind == "receipt":
            return Receipt(reference=f"line-{dice.randint(1, 5)}", state="read", happened_at_ms=at_ms)
        own = kind == "position"
        uid = device.name if own else f"marker-{dice.randint(1, 6)}"
        alias = Alias("cot", uid)
        if kind == "removal":
            return Removal(entity=entity_id("cot", uid), alias=alias, happened_at_ms=at_ms)
        return Report(
            entity=entity_id("cot", uid),
            alias=alias,
            type="a-f-G-U-C",
            sidc="10031000001200000000",
            category="unit" if own else "marker",
            observed_at_ms=at_ms,
            how="m-g" if own else "h-e",
            own=own,
            name=canary,
            position=Position(dice.uniform(-90, 90), dice.uniform(-180, 180)),
        )


def _device(host: Host, number: int) -> Principal:
    return Principal(
        id=f"device:{host.name}{number}",
        kind="device",
        name=f"{host.name}{number}",
        context="REAL",
        nation=host.audience.nation,
        clearance=host.audience.clearance,
        groups_in=host.audience.groups,
        groups_out=host.audience.groups,
    )


def _person(host: Host) -> Principal:
    return msgspec.structs.replace(_device(host, 0), id=f"person:{host.name}", kind="person")
