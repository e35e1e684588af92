"""Web server: uvicorn on the node's own loop, several doors for one application."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import uvicorn
from litestar import Litestar
from uvicorn.protocols.http.h11_impl import H11Protocol

from aquila.core.errors import UsageError

STOP_S = 2
PROGRESS_BYTES = 64 * 1024
"""A body that brings so much within its time gets that time again: a large file on a thin line is no attack."""
WEBSOCKET_MAX_BYTES = 1 << 16
HEAD_MAX_BYTES = 1 << 17


class Door(msgspec.Struct, frozen=True):
    """Where HTTP is to be heard. context: None = plain."""

    host: str
    port: int
    context: ssl.SSLContext | None


class Doors:
    """Open sockets by name, not answering yet. Raises UsageError for an address that cannot be had.

    Attributes:
        ports: the number of each; 0 asked for a free one.
    """

    def __init__(self, doors: Mapping[str, Door]) -> None:
        self._doors = doors
        # Every port is open before the lifespan begins: its task group would wrap a refusal in a group of exceptions.
        with contextlib.ExitStack() as opened:
            self._sockets = {name: opened.enter_context(_listen(door.host, door.port)) for name, door in doors.items()}
            opened.pop_all()
        self.ports = {name: int(listening.getsockname()[1]) for name, listening in self._sockets.items()}

    @asynccontextmanager
    async def serve(self, app: Litestar, unfinished_s: float) -> AsyncIterator[None]:
        """Answer on every door, all on this loop.

        A connection that owes the head of a request for `unfinished_s` is closed; one that owes its body, when less
        than PROGRESS_BYTES of it come in four times as long; one that reads nothing of its answer, after twelve times.
        """
        servers: list[_Quiet] = []
        tasks: list[asyncio.Task[None]] = []
        async with app.lifespan():
            try:
                for name, listening in self._sockets.items():
                    server = _Quiet(_config(app, name, self._doors[name].context), unfinished_s)
                    servers.append(server)
                    tasks.append(asyncio.create_task(server.serve([listening])))
                while not all(server.started for server in servers):
                    for task in tasks:
                        if task.done():
                            task.result()
                    await asyncio.sleep(0.01)
                yield
            finally:
                for server in servers:
                    server.should_exit = True
                await asyncio.gather(*tasks, return_exceptions=True)


def _config(app: Litestar, name: str, context: ssl.SSLContext | None) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        http=type("Protocol", (_Protocol,), {"door": name}),
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_S,
        ws_max_size=WEBSOCKET_MAX_BYTES,
        # A long name must reach the application, which refuses it with a reason, however the network cuts its head.
        h11_max_incomplete_event_size=HEAD_MAX_BYTES,
    )
    config.load()
    config.ssl = context
    return config


OF_ONE_MAX = 100
"""Connections with the same client certificate at one door; each costs the memory of its TLS."""


class _Protocol(H11Protocol):
    """Tells the application by which door a request came, and which certificate was shown (uvicorn tells neither)."""

    door = ""
    received_bytes = 0
    shown: bytes | None = None

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        self.received_bytes += len(data)
        super().data_received(data)

    # asyncio says BaseTransport; uvicorn, whose method this extends, narrows it with the same remark.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See asyncio."""
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        shown = None if tls is None else tls.getpeercert(True)
        self.app_state = {**self.app_state, "door": self.door, "certificate": shown}
        self.shown = shown
        if shown is not None and sum(getattr(each, "shown", None) == shown for each in self.connections) > OF_ONE_MAX:
            transport.abort()


class _Quiet(uvicorn.Server):
    """A server that leaves the signals to the node, and waits for no request for ever: uvicorn would."""

    def __init__(self, config: uvicorn.Config, unfinished_s: float) -> None:
        super().__init__(config)
        self._unfinished_s = unfinished_s
        self._owing: dict[tuple[Any, Any], tuple[float, int]] = {}
        """Connection and request -> since when, and how many bytes had come then."""
        self._unread: dict[tuple[Any, Any], tuple[float, int]] = {}
        """The same for answers that wait to be read: since when so many bytes wait."""

    async def on_tick(self, counter: int) -> bool:
        """See uvicorn: ten times a second."""
        if counter % 10 == 0:
            self._close_late(asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    def _close_late(self, now_s: float) -> None:
        # A screen's WebSocket has no cycle. One cycle is one request: with each the time begins anew.
        asking = [each for each in self.server_state.connections if hasattr(each, "cycle")]
        waiting = {(each, each.cycle): each.transport.get_write_buffer_size() for each in asking}
        self._unread = {key: self._unread_since(key, now_s, count) for key, count in waiting.items() if count}
        for (connection, _), (since_s, _) in self._unread.items():
            if now_s - since_s > self._unfinished_s * 12:
                connection.transport.abort()
        # Who has yet to read an answer owes no new request, however thin his line.
        asking = [each for each in asking if not waiting[each, each.cycle]]
        owing = [(each, each.cycle) for each in asking if _owes_head(each.cycle) or each.cycle.more_body]
        self._owing = {(each, cycle): self._since(each, cycle, now_s) for each, cycle in owing}
        for (connection, cycle), (since_s, _) in self._owing.items():
            if now_s - since_s > self._unfinished_s * (1 if _owes_head(cycle) else 4):
                connection.transport.abort()

    def _unread_since(self, key: tuple[Any, Any], now_s: float, waiting_bytes: int) -> tuple[float, int]:
        since_s, had_bytes = self._unread.get(key, (now_s, waiting_bytes))
        return (since_s, had_bytes) if had_bytes == waiting_bytes else (now_s, waiting_bytes)

    def _since(self, connection: Any, cycle: Any, now_s: float) -> tuple[float, int]:
        now = now_s, int(connection.received_bytes)
        since_s, had_bytes = self._owing.get((connection, cycle), now)
        return now if not _owes_head(cycle) and now[1] - had_bytes >= PROGRESS_BYTES else (since_s, had_bytes)

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


def _owes_head(cycle: Any) -> bool:
    """Is no request at work on a connection, given uvicorn's cycle of the latest one?"""
    return cycle is None or bool(cycle.response_complete)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=512)
        # What is accepted inherits it. asyncio sets it only for sockets that were made as IPPROTO_TCP by name, and
        # without it head and body of an answer, two writes, wait 40 ms for the peer's delayed acknowledgement.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as error:
        raise UsageError(
            f"port {port} on {host} cannot be opened ({error.strerror}): stop whoever holds it, or choose another"
            " port (0 = any free one)"
        ) from error
