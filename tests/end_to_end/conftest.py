"""A whole node as its users start it: a process, its ports, its commands."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from aquila.client import Node

from .tak_client import TakClient, device_context, fresh

START_S = 30.0
AQUILA = (sys.executable, "-m", "aquila.cli")
FREE_PORTS = ("--http-port", "--tak-port", "--tak-tls-port", "--api-tls-port", "--enrol-port")


def run_aquila(*words: str, timeout_s: float = 60.0) -> "subprocess.CompletedProcess[str]":
    """Run one command to its end."""
    environ = {**os.environ, "AQUILA_BACKUP_PASSPHRASE": "three words here"}
    return subprocess.run(
        [*AQUILA, *words], capture_output=True, text=True, timeout=timeout_s, env=environ, check=False
    )


class Served:
    """A node in a process of its own.

    Attributes:
        data: its folder. ports: by name, while it runs.
    """

    def __init__(self, data: Path, *words: str) -> None:
        self.data = data
        self.log = data.parent / f"{data.name}.log"
        self.ports: dict[str, int] = {}
        self._words = words
        self._token = ""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Served":
        """Start it and wait until its doors are open."""
        ready = self.data / "ports.json"
        ready.unlink(missing_ok=True)
        flags = [word for flag in FREE_PORTS for word in (flag, "0")]
        command = [*AQUILA, "serve", "--data", str(self.data), "--demo", "none", *flags, *self._words]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = monotonic() + START_S
        while not ready.exists():
            assert self._process.poll() is None, f"the node ended: {self.log.read_text()}"
            assert monotonic() < deadline, f"not ready in {START_S} s: {self.log.read_text()}"
            sleep(0.02)
        self.ports = json.loads(ready.read_text())
        return self

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The process that runs."""
        assert self._process is not None
        return self._process

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> float:
        """SIGTERM; gives how many seconds the node took to end."""
        began = monotonic()
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(20)
        return monotonic() - began

    def command(self, *words: str) -> str:
        """One command on this node's folder; gives its standard output."""
        answer = run_aquila(*words, "--data", str(self.data))
        assert answer.returncode == 0, f"{words}: {answer.stderr}"
        return answer.stdout

    @property
    def api(self) -> Node:
        """Its API, as an administrator."""
        if not self._token:
            self._token = self.command("token", fresh("tester"), "--role", "admin").strip()
        return Node(f"http://127.0.0.1:{self.ports['http']}", self._token)

    def client(self, callsign: str) -> TakClient:
        """A client over plain TCP."""
        return TakClient(self.ports["tak"], callsign)

    def device(self, name: str, *words: str) -> Path:
        """A new device; gives the folder with its files."""
        files = self.data.parent / f"{name}-files"
        self.command("device", "add", name, "--out", str(files), *words)
        return files

    def device_client(self, name: str, files: Path) -> TakClient:
        """A client over TLS with a device's certificate."""
        return TakClient(self.ports["tak_tls"], name, tls=device_context(files, name))


Serve = Callable[..., Served]


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Served]:
    """One node for every test that does not stop it."""
    served = Served(tmp_path_factory.mktemp("node") / "data")
    try:
        yield served.start()
    finally:
        served.stop()
        if request.session.testsfailed:
            sys.stderr.write(f"--- log of the node\n{served.log.read_text()[-4000:]}\n")


@pytest.fixture
def serve(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Serve]:
    """Starts nodes that live as long as one test."""
    started: list[Served] = []

    def start(name: str = "data", *words: str) -> Served:
        served = Served(tmp_path / name, *words)
        started.append(served)
        return served.start()

    before = request.session.testsfailed
    yield start
    for served in started:
        served.stop()
        if request.session.testsfailed > before:
            sys.stderr.write(f"--- log of {served.data.name}\n{served.log.read_text()[-4000:]}\n")
