"""The order of battle as files: what goes out comes in the same, and what is wrong is said by line before writing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aquila.core.model import Paper
from aquila.features import orbat
from aquila.features.orbat.file_unit import FileRead, FileWritten
from aquila.features.orbat.importing import ImportOrbat, planned_of
from aquila.features.orbat.msdl_file import read_msdl, write_msdl
from aquila.features.orbat.table_file import read_table, write_table
from aquila.features.orbat.text_file import read_text, write_text
from aquila.features.orbat.unit import (
    ECHELONS,
    Branch,
    Caveat,
    Holding,
    Parent,
    Readiness,
    Strength,
    Unit,
    parent_of,
    tree_of,
)
from aquila.testing.memory_node import OPEN, MemoryPort

AT_MS = 1_800_000_000_000
HOUR_MS = 3_600_000
VECTORS = Path(orbat.__file__).parent / "vectors"
TREE = """\
# the brigade
MN BDE | echelon BRIGADE | nation ITA
    1 MTN BN | BATTALION | strength 600/580/550 | callsigns LEOPARD; LEOPARD 6
        A COY | COMPANY
    2 MTN BN | OPCON
"""


def shape(desk: Any, **params: Any) -> list[tuple[int, str]]:
    return [(row["depth"], row["unit"]["name"]) for row in desk.get("/orbat", **params)]


def test_indented_text_is_shown_first_and_then_becomes_the_tree(desk: Any) -> None:
    plan = desk.post("/orbat/import/plan", format="text", content=TREE)
    assert (plan["made"], plan["changed"], plan["kept"], plan["faults"]) == (4, 0, 0, [])
    assert [(row["line"], row["does"], row["under"]) for row in plan["rows"]][2] == (4, "make", "1 MTN BN")
    assert desk.get("/orbat") == []
    assert desk.post("/orbat/import", format="text", content=TREE) == {"made": 4, "changed": 0, "kept": 0}
    assert shape(desk) == [(0, "MN BDE"), (1, "1 MTN BN"), (2, "A COY"), (1, "2 MTN BN")]
    battalion = desk.get("/orbat")[1]["unit"]
    assert battalion["strength"] == {"authorised": 600.0, "assigned": 580.0, "present": 550.0}
    assert battalion["callsigns"] == ["LEOPARD", "LEOPARD 6"]
    # The same file once more changes nothing, and writes nothing.
    assert desk.post("/orbat/import", format="text", content=TREE) == {"made": 0, "changed": 0, "kept": 4}
    assert len(desk.get(f"/orbat/units/{desk.get('/orbat')[1]['id']}")["steps"]) == 1


def test_a_file_moves_a_unit_from_a_time_on_and_before_stays_before(desk: Any, port: Any) -> None:
    desk.post("/orbat/import", format="text", content=TREE)
    moved = "MN BDE\n  1 MTN BN\n  2 MTN BN | OPCON\n    A COY | TACON\n"
    plan = desk.post("/orbat/import/plan", format="text", content=moved, at_ms=port.now_ms + HOUR_MS)
    changes = [change for row in plan["rows"] if row["does"] == "change" for change in row["changes"]]
    assert [(change["text"], change["act"]) for change in changes] == [
        ("under: 1 MTN BN (ORGANIC) → 2 MTN BN (TACON)", "orbat.change.under")
    ]
    desk.post("/orbat/import", format="text", content=moved, at_ms=port.now_ms + HOUR_MS)
    assert shape(desk)[2] == (2, "A COY")
    assert shape(desk, at_ms=port.now_ms + HOUR_MS) == [(0, "MN BDE"), (1, "1 MTN BN"), (1, "2 MTN BN"), (2, "A COY")]


@pytest.mark.parametrize(
    ("format", "content", "line", "says"),
    [
        ("text", "MN BDE | colour red", 1, "is not understood: write one of"),
        ("text", "MN BDE | nation Italy", 1, "nation"),
        ("text", "A\nB | strength many", 2, "is no number"),
        ("text", "# nothing", 0, "write one unit a line"),
        ("csv", "name,colour\nA,red", 1, "columns colour are unknown"),
        ("csv", "parent\nA", 1, "the first line names some of"),
        ("csv", "name,parent\nA,GHOST", 2, "no unit, here or in the file, is called GHOST: add a line"),
        ("csv", "name,parent\nA,B\nB,A", 2, "would stand under itself"),
        ("csv", "name,parent\nA,A", 2, "would stand under itself"),
        ("csv", "name,parent,from\nA,,\nB,A,yesterday", 3, "write it like 2026-11-25T14:00Z"),
        ("csv", "name,parent,relation\nA,,\nB,A,FRIENDS", 3, "FRIENDS"),
        ("csv", 'name\n"A', 2, "cannot be read as a table"),
        ("csv", "id,name\nx,A\nx,B", 0, "one id stands in several rows"),
        ("msdl", "<a", 1, "this is no XML"),
        ("msdl", "<Order/>", 1, "an MSDL file has MilitaryScenario"),
        ("msdl", '<!DOCTYPE a [<!ENTITY b "c">]><MilitaryScenario>&b;</MilitaryScenario>', 1, "has a DOCTYPE"),
        ("msdl", "<MilitaryScenario/>", 0, "0 units in it"),
    ],
)
def test_what_is_wrong_is_said_by_line_and_nothing_is_written(
    desk: Any, format: str, content: str, line: int, says: str
) -> None:
    plan = desk.post("/orbat/import/plan", format=format, content=content)
    assert [(fault["line"], says in fault["text"]) for fault in plan["faults"]][:1] == [(line, True)], plan["faults"]
    assert all(fault["act"] for fault in plan["faults"]), plan["faults"]
    refused = desk.post("/orbat/import", 422, format=format, content=content)["error"]
    assert says in refused["reason"]
    assert refused["act"]
    assert desk.get("/orbat") == []


def test_a_name_that_two_units_have_is_not_guessed(desk: Any) -> None:
    desk.post("/orbat/import", format="text", content="1 BN\n  A COY\n2 BN\n  A COY\n")
    # Under a parent it is clear which is meant; alone it is not.
    assert desk.post("/orbat/import", format="text", content="2 BN\n  A COY | short A2\n")["changed"] == 1
    plan = desk.post("/orbat/import/plan", format="text", content="A COY | short A\n")
    assert "2 units are called A COY: say which with the column id" in plan["faults"][0]["text"]


def test_a_file_goes_under_a_unit_that_is_there(desk: Any) -> None:
    top = desk.post("/orbat/units", unit={"name": "MN BDE"})["id"]
    desk.post("/orbat/import", format="text", content="1 BN\n  A COY\n", under=top)
    assert shape(desk) == [(0, "MN BDE"), (1, "1 BN"), (2, "A COY")]
    plan = desk.post("/orbat/import/plan", format="text", content="2 BN", under="nobody")
    assert "choose another" in plan["faults"][0]["text"]


def test_only_an_operator_imports_and_everybody_exports_what_may_be_seen(desk: Any, viewer: Any, partner: Any) -> None:
    desk.post("/orbat/import", format="text", content=TREE)
    viewer.post("/orbat/import/plan", 403, format="text", content=TREE)
    for format in ("text", "csv", "msdl"):
        assert viewer.get("/orbat/file", format=format)["base64"] == ""
        assert "1 MTN BN" in viewer.get("/orbat/file", format=format)["text"]
    lost = viewer.get("/orbat/file", format="msdl")["losses"]
    assert any("callsigns" in told["text"] and "strength" in told["text"] for told in lost)
    assert all(told["act"] for told in lost), lost


def test_a_scenario_of_another_program_is_read_one_side_at_a_time(desk: Any) -> None:
    content = (VECTORS / "SimpleScenario.xml").read_text()
    plan = desk.post("/orbat/import/plan", format="msdl", content=content)
    assert plan["faults"] == []
    assert plan["rows"][0]["name"] == "HQ"
    assert {row["under"] for row in plan["rows"][1:]} == {"HQ"}
    assert any("other sides than Friendly" in note["text"] for note in plan["notes"])
    assert all(note["act"] for note in plan["notes"]), plan["notes"]
    desk.post("/orbat/import", format="msdl", content=content)
    assert {(row["depth"], row["unit"]["echelon"]) for row in desk.get("/orbat")[1:]} == {
        (1, "BATTALION"),
        (1, "COMPANY"),
    }
    hostile = desk.post("/orbat/import/plan", format="msdl", content=content, side="Hostile")
    assert hostile["rows"][0]["name"] == "HQ2"
    unknown = desk.post("/orbat/import/plan", format="msdl", content=content, side="Neutral")
    assert "Friendly, Hostile, Army are" in unknown["faults"][0]["text"]


def test_a_cell_that_a_spreadsheet_would_work_out_is_written_as_text() -> None:
    unit = Unit(name="=1+1", remarks="@home")
    text = write_table([(Branch(id="a", depth=0, parent=None), unit)]).text
    assert ",'@home" in text
    assert "'=1+1" in text
    assert read_table(text).units[0].name == "=1+1"


# -- what goes out comes in the same ----------------------------------------------------------------------------------

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=12)
COUNTS = st.integers(0, 9999).map(float) | st.floats(0, 1e6)
TIMES = st.integers(AT_MS - 10**9, AT_MS + 10**9)
HOLDINGS = st.builds(
    Holding,
    name=WORDS,
    authorised=COUNTS,
    on_hand=COUNTS,
    serviceable=st.none() | COUNTS,
    supply_class=st.none() | st.sampled_from(["III diesel", "V", "water/food; x"]),
    per_day=st.none() | COUNTS,
)
FIELDS = {
    "short": st.none() | WORDS,
    "nation": st.sampled_from([None, "ITA", "FRA"]),
    "echelon": st.sampled_from([None, *ECHELONS]),
    "branch": st.none() | WORDS,
    "callsigns": st.lists(WORDS, max_size=2).map(tuple),
    "strength": st.none() | st.builds(Strength, authorised=COUNTS, assigned=COUNTS, present=COUNTS),
}
MORE = {
    "sidc": st.sampled_from([None, "10031000161211000000"]),
    "trackers": st.lists(WORDS, max_size=2).map(tuple),
    "equipment": st.lists(HOLDINGS, max_size=2).map(tuple),
    "supplies": st.lists(HOLDINGS, max_size=2).map(tuple),
    "readiness": st.none() | st.builds(Readiness, status=st.sampled_from(["FULL", "NOT"]), reason=WORDS),
    "caveats": st.lists(st.builds(Caveat, text=WORDS, until_ms=st.none() | TIMES), max_size=2).map(tuple),
    "remarks": WORDS,
}


@st.composite
def orders_of_battle(draw: st.DrawFn, relations: list[str], **fields: Any) -> dict[str, Unit]:
    """Units with ids u0, u1 ...; each stands under one made before it, or at the top."""
    names = draw(st.lists(WORDS, min_size=1, max_size=8, unique_by=str.casefold))
    units: dict[str, Unit] = {}
    for place, name in enumerate(names):
        above = draw(st.none() | st.integers(0, place - 1)) if place else None
        parents: tuple[Parent, ...] = ()
        if above is not None:
            relation: Any = draw(st.sampled_from(relations))
            parents = (Parent(unit=f"u{above}", relation=relation),)
        units[f"u{place}"] = Unit(name=name, parents=parents, **{key: draw(value) for key, value in fields.items()})
    return units


def again(units: dict[str, Unit], write: Callable[[Any], FileWritten], read: Callable[[str], FileRead]) -> list[Any]:
    """The tree after export and import into an empty order of battle: depth, relation and unit without ids."""
    written = write([(branch, units[branch.id]) for branch in tree_of(units, AT_MS)])
    ids = iter(range(1000))
    ask = ImportOrbat(format="csv", content="x")
    planned = planned_of(read(written.text), ask, {}, AT_MS, lambda: f"n{next(ids)}")
    assert planned.faults == []
    return tree({change.id: change.after for change in planned.changes})


def tree(units: dict[str, Unit]) -> list[Any]:
    rows = []
    for branch in tree_of(units, AT_MS):
        parent = parent_of(units[branch.id], AT_MS)
        unit = units[branch.id]
        plain = {name: getattr(unit, name) for name in Unit.__struct_fields__ if name != "parents"}
        rows.append((branch.depth, None if parent is None else parent.relation, plain))
    return rows


@pytest.mark.parametrize("blank", ["\u00a0", "\u3000", "\u2003", " "])
@pytest.mark.parametrize("name", ["{}", "{}#1", "A{}", "{}A {}"])
def test_a_name_with_blanks_of_any_kind_at_its_ends_stays_whole(name: str, blank: str) -> None:
    units = {"u0": Unit(name=name.replace("{}", blank), short=f"{blank}a{blank}"), "u1": Unit(name="B")}
    assert again(units, write_text, read_text) == tree(units)


@settings(max_examples=60)
@given(orders_of_battle(["ORGANIC", "OPCON", "TACOM"], **FIELDS))
def test_text_written_and_read_is_the_same_tree(units: dict[str, Unit]) -> None:
    assert again(units, write_text, read_text) == tree(units)


@settings(max_examples=60)
@given(orders_of_battle(["ORGANIC", "OPCON", "TACOM"], **FIELDS, **MORE))
def test_a_table_written_and_read_is_the_same_tree_with_all_its_fields(units: dict[str, Unit]) -> None:
    assert again(units, write_table, read_table) == tree(units)


@settings(max_examples=60)
@given(orders_of_battle(["ORGANIC", "OPCON", "TACON", "OPCOM"], echelon=st.sampled_from([None, *ECHELONS[:12]])))
def test_msdl_written_and_read_is_the_same_tree(units: dict[str, Unit]) -> None:
    assert again(units, lambda rows: write_msdl(rows, AT_MS, "test"), read_msdl) == tree(units)


@settings(max_examples=80)
@given(st.sampled_from([read_text, read_table, read_msdl]), st.text(max_size=200))
def test_whatever_is_dropped_on_it_is_read_or_refused(read: Callable[[str], FileRead], content: str) -> None:
    found = read(content)
    assert all(fault.text for fault in found.faults)


def test_a_line_that_may_not_be_written_keeps_all_others_out(desk: Any, port: MemoryPort) -> None:
    desk.post("/orbat/import", format="text", content="1 BN\n")
    theirs = msgspec.structs.replace(OPEN, groups=("COMMON", "FIELD"))
    fields = {"name": "2 BN"}
    port.say(Paper(type="orbat.unit", target="u2", action="create", happened_at_ms=port.now_ms, fields=fields), theirs)
    content = "name,short\n1 BN,1\n3 BN,3\n2 BN,2\n"
    refused = desk.post("/orbat/import", 403, format="csv", content=content)["error"]["reason"]
    assert "line 4" in refused
    assert "nothing was written" in refused
    assert shape(desk) == [(0, "1 BN"), (0, "2 BN")]
    assert [row["unit"].get("short") for row in desk.get("/orbat")] == [None, None]


def test_an_import_is_one_commit(desk: Any, port: MemoryPort, monkeypatch: pytest.MonkeyPatch) -> None:
    commits: list[int] = []
    append = port.journal.append
    monkeypatch.setattr(port.journal, "append", lambda entries: commits.append(len(entries)) or append(entries))
    desk.post("/orbat/import", format="text", content=TREE)
    assert commits == [4]
