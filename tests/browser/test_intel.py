"""Intelligence, driven as people drive it: grade, keep, link, read a person's record, follow one selection, cite."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from aquila.testing.served import ServedNode

from .conftest import Watched
from .desk import Hand, board
from .test_page import AXE, VIOLATIONS
from .test_shell import out_of_fields

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def demo(quiet_node: ServedNode) -> ServedNode:
    return quiet_node


def test_a_line_becomes_a_sourced_claim_and_all_views_follow_one_selection(browse: Callable[..., Watched]) -> None:
    watched = browse()
    watched.expected.append("/api/v1/intel/persons/open")  # the browser says that it was refused, as it should be
    page = watched.open()
    hand = Hand(page)
    headers = {"X-Aquila": "test"}

    def post(path: str, **data: object) -> None:
        answer = page.request.post(f"{page.url.split('?')[0]}api/v1/{path}", headers=headers, data=data)
        assert answer.ok, answer.text()

    post("notes", text="White truck left the depot, one man at the wheel")
    board(page, "Shift+I", "Intelligence")
    came = page.locator(".came").filter(has_text="White truck")
    came.get_by_role("button", name="Grade").click()
    came.get_by_label("The source is").select_option("B")
    came.get_by_label("What it says is").select_option("2")
    came.get_by_role("button", name="Grade").click()
    expect(came.locator(".grade")).to_have_text("B2")
    for kind, name in (("place", "Depot"), ("vehicle", "White truck")):
        hand.press("New subject")
        form = page.get_by_role("form", name="Keep the subject")
        form.get_by_label("What it is").select_option(kind)
        form.get_by_label("Name", exact=True).fill(name)
        form.get_by_role("button", name="Keep the subject").click()
        expect(page.locator(".subject .head")).to_contain_text(name)
    expect(page.get_by_role("button", name="Say a fact")).to_be_disabled()
    came.get_by_role("button", name="As source").click()
    hand.press("Link it")
    form = page.get_by_role("form", name="Link it")
    form.get_by_label("How").select_option("seen_at")
    form.get_by_label("With").select_option(label="Depot")
    form.get_by_role("button", name="Link it").click()
    said = page.locator(".time-line .said")
    expect(said).to_contain_text("was seen at Depot")
    expect(page.locator(".time-line .cite")).to_contain_text("B2")
    # One selection: a tap on the line of the graph chooses the claim in the time line, one on a knot the subject.
    line = page.locator(".link-graph .line")
    line.focus()
    page.keyboard.press("Enter")
    expect(said).to_have_attribute("aria-pressed", "true")
    page.locator(".link-graph .knot.place").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".subject .head")).to_contain_text("Depot")
    expect(page.locator(".subject-list .chosen")).to_contain_text("Depot")

    # The find box knows subjects, and opens the board at the one that is chosen.
    out_of_fields(page)
    page.keyboard.press("/")
    page.get_by_role("combobox").fill("white tr")
    expect(page.locator(".answer.subjects")).to_contain_text("White truck")
    page.locator(".answer.subjects").click()
    expect(page.locator(".subject .head")).to_contain_text("White truck")

    # Persons: refused without the post, then read with a reason.
    hand.press("Open the records of persons")
    form = page.get_by_role("form", name="Read the records")
    form.get_by_label("Why").fill("who drove?")
    form.get_by_role("button", name="Read the records").click()
    expect(page.locator(".notice")).to_contain_text("intelligence officer")
    post("posts", turn={"post": "intelligence_officer", "person": "person:operator"})
    form.get_by_role("button", name="Read the records").click()
    expect(form).to_have_count(0)
    hand.press("New person")
    form = page.get_by_role("form", name="Keep the record")
    form.get_by_label("Name", exact=True).fill("Ivan Example")
    form.get_by_label("Why").fill("who drove?")
    form.get_by_role("button", name="Keep the record").click()
    expect(page.locator(".subject .head")).to_contain_text("Ivan Example")
    came.get_by_role("button", name="As source").click()
    hand.press("Link it")
    form = page.get_by_role("form", name="Link it")
    form.get_by_label("How").select_option("uses")
    form.get_by_label("With").select_option(label="White truck")
    form.get_by_role("button", name="Link it").click()
    expect(page.locator(".link-graph .line")).to_have_count(2)
    hand.press("Put the records away")
    expect(page.locator(".knot.person")).to_have_count(0)
    page.evaluate(AXE.read_text("utf-8"))
    assert page.evaluate(VIOLATIONS) == []
