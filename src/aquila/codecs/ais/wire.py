"""AIS sentences: lines, checksum, tag block and the parts of long ones. pyais reads the bits, `report` makes bodies."""

import re
from typing import Final

from pyais.bit_vector import bit_vector
from pyais.exceptions import AISBaseException
from pyais.messages import MSG_CLASS

from aquila.codecs.ais.report import Stations
from aquila.core.errors import CodecError
from aquila.core.sensing import FramedDecoder, Lines, NoOptions, Reading, Sensed, nmea_body, plausible_ms

LINE_BYTES_MAX: Final = 1_024
WAITING_MAX: Final = 64
"""Long transmissions of which parts are missing; one more puts the oldest out."""
WAITING_MS_MAX: Final = 10_000
PAYLOAD_MAX: Final = 360
"""Characters: five slots of 2,016 bits need 336."""

_PAYLOAD: Final = re.compile(rb"[0-W`-w]*")
_STATION_TIME: Final = re.compile(rb"(?:^|,)c:(\d{9,13})(?:,|$)")

# Shortest payloads in bits that hold what is read of a type (M.1371-5, annex 8). Class B transponders leave out the
# spare at the end, so that type 24 may be 160 long, and some receivers cut type 5 to 422.
BITS_MIN: Final = {
    1: 149, 2: 149, 3: 149, 4: 133, 5: 422, 9: 143, 11: 133, 18: 141, 19: 301, 21: 269, 24: 160, 27: 95,
}  # fmt: skip


class AisDecoder(FramedDecoder):
    """One stream of sentences. Static data are joined to positions by MMSI, parts by their group and channel."""

    def __init__(self, options: NoOptions) -> None:
        super().__init__(Lines(LINE_BYTES_MAX))
        self._stations = Stations()
        self._waiting: dict[tuple[bytes, ...], tuple[int, dict[int, tuple[bytes, bytes]]]] = {}

    def frame(self, frame: bytes, received_at_ms: int, found: list[Reading]) -> None:
        """One sentence; a reading for each transmission that is whole and says something."""
        line = sentence = frame
        if line[0] == 0x5C:
            sentence, received_at_ms = _tagged(line, received_at_ms)
        # A receiver's own remarks stand between the transmissions: other sentences ($) and comments (#).
        if sentence[:1] in (b"$", b"#"):
            return
        fields = nmea_body(sentence[: sentence.find(b"*") + 3]).split(b",")
        if len(fields) != 7 or sentence[:1] != b"!" or fields[0][2:] not in (b"VDM", b"VDO"):
            raise CodecError("syntax", f"{sentence[:40]!r}: !xxVDM or !xxVDO with 7 fields is expected")
        _, count, _, _, _, payload, fill = fields
        original = line
        if count != b"1":
            whole = self._joined(fields, line, received_at_ms, found)
            if whole is None:
                return
            payload, fill, original = whole
        if len(fill) != 1 or not b"0" <= fill <= b"5":
            raise CodecError("number", f"{fill!r} fill bits: 0..5 are allowed")
        if not payload or len(payload) > PAYLOAD_MAX or not _PAYLOAD.fullmatch(payload):
            raise CodecError("syntax", f"payload {payload[:20]!r}: 1..{PAYLOAD_MAX} characters of 0..W and `..w")
        body = self._stations.read(_message(payload, fill[0] - 0x30), received_at_ms)
        if body is not None:
            found.append(Sensed(body, original))

    def _joined(
        self, fields: list[bytes], line: bytes, received_at_ms: int, found: list[Reading]
    ) -> tuple[bytes, bytes, bytes] | None:
        """Payload, fill bits and bytes of a long transmission, once its last missing part is here."""
        talker, count_text, part_text, group, channel, payload, fill = fields
        if not (count_text.isdigit() and part_text.isdigit() and len(count_text) == len(part_text) == 1):
            raise CodecError("number", f"part {part_text!r} of {count_text!r}: single digits are allowed")
        count, part = int(count_text), int(part_text)
        if not 1 <= part <= count:
            raise CodecError("range", f"part {part} of {count}")
        self._forget_old(received_at_ms, found)
        key = (talker, count_text, group, channel)
        _, parts = self._waiting.setdefault(key, (received_at_ms, {}))
        # The same number anew: another transmission in the same group, the older one will not be whole any more.
        if part in parts:
            if parts[part][0] == payload:
                return None
            found.append(CodecError("missing", f"{len(parts)} of {count} parts came"))
            parts.clear()
            self._waiting[key] = (received_at_ms, parts)
        parts[part] = (payload, line)
        if len(parts) < count:
            return None
        del self._waiting[key]
        ordered = [parts[number] for number in sorted(parts)]
        return b"".join(one for one, _ in ordered), fill, b"\r\n".join(one for _, one in ordered)

    def _forget_old(self, now_ms: int, found: list[Reading]) -> None:
        for key, (begun_ms, parts) in list(self._waiting.items()):
            if abs(now_ms - begun_ms) > WAITING_MS_MAX or len(self._waiting) > WAITING_MAX:
                found.append(CodecError("missing", f"{len(parts)} of {int(key[1])} parts came"))
                del self._waiting[key]


def _tagged(line: bytes, received_at_ms: int) -> tuple[bytes, int]:
    """The sentence behind a tag block, and the time of reception that the block says (NMEA 0183 4.10, `c:`)."""
    block, backslash, sentence = line[1:].partition(b"\\")
    if not backslash:
        raise CodecError("syntax", f"{line[:40]!r}: a tag block without an end")
    told = _STATION_TIME.search(nmea_body(b"\\" + block))
    if told is not None:
        # Seconds since 1970; some receivers write milliseconds.
        at_ms = int(told[1]) * (1_000 if len(told[1]) < 12 else 1)
        if not plausible_ms(at_ms):
            raise CodecError("time", f"c:{at_ms}")
        received_at_ms = at_ms
    return sentence, received_at_ms


def _message(payload: bytes, fill: int) -> object:
    """The fields of one transmission as pyais reads them.

    Raises:
        CodecError: type (no such type), truncated, unsupported (a type that says nothing about the picture).
    """
    bits = bit_vector(payload, fill)
    number = bits.get(0, 6)
    bits_min = BITS_MIN.get(number)
    if bits_min is None:
        raise CodecError("unsupported" if 1 <= number <= 27 else "type", f"type {number}")
    if len(bits) < bits_min:
        raise CodecError("truncated", f"type {number} with {len(bits)} bits, {bits_min} are needed")
    try:
        return MSG_CLASS[number].from_vector(bits)
    except AISBaseException as error:
        # Type 24 has parts 0 and 1 only.
        raise CodecError("type", str(error)) from error
