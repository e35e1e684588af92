"""Guard: what holds for every request before anything else sees it: Host, Origin, and the headers of every answer."""

from collections.abc import Collection
from urllib.parse import urlsplit

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from aquila.web_api.errors import ErrorAnswer, WebError

CONTENT_POLICY = (
    "default-src 'self'; worker-src 'self' blob:; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = (
    (b"content-security-policy", CONTENT_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


def host_of(value: str) -> str:
    """The name or address of a Host header, in lower case, without its port; an IPv6 address keeps its brackets."""
    value = value.strip().lower()
    if value.startswith("["):
        return value[: value.find("]") + 1]
    return value.partition(":")[0]


class Guard:
    """Wraps the whole application.

    A page of another site must not reach a node on loopback or in the field: DNS rebinding shows in Host, a foreign
    form or script in Origin.

    Args:
        app: what is guarded.
        hosts: names by which this node may be called.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] == "lifespan":  # type: ignore[comparison-overlap]
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        wrong = self._wrong(scope, headers.get(b"host", ""), headers.get(b"origin"))
        if wrong is not None:
            await _refuse(wrong, scope, receive, send)
            return
        await self._app(scope, receive, _dressed(send))

    def _wrong(self, scope: Scope, host: str, origin: str | None) -> WebError | None:
        if host_of(host) not in self._hosts:
            return WebError(
                421,
                "host",
                f"this node is not called {host_of(host)[:100]!r}",
                allowed=", ".join(sorted(self._hosts)),
                do="start it with --public-name NAME",
            )
        if origin is None or (scope["type"] == ScopeType.HTTP and scope["method"] in SAFE_METHODS):
            return None
        if urlsplit(origin).netloc.lower() != host.strip().lower():
            return WebError(403, "origin", "a page of another site may not ask this of the node")
        return None


def _dressed(send: Send) -> Send:
    async def dressed(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *HEADERS]
        await send(message)

    return dressed


async def _refuse(error: WebError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == ScopeType.WEBSOCKET:
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": error.body.code})
        return
    body = msgspec.json.encode(ErrorAnswer(error.body))
    start: Message = {
        "type": "http.response.start",
        "status": error.status,
        "headers": [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            *HEADERS,
        ],
    }
    await send(start)
    await send({"type": "http.response.body", "body": body, "more_body": False})
