"""Copying: a new mission with what the asker sees of another; and a mission as KML."""

import asyncio
from typing import Any

import msgspec

from aquila.codecs.kml import placemark
from aquila.core.errors import Refused
from aquila.core.feature import Desk, Reading
from aquila.core.model import Principal
from aquila.features.missions.creating import Save, Saved, save
from aquila.features.missions.edits import command, opened
from aquila.features.missions.files import is_there
from aquila.features.missions.forms import seen, sight_of, tail
from aquila.features.missions.queries import Ask, asking
from aquila.features.missions.roles import READ, RoleName, Which, find, signed
from aquila.features.missions.view import Mission

COPIED = ("hash", "uid", "hashwords", "uidwords", "layer", "place", "external", "feed", "maplayer")
"""Kinds of cells that a copy has as well: not its members, its log and its password."""
COPIED_FIELDS = (
    "baseLayer",
    "bbox",
    "boundingPolygon",
    "chatRoom",
    "classification",
    "description",
    "keywords",
    "tool",
)


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """A mission to be copied. fields: of the copy, where they are not those of the original. password: of the copy."""

    which: Which
    name: str
    fields: dict[str, Any] = {}
    password: str = ""


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """A mission as KML: what the asker may see of its entities, as Placemarks."""

    name: str
    placemarks: tuple[str, ...]


async def copy(principal: Principal, ask: Copy, desk: Desk) -> Saved | Refused:
    """Make it, in those of the original's groups into which the asker may write. A name that is taken is refused."""
    which = signed(principal, ask.which, desk)
    found = await opened(principal, which, READ, desk)
    if isinstance(found, Refused):
        return found
    mission, _ = found
    if isinstance(find(Which(name=ask.name), desk), Mission):
        return Refused("taken", "there is a mission of this name: take another one for the copy")
    fields: dict[str, Any] = {
        name: msgspec.json.decode(value)
        for name in COPIED_FIELDS
        if (value := mission.value(f"field/{name}")) is not None
    }
    groups = tuple(name for name in mission.label.groups if name in principal.groups_in)
    if mission.label.groups and not groups:
        return Refused("group", "you may write into none of the mission's groups")
    wanted = Which(name=ask.name, by=which.by, password=ask.password)
    contents = await asyncio.to_thread(_contents, mission, desk)
    # Made with its contents in one step: a copy that is half of the original would keep the name from the whole one.
    made = Save(which=wanted, fields=fields | ask.fields, groups=groups, contents=contents)
    return await save(principal, made, desk)


def _contents(mission: Mission, reading: Reading) -> dict[str, Any]:
    """What the asker sees in it; a file that he may not see is nothing that he could put anywhere."""
    cells = [cell for kind in COPIED for cell in seen(mission, kind, reading)]
    return {
        cell.key: msgspec.json.decode(cell.value)
        for cell in cells
        if cell.value is not None and (not cell.key.startswith("hash/") or is_there(tail(cell.key), reading))
    }


def _drawn(principal: Principal, mission: Mission, role: RoleName, ask: Ask, reading: Reading) -> Drawn:
    sights = (sight_of(tail(cell.key), reading) for cell in seen(mission, "uid", reading))
    marks = tuple(placemark(sight.report, sight.label) for sight in sights if sight is not None)
    return Drawn(name=mission.name, placemarks=marks)


copy_row = command("mission_copy", Copy, Saved, copy)
drawn = asking("kml", _drawn)
