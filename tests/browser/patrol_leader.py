"""U2: what a patrol leader does on a phone. See `test_steps.py`."""

import re

from playwright.sync_api import expect

from .scene import PATROL, Scene, tapped


def find_oneself(scene: Scene) -> None:
    page, hand = scene.page, scene.hand
    scene.nav("Tracks")
    hand.click(page.get_by_role("searchbox").first)
    page.keyboard.type(PATROL)
    hand.click(page.locator(".entity").filter(has_text=PATROL).first)
    details = page.locator(".details")
    expect(details.locator("dd.grid")).to_have_text(re.compile(r"\d{1,2}[A-Z] [A-Z]{2} \d{5} \d{5}"))
    expect(details.locator(".age-mark").first).to_contain_text("ago")
    scene.took("see where somebody is, and how old that is")
    expect(details).to_contain_text("Battery")


def evacuation_by_phone(scene: Scene) -> None:
    """The patrol that is selected stands in the form already, with its grid."""
    scene.nav("More")
    scene.hand.press("MEDEVAC", "New request")
    scene.ask_evacuation(PATROL)
    expect(scene.thing(PATROL)).not_to_have_count(0)
    scene.took("ask for an evacuation")


def mark_and_measure(scene: Scene) -> None:
    page, hand = scene.page, scene.hand
    scene.on_map()
    hand.click(page.get_by_role("button", name="Place a marker (M)"))
    tapped(page, 0.5, 0.55)
    hand.steps += 1
    hand.fill("Name", "FORD")
    hand.keys("Enter")
    expect(page.locator(".marker-card")).to_have_count(0)
    scene.took("mark a place")
    tapped(page, 0.4, 0.5, button="right")
    hand.steps += 1
    hand.click(page.get_by_role("menuitem", name="Range and bearing from here"))
    tapped(page, 0.7, 0.6)
    hand.steps += 1
    expect(page.locator(".measured")).to_have_text(re.compile(r"^\d{3}° true · [\d.]+ k?m$"))
    scene.took("measure range and bearing")
    page.get_by_role("status").get_by_role("button", name="Back to the map").click()
