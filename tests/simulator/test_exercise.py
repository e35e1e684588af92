"""The shipped exercise: what must be true of every scenario, tried on the one that is played."""

from collections import defaultdict
from datetime import datetime
from itertools import pairwise

import msgspec
import pytest
from lxml import etree

from aquila.core.sphere import distance_m
from aquila.simulator.motion import Timeline, fix_at, timelines
from aquila.simulator.scenario import Mover, Scenario, ScenarioError, names, read, shipped
from aquila.simulator.script import (
    Document,
    Script,
    documents,
    is_silent,
    opening,
    presence,
    script,
    wall_ms,
)
from aquila.simulator.terrain import (
    FLIGHT_CLEARANCE_M,
    SPEED_MAX_MPS,
    driving_speed_mps,
    walking_speed_mps,
)

EPOCH_MS = 1_800_000_000_000
NOISE_MPS = 0.6
"""What the wandering error of a receiver may add to a speed between two reports."""

SCENARIO = shipped("snow-leopard")
READY = script(SCENARIO, EPOCH_MS)


@pytest.fixture(scope="module")
def period() -> list[Document]:
    """What is sent in the whole exercise: seconds of work, which only those wait for who look at it."""
    return documents(READY, 0.0, SCENARIO.period_s)


def _root(document: Document) -> etree._Element:
    return etree.fromstring(document.body)


def _of_type(prefix: str, found: list[Document]) -> list[etree._Element]:
    roots = [_root(document) for document in found if document.lasting]
    return [root for root in roots if str(root.get("type")).startswith(prefix)]


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def _moving(kind: str) -> list[Timeline]:
    lines = timelines(SCENARIO).values()
    return [line for line in lines if line.mover.kind == kind and line.mover.legs]


def test_the_same_seed_gives_the_same_bytes() -> None:
    again = script(shipped("snow-leopard"), EPOCH_MS)
    assert documents(again, 100.0, 300.0) == documents(READY, 100.0, 300.0)


def test_another_seed_gives_other_errors_of_the_receiver() -> None:
    other = script(msgspec.structs.replace(SCENARIO, seed=27), EPOCH_MS)
    assert documents(other, 100.0, 110.0) != documents(READY, 100.0, 110.0)


def test_how_time_is_cut_into_spans_changes_nothing(period: list[Document]) -> None:
    edges = [0.0, 0.5, 7.25, 200.0, 203.0, 650.0, 660.0, 901.5, SCENARIO.period_s]
    pieces = [document for a, b in pairwise(edges) for document in documents(READY, a, b)]
    assert pieces == period


def test_every_document_is_plausible_cot(period: list[Document]) -> None:
    for document in [*period, *opening(READY, 900.0)]:
        root = _root(document)
        assert len(document.body) < 8_000
        assert root.tag == "event"
        assert root.get("version") == "2.0"
        assert root.get("opex") == "e"
        assert all(root.get(name) for name in ("uid", "type", "how"))
        assert _ms(root.get("time")) == _ms(root.get("start")) <= _ms(root.get("stale"))
        assert abs(_ms(root.get("time")) - wall_ms(READY, document.at_s)) <= 1
        (point,) = root.findall("point")
        assert -90.0 <= float(point.get("lat")) <= 90.0
        assert -180.0 <= float(point.get("lon")) <= 180.0
        assert all(float(point.get(name)) > -1_000.0 for name in ("hae", "ce", "le"))
        assert len(root.findall("detail")) == 1


def test_everything_but_pings_and_removals_lies_in_the_area(period: list[Document]) -> None:
    lat_deg, lon_deg = SCENARIO.centre
    for document in period:
        root = _root(document)
        if root.get("type") != "t-x-d-d":
            point = root.find("point")
            off_m = distance_m(lat_deg, lon_deg, float(point.get("lat")), float(point.get("lon")))
            assert off_m < 150_000.0


def test_nothing_speaks_of_weapons_or_targets(period: list[Document]) -> None:
    text = b"".join(document.body for document in period).lower()
    for word in (b"target", b"weapon", b"strike", b"ammunition", b"munizion", b"b-r-f-h-w"):
        assert word not in text
    assert not any(mover.cot_type[2:].startswith("h-") for mover in SCENARIO.movers)


def test_walking_follows_toblers_function() -> None:
    assert walking_speed_mps(-0.05) == pytest.approx(6.0 / 3.6)
    assert walking_speed_mps(0.0) == pytest.approx(5.036 / 3.6, abs=0.001)
    assert walking_speed_mps(0.2, off_track=True) == pytest.approx(0.6 * walking_speed_mps(0.2))


def test_vehicles_are_slower_up_than_down_and_fastest_on_the_level() -> None:
    assert driving_speed_mps(0.1) < driving_speed_mps(-0.1) < driving_speed_mps(0.0)


@pytest.mark.parametrize("line", _moving("foot"), ids=lambda line: line.mover.callsign)
def test_a_patrol_climbs_slower_than_it_descends(line: Timeline) -> None:
    top = max(range(len(line.knots)), key=lambda i: line.knots[i].msl_m)
    walked = [(b.at_s - a.at_s, a.at_s < line.knots[top].at_s) for a, b in pairwise(line.knots) if a.speed_mps > 0.0]
    up_s = sum(span_s for span_s, up in walked if up)
    down_s = sum(span_s for span_s, up in walked if not up)
    assert line.knots[top].msl_m - line.knots[0].msl_m > 30.0
    assert up_s > 1.02 * down_s


@pytest.mark.parametrize("line", _moving("vehicle"), ids=lambda line: line.mover.callsign)
def test_a_vehicle_meets_no_slope_that_it_cannot_drive(line: Timeline) -> None:
    for a, b in pairwise(line.knots):
        if a.speed_mps > 0.0:
            run_m = distance_m(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg)
            assert abs(b.msl_m - a.msl_m) / run_m < 0.22


@pytest.mark.parametrize("line", _moving("helicopter"), ids=lambda line: line.mover.callsign)
def test_a_helicopter_stays_clear_of_the_ground_between_landings(line: Timeline) -> None:
    ground_m = {
        (place.lat_deg, place.lon_deg): place.ground_m
        for leg in line.mover.legs
        for place in SCENARIO.routes[leg.route]
    }
    ends = {
        (place.lat_deg, place.lon_deg)
        for leg in line.mover.legs
        for place in (SCENARIO.routes[leg.route][0], SCENARIO.routes[leg.route][-1])
    }
    for knot in line.knots:
        at = (knot.lat_deg, knot.lon_deg)
        height_m = knot.msl_m - ground_m[at]
        assert height_m == 0.0 if at in ends else height_m >= FLIGHT_CLEARANCE_M


@pytest.mark.parametrize("mover", SCENARIO.movers, ids=lambda mover: mover.callsign)
def test_nobody_is_faster_than_its_kind_even_over_the_seam(mover: Mover) -> None:
    line = timelines(SCENARIO)[mover.callsign]
    spans = [(0.0, 400.0), (1_700.0, 1_900.0), (3_500.0, 3_700.0)]
    seam_s = line.cycle_s - mover.phase_s % line.cycle_s
    for from_s, until_s in [*spans, (seam_s - 60.0, seam_s + 60.0)]:
        steps = int((until_s - from_s) / mover.report_s)
        fixes = [fix_at(line, from_s + n * mover.report_s) for n in range(steps)]
        for a, b in pairwise(fixes):
            run_m = distance_m(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg)
            assert run_m / mover.report_s <= SPEED_MAX_MPS[mover.kind] + NOISE_MPS
            assert abs(b.hae_m - a.hae_m) / mover.report_s <= 8.0 + 2.0 * NOISE_MPS
            assert 0.0 <= b.course_deg < 360.0


def test_there_is_life_in_the_first_ten_seconds() -> None:
    start_s = SCENARIO.start_s
    lines = timelines(SCENARIO)
    moved = [
        callsign
        for callsign, line in lines.items()
        if fix_at(line, start_s).speed_mps > 0.0 and fix_at(line, start_s + 10.0).speed_mps > 0.0
    ]
    assert len(moved) >= 18
    assert len(_of_type("b-t-f", documents(READY, start_s, start_s + 10.0))) >= 2
    assert len(opening(READY, start_s)) >= 7


def test_the_lost_patrol_is_silent_and_then_found(period: list[Document]) -> None:
    barys = SCENARIO.mover("BARYS 31")
    heard = [document.at_s for document in period if document.client == barys.callsign]
    assert not any(240.0 < at_s < 660.0 for at_s in heard)
    positions = [d.at_s for d in period if d.client == barys.callsign and not d.lasting]
    assert not any(240.0 <= at_s < 720.0 for at_s in positions)
    assert any(230.0 < at_s < 240.0 for at_s in positions)
    assert any(720.0 <= at_s < 730.0 for at_s in positions)
    assert presence(READY, barys.callsign, 500.0) == []
    assert is_silent(SCENARIO, barys, SCENARIO.period_s + 500.0)


def test_the_marker_of_the_last_known_position_lies_where_the_patrol_was_last_heard(period: list[Document]) -> None:
    (marker,) = [root for root in _of_type("b-m-p", period) if b"LKP" in etree.tostring(root)]
    last = [d for d in period if d.client == "BARYS 31" and not d.lasting and d.at_s < 240.0][-1]
    seen, said = marker.find("point"), _root(last).find("point")
    off_m = distance_m(*(float(point.get(name)) for point in (seen, said) for name in ("lat", "lon")))
    assert off_m < 20.0


def test_the_beacon_goes_on_and_off_once(period: list[Document]) -> None:
    alerts = _of_type("b-a-o", period)
    assert [root.get("type") for root in alerts] == ["b-a-o-tbl", "b-a-o-can"]
    assert len({root.get("uid") for root in alerts}) == 1
    assert alerts[0].find("detail/emergency").get("type") == "911 Alert"
    assert alerts[1].find("detail/emergency").get("cancel") == "true"


def test_the_medical_evacuation_is_asked_for_flown_and_closed(period: list[Document]) -> None:
    asked, picked_up = _of_type("b-r-f-h-c", period)
    assert asked.get("uid") == picked_up.get("uid")
    lines = asked.find("detail/_medevac_")
    assert lines.get("priority") == "1"
    assert lines.get("security") in "0123"
    assert lines.get("hlz_marking") in "01234"
    assert set(lines.find("zMistsMap/zMist").attrib) == {"title", "z", "m", "i", "s", "t"}
    gone = [root.find("detail/link").get("uid") for root in _of_type("t-x-d-d", period)]
    assert gone.count(asked.get("uid")) == 1
    helicopter = timelines(SCENARIO)["GRIFONE 01"]
    patient = fix_at(timelines(SCENARIO)["CAMOSCIO 11"], 950.0)
    hospital = SCENARIO.mover("ROLE 2").place
    at_zone, at_hospital = fix_at(helicopter, 950.0), fix_at(helicopter, 1_500.0)
    assert at_zone.speed_mps == at_hospital.speed_mps == 0.0
    assert distance_m(at_zone.lat_deg, at_zone.lon_deg, patient.lat_deg, patient.lon_deg) < 150.0
    assert distance_m(at_hospital.lat_deg, at_hospital.lon_deg, hospital.lat_deg, hospital.lon_deg) < 150.0


def test_chat_goes_to_rooms_teams_and_people_in_four_languages(period: list[Document]) -> None:
    lines = _of_type("b-t-f", period)
    dests = [len(root.findall("detail/marti/dest")) for root in lines]
    assert dests.count(0) > 5
    assert dests.count(1) > 5
    assert max(dests) >= 8
    text = "".join(root.findtext("detail/remarks") for root in lines)
    for word in ("Saliamo", "visibilità", "équipe", "байланыс", "airborne"):
        assert word in text


def test_who_is_written_to_is_in_the_exercise(period: list[Document]) -> None:
    callsigns = {mover.callsign for mover in SCENARIO.clients()}
    for root in _of_type("b-t-f", period):
        for dest in root.findall("detail/marti/dest"):
            assert dest.get("callsign") in callsigns


def test_what_is_removed_was_there_and_comes_again_under_the_same_uid() -> None:
    hours = documents(READY, 0.0, 3.0 * SCENARIO.period_s)
    shown: set[str] = set()
    times: dict[str, int] = defaultdict(int)
    for document in hours:
        if not document.lasting:
            continue
        root = _root(document)
        if root.get("type") == "t-x-d-d":
            gone = root.find("detail/link").get("uid")
            assert gone in shown
            shown.discard(gone)
        elif not str(root.get("type")).startswith("b-t-f"):
            shown.add(str(root.get("uid")))
            times[str(root.get("uid"))] += 1
    assert sum(count >= 3 for count in times.values()) >= 12


def test_no_chat_line_and_no_evacuation_comes_twice_under_one_uid(period: list[Document]) -> None:
    later = documents(READY, SCENARIO.period_s, 2.0 * SCENARIO.period_s)
    for prefix in ("b-t-f", "b-r-f-h-c"):
        first = {root.get("uid") for root in _of_type(prefix, period)}
        second = {root.get("uid") for root in _of_type(prefix, later)}
        assert first
        assert first.isdisjoint(second)
        assert len(first) == len(second)


def test_the_story_of_the_second_period_is_that_of_the_first(period: list[Document]) -> None:
    period_s = SCENARIO.period_s
    later = documents(READY, period_s, 2.0 * period_s)
    first, second = ([d for d in found if d.lasting] for found in (period, later))
    assert [d.at_s + period_s for d in first] == [d.at_s for d in second]
    assert [d.client for d in first] == [d.client for d in second]


def test_the_opening_in_mid_story_shows_what_stands_then() -> None:
    def shown(t_s: float) -> set[str]:
        return {str(_root(document).get("type")) for document in opening(READY, t_s)}

    assert "b-a-o-tbl" in shown(700.0)
    assert "b-r-f-h-c" in shown(700.0)
    assert "b-a-o-tbl" not in shown(900.0)
    assert "b-r-f-h-c" not in shown(1_600.0)
    assert not any(kind.startswith("b-t-f") for kind in shown(1_799.0))


def test_a_faster_play_keeps_the_wall_clock() -> None:
    fast = script(SCENARIO, EPOCH_MS, speed=10.0)
    for document in documents(fast, 200.0, 210.0):
        sent_ms = _ms(_root(document).get("time"))
        assert abs(sent_ms - (EPOCH_MS + document.at_s * 100.0)) <= 2.0


def test_every_shipped_scenario_can_be_read() -> None:
    assert "snow-leopard" in names()
    for name in names():
        assert isinstance(script(shipped(name), EPOCH_MS), Script)


def test_an_unknown_scenario_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ScenarioError, match="snow-leopard"):
        shipped("snow-tiger")


def _small(mover_lines: str, beats: str = "beat = []") -> Scenario:
    head = (
        'name = "X"\nseed = 1\nperiod_s = 60\nstart_s = 0\ncentre = [0, 0]\ngeoid_m = 0\n'
        f'{beats}\n[[contingent]]\nname = "ITA"\nnation = "ITA"\nteam = "Green"\n'
        '[[mover]]\ncallsign = "A"\nuid = "a"\ncontingent = "ITA"\ncot_type = "a-f-G"\n'
    )
    routes = b'{"up": [[0, 0, 0], [0.01, 0, 100]], "off": [[1, 1, 0], [1.01, 1, 0]]}'
    return read((head + mover_lines).encode(), routes)


@pytest.mark.parametrize(
    ("mover_lines", "word"),
    [
        ('kind = "foot"', "place"),
        ('kind = "foot"\nlegs = [{ route = "down" }]', "down"),
        ('kind = "boat"\nplace = [0, 0, 0]', "boat"),
        ('kind = "static"\nplace = [91, 0, 0]', "90"),
        ('kind = "static"\nplace = [0, 0, 0]\nvia = "B"', "via"),
        ('kind = "static"\nplace = [0, 0, 0]\ncolour = "red"', "colour"),
    ],
)
def test_a_wrong_scenario_is_refused_with_the_reason(mover_lines: str, word: str) -> None:
    with pytest.raises(ScenarioError, match=word):
        _small(mover_lines)


@pytest.mark.parametrize(
    ("mover_lines", "word"),
    [
        ('kind = "foot"\nlegs = [{ route = "up" }]', "jump"),
        ('kind = "foot"\nlegs = [{ route = "up" }, { route = "off" }]', "begin"),
        (
            'kind = "foot"\ncycle_s = 60\nlegs = [{ route = "up" }, { route = "up", reverse = true }]',
            "cycle_s",
        ),
        (
            'kind = "foot"\nlegs = [{ route = "up", until_s = 5 }, { route = "up", reverse = true }]',
            "until_s",
        ),
    ],
)
def test_legs_that_would_make_a_mover_jump_are_refused(mover_lines: str, word: str) -> None:
    with pytest.raises(ScenarioError, match=word):
        timelines(_small(mover_lines))
