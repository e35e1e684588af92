"""Feeds, driven as people drive them: a broker is added with a password that nobody sees again; what several feeds
bring of one ship is one track that says why, and is overruled on the page.
"""

import re
import socket
from collections.abc import Iterator

import msgspec
import pytest
from playwright.sync_api import Locator, Page, expect

from aquila.client import FusedRow
from aquila.simulator.harbour import scene
from aquila.testing.sea import Sea
from aquila.testing.served import ServedNode, wait_until

from .scene import tapped
from .test_page import AXE, VIOLATIONS
from .test_shell import out_of_fields

pytestmark = pytest.mark.browser

SECRET = "not-for-the-page-4410"


def board(page: Page) -> None:
    out_of_fields(page)
    page.keyboard.press("Control+k")
    page.keyboard.type("Feeds")
    page.keyboard.press("Enter")
    expect(page.locator(".feed-board form.add")).to_be_visible()


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port where nobody listens, and where nobody else can begin to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])


def test_a_broker_is_added_with_its_mapping_and_the_password_is_not_shown(page: Page, closed_port: int) -> None:
    board(page)
    form = page.locator(".feed-board form.add")
    expect(form.get_by_label("Password")).to_have_count(0)
    form.get_by_label("Format").select_option("mqtt-json")
    expect(form.get_by_label("From")).to_have_value("mqtt://guard@127.0.0.1/owntracks/+/+")
    url = f"mqtt://guard@127.0.0.1:{closed_port}/owntracks/+/+"
    form.get_by_label("From").fill(url)
    password = form.get_by_label("Password")
    expect(password).to_have_attribute("type", "password")
    password.fill(SECRET)
    mapping = form.get_by_label("Mapping")
    good = mapping.input_value()
    mapping.fill("{")
    form.get_by_role("button", name="Add feed").click()
    expect(page.locator(".feed-board [role=alert]")).to_contain_text("no JSON")
    mapping.fill(good)
    form.get_by_role("button", name="Add feed").click()
    row = page.locator(".feed").filter(has_text=url)
    expect(row).to_contain_text("with a password")
    expect(row).to_contain_text("refused")
    expect(password).to_have_value("")
    assert SECRET not in page.content()
    page.evaluate(AXE.read_text())
    assert page.evaluate(VIOLATIONS) == []
    row.get_by_role("button", name="Remove").click()
    row.get_by_role("button", name="Remove for good?").click()
    expect(row).to_have_count(0)


@pytest.fixture(scope="module")
def ship(demo: ServedNode) -> Iterator[dict[str, str]]:
    """A ship that AIS, a phone and radars see, in a harbour of few: by source, the name that it gives."""
    few = msgspec.structs.replace(scene(), ships=6, aircraft=0, ais_share=1.0, phone_share=0.5)
    sea = Sea(demo, few)

    def whole() -> list[FusedRow]:
        wanted = {"mmsi", "cot", "radar"}
        return [row for row in demo.api.fused_tracks() if wanted == {source for source, _ in row["members"]}]

    wait_until(whole, "a ship of three sources", 90.0)
    yield {member["source"]: member["name"] for member in demo.api.why_track(whole()[0]["id"])["members"]}
    sea.stop()


def find(page: Page, name: str) -> None:
    out_of_fields(page)
    page.keyboard.press("/")
    page.get_by_role("dialog").get_by_role("combobox").fill(name)
    expect(page.get_by_role("option").first).to_contain_text(name)
    page.keyboard.press("Enter")


def listed(page: Page, name: str) -> Locator:
    """The lines of the list that a filter by this name leaves."""
    out_of_fields(page)
    page.get_by_role("searchbox", name="Narrow the tracks").fill(name)
    return page.locator(".entity")


def test_a_track_says_why_it_is_one_and_is_split_and_merged_on_the_page(page: Page, ship: dict[str, str]) -> None:
    ais, phone = ship["mmsi"], ship["cot"]
    details = page.locator(".details")
    why = page.locator("details.why")
    # Found by the name that AIS gives it, the track is selected: it goes by its phone's name.
    find(page, ais)
    expect(details.get_by_role("heading", level=2)).to_have_text(phone)
    expect(details).to_contain_text("AIS, TAK device, Radar 25/1")
    expect(why).to_contain_text(f"AIS {ais} and TAK device {phone} lie as close together as their errors allow")
    expect(why).to_contain_text("Radar 25/2: ")
    expect(why).to_contain_text("a target with ")
    page.evaluate(AXE.read_text())
    assert page.evaluate(VIOLATIONS) == []
    # A click on its symbol says the same: three sources, each with its age.
    out_of_fields(page)
    page.keyboard.press("Escape")
    expect(why).to_have_count(0)
    tapped(page, 0.5, 0.5)
    expect(details.get_by_role("heading", level=2)).to_have_text(phone)
    sources = why.locator(".why-members > li")
    expect(sources).to_have_count(3)
    for source in ("AIS", "TAK device", "Radar 25/1"):
        expect(sources.filter(has_text=source).first).to_contain_text(re.compile(r"\d+ (s|min) ago"))
    # Its sources have no lines beside it, and each leads to it.
    expect(listed(page, phone)).to_have_count(1)
    expect(listed(page, ais)).to_have_count(1)
    expect(page.locator(".entity .name")).to_have_text(phone)
    expect(page.locator(".entity .line")).to_contain_text(f"stands for {ais}")

    why.get_by_role("button", name=f"AIS {ais} does not belong to this track").click()
    expect(details.get_by_role("heading", level=2)).to_have_text(ais)
    expect(why).to_contain_text(f"AIS {ais} is kept apart from TAK device {phone}")
    expect(details.locator(".part-of")).to_have_count(0)
    expect(listed(page, phone)).to_have_count(1)
    expect(listed(page, ais)).to_have_count(1)
    expect(page.locator(".entity .name")).to_have_text(ais)

    # Two that lie on each other: clicks on the pile give them in turn.
    find(page, ais)
    for turn in (phone, ais, phone, ais):
        tapped(page, 0.5, 0.5)
        expect(details.get_by_role("heading", level=2)).to_have_text(turn)

    out_of_fields(page)
    page.keyboard.press("Control+z")
    expect(details.locator(".part-of")).to_contain_text(f"Part of {phone}")
    page.keyboard.press("Control+y")
    expect(details.locator(".part-of")).to_have_count(0)
    expect(why).to_contain_text("is kept apart from")

    page.keyboard.press("Shift+J")
    asked = page.get_by_role("status").filter(has_text="Click the track that is the same thing")
    expect(asked).to_be_visible()
    # Two that were one lie on each other: who meets the chosen one is asked again.
    find(page, ais)
    expect(page.get_by_text(f"{ais} is where you are already")).to_be_visible()
    expect(asked).to_be_visible()
    find(page, phone)
    merging = page.get_by_role("region", name="Are these one thing?")
    expect(merging).to_contain_text(ais)
    expect(merging).to_contain_text(phone)
    merging.get_by_role("button", name="They are one").click()
    # The track that stands for both is looked at next.
    expect(details.get_by_role("heading", level=2)).to_have_text(phone)
    expect(why).to_contain_text(f"AIS {ais} and TAK device {phone} are one: operator said so")
    expect(why).not_to_contain_text("kept apart")
    expect(listed(page, ais)).to_have_count(1)
    expect(page.locator(".entity .name")).to_have_text(phone)

    page.get_by_label("Language").select_option("ru")
    expect(why).to_contain_text("Почему это одна трасса?")
    expect(why).to_contain_text(f"AIS {ais} и Устройство TAK {phone}")
    why.get_by_role("button", name="Отменить сказанное").click()
    expect(why).not_to_contain_text("сказано людьми", ignore_case=True)
