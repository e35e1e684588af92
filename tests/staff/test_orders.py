"""Orders: drafted, approved, issued, answered by the addressee, changed by fragmentary orders, watched when silent."""

import base64
from typing import Any

from aquila.core.model import Address, Alias, Label, Note, Paper, Receipt, Removal, Report
from aquila.core.policy import EXAMPLE_POLICY
from aquila.testing.memory_node import MemoryPort
from tests.staff.conftest import Desk

MINUTE_MS = 60_000
STRICT = Label(EXAMPLE_POLICY, "UNCLASSIFIED", ("ITA",), ("COMMON",))
ORDER = {
    "kind": "OPORD",
    "title": "Cedar",
    "number": "12",
    "mission": {"who": "A Coy", "what": "observe the valley", "when": "H"},
    "tasks": [{"id": "T1", "unit": "FOX", "verb": "OBSRV", "start_ms": 1_795_000_000_000, "end_ms": 1_795_003_600_000}],
    "distribution": ["FOX", "OWL"],
}


def draft(desk: Any, **fields: Any) -> str:
    made: str = desk.post("/orders", order={**ORDER, **fields})["id"]
    return made


def issue(desk: Any, **fields: Any) -> str:
    id = draft(desk, **fields)
    desk.post(f"/orders/{id}/step", action="approve")
    desk.post(f"/orders/{id}/step", action="issue")
    return id


def states(desk: Any, id: str) -> dict[str, str]:
    return {each["addressee"]: each["state"] for each in desk.get(f"/orders/{id}")["answers"]}


def said(port: MemoryPort, kind: type) -> list[Any]:
    return [entry.body for entry in port.journal.read(0, 10_000) if isinstance(entry.body, kind)]


def test_an_order_lives_from_draft_to_superseded(desk: Any) -> None:
    id = draft(desk)
    assert "approve" in desk.get(f"/orders/{id}")["actions"]
    assert "not possible now" in str(desk.post(f"/orders/{id}/step", 422, action="issue"))
    desk.post(f"/orders/{id}/step", action="approve")
    assert "not possible now" in str(desk.post(f"/orders/{id}", 422, fields={"title": "x"}))
    desk.post(f"/orders/{id}/step", action="issue")
    (row,) = desk.get("/orders", state="issued")
    assert (row["silent"], row["addressees"], row["version"]) == (2, 2, 1)
    assert "which other order" in str(desk.post(f"/orders/{id}/step", 422, action="supersede", by=id))
    desk.post(f"/orders/{id}/step", action="supersede", by=issue(desk, title="Oak"))
    assert desk.get(f"/orders/{id}")["state"] == "superseded"
    desk.post(f"/orders/{id}/step", 422, action="cancel")


def test_only_the_addressee_answers_or_an_operator_on_its_behalf(desk: Any, port: Any, client: Any) -> None:
    id = issue(desk)
    fox = Desk(client, port.token("FOX", "viewer"))
    assert "is not FOX" in str(desk.post(f"/orders/{id}/answer", 403, addressee="FOX", action="acknowledge"))
    fox.post(f"/orders/{id}/answer", 403, addressee="OWL", action="wilco")
    fox.post(f"/orders/{id}/answer", 403, addressee="OWL", action="wilco", on_behalf=True)
    fox.post(f"/orders/{id}/answer", addressee="FOX", action="acknowledge")
    fox.post(f"/orders/{id}/answer", addressee="FOX", action="wilco")
    assert "give a reason" in str(
        desk.post(f"/orders/{id}/answer", 422, addressee="OWL", action="cannot_comply", on_behalf=True)
    )
    desk.post(f"/orders/{id}/answer", addressee="OWL", action="cannot_comply", reason="bridge out", on_behalf=True)
    assert "no addressee" in str(desk.post(f"/orders/{id}/answer", 422, addressee="BEE", action="wilco"))
    fox_said, owl_said = desk.get(f"/orders/{id}")["answers"]
    assert (fox_said["state"], fox_said["on_behalf_of"]) == ("wilco", None)
    assert (owl_said["state"], owl_said["reason"], owl_said["on_behalf_of"]) == ("cannot_comply", "bridge out", "OWL")


def test_an_extract_goes_to_the_phone_and_its_receipts_come_back(desk: Any, port: MemoryPort) -> None:
    id = issue(desk)
    note = next(each for each in said(port, Note) if each.to[0].value == "FOX")
    assert "T1 FOX: keep in view" in note.text
    assert note.reference is not None
    port.place("F-1", 45.0, 7.0, name="FOX", own=True)
    for state in ("delivered", "read", "read"):
        receipt = Receipt(reference=note.reference, state=state, happened_at_ms=port.now_ms, by=Alias("cot", "F-1"))
        port.say(receipt, Label(port.open.policy, "UNCLASSIFIED", ("MISSION",), ("COMMON",)))
        assert states(desk, id)["FOX"] == state
    assert states(desk, id)["OWL"] == "issued"
    steps = [each["action"] for each in desk.get(f"/orders/{id}")["steps"]]
    assert steps == ["read", "deliver", "issue", "approve", "create"]


def test_people_read_the_name_of_a_unit_and_programs_its_id(desk: Any, port: MemoryPort) -> None:
    unit = desk.post("/orbat/units", unit={"name": "A Coy", "callsigns": ["FOX"]})["id"]
    id = issue(
        desk,
        task_organisation=[{"unit": unit, "under": "HQ"}],
        tasks=[{**ORDER["tasks"][0], "unit": unit}],  # type: ignore[index]  # a list in a table of mixed values
        distribution=[unit],
    )
    files = {
        name: base64.b64decode(desk.get(f"/orders/{id}/file", format=name)["base64"]).decode()
        for name in ("text", "c2sim")
    }
    assert unit not in files["text"]
    assert "A Coy: OPCON HQ on order\n" in files["text"]
    assert "T1: A Coy: keep in view" in files["text"]
    assert unit in files["c2sim"]
    assert "T1 FOX: keep in view" in said(port, Note)[-1].text


def hears(port: MemoryPort, callsign: str, uid: str, text: str, to: str = "watch") -> None:
    """A phone says a line to the desk."""
    line = Note(
        room=callsign,
        text=text,
        happened_at_ms=port.now_ms,
        author_name=callsign,
        author_alias=Alias("cot", uid),
        to=(Address("callsign", to),),
    )
    port.say(line, port.open)


def test_a_receipt_from_somebody_else_is_a_doubt_and_no_answer(desk: Any, port: MemoryPort) -> None:
    unit = desk.post("/orbat/units", unit={"name": "A Coy", "callsigns": ["FOX"]})["id"]
    id = issue(desk, distribution=[unit])
    note = said(port, Note)[-1]
    for uid, name in (("F-1", "FOX"), ("O-1", "OWL")):
        port.place(uid, 45.0, 7.0, name=name, own=True)
    for by in (None, Alias("cot", "O-1"), Alias("cot", "NOBODY")):
        port.say(Receipt(reference=note.reference, state="read", happened_at_ms=port.now_ms, by=by), port.open)
    (answer,) = desk.get(f"/orders/{id}")["answers"]
    assert (answer["state"], answer["doubt"]) == (
        "issued",
        "NOBODY is not A Coy: answer as FOX, or bind the tracker to the unit",
    )
    # Two that go by one callsign prove nothing; the tracker that is bound does.
    port.place("F-2", 45.0, 7.0, name="FOX", own=True)
    port.say(
        Receipt(reference=note.reference, state="read", happened_at_ms=port.now_ms, by=Alias("cot", "F-2")), port.open
    )
    (answer,) = desk.get(f"/orders/{id}")["answers"]
    assert "2 devices go by FOX" in answer["doubt"]
    desk.post(f"/orbat/units/{unit}", fields={"trackers": ["cot:F-1"]})
    for uid, state in (("F-2", "issued"), ("F-1", "read")):
        port.say(
            Receipt(reference=note.reference, state="read", happened_at_ms=port.now_ms, by=Alias("cot", uid)), port.open
        )
        assert states(desk, id)[unit] == state


def test_a_phone_answers_by_chat_and_a_stranger_is_told_why_he_does_not_count(desk: Any, port: MemoryPort) -> None:
    id = issue(desk)
    for uid, name in (("F-1", "FOX"), ("B-1", "BEE")):
        port.place(uid, 45.0, 7.0, name=name, own=True)
    hears(port, "FOX", "F-1", "cannot comply")
    assert "says why" in said(port, Note)[-1].text
    hears(port, "FOX", "F-1", "CANNOT COMPLY 12 bridge is out")
    fox = desk.get(f"/orders/{id}")["answers"][0]
    assert (fox["state"], fox["reason"]) == ("cannot_comply", "bridge is out")
    hears(port, "BEE", "B-1", "WILCO 12")
    told = said(port, Note)[-1]
    assert told.to[0].value == "BEE"
    assert "BEE is not OWL" in told.text or "BEE is not FOX" in told.text
    hears(port, "FOX", "F-1", "wilco")
    assert states(desk, id) == {"FOX": "wilco", "OWL": "issued"}


def test_the_overlay_of_the_version_reaches_the_addressees_only_and_goes_when_the_order_ends(
    desk: Any, port: MemoryPort
) -> None:
    route = {"id": "R1", "name": "ROUTE BLUE", "shape": "route", "points": [[45.0, 7.0], [45.1, 7.1]]}
    area = {"id": "N1", "name": "NAI 1", "shape": "circle", "points": [[45.0, 7.0]], "radius_m": 400.0}
    id = issue(desk, graphics=[route, area], overlay=["Cedar"])
    drawn = {each.name: each for each in said(port, Report) if each.category == "drawing"}
    assert drawn["ROUTE BLUE"].type == "b-m-r"
    assert drawn["NAI 1"].geometry.radius_m == 400.0
    assert {to.value for to in drawn["NAI 1"].to} == {"FOX", "OWL"}
    # A FRAGO moves the route: the phones' own route moves, under the same name on the air.
    moved = {**route, "points": [[45.0, 7.0], [45.2, 7.2]]}
    frago = desk.post(f"/orders/{id}/frago", changes=[{"path": "graphics.R1", "new": moved}])["id"]
    for action in ("approve", "issue"):
        desk.post(f"/orders/{frago}/step", action=action)
    again = said(port, Report)[-1]
    assert again.alias == drawn["ROUTE BLUE"].alias
    assert again.geometry.points[-1] == (45.2, 7.2)
    desk.post(f"/orders/{id}/step", action="cancel")
    assert {each.alias.value for each in said(port, Removal)} == {f"{id}.R1", f"{id}.N1"}
    assert "has 2 to 500 points" in str(
        desk.post("/orders", 422, order={**ORDER, "graphics": [{**route, "points": [[45.0, 7.0]]}]})
    )


def test_a_frago_is_drafted_from_what_is_to_be_different(desk: Any) -> None:
    id = draft(desk)
    assert "not in force" in str(desk.post(f"/orders/{id}/frago", 422, fields={"title": "x"}))
    for action in ("approve", "issue"):
        desk.post(f"/orders/{id}/step", action=action)
    assert "nothing would be different" in str(desk.post(f"/orders/{id}/frago", 422, fields={"title": "Cedar"}))
    mission = {"who": "A Coy", "what": "observe the upper valley", "when": "H"}
    frago = desk.post(f"/orders/{id}/frago", fields={"mission": mission})["id"]
    desk.post(f"/orders/{id}/frago", frago=frago, changes=[{"path": "tasks.T1.end_ms", "new": 1_795_007_200_000}])
    detail = desk.get(f"/orders/{frago}")
    assert detail["would_read"]["mission"]["what"] == "observe the upper valley"
    assert (detail["order"]["number"], detail["order"]["distribution"]) == ("12.1", ["FOX", "OWL"])
    words, times = detail["diff"]
    assert [(each["mark"], each["text"]) for each in words["parts"]] == [
        ("same", "observe the"),
        ("added", "upper"),
        ("same", "valley"),
    ]
    assert times["text"] == "task T1, end: 181206ZNOV26 -> 181306ZNOV26"


def test_what_a_frago_adds_is_told_value_by_value_under_the_names_of_its_fields(desk: Any) -> None:
    """So that a page says the names in the language of its reader."""
    id = issue(desk)
    watch = [{"kind": "report", "minutes": 60}]
    place = {"lat_deg": 43.05, "lon_deg": 77.1}
    task = {"id": "T2", "unit": "OWL", "verb": "OBSRV", "end_ms": 1_795_003_600_000, "place": place, "watch": watch}
    frago = desk.post(f"/orders/{id}/frago", changes=[{"path": "tasks.T2", "new": task}])["id"]
    (line,) = desk.get(f"/orders/{frago}")["diff"]
    told = {each["name"]: each["text"] for each in line["parts"] if each["mark"] == "added"}
    assert told.items() >= {"unit": "OWL", "watch": "report", "minutes": "60", "place": "43.05000, 77.10000"}.items()
    assert told["end_ms"] == "181206ZNOV26"


def test_orders_say_what_needs_whom(desk: Any, port: MemoryPort, client: Any) -> None:
    def kinds(of: Any, role: str = "") -> list[str]:
        return [each["kind"] for each in of.get("/needs/orders", role=role)]

    fox = Desk(client, port.token("FOX", "viewer"))
    id = draft(desk, remind_after_min=10, escalate_after_min=20, distribution=["FOX"])
    assert kinds(desk, "chief_of_operations") == ["approve"]
    desk.post(f"/orders/{id}/step", action="approve")
    assert kinds(desk) == ["issue"]
    desk.post(f"/orders/{id}/step", action="issue")
    assert (kinds(desk), kinds(fox)) == ([], ["answer"])
    port.tick(11 * MINUTE_MS)
    assert kinds(desk) == ["silent"]
    fox.post(f"/orders/{id}/answer", addressee="FOX", action="cannot_comply", reason="bridge out")
    assert (kinds(desk), kinds(fox)) == (["cannot_comply"], ["cannot_comply"])
    frago = desk.post(f"/orders/{id}/frago", fields={"place": "UNP 1-31"})["id"]
    for action in ("approve", "issue"):
        desk.post(f"/orders/{frago}/step", action=action)
    assert kinds(desk) == []


def test_an_addressee_who_was_away_for_two_hours_still_answers_and_nothing_is_said_twice(
    desk: Any, port: MemoryPort
) -> None:
    route = {"id": "R1", "name": "ROUTE BLUE", "shape": "route", "points": [[45.0, 7.0], [45.1, 7.1]]}
    id = issue(desk, graphics=[route])
    note = next(each for each in said(port, Note) if each.to[0].value == "OWL")
    for _ in range(120):
        port.tick(MINUTE_MS)
    steps = [each["action"] for each in desk.get(f"/orders/{id}")["steps"]]
    assert (steps.count("remind"), steps.count("escalate")) == (2, 2)
    assert [each.name for each in said(port, Report) if each.category == "drawing"] == ["ROUTE BLUE"]
    port.place("O-1", 45.0, 7.0, name="OWL", own=True)
    for state in ("delivered", "read"):
        receipt = Receipt(reference=note.reference, state=state, happened_at_ms=port.now_ms, by=Alias("cot", "O-1"))
        port.say(receipt, port.open)
    hears(port, "OWL", "O-1", "WILCO")
    assert states(desk, id) == {"FOX": "issued", "OWL": "wilco"}
    desk.post(f"/orders/{id}/answer", 422, addressee="OWL", action="acknowledge", on_behalf=True)


def test_silence_is_reminded_once_and_escalated_once(desk: Any, port: MemoryPort) -> None:
    id = issue(desk, remind_after_min=10, escalate_after_min=20)
    desk.post(f"/orders/{id}/answer", addressee="OWL", action="wilco", on_behalf=True)
    for _ in range(30):
        port.tick(MINUTE_MS)
    steps = [each["action"] for each in desk.get(f"/orders/{id}")["steps"]]
    assert (steps.count("remind"), steps.count("escalate")) == (1, 1)
    first, *_, reminder = said(port, Note)
    assert reminder.text.startswith("REMINDER")
    assert sum(each.text.startswith("REMINDER") for each in said(port, Note)) == 1
    assert (reminder.author_name, reminder.author_alias) == (first.author_name, first.author_alias)
    assert any("duty officer must be told" in each.summary for each in said(port, Paper))


def test_the_order_in_force_at_ten_times_with_five_fragos(desk: Any, port: MemoryPort) -> None:
    base = issue(desk)
    start_ms = port.now_ms
    port.tick(MINUTE_MS)
    for n in range(1, 6):
        old = "H" if n == 1 else f"H+{n - 1}"
        frago = {
            "kind": "FRAGO",
            "title": f"Change {n}",
            "order_ref": base,
            "changes": [{"path": "mission.when", "old": old, "new": f"H+{n}"}],
            "effective_ms": start_ms + n * 10 * MINUTE_MS,
            "distribution": ["FOX"],
        }
        id = desk.post("/orders", order=frago)["id"]
        desk.post(f"/orders/{id}/step", action="approve")
        desk.post(f"/orders/{id}/step", action="issue")
    wanted = ["H", "H", "H+1", "H+1", "H+2", "H+2", "H+3", "H+3", "H+4", "H+4", "H+5"]
    for place, when in enumerate(wanted):
        row = desk.get(f"/orders/{base}/in-force", at_ms=start_ms + place * 5 * MINUTE_MS)
        assert row["order"]["mission"]["when"] == when
        assert [each["problem"] for each in row["applied"]] == [""] * len(row["applied"])
    # The order that it changes is told by title and version, not by its id.
    text = base64.b64decode(desk.get(f"/orders/{id}/file", format="text")["base64"]).decode()
    assert "reference: OPORD 12 Cedar, version 1" in text
    assert base not in text
    diff = desk.get(f"/orders/{base}/diff", at_ms=start_ms + 60 * MINUTE_MS)
    assert [line["text"] for line in diff["lines"]] == ["mission, when: H -> H+5"]
    assert len(diff["lines"][0]["fragos"]) == 5


def test_what_cannot_be_is_refused_with_a_sentence(desk: Any) -> None:
    def refused(status: int, **fields: Any) -> str:
        return str(desk.post("/orders", status, order={**ORDER, **fields}))

    task = ORDER["tasks"][0]
    assert "out of scope" in refused(422, tasks=[{**task, "verb": "MARK"}])
    assert "not in the list" in refused(422, tasks=[{**task, "verb": "DSTRY"}])
    assert "name a later end" in refused(422, tasks=[{**task, "end_ms": task["start_ms"]}])
    assert "stand twice" in refused(422, tasks=[task, task])
    assert "name it in order_ref" in refused(422, kind="FRAGO")
    assert "8000" in refused(400, situation={"threat": "x" * 20_000})
    refused(413, situation={"threat": "x" * 1_000_000})
    nobody = draft(desk, distribution=[])
    desk.post(f"/orders/{nobody}/step", action="approve")
    assert "to nobody" in str(desk.post(f"/orders/{nobody}/step", 422, action="issue"))
    stranger = draft(desk, distribution=["0190a000-0000-7000-8000-000000000000"])
    desk.post(f"/orders/{stranger}/step", action="approve")
    assert "there is no unit" in str(desk.post(f"/orders/{stranger}/step", 422, action="issue"))


def test_who_may_only_read_an_order_changes_it_by_no_frago(desk: Any, port: MemoryPort, client: Any) -> None:
    base = issue(desk)
    port.tick()
    guest = Desk(client, port.token("guest", "operator", group="GUESTS", reads="COMMON"))
    change = {"path": "mission.what", "old": "observe the valley", "new": "leave the valley"}
    frago = {
        "kind": "FRAGO",
        "title": "Go",
        "number": "1",
        "order_ref": base,
        "changes": [change],
        "distribution": ["FOX"],
    }
    assert "may not write into" in str(guest.post("/orders", 403, order=frago))
    changes = [{"path": "mission.what", "new": "leave the valley"}]
    assert "may not write into" in str(guest.post(f"/orders/{base}/frago", 403, changes=changes))
    # Nor by a draft of his own that is made a FRAGO afterwards.
    own = guest.post("/orders", order={**frago, "kind": "OPORD", "order_ref": None, "changes": []})["id"]
    fields = {"kind": "FRAGO", "order_ref": base, "changes": [change]}
    assert "may not write into" in str(guest.post(f"/orders/{own}", 403, fields=fields))
    assert desk.get(f"/orders/{base}/in-force")["order"]["mission"]["what"] == "observe the valley"


def test_a_frago_is_marked_at_least_as_its_order_whose_words_it_repeats(
    desk: Any, partner: Any, port: MemoryPort
) -> None:
    base = issue(desk)
    order = desk.get(f"/orders/{base}")["order"]
    port.say(
        Paper(type="orders.order", target="strict", action="create", happened_at_ms=port.now_ms, fields=order), STRICT
    )
    for action in ("approve", "issue"):
        desk.post("/orders/strict/step", action=action)
    frago = desk.post("/orders/strict/frago", changes=[{"path": "mission.what", "new": "go"}])["id"]
    assert desk.get(f"/orders/{frago}")["label"]["releasable_to"] == ["ITA"]
    assert [row["id"] for row in partner.get("/orders")] == [base]
    own = draft(desk, kind="OPORD", title="By hand")
    fields = {"kind": "FRAGO", "order_ref": "strict", "tasks": None, "mission": None}
    assert "marked" in str(desk.post(f"/orders/{own}", 422, fields=fields))
