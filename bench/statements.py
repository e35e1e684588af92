"""How fast statements become durable: flat out, at a steady 2,000/s, and what kill -9 leaves.

    python bench/statements.py [--json FILE] [--seconds 10] [--count 200000] [--kill] [--data DIR]

Everything runs as in the product: an asyncio loop submits one statement at a time to the
GroupWriter, SQLite commits with synchronous=FULL, the batch comes back through
call_soon_threadsafe. `--data` names a folder on the disk to be measured; a tmpfs would make any
figure meaningless.
"""

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from aquila.core.journal import Staged
from aquila.core.model import Alias, Draft, Label, Note, Position, Report, Sample, Stamp
from aquila.stores.sqlite import GroupWriter, Limits, Origin, Positions, Settled, SqliteStore
from aquila.testing.killing import kill_round

LABEL = Label("NATO", "UNCLASSIFIED", ("ITA", "FRA", "KAZ"), ("blue",))
FLAT_OUT_PER_S_MIN = 20_000
P99_MS_MAX = 100.0
STEADY_PER_S = 2_000
KILL_ROUNDS = 20


def staged(count: int) -> Iterator[Staged]:
    """Notes with an envelope and a body of about 300 B each."""
    for number in range(count):
        now_ms = time.time_ns() // 1_000_000
        draft = Draft(
            body=Note(room="All Chat Rooms", text=f"{number:>8} " + "x" * 200, happened_at_ms=now_ms),
            author="device:PATROL1",
            via="tls:8089",
            label=LABEL,
            context="EXERCISE:BENCH",
            happened_at_ms=now_ms,
            received_at_ms=now_ms,
        )
        yield Staged(draft=draft, id=uuid_text(), hlc=now_ms << 16, salt=os.urandom(16))


def uuid_text() -> str:
    """A random id, as of a derived one."""
    raw = os.urandom(16).hex()
    return f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}"


class Bed:
    """A store and its writer in a new folder, on the running loop."""

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        self.room = asyncio.Event()
        self.store = SqliteStore(folder / "journal.db")
        loop = asyncio.get_running_loop()
        self.writer = GroupWriter(
            self.store,
            Origin("bench", 1, True),
            deliver=loop.call_soon_threadsafe,
            on_room=self.room.set,
            limits=limits,
        )
        self.writer.start()

    def close(self) -> None:
        """Stop and close."""
        self.writer.stop()
        self.store.close()


async def flat_out(folder: Path, count: int) -> dict[str, float]:
    """Submit as fast as the writer takes them; entries per second until the last is confirmed."""
    bed = Bed(folder)
    waiting = list(staged(count))
    settled = 0
    finished = asyncio.Event()

    def done(outcome: object) -> None:
        nonlocal settled
        assert isinstance(outcome, Settled), outcome
        settled += 1
        if settled == count:
            finished.set()

    start, cpu = time.perf_counter(), time.process_time()
    for number, one in enumerate(waiting):
        while not bed.writer.submit([one], done):
            bed.room.clear()
            await bed.room.wait()
        if number % 200 == 0:
            await asyncio.sleep(0)
    await asyncio.wait_for(finished.wait(), 300)
    took_s = time.perf_counter() - start
    cpu_s = time.process_time() - cpu
    entry = bed.store.journal.read(count - 1, 1)[0]
    batches = bed.writer.state.batch_count
    bed.close()
    return {
        "per_s": count / took_s,
        "cpu_us": cpu_s / count * 1e6,
        "batch": count / batches,
        "envelope_bytes": len(entry.envelope_bytes),
        "body_bytes": len(entry.body_bytes or b""),
    }


async def steady(folder: Path, seconds: float, positions_per_s: int) -> dict[str, float]:
    """Submit 2,000/s, one by one; time from `submit` to `done` in the loop."""
    bed = Bed(folder)
    positions = Positions(bed.writer)
    total = int(seconds * STEADY_PER_S)
    waiting = staged(total)
    took_ms: list[float] = []
    finished = asyncio.Event()

    def submit(one: Staged) -> None:
        at = time.perf_counter()

        def done(outcome: object) -> None:
            assert isinstance(outcome, Settled), outcome
            took_ms.append((time.perf_counter() - at) * 1e3)
            if len(took_ms) == total:
                finished.set()

        assert bed.writer.submit([one], done)

    loop = asyncio.get_running_loop()
    start = loop.time()
    step_s = 0.002
    for step in range(int(seconds / step_s)):
        await asyncio.sleep(max(0.0, start + step * step_s - loop.time()))
        for _ in range(int(STEADY_PER_S * step_s)):
            submit(next(waiting))
        if positions_per_s and step % 500 == 0:
            for number in range(positions_per_s):
                positions.hear(sample(number, step), step * 60_000)
            positions.flush()
    await asyncio.wait_for(finished.wait(), 60)
    cpu = bed.writer.state.batch_count
    bed.close()
    took_ms.sort()
    return {
        "p50_ms": took_ms[len(took_ms) // 2],
        "p99_ms": took_ms[int(len(took_ms) * 0.99)],
        "max_ms": took_ms[-1],
        "batches_per_s": cpu / seconds,
    }


def sample(number: int, step: int) -> Sample:
    """A position of one of many entities."""
    name = f"ANDROID-{number:06}"
    report = Report(
        entity=name,
        alias=Alias("cot", name),
        type="a-f-G-U-C",
        sidc="10031000001211000000",
        category="unit",
        observed_at_ms=step,
        position=Position(42.0 + number % 100 / 50, 76.0 + step / 1e4, 1200.0),
    )
    return Sample(
        report=report,
        stamp=Stamp(step, "bench", 1, 0),
        author="device:x",
        via="tls",
        label=LABEL,
        context="EXERCISE:BENCH",
        received_at_ms=step,
    )


def kill_rounds(folder: Path, rounds: int) -> dict[str, int]:
    """kill -9 in the middle of work, again and again on one folder."""
    sums = dict.fromkeys(("acknowledged", "lost", "twice", "faults", "latest_lost"), 0)
    for number in range(rounds):
        judged = kill_round(folder / "killed", lines=100 + 37 * number % 300)
        for name in sums:
            sums[name] += getattr(judged, name)
    return sums


def rows_of(arguments: argparse.Namespace, folder: Path) -> list[dict[str, object]]:
    """Everything measured, one row each: what, figure, unit, what is demanded, does it hold."""
    rows: list[dict[str, object]] = []

    def row(what: str, figure: float, unit: str, demanded: str = "", *, holds: bool = True) -> None:
        rows.append(
            {
                "what": what,
                "figure": round(figure, 2),
                "unit": unit,
                "demanded": demanded,
                "holds": holds,
            }
        )

    flat = asyncio.run(flat_out(made(folder, "flat"), arguments.count))
    what = f"flat out, envelope {flat['envelope_bytes']:.0f} B, body {flat['body_bytes']:.0f} B"
    row(
        what,
        flat["per_s"],
        "entries/s",
        f">= {FLAT_OUT_PER_S_MIN:,}",
        holds=flat["per_s"] >= FLAT_OUT_PER_S_MIN,
    )
    row("  CPU of the whole process", flat["cpu_us"], "us/entry")
    row("  entries in one commit", flat["batch"], "entries")
    for positions_per_s in (0, 1000, 10_000):
        figures = asyncio.run(steady(made(folder, f"steady{positions_per_s}"), arguments.seconds, positions_per_s))
        what = f"{STEADY_PER_S:,}/s and {positions_per_s:,} positions/s, to confirmation"
        row(what + ", p50", figures["p50_ms"], "ms")
        row(
            what + ", p99",
            figures["p99_ms"],
            "ms",
            f"< {P99_MS_MAX:.0f}" if positions_per_s < 10_000 else "",
            holds=positions_per_s == 10_000 or figures["p99_ms"] < P99_MS_MAX,
        )
        row(what + ", max", figures["max_ms"], "ms")
    if arguments.kill:
        sums = kill_rounds(folder, KILL_ROUNDS)
        row(f"kill -9, {KILL_ROUNDS} rounds: acknowledged", sums.pop("acknowledged"), "entries")
        for name, figure in sums.items():
            row(f"  {name.replace('_', ' ')}", figure, "", "0", holds=figure == 0)
    return rows


def made(folder: Path, name: str) -> Path:
    """A new folder in the folder."""
    path = folder / name
    path.mkdir()
    return path


def main() -> int:
    """Measure, print the table, write the rows; 1 = something demanded does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--json", type=Path, help="write the rows here")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each steady run")
    parser.add_argument("--count", type=int, default=200_000, help="entries in the flat-out run")
    parser.add_argument("--kill", action="store_true", help=f"also kill -9 a writer {KILL_ROUNDS} times")
    parser.add_argument("--data", type=Path, help="a folder on the disk to be measured")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="aquila-bench-", dir=arguments.data))
    try:
        rows = rows_of(arguments, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    width = max(len(str(row["what"])) for row in rows)
    for row in rows:
        verdict = "" if not row["demanded"] else "holds" if row["holds"] else "DOES NOT HOLD"
        print(f"{row['what']:<{width}}  {row['figure']:>12,} {row['unit']:<10} {row['demanded']:<10} {verdict}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"bench": "statements", "rows": rows}, indent=1) + "\n")
    return 0 if all(row["holds"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
