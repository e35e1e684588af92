"""Makes the pictures of README and guide from a demo node: `.venv/bin/python tools/pictures.py [NAME ...]`.

Every picture is a row: what is done on the page, in which look. All take about ten minutes, since the exercise must
have come to its casualty. The page must be built. Look at each picture before you commit it.
"""

import argparse
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, TiffImagePlugin
from playwright.sync_api import Browser, FilePayload, Locator, Page, TimeoutError, ViewportSize, expect, sync_playwright

from aquila.app.asking import ask
from aquila.testing.served import ServedNode, wait_until

SHOTS = Path(__file__).parents[1] / "docs/shots"
DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
QUALITY = 82
WAIT_MS = 60_000
PLAYED_S = 600
"""The longest that anything of the day is waited for."""
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


class Picture(NamedTuple):
    """One file of docs/shots: what is done on the page before it is taken."""

    name: str
    steps: Callable[[Page], None]
    theme: str = "dark"
    language: str = "en"
    size: ViewportSize = DESK
    is_calm: bool = True
    """Does it come to rest? A harbour never does."""


def palette(page: Page, action: str) -> None:
    """Do an action by its name."""
    page.keyboard.press("Control+k")
    page.get_by_role("dialog").get_by_role("combobox").fill(action)
    page.keyboard.press("Enter")


def floor(page: Page) -> None:
    """Nothing but the watch floor."""
    page.keyboard.press("f")


def board(keys: str, shows: str) -> Callable[[Page], None]:
    """A workspace by its keys, once it says this."""

    def steps(page: Page) -> None:
        page.keyboard.press(keys)
        expect(page.locator(".workspace")).to_contain_text(shows, ignore_case=True, timeout=PLAYED_S * 1000)

    return steps


def select(page: Page, name: str) -> None:
    """Find something by its name and show it."""
    page.keyboard.press("/")
    page.get_by_role("dialog").get_by_role("combobox").fill(name)
    expect(page.get_by_role("option").first).to_contain_text(name)
    page.keyboard.press("Enter")


def details(page: Page) -> None:
    """Of a unit."""
    select(page, "BARYS 31")
    expect(page.locator(".panel").filter(has_text="BARYS 31").first).to_be_visible()


def why(page: Page) -> None:
    """A ship of AIS, a phone and two radars, which is one track, and why."""
    select(page, "CREW 27")
    why = page.locator("details.why")
    expect(why).to_contain_text("25/2")
    why.scroll_into_view_if_needed()


def find(page: Page) -> None:
    """One box for all."""
    page.keyboard.press("/")
    page.get_by_role("dialog").get_by_role("combobox").fill("bar")
    expect(page.get_by_role("option").first).to_be_visible()


def grid(page: Page) -> None:
    """The grid over the exercise."""
    page.keyboard.press("f")
    page.keyboard.press("g")


def orbat(page: Page) -> None:
    """The tree, a unit chosen."""
    page.keyboard.press("1")
    page.locator(".knot.unit").filter(has_text="BARYS ROTASY").first.click()


def order(page: Page) -> None:
    """The order in force and its FRAGO."""
    page.keyboard.press("Shift+O")
    frago = page.get_by_role("button").filter(has_text="FRAGO").first
    expect(frago).to_be_visible(timeout=PLAYED_S * 1000)
    frago.click()


def maps(page: Page) -> None:
    """A map of one's own under the picture: a sheet of colour over the lake."""
    page.keyboard.press("f")
    palette(page, "Go to Maps")
    page.locator("input[type=file]").first.set_input_files(
        FilePayload(name="lake.tif", mimeType="image/tiff", buffer=sheet())
    )
    expect(page.locator(".panel").filter(has_text="lake").first).to_be_visible()
    said = page.get_by_text("lake.tif is on the map.")
    expect(said).to_be_visible()
    expect(said).to_be_hidden()


def sheet() -> bytes:
    """A GeoTIFF of 64 x 64 pixels from 76 E 42.9 N, in EPSG:4326."""
    keys = (1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 4326)
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[33550], tags.tagtype[33550] = (0.04, 0.02, 0.0), 12
    tags[33922], tags.tagtype[33922] = (0.0, 0.0, 0.0, 76.0, 42.9, 0.0), 12
    tags[34735], tags.tagtype[34735] = keys, 3
    out = io.BytesIO()
    shades = Image.linear_gradient("L").resize((64, 64))
    Image.merge("RGB", (shades, Image.new("L", (64, 64), 120), shades.rotate(90))).save(out, "TIFF", tiffinfo=tags)
    return out.getvalue()


def brief(page: Page) -> None:
    """A view, named, on the whole screen."""
    page.keyboard.press("f")
    palette(page, "Go to Brief")
    page.get_by_role("button", name="Take this view").click()
    page.get_by_label("Title").first.fill("BARYS 31: search in the Koksai valley")
    page.get_by_role("button", name="Present", exact=True).click()


def exchange(tab: str) -> Callable[[Page], Locator]:
    """Devices and data, one of its tabs."""

    def opened(page: Page) -> Locator:
        page.get_by_role("button", name="Devices and data").click()
        dialog = page.get_by_role("dialog", name="Devices and data")
        dialog.get_by_role("tab", name=tab).click()
        return dialog

    return opened


def invitation(page: Page) -> None:
    """A code for a phone."""
    dialog = exchange("Devices")(page)
    dialog.get_by_role("button", name="Add device").click()
    dialog.get_by_label("Name").first.fill("CAMOSCIO-21")
    dialog.get_by_role("button", name="Make the invitation").click()
    expect(dialog.get_by_role("img").first).to_be_visible()


def packages(page: Page) -> None:
    """Files that are there."""
    dialog = exchange("Packages")(page)
    for name, kind in (("route-north.gpx", "application/gpx+xml"), ("bridge.jpg", "image/jpeg")):
        file = FilePayload(name=name, mimeType=kind, buffer=name.encode() * 4000)
        dialog.locator("input[type=file]").first.set_input_files(file)
        expect(dialog.get_by_role("button", name=f"Send to: {name}")).to_be_visible()


def missions(page: Page) -> None:
    """A mission with a line in its log."""
    dialog = exchange("Missions")(page)
    dialog.get_by_role("button", name="New mission").click()
    dialog.get_by_label("Name").fill("KOKSAI VALLEY")
    dialog.get_by_label("Description").fill("Search for BARYS 31")
    dialog.get_by_role("button", name="Make the mission").click()
    expect(dialog.get_by_role("heading", name="KOKSAI VALLEY")).to_be_visible()
    dialog.get_by_label("Write into the log").fill("Bridge at the fork is closed")
    dialog.get_by_role("button", name="Write", exact=True).click()
    expect(dialog.get_by_role("region", name="Log")).to_contain_text("Bridge at the fork")


def looks(page: Page) -> None:
    """Where nobody has looked."""
    page.keyboard.press("f")
    palette(page, "Go to Coverage")
    page.keyboard.press("Shift+V")


def shadow(page: Page) -> None:
    """What terrain hides from a unit."""
    details(page)
    palette(page, "Shadow of what is selected")
    expect(page.get_by_role("group", name="Shadow", exact=True)).to_contain_text("hidden even at")


def phone(page: Page) -> None:
    """A phone's map."""


PICTURES = (
    Picture("watch_floor", floor),
    Picture("tour_floor", floor, theme="day"),
    Picture("tour_details", details),
    Picture("tour_grid", grid),
    Picture("why_track", why, is_calm=False),
    Picture("find", find),
    Picture("table", board("6", "BARYS")),
    Picture("links", board("7", "CAMOSCIO")),
    Picture("feeds", board("Shift+F", "AIS")),
    Picture("night", floor, theme="night", language="ru"),
    Picture("phone", phone, size=PHONE),
    Picture("coverage_looks", looks),
    Picture("coverage_shadow", shadow),
    Picture("tour_brief", brief),
    Picture("day_orbat", orbat, theme="day"),
    Picture("day_orders", order),
    Picture("day_tasks", board("Shift+T", "late:")),
    Picture("day_incidents", board("3", "closed"), theme="day"),
    Picture("day_questions", board("9", "contact"), theme="day"),
    Picture("day_medevac", board("8", "MEDEVAC 1"), theme="day"),
    Picture("day_reports", board("Shift+R", "Situation report of")),
    Picture("day_handover", board("Shift+H", "Open"), theme="day"),
    Picture("exercise", board("Shift+X", "inject")),
    Picture("intelligence", board("Shift+I", "BARYS")),
    # What the others must not show: these leave something behind.
    Picture("invitation", invitation),
    Picture("packages", packages),
    Picture("missions", missions),
    Picture("tour_maps", maps),
)


def take(browser: Browser, state: Any, url: str, picture: Picture) -> Path:
    """One picture, on a page of its own."""
    context = browser.new_context(viewport=picture.size, storage_state=state, locale="en-GB", timezone_id="UTC")
    look = {"aquila.theme": picture.theme, "aquila.language": picture.language}
    context.add_init_script("".join(f"localStorage.setItem({key!r}, {value!r});" for key, value in look.items()))
    page = context.new_page()
    page.goto(url)
    settle(page)
    picture.steps(page)
    if picture.is_calm:
        settle(page)
    return save(page, picture)


def save(page: Page, picture: Picture) -> Path:
    """What is seen, as WebP."""
    path = SHOTS / f"{picture.name}.webp"
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(path, quality=QUALITY, method=6)
    page.context.close()
    return path


def settle(page: Page) -> None:
    """Until two pictures, half a second apart, are nearly the same."""
    page.wait_for_load_state("load")
    before: list[bytes] = [b""]

    def calm() -> bool:
        now = Image.open(io.BytesIO(page.screenshot())).convert("L").resize((144, 90)).tobytes()
        changed = sum(abs(a - b) > 12 for a, b in zip(before[0], now, strict=False)) if before[0] else len(now)
        before[0] = now
        page.wait_for_timeout(500)
        return changed < 60

    wait_until(calm, "the page is calm", 60)


def main() -> int:
    """Exit status 1 when a picture could not be made."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("names", nargs="*", help="some pictures; none named = all")
    words.add_argument("--data", type=Path, help="of a demo that runs; none = one is started")
    words.add_argument("--browser", default=os.environ.get("AQUILA_BROWSER") or shutil.which("chromium"))
    asked = words.parse_args()
    wanted = [each for each in PICTURES if not asked.names or each.name in asked.names]
    failed = 0
    expect.set_options(timeout=WAIT_MS)
    with demo(asked.data) as link, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=asked.browser, args=FLAGS)
        context = browser.new_context()
        page = context.new_page()
        page.goto(link)
        for picture in wanted:
            try:
                print(take(browser, context.storage_state(), page.url, picture), flush=True)
            except (AssertionError, TimeoutError) as wrong:
                failed += 1
                print(f"{picture.name}: {str(wrong)[:300]}", file=sys.stderr, flush=True)
        browser.close()
    return 1 if failed else 0


@contextmanager
def demo(data: Path | None) -> Iterator[str]:
    """The link into a demo that runs on this folder; None = one is started, and ended."""
    if data is not None:
        yield str(ask(data, "login", {})["link"])
        return
    with tempfile.TemporaryDirectory() as folder:
        node = ServedNode(Path(folder) / "node", "--demo", "snow-leopard+harbour")
        try:
            yield node.start().link()
        finally:
            node.kill()


if __name__ == "__main__":
    raise SystemExit(main())
