"""Uploads: files that come with a request go to the disk piece by piece; only small fields of a form stay in memory."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Protocol, TypeVar

from litestar.types import Receive
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from aquila.core.contract import Files, Received
from aquila.core.errors import UsageError
from aquila.web_api.errors import WebError
from aquila.web_api.replies import body_pieces

FIELD_MAX_BYTES = 64 * 1024
FIELDS_MAX = 64
FILES_MAX = 8
WRITE_BYTES = 1 << 20
"""So much is gathered before a thread writes it."""
Answer = TypeVar("Answer")


class Kept(Protocol):
    """A file that is on the disk."""

    @property
    def sha256(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...


class Incoming(Protocol):
    """A file on its way in; its calls wait for the disk."""

    def write(self, piece: bytes) -> None: ...
    def keep(self, *, held: bool) -> Kept: ...
    def drop(self) -> None: ...


class Store(Protocol):
    """The part `files` of a node."""

    def receive(self, limit_bytes: int) -> Incoming: ...  # noqa: D102
    def let_go(self, sha256: str, *, wanted: bool) -> None: ...  # noqa: D102
    async def run(self, work: Callable[[], Answer]) -> Answer: ...  # noqa: D102


class _File:
    """One file, written a megabyte at a time."""

    def __init__(self, store: Store, incoming: Incoming, filename: str | None, kind: str | None) -> None:
        self._store = store
        self._incoming = incoming
        self._filename, self._kind = filename, kind
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0

    async def write(self, piece: bytes) -> None:
        self._waiting.append(piece)
        self._waiting_bytes += len(piece)
        if self._waiting_bytes >= WRITE_BYTES:
            await self._flush()

    async def _flush(self) -> None:
        pieces, self._waiting, self._waiting_bytes = b"".join(self._waiting), [], 0
        await self._store.run(lambda: self._incoming.write(pieces))

    async def keep(self) -> Received:
        await self._flush()
        kept = await self._store.run(lambda: self._incoming.keep(held=True))
        return Received(kept.sha256, kept.size_bytes, self._filename, self._kind)

    async def drop(self) -> None:
        await self._store.run(self._incoming.drop)


async def receive_files(
    receive: Receive, headers: Mapping[str, str], rule: Files, store: Store
) -> tuple[tuple[Received, ...], dict[str, list[str]]]:
    """Files and fields of a request. The whole body is one file when it is no form.

    The files are held until `let_go`; nothing is kept of a request that fails here.

    Raises WebError: 400 for a form that does not parse or lacks its file, 413 for one that is too large, 507 when the
    disk does not take it.
    """
    kind, options = parse_options_header(headers.get("content-type", ""))
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > rule.limit_bytes + FIELD_MAX_BYTES * FIELDS_MAX:
        raise WebError(413, "oversize", f"the body is larger than {rule.limit_bytes} bytes")
    form = _Form(rule, store, kind or None)
    is_whole = False
    try:
        if kind == "multipart/form-data":
            await form.read(receive, options.get("boundary", ""))
        else:
            await form.read_raw(receive)
        is_whole = True
    except MultipartError as wrong:
        raise WebError(400, "syntax", f"the form does not parse: {wrong}") from wrong
    except UsageError as wrong:
        too_large = "larger" in str(wrong)
        raise WebError(413 if too_large else 507, "oversize" if too_large else "full", str(wrong)) from wrong
    finally:
        await form.close()
        if not is_whole:
            await let_go(form.files, store, wanted=False)
    if not form.files:
        raise WebError(400, "missing", f"the form has no file named {rule.part}")
    return tuple(form.files), form.fields


async def let_go(files: Iterable[Received], store: Store, *, wanted: bool) -> None:
    """The request that brought these files is over; what nobody wants is gone."""
    for file in files:
        await store.run(partial(store.let_go, file.sha256, wanted=wanted))


class _Form:
    """A request being read."""

    def __init__(self, rule: Files, store: Store, kind: str | None) -> None:
        self._rule = rule
        self._store = store
        self._kind = kind
        self._file: _File | None = None
        self._field: tuple[str, bytearray] | None = None
        self.files: list[Received] = []
        self.fields: dict[str, list[str]] = {}

    async def read_raw(self, receive: Receive) -> None:
        self._file = await self._new(None, self._kind)
        async for piece in body_pieces(receive):
            await self._file.write(piece)
        await self._end()

    async def read(self, receive: Receive, boundary: str) -> None:
        # The store knows better when a file is too large: its refusal says so with 413.
        parser = PushMultipartParser(
            boundary or " ",
            max_segment_count=FIELDS_MAX + FILES_MAX,
            max_segment_size=self._rule.limit_bytes + 2 * WRITE_BYTES,
        )
        async for piece in body_pieces(receive):
            for event in parser.parse(piece):
                if isinstance(event, MultipartSegment):
                    await self._begin(event)
                elif event:
                    await self._take(bytes(event))
                else:
                    await self._end()
        parser.close()

    async def _begin(self, segment: MultipartSegment) -> None:
        if segment.name == self._rule.part or segment.filename:
            if len(self.files) >= FILES_MAX:
                raise WebError(400, "syntax", f"a form may hold {FILES_MAX} files")
            self._file = await self._new(segment.filename, segment.content_type)
        else:
            self._field = (segment.name, bytearray())

    async def _take(self, piece: bytes) -> None:
        if self._file is not None:
            await self._file.write(piece)
        elif self._field is not None:
            self._field[1].extend(piece)
            if len(self._field[1]) > FIELD_MAX_BYTES:
                raise WebError(413, "oversize", f"a field of a form may hold {FIELD_MAX_BYTES} bytes")

    async def _end(self) -> None:
        if self._file is not None:
            self.files.append(await self._file.keep())
            self._file = None
        elif self._field is not None:
            name, value = self._field
            self._field = None
            try:
                self.fields.setdefault(name, []).append(value.decode())
            except UnicodeDecodeError as wrong:
                raise WebError(400, "encoding", f"field {name[:40]} is no UTF-8") from wrong

    async def _new(self, filename: str | None, kind: str | None) -> _File:
        incoming = await self._store.run(lambda: self._store.receive(self._rule.limit_bytes))
        return _File(self._store, incoming, filename, kind)

    async def close(self) -> None:
        if self._file is not None:
            await self._file.drop()


__all__ = ["Store", "let_go", "receive_files"]
