"""Recording: everything heard, in order of arrival, so that a replay folds to the same hash of the whole node."""

from collections.abc import Iterable, Iterator

import msgspec

from aquila.core.journal import UNREADABLE, Sealer, open_entry
from aquila.core.model import Arrival, Entry, Original, Sample, Tick
from aquila.core.view import View

_encoder = msgspec.msgpack.Encoder()


class _Line(msgspec.Struct, frozen=True, array_like=True, tag="entry"):
    envelope_bytes: bytes
    salt: bytes
    body_bytes: bytes | None
    original: Original | None
    arrival: int


class _Position(msgspec.Struct, frozen=True, array_like=True, tag="sample"):
    sample: Sample


class _Passing(msgspec.Struct, frozen=True, array_like=True, tag="tick"):
    tick: Tick


_decoder = msgspec.msgpack.Decoder(_Line | _Position | _Passing)
LENGTH_BYTES = 4


def encode_arrival(arrival: Arrival) -> bytes:
    """One frame of a recording: four bytes of length, little-endian, and the arrival."""
    if isinstance(arrival, Entry):
        frame = _encoder.encode(
            _Line(
                arrival.envelope_bytes,
                arrival.salt,
                arrival.body_bytes,
                arrival.original,
                arrival.arrival,
            )
        )
    elif isinstance(arrival, Sample):
        frame = _encoder.encode(_Position(arrival))
    else:
        frame = _encoder.encode(_Passing(arrival))
    return len(frame).to_bytes(LENGTH_BYTES, "little") + frame


def decode_recording(data: bytes, sealer: Sealer | None = None) -> Iterator[Arrival]:
    """The arrivals of a recording; a frame cut off at the end (kill -9) ends it.

    Raises msgspec.DecodeError for a frame that holds none.
    """
    at = 0
    while at + LENGTH_BYTES <= len(data):
        length = int.from_bytes(data[at : at + LENGTH_BYTES], "little")
        frame = data[at + LENGTH_BYTES : at + LENGTH_BYTES + length]
        if len(frame) < length:
            return
        try:
            heard = _decoder.decode(frame)
        except UNREADABLE as wrong:
            raise msgspec.DecodeError(f"the frame at byte {at} holds no arrival: {wrong}") from wrong
        at += LENGTH_BYTES + length
        if isinstance(heard, _Line):
            yield open_entry(
                heard.envelope_bytes,
                heard.salt,
                heard.body_bytes,
                heard.original,
                heard.arrival,
                sealer,
            )
        elif isinstance(heard, _Position):
            yield heard.sample
        else:
            yield heard.tick


def replay(arrivals: Iterable[Arrival], views: Iterable[View]) -> None:
    """Fold a recording into fresh views."""
    each = list(views)
    for arrival in arrivals:
        for view in each:
            view.fold(arrival)
