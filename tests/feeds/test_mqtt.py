"""Feeds of a started node from a real broker: positions become tracks, brokers come and go, passwords are not told."""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from aquila.client import NodeError
from aquila.codecs import meshtastic
from aquila.links.pki.authority import Authority
from aquila.stores.sqlite.secrets import SecretStore
from aquila.testing.served import ServedNode, run_aquila, wait_until

from .conftest import PASSWORD, Broker

AIS = Path(str(files("aquila.codecs.ais"))) / "vectors"
MESH = Path(str(files("aquila.codecs.meshtastic"))) / "vectors"
BY_TOPIC = {"scheme": "owntracks", "id": "$topic[2]", "fields": {"lat": {"path": "lat"}, "lon": {"path": "lon"}}}


def live(node: ServedNode, name: str) -> dict[str, Any]:
    """How a feed does."""
    found: dict[str, Any] = next(row for row in node.api.feeds() if row["name"] == name)["live"]
    return found


def places(node: ServedNode, name: str) -> dict[str, tuple[float, float]]:
    """Where what a feed has said stands, by the value of its first alias."""
    return {
        row["aliases"][0]["value"]: (row["position"]["lat_deg"], row["position"]["lon_deg"])
        for row in node.api.entities()
        if row["source"] == f"feed:{name}" and row["position"]
    }


@pytest.fixture
def feed(node: ServedNode) -> Iterator[Callable[..., str]]:
    """Adds a feed; gives its id."""
    made: list[str] = []

    def add(**fields: Any) -> str:
        made.append(node.api.add_feed(**fields)["id"])
        return made[-1]

    yield add
    for id in made:
        with contextlib.suppress(NodeError):
            node.api.remove_feed(id)


def up(node: ServedNode, name: str) -> None:
    wait_until(lambda: live(node, name)["condition"] == "up", f"{name} hears the broker", 60.0)


def test_json_of_a_broker_stands_on_the_map_and_rubbish_is_counted(
    node: ServedNode, broker: Broker, feed: Callable[..., str]
) -> None:
    url = broker.url("owntracks/+/#")
    feed(format="mqtt-json", url=url, password=PASSWORD, name="phones", options=BY_TOPIC)
    up(node, "phones")
    broker.publish(
        "owntracks/guard/one", b'{"lat":42.8,"lon":74.6}', b"\xff\x00{", b'{"lat":"x","lon":1}', b"[" * 5_000
    )
    broker.publish("owntracks/guard/two", b'{"lat":42.9}', b'{"lat":42.9,"lon":74.7}')
    broker.publish("elsewhere/guard/three", b'{"lat":1,"lon":1}')
    wait_until(lambda: len(places(node, "phones")) == 2, "both stand on the map")
    assert places(node, "phones") == {"one": (42.8, 74.6), "two": (42.9, 74.7)}
    wait_until(lambda: sum(live(node, "phones")["errors"].values()) == 4, "what cannot be read is counted")
    found = live(node, "phones")
    assert found["errors"]["number"] == found["errors"]["missing"] == 1
    assert (found["condition"], found["reports"]) == ("up", 2)
    assert found["in_bytes"] > 5_000
    kept = next(row["id"] for row in node.api.entities() if row["source"] == "feed:phones")
    wait_until(lambda: node.api.tracks(entity=kept), "its track is on the disk")


def test_a_broker_that_was_away_is_heard_again(node: ServedNode, broker: Broker, feed: Callable[..., str]) -> None:
    feed(format="mqtt-json", url=broker.url("back/+/+"), password=PASSWORD, name="back", options=BY_TOPIC)
    up(node, "back")
    broker.stop()
    try:
        wait_until(lambda: live(node, "back")["condition"] == "lost", "its death is shown")
        assert live(node, "back")["retry_at_ms"]
    finally:
        broker.start()
    up(node, "back")
    broker.publish("back/guard/one", b'{"lat":41.0,"lon":73.0}')
    wait_until(lambda: places(node, "back") == {"one": (41.0, 73.0)}, "and it goes on")


def test_a_wrong_password_is_said_on_the_board_and_none_is_ever_shown(
    node: ServedNode, broker: Broker, feed: Callable[..., str], tmp_path: Path
) -> None:
    bare = broker.url("secret/#")
    id = feed(format="mqtt-json", url=bare.replace("guard@", "guard:wr0ng-9921@"), name="locked", options=BY_TOPIC)
    wait_until(lambda: "refuses the name or the password" in live(node, "locked")["why"], "it is said", 60.0)
    assert live(node, "locked")["condition"] == "lost"

    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    node.command("feed", "change", "locked", "--password-file", str(file))
    up(node, "locked")
    with pytest.raises(NodeError, match="another name or broker"):
        node.api.change_feed(id, url=bare.replace("127.0.0.1", "localhost"))
    node.api.change_feed(id, url=bare.replace("secret/#", "other/#"))
    up(node, "locked")

    row = next(row for row in node.api.feeds() if row["name"] == "locked")
    assert row["has_password"]
    assert row["url"] == bare.replace("secret/#", "other/#")
    shown = json.dumps(node.api.feeds()) + node.command("feed", "list") + node.log.read_text()
    journal = b"".join(path.read_bytes() for path in node.data.glob("journal.db*"))
    for password in ("wr0ng-9921", PASSWORD):
        assert password not in shown
        assert password.encode() not in journal
    assert b"locked" in journal, "the journal was looked at"

    secrets = SecretStore(node.data / "secrets" / "secrets.db")
    assert list(secrets.named(f"feed/{id}/").values()) == [PASSWORD], "the wrong one is forgotten"
    node.api.remove_feed(id)
    wait_until(lambda: not secrets.named(f"feed/{id}/"), "and with the feed the right one")
    secrets.close()


def test_a_broker_with_tls_is_heard_if_its_authority_is_the_one_that_is_named(
    node: ServedNode, broker: Broker, feed: Callable[..., str], tmp_path: Path
) -> None:
    now_ms = int(time.time() * 1_000)
    right, wrong = (Authority.create(tmp_path / name, name.upper(), now_ms) for name in ("right", "wrong"))
    right.ensure_server((), now_ms)
    sealed = Broker(tmp_path, right.server_path).start()
    try:
        url = f"mqtts://guard@127.0.0.1:{sealed.port}/sealed/#?ca="
        options = {"format": "mqtt-json", "password": PASSWORD, "options": BY_TOPIC}
        feed(url=f"{url}{right.chain_path}", name="sealed", **options)
        feed(url=f"{url}{wrong.chain_path}", name="forged", **options)
        up(node, "sealed")
        wait_until(lambda: "not trusted" in live(node, "forged")["why"], "the other authority's is refused", 60.0)
        assert live(node, "forged")["condition"] == "lost"
        assert live(node, "forged")["in_bytes"] == 0
    finally:
        sealed.stop()


def test_any_format_may_come_by_a_broker(node: ServedNode, broker: Broker, feed: Callable[..., str]) -> None:
    feed(format="ais", url=broker.url("ais/raw"), password=PASSWORD, name="ships")
    up(node, "ships")
    broker.publish("ais/raw", (AIS / "recorded_sample.ais.wire").read_bytes())
    wait_until(lambda: len(places(node, "ships")) > 10, "the ships stand on the map")


def test_a_mesh_is_heard_through_a_broker_in_both_forms(
    node: ServedNode, broker: Broker, feed: Callable[..., str]
) -> None:
    feed(format="meshtastic-mqtt", url=broker.url("msh/EU_868/2/#"), password=PASSWORD, name="mesh")
    up(node, "mesh")
    envelope = (MESH / "position.meshtastic-mqtt.wire").read_bytes()
    other = (MESH / "json_position.meshtastic-mqtt.wire").read_bytes().replace(b'"from":1128143404', b'"from":77')
    broker.publish("msh/EU_868/2/e/LongFast/!433e1a2c", envelope)
    broker.publish("msh/EU_868/2/e/LongFast/!7efeee00", envelope)
    broker.publish("msh/EU_868/2/json/LongFast/!7efeee00", other)
    wait_until(lambda: len(places(node, "mesh")) == 2, "both nodes stand")
    assert places(node, "mesh") == {"!433e1a2c": (42.8746, 74.5698), "!0000004d": (42.8746, 74.5698)}
    text = (MESH / "text.meshtastic-mqtt.wire").read_bytes()
    broker.publish("msh/EU_868/2/e/LongFast/!433e1a2c", text, text)
    wait_until(lambda: live(node, "mesh")["reports"] == 4, "what is passed on twice is said once")
    assert not live(node, "mesh")["errors"]


def test_a_radio_on_a_serial_line_speaks_once_it_is_greeted(node: ServedNode, feed: Callable[..., str]) -> None:
    ours, theirs = os.openpty()
    try:
        feed(format="meshtastic", url=f"serial://{os.ttyname(theirs)}?baud=115200", name="radio")
        said = b""
        while len(said) < len(meshtastic.serial.hello):
            said += os.read(ours, 4_096)
        assert said == meshtastic.serial.hello
        os.write(ours, b"INFO | ??:??:?? booting\r\n" + (MESH / "radio.meshtastic.wire").read_bytes())
        wait_until(lambda: "!433e1a2c" in places(node, "radio"), "its nodes stand on the map")
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"format": "mqtt-json", "url": "mqtt://127.0.0.1"}, "TOPIC"),
        ({"format": "mqtt-json", "url": "mqtt://127.0.0.1/a/#/b"}, "TOPIC"),
        ({"format": "mqtt-json", "url": "mqtt://127.0.0.1/a", "password": "x"}, "needs a name"),
        ({"format": "ais", "url": "udp://127.0.0.1:10110", "password": "x"}, "needs a name"),
    ],
)
def test_what_no_broker_can_be_is_refused_with_a_sentence(
    node: ServedNode, fields: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(NodeError, match=sentence):
        node.api.add_feed(**fields)


def test_the_nodes_own_key_is_shown_to_no_broker(node: ServedNode) -> None:
    key = (node.data / "secrets" / "server.pem").absolute()
    url = f"mqtts://127.0.0.1/a?cert={key}"
    said = run_aquila("feed", "add", "mqtt-json", url, "--data", str(node.data))
    assert said.returncode == 1
    assert "own files" in said.stderr
