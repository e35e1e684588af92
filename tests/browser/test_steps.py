"""What each user does most, done in a real browser over the demo and counted: no more steps than `steps.toml` allows.

The day of the watch officer is counted by `test_day_page.py`; here are the others, each at a desk or phone of its own.
"""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx
import pytest
from playwright.sync_api import Browser, FilePayload, Locator, Page, expect

from aquila.stores.sqlite.backup import read_manifest
from aquila.testing.served import ServedNode

from .conftest import Watched
from .desk import Hand, state_of
from .test_page import journal_lines, rows_of
from .test_shell import out_of_fields

pytestmark = pytest.mark.browser

Browse = Callable[..., Watched]
ROWS = tomllib.loads(Path(__file__).with_name("steps.toml").read_text())["step"]
MOST = {(row["user"], row["action"]): row["most"] for row in ROWS}
ELSEWHERE = Path(__file__).with_name("test_day_page.py").read_text()
GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "staff" / "a_day.md"
PHONE = {"width": 390, "height": 844}
# No larger than a laptop's: a software GL draws every pixel of the map.
LAPTOP = {"width": 1280, "height": 720}
PATROL = "CAMOSCIO 11"
HOUR_MS = 3_600_000
PHOTO: FilePayload = {
    "name": "bridge.jpg",
    "mimeType": "image/jpeg",
    "buffer": b"\xff\xd8\xff\xe0",
}
PLAN: FilePayload = {"name": "plan.txt", "mimeType": "text/plain", "buffer": b"to all"}


class Scene:
    """One user at one page: the counting hand, the node, and what was counted."""

    def __init__(self, user: str, page: Page, node: ServedNode) -> None:
        self.user, self.page, self.node = user, page, node
        self.hand = Hand(page)

    def took(self, action: str) -> None:
        """The steps since the last look were those of this action."""
        steps, most = self.hand.steps, MOST[self.user, action]
        self.hand.steps = 0
        COUNTED.add((self.user, action))
        assert steps <= most, f"{self.user} {action}: {steps} steps, {most} are allowed"

    def nav(self, name: str) -> None:
        self.hand.click(self.page.locator(".nav").get_by_role("button", name=re.compile(f"^{name}")))

    def on_map(self) -> None:
        """Back to where every action begins; not counted."""
        if self.page.locator(".nav").count():
            self.page.locator(".nav").get_by_role("button", name="Map", exact=True).click()
            return
        out_of_fields(self.page)
        self.page.keyboard.press("0")
        expect(self.page.locator(".workspace")).to_have_count(0)

    def typed(self, text: str) -> None:
        """Into the field that has the cursor."""
        self.page.keyboard.type(text)
        self.hand.steps += 1

    def line(self, text: str, understood: str = "") -> None:
        """A line of the journal: the key that leads into its field, and Enter."""
        self.hand.keys("l")
        self.page.keyboard.type(text)
        expect(self.page.locator(".journal form input")).to_have_value(text)
        if understood:
            expect(self.page.locator(".line-chip").filter(has_text=understood)).to_have_count(1)
        self.hand.keys("Enter")
        expect(journal_lines(self.page, text[:30])).not_to_have_count(0)

    def thing(self, text: str) -> Locator:
        return self.page.locator(".thing").filter(has_text=text)

    def need(self, text: str) -> Locator:
        return self.page.locator(".need").filter(has_text=text)

    def title(self, text: str) -> None:
        expect(self.page.locator(".workspace-head h2")).to_have_text(text)


COUNTED: set[tuple[str, str]] = set()


@pytest.fixture
def at_desk(browse: Browse, chromium: Browser, demo: ServedNode) -> Callable[..., Scene]:
    """A desk of somebody with a password of their own."""
    states: dict[str, object] = {}

    def open_desk(user: str, name: str, groups: tuple[str, ...] | None = None, **options: Any) -> Scene:
        if name not in states:
            states[name] = state_of(chromium, demo, name, "operator", groups)
        return Scene(user, browse(storage_state=states[name], **{"viewport": LAPTOP, **options}).open(), demo)

    return open_desk


def say(node: ServedNode, path: str, **data: Any) -> str:
    """Something that was there before, said by an administrator; gives its id."""
    headers = {"Authorization": f"Bearer {node.token}"}
    answer = httpx.post(f"{node.url}api/v1/{path}", headers=headers, json=data, timeout=60)
    assert answer.is_success, answer.text
    return str(answer.json().get("id"))


def ordered(node: ServedNode, title: str, addressee: str) -> None:
    """An order to somebody, in force."""
    order = {"kind": "OPORD", "title": title, "distribution": [addressee], "mission": {"what": "observe the pass"}}
    id = say(node, "orders", order=order)
    for action in ("approve", "issue"):
        say(node, f"orders/{id}/step", action=action)


def tapped(page: Page, x: float, y: float, button: Any = "left") -> None:
    """A tap on the map at shares of its width and height."""
    box = page.locator("#map").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"], button=button)


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
    hand.click(page.locator(".answer").get_by_role("button", name="Will comply"))
    expect(page.locator(".answer")).to_contain_text("will comply")
    scene.took("comply with an order")
    scene.nav("More")
    hand.press("Tasks")
    hand.click(scene.thing("Walk to the pass").get_by_role("button", name="Will comply"))
    expect(scene.thing("Walk to the pass")).to_contain_text("will comply")
    scene.took("comply with a task")


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
    page, hand = scene.page, scene.hand
    scene.nav("More")
    hand.press("MEDEVAC", "New request")
    form = page.get_by_role("form", name="New request")
    expect(form.get_by_label("Callsign or title")).to_have_value(PATROL)
    hand.fill("3 A urgent", "1", form)
    hand.fill("5 On litters", "1", form)
    hand.keys("Enter")
    expect(form).to_have_count(0)
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
    form = page.get_by_role("form", name="New request")
    expect(form.get_by_label("Callsign or title")).to_have_value(PATROL)
    hand.fill("3 A urgent", "1", form)
    hand.fill("5 On litters", "1", form)
    hand.keys("Enter")
    expect(form).to_have_count(0)
    scene.took("call a real evacuation")
    verdict(scene)
    control(scene)


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


def test_u5_a_liaison_officer(at_desk: Callable[..., Scene], demo: ServedNode) -> None:
    ordered(demo, "JOINT SEARCH", "liaison")
    scene = at_desk("U5", "liaison")
    page, hand = scene.page, scene.hand
    hand.click(scene.need("JOINT SEARCH").get_by_role("button", name="Open"))
    hand.click(page.locator(".answer").get_by_role("button", name="Acknowledge"))
    expect(page.locator(".answer")).to_contain_text("acknowledged")
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


def care(scene: Scene) -> None:
    page, hand = scene.page, scene.hand
    scene.on_map()
    hand.keys("Shift+U")
    expect(page.locator(".checks li").filter(has_text="journal")).to_have_count(1)
    expect(page.locator(".checks li").filter(has_text="there is no backup yet")).to_have_count(1)
    scene.took("test the node")
    for action, button in (("make a backup", "Make a backup"), ("take a backup to another machine", "Download")):
        scene.on_map()
        hand.keys("Shift+U")
        if button == "Download":
            with page.expect_download() as saved:
                hand.click(page.get_by_role("link", name=button))
            assert read_manifest(saved.value.path()).arrival > 0
        else:
            hand.press(button)
            expect(page.locator(".backups .thing")).to_have_count(1)
            expect(page.locator(".backups .badge")).to_have_text("last good")
            # The self-test follows, without being asked.
            expect(page.locator(".checks li").filter(has_text="there is no backup yet")).to_have_count(0)
        scene.took(action)
    scene.on_map()
    hand.keys("Shift+U")
    hand.press("Add a user")
    hand.fill("Name", "rossi", page.get_by_role("form", name="Add a user"))
    hand.keys("Enter")
    link = page.locator(".users .copy-line code").last
    expect(link).to_contain_text("/login?key=")
    scene.took("invite a user")
    browser = page.context.browser
    assert browser is not None
    guest = browser.new_context()
    assert guest.request.get(str(link.text_content())).ok
    assert guest.request.get(f"{scene.node.url}api/v1/me").json()["principal"]["id"] == "person:rossi"
    scene.on_map()
    hand.keys("Shift+U")
    page.get_by_label("Role: rossi").select_option("viewer")
    hand.steps += 1
    expect(page.get_by_label("Role: rossi")).to_be_enabled()
    expect(page.get_by_label("Role: rossi")).to_have_value("viewer")
    scene.took("change a user's role")
    scene.on_map()
    hand.keys("Shift+U")
    hand.press("Withdraw: rossi", "Withdraw")
    expect(page.locator(".users").get_by_text("rossi may log in no more")).to_be_visible()
    scene.took("withdraw a user")
    assert guest.request.get(f"{scene.node.url}api/v1/me").status == 401
    guest.close()


def devices(scene: Scene) -> None:
    page, hand = scene.page, scene.hand
    hand.keys("e")
    hand.press("Add device")
    hand.fill("Name", "TABLET 9")
    hand.keys("Enter")
    dialog = page.get_by_role("dialog", name="Devices and data")
    expect(dialog.get_by_role("img")).to_be_visible()
    scene.took("invite a phone")
    with page.expect_download():
        hand.press("Download TABLET 9-atak.zip")
    scene.took("take a phone's package")
    page.keyboard.press("Escape")
    scene.node.enrolled("LOST 9")
    hand.keys("e")
    hand.press("Revoke: LOST 9", "Revoke")
    expect(dialog.get_by_text("LOST 9 is revoked")).to_be_visible()
    scene.took("revoke a device")
    page.keyboard.press("Escape")


def packages(scene: Scene) -> None:
    page, hand = scene.page, scene.hand
    dialog = page.get_by_role("dialog", name="Devices and data")
    hand.keys("e")
    hand.click(dialog.get_by_role("tab", name="Packages"))
    dialog.locator("input[type=file]").set_input_files(PLAN)
    hand.steps += 1
    expect(dialog.locator(".piece").filter(has_text="plan.txt")).to_have_count(1)
    scene.took("send a file to all")
    page.keyboard.press("Escape")
    hand.keys("e")
    hand.click(dialog.get_by_role("tab", name="Packages"))
    hand.press("Edit: plan.txt")
    dialog.locator("form.edit").get_by_label("Name").fill("plan-2.txt")
    hand.steps += 1
    hand.keys("Enter")
    expect(dialog.locator(".piece").filter(has_text="plan-2.txt")).to_have_count(1)
    scene.took("rename a package")
    page.keyboard.press("Escape")
    hand.keys("e")
    hand.click(dialog.get_by_role("tab", name="Mail"))
    expect(dialog.get_by_role("tabpanel", name="Mail")).to_be_visible()
    scene.took("see what waits for whom")
    page.keyboard.press("Escape")


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
