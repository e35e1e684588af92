"""What a reader of the page can provoke is refused in his language: the table of refusals against the program."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from aquila.core.phrases import phrase_in
from aquila.core.refusal_words import REFUSED
from aquila.core.tongue import LANGUAGES, Tongue
from aquila.features.roles.rights import RIGHTS
from aquila.web_api.errors import WebError

FEATURES = Path(__file__).parents[2] / "src" / "aquila" / "features"
TOLD = (
    "alerts",
    "exercise",
    "feeds",
    "handover",
    "incidents",
    "medevac",
    "questions",
    "reports",
    "roles",
    "tasks",
    "tracks",
)
"""Features of the desk whose refusals are sentences in every language. Others are refused in general, by the code."""
WEB_API = Path(__file__).parents[2] / "src" / "aquila" / "web_api"
OF_CLIENTS = ("contract.py", "routes.py", "guard.py", "static.py")
"""Files of the web whose advice is for programs, and names headers, methods and options: it stays as it is."""
OF_PROGRAMS = ("forms", "form.py", "pattern.py", "draft.py", "rollup_rows.py", "pairs.py")
"""Files about forms that are made by programs, and assembled reports."""


def refusals() -> Iterator[tuple[str, str]]:
    """(where, sentence) of each `Refused(code, sentence)` that is written out; a word stands in each gap."""
    for name in TOLD:
        for file in sorted((FEATURES / name).rglob("*.py")):
            if file.name in OF_PROGRAMS:
                continue
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Refused" and len(node.args) == 2:
                    sentence = said(node.args[1])
                    if sentence is not None:
                        yield f"{name}/{file.name}:{node.lineno}", sentence


def said(node: ast.expr) -> str | None:
    """None = it is said elsewhere, or by another program."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if not isinstance(node, ast.JoinedStr) or all(isinstance(each, ast.FormattedValue) for each in node.values):
        return None
    return "".join(str(each.value) if isinstance(each, ast.Constant) else "X1" for each in node.values)


def test_every_refusal_at_the_desk_is_a_sentence_of_the_table() -> None:
    found = list(refusals())
    assert len(found) > 60
    assert [(where, text) for where, text in found if not phrase_in("refused", text).act] == []


def advice() -> Iterator[tuple[str, str, str]]:
    """(where, group, sentence) of each `do=` and `allowed=` that the web gives people, written out."""
    groups = {"do": "remedy", "allowed": "allowed"}
    for file in sorted(WEB_API.rglob("*.py")):
        if file.name in OF_CLIENTS:
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.keyword) and node.arg in groups and isinstance(node.value, ast.Constant):
                if node.value.value is not None:
                    yield f"{file.name}:{node.lineno}", groups[node.arg], str(node.value.value)


def test_what_to_do_about_a_refusal_is_a_sentence_of_the_table() -> None:
    found = list(advice())
    assert len(found) > 8
    assert [each for each in found if not phrase_in(each[1], each[2]).act] == []


def test_every_right_has_words() -> None:
    assert {right.what for right in RIGHTS} == {text for _, text in REFUSED["right"]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_form_that_is_filled_wrongly_is_told_in_words_for_people(language: str) -> None:
    error = WebError(400, "syntax", "Expected `array` of length <= 8 - at `$.phrases`").body
    text = Tongue(language).say(error.act, **error.words)
    assert "$" not in text
    assert "`" not in text
    assert "8" in text
    assert (text == "phrases: at most 8") == (language == "en")


def test_a_sentence_within_a_sentence_is_said_too() -> None:
    reason = "a test without words, kinds, area and links fits everything: name one of them - at `$.tests`"
    error = WebError(400, "syntax", reason).body
    assert error.words["what"] == {"act": "refused.fits_all"}
    assert WebError(422, "moon", "a sentence of a newer node").body.act == ""
