from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from aquila.core.model import Alias, Audience, Emergency, Geometry, Removal, Tick, Verdict
from aquila.core.policy import Policy, release
from aquila.features.picture import Picture
from aquila.features.picture.view import CELLS_MAX, LATEST_MS

POLICY = Policy()


def reader(nation: str = "ITA", clearance: str = "SECRET", groups: tuple[str, ...] = ("COMMON", "STAFF")) -> Any:
    audience = Audience("EXERCISE:TEST", nation, clearance, (), frozenset(groups))
    return lambda label, context: release(POLICY, label, context, audience)


def removal(make: Any, uid: str, number: int) -> Removal:
    return Removal(entity=make.report(uid, 0).entity, alias=Alias("cot", uid), happened_at_ms=make.start_ms + number)


@st.composite
def arrivals(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    """Kinds, uids, authors and labels; numbers make the stamps, so each stands once."""
    count = draw(st.integers(1, 40))
    kinds = st.sampled_from(["sample", "end", "report", "emergency", "removal", "tick"])
    rows = st.tuples(kinds, st.integers(0, 2), st.integers(0, 11), st.integers(0, 2), st.integers(0, 60))
    return [(number, *draw(rows)) for number in range(count)]


def built(make: Any, row: tuple[Any, ...]) -> Any:
    number, kind, uid, author, label, hours = row
    # Some lie hours apart, so that purging takes part.
    number += hours * 3600
    by, marking, name = f"device:{author}", make.labels[label], f"U{uid}"
    if kind in ("sample", "end"):
        return make.sample(name, number, by, marking, ended=kind == "end")
    if kind == "tick":
        return Tick(make.start_ms + number * 1000, make.stamp(number))
    if kind == "removal":
        return make.entry(removal(make, name, number), number, by, marking)
    beacon = Emergency("b-a-o-tbl", number % 2 == 0) if kind == "emergency" else None
    return make.entry(make.report(name, number, emergency=beacon), number, by, marking)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=arrivals(), seed=st.randoms(use_true_random=False))
def test_any_order_of_the_same_arrivals_folds_to_the_same_state(make: Any, rows: Any, seed: Any) -> None:
    heard = [built(make, row) for row in rows]
    one, other = Picture(), Picture()
    for arrival in heard:
        one.fold(arrival)
    shuffled = heard + heard[: len(heard) // 3]
    seed.shuffle(shuffled)
    for arrival in shuffled:
        other.fold(arrival)
    assert one.snapshot() == other.snapshot()


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=arrivals(), cut=st.integers(0, 40))
def test_a_snapshot_and_the_rest_are_as_good_as_all(make: Any, rows: Any, cut: int) -> None:
    heard = [built(make, row) for row in rows]
    whole, first, second = Picture(), Picture(), Picture()
    for arrival in heard:
        whole.fold(arrival)
    for arrival in heard[:cut]:
        first.fold(arrival)
    second.restore(first.snapshot())
    for arrival in heard[cut:]:
        second.fold(arrival)
    assert second.snapshot() == whole.snapshot()


def test_the_newest_report_wins_whatever_comes_last(make: Any) -> None:
    picture = Picture()
    picture.fold(make.sample("A", 9))
    picture.fold(make.sample("A", 3))
    sight = picture.sight(make.report("A", 0).entity, reader(), POLICY)
    assert sight is not None
    assert sight.report.name == "A at 9"


def test_the_ninth_source_pushes_out_the_oldest(make: Any) -> None:
    picture = Picture()
    for number in range(CELLS_MAX + 1):
        picture.fold(make.sample("A", number, f"device:{number}"))
    sight = picture.sight(make.report("A", 0).entity, reader(), POLICY)
    assert sight is not None
    assert [cell.author for cell in sight.cells] == [f"device:{number}" for number in range(8, 0, -1)]


def test_a_removal_hides_what_is_older_and_a_new_report_shows_it_again(make: Any) -> None:
    picture, entity = Picture(), make.report("A", 0).entity
    picture.fold(make.sample("A", 1))
    picture.fold(make.entry(removal(make, "A", 2), 2, "device:B"))
    assert picture.sight(entity, reader(), POLICY) is None
    picture.fold(make.sample("A", 3))
    assert picture.sight(entity, reader(), POLICY) is not None


def test_what_has_ended_is_shown_no_longer_by_who_says_so(make: Any) -> None:
    picture, entity = Picture(), make.report("A", 0).entity
    picture.fold(make.sample("A", 1, "fusion", make.labels[1]))
    picture.fold(make.sample("A", 2, "fusion"))
    before = picture.turn
    picture.fold(make.sample("A", 3, "fusion", ended=True))
    assert picture.changed_since(before) == [(before + 1, entity)], "a stream hears of it"
    assert picture.sight(entity, reader(), POLICY) is None, "also what it had said under another marking is over"
    again = Picture()
    again.restore(picture.snapshot())
    assert again.sight(entity, reader(), POLICY) is None
    again.fold(make.sample("A", 4, "fusion"))
    assert again.sight(entity, reader(), POLICY) is not None


def test_what_has_ended_for_one_goes_on_for_another(make: Any) -> None:
    picture, entity = Picture(), make.report("A", 0).entity
    picture.fold(make.sample("A", 1, "device:A", make.labels[2]))
    picture.fold(make.sample("A", 2, "device:B", make.labels[0], ended=True))
    found = picture.sight(entity, reader(), POLICY)
    assert found is not None
    assert found.source == "device:A"


def test_of_what_has_ended_nothing_is_kept_after_a_day(make: Any) -> None:
    picture = Picture()
    picture.fold(make.sample("A", 1, "fusion"))
    picture.fold(make.sample("A", 2, "fusion", ended=True))
    picture.fold(Tick(make.start_ms + LATEST_MS + 3_000, make.stamp(LATEST_MS // 1000 + 3)))
    assert len(picture) == 0


def test_nobody_removes_what_they_could_not_have_written(make: Any) -> None:
    picture, entity = Picture(), make.report("A", 0).entity
    picture.fold(make.entry(make.report("A", 1), 1, "device:A", make.labels[2]))
    picture.fold(make.entry(removal(make, "A", 2), 2, "device:B", make.labels[0]))
    assert picture.sight(entity, reader(), POLICY) is not None
    picture.fold(make.entry(removal(make, "A", 3), 3, "device:A", make.labels[0]))
    assert picture.sight(entity, reader(), POLICY) is None


def test_a_reader_gets_the_newest_report_that_it_may_have(make: Any) -> None:
    picture, entity = Picture(), make.report("A", 0).entity
    picture.fold(make.sample("A", 1, "device:A", make.labels[0]))
    picture.fold(make.sample("A", 2, "device:B", make.labels[1]))
    italian, french = picture.sight(entity, reader("ITA"), POLICY), picture.sight(entity, reader("FRA"), POLICY)
    assert italian is not None
    assert french is not None
    assert (italian.report.name, french.report.name) == ("A at 1", "A at 2")
    assert all(cell.label == make.labels[0] for cell in italian.cells)
    assert picture.sight(entity, reader("RUS"), POLICY) is None


def test_a_position_does_not_wipe_out_a_beacon_but_its_cancelling_does(make: Any) -> None:
    picture, entity = Picture(), make.report("A", 0).entity
    picture.fold(make.entry(make.report("A", 1, emergency=Emergency("911 Alert", True)), 1))
    picture.fold(make.sample("A", 2))
    sight = picture.sight(entity, reader(), POLICY)
    assert sight is not None
    assert (sight.emergency, sight.report.name) == ("911 Alert", "A at 2")
    picture.fold(make.entry(make.report("A", 3, emergency=Emergency("911 Alert", False)), 3))
    sight = picture.sight(entity, reader(), POLICY)
    assert sight is not None
    assert sight.emergency is None


def test_age_runs_from_the_received_time_when_the_clock_of_the_peer_is_wrong(make: Any) -> None:
    picture, entity = Picture(), make.report("A", 0).entity
    late = make.start_ms - 86_400_000
    picture.fold(make.sample("A", 1, observed_at_ms=late, stale_at_ms=late + 30_000))
    sight = picture.sight(entity, reader(), POLICY)
    assert sight is not None
    received = make.start_ms + 1000
    assert (sight.observed_at_ms, sight.stale_at_ms) == (received, received + 30_000)
    assert sight.skew_ms == late - received


def test_a_position_is_forgotten_after_a_day_and_a_marker_stays(make: Any) -> None:
    picture = Picture()
    picture.fold(make.sample("A", 1))
    picture.fold(make.entry(make.report("M", 2, category="marker"), 2))
    later = make.start_ms + LATEST_MS + 60_000
    picture.fold(Tick(later, make.stamp((later - make.start_ms) // 1000)))
    assert picture.sight(make.report("A", 0).entity, reader(), POLICY) is None
    assert picture.sight(make.report("M", 0).entity, reader(), POLICY) is not None
    assert len(picture) == 1


def test_a_stream_hears_of_every_change_once_and_of_what_is_gone(make: Any) -> None:
    picture = Picture()
    for number, uid in enumerate("ABA"):
        picture.fold(make.sample(uid, number))
    names = {make.report(uid, 0).entity: uid for uid in "AB"}
    assert [names[entity] for _, entity in picture.changed_since(0)] == ["B", "A"]
    turn = picture.turn
    assert picture.changed_since(turn) == []
    later = make.start_ms + LATEST_MS + 60_000
    picture.fold(Tick(later, make.stamp(100_000)))
    assert {names[entity] for _, entity in picture.changed_since(turn)} == {"A", "B"}


def test_a_redacted_reader_gets_a_cell_and_no_name(make: Any) -> None:
    picture, entity = Picture(), make.report("A", 0).entity
    label = replace(make.labels[1], redacted_to=("ITA",))
    picture.fold(make.sample("A", 1, "device:A", label, remarks="canary"))
    sight = picture.sight(entity, reader("ITA"), POLICY)
    assert sight is not None
    assert sight.verdict is Verdict.REDACTED
    assert (sight.source, sight.report.name, sight.report.remarks, sight.cells) == (None, None, None, ())


def test_an_alert_marks_its_caller_until_it_is_cancelled_or_taken_off(make: Any) -> None:
    unit = make.report("A", 0).entity
    parent = Alias("cot", "A")
    for over in ("cancelled", "taken off"):
        picture = Picture()
        picture.fold(make.sample("A", 1))
        turn = picture.turn
        on = make.report("A-9-1-1", 2, category="alert", parent=parent, emergency=Emergency("911 Alert", True))
        picture.fold(make.entry(on, 2))
        assert unit in {entity for _, entity in picture.changed_since(turn)}
        restored = Picture()
        restored.restore(picture.snapshot())
        for each in (picture, restored):
            sight = each.sight(unit, reader(), POLICY)
            assert sight is not None
            assert sight.emergency == "911 Alert"
        turn = picture.turn
        if over == "cancelled":
            off = make.report("A-9-1-1", 3, category="alert", parent=parent, emergency=Emergency("Cancel Alert", False))
            picture.fold(make.entry(off, 3))
        else:
            picture.fold(make.entry(removal(make, "A-9-1-1", 3), 3))
        assert unit in {entity for _, entity in picture.changed_since(turn)}
        sight = picture.sight(unit, reader(), POLICY)
        assert sight is not None
        assert sight.emergency is None
        assert picture.sight(on.entity, reader(), POLICY) is None


def test_a_drawing_stays_on_its_layer_when_a_phone_changes_it(make: Any) -> None:
    picture = Picture()
    drawn = {"category": "drawing", "fields": {"layer": "OPS", "order": "2", "iconsetpath": "x"}}
    picture.fold(make.entry(make.report("line", 1, **drawn), 1, "person:ops"))
    picture.fold(make.entry(make.report("line", 2, category="drawing", name="LINE 2"), 2, "device:A"))
    sight = picture.sight(make.report("line", 0).entity, reader(), POLICY)
    assert sight is not None
    assert (sight.report.name, sight.report.fields) == ("LINE 2", {"layer": "OPS", "order": "2"})
    # Its side is not said by its type.
    picture.fold(make.entry(make.report("line", 3, **drawn, sidc="10032500001403000000"), 3, "person:ops"))
    heard = make.report("line", 4, category="drawing", sidc="10012500001403000000")
    picture.fold(make.entry(heard, 4, "device:A"))
    sight = picture.sight(heard.entity, reader(), POLICY)
    assert sight is not None
    assert sight.report.sidc == "10032500001403000000"
    # People take it off its layer by saying none.
    picture.fold(make.entry(make.report("line", 5, category="drawing", name="LINE 3"), 5, "person:other"))
    sight = picture.sight(make.report("line", 0).entity, reader(), POLICY)
    assert sight is not None
    assert sight.report.fields == {}


def test_a_corridor_and_a_marked_point_stay_what_they_are_when_a_phone_changes_them(make: Any) -> None:
    picture = Picture()
    corners = ((42.0, 77.0), (42.0, 77.1), (42.1, 77.1), (42.1, 77.0))
    way = {"category": "drawing", "geometry": Geometry("polygon", corners)}
    picture.fold(make.entry(make.report("way", 1, fields={"corridor_m": "200.0"}, **way), 1, "person:ops"))
    picture.fold(make.entry(make.report("way", 2, name="WAY 2", **way), 2, "device:A"))
    sight = picture.sight(make.report("way", 0).entity, reader(), POLICY)
    assert sight is not None
    assert (sight.report.name, sight.report.fields) == ("WAY 2", {"corridor_m": "200.0"})
    # A corner less, and it is an area.
    fewer = make.report("way", 3, category="drawing", geometry=Geometry("polygon", corners[:3]))
    picture.fold(make.entry(fewer, 3, "device:A"))
    sight = picture.sight(fewer.entity, reader(), POLICY)
    assert sight is not None
    assert sight.report.fields == {}
    # CoT has one type for a drawn point and a marker.
    layer = {"layer": "OPS"}
    picture.fold(make.entry(make.report("dot", 1, category="drawing", fields=layer), 1, "person:ops"))
    picture.fold(make.entry(make.report("dot", 2, category="marker", fields={"color": "-256"}), 2, "device:A"))
    sight = picture.sight(make.report("dot", 0).entity, reader(), POLICY)
    assert sight is not None
    assert (sight.report.category, sight.report.fields) == ("drawing", {"color": "-256"} | layer)
