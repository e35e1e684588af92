"""Drawing on the map: by mouse, seen by others and by phones, edited there and here, taken back, and as files."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from aquila.simulator import cot
from aquila.simulator.cot import Spot
from aquila.testing.served import ServedNode, wait_until

from .conftest import Browse, Clock, Join, TakClient
from .test_page import AXE, VIOLATIONS, middle_cursor

pytestmark = pytest.mark.browser
SLIM = {"width": 380, "height": 800}

SPOT = Spot(43.05, 77.05, 1500.0)
KEEP_PIXELS = """{
  const real = HTMLCanvasElement.prototype.getContext
  HTMLCanvasElement.prototype.getContext = function (kind, settings, ...more) {
    return real.call(this, kind, kind === 'webgl2' ? { ...settings, preserveDrawingBuffer: true } : settings, ...more)
  }
}"""
"""So that what the map shows can be read between its frames."""
WATCH_GROUND = """() => {
  const map = document.querySelector('canvas.maplibregl-canvas')
  const eye = new OffscreenCanvas(64, 36).getContext('2d', { willReadFrequently: true })
  window.ground = []
  setInterval(() => {
    eye.drawImage(map, 0, 0, 64, 36)
    window.ground.push(new Set(new Uint32Array(eye.getImageData(0, 0, 64, 36).data.buffer)).size)
  }, 10)
}"""
"""Counts, every 10 ms, the colours of the map without its symbols."""


def layers(page: Page) -> None:
    """Open the tab."""
    page.get_by_role("tab", name="Layers").click()
    expect(page.get_by_role("toolbar", name="Draw")).to_be_visible()


def strike(page: Page, *places: tuple[float, float]) -> None:
    """Click on the map at shares of its width and height."""
    box = page.locator("#map").bounding_box()
    assert box is not None
    for x, y in places:
        at = (box["x"] + x * box["width"], box["y"] + y * box["height"])
        page.mouse.move(*at)
        page.mouse.move(at[0] + 1, at[1])
        page.mouse.down()
        page.mouse.up()


def take(page: Page, tool: str) -> None:
    """Take up the pen, and wait until the map has it."""
    page.get_by_role("toolbar", name="Draw").get_by_role("button", name=tool, exact=True).click()
    ready(page)


def ready(page: Page) -> None:
    expect(page.locator(".draw-hint")).to_be_visible()
    expect(page.locator(".map-view.pen")).to_be_visible()


def name(page: Page, text: str, layer: str = "") -> None:
    page.get_by_label("Name", exact=True).fill(text)
    page.get_by_label("Layer", exact=True).fill(layer)
    page.locator(".draw-card").get_by_role("button", name="Save").click()
    expect(page.locator(".draw-card")).to_have_count(0)


def opened(page: Page, title: str) -> None:
    button = page.get_by_role("region", name=title, exact=True).get_by_role("button", name=re.compile(title)).first
    expect(button).to_be_visible()
    if button.get_attribute("aria-expanded") == "false":
        button.click()


def phone_beside(page: Page, tak: Join, now_ms: Clock, n: int) -> TakClient:
    """A phone on the map, and the layers open beside it."""
    phone = tak(f"ANDROID-draw-{n}", f"PENNA {n}")
    phone.send(cot.position(phone.who, SPOT, now_ms(), 5.0, 80))
    layers(page)
    return phone


def test_a_line_is_drawn_seen_by_others_and_by_phones_and_taken_back(browse: Browse, tak: Join, now_ms: Clock) -> None:
    page, other, phone = browse().open(), browse().open(), tak("ANDROID-draw-1", "PENNA 1")
    phone.send(cot.position(phone.who, SPOT, now_ms(), 5.0, 80))
    layers(page)
    layers(other)
    take(page, "Line")
    strike(page, (0.35, 0.4), (0.5, 0.35), (0.6, 0.5))
    page.get_by_role("button", name="Finish").click()
    name(page, "LINEA 1", "OPS")
    for one in (page, other):
        opened(one, "OPS")
        expect(one.get_by_role("button", name="LINEA 1", exact=True)).to_be_visible()
    phone.hears('type="u-d-f"', "LINEA 1")
    page.keyboard.press("Control+z")
    expect(other.get_by_role("button", name="LINEA 1", exact=True)).to_have_count(0)
    page.keyboard.press("Control+y")
    expect(other.get_by_role("button", name="LINEA 1", exact=True)).to_be_visible()


def test_without_a_mouse_by_grids_and_degrees(page: Page) -> None:
    def begin(words: str) -> None:
        page.keyboard.press("Control+k")
        page.keyboard.type(words)
        page.keyboard.press("Enter")
        expect(page.get_by_label("Or type: MGRS, UTM, lat/lon")).to_be_focused()

    def kept(title: str) -> dict[str, Any]:
        page.keyboard.type(title)
        page.keyboard.press("Enter")
        expect(page.locator(".draw-card")).to_have_count(0)
        rows = page.request.get(f"{page.url}api/v1/entities?kind=drawing", headers={"X-Aquila": "test"}).json()
        return dict(next(row["geometry"] for row in rows if row["name"] == title))

    expect(page.locator(".entity").first).to_be_visible()
    page.keyboard.press("d")
    field = page.get_by_label("Or type: MGRS, UTM, lat/lon")
    expect(field).to_be_focused()
    for place in ("42.8, 77.5", "nowhere", "43T 704435 4741636", "43T GH 05435 41636"):
        field.fill(place)
        page.keyboard.press("Enter")
        if place == "nowhere":
            expect(page.get_by_text("That is no place")).to_be_visible()
    # Nothing more: the line ends.
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    line = kept("TYPED LINE")
    assert line["coordinates"][0] == [77.5, 42.8]
    assert [[round(lon, 4), round(lat, 4)] for lon, lat in line["coordinates"][1:]] == [
        [77.5, 42.8],
        [77.5122, 42.7997],
    ]
    begin("Draw: Circle")
    page.keyboard.type("43 N 77 E")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Edge, or radius: 500 m")).to_be_focused()
    page.keyboard.type("2,5 km")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    circle = kept("TYPED CIRCLE")
    assert circle["coordinates"] == [77, 43]
    assert abs(circle["radius_m"] - 2500) < 1
    begin("Draw: Area")
    # A typed corner goes on from the tapped ones, and a tap from the typed.
    strike(page, (0.4, 0.4), (0.5, 0.35))
    page.get_by_label("Or type: MGRS, UTM, lat/lon").fill("43, 77.9")
    page.keyboard.press("Enter")
    strike(page, (0.45, 0.7))
    page.get_by_role("button", name="Finish").click()
    area = kept("TYPED AREA")
    assert len(area["coordinates"][0]) == 5
    assert [77.9, 43] in area["coordinates"][0]


def test_a_language_and_a_look_are_switched_under_a_drawing_and_nothing_is_lost(browse: Browse) -> None:
    watched = browse()
    watched.context.add_init_script(KEEP_PIXELS)
    page = watched.open()
    layers(page)
    take(page, "Area")
    strike(page, (0.35, 0.4), (0.5, 0.35), (0.55, 0.6))
    page.evaluate(WATCH_GROUND)
    wait_until(lambda: page.evaluate("window.ground.at(-1) > 50"), "the ground is drawn")
    page.evaluate("window.ground = []")
    languages = page.locator(".topbar .languages")
    languages.select_option("ru")
    expect(page.locator(".draw-hint")).to_contain_text("Район")
    page.keyboard.press("Control+k")
    page.keyboard.type("вид днев")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "day")
    languages.select_option("en")
    # A fourth corner goes on from the three.
    strike(page, (0.4, 0.7))
    page.get_by_role("button", name="Finish").click()
    wait_until(lambda: page.evaluate("window.ground.length > 50"), "the ground was watched")
    assert page.evaluate("Math.min(...window.ground)") > 20, "the ground was bare for a moment"
    page.get_by_label("Name", exact=True).fill("SWITCHED")
    languages.select_option("fr")
    expect(page.locator(".draw-card input").first).to_have_value("SWITCHED")
    languages.select_option("en")
    name(page, "SWITCHED")
    assert len(shapes_of(page, "SWITCHED")[0]["coordinates"][0]) == 5
    # So is what was taken up to be changed.
    opened(page, "No layer")
    page.get_by_role("button", name="Edit SWITCHED").click()
    ready(page)
    page.get_by_label("Put it at: MGRS, UTM, lat/lon").fill("42.9, 77.1")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+k")
    page.keyboard.type("look night")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "night")
    page.locator(".draw-hint").get_by_role("button", name="Save").click()
    expect(page.locator(".draw-hint")).to_have_count(0)
    assert shapes_of(page, "SWITCHED")[0]["coordinates"][0][0] == [77.1, 42.9]


def test_a_shape_with_too_few_points_says_how_many_it_needs_and_goes_on(page: Page) -> None:
    def lacks(need: str, have: int) -> None:
        expect(page.locator(".draw-hint .wrong")).to_have_text(f"It needs {need}; so far: {have}.")

    layers(page)
    take(page, "Line")
    page.keyboard.press("Enter")
    lacks("2 points or more", 0)
    strike(page, (0.35, 0.4))
    expect(page.locator(".draw-hint .wrong")).to_have_count(0)
    # The map has the keys after a tap.
    page.keyboard.press("Enter")
    lacks("2 points or more", 1)
    strike(page, (0.5, 0.35))
    page.keyboard.press("Enter")
    name(page, "LINE OF TWO")
    assert len(shapes_of(page, "LINE OF TWO")[0]["coordinates"]) == 2
    take(page, "Area")
    strike(page, (0.35, 0.4), (0.5, 0.35))
    page.keyboard.press("Enter")
    lacks("3 points or more", 2)
    strike(page, (0.5, 0.6))
    page.keyboard.press("Enter")
    name(page, "AREA OF THREE")
    assert len(shapes_of(page, "AREA OF THREE")[0]["coordinates"][0]) == 4
    # Three taps on one place are one.
    take(page, "Route")
    strike(page, (0.45, 0.4), (0.45, 0.4), (0.45, 0.4))
    lacks("2 points or more", 1)
    strike(page, (0.5, 0.6))
    page.get_by_role("button", name="Finish").click()
    name(page, "ROUTE OF TWO")
    assert len(shapes_of(page, "ROUTE OF TWO")[0]["coordinates"]) == 2
    take(page, "Bearing line")
    strike(page, (0.45, 0.4))
    page.keyboard.press("Enter")
    lacks("2 points", 1)


def shapes_of(page: Page, *titles: str) -> list[Any]:
    """Geometries of drawings as the node has them, by their names."""
    rows = page.request.get(f"{page.url}api/v1/entities?kind=drawing", headers={"X-Aquila": "test"}).json()
    known = {row["name"]: row["geometry"] for row in rows}
    return [known[title] for title in titles]


def test_a_tap_close_to_a_corner_takes_it_and_so_does_one_after_a_typed_place(page: Page) -> None:
    layers(page)
    for title, begin in (("SNAP A", (0.35, 0.4)), ("SNAP B", (0.353, 0.403))):
        take(page, "Line")
        strike(page, begin, (0.5, 0.3 if title == "SNAP A" else 0.7))
        page.get_by_role("button", name="Finish").click()
        name(page, title, "SNAP")
    take(page, "Line")
    page.get_by_label("Or type: MGRS, UTM, lat/lon").fill("42.8, 77.5")
    page.keyboard.press("Enter")
    strike(page, (0.503, 0.303))
    page.get_by_role("button", name="Finish").click()
    name(page, "SNAP C", "SNAP")
    first, second, third = (shape["coordinates"] for shape in shapes_of(page, "SNAP A", "SNAP B", "SNAP C"))
    assert second[0] == first[0]
    assert second[1] != first[1]
    # What is typed is meant as it is.
    assert third == [[77.5, 42.8], first[1]]


def test_a_text_a_bearing_line_and_range_rings_reach_a_phone_and_come_back_as_they_were(
    page: Page, tak: Join, now_ms: Clock
) -> None:
    phone = phone_beside(page, tak, now_ms, 4)
    take(page, "Text")
    strike(page, (0.4, 0.6))
    name(page, "FORD 3 TONS", "BASICS")
    phone.hears("FORD 3 TONS", "COT_MAPPING_SPOTMAP")
    take(page, "Bearing line")
    # Its second point ends it.
    strike(page, (0.4, 0.4), (0.55, 0.4))
    expect(page.locator(".draw-card small")).to_have_text(re.compile(r"09\d° · .*km|08\d° · .*km"))
    name(page, "SECTOR 1", "BASICS")
    phone.hears('type="u-rb-a"', "SECTOR 1")
    take(page, "Range rings")
    page.get_by_label("Or type: MGRS, UTM, lat/lon").fill("42.8, 77.5")
    page.keyboard.press("Enter")
    page.get_by_label("Edge, or radius: 500 m").fill("9 km")
    page.keyboard.press("Enter")
    name(page, "GUN 1", "BASICS")
    for radius_km in (3, 6, 9):
        phone.hears('type="u-d-c-c"', f"GUN 1 {radius_km}")
    opened(page, "BASICS")
    expect(page.get_by_role("region", name="BASICS", exact=True)).to_contain_text("5 ·")
    # Taken up and saved as they are, they stay what they are.
    for title in ("FORD 3 TONS", "SECTOR 1"):
        page.get_by_role("button", name=f"Edit {title}").click()
        page.locator(".draw-hint").get_by_role("button", name="Save").click()
        expect(page.locator(".draw-hint")).to_have_count(0)
    rows = page.request.get(f"{page.url}api/v1/entities?kind=drawing", headers={"X-Aquila": "test"}).json()
    types = {row["name"]: row["type"] for row in rows if row["fields"].get("layer") == "BASICS"}
    assert (types["FORD 3 TONS"], types["SECTOR 1"]) == ("b-m-p-s-m", "u-rb-a")
    rings = [row["geometry"] for row in rows if row["name"].startswith("GUN 1")]
    assert sorted(round(ring["radius_m"]) for ring in rings) == [3000, 6000, 9000]
    assert {tuple(ring["coordinates"]) for ring in rings} == {(77.5, 42.8)}


def test_corners_are_moved_by_keys(page: Page) -> None:
    corners = [[43.0, 77.2], [43.0, 77.6], [43.3, 77.4]]
    for drawing in (
        {"shape": "polygon", "name": "KEYS 1", "points": corners, "layer": "KEYS"},
        {"shape": "circle", "name": "KEYS 2", "points": [[43.0, 77.4]], "radius_m": 20_000, "layer": "KEYS"},
    ):
        answer = page.request.post(f"{page.url}api/v1/drawings", headers={"X-Aquila": "test"}, data=drawing)
        assert answer.ok, answer.text()
    layers(page)
    opened(page, "KEYS")
    page.get_by_role("button", name="Edit KEYS 1").press("Enter")
    expect(page.get_by_role("button", name="Corner 1 of 3")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Corner 2 of 3")).to_be_focused()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowUp"):
        page.keyboard.press(key)
    page.keyboard.press("Shift+Space")
    # Typed at once, digits go into the field of places; they would open panels.
    page.keyboard.type("42.9, 77.1")
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".draw-hint")).to_have_count(0)
    first, second, third = shapes_of(page, "KEYS 1")[0]["coordinates"][0][:-1]
    assert first == [77.1, 42.9]
    # Twenty pixels to the east, one to the north.
    assert second[0] > 77.6
    assert 0 < second[1] - 43.0 < (second[0] - 77.6) / 4
    assert third == [77.4, 43.3]
    # The edge of a circle makes it wider; Esc leaves it as it was.
    page.get_by_role("button", name="Edit KEYS 2").press("Enter")
    for key in ("Space", "ArrowRight", "Enter"):
        expect(page.get_by_role("button", name=f"Corner {1 if key == 'Space' else 2} of 2")).to_be_focused()
        page.keyboard.press(key)
    expect(page.locator(".draw-hint")).to_have_count(0)
    wider = shapes_of(page, "KEYS 2")[0]
    assert wider["coordinates"] == [77.4, 43.0]
    assert wider["radius_m"] > 20_050
    page.get_by_role("button", name="Edit KEYS 2").press("Enter")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Escape")
    expect(page.locator(".draw-hint")).to_have_count(0)
    assert shapes_of(page, "KEYS 2")[0] == wider
    journal = page.get_by_role("region", name="Journal", exact=True)
    expect(journal).to_contain_text("Drawing KEYS 2 has another shape")
    page.keyboard.press("Control+z")
    expect(journal).to_contain_text("Drawing KEYS 2 is as it was again: operator took a change back")


def test_on_a_phone_all_of_a_drawing_is_in_reach(browse: Browse) -> None:
    page = browse(viewport=SLIM, has_touch=True).open()
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Layers").click()
    page.get_by_role("button", name="Circle", exact=True).click()
    hint, scale = page.locator(".draw-hint").bounding_box(), page.locator(".maplibregl-ctrl-scale").bounding_box()
    assert hint is not None
    assert scale is not None
    assert hint["y"] + hint["height"] <= scale["y"]
    strike(page, (0.6, 0.45), (0.75, 0.45))
    card = page.get_by_role("form", name="Circle")
    for name in ("Save", "Cancel"):
        box = card.get_by_role("button", name=name).bounding_box()
        assert box is not None
        assert box["x"] >= 0, name
        assert box["x"] + box["width"] <= SLIM["width"], name
        assert box["y"] + box["height"] <= SLIM["height"], name


@pytest.mark.parametrize("ending", ["kml", "gpx"])
def test_a_dropped_file_comes_out_again_with_the_same_shapes(page: Page, tmp_path: Path, ending: str) -> None:
    title = f"BACK {ending}"
    points = "<trkpt lat='42.9' lon='77'/><trkpt lat='43.05' lon='77.31'/>"
    texts = {
        "kml": "<kml xmlns='http://www.opengis.net/kml/2.2'><Document><Placemark><name>PATH kml</name>"
        "<LineString><coordinates>77,42.9 77.31,43.05</coordinates></LineString></Placemark></Document></kml>",
        "gpx": "<gpx version='1.1' creator='t' xmlns='http://www.topografix.com/GPX/1/1'>"
        f"<trk><name>PATH gpx</name><trkseg>{points}</trkseg></trk></gpx>",
    }

    def drop(stem: str, text: str, new: int) -> None:
        page.evaluate(
            """([name, text]) => {
              const files = new DataTransfer()
              files.items.add(new File([text], name))
              const map = document.querySelector('.map-view')
              map.dispatchEvent(new DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true }))
            }""",
            [f"{stem}.{ending}", text],
        )
        expect(page.get_by_text(f"New on layer {stem}: {new}; changed: 0; already there: {1 - new}.")).to_be_visible()

    def shapes(layer: str) -> list[Any]:
        rows = page.request.get(f"{page.url}api/v1/entities?kind=drawing", headers={"X-Aquila": "test"}).json()
        return [(row["name"], row["geometry"]) for row in rows if row["fields"].get("layer") == layer]

    layers(page)
    drop(title, texts[ending], new=1)
    was = shapes(title)
    opened(page, title)
    assert [(row[0], row[1]["coordinates"]) for row in was] == [(f"PATH {ending}", [[77.0, 42.9], [77.31, 43.05]])]
    with page.expect_download() as saved:
        page.get_by_role("button", name=f"Export {title} as {ending.upper()}").click()
    saved.value.save_as(tmp_path / "out")
    # In the file of another name they are the same drawings, which stay where they lie.
    drop(f"{title} again", (tmp_path / "out").read_text("utf-8"), new=0)
    assert (shapes(title), shapes(f"{title} again")) == (was, [])


def test_what_a_phone_changes_is_changed_on_the_page(page: Page, tak: Join, now_ms: Clock) -> None:
    phone = phone_beside(page, tak, now_ms, 2)
    take(page, "Area")
    strike(page, (0.35, 0.4), (0.5, 0.35), (0.55, 0.6))
    page.get_by_role("button", name="Finish").click()
    name(page, "AREA 1")
    phone.hears('type="u-d-f"', "AREA 1")
    drawn = next(one for one in phone.heard.split("</event>") if "AREA 1" in one and 'type="u-d-f"' in one)
    drawn = drawn[drawn.index("<event") :]
    # A change is later than what it changes.
    at = datetime.fromtimestamp(now_ms() / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    drawn = re.sub(r' (time|start)="[^"]*"', rf' \1="{at}"', drawn.replace("AREA 1", "AREA 2"))
    phone.send(f"{drawn}</event>".encode())
    journal = page.get_by_role("region", name="Journal", exact=True)
    expect(journal).to_contain_text("Drawing is called AREA 2 now")
    opened(page, "No layer")
    expect(page.get_by_role("button", name="AREA 2", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="AREA 1", exact=True)).to_have_count(0)
    expect(journal.get_by_text("AREA 2")).to_have_count(1)
    # Two have said where it is: both are among its sources, the newest first, with their ages.
    page.get_by_role("button", name="AREA 2", exact=True).click()
    sources = page.locator(".details .sources li")
    expect(sources).to_have_count(2)
    for at, who in enumerate(("TCP", "operator")):
        expect(sources.nth(at)).to_contain_text(who)
        expect(sources.nth(at)).to_contain_text(re.compile(r"\d+ s ago"))


def test_a_tactical_graphic_is_found_by_typing_and_drawn_by_its_points(page: Page) -> None:
    layers(page)
    page.get_by_role("searchbox", name="Tactical graphic").fill("ph li")
    page.get_by_role("button", name="Phase line").click()
    ready(page)
    strike(page, (0.3, 0.6), (0.45, 0.7), (0.6, 0.65))
    page.get_by_role("button", name="Finish").click()
    with page.expect_response(lambda answer: "graphics-" in answer.url):
        name(page, "PL BLUE", "GRAPHICS")
    opened(page, "GRAPHICS")
    expect(page.get_by_role("button", name="PL BLUE", exact=True)).to_be_visible()
    page.get_by_role("checkbox", name="Show GRAPHICS").uncheck()


def test_vertices_are_moved_and_saved(page: Page, demo: ServedNode) -> None:
    layers(page)
    take(page, "Circle")
    strike(page, (0.5, 0.5), (0.6, 0.5))
    name(page, "RING 1", "RINGS")
    opened(page, "RINGS")
    page.get_by_role("button", name="Edit RING 1").click()
    expect(page.locator(".draw-hint")).to_contain_text("Drag the points")
    page.locator(".draw-hint").get_by_role("button", name="Save").click()
    expect(page.locator(".draw-hint")).to_have_count(0)
    page.get_by_role("button", name="Remove RING 1").click()
    expect(page.get_by_role("region", name="RINGS", exact=True)).to_have_count(0)


def test_a_click_inside_areas_selects_the_smallest_and_a_second_one_lets_go(page: Page) -> None:
    middle = (43.9, 78.9)  # Where the demo has nothing else.
    for title, edge_deg in (("PICCOLA", 0.02), ("GRANDE", 0.05)):
        south, north = middle[0] - edge_deg, middle[0] + edge_deg
        west, east = middle[1] - edge_deg, middle[1] + edge_deg
        corners = [[south, west], [south, east], [north, east], [north, west]]
        drawing = {"shape": "polygon", "name": title, "points": corners, "layer": "NESTED"}
        answer = page.request.post(f"{page.url}api/v1/drawings", headers={"X-Aquila": "test"}, data=drawing)
        assert answer.ok, answer.text()
    layers(page)
    opened(page, "NESTED")
    page.get_by_role("button", name="GRANDE", exact=True).click()
    chosen = page.locator(".details h2")
    expect(chosen).to_have_text("GRANDE")
    page.wait_for_timeout(1000)  # The map flies there; what it draws is not in the document.
    box = page.locator("#map").bounding_box()
    assert box is not None

    def click(*off_px: int) -> None:
        page.mouse.click(box["x"] + box["width"] / 2 + off_px[0], box["y"] + box["height"] / 2 + off_px[1])

    click(7, 9)
    expect(chosen).to_have_text("PICCOLA")
    click(7, 9)
    expect(chosen).to_have_text("Details")


def test_a_corridor_a_bullseye_and_a_marked_point_reach_a_phone_and_stay_editable(
    page: Page, tak: Join, now_ms: Clock
) -> None:
    phone = phone_beside(page, tak, now_ms, 3)
    take(page, "Corridor")
    strike(page, (0.35, 0.4), (0.5, 0.35), (0.6, 0.5))
    page.get_by_role("button", name="Finish").click()
    page.get_by_label("Width (m)").fill("3000")
    name(page, "WAY 1", "NEW")
    phone.hears('type="u-d-f"', "WAY 1")
    take(page, "Bullseye")
    strike(page, (0.5, 0.5), (0.6, 0.5))
    name(page, "BULL 1", "NEW")
    phone.hears('type="u-r-b-bullseye"', "BULL 1", 'ringNum="3"')
    take(page, "Point")
    strike(page, (0.45, 0.6))
    page.get_by_role("radio", name="Flag").click()
    page.get_by_role("radio", name="Red").click()
    name(page, "FLAG 1", "NEW")
    phone.hears('type="a-u-G"', "FLAG 1", "Google/flag.png", '<color argb="-1750963"/>')
    opened(page, "NEW")
    page.get_by_role("button", name="Edit WAY 1").click()
    expect(page.get_by_label("Width (m)")).to_have_value("3000")
    page.get_by_label("Width (m)").fill("500")
    page.locator(".draw-hint").get_by_role("button", name="Save").click()
    expect(page.locator(".draw-hint")).to_have_count(0)
    page.get_by_role("button", name="WAY 1", exact=True).click()
    expect(page.locator(".details")).to_contain_text("500 m")
    page.get_by_role("button", name="Edit FLAG 1").click()
    for wanted in ("Flag", "Red"):
        expect(page.get_by_role("radio", name=wanted)).to_be_checked()
    page.get_by_role("radio", name="Caution").click()
    page.get_by_role("radio", name="Green").click()
    page.locator(".draw-hint").get_by_role("button", name="Save").click()
    phone.hears("FLAG 1", "Google/caution.png", '<color argb="-13257366"/>')
    # One thing: it goes in one step.
    page.get_by_role("button", name="Remove BULL 1").click()
    expect(page.get_by_role("button", name="BULL 1", exact=True)).to_have_count(0)
    expect(page.get_by_role("region", name="NEW", exact=True)).to_contain_text("2 ·")


def test_a_click_inside_a_tactical_area_selects_it(page: Page) -> None:
    corners = [[43.6, 79.6], [43.6, 79.8], [43.8, 79.8], [43.8, 79.6]]
    area = {
        "shape": "polygon",
        "name": "AA DOG",
        "points": corners,
        "layer": "TACTICAL",
        "sidc": "10032500001502000000",
    }
    answer = page.request.post(f"{page.url}api/v1/drawings", headers={"X-Aquila": "test"}, data=area)
    assert answer.ok, answer.text()
    layers(page)
    opened(page, "TACTICAL")
    page.get_by_role("button", name="AA DOG", exact=True).click()
    chosen = page.locator(".details h2")
    expect(chosen).to_have_text("AA DOG")
    page.wait_for_timeout(1000)  # The map flies there; what it draws is not in the document.
    box = page.locator("#map").bounding_box()
    assert box is not None
    # The first click lets go of what is chosen, the second takes it again.
    for title in ("Details", "AA DOG"):
        page.mouse.click(box["x"] + box["width"] / 2 + 40, box["y"] + box["height"] / 2 + 30)
        expect(chosen).to_have_text(title)


def test_a_file_becomes_a_layer_and_the_layer_a_file(page: Page, tmp_path: Path) -> None:
    feature = {
        "type": "Feature",
        "properties": {"name": "VALLE"},
        "geometry": {"type": "LineString", "coordinates": [[77.0, 42.9], [77.3, 43.0]]},
    }
    bad = {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [7, 95]}}
    plan = tmp_path / "plan.geojson"
    plan.write_text(json.dumps({"type": "FeatureCollection", "features": [feature, bad]}))
    layers(page)
    page.get_by_label("Import file").last.set_input_files(plan)
    expect(page.get_by_text("New on layer plan: 1; changed: 0; already there: 0; left out: 1.")).to_be_visible()
    opened(page, "plan")
    with page.expect_download() as kept:
        page.get_by_role("button", name="Export plan as geojson").click()
    saved = tmp_path / "plan2.geojson"
    kept.value.save_as(saved)
    whole = json.loads(saved.read_text())
    assert [one["properties"]["name"] for one in whole["features"]] == ["VALLE"]
    (tmp_path / "plan.geojson").write_text(saved.read_text())
    page.get_by_label("Import file").last.set_input_files(plan)
    expect(page.get_by_text("New on layer plan: 0; changed: 0; already there: 1.", exact=True)).to_be_visible()
    wait_until(lambda: page.get_by_role("button", name="VALLE", exact=True).count() == 1, "it is there once")


def test_a_hidden_layer_stays_hidden_and_the_panel_holds_the_accessibility_rules(page: Page) -> None:
    # Where the exercise has nothing else.
    drawing = {"shape": "line", "name": "NASCOSTA", "points": [[45.0, 79.0], [45.1, 79.1]], "layer": "QUIET"}
    answer = page.request.post(f"{page.url}api/v1/drawings", headers={"X-Aquila": "test"}, data=drawing)
    assert answer.ok, answer.text()
    layers(page)
    shown = page.get_by_role("checkbox", name="QUIET")
    shown.uncheck()
    page.reload()
    layers(page)
    expect(shown).not_to_be_checked()
    opened(page, "QUIET")
    page.evaluate(AXE.read_text("utf-8"))
    assert page.evaluate(VIOLATIONS) == []
    # Who is looked for is shown while he is selected, whatever is hidden; the cursor says what lies under it.
    page.get_by_role("region", name="QUIET").get_by_text("NASCOSTA").click()
    wait_until(lambda: middle_cursor(page) == "pointer", "the drawing lies under the pointer")
    page.keyboard.press("Escape")
    wait_until(lambda: middle_cursor(page) != "pointer", "it is hidden again")
    shown.check()
    owner = page.get_by_role("region", name="QUIET").locator("small").first
    expect(owner).to_have_text("1 · operator")
    turn = {"post": "duty_officer", "person": "person:operator"}
    answer = page.request.post(f"{page.url}api/v1/posts", headers={"X-Aquila": "test"}, data={"turn": turn})
    assert answer.ok, answer.text()
    expect(owner).to_have_text("1 · operator (duty officer)")


def test_a_layer_is_renamed_and_moved_by_one_line_each_and_is_known_in_files(browse: Browse, tmp_path: Path) -> None:
    page, other = browse().open(), browse().open()

    def ask(path: str) -> list[dict[str, Any]]:
        answer = page.request.get(f"{page.url}api/v1/{path}", headers={"X-Aquila": "test"})
        assert answer.ok, answer.text()
        return list(answer.json())

    def shapes(layer: str) -> list[str]:
        rows = ask("entities?kind=drawing")
        return sorted(
            json.dumps([row["name"], row.get("geometry")]) for row in rows if row["fields"].get("layer") == layer
        )

    for number in range(3):
        corners = [[43.9, 78.9], [43.9, 79.0 + number / 100], [44.0, 79.0]]
        drawing = {"shape": "polygon", "name": f"ZONA {number}", "points": corners, "layer": "ZZ ONE"}
        page.request.post(f"{page.url}api/v1/drawings", headers={"X-Aquila": "test"}, data=drawing)
    below = {"shape": "point", "name": "PUNTO 9", "points": [[43.9, 78.9]], "layer": "MM OTHER"}
    page.request.post(f"{page.url}api/v1/drawings", headers={"X-Aquila": "test"}, data=below)
    layers(page)
    layers(other)
    opened(page, "ZZ ONE")
    page.get_by_role("region", name="ZZ ONE", exact=True).get_by_role("button", name="Rename").click()
    page.get_by_label("New name of ZZ ONE").fill("AA PLAN")
    page.keyboard.press("Enter")
    for one in (page, other):
        expect(one.get_by_role("region", name="AA PLAN", exact=True)).to_be_visible()
    said = [row for row in ask("layers") if row["id"] == "ZZ ONE"]
    assert [row["name"] for row in said] == ["AA PLAN"]
    other.get_by_role("region", name="AA PLAN", exact=True).get_by_role("button", name=re.compile("AA PLAN")).focus()
    other.keyboard.press("Alt+ArrowDown")
    for one in (page, other):
        expect(one.locator(".draw-layer").first).not_to_have_attribute("aria-label", "AA PLAN")
    was = shapes("ZZ ONE")
    assert len(was) == 3
    files = []
    for ending, title in (("kmz", "KMZ"), ("gpkg", "GeoPackage")):
        with page.expect_download() as saved:
            page.get_by_role("button", name=f"Export AA PLAN as {title}").click()
        assert saved.value.suggested_filename == f"AA PLAN.{ending}"
        files.append(tmp_path / f"FRESH {ending}.{ending}")
        saved.value.save_as(files[-1])
    # They are the same drawings again, which stay where they lie.
    for path in files:
        page.locator(".draw-file").set_input_files(path)
        expect(page.get_by_text(f"New on layer {path.stem}: 0; changed: 0; already there: 3.")).to_be_visible()
    assert shapes("ZZ ONE") == was
