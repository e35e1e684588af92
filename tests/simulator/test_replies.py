"""Devices of the exercise answer chat themselves: receipts first, then what the scenario gives them to say."""

import re
from importlib import resources

import pytest
from lxml import etree
from msgspec.structs import replace

from aquila.simulator import cot
from aquila.simulator.replies import Heard, document_of, heard_in, planned
from aquila.simulator.scenario import Answer, Reply, Scenario, ScenarioError, read, shipped
from aquila.simulator.script import Script, script

SCENARIO = shipped("snow-leopard")
FILES = resources.files("aquila.simulator") / "scenarios" / "snow-leopard"
TASK = Heard("aquila-task.0001", "CAMOSCIO 11", "TASK T-0001 Patrol to the lake")


@pytest.fixture(scope="module")
def ready() -> Script:
    return script(SCENARIO, 1_800_000_000_000)


def test_a_line_is_delivered_read_and_answered_with_what_it_named(ready: Script) -> None:
    plans = list(planned(ready, "CAMOSCIO 11", TASK, 100.0))
    assert [each.receipt or each.text for each in plans[:4]] == [
        "b-t-f-d",
        "b-t-f-r",
        "WILCO T-0001",
        "EXECUTING T-0001",
    ]
    assert plans[0].at_s == 100.0 < plans[1].at_s < plans[2].at_s < plans[3].at_s
    receipt = etree.fromstring(document_of(ready, plans[0], 100.0).body.split(b"?>", 1)[1])
    assert (receipt.get("uid"), receipt.get("type")) == (TASK.reference, "b-t-f-d")
    assert receipt.find("detail/__chatreceipt").get("messageId") == TASK.reference
    assert receipt.find("detail/link").get("uid") == ready.clients["CAMOSCIO 11"].uid


def test_what_a_client_sends_is_heard_by_another_as_it_was_said(ready: Script) -> None:
    line = document_of(ready, list(planned(ready, "CAMOSCIO 11", TASK, 0.0))[2], 30.0)
    heard = heard_in(line.body)
    assert heard is not None
    assert heard.text == "WILCO T-0001"
    # The same answer at another moment is the same line.
    assert heard_in(document_of(ready, list(planned(ready, "CAMOSCIO 11", TASK, 0.0))[2], 31.0).body) == heard


def test_other_lines_and_broken_ones_are_let_pass(ready: Script) -> None:
    assert not list(planned(ready, "CAMOSCIO 11", replace(TASK, text="radio check"), 0.0))
    assert not list(planned(ready, "LEOPARD HQ", TASK, 0.0))
    for event in (b"<event><__chat ", b"<__chat ", cot.ping("X", 0)):
        assert heard_in(event) is None


def test_every_addressee_of_the_exercise_answers_from_its_own_device(ready: Script) -> None:
    distributed = {name for act in SCENARIO.staff.acts for name in act.body.get("order", {}).get("distribution", ())}
    tasked = {act.body["task"]["unit"] for act in SCENARIO.staff.acts if "task" in act.body}
    assert distributed | tasked <= {reply.by for reply in SCENARIO.replies}
    assert not [act for act in SCENARIO.staff.acts if act.body.get("on_behalf")]


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply("NOBODY", "x", "LEOPARD HQ"), "is not known"),
        (Reply("LEOPARD HQ", "x(", "VERDE CP"), "no regular expression"),
        (Reply("LEOPARD HQ", "x", "VERDE CP", says=(Answer(1.0, "WILCO {1}"),)), "hears has 0 groups"),
    ],
)
def test_a_wrong_reply_is_refused_with_the_reason(reply: Reply, why: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(why)):
        _read_with(reply)


def _read_with(reply: Reply) -> Scenario:
    says = ", ".join(f"[{each.after_s}, '{each.text}']" for each in reply.says)
    toml = f"[[reply]]\nby = '{reply.by}'\nhears = '{reply.hears}'\nto = '{reply.to}'\nsays = [{says}]\n"
    return read((FILES / "scenario.toml").read_bytes() + toml.encode(), (FILES / "routes.json").read_bytes())
