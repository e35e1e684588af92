"""Forms: a mission, its contents, changes and logs as TAK clients read them. No key ever has null (T5)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, cast

import msgspec

from aquila.codecs.cot.marti import bare, instant
from aquila.core.feature import Reading
from aquila.core.hlc import hlc_ms
from aquila.core.ids import entity_id
from aquila.core.model import Label, Stamp, Verdict
from aquila.features.missions.files import resource_of
from aquila.features.missions.roles import OWNER, default_role, field, missions_of, role_form
from aquila.features.missions.view import Cell, Mission, Said

PIECE = 200
"""Items of a list that are encoded at once."""


class Sights(Protocol):
    """The view `picture`."""

    def sight(self, entity: str, may: Any, policy: Any) -> Any:
        """What one reader may have of an entity; None = nothing."""
        ...


class MissionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A mission: its head, and the lists that may be long."""

    head: dict[str, Any]
    lists: dict[str, list[Any]]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change and its number at this node."""

    seq: int
    form: dict[str, Any]


def is_seen(mission: Mission, said: Said, reading: Reading) -> bool:
    """May the reader have what was said in the mission?"""
    label: Label = mission.label_of(said)
    return label is mission.label or reading.release(label, said.context).verdict is Verdict.FULL


def seen(mission: Mission, kind: str, reading: Reading) -> list[Cell]:
    """The cells of a kind that the reader may have, by stamp."""
    return [cell for cell in mission.of_kind(kind) if is_seen(mission, cell.said, reading)]


def tail(key: str) -> str:
    """The part of a key behind its kind."""
    return key.partition("/")[2]


def values(cells: Sequence[Cell]) -> list[Any]:
    """What stands in cells."""
    return [msgspec.json.decode(cell.value) for cell in cells if cell.value is not None]


# -- mission ----------------------------------------------------------------------------------------------------------


def mission_row(mission: Mission, reading: Reading, **more: list[Any]) -> MissionRow:
    """A mission as this reader may have it. more: further lists."""
    uids = [uid_form(mission, cell, reading) for cell in seen(mission, "uid", reading)]
    contents = [content_form(mission, cell, reading) for cell in seen(mission, "hash", reading)]
    return MissionRow(head=head_form(mission, reading), lists={"uids": uids, "contents": contents, **more})


def head_form(mission: Mission, reading: Reading) -> dict[str, Any]:
    """All of a mission but what may be long."""
    assert mission.created is not None
    form: dict[str, Any] = bare(
        {
            "name": mission.name,
            "description": field(mission, "description"),
            "chatRoom": field(mission, "chatRoom"),
            "baseLayer": field(mission, "baseLayer"),
            "bbox": field(mission, "bbox"),
            "boundingPolygon": field(mission, "boundingPolygon", None),
            "path": field(mission, "path"),
            "classification": field(mission, "classification"),
            "tool": field(mission, "tool", "public"),
            "keywords": field(mission, "keywords", []),
            "creatorUid": mission.created.by,
            "createTime": instant(mission.created.at_ms),
            "lastEdited": instant(mission.edited_ms),
            "groups": list(mission.label.groups),
            "externalData": values(seen(mission, "external", reading)),
            "feeds": values(seen(mission, "feed", reading)),
            "mapLayers": values(seen(mission, "maplayer", reading)),
            "ownerRole": role_form(OWNER),
            "defaultRole": role_form(default_role(mission)),
            "inviteOnly": field(mission, "inviteOnly", False),
            "expiration": field(mission, "expiration", -1),
            "guid": mission.guid,
            "passwordProtected": mission.value("field/password") is not None,
        }
    )
    return form


def uid_form(mission: Mission, cell: Cell, reading: Reading) -> dict[str, Any]:
    """One entity of a mission."""
    uid = tail(cell.key)
    form = {
        "data": uid,
        "timestamp": instant(cell.said.at_ms),
        "creatorUid": cell.said.by,
        "keywords": _keywords(mission, f"uidwords/{uid}"),
    }
    details = details_of(uid, reading)
    return form if details is None else {**form, "details": details}


def content_form(mission: Mission, cell: Cell, reading: Reading) -> dict[str, Any]:
    """One file of a mission."""
    return {
        "data": resource_form(mission, cell, reading),
        "timestamp": instant(cell.said.at_ms),
        "creatorUid": cell.said.by,
    }


def resource_form(mission: Mission, cell: Cell, reading: Reading) -> dict[str, Any]:
    """A file as this reader may know it; of one that he may not see only the digest is told."""
    digest = tail(cell.key)
    said = resource_of(digest, reading)
    return {
        "keywords": _keywords(mission, f"hashwords/{digest}") or said.get("keywords", []),
        "mimeType": said.get("mimeType", "application/octet-stream"),
        "name": said.get("name", digest),
        "hash": digest,
        "submissionTime": said.get("submissionTime", instant(cell.said.at_ms)),
        "submitter": said.get("submitter", cell.said.author.partition(":")[2]),
        "uid": said.get("uid", digest),
        "creatorUid": said.get("creatorUid", cell.said.by),
        "size": said.get("size", 0),
        "expiration": said.get("expiration", -1),
    }


def _keywords(mission: Mission, key: str) -> list[str]:
    value = mission.value(key)
    return [] if value is None else msgspec.json.decode(value, type=list[str])


def details_of(uid: str, reading: Reading) -> dict[str, Any] | None:
    """What this reader may know of an entity now; None = nothing."""
    sight = sight_of(uid, reading)
    if sight is None:
        return None
    report = sight.report
    place = report.position
    form: dict[str, Any] = {"type": report.type, "callsign": report.name or ""}
    if place is not None:
        form["location"] = {"lat": place.lat_deg, "lon": place.lon_deg}
    return form


def sight_of(uid: str, reading: Reading) -> Any:
    """The newest report about an entity, in full; None = unknown, or not for this reader."""
    # Another feature's view, by no more than what is asked of it.
    sights = cast(Sights, reading.views["picture"])
    found = sights.sight(entity_id("cot", uid), reading.release, reading.policy)
    return found if found is not None and found.verdict is Verdict.FULL else None


# -- changes ----------------------------------------------------------------------------------------------------------


def changes(
    mission: Mission,
    reading: Reading,
    *,
    since: int | None = None,
    from_ms: int | None = None,
    until_ms: int | None = None,
    squashed: bool = False,
) -> list[Change]:
    """What changed, newest first; with `since` exactly what has come after it, oldest first.

    squashed: of every content only its newest change.
    """
    assert mission.created is not None
    view = missions_of(reading)
    rows = [(mission.created, None), *((cell.said, cell) for cell in list(mission.changes.values()))]
    found: dict[Any, tuple[int, Said, Cell | None]] = {}
    for said, cell in rows:
        seq = view.seq(said.entry, reading.journal)
        if since is not None and seq <= since:
            continue
        if (from_ms is not None and said.at_ms < from_ms) or (until_ms is not None and said.at_ms > until_ms):
            continue
        key = None if cell is None else cell.key
        place = key if squashed else (said.stamp, key)
        if place not in found or said.stamp > found[place][1].stamp:
            found[place] = (seq, said, cell)
    ordered = sorted(found.values(), key=_place, reverse=since is None)
    return [
        Change(seq=seq, form=change_form(mission, said, cell, reading))
        for seq, said, cell in ordered
        if is_seen(mission, said, reading)
    ]


def _place(row: tuple[int, Said, Cell | None]) -> tuple[int, Stamp, str]:
    seq, said, cell = row
    return seq, said.stamp, "" if cell is None else cell.key


def change_form(mission: Mission, said: Said, cell: Cell | None, reading: Reading) -> dict[str, Any]:
    """A MissionChange. cell: None = the mission was created."""
    form: dict[str, Any] = {
        "isFederatedChange": said.stamp.node != reading.node,
        "type": "CREATE_MISSION" if cell is None else "REMOVE_CONTENT" if cell.value is None else "ADD_CONTENT",
        "missionName": mission.name,
        "missionGuid": mission.guid,
        "timestamp": instant(said.at_ms),
        "serverTime": instant(hlc_ms(said.stamp.hlc)),
        "creatorUid": said.by,
    }
    if cell is None:
        return form
    kind, _, name = cell.key.partition("/")
    if kind == "hash":
        return {**form, "contentResource": resource_form(mission, cell, reading)}
    if kind == "external":
        return {**form, "externalData": {"uid": name, **bare(msgspec.json.decode(cell.value or "{}"))}}
    details = details_of(name, reading)
    return {**form, "contentUid": name} if details is None else {**form, "contentUid": name, "details": details}


# -- logs and layers --------------------------------------------------------------------------------------------------


def log_form(mission_names: Sequence[str], cell: Cell) -> dict[str, Any]:
    """A LogEntry."""
    assert cell.value is not None
    said: dict[str, Any] = msgspec.json.decode(cell.value)
    return {**said, "missionNames": list(mission_names), "servertime": instant(hlc_ms(cell.said.stamp.hlc))}


def layer_forms(mission: Mission, reading: Reading) -> list[dict[str, Any]]:
    """The tree of layers, each with its uids and contents, in its order."""
    cells = seen(mission, "layer", reading)
    layers = {tail(cell.key): msgspec.json.decode(cell.value or "{}") for cell in cells}
    held: dict[str, list[str]] = {}
    for cell in seen(mission, "place", reading):
        held.setdefault(msgspec.json.decode(cell.value or '""'), []).append(tail(cell.key))

    def below(parent: str) -> list[dict[str, Any]]:
        return [form(uid) for uid in _in_order({uid: said for uid, said in layers.items() if said["parent"] == parent})]

    def form(uid: str) -> dict[str, Any]:
        said = layers[uid]
        names = [name for name in held.get(uid, []) if mission.value(f"uid/{name}") is not None]
        found: dict[str, Any] = bare(
            {
                "name": said["name"],
                "type": said["type"],
                "parentUid": said["parent"] or None,
                "uid": uid,
                "mission_layers": below(uid),
                "uids": [uid_form(mission, cell, reading) for cell in _cells(mission, names)],
                "contents": [],
                "maplayers": [],
            }
        )
        return found

    return below("")


def _cells(mission: Mission, uids: Sequence[str]) -> Iterator[Cell]:
    for uid in uids:
        cell = mission.cell(f"uid/{uid}")
        if cell is not None:
            yield cell


def _in_order(layers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Uids of layers in order: as they came, each behind the one that it names."""
    order: list[str] = []
    for uid, said in layers.items():
        after = said["after"]
        order.insert(order.index(after) + 1 if after in order else len(order), uid)
    return order


# -- JSON in pieces ---------------------------------------------------------------------------------------------------


def pieces(rows: Sequence[MissionRow], before: Mapping[str, Any]) -> Iterator[bytes]:
    """An envelope with missions as its data, in pieces."""
    yield b'%b,"data":[' % msgspec.json.encode(dict(before))[:-1]
    for number, row in enumerate(rows):
        yield b"," if number else b""
        yield msgspec.json.encode(row.head)[:-1]
        for name, items in row.lists.items():
            yield b",%b:[" % msgspec.json.encode(name)
            for start in range(0, len(items), PIECE):
                encoded = msgspec.json.encode(items[start : start + PIECE])[1:-1]
                yield encoded if start == 0 else b"," + encoded
            yield b"]"
        yield b"}"
    yield b"]}"
