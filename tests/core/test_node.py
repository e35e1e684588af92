"""What a node does with what it hears: lanes, refusals, replays, spoofs, floods, rules."""

import msgspec
import pytest

from aquila.core.codec import Decoded
from aquila.core.errors import Refused
from aquila.core.ids import derived_id, entity_id
from aquila.core.journal import Head, MemoryJournal, Staged, make_entry
from aquila.core.model import (
    Act,
    Alias,
    Arrival,
    Entry,
    Note,
    Paper,
    Position,
    Principal,
    Removal,
    Report,
)
from aquila.core.node import Identity, Node
from aquila.core.policy import Policy
from aquila.core.rule import Proposal, Rule
from aquila.core.view import View


class Echo:
    """A view that remembers what it folded."""

    name = "echo"
    version = 1

    def __init__(self) -> None:
        self.folded: list[Arrival] = []

    def fold(self, arrival: Arrival) -> None:
        self.folded.append(arrival)

    def snapshot(self) -> bytes:
        return repr(len(self.folded)).encode()

    def restore(self, data: bytes) -> None:
        raise AssertionError(data)


class World:
    """A node with a clock that the test turns, and a journal in memory."""

    def __init__(self, rules: tuple[Rule, ...] = ()) -> None:
        self.now_ms = 1_700_000_000_000
        self._numbers = iter(range(1, 10_000))
        self.echo = Echo()
        self.node = Node(
            Identity("n1", 1, "ALPHA"),
            "REAL",
            Policy(),
            clock_ms=lambda: self.now_ms,
            new_id=lambda: f"new-{next(self._numbers)}",
            salt=bytes,
            views={"echo": self.echo},
            rules=rules,
        )
        self.journal = MemoryJournal()
        self.head = Head()

    def commit(self, staged: tuple[Staged, ...] | list[Staged]) -> list[Entry]:
        entries = []
        for each in staged:
            entry, self.head = make_entry(each, node="n1", epoch=1, head=self.head)
            entries += self.journal.append([entry])
        more = self.node.committed(entries)
        return entries + (self.commit(more) if more else [])


def device(name: str = "A") -> Principal:
    return Principal(
        id=f"device:{name}",
        kind="device",
        name=name,
        context="REAL",
        nation="ITA",
        groups_in=frozenset({"COMMON"}),
        groups_out=frozenset({"COMMON"}),
    )


LISTENER = msgspec.structs.replace(device("tcp"), id="listener:tcp", kind="listener")


def position(uid: str = "U1", at_ms: int = 1_700_000_000_000, own: bool = True, how: str = "m-g") -> Decoded:
    body = Report(
        entity=entity_id("cot", uid),
        alias=Alias("cot", uid),
        type="a-f-G-U-C",
        sidc="10031000001200000000",
        category="unit",
        observed_at_ms=at_ms,
        how=how,
        own=own,
        position=Position(42.0, 77.0),
    )
    return Decoded(body, f"{uid}@{at_ms}".encode())


def chat(text: str = "hello", uid: str = "U1", at_ms: int = 5) -> Decoded:
    note = Note(
        room="All Chat Rooms",
        text=text,
        happened_at_ms=at_ms,
        reference=f"ref-{text}",
        author_alias=Alias("cot", uid),
    )
    return Decoded(note, text.encode())


@pytest.fixture
def world() -> World:
    return World()


def test_an_own_position_is_a_sample_and_is_not_journalled(world: World) -> None:
    heard = world.node.hear(position(), LISTENER, "tcp:1")
    assert heard.sample is not None
    assert heard.staged == ()
    world.node.sampled(heard.sample)
    assert world.echo.folded == [heard.sample]
    assert world.journal.last_arrival() == 0


def test_a_chat_is_staged_and_folded_only_after_its_commit(world: World) -> None:
    heard = world.node.hear(chat(), LISTENER, "tcp:1")
    assert [staged.draft.body for staged in heard.staged] == [chat().body]
    assert world.echo.folded == []
    [entry] = world.commit(heard.staged)
    assert world.echo.folded == [entry]
    assert entry.envelope.author == "listener:tcp"


def test_the_same_statement_again_is_a_replay(world: World) -> None:
    world.node.hear(chat(), LISTENER, "tcp:1")
    again = world.node.hear(chat(), LISTENER, "tcp:2")
    assert again.refused is not None
    assert again.refused.reason == "replay"
    edited = world.node.hear(chat("hello, edited"), LISTENER, "tcp:1")
    assert edited.staged


def test_a_statement_that_could_not_be_committed_may_be_said_again(
    world: World,
) -> None:
    [staged] = world.node.hear(chat(), LISTENER, "tcp:1").staged
    world.node.forget(staged.id)
    assert world.node.hear(chat(), LISTENER, "tcp:1").staged


def test_a_replayed_position_is_refused_and_a_newer_one_is_not(world: World) -> None:
    assert world.node.hear(position(), LISTENER, "tcp:1").sample is not None
    assert world.node.hear(position(), LISTENER, "tcp:1").refused is not None
    assert world.node.hear(position(at_ms=1_700_000_001_000), LISTENER, "tcp:1").sample is not None


def test_time_is_never_a_reason_to_drop_unless_it_is_no_time(world: World) -> None:
    assert world.node.hear(position(at_ms=1_000_000), LISTENER, "tcp:1").sample is not None
    assert world.node.hear(position(at_ms=3_900_000_000_000), LISTENER, "tcp:1").sample is not None
    refused = world.node.hear(position(at_ms=5_000_000_000_000), LISTENER, "tcp:1").refused
    assert refused is not None
    assert refused.reason == "time"


def test_the_uid_of_a_device_is_its_own(world: World) -> None:
    first = world.node.hear(position(), device("A"), "tls:1")
    acts = world.commit(first.staged)
    assert [act.body.action for act in acts if isinstance(act.body, Act)] == ["device.bind"]
    for said in (position(at_ms=1_700_000_002_000), chat("forged")):
        refused = world.node.hear(said, device("B"), "tls:2").refused
        assert refused is not None
        assert refused.reason == "spoof"
    removal = Removal(entity=entity_id("cot", "U1"), alias=Alias("cot", "U1"), happened_at_ms=9)
    assert world.node.hear(Decoded(removal, b"x"), LISTENER, "tcp:1").refused is not None
    assert world.node.hear(position(at_ms=1_700_000_003_000), device("A"), "tls:3").sample is not None


def test_the_binding_of_a_uid_survives_a_restart(world: World) -> None:
    acts = world.commit(world.node.hear(position(), device("A"), "tls:1").staged)
    restarted = World()
    restarted.node.committed(acts, live=False)
    assert restarted.node.hear(position(), device("B"), "tls:2").refused is not None


def test_a_flood_of_statements_about_one_entity_falls_to_the_position_lane(
    world: World,
) -> None:
    lanes = []
    for number in range(100):
        heard = world.node.hear(
            position("M1", 1_700_000_000_000 + number, own=False, how="h-e"),
            LISTENER,
            "tcp:1",
        )
        lanes.append("position" if heard.sample else "statement")
        world.now_ms += 100
    assert lanes.count("statement") == 60
    assert lanes[-1] == "position"
    assert world.node.counts["flood to position lane"] == 40


def test_a_rule_writes_once_and_only_when_live() -> None:
    def propose(arrival: Arrival, views: dict[str, View]) -> list[Proposal]:
        if isinstance(arrival, Entry) and isinstance(arrival.body, Note) and arrival.body.room != "log":
            body = Note(room="log", text=f"heard {arrival.body.text}", happened_at_ms=1)
            return [Proposal(body, arrival.envelope.label)]
        return []

    rule = Rule("echo", 1, propose)  # type: ignore[arg-type]
    world = World((rule,))
    said, written = world.commit(world.node.hear(chat(), LISTENER, "tcp:1").staged)
    assert written.envelope.cause == said.envelope.id
    assert written.envelope.id == derived_id("echo", 1, f"{said.envelope.id}/0")
    assert World((rule,)).node.committed([said], live=False) == []


@pytest.mark.parametrize("number", [1 << 64, -(1 << 63) - 1, -(10**30)])
def test_a_number_that_no_state_can_keep_is_not_written(world: World, number: int) -> None:
    # A watch from the year -10**19 ended the node when it next kept its state, and at every start after.
    for body in (
        Note(room="log", text="x", happened_at_ms=number),
        Paper(type="x.y", target="T", action="a", happened_at_ms=1, fields={"deep": [{"in": number}]}),
    ):
        answer = world.node.write(body, device(), "web")
        assert isinstance(answer, Refused)
        assert answer.reason == "number"
    fits = Paper(type="x.y", target="T", action="a", happened_at_ms=1, fields={"n": (1 << 64) - 1, "m": -(1 << 63)})
    assert not isinstance(world.node.write(fits, device(), "web"), Refused)


def test_an_inactive_principal_writes_nothing(world: World) -> None:
    revoked = msgspec.structs.replace(device(), active=False)
    answer = world.node.write(Note(room="log", text="x", happened_at_ms=1), revoked, "web")
    assert isinstance(answer, Refused)
    assert world.node.hear(chat(), revoked, "tls:1").refused is not None
