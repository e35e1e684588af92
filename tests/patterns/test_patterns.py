"""Patterns over a node: told once with evidence, judged by people, and by nobody who may not see the movers."""

import asyncio
from typing import Any

import pytest

from aquila.core.errors import Refused
from aquila.core.model import Principal
from aquila.features.patterns.commands import SetPatterns, set_patterns
from aquila.features.patterns.finding import PatternSettings
from aquila.features.patterns.view import Patterns

MINUTE_MS = 60_000


def drive(port: Any, uid: str, minutes: int, *, lat: float = 42.0, step: float = 0.004, **more: Any) -> float:
    """Somebody goes north, two reports a minute; gives where he ends."""
    for _ in range(2 * minutes):
        lat += step / 2
        port.place(uid, lat, 77.1, **more)
        port.tick(MINUTE_MS // 2)
    return lat


def stop(port: Any, uid: str = "FOX", start: float = 42.0, **more: Any) -> float:
    """Somebody comes, and stands for eleven minutes."""
    return drive(port, uid, 12, lat=drive(port, uid, 5, lat=start, **more), step=0, **more)


def test_who_stops_is_told_once_with_evidence_and_until_it_goes_on(desk: Any, port: Any) -> None:
    lat = stop(port)
    (row,) = desk.get("/patterns")
    assert (row["kind"], row["text"], row["state"], row["over_at_ms"]) == ("stop", "FOX has stopped", "found", None)
    assert row["measured"]["minutes"] >= row["thresholds"]["stop_min"] == 10
    assert len(row["places"]) > 5
    assert all(abs(place[1] - lat) < 0.001 for place in row["places"])
    assert [place[0] for place in row["places"]] == sorted(place[0] for place in row["places"])
    drive(port, "FOX", 2, lat=lat)
    (row,) = desk.get("/patterns")
    assert row["over_at_ms"] is not None
    assert desk.get("/patterns", state="standing") == []


def test_useful_and_noise_are_journalled_and_give_each_kind_its_precision(desk: Any, viewer: Any, port: Any) -> None:
    stop(port)
    stop(port, "WOLF", start=50.0)
    first, second = (row["id"] for row in desk.get("/patterns", kind="stop"))
    viewer.post(f"/patterns/{first}", 403, verdict="noise")
    desk.post(f"/patterns/{first}", verdict="noise")
    desk.post(f"/patterns/{first}", verdict="useful", remarks="it was the drop")
    desk.post(f"/patterns/{second}", verdict="noise")
    (rule,) = [rule for rule in desk.get("/pattern-rules") if rule["kind"] == "stop"]
    assert rule == {"kind": "stop", "found": 2, "useful": 1, "noise": 1, "precision": 0.5}
    (row,) = desk.get("/patterns", state="useful")
    assert [(step["action"], step["by"]) for step in row["steps"]][:2] == [
        ("useful", "token:watch"),
        ("noise", "token:watch"),
    ]
    (came,) = desk.get("/intel/inbox")
    assert (came["text"], came["lat_deg"]) == (f"pattern is useful: {row['text']}", row["lat_deg"])
    assert "finding is useful" in str(desk.post(f"/patterns/{first}", 422, verdict="useful"))


def test_who_may_not_see_a_mover_hears_of_no_finding_about_it(desk: Any, partner: Any, port: Any) -> None:
    stop(port, "SECRET", label=port.national)
    assert desk.get("/patterns") == []
    assert all(rule["found"] == 0 for rule in desk.get("/pattern-rules"))
    (row,) = partner.get("/patterns")
    assert row["names"] == ["SECRET"]
    desk.post(f"/patterns/{row['id']}", 404, verdict="noise")


def test_what_was_heard_under_one_marking_is_not_told_under_another(desk: Any, port: Any) -> None:
    lat = drive(port, "FOX", 8, lat=drive(port, "FOX", 5, label=port.national), step=0, label=port.national)
    drive(port, "FOX", 8, lat=lat, step=0, label=port.open)
    assert desk.get("/patterns") == [], "eight minutes under the open marking are no stop"


@pytest.mark.parametrize(("second", "kinds"), [("open", ["meeting", "stop", "stop"]), ("national", ["stop"])])
def test_two_who_meet_are_told_of_where_both_may_be_seen(desk: Any, port: Any, second: str, kinds: list[str]) -> None:
    for n in range(80):
        gone = max(0, 40 - n) * 0.002 / 2
        port.place("FOX", 42.1 - gone, 77.1)
        port.place("WOLF", 42.1 + gone, 77.1, getattr(port, second))
        port.tick(MINUTE_MS // 2)
    rows = desk.get("/patterns")
    assert sorted(row["kind"] for row in rows) == kinds
    for row in rows:
        if row["kind"] == "meeting":
            assert sorted(row["names"]) == ["FOX", "WOLF"]
            assert row["places"]
            assert row["others"]


def test_a_fused_track_does_not_meet_its_own_members(desk: Any, port: Any) -> None:
    for n in range(80):
        lat = 42.1 - max(0, 40 - n) * 0.001
        member = port.place("SHIP", lat, 77.1)
        port.place("TRACK", lat, 77.1, category="track", fields={"members": member})
        port.tick(MINUTE_MS // 2)
    assert [row["names"] for row in desk.get("/patterns")] == [["TRACK"]]


def test_a_source_is_not_silent_because_it_is_fused_and_is_when_it_says_nothing(desk: Any, port: Any) -> None:
    """Its track goes on by radar: the ship has gone dark. The track's own end says nothing."""
    member = ""
    for n in range(24):
        if n < 12:
            member = port.place("SHIP", 42.1 + n * 0.001, 77.1)
        port.place("T1", 42.1 + n * 0.001, 77.1, category="track", fields={"members": member})
        port.tick(MINUTE_MS // 2)
        assert n > 12 or desk.get("/patterns") == []
    for _ in range(11):
        port.tick(MINUTE_MS)
    assert [(row["kind"], row["names"]) for row in desk.get("/patterns")] == [("gap", ["SHIP"])]


@pytest.mark.parametrize(("who", "kinds"), [("SHIP", ["jump", "jump", "two_places"]), ("T1", [])])
def test_a_source_jumps_and_not_the_estimate_that_a_track_is(desk: Any, port: Any, who: str, kinds: list[str]) -> None:
    for n in range(12):
        lat = {"SHIP": 42.1, "T1": 42.1}
        lat[who] += 0.2 * (n % 2)
        member = port.place("SHIP", lat["SHIP"], 77.1)
        port.place("T1", lat["T1"], 77.1, category="track", fields={"members": member})
        port.tick(MINUTE_MS // 6)
    rows = desk.get("/patterns")
    assert sorted(row["kind"] for row in rows) == kinds
    assert {name for row in rows for name in row["names"]} <= {"SHIP"}


def test_what_stood_of_a_source_is_over_when_a_track_tells_of_it(desk: Any, port: Any) -> None:
    lat = drive(port, "FOX", 12, lat=drive(port, "FOX", 5), step=0)
    (row,) = desk.get("/patterns")
    assert (row["kind"], row["over_at_ms"]) == ("stop", None)
    port.place("T1", lat, 77.1, category="track", fields={"members": row["entities"][0]})
    port.tick(MINUTE_MS)
    assert desk.get("/patterns")[-1]["over_at_ms"] is not None


def test_what_stood_of_a_source_is_over_when_a_track_takes_it_in(desk: Any, port: Any) -> None:
    """Everybody is known already: that the track has other members is all that is new."""
    lat, other = 42.1, port.place("WOLF", 44.0, 77.1)
    for n in range(17):
        lat += 0.002 * (n < 5)
        fox = port.place("FOX", lat, 77.1)
        port.place("WOLF", 44.0 + n * 0.002, 77.1)
        port.place("T1", 44.0 + n * 0.002, 77.1, category="track", fields={"members": other})
        port.tick(MINUTE_MS)
    (row,) = desk.get("/patterns")
    assert (row["names"], row["over_at_ms"]) == (["FOX"], None)
    port.place("T1", 44.034, 77.1, category="track", fields={"members": f"{other} {fox}"})
    port.tick(MINUTE_MS)
    assert desk.get("/patterns")[-1]["over_at_ms"] is not None


def test_silence_of_somebody_who_reported_is_told_until_it_is_heard_again(desk: Any, port: Any) -> None:
    lat = drive(port, "FOX", 5)
    for _ in range(11):
        port.tick(MINUTE_MS)
    (row,) = desk.get("/patterns")
    assert (row["kind"], row["text"]) == ("gap", "FOX has gone silent")
    drive(port, "FOX", 1, lat=lat)
    assert desk.get("/patterns")[0]["over_at_ms"] is not None


def test_thresholds_are_set_by_a_person_and_hold_from_then_on(desk: Any, port: Any) -> None:
    settings = desk.get("/pattern-settings")
    desk.post("/pattern-settings", settings={"thresholds": {**settings["thresholds"], "stop_min": 3}})
    lat = drive(port, "FOX", 5, lat=drive(port, "FOX", 5), step=0)
    (row,) = desk.get("/patterns")
    assert row["thresholds"]["stop_min"] == 3
    desk.post("/pattern-settings", settings={"off": ["stop"]})
    assert desk.get("/pattern-settings")["off"] == ["stop"]
    drive(port, "FOX", 12, lat=drive(port, "FOX", 3, lat=lat), step=0)
    assert len(desk.get("/patterns")) == 1
    assert "stop_min" in str(desk.post("/pattern-settings", 400, settings={"thresholds": {"stop_min": 0}}))


def test_two_who_set_them_do_not_overwrite_each_other_in_silence(desk: Any, port: Any) -> None:
    assert desk.get("/pattern-settings")["heads"] == []
    desk.post("/pattern-settings", settings={"off": ["stop"]})
    seen = desk.get("/pattern-settings")["heads"]
    desk.post("/pattern-settings", settings={"off": ["stop", "gap"]}, seen=seen)
    refused = desk.post("/pattern-settings", 409, settings={"off": ["meeting"]}, seen=seen)
    assert refused["error"]["code"] == "changed"
    assert "token:watch has set them since" in refused["error"]["reason"]
    now = desk.get("/pattern-settings")
    assert now["off"] == ["stop", "gap"]
    desk.post("/pattern-settings", settings={"off": ["meeting"]}, seen=now["heads"])
    assert desk.get("/pattern-settings")["off"] == ["meeting"]


def test_of_two_who_set_them_in_one_moment_the_second_is_told(port: Any) -> None:
    principal = Principal(id="person:a", kind="person", name="a", context=port.context, groups_in=frozenset({"COMMON"}))

    class Both:
        """A desk on which nothing has been folded yet of what was written a moment ago."""

        views, policy, context = {"patterns": Patterns()}, port.policy, port.context

        def __init__(self) -> None:
            self.now_ms, self.new_id = port.clock_ms, port.new_id

        async def write(self, body: Any, **more: Any) -> Any:
            return port.write_now(principal, body, "test", **more)

    async def set_all() -> list[Any]:
        offs: tuple[Any, ...] = (("stop",), ("gap",), ("stop",))
        asked = [SetPatterns(settings=PatternSettings(off=off)) for off in offs]
        return [await set_patterns(principal, ask, Both()) for ask in asked]  # type: ignore[arg-type]

    first, other, same = asyncio.run(set_all())
    assert first.state == "set"
    assert isinstance(other, Refused)
    assert other.reason == "changed"
    assert same == first, "who sets the same has nothing to be told"


def test_after_a_restart_what_stood_is_over_since_nobody_watched_on(desk: Any, port: Any) -> None:
    stop(port)
    view = port.views["patterns"]
    again = Patterns()
    again.restore(view.snapshot())
    assert again.snapshot() == view.snapshot()
    view.restore(view.snapshot())
    port.tick()
    (row,) = desk.get("/patterns")
    assert row["over_at_ms"] == port.now_ms
    assert row["steps"][0]["fields"]["over_why"] == "unwatched"


def test_an_area_has_thresholds_of_its_own_and_only_known_ones(desk: Any, port: Any) -> None:
    corners = [[77.0, 42.0], [77.2, 42.0], [77.2, 43.0], [77.0, 43.0]]
    area = {"name": "Border", "corners": corners, "own": {"stop_min": 3}}
    desk.post("/pattern-settings", settings={"areas": [area]})
    for n in range(20):
        port.place("FOX", 42.3 + 0.002 * min(n, 8), 77.1)
        port.place("WOLF", 48.3 + 0.002 * min(n, 8), 77.1)
        port.tick(MINUTE_MS // 2)
    (row,) = desk.get("/patterns")
    assert (row["names"], row["thresholds"]["stop_min"]) == (["FOX"], 3)
    for wrong in ({"stop_mim": 3}, {"stop_min": 0}):
        desk.post("/pattern-settings", 400, settings={"areas": [{**area, "own": wrong}]})
    crossed = [corners[0], corners[2], corners[1], corners[3]]
    assert "crosses itself" in str(
        desk.post("/pattern-settings", 422, settings={"areas": [{**area, "corners": crossed}]})
    )


def test_who_leaves_the_route_that_was_drawn_for_him_is_told(desk: Any, port: Any) -> None:
    fox = port.place("FOX", 42.0, 77.1)
    route = {"name": "RED", "entities": [fox], "places": [[77.1, 41.0], [77.1, 44.0]], "half_m": 300}
    desk.post("/pattern-settings", settings={"routes": [route]})
    lat = drive(port, "FOX", 3)
    for n in range(10):
        port.place("FOX", lat, 77.1 + 0.004 * n)
        port.tick(MINUTE_MS // 2)
    (row,) = desk.get("/patterns", kind="deviation")
    assert (row["text"], row["thresholds"]) == ("FOX has left its route", {"off_route_min": 3})
    assert row["measured"]["off_m"] > row["measured"]["half_m"] == 300
    assert "RED" not in str(row), "who sees the mover need not see the route"
