"""What the node says in lines can be said in every language of the page, and none of its words is left out."""

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import aquila.features
from aquila.core.dtg import dtg
from aquila.core.model import Act, Alias, Foreign, Receipt, Removal
from aquila.core.phrase_table import DEEDS, KINDS_SAID, PHRASES, SEALED, STEPS, WRITTEN
from aquila.core.phrases import TEXT_MAX, Phrase, phrase_in, phrase_of, phrase_of_line
from aquila.core.printed_words import PRINTED
from aquila.core.states import States
from aquila.core.task_verbs import VERBS
from aquila.core.tongue import LANGUAGES, Tongue
from aquila.features.handover.lines import SECTIONS
from aquila.features.orders import order
from aquila.features.reports.form import own_forms
from aquila.features.tracks.board import SOURCES, called_of
from aquila.features.tracks.commands import LINES, NAMED_LINES

ROOT = Path(__file__).parents[2]
TEXTS = ROOT / "src" / "aquila" / "core" / "texts"
GAP = re.compile(r"\{(\w+)")
PAPERS = frozenset(
    {
        *("tasks", "orders", "incidents", "questions", "reports", "alerts", "patterns", "orbat", "handover"),
        *("exercise", "feeds", "intel", "tracks", "roles", "extract", "medevac"),
    }
)
"""Features that keep papers."""
OWN = frozenset(name for name, _ in PRINTED["handover.step"])
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
    return dict(flat(json.loads((TEXTS / f"{language}.json").read_text("utf-8"))["act"]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_of_the_node_is_in_the_language_with_the_same_gaps(language: str) -> None:
    texts, keys = catalogue(language), acts()
    assert len(keys) > 600
    assert sorted(texts) == sorted(keys)
    for act, gaps in keys.items():
        if not act.startswith("entry."):
            assert frozenset(GAP.findall(texts[act])) == gaps, act


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_node_says_every_sentence_in_the_language_as_the_page_does(language: str) -> None:
    tongue = Tongue(language)
    for act, text in catalogue(language).items():
        gaps = {gap: gap.upper() for gap in GAP.findall(text)}
        assert tongue.say(act, **gaps) == GAP.sub(lambda gap: gap[1].upper(), text.replace("}", ""))
        # Marks of the page's own library would be printed as they stand.
        assert not re.search(r"[|@]|\{'", text), act


def test_what_documents_say_in_english_is_what_the_table_has() -> None:
    english = catalogue("en")
    for group, rows in PRINTED.items():
        if group == "handover.step":  # as papers name them; said in words
            continue
        assert {name: english[f"{group}.{name}"] for name, _ in rows} == {
            name: re.sub(r"[:?*][\w.]+\}", "}", said) for name, said in rows
        }


def test_every_word_of_the_forms_that_come_with_the_program_is_in_the_table() -> None:
    said = {text for _, text in PRINTED["form"]}
    words: set[str] = set()
    for form in own_forms().values():
        words |= {form.title, *(section.title for section in form.sections)}
        words |= {text for field in form.fields() for text in (field.title, field.hint, *field.choices)}
    assert words - {""} == said


def test_every_field_of_an_order_and_every_task_verb_has_a_name() -> None:
    parts = [each for each in vars(order).values() if isinstance(each, type) and issubclass(each, order.OrderPart)]
    fields = {name.removesuffix("_ms") for part in parts for name in part.__struct_fields__}
    assert len(fields) > 80
    assert {name for name, _ in PRINTED["field"]} >= fields
    assert {name for name, _ in PRINTED["order.watch"]} == set(order.WATCHES)
    assert {name for name, _ in PRINTED["order.shape"]} == set(order.POINTS)
    assert {name for name, _ in PRINTED["verb"]} == set(VERBS)
    assert {name for name, _ in PRINTED["handover.section"]} == set(SECTIONS)
    assert {name for name, _ in PRINTED["handover.also"]} == set(SECTIONS)


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
        ("alerts.watch", "create", "watch PL ARES: create", "alerts.watch.made"),
        ("alerts.alert", "raise", "alert: P1: emergency 911 Alert", "alerts.alert.raised"),
        ("incidents.line", "log", "decide: this is what somebody typed", ""),
        ("incidents.line", "decide", "decide: this is what somebody typed", "incidents.line.step"),
        ("roles.turn", "give", "duty officer: anna", "roles.turn.given"),
        ("tracks.pair", "same", "AIS KARINA and radar T12 are one track", "tracks.pair.same_named"),
        ("tracks.pair", "same", "one track", "tracks.pair.same"),
        ("intel.person", "make", "a record of a person", "entry.sealed"),
        ("tasks.task", "late", "a sentence of a newer node", ""),
        ("no.such", "type", "task Look for A drafted", ""),
    ],
)
def test_a_line_is_read_as_the_sentence_that_it_is(type: str, action: str, line: str, act: str) -> None:
    assert phrase_of_line(type, action, line).act == act


def test_a_silence_is_read_by_its_longest_unit() -> None:
    told = {
        span: phrase_in("alerts.text", f"P1 has not reported for {span}").act for span in ("3 h", "3 h 10 min", "9 min")
    }
    assert [*told.values()] == [f"alerts.text.{name}" for name in ("silence_hours", "silence_long", "silence")]


def test_what_stands_in_the_gaps_is_text_or_a_phrase() -> None:
    read = phrase_of_line("tasks.task", "late", "Reach: late, not in OBJ A by 1210Z: its position is not known")
    reason = {"act": "tasks.why.unknown", "words": {"area": "OBJ A", "time": "1210Z"}}
    assert read.words == {"task": "Reach", "found": {"act": "tasks.found.late"}, "reason": reason}


def test_a_line_about_two_tracks_names_both_with_their_sources() -> None:
    read = phrase_of_line("tracks.pair", "apart", "radar T12 and gps LAND and SEA are two tracks")
    radar = {"act": "tracks.member.radar", "words": {"name": "T12"}}
    assert read.words == {"one": radar, "other": "gps LAND and SEA"}
    assert Tongue("ru").said(read, "") == "РЛС T12 и gps LAND and SEA: две разные трассы"


def test_the_lines_about_tracks_and_their_sources_are_those_of_the_table() -> None:
    def whole(group: str) -> dict[str, str]:
        return {name: re.sub(r"\?[\w.]+\}", "}", said) for name, said in PHRASES[group]}

    assert whole("tracks.pair") == {**LINES, **{f"{word}_named": line for word, line in NAMED_LINES.items()}}
    assert whole("tracks.member") == {source: called_of(source, "{name}") for source in SOURCES}


def test_a_title_with_a_comma_is_not_taken_for_the_unit() -> None:
    read = phrase_of_line("tasks.task", "issue", "task Patrol to the lake, serial 1, CAMOSCIO 11: issued")
    words = {"task": "Patrol to the lake, serial 1", "unit": "CAMOSCIO 11", "step": {"act": "step.issue"}}
    assert read.words == words


def test_fields_that_were_changed_are_words_each_by_itself() -> None:
    read = phrase_of_line("tasks.task", "edit", "task Look: end_ms, key_tasks, moonlight changed")
    assert read.words["fields"] == [{"act": "field.end"}, {"act": "field.key_tasks"}, "moonlight"]
    assert Tongue("it").said(read, "") == "Compito «Look»: modifica (fine, compiti chiave, moonlight)"


def test_a_title_with_a_for_is_not_taken_for_the_unit() -> None:
    read = phrase_of_line("tasks.task", "create", "task Search for BARYS 31, serial 1 for QYRAN 17 drafted")
    assert read.words == {"task": "Search for BARYS 31, serial 1", "unit": "QYRAN 17"}


def test_the_title_that_a_task_has_of_its_verb_is_a_phrase_in_the_sentence() -> None:
    read = phrase_of_line("tasks.task", "create", "task T1 patrol for A Coy drafted")
    title = {"act": "tasks.title.verb", "words": {"id": "T1", "verb": {"act": "verb.PATROL"}}}
    assert read.words == {"task": title, "unit": "A Coy"}


def test_every_sentence_is_read_back_with_what_was_put_into_it() -> None:
    for group, rows in PHRASES.items():
        for name, english in rows:
            assert phrase_in(group, filled(english)) != Phrase(""), f"{group}.{name}: {filled(english)}"


def filled(english: str) -> str:
    """The sentence with a word in each gap; where only a phrase fits, with one."""
    return re.sub(r"\{(\w+)([:?*][\w.]+)?\}", lambda gap: sample(gap[1], gap[2] or ""), english)


def sample(name: str, group: str) -> str:
    return filled(PHRASES[group[1:]][0][1]) if group.startswith(":") else f"X{name}"


def test_a_line_of_separators_costs_no_more_than_another() -> None:
    assert phrase_in("tasks.task", "task " + ", : for " * (TEXT_MAX // 9)) == Phrase("")
    assert phrase_in("tasks.task", "task A for B drafted" + " " * TEXT_MAX) == Phrase("")


def said_of(act: Act, language: str = "en") -> str:
    said = phrase_of(act, "act")
    return Tongue(language).said(said, "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_has_a_word_of_the_program_in_it(language: str) -> None:
    for act, text in catalogue(language).items():
        assert not re.search(r"[a-z][._][a-z]", GAP.sub("", text)), (act, text)


def test_an_act_tells_what_people_can_read_and_no_more() -> None:
    detail = {"hash": "0a" * 32, "name": "Bridge.jpg", "mime": "image/jpeg", "submitter_name": "anna"}
    package = Act(action="package.add", target="5f1c2a52-9a5e-4d6b-8f0e-1b7f8c0a9d3e", happened_at_ms=1, detail=detail)
    assert said_of(package) == "Package Bridge.jpg added (from: anna)"
    rights = {"role": "operator", "clearance": "", "groups_in": "A,B", "expires_at_ms": "1798416112574"}
    user = Act(action="user.add", target="anna", happened_at_ms=1, detail=rights)
    assert said_of(user) == (
        f"anna: user added (role: reads and writes, writes into: A, B, until {dtg(1798416112574)})"
    )
    assert said_of(user, "kk").startswith("anna: тіркелгі жасалды (рөлі: оқиды және жазады, ")
    gone = Act(action="package.withdraw", target="5f1c2a52-9a5e-4d6b-8f0e-1b7f8c0a9d3e", happened_at_ms=1)
    assert said_of(gone) == "Package no. 5f1c2a52 withdrawn"


def test_a_task_for_somebody_is_not_given_to_what_its_title_names() -> None:
    read = phrase_of_line("tasks.task", "issue", "task Search for BARYS 31, serial 1, QYRAN 17: issue")
    assert read.words["task"] == "Search for BARYS 31, serial 1"
    assert read.words["unit"] == "QYRAN 17"


def test_entries_that_are_no_papers_say_which_sentence_they_are() -> None:
    act = Act(action="device.add", target="device:P1", happened_at_ms=1, detail={"callsign": "x" * 300})
    assert phrase_of(act, "act").act == "did.device_add"
    assert len(said_of(act)) < 160
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
