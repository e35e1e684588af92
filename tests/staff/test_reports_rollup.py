"""The roll-up: figures and sentences with their sources, missing named, changes below shown above, labels derived."""

import base64
from typing import Any

from aquila.core.model import Label, Paper
from aquila.core.policy import EXAMPLE_POLICY
from aquila.testing.memory_node import NATIONAL

from .conftest import Desk

HOUR_MS = 3_600_000
STRICT = Label(EXAMPLE_POLICY, "UNCLASSIFIED", ("ITA",), ("COMMON",))


def sitrep(desk: Any, port: Any, unit: str, present: int, to: str = "1 Bn", **more: Any) -> str:
    values = {"from": port.now_ms - HOUR_MS, "until": port.now_ms, "strength": 100, "present": present}
    report = {"form": "sitrep", "unit": unit, "to": to, "values": {**values, "assessment": "calm"}, **more}
    made: str = desk.post("/reports", report=report, file=True)["id"]
    return made


def span(port: Any, **more: Any) -> dict[str, Any]:
    return {"unit": "1 Bn", "from_ms": port.start_ms, "until_ms": port.start_ms + HOUR_MS, **more}


def test_a_level_is_assembled_signed_and_shows_what_changed_below(desk: Any, port: Any) -> None:
    port.start_ms = port.now_ms - 1
    first = sitrep(desk, port, "A Coy", 90)
    sitrep(desk, port, "B Coy", 80)
    line = desk.post("/incidents", line={"text": "mine found", "category": "explosive"})
    ask = span(port, expected="A Coy, C Coy")
    rolled = desk.get("/rollups/sitrep", **ask)
    assert rolled["missing"] == ["C Coy"]
    figure = next(each for each in rolled["figures"] if each["name"] == "present")
    assert figure["value"] == 170
    assert [part["unit"] for part in figure["parts"]] == ["A Coy", "B Coy"]
    known = {row["id"] for row in desk.get("/entries", limit=10_000)}
    lines = [*rolled["figures"], *rolled["sentences"]]
    assert all(each["notes"] and set(each["notes"]) <= known for each in lines)
    assert [each["notes"] for each in rolled["sentences"] if "mine found" in each["text"]] == [[line["entry"]]]

    made = desk.post("/rollups", rollup={"form": "sitrep", **ask}, to="Bde", values={"assessment": "tense"})["id"]
    desk.post(f"/reports/{made}/steps", action="approve")
    document = desk.get(f"/reports/{made}/document")
    assert "Present: 170 [" in document["text"]
    assert "no report of C Coy" in document["text"]
    assert "Signed: watch\n" in document["text"]
    assert base64.b64decode(document["pdf"]).startswith(b"%PDF-")
    assert desk.get(f"/reports/{first}")["row"]["values"]["assessment"] == "calm"

    sitrep(desk, port, "A Coy", 85, replaces=first)
    rolled = desk.get("/rollups/sitrep", **ask)
    (change,) = rolled["changes"]
    assert (rolled["filed"], change["name"], change["was"], change["now"]) == (made, "present", 170, 165)
    up = desk.get("/rollups/sitrep", **span(port, unit="Bde"))
    assert next(each["value"] for each in up["figures"] if each["name"] == "present") == 170


def test_units_of_the_order_of_battle_are_expected(desk: Any, port: Any) -> None:
    port.start_ms = port.now_ms - 1
    battalion = desk.post("/orbat/units", unit={"name": "1 Bn"})["id"]
    for name in ("A Coy", "D Coy"):
        desk.post("/orbat/units", unit={"name": name, "parents": [{"unit": battalion}]})
    sitrep(desk, port, "A Coy", 90)
    assert desk.get("/rollups/sitrep", **span(port))["missing"] == ["D Coy"]


def test_lines_carry_the_most_restrictive_label_of_their_sources(desk: Any, partner: Any, port: Any) -> None:
    port.start_ms = port.now_ms - 1
    for target, label, text in (("r1", STRICT, "seen by ours"), ("r2", NATIONAL, "not for us")):
        fields = {"form": "intrep", "unit": "G2", "to": "1 Bn", "v.what": text}
        port.say(
            Paper(type="reports.report", target=target, action="file", happened_at_ms=port.now_ms, fields=fields), label
        )
    rolled = desk.get("/rollups/intsum", **span(port))
    (sentence,) = rolled["sentences"]
    assert "seen by ours" in sentence["text"]
    assert sentence["label"]["releasable_to"] == ["ITA"]
    own = {"situation": "calm", "assessment": "none"}
    made = desk.post("/rollups", rollup={"form": "intsum", **span(port)}, values=own)["id"]
    assert desk.get(f"/reports/{made}")["row"]["label"]["releasable_to"] == ["ITA"]
    partner_ids = [row["id"] for row in partner.get("/reports")]
    assert made not in partner_ids


def test_sentences_of_a_roll_up_have_words_for_codes_in_the_language_of_who_reads(desk: Any, port: Any) -> None:
    port.start_ms = port.now_ms - 1
    values = {
        "time": port.now_ms,
        "place": {"lat_deg": 43.0, "lon_deg": 77.0},
        "type": "theft",
        "facts": "fuel gone",
    }
    report = {"form": "incident", "unit": "A Coy", "to": "1 Bn", "values": {**values, "verification": "probable"}}
    desk.post("/reports", report=report, file=True)
    desk.post("/incidents", line={"text": "no word from patrol 2", "category": "lost_contact"})
    assert {each["text"] for each in desk.get("/rollups/intsum", **span(port))["sentences"]} == {
        "A Coy, Incident report (UN): theft, fuel gone, probable",
        "lost contact: no word from patrol 2 (unverified)",
    }
    assert {each["text"] for each in desk.get("/rollups/intsum", **span(port), language="it")["sentences"]} == {
        "A Coy, Rapporto di incidente (ONU): theft, fuel gone, probabile",
        "lost contact: no word from patrol 2 (non verificato)",
    }
    assert "is not spoken here" in desk.fails("/rollups/intsum", 400, **span(port), language="xx")
    own = {"situation": "calm", "assessment": "none"}
    rolled = {"form": "intsum", **span(port), "language": "it"}
    made = desk.post("/rollups", rollup=rolled, values=own)["id"]
    assert "probabile" in desk.get(f"/reports/{made}")["row"]["values"]["activity"]


def test_a_roll_up_of_logistics_takes_the_least_of_days(desk: Any, port: Any) -> None:
    port.start_ms = port.now_ms - 1
    for unit, days, water in (("A Coy", 3, 100), ("B Coy", 1.5, 200)):
        values: dict[str, Any] = {"time": port.now_ms, "unit": unit, "assessment": "ok", "authentication": "x"}
        report = {
            "form": "logsitrep",
            "unit": unit,
            "to": "1 Bn",
            "values": {**values, "class_i": days, "water": water},
        }
        desk.post("/reports", report=report, file=True)
    figures = {each["name"]: each["value"] for each in desk.get("/rollups/logsitrep", **span(port))["figures"]}
    assert figures == {"class_i": 1.5, "water": 300}


def test_what_cannot_be_assembled_is_refused(desk: Any, port: Any) -> None:
    port.start_ms = port.now_ms
    ask = span(port)
    assert "is missing" in str(desk.post("/rollups", 422, rollup={"form": "sitrep", **ask}))
    assert "take one of" in str(desk.post("/rollups", 400, rollup={"form": "salute", **ask}))
    backwards = {**ask, "until_ms": ask["from_ms"]}
    assert "not after" in str(desk.post("/rollups", 400, rollup={"form": "sitrep", **backwards}))


def test_a_roll_up_ends_no_report_of_another_level_or_of_a_group_that_its_author_may_only_read(
    desk: Any, client: Any, port: Any
) -> None:
    port.start_ms = port.now_ms - 1
    victim, ask = sitrep(desk, port, "Bde", 3000, to="Div"), span(port)
    sitrep(desk, port, "A Coy", 90)
    refused = desk.post("/rollups", 422, rollup={"form": "sitrep", **ask}, replaces=victim)
    assert "sitrep of Bde" in str(refused)
    old = desk.post("/rollups", rollup={"form": "sitrep", **ask})["id"]
    liaison = Desk(client, port.token("liaison", "operator", group="GUESTS", reads="COMMON"))
    port.now_ms += 60_000
    guests = {**ask, "from_ms": port.now_ms - 1, "until_ms": port.now_ms}
    values = {"strength": 9, "present": 9, "assessment": "ours"}
    refused = liaison.post("/rollups", 403, rollup={"form": "sitrep", **guests}, values=values, replaces=old)
    assert "may not write into" in str(refused)
    states = [row["state"] for row in liaison.get("/reports")]
    assert states == ["filed"] * 3, "neither ended nor filed beside it"
    new = desk.post("/rollups", rollup={"form": "sitrep", **ask}, replaces=old)["id"]
    states = {row["id"]: row["state"] for row in desk.get("/reports")}
    assert (states[old], states[new]) == ("superseded", "filed")
