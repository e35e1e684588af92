"""An order as a file: text, PDF (typst), DOCX (python-docx) or C2SIM. Nothing goes out to a network."""

import base64
import io
from collections.abc import Iterator

import msgspec

from aquila.core.document import in_pieces
from aquila.core.phrases import Told, told_in
from aquila.core.tongue import Tongue
from aquila.features.orders.c2sim import to_c2sim
from aquila.features.orders.order import Order
from aquila.features.orders.text import headed, sections_of, to_text

MIMES = {
    "text": ("txt", "text/plain; charset=utf-8"),
    "pdf": ("pdf", "application/pdf"),
    "docx": ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "c2sim": ("xml", "application/xml"),
}


class OrderFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file as JSON carries it. losses: what the format cannot say, as sentences."""

    name: str
    mime: str
    base64: str
    losses: tuple[Told, ...] = ()


def file_of(id: str, order: Order, format: str, at_ms: int, tongue: Tongue) -> OrderFile:
    """The order in a format. at_ms: when it was issued, or now for a draft. tongue: not of C2SIM, which has none."""
    losses: tuple[str, ...] = ()
    if format == "pdf":
        content = to_pdf(order, tongue)
    elif format == "docx":
        content = to_docx(order, tongue)
    elif format == "c2sim":
        content, losses = to_c2sim(id, order, at_ms)
    else:
        content = to_text(order, tongue).encode()
    ending, mime = MIMES[format]
    named = "".join(char if char.isalnum() else "_" for char in f"{order.kind} {order.number} {order.title}")[:80]
    encoded, lost = base64.b64encode(content).decode(), told_in("order.lost", losses)
    return OrderFile(name=f"{named}.{ending}", mime=mime, base64=encoded, losses=lost)


def to_docx(order: Order, tongue: Tongue) -> bytes:
    """The order as a word processor opens it."""
    import docx  # with its templates; see aquila.core.document

    document = docx.Document()
    for place, (heading, said) in enumerate(sections_of(order, tongue)):
        document.add_heading(heading, level=1 if place else 0)
        for name, text in said:
            paragraph = document.add_paragraph()
            if name:
                paragraph.add_run(headed(name, tongue)).bold = True
            paragraph.add_run(text)
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def to_pdf(order: Order, tongue: Tongue) -> bytes:
    """The order on A4. Whatever people wrote is passed as strings, never as markup."""
    look = ('#set page(paper: "a4", margin: 2cm)', f'#set text(size: 10pt, lang: "{tongue.language}")')
    source = "\n".join((*look, *_typst_lines(order, tongue)))
    import typst

    made = typst.compile(source.encode())
    assert isinstance(made, bytes)
    return made


def _typst_lines(order: Order, tongue: Tongue) -> Iterator[str]:
    for heading, said in sections_of(order, tongue):
        yield f"#heading({_quoted(heading)})"
        for name, text in said:
            first, *more = in_pieces(text)
            start = f"strong({_quoted(headed(name, tongue))}) + " if name else ""
            yield f"#par({start}text({_quoted(first)}))"
            yield from (f"#par(text({_quoted(each)}))" for each in more)


def _quoted(text: str) -> str:
    """A string literal of typst."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", " ")
    return f'"{escaped}"'
