"""kill -9 under load: nothing that anybody else saw, or that was answered with 2xx, is lost or there twice."""

import random
import re
import threading
from collections import Counter
from http.client import HTTPException
from time import monotonic
from urllib.error import URLError

import pytest

from aquila.client import Node
from aquila.testing.served import Serve, ServedNode
from aquila.testing.tak_client import TakClient, callsign_of, chat, marker, text_of

WRITERS = 4
PAGE = 500
LATEST_AGE_S = 1.0
SLOW_S = 30.0
"""So long a machine may take to let every writer be heard in time."""
TOKEN = re.compile(r"<<(.+?)>>")


class Peer(threading.Thread):
    """Says unique lines, markers and positions as fast as a window of its own lets it, and notes what it hears.

    Attributes:
        heard: texts of others. latest: when heard, uid, step of each position heard, in order.
        fault: what ended it, other than the end of the node.
    """

    def __init__(self, client: TakClient, round_name: str) -> None:
        super().__init__(daemon=True)
        self.client = client
        self.heard: set[str] = set()
        self.latest: list[tuple[float, str, int]] = []
        self.fault: Exception | None = None
        self._round = round_name

    def run(self) -> None:
        """Until the node is gone."""
        client, step, looked = self.client, 0, 0
        try:
            while not client.is_closed:
                step += 1
                name = f"{self._round}-{client.callsign}-{step}"
                client.say(
                    chat(client.uid, client.callsign, f"<<line {name}>>"),
                    marker(f"uid-{name}", f"<<marker {name}>>"),
                )
                client.report(lat=step / 1000)
                while client.read(0.004):
                    pass
                for each in client.heard[looked:]:
                    self._note(each.get("uid", ""), text_of(each) + callsign_of(each), each.find("point"))
                looked = len(client.heard)
        except OSError:
            return
        except (AssertionError, ValueError, SyntaxError, TypeError, AttributeError) as fault:
            self.fault = fault

    def _note(self, uid: str, text: str, point: object) -> None:
        if found := TOKEN.search(text):
            self.heard.add(found.group(1))
        elif uid.startswith("ANDROID-") and point is not None:
            self.latest.append((monotonic(), uid, round(float(point.get("lat")) * 1000)))


class Desk(threading.Thread):
    """Writes notes over REST, one after the other.

    Attributes:
        answered: the texts that were answered with 2xx. longest_s: the longest wait for an answer, which tells how far
            the machine let the node fall behind.
    """

    def __init__(self, api: Node, round_name: str) -> None:
        super().__init__(daemon=True)
        self.answered: set[str] = set()
        self.longest_s = 0.0
        self._api = api
        self._round = round_name

    def run(self) -> None:
        """Until the node is gone."""
        for number in range(1_000_000):
            text = f"note {self._round}-{number}"
            began_at = monotonic()
            try:
                self._api.write_note(text=f"<<{text}>>")
            except (URLError, OSError, HTTPException, ValueError, EOFError):
                return
            self.answered.add(text)
            self.longest_s = max(self.longest_s, monotonic() - began_at)


def journal_texts(api: Node) -> Counter[str]:
    """How often each of our texts stands in the journal, read page by page."""
    texts: Counter[str] = Counter()
    since: str | None = None
    while rows := api.entries(since=since, limit=PAGE):
        for row in rows:
            body = row["body"] or {}
            texts.update(TOKEN.findall(str(body.get("text") or body.get("name") or "")))
        assert rows[-1]["cursor"] != since
        since = rows[-1]["cursor"]
    return texts


def one_round(node: ServedNode, round_name: str, load_s: float) -> tuple[int, list[str]]:
    """Load, kill, start again; gives how many texts had to be there, and every fault found."""
    api = node.api
    peers = [Peer(node.client(f"WRITER{number}"), round_name) for number in range(WRITERS)]
    desk = Desk(api, round_name)
    for thread in (*peers, desk):
        thread.start()
    desk.join(load_s)
    waited_until = monotonic() + SLOW_S
    while len(owed_steps := _owed_steps(peers, desk)) < WRITERS and monotonic() < waited_until:
        desk.join(0.1)
    node.kill()
    for thread in (*peers, desk):
        thread.join(20)
    for peer in peers:
        peer.client.close()
        assert peer.fault is None, peer.fault
    node.start()
    kept = journal_texts(node.api)
    owed = set(desk.answered).union(*(peer.heard for peer in peers))
    faults = [f"lost: {text}" for text in owed if kept[text] == 0]
    faults += [f"{count} times: {text}" for text, count in kept.items() if count > 1]
    faults += _old_positions(node.api, owed_steps)
    return len(owed), faults


def _owed_steps(peers: list[Peer], desk: Desk) -> dict[str, int]:
    """The step at which each uid must be found after a kill now.

    What was heard in the last second need not be kept, nor what was heard while the machine kept the node waiting.
    """
    before = monotonic() - LATEST_AGE_S - desk.longest_s
    owed: dict[str, int] = {}
    for peer in peers:
        for heard_at, uid, step in list(peer.latest):
            if heard_at <= before:
                owed[uid] = max(step, owed.get(uid, 0))
    return owed


def _old_positions(api: Node, owed: dict[str, int]) -> list[str]:
    assert len(owed) == WRITERS, f"positions of {sorted(owed)} only were heard in time"
    places = {
        alias["value"]: row["position"] for row in api.entities(limit=1000, kind="unit") for alias in row["aliases"]
    }
    faults = []
    for uid, step in owed.items():
        place = places.get(uid)
        if place is None:
            faults.append(f"gone: {uid}")
        elif round(place["lat_deg"] * 1000) < step:
            faults.append(f"{uid} is back at step {round(place['lat_deg'] * 1000)}, before {step}")
    return faults


def kill_rounds(serve: Serve, rounds: int) -> None:
    """Several rounds on one folder."""
    node, dice = serve(), random.Random(1)
    for number in range(rounds):
        owed, faults = one_round(node, f"r{number}", dice.uniform(1.8, 3.0))
        assert owed > 100, "too little was said to prove anything"
        assert not faults, f"round {number}, {owed} texts owed: {faults[:10]}"


def test_nothing_seen_or_answered_is_lost_by_kill_9(serve: Serve) -> None:
    kill_rounds(serve, 2)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_nothing_seen_or_answered_is_lost_in_twenty_kills(serve: Serve) -> None:
    kill_rounds(serve, 20)
