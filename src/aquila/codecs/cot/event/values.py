"""Numbers, times and markings as CoT writes them."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from aquila.core.codec import Marking
from aquila.core.errors import CodecError
from aquila.core.model import TIME_MAX_MS, TIME_MIN_MS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_INFINITE = float("inf")
_UNKNOWN_TEXTS = frozenset({None, "", "9999999.0", "9999999", "999999.0", "999999"})
_UNKNOWN_M = frozenset({999_999.0, 9_999_999.0})


def time_ms(text: str | None) -> int:
    """Milliseconds since 1970 of an ISO 8601 date and time with zone, else CodecError("time")."""
    if text is None:
        raise CodecError("missing", "an event needs time, start and stale")
    try:
        # fromisoformat also takes a date alone, week dates and hours alone: the separators say that
        # it is none of these.
        if text[10] != "T" or text[7] != "-" or text[16] != ":":
            raise CodecError("time", f"{text[:40]!r}: YYYY-MM-DDThh:mm:ss[.fraction]Z is needed")
        since = datetime.fromisoformat(text) - _EPOCH
    except (ValueError, IndexError, TypeError, OverflowError) as error:
        # TypeError: a time without zone cannot be subtracted from one with zone.
        raise CodecError("time", f"{text[:40]!r}: a date and time with zone is needed") from error
    at_ms = since.days * 86_400_000 + since.seconds * 1_000 + since.microseconds // 1_000
    if not TIME_MIN_MS <= at_ms < TIME_MAX_MS:
        raise CodecError("time", f"{text[:40]!r}: 1970 to 2100 is allowed")
    return at_ms


def number(text: str | None, name: str) -> float:
    """A finite number; raises CodecError("missing") or CodecError("number")."""
    if text is None:
        raise CodecError("missing", f"the attribute {name} is needed")
    try:
        value = float(text)
    except ValueError as error:
        raise CodecError("number", f"{name}={text[:40]!r}: a decimal number is needed") from error
    # float() also takes 1_0 and other scripts' digits, which no other reader of this event would.
    if not (-_INFINITE < value < _INFINITE and text.isascii()) or "_" in text:
        raise CodecError("number", f"{name}={text[:40]!r}: a finite decimal number is needed")
    return value


def metres(text: str | None, name: str) -> float | None:
    """A number of metres; None for absent and for CoT's two ways to say unknown."""
    if text in _UNKNOWN_TEXTS:
        return None
    value = number(text, name)
    return None if value in _UNKNOWN_M else value


def radius(text: str | None, name: str) -> float | None:
    """An error radius in metres; negative counts as unknown (some sensors write -1)."""
    value = metres(text, name)
    return None if value is None or value < 0.0 else value


@lru_cache(maxsize=256)
def iso_time(at_ms: int) -> str:
    """ISO 8601 with milliseconds and Z."""
    at = _EPOCH + at_ms * _MILLISECOND
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


_COMMAS = re.compile(r"[,;]+")
_COMMAS_AND_SPACES = re.compile(r"[,;\s]+")


def marking_of(access: str | None, caveat: str | None, releasable_to: str | None) -> Marking | None:
    """The marking of an event's three attributes; None = unmarked."""
    if access is not None and access.strip() in ("", "Undefined"):
        access = None
    if not (access or caveat or releasable_to):
        return None
    return Marking(
        access,
        tuple(word for part in _COMMAS.split(caveat or "") if (word := part.strip())),
        tuple(word for word in _COMMAS_AND_SPACES.split(releasable_to or "") if word),
    )
