import asyncio
import gzip
import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from aquila.core.ids import entity_id
from aquila.core.model import LOG_ROOM, Note, Receipt
from aquila.features.log import cursor_of
from aquila.features.picture import TrackFix
from aquila.web_api import WebSettings, make_app
from aquila.web_api.errors import WebError
from aquila.web_api.routes import QUERIES_OF_ONE, Pool


def test_entities_answer_as_the_blueprint_says(port: Any, client: Any) -> None:
    port.place("PATROL1", 42.5, 77.5)
    (row,) = client.get("/api/v1/entities", headers=port.token("op")).json()
    wanted = {"id", "name", "sidc", "aliases", "position", "motion", "observed_at", "stale_at", "source", "label"}
    assert wanted <= row.keys()
    assert row["aliases"] == [{"scheme": "cot", "value": "PATROL1"}]
    assert (row["position"]["lat_deg"], row["position"]["hae_m"]) == (42.5, 1200.0)
    assert row["observed_at"] == "2026-11-18T11:06:40.000Z"
    assert row["source"] == "device:FOX"


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("bbox=77,42,78,43", {"NEAR", "OLD"}),
        ("bbox=179,42,-179,43", {"DATELINE"}),
        ("q=near", {"NEAR"}),
        ("q=", {"NEAR", "OLD", "DATELINE", "HOSTILE"}),
        ("kind=hostile", {"HOSTILE"}),
        ("kind=a-h", {"HOSTILE"}),
        ("kind=marker", {"HOSTILE"}),
        ("max_age_s=100", {"NEAR", "DATELINE", "HOSTILE"}),
        ("limit=1&kind=friend&bbox=77,42,78,43", {"NEAR"}),
        ("bbox=&q=&kind=&max_age_s=&limit=", {"NEAR", "OLD", "DATELINE", "HOSTILE"}),
    ],
)
def test_entities_are_found_by_place_text_kind_and_age(port: Any, client: Any, question: str, found: set[str]) -> None:
    port.place("OLD", 42.6, 77.6)
    port.now_ms += 600_000
    port.place("DATELINE", 42.5, -179.9)
    port.place("HOSTILE", 10, 10, type="a-h-G", sidc="10061000001211000000", category="marker")
    port.place("NEAR", 42.5, 77.5)
    rows = client.get(f"/api/v1/entities?{question}", headers=port.token("op")).json()
    assert {row["name"] for row in rows} == found


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/entities?bbox=1,2,3",
        "/api/v1/entities?bbox=nan,nan,nan,nan",
        "/api/v1/entities?kind=spaceship",
        "/api/v1/entities?limit=0",
        "/api/v1/entities?max_age_s=nan",
        "/api/v1/entities?colour=red",
        "/api/v1/entities?q=a&q=b",
        "/api/v1/entries?since=yesterday",
        "/api/v1/entries?kind=gossip",
    ],
)
def test_a_wrong_question_gets_a_sentence(port: Any, client: Any, path: str) -> None:
    answer = client.get(path, headers=port.token("op"))
    assert answer.status_code == 400
    assert set(answer.json()["error"]) >= {"code", "reason", "do"}


def test_one_entity_comes_with_its_last_three_sources_newest_first(port: Any, client: Any) -> None:
    # Four see it in turn, and the second once more at the end.
    for number, source in enumerate(("ONE", "TWO", "THREE", "FOUR", "TWO")):
        port.now_ms += 1000
        port.say(port.report("LUPO", 42.0 + number, 77.0), port.open, f"device:{source}")
    row = client.get(f"/api/v1/entities/{entity_id('cot', 'LUPO')}", headers=port.token("op")).json()
    said = [(each["source"], each["position"]["lat_deg"]) for each in row["sources"]]
    assert said == [("device:TWO", 46.0), ("device:FOUR", 45.0), ("device:THREE", 44.0)]


def test_a_marker_is_a_statement_that_can_be_taken_off_again(port: Any, client: Any) -> None:
    headers = port.token("op", "operator")
    marker = {"name": "Cache", "lat_deg": 42.1, "lon_deg": 77.1, "sidc": "10011000001211000000", "remarks": "water"}
    placed = client.post("/api/v1/markers", json=marker, headers=headers)
    assert placed.status_code == 201
    entity = placed.json()["entity"]
    row = client.get(f"/api/v1/entities/{entity}", headers=headers).json()
    assert (row["name"], row["how"], row["category"], row["type"]) == ("Cache", "h-g-i-g-o", "marker", "a-u-G-U-C-I")
    assert client.delete(f"/api/v1/entities/{entity}", headers=headers).status_code == 200
    assert client.get(f"/api/v1/entities/{entity}", headers=headers).status_code == 404
    kinds = [row["kind"] for row in client.get("/api/v1/entries", headers=headers).json()]
    assert kinds == ["act", "report", "removal"]


def test_absent_and_denied_are_the_same_bytes(port: Any, client: Any) -> None:
    secret = port.place("SECRET", 42, 77, port.national)
    entry = port.say(Note(room=LOG_ROOM, text="secret", happened_at_ms=port.now_ms), port.national)
    headers = port.token("op", "admin")
    for path, denied in (("/api/v1/entities/", secret), ("/api/v1/entries/", entry.envelope.id)):
        absent = client.get(path + "no-such-thing", headers=headers)
        answer = client.get(path + denied, headers=headers)
        assert (answer.status_code, answer.content) == (absent.status_code, absent.content) == (404, absent.content)
    assert client.delete(f"/api/v1/entities/{secret}", headers=headers).content == absent.content


def test_entries_are_paged_by_their_cursor_and_limited_after_release(port: Any, client: Any) -> None:
    for number in range(30):
        label = port.national if number % 3 else port.open
        port.say(Note(room=LOG_ROOM, text=f"line {number}", happened_at_ms=port.now_ms), label)
    headers = port.token("op")
    seen: list[str] = []
    since = ""
    while rows := client.get(f"/api/v1/entries?since={since}&kind=note&limit=4", headers=headers).json():
        seen += [row["summary"] for row in rows]
        since = rows[-1]["cursor"]
    assert seen == [f"line {number}" for number in range(0, 30, 3)]
    newest = client.get("/api/v1/entries?newest=true&kind=note&limit=3", headers=headers).json()
    assert [row["summary"] for row in newest] == seen[-3:]
    assert newest[-1]["cursor"] == cursor_of(28)


def test_entries_until_a_time_are_the_newest_that_were_there_by_then(port: Any, client: Any) -> None:
    begun_ms = port.now_ms
    for number in range(30):
        port.now_ms = begun_ms + number * 60_000
        port.say(Note(room=LOG_ROOM, text=f"line {number}", happened_at_ms=port.now_ms), port.open)
    asked = f"/api/v1/entries?kind=note&until_ms={begun_ms + 12 * 60_000}"
    headers = port.token("op")

    def said(path: str) -> list[str]:
        return [row["summary"] for row in client.get(path, headers=headers).json()]

    assert said(f"{asked}&newest=true&limit=2") == ["line 11", "line 12"]
    assert said(asked) == [f"line {number}" for number in range(13)]
    assert said(f"/api/v1/entries?kind=note&newest=true&until_ms={begun_ms - 1}") == []
    assert said(f"{asked}&from_ms={begun_ms + 11 * 60_000}") == ["line 11", "line 12"]
    assert said(f"{asked}&from_ms={begun_ms + 11 * 60_000}&newest=true") == ["line 11", "line 12"]
    assert said(f"{asked}&from_ms={begun_ms + 13 * 60_000}") == []


def test_a_note_and_a_chat_line_are_journalled_with_their_author(port: Any, client: Any) -> None:
    headers = port.token("op", "operator")
    assert client.post("/api/v1/notes", json={"text": "Wind rises"}, headers=headers).status_code == 201
    said = client.post("/api/v1/chat", json={"room": "Ops", "text": "Hello", "to": ["PATROL1"]}, headers=headers).json()
    port.say(
        Receipt(reference=said["reference"], state="read", happened_at_ms=port.now_ms), port.open, "device:PATROL1"
    )
    (line,) = client.get("/api/v1/chat/lines?room=Ops", headers=headers).json()
    assert line["receipts"] == {"device:PATROL1": "read"}
    assert line["to"] == [{"scheme": "callsign", "value": "PATROL1"}]
    (room,) = client.get("/api/v1/chat/rooms", headers=headers).json()
    assert (room["room"], room["last_text"]) == ("Ops", "Hello")
    notes = client.get("/api/v1/entries?kind=note", headers=headers).json()
    assert [(row["author"], row["summary"]) for row in notes] == [
        ("token:op", "Wind rises"),
        ("token:op", "PATROL1: Hello"),
    ]


def test_a_line_of_the_log_is_of_no_later_time_than_now(port: Any, client: Any) -> None:
    headers = port.token("op", "operator")
    line = {"text": "for ever on top", "happened_at_ms": port.now_ms + port.policy.skew_ms + 1}
    refused = client.post("/api/v1/notes", headers=headers, json=line)
    assert (refused.status_code, "in the future" in refused.text) == (422, True)
    line["happened_at_ms"] -= 1
    assert client.post("/api/v1/notes", headers=headers, json=line).status_code == 201


@pytest.mark.parametrize("text", ["", "a\x00b", "x" * 8001, "\x1b[2J"])
def test_text_that_no_screen_can_carry_is_refused(port: Any, client: Any, text: str) -> None:
    answer = client.post("/api/v1/notes", json={"text": text}, headers=port.token("op", "operator"))
    assert answer.status_code == 400


def test_a_body_of_more_than_256_kb_is_refused(port: Any, client: Any) -> None:
    answer = client.post("/api/v1/notes", json={"text": "x" * 300_000}, headers=port.token("op", "operator"))
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "oversize"


def test_a_viewer_cannot_write_and_an_operator_cannot_manage(port: Any, client: Any) -> None:
    viewer, operator = port.token("v", "viewer"), port.token("o", "operator")
    assert client.post("/api/v1/notes", json={"text": "x"}, headers=viewer).status_code == 403
    assert client.get("/api/v1/tokens", headers=operator).status_code == 403
    assert client.post("/api/v1/tokens", json={"name": "x"}, headers=operator).status_code == 403


def test_a_part_that_is_not_there_is_said(port: Any, client: Any) -> None:
    del port.parts["tracks"]
    answer = client.get("/api/v1/tracks", headers=port.token("op"))
    assert (answer.status_code, answer.json()["error"]["reason"]) == (503, "this node has no tracks")


def test_health_says_why_and_metrics_name_nobody(port: Any, client: Any) -> None:
    assert client.get("/healthz").status_code == 200
    port.reasons = ["the disk is full"]
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["the disk is full"])
    port.place("PATROL1", 42, 77)
    assert client.get("/metrics").status_code == 401, "no loopback, no token"
    text = client.get("/metrics", headers=port.token("prometheus")).text
    assert "aquila_tak_events_in 7" in text
    assert "PATROL1" not in text


def test_the_long_questions_of_one_asker_leave_a_thread_for_the_others() -> None:
    async def ask(pool: Pool, end: threading.Event) -> list[bool]:
        slow = [asyncio.create_task(pool.run("person:slow", end.wait)) for _ in range(QUERIES_OF_ONE)]
        try:
            # Each has its place before anybody else asks.
            await asyncio.sleep(0)
            assert await asyncio.wait_for(pool.run("person:other", lambda: "answer"), 60) == "answer"
            with pytest.raises(WebError) as refused:
                await pool.run("person:slow", end.wait)
            assert refused.value.status == 429
            assert not any(task.done() for task in slow)
        finally:
            end.set()
        return await asyncio.gather(*slow)

    assert asyncio.run(ask(Pool(), threading.Event())) == [True] * QUERIES_OF_ONE


def test_a_failure_of_ours_tells_nothing(port: Any, client: Any, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: Any) -> Any:
        raise RuntimeError("canary")

    port.parts["links"].states = broken
    answer = client.get("/api/v1/links", headers=port.token("op"))
    assert answer.status_code == 500
    assert "canary" not in answer.text
    assert "request failed" in caplog.text


def test_files_come_in_ranges(client: Any, tmp_path: Path) -> None:
    data = bytes(range(256)) * 40
    (tmp_path / "base.pmtiles").write_bytes(data)
    whole = client.get("/base.pmtiles")
    assert (whole.status_code, whole.content, whole.headers["accept-ranges"]) == (200, data, "bytes")
    for start in range(0, len(data), 97):
        part = client.get("/base.pmtiles", headers={"Range": f"bytes={start}-{start + 96}"})
        assert (part.status_code, part.content) == (206, data[start : start + 97])
    last = client.get("/base.pmtiles", headers={"Range": "bytes=-10"})
    assert (last.content, last.headers["content-range"]) == (data[-10:], "bytes 10230-10239/10240")
    beyond = client.get("/base.pmtiles", headers={"Range": "bytes=10240-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */10240")
    tag = whole.headers["etag"]
    assert client.get("/base.pmtiles", headers={"Range": "bytes=0-9", "If-Range": tag}).status_code == 206
    assert client.get("/base.pmtiles", headers={"Range": "bytes=0-9", "If-Range": '"other"'}).status_code == 200
    assert client.get("/base.pmtiles", headers={"Range": "bytes=0-1,4-5"}).status_code == 200
    assert client.get("/base.pmtiles", headers={"If-None-Match": tag}).status_code == 304
    head = client.head("/base.pmtiles", headers={"Range": "bytes=0-9"})
    assert (head.status_code, head.content, head.headers["content-length"]) == (206, b"", "10")


def test_a_path_never_leads_out_of_the_folder(client: Any, tmp_path: Path) -> None:
    outside = tmp_path.parent / "outside.txt"
    outside.write_text("canary")
    (tmp_path / "link.txt").symlink_to(outside)
    for path in ("/../outside.txt", "/%2e%2e/outside.txt", "/..%2foutside.txt", "/link.txt", "/a%00b", "/%5c..%5cx"):
        answer = client.get(path)
        assert (answer.status_code, "canary" in answer.text) == (404, False), path


def test_what_was_packed_beforehand_is_sent_packed_and_hashed_names_are_kept(client: Any, tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-a1.js").write_text("plain")
    (tmp_path / "assets" / "index-a1.js.gz").write_bytes(gzip.compress(b"packed"))
    answer = client.get("/assets/index-a1.js")
    assert (answer.text, answer.headers["content-encoding"]) == ("packed", "gzip")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    (tmp_path / "assets" / "index-a1.js.br").write_bytes(b"smaller")
    head = client.head("/assets/index-a1.js", headers={"Accept-Encoding": "gzip, br;q=0.9"})
    assert (head.headers["content-encoding"], head.headers["content-length"]) == ("br", "7")
    assert head.headers["etag"] != answer.headers["etag"]
    plain = client.get("/assets/index-a1.js", headers={"Accept-Encoding": "identity"})
    assert plain.text == "plain"
    assert client.get("/").headers["cache-control"] == "no-cache"


def test_without_a_built_page_a_sentence_says_how_to_build_it(client: Any, tmp_path: Path) -> None:
    (tmp_path / "index.html").unlink()
    assert "dev.py run" in client.get("/").text


def test_two_rows_of_one_path_are_told_at_the_start(port: Any) -> None:
    twice = next(feature for feature in port.features if feature.queries)
    with pytest.raises(ValueError, match=f"two rows for GET {re.escape(twice.queries[0].path)}, .* {twice.name}"):
        make_app(port, [*port.features, twice], WebSettings(hosts=("node.local",)))


def test_the_contract_is_served(client: Any) -> None:
    answer = client.get("/api/v1/openapi.json")
    assert json.loads(answer.content)["openapi"] == "3.1.0"


def test_the_track_table_is_read_by_label(port: Any, client: Any) -> None:
    for name, label in (("seen", port.open), ("hidden", port.national), ("coarse", port.coarse)):
        fix = TrackFix(
            entity=name,
            at_ms=port.now_ms,
            lat_deg=1.0,
            lon_deg=2.0,
            hae_m=None,
            course_deg=None,
            speed_mps=None,
            label=label,
            context=port.context,
        )
        port.parts["tracks"].fixes.append(fix)
    rows = client.get("/api/v1/tracks?bbox=0,0,3,3", headers=port.token("op")).json()
    assert [row["entity"] for row in rows] == ["seen"]
