"""Group commit: one thread that stamps, commits and only then hands back, a batch at a time.

Order. Statements get their place in the chain in the order of `submit`. The thread takes all that
waits, stamps it after the head that is on the disk, commits with FULL and hands the whole batch
back in one call. Side work takes turns with the batches, so that a load of statements without a
gap does not keep positions from the disk. When the commit fails, nothing was stamped: the head is
what it was, every draft of the batch is refused with the reason, and no number is missing.
"""

import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import nullcontext
from threading import Condition, Thread
from typing import TypeVar

import msgspec

from aquila.core.errors import AquilaError, Refused
from aquila.core.journal import Head, Staged, make_entry
from aquila.core.model import Entry
from aquila.stores.sqlite.schema import transaction
from aquila.stores.sqlite.snapshots import Snapshots
from aquila.stores.sqlite.store import Origin, SqliteStore

log = logging.getLogger(__name__)

_Heard = TypeVar("_Heard")


class Limits(msgspec.Struct, frozen=True):
    """Bounds of the writer.

    Attributes:
        gather_s: how long the first of a batch waits for others. batch_max: statements in one
            commit, but for one submission that has more.
        hand_over_max: entries told at once, so that a large submission does not hold up its caller's thread.
        waiting_max, waiting_max_bytes: at this bound `submit` says False and the links stop
            reading.
        steps_max: side work that may wait. probe_s: how often a failing disk is tried when nothing
            is submitted.
    """

    gather_s: float = 0.005
    batch_max: int = 1_000
    hand_over_max: int = 250
    waiting_max: int = 20_000
    waiting_max_bytes: int = 64 << 20
    steps_max: int = 256
    probe_s: float = 1.0


class Settled(msgspec.Struct, frozen=True):
    """What became of one submission, after the commit.

    Attributes:
        entries: the new lines. known: ids that the journal had already; they count once and are not
            written again.
    """

    entries: tuple[Entry, ...]
    known: tuple[str, ...] = ()


Outcome = Settled | Refused
Done = Callable[[Outcome], None]
Deliver = Callable[[Callable[[], None]], None]
"""Runs a call where the caller lives, for instance loop.call_soon_threadsafe.

In tests: run it at once.
"""
Step = Callable[[sqlite3.Connection], bool | None]
"""Side work: one short transaction.

True = there is more, call again after the next batch of statements, or at once when none waits.
"""
StepDone = Callable[[Refused | None], None]


class WriterState(msgspec.Struct, frozen=True):
    """How the writer does, for /healthz, /metrics and the page.

    `trouble` None = statements are accepted.
    """

    running: bool
    trouble: Refused | None
    waiting: int
    waiting_bytes: int
    steps_waiting: int
    committed_count: int
    known_count: int
    refused_count: int
    batch_count: int
    failed_batch_count: int
    step_failed_count: int
    fault_count: int


class RefusedError(AquilaError):
    """A Refused as an exception, for callers that wait for a future."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(f"{refused.reason}: {refused.detail}")
        self.refused = refused


class _Write(msgspec.Struct):
    staged: Sequence[Staged]
    merged: Sequence[Entry]
    done: Done | None
    cost_bytes: int
    entries: list[Entry] = []
    known: list[str] = []
    refused: Refused | None = None

    @property
    def count(self) -> int:
        return max(1, len(self.staged) + len(self.merged))


class _Step(msgspec.Struct, frozen=True):
    """Side work; `is_bare` = it makes its own transactions."""

    call: Step
    done: StepDone | None = None
    is_bare: bool = False


class GroupWriter:
    """The single writer of a store.

    Calls of `submit` and `merge` come from one thread; so does their order.

    Args:
        store: its writing connection belongs to this thread from `start` to `stop`.
        origin: node and epoch that drafts are stamped with.
        deliver: brings a call home to the caller's thread.
        on_new: hears every committed entry once, in order of arrival, before the submitters' own
            `done`.
        on_room: called after `submit` had said False, when half of the bound is free again.
        on_trouble: called when the disk begins to fail (Refused) and when it works again (None).
    """

    def __init__(
        self,
        store: SqliteStore,
        origin: Origin,
        *,
        deliver: Deliver,
        on_new: Callable[[list[Entry]], None] | None = None,
        on_room: Callable[[], None] | None = None,
        on_trouble: Callable[[Refused | None], None] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._store = store
        self._connection = store.writing
        self._journal = store.journal
        self._origin = origin
        self._deliver = deliver
        self._on_new = on_new
        self._on_room = on_room
        self._on_trouble = on_trouble
        self._limits = limits or Limits()
        self._head = self._journal.head(origin.node, origin.epoch)
        self._changed = Condition()
        self._writes: deque[_Write] = deque()
        self._steps: deque[_Step] = deque()
        self._waiting = 0
        self._waiting_bytes = 0
        self._was_full = False
        self._stopping = False
        self._thread: Thread | None = None
        self._trouble: Refused | None = None
        self._counts = dict.fromkeys(
            ("committed", "known", "refused", "batch", "failed_batch", "step_failed", "fault"), 0
        )

    # The caller's side.

    def start(self) -> None:
        """Begin to write, after the head that is on the disk now."""
        self._head = self._journal.head(self._origin.node, self._origin.epoch)
        self._thread = Thread(target=self._work, name="journal-writer", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 30.0) -> bool:
        """Write all that waits, then end. False = it did not end in time."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def submit(self, staged: Sequence[Staged], done: Done | None = None) -> bool:
        """Have these drafts written, all or none of them.

        False = full (or stopped): nothing was taken, stop reading.

        `done` is called through `deliver`, once, after the commit.
        """
        cost = sum(512 + (len(one.draft.original.data) if one.draft.original else 0) for one in staged)
        return self._put(_Write(staged, (), done, cost, [], []))

    def merge(self, entries: Sequence[Entry], done: Done | None = None) -> bool:
        """Have entries of other origins kept as they are.

        This origin's own are left out: nobody else writes for it.
        """
        cost = sum(512 + len(one.envelope_bytes) + len(one.body_bytes or b"") for one in entries)
        return self._put(_Write((), entries, done, cost, [], []))

    def ask(self, staged: Sequence[Staged]) -> "Future[Settled]":
        """As `submit`, with a future that raises RefusedError."""
        future: Future[Settled] = Future()
        # Running from the start, so that nobody can cancel what may be on the disk already.
        future.set_running_or_notify_cancel()

        def settle(outcome: Outcome) -> None:
            if isinstance(outcome, Refused):
                future.set_exception(RefusedError(outcome))
            else:
                future.set_result(outcome)

        if not self.submit(staged, settle):
            settle(Refused("busy", "the journal's writer has no room, or is stopped: try again in a second"))
        return future

    def later(self, step: Step, done: StepDone | None = None) -> bool:
        """Have side work done between the statements, in a transaction of its own.

        False = too much waits.
        """
        return self._put_step(_Step(step, done))

    def forget(self, entry_ids: Sequence[str], done: StepDone | None = None) -> bool:
        """Have the bodies of these entries erased, and all snapshots with them.

        False = too much waits.
        """
        ids = list(entry_ids)

        def erase(_connection: sqlite3.Connection) -> bool:
            if ids:
                self._journal.forget_body(ids[-1])
                ids.pop()
            return bool(ids)

        def clear(connection: sqlite3.Connection) -> None:
            Snapshots(connection).clear()

        return self._put_step(_Step(clear)) and self._put_step(_Step(erase, done, is_bare=True))

    @property
    def head(self) -> Head:
        """Where this origin's chain ends on the disk."""
        return self._head

    @property
    def state(self) -> WriterState:
        """How it does, at this moment."""
        counts = self._counts
        return WriterState(
            running=self._thread is not None and self._thread.is_alive() and not self._stopping,
            trouble=self._trouble,
            waiting=self._waiting,
            waiting_bytes=self._waiting_bytes,
            steps_waiting=len(self._steps),
            committed_count=counts["committed"],
            known_count=counts["known"],
            refused_count=counts["refused"],
            batch_count=counts["batch"],
            failed_batch_count=counts["failed_batch"],
            step_failed_count=counts["step_failed"],
            fault_count=counts["fault"],
        )

    def _put_step(self, step: _Step) -> bool:
        with self._changed:
            if self._stopping or len(self._steps) >= self._limits.steps_max:
                return False
            self._steps.append(step)
            self._changed.notify()
        return True

    def _put(self, write: _Write) -> bool:
        limits = self._limits
        with self._changed:
            full = (
                self._waiting + write.count > limits.waiting_max
                or self._waiting_bytes + write.cost_bytes > limits.waiting_max_bytes
            )
            # Something larger than the whole bound still goes in when nothing waits: else it would
            # never go.
            if self._stopping or (full and self._waiting > 0):
                self._was_full = True
                return False
            self._writes.append(write)
            before = self._waiting
            self._waiting += write.count
            self._waiting_bytes += write.cost_bytes
            # Woken only when it matters: at the first of a batch and when a batch is full.
            if before == 0 or before < limits.batch_max <= self._waiting:
                self._changed.notify()
        return True

    # The thread's side.

    def _work(self) -> None:
        step_first = False
        while True:
            batch, step, ending, has_room = self._next(step_first=step_first)
            step_first = bool(batch)
            if has_room and self._on_room is not None:
                self._home(self._on_room)
            if batch:
                self._write_batch(batch)
            elif step is not None:
                self._run_step(step)
            elif ending:
                return
            else:
                self._probe()

    def _next(self, *, step_first: bool) -> tuple[list[_Write], _Step | None, bool, bool]:
        """What to do now: a batch of statements, else a step, else the end, else a probe.

        step_first: a batch was written just now, so a step that waits has its turn.
        """
        limits = self._limits
        with self._changed:
            if step_first and self._steps:
                return [], self._steps.popleft(), self._stopping, False
            if not self._writes and not self._steps and not self._stopping:
                self._changed.wait_for(
                    lambda: self._writes or self._steps or self._stopping,
                    timeout=None if self._trouble is None else limits.probe_s,
                )
            if self._writes and self._waiting < limits.batch_max and not self._stopping:
                self._changed.wait_for(
                    lambda: self._waiting >= limits.batch_max or self._stopping,
                    timeout=limits.gather_s,
                )
            batch: list[_Write] = []
            count = 0
            while self._writes and (not batch or count + self._writes[0].count <= limits.batch_max):
                write = self._writes.popleft()
                batch.append(write)
                count += write.count
                self._waiting_bytes -= write.cost_bytes
            self._waiting -= count
            has_room = self._was_full and self._waiting <= limits.waiting_max // 2
            if has_room:
                self._was_full = False
            step = self._steps.popleft() if not batch and self._steps else None
            return batch, step, self._stopping, has_room

    def _write_batch(self, batch: list[_Write]) -> None:
        try:
            self._commit(batch)
        except sqlite3.IntegrityError:
            # One submission breaks a promise that the tables keep; the others must not pay for it.
            self._forget(batch)
            if len(batch) > 1:
                for write in batch:
                    self._write_batch([write])
                return
            log.exception("statement refused by the tables")
            self._counts["fault"] += 1
            batch[0].refused = Refused("internal", "the journal's tables refuse this statement")
        except sqlite3.Error as error:
            self._forget(batch)
            self._fail(error)
            for write in batch:
                write.refused = self._trouble
        except Exception:  # the thread's boundary: a bug must refuse this batch, not stop the journal
            log.exception("batch refused count=%s", len(batch))
            self._forget(batch)
            self._counts["fault"] += 1
            for write in batch:
                write.refused = Refused("internal", "an internal fault; see the node's log")
        else:
            self._recovered()
        self._hand_over(batch)

    def _commit(self, batch: list[_Write]) -> None:
        head = self._head
        with transaction(self._connection):
            known = self._journal.known_ids(one.id for write in batch for one in write.staged)
            stamped: list[_Write] = []
            for write in batch:
                if write.merged:
                    # What was submitted before a merge arrives before it.
                    self._insert(stamped)
                    stamped = []
                    self._merge(write)
                    known.update(entry.envelope.id for entry in write.entries)
                else:
                    head = self._stamp(write, head, known)
                    stamped.append(write)
            self._insert(stamped)
        self._head = head
        self._counts["batch"] += 1

    def _stamp(self, write: _Write, head: Head, known: set[str]) -> Head:
        """Make lines of the drafts that are new.

        A submission that cannot be written is refused whole.
        """
        start, own = head, set[str]()
        for staged in write.staged:
            if staged.id in known or staged.id in own:
                write.known.append(staged.id)
                continue
            try:
                entry, head = make_entry(
                    staged,
                    node=self._origin.node,
                    epoch=self._origin.epoch,
                    head=head,
                    sealer=self._store.sealer,
                )
            except (ValueError, TypeError, OverflowError) as error:
                write.refused = Refused("invalid", str(error))
                write.entries.clear()
                write.known.clear()
                return start
            own.add(staged.id)
            write.entries.append(entry)
        known |= own
        return head

    def _insert(self, stamped: list[_Write]) -> None:
        new = self._journal.insert_new([entry for write in stamped for entry in write.entries])
        at = 0
        for write in stamped:
            count = len(write.entries)
            write.entries = new[at : at + count]
            at += count

    def _merge(self, write: _Write) -> None:
        own = (self._origin.node, self._origin.epoch)
        foreign = [one for one in write.merged if (one.envelope.node, one.envelope.epoch) != own]
        try:
            write.entries = self._journal.insert(foreign)
        except ValueError as error:
            write.refused = Refused("invalid", str(error))
            return
        new = {one.envelope.id for one in write.entries}
        write.known = [one.envelope.id for one in write.merged if one.envelope.id not in new]

    def _forget(self, batch: list[_Write]) -> None:
        """Nothing of this batch is on the disk: take back what was noted. The head never moved."""
        for write in batch:
            write.entries, write.known, write.refused = [], [], None

    def _hand_over(self, batch: list[_Write]) -> None:
        new: list[Entry] = []
        calls: list[tuple[Done, Outcome]] = []
        for write in batch:
            if write.refused is not None:
                self._counts["refused"] += write.count
                outcome: Outcome = write.refused
            else:
                new.extend(write.entries)
                self._counts["known"] += len(write.known)
                outcome = Settled(tuple(write.entries), tuple(write.known))
            if write.done is not None:
                calls.append((write.done, outcome))
        self._counts["committed"] += len(new)
        new.sort(key=_arrival)
        size = self._limits.hand_over_max
        # Who waits for a submission hears of it when all of it was told.
        last = max(0, len(new) - 1) // size * size
        for start in range(0, last, size):
            self._home(_HandOver(self._on_new, new[start : start + size], []))
        if new or calls:
            self._home(_HandOver(self._on_new if new else None, new[last:], calls))

    def _run_step(self, step: _Step) -> None:
        refused: Refused | None = None
        again: bool | None = False
        try:
            with nullcontext() if step.is_bare else transaction(self._connection):
                again = step.call(self._connection)
        except sqlite3.Error as error:
            self._fail(error)
            refused = self._trouble
        except Exception:  # the thread's boundary
            log.exception("side work failed")
            self._counts["fault"] += 1
            refused = Refused("internal", "an internal fault; see the node's log")
        else:
            self._recovered()
        if refused is not None:
            self._counts["step_failed"] += 1
        elif again:
            with self._changed:
                self._steps.appendleft(step)
            return
        if step.done is not None:
            self._home(_StepOver(step.done, refused))

    def _probe(self) -> None:
        """Does the disk work again? A small commit says so."""
        try:
            with transaction(self._connection):
                self._connection.execute("INSERT OR REPLACE INTO meta(key, value) VALUES('probe', zeroblob(65536))")
            with transaction(self._connection):
                self._connection.execute("DELETE FROM meta WHERE key='probe'")
        except sqlite3.Error as error:
            self._fail(error)
        else:
            self._recovered()

    def _fail(self, error: sqlite3.Error) -> None:
        trouble = _trouble_of(error, str(self._store.path))
        self._counts["failed_batch"] += 1
        if self._trouble is None:
            log.error("journal cannot be written reason=%s error=%s", trouble.reason, error)
            self._tell(trouble)
        self._trouble = trouble

    def _recovered(self) -> None:
        if self._trouble is not None:
            self._trouble = None
            log.warning("journal can be written again")
            self._tell(None)

    def _tell(self, trouble: Refused | None) -> None:
        on_trouble = self._on_trouble
        if on_trouble is not None:
            self._home(lambda: on_trouble(trouble))

    def _home(self, call: Callable[[], None]) -> None:
        try:
            self._deliver(call)
        except RuntimeError:
            # A closed loop: what was committed is in the journal; there is nobody left to tell.
            log.warning("the caller's loop is gone; a hand-over was dropped")


class _HandOver:
    """One call for a batch, or the last piece of it: the listener first, then everybody who waits."""

    def __init__(
        self,
        on_new: Callable[[list[Entry]], None] | None,
        new: list[Entry],
        calls: list[tuple[Done, Outcome]],
    ) -> None:
        self._on_new = on_new
        self._new = new
        self._calls = calls

    def __call__(self) -> None:
        if self._on_new is not None:
            _call(self._on_new, self._new)
        for done, outcome in self._calls:
            _call(done, outcome)


class _StepOver:
    def __init__(self, done: StepDone, refused: Refused | None) -> None:
        self._done = done
        self._refused = refused

    def __call__(self) -> None:
        self._done(self._refused)


def _call(listener: Callable[[_Heard], None], heard: _Heard) -> None:
    """Tell one listener; its fault must not cost the others their confirmations."""
    try:
        listener(heard)
    except Exception:  # the boundary between the writer and who listens to it
        log.exception("a listener to the journal failed")


def _arrival(entry: Entry) -> int:
    return entry.arrival


def _trouble_of(error: sqlite3.Error, path: str) -> Refused:
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_FULL:
        return Refused(
            "storage_full",
            f"the disk of {path} is full: statements are refused and nothing acknowledged is lost;"
            " free some space, writing goes on by itself",
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Refused(
            "storage_busy",
            f"another program holds {path} ({error}): close it, writing goes on by itself",
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return Refused("storage_damaged", f"{path} is damaged ({error}): stop the node and restore a backup")
    return Refused(
        "storage_failed",
        f"{path} cannot be written ({error}): statements are refused; check disk and mount, writing goes on by itself",
    )
