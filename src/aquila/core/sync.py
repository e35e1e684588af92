"""Sync: how two nodes make their journals agree on what each may have. Pull only; pure; any loss, order or repeat.

A node asks with its version vector (highest contiguous sequence per origin) and a short list of *wants*. The answer
holds lines in order; a line that the asker may not have is a *stub*: its place and the digest of its envelope, so the
chain still verifies and nothing is told of label, body or length. A stub stays wanted until somebody sends the line
or the origin itself denies it: otherwise an uncleared relay would leave permanent holes behind it.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping

import msgspec

from aquila.core.journal import Head, open_entry
from aquila.core.model import Audience, Entry, Original, Verdict
from aquila.core.policy import Policy, release

Place = tuple[str, int, int]
"""(node, epoch, seq) of a line."""

WANTS_AT_ONCE = 16


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
    per_origin: int = 32


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """Lines and stubs in order per origin, and the wanted places that their origin denies for good (at this epoch)."""

    lines: tuple[Line, ...]
    denied: tuple[Place, ...] = ()


class Replica:
    """What one node holds of every origin: whole lines and stubs, indexed by place.

    Args:
        node: this node's id; only an origin may deny its own lines.
        policy: gives the policy in force, for every answer anew: what may leave is judged by today's policy.
        lines: what the store and the stub list hold at start.
    """

    def __init__(self, node: str, policy: Callable[[], Policy], lines: Iterable[Line] = ()) -> None:
        self._node = node
        self._policy = policy
        self._lines: dict[tuple[str, int], dict[int, Line]] = {}
        self._tops: dict[tuple[str, int], int] = {}
        self._wanted: dict[Place, None] = {}
        self.gap_count = 0
        self.broken_count = 0
        for line in sorted(lines, key=lambda each: each.place):
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
        wants = tuple(list(self._wanted)[:WANTS_AT_ONCE])
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
            first = have.get(origin, 0) + 1
            last = min(self._tops[origin], first + ask.per_origin - 1)
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
        return Answer(tuple(lines), tuple(denied))

    def take(self, answer: Answer) -> list[Entry]:
        """Check an answer; gives the entries to be appended, each verified against the chain held here.

        A line that does not follow what is held is a gap (lost answer): left out, counted, asked again. A line whose
        bytes do not match is counted as broken and left out.
        """
        fresh: list[Entry] = []
        for line in answer.lines:
            held = self._lines.get(line.place[:2], {}).get(line.place[2])
            if held is not None:
                fresh.extend(self._fill(held, line))
            elif line.place[2] != self._tops.get(line.place[:2], 0) + 1:
                self.gap_count += 1
            elif not self._follows(line):
                self.broken_count += 1
            else:
                self._hold(line)
                fresh.extend(_entry_of(line))
        for place in answer.denied:
            self._wanted.pop(place, None)
        return fresh

    def reopen(self) -> None:
        """A new policy epoch: what was denied may be had now, so every stub is wanted again."""
        for line in self.stubs():
            self._wanted[line.place] = None

    def _hold(self, line: Line) -> None:
        origin, seq = line.place[:2], line.place[2]
        self._lines.setdefault(origin, {})[seq] = line
        self._tops[origin] = max(self._tops.get(origin, 0), seq)
        if line.envelope_bytes is None:
            self._wanted[line.place] = None
        else:
            self._wanted.pop(line.place, None)

    def _fill(self, held: Line, line: Line) -> list[Entry]:
        """A line for a place that is held already: it matters only where a stub stands."""
        if held.envelope_bytes is not None or line.envelope_bytes is None:
            return []
        if hashlib.sha256(line.envelope_bytes).digest() != held.digest or not _is_sound(line):
            self.broken_count += 1
            return []
        self._hold(line)
        return _entry_of(line)

    def _follows(self, line: Line) -> bool:
        """Does this line continue the chain held here?"""
        if line.envelope_bytes is None:
            return True
        before = self._lines.get(line.place[:2], {}).get(line.place[2] - 1)
        head = Head() if before is None else Head(before.place[2], before.digest)
        [entry] = _entry_of(line)
        return _is_sound(line) and entry.envelope.prev == head.digest

    def _cleared(self, line: Line, peer: Audience) -> Line:
        stub = Line(line.place, line.digest)
        if line.envelope_bytes is None:
            return stub
        [entry] = _entry_of(line)
        envelope = entry.envelope
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


def _is_sound(line: Line) -> bool:
    """Do place, digests and bytes of a whole line agree with each other?"""
    if line.envelope_bytes is None or hashlib.sha256(line.envelope_bytes).digest() != line.digest:
        return False
    [entry] = _entry_of(line)
    envelope = entry.envelope
    if (envelope.node, envelope.epoch, envelope.seq) != line.place:
        return False
    return line.body_bytes is None or hashlib.sha256(line.salt + line.body_bytes).digest() == envelope.body_digest
