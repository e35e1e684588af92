"""The small rows of the contract: time, error reports of clients, and lists of what this node has none of."""

import logging
import re
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from aquila.codecs.cot.marti import as_json, enveloped
from aquila.core.contract import Call, Reply
from aquila.core.feature import Command, Desk, Endpoint
from aquila.core.model import Principal

log = logging.getLogger(__name__)

_WORD = re.compile(r"[A-Za-z0-9_-]{1,20}")


class Counts(Protocol):
    """The part `counts` of a node: counters for people who run it."""

    def __getitem__(self, name: str, /) -> int: ...
    def __setitem__(self, name: str, count: int, /) -> None: ...


class ErrorReport(msgspec.Struct, frozen=True, kw_only=True):
    """That a client told of an error, never what it told: such logs hold names, places and chat.

    Attributes:
        platform: a short word, or "unknown".
    """

    platform: str
    size_bytes: int


class Counted(msgspec.Struct, frozen=True):
    """It was counted."""


async def count_error(principal: Principal, ask: ErrorReport, desk: Desk) -> Counted:
    """Count it and say so in the log."""
    counts: Counts = desk.part("counts")
    counts["client error reports"] += 1
    log.info("a client reports an error platform=%s bytes=%s", ask.platform, ask.size_bytes)
    return Counted()


error_log = Command(
    name="error_log",
    method="POST",
    path="/error_reports",
    request=ErrorReport,
    answer=Counted,
    role="viewer",
    act=count_error,
    summary="Count an error that a client tells of",
)


def _ask_error(call: Call) -> ErrorReport:
    said = call.one("platform")
    return ErrorReport(platform=said if _WORD.fullmatch(said) else "unknown", size_bytes=len(call.body))


def _done(_: Any, call: Call) -> Reply:
    return Reply()


def _time(_: Any, call: Call) -> Reply:
    return as_json({"time": str(call.now_ms)})


def _none_of(kind: str) -> Any:
    def render(rows: Sequence[Any] | None, call: Call) -> Reply:
        return enveloped(kind, [], call)

    return render


_TABLE = "tak.md 6.3"

endpoints = (
    Endpoint(method="GET", path="/Marti/GetTime", render=_time, source="official server"),
    Endpoint(
        method="POST",
        path="/Marti/ErrorLog",
        work=error_log,
        ask=_ask_error,
        render=_done,
        source="tak.md 6.2 other",
    ),
    # Every answer of this node says what the journal says: nothing is injected into anybody's events.
    Endpoint(
        method="GET",
        path="/Marti/api/injectors/cot/uid",
        render=_none_of("InjectorConfig"),
        role="admin",
        source=_TABLE,
    ),
    Endpoint(
        method="GET",
        path="/Marti/api/injectors/cot/uid/{uid}",
        render=_none_of("InjectorConfig"),
        role="admin",
        source=_TABLE,
    ),
    Endpoint(method="GET", path="/Marti/api/iconset/all/uid", render=_none_of("java.lang.String"), source=_TABLE),
)
