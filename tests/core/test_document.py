"""Documents on paper: pictures and texts of hostile people cost what others' cost, or are left out."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila.core.document import PIECE_LETTERS, PIXELS_MAX, Document, Paragraph, in_pieces, printed, to_pdf
from aquila.core.picture_size import pixels_of
from aquila.core.tongue import Tongue

TONGUE = Tongue("en")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, rows: int | None = None) -> bytes:
    """Black and white; with `rows` fewer lines than it says."""
    lines = bytes((width + 7) // 8 + 1) * (height if rows is None else rows)
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def frame(marker: int, width: int, height: int) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">HBHHB", 8, 8, height, width, 0)


def jpeg(*parts: bytes) -> bytes:
    """The head of one, with what programs put before the size."""
    app = b"\xff\xe0" + struct.pack(">H", 6) + b"JFIF"
    return b"\xff\xd8" + app + b"".join(parts) + b"\xff\xda" + bytes(40)


@pytest.mark.parametrize(
    ("data", "pixels"),
    [
        (png(30, 20), 600),
        (png(65_000, 65_000, 1), 4_225_000_000),
        (jpeg(frame(0xC0, 40, 30)), 1_200),
        (jpeg(b"\xff", frame(0xC2, 40, 30)), 1_200),
        # A table of codes is no frame, and of two frames the larger counts.
        (jpeg(frame(0xC4, 9, 9), frame(0xC0, 2, 2), frame(0xC1, 65_000, 65_000)), 4_225_000_000),
        (jpeg(frame(0xC0, 40, 0)), 1 << 32),
        (jpeg(), None),
        (b"\x89PNG\r\n\x1a\n" + chunk(b"tEXt", bytes(20)), None),
        (b"GIF89a" + bytes(40), None),
        (png(3, 3)[:18], None),
        (jpeg(frame(0xC0, 4, 4))[:14], None),
    ],
)
def test_the_size_of_a_picture_is_read_from_its_head(data: bytes, pixels: int | None) -> None:
    assert pixels_of(data) == pixels


@given(st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b""]), st.binary(max_size=200))
def test_no_bytes_are_more_than_a_size_or_none(head: bytes, rest: bytes) -> None:
    said = pixels_of(head + rest)
    assert said is None or 0 <= said <= 1 << 64


def test_a_picture_that_unpacks_to_gigabytes_is_not_printed() -> None:
    # 513 kB took 49 s and 4.1 GB.
    small, bomb = png(200, 100), png(65_000, 65_000, 1)
    assert list(printed((bomb, small, b"no picture"))) == [small]
    quarter = png(5_000, PIXELS_MAX // 4 // 5_000, 1)
    assert len(list(printed([quarter] * 12))) == 4
    plain = Document(title="T", marking="M", paragraphs=(Paragraph("a"),))
    both = Document(title="T", marking="M", paragraphs=(Paragraph("a"),), pictures=(small, bomb))
    assert to_pdf(both, TONGUE).count(b"/Subtype/Image") == to_pdf(plain, TONGUE).count(b"/Subtype/Image") + 1


def test_a_text_of_marks_alone_is_printed_in_pieces() -> None:
    text = "a" + "\u20dd" * 30_000
    assert to_pdf(Document(title="T", marking="M", paragraphs=(Paragraph(text),)), TONGUE).startswith(b"%PDF")
    assert "".join(in_pieces(text)) == text
    assert max(map(len, in_pieces(text))) <= PIECE_LETTERS
    assert in_pieces("") == [""]
