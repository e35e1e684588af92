"""A writer that is killed in the middle of its work, and what must be there afterwards."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from time import time_ns

import msgspec

from aquila.core.journal import Staged
from aquila.core.model import Alias, Draft, Label, Note, Position, Report, Sample, Stamp
from aquila.stores.sqlite import (
    DataFolder,
    GroupWriter,
    Latest,
    Outcome,
    Positions,
    Settled,
    SqliteStore,
)

MACHINE = "the-same-machine"
STDOUT = 1
_LABEL = Label("NATO", "UNCLASSIFIED", ("ITA",), ("blue",))


class Round(msgspec.Struct, frozen=True):
    """What one kill left: every figure but the first three must be 0.

    Attributes:
        acknowledged, kept: statements that the killed writer had confirmed; lines in the journal.
        latest: number of the last position whose flush was confirmed.
        lost: acknowledged, but not there. twice: there more than once. faults: in chain or bodies.
        latest_lost: 1 when the kept position is older than the last confirmed flush.
    """

    acknowledged: int
    kept: int
    latest: int
    lost: int
    twice: int
    faults: int
    latest_lost: int

    @property
    def is_good(self) -> bool:
        """Was nothing acknowledged lost?"""
        return not (self.lost or self.twice or self.faults or self.latest_lost)


def write_until_killed(data: Path) -> None:
    """Write notes and positions as fast as they are confirmed.

    Say on standard output what was confirmed.
    """
    folder = DataFolder(data, machine=MACHINE)
    store = SqliteStore(folder.journal_path)
    origin = store.claim(folder.mark, new_node=lambda: "killed", now_ms=1)

    def say(line: list[str]) -> None:
        os.write(STDOUT, msgspec.json.encode(line) + b"\n")

    def confirmed(outcome: Outcome) -> None:
        if isinstance(outcome, Settled):
            say([entry.envelope.id for entry in outcome.entries])

    writer = GroupWriter(store, origin, deliver=lambda call: call())
    writer.start()
    positions = Positions(writer)
    number = store.journal.last_arrival()
    while True:
        burst = [_staged(number + step) for step in range(1, 21)]
        number += 20
        future = writer.ask(burst[:7])
        writer.submit(burst[7:], confirmed)
        positions.hear(_sample(number), number)
        positions.flush(lambda _, at=number: say(["latest", str(at)]))  # type: ignore[misc]
        confirmed(future.result())


def kill_round(data: Path, lines: int) -> Round:
    """Start a writer on this folder, kill -9 it after so many confirmations, judge what is left."""
    command = "import sys, pathlib; from aquila.testing.killing import write_until_killed as w;"
    writer = subprocess.Popen(  # our own interpreter and words
        [sys.executable, "-c", command + "w(pathlib.Path(sys.argv[1]))", str(data)],
        stdout=subprocess.PIPE,
    )
    assert writer.stdout is not None
    said: list[bytes] = []
    try:
        while len(said) < lines and (line := writer.stdout.readline()):
            said.append(line)
    finally:
        writer.send_signal(signal.SIGKILL)
    # What it said before it died counts; a line cut short was not said.
    said += [line for line in writer.stdout if line.endswith(b"\n")]
    writer.stdout.close()
    writer.wait()
    return _judge(data, [msgspec.json.decode(line, type=list[str]) for line in said])


def _judge(data: Path, said: list[list[str]]) -> Round:
    acknowledged = {one for line in said if line[0] != "latest" for one in line}
    latest = max((int(line[1]) for line in said if line[0] == "latest"), default=0)
    with DataFolder(data, machine=MACHINE) as folder:
        store = SqliteStore(folder.journal_path)
        ids = [row[0] for row in store.writing.execute("SELECT id FROM entry")]
        samples = Latest(store.writing).load()
        judged = Round(
            acknowledged=len(acknowledged),
            kept=len(ids),
            latest=latest,
            lost=len(acknowledged - set(ids)),
            twice=len(ids) - len(set(ids)),
            faults=len(list(store.journal.faults())),
            latest_lost=int(latest > max((one.received_at_ms for one in samples), default=0)),
        )
        store.close()
    return judged


def _staged(number: int) -> Staged:
    now_ms = time_ns() // 1_000_000
    draft = Draft(
        body=Note(room="log", text=f"line {number} " + "x" * 200, happened_at_ms=now_ms),
        author="person:operator",
        via="test",
        label=_LABEL,
        context="REAL",
        happened_at_ms=now_ms,
        received_at_ms=now_ms,
    )
    return Staged(draft=draft, id=os.urandom(16).hex(), hlc=now_ms << 16, salt=os.urandom(16))


def _sample(number: int) -> Sample:
    report = Report(
        entity="e",
        alias=Alias("cot", "e"),
        type="a-f-G",
        sidc="10031000000000000000",
        category="unit",
        observed_at_ms=number,
        position=Position(42.0, 76.0),
    )
    return Sample(
        report=report,
        stamp=Stamp(number, "killed", 1, 0),
        author="device:e",
        via="test",
        label=_LABEL,
        context="REAL",
        received_at_ms=number,
    )
