"""Feeds of a started node: from bytes on a wire to an entity on the map, with counts, caps and findings."""

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pyais.encode import encode_dict

from aquila.client import Node, NodeError
from aquila.core.sensing import nmea_checksum
from aquila.testing.served import ServedNode, run_aquila, wait_until

AIS = files("aquila.codecs.ais") / "vectors"
ADSB = files("aquila.codecs.adsb") / "vectors"


def feed_of(node: ServedNode, name: str) -> dict[str, Any]:
    """The row of a feed."""
    return next(row for row in node.api.feeds() if row["name"] == name)


def entities(node: ServedNode, source: str) -> list[dict[str, Any]]:
    """What stands by this source."""
    return [row for row in node.api.entities() if row["source"] == source]


def free_udp_port() -> int:
    """A port that nobody has at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def send(port: int, *datagrams: bytes) -> None:
    """Send datagrams to a feed."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for datagram in datagrams:
            sock.sendto(datagram, ("127.0.0.1", port))


@pytest.fixture
def udp_feed(node: ServedNode) -> Iterator[Callable[..., int]]:
    """Adds a feed of AIS by UDP; gives its port."""
    made = []

    def add(name: str, **fields: Any) -> int:
        port = free_udp_port()
        made.append(node.api.add_feed(format="ais", url=f"udp://127.0.0.1:{port}", name=name, **fields)["id"])
        wait_until(lambda: feed_of(node, name)["live"]["condition"] == "up", f"{name} listens")
        return port

    yield add
    for id in made:
        with contextlib.suppress(NodeError):
            node.api.remove_feed(id)


def ship(mmsi: int, lat_deg: float, lon_deg: float, second: int = 60) -> bytes:
    """A position report of type 1 as one datagram."""
    fields = {"type": 1, "mmsi": mmsi, "lat": lat_deg, "lon": lon_deg, "speed": 5.0, "course": 90.0, "second": second}
    return "\r\n".join(encode_dict(fields, talker_id="AI", sentence_type="VDM")).encode() + b"\r\n"


def place_of(node: ServedNode, mmsi: int) -> tuple[float, float] | None:
    """Where a ship stands on the map; None = nowhere."""
    found = [row for row in node.api.entities() if {"scheme": "mmsi", "value": str(mmsi)} in row["aliases"]]
    place = found[0]["position"] if found else None
    return None if place is None else (round(place["lat_deg"], 3), round(place["lon_deg"], 3))


def counted(node: ServedNode, name: str, what: str) -> Any:
    """A count of a feed."""
    return feed_of(node, name)["live"][what]


class Source:
    """A receiver that says the same to everybody who connects, and hangs up when it is told to."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._door.getsockname()[1])
        self.links: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                link, _ = self._door.accept()
                self.links.append(link)
                with contextlib.suppress(ConnectionError):
                    link.sendall(self._data)

    def hang_up(self) -> None:
        """Close what is open."""
        for link in self.links:
            link.close()

    def stop(self) -> None:
        """Close everything."""
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        self.hang_up()


def test_one_command_adds_ships(node: ServedNode) -> None:
    port = free_udp_port()
    said = node.command("feed", "add", "ais", f"udp://127.0.0.1:{port}", "--name", "harbour", "--rate-cap", "500")
    assert said == "feed harbour added\n"
    wait_until(lambda: feed_of(node, "harbour")["live"]["condition"] == "up", "it listens")
    send(port, *(AIS / "recorded_sample.ais.wire").read_bytes().splitlines(keepends=True))
    send(port, ship(211_000_002, 54.5, 10.5), (AIS / "two_parts.ais.wire").read_bytes())
    wait_until(lambda: len(entities(node, "feed:harbour")) > 10, "the ships stand on the map")
    wait_until(lambda: counted(node, "harbour", "reports") > 10, "they are counted")
    row = feed_of(node, "harbour")
    assert (row["state"], row["storage"], row["rate_cap_per_s"]) == ("running", "track", 500)
    assert row["live"]["last_sample"]["entity"]
    assert row["label"]["classification"] == "UNCLASSIFIED"
    one = next(each for each in entities(node, "feed:harbour") if each["position"])
    assert one["aliases"][0]["scheme"] == "mmsi"
    assert "harbour" in node.command("feed", "list")
    wait_until(lambda: counted(node, "harbour", "rate_per_s") > 0, "its rate is shown")

    node.command("feed", "remove", "harbour")
    assert "harbour" not in [row["name"] for row in node.api.feeds()]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        wait_until(lambda: _binds(sock, port), "the port is free again")
    assert entities(node, "feed:harbour"), "what it has said stays"


def _binds(sock: socket.socket, port: int) -> bool:
    try:
        sock.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def test_bad_bytes_are_counted_by_reason_and_good_ones_go_on(node: ServedNode, udp_feed: Callable[..., int]) -> None:
    port = udp_feed("noise")
    dice = Random(6)
    good = ship(211_000_001, 54.0, 10.0)
    damaged = good.replace(b"*", b"0*")
    send(port, *(dice.randbytes(dice.randint(1, 300)) for _ in range(40)), damaged, b"", good[:20], good)
    wait_until(lambda: place_of(node, 211_000_001) == (54.0, 10.0), "the good ship stands")
    wait_until(lambda: sum(counted(node, "noise", "errors").values()) >= 40, "the bad ones are counted")
    assert counted(node, "noise", "errors")["checksum"] >= 1
    assert counted(node, "noise", "last_error")
    assert counted(node, "noise", "condition") == "up"


def test_a_flood_is_capped_to_the_newest_of_each(node: ServedNode, udp_feed: Callable[..., int]) -> None:
    port = udp_feed("flood", rate_cap_per_s=2)
    for number in range(200):
        send(port, *(ship(211_000_100 + each, 54.0 + number / 1000, 11.0) for each in range(3)))
    wait_until(lambda: counted(node, "flood", "superseded") > 100, "older ones give way")
    wait_until(
        lambda: all(place_of(node, 211_000_100 + each) == (54.199, 11.0) for each in range(3)), "the newest stands"
    )
    wait_until(lambda: counted(node, "flood", "waiting") == 0, "nothing is left over")


def test_two_ships_with_one_identity_are_a_finding(node: ServedNode, udp_feed: Callable[..., int]) -> None:
    port = udp_feed("twins")
    for number in range(5):
        send(port, ship(211_000_200, 54.0 + number / 1000, 10.0), ship(211_000_200, 43.0, 5.0 + number / 1000))
    wait_until(lambda: counted(node, "twins", "twins"), "it is found")
    found = counted(node, "twins", "twins")[0]
    assert found["alias"] == "mmsi 211000200"
    assert found["apart_m"] == pytest.approx(1_270_000, rel=0.02)
    assert counted(node, "twins", "jumps") >= 4
    assert "finding: mmsi 211000200" in node.command("feed", "list")


def test_a_wrong_clock_is_counted_and_never_a_reason_to_drop(node: ServedNode, udp_feed: Callable[..., int]) -> None:
    port = udp_feed("clocks")
    for mmsi, at_s in ((211_000_501, 1_300_000_000), (211_000_502, 4_000_000_000)):
        block = f"c:{at_s}".encode()
        send(port, b"\\%s*%02X\\%s" % (block, nmea_checksum(block), ship(mmsi, 57.0, 8.0)))
    wait_until(lambda: counted(node, "clocks", "skewed") == 2, "the wrong times are counted")
    assert counted(node, "clocks", "skew_s") > 86_400
    wait_until(lambda: len(entities(node, "feed:clocks")) == 2, "the ships stand all the same")
    skews = {row["aliases"][0]["value"]: row["skew_s"] for row in entities(node, "feed:clocks")}
    assert skews["211000501"] < -86_400 < 86_400 < skews["211000502"]


def test_a_feed_that_dies_is_shown_and_tried_again(node: ServedNode, udp_feed: Callable[..., int]) -> None:
    source = Source((ADSB / "documented_frames.adsb-beast.wire").read_bytes())
    other = udp_feed("alive")
    url = f"tcp://127.0.0.1:{source.port}"
    made = node.api.add_feed(format="adsb-beast", url=url, name="tower")
    try:
        wait_until(lambda: entities(node, "feed:tower"), "aircraft stand on the map")
        assert any(row["aliases"][0]["scheme"] == "icao24" for row in entities(node, "feed:tower"))
        source.hang_up()
        wait_until(lambda: counted(node, "tower", "condition") == "lost", "its death is shown")
        assert "closed" in counted(node, "tower", "why")
        assert counted(node, "tower", "retry_at_ms")
        send(other, ship(211_000_300, 55.0, 12.0))
        wait_until(lambda: place_of(node, 211_000_300) is not None, "the other feed goes on")
        wait_until(lambda: len(source.links) == 2 and counted(node, "tower", "condition") == "up", "it comes back")
        source.stop()
        wait_until(lambda: "refused" in counted(node, "tower", "why").lower(), "and waits when nobody is there")
    finally:
        node.api.remove_feed(made["id"])


def test_what_is_kept_follows_the_storage_class(node: ServedNode, udp_feed: Callable[..., int]) -> None:
    latest, track = udp_feed("latest", storage="latest"), udp_feed("track", storage="track")
    send(latest, ship(211_000_601, 54.0, 10.0))
    send(track, ship(211_000_602, 54.0, 10.0))
    wait_until(lambda: place_of(node, 211_000_601) and place_of(node, 211_000_602), "both stand")
    kept = entities(node, "feed:track")[0]["id"]
    wait_until(lambda: node.api.tracks(entity=kept), "its track is on the disk")
    assert not node.api.tracks(entity=entities(node, "feed:latest")[0]["id"])


def test_another_format_is_named_and_given_up(node: ServedNode) -> None:
    source = Source(bytes(2 << 20))
    made = node.api.add_feed(format="ais", url=f"tcp://127.0.0.1:{source.port}", name="zeros")
    try:
        wait_until(lambda: "is no ais" in counted(node, "zeros", "why"), "it says so")
        assert counted(node, "zeros", "errors")["broken"] >= 1
        assert counted(node, "zeros", "condition") == "lost"
    finally:
        node.api.remove_feed(made["id"])
        source.stop()


def test_a_capture_is_played_to_its_end_and_again_when_told(node: ServedNode, tmp_path: Path) -> None:
    capture = tmp_path / "flight one.sbs"
    capture.write_bytes((files("aquila.codecs.sbs") / "vectors" / "derived_from_frames.sbs.wire").read_bytes())
    url = f"{capture.as_uri()}?speed=0"
    made = node.api.add_feed(format="sbs", url=url, name="replay", storage="latest")
    wait_until(lambda: feed_of(node, "replay")["state"] == "ended", "it ends")
    assert entities(node, "feed:replay")
    node.api.resume_feed(made["id"])
    wait_until(lambda: feed_of(node, "replay")["state"] == "ended", "it ends again")
    node.api.pause_feed(made["id"])
    with pytest.raises(NodeError, match="feed is paused"):
        node.api.pause_feed(made["id"])
    node.api.remove_feed(made["id"])


def test_plots_are_counted_and_no_entities(node: ServedNode) -> None:
    port = free_udp_port()
    made = node.api.add_feed(format="gmti", url=f"udp://127.0.0.1:{port}", name="radar")
    wait_until(lambda: counted(node, "radar", "condition") == "up", "it listens")
    for wire in sorted((Path(str(files("aquila.codecs.gmti"))) / "vectors").glob("*.wire")):
        send(port, wire.read_bytes()[:60_000])
    wait_until(lambda: counted(node, "radar", "plots") >= 1, "plots are counted")
    assert all(row["category"] != "track" for row in entities(node, "feed:radar"))
    node.api.remove_feed(made["id"])


def test_a_serial_line_is_a_feed(node: ServedNode) -> None:
    ours, theirs = os.openpty()
    made = node.api.add_feed(format="ais", url=f"serial://{os.ttyname(theirs)}?baud=38400", name="serial")
    wait_until(lambda: counted(node, "serial", "condition") == "up", "the line is open")
    os.write(ours, ship(211_000_400, 56.0, 9.0))
    wait_until(lambda: place_of(node, 211_000_400) == (56.0, 9.0), "the ship stands")
    os.close(ours)
    os.close(theirs)
    wait_until(lambda: counted(node, "serial", "condition") == "lost", "pulling the plug is shown")
    node.api.remove_feed(made["id"])


def test_a_paused_feed_hears_nothing(node: ServedNode, udp_feed: Callable[..., int]) -> None:
    port = udp_feed("pause")
    id = feed_of(node, "pause")["id"]
    node.api.pause_feed(id)
    wait_until(lambda: counted(node, "pause", "condition") == "stopped", "it stops")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        wait_until(lambda: _binds(sock, port), "its port is free")
    node.api.resume_feed(id)
    wait_until(lambda: counted(node, "pause", "condition") == "up", "it listens again")
    node.api.change_feed(id, rate_cap_per_s=7)
    assert feed_of(node, "pause")["rate_cap_per_s"] == 7
    wait_until(lambda: counted(node, "pause", "condition") == "up", "it listens after the change")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"format": "ais", "url": "http://127.0.0.1:80"}, "udp://"),
        ({"format": "ais", "url": "udp://127.0.0.1"}, "port"),
        ({"format": "aiss", "url": "udp://127.0.0.1:10110"}, "asterix"),
        ({"format": "ais", "url": "udp://127.0.0.1:10110", "options": {"no": 1}}, "settings of a ais feed"),
        ({"format": "mqtt-json", "url": "tcp://127.0.0.1:1883"}, "mqtt-json"),
        ({"format": "ais", "url": "udp://127.0.0.1:10110", "classification": "SECRET"}, "ceiling"),
        ({"format": "ais", "url": "udp://127.0.0.1:10110", "groups": ["OTHERS"]}, "OTHERS"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(node: ServedNode, fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(NodeError, match=sentence):
        node.api.add_feed(**fields)


def test_the_nodes_own_files_are_not_played(node: ServedNode) -> None:
    said = run_aquila("feed", "add", "gpx", (node.data / "journal.db").absolute().as_uri(), "--data", str(node.data))
    assert said.returncode == 1
    assert "own files" in said.stderr


def test_only_an_administrator_opens_doors(node: ServedNode) -> None:
    token = node.command("token", "guard", "--role", "operator").strip()
    guard = Node(f"http://127.0.0.1:{node.ports['http']}", token)
    with pytest.raises(NodeError, match="admin"):
        guard.add_feed(format="ais", url="udp://127.0.0.1:10110")
    assert all(not row["live"]["last_error"] for row in guard.feeds())
