"""Backup and restore, drilled.

Also while the node writes, with a wrong passphrase and with damaged files.
"""

import shutil
from pathlib import Path
from random import Random

import msgspec
import pytest

from aquila.core.errors import UsageError
from aquila.core.journal import Head, make_entry
from aquila.stores.sqlite import (
    DataFolder,
    FileStore,
    GroupWriter,
    Limits,
    SecretStore,
    SqliteStore,
    SubjectKeys,
    backup,
    read_manifest,
    restore_backup,
    write_backup,
)
from aquila.testing.stores import ids_of, make_chain, make_staged


@pytest.fixture(autouse=True)
def _quick_scrypt(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(backup, "SCRYPT_N", 1 << 10)


class Node:
    """A data folder in use: lines, files, secrets, and a body that names a person."""

    def __init__(self, path: Path) -> None:
        self.folder = DataFolder(path, machine="m1")
        self.keys = SubjectKeys(self.folder.secrets_path / "subjects.db")
        self.secrets = SecretStore(self.folder.secrets_path / "secrets.db")
        self.store = SqliteStore(self.folder.journal_path, sealer=self.keys)
        self.origin = self.store.claim(self.folder.mark, new_node=lambda: "node", now_ms=1000)

    def fill(self) -> None:
        self.store.journal.append(make_chain("node", 50, epoch=1000))
        self.store.journal.append(make_chain("peer", 20))
        named = make_staged(1, node="x", text="blood group")
        named = msgspec.structs.replace(named, draft=msgspec.structs.replace(named.draft, subjects=("p",)))
        self.store.journal.append([make_entry(named, node="x", epoch=1, head=Head(), sealer=self.keys)[0]])
        self.secrets.put("password/anna", "hash")
        (self.folder.secrets_path / "ca").mkdir()
        (self.folder.secrets_path / "ca" / "ca.key").write_bytes(b"private key")
        self.file = FileStore(self.folder.files_path).put([b"a picture" * 1000])

    def close(self) -> None:
        self.store.close()
        self.secrets.close()
        self.keys.close()
        self.folder.close()


@pytest.fixture
def node(tmp_path: Path):
    node = Node(tmp_path / "data")
    node.fill()
    yield node
    node.close()


def test_what_is_restored_is_what_was_saved_and_begins_a_new_epoch(node: Node, tmp_path: Path):
    out = tmp_path / "deep" / "b.aquila"
    told = []
    manifest = write_backup(
        node.folder,
        out,
        now_ms=5,
        secrets=node.secrets,
        passphrase="correct horse",
        told=lambda what, done, total: told.append((what, done, total)),
    )
    assert (manifest.node, manifest.epoch, manifest.arrival) == ("node", 1000, 71)
    assert read_manifest(out) == manifest
    assert out.stat().st_mode & 0o777 == 0o600
    assert told[-1][0] == "done"
    saved = out.read_bytes()
    assert b"private key" not in saved
    assert b"blood group" not in saved
    before = node.store.journal.read(0, 1000)
    node.close()
    restore_backup(out, tmp_path / "new", passphrase="correct horse")
    other = Node(tmp_path / "new")
    assert (other.origin.node, other.origin.epoch, other.origin.is_new) == ("node", 1001, True)
    after = other.store.journal.read(0, 1000)
    assert [e.envelope_bytes for e in after] == [e.envelope_bytes for e in before]
    assert [e.body_bytes for e in after] == [e.body_bytes for e in before]
    # The person's key is in no backup: what names them stays closed.
    assert (before[-1].body is None, after[-1].body) == (False, None)
    assert other.secrets.get("password/anna") == "hash"
    key = other.folder.secrets_path / "ca" / "ca.key"
    assert (key.read_bytes(), key.stat().st_mode & 0o777) == (b"private key", 0o600)
    assert FileStore(other.folder.files_path).path_of(node.file.sha256).read_bytes() == b"a picture" * 1000
    assert not list(tmp_path.glob(".*"))
    other.close()
    node.__init__(tmp_path / "data")


def test_a_backup_while_the_node_writes_is_one_moment_of_it(node: Node, tmp_path: Path):
    writer = GroupWriter(node.store, node.origin, deliver=lambda call: call(), limits=Limits(gather_s=0, batch_max=5))
    writer.start()
    for number in range(100, 1500):
        assert writer.submit([make_staged(number, node="later")])
    manifest = write_backup(node.folder, tmp_path / "b", now_ms=5)
    assert writer.stop()
    restore_backup(tmp_path / "b", tmp_path / "new")
    store = SqliteStore(tmp_path / "new" / "journal.db")
    everything = node.store.journal.read(0, 10_000)
    assert len(everything) == 71 + 1400
    assert ids_of(store.journal.read(0, 10_000)) == ids_of(everything[: manifest.arrival])
    assert list(store.journal.faults()) == []
    store.close()


def test_a_wrong_or_missing_passphrase_restores_nothing(node: Node, tmp_path: Path):
    out, new = tmp_path / "b", tmp_path / "new"
    write_backup(node.folder, out, now_ms=5, secrets=node.secrets, passphrase="right")
    with pytest.raises(UsageError, match="wrong passphrase"):
        restore_backup(out, new, passphrase="left")
    with pytest.raises(UsageError, match="holds keys"):
        restore_backup(out, new)
    assert not new.exists()
    restore_backup(out, new, without_keys=True)
    assert list((new / "secrets").iterdir()) == []
    with pytest.raises(UsageError, match="passphrase is empty"):
        write_backup(node.folder, tmp_path / "c", now_ms=5, passphrase="")


def test_nothing_is_ever_overwritten(node: Node, tmp_path: Path):
    out = tmp_path / "b"
    write_backup(node.folder, out, now_ms=5)
    with pytest.raises(UsageError, match="exists"):
        write_backup(node.folder, out, now_ms=5)
    for target in (node.folder.path, out):
        with pytest.raises(UsageError, match="is there already"):
            restore_backup(out, target)
    (tmp_path / "empty").mkdir()
    restore_backup(out, tmp_path / "empty")


def test_a_damaged_backup_restores_nothing(node: Node, tmp_path: Path):
    out, bad = tmp_path / "b", tmp_path / "bad"
    write_backup(node.folder, out, now_ms=5, secrets=node.secrets, passphrase="right")
    good = out.read_bytes()
    dice = Random(4)
    # Whatever is inside a part; padding and the tail of a tar mean nothing.
    spots = [dice.randrange(0, len(good) - 12_000) for _ in range(25)]
    damages = [good[:spot] + bytes([good[spot] ^ 0x55]) + good[spot + 1 :] for spot in spots]
    damages += [good[: len(good) // 2], good[:300], b"", b"x" * 4000]
    harmless = 0
    for damage in damages:
        bad.write_bytes(damage)
        try:
            restore_backup(bad, tmp_path / "new", passphrase="right")
        except UsageError:
            assert not (tmp_path / "new").exists()
        else:
            # The padding between parts means nothing; then what was restored is whole.
            harmless += 1
            store = SqliteStore(tmp_path / "new" / "journal.db")
            assert len(store.journal.read(0, 1000)) == 71
            store.close()
            shutil.rmtree(tmp_path / "new")
    assert harmless < 4
    assert not list(tmp_path.glob(".*"))


def test_a_backup_with_a_broken_chain_is_not_restored(node: Node, tmp_path: Path):
    node.store.writing.execute("UPDATE entry SET body=x'7b7d' WHERE seq=4 AND origin=1")
    write_backup(node.folder, tmp_path / "b", now_ms=5)
    with pytest.raises(UsageError, match="line 4 of node"):
        restore_backup(tmp_path / "b", tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["../evil", "/evil", "files/../../evil", "secrets/ca.key", "lock"])
def test_a_part_without_a_place_is_refused(node: Node, tmp_path: Path, monkeypatch, name: str):
    real = backup._digest
    monkeypatch.setattr(backup, "_digest", real)
    write_backup(node.folder, tmp_path / "b", now_ms=5)
    import hashlib
    import io
    import tarfile

    parts = (backup.Part(name, 1, hashlib.sha256(b"x").hexdigest()),)
    head = msgspec.json.encode(msgspec.structs.replace(read_manifest(tmp_path / "b"), parts=parts))
    with tarfile.open(tmp_path / "evil", "w") as tar:
        for member, data in (
            ("manifest.json", head),
            ("manifest.sha256", hashlib.sha256(head).hexdigest().encode()),
            (name, b"x"),
        ):
            info = tarfile.TarInfo(member)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    with pytest.raises(UsageError, match=r"has no place|missing"):
        restore_backup(tmp_path / "evil", tmp_path / "new")
    assert not (tmp_path / "new").exists()
