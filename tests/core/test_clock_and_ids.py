"""The hybrid clock never goes back; derived ids agree everywhere."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from aquila.core.hlc import MAX_AHEAD_MS, HybridClock, hlc_ms
from aquila.core.ids import derived_id, entity_id, statement_id, uuid7_source


@given(st.lists(st.tuples(st.integers(-10_000, 10_000), st.booleans()), max_size=50))
def test_readings_increase_whatever_the_wall_clock_does(
    steps: list[tuple[int, bool]],
) -> None:
    wall = [1_700_000_000_000]
    clock = HybridClock(lambda: wall[0])
    last = 0
    for step, remote in steps:
        wall[0] += step
        if remote:
            clock.hear((wall[0] + step) << 16)
        reading = clock.tick()
        assert reading > last
        last = reading


def test_a_clock_far_ahead_is_clamped_and_counted() -> None:
    clock = HybridClock(lambda: 1_000_000)
    heard = clock.hear((1_000_000 + 3 * MAX_AHEAD_MS) << 16)
    assert hlc_ms(heard) == 1_000_000 + MAX_AHEAD_MS
    assert clock.clamped_count == 1


def test_readings_go_on_after_a_restart_with_a_clock_that_went_back() -> None:
    assert HybridClock(lambda: 5, last=1 << 40).tick() == (1 << 40) + 1


def test_two_nodes_give_the_same_entity_the_same_id() -> None:
    assert entity_id("cot", "ANDROID-1") == "e28a23d2-3de4-5560-97e6-d0dc53f1880d"
    assert uuid.UUID(entity_id("cot", "ANDROID-1")).version == 5
    assert entity_id("cot", "ANDROID-1") != entity_id("mmsi", "ANDROID-1")


def test_the_same_statement_is_the_same_and_an_edit_is_another() -> None:
    assert statement_id("cot", "u", 1, b"x") == statement_id("cot", "u", 1, b"x")
    assert statement_id("cot", "u", 1, b"x") != statement_id("cot", "u", 1, b"y")
    assert derived_id("overdue", 1, "cause") == derived_id("overdue", 1, "cause")


def test_new_ids_are_version_seven_and_sort_by_time() -> None:
    wall = [1_700_000_000_000]
    new_id = uuid7_source(lambda: wall[0], lambda count: bytes(count))
    first = new_id()
    wall[0] += 1
    assert uuid.UUID(first).version == 7
    assert first < new_id()
