"""Promises: what must hold in every run, and the oracle that says who may have what. Shares no code with policy."""

import re
from collections.abc import Iterable, Mapping, Sequence
from random import Random

import msgspec

from aquila.core.journal import verify_chain
from aquila.core.model import Arrival, Audience, Entry
from aquila.core.recording import decode_recording, replay
from aquila.core.sync import Place
from aquila.core.view import state_hash
from aquila.testing.simulation.broken import BrokenPromiseError
from aquila.testing.simulation.host import Host

RANKS = ("UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET")
_TRACES = re.compile(rb"canary-\d+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Secret(msgspec.Struct, frozen=True):
    """Who may have a statement, written down by the dice before policy saw it.

    Attributes:
        nations: by policy epoch.
        rank: place of its classification, 0 = lowest.
    """

    nations: Mapping[int, frozenset[str]]
    rank: int

    def allows(self, audience: Audience, policy_epoch: int) -> bool:
        """May this class of readers have it at this policy epoch?"""
        return audience.nation in self.nations[policy_epoch] and RANKS.index(audience.clearance) >= self.rank


class Oracle:
    """Knows every statement by the traces that it leaves in bytes: the canary in its text and its id."""

    def __init__(self) -> None:
        self._secrets: dict[bytes, Secret] = {}

    def note(self, trace: str, secret: Secret) -> None:
        """This text belongs to a statement with this secret."""
        self._secrets[trace.encode()] = secret

    def of(self, trace: str) -> Secret:
        """The secret of a statement. Raises KeyError for an unknown one."""
        return self._secrets[trace.encode()]

    def check(self, data: bytes, audience: Audience, policy_epochs: Iterable[int], where: str) -> None:
        """No trace of what this audience may have at none of these policy epochs lies in these bytes."""
        for trace in _TRACES.findall(data):
            secret = self._secrets.get(trace)
            if secret is not None and not any(secret.allows(audience, epoch) for epoch in policy_epochs):
                raise BrokenPromiseError("no leak", f"{trace.decode()} for {audience.nation} in {where}")


def check_world(hosts: Sequence[Host], oracle: Oracle, acked: Mapping[str, str], policy_epoch: int) -> None:
    """Everything that must hold once the calm has lasted long enough."""
    journals = {host.name: host.journal.read(0, 1_000_000) for host in hosts}
    _check_acked(journals, acked)
    chains = {host.name: _lines_of(host) for host in hosts}
    lines = _check_same_lines(chains)
    _check_rules(lines)
    _check_vectors(hosts)
    for host in hosts:
        _check_chains(host, chains[host.name])
        _check_complete(host, lines, chains[host.name], oracle, policy_epoch)
        _check_rest(host, oracle, policy_epoch)
    _check_clocks(lines)


def check_honest(hosts: Sequence[Host]) -> None:
    """Among honest nodes nobody ever refuses a line."""
    for host in hosts:
        broken_count = host.broken_count + host.replica.broken_count
        if broken_count:
            raise BrokenPromiseError("nothing broken", f"{host.name} refused {broken_count} honest lines")


def check_states(hosts: Sequence[Host], dice: Random) -> None:
    """Equal sets fold to equal states, in any order; a recording folds to the state of the node that made it."""
    states: dict[Audience, tuple[str, str]] = {}
    for host in hosts:
        heard = list(decode_recording(bytes(host.recording)))
        now = host.node.state_hash()
        if _folded(host, heard) != now:
            raise BrokenPromiseError("recording", f"the recording of {host.name} folds to another state")
        dice.shuffle(heard)
        if _folded(host, heard) != now:
            raise BrokenPromiseError("any order", f"what {host.name} heard folds to another state in another order")
        # One line of each id, the same at every node: which of two twins came first is the weather's choice.
        entries = list({line.envelope.id: line for line in sorted(_lines_of(host), key=_place, reverse=True)}.values())
        dice.shuffle(entries)
        state = _folded(host, entries)
        other, known = states.setdefault(host.audience, (host.name, state))
        if known != state:
            raise BrokenPromiseError("same state", f"{host.name} and {other} may have the same and see another picture")


def _folded(host: Host, arrivals: Iterable[Arrival]) -> str:
    views = host.fresh_views()
    replay(arrivals, views)
    return state_hash(views)


def _lines_of(host: Host) -> list[Entry]:
    """All that stands in its journal, twins too."""
    journal = host.journal
    return [entry for origin in journal.origins() for entry in journal.chain(*origin, 0, 1_000_000)]


def _place(entry: Entry) -> Place:
    envelope = entry.envelope
    return envelope.node, envelope.epoch, envelope.seq


def _check_acked(journals: Mapping[str, Sequence[Entry]], acked: Mapping[str, str]) -> None:
    for name, entries in journals.items():
        here = {entry.envelope.id for entry in entries}
        lost = [entry_id for entry_id, host in acked.items() if host == name and entry_id not in here]
        if lost:
            raise BrokenPromiseError("no acknowledged loss", f"{name} lost {lost[0]} and {len(lost) - 1} more")


def _check_vectors(hosts: Sequence[Host]) -> None:
    first = hosts[0]
    for host in hosts:
        own = (host.name, host.epoch)
        head = host.journal.head(*own).seq
        for other in hosts:
            if other.replica.tops().get(own, 0) != head:
                raise BrokenPromiseError(
                    "equal vectors", f"{other.name} has {own} up to {other.replica.tops().get(own, 0)}, of {head}"
                )
        if host.replica.tops() != first.replica.tops():
            raise BrokenPromiseError("equal vectors", f"{host.name} {host.replica.tops()}, {first.replica.tops()}")


def _check_same_lines(journals: Mapping[str, Sequence[Entry]]) -> dict[Place, Entry]:
    """Whoever holds a line holds the same bytes; gives all lines by place."""
    lines: dict[Place, Entry] = {}
    for name, entries in journals.items():
        for entry in entries:
            known = lines.setdefault(_place(entry), entry)
            same = (entry.envelope_bytes, entry.salt, entry.body_bytes, entry.original)
            if same != (known.envelope_bytes, known.salt, known.body_bytes, known.original):
                raise BrokenPromiseError("same lines", f"{name} holds another {_place(entry)} than others do")
    return lines


def _check_chains(host: Host, entries: Sequence[Entry]) -> None:
    """Lines and stubs together leave no gap, and each line names the one before."""
    own = [entry for entry in entries if entry.envelope.node == host.name]
    faults = verify_chain(own)
    digests = {stub.place: stub.digest for stub in host.replica.stubs()}
    held = {_place(entry) for entry in entries} | set(digests)
    for (node, epoch), top in host.replica.tops().items():
        gaps = [seq for seq in range(1, top + 1) if (node, epoch, seq) not in held]
        if gaps:
            raise BrokenPromiseError("no gap", f"{host.name} has neither line nor stub of {node} {gaps[:5]}")
    for entry in entries:
        node, epoch, seq = _place(entry)
        before = digests.get((node, epoch, seq - 1))
        if before is not None and before != entry.envelope.prev:
            raise BrokenPromiseError("chain", f"{host.name}: {node} {seq} does not follow the stub before it")
    if faults:
        raise BrokenPromiseError("chain", f"{host.name}: {faults[0]}")


def _check_complete(
    host: Host, lines: Mapping[Place, Entry], entries: Sequence[Entry], oracle: Oracle, policy_epoch: int
) -> None:
    here = {_place(entry) for entry in entries}
    for place, entry in lines.items():
        if place not in here and oracle.of(entry.envelope.id).allows(host.audience, policy_epoch):
            raise BrokenPromiseError("none missing", f"{host.name} may have {place} and has not")


def _check_rest(host: Host, oracle: Oracle, policy_epoch: int) -> None:
    """What lies on the disk of a node is what it may have, or might have when it was sent."""
    for data in host.disk.synced:
        oracle.check(data, host.audience, range(1, policy_epoch + 1), f"the disk of {host.name}")


def _check_rules(lines: Mapping[Place, Entry]) -> None:
    """What a rule writes is written once, where its cause was heard."""
    # Two where two nodes heard the same.
    homes = {(entry.envelope.id, entry.envelope.node) for entry in lines.values()}
    for place, entry in lines.items():
        cause = entry.envelope.cause
        if cause is not None and (cause, place[0]) not in homes:
            raise BrokenPromiseError("rules at home", f"{place} was written because of {cause}, a line of others")


def _check_clocks(lines: Mapping[Place, Entry]) -> None:
    last: dict[tuple[str, int], int] = {}
    for place in sorted(lines):
        hlc = lines[place].envelope.hlc
        if hlc <= last.get(place[:2], 0):
            raise BrokenPromiseError("clock", f"{place} is not stamped later than the line before it")
        last[place[:2]] = hlc
