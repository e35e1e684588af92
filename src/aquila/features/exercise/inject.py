"""Inject: what exercise control brings into play: when, what, to whom; its state table.

Fields after the MEL/MIL lists of OpenBAS and HSEEP. The time is the exercise's own, so a pause moves the whole list.
"""

from typing import Annotated, Literal

import msgspec

from aquila.core.paper_work import Line, Text, Time
from aquila.core.states import Move, States

INJECT = "exercise.inject"
STATES = States(
    "inject",
    "none",
    (
        Move("plan", ("none",), "planned", "exercise control"),
        Move("edit", ("planned", "held"), None, "exercise control"),
        Move("hold", ("planned",), "held", "exercise control"),
        Move("release", ("held",), "planned", "exercise control"),
        Move("fire", ("planned", "held"), "fired", "exercise control, or its simulator when the time has come"),
        Move("skip", ("planned", "held"), "skipped", "exercise control"),
    ),
    ("fired", "skipped"),
)
Player = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Group = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Means = Literal["chat", "radio", "phone", "mail", "map", "paper", "actor"]


class Inject(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One inject.

    Attributes:
        due_ms: exercise time; None = when the director says so. by: who says it in play. to: who is to hear it.
        means: how it comes. expects: what the players should do. plays: what of its scenario a simulator does when it
            is fired; empty = people do it. players: groups that read what the node writes when it is fired; empty =
            those that it is planned in but exercise control's, else those that whoever fires it writes into.
    """

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    text: Text = ""
    due_ms: Time | None = None
    by: Line = ""
    to: Annotated[tuple[Player, ...], msgspec.Meta(max_length=20)] = ()
    means: Means = "radio"
    expects: Text = ""
    plays: Annotated[str, msgspec.Meta(max_length=40, pattern="^[a-z0-9_]*$")] = ""
    players: Annotated[tuple[Group, ...], msgspec.Meta(max_length=16)] = ()
