"""Forms as data; drafts, filing, approval; a patrol report from the patrol's own track."""

import base64
import hashlib
from pathlib import Path
from typing import Any

from aquila.core.ids import entity_id
from aquila.core.model import Act, Alias, Note
from aquila.features.packages.facts import Facts, written
from aquila.features.picture import TrackFix
from aquila.testing.memory_node import NATIONAL, OPEN
from tests.staff.conftest import Desk

MINUTE_MS = 60_000
PLACE = {"lat_deg": 33.1, "lon_deg": 35.3}


def salute(port: Any, **more: Any) -> dict[str, Any]:
    return {"size": "4", "activity": "digging", "place": PLACE, "time": port.now_ms, **more}


def write(desk: Any, form: str, values: dict[str, Any], status: int = 201, *, file: bool = True, **more: Any) -> Any:
    report = {"form": form, "unit": "A Coy", "values": values, **more}
    return desk.post("/reports", status, report=report, file=file)


def step(desk: Any, id: str, action: str, status: int = 201, **fields: Any) -> Any:
    return desk.post(f"/reports/{id}/steps", status, action=action, fields=fields)


def test_a_draft_is_filled_in_filed_approved_and_printed(desk: Any, port: Any) -> None:
    id = write(desk, "salute", {"size": "4"}, file=False)["id"]
    assert "Activity (activity) is missing" in str(step(desk, id, "file", 422))
    step(desk, id, "edit", values=salute(port, remarks="<b> #set page() *x*"))
    step(desk, id, "file")
    assert [need["kind"] for need in desk.get("/needs/reports", role="duty_officer")] == ["approve"]
    assert step(desk, id, "approve")["state"] == "approved"
    assert "approved: edit is not possible" in str(step(desk, id, "edit", 422, values={"size": "5"}))
    document = desk.get(f"/reports/{id}/document")
    assert "Size: 4 [1]" in document["text"]
    assert "<b> #set page() *x*" in document["text"]
    assert base64.b64decode(document["pdf"]).startswith(b"%PDF-")
    assert set(document["notes"]) <= {each["entry"] for each in desk.get(f"/reports/{id}")["steps"]}


def test_a_report_that_replaces_another_supersedes_it(desk: Any, port: Any) -> None:
    first = write(desk, "salute", salute(port))["id"]
    second = write(desk, "salute", salute(port, size="6"), replaces=first)["id"]
    row = desk.get(f"/reports/{first}")["row"]
    assert (row["state"], row["replaced_by"], row["values"]["size"]) == ("superseded", second, "4")
    assert "superseded" in str(write(desk, "salute", salute(port), 422, replaces=first))


def test_a_report_that_may_not_end_the_other_is_not_filed_beside_it(desk: Any, client: Any, port: Any) -> None:
    first = write(desk, "salute", salute(port))["id"]
    liaison = Desk(client, port.token("liaison", "operator", group="GUESTS", reads="COMMON"))
    assert "may not write into" in str(write(liaison, "salute", salute(port, size="6"), 403, replaces=first))
    assert [(row["id"], row["state"]) for row in desk.get("/reports")] == [(first, "filed")]
    assert [row["id"] for row in liaison.get("/reports")] == [first]


def test_wrong_values_are_refused_with_a_sentence_each(desk: Any, port: Any) -> None:
    values = salute(port, place={"lat_deg": 95, "lon_deg": 0}, time="noon", grade="Z9", bombs=1)
    text = str(write(desk, "salute", values, 422))
    for part in ("lat_deg -90 to 90", "noon is no time", "A to F", "bombs is no field"):
        assert part in text
    assert "take one of salute" in str(write(desk, "poem", {}, 422))
    sentence = str(write(desk, "sitrep", {"from": 1, "until": 2, "strength": -1, "present": 1.5}, 422))
    assert "-1 is no count" in sentence
    assert "1.5 is no count" in sentence
    assert "not after" in str(write(desk, "salute", salute(port), 422, from_ms=2, until_ms=1))
    write(desk, "salute", salute(port, remarks="x" * 10_000), 422)


def test_every_form_of_the_program_can_be_drafted(desk: Any) -> None:
    names = [row["name"] for row in desk.get("/forms")]
    assert len(names) == 11
    for name in names:
        write(desk, name, {}, file=False)
    assert len([f for section in desk.get("/forms")[6]["form"]["sections"] for f in section["fields"]]) == 16


def test_a_form_of_ones_own_needs_no_code(desk: Any) -> None:
    field = {"name": "depth_m", "title": "Depth, m", "kind": "number", "required": True}
    form = {"name": "ford", "title": "Ford report", "sections": [{"title": "", "fields": [field]}]}
    desk.post("/forms", form=form)
    assert "Depth, m (depth_m) is missing" in str(write(desk, "ford", {}, 422))
    id = write(desk, "ford", {"depth_m": 0.4})["id"]
    assert "Depth, m: 0.4" in desk.get(f"/reports/{id}/document")["text"]
    assert "another name" in str(desk.post("/forms", 422, form={**form, "name": "salute"}))
    doubled = [{"title": "", "fields": [field, field]}]
    assert "stand twice" in str(desk.post("/forms", 400, form={**form, "sections": doubled}))


def test_a_patrol_report_is_drafted_from_its_track_and_chat(desk: Any, port: Any) -> None:
    entity, start_ms = entity_id("cot", "PTL3"), port.now_ms
    places = [(0, 33.0), (2, 33.001), (4, 33.002), (6, 33.00201), (8, 33.00199), (12, 33.002), (14, 33.003)]
    for minute, lat_deg in places:
        fix = TrackFix(
            entity=entity,
            at_ms=start_ms + minute * MINUTE_MS,
            lat_deg=lat_deg,
            lon_deg=35.0,
            hae_m=None,
            course_deg=None,
            speed_mps=None,
            label=OPEN,
            context=port.context,
        )
        port.parts["tracks"].fixes.append(fix)
    for label, text in ((OPEN, "bridge passed"), (NATIONAL, "not for others")):
        note = Note(room="ops", text=text, happened_at_ms=start_ms + 5 * MINUTE_MS, author_alias=Alias("cot", "PTL3"))
        port.say(note, label)
    draft = desk.get("/drafts/patrol", uid="PTL3", from_ms=start_ms, until_ms=start_ms + 60 * MINUTE_MS)
    (halt,) = draft["halts"]
    assert (halt["from_ms"], halt["until_ms"]) == (start_ms + 4 * MINUTE_MS, start_ms + 12 * MINUTE_MS)
    assert abs(draft["distance_m"] - 333.6) < 1.0
    assert [line["text"] for line in draft["said"]] == ["bridge passed"]
    id = write(desk, "patrol", {**draft["values"], "mission": "visit"}, sources=draft["sources"])["id"]
    assert "bridge passed" in desk.get(f"/reports/{id}/document")["text"]


PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Kept:
    """The part `files` of a node, over a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        (self.folder / sha256).write_bytes(data)
        return sha256

    def path_of(self, sha256: str) -> Path:
        return self.folder / sha256


def sent(port: Any, label: Any, sha256: str, **facts: Any) -> str:
    """A file that came; gives the uid of its package."""
    said = {"name": "bridge.png", "mime": "image/png", "size_bytes": len(PNG), "creator_uid": "PTL3", **facts}
    whole = Facts(
        sha256=sha256,
        keywords=(),
        tool="public",
        submitter="device:x",
        submitter_name="x",
        added_at_ms=port.now_ms,
        **said,
    )
    uid = f"package-{said['name']}-{said['creator_uid']}"
    port.say(Act(action="package.add", target=uid, happened_at_ms=port.now_ms, detail=written(whole)), label)
    return uid


def test_photos_of_the_patrol_come_with_time_and_place_and_are_printed(desk: Any, port: Any, tmp_path: Path) -> None:
    port.parts["files"] = kept = Kept(tmp_path)
    sha256, broken = kept.put(PNG), kept.put(PNG[:20])
    fix = TrackFix(
        entity=entity_id("cot", "PTL3"),
        at_ms=port.now_ms,
        lat_deg=33.1,
        lon_deg=35.3,
        hae_m=None,
        course_deg=None,
        speed_mps=None,
        label=OPEN,
        context=port.context,
    )
    port.parts["tracks"].fixes.append(fix)
    photo = sent(port, OPEN, sha256)
    hidden = sent(port, NATIONAL, sha256, name="secret.png")
    sent(port, OPEN, sha256, name="other.png", creator_uid="PTL4")
    span = {"from_ms": port.now_ms - MINUTE_MS, "until_ms": port.now_ms + MINUTE_MS}
    draft = desk.get("/drafts/patrol", uid="PTL3", **span)
    (found,) = draft["attachments"]
    assert (found["package"], found["name"], found["at_ms"]) == (photo, "bridge.png", port.now_ms)
    assert (found["lat_deg"], found["lon_deg"]) == (33.1, 35.3)
    values = {**draft["values"], "mission": "look at the bridge"}
    assert "leave it out" in str(write(desk, "patrol", values, 422, attachments=[{**found, "package": hidden}]))
    id = write(desk, "patrol", values, attachments=[found])["id"]
    assert desk.get(f"/reports/{id}")["row"]["attachments"] == [found]
    document = desk.get(f"/reports/{id}/document")
    assert "bridge.png, " in document["text"]
    assert ", 33.10000, 35.30000" in document["text"]
    pdf = base64.b64decode(document["pdf"])
    assert b"/Subtype /Image" in pdf or b"/Subtype/Image" in pdf
    # One that cannot be read costs its picture, not the paper.
    other = sent(port, OPEN, broken, name="broken.png")
    id = write(desk, "patrol", values, attachments=[{**found, "package": other}])["id"]
    assert base64.b64decode(desk.get(f"/reports/{id}/document")["pdf"]).startswith(b"%PDF-")
    # What is withdrawn is no longer shown beside the report.
    port.say(Act(action="package.withdraw", target=other, happened_at_ms=port.now_ms), OPEN)
    assert desk.get(f"/reports/{id}")["row"]["attachments"] == []


def test_a_photo_far_from_any_position_has_no_place(desk: Any, port: Any) -> None:
    sent(port, OPEN, "0" * 64)
    draft = desk.get("/drafts/patrol", uid="PTL3", from_ms=port.now_ms - MINUTE_MS, until_ms=port.now_ms + MINUTE_MS)
    assert "lat_deg" not in draft["attachments"][0] or draft["attachments"][0]["lat_deg"] is None
