"""A question with a past start is tested by what the journal has: each hit once, told in one line, for its readers."""

import random
from typing import Any

import pytest

from aquila.app.parts import load_features
from aquila.core.model import Label, Note, Paper
from aquila.core.paper_work import WatchedPapers
from aquila.core.view import view_of
from aquila.features.questions import looking_back
from aquila.features.questions.question import QUESTION, hits_of, questions_view
from aquila.testing.memory_node import NATIONAL, OPEN, START_MS, MemoryPort

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
FEATURES = tuple(load_features())
BRIDGE = {"words": ["bridge"]}


def ask(desk: Any, *tests: dict[str, Any], **more: Any) -> str:
    made: str = desk.post("/questions", question={"text": "Is it open?", "tests": list(tests or (BRIDGE,)), **more})[
        "id"
    ]
    return made


def row_of(desk: Any, id: str) -> Any:
    return desk.get(f"/questions/{id}")["row"]


def texts(row: Any) -> list[str]:
    return [hit["text"] for hit in row["hits"]]


def steps_said(port: MemoryPort, action: str) -> list[Paper]:
    bodies = [entry.body for entry in port.journal.read(0, 100_000)]
    return [body for body in bodies if isinstance(body, Paper) and (body.type, body.action) == (QUESTION, action)]


def test_a_question_finds_what_happened_from_its_start_on_before_it_was_asked(desk: Any, port: MemoryPort) -> None:
    desk.post("/notes", text="the bridge is mined")
    port.now_ms += HOUR_MS
    kept = desk.post("/notes", text="trucks on the bridge")["entry"]
    desk.post("/notes", text="all quiet")
    port.now_ms += HOUR_MS
    id = ask(desk, from_ms=port.now_ms - 90 * MINUTE_MS)
    row = row_of(desk, id)
    assert [(hit["entry"], hit["text"], hit["found"]) for hit in row["hits"]] == [(kept, "trucks on the bridge", True)]
    assert row["hits"][0]["at_ms"] == port.now_ms - HOUR_MS
    looked = row["looked_back"]
    assert (looked["found"], looked["waiting"], looked["is_whole"]) == (1, 1, True)
    assert looked["entries"] == 4  # three notes and the question itself
    desk.post("/notes", text="the bridge is open")
    assert [hit["found"] for hit in row_of(desk, id)["hits"]] == [True, False]


@pytest.mark.parametrize("from_ms", [None, START_MS + 10 * HOUR_MS])
def test_one_without_a_start_or_with_one_to_come_does_not_look_back(
    desk: Any, port: MemoryPort, from_ms: int | None
) -> None:
    desk.post("/notes", text="the bridge is mined")
    row = row_of(desk, ask(desk, **({} if from_ms is None else {"from_ms": from_ms})))
    assert (row["hits"], row["looked_back"]) == ([], None)
    assert steps_said(port, "look") == []


def test_what_is_found_is_one_line_one_need_one_press_and_climbs_as_one(desk: Any, port: MemoryPort) -> None:
    for number in range(30):
        desk.post("/notes", text=f"bridge {number}")
    id = ask(desk, from_ms=START_MS - HOUR_MS, priority=1)
    (line,) = steps_said(port, "look")
    assert line.summary.endswith("entries: 30 fit")
    assert steps_said(port, "hit") == []
    (need,) = desk.get("/needs/questions")
    assert (need["kind"], need["title"]) == ("found", "Is it open?: 30 found looking back")
    assert (need["act"], need["words"]) == ("questions.need.found", {"what": "Is it open?", "found": "30"})
    for _ in range(3):
        port.tick(5 * MINUTE_MS)
    assert len(steps_said(port, "climb")) == 3
    (need,) = desk.get("/needs/questions")
    assert need["roles"][-1] == "commander"
    desk.post(f"/questions/{id}/steps", action="ack_found")
    assert (row_of(desk, id)["waiting"], desk.get("/needs/questions")) == (0, [])
    assert "one by one" in str(desk.post(f"/questions/{id}/steps", 422, action="ack_found"))


def test_a_changed_question_looks_back_anew_and_what_was_acknowledged_stays(desk: Any, port: MemoryPort) -> None:
    bridge = desk.post("/notes", text="the bridge holds")["entry"]
    desk.post("/notes", text="the ford is deep")
    id = ask(desk, from_ms=START_MS - HOUR_MS)
    desk.post(f"/questions/{id}/steps", action="ack", fields={"entry": bridge})
    change = {"text": "And the ford?", "tests": [BRIDGE, {"words": ["ford"]}]}
    desk.post(f"/questions/{id}/steps", action="edit", fields=change)
    row = row_of(desk, id)
    assert texts(row) == ["the bridge holds", "the ford is deep"]
    assert [hit["ack_at_ms"] is None for hit in row["hits"]] == [False, True]
    assert (row["looked_back"]["found"], row["looked_back"]["waiting"]) == (2, 1)
    desk.post(
        f"/questions/{id}/steps", action="edit", fields={"text": "Only the tower", "tests": [{"words": ["tower"]}]}
    )
    assert texts(row_of(desk, id)) == ["the bridge holds", "the ford is deep"]
    assert len(steps_said(port, "look")) == 3


def test_what_came_while_it_was_closed_is_found_when_it_is_reopened(desk: Any, port: MemoryPort) -> None:
    id = ask(desk, from_ms=START_MS - HOUR_MS)
    desk.post(f"/questions/{id}/steps", action="close")
    desk.post("/notes", text="the bridge is down")
    assert row_of(desk, id)["hits"] == []
    desk.post(f"/questions/{id}/steps", action="reopen", fields={"reason": "it burns"})
    assert texts(row_of(desk, id)) == ["the bridge is down"]


def test_the_steps_of_one_line_are_one_hit_whether_they_came_before_or_after(desk: Any, port: MemoryPort) -> None:
    line = desk.post("/incidents", line={"text": "something in the air"})
    steps = f"/incidents/{line['id']}/steps"
    fitting = desk.post(steps, action="amend", fields={"text": "a drone", "reason": "seen"})
    desk.post(steps, action="amend", fields={"text": "a drone, black", "reason": "seen"})
    id = ask(desk, {"words": ["drone"]}, from_ms=START_MS - HOUR_MS)
    desk.post(steps, action="amend", fields={"text": "a drone, black, two rotors", "reason": "seen"})
    assert [hit["entry"] for hit in row_of(desk, id)["hits"]] == [fitting["entry"]]


def test_what_is_found_is_for_whom_may_have_its_evidence(desk: Any, partner: Any, port: MemoryPort) -> None:
    for label, text in ((NATIONAL, "ours on the bridge"), (OPEN, "trucks on the bridge")):
        port.say(Note(room="log", text=text, happened_at_ms=port.now_ms), label)
    id = ask(desk, from_ms=START_MS - HOUR_MS)
    mine, theirs = row_of(desk, id), row_of(partner, id)
    assert (texts(mine), mine["looked_back"]["found"]) == (["trucks on the bridge"], 1)
    assert (sorted(texts(theirs)), theirs["looked_back"]["found"]) == (
        ["ours on the bridge", "trucks on the bridge"],
        2,
    )
    assert "ours" not in str(desk.get("/entries", limit=1000))


def test_too_many_are_told_as_such_and_the_newest_count(
    desk: Any, port: MemoryPort, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking_back, "FOUND_MAX", 3)
    for number in range(5):
        port.now_ms += 1
        desk.post("/notes", text=f"bridge {number}")
    row = row_of(desk, ask(desk, from_ms=START_MS - HOUR_MS))
    assert texts(row) == ["bridge 2", "bridge 3", "bridge 4"]
    assert not row["looked_back"]["is_whole"]


def test_sealed_papers_of_persons_and_what_rules_wrote_are_not_found(desk: Any, port: MemoryPort) -> None:
    first = ask(desk, from_ms=START_MS - HOUR_MS)
    desk.post("/notes", text="the bridge holds")
    second = ask(desk, from_ms=START_MS - HOUR_MS)
    assert texts(row_of(desk, first)) == texts(row_of(desk, second)) == ["the bridge holds"]


def say_something(node: MemoryPort, dice: random.Random, other: MemoryPort) -> None:
    """One act of a random history: a line, a question with a past start, a change of it, a look at a hit, a merge."""
    node.now_ms += dice.randint(1, 1000)
    other.now_ms = max(other.now_ms, node.now_ms)
    choice = dice.randrange(7)
    questions = view_of(node.views, "questions", WatchedPapers).watched()
    if choice < 3:
        text, action = dice.choice(("the bridge", "a ford", "nothing")), dice.choice(("log", "amend"))
        say(node, "incidents.line", f"l{dice.randrange(4)}", action, {"text": text}, dice.choice((OPEN, NATIONAL)))
    elif choice == 3 or not questions:
        tests, from_ms = [{"words": dice.choice((["bridge"], ["ford"]))}], START_MS - dice.randint(0, 2) * HOUR_MS
        say(node, QUESTION, f"q{dice.randrange(3)}", "ask", {"text": "?", "tests": tests, "from_ms": from_ms})
    elif choice == 4:
        say(node, QUESTION, dice.choice(questions).id, "edit", {"tests": [BRIDGE, {"words": ["ford"]}]})
    elif choice == 5:
        thing = dice.choice(questions)
        for hit in hits_of(thing)[:1]:
            say(node, QUESTION, thing.id, "ack", {f"ack.{hit.entry}": node.now_ms})
    else:
        node.merge(other)


def say(node: MemoryPort, type: str, id: str, action: str, fields: dict[str, Any], label: Label = OPEN) -> None:
    node.say(Paper(type=type, target=id, action=action, happened_at_ms=node.now_ms, fields=fields), label)


@pytest.mark.parametrize("seed", range(60))
def test_each_hit_counts_once_whatever_is_merged_and_folded_in_which_order(seed: int) -> None:
    dice = random.Random(seed)
    nodes = [MemoryPort(FEATURES, node="n1"), MemoryPort(FEATURES, node="n2")]
    for _ in range(40):
        at = dice.randrange(2)
        say_something(nodes[at], dice, nodes[1 - at])
    for _ in range(4):
        nodes[0].merge(nodes[1])
        nodes[1].merge(nodes[0])
    boards = [board_of(node.views) for node in nodes]
    assert boards[0] == boards[1]
    for hits in boards[0].values():
        assert len({(line, label) for _, line, label, *_ in hits}) == len(hits)
    # Replayed in any order the same.
    entries = nodes[0].journal.read(0, 100_000)
    dice.shuffle(entries)
    view = questions_view()
    for entry in entries:
        view.fold(entry)
    assert board_of({"questions": view}) == boards[0]


def board_of(views: Any) -> dict[str, list[Any]]:
    board = {}
    for thing in view_of(views, "questions", WatchedPapers).watched():
        lines = {}
        for name, step in thing.writers().items():
            if name.startswith("hit."):
                lines[name.removeprefix("hit.")] = (step.fields[name]["line"], step.label)
        board[thing.id] = [(hit.entry, *lines[hit.entry], hit.text, hit.ack_at_ms) for hit in hits_of(thing)]
    return board
