"""Tasks of an order change when a FRAGO takes effect: at any time the board reads as the order in force does."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aquila.app.parts import load_features
from aquila.core.model import Paper, Principal
from aquila.core.paper_work import state_of
from aquila.core.policy import Decision, Verdict
from aquila.features.orders.frago import in_force_at
from aquila.features.orders.view import order_of
from aquila.features.tasks.view import STATES, TASK, tasks_in
from aquila.testing.memory_node import OPEN, START_MS, MemoryPort

HOUR_MS = 3_600_000
MINUTE_MS = 60_000
FEATURES = tuple(load_features())
TASK_ONE = {"id": "T1", "unit": "FOX", "verb": "OBSRV", "start_ms": START_MS, "end_ms": START_MS + HOUR_MS}
ORDER = {"kind": "OPORD", "title": "Cedar", "tasks": [TASK_ONE], "distribution": ["FOX"]}
NAMES = ("unit", "verb", "text", "priority", "start_ms", "end_ms")


def end_at(hours: int) -> list[dict[str, Any]]:
    return [{"path": "tasks.T1.end_ms", "new": START_MS + hours * HOUR_MS}]


def issued(desk: Any, id: str) -> str:
    for action in ("approve", "issue"):
        desk.post(f"/orders/{id}/step", action=action)
    return id


def frago(desk: Any, base: str, effective_ms: int, changes: list[dict[str, Any]]) -> str:
    return issued(desk, desk.post(f"/orders/{base}/frago", changes=changes, effective_ms=effective_ms)["id"])


def ends_h(desk: Any) -> list[float]:
    """Ends of the open tasks, in hours after the start, as the matrix shows them."""
    cells = (cell for cell in desk.get("/task-matrix") if cell["state"] not in STATES.last)
    return sorted((cell["end_ms"] - START_MS) / HOUR_MS for cell in cells)


def times_taken(port: MemoryPort) -> int:
    """How often the journal says that a FRAGO took effect."""
    bodies = (entry.body for entry in port.journal.read(0, 10_000))
    return sum(isinstance(body, Paper) and body.action == "take_effect" for body in bodies)


@pytest.fixture
def base(desk: Any) -> str:
    return issued(desk, desk.post("/orders", order=ORDER)["id"])


def test_a_task_moves_when_the_frago_takes_effect(desk: Any, port: MemoryPort, base: str) -> None:
    first = frago(desk, base, START_MS + 10 * MINUTE_MS, end_at(2))
    (cell,) = desk.get("/task-matrix")
    assert (cell["end_ms"], cell["proposal"]) == (START_MS + HOUR_MS, first)
    assert (cell["proposed_end_ms"], cell["proposal_from_ms"]) == (START_MS + 2 * HOUR_MS, START_MS + 10 * MINUTE_MS)
    port.tick(9 * MINUTE_MS)
    assert ends_h(desk) == [1]
    port.tick(MINUTE_MS)
    assert ends_h(desk) == [2]
    assert desk.get("/task-matrix")[0]["proposal"] is None
    lines = [each["summary"] for each in desk.get(f"/orders/{first}")["steps"]]
    assert any("holds from now on" in each for each in lines)
    port.tick(HOUR_MS // 2)
    assert times_taken(port) == 1


def test_a_further_frago_before_the_time_counts_until_then(desk: Any, port: MemoryPort, base: str) -> None:
    frago(desk, base, START_MS + 10 * MINUTE_MS, end_at(2))
    frago(desk, base, START_MS + 5 * MINUTE_MS, end_at(3))
    port.tick(5 * MINUTE_MS)
    assert ends_h(desk) == [3]
    port.tick(5 * MINUTE_MS)
    assert ends_h(desk) == [2]
    # One that holds at once, after both.
    frago(desk, base, port.now_ms, end_at(4))
    assert ends_h(desk) == [4]


@pytest.mark.parametrize("minutes", [1, 15])
def test_a_frago_taken_back_leaves_nothing(desk: Any, port: MemoryPort, base: str, minutes: int) -> None:
    added = {"path": "tasks.T2", "new": {**TASK_ONE, "id": "T2", "end_ms": START_MS + 5 * HOUR_MS}}
    first = frago(desk, base, START_MS + 10 * MINUTE_MS, [*end_at(2), added])
    port.tick(minutes * MINUTE_MS)
    assert ends_h(desk) == ([1] if minutes < 10 else [2, 5])
    desk.post(f"/orders/{first}/step", action="cancel")
    port.tick(HOUR_MS // 2)
    assert ends_h(desk) == [1]
    # How it read while the FRAGO held stays true for then.
    then = desk.get(f"/orders/{base}/in-force", at_ms=START_MS + 12 * MINUTE_MS)["order"]["tasks"]
    assert len(then) == (1 if minutes < 10 else 2)


def test_a_task_that_a_frago_took_away_comes_back_with_its_withdrawal(desk: Any, port: MemoryPort, base: str) -> None:
    first = frago(desk, base, START_MS + MINUTE_MS, [{"path": "tasks.T1", "new": None}])
    port.tick(MINUTE_MS)
    assert ends_h(desk) == []
    desk.post(f"/orders/{first}/step", action="cancel")
    assert ends_h(desk) == [1]


def test_an_order_that_ended_takes_its_waiting_fragos_with_it(desk: Any, port: MemoryPort, base: str) -> None:
    added = {"path": "tasks.T2", "new": {**TASK_ONE, "id": "T2"}}
    frago(desk, base, START_MS + MINUTE_MS, [added])
    desk.post(f"/orders/{base}/step", action="cancel")
    port.tick(2 * MINUTE_MS)
    assert {row["state"] for row in desk.get("/tasks")} == {"cancelled"}
    assert times_taken(port) == 0


def test_what_somebody_changed_on_the_board_stays_unless_a_frago_speaks_of_it(
    desk: Any, port: MemoryPort, base: str
) -> None:
    (cell,) = desk.get("/task-matrix")
    desk.post(f"/tasks/{cell['id']}", fields={"text": "by the ford"})
    own = desk.post("/tasks", task={"unit": "OWL", "verb": "OBSRV", "order": base})["id"]
    frago(desk, base, START_MS + MINUTE_MS, end_at(2))
    port.tick(MINUTE_MS)
    assert desk.get(f"/tasks/{cell['id']}")["row"]["task"]["text"] == "by the ford"
    assert desk.get(f"/tasks/{own}")["row"]["state"] == "draft"


def test_a_unit_that_gets_a_task_by_frago_is_told_and_its_answer_counts_from_then_on(
    desk: Any, port: MemoryPort, base: str
) -> None:
    desk.post(f"/orders/{base}/answer", addressee="FOX", action="wilco", on_behalf=True)
    first = frago(desk, base, START_MS + MINUTE_MS, [{"path": "tasks.T1.unit", "new": "ELK"}])
    (cell,) = desk.get("/task-matrix")
    assert (cell["unit"], cell["state"], cell["proposed_unit"]) == ("FOX", "wilco", "ELK")
    assert desk.get(f"/orders/{first}")["order"]["distribution"] == ["FOX", "ELK"]
    desk.post(f"/orders/{first}/answer", addressee="ELK", action="cannot_comply", reason="no fuel", on_behalf=True)
    port.tick(MINUTE_MS)
    (cell,) = desk.get("/task-matrix")
    assert (cell["unit"], cell["state"], cell["proposed_unit"]) == ("ELK", "cannot_comply", None)
    assert desk.get(f"/tasks/{cell['id']}")["row"]["conflicts"] == 0
    desk.post(f"/orders/{first}/answer", addressee="ELK", action="wilco", on_behalf=True)
    assert desk.get("/task-matrix")[0]["state"] == "wilco"


# -- any story of an order ---------------------------------------------------------------------------------------------

SAID = st.one_of(
    st.builds(lambda hours: ("T1.end_ms", START_MS + hours * HOUR_MS), st.integers(1, 9)),
    st.builds(lambda text: ("T1.text", text), st.sampled_from(["a", "b"])),
    st.builds(lambda unit: ("T1.unit", unit), st.sampled_from(["FOX", "OWL"])),
    st.builds(lambda id, end: (id, end), st.sampled_from(["T2", "T3"]), st.sampled_from([None, 1, 2])),
)
STEP = st.one_of(
    st.tuples(st.just("frago"), st.lists(SAID, min_size=1, max_size=3), st.integers(-5, 30)),
    st.tuples(st.just("take back"), st.integers(0, 5), st.just(0)),
    st.tuples(st.just("up"), st.integers(1, 20), st.just(0)),
    st.tuples(st.just("down"), st.integers(1, 20), st.just(0)),
)


class Story:
    """An order on a node in memory: what is said about it, and how it reads at any time."""

    def __init__(self, node: str = "n1", *, other: "Story | None" = None) -> None:
        self.port = MemoryPort(FEATURES, node)
        self.watch = Principal(id="person:W", kind="person", name="W", context=self.port.context)
        self.context, self.policy, self.journal = self.port.context, self.port.policy, self.port.journal
        self.base, self.fragos = "order", list[str]()
        if other is not None:
            self.port.merge(other.port)
            self.fragos = list(other.fragos)
            return
        self.say(self.base, "create", ORDER)
        self.say(self.base, "issue", {})

    def say(self, id: str, action: str, fields: dict[str, Any]) -> str:
        paper = Paper(type="orders.order", target=id, action=action, happened_at_ms=self.port.now_ms, fields=fields)
        if action == "issue":
            self.say(id, "approve", {})
        self.port.write_now(self.watch, paper, "test", label=OPEN)
        return id

    def take(self, what: str, how: Any, minutes: int) -> None:
        """One step of the story."""
        if what == "frago":
            changes = [{"path": f"tasks.{path}", "new": self.value(path, said)} for path, said in how]
            effective_ms = self.port.now_ms + minutes * MINUTE_MS
            id = self.say(f"frago{len(self.fragos)}", "create", self.frago(changes, effective_ms))
            self.say(id, "issue", {})
            self.fragos.append(id)
        elif what == "take back" and how < len(self.fragos):
            self.say(self.fragos[how], "cancel", {})
        elif what == "down":
            self.restart(how * MINUTE_MS)
        elif what == "up":
            for _ in range(how):
                self.port.tick(MINUTE_MS)
        for _ in range(1 + len(self.fragos)):
            self.port.tick(0)

    def frago(self, changes: list[dict[str, Any]], effective_ms: int) -> dict[str, Any]:
        said = {"kind": "FRAGO", "title": "x", "order_ref": self.base, "distribution": ["FOX"]}
        return {**said, "changes": changes, "effective_ms": effective_ms}

    def value(self, path: str, said: Any) -> Any:
        if "." in path or said is None:
            return said
        return {**TASK_ONE, "id": path, "end_ms": START_MS + said * HOUR_MS}

    def restart(self, down_ms: int) -> None:
        """The node ends, time passes, and it is made again from its journal."""
        self.port.now_ms += down_ms
        for fresh in (make() for feature in FEATURES for make in feature.views):
            for entry in self.port.journal.read(0, 100_000):
                fresh.fold(entry)
            self.views[fresh.name].restore(fresh.snapshot())

    # What a query may look at, as the node itself reads.

    @property
    def views(self) -> Any:
        return self.port.core.views

    def now_ms(self) -> int:
        return self.port.now_ms

    def release(self, label: Any, context: Any) -> Decision:
        return Decision(Verdict.FULL, "all")

    def ordered(self, at_ms: int) -> list[tuple[Any, ...]]:
        """Tasks of the order in force at a time."""
        found = order_of(self, self.base)
        assert found is not None
        tasks = in_force_at(self, self.base, found[1], at_ms).order.tasks
        return sorted(tuple(getattr(task, name) for name in ("id", *NAMES)) for task in tasks)

    def on_board(self, at_ms: int) -> list[tuple[Any, ...]]:
        """Tasks of the board as it stood at a time."""
        then = [thing.at(at_ms) for thing in tasks_in(self.views).all(self.context, TASK)]
        shown = [each for each in then if each is not None and state_of(STATES, each) not in STATES.last]
        default = {"text": "", "priority": 5}
        return sorted(
            (each.get("order_task"), *(each.get(name, default.get(name)) for name in NAMES)) for each in shown
        )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEP, min_size=1, max_size=12))
def test_the_board_reads_as_the_order_in_force_now_and_at_any_time_before(steps: list[tuple[str, Any, int]]) -> None:
    story = Story()
    times = [story.port.now_ms]
    for step in steps:
        story.take(*step)
        times.append(story.port.now_ms)
        assert story.on_board(story.port.now_ms) == story.ordered(story.port.now_ms), step
    for at_ms in range(times[0], times[-1] + 1, MINUTE_MS):
        assert story.on_board(at_ms) == story.ordered(at_ms), f"{(at_ms - START_MS) // MINUTE_MS} min"


# -- two nodes, cut off from each other --------------------------------------------------------------------------------


def merged(*nodes: Story) -> None:
    """Every node hears of every other until nobody has anything new to say."""
    before = -1
    while (now := sum(each.journal.last_arrival() for each in nodes)) != before:
        before = now
        for one in nodes:
            for other in nodes:
                if one is not other:
                    one.port.merge(other.port)


@pytest.mark.parametrize("first_hears", [0, 1])
@pytest.mark.parametrize("withdrawn_min", [5, 12])
def test_a_frago_withdrawn_on_one_node_leaves_nothing_where_it_had_taken_effect(
    withdrawn_min: int, first_hears: int
) -> None:
    """The withdrawal wins, whether it was said before the FRAGO took effect on the node that was cut off, or after."""
    here = Story()
    here.take("frago", [("T1.end_ms", START_MS + 2 * HOUR_MS), ("T2", 5)], 10)
    there = Story("n2", other=here)
    # The other node is cut off; on this one no tick comes after the time of the FRAGO.
    here.port.now_ms += withdrawn_min * MINUTE_MS
    here.say(here.fragos[0], "cancel", {})
    there.take("up", 15, 0)
    assert [row[-1] for row in there.on_board(there.port.now_ms)] == [START_MS + 2 * HOUR_MS, START_MS + 5 * HOUR_MS]
    nodes = (here, there) if first_hears == 0 else (there, here)
    merged(*nodes)
    now_ms = there.port.now_ms
    for each in nodes:
        assert [row[0] for row in each.on_board(now_ms)] == ["T1"]
        assert each.on_board(now_ms) == each.ordered(now_ms)
    shown = [
        [(thing.id, thing.fields(), state_of(STATES, thing)) for thing in tasks_in(each.views).all(each.context, TASK)]
        for each in nodes
    ]
    assert sorted(shown[0]) == sorted(shown[1])
