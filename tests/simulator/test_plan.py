"""The plan of the shipped staff against what its clients do: a task is late because it was planted, or by the story."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from aquila.features.tasks.judge import Case, Fix, judge
from aquila.features.tasks.task import TaskCondition
from aquila.simulator.motion import fix_at, timelines
from aquila.simulator.scenario import shipped
from aquila.simulator.script import is_silent
from aquila.simulator.staff import Act, filled

SCENARIO = shipped("snow-leopard")
PERIOD_S = round(SCENARIO.period_s)
SERIALS = 12
LINES = timelines(SCENARIO)
EPOCH_MS = 1_800_000_000_000
PLANTED = {("SAPEUR 25", "late"), ("BARYS 31", "late")}
"""The bridge that is reached outside its time, and the patrol that the story loses."""
ANSWERED_S = 30
"""How much later than its act a line may come to a client."""


def tasks() -> list[tuple[Act, dict[str, Any]]]:
    return [(act, act.body["task"]) for act in SCENARIO.staff.acts if "task" in act.body]


def order_tasks() -> list[dict[str, Any]]:
    (order,) = [act.body["order"] for act in SCENARIO.staff.acts if act.body.get("order", {}).get("kind") == "OPORD"]
    return list(order["tasks"])


def place_of(callsign: str, at_s: int) -> Fix:
    fix = fix_at(LINES[callsign], float(at_s))
    return Fix(fix.lat_deg, fix.lon_deg, EPOCH_MS + at_s * 1000)


def noticed(task: dict[str, Any], serial: int) -> Iterator[tuple[str, str]]:
    """What the node notices about the task in this serial, as (unit, verdict): it looks every five seconds."""
    begun_s = serial * PERIOD_S
    said = filled(task, {"serial": "1"}, EPOCH_MS + begun_s * 1000)
    mover = SCENARIO.mover(said["unit"])
    for place, condition in enumerate(msgspec.convert(said["conditions"], list[TaskCondition])):
        fix, heard_ms, verdict, inside_ms = None, None, "open", None
        for at_s in range(begun_s + 15, begun_s + PERIOD_S, 5):
            if not is_silent(SCENARIO, mover, at_s):
                fix = place_of(mover.callsign, at_s)
                heard_ms = fix.at_ms
            case = Case(
                task="t",
                place=place,
                condition=condition,
                start_ms=said["start_ms"],
                end_ms=said["end_ms"],
                polygon=condition.area.to_polygon() if condition.area else None,
                fix=fix,
                escorted=place_of(condition.entity, at_s) if condition.entity else None,
                heard_ms=heard_ms,
                verdict=verdict,
                inside_since_ms=inside_ms,
            )
            for found in judge([case], EPOCH_MS + at_s * 1000):
                if found.action in ("enter", "leave"):
                    inside_ms = found.since if found.action == "enter" else None
                else:
                    verdict = found.action
                    yield mover.callsign, verdict


@pytest.mark.parametrize("serial", range(SERIALS))
def test_every_serial_has_the_planted_troubles_and_no_others(serial: int) -> None:
    found = {each for _, task in tasks() for each in noticed(task, serial)}
    assert {each for each in found if each[1] in ("late", "violated")} == PLANTED
    for unit in ("CAMOSCIO 11", "MARMOTTA 14", "QYRAN 17"):
        assert (unit, "on_time") in found


def ends_s(unit: str, text: str, heard_s: float) -> float | None:
    """When the unit says that a task is over; None = it never does."""
    says = next(each.says for each in SCENARIO.replies if each.by == unit and text in each.hears)
    return next((heard_s + each.after_s for each in says if "DONE" in each.text), None)


@pytest.mark.parametrize("begins_s", [0.0, SCENARIO.start_s])
def test_every_task_is_over_before_its_end_but_the_planted_one(begins_s: float) -> None:
    """Also in the serial that is under way when the play begins, in which every line comes later."""
    cancelled = {act.path: act.at_s for act in SCENARIO.staff.acts if act.body == {"action": "cancel"}}
    late = set()
    for act, task in tasks():
        heard_s = max(act.at_s, begins_s) + ANSWERED_S
        over_s = ends_s(task["unit"], "TASK", heard_s) or cancelled[f"/tasks/{{{act.key}}}/step"]
        if over_s > filled(task["end_ms"], {}, 0) / 1000:
            late.add(task["unit"])
    assert late == {"SAPEUR 25"}


def test_the_tasks_of_the_order_are_done_in_time_and_stay_done() -> None:
    for task in order_tasks():
        if "end_ms" not in task:
            continue
        over_s = ends_s(task["unit"], "OPORD", SCENARIO.start_s + ANSWERED_S)
        assert over_s is not None, task["id"]
        assert over_s <= filled(task["end_ms"], {}, 0) / 1000, task["id"]


def test_the_convoy_is_on_the_plateau_before_its_task_is_done() -> None:
    done_s = ends_s("BLEU PC", "OPORD", SCENARIO.start_s)
    assert done_s is not None
    assert fix_at(LINES["CONVOI 26"], done_s).speed_mps == 0.0
    end = SCENARIO.routes["turgen_assy"][-1]
    seen = place_of("CONVOI 26", round(done_s))
    assert (seen.lat_deg, seen.lon_deg) == pytest.approx((end.lat_deg, end.lon_deg), abs=0.001)
