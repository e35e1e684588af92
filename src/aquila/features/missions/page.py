"""Missions for the page and for programs: the same questions and edits, in our own words."""

from collections.abc import Iterator
from typing import Annotated

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, Labelled, Query, Reading
from aquila.core.model import Principal
from aquila.features.missions.contents import Contents, Taken, add_row, check_digest, remove_row
from aquila.features.missions.creating import Drop, Save, Saved, check_name, drop, save
from aquila.features.missions.edits import CELLS_MAX, Edit, Edited
from aquila.features.missions.forms import changes, content_form, seen, sight_of, tail
from aquila.features.missions.queries import listed_missions
from aquila.features.missions.roles import READ, RoleName, Which, allowed, field, subscriptions, username
from aquila.features.missions.view import Mission

Guid = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Uids = Annotated[tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=500)], ...], msgspec.Meta(max_length=1000)]
Digests = Annotated[tuple[Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")], ...], msgspec.Meta(max_length=1000)]


class AskMissions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All missions that the asker may know of."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000


class AskMission(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which mission."""

    guid: Guid


class AskChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What changed in a mission behind a number that an earlier answer gave; 0 = from the beginning.

    limit: at least what one act may change, for an answer never ends in the middle of an act.
    """

    guid: Guid
    since: Annotated[int, msgspec.Meta(ge=0)] = 0
    limit: Annotated[int, msgspec.Meta(ge=CELLS_MAX, le=100_000)] = CELLS_MAX


class MissionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One mission. role: of the asker; None = it needs a password or an invitation."""

    guid: str
    name: str
    description: str
    groups: tuple[str, ...]
    creator: str
    created_at_ms: int
    edited_at_ms: int
    is_protected: bool
    role: RoleName | None = None


class MissionFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a mission."""

    sha256: str
    name: str
    size_bytes: int
    added_at_ms: int
    added_by: str


class MissionEntity(msgspec.Struct, frozen=True, kw_only=True):
    """An entity of a mission. name: None = not known, or not for the asker."""

    uid: str
    added_at_ms: int
    added_by: str
    name: str | None = None


class MissionDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A mission and what is in it."""

    mission: MissionSummary
    keywords: tuple[str, ...]
    files: tuple[MissionFile, ...]
    entities: tuple[MissionEntity, ...]
    members: tuple[str, ...]


class MissionChangeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One change. seq: with `since` of the next question, exactly what came after is told."""

    seq: int
    type: str
    at: str
    by: str
    uid: str | None = None
    sha256: str | None = None
    name: str | None = None


class NewMission(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mission to be created.

    Attributes:
        groups: where it is to be seen; None = where the asker writes.
        password: who has no invitation needs it to come in; empty = none. invite_only: hidden from who is not invited.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
    description: Annotated[str, msgspec.Meta(max_length=4000)] = ""
    groups: Annotated[tuple[Annotated[str, msgspec.Meta(max_length=100)], ...], msgspec.Meta(max_length=100)] | None = (
        None
    )
    password: Annotated[str, msgspec.Meta(max_length=200)] = ""
    invite_only: bool = False


class MissionMade(msgspec.Struct, frozen=True, kw_only=True):
    """The mission. is_created: it was not there before."""

    guid: str
    is_created: bool


class MissionContent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Entities (CoT uids) and files (SHA-256) to be added."""

    guid: Guid
    uids: Uids = ()
    files: Digests = ()


class MissionContentGone(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entity or file to be taken away."""

    guid: Guid
    uid: Annotated[str, msgspec.Meta(max_length=500)] = ""
    file: Annotated[str, msgspec.Meta(max_length=64)] = ""


class MissionEdited(msgspec.Struct, frozen=True, kw_only=True):
    """The mission. is_new: it changed anything."""

    guid: str
    is_new: bool


# -- queries ----------------------------------------------------------------------------------------------------------


def _summary(mission: Mission, role: RoleName | None) -> MissionSummary:
    assert mission.created is not None
    return MissionSummary(
        guid=mission.guid,
        name=mission.name,
        description=field(mission, "description"),
        groups=mission.label.groups,
        creator=username(mission.created.author),
        created_at_ms=mission.created.at_ms,
        edited_at_ms=mission.edited_ms,
        is_protected=mission.value("field/password") is not None,
        role=role,
    )


def _missions(principal: Principal, ask: AskMissions, reading: Reading) -> Iterator[Labelled]:
    for mission, role in listed_missions(principal, Which(), reading):
        yield Labelled(_summary(mission, role), mission.label, mission.context)


def _mission(principal: Principal, ask: AskMission, reading: Reading) -> Iterator[Labelled]:
    found = allowed(principal, Which(guid=ask.guid), READ, reading)
    if isinstance(found, Refused):
        return
    mission, role = found
    files = []
    for cell in seen(mission, "hash", reading):
        form = content_form(mission, cell, reading)["data"]
        file = MissionFile(
            sha256=form["hash"],
            name=form["name"],
            size_bytes=form["size"],
            added_at_ms=cell.said.at_ms,
            added_by=username(cell.said.author),
        )
        files.append(file)
    entities = []
    for cell in seen(mission, "uid", reading):
        sight = sight_of(tail(cell.key), reading)
        entity = MissionEntity(
            uid=tail(cell.key),
            added_at_ms=cell.said.at_ms,
            added_by=username(cell.said.author),
            name=None if sight is None else sight.report.name,
        )
        entities.append(entity)
    detail = MissionDetail(
        mission=_summary(mission, role),
        keywords=tuple(field(mission, "keywords", [])),
        files=tuple(files),
        entities=tuple(entities),
        members=tuple(dict.fromkeys(said.uid for said, _ in subscriptions(mission))),
    )
    yield Labelled(detail, mission.label, mission.context)


def _changes(principal: Principal, ask: AskChanges, reading: Reading) -> Iterator[Labelled]:
    found = allowed(principal, Which(guid=ask.guid), READ, reading)
    if isinstance(found, Refused):
        return
    mission, _ = found
    rows = changes(mission, reading, since=ask.since)
    if len(rows) > ask.limit:
        beyond = rows[ask.limit].seq
        rows = [row for row in rows[: ask.limit] if row.seq != beyond]
    for change in rows:
        form = change.form
        resource = form.get("contentResource", {})
        row = MissionChangeRow(
            seq=change.seq,
            type=form["type"],
            at=form["timestamp"],
            by=form["creatorUid"],
            uid=form.get("contentUid"),
            sha256=resource.get("hash"),
            name=resource.get("name") or form.get("details", {}).get("callsign"),
        )
        yield Labelled(row, mission.label, mission.context)


# -- commands ---------------------------------------------------------------------------------------------------------


async def create_mission(principal: Principal, ask: NewMission, desk: Desk) -> MissionMade | Refused:
    """Create it; the same again changes nothing."""
    try:
        name = check_name(ask.name)
    except ValueError as wrong:
        return Refused("name", str(wrong))
    said = {"description": ask.description, "inviteOnly": ask.invite_only}
    fields = {key: value for key, value in said.items() if value}
    which = Which(name=name, password=ask.password)
    made = await save(principal, Save(which=which, fields=fields, groups=ask.groups or ()), desk)
    return MissionMade(guid=made.guid, is_created=made.is_created) if isinstance(made, Saved) else made


async def add_mission_content(principal: Principal, ask: MissionContent, desk: Desk) -> MissionEdited | Refused:
    """Add entities and files."""
    try:
        body = Contents(uids=ask.uids, hashes=ask.files)
    except ValueError as wrong:
        return Refused("content", str(wrong))
    return _told(await add_row.act(principal, Edit(which=Which(guid=ask.guid), body=body), desk))


async def remove_mission_content(principal: Principal, ask: MissionContentGone, desk: Desk) -> MissionEdited | Refused:
    """Take one away."""
    if ask.file:
        try:
            check_digest(ask.file)
        except ValueError as wrong:
            return Refused("content", str(wrong))
    body = Taken(hash=ask.file, uid=ask.uid)
    return _told(await remove_row.act(principal, Edit(which=Which(guid=ask.guid), body=body), desk))


async def delete_mission(principal: Principal, ask: AskMission, desk: Desk) -> MissionEdited | Refused:
    """Delete it for good."""
    return _told(await drop(principal, Drop(which=Which(guid=ask.guid)), desk))


def _told(done: Edited | Refused) -> MissionEdited | Refused:
    return done if isinstance(done, Refused) else MissionEdited(guid=done.guid, is_new=done.is_new)


QUERIES = (
    Query(
        name="missions",
        path="/missions",
        request=AskMissions,
        row=MissionSummary,
        role="viewer",
        answer=_missions,
        blocking=True,
        summary="Missions that the asker may know of",
    ),
    Query(
        name="mission",
        path="/missions/{guid}",
        request=AskMission,
        row=MissionDetail,
        role="viewer",
        answer=_mission,
        one=True,
        blocking=True,
        summary="One mission and what is in it",
    ),
    Query(
        name="mission_changes",
        path="/missions/{guid}/changes",
        request=AskChanges,
        row=MissionChangeRow,
        role="viewer",
        answer=_changes,
        blocking=True,
        summary="What changed in a mission since a number, in order of arrival",
    ),
)
COMMANDS = (
    Command(
        name="create_mission",
        method="POST",
        path="/missions",
        request=NewMission,
        answer=MissionMade,
        role="operator",
        act=create_mission,
        summary="Create a mission",
    ),
    Command(
        name="add_mission_content",
        method="POST",
        path="/missions/{guid}/contents",
        request=MissionContent,
        answer=MissionEdited,
        role="operator",
        act=add_mission_content,
        summary="Add entities and files to a mission",
    ),
    Command(
        name="remove_mission_content",
        method="DELETE",
        path="/missions/{guid}/contents",
        request=MissionContentGone,
        answer=MissionEdited,
        role="operator",
        act=remove_mission_content,
        summary="Take an entity or a file out of a mission",
    ),
    Command(
        name="delete_mission",
        method="DELETE",
        path="/missions/{guid}",
        request=AskMission,
        answer=MissionEdited,
        role="operator",
        act=delete_mission,
        summary="Delete a mission for good",
    ),
)
