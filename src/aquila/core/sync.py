"""Sync: how two nodes make their journals agree on what each may have. Pull only; pure; any loss, order or repeat.

A node asks with its version vector (highest contiguous sequence per origin) and a short list of *wants*. The answer
holds lines in order; a line that the asker may not have is a *stub*: its place and the digest of its envelope, so the
chain still verifies and nothing is told of label, body or length. A stub stays wanted until somebody sends the line
or the origin itself denies it: otherwise an uncleared relay would leave permanent holes behind it. A denial holds for
one policy epoch: the next one, of whichever node, makes every stub wanted again.

The digest of a stub is hearsay until a line proves it: where they differ, the chain and the origin itself know better
than a relay. A line whose body was erased travels as a stub.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from itertools import islice

import msgspec

from aquila.core.journal import Head, open_entry
from aquila.core.model import Audience, Entry, Original, Verdict
from aquila.core.policy import Policy, release

Place = tuple[str, int, int]
"""(node, epoch, seq) of a line."""

WANTS_AT_ONCE = 16
LINES_AT_ONCE = 32
"""Lines of one origin in one answer, whatever is asked for."""

_INTEGER_MAX = (1 << 63) - 1


class Line(msgspec.Struct, frozen=True, array_like=True):
    """A journal line on its way to another node, or a stub (envelope_bytes None)."""

    place: Place
    digest: bytes
    envelope_bytes: bytes | None = None
    salt: bytes = b""
    body_bytes: bytes | None = None
    original: Original | None = None


class Ask(msgspec.Struct, frozen=True, array_like=True):
    """What a node has and what it still wants."""

    have: tuple[Place, ...]
    wants: tuple[Place, ...]
    per_origin: int = LINES_AT_ONCE


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """Lines and stubs in order per origin, and the wanted places that their origin denies at this policy epoch."""

    lines: tuple[Line, ...]
    denied: tuple[Place, ...] = ()
    policy_epoch: int = 0


class Replica:
    """What one node holds of every origin: whole lines and stubs, indexed by place.

    Args:
        node: this node's id; only an origin may deny its own lines.
        epoch: of its data folder; nobody else writes lines of this origin.
        policy: gives the policy in force, for every answer anew: what may leave is judged by today's policy. Whatever
            changes what a peer may have counts its epoch up, else what was denied is not asked for again.
        lines: what the store and the stub list hold at start.
    """

    def __init__(self, node: str, epoch: int, policy: Callable[[], Policy], lines: Iterable[Line] = ()) -> None:
        self._node = node
        self._epoch = epoch
        self._policy = policy
        self._policy_epochs: dict[str, int] = {}
        self._lines: dict[tuple[str, int], dict[int, Line]] = {}
        self._tops: dict[tuple[str, int], int] = {}
        self._wanted: dict[Place, None] = {}
        self.gap_count = 0
        self.broken_count = 0
        # Stubs first: one that was filled since may still be on the list, and gives way to its line.
        for line in sorted(lines, key=lambda each: (each.envelope_bytes is not None, each.place)):
            self._hold(line)

    def own(self, entry: Entry) -> None:
        """Take note of an entry that this node has made durable itself."""
        self._hold(line_of(entry))

    def tops(self) -> Mapping[tuple[str, int], int]:
        """Highest contiguous sequence number held per origin, stubs included."""
        return self._tops

    def stubs(self) -> list[Line]:
        """The stubs held: to be kept with the journal, so that a restart asks no line twice."""
        return [line for lines in self._lines.values() for line in lines.values() if line.envelope_bytes is None]

    def ask(self) -> Ask:
        """What to send to a peer. The wants rotate, so that the first few never starve the rest."""
        wants = tuple(islice(self._wanted, WANTS_AT_ONCE))
        for place in wants:
            self._wanted[place] = self._wanted.pop(place)
        return Ask(
            tuple((node, epoch, seq) for (node, epoch), seq in sorted(self._tops.items())),
            wants,
        )

    def answer(self, ask: Ask, peer: Audience) -> Answer:
        """What this peer may have of what it has not: the one way out to another node."""
        have = {(node, epoch): seq for node, epoch, seq in ask.have}
        lines: list[Line] = []
        for origin, held in self._lines.items():
            first = max(0, have.get(origin, 0)) + 1
            last = min(self._tops.get(origin, 0), first + min(ask.per_origin, LINES_AT_ONCE) - 1)
            lines.extend(self._cleared(held[seq], peer) for seq in range(first, last + 1))
        denied: list[Place] = []
        for place in ask.wants[:WANTS_AT_ONCE]:
            line = self._lines.get(place[:2], {}).get(place[2])
            if line is None or line.envelope_bytes is None:
                continue
            cleared = self._cleared(line, peer)
            if cleared.envelope_bytes is not None:
                lines.append(cleared)
            elif place[0] == self._node:
                denied.append(place)
        return Answer(tuple(lines), tuple(denied), self._policy().epoch)

    def take(self, answer: Answer, peer: str) -> list[Entry]:
        """Check an answer; gives the entries to be appended, each verified against the chain held here.

        A line that does not follow what is held is a gap (lost answer): left out, counted, asked again. A line whose
        bytes do not match, or that claims to be this node's own, is counted as broken and left out.

        Args:
            answer: what came.
            peer: id of the node that it came from, as its link knows it: it can deny its own lines only.
        """
        fresh: list[Entry] = []
        for line in answer.lines:
            held = self._lines.get(line.place[:2], {}).get(line.place[2])
            if held is not None:
                fresh.extend(self._fill(held, line, peer))
            elif not self._is_next(line):
                self.gap_count += 1
            elif not self._joins(line, peer):
                self.broken_count += 1
            else:
                self._hold(line)
                fresh.extend(_entry_of(line))
        known_epoch = self._policy_epochs.get(peer, 0)
        if answer.policy_epoch > known_epoch:
            self._policy_epochs[peer] = answer.policy_epoch
            self.reopen()
        elif answer.policy_epoch < known_epoch:
            # A late answer: what it denies may have been allowed since.
            return fresh
        for place in answer.denied:
            if place[0] == peer:
                self._wanted.pop(place, None)
        return fresh

    def lost(self, entries: Iterable[Entry]) -> None:
        """These could not be kept (a full disk): they are asked for again."""
        for entry in entries:
            envelope = entry.envelope
            origin = (envelope.node, envelope.epoch)
            self._lines.get(origin, {}).pop(envelope.seq, None)
            self._tops[origin] = min(self._tops.get(origin, 0), envelope.seq - 1)

    def reopen(self) -> None:
        """A new policy epoch: what was denied may be had now, so every stub is wanted again."""
        for line in self.stubs():
            self._wanted[line.place] = None

    def _is_next(self, line: Line) -> bool:
        return line.place[2] == self._tops.get(line.place[:2], 0) + 1

    def _hold(self, line: Line) -> None:
        origin, seq = line.place[:2], line.place[2]
        held = self._lines.setdefault(origin, {})
        held[seq] = line
        top = self._tops.get(origin, 0)
        # Contiguous only: what lies beyond a hole (a stub that a crash took) must not hide the hole.
        while top + 1 in held:
            top += 1
        self._tops[origin] = top
        if line.envelope_bytes is None:
            self._wanted[line.place] = None
            return
        self._wanted.pop(line.place, None)
        before, prev = held.get(seq - 1), _prev_of(line)
        if before is not None and before.envelope_bytes is None and prev is not None:
            held[seq - 1] = Line(before.place, prev)

    def _fill(self, held: Line, line: Line, peer: str) -> list[Entry]:
        """A line for a place that is held already: it matters only where a stub stands."""
        if held.envelope_bytes is not None or line.envelope_bytes is None:
            return []
        if (line.digest != held.digest and peer != line.place[0]) or not self._joins(line, peer):
            self.broken_count += 1
            return []
        self._hold(line)
        return _entry_of(line)

    def _joins(self, line: Line, peer: str) -> bool:
        """Does this line continue the chain held here, on both sides, and is it fit to be kept?"""
        if line.place[:2] == (self._node, self._epoch):
            return False
        held = self._lines.get(line.place[:2], {})
        after = held.get(line.place[2] + 1)
        if after is not None and after.envelope_bytes is not None and _prev_of(after) != line.digest:
            return False
        if line.envelope_bytes is None:
            return True
        if not _is_sound(line):
            return False
        before = held.get(line.place[2] - 1)
        if before is None and line.place[2] > 1:
            # A stub beyond a hole is filled: its own digest was compared, and the hole is when it is closed.
            return True
        if before is not None and before.envelope_bytes is None and peer == line.place[0]:
            return True
        return _prev_of(line) == (Head().digest if before is None else before.digest)

    def _cleared(self, line: Line, peer: Audience) -> Line:
        stub = Line(line.place, line.digest)
        if line.envelope_bytes is None or line.body_bytes is None:
            return stub
        # Without the body, which need not be read for this.
        envelope = open_entry(line.envelope_bytes, line.salt, None).envelope
        decision = release(self._policy(), envelope.label, envelope.context, peer)
        return line if decision.verdict == Verdict.FULL else stub


def line_of(entry: Entry) -> Line:
    """An entry as a line that may travel."""
    envelope = entry.envelope
    return Line(
        (envelope.node, envelope.epoch, envelope.seq),
        hashlib.sha256(entry.envelope_bytes).digest(),
        entry.envelope_bytes,
        entry.salt,
        entry.body_bytes,
        entry.original,
    )


def _entry_of(line: Line) -> list[Entry]:
    if line.envelope_bytes is None:
        return []
    return [open_entry(line.envelope_bytes, line.salt, line.body_bytes, line.original)]


def _prev_of(line: Line) -> bytes | None:
    """Digest of the line before, as a whole line that was found sound says it; None for a stub."""
    return None if line.envelope_bytes is None else open_entry(line.envelope_bytes, line.salt, None).envelope.prev


def _is_sound(line: Line) -> bool:
    """Do place, digests and bytes of a whole line agree with each other, and can a journal hold it?"""
    if line.envelope_bytes is None or line.body_bytes is None:
        return False
    if hashlib.sha256(line.envelope_bytes).digest() != line.digest:
        return False
    try:
        envelope = open_entry(line.envelope_bytes, line.salt, None).envelope
    except msgspec.DecodeError:
        return False
    if (envelope.node, envelope.epoch, envelope.seq) != line.place:
        return False
    if not (0 <= envelope.epoch <= _INTEGER_MAX and 0 < envelope.seq <= _INTEGER_MAX):
        return False
    if not 0 <= envelope.hlc <= _INTEGER_MAX or abs(envelope.received_at_ms) > _INTEGER_MAX:
        return False
    return hashlib.sha256(line.salt + line.body_bytes).digest() == envelope.body_digest
