"""The one small tree of errors. A peer's bad data is a value (CodecError, Refused), counted; our bug raises."""

import msgspec


class AquilaError(Exception):
    """Anything Aquila itself raises on purpose."""


class UsageError(AquilaError):
    """The caller asked for something that cannot be: says what was wrong, what is allowed, what to do."""


class DiskError(UsageError):
    """The disk is full or failing: nothing was kept of what was to be kept."""


class CodecError(AquilaError):
    """A peer's bytes do not parse, or a body cannot be written in a format. `reason` is a short stable word.

    Reasons are counted, so they come from a small set: syntax, oversize, depth, elements, attributes, dtd, encoding,
    number, range, time, type, missing, unsupported; from sensors also checksum, truncated; from a broker also retained.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class Refused(msgspec.Struct, frozen=True):
    """A statement or a request that policy does not admit, as a value: a short stable word and a sentence."""

    reason: str
    detail: str = ""
