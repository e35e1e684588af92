"""Sharing: what is in a data package becomes contents of a mission; a mission goes to contacts as a data package."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Annotated, Any, Protocol

import msgspec

from aquila.codecs.cot import cot_xml
from aquila.codecs.cot.offer import Offer, offer_event, plain_name
from aquila.core.codec import Decoded
from aquila.core.errors import Refused, UsageError
from aquila.core.feature import Desk, Reading, check_text
from aquila.core.ids import derived_id
from aquila.core.model import Principal, Report
from aquila.features.missions.edits import command, opened, said
from aquila.features.missions.files import zipped
from aquila.features.missions.forms import changes, sight_of
from aquila.features.missions.queries import archive_of
from aquila.features.missions.roles import READ, WRITE, Which, signed
from aquila.features.missions.view import Mission

Uid = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Packages(Protocol):
    """The part `packages` of a node."""

    async def look_into(self, sha256: str, desk: Desk) -> Any:
        """What is in a data package: `events` and files; Refused when it is not fit to be opened."""
        ...

    async def unpack(
        self, principal: Principal, sha256: str, found: Any, groups: Iterable[str], creator_uid: str, desk: Desk
    ) -> Any:
        """Keep every file of a data package that was looked into: their digests, or Refused."""
        ...

    async def keep(
        self, principal: Principal, sha256: str, name: str, groups: Iterable[str], creator_uid: str, desk: Desk
    ) -> Any:
        """Take a data package that lies in the part `files` already; Refused when it may not be sent."""
        ...


Speak = Callable[[Principal, bytes], Refused | None]
"""The part `speak`: hears an event as if it had come by a link of a principal."""


MaySpeak = Callable[[Principal, Iterable[bytes]], Refused | None]
"""The part `may_speak`: why one of these events would not be taken from a principal; None = all would be."""


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """A data package, by its digest, whose content a mission is to have."""

    which: Which
    sha256: str


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """Changes of the mission: what is in it now; or what stands against it, and then nothing was done."""

    changes: tuple[dict[str, Any], ...]
    is_conflict: bool = False


class Send(msgspec.Struct, frozen=True, kw_only=True):
    """A mission that is to go to clients, by uid. base: where they fetch it: https://host:port."""

    which: Which
    uids: Annotated[tuple[Uid, ...], msgspec.Meta(min_length=1, max_length=100)]
    base: str

    def __post_init__(self) -> None:
        for uid in self.uids:
            check_text("contacts", uid)


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """The data package that was sent."""

    sha256: str


async def fill(principal: Principal, ask: Fill, desk: Desk) -> Filled | Refused:
    """Files become contents, CoT events are said and become uids; nothing is done where the mission knows better."""
    which = signed(principal, ask.which, desk)
    found = await opened(principal, which, WRITE, desk)
    if isinstance(found, Refused):
        return found
    mission, _ = found
    narrow = _within(principal, mission)
    packages: Packages = desk.part("packages")
    inside = await packages.look_into(ask.sha256, desk)
    reports = inside if isinstance(inside, Refused) else _reports(inside.events)
    if isinstance(reports, Refused):
        return reports
    newer = {f"uid/{report.alias.value}" for report, _ in reports if _is_outdated(mission, report, desk)}
    if newer:
        return Filled(changes=await _changes_of(mission, newer, desk), is_conflict=True)
    # Before the first is said, so that a package that is refused has left nothing in the picture.
    may_speak: MaySpeak = desk.part("may_speak")
    refused = may_speak(narrow, [data for _, data in reports])
    if refused is not None:
        return refused
    speak: Speak = desk.part("speak")
    for report, data in reports:
        refused = speak(narrow, data)
        # What was heard before is known already: the same package again adds nothing and is no fault.
        if refused is not None and refused.reason != "replay":
            # What was refused is in no picture, so it must not stand in the mission, nor the rest as if it were all.
            told = f"the event of {report.alias.value[:100]} is refused: {refused.detail or refused.reason}"
            return Refused(refused.reason, told)
    digests = await packages.unpack(narrow, ask.sha256, inside, sorted(narrow.groups_in), which.by, desk)
    if isinstance(digests, Refused):
        return digests
    keys = {f"hash/{digest}" for digest in digests} | {f"uid/{report.alias.value}" for report, _ in reports}
    done = await said(desk, mission, "mission.add", {key: {} for key in keys if mission.value(key) is None}, which.by)
    return done if isinstance(done, Refused) else Filled(changes=await _changes_of(mission, keys, desk))


async def _changes_of(mission: Mission, keys: set[str], desk: Desk) -> tuple[dict[str, Any], ...]:
    """The newest change of each of these contents."""
    found = await asyncio.to_thread(changes, mission, desk, squashed=True)
    return tuple(each.form for each in found if _key_of(each.form) in keys)


def _key_of(form: dict[str, Any]) -> str:
    resource = form.get("contentResource")
    return f"uid/{form.get('contentUid')}" if resource is None else f"hash/{resource['hash']}"


def _within(principal: Principal, mission: Mission) -> Principal:
    """The same, writing into no group that is not the mission's: what is put into it is told to nobody else."""
    if principal.kind == "node":
        return principal
    return msgspec.structs.replace(principal, groups_in=principal.groups_in & set(mission.label.groups))


def _reports(events: Iterable[bytes]) -> list[tuple[Report, bytes]] | Refused:
    assert cot_xml.decoder is not None
    found: list[tuple[Report, bytes]] = []
    for data in events:
        read = list(cot_xml.decoder().feed(data))
        if len(read) != 1 or not isinstance(read[0], Decoded) or not isinstance(read[0].body, Report):
            return Refused("request", "a .cot file of the package holds no CoT event about an entity: exactly one")
        found.append((read[0].body, data))
    return found


def _is_outdated(mission: Mission, report: Report, reading: Reading) -> bool:
    """Is something newer about this entity of the mission known already?"""
    if mission.value(f"uid/{report.alias.value}") is None:
        return False
    sight = sight_of(report.alias.value, reading)
    return sight is not None and sight.report.observed_at_ms > report.observed_at_ms


async def send(principal: Principal, ask: Send, desk: Desk) -> Sent | Refused:
    """Pack what the asker sees of it, keep that as a data package, and offer it to the contacts (a file transfer)."""
    which = signed(principal, ask.which, desk)
    found = await opened(principal, which, READ, desk)
    if isinstance(found, Refused):
        return found
    mission, _ = found
    narrow = _within(principal, mission)
    if not narrow.groups_in and narrow.kind != "node":
        return Refused("group", "you may write into none of the mission's groups")
    files: Any = desk.part("files")
    archive = await asyncio.to_thread(archive_of, principal, mission, desk)
    try:
        packed = await files.run(partial(_pack, files, archive))
    except UsageError as wrong:
        return Refused("full", str(wrong))
    packages: Packages = desk.part("packages")
    kept: Any = None
    try:
        kept = await packages.keep(narrow, packed.sha256, _filename(mission), sorted(narrow.groups_in), which.by, desk)
    finally:
        wanted = kept is not None and not isinstance(kept, Refused)
        await files.run(partial(files.let_go, packed.sha256, wanted=wanted))
    if isinstance(kept, Refused):
        return kept
    speak: Speak = desk.part("speak")
    refused = speak(narrow, _offer(mission, ask, which.by, principal.name, packed, desk))
    return Sent(sha256=packed.sha256) if refused is None else refused


def _pack(files: Any, archive: Any) -> Any:
    return files.put(zipped(archive), held=True)


def _offer(mission: Mission, ask: Send, by: str, callsign: str, packed: Any, desk: Desk) -> bytes:
    """A file transfer request, as ATAK makes it for a data package."""
    now_ms = desk.now_ms()
    offer = Offer(
        uid=derived_id("mission.send", 1, f"{mission.guid}\0{packed.sha256}\0{now_ms}\0{' '.join(ask.uids)}"),
        name=mission.name,
        filename=_filename(mission),
        sha256=packed.sha256,
        size_bytes=packed.size_bytes,
        url=f"{ask.base}/Marti/sync/content?hash={packed.sha256}",
        sender_uid=by,
        callsign=callsign,
    )
    return offer_event(offer, ask.uids, now_ms)


def _filename(mission: Mission) -> str:
    return f"{plain_name(mission.name, 'mission')}.zip"


fill_row = command("mission_fill", Fill, Filled, fill)
send_row = command("mission_send", Send, Sent, send)
