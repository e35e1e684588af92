"""Static: the built page and its maps. Maps are read in many small ranges, answered as RFC 9110 (14) says."""

import asyncio
import mimetypes
import os
import re
from email.utils import formatdate
from pathlib import Path

import msgspec
from litestar.enums import ScopeType
from litestar.types import Message, Receive, Scope, Send

from aquila.web_api.errors import ErrorAnswer, ErrorBody

PIECE_BYTES = 256 * 1024
HOW_TO_BUILD = (
    b"<!doctype html><meta charset=utf-8><title>Aquila</title>"
    b"<p>The node runs, but its page is not built. In a checkout: <code>python3 dev.py run</code> builds it "
    b"(or <code>npm ci &amp;&amp; npm run build</code>).</p>"
)
TYPES = {
    ".pmtiles": "application/vnd.pmtiles",
    ".mjs": "text/javascript",
    ".js": "text/javascript",
    ".json": "application/json",
    ".woff2": "font/woff2",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
_RANGE = re.compile(r"bytes=(\d*)-(\d*)\Z", re.ASCII)


class Ranged(msgspec.Struct, frozen=True):
    """Bytes first..last of a file, both counted."""

    first: int
    last: int


def parse_range(header: str, size: int) -> Ranged | bool | None:
    """The one range that is asked for; None = serve the whole file; False = cannot be satisfied (416).

    What is no single byte range is ignored, as RFC 9110 (14.2) allows.
    """
    found = _RANGE.match(header.strip())
    if found is None or found.groups() == ("", ""):
        return None
    first_text, last_text = found.groups()
    if len(first_text) > 18 or len(last_text) > 18:
        return False
    if not first_text:
        length = min(int(last_text), size)
        return Ranged(size - length, size - 1) if length else False
    first = int(first_text)
    last = min(int(last_text), size - 1) if last_text else size - 1
    if last_text and int(last_text) < first:
        return None
    return Ranged(first, last) if first < size else False


class StaticFiles:
    """An ASGI application over one folder.

    Args:
        folder: None or absent = a page that says how to build it.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != ScopeType.HTTP:
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "absent"})
            return
        method = scope["method"]
        if method not in ("GET", "HEAD"):
            await _error(send, 405, ErrorBody("method", "files can only be read", allowed="GET, HEAD"))
            return
        path = scope["path"]
        file = await asyncio.to_thread(self._find, path)
        if file is None:
            if path == "/" and self._folder_is_absent():
                await _whole(send, 200, "text/html; charset=utf-8", HOW_TO_BUILD, method)
                return
            await _error(send, 404, ErrorBody("absent", "there is nothing here, or you may not see it"))
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        await _serve(send, file, path, headers, is_head=method == "HEAD")

    def _folder_is_absent(self) -> bool:
        return self._folder is None or not (self._folder / "index.html").is_file()

    def _find(self, path: str) -> Path | None:
        if self._folder is None or "\0" in path or "\\" in path:
            return None
        name = path.lstrip("/") or "index.html"
        try:
            root = self._folder.resolve()
            file = (root / name).resolve()
            # Resolved on both sides, so neither dots nor links lead out of the folder.
            return file if file.is_relative_to(root) and file.is_file() else None
        except (OSError, ValueError):
            return None


async def _serve(send: Send, file: Path, path: str, headers: dict[str, str], *, is_head: bool) -> None:
    encoding: str | None = None
    if "gzip" in headers.get("accept-encoding", "") and "range" not in headers:
        packed = file.with_name(file.name + ".gz")
        if await asyncio.to_thread(packed.is_file):
            file, encoding = packed, "gzip"
    try:
        handle = await asyncio.to_thread(os.open, file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        await _error(send, 404, ErrorBody("absent", "there is nothing here, or you may not see it"))
        return
    try:
        await _answer(send, handle, path, headers, encoding, is_head=is_head)
    finally:
        os.close(handle)


async def _answer(
    send: Send, handle: int, path: str, headers: dict[str, str], encoding: str | None, *, is_head: bool
) -> None:
    stat = os.fstat(handle)
    tag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}{"-gz" if encoding else ""}"'
    modified = formatdate(stat.st_mtime, usegmt=True)
    out = {
        "content-type": _type_of(path),
        "etag": tag,
        "last-modified": modified,
        "accept-ranges": "bytes",
        "cache-control": _cache_of(path),
        "vary": "Accept-Encoding",
    }
    if encoding:
        out["content-encoding"] = encoding
    if _is_known(headers, tag, modified):
        await _start(send, 304, out, None)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return
    size, status = stat.st_size, 200
    span: Ranged | bool | None = None
    if "range" in headers and headers.get("if-range", tag) in (tag, modified):
        span = parse_range(headers["range"], size)
    if span is False:
        out["content-range"] = f"bytes */{size}"
        await _start(send, 416, out, 0)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return
    first, last = 0, size - 1
    if isinstance(span, Ranged):
        first, last, status = span.first, span.last, 206
        out["content-range"] = f"bytes {first}-{last}/{size}"
    await _start(send, status, out, last - first + 1)
    await _pieces(send, handle, first, last, is_head=is_head)


async def _pieces(send: Send, handle: int, first: int, last: int, *, is_head: bool) -> None:
    at = last + 1 if is_head else first
    while at <= last:
        piece = await asyncio.to_thread(os.pread, handle, min(PIECE_BYTES, last + 1 - at), at)
        if not piece:
            # The file shrank under us; the length that was promised cannot be kept.
            raise OSError(f"file ended at byte {at} of {last + 1}")
        at += len(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _is_known(headers: dict[str, str], tag: str, modified: str) -> bool:
    if "if-none-match" in headers:
        tags = [each.strip().removeprefix("W/") for each in headers["if-none-match"].split(",")]
        return tag in tags or "*" in tags
    return headers.get("if-modified-since") == modified and "range" not in headers


def _type_of(path: str) -> str:
    suffix = Path(path).suffix or ".html"
    guessed = TYPES.get(suffix) or mimetypes.guess_type("x" + suffix)[0] or "application/octet-stream"
    return f"{guessed}; charset=utf-8" if guessed.startswith("text/") else guessed


def _cache_of(path: str) -> str:
    """Names under /assets/ carry a hash of what is in them; everything else is asked for again."""
    return "public, max-age=31536000, immutable" if path.startswith("/assets/") else "no-cache"


async def _start(send: Send, status: int, headers: dict[str, str], length: int | None) -> None:
    fields = dict(headers)
    if length is not None:
        fields["content-length"] = str(length)
    start: Message = {
        "type": "http.response.start",
        "status": status,
        "headers": [(key.encode(), value.encode("latin-1")) for key, value in fields.items()],
    }
    await send(start)


async def _whole(send: Send, status: int, kind: str, body: bytes, method: str) -> None:
    await _start(send, status, {"content-type": kind, "cache-control": "no-store"}, len(body))
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body, "more_body": False})


async def _error(send: Send, status: int, error: ErrorBody) -> None:
    await _whole(send, status, "application/json", msgspec.json.encode(ErrorAnswer(error)), "GET")
