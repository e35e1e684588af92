"""The link board against a started node: what policy refused is counted, and what was lost stays until it is back."""

from typing import Any

import httpx

from aquila.testing.served import ServedNode, wait_until
from aquila.testing.tak_client import TakClient, chat, fresh, position, text_of


def board(node: ServedNode, callsign: str, path: str = "links") -> list[dict[str, Any]]:
    """Rows of one callsign."""
    answer = httpx.get(f"{node.url}api/v1/{path}", headers={"Authorization": f"Bearer {node.token}"}, timeout=60)
    assert answer.is_success, answer.text
    return [row for row in answer.json() if row.get("callsign") == callsign]


def states(node: ServedNode, callsign: str) -> list[str]:
    return [row["state"] for row in board(node, callsign)]


def lost(node: ServedNode, client: TakClient) -> dict[str, Any]:
    """Close a client; gives its row once it is down."""
    client.close()
    wait_until(lambda: states(node, client.callsign) == ["down"], "the lost link is down, once")
    return board(node, client.callsign)[0]


def test_a_lost_link_stays_on_the_board_until_its_peer_is_back(node: ServedNode) -> None:
    client = node.client(wolf := fresh("WOLF"))
    client.report()
    wait_until(lambda: states(node, wolf) == ["up"], "the link is up")
    (up,) = board(node, wolf)
    down = lost(node, client)
    # Since when it is lost, no more since when it was there; what was counted stands.
    assert down["since_ms"] > up["since_ms"]
    assert down["in_count"] >= 1
    assert [row["connected"] for row in board(node, wolf, "contacts")] == [False]
    # Whoever comes back and is lost again is one loss, the newer one.
    with node.client(wolf) as again:
        again.report()
        wait_until(lambda: states(node, wolf) == ["up"], "back, it is no more among the lost")
        assert lost(node, again)["since_ms"] > down["since_ms"]


def test_what_a_slow_peer_does_not_take_is_its_backlog_and_is_gone_when_it_reads(node: ServedNode) -> None:
    with node.client(fresh("SLOW")) as slow, node.client(fresh("LOUD")) as loud:
        slow.report()
        loud.report()
        slow.hear_uid(loud.uid)

        def backlog_bytes() -> int:
            return max((row["backlog_bytes"] for row in board(node, slow.callsign)), default=0)

        def waits() -> bool:
            # Until the buffers of both machines are full; nobody reads at the far end.
            loud.say(*(chat(loud.uid, loud.callsign, "x" * 4000) for _ in range(100)))
            return backlog_bytes() > 0

        wait_until(waits, "what SLOW does not take waits")
        assert [row["backlog_bytes"] for row in board(node, loud.callsign)] == [0]
        loud.chat("the last")
        slow.hear(lambda heard: text_of(heard) == "the last")
        wait_until(lambda: backlog_bytes() == 0, "it has read all")


def test_what_policy_refuses_is_counted_for_its_link(node: ServedNode, papers: Any) -> None:
    with papers.client() as device, node.client(fresh("GUEST")) as guest:
        device.report()
        guest.report()
        guest.hear_uid(device.uid)
        # A guest that speaks as a device with a certificate.
        guest.say(position(device.uid, guest.callsign))
        wait_until(lambda: [row["refused_count"] for row in board(node, guest.callsign)] == [1], "it is counted")
        assert [row["refused_count"] for row in board(node, device.callsign)] == [0]
