"""The staff of a scenario: what is due when, how it refers to what was made, and that a restart doubles nothing."""

import asyncio
from typing import Any

import pytest

from aquila.simulator.scenario import ScenarioError, read, shipped
from aquila.simulator.staff import Act, ActError, Player, Seek, due, filled, fits, play_staff, read_staff

STAFF = shipped("snow-leopard").staff
EPOCH_MS = 1_800_000_000_000


class Desk:
    """Takes every act and remembers it; what it was told to have, it finds."""

    def __init__(self, **has: Any) -> None:
        self.said: list[tuple[str, str, Any]] = []
        self.has = has
        self.refuses: str | None = None

    async def __call__(self, person: str, method: str, path: str, body: Any) -> Any:
        if method == "GET":
            return self.has.get(path, [])
        if path == self.refuses:
            raise ActError("no: do otherwise")
        self.said.append((person, path, body))
        return {"id": f"id-{len(self.said)}"}


async def no_wait(_: float) -> None:
    await asyncio.sleep(0)


def acted(desk: Desk, *acts: Act) -> Player:
    player = Player(desk, no_wait)

    async def go() -> None:
        for act in acts:
            await player.act(act, EPOCH_MS, 2)

    asyncio.run(go())
    return player


def test_the_shipped_staff_refers_only_to_what_was_made_before() -> None:
    assert {person.name for person in STAFF.persons} == {act.by for act in STAFF.acts}
    assert max(act.at_s for act in STAFF.acts) < shipped("snow-leopard").period_s


def test_a_period_repeats_all_but_what_is_done_once() -> None:
    first, second = due(STAFF, 1800, -1, 1799.9), due(STAFF, 1800, 1799.9, 3599.9)
    assert len(first) == len(STAFF.acts)
    assert [act for _, act in second] == [act for _, act in first if not act.once]
    assert [at_s - 1800 for at_s, _ in second] == [act.at_s for _, act in second]


def test_any_cutting_of_time_gives_the_same_acts() -> None:
    cut = [pair for second in range(-1, 1800, 7) for pair in due(STAFF, 1800, second, min(second + 7, 1799.9))]
    assert cut == due(STAFF, 1800, -1, 1799.9)


def test_references_and_times_are_filled_in() -> None:
    body = {"order": "{order}", "at": "@+2", "text": "serial {serial} from {@-1}", "deep": [{"x": "{order}"}], "n": 3}
    assert filled(body, {"order": "o1", "serial": "4"}, 1000) == {
        "order": "o1",
        "at": 121_000,
        "text": "serial 4 from -59000",
        "deep": [{"x": "o1"}],
        "n": 3,
    }
    with pytest.raises(KeyError, match="nobody"):
        filled("{nobody}", {}, 0)


def test_a_later_act_names_the_thing_of_an_earlier_one() -> None:
    desk = Desk()
    make = Act(by="a", key="order", path="/orders", body={"title": "{serial}"})
    acted(desk, make, Act(by="b", path="/orders/{order}/step", body={"of": "{order}"}))
    assert desk.said == [("a", "/orders", {"title": "2"}), ("b", "/orders/id-1/step", {"of": "id-1"})]


def test_what_is_there_already_is_taken_and_not_made_again() -> None:
    desk = Desk(**{"/orders": [{"id": "x", "title": "other"}, {"id": "old", "title": "mine"}]})
    make = Act(by="a", key="order", path="/orders", seek=Seek("/orders", {"title": "mine"}))
    player = acted(desk, make, Act(by="a", path="/orders/{order}/issue", of="order"), Act(by="a", path="/x/{order}"))
    assert desk.said == [("a", "/x/old", {})]
    assert player.known["order"] == "old"


def test_what_never_comes_is_said_and_what_is_refused_stops_nothing() -> None:
    desk = Desk()
    desk.refuses = "/no"
    with pytest.raises(ActError, match="has"):
        acted(desk, Act(by="a", key="k", wait=True, seek=Seek("/rows", {"name": ["p", "q"]})))
    player = Player(desk, no_wait)
    acts = [Act(by="a", path="/no"), Act(by="a", path="/{later}"), Act(by="a", path="/yes")]
    for act in acts:
        asyncio.run(player.try_act(act, EPOCH_MS, 1, 60_000))
    assert [path for _, path, _ in desk.said] == ["/yes"]
    assert player.refused == 2


def test_rows_fit_by_deep_fields_and_by_one_of_several_values() -> None:
    row = {"row": {"hits": [{"state": "open"}]}, "n": 0}
    assert fits(row, {"row.hits.0.state": ["open", "closed"], "n": 0})
    assert not fits(row, {"row.hits.1.state": "open"})


def test_the_play_catches_up_first_and_then_keeps_the_time() -> None:
    desk, now_ms, slept = Desk(), [0], []
    desk.has = {path: [{"id": "f", "name": "BARYS 31"}] for path in ("/entities?q=BARYS%2031",)}

    async def sleep(span_s: float) -> None:
        slept.append(span_s)
        now_ms[0] += round(span_s * 1000)
        if now_ms[0] > 1_700_000:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(play_staff(STAFF, 1800, 196, desk, lambda: now_ms[0], sleep))
    early = [act for act in STAFF.acts if act.at_s <= 196]
    assert len([path for _, path, _ in desk.said]) > len([act for act in early if act.path])
    # It sleeps from act to act, never in between.
    assert len(slept) < len(STAFF.acts) + 2 * 20
    assert min(slept) >= 0.05


@pytest.mark.parametrize(
    ("toml", "why"),
    [
        ('[[person]]\nname = "a"\n[[act]]\nby = "b"\npath = "/x"', "no person"),
        ('[[person]]\nname = "a"\n[[act]]\nby = "a"', "give path"),
        ('[[person]]\nname = "a"\n[[act]]\nby = "a"\npath = "/x/{y}"', "y was not named"),
        ('[[act]]\nwhat = "?"', "cannot be read"),
        ("[[act", "cannot be read"),
    ],
)
def test_a_wrong_staff_is_refused_with_a_sentence(toml: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_staff(toml.encode())
    with pytest.raises(ScenarioError, match=why):
        read(
            b'name="x"\nseed=1\nperiod_s=9\nstart_s=0\ncentre=[0,0]\ngeoid_m=0\ncontingent=[]\nmover=[]\nbeat=[]',
            b"{}",
            toml.encode(),
        )
