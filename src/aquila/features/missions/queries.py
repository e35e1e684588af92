"""What can be asked of missions. A refusal is a row as well, so that the contract can say why: gone, or not allowed."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Labelled, Query, Reading
from aquila.core.model import Principal, Verdict
from aquila.features.missions.files import Archive, KeptFiles, is_there, package_of
from aquila.features.missions.forms import (
    Change,
    MissionRow,
    changes,
    is_seen,
    layer_forms,
    log_form,
    mission_row,
    seen,
    sight_of,
    tail,
)
from aquila.features.missions.roles import (
    READ,
    SUBSCRIBER,
    Invitation,
    RoleName,
    Which,
    allowed,
    default_role,
    door_of,
    field,
    invitations,
    is_for,
    is_visible,
    missions_of,
    own_role,
    role_form,
    role_of,
    subscriptions,
    token,
    username,
)
from aquila.features.missions.view import Cell, Mission


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A question about one mission; each looks at what concerns it.

    Attributes:
        from_ms, until_ms: UTC; None = open. since: arrival number; None = from the beginning.
        uid: of a client, a layer or an entry of the log.
    """

    which: Which
    from_ms: int | None = None
    until_ms: int | None = None
    since: int | None = None
    squashed: bool = True
    with_changes: bool = False
    with_logs: bool = False
    uid: str = ""


class AskAll(msgspec.Struct, frozen=True, kw_only=True):
    """Which missions. is_protected, is_readonly: also those with a password, or where one may only read."""

    which: Which = Which()
    is_protected: bool = False
    is_readonly: bool = False
    tool: str = ""
    uid: str = ""


class Subscribed(msgspec.Struct, frozen=True, kw_only=True):
    """One subscription as it is told."""

    uid: str
    username: str
    at_ms: int
    role: RoleName


class Invited(msgspec.Struct, frozen=True, kw_only=True):
    """One invitation as it is told. token: only for whom it is meant."""

    mission: str
    guid: str
    said: Invitation
    at_ms: int
    token: str | None = None


Make = Callable[[Principal, Mission, RoleName, Ask, Reading], Any]
"""The answer to a question about a mission that may be read; None = there is nothing."""


def asking(name: str, make: Make, request: type[Any] = Ask) -> Query:
    """A question about one mission, for the foreign contract only."""

    def answer(principal: Principal, ask: Any, reading: Reading) -> Iterator[Labelled]:
        found = allowed(principal, ask.which, READ, reading)
        if isinstance(found, Refused):
            if found.reason != "absent":
                yield Labelled(found, None, reading.context)
            return
        mission, role = found
        made = make(principal, mission, role, ask, reading)
        if made is not None:
            yield Labelled(made, mission.label, mission.context)

    return query(f"mission_{name}", request, answer, one=True)


def query(name: str, request: type[Any], answer: Callable[..., Iterator[Labelled]], *, one: bool = False) -> Query:
    """A question of the foreign contract only."""
    return Query(
        name=name, path=f"/{name}", request=request, row=object, role="viewer", answer=answer, one=one, blocking=True
    )


# -- one mission ------------------------------------------------------------------------------------------------------


def _whole(principal: Principal, mission: Mission, role: RoleName, ask: Ask, reading: Reading) -> MissionRow:
    more: dict[str, list[Any]] = {}
    if ask.with_changes:
        found = changes(mission, reading, from_ms=ask.from_ms, until_ms=ask.until_ms)
        more["missionChanges"] = [each.form for each in found]
    if ask.with_logs:
        more["logs"] = _logs(principal, mission, role, ask, reading)
    return mission_row(mission, reading, **more)


def _changes(principal: Principal, mission: Mission, role: RoleName, ask: Ask, reading: Reading) -> list[Change]:
    return changes(
        mission,
        reading,
        since=ask.since,
        from_ms=ask.from_ms,
        until_ms=ask.until_ms,
        squashed=ask.squashed and ask.since is None,
    )


def _logs(principal: Principal, mission: Mission, role: RoleName, ask: Ask, reading: Reading) -> list[dict[str, Any]]:
    return [
        log_form([mission.name], cell)
        for cell in seen(mission, "log", reading)
        if (ask.from_ms is None or cell.said.at_ms >= ask.from_ms)
        and (ask.until_ms is None or cell.said.at_ms <= ask.until_ms)
    ]


def _role(principal: Principal, mission: Mission, role: RoleName, ask: Ask, reading: Reading) -> dict[str, Any]:
    return role_form(role)


def _token(principal: Principal, mission: Mission, role: RoleName, ask: Ask, reading: Reading) -> str:
    return token(mission, "ACCESS", principal.id, reading, door=door_of(mission))


def _subscribed(mission: Mission) -> list[Subscribed]:
    return [
        Subscribed(uid=said.uid, username=username(said.user), at_ms=at_ms, role=said.role)
        for said, at_ms in subscriptions(mission)
    ]


def _subscriptions(
    principal: Principal, mission: Mission, role: RoleName, ask: Ask, reading: Reading
) -> list[Subscribed]:
    return _subscribed(mission)


def _subscription(
    principal: Principal, mission: Mission, role: RoleName, ask: Ask, reading: Reading
) -> Subscribed | None:
    return next((each for each in _subscribed(mission) if each.uid == ask.uid), None)


def _layers(principal: Principal, mission: Mission, role: RoleName, ask: Ask, reading: Reading) -> list[dict[str, Any]]:
    return layer_forms(mission, reading)


def _layer(principal: Principal, mission: Mission, role: RoleName, ask: Ask, reading: Reading) -> dict[str, Any] | None:
    waiting = layer_forms(mission, reading)
    while waiting:
        layer = waiting.pop()
        if layer["uid"] == ask.uid:
            return layer
        waiting += layer["mission_layers"]
    return None


def _contacts(
    principal: Principal, mission: Mission, role: RoleName, ask: Ask, reading: Reading
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for each in _subscribed(mission):
        sight = sight_of(each.uid, reading)
        report = None if sight is None else sight.report
        found.append(
            {
                "filterGroups": [],
                "notes": each.username,
                "callsign": each.username if report is None or not report.name else report.name,
                "team": "" if report is None else report.team or "",
                "role": "" if report is None else report.role or "",
                "takv": "",
                "uid": each.uid,
            }
        )
    return found


def _children(principal: Principal, mission: Mission, role: RoleName, ask: Ask, reading: Reading) -> list[MissionRow]:
    return [
        mission_row(each, reading)
        for each in missions_of(reading).missions()
        if field(each, "parent") == mission.guid
        and not isinstance(allowed(principal, Which(guid=each.guid), READ, reading), Refused)
    ]


def _parent(principal: Principal, mission: Mission, role: RoleName, ask: Ask, reading: Reading) -> MissionRow | None:
    found = allowed(principal, Which(guid=field(mission, "parent") or "-"), READ, reading)
    return None if isinstance(found, Refused) else mission_row(found[0], reading)


# -- entities as CoT --------------------------------------------------------------------------------------------------


class AskEvents(msgspec.Struct, frozen=True, kw_only=True):
    """What the part `events` is asked."""

    uids: tuple[str, ...]


class Events(Protocol):
    """The part `events` of a node: the newest CoT event of each of these uids, as rows to be released."""

    def __call__(self, principal: Principal, ask: Any, reading: Reading) -> Iterator[Labelled]:
        """Rows with `xml`."""
        ...


def _cot(principal: Principal, ask: Ask, reading: Reading) -> Iterator[Labelled]:
    found = allowed(principal, ask.which, READ, reading)
    if isinstance(found, Refused):
        # An empty list of events would say that it is there.
        yield Labelled(found, None, reading.context)
        return
    mission, _ = found
    events: Events = reading.part("events")
    uids = [tail(cell.key) for cell in seen(mission, "uid", reading)]
    if ask.uid:
        uids = [uid for uid in uids if mission.value(f"place/{uid}") == msgspec.json.encode(ask.uid).decode()]
    for start in range(0, len(uids), 500):
        yield from events(principal, AskEvents(uids=tuple(uids[start : start + 500])), reading)


def _archive(principal: Principal, mission: Mission, role: RoleName, ask: Ask, reading: Reading) -> Archive:
    return archive_of(principal, mission, reading)


def archive_of(principal: Principal, mission: Mission, reading: Reading) -> Archive:
    """What of a mission is there for the asker. Looks at the disk."""
    files: list[tuple[str, str, Path]] = []
    for cell in seen(mission, "hash", reading):
        digest = tail(cell.key)
        package = package_of(digest, reading)
        if package is not None and is_there(digest, reading):
            kept: KeptFiles = reading.part("files")
            files.append((digest, package.facts.name, kept.path_of(digest)))
    events: Events = reading.part("events")
    found: list[tuple[str, str]] = []
    for cell in seen(mission, "uid", reading):
        for row in events(principal, AskEvents(uids=(tail(cell.key),)), reading):
            if row.label is not None and reading.release(row.label, row.context).verdict is Verdict.FULL:
                found.append((tail(cell.key), row.full.xml))
    return Archive(name=mission.name, guid=mission.guid, files=tuple(files), events=tuple(found))


# -- many missions ----------------------------------------------------------------------------------------------------


def listed_missions(principal: Principal, which: Which, reading: Reading) -> Iterator[tuple[Mission, RoleName | None]]:
    """Those that are told of, with the asker's role: one only for those invited is no business of others."""
    for mission in missions_of(reading).missions():
        if not is_visible(mission, reading):
            continue
        role = own_role(principal, mission, which, reading)
        if role is None and mission.value("field/password") is None and not field(mission, "inviteOnly", False):
            role = role_of(principal, mission, which, reading)
        if role is not None or not field(mission, "inviteOnly", False):
            yield mission, role


def _missions(principal: Principal, ask: AskAll, reading: Reading) -> Iterator[Labelled]:
    for mission, role in listed_missions(principal, ask.which, reading):
        is_protected = mission.value("field/password") is not None
        is_readonly = default_role(mission) != SUBSCRIBER
        if is_protected and not ask.is_protected:
            continue
        if is_readonly and not (ask.is_readonly and ask.is_protected):
            continue
        if ask.tool and field(mission, "tool", "public") != ask.tool:
            continue
        # What is in it is told only to who may come in.
        row = mission_row(mission, reading)
        if is_protected and role is None:
            head = {**row.head, "externalData": [], "feeds": [], "mapLayers": []}
            row = MissionRow(head=head, lists={"uids": [], "contents": []})
        yield Labelled(row, mission.label, mission.context)


def _invited(principal: Principal, mission: Mission, reading: Reading, *, only_own: bool) -> Iterator[Invited]:
    for said, at_ms in invitations(mission):
        is_own = is_for(said, principal, reading)
        if only_own and not is_own:
            continue
        key = f"invite/{said.type} {said.invitee}"
        shown = token(mission, "INVITATION", key, reading) if is_own else None
        yield Invited(mission=mission.name, guid=mission.guid, said=said, at_ms=at_ms, token=shown)


def _invitations(principal: Principal, mission: Mission, role: RoleName, ask: Ask, reading: Reading) -> list[Invited]:
    return list(_invited(principal, mission, reading, only_own=False))


def _visible(reading: Reading) -> Iterator[Mission]:
    return (mission for mission in missions_of(reading).missions() if is_visible(mission, reading))


def _own_invitations(principal: Principal, ask: AskAll, reading: Reading) -> Iterator[Labelled]:
    for mission in _visible(reading):
        for row in _invited(principal, mission, reading, only_own=True):
            yield Labelled(row, mission.label, mission.context)


def _all_subscriptions(principal: Principal, ask: AskAll, reading: Reading) -> Iterator[Labelled]:
    for mission in _visible(reading):
        own = [each for each in subscriptions(mission) if each[0].user == principal.id]
        if own:
            yield Labelled((mission.name, mission.guid, [said.uid for said, _ in own]), mission.label, mission.context)


# -- logs -------------------------------------------------------------------------------------------------------------


def _readable(principal: Principal, reading: Reading) -> Iterator[Mission]:
    for mission in missions_of(reading).missions():
        if not isinstance(allowed(principal, Which(guid=mission.guid), READ, reading), Refused):
            yield mission


def log_entries(principal: Principal, reading: Reading, uid: str = "") -> list[tuple[dict[str, Any], list[Mission]]]:
    """Entries of all logs that the asker may read, each once, with the missions that it stands in. uid: only this.

    What one mission says of an entry is never told of another: where they differ, each has a row of its own.
    """
    found: dict[tuple[str, str | None], tuple[Any, list[Mission]]] = {}
    for mission in _readable(principal, reading):
        for cell in _log_cells(mission, uid, reading):
            key = cell.key, cell.value
            newest, missions = found.get(key, (cell, []))
            newest = cell if cell.said.stamp > newest.said.stamp else newest
            found[key] = (newest, [*missions, mission])
    return [(log_form([each.name for each in missions], cell), missions) for cell, missions in found.values()]


def _log_cells(mission: Mission, uid: str, reading: Reading) -> list[Cell]:
    if not uid:
        return seen(mission, "log", reading)
    # One entry is looked up: logs are long, and who takes an entry out of them waits on the loop.
    cell = mission.cell(f"log/{uid}")
    return [cell] if cell is not None and cell.value is not None and is_seen(mission, cell.said, reading) else []


def _all_logs(principal: Principal, ask: Ask, reading: Reading) -> Iterator[Labelled]:
    for form, _ in log_entries(principal, reading, ask.uid):
        # Only missions that are released to the asker were looked at.
        yield Labelled(form, None, reading.context)


whole = asking("whole", _whole)
changed = asking("changed", _changes)
log = asking("log", _logs)
role = asking("role", _role)
access_token = asking("token", _token)
subscribed = asking("subscriptions", _subscriptions)
subscription = asking("subscription", _subscription)
layers = asking("layers", _layers)
layer = asking("layer", _layer)
contacts = asking("contacts", _contacts)
children = asking("children", _children)
parent = asking("parent", _parent)
invited = asking("invitations", _invitations)
archive = asking("archive", _archive)
cot = query("mission_cot", Ask, _cot)
listed = query("missions_listed", AskAll, _missions)
own_invitations = query("missions_invited", AskAll, _own_invitations)
own_subscriptions = query("missions_subscribed", AskAll, _all_subscriptions)
logs = query("missions_logs", Ask, _all_logs)
log_entry = query("missions_log_entry", Ask, _all_logs, one=True)
