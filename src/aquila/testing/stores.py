"""The contract of a journal store, as tests. Subclass JournalStoreContract and give `make_journal`.

class TestOurJournal(JournalStoreContract):
    @pytest.fixture
    def make_journal(self):
        return OurJournal          # each call gives a new, empty one
"""

import hashlib
from collections.abc import Callable, Sequence
from random import Random

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aquila.core.journal import (
    Head,
    JournalStore,
    Staged,
    digest_matches,
    encode_body,
    make_entry,
    verify_chain,
)
from aquila.core.model import Draft, Entry, Label, Note, Original

MakeJournal = Callable[[], JournalStore]

LABEL = Label("NATO", "UNCLASSIFIED", ("ITA",), ("blue",))
START_MS = 1_700_000_000_000

_fast = settings(
    max_examples=40,
    deadline=None,
    # The factory makes a new journal for every example, and every subclass runs the same property
    # on purpose.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)


def make_staged(number: int, *, salt: bytes | None = None, text: str = "", node: str = "n") -> Staged:
    """A note that waits for its place in the chain; the same number gives the same bytes."""
    at_ms = START_MS + number
    body = Note(room="log", text=text or f"line {number}", happened_at_ms=at_ms)
    draft = Draft(
        body=body,
        author="person:operator",
        via="test",
        label=LABEL,
        context="REAL",
        happened_at_ms=at_ms,
        received_at_ms=at_ms,
        original=Original("cot-xml", b"<event/>") if number % 3 == 0 else None,
    )
    seed = hashlib.sha256(f"{node} {number}".encode())
    return Staged(
        draft=draft,
        id=f"{seed.hexdigest()[:8]}-0000-7000-8000-{number:012d}",
        hlc=at_ms << 16,
        salt=seed.digest()[:16] if salt is None else salt,
    )


def make_chain(node: str, count: int, epoch: int = 1) -> list[Entry]:
    """The first `count` lines of one origin."""
    head, entries = Head(), []
    for number in range(1, count + 1):
        entry, head = make_entry(make_staged(number, node=node), node=node, epoch=epoch, head=head)
        entries.append(entry)
    return entries


def ids_of(entries: Sequence[Entry]) -> list[str]:
    """Their ids, in order."""
    return [entry.envelope.id for entry in entries]


class JournalStoreContract:
    """What every journal store promises."""

    @pytest.fixture
    def make_journal(self) -> MakeJournal:
        """Gives what makes a new, empty journal."""
        raise NotImplementedError("give make_journal in the subclass")

    def test_an_empty_journal_is_empty(self, make_journal: MakeJournal) -> None:
        """Zero everywhere, and a head before the first line."""
        journal = make_journal()
        assert journal.read(0, 10) == []
        assert journal.head("a", 1) == Head()
        assert (journal.last_arrival(), journal.last_hlc()) == (0, 0)
        assert journal.entry("nothing") is None
        assert journal.append([]) == []

    def test_lines_come_back_as_they_were_written(self, make_journal: MakeJournal) -> None:
        """Bytes of envelope, salt, body and original exactly.

        Arrival numbers from 1 without gaps.
        """
        journal = make_journal()
        chain = make_chain("a", 7)
        given_back = journal.append(chain)
        read = journal.read(0, 100)
        assert [entry.arrival for entry in read] == list(range(1, 8))
        assert read == given_back
        for written, entry in zip(chain, read, strict=True):
            assert msgspec.structs.replace(entry, arrival=0) == written
            assert digest_matches(entry)
            assert journal.entry(written.envelope.id) == entry
        assert verify_chain(read) == []

    def test_the_head_is_the_last_line_of_its_origin(self, make_journal: MakeJournal) -> None:
        """Each node and epoch has a head of its own."""
        journal = make_journal()
        first, second = make_chain("a", 3), make_chain("b", 2, epoch=9)
        journal.append([*first, *second])
        assert journal.head("a", 1) == Head(3, hashlib.sha256(first[-1].envelope_bytes).digest())
        assert journal.head("b", 9) == Head(2, hashlib.sha256(second[-1].envelope_bytes).digest())
        assert journal.head("b", 1) == Head()
        assert journal.last_hlc() == first[-1].envelope.hlc

    def test_the_same_line_twice_is_one(self, make_journal: MakeJournal) -> None:
        """In one call and in two; only new ones are given back, and no arrival number is lost."""
        journal = make_journal()
        chain = make_chain("a", 4)
        assert ids_of(journal.append([chain[0], chain[0], chain[1]])) == ids_of(chain[:2])
        assert ids_of(journal.append(chain)) == ids_of(chain[2:])
        assert journal.append(chain) == []
        assert [entry.arrival for entry in journal.read(0, 10)] == [1, 2, 3, 4]

    def test_the_first_with_an_id_or_a_place_stays(self, make_journal: MakeJournal) -> None:
        """Other content under a known id, or at a known place, changes nothing."""
        journal = make_journal()
        original, _ = make_entry(make_staged(1), node="a", epoch=1, head=Head())
        same_id, _ = make_entry(make_staged(1, text="other"), node="b", epoch=1, head=Head())
        same_place, _ = make_entry(make_staged(2, text="other"), node="a", epoch=1, head=Head())
        journal.append([original])
        assert journal.append([same_id, same_place]) == []
        assert ids_of(journal.read(0, 10)) == [original.envelope.id]
        assert journal.read(0, 10)[0].body == original.body
        later, _ = make_entry(make_staged(3), node="d", epoch=1, head=Head())
        twin, _ = make_entry(make_staged(3), node="c", epoch=1, head=Head())
        assert journal.append([later, twin])[0].envelope.node == "d"
        assert journal.last_arrival() == 2

    def test_a_statement_of_two_nodes_counts_once_and_leaves_both_chains_whole(self, make_journal: MakeJournal) -> None:
        """The second line is a twin: kept for its chain, with its own bytes, and never read as an entry."""
        journal = make_journal()
        ours = make_chain("a", 3)
        staged = [make_staged(7, node="b"), make_staged(2, node="a", text="the same, heard elsewhere")]
        head, theirs = Head(), []
        for each in [*staged, make_staged(8, node="b")]:
            entry, head = make_entry(each, node="b", epoch=4, head=head)
            theirs.append(entry)
        journal.append(ours)
        assert ids_of(journal.append(theirs)) == [theirs[0].envelope.id, theirs[2].envelope.id]
        assert journal.append(theirs) == []
        assert sorted(journal.origins()) == [("a", 1), ("b", 4)]
        chain = journal.chain("b", 4, 0, 10)
        assert [msgspec.structs.replace(entry, arrival=0) for entry in chain] == theirs
        assert [entry.arrival for entry in chain] == [4, 0, 5]
        assert verify_chain(chain) == verify_chain(journal.chain("a", 1, 0, 10)) == []
        assert journal.chain("b", 4, 1, 1) == chain[1:2]
        assert journal.head("b", 4) == head
        assert [entry.envelope.node for entry in journal.read(0, 10)] == ["a", "a", "a", "b", "b"]
        found = journal.entry(theirs[1].envelope.id)
        assert found is not None
        assert found.envelope.node == "a"

    def test_a_stub_and_an_unknown_kind_are_kept(self, make_journal: MakeJournal) -> None:
        """A line without a body, and one that this program cannot read, come back untouched."""
        journal = make_journal()
        chain = make_chain("a", 1)
        stub = msgspec.structs.replace(chain[0], body_bytes=None, body=None, salt=b"", original=None)
        envelope = msgspec.structs.replace(chain[0].envelope, kind="from-the-future", id="f", seq=2, body_version=9)
        data = msgspec.msgpack.encode(envelope)
        strange = Entry(envelope=envelope, envelope_bytes=data, salt=b"s", body_bytes=b"\0?", body=None)
        journal.append([stub, strange])
        read = journal.read(0, 10)
        assert read[0].body_bytes is None
        assert (read[1].body, read[1].body_bytes, read[1].envelope_bytes) == (None, b"\0?", data)

    def test_kinds_choose_what_is_read(self, make_journal: MakeJournal) -> None:
        """A kind nobody wrote gives nothing; the limit counts what is given."""
        journal = make_journal()
        journal.append(make_chain("a", 5))
        assert journal.read(0, 10, frozenset({"report"})) == []
        assert journal.read(0, 10, frozenset()) == []
        read = journal.read(1, 2, frozenset({"note", "report"}))
        assert [entry.arrival for entry in read] == [2, 3]
        assert journal.read(0, 0) == []

    def test_the_newest_come_first_below_a_cursor(self, make_journal: MakeJournal) -> None:
        """The same entries as from the other end, by the same kinds."""
        journal = make_journal()
        journal.append(make_chain("a", 5))
        assert journal.newest(6, 10) == journal.read(0, 10)[::-1]
        assert [entry.arrival for entry in journal.newest(5, 2, frozenset({"note", "report"}))] == [4, 3]
        assert journal.newest(6, 10, frozenset({"report"})) == journal.newest(1, 10) == journal.newest(6, 0) == []

    @_fast
    @given(page=st.integers(1, 9), count=st.integers(0, 30), split=st.integers(0, 30))
    def test_a_cursor_gives_each_line_exactly_once(
        self, make_journal: MakeJournal, page: int, count: int, split: int
    ) -> None:
        """Also when lines are added while somebody reads."""
        journal = make_journal()
        chain = make_chain("a", count)
        journal.append(chain[:split])
        cursor, seen = 0, []
        rest = chain[split:]
        while entries := journal.read(cursor, page):
            seen += ids_of(entries)
            cursor = entries[-1].arrival
            journal.append(rest[:1])
            rest = rest[1:]
        journal.append(rest)
        seen += ids_of(journal.read(cursor, 1000))
        assert seen == ids_of(chain)

    @_fast
    @given(seed=st.integers(0, 1 << 32))
    def test_merges_in_any_order_and_number_give_the_same_set(self, make_journal: MakeJournal, seed: int) -> None:
        """Two journals that heard the same lines, shuffled and repeated, hold the same set."""
        lines = [*make_chain("a", 6), *make_chain("b", 5), *make_chain("c", 4, epoch=2)]
        dice = Random(seed)  # seeded on purpose
        journals = [make_journal(), make_journal()]
        for journal in journals:
            heard = lines * 2
            dice.shuffle(heard)
            while heard:
                cut = dice.randint(1, 5)
                journal.append(heard[:cut])
                heard = heard[cut:]
        one, two = ({e.envelope.id: e.envelope_bytes for e in j.read(0, 100)} for j in journals)
        assert one == two == {line.envelope.id: line.envelope_bytes for line in lines}
        for journal in journals:
            assert [entry.arrival for entry in journal.read(0, 100)] == list(range(1, len(lines) + 1))
            assert journal.head("a", 1) == journals[0].head("a", 1)
        assert encode_body(lines[0].body) == lines[0].body_bytes  # type: ignore[arg-type]  # a note
