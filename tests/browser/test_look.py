"""Every board, tab and sheet as people look at it: nothing is cut off, too small for a finger, or jumps."""

import base64
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from aquila.simulator import cot
from aquila.simulator.scenario import MedevacAsked
from aquila.testing.served import wait_until

from .conftest import COARSE, COLOURS, Browse, Clock, Join
from .test_page import AXE, SPOT, VIOLATIONS, select
from .test_shell import DROP_NOTHING, PHONE, opened, out_of_fields

pytestmark = pytest.mark.browser


DESK = {"width": 1440, "height": 900}
WALL = {"width": 3840, "height": 2160}
LINE_PX = 80
"""At most, of the line of alarms over the map of a phone, with its margin."""
SMALLEST_PX = """() => Math.min(...[...document.querySelectorAll('body *')]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }))
  .filter((one) => [...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()))
  .map((one) => parseFloat(getComputedStyle(one).fontSize) * one.currentCSSZoom))"""
DRAWN_AND_SHOWN_PX = """() => {
  const canvas = document.querySelector('#map canvas')
  return [canvas.width, canvas.getBoundingClientRect().width * devicePixelRatio]
}"""
SEEN = ".workspace, .sheet:not([style*='none'])"
CUT = """(part) => {
  const found = []
  const walker = document.createTreeWalker(document.querySelector(part) ?? document.body, NodeFilter.SHOW_TEXT)
  for (let text; (text = walker.nextNode()); ) {
    const parent = text.parentElement
    if (!text.data.trim() || parent.closest('.unseen, option, svg')) continue
    if (!parent.checkVisibility({ visibilityProperty: true })) continue
    const range = document.createRange()
    range.selectNodeContents(text)
    const box = range.getBoundingClientRect()
    for (let over = parent; over; over = over.parentElement) {
      const style = getComputedStyle(over)
      // What is for readers of the screen only, and what can be moved into sight.
      if (style.clipPath !== 'none' || /auto|scroll/.test(style.overflowX)) break
      const at = over.getBoundingClientRect()
      if (style.overflowX === 'visible' || (box.right < at.right + 1.5 && box.left > at.left - 1.5)) continue
      found.push(`${parent.className}: ${text.data.trim().slice(0, 60)}`)
      break
    }
  }
  return found
}"""
"""Words that run out of what holds them, to the side."""

SMALL = """() => [...document.querySelectorAll('button, select, summary, [role=tab], input, textarea')]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && one.getBoundingClientRect().width > 1)
  .map((one) => [one, /checkbox|radio|file/.test(one.type) ? (one.closest('label') ?? one) : one])
  .map(([one, touched]) => [one, touched.getBoundingClientRect()])
  .filter(([, box]) => box.width < 43.5 || box.height < 43.5)
  .map(([one, box]) => `${one.className} ${one.textContent.slice(0, 20)} ${box.width}x${box.height}`)"""
COVERED = """(which) => [...document.querySelectorAll(which)].filter((one) => {
  const box = one.getBoundingClientRect()
  const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)
  return box.width && !one.contains(hit)
}).map((one) => one.ariaLabel ?? one.textContent)"""
WATCH_SHIFTS = """() => {
  window.shifts = []
  const said = ({ node }) => node?.parentElement?.outerHTML.slice(0, 90)
  const told = (list) => list.getEntries().forEach((one) => !one.hadRecentInput && one.value > 0.0005 &&
    window.shifts.push(`${one.value} ${one.sources.map(said).join(' | ')}`))
  new PerformanceObserver(told).observe({ type: 'layout-shift' })
}"""
"""Less than this is a digit more at the end of a line."""
COUNT_READS = """() => {
  window.reads = 0
  const ask = window.fetch
  window.fetch = (...asked) => {
    window.reads++
    return ask(...asked).finally(() => window.reads--)
  }
}"""
HAS_READ = "Boolean(document.querySelector('.workspace > .workspace-body, .phone .sheet')) && !window.reads"
"""A board is there, and what it asked the node for has come."""


def boards_of_desk(page: Page) -> Iterator[tuple[str, str]]:
    """Opens one after the other; gives its name and the part of the page that shows it."""
    for side in ("left", "right"):
        tabs = page.locator(f".{side} > .tabs > .tab-row").get_by_role("tab")
        for number in range(tabs.count()):
            tabs.nth(number).click()
            yield tabs.nth(number).get_attribute("title") or "", f".{side}"
    # Whoever looks at a board sees nothing else: without what lies behind it, axe has half as much to walk through.
    for key in ("[", "]", "j", "6"):
        page.keyboard.press(key)
    names = page.locator(".workspace-head nav button").all_inner_texts()
    for name in names:
        page.locator(".workspace-head nav").get_by_role("button", name=name, exact=True).click()
        wait_until(lambda: page.evaluate(HAS_READ), "the board has read what it shows")
        yield name, ".workspace"


def sheets_of_phone(page: Page) -> Iterator[str]:
    """Opens one after the other: those of the bar, then those behind its last button."""
    bar = page.locator(".nav button")
    for number in range(bar.count()):
        bar.nth(number).click()
        yield bar.nth(number).inner_text()
    for name in page.locator(".more-sheet > button:not([aria-haspopup])").all_inner_texts():
        bar.last.click()
        page.locator(".more-sheet").get_by_role("button", name=name, exact=True).click()
        yield name


def test_every_board_of_a_desk_is_whole_in_three_looks(browse: Browse) -> None:
    page = opened(browse, viewport=DESK, device_scale_factor=COARSE)
    page.evaluate(AXE.read_text("utf-8"))
    page.evaluate(COUNT_READS)
    wrong: list[str] = []
    for name, part in boards_of_desk(page):
        # The tabs are walked through with the shell.
        if part == ".workspace":
            wrong += [f"{name}: {said}" for said in page.evaluate(VIOLATIONS, part)]
        wrong += [f"{name} is cut: {said}" for said in page.evaluate(CUT, part)]
    assert wrong == []


def test_a_wall_is_read_from_afar_and_what_is_pointed_at_lies_under_the_pointer(browse: Browse) -> None:
    page = opened(browse, viewport=WALL, device_scale_factor=COARSE / 2)
    assert page.evaluate(SMALLEST_PX) >= 22
    # The map is as sharp as the screen, though the page around it is enlarged.
    drawn_px, shown_px = page.evaluate(DRAWN_AND_SHOWN_PX)
    assert abs(drawn_px - shown_px) < 2
    select(page, "ERMELLINO 13")
    out_of_fields(page)
    page.keyboard.press("Escape")
    expect(page.locator(".details h2")).to_contain_class("quiet")
    seen = page.locator("#map").bounding_box()
    assert seen
    x, y = seen["x"] + seen["width"] / 2, seen["y"] + seen["height"] / 2
    page.mouse.click(x, y)
    expect(page.locator(".details").get_by_role("heading", name="ERMELLINO 13")).to_be_visible()
    page.mouse.click(x, y, button="right")
    menu = page.locator(".point-menu").bounding_box()
    assert menu
    # Beside the pointer: what lies there stays in sight.
    assert x < menu["x"] < x + 60
    assert menu["y"] < y < menu["y"] + menu["height"]
    page.keyboard.press("Escape")
    edge = page.locator(".edge-left")
    at = edge.bounding_box()
    assert at
    page.mouse.move(at["x"] + at["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(at["x"] + at["width"] / 2 + 60, y)
    page.mouse.up()
    wait_until(lambda: (edge.bounding_box() or at)["x"] == at["x"] + 60, "the edge lies under the pointer")


def test_every_sheet_of_a_phone_is_whole_and_for_fingers(browse: Browse) -> None:
    page = opened(browse, viewport=PHONE, has_touch=True, device_scale_factor=COARSE)
    page.evaluate(COUNT_READS)
    wrong: list[str] = []
    for name in sheets_of_phone(page):
        wait_until(lambda: page.evaluate(HAS_READ), "the sheet has read what it shows")
        wrong += [f"{name} is cut: {said}" for said in page.evaluate(CUT, SEEN)]
        wrong += [f"{name} is small: {said}" for said in page.evaluate(SMALL)]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wrong.append(f"{name} is wider than the phone")
    assert wrong == []


def test_needs_lie_over_no_button_of_a_phone(browse: Browse, tak: Join, now_ms: Clock) -> None:
    client = tak("ANDROID-look-sos", "LOOK SOS")
    client.send(cot.position(client.who, SPOT, now_ms(), 5.0, 80))
    client.send(cot.alert(client.who, SPOT, now_ms()))
    page = opened(browse, viewport=PHONE, has_touch=True, device_scale_factor=COARSE)
    card = page.locator(".over-map .card").filter(has_text="LOOK SOS")
    expect(card).to_have_count(1)
    # One line, until somebody wants more.
    line = page.locator(".over-map [aria-expanded]")
    assert (page.locator(".over-map").bounding_box() or {})["height"] < LINE_PX
    line.click()
    expect(card.get_by_role("button", name="Acknowledge")).to_be_visible()
    assert page.evaluate(COVERED, ".map-view button, .topbar button, .nav button") == []
    client.send(cot.alert_over(client.who, SPOT, now_ms()))


def test_a_phone_keeps_in_sight_what_is_chosen_and_what_is_written(browse: Browse) -> None:
    page = opened(browse, viewport=PHONE, has_touch=True, device_scale_factor=COARSE, reduced_motion="reduce")
    page.evaluate(DROP_NOTHING, "look.xyz")
    page.locator(".nav").get_by_role("button", name="Chat").click()
    page.locator(".chat").get_by_role("textbox").focus()
    assert page.evaluate(COVERED, ".chat form input, .chat form button") == []
    page.locator(".topbar .find-open").click()
    page.get_by_role("dialog").get_by_role("combobox").fill("CAMOSCIO 11")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.locator(".nav").get_by_role("button", name="Tracks").click()
    page.locator(".entity").first.click()
    expect(page.locator(".nav [aria-current=page]")).to_have_text("Map")
    # What it is about is its only heading, with one way out.
    expect(page.locator(".sheet .workspace-head")).to_have_count(0)
    expect(page.locator(".sheet header .bare:visible, .sheet header .icon-button:visible")).to_have_count(1)
    for _ in range(4):
        page.get_by_role("button", name="Zoom in").click()
    seen = page.locator(".map").bounding_box()
    sheet = page.locator(".sheet").bounding_box()
    assert seen
    assert sheet
    middle = {"x": PHONE["width"] / 2 - 40, "y": (seen["y"] + sheet["y"]) / 2 - 40, "width": 80, "height": 80}
    png = base64.b64encode(page.screenshot(clip=middle)).decode()
    assert page.evaluate(COLOURS, png)[2] > 0, "the chosen unit lies in the middle of what is seen of the map"


def test_what_comes_in_moves_nothing(browse: Browse, tak: Join, now_ms: Clock) -> None:
    page = opened(browse, viewport=DESK, device_scale_factor=COARSE)
    page.evaluate("document.fonts.ready")
    # Chat is counted while another tab is open; the alert has a card at the head of its list.
    page.locator(".right").get_by_role("tab", name="Brief").click()
    out_of_fields(page)
    tabs = page.locator(".tab-row .tab")
    wait_until(lambda: tabs.first.locator(".icon").is_visible(), "the tabs have found their room")
    before = [tab.bounding_box() for tab in tabs.all()]
    page.evaluate(WATCH_SHIFTS)
    chat = page.locator(".right").get_by_role("tab", name="Chat").locator("b")
    unread = chat.inner_text()
    client = tak("ANDROID-look", "LOOK ONE")
    client.send(cot.position(client.who, SPOT, now_ms(), 5.0, 80))
    client.send(cot.chat(client.who, SPOT, now_ms(), "look-chat", "nothing moves", cot.EVERYONE))
    client.send(cot.alert(client.who, SPOT, now_ms()))
    expect(chat).not_to_have_text(unread)
    expect(page.locator(".journal .entry").filter(has_text="nothing moves")).to_have_count(1)
    assert page.evaluate("window.shifts") == []
    assert [tab.bounding_box() for tab in tabs.all()] == before
    client.send(cot.alert_over(client.who, SPOT, now_ms()))


def test_what_comes_in_pushes_nothing_from_under_the_pointer(page: Page, tak: Join, now_ms: Clock) -> None:
    page.evaluate("document.fonts.ready")
    need = page.locator(".now .need").filter(has=page.get_by_role("button", name="Open")).nth(1)
    need.hover()
    pointed = need.locator("b").inner_text()
    under = "(at) => document.elementFromPoint(at.x + at.width / 2, at.y + at.height / 2).closest('.need').innerText"
    at = need.bounding_box()
    assert at
    client = tak("ANDROID-look-two", "LOOK TWO")
    client.send(cot.position(client.who, SPOT, now_ms(), 5.0, 80))
    client.send(cot.alert(client.who, SPOT, now_ms()))
    card = page.locator(".now .card").filter(has_text="LOOK TWO")

    def has_come() -> bool:
        # Whoever is about to press never lies quite still.
        page.mouse.move(at["x"] + 40, at["y"] + 8)
        page.mouse.move(at["x"] + 41, at["y"] + 8)
        return card.count() == 1

    wait_until(has_come, "the call has a card")
    assert pointed in page.evaluate(under, at)
    # A pointer that only lies there holds back no call: its card goes to the head of the list.
    expect(page.locator(".now .attention > .card").first).to_contain_text("LOOK TWO")
    expect(page.locator(".now .card.late")).to_have_count(0)
    client.send(cot.alert_over(client.who, SPOT, now_ms()))


def test_a_call_for_help_has_its_room_before_what_it_says_is_read(page: Page, tak: Join, now_ms: Clock) -> None:
    told: list[Route] = []
    told_later = re.compile(r"/api/v1/(?:entities/|alerts)")
    page.route(told_later, lambda route: told.append(route))
    client = tak("ANDROID-look-evac", "LOOK THREE")
    zone = "Clearing by the stream, two hundred metres above the bridge"
    lines = MedevacAsked(
        at_s=0, by="LOOK THREE", key="m", title="LOOK EVAC", frequency="34.5", urgent=1, litter=1, landing_zone=zone
    )
    client.send(cot.position(client.who, SPOT, now_ms(), 5.0, 80))
    client.send(cot.medevac(cot.Patient("look-evac", "LOOK EVAC", lines), client.who, SPOT, now_ms()))
    client.send(cot.alert(client.who, SPOT, now_ms()))
    names = ("LOOK EVAC", "LOOK THREE")
    cards = [page.locator(".now .card").filter(has=page.get_by_text(name, exact=True)) for name in names]
    for card in cards:
        expect(card).to_have_count(1)
    heights_px = [card.evaluate("one => one.offsetHeight") for card in cards]
    for route in told:
        route.continue_()
    page.unroute(told_later)
    expect(cards[0]).to_contain_text(zone)
    expect(cards[1].get_by_role("button", name="Acknowledge")).to_be_visible()
    assert [card.evaluate("one => one.offsetHeight") for card in cards] == heights_px
    client.send(cot.alert_over(client.who, SPOT, now_ms()))


def test_the_boards_stay_where_they_are_whichever_is_open(page: Page) -> None:
    # Kazakh has the longest row: one title left room for it on one line, another did not.
    page.locator(".topbar .languages").select_option("kk")
    expect(page.locator("html")).to_have_attribute("lang", "kk")
    page.keyboard.press("6")
    boards = page.locator(".workspace-head nav button")
    expect(boards.first).to_be_visible()
    at = set()
    for number in range(boards.count()):
        # What a board reads is not looked at.
        boards.nth(number).dispatch_event("click")
        expect(boards.nth(number)).to_have_attribute("aria-pressed", "true")
        at.add(str((page.locator(".workspace-head").bounding_box(), boards.nth(1).bounding_box())))
    assert len(at) == 1
    page.keyboard.press("Escape")
    page.locator(".topbar .languages").select_option("en")


def test_the_list_of_tracks_stays_where_it_is_when_it_is_empty(page: Page) -> None:
    rows = page.locator(".entities .scroll")
    expect(page.locator(".entity").first).to_be_visible()
    at = rows.bounding_box()
    page.locator(".topbar .languages").select_option("ru")
    expect(page.locator("html")).to_have_attribute("lang", "ru")
    assert rows.bounding_box() == at
    page.locator(".topbar .languages").select_option("en")
    page.locator(".left").get_by_role("searchbox").fill("nobody is called so")
    expect(page.locator(".entities .empty")).to_be_visible()
    assert rows.bounding_box() == at


def test_what_needs_somebody_has_the_room_that_no_selection_takes(page: Page) -> None:
    heights_px = "() => ['.attention', '.details'].map((one) => document.querySelector(`.now > ${one}`).offsetHeight)"
    out_of_fields(page)
    expect(page.locator(".now .need").first).to_be_visible()
    # What is cut in its card is read by who has no mouse, too.
    title = page.locator(".now .need .clamped").first
    title.evaluate("(one) => { one.style.maxInlineSize = '3ch' }")
    title.and_(page.get_by_role("button")).press("Enter")
    assert title.evaluate("(one) => one.scrollHeight <= one.clientHeight")
    title.evaluate("(one) => { one.style.maxInlineSize = '' }")
    needs_px, details_px = page.evaluate(heights_px)
    assert needs_px > 3 * details_px
    page.locator(".entity").first.click()
    wait_until(lambda: page.evaluate(heights_px)[1] > details_px * 2, "the details have their room")
