"""Marti: forms that the HTTP contract of TAK servers puts around every answer: envelope, dates, groups.

Facts: the official server's ApiResponse; what ATAK, TAKAware and node-tak check. `docs/formats/tak-conformance.md`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from aquila.core.contract import Call, Reply

JSON = "application/json"
"""Exactly so: node-tak takes an answer with `; charset=utf-8` for text."""
VERSION = "3"
"""A numeric string: ATAK reads it with getInt."""


def enveloped(kind: str, data: Any, call: Call, *, status: int = 200) -> Reply:
    """An answer in the official server's envelope; fields that are None are left out, for `null` crashes clients.

    Args:
        kind: the `type`, which some clients compare.
        data: builtins or structs.
        call: what is answered.
        status: of the answer.
    """
    body = {"version": VERSION, "type": kind, "data": bare(data), "nodeId": call.node}
    return Reply(body=msgspec.json.encode(body), kind=JSON, status=status)


def as_json(data: Any, *, status: int = 200) -> Reply:
    """An answer without an envelope; fields that are None are left out."""
    return Reply(body=msgspec.json.encode(bare(data)), kind=JSON, status=status)


def as_text(text: str, *, status: int = 200, kind: str = "text/plain") -> Reply:
    """A plain answer."""
    return Reply(body=text.encode(), kind=kind, status=status)


def bare(data: Any) -> Any:
    """The same without a None anywhere."""
    if isinstance(data, dict):
        return {key: bare(value) for key, value in data.items() if value is not None}
    if isinstance(data, list | tuple):
        return [bare(value) for value in data if value is not None]
    return bare(msgspec.to_builtins(data)) if isinstance(data, msgspec.Struct) else data


def instant(at_ms: int) -> str:
    """A time as missions, changes and logs have it: 2026-03-01T10:11:12.345Z."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"


def short_instant(at_ms: int) -> str:
    """A time as subscriptions, invitations and lastEventTime have it: 2026-03-01T10:11:12.3Z."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000 // 100}Z"


def day(at_ms: int) -> str:
    """A day as groups have it: 2026-03-01."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")


def moment(text: str) -> int:
    """UTC milliseconds of an ISO 8601 time in a parameter; without a zone it is UTC. Raises ValueError."""
    try:
        found = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        raise ValueError(f"time {text[:40]!r}: an ISO 8601 time, for instance 2026-03-01T10:11:12.345Z") from None
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)


def span_of(call: Call) -> tuple[int | None, int | None]:
    """(from, until) in UTC milliseconds from `secago`, `start` and `end`; None = open. Raises ValueError."""
    start = call.one("start") or call.one("startTime")
    end = call.one("end") or call.one("endTime")
    ago = call.one("secago") or call.one("secAgo")
    from_ms = moment(start) if start else None
    if ago:
        if not ago.isdecimal() or len(ago) > 12:
            raise ValueError(f"secago {ago[:40]!r}: a number of seconds")
        from_ms = call.now_ms - int(ago) * 1000
    return from_ms, moment(end) if end else None


def groups_form(
    names_in: Sequence[str], names_out: Sequence[str], inactive: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Groups as the contract lists them, one row for each direction; `bitpos` only has to be distinct, not below 0."""
    order = {name: number for number, name in enumerate(sorted({*names_in, *names_out}))}
    rows = [("IN", name) for name in sorted(names_in)] + [("OUT", name) for name in sorted(names_out)]
    return [
        {
            "name": name,
            "direction": direction,
            "created": "2026-01-01",
            "type": "SYSTEM",
            "bitpos": order[name],
            "active": name not in inactive,
        }
        for direction, name in rows
    ]
