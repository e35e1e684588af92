"""Papers: any order of arrival folds to the same things; concurrent changes are shown; a reader gets his own fold."""

import tracemalloc
from itertools import permutations
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila.core.errors import Refused
from aquila.core.journal import Head, MemoryJournal, Staged, make_entry
from aquila.core.model import Draft, Entry, Label, Paper, Verdict
from aquila.core.papers import CONFLICTS_MAX, STEPS_MAX, Papers, Step, Thing
from aquila.core.policy import EXAMPLE_POLICY, Decision
from aquila.core.states import ANY, Move, States

OPEN = Label(EXAMPLE_POLICY, "UNCLASSIFIED", ("MISSION",), ("COMMON",))
CLOSED = Label(EXAMPLE_POLICY, "UNCLASSIFIED", ("FRA",), ("COMMON",))


class Reader:
    """A reading that may have what is open."""

    context = "REAL"

    def __init__(self, *labels: Label) -> None:
        self.labels = labels or (OPEN,)

    def release(self, label: Label, context: str) -> Decision:
        return Decision(Verdict.FULL if label in self.labels else Verdict.DENIED, "test")


def step(number: int, action: str = "edit", seen: tuple[str, ...] = (), label: Label = OPEN, **fields: Any) -> Entry:
    """The entry `e<number>`: one step about the thing T at the time of its number."""
    body = Paper(type="orders.task", target="T", action=action, happened_at_ms=number, fields=fields, seen=seen)
    draft = Draft(
        body=body,
        author=f"person:{number}",
        via="web",
        label=label,
        context="REAL",
        happened_at_ms=number,
        received_at_ms=number,
    )
    staged = Staged(draft=draft, id=f"e{number}", hlc=number, salt=b"")
    return make_entry(staged, node="n", epoch=1, head=Head())[0]


def fold(*entries: Entry) -> Papers:
    view = Papers("orders", 1, ("orders.",))
    for entry in entries:
        view.fold(entry)
    return view


def thing(*entries: Entry, reader: Reader | None = None) -> Thing:
    found = fold(*entries).thing(reader or Reader(), "T")  # type: ignore[arg-type]
    assert found is not None
    return found


def test_the_newest_of_each_field_counts_and_none_empties_it() -> None:
    made = thing(step(1, "create", name="Patrol", place="A"), step(2, place="B"), step(3, name=None))
    assert made.fields() == {"place": "B"}
    assert (made.get("place"), made.get("name", "?"), made.first.action) == ("B", "?", "create")
    assert [made.at(time).fields() for time in (1, 2) if made.at(time)] == [  # type: ignore[union-attr]
        {"name": "Patrol", "place": "A"},
        {"name": "Patrol", "place": "B"},
    ]
    assert made.at(0) is None


def test_any_order_and_any_doubling_folds_to_the_same_bytes() -> None:
    entries = [step(1, "create", a=1), step(2, a=2), step(3, b=3), step(4, a=4)]
    states = {fold(*order, *order[:2]).snapshot() for order in permutations(entries)}
    assert len(states) == 1
    again = Papers("orders", 1, ("orders.",))
    again.restore(states.pop())
    assert again.snapshot() == fold(*entries).snapshot()


def test_steps_that_did_not_see_each_other_and_differ_are_a_conflict_until_somebody_who_saw_both_speaks() -> None:
    first, ours, theirs = (
        step(1, "create", place="A"),
        step(2, seen=("e1",), place="B"),
        step(3, seen=("e1",), place="C"),
    )
    (conflict,) = thing(first, ours, theirs).conflicts()
    assert (conflict.field, conflict.kept.entry, conflict.other.entry) == ("place", "e3", "e2")
    assert thing(first, ours, theirs).heads() == ("e2", "e3")
    assert thing(first, ours, theirs, step(4, seen=("e2", "e3"), place="C")).conflicts() == []
    assert thing(first, ours, theirs, step(4, seen=("e3",), place="D")).conflicts()[0].other.entry == "e2"
    assert thing(first, ours, step(3, seen=("e1",), place="B")).conflicts() == []
    assert thing(first, ours, step(3, seen=("e2",), place="C")).conflicts() == []


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3), st.sets(st.integers(0, 8))), max_size=8))
def test_nothing_is_lost_and_every_conflict_is_between_the_living(written: list[tuple[str, int, set[int]]]) -> None:
    entries = [step(0, "create", a=0, b=0)]
    for number, (field, value, saw) in enumerate(written, 1):
        seen = tuple(f"e{each}" for each in sorted(saw) if each < number)
        entries.append(step(number, seen=seen, **{field: value}))
    made = thing(*reversed(entries))
    assert [each.entry for each in made.steps] == [f"e{number}" for number in range(len(entries))]
    for conflict in made.conflicts():
        assert conflict.kept is made.writers()[conflict.field]
        assert conflict.other.fields[conflict.field] != conflict.kept.fields[conflict.field]


def had_seen(steps: dict[str, Step], entry: str) -> set[str]:
    """By definition: what a step says, and what those had seen, each of them older."""
    direct = set(steps[entry].seen)
    older = [each for each in direct if each in steps and steps[each].stamp < steps[entry].stamp]
    return direct.union(*(had_seen(steps, each) for each in older))


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 2), st.sets(st.integers(0, 9))), max_size=8))
def test_conflicts_are_those_of_the_definition(written: list[tuple[str, int, set[int]]]) -> None:
    entries = [step(0, "create", a=0, b=0)]
    for number, (field, value, saw) in enumerate(written, 1):
        # Also what comes later, and what nobody has.
        entries.append(step(number, seen=tuple(f"e{each}" for each in sorted(saw)), **{field: value}))
    made = thing(*entries)
    steps = {each.entry: each for each in made.steps}
    known = {entry: had_seen(steps, entry) for entry in steps}
    expected = []
    for name, kept in made.writers().items():
        speakers = [each for each in made.steps if name in each.fields]
        for number, other in enumerate(speakers[:-1]):
            is_apart = other.entry not in known[kept.entry] and kept.entry not in known[other.entry]
            is_settled = any(other.entry in known[later.entry] for later in speakers[number + 1 :])
            if is_apart and not is_settled and other.fields[name] != kept.fields[name]:
                expected.append((name, kept.entry, other.entry))
    assert [(each.field, each.kept.entry, each.other.entry) for each in made.conflicts()] == expected


def test_as_many_steps_as_a_thing_may_have_cost_little(request: pytest.FixtureRequest) -> None:
    # One member who edits one thing over and over took 590 MiB and 1.7 s from everybody who opened a list with it.
    chain = thing(*(step(n, seen=(f"e{n - 1}",), place=n) for n in range(STEPS_MAX)))
    tracemalloc.start()
    request.addfinalizer(tracemalloc.stop)
    assert chain.conflicts() == []
    assert tracemalloc.get_traced_memory()[1] < 32 << 20
    apart = thing(*(step(n, seen=("elsewhere",), **{f"f{k}": n for k in range(3)}) for n in range(STEPS_MAX)))
    found = apart.conflicts()
    assert len(found) == 3 * CONFLICTS_MAX
    assert [each.other.entry for each in found[:CONFLICTS_MAX]] == [
        f"e{n}" for n in range(STEPS_MAX - 1 - CONFLICTS_MAX, STEPS_MAX - 1)
    ]


def test_a_reader_gets_the_thing_without_the_steps_that_are_withheld() -> None:
    entries = (step(1, "create", place="A"), step(2, label=CLOSED, place="B", secret="x"))
    assert thing(*entries).fields() == {"place": "A"}
    assert thing(*entries, reader=Reader(OPEN, CLOSED)).fields() == {"place": "B", "secret": "x"}
    assert fold(*entries).thing(Reader(CLOSED), "T") is None  # type: ignore[arg-type]
    assert list(fold(*entries).things(Reader(CLOSED))) == []  # type: ignore[arg-type]
    assert [each.id for each in fold(*entries).things(Reader())] == ["T"]  # type: ignore[arg-type]


def test_the_bound_keeps_the_oldest_whatever_came_first() -> None:
    entries = [step(number) for number in range(STEPS_MAX + 3)]
    assert fold(*entries).snapshot() == fold(*reversed(entries)).snapshot()
    assert fold(*entries).left_out == 3


def test_a_paper_survives_the_journal_byte_for_byte() -> None:
    entry = step(1, "create", name="ä", deep={"list": [1, 2.5, None, True]})
    journal = MemoryJournal()
    journal.append([entry])
    kept = journal.read(0, 10)[0]
    assert kept.body == entry.body
    assert msgspec.json.decode(kept.body_bytes or b"")["kind"] == "paper"


TABLE = States(
    "task",
    "draft",
    (
        Move("issue", ("draft",), "issued", "who may order"),
        Move("start", ("issued",), "executing"),
        Move("done", ("executing",), "done"),
        Move("cancel", (ANY,), "cancelled"),
        Move("remark", (ANY, "done", "cancelled"), None),
    ),
    ("done", "cancelled"),
)


def test_a_table_says_what_may_follow() -> None:
    assert TABLE.check("draft", "issue") is None
    refused = TABLE.check("draft", "done")
    assert isinstance(refused, Refused)
    assert "task is draft" in str(refused.detail)
    assert "issue, cancel, remark" in str(refused.detail)
    assert TABLE.allowed("done") == ("remark",)
    assert TABLE.after("done", "cancel") is None
    assert TABLE.run(["issue", "done", "start", "remark", "done"]) == ("done", (1,))
    assert TABLE.states() == ("draft", "issued", "executing", "done", "cancelled")
    assert "| issue | draft | issued | who may order |" in TABLE.to_markdown()


@pytest.mark.parametrize("state", TABLE.states())
def test_what_is_allowed_can_be_done_and_nothing_else(state: str) -> None:
    for move in TABLE.moves:
        can = move.action in TABLE.allowed(state)
        assert (TABLE.check(state, move.action) is None) == can == (TABLE.after(state, move.action) is not None)
