"""Ranges: one open file as an answer, whole, in part, or not at all (RFC 9110, 13 and 14)."""

import asyncio
import os
import re

import msgspec
from litestar.types import Message, Send

PIECE_BYTES = 256 * 1024
DIGITS_MAX = 18
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
    first_text, last_text = (_clamped(text) for text in found.groups())
    if not first_text:
        length = min(int(last_text), size)
        return Ranged(size - length, size - 1) if length else False
    first = int(first_text)
    last = min(int(last_text), size - 1) if last_text else size - 1
    if last_text and int(last_text) < first:
        return None
    return Ranged(first, last) if first < size else False


def _clamped(digits: str) -> str:
    """The same number, or one behind the end of every file: reading thousands of digits would take its time."""
    digits = digits.lstrip("0") or digits[:1]
    return digits if len(digits) <= DIGITS_MAX else "9" * DIGITS_MAX


async def send_file(
    send: Send, handle: int, out: dict[str, str], headers: dict[str, str], *, is_head: bool, offset: int = 0
) -> None:
    """Answer with an open file.

    Args:
        send: of the request.
        handle: descriptor of the file.
        out: headers of the answer; `etag` and `last-modified` decide what the peer knows already.
        headers: of the request, names in lower case.
        is_head: only the headers are wanted.
        offset: the first byte when no range is asked for.
    """
    size, status = os.fstat(handle).st_size, 200
    tag, modified = out.get("etag", ""), out.get("last-modified", "")
    if _is_known(headers, tag, modified):
        await start_answer(send, 304, out, None)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return
    span: Ranged | bool | None = None
    if "range" in headers and headers.get("if-range", tag) in (tag, modified):
        span = parse_range(headers["range"], size)
    if span is False:
        out["content-range"] = f"bytes */{size}"
        await start_answer(send, 416, out, 0)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return
    first, last = min(offset, size), size - 1
    if isinstance(span, Ranged):
        first, last, status = span.first, span.last, 206
        out["content-range"] = f"bytes {first}-{last}/{size}"
    await start_answer(send, status, out, last - first + 1)
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


async def start_answer(send: Send, status: int, headers: dict[str, str], length: int | None) -> None:
    """Status and headers of an answer; length None = not said."""
    fields = dict(headers)
    if length is not None:
        fields["content-length"] = str(length)
    start: Message = {
        "type": "http.response.start",
        "status": status,
        "headers": [(key.encode(), value.encode("latin-1")) for key, value in fields.items()],
    }
    await send(start)
