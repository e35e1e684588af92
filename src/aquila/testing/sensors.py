"""The contract of a sensor codec, as tests. Subclass SensorContract and give the codec and its vectors.

A vector is `NAME.FORMAT.wire` beside `NAME.FORMAT.json`, the list of bodies and plots that it says when it is received
at RECEIVED_MS; `NAME.FORMAT.options.json`, if there is one, holds the settings of the feed. `hostile_wires` generates
damaged and invented input for any format from its vectors.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from random import Random
from time import process_time
from typing import Any, ClassVar

import msgspec
import pytest

from aquila.core.errors import CodecError
from aquila.core.model import Body
from aquila.core.plot import Plot
from aquila.core.sensing import Reading, Sensed, SensorCodec, SensorDecoder, new_decoder
from aquila.testing.codecs import damaged

RECEIVED_MS = 1_772_359_900_000
CASES = 5_000
CASES_LONG = 100_000


class SensorVector(msgspec.Struct, frozen=True):
    """What a sensor sends, the settings of the feed, and the bodies and plots that it says."""

    name: str
    wire: bytes
    told: tuple[Body | Plot, ...]
    settings: Mapping[str, Any] = {}


def sensors_installed() -> dict[str, SensorCodec]:
    """Every sensor codec by the name of its entry point, those of other packages too."""
    return {point.name: point.load() for point in entry_points(group="aquila.sensors")}


def sensor_vectors(package: str, format: str) -> list[SensorVector]:
    """The vectors of a format in the folder `vectors` of a package, in the order of their names."""
    found = []
    for wire in sorted(Path(str(files(package) / "vectors")).glob(f"*.{format}.wire")):
        settings = wire.with_suffix(".options.json")
        found.append(
            SensorVector(
                wire.name.removesuffix(f".{format}.wire"),
                wire.read_bytes(),
                msgspec.json.decode(wire.with_suffix(".json").read_bytes(), type=tuple[Body | Plot, ...]),
                msgspec.json.decode(settings.read_bytes()) if settings.exists() else {},
            )
        )
    return found


def told(readings: Sequence[Reading]) -> list[Body | Plot]:
    """The bodies and plots; fails on any error among them."""
    wrong = [one for one in readings if isinstance(one, CodecError)]
    assert not wrong, wrong
    return [one.body for one in readings if isinstance(one, Sensed)]


def in_words(readings: Sequence[Reading]) -> list[object]:
    """What was read in a form that can be compared: errors by their reason."""
    return [one.reason if isinstance(one, CodecError) else one for one in readings]


def read(decoder: SensorDecoder, chunks: Sequence[bytes], at_ms: int = RECEIVED_MS) -> list[Reading]:
    """Everything that this decoder says to these chunks, all received at one time."""
    return [one for chunk in chunks for one in decoder.feed(chunk, at_ms)]


def hostile_wires(vectors: Sequence[SensorVector], count: int, seed: int, bytes_each: int = 400) -> Iterator[bytes]:
    """So many hostile inputs: damaged, truncated, doubled, spliced, bit-flipped vectors and dice alone."""
    dice = Random(seed)
    for number in range(count):
        wire = dice.choice(vectors).wire
        if len(wire) > bytes_each:
            at = dice.randrange(len(wire) - bytes_each)
            wire = wire[at : at + bytes_each]
        match number % 6:
            case 0:
                yield damaged(wire, dice)
            case 1:
                yield wire[: dice.randrange(len(wire) + 1)]
            case 2:
                other = dice.choice(vectors).wire[:4_096]
                yield wire[: dice.randrange(len(wire) + 1)] + other[dice.randrange(len(other) + 1) :]
            case 3:
                flipped = bytearray(wire)
                for _ in range(dice.randint(1, 8)):
                    flipped[dice.randrange(len(flipped))] ^= 1 << dice.randrange(8)
                yield bytes(flipped)
            case 4:
                random_bytes = dice.randbytes(dice.randint(1, 64))
                at = dice.randrange(len(wire) + 1)
                yield wire[:at] + random_bytes + wire[at + len(random_bytes) :]
            case _:
                yield dice.randbytes(dice.randint(0, 200))


class SensorContract:
    """What every sensor codec promises. Give `codec` and `vectors`.

    Attributes:
        endless: bytes that continue a stream without ever ending a frame.
        endless_bytes: after how many of them the stream must be broken.
        repeats: how many copies of a vector make the longer of two streams in the growth test, but no more than 60 kB.
        marked: False = nothing but lengths divides the frames, so that only `end` brings a lost reader back.
        hostile_bytes: of longer vectors a piece of this size is damaged at a time.
    """

    codec: ClassVar[SensorCodec]
    vectors: ClassVar[Sequence[SensorVector]]
    endless: ClassVar[bytes] = b"x"
    endless_bytes: ClassVar[int] = 3 << 20
    repeats: ClassVar[int] = 200
    hostile_bytes: ClassVar[int] = 400
    marked: ClassVar[bool] = True

    def decoder(self, vector: SensorVector) -> SensorDecoder:
        """A new decoder with the settings of a vector."""
        return new_decoder(self.codec, vector.settings)

    def remade(self, wire: bytes, dice: Random) -> bytes:
        """A hostile input made to pass the first gate of the format (a checksum); override it where there is one."""
        return wire

    def test_there_are_vectors_and_one_says_something(self) -> None:
        """A codec without vectors proves nothing."""
        assert any(vector.told for vector in self.vectors)

    def test_each_vector_says_what_stands_beside_it(self) -> None:
        """Golden decode, at one time of reception; what was kept of the bytes stands in the vector."""
        for vector in self.vectors:
            found = read(self.decoder(vector), [vector.wire])
            assert [one.body for one in found if isinstance(one, Sensed)] == list(vector.told), vector.name
            assert all(one.original for one in found if isinstance(one, Sensed))

    def test_the_same_bytes_at_the_same_time_say_the_same(self) -> None:
        """No clock, no dice, no memory between two feeds."""
        for vector in self.vectors:
            first, second = (in_words(read(self.decoder(vector), [vector.wire])) for _ in range(2))
            assert first == second

    def test_a_stream_may_be_cut_anywhere(self) -> None:
        """Each vector cut at random places, and byte by byte."""
        if self.codec.framing == "datagram":
            pytest.skip("each payload is whole")
        dice = Random(3)
        for vector in self.vectors:
            whole = in_words(read(self.decoder(vector), [vector.wire]))
            wire = vector.wire
            for _ in range(10):
                ends = [0, *sorted(dice.randint(0, len(wire)) for _ in range(dice.randint(1, 8))), len(wire)]
                chunks = [wire[a:b] for a, b in pairwise(ends)]
                assert in_words(read(self.decoder(vector), chunks)) == whole, vector.name
            if len(wire) < 20_000:
                single = [wire[at : at + 1] for at in range(len(wire))]
                assert in_words(read(self.decoder(vector), single)) == whole, vector.name

    def test_no_hostile_input_makes_a_decoder_raise(self) -> None:
        """5,000 generated cases."""
        self.survive(CASES, seed=1)

    @pytest.mark.long
    @pytest.mark.timeout(1_800)
    def test_no_hostile_input_of_a_hundred_thousand_makes_a_decoder_raise(self) -> None:
        """100,000 generated cases."""
        self.survive(CASES_LONG, seed=2)

    def survive(self, count: int, seed: int) -> None:
        """Feed hostile input, half of it to one decoder that lives on; what is read must be writable as JSON."""
        dice = Random(seed)
        first = self.vectors[0]
        living = self.decoder(first)
        read_anything = 0
        for number, wire in enumerate(hostile_wires(self.vectors, count, seed, self.hostile_bytes)):
            if number % 4 > 1:
                wire = self.remade(wire, dice)
            if number % 2 and not living.broken:
                decoder = living
            else:
                decoder = self.decoder(dice.choice(self.vectors))
                living = decoder if living.broken else living
            for one in decoder.feed(wire, RECEIVED_MS + number):
                assert isinstance(one, Sensed | CodecError)
                if isinstance(one, Sensed):
                    read_anything += 1
                    msgspec.json.decode(msgspec.json.encode(one.body), type=Body | Plot)
        assert read_anything, "no hostile case got through at all: the generator does not fit this format"

    def test_one_bad_statement_does_not_end_a_good_stream(self) -> None:
        """Unless the decoder says that it is broken, the next vector is read."""
        dice = Random(2)
        good = next(vector for vector in self.vectors if vector.told)
        for _ in range(100):
            decoder = self.decoder(good)
            decoder.feed(damaged(good.wire, dice), RECEIVED_MS)
            if not self.marked:
                decoder.end(RECEIVED_MS)
            found = read(decoder, [good.wire, good.wire, good.wire])
            assert decoder.broken or any(isinstance(one, Sensed) for one in found)

    def test_a_datagram_that_is_cut_short_spoils_no_other(self) -> None:
        """After `end` the next payload is read as if nothing had been before."""
        good = next(vector for vector in self.vectors if vector.told)
        for size in (1, len(good.wire) // 2, len(good.wire) - 1):
            decoder = self.decoder(good)
            decoder.feed(good.wire[:size], RECEIVED_MS)
            decoder.end(RECEIVED_MS)
            assert any(isinstance(one, Sensed) for one in read(decoder, [good.wire]))

    def test_a_stream_without_an_end_breaks(self) -> None:
        """What never ends is refused before it fills the memory."""
        if self.codec.framing == "datagram":
            pytest.skip("a link bounds its payloads")
        decoder = self.decoder(self.vectors[0])
        found = decoder.feed(self.vectors[0].wire[:-1], RECEIVED_MS)
        for _ in range(self.endless_bytes // 65_536):
            found += decoder.feed(self.endless * (65_536 // len(self.endless)), RECEIVED_MS)
        assert any(isinstance(one, CodecError) for one in found)
        assert decoder.broken
        assert decoder.feed(self.vectors[0].wire, RECEIVED_MS) == []

    def test_time_grows_with_the_bytes_only(self) -> None:
        """Ten times the stream costs about ten times as long, however it is cut."""
        vector = min(self.vectors, key=lambda each: len(each.wire))
        sizes = (7, 65_536) if self.codec.framing == "stream" else (len(vector.wire),)
        for bytes_each in sizes:
            copies = max(10, min(self.repeats, 60_000 // len(vector.wire)))
            short = self._seconds(vector, copies // 10, bytes_each)
            long = self._seconds(vector, copies, bytes_each)
            assert long < 40 * short + 0.02

    def _seconds(self, vector: SensorVector, copies: int, bytes_each: int) -> float:
        """Of the processor, the best of three: what else the machine does must not count."""
        stream = vector.wire * copies
        chunks = [stream[at : at + bytes_each] for at in range(0, len(stream), bytes_each)]
        best = float("inf")
        for _ in range(3):
            decoder = self.decoder(vector)
            begun = process_time()
            read(decoder, chunks)
            best = min(best, process_time() - begun)
        return best
