"""The hub on real sockets: what a reader that lags, switches, hangs up or never reads gets, and what others lose."""

import asyncio
import contextlib
import random
import re
import socket
from collections.abc import Awaitable, Callable, Iterator

import pytest

from aquila.core.contacts import Contacts, LinkId
from aquila.core.fanout import JOINED_BYTES_MAX, WAITING_BYTES_MAX, WAITING_MS_MAX, Fanout, Outbound
from aquila.core.model import Alias, Audience, Foreign, Label, Verdict
from aquila.core.policy import Decision
from aquila.links import why
from aquila.links.hub import Hub
from aquila.links.poller import WRITE

CONTEXT = "REAL"
LABEL = Label("P", "UNCLASSIFIED", (), ("COMMON",))
READER = Audience(CONTEXT, "ITA", "UNCLASSIFIED", (), frozenset({"COMMON"}))
PAD = "." * 1_000
TOKEN = re.compile(r"<[^<>{}]*>|\{[^<>{}]*\}")


class Wire:
    """A connection of the hub with a small buffer, and its far end in the hands of the test.

    Attributes:
        received: what the far end has read. undelivered: what the hub told when the connection ended; None = it stands.
    """

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.id: LinkId = hub.new_id()
        self.out_count = 0
        self.received = b""
        self.reason = ""
        self.undelivered: list[str] | None = None
        self.near, self.far = socket.socketpair()
        self.near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8_192)
        self.near.setblocking(False)
        self.far.setblocking(False)
        hub.poller.watch(self.near.fileno(), self, 0)

    def join(self, format: str = "xml", **rest: bytes) -> "Wire":
        self.hub.join(self, READER, format, **rest)
        return self

    # What the hub and its poller call.

    def send(self, data: bytes | memoryview) -> int:
        try:
            return self.near.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            self.close("gone")
            return 0

    def watch_room(self, watch: bool) -> None:
        if self.undelivered is None:
            self.hub.poller.watch(self.near.fileno(), self, WRITE if watch else 0)

    def readable(self) -> None:
        self.close("gone")

    def writable(self) -> None:
        self.hub.has_room(self)

    def close(self, reason: str) -> None:
        if self.undelivered is None:
            self.reason = reason
            self.hub.poller.unwatch(self.near.fileno())
            self.undelivered = [outbound.id for outbound in self.hub.leave(self.id)]
            self.near.close()

    # What the test calls.

    def read(self, count: int = 1 << 20) -> int:
        """Take what has arrived, at most so many bytes; gives how many it were."""
        came = b""
        with contextlib.suppress(BlockingIOError):
            came = self.far.recv(count)
        self.received += came
        return len(came)

    @property
    def is_behind(self) -> bool:
        return self.hub.fanout.standing(self.id).behind

    def tokens(self) -> list[str]:
        """Every whole statement and reply that was read, in order; fails when one is cut or broken."""
        text = self.received.decode()
        found = TOKEN.findall(text)
        rest = text[len("".join(found)) :]
        assert text.startswith("".join(found)), "cut inside a statement"
        assert not re.search(r"[>}]", rest)
        return [token.removesuffix(" " + PAD + ">") + ">" * token.startswith("<") for token in found]

    def ids(self) -> list[str]:
        return [token[1:-1].split(" ")[0] for token in self.tokens() if token.startswith("<")]


class Net:
    """A hub with its wires, and a clock that the test turns."""

    def __init__(self) -> None:
        self.now_ms = 1_000_000
        fanout = Fanout(lambda *_: Decision(Verdict.FULL, "released"), encode, Contacts())
        self.hub = Hub(fanout, clock_ms=lambda: self.now_ms)
        self.wires: list[Wire] = []

    def wire(self, format: str = "xml", **rest: bytes) -> Wire:
        self.wires.append(Wire(self.hub))
        return self.wires[-1].join(format, **rest)

    def say(self, id: str, source: LinkId | None = None) -> None:
        """A statement."""
        self.hub.publish(outbound(id, source=source))

    def place(self, entity: str, number: int, source: LinkId | None = None) -> None:
        """A position: the newest state of an entity."""
        self.hub.publish(outbound(f"{entity}-{number}", source=source, key=entity, statement=False))

    async def quiet(self, *readers: Wire) -> None:
        """Let these read until nothing is left for them."""

        def is_quiet() -> bool:
            read = sum(wire.read() for wire in readers)
            return not (read or self.hub.fanout.has_work or any(wire.is_behind for wire in readers))

        await until(is_quiet)
        for wire in readers:
            wire.read()

    async def fill(self, wire: Wire, others: tuple[Wire, ...] = ()) -> list[str]:
        """Say statements until the wire takes no more; gives their ids."""
        said: list[str] = []

        def is_behind() -> bool:
            said.append(f"fill{len(said)}")
            self.say(said[-1])
            for other in others:
                other.read()
            return wire.is_behind

        await until(is_behind)
        await until(lambda: not self.hub.fanout.has_work)
        return said


def outbound(id: str, **rest: object) -> Outbound:
    body = Foreign(alias=Alias("t", "x"), type="t", happened_at_ms=0)
    return Outbound(id=id, body=body, label=LABEL, context=CONTEXT, **rest)  # type: ignore[arg-type]


def encode(outbound: Outbound, format: str, verdict: Verdict) -> bytes:
    return f"<{outbound.id} {format} {PAD}>".encode()


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110  # what is waited for happens in the loop, not in a task of ours
            await asyncio.sleep(0.001)


def with_hub(test: Callable[[Net], Awaitable[None]]) -> None:
    async def run() -> None:
        net = Net()
        net.hub.start()
        try:
            await test(net)
        finally:
            for wire in net.wires:
                wire.close("end")
                wire.far.close()
            net.hub.stop()

    asyncio.run(run())


# -- one reader -------------------------------------------------------------------------------------------------------


def test_what_is_said_in_one_turn_of_the_loop_leaves_in_one_flush() -> None:
    async def check(net: Net) -> None:
        one = net.wire()
        await net.quiet(one)
        before = net.hub.flush_count
        for number in range(5):
            net.say(f"s{number}")
        await net.quiet(one)
        assert one.ids() == [f"s{number}" for number in range(5)]
        assert net.hub.flush_count == before + 1

    with_hub(check)


def test_a_newcomer_gets_the_picture_before_its_greeting() -> None:
    async def check(net: Net) -> None:
        net.place("A", 1)
        net.place("A", 2)
        net.place("B", 1)
        await until(lambda: not net.hub.fanout.has_work)
        late = net.wire(greeting=b"{hello}")
        await net.quiet(late)
        assert late.tokens() == ["<A-2 xml>", "<B-1 xml>", "{hello}"]

    with_hub(check)


def test_a_stop_writes_what_waits() -> None:
    async def check(net: Net) -> None:
        one = net.wire()
        net.say("last")
        net.hub.stop()
        one.read()
        assert one.ids() == ["last"]

    with_hub(check)


# -- slow readers -----------------------------------------------------------------------------------------------------


def test_positions_for_a_slow_reader_collapse_to_the_newest() -> None:
    async def check(net: Net) -> None:
        slow, fast = net.wire(), net.wire()
        for number in range(100):
            for entity in "ABC":
                net.place(entity, number)
            await net.quiet(fast)
        assert slow.is_behind
        assert len(fast.ids()) == 300
        await net.quiet(slow)
        newest = {id.partition("-")[0]: id for id in slow.ids()}
        assert newest == {"A": "A-99", "B": "B-99", "C": "C-99"}
        # Whatever is missing is counted.
        assert 0 < net.hub.fanout.counts.superseded == 300 - len(slow.ids())

    with_hub(check)


def test_a_slow_reader_gets_every_statement_once_and_in_order() -> None:
    async def check(net: Net) -> None:
        slow, fast = net.wire(), net.wire()
        for number in range(200):
            net.say(f"s{number}")
            net.place("A", number)
            await net.quiet(fast)
        assert slow.is_behind
        await net.quiet(slow)
        assert [id for id in slow.ids() if id[0] == "s"] == [f"s{number}" for number in range(200)]
        assert slow.ids()[-1] == "A-199"

    with_hub(check)


@pytest.mark.parametrize("taken", [0, 1, 500, 5_000, 30_000])
def test_who_leaves_has_got_every_statement_or_it_is_told_as_undelivered(taken: int) -> None:
    async def check(net: Net) -> None:
        slow = net.wire()
        said = await net.fill(slow)
        for number in range(20):
            net.place("A", number)
            net.say(f"s{number}")
            said.append(f"s{number}")
            await until(lambda: not net.hub.fanout.has_work)
        got = 0

        def has_taken() -> bool:
            nonlocal got
            got += slow.read(min(4_096, taken - got)) if taken > got else 0
            return got >= taken or not slow.is_behind

        await until(has_taken)
        net.say("not flushed yet")
        slow.close("left")
        while slow.read():
            pass
        received = [id for id in slow.ids() if not id.startswith("A-")]
        assert slow.undelivered is not None
        assert [*received, *slow.undelivered] == [*said, "not flushed yet"]

    with_hub(check)


def test_a_reply_goes_before_everything_that_waits_and_inside_nothing() -> None:
    async def check(net: Net) -> None:
        slow = net.wire()
        said = await net.fill(slow)
        said += [f"s{number}" for number in range(50)]
        for id in said[-50:]:
            net.say(id)
        await until(lambda: not net.hub.fanout.has_work)
        waiting_bytes = net.hub.fanout.standing(slow.id).unsent_bytes
        net.hub.reply(slow.id, b"{pong}")
        net.hub.reply(slow.id, b"{pong2}")
        await net.quiet(slow)
        tokens = slow.tokens()
        at = tokens.index("{pong}")
        assert tokens[at + 1] == "{pong2}"
        assert slow.ids() == said
        # At most the one that was half written stands between what had left already and the reply.
        left_before = (
            len(slow.received) - len(b"{pong}{pong2}") - 50 * len(b"<s00 xml >" + PAD.encode()) - waiting_bytes
        )
        assert len("".join(tokens[:at])) + at * len(PAD) <= left_before + 2 * len(PAD)

    with_hub(check)


def test_a_switch_of_the_format_falls_between_two_statements_while_more_come() -> None:
    async def check(net: Net) -> None:
        slow, ready, other = net.wire(), net.wire(), net.wire()
        await net.fill(slow, (ready, other))
        for number in range(60):
            if number == 20:
                net.hub.switch(slow.id, "proto", b"{yes}")
                net.hub.switch(ready.id, "proto", b"{yes}")
            net.say(f"s{number}")
            await until(lambda: not net.hub.fanout.has_work)
            if number % 3 == 0:
                slow.read(1_500)
            ready.read()
            other.read()
        await net.quiet(slow, ready, other)
        for wire in (slow, ready):
            tokens = wire.tokens()
            at = tokens.index("{yes}")
            assert all(token.endswith(" xml>") for token in tokens[:at])
            assert all(token.endswith(" proto>") for token in tokens[at + 1 :])
        assert [id for id in slow.ids() if id[0] == "s"] == [f"s{number}" for number in range(60)]
        assert slow.ids() == ready.ids() == other.ids()
        assert all(token.endswith(" xml>") for token in other.tokens())

    with_hub(check)


def test_what_a_sender_gets_around_its_own_run_goes_out_part_by_part() -> None:
    async def check(net: Net) -> None:
        sender, other = net.wire(), net.wire()
        around = JOINED_BYTES_MAX // len(PAD) * 2
        for source, name in ((other.id, "before"), (sender.id, "own"), (None, "after")):
            for number in range(around):
                net.place(f"{name}{number}", 0, source)
        await net.quiet(sender, other)
        assert [id for id in sender.ids() if id.startswith("own")] == []
        assert sender.ids() == [f"{name}{number}-0" for name in ("before", "after") for number in range(around)]
        assert other.ids() == [f"{name}{number}-0" for name in ("own", "after") for number in range(around)]

    with_hub(check)


# -- deaf and dead readers --------------------------------------------------------------------------------------------


def test_a_deaf_reader_is_let_go_at_the_bound_and_costs_the_others_nothing() -> None:
    async def check(net: Net) -> None:
        deaf, fast = net.wire(), net.wire()
        count = WAITING_BYTES_MAX // len(PAD) + 50
        for number in range(count):
            net.say(f"s{number}")
            if number % 4 == 3:
                await net.quiet(fast)
        await net.quiet(fast)
        assert fast.ids() == [f"s{number}" for number in range(count)]
        await until(lambda: deaf.reason)
        assert deaf.reason == why.READ_TOO_SLOWLY
        while deaf.read():
            pass
        assert deaf.undelivered is not None
        lost = [*deaf.ids(), *deaf.undelivered]
        assert lost == fast.ids()[: len(lost)]
        assert len(lost) * len(PAD) > WAITING_BYTES_MAX * 9 // 10
        net.say("after")
        await net.quiet(fast)
        assert fast.ids()[-1] == "after"

    with_hub(check)


def test_a_reader_that_takes_nothing_for_ten_minutes_is_let_go() -> None:
    async def check(net: Net) -> None:
        deaf, fast = net.wire(), net.wire()
        said = await net.fill(deaf, (fast,))
        net.now_ms += WAITING_MS_MAX + 1
        await until(lambda: deaf.reason)
        assert deaf.reason == why.READ_TOO_SLOWLY
        await net.quiet(fast)
        assert fast.reason == ""
        assert fast.ids() == said

    with_hub(check)


def test_a_reader_that_hangs_up_is_gone_and_the_others_hear_on() -> None:
    async def check(net: Net) -> None:
        gone, fast = net.wire(), net.wire()
        gone.far.close()
        net.say("one")
        await net.quiet(fast)
        await until(lambda: gone.reason)
        net.say("two")
        await net.quiet(fast)
        assert gone.reason == "gone"
        assert fast.ids() == ["one", "two"]

    with_hub(check)


# -- all of it, from seeds --------------------------------------------------------------------------------------------


def steps(dice: random.Random) -> Iterator[str]:
    """What happens next: mostly something is said, now and then somebody reads a little."""
    for _ in range(400):
        yield dice.choices(("place", "say", "read", "turn", "reply"), (8, 4, 6, 6, 1))[0]


@pytest.mark.parametrize("seed", range(12))
def test_whatever_the_pace_each_reader_ends_with_the_newest_of_all_and_every_statement(seed: int) -> None:
    async def check(net: Net) -> None:
        dice = random.Random(seed)
        readers = [net.wire(dice.choice(("xml", "proto"))) for _ in range(4)]
        numbers = dict.fromkeys("ABCDE", 0)
        said: list[tuple[str, LinkId | None]] = []
        newest: dict[str, LinkId | None] = {}
        replies = dict.fromkeys(range(4), 0)
        for step in steps(dice):
            # An entity is told of by one source only, as a device tells of itself.
            entity = dice.choice("ABCDE")
            source = readers[0].id if entity == "A" else readers[1].id if entity == "B" else None
            if step == "place":
                numbers[entity] += 1
                newest[entity] = source
                net.place(entity, numbers[entity], source)
            elif step == "say":
                said.append((f"s{len(said)}", source))
                net.say(*said[-1])
            elif step == "read":
                dice.choice(readers).read(dice.choice((100, 1_500, 20_000)))
            elif step == "reply":
                who = dice.randrange(4)
                replies[who] += 1
                net.hub.reply(readers[who].id, f"{{reply{replies[who]}}}".encode())
            else:
                await asyncio.sleep(0)
        await net.quiet(*readers)
        for who, wire in enumerate(readers):
            ids = wire.ids()
            assert [id for id in ids if id[0] == "s"] == [id for id, source in said if source != wire.id]
            for entity, number in numbers.items():
                heard = [int(id.partition("-")[2]) for id in ids if id.startswith(f"{entity}-")]
                assert heard == sorted(set(heard))
                assert heard[-1:] == ([number] if number and newest[entity] != wire.id else [])
            told = [token for token in wire.tokens() if token.startswith("{")]
            assert told == [f"{{reply{number + 1}}}" for number in range(replies[who])]

    with_hub(check)
