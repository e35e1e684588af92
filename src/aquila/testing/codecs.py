"""The contract of a codec, as tests. Subclass CodecContract and give the codec and its vectors.

    class TestOurFormat(CodecContract):
        codec = our_codec
        vectors = load_vectors(Path("vectors"), our_codec.name)

A vector is a file `NAME.FORMAT.wire` with what a peer sends, beside `NAME.FORMAT.json` with the list
of bodies that it says. `codecs_installed` finds every codec by its entry point, so that one of
another package is tested alike. Found by sabotage: random bytes hardly ever parse, so damaged
vectors are what catches a decoder that raises.
"""

from collections.abc import Iterator, Sequence
from importlib.metadata import entry_points
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from random import Random
from time import process_time
from typing import ClassVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aquila.core.codec import Codec, Decoded, Decoder, Outgoing
from aquila.core.errors import CodecError
from aquila.core.model import Body, Foreign, Label

LABEL = Label("NATO", "UNCLASSIFIED", ("ITA", "KAZ"), ("Blue",), ("MEDICAL",))
NOW_MS = 1_772_359_900_000
FLOW = "node-1"


class Vector(msgspec.Struct, frozen=True):
    """What a peer sends, and the bodies that it says."""

    name: str
    wire: bytes
    bodies: tuple[Body, ...]


def codecs_installed() -> dict[str, Codec]:
    """Every codec by the name of its entry point, those of other packages too."""
    return {point.name: point.load() for point in entry_points(group="aquila.codecs")}


def vectors_beside(package: str, format: str) -> list[Vector]:
    """The vectors in the folder `vectors` of a package."""
    return load_vectors(Path(str(files(package) / "vectors")), format)


def load_vectors(folder: Path, format: str) -> list[Vector]:
    """The vectors of a format in a folder, in the order of their names."""
    return [
        Vector(
            wire.name.removesuffix(f".{format}.wire"),
            wire.read_bytes(),
            msgspec.json.decode(wire.with_suffix(".json").read_bytes(), type=tuple[Body, ...]),
        )
        for wire in sorted(folder.glob(f"*.{format}.wire"))
    ]


def decoded(codec: Codec, chunks: Sequence[bytes]) -> list[Decoded | CodecError]:
    """Everything that a new decoder says to these chunks."""
    decoder = new_decoder(codec)
    return [one for chunk in chunks for one in decoder.feed(chunk)]


def bodies(found: Sequence[Decoded | CodecError]) -> list[Body]:
    """The bodies; fails on any error among them."""
    wrong = [one for one in found if isinstance(one, CodecError)]
    assert not wrong, wrong
    return [one.body for one in found if isinstance(one, Decoded)]


def words(found: Sequence[Decoded | CodecError]) -> list[object]:
    """What was found in a form that can be compared: errors by their reason."""
    return [one.reason if isinstance(one, CodecError) else one for one in found]


def new_decoder(codec: Codec) -> Decoder:
    """The state of a new stream; skips the test for a format that is only written."""
    if codec.decoder is None:
        pytest.skip(f"{codec.name} is only written")
    return codec.decoder()


def damaged(wire: bytes, dice: Random) -> bytes:
    """The bytes with one to four overwrites, deletions or insertions."""
    broken = bytearray(wire)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(broken) + 1)
        some = bytes(dice.choices(b"<>/&;'\"=!?-eE0919nai.\x00\xff\xc3\xbf ", k=dice.randint(1, 4)))
        match dice.randrange(3):
            case 0:
                broken[at : at + len(some)] = some
            case 1:
                del broken[at : at + len(some)]
            case _:
                broken[at:at] = some
    return bytes(broken)


def outgoing(body: Body, original: bytes | None = None) -> Outgoing:
    """A body ready to be sent with the suite's label and flow tag."""
    return Outgoing(body=body, label=LABEL, now_ms=NOW_MS, original=original, flow=FLOW)


class CodecContract:
    """What every codec promises. Give `codec` and `vectors`; override the limits where they differ.

    Attributes:
        examples: how many examples the property tests try.
        repeats: how many copies of a vector make the longer of two streams in the growth test.
    """

    codec: ClassVar[Codec]
    vectors: ClassVar[Sequence[Vector]]
    examples: ClassVar[int] = 200
    repeats: ClassVar[int] = 400

    def readable(self) -> Iterator[tuple[Vector, Decoded]]:
        """Each statement of each vector."""
        for vector in self.vectors:
            for one in decoded(self.codec, [vector.wire]):
                if isinstance(one, Decoded):
                    yield vector, one

    def test_there_are_vectors(self) -> None:
        """A codec without vectors proves nothing."""
        new_decoder(self.codec)
        assert self.vectors

    def test_each_vector_says_what_stands_beside_it(self) -> None:
        """Golden decode."""
        for vector in self.vectors:
            assert bodies(decoded(self.codec, [vector.wire])) == list(vector.bodies), vector.name

    def test_what_is_written_anew_reads_back_as_the_same_body(self) -> None:
        """Encode, then decode, is the identity; a foreign statement cannot be written anew."""
        if self.codec.encode is None:
            pytest.skip(f"{self.codec.name} is only read")
        for vector in self.vectors:
            for body in vector.bodies:
                if isinstance(body, Foreign):
                    with pytest.raises(CodecError):
                        self.codec.encode(outgoing(body))
                    continue
                wire = self.codec.encode(outgoing(body))
                assert bodies(decoded(self.codec, [wire])) == [body], vector.name

    def test_an_original_that_is_sent_on_reads_back_as_the_same_body(self) -> None:
        """So does the original with marking and flow tag; a second pass does not change it."""
        if self.codec.encode is None:
            pytest.skip(f"{self.codec.name} is only read")
        for vector, one in self.readable():
            wire = self.codec.encode(outgoing(one.body, one.original))
            (again,) = decoded(self.codec, [wire])
            assert isinstance(again, Decoded), (vector.name, again)
            assert again.body == one.body, vector.name
            assert again.label is not None
            assert again.label.classification == LABEL.classification
            assert again.label.releasable_to == LABEL.releasable_to
            assert again.label.caveats == LABEL.caveats
            assert again.flow == (*one.flow, FLOW)
            assert self.codec.encode(outgoing(again.body, again.original)) == wire

    def test_an_original_is_whole(self) -> None:
        """The bytes kept of a statement say the same statement."""
        for _, one in self.readable():
            assert words(decoded(self.codec, [one.original])) == [one]

    def test_a_stream_may_be_cut_anywhere(self) -> None:
        """All vectors in one stream, cut at up to eight places, and byte by byte."""
        new_decoder(self.codec)
        stream = b"".join(vector.wire for vector in self.vectors)
        whole = decoded(self.codec, [stream])

        @settings(max_examples=self.examples // 4, deadline=None)
        @given(st.lists(st.integers(0, len(stream)), max_size=8))
        def cut(places: list[int]) -> None:
            ends = [0, *sorted(places), len(stream)]
            chunks = [stream[a:b] for a, b in pairwise(ends)]
            assert words(decoded(self.codec, chunks)) == words(whole)

        cut()
        single = [stream[at : at + 1] for at in range(len(stream))]
        assert words(decoded(self.codec, single)) == words(whole)

    def test_no_bytes_make_a_decoder_raise(self) -> None:
        """Bytes of any kind are errors as values at worst."""
        new_decoder(self.codec)

        @settings(max_examples=self.examples, deadline=None)
        @given(st.lists(st.binary(max_size=200), max_size=4))
        def feed(chunks: list[bytes]) -> None:
            decoded(self.codec, chunks)

        feed()

    def test_no_damage_makes_a_decoder_raise(self) -> None:
        """Vectors with a few bytes changed, whole and cut, never raise; what is read fits again."""
        new_decoder(self.codec)
        dice = Random(1)
        for vector in self.vectors:
            for _ in range(max(1, 4 * self.examples // len(self.vectors))):
                wire = damaged(vector.wire, dice)
                at = dice.randrange(len(wire) + 1)
                found = decoded(self.codec, [wire])
                assert words(found) == words(decoded(self.codec, [wire[:at], wire[at:]]))
                for one in found:
                    if isinstance(one, Decoded) and self.codec.encode is not None:
                        self.codec.encode(outgoing(one.body, one.original))

    def test_one_bad_statement_does_not_end_a_good_stream(self) -> None:
        """Unless the decoder says that it is broken, the next vector is read."""
        dice = Random(2)
        good = self.vectors[0]
        for _ in range(self.examples):
            decoder = new_decoder(self.codec)
            list(decoder.feed(damaged(good.wire, dice)))
            found = [*decoder.feed(good.wire), *decoder.feed(good.wire)]
            last = [one for one in found if isinstance(one, Decoded)]
            assert decoder.broken or last

    def test_a_stream_without_an_end_breaks(self) -> None:
        """What never ends is refused before it fills the memory."""
        decoder = new_decoder(self.codec)
        found: list[Decoded | CodecError] = list(decoder.feed(self.vectors[0].wire[:-1]))
        for _ in range(40):
            found += decoder.feed(b"x" * 65_536)
        assert any(isinstance(one, CodecError) for one in found)
        assert decoder.broken
        assert list(decoder.feed(self.vectors[0].wire)) == []

    def test_time_grows_with_the_bytes_only(self) -> None:
        """Ten times the stream costs about ten times as long, however it is cut."""
        vector = self.vectors[0]
        new_decoder(self.codec)
        for bytes_each in (7, 1_000_000):
            short = self._seconds(vector.wire * (self.repeats // 10), bytes_each)
            long = self._seconds(vector.wire * self.repeats, bytes_each)
            assert long < 30 * short

    def _seconds(self, stream: bytes, bytes_each: int) -> float:
        """Of the processor, the best of three: what else the machine does must not count."""
        chunks = [stream[at : at + bytes_each] for at in range(0, len(stream), bytes_each)]
        best = float("inf")
        for _ in range(3):
            begun = process_time()
            decoded(self.codec, chunks)
            best = min(best, process_time() - begun)
        return best
