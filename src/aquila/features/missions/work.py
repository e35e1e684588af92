"""Work in a mission: its layers, its log, its place among other missions, what else hangs on it."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Desk, check_text
from aquila.core.ids import derived_id
from aquila.core.model import Principal
from aquila.features.missions.edits import Cells, Edited, command, edit, opened, said_in_all
from aquila.features.missions.forms import layer_forms, mission_row
from aquila.features.missions.members import nothing
from aquila.features.missions.queries import log_entries
from aquila.features.missions.roles import RoleName, Which, field, missions_of, signed
from aquila.features.missions.view import Mission

LayerType = Literal["GROUP", "UID", "CONTENTS", "MAPLAYER", "ITEM"]
Uid = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Words = Annotated[tuple[Annotated[str, msgspec.Meta(max_length=500)], ...], msgspec.Meta(max_length=500)]
LOG_LENGTH_MAX = 100_000
ONE_MISSION = "one password for several missions: name one mission, or come as one who subscribed"
LAYERS_DEEP_MAX = 20
TOO_DEEP = f"layers more than {LAYERS_DEEP_MAX} deep: put it higher"


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """A new layer. uid: "" = one made from its name and parent. after: the layer that it stands behind."""

    name: Name
    type: LayerType = "GROUP"
    uid: str = ""
    parent: str = ""
    after: str = ""

    def __post_init__(self) -> None:
        check_text("name", self.name)
        check_text("uid", self.uid)


class ChangeLayer(msgspec.Struct, frozen=True, kw_only=True):
    """What is new about a layer; None = as it was. is_removed: with all below it."""

    uid: Uid
    name: Name | None = None
    parent: str | None = None
    after: str | None = None
    is_removed: bool = False


class Log(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An entry of the log of one or more missions, as clients send it. id: "" = a new one."""

    content: Annotated[str, msgspec.Meta(max_length=LOG_LENGTH_MAX)]
    mission_names: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=50)]
    id: Annotated[str, msgspec.Meta(max_length=500)] = ""
    creator_uid: Annotated[str, msgspec.Meta(max_length=500)] = ""
    entry_uid: Annotated[str, msgspec.Meta(max_length=500)] | None = None
    dtg: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    content_hashes: Words | None = None
    keywords: Words | None = None

    def __post_init__(self) -> None:
        check_text("content", self.content)
        check_text("id", self.id)


class PutLog(msgspec.Struct, frozen=True, kw_only=True):
    """An entry to be written.

    Attributes:
        created, dtg: as the contract has times.
        uid: of a new entry; "" = made from what is said and who says it. The id of the entry itself is that of the one
            to be changed, and counts only then: nobody writes under an id that another mission has.
        must_exist: it is an edit, of an entry that stands in each of these missions.
        missions: their guids, where names do not tell them apart; empty = those that the entry names.
    """

    log: Log
    dtg: str
    created: str
    uid: str = ""
    which: Which = Which()
    must_exist: bool = False
    missions: tuple[str, ...] = ()


class DropLog(msgspec.Struct, frozen=True, kw_only=True):
    """The entry that is to go: from the mission that is named by guid, else from every log that it stands in."""

    id: Uid
    which: Which = Which()


class Adopt(msgspec.Struct, frozen=True, kw_only=True):
    """The mission under which another is to stand; None = under none."""

    parent: Which | None = None


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """Something that hangs on a mission: kind is maplayer, feed or external. value: None = it is taken away."""

    kind: Literal["maplayer", "feed", "external"]
    uid: Uid
    value: Mapping[str, Any] | None = None


class Touch(msgspec.Struct, frozen=True, kw_only=True):
    """That external data of a mission have changed where they lie. token: tells one state of them from another."""

    uid: Uid
    notes: Annotated[str, msgspec.Meta(max_length=4000)] = ""
    token: Annotated[str, msgspec.Meta(max_length=4000)] = ""

    def __post_init__(self) -> None:
        check_text("notes", self.notes)
        check_text("token", self.token)


# -- layers -----------------------------------------------------------------------------------------------------------


async def _layer(principal: Principal, mission: Mission, role: RoleName, body: Layer, desk: Desk) -> Cells | Refused:
    uid = body.uid or derived_id("mission.layer", 1, f"{mission.guid}\0{body.parent}\0{body.name}")
    if body.parent and mission.value(f"layer/{body.parent}") is None:
        return Refused("absent", "there is no such parent layer")
    if _depth(mission, body.parent) >= LAYERS_DEEP_MAX:
        return Refused("layer", TOO_DEEP)
    return {f"layer/{uid}": {"name": body.name, "type": body.type, "parent": body.parent, "after": body.after}}


async def _change_layer(
    principal: Principal, mission: Mission, role: RoleName, body: ChangeLayer, desk: Desk
) -> Cells | Refused:
    value = mission.value(f"layer/{body.uid}")
    if value is None:
        return {} if body.is_removed else Refused("absent", "there is no such layer")
    below = _below(mission, body.uid)
    if body.is_removed:
        placed = [f"place/{uid}" for uid in _placed(mission, below)]
        return {f"layer/{uid}": None for uid in below} | dict.fromkeys(placed)
    if body.parent and (body.parent in below or mission.value(f"layer/{body.parent}") is None):
        return Refused("layer", "a layer cannot stand below itself, nor below one that is not there")
    if body.parent and _depth(mission, body.parent) + _height(mission, body.uid) > LAYERS_DEEP_MAX:
        return Refused("layer", TOO_DEEP)
    new = {"name": body.name, "parent": body.parent, "after": body.after}
    return {
        f"layer/{body.uid}": msgspec.json.decode(value) | {key: each for key, each in new.items() if each is not None}
    }


def _parents(mission: Mission) -> dict[str, str | None]:
    """Of each layer: the one that it stands below; None = it stands at the top."""
    return {cell.key[6:]: msgspec.json.decode(cell.value or "{}")["parent"] for cell in mission.of_kind("layer")}


def _depth(mission: Mission, uid: str | None) -> int:
    """How many layers stand above what would stand below this one. Two writers may have made a ring: it is deep."""
    parents, depth = _parents(mission), 0
    while uid and depth <= LAYERS_DEEP_MAX:
        uid, depth = parents.get(uid), depth + 1
    return depth


def _height(mission: Mission, uid: str) -> int:
    """How many levels a layer and those below it take."""
    parents, level, height = _parents(mission), {uid}, 0
    while level and height <= LAYERS_DEEP_MAX:
        level, height = {child for child, parent in parents.items() if parent in level}, height + 1
    return height


def _below(mission: Mission, uid: str) -> list[str]:
    """A layer and all below it."""
    parents = _parents(mission)
    found = [uid]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each and child not in found]
    return found


def _placed(mission: Mission, layers: list[str]) -> list[str]:
    return [cell.key[6:] for cell in mission.of_kind("place") if msgspec.json.decode(cell.value or '""') in layers]


# -- log --------------------------------------------------------------------------------------------------------------


async def put_log(principal: Principal, ask: PutLog, desk: Desk) -> Edited | Refused:
    """Write an entry into the log of every mission that it names; none is written unless all may be."""
    by = signed(principal, msgspec.structs.replace(ask.which, by=ask.log.creator_uid), desk).by
    log = msgspec.structs.replace(ask.log, creator_uid=by)
    missions: list[Mission] = []
    meant = [{"guid": guid} for guid in ask.missions] or [{"name": name} for name in dict.fromkeys(log.mission_names)]
    if ask.which.password and len(meant) > 1:
        # Each would cost a slow hash, and fifty of them stood for half a minute.
        return Refused("request", ONE_MISSION)
    for key in meant:
        found = await opened(principal, msgspec.structs.replace(ask.which, by=by, **key), "MISSION_WRITE", desk)
        if isinstance(found, Refused):
            return found
        missions.append(found[0])
    uid = log.id if ask.must_exist else ask.uid or _log_id(principal, ask.log, desk)
    if ask.must_exist and any(mission.value(f"log/{uid}") is None for mission in missions):
        return Refused("absent", "there is no such entry in every mission that is named: name those that it stands in")
    edits: list[tuple[Mission, Cells]] = []
    for mission in missions:
        known = mission.value(f"log/{uid}")
        before = {} if known is None else msgspec.json.decode(known)
        cell = {
            "id": uid,
            "content": log.content,
            "creatorUid": log.creator_uid,
            "entryUid": log.entry_uid or uid,
            "dtg": ask.dtg if log.dtg else before.get("dtg", ask.dtg),
            "created": before.get("created", ask.created),
            "contentHashes": list(log.content_hashes or ()),
            "keywords": list(log.keywords or ()),
        }
        edits.append((mission, {f"log/{uid}": cell}))
    done = await said_in_all(desk, edits, "mission.log", log.creator_uid)
    if isinstance(done, Refused):
        return done
    forms = await asyncio.to_thread(log_entries, principal, desk, uid)
    return Edited(guid=missions[0].guid, is_new=True, shown=[form for form, _ in forms])


def _log_id(principal: Principal, log: Log, desk: Desk) -> str:
    """The same said twice for the same time is one entry; without a time nobody can tell."""
    if log.dtg is None:
        return desk.new_id()
    return derived_id("mission.log", 1, f"{principal.id}\0{msgspec.json.encode(log).decode()}")


async def drop_log(principal: Principal, ask: DropLog, desk: Desk) -> Edited | Refused:
    """Take an entry out of the mission that is named, else out of every log that the asker may write."""
    missions = [mission for _, held in log_entries(principal, desk, ask.id) for mission in held]
    if ask.which.guid:
        missions = [mission for mission in missions if mission.guid == ask.which.guid]
    if not missions:
        return Refused("absent", "there is no such entry")
    which = signed(principal, ask.which, desk)
    if which.password and len(missions) > 1:
        return Refused("request", ONE_MISSION)
    judged = [
        await opened(principal, msgspec.structs.replace(which, guid=mission.guid), "MISSION_WRITE", desk)
        for mission in missions
    ]
    missions = [each[0] for each in judged if not isinstance(each, Refused)]
    if not missions:
        # Where he may write into none of them, each says why.
        return next(each for each in judged if isinstance(each, Refused))
    edits = [(mission, {f"log/{ask.id}": None}) for mission in missions]
    done = await said_in_all(desk, edits, "mission.log", which.by)
    if isinstance(done, Refused):
        return done
    return Edited(guid=missions[0].guid, is_new=True)


# -- parents, and the rest --------------------------------------------------------------------------------------------


async def _adopt(principal: Principal, mission: Mission, role: RoleName, body: Adopt, desk: Desk) -> Cells | Refused:
    if body.parent is None:
        return {"field/parent": None}
    found = await opened(principal, body.parent, "MISSION_READ", desk)
    if isinstance(found, Refused):
        return found
    above: Mission | None = found[0]
    seen: set[str] = set()
    while above is not None and above.guid not in seen:
        if above.guid == mission.guid:
            return Refused("taken", "a mission cannot stand below itself: take another parent")
        seen.add(above.guid)
        above = missions_of(desk).mission(field(above, "parent"))
    return {"field/parent": found[0].guid}


async def _expire(principal: Principal, mission: Mission, role: RoleName, body: int, desk: Desk) -> Cells | Refused:
    return {"field/expiration": body if body > 0 else None}


async def _item(principal: Principal, mission: Mission, role: RoleName, body: Item, desk: Desk) -> Cells | Refused:
    return {f"{body.kind}/{body.uid}": body.value}


async def _touch(principal: Principal, mission: Mission, role: RoleName, body: Touch, desk: Desk) -> Cells | Refused:
    value = mission.value(f"external/{body.uid}")
    if value is None:
        return Refused("absent", "the mission has no such external data")
    return {f"external/{body.uid}": {**msgspec.json.decode(value), "notes": body.notes, "token": body.token}}


layer_row = edit("layer", "MISSION_WRITE", _layer, layer_forms)
change_layer_row = edit("layer", "MISSION_WRITE", _change_layer, layer_forms)
log_row = command("mission_log_put", PutLog, Edited, put_log)
drop_log_row = command("mission_log_drop", DropLog, Edited, drop_log)
adopt_row = edit("parent", "MISSION_WRITE", _adopt, nothing)
expire_row = edit("expiration", "MISSION_DELETE", _expire, nothing)
"""Who says when a mission ends, ends it."""
item_row = edit("attach", "MISSION_MANAGE_LAYERS", _item, mission_row)
external_row = edit("attach", "MISSION_WRITE", _item, mission_row)
touch_row = edit("attach", "MISSION_WRITE", _touch, nothing)
