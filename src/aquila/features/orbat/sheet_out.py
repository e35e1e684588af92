"""A table as a spreadsheet with one sheet (XLSX, ISO/IEC 29500-1): numbers, and text that stays text."""

import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from xml.sax.saxutils import escape

from aquila.features.orbat.sheet_in import HIDDEN_CHAR, letters_of

FIXED_TIME = (1980, 1, 1, 0, 0, 0)
"""Of every part: the same table gives the same bytes."""
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{KIND}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{KIND}.styles+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="r2" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>',
    # The second cell format marks text that would begin a formula if somebody edits the cell.
    "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font>'
    '</fonts><fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}


def write_sheet(
    name: str, rows: Iterable[Sequence[str]], *, numbers: frozenset[int], is_formula: Callable[[str], bool]
) -> bytes:
    """A file with one sheet, whose first row stays in sight.

    Args:
        name: of the sheet.
        rows: cells as text; "" = empty.
        numbers: columns (from 0) whose cells are numbers, below the first row.
        is_formula: would a spreadsheet work this text out?
    """
    sheet = [
        f'{HEAD}<worksheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>'
    ]
    cell = partial(_cell, numbers=numbers, is_formula=is_formula)
    for line, row in enumerate(rows, start=1):
        cells = "".join(cell(line, place, text) for place, text in enumerate(row) if text)
        sheet.append(f'<row r="{line}">{cells}</row>')
    sheet.append("</sheetData></worksheet>")
    book = (
        f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
        f'<sheet name="{escape(name)}" sheetId="1" r:id="r1"/></sheets></workbook>'
    )
    parts = {**PARTS, "xl/workbook.xml": book}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, text in (*((path, HEAD + text) for path, text in parts.items()), (SHEET_PATH, "".join(sheet))):
            archive.writestr(zipfile.ZipInfo(path, FIXED_TIME), text, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


SHEET_PATH = "xl/worksheets/sheet1.xml"


def _cell(line: int, place: int, text: str, *, numbers: frozenset[int], is_formula: Callable[[str], bool]) -> str:
    ref = f"{letters_of(place + 1)}{line}"
    if line > 1 and place in numbers:
        return f'<c r="{ref}"><v>{text}</v></c>'
    style = ' s="1"' if is_formula(text) else ""
    # A text that looks like a hidden character is none: its underscore is hidden itself.
    kept = HIDDEN_CHAR.sub(r"_x005F_x\1_", text)
    return f'<c r="{ref}"{style} t="inlineStr"><is><t xml:space="preserve">{escape(kept)}</t></is></c>'
