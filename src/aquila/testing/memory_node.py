"""A node in memory: what tests of features and of the web stand on.

The product's Node over a journal in memory, without threads, links and disk. Rules run, and time passes by `tick`.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from aquila.core.box import Box
from aquila.core.errors import Refused
from aquila.core.feature import Feature, Role, Saying
from aquila.core.ids import entity_id, uuid7_source
from aquila.core.journal import MemoryJournal, Staged, make_entry
from aquila.core.looking_back import LookBack, look_through
from aquila.core.model import (
    Alias,
    Body,
    Entry,
    Label,
    Motion,
    Position,
    Principal,
    Report,
    Sample,
    Stamp,
)
from aquila.core.node import Identity, Node
from aquila.core.policy import EXAMPLE_POLICY, Policy
from aquila.features import access, chat, devices, links, log, picture
from aquila.features.access import Grant, act_of, hash_of, token_secret
from aquila.features.access.view import GrantKind
from aquila.features.coverage.shadow import Shadows
from aquila.features.intel.subject import Keeping
from aquila.fusion.viewshed import Floats
from aquila.stores.sqlite.geopackage import Geopackages
from aquila.stores.sqlite.words import JournalWords

FEATURES: tuple[Feature, ...] = (
    picture.feature,
    log.feature,
    chat.feature,
    devices.feature,
    access.feature,
    links.feature,
)
START_MS = 1_795_000_000_000
OPEN = Label(EXAMPLE_POLICY, "UNCLASSIFIED", ("MISSION",), ("COMMON",))
NATIONAL = Label(EXAMPLE_POLICY, "UNCLASSIFIED", ("FRA",), ("COMMON",))
COARSE = Label(EXAMPLE_POLICY, "UNCLASSIFIED", ("FRA",), ("COMMON",), redacted_to=("ITA",))
DICE = itertools.count(1)


class MemorySecrets:
    """Names and values, gone with the test."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def get(self, name: str) -> Any:
        """The value; None = there is none."""
        return self.kept.get(name)

    def put(self, name: str, value: Any) -> None:
        """Keep a value."""
        self.kept[name] = value

    def remove(self, name: str) -> bool:
        """Was there one?"""
        return self.kept.pop(name, None) is not None

    def named(self, prefix: str) -> dict[str, Any]:
        """All under a prefix."""
        return {name: value for name, value in self.kept.items() if name.startswith(prefix)}


class MemoryKeys:
    """A sealer whose keys are in memory: what is sealed is unreadable to who has no key, and no secret to a test."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.gone: set[str] = set()

    def seal(self, subjects: Sequence[str], body: bytes, nonce: bytes) -> bytes:
        """See core.journal.Sealer."""
        if not self.gone.isdisjoint(subjects):
            raise ValueError(f"subjects {', '.join(subjects)}: one of them was erased")
        for subject in subjects:
            self.kept[subject] = subject.encode()
        return b"sealed " + bytes(byte ^ 0x5A for byte in body)

    def open(self, subjects: Sequence[str], sealed: bytes) -> bytes | None:
        """See core.journal.Sealer."""
        if not all(subject in self.kept for subject in subjects):
            return None
        return bytes(byte ^ 0x5A for byte in sealed.removeprefix(b"sealed "))

    async def erase(self, subject: str) -> bool:
        """The part `erase` of a node."""
        self.gone.add(subject)
        return self.kept.pop(subject, None) is not None


class NoLinks:
    """No link is up."""

    def __init__(self) -> None:
        self.rows: list[links.LinkState] = []

    def states(self) -> list[links.LinkState]:
        """As the test put them."""
        return self.rows


class NoRefusals:
    """Nobody is told who was refused."""

    def note(self, target: str, reason: str, sentence: str = "", address: str = "") -> None:
        """See devices.refusals.Noter."""

    def let_in(self, address: str) -> None:
        """See devices.refusals.Noter."""


class NoTerrain:
    """No heights are known anywhere."""

    box = (0.0, 0.0, 0.0, 0.0)

    def heights(self, lat_deg: Floats, lon_deg: Floats) -> Floats:
        """See coverage.shadow.Terrain."""
        return np.full(np.broadcast(lat_deg, lon_deg).shape, np.nan)


class NoTracks:
    """A track table of a few points."""

    def __init__(self) -> None:
        self.fixes: list[picture.TrackFix] = []

    def inside(
        self,
        box: Box,
        from_ms: int,
        until_ms: int,
        may: Callable[[Label, str], bool],
        entity: str | None,
        limit: int,
    ) -> list[picture.TrackFix]:
        """See the part `tracks` of a node."""
        return [fix for fix in self.fixes if may(fix.label, fix.context)][:limit]


class MemoryPort:
    """The node of a test, as queries, commands and the web see one.

    Args:
        features: whose views and rules it has.
        node: its word in the journal; two that merge have different ones.
    """

    open, national, coarse = OPEN, NATIONAL, COARSE

    def __init__(self, features: Sequence[Feature] = FEATURES, node: str = "n1") -> None:
        self.features = tuple(features)
        self.now_ms = START_MS
        self.new_id = uuid7_source(self.clock_ms, lambda count: next(DICE).to_bytes(count, "big"))
        self.views = {view.name: view for each in self.features for view in (make() for make in each.views)}
        self.journal = MemoryJournal()
        self.core = Node(
            Identity(node, 1, "TEST"),
            "EXERCISE:TEST",
            Policy(),
            clock_ms=self.clock_ms,
            new_id=self.new_id,
            salt=bytes,
            views=self.views,
            rules=[rule for each in self.features for rule in each.rules],
        )
        self.look_backs = [look_back for each in self.features for look_back in each.look_backs]
        self.keys = MemoryKeys()
        self.parts: dict[str, Any] = {
            "erase": self.keys.erase,
            "keeping": Keeping(),
            "secrets": MemorySecrets(),
            "links": NoLinks(),
            "tracks": NoTracks(),
            "words": JournalWords(),
            "geopackages": Geopackages(),
            "refusals": NoRefusals(),
            "shadows": Shadows(NoTerrain()),
            "health": self.health,
            "features": self.features,
        }
        self.reasons: list[str] = []
        self._heard: list[Callable[[Entry], None]] = []
        self._samples = itertools.count(1)
        self.context = self.core.context
        self.node, self.name = node, "TEST"

    @property
    def policy(self) -> Policy:
        """In force."""
        return self.core.policy

    def clock_ms(self) -> int:
        """The time of the test."""
        return self.now_ms

    def part(self, name: str) -> Any:
        """See NodePort."""
        return self.parts[name]

    async def write(self, principal: Principal, body: Body, via: str, **more: Any) -> Entry | Refused:
        """See NodePort."""
        return self.write_now(principal, body, via, **more)

    def write_now(self, principal: Principal, body: Body, via: str, **more: Any) -> Entry | Refused:
        """The same, at once."""
        staged = self.core.write(body, principal, via, **more)
        if isinstance(staged, Refused):
            return staged
        self._commit([staged])
        return self.journal.entry(staged.id) or Refused("unknown")

    async def write_all(self, principal: Principal, sayings: Sequence[Saying], via: str) -> tuple[Entry, ...] | Refused:
        """See NodePort."""
        staged: list[Staged] = []
        for said in sayings:
            more = {name: getattr(said, name) for name in ("id", "subjects", "label", "on_behalf_of")}
            one = self.core.write(said.body, principal, via, **more)
            if isinstance(one, Refused):
                return one
            staged.append(one)
        self._commit(staged)
        found = [self.journal.entry(one.id) for one in staged]
        return tuple(entry for entry in found if entry is not None)

    def _commit(self, together: Iterable[Staged]) -> list[Entry]:
        """Append, fold, tell, and write what rules propose; gives those whose id was not there."""
        entries, head = [], self.journal.head(self.node, 1)
        for staged in together:
            entry, head = make_entry(staged, node=self.node, epoch=1, head=head, sealer=self.keys)
            entries.append(entry)
        return self._take(entries)

    def _take(self, entries: Sequence[Entry]) -> list[Entry]:
        new = self.journal.append(entries)
        proposed = self.core.committed(new)
        for each in new:
            for callback in list(self._heard):
                callback(each)
        self._commit_all(proposed)
        for look_back in self.look_backs:
            if any(look_back.wakes(each) for each in new):
                self._look_back(look_back)
        return new

    def _look_back(self, look_back: LookBack) -> None:
        """Seek at once what the product seeks in a thread."""
        while (search := self.core.search(look_back)) is not None:
            self._commit(self.core.looked(look_back, search, look_through(self.journal, search)))

    def merge(self, other: "MemoryPort") -> None:
        """Take the lines of another node that are not here, as a replica brings them."""
        for node, epoch in other.journal.origins():
            have = len(self.journal.chain(node, epoch, 0, 100_000))
            self._take(self.core.merge(other.journal.chain(node, epoch, have, 100_000)))

    def _commit_all(self, proposed: Iterable[Staged]) -> None:
        for staged in proposed:
            self._commit([staged])

    def tick(self, after_ms: int = 1000) -> None:
        """Let time pass, and rules look."""
        self.now_ms += after_ms
        self._commit_all(self.core.ticked(self.core.tick()))

    def say(self, body: Body, label: Label, author: str = "device:FOX") -> Entry:
        """Somebody else's statement, under a label."""
        by = Principal(id=author, kind="device", name="FOX", context=self.context)
        entry = self.write_now(by, body, "tak", label=label)
        assert isinstance(entry, Entry)
        return entry

    def place(self, uid: str, lat_deg: float, lon_deg: float, label: Label = OPEN, **more: Any) -> str:
        """Somebody's position; gives the id of the entity."""
        report = report_of(uid, lat_deg, lon_deg, self.now_ms, **more)
        sample = Sample(
            report=report,
            stamp=Stamp(self.core.hlc.tick(), self.node, 1, 0),
            author="device:FOX",
            via="tak",
            label=label,
            context=self.context,
            received_at_ms=self.now_ms,
        )
        self._commit_all(self.core.sampled(sample))
        return report.entity

    def report(self, uid: str, lat_deg: float, lon_deg: float, **more: Any) -> Report:
        """A report of a friendly unit, not said yet."""
        return report_of(uid, lat_deg, lon_deg, self.now_ms, **more)

    def subscribe(self, callback: Callable[[Entry], None]) -> Callable[[], None]:
        """See NodePort."""
        self._heard.append(callback)
        return lambda: self._heard.remove(callback)

    def counters(self) -> Mapping[str, float]:
        """See NodePort."""
        return {"tak events in": 7.0, "refused group": 1.0, "link PATROL1": 3.0}

    def health(self) -> list[str]:
        """See NodePort."""
        return self.reasons

    # -- people -----------------------------------------------------------------------------------------------------

    def admit_person(
        self,
        kind: GrantKind,
        name: str,
        role: Role,
        nation: str = "ITA",
        group: str = "COMMON",
        also: str = "",
        reads: str = "",
    ) -> Grant:
        """Write the act that lets somebody in. also: a second group, reads: one that he only reads; empty = none."""
        groups = (group, also) if also else (group,)
        grant = Grant(
            kind=kind,
            name=name,
            role=role,
            nation=nation,
            groups_in=groups,
            groups_out=(*groups, reads) if reads else groups,
        )
        self.say(act_of(grant, self.now_ms), OPEN, "node:n1")
        return grant

    def token(
        self,
        name: str,
        role: Role = "viewer",
        nation: str = "ITA",
        group: str = "COMMON",
        also: str = "",
        reads: str = "",
    ) -> dict[str, str]:
        """Headers of a new token. See admit_person."""
        self.admit_person("token", name, role, nation, group, also, reads)
        value = f"aq_{name}_{'0' * 30}"
        self.parts["secrets"].put(token_secret(value), {"name": name})
        assert hash_of(value) in next(iter(self.parts["secrets"].named(token_secret(value))))
        return {"Authorization": f"Bearer {value}"}


def report_of(uid: str, lat_deg: float, lon_deg: float, at_ms: int, **more: Any) -> Report:
    """A report of a friendly unit that is valid for a minute."""
    plain: dict[str, Any] = {
        "entity": entity_id("cot", uid),
        "alias": Alias("cot", uid),
        "type": "a-f-G-U-C-I",
        "sidc": "10031000001211000000",
        "category": "unit",
        "observed_at_ms": at_ms,
        "stale_at_ms": at_ms + 60_000,
        "name": uid,
        "position": Position(lat_deg, lon_deg, 1200.0, 5.0),
        "motion": Motion(90.0, 1.5),
    }
    return Report(**(plain | more))
