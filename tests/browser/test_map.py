"""The map as a watch officer uses it: clusters, the grid, own maps, a brief, and lost graphics."""

import io
import sqlite3
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from aquila.stores.terrain import read_png
from aquila.testing.served import wait_until

from .conftest import Browse
from .test_page import AXE, VIOLATIONS
from .test_shell import opened, out_of_fields

pytestmark = pytest.mark.browser

LOSE = """(name) => {
  const gl = document.querySelector(name).getContext('webgl2')
  const lost = gl.getExtension('WEBGL_lose_context')
  lost.loseContext()
  setTimeout(() => lost.restoreContext(), 50)
  return gl.isContextLost()
}"""
RATIO = """() => {
  const canvas = document.querySelector('canvas.map-sprites')
  return [canvas.width / canvas.clientWidth, canvas.clientWidth === canvas.parentElement.clientWidth]
}"""
PIXEL = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00"
    b"\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\x89\x99=\x1d\x00\x00\x00\x00IEND\xaeB`\x82"
)


def palette(page: Page, words: str) -> None:
    out_of_fields(page)
    page.keyboard.press("Control+k")
    page.keyboard.type(words)
    page.keyboard.press("Enter")


def test_the_picture_comes_back_after_either_of_its_two_graphics_contexts_was_lost(
    browse: Browse, map_is_drawn: Callable[[Page], None]
) -> None:
    page = opened(browse, device_scale_factor=1)
    for canvas in ("canvas.map-sprites", "canvas.maplibregl-canvas"):
        assert page.evaluate(LOSE, canvas)
        map_is_drawn(page)


@pytest.mark.long
def test_symbols_are_sharp_on_a_dense_screen_and_stand_on_every_copy_of_the_world(
    browse: Browse, map_is_drawn: Callable[[Page], None]
) -> None:
    page = opened(browse, device_scale_factor=2)
    map_is_drawn(page)
    assert page.evaluate(RATIO) == [2, True]
    for _ in range(8):
        page.get_by_role("button", name="Zoom out").click()
    map_is_drawn(page)


def test_an_own_map_lies_on_the_map_until_it_is_taken_away(browse: Browse, tmp_path: Path) -> None:
    file = tmp_path / "valley.mbtiles"
    with sqlite3.connect(file) as base:
        base.execute("CREATE TABLE metadata (name, value)")
        base.execute("CREATE TABLE tiles (zoom_level, tile_column, tile_row, tile_data)")
        said = {"format": "png", "minzoom": "0", "maxzoom": "0", "bounds": "-180,-85,180,85"}
        base.executemany("INSERT INTO metadata VALUES (?, ?)", said.items())
        base.execute("INSERT INTO tiles VALUES (0, 0, 0, ?)", (PIXEL,))
    base.close()
    watched = browse()
    page = watched.open()
    page.evaluate(AXE.read_text("utf-8"))
    palette(page, "Go to Maps")
    with page.expect_response(lambda answer: "/tiles/" in answer.url and answer.url.endswith("/0/0/0")) as tile:
        page.locator(".own-maps input[type=file]").set_input_files(file)
    assert tile.value.status == 200
    expect(page.get_by_label("Show valley.mbtiles")).to_be_checked()
    assert page.evaluate(VIOLATIONS) == []
    page.get_by_role("button", name="Remove").click()
    page.locator(".own-maps").get_by_role("button", name="Remove").last.click()
    expect(page.get_by_label("Show valley.mbtiles")).to_have_count(0)
    # What holds no map is not said to lie on it, and does not stay on the node.
    watched.expected.append("422")
    (tmp_path / "junk.gpkg").write_bytes(b"no map at all " * 100)
    page.locator(".own-maps input[type=file]").set_input_files(tmp_path / "junk.gpkg")
    expect(page.locator(".notice.bad")).to_contain_text("junk.gpkg cannot be shown")
    expect(page.get_by_text("junk.gpkg is on the map")).to_have_count(0)
    expect(page.get_by_label("Show junk.gpkg")).to_have_count(0)
    kept = page.request.get(f"{page.url}api/v1/packages").json()
    assert "junk.gpkg" not in [row["name"] for row in kept]


def test_a_brief_shows_its_views_one_after_the_other_and_gives_the_page_back(browse: Browse) -> None:
    page = opened(browse)
    expect(page.locator(".entity").first).to_be_visible()
    palette(page, "Go to Brief")
    page.get_by_role("button", name="Take this view").click()
    page.get_by_label("Title of view 1").fill("The whole valley")
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Take this view").click()
    page.get_by_label("Notes of view 2").fill("Here <b>they</b> are.")
    page.evaluate(AXE.read_text("utf-8"))
    assert page.evaluate(VIOLATIONS) == []
    page.get_by_role("button", name="Present", exact=True).click()
    presenter = page.locator(".presenter")
    expect(presenter.get_by_role("heading")).to_have_text("The whole valley")
    expect(page.locator(".banner")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(presenter).to_contain_text("Here <b>they</b> are.")
    page.keyboard.press("Escape")
    expect(presenter).to_have_count(0)
    expect(page.get_by_role("searchbox").first).to_be_visible()
    # The map shows what it showed before, no less near.
    page.get_by_role("button", name="Take this view").click()
    widths = page.evaluate(
        "() => JSON.parse(localStorage.getItem('aquila.brief')).map((one) => one.bounds[2] - one.bounds[0])"
    )
    assert widths[2] == pytest.approx(widths[1], rel=0.01)
    assert widths[0] > 1.5 * widths[1]


BRIEF = """() => localStorage.setItem('aquila.brief', JSON.stringify(['The whole valley', 'The lake'].map(
  (title, n) => ({ id: title, title, notes: n ? '' : 'Seen <b>twice</b>', at_ms: null,
    filter: n ? { kind: 'marker' } : {}, bounds: [75 + n, 42, 79 + n, 44] }))))"""


def test_a_brief_on_paper_is_one_sheet_for_each_view_with_label_and_time(browse: Browse) -> None:
    watched = browse(viewport={"width": 1000, "height": 640})
    watched.context.add_init_script(f"if (location.protocol !== 'about:') ({BRIEF})()")
    page = watched.open()
    page.evaluate("() => { window.print = () => document.body.classList.add('printed') }")
    palette(page, "Go to Brief")
    page.get_by_role("button", name="Print or PDF").click()
    expect(page.locator("body.printed")).to_have_count(1)
    pdf = page.pdf(prefer_css_page_size=True, print_background=True)
    assert pdf.count(b"/Type /Page\n") == 2
    sheets = [one.get_attribute("aria-label") or "" for one in page.locator(".print-sheet canvas").all()]
    assert ["1 of 2: The whole valley" in sheets[0], "2 of 2: The lake" in sheets[1]] == [True, True]
    assert all("UNCLASSIFIED" in one and "Situation as of" in one for one in sheets)
    # Words, not pictures of words: a PDF keeps for each of their fonts which letters its shapes are.
    assert b"/ToUnicode" in pdf
    first, second = page.locator(".print-sheet svg").all_text_contents()
    # What a reader of the file finds: words that can be searched, each on its own sheet.
    papers = [words.extract_text() for words in PdfReader(io.BytesIO(pdf)).pages]
    for said in ("UNCLASSIFIED", "Situation as of", "Legend", "Seen <b>twice</b>"):
        assert said in first
        assert said in papers[0]
    for paper in (second, papers[1]):
        assert "2 of 2: The lake" in paper
        assert "twice" not in paper
    # The sheet shows what the view shows, and says that more is there.
    assert "Friend · " in first
    assert "Friend · " not in second
    assert "A filter leaves" in papers[1]
    assert "A filter leaves" not in papers[0]
    page.get_by_role("button", name="Present from here: view 2").click()
    presenter = page.locator(".presenter")
    expect(presenter).to_contain_text("A filter leaves")
    page.keyboard.press("ArrowLeft")
    expect(presenter).to_contain_text("The whole valley")
    expect(presenter).not_to_contain_text("A filter leaves")


ONLY_GROUND = "* { visibility: hidden !important } canvas.maplibregl-canvas { visibility: visible !important }"


def ground(page: Page) -> Any:
    """The pixels of the map without symbols and whatever lies over it."""
    return read_png(page.screenshot(style=ONLY_GROUND, clip=page.locator("#map").bounding_box()))


def test_where_nobody_has_looked_and_what_terrain_hides_lie_on_the_map_with_a_legend(browse: Browse) -> None:
    page = opened(browse, viewport={"width": 1120, "height": 700})
    shots = [ground(page)]

    def rests() -> bool:
        shots.append(ground(page))
        return bool((shots[-1] == shots[-2]).all()) and len(np.unique(shots[-1])) > 100

    wait_until(rests, "the ground is drawn")
    bare = shots[-1]
    palette(page, "Where nobody has looked")
    looks = page.get_by_role("group", name="Looks")
    expect(looks).to_contain_text("nobody since")

    def differs(least: float) -> bool:
        return bool((ground(page) != bare).any(axis=2).mean() >= least)

    wait_until(lambda: differs(0.3), "most of the ground is shaded: nobody was there")
    looks.get_by_role("button", name="Take away: Looks").click()
    box = page.locator("#map").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, button="right")
    page.get_by_role("menuitem", name="Shadow from here").click()
    shadow = page.get_by_role("group", name="Shadow", exact=True)
    expect(shadow).to_contain_text("hidden even at")
    wait_until(lambda: differs(0.02), "mountains throw shadows")
    dark = (ground(page) != bare).any(axis=2)
    palette(page, "Take the shadow away")
    expect(shadow).to_have_count(0)
    # Not the whole map: the exercise goes on, and draws an area of its own now and then.
    wait_until(lambda: (ground(page) == bare).all(axis=2)[dark].mean() > 0.8, "the ground is bare again")


MAGENTA, GREEN, BLUE = (255, 0, 255), (0, 200, 0), (0, 0, 160)
ACCENT = (74, 168, 255)
"""Of the dark look; areas are filled with a fifth of it."""


def drop(page: Page, file: Path) -> None:
    """Drag a file of this machine onto the middle of the map, as a browser tells a page of it."""
    box = page.locator("#map").bounding_box()
    assert box is not None
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    browser = page.context.new_cdp_session(page)
    for step in ("dragEnter", "dragOver", "drop"):
        carried = {"items": [], "files": [str(file)], "dragOperationsMask": 1}
        browser.send("Input.dispatchDragEvent", {"type": step, **at, "data": carried})
    browser.detach()


def one_pixel(colour: tuple[int, int, int]) -> bytes:
    """A PNG."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    packed = zlib.compress(bytes((0, *colour)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def world_tiles(path: Path) -> Path:
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE metadata (name, value)")
        base.execute("CREATE TABLE tiles (zoom_level, tile_column, tile_row, tile_data)")
        base.executemany(
            "INSERT INTO metadata VALUES (?, ?)", {"format": "png", "minzoom": "0", "maxzoom": "0"}.items()
        )
        base.execute("INSERT INTO tiles VALUES (0, 0, 0, ?)", (one_pixel(MAGENTA),))
    base.close()
    return path


def archive(path: Path, tile: bytes, kind: int) -> Path:
    """PMTiles 3 with one tile for the world; kind 2 = PNG, 6 = MLT (PMTiles 3, 3.1 and 4.1)."""
    root, meta = bytes((1, 0, 1, len(tile), 1)), b"{}"
    assert len(tile) < 128, "its length is one byte of the directory"
    at = 127 + len(root) + len(meta)
    head = b"PMTiles\3" + struct.pack("<11Q", 127, len(root), 127 + len(root), len(meta), at, 0, at, len(tile), 1, 1, 1)
    head += bytes((1, 1, 1, kind, 0, 0)) + struct.pack(
        "<4ibii", -(10**9) * 9 // 5, -850000000, 18 * 10**8, 850000000, 0, 0, 0
    )
    path.write_bytes(head + root + meta + tile)
    return path


def geotiff(path: Path, *, is_placed: bool) -> Path:
    """Green from 70 to 77 E and 38 to 46 N, in degrees (EPSG:4326); or without its place."""
    data = bytes(GREEN) * 56
    tags = [(256, "I", [7]), (257, "I", [8]), (258, "H", [8, 8, 8]), (262, "H", [2]), (273, "I", [8]), (277, "H", [3])]
    tags += [(278, "I", [8]), (279, "I", [len(data)])]
    if is_placed:
        keys = [1, 1, 0, 2, 1024, 0, 1, 2, 2048, 0, 1, 4326]
        tags += [(33550, "d", [1, 1, 0]), (33922, "d", [0, 0, 0, 70, 46, 0]), (34735, "H", keys)]
    at = 8 + len(data)
    spill = at + 2 + len(tags) * 12 + 4
    directory, spilled = struct.pack("<H", len(tags)), b""
    for tag, letter, values in tags:
        body = struct.pack(f"<{len(values)}{letter}", *values)
        if len(body) > 4:
            body, spilled = struct.pack("<I", spill + len(spilled)), spilled + body
        directory += struct.pack("<HHI", tag, {"H": 3, "I": 4, "d": 12}[letter], len(values)) + body.ljust(4, b"\0")
    path.write_bytes(b"II*\0" + struct.pack("<I", at) + data + directory + bytes(4) + spilled)
    return path


def zones(path: Path) -> Path:
    """A GeoPackage with an area from 78 to 85 E and 38 to 46 N, called Zone 7."""
    corners = struct.pack("<I8d", 4, 78, 38, 85, 38, 85, 46, 78, 38 + 8)
    shape = b"GP\0\1" + struct.pack("<i", 4326) + struct.pack("<BII", 1, 3, 1) + corners
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE gpkg_geometry_columns (table_name, column_name, srs_id)")
        base.execute("CREATE TABLE gpkg_spatial_ref_sys (srs_id, organization, organization_coordsys_id)")
        base.execute("INSERT INTO gpkg_geometry_columns VALUES ('zones', 'geom', 4326)")
        base.execute("INSERT INTO gpkg_spatial_ref_sys VALUES (4326, 'EPSG', 4326)")
        base.execute("CREATE TABLE zones (geom BLOB, name TEXT)")
        base.executemany("INSERT INTO zones VALUES (?, ?)", [(shape, "Zone 7"), (b"junk", "broken")])
    base.close()
    return path


def share(page: Page, colour: tuple[int, int, int]) -> float:
    """How much of the ground has a colour, give or take what mixing rounds."""
    return float((np.abs(ground(page)[:, :, :3].astype(int) - colour).max(axis=2) <= 4).mean())


def test_maps_of_every_kind_are_dragged_in_and_lie_on_the_map(browse: Browse, tmp_path: Path) -> None:
    page = opened(browse, viewport={"width": 1120, "height": 700})
    palette(page, "Go to Maps")
    drop(page, archive(tmp_path / "blue.pmtiles", one_pixel(BLUE), 2))
    wait_until(lambda: share(page, BLUE) > 0.6, "the archive covers the map")
    drop(page, archive(tmp_path / "new.pmtiles", one_pixel(BLUE), 6))
    expect(page.locator(".notice.bad")).to_contain_text("new.pmtiles holds no tiles that are drawn here (Mlt)")
    expect(page.get_by_label("Show new.pmtiles")).to_have_count(0)
    drop(page, world_tiles(tmp_path / "world.mbtiles"))
    wait_until(lambda: share(page, MAGENTA) > 0.6, "the tiles cover the map")
    drop(page, geotiff(tmp_path / "valley.tif", is_placed=True))
    wait_until(lambda: share(page, GREEN) > 0.05, "the picture lies on the tiles")
    drop(page, zones(tmp_path / "zones.gpkg"))
    expect(page.get_by_text("1 shape is not drawn")).to_be_visible()
    filled = (round(255 * 0.8 + ACCENT[0] * 0.2), round(ACCENT[1] * 0.2), 255)
    wait_until(lambda: share(page, filled) > 0.05, "the area is filled")
    drop(page, geotiff(tmp_path / "nowhere.tif", is_placed=False))
    expect(page.locator(".notice.bad").last).to_contain_text("nowhere.tif does not say where it lies")
    expect(page.get_by_label("Show nowhere.tif")).to_have_count(0)
    (tmp_path / "broken.tif").write_bytes((tmp_path / "valley.tif").read_bytes()[:300])
    drop(page, tmp_path / "broken.tif")
    expect(page.locator(".notice.bad").last).to_contain_text("broken.tif is damaged")
    page.get_by_label("Strength of valley.tif").fill("0.5")
    wait_until(lambda: share(page, (127, 100, 127)) > 0.05, "the picture is half clear")
    covered = share(page, filled)
    page.get_by_label("Show zones.gpkg").uncheck()
    # Areas of the exercise are of nearly that colour, too.
    wait_until(lambda: share(page, filled) < covered / 2, "the area is hidden")
    page.get_by_role("button", name="Remove").nth(1).click()
    page.locator(".own-maps").get_by_role("button", name="Remove").nth(1).click()
    expect(page.get_by_label("Show valley.tif")).to_have_count(0)
    wait_until(lambda: share(page, MAGENTA) > 0.6, "the picture is gone")
