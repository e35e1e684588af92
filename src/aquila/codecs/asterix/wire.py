"""ASTERIX data blocks: category, length, records. libasterix reads the bits; each category has its own reader."""

import re
from collections.abc import Callable
from typing import Any, Final

from asterix.base import Bits
from asterix.generated import Cat_021_2_7, Cat_034_1_29, Cat_048_1_32, Cat_062_1_21, manifest

from aquila.codecs.asterix.radar import plot_of, site_of
from aquila.codecs.asterix.tracks import aircraft_of, track_of
from aquila.core.errors import CodecError
from aquila.core.model import Body
from aquila.core.plot import Plot
from aquila.core.sensing import FramedDecoder, Frames, Measured, NoOptions, Reading, Sensed

BLOCK_BYTES_MAX: Final = 16_384
HEAD_BYTES: Final = 3

Reader = Callable[[Any, int], Body | Plot | None]
READERS: Final[dict[int, tuple[Any, Reader]]] = {
    21: (Cat_021_2_7.cv_uap, aircraft_of),
    34: (Cat_034_1_29.cv_uap, site_of),
    48: (Cat_048_1_32.cv_uap, plot_of),
    62: (Cat_062_1_21.cv_uap, track_of),
}
_CATALOGUE: Any = manifest["CATS"]
_CATEGORIES: Final = frozenset(int(number) for number in _CATALOGUE)
_START: Final = re.compile(b"[" + re.escape(bytes(sorted(_CATEGORIES))) + b"]")


class AsterixDecoder(FramedDecoder):
    """One stream of data blocks, or datagrams of them."""

    def __init__(self, options: NoOptions) -> None:
        super().__init__(Frames(_START, _measure))

    def frame(self, frame: bytes, received_at_ms: int, found: list[Reading]) -> None:
        """One block; a plot or report for each record that holds one."""
        told = READERS.get(frame[0])
        if told is None:
            raise CodecError("unsupported", f"category {frame[0]:03d}")
        records = told[0].parse(Bits.from_bytes(frame[HEAD_BYTES:]))
        if isinstance(records, ValueError):
            raise CodecError("syntax", f"category {frame[0]:03d}: {records}")
        for record in records:
            _read(told[1], record, received_at_ms, found)


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
