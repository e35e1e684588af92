"""What every view promises: any order of arrival of the same set folds to the same state, and a snapshot is enough."""

from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

from aquila.core.model import Arrival
from aquila.core.view import View

Made = TypeVar("Made", bound=View)


def folded_in_any_order(make: Callable[[], Made], heard: Sequence[Arrival], dice: Random) -> tuple[Made, Made, Made]:
    """Three views of one set: folded as it came, shuffled, and on top of the snapshot of the second. All are equal.

    Raises:
        AssertionError: two of them differ.
    """
    one, other, third = make(), make(), make()
    for arrival in heard:
        one.fold(arrival)
    shuffled = list(heard)
    dice.shuffle(shuffled)
    for arrival in shuffled:
        other.fold(arrival)
    third.restore(other.snapshot())
    assert third.snapshot() == other.snapshot(), "a snapshot is restored to another state"
    for arrival in shuffled:
        third.fold(arrival)
    assert one.snapshot() == other.snapshot(), "another order of arrival folds to another state"
    assert third.snapshot() == other.snapshot(), "hearing the same again folds to another state"
    return one, other, third
