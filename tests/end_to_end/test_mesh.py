"""The mesh: UDP multicast on loopback, beside the stream. No loops, no doubles, and it shows that nobody is known."""

import contextlib
import random
import socket
import struct
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from time import monotonic

import pytest

from aquila.codecs.cot.proto import payload_of, proto_of_xml
from aquila.testing.served import Serve, ServedNode, wait_until
from aquila.testing.tak_client import PATIENCE_S, callsign_of, fresh, position, text_of

LOOPBACK = "127.0.0.1"


class MeshPeer:
    """A device on the mesh: hears one group, says to any.

    Attributes:
        heard: every event, in order.
    """

    def __init__(self, group: tuple[str, int]) -> None:
        self.group = group
        self.heard: list[ET.Element] = []
        self._in = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._in.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._in.bind(group)
        where = struct.pack("4s4s", socket.inet_aton(group[0]), socket.inet_aton(LOOPBACK))
        self._in.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, where)
        self._out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(LOOPBACK))

    def say(self, datagram: bytes) -> None:
        self._out.sendto(datagram, self.group)

    def listen(self, wait_s: float) -> bool:
        self._in.settimeout(max(wait_s, 0.001))
        try:
            data = self._in.recv(65_535)
        except TimeoutError:
            return False
        if data[:1] == b"<":
            self.heard.append(ET.fromstring(data.decode().partition("?>")[2].strip() or data))
        return True

    def hear(self, uid: str, wait_s: float = PATIENCE_S) -> ET.Element:
        deadline = monotonic() + wait_s
        while True:
            for each in self.heard:
                if each.get("uid") == uid:
                    return each
            assert monotonic() < deadline, f"no {uid} in {[each.get('uid') for each in self.heard]}"
            self.listen(deadline - monotonic())

    def close(self) -> None:
        self._in.close()
        self._out.close()


@pytest.fixture
def groups() -> tuple[tuple[str, int], tuple[str, int]]:
    """Groups of this run alone: other runs on this machine would be heard too."""
    dice = random.SystemRandom()
    return tuple((f"239.2.{dice.randint(4, 250)}.{dice.randint(1, 250)}", dice.randint(20_000, 60_000)) for _ in "ab")  # type: ignore[return-value]


@pytest.fixture
def meshed(serve: Serve, groups: tuple[tuple[str, int], tuple[str, int]]) -> ServedNode:
    situation, chats = ("{}:{}".format(*each) for each in groups)
    return serve(
        "data",
        AQUILA_MESH="true",
        AQUILA_MESH_INTERFACE=LOOPBACK,
        AQUILA_MESH_HOPS="0",
        AQUILA_MESH_GROUP=situation,
        AQUILA_MESH_CHAT_GROUP=chats,
    )


@pytest.fixture
def peers(groups: tuple[tuple[str, int], tuple[str, int]]) -> Iterator[tuple[MeshPeer, MeshPeer]]:
    """One that listens to positions, one that listens to chat."""
    with contextlib.ExitStack() as stack:
        made = [MeshPeer(group) for group in groups]
        for each in made:
            stack.callback(each.close)
        yield made[0], made[1]


def mesh_frame(xml: bytes) -> bytes:
    """The event as TAK protocol version 1 with a mesh header."""
    return b"\xbf\x01\xbf" + payload_of(proto_of_xml(xml))


@pytest.mark.parametrize("form", ["xml", "proto"])
def test_what_the_mesh_says_is_seen_and_marked(meshed: ServedNode, peers: tuple[MeshPeer, MeshPeer], form: str) -> None:
    uid, name = fresh("MESH-"), fresh("LONER")
    with meshed.client(fresh("STREAM")) as client:
        client.report()
        said = position(uid, name)
        peers[0].say(said if form == "xml" else mesh_frame(said))
        heard = client.hear_uid(uid)
        assert callsign_of(heard) == name
    (row,) = [row for row in meshed.api.entities() if row["name"] == name]
    assert "UNAUTHENTICATED" in row["label"]["informative"]


def test_stream_and_mesh_see_each_other_once(meshed: ServedNode, peers: tuple[MeshPeer, MeshPeer]) -> None:
    situation, chats = peers
    text = f"<<{fresh('to all')}>>"
    with meshed.client(fresh("STREAM")) as client, meshed.client(fresh("OTHER")) as other:
        client.report()
        situation.hear(client.uid)
        client.chat(text)
        other.hear_text(text)
        wait_until(lambda: chats.listen(0.05) and text in [text_of(each) for each in chats.heard], "chat on the mesh")
        # The peer echoes what it hears, as a second gateway would: nobody may hear it again.
        for each in [*situation.heard, *chats.heard]:
            (chats if each.get("type") == "b-t-f" else situation).say(ET.tostring(each))
        mark = fresh("mark-")
        situation.say(position(mark, mark))
        other.hear_uid(mark)
        assert [text_of(each) for each in other.heard].count(text) == 1
        assert [each.get("uid") for each in other.heard].count(client.uid) == 1
        assert [each.get("uid") for each in situation.heard].count(client.uid) == 1
    assert meshed.counted()["aquila_node_refused_loop"] >= 2


def test_a_device_that_is_on_both_counts_once_and_keeps_its_name(
    meshed: ServedNode, peers: tuple[MeshPeer, MeshPeer]
) -> None:
    name = fresh("BOTH")
    files = meshed.enrolled(name)
    with meshed.device_client(name, files) as phone, meshed.client(fresh("SEES")) as witness:
        said = position(phone.uid, name)
        phone.say(said)
        witness.hear_uid(phone.uid)
        peers[0].say(said)
        peers[0].say(position(phone.uid, "IMPOSTOR"))
        mark = fresh("mark-")
        peers[0].say(position(mark, mark))
        witness.hear_uid(mark)
        assert [callsign_of(each) for each in witness.heard if each.get("uid") == phone.uid] == [name]


def test_what_is_for_one_person_is_not_said_on_the_mesh(meshed: ServedNode, peers: tuple[MeshPeer, MeshPeer]) -> None:
    text, mark = f"<<{fresh('private')}>>", f"<<{fresh('mark')}>>"
    with meshed.client(fresh("A")) as first, meshed.client(fresh("B")) as second:
        first.report()
        second.report()
        second.hear_uid(first.uid)
        first.chat(text, to=[second.callsign])
        second.hear_text(text)
        first.chat(mark)
        chats = peers[1]
        wait_until(lambda: chats.listen(0.05) and mark in [text_of(each) for each in chats.heard], "the mark")
        assert text not in [text_of(each) for each in chats.heard]


@pytest.mark.parametrize(
    "datagram",
    [b"", b"<event", b"\xbf\x01", b"\xbf\x02\xbf\x00", b"\xbf\x01\xbf" + b"\xff" * 40, b"<!DOCTYPE a>", b"x" * 65_000],
)
def test_a_broken_datagram_hurts_nobody(meshed: ServedNode, peers: tuple[MeshPeer, MeshPeer], datagram: bytes) -> None:
    mark = fresh("mark-")
    with meshed.client(fresh("SEES")) as witness:
        peers[0].say(datagram)
        peers[0].say(position(mark, mark))
        witness.hear_uid(mark)


def test_a_mesh_that_cannot_be_joined_is_said_in_one_sentence(serve: Serve) -> None:
    with pytest.raises(AssertionError, match="mesh_interface"):
        serve("data", AQUILA_MESH="true", AQUILA_MESH_INTERFACE="203.0.113.9")
