"""Exercise control: the exercise's clock, and injects that are planned, held, fired and moved by pauses."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import TestClient

from aquila.core.exercise_clock import RUN, ExerciseClock, run_at
from aquila.core.exercise_clock import STATES as RUN_STATES
from aquila.core.model import Label, Paper, Stamp
from aquila.core.papers import Step, Thing
from aquila.features.exercise.inject import INJECT
from aquila.features.exercise.inject import STATES as INJECT_STATES
from aquila.features.medevac.request import casualties_of, clock_of, windows
from aquila.features.questions.queries import row_of
from aquila.testing.memory_node import NATIONAL, MemoryPort

from .conftest import Desk

MINUTE_MS = 60_000
GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "staff" / "exercise.md"


def plan(desk: Desk, title: str, groups: tuple[str, ...] = ("COMMON",), **fields: Any) -> str:
    return str(desk.post("/exercise/injects", inject={"title": title, **fields}, groups=groups)["id"])


def inject(desk: Desk, id: str) -> Any:
    return next(row for row in desk.get("/exercise/injects") if row["id"] == id)


def step(desk: Desk, id: str, action: str, status: int = 201, **fields: Any) -> Any:
    return desk.post(f"/exercise/injects/{id}/steps", status, action=action, fields=fields)


def test_everybody_sees_that_the_exercise_is_paused_and_who_said_so(desk: Desk, viewer: Desk, port: MemoryPort) -> None:
    before = viewer.get("/exercise")
    assert (before["state"], before["pace"], before["exercise_ms"]) == ("running", 1.0, port.now_ms)
    desk.post("/exercise/steps", action="pause", fields={"reason": "NO DUFF: casualty at the ford"})
    port.now_ms += 10 * MINUTE_MS
    paused = viewer.get("/exercise")
    assert paused["state"] == "paused"
    assert paused["exercise_ms"] == before["exercise_ms"]
    assert paused["reason"].startswith("NO DUFF")
    assert paused["by"] == "token:watch"
    assert "resume" in desk.post("/exercise/steps", 422, action="pause")["error"]["reason"]
    desk.post("/exercise/steps", action="resume")
    port.now_ms += MINUTE_MS
    assert viewer.get("/exercise")["exercise_ms"] == before["exercise_ms"] + MINUTE_MS
    viewer.post("/exercise/steps", 403, action="pause")


def test_who_paused_in_a_group_of_his_own_does_not_keep_the_exercise_standing(
    desk: Desk, viewer: Desk, client: TestClient[Any], port: MemoryPort
) -> None:
    guest = Desk(client, port.token("guest", "operator", group="GUESTS"))
    guest.post("/exercise/steps", action="pause", fields={"reason": "because I can"})
    stands = viewer.get("/exercise")
    assert (stands["state"], stands["by"], stands["reason"]) == ("paused", "", "")
    assert "resume" in str(desk.post("/exercise/steps", 422, action="pause"))
    assert desk.post("/exercise/steps", action="resume")["state"] == "running"
    desk.post("/exercise/steps", action="pause", fields={"reason": "NO DUFF"})
    assert (viewer.get("/exercise")["by"], viewer.get("/exercise")["reason"]) == ("token:watch", "NO DUFF")
    told = guest.get("/exercise")
    assert (told["state"], told["by"], told["reason"]) == ("paused", "", "")


def test_a_pause_moves_every_inject_and_a_pace_brings_them_nearer(desk: Desk, port: MemoryPort) -> None:
    start_ms = port.now_ms
    id = plan(desk, "Rockfall", due_ms=start_ms + 30 * MINUTE_MS)
    assert inject(desk, id)["wall_ms"] == start_ms + 30 * MINUTE_MS
    desk.post("/exercise/steps", action="pause")
    port.now_ms += 10 * MINUTE_MS
    assert inject(desk, id)["wall_ms"] is None
    desk.post("/exercise/steps", action="resume")
    assert inject(desk, id)["wall_ms"] == start_ms + 40 * MINUTE_MS
    desk.post("/exercise/steps", action="pace", fields={"pace": 2})
    row = inject(desk, id)
    assert (row["left_ms"], row["wall_ms"]) == (30 * MINUTE_MS, start_ms + 25 * MINUTE_MS)
    desk.post("/exercise/steps", 422, action="pace", fields={"pace": 0})


def test_an_inject_is_held_moved_and_fired_and_the_list_says_who(desk: Desk, port: MemoryPort) -> None:
    id = plan(desk, "Mast down", due_ms=port.now_ms + MINUTE_MS, to=["LEOPARD HQ"])
    step(desk, id, "hold")
    port.now_ms += 2 * MINUTE_MS
    assert desk.get("/needs/exercise") == []
    step(desk, id, "release")
    (need,) = desk.get("/needs/exercise")
    assert (need["title"], need["roles"], need["is_overdue"]) == ("Mast down", ["exercise_control"], True)
    step(desk, id, "edit", due_ms=port.now_ms + 5 * MINUTE_MS)
    assert desk.get("/needs/exercise") == []
    desk.post("/exercise/steps", action="pause")
    assert "paused" in step(desk, id, "fire", 422)["error"]["reason"]
    desk.post("/exercise/steps", action="resume")
    step(desk, id, "fire")
    row = inject(desk, id)
    assert (row["state"], row["done_by"], row["done_at_ms"]) == ("fired", "token:watch", port.now_ms)
    assert row["actions"] == []
    step(desk, id, "skip", 422)
    assert desk.get("/exercise/injects", open_only=True) == []


def test_once_the_post_is_given_only_exercise_control_runs_the_exercise(
    desk: Desk, client: TestClient[Any], port: MemoryPort
) -> None:
    id = plan(desk, "Rockfall")
    admin = Desk(client, port.token("chief", "admin"))
    admin.post("/posts", turn={"post": "exercise_control", "person": "token:chief"})
    for path, body in (
        ("/exercise/steps", {"action": "pause"}),
        (f"/exercise/injects/{id}/steps", {"action": "fire"}),
        ("/exercise/injects", {"inject": {"title": "x"}}),
    ):
        assert "exercise control" in desk.post(path, 403, **body)["error"]["reason"]
    admin.post("/exercise/steps", action="pause")


@pytest.fixture
def control(client: TestClient[Any], port: MemoryPort) -> Desk:
    """Exercise control: it reads and writes into the players' group and its own."""
    return Desk(client, port.token("control", "operator", also="EXCON"))


def test_an_inject_is_for_exercise_control_alone_and_what_is_played_for_everybody(
    client: TestClient[Any], control: Desk, desk: Desk, port: MemoryPort
) -> None:
    made = control.post("/exercise/injects", inject={"title": "Surprise", "text": "A bridge falls.", "means": "mail"})
    assert inject(control, made["id"])["label"]["groups"] == ["EXCON"]
    desk.post(f"/exercise/injects/{made['id']}/steps", 404, action="fire")
    assert "falls" not in str(desk.get("/entries"))
    step(control, made["id"], "fire")
    (line,) = [row for row in desk.get("/entries") if "A bridge falls." in str(row)]
    assert line["label"]["groups"] == ["COMMON"]
    assert desk.get("/exercise/injects") == []
    assert "Surprise" not in str(desk.get("/entries"))
    # A player's screen, too, gets the line and nothing of what stands before it.
    with client.websocket_connect("/api/v1/stream?since=", headers=port.token("player")) as socket:
        got = [str(socket.receive())]
        while "A bridge falls." not in got[-1]:
            got.append(str(socket.receive()))
    assert "Surprise" not in "".join(got)


def test_who_is_in_exercise_control_alone_plays_to_nobody_and_is_told_so(
    client: TestClient[Any], control: Desk, desk: Desk, port: MemoryPort
) -> None:
    alone = Desk(client, port.token("alone", "operator", group="EXCON"))
    made = alone.post("/exercise/injects", inject={"title": "Surprise", "text": "A bridge falls.", "means": "mail"})
    said = step(alone, made["id"], "fire", 403)["error"]["reason"]
    assert "no player would read it" in said
    assert "COMMON" in said
    assert inject(alone, made["id"])["state"] == "planned"
    named = alone.post(
        "/exercise/injects",
        inject={"title": "Second", "text": "A mast falls.", "means": "chat", "players": ["COMMON"]},
    )
    assert "you may not write into COMMON" in step(alone, named["id"], "fire", 403)["error"]["reason"]
    assert inject(alone, named["id"])["players"] == ["COMMON"]
    step(control, named["id"], "fire")
    assert [row["label"]["groups"] for row in desk.get("/entries") if "A mast falls." in str(row)] == [["COMMON"]]
    assert "Second" not in str(desk.get("/entries"))


def test_an_inject_is_played_to_the_groups_that_it_names_and_to_no_other(
    client: TestClient[Any], desk: Desk, port: MemoryPort
) -> None:
    director = Desk(client, port.token("director", "operator", group="BLUE", also="EXCON"))
    blue, red = (Desk(client, port.token(name, "operator", group=name)) for name in ("BLUE", "RED"))
    made = director.post("/exercise/injects", inject={"title": "x", "text": "For one.", "means": "mail"})
    step(director, made["id"], "fire")
    secret = director.post(
        "/exercise/injects", inject={"title": "x", "text": "For red.", "means": "mail", "players": ["RED"]}
    )
    step(director, secret["id"], "fire", 403)
    assert "For one." in str(blue.get("/entries"))
    for other in (red, desk):
        assert "For one." not in str(other.get("/entries"))
    # By the label of what was planned for the players to see: whoever else the one who fires may write to.
    planned = blue.post("/exercise/injects", inject={"title": "y", "text": "Open.", "means": "mail"}, groups=["BLUE"])
    both = Desk(client, port.token("both", "operator", group="BLUE", also="RED"))
    step(both, planned["id"], "fire")
    (line,) = [row for row in blue.get("/entries") if row["kind"] == "note" and "Open." in str(row)]
    assert line["label"]["groups"] == ["BLUE"]


def test_the_line_of_an_inject_is_marked_as_the_inject_is_whoever_fires_it(
    client: TestClient[Any], control: Desk, desk: Desk, partner: Desk, port: MemoryPort
) -> None:
    """Two audiences: what was planned for FRA alone is read by FRA, though who fires it says all else to both."""
    fields = {"title": "x", "text": "For one nation.", "means": "mail", "players": ["COMMON"]}
    label = msgspec.structs.replace(NATIONAL, groups=("EXCON",))
    port.say(Paper(type=INJECT, target="i1", action="plan", happened_at_ms=port.now_ms, fields=fields), label)
    french = Desk(client, port.token("director", "operator", "FRA", also="EXCON"))
    french.post("/notes", text="Radio check")
    step(french, "i1", "fire")
    (line,) = [row for row in partner.get("/entries") if "For one nation." in str(row)]
    assert (line["label"]["groups"], line["label"]["releasable_to"]) == (["COMMON"], ["FRA"])
    for other in (desk, control):
        assert "Radio check" in str(other.get("/entries"))
        assert "For one nation." not in str(other.get("/entries"))
    assert "x" not in [row.get("summary") for row in partner.get("/entries")]


def test_an_inject_that_people_say_makes_no_line(control: Desk, desk: Desk) -> None:
    made = control.post("/exercise/injects", inject={"title": "Surprise", "text": "A bridge falls.", "means": "radio"})
    step(control, made["id"], "fire")
    assert "falls" not in str(desk.get("/entries"))


def test_who_is_not_of_exercise_control_is_told_what_to_do(desk: Desk) -> None:
    said = desk.post("/exercise/injects", 403, inject={"title": "x"})["error"]["reason"]
    assert "EXCON" in said
    assert "name the groups" in said
    assert "EXCON" in desk.post("/exercise/injects", 403, inject={"title": "x"}, groups=["EXCON"])["error"]["reason"]


def test_nobody_gets_into_exercise_control_and_nothing_is_said_there_without_its_name(
    client: TestClient[Any], control: Desk, desk: Desk, port: MemoryPort
) -> None:
    control.post("/notes", text="Radio check")
    (line,) = [row for row in desk.get("/entries") if "Radio check" in str(row)]
    assert line["label"]["groups"] == ["COMMON"]
    chief = Desk(client, port.token("chief", "admin", also="EXCON"))
    chief.post("/tokens", name="player", role="operator", days=1)
    chief.post("/tokens", name="director", role="operator", days=1, groups_out=["COMMON", "EXCON"])
    reads = {row["name"]: row["groups_out"] for row in chief.get("/tokens")}
    assert (reads["player"], reads["director"]) == (["COMMON"], ["COMMON", "EXCON"])


def test_where_it_is_real_nothing_is_paused_and_no_inject_is_planned(desk: Desk, port: MemoryPort) -> None:
    port.context = "REAL"
    assert desk.get("/exercise")["is_exercise"] is False
    for path, body in (("/exercise/steps", {"action": "pause"}), ("/exercise/injects", {"inject": {"title": "x"}})):
        assert "real" in desk.post(path, 422, **body)["error"]["reason"]


def steps_of(script: list[tuple[str, int, float]]) -> list[Step]:
    made, at_ms = [], 1_000_000
    for number, (action, after_ms, pace) in enumerate(script):
        at_ms += after_ms
        made.append(
            Step(
                stamp=Stamp(number, "n", 1, number),
                entry=str(number),
                type=RUN,
                action=action,
                fields={"pace": pace} if action == "pace" else {},
                seen=(),
                at_ms=at_ms,
                received_at_ms=at_ms,
                by="person:x",
                on_behalf_of=None,
                via="web",
                label=Label("p", "UNCLASSIFIED", (), ()),
                context="EXERCISE:TEST",
                summary="",
                position=None,
                to=(),
            )
        )
    return made


@given(
    st.lists(
        st.tuples(st.sampled_from(("pause", "resume", "pace")), st.integers(0, 10**7), st.floats(0.1, 20)), max_size=30
    )
)
def test_the_exercise_clock_never_goes_back_and_stands_in_a_pause(script: list[tuple[str, int, float]]) -> None:
    steps = steps_of(script)
    last_ms = 0
    for now_ms in sorted({step.at_ms + more for step in steps for more in (-1, 0, 1, 5000)} | {999_000}):
        run = run_at(steps, now_ms)
        assert run.exercise_ms >= last_ms
        last_ms = run.exercise_ms
        if run.state == "paused":
            assert run_at([each for each in steps if each.at_ms <= now_ms], now_ms + 60_000).exercise_ms == last_ms


@given(
    st.lists(
        st.tuples(st.sampled_from(("pause", "resume", "pace")), st.integers(0, 10**7), st.floats(0.1, 20)), max_size=30
    ),
    st.integers(0, 10**8),
    st.integers(0, 10**8),
    st.integers(0, 10**8),
)
def test_a_time_comes_when_as_much_of_the_exercise_has_passed_as_was_left_when_it_was_set(
    script: list[tuple[str, int, float]], set_after_ms: int, left_ms: int, later_ms: int
) -> None:
    """Whatever is paused and paced: never earlier, never later, and in a pause never at all."""
    steps = steps_of(script)
    set_at_ms = 1_000_000 + set_after_ms
    now_ms = set_at_ms + later_ms
    clock = ExerciseClock(steps, now_ms)
    due_ms = clock.put_off_ms(set_at_ms + left_ms, set_at_ms)
    passed_ms = clock.between_ms(set_at_ms, now_ms)
    slack_ms = 20 * (len(steps) + 2)  # each step rounds to a millisecond, of which a pace makes twenty
    if due_ms <= now_ms:
        assert abs(clock.between_ms(set_at_ms, due_ms) - left_ms) <= slack_ms
        assert passed_ms >= left_ms - slack_ms
    else:
        assert passed_ms <= left_ms + slack_ms
    if run_at(steps, now_ms).state == "paused" and passed_ms < left_ms - slack_ms:
        assert due_ms > now_ms
    assert clock.put_off_ms(set_at_ms, set_at_ms) == set_at_ms
    assert ExerciseClock((), now_ms).put_off_ms(set_at_ms + left_ms, set_at_ms) == set_at_ms + left_ms


@given(st.integers(0, 10**8), st.integers(1, 10**8), st.integers(1, 10**8))
def test_a_pause_puts_off_by_its_length_what_was_ahead(before_ms: int, pause_ms: int, left_ms: int) -> None:
    steps = steps_of([("pause", before_ms, 1), ("resume", pause_ms, 1)])
    clock = ExerciseClock(steps, steps[-1].at_ms)
    set_at_ms, due_ms = 1_000_000, steps[0].at_ms + left_ms
    assert clock.put_off_ms(due_ms, set_at_ms) == due_ms + pause_ms


def asked(at_ms: int, type: str, **fields: Any) -> Thing:
    """A request or question that was made then."""
    (step,) = steps_of([("ask", 0, 1)])
    return Thing("t1", [msgspec.structs.replace(step, type=type, at_ms=at_ms, received_at_ms=at_ms, fields=fields)])


SCRIPT = st.lists(
    st.tuples(st.sampled_from(("pause", "resume", "pace")), st.integers(0, 10**7), st.floats(0.1, 20)), max_size=20
)


@given(SCRIPT, st.integers(0, 10**8), st.integers(0, 10**8))
def test_casualties_and_questions_wait_the_minutes_of_the_exercise_and_the_real_ones_those_of_the_wall(
    script: list[tuple[str, int, float]], made_after_ms: int, later_ms: int
) -> None:
    steps, made_ms = steps_of(script), 1_000_000 + made_after_ms
    now_ms = made_ms + later_ms
    clock = ExerciseClock(steps, now_ms)
    stood = run_at(steps, made_ms).state == "paused"
    slack_ms = 20 * (len(steps) + 2)
    for title, is_real in (("PTL 3", stood), ("NO-DUFF: PTL 3", True)):
        request = asked(made_ms, "medevac.request", title=title, lines={"urgent": "1"})
        used = clock_of(request, clock)
        passed_ms = later_ms if is_real else clock.between_ms(made_ms, now_ms)
        (casualty,) = casualties_of(request, now_ms, used)
        for shown in casualty.clocks:
            within_ms = next(each.within_ms for each in windows().clocks if each.title == shown.title)
            assert shown.is_late == (passed_ms > within_ms)
            if abs(passed_ms - within_ms) > slack_ms:
                assert (shown.due_ms < now_ms) == shown.is_late
    question = asked(made_ms, "questions.question", text="?", ltiov_ms=made_ms + 600_000, **{"hit.e1": "it fits"})
    row = row_of(question, now_ms, clock)
    passed_ms = clock.between_ms(made_ms, now_ms)
    assert row.left_ms is not None
    for left_ms, after_ms in ((row.left_ms, 600_000), (row.hits[0].due_ms - now_ms, 15 * MINUTE_MS)):
        if abs(passed_ms - after_ms) > slack_ms:
            assert (left_ms < 0) == (passed_ms > after_ms)


def test_in_a_pause_no_hit_climbs_and_no_casualty_of_the_exercise_is_late(desk: Desk, port: MemoryPort) -> None:
    ask = {"text": "?", "tests": [{"words": ["bridge"]}], "priority": 1, "ltiov_ms": port.now_ms + 30 * MINUTE_MS}
    id = desk.post("/questions", question=ask)["id"]
    rfi = {"question": "load?", "to": "engineers", "needed_by_ms": port.now_ms + 30 * MINUTE_MS}
    desk.post("/rfis", request=rfi)
    desk.post("/notes", text="the bridge holds")
    medevac = {"title": "PTL 3", "lines": {"urgent": "1"}}
    desk.post("/medevac/requests", request=medevac)
    port.tick(MINUTE_MS)
    desk.post("/exercise/steps", action="pause")
    desk.post("/medevac/requests", request={**medevac, "title": "PTL 4"})
    for _ in range(3):
        port.tick(60 * MINUTE_MS)
    question, (asked_of_others,) = desk.get(f"/questions/{id}")["row"], desk.get("/rfis")
    assert (question["left_ms"], asked_of_others["left_ms"]) == (29 * MINUTE_MS, 29 * MINUTE_MS)
    assert question["hits"][0]["posts"] == ["intelligence_officer"]
    # The second was asked for in the pause: somebody is hurt.
    assert {row["title"]: row["late"] > 0 for row in desk.get("/medevac/requests")} == {"PTL 3": False, "PTL 4": True}
    assert [need["title"] for need in desk.get("/needs/medevac") if need["is_overdue"]] == ["PTL 4"]
    desk.post("/exercise/steps", action="resume")
    port.tick(31 * MINUTE_MS)
    assert desk.get("/rfis")[0]["is_overdue"]
    assert len(desk.get(f"/questions/{id}")["row"]["hits"][0]["posts"]) > 1


def test_in_a_pause_no_task_is_late_and_no_report_and_no_watch_is_overdue(desk: Desk, port: MemoryPort) -> None:
    start_ms = port.now_ms
    area = {"name": "NAI 1", "points": [[45.0, 7.0], [45.0, 7.1], [45.1, 7.1]]}
    conditions = [
        {"kind": "reach", "by_ms": start_ms + 10 * MINUTE_MS, "area": area},
        {"kind": "report", "minutes": 10},
    ]
    times = {"start_ms": start_ms, "end_ms": start_ms + 60 * MINUTE_MS}
    id = desk.post("/tasks", task={"unit": "FOX", "verb": "OBSRV", "conditions": conditions, **times})["id"]
    desk.post(f"/tasks/{id}/step", action="issue")
    desk.post("/watches", watch={"kind": "silence", "name": "FOX is silent", "entity": "fox", "every_min": 10})

    def looked(after_ms: int) -> tuple[list[str], int]:
        """Verdicts of the task, and how many alerts there are, after a time."""
        port.tick(after_ms)
        return [each["verdict"] for each in desk.get(f"/tasks/{id}")["row"]["judgements"]], len(desk.get("/alerts"))

    desk.post("/exercise/steps", action="pause")
    assert looked(60 * MINUTE_MS) == (["open", "open"], 0)
    (cell,) = desk.get("/task-matrix")
    assert cell["end_ms"] == desk.get("/tasks")[0]["end_ms"] == start_ms + 120 * MINUTE_MS
    desk.post("/exercise/steps", action="resume")
    assert looked(9 * MINUTE_MS) == (["open", "open"], 0)
    assert looked(2 * MINUTE_MS) == (["late", "late"], 1)


def test_the_guide_shows_the_tables_of_the_program() -> None:
    text = GUIDE.read_text()
    for states in (RUN_STATES, INJECT_STATES):
        assert states.to_markdown() in text
