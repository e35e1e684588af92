"""Notices about missions have the shape that TAKAware's parser takes apart."""

from xml.etree import ElementTree as ET

import pytest

from aquila.codecs.cot.mission_notices import TYPES, Notice, NoticeChange, Resource, notice

AT_MS = 1_772_359_872_345
RESOURCE = Resource(
    hash="ab" * 32,
    name='a "b" <c>.zip',
    mime_type="application/zip",
    size_bytes=12,
    submitter="ME",
    submitted_at_ms=AT_MS,
    uid="R",
    creator_uid="ME",
)


def test_a_change_of_content_has_its_skeleton() -> None:
    change = NoticeChange(
        type="ADD_CONTENT",
        at_ms=AT_MS,
        creator_uid="ME",
        content_uid="U",
        cot_type="b-m-p-s-m",
        callsign="Höhe & 1",
        lat_deg=42.5,
        lon_deg=77.25,
    )
    told = Notice(kind="CHANGE", name="OPS", guid="G", author_uid="ME", changes=(change,))
    data = notice(told, AT_MS, "N")
    data.decode("ascii")
    event = ET.fromstring(data)
    assert {key: event.get(key) for key in ("version", "uid", "type", "how", "time", "start", "stale")} == {
        "version": "2.0",
        "uid": "N",
        "type": "t-x-m-c",
        "how": "h-g-i-g-o",
        "time": "2026-03-01T10:11:12.345Z",
        "start": "2026-03-01T10:11:12.345Z",
        "stale": "2026-03-01T10:11:32.345Z",
    }
    point = event.find("point")
    assert point is not None
    assert point.attrib == {"ce": "9999999", "le": "9999999", "hae": "0", "lat": "0", "lon": "0"}
    mission = event.find("detail/mission")
    assert mission is not None
    assert mission.attrib == {"type": "CHANGE", "tool": "public", "name": "OPS", "guid": "G", "authorUid": "ME"}
    (found,) = mission.findall("MissionChanges/MissionChange")
    assert found.attrib == {}
    assert {each.tag: each.text for each in found if each.tag != "details"} == {
        "contentUid": "U",
        "creatorUid": "ME",
        "isFederatedChange": "false",
        "missionName": "OPS",
        "missionGuid": "G",
        "timestamp": "2026-03-01T10:11:12.345Z",
        "type": "ADD_CONTENT",
    }
    details = found.find("details")
    assert details is not None
    assert details.attrib == {"type": "b-m-p-s-m", "callsign": "Höhe & 1"}
    location = details.find("location")
    assert location is not None
    assert location.attrib == {"lat": "42.5", "lon": "77.25"}


def test_a_file_is_told_in_elements() -> None:
    change = NoticeChange(type="REMOVE_CONTENT", at_ms=AT_MS, creator_uid="ME", resource=RESOURCE)
    told = Notice(kind="CHANGE", name="OPS", guid="G", author_uid="ME", changes=(change,))
    resource = ET.fromstring(notice(told, AT_MS, "N")).find(
        "detail/mission/MissionChanges/MissionChange/contentResource"
    )
    assert resource is not None
    assert {each.tag: each.text for each in resource} == {
        "creatorUid": "ME",
        "expiration": "-1",
        "hash": "ab" * 32,
        "mimeType": "application/zip",
        "name": 'a "b" <c>.zip',
        "size": "12",
        "submissionTime": "2026-03-01T10:11:12.345Z",
        "submitter": "ME",
        "uid": "R",
    }


def test_an_invitation_brings_token_and_role() -> None:
    told = Notice(
        kind="INVITE",
        name="OPS",
        guid="G",
        author_uid="ME",
        token="a.b.c",
        role="MISSION_SUBSCRIBER",
        permissions=("MISSION_READ", "MISSION_WRITE"),
    )
    mission = ET.fromstring(notice(told, AT_MS, "N")).find("detail/mission")
    assert mission is not None
    assert mission.get("token") == "a.b.c"
    role = mission.find("role")
    assert role is not None
    assert role.get("type") == "MISSION_SUBSCRIBER"
    assert [each.get("type") for each in role.findall("permissions")] == ["MISSION_READ", "MISSION_WRITE"]


@pytest.mark.parametrize("kind", TYPES)
def test_every_kind_has_its_type(kind: str) -> None:
    told = Notice(kind=kind, name="OPS", guid="G", author_uid="ME")  # type: ignore[arg-type]
    event = ET.fromstring(notice(told, AT_MS, "N"))
    assert event.get("type") == TYPES[kind]  # type: ignore[index]
    mission = event.find("detail/mission")
    assert mission is not None
    assert mission.get("type") == ("INVITE" if kind == "ROLE" else kind)
