"""Handover: what is new, changed, open, promised, overdue, unsure since the last one; both sign."""

import base64
from importlib import import_module
from pkgutil import walk_packages
from typing import Any, get_args, get_type_hints

import pytest

from aquila import features
from aquila.core.dtg import dtg
from aquila.core.model import Paper
from aquila.core.printed_words import PRINTED
from aquila.core.states import States
from aquila.features.handover.lines import ENDS
from aquila.features.handover.standing import AFTER, STATUS
from aquila.features.medevac.request import STATES as REQUEST_STATES
from aquila.features.medevac.request import Asset
from aquila.testing.memory_node import NATIONAL, OPEN

MINUTE_MS = 60_000


@pytest.fixture
def relief(port: Any, client: Any, desk: Any) -> Any:
    """An operator who comes on shift."""
    return type(desk)(client, port.token("relief", "operator"))


def sections(desk: Any, **ask: Any) -> dict[str, list[str]]:
    """The texts under each heading, with what is told beside them."""
    found: dict[str, list[str]] = {}
    for line in desk.get("/handover", **ask):
        found.setdefault(line["section"], []).append(
            ": ".join(filter(None, (line["text"], "; ".join(each["text"] for each in line["details"]))))
        )
    return found


def test_a_shift_is_handed_over_and_both_sign(desk: Any, relief: Any, port: Any) -> None:
    first = desk.post("/incidents", line={"text": "mine at the ford", "category": "explosive"})["id"]
    due_ms = port.now_ms + 10 * MINUTE_MS
    deed = {"who": "A Coy", "what": "cordon", "due_ms": due_ms}
    desk.post(f"/incidents/{first}/steps", action="act", fields=deed)
    (line,) = desk.get("/handover")
    assert (line["section"], line["also"]) == ("promised", ["unsure", "new", "open"])
    assert (line["text"], [each["text"] for each in line["details"]]) == ("mine at the ford", ["unverified"])
    cordon = {"what": "cordon", "to_whom": "A Coy", "due_ms": due_ms}
    assert line["promises"] == [{**cordon, "is_overdue": False}]
    port.now_ms += 20 * MINUTE_MS
    (line,) = desk.get("/handover")
    assert (line["section"], line["also"]) == ("overdue", ["unsure", "new", "open"])
    assert line["promises"] == [{**cordon, "is_overdue": True}]

    shift = desk.post("/handovers", remarks="quiet <b>night</b>")["id"]
    assert [need["id"] for need in relief.get("/needs/handover", role="watch_officer")] == [shift]
    assert "somebody else has to sign" in str(desk.post(f"/handovers/{shift}/take", 422))
    (row,) = relief.get("/handovers")
    assert (row["state"], row["remarks"]) == ("offered", "quiet <b>night</b>")
    assert relief.post(f"/handovers/{shift}/take", remarks="taken")["state"] == "taken"
    assert "taken: take is not possible" in str(relief.post(f"/handovers/{shift}/take", 422))
    document = desk.get(f"/handovers/{shift}/document")
    assert f"- cordon (A Coy by {dtg(due_ms)}) overdue\n" in document["text"]
    assert "Signed: watch goes; relief comes" in document["text"]
    assert "Overdue: 1\nmine at the ford: unverified [unsure, new, open]" in document["text"]
    assert "token:" not in document["text"].partition("Sources")[0]
    # Each under a heading of its own.
    assert "Remarks of watch, who hands over\nquiet <b>night</b>\n" in document["text"]
    assert "Remarks of relief, who takes over\ntaken\n" in document["text"]
    (row,) = desk.get("/handovers")
    assert (row["remarks"], row["remarks_of_who_came"]) == ("quiet <b>night</b>", "taken")
    assert base64.b64decode(document["pdf"]).startswith(b"%PDF-")

    port.now_ms += MINUTE_MS
    desk.post(f"/incidents/{first}/steps", action="amend", fields={"reason": "seen", "verification": "confirmed"})
    desk.post("/incidents", line={"text": "goat found"})
    assert sections(relief) == {"overdue": ["mine at the ford: amend"], "new": ["goat found"]}


def test_the_first_handover_is_since_the_journal_began_and_the_next_since_the_first(
    desk: Any,
    relief: Any,
    port: Any,
) -> None:
    began_ms = port.now_ms
    desk.post("/incidents", line={"text": "noise"})
    port.now_ms += 20 * MINUTE_MS
    first = desk.post("/handovers")["id"]
    assert f"Since the journal began, {dtg(began_ms)};" in desk.get(f"/handovers/{first}/document")["text"]
    relief.post(f"/handovers/{first}/take")
    since_ms = port.now_ms
    port.now_ms += 20 * MINUTE_MS
    second = desk.post("/handovers")["id"]
    assert f"Since {dtg(since_ms)};" in desk.get(f"/handovers/{second}/document")["text"]


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
    assert sections(partner) == {"new": ["request for evacuation MEDEVAC med: waits for an asset"]}


def test_what_is_to_be_fetched_and_by_whom_is_told_as_it_stands(desk: Any, relief: Any, port: Any) -> None:
    asset = {"name": "ANGEL 1", "kind": "rotary"}
    id = desk.post("/medevac/assets", asset=asset)["id"]
    desk.post("/medevac/facilities", facility={"name": "ROLE 2", "beds": 10, "beds_free": 3})
    asked = desk.post("/medevac/requests", request={"title": "FOX", "lines": {"urgent": "1"}})["id"]
    assert sorted(sections(desk)["new"]) == [
        "evacuation asset ANGEL 1: available",
        "medical facility ROLE 2: free beds: 3 of 10",
        "request for evacuation MEDEVAC FOX: waits for an asset",
    ]
    shift = desk.post("/handovers")["id"]
    relief.post(f"/handovers/{shift}/take")
    port.now_ms += MINUTE_MS
    desk.post("/medevac/assets", asset={**asset, "status": "committed"}, id=id)
    for action, fields in (("approve", {"asset": id}), ("launch", {})):
        desk.post(f"/medevac/requests/{asked}/steps", action=action, fields=fields)
    assert sorted(sections(desk)["changed"]) == [
        "evacuation asset ANGEL 1: under way, not available",
        "request for evacuation MEDEVAC FOX: its asset is on the way; approved; launch",
    ]
    shift = desk.post("/handovers")["id"]
    printed = desk.get(f"/handovers/{shift}/document", language="ru")["text"]
    assert "ANGEL 1: занято" in printed
    assert "MEDEVAC FOX: средство в пути" in printed


def test_every_way_that_a_thing_may_stand_is_a_sentence_of_the_table() -> None:
    said = {text for _, text in PRINTED["handover.standing"]}
    assert {*filter(None, AFTER.values()), *STATUS.values()} < said
    moves = {move.action for move in REQUEST_STATES.moves if move.goes is not None}
    assert moves == set(AFTER)
    assert set(STATUS) == set(get_args(get_type_hints(Asset)["status"]))


def test_what_the_node_and_exercise_control_keep_is_no_business_of_the_shift(desk: Any, port: Any) -> None:
    desk.post(
        "/exercise/injects",
        inject={"title": "a mast falls", "due_ms": port.now_ms, "to": ["HQ", "ALL"]},
        groups=["COMMON"],
    )
    desk.post("/watches", watch={"kind": "silence", "name": "who is silent", "entity": "ptl2", "every_min": 15})
    assert sections(desk) == {"new": ["watch who is silent: create"]}


def test_a_task_that_was_done_is_open_no_more(desk: Any, port: Any) -> None:
    id = desk.post("/tasks", task={"unit": "FOX", "verb": "OBSRV"})["id"]
    desk.post(f"/tasks/{id}/step", action="issue")
    desk.post(f"/tasks/{id}", fields={"title": "Look {at} it"})
    (line,) = desk.get("/handover")
    assert (line["text"], line["section"], line["also"]) == ("task Look {at} it for FOX", "new", ["open"])
    for action in ("wilco", "execute", "done_ok"):
        desk.post(f"/tasks/{id}/step", action=action, on_behalf=True)
    (line,) = desk.get("/handover")
    assert (line["section"], line["also"]) == ("new", [])


def test_every_step_that_ends_a_thing_for_good_is_known_here() -> None:
    modules = [import_module(each.name) for each in walk_packages(features.__path__, "aquila.features.")]
    tables = [each for module in modules for each in vars(module).values() if isinstance(each, States)]
    assert len(tables) > 20
    ends = {move.action for table in tables for move in table.moves if move.goes in table.last}
    assert ends <= ENDS


def test_whom_something_was_promised_is_named_in_words(desk: Any, port: Any) -> None:
    desk.post("/incidents", line={"text": "men at the ford", "tell": ["duty_officer"]})
    (line,) = desk.get("/handover")
    (promise,) = line["promises"]
    assert (promise["to_whom"], promise["what"], line["text"]) == ("duty officer", "to be told", "men at the ford")


def test_each_thing_stands_once_and_the_counts_add_up(
    desk: Any, relief: Any, port: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New, changed, open, promised, overdue and unsure at once, and some things that are only one of them."""
    ids = {
        desk.post("/incidents", line={"text": "of the shift before"})["id"],
        desk.post("/rfis", request={"question": "how deep?", "to": "S2"})["id"],
    }
    relief.post(f"/handovers/{desk.post('/handovers')['id']}/take")
    port.now_ms += MINUTE_MS
    line = {"text": "mine", "category": "explosive", "tell": ["watch_officer", "duty_officer"]}
    mine = desk.post("/incidents", line=line)["id"]
    for minutes in (1, 60):
        deed = {"who": f"coy {minutes}", "what": "cordon", "due_ms": port.now_ms + minutes * MINUTE_MS}
        desk.post(f"/incidents/{mine}/steps", action="act", fields=deed)
    done = desk.post("/incidents", line={"text": "noise", "tell": ["watch_officer"]})["id"]
    desk.post(f"/incidents/{done}/steps", action="ack", fields={"role": "watch_officer"})
    desk.post(f"/incidents/{done}/steps", action="close")
    rfi = {"question": "is it open?", "to": "S2", "needed_by_ms": port.now_ms + MINUTE_MS}
    asked = desk.post("/rfis", request=rfi)
    ids |= {mine, done, asked["id"]}
    port.now_ms += 2 * MINUTE_MS
    lines = desk.get("/handover")
    assert sorted(each["id"] for each in lines) == sorted(ids)
    assert {each["id"]: each["section"] for each in lines} == {
        mine: "overdue",
        asked["id"]: "overdue",
        done: "new",
        **dict.fromkeys(ids - {mine, asked["id"], done}, "open"),
    }
    # Two cordons and two who are to be told: of the first cordon the time is over.
    (four,) = [each["promises"] for each in lines if each["id"] == mine]
    assert len(four) == 4
    whole = desk.post("/handovers")["id"]
    assert "Open, unchanged: 2\n" in desk.get(f"/handovers/{whole}/document")["text"]
    desk.post(f"/handovers/{whole}/withdraw")
    monkeypatch.setattr("aquila.features.handover.LINES_MAX", 3)
    shift = desk.post("/handovers")["id"]
    row, *_ = desk.get("/handovers")
    assert row["lines"] == len(lines) == 5
    text = desk.get(f"/handovers/{shift}/document")["text"]
    assert "; lines: 5" in text
    assert "2 further lines are not printed" in text
    heads = [
        int(each.partition(": ")[2]) for each in text.splitlines() if each.startswith(("Overdue: ", "New: ", "Open: "))
    ]
    assert sum(heads) == 3


def test_what_was_done_stands_in_words_and_not_by_the_names_of_steps(desk: Any, relief: Any, port: Any) -> None:
    task = desk.post("/tasks", task={"unit": "PTL 3", "verb": "OBSRV", "title": "Watch the bridge"})["id"]
    desk.post("/handovers", remarks="")
    (shift,) = desk.get("/handovers")
    relief.post(f"/handovers/{shift['id']}/take")
    port.now_ms += MINUTE_MS
    desk.post(f"/tasks/{task}/step", action="issue")
    for action in ("acknowledge", "wilco", "execute"):
        desk.post(f"/tasks/{task}/step", action=action, on_behalf=True)
    (line,) = [each for each in desk.get("/handover") if each["id"] == task]
    said = [(each["text"], each["act"]) for each in line["details"]]
    assert said == [
        ("issued", "step.issue"),
        ("acknowledged", "step.acknowledge"),
        ("will comply", "step.wilco"),
        ("under way", "step.execute"),
    ]


def test_a_thing_without_a_line_of_its_own_is_printed_by_what_was_done(desk: Any, port: Any) -> None:
    port.say(Paper(type="reports.report", target="r1", action="file", happened_at_ms=port.now_ms), OPEN)
    shift = desk.post("/handovers", remarks="")["id"]
    assert "New: 1" in desk.get(f"/handovers/{shift}/document")["text"]


def test_a_feed_is_handed_over_with_the_address_it_has_now(desk: Any, port: Any) -> None:
    def step(action: str, fields: dict[str, Any], line: str) -> None:
        said = Paper(
            type="feeds.feed", target="f1", action=action, happened_at_ms=port.now_ms, fields=fields, summary=line
        )
        port.say(said, OPEN)

    was, now = "tcp://192.0.2.1:30003", "tcp://192.0.2.7:30003"
    step("add", {"name": "sky", "format": "sbs", "url": was}, f"feed sky added: sbs from {was}")
    step("change", {"url": now}, "feed sky: url changed")
    (line,) = desk.get("/handover")
    assert line["text"] == f"feed sky: sbs from {now}"
    assert line["words"]["url"] == now
