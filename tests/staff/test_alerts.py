"""Alerts: raised once while their reason stands, acknowledged by name, closed; nobody learns of what is withheld."""

from typing import Any

import pytest

from aquila.core.model import Emergency, Paper, Position
from aquila.features.alerts import commands
from aquila.features.alerts.view import Alerts
from aquila.features.alerts.watch import WATCH

SQUARE = [[77.0, 42.0], [77.2, 42.0], [77.2, 42.2], [77.0, 42.2]]
MINUTE_MS = 60_000


def begun(desk: Any, port: Any, *triggers: str, **more: Any) -> str:
    """A watch that the node has looked at once: who comes in from now on enters."""
    watch = area(desk, *triggers, **more)
    port.tick()
    return watch


def area(desk: Any, *triggers: str, **more: Any) -> str:
    watch = {"kind": "area", "name": "Bridge", "corners": SQUARE, "triggers": list(triggers), **more}
    made: str = desk.post("/watches", watch=watch)["id"]
    return made


def texts(desk: Any, **params: Any) -> list[str]:
    return [row["text"] for row in desk.get("/alerts", **params)]


def test_who_enters_is_told_once_and_the_alert_is_worked_to_its_end(desk: Any, port: Any) -> None:
    begun(desk, port, "enter", level="warning")
    port.place("FOX", 41.0, 77.1)
    port.tick()
    assert texts(desk) == []
    port.place("FOX", 42.1, 77.1)
    for _ in range(3):
        port.tick()
    (alert,) = desk.get("/alerts")
    assert alert["text"] == "FOX is in an area that is watched"
    assert (alert["watch_name"], alert["level"], alert["state"]) == ("Bridge", "warning", "raised")
    assert (alert["lat_deg"], alert["lon_deg"]) == (42.1, 77.1)
    (need,) = desk.get("/needs/alerts")
    assert (need["id"], need["precedence"], need["actions"]) == (alert["id"], "Z", ["acknowledge", "close"])
    desk.post(f"/alerts/{alert['id']}", action="acknowledge", remarks="called PTL2")
    assert desk.get("/needs/alerts") == []
    port.place("FOX", 41.0, 77.1)
    port.tick()
    assert desk.get("/alerts")[0]["over_at_ms"] == port.now_ms
    desk.post(f"/alerts/{alert['id']}", action="close")
    assert texts(desk) == []
    (closed,) = desk.get("/alerts", state="closed")
    assert [(step["action"], step["by"]) for step in closed["steps"]][:1] == [("close", "token:watch")]
    again = desk.post(f"/alerts/{alert['id']}", 422, action="close")
    assert "alert is closed" in str(again)
    # Each step is a line of the journal, with who and when.
    lines = [row for row in desk.get("/entries") if (row["body"] or {}).get("target") == alert["id"]]
    assert [(row["body"]["action"], row["author"]) for row in lines] == [
        ("raise", f"node:{port.node}"),
        ("acknowledge", "token:watch"),
        ("over", f"node:{port.node}"),
        ("close", "token:watch"),
    ]
    assert [row["happened_at_ms"] for row in lines] == [step["at_ms"] for step in reversed(closed["steps"])]


def test_alerts_and_watches_are_asked_as_they_were(desk: Any, port: Any) -> None:
    before_ms = port.now_ms
    port.tick(MINUTE_MS)
    watch = begun(desk, port, "enter")
    port.place("FOX", 42.1, 77.1)
    port.tick(MINUTE_MS)
    (alert,) = desk.get("/alerts")
    raised_ms = port.now_ms
    port.tick(MINUTE_MS)
    desk.post(f"/alerts/{alert['id']}", action="acknowledge")
    seen_ms = port.now_ms
    port.tick(MINUTE_MS)
    desk.post(f"/alerts/{alert['id']}", action="close")
    desk.post(f"/watches/{watch}/state", action="pause")
    states = [[row["state"] for row in desk.get("/alerts", at_ms=at)] for at in (before_ms, raised_ms, seen_ms)]
    assert (states, texts(desk)) == ([[], ["raised"], ["acknowledged"]], [])
    assert [[row["state"] for row in desk.get("/watches", at_ms=at)] for at in (before_ms, seen_ms)] == [[], ["active"]]
    assert desk.get("/watches")[0]["state"] == "paused"
    (was,) = desk.get("/alerts", at_ms=raised_ms)
    assert (was["actions"], was["watch_name"], [step["action"] for step in was["steps"]]) == ([], "Bridge", ["raise"])


def test_leaving_staying_and_who_is_not_meant(desk: Any, port: Any) -> None:
    area(desk, "leave", "dwell", dwell_min=2, affiliations=["friend"], max_hae_m=2000)
    port.place("FOX", 42.1, 77.1)
    port.place("BAD", 42.1, 77.1, sidc="10061000001211000000")
    port.tick()
    port.tick(MINUTE_MS)
    assert texts(desk) == []
    port.tick(MINUTE_MS)
    assert texts(desk) == ["FOX stays in an area that is watched"]
    for uid in ("FOX", "BAD"):
        port.place(uid, 43.0, 77.1)
    port.tick()
    assert texts(desk)[0] == "FOX has left an area that is watched"
    assert len(texts(desk)) == 2


def test_who_is_above_or_below_the_heights_of_a_watch_has_not_entered(desk: Any, port: Any) -> None:
    begun(desk, port, "enter", min_hae_m=1000, max_hae_m=2000)
    for uid, hae_m in (("LOW", 900.0), ("IN", 1500.0), ("HIGH", 2100.0), ("UNSAID", None)):
        port.place(uid, 42.1, 77.1, position=Position(42.1, 77.1, hae_m, 5.0))
    port.tick()
    told = {text.split()[0] for text in texts(desk)}
    # Who says no height may be at any.
    assert told == {"IN", "UNSAID"}
    port.place("HIGH", 42.1, 77.1, position=Position(42.1, 77.1, 1900.0, 5.0))
    port.tick()
    assert {text.split()[0] for text in texts(desk)} == {"IN", "UNSAID", "HIGH"}


def test_a_long_silence_is_told_in_hours(desk: Any, port: Any) -> None:
    for uid, every_min in (("FOX", 180), ("OWL", 190)):
        watch = {"kind": "silence", "name": uid, "entity": port.place(uid, 42.1, 77.1), "every_min": every_min}
        desk.post("/watches", watch=watch | {"grace_min": 0})
    for more_min in (180, 10):
        port.tick(more_min * MINUTE_MS)
        port.tick()
    assert sorted(texts(desk)) == ["FOX has not reported for 3 h", "OWL has not reported for 3 h 10 min"]


def test_silence_is_told_and_over_when_somebody_speaks_again(desk: Any, port: Any) -> None:
    entity = port.place("FOX", 42.1, 77.1)
    desk.post(
        "/watches", watch={"kind": "silence", "name": "Patrol", "entity": entity, "every_min": 15, "grace_min": 5}
    )
    port.tick(20 * MINUTE_MS)
    assert texts(desk) == []
    port.tick()
    assert texts(desk) == ["FOX has not reported for 20 min"]
    port.place("FOX", 42.1, 77.2)
    port.tick()
    assert desk.get("/alerts")[0]["over_at_ms"] == port.now_ms
    assert texts(desk) == ["FOX had not reported for 20 min"], "it goes on no more"
    port.tick(21 * MINUTE_MS)
    assert len(texts(desk)) == 1, "one that is still open is not raised a second time"


def test_an_emergency_is_an_alert_until_it_is_called_off(desk: Any, port: Any) -> None:
    port.say(port.report("FOX", 42.1, 77.1, emergency=Emergency("911", True)), port.open)
    assert texts(desk) == ["FOX: emergency 911"]
    port.say(port.report("FOX", 42.1, 77.1, emergency=Emergency("911", True)), port.open)
    assert len(texts(desk)) == 1
    port.say(port.report("FOX", 42.1, 77.1, emergency=Emergency("911", False)), port.open)
    assert desk.get("/alerts")[0]["over_at_ms"] is not None


def test_who_may_not_have_the_entity_hears_of_no_alert(desk: Any, partner: Any, port: Any) -> None:
    begun(desk, port, "enter")
    port.place("SECRET", 42.1, 77.1, port.national)
    port.tick()
    assert texts(desk) == []
    assert texts(partner) == ["SECRET is in an area that is watched"]


def test_a_watch_can_rest_change_and_end(desk: Any, port: Any) -> None:
    watch = area(desk, "enter")
    desk.post(f"/watches/{watch}/state", action="pause")
    port.place("FOX", 42.1, 77.1)
    port.tick()
    assert texts(desk) == []
    desk.post(f"/watches/{watch}/state", action="resume")
    changed = {"kind": "silence", "name": "Now silence", "entity": "e", "every_min": 5}
    desk.post(f"/watches/{watch}", watch=changed)
    (row,) = desk.get("/watches")
    assert (row["watch"]["kind"], row["watch"]["name"], row["state"]) == ("silence", "Now silence", "active")
    desk.delete(f"/watches/{watch}")
    assert desk.get("/watches") == []
    port.tick(10 * MINUTE_MS)
    assert texts(desk) == []


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"corners": [[0, 0], [1, 1], [1, 0], [0, 1]]}, "crosses itself"),
        ({"corners": [[0, 0], [1, 1], [2, 2]]}, "area"),
        ({"min_hae_m": 20, "max_hae_m": 10}, "lower one first"),
        ({"from_ms": 20, "until_ms": 10}, "is not after"),
        ({"name": "a\x00b"}, "control character"),
        ({"triggers": ["dwell"], "dwell_min": 0}, "stays 0 min would tell of everybody inside at once: name 1 min"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(desk: Any, more: dict[str, Any], sentence: str) -> None:
    watch = {"kind": "area", "name": "X", "corners": SQUARE, "triggers": ["enter"], **more}
    assert sentence in str(desk.post("/watches", 422, watch=watch))


def test_a_watch_is_of_a_time_that_there_is(desk: Any) -> None:
    watch = {"kind": "area", "name": "X", "corners": SQUARE, "triggers": ["enter"]}
    for time in ({"from_ms": -(10**30)}, {"until_ms": 1 << 63}):
        assert next(iter(time)) in str(desk.post("/watches", 400, watch=watch | time))
    assert desk.get("/watches") == []


def test_an_area_across_the_antimeridian_is_the_short_way(desk: Any, port: Any) -> None:
    begun(desk, port, "enter", corners=[[179, 0], [-179, 0], [-179, 1], [179, 1]])
    port.place("INSIDE", 0.5, -179.5)
    port.place("OUTSIDE", 0.5, 0.0)
    port.tick()
    assert texts(desk) == ["INSIDE is in an area that is watched"]


def test_a_restart_forgets_nothing(desk: Any, port: Any) -> None:
    begun(desk, port, "enter", "leave")
    port.place("FOX", 42.1, 77.1)
    port.tick()
    view = port.views["alerts"]
    again = Alerts()
    again.restore(view.snapshot())
    assert again.snapshot() == view.snapshot()
    view.restore(view.snapshot())
    port.tick()
    assert len(texts(desk)) == 1
    (alert,) = desk.get("/alerts")
    desk.post(f"/alerts/{alert['id']}", action="close")
    view.restore(view.snapshot())
    port.tick()
    assert texts(desk) == [], "who has been inside all the time does not enter"
    port.place("FOX", 43.0, 77.1)
    port.tick()
    port.place("FOX", 42.1, 77.1)
    port.tick()
    assert "FOX is in an area that is watched" in texts(desk)


def test_what_is_drawn_in_an_area_has_not_entered_it(desk: Any, port: Any) -> None:
    begun(desk, port, "enter")
    for uid, category in (("PLAN", "drawing"), ("FORD", "marker"), ("FOX-9-1-1", "alert"), ("TOWN", "place")):
        port.place(uid, 42.1, 77.1, category=category)
    port.place("FOX", 42.1, 77.1)
    port.tick()
    assert texts(desk) == ["FOX is in an area that is watched"]


def test_a_track_that_ends_in_an_area_has_not_left_it_and_its_alert_is_over(desk: Any, port: Any) -> None:
    begun(desk, port, "enter", "leave")
    port.place("T1", 42.1, 77.1)
    port.tick()
    (alert,) = desk.get("/alerts")
    assert alert["over_at_ms"] is None
    port.place("T1", 42.1, 77.1, ended=True)
    port.tick()
    (alert,) = desk.get("/alerts")
    assert (alert["trigger"], alert["over_at_ms"]) == ("enter", port.now_ms)


def test_an_area_of_another_node_that_is_none_ends_no_look_at_the_others(desk: Any, port: Any) -> None:
    crossed = {"name": "crossed", "corners": [[77, 42], [78, 43], [77, 43], [78, 42]], "triggers": ["enter"]}
    port.say(
        Paper(type=WATCH, target="w9", action="create", happened_at_ms=port.now_ms, fields={"kind": "area", **crossed}),
        port.open,
    )
    begun(desk, port, "enter")
    port.place("FOX", 42.1, 77.1)
    port.tick()
    assert texts(desk) == ["FOX is in an area that is watched"]


def test_watches_that_were_removed_take_no_room_and_nobody_fills_the_node(
    desk: Any, partner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "WATCHES_MAX", 3)
    monkeypatch.setattr(commands, "WATCHES_OF_ONE", 2)
    watch = {"kind": "area", "name": "Bridge", "corners": SQUARE, "triggers": ["enter"]}
    first, _ = area(desk, "enter"), area(desk, "enter")
    assert "2 watches of yours stand" in str(desk.post("/watches", 507, watch=watch))
    for _ in range(3):
        desk.delete(f"/watches/{first}")
        first = area(desk, "enter")
    area(partner, "enter")
    assert "3 watches are all that a node keeps" in str(partner.post("/watches", 507, watch=watch))


def test_who_is_inside_when_a_watch_begins_has_not_entered_and_is_counted(desk: Any, partner: Any, port: Any) -> None:
    for number in range(150):
        port.place(f"T{number}", 42.1, 77.1)
    port.place("SECRET", 42.1, 77.1, port.national)
    area(desk, "enter", "leave", "dwell", dwell_min=10)
    assert desk.get("/watches")[0]["inside"] is None, "nobody has looked yet"
    port.tick()
    assert (desk.get("/watches")[0]["inside"], partner.get("/watches")[0]["inside"]) == (150, 151)
    assert (texts(desk), texts(partner)) == ([], [])
    port.tick(MINUTE_MS)
    port.place("T7", 43.0, 77.1)
    port.tick()
    port.place("T7", 42.1, 77.1)
    port.tick()
    assert texts(desk) == ["T7 is in an area that is watched", "T7 has left an area that is watched"]
    port.tick(9 * MINUTE_MS)
    stays = [text for text in texts(desk) if "stays" in text]
    assert len(stays) == 149, "all that have been inside since the watch began; T7 was away"


@pytest.mark.parametrize("begins_again", ["pause", "edit", "restart"])
def test_a_watch_that_begins_again_tells_nobody_of_those_inside(desk: Any, port: Any, begins_again: str) -> None:
    watch = begun(desk, port, "enter", "leave", corners=[[78.0, 42.0], [78.2, 42.0], [78.2, 42.2]])
    east = [[78.0, 42.0], [78.2, 42.0], [78.2, 42.2]]
    if begins_again == "pause":
        desk.post(f"/watches/{watch}/state", action="pause")
        port.tick()
        assert desk.get("/watches")[0]["inside"] is None
    port.place("FOX", 42.05, 78.15)
    if begins_again == "pause":
        desk.post(f"/watches/{watch}/state", action="resume")
    elif begins_again == "edit":
        changed = {"kind": "area", "name": "Bridge", "corners": [*east, [78.0, 42.2]], "triggers": ["enter", "leave"]}
        desk.post(f"/watches/{watch}", watch=changed)
    else:
        port.views["alerts"].restore(port.views["alerts"].snapshot())
    port.tick()
    assert (texts(desk), desk.get("/watches")[0]["inside"]) == ([], 1)
    elsewhere = {"kind": "area", "name": "Bridge", "corners": SQUARE, "triggers": ["enter", "leave"]}
    desk.post(f"/watches/{watch}", watch=elsewhere)
    port.tick()
    assert texts(desk) == [], "who was in the old area has not gone"


def test_a_new_name_begins_nothing(desk: Any, port: Any) -> None:
    watch = begun(desk, port, "enter")
    port.place("FOX", 42.1, 77.1)
    desk.post(f"/watches/{watch}", watch={"kind": "area", "name": "Ford", "corners": SQUARE, "triggers": ["enter"]})
    port.tick()
    assert texts(desk) == ["FOX is in an area that is watched"]


def several(desk: Any, port: Any, names: tuple[str, ...], label: Any = None) -> str:
    """A watch of an area that all of these have entered."""
    watch = begun(desk, port, "enter")
    for name in names:
        port.place(name, 42.1, 77.1, *([] if label is None else [label]))
    port.tick()
    return watch


def test_all_that_are_shown_are_settled_by_one_act_with_a_line_for_each(desk: Any, port: Any) -> None:
    several(desk, port, ("A", "B", "C"))
    ids = [row["id"] for row in desk.get("/alerts")]
    desk.post(f"/alerts/{ids[1]}", action="acknowledge")
    done = desk.post("/alerts", ids=[*ids, ids[0], "nowhere"], action="acknowledge", remarks="all called")
    assert [(each["id"], each["state"]) for each in done["settled"]] == [
        (ids[0], "acknowledged"),
        (ids[2], "acknowledged"),
    ]
    assert [(each["id"], each["reason"]) for each in done["left"]] == [(ids[1], "state"), ("nowhere", "absent")]
    assert "alert is acknowledged" in done["left"][0]["sentence"]
    assert desk.get("/needs/alerts") == []
    last = {row["id"]: row["steps"][0] for row in desk.get("/alerts")}
    assert {step["by"] for step in last.values()} == {"token:watch"}
    assert last[ids[0]]["fields"] == {"acknowledge_remarks": "all called"}
    desk.post("/alerts", ids=ids, action="close")
    assert texts(desk) == []
    again = desk.post("/alerts", ids=ids, action="close")
    assert (again["settled"], {each["reason"] for each in again["left"]}) == ([], {"state"})


def test_who_settles_many_is_asked_for_each_whether_he_may(desk: Any, partner: Any, viewer: Any, port: Any) -> None:
    several(desk, port, ("FOX",))
    port.place("SECRET", 42.1, 77.1, port.national)
    port.tick()
    ids = [row["id"] for row in partner.get("/alerts")]
    assert len(ids) == 2
    done = desk.post("/alerts", ids=ids, action="close")
    assert [each["reason"] for each in done["left"]] == ["absent"], "an alert that he may not see is none"
    assert texts(partner) == ["SECRET is in an area that is watched"]
    assert "role" in str(viewer.post("/alerts", 403, ids=ids, action="close"))
    for wrong in ([], [str(number) for number in range(501)]):
        assert "ids" in str(desk.post("/alerts", 400, ids=wrong, action="close"))


def test_a_watch_that_is_removed_takes_its_alerts_with_it(desk: Any, partner: Any, port: Any) -> None:
    other = several(desk, port, ("FOX",))
    watch = several(desk, port, ("HARE",))
    port.place("SECRET", 42.1, 77.1, port.national)
    port.tick()
    assert len(texts(partner)) == 5
    desk.delete(f"/watches/{watch}")
    port.tick()
    assert {row["watch"] for row in partner.get("/alerts")} == {other}, "also of him whom the remover may not see"
    closed = partner.get("/alerts", state="closed")
    assert [(row["steps"][0]["action"], row["steps"][0]["fields"]["with_watch"]) for row in closed] == [
        ("close", True)
    ] * len(closed)
    assert all(row["over_at_ms"] == port.now_ms for row in closed)
    lines = len(closed[0]["steps"])
    port.tick()
    assert len(partner.get("/alerts", state="closed")[0]["steps"]) == lines, "once"


def test_alerts_of_a_watch_that_is_removed_stand_where_that_is_asked(desk: Any, port: Any) -> None:
    watch = several(desk, port, ("FOX",))
    desk.delete(f"/watches/{watch}?close_alerts=false")
    port.tick()
    assert texts(desk) == ["FOX is in an area that is watched"]


def test_alerts_are_asked_by_what_raised_them(desk: Any, port: Any) -> None:
    several(desk, port, ("FOX",))
    port.say(port.report("SOS", 42.1, 77.1, emergency=Emergency("911", True)), port.open)
    assert texts(desk, trigger="emergency") == ["SOS: emergency 911"]
    assert len(texts(desk)) == 2
