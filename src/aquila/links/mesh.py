"""Mesh link: UDP multicast between TAK devices that have no server. Nobody there is who he says: one principal for all.

It is one link with two groups: one for positions and all else, one for chat. What it hears is marked by whoever makes
its principal; what it sends has left when the kernel took it, nobody answers for it, so nothing is addressed over it.
"""

import asyncio
import errno
import ipaddress
import logging
import socket
import struct
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

import msgspec

from aquila.core.codec import Control, Decoded
from aquila.core.errors import CodecError, Refused, UsageError
from aquila.core.model import Principal, audience_of
from aquila.links.hub import Hub

log = logging.getLogger(__name__)

DATAGRAM_BYTES = 65_535
READ_PER_ROUND = 64


class Group(msgspec.Struct, frozen=True):
    """A multicast group: IPv4 address and port."""

    host: str
    port: int


class MeshEdge(Protocol):
    """What the composition root does with what the mesh brings."""

    def heard_on_mesh(self, link: "MeshLink", decoded: Decoded) -> None:
        """Somebody said something; there is no way to make him wait."""
        ...

    def error_on_mesh(self, link: "MeshLink", error: CodecError) -> None:
        """A datagram could not be read."""
        ...


class MeshLink:
    """Both ways of a mesh.

    Args:
        hub: joined while it is open. edge: who hears what comes.
        principal: whom everybody there counts as.
        groups: by the name that `write` gives each event.
        read, write: the codec: a datagram -> what it says; a stream of events -> datagrams and their groups.
        interface: IPv4 address of the interface; None = the one that the system chooses.
        hops: how many routers a datagram may pass; 1 = none.

    Attributes:
        in_count, out_count, errors, refused: counted. id: names it in the hub.
    """

    def __init__(
        self,
        hub: Hub,
        edge: MeshEdge,
        *,
        principal: Principal,
        groups: Mapping[str, Group],
        read: Callable[[bytes], Iterator[Decoded | Control | CodecError]],
        write: Callable[[bytes], Iterable[tuple[str, bytes]]],
        interface: str | None = None,
        hops: int = 1,
    ) -> None:
        self.principal = principal
        self.id = hub.new_id()
        self.in_count = self.out_count = 0
        self.errors: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._hub = hub
        self._edge = edge
        self._groups = groups
        self._read = read
        self._write = write
        self._interface = interface
        self._hops = hops
        self._hearing: list[socket.socket] = []
        self._saying: socket.socket | None = None
        self._own: set[tuple[str, int]] = set()

    def start(self) -> None:
        """Join the groups. Raises UsageError when that cannot be."""
        loop = asyncio.get_running_loop()
        try:
            self._saying = _speaker(self._interface, self._hops)
            self._own = _own_addresses(self._saying, self._interface)
            for group in self._groups.values():
                hearing = _listener(group, self._interface)
                self._hearing.append(hearing)
                loop.add_reader(hearing.fileno(), self._readable, hearing)
        except OSError as error:
            self.stop()
            raise UsageError(
                f"the mesh cannot be joined ({error.strerror or error}): name the address of an interface that carries"
                " multicast with mesh_interface"
            ) from error
        self._hub.join(self, audience_of(self.principal), "cot-xml")

    def stop(self) -> None:
        """Leave the groups."""
        self._hub.leave(self.id)
        for each in self._hearing:
            asyncio.get_running_loop().remove_reader(each.fileno())
            each.close()
        self._hearing.clear()
        if self._saying is not None:
            self._saying.close()
            self._saying = None

    # -- in ---------------------------------------------------------------------------------------------------------

    def _readable(self, hearing: socket.socket) -> None:
        for _ in range(READ_PER_ROUND):
            try:
                data, peer = hearing.recvfrom(DATAGRAM_BYTES)
            except (BlockingIOError, InterruptedError):
                return
            if peer[:2] not in self._own:
                self._take(data)

    def _take(self, data: bytes) -> None:
        try:
            for piece in self._read(data):
                if isinstance(piece, CodecError):
                    self.errors[piece.reason] += 1
                    self._edge.error_on_mesh(self, piece)
                elif isinstance(piece, Decoded):
                    self.in_count += 1
                    self._edge.heard_on_mesh(self, piece)
        except Exception:  # the boundary: one datagram must not end the mesh
            log.exception("datagram given up by a fault of ours")
            self.errors["internal"] += 1

    def count_refused(self, refused: Refused) -> None:
        """Note that policy did not admit something that was heard."""
        self.refused[refused.reason] += 1

    # -- out: see hub.Port ------------------------------------------------------------------------------------------

    def send(self, data: bytes | memoryview) -> int:
        """Send each event on its way. All of it counts as taken: what the network loses, a newer one makes good."""
        if self._saying is not None:
            for name, datagram in self._write(bytes(data)):
                group = self._groups[name]
                try:
                    self._saying.sendto(datagram, (group.host, group.port))
                except OSError as error:
                    self.errors[errno.errorcode.get(error.errno or 0, "unknown").lower()] += 1
        return len(data)

    def watch_room(self, watch: bool) -> None:
        """There always is."""

    def close(self, reason: str) -> None:
        """It stays: nothing ever waits for it."""


def _speaker(interface: str | None, hops: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, hops)
    # Programs on this machine hear us too; we know our own datagrams by where they come from.
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
    if interface is not None:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
    sock.bind((interface or "", 0))
    return sock


def _listener(group: Group, interface: str | None) -> socket.socket:
    if not ipaddress.IPv4Address(group.host).is_multicast:
        raise UsageError(f"{group.host} is no multicast group: 224.0.0.0 to 239.255.255.255")
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.bind((group.host, group.port))
    where = struct.pack("4s4s", socket.inet_aton(group.host), socket.inet_aton(interface or "0.0.0.0"))  # noqa: S104
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, where)
    return sock


def _own_addresses(saying: socket.socket, interface: str | None) -> set[tuple[str, int]]:
    """From where our own datagrams come back to us: our port at any address of this machine."""
    port = int(saying.getsockname()[1])
    if interface is not None:
        return {(interface, port)}
    found = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    return {(str(host), port) for host in {*found, "127.0.0.1"}}
