"""What large files cost the others: 10 clients send and fetch 200 MB each beside 200 clients at 1 Hz.

    python3 dev.py bench packages [--json FILE] [--clients 10] [--mb 200] [--seconds 15]

One node on one core, generator and clients on another: peak memory of the node, and the hub's p99 while nobody sends,
while all send, and while all fetch. Device certificates, TLS, real zips, hashed, looked through and kept; loopback.
"""

import argparse
import contextlib
import hashlib
import http.client
import json
import os
import platform
import ssl
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hub import Bench, Row, build, figures, lacks

from aquila.testing.served import ServedNode
from aquila.testing.tak_client import device_context

RSS_MB_MAX = 300
RATIO_MAX = 2.0
PUBLISHERS = 200
PIECE = 256 * 1024
HEAD = (
    b'--B\r\nContent-Disposition: form-data; name="assetfile"; filename="big.zip"\r\n'
    b"Content-Type: application/x-zip-compressed\r\n\r\n"
)
TAIL = b"\r\n--B--\r\n"


class Client:
    """One device and its package."""

    def __init__(self, node: ServedNode, work: Path, number: int, block: Path) -> None:
        self.name = f"BENCH{number}"
        self.tls = device_context(node.enrolled(self.name), self.name)
        self.port = node.ports["api_tls"]
        self.package = work / f"{self.name}.zip"
        with zipfile.ZipFile(self.package, "w", zipfile.ZIP_STORED) as packed:
            packed.writestr("MANIFEST/manifest.xml", f"<MissionPackageManifest name='{self.name}'/>")
            packed.write(block, "map.bin")
        with self.package.open("rb") as file:
            self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()

    def _wire(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("localhost", self.port, context=self.tls, timeout=300)

    def send(self) -> None:
        """The whole package, as ATAK sends it."""
        wire = self._wire()
        length = len(HEAD) + self.package.stat().st_size + len(TAIL)
        asked = f"/Marti/sync/missionupload?hash={self.sha256}&filename={self.name}.zip&creatorUid={self.name}"
        headers = {"Content-Type": "multipart/form-data; boundary=B", "Content-Length": str(length)}
        wire.request("POST", asked, body=self._form(), headers=headers)
        answer = wire.getresponse()
        if answer.status != 200:
            raise SystemExit(f"the upload was refused: {answer.status} {answer.read()[:300]!r}")
        wire.close()

    def _form(self) -> Iterator[bytes]:
        yield HEAD
        with self.package.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece
        yield TAIL

    def fetch(self) -> None:
        """The whole package, and is it the one that was sent?"""
        wire = self._wire()
        wire.request("GET", f"/Marti/sync/content?hash={self.sha256}")
        answer = wire.getresponse()
        digest = hashlib.sha256()
        while piece := answer.read(PIECE):
            digest.update(piece)
        if digest.hexdigest() != self.sha256:
            raise SystemExit(f"{self.name} got {answer.status} and other bytes than it sent")
        wire.close()


class Crowd:
    """Clients that all do the same again and again, at least once each, until it is enough."""

    def __init__(self, clients: list[Client], work: Callable[[Client], None]) -> None:
        self.done = 0
        self.fault: BaseException | None = None
        self._work = work
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(client,)) for client in clients]
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()

    def _run(self, client: Client) -> None:
        # Below the generator, which shares the core: it is the one that looks at the clock.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
        try:
            while True:
                self._work(client)
                self.done += 1
                if self._is_over.is_set():
                    return
        except (OSError, http.client.HTTPException, SystemExit) as fault:
            self.fault = fault

    def end(self) -> float:
        """Let each finish; gives the files a second."""
        self._is_over.set()
        for thread in self._threads:
            thread.join()
        if self.fault is not None:
            raise SystemExit(f"a client failed: {self.fault!r}")
        return self.done / (time.monotonic() - self._began)


def peak_mb(node: ServedNode) -> float:
    """The most memory since the last `forget_peak`."""
    status = Path(f"/proc/{node.process.pid}/status").read_text()
    return round(int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6, 1)


def forget_peak(node: ServedNode) -> None:
    """Measure the peak anew."""
    Path(f"/proc/{node.process.pid}/clear_refs").write_text("5")


def phases(bench: Bench, count: int, size_mb: int) -> Iterator[Row]:
    """Quiet, all send, quiet, all fetch, quiet; on one node."""
    block = bench.work / "block"
    with block.open("wb") as file:
        for _ in range(size_mb):
            file.write(os.urandom(1_000_000))
    limits = {"AQUILA_CONNECTIONS_PER_ADDRESS": "1000", "AQUILA_RATE_PER_S": "1000000", "AQUILA_TICK_ADAPTIVE": "false"}
    node = ServedNode(bench.work / "data", environ=limits)
    os.sched_setaffinity(0, {0})
    with contextlib.ExitStack() as stack:
        stack.callback(node.stop)
        node.start()
        os.sched_setaffinity(0, {1})
        clients = [Client(node, bench.work, number, block) for number in range(count)]
        port, pid = node.ports["tak"], node.process.pid

        def calm() -> Row:
            forget_peak(node)
            run = bench.load(port, pid, pub=PUBLISHERS, sub=0, rate=1)
            return {"what": f"{PUBLISHERS} x 1 Hz, nobody sends files", "run": figures(run), "peak_mb": peak_mb(node)}

        before = calm()
        yield before
        for what, work in (("send", Client.send), ("fetch", Client.fetch)):
            forget_peak(node)
            crowd = Crowd(clients, work)
            busy = bench.load(port, pid, pub=PUBLISHERS, sub=0, rate=1)
            mb_per_s, peak = round(crowd.end() * size_mb, 1), peak_mb(node)
            after = calm()
            # Other programs share the machine: what was before and what is after stand for the same time.
            ratio = busy["p99_ms"] * 2 / (before["run"]["p99_ms"] + after["run"]["p99_ms"])
            yield {
                "what": f"the same, {count} clients {what} {size_mb} MB each",
                "run": figures(busy),
                "mb_per_s": mb_per_s,
                "ratio": round(ratio, 2),
                "peak_mb": peak,
                "goal": f"p99 <= {RATIO_MAX} x, RSS < {RSS_MB_MAX} MB",
                "holds": ratio <= RATIO_MAX and peak < RSS_MB_MAX,
            }
            yield after
            before = after


def show(row: Row) -> None:
    """One line of the table."""
    ratio = f"{row['ratio']:5.2f} x" if "ratio" in row else " " * 7
    rate = f"{row['mb_per_s']:6.1f} MB/s" if "mb_per_s" in row else " " * 11
    verdict = {True: "holds", False: "MISSED", None: ""}[row.get("holds")]
    print(
        f"{row['what']:45} p50 {row['run']['p50_ms']:6.1f}  p99 {row['run']['p99_ms']:7.1f} ms {ratio}  {rate}"
        f"  peak {row['peak_mb']:6.1f} MB  {verdict}",
        flush=True,
    )


def main() -> int:
    """Run it; exit status 1 when a figure is missed."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--json", type=Path, help="write the rows here")
    words.add_argument("--clients", type=int, default=10)
    words.add_argument("--mb", type=int, default=200)
    words.add_argument("--seconds", type=int, default=15)
    asked = words.parse_args()
    lacking = lacks()
    if lacking:
        print(lacking)
        return 2
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for row in phases(Bench(build(work), work, 1, asked.seconds), asked.clients, asked.mb):
            rows.append(row)
            show(row)
    if asked.json:
        about = {"machine": platform.platform(), "cores": os.cpu_count(), "python": platform.python_version()}
        about["tls"] = ssl.OPENSSL_VERSION
        asked.json.write_text(json.dumps({"about": about, "rows": rows}, indent=1) + "\n")
    return 1 if any(row.get("holds") is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
