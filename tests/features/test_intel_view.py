"""The view of intelligence: any order folds to the same, and nothing of the erased is left."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aquila.core.model import Act, Paper
from aquila.features.intel import Intel
from aquila.testing.views import folded_in_any_order

STEPS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["make", "claim", "erase"])), max_size=20)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=STEPS, dice=st.randoms(use_true_random=False))
def test_any_order_folds_to_the_same_and_nothing_of_the_erased_is_left(make: Any, steps: Any, dice: Any) -> None:
    heard: list[Any] = []
    for number, (which, action) in enumerate(steps, 1):
        body: Any = Paper(
            type="intel.person", target=f"p{which}", action=action, happened_at_ms=make.start_ms, fields={"n": number}
        )
        if action == "erase":
            body = Act(action="erase", target=f"intel:p{which}", happened_at_ms=make.start_ms, detail={})
        heard.append(make.entry(body, number))
    erased = {f"p{which}" for which, action in steps if action == "erase"}
    said = {f"p{which}" for which, action in steps if action != "erase"}
    for view in folded_in_any_order(Intel, heard, dice):
        left = {thing.id for each in view.contexts() for thing in view.all(each)}
        assert left == said - erased
