"""The chain, the digests, the upcasters and the idempotent merge of the journal."""

import hashlib
import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila.core.journal import (
    Head,
    MemoryJournal,
    Staged,
    decode_body,
    digest_matches,
    make_entry,
    open_entry,
    verify_chain,
)
from aquila.core.model import Draft, Entry, Note, Paper
from aquila.core.policy import Policy

LABEL = Policy().default_label


def staged(number: int, text: str = "line", subjects: tuple[str, ...] = ()) -> Staged:
    note = Note(room="log", text=f"{text} {number}", happened_at_ms=number)
    draft = Draft(
        body=note,
        author="person:a",
        via="web",
        label=LABEL,
        context="REAL",
        happened_at_ms=number,
        received_at_ms=number,
        subjects=subjects,
    )
    return Staged(
        draft=draft,
        id=f"id-{number}",
        hlc=number << 16,
        salt=bytes([number % 256] * 16),
    )


def chain(count: int, node: str = "n") -> list[Entry]:
    head, entries = Head(), []
    for number in range(1, count + 1):
        entry, head = make_entry(staged(number), node=node, epoch=1, head=head)
        entries.append(entry)
    return entries


def test_a_whole_chain_has_no_fault() -> None:
    assert verify_chain(chain(20)) == []


@given(
    st.integers(0, 9),
    st.sampled_from(["drop", "swap", "body", "envelope"]),
    st.integers(0, 2**31),
)
def test_every_tampering_is_found(at: int, how: str, seed: int) -> None:
    entries = chain(11)
    dice = random.Random(seed)
    if how == "drop":
        del entries[at]
    elif how == "swap":
        entries[at], entries[at + 1] = entries[at + 1], entries[at]
    else:
        field = "body_bytes" if how == "body" else "envelope_bytes"
        flipped = bytearray(getattr(entries[at], field))
        place = dice.randrange(len(flipped))
        flipped[place] ^= 1 << dice.randrange(8)
        entries[at] = msgspec.structs.replace(entries[at], **{field: bytes(flipped)})
    assert verify_chain(entries) != []


def test_an_erased_body_leaves_the_chain_whole() -> None:
    entries = chain(5)
    entries[2] = msgspec.structs.replace(entries[2], body_bytes=None, body=None)
    assert verify_chain(entries) == []
    with pytest.raises(ValueError, match="stub"):
        digest_matches(entries[2])


def test_an_entry_read_back_is_the_same() -> None:
    [entry] = chain(1)
    again = open_entry(entry.envelope_bytes, entry.salt, entry.body_bytes)
    assert again.envelope == entry.envelope
    assert again.body == entry.body


class Vault:
    """A sealer for tests: the key is the subject's name."""

    def __init__(self) -> None:
        self.keys = {"PERSON1": b"k1"}

    def seal(self, subjects: tuple[str, ...], body: bytes, nonce: bytes) -> bytes:
        return hashlib.sha256(nonce + self.keys[subjects[0]]).digest() + body[::-1]

    def open(self, subjects: tuple[str, ...], sealed: bytes) -> bytes | None:
        return sealed[32:][::-1] if subjects[0] in self.keys else None


def test_a_body_about_a_person_is_sealed_and_can_be_erased() -> None:
    vault = Vault()
    entry, _ = make_entry(staged(1, "born in", ("PERSON1",)), node="n", epoch=1, head=Head(), sealer=vault)
    assert entry.body_bytes is not None
    assert b"born in" not in entry.body_bytes
    assert open_entry(entry.envelope_bytes, entry.salt, entry.body_bytes, sealer=vault).body == entry.body
    vault.keys.clear()
    erased = open_entry(entry.envelope_bytes, entry.salt, entry.body_bytes, sealer=vault)
    assert erased.body is None
    assert verify_chain([erased]) == []


def test_a_body_about_a_person_never_lies_open() -> None:
    with pytest.raises(ValueError, match="sealer"):
        make_entry(staged(1, "x", ("PERSON1",)), node="n", epoch=1, head=Head())


def test_an_old_body_is_lifted_to_the_present_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Note, "VERSION", 3)
    upcasters = {
        ("note", 1): lambda fields: {**fields, "text": fields.pop("words")},
        ("note", 2): lambda fields: {**fields, "room": fields["room"].lower()},
    }
    old = b'{"kind":"note","room":"LOG","words":"hello","happened_at_ms":7}'
    assert decode_body("note", 1, old, upcasters) == Note(room="log", text="hello", happened_at_ms=7)


def test_an_unknown_kind_or_a_newer_version_is_kept_unread() -> None:
    assert decode_body("prophecy", 1, b"{}") is None
    assert decode_body("note", 99, b"{}") is None


def test_a_body_with_numbers_that_nobody_can_keep_is_kept_unread() -> None:
    # Also one that a node of before wrote, or a peer: its bytes stay, no view folds it.
    said = b'{"kind":"paper","type":"x.y","target":"T","action":"a","happened_at_ms":1,"fields":{"n":%d}}'
    assert decode_body("paper", Paper.VERSION, said % (1 << 64)) is None
    assert decode_body("paper", Paper.VERSION, said % ((1 << 64) - 1)) is not None


@given(st.lists(st.integers(0, 9), max_size=40))
def test_merging_any_order_with_repeats_keeps_each_once(picks: list[int]) -> None:
    entries = chain(10)
    journal = MemoryJournal()
    new = [len(journal.append([entries[pick]])) for pick in picks]
    assert sum(new) == len(set(picks)) == journal.last_arrival()
    kept = journal.read(0, 100)
    assert [entry.arrival for entry in kept] == list(range(1, len(kept) + 1))
    assert [entry.envelope.id for entry in kept] == [f"id-{pick + 1}" for pick in dict.fromkeys(picks)]
