"""One user at one page, with every step counted; and what was there before he came."""

import re
import tomllib
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Locator, Page, expect

from aquila.testing.served import ServedNode

from .desk import Hand
from .test_page import journal_lines
from .test_shell import out_of_fields

ROWS = tomllib.loads(Path(__file__).with_name("steps.toml").read_text())["step"]
MOST = {(row["user"], row["action"]): row["most"] for row in ROWS}
PATROL = "CAMOSCIO 11"
HOUR_MS = 3_600_000
COUNTED: set[tuple[str, str]] = set()


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

    def ask_evacuation(self, title: str) -> None:
        """The form of a request, whose title stands in it already: one urgent, one on a litter."""
        form = self.page.get_by_role("form", name="New request")
        expect(form.get_by_label("Callsign or title")).to_have_value(title)
        self.hand.fill("3 A urgent", "1", form)
        self.hand.fill("5 On litters", "1", form)
        self.hand.keys("Enter")
        expect(form).to_have_count(0)

    def title(self, text: str) -> None:
        expect(self.page.locator(".workspace-head h2")).to_have_text(text)


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
