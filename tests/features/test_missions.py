import copy
import gc
import tracemalloc
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aquila.core.journal import MemoryJournal
from aquila.core.model import Act
from aquila.features.missions import Missions
from aquila.features.missions import view as missions_view
from aquila.features.missions.edits import no_room
from aquila.features.missions.view import Mission
from aquila.testing.views import folded_in_any_order

MIB = 1 << 20
ACTIONS = ("create", "add", "remove", "groups", "delete", "change", "other")


def act(make: Any, number: int, action: str, which: int) -> Any:
    key = f"uid/u{which}" if which % 2 else f"field/f{which}"
    detail = {"by": f"c{which}", key: "" if action == "remove" else f'"{number}"'}
    if action == "create":
        detail["name"] = f"OPS {which % 2}"
    if action == "delete" and number % 3:
        action = "change"
    body = Act(action=f"mission.{action}", target=f"g{which % 3}", happened_at_ms=make.start_ms, detail=detail)
    return make.entry(body, number, label=make.labels[number % 3])


ROWS = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 5)), max_size=40)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, dice=st.randoms(use_true_random=False))
def test_any_order_folds_to_the_same_state_and_a_snapshot_is_enough(make: Any, rows: Any, dice: Any) -> None:
    heard = [act(make, number, *row) for number, row in enumerate(rows, 1)]
    one, other, third = folded_in_any_order(Missions, heard, dice)
    for guid in ("g0", "g1", "g2"):
        shown = [told(view, guid) for view in (one, other, third)]
        assert shown[0] == shown[1] == shown[2]


def told(view: Missions, guid: str) -> Any:
    """All that a reader of the view can see of a mission."""
    mission = view.mission(guid)
    if mission is None:
        return None
    cells = [cell for kind in ("uid", "field") for cell in mission.of_kind(kind)]
    marks = [mission.label_of(cell.said) for cell in cells]
    named = [each.guid for each in view.named(mission.context, mission.name)]
    sizes = mission.edited_ms, mission.size_bytes
    return mission.name, mission.label, mission.deleted, cells, marks, sorted(mission.changes), sizes, named


@pytest.mark.parametrize("order", [1, -1])
def test_the_newest_changes_are_kept_in_any_order(make: Any, monkeypatch: pytest.MonkeyPatch, order: int) -> None:
    monkeypatch.setattr(missions_view, "CHANGES_MAX", 10)
    monkeypatch.setattr(missions_view, "SLACK", 3)
    missions = Missions()
    for number in range(1, 41)[::order]:
        missions.fold(act(make, number, "create" if number == 1 else "add", 3))
    kept = Missions()
    kept.restore(missions.snapshot())
    mission = kept.mission("g0")
    assert mission is not None
    assert len(mission.changes) == 10
    assert min(stamp.hlc for stamp, _ in mission.changes) == make.stamp(31).hlc


def test_the_number_of_a_change_outlives_a_snapshot(make: Any) -> None:
    journal, missions = MemoryJournal(), Missions()
    for entry in journal.append([act(make, 1, "create", 3), act(make, 2, "other", 3), act(make, 3, "add", 3)]):
        missions.fold(entry)
    again = Missions()
    again.restore(missions.snapshot())
    for view in (missions, again):
        mission = view.mission("g0")
        assert mission is not None
        seqs = {view.seq(cell.said.entry, journal) for cell in mission.changes.values()}
        assert seqs == {1, 2, 3}
    assert again.seq("nobody's", journal) == 0


def test_a_snapshot_holds_each_act_once(make: Any) -> None:
    missions = Missions()
    cells = {f"uid/u{number}": "{}" for number in range(1000)}
    body = Act(action="mission.create", target="g", happened_at_ms=0, detail={"by": "c", "name": "OPS", **cells})
    missions.fold(make.entry(body, 1))
    assert len(missions.snapshot()) < len(msgspec.json.encode(cells)) * 1.5


def test_a_deleted_mission_gives_its_memory_back(make: Any) -> None:
    missions = Missions()
    for number in range(1, 3_001):
        missions.fold(act(make, number, "create" if number == 1 else "add", 3))
        uids = {f"uid/{number} {each}": "{}" for each in range(10)}
        body = Act(action="mission.add", target="g0", happened_at_ms=make.start_ms, detail={"by": "c", **uids})
        missions.fold(msgspec.structs.replace(make.entry(body, 10_000 + number), arrival=number))
    mission = missions.mission("g0")
    assert mission is not None
    assert mission.size_bytes > 500_000
    gc.collect()
    tracemalloc.start()
    try:
        delete = Act(action="mission.delete", target="g0", happened_at_ms=make.start_ms, detail={})
        grown = copy.deepcopy(missions)
        held_bytes = tracemalloc.get_traced_memory()[0]
        grown.fold(make.entry(delete, 20_000))
        gc.collect()
        left_bytes = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held_bytes > 5_000_000
    assert left_bytes < held_bytes / 50
    assert len(grown.snapshot()) < 1_000


def test_what_comes_late_into_a_deleted_mission_takes_no_room(make: Any) -> None:
    missions = Missions()
    missions.fold(act(make, 1, "create", 3))
    body = Act(action="mission.delete", target="g0", happened_at_ms=make.start_ms, detail={})
    missions.fold(make.entry(body, 3))
    before = missions.snapshot()
    missions.fold(act(make, 2, "add", 3))
    assert missions.snapshot() == before


def grown(missions: Missions, make: Any, guid: str, author: str, size_bytes: int, first: int) -> Mission:
    """A mission with a log of about so many bytes."""
    create = Act(action="mission.create", target=guid, happened_at_ms=make.start_ms, detail={"name": guid})
    missions.fold(make.entry(create, first, author=author))
    for number in range(1, 1 + size_bytes // MIB):
        said = Act(
            action="mission.log", target=guid, happened_at_ms=make.start_ms, detail={f"log/{number}": "x" * (MIB - 5)}
        )
        missions.fold(make.entry(said, first + number, author=author))
    found = missions.mission(guid)
    assert found is not None
    return found


def test_a_mission_its_creator_and_a_node_hold_so_much_and_a_deletion_frees_it(make: Any) -> None:
    missions = Missions()
    ann = [grown(missions, make, f"a{number}", "device:ANN", 7 * MIB, 100 * number) for number in range(1, 5)]
    assert 7 * MIB - 100 < ann[0].size_bytes <= 7 * MIB
    standing = missions.missions()
    assert no_room(standing, ann[0], "device:ANN", MIB - 1) is None
    full = no_room(standing, ann[0], "device:ANN", MIB + 100)
    assert full is not None
    assert "this mission would hold" in full.detail
    full = no_room(standing, None, "device:ANN", 5 * MIB)
    assert full is not None
    assert "the missions of its creator would hold" in full.detail
    assert no_room(standing, None, "device:BOB", 5 * MIB) is None
    full = no_room(standing * 5, None, "device:BOB", MIB)
    assert full is not None
    assert "the missions of this node would hold" in full.detail
    gone = Act(action="mission.delete", target="a1", happened_at_ms=make.start_ms, detail={})
    missions.fold(make.entry(gone, 900))
    assert ann[0].size_bytes == 0
    assert no_room(missions.missions(), None, "device:ANN", 5 * MIB) is None
