"""The order of battle as XLSX: another program reads what goes out, what it wrote comes in, hostile files do not."""

import base64
import io
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from time import process_time
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aquila.features.orbat.file_unit import FileRead
from aquila.features.orbat.importing import ImportOrbat, planned_of
from aquila.features.orbat.sheet_file import read_spreadsheet, write_spreadsheet
from aquila.features.orbat.unit import Branch, Caveat, Holding, Strength, Unit, tree_of
from aquila.testing.hostile_zip import HOSTILE_ZIPS
from tests.staff.test_orbat_files import AT_MS, FIELDS, MORE, TREE, orders_of_battle, tree

MIB = 1 << 20


def read(data: bytes) -> FileRead:
    return read_spreadsheet(base64.b64encode(data).decode())


def saved(book: openpyxl.Workbook) -> bytes:
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def book_of(*rows: list[Any]) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    return book


def with_part(data: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """The same package with one part changed."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            part = old.read(info)
            new.writestr(info.filename, change(part) if info.filename == name else part)
    return packed.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def fault(data: bytes) -> tuple[int, str]:
    first = read(data).faults[0]
    return first.line, first.text


def test_a_sheet_is_shown_first_and_then_becomes_the_tree_and_goes_out_again(desk: Any) -> None:
    desk.post("/orbat/import", format="text", content=TREE)
    file = desk.get("/orbat/file", format="xlsx")
    assert file["name"].endswith(".xlsx")
    assert file["text"] == ""
    book = openpyxl.load_workbook(io.BytesIO(base64.b64decode(file["base64"])))
    rows = list(book.active.iter_rows(values_only=True))
    at = {name: place for place, name in enumerate(rows[0])}
    assert [row[at["name"]] for row in rows[1:]] == ["MN BDE", "1 MTN BN", "A COY", "2 MTN BN"]
    assert rows[2][at["present"]] == 550
    assert book.active.freeze_panes == "A2"
    # Somebody changes a figure and adds a company in a spreadsheet program, and brings it back.
    book.active.cell(3, at["present"] + 1, 500)
    book.active.append([None, "B COY", "1 MTN BN"])
    content = base64.b64encode(saved(book)).decode()
    plan = desk.post("/orbat/import/plan", format="xlsx", content=content)
    assert [(row["line"], row["does"]) for row in plan["rows"] if row["does"] != "keep"] == [(3, "change"), (6, "make")]
    assert desk.post("/orbat/import", format="xlsx", content=content) == {"made": 1, "changed": 1, "kept": 3}
    assert desk.get("/orbat")[1]["unit"]["strength"]["present"] == 500


def test_cells_are_read_as_people_see_them() -> None:
    from_at = datetime(2026, 11, 25, 14, 0, tzinfo=UTC).replace(tzinfo=None)
    book = book_of(
        ["Name", "Parent", "from", "Short", None, "notice min", "remarks"],
        ["HQ", None, None, 12, "beside the table", None, True],
        ["A", "HQ", from_at, "=A", None, 30.5, "_x0041_ <&> 'é'"],
    )
    book.active["D3"].data_type = "s"
    book.create_sheet("Notes").append(["name", "nothing of this"])
    found = read(saved(book))
    assert found.faults == ()
    first, second = found.units
    assert (first.fields["short"], first.fields["remarks"]) == ("12", "TRUE")
    assert (second.fields["short"], second.fields["remarks"]) == ("=A", "A <&> 'é'")
    assert second.parents is not None
    assert second.parents[0].from_ms == int(from_at.replace(tzinfo=UTC).timestamp() * 1000)
    assert "only the sheet Sheet is read, not Notes" in found.notes[0]


def test_texts_that_cells_point_to_are_read_without_how_they_are_spoken() -> None:
    runs = "<x:r><x:t>HQ </x:t></x:r><x:r><x:t>2</x:t></x:r><x:rPh><x:t>kana</x:t></x:rPh>"
    strings = f"<x:si><x:t>no</x:t></x:si><x:si>{runs}</x:si>"
    data = with_strings(grown('<row><c t="s"><v>1</v></c></row></sheetData>'), strings)
    assert [unit.name for unit in read(data).units] == ["HQ 2"]


def test_the_sheet_that_is_shown_first_is_read() -> None:
    book = book_of(["name"], ["hidden"])
    book.create_sheet("Second").append(["name"])
    book["Second"].append(["seen"])
    book["Sheet"].sheet_state = "hidden"
    assert [unit.name for unit in read(saved(book)).units] == ["seen"]


def merged() -> openpyxl.Workbook:
    book = book_of(["name", "parent"], ["HQ", ""], ["A", "HQ"], ["B", None])
    book.active.merge_cells("B3:B4")
    return book


@pytest.mark.parametrize(
    ("book", "line", "says"),
    [
        (book_of(["name", "short"], ["A", "=1+1"]), 2, "B2 is a formula, which is not worked out here: put its value"),
        (book_of(["name", "short"], ["A", "x"], ["B", "#N/A"]), 3, "B3 says #N/A: correct it"),
        (merged(), 3, "B3:B4 are merged: undo it and fill each cell"),
        (book_of(["name", "colour"], ["A", "red"]), 1, "columns colour are unknown"),
        (book_of(["name", "authorised"], ["A", "many"]), 2, "is no number"),
        (book_of(), 0, "is empty: fill it"),
        (book_of(["name"], *(["A"] for _ in range(5_100))), 5_002, "more than 5000 units in one file"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(book: openpyxl.Workbook, line: int, says: str) -> None:
    found_line, text = fault(saved(book))
    assert found_line == line
    assert says in text


def grown(cells: str) -> bytes:
    """A sheet with these rows below its head, whatever they unpack to."""
    return with_part(saved(book_of(["name"])), SHEET, lambda part: part.replace(b"</sheetData>", cells.encode()))


def million_rows() -> bytes:
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>' for n in range(2, 1_000_000))
    return grown(rows + "</sheetData>")


def with_strings(data: bytes, strings: str) -> bytes:
    """The same with texts that cells point to, as most programs write them."""
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    row = f'<Relationship Id="s" Type="{kind}" Target="/xl/texts.xml"/></Relationships>'
    pointed = with_part(
        data, "xl/_rels/workbook.xml.rels", lambda part: part.replace(b"</Relationships>", row.encode())
    )
    packed = io.BytesIO(pointed)
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/texts.xml", f'<x:sst xmlns:x="urn:any">{strings}</x:sst>')
    return packed.getvalue()


def long_text_many_times() -> bytes:
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(2, 4_000))
    return with_strings(grown(rows + "</sheetData>"), f"<x:si><x:t>{'x' * 32_000}</x:t></x:si>")


def with_styles(formats: str) -> bytes:
    whole = f"<styleSheet><cellXfs>{formats}</cellXfs></styleSheet>".encode()
    return with_part(saved(book_of(["name"], ["A"])), "xl/styles.xml", lambda _: whole)


def entity_bomb() -> bytes:
    doctype = b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    return with_part(saved(book_of(["name"], ["A"])), SHEET, lambda part: doctype + part)


def test_a_format_by_a_number_of_many_digits_shows_no_time() -> None:
    (unit,) = read(with_styles(f'<xf numFmtId="{"9" * 9_000}"/>')).units
    assert unit.name == "A"


def test_what_is_no_base64_is_said_to_be_something_else() -> None:
    for content in ("ßß", "!!", "\0"):
        assert "this is something else" in read_spreadsheet(content).faults[0].text


def test_half_a_character_in_a_cell_does_not_reach_the_journal() -> None:
    cell = '<row r="2"><c r="A2" t="inlineStr"><is><t>B_xD800_N</t></is></c></row></sheetData>'
    (unit,) = read(grown(cell)).units
    assert unit.name == "B?N"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (million_rows, "unpacks to 4[0-9] MiB, at most 8"),
        (
            lambda: grown("".join(f'<row r="{n}"><c><v>1</v></c></row>' for n in range(2, 9_000)) + "</sheetData>"),
            "6000",
        ),
        (lambda: grown('<row r="9999999"/></sheetData>'), "'9999999' is no number from 0 to 1048576"),
        (lambda: grown('<row r="2"><c r="ZZZ2"><v>1</v></c></row></sheetData>'), "there is no column ZZZ"),
        (lambda: grown('<row r="2"><c t="s"><v>7</v></c></row></sheetData>'), "is no number from 0 to"),
        (lambda: grown("<row"), "sheet1.xml is no XML"),
        (long_text_many_times, "too much text"),
        (entity_bomb, "has a DOCTYPE"),
        (lambda: grown("<row>" + "<c><f/></c>" * 30_000 + "</row></sheetData>"), "more than 20000 cells hold formulas"),
        (lambda: grown("</sheetData>" + '<mergeCell ref="A1:B2"/>' * 30_000), "more than 20000 merged cells"),
        (lambda: with_styles("<xf/>" * 80_000), "more than 70000 formats"),
        (lambda: bytes.fromhex("d0cf11e0a1b11ae1") + bytes(512), "old .xls or has a password"),
        (lambda: b"name,parent\nA,B\n", "this is no XLSX file: save the sheet"),
        (lambda: with_part(saved(book_of(["name"])), "_rels/.rels", lambda _: b"<Relationships/>"), "this is no XLSX"),
    ],
)
def test_a_hostile_file_is_refused_with_a_sentence_and_soon(make: Callable[[], bytes], says: str) -> None:
    data = make()
    began = process_time()
    line, text = fault(data)
    assert process_time() - began < 20, "the bound is far above what it takes, and far below what it could be made to"
    assert line == 0
    assert re.search(says, text), text


@pytest.mark.parametrize("name", HOSTILE_ZIPS)
def test_hostile_zips_are_no_spreadsheets(name: str) -> None:
    make, _ = HOSTILE_ZIPS[name]
    line, text = fault(make())
    assert line == 0
    assert text


def test_text_that_looks_like_a_formula_goes_out_as_text_and_stays_it() -> None:
    unit = Unit(name="=cmd|' /C calc'!A0", remarks="+1 _x0041_", strength=Strength(authorised=3, assigned=2, present=1))
    data = write_spreadsheet([(Branch(id="a", depth=0, parent=None), unit)]).data
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    names = [cell.value for cell in sheet[1]]
    cell = sheet.cell(2, names.index("name") + 1)
    assert (cell.value, cell.data_type, cell.quotePrefix) == (unit.name, "s", True)
    assert sheet.cell(2, names.index("present") + 1).value == 1
    assert (read(data).units[0].name, read(data).units[0].fields["remarks"]) == (unit.name, unit.remarks)
    assert data == write_spreadsheet([(Branch(id="a", depth=0, parent=None), unit)]).data


def test_slashes_that_end_what_somebody_wrote_stay() -> None:
    unit = Unit(name="A", caveats=(Caveat(text="/"), Caveat(text="no night/")), equipment=(Holding(name="rope/"),))
    data = write_spreadsheet([(Branch(id="a", depth=0, parent=None), unit)]).data
    planned = planned_of(read(data), ImportOrbat(format="xlsx", content="x"), {}, AT_MS, lambda: "a")
    (change,) = planned.changes
    assert (change.after.caveats, change.after.equipment) == (unit.caveats, unit.equipment)


@settings(max_examples=60)
@given(orders_of_battle(["ORGANIC", "OPCON", "TACOM"], **FIELDS, **MORE))
def test_a_sheet_written_and_read_is_the_same_tree_with_all_its_fields(units: dict[str, Unit]) -> None:
    data = write_spreadsheet([(branch, units[branch.id]) for branch in tree_of(units, AT_MS)]).data
    ids = iter(range(1000))
    planned = planned_of(read(data), ImportOrbat(format="xlsx", content="x"), {}, AT_MS, lambda: f"n{next(ids)}")
    assert planned.faults == []
    assert tree({change.id: change.after for change in planned.changes}) == tree(units)


GOOD = saved(book_of(["name", "short", "strength"][:2], ["HQ", "H"], ["A", 7]))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(list(zipfile.ZipFile(io.BytesIO(GOOD)).namelist())), st.data())
def test_whatever_a_part_holds_it_is_read_or_refused(name: str, data: st.DataObject) -> None:
    def spoiled(part: bytes) -> bytes:
        start = data.draw(st.integers(0, len(part)))
        return part[:start] + data.draw(st.binary(max_size=20)) + part[start + data.draw(st.integers(0, 20)) :]

    found = read(with_part(GOOD, name, spoiled))
    assert all(each.text for each in found.faults)


@given(st.binary(max_size=300))
def test_whatever_is_dropped_on_it_is_read_or_refused(data: bytes) -> None:
    assert read(data).faults
