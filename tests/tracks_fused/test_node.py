"""The harbour through the feeds of a started node: bytes on UDP in, one symbol with its sources and its reasons out."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from aquila.client import NodeError
from aquila.simulator.harbour import Harbour, scene
from aquila.testing.served import ServedNode, wait_until

FORMATS = {"ais": "ais", "adsb": "sbs", "radar-1": "asterix", "radar-2": "asterix"}


def free_udp_port() -> int:
    """A port that nobody has at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Sea:
    """Plays the harbour in real time to the feeds of a node."""

    def __init__(self, node: ServedNode) -> None:
        self.harbour = Harbour(scene())
        self._ports = {}
        for feed, format in FORMATS.items():
            port = self._ports[feed] = free_udp_port()
            node.api.add_feed(format=format, url=f"udp://127.0.0.1:{port}", name=feed)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._play, daemon=True)
        self._thread.start()

    def _play(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            before = time.monotonic()
            while not self._stop.wait(0.2):
                now = time.monotonic()
                for said in self.harbour.step(now - before, time.time_ns() // 1_000_000):
                    if said.feed in self._ports:
                        sock.sendto(said.data, ("127.0.0.1", self._ports[said.feed]))
                before = now

    def stop(self) -> None:
        """The sea lies still."""
        self._stop.set()
        self._thread.join()


@pytest.fixture(scope="module")
def sea(node: ServedNode) -> Iterator[Sea]:
    playing = Sea(node)
    yield playing
    playing.stop()


def fused(node: ServedNode, *sources: str) -> list[dict[str, Any]]:
    """Fused tracks that have at least these sources."""
    return [row for row in node.api.fused_tracks() if set(sources) <= {source for source, _ in row["members"]}]


def test_a_ship_of_ais_and_radar_is_one_symbol_that_says_why(node: ServedNode, sea: Sea) -> None:
    wait_until(lambda: len(fused(node, "mmsi", "radar")) > 20, "ships are fused", 60.0)
    wait_until(lambda: len(fused(node, "icao24", "radar")) > 5, "aircraft are fused", 60.0)
    row = fused(node, "icao24", "radar")[0]
    why = node.api.why_track(row["id"])
    assert why["because"][0]["reason"] in ("key", "window")
    assert {member["source"] for member in why["members"]} == {"icao24", "radar"}
    radar = next(member for member in why["members"] if member["source"] == "radar")
    assert radar["sensors"][0]["sensor"].startswith("asterix:25/")
    assert any("plotted by" in sentence for sentence in why["sentences"])


def test_the_map_has_one_symbol_and_the_sources_keep_their_own(node: ServedNode, sea: Sea) -> None:
    def standing() -> tuple[dict[str, Any], dict[str, Any]] | None:
        rows = {row["id"]: row for row in node.api.entities()}
        for track in fused(node, "mmsi", "radar"):
            ship = next(entity for source, entity in track["members"] if source == "mmsi")
            if ship in rows and track["id"] in rows and rows[ship].get("fused_into") == track["id"]:
                return rows[ship], rows[track["id"]]
        return None

    wait_until(standing, "a ship stands under its track", 30.0)
    found = standing()
    assert found is not None
    ship, symbol = found
    assert ship["source"] == "feed:ais"
    assert symbol["source"] == "fusion"
    assert symbol["position"]["ce_m"] > 0
    assert "fused_into" not in symbol or symbol["fused_into"] is None
    assert symbol["name"] == ship["name"]


def test_a_split_by_a_person_stands(node: ServedNode, sea: Sea) -> None:
    wait_until(lambda: fused(node, "mmsi", "radar"), "ships are fused", 60.0)
    track = fused(node, "mmsi", "radar")[0]
    ship = next(entity for source, entity in track["members"] if source == "mmsi")
    others = {entity for source, entity in track["members"] if source != "mmsi"}
    assert node.api.split_track(member=ship)["entries"]

    def together() -> set[str]:
        return {entity for _, entity in next(
            (row["members"] for row in node.api.fused_tracks() if ship in {entity for _, entity in row["members"]}), []
        )}  # fmt: skip

    wait_until(lambda: not together() & others, "they are two")
    epochs = node.api.why_track(ship)
    assert not {member["entity"] for member in epochs["members"]} & others


def test_what_cannot_be_said_of_tracks_is_refused_with_a_sentence(node: ServedNode, sea: Sea) -> None:
    wait_until(lambda: len(fused(node, "mmsi")) > 2, "ships are fused", 60.0)
    with pytest.raises(NodeError, match="nothing here"):
        node.api.split_track(member="nobody")
    first = fused(node, "mmsi")[0]
    with pytest.raises(NodeError, match="one track already"):
        node.api.merge_tracks(one=first["id"], other=first["members"][0][1])
