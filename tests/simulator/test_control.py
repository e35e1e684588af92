"""The simulator obeys exercise control: a clock that pauses and changes its pace, injects fired once."""

import asyncio
from importlib import resources
from typing import Any

import pytest

from aquila.simulator.clock import PlayClock
from aquila.simulator.control import Control
from aquila.simulator.scenario import ScenarioError, read, shipped
from aquila.simulator.script import documents, inject_documents, presence, script
from aquila.simulator.staff import ActError

START_MS = 1_800_000_000_000
SCENARIO = shipped("snow-leopard")
SHELF = resources.files("aquila.simulator") / "scenarios" / "snow-leopard"
SCENARIO_TOML = (SHELF / "scenario.toml").read_bytes()
ROUTES = (SHELF / "routes.json").read_bytes()
STAFF = (SHELF / "staff.toml").read_bytes()


class Node:
    """Answers as the node would."""

    def __init__(self) -> None:
        self.run: dict[str, Any] = {"state": "running", "pace": 1.0}
        self.rows: list[dict[str, Any]] = []
        self.refuses = False

    def inject(self, plays: str, left_ms: int | None, state: str = "planned") -> None:
        self.rows.append({"id": plays, "title": plays, "plays": plays, "left_ms": left_ms, "state": state, "heads": []})

    async def __call__(self, person: str, method: str, path: str, body: Any) -> Any:
        if path == "/exercise":
            return self.run
        if method == "GET":
            return self.rows
        if self.refuses:
            raise ActError("needs the post of exercise control")
        next(row for row in self.rows if path == f"/exercise/injects/{row['id']}/steps")["state"] = "fired"
        return {}


def look(control: Control, node: Node, at_ms: int = START_MS) -> None:
    asyncio.run(control.look("exercise.control", node, lambda: at_ms))


def test_the_clock_stands_in_a_pause_and_goes_on_where_it_stood() -> None:
    clock = PlayClock(START_MS, 100.0)
    assert clock.epoch_ms(START_MS) == START_MS - 100_000
    assert clock.set(START_MS + 10_000, is_paused=True, speed=1.0)
    assert clock.now_s(START_MS + 70_000) == 110.0
    # Whatever is said in the pause is of now.
    assert clock.epoch_ms(START_MS + 70_000) == START_MS + 70_000 - 110_000
    assert clock.set(START_MS + 70_000, is_paused=False, speed=2.0)
    assert clock.now_s(START_MS + 75_000) == 120.0
    assert not clock.set(START_MS + 80_000, is_paused=False, speed=2.0)
    with pytest.raises(ValueError, match="above 0"):
        clock.set(START_MS, is_paused=False, speed=0.0)


def test_what_is_due_is_fired_once_and_played_once() -> None:
    node, control = Node(), Control(PlayClock(START_MS, 0.0))
    node.inject("old", None, "fired")
    node.inject("now", -1)
    node.inject("later", 60_000)
    node.inject("held", -1, "held")
    node.inject("", -1)
    for _ in range(3):
        look(control, node)
    assert list(control.fired) == ["now"]
    assert [row["state"] for row in node.rows] == ["fired", "fired", "planned", "held", "planned"]


def test_in_a_pause_nothing_is_fired_and_a_person_with_the_post_fires_by_hand() -> None:
    node, control = Node(), Control(PlayClock(START_MS, 0.0))
    node.inject("now", -1)
    node.run = {"state": "paused", "pace": 1.0}
    look(control, node)
    assert control.clock.is_paused
    node.run, node.refuses = {"state": "running", "pace": 1.0}, True
    look(control, node)
    assert node.rows[0]["state"] == "planned"
    node.rows[0]["state"] = "fired"
    look(control, node)
    assert list(control.fired) == ["now"]


def test_an_inject_is_played_by_its_clients_and_never_by_the_clock() -> None:
    ready = script(SCENARIO, START_MS)
    fired = {beat.inject for beat in SCENARIO.beats if beat.inject}
    planned = {act.body["inject"]["plays"] for act in SCENARIO.staff.acts if act.path == "/exercise/injects"}
    assert fired == planned
    said = inject_documents(ready, "lost_walkers", 900.0)
    assert [document.client for document in said] == ["BLEU PC", "BLEU PC"]
    assert all(document.lasting for document in said)
    assert b"OVERDUE" in said[0].body
    whole = documents(ready, -1.0, SCENARIO.period_s - 1.0)
    assert not [document for document in whole if b"WALKERS" in document.body]


def test_in_a_pause_clients_say_where_they_stand_under_the_time_of_now() -> None:
    clock = PlayClock(START_MS, 200.0)
    clock.set(START_MS, is_paused=True, speed=1.0)
    early, late = (script(SCENARIO, clock.epoch_ms(at_ms)) for at_ms in (START_MS, START_MS + 600_000))
    callsign = SCENARIO.clients()[0].callsign
    (before,), (after,) = (presence(ready, callsign, 200.0)[:1] for ready in (early, late))
    assert before.body != after.body
    assert before.body.split(b"<point")[1].split(b"/>")[0] == after.body.split(b"<point")[1].split(b"/>")[0]


def test_a_beat_of_an_inject_that_nobody_plans_is_refused() -> None:
    with pytest.raises(ScenarioError, match="avalanche"):
        read(SCENARIO_TOML.replace(b'inject = "bulletin"', b'inject = "avalanche"'), ROUTES, STAFF)
