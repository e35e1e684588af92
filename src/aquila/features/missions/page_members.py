"""Members and invitations of a mission, for the page and for programs: who follows it, and what each may do."""

from collections.abc import Iterator
from typing import Annotated

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, Labelled, Query, Reading, check_text
from aquila.core.model import Principal
from aquila.features.missions.edits import Edit
from aquila.features.missions.forms import sight_of
from aquila.features.missions.members import Give, Invite, Invites, InviteType, give_row, invite_row
from aquila.features.missions.page_work import Guid, Limit, MissionWorkDone, Text, told
from aquila.features.missions.roles import READ, RoleName, Which, allowed, subscriptions, username


class AskMissionMembers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which mission's members."""

    guid: Guid
    limit: Limit = 1000


class MissionMember(msgspec.Struct, frozen=True, kw_only=True):
    """One client that follows a mission. name: its callsign; None = not known, or not for the asker."""

    uid: str
    username: str
    role: RoleName
    since_ms: int
    name: str | None = None


class GiveMissionRole(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A role for the member with this client. role: None = that of everybody again."""

    guid: Guid
    uid: Text
    role: RoleName | None = None


class InviteToMission(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who is invited. type: by which name he is meant. role: None = that of everybody."""

    guid: Guid
    type: InviteType
    invitee: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    role: RoleName | None = None

    def __post_init__(self) -> None:
        check_text("invitee", self.invitee)


def _members(principal: Principal, ask: AskMissionMembers, reading: Reading) -> Iterator[Labelled]:
    found = allowed(principal, Which(guid=ask.guid), READ, reading)
    if isinstance(found, Refused):
        return
    mission, _ = found
    for said, at_ms in subscriptions(mission):
        sight = sight_of(said.uid, reading)
        row = MissionMember(
            uid=said.uid,
            username=username(said.user),
            role=said.role,
            since_ms=at_ms,
            name=None if sight is None else sight.report.name,
        )
        yield Labelled(row, mission.label, mission.context)


async def give_mission_role(principal: Principal, ask: GiveMissionRole, desk: Desk) -> MissionWorkDone | Refused:
    """Give a member a role; only an owner does."""
    body = Give(uid=ask.uid, role=ask.role)
    return told(await give_row.act(principal, Edit(which=Which(guid=ask.guid), body=body), desk))


async def invite_to_mission(principal: Principal, ask: InviteToMission, desk: Desk) -> MissionWorkDone | Refused:
    """Invite somebody to at most one's own role."""
    row = Invite(type=ask.type, invitee=ask.invitee, role=ask.role)
    return told(await invite_row.act(principal, Edit(which=Which(guid=ask.guid), body=Invites(rows=(row,))), desk))


QUERIES = (
    Query(
        name="mission_members",
        path="/missions/{guid}/members",
        request=AskMissionMembers,
        row=MissionMember,
        role="viewer",
        answer=_members,
        blocking=True,
        summary="Who follows a mission, and as what",
    ),
)
COMMANDS = (
    Command(
        name="give_mission_role",
        method="POST",
        path="/missions/{guid}/members",
        request=GiveMissionRole,
        answer=MissionWorkDone,
        role="operator",
        act=give_mission_role,
        summary="Give a member of a mission a role",
    ),
    Command(
        name="invite_to_mission",
        method="POST",
        path="/missions/{guid}/invitations",
        request=InviteToMission,
        answer=MissionWorkDone,
        role="operator",
        act=invite_to_mission,
        summary="Invite somebody into a mission",
    ),
)
