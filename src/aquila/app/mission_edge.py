"""Mission edge: what happens in a mission is told to who follows it, and what is said to a mission reaches the others.

Rules S9 and 5.1 of the stream contract. A notice is made once for each class of readers: what it says of a file or an
entity is what those readers may have.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from aquila.app.engine import Engine
from aquila.app.port import Port
from aquila.codecs.cot import cot_xml
from aquila.codecs.cot.mission_notices import Notice, NoticeChange, NoticeKind, Resource, notice
from aquila.core.errors import CodecError, Refused
from aquila.core.fanout import Outbound
from aquila.core.model import (
    Act,
    Address,
    Alias,
    Audience,
    Body,
    Entry,
    Foreign,
    Original,
    Principal,
    Report,
    audience_of,
)
from aquila.core.view import view_of
from aquila.features.missions.contents import Contents, add_row
from aquila.features.missions.edits import Edit
from aquila.features.missions.files import resource_of
from aquila.features.missions.forms import sight_of
from aquila.features.missions.roles import PERMISSIONS, Invitation, Which, allowed, subscriptions
from aquila.features.missions.view import CREATE, DELETE, INVITE_ONLY, MEMBERS, PREFIX, Mission, Missions
from aquila.links.hub import Hub
from aquila.links.peer import Peer
from aquila.web_api.port import Asked

log = logging.getLogger(__name__)

CHANGES_AT_ONCE = 50
"""In one notice: an event of 64 KiB is as much as a phone takes."""
STALE_MS = 20_000
KINDS: Mapping[str, NoticeKind] = {
    "mission.add": "CHANGE",
    "mission.remove": "CHANGE",
    "mission.keywords": "KEYWORD",
    "mission.log": "LOG",
    "mission.layer": "MISSION_LAYER",
    "mission.parent": "METADATA",
    "mission.expiration": "METADATA",
    "mission.change": "METADATA",
    "mission.password": "METADATA",
    "mission.groups": "METADATA",
    "mission.attach": "EXTERNAL_DATA",
}
"""What an act means to who follows the mission; acts that stand nowhere here are nobody else's business."""


class MissionEdge:
    """Carries missions of one node over its links.

    Args:
        engine, hub: the node. port: for what a reader may have. links: those that are up, by id.
    """

    def __init__(self, engine: Engine, hub: Hub, port: Port, links: Mapping[int, Peer]) -> None:
        self._engine = engine
        self._hub = hub
        self._port = port
        self._links = links
        self._rounds: set[asyncio.Task[None]] = set()
        engine.on_entries.append(self._hear)

    @property
    def _missions(self) -> Missions:
        return view_of(self._engine.node.views, "missions", Missions)

    # -- notices ----------------------------------------------------------------------------------------------------

    def _hear(self, entries: list[Entry]) -> None:
        for entry in entries:
            if isinstance(entry.body, Act) and entry.body.action.startswith(PREFIX):
                mission = self._missions.mission(entry.body.target)
                if mission is not None:
                    self._tell(entry, entry.body, mission)

    def _tell(self, entry: Entry, act: Act, mission: Mission) -> None:
        author = act.detail.get("by", "")
        if act.action in (CREATE, DELETE):
            kind: NoticeKind = "CREATE" if act.action == CREATE else "DELETE"
            told = Notice(kind=kind, name=mission.name, guid=mission.guid, author_uid=author)
            self._tell_those_concerned(entry, act, told)
        elif act.action == "mission.invite":
            self._tell_invited(entry, act, mission, author)
        elif act.action == "mission.role":
            self._tell_role(entry, act, mission, author)
        elif act.action in KINDS:
            self._tell_followers(entry, act, mission, KINDS[act.action], author)

    def _tell_those_concerned(self, entry: Entry, act: Act, told: Notice) -> None:
        """That a mission is there or gone is news for its groups; one for invited people is its members' alone."""
        if MEMBERS in act.detail:
            users = set(act.detail[MEMBERS].split("\n"))
        elif act.detail.get(INVITE_ONLY) == "true":
            users = {entry.envelope.author}
        else:
            self._publish(entry, told, ())
            return
        to = tuple(Address("uid", uid) for principal, uid in self._present() if principal.id in users)
        if to:
            self._publish(entry, told, to)

    def _tell_followers(self, entry: Entry, act: Act, mission: Mission, kind: NoticeKind, author: str) -> None:
        for principal, uids in self._followers(mission).values():
            asked = Asked(self._port, principal, "mission")
            changes = [
                self._change(act, key, value, asked)
                for key, value in act.detail.items()
                if kind == "CHANGE" and key.partition("/")[0] in ("hash", "uid")
            ]
            to = tuple(Address("uid", uid) for uid in uids)
            for start in range(0, max(1, len(changes)), CHANGES_AT_ONCE):
                part = tuple(changes[start : start + CHANGES_AT_ONCE])
                told = Notice(kind=kind, name=mission.name, guid=mission.guid, author_uid=author, changes=part)
                self._publish(entry, told, to)

    def _followers(self, mission: Mission) -> dict[Audience, tuple[Principal, list[str]]]:
        """Who follows it and is here, by class of readers: one of them, and the uids of all."""
        users = {(said.user, said.uid) for said, _ in subscriptions(mission)}
        found: dict[Audience, tuple[Principal, list[str]]] = {}
        for principal, uid in self._present():
            if (principal.id, uid) in users:
                found.setdefault(audience_of(principal), (principal, []))[1].append(uid)
        return found

    def _present(self) -> Iterable[tuple[Principal, str]]:
        for link in list(self._links.values()):
            if link.principal is not None:
                for uid in self._hub.fanout.contacts.uids(link.id):
                    yield link.principal, uid

    def _change(self, act: Act, key: str, value: str, asked: Asked) -> NoticeChange:
        kind, _, name = key.partition("/")
        type_ = "ADD_CONTENT" if value else "REMOVE_CONTENT"
        author, at_ms = act.detail.get("by", ""), act.happened_at_ms
        if kind == "hash":
            file = _resource(name, at_ms, author, asked)
            return NoticeChange(type=type_, at_ms=at_ms, creator_uid=author, resource=file)
        sight: Any = sight_of(name, asked)
        report: Report | None = None if sight is None else sight.report
        place = None if report is None else report.position
        return NoticeChange(
            type=type_,
            at_ms=at_ms,
            creator_uid=author,
            content_uid=name,
            cot_type=None if report is None else report.type,
            callsign=None if report is None else report.name,
            lat_deg=None if place is None else place.lat_deg,
            lon_deg=None if place is None else place.lon_deg,
        )

    def _tell_invited(self, entry: Entry, act: Act, mission: Mission, author: str) -> None:
        for key, value in act.detail.items():
            if not key.startswith("invite/") or not value:
                continue
            said = msgspec.json.decode(value, type=Invitation)
            # A callsign is whatever a client says of itself: only that of its certificate is invited, and told of it.
            to = tuple(
                Address("uid", uid)
                for principal, uid in self._present()
                if (said.type == "callsign" and principal.name == said.invitee)
                or (said.type == "clientUid" and uid == said.invitee)
            )
            if not to:
                continue
            told = Notice(
                kind="INVITE",
                name=mission.name,
                guid=mission.guid,
                author_uid=author,
                role=said.role,
                permissions=PERMISSIONS[said.role],
            )
            self._publish(entry, told, to)

    def _tell_role(self, entry: Entry, act: Act, mission: Mission, author: str) -> None:
        for said, _ in subscriptions(mission):
            if f"role/{said.user}" in act.detail:
                told = Notice(
                    kind="ROLE",
                    name=mission.name,
                    guid=mission.guid,
                    author_uid=author,
                    role=said.role,
                    permissions=PERMISSIONS[said.role],
                )
                self._publish(entry, told, (Address("uid", said.uid),))

    def _publish(self, entry: Entry, told: Notice, to: tuple[Address, ...]) -> None:
        engine = self._engine
        now_ms, uid = engine.node.clock_ms(), engine.clockwork.new_id()
        xml = notice(told, now_ms, uid)
        self._hub.publish(
            Outbound(
                id="",
                body=Foreign(alias=Alias("cot", uid), type="t-x-m", happened_at_ms=now_ms),
                label=entry.envelope.label,
                context=entry.envelope.context,
                to=to,
                original=Original("cot-xml", xml),
                stale_at_ms=now_ms + STALE_MS,
            )
        )

    # -- said to a mission (S9) -------------------------------------------------------------------------------------

    def take(self, entry: Entry, outbound: Outbound, source: int | None) -> None:
        """A committed statement that has missions among its addressees."""
        link = None if source is None else self._links.get(source)
        if link is None or link.principal is None or entry.body is None:
            return
        round_ = asyncio.get_running_loop().create_task(self._said(link.principal, entry.body, outbound, link.id))
        self._rounds.add(round_)
        round_.add_done_callback(self._ended)

    def _ended(self, round_: "asyncio.Task[None]") -> None:
        self._rounds.discard(round_)
        if not round_.cancelled() and (fault := round_.exception()) is not None:
            log.error("a statement to a mission was not carried", exc_info=fault)

    async def _said(self, principal: Principal, body: Body, outbound: Outbound, source: int) -> None:
        asked = Asked(self._port, principal, "mission")
        by = next(iter(self._hub.fanout.contacts.uids(source)), "")
        for address in outbound.to:
            if address.scheme != "mission":
                continue
            is_guid = self._missions.mission(address.value) is not None
            which = Which(guid=address.value if is_guid else "", name="" if is_guid else address.value, by=by)
            found = allowed(principal, which, "MISSION_WRITE", asked)
            if isinstance(found, Refused):
                self._engine.counts[f"refused mission {found.reason}"] += 1
                continue
            mission, _ = found
            uids = [uid for _, uids in self._followers(mission).values() for uid in uids]
            to = tuple(Address("uid", uid) for uid in uids)
            if to:
                self._hub.publish(msgspec.structs.replace(outbound, to=to, key=None))
            if isinstance(body, Report) and body.alias.scheme == "cot":
                which = Which(guid=mission.guid, by=by)
                await add_row.act(principal, Edit(which=which, body=Contents(uids=(body.alias.value,))), asked)


def may_speak(engine: Engine, principal: Principal, events: Iterable[bytes]) -> Refused | None:
    """Why one of these CoT events in XML would not be taken from this principal; None = all would be. Says nothing."""
    assert cot_xml.decoder is not None
    for data in events:
        for each in cot_xml.decoder().feed(data):
            if isinstance(each, CodecError):
                return Refused("syntax", str(each))
            judged = engine.node.judge(each, principal)
            if isinstance(judged, Refused):
                name = each.body.alias.value[:100] if isinstance(each.body, Report) else "one"
                return Refused(judged.reason, f"the event of {name} is refused: {judged.detail or judged.reason}")
    return None


def speak(engine: Engine, principal: Principal, data: bytes) -> Refused | None:
    """Hear CoT events in XML as if they had come by a link of this principal; says why one was not taken."""
    assert cot_xml.decoder is not None
    for each in cot_xml.decoder().feed(data):
        if isinstance(each, CodecError):
            return Refused("syntax", str(each))
        refused = engine.hear(each, principal, "marti", "cot-xml")
        if refused is not None:
            return refused
    return None


def _resource(digest: str, at_ms: int, author: str, asked: Asked) -> Resource:
    """A file as these readers may know it; of one that they may not see only the digest is told."""
    known = resource_of(digest, asked)
    return Resource(
        hash=digest,
        name=str(known.get("name", digest)),
        mime_type=str(known.get("mimeType", "application/octet-stream")),
        size_bytes=int(known.get("size", 0)),
        submitter=str(known.get("submitter", "")),
        submitted_at_ms=at_ms,
        uid=str(known.get("uid", digest)),
        creator_uid=str(known.get("creatorUid", author)),
    )
