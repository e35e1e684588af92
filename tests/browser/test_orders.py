"""Orders and tasks on the page, between people: who may use how many steps is counted."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from aquila.testing.served import ServedNode, wait_until

from .conftest import Browse
from .desk import Hand, board, state_of
from .test_page import AXE, VIOLATIONS
from .test_shell import PHONE, opened

pytestmark = [pytest.mark.browser, pytest.mark.mapless]

SMALL = {"width": 1100, "height": 700}
HOUR_MS = 3_600_000
STILL_LOOKS = 12
DRAFT = "aquila.draft.order.new"


@pytest.fixture(scope="module")
def demo(quiet_node: ServedNode) -> ServedNode:
    return quiet_node


@pytest.fixture(scope="module")
def session(chromium: Browser, demo: ServedNode) -> object:
    return state_of(chromium, demo, "watch", "operator")


@pytest.fixture(scope="module")
def sessions(chromium: Browser, demo: ServedNode) -> dict[str, object]:
    """Session of the addressee."""
    people = (("FOX", "viewer"),)
    return {name: state_of(chromium, demo, name, role) for name, role in people}


def post(page: Page, path: str, **data: object) -> str:
    """Something that was there before; gives its id."""
    answer = page.request.post(f"{page.url}api/v1/{path}", headers={"X-Aquila": "test"}, data=data)
    assert answer.ok, answer.text()
    return str(answer.json()["id"])


def begins(at_ms: int) -> re.Pattern[str]:
    """What a cell says that begins then."""
    return re.compile(f"{datetime.fromtimestamp(at_ms / 1000, UTC):%H%M}Z \N{EN DASH}")


def order_row(page: Page, title: str) -> Locator:
    return page.locator(".order-row").filter(has_text=title)


def test_an_order_goes_from_the_desk_to_the_addressee_and_back_and_is_changed(
    browse: Browse, sessions: dict[str, object]
) -> None:
    staff, fox = browse().open(), browse(storage_state=sessions["FOX"], viewport=SMALL).open()
    hand, theirs = Hand(staff), Hand(fox)
    board(staff, "Shift+O", "Orders")
    hand.press("New order")
    hand.fill("Title *", "Cedar")
    hand.fill("Number", "12")
    hand.fill("What", "observe the upper valley until relieved", staff.get_by_role("group", name="Mission"))
    # Key by key, as people type, with blanks and lines.
    typed = staff.get_by_label("Means: primary, alternate, contingency, emergency")
    typed.press_sequentially("look, report\nstay out of the debris")
    expect(typed).to_have_value("look, report\nstay out of the debris")
    hand.press("Add a task")
    hand.fill("Who (unit or callsign)", "FOX")
    # What is typed outlives the beat of the page, also before the field is left.
    clock = staff.locator("time.dtg")
    for _ in range(2):
        expect(clock).not_to_have_text(clock.inner_text())
    expect(staff.get_by_label("Who (unit or callsign)").first).to_have_value("FOX")
    hand.fill("From (Z)", "01 0600z jan 30", staff.get_by_role("group", name="T1"))
    hand.fill("Until (Z)", "010800ZJAN30", staff.get_by_role("group", name="T1"))
    # A crash: nothing that was typed is lost.
    staff.reload()
    board(staff, "Shift+O", "Orders")
    expect(staff.get_by_label("Title *")).to_have_value("Cedar")
    expect(staff.get_by_label("Until (Z)").first).to_have_value("010800ZJAN30")
    hand.press("All who have a task")
    # A text that is no time is told off and goes nowhere; the key that saves does not pass it by.
    begin = staff.get_by_role("group", name="T1").get_by_label("From (Z)")
    expect(begin).to_have_value("010600ZJAN30")
    begin.fill("at dawn")
    begin.press("Control+Enter")
    expect(staff.get_by_role("alert").filter(has_text="at dawn")).to_contain_text("is no time")
    expect(begin).to_have_attribute("aria-invalid", "true")
    begin.fill("01 0615 jan 30")
    hand.press("Save the draft")
    expect(order_row(staff, "Cedar")).to_have_count(1)
    # The journal may bring the row before the answer to the one who saved has come and closed the editor.
    staff.wait_for_function(f"localStorage.getItem('{DRAFT}') === null")
    hand.press("Approve", "Issue")
    hand.took(12)
    answer = staff.locator(".order-answer").filter(has_text="FOX")
    expect(answer).to_contain_text("sent")

    # The addressee finds it among what needs it now, and answers with one press more.
    theirs.click(fox.locator(".need").filter(has_text="Cedar").get_by_role("button", name="Open"))
    expect(fox.locator(".order-text")).to_contain_text("observe the upper valley")
    theirs.press("Cannot comply")
    theirs.fill("Reason", "bridge is out")
    theirs.keys("Enter")
    expect(answer).to_contain_text("cannot comply: bridge is out")
    expect(staff.locator(".need").filter(has_text="bridge is out")).to_have_count(1)
    theirs.press("Will comply")
    theirs.took(5)
    expect(answer).to_contain_text("will comply")
    expect(answer.locator("small")).to_have_count(0)

    # What is to be different becomes a FRAGO, shown word by word.
    hand.press("Change by FRAGO")
    mission = staff.get_by_role("group", name="Mission")
    hand.fill("What", "observe the lower valley until relieved", mission)
    hand.press("Draft the FRAGO")
    diff = staff.locator(".diff")
    expect(diff.locator("ins")).to_have_text("+lower")
    expect(diff.locator("del")).to_have_text("\N{MINUS SIGN}upper")
    hand.press("Approve", "Issue")
    hand.took(5)
    expect(staff.locator(".order-answer").filter(has_text="FOX")).to_contain_text("sent")
    staff.get_by_role("button", name="The order that it changes").click()
    expect(staff.locator(".order-text")).to_contain_text("observe the lower valley")
    staff.get_by_label("In force at (Z)").fill("010000ZJAN26")
    staff.keyboard.press("Enter")
    expect(staff.locator(".order-text")).to_contain_text("observe the upper valley")
    with staff.expect_download() as pdf:
        staff.get_by_role("button", name="PDF").click()
    assert pdf.value.path().read_bytes().startswith(b"%PDF-")


def settled(cell: Locator) -> Any:
    """Its box, once it stands still: another choice of orders has another frame of time, and moves every cell."""
    boxes: list[Any] = []

    def stands() -> bool:
        boxes.append(cell.bounding_box())
        return len(boxes) >= STILL_LOOKS and all(box is not None and box == boxes[-1] for box in boxes[-STILL_LOOKS:])

    wait_until(stands, "the cell stands still")
    return boxes[-1]


def test_a_cell_of_the_matrix_moves_by_keys_and_by_mouse_and_the_order_says_so(
    browse: Browse, now_ms: Callable[[], int]
) -> None:
    page = browse().open()
    hand = Hand(page)
    start_ms = (now_ms() // HOUR_MS + 1) * HOUR_MS
    task = {
        "id": "T1",
        "unit": "OWL",
        "verb": "PATROL",
        "start_ms": start_ms,
        "end_ms": start_ms + 2 * HOUR_MS,
        "phase": "P1",
    }
    phase = {"id": "P1", "name": "Deploy", "start_ms": start_ms, "end_ms": start_ms + 3 * HOUR_MS}
    order = {"kind": "OPORD", "title": "Birch", "phases": [phase], "tasks": [task], "distribution": ["OWL"]}

    id = post(page, "orders", order=order)
    for action in ("approve", "issue"):
        post(page, f"orders/{id}/step", action=action)
    span = {"start_ms": start_ms, "end_ms": start_ms + 2 * HOUR_MS}
    post(page, "tasks", task={"unit": "ELK", "verb": "GUARD", **span})
    board(page, "Shift+T", "Tasks")
    expect(page.locator(".thing.task").filter(has_text="OWL")).to_contain_text("sent")
    hand.press("Synchronisation matrix")
    page.get_by_label("Order", exact=True).select_option(label="OPORD Birch")
    expect(page.locator(".grid-frame .phase")).to_have_text("Deploy")
    cell = page.locator(".grid-frame .unit").filter(has_text="OWL").locator("button.cell")
    expect(cell).to_have_attribute("aria-label", begins(start_ms))
    hand.click(cell)
    hand.keys("ArrowRight", "ArrowRight", "Enter")
    hand.took(5)
    expect(page.locator(".cell.ghost")).to_have_count(1)
    expect(cell).to_have_attribute("aria-label", re.compile("a FRAGO draft would move it"))
    page.get_by_role("button", name="Open the FRAGO draft").click()
    expect(page.locator(".diff > div")).to_have_count(2)
    page.get_by_role("button", name="Approve", exact=True).click()
    page.get_by_role("button", name="Issue", exact=True).click()
    board(page, "Shift+T", "Tasks")
    expect(page.locator(".cell.ghost")).to_have_count(0)
    expect(cell).to_have_attribute("aria-label", begins(start_ms + HOUR_MS // 2))
    # A task of no order moves at once, and undo takes it back.
    page.get_by_label("Order", exact=True).select_option(label="all")
    other = page.locator(".grid-frame .unit").filter(has_text="ELK").locator("button.cell")
    box = settled(other)
    page.mouse.move(box["x"] + 5, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 5 + box["width"], box["y"] + 10, steps=4)
    # The cell shows where it goes before the node has it, and what is not done cannot be undone.
    with page.expect_response(lambda answer: "/api/v1/tasks/" in answer.url and answer.request.method == "POST"):
        page.mouse.up()
    expect(page.locator(".cell.moving")).to_have_count(0)
    expect(other).to_have_attribute("aria-label", begins(start_ms + 2 * HOUR_MS))
    page.keyboard.press("Control+z")
    expect(other).to_have_attribute("aria-label", begins(start_ms))


def row_of(page: Page, unit: str) -> Locator:
    return page.locator(".grid-frame .unit").filter(has=page.get_by_text(unit, exact=True))


def pull(page: Page, cell: Locator, onto: Locator) -> None:
    """Drag a cell straight up or down into another row."""
    box, row = settled(cell), onto.bounding_box()
    assert row is not None
    x, y = box["x"] + 8, row["y"] + row["height"] / 2
    page.mouse.move(x, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(x, y, steps=4)
    page.mouse.up()


def test_a_cell_of_the_matrix_goes_to_another_unit_and_who_may_not_is_told(
    browse: Browse, sessions: dict[str, object], now_ms: Callable[[], int]
) -> None:
    page = browse().open()
    start_ms = (now_ms() // HOUR_MS + 1) * HOUR_MS
    span = {"start_ms": start_ms, "end_ms": start_ms + 2 * HOUR_MS}
    order = {"kind": "OPORD", "title": "Aspen", "distribution": ["WREN", "LARK"]}
    order["tasks"] = [{"id": f"T{n}", "unit": unit, "verb": "PATROL", **span} for n, unit in ((1, "WREN"), (2, "LARK"))]
    id = post(page, "orders", order=order)
    for action in ("approve", "issue"):
        post(page, f"orders/{id}/step", action=action)
    own = post(page, "tasks", task={"unit": "WREN", "verb": "GUARD", "title": "gate", **span})
    post(page, f"tasks/{own}/step", action="issue")
    board(page, "Shift+T", "Tasks")
    page.get_by_role("button", name="Synchronisation matrix").click()
    wren, lark = row_of(page, "WREN"), row_of(page, "LARK")
    gate = page.locator("button.cell").filter(has_text="gate")
    expect(wren.locator("button.cell")).to_have_count(2)
    # A task of no order goes at once, by the mouse, and comes back.
    pull(page, gate, lark)
    expect(lark.locator("button.cell")).to_have_count(2)
    expect(gate).to_have_attribute("aria-label", re.compile("LARK: gate"))
    page.keyboard.press("Control+z")
    expect(gate).to_have_attribute("aria-label", re.compile("WREN: gate"))
    # By keys, a task of an order goes into a FRAGO; Escape lets it go.
    page.get_by_label("Order", exact=True).select_option(label="OPORD Aspen")
    cell = wren.locator("button.cell")
    expect(cell).to_have_count(1)
    page.keyboard.press("Tab")
    cell.focus()
    onto = "ArrowDown" if (wren.bounding_box() or {})["y"] < (lark.bounding_box() or {})["y"] else "ArrowUp"
    page.keyboard.press(onto)
    expect(cell).to_have_attribute("aria-label", re.compile("LARK: T1"))
    expect(lark.locator(".cell.ghost")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(cell).to_have_attribute("aria-label", re.compile("WREN: T1"))
    page.keyboard.press(onto)
    page.keyboard.press("Enter")
    expect(cell).to_have_attribute("aria-label", re.compile("a FRAGO gives it to LARK"))
    page.get_by_role("button", name="Open the FRAGO draft").click()
    expect(page.locator(".diff > div")).to_have_count(1)
    page.get_by_role("button", name="Approve", exact=True).click()
    page.get_by_role("button", name="Issue", exact=True).click()
    board(page, "Shift+T", "Tasks")
    expect(lark.locator("button.cell")).to_have_count(2)
    expect(wren).to_have_count(0)
    # Somebody who only looks is told why nothing moves.
    viewer = browse(storage_state=sessions["FOX"], viewport=SMALL).open()
    board(viewer, "Shift+T", "Tasks")
    viewer.get_by_role("button", name="Synchronisation matrix").click()
    gate = viewer.locator("button.cell").filter(has_text="gate")
    pull(viewer, gate, row_of(viewer, "LARK"))
    expect(viewer.get_by_text("Only operators move tasks: ask the watch to move gate.")).to_be_visible()
    expect(gate).to_have_attribute("aria-label", re.compile("WREN: gate"))


def test_the_boards_hold_the_accessibility_rules_and_fit_a_phone(browse: Browse) -> None:
    page = opened(browse, theme="day")
    page.evaluate(AXE.read_text("utf-8"))
    post(page, "orders", order={"kind": "WARNO", "title": "Larch", "distribution": ["ELK"]})
    post(page, "tasks", task={"unit": "ELK", "verb": "PLAN"})
    board(page, "Shift+O", "Orders")
    page.locator(".order-row").first.click()
    expect(page.locator(".order-text")).to_be_visible()
    assert page.evaluate(VIOLATIONS) == []
    page.get_by_role("button", name="New order").click()
    page.get_by_role("button", name="Add a task").click()
    assert page.evaluate(VIOLATIONS) == []
    for name in ("Tasks", "Handover"):
        page.get_by_role("button", name=name, exact=True).first.click()
        expect(page.locator(".workspace-head h2")).to_have_text(name)
        assert page.evaluate(VIOLATIONS) == [], name
    page.set_viewport_size(PHONE)
    page.locator(".nav").get_by_role("button", name="More").click()
    page.get_by_role("button", name="Handover").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
