"""Over 2,000 hostile connections to one running node: each is refused or harmless, and hurts nobody else."""

import contextlib
import errno
import re
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from random import Random
from typing import Any

import pytest

from aquila.links.limits import raise_file_limit
from aquila.testing.hostile_cot import hostile_events, hostile_frames
from aquila.testing.served import Serve, ServedNode, wait_until
from aquila.testing.tak_client import Event, TakClient, chat, event, fresh, marker, position, text_of

IDLE, HOSTILE, GARBAGE, NEVER_READ = 1_050, 1_200, 200, 15
RSS_MAX_MIB = 300.0
PONG = "(pong)"
HUNG_UP = (errno.ENOTCONN, errno.ECONNRESET, errno.EPIPE)
HTTP = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
CLIENT_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200)) * 3


def knock(port: int, data: bytes) -> None:
    """Say this and nothing more, and listen until the node hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as peer:
        try:
            peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(65536):
                pass
        except OSError as error:
            if error.errno not in HUNG_UP:  # before the last byte, which is its right; but it must not keep us waiting
                raise


class Company(threading.Thread):
    """Four clients who talk all the time: in each round every one says a line and a ping, and hears the other three.

    Attributes:
        said: lines. fault: what went wrong.
    """

    def __init__(self, node: ServedNode) -> None:
        super().__init__(daemon=True)
        self.clients = [node.client(fresh("GOOD")) for _ in range(4)]
        self.said: list[tuple[TakClient, str]] = []
        self.fault: Exception | None = None
        self.enough = threading.Event()
        for client in self.clients:
            client.report()

    def run(self) -> None:
        """Rounds until it is enough."""
        try:
            while not self.enough.is_set():
                self.talk()
        except (AssertionError, OSError, ValueError, SyntaxError) as fault:
            self.fault = fault

    def talk(self) -> None:
        """One round."""
        lines = [(client, f"<<{fresh(client.callsign + '-line-')}>>") for client in self.clients]
        for client, text in lines:
            client.chat(text)
            client.say(event(fresh("ping-"), "t-x-c-t", ""))
        for client in self.clients:
            hear_all(client, {text for other, text in lines if other is not client} | {PONG})
        self.said += lines

    def part(self) -> None:
        """The end of it: everybody heard every line of the others exactly once."""
        self.enough.set()
        self.join(60)
        assert self.fault is None, self.fault
        assert not self.is_alive()
        for client in self.clients:
            heard = Counter(text_of(each) for each in client.heard if text_of(each).startswith("<<GOOD"))
            assert heard == Counter(text for other, text in self.said if other is not client)
            client.close()


def hear_all(client: TakClient, wanted: set[str]) -> None:
    """Wait until the client heard each of these lines, and a pong if that is wanted."""
    while wanted:
        heard = client.hear(lambda each: line_of(each) in wanted)
        wanted.discard(line_of(heard))


def line_of(heard: Event) -> str:
    """The text of a chat line; PONG for the answer to a ping."""
    return PONG if heard.get("uid") == "takPong" else text_of(heard)


@pytest.fixture
def company(node: ServedNode) -> Iterator[Company]:
    """They talk while the test attacks."""
    friends = Company(node)
    friends.start()
    try:
        yield friends
    finally:
        friends.enough.set()
        friends.join(60)
        for client in friends.clients:
            client.close()


def test_two_thousand_hostile_connections_disturb_nobody(node: ServedNode, company: Company) -> None:
    raise_file_limit()
    before = node.counted()
    with ExitStack() as idle:
        plain = ("127.0.0.1", node.ports["tak"])
        for _ in range(IDLE):
            idle.enter_context(socket.create_connection(plain, timeout=60))
        for _ in range(NEVER_READ):
            deaf = idle.enter_context(socket.socket())
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect(plain)
            deaf.sendall(position(fresh("deaf-"), "DEAF"))
        # Before anything else is said: who reads nothing may be closed, once enough waits for him.
        wait_until(lambda: node.counted()["aquila_links_tcp"] >= IDLE, "all who say nothing are let in")
        for data in hostile_events(21, HOSTILE):
            knock(node.ports["tak"], data)
        assert node.rss_mib() < RSS_MAX_MIB
    garbage = [HTTP, CLIENT_HELLO, b"\x00" * 2_000, b"\xff" * 70_000, *hostile_frames(22, GARBAGE - 4)]
    for data in garbage:
        knock(node.ports["tak"], data)
        knock(node.ports["tak_tls"], data)
    company.part()
    assert len(company.said) >= 8
    after = node.counted()
    assert node.rss_mib() < RSS_MAX_MIB
    for reason in ("dtd", "syntax", "oversize", "encoding", "number", "range", "time", "missing"):
        name = f"aquila_unreadable_{reason}"
        assert after.get(f"aquila_node_unreadable_{reason}", 0) > before.get(f"aquila_node_unreadable_{reason}", 0), (
            name
        )
    tls = sum(count for name, count in after.items() if name.startswith("aquila_closed_tls_"))
    assert tls >= GARBAGE
    assert after["aquila_closed_tls_tls_http_request"] >= 1


def test_a_tls_port_takes_no_stranger(node: ServedNode) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    plain = socket.create_connection(("127.0.0.1", node.ports["tak_tls"]), timeout=60)
    answer = b""
    with plain, contextlib.suppress(ssl.SSLError, ConnectionError), context.wrap_socket(plain) as peer:
        peer.sendall(position("stranger", "STRANGER"))
        answer = peer.recv(100)
    assert answer == b""
    assert not [row for row in node.api.entities() if row["name"] == "STRANGER"]


def test_the_uid_of_another_device_is_refused(node: ServedNode) -> None:
    owner, thief = fresh("OWNER"), fresh("THIEF")
    files = {name: node.enrolled(name) for name in (owner, thief)}
    before = node.counted().get("aquila_node_refused_spoof", 0)
    with (
        node.device_client(owner, files[owner]) as first,
        node.device_client(thief, files[thief]) as second,
        node.client(fresh("WITNESS")) as witness,
    ):
        first.report()
        witness.hear(lambda each: each.get("uid") == first.uid)
        second.say(position(first.uid, "IMPOSTOR", lat=1.0))
        second.say(chat(first.uid, owner, "<<forged>>"))
        second.report()
        second.chat("<<the end>>")
        witness.hear_text("<<the end>>")
        assert not [each for each in witness.heard if text_of(each) == "<<forged>>"]
        assert "IMPOSTOR" not in {name["name"] for name in node.api.entities()}
        assert node.counted()["aquila_node_refused_spoof"] >= before + 2


def test_a_captured_chat_that_is_replayed_is_one_line(node: ServedNode) -> None:
    text = f"<<{fresh('captured')}>>"
    with node.client(fresh("SAYS")) as sender, node.client(fresh("TAPS")) as tap, node.client(fresh("HEARS")) as other:
        captured = chat(sender.uid, sender.callsign, text)
        sender.say(captured)
        other.hear_text(text)
        for _ in range(20):
            tap.say(captured)
            sender.say(captured)
        end = fresh("<<end of replay")
        tap.chat(end)
        sender.chat(end)
        other.hear_text(end)
        other.hear_text(end)
        assert [text_of(each) for each in other.heard].count(text) == 1
    lines = [row for row in node.api.entries(newest=True, limit=200) if text in str(row["body"])]
    assert len(lines) == 1


def test_a_flood_of_one_marker_falls_to_the_position_lane(node: ServedNode) -> None:
    uid = fresh("flooded-")
    before = node.counted().get("aquila_node_flood_to_position_lane", 0)
    with node.client(fresh("FLOODS")) as client, node.client(fresh("WATCHES")) as watch:
        client.say(*(marker(uid, f"flood {number}", lat=number / 10) for number in range(300)))
        watch.hear(
            lambda each: each.get("uid") == uid and each.find("detail/contact[@callsign='flood 299']") is not None
        )

    def journalled() -> list[dict[str, Any]]:
        return [row for row in node.api.entries(newest=True, limit=500) if uid in str(row["body"])]

    # The lane of positions waits for no disk, so the last one may be heard before the first one is in the journal.
    wait_until(journalled, "the first of the flood in the journal")
    rows = journalled()
    assert 0 < len(rows) <= 120  # sixty a minute, and a minute may end in between
    assert node.counted()["aquila_node_flood_to_position_lane"] >= before + 180
    assert [row["name"] for row in node.api.entities() if row["name"].startswith("flood ")] == ["flood 299"]


@pytest.mark.parametrize(("year", "is_heard"), [(1980, True), (2090, True), (9999, False)])
def test_wrong_clocks_are_heard_and_impossible_ones_refused(node: ServedNode, year: int, is_heard: bool) -> None:
    text = f"<<{fresh('clock')}>>"
    before = node.counted().get("aquila_node_unreadable_time", 0)
    with node.client(fresh("WRONG")) as client, node.client(fresh("RIGHT")) as other:
        client.say(re.sub(rb"'20\d\d-", f"'{year}-".encode(), chat(client.uid, client.callsign, text)))
        client.chat("<<in time>>")
        other.hear_text("<<in time>>")
        assert (text in [text_of(each) for each in other.heard]) == is_heard
    assert bool([row for row in node.api.entries(newest=True, limit=50) if text in str(row["body"])]) == is_heard
    assert (node.counted().get("aquila_node_unreadable_time", 0) > before) != is_heard


def test_an_event_byte_by_byte_holds_up_nobody(node: ServedNode) -> None:
    text = f"<<{fresh('drip')}>>"
    dice = Random(5)
    with node.client(fresh("SLOW")) as slow, node.client(fresh("FAST")) as fast, node.client(fresh("HEARS")) as other:
        line = chat(slow.uid, slow.callsign, text)
        at = 0
        while at < len(line):
            step = dice.randint(1, 40)
            slow.socket.sendall(line[at : at + step])
            at += step
            if at < len(line):
                quick = f"<<{fresh('quick')}>>"
                fast.chat(quick)
                other.hear_text(quick)
        other.hear_text(text)


def test_who_never_finishes_is_closed_and_keeps_nobody_waiting(serve: Serve) -> None:
    node = serve("slow", AQUILA_LINK_UNFINISHED_S="1", AQUILA_HANDSHAKE_S="1.5")
    name = fresh("PATIENT")
    files = node.enrolled(name)
    head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
    slow = {
        "http": (b"", b"GET / HT", head, head + b"\r\nuser="),
        "enrol": (b"\x16\x03\x01",),
        "tak": (b"<event version='2.0'", b"<"),
        "tak_tls": (b"", b"\x16", CLIENT_HELLO[:40]),
    }
    with ExitStack() as held:
        listener = held.enter_context(node.client(fresh("SILENT")))  # who only listens is no slow one
        peers = []
        for door, openings in slow.items():
            for number in range(60):
                peer = held.enter_context(socket.create_connection(("127.0.0.1", node.ports[door]), timeout=60))
                peer.sendall(openings[number % len(openings)])
                if door != "enrol":  # there the handshake may take as long as asyncio lets it
                    peers.append(peer)
        assert node.counted()["aquila_links_tcp"] >= 1
        device = held.enter_context(node.device_client(name, files))
        device.chat("<<through all of it>>")
        listener.hear_text("<<through all of it>>")
        assert [hangs_up(peer) for peer in peers] == [True] * len(peers)
        device.chat("<<still there>>")
        listener.hear_text("<<still there>>")
    counted = node.counted()
    assert counted["aquila_closed_tcp_the_peer_did_not_end_in_time_what_it_began_to_say"] > 0
    assert counted["aquila_closed_tls_handshake_too_slow"] > 0


def hangs_up(peer: socket.socket) -> bool:
    """Does the node close this connection, whatever it says before?"""
    try:
        while peer.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError as error:
        return error.errno in HUNG_UP
    return True
