"""A FRAGO that was issued ahead takes effect on a served node, also when that is killed before the time comes."""

import time

from aquila.client import Node
from aquila.testing.served import Serve, wait_until

HOUR_MS = 3_600_000
AHEAD_MS = 3_000


def issued(api: Node, id: str) -> str:
    api.step_order(id, action="approve")
    api.step_order(id, action="issue")
    return id


def read_alike(api: Node, order: str, end_ms: int) -> bool:
    """Do the board and the order in force both say this end?"""
    (task,) = api.order_in_force(order)["order"]["tasks"]
    (row,) = api.tasks(order=order)
    return bool(task["end_ms"] == row["task"]["end_ms"] == end_ms)


def test_a_frago_takes_effect_though_the_node_was_killed_before(serve: Serve) -> None:
    node = serve()
    now_ms = time.time_ns() // 1_000_000
    end_ms, later_ms = now_ms + HOUR_MS, now_ms + 2 * HOUR_MS
    task = {"id": "T1", "unit": "FOX", "verb": "OBSRV", "start_ms": now_ms, "end_ms": end_ms}
    order = {"kind": "OPORD", "title": "Cedar", "tasks": [task], "distribution": ["FOX"]}
    base = issued(node.api, node.api.create_order(order=order)["id"])
    effective_ms = time.time_ns() // 1_000_000 + AHEAD_MS
    changes = [{"path": "tasks.T1.end_ms", "new": later_ms}]
    frago = issued(node.api, node.api.draft_frago(base, changes=changes, effective_ms=effective_ms)["id"])
    wait_until(lambda: node.api.tasks(order=base), "the task stands on the board")
    assert node.api.tasks(order=base)[0]["task"]["end_ms"] == end_ms
    node.kill()
    wait_until(lambda: time.time_ns() // 1_000_000 > effective_ms, "the time comes while the node is down")
    node.start()
    wait_until(lambda: read_alike(node.api, base, later_ms), "the task moves")
    steps = [each for each in node.api.order(frago)["steps"] if each["action"] == "take_effect"]
    assert [each["at_ms"] for each in steps] == [effective_ms]
