"""The journal contract over both stores, and what SQLite's journal promises beyond it."""

import sqlite3
from itertools import count
from pathlib import Path

import msgspec
import pytest

from aquila.core.journal import Head, MemoryJournal, make_entry, verify_chain
from aquila.stores.sqlite import Snapshot, Snapshots, SqliteStore, SubjectKeys
from aquila.stores.sqlite.schema import transaction
from aquila.testing.stores import (
    START_MS,
    JournalStoreContract,
    MakeJournal,
    ids_of,
    make_chain,
    make_staged,
)


class TestMemoryJournal(JournalStoreContract):
    @pytest.fixture
    def make_journal(self) -> MakeJournal:
        return MemoryJournal


class TestSqliteJournal(JournalStoreContract):
    @pytest.fixture
    def make_journal(self, tmp_path: Path):
        numbers, stores = count(), []

        def make():
            # Fast on purpose: what reaches the disk is judged by the power-cut test.
            store = SqliteStore(tmp_path / f"{next(numbers)}.db")
            store.writing.execute("PRAGMA synchronous=OFF")
            stores.append(store)
            return store.journal

        yield make
        for store in stores:
            store.close()


@pytest.fixture
def store(tmp_path: Path):
    store = SqliteStore(tmp_path / "journal.db")
    yield store
    store.close()


def test_a_number_that_no_column_can_hold_is_refused(store: SqliteStore):
    entry = make_chain("a", 1)[0]
    for name in ("seq", "hlc", "epoch"):
        envelope = msgspec.structs.replace(entry.envelope, **{name: 1 << 63})
        with pytest.raises(ValueError, match="needed"):
            store.journal.append([msgspec.structs.replace(entry, envelope=envelope)])
    assert store.journal.append([entry])


def test_an_erased_body_leaves_the_chain_whole_and_no_trace_in_the_files(tmp_path: Path):
    store = SqliteStore(tmp_path / "journal.db")
    head, entries = Head(), []
    for number in range(1, 6):
        staged = make_staged(number, text=f"secret words {number}")
        entry, head = make_entry(staged, node="a", epoch=1, head=head)
        entries.append(entry)
    store.journal.append(entries)
    with transaction(store.writing):
        Snapshots(store.writing).put(Snapshot("log", 1, 3, b"", b"secret words 3"))
    assert store.journal.forget_body(entries[2].envelope.id)
    assert not store.journal.forget_body("nothing")
    with transaction(store.writing):
        Snapshots(store.writing).clear()
    read = store.journal.read(0, 10)
    assert (read[2].body_bytes, read[2].body, read[2].original, read[2].salt) == (
        None,
        None,
        None,
        b"",
    )
    assert verify_chain(read) == []
    assert list(store.journal.faults()) == []
    store.close()
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"secret words 2" in left
    assert b"secret words 3" not in left


def test_a_changed_body_and_a_changed_envelope_are_both_found(store: SqliteStore):
    store.journal.append(make_chain("a", 5))
    store.writing.execute("UPDATE entry SET body=x'00' WHERE seq=4")
    assert [(fault.seq, fault.what) for fault in store.journal.faults()] == [(4, "the body does not match its digest")]
    other = make_chain("b", 2)[1]
    store.writing.execute("UPDATE entry SET envelope=? WHERE seq=2", (other.envelope_bytes,))
    assert [fault.seq for fault in store.journal.faults()] == [2, 3, 4]


def test_the_tail_of_a_chain_verifies_from_where_it_begins(store: SqliteStore):
    store.journal.append(make_chain("a", 30))
    for length in (1, 7, 29, 30, 200):
        assert store.journal.tail_faults("a", 1, length) == []
    store.writing.execute("UPDATE entry SET body=x'00' WHERE seq=30")
    assert len(store.journal.tail_faults("a", 1, 1)) == 1


def test_lines_can_be_read_by_time_of_reception_and_from_the_newest(store: SqliteStore):
    store.journal.append(make_chain("a", 9))
    read = store.journal.received(START_MS + 3, START_MS + 6, 10)
    assert [entry.envelope.seq for entry in read] == [3, 4, 5]
    newest = [entry.arrival for entry in store.journal.newest(8, 3)]
    assert newest == [7, 6, 5]
    assert [e.arrival for e in store.journal.newest(8, 3, frozenset({"note"}))] == newest


def test_a_body_that_names_a_person_opens_only_with_all_their_keys(tmp_path: Path):
    keys = SubjectKeys(tmp_path / "subjects.db")
    store = SqliteStore(tmp_path / "journal.db", sealer=keys)
    staged = make_staged(1, text="blood group")
    staged = msgspec.structs.replace(staged, draft=msgspec.structs.replace(staged.draft, subjects=("p1", "p2")))
    entry, _ = make_entry(staged, node="a", epoch=1, head=Head(), sealer=keys)
    store.journal.append([entry])
    assert store.journal.read(0, 1)[0].body == staged.draft.body
    assert b"blood group" not in (entry.body_bytes or b"")
    assert keys.erase("p2")
    assert not keys.erase("p2")
    assert store.journal.read(0, 1)[0].body is None
    assert list(store.journal.faults()) == []
    with pytest.raises(ValueError, match="erased"):
        keys.seal(["p2"], b"x", bytes(16))
    assert keys.open(["p3"], b"x" * 64) is None
    keys.close()
    store.close()


def test_the_plan_of_every_read_uses_an_index(store: SqliteStore):
    plans = []
    store.journal.append(make_chain("a", 3))

    def note(statement: str) -> None:
        if statement.startswith("SELECT"):
            plans.append(statement)

    store.writing.set_trace_callback(note)
    journal = store.journal
    journal.read(0, 10)
    journal.read(0, 10, frozenset({"note"}))
    journal.received(0, 10, 10)
    journal.newest(10, 10)
    journal.entry("x")
    journal.head("a", 1)
    journal.last_arrival()
    journal.last_hlc()
    journal.known_ids(["x"])
    store.writing.set_trace_callback(None)
    assert len(plans) > 8
    for statement in plans:
        steps = store.writing.execute("EXPLAIN QUERY PLAN " + statement).fetchall()
        assert not [step[3] for step in steps if step[3] == "SCAN entry"], statement


def test_readers_cannot_write_and_do_not_see_half_a_batch(store: SqliteStore):
    with store.reader() as reading:
        store.journal.append(make_chain("a", 3))
        with pytest.raises(sqlite3.OperationalError):
            reading.connection.execute("DELETE FROM entry")
        first = reading.journal.last_arrival()
        store.journal.append(make_chain("b", 3))
        assert reading.journal.last_arrival() == first
    with store.reader() as reading:
        assert ids_of(reading.journal.read(3, 10)) == ids_of(make_chain("b", 3))
