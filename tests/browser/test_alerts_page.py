"""Alerts on the page: watches drawn and kept, alerts acknowledged and closed by a key, and the same on another desk."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from aquila.simulator import cot
from aquila.simulator.cot import Spot
from aquila.testing.served import wait_until

from .conftest import Browse, Clock, Join
from .test_draw import SPOT, strike
from .test_page import AXE, VIOLATIONS
from .test_replay import iso
from .test_shell import PHONE, out_of_fields

pytestmark = pytest.mark.browser

AWAY = Spot(44.5, 79.5, 1500.0)


def panel(page: Page) -> None:
    expect(page.locator(".entity").first).to_be_visible()
    out_of_fields(page)
    page.keyboard.press("Shift+A")
    expect(page.get_by_role("button", name="Watch an area")).to_be_visible()


def said(page: Page, path: str, data: dict[str, Any]) -> None:
    answer = page.request.post(f"{page.url}api/v1/{path}", headers={"X-Aquila": "test"}, data=data)
    assert answer.ok, answer.text()


def looked(page: Page, name: str) -> None:
    """Waits until the node has looked at the area of that name: who comes in after that enters."""

    def has_begun() -> bool:
        rows = page.request.get(f"{page.url}api/v1/watches").json()
        return any(row["watch"]["name"] == name and row["inside"] is not None for row in rows)

    wait_until(has_begun, f"the watch {name} has begun")


def alerts(page: Page, state: str, words: str) -> Locator:
    return page.get_by_role("region", name=state, exact=True).locator(".alert-card").filter(has_text=words)


def test_an_area_is_drawn_and_who_is_in_it_is_told_on_both_desks(browse: Browse, tak: Join, now_ms: Clock) -> None:
    phone = tak("ANDROID-alert-1", "FALCO 9")
    phone.send(cot.position(phone.who, AWAY, now_ms(), 5.0, 80))
    here, there = browse().open(), browse().open()
    panel(here)
    panel(there)
    here.get_by_role("button", name="Watch an area").click()
    form = here.get_by_role("form", name="Watch an area")
    expect(form.get_by_label("Name of the watch")).to_be_focused()
    here.keyboard.type("NO ENTRY")
    here.keyboard.press("Enter")
    expect(form.get_by_role("alert")).to_have_text("Draw its area, or take one that is drawn.")
    form.get_by_role("button", name="Draw an area").click()
    expect(here.locator(".map-view.pen")).to_have_count(1)
    # Below the bar that says what the pen does.
    strike(here, (0.1, 0.25), (0.9, 0.25), (0.9, 0.82), (0.1, 0.82))
    here.get_by_role("button", name="Finish").click()
    expect(form.locator(".watch-area")).to_have_text("4 corners")
    form.get_by_role("button", name="Warning").click()
    form.get_by_label("Only these").fill("falco 9")
    here.keyboard.press("Enter")
    expect(form.get_by_role("button", name="Leave out FALCO 9")).to_be_visible()
    form.get_by_role("button", name="Keep the watch").click()
    card = here.locator(".watch-card").filter(has_text="NO ENTRY")
    expect(card).to_contain_text("0 are inside", timeout=20_000)
    phone.send(cot.position(phone.who, SPOT, now_ms(), 5.0, 80))
    # It is there, and nobody is taken away from what he does.
    box = there.locator(".journal form input")
    box.focus()
    there.keyboard.type("half a line")
    raised = alerts(there, "To acknowledge", "FALCO 9 has entered a watched area")
    expect(raised).to_have_count(1)
    expect(raised.get_by_role("img", name="Warning")).to_be_visible()
    expect(there.locator(".watch-card").filter(has_text="NO ENTRY")).to_contain_text("1 alert now")
    expect(box).to_be_focused()
    expect(box).to_have_value("half a line")
    # The first press chooses, the second one does it.
    out_of_fields(there)
    there.keyboard.press("k")
    expect(there.locator(".alert-card.chosen")).to_have_count(1)
    expect(raised).to_have_count(1)
    there.keyboard.press("k")
    acknowledged = alerts(here, "Acknowledged", "FALCO 9")
    expect(acknowledged).to_contain_text("Acknowledged by operator")
    acknowledged.locator(".alert-go").click()
    expect(here.locator(".alert-card.chosen")).to_have_count(1)
    here.keyboard.press("x")
    expect(acknowledged).to_have_count(0)
    there.locator(".alert-closed summary").click()
    closed = there.locator(".alert-closed .alert-card").filter(has_text="FALCO 9")
    expect(closed).to_contain_text("Closed by operator")


@pytest.mark.mapless
def test_an_area_around_many_tells_how_many_are_inside_and_raises_nothing(page: Page) -> None:
    panel(page)
    # The whole demo country: everybody is inside.
    bounds = {"min_hae_m": -500, "max_hae_m": 9000, "from_ms": 1_790_000_000_000}
    corners = [[60, 30], [100, 30], [100, 60], [60, 60]]
    area = {"kind": "area", "name": "COUNTRY", "corners": corners, "triggers": ["enter"], **bounds}
    said(page, "watches", {"watch": area})
    looked(page, "COUNTRY")
    card = page.locator(".watch-card").filter(has_text="COUNTRY")
    expect(card.locator(".watch-inside")).to_have_text(re.compile(r"^([2-9]|\d\d+) are inside$"), timeout=20_000)
    expect(card).to_contain_text("-500 m \u2013 9\u202f000 m HAE")
    expect(card).to_contain_text("211413ZSEP26 \u2013 …")
    assert [row for row in page.request.get(f"{page.url}api/v1/alerts").json() if row["watch_name"] == "COUNTRY"] == []
    page.reload()
    panel(page)
    expect(page.locator(".alert-card").filter(has_text="COUNTRY")).to_have_count(0)
    # The other tests here are about areas of their own.
    (id,) = (
        row["id"] for row in page.request.get(f"{page.url}api/v1/watches").json() if row["watch"]["name"] == "COUNTRY"
    )
    assert page.request.delete(f"{page.url}api/v1/watches/{id}", headers={"X-Aquila": "1"}).ok


@pytest.mark.mapless
def test_silence_is_watched_paused_and_answered_from_the_needs(page: Page, tak: Join, now_ms: Clock) -> None:
    phone = tak("ANDROID-alert-2", "TACITO 4")
    phone.send(cot.position(phone.who, SPOT, now_ms(), 5.0, 80))
    panel(page)
    page.get_by_role("button", name="Watch for silence").click()
    form = page.get_by_role("form", name="Watch for silence")
    page.keyboard.type("PATROL")
    form.get_by_label("Whose reports are expected").fill("TACITO")
    form.get_by_role("button", name="Choose TACITO 4").click()
    # Three seconds: nobody waits a quarter of an hour in a test.
    form.get_by_label("Expected every, minutes").fill("0.05")
    form.get_by_label("Allowed delay, minutes").fill("0")
    form.get_by_role("button", name="Keep the watch").click()
    watch = page.locator(".watch-card").filter(has_text="PATROL")
    expect(watch).to_contain_text("TACITO 4 expected every 0.05 min")
    page.get_by_role("tab", name="Now").click()
    need = page.locator(".need").filter(has_text="TACITO 4 has not reported")
    need.get_by_role("button", name="Open").click()
    card = alerts(page, "To acknowledge", "TACITO 4 has not reported for")
    expect(card.locator(".alert-go")).to_be_focused()
    # What a screen reader is told is in the language of the page, also when that is another than it was.
    spoken = page.locator("p.unseen[role=status]").filter(has_text="TACITO 4")
    expect(spoken).to_contain_text("has not reported for")
    page.get_by_label("Language").select_option("it")
    expect(spoken).to_contain_text("non riferisce da")
    page.get_by_label("Lingua").select_option("en")
    page.get_by_role("tab", name="Now").click()
    need.get_by_role("button", name="Acknowledge").click()
    expect(need).to_have_count(0)
    page.keyboard.press("Shift+A")
    watch.get_by_role("button", name="Pause: PATROL").click()
    expect(watch).to_contain_text("paused")
    watch.get_by_role("button", name="Change the watch PATROL").click()
    edit = page.get_by_role("form", name="Change the watch PATROL")
    expect(edit.get_by_label("Expected every, minutes")).to_have_value("0.05")
    edit.get_by_label("Name of the watch").fill("PATROL 2")
    edit.get_by_role("button", name="Keep the watch").click()
    watch = page.locator(".watch-card").filter(has_text="PATROL 2")
    watch.get_by_role("button", name="Remove: PATROL 2").click()
    watch.get_by_role("button", name="Remove", exact=True).click()
    expect(watch).to_have_count(0)


@pytest.mark.mapless
def test_a_moment_of_the_past_has_the_alerts_of_then(page: Page, tak: Join, now_ms: Clock) -> None:
    phone = tak("ANDROID-alert-9", "CERVO 9")
    corners = [[SPOT.lon_deg + x, SPOT.lat_deg + y] for x, y in ((-0.1, -0.1), (0.1, -0.1), (0.1, 0.1), (-0.1, 0.1))]
    area = {"kind": "area", "name": "Ford", "corners": corners, "triggers": ["enter"], "level": "warning"}
    said(page, "watches", {"watch": area})
    looked(page, "Ford")
    phone.send(cot.position(phone.who, SPOT, now_ms(), 5.0, 80))
    panel(page)
    expect(alerts(page, "To acknowledge", "CERVO 9")).to_have_count(1)
    moment = now_ms()
    wait_until(lambda: now_ms() > moment + 1500, "time goes on")
    alerts(page, "To acknowledge", "CERVO 9").get_by_role("button", name="Close").click()
    expect(alerts(page, "To acknowledge", "CERVO 9")).to_have_count(0)
    page.evaluate(f"location.hash = 'at={iso(moment)}'")
    expect(page.locator(".desk.replay")).to_have_count(1)
    was = alerts(page, "To acknowledge", "CERVO 9")
    expect(was).to_have_count(1)
    expect(was.get_by_role("button", name="Acknowledge")).to_have_count(0)
    expect(page.get_by_role("button", name="Watch an area")).to_have_count(0)
    page.keyboard.press("r")
    expect(page.locator(".desk.replay")).to_have_count(0)
    expect(alerts(page, "To acknowledge", "CERVO 9")).to_have_count(0)
    # What the past does not have says so.
    page.locator(".tab").filter(has_text="Patterns").click()
    page.evaluate(f"location.hash = 'at={iso(moment + 1)}'")
    expect(page.locator(".right .live-only:visible")).to_contain_text("Live only")
    page.keyboard.press("r")
    expect(page.locator(".right .live-only:visible")).to_have_count(0)


def find(page: Page, words: str) -> None:
    """Type into the find box of a page that was just loaded."""
    page.reload()
    expect(page.locator(".entity").first).to_be_visible()
    out_of_fields(page)
    page.keyboard.press("/")
    page.keyboard.type(words)


@pytest.mark.mapless
def test_a_line_older_than_the_page_is_found_by_its_words(page: Page) -> None:
    said(page, "notes", {"text": "Avalanche closes the upper tunnel"})
    for number in range(201):
        said(page, "notes", {"text": f"Routine {number}"})
    find(page, "tunnel avalan")
    found = page.get_by_role("option").filter(has_text="Avalanche closes the upper tunnel")
    expect(found).to_have_count(1)
    found.click()
    line = page.locator(".lines .entry.asked")
    expect(line).to_contain_text("Avalanche closes the upper tunnel")
    expect(page.locator(".desk.replay")).to_have_count(1)


@pytest.mark.mapless
def test_more_lines_than_the_box_shows_are_read_in_the_journal(page: Page) -> None:
    for number in range(130):
        said(page, "notes", {"text": f"Convoy passes bridge {number}"})
    for number in range(201):
        said(page, "notes", {"text": f"Nothing new {number}"})
    find(page, "convoy bridge")
    expect(page.get_by_role("option").filter(has_text="Convoy passes bridge 129")).to_have_count(1)
    page.get_by_role("button", name="Show all in the journal").click()
    found = page.locator(".lines .entry")
    # The newest hundred, all of them older than what the page keeps; then the rest.
    expect(found).to_have_count(100)
    expect(found.last).to_contain_text("bridge 129")
    page.get_by_role("button", name="Older").click()
    expect(found).to_have_count(130)
    expect(found.first).to_contain_text("bridge 0")
    page.get_by_role("button", name="End the search for “convoy bridge”").click()
    expect(found.filter(has_text="Nothing new 200")).to_be_visible()
    expect(page.get_by_role("button", name="Older")).to_have_count(0)


def test_alerts_hold_the_accessibility_rules_and_fit_a_phone(browse: Browse) -> None:
    page = browse().open()
    panel(page)
    page.evaluate(AXE.read_text())
    assert page.evaluate(VIOLATIONS) == [], "alerts and watches"
    page.get_by_role("button", name="Watch an area").click()
    expect(page.get_by_role("form", name="Watch an area")).to_be_visible()
    assert page.evaluate(VIOLATIONS) == [], "the form"
    phone = browse(viewport=PHONE, has_touch=True, is_mobile=True).open()
    phone.get_by_role("button", name="More").click()
    phone.get_by_role("button", name="Alerts").click()
    phone.get_by_role("button", name="Watch an area").click()
    phone.get_by_label("Name of the watch").fill("POCKET")
    phone.get_by_role("button", name="Draw a circle").click()
    expect(phone.locator(".map-view.pen")).to_have_count(1)
    strike(phone, (0.5, 0.3), (0.6, 0.4))
    expect(phone.locator(".watch-area")).to_have_text("72 corners")
    expect(phone.get_by_label("Name of the watch")).to_have_value("POCKET")
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_patterns_say_where_and_when_and_hold_the_accessibility_rules(page: Page) -> None:
    expect(page.locator(".entity").first).to_be_visible()
    page.get_by_role("tab", name="Patterns").click()
    page.get_by_role("button", name="Where", exact=True).click()
    page.get_by_label("Lay density on the map").check()
    legend = page.get_by_role("group", name="Time spent in a cell")
    expect(legend).to_contain_text("mover")
    page.get_by_role("button", name="When", exact=True).click()
    expect(page.get_by_text("Fewer than four whole days are known")).to_be_visible()
    page.evaluate(AXE.read_text())
    assert page.evaluate(VIOLATIONS) == []
    page.get_by_role("button", name="Take the density away").click()
    expect(legend).to_have_count(0)


def test_a_drawn_line_becomes_a_route_that_somebody_is_to_keep_to_and_is_taken_back(page: Page) -> None:
    expect(page.locator(".entity").first).to_be_visible()
    page.get_by_role("tab", name="Patterns").click()
    page.get_by_role("button", name="Rules", exact=True).click()
    page.get_by_role("button", name="New route").click()
    page.get_by_label("Name", exact=True).fill("ROUTE WOLF")
    page.get_by_label("Who is to keep to it").fill("CAMOSCIO")
    page.get_by_role("button", name="Choose CAMOSCIO 11").click()
    page.get_by_label("Take one that is drawn").select_option("PL BORA")
    expect(page.get_by_label("Take one that is drawn").locator("option:checked")).to_have_text("PL BORA")
    expect(page.locator(".watch-area")).to_contain_text("corners")
    page.evaluate(AXE.read_text())
    assert page.evaluate(VIOLATIONS) == []
    page.get_by_role("button", name="Keep the rule").click()
    expect(page.locator(".rule")).to_contain_text("CAMOSCIO 11 · 500 m to each side")
    page.keyboard.press("Control+z")
    expect(page.locator(".rule")).to_have_count(0)
    expect(page.get_by_text("No route is drawn")).to_be_visible()


@pytest.mark.mapless
def test_many_alerts_are_acknowledged_by_one_act_and_go_with_their_watch(page: Page, tak: Join, now_ms: Clock) -> None:
    herd = [tak(f"ANDROID-herd-{number}", f"HERD {number}") for number in range(3)]
    for phone in herd:
        phone.send(cot.position(phone.who, AWAY, now_ms(), 5.0, 80))
    # Where no other test watches.
    meadow = Spot(SPOT.lat_deg - 0.6, SPOT.lon_deg - 0.6, 1500.0)
    corners = [
        [meadow.lon_deg + x, meadow.lat_deg + y] for x, y in ((-0.1, -0.1), (0.1, -0.1), (0.1, 0.1), (-0.1, 0.1))
    ]
    who = [phone.who.uid for phone in herd]
    area = {"kind": "area", "name": "Meadow", "corners": corners, "triggers": ["enter"]}
    said(page, "watches", {"watch": area})
    looked(page, "Meadow")
    for phone in herd:
        phone.send(cot.position(phone.who, meadow, now_ms(), 5.0, 80))
    panel(page)
    waiting = alerts(page, "To acknowledge", "HERD")
    expect(waiting).to_have_count(len(who))
    # One key after the other means the same alert, also when it has moved behind those that wait.
    page.keyboard.press("x")
    expect(page.get_by_text("No alert is chosen")).to_be_visible()
    waiting.filter(has_text="HERD 1").locator(".alert-go").click()
    page.keyboard.press("k")
    first = alerts(page, "Acknowledged", "HERD 1")
    expect(first).to_have_class(re.compile("chosen"))
    page.keyboard.press("x")
    expect(first).to_have_count(0)
    expect(page.locator(".alert-card.chosen")).to_have_count(0)
    expect(waiting).to_have_count(len(who) - 1)
    page.keyboard.press("Shift+K")
    expect(page.get_by_role("group", name=re.compile(r"^Acknowledge these \d+ alerts\?"))).to_be_visible()
    page.keyboard.press("Shift+K")
    expect(waiting).to_have_count(0)
    seen = alerts(page, "Acknowledged", "HERD")
    expect(seen).to_have_count(len(who) - 1)
    expect(seen.first).to_contain_text("Acknowledged by operator")
    watch = page.locator(".watch-card").filter(has_text="Meadow")
    watch.get_by_role("button", name="Remove: Meadow").click()
    expect(watch).to_contain_text("Its open alerts are closed with it.")
    watch.get_by_role("button", name="Remove", exact=True).click()
    expect(seen).to_have_count(0)
    page.locator(".alert-closed summary").click()
    expect(page.locator(".alert-closed .alert-card").filter(has_text="HERD").first).to_contain_text(
        "Closed with its watch"
    )


def test_a_call_for_help_is_answered_on_its_card_and_by_key(page: Page, tak: Join, now_ms: Clock) -> None:
    client = tak("ANDROID-alert-911", "ALERT SOS")
    # Where nothing is watched: an alert of a watch would stand beside the call.
    hut = Spot(SPOT.lat_deg - 0.6, SPOT.lon_deg + 0.6, 1500.0)
    client.send(cot.position(client.who, hut, now_ms(), 5.0, 80))
    client.send(cot.alert(client.who, hut, now_ms()))
    card = page.locator(".attention .card").filter(has_text="ALERT SOS")
    card.get_by_role("button", name="Acknowledge").click()
    expect(card.locator(".said")).to_contain_text("Acknowledged by operator")
    expect(page.locator(".need").filter(has_text="ALERT SOS")).to_have_count(0)
    out_of_fields(page)
    wait_until(lambda: next_alert(page) == "ALERT SOS", "A goes to who calls")
    page.keyboard.press("k")
    expect(page.get_by_text("That is done already.")).to_be_visible()
    page.keyboard.press("x")
    expect(card.locator(".said")).to_contain_text("Closed by operator")
    expect(card).to_have_class(re.compile("closed"))
    client.send(cot.alert_over(client.who, hut, now_ms()))
    expect(card).to_have_count(0)


def next_alert(page: Page) -> str:
    page.keyboard.press("a")
    return page.locator(".details h2").inner_text()


@pytest.mark.mapless
def test_times_of_a_watch_are_date_time_groups_and_no_stay_is_refused(page: Page) -> None:
    panel(page)
    page.get_by_role("button", name="Watch for silence").click()
    form = page.get_by_role("form", name="Watch for silence")
    form.get_by_text("Times", exact=True).click()
    form.get_by_label("From (UTC)").fill("25 1410z nov 26")
    form.get_by_label("Until (UTC)").fill("soon")
    expect(form.get_by_label("From (UTC)")).to_have_value("251410ZNOV26")
    form.get_by_label("Name").fill("LATE")
    form.get_by_label("Until (UTC)").press("Enter")
    expect(form.get_by_role("alert").filter(has_text="soon")).to_contain_text("251410ZNOV26, or 1410")
    form.get_by_role("button", name="Cancel").click()
    corners = [[77, 42], [77.2, 42], [77.2, 42.2]]
    stay = {"kind": "area", "name": "STAY", "corners": corners, "triggers": ["dwell"], "dwell_min": 0}
    answer = page.request.post(f"{page.url}api/v1/watches", headers={"X-Aquila": "test"}, data={"watch": stay})
    assert "name 1 min or more" in answer.text()
