"""The map as a watch officer uses it: clusters, the grid, own maps, a brief, and lost graphics."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from aquila.stores.terrain import read_png
from aquila.testing.served import wait_until

from .conftest import Watched
from .test_page import AXE, VIOLATIONS
from .test_shell import opened, out_of_fields

pytestmark = pytest.mark.browser

Browse = Callable[..., Watched]
LOSE = """(name) => {
  const lost = document.querySelector(name).getContext('webgl2').getExtension('WEBGL_lose_context')
  lost.loseContext()
  setTimeout(() => lost.restoreContext(), 50)
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
    page = opened(browse)
    for canvas in ("canvas.map-sprites", "canvas.maplibregl-canvas"):
        page.evaluate(LOSE, canvas)
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
    palette(page, "Take the shadow away")
    expect(shadow).to_have_count(0)
    wait_until(lambda: not differs(0.01), "the ground is bare again")
