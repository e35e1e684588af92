"""Contract: HTTP that others have defined: a request as it came (Call) and an answer as it leaves (Reply).

A feature declares the rows (feature.Endpoint). They say what is peculiar to the foreign contract: paths, envelopes, odd
types. What is asked and what may leave is decided by the same queries, commands and policy as everywhere else.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

import msgspec

Method = Literal["GET", "HEAD", "POST", "PUT", "DELETE"]
UPLOAD_MAX_BYTES = 400 << 20


class UploadLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The part `upload_limits` of a node: of one file, of all files of one sender, of all files."""

    file_bytes: int = UPLOAD_MAX_BYTES
    quota_bytes: int = 2 << 30
    total_bytes: int = 20 << 30


@runtime_checkable
class NeedsFiles(Protocol):
    """A view that stands on kept files: what it needs is not removed when somebody else withdraws it."""

    def needs_file(self, sha256: str, now_ms: int) -> bool:
        """Does something that is there now need the file with this digest? Asked from any thread."""
        ...


class Received(msgspec.Struct, frozen=True):
    """A file that came with a request: already kept under its digest.

    Attributes:
        filename, kind: as the sender says them, never believed; None = not said.
    """

    sha256: str
    size_bytes: int
    filename: str | None = None
    kind: str | None = None


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request of a foreign contract.

    Attributes:
        parts: the path's parts in braces, decoded.
        query: parameters, in order of coming, also those of a form; names are compared as they stand.
        headers: names in lower case.
        body: whole, at most BODY_MAX_BYTES; empty when the row takes a file.
        files: of a row that takes them.
        base: how a device reaches the API of this node: https://host:port, without a slash at the end.
        node: id of this node. server: its name and version. now_ms: its time.
    """

    method: str
    path: str
    parts: Mapping[str, str]
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    body: bytes
    files: tuple[Received, ...]
    base: str
    node: str
    server: str
    now_ms: int

    def one(self, name: str, default: str = "") -> str:
        """The first value of a parameter; the default when it is absent."""
        found = self.query.get(name)
        return found[0] if found else default

    def many(self, name: str) -> tuple[str, ...]:
        """All values of a parameter."""
        return tuple(self.query.get(name, ()))

    def is_set(self, name: str) -> bool:
        """Does a parameter say true?"""
        return self.one(name).lower() == "true"

    def json(self, kind: Any) -> Any:
        """The body as this type. Raises ValueError (msgspec's are)."""
        return msgspec.json.decode(self.body, type=kind)


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer of a foreign contract.

    Attributes:
        body: the bytes, or pieces of them for what is too long for memory.
        kind: content type exactly as the contract has it; None = no such header.
        file: digest of a kept file that is the body instead; it is sent in ranges when asked. offset: its first byte.
        filename: what a browser calls it when it saves it: nothing foreign is ever shown.
    """

    body: bytes | Iterable[bytes] = b""
    kind: str | None = None
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    file: str | None = None
    offset: int = 0
    filename: str | None = None


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """That a row takes a file instead of a body: raw, or a part of a form.

    Attributes:
        part: name of the form's part; a request that is no form is the file itself. limit_bytes: of all of it.
        keep: the file stays when the answer is a success; False = it is only read.
    """

    part: str = "assetfile"
    limit_bytes: int = UPLOAD_MAX_BYTES
    keep: bool = True
