"""The journal in Russian: what the node says there is Russian, what people wrote is as they wrote it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from aquila.core.phrase_table import WRITTEN
from aquila.testing.served import wait_until

from .conftest import Browse
from .test_shell import opened

pytestmark = pytest.mark.browser

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
