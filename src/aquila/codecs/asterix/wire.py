"""ASTERIX data blocks: category, length, records. Each category has its own reader."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from aquila.codecs.asterix.radar import plot_of, site_of
from aquila.codecs.asterix.records import Layout, Record
from aquila.codecs.asterix.specs import specifications
from aquila.codecs.asterix.tracks import aircraft_of, track_of
from aquila.core.errors import CodecError
from aquila.core.model import Body
from aquila.core.plot import Plot
from aquila.core.sensing import FramedDecoder, Frames, Measured, NoOptions, Reading, Sensed

BLOCK_BYTES_MAX: Final = 16_384
HEAD_BYTES: Final = 3

Reader = Callable[[Record, int], Body | Plot | None]
READERS: Final[dict[int, Reader]] = {21: aircraft_of, 34: site_of, 48: plot_of, 62: track_of}


@lru_cache(maxsize=1)
def layouts() -> tuple[dict[int, Layout], frozenset[int]]:
    """How records of the categories that are read lie; and the numbers of all categories. Raises UsageError."""
    editions, categories = specifications()
    return {number: Layout(edition) for number, edition in editions.items()}, categories


class AsterixDecoder(FramedDecoder):
    """One stream of data blocks, or datagrams of them."""

    def __init__(self, options: NoOptions) -> None:
        self._layouts, categories = layouts()
        super().__init__(Frames(re.compile(b"[" + re.escape(bytes(sorted(categories))) + b"]"), _measure))

    def frame(self, frame: bytes, received_at_ms: int, found: list[Reading]) -> None:
        """One block; a plot or report for each record that holds one."""
        reader = READERS.get(frame[0])
        if reader is None:
            raise CodecError("unsupported", f"category {frame[0]:03d}")
        for record in self._layouts[frame[0]].records(frame, HEAD_BYTES):
            _read(reader, record, received_at_ms, found)


def _read(reader: Reader, record: Record, received_at_ms: int, found: list[Reading]) -> None:
    try:
        body = reader(record, received_at_ms)
    except CodecError as error:
        found.append(error)
    except ValueError as error:
        # A number that fits its bits and no place, course or speed on earth.
        found.append(CodecError("range", str(error)))
    else:
        if body is not None:
            found.append(Sensed(body, record.original))


def _measure(buffer: bytes, at: int) -> Measured:
    """The length that the head of a data block says."""
    if len(buffer) < at + HEAD_BYTES:
        return None
    length = buffer[at + 1] << 8 | buffer[at + 2]
    if not HEAD_BYTES < length <= BLOCK_BYTES_MAX:
        return CodecError("oversize", f"a block of {length} bytes: 4..{BLOCK_BYTES_MAX} are allowed")
    return length
