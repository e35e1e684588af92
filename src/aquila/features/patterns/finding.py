"""Findings and thresholds: what the node says of movements, what people say of that, and when a pattern is one."""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from aquila.core.papers import Thing
from aquila.core.states import ANY, Move, States
from aquila.fusion.patterns import KINDS, Kind, Thresholds

FINDING, THRESHOLDS = "patterns.finding", "patterns.thresholds"

FINDING_STATES = States(
    "finding",
    "none",
    (
        Move("find", ("none",), "found", "the node"),
        Move("over", (ANY,), None, "the node: it is no longer so"),
        Move("useful", ("found", "noise"), "useful", "operator who may write to all who see it"),
        Move("noise", ("found", "useful"), "noise", "the same"),
    ),
)
THRESHOLD_STATES = States(
    "set of thresholds", "none", (Move("set", ("none", "set"), "set", "operator who may write to all who see it"),)
)

SAYS: dict[Kind, str] = {
    "stop": "{0} has stopped",
    "loiter": "{0} loiters",
    "meeting": "{0} and {1} meet",
    "co_travel": "{0} and {1} go together",
    "gap": "{0} has gone silent",
    "jump": "{0} has jumped: nothing moves so fast",
}


class PatternSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a pattern is one. off: kinds that are not told."""

    thresholds: Thresholds = Thresholds()
    off: Annotated[tuple[Kind, ...], msgspec.Meta(max_length=len(KINDS))] = ()


def settings_of(things: Sequence[Thing]) -> PatternSettings:
    """The settings that were set last; the defaults when none were, or two writers have made them unreadable."""
    if not things:
        return PatternSettings()
    newest = max(things, key=lambda thing: thing.newest.stamp)
    try:
        return msgspec.convert(newest.fields(), PatternSettings)
    except ValueError:
        return PatternSettings()
