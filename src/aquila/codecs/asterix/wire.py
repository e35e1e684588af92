"""ASTERIX data blocks: category, length, records. libasterix reads the bits; each category has its own reader."""

import re
from collections.abc import Callable
from typing import Any, Final

from asterix.base import Bits

from aquila.codecs.asterix.radar import plot_of, site_of
from aquila.codecs.asterix.specs import specifications
from aquila.codecs.asterix.tracks import aircraft_of, track_of
from aquila.core.errors import CodecError
from aquila.core.model import Body
from aquila.core.plot import Plot
from aquila.core.sensing import FramedDecoder, Frames, Measured, NoOptions, Reading, Sensed

BLOCK_BYTES_MAX: Final = 16_384
HEAD_BYTES: Final = 3

Reader = Callable[[Any, int], Body | Plot | None]
READERS: Final[dict[int, Reader]] = {21: aircraft_of, 34: site_of, 48: plot_of, 62: track_of}


class AsterixDecoder(FramedDecoder):
    """One stream of data blocks, or datagrams of them."""

    def __init__(self, options: NoOptions) -> None:
        self._editions, categories = specifications()
        super().__init__(Frames(re.compile(b"[" + re.escape(bytes(sorted(categories))) + b"]"), _measure))

    def frame(self, frame: bytes, received_at_ms: int, found: list[Reading]) -> None:
        """One block; a plot or report for each record that holds one."""
        reader = READERS.get(frame[0])
        if reader is None:
            raise CodecError("unsupported", f"category {frame[0]:03d}")
        records = self._editions[frame[0]].cv_uap.parse(Bits.from_bytes(frame[HEAD_BYTES:]))
        if isinstance(records, ValueError):
            raise CodecError("syntax", f"category {frame[0]:03d}: {records}")
        for record in records:
            _read(reader, record, received_at_ms, found)


def _read(reader: Reader, record: Any, received_at_ms: int, found: list[Reading]) -> None:
    try:
        body = reader(record, received_at_ms)
    except CodecError as error:
        found.append(error)
    except ValueError as error:
        # A number that fits its bits and no place, course or speed on earth.
        found.append(CodecError("range", str(error)))
    else:
        if body is not None:
            found.append(Sensed(body, record.unparse().to_bytes()))


def _measure(buffer: bytes, at: int) -> Measured:
    """The length that the head of a data block says."""
    if len(buffer) < at + HEAD_BYTES:
        return None
    length = buffer[at + 1] << 8 | buffer[at + 2]
    if not HEAD_BYTES < length <= BLOCK_BYTES_MAX:
        return CodecError("oversize", f"a block of {length} bytes: 4..{BLOCK_BYTES_MAX} are allowed")
    return length
