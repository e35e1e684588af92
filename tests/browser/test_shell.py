"""The shell of the watch floor: keyboard, find, filters, undo, looks, languages, and honesty when things go wrong."""

import re
import signal
from collections.abc import Callable
from pathlib import Path
from time import sleep
from urllib.parse import urlsplit, urlunsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from aquila.simulator import cot
from aquila.simulator.cot import Spot
from aquila.testing.served import ServedNode, wait_until

from .cable import Cable
from .conftest import DESKTOP, Browse, Clock, Join
from .sleep import browser_processes, signal_all
from .test_page import AXE, VIOLATIONS, WORDS, middle_cursor, rows_of, select

pytestmark = pytest.mark.browser

COVERS = """() => {
  const box = (element) => element.getBoundingClientRect()
  const map = box(document.querySelector('#map'))
  const places = [[map.x + map.width / 2, map.y + map.height / 2]]
  for (const one of document.querySelectorAll('.map-view button, .topbar button, .nav button, .replay-bar button')) {
    const at = box(one)
    if (at.width) places.push([at.x + at.width / 2, at.y + at.height / 2])
  }
  const notices = [...document.querySelectorAll('.notice')].map(box)
  const covers = (at, [x, y]) => x > at.left && x < at.right && y > at.top && y < at.bottom
  return [notices.length, places.filter((place) => notices.some((at) => covers(at, place))).length]
}"""

DROP_NOTHING = """(name) => {
  const carried = new DataTransfer()
  carried.items.add(new File(['nothing'], name))
  document.querySelector('.map-view').dispatchEvent(new DragEvent('drop', { dataTransfer: carried, bubbles: true }))
}"""
"""A file of a kind that nothing reads."""


PATROL = "CAMOSCIO 11"
SPOT = Spot(43.05, 77.05, 1500.0)
PHONE = {"width": 380, "height": 800}
I18N = Path(__file__).resolve().parents[2] / "web" / "src" / "i18n"
RAW_KEY = re.compile(r"\b(?:actions|attention|counts|details|filter|find|journal|keys|links|tabs|table)\.[a-z]\w+")
FIRST_LOAD_BYTES = 1_000_000
LOADED = """() => performance.getEntries().filter((one) => !one.name.includes('/maps/') && !one.name.includes('/api/'))
  .reduce((sum, one) => sum + (one.encodedBodySize ?? 0), 0)"""
SMALL_TARGETS = """() => [...document.querySelectorAll('button, select, [role=tab], input:not([type=radio])')]
  .filter((one) => one.checkVisibility() && one.getBoundingClientRect().width > 1)
  .map((one) => [one, one.getBoundingClientRect()])
  .filter(([, box]) => box.width < 43.5 || box.height < 43.5)
  .map(([one, box]) => `${one.className} ${one.textContent.slice(0, 20)} ${box.width}x${box.height}`)"""
BANNERS = """() => {
  const banner = document.querySelector('.banner.top')
  window.banners = []
  const note = () => banner.innerText !== window.banners.at(-1) && window.banners.push(banner.innerText)
  new MutationObserver(note).observe(banner, { subtree: true, childList: true, characterData: true })
}"""
SLEEP_S = 9
"""Longer than a page takes what it heard last for the present (7.5 s), shorter than it takes a line for cut (12 s):
what has waited meanwhile comes through the old connection."""
AWAKE_ALONE_S = 1.5
SKEWED = "window.skew_ms = %d; const now = Date.now.bind(Date); Date.now = () => now() + window.skew_ms"


def opened(browse: Browse, *, theme: str = "dark", language: str = "en", **options: object) -> Page:
    watched = browse(**options)
    watched.context.add_init_script(
        f"if (location.protocol !== 'about:') {{ localStorage.setItem('aquila.theme', '{theme}');"
        f" localStorage.setItem('aquila.language', '{language}') }}"
    )
    return watched.open()


def options_of(page: Page) -> Locator:
    """What the open find box or palette offers."""
    return page.locator(".overlay .answer")


def find(page: Page, text: str) -> Locator:
    page.keyboard.press("/")
    page.get_by_role("combobox", name="Find").fill(text)
    return options_of(page)


def out_of_fields(page: Page) -> None:
    """Take the cursor out of every field: keys then mean actions."""
    page.locator(".dtg").click()
    page.evaluate("document.activeElement?.blur()")


@pytest.mark.mapless
def test_everything_is_reached_by_keys(page: Page) -> None:
    expect(page.locator(".entity").first).to_be_visible()
    page.keyboard.press("1")
    expect(page.get_by_role("tab", name="ORBAT")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("treeitem").filter(has_text=PATROL)).to_have_count(1)
    page.keyboard.press("7")
    expect(page.locator(".workspace .link").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".workspace")).to_have_count(0)
    # A workspace covers panels and journal: it gives way to what a key asks for.
    page.keyboard.press("7")
    page.keyboard.press("1")
    expect(page.locator(".workspace")).to_have_count(0)
    page.keyboard.press("7")
    page.keyboard.press("l")
    expect(page.locator(".workspace")).to_have_count(0)
    expect(page.locator(".journal form input")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard")
    expect(sheet).to_contain_text("Write a journal line")
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Do anything")).to_be_focused()
    page.keyboard.type("look night")
    expect(options_of(page).first).to_contain_text("Night")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "night")
    page.keyboard.press("n")
    expect(page.locator("html")).to_have_attribute("data-theme", "day")
    page.keyboard.press("Control+k")
    page.keyboard.type("look dark")
    page.keyboard.press("Enter")
    for theme in ("dark", "night"):
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        page.keyboard.press("n")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.keyboard.press("l")
    expect(page.locator(".journal form input")).to_be_focused()
    page.keyboard.type("1")
    expect(page.locator(".journal form input")).to_have_value("1")
    page.keyboard.press("Escape")
    expect(page.locator(".journal form input")).not_to_be_focused()
    # On a Cyrillic layout the same key means the same.
    out_of_fields(page)
    page.evaluate("dispatchEvent(new KeyboardEvent('keydown', { key: 'д', code: 'KeyL', bubbles: true }))")
    expect(page.locator(".journal form input")).to_be_focused()


CUT_TABS = """() => [...document.querySelectorAll('.tab-row')].flatMap((row) => {
  const end = row.querySelector('.fold-away').getBoundingClientRect().left
  return [...row.querySelectorAll('.tab')].filter((tab) => {
    const box = tab.getBoundingClientRect()
    return box.left < row.getBoundingClientRect().left || box.right > end + 0.5 || box.width < 24
  }).map((tab) => tab.textContent)
})"""


@pytest.mark.mapless
@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_tab_is_in_its_row_at_usual_widths_and_the_open_one_says_its_word(browse: Browse, language: str) -> None:
    page = opened(browse, language=language, viewport={"width": 1280, "height": 800})
    for width in (1440, 1280, 1000):
        page.set_viewport_size({"width": width, "height": 800})
        wait_until(lambda: page.evaluate(CUT_TABS) == [], f"no tab is cut off at {width} pixels")
    row = page.locator(".left .tab-row")
    assert row.get_by_role("tab").count() == 6
    last = row.get_by_role("tab").last
    assert last.get_attribute("title")
    last.click()
    expect(last.locator(".tab-word")).to_have_css("position", "static")
    expect(last.locator(".icon")).to_be_hidden()
    expect(row.get_by_role("tab").first.locator(".icon")).to_be_visible()
    wait_until(lambda: page.evaluate(CUT_TABS) == [], "no tab is cut off when another is open")


@pytest.mark.mapless
def test_one_box_finds_everything(page: Page, demo: ServedNode) -> None:
    sent = page.request.post(
        f"{demo.url}Marti/sync/upload?name=kestrel-plan.pdf",
        headers={"X-Aquila": "test", "Content-Type": "application/pdf"},
        data=b"%PDF-1.4 plan of the kestrel",
    )
    assert sent.ok
    page.locator(".journal form input").fill("kestrel seen over the ridge")
    page.keyboard.press("Enter")
    expect(page.locator(".journal .entry").filter(has_text="kestrel seen")).to_have_count(1)
    out_of_fields(page)
    found = find(page, "kestrel")
    expect(page.locator(".overlay h3")).to_have_text(["Journal", "Files"])
    # The journal says that it was sent, too.
    expect(page.locator(".overlay .answer.files").filter(has_text="kestrel-plan.pdf")).to_have_count(1)
    page.get_by_role("combobox", name="Find").fill("almaty")
    expect(found.filter(has_text="Almaty").filter(has_text="KZ")).to_have_count(1)
    for grid in ("43T GH 04435 41636", "43T 704435 4741636", "42.8, 77.5", "42°48'N 77°30'E"):
        page.get_by_role("combobox", name="Find").fill(grid)
        expect(found.first).to_have_text(re.compile(r"43T GH 0443[4-6] 4163[5-7]"))
    page.get_by_role("combobox", name="Find").fill("camoscio")
    expect(found.first).to_contain_text(PATROL)
    page.keyboard.press("Enter")
    expect(page.locator(".details h2")).to_have_text(PATROL)


def test_a_place_found_by_its_coordinates_is_marked_until_esc(page: Page) -> None:
    expect(page.locator(".entity").first).to_be_visible()
    out_of_fields(page)
    find(page, "42.8, 77.5")
    page.keyboard.press("Enter")
    mark = page.locator(".pin.asked")
    expect(mark).to_have_text(re.compile(r"43T GH 0443[4-6] 4163[5-7]"))
    page.keyboard.press("Escape")
    expect(mark).to_have_count(0)


def test_what_this_page_did_is_undone_and_done_again(page: Page) -> None:
    expect(page.locator(".entity").first).to_be_visible()
    # With nothing to take back yet, the browser would put the cursor into the field that was written in last.
    page.keyboard.press("l")
    page.keyboard.type("KEPT")
    out_of_fields(page)
    page.keyboard.press("Control+z")
    expect(page.locator("body")).to_be_focused()
    page.keyboard.press("u")
    page.get_by_role("button", name="Use map centre").click()
    page.get_by_label("Name", exact=True).fill("LZ UNDO")
    page.keyboard.press("Enter")
    expect(rows_of(page, "LZ UNDO")).to_have_count(1)
    out_of_fields(page)
    page.keyboard.press("Control+z")
    expect(page.locator(".notice").filter(has_text="Undone: marker LZ UNDO placed")).to_have_count(1)
    expect(rows_of(page, "LZ UNDO")).to_have_count(0)
    out_of_fields(page)
    page.keyboard.press("Control+Shift+z")
    expect(rows_of(page, "LZ UNDO")).to_have_count(1)
    # Deleted by its details, the marker can be had back, too.
    select(page, "LZ UNDO").get_by_role("button", name="Delete").click()
    page.locator(".details .confirm .solid").click()
    expect(rows_of(page, "LZ UNDO")).to_have_count(0)
    out_of_fields(page)
    page.keyboard.press("Control+z")
    expect(rows_of(page, "LZ UNDO")).to_have_count(1)


@pytest.mark.mapless
def test_filters_and_sizes_are_remembered(page: Page) -> None:
    page.get_by_role("button", name="More filters").click()
    page.get_by_label("Side").select_option("neutral")
    expect(page.locator(".entity").filter(has_text=PATROL)).to_have_count(0)
    page.get_by_role("textbox", name="Name of this filter").fill("civilians")
    page.get_by_role("button", name="Keep", exact=True).click()
    edge = page.get_by_role("separator", name="Lists")
    before = page.locator("aside.left").bounding_box()
    edge.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    out_of_fields(page)
    page.keyboard.press("]")
    page.reload()
    expect(page.locator("aside.right .rail")).to_be_visible()
    after = page.locator("aside.left").bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] == before["width"] + 64
    expect(page.locator(".entity").filter(has_text=PATROL)).to_have_count(1)
    page.get_by_role("button", name="civilians").click()
    expect(page.locator(".entity").filter(has_text="Hikers")).to_have_count(1)
    expect(page.locator(".entity").filter(has_text=PATROL)).to_have_count(0)


def test_the_table_sorts_and_shows_on_the_map(page: Page) -> None:
    page.keyboard.press("6")
    table = page.get_by_role("table", name="Track table")
    names = table.locator(".table-row .name b")
    expect(names.first).to_be_visible()
    head = table.get_by_role("columnheader", name="Name")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    first = names.first.inner_text()
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    expect(names.first).not_to_have_text(first)
    row = table.locator(".table-row").first
    name = row.locator(".name b").inner_text()
    expect(row.locator(".age")).to_contain_text(re.compile(r"fresh|ageing|stale"))
    row.locator(".does button").click()
    expect(page.locator(".workspace")).to_have_count(0)
    expect(page.locator(".details h2")).to_have_text(name)
    # It stands in the middle of the map, by itself: over a cluster the cursor says that a click comes nearer.
    wait_until(lambda: middle_cursor(page) == "pointer", "it is under the pointer")


@pytest.mark.mapless
def test_the_picture_says_what_it_is_worth(page: Page) -> None:
    details = select(page, PATROL)
    expect(details.locator(".age-mark")).to_have_text(re.compile(r"\d+ s ago · fresh"))
    expect(details.locator(".sources li").first).to_contain_text(re.compile(r"\d+ s ago · GPS"))
    wait_until(lambda: counts(page).get("fresh", 0) > 20, "the bar says that most are fresh")


def counts(page: Page) -> dict[str, int]:
    """How many are fresh, ageing and stale, as the bar says."""
    text = page.locator(".chip.counts").inner_text()
    return {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", text)}


@pytest.mark.mapless
def test_an_alert_moves_nothing(page: Page, tak: Join, now_ms: Clock) -> None:
    select(page, PATROL)
    place = page.locator(".details header").bounding_box()
    focused = page.evaluate("document.activeElement.className")
    client = tak("ANDROID-shell-sos", "SHELL SOS")
    client.send(cot.position(client.who, SPOT, now_ms(), 5.0, 80))
    client.send(cot.alert(client.who, SPOT, now_ms()))
    card = page.locator(".attention .card").filter(has_text="SHELL SOS")
    expect(card).to_have_count(1)
    assert page.locator(".details header").bounding_box() == place
    assert page.evaluate("document.activeElement.className") == focused
    out_of_fields(page)
    wait_until(lambda: _next_alert(page) == "SHELL SOS", "A goes through the alerts")
    client.send(cot.alert_over(client.who, SPOT, now_ms()))
    expect(card).to_have_count(0)


def _next_alert(page: Page) -> str:
    page.keyboard.press("a")
    return page.locator(".details h2").inner_text()


def test_every_language_is_whole_and_switched_at_once(page: Page) -> None:
    for code in ("it", "kk", "ru", "fr"):
        page.locator("select.languages").select_option(code)
        expect(page.locator("html")).to_have_attribute("lang", code)
        for key in ("1", "2", "5", "6", "7"):
            out_of_fields(page)
            page.keyboard.press(key)
            assert RAW_KEY.findall(page.evaluate(WORDS)) == [], code
        page.keyboard.press("0")
        page.keyboard.press("?")
        expect(page.locator(".overlay.keys")).to_be_visible()
        words = page.evaluate(WORDS)
        assert RAW_KEY.findall(words) == [], code
        for english in ("Write a journal line", "Needs you", "Last report", "Undo", "Track table"):
            assert english not in words, code
        # The date-time group is the same in every language.
        assert re.search(r"\b\d{6}Z(JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)\d\d", words), code
        page.keyboard.press("Escape")


def screens(page: Page) -> list[tuple[Callable[[], object], str]]:
    """Ways to each screen of a desk, in order, and what is new on it."""

    def press(*keys: str) -> Callable[[], object]:
        return lambda: [page.keyboard.press(key) for key in keys]

    def menu() -> None:
        page.keyboard.press("Escape")
        page.locator("button[aria-haspopup=menu]").click()
        expect(page.get_by_role("menu")).to_be_visible()

    def typed() -> None:
        press("Escape", "/")()
        page.get_by_role("combobox", name="Find").fill("ar")
        expect(options_of(page).first).to_be_visible()

    def palette() -> None:
        out_of_fields(page)
        press("Control+k")()
        expect(page.locator(".overlay.palette")).to_be_visible()

    def keys() -> None:
        press("Escape", "?")()
        expect(page.locator(".overlay.keys")).to_be_visible()

    return [
        (lambda: select(page, PATROL), "html"),
        (lambda: out_of_fields(page), "html"),
        (press("1"), "html"),
        (press("5"), "html"),
        (press("6"), ".workspace"),
        (press("7"), ".workspace"),
        (press("0", "2"), "html"),
        (lambda: page.get_by_role("button", name="More filters").click(), "html"),
        (palette, ".overlay"),
        (keys, ".overlay"),
        (typed, ".overlay"),
        (menu, "[role=menu]"),
        (press("Escape", "[", "]", "j"), "html"),
    ]


def test_axe_finds_nothing_to_say(browse: Browse) -> None:
    page = opened(browse)
    page.evaluate(AXE.read_text("utf-8"))
    for number, (go, part) in enumerate(screens(page)):
        go()
        expect(page.locator(part)).to_be_visible()
        assert page.evaluate(VIOLATIONS, part) == [], f"screen {number}"


def test_a_phone_is_whole(browse: Browse) -> None:
    page = opened(browse, viewport=PHONE, has_touch=True)
    page.evaluate(AXE.read_text("utf-8"))
    for name in ("Map", "Tracks", "Chat", "Journal", "More"):
        page.locator(".nav").get_by_role("button", name=name).click()
        assert page.evaluate(VIOLATIONS) == [], name
        assert page.evaluate(SMALL_TARGETS) == [], name
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    page.locator(".more-sheet").get_by_role("button", name="Links").click()
    expect(page.locator(".sheet .link").first).to_be_visible()
    assert page.evaluate(VIOLATIONS) == []
    page.locator(".nav").get_by_role("button", name="Tracks").click()
    page.locator(".entity").first.click()
    expect(page.locator(".sheet .details")).to_be_visible()
    assert page.evaluate(VIOLATIONS) == []
    # What was tapped stands above what needs somebody.
    expect(page.locator(".sheet .now > .details:first-child")).to_be_visible()
    page.locator(".nav").get_by_role("button", name="More").click()
    page.locator(".more-sheet").get_by_role("button", name="Reports").click()
    expect(page.locator(".sheet.whole .workspace-head h2")).to_have_text("Reports")
    page.locator(".sheet > .workspace-head").get_by_role("button").click()
    expect(page.locator(".sheet")).to_be_hidden()
    # Enlarged to 320 %, or held on its side: no tool lies over the bar.
    page.set_viewport_size({"width": 437, "height": 268})
    tools, bar = page.locator(".tools").bounding_box(), page.locator(".nav").bounding_box()
    assert tools is not None
    assert bar is not None
    assert tools["y"] + tools["height"] <= bar["y"]


def test_a_wall_can_be_clicked(browse: Browse) -> None:
    """The page is enlarged on a wall; the map must still find what is under the pointer."""
    page = browse(viewport={"width": 2560, "height": 1440}).open()
    select(page, "LIAISON 28")
    box = page.locator("#map").bounding_box()
    assert box is not None
    page.locator(".details").get_by_role("button", name="Close details").click()
    wait_until(lambda: _clicked(page, box) == "LIAISON 28", "a click on the middle of the map finds the unit there")


def _clicked(page: Page, box: dict[str, float]) -> str:
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    return page.locator(".details h2").inner_text()


@pytest.mark.mapless
def test_a_page_that_slept_says_so_until_it_has_the_present(browse: Browse, tak: Join, now_ms: Clock) -> None:
    """The whole browser stands still, and the node goes on; the part that draws wakes before it can hear anything."""
    page = browse().open()
    phone = tak("ANDROID-sleep", "SLEEPLESS 1")
    page.evaluate(BANNERS)
    pages, others = browser_processes()
    assert pages
    assert others
    signal_all([*pages, *others], signal.SIGSTOP)
    try:
        phone.send(cot.position(phone.who, SPOT, now_ms(), 5.0, 80))
        sleep(SLEEP_S)
        signal_all(pages, signal.SIGCONT)
        sleep(AWAKE_ALONE_S)
    finally:
        signal_all([*pages, *others], signal.SIGCONT)
    expect(page.locator(".banner.top .not-live")).to_have_count(0)
    expect(page.locator(".chip.connection.live")).to_be_visible()
    # What it said first when it woke, before anything reached it.
    assert "NOT LIVE" in page.evaluate("window.banners[0]")
    select(page, "SLEEPLESS 1")


@pytest.mark.mapless
def test_a_dropped_connection_is_said_and_found_again(browse: Browse) -> None:
    watched = browse()
    watched.expected += ["Failed to load resource", "WebSocket connection"]
    parts = urlsplit(watched.url)
    cable = Cable(parts.port or 0)
    page = watched.context.new_page()
    page.goto(urlunsplit(parts._replace(netloc=f"{parts.hostname}:{cable.port}")))
    expect(page.locator(".chip.connection.live")).to_be_visible()
    cable.pull()
    expect(page.locator(".chip.connection.lost")).to_be_visible()
    expect(page.locator(".banner.top .not-live")).to_be_visible()
    expect(page.locator(".time-strip .live.off")).to_have_text("NOT LIVE")
    cable.plug()
    expect(page.locator(".chip.connection.live")).to_be_visible()
    expect(page.locator(".banner.top .not-live")).to_have_count(0)
    cable.close()


@pytest.mark.mapless
def test_a_sleep_makes_everything_old_until_the_node_says_the_time(browse: Browse) -> None:
    watched = browse()
    watched.context.add_init_script(SKEWED % 0)
    page = watched.open()
    expect(page.locator(".entity").first).to_be_visible()
    watched.expected.append("Failed to load resource")
    page.route("**/api/v1/me", lambda route: route.abort())
    # What a page sees after a sleep: ten minutes passed on the wall clock and none on the other.
    page.evaluate("window.skew_ms = 600000")
    expect(page.locator(".entity:not(.fresh)").filter(has_text=PATROL)).to_have_count(1)
    expect(page.locator(".entity.fresh").filter(has_text="OP FALCO")).to_have_count(0)
    wait_until(lambda: counts(page)["ageing"] + counts(page)["stale"] > 20, "the bar says that the movers are old")
    page.unroute("**/api/v1/me")
    expect(page.locator(".entity.fresh").filter(has_text=PATROL)).to_have_count(1)


@pytest.mark.mapless
@pytest.mark.parametrize("skew_ms", [86_400_000, -86_400_000])
def test_a_wrong_clock_of_this_machine_changes_nothing(browse: Browse, now_ms: Clock, skew_ms: int) -> None:
    watched = browse()
    watched.context.add_init_script(SKEWED % skew_ms)
    page = watched.open()
    expect(page.locator(".entity.fresh").filter(has_text=PATROL)).to_have_count(1)
    shown_ms = page.evaluate("Date.parse(document.querySelector('.dtg').dateTime)")
    assert abs(shown_ms - now_ms()) < abs(skew_ms) / 10


def test_the_first_load_is_light(browse: Browse) -> None:
    page = browse(viewport=DESKTOP).open()
    expect(page.locator(".entity").first).to_be_visible()
    assert page.evaluate(LOADED) < FIRST_LOAD_BYTES


@pytest.mark.mapless
def test_logging_out_ends_the_session(browse: Browse, demo: ServedNode) -> None:
    watched = browse(storage_state=None)
    watched.expected.extend(["401", "WebSocket"])
    page = watched.context.new_page()
    page.goto(demo.link())
    expect(page.locator(".chip.connection.live")).to_be_visible()
    page.locator("button[aria-haspopup=menu]").click()
    page.get_by_role("menuitem", name="Log out").click()
    expect(page.get_by_role("heading", name="You are not logged in")).to_be_visible()


@pytest.mark.parametrize("phone", [False, True])
def test_notices_cover_neither_the_middle_of_the_map_nor_buttons(browse: Browse, phone: bool) -> None:
    page = opened(browse, **({"viewport": PHONE, "has_touch": True} if phone else {}))
    expect(page.locator(".map-view .tools")).to_be_visible()
    for name in ("one.xyz", "two.xyz"):
        page.evaluate(DROP_NOTHING, name)
    # What writes is refused while the past is shown, with one notice however often it is tried.
    page.keyboard.press("r")
    expect(page.locator(".desk.replay")).to_have_count(1)
    for _ in range(3):
        page.keyboard.press("l")
    shown = 1 if phone else 2
    expect(page.locator(".notices .notice")).to_have_count(shown)
    expect(page.locator(".notices")).to_have_attribute("aria-live", "polite")
    expect(page.locator(".notices-more")).to_contain_text("one more notice" if shown == 2 else "2 more notices")
    assert page.evaluate(COVERS) == [shown, 0]
    for left in (2, 1, 0):
        page.keyboard.press("Escape")
        expect(page.locator(".notices .notice")).to_have_count(min(left, shown))
    expect(page.locator(".desk.replay")).to_have_count(1)
