"""The order of battle as a file: indented text, a table (CSV, XLSX) or MSDL; only what the asker may see."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Literal

import msgspec

from aquila.core.dtg import dtg
from aquila.core.feature import Labelled, Query, Reading
from aquila.core.model import Principal
from aquila.core.paper_work import Time
from aquila.core.phrases import Told, told_in
from aquila.features.orbat.file_unit import FileWritten
from aquila.features.orbat.msdl_file import write_msdl
from aquila.features.orbat.sheet_file import write_spreadsheet
from aquila.features.orbat.table_file import write_table
from aquila.features.orbat.text_file import write_text
from aquila.features.orbat.unit import tree_of
from aquila.features.orbat.view import units_of

MIMES = {
    "text": ("txt", "text/plain; charset=utf-8"),
    "csv": ("csv", "text/csv; charset=utf-8"),
    "xlsx": ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "msdl": ("xml", "application/xml"),
}


class AskOrbatFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """In which format. at_ms: the tree as it stands then; None = now."""

    format: Literal["text", "csv", "xlsx", "msdl"] = "text"
    at_ms: Time | None = None


class OrbatFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file. losses: what the format cannot say of these units, as sentences.

    Attributes:
        text: empty for a file that is no text. base64: the file then, else empty.
    """

    name: str
    mime: str
    text: str
    base64: str
    losses: tuple[Told, ...]


def _file(principal: Principal, ask: AskOrbatFile, reading: Reading) -> Iterator[Labelled]:
    at_ms = reading.now_ms() if ask.at_ms is None else ask.at_ms
    # Units are released one by one before they come here.
    units = {id: unit for id, (_, unit) in units_of(reading).items()}
    tree = [(branch, units[branch.id]) for branch in tree_of(units, at_ms)]
    written: FileWritten
    if ask.format == "text":
        written = write_text(tree)
    elif ask.format == "csv":
        written = write_table(tree)
    elif ask.format == "xlsx":
        written = write_spreadsheet(tree)
    else:
        written = write_msdl(tree, at_ms, f"Order of battle {dtg(at_ms)}")
    ending, mime = MIMES[ask.format]
    file = OrbatFile(
        name=f"orbat_{dtg(at_ms)}.{ending}",
        mime=mime,
        text=written.text,
        base64=b64encode(written.data).decode(),
        losses=told_in("orbat.note", written.losses),
    )
    yield Labelled(file, None, reading.context)


orbat_file = Query(
    name="orbat_file",
    path="/orbat/file",
    request=AskOrbatFile,
    row=OrbatFile,
    role="viewer",
    answer=_file,
    one=True,
    blocking=True,
    summary="The order of battle as a file: indented text, CSV, XLSX or MSDL",
)
