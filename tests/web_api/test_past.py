"""The picture at a time: what was known then, by what the asker may have."""

from typing import Any

import pytest

from aquila.core.ids import entity_id
from aquila.core.model import Alias, Removal
from aquila.features.picture import TrackFix
from aquila.features.picture.queries import iso

MINUTE_MS = 60_000


class KeptTracks:
    """A track table that knows time."""

    def __init__(self) -> None:
        self.fixes: list[TrackFix] = []

    def inside(self, box: Any, from_ms: int, until_ms: int, may: Any, entity: Any, limit: int) -> list[TrackFix]:
        """See the part `tracks` of a node."""
        return [fix for fix in self.fixes if from_ms <= fix.at_ms <= until_ms and may(fix.label, fix.context)]


@pytest.fixture(autouse=True)
def tracks(port: Any) -> KeptTracks:
    port.parts["tracks"] = KeptTracks()
    return port.parts["tracks"]


def fix(port: Any, uid: str, lat_deg: float, label: Any, ended: bool = False) -> TrackFix:
    return TrackFix(
        entity=entity_id("cot", uid),
        at_ms=port.now_ms,
        lat_deg=lat_deg,
        lon_deg=77.0,
        hae_m=None,
        course_deg=90.0,
        speed_mps=2.0,
        label=label,
        context=port.context,
        ended=ended,
    )


def names_at(port: Any, client: Any, at_ms: int) -> dict[str, float]:
    rows = client.get(f"/api/v1/picture?at_ms={at_ms}", headers=port.token("op")).json()
    return {row["name"]: row["position"]["lat_deg"] for row in rows}


def test_a_track_is_where_it_was_and_a_removed_marker_is_back(port: Any, client: Any) -> None:
    fixes = port.parts["tracks"].fixes
    port.say(port.report("CACHE", 41.0, 77.0, category="marker"), port.open)
    for lat_deg in (42.0, 42.1, 42.2):
        port.now_ms += MINUTE_MS
        port.place("PATROL1", lat_deg, 77.0)
        fixes.append(fix(port, "PATROL1", lat_deg, port.open))
    then_ms = port.now_ms - MINUTE_MS
    alias = Alias("cot", "CACHE")
    port.say(Removal(entity=entity_id("cot", "CACHE"), alias=alias, happened_at_ms=port.now_ms), port.open)
    assert names_at(port, client, then_ms) == {"PATROL1": 42.1, "CACHE": 41.0}
    assert names_at(port, client, port.now_ms) == {"PATROL1": 42.2}
    assert names_at(port, client, then_ms - 30 * MINUTE_MS) == {}


def test_what_is_withheld_today_was_not_there_either(port: Any, client: Any) -> None:
    port.parts["tracks"].fixes.append(fix(port, "HIDDEN", 42.0, port.national))
    port.say(port.report("SECRET", 41.0, 77.0, category="marker"), port.national)
    assert names_at(port, client, port.now_ms) == {}


def test_a_box_cuts_the_past_too_and_a_wrong_time_gets_a_sentence(port: Any, client: Any) -> None:
    port.say(port.report("CACHE", 41.0, 77.0, category="marker"), port.open)
    ask = f"/api/v1/picture?at_ms={port.now_ms}&bbox="
    assert len(client.get(ask + "76,40,78,42", headers=port.token("op")).json()) == 1
    assert client.get(ask + "10,40,12,42", headers=port.token("op")).json() == []
    assert client.get("/api/v1/picture?at_ms=-1", headers=port.token("op")).status_code == 400


def test_the_sources_of_one_entity_are_told_with_the_moment(port: Any, client: Any) -> None:
    port.say(port.report("FOX", 42.0, 77.0), port.open, "device:ONE")
    port.now_ms += MINUTE_MS
    port.say(port.report("FOX", 42.1, 77.0), port.open, "device:TWO")
    port.say(port.report("HEN", 42.2, 77.0), port.open)
    asked = {"at_ms": port.now_ms, "sources_of": entity_id("cot", "FOX")}
    rows = client.get("/api/v1/picture", params=asked, headers=port.token("ops", "viewer")).json()
    sources = {row["aliases"][0]["value"]: [one["source"] for one in row["sources"]] for row in rows}
    assert sources == {"FOX": ["device:TWO", "device:ONE"], "HEN": []}


def test_what_has_ended_is_there_until_then(port: Any, client: Any) -> None:
    fixes = port.parts["tracks"].fixes
    port.place("T1", 42.0, 77.0)
    fixes.append(fix(port, "T1", 42.0, port.open))
    port.now_ms += 10
    fixes.append(fix(port, "T1", 42.0, port.open, ended=True))
    assert names_at(port, client, port.now_ms - 1) == {"T1": 42.0}
    assert names_at(port, client, port.now_ms) == {}


def test_who_is_gone_today_is_called_what_he_was_called_then(port: Any, client: Any) -> None:
    fixes = port.parts["tracks"].fixes
    port.say(port.report("FOX", 42.0, 77.0), port.open)
    fixes.append(fix(port, "FOX", 42.0, port.open))
    fixes.append(fix(port, "STRANGER", 43.0, port.open))
    port.place("HEN", 44.0, 77.0)
    fixes.append(fix(port, "HEN", 44.0, port.open))
    then_ms = port.now_ms
    port.now_ms += MINUTE_MS
    for name in ("FOX", "HEN"):
        gone = Removal(entity=entity_id("cot", name), alias=Alias("cot", name), happened_at_ms=port.now_ms)
        port.say(gone, port.open)
    port.now_ms += MINUTE_MS
    port.say(port.report("FOX", 42.0, 77.0, name="VIXEN"), port.open)
    # An id is no name: somebody of whom only positions were kept has none.
    assert names_at(port, client, then_ms) == {"FOX": 42.0, "": 43.0, "HEN": 44.0}


def test_a_fused_track_of_the_past_stands_for_its_members(port: Any, client: Any) -> None:
    members = f"{entity_id('cot', 'FOX')} {entity_id('mmsi', '451000007')}"
    port.place("7", 42.0, 77.0, alias=Alias("fused", "7"), fields={"members": members, "sources": "cot mmsi"})
    port.parts["tracks"].fixes.append(fix(port, "7", 42.0, port.open))
    (row,) = client.get(f"/api/v1/picture?at_ms={port.now_ms}", headers=port.token("op")).json()
    assert row["aliases"][0]["scheme"] == "fused"
    assert row["fields"] == {"members": members}


def test_a_kept_position_without_a_source_is_believed_for_five_minutes_and_called_kept(port: Any, client: Any) -> None:
    port.parts["tracks"].fixes.append(fix(port, "OLD", 42.0, port.open))
    (row,) = client.get(f"/api/v1/picture?at_ms={port.now_ms}", headers=port.token("op")).json()
    assert row["source"] == "track"
    assert row["stale_at"] == iso(port.now_ms + 5 * MINUTE_MS)
