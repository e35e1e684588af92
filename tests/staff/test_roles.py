"""Posts: who holds which when, what that allows at the node, and what each post sees first."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from aquila.app.parts import load_features
from aquila.core.errors import Refused
from aquila.core.model import LOG_ROOM, Act, Note, Principal
from aquila.features.orders.commands import StepOrder
from aquila.features.roles import commands, homes, rights
from aquila.features.roles.homes import HOMES, home_of
from aquila.features.roles.rights import RIGHTS
from aquila.features.roles.turn import POSTS, STATES
from aquila.testing.memory_node import MemoryPort
from aquila.web_api.port import Asked

HOUR_MS = 3_600_000
GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "staff" / "roles.md"


def desk_of(desk: Any, port: MemoryPort, name: str, role: Any = "operator", nation: str = "ITA") -> Any:
    return type(desk)(desk._client, port.token(name, role, nation))


def give(boss: Any, post: str, name: str, **more: Any) -> str:
    on_call = more.pop("on_call", False)
    turn = {"post": post, "person": f"token:{name}", **more}
    made: str = boss.post("/posts", turn=turn, on_call=on_call)["id"]
    return made


def order(desk: Any) -> str:
    made: str = desk.post("/orders", order={"kind": "OPORD", "title": "GRIFFIN"})["id"]
    return made


def test_a_node_where_no_post_was_given_holds_nobody_back(desk: Any) -> None:
    assert desk.post(f"/orders/{order(desk)}/step", action="approve")["state"] == "approved"
    mine = desk.get("/home/desk")
    assert (mine["post"], mine["held"], mine["gives"]) == ("", [], False)
    held_back = [right["what"] for right in mine["rights"] if not right["may"]]
    assert held_back == ["read or write what is kept of persons"]


def test_only_who_holds_the_post_approves_once_it_was_given(desk: Any, port: MemoryPort) -> None:
    boss, chief = desk_of(desk, port, "admin", "admin"), desk_of(desk, port, "bruni")
    draft = order(desk)
    turn = give(boss, "commander", "bruni")
    refused = desk.post(f"/orders/{draft}/step", 403, action="approve")
    assert "needs the post of commander, chief of operations; now that is bruni" in str(refused)
    assert "now that is bruni" in str(boss.post(f"/orders/{draft}/step", 403, action="approve"))
    assert chief.post(f"/orders/{draft}/step", action="approve")["state"] == "approved"
    # What no right speaks of stays open to all, and so does a right whose posts nobody was ever given.
    desk.post(f"/orders/{draft}/step", action="cancel", status=403)
    desk.post("/incidents", line={"text": "rockfall"})
    boss.post(f"/posts/{turn}/steps", action="end")
    assert "nobody holds one of them now" in str(chief.post(f"/orders/{draft}/step", 403, action="reopen"))


def test_the_watch_is_taken_over_and_who_had_it_is_relieved(desk: Any, port: MemoryPort) -> None:
    boss, old, new = desk_of(desk, port, "admin", "admin"), desk_of(desk, port, "rossi"), desk_of(desk, port, "conti")
    give(boss, "watch_officer", "rossi")
    turn = give(boss, "watch_officer", "conti", on_call=True)
    shift = old.post("/handovers", remarks="quiet")["id"]
    assert "needs the post" in str(new.post(f"/handovers/{shift}/take", 403))
    before_ms = port.now_ms
    port.now_ms += HOUR_MS
    assert [each["id"] for each in new.get("/home/desk")["on_call"]] == [turn]
    assert "not you" in str(old.post(f"/posts/{turn}/take", 403))
    new.post(f"/posts/{turn}/take")
    assert [each["person"] for each in desk.get("/posts")] == ["token:rossi", "token:conti"]
    assert [each["is_held"] for each in desk.get("/posts")] == [False, True]
    assert [each["is_held"] for each in desk.get("/posts", at_ms=before_ms)] == [True, False]
    assert new.get("/home/desk")["post"] == "watch_officer"
    assert new.post(f"/handovers/{shift}/take")["state"] == "taken"
    new.post(f"/posts/{turn}/steps", action="leave")
    assert [each["is_held"] for each in desk.get("/posts")] == [False, False]


def test_a_post_is_held_only_in_its_time(desk: Any, port: MemoryPort) -> None:
    boss, chief = desk_of(desk, port, "admin", "admin"), desk_of(desk, port, "bruni")
    give(boss, "commander", "bruni", from_ms=port.now_ms + HOUR_MS, until_ms=port.now_ms + 2 * HOUR_MS)
    draft = order(desk)
    chief.post(f"/orders/{draft}/step", 403, action="approve")
    assert [each["is_held"] for each in desk.get("/posts", at_ms=port.now_ms + HOUR_MS)] == [True]
    port.now_ms += HOUR_MS
    chief.post(f"/orders/{draft}/step", action="approve")
    port.now_ms += HOUR_MS
    chief.post(f"/orders/{draft}/step", 403, action="reopen")


def test_what_cannot_be_is_refused_with_a_sentence(desk: Any, port: MemoryPort) -> None:
    boss = desk_of(desk, port, "admin", "admin")
    mine = {"post": "commander", "person": "token:watch"}
    assert "administrator of this node" in str(desk.post("/posts", 403, turn=mine))
    assert "are known" in str(boss.post("/posts", 422, turn={"post": "king", "person": "token:watch"}))
    assert "nobody on this node" in str(boss.post("/posts", 403, turn={"post": "commander", "person": "token:ghost"}))
    liaison = {"post": "liaison_officer", "person": "token:watch"}
    assert "three letters" in str(boss.post("/posts", 422, turn=liaison))
    unit = {"post": "company_commander", "person": "token:watch", "unit": "nothing"}
    assert "order of battle" in str(boss.post("/posts", 422, turn=unit))
    late = {"post": "commander", "person": "token:watch", "until_ms": 1}
    assert "later end" in str(boss.post("/posts", 422, turn=late))
    boss.post("/posts/nothing/take", 404)


def test_turns_that_were_ended_take_no_room(desk: Any, port: MemoryPort, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "TURNS_MAX", 1)
    boss = desk_of(desk, port, "admin", "admin")
    for _ in range(3):
        turn = give(boss, "watch_officer", "watch")
        again = {"post": "watch_officer", "person": "token:watch"}
        assert "end those that are over" in str(boss.post("/posts", 507, turn=again))
        boss.post(f"/posts/{turn}/steps", action="end")


def test_what_another_node_gave_opens_and_closes_nothing_here(desk: Any, port: MemoryPort) -> None:
    give(desk_of(desk, port, "admin", "admin"), "commander", "admin")
    person = Principal(id="token:watch", kind="person", name="watch", context=port.context)
    step = StepOrder(id="x", action="approve")
    here, there = Asked(port, person, "web"), Asked(port, person, "web")
    there.node = "n2"
    assert isinstance(rights.guard(person, "step_order", step, here), Refused)
    assert rights.guard(person, "step_order", step, there) is None


def test_each_home_shows_its_own_needs_first(desk: Any, port: MemoryPort) -> None:
    boss, medic = desk_of(desk, port, "admin", "admin"), desk_of(desk, port, "medic")
    give(boss, "medical_officer", "medic")
    desk.post("/incidents", line={"text": "road blocked", "tell": ["duty_officer"]})
    desk.post("/medevac/requests", request={"title": "CAMOSCIO 11", "lines": {"urgent": "1"}})
    assert {need["feature"] for need in desk.get("/home")} == {"incidents", "medevac"}
    assert [need["title"] for need in medic.get("/home")] == ["CAMOSCIO 11"]
    assert medic.get("/home/desk")["panels"][0] == "medevac"
    lines = desk.get("/home", post="duty_officer")
    assert {need["feature"] for need in lines} == {"incidents", "medevac"}
    assert desk.get("/home", post="logistics_officer") == []


def test_what_waits_for_you_yourself_is_in_your_home_whatever_your_post(desk: Any, port: MemoryPort) -> None:
    medic = desk_of(desk, port, "medic")
    said = {"kind": "OPORD", "title": "GRIFFIN", "distribution": ["medic"]}
    made = desk.post("/orders", order=said)["id"]
    for action in ("approve", "issue"):
        desk.post(f"/orders/{made}/step", action=action)
    (need,) = medic.get("/home", post="medical_officer")
    assert (need["kind"], need["waits_for"], need["roles"]) == ("answer", "you", [])
    assert desk.get("/home", post="medical_officer") == []


def test_the_administrator_sees_what_the_node_needs(desk: Any, port: MemoryPort) -> None:
    boss = desk_of(desk, port, "admin", "admin")
    port.reasons.append("the disk has 12 MiB free: make at least 64 MiB free")
    why = {"reason": "revoked"}
    port.say(Act(action="device.refuse", target="device:LOST", happened_at_ms=port.now_ms, detail=why), port.open)
    needs = boss.get("/home", post="system_administrator")
    assert [(need["kind"], need["is_overdue"]) for need in needs] == [("sick", True), ("refused", False)]
    assert "device:LOST was refused: revoked" in needs[1]["title"]
    # Who is refused is nobody's business but the administrator's.
    assert [need["kind"] for need in desk.get("/home", post="system_administrator")] == ["sick"]


def test_a_liaison_officer_sees_what_was_released_to_the_nation(desk: Any, port: MemoryPort, partner: Any) -> None:
    desk.post("/incidents", line={"text": "bridge closed"})
    port.say(
        Note(room=LOG_ROOM, text="for us alone", happened_at_ms=port.now_ms),
        msgspec.structs.replace(port.open, releasable_to=("ITA",)),
    )
    assert [row["text"] for row in partner.get("/home/released")] == ["bridge closed"]
    assert [row["text"] for row in desk.get("/home/released", nation="FRA")] == ["bridge closed"]
    assert desk.get("/home/released", nation="CHE") == []


def test_in_whose_name_a_step_was_taken_stands_in_its_life(desk: Any) -> None:
    line = desk.post("/incidents", line={"text": "rockfall"}, on_behalf_of="person:rossi")["id"]
    desk.post(f"/incidents/{line}/steps", action="decide", fields={"decision": "close it"}, on_behalf_of="person:bruni")
    steps = desk.get(f"/incidents/{line}")["steps"]
    assert [step["on_behalf_of"] for step in steps] == ["person:bruni", "person:rossi"]
    assert {step["by"] for step in steps} == {"token:watch"}


def test_every_right_speaks_of_commands_and_steps_that_exist() -> None:
    commands = {command.name: command for feature in load_features() for command in feature.commands}
    for right in RIGHTS:
        assert set(right.commands) <= set(commands), right
        assert set(right.posts) <= set(POSTS), right
        for name in right.commands:
            assert not right.actions or "action" in commands[name].request.__struct_fields__
            assert not right.fields or "fields" in commands[name].request.__struct_fields__


def test_every_post_has_a_home_and_the_guide_shows_the_tables() -> None:
    assert set(HOMES) == set(POSTS)
    assert all(home_of(post).panels for post in POSTS)
    tables = dict(re.findall(r"<!-- (\w+) post -->\n(.*?)<!-- end -->", GUIDE.read_text(), re.DOTALL))
    assert tables == {"states": STATES.to_markdown(), "rights": rights.to_markdown(), "homes": homes.to_markdown()}


def test_the_needs_of_all_features_are_one_question(desk: Any, viewer: Any, port: Any) -> None:
    later = desk.post("/incidents", line={"text": "a bridge is down", "key": True})["id"]
    port.tick(60_000)
    asked = desk.post("/medevac/requests", request={"title": "PTL2", "lines": {"urgent": "1"}})
    every = {row["feature"] for row in viewer.get("/needs")}
    assert {"incidents", "medevac"} <= every
    assert asked["id"] in {row["id"] for row in viewer.get("/needs", role="medical_officer")}
    rows = viewer.get("/needs")
    assert rows == sorted(rows, key=lambda row: (not row["is_overdue"], row["since_ms"]))
    alone = [row for part in ("incidents", "medevac") for row in viewer.get(f"/needs/{part}")]
    assert [row for row in rows if row["feature"] in ("incidents", "medevac")] == sorted(
        alone, key=lambda row: (not row["is_overdue"], row["since_ms"])
    )
    assert later in {row["id"] for row in rows}


def test_the_needs_of_an_earlier_time_are_those_of_then(desk: Any, viewer: Any, port: Any) -> None:
    first = desk.post("/incidents", line={"text": "a bridge is down"})["id"]
    port.tick(60_000)
    then_ms = port.now_ms
    port.tick(60_000)
    desk.post(f"/incidents/{first}/steps", action="triage")
    later = desk.post("/incidents", line={"text": "a tunnel is shut"})["id"]
    needs = viewer.get("/needs", at_ms=then_ms)
    assert {need["id"] for need in needs} == {first}
    # Nothing is done in the past, and before anything was said nobody was needed.
    assert {tuple(need["actions"]) for need in needs} == {()}
    assert viewer.get("/needs", at_ms=then_ms - 300_000) == []
    assert {need["id"] for need in viewer.get("/needs")} == {later}
