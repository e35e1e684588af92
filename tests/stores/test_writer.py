"""Group commit: order, no gaps, nothing handed back before it is on the disk, failing disks."""

import queue
import sqlite3
import threading
from itertools import count
from pathlib import Path

import msgspec
import pytest

from aquila.core.errors import Refused
from aquila.core.journal import Staged, verify_chain
from aquila.core.model import Entry
from aquila.core.policy import Thinning
from aquila.stores.sqlite import (
    GroupWriter,
    Latest,
    Limits,
    Origin,
    Positions,
    RefusedError,
    Settled,
    Snapshot,
    Snapshots,
    SqliteStore,
    Tracks,
)
from aquila.stores.sqlite import positions as positions_module
from aquila.stores.sqlite.schema import connect
from aquila.testing.killing import kill_round
from aquila.testing.stores import LABEL, ids_of, make_chain, make_staged

ORIGIN = Origin("n", 7, True)


class Home:
    """Stands for the caller's loop: calls wait here until `run` runs them."""

    def __init__(self) -> None:
        self.calls: queue.SimpleQueue = queue.SimpleQueue()

    def deliver(self, call) -> None:
        self.calls.put(call)

    def run(self, calls: int = 1) -> None:
        for _ in range(calls):
            self.calls.get(timeout=30)()

    def run_until(self, is_done) -> None:
        while not is_done():
            self.run()


class FaultyConnection:
    """A connection whose commits fail while `broken` holds an error."""

    def __init__(self, connection: sqlite3.Connection, faults: dict) -> None:
        self._connection = connection
        self._faults = faults

    def execute(self, statement, *values):
        error = self._faults.get(statement.split(" ")[0])
        if error is not None:
            raise error
        return self._connection.execute(statement, *values)

    def __getattr__(self, name):
        return getattr(self._connection, name)


@pytest.fixture
def home() -> Home:
    return Home()


@pytest.fixture
def faults() -> dict:
    return {}


@pytest.fixture
def store(tmp_path: Path, faults: dict):
    store = SqliteStore(tmp_path / "journal.db", opener=lambda path: FaultyConnection(connect(path), faults))
    yield store
    store.close()


@pytest.fixture
def make_writer(store: SqliteStore, home: Home):
    writers = []

    def make(**more) -> GroupWriter:
        more.setdefault("deliver", home.deliver)
        writer = GroupWriter(store, ORIGIN, **more)
        writers.append(writer)
        return writer

    yield make
    for writer in writers:
        assert writer.stop()


def read_all(store: SqliteStore) -> list[Entry]:
    with store.reader() as reading:
        return reading.journal.read(0, 100_000)


def test_the_chain_follows_the_order_of_submission(store, home, make_writer):
    new: list[Entry] = []
    outcomes: list = []
    writer = make_writer(on_new=new.extend, limits=Limits(batch_max=7))
    for number in range(1, 101):
        assert writer.submit([make_staged(number)], outcomes.append)
    writer.start()
    home.run_until(lambda: len(outcomes) == 100)
    expected = [make_staged(number).id for number in range(1, 101)]
    assert ids_of(new) == [outcome.entries[0].envelope.id for outcome in outcomes] == expected
    assert [entry.arrival for entry in new] == [e.envelope.seq for e in new] == list(range(1, 101))
    read = read_all(store)
    assert read == new
    assert verify_chain(read) == []
    assert writer.head == store.journal.head("n", 7)
    assert writer.state.committed_count == 100
    assert writer.state.batch_count >= 15


def test_a_large_submission_is_told_in_pieces_and_answered_after_the_last(home, make_writer):
    told: list[int | str] = []
    writer = make_writer(on_new=lambda new: told.append(len(new)), limits=Limits(hand_over_max=4))
    assert writer.submit([make_staged(number) for number in range(1, 11)], lambda _: told.append("settled"))
    writer.start()
    home.run_until(lambda: "settled" in told)
    assert told == [4, 4, 2, "settled"]
    assert writer.state.batch_count == 1


def test_nothing_is_handed_back_before_another_connection_sees_it(store, make_writer):
    seen: list[bool] = []
    done = threading.Event()

    def check(outcome: Settled) -> None:
        ids = {entry.envelope.id for entry in read_all(store)}
        seen.append({entry.envelope.id for entry in outcome.entries} <= ids)
        if len(seen) == 20:
            done.set()

    writer = make_writer(deliver=lambda call: call())
    writer.start()
    for number in range(20):
        writer.submit([make_staged(number)], check)
    assert done.wait(30)
    assert all(seen)


def test_the_same_statement_twice_is_written_once_and_takes_one_number(store, home, make_writer):
    outcomes: list[Settled] = []
    writer = make_writer()
    one, two = make_staged(1), make_staged(2)
    writer.submit([one, one], outcomes.append)
    writer.submit([one, two], outcomes.append)
    writer.start()
    home.run_until(lambda: len(outcomes) == 2)
    writer.submit([two], outcomes.append)
    home.run_until(lambda: len(outcomes) == 3)
    assert [ids_of(outcome.entries) for outcome in outcomes] == [[one.id], [two.id], []]
    assert [outcome.known for outcome in outcomes] == [(one.id,), (one.id,), (two.id,)]
    assert [entry.envelope.seq for entry in read_all(store)] == [1, 2]


def test_a_draft_that_cannot_be_written_is_refused_alone(store, home, make_writer):
    outcomes: list = []
    writer = make_writer()
    named = make_staged(2)
    named = msgspec.structs.replace(named, draft=msgspec.structs.replace(named.draft, subjects=("p",)))
    writer.submit([make_staged(1)], outcomes.append)
    writer.submit([make_staged(3), named], outcomes.append)
    writer.submit([make_staged(4)], outcomes.append)
    writer.start()
    home.run_until(lambda: len(outcomes) == 3)
    assert isinstance(outcomes[1], Refused)
    assert outcomes[1].reason == "invalid"
    read = read_all(store)
    assert ids_of(read) == [make_staged(1).id, make_staged(4).id]
    assert verify_chain(read) == []


def test_merges_keep_their_place_and_never_touch_our_own_chain(store, home, make_writer):
    outcomes: list = []
    writer = make_writer()
    forged = make_chain("n", 3, epoch=7)
    writer.submit([make_staged(1, node="own")], outcomes.append)
    writer.merge(make_chain("b", 3), outcomes.append)
    writer.merge(forged, outcomes.append)
    writer.submit([make_staged(2, node="own"), make_staged(1, node="b")], outcomes.append)
    too_large = make_chain("c", 1)[0]
    too_large = msgspec.structs.replace(too_large, envelope=msgspec.structs.replace(too_large.envelope, hlc=1 << 70))
    writer.merge([too_large], outcomes.append)
    writer.start()
    home.run_until(lambda: len(outcomes) == 5)
    origins = [(e.envelope.node, e.envelope.seq, e.arrival) for e in read_all(store)]
    assert origins == [("n", 1, 1), ("b", 1, 2), ("b", 2, 3), ("b", 3, 4), ("n", 2, 5)]
    assert outcomes[2].entries == ()
    assert outcomes[3].known == (make_staged(1, node="b").id,)
    assert outcomes[4].reason == "invalid"
    assert list(store.journal.faults()) == []


def test_at_the_bound_submit_says_full_and_later_that_there_is_room(home, make_writer):
    room = []
    outcomes: list = []
    writer = make_writer(on_room=lambda: room.append(len(outcomes)), limits=Limits(waiting_max=10, batch_max=4))
    taken = [writer.submit([make_staged(n)], outcomes.append) for n in range(12)]
    assert taken == [True] * 10 + [False] * 2
    assert (writer.state.waiting, writer.state.waiting_bytes > 0) == (10, True)
    writer.start()
    home.run_until(lambda: len(outcomes) == 10 and room)
    assert len(room) == 1
    assert (writer.state.waiting, writer.state.waiting_bytes) == (0, 0)
    assert writer.submit([make_staged(10)])


def test_what_is_larger_than_the_bound_goes_in_alone(home, make_writer):
    outcomes: list = []
    writer = make_writer(limits=Limits(waiting_max=5, batch_max=3))
    assert writer.submit([make_staged(n) for n in range(20)], outcomes.append)
    assert not writer.submit([make_staged(99)])
    writer.start()
    home.run_until(lambda: outcomes)
    assert len(outcomes[0].entries) == 20


def test_stopping_writes_what_waits_and_takes_nothing_more(store, make_writer):
    writer = make_writer()
    for number in range(50):
        writer.submit([make_staged(number)])
    writer.start()
    assert writer.stop()
    assert len(read_all(store)) == 50
    assert not writer.submit([make_staged(51)])
    assert not writer.later(lambda _: None)
    assert not writer.state.running
    with pytest.raises(RefusedError, match="busy"):
        writer.ask([make_staged(52)]).result(1)


@pytest.mark.parametrize("where", ["COMMIT", "BEGIN"])
def test_a_failing_disk_refuses_and_recovers_by_itself_without_a_gap(store, home, make_writer, faults, where):
    outcomes: list = []
    troubles: list = []
    writer = make_writer(on_trouble=troubles.append, limits=Limits(probe_s=0.01))
    writer.start()
    writer.submit([make_staged(1)], outcomes.append)
    home.run_until(lambda: len(outcomes) == 1)
    before = writer.head
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR
    faults[where] = error
    for number in (2, 3):
        writer.submit([make_staged(number)], outcomes.append)
        home.run_until(lambda number=number: len(outcomes) == number)
    refused = outcomes[1:]
    assert [one.reason for one in refused] == ["storage_failed"] * 2
    assert "disk I/O error" in refused[0].detail
    assert (writer.head, writer.state.trouble) == (before, troubles[0])
    faults.clear()
    # Nobody submits anything: the writer finds out by itself.
    home.run_until(lambda: len(troubles) == 2)
    assert troubles[1] is writer.state.trouble is None
    writer.submit([make_staged(2), make_staged(3)], outcomes.append)
    home.run_until(lambda: len(outcomes) == 4)
    assert [entry.envelope.seq for entry in read_all(store)] == [1, 2, 3]
    assert list(store.journal.faults()) == []
    assert writer.state.refused_count == 2


def test_a_full_disk_is_named_as_such(store, home, make_writer, faults):
    outcomes: list = []
    writer = make_writer()
    writer.start()
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    faults["COMMIT"] = error
    writer.submit([make_staged(1)], outcomes.append)
    home.run_until(lambda: outcomes)
    assert outcomes[0].reason == "storage_full"
    faults.clear()


def test_what_the_tables_refuse_does_not_hurt_its_neighbours(store, home, make_writer, caplog):
    store.writing.execute(
        "CREATE TRIGGER poison BEFORE INSERT ON entry WHEN NEW.id LIKE '%000000000002'"
        " BEGIN SELECT RAISE(ABORT, 'poison'); END"
    )
    outcomes: list = []
    writer = make_writer()
    for number in (1, 2, 3):
        writer.submit([make_staged(number)], outcomes.append)
    writer.start()
    home.run_until(lambda: len(outcomes) == 3)
    assert [isinstance(outcome, Settled) for outcome in outcomes] == [True, False, True]
    assert [entry.envelope.seq for entry in read_all(store)] == [1, 2]
    assert list(store.journal.faults()) == []
    assert writer.state.fault_count == 1


def test_a_fault_of_ours_refuses_the_batch_and_the_thread_lives(store, home, make_writer, monkeypatch):
    outcomes: list = []
    writer = make_writer()
    writer.start()

    def broken(_entries) -> None:
        raise KeyError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(store.journal, "insert_new", broken)
        writer.submit([make_staged(1)], outcomes.append)
        home.run_until(lambda: len(outcomes) == 1)
    writer.submit([make_staged(1)], outcomes.append)
    home.run_until(lambda: len(outcomes) == 2)
    assert outcomes[0].reason == "internal"
    assert outcomes[1].entries[0].envelope.seq == 1


def test_a_closed_loop_does_not_stop_the_writing(store, make_writer, caplog):
    def closed(_call) -> None:
        raise RuntimeError("Event loop is closed")

    writer = make_writer(deliver=closed)
    writer.submit([make_staged(1)], lambda _: None)
    writer.start()
    assert writer.stop()
    assert len(read_all(store)) == 1


def test_side_work_waits_for_statements_and_its_failure_is_told(store, home, make_writer):
    order: list[str] = []
    told: list = []
    writer = make_writer()
    numbers = count()

    def step(connection: sqlite3.Connection) -> bool:
        order.append("step")
        if next(numbers) == 0:
            writer.submit([make_staged(1)], lambda _: None)
        return len(order) < 4

    def broken(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO label_class(context, label) VALUES('REAL', x'00')")
        connection.execute("INSERT INTO nowhere VALUES(1)")

    writer = make_writer(on_new=lambda _: order.append("statement"), deliver=lambda call: call())
    finished = threading.Event()
    writer.later(step, told.append)
    writer.later(broken, lambda refused: (told.append(refused), finished.set()))
    writer.start()
    assert finished.wait(30)
    assert order[:2] == ["step", "statement"]
    assert order.count("step") >= 3
    assert told[0] is None
    assert told[1].reason == "storage_failed"
    with store.reader() as reading:
        assert reading.label_classes() == {}


def test_side_work_has_its_turn_under_statements_without_a_gap(make_writer):
    order: list[str] = []
    finished = threading.Event()

    def say_next(new: list[Entry]) -> None:
        order.append("statement")
        number = new[-1].envelope.seq + 1
        if number <= 50:
            writer.submit([make_staged(number)])

    def step(_connection: sqlite3.Connection) -> bool:
        order.append("step")
        return order.count("step") < 3

    writer = make_writer(on_new=say_next, deliver=lambda call: call())
    writer.submit([make_staged(1)])
    writer.later(step, lambda _: finished.set())
    writer.start()
    assert finished.wait(30)
    assert order[:6] == ["statement", "step"] * 3


def test_positions_are_conflated_and_thinned_and_come_back(store, home, make_writer, monkeypatch):
    from aquila.core.model import Alias, Position, Report, Sample, Stamp

    def sample(entity: str, at_ms: int, lat: float) -> Sample:
        report = Report(
            entity=entity,
            alias=Alias("cot", entity),
            type="a-f-G",
            sidc="1" * 20,
            category="unit",
            observed_at_ms=at_ms,
            position=Position(lat, 0.0),
        )
        return Sample(
            report=report,
            stamp=Stamp(at_ms, "n", 7, 0),
            author="x",
            via="tcp",
            label=LABEL,
            context="REAL",
            received_at_ms=at_ms,
        )

    monkeypatch.setattr(positions_module, "ROWS_PER_STEP", 3)
    writer = make_writer()
    positions = Positions(writer, Thinning(moved_m=100.0, silent_ms=10_000))
    for at in range(10):
        for entity in ("a", "b", "c", "d"):
            positions.hear(sample(entity, at * 1000, at * 0.0005), at * 1000)
    flushed: list = []
    assert positions.flush(flushed.append)
    assert not positions.flush()
    positions.hear(sample("a", 99_000, 5.0), 99_000)
    writer.start()
    home.run_until(lambda: flushed)
    with store.reader() as reading:
        newest = {one.report.entity: one.received_at_ms for one in reading.latest.load()}
        kept = reading.tracks.of_entity("a", 0, 1 << 60).points
    assert newest == dict.fromkeys("abcd", 9000)
    assert [point.at_ms for point in kept] == [0, 2000, 4000, 6000, 8000]
    assert positions.flush(flushed.append)
    home.run_until(lambda: len(flushed) == 2)
    assert max(one.received_at_ms for one in Latest(store.writing).load()) == 99_000


def test_positions_that_the_disk_refuses_wait_and_newer_ones_win(store, home, make_writer, faults):
    from aquila.testing.killing import _sample

    writer = make_writer()
    writer.start()
    positions = Positions(writer)
    faults["COMMIT"] = sqlite3.OperationalError("disk I/O error")
    flushed: list = []
    positions.hear(_sample(1), 1)
    positions.flush(flushed.append)
    positions.hear(_sample(2), 200_000)
    home.run_until(lambda: flushed)
    assert flushed[0].reason == "storage_failed"
    faults.clear()
    positions.flush(flushed.append)
    home.run_until(lambda: len(flushed) == 2)
    assert [one.received_at_ms for one in Latest(store.writing).load()] == [2]
    assert len(Tracks(store.writing).of_entity("e", 0, 1 << 60).points) == 2


def test_erased_bodies_and_all_snapshots_are_gone_and_the_chain_is_whole(store, home, make_writer):
    writer = make_writer()
    told: list = []
    writer.start()
    writer.submit([make_staged(number) for number in range(1, 6)])
    writer.later(lambda c: Snapshots(c).put(Snapshot("log", 1, 1, b"", b"line 2")))
    assert writer.forget([make_staged(2).id, make_staged(4).id], told.append)
    home.run_until(lambda: told)
    assert told == [None]
    assert [entry.body is None for entry in read_all(store)] == [False, True, False, True, False]
    with store.reader() as reading:
        assert list(reading.journal.faults()) == []
        assert reading.snapshots.newest("log", 1) is None


def test_a_listener_that_fails_costs_nobody_else_their_confirmation(home, make_writer, caplog):
    told: list = []

    def broken(_heard) -> None:
        raise KeyError("a bug")

    writer = make_writer(on_new=broken)
    writer.submit([make_staged(1)], broken)
    writer.submit([make_staged(2)], told.append)
    writer.start()
    home.run_until(lambda: told)
    assert caplog.text.count("a listener to the journal failed") == 2


@pytest.mark.parametrize("rounds", [3, pytest.param(20, marks=pytest.mark.long)])
def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path, rounds: int):
    kept = 0
    for _ in range(rounds):
        judged = kill_round(tmp_path / "data", lines=150)
        assert judged.is_good, judged
        assert judged.acknowledged > 100
        assert judged.kept >= kept + judged.acknowledged
        kept = judged.kept
    store = SqliteStore(tmp_path / "data" / "journal.db")
    seqs = [row[0] for row in store.writing.execute("SELECT seq FROM entry ORDER BY arrival")]
    assert seqs == list(range(1, kept + 1))
    assert store.writing.execute("SELECT count(*) FROM origin").fetchone() == (1,)
    store.close()


def test_a_writer_that_does_not_start_has_written_nothing(make_writer, store):
    staged: list[Staged] = [make_staged(1)]
    writer = make_writer()
    assert writer.submit(staged)
    assert not writer.state.running
    assert read_all(store) == []
