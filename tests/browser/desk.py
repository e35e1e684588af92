"""People at desks, as the tests of whole errands have them: logged in by name, with their steps counted."""

from collections.abc import Sequence

from playwright.sync_api import Browser, Locator, Page, expect

from aquila.app.asking import ask
from aquila.testing.served import ServedNode

from .test_shell import out_of_fields

WORD = "three quiet words 77"


class Hand:
    """What somebody does with mouse and keys, counted: one field, one button, one key is one step."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.steps = 0

    def press(self, *names: str) -> None:
        """Buttons by their names, one after the other."""
        for name in names:
            self.click(self.page.get_by_role("button", name=name, exact=True).first)

    def click(self, what: Locator) -> None:
        what.click()
        self.steps += 1

    def fill(self, label: str, text: str, within: Locator | None = None) -> None:
        (within or self.page).get_by_label(label).first.fill(text)
        self.steps += 1

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.steps += 1

    def took(self, most: int) -> None:
        """At most so many steps since the last look."""
        assert self.steps <= most, f"{self.steps} steps, {most} are allowed"
        self.steps = 0


def state_of(chromium: Browser, node: ServedNode, name: str, role: str, groups: Sequence[str] | None = None) -> object:
    """The cookie of somebody with a password, without a page. groups: None = those of the players."""
    both = {} if groups is None else {"groups_in": list(groups), "groups_out": list(groups)}
    ask(node.data, "access.make_user", {"name": name, "password": WORD, "role": role, **both})
    context = chromium.new_context()
    answer = context.request.post(f"{node.url}login", form={"user": name, "password": WORD})
    assert answer.ok, answer.text()
    state = context.storage_state()
    context.close()
    return state


def board(page: Page, keys: str, title: str) -> None:
    out_of_fields(page)
    page.keyboard.press(keys)
    expect(page.locator(".workspace-head h2")).to_have_text(title)
