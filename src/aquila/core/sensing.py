"""SensorCodec: a wire format of sensors, read only. Bytes and the time they came in, reports and plots out.

Most sensors say only a part of the time (AIS: the second, ASTERIX: the time of day) or none at all (ADS-B), so that a
decoder is told when the bytes were received. It still has no clock: a capture that is replayed gives the same again.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import reduce
from operator import xor
from re import Pattern
from typing import Any, Final, Literal, Protocol, runtime_checkable

import msgspec

from aquila.core.errors import CodecError, UsageError
from aquila.core.model import TIME_MAX_MS, TIME_MIN_MS, Body
from aquila.core.plot import Plot

KNOT_MPS: Final = 1852.0 / 3600.0
FOOT_M: Final = 0.3048
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
TAG_BYTES_MAX: Final = 128
LOST_BYTES_MAX: Final = 1 << 20
"""After so many bytes without anything readable the stream is another format: it breaks."""


class Sensed(msgspec.Struct, frozen=True):
    """One body or plot, and the bytes that it was read from (for a state machine: those that completed it)."""

    body: Body | Plot
    original: bytes


Reading = Sensed | CodecError


class SensorDecoder(Protocol):
    """The state of one feed."""

    @property
    def broken(self) -> bool:
        """Can the stream be followed no further? Then the feed begins anew with a new decoder."""
        ...

    def feed(self, data: bytes, received_at_ms: int) -> list[Reading]:
        """Take bytes as they came, and when; give what is complete. Bad bytes are CodecError values."""
        ...

    def end(self, received_at_ms: int) -> list[Reading]:
        """A datagram or a file ends here: read what needed no more, refuse what did; the next `feed` begins anew."""
        ...


@runtime_checkable
class TopicDecoder(SensorDecoder, Protocol):
    """A decoder that also reads the topic under which a broker passes a payload on."""

    def feed_topic(self, topic: str, data: bytes, received_at_ms: int) -> list[Reading]:
        """Take one whole payload; otherwise as `feed`."""
        ...


class NoOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A format that needs no settings."""


class SensorCodec(msgspec.Struct, frozen=True):
    """One wire format of sensors.

    Attributes:
        name: the word in settings and counters, for instance `ais`.
        decoder: makes the state of one feed from its options.
        framing: `stream` = bytes may be cut anywhere; `datagram` = each `feed` is one whole payload.
        options: what a feed of this format may be told, all with defaults.
        hello: what a source on a line or a connection must be told before it speaks; empty = nothing.
        alive: what it must be told every few minutes so that it goes on; empty = nothing.
    """

    name: str
    decoder: Callable[[Any], SensorDecoder]
    framing: Literal["stream", "datagram"] = "stream"
    options: type[msgspec.Struct] = NoOptions
    hello: bytes = b""
    alive: bytes = b""


def new_decoder(codec: SensorCodec, settings: Mapping[str, Any] | None = None) -> SensorDecoder:
    """The state of a new feed with these settings.

    Raises:
        UsageError: a setting that this format does not have, or of another type.
    """
    try:
        options = msgspec.convert(dict(settings or {}), codec.options)
    except msgspec.ValidationError as error:
        known = ", ".join(codec.options.__struct_fields__) or "none"
        raise UsageError(f"settings of a {codec.name} feed: {error}; there are: {known}") from error
    return codec.decoder(options)


def nearest_ms(received_at_ms: int, offset_ms: int, period_ms: int) -> int:
    """The time nearest to `received_at_ms` that lies `offset_ms` after a multiple of `period_ms`.

    For clocks that say only the second of the minute, the minute of the hour or the time of the day.
    """
    gap_ms = (offset_ms - received_at_ms) % period_ms
    return received_at_ms + (gap_ms if 2 * gap_ms <= period_ms else gap_ms - period_ms)


def plausible_ms(at_ms: float) -> bool:
    """Is this a time that a statement may claim? NaN is not."""
    return TIME_MIN_MS <= at_ms < TIME_MAX_MS


def finite(text: str | bytes) -> float:
    """A finite number. Raises ValueError for anything else, also for 1_0, nan and inf."""
    value = float(text)
    if not math.isfinite(value) or (b"_" in text if isinstance(text, bytes) else "_" in text):
        raise ValueError(f"{text!r}: a finite number is needed")
    return value


def printable(text: str, length_max: int = 200) -> str:
    """Text of a peer without control characters and odd blanks, cut to a length."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:length_max]


class Lines:
    """Bytes to lines. A line that is too long is one error, and after LOST_BYTES_MAX of it the stream breaks."""

    def __init__(self, bytes_max: int) -> None:
        self.broken = False
        self._bytes_max = bytes_max
        self._rest = b""
        self._lost_bytes = 0

    def feed(self, data: bytes) -> list[bytes | CodecError]:
        """The complete lines, without line ends; empty ones are left out."""
        if self.broken:
            return []
        found: list[bytes | CodecError] = []
        *lines, rest = (self._rest + data).split(b"\n")
        for line in lines:
            if self._lost_bytes:
                self._lost_bytes = 0
            elif len(line) > self._bytes_max:
                found.append(self._oversize())
            elif line := line.strip(b"\r \t\x00"):
                found.append(line)
        if self._lost_bytes:
            self._lost_bytes += len(rest)
            rest = b""
            self.broken = self._lost_bytes > LOST_BYTES_MAX
        elif len(rest) > self._bytes_max:
            found.append(self._oversize())
            self._lost_bytes = len(rest)
            rest = b""
        self._rest = rest
        return found

    def end(self) -> list[bytes | CodecError]:
        """The last line, if it had no line end."""
        line, self._rest, self._lost_bytes = self._rest.strip(b"\r \t\x00"), b"", 0
        return [line] if line else []

    def _oversize(self) -> CodecError:
        return CodecError("oversize", f"a line is longer than {self._bytes_max} bytes")


Measured = int | CodecError | None
"""Of what begins here: its length, why it is no frame, or None = more bytes are needed to say."""


class Frames:
    """Bytes to binary frames. Bytes that are no frame are skipped: one error for each such stretch.

    Args:
        start: matches where a frame may begin, one byte being enough to say no; the search jumps from one to the next.
        measure: judges the buffer from a possible start on. A length beyond the buffer, or None, waits for more bytes;
            both must be bounded by the format.
    """

    def __init__(self, start: Pattern[bytes], measure: Callable[[bytes, int], Measured]) -> None:
        self.broken = False
        self._start = start
        self._measure = measure
        self._rest = b""
        self._lost_bytes = 0

    def feed(self, data: bytes) -> list[bytes | CodecError]:
        """The complete frames."""
        if self.broken:
            return []
        found: list[bytes | CodecError] = []
        buffer = self._rest + data if self._rest else data
        at, size = 0, len(buffer)
        while at < size and not self.broken:
            match = self._start.match(buffer, at)
            if match is None:
                further = self._start.search(buffer, at)
                end = size if further is None else further.start()
                self._lose(found, end - at, CodecError("syntax", f"{buffer[at : at + 8].hex()}: no frame begins here"))
                at = end
                continue
            measured = self._measure(buffer, at)
            if measured is None:
                break
            if isinstance(measured, CodecError):
                self._lose(found, 1, measured)
                at += 1
                continue
            if at + measured > size:
                break
            found.append(buffer[at : at + measured])
            self._lost_bytes = 0
            at += measured
        self._rest = buffer[at:]
        return found

    def end(self) -> list[bytes | CodecError]:
        """What was begun and not ended is one error."""
        rest, self._rest = self._rest, b""
        if not rest or self._lost_bytes:
            return []
        return [CodecError("truncated", f"{len(rest)} bytes of a frame that goes on")]

    def _lose(self, found: list[bytes | CodecError], count: int, why: CodecError) -> None:
        if not self._lost_bytes:
            found.append(why)
        self._lost_bytes += count
        self.broken = self._lost_bytes > LOST_BYTES_MAX


class Documents:
    """Bytes to XML documents: each ends with its closing tag. One that is too long breaks the stream."""

    def __init__(self, end: Pattern[bytes], bytes_max: int) -> None:
        self.broken = False
        self._end = end
        self._bytes_max = bytes_max
        self._rest = bytearray()
        self._at = 0

    def feed(self, data: bytes) -> list[bytes | CodecError]:
        """The complete documents."""
        if self.broken:
            return []
        found: list[bytes | CodecError] = []
        self._rest += data
        while (match := self._end.search(self._rest, self._at)) is not None:
            found.append(bytes(self._rest[: match.end()].strip()))
            del self._rest[: match.end()]
            self._at = 0
        # A closing tag that the network cut is at most so long; what lies before it is not searched again.
        self._at = max(0, len(self._rest) - TAG_BYTES_MAX)
        if len(self._rest) > self._bytes_max:
            self.broken = True
            self._rest.clear()
            found.append(CodecError("oversize", f"a document is longer than {self._bytes_max} bytes"))
        return found

    def end(self) -> list[bytes | CodecError]:
        """What was begun and not ended is one error."""
        rest = bytes(self._rest).strip()
        self._rest.clear()
        self._at = 0
        return [CodecError("truncated", f"{len(rest)} bytes of a document without its end")] if rest else []


class FramedDecoder(ABC):
    """A decoder over lines or frames: `frame` reads one and appends what it says to `found`."""

    def __init__(self, frames: Lines | Frames | Documents) -> None:
        self._frames = frames

    @property
    def broken(self) -> bool:
        """Was there too much that is no frame?"""
        return self._frames.broken

    def feed(self, data: bytes, received_at_ms: int) -> list[Reading]:
        """Bytes as they came; what each complete frame says."""
        return self._read(self._frames.feed(data), received_at_ms)

    def end(self, received_at_ms: int) -> list[Reading]:
        """A datagram or a file ends here."""
        return self._read(self._frames.end(), received_at_ms)

    def _read(self, frames: list[bytes | CodecError], received_at_ms: int) -> list[Reading]:
        found: list[Reading] = []
        for frame in frames:
            if isinstance(frame, CodecError):
                found.append(frame)
                continue
            try:
                self.frame(frame, received_at_ms, found)
            except CodecError as error:
                found.append(error)
        return found

    @abstractmethod
    def frame(self, frame: bytes, received_at_ms: int, found: list[Reading]) -> None:
        """Read one frame. Raises CodecError for what is bad; it is counted, the stream goes on."""


def nmea_checksum(body: bytes) -> int:
    """XOR of the characters between `!` or `$` and `*` (IEC 61162-1, 7.2)."""
    return reduce(xor, body, 0)


def nmea_body(sentence: bytes) -> bytes:
    """What stands between the first character and `*` of an NMEA 0183 sentence, its checksum being right.

    Raises:
        CodecError: syntax (no sentence) or checksum (missing or wrong).
    """
    body, star, told = sentence[1:].rpartition(b"*")
    if not star or len(told) != 2:
        raise CodecError("checksum", f"{sentence[:90]!r}: no *hh at the end")
    try:
        right = int(told, 16) == nmea_checksum(body)
    except ValueError:
        right = False
    if not right:
        raise CodecError("checksum", f"{sentence[:90]!r}: *{nmea_checksum(body):02X} would be right")
    return body
