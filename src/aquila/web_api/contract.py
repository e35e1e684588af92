"""Contract: foreign HTTP contracts (the TAK server's, under /Marti) from the features' tables.

Every row goes the same way: who calls, size, ask, query or command, release, render. Outside the web framework, because
these contracts have their own idea of paths, content types and errors.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote

import msgspec
from litestar.enums import ScopeType
from litestar.types import HTTPScope, Receive, Scope, Send

from aquila.core.contract import Call, Received, Reply, UploadLimits
from aquila.core.errors import UsageError
from aquila.core.feature import Command, Endpoint, Feature, Query
from aquila.core.model import Principal
from aquila.features.tak.official import load_official
from aquila.web_api.auth import has_role
from aquila.web_api.callers import Caller, Callers
from aquila.web_api.errors import WebError, unavailable
from aquila.web_api.port import Asked, NodePort
from aquila.web_api.replies import error_reply, read_body, retry_after, send_reply
from aquila.web_api.routes import BODY_MAX_BYTES, QUERIES_OF_ONE, Pool, run_command
from aquila.web_api.turns import Lines
from aquila.web_api.uploads import let_go, receive_files

log = logging.getLogger(__name__)

PARTS_MAX = 24
UPLOADS_AT_ONCE = 64
UPLOADS_OF_ONE = 8
ANSWERS_OF_ONE = 4
TEXT_KINDS = ("application/x-www-form-urlencoded",)


class Address(Protocol):
    """The part `address` of a node: by which devices reach it."""

    host: str
    api_tls: int


class Match(msgspec.Struct, frozen=True):
    """A row found for a path, with the path's parts."""

    endpoint: Endpoint
    parts: Mapping[str, str]


class Paths:
    """The rows by path. A fixed part goes before a part in braces, from the left."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._root: dict[str, Any] = {}
        self.firsts: set[str] = set()
        for endpoint in endpoints:
            place = self._root
            parts = endpoint.path.strip("/").split("/")
            self.firsts.add(parts[0])
            for part in parts:
                place = place.setdefault("{}" if part.startswith("{") else part, {})
            rows = place.setdefault("", {})
            if endpoint.method in rows:
                raise ValueError(f"two rows for {endpoint.method} {endpoint.path}")
            rows[endpoint.method] = endpoint

    def find(self, path: str, method: str) -> Match | frozenset[str]:
        """The row; else the methods that this path has: none = there is no such path."""
        parts = [unquote(part, errors="strict") for part in path.strip("/").split("/")]
        if len(parts) > PARTS_MAX:
            return frozenset()
        allowed: set[str] = set()
        for rows in self._rows(self._root, parts):
            endpoint = rows.get(method) or (rows.get("GET") if method == "HEAD" else None)
            if endpoint is not None:
                names = endpoint.path.strip("/").split("/")
                pairs = zip(names, parts, strict=True)
                return Match(endpoint, {name[1:-1]: part for name, part in pairs if name.startswith("{")})
            allowed |= rows.keys()
        return frozenset(allowed)

    def _rows(self, place: dict[str, Any], parts: Sequence[str]) -> Iterator[dict[str, Endpoint]]:
        if not parts:
            if "" in place:
                yield place[""]
            return
        first, rest = parts[0], parts[1:]
        if first and first in place:
            yield from self._rows(place[first], rest)
        if first and "{}" in place:
            yield from self._rows(place["{}"], rest)


class Turns:
    """Gives one asker a few large answers at once, from the question to the last byte.

    Their rows are in memory until then, so who reads slowly on many connections waits for himself alone.
    """

    def __init__(self) -> None:
        self._lines = Lines(ANSWERS_OF_ONE, QUERIES_OF_ONE, "your queries", "read their answers")

    @asynccontextmanager
    async def of(self, who: str, gone: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
        """Wait for a turn, and have it.

        Raises WebError 429 when too many of this asker's wait, and 400 when he hangs up meanwhile: then nothing is
        asked for him, and the turn is the next one's.

        Args:
            who: the asker.
            gone: waits until he has hung up; called only when there is no turn yet.
        """
        with self._lines.stand(who) as turn:
            await _first_of(turn, gone)
            try:
                yield
            finally:
                turn.release()


async def _first_of(turn: asyncio.Semaphore, gone: Callable[[], Awaitable[None]]) -> None:
    """Have the turn. Raises WebError when the asker is gone first; a turn that came with that is given back."""
    if not turn.locked():
        await turn.acquire()
        return
    comes, leaves = asyncio.ensure_future(turn.acquire()), asyncio.ensure_future(gone())
    is_his = False
    try:
        await asyncio.wait((comes, leaves), return_when=asyncio.FIRST_COMPLETED)
        is_his = comes.done() and not leaves.done()
    finally:
        leaves.cancel()
        if not is_his and not comes.cancel():
            turn.release()
    if not is_his:
        raise WebError(400, "gone", "you hung up before your question had its turn", do="ask again")


class Held(AsyncExitStack):
    """What a request holds until its last byte is read. receive: of its connection."""

    def __init__(self, receive: Receive) -> None:
        super().__init__()
        self._receive = receive

    async def gone(self) -> None:
        """Wait until the asker hangs up. Only once the body is read, or where there is none to be read."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


class Contract:
    """An ASGI application for all rows.

    Args:
        port: the node. features: whose rows. callers: says who asks. server: name and version for clients that ask.
    """

    def __init__(self, port: NodePort, features: Sequence[Feature], callers: Callers, server: str, pool: Pool) -> None:
        self.port = port
        self.paths = Paths(row for feature in features for row in feature.endpoints)
        self._official = load_official()
        self._callers = callers
        self._server = server
        self._pool = pool
        self._turns = Turns()
        self._uploads: Counter[str] = Counter()
        """Principal -> files that it sends at this moment."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI. Only for requests, never for a WebSocket."""
        assert scope["type"] == ScopeType.HTTP
        async with Held(receive) as held:
            await self._answered(scope, receive, send, held)

    async def _answered(self, scope: HTTPScope, receive: Receive, send: Send, held: Held) -> None:
        """Answer to the last byte. held: is let go then."""
        try:
            reply = await self._reply(scope, receive, held)
        except WebError as error:
            reply = error_reply(error)
        except UsageError as error:
            reply = error_reply(unavailable(error))
        except Exception as error:  # the boundary of one request: our fault goes to the log, nothing of it to the peer
            log.error("request failed path=%s", scope["path"].split("/")[:4], exc_info=error)
            reply = error_reply(WebError(500, "internal", "the node failed; its log says why"))
        await send_reply(reply, self.port.part("files"), scope, send)

    async def _reply(self, scope: HTTPScope, receive: Receive, held: Held) -> Reply:
        endpoint, parts = self._find(scope)
        try:
            return await self._served(endpoint, parts, scope, receive, held)
        except WebError as error:
            if endpoint.fail is None:
                raise
            reply = endpoint.fail(error.status, error.body.code, error.body.reason)
            if error.retry_s is None:
                return reply
            return msgspec.structs.replace(reply, headers=(*reply.headers, retry_after(error.retry_s)))

    async def _served(
        self,
        endpoint: Endpoint,
        parts: Mapping[str, str],
        scope: HTTPScope,
        receive: Receive,
        held: Held,
    ) -> Reply:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        address = _address_of(scope)
        principal: Principal | None = None
        if endpoint.role != "login":
            # Before the body is read: who is nobody sends no file.
            is_safe = scope["method"] in ("GET", "HEAD")
            caller = await self._callers.caller(scope.get("state") or {}, headers, address, is_safe=is_safe)
            try:
                principal = _allowed(endpoint, caller)
            except WebError as wrong:
                self._callers.refused(caller, wrong, address)
                raise
        query = _query_of(scope["query_string"])
        if endpoint.files is not None:
            return await self._sent(endpoint, parts, scope, receive, headers, query, principal, held)
        body = b""
        if scope["method"] not in ("GET", "HEAD"):
            body = await read_body(receive, BODY_MAX_BYTES)
            if headers.get("content-type", "").startswith(TEXT_KINDS):
                query = {**query, **_query_of(body)}
        if endpoint.role == "login":
            user, password = (query.get(name, [""])[0] for name in ("username", "password"))
            principal = await self._callers.person(user[:200], password[:4000], address)
        call = self._call(scope, parts, headers, query, body, ())
        if endpoint.role == "login":
            return await self._answer(endpoint, call, principal, held)
        return await self._judged(endpoint, call, principal, scope, parts, held)

    async def _judged(
        self,
        endpoint: Endpoint,
        call: Call,
        principal: Principal | None,
        scope: HTTPScope,
        parts: Mapping[str, str],
        held: Held,
    ) -> Reply:
        """The answer; one that depends on a password counts as a guess, however it was sent."""
        if principal is None or not call.one("password"):
            return await self._answer(endpoint, call, principal, held)
        address = _address_of(scope)
        target = " ".join(parts.values())
        return await self._callers.guessed(
            principal, target, address, lambda: self._answer(endpoint, call, principal, held)
        )

    async def _sent(
        self,
        endpoint: Endpoint,
        parts: Mapping[str, str],
        scope: HTTPScope,
        receive: Receive,
        headers: Mapping[str, str],
        query: Mapping[str, Sequence[str]],
        principal: Principal | None,
        held: Held,
    ) -> Reply:
        """A request that brings files. They stay when its answer is a success; else nothing of them does."""
        assert endpoint.files is not None
        store, limits, sender = (
            self.port.part("files"),
            self.port.part("upload_limits"),
            "" if principal is None else principal.id,
        )
        assert isinstance(limits, UploadLimits)
        rule = msgspec.structs.replace(endpoint.files, limit_bytes=min(endpoint.files.limit_bytes, limits.file_bytes))
        if self._uploads[sender] >= UPLOADS_OF_ONE or self._uploads.total() >= UPLOADS_AT_ONCE:
            raise WebError(503, "busy", f"{self._uploads[sender]} of your files are on their way", do="send it later")
        self._uploads[sender] += 1
        wanted, files = False, tuple[Received, ...]()
        try:
            files, fields = await receive_files(receive, headers, rule, store)
            call = self._call(scope, parts, headers, {**query, **fields}, b"", files)
            reply = await self._judged(endpoint, call, principal, scope, parts, held)
            wanted = endpoint.files.keep and reply.status < 400
        finally:
            self._uploads -= Counter({sender: 1})
            await let_go(files, store, wanted=wanted)
        return reply

    def _call(
        self,
        scope: HTTPScope,
        parts: Mapping[str, str],
        headers: Mapping[str, str],
        query: Mapping[str, Sequence[str]],
        body: bytes,
        files: tuple[Received, ...],
    ) -> Call:
        address_of_node: Address = self.port.part("address")
        return Call(
            method=scope["method"],
            path=scope["path"],
            parts=parts,
            query=query,
            headers=headers,
            body=body,
            files=files,
            base=f"https://{address_of_node.host}:{address_of_node.api_tls}",
            node=self.port.node,
            server=self._server,
            now_ms=self.port.clock_ms(),
        )

    def _find(self, scope: HTTPScope) -> tuple[Endpoint, Mapping[str, str]]:
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        try:
            path = raw.decode("ascii")
            found = self.paths.find(path, scope["method"])
        except UnicodeDecodeError as wrong:
            raise WebError(400, "encoding", "the path is no UTF-8") from wrong
        if isinstance(found, Match):
            return found.endpoint, found.parts
        if path.count("/") <= PARTS_MAX and self._official.has(scope["method"], path):
            raise WebError(501, "unsupported", "the official TAK server has this, Aquila has not")
        if found:
            raise WebError(405, "method", f"{scope['method']} is not allowed here", allowed=", ".join(sorted(found)))
        raise WebError(404, "absent", "this server has no such path")

    async def _answer(self, endpoint: Endpoint, call: Call, principal: Principal | None, held: Held) -> Reply:
        try:
            ask = endpoint.ask(call)
        except (ValueError, RecursionError) as wrong:
            raise WebError(400, "syntax", str(wrong)[:500]) from wrong
        if endpoint.work is None or principal is None:
            return endpoint.render(None, call)
        asked = Asked(self.port, principal, "marti")
        if isinstance(endpoint.work, Query):
            return await self._queried(endpoint, endpoint.work, ask, asked, call, held)
        return endpoint.render(await run_command(endpoint.work, ask, asked), call)

    async def _queried(self, endpoint: Endpoint, query: Query, ask: Any, asked: Asked, call: Call, held: Held) -> Reply:
        def work() -> Reply:
            try:
                rows = query.answer(asked.principal, ask, asked)
                forms = list(asked.releaser.forms(rows, 1 if query.one else getattr(ask, "limit", None)))
            except UsageError as wrong:
                raise unavailable(wrong) from wrong
            if query.one and not forms:
                raise WebError(404, "absent", "there is nothing here, or you may not see it")
            return endpoint.render(forms[0] if query.one else forms, call)

        if not query.blocking:
            return work()
        await held.enter_async_context(self._turns.of(asked.principal.id, held.gone))
        reply = await self._pool.run(asked.principal.id, work)
        if isinstance(reply.body, bytes) or reply.file is not None:
            # Only what is made piece by piece has its rows in memory until the last is read.
            await held.aclose()
        return reply


def _allowed(endpoint: Endpoint, caller: Caller | None) -> Principal | None:
    """Who may ask; a login is no matter of this. Raises WebError 401 or 403."""
    role = endpoint.role
    assert role != "login"
    if role == "anyone":
        return None if caller is None else caller.principal
    if caller is None:
        raise WebError(401, "login", "nobody is logged in", do="use a device certificate (port 8443) or a password")
    if role == "enrolling":
        return caller.principal
    if caller.invitation is not None:
        raise WebError(
            403, "invitation", "an invitation is good for enrolling only", do="come back with the certificate"
        )
    principal = caller.principal
    if role is None and isinstance(endpoint.work, Command) and principal.kind == "person":
        # A device may what its groups may; a person has a role besides, and it counts here as in our own API.
        role = endpoint.work.role
    if role is not None and not has_role(principal, role):
        raise WebError(403, "role", f"this needs the role {role}", do="ask an administrator of this node")
    return principal


def _address_of(scope: HTTPScope) -> str:
    """Where the request comes from; empty = the server did not say."""
    client = scope.get("client")
    return client[0] if client else ""


def _query_of(text: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(text.decode(), keep_blank_values=True, errors="strict", max_num_fields=1000)
    except ValueError as wrong:
        raise WebError(400, "syntax", "the parameters do not parse") from wrong
