"""Missions: a view of the acts mission.*: what every mission is now, and what changed in it.

Such an act carries cells: keys `kind/key` of its detail, each with JSON as its value; "" takes the cell away. Of a cell
the newest by stamp counts. A mission that was deleted stays so: a new one of its name has another guid.
"""

import math
from collections.abc import Iterator

import msgspec

from aquila.core.journal import JournalStore
from aquila.core.model import Act, Arrival, Context, Entry, Label, Stamp

PREFIX = "mission."
CREATE, DELETE, GROUPS = "mission.create", "mission.delete", "mission.groups"
CHANGES_MAX = 50_000
"""Newest changes that are kept of one mission."""
SLACK = 5_000
"""Trimmed in batches; the snapshot holds exactly the maximum."""
CONTENT_KINDS = ("hash", "uid", "external")
"""Kinds of cells whose changes the mission tells."""
EXPIRATION = "field/expiration"
SECONDS_MAX = 100_000_000_000
"""A larger expiration is in milliseconds."""


INVITE_ONLY = "field/inviteOnly"
MEMBERS = "members"


class Said(msgspec.Struct, frozen=True, array_like=True):
    """The outside of one act. by: the client that says it did it, as it claims."""

    stamp: Stamp
    entry: str
    author: str
    by: str
    at_ms: int
    label: Label
    context: Context


class Cell(msgspec.Struct, frozen=True, array_like=True):
    """The newest of one cell, or one change; value None = it was taken away."""

    said: Said
    key: str
    value: str | None


def _size(cell: Cell) -> int:
    return len(cell.key) + len(cell.value or "")


class _Kept(msgspec.Struct, array_like=True):
    """One act as a snapshot has it: only what still counts of it."""

    said: Said
    guid: str
    action: str
    name: str
    cells: dict[str, str]


class Mission:
    """One mission.

    Attributes:
        created: None = its creation was not heard yet: nobody is told of it.
        deleted: the newest deletion; then nothing but name and label is left.
        changes: of contents, by stamp and key.
        size_bytes: of keys and values of all cells and changes, about.
    """

    __slots__ = (
        "_cells", "_groups", "_labels", "changes", "created", "deleted", "edited_ms", "guid", "name", "size_bytes",
    )  # fmt: skip

    def __init__(self, guid: str) -> None:
        self.guid = guid
        self.name = ""
        self.created: Said | None = None
        self.deleted: Said | None = None
        self._cells: dict[str, dict[str, Cell]] = {}
        self.changes: dict[tuple[Stamp, str], Cell] = {}
        self.edited_ms = 0
        self.size_bytes = 0
        self._groups: Said | None = None
        self._labels: set[Label] = set()

    @property
    def marked(self) -> Said:
        """The act whose marking is in force: its creation, or the newest change of its groups."""
        assert self.created is not None
        return self._groups or self.created

    @property
    def label(self) -> Label:
        """The marking in force."""
        return self.marked.label

    @property
    def context(self) -> Context:
        """Of its creation."""
        assert self.created is not None
        return self.created.context

    def label_of(self, said: Said) -> Label:
        """The marking of something said: what was said under a marking of the mission follows the mission."""
        return self.label if said.label in self._labels else said.label

    @property
    def ends_ms(self) -> float:
        """When it is to be deleted, UTC; infinite = never. The contract has seconds, and some clients milliseconds."""
        value = self.value(EXPIRATION)
        said = None if value is None else msgspec.json.decode(value)
        if not isinstance(said, int) or said <= 0:
            return math.inf
        return said if said > SECONDS_MAX else said * 1000

    def value(self, key: str) -> str | None:
        """JSON of a cell; None = absent."""
        cell = self.cell(key)
        return None if cell is None else cell.value

    def cell(self, key: str) -> Cell | None:
        """The newest of a cell, also one that was taken away; None = it never was."""
        return self._cells.get(key.partition("/")[0], {}).get(key)

    def count(self, kind: str) -> int:
        """How many cells of a kind it has or had."""
        return len(self._cells.get(kind, {}))

    def of_kind(self, kind: str) -> list[Cell]:
        """All cells `kind/...` that are there, by stamp."""
        found = [cell for cell in list(self._cells.get(kind, {}).values()) if cell.value is not None]
        return sorted(found, key=lambda cell: (cell.said.stamp, cell.key))

    def cells(self) -> Iterator[Cell]:
        """The newest of every cell, also of those that were taken away."""
        for cells in self._cells.values():
            yield from cells.values()

    # -- fold -------------------------------------------------------------------------------------------------------

    def take(self, said: Said, action: str, name: str, detail: dict[str, str]) -> None:
        """Fold one act."""
        if action == CREATE and (self.created is None or said.stamp < self.created.stamp):
            self.created, self.name = said, name
        if action in (CREATE, GROUPS):
            self._labels.add(said.label)
        if action == GROUPS and (self._groups is None or said.stamp > self._groups.stamp):
            self._groups = said
        if action == DELETE and (self.deleted is None or said.stamp > self.deleted.stamp):
            self.deleted = said
        if self.deleted is not None:
            # New ones, not emptied ones: a dict that held 50,000 cells keeps the room for them.
            self._cells = {}
            self.changes = {}
            self.edited_ms = self.size_bytes = 0
            return
        self.edited_ms = max(self.edited_ms, said.at_ms)
        for key, value in detail.items():
            self._take_cell(Cell(said, key, value or None))

    def _take_cell(self, cell: Cell) -> None:
        kind = cell.key.partition("/")[0]
        cells = self._cells.setdefault(kind, {})
        known = cells.get(cell.key)
        if known is None or cell.said.stamp > known.said.stamp:
            cells[cell.key] = cell
            self.size_bytes += _size(cell) - (0 if known is None else _size(known))
        if kind in CONTENT_KINDS and (cell.said.stamp, cell.key) not in self.changes:
            self.changes[(cell.said.stamp, cell.key)] = cell
            self.size_bytes += _size(cell)
            if len(self.changes) > CHANGES_MAX + SLACK:
                self.trim()

    def trim(self) -> None:
        """Forget the oldest changes above the maximum."""
        if len(self.changes) > CHANGES_MAX:
            in_order = sorted(self.changes)
            self.size_bytes -= sum(_size(self.changes[key]) for key in in_order[:-CHANGES_MAX])
            self.changes = {key: self.changes[key] for key in in_order[-CHANGES_MAX:]}

    def kept(self) -> Iterator[_Kept]:
        """What a snapshot needs, in order of stamp."""
        self.trim()
        acts: dict[tuple[Stamp, str], _Kept] = {}
        for said, action in ((self.created, CREATE), (self._groups, GROUPS), (self.deleted, DELETE)):
            if said is not None:
                acts[said.stamp, action] = _Kept(said, self.guid, action, self.name if action == CREATE else "", {})
        standing = [cell for cells in self._cells.values() for cell in cells.values()]
        for cell in (*standing, *self.changes.values()):
            place = (cell.said.stamp, "")
            act = acts.setdefault(place, _Kept(cell.said, self.guid, "", "", {}))
            act.cells[cell.key] = cell.value or ""
        for place in sorted(acts):
            yield acts[place]

    def marks(self) -> list[Label]:
        """Every marking that it has or had, in a fixed order."""
        return sorted(self._labels, key=_label_order)

    def remember(self, labels: list[Label], edited_ms: int) -> None:
        """What acts that no longer count have left."""
        self._labels.update(labels)
        self.edited_ms = max(self.edited_ms, edited_ms)


def _label_order(label: Label) -> bytes:
    return msgspec.msgpack.encode(label)


class _State(msgspec.Struct, array_like=True):
    acts: list[_Kept]
    marks: dict[str, tuple[list[Label], int]]


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(_State)


def told_members(mission: Mission) -> dict[str, str]:
    """For the act that deletes a mission for invited people only: whose business that is, ids of users in lines.

    With the mission its members are forgotten, and nobody else is to learn its name from its end.
    """
    if mission.value(INVITE_ONLY) != "true":
        return {}
    users = {cell.key.partition("/")[2] for cell in mission.of_kind("role")}
    users |= {msgspec.json.decode(cell.value or "{}")["user"] for cell in mission.of_kind("sub")}
    return {MEMBERS: "\n".join(sorted(users))}


class Missions:
    """The view. Arrival numbers are this node's own, so they are no part of the state: see `seq`."""

    name = "missions"
    version = 2
    hears_positions = False

    def __init__(self) -> None:
        self._missions: dict[str, Mission] = {}
        self._named: dict[tuple[Context, str], set[str]] = {}
        self._seqs: dict[str, int] = {}
        self._ending: set[str] = set()
        """Missions that ever had an expiration."""

    def fold(self, arrival: Arrival) -> None:
        """See View."""
        if not isinstance(arrival, Entry) or not isinstance(arrival.body, Act):
            return
        act, envelope = arrival.body, arrival.envelope
        if not act.action.startswith(PREFIX):
            return
        said = Said(
            envelope.stamp,
            envelope.id,
            envelope.author,
            act.detail.get("by", "") or envelope.author.partition(":")[2],
            act.happened_at_ms,
            envelope.label,
            envelope.context,
        )
        cells = {key: value for key, value in act.detail.items() if "/" in key}
        is_told = act.action == CREATE or any(key.partition("/")[0] in CONTENT_KINDS for key in cells)
        if is_told and arrival.arrival and not self._is_over(act.target):
            self._seqs[envelope.id] = arrival.arrival
        self._take(_Kept(said, act.target, act.action, act.detail.get("name", ""), cells))

    def _is_over(self, guid: str) -> bool:
        mission = self._missions.get(guid)
        return mission is not None and mission.deleted is not None

    def _take(self, act: _Kept) -> None:
        mission = self._missions.get(act.guid)
        if mission is None:
            mission = self._missions[act.guid] = Mission(act.guid)
        if EXPIRATION in act.cells and mission.deleted is None:
            self._ending.add(act.guid)
        before = mission.created
        if act.action == DELETE:
            self._forget(mission)
        mission.take(act.said, act.action, act.name, act.cells)
        if mission.created is not before:
            if before is not None:
                for guids in self._named.values():
                    guids.discard(act.guid)
            self._named.setdefault((mission.context, mission.name), set()).add(act.guid)

    def _forget(self, mission: Mission) -> None:
        """What is kept besides of one that is deleted now; should something of it be asked for again, it is read."""
        for cell in mission.changes.values():
            self._seqs.pop(cell.said.entry, None)
        for cell in mission.cells():
            self._seqs.pop(cell.said.entry, None)
        self._ending.discard(mission.guid)

    def snapshot(self) -> bytes:
        """See View."""
        missions = [self._missions[guid] for guid in sorted(self._missions)]
        acts = [act for mission in missions for act in mission.kept()]
        return _encoder.encode(_State(acts, {each.guid: (each.marks(), each.edited_ms) for each in missions}))

    def restore(self, data: bytes) -> None:
        """See View."""
        state = _decoder.decode(data)
        self._missions, self._named, self._ending = {}, {}, set()
        for act in state.acts:
            self._take(act)
        for guid, (labels, edited_ms) in state.marks.items():
            self._missions.setdefault(guid, Mission(guid)).remember(labels, edited_ms)

    # -- read -------------------------------------------------------------------------------------------------------

    def mission(self, guid: str) -> Mission | None:
        """The one with this guid, also one that was deleted; None = its creation was not heard."""
        found = self._missions.get(guid)
        return None if found is None or found.created is None else found

    def named(self, context: Context, name: str) -> list[Mission]:
        """All of this name, also deleted ones, the oldest first."""
        found = [self._missions[guid] for guid in list(self._named.get((context, name), ()))]
        return sorted(found, key=_age)

    def missions(self) -> list[Mission]:
        """All that are not deleted, the oldest first."""
        found = [each for each in list(self._missions.values()) if each.created is not None and each.deleted is None]
        return sorted(found, key=_age)

    def expired(self, now_ms: int) -> list[Mission]:
        """Those whose time is over and that are not deleted yet, by guid."""
        ending = [self._missions[guid] for guid in sorted(self._ending)]
        return [each for each in ending if each.created and not each.deleted and each.ends_ms <= now_ms]

    def needs_file(self, sha256: str, now_ms: int) -> bool:
        """See core.contract.NeedsFiles."""
        return any(mission.value(f"hash/{sha256}") is not None for mission in self.missions())

    def seq(self, entry: str, journal: JournalStore) -> int:
        """The arrival number of an entry at this node; read from the journal once when a snapshot had it."""
        known = self._seqs.get(entry)
        if known is None:
            found = journal.entry(entry)
            known = self._seqs[entry] = 0 if found is None else found.arrival
        return known


def _age(mission: Mission) -> tuple[Stamp, str]:
    assert mission.created is not None
    return mission.created.stamp, mission.guid
