"""Contents: files and entities of a mission, their keywords, and where in the layers they are."""

import asyncio
import re
from typing import Annotated, Any

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Desk, check_text
from aquila.core.model import Principal
from aquila.features.missions.edits import Cells, edit
from aquila.features.missions.files import is_there
from aquila.features.missions.roles import RoleName
from aquila.features.missions.view import Mission

Uid = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Words = Annotated[tuple[Word, ...], msgspec.Meta(max_length=1000)]
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """What is to lie in a layer."""

    uids: tuple[Uid, ...] = ()


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What clients put: digests of files, uids of entities, and what lies in which layer."""

    hashes: Annotated[tuple[str, ...], msgspec.Meta(max_length=10_000)] | None = None
    uids: Annotated[tuple[Uid, ...], msgspec.Meta(max_length=10_000)] | None = None
    paths: Annotated[dict[Uid, tuple[Placed, ...]], msgspec.Meta(max_length=1000)] | None = None
    after: str | None = None

    def __post_init__(self) -> None:
        for uid in self.all_uids():
            check_text("uid", uid)
        for digest in self.hashes or ():
            check_digest(digest)

    def all_uids(self) -> tuple[str, ...]:
        """Also those that are put into layers."""
        placed = [uid for found in (self.paths or {}).values() for each in found for uid in each.uids]
        return (*(self.uids or ()), *placed)


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be taken away."""

    hash: str = ""
    uid: str = ""


class Keywords(msgspec.Struct, frozen=True, kw_only=True):
    """Keywords of a mission, or of a content: its kind is hash or uid. add: beside those that are there."""

    words: Words = ()
    kind: str = ""
    key: str = ""


def check_digest(text: str) -> str:
    """A SHA-256 in lower case. Raises ValueError."""
    if not _DIGEST.fullmatch(text.lower()):
        raise ValueError(f"hash {text[:80]!r}: 64 digits 0-9a-f")
    return text.lower()


async def _add(principal: Principal, mission: Mission, role: RoleName, body: Contents, desk: Desk) -> Cells | Refused:
    cells: dict[str, Any] = {}
    for digest in dict.fromkeys(text.lower() for text in body.hashes or ()):
        if mission.value(f"hash/{digest}") is not None:
            continue
        if not await asyncio.to_thread(is_there, digest, desk):
            return Refused("absent", "there is no such file, or you may not see it")
        cells[f"hash/{digest}"] = {}
    for uid in body.all_uids():
        if mission.value(f"uid/{uid}") is None:
            cells[f"uid/{uid}"] = {}
    for layer, found_there in (body.paths or {}).items():
        if mission.value(f"layer/{layer}") is None:
            return Refused("absent", "there is no such layer")
        cells |= {f"place/{uid}": layer for each in found_there for uid in each.uids}
    return cells


async def _remove(principal: Principal, mission: Mission, role: RoleName, body: Taken, desk: Desk) -> Cells | Refused:
    wanted = {f"hash/{body.hash.lower()}": body.hash, f"uid/{body.uid}": body.uid, f"place/{body.uid}": body.uid}
    return {key: None for key, said in wanted.items() if said and mission.value(key) is not None}


async def _word(principal: Principal, mission: Mission, role: RoleName, body: Keywords, desk: Desk) -> Cells | Refused:
    words = list(dict.fromkeys(body.words))
    if not body.kind:
        return {"field/keywords": words or None}
    if mission.value(f"{body.kind}/{body.key}") is None:
        return Refused("absent", "the mission has no such content")
    return {f"{body.kind}words/{body.key}": words or None}


async def _unword(
    principal: Principal, mission: Mission, role: RoleName, body: Keywords, desk: Desk
) -> Cells | Refused:
    kept = mission.value("field/keywords")
    words = [] if kept is None else msgspec.json.decode(kept, type=list[str])
    return {"field/keywords": [word for word in words if word not in body.words] or None}


add_row = edit("add", "MISSION_WRITE", _add)
remove_row = edit("remove", "MISSION_WRITE", _remove)
keywords_row = edit("keywords", "MISSION_WRITE", _word)
unkeyword_row = edit("keywords", "MISSION_WRITE", _unword)
