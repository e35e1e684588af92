"""A phone's request at the desk in one commit; clocks of every casualty; closed with times."""

from typing import Any

import pytest

from aquila.core.dtg import dtg
from aquila.core.model import Label
from aquila.core.phrases import phrase_in
from aquila.features.medevac.request import headline
from aquila.testing.memory_node import NATIONAL, OPEN

MINUTE_MS = 60_000
FIELDS = {
    **{"title": "MED.1", "freq": "38.90", "urgent": "1", "priority": "1", "litter": "1", "ambulatory": "1"},
    **{"security": "1", "hlz_marking": "2", "nonus_military": "2", "hoist": "true", "terrain_slope": "true"},
    **{"zMist1.z": "A1", "zMist1.m": "fall", "zMist1.i": "leg", "zMist1.s": "BP 110/70", "zMist1.t": "splint"},
}


def phone_asks(port: Any, label: Label = OPEN, **more: str) -> None:
    report = port.report(
        "med-1", 33.1, 35.3, type="b-r-f-h-c", category="alert", motion=None, fields={**FIELDS, **more}
    )
    port.say(report, label)


def step(desk: Any, id: str, action: str, status: int = 201, **fields: Any) -> Any:
    return desk.post(f"/medevac/requests/{id}/steps", status, action=action, fields=fields)


@pytest.mark.parametrize(("title", "line"), [("MED.1", "MEDEVAC MED.1"), ("MEDEVAC 1", "MEDEVAC 1")])
def test_the_journal_says_medevac_once(title: str, line: str) -> None:
    assert headline(title) == line


def test_from_the_phone_to_closed_with_times(desk: Any, port: Any) -> None:
    phone_asks(port)
    (row,) = desk.get("/medevac/requests")
    assert (row["state"], row["title"], [each["precedence"] for each in row["casualties"]]) == (
        "requested",
        "MED.1",
        ["A", "C"],
    )
    assert "Line 3, patients: 1 urgent, 1 priority." in row["script"]
    assert "Line 6, security: possible threat." in row["script"]
    assert [need["kind"] for need in desk.get("/needs/medevac", role="medical_officer")] == ["requested"]
    asset = desk.post("/medevac/assets", asset={"name": "PEDRO", "kind": "rotary", "litter": 2})["id"]
    hospital = desk.post(
        "/medevac/facilities", facility={"name": "Role 2", "role": 2, "beds": 8, "beds_free": 3, "surgeon": True}
    )["id"]
    id = row["id"]
    step(desk, id, "approve", asset=asset)
    step(desk, id, "launch")
    port.now_ms += 30 * MINUTE_MS
    step(desk, id, "pickup")
    assert "deliver" in str(step(desk, id, "close", 422))
    step(desk, id, "deliver", facility=hospital)
    step(desk, id, "mark", mark="injury", at_ms=row["asked_at_ms"] - 5 * MINUTE_MS)
    step(desk, id, "mark", mark="first_aid", at_ms=row["asked_at_ms"], number=1)
    step(desk, id, "close")
    found = desk.get(f"/medevac/requests/{id}")
    # The journal says which time was noted, and of whom.
    injured, aided = dtg(row["asked_at_ms"] - 5 * MINUTE_MS), dtg(row["asked_at_ms"])
    lines = [each["summary"].partition("MED.1")[2] for each in found["steps"] if each["action"] == "mark"]
    assert sorted(lines) == [f", casualty 1: first aid at {aided}", f": injury at {injured}"]
    said = [phrase_in("medevac.request", each["summary"]).act for each in found["steps"] if each["action"] == "mark"]
    assert sorted(said) == ["medevac.request.marked", "medevac.request.marked_one"]
    row = found["row"]
    assert (row["state"], row["asset"], row["facility"]) == ("closed", asset, hospital)
    first, second = row["casualties"]
    assert [(clock["mark"], clock["is_late"]) for clock in first["clocks"]] == [
        ("first_aid", False),
        ("mtf1", False),
        ("surgery", False),
    ]
    assert second["clocks"][0]["is_late"]
    assert {"approved", "launch", "pickup", "mtf1", "request", "injury"} <= set(first["times"])
    assert desk.get("/needs/medevac") == []


def test_the_same_said_again_is_one_request_and_news_are_taken_in(desk: Any, port: Any) -> None:
    phone_asks(port)
    phone_asks(port)
    (row,) = desk.get("/medevac/requests")
    assert len(desk.get(f"/medevac/requests/{row['id']}")["steps"]) == 1
    phone_asks(port, urgent="2")
    (row,) = desk.get("/medevac/requests")
    assert len(row["casualties"]) == 3
    assert [each["action"] for each in desk.get(f"/medevac/requests/{row['id']}")["steps"]] == ["update", "request"]


def test_a_request_keeps_the_marking_of_the_phone(desk: Any, partner: Any, port: Any) -> None:
    phone_asks(port, NATIONAL)
    assert desk.get("/medevac/requests") == []
    assert len(partner.get("/medevac/requests")) == 1


def test_what_a_peer_sends_badly_raises_nothing(desk: Any, port: Any) -> None:
    phone_asks(port, urgent="many", litter="-1", security="9", hlz_marking="x")
    (row,) = desk.get("/medevac/requests")
    assert [each["precedence"] for each in row["casualties"]] == ["C"]
    assert "Line 6, security: unknown." in row["script"]


def test_a_desk_asks_and_bad_input_is_refused(desk: Any, port: Any) -> None:
    made = desk.post("/medevac/requests", request={"title": "M2", "lines": {"urgent": "1"}})["id"]
    wrong = desk.post("/medevac/requests", 400, request={"title": "M3", "lines": {"freq": "1"}})
    assert "say how many" in str(wrong)
    assert "not in the form" in str(
        desk.post("/medevac/requests", 400, request={"title": "M3", "lines": {"urgent": "1", "bombs": "1"}})
    )
    assert "keep it first" in str(step(desk, made, "approve", 422, asset="none"))
    late = step(desk, made, "mark", 422, mark="injury", at_ms=port.now_ms + 600_000)
    assert "lies in the future" in str(late)
    assert "counts 1 to 1" in str(step(desk, made, "mark", 422, mark="injury", at_ms=port.now_ms, number=9))
    facility = {"name": "x", "beds": 1, "beds_free": 2}
    assert "count the beds" in str(desk.post("/medevac/facilities", 400, facility=facility))
