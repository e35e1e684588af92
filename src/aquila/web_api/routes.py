"""Routes: made from the features' tables, all in the same way: role, size, decode, answer, release, encode."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any, Literal, TypeVar
from weakref import WeakValueDictionary

import msgspec
from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler

from aquila.core.errors import Refused, UsageError
from aquila.core.feature import Command, Feature, Query
from aquila.web_api.auth import Asker, Gate, need_role
from aquila.web_api.errors import WebError, absent, refused, unavailable
from aquila.web_api.openapi import PREFIX
from aquila.web_api.port import Asked, NodePort
from aquila.web_api.turns import Lines

BODY_MAX_BYTES = 256 * 1024
QUERIES_AT_ONCE = 4
QUERIES_WAITING = 64
QUERIES_OF_ONE = 12
"""At work or waiting for one asker: a screen opens a few at once, nobody fills the line of all."""
AT_WORK_OF_ONE = QUERIES_AT_ONCE - 1
"""Of one asker in the threads: one thread is always left for the others, however long his queries take."""
SLOW_AT_ONCE = 2
SLOW_OF_ONE = 8
"""Slow queries and commands of one asker, at work or waiting."""
CONTRACT = "every parameter and its values are in /api/v1/openapi.json"

AnyRequest = Request[Any, Any, Any]
Method = Literal["GET", "POST", "DELETE"]
Work = Callable[[AnyRequest], Awaitable[Response[bytes]]]
Answer = TypeVar("Answer")


class Pool:
    """Threads for queries that read the disk, so that the loop goes on; bounds on those at work and those waiting."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(QUERIES_AT_ONCE, thread_name_prefix="query")
        self._count = 0
        self._lines = Lines(AT_WORK_OF_ONE, QUERIES_OF_ONE, "your queries", "wait for an answer")

    async def run(self, who: str, work: Callable[[], Answer]) -> Answer:
        """The answer of `work`, made in a thread for this asker.

        Raises WebError 503 when too many wait already, 429 when too many of this asker's do.
        """
        with self._lines.stand(who) as turn:
            if self._count >= QUERIES_AT_ONCE + QUERIES_WAITING:
                raise WebError(503, "busy", f"{self._count} queries wait already", do="ask again in a moment")
            self._count += 1
            try:
                async with turn:
                    return await asyncio.get_running_loop().run_in_executor(self._threads, work)
            finally:
                self._count -= 1

    def stop(self) -> None:
        """Wait for no more of them."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class Slow:
    """Turns for slow queries and commands: one of each asker, a few of all.

    Commands work in the threads in which tokens and passwords are looked up, too: with all of them, nobody could come
    in. Queries have threads of their own, and two who ask for the dearest would have all of them.
    """

    def __init__(self) -> None:
        self._all = asyncio.Semaphore(SLOW_AT_ONCE)
        self._lines = Lines(1, SLOW_OF_ONE, "your slow questions and files", "wait for an answer")

    @asynccontextmanager
    async def turn(self, who: str) -> AsyncIterator[None]:
        """Wait for this asker's turn, and have it. Raises WebError 429 when too many of his wait."""
        with self._lines.stand(who) as his:
            # His own first: else his many would stand in the line of all.
            async with his, self._all:
                yield


class OneByOne:
    """Commands about one thing go one after the other, so that each sees what the one before has done.

    Two browsers that press at the same moment would else both be told that their step was taken.
    """

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def turn(self, ask: object) -> AbstractAsyncContextManager[object]:
        """Held while a command is at work. ask: its request; one without an `id` waits for nobody."""
        id = getattr(ask, "id", None)
        return self._locks.setdefault(id, asyncio.Lock()) if isinstance(id, str) else nullcontext()


class Routes:
    """Everything that a route needs.

    Args:
        port: the node.
        gate: says who asks.
    """

    def __init__(self, port: NodePort, gate: Gate) -> None:
        self.port = port
        self.gate = gate
        self.pool = Pool()
        self._slow = Slow()
        self._things = OneByOne()

    def handlers(self, features: Iterable[Feature]) -> Iterator[HTTPRouteHandler]:
        """One handler for each method, with the paths of its queries or commands. Raises ValueError for a row twice.

        One for each row would take three times as long to make, which every start waits for.
        """
        table: dict[tuple[Method, str], Work] = {}
        for feature in features:
            rows: list[tuple[Method, str, Work]] = [
                ("GET", each.path, self._answering(each)) for each in feature.queries
            ]
            rows += [(each.method, each.path, self._acting(each)) for each in feature.commands]
            for method, path, work in rows:
                if (method, path) in table:
                    raise ValueError(f"two rows for {method} {path}, the second in {feature.name}")
                table[method, path] = work
        for method in sorted({method for method, _ in table}):
            yield _handler(method, {path: work for (its, path), work in table.items() if its == method})

    async def asker(self, request: AnyRequest) -> Asker | None:
        """Who sent this. With a cookie, what changes something needs a header that no foreign page can set."""
        headers = {key.lower(): value for key, value in request.headers.items()}
        asker = await self.gate.asker(headers)
        is_unsafe = request.method not in ("GET", "HEAD")
        if asker is not None and asker.session is not None and is_unsafe and "x-aquila" not in headers:
            raise WebError(
                403,
                "origin",
                "with a login cookie, what changes something needs the header X-Aquila",
                do="send X-Aquila: 1, or use a bearer token",
            )
        return asker

    # -- queries ----------------------------------------------------------------------------------------------------

    def _answering(self, query: Query) -> Work:
        async def answer(request: AnyRequest) -> Response[bytes]:
            asker = need_role(await self.asker(request), query.role)
            ask = _decode_parameters(request, query.request)
            asked = Asked(self.port, asker.principal, "web")

            def work() -> bytes:
                return answer_query(query, ask, asked)

            async with self._slow.turn(asker.principal.id) if query.slow else nullcontext():
                body = await self.pool.run(asker.principal.id, work) if query.blocking else work()
            return _json(body)

        return answer

    # -- commands ---------------------------------------------------------------------------------------------------

    def _acting(self, command: Command) -> Work:
        async def act(request: AnyRequest) -> Response[bytes]:
            asker = need_role(await self.asker(request), command.role)
            if command.method == "POST":
                ask = await _decode_body(request, command.request)
            else:
                ask = _decode_parameters(request, command.request)
            asked = Asked(self.port, asker.principal, "web")
            of_asker = self._slow.turn(asker.principal.id) if command.slow else nullcontext()
            async with of_asker, self._things.turn(ask):
                answer = await run_command(command, ask, asked)
            return _json(msgspec.json.encode(answer), 201 if command.method == "POST" else 200)

        return act


def _handler(method: Method, works: Mapping[str, Work]) -> HTTPRouteHandler:
    async def handle(request: AnyRequest) -> Response[bytes]:
        return await works[request.scope["path_template"].removeprefix(PREFIX)](request)

    handle.__annotations__ = {"request": Request, "return": Response}
    paths = [PREFIX + path.replace("}", ":str}") for path in works]
    return HTTPRouteHandler(paths, http_method=method, name=f"rows of {method}", status_code=200)(handle)


def answer_query(query: Query, ask: Any, asked: Asked) -> bytes:  # the query's own request
    """The JSON of an answer: rows after release, at most `limit`; raises WebError 404 for one that is absent."""
    try:
        rows = query.answer(asked.principal, ask, asked)
        forms = list(asked.releaser.forms(rows, 1 if query.one else getattr(ask, "limit", None)))
    except UsageError as wrong:
        raise unavailable(wrong) from wrong
    if not query.one:
        return msgspec.json.encode(forms)
    if not forms:
        raise absent()
    return msgspec.json.encode(forms[0])


async def run_command(command: Command, ask: Any, asked: Asked) -> Any:  # the command's own answer
    """What a command gives; raises WebError when it, or policy, refuses."""
    try:
        answer = await command.act(asked.principal, ask, asked)
    except UsageError as wrong:
        raise unavailable(wrong) from wrong
    if isinstance(answer, Refused):
        raise refused(answer)
    return answer


def _decode_parameters(request: AnyRequest, kind: type[Any]) -> Any:
    """The request record from path and query string; an empty parameter counts as left out."""
    values: dict[str, Any] = {}
    for key, value in request.query_params.multi_items():
        if key in values:
            raise WebError(400, "syntax", f"parameter {key[:40]} is there twice", do=CONTRACT)
        if value != "":
            values[key] = value
    values |= request.path_params
    return _converted(lambda: msgspec.convert(values, kind, strict=False))


async def _decode_body(request: AnyRequest, kind: type[Any]) -> Any:
    body = await request.body()
    if request.query_params:
        raise WebError(400, "syntax", "what is to be done is said in the body", do=CONTRACT)
    if not request.path_params:
        return _converted(lambda: msgspec.json.decode(body, type=kind))
    return _converted(lambda: msgspec.convert({**msgspec.json.decode(body, type=dict), **request.path_params}, kind))


def _converted(convert: Callable[[], Any]) -> Any:
    try:
        return convert()
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise WebError(400, "syntax", str(wrong)[:500], do=CONTRACT) from wrong


def _json(body: bytes, status: int = 200) -> Response[bytes]:
    return Response(
        body,
        status_code=status,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
