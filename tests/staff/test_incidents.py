"""Lines: told, climbed, closed; nothing erased; duplicates found and merged."""

from typing import Any

MINUTE_MS = 60_000


def log(desk: Any, text: str, **line: Any) -> str:
    made: str = desk.post("/incidents", line={"text": text, **line})["id"]
    return made


def step(desk: Any, id: str, action: str, status: int = 201, **fields: Any) -> Any:
    return desk.post(f"/incidents/{id}/steps", status, action=action, fields=fields)


def needs(desk: Any, role: str) -> list[tuple[str, str]]:
    return [(row["kind"], row["id"]) for row in desk.get("/needs/incidents", role=role)]


def test_the_vignette_a_key_line_is_before_the_duty_officer_at_once_and_climbs(
    desk: Any, viewer: Any, port: Any
) -> None:
    """In the documented case a line of 0727 was read at 0902; here nothing but the commit lies between."""
    line = log(desk, "shots heard near UNP 1-31", key=True, precedence="O")
    assert needs(viewer, "duty_officer") == [("tell", line)]
    assert needs(viewer, "chief_of_operations") == []
    port.tick(4 * MINUTE_MS)
    assert needs(viewer, "chief_of_operations") == []
    port.tick(MINUTE_MS)
    port.tick()
    assert needs(viewer, "chief_of_operations") == [("tell", line)]
    port.tick(5 * MINUTE_MS)
    port.tick()
    assert needs(viewer, "commander") == [("tell", line)]
    steps = desk.get(f"/incidents/{line}")["steps"]
    assert [each["action"] for each in steps] == ["climb", "climb", "log"]
    step(desk, line, "ack", role="commander")
    assert needs(viewer, "commander") == []
    step(desk, line, "close", outcome="patrol sent")


def test_no_line_closes_without_who_was_told(desk: Any) -> None:
    line = log(desk, "lost goat")
    assert "nobody was told" in str(step(desk, line, "close", 422))
    step(desk, line, "told", role="watch_officer")
    assert "watch_officer did not acknowledge" in str(step(desk, line, "close", 422))
    step(desk, line, "ack", role="watch_officer")
    step(desk, line, "act", who="A Coy", what="look for it")
    assert "look for it" in str(step(desk, line, "close", 422))
    (deed,) = desk.get(f"/incidents/{line}")["row"]["deeds"]
    step(desk, line, "done", deed=deed["id"])
    assert step(desk, line, "close")["state"] == "closed"
    assert "closed: amend is not possible now, but reopen" in str(step(desk, line, "amend", 422, reason="x", text="y"))
    assert step(desk, line, "reopen", reason="found again")["state"] == "triage"


def test_an_amendment_erases_nothing(desk: Any) -> None:
    line = log(desk, "4 persons at the bridge")
    step(desk, line, "amend", text="6 persons at the bridge", reason="recount")
    detail = desk.get(f"/incidents/{line}")
    assert detail["row"]["text"] == "6 persons at the bridge"
    assert [each["fields"]["text"] for each in detail["steps"]] == [
        "6 persons at the bridge",
        "4 persons at the bridge",
    ]


def test_what_may_be_the_same_is_suggested_and_merging_keeps_both(desk: Any, port: Any) -> None:
    here, far = {"lat_deg": 33.1, "lon_deg": 35.3}, {"lat_deg": 33.5, "lon_deg": 35.3}
    first = log(desk, "two trucks stopped at the bridge", place=here)
    port.now_ms += 10 * MINUTE_MS
    second = log(desk, "Trucks (two) stopped at bridge", place=here, tell=["liaison_officer"])
    log(desk, "two trucks stopped at the bridge", place=far)
    log(desk, "water delivered to the school", place=here)
    (alike,) = desk.get(f"/incidents/{second}/duplicates")
    assert (alike["id"], alike["apart_ms"], alike["distance_m"]) == (first, 10 * MINUTE_MS, 0.0)
    step(desk, second, "merge", other=first)
    assert desk.get(f"/incidents/{second}")["row"]["fields"]["merged_into"] == first
    assert [each["role"] for each in desk.get(f"/incidents/{first}")["row"]["tellings"]] == ["liaison_officer"]


def test_what_cannot_be_is_refused_with_a_sentence(desk: Any, viewer: Any, port: Any) -> None:
    line = log(desk, "<script>alert(1)</script>")
    assert desk.get(f"/incidents/{line}")["row"]["text"] == "<script>alert(1)</script>"
    later = desk.post("/incidents", 422, line={"text": "x"}, happened_at_ms=port.now_ms + 10 * MINUTE_MS)
    assert "lies in the future" in str(later)
    desk.post("/incidents", 413, line={"text": "x" * 1_000_000})
    desk.post("/incidents", 400, line={"text": "x" * 10_000})
    assert "It takes role" in str(step(desk, line, "ack", 422, who="x"))
    assert "tell it first" in str(step(desk, line, "ack", 422, role="commander"))
    step(desk, "nothing", "ack", 404, role="x")
    viewer.post("/incidents", 403, line={"text": "x"})


def test_significant_activities_are_listed_with_what_is_known(desk: Any) -> None:
    log(desk, "plain line")
    casualties = [{"side": "civil", "injured": 2}]
    line = log(desk, "mine strike", category="explosion", casualties=casualties, verification="probable")
    (row,) = desk.get("/incidents", significant=True)
    assert (row["id"], row["fields"]["casualties"], row["fields"]["verification"]) == (line, casualties, "probable")
