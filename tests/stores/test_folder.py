"""The data folder: one holder, a new epoch for a copy, one clear sentence for what is wrong."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from aquila.core.errors import UsageError
from aquila.stores.sqlite import (
    DamagedError,
    DataFolder,
    FileStore,
    GroupWriter,
    Limits,
    Origin,
    SecretStore,
    SqliteStore,
    holder_of,
    machine_id,
    write_whole,
)
from aquila.stores.sqlite import folder as folder_module
from aquila.testing.stores import make_chain, make_staged


def claim(path: Path, machine: str = "m1", now_ms: int = 1000) -> tuple[Origin, bool]:
    with DataFolder(path, machine=machine) as folder:
        store = SqliteStore(folder.journal_path)
        origin = store.claim(folder.mark, new_node=lambda: "node-1", now_ms=now_ms)
        store.close()
        return origin, folder.was_made


def test_a_new_folder_is_made_whole_and_for_its_owner_only(tmp_path: Path):
    path = tmp_path / "deep" / "data"
    with DataFolder(path, machine="m1") as folder:
        assert folder.was_made
        assert sorted(p.name for p in path.iterdir()) == ["files", "journal.db", "lock", "secrets"]
        assert folder.lock_path.read_text() == f"{os.getpid()}\n"
        for private in (path, folder.secrets_path, folder.files_path):
            assert private.stat().st_mode & 0o777 == 0o700
        folder.write_ports({"http": 8080}, {"http": "127.0.0.1"})
        assert msgspec.json.decode(folder.ports_path.read_bytes()) == {"http": 8080}
    assert not folder.ports_path.exists()
    assert [p.name for p in path.parent.iterdir()] == ["data"]
    with DataFolder(path, machine="m1", make=False) as folder:
        assert not folder.was_made


def test_an_empty_folder_is_taken_and_a_full_one_is_not(tmp_path: Path):
    empty = tmp_path / "empty"
    empty.mkdir()
    assert claim(empty)[1]
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "a.txt").write_text("dear")
    with pytest.raises(UsageError, match="no data folder of Aquila"):
        DataFolder(tmp_path / "letters", machine="m1")
    with pytest.raises(UsageError, match="aquila serve"):
        DataFolder(tmp_path / "nowhere", machine="m1", make=False)
    assert not (tmp_path / "nowhere").exists()
    with pytest.raises(UsageError, match="is a file"):
        DataFolder(tmp_path / "letters" / "a.txt" / "data", machine="m1")


def test_a_second_node_on_the_same_folder_is_told_who_holds_it(tmp_path: Path):
    path = tmp_path / "data"
    with DataFolder(path, machine="m1"):
        assert holder_of(path) == os.getpid()
        code = (
            "import sys, pathlib\n"
            "from aquila.core.errors import UsageError\n"
            "from aquila.stores.sqlite import DataFolder\n"
            "try: DataFolder(pathlib.Path(sys.argv[1]), machine='m1')\n"
            "except UsageError as error: sys.stdout.write(str(error))\n"
        )
        said = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
        ).stdout
        assert f"held by process {os.getpid()}" in said
    assert holder_of(path) is None
    assert holder_of(tmp_path / "nowhere") is None
    with DataFolder(path, machine="m1"):
        pass


def test_the_same_folder_keeps_its_epoch_and_every_copy_gets_a_new_one(tmp_path: Path):
    first, _ = claim(tmp_path / "data", now_ms=1000)
    assert (first.node, first.epoch, first.is_new) == ("node-1", 1000, True)
    again, _ = claim(tmp_path / "data", now_ms=2000)
    assert again == Origin("node-1", 1000, False)
    shutil.copytree(tmp_path / "data", tmp_path / "copy")
    copied, _ = claim(tmp_path / "copy", now_ms=3000)
    assert copied == Origin("node-1", 3000, True)
    other_machine, _ = claim(tmp_path / "data", machine="m2", now_ms=4000)
    assert other_machine == Origin("node-1", 4000, True)
    # Put back in the same place: another file, though the path is the same.
    shutil.rmtree(tmp_path / "copy")
    shutil.copytree(tmp_path / "data", tmp_path / "copy")
    shutil.move(tmp_path / "data", tmp_path / "old")
    shutil.copytree(tmp_path / "copy", tmp_path / "data")
    assert claim(tmp_path / "data", machine="m2", now_ms=5000)[0].epoch == 5000
    # A clock that stands before the last epoch still gives a later one.
    assert claim(tmp_path / "data", machine="m3", now_ms=1)[0].epoch == 5001


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EROFS, "read-only file system"),
        (errno.EACCES, "may not be written by this user"),
        (errno.ENOSPC, "full disk"),
        (errno.EIO, "cannot be used"),
    ],
)
def test_a_folder_that_cannot_be_written_gives_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
):
    claim(tmp_path / "data")

    def broken(*_args, **_more):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(folder_module.os, "open", broken)
    with pytest.raises(UsageError, match=words) as caught:
        DataFolder(tmp_path / "data", machine="m1")
    assert "\n" not in str(caught.value)


def test_a_machine_without_a_name_is_unknown(tmp_path: Path):
    (tmp_path / "id").write_text("abc\n")
    assert machine_id(tmp_path / "id") == "abc"
    assert machine_id(tmp_path / "nothing") == "unknown"


@pytest.fixture
def small_disk(tmp_path: Path):
    """A disk of 4 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", "size=4m", "none", str(place)]
    if os.geteuid() != 0 or mount is None or subprocess.run([mount, *options], check=False).returncode:
        pytest.skip("a small disk needs root and mount: the test with a made-up fault stands in for it")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_refuses_statements_and_loses_none_that_was_acknowledged(small_disk: Path):
    folder = DataFolder(small_disk / "data", machine="m1")
    store = SqliteStore(folder.journal_path)
    # Refused while it lasts, room again by itself: told through here.
    import queue

    calls: queue.SimpleQueue = queue.SimpleQueue()
    troubles: list = []
    writer = GroupWriter(
        store,
        Origin("n", 1, True),
        deliver=calls.put,
        on_trouble=troubles.append,
        limits=Limits(probe_s=0.01, gather_s=0),
    )
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1 << 20))
    writer.start()
    acknowledged, outcomes, number = [], [], 0
    while not troubles:
        assert number < 5000, "the disk never filled"
        number += 1
        writer.submit([make_staged(number, text="x" * 1500)], outcomes.append)
        seen = len(outcomes)
        while len(outcomes) == seen:
            calls.get(timeout=30)()
        if not isinstance(outcomes[-1], type(troubles[0]) if troubles else ()):
            acknowledged.append(outcomes[-1].entries[0].envelope.id)
    assert outcomes[-1].reason in ("storage_full", "storage_failed")
    assert len(acknowledged) > 100
    ballast.unlink()
    while len(troubles) < 2:
        calls.get(timeout=30)()
    assert troubles[1] is None
    writer.submit([make_staged(9999)], outcomes.append)
    seen = len(outcomes)
    while len(outcomes) == seen:
        calls.get(timeout=30)()
    assert writer.stop()
    ids = [row[0] for row in store.writing.execute("SELECT id FROM entry ORDER BY arrival")]
    assert ids == [*acknowledged, make_staged(9999).id]
    assert store.writing.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert list(store.journal.faults()) == []
    store.close()
    folder.close()


def test_a_full_disk_and_a_read_only_one_refuse_a_new_folder_in_a_sentence(small_disk: Path):
    (small_disk / "ballast").write_bytes(bytes((4 << 20) - 8192))
    with pytest.raises(UsageError, match="full"):
        DataFolder(small_disk / "data", machine="m1")
    assert [p.name for p in small_disk.iterdir()] == ["ballast"]
    (small_disk / "ballast").unlink()
    claim(small_disk / "data")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(UsageError, match="read-only file system"):
        DataFolder(small_disk / "data", machine="m1")
    with pytest.raises(UsageError, match="read-only file system"):
        DataFolder(small_disk / "other", machine="m1")


def test_a_damaged_database_is_refused_and_left_as_it_is(tmp_path: Path):
    path = tmp_path / "journal.db"
    store = SqliteStore(path)
    store.journal.append(make_chain("a", 300))
    store.close()
    good = path.read_bytes()
    bad = bytearray(good)
    for page in range(8, len(good) // 4096, 3):
        bad[page * 4096 : page * 4096 + 4000] = b"\xa5" * 4000
    for damage in (bytes(bad), b"not a database" * 100, good[:100] + bytes(len(good) - 100)):
        path.write_bytes(damage)
        with pytest.raises(DamagedError, match="left as it is") as caught:
            SqliteStore(path)
        assert "aquila restore" in str(caught.value)
        assert path.read_bytes() == damage
    path.write_bytes(good)
    SqliteStore(path).close()


def test_a_damaged_end_of_our_own_chain_is_refused(tmp_path: Path):
    store = SqliteStore(tmp_path / "journal.db")
    origin = store.claim("mark", new_node=lambda: "a", now_ms=1)
    store.journal.append(make_chain("a", 5))
    # A peer's lines are its own affair: they must not stop us from starting.
    store.journal.append(make_chain("b", 5))
    store.writing.execute("UPDATE entry SET body=x'7b7d' WHERE seq=4 AND origin=2")
    assert store.claim("mark", new_node=lambda: "a", now_ms=1).epoch == origin.epoch
    store.writing.execute("UPDATE entry SET body=x'7b7d' WHERE seq=4 AND origin=1")
    with pytest.raises(DamagedError, match="line 4 of a"):
        store.claim("mark", new_node=lambda: "a", now_ms=1)
    store.close()


def test_a_strangers_database_and_a_later_one_are_refused(tmp_path: Path):
    import sqlite3

    stranger = sqlite3.connect(tmp_path / "stranger.db")
    stranger.execute("CREATE TABLE songs(name)")
    stranger.commit()
    stranger.close()
    with pytest.raises(UsageError, match="not a journal"):
        SqliteStore(tmp_path / "stranger.db")
    store = SqliteStore(tmp_path / "journal.db")
    store.writing.execute("PRAGMA user_version=99")
    store.close()
    with pytest.raises(UsageError, match="format 99"):
        SqliteStore(tmp_path / "journal.db")


def test_all_readers_busy_is_said_in_a_sentence(tmp_path: Path):
    store = SqliteStore(tmp_path / "journal.db", readers_max=1)
    with store.reader(), pytest.raises(UsageError, match="busy"), store.reader(wait_s=0.01):
        pass
    with store.reader() as reading:
        assert reading.journal.last_arrival() == 0
    store.close()


def test_a_file_is_kept_by_its_content(tmp_path: Path):
    files = FileStore(tmp_path)
    kept = files.put([b"ab", b"c"])
    assert kept.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert files.put(iter([b"abc"])) == files.find(kept.sha256) == kept
    assert files.path_of(kept.sha256).read_bytes() == b"abc"
    assert list(files.all()) == [kept]
    assert files.find("0" * 64) is None
    assert files.remove(kept.sha256)
    assert not files.remove(kept.sha256)


def test_a_file_that_is_too_large_or_breaks_off_leaves_nothing(tmp_path: Path):
    files = FileStore(tmp_path)
    with pytest.raises(UsageError, match="larger than 5"):
        files.put([b"abc", b"def"], limit_bytes=5)

    def broken():
        yield b"abc"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        files.put(broken())
    assert list((tmp_path / "incoming").iterdir()) == []
    assert list(files.all()) == []
    (tmp_path / "incoming" / "left").write_bytes(b"x")
    FileStore(tmp_path).sweep()
    assert list((tmp_path / "incoming").iterdir()) == []
    for name in ("../x", "A" * 64, "", "0" * 63):
        with pytest.raises(UsageError, match="no file digest"):
            files.path_of(name)


def test_a_small_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch):
    place = tmp_path / "x.json"
    write_whole(place, b"old")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="full"):
            write_whole(place, b"new")
    assert place.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]
    assert place.stat().st_mode & 0o777 == 0o600


def test_a_secret_is_there_until_it_is_taken_once(tmp_path: Path):
    secrets = SecretStore(tmp_path / "secrets.db")
    assert (tmp_path / "secrets.db").stat().st_mode & 0o777 == 0o600
    assert secrets.get("link") is None
    secrets.put("link", {"until_ms": 5})
    assert not secrets.add("link", 1)
    assert secrets.add("token/a", "x")
    assert secrets.add("token/b", None)
    assert secrets.named("token/") == {"token/a": "x", "token/b": None}
    assert secrets.change("count", lambda value: (value or 0) + 1) == 1
    assert secrets.change("count", lambda value: (value or 0) + 1) == 2
    assert secrets.take("link") == {"until_ms": 5}
    assert secrets.take("link") is None
    assert secrets.remove("token/a")
    assert not secrets.remove("token/a")
    secrets.close()
    again = SecretStore(tmp_path / "secrets.db")
    assert again.get("count") == 2
    again.close()
    (tmp_path / "bad.db").write_bytes(b"x" * 5000)
    with pytest.raises(DamagedError):
        SecretStore(tmp_path / "bad.db")
