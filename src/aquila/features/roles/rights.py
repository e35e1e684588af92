"""Rights: which posts may take which steps. One table; it is asked before every command and writes its documentation.

A right narrows, it never widens: the access role of the login still counts. As long as none of its posts was ever given
on this node, it holds back nobody, so a node without posts works as one where everybody trusts everybody. What is kept
of persons is closed: there the post must be held from the first day.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Reading
from aquila.core.model import Principal
from aquila.features.roles.turn import turns_in_force


class Right(msgspec.Struct, frozen=True, kw_only=True):
    """One row.

    Attributes:
        what: in words, after "to". commands: names of the commands that it is about.
        actions: only these steps of them; () = all. fields: only when one of these fields is changed; () = always.
        posts: who may.
        is_closed: nobody else may, also as long as none of the posts was ever given.
    """

    what: str
    commands: tuple[str, ...]
    actions: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    posts: tuple[str, ...]
    is_closed: bool = False

    def fits(self, command: str, ask: Any) -> bool:
        """Is this what is asked for?"""
        if command not in self.commands or (self.actions and getattr(ask, "action", None) not in self.actions):
            return False
        changed = getattr(ask, "fields", None)
        return not self.fields or (isinstance(changed, Mapping) and not changed.keys().isdisjoint(self.fields))


LEAD = ("commander", "chief_of_operations")
DESK = ("watch_officer", "duty_officer", *LEAD)
RIGHTS: tuple[Right, ...] = (
    Right(
        what="approve an order or open it again",
        commands=("step_order",),
        actions=("approve", "reopen"),
        posts=LEAD,
    ),
    Right(
        what="issue, supersede or cancel an order",
        commands=("step_order",),
        actions=("issue", "supersede", "cancel"),
        posts=("duty_officer", *LEAD),
    ),
    Right(
        what="issue, supersede or cancel a task",
        commands=("step_task",),
        actions=("issue", "supersede", "cancel"),
        posts=("company_commander", *DESK),
    ),
    Right(
        what="sign a handover",
        commands=("offer_handover", "take_handover"),
        posts=("watch_officer", "duty_officer", "chief_of_operations"),
    ),
    Right(
        what="close an incident or open it again",
        commands=("step_line",),
        actions=("close", "reopen"),
        posts=DESK,
    ),
    Right(
        what="approve a report or send it back",
        commands=("step_report",),
        actions=("approve", "return"),
        posts=("company_commander", "duty_officer", *LEAD),
    ),
    Right(
        what="answer or close a question of the commander",
        commands=("step_question",),
        actions=("answer", "answer_partly", "close", "reopen"),
        posts=("intelligence_officer", "duty_officer", *LEAD),
    ),
    Right(
        what="approve or cancel a request for evacuation",
        commands=("step_medevac",),
        actions=("approve", "cancel"),
        posts=("medical_officer", *DESK),
    ),
    Right(
        what="change who stands under whom in the order of battle",
        commands=("create_unit", "move_unit", "remove_unit", "import_orbat"),
        posts=("company_commander", *DESK),
    ),
    Right(
        what="change who stands under whom in the order of battle",
        commands=("edit_unit",),
        fields=("parents",),
        posts=("company_commander", *DESK),
    ),
    Right(
        what="change what a unit has and may do",
        commands=("edit_unit",),
        posts=("company_commander", "logistics_officer", "medical_officer", "liaison_officer", *DESK),
    ),
    Right(
        what="add or revoke devices",
        commands=("add_device", "drop_device", "invite_device", "cancel_invitation", "add_profile", "drop_profile"),
        posts=("system_administrator",),
    ),
    Right(
        what="add or remove users and tokens",
        commands=("make_user", "invite_user", "change_user", "drop_user", "make_token", "drop_token"),
        posts=("system_administrator",),
    ),
    Right(
        what="pause the exercise, and plan, fire, hold or skip its injects",
        commands=("step_exercise", "plan_inject", "step_inject"),
        posts=("exercise_control",),
    ),
    Right(
        what="release an extract to a nation",
        commands=("make_extract",),
        posts=("liaison_officer", "duty_officer", *LEAD),
    ),
    Right(
        what="make, prove or remove backups",
        commands=("make_backup", "prove_backup", "drop_backup"),
        posts=("system_administrator",),
    ),
    Right(
        what="add, change or stop feeds",
        commands=("add_feed", "change_feed", "pause_feed", "resume_feed", "remove_feed"),
        posts=("system_administrator", "duty_officer"),
    ),
    Right(
        what="read or write what is kept of persons",
        commands=("make_person", "step_person", "open_persons", "erase_person"),
        posts=("intelligence_officer", *LEAD),
        is_closed=True,
    ),
)
GIVERS = LEAD
"""Who may give posts, besides the administrators of the node: so that nobody can lock a node."""


def guard(principal: Principal, command: str, ask: Any, reading: Reading) -> Refused | None:
    """See core.feature.Guard: the steps that a post is needed for."""
    rows = [row for row in RIGHTS if row.fits(command, ask)]
    if not rows or principal.kind == "node":
        return None
    turns = list(turns_in_force(reading))
    given = {each.turn.post for each in turns}
    holds = {each.turn.post for each in turns if each.is_held and each.turn.person == principal.id}
    for row in rows:
        if (row.is_closed or not given.isdisjoint(row.posts)) and holds.isdisjoint(row.posts):
            now = sorted(
                {each.turn.person.partition(":")[2] for each in turns if each.is_held and each.turn.post in row.posts}
            )
            who = f"now that is {', '.join(now)[:200]}" if now else "nobody holds one of them now"
            return Refused(
                "role",
                f"to {row.what} needs the post of {', '.join(_said(row.posts))}; {who}: ask, or take the post over",
            )
    return None


def may(reading: Reading, principal: Principal, row: Right) -> bool:
    """Would the guard let this person pass?"""
    turns = list(turns_in_force(reading))
    given = {each.turn.post for each in turns}
    holds = {each.turn.post for each in turns if each.is_held and each.turn.person == principal.id}
    is_open = not row.is_closed and given.isdisjoint(row.posts)
    return principal.kind == "node" or is_open or not holds.isdisjoint(row.posts)


def to_markdown() -> str:
    """The table as documentation shows it."""
    lines = ["| to | posts |", "|---|---|"]
    posts: dict[str, tuple[str, ...]] = {}
    for row in RIGHTS:
        posts.setdefault(row.what, row.posts)
    lines += [f"| {what} | {', '.join(_said(named))} |" for what, named in posts.items()]
    lines.append(f"| give a post, or end it | {', '.join(_said(GIVERS))}, and administrators of the node |")
    return "\n".join(lines) + "\n"


def _said(posts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(post.replace("_", " ") for post in posts)
