"""Static: the built page and its maps. Maps are read in many small ranges, answered as RFC 9110 (14) says."""

import asyncio
import mimetypes
import os
from email.utils import formatdate
from pathlib import Path

import msgspec
from litestar.enums import ScopeType
from litestar.types import Receive, Scope, Send

from aquila.web_api.errors import ErrorAnswer, ErrorBody
from aquila.web_api.ranges import send_file, start_answer

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


PACKED = (("br", ".br"), ("gzip", ".gz"))
"""Content encodings (RFC 9110, 8.4) that the build has packed, the smallest first."""


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
    accepted = {word.partition(";")[0].strip() for word in headers.get("accept-encoding", "").split(",")}
    for name, suffix in PACKED:
        packed = file.with_name(file.name + suffix)
        if encoding is None and name in accepted and "range" not in headers and await asyncio.to_thread(packed.is_file):
            file, encoding = packed, name
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
    tag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}{f"-{encoding}" if encoding else ""}"'
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
    await send_file(send, handle, out, headers, is_head=is_head)


def _type_of(path: str) -> str:
    suffix = Path(path).suffix or ".html"
    guessed = TYPES.get(suffix) or mimetypes.guess_type("x" + suffix)[0] or "application/octet-stream"
    return f"{guessed}; charset=utf-8" if guessed.startswith("text/") else guessed


def _cache_of(path: str) -> str:
    """Names under /assets/ carry a hash of what is in them; everything else is asked for again."""
    return "public, max-age=31536000, immutable" if path.startswith("/assets/") else "no-cache"


async def _whole(send: Send, status: int, kind: str, body: bytes, method: str) -> None:
    await start_answer(send, status, {"content-type": kind, "cache-control": "no-store"}, len(body))
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body, "more_body": False})


async def _error(send: Send, status: int, error: ErrorBody) -> None:
    await _whole(send, status, "application/json", msgspec.json.encode(ErrorAnswer(error)), "GET")
