"""Rule: a pure function (arrival, views) -> proposed bodies. Rules run only on what is new and live.

Never while replaying, rebuilding, restoring or merging an old backlog. What a rule writes carries its cause and an id
derived from (rule, version, cause), so that a second run or a second node writes the same entry and it counts once.
"""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from aquila.core.model import Arrival, Body, Label
from aquila.core.view import View


class Proposal(msgspec.Struct, frozen=True):
    """What a rule wants written: the body and the label it should carry (that of its cause, or stricter)."""

    body: Body
    label: Label


class Rule(msgspec.Struct, frozen=True):
    """A named, versioned rule. Its home is the node that owns what it watches."""

    name: str
    version: int
    propose: Callable[[Arrival, Mapping[str, View]], Iterable[Proposal]]
