"""Creating, updating and deleting missions; their passwords."""

import asyncio
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Desk, Saying, check_text
from aquila.core.ids import derived_id
from aquila.core.model import Act, Label, Principal
from aquila.core.owners import SPOOFED, is_of_another
from aquila.core.policy import label_for
from aquila.core.unseen import unseen
from aquila.features.missions.edits import Edited, acts_of, command, new_of, no_room, opened, said
from aquila.features.missions.forms import MissionRow, mission_row, tail
from aquila.features.missions.roles import (
    OWNER,
    Secrets,
    Which,
    default_role,
    field,
    find,
    is_password,
    may,
    missions_of,
    own_role,
    password_secret,
    signed,
    sub_key,
    token,
)
from aquila.features.missions.view import CREATE, DELETE, GROUPS, Mission, told_members

NAME_LENGTH_MAX = 1024
MISSIONS_MAX = 5_000
MISSIONS_OF_ONE = 200
"""That stand, of one creator."""
RESERVED = frozenset({"guid", "all", "logs", "invitations"})
"""Words that stand in the place of a name in paths of the contract."""
_SIGNS = frozenset(" .()!=@#$&^*_-+[]{}:,|\\")


class Save(msgspec.Struct, frozen=True, kw_only=True):
    """A mission to be created, or updated when it is there.

    Attributes:
        which: its name; the password in it is the one to be set.
        fields: only what was said, by the names of the contract.
        groups: where it is to be seen; empty = where the asker writes.
        allow_dupe: another of the same name may be there. allow_group_change: the groups of one that is there change.
        contents: cells that a new one has from its beginning.
    """

    which: Which
    fields: Mapping[str, Any] = {}
    groups: tuple[str, ...] = ()
    allow_dupe: bool = False
    allow_group_change: bool = False
    contents: Mapping[str, Any] = {}


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """The mission as it is now. token: for its owner."""

    guid: str
    is_created: bool
    row: MissionRow
    token: str | None = None


class Drop(msgspec.Struct, frozen=True, kw_only=True):
    """Which mission is to be deleted.

    deep: also its files, where no other mission has them and the asker may withdraw them.
    """

    which: Which
    deep: bool = False


class Withdrawing(Protocol):
    """The part `packages` of a node."""

    async def withdraw(self, principal: Principal, sha256: str, desk: Desk) -> None:
        """Withdraw what the asker may withdraw of the packages with these bytes."""
        ...


class SetPassword(msgspec.Struct, frozen=True, kw_only=True):
    """A new password; empty = none from now on."""

    which: Which
    password: str = ""


def check_name(name: str) -> str:
    """Raises ValueError for what can be no name of a mission."""
    if not 0 < len(name) <= NAME_LENGTH_MAX or not name.strip():
        raise ValueError(f"mission name of {len(name)} characters: 1 to {NAME_LENGTH_MAX}, not only blanks")
    bad = next((char for char in name if char not in _SIGNS and unicodedata.category(char)[0] not in "LN"), None)
    if bad is not None:
        raise ValueError(
            f"mission name with {bad!a}: letters, digits, blanks and {''.join(sorted(_SIGNS))} are allowed"
        )
    if unseen(name) is not None:
        raise ValueError(f"mission name with {unseen(name)!a}, which is not shown: leave such characters out")
    if name != name.strip() or "  " in name:
        raise ValueError("mission name with blanks at an end or two in a row, which nobody sees: leave them out")
    if name in RESERVED:
        raise ValueError(f"mission name {name}: a word of the contract, take another")
    check_text("mission name", name)
    return name


async def save(principal: Principal, ask: Save, desk: Desk) -> Saved | Refused:
    """Create it, or update the one that is there."""
    ask = msgspec.structs.replace(ask, which=signed(principal, ask.which, desk))
    if is_of_another(ask.which.by, principal, desk.views):
        return SPOOFED
    known = find(ask.which, desk)
    if isinstance(known, Mission):
        is_own = known.created is not None and known.created.author == principal.id
        if is_own or not ask.allow_dupe:
            return await _update(principal, known, ask, desk)
    elif ask.which.guid:
        return known
    return await _create(principal, ask, desk)


async def _create(principal: Principal, ask: Save, desk: Desk) -> Saved | Refused:
    label = label_of_groups(principal, ask.groups, desk)
    if isinstance(label, Refused):
        return label
    standing = missions_of(desk).missions()
    if len(standing) >= MISSIONS_MAX:
        return Refused("full", f"this node holds {MISSIONS_MAX} missions: delete one first")
    if sum(_is_of(each, principal) for each in standing) >= MISSIONS_OF_ONE:
        return Refused("full", f"you have {MISSIONS_OF_ONE} missions on this node: delete one first")
    name, by = ask.which.name, ask.which.by
    # Only own missions are counted: a number that grew with those of others would tell of missions that are hidden.
    number = sum(_is_of(each, principal) for each in missions_of(desk).named(desk.context, name))
    guid = derived_id("mission", 2, f"{desk.node}\0{desk.context}\0{name}\0{principal.id}\0{number}")
    sub = {"uid": by, "user": principal.id, "role": OWNER}
    cells = {f"field/{key}": value for key, value in ask.fields.items()}
    cells |= {f"role/{principal.id}": OWNER, sub_key(principal.id, by): sub}
    if ask.which.password:
        cells["field/password"] = guid
    detail = {key: msgspec.json.encode(value).decode() for key, value in cells.items()}
    contents = new_of(Mission(guid), ask.contents, desk)
    if isinstance(contents, Refused):
        return contents
    size_bytes = sum(len(key) + len(text) for each in (detail, contents) for key, text in each.items())
    full = no_room(standing, None, principal.id, size_bytes)
    if full is not None:
        return full
    act = Act(action=CREATE, target=guid, happened_at_ms=desk.now_ms(), detail={"by": by, "name": name, **detail})
    sayings = [
        Saying(body=act, id=derived_id("mission.create", 1, guid), label=label),
        *acts_of(Mission(guid), contents, "mission.copy", by, label, desk),
    ]
    refused = await _written(guid, ask.which.password, sayings, desk)
    if refused is not None:
        return refused
    mission, first = missions_of(desk).mission(guid), find(Which(name=name), desk)
    assert mission is not None
    if isinstance(first, Mission) and first.guid != guid and not ask.allow_dupe:
        # Somebody else was quicker by a moment: the name is his, and what was just made goes.
        refused = await _deleted(mission, by, desk)
        return refused or Refused("taken", "somebody created a mission of this name at the same moment: take another")
    return await _saved(principal, mission, by, desk, is_created=True)


def _is_of(mission: Mission, principal: Principal) -> bool:
    return mission.created is not None and mission.created.author == principal.id


async def _deleted(mission: Mission, by: str, desk: Desk, **detail: str) -> Refused | None:
    detail = {"by": by, **detail, **told_members(mission)}
    act = Act(action=DELETE, target=mission.guid, happened_at_ms=desk.now_ms(), detail=detail)
    entry = await desk.write(act, id=derived_id("mission.delete", 1, mission.guid), label=mission.label)
    return entry if isinstance(entry, Refused) else None


async def _update(principal: Principal, mission: Mission, ask: Save, desk: Desk) -> Saved | Refused:
    role = own_role(principal, mission, ask.which, desk)
    if not may(role, "MISSION_WRITE"):
        return Refused("taken", "there is a mission of this name, and you may not change it: take another name")
    label, sayings = mission.label, list[Saying]()
    groups = tuple(sorted(set(ask.groups)))
    if groups and groups != label.groups and ask.allow_group_change:
        regrouped = _regrouped(principal, mission, groups, may(role, "MISSION_UPDATE_GROUPS"), ask, desk)
        if isinstance(regrouped, Refused):
            return regrouped
        label, sayings = regrouped.label or label, [regrouped]
    if "expiration" in ask.fields and not may(role, "MISSION_DELETE"):
        return Refused("role", "only who may delete the mission says when it ends")
    opens = {"defaultRole": default_role(mission), "inviteOnly": field(mission, "inviteOnly", False)}
    if any(ask.fields.get(key, now) != now for key, now in opens.items()) and not may(role, "MISSION_SET_ROLE"):
        return Refused("role", f"{role} may not say who may do what here: ask an owner of the mission")
    cells = {f"field/{key}": value for key, value in ask.fields.items()}
    password = ask.which.password
    if password and not may(role, "MISSION_SET_PASSWORD"):
        return Refused("role", f"{role} may not set the password: ask an owner of the mission")
    if password and not await _is_set(mission, password, desk):
        cells["field/password"] = desk.new_id()
    else:
        password = ""
    new = new_of(mission, cells, desk)
    if isinstance(new, Refused):
        return new
    # All of it or nothing: a full disk must not leave a mission whose groups are new and whose password is not.
    sayings += acts_of(mission, new, "mission.change", ask.which.by, label, desk)
    refused = await _written(mission.guid, password, sayings, desk)
    if refused is not None:
        return refused
    return await _saved(principal, mission, ask.which.by if role == OWNER else None, desk, is_created=False)


def _regrouped(
    principal: Principal, mission: Mission, groups: tuple[str, ...], is_allowed: bool, ask: Save, desk: Desk
) -> Saying | Refused:
    if not is_allowed:
        return Refused("role", "only an owner of the mission may change its groups")
    wanted = label_of_groups(principal, groups, desk)
    if isinstance(wanted, Refused):
        return wanted
    label = msgspec.structs.replace(mission.label, groups=groups)
    act = Act(action=GROUPS, target=mission.guid, happened_at_ms=desk.now_ms(), detail={"by": ask.which.by})
    seed = f"{mission.guid}\0{mission.marked.entry}\0{','.join(groups)}"
    return Saying(body=act, id=derived_id("mission.groups", 1, seed), label=label)


async def _saved(principal: Principal, mission: Mission, by: str | None, desk: Desk, *, is_created: bool) -> Saved:
    row = await asyncio.to_thread(mission_row, mission, desk)
    key = None if by is None else token(mission, "SUBSCRIPTION", principal.id, desk, uid=by)
    return Saved(guid=mission.guid, is_created=is_created, row=row, token=key)


def label_of_groups(principal: Principal, groups: tuple[str, ...], desk: Desk) -> Label | Refused:
    """What is written into these groups gets this marking; no groups = all into which the asker may write."""
    return label_for(desk.policy, principal, None, set(groups))


async def drop(principal: Principal, ask: Drop, desk: Desk) -> Edited | Refused:
    """Delete it for good. Answers what it was."""
    ask = msgspec.structs.replace(ask, which=signed(principal, ask.which, desk))
    found = await opened(principal, ask.which, "MISSION_DELETE", desk)
    if isinstance(found, Refused):
        return found
    mission, _ = found
    shown = await asyncio.to_thread(mission_row, mission, desk)
    digests = [tail(cell.key) for cell in mission.of_kind("hash")]
    refused = await _deleted(mission, ask.which.by, desk, **({"deep": "true"} if ask.deep else {}))
    if refused is not None:
        return refused
    secrets: Secrets = desk.part("secrets")
    await asyncio.to_thread(secrets.remove, password_secret(mission.guid))
    if ask.deep:
        for digest in digests:
            if not missions_of(desk).needs_file(digest, desk.now_ms()):
                packages: Withdrawing = desk.part("packages")
                await packages.withdraw(principal, digest, desk)
    return Edited(guid=mission.guid, is_new=True, shown=shown)


async def set_password(principal: Principal, ask: SetPassword, desk: Desk) -> Edited | Refused:
    """Set it or take it away; its hash is in no entry."""
    ask = msgspec.structs.replace(ask, which=signed(principal, ask.which, desk))
    found = await opened(principal, ask.which, "MISSION_SET_PASSWORD", desk)
    if isinstance(found, Refused):
        return found
    mission, _ = found
    if ask.password:
        done = await _set(mission, ask.password, ask.which.by, desk)
    else:
        done = await said(desk, mission, "mission.password", {"field/password": None}, ask.which.by)
        secrets: Secrets = desk.part("secrets")
        await asyncio.to_thread(secrets.remove, password_secret(mission.guid))
    return done if isinstance(done, Refused) else Edited(guid=mission.guid, is_new=done)


async def _set(mission: Mission, password: str, by: str, desk: Desk) -> bool | Refused:
    if await _is_set(mission, password, desk):
        return False
    new = new_of(mission, {"field/password": desk.new_id()}, desk)
    if isinstance(new, Refused):
        return new
    sayings = acts_of(mission, new, "mission.password", by, mission.label, desk)
    return await _written(mission.guid, password, sayings, desk) or True


async def _is_set(mission: Mission, password: str, desk: Desk) -> bool:
    has_one = mission.value("field/password") is not None
    return has_one and await asyncio.to_thread(is_password, mission, password, desk)


async def _written(guid: str, password: str, sayings: Sequence[Saying], desk: Desk) -> Refused | None:
    """Write all of it, or nothing. password: its hash is kept before, and forgotten again when it is refused.

    Raises DiskError when the hash cannot be kept: then nothing was written.
    """
    if not password:
        return _refusal(await desk.write_all(sayings))
    secrets: Secrets = desk.part("secrets")
    name = password_secret(guid)
    before = await asyncio.to_thread(secrets.get, name)
    kept = await asyncio.to_thread(desk.part("passwords").password_hash, password)
    await asyncio.to_thread(secrets.put, name, kept)
    refused = _refusal(await desk.write_all(sayings))
    if refused is not None and before is None:
        await asyncio.to_thread(secrets.remove, name)
    elif refused is not None:
        await asyncio.to_thread(secrets.put, name, before)
    return refused


def _refusal(written: object) -> Refused | None:
    return written if isinstance(written, Refused) else None


save_row = command("mission_save", Save, Saved, save)
drop_row = command("mission_drop", Drop, Edited, drop)
password_row = command("mission_password", SetPassword, Edited, set_password)
