"""Prints in the asker's language: headings, fields and fixed words; what people wrote stays as they wrote it."""
# ruff: noqa: RUF001  # Cyrillic letters and dashes are what is printed

import base64
import io
import re
from typing import Any

import docx
import pytest
from pypdf import PdfReader

from aquila.core.tongue import LANGUAGES
from tests.staff.test_orders import ORDER, issue

ENGLISH = re.compile(r"\b(?:Signed|Not signed|Handover|Since|Overdue|New|Mission|Situation|Execution|nothing|phase)\b")
WRITTEN = "observe the valley"
SIGNED = {"en": "Signed: watch goes", "it": "Firmato: watch cede", "fr": "Signé\u00a0: watch quitte"} | {
    "ru": "Подписали: watch сдал",
    "kk": "Қол қойғандар: watch тапсырды",
}


def text_of(desk: Any, id: str, language: str) -> str:
    file = desk.get(f"/orders/{id}/file", format="text", language=language)
    return base64.b64decode(file["base64"]).decode()


def pages(pdf: bytes) -> str:
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("language", "mission", "task"),
    [
        ("en", "2. MISSION\n  who: A Coy", "T1: FOX: keep in view, 181106ZNOV26 to 181206ZNOV26."),
        (
            "it",
            "2. MISSIONE\n  chi: A Coy",
            "T1: FOX: tenere sotto osservazione, 181106ZNOV26 – 181206ZNOV26.",
        ),
        ("fr", "2. MISSION\n  qui\u00a0: A Coy", "T1\u00a0: FOX\u00a0: garder à vue, 181106ZNOV26 – 181206ZNOV26."),
        ("ru", "2. ЗАДАЧА\n  кто: A Coy", "T1: FOX: держать под наблюдением, 181106ZNOV26 – 181206ZNOV26."),
        ("kk", "2. МІНДЕТ\n  кім: A Coy", "T1: FOX: бақылауда ұстау, 181106ZNOV26 – 181206ZNOV26."),
    ],
)
def test_an_order_is_printed_in_the_language_that_is_asked_for(
    desk: Any, language: str, mission: str, task: str
) -> None:
    id = issue(desk)
    text = text_of(desk, id, language)
    assert mission in text
    assert task in text
    assert WRITTEN in text
    files = {
        format: base64.b64decode(desk.get(f"/orders/{id}/file", format=format, language=language)["base64"])
        for format in ("pdf", "docx")
    }
    task_said = task.removeprefix("T1: ")
    assert " ".join(task_said.split()) in pages(files["pdf"])
    assert any(task_said in each.text for each in docx.Document(io.BytesIO(files["docx"])).paragraphs)


def test_english_is_what_nobody_asked_for(desk: Any) -> None:
    id = issue(desk)
    assert base64.b64decode(desk.get(f"/orders/{id}/file")["base64"]).decode() == text_of(desk, id, "en")


def test_a_language_that_is_not_spoken_is_refused_with_those_that_are(client: Any, port: Any) -> None:
    for path in ("orders/x/file", "reports/x/document", "handovers/x/document"):
        answer = client.get(f"/api/v1/{path}?language=tlh", headers=port.token("looks", "viewer"))
        assert answer.status_code == 400
        assert "'tlh' is not spoken here" in answer.text
        assert ", ".join(LANGUAGES) in answer.text


def test_a_frago_tells_its_changes_in_the_reader_s_words(desk: Any) -> None:
    base = issue(desk)
    changes = [{"path": "tasks.T1.end_ms", "new": 1_795_007_200_000}, {"path": "mission.where", "new": "the ford"}]
    frago = desk.post(f"/orders/{base}/frago", changes=changes)["id"]
    text = text_of(desk, frago, "it")
    assert "compito T1, fine: 181206ZNOV26 -> 181306ZNOV26" in text
    assert "missione, dove: aggiunto the ford" in text
    assert "OPORD 12 Cedar, versione 1" in text


def test_a_report_keeps_doctrine_s_letters_and_what_was_filled_in(desk: Any) -> None:
    values = {
        "size": "4 men",
        "activity": "walking",
        "place": {"lat_deg": 43.0, "lon_deg": 77.0},
        "time": 1_795_000_000_000,
    }
    salute = desk.post("/reports", report={"form": "salute", "unit": "P1", "values": values}, file=True)["id"]
    medevac = {"place": {"lat_deg": 43.0, "lon_deg": 77.0}, "urgent": 1, "security": "escort"}
    nine = desk.post("/reports", report={"form": "medevac", "unit": "P1", "values": medevac})["id"]
    said = desk.get(f"/reports/{salute}/document", language="ru")
    assert said["title"] == "Донесение SALUTE, P1"
    assert "S – Численность: 4 men [1]" in said["text"]
    assert "Не подписано" in said["text"]
    assert "Источники" in pages(base64.b64decode(said["pdf"]))
    assert "6 Sicurezza: scorta necessaria" in desk.get(f"/reports/{nine}/document", language="it")["text"]


def test_a_form_that_people_made_is_printed_in_their_words(desk: Any) -> None:
    fields = [{"name": "deep", "title": "How deep"}, {"name": "place", "title": "Where"}]
    form = {"name": "ford", "title": "Ford report", "sections": [{"title": "The ford", "fields": fields}]}
    desk.post("/forms", form=form)
    values = {"deep": "to the knee", "place": "below the mill"}
    made = desk.post("/reports", report={"form": "ford", "unit": "P1", "values": values})["id"]
    text = desk.get(f"/reports/{made}/document", language="fr")["text"]
    assert "The ford\nHow deep\u00a0: to the knee" in text
    # A word that the program has too is said in the reader's language.
    assert "Où\u00a0: below the mill" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_handover_is_printed_in_the_language_that_is_asked_for(desk: Any, port: Any, language: str) -> None:
    line = desk.post("/incidents", line={"text": "mine at the ford", "category": "explosive"})["id"]
    deed = {"who": "A Coy", "what": "cordon", "due_ms": port.now_ms + 60_000}
    desk.post(f"/incidents/{line}/steps", action="act", fields=deed)
    issue(desk, **ORDER)
    shift = desk.post("/handovers", remarks="quiet night")["id"]
    made = desk.get(f"/handovers/{shift}/document", language=language)
    for written in ("mine at the ford", "cordon", "quiet night", "OPORD 12 Cedar"):
        assert written in made["text"]
    assert SIGNED[language] in made["text"]
    assert " ".join(SIGNED[language].split()) in pages(base64.b64decode(made["pdf"]))
    assert bool(ENGLISH.search(made["text"])) == (language == "en"), made["text"]


@pytest.mark.parametrize("purpose", ["to deny the bridge", "In order to deny the bridge", "deny the bridge"])
def test_a_purpose_says_its_to_once_however_it_was_written(desk: Any, purpose: str) -> None:
    task = {**ORDER["tasks"][0], "purpose": purpose}
    id = issue(desk, tasks=[task])
    assert "181206ZNOV26 in order to deny the bridge." in text_of(desk, id, "en")
    assert "in order to to" not in text_of(desk, id, "en")
