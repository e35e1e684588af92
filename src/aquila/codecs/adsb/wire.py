"""Mode S frames in two envelopes: Beast (binary, 0x1A escaped) and AVR lines (`*8D...;`). rs1090 reads the bits."""

import re
from typing import Final

import rs1090

from aquila.codecs.adsb.aircraft import Receiver, Sky
from aquila.core.errors import CodecError
from aquila.core.sensing import FramedDecoder, Frames, Lines, Measured, Reading, Sensed

ESCAPE: Final = 0x1A
LINE_BYTES_MAX: Final = 256
MODE_AC, MODE_S_SHORT, MODE_S_LONG, STATUS = b"1234"
# Type byte -> bytes of time stamp (6), signal level (1) and frame.
_BODY_BYTES: Final = {MODE_AC: 9, MODE_S_SHORT: 14, MODE_S_LONG: 21, STATUS: 21}
_START: Final = re.compile(rb"\x1a(?!\x1a)")
_BODIES: Final = {
    kind: re.compile(rb"\x1a.(?:[^\x1a]|\x1a\x1a){%d}" % count, re.DOTALL) for kind, count in _BODY_BYTES.items()
}
# AVR: `*` frame, `@` 12-digit time stamp and frame, `<` time stamp, signal and frame.
_AVR: Final = re.compile(rb"(?:\*|@[0-9A-Fa-f]{12}|<[0-9A-Fa-f]{14})([0-9A-Fa-f]{4}|[0-9A-Fa-f]{14}|[0-9A-Fa-f]{28});")

# CRC-24 of Mode S (Annex 10 vol. IV, 3.1.2.3.3).
_GENERATOR: Final = 0x1FFF409


def remainder(frame: bytes) -> int:
    """Of the whole frame with its parity: 0 = a squitter without a bit error."""
    value = int.from_bytes(frame, "big")
    for bit in range(len(frame) * 8 - 1, 23, -1):
        if value >> bit & 1:
            value ^= _GENERATOR << (bit - 24)
    return value


class BeastDecoder(FramedDecoder):
    """One stream of a Beast, Radarcape or dump1090 (port 30005). Time stamps and signal levels are passed over."""

    def __init__(self, options: Receiver) -> None:
        super().__init__(Frames(_START, _measure))
        self._sky = Sky(options)

    def frame(self, frame: bytes, received_at_ms: int, found: list[Reading]) -> None:
        """One frame; a report if it says something."""
        if frame[1] == MODE_S_LONG or frame[1] == MODE_S_SHORT:
            body = frame[2:].replace(b"\x1a\x1a", b"\x1a") if frame.count(b"\x1a") > 1 else frame[2:]
            _hear(self._sky, body[7:], frame, received_at_ms, found)


class RawDecoder(FramedDecoder):
    """One stream of AVR lines (dump1090 port 30002). Mode A/C replies name no aircraft and are passed over."""

    def __init__(self, options: Receiver) -> None:
        super().__init__(Lines(LINE_BYTES_MAX))
        self._sky = Sky(options)

    def frame(self, frame: bytes, received_at_ms: int, found: list[Reading]) -> None:
        """One line; a report if it says something."""
        match = _AVR.fullmatch(frame)
        if match is None:
            raise CodecError("syntax", f"{frame[:40]!r}: *, 4, 14 or 28 hex digits and ; are expected")
        if len(match[1]) > 4:
            _hear(self._sky, bytes.fromhex(match[1].decode()), frame, received_at_ms, found)


def _measure(buffer: bytes, at: int) -> Measured:
    """Length of the frame that begins here (escaped bytes count twice)."""
    if at + 1 >= len(buffer):
        return None
    pattern = _BODIES.get(buffer[at + 1])
    if pattern is None:
        return CodecError("type", f"Beast type {buffer[at + 1]:#04x}: 0x31..0x34 are known")
    match = pattern.match(buffer, at)
    if match is not None:
        return match.end() - at
    # A lone escape inside is the start of the next frame: this one lost its end.
    lone = _LONE.search(buffer, at + 2)
    if lone is not None:
        return CodecError("truncated", f"a frame of type {chr(buffer[at + 1])} ends early")
    return None


_LONE: Final = re.compile(rb"(?<!\x1a)(?:\x1a\x1a)*\x1a[^\x1a]", re.DOTALL)


def _hear(sky: Sky, frame: bytes, original: bytes, at_ms: int, found: list[Reading]) -> None:
    told = rs1090.decode(frame.hex())
    if told is None:
        squitter = frame[0] >> 3 in (11, 17, 18)
        reason = "checksum" if squitter and remainder(frame) else "type"
        raise CodecError(reason, f"frame {frame.hex()}")
    report = sky.read(told, at_ms)
    if report is not None:
        found.append(Sensed(report, original))
