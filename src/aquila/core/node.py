"""Node: the pure middle of everything. Inputs are arrivals, answers are what is to be committed, folded and relayed.

It performs no I/O: the edge commits what `hear` and `write` stage, and only then tells `committed`. So the very same
Node runs in the product, in the simulation of many nodes and in a replay.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from aquila.core.codec import Decoded
from aquila.core.errors import Refused
from aquila.core.hlc import HybridClock
from aquila.core.ids import IdSource, derived_id, statement_id
from aquila.core.journal import SALT_BYTES, Staged, is_keepable
from aquila.core.looking_back import LookBack, Looked, Search
from aquila.core.model import (
    Act,
    Alias,
    Arrival,
    Body,
    Draft,
    Entry,
    Label,
    Note,
    Original,
    Paper,
    Principal,
    Receipt,
    Report,
    Sample,
    Stamp,
    Tick,
)
from aquila.core.owners import Owners
from aquila.core.policy import Admission, Policy, admit, claimed_time_ms, label_for
from aquila.core.rule import Proposal, Rule, heard_as
from aquila.core.view import View, hears_positions, state_hash

RECENT_STATEMENTS = 20_000
UIDS_MAX = 256
"""A gateway speaks for many devices; nobody takes names without end."""
MARKINGS_MAX = 64
"""Different markings that one principal may use while the node runs."""
ALERT_SUFFIX = "-9-1-1"
"""Ends the uid of a phone's alert, which belongs to whoever has what stands before it."""
RECENT_POSITIONS = 8
ENTITIES_WATCHED = 200_000


class Identity(msgspec.Struct, frozen=True):
    """Who this node is: its id, the epoch of its data folder, its name for people."""

    node: str
    epoch: int
    name: str


class Heard(msgspec.Struct, frozen=True):
    """What became of something a peer said.

    Attributes:
        staged: statements to be committed, in order (the last one is what was said; acts of the node may precede it).
        sample: a position to be folded and relayed at once.
        refused: why neither; counted.
    """

    staged: tuple[Staged, ...] = ()
    sample: Sample | None = None
    refused: Refused | None = None


class Node:
    """The nouns and verbs of one node, joined.

    Args:
        identity: who it is.
        context: the context of what the node itself writes.
        policy: the rules in force; `change_policy` brings a new epoch.
        clock_ms, new_id, salt: the injected clock and dice.
        views: by name; the node folds them and nobody else does.
        rules: run on what is new and live.
        last_hlc: greatest clock reading in the journal.
    """

    def __init__(
        self,
        identity: Identity,
        context: str,
        policy: Policy,
        *,
        clock_ms: Callable[[], int],
        new_id: IdSource,
        salt: Callable[[int], bytes],
        views: Mapping[str, View],
        rules: Sequence[Rule] = (),
        last_hlc: int = 0,
    ) -> None:
        self.identity = identity
        self.context = context
        self.policy = policy
        self.clock_ms = clock_ms
        self.owners = Owners()
        self.views: Mapping[str, View] = {**views, Owners.name: self.owners}
        self._views_of_positions = [view for view in self.views.values() if hears_positions(view)]
        self.rules = rules
        self._rules_of_positions = [rule for rule in rules if "sample" in rule.hears]
        self.hlc = HybridClock(clock_ms, last_hlc)
        self.counts: Counter[str] = Counter()
        self._new_id = new_id
        self._salt = salt
        self._claims: dict[str, str] = {}
        self._uid_counts: Counter[str] = Counter()
        self._markings: dict[str, set[Label]] = {}
        self._recent: OrderedDict[str, None] = OrderedDict()
        self._positions: OrderedDict[str, deque[int]] = OrderedDict()
        self._floods = FloodGate(policy.flood_per_min)
        self.principal = Principal(
            id=f"node:{identity.node}",
            kind="node",
            name=identity.name,
            context=context,
            clearance=policy.classifications[-1],
            groups_in=frozenset(policy.default_label.groups),
            groups_out=frozenset(policy.default_label.groups),
        )

    # -- in ---------------------------------------------------------------------------------------------------------

    def hear(
        self,
        decoded: Decoded,
        principal: Principal,
        via: str,
        scheme: str = "cot-xml",
        *,
        as_position: bool = False,
    ) -> Heard:
        """Judge what a peer said over a link: a statement to commit, a position to fold, or a refusal.

        scheme: the format of the original bytes; empty = they only tell replays apart and are not kept.
        as_position: a report without an emergency is a position whatever the lane table says (see feeds).
        """
        body = decoded.body
        admission = self.judge(decoded, principal)
        if isinstance(admission, Refused):
            return self._refuse(admission)
        now_ms = self.clock_ms()
        original = _original(scheme, decoded.original)
        bound = self._bind(body, principal, admission.label)
        lane = admission.lane
        if as_position and isinstance(body, Report) and body.emergency is None and not body.to:
            lane = "position"
        if lane == "statement" and isinstance(body, Report) and self._floods.floods(body.entity, now_ms):
            self.counts["flood to position lane"] += 1
            lane = "position"
        if lane == "position" and isinstance(body, Report):
            if self._heard_before(body, decoded.original):
                return self._refuse(Refused("replay", "this position was heard before"))
            return Heard(
                bound,
                self._sample(body, principal, via, admission.label, now_ms, original),
            )
        statement = statement_id("cot", _uid_of(body), claimed_time_ms(body), decoded.original)
        if statement in self._recent:
            return self._refuse(Refused("replay", "this statement was heard before"))
        self._remember(statement)
        staged = self._stage(body, principal, via, admission.label, now_ms, statement, original=original)
        return Heard((*bound, staged))

    def judge(self, decoded: Decoded, principal: Principal) -> Admission | Refused:
        """May this principal say this? Nothing is done about it: for who has to know of many before the first is said.

        What depends on the moment is not judged here: replays, floods, room in the journal's writer.
        """
        admission = admit(self.policy, principal, decoded.body, decoded.label)
        if isinstance(admission, Refused):
            return admission
        spoof = self._spoofed(decoded.body, principal)
        if spoof is not None:
            return spoof
        if decoded.label is not None and not self._may_mark(principal, admission.label):
            return Refused("markings", f"{principal.id} has used {MARKINGS_MAX} different markings")
        return admission

    def write(
        self,
        body: Body,
        principal: Principal,
        via: str,
        *,
        id: str | None = None,
        subjects: tuple[str, ...] = (),
        label: Label | None = None,
        on_behalf_of: str | None = None,
    ) -> Staged | Refused:
        """Stage a statement born here (page, command line, the node itself); Refused when policy does not admit it."""
        marked = label if label is not None else label_for(self.policy, principal, None)
        if not principal.active:
            marked = Refused("inactive", f"{principal.id} is revoked or not active")
        elif not is_keepable(body):
            marked = Refused("number", "it holds a whole number of more than 64 bits: name a smaller one")
        if isinstance(marked, Refused):
            self.counts[f"refused {marked.reason}"] += 1
            return marked
        return self._stage(
            body, principal, via, marked, self.clock_ms(), id, subjects=subjects, on_behalf_of=on_behalf_of
        )

    def tick(self) -> Tick:
        """Time passing, stamped; folded by every view."""
        tick = Tick(self.clock_ms(), self._stamp())
        self._fold(tick)
        return tick

    def ticked(self, tick: Tick) -> list[Staged]:
        """What rules want written because time has passed."""
        return self._propose(tick)

    # -- after the commit -------------------------------------------------------------------------------------------

    def committed(self, entries: Iterable[Entry], *, live: bool = True) -> list[Staged]:
        """Fold entries that are durable; gives what rules want written because of them (only of live ones)."""
        proposed: list[Staged] = []
        for entry in entries:
            self._settle_claim(entry)
            self._fold(entry)
            if live:
                proposed.extend(self._propose(entry))
        return proposed

    def sampled(self, sample: Sample) -> list[Staged]:
        """Fold a position; gives what rules want written because of it."""
        for view in self._views_of_positions:
            view.fold(sample)
        return self._propose(sample) if self._rules_of_positions else []

    def search(self, look_back: LookBack) -> Search | None:
        """What is to be sought in the journal now; None = nothing. The edge has it look and then asks `looked`."""
        return look_back.due(self.views, self.identity.node, self.clock_ms())

    def looked(self, look_back: LookBack, search: Search, looked: Looked) -> list[Staged]:
        """What is to be written of a search that is over."""
        proposals = search.told(self.views, looked)
        return [self._stage_proposal(look_back, each, each.key, None) for each in proposals]

    def merge(self, entries: Sequence[Entry]) -> list[Entry]:
        """Take note of a peer's clock in entries of another origin; gives those that may be appended, unchanged."""
        for entry in entries:
            self.hlc.hear(entry.envelope.hlc)
        return list(entries)

    def change_policy(self, policy: Policy) -> None:
        """Bring a new epoch into force. Raises ValueError when its epoch is not greater than the present one."""
        if policy.epoch <= self.policy.epoch:
            raise ValueError(f"policy epoch {policy.epoch} does not follow {self.policy.epoch}: count it up")
        self.policy = policy

    def state_hash(self) -> str:
        """One hash over all views: equal for equal state."""
        return state_hash(list(self.views.values()))

    # -- inside -----------------------------------------------------------------------------------------------------

    def _fold(self, arrival: Arrival) -> None:
        for view in self.views.values():
            view.fold(arrival)

    def _propose(self, arrival: Arrival) -> list[Staged]:
        cause = arrival.envelope.id if isinstance(arrival, Entry) else None
        word = heard_as(arrival)
        staged: list[Staged] = []
        for rule in self.rules:
            if word not in rule.hears:
                continue
            for number, proposal in enumerate(rule.propose(arrival, self.views)):
                seed = cause or ("" if isinstance(arrival, Entry) else f"{arrival.stamp}")
                staged.append(self._stage_proposal(rule, proposal, proposal.key or f"{seed}/{number}", cause))
        return staged

    def _stage_proposal(self, rule: Rule | LookBack, proposal: Proposal, key: str, cause: str | None) -> Staged:
        return self._stage(
            proposal.body,
            self.principal,
            f"rule:{rule.name}",
            proposal.label,
            self.clock_ms(),
            derived_id(rule.name, rule.version, key),
            cause=proposal.cause or cause,
        )

    def _stage(
        self,
        body: Body,
        principal: Principal,
        via: str,
        label: Label,
        now_ms: int,
        id: str | None,
        *,
        original: Original | None = None,
        subjects: tuple[str, ...] = (),
        cause: str | None = None,
        on_behalf_of: str | None = None,
    ) -> Staged:
        draft = Draft(
            body=body,
            author=principal.id,
            via=via,
            label=label,
            context=principal.context,
            happened_at_ms=claimed_time_ms(body),
            received_at_ms=now_ms,
            on_behalf_of=on_behalf_of,
            subjects=subjects,
            cause=cause,
            original=original,
        )
        return Staged(
            draft=draft,
            id=id or self._new_id(),
            hlc=self.hlc.tick(),
            salt=self._salt(SALT_BYTES),
        )

    def _sample(
        self,
        body: Report,
        principal: Principal,
        via: str,
        label: Label,
        now_ms: int,
        original: Original | None,
    ) -> Sample:
        return Sample(
            report=body,
            stamp=self._stamp(),
            author=principal.id,
            via=via,
            label=label,
            context=principal.context,
            received_at_ms=now_ms,
            original=original,
        )

    def _stamp(self) -> Stamp:
        return Stamp(self.hlc.tick(), self.identity.node, self.identity.epoch, 0)

    def _refuse(self, refused: Refused) -> Heard:
        self.counts[f"refused {refused.reason}"] += 1
        return Heard(refused=refused)

    def _remember(self, statement: str) -> None:
        self._recent[statement] = None
        if len(self._recent) > RECENT_STATEMENTS:
            self._recent.popitem(last=False)

    def forget(self, statement: str) -> None:
        """A staged statement could not be committed: when its sender says it again, it is no replay."""
        self._recent.pop(statement, None)

    def _heard_before(self, body: Report, original: bytes) -> bool:
        """Replays of positions are recognised by (uid, time, digest) among the last few of the entity."""
        seen = self._positions.get(body.entity)
        digest = hash((body.observed_at_ms, original))
        if seen is None:
            self._positions[body.entity] = deque((digest,), maxlen=RECENT_POSITIONS)
            if len(self._positions) > ENTITIES_WATCHED:
                self._positions.popitem(last=False)
            return False
        if digest in seen:
            return True
        seen.append(digest)
        return False

    def _may_mark(self, principal: Principal, label: Label) -> bool:
        """Each marking costs everybody a look at every statement: nobody invents them without end."""
        known = self._markings.setdefault(principal.id, set())
        if label in known:
            return True
        if len(known) >= MARKINGS_MAX:
            return False
        known.add(label)
        return True

    # -- who owns which uid -----------------------------------------------------------------------------------------

    def _spoofed(self, body: Body, principal: Principal) -> Refused | None:
        """A uid that a device uses for itself is that device's alone; nobody else speaks of or for it."""
        alias = speaker_of(body)
        owner = self._owner(alias.value) if alias is not None else None
        if owner is None or owner == principal.id or principal.kind in ("person", "node"):
            return None
        return Refused(
            "spoof",
            f"{alias.value if alias else ''} belongs to {owner}, not to {principal.id}",
        )

    def _owner(self, uid: str) -> str | None:
        # A claim counts from the moment it is staged, so that nobody slips in before its commit.
        return self.owners.owner(uid) or self._claims.get(uid)

    def _settle_claim(self, entry: Entry) -> None:
        if isinstance(entry.body, Act) and entry.body.action == "device.bind":
            self._claims.pop(entry.body.detail.get("uid", ""), None)

    def _bind(self, body: Body, principal: Principal, label: Label) -> tuple[Staged, ...]:
        if not (isinstance(body, Report) and body.own and principal.kind == "device"):
            return ()
        if self._owner(body.alias.value) is not None or body.alias.value.endswith(ALERT_SUFFIX):
            return ()
        self._uid_counts[principal.id] += 1
        if self._uid_counts[principal.id] > UIDS_MAX:
            self.counts["uids not bound, too many"] += 1
            return ()
        self._claims[body.alias.value] = principal.id
        act = Act(
            action="device.bind",
            target=principal.id,
            happened_at_ms=self.clock_ms(),
            detail={"scheme": body.alias.scheme, "uid": body.alias.value},
        )
        return (self._stage(act, self.principal, "node", label, self.clock_ms(), None),)


class FloodGate:
    """Counts statements about each entity in windows of one minute.

    Args:
        per_min: more than this within one window is a flood.
    """

    def __init__(self, per_min: int) -> None:
        self._per_min = per_min
        self._window = 0
        self._counts: Counter[str] = Counter()

    def floods(self, entity: str, now_ms: int) -> bool:
        """Is this one statement too many about the entity in the present minute?"""
        window = now_ms // 60_000
        if window != self._window:
            self._window = window
            self._counts.clear()
        self._counts[entity] += 1
        return self._counts[entity] > self._per_min


def speaker_of(body: Body) -> Alias | None:
    """The foreign identity that a body speaks for or about; None = nobody's. An alert speaks for who raised it."""
    if isinstance(body, Report):
        return body.alias if body.emergency is None or body.parent is None else body.parent
    if isinstance(body, Note):
        return body.author_alias
    if isinstance(body, Receipt):
        return body.by
    return None if isinstance(body, Act | Paper) else body.alias


def _uid_of(body: Body) -> str:
    if isinstance(body, Note):
        return body.reference or ""
    if isinstance(body, Receipt):
        return body.reference
    return "" if isinstance(body, Act | Paper) else body.alias.value


def _original(scheme: str, data: bytes) -> Original | None:
    return Original(scheme, data) if data and scheme else None
