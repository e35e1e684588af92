"""Owners: the first device to use a uid owns it until its certificate is revoked, whatever order the acts arrive in."""

from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila.core.codec import Decoded
from aquila.core.ids import entity_id
from aquila.core.journal import Head, MemoryJournal, Staged, make_entry
from aquila.core.model import Act, Alias, Body, Draft, Entry, Note, Position, Principal, Receipt, Report
from aquila.core.node import Identity, Node
from aquila.core.owners import Owners
from aquila.core.policy import DEFAULT_GROUP, Policy

LABEL = Policy().default_label


def entry(hlc: int, body: Body) -> Entry:
    draft = Draft(
        body=body, author="node:n", via="node", label=LABEL, context="REAL", happened_at_ms=0, received_at_ms=0
    )
    staged = Staged(draft=draft, id=f"id-{hlc}", hlc=hlc, salt=bytes(16))
    made, _ = make_entry(staged, node="n", epoch=1, head=Head(hlc))
    return made


def bind(hlc: int, principal: str, uid: str = "U1") -> Entry:
    return entry(hlc, Act(action="device.bind", target=principal, happened_at_ms=0, detail={"uid": uid}))


def revoke(hlc: int, principal: str) -> Entry:
    return entry(hlc, Act(action="device.revoke", target=principal, happened_at_ms=0))


def owners(*acts: Entry) -> Owners:
    view = Owners()
    for act in acts:
        view.fold(act)
    return view


def test_a_uid_that_nobody_used_is_nobodys() -> None:
    assert owners().owner("U1") is None
    assert owners(bind(1, "device:a", "other")).owner("U1") is None


def test_the_first_to_use_a_uid_owns_it_also_when_that_is_heard_last() -> None:
    first, second = bind(1, "device:a"), bind(2, "device:b")
    assert owners(first, second).owner("U1") == "device:a"
    assert owners(second, first).owner("U1") == "device:a"


def test_a_revoked_device_owns_nothing_and_the_next_one_keeps_the_phone() -> None:
    first, gone, second = bind(1, "device:a"), revoke(2, "device:a"), bind(3, "device:b")
    assert owners(first, gone).owner("U1") is None
    assert owners(first, gone, second).owner("U1") == "device:b"


def test_a_revocation_frees_every_uid_of_that_device_and_none_of_another() -> None:
    view = owners(
        bind(1, "device:a", "U1"), bind(2, "device:a", "U2"), bind(3, "device:b", "U3"), revoke(4, "device:a")
    )
    assert [view.owner(uid) for uid in ("U1", "U2", "U3")] == [None, None, "device:b"]


def test_a_device_that_is_let_in_again_may_bind_again() -> None:
    assert owners(bind(1, "device:a"), revoke(2, "device:a"), bind(3, "device:a")).owner("U1") == "device:a"
    assert owners(bind(3, "device:a"), revoke(2, "device:a"), bind(1, "device:a")).owner("U1") == "device:a"


def test_an_old_revocation_that_arrives_late_does_not_undo_a_newer_one() -> None:
    acts = [revoke(5, "device:a"), bind(4, "device:a"), revoke(2, "device:a")]
    assert owners(*acts).owner("U1") is None


def test_other_acts_and_other_statements_change_nothing() -> None:
    before = owners(bind(1, "device:a")).snapshot()
    grant = Act(action="user.add", target="device:a", happened_at_ms=0, detail={"uid": "U1"})
    note = Note(room="log", text="device.bind", happened_at_ms=0)
    assert owners(bind(1, "device:a"), entry(2, grant), entry(3, note)).snapshot() == before


@given(
    st.lists(st.tuples(st.sampled_from(["bind", "revoke"]), st.sampled_from("abc"), st.sampled_from(["U1", "U2"]))),
    st.integers(0, 2**32),
)
def test_any_order_and_any_repeat_of_the_same_acts_gives_the_same_owners(
    said: list[tuple[str, str, str]], seed: int
) -> None:
    acts = [
        bind(hlc, f"device:{who}", uid) if what == "bind" else revoke(hlc, f"device:{who}")
        for hlc, (what, who, uid) in enumerate(said, 1)
    ]
    dice = Random(seed)
    shuffled = [*acts, *dice.choices(acts, k=3)] if acts else []
    dice.shuffle(shuffled)
    assert owners(*shuffled).snapshot() == owners(*acts).snapshot()


def test_a_snapshot_brings_the_owners_back() -> None:
    view = owners(bind(1, "device:a"), revoke(2, "device:a"), bind(3, "device:b"), bind(4, "device:c", "U2"))
    again = Owners()
    again.restore(view.snapshot())
    assert again.snapshot() == view.snapshot()
    for each in (view, again):
        each.fold(revoke(5, "device:b"))
        assert (each.owner("U1"), each.owner("U2")) == (None, "device:c")


# -- at the node ------------------------------------------------------------------------------------------------------


class World:
    """A node with its journal, and the devices that talk to it."""

    def __init__(self) -> None:
        self.node = Node(
            Identity("n", 1, "ALPHA"),
            "REAL",
            Policy(),
            clock_ms=lambda: 1_790_000_000_000,
            new_id=iter(f"new-{number}" for number in range(1000)).__next__,
            salt=bytes,
            views={},
        )
        self.journal = MemoryJournal()
        self.head = Head()

    def says(self, principal: Principal, body: Body) -> str:
        """What became of it: said, or the reason of the refusal."""
        heard = self.node.hear(Decoded(body, repr(body).encode()), principal, "tls")
        if heard.refused is not None:
            return heard.refused.reason
        self.commit(heard.staged)
        return "said"

    def commit(self, staged: tuple[Staged, ...]) -> None:
        for each in staged:
            made, self.head = make_entry(each, node="n", epoch=1, head=self.head)
            self.node.committed(self.journal.append([made]))


def device(name: str, kind: str = "device") -> Principal:
    groups = frozenset({DEFAULT_GROUP})
    made = Principal(id=f"{kind}:{name}", kind="device", name=name, context="REAL", groups_in=groups, groups_out=groups)
    return msgspec.convert({**msgspec.structs.asdict(made), "kind": kind}, Principal)


def own_position(uid: str, at_ms: int = 1, own: bool = True) -> Report:
    return Report(
        entity=entity_id("cot", uid),
        alias=Alias("cot", uid),
        type="a-f-G-U-C",
        sidc="10031000001200000000",
        category="unit",
        observed_at_ms=at_ms,
        how="m-g",
        own=own,
        position=Position(43.0, 76.9),
    )


def chat(uid: str) -> Note:
    return Note(room="red", text="hello", happened_at_ms=1, author_alias=Alias("cot", uid), reference=uid)


A, B, LISTENER, PERSON = device("a"), device("b"), device("tcp", "listener"), device("operator", "person")


def test_only_speaking_of_itself_binds_a_uid() -> None:
    world = World()
    assert world.says(A, own_position("U1", own=False)) == "said"
    assert world.says(A, chat("U1")) == "said"
    assert world.node.owners.owner("U1") is None
    assert world.says(A, own_position("U1", 2)) == "said"
    assert world.node.owners.owner("U1") == "device:a"


def test_a_plain_listener_owns_nothing_since_anybody_may_be_behind_it() -> None:
    world = World()
    assert world.says(LISTENER, own_position("U1")) == "said"
    assert world.node.owners.owner("U1") is None
    assert world.says(A, own_position("U1", 2)) == "said"
    assert world.says(LISTENER, own_position("U1", 3)) == "spoof"


@pytest.mark.parametrize(
    "body",
    [own_position("U1", 9), own_position("U1", 9, own=False), chat("U1"),
     Receipt(reference="x", state="read", happened_at_ms=9, by=Alias("cot", "U1"))],
    ids=["its position", "a report about it", "a line in its name", "a receipt in its name"],
)  # fmt: skip
def test_nobody_else_speaks_of_or_for_a_device(body: Body) -> None:
    world = World()
    world.says(A, own_position("U1"))
    assert world.says(B, body) == "spoof"
    assert world.says(LISTENER, body) == "spoof"
    assert world.says(A, body) == "said"


def test_a_person_at_the_page_may_correct_what_a_device_says_of_itself() -> None:
    world = World()
    world.says(A, own_position("U1"))
    assert world.says(PERSON, own_position("U1", 9, own=False)) == "said"


def test_nobody_slips_in_between_the_first_use_and_its_commit() -> None:
    world = World()
    first = world.node.hear(Decoded(own_position("U1"), b"1"), A, "tls")
    assert world.says(B, own_position("U1", 2)) == "spoof"
    world.commit(first.staged)
    assert world.says(B, own_position("U1", 3)) == "spoof"


def test_after_a_revocation_the_person_takes_the_phone_along_to_a_new_certificate() -> None:
    world = World()
    world.says(A, own_position("U1"))
    act = Act(action="device.revoke", target="device:a", happened_at_ms=2)
    staged = world.node.write(act, world.node.principal, "node")
    assert isinstance(staged, Staged)
    world.commit((staged,))
    assert world.says(B, own_position("U1", 3)) == "said"
    assert world.says(A, own_position("U1", 4)) == "spoof"
