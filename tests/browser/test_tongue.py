"""The page in other languages: what the node says is in the reader's, what people wrote is as they wrote it."""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

import aquila
from aquila.core.phrase_table import WRITTEN
from aquila.testing.served import wait_until

from .conftest import Browse
from .test_shell import opened

pytestmark = [pytest.mark.browser, pytest.mark.mapless]

ENOUGH = 15
CYRILLIC = re.compile("[\u0400-\u04ff]{3}")
ENGLISH = re.compile(r"[A-Za-z]{4,}")
NAMES = frozenset(
    {"FRAGO", "OPORD", "WARNO", "MEDEVAC", "MIST", "SITREP", "LOGSITREP", "INTREP", "INTSUM", "INCREP"}
    | {"SALUTE", "METHANE"}
)
"""Words of staffs that are the same in every language."""
ONLY_NAMES = frozenset({"reports.report.of"})
"""Sentences of nothing but a form and a unit."""


def leaves(words: Any) -> Iterator[str]:
    """The text that stands in the gaps of a sentence, and of the phrases in it: names, and what people wrote."""
    for value in words.values():
        if isinstance(value, dict):
            yield from leaves(value.get("words", {}))
        else:
            yield str(value)


def rows(page: Page) -> list[dict[str, Any]]:
    answer = page.request.get(f"{page.url}api/v1/entries", params={"newest": "true", "limit": "300"})
    assert answer.ok, answer.text()
    found: list[dict[str, Any]] = answer.json()
    return found


def is_said_by_the_node(row: dict[str, Any]) -> bool:
    body = row["body"] or {}
    return row["kind"] == "paper" and (body.get("type"), body.get("action")) not in WRITTEN


def test_the_journal_of_the_demo_has_no_english_sentence_in_russian(browse: Browse) -> None:
    page = opened(browse, language="ru")
    wait_until(lambda: sum(map(is_said_by_the_node, rows(page))) >= ENOUGH, "the demo has said enough lines")
    page.reload()
    expect(page.locator(".journal .entry").first).to_be_visible()
    said = [row for row in rows(page) if is_said_by_the_node(row)]
    assert [row["summary"] for row in said if not row["act"]] == []
    shown = dict(
        page.locator(".journal .entry").evaluate_all(
            "entries => entries.map((entry) => [entry.id, entry.querySelector('.text').innerText])"
        )
    )
    read = [(row, shown[f"line-{row['id']}"]) for row in said if f"line-{row['id']}" in shown]
    assert len(read) >= ENOUGH // 3
    for row, text in read:
        line = text.partition(": ")[2]
        for given in sorted(leaves(row["words"]), key=len, reverse=True):
            line = line.replace(given, "")
        assert CYRILLIC.search(text) or row["act"] in ONLY_NAMES, (row["act"], text)
        assert set(ENGLISH.findall(line)) <= NAMES, (row["act"], row["summary"], text)


SHORTEST = 3
"""Letters of a word: shorter ones are units, grids and keys."""
LATIN = re.compile(rf"[A-Za-z]{{{SHORTEST},}}")
SOURCE = Path(aquila.__file__).parent
PAGE = SOURCE.parents[1] / "web" / "src"
FULL = ("3", "6", "7", "8", "9", *(f"Shift+{key}" for key in "FUXLIOTHR"))
"""Keys of the boards that take the whole width."""
SHOWN = """() => {
  const seen = (one) => one && one.getClientRects().length && getComputedStyle(one).visibility !== 'hidden'
  const whole = (one) => (one.matches('option, optgroup') ? one.closest('select') : one)
  const found = [...document.querySelectorAll('[title], [aria-label], [placeholder]')].filter(seen)
    .flatMap((one) => ['title', 'aria-label', 'placeholder'].map((name) => one.getAttribute(name)))
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const at = text.parentElement
    if (!at.closest('[lang="en"], script, style') && seen(whole(at))) found.push(text.data)
  }
  return found.filter((text) => text && text.trim())
}"""
"""What a reader can see or hear on the page; English that says of itself that it is English is left out."""


OF_CODES = frozenset({"operator", "unclassified", "demo", "cap"})
"""Names that are words too: of the user, the classification, the context, a format."""
TO_PHONES = re.compile(r": (OPORD|WARNO|FRAGO|TASK|REMINDER)\b")
"""What the node writes to phones as chat: everybody there reads the same line."""


START = "one => Math.round(one.getBoundingClientRect().left)"
BEYOND = """() => {
  const cuts = (one) => getComputedStyle(one).overflowX !== 'visible'
  const scrolls = (one) => one && one !== document.body && (cuts(one) || scrolls(one.parentElement))
  const beyond = (one) => {
    const { left, right, width } = one.getBoundingClientRect()
    return width > 1 && (left < -1 || right > innerWidth + 1) && !scrolls(one.parentElement)
  }
  const of_page = document.querySelectorAll('header, nav, aside, section, button, input, select, h2, p')
  const found = [...of_page].filter(beyond)
  const wide = document.documentElement.scrollWidth > innerWidth ? ['the page'] : []
  return [...wide, ...found.map((one) => one.outerHTML.slice(0, 80))]
}"""
"""What reaches beyond the screen and cannot be scrolled to."""


def strings(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, dict | list):
        for each in tree.values() if isinstance(tree, dict) else tree:
            yield from strings(each)


def latin_of(texts: Iterable[str]) -> set[str]:
    return {word.lower() for text in texts for word in LATIN.findall(text)}


def catalogue_words(language: str) -> set[str]:
    files = [*PAGE.rglob(f"texts/{language}.json"), PAGE / "i18n" / f"{language}.json"]
    files.append(SOURCE / "core" / "texts" / f"{language}.json")
    told = (text for file in files for text in strings(json.loads(file.read_text("utf-8"))))
    return latin_of(re.sub(r"\{\w+\}", "", text) for text in told)


def written_words() -> set[str]:
    """What the people of the demo write, and how they and their things are called."""
    files = [*(SOURCE / "simulator").rglob("*.toml")]
    assert len(files) > 1
    return latin_of(text for file in files for text in strings(tomllib.loads(file.read_text("utf-8"))))


def test_no_board_shows_an_english_word_in_kazakh(browse: Browse) -> None:
    page = opened(browse, language="kk")
    english = catalogue_words("en") - catalogue_words("kk") - written_words()
    assert len(english) > 1000
    shown: dict[str, str] = {}

    def read(where: str) -> None:
        for text in page.evaluate(SHOWN):
            shown.setdefault(text, where)

    for place, tab in enumerate(page.get_by_role("tab").all()):
        tab.click()
        read(f"tab {place}")
    for key in (*FULL, "Control+k", "?", "e"):
        page.keyboard.press(key)
        expect(page.locator(".workspace, [role=dialog]").first).to_be_visible()
        read(key)
        page.keyboard.press("Escape")
    assert len(shown) > 500
    left = {text[:80]: where for text, where in shown.items() if latin_of([text]) & english - OF_CODES}
    assert {text: where for text, where in left.items() if not TO_PHONES.match(text)} == {}


def test_a_language_from_right_to_left_would_mirror_the_page(browse: Browse) -> None:
    page = opened(browse, viewport={"width": 1440, "height": 900}, device_scale_factor=1)
    left = page.locator("aside.left")
    assert left.evaluate(START) == 0
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert left.evaluate(START) > 1000
    assert page.locator("aside.right").evaluate(START) == 0
    for key in FULL:
        page.keyboard.press(key)
        expect(page.locator(".workspace")).to_be_visible()
        assert page.evaluate(BEYOND) == [], key
    page.set_viewport_size({"width": 380, "height": 800})
    bar = page.locator("nav.nav button")
    assert bar.first.evaluate(START) > bar.last.evaluate(START)
    for button in bar.all():
        button.click()
        assert page.evaluate(BEYOND) == [], button.inner_text()
