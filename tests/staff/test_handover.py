"""Handover: what is new, changed, open, promised, overdue, unsure since the last one; both sign."""

import base64
from typing import Any

import pytest

from aquila.testing.memory_node import NATIONAL

MINUTE_MS = 60_000


@pytest.fixture
def relief(port: Any, client: Any, desk: Any) -> Any:
    """An operator who comes on shift."""
    return type(desk)(client, port.token("relief", "operator"))


def sections(desk: Any, **ask: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in desk.get("/handover", **ask):
        found.setdefault(line["section"], []).append(line["text"])
    return found


def test_a_shift_is_handed_over_and_both_sign(desk: Any, relief: Any, port: Any) -> None:
    first = desk.post("/incidents", line={"text": "mine at the ford", "category": "explosive"})["id"]
    due_ms = port.now_ms + 10 * MINUTE_MS
    deed = {"who": "A Coy", "what": "cordon", "due_ms": due_ms}
    desk.post(f"/incidents/{first}/steps", action="act", fields=deed)
    found = sections(desk)
    assert found["new"] == ["mine at the ford"]
    assert found["promised"] == ["cordon"]
    assert found["unsure"] == ["mine at the ford: unverified"]
    assert "overdue" not in found
    port.now_ms += 20 * MINUTE_MS
    assert sections(desk)["overdue"] == ["cordon"]

    shift = desk.post("/handovers", remarks="quiet <b>night</b>")["id"]
    assert [need["id"] for need in relief.get("/needs/handover", role="watch_officer")] == [shift]
    assert "somebody else has to sign" in str(desk.post(f"/handovers/{shift}/take", 422))
    assert relief.post(f"/handovers/{shift}/take", remarks="taken")["state"] == "taken"
    assert "taken: take is not possible" in str(relief.post(f"/handovers/{shift}/take", 422))
    document = desk.get(f"/handovers/{shift}/document")
    assert "cordon (A Coy by " in document["text"]
    assert "Signed: token:watch goes; token:relief comes" in document["text"]
    assert base64.b64decode(document["pdf"]).startswith(b"%PDF-")

    port.now_ms += MINUTE_MS
    desk.post(f"/incidents/{first}/steps", action="amend", fields={"reason": "seen", "verification": "confirmed"})
    desk.post("/incidents", line={"text": "goat found"})
    found = sections(relief)
    assert found["new"] == ["goat found"]
    assert found["changed"] == ["mine at the ford: amend"]
    assert "unsure" not in found


def test_what_is_done_is_not_open_and_an_offer_can_be_withdrawn(desk: Any, relief: Any) -> None:
    line = desk.post("/incidents", line={"text": "noise", "tell": ["watch_officer"]})["id"]
    desk.post(f"/incidents/{line}/steps", action="ack", fields={"role": "watch_officer"})
    desk.post(f"/incidents/{line}/steps", action="close")
    assert "open" not in sections(desk)
    shift = desk.post("/handovers")["id"]
    assert "only they can withdraw" in str(relief.post(f"/handovers/{shift}/withdraw", 422))
    assert desk.post(f"/handovers/{shift}/withdraw")["state"] == "withdrawn"
    assert sections(desk)["new"] == ["noise"]


def test_nobody_is_handed_over_what_he_may_not_have(desk: Any, partner: Any, port: Any) -> None:
    report = port.report("med", 33.0, 35.0, type="b-r-f-h-c", category="alert", fields={"urgent": "1"})
    port.say(report, NATIONAL)
    assert sections(desk) == {}
    assert sections(partner)["open"] == ["MEDEVAC med"]
