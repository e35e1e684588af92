"""Tasks on the air: told as chat to whoever has them, answered by chat and receipts of the addressee's own device."""

from typing import Any

import pytest

from aquila.core.model import Address, Alias, Note, Receipt
from aquila.core.speakers import task_code
from aquila.core.task_verbs import VERBS
from aquila.features.tasks.spoken import text_of
from aquila.features.tasks.task import Task
from aquila.testing.memory_node import MemoryPort
from tests.staff.test_orders import said

MINUTE_MS = 60_000


def hears(port: MemoryPort, callsign: str, uid: str, text: str) -> None:
    """A phone says a line to the desk."""
    to = (Address("callsign", "watch"),)
    by = Alias("cot", uid)
    port.say(
        Note(room="watch", text=text, happened_at_ms=port.now_ms, author_name=callsign, author_alias=by, to=to),
        port.open,
    )


@pytest.fixture
def phones(port: MemoryPort) -> MemoryPort:
    for name in ("FOX", "OWL"):
        port.place(name, 45.0, 7.0, name=name, own=True)
    return port


def issued(desk: Any, **fields: Any) -> str:
    id: str = desk.post("/tasks", task={"unit": "FOX", "verb": "OBSRV", "title": "Watch the bridge", **fields})["id"]
    desk.post(f"/tasks/{id}/step", action="issue")
    return id


def state(desk: Any, id: str) -> str:
    return str(desk.get(f"/tasks/{id}")["row"]["state"])


def test_a_task_is_told_as_chat_and_answered_by_the_addressees_own_phone(desk: Any, phones: MemoryPort) -> None:
    end_ms = phones.now_ms + 60 * MINUTE_MS
    id = issued(desk, end_ms=end_ms, purpose="to know who crosses", conditions=[{"kind": "report", "minutes": 30}])
    note, code = said(phones, Note)[-1], task_code(id)
    assert note.to == (Address("callsign", "FOX"),)
    for part in (f"TASK {code} Watch the bridge", "In order to know who crosses.", "Report every 30 min.", "WILCO"):
        assert part in note.text
    for receipt, after in (("delivered", "delivered"), ("read", "read")):
        by = Alias("cot", "FOX")
        phones.say(Receipt(reference=note.reference, state=receipt, happened_at_ms=phones.now_ms, by=by), phones.open)
        assert state(desk, id) == after
    for text, after in ((f"WILCO {code}", "wilco"), (f"executing {code.lower()}", "executing")):
        hears(phones, "FOX", "FOX", text)
        assert state(desk, id) == after
    hears(phones, "FOX", "FOX", f"NOT DONE {code}")
    assert "needs a reason" in said(phones, Note)[-1].text
    hears(phones, "FOX", "FOX", f"NOT DONE {code}: bridge is closed")
    row = desk.get(f"/tasks/{id}")
    assert row["row"]["state"] == "done_not_ok"
    assert "not done because bridge is closed, says" in row["steps"][0]["summary"]


def test_somebody_else_is_told_why_he_does_not_count_and_his_receipt_is_nothing(desk: Any, phones: MemoryPort) -> None:
    id = issued(desk)
    reference, code = said(phones, Note)[-1].reference, task_code(id)
    phones.say(
        Receipt(reference=reference, state="read", happened_at_ms=phones.now_ms, by=Alias("cot", "OWL")), phones.open
    )
    hears(phones, "OWL", "OWL", f"WILCO {code}")
    assert state(desk, id) == "issued"
    assert "OWL is not FOX" in said(phones, Note)[-1].text
    # A code that no task has is chat like any other.
    before = len(said(phones, Note))
    hears(phones, "OWL", "OWL", "WILCO T-0000" if code != "T-0000" else "WILCO T-0001")
    assert len(said(phones, Note)) == before + 1


@pytest.mark.parametrize(("verb", "is_noted"), [("PATROL", True), ("GUARD", True), ("OBSRV", False)])
def test_that_a_verb_is_meant_as_protective_is_a_note_and_no_part_of_the_name(verb: str, is_noted: bool) -> None:
    named, *more = text_of("t1", Task(unit="FOX", verb=verb)).splitlines()
    assert named.endswith(VERBS[verb])
    assert "protective" not in named
    assert ("Note: as a protective or observation task only." in more) == is_noted


def test_an_answer_that_names_a_task_does_not_answer_an_order(desk: Any, phones: MemoryPort) -> None:
    order = {"kind": "OPORD", "title": "Cedar", "number": "12", "distribution": ["FOX"]}
    task = {"id": "T1", "unit": "FOX", "verb": "PATROL"}
    order_id = desk.post("/orders", order={**order, "tasks": [task]})["id"]
    for action in ("approve", "issue"):
        desk.post(f"/orders/{order_id}/step", action=action)
    id = issued(desk)
    hears(phones, "FOX", "FOX", f"WILCO {task_code(id)}")
    assert state(desk, id) == "wilco"
    assert desk.get(f"/orders/{order_id}")["answers"][0]["state"] == "issued"
    # A task of an order is answered with the order; its number there says how it goes.
    (row,) = desk.get("/tasks", order=order_id)
    for text, after in (("EXECUTING T1", "issued"), ("WILCO 12", "wilco"), ("EXECUTING T1", "executing")):
        hears(phones, "FOX", "FOX", text)
        assert state(desk, row["id"]) == after
    hears(phones, "FOX", "FOX", "DONE T1")
    assert state(desk, row["id"]) == "done_ok"


def test_a_task_given_to_another_unit_is_told_to_both_phones_and_the_first_no_longer_answers(
    desk: Any, phones: MemoryPort
) -> None:
    id = issued(desk)
    code = task_code(id)
    desk.post(f"/tasks/{id}", fields={"unit": "OWL"})
    given, taken = said(phones, Note)[-2:]
    assert (given.to, taken.to) == ((Address("callsign", "OWL"),), (Address("callsign", "FOX"),))
    assert f"TASK {code} Watch the bridge" in given.text
    assert f"TASK {code} is no longer yours" in taken.text
    hears(phones, "FOX", "FOX", f"WILCO {code}")
    assert state(desk, id) == "issued"
    hears(phones, "OWL", "OWL", f"WILCO {code}")
    assert state(desk, id) == "wilco"
    # And back: both are told again.
    desk.post(f"/tasks/{id}", fields={"unit": "FOX"})
    assert [note.to[0].value for note in said(phones, Note)[-2:]] == ["FOX", "OWL"]
