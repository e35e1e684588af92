"""The board of feeds, driven as people drive it: a broker is added with a password that nobody sees again."""

import socket
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

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
