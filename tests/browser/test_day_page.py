"""A day from the order to the handover through two browsers, by clicks and keys; the patrol's phone answers for itself.

A third browser is exercise control's: it fires an inject that the two have to handle. The same day as
`tests/end_to_end/day.toml`. What a person has to press is counted: `steps.toml` says how much is allowed.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from time import time

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from aquila.simulator import cot
from aquila.simulator.scenario import MedevacAsked
from aquila.testing.served import ServedNode
from aquila.testing.tak_client import Event, TakClient, event, text_of

from .conftest import PATIENT, Browse
from .desk import Hand, board, state_of
from .test_page import journal_lines
from .test_shell import out_of_fields
from .test_staff import unit_in

pytestmark = pytest.mark.browser

SITREP = (("Strength *", "96"), ("Present *", "90"), ("Assessment", "One man hurt, the pass is closed."))
MOST = {row["action"]: row["most"] for row in tomllib.loads(Path(__file__).with_name("steps.toml").read_text())["step"]}
WALKERS = "Two walkers are overdue at the ford"
LINE = "IMMEDIATE DAY PATROL INCIDENT rockfall at the pass 1 man hurt 43.2 N 77.2 E tell duty officer"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedNode]:
    """Without the simulator, and an exercise: else nothing is injected."""
    node = ServedNode(tmp_path_factory.mktemp("day") / "node", "--context", "EXERCISE:DAY", environ=PATIENT)
    try:
        yield node.start()
    finally:
        node.kill()


@pytest.fixture(scope="module")
def session(chromium: Browser, demo: ServedNode) -> object:
    return state_of(chromium, demo, "watch", "operator")


@pytest.fixture(scope="module")
def control_session(chromium: Browser, demo: ServedNode) -> object:
    return state_of(chromium, demo, "director", "operator", ("COMMON", "EXCON"))


@pytest.fixture(scope="module")
def duty_session(chromium: Browser, demo: ServedNode) -> object:
    return state_of(chromium, demo, "duty.officer", "operator")


class Day:
    """Two desks and exercise control's, the hands on them, and the phone of the patrol."""

    def __init__(self, watch: Page, duty: Page, control: Page, phone: TakClient) -> None:
        self.watch, self.duty, self.control, self.phone = watch, duty, control, phone
        self.hand, self.other, self.director = Hand(watch), Hand(duty), Hand(control)

    def took(self, action: str, hand: Hand | None = None) -> None:
        """No more steps than the table allows since the last look."""
        (hand or self.hand).took(MOST[action])

    def thing(self, text: str) -> Locator:
        return self.watch.locator(".thing").filter(has_text=text)

    def need(self, *texts: str) -> Locator:
        found = self.duty.locator(".need")
        for text in texts:
            found = found.filter(has_text=text)
        return found


def order_of_battle(day: Day) -> None:
    page = day.watch
    out_of_fields(page)
    page.keyboard.press("1")
    for name, callsigns in (("DAY BATTALION", ""), ("DAY COMPANY", "DAY PATROL"), ("SILENT COMPANY", "")):
        if name != "DAY BATTALION":
            page.locator(".knot.unit").filter(has_text="DAY BATTALION").focus()
        page.get_by_role("button", name="Add unit").click()
        page.get_by_label("Callsigns").fill(callsigns)
        unit_in(page, name)
    expect(page.locator(".knot.unit[aria-level='2']")).to_have_count(2)


def question(day: Day) -> None:
    board(day.watch, "9", "Questions")
    day.hand.press("Ask a question")
    form = day.watch.get_by_role("form", name="Ask a question")
    day.hand.fill("Question", "Is the pass open?", form)
    day.hand.fill("Words that fit", "rockfall", form)
    day.hand.keys("Enter")
    day.took("ask a question")
    expect(day.thing("Is the pass open?")).to_contain_text("No entry fits yet")


def order(day: Day) -> None:
    hand, page = day.hand, day.watch
    board(page, "Shift+O", "Orders")
    hand.press("New order")
    hand.fill("Title *", "DAY")
    hand.fill("Number", "1")
    hand.fill("What", "patrols to the pass", page.get_by_role("group", name="Mission"))
    hand.press("Add a task")
    hand.fill("Who (unit or callsign)", "DAY PATROL")
    hand.press("All who have a task", "Save the draft", "Approve", "Issue")
    day.took("issue an order")
    answer = page.locator(".order-answer").filter(has_text="DAY PATROL")
    heard = day.phone.hear(lambda each: "patrols to the pass" in text_of(each))
    day.phone.say(read(day.phone, heard))
    expect(answer).to_contain_text("read")
    day.phone.chat("WILCO 1")
    expect(answer).to_contain_text("will comply")
    # Nobody wrote it down for the patrol.
    expect(answer.locator("small")).to_have_count(0)


def read(phone: TakClient, heard: Event) -> bytes:
    """The receipt of a phone whose owner has opened a line that it heard."""
    chat = heard.find("detail/__chat")
    assert chat is not None
    room, reference = chat.get("id", ""), chat.get("messageId", "")
    receipt = f"<__chatreceipt id='{room}' chatroom='{room}' senderCallsign='{phone.callsign}' messageId='{reference}'>"
    group = f"<chatgrp id='{room}' uid0='{phone.uid}' uid1='{room}'/></__chatreceipt>"
    link = f"<link uid='{phone.uid}' type='a-f-G-U-C' relation='p-p'/>"
    return event(reference, "b-t-f-r", receipt + group + link)


def task(day: Day) -> str:
    """A task with what the node is to watch; gives its code on the air."""
    page, hand = day.watch, day.hand
    board(page, "Shift+T", "Tasks")
    hand.press("New task")
    form = page.get_by_role("form", name="New task")
    for label, text in (("Unit or callsign", "DAY PATROL"), ("Title", "To the pass"), ("From now, hours", "1")):
        hand.fill(label, text, form)
    hand.fill("Reach", "43.2, 77.2", form)
    hand.fill("Stay out of", "43.3, 77.3", form)
    hand.keys("Enter")
    card = day.thing("To the pass")
    hand.click(card.get_by_role("button", name="Issue"))
    day.took("give a task")
    code = text_of(day.phone.hear(lambda each: "To the pass" in text_of(each))).split()[1]
    for word, shown in (("WILCO", "will comply"), ("EXECUTING", "executing")):
        day.phone.chat(f"{word} {code}")
        expect(card).to_contain_text(shown)
    day.phone.report(lat=43.2, lon=77.2)
    expect(card).to_contain_text("on time")
    day.phone.report(lat=43.3, lon=77.3)
    expect(card).to_contain_text("violated")
    return code


def incident(day: Day) -> None:
    page, hand = day.watch, day.hand
    out_of_fields(page)
    page.keyboard.press("0")
    day.phone.chat("Spot report: stones on the track, one man hurt")
    expect(journal_lines(page, "Spot report: stones")).to_have_count(1)
    hand.keys("l")
    page.keyboard.type(LINE)
    expect(page.locator(".line-chip").filter(has_text="duty officer")).to_have_count(1)
    hand.keys("Enter")
    day.took("log a line and tell somebody")
    told = day.need("rockfall at the pass").filter(has=day.duty.locator(".wanted", has_text="duty officer"))
    day.other.click(told.get_by_role("button", name="Acknowledge"))
    day.took("say that one knows", day.other)
    expect(told).to_have_count(0)
    # Gone on the other desk, too.
    on_watch = page.locator(".need").filter(has=page.locator(".wanted", has_text="duty officer"))
    expect(on_watch).to_have_count(0)
    # The question has a need of its own with these words in it: which of the two is older is a matter of milliseconds.
    told = day.need("rockfall at the pass").filter(has=day.duty.locator(".wanted", has_text="New: look at it"))
    day.other.click(told.get_by_role("button", name="Open"))
    card = day.duty.locator(".thing").filter(has_text="rockfall at the pass")
    expect(card.locator(".said")).to_be_focused()
    day.other.click(card.get_by_role("button", name="Decide"))
    day.duty.keyboard.type("Evacuate by air; the pass is closed")
    day.other.keys("Control+Enter")
    day.took("decide", day.other)
    expect(day.duty.get_by_role("region", name="Decision").locator(".thing")).to_have_count(1)


def answer_question(day: Day) -> None:
    board(day.watch, "9", "Questions")
    card = day.thing("Is the pass open?")
    expect(card.locator(".hit").last).to_contain_text("rockfall")
    day.hand.click(card.get_by_role("button", name="Answer", exact=True))
    card.get_by_role("textbox").fill("Closed by rockfall")
    day.hand.keys("Control+Enter")
    day.took("answer a question")
    expect(card).to_contain_text("Closed by rockfall")


def medevac(day: Day) -> None:
    lines = MedevacAsked(at_s=0, by="DAY PATROL", key="m", title="MEDEVAC DAY", frequency="34.550", urgent=1, litter=1)
    who = cot.Client(day.phone.uid, "DAY PATROL", "a-f-G-U-C", "Cyan", "Team Member", "phone")
    asked = cot.Patient("day-medevac", "MEDEVAC DAY", lines)
    day.phone.say(cot.medevac(asked, who, cot.Spot(43.2, 77.2, 2000.0), round(time() * 1000)))
    page, hand = day.watch, day.hand
    board(page, "8", "MEDEVAC")
    for button, name in (("Add asset", "DAY HELI"), ("Add facility", "DAY ROLE 2")):
        page.get_by_role("button", name=button).click()
        form = page.get_by_role("form", name=button)
        form.get_by_label("Name").fill(name)
        page.keyboard.press("Enter")
        expect(form).to_have_count(0)
    card = day.thing("MEDEVAC DAY")
    expect(card).to_contain_text("first aid")
    expect(day.need("MEDEVAC", "Requested")).to_have_count(1)
    hand.click(card.locator(".said"))
    card.get_by_role("button", name="Read out").click()
    expect(card.locator(".script li").first).to_be_visible()
    steps = (("Approve", "Approved"), ("Launched", "Launched"), ("Picked up", "Picked up"), ("Deliver", "Treated"))
    for action, state in steps:
        hand.click(card.get_by_role("button", name=action))
        if action in ("Approve", "Deliver"):
            hand.click(card.locator(".staff-form").get_by_role("button", name=action))
        expect(page.get_by_role("region", name=state).locator(".thing")).to_have_count(1)
    expect(card).to_contain_text("DAY HELI → DAY ROLE 2")
    hand.click(card.get_by_role("button", name="Close"))
    day.took("bring a casualty to the hospital")
    expect(page.get_by_role("region", name="Closed").locator(".thing")).to_have_count(1)


def close(day: Day, code: str) -> None:
    page, hand = day.watch, day.hand
    board(page, "3", "Incidents")
    card = day.thing("rockfall at the pass")
    hand.click(card.locator(".said"))
    hand.click(card.get_by_role("button", name="Close"))
    hand.keys("Control+Enter")
    day.took("close a line")
    expect(page.get_by_role("region", name="Closed").locator(".thing")).to_have_count(1)
    day.phone.chat(f"DONE {code}")
    board(page, "Shift+T", "Tasks")
    closed = page.get_by_role("region", name="Closed").locator(".thing").filter(has_text="To the pass")
    expect(closed).to_have_count(1)


def inject(day: Day) -> None:
    """Exercise control plans and fires; the watch reads it, logs it and tells; who was told says so; it is closed."""
    control, hand = day.control, day.director
    board(control, "Shift+X", "Exercise")
    hand.press("Add an inject")
    form = control.get_by_role("form", name="Add an inject")
    hand.fill("What happens", "Walkers overdue", form)
    form.get_by_label("How").select_option("chat")
    form.get_by_label("Words").fill(WALKERS)
    hand.press("Plan it")
    planned = control.locator(".inject").filter(has_text="Walkers overdue")
    expect(planned.locator(".state")).to_have_text("planned")
    page = day.watch
    out_of_fields(page)
    page.keyboard.press("0")
    expect(journal_lines(page, "alkers")).to_have_count(0)
    day.director.steps = 0
    hand.keys("Shift+X")
    hand.click(planned.get_by_role("button", name="Fire now"))
    expect(planned.locator(".state")).to_have_text("fired")
    day.took("fire an inject from the list", hand)
    # The players read its words, and nothing of what was planned.
    expect(journal_lines(page, WALKERS)).to_have_count(1)
    expect(journal_lines(page, "Walkers overdue")).to_have_count(0)
    handled(day)


def handled(day: Day) -> None:
    page, hand = day.watch, day.hand
    hand.keys("l")
    page.keyboard.type("DAY PATROL INCIDENT 2 walkers missing at the ford 43.2 N 77.2 E tell duty officer")
    expect(page.locator(".line-chip").filter(has_text="duty officer")).to_have_count(1)
    hand.keys("Enter")
    day.took("log a line and tell somebody")
    told = day.need("walkers missing").filter(has=day.duty.locator(".wanted", has_text="duty officer"))
    out_of_fields(day.duty)
    day.duty.keyboard.press("0")
    day.other.steps = 0
    day.other.click(told.get_by_role("button", name="Acknowledge"))
    day.took("say that one knows", day.other)
    expect(told).to_have_count(0)
    board(page, "3", "Incidents")
    card = day.thing("walkers missing")
    hand.click(card.locator(".said"))
    hand.click(card.get_by_role("button", name="Close"))
    hand.keys("Control+Enter")
    day.took("close a line")
    closed = page.get_by_role("region", name="Closed").locator(".thing").filter(has_text="walkers missing")
    expect(closed).to_have_count(1)


def open_reports(page: Page) -> None:
    out_of_fields(page)
    page.keyboard.press("Control+k")
    page.keyboard.type("open reports")
    page.keyboard.press("Enter")
    expect(page.locator(".workspace-head h2")).to_have_text("Reports")


def reports(day: Day) -> None:
    page, hand = day.watch, day.hand
    open_reports(page)
    page.get_by_label("Write a report").select_option("sitrep")
    hand.fill("Who reports *", "DAY COMPANY")
    hand.fill("To whom", "DAY BATTALION")
    for label, text in SITREP:
        hand.fill(label, text)
    hand.press("File it")
    day.took("file a report")
    expect(day.thing("DAY COMPANY")).to_contain_text("filed")
    hand.press("Roll-up")
    hand.fill("Of which level *", "DAY BATTALION")
    hand.press("Assemble")
    rolled = page.locator(".rolled")
    expect(rolled).to_contain_text("1 report taken in")
    expect(rolled).to_contain_text("missing: SILENT COMPANY")
    expect(rolled.get_by_role("row").filter(has_text="DAY COMPANY 90")).to_have_count(1)
    hand.click(rolled.get_by_role("button", name="File it"))
    day.took("assemble the report of a level")
    filed = day.thing("DAY BATTALION").filter(has=page.get_by_text("Situation report of DAY BATTALION"))
    expect(filed).to_contain_text("filed")
    # Somebody else signs.
    open_reports(day.duty)
    theirs = day.duty.locator(".thing").filter(has=day.duty.get_by_text("Situation report of DAY BATTALION"))
    day.other.click(theirs.get_by_role("button", name="Approve"))
    day.took("sign a report", day.other)
    expect(filed).to_contain_text("approved")


def handover(day: Day) -> None:
    board(day.watch, "Shift+H", "Handover")
    day.hand.fill("Remarks", "SILENT COMPANY owes its report")
    # A crash: the remarks are kept.
    day.watch.reload()
    board(day.watch, "Shift+H", "Handover")
    expect(day.watch.get_by_label("Remarks")).to_have_value("SILENT COMPANY owes its report")
    expect(day.watch.get_by_role("button", name="Sign the handover")).to_be_in_viewport(ratio=1)
    day.hand.press("Sign the handover")
    day.took("hand over")
    # Who signed cannot sign for the other.
    expect(day.watch.get_by_role("button", name="Take over and sign")).to_have_count(0)
    out_of_fields(day.duty)
    day.duty.keyboard.press("0")
    day.other.click(day.need("handover").get_by_role("button", name="Open"))
    expect(day.duty.get_by_role("region", name="Waits to be taken over")).to_contain_text(
        "SILENT COMPANY owes its report"
    )
    day.other.press("Take over and sign")
    day.took("take over", day.other)
    past = day.watch.get_by_role("region", name="Handovers before")
    expect(past).to_contain_text("duty.officer")
    with day.watch.expect_download() as pdf:
        past.get_by_role("button", name="PDF").first.click()
    assert pdf.value.path().read_bytes().startswith(b"%PDF-")


def in_the_journal(node: ServedNode) -> None:
    """What the pages showed is what the node has."""
    api = node.api
    (answer,) = api.order(api.orders()[0]["id"])["answers"]
    assert (answer["state"], answer["on_behalf_of"]) == ("wilco", None)
    assert {row["state"] for row in api.tasks() if row["task"]["title"] == "To the pass"} == {"done_ok"}
    assert [row["state"] for row in api.incidents()] == ["closed", "closed"]
    assert [row["state"] for row in api.medevac_requests()] == ["closed"]
    assert [row["state"] for row in api.questions()] == ["answered"]
    assert sorted((row["unit"], row["state"]) for row in api.reports()) == [
        ("DAY BATTALION", "approved"),
        ("DAY COMPANY", "filed"),
    ]
    assert [row["state"] for row in api.handovers()] == ["taken"]
    assert not [row for row in api.entries(newest=True, limit=500) if row.get("on_behalf_of")]


def test_the_day_goes_from_the_order_to_the_handover_through_the_browsers(
    browse: Browse,
    demo: ServedNode,
    duty_session: object,
    control_session: object,
) -> None:
    with demo.client("DAY PATROL") as phone:
        phone.report(lat=43.1, lon=77.1)
        others = [browse(storage_state=each).open() for each in (duty_session, control_session)]
        day = Day(browse().open(), *others, phone)
        order_of_battle(day)
        question(day)
        order(day)
        code = task(day)
        incident(day)
        answer_question(day)
        medevac(day)
        close(day, code)
        inject(day)
        reports(day)
        handover(day)
        in_the_journal(demo)
