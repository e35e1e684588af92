"""The link board against a started node: what policy refused is counted, and what was lost stays until it is back."""

import socket
import ssl
import time
from typing import Any

import httpx

from aquila.core.tongue import Tongue
from aquila.links import why
from aquila.testing.served import Serve, ServedNode, wait_until
from aquila.testing.tak_client import TakClient, chat, fresh, position, text_of


def board(node: ServedNode, callsign: str, path: str = "links") -> list[dict[str, Any]]:
    """Rows of one callsign."""
    answer = httpx.get(f"{node.url}api/v1/{path}", headers={"Authorization": f"Bearer {node.token}"}, timeout=60)
    assert answer.is_success, answer.text
    return [row for row in answer.json() if row.get("callsign") == callsign]


def states(node: ServedNode, callsign: str) -> list[str]:
    return [row["state"] for row in board(node, callsign)]


def lost(node: ServedNode, client: TakClient) -> dict[str, Any]:
    """Have a client say goodbye; gives its row once it is down."""
    client.socket.shutdown(socket.SHUT_WR)  # Closed at once with something unread, it would be a connection broken off.
    wait_until(lambda: states(node, client.callsign) == ["down"], "the lost link is down, once")
    client.close()
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
    assert (up["why"], down["why"], down["act"]) == ("", "closed by the peer", "links.why.peer_closed")
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

        began_ms = time.time_ns() // 1_000_000

        def backlog_bytes() -> int:
            return max((row["backlog_bytes"] for row in board(node, slow.callsign)), default=0)

        def waits() -> bool:
            # Until the buffers of both machines are full; nobody reads at the far end.
            loud.say(*(chat(loud.uid, loud.callsign, "x" * 4000) for _ in range(100)))
            return backlog_bytes() > 0

        wait_until(waits, "what SLOW does not take waits")
        (row,) = board(node, slow.callsign)
        assert (row["state"], row["act"]) == ("slow", "links.why.behind")
        assert began_ms <= row["since_ms"] <= time.time_ns() // 1_000_000
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
        (row,) = board(node, guest.callsign)
        assert (row["act"], row["words"]["why"]["act"]) == ("links.why.refused", "links.refused.uid")
        # What somebody says again is against no policy.
        same = position(guest.uid, guest.callsign)
        guest.say(same, same, same)
        wait_until(lambda: board(node, guest.callsign)[0]["in_count"] >= row["in_count"] + 3, "it was heard")
        assert board(node, guest.callsign)[0]["refused_count"] == 1


def test_a_client_that_has_not_said_its_name_goes_by_its_address_on_board_and_in_the_journal(node: ServedNode) -> None:
    def rows() -> list[dict[str, Any]]:
        answer = httpx.get(f"{node.url}api/v1/links", headers={"Authorization": f"Bearer {node.token}"}, timeout=60)
        return [row for row in answer.json() if row["peer"] == "127.0.0.1" and row["state"] == "up"]

    def told() -> list[str]:
        lines = node.api.entries(kind="act", newest=True, limit=20)
        return [Tongue("it").say(line["act"], **line["words"]) for line in lines if line["act"].startswith("did.link_")]

    with node.client(name := fresh("NAMED")) as client:
        wait_until(lambda: "127.0.0.1" in [row["name"] for row in rows()], "it is there without a name")
        wait_until(lambda: "Client TCP su 127.0.0.1 collegato" in told(), "and the journal says from where")
        client.report()
        wait_until(lambda: name in [row["name"] for row in rows()], "it has a name now")
        lost(node, client)
    wait_until(lambda: any(line.startswith(f"{name} (TCP, 127.0.0.1) scollegato") for line in told()), "who has left")


def refused_at_the_door(node: ServedNode) -> list[dict[str, Any]]:
    answer = httpx.get(f"{node.url}api/v1/links", headers={"Authorization": f"Bearer {node.token}"}, timeout=60)
    return [row for row in answer.json() if row["state"] == "refused"]


def test_who_is_refused_at_the_door_is_one_line_that_counts_until_somebody_from_there_is_let_in(
    node: ServedNode, papers: Any
) -> None:
    nobody = ssl.create_default_context(cafile=str(node.data / "secrets" / "ca.pem"))
    for tries in (1, 2):
        try:
            with TakClient(node.ports["tak_tls"], "NOBODY", tls=nobody) as client:
                client.read(5)
        except OSError:
            pass  # Refused while it shakes hands, or when it first reads.
        wait_until(lambda tries=tries: [row["refused_count"] for row in refused_at_the_door(node)] == [tries], "seen")
    (row,) = refused_at_the_door(node)
    assert (row["peer"], row["transport"]) == ("127.0.0.1", "tls")
    assert row["since_ms"] < row["last_ms"]
    assert row["act"] == "links.why.door"
    assert row["words"]["why"]["words"]["why"]["act"] == "links.door.none_came"
    assert row["name"] == ""
    with papers.client() as device:
        device.report()
        wait_until(lambda: refused_at_the_door(node) == [], "what was wrong is mended")


def test_the_board_says_why_the_node_itself_ended_a_link(node: ServedNode) -> None:
    name = fresh("GONE")
    with node.device_client(name, node.enrolled(name)) as device:
        device.report()
        wait_until(lambda: states(node, name) == ["up"], "the device is there")
        node.api.drop_device(name)
        wait_until(lambda: states(node, name) == ["down"], "the node ends its link")
        assert board(node, name)[0]["why"] == why.REVOKED
    with node.client(babel := fresh("BABEL")) as client:
        client.report()
        wait_until(lambda: states(node, babel) == ["up"], "the guest is there")
        client.say(*[b"<event bad></event>"] * 3)
        wait_until(lambda: states(node, babel) == ["down"], "three such are the last")
        (row,) = board(node, babel)
        assert (row["act"], row["error_count"]) == ("links.why.unreadable", 3)


def test_who_is_lost_since_when_and_why_outlives_kill_9(serve: Serve) -> None:
    node = serve()
    with node.client(fresh("CUT")) as cut, node.client(fresh("LEFT")) as left:
        for client in (cut, left):
            client.report()
            wait_until(lambda client=client: states(node, client.callsign) == ["up"], "both are up")
        before = lost(node, left)
        heard_ms = next(row["last_ms"] for row in board(node, cut.callsign, "contacts"))
        # What the node says of its end it cannot write any more; what it heard is on the disk a second later.
        wait_until(lambda: len(node.api.tracks(bbox="-180,-90,180,90")) >= 2, "both positions are kept")
        node.kill()
    node.start()
    (row,) = board(node, left.callsign)
    # What it had counted is not kept, and unknown is not zero.
    assert [row[key] for key in ("state", "why", "is_counted")] == ["down", "closed by the peer", False]
    assert before["is_counted"]
    # What is kept is the time of the line that says so, written just after the link went.
    assert 0 <= row["since_ms"] - before["since_ms"] < 1000
    (row,) = board(node, cut.callsign)
    assert [row[key] for key in ("state", "since_ms", "why")] == ["down", heard_ms, why.NODE_ENDED]
    with node.client(cut.callsign) as back:
        back.report()
        wait_until(lambda: states(node, cut.callsign) == ["up"], "back, it is no more among the lost")
    assert states(node, left.callsign) == ["down"]
    node.stop()
    node.start()
    # It has hung up with what it was sent unread, so that it is cut off; of that the journal says so too.
    assert [each["why"] for each in board(node, cut.callsign)] == [why.BROKEN_OFF]


def test_a_wrong_password_has_a_line_on_the_board(node: ServedNode) -> None:
    asked = httpx.get(f"{node.url}Marti/api/version/config", auth=("nobody", "wrong"), timeout=60)
    assert asked.status_code == 401
    rows = httpx.get(f"{node.url}api/v1/links", headers={"Authorization": f"Bearer {node.token}"}, timeout=60).json()
    (row,) = (row for row in rows if row["transport"] == "https")
    assert (row["name"], row["state"]) == ("nobody", "refused")
    assert row["words"]["why"]["act"].startswith("refused.")
