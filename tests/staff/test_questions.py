"""The board: exactly the planted hits, with evidence; unacknowledged they climb; requests for information."""

import random
from typing import Any

import pytest

from aquila.core.dtg import dtg
from aquila.core.model import Paper
from aquila.core.speakers import is_bare_answer
from aquila.features.orders import rules as orders
from aquila.features.questions import commands
from aquila.features.tasks import spoken as tasks
from aquila.testing.memory_node import NATIONAL, OPEN

MINUTE_MS = 60_000
AREA = {"place": {"lat_deg": 33.1, "lon_deg": 35.3}, "radius_m": 2000}


def ask(desk: Any, text: str, *tests: dict[str, Any], **more: Any) -> str:
    made: str = desk.post("/questions", question={"text": text, "tests": list(tests), **more})["id"]
    return made


def step(desk: Any, id: str, action: str, status: int = 201, **fields: Any) -> Any:
    return desk.post(f"/questions/{id}/steps", status, action=action, fields=fields)


def test_a_hit_stands_on_the_board_with_its_evidence_and_climbs(desk: Any, port: Any) -> None:
    id = ask(desk, "Do trucks cross at night?", {"words": ["truck", "bridge"]}, priority=1)
    entry = desk.post("/notes", text="Three trucks over the bridge")["entry"]
    desk.post("/notes", text="the bridge is empty")
    (row,) = desk.get("/questions")
    assert [(hit["entry"], hit["text"]) for hit in row["hits"]] == [(entry, "Three trucks over the bridge")]
    assert desk.get("/needs/questions", role="duty_officer") == []
    port.tick(5 * MINUTE_MS)
    port.tick()
    assert [need["id"] for need in desk.get("/needs/questions", role="duty_officer")] == [id]
    step(desk, id, "ack", entry=entry)
    assert desk.get("/needs/questions") == []
    step(desk, id, "answer", answer="yes", sources=[entry])
    assert desk.get(f"/questions/{id}")["row"]["state"] == "answered"


def test_exactly_the_planted_hits_of_a_day_are_found(desk: Any, port: Any) -> None:
    """Words, area, kind and link of a thousand lines; what fits is known because it was planted."""
    dice = random.Random(5)
    words = ask(desk, "Who digs?", {"words": ["digging"]})
    near = ask(desk, "What happens here?", {"area": AREA, "kinds": ["incidents."]})
    either = ask(desk, "Drones?", {"words": ["drone"]}, {"words": ["quadcopter"]})
    planted: dict[str, set[str]] = {words: set(), near: set(), either: set()}
    for number in range(1000):
        choice = dice.randrange(50)
        place = {"lat_deg": 33.1 if choice == 1 else 33.3, "lon_deg": 35.3}
        text = {0: "men digging", 2: "a drone seen", 3: "Quadcopter over post"}.get(choice, f"routine {number}")
        entry = desk.post("/incidents", line={"text": text, "place": place})["entry"]
        for question, choices in ((words, {0}), (near, {1}), (either, {2, 3})):
            if choice in choices:
                planted[question].add(entry)
    found = {row["id"]: {hit["entry"] for hit in row["hits"]} for row in desk.get("/questions")}
    assert found == planted
    assert all(planted.values())


@pytest.mark.parametrize("word", [*sorted(orders.WORDS), *sorted(tasks.WORDS)])
def test_a_bare_answer_is_no_report_and_one_that_tells_something_is(word: str) -> None:
    word = "cannot comply" if word == "cannot" else word
    for answer in (f"{word.upper()} T-7F3A", f" {word} T1. ", f"{word}, T-7f3a!"):
        assert is_bare_answer(answer), answer
    assert not is_bare_answer(f"{word} T-7F3A the bridge is out")
    assert not is_bare_answer(f"{word} digging at the bridge")


def test_a_question_looks_at_what_tells_of_the_world_unless_a_test_names_more(desk: Any) -> None:
    here = {"place": {"lat_deg": 33.1, "lon_deg": 35.3}, "radius_m": 2000}
    plain = ask(desk, "What moves on the bridge?", {"words": ["bridge"]}, {"area": here})
    own = ask(desk, "Which tasks name the bridge?", {"words": ["bridge"], "kinds": ["tasks."]})
    task = desk.post("/tasks", task={"unit": "PTL 3", "verb": "OBSRV", "title": "Watch the bridge"})
    desk.post(f"/tasks/{task['id']}/step", action="issue")
    desk.post("/orders", order={"kind": "OPORD", "title": "BRIDGE", "mission": {"what": "observe the bridge"}})
    bound = ask(desk, "What becomes of the task?", {"links": [task["id"]]})
    desk.post(f"/tasks/{task['id']}/step", action="wilco", on_behalf=True)
    desk.post("/notes", text="WILCO T-7F3A")
    told = desk.post("/notes", text="CANNOT COMPLY T-7F3A the bridge is out")["entry"]
    hits = {row["id"]: [hit["entry"] for hit in row["hits"]] for row in desk.get("/questions")}
    assert hits[plain] == [told]
    assert hits[own] == [task["entry"]]
    assert len(hits[bound]) == 1


def test_a_report_that_fits_reads_as_its_title_and_its_fields(desk: Any, port: Any) -> None:
    id = ask(desk, "Who digs?", {"words": ["digging"]})
    place = {"lat_deg": 33.1, "lon_deg": 35.3}
    values = {"size": "4 persons", "activity": "digging", "place": place, "time": port.now_ms}
    desk.post("/reports", report={"form": "salute", "unit": "PTL 3", "values": values}, file=True)
    (hit,) = desk.get(f"/questions/{id}")["row"]["hits"]
    title, *lines = hit["text"].split("\n")
    assert title == "SALUTE report of PTL 3"
    assert lines[0] == "activity: digging"
    assert sorted(lines) == ["activity: digging", "size: 4 persons", f"time: {dtg(port.now_ms)}"]
    # Of a long one the fields that hold a sought word, and a few more.
    more = {"equipment": "spades", "remarks": "no road", "observer": "OP 1", "grade": "B2", "unit": "not known"}
    desk.post("/reports", report={"form": "salute", "unit": "PTL 4", "values": {**values, **more}}, file=True)
    (_, long) = desk.get(f"/questions/{id}")["row"]["hits"]
    told = long["text"].split("\n")
    assert (told[1], len(told), told[-1]) == ("activity: digging", 7, "...")
    step(desk, id, "ack", entry=long["entry"])
    (need,) = desk.get("/needs/questions")
    assert need["title"] == "Who digs?: SALUTE report of PTL 3"


def test_the_steps_of_one_line_are_one_hit(desk: Any) -> None:
    """Each is an entry that holds the sought word; the first that does is the evidence."""
    id = ask(desk, "Drones?", {"words": ["drone"]})
    line = desk.post("/incidents", line={"text": "something in the air"})
    fitting = desk.post(f"/incidents/{line['id']}/steps", action="amend", fields={"text": "a drone", "reason": "seen"})
    desk.post(f"/incidents/{line['id']}/steps", action="amend", fields={"text": "a drone, black", "reason": "seen"})
    other = desk.post("/incidents", line={"text": "one more drone"})
    hits = desk.get(f"/questions/{id}")["row"]["hits"]
    assert [hit["entry"] for hit in hits] == [fitting["entry"], other["entry"]]


def test_one_line_under_two_markings_is_a_hit_for_the_readers_of_each(desk: Any, partner: Any, port: Any) -> None:
    ask(desk, "Drones?", {"words": ["drone"]})
    for label, action in ((NATIONAL, "log"), (OPEN, "amend"), (OPEN, "amend")):
        fields = {"text": "a drone"}
        line = Paper(type="incidents.line", target="l1", action=action, happened_at_ms=port.now_ms, fields=fields)
        port.say(line, label)
    assert len(desk.get("/questions")[0]["hits"]) == 1
    assert len(partner.get("/questions")[0]["hits"]) == 2


def test_a_hit_is_shown_to_whom_may_have_its_evidence(desk: Any, partner: Any, port: Any) -> None:
    ask(desk, "Drones?", {"words": ["drone"]})
    report = port.report("d1", 33.0, 35.0, category="marker", remarks="drone", how="h-g-i-g-o")
    port.say(report, NATIONAL)
    assert desk.get("/questions")[0]["hits"] == []
    assert len(partner.get("/questions")[0]["hits"]) == 1
    port.say(report, OPEN)
    assert len(desk.get("/questions")[0]["hits"]) == 1


def test_time_left_and_refusals(desk: Any, port: Any) -> None:
    id = ask(desk, "?", ltiov_ms=port.now_ms + MINUTE_MS)
    assert desk.get("/questions")[0]["left_ms"] == MINUTE_MS
    port.now_ms += 2 * MINUTE_MS
    assert desk.get("/questions")[0]["is_overdue"]
    assert "fits everything" in str(desk.post("/questions", 400, question={"text": "x", "tests": [{}]}))
    assert "no hit of this question" in str(step(desk, id, "ack", 422, entry="x"))
    assert "name entries that you may read" in str(step(desk, id, "answer", 422, answer="x", sources=["y"]))
    span = {"from_ms": port.now_ms + 2, "ltiov_ms": port.now_ms + 1}
    late = desk.post("/questions", 422, question={"text": "x", **span})
    assert "is not after" in str(late)
    assert "a step of the node" in str(step(desk, id, "hit", 422))
    step(desk, id, "close")
    assert "reopen" in str(step(desk, id, "edit", 422, text="y"))


def test_only_what_happens_from_its_time_on_is_a_hit_and_a_pause_puts_that_time_off(desk: Any, port: Any) -> None:
    from_ms = port.now_ms + 10 * MINUTE_MS
    ask(desk, "Is it open?", tests=[{"words": ["bridge"]}], from_ms=from_ms)
    assert desk.get("/questions")[0]["from_ms"] == from_ms
    desk.post("/notes", text="the bridge holds")
    desk.post("/exercise/steps", action="pause")
    port.now_ms += 5 * MINUTE_MS
    desk.post("/exercise/steps", action="resume")
    (row,) = desk.get("/questions")
    assert (row["from_ms"], row["hits"]) == (from_ms + 5 * MINUTE_MS, [])
    port.now_ms = from_ms + MINUTE_MS
    desk.post("/notes", text="the bridge still holds")
    assert desk.get("/questions")[0]["hits"] == []
    port.now_ms = from_ms + 5 * MINUTE_MS
    desk.post("/notes", text="the bridge is down")
    assert [hit["text"] for hit in desk.get("/questions")[0]["hits"]] == ["the bridge is down"]


def test_a_request_for_information_is_answered_with_its_sources(desk: Any, port: Any) -> None:
    entry = desk.post("/notes", text="bridge holds 20 t")["entry"]
    id = desk.post("/rfis", request={"question": "load?", "to": "engineers", "needed_by_ms": port.now_ms + 1})["id"]
    port.now_ms += MINUTE_MS
    (need,) = desk.get("/needs/questions", role="intelligence_officer")
    assert (need["kind"], need["is_overdue"]) == ("rfi", True)
    path = f"/rfis/{id}/steps"
    desk.post(path, action="accept")
    desk.post(path, action="task", fields={"tasked_to": "1 Eng"})
    desk.post(path, 422, action="answer", fields={"answer": "20 t", "sources": []})
    desk.post(path, action="answer", fields={"answer": "20 t", "sources": [entry]})
    (row,) = desk.get("/rfis")
    assert (row["state"], row["to"], row["fields"]["sources"]) == ("answered", "1 Eng", [entry])
    assert desk.post(path, action="close")["state"] == "closed"
    old = {"question": "x", "to": "y", "needed_by_ms": 1}
    assert "name a later time" in str(desk.post("/rfis", 422, request=old))


def test_an_answer_names_only_what_its_writer_may_read(desk: Any, partner: Any, port: Any) -> None:
    id = ask(desk, "Who digs?", {"words": ["digging"]})
    paper = Paper(type="incidents.line", target="l1", action="log", happened_at_ms=port.now_ms, fields={"text": "men"})
    closed = port.say(paper, NATIONAL).envelope.id
    assert "name entries that you may read" in str(step(desk, id, "answer", 422, answer="men", sources=[closed]))
    step(partner, id, "answer", answer="men", sources=[closed])


def test_one_person_cannot_make_of_every_line_as_many_hits_as_he_likes(
    desk: Any, partner: Any, port: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "OPEN_OF_ONE", 2)
    first, _ = ask(desk, "one?", {"words": ["bridge"]}), ask(desk, "two?", {"words": ["bridge"]})
    more = {"text": "three?", "tests": [{"words": ["bridge"]}]}
    assert "2 open questions of yours stand" in str(desk.post("/questions", 507, question=more))
    step(desk, first, "close")
    ask(desk, "three?", {"words": ["bridge"]})
    assert "answer or close some" in str(step(desk, first, "reopen", 507, reason="it is not"))
    ask(partner, "of somebody else?", {"words": ["bridge"]})
    desk.post("/notes", text="the bridge holds")
    hits = [each for each in desk.get("/entries", kind="paper") if each["body"]["action"] == "hit"]
    assert len(hits) == 3
