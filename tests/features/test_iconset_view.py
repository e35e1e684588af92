from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aquila.core.model import Act
from aquila.features.packages import iconset_view
from aquila.features.packages.iconset_view import Iconsets
from aquila.testing.views import folded_in_any_order

ACTIONS = ("iconset.add", "iconset.remove", "other.act")


def act(make: Any, number: int, action: str, which: int) -> Any:
    detail = {"uid": f"u{which}", "name": "n", "hash": f"{number}", "size_bytes": "7"} if action.endswith("add") else {}
    body = Act(action=action, target=f"t{which}", happened_at_ms=make.start_ms, detail=detail)
    return make.entry(body, number, label=make.labels[number % 3])


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 5)), max_size=40),
    dice=st.randoms(use_true_random=False),
)
def test_any_order_folds_to_the_same_state_and_a_snapshot_is_enough(make: Any, rows: Any, dice: Any) -> None:
    heard = [act(make, number, *row) for number, row in enumerate(rows, 1)]
    folded_in_any_order(Iconsets, heard, dice)


@pytest.mark.parametrize("order", [1, -1])
def test_the_oldest_are_forgotten_in_any_order(make: Any, monkeypatch: pytest.MonkeyPatch, order: int) -> None:
    monkeypatch.setattr(iconset_view, "ICONSETS_MAX", 10)
    monkeypatch.setattr(iconset_view, "SLACK", 3)
    view = Iconsets()
    for number in range(1, 41)[::order]:
        view.fold(act(make, number, "iconset.add", number))
    kept = Iconsets()
    kept.restore(view.snapshot())
    assert {each.uid for each in kept.iconsets()} == {f"u{number}" for number in range(31, 41)}
    assert kept.needs_file("40", 0)
    assert not kept.needs_file("1", 0)
