"""The order of battle as a spreadsheet (XLSX): the columns of the table, each number and text as it stands."""

import base64
from collections.abc import Iterator, Mapping, Sequence

from aquila.features.orbat.file_unit import Fault, FileRead, FileWritten
from aquila.features.orbat.sheet_in import Cells, SheetError, read_sheet
from aquila.features.orbat.sheet_out import write_sheet
from aquila.features.orbat.table_file import COLUMNS, FORMULA, NUMBERS, Row, cells_of, read_rows
from aquila.features.orbat.unit import Branch, Unit

NUMBER_PLACES = frozenset(place for place, name in enumerate(COLUMNS) if name in NUMBERS)


def read_spreadsheet(content: str) -> FileRead:
    """The units of the first sheet that is shown. content: the file, base64."""
    try:
        data = base64.b64decode(content, validate=True)
    except ValueError:
        return FileRead(faults=(Fault(line=0, text="an XLSX file is sent as base64: this is something else"),))
    try:
        sheet = read_sheet(data)
    except SheetError as wrong:
        return FileRead(faults=(Fault(line=0, text=str(wrong)),))
    notes: tuple[str, ...] = ()
    if sheet.others:
        notes = (f"only the sheet {sheet.name[:60]} is read, not {', '.join(sheet.others)[:200]}",)
    if not sheet.rows:
        return FileRead(faults=(Fault(line=0, text=f"the sheet {sheet.name[:60]} is empty: fill it"),), notes=notes)
    _, head = sheet.rows[0]
    read = read_rows(list(head.values()), _rows(sheet, head))
    return FileRead(units=read.units, faults=read.faults, notes=notes)


def _rows(sheet: Cells, head: Mapping[int, str]) -> Iterator[Row | Fault]:
    """What stands below the head in the columns that it names; cells that say nothing of their own are faults."""
    for ref, first, last, line in sheet.merged:
        if any(first <= column <= last for column in head):
            yield Fault(line=line, text=f"{ref} are merged: undo it and fill each cell, every row speaks for itself")
    for line, cells in sheet.rows[1:]:
        wrong = [sheet.wrong[line, column] for column in head if (line, column) in sheet.wrong]
        if wrong:
            yield Fault(line=line, text=wrong[0])
        else:
            yield line, [cells.get(column, "") for column in head]


def write_spreadsheet(tree: Sequence[tuple[Branch, Unit]]) -> FileWritten:
    """The tree with all that is known of each unit; what begins like a formula is marked as text."""
    rows = (COLUMNS, *(cells_of(branch, unit) for branch, unit in tree))
    data = write_sheet("ORBAT", rows, numbers=NUMBER_PLACES, is_formula=lambda text: text.startswith(FORMULA))
    return FileWritten(data=data)
