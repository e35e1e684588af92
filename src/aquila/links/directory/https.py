"""HTTPS: one question to an OpenID provider and its JSON answer; no redirects, no cookies, no proxies, all bounded."""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

import h11
import msgspec

from aquila.links.directory import ANSWER_BYTES_MAX, DirectoryError

PIECE_BYTES = 1 << 12
"""So much of an answer is read at once: others are heard between two pieces, however small its chunks are."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Answer(msgspec.Struct, frozen=True):
    """What a provider answered. body: JSON."""

    status: int
    body: Any


def checked_url(text: str) -> SplitResult:
    """A URL that may be asked. Raises ValueError: it must be https; http is for this machine only."""
    if not text.isascii() or any(char <= " " or char == "\x7f" for char in text):
        raise ValueError(f"{text[:200]!a} is no address: spaces and other letters are written as %XX")
    url = urlsplit(text)
    if not url.hostname or url.username or url.password or url.fragment:
        raise ValueError(f"{text!r} is no plain address of a server: write https://HOST/PATH")
    if url.scheme != "https" and not (url.scheme == "http" and url.hostname in LOOPBACK):
        raise ValueError(f"{text!r} is not encrypted: it must begin with https:// (http:// on this machine only)")
    _ = url.port
    return url


async def ask(
    text: str,
    *,
    context: ssl.SSLContext,
    timeout_s: float,
    form: Mapping[str, str] | None = None,
    authorization: str | None = None,
) -> Answer:
    """GET a URL, or POST a form to it.

    Args:
        text: the URL.
        context: whom to trust.
        timeout_s: for all of it.
        form: None = GET.
        authorization: the header; None = none.

    Raises:
        DirectoryError: nobody answers in time, or what comes is no JSON of a bearable size.
    """
    try:
        url = checked_url(text)
        async with asyncio.timeout(timeout_s):
            status, body = await _exchange(url, context, form, authorization)
        return Answer(status, msgspec.json.decode(body) if body else None)
    except TimeoutError as late:
        raise DirectoryError(f"{text} gave no answer in {timeout_s} s") from late
    except (OSError, h11.RemoteProtocolError, RecursionError, ValueError) as wrong:
        # msgspec's errors are ValueErrors; an SSL error is an OSError.
        raise DirectoryError(f"{text}: {wrong}") from wrong


async def _exchange(
    url: SplitResult, context: ssl.SSLContext, form: Mapping[str, str] | None, authorization: str | None
) -> tuple[int, bytes]:
    assert url.hostname is not None
    secure = url.scheme == "https"
    reader, writer = await asyncio.open_connection(
        url.hostname, url.port or (443 if secure else 80), ssl=context if secure else None
    )
    try:
        body = b"" if form is None else urlencode(form).encode()
        headers = {"Host": url.netloc, "Accept": "application/json", "Connection": "close"}
        if form is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
        if authorization is not None:
            headers["Authorization"] = authorization
        talk = h11.Connection(h11.CLIENT)
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        question = h11.Request(method="GET" if form is None else "POST", target=target, headers=list(headers.items()))
        for event in (question, h11.Data(data=body), h11.EndOfMessage()):
            writer.write(talk.send(event) or b"")
        await writer.drain()
        return await _answer(talk, reader)
    finally:
        writer.transport.abort()


async def _answer(talk: h11.Connection, reader: asyncio.StreamReader) -> tuple[int, bytes]:
    status, body, heard_bytes = 0, bytearray(), 0
    while True:
        event = talk.next_event()
        if event is h11.NEED_DATA:
            piece = await reader.read(PIECE_BYTES)
            heard_bytes += len(piece)
            # All that comes counts, also what only frames it: chunks of one byte, hints before the answer.
            if heard_bytes > ANSWER_BYTES_MAX:
                raise ValueError(f"more than {ANSWER_BYTES_MAX} bytes in one answer")
            talk.receive_data(piece)
            # What lies in the buffer is given at once: a fast sender would keep the loop for itself.
            await asyncio.sleep(0)
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            return status, bytes(body)
        elif not isinstance(event, h11.InformationalResponse):
            raise ValueError("the connection ended before the answer")
