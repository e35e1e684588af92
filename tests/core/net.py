"""A fan-out with its peers, a small policy and an encoder that notes what it was asked for."""

import re
from collections import Counter

from aquila.core.contacts import Contacts
from aquila.core.fanout import Batch, Fanout, Outbound
from aquila.core.model import Alias, Audience, Foreign, Label, Verdict
from aquila.core.policy import Decision

CONTEXT = "REAL"
TOKEN = re.compile(r"<[^<>{}]*>|\{[^<>{}]*\}")


def audience(*groups, nation="ITA", active=True):
    return Audience(CONTEXT, nation, "UNCLASSIFIED", (), frozenset(groups), active)


def label(*groups, redacted=()):
    return Label("P", "UNCLASSIFIED", (), tuple(groups), redacted_to=tuple(redacted))


def release(marking, context, reader):
    """A small policy: a common group gives all of it, one in redacted_to gives the redacted form."""
    if not reader.active or context != reader.context:
        return Decision(Verdict.DENIED, "context")
    if not reader.groups.isdisjoint(marking.groups):
        return Decision(Verdict.FULL, "released")
    if not reader.groups.isdisjoint(marking.redacted_to):
        return Decision(Verdict.REDACTED, "redacted")
    return Decision(Verdict.DENIED, "group")


class Encoder:
    """Writes `<id format verdict>` and notes what it was asked for."""

    def __init__(self):
        self.asked = Counter()

    def __call__(self, outbound, format, verdict):
        self.asked[outbound.id, format, verdict] += 1
        return f"<{outbound.id} {format} {verdict.name}>".encode()


def outbound(id, marking, **rest):
    return Outbound(
        id=str(id),
        body=Foreign(alias=Alias("t", "x"), type="t", happened_at_ms=0),
        label=marking,
        context=CONTEXT,
        **rest,
    )


class Peer:
    """A socket that takes as much as it is told to."""

    def __init__(self):
        self.received = b""
        self.room = None  # None = takes everything

    def take(self, data):
        count = len(data) if self.room is None else min(self.room, len(data))
        self.received += bytes(data[:count])
        if self.room is not None:
            self.room -= count
        return count

    def tokens(self):
        text = self.received.decode()
        found = TOKEN.findall(text)
        assert "".join(found) == text, "cut inside a statement"
        return found

    def events(self):
        return [tuple(token[1:-1].split(" ")) for token in self.tokens() if token[0] == "<"]

    def ids(self):
        return [event[0] for event in self.events()]


class Net:
    """A fan-out and its peers: does what the hub does."""

    def __init__(self, release=release):
        self.encode = Encoder()
        self.contacts = Contacts()
        self.fanout = Fanout(release, self.encode, self.contacts)
        self.peers = {}
        self.slow = set()
        self.now_ms = 0

    def join(self, link, reader, format="xml", **rest):
        self.peers[link] = Peer()
        self.write(self.fanout.join(link, reader, format, **rest))
        return self.peers[link]

    def write(self, batch: Batch | None):
        for link in batch.links if batch else ():
            taken = self.peers[link].take(batch.data)
            if taken < len(batch.data):
                self.fanout.blocked(link, batch, taken)
                self.slow.add(link)

    def tick(self):
        self.now_ms += 20
        for batch in self.fanout.tick(self.now_ms):
            self.write(batch)

    def drain(self, link, room=None):
        self.peers[link].room = room
        while (rest := self.fanout.pending(link)) is not None:
            taken = self.peers[link].take(rest)
            self.fanout.sent(link, taken)
            if taken < len(rest):
                return
        self.slow.discard(link)


A, B = audience("a"), audience("b")
