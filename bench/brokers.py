"""What a broker can make a subscriber hold, and what a message costs: the wire of feeds beside paho-mqtt, in one run.

    python3 dev.py bench brokers [--json FILE] [--messages 50000]

Each row is a process of its own that subscribes to a broker of this script at QoS 0 and is fed over loopback: peak
resident memory of that process, and its CPU time. A broker that lies sends one message of 250 MB, as MQTT allows, or a
thousand of 250 kB at QoS 2, which were not asked for and are never released; one that does not sends small ones.
"""

import argparse
import asyncio
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from paho.mqtt import client as paho

from aquila.core.errors import CodecError
from aquila.links.feeds.address import read_address
from aquila.links.feeds.intake import FeedLostError, Spoken
from aquila.links.feeds.wires import run_wire

MIB_MAX = 20.0
"""So much more than for ordinary messages our subscriber may hold, whatever the broker does."""
END = b"end"
SMALL = b'{"tid":"p1","lat":42.8746,"lon":74.5698,"tst":1772359885,"vel":5,"cog":90,"batt":81}'


def publish(payload: bytes, qos2_number: int = 0) -> bytes:
    """A packet of topic `a`; with a number at QoS 2."""
    body = b"\x00\x01a" + (qos2_number.to_bytes(2, "big") if qos2_number else b"") + payload
    left, length = len(body), bytearray()
    while left > 127:
        length.append(left % 128 | 128)
        left //= 128
    return bytes([0x34 if qos2_number else 0x30]) + bytes([*length, left]) + body


def said(case: str, messages: int) -> Iterator[bytes]:
    """What the broker says once somebody has subscribed."""
    if case == "one message of 250 MB":
        yield publish(bytes(250_000_000))
    elif case == "1,000 of 250 kB at QoS 2":
        for number in range(1, 1_001):
            yield publish(bytes(250_000), number)
    else:
        for _ in range(messages // 500):
            yield publish(SMALL) * 500
    yield publish(END)


def serve(door: socket.socket, case: str, messages: int) -> None:
    """Greet one client and feed it."""
    link, _ = door.accept()
    with link, suppress(OSError):
        link.recv(4_096)
        link.sendall(b"\x20\x02\x00\x00")
        link.recv(4_096)
        link.sendall(b"\x90\x03\x00\x01\x00")
        for part in said(case, messages):
            link.sendall(part)
        while link.recv(65_536):
            pass


class Ours:
    """Takes messages until the last one. Implements links.feeds.intake.Intake."""

    def __init__(self) -> None:
        self.told = 0
        self.over = asyncio.Event()

    def up(self) -> None:
        pass

    def take(self, data: bytes, whole: bool, topic: str = "") -> None:
        self.told += 1
        if data == END:
            self.over.set()

    def unread(self, error: CodecError) -> None:
        pass

    def dropped(self, count: int) -> None:
        pass

    def recorded_s(self) -> float:
        return 0.0

    def read_count(self) -> int:
        return self.told


async def subscribe_ours(port: int) -> int:
    intake = Ours()
    wire = asyncio.create_task(run_wire(read_address(f"mqtt://127.0.0.1:{port}/a"), intake, Spoken()))
    over = asyncio.create_task(intake.over.wait())
    await asyncio.wait((wire, over), return_when=asyncio.FIRST_COMPLETED)
    over.cancel()
    wire.cancel()
    with suppress(FeedLostError, asyncio.CancelledError):
        await wire
    return intake.told


def subscribe_paho(port: int) -> int:
    told, over = [0], threading.Event()

    def take(_client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        told[0] += 1
        if message.payload == END:
            over.set()

    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.on_message = take
    client.on_connect = lambda *_: client.subscribe("a", 0)
    client.connect("127.0.0.1", port)
    client.loop_start()
    over.wait(120)
    client.loop_stop()
    return told[0]


def child(side: str, port: int) -> None:
    """One row, as its own process."""
    began_s = time.process_time()
    told = asyncio.run(subscribe_ours(port)) if side == "ours" else subscribe_paho(port)
    used_s = time.process_time() - began_s
    # Not getrusage: that counts what the parent had when it forked.
    (peak,) = [line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line[:6] == "VmHWM:"]
    peak_mib = int(peak) / 1_024
    print(json.dumps({"told": told, "cpu_s": used_s, "peak_mib": round(peak_mib, 1)}))


def measured(side: str, case: str, messages: int) -> dict[str, Any]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=serve, args=(door, case, messages), daemon=True).start()
        words = [sys.executable, __file__, "--child", side, "--port", str(door.getsockname()[1])]
        answer = subprocess.run(words, capture_output=True, text=True, check=True, timeout=300)
    row: dict[str, Any] = json.loads(answer.stdout)
    return {"case": case, "side": side, **row}


def main() -> int:
    """Run and report; 1 = our subscriber held more than it may."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--child", choices=("ours", "paho"), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.child:
        child(words.child, words.port)
        return 0
    rows = []
    for case in ("small messages", "one message of 250 MB", "1,000 of 250 kB at QoS 2"):
        for side in ("ours", "paho"):
            row = measured(side, case, words.messages)
            rows.append(row)
            each = f", {row['cpu_s'] / row['told'] * 1e6:.1f} us of CPU a message" if row["told"] > 1_000 else ""
            print(f"{case}, {side}: peak {row['peak_mib']} MiB, {row['told']} told{each}")
    if words.json:
        words.json.write_text(json.dumps(rows, indent=1) + "\n")
    ours = [row["peak_mib"] for row in rows if row["side"] == "ours"]
    return int(max(ours) - ours[0] > MIB_MAX)


if __name__ == "__main__":
    sys.exit(main())
