"""Intelligence work: graded entries, subjects with sourced claims, persons behind a post, the collection plan."""

import re
from pathlib import Path
from typing import Any

import pytest

from aquila.core.model import Label
from aquila.core.policy import EXAMPLE_POLICY
from aquila.features.intel.collect import COLLECT_STATES, standing_of
from aquila.features.intel.grade import CREDIBILITY, RELIABILITY
from aquila.features.intel.subject import PERSON_STATES, SUBJECT_STATES, Keeping

from .conftest import Desk

MINUTE_MS = 60_000
DAY_MS = 86_400_000
WHY = "RFI 7: who brought the truck?"
STRICT = Label(EXAMPLE_POLICY, "UNCLASSIFIED", ("ITA",), ("COMMON",))


@pytest.fixture
def boss(port: Any, client: Any) -> Desk:
    """The administrator of the node, who gives posts."""
    return Desk(client, port.token("boss", "admin"))


@pytest.fixture
def analyst(port: Any, client: Any, boss: Desk) -> Desk:
    """Who holds the post of intelligence."""
    headers = port.token("kaya", "operator")
    boss.post("/posts", turn={"post": "intelligence_officer", "person": "token:kaya"})
    return Desk(client, headers)


def note(desk: Any, text: str) -> str:
    entry: str = desk.post("/notes", text=text)["entry"]
    return entry


def subject(desk: Any, kind: str, name: str, **more: Any) -> str:
    made: str = desk.post("/intel/subjects", kind=kind, subject={"name": name, **more})["id"]
    return made


def person(desk: Any, name: str, **more: Any) -> str:
    made: str = desk.post("/intel/persons", person={"name": name}, reason=WHY, **more)["id"]
    return made


def step(desk: Any, id: str, action: str, status: int = 201, *, of: str = "subjects", **fields: Any) -> Any:
    return desk.post(f"/intel/{of}/{id}/steps", status, action=action, fields=fields)


def opened(desk: Any, status: int = 201, **more: Any) -> Any:
    return desk.post("/intel/persons/open", status, reason=WHY, **more)


def test_a_line_is_graded_and_what_was_thought_before_stays(desk: Any, viewer: Any) -> None:
    entry = note(desk, "Truck seen at the ford")
    other = note(desk, "Nothing new")
    desk.post("/intel/grades", entry=entry, reliability="C", credibility="3")
    desk.post("/intel/grades", entry=entry, reliability="B", credibility="2", reason="a second patrol saw it")
    rows = {row["entry"]: row for row in viewer.get("/intel/inbox")}
    assert [grade["grade"] for grade in rows[entry]["grades"]] == ["B2", "C3"]
    assert rows[entry]["grades"][0]["reason"] == "a second patrol saw it"
    assert [row["entry"] for row in desk.get("/intel/inbox", ungraded_only=True)] == [other]
    desk.post("/intel/grades", 400, entry=entry, reliability="G", credibility="2")
    desk.post("/intel/grades", 404, entry="nothing", reliability="A", credibility="1")
    viewer.post("/intel/grades", 403, entry=entry, reliability="A", credibility="1")


def test_a_claim_stands_on_entries_that_support_or_deny_it(desk: Any) -> None:
    first, second = note(desk, "White truck at the ford"), note(desk, "It was grey")
    ford, truck = (
        subject(desk, "place", "Ford", place={"lat_deg": 42.9, "lon_deg": 79.1}),
        subject(desk, "vehicle", "T1"),
    )
    desk.post("/intel/grades", entry=first, reliability="B", credibility="2")
    step(desk, truck, "claim", text="is white", sources=[first])
    step(desk, truck, "claim", link="seen_at", to=ford, sources=[first, second])
    rows = {row["name"]: row for row in desk.get("/intel/subjects")}
    fact, link = rows["T1"]["claims"]
    assert [(each["entry"], each["stance"], each["grade"]) for each in fact["sources"]] == [(first, "supports", "B2")]
    assert (link["link"], link["to"], fact["is_disputed"]) == ("seen_at", ford, False)
    step(desk, truck, "deny", claim=fact["id"], source=second)
    (row,) = desk.get("/intel/subjects", q="WHITE")
    assert row["claims"][0]["is_disputed"]
    step(desk, truck, "withdraw", claim=fact["id"], reason="it was grey")
    (row,) = desk.get("/intel/subjects", kind="vehicle")
    assert [claim["link"] for claim in row["claims"]] == ["seen_at"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"text": "no source", "sources": []}, "claim"),
        ({"text": "x", "sources": ["nothing"]}, "there is no entry"),
        ({"sources": ["E"]}, "a fact needs words"),
        ({"link": "seen_at", "sources": ["E"]}, "a link needs its kind and the subject"),
        ({"link": "happened_at", "to": "PLACE", "sources": ["E"]}, "goes from event to place"),
        ({"link": "seen_at", "to": "nowhere", "sources": ["E"]}, "nothing here"),
        ({"link": "destroys", "to": "PLACE", "sources": ["E"]}, "claim"),
        ({"text": "x", "sources": ["E"], "from_ms": 2000, "until_ms": 1000}, "until 1000 is before"),
    ],
)
def test_a_claim_that_cannot_be_is_refused_with_a_sentence(desk: Any, fields: dict[str, Any], words: str) -> None:
    entry, place, truck = note(desk, "x"), subject(desk, "place", "P"), subject(desk, "vehicle", "T")
    names = {"E": entry, "PLACE": place}
    fields = {key: names.get(value, value) if isinstance(value, str) else value for key, value in fields.items()}
    fields["sources"] = [names.get(each, each) for each in fields["sources"]]
    assert words in str(step(desk, truck, "claim", 404 if "nowhere" in str(fields) else 422, **fields))


def test_two_that_are_the_same_become_one_and_can_be_told_apart_again(desk: Any) -> None:
    entry = note(desk, "seen")
    one, two, group = subject(desk, "vehicle", "T1"), subject(desk, "vehicle", "T2"), subject(desk, "group", "G")
    step(desk, one, "claim", text="has a canvas", sources=[entry])
    step(desk, two, "claim", text="has six wheels", sources=[entry])
    step(desk, one, "merge", 422, into=one)
    step(desk, one, "merge", 422, into=group)
    step(desk, one, "merge", into=two)
    rows = {row["name"]: row for row in desk.get("/intel/subjects")}
    assert "T1" not in rows
    assert (rows["T2"]["merged"], {claim["of"] for claim in rows["T2"]["claims"]}) == ([one], {one, two})
    step(desk, one, "claim", 422, text="x", sources=[entry])
    step(desk, one, "split")
    assert {row["name"]: len(row["claims"]) for row in desk.get("/intel/subjects")} == {"T1": 1, "T2": 1, "G": 0}


def test_nobody_reads_of_persons_without_the_post_not_even_before_it_was_given(desk: Any, boss: Any, port: Any) -> None:
    for each in (desk, boss):
        refused = each.post("/intel/persons", 403, person={"name": "Doe"}, reason=WHY)
        assert "intelligence officer" in str(refused)
        opened(each, 403)
    assert not [entry for entry in port.journal.read(0, 1000) if entry.envelope.subjects]


def test_every_reading_of_a_person_is_in_the_journal_and_nothing_else_tells_of_him(
    desk: Any, analyst: Any, port: Any
) -> None:
    entry, truck = note(desk, "a man left the truck"), subject(desk, "vehicle", "T1")
    id = person(analyst, "Ivan Example")
    step(analyst, id, "claim", of="persons", link="uses", to=truck, sources=[entry])
    step(analyst, truck, "claim", 422, link="near_to", to=id, sources=[entry])
    (row,) = opened(analyst, q="ivan")["rows"]
    assert (row["kind"], row["claims"][0]["to"], row["claims"][0]["sources"][0]["text"]) == (
        "person",
        truck,
        "a man left the truck",
    )
    assert opened(analyst, q="nobody")["rows"] == []
    reads = [each for each in desk.get("/entries", kind="act") if each["body"]["action"] == "person.read"]
    assert [(each["author"], each["body"]["detail"]["ids"], each["body"]["detail"]["reason"]) for each in reads] == [
        ("token:kaya", id, WHY),
        ("token:kaya", "", WHY),
    ]
    # The journal itself, its search, the board of questions and the list of subjects say nothing of him.
    analyst.post("/questions", question={"text": "Who?", "tests": [{"words": ["ivan"]}]})
    step(analyst, id, "claim", of="persons", text="Ivan was there", sources=[entry])
    told = [desk.get("/entries", limit=10_000), desk.get("/log/search", q="ivan"), desk.get("/questions")]
    assert all(id not in str(desk.get(path)) for path in ("/handover", "/home/released"))
    told += [desk.get("/intel/subjects"), desk.get("/intel/inbox"), analyst.get("/entries", limit=10_000)]
    assert all("Ivan" not in str(each) for each in told)
    sealed = [each for each in desk.get("/entries", limit=10_000) if each["summary"] == "sealed: it is about a person"]
    assert len(sealed) == 3
    assert all(each["body"] is None for each in sealed)


def test_a_record_ends_unless_somebody_says_why_it_is_needed_longer(analyst: Any, port: Any) -> None:
    id = person(analyst, "Ivan Example", days=10)
    port.now_ms += 9 * DAY_MS
    assert [row["id"] for row in opened(analyst)["rows"]] == [id]
    port.now_ms += 2 * DAY_MS
    assert opened(analyst)["rows"] == []
    step(analyst, id, "edit", 404, of="persons", name="Other")
    step(analyst, id, "extend", of="persons", days=30, reason="the inquiry goes on")
    assert [row["id"] for row in opened(analyst)["rows"]] == [id]


def test_how_long_records_are_kept_is_for_the_node_to_say(analyst: Any, port: Any) -> None:
    long, short = person(analyst, "Ivan Example"), person(analyst, "Anna Example", days=20)
    (made, other) = sorted(opened(analyst)["rows"], key=lambda row: -row["keep_until_ms"])
    assert (made["keep_until_ms"], other["keep_until_ms"]) == (port.now_ms + 365 * DAY_MS, port.now_ms + 20 * DAY_MS)
    refused = analyst.post("/intel/persons", 422, person={"name": "X"}, reason=WHY, days=366)
    assert "at most 365 here" in str(refused)
    port.parts["keeping"] = Keeping(days=30, extended_days=60)
    assert "at most 30 here" in str(analyst.post("/intel/persons", 422, person={"name": "X"}, reason=WHY, days=31))
    assert "at most 60 here" in str(step(analyst, long, "extend", 422, of="persons", days=61, reason="x"))
    port.now_ms += 30 * DAY_MS
    assert opened(analyst)["rows"] == [], "what was to be kept for a year is closed as well"
    step(analyst, long, "extend", of="persons", days=60, reason="the inquiry goes on")
    (row,) = opened(analyst)["rows"]
    assert (row["id"], row["keep_until_ms"]) == (long, port.now_ms + 60 * DAY_MS)
    step(analyst, short, "edit", 404, of="persons", name="Other")


def test_an_erased_person_is_in_no_answer_no_journal_and_no_view(analyst: Any, port: Any) -> None:
    id = person(analyst, "Ivan Example")
    analyst.post(f"/intel/persons/{id}/erase", id=id, reason="asked for by himself")
    assert opened(analyst)["rows"] == []
    step(analyst, id, "extend", 404, of="persons", days=30, reason="x")
    assert b"Ivan" not in port.views["intel"].snapshot()
    (sealed,) = [entry for entry in port.journal.read(0, 1000) if entry.envelope.subjects]
    assert port.keys.open(sealed.envelope.subjects, sealed.body_bytes or b"") is None


def test_what_was_kept_of_a_person_does_not_outlive_its_time_in_another_record(analyst: Any, port: Any) -> None:
    entry = note(analyst, "seen")
    short, long = person(analyst, "Ivan Example", days=10), person(analyst, "I. Example", days=100)
    step(analyst, short, "claim", of="persons", text="lives at the ford", sources=[entry])
    step(analyst, short, "merge", of="persons", into=long)
    assert [claim["text"] for claim in opened(analyst)["rows"][0]["claims"]] == ["lives at the ford"]
    port.now_ms += 11 * DAY_MS
    (row,) = opened(analyst)["rows"]
    assert (row["id"], row["merged"], row["claims"]) == (long, [], [])
    assert opened(analyst, q="ford")["rows"] == []
    step(analyst, short, "extend", of="persons", days=30, reason="the inquiry goes on")
    assert len(opened(analyst, q="ford")["rows"]) == 1


def test_who_may_only_read_a_record_cannot_destroy_it(analyst: Any, boss: Desk, client: Any, port: Any) -> None:
    id = person(analyst, "Ivan Example")
    guest = Desk(client, port.token("guest", "operator", group="GUESTS", reads="COMMON"))
    boss.post("/posts", turn={"post": "intelligence_officer", "person": "token:guest"})
    assert [row["id"] for row in opened(guest)["rows"]] == [id]
    assert "may not write into" in str(guest.post(f"/intel/persons/{id}/erase", 403, id=id, reason="why not"))
    assert [row["id"] for row in opened(analyst)["rows"]] == [id]


def test_a_plan_is_no_way_to_find_out_callsigns_behind_the_coarse_picture(desk: Any, partner: Any, port: Any) -> None:
    question = partner.post("/questions", question={"text": "Who is there?", "tests": []})["id"]
    span = {"from_ms": port.now_ms, "until_ms": port.now_ms + DAY_MS, "every_min": 5}
    partner.post("/intel/collection", collection={"question": question, "indicator": "x", "source": "FOX 1", **span})
    coarse = Label(EXAMPLE_POLICY, "UNCLASSIFIED", ("ITA",), ("COMMON",), redacted_to=("FRA",))
    port.place("FOX 1", 42.0, 77.0, coarse)
    assert [row["heard_at_ms"] for row in partner.get("/intel/collection")] == [None]
    assert [row["heard_at_ms"] for row in desk.get("/intel/collection")] == [port.now_ms]


def test_a_summary_cites_what_it_stands_on_under_the_most_restrictive_label(
    desk: Any, analyst: Any, partner: Any, port: Any
) -> None:
    port.start_ms = port.now_ms - 1
    open_, closed = note(desk, "convoy of six"), port.say(port.report("d1", 33, 35), STRICT).envelope.id
    event, hidden = subject(desk, "event", "Convoy"), person(analyst, "Ivan Example")
    desk.post("/intel/grades", entry=open_, reliability="B", credibility="2")
    step(desk, event, "claim", text="six trucks went east", sources=[open_])
    step(desk, event, "claim", text="one turned back", sources=[open_, closed])
    step(analyst, hidden, "claim", of="persons", text="drove one", sources=[open_])
    span = {"unit": "1 Bn", "from_ms": port.start_ms, "until_ms": port.start_ms + 3_600_000}
    lines = {row["text"]: row for row in desk.get("/rollups/intsum", **span)["sentences"]}
    assert set(lines) == {"Convoy: six trucks went east (B2)", "Convoy: one turned back (B2)"}
    first, second = lines.values()
    assert (first["notes"], second["notes"]) == ([open_], [open_, closed])
    assert (first["label"]["releasable_to"] if "releasable_to" in first["label"] else []) != ["ITA"]
    assert second["label"]["releasable_to"] == ["ITA"]
    told = [row["text"] for row in partner.get("/rollups/intsum", **span)["sentences"]]
    assert told == ["Convoy: six trucks went east (B2)"]


def test_the_plan_says_who_is_silent_and_what_was_found(desk: Any, port: Any) -> None:
    question = desk.post("/questions", question={"text": "Do trucks cross at night?", "tests": []})["id"]
    line = {
        "question": question,
        "indicator": "lights at the ford",
        "source": "FOX",
        "from_ms": port.now_ms,
        "until_ms": port.now_ms + 180 * MINUTE_MS,
        "every_min": 30,
    }
    id = desk.post("/intel/collection", collection=line)["id"]
    desk.post("/intel/collection", 422, collection=line | {"question": "none"})

    def standing() -> tuple[str, int]:
        (row,) = desk.get("/intel/collection")
        return row["standing"], len(desk.get("/needs/intel", role="intelligence_officer"))

    assert standing() == ("collecting", 0)
    port.tick(31 * MINUTE_MS)
    assert standing() == ("silent", 1)
    port.place("FOX", 42.9, 79.1)
    assert standing() == ("collecting", 0)
    port.tick(150 * MINUTE_MS)
    assert standing() == ("over", 1)
    entry = note(desk, "no lights")
    desk.post(f"/intel/collection/{id}/steps", 422, action="answer", fields={"answer": "no", "sources": ["x"]})
    desk.post(f"/intel/collection/{id}/steps", action="answer", fields={"answer": "no", "sources": [entry]})
    assert standing() == ("answered", 0)
    assert desk.get("/intel/collection", open_only=True) == []


@pytest.mark.parametrize(
    ("state", "heard_min", "now_min", "standing"),
    [
        ("open", None, -1, "waiting"),
        ("open", None, 30, "collecting"),
        ("open", None, 31, "silent"),
        ("open", -500, 20, "collecting"),
        ("open", 40, 70, "collecting"),
        ("open", 40, 71, "silent"),
        ("open", 119, 120, "over"),
        ("answered", None, 500, "answered"),
        ("dropped", None, 5, "dropped"),
    ],
)
def test_how_a_line_stands_is_a_table(state: str, heard_min: int | None, now_min: int, standing: str) -> None:
    heard_at_ms = None if heard_min is None else 10**9 + heard_min * MINUTE_MS
    told = standing_of(state, 10**9, 10**9 + 120 * MINUTE_MS, 30, heard_at_ms, 10**9 + now_min * MINUTE_MS)
    assert told == standing


def test_what_a_partner_may_not_read_gives_him_no_claim(desk: Any, partner: Any, port: Any) -> None:
    closed = port.say(port.report("d1", 33, 35), STRICT).envelope.id
    truck = subject(desk, "vehicle", "T1")
    step(desk, truck, "claim", text="is armoured", sources=[closed])
    (own,), (his,) = desk.get("/intel/subjects"), partner.get("/intel/subjects")
    assert (len(own["claims"]), his["claims"]) == (1, [])
    desk.post("/intel/grades", entry=closed, reliability="A", credibility="1")
    partner.post("/intel/grades", 404, entry=closed, reliability="A", credibility="1")


def test_the_guide_shows_the_tables() -> None:
    guide = (Path(__file__).parents[2] / "docs/guide/intelligence.md").read_text()
    tables = dict(re.findall(r"<!-- (\w+) -->\n(.*?)<!-- end -->", guide, re.DOTALL))
    told = {"subject": SUBJECT_STATES, "person": PERSON_STATES, "plan": COLLECT_STATES}
    assert tables == {name: states.to_markdown() for name, states in told.items()}
    assert all(f"| {letter} | {words} |" in guide for letter, words in (RELIABILITY | CREDIBILITY).items())
