"""A view that says that it hears no positions is not called for them, and loses nothing by it."""

from collections.abc import Mapping
from typing import Any

import pytest

from aquila.app.parts import load_features
from aquila.core.ids import entity_id
from aquila.core.model import REAL, Alias, Label, Position, Report, Sample, Stamp
from aquila.core.node import Identity, Node
from aquila.core.owners import Owners
from aquila.core.policy import Policy
from aquila.core.view import View, hears_positions

VIEWS: Mapping[str, Any] = {
    "owners": Owners,
    **{make().name: make for feature in load_features() for make in feature.views},
}
SAMPLE = Sample(
    report=Report(
        entity=entity_id("cot", "U"),
        alias=Alias("cot", "U"),
        type="a-f-G-U-C",
        sidc="10031000000000000000",
        category="unit",
        observed_at_ms=1_772_359_900_000,
        own=True,
        name="ALFA",
        position=Position(42.0, 74.0),
    ),
    stamp=Stamp(1_772_359_900_000 << 16, "n", 1, 0),
    author="device:A",
    via="tcp:1",
    label=Label("P", "UNCLASSIFIED", ("ITA",), ("G",)),
    context=REAL,
    received_at_ms=1_772_359_900_000,
)


@pytest.mark.parametrize("name", [name for name, make in VIEWS.items() if not hears_positions(make())])
def test_a_position_says_nothing_to_a_view_that_is_spared(name: str) -> None:
    view: View = VIEWS[name]()
    before = view.snapshot()
    view.fold(SAMPLE)
    assert view.snapshot() == before


def test_the_node_folds_positions_into_those_only_that_hear_them() -> None:
    class Counting:
        name, version = "counting", 1

        def __init__(self) -> None:
            self.count = 0

        def fold(self, arrival: object) -> None:
            self.count += 1

        def snapshot(self) -> bytes:
            return b""

        def restore(self, data: bytes) -> None:
            """Nothing is kept."""

    class Spared(Counting):
        name, hears_positions = "spared", False

    hearing, spared = Counting(), Spared()
    node = Node(
        Identity("n", 1, "n"),
        REAL,
        Policy(),
        clock_ms=lambda: 1_772_359_900_000,
        new_id=lambda: "i",
        salt=bytes,
        views={"hearing": hearing, "spared": spared},
    )
    node.sampled(SAMPLE)
    node.tick()
    assert (hearing.count, spared.count) == (2, 1)
    assert "picture" in [name for name, make in VIEWS.items() if hears_positions(make())]
