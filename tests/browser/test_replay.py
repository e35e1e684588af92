"""Looking back: the past on the page, never taken for the present; a link to a moment; bookmarks; trails."""

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from aquila.simulator import cot
from aquila.simulator.cot import Spot
from aquila.testing.served import ServedNode, wait_until

from .conftest import Browse, Clock, Join
from .scene import say
from .test_page import AXE, VIOLATIONS, rows_of, select
from .test_shell import PHONE, opened, out_of_fields

pytestmark = pytest.mark.browser


HERE = Spot(43.05, 77.05, 1500.0)
THERE = Spot(43.25, 77.35, 1500.0)


def iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def banner_says(page: Page, at_ms: int) -> None:
    dtg = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%d%H%MZ%b%y").upper()
    expect(page.locator(".banner.top.frozen .not-live")).to_have_text(f"REPLAY {dtg}")


def grid_of(page: Page) -> str:
    return page.locator(".details dd.grid").inner_text()


def test_the_past_is_shown_whole_and_never_as_the_present(
    page: Page, demo: ServedNode, tak: Join, now_ms: Clock
) -> None:
    walker = tak("REPLAY-1", "VIANDANTE 1")
    walker.send(cot.position(walker.who, HERE, now_ms(), 10.0, 80))
    select(page, "VIANDANTE 1")
    before = grid_of(page)
    moment = now_ms()
    wait_until(lambda: now_ms() > moment + 1500, "time goes on")
    walker.send(cot.position(walker.who, THERE, now_ms(), 10.0, 80))
    expect(page.locator(".details dd.grid")).not_to_have_text(before)
    after = grid_of(page)
    say(demo, "incidents", line={"text": "a rockfall after that moment"})
    expect(page.locator(".attention")).to_contain_text("a rockfall after that moment")

    page.evaluate(f"location.hash = 'at={iso(moment)}&bbox=76.5,42.8,77.8,43.5'")
    banner_says(page, moment)
    expect(page.locator(".desk.replay")).to_have_count(1)
    expect(page.locator(".details dd.grid")).to_have_text(before)
    expect(page.locator(".time-strip .live")).to_have_text("Replay")
    # What arrives meanwhile waits behind the picture of the past.
    late = tak("REPLAY-2", "TARDIVO 2")
    late.send(cot.position(late.who, THERE, now_ms(), 10.0, 80))
    expect(rows_of(page, "TARDIVO 2")).to_have_count(0)
    # What is of the present is not shown beside the past, and what needs somebody is of then.
    out_of_fields(page)
    page.keyboard.press("h")
    expect(page.locator(".left .live-only:visible")).to_contain_text("Live only")
    page.keyboard.press("2")
    page.keyboard.press("3")
    expect(page.locator(".workspace .live-only")).to_contain_text("Incidents shows the present")
    page.keyboard.press("Escape")
    expect(page.locator(".attention h2")).to_contain_text("Needed somebody then")
    expect(page.locator(".attention")).not_to_contain_text("a rockfall after that moment")
    # Nobody acts from there, and the page says why.
    expect(page.locator(".journal form input")).to_be_disabled()
    expect(page.locator(".journal form input")).to_have_attribute("placeholder", re.compile("The past is shown"))
    expect(page.get_by_role("button", name="Place a marker (M)")).to_be_disabled()
    out_of_fields(page)
    page.keyboard.press("l")
    expect(page.locator(".notice").filter(has_text="The past is shown")).to_be_visible()

    page.keyboard.press("r")
    expect(page.locator(".desk.replay")).to_have_count(0)
    expect(page.locator(".banner.top.frozen")).to_have_count(0)
    expect(rows_of(page, "TARDIVO 2")).to_have_count(1)
    expect(page.locator(".details dd.grid")).to_have_text(after)
    expect(page.locator(".journal form input")).to_be_enabled()


def test_time_runs_from_a_bookmark_by_keys_and_the_slider(page: Page, now_ms: Clock) -> None:
    expect(page.locator(".entity").first).to_be_visible()
    out_of_fields(page)
    page.keyboard.press("r")
    expect(page.locator(".desk.replay")).to_have_count(1)
    shown = page.locator(".replay-time")
    begun = shown.get_attribute("datetime")
    assert begun is not None
    page.keyboard.press("b")
    expect(page.get_by_label("Name of the bookmark")).to_be_focused()
    page.keyboard.type("before contact")
    page.keyboard.press("Enter")
    # What has not been cannot be shown, and nothing else is in its place.
    page.get_by_label("Time, e.g. 1410Z").fill("010000ZJAN99")
    page.keyboard.press("Enter")
    expect(page.locator(".notice").filter(has_text="010000ZJAN99 lies ahead")).to_be_visible()
    expect(shown).to_have_attribute("datetime", begun)
    # What went wrong first, then the field.
    page.keyboard.press("Escape")
    expect(page.locator(".notice")).to_have_count(0)
    page.keyboard.press("Escape")
    page.keyboard.press("Comma")
    expect(shown).not_to_have_attribute("datetime", begun)
    page.get_by_label("Speed").select_option("60")
    out_of_fields(page)
    page.keyboard.press("Space")
    expect(page.locator(".replay-bar .play")).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("(since) => document.querySelector('.replay-time').dateTime > since", arg=begun)
    # Also where a click on a tab has left the focus.
    page.get_by_role("tab", selected=True).first.focus()
    page.keyboard.press("Space")
    expect(page.locator(".replay-bar .play")).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="before contact").first.click()
    expect(shown).to_have_attribute("datetime", begun)
    # Kept on this machine.
    page.reload()
    expect(page.locator(".entity").first).to_be_visible()
    slider = page.get_by_role("slider", name="Time that is shown")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".desk.replay")).to_have_count(1)
    expect(page.locator(".replay-bar b")).to_have_text("1")
    # A slider is not written in: the keys of the desk work where a drag has left the focus.
    moved = shown.get_attribute("datetime")
    assert moved is not None
    page.keyboard.press("Comma")
    expect(shown).not_to_have_attribute("datetime", moved)
    page.keyboard.press("Space")
    expect(page.locator(".replay-bar .play")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Space")
    expect(page.locator(".replay-bar .play")).to_have_attribute("aria-pressed", "false")
    expect(slider).to_be_focused()
    page.keyboard.press("End")
    expect(page.locator(".desk.replay")).to_have_count(0)
    # Time that catches up with the present is the present.
    page.keyboard.press("ArrowLeft")
    page.get_by_label("Speed").select_option("1000")
    page.get_by_role("button", name="Play or pause").click()
    expect(page.locator(".replay-bar")).to_have_count(0)
    expect(page.locator(".chip.connection.live")).to_be_visible()


def test_a_link_opens_its_moment_also_after_the_login(chromium: Browser, demo: ServedNode, now_ms: Clock) -> None:
    moment = now_ms() - 2000
    context = chromium.new_context(locale="en-GB", viewport={"width": 1600, "height": 900})
    page = context.new_page()
    page.goto(f"{demo.url}/#at={iso(moment)}&bbox=76.5,42.8,77.8,43.5")
    expect(page.locator(".login")).to_be_visible()
    page.goto(demo.link())
    banner_says(page, moment)
    page.keyboard.press("r")
    expect(page.locator(".desk.replay")).to_have_count(0)
    page.evaluate(f"location.hash = 'at={iso(moment)}'")
    banner_says(page, moment)
    # An opened link is gone from the address: a reload is live, and the same link opens its moment again.
    page.reload()
    expect(page.locator(".chip.connection.live")).to_be_visible()
    expect(page.locator(".desk.replay")).to_have_count(0)
    page.evaluate("location.hash = 'at=2099-01-01T00:00Z'")
    expect(page.locator(".notice").filter(has_text="010000ZJAN99 lies ahead")).to_be_visible()
    expect(page.locator(".desk.replay")).to_have_count(0)
    context.close()


def test_looking_back_holds_the_accessibility_rules(page: Page) -> None:
    page.evaluate(AXE.read_text("utf-8"))
    page.locator(".entity").first.click()
    out_of_fields(page)
    page.keyboard.press("r")
    expect(page.locator(".desk.replay")).to_have_count(1)
    page.keyboard.press("b")
    expect(page.get_by_label("Name of the bookmark")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".replay-marks li")).to_have_count(1)
    assert page.evaluate(VIOLATIONS) == []


def test_a_phone_looks_back_too(browse: Browse) -> None:
    page = opened(browse, viewport=PHONE, has_touch=True)
    page.locator(".nav").get_by_role("button", name="More").click()
    page.get_by_role("button", name="Look back").click()
    expect(page.locator(".banner.top.frozen .not-live")).to_contain_text("REPLAY")
    expect(page.locator(".replay-bar")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.get_by_role("button", name="Back to live").click()
    expect(page.locator(".desk.replay")).to_have_count(0)


def test_trails_of_all_that_is_seen_are_shown_for_a_time_that_one_chooses(page: Page) -> None:
    def read(span_min: int) -> list[dict[str, Any]]:
        with page.expect_response(lambda answer: "/tracks?bbox=" in answer.url) as heard:
            page.keyboard.press("Shift+B")
        words = parse_qs(urlsplit(heard.value.url).query)
        assert int(words["until_ms"][0]) - int(words["from_ms"][0]) == span_min * 60_000
        rows: list[dict[str, Any]] = heard.value.json()
        return rows

    expect(page.locator(".entity").first).to_be_visible()
    assert len({row["entity"] for row in read(10)}) > 5
    expect(page.locator(".notice").filter(has_text="Trails: last 10 minutes")).to_be_visible()
    read(60)
    read(360)
    page.keyboard.press("Shift+B")
    expect(page.locator(".notice").filter(has_text="Trails: off")).to_be_visible()
