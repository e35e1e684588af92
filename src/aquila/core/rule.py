"""Rule: a pure function (arrival, views) -> proposed bodies. Rules run only on what is new and live.

Never while replaying, rebuilding, restoring or merging an old backlog. What a rule writes carries its cause and an id
derived from (rule, version, cause), so that a second run or a second node writes the same entry and it counts once.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

import msgspec

from aquila.core.model import Arrival, Body, Entry, Label, Sample
from aquila.core.view import View


class Proposal(msgspec.Struct, frozen=True):
    """What a rule wants written.

    Attributes:
        label: that of its cause, or stricter.
        key: what the proposal is about, in words that are the same whenever it is proposed again ("late <task> <due>"):
            then it counts once, whatever made the rule look. Empty = one for each cause.
        cause: id of the entry it follows from, when that is not the one that was heard.
    """

    body: Body
    label: Label
    key: str = ""
    cause: str | None = None


Heard = Literal["entry", "sample", "tick"]
"""What makes a rule look: a statement, a position, or time passing (once a second)."""


def heard_as(arrival: Arrival) -> Heard:
    """The word for an arrival in `Rule.hears`."""
    if isinstance(arrival, Entry):
        return "entry"
    return "sample" if isinstance(arrival, Sample) else "tick"


class Rule(msgspec.Struct, frozen=True):
    """A named, versioned rule. Its home is the node that owns what it watches.

    Attributes:
        hears: what makes it look. One that hears ticks gives each proposal a key.
    """

    name: str
    version: int
    propose: Callable[[Arrival, Mapping[str, View]], Iterable[Proposal]]
    hears: frozenset[Heard] = frozenset({"entry"})
