"""The small rows of the contract: time, and error reports of clients."""

import logging
import re
from typing import Any, Protocol

import msgspec

from aquila.codecs.cot.marti import as_json
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
)
