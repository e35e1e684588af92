"""The first sheet of a spreadsheet (XLSX, ISO/IEC 29500-1) as cells of text.

Nothing is worked out, no macro runs and no link is followed. A hostile file costs little: what it unpacks to is bounded
before anything is unpacked, its XML is read as a stream without a tree, and a DOCTYPE ends the reading.
"""

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.parsers import expat

import msgspec

from aquila.features.orbat.file_unit import number_text, time_text

UNPACKED_MAX = 8 << 20
PARTS_MAX = 200
LISTED_MAX = 70_000
"""Formats, sheets and relations of one part: spreadsheets have at most 65,490 cell formats."""
ROWS_WITH_TEXT_MAX = 6_000
CELL_MAX = 32_767
"""Characters of one cell, as spreadsheets have it."""
TEXT_MAX = 2_000_000
"""Characters of all cells together: one long text that many cells point to must not become many."""
FAULTY_CELLS_MAX = 20_000
"""Cells without a value of their own, and merged ones."""
COLUMNS_MAX, LINES_MAX = 16_384, 1_048_576
OLD_OR_LOCKED = bytes.fromhex("d0cf11e0a1b11ae1")
"""Begins an .xls, and an .xlsx behind a password."""
NO_SHEET = "this is no XLSX file: save the sheet as an Excel workbook (.xlsx)"
BROKEN = f"the file is broken ({{}}): {NO_SHEET.partition(': ')[2]} again"
DATES = frozenset(map(str, (*range(14, 23), *range(45, 48))))
"""Built-in number formats that show a time (18.8.30)."""
NOT_SHOWN = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
"""Parts of a number format that are text or colour."""
REF = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
HIDDEN_CHAR = re.compile(r"_x([0-9A-Fa-f]{4})_")
"""How a cell writes a character that XML has not (22.9.2.19)."""


class SheetError(ValueError):
    """Why a file is no sheet that can be read, as a sentence."""


class Cells(msgspec.Struct, frozen=True):
    """A sheet.

    Attributes:
        rows: line (from 1) and its cells by column (from 1); only those with something in them.
        wrong: by line and column, what a cell holds that is not its value.
        merged: cells that were made one: reference, first and last column, first line.
        others: names of the sheets that are not read.
    """

    name: str
    rows: tuple[tuple[int, Mapping[int, str]], ...]
    wrong: Mapping[tuple[int, int], str]
    merged: tuple[tuple[str, int, int, int], ...]
    others: tuple[str, ...]


def read_sheet(data: bytes) -> Cells:
    """The first sheet that is shown. Raises SheetError."""
    with _opened(data) as archive:
        book = _book(archive)
        strings: list[str] = []
        if book.strings is not None:
            _parse(archive, book.strings, _Strings(strings))
        found = _Sheet(strings, _dates(archive, book.styles), book.is_1904)
        _parse(archive, book.sheet, found)
    return Cells(book.name, tuple(found.rows), found.wrong, tuple(found.merged), book.others)


# -- the package --------------------------------------------------------------------------------------------------


def _opened(data: bytes) -> zipfile.ZipFile:
    if data.startswith(OLD_OR_LOCKED):
        raise SheetError("this is an old .xls or has a password: save it as an Excel workbook (.xlsx) without one")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    # What zipfile raises for a directory that is no such thing, lies about its offsets, or is of a later format.
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as wrong:
        raise SheetError(NO_SHEET) from wrong
    parts = archive.infolist()
    unpacked = sum(each.file_size for each in parts)
    if len(parts) > PARTS_MAX:
        raise SheetError(f"the file has {len(parts)} parts, at most {PARTS_MAX} are read: take pictures and links out")
    if unpacked > UNPACKED_MAX:
        raise SheetError(
            f"the file unpacks to {unpacked >> 20} MiB, at most {UNPACKED_MAX >> 20} are read:"
            " import it in parts, or delete what is no table"
        )
    return archive


def _part(archive: zipfile.ZipFile, name: str) -> bytes:
    """What a part holds: never more than it said, which was counted."""
    try:
        info = archive.getinfo(name)
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise SheetError(BROKEN.format(f"{name[:60]} is packed in another way"))
        return archive.read(info)
    # A sheet that is not there, one with a wrong sum, cut or broken, and one with a password: zipfile has no one error.
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as wrong:
        raise SheetError(BROKEN.format(f"{name[:60]} cannot be unpacked")) from wrong


class _Handler:
    """Hears the elements of a part by their local names, and the text between."""

    def start(self, name: str, said: Mapping[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, text: str) -> None:
        """Characters."""


def _parse(archive: zipfile.ZipFile, part: str, handler: _Handler) -> None:
    def start(name: str, said: dict[str, str]) -> None:
        handler.start(_local(name), {_local(key): value for key, value in said.items()})

    def refuse(*_: Any) -> None:
        raise SheetError(f"{part[:60]} has a DOCTYPE, which no spreadsheet writes and which is not read")

    data = _part(archive, part)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda name: handler.end(_local(name))
    parser.CharacterDataHandler = handler.text
    try:
        parser.Parse(data, True)
    except expat.ExpatError as wrong:
        raise SheetError(BROKEN.format(f"{part[:60]} is no XML")) from wrong


def _local(name: str) -> str:
    return name.rpartition(":")[2]


class _Listed(_Handler):
    """Elements of some names in order, each with what it lies in and its attributes."""

    def __init__(self, wanted: frozenset[str]) -> None:
        self.found: list[tuple[str, str, Mapping[str, str]]] = []
        self._wanted = wanted
        self._path: list[str] = []

    def start(self, name: str, said: Mapping[str, str]) -> None:
        if name in self._wanted:
            self.found.append((self._path[-1] if self._path else "", name, said))
            if len(self.found) > LISTED_MAX:
                raise SheetError(BROKEN.format(f"it has more than {LISTED_MAX} formats or sheets"))
        self._path.append(name)

    def end(self, name: str) -> None:
        self._path.pop()

    def named(self, name: str, below: str | None = None) -> Iterator[Mapping[str, str]]:
        """Attributes of the elements of this name."""
        return (said for above, each, said in self.found if each == name and below in (None, above))


def _list(archive: zipfile.ZipFile, part: str, *wanted: str) -> _Listed:
    listed = _Listed(frozenset(wanted))
    _parse(archive, part, listed)
    return listed


class _Book(msgspec.Struct, frozen=True):
    name: str
    sheet: str
    strings: str | None
    styles: str | None
    is_1904: bool
    others: tuple[str, ...]


def _related(archive: zipfile.ZipFile, part: str) -> list[tuple[str, str, str]]:
    """Id, last word of the type, and path of what a part points to inside the package."""
    folder, name = posixpath.split(part)
    rows = _list(archive, posixpath.join(folder, "_rels", f"{name}.rels"), "Relationship").named("Relationship")
    return [
        (
            row.get("Id", ""),
            row.get("Type", "").rpartition("/")[2],
            posixpath.normpath(posixpath.join("/", folder, row.get("Target", ""))).lstrip("/"),
        )
        for row in rows
        if row.get("TargetMode") != "External"
    ]


def _book(archive: zipfile.ZipFile) -> _Book:
    path = next((path for _, kind, path in _related(archive, "") if kind == "officeDocument"), None)
    if path is None:
        raise SheetError(NO_SHEET)
    listed, related = _list(archive, path, "sheet", "workbookPr"), _related(archive, path)
    paths = {id: path for id, kind, path in related if kind == "worksheet"}
    sheets = [each for each in listed.named("sheet") if each.get("id") in paths]
    shown = next((each for each in sheets if each.get("state", "visible") == "visible"), None)
    if shown is None:
        raise SheetError("there is no sheet in the file that is shown: " + NO_SHEET.partition(": ")[2])
    return _Book(
        name=shown.get("name", ""),
        sheet=paths[shown["id"]],
        strings=next((path for _, kind, path in related if kind == "sharedStrings"), None),
        styles=next((path for _, kind, path in related if kind == "styles"), None),
        is_1904=any(each.get("date1904") in ("1", "true") for each in listed.named("workbookPr")),
        others=tuple(each.get("name", "")[:60] for each in sheets if each is not shown),
    )


def _dates(archive: zipfile.ZipFile, styles: str | None) -> frozenset[int]:
    """Places of the cell formats that show a number as a time."""
    if styles is None:
        return frozenset()
    listed = _list(archive, styles, "numFmt", "xf")
    own = {each.get("numFmtId"): each.get("formatCode", "") for each in listed.named("numFmt")}
    return frozenset(
        place
        for place, each in enumerate(listed.named("xf", below="cellXfs"))
        if _is_time(own.get(each.get("numFmtId")), each.get("numFmtId", ""))
    )


def _is_time(code: str | None, number: str) -> bool:
    if code is None:
        return number in DATES
    return bool(set("ymdhs") & set(NOT_SHOWN.sub("", code).lower()))


# -- the cells ----------------------------------------------------------------------------------------------------


class _Strings(_Handler):
    """Texts that cells point to, without how they are spoken (rPh)."""

    def __init__(self, found: list[str]) -> None:
        self._found = found
        self._parts: list[str] = []
        self._is_text, self._is_spoken = False, False

    def start(self, name: str, said: Mapping[str, str]) -> None:
        if name == "si":
            self._parts = []
        elif name == "rPh":
            self._is_spoken = True
        elif name == "t":
            self._is_text = not self._is_spoken

    def end(self, name: str) -> None:
        if name == "si":
            self._found.append("".join(self._parts))
        elif name == "rPh":
            self._is_spoken = False
        elif name == "t":
            self._is_text = False

    def text(self, text: str) -> None:
        if self._is_text:
            self._parts.append(text)


class _Sheet(_Handler):
    """Rows of a sheet, as `Cells` has them."""

    def __init__(self, strings: Sequence[str], dates: frozenset[int], is_1904: bool) -> None:
        self.rows: list[tuple[int, dict[int, str]]] = []
        self.wrong: dict[tuple[int, int], str] = {}
        self.merged: list[tuple[str, int, int, int]] = []
        self._strings, self._dates = strings, dates
        self._first_day = datetime(1904, 1, 1, tzinfo=UTC) if is_1904 else datetime(1899, 12, 30, tzinfo=UTC)
        self._line, self._column, self._size = 0, 0, 0
        self._row: dict[int, str] = {}
        self._parts: list[str] = []
        self._kind, self._style = "n", 0
        self._is_value, self._is_spoken = False, False

    def start(self, name: str, said: Mapping[str, str]) -> None:
        if name == "row":
            self._line = _number(said.get("r"), self._line + 1, LINES_MAX)
            self._column, self._row = 0, {}
        elif name == "c":
            found = REF.fullmatch(said.get("r", ""))
            self._column = _column(found[1]) if found else self._column + 1
            self._kind, self._style = said.get("t", "n"), _number(said.get("s"), 0, 1 << 20)
            self._parts = []
        elif name == "f":
            self._note("is a formula, which is not worked out here: put its value there (copy, then paste values)")
        elif name == "mergeCell":
            self._merge(said.get("ref", ""))
        elif name in ("v", "t"):
            self._is_value = not self._is_spoken
        elif name == "rPh":
            self._is_spoken = True

    def end(self, name: str) -> None:
        if name in ("v", "t"):
            self._is_value = False
        elif name == "rPh":
            self._is_spoken = False
        elif name == "c" and self._parts:
            self._keep(self._value("".join(self._parts)))
        elif name == "row" and self._row:
            self.rows.append((self._line, self._row))
            if len(self.rows) > ROWS_WITH_TEXT_MAX:
                raise SheetError(f"more than {ROWS_WITH_TEXT_MAX} lines hold something: import it in parts")

    def text(self, text: str) -> None:
        if self._is_value:
            self._parts.append(text)

    def _keep(self, text: str) -> None:
        if not text:
            return
        self._size += len(text)
        if len(text) > CELL_MAX or self._size > TEXT_MAX:
            raise SheetError(f"line {self._line} holds too much text: {CELL_MAX} characters a cell, {TEXT_MAX} in all")
        self._row[self._column] = text

    def _note(self, what: str) -> None:
        self.wrong.setdefault((self._line, self._column), f"{letters_of(self._column)}{self._line} {what}")
        self._bound(len(self.wrong), "cells hold formulas or errors: put their values there")

    def _bound(self, count: int, what: str) -> None:
        if count > FAULTY_CELLS_MAX:
            raise SheetError(f"more than {FAULTY_CELLS_MAX} {what}")

    def _merge(self, ref: str) -> None:
        found = [REF.fullmatch(each) for each in ref.split(":")]
        if len(found) == 2 and found[0] is not None and found[1] is not None:
            self.merged.append((ref, _column(found[0][1]), _column(found[1][1]), int(found[0][2])))
            self._bound(len(self.merged), "merged cells: undo it and fill each cell")

    def _value(self, said: str) -> str:
        if self._kind == "s":
            place = _number(said.strip(), -1, len(self._strings) - 1)
            if place < 0:
                raise SheetError(BROKEN.format(f"{letters_of(self._column)}{self._line} points nowhere"))
            return _shown(self._strings[place])
        if self._kind in ("inlineStr", "str"):
            return _shown(said)
        if self._kind == "b":
            return "TRUE" if said.strip() == "1" else "FALSE"
        if self._kind == "e":
            self._note(f"says {said[:20]}: correct it")
        return self._numeral(said.strip()) if self._kind == "n" else said.strip()

    def _numeral(self, said: str) -> str:
        try:
            number = float(said)
            if self._style in self._dates:
                at = self._first_day + timedelta(milliseconds=round(number * 86_400_000))
                return time_text(round(at.timestamp() * 1000))
            return number_text(number) if abs(number) < 1e15 else said[:60]
        except (ValueError, OverflowError):
            self._note(f"holds {said[:20]!r}, which is no number: correct it")
            return said[:60]


def _number(said: str | None, default: int, most: int) -> int:
    if said is None:
        return default
    if not (said.isascii() and said.isdecimal() and len(said) < 9 and int(said) <= most):
        raise SheetError(BROKEN.format(f"{said[:20]!r} is no number from 0 to {most}"))
    return int(said)


def _column(letters: str) -> int:
    found = 0
    for letter in letters:
        found = found * 26 + ord(letter) - 64
    if found > COLUMNS_MAX:
        raise SheetError(BROKEN.format(f"there is no column {letters}"))
    return found


def letters_of(column: int) -> str:
    """The letters of a column that counts from 1."""
    found = ""
    while column:
        column, rest = divmod(column - 1, 26)
        found = chr(65 + rest) + found
    return found


def _shown(text: str) -> str:
    """With the characters that XML has not; halves of one are none."""
    return HIDDEN_CHAR.sub(lambda found: chr(int(found[1], 16)), text).encode(errors="replace").decode()
