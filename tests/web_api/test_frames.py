import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aquila.features.access import principal_of
from aquila.web_api import frames
from aquila.web_api.release import Releaser
from aquila.web_api.table import Table

VECTORS = json.loads((Path(__file__).parents[2] / "web" / "test" / "frames.json").read_text())["vectors"]


def columns_of(positions: list[dict[str, Any]], base_ms: int) -> tuple[frames.Columns, Any]:
    """Rounded as the table rounds; checked against the table below."""
    length = max((each["handle"] for each in positions), default=0) + 1
    kinds = {"lat_e7": "<i4", "lon_e7": "<i4", "alt_m": "<i2", "speed": "<u2", "course": "<u2", "observed_ms": "<i8"}
    columns = {name: np.zeros(length, dtype=kind) for name, kind in kinds.items()}
    for each in positions:
        handle, speed, course, alt = each["handle"], each["speed_mps"], each["course_deg"], each["alt_m"]
        columns["lat_e7"][handle] = round(each["lat_deg"] * 1e7)
        columns["lon_e7"][handle] = round(each["lon_deg"] * 1e7)
        columns["alt_m"][handle] = frames.NO_ALTITUDE if alt is None else alt
        columns["speed"][handle] = frames.NO_VALUE if speed is None else round(speed * 10)
        columns["course"][handle] = frames.NO_VALUE if course is None else round(course * 100)
        columns["observed_ms"][handle] = base_ms - each["age_ms"]
    return columns, np.array([each["handle"] for each in positions], dtype=np.intp)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_page_and_the_node_agree_on_every_frame(vector: dict[str, Any]) -> None:
    sequence, base_ms = vector["sequence"], vector["base_time_ms"]
    wanted = bytes.fromhex(vector["hex"])
    match vector["kind"]:
        case frames.POSITIONS:
            columns, chosen = columns_of(vector["positions"], base_ms)
            made = frames.positions(columns, chosen, sequence, base_ms)
        case frames.META:
            made = frames.meta([json.dumps(row).encode() for row in vector["metas"]], sequence, base_ms)
            assert json.loads(made[frames.HEADER_BYTES :]) == json.loads(wanted[frames.HEADER_BYTES :])
            made, wanted = made[: frames.HEADER_BYTES], wanted[: frames.HEADER_BYTES]
        case frames.REMOVE:
            made = frames.remove(np.array(vector["handles"]), sequence, base_ms)
        case frames.SNAPSHOT:
            made = frames.snapshot(sequence, base_ms)
        case _:
            made = frames.heartbeat(sequence, base_ms)
    # Bytes 6 and 7 are the mask, which the page reads in positions only.
    if vector["kind"] != frames.POSITIONS:
        made, wanted = made[:6] + made[8:], wanted[:6] + wanted[8:]
    assert made == wanted


def test_the_table_rounds_and_marks_what_is_unknown(port: Any) -> None:
    port.place("A", 42.80000004, -179.99999996)
    port.place("B", -90, 180, motion=None)
    port.place("C", 0, 0, position=None, geometry=None)
    table = Table(port.views["picture"], Releaser(port.policy, reader(port)))
    assert not table.refresh()
    columns = table.columns
    assert columns["lat_e7"][:2].tolist() == [428_000_000, -900_000_000]
    assert columns["lon_e7"][:2].tolist() == [-1_800_000_000, 1_800_000_000]
    assert columns["speed"][:2].tolist() == [15, frames.NO_VALUE]
    assert columns["placed"][:3].tolist() == [True, True, False]


def reader(port: Any) -> Any:
    return principal_of(port.admit_person("token", "t", "viewer"), port.context)


def test_what_an_audience_may_not_have_does_not_even_move_a_row(port: Any) -> None:
    port.place("A", 42, 77)
    table = Table(port.views["picture"], Releaser(port.policy, reader(port)))
    table.refresh()
    moved = table.columns["moved"].copy()
    port.place("A", 43, 77, port.national)
    table.refresh()
    assert (table.columns["moved"] == moved).all()


def test_handles_count_only_what_the_audience_knows(port: Any) -> None:
    for number in range(300):
        port.place(f"S{number}", 42, 77, port.national)
    port.place("A", 42, 77)
    table = Table(port.views["picture"], Releaser(port.policy, reader(port)))
    while table.refresh():
        pass
    assert table.size == 1
    assert table.counts(port.now_ms) == (1, 1)
    assert table.counts(port.now_ms + 60_001) == (1, 0)
