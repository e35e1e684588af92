"""U3: what an analyst does with what came. See `test_steps.py`."""

from playwright.sync_api import expect

from .scene import Scene
from .test_shell import out_of_fields


def intelligence(scene: Scene) -> None:
    page, hand = scene.page, scene.hand
    hand.keys("Shift+I")
    came = page.locator(".came").filter(has_text="behind the mill")
    hand.click(came.get_by_role("button", name="Grade"))
    for label, choice in (("The source is", "B"), ("What it says is", "2")):
        came.get_by_label(label).select_option(choice)
        hand.steps += 1
    hand.click(came.get_by_role("button", name="Grade"))
    expect(came.locator(".grade")).to_have_text("B2")
    scene.took("grade a line")
    hand.press("New subject")
    form = page.get_by_role("form", name="Keep the subject")
    form.get_by_label("What it is").select_option("place")
    hand.steps += 1
    hand.fill("Name", "THE MILL", form)
    hand.keys("Enter")
    expect(page.locator(".subject .head")).to_contain_text("THE MILL")
    scene.took("keep a subject")
    page.locator(".subject-list button").filter(has_text="QUAD BIKE WITHOUT PLATE").click()
    hand.click(came.get_by_role("button", name="As source"))
    hand.press("Link it")
    form = page.get_by_role("form", name="Link it")
    for label, choice in (("How", "was seen at"), ("With", "THE MILL")):
        form.get_by_label(label).select_option(label=choice)
        hand.steps += 1
    hand.click(form.get_by_role("button", name="Link it"))
    expect(page.locator(".time-line .said").first).to_contain_text("was seen at THE MILL")
    scene.took("say how two are linked")


def summary(scene: Scene) -> None:
    page, hand = scene.page, scene.hand
    out_of_fields(page)
    hand.keys("Shift+R")
    scene.title("Reports")
    hand.press("Roll-up")
    rollup = page.get_by_role("form", name="Roll-up")
    rollup.get_by_label("Which report").select_option("intsum")
    hand.steps += 1
    hand.fill("Of which level *", "MULTINATIONAL BRIGADE LEOPARD", rollup)
    hand.keys("Enter")
    expect(page.locator(".rolled h2")).to_contain_text("MULTINATIONAL BRIGADE LEOPARD")
    scene.took("assemble the intelligence summary")
    with page.expect_download() as saved:
        out_of_fields(page)
        hand.keys("Shift+R")
        hand.click(page.locator(".reports .thing").first.get_by_role("button", name="PDF"))
    assert saved.value.path().read_bytes().startswith(b"%PDF-")
    scene.took("take a report as PDF")
