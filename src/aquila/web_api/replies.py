"""Replies of foreign contracts, as ASGI sends them; and bodies, as ASGI gives them."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import msgspec
from litestar.types import Receive, Scope, Send

from aquila.core.contract import Reply
from aquila.web_api.errors import WebError
from aquila.web_api.ranges import send_file, start_answer

NO_STORE = ("cache-control", "must-revalidate, max-age=0, no-cache, no-store")
UNKNOWN_KIND = "application/octet-stream"
_INERT = re.compile(
    r"application/(?:zip|x-zip|x-zip-compressed|octet-stream|json|pdf|vnd\.google-earth\.kmz)"
    r"|text/(?:plain|csv)|image/(?:png|jpeg|gif|webp|tiff|bmp)|audio/[a-z0-9.-]+|video/[a-z0-9.-]+"
)
"""Types of kept files that no browser runs; every other one leaves as bytes."""
_PLAIN = re.compile(r"[^A-Za-z0-9 ._()-]+")


class Places(Protocol):
    """The part `files` of a node."""

    def path_of(self, sha256: str) -> Path:
        """Where a kept file lies."""
        ...


async def read_body(receive: Receive, limit_bytes: int) -> bytes:
    """The whole body. Raises WebError 413 when it is larger than the limit."""
    pieces: list[bytes] = []
    size = 0
    async for piece in body_pieces(receive):
        size += len(piece)
        if size > limit_bytes:
            raise WebError(413, "oversize", f"the body is larger than {limit_bytes} bytes")
        pieces.append(piece)
    return b"".join(pieces)


async def body_pieces(receive: Receive) -> AsyncIterator[bytes]:
    """The body as it comes. Raises WebError 400 when the peer hangs up before its end."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise WebError(400, "unfinished", "the connection ended before the body did")
        body = message.get("body", b"")
        if isinstance(body, bytes) and body:
            yield body
        if not message.get("more_body"):
            return


def error_reply(error: WebError) -> Reply:
    """An error in the words of the official server: status, code, message."""
    body = {"status": error.body.code, "code": error.status, "message": error.body.reason}
    headers: tuple[tuple[str, str], ...] = ()
    if error.status == 401:
        headers = (("www-authenticate", 'Basic realm="Aquila"'),)
    elif error.status == 405 and error.body.allowed:
        headers = (("allow", error.body.allowed),)
    if error.retry_s is not None:
        headers = (*headers, retry_after(error.retry_s))
    return Reply(body=msgspec.json.encode(body), kind="application/json", status=error.status, headers=headers)


def retry_after(wait_s: int) -> tuple[str, str]:
    """The header that says when to come back (RFC 9110, 10.2.3)."""
    return "retry-after", str(wait_s)


async def send_reply(reply: Reply, files: Places, scope: Scope, send: Send) -> None:
    """Send it. What is foreign is never shown by a browser, only saved, and has no type that one would run."""
    out = dict([NO_STORE, *reply.headers])
    if reply.file is not None:
        out["content-type"] = inert(reply.kind)
        out["content-disposition"] = disposition(reply.filename or reply.file)
    else:
        if reply.kind is not None:
            out["content-type"] = reply.kind
        if reply.filename is not None:
            out["content-disposition"] = disposition(reply.filename)
    is_head = scope["method"] == "HEAD"  # type: ignore[typeddict-item]
    if reply.file is not None:
        await _send_kept(reply, files.path_of(reply.file), out, scope, send, is_head)
    elif isinstance(reply.body, bytes):
        await start_answer(send, reply.status, out, None if reply.status in (204, 304) else len(reply.body))
        await send({"type": "http.response.body", "body": b"" if is_head else reply.body, "more_body": False})
    else:
        await start_answer(send, reply.status, out, None)
        for piece in () if is_head else reply.body:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send_kept(reply: Reply, place: Path, out: dict[str, str], scope: Scope, send: Send, is_head: bool) -> None:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    try:
        handle = await asyncio.to_thread(os.open, place, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        gone = error_reply(WebError(404, "absent", "the file is no longer kept"))
        await send_reply(gone, _Nowhere(), scope, send)
        return
    try:
        out |= {"etag": f'"{reply.file}"', "accept-ranges": "bytes"}
        await send_file(send, handle, out, headers, is_head=is_head, offset=reply.offset)
    finally:
        os.close(handle)


def inert(kind: str | None) -> str:
    """A content type that no browser runs: this one, or that of mere bytes."""
    return kind if kind is not None and _INERT.fullmatch(kind) else UNKNOWN_KIND


class _Nowhere:
    """Keeps no file."""

    def path_of(self, sha256: str) -> Path:
        """Never asked."""
        raise ValueError(sha256)


def disposition(filename: str) -> str:
    """The header that makes a browser save a file under a name (RFC 6266)."""
    plain = _PLAIN.sub("_", filename)[:120] or "file"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename[:120], safe='')}"
