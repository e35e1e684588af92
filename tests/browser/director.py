"""U4: what an exercise director does. See `test_steps.py`."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, expect

from .scene import HOUR_MS, Scene, say
from .test_page import journal_lines


def inject_in_time(scene: Scene, now_ms: Callable[[], int]) -> None:
    """A planned inject is a task of no order: it moves at once."""
    page, hand = scene.page, scene.hand
    start_ms = (now_ms() // HOUR_MS + 2) * HOUR_MS
    span = {"start_ms": start_ms, "end_ms": start_ms + HOUR_MS}
    say(scene.node, "tasks", task={"unit": "INJECT TEAM", "verb": "GUARD", **span})
    scene.on_map()
    hand.keys("Shift+S")
    cell = page.locator(".grid-frame .unit").filter(has_text="INJECT TEAM").locator("button.cell")
    before = cell.get_attribute("aria-label")
    assert before is not None
    hand.click(cell)
    hand.keys("ArrowRight", "Enter")
    expect(cell).not_to_have_attribute("aria-label", before)
    scene.took("move an inject in time")


def moments(scene: Scene) -> None:
    page, hand = scene.page, scene.hand
    scene.on_map()
    hand.keys("b")
    expect(page.locator(".notice").filter(has_text="Bookmarked")).to_be_visible()
    scene.took("keep a moment")
    hand.keys("r")
    hand.click(page.locator(".replay-bar").get_by_role("button", name="Bookmarks and times 1"))
    hand.click(page.locator(".replay-marks .mark-name").first)
    expect(page.locator(".banner.top.frozen .not-live")).to_contain_text("REPLAY")
    scene.took("go back to a moment")
    page.keyboard.press("r")
    expect(page.locator(".desk.replay")).to_have_count(0)
    hand.click(page.get_by_role("tab", name="Brief"))
    hand.press("Take this view", "Present")
    expect(page.get_by_role("region", name="Brief")).to_be_visible()
    scene.took("show a view to all")
    page.keyboard.press("Escape")
    expect(page.locator(".presenter")).to_have_count(0)


def control(scene: Scene) -> None:
    page, hand = scene.page, scene.hand

    def inject(title: str) -> Locator:
        return page.locator(".inject").filter(has_text=title)

    def listed() -> None:
        scene.on_map()
        hand.keys("Shift+X")

    listed()
    hand.press("Add an inject")
    form = page.get_by_role("form", name="Add an inject")
    hand.fill("What happens", "Rockfall at the bridge", form)
    hand.fill("In minutes", "30", form)
    hand.keys("Enter")
    expect(inject("Rockfall at the bridge")).to_contain_text("planned")
    scene.took("plan an inject")
    for action, title, button, state in (
        ("hold an inject", "A relay mast falls", "Hold", "held"),
        ("skip an inject", "Rockfall at the bridge", "Skip", "skipped"),
        ("fire an inject from the list", "Two walkers are overdue", "Fire now", "fired"),
    ):
        listed()
        hand.click(inject(title).get_by_role("button", name=button))
        expect(inject(title).locator(".state")).to_have_text(state)
        scene.took(action)
    # The simulator heard of it as every client does, and its clients act on it.
    expect(journal_lines(page, "CIVILIAN WALKERS OVERDUE")).not_to_have_count(0)
    listed()
    hand.press("Pause for all")
    banner = page.locator(".banner").get_by_text("EXERCISE PAUSED SINCE")
    expect(banner).to_be_visible()
    scene.took("pause the exercise for all")
    listed()
    hand.press("Go on")
    expect(banner).to_have_count(0)
    scene.took("let the exercise go on")
    listed()
    page.get_by_label("Pace").select_option("2")
    hand.steps += 1
    expect(page.locator(".run")).to_contain_text(re.compile("pace . 2"))
    scene.took("set the pace of the exercise")
    say(scene.node, "exercise/steps", action="pace", fields={"pace": 1})


def verdict(scene: Scene) -> None:
    page, hand = scene.page, scene.hand
    field = {"name": "verdict", "title": "Verdict", "kind": "choice", "choices": ["pass", "fail"], "required": True}
    form = {"name": "march", "title": "Mountain march", "sections": [{"title": "", "fields": [field]}]}
    say(scene.node, "forms", form=form)
    scene.on_map()
    hand.keys("Shift+R")
    page.get_by_label("Write a report").select_option("march")
    hand.steps += 1
    hand.fill("Who reports *", "TEAM 2")
    page.get_by_label("Verdict *").select_option("pass")
    hand.steps += 1
    hand.press("File it")
    card = scene.thing("Mountain march of TEAM 2")
    hand.click(card.get_by_role("button", name="Approve"))
    expect(card).to_contain_text("approved")
    scene.took("sign that somebody passed")
