"""Peer: what all links of a conversation have in common, whatever carries their bytes.

Bytes come in, the session reads them, the edge hears what they say. Who says too much is read more slowly, who says
nothing readable is closed. Everything runs on the loop's thread.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Mapping
from typing import Literal, Protocol

import msgspec

from aquila.core.codec import Control, Decoded, Session
from aquila.core.errors import CodecError, Refused
from aquila.core.fanout import Outbound
from aquila.core.model import Principal
from aquila.links import why
from aquila.links.hub import Hub
from aquila.links.limits import Bucket, Limits

log = logging.getLogger(__name__)

_UNREADABLE = frozenset({"syntax", "oversize", "encoding", "dtd", "depth", "elements", "attributes"})
"""Reasons that count as a strike: framing lost or an attack, in contrast to a value that is only out of range."""

State = Literal["connecting", "up", "slow", "down"]


class LinkState(msgspec.Struct, frozen=True, kw_only=True):
    """One link at this moment, for people and metrics.

    Attributes:
        principal: its id; None = not known yet. since_ms: when it connected, or began not to take what it is sent.
        why: a sentence of `links.why` for what is not as it should be; empty = nothing is.
        in_count, out_count: statements and positions. errors, refused: by reason.
        throttled_count: how often it was read more slowly because it said too much.
        backlog_bytes: not taken by the peer yet. waiting_count: statements that wait behind those bytes.
    """

    id: int
    listener: str
    principal: str | None
    name: str | None
    address: str
    format: str | None
    state: State
    since_ms: int
    why: str
    in_count: int
    out_count: int
    in_bytes: int
    out_bytes: int
    errors: Mapping[str, int]
    refused: Mapping[str, int]
    throttled_count: int
    backlog_bytes: int
    waiting_count: int


class Edge(Protocol):
    """What the composition root does with what links bring."""

    def up(self, link: "Peer") -> None:
        """A peer is known; it has not been sent anything yet."""
        ...

    def heard(self, link: "Peer", decoded: Decoded) -> bool:
        """Take what the peer said; False = no room: the link stops reading and says it again on `resume`."""
        ...

    def control(self, link: "Peer", control: Control) -> None:
        """The peer said something to this connection only; it has been answered already."""
        ...

    def error(self, link: "Peer", error: CodecError) -> None:
        """A piece could not be read; it has been counted already."""
        ...

    def down(self, link: "Peer", reason: str, undelivered: tuple[Outbound, ...]) -> None:
        """A peer that was up is gone, without these statements."""
        ...


class Clock(Protocol):
    """The wall clock, and the loop with its own."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop."""
        ...

    def clock_ms(self) -> int:
        """UTC milliseconds."""
        ...


class Peer(ABC):
    """One link that holds a conversation.

    Attributes:
        id: names it for as long as the node runs. transport: tcp, tls, websocket. address: of the peer, without port.
        principal, session: there from `Edge.up` on.
        tag: free for the edge.
        good_until_ms: when the certificate ends by which the peer is known (UTC); None = it is known otherwise.
    """

    def __init__(self, transport: str, hub: Hub, edge: Edge, limits: Limits, clock: Clock, address: str) -> None:
        self.hub = hub
        self.edge = edge
        self.limits = limits
        self.id = hub.new_id()
        self.transport = transport
        self.address = address
        self.principal: Principal | None = None
        self.session: Session | None = None
        self.tag: object = None
        self.good_until_ms: int | None = None
        self.since_ms = clock.clock_ms()
        self.in_count = self.out_count = self.in_bytes = self.out_bytes = 0
        self.errors: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.last_error: CodecError | None = None
        self.last_refused: Refused | None = None
        self.throttled_count = 0
        self.is_down = False
        self.is_up = False
        self.moved_s = clock.loop.time()
        self.unfinished_s: float | None = None
        """Since when the peer owes the rest of what it began."""
        self._clock = clock
        self._strikes = 0
        self._held: deque[Decoded] = deque()
        self._bucket: Bucket | None = None
        self._wait: asyncio.TimerHandle | None = None

    @property
    def via(self) -> str:
        """By which way, as envelopes name it."""
        return f"{self.transport}:{self.id}"

    @property
    def wants_more(self) -> bool:
        """May more be read? Not while something is held back or the peer has said too much."""
        return not self._held and self._wait is None

    @abstractmethod
    def close(self, reason: str) -> None:
        """End the connection at once."""

    @abstractmethod
    def watch_reading(self) -> None:
        """Read on, or stop reading: `wants_more` may have changed."""

    def hear(self, data: bytes) -> None:
        """Take bytes as they came."""
        self.in_bytes += len(data)
        session = self.session
        if session is None:
            return
        try:
            self._take(session, data)
        except Exception:  # the boundary: one link's bytes must not end the others
            log.exception("link closed by a fault of ours: link=%s", self.id)
            self.close(why.FAULT)

    def _take(self, session: Session, data: bytes) -> None:
        edge = self.edge
        before = self.in_count
        unfinished_s = self.unfinished_s or (self.moved_s if data.strip() else None)
        for piece in session.receive(data, self._clock.clock_ms()):
            unfinished_s = None
            if self.is_down:
                return
            if isinstance(piece, Decoded):
                self.in_count += 1
                self._strikes = 0
                if self._held or not edge.heard(self, piece):
                    self._held.append(piece)
            elif isinstance(piece, Control):
                self._answer(piece)
            else:
                self._strike(piece)
        if self.is_down:
            return
        if session.broken:
            self.close(why.BROKEN_STREAM)
            return
        self.unfinished_s = unfinished_s
        if self._bucket is not None and self.in_count > before:
            self._throttle(self._bucket.take(self.in_count - before, self.moved_s))
        if self._held:
            self.watch_reading()

    def _answer(self, control: Control) -> None:
        self._strikes = 0
        if control.switched_to is not None:
            self.hub.switch(self.id, control.switched_to, control.reply)
        elif control.reply:
            self.hub.reply(self.id, control.reply)
        if not self.is_down:
            self.edge.control(self, control)

    def _strike(self, error: CodecError) -> None:
        self.errors[error.reason] += 1
        self.last_error = error
        self.edge.error(self, error)
        if error.reason in _UNREADABLE:
            self._strikes += 1
            if self._strikes >= self.limits.strikes:
                self.close(why.UNREADABLE)

    def resume(self) -> None:
        """There is room again: say what was held back, then go on reading."""
        edge = self.edge
        while self._held and not self.is_down:
            if not edge.heard(self, self._held[0]):
                return
            self._held.popleft()
        self.watch_reading()

    def count_refused(self, refused: Refused) -> None:
        """Note that policy did not admit something this peer said."""
        self.refused[refused.reason] += 1
        self.last_refused = refused

    def _throttle(self, wait_s: float) -> None:
        if wait_s > 0:
            self.throttled_count += 1
            self._wait = self._clock.loop.call_later(wait_s, self._pay)
            self.watch_reading()

    def _pay(self) -> None:
        self._wait = None
        self.watch_reading()

    def why_not_well(self) -> str:
        """A sentence of `links.why` for what this peer is kept waiting for or was not believed; empty = all is well."""
        if self._held:
            return why.NO_ROOM
        if self._wait is not None and self.limits.rate_per_s is not None:
            return why.too_much(self.limits.rate_per_s)
        return why.of_refusal(self.last_refused) or why.of_misread(self.last_error)

    def state(self) -> LinkState:
        """The link at this moment."""
        backlog = waiting = 0
        since_ms, reason = self.since_ms, self.why_not_well()
        state: State = "down" if self.is_down else "up" if self.is_up else "connecting"
        if state == "up":
            standing = self.hub.fanout.standing(self.id)
            backlog = standing.unsent_bytes + standing.statement_bytes
            waiting = standing.statements
            if standing.behind:
                state, since_ms, reason = "slow", max(since_ms, standing.since_ms), why.behind(waiting)
        return LinkState(
            id=self.id,
            listener=self.transport,
            principal=None if self.principal is None else self.principal.id,
            name=None if self.principal is None else self.principal.name,
            address=self.address,
            format=None if self.session is None else self.session.format,
            state=state,
            since_ms=since_ms,
            why=reason,
            in_count=self.in_count,
            out_count=self.out_count,
            in_bytes=self.in_bytes,
            out_bytes=self.out_bytes,
            errors=dict(self.errors),
            refused=dict(self.refused),
            throttled_count=self.throttled_count,
            backlog_bytes=backlog,
            waiting_count=waiting,
        )


__all__ = ["Clock", "Edge", "LinkState", "Peer"]
