"""What can be done with posts: give one, list somebody for it, take it over, leave it, end it."""

from typing import Any, Literal, Protocol, runtime_checkable

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, Reading
from aquila.core.model import Principal
from aquila.core.paper_work import Id, Line, NextStep, StepTaken, check_texts, say_step, state_of
from aquila.core.papers import Papers
from aquila.core.view import view_of
from aquila.features.roles.node_needs import KnowsDevices
from aquila.features.roles.rights import GIVERS
from aquila.features.roles.turn import POSTS, STATES, TURN, Held, Turn, papers_of, turns_in_force, turns_shown

NO_POST = Refused("absent", "there is no such post, or you may not see it: look into the list of posts")
TURNS_MAX = 5_000


@runtime_checkable
class KnowsPeople(Protocol):
    """The view of who may log in."""

    def grant(self, node: str, kind: Any, name: str) -> Any:
        """The grant; None = there is none."""
        ...

    def grants(self, node: str, kind: Any) -> list[Any]:
        """All of a kind."""
        ...


class GivePost(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A post to be given. on_call: the person does not hold it yet, but may take it over in this time."""

    turn: Turn
    on_call: bool = False


class TakePost(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which post the asker takes over; who held it until now is relieved."""

    id: Id


class StepPost(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Leave a post that one holds, or end it for good."""

    id: Id
    action: Literal["leave", "end"]
    reason: Line = ""


async def give_post(principal: Principal, ask: GivePost, desk: Desk) -> StepTaken | Refused:
    """Give a post to a person of this node."""
    turn = ask.turn
    wrong = _wrong_giver(principal, desk) or _wrong_turn(desk, turn)
    if wrong is not None:
        return wrong
    action = "list" if ask.on_call else "give"
    text = f"{turn.post.replace('_', ' ')}: {turn.person.partition(':')[2]}{' on call' if ask.on_call else ''}"
    return await say_step(
        principal, desk, NextStep(STATES, TURN, None, action, msgspec.to_builtins(turn), summary=text)
    )


async def take_post(principal: Principal, ask: TakePost, desk: Desk) -> StepTaken | Refused:
    """Take a post over for which one is listed. Whoever holds the same post is relieved in the same breath."""
    mine = _turn(desk, ask.id)
    if mine is None:
        return NO_POST
    if mine.turn.person != principal.id:
        return Refused("person", f"{mine.turn.person} is listed for it, not you: have the post given to you")
    now_ms = desk.now_ms()
    if not mine.turn.is_time(now_ms):
        return Refused("time", "your time in this post is not now: have its times changed, or wait for them")
    text = f"{mine.turn.post.replace('_', ' ')} taken over by {principal.name}"
    taken = await say_step(principal, desk, NextStep(STATES, TURN, mine.thing, "take", {}, summary=text))
    if isinstance(taken, Refused):
        return taken
    for other in list(turns_shown(desk, now_ms)):
        if other.is_held and other.id != mine.id and other.turn.is_same_post(mine.turn):
            relieved = f"{other.turn.person.partition(':')[2]} relieved by {principal.name}"
            said = await say_step(principal, desk, NextStep(STATES, TURN, other.thing, "relieve", {}, summary=relieved))
            if isinstance(said, Refused):
                return said
    return taken


async def step_post(principal: Principal, ask: StepPost, desk: Desk) -> StepTaken | Refused:
    """Leave a post, or end it."""
    found = _turn(desk, ask.id)
    if found is None:
        return NO_POST
    if ask.action == "leave" and found.turn.person != principal.id:
        return Refused("person", f"{found.turn.person} holds it: only they can leave it; end it instead")
    wrong = _wrong_giver(principal, desk) if ask.action == "end" else None
    if wrong is not None:
        return wrong
    fields = {"reason": ask.reason} if ask.reason else {}
    verb = {"leave": "left", "end": "ended"}[ask.action]
    text = f"{found.turn.post.replace('_', ' ')} of {found.turn.person.partition(':')[2]} {verb}"
    return await say_step(principal, desk, NextStep(STATES, TURN, found.thing, ask.action, fields, summary=text))


def may_give(principal: Principal, reading: Reading) -> bool:
    """Administrators of the node, and who holds a post that gives posts."""
    return (
        principal.kind == "node"
        or "admin" in principal.roles
        or any(
            each.is_held and each.turn.person == principal.id and each.turn.post in GIVERS
            for each in turns_in_force(reading)
        )
    )


def is_person(reading: Reading, person: str) -> bool:
    """Does this node know the person (or the phone that speaks for one)?"""
    kind, _, name = person.partition(":")
    if kind == "device":
        devices = reading.views.get("devices")
        return isinstance(devices, KnowsDevices) and any(each.name == name for each in devices.devices(reading.node))
    access = reading.views.get("access")
    return isinstance(access, KnowsPeople) and access.grant(reading.node, _KIND[kind], name) is not None


_KIND = {"person": "user", "token": "token"}


def _turn(desk: Desk, id: str) -> Held | None:
    thing = papers_of(desk).thing(desk, id, TURN)
    if thing is None or state_of(STATES, thing) == "ended":
        return None
    return next((each for each in turns_shown(desk, desk.now_ms()) if each.id == id), None)


def _wrong_giver(principal: Principal, desk: Desk) -> Refused | None:
    if may_give(principal, desk):
        return None
    posts = ", ".join(post.replace("_", " ") for post in GIVERS)
    return Refused("role", f"posts are given by the {posts}, or by an administrator of this node: ask one of them")


def _wrong_turn(desk: Desk, turn: Turn) -> Refused | None:
    if turn.post not in POSTS:
        return Refused("post", f"there is no post {turn.post}: {', '.join(POSTS)} are known")
    if not is_person(desk, turn.person):
        return Refused("person", f"{turn.person} is nobody on this node: add the user first, or name another")
    if turn.until_ms is not None and turn.until_ms <= max(turn.from_ms or 0, desk.now_ms()):
        return Refused("time", f"until {turn.until_ms} is over before it begins: name a later end, or none")
    if turn.post == "liaison_officer" and turn.nation is None:
        return Refused("nation", "a liaison officer stands for a nation: name it with three letters, for instance FRA")
    if turn.unit is not None and view_of(desk.views, "orbat", Papers).thing(desk, turn.unit) is None:
        return Refused("unit", f"there is no unit {turn.unit}: take one of the order of battle, or none")
    if sum(state_of(STATES, thing) != "ended" for thing in papers_of(desk).all(desk.context, TURN)) >= TURNS_MAX:
        return Refused("full", f"{TURNS_MAX} turns are all that one node keeps in mind: end those that are over")
    try:
        check_texts("turn", msgspec.to_builtins(turn))
    except ValueError as wrong:
        return Refused("field", str(wrong))
    return None


COMMANDS = (
    Command(
        name="give_post",
        method="POST",
        path="/posts",
        request=GivePost,
        answer=StepTaken,
        role="operator",
        act=give_post,
        summary="Give a post to somebody, or list somebody for it",
    ),
    Command(
        name="take_post",
        method="POST",
        path="/posts/{id}/take",
        request=TakePost,
        answer=StepTaken,
        role="viewer",
        act=take_post,
        summary="Take over a post for which one is listed; who held it is relieved",
    ),
    Command(
        name="step_post",
        method="POST",
        path="/posts/{id}/steps",
        request=StepPost,
        answer=StepTaken,
        role="viewer",
        act=step_post,
        summary="Leave a post that one holds, or end it",
    ),
)
