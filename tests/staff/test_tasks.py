"""Tasks: answered by the addressee, judged against positions and the journal; each finding is said once."""

from pathlib import Path
from typing import Any

from aquila.features.orders.view import STATES as ORDER_STATES
from aquila.features.tasks.view import STATES, STEP_SAID
from aquila.testing.memory_node import MemoryPort
from tests.staff.conftest import Desk

MINUTE_MS = 60_000
AREA = {"name": "NAI 1", "points": [[45.0, 7.0], [45.0, 7.1], [45.1, 7.1], [45.1, 7.0]]}
INSIDE, OUTSIDE = (45.05, 7.05), (45.5, 7.5)
GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "staff"


def issue(desk: Any, **fields: Any) -> str:
    id: str = desk.post("/tasks", task={"unit": "FOX", "verb": "OBSRV", **fields})["id"]
    desk.post(f"/tasks/{id}/step", action="issue")
    return id


def verdict(desk: Any, id: str) -> tuple[str, str]:
    row = desk.get(f"/tasks/{id}")["row"]
    return row["verdict"], row["reason"]


def walk(port: MemoryPort, minutes: int, at: tuple[float, float] | None, uid: str = "FOX") -> None:
    for _ in range(minutes):
        if at is not None:
            port.place(uid, *at)
        port.tick(MINUTE_MS)


def test_reaching_an_area_is_on_time_or_late_once(desk: Any, port: MemoryPort) -> None:
    by_ms = port.now_ms + 10 * MINUTE_MS
    early = issue(desk, conditions=[{"kind": "reach", "area": AREA, "by_ms": by_ms}])
    late = issue(desk, unit="OWL", conditions=[{"kind": "reach", "area": AREA, "by_ms": by_ms}])
    walk(port, 3, OUTSIDE)
    assert verdict(desk, early)[0] == "open"
    walk(port, 12, INSIDE)
    assert verdict(desk, early)[0] == "on_time"
    assert verdict(desk, late)[0] == "late"
    assert "position is not known" in verdict(desk, late)[1]
    steps = [each["action"] for each in desk.get(f"/tasks/{late}")["steps"]]
    assert steps.count("late") == 1


def test_the_other_conditions(desk: Any, port: MemoryPort) -> None:
    end_ms = port.now_ms + 60 * MINUTE_MS
    kept = issue(desk, conditions=[{"kind": "stay_out", "area": AREA}])
    watch = issue(desk, end_ms=end_ms, conditions=[{"kind": "observe", "area": AREA, "minutes": 10}])
    told = issue(desk, unit="OWL", end_ms=end_ms, conditions=[{"kind": "report", "minutes": 30}])
    near = issue(desk, conditions=[{"kind": "keep_within", "within_m": 300, "entity": "BUS"}])
    port.place("BUS", *OUTSIDE)
    walk(port, 5, OUTSIDE)
    assert [verdict(desk, each)[0] for each in (kept, watch, told, near)] == ["open"] * 4
    walk(port, 5, INSIDE)
    walk(port, 1, OUTSIDE)
    assert verdict(desk, kept)[0] == "violated"
    assert "300 m allowed" in verdict(desk, near)[1]
    assert verdict(desk, watch)[0] == "open"
    walk(port, 12, INSIDE)
    assert verdict(desk, watch)[0] == "on_time"
    walk(port, 10, None)
    assert verdict(desk, told)[0] == "late"
    assert [each["action"] for each in desk.get(f"/tasks/{told}")["steps"]].count("late") == 1


def test_a_task_lives_by_its_addressee(desk: Any, port: MemoryPort, client: Any) -> None:
    id = issue(desk)
    fox, owl = (Desk(client, port.token(name, "viewer")) for name in ("FOX", "OWL"))
    assert "is not FOX" in str(owl.post(f"/tasks/{id}/step", 403, action="acknowledge"))
    fox.post(f"/tasks/{id}/step", 403, action="cancel")
    fox.post(f"/tasks/{id}/step", action="wilco")
    fox.post(f"/tasks/{id}/step", action="execute")
    assert "needs a reason" in str(fox.post(f"/tasks/{id}/step", 422, action="done_not_ok"))
    desk.post(f"/tasks/{id}/step", action="done_ok", on_behalf=True)
    assert "nothing more" in str(desk.post(f"/tasks/{id}", 422, fields={"title": "x"}))


def test_the_matrix_moves_a_task_and_a_late_one_asks_for_a_change(desk: Any, port: MemoryPort) -> None:
    start_ms = port.now_ms
    reach = {"kind": "reach", "area": AREA, "by_ms": start_ms + MINUTE_MS}
    id = issue(desk, start_ms=start_ms, end_ms=start_ms + MINUTE_MS, order="o1", order_task="T1", conditions=[reach])
    (cell,) = desk.get("/task-matrix")
    assert (cell["unit"], cell["is_movable"]) == ("FOX", True)
    desk.post(f"/tasks/{id}", fields={"end_ms": start_ms + 2 * MINUTE_MS}, seen=cell["heads"])
    assert desk.get("/task-matrix")[0]["end_ms"] == start_ms + 2 * MINUTE_MS
    assert desk.get("/orders/o1/task-changes") == []
    walk(port, 3, None)
    (change,) = desk.get("/orders/o1/task-changes")
    assert (change["path"], change["old"]) == ("tasks.T1.end_ms", start_ms + 2 * MINUTE_MS)


def test_tasks_follow_their_order_and_its_frago(desk: Any, port: MemoryPort, client: Any) -> None:
    start_ms = port.now_ms
    points = [[lat, lon] for lat, lon in AREA["points"]]
    task = {"id": "T1", "unit": "FOX", "verb": "OBSRV", "area": "N1", "start_ms": start_ms, "phase": "P1"}
    order = {
        "kind": "OPORD",
        "title": "Cedar",
        "phases": [{"id": "P1", "name": "One"}],
        "graphics": [{"id": "N1", "name": "NAI 1", "shape": "polygon", "points": points}],
        "tasks": [{**task, "end_ms": start_ms + 60 * MINUTE_MS, "watch": [{"kind": "reach"}]}],
        "distribution": ["FOX"],
    }
    id = desk.post("/orders", order=order)["id"]
    assert desk.get("/tasks") == []
    for action in ("approve", "issue"):
        desk.post(f"/orders/{id}/step", action=action)
    (row,) = desk.get("/tasks", order=id)
    assert (row["state"], row["task"]["order_task"], row["task"]["conditions"][0]["area"]["name"]) == (
        "issued",
        "T1",
        "NAI 1",
    )
    fox = Desk(client, port.token("FOX", "viewer"))
    fox.post(f"/orders/{id}/answer", addressee="FOX", action="wilco")
    assert desk.get("/task-matrix")[0]["state"] == "wilco"
    # Moving the cell is a proposal first, and the task moves when the FRAGO is issued.
    moves = [
        {"path": f"tasks.T1.{name}", "new": start_ms + at * MINUTE_MS} for name, at in (("start_ms", 30), ("end_ms", 5))
    ]
    assert "name a later end" in str(desk.post(f"/orders/{id}/frago", 422, changes=moves[::-1]))
    moves[1]["new"] = start_ms + 90 * MINUTE_MS
    frago = desk.post(f"/orders/{id}/frago", changes=moves[::-1])["id"]
    (cell,) = desk.get("/task-matrix")
    assert (cell["end_ms"], cell["proposed_end_ms"]) == (start_ms + 60 * MINUTE_MS, start_ms + 90 * MINUTE_MS)
    assert cell["proposal"] == frago
    for action in ("approve", "issue"):
        desk.post(f"/orders/{frago}/step", action=action)
    (cell,) = desk.get("/task-matrix")
    assert (cell["start_ms"], cell["end_ms"], cell["proposal"]) == (
        start_ms + 30 * MINUTE_MS,
        start_ms + 90 * MINUTE_MS,
        None,
    )
    port.tick(91 * MINUTE_MS)
    (need,) = desk.get("/needs/tasks")
    assert (need["kind"], need["is_overdue"]) == ("late", True)
    entry = desk.get(f"/tasks/{cell['id']}")["row"]["judgements"][0]["entry"]
    assert port.journal.entry(entry).body.action == "late"
    desk.post(f"/orders/{id}/step", action="cancel")
    assert desk.get("/tasks")[0]["state"] == "cancelled"


def test_a_task_given_to_another_unit_is_answered_and_judged_anew(desk: Any, port: MemoryPort) -> None:
    by_ms = port.now_ms + 10 * MINUTE_MS
    id = issue(desk, conditions=[{"kind": "reach", "area": AREA, "by_ms": by_ms}])
    desk.post(f"/tasks/{id}/step", action="wilco", on_behalf=True)
    walk(port, 11, OUTSIDE)
    assert verdict(desk, id)[0] == "late"
    desk.post(f"/tasks/{id}", fields={"unit": "OWL"})
    row = desk.get(f"/tasks/{id}")["row"]
    assert (row["unit"], row["state"], row["verdict"]) == ("OWL", "issued", "open")
    assert "reassign" not in row["actions"]
    # What is true of the new one is said of it as well, once.
    walk(port, 2, None)
    assert verdict(desk, id)[0] == "late"
    assert [each["action"] for each in desk.get(f"/tasks/{id}")["steps"]].count("late") == 2
    # A draft has no answer yet, so nothing begins anew.
    draft = desk.post("/tasks", task={"unit": "FOX", "verb": "OBSRV"})["id"]
    desk.post(f"/tasks/{draft}", fields={"unit": "OWL"})
    assert desk.get(f"/tasks/{draft}")["row"]["state"] == "draft"


def test_a_national_caveat_warns_with_its_text(desk: Any) -> None:
    caveats = [{"text": "no patrols by night", "verbs": ["PATROL"]}]
    unit = desk.post("/orbat/units", unit={"name": "A Coy", "caveats": caveats})["id"]
    warned = desk.post("/tasks", task={"unit": unit, "verb": "PATROL"})
    assert [(one["act"], one["words"]["text"]) for one in warned["warnings"]] == [
        ("tasks.caveat.caveat", "no patrols by night")
    ]
    assert desk.post("/tasks", task={"unit": unit, "verb": "OBSRV"})["warnings"] == []


def test_what_cannot_be_is_refused_with_a_sentence(desk: Any, port: MemoryPort) -> None:
    def refused(**fields: Any) -> str:
        return str(desk.post("/tasks", 422, task={"unit": "FOX", "verb": "OBSRV", **fields}))

    assert "out of scope" in refused(verb="MARK")
    assert "name a later end" in refused(start_ms=5000, end_ms=5000)
    assert "needs area, by_ms" in refused(conditions=[{"kind": "reach"}])
    crossed = {"points": [[45, 7], [46, 8], [46, 7], [45, 8]]}
    assert "cross each other" in refused(conditions=[{"kind": "stay_out", "area": crossed}])
    assert "there is no unit" in refused(unit="0190a000-0000-7000-8000-000000000000")


def test_the_guide_shows_the_state_tables_as_they_are() -> None:
    assert STATES.to_markdown() in (GUIDE / "tasks.md").read_text()
    assert ORDER_STATES.to_markdown() in (GUIDE / "orders.md").read_text()


def test_every_step_that_somebody_takes_has_words_for_the_journal() -> None:
    assert set(STEP_SAID) == {move.action for move in STATES.moves if not move.who.startswith("the node")}
