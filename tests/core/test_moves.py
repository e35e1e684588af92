"""Moves: the newest of everything, in any order, found by id, callsign and foreign identity."""

import gc
import sys
import threading
from time import sleep
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila.core import moves as moves_module
from aquila.core.ids import entity_id
from aquila.core.model import Label, Sample, Stamp
from aquila.core.moves import Moves
from aquila.testing.memory_node import report_of
from aquila.testing.views import folded_in_any_order

LABEL = Label("P", "UNCLASSIFIED", (), ("a",))


def heard(uid: str, number: int, name: str = "", ended: bool = False) -> Sample:
    return Sample(
        report=report_of(uid, float(number % 90), 7.0, 1_000 + number, name=name or uid, ended=ended),
        stamp=Stamp(number, "n", 1, 0),
        author="device:A",
        via="tak",
        label=LABEL,
        context="REAL",
        received_at_ms=1_000 + number,
    )


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 30), st.booleans()), max_size=30, unique_by=lambda row: row[1]
    ),
    st.randoms(),
)
def test_any_order_keeps_the_newest(rows: Any, dice: Any) -> None:
    arrivals = [heard(uid, number, ended=ended) for uid, number, ended in rows]
    one, other, _ = folded_in_any_order(Moves, arrivals, dice)
    for uid in "abc":
        number, ended = max(((number, ended) for each, number, ended in rows if each == uid), default=(None, False))
        move = one.of("REAL", entity_id("cot", uid))
        assert (None if move is None else move.stamp.hlc) == number
        assert other.of("REAL", entity_id("cot", uid)) == move
        there = None if ended else move
        assert one.called("REAL", (uid,)) == there
        assert (move in list(other.all("REAL"))) is (there is not None)


def test_threads_that_ask_while_it_folds_hear_no_fault_and_nothing_old_stays() -> None:
    view, faults, over = Moves(), list[Exception](), threading.Event()

    def ask() -> None:
        try:
            while not over.is_set():
                view.called("REAL", ("NAME 7", "nobody"))
                view.items()
        except (TypeError, KeyError, RuntimeError) as fault:
            faults.append(fault)

    def other_threads_turn(*_: object) -> None:
        """A finaliser in Python, as any library may have one."""
        sleep(1e-6)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    before_s, often = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-5)
    gc.callbacks.append(other_threads_turn)
    gc.set_threshold(50)
    try:
        for thread in threads:
            thread.start()
        for number in range(6_000):
            view.fold(heard(f"uid {number % 3_000}", number, f"NAME {number}", ended=number % 7 == 0))
    finally:
        over.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(before_s)
        gc.callbacks.remove(other_threads_turn)
        gc.set_threshold(*often)
    assert not faults, faults[0]
    assert view.called("REAL", ("NAME 5998",)) is not None
    assert view.called("REAL", ("NAME 7",)) is None
    assert len(view.items()) == sum(not move.report.ended for move in view._newest.values())


def test_it_is_found_by_whatever_it_is_called_in_its_own_context() -> None:
    view = Moves()
    view.fold(heard("ANDROID-1", 1, "FOX"))
    for name in ("FOX", "ANDROID-1", "cot:ANDROID-1"):
        found = view.called("REAL", ("nobody", name))
        assert found is not None, name
        assert found.name == "FOX"
    assert view.called("EXERCISE:X", ("FOX",)) is None
    assert list(view.all("EXERCISE:X")) == []


@pytest.mark.parametrize("order", [1, -1])
def test_the_bound_lets_go_of_those_heard_longest_ago(monkeypatch: pytest.MonkeyPatch, order: int) -> None:
    monkeypatch.setattr(moves_module, "MOVERS_MAX", 5)
    monkeypatch.setattr(moves_module, "SLACK", 2)
    view = Moves()
    for number in range(20)[::order]:
        view.fold(heard(f"u{number}", number))
    view.snapshot()
    assert {move.stamp.hlc for move in view.all("REAL")} == {15, 16, 17, 18, 19}


def test_what_has_ended_is_nowhere_until_it_is_heard_again() -> None:
    view = Moves()
    view.fold(heard("T1", 1))
    assert [move.name for _, move in view.items()] == ["T1"]
    view.fold(heard("T1", 2, ended=True))
    assert view.items() == []
    assert view.called("REAL", ("T1",)) is None
    view.fold(heard("T1", 3))
    assert [move.stamp.hlc for _, move in view.items()] == [3]
