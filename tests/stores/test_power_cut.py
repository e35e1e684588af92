"""Power cut: what SQLite asked of the disk, cut anywhere; only what was synced is sure to be there.

kill -9 keeps the page cache and says nothing about a power cut. Here every write after the last
sync of its file survives, is torn at 512 bytes, or is lost. That a name in a folder could be lost
as well is not modelled.
"""

import os
from pathlib import Path
from random import Random

import apsw

from aquila.stores.sqlite import GroupWriter, Limits, Origin, SqliteStore
from aquila.testing.stores import make_staged

IMAGES = 250
ORIGIN = Origin("n", 1, True)


class RecordedFile(apsw.VFSFile):
    def __init__(self, vfs: str, name, flags, log: list) -> None:
        super().__init__(vfs, name, flags)
        filename = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._name, self._log = os.path.basename(filename), log

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._log.append(("write", self._name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._log.append(("truncate", self._name, size))
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:  # noqa: N802
        super().xSync(flags)
        self._log.append(("sync", self._name))


class RecordedDisk(apsw.VFS):
    def __init__(self, name: str, log: list) -> None:
        super().__init__(name, "")
        self.name, self._log = name, log

    def xOpen(self, name, flags):  # noqa: N802
        return RecordedFile("", name, flags, self._log)

    def xDelete(self, name: str, sync_folder: bool) -> None:  # noqa: N802
        super().xDelete(name, sync_folder)
        self._log.append(("delete", os.path.basename(name)))


def record(folder: Path, synchronous: str | None) -> tuple[bytes, list]:
    """The database before, and everything that was written while the real writer was at work."""
    path = folder / "journal.db"
    SqliteStore(path).close()
    before = path.read_bytes()
    log: list = []
    disk = RecordedDisk(f"recorded-{synchronous}", log)
    store = SqliteStore(
        path,
        opener=lambda place: apsw.Connection(str(place), vfs=disk.name),
        wal_pages=25,
    )
    if synchronous is not None:
        store.writing.execute(f"PRAGMA synchronous={synchronous}")
    writer = GroupWriter(store, ORIGIN, deliver=lambda call: call(), limits=Limits(gather_s=0))
    writer.start()
    dice, number = Random(1), 0
    for _ in range(220):
        batch = [make_staged(number + step, text="x" * dice.randrange(900)) for step in range(dice.randint(1, 4))]
        number += len(batch)
        settled = writer.ask(batch).result(30)
        # Confirmed: from this point in the log on, it must survive.
        log.append(("acknowledged", [entry.envelope.id for entry in settled.entries]))
    assert writer.stop()
    store.close()
    return before, log


def image_of(before: bytes, log: list, cut: int, dice: Random) -> tuple[dict[str, bytearray], set[str]]:
    """The files as a power cut after `cut` steps may leave them, and what was acknowledged."""
    sure: dict[str, bytearray] = {"journal.db": bytearray(before)}
    unsure: dict[str, list] = {}
    acknowledged: set[str] = set()
    for step in log[:cut]:
        match step:
            case ("acknowledged", ids):
                acknowledged.update(ids)
            case ("sync", name):
                for one in unsure.pop(name, []):
                    apply(sure.setdefault(name, bytearray()), one)
            case ("delete", name):
                sure.pop(name, None)
                unsure.pop(name, None)
            case (_, name, *_):
                unsure.setdefault(name, []).append(step)
    for name, steps in unsure.items():
        for step in steps:
            chance = dice.random()
            if chance < 0.40:
                apply(sure.setdefault(name, bytearray()), step)
            elif chance < 0.55 and step[0] == "write":
                torn = step[3][: 512 * dice.randint(0, len(step[3]) // 512)]
                apply(sure.setdefault(name, bytearray()), ("write", name, step[2], torn))
    return sure, acknowledged


def apply(content: bytearray, step: tuple) -> None:
    if step[0] == "truncate":
        del content[step[2] :]
        return
    _, _, offset, data = step
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def judge(folder: Path, files: dict[str, bytearray], acknowledged: set[str]) -> tuple[bool, bool]:
    """(something acknowledged is lost, something is damaged)."""
    folder.mkdir()
    for name, content in files.items():
        # The wal index is memory shared between processes: after a power cut there is none.
        if not name.endswith("-shm"):
            (folder / name).write_bytes(content)
    store = SqliteStore(folder / "journal.db")
    whole = store.writing.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok"
    entries = store.journal.read(0, 100_000)
    damaged = not whole or bool(list(store.journal.faults()))
    damaged |= [entry.arrival for entry in entries] != list(range(1, len(entries) + 1))
    damaged |= [entry.envelope.seq for entry in entries] != list(range(1, len(entries) + 1))
    store.close()
    return bool(acknowledged - {entry.envelope.id for entry in entries}), damaged


def cut_power(tmp_path: Path, synchronous: str | None, images: int) -> tuple[int, int]:
    before, log = record(tmp_path, synchronous)
    assert sum(step[0] == "sync" and step[1] == "journal.db" for step in log) > 3, "no checkpoint"
    dice = Random(20)
    lost = damaged = 0
    for number in range(images):
        files, acknowledged = image_of(before, log, dice.randrange(1, len(log) + 1), dice)
        is_lost, is_damaged = judge(tmp_path / f"image-{number}", files, acknowledged)
        lost += is_lost
        damaged += is_damaged
    return lost, damaged


def test_a_power_cut_loses_nothing_acknowledged_and_damages_nothing(tmp_path: Path):
    assert cut_power(tmp_path, None, IMAGES) == (0, 0)


def test_the_power_cut_test_can_fail(tmp_path: Path):
    lost, _ = cut_power(tmp_path, "NORMAL", 40)
    assert lost > 0, "with synchronous=NORMAL something acknowledged must be lost"
