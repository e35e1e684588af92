"""The staff's panels: a typed line, the order of battle, and the chain between two desks."""

import base64
import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import Page, expect

from aquila.testing.served import ServedNode, wait_until
from aquila.testing.tak_client import device_context, fresh, position

from .conftest import Browse
from .test_page import AXE, VIOLATIONS, journal_lines, select
from .test_shell import PHONE, opened, options_of, out_of_fields

pytestmark = [pytest.mark.browser, pytest.mark.mapless]

# A few minutes ago: a time that is half a day away may be of yesterday or still to come, and is marked unsure.
CLOCK = f"{datetime.now(UTC) - timedelta(minutes=5):%H%M}Z"
LINE = f"CAMOSCIO 11 SALUTE 4 pax 2 veh NW of LEOPARD HQ {CLOCK}"


def unit_in(page: Page, name: str) -> None:
    """Make a unit through the form that is open."""
    page.get_by_label("Unit's name").fill(name)
    page.keyboard.press("Enter")
    expect(page.locator(".knot.unit").filter(has_text=name)).to_have_count(1)


def test_a_typed_line_is_understood_and_stands_on_the_other_desk(browse: Browse) -> None:
    here, there = browse().open(), browse().open()
    expect(here.locator(".entity").first).to_be_visible()
    out_of_fields(here)
    here.keyboard.press("l")
    here.keyboard.type(LINE)
    chips = here.locator(".line-chip")
    expect(chips.filter(has_text="CAMOSCIO 11")).to_have_count(1)
    expect(chips.filter(has_text="SALUTE")).to_have_count(1)
    expect(chips.filter(has_text=CLOCK)).to_have_count(1)
    unsure = here.locator(".line-chip.unsure")
    expect(unsure).to_contain_text("LEOPARD HQ")
    here.reload()
    box = here.locator(".journal form input")
    expect(box).to_have_value(LINE)
    expect(unsure).to_have_count(1)
    box.focus()
    here.keyboard.press("ArrowDown")
    here.keyboard.press("Digit2")
    expect(unsure).to_have_count(0)
    expect(box).to_be_focused()
    here.keyboard.press("Enter")
    expect(journal_lines(there, LINE)).to_have_count(1)
    expect(journal_lines(there, LINE)).to_contain_text("[43T")
    expect(box).to_have_value("")
    # What was read wrongly is left out with one press, taken back with another; what is left out is not written.
    line = f"CAMOSCIO 11 SALUTE 3 pax at LEOPARD HQ {CLOCK}"
    here.keyboard.type(line)
    place = chips.filter(has_text="LEOPARD HQ")
    place.click()
    expect(place).to_have_attribute("aria-pressed", "true")
    place.focus()
    here.keyboard.press("Delete")
    expect(place).to_have_attribute("aria-pressed", "false")
    expect(box).to_be_focused()
    here.keyboard.press("Enter")
    expect(journal_lines(there, line)).to_have_count(1)
    expect(journal_lines(there, line)).not_to_contain_text("[43T")


def test_another_kind_of_line_is_one_key_away(page: Page) -> None:
    expect(page.locator(".entity").first).to_be_visible()
    out_of_fields(page)
    page.keyboard.press("l")
    line = f"crowd of 60 at LEOPARD HQ, peaceful {CLOCK}"
    page.keyboard.type(line)
    kind = page.locator(".line-chip").filter(has_text="Kind")
    expect(kind).to_contain_text("SPOT ?")
    other = page.locator(".other-kind")
    expect(other).to_contain_text("INCIDENT")
    page.keyboard.press("ArrowUp")
    expect(kind).to_contain_text("INCIDENT")
    expect(kind).not_to_contain_text("?")
    expect(page.locator(".journal form input")).to_be_focused()
    # The one behind it, and so round to the first.
    expect(other).to_contain_text("NOTE")
    page.keyboard.press("ArrowUp")
    expect(kind).to_contain_text("NOTE")
    page.keyboard.press("ArrowUp")
    expect(kind).to_contain_text("SPOT")
    page.keyboard.press("Enter")
    expect(journal_lines(page, line)).to_have_count(1)


def test_units_are_made_moved_and_taken_back_by_keys(browse: Browse) -> None:
    page, other = browse().open(), browse().open()
    out_of_fields(page)
    page.keyboard.press("1")
    page.get_by_role("button", name="Add unit").click()
    unit_in(page, "MN BDE")
    page.get_by_role("button", name="Add unit").click()
    unit_in(page, "1 MTN BN")
    page.locator(".knot.unit").filter(has_text="MN BDE").focus()
    page.get_by_role("button", name="Add unit").click()
    unit_in(page, "2 MTN BN")
    other.keyboard.press("1")
    first = other.locator(".knot.unit").filter(has_text="1 MTN BN")
    expect(first).to_have_attribute("aria-level", "2")
    # Under the second battalion, and back by undo.
    page.locator(".knot.unit").filter(has_text="1 MTN BN").focus()
    page.keyboard.press("Shift+M")
    page.get_by_role("combobox", name="Under").fill("2 mtn")
    page.keyboard.press("Enter")
    expect(first).to_have_attribute("aria-level", "3")
    expect(page.get_by_role("button", name="Add unit")).to_be_visible()
    page.keyboard.press("Control+z")
    expect(first).to_have_attribute("aria-level", "2")
    # The mouse does the same.
    page.locator(".knot.unit").filter(has_text="1 MTN BN").drag_to(
        page.locator(".knot.unit").filter(has_text="2 MTN BN")
    )
    expect(first).to_have_attribute("aria-level", "3")


def test_a_report_is_filed_and_approved(browse: Browse) -> None:
    watched = browse()
    # The first try is refused: it is not whole.
    watched.expected.append("Failed to load resource")
    page = watched.open()
    out_of_fields(page)
    page.keyboard.press("Control+k")
    page.keyboard.type("open reports")
    expect(options_of(page).first).to_contain_text("Open Reports")
    page.keyboard.press("Enter")
    page.get_by_label("Write a report").select_option(label="SALUTE report")
    page.get_by_label("Who reports *").fill("CAMOSCIO 11")
    page.get_by_label("Size *").fill("4 persons")
    page.get_by_role("button", name="File it").click()
    # What is missing is said by the node; what was typed stays.
    expect(page.locator(".notice.bad")).to_contain_text("activity")
    page.get_by_label("Activity *").fill("digging")
    page.get_by_label("Location *").fill("43.05, 77.05")
    page.get_by_role("button", name="File it").click()
    card = page.locator(".thing").filter(has_text="CAMOSCIO 11")
    expect(card).to_contain_text("filed")
    card.get_by_role("button", name="Approve").click()
    expect(card).to_contain_text("approved")


def test_the_panels_hold_the_accessibility_rules(browse: Browse) -> None:
    page = opened(browse)
    page.evaluate(AXE.read_text("utf-8"))
    out_of_fields(page)
    page.keyboard.press("1")
    page.get_by_role("button", name="Add unit").click()
    expect(page.get_by_label("Unit's name")).to_be_focused()
    assert page.evaluate(VIOLATIONS) == []
    unit_in(page, "UNIT AXE")
    sent = page.request.post(
        f"{page.url}api/v1/incidents",
        headers={"X-Aquila": "test"},
        data={"line": {"text": "Seen by axe", "tell": ["duty_officer"]}},
    )
    assert sent.ok, sent.text()
    page.locator(".need").filter(has_text="Seen by axe").get_by_role("button", name="Open").first.click()
    page.locator(".thing.open").get_by_role("button", name="Triage").click()
    assert page.evaluate(VIOLATIONS) == []
    page.keyboard.press("Escape")
    for name in ("MEDEVAC", "Questions", "Reports"):
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.locator(".workspace-head h2")).to_have_text(name)
        assert page.evaluate(VIOLATIONS) == [], name
    page.get_by_role("button", name="Back to the map").click()
    page.locator(".journal form input").fill(LINE)
    expect(page.locator(".line-chip.unsure").first).to_be_visible()
    assert page.evaluate(VIOLATIONS) == []


def test_a_phone_has_room_for_them(browse: Browse) -> None:
    page = opened(browse, viewport=PHONE, has_touch=True)
    page.locator(".nav").get_by_role("button", name="Journal").click()
    page.locator(".journal form input").fill(LINE)
    expect(page.locator(".line-chip.unsure").first).to_be_visible()
    page.locator(".nav").get_by_role("button", name="More").click()
    page.get_by_role("button", name="ORBAT").click()
    page.get_by_role("button", name="Add unit").click()
    expect(page.get_by_label("Unit's name")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def test_a_patrol_report_is_drafted_with_the_photo_of_its_phone(browse: Browse, demo: ServedNode) -> None:
    name = fresh("PTL")
    files = demo.enrolled(name)
    api = f"https://localhost:{demo.ports['api_tls']}"
    with (
        demo.device_client(name, files) as phone,
        httpx.Client(base_url=api, verify=device_context(files, name), timeout=60) as sender,
    ):
        phone.say(position(phone.uid, name))
        asked = {"name": "bridge.png", "creatorUid": phone.uid}
        answer = sender.post("/Marti/sync/upload", params=asked, content=PNG, headers={"Content-Type": "image/png"})
        assert answer.status_code == 200, answer.text
        page = browse().open()
        select(page, name).get_by_role("button", name="Patrol report").click()
        form = page.get_by_role("form", name="Patrol report")
        photo = form.get_by_role("img", name="bridge.png")
        expect(photo).to_be_visible()
        wait_until(lambda: photo.evaluate("one => one.naturalWidth") == 1, "the photo is drawn")
        expect(form.get_by_label("Who reports *")).to_have_value(name)
        form.get_by_label("Mission: type, place, purpose *").fill("look at the bridge")
        page.keyboard.press("Enter")
        card = page.locator(".thing").filter(has_text=f"Patrol report of {name}")
        expect(card).to_contain_text("filed")
        expect(card.get_by_role("link", name="bridge.png")).to_have_attribute("download", "bridge.png")
        with page.expect_download() as pdf:
            card.get_by_role("button", name="PDF").click()
        assert b"/Image" in pdf.value.path().read_bytes()


def test_a_question_looks_back_and_one_press_acknowledges_what_it_found(browse: Browse, demo: ServedNode) -> None:
    for number in range(3):
        demo.api.write_note(text=f"scree slide {number} on the track")
    page = browse().open()
    out_of_fields(page)
    page.keyboard.press("9")
    page.get_by_role("button", name="Ask a question").click()
    form = page.get_by_role("form", name="Ask a question")
    form.get_by_label("Question", exact=True).fill("Where does it slide?")
    form.get_by_label("Words that fit").fill("scree")
    form.get_by_label("Look back").fill("1")
    page.keyboard.press("Enter")
    card = page.locator(".thing").filter(has_text="Where does it slide?")
    found = card.get_by_text("3 found looking back")
    expect(found).to_be_visible()
    expect(card.locator(".hit").first).to_be_hidden()
    found.click()
    expect(card.locator(".hit")).to_have_text([re.compile(f"scree slide {number}") for number in (2, 1, 0)])
    # One need and one line for all of them.
    expect(page.locator(".need").filter(has_text="Where does it slide?: 3 found looking back")).to_have_count(1)
    expect(journal_lines(page, "fitting: 3")).to_have_count(1)
    card.get_by_role("button", name="Acknowledge all found").click()
    expect(card.locator(".hit .ok")).to_have_count(3)
    expect(card.get_by_role("button", name="Acknowledge all found")).to_have_count(0)
    expect(page.locator(".need").filter(has_text="Where does it slide?")).to_have_count(0)
