"""Members: subscriptions, roles and invitations of a mission."""

import asyncio
from typing import Annotated, Any, Literal

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Desk, check_text
from aquila.core.model import Principal
from aquila.core.owners import SPOOFED, is_of_another
from aquila.features.missions.edits import Cells, Edit, command, edit, opened, said
from aquila.features.missions.queries import Subscribed
from aquila.features.missions.roles import (
    PERMISSIONS,
    Invitation,
    RoleName,
    Subscription,
    Which,
    default_role,
    invite_key,
    invited_as,
    is_over_all,
    may,
    owner_of,
    shown_role,
    sub_key,
    subscriptions,
    token,
    username,
)
from aquila.features.missions.view import Mission

SUBSCRIPTIONS_OF_ONE = 100
"""To one mission: every request of everybody looks at them all."""
InviteType = Literal["clientUid", "callsign", "userName", "group", "team"]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Join(msgspec.Struct, frozen=True, kw_only=True):
    """A client that follows a mission."""

    which: Which
    uid: Text


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """Its subscription, and the token that stands for it."""

    row: Subscribed
    token: str


class Leave(msgspec.Struct, frozen=True, kw_only=True):
    """A client that follows no more. only_notices: it stays a member."""

    uid: Text
    only_notices: bool = False


class Give(msgspec.Struct, frozen=True, kw_only=True):
    """A role for a member: by its client, or by its name. role: None = that of everybody again."""

    uid: str = ""
    username: str = ""
    role: RoleName | None = None


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A client that is to follow. role: None = that of everybody, or the one that it has."""

    uid: Text
    role: RoleName | None = None


class Members(msgspec.Struct, frozen=True, kw_only=True):
    """Several at once."""

    rows: Annotated[tuple[Member, ...], msgspec.Meta(min_length=1, max_length=500)]


class Invite(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is invited. role: None = that of everybody. is_taken_back: no more."""

    type: InviteType
    invitee: Text
    role: RoleName | None = None
    is_taken_back: bool = False

    def __post_init__(self) -> None:
        check_text("invitee", self.invitee)


class Invites(msgspec.Struct, frozen=True, kw_only=True):
    """Several at once."""

    rows: Annotated[tuple[Invite, ...], msgspec.Meta(max_length=500)]


async def join(principal: Principal, ask: Join, desk: Desk) -> Joined | Refused:
    """Subscribe; the same again gives a new token for the same subscription."""
    found = await opened(principal, ask.which, "MISSION_READ", desk)
    if isinstance(found, Refused):
        return found
    mission, role = found
    if is_of_another(ask.uid, principal, desk.views):
        return SPOOFED
    key = sub_key(principal.id, ask.uid)
    if mission.value(key) is None:
        if sum(each.user == principal.id for each, _ in subscriptions(mission)) >= SUBSCRIPTIONS_OF_ONE:
            return Refused("full", f"you follow this mission with {SUBSCRIPTIONS_OF_ONE} clients: leave it with one")
        given = shown_role(mission, ask.which, desk) or invited_as(mission, principal, desk) or role
        if is_over_all(principal):
            # An administrator who follows stays one for as long as it is one, and no longer.
            given = default_role(mission)
        cell = {"uid": ask.uid, "user": principal.id, "role": given}
        done = await said(desk, mission, "mission.subscribe", {key: cell}, ask.uid)
        if isinstance(done, Refused):
            return done
    subscription, at_ms = next(
        each for each in subscriptions(mission) if each[0].uid == ask.uid and each[0].user == principal.id
    )
    row = Subscribed(uid=ask.uid, username=username(principal.id), at_ms=at_ms, role=subscription.role)
    return Joined(row=row, token=await asyncio.to_thread(_token, mission, principal, ask.uid, desk))


def _token(mission: Mission, principal: Principal, uid: str, desk: Desk) -> str:
    return token(mission, "SUBSCRIPTION", principal.id, desk, uid=uid)


async def _leave(principal: Principal, mission: Mission, role: RoleName, body: Leave, desk: Desk) -> Cells | Refused:
    key = sub_key(principal.id, body.uid)
    if mission.value(key) is None:
        return Refused("absent", "there is no such subscription")
    return {} if body.only_notices else {key: None}


async def _give(principal: Principal, mission: Mission, role: RoleName, body: Give, desk: Desk) -> Cells | Refused:
    held = [each for each, _ in subscriptions(mission)]
    by_uid = {each.user for each in held if body.uid and each.uid == body.uid}
    # A client's uid is whose it is, whoever else says that he follows with it.
    owner = owner_of(body.uid, desk)
    by_uid = by_uid if owner is None else by_uid & {owner}
    if len(by_uid) > 1:
        return Refused("ambiguous", f"{len(by_uid)} members follow as {body.uid[:100]}: name the one that is meant")
    meant = by_uid | {each.user for each in held if body.username and username(each.user) == body.username}
    if not meant:
        return Refused("absent", "the mission has no such member")
    return {f"role/{user}": body.role for user in meant}


async def _enrol(principal: Principal, mission: Mission, role: RoleName, body: Members, desk: Desk) -> Cells | Refused:
    cells: dict[str, Any] = {}
    for each in body.rows:
        user = owner_of(each.uid, desk)
        if user is None:
            return Refused("absent", "no client of this uid is known here")
        given = each.role or default_role(mission)
        key = sub_key(user, each.uid)
        if mission.value(key) is None:
            cells[key] = {"uid": each.uid, "user": user, "role": given}
        if each.role is not None:
            cells[f"role/{user}"] = each.role
    return cells


def _members(mission: Mission, desk: Desk) -> list[Subscribed]:
    return [
        Subscribed(uid=each.uid, username=username(each.user), at_ms=at_ms, role=each.role)
        for each, at_ms in subscriptions(mission)
    ]


async def _invite(principal: Principal, mission: Mission, role: RoleName, body: Invites, desk: Desk) -> Cells | Refused:
    """One invitation for each name: who made it, or who gives roles, changes it; others may say the same again."""
    cells: dict[str, dict[str, str] | None] = {}
    for each in body.rows:
        given = each.role or "MISSION_SUBSCRIBER"
        if not set(PERMISSIONS[given]) <= set(PERMISSIONS[role]):
            return Refused("role", f"you may not give more than you have: {role}")
        key = invite_key(each.type, each.invitee)
        value = mission.value(key)
        known = None if value is None else msgspec.json.decode(value, type=Invitation)
        if known is None or (known.role == given and not each.is_taken_back):
            row = {"type": each.type, "invitee": each.invitee, "role": given, "by": principal.id}
            cells |= {} if known is not None or each.is_taken_back else {key: row}
        elif known.by != principal.id and not may(role, "MISSION_SET_ROLE"):
            return Refused("role", f"{each.invitee[:100]} was invited by somebody else: he or an owner changes that")
        else:
            row = {"type": each.type, "invitee": each.invitee, "role": given, "by": principal.id}
            cells[key] = None if each.is_taken_back else row
    return cells


def nothing(mission: Mission, desk: Desk) -> None:
    """What an edit answers whose answer is empty."""


join_row = command("mission_join", Join, Joined, join, role="viewer")
leave_row = edit("unsubscribe", "MISSION_READ", _leave, nothing, role="viewer")
give_row = edit("role", "MISSION_SET_ROLE", _give, nothing)
enrol_row = edit("subscribe", "MISSION_SET_ROLE", _enrol, _members)
invite_row = edit("invite", "MISSION_WRITE", _invite, nothing)

__all__ = [
    "Edit",
    "Give",
    "Invite",
    "Invites",
    "Join",
    "Joined",
    "Leave",
    "Member",
    "Members",
    "Subscription",
    "enrol_row",
    "give_row",
    "invite_row",
    "join_row",
    "leave_row",
]
