"""A whole node as its users start it: a process, its ports, its commands. For tests and benches."""

import base64
import io
import json
import os
import signal
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Protocol

from aquila.app.asking import ask
from aquila.client import Node
from aquila.testing.tak_client import PATIENCE_S, TakClient, device_context, fresh

START_S = 90.0
AQUILA = (sys.executable, "-m", "aquila.cli")
PORT_FLAGS = ("--http-port", "--tak-port", "--tak-tls-port", "--api-tls-port", "--enrol-port")
FREE_PORTS = tuple(word for flag in PORT_FLAGS for word in (flag, "0"))
_PHRASE = "three words here"


class Serve(Protocol):
    """Starts a node that lives as long as one test: the name of its folder, words after `serve`, its environment."""

    def __call__(self, name: str = "data", *words: str, **environ: str) -> "ServedNode":
        """The node, with its doors open."""
        ...


def run_aquila(*words: str, timeout_s: float = 60.0) -> "subprocess.CompletedProcess[str]":
    """Run one command to its end, with a passphrase for backups in its environment."""
    # Not the width of the screen on which the tests run: what is printed goes into a pipe.
    environ = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    environ["AQUILA_BACKUP_PASSPHRASE"] = _PHRASE
    return subprocess.run(
        [*AQUILA, *words], capture_output=True, text=True, timeout=timeout_s, env=environ, check=False
    )


def wait_until(holds: Callable[[], object], what: str, wait_s: float = PATIENCE_S) -> None:
    """Look again and again. Raises AssertionError with `what` when it does not hold in time."""
    deadline = monotonic() + wait_s
    while not holds():
        assert monotonic() < deadline, f"{what}: not within {wait_s} s"
        sleep(0.02)


class ServedNode:
    """A node in a process of its own, by default without the demo, on free ports.

    Args:
        data: its folder; its log lies beside it. words: after `aquila serve`; the last of two equal flags counts.
        environ: added to this process's own.

    Attributes:
        ports: by name, once it has started.
    """

    def __init__(self, data: Path, *words: str, environ: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.log = data.parent / f"{data.name}.log"
        self.ports: dict[str, int] = {}
        self._words = words
        self._environ = dict(environ or {})
        self._token = ""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *words: str) -> "ServedNode":
        """Start it, with more words for this time only, and wait until its doors are open."""
        ready = self.data / "ports.json"
        ready.unlink(missing_ok=True)
        command = [*AQUILA, "serve", "--data", str(self.data), "--demo", "none", *FREE_PORTS, *self._words, *words]
        with self.log.open("ab") as log:
            environ = {**os.environ, **self._environ}
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environ)

        def is_ready() -> bool:
            assert self.process.poll() is None, f"the node ended: {self.log.read_text()}"
            return ready.exists()

        wait_until(is_ready, "the node opens its doors", START_S)
        self.ports = json.loads(ready.read_text())
        return self

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The process, once it was started."""
        assert self._process is not None
        return self._process

    def kill(self) -> None:
        """Kill -9, as a power cut ends it; nothing if it does not run."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(PATIENCE_S)

    def stop(self) -> float:
        """SIGTERM; gives how many seconds the node took to end."""
        began = monotonic()
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(PATIENCE_S)
        return monotonic() - began

    def command(self, *words: str) -> str:
        """One command on this node's folder; gives its standard output."""
        answer = run_aquila(*words, "--data", str(self.data))
        assert answer.returncode == 0, f"{words}: {answer.stderr}"
        return answer.stdout

    def link(self) -> str:
        """A fresh login link, as `aquila login` prints it."""
        return str(ask(self.data, "login", {})["link"])

    @property
    def url(self) -> str:
        """Of the page."""
        return f"http://localhost:{self.ports['http']}/"

    @property
    def token(self) -> str:
        """The bearer token of an administrator."""
        if not self._token:
            self._token = ask(self.data, "access.make_token", {"name": fresh("tester"), "role": "admin"})["token"]
        return self._token

    @property
    def api(self) -> Node:
        """Its API, as an administrator."""
        return Node(f"http://127.0.0.1:{self.ports['http']}", self.token)

    def counted(self) -> dict[str, float]:
        """What /metrics says."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['http']}/metrics", timeout=PATIENCE_S) as answer:
            lines = answer.read().decode().splitlines()
        return {name: float(value) for name, _, value in (line.partition(" ") for line in lines)}

    def rss_mib(self) -> float:
        """Memory of the process."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def client(self, callsign: str) -> TakClient:
        """A client over plain TCP."""
        return TakClient(self.ports["tak"], callsign)

    def device(self, name: str, *words: str) -> Path:
        """A new device; gives the folder with its files."""
        files = self.data.parent / f"{name}-files"
        self.command("device", "add", name, "--out", str(files), *words)
        return files

    def enrolled(self, name: str, **fields: Any) -> Path:
        """A new device with fields of the API's own command, said by the owner; gives the folder with its files."""
        files = self.data.parent / f"{name}-files"
        made = ask(self.data, "devices.add_device", {"name": name, **fields})
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(made["package"]))) as package:
            package.extractall(files)
        return files

    def device_client(self, name: str, files: Path) -> TakClient:
        """A client over TLS with a device's certificate."""
        return TakClient(self.ports["tak_tls"], name, tls=device_context(files, name))
