"""Posts, and the order of battle as files, driven as people drive them: a shift change, an import with its preview."""

from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Browser, Page, expect

from aquila.testing.served import ServedNode

from .conftest import Browse
from .test_page import AXE, VIOLATIONS
from .test_shell import PHONE, out_of_fields

pytestmark = [pytest.mark.browser, pytest.mark.mapless]

PASSWORD = "long enough for a test"  # of a node that lives for this test
TREE = "ALPINI BDE | echelon BRIGADE\n    7 ALPINI | echelon BATTALION | strength 600/580/430\n"


def ask(page: Page, path: str, **body: object) -> None:
    sent = page.request.post(f"{page.url.split('?')[0]}api/v1{path}", headers={"X-Aquila": "test"}, data=body)
    assert sent.ok, sent.text()


def session_of(chromium: Browser, node: ServedNode, name: str) -> object:
    """The cookie of a person who logged in by name and password."""
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(f"{node.url}login")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator(".desk")).to_be_visible()
    state = context.storage_state()
    context.close()
    return state


def test_the_watch_is_given_on_the_page_and_taken_over_on_another(
    browse: Browse, chromium: Browser, demo: ServedNode
) -> None:
    chief = browse().open()
    ask(chief, "/users", name="conti", password=PASSWORD, role="operator")
    out_of_fields(chief)
    chief.keyboard.press("h")
    home = chief.locator(".panel.home")
    for person, on_call in (("operator", False), ("conti", True)):
        home.get_by_role("button", name="Give a post").click()
        form = home.get_by_role("form", name="Give a post")
        form.get_by_label("Post").select_option("watch_officer")
        form.get_by_label("Person").select_option(label=person)
        form.get_by_label("on call").set_checked(on_call)
        form.get_by_role("button", name="Give it").click()
        expect(form).to_have_count(0)
    expect(home.locator(".home-head .who b")).to_have_text("watch officer")
    comer = browse(storage_state=session_of(chromium, demo, "conti")).open()
    comer.keyboard.press("h")
    comer.get_by_role("button", name="I take over: watch officer").click()
    expect(comer.locator(".home-head .who b")).to_have_text("watch officer")
    # Who had it is relieved, at once and on the own desk; it may be taken back, as both are listed.
    expect(home.get_by_role("button", name="I take over: watch officer")).to_be_visible()
    # What the post needs stands first and leads to where it is answered.
    ask(chief, "/incidents", line={"text": "Rockfall at km 7", "precedence": "Z", "tell": ["watch_officer"]})
    need = comer.locator(".panel.home .need").filter(has_text="Rockfall at km 7").filter(has_text="To be told")
    expect(need).to_have_count(1)
    need.get_by_role("button", name="Acknowledge").click()
    expect(need).to_have_count(0)
    # What a post is for is refused to others, with the sentence of the node.
    comer.locator(".panel.home summary").click()
    expect(comer.locator(".rights li.may").filter(has_text="sign a handover")).to_have_count(1)
    expect(home.locator(".rights li.may").filter(has_text="sign a handover")).to_have_count(0)
    comer.evaluate(AXE.read_text())
    assert comer.evaluate(VIOLATIONS) == []


def test_a_file_is_previewed_imported_and_exported(page: Page, tmp_path: Path) -> None:
    # A post was given on this node before, so the tree is for those who hold one of its posts.
    ask(page, "/posts", turn={"post": "duty_officer", "person": "person:operator"})
    out_of_fields(page)
    page.keyboard.press("1")
    page.get_by_role("button", name="Import…").click()
    pasted = page.get_by_label("or paste it here")
    pasted.fill(TREE + "        8 ALPINI | colour red\n")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".plan .bad")).to_contain_text("Line 3: 'colour red' is not understood")
    expect(page.locator(".import").get_by_role("button", name="Write")).to_have_count(0)
    file = tmp_path / "brigade.txt"
    file.write_text(TREE)
    page.locator(".import input[type=file]").set_input_files(file)
    expect(page.locator(".plan li.make")).to_have_count(2)
    page.get_by_role("button", name="Write 2").click()
    unit = page.locator(".knot.unit").filter(has_text="7 ALPINI")
    expect(unit).to_have_attribute("aria-level", "2")
    unit.click()
    expect(page.locator(".orbat-facts tr").filter(has_text="Strength")).to_contain_text("430")
    # Equipment and a caveat by hand, as the form has them.
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_role("button", name="Add: Equipment").click()
    equipment = page.get_by_role("group", name="Equipment")
    for label, value in (("What", "Snowcat"), ("Authorised", "12"), ("On hand", "9")):
        equipment.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Add caveat").click()
    page.get_by_label("What it may not do").fill("not beyond the own sector")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".orbat-facts tr").filter(has_text="Snowcat")).to_contain_text("75")
    expect(page.locator(".chosen-unit")).to_contain_text("not beyond the own sector")
    with page.expect_download() as saved:
        page.get_by_label("Export…").select_option("csv")
    table = Path(saved.value.path()).read_text()
    assert "Snowcat/12/9" in table
    # The same as a spreadsheet, changed in another program and brought back.
    with page.expect_download() as saved:
        page.get_by_label("Export…").select_option("xlsx")
    assert saved.value.suggested_filename.endswith(".xlsx")
    book = openpyxl.load_workbook(BytesIO(Path(saved.value.path()).read_bytes()))
    names = [cell.value for cell in book.active[1]]
    (line,) = (row for row in book.active.iter_rows(min_row=2) if row[names.index("name")].value == "7 ALPINI")
    line[names.index("present")].value = 410
    sheet = tmp_path / "brigade.xlsx"
    book.save(sheet)
    page.get_by_role("button", name="Import…").click()
    page.locator(".import input[type=file]").set_input_files(sheet)
    expect(page.locator(".import").get_by_label("Format")).to_have_value("xlsx")
    expect(page.locator(".import textarea")).to_have_count(0)
    expect(page.locator(".plan li.change")).to_contain_text("7 ALPINI")
    page.get_by_role("button", name="Write 1").click()
    expect(page.locator(".orbat-facts tr").filter(has_text="Strength")).to_contain_text("410")
    # The tree of another time can be looked at and not changed.
    page.get_by_label("Tree at").fill("010000ZJAN20")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Add unit")).to_be_disabled()
    page.get_by_role("button", name="Now", exact=True).click()
    expect(page.get_by_role("button", name="Add unit")).to_be_enabled()


def test_on_a_phone_the_home_is_one_press_away(browse: Browse) -> None:
    page = browse(viewport=PHONE, has_touch=True).open()
    page.locator("nav.nav").get_by_role("button", name="Home").click()
    expect(page.locator(".panel.home")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
