"""Rules: proposed once per cause, under the label they name, by the node that hears it live, and by nobody later."""

from collections.abc import Iterable, Mapping

from aquila.app.parts import load_features
from aquila.core.codec import Decoded, Marking
from aquila.core.ids import derived_id, entity_id
from aquila.core.journal import Head, MemoryJournal, Staged, make_entry
from aquila.core.model import LOG_ROOM, Alias, Arrival, Entry, Note, Position, Principal, Report, Sample
from aquila.core.node import Identity, Node
from aquila.core.policy import DEFAULT_GROUP, Policy
from aquila.core.rule import Proposal, Rule
from aquila.core.view import View

GROUPS = frozenset({DEFAULT_GROUP})
DEVICE = Principal(id="listener:tcp", kind="listener", name="tcp", context="REAL", groups_in=GROUPS, groups_out=GROUPS)


def log_it(text: str, arrival: Entry | Sample) -> Proposal:
    label = arrival.label if isinstance(arrival, Sample) else arrival.envelope.label
    return Proposal(Note(room=LOG_ROOM, text=text, happened_at_ms=1), label)


def _noted(arrival: Arrival, views: Mapping[str, View]) -> Iterable[Proposal]:
    if isinstance(arrival, Entry) and isinstance(arrival.body, Note) and arrival.body.room != LOG_ROOM:
        yield log_it(f"heard {arrival.body.text}", arrival)
        yield log_it(f"counted {arrival.body.text}", arrival)


def _seen(arrival: Arrival, views: Mapping[str, View]) -> Iterable[Proposal]:
    if isinstance(arrival, Sample):
        yield log_it(f"seen {arrival.report.alias.value}", arrival)


def _chain(arrival: Arrival, views: Mapping[str, View]) -> Iterable[Proposal]:
    """Answers what the rule before it wrote, and then stops."""
    if isinstance(arrival, Entry) and isinstance(arrival.body, Note) and arrival.body.text.startswith("heard"):
        yield log_it("that was noted", arrival)


NOTED, SEEN, CHAIN = Rule("noted", 1, _noted), Rule("seen", 1, _seen, frozenset({"sample"})), Rule("chain", 1, _chain)


class Desk:
    """A node with its journal, in one process."""

    def __init__(self, *rules: Rule, node: str = "n") -> None:
        self.node = Node(
            Identity(node, 1, node),
            "REAL",
            Policy(),
            clock_ms=lambda: 1_790_000_000_000,
            new_id=iter(f"{node}-{number}" for number in range(1000)).__next__,
            salt=bytes,
            views={},
            rules=rules,
        )
        self.journal = MemoryJournal()
        self.head = Head()

    def hears(self, decoded: Decoded) -> list[Entry]:
        """What is in the journal because of it."""
        heard = self.node.hear(decoded, DEVICE, "tcp")
        if heard.sample is not None:
            return self.commit(self.node.sampled(heard.sample))
        return self.commit(heard.staged)

    def commit(self, staged: Iterable[Staged]) -> list[Entry]:
        written: list[Entry] = []
        for each in staged:
            entry, self.head = make_entry(each, node=self.node.identity.node, epoch=1, head=self.head)
            new = self.journal.append([entry])
            written += new
            written += self.commit(self.node.committed(new))
        return written


def chat(text: str = "hello") -> Decoded:
    note = Note(room="red", text=text, happened_at_ms=1, reference=text)
    return Decoded(note, text.encode(), Marking("RESTRICTED" if text == "marked" else None, (), ("ITA",)))


def position() -> Decoded:
    body = Report(
        entity=entity_id("cot", "U1"),
        alias=Alias("cot", "U1"),
        type="a-f-G-U-C",
        sidc="10031000001200000000",
        category="unit",
        observed_at_ms=1,
        how="m-g",
        own=True,
        position=Position(43.0, 76.9),
    )
    return Decoded(body, b"position")


def texts(entries: Iterable[Entry]) -> list[str]:
    return [entry.body.text for entry in entries if isinstance(entry.body, Note)]


def test_what_a_rule_proposes_is_written_after_its_cause_and_names_it() -> None:
    cause, first, second = Desk(NOTED).hears(chat())
    assert texts([first, second]) == ["heard hello", "counted hello"]
    for entry in (first, second):
        assert entry.envelope.cause == cause.envelope.id
        assert entry.envelope.via == "rule:noted"
        assert entry.envelope.author == "node:n"


def test_what_a_rule_writes_carries_the_label_that_it_proposed() -> None:
    cause, first, _ = Desk(NOTED).hears(chat())
    assert first.envelope.label == cause.envelope.label
    assert first.envelope.label.releasable_to == ("ITA",)


def test_the_id_comes_from_rule_version_cause_and_number_so_that_a_second_run_counts_once() -> None:
    desk = Desk(NOTED)
    cause, first, second = desk.hears(chat())
    assert first.envelope.id == derived_id("noted", 1, f"{cause.envelope.id}/0")
    assert second.envelope.id == derived_id("noted", 1, f"{cause.envelope.id}/1")
    assert desk.commit(desk.node.committed([cause])) == []


def test_a_second_node_writes_the_same_ids_and_a_new_version_of_the_rule_others() -> None:
    here, there = Desk(NOTED, node="a").hears(chat()), Desk(NOTED, node="b").hears(chat())
    newer = Desk(Rule("noted", 2, _noted)).hears(chat())
    ids = [[entry.envelope.id for entry in entries[1:]] for entries in (here, there, newer)]
    assert ids[0] == ids[1]
    assert not set(ids[0]) & set(ids[2])


def test_a_rule_may_answer_another_rule() -> None:
    written = Desk(NOTED, CHAIN).hears(chat())
    assert sorted(texts(written)) == ["counted hello", "heard hello", "hello", "that was noted"]
    by_text = {entry.body.text: entry for entry in written if isinstance(entry.body, Note)}
    assert by_text["that was noted"].envelope.cause == by_text["heard hello"].envelope.id


def test_a_rule_may_be_set_off_by_a_position_which_no_journal_holds() -> None:
    [written] = Desk(SEEN).hears(position())
    assert texts([written]) == ["seen U1"]
    assert written.envelope.cause is None


def test_no_rule_runs_on_what_is_old() -> None:
    written = Desk(NOTED, CHAIN).hears(chat())
    assert Desk(NOTED, CHAIN).node.committed(written, live=False) == []


def test_no_rule_runs_on_what_was_refused() -> None:
    desk = Desk(NOTED, SEEN)
    desk.hears(chat())
    desk.hears(position())
    assert desk.hears(chat()) == []
    assert desk.hears(position()) == []


def _names() -> list[tuple[str, int]]:
    return [(rule.name, rule.version) for feature in load_features() for rule in feature.rules]


def test_the_rules_of_all_features_have_names_of_their_own_and_versions_from_one() -> None:
    names = [name for name, _ in _names()]
    assert len(names) == len(set(names))
    assert all(version >= 1 for _, version in _names())


def test_the_rules_of_all_features_propose_the_same_for_the_same() -> None:
    [said] = Desk().hears(chat())
    views = {view.name: view for feature in load_features() for view in (make() for make in feature.views)}
    for rule in (rule for feature in load_features() for rule in feature.rules):
        assert list(rule.propose(said, views)) == list(rule.propose(said, views)), rule.name
