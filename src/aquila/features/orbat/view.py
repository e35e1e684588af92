"""The view of units, and the state table of one."""

from aquila.core.feature import Reading
from aquila.core.papers import Papers, Thing
from aquila.core.states import Move, States
from aquila.core.view import view_of
from aquila.features.orbat.unit import Unit, read_unit

UNIT = "orbat.unit"
STATES = States(
    "unit",
    "none",
    (
        Move("create", ("none",), "here", "operator"),
        Move("edit", ("here",), None, "operator who may write to all who see it"),
        Move("remove", ("here",), "removed", "operator who may write to all who see it"),
    ),
    ("removed",),
)


def orbat_view() -> Papers:
    """A fresh view."""
    return Papers("orbat", 1, ("orbat.",))


def papers_of(reading: Reading) -> Papers:
    """The view of this node."""
    return view_of(reading.views, "orbat", Papers)


def is_here(thing: Thing) -> bool:
    """Was it not removed?"""
    return STATES.run(step.action for step in thing.steps)[0] == "here"


def units_of(reading: Reading, at_ms: int | None = None) -> dict[str, tuple[Thing, Unit]]:
    """Units that the asker may see, in order of their making. at_ms: as they were known then; None = now.

    A unit that two writers have made unreadable together is left out until one of them mends it.
    """
    found: dict[str, tuple[Thing, Unit]] = {}
    for thing in papers_of(reading).things(reading, UNIT):
        then = thing if at_ms is None else thing.at(at_ms)
        unit = None if then is None or not is_here(then) else _read(then)
        if then is not None and unit is not None:
            found[thing.id] = (then, unit)
    return found


def unit_of(reading: Reading, id: str) -> tuple[Thing, Unit] | None:
    """One unit; None = there is none, or not for this asker."""
    thing = papers_of(reading).thing(reading, id, UNIT)
    unit = None if thing is None or not is_here(thing) else _read(thing)
    return None if thing is None or unit is None else (thing, unit)


def _read(thing: Thing) -> Unit | None:
    try:
        return read_unit(thing.fields())
    except ValueError:
        return None
