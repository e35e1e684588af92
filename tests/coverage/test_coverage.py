"""Coverage over a node: what own people and cameras looked at, when last, for whoever may know of them."""

import base64
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from stanag4609.st0601 import encode_uas_local_set

from aquila.codecs.misb import codec
from aquila.core.ids import entity_id
from aquila.core.model import Alias, Geometry, Position, Report
from aquila.core.sensing import Sensed, new_decoder
from aquila.features.coverage.shadow import Shadows
from aquila.features.coverage.view import Coverage

MINUTE_MS = 60_000
COPIED = ("entity", "alias", "type", "sidc", "category", "position", "geometry")
BOX = "76.9,41.9,77.3,42.2"


def age_at(answer: dict[str, Any], lat_deg: float, lon_deg: float) -> int:
    """The byte of the cell that holds a place."""
    ages = np.frombuffer(base64.b64decode(answer["ages"]), np.uint8).reshape(answer["rows"], answer["cols"])
    y = lambda lat: np.log(np.tan(np.pi / 4 + np.radians(lat) / 2))  # noqa: E731
    top, bottom = y(answer["north"]), y(answer["south"])
    row = int((y(lat_deg) - top) / (bottom - top) * answer["rows"])
    return int(ages[row, int((lon_deg - answer["west"]) / (answer["east"] - answer["west"]) * answer["cols"])])


def test_where_own_people_were_is_fresh_and_grows_old(desk: Any, port: Any) -> None:
    port.place("FOX", 42.0, 77.1)
    port.tick(40 * MINUTE_MS)
    port.place("FOX", 42.1, 77.1)
    seen = desk.get("/coverage", bbox=BOX)
    assert (age_at(seen, 42.0, 77.1), age_at(seen, 42.1, 77.1), age_at(seen, 42.05, 77.2)) == (3, 1, 0)
    assert seen["since_ms"] == port.now_ms - 40 * MINUTE_MS


def test_how_far_somebody_sees_is_the_askers_to_say(desk: Any, port: Any) -> None:
    port.place("FOX", 42.0, 77.1)
    aside = (42.0, 77.1 + 0.024)  # two kilometres east
    assert age_at(desk.get("/coverage", bbox=BOX), *aside) == 0
    assert age_at(desk.get("/coverage", bbox=BOX, ground_m=2500), *aside) == 1
    assert set(base64.b64decode(desk.get("/coverage", bbox=BOX, ground_m=0)["ages"])) == {0}


def test_a_far_reach_over_a_small_box_ends_where_it_should(desk: Any, port: Any) -> None:
    port.place("FOX", 42.0, 77.1)
    small = "77.30,41.99,77.36,42.01"  # 16.5 to 21.5 km east of it, in cells of 100 m
    seen = desk.get("/coverage", bbox=small, ground_m=19_000)
    assert seen["cell_m"] < 110
    assert [age_at(seen, 42.0, lon) for lon in (77.305, 77.322, 77.336, 77.355)] == [1, 1, 0, 0]


def test_who_stands_beside_the_box_looks_into_it(desk: Any, port: Any) -> None:
    port.place("FOX", 42.0, 76.89)
    assert age_at(desk.get("/coverage", bbox=BOX, ground_m=3000), 42.0, 76.91) == 1


@pytest.mark.parametrize(
    ("sidc", "looks"),
    [("10061000001211000000", False), ("10041000001211000000", False), ("10031000001211000000", True)],
)
def test_hostile_and_neutral_people_look_for_nobody(desk: Any, port: Any, sidc: str, looks: bool) -> None:
    port.place("FOX", 42.0, 77.1, sidc=sidc)
    assert (age_at(desk.get("/coverage", bbox=BOX), 42.0, 77.1) > 0) == looks


def test_a_marker_that_somebody_drew_looks_at_nothing(desk: Any, port: Any) -> None:
    port.place("FOX", 42.0, 77.1, category="marker")
    assert set(base64.b64decode(desk.get("/coverage", bbox=BOX)["ages"])) == {0}


def test_a_camera_looks_where_its_footprint_lies(desk: Any, port: Any) -> None:
    corners = ((42.0, 77.0), (42.0, 77.1), (42.06, 77.1), (42.06, 77.0))
    camera: dict[str, Any] = {
        "entity": entity_id("misb-footprint", "EAGLE"),
        "alias": Alias("misb-footprint", "EAGLE"),
        "sidc": "10012500000000000000",
        "category": "drawing",
        "geometry": Geometry("polygon", corners),
        "position": Position(42.03, 77.05),
    }
    port.place("EAGLE", 42.03, 77.05, **camera)
    seen = desk.get("/coverage", bbox=BOX, ground_m=0, drone_m=0)
    assert [age_at(seen, 42.03, lon) for lon in (76.97, 77.02, 77.08, 77.13)] == [0, 1, 1, 0]


def test_the_bytes_of_a_camera_say_where_it_looks(desk: Any, port: Any) -> None:
    centre = {23: 42.03, 24: 77.05}
    # ST 0601: offsets of the corners from the centre, degrees; latitude before longitude.
    corners = {26: 0.03, 27: -0.05, 28: 0.03, 29: 0.05, 30: -0.03, 31: 0.05, 32: -0.03, 33: -0.05}
    at = datetime.fromtimestamp(port.now_ms / 1000, UTC)
    packet = encode_uas_local_set({2: at, 10: "EAGLE", 13: 42.2, 14: 77.3, **centre, **corners, 65: 19})
    told = new_decoder(codec, {}).feed(packet, port.now_ms)
    reports = [each.body for each in told if isinstance(each, Sensed) and isinstance(each.body, Report)]
    assert [report.alias.scheme for report in reports] == ["misb", "misb-footprint"]
    for report in reports:
        port.place(report.name or "", 0.0, 0.0, **{key: getattr(report, key) for key in COPIED})
    seen = desk.get("/coverage", bbox=BOX)
    # The aircraft has no side, so it looks nowhere but through its camera.
    assert [age_at(seen, *place) for place in ((42.03, 77.05), (42.05, 77.02), (42.15, 77.25))] == [1, 1, 0]


def test_a_radar_looks_only_when_somebody_says_how_far(desk: Any, port: Any) -> None:
    radar = {"sidc": "10011500002200000000", "category": "platform", "alias": Alias("asterix", "1/2")}
    port.place("R", 42.0, 77.1, **radar)
    assert age_at(desk.get("/coverage", bbox=BOX), 42.0, 77.1) == 0
    assert age_at(desk.get("/coverage", bbox=BOX, radar_m=10_000), 42.05, 77.1) == 1


def test_the_past_shows_what_was_looked_at_by_then(desk: Any, port: Any) -> None:
    port.place("FOX", 42.0, 77.1)
    then_ms = port.now_ms
    port.tick(60 * MINUTE_MS)
    port.place("FOX", 42.1, 77.1)
    port.place("FOX", 42.0, 77.1)
    seen = desk.get("/coverage", bbox=BOX, at_ms=then_ms + 30 * MINUTE_MS)
    assert (age_at(seen, 42.0, 77.1), age_at(seen, 42.1, 77.1)) == (3, 0)
    assert set(base64.b64decode(desk.get("/coverage", bbox=BOX, at_ms=then_ms - 1)["ages"])) == {0}


def test_who_may_not_see_somebody_does_not_learn_where_he_looked(desk: Any, partner: Any, port: Any) -> None:
    port.place("SECRET", 42.0, 77.1, label=port.national)
    port.place("COARSE", 42.1, 77.1, label=port.coarse)
    hidden = desk.get("/coverage", bbox=BOX)
    assert set(base64.b64decode(hidden["ages"])) == {0}
    assert hidden["since_ms"] is None
    assert age_at(partner.get("/coverage", bbox=BOX), 42.0, 77.1) == 1


def test_a_clock_that_is_ahead_has_seen_nothing_of_the_future(desk: Any, port: Any) -> None:
    port.place("FOX", 42.0, 77.1, observed_at_ms=port.now_ms + 5 * 3_600_000)
    port.tick(16 * MINUTE_MS)
    assert age_at(desk.get("/coverage", bbox=BOX), 42.0, 77.1) == 2


def test_a_view_that_is_restored_knows_the_same(desk: Any, port: Any) -> None:
    for n in range(30):
        port.place(f"P{n}", 42.0 + n / 400, 77.1, port.national if n % 3 else port.open)
        port.tick(MINUTE_MS)
    view, other = port.views["coverage"], Coverage()
    other.restore(view.snapshot())
    assert other.snapshot() == view.snapshot()
    before = desk.get("/coverage", bbox=BOX)
    view.restore(view.snapshot())
    assert desk.get("/coverage", bbox=BOX) == before


@pytest.mark.parametrize("bbox", ["1,2,3", "77,42,76,43", "70,30,90,50", "0,86,1,87", "nan,0,1,1"])
def test_a_box_that_cannot_be_is_refused_with_what_is_allowed(desk: Any, bbox: str) -> None:
    answer = desk.fails("/coverage", 400, bbox=bbox)
    assert "bbox" in answer


class Slope:
    """Terrain that rises to the east from 1,000 m; a wall at 77.2."""

    box = (76.0, 41.0, 78.0, 43.0)

    def __init__(self) -> None:
        self.asked = 0

    def heights(self, lat_deg: Any, lon_deg: Any) -> Any:
        self.asked += 1
        lat, lon = np.broadcast_arrays(lat_deg, lon_deg)
        wall = np.where(abs(lon - 77.2) < 0.005, 1_600.0, 1_000.0)
        return np.where((abs(lon - 77) < 1) & (abs(lat - 42) < 1), wall, np.nan)


def test_a_shadow_lies_behind_the_wall_and_is_worked_out_once(desk: Any, port: Any) -> None:
    terrain = Slope()
    port.parts["shadows"] = Shadows(terrain)
    ask = {"lat_deg": 42.0, "lon_deg": 77.0, "height_m": 20, "range_m": 40_000}
    found = desk.get("/shadow", **ask)
    bands = np.frombuffer(base64.b64decode(found["bands"]), np.uint8).reshape(found["rows"], found["cols"])
    middle = bands[found["rows"] // 2]
    at = lambda lon: middle[int((lon - found["west"]) / (found["east"] - found["west"]) * found["cols"])]  # noqa: E731
    # 16 km to the wall; it hides 1,240 m at twice the way.
    assert (at(77.1), at(76.9), at(77.22), at(77.4)) == (1, 1, 3, 3)
    assert bands[0, 0] == 0, "the corner lies beyond the range"
    assert (found["ground_m"], found["heights_m"]) == (1000.0, [50.0, 500.0, 3000.0])
    asked = terrain.asked
    assert desk.get("/shadow", **ask) == found
    assert terrain.asked == asked


def test_heights_over_the_sea_that_lie_in_the_ground_are_not_seen(desk: Any, port: Any) -> None:
    port.parts["shadows"] = Shadows(Slope())
    found = desk.get("/shadow", lat_deg=42.0, lon_deg=77.0, range_m=5_000, heights="900,1500", over="sea")
    assert set(base64.b64decode(found["bands"])) == {0, 2}


def test_without_terrain_the_sentence_says_where_there_is_some(desk: Any, port: Any) -> None:
    port.parts["shadows"] = Shadows(Slope())
    assert "from 41 to 43 N and from 76 to 78 E" in desk.fails("/shadow", 503, lat_deg=46.0, lon_deg=8.0)
    assert "rising numbers" in desk.fails("/shadow", 400, lat_deg=42.0, lon_deg=77.0, heights="500,50")


def test_all_radars_together_are_those_that_the_asker_may_see(desk: Any, partner: Any, port: Any) -> None:
    port.parts["shadows"] = Shadows(Slope())
    desk.fails("/radar-shadow", 404)
    radar: dict[str, Any] = {"sidc": "10011500002200000000", "category": "platform"}
    port.place("EAST", 42.0, 77.4, alias=Alias("asterix", "1/2"), **radar)
    port.place("SECRET", 42.0, 77.0, port.national, alias=Alias("asterix", "1/3"), **radar)
    port.place("FOX", 42.0, 76.9)
    ask = {"height_m": 20, "range_m": 40_000}
    assert desk.get("/radar-shadow", **ask)["places"] == [[42.0, 77.4]]
    both = partner.get("/radar-shadow", **ask)
    assert both["places"] == [[42.0, 77.0], [42.0, 77.4]]
    bands = np.frombuffer(base64.b64decode(both["bands"]), np.uint8).reshape(both["rows"], both["cols"])
    assert set(bands[both["rows"] // 2, 40:-40]) == {1}, "either side of the wall is seen by one of them"
