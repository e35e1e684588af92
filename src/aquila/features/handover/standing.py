"""Standing: how a thing of the MEDEVAC desk stands now, in words. Its first line is a name, and a step says less.

Features do not know each other: what a step or a field means is read from the papers, as in `lines`.
"""

from collections.abc import Callable, Mapping
from typing import Final

from aquila.core.papers import Thing

AFTER: Final[Mapping[str, str]] = {
    "request": "waits for an asset",
    "approve": "approved, its asset has not left yet",
    "launch": "its asset is on the way",
    "pickup": "picked up, not yet at a facility",
    "deliver": "under treatment, not yet closed",
    "close": "",
    "cancel": "",
}
"""How a request stands after a step; empty = it waits for nobody. Steps that are not here leave it as it was."""
STATUS: Final[Mapping[str, str]] = {
    "available": "available",
    "committed": "under way, not available",
    "down": "out of order",
}
"""What is said of an asset's status."""


def standing_of(thing: Thing) -> str:
    """How the thing stands; empty = nothing is to be told, or its type is none of these."""
    say = _SAYS.get(thing.type)
    return "" if say is None else say(thing)


def _request(thing: Thing) -> str:
    return next((AFTER[step.action] for step in reversed(thing.steps) if step.action in AFTER), "")


def _asset(thing: Thing) -> str:
    return STATUS.get(str(thing.get("status", "available")), "")


def _facility(thing: Thing) -> str:
    if not thing.get("is_open", True):
        return "closed"
    return f"free beds: {thing.get('beds_free', 0)} of {thing.get('beds', 0)}"


_SAYS: Final[Mapping[str, Callable[[Thing], str]]] = {
    "medevac.request": _request,
    "medevac.asset": _asset,
    "medevac.facility": _facility,
}

__all__ = ["AFTER", "STATUS", "standing_of"]
