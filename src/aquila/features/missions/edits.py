"""Edits: the one way in which a mission is changed: who may, what is new of it, one act."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, Role, Saying
from aquila.core.ids import derived_id
from aquila.core.model import Act, Label, Principal
from aquila.features.missions.forms import mission_row
from aquila.features.missions.roles import Permission, RoleName, Which, allowed, missions_of, signed
from aquila.features.missions.view import Mission

CELLS_MAX = 1_000
"""Cells in one act."""
MISSION_CELLS_MAX = 50_000
"""Cells of one kind in one mission, also those that were taken away."""
MISSION_BYTES_MAX = 8 << 20
"""Keys and values of one mission: 50,000 contents take half of it."""
KIND_MAX = {"layer": 1_000, "invite": 2_000, "sub": 5_000}
"""Fewer of those that every request walks over; they count as long as they stand."""
CREATOR_BYTES_MAX = 32 << 20
"""All missions of one creator."""
ALL_BYTES_MAX = 128 << 20
"""All missions of the node: they are kept in memory."""
Cells = Mapping[str, Any]
"""Key of a cell -> its value, anything that is JSON; None = it is taken away."""
Body = TypeVar("Body")


class Edit(msgspec.Struct, Generic[Body], frozen=True, kw_only=True):
    """What is to be done to which mission."""

    which: Which
    body: Body


class Edited(msgspec.Struct, frozen=True, kw_only=True):
    """What was done. is_new: it changed anything. shown: what the contract answers."""

    guid: str
    is_new: bool
    shown: Any = None


_encoder = msgspec.json.Encoder(order="deterministic")


async def opened(
    principal: Principal, which: Which, permission: Permission, desk: Desk
) -> tuple[Mission, RoleName] | Refused:
    """The mission and the asker's role in it, when that allows it."""
    if which.password:
        return await asyncio.to_thread(allowed, principal, which, permission, desk)
    return allowed(principal, which, permission, desk)


async def said(
    desk: Desk, mission: Mission, action: str, cells: Cells, by: str, *, label: Label | None = None
) -> bool | Refused:
    """Write what of the cells is new; was there anything? The same again, also at the same moment, writes nothing."""
    return await said_in_all(desk, [(mission, cells)], action, by, label=label)


async def said_in_all(
    desk: Desk, edits: Sequence[tuple[Mission, Cells]], action: str, by: str, *, label: Label | None = None
) -> bool | Refused:
    """The same in several missions: all of it is written, or nothing."""
    sayings: list[Saying] = []
    for mission, cells in edits:
        new = new_of(mission, cells, desk)
        if isinstance(new, Refused):
            return new
        sayings += acts_of(mission, new, action, by, label or mission.label, desk)
    written = await desk.write_all(sayings)
    return written if isinstance(written, Refused) else bool(sayings)


def acts_of(mission: Mission, new: Mapping[str, str], action: str, by: str, label: Label, desk: Desk) -> list[Saying]:
    """Cells as acts that are to be written together; a long list is cut into several."""
    keys = sorted(new)
    parts = [{key: new[key] for key in keys[start : start + CELLS_MAX]} for start in range(0, len(keys), CELLS_MAX)]
    return [
        Saying(
            body=Act(action=action, target=mission.guid, happened_at_ms=desk.now_ms(), detail={"by": by, **part}),
            id=_id_of(mission, part),
            label=label,
        )
        for part in parts
    ]


def new_of(mission: Mission, cells: Cells, desk: Desk) -> dict[str, str] | Refused:
    """What of the cells is not so yet, as JSON; "" = it is taken away. Refused when it is too much."""
    new: dict[str, str] = {}
    for key, value in cells.items():
        text = "" if value is None else _encoder.encode(value).decode()
        if (mission.value(key) or "") != text:
            new[key] = text
    for kind in {key.partition("/")[0] for key, text in new.items() if text}:
        most = KIND_MAX.get(kind)
        there = mission.count(kind) if most is None else len(mission.of_kind(kind))
        own = [key for key, text in new.items() if text and key.startswith(f"{kind}/")]
        more = sum((mission.cell(key) if most is None else mission.value(key)) is None for key in own)
        if more and there + more > (most or MISSION_CELLS_MAX):
            return Refused("full", f"a mission holds at most {most or MISSION_CELLS_MAX} of these: take some away")
    size = sum(len(key) + len(text) for key, text in new.items() if text)
    creator = "" if mission.created is None else mission.created.author
    return no_room(missions_of(desk).missions(), mission, creator, size) or new


def no_room(standing: Sequence[Mission], mission: Mission | None, creator: str, size_bytes: int) -> Refused | None:
    """Why so many bytes more are too much for a mission, its creator or the node; None = there is room."""
    if not size_bytes:
        return None
    own = [each for each in standing if each.created is not None and each.created.author == creator]
    held = {
        "this mission": (MISSION_BYTES_MAX, [] if mission is None else [mission]),
        "the missions of its creator": (CREATOR_BYTES_MAX, own),
        "the missions of this node": (ALL_BYTES_MAX, standing),
    }
    for whose, (most_bytes, missions) in held.items():
        would = sum(each.size_bytes for each in missions) + size_bytes
        if would > most_bytes:
            return Refused("full", f"{whose} would hold {would} bytes, at most {most_bytes}: delete what is not needed")
    return None


def _id_of(mission: Mission, cells: Mapping[str, str]) -> str:
    """From what is there and what becomes of it: whoever does the same to the same state writes the same entry."""
    seen = [(key, value, _stamp_of(mission, key)) for key, value in sorted(cells.items())]
    return derived_id("mission", 1, f"{mission.guid}\0{hashlib.sha256(_encoder.encode(seen)).hexdigest()}")


def _stamp_of(mission: Mission, key: str) -> Any:
    cell = mission.cell(key)
    return None if cell is None else cell.said.stamp


Change = Callable[[Principal, Mission, RoleName, Any, Desk], Awaitable[Cells | Refused]]
"""Gives the cells that an edit's body asks for. Arguments: who, where, as what, the body, the desk."""


Show = Callable[[Mission, Desk], Any]
"""What an edit answers: made after it, off the loop."""


def edit(
    name: str, permission: Permission, change: Change, show: Show = mission_row, role: Role = "operator"
) -> Command:
    """A command that writes `mission.NAME` with the cells that `change` gives."""

    async def act(principal: Principal, ask: Edit[Any], desk: Desk) -> Edited | Refused:
        which = signed(principal, ask.which, desk)
        found = await opened(principal, which, permission, desk)
        if isinstance(found, Refused):
            return found
        mission, role = found
        cells = await change(principal, mission, role, ask.body, desk)
        if isinstance(cells, Refused):
            return cells
        is_new = await said(desk, mission, f"mission.{name}", cells, which.by)
        if isinstance(is_new, Refused):
            return is_new
        return Edited(guid=mission.guid, is_new=is_new, shown=await asyncio.to_thread(show, mission, desk))

    return command(f"mission_{name.replace('.', '_')}", Edit, Edited, act, role)


def command(
    name: str,
    request: Any,
    answer: type[Any],
    act: Callable[[Principal, Any, Desk], Awaitable[Any]],
    role: Role = "operator",
) -> Command:
    """A command of the foreign contract only. role: which persons may; devices have none, their groups count."""
    return Command(name=name, method="POST", path=f"/{name}", request=request, answer=answer, role=role, act=act)
