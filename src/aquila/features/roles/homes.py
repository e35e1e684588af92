"""Homes: for each post which needs come first and which workspaces lie open. One table; it writes its documentation.

After the users of docs: what each looks at first in a day. A need that names the post itself comes before all others;
within that what is overdue, then precedence, then the order of the row, then what waits longest.
"""

from collections.abc import Iterable, Mapping

import msgspec

from aquila.core.paper_rows import NeedRow

PRECEDENCES = ("Z", "O", "P", "R")


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """What a post sees first.

    Attributes:
        needs: features whose needs it sees, whomever they wait for, in this order; those that name the post always.
        panels: workspaces, the first one open. layout: where the page lays them.
    """

    needs: tuple[str, ...]
    panels: tuple[str, ...]
    layout: str = "map"


STAFF = ("incidents", "alerts", "medevac", "orders", "tasks", "reports", "questions", "handover")
HOMES: Mapping[str, Home] = {
    "commander": Home(
        needs=("questions", "orders", "incidents"),
        panels=("questions", "orders", "incidents", "reports"),
    ),
    "chief_of_operations": Home(
        needs=("orders", "incidents", "tasks", "questions", "reports"),
        panels=("orders", "tasks", "incidents", "reports"),
    ),
    "duty_officer": Home(needs=STAFF, panels=("incidents", "tasks", "orders", "reports", "handover")),
    "watch_officer": Home(needs=STAFF, panels=("incidents", "tasks", "medevac", "handover", "reports")),
    "company_commander": Home(
        needs=("tasks", "orders", "incidents", "reports"),
        panels=("tasks", "orbat", "orders", "reports"),
    ),
    "patrol_leader": Home(needs=("tasks", "orders"), panels=("tasks", "reports", "chat"), layout="phone"),
    "intelligence_officer": Home(
        needs=("questions", "reports"),
        panels=("questions", "incidents", "reports", "table"),
    ),
    "logistics_officer": Home(needs=("reports",), panels=("orbat", "reports", "table"), layout="desk"),
    "medical_officer": Home(needs=("medevac",), panels=("medevac", "incidents", "reports")),
    "liaison_officer": Home(needs=("orders", "tasks"), panels=("orders", "orbat", "tasks", "reports", "extract")),
    "exercise_control": Home(
        needs=("exercise", "incidents", "tasks", "alerts"),
        panels=("exercise", "incidents", "tasks", "table", "feeds"),
    ),
    "system_administrator": Home(needs=("node",), panels=("upkeep", "links", "feeds", "table"), layout="desk"),
}
ANYBODY = Home(needs=(*STAFF, "node"), panels=())
"""Of somebody without a post: everything, as nobody else may be there."""


def home_of(post: str) -> Home:
    """The home of a post; of no post, everything."""
    return HOMES.get(post, ANYBODY)


def ordered(needs: Iterable[NeedRow], post: str) -> list[NeedRow]:
    """The needs that this post sees, the first first. post: empty = none."""
    home = home_of(post)
    kept = [need for need in needs if _is_mine(need, post) or need.feature in home.needs]
    return sorted(kept, key=lambda need: _place(need, post, home))


def _is_mine(need: NeedRow, post: str) -> bool:
    return need.waits_for == "you" or (bool(post) and post in need.roles)


def _place(need: NeedRow, post: str, home: Home) -> tuple[bool, int, bool, int, int, str]:
    urgency = PRECEDENCES.index(need.precedence) if need.precedence in PRECEDENCES else len(PRECEDENCES)
    place = home.needs.index(need.feature) if need.feature in home.needs else len(home.needs)
    return (not need.is_overdue, urgency, not _is_mine(need, post), place, need.since_ms, need.id)


def to_markdown() -> str:
    """The table as documentation shows it."""
    lines = ["| post | needs, in this order | workspaces, in this order |", "|---|---|---|"]
    for post, home in HOMES.items():
        lines.append(f"| {post.replace('_', ' ')} | {', '.join(home.needs)} | {', '.join(home.panels)} |")
    return "\n".join(lines) + "\n"
