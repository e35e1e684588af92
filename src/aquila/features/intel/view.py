"""The view of intelligence work: grades, subjects, persons and the collection plan. Who was erased is gone from it."""

from typing import Any

import msgspec

from aquila.core.feature import Reading
from aquila.core.model import Act, Arrival, Entry
from aquila.core.papers import Papers
from aquila.core.view import view_of

ERASE = "erase"
"""The act that says that a person's key was destroyed."""
PERSON_PREFIX = "intel:"
"""Of the name under which the key of a person is kept: `aquila erase intel:ID`."""


class _State(msgspec.Struct, array_like=True):
    papers: bytes
    erased: list[str]


class Intel(Papers):
    """See Papers. A body that is sealed cannot be read after its key was destroyed; what was folded of it goes, too."""

    def __init__(self) -> None:
        super().__init__("intel", 1, ("intel.",))
        self._erased: set[str] = set()

    def fold(self, arrival: Arrival) -> None:
        """See View. In any order: what comes of somebody after his erasure is not kept either."""
        if isinstance(arrival, Entry) and isinstance(arrival.body, Act):
            self._erase(arrival.body)
            return
        target: Any = getattr(getattr(arrival, "body", None), "target", None)
        if target not in self._erased:
            super().fold(arrival)

    def _erase(self, act: Act) -> None:
        if act.action != ERASE or not act.target.startswith(PERSON_PREFIX):
            return
        target = act.target.removeprefix(PERSON_PREFIX)
        self._erased.add(target)
        for key in [key for key in self._steps if key[1] == target]:
            del self._steps[key]
        self.changes += 1

    def snapshot(self) -> bytes:
        """See View."""
        return msgspec.msgpack.encode(_State(super().snapshot(), sorted(self._erased)))

    def restore(self, data: bytes) -> None:
        """See View."""
        state = msgspec.msgpack.decode(data, type=_State)
        super().restore(state.papers)
        self._erased = set(state.erased)


def intel_of(reading: Reading) -> Intel:
    """The view of this node."""
    return view_of(reading.views, "intel", Intel)
