"""Web API: the node over HTTP and WebSocket. Routes come from the features; every answer passes through release."""

import asyncio
import html
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs

import msgspec
from litestar import Litestar, Request, Response, WebSocket
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler, WebsocketRouteHandler
from litestar.plugins import PluginProtocol
from litestar.types import ASGIApp, Receive, Scope, Send

from aquila.core.errors import UsageError
from aquila.core.feature import Feature, guarded
from aquila.features.log import arrival_of
from aquila.web_api.auth import SESSION_LIFE_MS, Gate, need_role
from aquila.web_api.backups import BackupFiles
from aquila.web_api.callers import Callers, Recognise, nobody
from aquila.web_api.contract import Contract
from aquila.web_api.errors import WebError, answer_of, on_http_exception, on_usage_error, on_web_error
from aquila.web_api.foreign import ForeignLogins
from aquila.web_api.guard import Guard
from aquila.web_api.metrics import prometheus
from aquila.web_api.openapi import PREFIX, Me, NodeName, WhoAmI, document
from aquila.web_api.own_maps import FIRST as TILES
from aquila.web_api.own_maps import OwnMaps
from aquila.web_api.port import Asked, NodePort
from aquila.web_api.routes import BODY_MAX_BYTES, AnyRequest, Routes, answer_query, run_command
from aquila.web_api.settings import Banner, FirstView, WebSettings, banner_of
from aquila.web_api.static import StaticFiles
from aquila.web_api.stream import LOGGED_OUT, Screens

log = logging.getLogger(__name__)

ROUTED = frozenset({"api", "login", "logout", "healthz", "metrics", "ca-crl.pem", TILES})
"""First parts of the paths that are routes of ours; all others are a foreign contract's, or files of the page."""
LOOPBACK = frozenset({"127.0.0.1", "::1"})
# A form of a page without referrers would be sent with "Origin: null", which the guard refuses.
LOGIN_FORM = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Aquila: log in</title>
<meta name="viewport" content="width=device-width"><meta name="referrer" content="same-origin">
<link rel="icon" href="/favicon.svg">
<style>body{background:#101418;color:#e6e6e6;font:16px system-ui,sans-serif;display:grid;place-items:center;
min-height:100vh;margin:0}form{display:grid;gap:14px;width:min(20rem,calc(100vw - 32px))}label{display:grid;gap:4px}
h1,p{margin:0}input,button,a{font:inherit;padding:8px;border-radius:6px;border:1px solid #567;background:#1a2128;
color:inherit;min-width:0}a{text-align:center;text-decoration:none}button{background:#4aa3ff;border-color:#4aa3ff;
color:#06121f;font-weight:600;cursor:pointer}code{color:#9cf;overflow-wrap:anywhere}</style>
<form method="post" action="/login"><h1>Aquila</h1><p role="alert">%s</p>
<label>Name <input name="user" autocomplete="username" autofocus required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>%s</form></html>"""
LINK_OVER = (
    "This link was used already or is older than ten minutes. Make another one on the node:"
    " aquila login --data DIR. Or log in by name."
)
OIDC = "/login/oidc"
OIDC_BUTTON = f'<a href="{OIDC}">Log in with %s</a>'
OIDC_LIFE_S = 600
# The browser was sent here by another site, so it would not show a strict cookie to where a redirect leads: it is this
# page that goes on.
OIDC_WELCOME = (
    b'<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=/">'
    b'<title>Aquila</title><p><a href="/">Logged in. Go on to the picture.</a></p></html>'
)


class RevocationLists(Protocol):
    """What the web asks of the part `authority`."""

    @property
    def crl_path(self) -> Path:
        """Where they lie, PEM."""
        ...


class Web:
    """The parts of a running web, for the composition root.

    Attributes:
        gate: issues login keys. screens: counts. callers: says who asks by a foreign contract.
        sockets: WebSocket applications of others by their path; may be added to until the web serves.
    """

    callers: Callers

    def __init__(
        self,
        port: NodePort,
        features: Sequence[Feature],
        settings: WebSettings,
        foreign: ForeignLogins | None = None,
    ) -> None:
        self.port = port
        self.settings = settings
        self.foreign = foreign
        self.gate = Gate(port, foreign)
        self.routes = Routes(port, self.gate)
        self.screens = Screens(port, self.gate)
        self.features = features
        self.sockets: dict[str, ASGIApp] = {}

    @cached_property
    def document(self) -> bytes:
        """The contract, made when somebody asks for it: that takes a third of a second, which no start waits for."""
        return msgspec.json.encode(document(self.features))

    @asynccontextmanager
    async def life(self, _: Litestar) -> AsyncIterator[None]:
        """From start to stop of the server."""
        await self.gate.open()
        self.screens.start()
        try:
            yield
        finally:
            self.screens.stop()
            self.routes.pool.stop()

    # -- routes of its own ------------------------------------------------------------------------------------------

    async def healthz(self, request: AnyRequest) -> Response[bytes]:
        """200 when ready, 503 with the reasons when not."""
        reasons = list(self.port.health())
        body = {"ready": not reasons, "reasons": reasons}
        return _plain(msgspec.json.encode(body), 503 if reasons else 200, "application/json")

    async def metrics(self, request: AnyRequest) -> Response[bytes]:
        """Counts for Prometheus: on loopback for all, elsewhere with a token."""
        if _address(request) not in LOOPBACK:
            need_role(await self.routes.asker(request), "viewer")
        counters = {
            **self.port.counters(),
            "web screens": float(len(self.screens)),
            "web screens cut off": float(self.screens.cut_off),
            "web stream sent bytes": float(self.screens.sent_bytes),
        }
        return _plain(prometheus(counters).encode(), 200, "text/plain; version=0.0.4; charset=utf-8")

    async def openapi(self, request: AnyRequest) -> Response[bytes]:
        """The contract; it holds nothing of this node, so it needs no login."""
        return _plain(await asyncio.to_thread(lambda: self.document), 200, "application/json")

    async def revocations(self, request: AnyRequest) -> Response[bytes]:
        """The revocation lists of the node's authority: for whoever has to judge its certificates."""
        try:
            lists: RevocationLists = self.port.part("authority")
        except KeyError as missing:
            raise WebError(404, "absent", "this node has no authority") from missing
        content = await asyncio.to_thread(lists.crl_path.read_bytes)
        return _plain(content, 200, "application/x-pem-file")

    async def me(self, request: AnyRequest) -> Response[bytes]:
        """Who asks."""
        principal = need_role(await self.routes.asker(request), "viewer").principal
        port = self.port
        me = Me(
            principal=WhoAmI(
                principal.id,
                principal.name,
                principal.roles,
                principal.nation,
                tuple(sorted(principal.groups_in)),
                tuple(sorted(principal.groups_out)),
            ),
            node=NodeName(port.node, port.name),
            context=port.context,
            banner=banner_of(port.context, port.policy.default_label.classification),
            server_time_ms=port.clock_ms(),
            view=self.settings.first_view,
        )
        return _plain(msgspec.json.encode(me), 200, "application/json")

    async def login_page(self, request: AnyRequest) -> Response[bytes]:
        """A one-time key becomes a cookie; without one, a form."""
        key = request.query_params.get("key")
        if not key:
            return self._form("", 200)
        value = await self.gate.redeem(key, _address(request))
        if value is None:
            return self._form(LINK_OVER, 401)
        return self._welcome(request, value)

    async def login(self, request: AnyRequest) -> Response[bytes]:
        """A name and a password become a cookie."""
        try:
            form = parse_qs((await request.body()).decode(), max_num_fields=10)
        except (UnicodeDecodeError, ValueError) as wrong:
            raise WebError(400, "syntax", "the form does not parse") from wrong
        user, password = form.get("user", [""])[0], form.get("password", [""])[0]
        try:
            value = await self.gate.log_in(user[:200], password[:200], _address(request))
        except WebError as wrong:
            if wrong.status == 429:
                raise
            return self._form(_sentence(wrong), wrong.status)
        if value is None:
            return self._form("Name and password do not match.", 401)
        return self._welcome(request, value)

    def _welcome(self, request: AnyRequest, value: str) -> Response[bytes]:
        headers = {"Location": "/", "Set-Cookie": self._session(request, value), "Cache-Control": "no-store"}
        return Response(b"", status_code=303, headers=headers)

    def _session(self, request: AnyRequest, value: str) -> str:
        life_s = SESSION_LIFE_MS // 1000
        return f"{self.gate.cookie}={value}; Path=/; Max-Age={life_s}; HttpOnly; SameSite=Strict{_secure(request)}"

    def _form(self, sentence: str, status: int) -> Response[bytes]:
        name = "" if self.foreign is None else self.foreign.oidc_name
        button = OIDC_BUTTON % html.escape(name) if name else ""
        return _plain((LOGIN_FORM % (html.escape(sentence), button)).encode(), status, "text/html; charset=utf-8")

    async def oidc_begin(self, request: AnyRequest) -> Response[bytes]:
        """Send the browser to the provider, with a secret by which it is known when it comes back."""
        try:
            self.gate.guesses.count(_address(request))
            begun = await self._provider().begin(_callback(request))
        except WebError as wrong:
            return self._form(_sentence(wrong), wrong.status)
        # Lax: it is another site that sends the browser back.
        cookie = f"{self.gate.cookie}_oidc={begun.browser}; Path={OIDC}; Max-Age={OIDC_LIFE_S}; HttpOnly; SameSite=Lax"
        headers = {"Location": begun.url, "Set-Cookie": cookie + _secure(request), "Cache-Control": "no-store"}
        return Response(b"", status_code=303, headers=headers)

    async def oidc_callback(self, request: AnyRequest) -> Response[bytes]:
        """What the browser brings back from the provider becomes a cookie."""
        said = {key: value[:4000] for key, value in request.query_params.items()}
        browser = request.cookies.get(f"{self.gate.cookie}_oidc", "")
        try:
            user = await self._provider().finish(said, browser)
        except WebError as wrong:
            return self._form(_sentence(wrong), wrong.status)
        value = await self.gate.log_in_foreign(user)
        if value is None:
            return self._form(f"{user} is no user of this node any more.", 401)
        answer = _plain(OIDC_WELCOME, 200, "text/html; charset=utf-8")
        answer.headers["Set-Cookie"] = self._session(request, value)
        return answer

    def _provider(self) -> ForeignLogins:
        if self.foreign is None:
            raise WebError(404, "absent", "this node has no OpenID provider")
        return self.foreign

    async def logout(self, request: AnyRequest) -> Response[bytes]:
        """End the session."""
        asker = await self.routes.asker(request)
        if asker is not None:
            await self.gate.log_out(asker)
        gone = f"{self.gate.cookie}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"
        return Response(b"", status_code=204, headers={"Set-Cookie": gone, "Cache-Control": "no-store"})

    async def stream(self, socket: "WebSocket[Any, Any, Any]") -> None:
        """The live stream of one screen."""
        headers = {key.lower(): value for key, value in socket.headers.items()}
        asker = await self.gate.asker(headers)
        if asker is None:
            # Accepted first: a browser is told the code of a close, but nothing of a refused handshake.
            await socket.accept()
            await socket.close(code=LOGGED_OUT, reason="nobody is logged in")
            return
        since = socket.query_params.get("since")
        try:
            arrival_of(since or "")
        except ValueError:
            since = None
        await self.screens.serve(socket, asker, since)


class PlainLitestar(Litestar):
    """The framework without its plugins for other libraries' records, which take 0.2 s to load: ours are msgspec."""

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return plugins


def make_app(
    port: NodePort,
    features: Sequence[Feature],
    settings: WebSettings,
    recognise: Recognise = nobody,
    foreign: ForeignLogins | None = None,
) -> Litestar:
    """The ASGI application of a node. `app.state.web` is its Web, for login keys and counters.

    Args:
        port: the node.
        features: whose queries and commands become routes.
        settings: hosts, folder of the page, first view.
        recognise: says whose a client certificate is.
        foreign: lets in whom a directory or an OpenID provider knows; None = nobody.
    """
    features = guarded(features)
    web = Web(port, features, settings, foreign)
    maps, backups = OwnMaps(web.routes), BackupFiles(web.routes)
    app = PlainLitestar(
        [
            *web.routes.handlers(features),
            _route("/healthz", ["GET", "HEAD"], web.healthz),
            _route("/metrics", ["GET"], web.metrics),
            _route(f"{PREFIX}/openapi.json", ["GET"], web.openapi),
            _route(f"{PREFIX}/me", ["GET"], web.me),
            _route("/ca-crl.pem", ["GET", "HEAD"], web.revocations),
            _route("/login", ["GET"], web.login_page),
            _route("/login", ["POST"], web.login),
            _route(OIDC, ["GET"], web.oidc_begin),
            _route(f"{OIDC}/callback", ["GET"], web.oidc_callback),
            _route("/logout", ["POST"], web.logout),
            _route(f"{PREFIX}/upkeep/backups/{{name:str}}/file", ["GET"], backups.take),
            _route(f"/{TILES}/{{sha256:str}}", ["GET"], maps.facts),
            _route(f"/{TILES}/{{sha256:str}}/shapes", ["GET"], maps.shapes),
            _route(f"/{TILES}/{{sha256:str}}/{{zoom:str}}/{{x:str}}/{{y:str}}", ["GET"], maps.tile),
            _stream(web),
        ],
        exception_handlers={
            WebError: on_web_error,
            UsageError: on_usage_error,
            HTTPException: on_http_exception,
            Exception: _on_bug,
        },
        request_max_body_size=BODY_MAX_BYTES,
        openapi_config=None,
        logging_config=None,
        lifespan=[web.life],
    )
    app.state.web = web
    web.callers = Callers(port, web.gate, recognise)
    contract = Contract(port, features, web.callers, settings.server, web.routes.pool)
    # Around everything, also around what the framework answers by itself.
    files = StaticFiles(settings.static_folder)
    app.asgi_handler = Guard(_chooser(app.asgi_handler, contract, files, web.sockets), settings.hosts)
    return app


def _chooser(routes: ASGIApp, contract: Contract, files: StaticFiles, sockets: Mapping[str, ASGIApp]) -> ASGIApp:
    """Everything that is no route of ours is a file. A mount at `/` would hide routes with parameters."""

    async def choose(scope: Scope, receive: Receive, send: Send) -> None:
        first = "".join(scope["path"].split("/", 2)[1:2])
        if scope["type"] == ScopeType.WEBSOCKET and scope["path"] in sockets:
            await sockets[scope["path"]](scope, receive, send)
        elif first in contract.paths.firsts and scope["type"] == ScopeType.HTTP:
            await contract(scope, receive, send)
        else:
            await (routes if first in ROUTED else files)(scope, receive, send)

    return choose


def _route(path: str, methods: list[Any], work: Any) -> HTTPRouteHandler:
    async def handle(request: AnyRequest) -> Response[bytes]:
        answer: Response[bytes] = await work(request)
        return answer

    handle.__annotations__ = {"request": Request, "return": Response}
    return HTTPRouteHandler(path, http_method=methods, name=f"{methods[0]} {path}", status_code=200)(handle)


def _stream(web: Web) -> WebsocketRouteHandler:
    async def handle(socket: "WebSocket[Any, Any, Any]") -> None:
        await web.stream(socket)

    handle.__annotations__ = {"socket": WebSocket, "return": None}
    return WebsocketRouteHandler(f"{PREFIX}/stream")(handle)


def _on_bug(request: AnyRequest, error: Exception) -> Response[bytes]:
    """Our fault: the log gets all of it, the asker nothing."""
    log.error("request failed path=%s", request.scope.get("path_template", "?"), exc_info=error)
    return answer_of(WebError(500, "internal", "the node failed; its log says why"))


def _address(request: AnyRequest) -> str:
    return request.client.host if request.client is not None else ""


def _plain(body: bytes, status: int, kind: str) -> Response[bytes]:
    return Response(body, status_code=status, media_type=kind, headers={"Cache-Control": "no-store"})


def _secure(request: AnyRequest) -> str:
    return "; Secure" if request.url.scheme == "https" else ""


def _callback(request: AnyRequest) -> str:
    """Where the provider sends the browser back to. The guard let only names of this node through as Host."""
    return f"{request.url.scheme}://{request.headers['host']}{OIDC}/callback"


def _sentence(wrong: WebError) -> str:
    """What went wrong, for a person."""
    said = [text.rstrip(".") for text in (wrong.body.reason, wrong.body.do) if text]
    return " ".join(f"{text[:1].upper()}{text[1:]}." for text in said)


__all__ = [
    "Asked",
    "Banner",
    "FirstView",
    "NodePort",
    "Web",
    "WebSettings",
    "answer_query",
    "banner_of",
    "document",
    "make_app",
    "run_command",
]
