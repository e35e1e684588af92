"""How long the store takes to be ready after kill -9, with a full journal and track table.

    python bench/restart.py [--json FILE] [--points 1000000] [--entries 100000] [--data DIR]

A child process fills the folder through the store's own code and dies without closing anything, so
that the write-ahead log is left behind. Then a new process opens it, as a node would: folder,
database, epoch, latest positions, newest snapshot, and the journal after it; once also the whole
journal, as when a view's version changed. The files are pushed out of the page cache first, where
the system allows it.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from aquila.core.journal import Head, Staged, make_entry
from aquila.core.model import Alias, Draft, Label, Note, Position, Report, Sample, Stamp
from aquila.stores.sqlite import (
    DataFolder,
    Latest,
    Snapshot,
    Snapshots,
    SqliteStore,
    TrackPoint,
    Tracks,
)
from aquila.stores.sqlite.schema import transaction

LABEL = Label("NATO", "UNCLASSIFIED", ("ITA",), ("blue",))
START_MS = 1_700_000_000_000
ENTITIES = 2_000
READY_S_MAX = 5.0
BATCH = 5_000
MACHINE = "bench"


def fill(path: Path, points: int, entries: int) -> None:
    """Fill a new folder, then die as if killed."""
    folder = DataFolder(path, machine=MACHINE)
    store = SqliteStore(folder.journal_path)
    origin = store.claim(folder.mark, new_node=lambda: "bench", now_ms=1)
    head = Head()
    for first in range(0, entries, BATCH):
        batch = []
        for number in range(first, min(entries, first + BATCH)):
            entry, head = make_entry(staged(number), node=origin.node, epoch=origin.epoch, head=head)
            batch.append(entry)
        store.journal.append(batch)
        if first < entries * 0.9 <= first + BATCH:
            with transaction(store.writing):
                state = os.urandom(2_000_000)
                Snapshots(store.writing).put(Snapshot("log", 1, store.journal.last_arrival(), b"", state))
    tracks = Tracks(store.writing)
    for first in range(0, points, BATCH):
        with transaction(store.writing):
            tracks.insert([point(number) for number in range(first, min(points, first + BATCH))])
    with transaction(store.writing):
        Latest(store.writing).put([sample(number) for number in range(ENTITIES)])
    os._exit(9)


def staged(number: int) -> Staged:
    """A note of about 300 B."""
    seed = hashlib.sha256(str(number).encode())
    draft = Draft(
        body=Note(room="log", text=f"line {number} " + "x" * 200, happened_at_ms=START_MS + number),
        author="person:operator",
        via="bench",
        label=LABEL,
        context="EXERCISE:BENCH",
        happened_at_ms=START_MS + number,
        received_at_ms=START_MS + number,
    )
    return Staged(
        draft=draft,
        id=seed.hexdigest()[:36],
        hlc=(START_MS + number) << 16,
        salt=seed.digest()[:16],
    )


def point(number: int) -> TrackPoint:
    """One of many entities, walking."""
    entity, step = number % ENTITIES, number // ENTITIES
    return TrackPoint(
        entity=f"entity-{entity}",
        at_ms=START_MS + step * 5_000 + entity,
        lat_deg=42.0 + entity % 50 * 0.05 + step * 1e-4,
        lon_deg=76.0 + entity // 50 * 0.05 + step * 1e-4,
        label=LABEL,
        context="EXERCISE:BENCH",
        course_deg=45.0,
        speed_mps=2.0,
        source="device:x",
        valid_ms=75_000,
    )


def sample(number: int) -> Sample:
    """The latest of one entity."""
    name = f"entity-{number}"
    report = Report(
        entity=name,
        alias=Alias("cot", name),
        type="a-f-G-U-C",
        sidc="10031000001211000000",
        category="unit",
        observed_at_ms=START_MS,
        position=Position(42.0, 76.0, 1200.0),
        name=name,
    )
    return Sample(
        report=report,
        stamp=Stamp(START_MS << 16, "bench", 1, 0),
        author="device:x",
        via="tls",
        label=LABEL,
        context="EXERCISE:BENCH",
        received_at_ms=START_MS,
    )


def restart(path: Path) -> dict[str, float]:
    """Open it as a node does; seconds of each part, and what was found."""
    start = time.perf_counter()
    folder = DataFolder(path, machine=MACHINE)
    store = SqliteStore(folder.journal_path)
    origin = store.claim(folder.mark, new_node=lambda: "other", now_ms=2)
    opened = time.perf_counter()
    latest = Latest(store.writing).load()
    loaded = time.perf_counter()
    snapshot = Snapshots(store.writing).newest("log", 1)
    tail = store.journal.read(snapshot.arrival if snapshot else 0, 1 << 30)
    store.journal.last_hlc()
    store.journal.head(origin.node, origin.epoch)
    ready = time.perf_counter()
    everything = store.journal.read(0, 1 << 30)
    whole = time.perf_counter()
    kept = store.writing.execute("SELECT count(*) FROM track").fetchone()[0]
    return {
        "open_s": opened - start,
        "latest_s": loaded - opened,
        "tail_s": ready - loaded,
        "ready_s": ready - start,
        "whole_s": whole - ready,
        "latest": len(latest),
        "tail": len(tail),
        "entries": len(everything),
        "points": kept,
        "epoch_is_new": float(origin.is_new),
    }


def push_out(path: Path) -> bool:
    """Push the files out of the page cache; False = the system does not allow it."""
    if not hasattr(os, "posix_fadvise"):
        return False
    for place in path.rglob("*"):
        if place.is_file():
            descriptor = os.open(place, os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)
    return True


def child(*words: str) -> str:
    """This script in a new process; what it wrote."""
    command = [sys.executable, __file__, *words]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout


def main() -> int:
    """Measure, print the table, write the rows; 1 = something demanded does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--json", type=Path, help="write the rows here")
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--data", type=Path, help="a folder on the disk to be measured")
    parser.add_argument("--fill", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--restart", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.fill:
        fill(arguments.fill, arguments.points, arguments.entries)
    if arguments.restart:
        print(json.dumps(restart(arguments.restart)))
        return 0
    folder = Path(tempfile.mkdtemp(prefix="aquila-bench-", dir=arguments.data))
    data = folder / "data"
    try:
        start = time.perf_counter()
        child(
            "--fill",
            str(data),
            "--points",
            str(arguments.points),
            "--entries",
            str(arguments.entries),
        )
        filled_s = time.perf_counter() - start
        size = sum(place.stat().st_size for place in data.rglob("*") if place.is_file())
        cold = push_out(data)
        figures = json.loads(child("--restart", str(data)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    assert (figures["points"], figures["entries"]) == (arguments.points, arguments.entries), figures
    assert not figures["epoch_is_new"], "the same folder keeps its epoch"
    what = f"restart with {arguments.points:,} points, {arguments.entries:,} entries"
    what += f", {size >> 20} MB"
    what += ", cold cache" if cold else ""
    holds = figures["ready_s"] < READY_S_MAX
    rows = [
        {
            "what": what,
            "figure": figures["ready_s"],
            "unit": "s",
            "demanded": f"< {READY_S_MAX:.0f}",
            "holds": holds,
        },
        {"what": "  open, check, epoch", "figure": figures["open_s"], "unit": "s"},
        {
            "what": f"  {figures['latest']:,} latest positions",
            "figure": figures["latest_s"],
            "unit": "s",
        },
        {
            "what": f"  snapshot and {figures['tail']:,} entries after it",
            "figure": figures["tail_s"],
            "unit": "s",
        },
        {
            "what": "  (the whole journal, when there is no snapshot)",
            "figure": figures["whole_s"],
            "unit": "s",
        },
        {"what": "  (filling the folder)", "figure": filled_s, "unit": "s"},
    ]
    width = max(len(str(row["what"])) for row in rows)
    for row in rows:
        verdict = "" if "demanded" not in row else "holds" if holds else "DOES NOT HOLD"
        print(f"{row['what']:<{width}}  {row['figure']:>8.3f} {row['unit']} {row.get('demanded', '')} {verdict}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"bench": "restart", "rows": rows}, indent=1) + "\n")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
