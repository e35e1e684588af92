"""A document as text, and as PDF by Typst. Text goes in as values of the program, never as markup."""

import json
from collections.abc import Iterable, Iterator

import msgspec

from aquila.core.picture_size import pixels_of
from aquila.core.tongue import Tongue

PIXELS_MAX = 60_000_000
"""Of all pictures of one document: what prints it unpacks them all, in up to four bytes a pixel."""
PIECE_LETTERS = 16_000
"""A block of more than 65,535 bytes that are marks above one letter ends the printer with a fault of its own."""


def name_of(principal: str) -> str:
    """What a principal's id calls him on paper: `rossi` of `person:rossi`; an id without a kind is itself the name."""
    return principal.partition(":")[2] or principal


class Paragraph(msgspec.Struct, frozen=True):
    """One line of a document. notes: ids of the entries that it stands on. is_heading: stands above others."""

    text: str
    notes: tuple[str, ...] = ()
    is_heading: bool = False


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """What is printed. marking: at the top and the bottom of each page. signed: who signed, empty = nobody yet.

    pictures: files, JPEG or PNG; one that cannot be read leaves all of them out. Those that do not say how large they
        are, or with which there would be more than `PIXELS_MAX`, are left out.
    """

    title: str
    marking: str
    paragraphs: tuple[Paragraph, ...]
    signed: tuple[str, ...] = ()
    pictures: tuple[bytes, ...] = ()

    def numbered(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Each paragraph with the numbers of its notes."""
        places = {entry: number for number, entry in enumerate(self.notes(), start=1)}
        return tuple((each.text, tuple(places[entry] for entry in each.notes)) for each in self.paragraphs)

    def notes(self) -> tuple[str, ...]:
        """All notes, each once, in the order of their first use."""
        return tuple(dict.fromkeys(entry for each in self.paragraphs for entry in each.notes))


PAGE = """
#let doc = json(bytes(sys.inputs.document))
#let mark = align(center, strong(doc.marking))
#set page(paper: "a4", margin: 2cm, header: mark, footer: mark)
#set text(size: 10pt, lang: doc.language)
#align(center, text(size: 14pt, weight: "bold", doc.title))
#for line in doc.lines {
  if line.heading { block(above: 1em, strong(line.text)) } else {
    block[#line.text#if line.notes.len() > 0 { super(line.notes.map(str).join(",")) }]
  }
}
#for data in doc.pictures { box(image(bytes(data), width: 48%)); h(1fr) }
#block(above: 2em, doc.signed)
#if doc.notes.len() > 0 {
  block(above: 2em, strong(doc.sources))
  for (place, entry) in doc.notes.enumerate() { block(above: 0.4em, text(size: 7pt, str(place + 1) + " " + entry)) }
}
"""


def _signed(document: Document, tongue: Tongue) -> str:
    return (
        tongue.say("print.signed", who="; ".join(document.signed)) if document.signed else tongue.say("print.unsigned")
    )


def to_text(document: Document, tongue: Tongue) -> str:
    """Plain text, notes in brackets. tongue: of the printer's own words, not of the paragraphs."""
    lines = [document.marking, document.title, ""]
    for text, notes in document.numbered():
        lines.append(f"{text} [{','.join(map(str, notes))}]" if notes else text)
    lines += ["", _signed(document, tongue)]
    if document.notes():
        sources = tongue.say("print.sources")
        lines += ["", sources, *(f"[{number}] {entry}" for number, entry in enumerate(document.notes(), start=1))]
    return "\n".join([*lines, document.marking, ""])


def printed(pictures: Iterable[bytes]) -> Iterator[bytes]:
    """Those that fit, in their order."""
    left = PIXELS_MAX
    for each in pictures:
        pixels = pixels_of(each)
        if pixels is not None and pixels <= left:
            left -= pixels
            yield each


def in_pieces(text: str) -> list[str]:
    """A text as blocks that can be printed; nearly always one."""
    return [text[at : at + PIECE_LETTERS] for at in range(0, len(text), PIECE_LETTERS)] or [""]


def to_pdf(document: Document, tongue: Tongue) -> bytes:
    """A PDF of A4 pages. tongue: of the printer's own words, not of the paragraphs."""
    pairs = zip(document.paragraphs, document.numbered(), strict=True)
    body = {
        "title": document.title,
        "marking": document.marking,
        "lines": [
            {"text": piece, "notes": notes if piece is pieces[-1] else (), "heading": each.is_heading}
            for each, (text, notes) in pairs
            if (pieces := in_pieces(text))
            for piece in pieces
        ],
        "notes": document.notes(),
        "signed": _signed(document, tongue),
        "sources": tongue.say("print.sources"),
        "language": tongue.language,
        "pictures": [list(each) for each in printed(document.pictures)],
    }
    import typst  # with its fonts; a node that prints nothing does not load it

    try:
        made: bytes = typst.compile(PAGE.encode(), sys_inputs={"document": json.dumps(body)})
    except typst.TypstError:
        if not document.pictures:
            raise
        return to_pdf(msgspec.structs.replace(document, pictures=()), tongue)
    return made
