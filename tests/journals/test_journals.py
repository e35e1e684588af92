"""Every journal that a released version has written opens with the present program."""

import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from aquila.app.parts import load_features
from aquila.core.journal import MemoryJournal, decode_body, verify_chain
from aquila.core.model import Note
from aquila.core.view import state_hash
from aquila.stores.sqlite.store import SqliteStore

HERE = Path(__file__).parent
VERSIONS = sorted(path.stem for path in HERE.glob("v*.db"))
spec = importlib.util.spec_from_file_location("make_journal", HERE / "make_journal.py")
assert spec is not None
assert spec.loader is not None
make_journal = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make_journal)


@pytest.fixture(params=VERSIONS)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    path = tmp_path / "journal.db"
    shutil.copy(HERE / f"{request.param}.db", path)
    store = SqliteStore(path, sealer=make_journal.Vault())
    yield request.param, store
    store.close()


def test_there_is_a_journal_of_the_first_version() -> None:
    assert "v0_1" in VERSIONS


def test_every_line_says_what_it_said_then(opened: Any) -> None:
    version, store = opened
    expected = json.loads((HERE / f"{version}.json").read_text())
    found = [
        {
            "id": entry.envelope.id,
            "kind": entry.envelope.kind,
            "body": None if entry.body is None else msgspec.to_builtins(entry.body),
        }
        for entry in store.journal.read(0, 1000)
    ]
    assert json.loads(json.dumps(found)) == expected


def test_the_chain_is_whole(opened: Any) -> None:
    assert verify_chain(opened[1].journal.read(0, 1000)) == []


def test_a_sealed_body_is_closed_without_its_key(opened: Any, tmp_path: Path) -> None:
    path = tmp_path / "closed.db"
    shutil.copy(HERE / f"{opened[0]}.db", path)
    store = SqliteStore(path)
    try:
        sealed = [entry for entry in store.journal.read(0, 1000) if entry.envelope.subjects]
    finally:
        store.close()
    assert [entry.body for entry in sealed] == [None]
    assert b"About a person" not in path.read_bytes()


def test_what_is_not_understood_is_kept_and_goes_on_untouched(opened: Any) -> None:
    entries = opened[1].journal.read(0, 1000)
    strange = [entry for entry in entries if entry.body is None and entry.body_bytes is not None]
    assert [(entry.envelope.kind, entry.envelope.body_version) for entry in strange] == [("prophecy", 1), ("note", 99)]
    other = MemoryJournal()
    other.append(entries)
    assert [entry.body_bytes for entry in other.read(0, 1000)] == [entry.body_bytes for entry in entries]


def test_views_fold_it_to_the_same_state_in_any_order(opened: Any) -> None:
    entries = opened[1].journal.read(0, 1000)
    hashes = set()
    for order in (entries, entries[::-1]):
        views = [make_view() for feature in load_features() for make_view in feature.views]
        for entry in order:
            for view in views:
                view.fold(entry)
        hashes.add(state_hash(views))
    assert len(hashes) == 1


def test_an_old_version_is_lifted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Note, "VERSION", 2)
    lift = {("note", 1): lambda fields: {**fields, "text": fields["text"].upper()}}
    old = b'{"kind":"note","room":"log","text":"old","happened_at_ms":1}'
    lifted = decode_body("note", 1, old, lift)
    assert isinstance(lifted, Note)
    assert lifted.text == "OLD"
