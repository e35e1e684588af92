"""A day from the order to the handover, through the Python client and phones: `day.toml`, each step asserted."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from time import time
from typing import Any

import pytest

from aquila.app.asking import ask
from aquila.client import Node, NodeError, ms, when
from aquila.simulator import cot
from aquila.simulator.scenario import MedevacAsked
from aquila.simulator.staff import Act, ActError, Person, Player, field_of, fits, read_staff
from aquila.testing.served import ServedNode
from aquila.testing.tak_client import TakClient, event, text_of

DAY = read_staff(Path(__file__).with_name("day.toml").read_bytes())
PATROL = "DAY PATROL"
SPOT_REPORT = "Spot report: stones on the track, one man hurt"


class Day:
    """The staff, each person with an own token, and the patrol's phone."""

    def __init__(self, node: ServedNode, phone: TakClient) -> None:
        self.begin_ms = node.api.now_ms()
        self.phone = phone
        self.task = ""
        url = node.api.url
        self.people = {each.name: Node(url, token_of(node, each)) for each in DAY.persons}
        self.player = Player(self._ask, lambda span_s: asyncio.sleep(span_s / 4))

    async def _ask(self, person: str, method: str, path: str, body: Any) -> Any:
        try:
            return await asyncio.to_thread(self.people[person].call, method, f"/api/v1{path}", None, body)
        except NodeError as wrong:
            raise ActError(str(wrong)) from wrong

    def do(self, act: Act) -> Any:
        before = self.phones().get(act.title)
        if before is not None:
            before()
        return asyncio.run(self.player.act(act, self.begin_ms))

    def phones(self) -> dict[str, Callable[[], object]]:
        """What the patrol's phone does just before a step."""
        return {
            "The patrol's phone has the extract": self.read_extract,
            "The patrol's phone says that it will comply": lambda: self.phone.chat("WILCO 1"),
            "The patrol's phone answers the task": self.answer_task,
            "The patrol's phone says that it is under way": lambda: self.phone.chat(f"EXECUTING {self.task}"),
            "The patrol's phone says that the task is done": lambda: self.phone.chat(f"DONE {self.task}"),
            "The phone's spot report is heard": lambda: self.phone.chat(SPOT_REPORT),
            "The board says that the pass was reached in time": lambda: self.phone.report(lat=43.2, lon=77.2),
            "The board says that the slope was entered": lambda: self.phone.report(lat=43.3, lon=77.3),
            "The request of the phone stands at the desk": self.ask_evacuation,
        }

    def read_extract(self) -> None:
        """The extract of the order comes as chat; the phone says that it was read."""
        heard = self.phone.hear(lambda each: "Go to the pass" in text_of(each))
        self.phone.say(read(self.phone, heard))

    def answer_task(self) -> None:
        """A task of no order comes with a code; the answer names it."""
        self.task = text_of(self.phone.hear(lambda each: "To the pass" in text_of(each))).split()[1]
        self.phone.chat(f"WILCO {self.task}")

    def ask_evacuation(self) -> None:
        lines = MedevacAsked(at_s=0, by=PATROL, key="m", title="MEDEVAC DAY", frequency="34.550", urgent=1, litter=1)
        who = cot.Client(self.phone.uid, PATROL, "a-f-G-U-C", "Cyan", "Team Member", "phone")
        body = cot.medevac(
            cot.Patient("day-medevac", "MEDEVAC DAY", lines), who, cot.Spot(43.2, 77.2, 2000.0), round(time() * 1000)
        )
        self.phone.say(body)


def token_of(node: ServedNode, person: Person) -> str:
    """A token for the groups of this person, from the owner: nobody else may give exercise control's."""
    groups = list(person.groups) or None
    named = {"name": person.name, "role": person.role, "groups_in": groups, "groups_out": groups}
    return str(ask(node.data, "access.make_token", named)["token"])


def read(phone: TakClient, heard: Any) -> bytes:
    """The receipt of a phone whose owner has opened the line."""
    said = heard.find("detail/__chat")
    room, reference = said.get("id", ""), said.get("messageId", "")
    detail = (
        f"<__chatreceipt id='{room}' chatroom='{room}' senderCallsign='{PATROL}' messageId='{reference}'>"
        f"<chatgrp id='{room}' uid0='{phone.uid}' uid1='{room}'/></__chatreceipt>"
        f"<link uid='{phone.uid}' type='a-f-G-U-C' relation='p-p'/>"
    )
    return event(reference, "b-t-f-r", detail)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedNode]:
    """An exercise without the simulator: else nothing is injected."""
    process = ServedNode(tmp_path_factory.mktemp("day") / "data", "--context", "EXERCISE:DAY")
    try:
        yield process.start()
    finally:
        process.stop()


@pytest.fixture(scope="module")
def day(node: ServedNode) -> Any:
    with node.client(PATROL) as phone:
        phone.report(lat=43.1, lon=77.1)
        yield Day(node, phone)


def test_a_node_without_the_demo_begins_empty(node: ServedNode) -> None:
    api = node.api
    boards = (api.orbat(), api.orders(), api.tasks(), api.incidents(), api.questions(), api.reports(), api.watches())
    assert not any(boards)
    assert all(row["name"].startswith("tester") for row in api.tokens())


@pytest.mark.parametrize("act", DAY.acts, ids=lambda act: act.title)
def test_the_day_goes_on(day: Day, act: Act) -> None:
    answer = day.do(act)
    assert answer is not None
    assert fits(answer, act.expect), answer


def test_every_answer_of_the_patrol_is_its_own(day: Day) -> None:
    node, known = day.people["watch.officer"], day.player.known
    (answer,) = node.order(known["order"])["answers"]
    assert (answer["state"], answer["on_behalf_of"]) == ("wilco", None)
    steps = [*node.order(known["order"])["steps"], *node.task(known["task"])["steps"]]
    assert not [each for each in steps if each["on_behalf_of"]]


def test_players_read_what_is_played_and_nothing_of_the_list(day: Day) -> None:
    assert day.people["watch.officer"].injects() == []
    (inject,) = day.people["exercise.director"].injects()
    assert (inject["id"], inject["state"]) == (day.player.known["inject"], "fired")
    (line,) = [row for row in day.people["watch.officer"].incidents() if row["id"] == day.player.known["walkers"]]
    assert (line["state"], line["fields"]["source"]) == ("closed", day.player.known["played"])


def test_the_past_of_the_day_can_be_asked(day: Day) -> None:
    node = day.people["watch.officer"]
    before = node.order_in_force(day.player.known["order"], at_ms=day.begin_ms - 60_000)
    assert not before["is_in_force"]
    assert node.order_in_force(day.player.known["order"])["is_in_force"]
    # Positions of the past are kept by the track store.
    assert isinstance(node.picture_at(at_ms=day.begin_ms), list)
    assert [row["unit"]["name"] for row in node.orbat() if row["depth"] == 0] == ["DAY BATTALION"]


def test_the_journal_can_be_followed(day: Day) -> None:
    node = day.people["watch.officer"]
    following = node.follow(since=node.entries(newest=True, limit=1)[0]["cursor"], every_s=0.05)
    node.write_note(text="after the day")
    assert field_of(next(following), "body.text") == "after the day"


def test_a_refusal_is_the_sentence_of_the_node(day: Day) -> None:
    node = day.people["watch.officer"]
    with pytest.raises(NodeError, match="wilco") as refused:
        node.step_task(day.player.known["task"], action="wilco", on_behalf=True)
    assert refused.value.status == 422
    assert str(refused.value).startswith(refused.value.reason)


def test_times_keep_their_zone() -> None:
    assert ms("2026-11-25T14:00Z") == ms("2026-11-25T19:00+05:00") == 1795615200000
    assert when(1795615200000).isoformat() == "2026-11-25T14:00:00+00:00"
    with pytest.raises(ValueError, match="no time zone"):
        ms("2026-11-25T14:00")
