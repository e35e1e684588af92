"""Patterns of a form: people's regular expressions are judged soon, or refused with what is allowed."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila.features.reports.form import own_forms
from aquila.features.reports.pattern import HOW, PATTERN_TEXT_MAX, fits, wrong_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b",
        "(a|a)*b",
        "(?:x+x+)+y",
        r"(.*)\1",
        ".*.*.*x",
        "a?" * 30 + "a" * 30,
        "[a-z]{0,200}[a-z]{0,200}[a-z]{0,200}!",
        "(",
        "[z-a]",
        "a{5,2}",
        "a**",
        "(?i)a",
        "a$b",
        "\\",
        "[",
    ],
)
def test_a_pattern_that_could_stop_the_node_is_refused_with_what_is_allowed(desk: Any, pattern: str) -> None:
    field = {"name": "code", "title": "Code", "pattern": pattern}
    form = {"name": "evil", "title": "Evil", "sections": [{"title": "", "fields": [field]}]}
    assert "pattern" in str(desk.post("/forms", 400, form=form))
    assert desk.get("/forms")[-1]["name"] != "evil"


@pytest.mark.parametrize(
    ("pattern", "text", "does_fit"),
    [
        ("^[A-F][1-6]$", "B4", True),
        ("[A-F][1-6]", "B4 ", False),
        (r"\d{6}Z|NONE", "251430Z", True),
        (r"\d{6}Z|NONE", "NONE", True),
        (r"[A-Z]{1,3}-?\d+", "ABC-12", True),
        (r"[^\s]+ \w{2,40}", "to Лес", True),
        (r"\d+", "1" * PATTERN_TEXT_MAX, True),
        (r"\d+", "1" * (PATTERN_TEXT_MAX + 1), False),
        ("1\\.5", "105", False),
    ],
)
def test_patterns_that_forms_need_are_taken(pattern: str, text: str, does_fit: bool) -> None:
    assert wrong_pattern(pattern) is None
    assert fits(pattern, text) is does_fit


def test_the_programs_own_forms_keep_the_rule_and_say_how_in_a_refusal() -> None:
    patterns = [field.pattern for form in own_forms().values() for field in form.fields() if field.pattern]
    assert patterns
    assert [wrong_pattern(pattern) for pattern in patterns] == [None] * len(patterns)
    assert HOW in str(wrong_pattern("(a)"))


@given(st.text("ab[]^-\\d.?*+{}1,9|()$ ", max_size=12), st.text("ab19- ", max_size=8))
def test_what_is_let_through_is_a_pattern_of_python(pattern: str, text: str) -> None:
    if wrong_pattern(pattern) is None:
        assert fits(pattern, text) is (re.fullmatch(pattern, text) is not None)
