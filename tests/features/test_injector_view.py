from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aquila.core.model import Act
from aquila.features.tak.injectors import Injectors, injected
from aquila.testing.views import folded_in_any_order

ACTIONS = ("injector.add", "injector.remove", "other.act")


def act(make: Any, number: int, action: str, which: int) -> Any:
    detail = {"uid": f"u{which % 2}", "xml": f"<a{which}/>"}
    body = Act(action=action, target=f"t{which}", happened_at_ms=make.start_ms, detail=detail)
    return make.entry(body, number, label=make.labels[number % 3])


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 5)), max_size=40),
    dice=st.randoms(use_true_random=False),
)
def test_any_order_folds_to_the_same_state_and_a_snapshot_is_enough(make: Any, rows: Any, dice: Any) -> None:
    heard = [act(make, number, *row) for number, row in enumerate(rows, 1)]
    one, other, third = folded_in_any_order(Injectors, heard, dice)
    assert one.all() == other.all() == third.all()


def test_an_element_stands_last_in_the_detail_and_nowhere_else() -> None:
    assert injected(b"<event><detail><a/></detail></event>", ["<b x='é'/>"]) == (
        b"<event><detail><a/><b x='&#233;'/></detail></event>"
    )
    assert injected(b"<event><detail/></event>", ["<b/>"]) == b"<event><detail/></event>"
