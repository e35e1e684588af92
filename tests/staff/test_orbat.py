"""The order of battle: a tree at any time, edits that see each other, nothing that stands under itself."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aquila.features.orbat.unit import Parent, Unit, loop_with, tree_of

HOUR_MS = 3_600_000


def make(desk: Any, name: str, parent: str | None = None, **fields: Any) -> str:
    parents = [{"unit": parent}] if parent else []
    made: str = desk.post("/orbat/units", unit={"name": name, "parents": parents, **fields})["id"]
    return made


def shape(desk: Any, **params: Any) -> list[tuple[int, str]]:
    return [(row["depth"], row["unit"]["name"]) for row in desk.get("/orbat", **params)]


def test_a_company_moves_to_another_battalion_from_a_time_on(desk: Any, port: Any) -> None:
    brigade = make(desk, "Brigade", echelon="BRIGADE")
    first, second = (make(desk, f"{n} Bn", brigade, echelon="BATTALION") for n in (1, 2))
    company = make(desk, "A Coy", first, echelon="COMPANY")
    make(desk, "1 Plt", company, echelon="PLATOON")
    assert shape(desk) == [(0, "Brigade"), (1, "1 Bn"), (2, "A Coy"), (3, "1 Plt"), (1, "2 Bn")]
    move_ms = port.now_ms + HOUR_MS
    desk.post(f"/orbat/units/{company}/parent", parent=second, relation="OPCON", at_ms=move_ms)
    assert shape(desk)[2] == (2, "A Coy")
    assert shape(desk, at_ms=move_ms) == [(0, "Brigade"), (1, "1 Bn"), (1, "2 Bn"), (2, "A Coy"), (3, "1 Plt")]
    assert shape(desk, at_ms=move_ms, at_home=True)[2] == (2, "A Coy")
    port.now_ms = move_ms + HOUR_MS
    desk.post(f"/orbat/units/{company}/parent", parent=None, relation="OPCON")
    assert shape(desk)[2] == (2, "A Coy")
    assert shape(desk, at_ms=move_ms)[3] == (2, "A Coy")


def test_what_cannot_be_is_refused_with_a_sentence(desk: Any, port: Any) -> None:
    upper = make(desk, "Upper")
    lower = make(desk, "Lower", upper)
    loop = desk.post(f"/orbat/units/{upper}/parent", 422, parent=lower)
    assert "Upper would stand under itself through Lower" in str(loop)
    itself = desk.post(f"/orbat/units/{upper}/parent", 422, parent=upper)
    assert "under itself" in str(itself)
    assert "make it first" in str(desk.post(f"/orbat/units/{upper}/parent", 422, parent="nobody"))
    assert "name some of" in str(desk.post(f"/orbat/units/{upper}", 422, fields={"colour": "red"}))
    assert "nation" in str(desk.post(f"/orbat/units/{upper}", 422, fields={"nation": "Italy"}))
    assert "move them first" in str(desk.delete(f"/orbat/units/{upper}", 422))
    late = desk.post(f"/orbat/units/{lower}/parent", 422, parent=upper, at_ms=2_000, until_ms=1_000)
    assert "is not after" in str(late)
    desk.post("/orbat/units", 400, unit={"name": "x" * 100_000})


def test_two_who_edit_at_once_see_a_conflict_and_lose_nothing(desk: Any) -> None:
    unit = make(desk, "A Coy")
    (before,) = desk.get("/orbat")
    desk.post(f"/orbat/units/{unit}", fields={"short": "A"}, seen=before["heads"])
    desk.post(f"/orbat/units/{unit}", fields={"short": "ALPHA", "branch": "mountain"}, seen=before["heads"])
    detail = desk.get(f"/orbat/units/{unit}")
    assert (detail["unit"]["short"], detail["unit"]["branch"]) == ("ALPHA", "mountain")
    (conflict,) = detail["conflicts"]
    assert (conflict["field"], conflict["kept"], conflict["other"]) == ("short", "ALPHA", "A")
    assert desk.get("/orbat")[0]["conflicts"] == 1
    desk.post(f"/orbat/units/{unit}", fields={"short": "A"}, seen=detail["heads"])
    assert desk.get(f"/orbat/units/{unit}")["conflicts"] == []
    assert [step["action"] for step in desk.get(f"/orbat/units/{unit}")["steps"]] == ["edit", "edit", "edit", "create"]


def test_a_viewer_reads_and_does_not_write(desk: Any, viewer: Any) -> None:
    make(desk, "A Coy")
    assert shape(viewer) == [(0, "A Coy")]
    viewer.post("/orbat/units", 403, unit={"name": "B Coy"})


def test_removed_is_gone_from_the_tree_and_cannot_be_edited(desk: Any, port: Any) -> None:
    unit = make(desk, "A Coy")
    before_ms = port.now_ms
    port.now_ms += 1000
    desk.delete(f"/orbat/units/{unit}")
    assert desk.get("/orbat") == []
    desk.post(f"/orbat/units/{unit}", 404, fields={"short": "A"})
    assert port.now_ms > before_ms


UNITS = st.dictionaries(
    st.sampled_from("abcdef"),
    st.lists(
        st.builds(
            Parent,
            unit=st.sampled_from("abcdefg"),
            relation=st.sampled_from(["ORGANIC", "OPCON", "TACON", "SUPPORT"]),
            from_ms=st.none() | st.integers(0, 5),
            until_ms=st.none() | st.integers(0, 9),
        ),
        max_size=3,
    ).map(lambda parents: Unit(name="x", parents=tuple(parents))),
    max_size=6,
)


@given(UNITS, st.integers(0, 9))
def test_whatever_was_merged_every_unit_stands_once_and_after_its_parent(units: dict[str, Unit], at_ms: int) -> None:
    tree = tree_of(units, at_ms)
    assert sorted(branch.id for branch in tree) == sorted(units)
    above: list[str] = []
    for branch in tree:
        above = above[: branch.depth]
        assert len(above) == branch.depth
        assert branch.problem or branch.parent is None or above[-1] == branch.parent.unit
        above.append(branch.id)


@given(UNITS.filter(lambda units: "a" in units))
def test_a_loop_is_found_before_it_is_made(units: dict[str, Unit]) -> None:
    through = loop_with(units, "a", units["a"])
    is_cut = any(
        "under itself" in branch.problem
        for at_ms in range(-1, 11)
        for at_home in (False, True)
        for branch in tree_of(units, max(0, at_ms), at_home=at_home)
    )
    if through is not None:
        assert is_cut


def test_a_chain_of_many_units_is_no_trouble() -> None:
    count = 5_000
    units = {str(n): Unit(name=str(n), parents=(Parent(unit=str(n - 1)),) if n else ()) for n in range(count)}
    assert [branch.depth for branch in tree_of(units, 0)] == list(range(count))
