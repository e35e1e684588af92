"""The guide's notebook against the demo: its cells in order, as a notebook server runs them, on a live node.

Jupyter is no dependency of the project: the cells are plain Python over `aquila.client`, so this runs the JSON's cells
one after the other in one namespace, which is all that a kernel does with them.
"""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aquila.app.asking import ask as node_says
from aquila.client import Node
from aquila.features.tasks.view import OPEN
from aquila.simulator import cot
from aquila.simulator.scenario import MedevacAsked, shipped
from aquila.simulator.staff import Player, due
from aquila.testing.served import ServedNode, wait_until

NOTEBOOK = Path(__file__).parents[2] / "docs" / "guide" / "notebook.ipynb"
FILED_S = 60.0


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedNode]:
    node = ServedNode(tmp_path_factory.mktemp("demo") / "data", "--demo", "snow-leopard")
    try:
        yield node.start()
    finally:
        node.stop()


@pytest.fixture(scope="module")
def api(demo: ServedNode) -> Node:
    """The demo, once its staff has written what comes before the play begins."""
    api = demo.api
    wait_until(lambda: len(api.incidents()) == 2 and len(api.reports()) == 4, "the staff is at work", FILED_S)
    return api


def run(path: Path, **environ: str) -> dict[str, Any]:
    """The namespace after the last cell."""
    names: dict[str, Any] = {"__name__": "__main__"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        for number, cell in enumerate(json.loads(path.read_text("utf-8"))["cells"], start=1):
            if cell["cell_type"] == "code":
                exec(compile("".join(cell["source"]), f"cell {number}", "exec"), names)
    return names


def test_no_board_of_the_demo_is_empty(api: Node) -> None:
    units = {row["unit"]["name"]: row for row in api.orbat()}
    assert {row["unit"]["nation"] for row in units.values()} == {"ITA", "FRA", "KAZ"}
    company = units["BARYS ROTASY"]
    assert company["parent"] is not None
    assert (company["parent"]["unit"], company["parent"]["relation"]) == (units["GRUPPO VERDE"]["id"], "OPCON")
    (order,) = api.orders()
    assert (order["state"], order["addressees"]) == ("issued", 4)
    assert len(api.order(order["id"])["order"]["phases"]) == 3
    patrol = next(row for row in api.tasks() if row["task"]["title"].startswith("Patrol to the lake"))
    assert [each["kind"] for each in patrol["task"]["conditions"]] == ["reach", "report"]
    assert {row["kind"] for row in api.questions()} == {"PIR", "FFIR"}
    assert {row["watch"]["kind"] for row in api.watches()} == {"area", "silence"}
    assert len(api.rfis()) == 1
    assert {row["kind"] for row in api.subjects()} == {"event", "place", "vehicle"}
    assert {claim["sources"][0]["grade"] for row in api.subjects() for claim in row["claims"]} == {"A1", "B2"}
    assert [row["source"] for row in api.collection_plan()] == ["STAMBECCO 12"]
    assert len(api.medevac_assets()) == 2
    assert {row["label"]["policy"] for row in api.reports()} == {row["label"]["policy"] for row in api.incidents()}
    assert api.me()["context"].startswith("EXERCISE")


def test_the_tasks_of_the_demo_are_judged_by_its_tracks(api: Node) -> None:
    def verdicts() -> set[str]:
        return {row["verdict"] for row in api.tasks()}

    wait_until(lambda: "on_time" in verdicts(), "a patrol is where it should be")


def test_the_notebook_rebuilds_the_morning_brief(demo: ServedNode, api: Node) -> None:
    names = run(NOTEBOOK, AQUILA_URL=api.url, AQUILA_TOKEN=demo.token)
    brief = names["brief"]
    assert "13 units of FRA, ITA, KAZ" in brief["situation"][0]
    assert any("OPORD 1/26 SNOW LEOPARD 26" in line for line in brief["situation"])
    assert "missing: DALA BATALON" in brief["reports"]
    assert "Present: 687 (of 2 reports)" in brief["reports"]
    assert any("Patrol to the lake" in line for line in brief["tasks on time"])
    assert any("waits for intelligence officer" in line for line in brief["incidents"])
    assert any(line.startswith("PIR Can the Kolsai valley") for line in brief["questions"])
    assert set(brief) >= {"casualties", "alerts", "an hour ago", "tasks"}
    assert "SNOW LEOPARD 26 was not in force" in brief["an hour ago"]
    (said,) = [
        row for row in api.entries(newest=True, limit=20) if (row["body"] or {}).get("text", "").startswith("SIT")
    ]
    assert "GRUPPO" not in said["author"]


def test_a_node_takes_every_act_of_a_serial(demo: ServedNode, api: Node) -> None:
    staff = shipped("snow-leopard").staff
    people = {}
    for each in staff.persons:
        groups = list(each.groups) or None
        token = {"name": f"again.{each.name}", "role": "operator", "groups_in": groups, "groups_out": groups}
        people[each.name] = Node(api.url, node_says(demo.data, "access.make_token", token)["token"])

    async def ask(person: str, method: str, path: str, body: Any) -> Any:
        return people[person].call(method, f"/api/v1{path}", None, body)

    async def play() -> dict[str, str]:
        player = Player(ask, asyncio.sleep)
        for _, act in due(staff, 1800, -1, 1799.9):
            await player.act(act, api.now_ms() - 1_800_000, serial=99)
        return player.known

    with demo.client("CAMOSCIO 11 AGAIN") as patrol, demo.client("KChS ALMATY") as rescue:
        who = cot.Client(patrol.uid, patrol.callsign, "a-f-G-U-C", "Green", "Team Lead", "phone")
        lines = MedevacAsked(at_s=0, by="x", key="x", title="x", frequency="34.550", priority=1, litter=1)
        asked = cot.Patient("medevac-99", "MEDEVAC 99", lines)
        patrol.say(cot.medevac(asked, who, cot.Spot(43.04, 76.99, 2500.0), api.now_ms()))
        rescue.chat("the bulletin")
        known = asyncio.run(play())
    # What it made is done with at the end of the serial; what stands for the whole exercise was found, not doubled.
    assert api.medevac_request(known["medevac"])["row"]["state"] == "closed"
    assert {api.incident(known[key])["row"]["state"] for key in known if key.startswith("line_")} == {"closed"}
    # The staff ends no task for somebody: it may cancel one, and the others wait for the word of their own phones.
    tasks = {api.task(known[key])["row"]["state"] for key in known if key.startswith("task_")}
    assert tasks - set(OPEN) == {"cancelled"}
    assert api.handovers()[0]["state"] == "taken"
    assert (len(api.orbat()), len(api.questions()), len(api.watches())) == (13, 2, 3)
