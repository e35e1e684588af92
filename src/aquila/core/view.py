"""View: a fold of what was heard. Any arrival order of the same set folds to the same state.

Each cell of a view keeps the Stamp of its writer and takes the greatest; what cannot be merged is shown as a conflict.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from aquila.core.model import Arrival, Stamp


class View(Protocol):
    """A reading of the journal and of positions.

    Attributes:
        name: stable word, key of its snapshots.
        version: grows when the fold changes; then the view is rebuilt from the journal.
        hears_positions: need not be there; False = positions say nothing to it, and it is not called for them.
    """

    name: str
    version: int

    def fold(self, arrival: Arrival) -> None:
        """Take one arrival into account. Never raises for what it does not know."""
        ...

    def snapshot(self) -> bytes:
        """The whole state, the same bytes for the same state."""
        ...

    def restore(self, data: bytes) -> None:
        """Become the state of a snapshot of the same version."""
        ...


def hears_positions(view: View) -> bool:
    """Is it to be called for positions, of which there are thousands a second?"""
    return bool(getattr(view, "hears_positions", True))


Kind = TypeVar("Kind")


def view_of(views: Mapping[str, View], name: str, kind: type[Kind]) -> Kind:
    """The view of this name, known to be of its class. Raises TypeError when it is another: a fault of ours."""
    view: object = views[name]
    if not isinstance(view, kind):
        raise TypeError(f"view {name} is a {type(view).__name__}, not a {kind.__name__}")
    return view


def state_hash(views: Sequence[View]) -> str:
    """One hash over the states of these views, in order of their names."""
    digest = hashlib.sha256()
    for view in sorted(views, key=lambda each: each.name):
        digest.update(f"{view.name}\0{view.version}\0".encode())
        digest.update(hashlib.sha256(view.snapshot()).digest())
    return digest.hexdigest()


def stamp_of(arrival: Arrival) -> Stamp:
    """The place of an arrival in the total order."""
    return arrival.stamp if not hasattr(arrival, "envelope") else arrival.envelope.stamp
