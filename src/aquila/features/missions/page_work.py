"""The log and the open invitations of a mission, for the page and for programs."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from aquila.codecs.cot.marti import instant, moment
from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, Labelled, Query, Reading
from aquila.core.model import Principal
from aquila.features.missions.edits import Edit, Edited
from aquila.features.missions.forms import seen
from aquila.features.missions.members import Invite, Invites, InviteType, invite_row
from aquila.features.missions.roles import READ, RoleName, Which, allowed, invitations, username
from aquila.features.missions.view import Mission
from aquila.features.missions.work import DropLog, Log, PutLog, drop_log, put_log

Guid = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class AskMissionLog(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which mission's log."""

    guid: Guid
    limit: Limit = 1000


class AskMissionInvitations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which mission's open invitations."""

    guid: Guid
    limit: Limit = 1000


class MissionLogEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a mission's log.

    Attributes:
        happened_at_ms: as its author says. written_by: the principal that said it. creator: its client.
    """

    id: str
    text: str
    happened_at_ms: int
    written_by: str
    creator: str
    keywords: tuple[str, ...]


class MissionInvitation(msgspec.Struct, frozen=True, kw_only=True):
    """One open invitation: type says by which name the invitee is meant."""

    type: InviteType
    invitee: str
    role: RoleName
    invited_by: str
    invited_at_ms: int


class WriteMissionLog(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line for a mission's log. id: of the line that it replaces; empty = a new one."""

    guid: Guid
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]
    keywords: Annotated[tuple[Word, ...], msgspec.Meta(max_length=100)] = ()
    id: Annotated[str, msgspec.Meta(max_length=500)] = ""


class MissionLogWritten(msgspec.Struct, frozen=True, kw_only=True):
    """The line."""

    id: str


class DropMissionLog(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The line that is to go."""

    guid: Guid
    id: Text


class CancelMissionInvitation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The invitation that is to be taken back."""

    guid: Guid
    type: InviteType
    invitee: Text


class MissionWorkDone(msgspec.Struct, frozen=True, kw_only=True):
    """The mission. is_new: it changed anything."""

    guid: str
    is_new: bool


def _at_ms(text: Any, otherwise_ms: int) -> int:
    """A time as clients wrote it, which may be anything."""
    try:
        return moment(text)
    except (ValueError, AttributeError):
        return otherwise_ms


def _opened(principal: Principal, guid: str, reading: Reading) -> Mission | None:
    found = allowed(principal, Which(guid=guid), READ, reading)
    return None if isinstance(found, Refused) else found[0]


def _log(principal: Principal, ask: AskMissionLog, reading: Reading) -> Iterator[Labelled]:
    mission = _opened(principal, ask.guid, reading)
    for cell in [] if mission is None else reversed(seen(mission, "log", reading)):
        assert mission is not None
        said: dict[str, Any] = msgspec.json.decode(cell.value or "{}")
        row = MissionLogEntry(
            id=cell.key.partition("/")[2],
            text=str(said.get("content", "")),
            happened_at_ms=_at_ms(said.get("dtg"), cell.said.at_ms),
            written_by=username(cell.said.author),
            creator=cell.said.by,
            keywords=tuple(str(word) for word in said.get("keywords", ())),
        )
        yield Labelled(row, mission.label, mission.context)


def _invitations(principal: Principal, ask: AskMissionInvitations, reading: Reading) -> Iterator[Labelled]:
    mission = _opened(principal, ask.guid, reading)
    for said, at_ms in [] if mission is None else invitations(mission):
        assert mission is not None
        row = MissionInvitation(
            type=msgspec.convert(said.type, InviteType),
            invitee=said.invitee,
            role=said.role,
            invited_by=username(said.by),
            invited_at_ms=at_ms,
        )
        yield Labelled(row, mission.label, mission.context)


async def write_mission_log(principal: Principal, ask: WriteMissionLog, desk: Desk) -> MissionLogWritten | Refused:
    """Write a line, or write one anew."""
    found = allowed(principal, Which(guid=ask.guid), "MISSION_WRITE", desk)
    if isinstance(found, Refused):
        return found
    mission, now = found[0], instant(desk.now_ms())
    try:
        log = Log(content=ask.text, mission_names=(mission.name,), id=ask.id, keywords=ask.keywords)
    except ValueError as wrong:
        return Refused("text", str(wrong))
    uid = ask.id or desk.new_id()
    wanted = PutLog(log=log, dtg=now, created=now, uid=uid, missions=(mission.guid,), must_exist=bool(ask.id))
    done = await put_log(principal, wanted, desk)
    return done if isinstance(done, Refused) else MissionLogWritten(id=uid)


async def drop_mission_log(principal: Principal, ask: DropMissionLog, desk: Desk) -> MissionWorkDone | Refused:
    """Take a line out of the log of this mission."""
    return told(await drop_log(principal, DropLog(id=ask.id, which=Which(guid=ask.guid)), desk))


async def cancel_mission_invitation(
    principal: Principal, ask: CancelMissionInvitation, desk: Desk
) -> MissionWorkDone | Refused:
    """Take it back; one that is not there is refused."""
    mission = _opened(principal, ask.guid, desk)
    if mission is not None and not any(
        (said.type, said.invitee) == (ask.type, ask.invitee) for said, _ in invitations(mission)
    ):
        return Refused("absent", "there is no such invitation")
    row = Invite(type=ask.type, invitee=ask.invitee, role="MISSION_READONLY_SUBSCRIBER", is_taken_back=True)
    return told(await invite_row.act(principal, Edit(which=Which(guid=ask.guid), body=Invites(rows=(row,))), desk))


def told(done: Edited | Refused) -> MissionWorkDone | Refused:
    """What an edit has done, in our own words."""
    return done if isinstance(done, Refused) else MissionWorkDone(guid=done.guid, is_new=done.is_new)


QUERIES = (
    Query(
        name="mission_log",
        path="/missions/{guid}/log",
        request=AskMissionLog,
        row=MissionLogEntry,
        role="viewer",
        answer=_log,
        blocking=True,
        summary="The log of a mission, the newest line first",
    ),
    Query(
        name="mission_invitations",
        path="/missions/{guid}/invitations",
        request=AskMissionInvitations,
        row=MissionInvitation,
        role="viewer",
        answer=_invitations,
        blocking=True,
        summary="Open invitations into a mission",
    ),
)
COMMANDS = (
    Command(
        name="write_mission_log",
        method="POST",
        path="/missions/{guid}/log",
        request=WriteMissionLog,
        answer=MissionLogWritten,
        role="operator",
        act=write_mission_log,
        summary="Write a line into the log of a mission, or write one anew",
    ),
    Command(
        name="drop_mission_log",
        method="DELETE",
        path="/missions/{guid}/log",
        request=DropMissionLog,
        answer=MissionWorkDone,
        role="operator",
        act=drop_mission_log,
        summary="Take a line out of the log of a mission",
    ),
    Command(
        name="cancel_mission_invitation",
        method="DELETE",
        path="/missions/{guid}/invitations",
        request=CancelMissionInvitation,
        answer=MissionWorkDone,
        role="operator",
        act=cancel_mission_invitation,
        summary="Take an invitation back",
    ),
)
