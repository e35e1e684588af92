"""What the node says in lines can be said in every language of the page, and none of its words is left out."""

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import aquila.features
from aquila.core.model import Act, Alias, Foreign, Receipt, Removal
from aquila.core.phrase_table import DEEDS, KINDS_SAID, PHRASES, SEALED, STEPS, WRITTEN
from aquila.core.phrases import TEXT_MAX, Phrase, phrase_in, phrase_of, phrase_of_line
from aquila.core.states import States

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web" / "src"
LANGUAGES = ("en", "it", "fr", "ru", "kk")
ELSEWHERE = {
    "post.": "staffPosts.",
    "patterns.text.": "patterns.says.",
    "intel.kind.": "intel.kind.",
    "node.feed.": "feeds.state.",
}
"""As `web/src/acts/said.ts` has it."""
GAP = re.compile(r"\{(\w+)")
PAPERS = frozenset(
    {
        *("tasks", "orders", "incidents", "questions", "reports", "alerts", "patterns", "orbat", "handover"),
        *("exercise", "feeds", "intel", "tracks", "roles", "extract", "medevac"),
    }
)
"""Features that keep papers."""
OWN = frozenset(
    {
        *("enter", "leave", "on_time", "late", "violated", "find", "over", "useful", "noise", "set", "offer", "take"),
        *("plan", "remind", "escalate", "doubt", "take_effect", "log", "done", "ack", "climb", "absorb", "add"),
        *("change", "end", "make", "extend", "grade", "give", "list", "relieve", "ask", "hit", "draft", "request"),
        *("update", "keep", "raise", "pace", "same", "apart", "free", "look"),
    }
)
"""Steps that have sentences of their own, or say what people wrote."""


def acts() -> dict[str, frozenset[str]]:
    """Every key that the node can give, with the gaps of its sentence."""
    found = {f"{group}.{name}": frozenset(GAP.findall(said)) for group, rows in PHRASES.items() for name, said in rows}
    found |= {f"did.{deed.replace('.', '_')}": frozenset({"target", "detail"}) for deed in DEEDS}
    return found | {f"entry.{name}": frozenset[str]() for name in KINDS_SAID}


def flat(tree: dict[str, object], path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from flat(value, f"{path}{key}.")
        else:
            yield path + key, str(value)


def catalogue(language: str) -> dict[str, str]:
    files = [WEB / "i18n" / f"{language}.json", *WEB.glob(f"**/texts/{language}.json")]
    return {key: text for file in files for key, text in flat(json.loads(file.read_text("utf-8")))}


def key_of(act: str) -> str:
    for start, there in ELSEWHERE.items():
        if act.startswith(start):
            return act.replace(start, there, 1)
    return f"act.{act}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_of_the_node_is_in_the_language_with_the_same_gaps(language: str) -> None:
    texts, keys = catalogue(language), acts()
    assert len(keys) > 200
    assert sorted(key_of(act) for act in keys if key_of(act) not in texts) == []
    for act, gaps in keys.items():
        if not act.startswith("entry."):
            assert frozenset(GAP.findall(texts[key_of(act)])) == gaps, act
    spoken = {key for key in texts if key.startswith("act.")}
    assert spoken == {key_of(act) for act in keys if key_of(act).startswith("act.")}


def tables() -> Iterator[States]:
    for module in pkgutil.walk_packages(aquila.features.__path__, "aquila.features."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, States):
                yield value


def test_every_step_that_may_be_taken_has_words() -> None:
    steps = {move.action for states in tables() for move in states.moves}
    words = {word for said in STEPS.values() for word in said}
    assert len(steps) > 70
    assert steps - words - OWN == set()


def test_every_type_of_papers_and_every_act_in_the_program_is_known() -> None:
    sources = [
        file.read_text("utf-8")
        for folder in ("features", "app", "core", "web_api")
        for file in (ROOT / "src" / "aquila" / folder).rglob("*.py")
        if file.name != "phrase_table.py"
    ]
    named = re.compile(r"^[A-Z_, ]+(?:: Final)? = ((?:\"[a-z]+\.[a-z_]+\"(?:, )?)+)(?:  #.*)?$", re.MULTILINE)
    words = {word for text in sources for found in named.finditer(text) for word in re.findall(r"\"(.+?)\"", found[1])}
    types = words & {word for word in words if word.partition(".")[0] in PAPERS}
    told = set(PHRASES) | SEALED | {type for type, _ in WRITTEN}
    assert len(types) > 15
    assert types - told == set()
    deeds = {word for word in words if word.partition(".")[0] in {deed.partition(".")[0] for deed in DEEDS}}
    assert len(deeds) > 25
    assert deeds - DEEDS == {"iconset.xml"}, "a file of a set of icons; whatever else is missing there is an act"


@pytest.mark.parametrize(
    ("type", "action", "line", "act"),
    [
        ("tasks.task", "create", "task Look, then go for A Coy drafted", "tasks.task.drafted"),
        ("tasks.task", "late", "R2: reach: late, not in OBJ A by 1210Z: last seen at 1200Z", "tasks.task.judged"),
        ("orders.order", "issue", "OPORD 3 Long night: issue", "orders.order.step"),
        (
            "orders.order",
            "escalate",
            "P1 has not answered FRAGO 2: duty_officer must be told",
            "orders.order.silent_above",
        ),
        ("alerts.alert", "raise", "alert: P1 has not reported for 12 min", "alerts.alert.raised"),
        ("incidents.line", "log", "decide: this is what somebody typed", ""),
        ("incidents.line", "decide", "decide: this is what somebody typed", "incidents.line.step"),
        ("roles.turn", "give", "duty officer: anna", "roles.turn.given"),
        ("intel.person", "make", "a record of a person", "entry.sealed"),
        ("tasks.task", "late", "a sentence of a newer node", ""),
        ("no.such", "type", "task Look for A drafted", ""),
    ],
)
def test_a_line_is_read_as_the_sentence_that_it_is(type: str, action: str, line: str, act: str) -> None:
    assert phrase_of_line(type, action, line).act == act


def test_what_stands_in_the_gaps_is_text_or_a_phrase() -> None:
    read = phrase_of_line("tasks.task", "late", "Reach: late, not in OBJ A by 1210Z: its position is not known")
    reason = {"act": "tasks.why.unknown", "words": {"area": "OBJ A", "time": "1210Z"}}
    assert read.words == {"task": "Reach", "found": {"act": "tasks.found.late"}, "reason": reason}


def test_a_title_with_a_comma_is_not_taken_for_the_unit() -> None:
    read = phrase_of_line("tasks.task", "issue", "task Patrol to the lake, serial 1, CAMOSCIO 11: issued")
    words = {"task": "Patrol to the lake, serial 1", "unit": "CAMOSCIO 11", "step": {"act": "step.issue"}}
    assert read.words == words


def test_every_sentence_is_read_back_with_what_was_put_into_it() -> None:
    for group, rows in PHRASES.items():
        for name, english in rows:
            filled = re.sub(r"\{(\w+)([:?][\w.]+)?\}", lambda gap: sample(gap[1], gap[2]), english)
            assert phrase_in(group, filled) != Phrase(""), f"{group}.{name}: {filled}"


def sample(name: str, group: str | None) -> str:
    """A word that fits the gap."""
    return f"X{name}" if group is None else re.sub(r"\{(\w+).*?\}", r"X\1", PHRASES[group[1:]][0][1])


def test_a_line_of_separators_costs_no_more_than_another() -> None:
    assert phrase_in("tasks.task", "task " + ", : for " * (TEXT_MAX // 9)) == Phrase("")
    assert phrase_in("tasks.task", "task A for B drafted" + " " * TEXT_MAX) == Phrase("")


def test_entries_that_are_no_papers_say_which_sentence_they_are() -> None:
    act = Act(action="device.add", target="device:P1", happened_at_ms=1, detail={"role": "x" * 300})
    assert phrase_of(act, "act").act == "did.device_add"
    assert len(phrase_of(act, "act").words["detail"]) < 110
    assert phrase_of(None, "moon").act == "entry.unreadable"
    assert phrase_of(None, "note", is_sealed=True).act == "entry.sealed"
    assert phrase_of(Act(action="moon.land", target="x", happened_at_ms=1), "act") == Phrase("")
    alias = Alias("uid", "P1")
    told = (
        Removal(entity="e", alias=alias, happened_at_ms=1),
        Foreign(alias=alias, type="b-f-t-r", happened_at_ms=1),
        *(Receipt(reference="r", state=state, happened_at_ms=1) for state in ("delivered", "read", "pending")),
    )
    found = {phrase_of(body, "").act.removeprefix("entry.") for body in told}
    assert found | {"unreadable", "sealed"} == KINDS_SAID
