"""Ten thousand tracks in the page's table, over the stand-in node (`web/dev/stub.mjs`)."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from .conftest import COARSE, DESKTOP, Watched

pytestmark = pytest.mark.browser

TRACKS = 10_000
ROOM = 60
"""Rows in the page at most: those in sight, and some above and below."""


@pytest.fixture(scope="module")
def screen() -> Any:
    """The measures of screens, which know how to start a stand-in node."""
    path = Path(__file__).parents[2] / "bench" / "screen.py"
    spec = importlib.util.spec_from_file_location("bench_screen", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def crowded(chromium: Browser, screen: Any) -> Iterator[Watched]:
    with screen.stand_in(TRACKS) as url:
        context = chromium.new_context(viewport=DESKTOP, device_scale_factor=COARSE, locale="en-GB")
        watched = Watched(context, url)
        watched.expected.append("404")  # The stand-in has no boards.
        yield watched
        context.close()


def test_ten_thousand_rows_are_sorted_and_one_is_found_on_the_map(crowded: Watched) -> None:
    page = crowded.open()
    page.keyboard.press("6")
    table = page.get_by_role("table", name="Track table")
    rows = table.locator(".table-row")
    expect(rows.first).to_be_visible()
    total = int(table.get_attribute("aria-rowcount") or 0)
    assert total > TRACKS
    assert rows.count() < ROOM
    name = table.get_by_role("columnheader", name="Name")
    for order in ("ascending", "descending"):
        name.get_by_role("button").click()
        expect(name).to_have_attribute("aria-sort", order)
    # As numbers: as letters, TRK 10999 stands before TRK 9999.
    expect(table.locator("[aria-rowindex='2'] .name b")).to_have_text(f"TRK {999 + TRACKS}")
    page.locator(".table-scroll").evaluate("(one) => one.scrollTo(0, one.scrollHeight / 2)")
    middle = table.locator(f"[aria-rowindex='{total // 2}']")
    expect(middle).to_be_visible()
    assert rows.count() < ROOM
    shown = middle.locator(".name b").inner_text()
    middle.locator(".does button").click()
    expect(page.locator(".workspace")).to_have_count(0)
    expect(page.locator(".details h2")).to_have_text(shown)
    assert not crowded.faults
