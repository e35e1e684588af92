"""The stream over HTTPS (/takproto/1): TAK frames in binary messages, with a certificate or a token."""

import base64
import contextlib
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from aquila.codecs.cot.proto import ProtoDecoder, payload_of, proto_of_xml
from aquila.codecs.cot.tak_pb2 import TakMessage
from aquila.core.codec import Decoded
from aquila.core.model import Note, Report
from aquila.testing.served import ServedNode
from aquila.testing.tak_client import PATIENCE_S, callsign_of, chat, device_context, event, fresh, position, text_of

Open = Callable[..., ClientConnection]


def opened(node: ServedNode, door: str, tls: ssl.SSLContext, **more: Any) -> connect:
    return connect(f"wss://localhost:{node.ports[door]}/takproto/1", ssl=tls, open_timeout=PATIENCE_S, **more)


@pytest.fixture
def socket(node: ServedNode) -> Iterator[Open]:
    """Opens the socket of a new device, by its name."""
    with contextlib.ExitStack() as stack:
        yield lambda name: stack.enter_context(opened(node, "api_tls", device_context(node.enrolled(name), name)))


def hear(peer: ClientConnection, wanted: Callable[[object], object]) -> object:
    """The next body that is wanted; each message holds one frame and nothing else."""
    for _ in range(200):
        message = peer.recv(timeout=PATIENCE_S)
        assert isinstance(message, bytes)
        (found,) = ProtoDecoder().feed(message)
        if isinstance(found, Decoded) and wanted(found.body):
            return found.body
    raise AssertionError("200 messages, none of them wanted")


def test_socket_and_stream_see_each_other(node: ServedNode, socket: Open) -> None:
    name, text, back = fresh("WEB"), f"<<{fresh('there')}>>", f"<<{fresh('and back')}>>"
    peer = socket(name)
    with node.client(fresh("TCP")) as client:
        client.report()
        hear(peer, lambda body: isinstance(body, Report) and body.name == client.callsign)
        peer.send(proto_of_xml(position(f"ANDROID-{name}", name)))
        assert callsign_of(client.hear_uid(f"ANDROID-{name}")) == name
        peer.send(proto_of_xml(chat(f"ANDROID-{name}", name, text)))
        client.hear_text(text)
        client.chat(back, to=[name])
        said = hear(peer, lambda body: isinstance(body, Note))
        assert isinstance(said, Note)
        assert said.text == back
    rows = [row for row in node.api.links() if row["transport"] == "websocket"]
    assert name in [row["callsign"] for row in rows]


def test_a_client_without_protobuf_at_hand_may_send_xml(node: ServedNode, socket: Open) -> None:
    name = fresh("PLAIN")
    with node.client(fresh("TCP")) as client:
        socket(name).send(position(f"ANDROID-{name}", name))
        client.hear_uid(f"ANDROID-{name}")


def test_a_ping_is_answered_with_a_pong(socket: Open) -> None:
    peer = socket(fresh("PINGS"))
    peer.send(proto_of_xml(event("x-ping", "t-x-c-t", "")))
    for _ in range(100):
        message = peer.recv(timeout=PATIENCE_S)
        assert isinstance(message, bytes)
        if TakMessage.FromString(payload_of(message)).cot_event.type == "t-x-c-t-r":
            return
    raise AssertionError("no pong")


def test_a_person_comes_with_a_token_and_a_stranger_does_not(node: ServedNode) -> None:
    name = fresh("ANY")
    tls = device_context(node.enrolled(name), name)
    bearer = {"Authorization": f"Bearer {node.token}"}
    with opened(node, "enrol", tls, additional_headers=bearer) as peer, node.client(fresh("TCP")) as client:
        client.report()
        hear(peer, lambda body: isinstance(body, Report) and body.name == client.callsign)
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        with pytest.raises(InvalidStatus), opened(node, "enrol", tls, additional_headers=headers):
            pass


def test_a_revoked_device_is_gone_at_once(node: ServedNode, socket: Open) -> None:
    name = fresh("LOST")
    peer = socket(name)
    peer.send(proto_of_xml(position(f"ANDROID-{name}", name)))
    node.command("device", "revoke", name)
    with pytest.raises(ConnectionClosed):
        hear(peer, lambda body: False)


@pytest.mark.parametrize("garbage", [b"\xbf", b"\xbf\xff\xff\xff", b"x", b"<event", b"\x00" * 60_000])
def test_a_broken_message_costs_itself_only(node: ServedNode, socket: Open, garbage: bytes) -> None:
    name = fresh("BROKEN")
    peer = socket(name)
    with node.client(fresh("TCP")) as client:
        peer.send(garbage)
        peer.send(proto_of_xml(position(f"ANDROID-{name}", name)))
        client.hear_uid(f"ANDROID-{name}")


def test_everything_said_while_a_socket_does_not_read_comes_in_order(node: ServedNode, socket: Open) -> None:
    peer = socket(fresh("SLOW"))
    words = [f"<<{fresh('line')}>>" + "x" * 3_000 for _ in range(300)]
    with node.client(fresh("TCP")) as client, node.client(fresh("OTHER")) as other:
        client.report()
        for word in words:
            client.chat(word)
        other.hear_text(words[-1])
        heard: list[str] = []
        while len(heard) < len(words):
            said = hear(peer, lambda body: isinstance(body, Note))
            assert isinstance(said, Note)
            heard.append(said.text)
    assert heard == words
    assert [text_of(each) for each in other.heard if text_of(each) in words] == words


def test_a_person_whose_rights_change_has_to_come_back_with_them(node: ServedNode) -> None:
    name, password = fresh("erin"), "a good long password"
    node.api.make_user(name=name, password=password, role="operator")
    basic = {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}
    tls = device_context(node.enrolled(other := fresh("ANY")), other)
    with opened(node, "enrol", tls, additional_headers=basic) as peer, node.client(fresh("TCP")) as client:
        client.report()
        hear(peer, lambda body: isinstance(body, Report) and body.name == client.callsign)
        node.api.make_user(name=name, password=password, role="viewer")
        with pytest.raises(ConnectionClosed):
            hear(peer, lambda body: False)
