"""Stream links: TCP and TLS connections that speak any session, with every bound of a peer that may be hostile.

The sockets are our own, read and written straight from the loop, because a transport would queue what it cannot send:
what has not left must stay where policy can still take it back. Everything runs on the loop's thread.
"""

import asyncio
import contextlib
import errno
import ipaddress
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Collection

from aquila.core.codec import Session
from aquila.core.errors import Refused, UsageError
from aquila.core.model import Principal, audience_of
from aquila.links import why
from aquila.links.hub import Hub
from aquila.links.limits import Bucket, Limits
from aquila.links.peer import Edge, LinkState, Peer
from aquila.links.poller import READ, WRITE

log = logging.getLogger(__name__)

READ_BYTES = 65_536
NOTSENT_BYTES = 65_536
"""What the kernel may hold unsent per link: positions that wait in it can no longer be replaced by newer ones."""
TLS_RECORD_BYTES = 16_384
ACCEPTED_PER_ROUND = 64
BACKLOG = 4_096
HANDSHAKE_GRACE_S = 1.0
SWEEP_S = 1.0
SWEEP_PARTS = 5
DEAD_PEER_MS = 90_000

_TCP_NOTSENT_LOWAT = 25  # linux/tcp.h; the socket module names it only from 3.12 on
_OUT_OF_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_WAIT = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
DEFAULT_LIMITS = Limits()

Recognise = Callable[[bytes | None, str], Principal | Refused]
"""Says who a peer is from its certificate (DER; None = plain TCP) and its address."""
MakeSession = Callable[[Principal], Session]


class StreamLink(Peer):
    """One connection: a socket, a session, a principal.

    Attributes:
        serial: of its certificate, if it has one: hexadecimal, upper case, as the ssl module writes it.
    """

    def __init__(self, listener: "StreamListener", sock: socket.socket, address: str) -> None:
        super().__init__(listener.name, listener.hub, listener.edge, listener.limits, listener, address)
        self.listener = listener
        self.serial: str | None = None
        self.opened_s = self.moved_s
        self._socket = sock
        self._descriptor = sock.fileno()
        self._send = sock.send
        self._tls = sock if isinstance(sock, ssl.SSLSocket) else None
        self._swept_bytes = 0
        self._reading = self._writing = False

    # -- in ---------------------------------------------------------------------------------------------------------

    def readable(self) -> None:
        """Read what came, and have it heard."""
        try:
            data = self._socket.recv(READ_BYTES)
        except _WAIT:
            return
        except OSError as error:
            self.close(why.of_error(error))
            return
        if not data:
            self.close(why.CLOSED_BY_PEER)
            return
        self.moved_s = self.listener.loop.time()
        self.hear(data)

    def watch_reading(self) -> None:
        """See Peer."""
        wanted = self.wants_more
        if self.is_up and not self.is_down and wanted != self._reading:
            self._reading = wanted
            self._watch()

    def _watch(self) -> None:
        events = (READ if self._reading else 0) | (WRITE if self._writing else 0)
        self.hub.poller.watch(self._descriptor, self, events)

    # -- out --------------------------------------------------------------------------------------------------------

    def send(self, data: bytes | memoryview) -> int:
        """Write without waiting; gives how many bytes were taken."""
        try:
            taken = self._send(data)
        except _WAIT:
            return 0
        except OSError as error:
            self.close(why.of_error(error))
            return 0
        self.out_bytes += taken
        return taken

    def watch_room(self, watch: bool) -> None:
        """Call the hub whenever the socket takes bytes, from now on or no more."""
        if watch == self._writing or self.is_down:
            return
        self._writing = watch
        self._watch()

    def writable(self) -> None:
        """Give the peer what waits for it."""
        before = self.out_bytes
        self.hub.has_room(self)
        if self.out_bytes != before:
            self.moved_s = self.listener.loop.time()

    # -- life -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Shake hands if there is TLS, then be up."""
        if self._tls is None:
            self._recognised(None)
        else:
            self._shake(self._tls)

    def _shake(self, tls: ssl.SSLSocket) -> None:
        loop = self.listener.loop
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            loop.remove_writer(self._descriptor)
            loop.add_reader(self._descriptor, self._shake, tls)
        except ssl.SSLWantWriteError:
            loop.add_writer(self._descriptor, self._shake, tls)
        except OSError as error:
            self.close(why.of_error(error))
        else:
            loop.remove_writer(self._descriptor)
            loop.remove_reader(self._descriptor)
            fields = tls.getpeercert()
            if fields:
                self.serial = str(fields["serialNumber"])
                self.good_until_ms = int(ssl.cert_time_to_seconds(str(fields["notAfter"]))) * 1000
            self._recognised(tls.getpeercert(True))

    def _recognised(self, certificate: bytes | None) -> None:
        listener = self.listener
        principal = listener.recognise(certificate, self.address)
        if isinstance(principal, Refused):
            self.close(principal.reason)
            return
        listener.shaken(self)
        self.principal = principal
        self.session = listener.session(principal)
        self._bucket = listener.bucket(principal)
        self.is_up = True
        listener.edge.up(self)
        if self.is_down:
            return
        self.hub.join(
            self,
            audience_of(principal),
            self.session.format,
            greeting=self.session.greeting(listener.clock_ms()),
            committed_bytes=0 if self._tls is None else TLS_RECORD_BYTES,
        )
        self.watch_reading()

    def close(self, reason: str) -> None:
        """End the connection at once; what was not sent is told to the edge."""
        if self.is_down:
            return
        self.is_down = True
        if self.is_up:
            self.hub.poller.unwatch(self._descriptor)
        else:
            self.listener.loop.remove_reader(self._descriptor)
            self.listener.loop.remove_writer(self._descriptor)
        if self._wait is not None:
            self._wait.cancel()
        self._reading = self._writing = False
        undelivered = self.hub.leave(self.id)
        self.listener.gone(self, reason)
        if self._tls is not None and self.is_up:
            with contextlib.suppress(OSError, ValueError):
                self._tls.unwrap()  # says goodbye; the answer is not waited for
        self._socket.close()
        if self.is_up:
            self.listener.edge.down(self, reason, undelivered)

    def overdue(self, now_s: float) -> str | None:
        """Why the link is to be closed now; None = all is well.

        Who only listens is a good client: silence alone closes nobody who has never spoken, and bytes that leave count
        as life. A peer that is dead without a goodbye is found by TCP's own keepalive.
        """
        limits = self.listener.limits
        if self.principal is None:
            return why.HANDSHAKE_SLOW if now_s - self.opened_s > limits.handshake_s else None
        if self.out_bytes != self._swept_bytes:
            self._swept_bytes, self.moved_s = self.out_bytes, now_s
        owed_s = None if self.unfinished_s is None else now_s - self.unfinished_s
        if limits.unfinished_s is not None and owed_s is not None and owed_s > limits.unfinished_s:
            return why.UNFINISHED
        if limits.idle_s is not None and self.in_bytes and now_s - self.moved_s > limits.idle_s:
            return why.SILENT
        return None


class StreamListener:
    """One listening port, plain or TLS, and the links that came in by it.

    Args:
        name: in counters and link states, for instance `tcp` or `tls`.
        hub: where its links join. edge: who hears them.
        session: makes the conversation with a peer. recognise: says who a peer is.
        context: for TLS, asking for client certificates; None = plain TCP.
    """

    def __init__(
        self,
        name: str,
        hub: Hub,
        edge: Edge,
        *,
        session: MakeSession,
        recognise: Recognise,
        clock_ms: Callable[[], int],
        context: ssl.SSLContext | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.name = name
        self.hub = hub
        self.edge = edge
        self.session = session
        self.recognise = recognise
        self.clock_ms = clock_ms
        self.limits = limits
        self.links: dict[int, StreamLink] = {}
        self.closed: Counter[str] = Counter()
        self.on_turned_away: Callable[[str, str], None] | None = None
        """Told the address and, in a sentence, why somebody from there found no place."""
        self.loop: asyncio.AbstractEventLoop
        self._context = context
        self._socket: socket.socket | None = None
        self._accepting = False
        self._shaking: dict[int, StreamLink] = {}
        self._addresses: Counter[str] = Counter()
        self._buckets: dict[str, Bucket] = {}
        self._sweeper: asyncio.TimerHandle | None = None
        self._swept = 0

    # -- life -------------------------------------------------------------------------------------------------------

    def start(self, host: str, port: int) -> int:
        """Listen; gives the port (0 asked for a free one). Call it on the running loop.

        Raises:
            UsageError: the address cannot be had; the sentence says why and what to do.
        """
        self.loop = asyncio.get_running_loop()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self._socket = socket.create_server((host, port), family=family, backlog=BACKLOG)
        except OSError as error:
            raise UsageError(_sentence(error, host, port)) from error
        self._socket.setblocking(False)
        self._resume_accepting()
        self._sweeper = self.loop.call_later(SWEEP_S, self._sweep)
        return int(self._socket.getsockname()[1])

    def stop(self) -> None:
        """Listen no more and close every link."""
        self._pause_accepting()
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        for link in list(self.links.values()):
            link.close(why.NODE_STOPS)

    def close_serials(self, serials: Collection[str], reason: str) -> int:
        """Close at once whoever came in with one of these certificates; gives how many."""
        return self.close_where(lambda link: link.serial in serials, reason)

    def close_where(self, which: Callable[[StreamLink], bool], reason: str) -> int:
        """Close every link that `which` picks; gives how many."""
        picked = [link for link in self.links.values() if which(link)]
        for link in picked:
            link.close(reason)
        return len(picked)

    def states(self) -> list[LinkState]:
        """Every link at this moment."""
        return [link.state() for link in self.links.values()]

    # -- newcomers --------------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        for _ in range(ACCEPTED_PER_ROUND):
            if self._socket is None or not self._has_place():
                return
            try:
                sock, peer = self._socket.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _OUT_OF_FILES:
                    raise
                self.closed["out of files"] += 1
                log.warning("no file is left for a connection: listener=%s open=%s", self.name, len(self.links))
                self._pause_accepting()
                return
            self._welcome(sock, str(peer[0]))

    def _has_place(self) -> bool:
        """Is there room for one more? The slowest handshake gives way; else newcomers wait in the kernel."""
        if len(self._shaking) >= self.limits.handshakes:
            oldest = next(iter(self._shaking.values()))
            if self.loop.time() - oldest.opened_s > HANDSHAKE_GRACE_S:
                oldest.close(why.HANDSHAKE_SLOW)
            else:
                self._pause_accepting()
                return False
        return True

    def _welcome(self, sock: socket.socket, address: str) -> None:
        if len(self.links) >= self.limits.connections:
            self.closed["too many connections"] += 1
            self._turn_away(sock, address, f"{len(self.links)} connections are open, the most that this door takes")
            return
        limit = self.limits.per_address
        if limit is not None and self._addresses[address] >= limit and self._counts(address):
            self.closed["too many from one address"] += 1
            self._turn_away(sock, address, f"{limit} connections of one address are open, the most that it may have")
            return
        try:
            _prepare(sock)
            if self._context is not None:
                sock = self._context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        except OSError as error:
            self.closed[why.of_error(error)] += 1
            sock.close()
            return
        link = StreamLink(self, sock, address)
        self.links[link.id] = link
        self._addresses[address] += 1
        if self._context is not None:
            self._shaking[link.id] = link
        link.start()

    def _turn_away(self, sock: socket.socket, address: str, sentence: str) -> None:
        sock.close()
        if self.on_turned_away is not None:
            self.on_turned_away(address, sentence)

    def _counts(self, address: str) -> bool:
        if self.limits.limits_loopback:
            return True
        try:
            return not ipaddress.ip_address(address).is_loopback
        except ValueError:
            return True

    def shaken(self, link: StreamLink) -> None:
        """A peer is authenticated: it no longer counts against its address and its handshake is over."""
        if self._shaking.pop(link.id, None) is not None:
            self._release_address(link.address)
            self._resume_accepting()

    def bucket(self, principal: Principal) -> Bucket | None:
        """The tokens that this principal's links share; each link of a plain listener has its own."""
        rate = self.limits.rate_per_s
        if rate is None:
            return None
        if principal.kind == "listener":
            return Bucket(rate, self.limits.burst, self.loop.time())
        bucket = self._buckets.get(principal.id)
        if bucket is None:
            bucket = self._buckets[principal.id] = Bucket(rate, self.limits.burst, self.loop.time())
        bucket.uses += 1
        return bucket

    def gone(self, link: StreamLink, reason: str) -> None:
        """A link is down: let go of everything that was counted for it."""
        self.closed[reason] += 1
        self.links.pop(link.id, None)
        if self._shaking.pop(link.id, None) is not None or self._context is None:
            self._release_address(link.address)
        if link.principal is not None and (bucket := self._buckets.get(link.principal.id)) is not None:
            bucket.uses -= 1
            if not bucket.uses:
                del self._buckets[link.principal.id]
        self._resume_accepting()

    def _release_address(self, address: str) -> None:
        self._addresses[address] -= 1
        if self._addresses[address] <= 0:
            del self._addresses[address]

    def _pause_accepting(self) -> None:
        if self._accepting and self._socket is not None:
            self.loop.remove_reader(self._socket.fileno())
        self._accepting = False

    def _resume_accepting(self) -> None:
        if not self._accepting and self._socket is not None:
            self._accepting = True
            self.loop.add_reader(self._socket.fileno(), self._accept)

    # -- upkeep -----------------------------------------------------------------------------------------------------

    def _sweep(self) -> None:
        """Close whoever took too long for the handshake, for the rest of an event, or for any word.

        Who shakes hands is looked at once a second, the others every `SWEEP_PARTS` seconds.
        """
        now_s = self.loop.time()
        self._swept = (self._swept + 1) % SWEEP_PARTS
        # Links that are up are many, lie cold in memory, and owe an answer within many seconds only.
        due = [*self._shaking.values(), *list(self.links.values())[self._swept :: SWEEP_PARTS]]
        for link in due:
            reason = None if link.is_down else link.overdue(now_s)
            if reason is not None:
                link.close(reason)
        self._resume_accepting()
        self._sweeper = self.loop.call_later(SWEEP_S, self._sweep)


def _prepare(sock: socket.socket) -> None:
    """Set what keeps a socket from waiting, from queueing old positions, and from outliving its peer."""
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_PEER_MS)
        sock.setsockopt(socket.IPPROTO_TCP, _TCP_NOTSENT_LOWAT, NOTSENT_BYTES)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)


def _sentence(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use: stop whoever holds it, or choose another port (0 = any free one)"
    if error.errno == errno.EACCES:
        return f"port {port} on {host} is not allowed for this user: choose one above 1023"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine: choose one of its own, or 127.0.0.1"
    return f"cannot listen on {host} port {port}: {error.strerror or error}"


__all__ = ["MakeSession", "Recognise", "StreamLink", "StreamListener"]
