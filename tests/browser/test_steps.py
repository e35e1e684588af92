"""What each user does most, done in a real browser over the demo and counted: no more steps than `steps.toml` allows.

The day of the watch officer is counted by `test_day_page.py`; here are the others, each at a desk or phone of its own.
What a user does in several steps stands in a file of that user.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FilePayload, expect

from aquila.testing.served import ServedNode

from .administrator import care, devices, packages
from .analyst import intelligence, summary
from .conftest import Browse
from .desk import state_of
from .director import control, inject_in_time, moments, verdict
from .liaison import extract, tree
from .patrol_leader import evacuation_by_phone, find_oneself, mark_and_measure
from .scene import COUNTED, PATROL, ROWS, Scene, ordered, say
from .test_page import journal_lines, rows_of
from .test_shell import out_of_fields

pytestmark = pytest.mark.browser

ELSEWHERE = Path(__file__).with_name("test_day_page.py").read_text()
GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "staff" / "a_day.md"
PHONE = {"width": 390, "height": 844}
# No larger than a laptop's: a software GL draws every pixel of the map.
LAPTOP = {"width": 1280, "height": 720}
PHOTO: FilePayload = {
    "name": "bridge.jpg",
    "mimeType": "image/jpeg",
    "buffer": b"\xff\xd8\xff\xe0",
}


@pytest.fixture
def at_desk(browse: Browse, chromium: Browser, demo: ServedNode) -> Callable[..., Scene]:
    """A desk of somebody with a password of their own."""
    states: dict[str, object] = {}

    def open_desk(user: str, name: str, groups: tuple[str, ...] | None = None, **options: Any) -> Scene:
        if name not in states:
            states[name] = state_of(chromium, demo, name, "operator", groups)
        return Scene(user, browse(storage_state=states[name], **{"viewport": LAPTOP, **options}).open(), demo)

    return open_desk


def test_u2_a_patrol_leader_on_a_phone(at_desk: Callable[..., Scene], demo: ServedNode) -> None:
    ordered(demo, "TO THE PASS", "stambecco")
    task = say(demo, "tasks", task={"unit": "stambecco", "verb": "PATROL", "title": "Walk to the pass"})
    say(demo, f"tasks/{task}/step", action="issue")
    scene = at_desk("U2", "stambecco", viewport=PHONE, has_touch=True)
    page, hand = scene.page, scene.hand
    find_oneself(scene)
    hand.press("Patrol report")
    form = page.get_by_role("form", name="Patrol report")
    expect(form.get_by_label("Who reports *")).to_have_value(PATROL)
    hand.fill("Mission: type, place, purpose *", "look at the cornices", form)
    hand.keys("Enter")
    expect(scene.thing(f"Patrol report of {PATROL}").first).to_contain_text("filed")
    scene.took("file the patrol report")
    scene.nav("More")
    hand.press("Links")
    expect(page.locator(".sheet .link").first).to_be_visible()
    scene.took("check the links")
    evacuation_by_phone(scene)
    scene.on_map()
    hand.click(page.locator(".find-open"))
    scene.typed("ITINÉRAIRE")
    expect(page.locator(".overlay .answer").first).to_contain_text("ITINÉRAIRE ASSY")
    hand.keys("Enter")
    expect(page.locator(".details h2")).to_have_text("ITINÉRAIRE ASSY")
    scene.took("see the route")
    mark_and_measure(scene)
    scene.nav("More")
    hand.press("Send files")
    page.locator(".exchange input[type=file]").set_input_files(PHOTO)
    hand.steps += 1
    expect(page.locator(".piece").filter(has_text="bridge.jpg")).to_have_count(1)
    scene.took("send a photo")
    page.keyboard.press("Escape")
    for text, action in (
        ("SALUTE 4 pax digging at 43.05 N 77.05 E", "report what is seen"),
        ("CHECKPOINT 5 passed, all well", "report a checkpoint"),
    ):
        scene.nav("Journal")
        hand.click(page.locator(".journal form input"))
        page.keyboard.type(text)
        hand.keys("Enter")
        expect(journal_lines(page, text)).not_to_have_count(0)
        scene.took(action)
    scene.nav("Chat")
    hand.click(page.locator(".chat form input"))
    page.keyboard.type("STAMBECCO to operations: at the ford")
    hand.keys("Enter")
    expect(page.locator(".chat .entry").filter(has_text="at the ford")).to_have_count(1)
    scene.took("write to operations")
    scene.nav("Home")
    hand.click(scene.need("TO THE PASS").get_by_role("button", name="Open"))
    hand.click(page.locator(".order-answer").get_by_role("button", name="Will comply"))
    expect(page.locator(".order-answer")).to_contain_text("will comply")
    scene.took("comply with an order")
    scene.nav("More")
    hand.press("Tasks")
    hand.click(scene.thing("Walk to the pass").get_by_role("button", name="Will comply"))
    expect(scene.thing("Walk to the pass")).to_contain_text("will comply")
    scene.took("comply with a task")


def test_u3_an_analyst(at_desk: Callable[..., Scene], demo: ServedNode) -> None:
    scene = at_desk("U3", "analyst")
    page, hand = scene.page, scene.hand
    say(demo, "notes", text="A quad bike stands behind the mill")
    out_of_fields(page)
    hand.keys("/")
    page.keyboard.type("behind the mill")
    expect(page.locator(".overlay .answer").filter(has_text="behind the mill")).to_have_count(1)
    hand.keys("Enter")
    expect(page.locator(".overlay")).to_have_count(0)
    scene.took("search everything")
    scene.on_map()
    hand.press("More filters", "Only what the map shows")
    expect(page.get_by_role("button", name="Everywhere")).to_be_visible()
    scene.took("see only what is in an area")
    page.get_by_role("button", name="Clear all").click()
    out_of_fields(page)
    hand.keys("9")
    expect(scene.thing("Can the Kolsai valley be passed on foot today?")).to_be_visible()
    scene.took("see what the commander wants to know")
    intelligence(scene)
    scene.on_map()
    hand.click(page.get_by_role("tab", name="Patterns"))
    hand.press("When")
    expect(page.locator(".pattern-panel table")).to_be_visible()
    scene.took("see hour by weekday")
    summary(scene)


def test_u4_an_exercise_director(at_desk: Callable[..., Scene], demo: ServedNode, now_ms: Callable[[], int]) -> None:
    scene = at_desk("U4", "director", ("COMMON", "EXCON"))
    page, hand = scene.page, scene.hand
    out_of_fields(page)
    scene.line("EXERCISE inject 7: rockfall closes the path, tell watch officer", "watch officer")
    scene.took("release an inject")
    expect(scene.need("inject 7").first).to_be_visible()
    scene.on_map()
    scene.line("Observed: team 2 roped up before the couloir")
    scene.took("note an observation")
    scene.on_map()
    hand.keys("6")
    table = page.get_by_role("table", name="Track table")
    expect(table.get_by_role("columnheader", name="Height")).to_be_visible()
    expect(table.locator(".table-row .age b").first).to_be_visible()
    scene.took("see all groups with height and last report")
    scene.on_map()
    hand.press("More filters")
    page.get_by_label("Side").select_option("neutral")
    hand.steps += 1
    expect(page.locator(".entity").filter(has_text=PATROL)).to_have_count(0)
    scene.took("see one side only")
    page.get_by_role("button", name="Clear all").click()
    scene.on_map()
    hand.keys("Shift+A")
    expect(page.locator(".panel").filter(has_text="BARYS 31 SILENT").first).to_be_visible()
    scene.took("see which group is silent")
    inject_in_time(scene, now_ms)
    moments(scene)
    rows_of(page, PATROL).click()
    out_of_fields(page)
    hand.keys("Shift+E")
    scene.ask_evacuation(PATROL)
    scene.took("call a real evacuation")
    verdict(scene)
    control(scene)


def test_u5_a_liaison_officer(at_desk: Callable[..., Scene], demo: ServedNode) -> None:
    ordered(demo, "JOINT SEARCH", "liaison")
    scene = at_desk("U5", "liaison")
    page, hand = scene.page, scene.hand
    hand.click(scene.need("JOINT SEARCH").get_by_role("button", name="Open"))
    hand.click(page.locator(".order-answer").get_by_role("button", name="Acknowledge"))
    expect(page.locator(".order-answer")).to_contain_text("acknowledged")
    scene.took("acknowledge for the own headquarters")
    with page.expect_download() as saved:
        hand.press("C2SIM")
    assert b"C2SIM" in saved.value.path().read_bytes()
    scene.took("take the order in another format")
    scene.on_map()
    hand.keys("Shift+O")
    expect(page.locator(".order-text")).not_to_be_empty()
    scene.took("read the order in force")
    scene.on_map()
    hand.press("More filters")
    page.get_by_label("Nation").select_option("KAZ")
    hand.steps += 1
    expect(page.locator(".entity").filter(has_text="BARYS 31")).to_have_count(1)
    expect(page.locator(".entity").filter(has_text=PATROL)).to_have_count(0)
    scene.took("see the own units only")
    page.get_by_role("button", name="Clear all").click()
    scene.on_map()
    hand.keys("9")
    hand.press("Request information")
    form = page.get_by_role("form", name="Request information")
    hand.fill("What is to be found out", "One helicopter for two hours tomorrow?", form)
    hand.fill("Who is asked", "LEOPARD HQ", form)
    hand.keys("Enter")
    expect(scene.thing("One helicopter for two hours")).to_be_visible()
    scene.took("pass a request on")
    tree(scene)
    scene.on_map()
    hand.keys("Shift+S")
    expect(page.locator(".grid-frame")).to_be_visible()
    scene.took("see the synchronisation matrix")
    scene.on_map()
    hand.keys("Shift+R")
    page.get_by_label("Write a report").select_option("sitrep")
    hand.steps += 1
    for label, text in (("Who reports *", "DALA BATALON"), ("Strength *", "268"), ("Present *", "262")):
        hand.fill(label, text)
    hand.keys("Enter")
    expect(scene.thing("Situation report of DALA BATALON").first).to_contain_text("filed")
    scene.took("send the own daily report")
    extract(scene)


def test_u6_an_administrator(browse: Browse, chromium: Browser, demo: ServedNode) -> None:
    state_of(chromium, demo, "partner", "operator")
    scene = Scene("U6", browse(viewport=LAPTOP).open(), demo)
    page, hand = scene.page, scene.hand
    say(demo, "feeds", format="nmea-gps", url="udp://127.0.0.1:47110")
    out_of_fields(page)
    hand.keys("7")
    expect(page.locator(".workspace .link").first).to_be_visible()
    scene.took("see every link since when")
    scene.on_map()
    hand.keys("Shift+F")
    hand.press("Pause")
    expect(page.locator(".feed").first).to_contain_text("paused")
    hand.press("Start")
    expect(page.locator(".feed").first).not_to_contain_text("paused")
    scene.took("stop and start one feed")
    scene.on_map()
    devices(scene)
    packages(scene)
    hand.keys("/")
    page.keyboard.type("cornici")
    expect(page.locator(".overlay .answer").filter(has_text="cornici").first).to_be_visible()
    hand.keys("Enter")
    scene.took("find who said what")
    scene.on_map()
    hand.keys("h")
    hand.press("Give a post")
    form = page.get_by_role("form", name="Give a post")
    form.get_by_label("Post").select_option("liaison_officer")
    form.get_by_label("Person").select_option(label="partner")
    hand.steps += 2
    hand.fill("Nation", "KAZ", form)
    hand.keys("Enter")
    expect(form).to_have_count(0)
    scene.took("give somebody a post")
    care(scene)


def test_u5_sees_what_was_released_to_the_own_nation(at_desk: Callable[..., Scene], demo: ServedNode) -> None:
    """Whoever holds the post, whose home it is."""
    scene = at_desk("U5", "liaison")
    say(demo, "posts", turn={"post": "liaison_officer", "person": "person:liaison", "nation": "KAZ"})
    out_of_fields(scene.page)
    scene.hand.keys("h")
    expect(scene.page.get_by_role("region", name="Released to KAZ lately")).to_be_visible()
    scene.took("see what is released to the own nation")


def test_every_row_of_the_table_is_counted_and_says_why() -> None:
    for row in ROWS:
        key = (row["user"], row["action"])
        assert key in COUNTED or f'"{row["action"]}"' in ELSEWHERE, f"{key}: nobody counts it"
        assert len(row["why"]) > 10, f"{key}: say in one line why that many"


def test_the_guide_has_the_same_table() -> None:
    guide = GUIDE.read_text()
    for row in ROWS:
        assert f"| {row['user']} | {row['action']} | {row['most']} | {row['why']} |" in guide
