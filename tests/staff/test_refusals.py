"""What nobody can mean is refused with a sentence of what to do: blanks, seconds for milliseconds, no such post."""

from typing import Any

import pytest

SECONDS = 1_795_000_000
"""A time of today, in seconds."""


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/questions", {"question": {"text": "  ", "tests": [{"words": ["ice"]}]}}),
        ("/rfis", {"request": {"question": "load?", "to": " \n "}}),
        ("/orbat/units", {"unit": {"name": "  "}}),
        ("/orders", {"order": {"kind": "OPORD", "title": "X", "distribution": ["  "]}}),
        ("/tasks", {"task": {"unit": " ", "verb": "OBSRV"}}),
        ("/incidents", {"line": {"text": "   "}}),
        ("/notes", {"text": " "}),
    ],
)
def test_texts_of_blanks_are_refused(desk: Any, path: str, fields: dict[str, Any]) -> None:
    before = len(desk.get("/entries", limit=1000))
    status = 422 if path in ("/orders", "/orbat/units", "/tasks") else 400
    assert "holds blanks only: write something" in str(desk.post(path, status, **fields))
    assert len(desk.get("/entries", limit=1000)) == before


def test_a_time_in_seconds_is_no_time(desk: Any) -> None:
    said = "lies before 2000: give milliseconds since 1970, not seconds"
    assert said in str(desk.post("/notes", 422, text="x", happened_at_ms=SECONDS))
    assert said in str(desk.post("/incidents", 422, line={"text": "x"}, happened_at_ms=SECONDS))
    id = desk.post("/incidents", line={"text": "x"})["id"]
    taken = desk.post(f"/incidents/{id}/steps", 422, action="triage", happened_at_ms=SECONDS)
    assert said in str(taken)


@pytest.mark.parametrize("word", ["..", "--", "(*)+$", "  "])
def test_a_word_that_every_text_has_is_no_test(desk: Any, word: str) -> None:
    answer = str(desk.post("/questions", 400, question={"text": "?", "tests": [{"words": [word]}]}))
    assert "every text has it: name another" in answer or "blanks only" in answer
    desk.post("/notes", text="all quiet")
    assert desk.get("/questions") == []


def test_an_empty_kind_is_no_test(desk: Any) -> None:
    answer = desk.post("/questions", 400, question={"text": "?", "tests": [{"kinds": [""]}]})
    assert "an empty kind fits everything" in str(answer)


def test_what_looks_like_a_pattern_is_a_word(desk: Any) -> None:
    """Nothing is evaluated: each figure and letter is sought as it stands."""
    id = desk.post("/questions", question={"text": "?", "tests": [{"words": ["(a+)+$", "b.*"]}]})["id"]
    desk.post("/notes", text="a" * 5000)
    desk.post("/notes", text="a b")
    assert [hit["text"] for hit in desk.get(f"/questions/{id}")["row"]["hits"]] == ["a b"]


def test_the_latest_time_of_an_answer_lies_ahead_and_after_the_start(desk: Any, port: Any) -> None:
    tests = [{"words": ["ice"]}]
    over = {"text": "?", "tests": tests, "ltiov_ms": port.now_ms - 1}
    assert "is over: name a later one" in str(desk.post("/questions", 422, question=over))
    start_ms = port.now_ms + 10_000
    id = desk.post("/questions", question={"text": "?", "tests": tests, "from_ms": start_ms})["id"]
    # The start stands in the question, not in this change of it.
    change = {"text": "?", "ltiov_ms": start_ms - 1}
    answer = desk.post(f"/questions/{id}/steps", 422, action="edit", fields=change)
    assert f"is not after {start_ms}" in str(answer)


def test_what_goes_to_no_post_reaches_nobody(desk: Any) -> None:
    said = "there is no post night_porter: "
    asked = {"text": "?", "tests": [{"words": ["ice"]}], "notify": ["night_porter"]}
    assert said in str(desk.post("/questions", 422, question=asked))
    assert said in str(desk.post("/incidents", 422, line={"text": "x", "tell": ["night_porter"]}))
    id = desk.post("/incidents", line={"text": "x"})["id"]
    told = desk.post(f"/incidents/{id}/steps", 422, action="tell", fields={"role": "night_porter"})
    assert said in str(told)
