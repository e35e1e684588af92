"""What a phone says of a drawing that is known: how it was changed, and nothing where it is as it was."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from aquila.app.clockwork import real_clockwork
from aquila.app.engine import open_engine
from aquila.app.parts import load_features
from aquila.app.turns import deliver_to
from aquila.codecs.cot import cot_xml
from aquila.core.codec import Decoded
from aquila.core.model import Entry, Principal, Removal, Report
from aquila.core.policy import Policy
from aquila.features.picture.changes import CHANGE
from aquila.testing.codecs import decoded, vectors_beside

ATAK = {vector.name: vector.wire for vector in vectors_beside("aquila.codecs.cot", "cot-xml")}
PHONE = Principal(
    id="device:ATAK", kind="device", name="ATAK", context="real", clearance="UNCLASSIFIED",
    groups_in=frozenset({"COMMON"}), groups_out=frozenset({"COMMON"}), nation="ITA",
)  # fmt: skip


def later(wire: bytes, second: int) -> bytes:
    """The same event, said some seconds after."""
    return re.sub(rb"(time|start)='([^']*):12\.345Z'", rb"\1='\2:%d.345Z'" % (12 + second), wire)


def said_of(folder: Path, *wires: bytes) -> list[str | None]:
    """The word of change of each event that a phone says, one after the other."""

    async def run() -> list[str | None]:
        entries: list[Entry] = []
        engine = open_engine(
            folder, name="A", context=None, policy=Policy(), features=load_features(), clockwork=real_clockwork(),
            deliver=deliver_to(asyncio.get_running_loop()),
        )  # fmt: skip
        engine.on_entries.append(entries.extend)
        for number, wire in enumerate(wires):
            (event,) = decoded(cot_xml, [later(wire, number)])
            assert isinstance(event, Decoded)
            assert engine.hear(event, PHONE, "tcp", "cot-xml") is None
            while sum(isinstance(entry.body, Report | Removal) for entry in entries) <= number:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await asyncio.to_thread(engine.close)
        return [entry.body.fields.get(CHANGE) for entry in entries if isinstance(entry.body, Report)]

    return asyncio.run(run())


OTHERS = ("route", "range_and_bearing", "spot_marker")


@pytest.mark.parametrize("name", [*(name for name in ATAK if name.startswith("drawing_")), *OTHERS])
def test_what_is_said_again_is_the_same(tmp_path: Path, name: str) -> None:
    assert said_of(tmp_path / "node", ATAK[name], ATAK[name]) == [None, "same"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda wire: wire.replace(b"Mined area", b"Cleared area"), "renamed"),
        (lambda wire: wire.replace(b"42.88,74.58", b"42.89,74.58"), "reshaped"),
        (lambda wire: wire.replace(b"value='-256'", b"value='-65536'"), "restyled"),
        (lambda wire: wire.replace(b"</detail>", b"<remarks>mines</remarks></detail>"), "changed"),
        # The height of the ground, and the last figure of a place.
        (lambda wire: wire.replace(b"hae='812.3' ce='9.9'", b"hae='815.0' ce='3.0'"), "same"),
        (lambda wire: wire.replace(b"42.88,74.58", b"42.8800000001,74.58"), "same"),
    ],
)
def test_a_change_of_a_phone_is_a_change(tmp_path: Path, change: Callable[[bytes], bytes], word: str) -> None:
    wire = ATAK["drawing_polygon"]
    assert change(wire) != wire
    assert said_of(tmp_path / "node", wire, change(wire), change(wire)) == [None, word, "same"]
