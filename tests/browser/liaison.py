"""U5: what a liaison officer does with the own nation's units and papers. See `test_steps.py`."""

from zipfile import ZipFile

from playwright.sync_api import expect

from .scene import Scene
from .test_shell import out_of_fields


def tree(scene: Scene) -> None:
    page, hand = scene.page, scene.hand
    scene.on_map()
    hand.keys("1")
    with page.expect_download() as saved:
        page.get_by_label("Export…").select_option("msdl")
        hand.steps += 1
    assert b"MilitaryScenario" in saved.value.path().read_bytes()
    scene.took("hand the own order of battle over")
    out_of_fields(page)
    hand.click(page.locator(".knot.unit").filter(has_text="BARYS ROTASY"))
    hand.keys("F2")
    hand.press("Add caveat")
    page.get_by_label("What it may not do").last.fill("No night march")
    hand.steps += 1
    hand.keys("Enter")
    expect(page.locator(".chosen-unit")).to_contain_text("No night march")
    scene.took("say what the own nation does not allow")


def extract(scene: Scene) -> None:
    """What a liaison officer takes home; the journal says who took it."""
    page, hand = scene.page, scene.hand
    scene.on_map()
    hand.keys("Shift+L")
    hand.fill("For the nation", "kaz")
    with page.expect_download() as saved:
        hand.press("Release and download")
    names = ZipFile(saved.value.path()).namelist()
    assert {"extract.pdf", "picture.geojson", "picture.kmz", "papers.jsonl"} <= set(names)
    expect(page.locator(".extract .thing")).to_contain_text("KAZ")
    scene.took("take what the own nation may have")
