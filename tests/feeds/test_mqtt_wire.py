"""The wire of MQTT alone: packets, brokers that lie, die, fall silent or flood, and whom TLS trusts."""

import asyncio
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila.codecs import meshtastic
from aquila.core.errors import CodecError
from aquila.links.feeds import mqtt, wires
from aquila.links.feeds.address import FeedAddress, read_address
from aquila.links.feeds.intake import FeedLostError, Spoken, Turns
from aquila.links.feeds.mqtt_packets import MESSAGE_BYTES_MAX, Oversize, Packet, Packets, connect, subscribe
from aquila.links.pki.authority import Authority

WELCOME = b"\x20\x02\x00\x00"
SUBSCRIBED = b"\x90\x03\x00\x01\x00"
GREETED = WELCOME + SUBSCRIBED
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def length(size: int) -> bytes:
    out = bytearray()
    while size > 127:
        out.append(size % 128 | 128)
        size //= 128
    return bytes([*out, size])


def message(topic: bytes, payload: bytes, flags: int = 0) -> bytes:
    """A PUBLISH of QoS 0."""
    body = len(topic).to_bytes(2, "big") + topic + payload
    return bytes([0x30 | flags]) + length(len(body)) + body


def work(work_s: float) -> None:
    """Take so much of the processor: a full machine makes it last longer, and not more."""
    until_s = time.thread_time() + work_s
    while time.thread_time() < until_s:
        pass


class Heard:
    """An Intake that remembers."""

    def __init__(self, work_s: float = 0.0) -> None:
        self.ups = 0
        self.taken: list[tuple[str, bytes]] = []
        self.errors: list[str] = []
        self._work_s = work_s

    def up(self) -> None:
        self.ups += 1

    def take(self, data: bytes, whole: bool, topic: str = "") -> None:
        self.taken.append((topic, data))
        work(self._work_s)

    def unread(self, error: CodecError) -> None:
        self.errors.append(error.reason)

    def dropped(self, count: int) -> None:
        raise AssertionError

    def recorded_s(self) -> float:
        return 0.0

    def read_count(self) -> int:
        return len(self.taken)


@asynccontextmanager
async def door(serve: Serve, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of a broker that does this with each client; it is let finish."""
    tasks: list[asyncio.Task[None]] = []

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await serve(reader, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.create_task(meet(reader, writer)))

    server = await asyncio.start_server(begin, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.gather(*tasks)


def listen(serve: Serve, heard: Heard, settings: str = "", wait_s: float = 20.0) -> str:
    """Subscribe to a broker that does this; gives why it was lost."""

    async def play() -> str:
        async with door(serve) as port, asyncio.timeout(wait_s):
            with pytest.raises(FeedLostError) as lost:
                await wires.run_wire(read_address(f"mqtt://127.0.0.1:{port}/a/#{settings}"), heard, Spoken())
        return str(lost.value)

    return asyncio.run(play())


def saying(*parts: bytes) -> Serve:
    """A broker that says this after the greeting of its client, and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4_096)
        for part in parts:
            writer.write(part)
            await writer.drain()
        writer.write_eof()
        await reader.read()

    return serve


def test_what_is_said_is_what_the_standard_says() -> None:
    assert connect("", "", None, 60) == bytes.fromhex("100c 00044d515454 04 02 003c 0000")
    named = connect("me", "guard", "x", 60)
    assert named == bytes.fromhex("1018 00044d515454 04 c2 003c 0002") + b"me\x00\x05guard\x00\x01x"
    assert subscribe("a/#") == bytes.fromhex("8208 0001 0003") + b"a/#\x00"


@given(st.lists(st.binary(max_size=300), max_size=5), st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_packets_are_the_same_however_they_are_cut(payloads: list[bytes], cuts: list[int]) -> None:
    wire = b"".join(message(b"a/b", payload) for payload in payloads)
    at_once = list(Packets(200).feed(wire))
    cut, found, at, turn = Packets(200), [], 0, 0
    while at < len(wire):
        size = cuts[turn % len(cuts)]
        found += list(cut.feed(wire[at : at + size]))
        at, turn = at + size, turn + 1
    assert found == at_once
    assert [type(one) for one in found] == [Packet if len(each) <= 195 else Oversize for each in payloads]


@given(st.binary(max_size=400))
def test_no_bytes_do_more_than_end_the_wire(data: bytes) -> None:
    with suppress(FeedLostError):
        for packet in Packets(100).feed(data):
            assert isinstance(packet, Oversize) or len(packet.body) <= 100


def test_a_message_that_is_too_long_is_passed_over_and_counted() -> None:
    heard = Heard()
    long = message(b"a/b", bytes(MESSAGE_BYTES_MAX))
    lost = listen(saying(GREETED, long, message(b"a/c", b"short")), heard)
    assert "closed" in lost
    assert (heard.ups, heard.errors, heard.taken) == (1, ["oversize"], [("a/c", b"short")])


def test_what_the_broker_has_kept_is_taken_only_when_asked_for() -> None:
    kept, new = message(b"a/b", b"old", flags=1), message(b"a/b", b"new")
    heard = Heard()
    listen(saying(GREETED, kept, new), heard)
    assert (heard.errors, heard.taken) == (["retained"], [("a/b", b"new")])
    heard = Heard()
    listen(saying(GREETED, kept, new), heard, "?retained=yes")
    assert (heard.errors, [payload for _, payload in heard.taken]) == ([], [b"old", b"new"])


def test_what_comes_at_a_higher_qos_than_asked_for_is_taken_and_acknowledged() -> None:
    answers = b""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal answers
        await reader.read(4_096)
        writer.write(WELCOME)
        await reader.read(4_096)
        once = message(b"a/b", b"\x00\x07least", flags=2)
        writer.write(SUBSCRIBED + once + message(b"a/b", b"\x00\x08exactly", flags=4) + b"\x62\x02\x00\x08")
        answers = await reader.readexactly(12)

    heard = Heard()
    listen(serve, heard)
    assert [payload for _, payload in heard.taken] == [b"least", b"exactly"]
    assert answers == bytes.fromhex("4002 0007 5002 0008 7002 0008")


@pytest.mark.long  # the buffers of two kernels are large
def test_a_broker_that_takes_no_answers_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "SILENT_S", 1.0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4_096)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        writer.write(GREETED)
        # What it does not read fills its own buffer, those of both kernels, and ours; no more.
        while True:
            writer.write(message(b"a/b", b"\x00\x07", flags=2) * 5_000)
            await writer.drain()

    assert "has taken nothing from us" in listen(serve, Heard(), wait_s=90.0)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not MQTT"),
        (b"", "has closed the connection"),
        (b"\x20\x02\x00\x04", "refuses the name or the password"),
        (b"\x20\x02\x00\x05", "refuses the name or the password"),
        (b"\x20\x02\x00\x02", "?client="),
        (b"\x20\x02\x00\x09", "code 9"),
        (b"\x20\x01\x00", "not MQTT"),
        (message(b"a/b", b"too early"), "not MQTT"),
        (WELCOME + b"\x90\x03\x00\x01\x80", "refuses the topic a/#"),
        (WELCOME + b"\x90\x03\x00\x07\x00", "not MQTT"),
        (GREETED + message(b"a/b", b"x", flags=6), "not MQTT"),
        (GREETED + message(b"a/b", b"", flags=2), "not MQTT"),
        (GREETED + b"\x62\x01\x00", "not MQTT"),
        (b"\x62\x02\x00\x01", "not MQTT"),
        (GREETED + message(b"a/\xff", b"x"), "not MQTT"),
        (GREETED + b"\x30\x03\x00\x09a", "not MQTT"),
        (GREETED + b"\x30\xff\xff\xff\xff\x01", "not MQTT"),
        (GREETED + b"\x10\x00", "not MQTT"),
    ],
)
def test_a_broker_that_lies_is_lost_with_a_sentence(said: bytes, sentence: str) -> None:
    heard = Heard()
    lost = listen(saying(said), heard)
    assert sentence in lost
    assert "127.0.0.1 port" in lost
    assert not heard.taken


def test_a_broker_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "CONNECT_S", 0.2)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    assert "does not answer" in listen(serve, Heard())


def test_a_broker_that_answers_no_ping_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "PING_S", 0.05)
    monkeypatch.setattr(mqtt, "SILENT_S", 1.0)
    pings = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal pings
        await reader.read(4_096)
        writer.write(GREETED)
        while data := await reader.read(4_096):
            pings += data.count(b"\xc0\x00")
            if pings < 4:
                writer.write(b"\xd0\x00")

    heard = Heard()
    assert "not even to a ping" in listen(serve, heard)
    assert pings > 4
    assert heard.ups == 1


def test_a_flood_leaves_the_loop_to_others() -> None:
    heard = Heard(work_s=0.0005)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4_096)
        writer.write(GREETED)
        with_many = message(b"a/b", b"{}") * 500
        while True:
            writer.write(with_many)
            await writer.drain()

    async def play() -> tuple[float, int]:
        loop = asyncio.get_running_loop()
        async with door(serve) as port:
            address = read_address(f"mqtt://127.0.0.1:{port}/a/#")
            flooded = asyncio.create_task(wires.run_wire(address, heard, Spoken()))
            began_s, most = loop.time(), 0
            while len(heard.taken) < 400:
                before = len(heard.taken)
                await asyncio.sleep(0)
                most = max(most, len(heard.taken) - before)
            took_s = loop.time() - began_s
            flooded.cancel()
        return took_s, most

    took_s, most = asyncio.run(play())
    # The last slice may end before its rest.
    assert took_s > 390 * 0.0005 * 2, "it rests as long as it works"
    assert most < 200, "and others have their turn in between"


@pytest.mark.parametrize(("others_s", "times"), [(0.0, 1), (0.003, 3)], ids=["alone", "beside others"])
def test_a_feed_rests_longer_beside_others(others_s: float, times: int) -> None:
    async def others() -> None:
        work(others_s)

    async def play() -> float:
        turns = Turns()
        turns.work(Heard(work_s=0.01), b"", whole=True)
        beside, began_s = asyncio.create_task(others()), time.perf_counter()
        await turns.rest()
        await beside
        return time.perf_counter() - began_s

    assert asyncio.run(play()) > 0.0099 * times


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Authority]:
    found = {}
    for name in ("right", "wrong"):
        found[name] = Authority.create(tmp_path_factory.mktemp(name) / "secrets", name, int(time.time() * 1000))
        found[name].ensure_server((), int(time.time() * 1000))
    return found


def secured(port: int, **files: Path) -> FeedAddress:
    words = "&".join(f"{word}={path}" for word, path in files.items())
    return read_address(f"mqtts://guard@localhost:{port}/a/#?{words}")


def test_tls_trusts_the_authority_that_is_named_and_no_other(tmp_path: Path, authorities: dict[str, Authority]) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authorities["right"].server_path)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4_096)
        writer.write(WELCOME)
        await reader.read(4_096)
        writer.write(SUBSCRIBED + message(b"a/b", b"sealed"))
        await writer.drain()

    async def lost(**files: Path) -> tuple[str, Heard]:
        heard = Heard()
        async with door(serve, context) as port:
            with pytest.raises(FeedLostError) as gone:
                await wires.run_wire(secured(port, **files), heard, Spoken())
        return str(gone.value), heard

    why, heard = asyncio.run(lost(ca=authorities["right"].chain_path))
    assert heard.taken == [("a/b", b"sealed")], why
    why, heard = asyncio.run(lost(ca=authorities["wrong"].chain_path))
    assert "not trusted" in why
    assert not heard.ups
    assert "not trusted" in asyncio.run(lost())[0], "this machine does not know it either"
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("none")
    assert "rubbish.pem" in asyncio.run(lost(ca=rubbish))[0]
    assert "absent.pem" in asyncio.run(lost(ca=tmp_path / "absent.pem"))[0]


def test_a_broker_that_wants_a_certificate_is_shown_the_one_that_is_named(
    tmp_path: Path, authorities: dict[str, Authority]
) -> None:
    right = authorities["right"]
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(right.chain_path))
    context.load_cert_chain(right.server_path)
    context.verify_mode = ssl.CERT_REQUIRED
    issued = right.issue_device("NODE1", int(time.time() * 1000))
    assert issued.key_pem is not None
    cert, key = tmp_path / "node1.pem", tmp_path / "node1.key"
    cert.write_bytes(issued.certificate_pem + right.chain_path.read_bytes())
    key.write_bytes(issued.key_pem)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4_096)
        writer.write(WELCOME)
        await reader.read(4_096)
        writer.write(SUBSCRIBED)
        await writer.drain()

    async def ups(**files: Path) -> int:
        heard = Heard()
        async with door(serve, context) as port:
            with pytest.raises((FeedLostError, OSError)):
                await wires.run_wire(secured(port, ca=right.chain_path, **files), heard, Spoken())
        return heard.ups

    assert asyncio.run(ups(cert=cert, key=key)) == 1
    assert asyncio.run(ups()) == 0


def test_a_port_without_tls_says_so() -> None:
    async def play() -> None:
        async with door(saying(b"hello")) as port:
            await wires.run_wire(read_address(f"mqtts://127.0.0.1:{port}/a"), Heard(), Spoken())

    with pytest.raises(FeedLostError, match="no TLS with it"):
        asyncio.run(play())


def test_a_radio_on_a_line_is_greeted_and_kept_awake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wires, "ALIVE_S", 0.05)
    ours, theirs = os.openpty()
    spoken = Spoken(hello=meshtastic.serial.hello, alive=meshtastic.serial.alive)
    address = read_address(f"serial://{os.ttyname(theirs)}?baud=115200")

    async def play() -> bytes:
        listening = asyncio.create_task(wires.run_wire(address, Heard(), spoken))
        said = b""
        async with asyncio.timeout(60):
            while said.count(spoken.alive) < 2:
                said += await asyncio.to_thread(os.read, ours, 4_096)
        listening.cancel()
        return said

    try:
        assert asyncio.run(play()).startswith(spoken.hello)
    finally:
        os.close(ours)
        os.close(theirs)
