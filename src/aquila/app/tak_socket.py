"""TAK socket: /takproto/1, the stream over HTTPS, for who comes by 8443 with a certificate or by 8446 with a name."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from cryptography import x509
from litestar.enums import ScopeType
from litestar.types import Receive, Scope, Send

from aquila.app.engine import Engine
from aquila.app.tak import TakEdge
from aquila.codecs.cot import TakMessages
from aquila.codecs.cot.proto import cut_frames
from aquila.core.errors import Refused
from aquila.links import why
from aquila.links.hub import Hub
from aquila.links.limits import Limits
from aquila.links.websocket import WebSocketLink
from aquila.web_api.auth import has_role
from aquila.web_api.callers import Caller, Callers
from aquila.web_api.errors import WebError

log = logging.getLogger(__name__)

TAK_SOCKET_PATH = "/takproto/1"
CLOSE_REFUSED = 1008
CLOSE_GOING = 1001


def _may_speak(caller: Caller) -> bool:
    """A device, or a person who may write: the stream goes both ways."""
    if caller.invitation is not None:
        return False
    return caller.principal.kind == "device" or has_role(caller.principal, "operator")


def _end_ms(certificate: bytes | None) -> int | None:
    """When a certificate (DER) ends, UTC; None = none was shown."""
    if certificate is None:
        return None
    return int(x509.load_der_x509_certificate(certificate).not_valid_after_utc.timestamp()) * 1000


class TakSocket:
    """An ASGI application for WebSockets.

    Args:
        engine, hub, edge: the node. callers: says who comes. limits: of each link.
        turned_away: told who is refused: transport, address, sentence, certificate (DER).
    """

    def __init__(
        self,
        engine: Engine,
        hub: Hub,
        edge: TakEdge,
        callers: Callers,
        limits: Limits,
        turned_away: Callable[[str, str, str, bytes | None], None],
    ) -> None:
        self._turned_away = turned_away
        self._engine = engine
        self._hub = hub
        self._edge = edge
        self._callers = callers
        self._limits = limits
        self._open = 0

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """See links.peer.Clock."""
        return asyncio.get_running_loop()

    def clock_ms(self) -> int:
        """See links.peer.Clock."""
        return self._engine.clockwork.clock_ms()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        assert scope["type"] == ScopeType.WEBSOCKET
        await receive()
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        address = scope["client"][0] if scope["client"] else ""
        state = scope.get("state") or {}
        try:
            caller = self._judge(await self._callers.caller(state, headers, address))
        except WebError as wrong:
            caller = Refused(wrong.body.code, wrong.body.reason)
        if isinstance(caller, Refused):
            self._turned_away("websocket", address, caller.detail, state.get("certificate"))
            await send({"type": "websocket.close", "code": CLOSE_REFUSED, "reason": "login"})
            return
        await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
        link = self._link(address, send)
        link.good_until_ms = _end_ms(state.get("certificate"))
        self._open += 1
        try:
            await self._talk(link, caller.principal, receive)
        finally:
            self._open -= 1

    def _judge(self, caller: Caller | None) -> Caller | Refused:
        """Who may have a link."""
        if caller is None:
            return Refused("login", "nobody says who it is: no certificate, password or token was shown")
        if not _may_speak(caller):
            return Refused("role", f"{caller.principal.name} may not speak here: that takes a device or an operator")
        if self._open >= self._limits.connections:
            return Refused("connections", f"{self._open} connections are open, the most that this door takes")
        return self._edge.no_place(caller.principal) or caller

    def _link(self, address: str, send: Send) -> WebSocketLink:
        async def say(message: bytes) -> None:
            await send({"type": "websocket.send", "bytes": message, "text": None})

        async def hang_up(reason: str) -> None:
            await send({"type": "websocket.close", "code": CLOSE_GOING, "reason": reason[:100]})

        return WebSocketLink(
            self._hub, self._edge, self._limits, self, address, say=say, hang_up=hang_up, cut=cut_frames
        )

    async def _talk(self, link: WebSocketLink, principal: Any, receive: Receive) -> None:
        link.start(principal, TakMessages(self._engine.node.identity.node))
        writing = asyncio.create_task(link.write())
        writing.add_done_callback(lambda _: link.close(why.BROKEN_OFF))
        try:
            while not link.is_down:
                message = await receive()
                if message["type"] == "websocket.disconnect":
                    break
                data, text = message.get("bytes"), message.get("text")
                if isinstance(data, bytes) and data:
                    link.hear(data)
                elif isinstance(text, str):
                    link.hear(text.encode())
                await link.room()
        finally:
            link.close(why.CLOSED_BY_PEER)
            await asyncio.gather(writing, return_exceptions=True)
