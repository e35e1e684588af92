"""A recording: what was heard comes back as it was, a cut end ends it, and damage is said, never guessed."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila.app.parts import load_features
from aquila.app.replay import replay_file
from aquila.core.errors import UsageError
from aquila.core.ids import entity_id
from aquila.core.journal import Head, Staged, make_entry
from aquila.core.model import (
    Alias,
    Arrival,
    Body,
    Draft,
    Entry,
    Foreign,
    Note,
    Original,
    Position,
    Report,
    Sample,
    Stamp,
    Tick,
)
from aquila.core.owners import Owners
from aquila.core.policy import Policy
from aquila.core.recording import LENGTH_BYTES, decode_recording, encode_arrival, replay
from aquila.core.view import View, state_hash

LABEL = Policy().default_label
START_MS = 1_790_000_000_000


class Vault:
    """A sealer whose one key may be dropped."""

    def __init__(self) -> None:
        self.key: int | None = 0x5A

    def seal(self, subjects: Sequence[str], body: bytes, nonce: bytes) -> bytes:
        return bytes(each ^ 0x5A for each in body)

    def open(self, subjects: Sequence[str], sealed: bytes) -> bytes | None:
        return None if self.key is None else bytes(each ^ self.key for each in sealed)


def report(number: int) -> Report:
    return Report(
        entity=entity_id("cot", f"U{number}"),
        alias=Alias("cot", f"U{number}"),
        type="a-f-G-U-C",
        sidc="10031000001200000000",
        category="unit",
        observed_at_ms=START_MS + number,
        name=f"Қазақстан {number}",
        position=Position(43.0 + number / 100, 76.9, None, 12.5),
        fields={"line": "1"},
    )


def entry(number: int, body: Body, subjects: tuple[str, ...] = (), original: bytes | None = None) -> Entry:
    draft = Draft(
        body=body,
        author="device:a",
        via="tcp",
        label=LABEL,
        context="REAL",
        happened_at_ms=START_MS,
        received_at_ms=START_MS,
        subjects=subjects,
        original=None if original is None else Original("cot-xml", original),
    )
    staged = Staged(draft=draft, id=f"id-{number}", hlc=number << 16, salt=bytes(16))
    made, _ = make_entry(staged, node="n", epoch=1, head=Head(number - 1), sealer=Vault())
    return msgspec.structs.replace(made, arrival=number)


def sample(number: int) -> Sample:
    return Sample(
        report=report(number),
        stamp=Stamp(number << 16, "n", 1, 0),
        author="device:a",
        via="udp",
        label=LABEL,
        context="REAL",
        received_at_ms=START_MS + number,
        original=Original("tak-v1", b"\xbf\x01\xbf"),
    )


HEARD: list[Arrival] = [
    entry(1, Note(room="red", text="first", happened_at_ms=1), original=b"<event/>"),
    sample(2),
    Tick(START_MS, Stamp(3 << 16, "n", 1, 0)),
    entry(4, report(4)),
    entry(5, Foreign(alias=Alias("cot", "x"), type="b-f-t-r", happened_at_ms=2)),
    sample(6),
    Tick(START_MS + 1000, Stamp(7 << 16, "n", 1, 0)),
]
FRAMES = [encode_arrival(arrival) for arrival in HEARD]
WHOLE = b"".join(FRAMES)


def hash_of(arrivals: Sequence[Arrival]) -> str:
    views: list[View] = [make() for feature in load_features() for make in feature.views]
    views.append(Owners())
    replay(arrivals, views)
    return state_hash(views)


def test_what_was_heard_comes_back_as_it_was_and_in_order() -> None:
    assert list(decode_recording(WHOLE)) == HEARD


def test_an_empty_recording_holds_nothing() -> None:
    assert list(decode_recording(b"")) == []


@given(st.integers(0, len(WHOLE)))
def test_a_recording_cut_anywhere_gives_every_whole_frame_before_the_cut(cut: int) -> None:
    ends = [sum(map(len, FRAMES[: index + 1])) for index in range(len(FRAMES))]
    assert list(decode_recording(WHOLE[:cut])) == HEARD[: sum(end <= cut for end in ends)]


def test_a_replay_folds_to_the_state_of_the_node_that_recorded(tmp_path: Path) -> None:
    path = tmp_path / "node.rec"
    path.write_bytes(WHOLE)
    replayed = replay_file(path)
    assert (replayed.entries, replayed.samples, replayed.ticks) == (3, 2, 2)
    assert replayed.state_hash == hash_of(HEARD)
    assert replayed.state_hash != hash_of(HEARD[:-2])


def test_a_sealed_body_is_recorded_sealed_and_read_only_with_its_key() -> None:
    sealed = entry(1, Note(room="log", text="about a person", happened_at_ms=1), subjects=("person:x",))
    data = encode_arrival(sealed)
    vault = Vault()
    assert b"about a person" not in data
    assert [each.body for each in decode_recording(data, vault) if isinstance(each, Entry)] == [sealed.body]
    vault.key = None
    for sealer in (vault, None):
        [back] = decode_recording(data, sealer)
        assert isinstance(back, Entry)
        assert back.body is None
        assert back.body_bytes == sealed.body_bytes


def test_a_statement_of_an_unknown_kind_is_kept_untouched() -> None:
    known = entry(1, Note(room="log", text="x", happened_at_ms=1))
    unknown = msgspec.structs.replace(known, body_bytes=b'{"kind":"of tomorrow"}', body=None)
    assert list(decode_recording(encode_arrival(unknown))) == [unknown]


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("a frame that is no MessagePack", (3).to_bytes(LENGTH_BYTES, "little") + b"\xc1\xc1\xc1"),
        ("a frame of an unknown sort", (9).to_bytes(LENGTH_BYTES, "little") + b"\x92\xa6absent\x01"),
        ("an empty frame", bytes(LENGTH_BYTES)),
        ("an envelope that is none", b"".join((FRAMES[1], FRAMES[0].replace(b"device:a", b"device\xff\xff")))),
        ("a text file", b"# Notes\n\nNothing recorded here, only words and words.\n" * 3),
        ("an empty file", b""),
    ],
)
def test_what_is_no_recording_is_said_with_the_name_of_the_file(what: str, data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "damaged.rec"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=r"damaged\.rec"):
        replay_file(path)


def test_a_recording_that_cannot_be_read_is_said_with_what_to_name_instead(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.rec cannot be read .*: name a \*\.rec file"):
        replay_file(tmp_path / "absent.rec")


@given(st.data())
def test_damaged_bytes_give_a_decode_error_or_arrivals_and_nothing_else(data: st.DataObject) -> None:
    damaged = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    arrivals = decode_recording(bytes(damaged))
    try:
        for arrival in arrivals:
            assert isinstance(arrival, Entry | Sample | Tick)
    except msgspec.DecodeError:
        return
