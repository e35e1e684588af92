"""Writes a small journal with the present program: fixed clock, fixed ids, every kind of body and every odd line.

python tests/journals/make_journal.py v0_1
"""

import json
import sys
from pathlib import Path

import msgspec

from aquila.core.journal import Head, Staged, make_entry, open_entry
from aquila.core.model import (
    Act,
    Address,
    Alias,
    Body,
    Draft,
    Emergency,
    Entry,
    Foreign,
    Geometry,
    Motion,
    Note,
    Original,
    Position,
    Receipt,
    Removal,
    Report,
)
from aquila.core.policy import Policy
from aquila.stores.sqlite.store import SqliteStore

HERE = Path(__file__).parent
START_MS = 1_795_000_000_000
LABEL = Policy().default_label
UNIT = Alias("cot", "ANDROID-1")


class Vault:
    """A sealer whose key stands in the test: the subject's name."""

    def seal(self, subjects: tuple[str, ...], body: bytes, nonce: bytes) -> bytes:
        key = subjects[0].encode()
        return bytes(byte ^ key[at % len(key)] for at, byte in enumerate(body))

    def open(self, subjects: tuple[str, ...], sealed: bytes) -> bytes | None:
        return self.seal(subjects, sealed, b"")


def bodies() -> list[Body]:
    """One of every kind."""
    at = START_MS
    return [
        Report(
            entity="11111111-1111-5111-8111-111111111111",
            alias=UNIT,
            type="a-f-G-U-C-I",
            sidc="10031000001211000000",
            category="marker",
            observed_at_ms=at,
            stale_at_ms=at + 60_000,
            name="CAMOSCIO 11",
            how="h-g-i-g-o",
            position=Position(43.04548, 76.99013, 2522.0, 5.0, 9.0),
            motion=Motion(152.0, 0.8),
            team="Green",
            role="Team Lead",
            battery_pct=59,
            remarks="Қазақстан",
        ),
        Report(
            entity="22222222-2222-5222-8222-222222222222",
            alias=Alias("cot", "AREA-1"),
            type="u-d-f",
            sidc="10032500001201000000",
            category="drawing",
            observed_at_ms=at,
            geometry=Geometry("polygon", ((43.0, 77.0), (43.1, 77.0), (43.1, 77.1)), stroke="#ffffff"),
        ),
        Report(
            entity="33333333-3333-5333-8333-333333333333",
            alias=Alias("cot", "ANDROID-1-9-1-1"),
            type="b-a-o-tbl",
            sidc="10030000000000000000",
            category="alert",
            observed_at_ms=at,
            emergency=Emergency("911 Alert", True),
            parent=UNIT,
            fields={"line1": "43TFH"},
        ),
        Note(room="log", text="Shift begins", happened_at_ms=at, author_name="operator"),
        Note(
            room="All Chat Rooms",
            text="Bonjour",
            happened_at_ms=at,
            author_alias=UNIT,
            reference="ref-1",
            to=(Address("callsign", "BLEU PC"),),
        ),
        Receipt(reference="ref-1", state="read", happened_at_ms=at, by=UNIT),
        Foreign(alias=Alias("cot", "FILE-1"), type="b-f-t-r", happened_at_ms=at),
        Removal(entity="22222222-2222-5222-8222-222222222222", alias=Alias("cot", "AREA-1"), happened_at_ms=at),
        Act(action="device.bind", target="device:PATROL1", happened_at_ms=at, detail={"scheme": "cot", "uid": "P1"}),
        Note(room="log", text="About a person", happened_at_ms=at),
        Note(room="log", text="To be erased", happened_at_ms=at),
    ]


def lines() -> list[Entry]:
    """The whole journal: every kind, a sealed body, and at the end an unknown kind and a body of a newer version."""
    head, made = Head(), []
    for number, body in enumerate(bodies(), 1):
        sealed = isinstance(body, Note) and body.text == "About a person"
        draft = Draft(
            body=body,
            author="device:PATROL1",
            via="tls:1",
            label=LABEL,
            context="EXERCISE:JOURNAL",
            happened_at_ms=START_MS,
            received_at_ms=START_MS + number,
            subjects=("PERSON1",) if sealed else (),
            original=Original("cot-xml", b"<event/>") if number == 1 else None,
        )
        staged = Staged(draft=draft, id=f"id-{number}", hlc=(START_MS + number) << 16, salt=bytes([number] * 16))
        entry, head = make_entry(staged, node="node-1", epoch=1, head=head, sealer=Vault())
        made.append(entry)
    return made + odd_lines(made[-1], head)


def odd_lines(last: Entry, head: Head) -> list[Entry]:
    """What a later program may have written: a kind nobody knows here, and a newer version of one that is known."""
    import hashlib

    odd = []
    for kind, version, data in (("prophecy", 1, b'{"kind":"prophecy"}'), ("note", 99, b'{"kind":"note","new":1}')):
        seq = head.seq + 1
        salt = bytes([seq] * 16)
        envelope = msgspec.structs.replace(
            last.envelope,
            seq=seq,
            id=f"id-{seq}",
            hlc=(START_MS + seq) << 16,
            kind=kind,
            body_version=version,
            body_digest=hashlib.sha256(salt + data).digest(),
            prev=head.digest,
        )
        raw = msgspec.msgpack.encode(envelope)
        odd.append(open_entry(raw, salt, data))
        head = Head(seq, hashlib.sha256(raw).digest())
    return odd


def main(version: str) -> None:
    """Write both files."""
    path = HERE / f"{version}.db"
    path.unlink(missing_ok=True)
    store = SqliteStore(path)
    store.journal.append(lines())
    store.journal.forget_body("id-11")
    store.writing.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    store.writing.execute("PRAGMA journal_mode=DELETE").fetchall()
    store.close()
    expected = [
        {
            "id": entry.envelope.id,
            "kind": entry.envelope.kind,
            "body": None if entry.envelope.id == "id-11" or entry.body is None else msgspec.to_builtins(entry.body),
        }
        for entry in lines()
    ]
    (HERE / f"{version}.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
