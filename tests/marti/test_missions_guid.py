"""Every row of one mission stands in the contract twice: by name and by guid. Here each is asked both ways."""

import hashlib
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from .conftest import Enrolled
from .test_missions import MISSIONS, created, said

CLIENT = "TAK Server 5.7"
FILE = b"the plan of %s" % uuid4().hex.encode()
DIGEST = hashlib.sha256(FILE).hexdigest()
LAYERS, SUBSCRIPTION, MISSION = "MissionLayer", "MissionSubscription", "Mission"
MAPLAYER = {"uid": "m", "name": "Map", "url": "https://maps.invalid/{z}"}
SHEET = {"uid": "x", "name": "Sheet"}
ROLE = {"type": "MISSION_READONLY_SUBSCRIBER"}

Step = tuple[str, str, str, dict[str, Any], int, str | None]
"""Method, row behind the key, path of this request, what is sent, status, type of the envelope (None = none)."""


def step(method: str, row: str, status: int = 200, kind: str | None = None, path: str = "", **sent: Any) -> Step:
    return method, row, path or row, sent, status, kind


STEPS: tuple[Step, ...] = (
    step("PUT", "", 200, MISSION, params={"description": "Flood", "creatorUid": "ME"}),
    step("GET", "", 200, MISSION, params={"changes": "true", "logs": "true"}),
    step("PUT", "/contents", 200, MISSION, json={"hashes": [DIGEST], "uids": ["u"]}, params={"creatorUid": "ME"}),
    step("GET", "/changes", 200, "MissionChange", params={"squashed": "true"}),
    step("PUT", "/keywords", 200, MISSION, json=["one", "two"]),
    step("DELETE", "/keywords/{word}", 200, MISSION, path="/keywords/one"),
    step("DELETE", "/keywords", 200, MISSION),
    step("PUT", "/content/{hash}/keywords", 200, MISSION, path=f"/content/{DIGEST}/keywords", json=["k"]),
    step("DELETE", "/content/{hash}/keywords", 200, MISSION, path=f"/content/{DIGEST}/keywords"),
    step("PUT", "/uid/{uid}/keywords", 200, MISSION, path="/uid/u/keywords", json=["k"]),
    step("DELETE", "/uid/{uid}/keywords", 200, MISSION, path="/uid/u/keywords"),
    step("PUT", "/password", params={"password": "secret", "creatorUid": "ME"}),
    step("DELETE", "/password", params={"creatorUid": "ME"}),
    step("PUT", "/expiration", params={"expiration": "4000000000"}),
    step("GET", "/token", 200, "java.lang.String", params={"password": ""}),
    step("PUT", "/subscription", 201, SUBSCRIPTION, params={"uid": "PHONE-UID"}),
    step("GET", "/subscription", 200, SUBSCRIPTION, params={"uid": "PHONE-UID"}),
    step("GET", "/subscriptions", 200, SUBSCRIPTION),
    step("GET", "/subscriptions/roles", 200, SUBSCRIPTION),
    step("POST", "/subscription", 404, json=[{"clientUid": "nobody", "role": ROLE}], params={"creatorUid": "ME"}),
    step("PUT", "/role", params={"clientUid": "PHONE-UID", "role": "MISSION_OWNER"}),
    step("GET", "/role", 200, "MissionRole"),
    step("DELETE", "/subscription", params={"uid": "PHONE-UID", "disconnectOnly": "false"}),
    step("PUT", "/invite/{type}/{invitee}", path="/invite/userName/GUEST", params={"creatorUid": "ME"}),
    step("POST", "/invite", json=[{"type": "callsign", "invitee": "BOB", "role": ROLE}], params={"creatorUid": "ME"}),
    step("GET", "/invitations", 200, "MissionInvitation"),
    step("DELETE", "/invite/{type}/{invitee}", path="/invite/userName/GUEST", params={"creatorUid": "ME"}),
    step("PUT", "/layers", 200, LAYERS, params={"name": "A", "type": "GROUP", "uid": "a", "creatorUid": "ME"}),
    step("PUT", "/layers", 200, LAYERS, params={"name": "B", "type": "UID", "uid": "b", "creatorUid": "ME"}),
    step("GET", "/layers", 200, LAYERS),
    step("GET", "/layers/{uid}", 200, LAYERS, path="/layers/b"),
    step("PUT", "/layers/{uid}/name", 200, LAYERS, path="/layers/b/name", params={"name": "C", "creatorUid": "ME"}),
    step("PUT", "/layers/{uid}/position", 200, LAYERS, path="/layers/a/position", params={"afterUid": "b"}),
    step("PUT", "/layers/parent", 200, LAYERS, params={"layerUid": "b", "parentUid": "a", "creatorUid": "ME"}),
    step("DELETE", "/layers", 200, LAYERS, params={"uid": "a", "creatorUid": "ME"}),
    step("POST", "/maplayers", 200, MISSION, json=MAPLAYER, params={"creatorUid": "ME"}),
    step("PUT", "/maplayers", 200, MISSION, json=MAPLAYER | {"name": "Map 2"}, params={"creatorUid": "ME"}),
    step("DELETE", "/maplayers/{uid}", 200, MISSION, path="/maplayers/m", params={"creatorUid": "ME"}),
    step("POST", "/feed", 200, MISSION, params={"dataFeedUid": "f", "creatorUid": "ME"}),
    step("DELETE", "/feed/{uid}", 200, MISSION, path="/feed/f", params={"creatorUid": "ME"}),
    step("POST", "/externaldata", 200, MISSION, json=SHEET, params={"creatorUid": "ME"}),
    step(
        "POST",
        "/externaldata/{uid}/change",
        path="/externaldata/x/change",
        params={"creatorUid": "ME", "notes": "n"},
        content=b"token",
    ),
    step("DELETE", "/externaldata/{uid}", 200, MISSION, path="/externaldata/x", params={"notes": "n"}),
    step("GET", "/log", 200, "com.bbn.marti.sync.model.LogEntry"),
    step("GET", "/contacts"),
    step("GET", "/cot"),
    step("GET", "/archive"),
    step("GET", "/kml"),
    step("GET", "/children", 200, MISSION),
    step("GET", "/parent", 404),
    step("DELETE", "/parent"),
    step("POST", "/send", data={"contacts": ["NOBODY"]}),
    step("DELETE", "/contents", 200, MISSION, params={"hash": DIGEST, "creatorUid": "ME"}),
    step("DELETE", "", 200, MISSION, params={"creatorUid": "ME"}),
)
ROWS = sorted(
    {f"{method} /Marti/api/missions/{key}{row}" for method, row, *_ in STEPS for key in ("guid/{guid}", "{name}")}
)


def walked(phone: httpx.Client, mission: dict[str, Any], prefix: str) -> list[Any]:
    """The answers of all steps, without what is not the same in two missions."""
    told: list[Any] = []
    for method, row, path, sent, status, kind in STEPS:
        answer = phone.request(method, f"{MISSIONS}/{prefix}{path}", **sent)
        assert answer.status_code == status, f"{method} {row}: {answer.text}"
        if kind is None:
            told.append((method, row, answer.headers.get("content-type")))
        else:
            told.append((method, row, shape(said(answer, kind, status), mission)))
    return told


def shape(value: Any, mission: dict[str, Any]) -> Any:
    """A value without times and tokens; guid and name of the mission as words."""
    if isinstance(value, dict):
        return {key: shape(each, mission) for key, each in value.items() if key != "token" and "ime" not in key}
    if isinstance(value, list):
        return [shape(each, mission) for each in value]
    if not isinstance(value, str):
        return value
    known = {mission["guid"]: "GUID", mission["name"]: "NAME"}
    return "TEXT" if value.count(".") == 2 or value.endswith("Z") else known.get(value, value)


def shows(test: Callable[..., None]) -> Callable[..., None]:
    """Marks a test as one that shows all rows of the table."""
    for row in ROWS:
        test = pytest.mark.row(row, client=CLIENT)(test)
    return test


@shows
def test_every_row_answers_by_name_and_by_guid_alike(device: Enrolled) -> None:
    phone = device()
    assert phone.post("/Marti/sync/upload", params={"name": "plan.txt"}, content=FILE).status_code == 200
    one, other = created(phone), created(phone)
    assert walked(phone, one, one["name"]) == walked(phone, other, f"guid/{other['guid']}")
    assert phone.get(f"{MISSIONS}/guid/{other['guid']}").status_code == 410


@pytest.mark.row("PUT /Marti/api/missions/guid/{guid}/parent/guid/{parent_guid}", client=CLIENT)
@pytest.mark.row("GET /Marti/api/missions/guid/{guid}/parent", client=CLIENT)
@pytest.mark.row("GET /Marti/api/missions/all/subscriptions", client=CLIENT)
@pytest.mark.row("GET /Marti/api/missions/all/subscriptions/guid", client=CLIENT)
def test_parents_and_own_subscriptions_are_told_by_guid(device: Enrolled) -> None:
    phone = device()
    child, parent = created(phone), created(phone)
    path = f"{MISSIONS}/guid/{child['guid']}/parent"
    assert phone.put(f"{path}/guid/{parent['guid']}").status_code == 200
    assert [row["guid"] for row in said(phone.get(path), MISSION)] == [parent["guid"]]
    assert phone.put(f"{MISSIONS}/guid/{parent['guid']}/parent/guid/{child['guid']}").status_code == 409
    by_name = said(phone.get(f"{MISSIONS}/all/subscriptions"), SUBSCRIPTION)
    by_guid = said(phone.get(f"{MISSIONS}/all/subscriptions/guid"), SUBSCRIPTION)
    assert by_name == {row["name"]: ["CREATOR"] for row in (child, parent)}
    assert by_guid == {row["guid"]: ["CREATOR"] for row in (child, parent)}
    # They are the asker's own, not everybody's.
    assert said(device().get(f"{MISSIONS}/all/subscriptions"), SUBSCRIPTION) == {}
