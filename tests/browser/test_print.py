"""Paper: a sheet of the map with banner, grid, scale and legend, from the browser's print and as a picture."""

import base64
import io
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect
from pypdf import PdfReader

from .conftest import Browse
from .desk import board
from .test_page import AXE, VIOLATIONS
from .test_shell import opened, out_of_fields

pytestmark = pytest.mark.browser


SHEET = """async (png) => {
  const bytes = Uint8Array.from(atob(png), (c) => c.charCodeAt(0))
  const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
  const brush = new OffscreenCanvas(image.width, image.height).getContext('2d')
  brush.drawImage(image, 0, 0)
  const [wide, high] = [image.width, image.height]
  const pixel = (x, y) => brush.getImageData(Math.round(x * wide), Math.round(y * high), 1, 1).data
  const at = (x, y) => [...pixel(x, y)].slice(0, 3)
  const map = brush.getImageData(image.width * 0.06, image.height * 0.15, image.width * 0.6, image.height * 0.6).data
  const pixels = new Uint32Array(map.buffer)
  const count = new Map()
  for (const pixel of pixels) count.set(pixel, (count.get(pixel) ?? 0) + 1)
  // 128, 224, 255: the fill of a friendly frame, in the byte order of a Uint32Array.
  return { size: [image.width, image.height], top: at(0.02, 0.015), low: at(0.02, 0.985), paper: at(0.01, 0.5),
    head: at(0.97, 0.055),
    colours: count.size, most: Math.max(...count.values()) / pixels.length, friends: count.get(0xffffe080) ?? 0,
    // Green, as the demo draws the edge of one of its areas.
    drawn: count.get(0xff00ff00) ?? 0 }
}"""
GREEN = [0, 107, 60]
AMBER = [255, 176, 32]
WHITE = [255, 255, 255]
SHEET_MS = 150_000
"""The page waits twice for its map, a minute each at most, before it takes what is there; drawing comes on top."""
SLOW_MS = 35_000
"""Longer than anybody would take for a map's tiles; a busy machine has taken as long."""


def opened_sheet(page: Page) -> None:
    """The print box, its sheet drawn."""
    out_of_fields(page)
    page.keyboard.press("Control+p")
    expect(page.locator(".print-preview canvas")).to_have_attribute("aria-label", "Drawing the sheet …")
    expect(page.locator(".print-preview:not(.waiting)")).to_be_visible(timeout=SHEET_MS)


def saved(page: Page, folder: Path) -> dict[str, object]:
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as PNG").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    seen: dict[str, object] = page.evaluate(SHEET, base64.b64encode(path.read_bytes()).decode())
    return seen | {"name": path.name}


def test_a_sheet_is_light_and_whole_as_picture_and_as_pdf(browse: Browse, tmp_path: Path) -> None:
    page = opened(browse, theme="night", device_scale_factor=1)
    expect(page.locator(".entity").first).to_be_visible()
    page.evaluate(AXE.read_text("utf-8"))
    opened_sheet(page)
    assert page.evaluate(VIOLATIONS, []) == []
    sheet = saved(page, tmp_path)
    assert sheet["size"] == [2376, 1680]
    assert sheet["top"] == sheet["low"] == GREEN
    assert sheet["paper"] == WHITE
    assert sheet["head"] == WHITE
    many, most, friends = sheet["colours"], sheet["most"], sheet["friends"]
    assert isinstance(many, int)
    assert many > 100
    assert isinstance(most, float)
    assert most < 0.9
    assert isinstance(friends, int)
    assert friends > 500
    it_prints_by_its_button_only(page)
    page.get_by_label("Paper").select_option("A4, portrait")
    expect(page.locator(".print-preview.waiting")).to_have_count(1)
    expect(page.locator(".print-preview:not(.waiting)")).to_be_visible(timeout=SHEET_MS)
    assert saved(page, tmp_path)["size"] == [1680, 2376]
    pdf = page.pdf(prefer_css_page_size=True, print_background=True)
    # A4 portrait in points, one page.
    assert b"/MediaBox [0 0 594" in pdf or b"/MediaBox [0 0 595" in pdf
    assert pdf.count(b"/Type /Page\n") == 1
    said = PdfReader(io.BytesIO(pdf)).pages[0].extract_text()
    assert said.count("Friend · Unit") == 1, "a line of the legend more than once"
    assert said.count("UNCLASSIFIED") == 2
    assert "Borders de facto. Not for navigation." in " ".join(said.split())
    page.keyboard.press("Escape")
    # From the browser's own menu, without the box, on the paper of last time.
    page.get_by_role("searchbox").blur()
    pdf = page.pdf(prefer_css_page_size=True, print_background=True)
    assert pdf.count(b"/Type /Page\n") == 1
    assert b"/MediaBox [0 0 594" in pdf or b"/MediaBox [0 0 595" in pdf
    the_handover_on_paper(page)


def it_prints_by_its_button_only(page: Page) -> None:
    """Not by the keys that open the box, nor by Enter in its title; the browser's own dialog is kept away, too."""
    page.evaluate(
        "() => { window.prints = []; window.print = () => window.prints.push('page');"
        " addEventListener('keydown', (key) => key.key === 'p' && window.prints.push(key.defaultPrevented)) }"
    )
    page.keyboard.press("Control+p")
    page.get_by_label("Title on the sheet").press("Enter")
    assert page.evaluate("window.prints") == [True]
    page.get_by_role("button", name="Print").click()
    assert page.evaluate("window.prints") == [True, "page"]


def the_handover_on_paper(page: Page) -> None:
    """All lines of the list, on labelled pages of text; nothing else of the page."""
    board(page, "Shift+H", "Handover")
    lines = page.locator(".handover .sections .line-open")
    expect(lines.first).to_be_visible()
    page.evaluate("() => { window.print = () => document.body.classList.add('printed') }")
    page.locator(".handover").get_by_role("button", name="Print").click()
    pages = [one.extract_text() for one in PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages]
    assert all(one.count("UNCLASSIFIED") >= 2 for one in pages), "a page without its label"
    said = " ".join(" ".join(pages).split())
    assert "Situation as of" in said
    # A promise's own words, without how long is left: that goes on.
    for line in lines.locator("span:not(.promise)").all_text_contents()[:40]:
        assert " ".join(line.split()) in said
    assert "Sign the handover" not in said


@pytest.mark.long
def test_a_sheet_waits_for_a_slow_map_and_then_has_its_drawings(browse: Browse, tmp_path: Path) -> None:
    page = browse().open()
    held: list[Route] = []
    is_slow = True

    def pass_on(route: Route) -> None:
        if is_slow:
            held.append(route)
        else:
            route.continue_()

    page.route("**/maps/*.pmtiles", pass_on)
    out_of_fields(page)
    page.keyboard.press("Control+p")
    page.wait_for_timeout(SLOW_MS)
    expect(page.locator(".print-preview.waiting")).to_be_visible()
    assert held
    is_slow = False
    for route in held:
        route.continue_()
    expect(page.locator(".print-preview:not(.waiting)")).to_be_visible(timeout=SHEET_MS)
    expect(page.locator(".print-box .warn")).to_have_count(0)
    seen = saved(page, tmp_path)
    assert isinstance(seen["drawn"], int)
    assert seen["drawn"] > 200, "the green edge of AO VERDE"


def test_a_sheet_of_the_past_says_so(browse: Browse, tmp_path: Path) -> None:
    page = opened(browse, device_scale_factor=1)
    expect(page.locator(".entity").first).to_be_visible()
    out_of_fields(page)
    page.keyboard.press("r")
    expect(page.locator(".desk.replay")).to_have_count(1)
    opened_sheet(page)
    assert "REPLAY" in (page.locator(".print-preview canvas").get_attribute("aria-label") or "")
    sheet = saved(page, tmp_path)
    assert sheet["head"] == AMBER
    assert str(sheet["name"]).endswith("-replay.png")
